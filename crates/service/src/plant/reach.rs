//! Routers and pools as the network's lists show them: with what is known of them.

use std::collections::HashMap;

use domain::{Instant, RouterId, plant::reach::status};
use store::{
    access::router::{self, Router},
    catalogue::plan::{self, Pool},
    plant::plant as rows,
};

use crate::{Actor, App, Error};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reached {
    pub router: Router,
    /// up: has reported within [`domain::plant::reach::SILENCE`]; down: has reported before, and not since; unknown: never has.
    pub status: &'static str,
    pub heard_at: Option<Instant>,
    pub online: i64,
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
