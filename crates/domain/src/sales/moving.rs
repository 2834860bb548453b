//! Moving a line to another plan in the middle of what was paid for (worked examples: docs/RULES.md, "Proration").

use crate::{Instant, Money, kernel::money::Taxed};

/// When a move counts from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MoveKind {
    /// At once; a new period begins.
    Now,
    /// At once, and as if the running period had been of the new plan from its beginning.
    ThisCycle,
    /// When the running period ends.
    NextCycle,
    /// At the beginning of a day.
    OnDate,
}

impl MoveKind {
    pub fn word(self) -> &'static str {
        match self {
            MoveKind::Now => "now",
            MoveKind::ThisCycle => "this_cycle",
            MoveKind::NextCycle => "next_cycle",
            MoveKind::OnDate => "on_date",
        }
    }

    pub fn from_word(word: &str) -> Option<MoveKind> {
        [MoveKind::Now, MoveKind::ThisCycle, MoveKind::NextCycle, MoveKind::OnDate]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

/// A period that was sold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sold {
    pub starts_at: Instant,
    pub ends_at: Instant,
    /// As invoiced.
    pub taxed: Taxed,
}

/// What is given back of a period when another takes its place: the time it has left, or all of it.
pub fn credit(kind: MoveKind, old: &Sold, now: Instant) -> Taxed {
    let total = old.taxed.total();
    let whole = old.ends_at.seconds_since(old.starts_at).max(0);
    let part = |amount: Money| match kind {
        MoveKind::ThisCycle => amount,
        MoveKind::Now | MoveKind::OnDate => {
            let left = old.ends_at.seconds_since(now).clamp(0, whole);
            amount.share(left, whole)
        }
        // What was bought has been used up.
        MoveKind::NextCycle => Money::ZERO,
    };
    let total = part(total);
    let tax = part(old.taxed.tax);
    Taxed { net: Money(total.0 - tax.0), tax }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::clock::DAY;

    #[test]
    fn what_is_given_back() {
        let at = |day: i64| Instant(1_893_445_200_000_000).plus(day * DAY);
        let january =
            Sold { starts_at: at(0), ends_at: at(31), taxed: Taxed { net: Money(258_621), tax: Money(41_379) } };
        let rows = [
            // kind, on day → total, tax
            (MoveKind::Now, 10, 203_226, 28_031),
            (MoveKind::OnDate, 10, 203_226, 28_031),
            (MoveKind::Now, 0, 300_000, 41_379),
            (MoveKind::Now, 31, 0, 0),
            (MoveKind::Now, 40, 0, 0),
            (MoveKind::ThisCycle, 10, 300_000, 41_379),
            (MoveKind::NextCycle, 10, 0, 0),
        ];
        for (kind, day, total, tax) in rows {
            let got = credit(kind, &january, at(day));
            assert_eq!((got.total().0, got.tax.0), (total, tax), "{kind:?} on day {day}");
        }
        let free = Sold { taxed: Taxed::default(), ..january };
        assert_eq!(credit(MoveKind::Now, &free, at(3)), Taxed::default());
        let never = Sold { ends_at: at(0), ..january };
        assert_eq!(credit(MoveKind::Now, &never, at(0)), Taxed::default());
    }
}
