//! Webhook deliveries: when a failed one is tried again, and when an endpoint is given up.

use crate::kernel::clock::{DAY, HOUR, Instant, MINUTE, SECOND};

/// The waits before each further attempt: about nineteen hours in all.
pub const WAITS: [i64; 7] = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, 12 * HOUR];

/// An endpoint that has only failed for this long is disabled.
pub const PATIENCE: i64 = DAY;

/// What follows from a failed attempt.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Next {
    At(Instant),
    /// It was the last one: the delivery is kept for a replay.
    Dead,
}

/// When the delivery is tried again after its `attempt`-th attempt (1 is the first) failed at `now`. Each wait is up to
/// a tenth shorter or longer, by `seed`, so that what failed together does not come back together. An endpoint that is
/// about to be given up is asked once more at that moment.
pub fn next_attempt(attempt: i64, now: Instant, failing_since: Instant, seed: u64) -> Next {
    let wait = usize::try_from(attempt - 1).ok().and_then(|at| WAITS.get(at));
    let Some(wait) = wait else { return Next::Dead };
    let at = now.plus(jittered(*wait, seed.wrapping_mul(31).wrapping_add(attempt as u64)));
    let last = failing_since.plus(PATIENCE);
    Next::At(if now < last { at.min(last) } else { at })
}

/// Whether an endpoint that has only failed since then is disabled.
pub fn is_given_up(failing_since: Instant, now: Instant) -> bool {
    now.since(failing_since) >= PATIENCE
}

/// Between nine and eleven tenths of `wait`.
fn jittered(wait: i64, seed: u64) -> i64 {
    let spread = wait / 5;
    wait - wait / 10 + (mixed(seed) % (spread as u64 + 1)) as i64
}

/// SplitMix64: neighbouring seeds give unrelated numbers.
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let now = Instant::from_unix(1_900_000_000);
        let rows = [
            // attempt that failed, the middle of the wait
            (1, Some(5 * SECOND)),
            (2, Some(30 * SECOND)),
            (3, Some(2 * MINUTE)),
            (4, Some(10 * MINUTE)),
            (5, Some(HOUR)),
            (6, Some(6 * HOUR)),
            (7, Some(12 * HOUR)),
            (8, None),
            (9, None),
            (0, None),
        ];
        for (attempt, middle) in rows {
            for seed in 0..1000 {
                match (next_attempt(attempt, now, now, seed), middle) {
                    (Next::At(at), Some(middle)) => {
                        let wait = at.since(now);
                        assert!(wait * 10 >= middle * 9 && wait * 10 <= middle * 11, "{attempt}: {wait} of {middle}");
                    }
                    (Next::Dead, None) => {}
                    other => panic!("{attempt}: {other:?}"),
                }
            }
        }
    }

    #[test]
    fn deliveries_that_fail_together_come_back_apart() {
        let now = Instant::EPOCH;
        let times: std::collections::HashSet<Next> = (0..1000).map(|seed| next_attempt(5, now, now, seed)).collect();
        assert!(times.len() > 990, "{}", times.len());
    }

    #[test]
    fn the_last_try_is_when_patience_ends() {
        let since = Instant::EPOCH;
        let rows = [
            // failed at, attempt → the next at, given up
            (20 * HOUR, 7, Next::At(since.plus(DAY)), false),
            (DAY - SECOND, 4, Next::At(since.plus(DAY)), false),
            (DAY, 8, Next::Dead, true),
            (30 * HOUR, 8, Next::Dead, true),
        ];
        for (failed_at, attempt, next, given_up) in rows {
            let now = since.plus(failed_at);
            assert_eq!(next_attempt(attempt, now, since, 7), next, "{failed_at}");
            assert_eq!(is_given_up(since, now), given_up, "{failed_at}");
        }
    }
}
