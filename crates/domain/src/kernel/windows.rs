//! How often something has happened lately, by key: the rule behind every limit on guessing and on requests.
//!
//! A window slides: what is counted at a moment are the times less than `within` before it. Memory is bounded both ways:
//! of a key no more times are kept than its limit asks for, and when there is no room for another key, those that have
//! been silent longest are forgotten.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

use crate::Instant;

/// The times of what happened lately, by key.
#[derive(Debug)]
pub struct Windows<K> {
    /// Microseconds that count.
    within: i64,
    most_keys: usize,
    times: HashMap<K, VecDeque<Instant>>,
}

impl<K: Eq + Hash> Windows<K> {
    pub fn new(within: i64, most_keys: usize) -> Windows<K> {
        Windows { within, most_keys, times: HashMap::new() }
    }

    /// Counts one where fewer than `most` are in the window.
    ///
    /// # Errors
    /// The seconds until there is room again; nothing was counted.
    pub fn take(&mut self, key: K, most: usize, now: Instant) -> Result<Room, Wait> {
        let within = self.within;
        let times = self.times_of(key, now);
        match wait_of(times, within, most, now) {
            Some(wait) => Err(wait),
            None => {
                times.push_back(now);
                Ok(Room(most - times.len()))
            }
        }
    }

    /// How long until fewer than `most` are in the window; `None` where they are already. Counts nothing.
    pub fn wait(&mut self, key: &K, most: usize, now: Instant) -> Option<Wait> {
        let times = self.times.get_mut(key)?;
        forget(times, self.within, now);
        wait_of(times, self.within, most, now)
    }

    /// Counts one, however many there are. Says how many are in the window with it; of more than `most`, `most`.
    pub fn add(&mut self, key: K, most: usize, now: Instant) -> usize {
        let times = self.times_of(key, now);
        while times.len() >= most.max(1) {
            times.pop_front();
        }
        times.push_back(now);
        times.len()
    }

    /// Takes back the newest that was counted.
    pub fn give_back(&mut self, key: &K) {
        if let Some(times) = self.times.get_mut(key) {
            times.pop_back();
        }
    }

    /// The times of a key that are in the window. A new key makes room for itself.
    fn times_of(&mut self, key: K, now: Instant) -> &mut VecDeque<Instant> {
        if self.times.len() >= self.most_keys && !self.times.contains_key(&key) {
            self.make_room(now);
        }
        let times = self.times.entry(key).or_default();
        forget(times, self.within, now);
        times
    }

    /// Forgets who is silent, and a quarter of all at least, so that a flood of keys seldom comes this way.
    fn make_room(&mut self, now: Instant) {
        let last = |times: &VecDeque<Instant>| times.back().copied().unwrap_or(Instant(i64::MIN));
        self.times.retain(|_, times| times.back().is_some_and(|last| now.since(*last) < self.within));
        let fit = self.most_keys - self.most_keys.div_ceil(4);
        let mut over = self.times.len().saturating_sub(fit);
        if over == 0 {
            return;
        }
        let mut ends: Vec<Instant> = self.times.values().map(last).collect();
        let silent = *ends.select_nth_unstable(over - 1).1;
        self.times.retain(|_, times| {
            let goes = over > 0 && last(times) <= silent;
            over -= usize::from(goes);
            !goes
        });
    }
}

fn forget(times: &mut VecDeque<Instant>, within: i64, now: Instant) {
    while times.front().is_some_and(|first| now.since(*first) >= within) {
        times.pop_front();
    }
}

fn wait_of(times: &VecDeque<Instant>, within: i64, most: usize, now: Instant) -> Option<Wait> {
    // When this one leaves the window, there is room.
    let leaves = times.len().checked_sub(most).map(|over| times.get(over).copied().unwrap_or(now))?;
    let left = leaves.plus(within).since(now);
    Some(Wait((left + 999_999).div_euclid(1_000_000).clamp(1, (within / 1_000_000).max(1))))
}

