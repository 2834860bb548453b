//! Recharge cards: prepaid codes that distributors sell (docs/readings.md 2.6).

use rust_decimal::Decimal;

use crate::{Instant, Money};

/// Where a card is. `Expired` is computed, never kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CardState {
    /// Made, in nobody's hands.
    Unissued,
    /// In a distributor's.
    Issued,
    Used,
    Expired,
}

impl CardState {
    pub const WORDS: &[&'static str] = &["unissued", "issued", "used", "expired"];

    pub fn word(self) -> &'static str {
        match self {
            CardState::Unissued => "unissued",
            CardState::Issued => "issued",
            CardState::Used => "used",
            CardState::Expired => "expired",
        }
    }

    pub fn from_word(word: &str) -> Option<CardState> {
        use CardState::*;
        [Unissued, Issued, Used, Expired].into_iter().find(|state| state.word() == word)
    }

    /// As it is at `now`: a card that was not used in time is expired.
    pub fn at(self, expires_at: Option<Instant>, now: Instant) -> CardState {
        match self {
            CardState::Used | CardState::Expired => self,
            CardState::Unissued | CardState::Issued => match expires_at {
                Some(end) if end <= now => CardState::Expired,
                _ => self,
            },
        }
    }
}

/// What a distributor keeps of a card's value; an amount from the moment the card is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Commission {
    /// Parts per million of the value.
    Percent(i64),
    Fixed(Money),
}

impl Commission {
    /// `None` when it is more than the value, or less than nothing.
    pub fn of(self, value: Money) -> Option<Money> {
        let amount = match self {
            Commission::Percent(ppm) => value.times(Decimal::new(ppm, 6)),
            Commission::Fixed(amount) => amount,
        };
        (Money::ZERO <= amount && amount <= value).then_some(amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_expires_unless_it_was_used() {
        let end = Instant(1_000_000);
        let (before, after) = (end.plus(-1), end);
        use CardState::*;
        let rows = [
            (Unissued, Some(end), before, Unissued),
            (Unissued, Some(end), after, Expired),
            (Issued, Some(end), before, Issued),
            (Issued, Some(end), after, Expired),
            (Used, Some(end), after, Used),
            (Issued, None, after, Issued),
        ];
        for (state, expires, now, expected) in rows {
            assert_eq!(state.at(expires, now), expected, "{state:?} {expires:?} {now:?}");
        }
        for word in CardState::WORDS {
            assert_eq!(CardState::from_word(word).map(CardState::word), Some(*word));
        }
    }

    #[test]
    fn commissions() {
        let rows = [
            (Commission::Percent(50_000), 100_000, Some(5_000)),
            (Commission::Percent(33_333), 100, Some(3)),
            (Commission::Percent(1_100_000), 100, None),
            (Commission::Fixed(Money(100)), 100, Some(100)),
            (Commission::Fixed(Money(101)), 100, None),
            (Commission::Fixed(Money(-1)), 100, None),
        ];
        for (commission, value, expected) in rows {
            assert_eq!(commission.of(Money(value)), expected.map(Money), "{commission:?} of {value}");
        }
    }
}
