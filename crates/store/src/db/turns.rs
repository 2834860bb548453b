//! Turns at writing: how long each may last, which of them run, and how long the longest of late was.
//!
//! Everybody's writes wait for whoever writes now. A turn ends by itself when its statements have had their time
//! ([`Tx::usable`](super::Tx), and on SQLite the clock that interrupts a statement). What computes and never asks its
//! transaction anything cannot be interrupted by anybody: that is seen here, from outside, and said.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// One change holds SQLite's writer no longer than this: its next statement is refused, a running one is interrupted.
pub const WRITER_LIMIT: Duration = if cfg!(test) { Duration::from_secs(2) } else { Duration::from_secs(10) };
/// The same of a transaction on PostgreSQL, where others write meanwhile; and of every read.
pub const LIMIT: Duration = if cfg!(test) { Duration::from_secs(2) } else { Duration::from_secs(30) };
/// So much longer than its limit no turn lasts that asks its transaction anything.
const GRACE: Duration = Duration::from_secs(5);

/// The longest turn is told of this time and of as much before it.
const WINDOW: Duration = Duration::from_secs(60);

/// The turns of a database.
pub(super) struct Turns {
    limit: Duration,
    state: Mutex<State>,
}

struct State {
    running: BTreeMap<u64, Instant>,
    next: u64,
    window: Instant,
    longest: Duration,
    longest_before: Duration,
}

/// How the turns stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    /// How long the oldest turn that runs has lasted; nothing where none does.
    pub running: Duration,
    /// The longest of the last minute or two, running ones included.
    pub longest: Duration,
    /// One has passed its limit and not ended: it computes something that never ends.
    pub overdue: bool,
}

/// A turn that runs until it is dropped.
pub(super) struct Turn {
    turns: Arc<Turns>,
    number: u64,
}

impl Turns {
    pub fn new(limit: Duration) -> Arc<Turns> {
        let state = State {
            running: BTreeMap::new(),
            next: 0,
            window: Instant::now(),
            longest: Duration::ZERO,
            longest_before: Duration::ZERO,
        };
        Arc::new(Turns { limit, state: Mutex::new(state) })
    }

    pub fn begin(self: &Arc<Turns>) -> Turn {
        self.begin_at(Instant::now())
    }

    fn begin_at(self: &Arc<Turns>, now: Instant) -> Turn {
        let mut state = self.state.lock();
        let number = state.next;
        state.next += 1;
        state.running.insert(number, now);
        Turn { turns: self.clone(), number }
    }

    fn end_at(&self, number: u64, now: Instant) {
        let mut state = self.state.lock();
        let Some(began) = state.running.remove(&number) else { return };
        state.turn_over(now);
        state.longest = state.longest.max(now.saturating_duration_since(began));
    }

    pub fn held(&self, now: Instant) -> Held {
        let mut state = self.state.lock();
        state.turn_over(now);
        let oldest = state.running.values().next();
        let running = oldest.map_or(Duration::ZERO, |began| now.saturating_duration_since(*began));
        let longest = state.longest.max(state.longest_before).max(running);
        Held { running, longest, overdue: running > self.limit + GRACE }
    }
}

impl State {
    /// A window that is over is the one before; two that are over are forgotten.
    fn turn_over(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.window);
        if passed < WINDOW {
            return;
        }
        self.longest_before = if passed < 2 * WINDOW { self.longest } else { Duration::ZERO };
        self.longest = Duration::ZERO;
        self.window = now;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.end_at(self.number, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_turn_of_late_is_told_and_one_without_end_is_seen() {
        let turns = Turns::new(Duration::from_secs(10));
        let start = turns.state.lock().window;
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let held = |second: u64| {
            let held = turns.held(at(second));
            (held.running.as_secs(), held.longest.as_secs(), held.overdue)
        };
        assert_eq!(held(0), (0, 0, false));
        let (first, second) = (turns.begin_at(at(1)), turns.begin_at(at(3)));
        assert_eq!(held(4), (3, 3, false));
        turns.end_at(first.number, at(8));
        assert_eq!(held(8), (5, 7, false), "the other runs, the longest has ended");
        turns.end_at(second.number, at(9));
        assert_eq!(held(59), (0, 7, false));
        assert_eq!(held(100), (0, 7, false), "the minute before counts");
        assert_eq!(held(170), (0, 0, false), "and no more than that");
        let endless = turns.begin_at(at(200));
        assert_eq!(held(215), (15, 15, false));
        assert_eq!(held(216), (16, 16, true));
        assert_eq!(held(5000), (4800, 4800, true));
        turns.end_at(endless.number, at(5001));
        assert_eq!(held(5002), (0, 4801, false));
    }
}