/// So many more have room in the window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room(pub usize);

/// Seconds until there is room, rounded up: who waits so long is let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wait(pub i64);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::clock::MINUTE;

    fn at(seconds: i64) -> Instant {
        Instant(1_900_000_000_000_000).plus_seconds(seconds)
    }

    #[test]
    fn any_window_holds_no_more_than_its_limit() {
        let mut windows = Windows::new(MINUTE, 10);
        // key, second, what comes of taking one of three
        for (key, second, expected) in [
            ("a", 0, Ok(Room(2))),
            ("a", 10, Ok(Room(1))),
            ("a", 20, Ok(Room(0))),
            ("a", 30, Err(Wait(30))),
            ("b", 30, Ok(Room(2))),
            ("a", 59, Err(Wait(1))),
            // The first has left; a refused one did not count.
            ("a", 60, Ok(Room(0))),
            ("a", 60, Err(Wait(10))),
            ("a", 70, Ok(Room(0))),
            ("a", 200, Ok(Room(2))),
        ] {
            assert_eq!(windows.take(key, 3, at(second)), expected, "{key} at {second}");
        }
        assert_eq!(windows.take("a", 0, at(200)), Err(Wait(60)), "nobody may");
        // What is taken back was never there.
        for _ in 0..5 {
            assert_eq!(windows.take("c", 1, at(200)), Ok(Room(0)));
            windows.give_back(&"c");
        }
    }

    #[test]
    fn who_waits_as_long_as_told_is_let_in() {
        let mut windows = Windows::new(MINUTE, 10);
        windows.take("a", 1, at(0)).unwrap();
        let asked = at(0).plus(1);
        let Err(Wait(seconds)) = windows.take("a", 1, asked) else { panic!() };
        assert_eq!(seconds, 60);
        assert!(windows.take("a", 1, asked.plus_seconds(seconds)).is_ok());
    }

    #[test]
    fn failures_are_counted_and_looked_at_apart() {
        let mut windows = Windows::new(MINUTE, 10);
        for second in 0..4 {
            assert_eq!(windows.wait(&"a", 5, at(second)), None);
            assert_eq!(windows.add("a", 5, at(second)), second as usize + 1);
        }
        assert_eq!((windows.add("a", 5, at(4)), windows.add("a", 5, at(5))), (5, 5), "no more than were asked for");
        assert_eq!(windows.wait(&"a", 5, at(5)), Some(Wait(56)));
        // A limit that is smaller now than what was counted: until so many have left.
        assert_eq!(windows.wait(&"a", 2, at(5)), Some(Wait(59)));
        assert_eq!((windows.wait(&"a", 5, at(61)), windows.wait(&"b", 1, at(61))), (None, None));
        assert_eq!(windows.add("a", 5, at(64)), 2);
    }

    #[test]
    fn keys_are_bounded_and_the_longest_silent_go_first() {
        let mut windows = Windows::new(MINUTE, 8);
        for key in 0..8 {
            windows.add(key, 5, at(key));
        }
        windows.add(0, 5, at(8));
        assert_eq!(windows.times.len(), 8);
        windows.add(100, 5, at(9));
        // Two of eight went for it: 1 and 2, who had been silent longest.
        assert_eq!(windows.times.len(), 7);
        let still: Vec<i64> = (0..8).filter(|key| windows.wait(key, 1, at(9)).is_some()).collect();
        assert_eq!(still, [0, 3, 4, 5, 6, 7]);
        for key in 200..10_000 {
            windows.add(key, 5, at(9));
            assert!(windows.times.len() <= 8);
        }
        // All that is out of its window goes at once, and so makes room for eight.
        for key in 0..8 {
            windows.add(key, 5, at(500 + key));
        }
        assert!((0..8).all(|key| windows.wait(&key, 1, at(508)).is_some()), "none of the fresh ones went");
    }
}
