//! Complaints: how urgent, where they stand, and by when they should be settled.

use crate::kernel::clock::{DAY, HOUR, Instant};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Priority {
    Low,
    Normal,
    High,
    Urgent,
}

impl Priority {
    pub const ALL: [Priority; 4] = [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent];
    pub const WORDS: &[&str] = &["low", "normal", "high", "urgent"];

    pub fn word(self) -> &'static str {
        Priority::WORDS[self as usize]
    }

    pub fn from_word(word: &str) -> Option<Priority> {
        Priority::ALL.into_iter().find(|priority| priority.word() == word)
    }

    /// By when a complaint opened then should be settled.
    pub fn due(self, opened_at: Instant) -> Instant {
        opened_at.plus(match self {
            Priority::Low => 3 * DAY,
            Priority::Normal => DAY,
            Priority::High => 8 * HOUR,
            Priority::Urgent => 4 * HOUR,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum State {
    Open,
    Acknowledged,
    InProgress,
    /// Staff say it is settled.
    Resolved,
    Closed,
}

impl State {
    pub const ALL: [State; 5] = [State::Open, State::Acknowledged, State::InProgress, State::Resolved, State::Closed];
    pub const WORDS: &[&str] = &["open", "acknowledged", "in_progress", "resolved", "closed"];

    pub fn word(self) -> &'static str {
        State::WORDS[self as usize]
    }

    pub fn from_word(word: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Somebody still has to do something.
    pub fn is_open(self) -> bool {
        match self {
            State::Open | State::Acknowledged | State::InProgress => true,
            State::Resolved | State::Closed => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_lists() {
        for priority in Priority::ALL {
            assert_eq!(Priority::from_word(priority.word()), Some(priority));
        }
        for state in State::ALL {
            assert_eq!(State::from_word(state.word()), Some(state));
        }
        assert_eq!((Priority::Urgent.word(), State::InProgress.word()), ("urgent", "in_progress"));
    }

    #[test]
    fn the_more_urgent_the_sooner() {
        let due = Priority::ALL.map(|priority| priority.due(Instant::EPOCH).0 / HOUR);
        assert_eq!(due, [72, 24, 8, 4]);
    }
}
