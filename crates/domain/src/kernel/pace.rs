//! How fast something may go on, by key, for keys that strangers choose: a table of fixed size that forgets nothing.
//!
//! A key may happen `burst` times at once, and again once every `each` (the generic cell rate algorithm, ITU-T I.371
//! annex A). It is kept as one moment: when all that has happened will be forgotten. A key has a place in each of two
//! columns, by a number that only this process can compute from it. Whoever shares one place with somebody busy has the
//! other; only who shares both waits for another's doings. So memory is bounded without anybody's count being thrown out,
//! and a sender that rotates its keys gains nothing by it. Threads share a table without waiting for each other; what two
//! count of one key at the same moment both counts.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use super::windows::Wait;
use crate::Instant;

/// So many at once, then one every `each`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    burst: i64,
    /// Microseconds.
    each: i64,
}

impl Pace {
    /// `most` at once and `most` more spread over every `within` microseconds; 0 is nobody ever.
    pub const fn new(most: u32, within: i64) -> Pace {
        let burst = most as i64;
        Pace { burst, each: if burst == 0 { within } else { (within + burst - 1) / burst } }
    }

    /// The same pace with fewer at once: what it says of a table is when somebody comes near the pace itself.
    #[must_use]
    pub const fn at_once(self, most: u32) -> Pace {
        Pace { burst: most as i64, each: self.each }
    }
}

/// Two columns of places; each holds a moment in microseconds.
#[derive(Debug)]
pub struct Paces([Box<[AtomicI64]>; 2]);

impl Paces {
    /// With so many places in each column.
    pub fn new(places: usize) -> Paces {
        let column = || (0..places.max(1)).map(|_| AtomicI64::new(i64::MIN)).collect();
        Paces([column(), column()])
    }

    fn places(&self, key: u64) -> [&AtomicI64; 2] {
        let [one, other] = &self.0;
        let (at, there) = (key as u32 as usize % one.len(), (key >> 32) as usize % other.len());
        [&one[at], &other[there]]
    }

    /// The moment at which the next one has room, if that is yet to come. Counts nothing.
    pub fn room_at(&self, key: u64, pace: Pace, now: Instant) -> Option<Instant> {
        let full = self.places(key).map(|place| Instant(place.load(Relaxed)).max(now));
        // Of two places the emptier one is nearer the truth.
        let busy = full[0].min(full[1]).since(now);
        let over = busy + pace.each - pace.burst * pace.each;
        (over > 0).then(|| now.plus(over))
    }

    /// How long until the next one has room, if it must wait. Counts nothing.
    pub fn wait(&self, key: u64, pace: Pace, now: Instant) -> Option<Wait> {
        let over = self.room_at(key, pace, now)?.since(now);
        Some(Wait((over + 999_999).div_euclid(1_000_000).max(1)))
    }

    /// Counts one.
    pub fn add(&self, key: u64, pace: Pace, now: Instant) {
        for place in self.places(key) {
            change(place, |full| full.max(now).plus(pace.each));
        }
    }

    /// Counts one less: it was not what is counted here.
    pub fn give_back(&self, key: u64, pace: Pace) {
        for place in self.places(key) {
            change(place, |full| full.plus(-pace.each));
        }
    }
}

fn change(place: &AtomicI64, to: impl Fn(Instant) -> Instant) {
    let mut full = place.load(Relaxed);
    while let Err(now) = place.compare_exchange_weak(full, to(Instant(full)).0, Relaxed, Relaxed) {
        full = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::clock::MINUTE;

    fn at(seconds: i64) -> Instant {
        Instant(1_900_000_000_000_000).plus_seconds(seconds)
    }

    #[test]
    fn a_burst_and_then_one_by_one() {
        let (paces, pace) = (Paces::new(1000), Pace::new(3, MINUTE));
        let take = |second: i64| match paces.wait(7, pace, at(second)) {
            None => {
                paces.add(7, pace, at(second));
                0
            }
            Some(Wait(seconds)) => seconds,
        };
        // second, seconds to wait; 0: taken
        for (second, expected) in [
            (0, 0),
            (0, 0),
            (0, 0),
            (0, 20),
            (19, 1),
            (20, 0),
            (20, 20),
            (60, 0),
            (60, 0),
            (60, 20),
            // Long after, a whole burst again and no more.
            (9000, 0),
            (9000, 0),
            (9000, 0),
            (9000, 20),
        ] {
            assert_eq!(take(second), expected, "at {second}");
        }
    }

    #[test]
    fn what_is_given_back_is_there_again() {
        let (paces, pace) = (Paces::new(1000), Pace::new(1, MINUTE));
        for second in 0..5 {
            assert_eq!(paces.wait(7, pace, at(second)), None, "{second}");
            paces.add(7, pace, at(second));
            assert!(paces.wait(7, pace, at(second)).is_some());
            paces.give_back(7, pace);
        }
        assert_eq!(Paces::new(0).wait(0, Pace::new(0, MINUTE), at(0)), Some(Wait(60)), "nobody may");
    }

    #[test]
    fn who_comes_near_is_seen_before_it_waits() {
        let (paces, pace) = (Paces::new(1000), Pace::new(10, MINUTE));
        for n in 0..10 {
            let near = paces.room_at(7, pace.at_once(4), at(0)).is_some();
            assert_eq!((near, paces.room_at(7, pace, at(0))), (n >= 4, None), "{n}");
            paces.add(7, pace, at(0));
        }
        assert_eq!(paces.room_at(7, pace, at(0)), Some(at(6)));
    }

    #[test]
    fn a_flood_of_keys_frees_nobody_and_stops_nobody() {
        let (paces, pace) = (Paces::new(16_384), Pace::new(30, MINUTE));
        let mixed = |key: u64| key.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (key << 17);
        for _ in 0..30 {
            paces.add(mixed(1), pace, at(0));
        }
        // A thousand tries from a thousand senders.
        for key in 1000..2000 {
            paces.add(mixed(key), pace, at(0));
        }
        assert!(paces.wait(mixed(1), pace, at(1)).is_some(), "the guesser is still known");
        let stopped = (100_000..101_000).filter(|key| paces.wait(mixed(*key), pace, at(1)).is_some()).count();
        assert_eq!(stopped, 0);
    }
}
