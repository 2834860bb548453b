//! Wrong guesses of codes that people type in, so that guessing is slow. Kept in memory: what matters is the minute.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use domain::{Instant, kernel::clock::MINUTE};
use parking_lot::Mutex;

/// Guesses remembered of one guesser.
const MAX_TIMES: usize = 64;
/// Guessers remembered before those that are silent are forgotten.
const MAX_QUIET: usize = 4096;
/// Nobody counts further back.
const LONGEST: i64 = 10 * MINUTE;

#[derive(Clone, Default)]
pub struct Guesses {
    wrong: Arc<Mutex<HashMap<String, VecDeque<Instant>>>>,
}

impl Guesses {
    /// How often this guesser was wrong in the last `within` microseconds (up to ten minutes).
    pub fn count(&self, who: &str, within: i64, now: Instant) -> usize {
        let wrong = self.wrong.lock();
        wrong.get(who).map_or(0, |times| times.iter().filter(|at| now.since(**at) < within).count())
    }

    pub fn wrong(&self, who: String, now: Instant) {
        let mut wrong = self.wrong.lock();
        if wrong.len() >= MAX_QUIET {
            wrong.retain(|_, times| times.back().is_some_and(|last| now.since(*last) < LONGEST));
        }
        let times = wrong.entry(who).or_default();
        if times.len() >= MAX_TIMES {
            times.pop_front();
        }
        times.push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_counted_for_each_guesser() {
        let (guesses, at) = (Guesses::default(), |s: i64| Instant(0).plus_seconds(s));
        let count = |who, s| guesses.count(who, MINUTE, at(s));
        for s in 0..3 {
            guesses.wrong("a".into(), at(s));
        }
        assert_eq!((count("a", 3), count("b", 3), count("a", 60), count("a", 62)), (3, 0, 2, 0));
    }
}
