//! Which routers have been heard, as far as it is worth writing down.

use std::collections::HashMap;

use domain::{Instant, RouterId, kernel::clock::MINUTE};
use parking_lot::Mutex;

/// Reports of one router are noted once in so long.
const NOTED: i64 = MINUTE;

/// When this process last noted that a router reports.
#[derive(Default)]
pub struct Heard(Mutex<HashMap<RouterId, Instant>>);

impl Heard {
    /// Of these, the routers whose note is old enough to be written again.
    pub fn due(&self, reports: impl Iterator<Item = (RouterId, Instant)>) -> Vec<(RouterId, Instant)> {
        let mut newest: HashMap<RouterId, Instant> = HashMap::new();
        for (router, at) in reports {
            let known = newest.entry(router).or_insert(at);
            *known = at.max(*known);
        }
        let noted = self.0.lock();
        let is_due =
            |(router, at): &(RouterId, Instant)| noted.get(router).is_none_or(|noted| at.since(*noted) >= NOTED);
        let mut due: Vec<_> = newest.into_iter().filter(is_due).collect();
        // Two batches never wait for each other in a ring.
        due.sort_unstable_by_key(|(router, _)| router.0);
        due
    }

    /// They have been written.
    pub fn noted(&self, routers: &[(RouterId, Instant)]) {
        self.0.lock().extend(routers.iter().copied());
    }
}
