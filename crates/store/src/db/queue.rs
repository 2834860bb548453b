//! The writer's queue: three classes, the most urgent first, none left behind.

use super::job::Job;
use super::{Class, Error};
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::time::Duration;

/// A group that has worked this long takes nothing more and commits.
const GROUP_TIME: Duration = Duration::from_millis(5);

/// Bulk joins others only while their answer is not held up much by it.
const BULK_JOINS_WITHIN: Duration = Duration::from_millis(2);

/// Groups that may pass accounting, or bulk, by before it goes first.
const ACCOUNTING_PATIENCE: u32 = 2;
const BULK_PATIENCE: u32 = 4;

pub(super) struct Item {
    pub(super) job: Box<dyn Job>,
    pub(super) read_only: bool,
}

#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Default)]
struct State {
    interactive: VecDeque<Item>,
    accounting: VecDeque<Item>,
    bulk: VecDeque<Item>,
    turn: Turn,
    closed: bool,
}

impl Queue {
    /// Queues the item, or answers it with a refusal.
    pub(super) fn push(&self, class: Class, item: Item) {
        let refusal = {
            let mut state = self.state.lock();
            let closed = state.closed;
            let waiting = state.of(class);
            if closed {
                Error::Unavailable("the database is closed".into())
            } else if waiting.len() >= class.limit() {
                Error::Busy(format!("{} {} transactions wait already", waiting.len(), class.name()))
            } else {
                waiting.push_back(item);
                self.filled.notify_one();
                return;
            }
        };
        item.job.finish(Some(refusal));
    }

    /// The first of a new group; waits for one. `None` when closed and empty.
    pub(super) fn first(&self) -> Option<Item> {
        let mut state = self.state.lock();
        loop {
            let waiting = state.waiting();
            let choice = state.turn.begin(waiting);
            match choice {
                Some(class) => return state.of(class).pop_front(),
                None if state.closed => return None,
                None => self.filled.wait(&mut state),
            }
        }
    }

    /// Another for the group that has worked for `elapsed`.
    pub(super) fn another(&self, elapsed: Duration) -> Option<Item> {
        let mut state = self.state.lock();
        let waiting = state.waiting();
        let class = state.turn.join(waiting, elapsed)?;
        state.of(class).pop_front()
    }

    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.filled.notify_all();
    }
}

impl State {
    fn of(&mut self, class: Class) -> &mut VecDeque<Item> {
        match class {
            Class::Interactive => &mut self.interactive,
            Class::Accounting => &mut self.accounting,
            Class::Bulk => &mut self.bulk,
        }
    }

    fn waiting(&self) -> Waiting {
        Waiting {
            interactive: !self.interactive.is_empty(),
            accounting: !self.accounting.is_empty(),
            bulk: !self.bulk.is_empty(),
        }
    }
}

/// Which classes have somebody waiting.
#[derive(Clone, Copy)]
struct Waiting {
    interactive: bool,
    accounting: bool,
    bulk: bool,
}

/// Whose turn it is: what this group took, and how many groups passed a class by.
#[derive(Default)]
struct Turn {
    took_accounting: bool,
    took_bulk: bool,
    accounting_passed: u32,
    bulk_passed: u32,
}

impl Turn {
    fn begin(&mut self, waiting: Waiting) -> Option<Class> {
        let class = if waiting.accounting && self.accounting_passed >= ACCOUNTING_PATIENCE {
            Class::Accounting
        } else if waiting.bulk && self.bulk_passed >= BULK_PATIENCE {
            Class::Bulk
        } else if waiting.interactive {
            Class::Interactive
        } else if waiting.accounting {
            Class::Accounting
        } else if waiting.bulk {
            Class::Bulk
        } else {
            return None;
        };
        // Groups are counted as they begin: one that began without a class passed it by.
        (self.took_accounting, self.took_bulk) = (false, false);
        self.accounting_passed = if waiting.accounting { self.accounting_passed + 1 } else { 0 };
        self.bulk_passed = if waiting.bulk { self.bulk_passed + 1 } else { 0 };
        self.took(class);
        Some(class)
    }

    fn join(&mut self, waiting: Waiting, elapsed: Duration) -> Option<Class> {
        let class = if elapsed >= GROUP_TIME {
            return None;
        } else if waiting.interactive {
            Class::Interactive
        } else if waiting.accounting {
            Class::Accounting
        } else if waiting.bulk && !self.took_bulk && elapsed < BULK_JOINS_WITHIN {
            Class::Bulk
        } else {
            return None;
        };
        self.took(class);
        Some(class)
    }

    fn took(&mut self, class: Class) {
        match class {
            Class::Interactive => {}
            Class::Accounting => (self.took_accounting, self.accounting_passed) = (true, 0),
            Class::Bulk => (self.took_bulk, self.bulk_passed) = (true, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Waiting = Waiting { interactive: true, accounting: true, bulk: true };
    const BULK: Waiting = Waiting { interactive: false, accounting: false, bulk: true };

    #[test]
    fn nobody_starves_while_interactive_calls_never_end() {
        let mut turn = Turn::default();
        let mut begun = Vec::new();
        for _ in 0..12 {
            begun.push(turn.begin(ALL).unwrap());
            // Interactive calls fill the group until its time is over.
            assert_eq!(turn.join(ALL, Duration::from_millis(1)), Some(Class::Interactive));
            assert_eq!(turn.join(ALL, GROUP_TIME), None);
        }
        let share = |class| begun.iter().filter(|c| **c == class).count();
        assert!(share(Class::Interactive) >= 5, "{begun:?}");
        assert!(share(Class::Accounting) >= 3, "{begun:?}");
        assert!(share(Class::Bulk) >= 2, "{begun:?}");
    }

    #[test]
    fn bulk_yields() {
        let mut turn = Turn::default();
        assert_eq!(turn.begin(ALL), Some(Class::Interactive));
        assert_eq!(turn.join(BULK, Duration::from_millis(3)), None, "the others would wait for it");
        assert_eq!(turn.join(BULK, Duration::from_millis(1)), Some(Class::Bulk));
        assert_eq!(turn.join(BULK, Duration::from_millis(1)), None, "one chunk a group");
        assert_eq!(turn.begin(BULK), Some(Class::Bulk));
    }
}
