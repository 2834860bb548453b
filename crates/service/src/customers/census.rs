//! How many customers there are, by plan and by state.

use domain::{Instant, Status};
use store::{
    catalogue::plan::{self, Plan},
    customers::whom,
};

pub use store::customers::whom::Movement;

use super::card::State;
use crate::{Actor, App, Error};

/// Live customers of each plan.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Population {
    pub total: i64,
    pub active: i64,
    pub online: i64,
}

/// Every live plan with its people.
pub async fn populations(app: &App, actor: &Actor) -> Result<Vec<(Plan, Population)>, Error> {
    let (isp, branch, now) = (actor.isp, actor.branch, app.clock.now());
    app.db
        .read(async move |tx| {
            let counts = whom::of_plans(tx, isp, branch, now).await?;
            let plans = plan::plans(tx, isp).await?;
            let live = plans.into_iter().filter(|plan| plan.deleted_at.is_none());
            Ok(live
                .map(|plan| {
                    let count = counts.iter().find(|(id, ..)| *id == plan.id.0);
                    let population = count.map_or(Population::default(), |(_, total, active, online)| Population {
                        total: *total,
                        active: *active,
                        online: *online,
                    });
                    (plan, population)
                })
                .collect())
        })
        .await
}

/// How many live customers are in each state, and what moves.
pub async fn census(
    app: &App,
    actor: &Actor,
    since: Instant,
    until: Instant,
) -> Result<(Vec<(State, i64)>, Movement), Error> {
    let (isp, branch, now) = (actor.isp, actor.branch, app.clock.now());
    app.db
        .read(async move |tx| {
            let sorts = whom::sorts(tx, isp, branch, now).await?;
            let states = sorts.into_iter().map(|sort| match sort.status {
                Status::Active if sort.over => (State::Expired, sort.count),
                status => (State::Line(status), sort.count),
            });
            Ok((states.collect(), whom::movement(tx, isp, branch, now, since, until).await?))
        })
        .await
}
