//! Moving a line to another plan in the middle of what was paid for (worked examples: docs/RULES.md, "Proration").

use crate::{Instant, billing::credit::Share};

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

/// What is given back of a period when another takes its place: the time it has left, or all of it.
pub fn share(kind: MoveKind, starts_at: Instant, ends_at: Instant, now: Instant) -> Share {
    match kind {
        MoveKind::ThisCycle => Share::ALL,
        MoveKind::Now | MoveKind::OnDate => {
            Share::of(ends_at.seconds_since(now.max(starts_at)), ends_at.seconds_since(starts_at))
        }
        // What was bought has been used up.
        MoveKind::NextCycle => Share::NOTHING,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Money, kernel::clock::DAY};

    #[test]
    fn what_is_given_back() {
        let at = |day: i64| Instant(1_893_445_200_000_000).plus(day * DAY);
        let rows = [
            // kind, on day of January → of 3000.00
            (MoveKind::Now, 10, 203_226),
            (MoveKind::OnDate, 10, 203_226),
            (MoveKind::Now, 0, 300_000),
            // Bought ahead: it has not begun.
            (MoveKind::Now, -9, 300_000),
            (MoveKind::Now, 31, 0),
            (MoveKind::Now, 40, 0),
            (MoveKind::ThisCycle, 10, 300_000),
            (MoveKind::NextCycle, 10, 0),
        ];
        for (kind, day, total) in rows {
            let share = share(kind, at(0), at(31), at(day));
            assert_eq!(share.of_money(Money(300_000)).0, total, "{kind:?} on day {day}");
        }
        assert_eq!(share(MoveKind::Now, at(0), at(0), at(0)), Share::NOTHING);
    }
}
