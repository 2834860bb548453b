//! Routers and pools as the network's lists show them: with what is known of them.

use std::collections::HashMap;

use domain::{Instant, RouterId, clock::MINUTE};
use parking_lot::Mutex;
use store::{plan, plan::Pool, plant as rows, router, router::Router};

use crate::{Actor, App, Error};

/// A router with sessions reports at least once in five minutes; three times as long is silence.
pub const SILENCE: i64 = 15 * MINUTE;
/// Reports of one router are noted once in so long.
const NOTED: i64 = MINUTE;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reached {
    pub router: Router,
    /// up: has reported within [`SILENCE`]; down: has reported before, and not since; unknown: never has.
    pub status: &'static str,
    pub heard_at: Option<Instant>,
    pub online: i64,
}

fn status(heard: Option<Instant>, now: Instant) -> &'static str {
    match heard {
        None => "unknown",
        Some(at) if now.since(at) <= SILENCE => "up",
        Some(_) => "down",
    }
}

/// Every router, or a branch's own.
pub async fn routers(app: &App, actor: &Actor) -> Result<Vec<Reached>, Error> {
    let (isp, branch, now) = (actor.isp, actor.branch, app.clock.now());
    let (all, heard, online) = app
        .db
        .read(async move |tx| {
            let all = router::of_isp(tx, isp).await?;
            let heard: HashMap<RouterId, Instant> = rows::routers_heard(tx, isp).await?.into_iter().collect();
            let online: HashMap<RouterId, i64> = rows::online_by_router(tx, isp).await?.into_iter().collect();
            Ok::<_, store::db::Error>((all, heard, online))
        })
        .await?;
    let reached = |router: Router| {
        let heard_at = heard.get(&router.id).copied();
        Reached {
            status: status(heard_at, now),
            heard_at,
            online: online.get(&router.id).copied().unwrap_or(0),
            router,
        }
    };
    let own = all.into_iter().filter(|router| branch.is_none() || router.branch_id == branch);
    Ok(own.map(reached).collect())
}

/// Every pool, or those of a branch's own routers.
pub async fn pools(app: &App, actor: &Actor) -> Result<Vec<Pool>, Error> {
    let (isp, branch) = (actor.isp, actor.branch);
    app.db
        .read(async move |tx| {
            let pools = plan::pools(tx, isp).await?;
            if branch.is_none() {
                return Ok(pools);
            }
            let routers = router::of_isp(tx, isp).await?;
            let own = |id: RouterId| routers.iter().any(|router| router.id == id && router.branch_id == branch);
            Ok(pools.into_iter().filter(|pool| pool.router_id.is_some_and(own)).collect())
        })
        .await
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_router() {
        let now = Instant(100 * MINUTE);
        for (heard, expected) in [(None, "unknown"), (Some(now), "up"), (Some(now.plus(-SILENCE)), "up")] {
            assert_eq!(status(heard, now), expected);
        }
        assert_eq!(status(Some(now.plus(-SILENCE - 1)), now), "down");
    }

    #[test]
    fn a_router_is_noted_once_a_minute() {
        let heard = Heard::default();
        let at = |minute: i64| Instant(minute * MINUTE);
        let due = heard.due([(RouterId(2), at(1)), (RouterId(1), at(1)), (RouterId(2), at(0))].into_iter());
        assert_eq!(due, [(RouterId(1), at(1)), (RouterId(2), at(1))]);
        heard.noted(&due);
        assert_eq!(heard.due([(RouterId(1), at(1).plus(5))].into_iter()), []);
        assert_eq!(heard.due([(RouterId(1), at(2))].into_iter()), [(RouterId(1), at(2))]);
    }
}
