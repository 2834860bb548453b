//! Cycles that begin again, and hours of the day that change a rate.

use domain::{FupTemplateId, IspId, ServiceId, catalogue::fup::Policy};
use jiff::tz::TimeZone;
use store::{
    access::fup::{self, Usage},
    db::Class,
    people::service::{self, Service},
};

use super::{
    count,
    counting::{Back, came_back, cycle, usage_row},
    in_force, load, own_rates, policy,
    templates::follow,
};
use crate::{Actor, App, Change, Error};

/// How many services one look takes, and how many of one tenant share a transaction.
const BATCH: i64 = 500;
const CHUNK: usize = 50;

/// Gives back their rate to those whose cycle has ended, and lets sessions follow the hour; how many there were.
pub async fn run(app: &App) -> Result<usize, Error> {
    turn(app).await?;
    let mut acted = 0;
    loop {
        let now = app.clock.now();
        let due = app.db.read(async move |tx| fup::due(tx, now, BATCH).await).await?;
        let mut done = 0;
        let mut rest = &due[..];
        while let Some((isp, _)) = rest.first() {
            let same = rest.iter().take(CHUNK).take_while(|(other, _)| other == isp).count();
            let (chunk, later) = rest.split_at(same);
            done += begin_again(app, *isp, chunk.iter().map(|(_, id)| *id).collect()).await?;
            rest = later;
        }
        acted += done;
        if done == 0 {
            return Ok(acted);
        }
    }
}

/// How many of them were due.
async fn begin_again(app: &App, isp: IspId, mut services: Vec<ServiceId>) -> Result<usize, Error> {
    let tenant = app.tenant(isp).await?;
    services.sort_unstable_by_key(|id| id.0);
    app.change(&Actor::system(isp), Class::Bulk, async move |change| {
        let mut done = 0;
        let mut policies: std::collections::HashMap<FupTemplateId, Policy> = Default::default();
        for id in &services {
            // A report may have come first.
            let row = fup::lock_usage(change.tx, isp, *id).await?;
            let due = |row: &Usage| row.level > 0 && row.ends_at.is_some_and(|end| end <= change.now);
            let Some(row) = row.filter(due) else { continue };
            done += 1;
            let line = service::find(change.tx, isp, *id).await?;
            let template = match &line {
                Some(line) => in_force(change.tx, isp, line).await?.0,
                None => None,
            };
            let (Some(line), true) = (line, template == Some(row.template_id)) else {
                // Of a policy that it goes by no longer.
                fup::set_level(change.tx, isp, *id, 0).await?;
                continue;
            };
            if !policies.contains_key(&row.template_id)
                && let Some(policy) = load(change.tx, isp, row.template_id, &tenant.zone).await?
            {
                policies.insert(row.template_id, policy);
            }
            let Some(policy) = policies.get(&row.template_id) else {
                fup::set_level(change.tx, isp, *id, 0).await?;
                continue;
            };
            let cycle = cycle(change, policy, *id, change.now).await?;
            let next = policy.rolled(Some(&count(&row)), cycle);
            fup::put_usage(change.tx, &usage_row(isp, *id, row.template_id, &next, change.now)).await?;
            let rates = own_rates(change.tx, isp, &line).await?;
            came_back(change, line.customer_id, policy, rates, &row, Back::NewCycle).await?;
        }
        Ok(done)
    })
    .await
}

/// What a line has used counts no longer in its fair use: the cycle goes on from nothing.
pub(crate) async fn forgive(change: &Change<'_>, line: &Service, zone: &TimeZone) -> Result<(), Error> {
    let Some(row) = fup::lock_usage(change.tx, change.isp, line.id).await? else { return Ok(()) };
    let policy = load(change.tx, change.isp, row.template_id, zone).await?;
    fup::put_usage(change.tx, &Usage { up: 0, down: 0, level: 0, updated_at: change.now, ..row.clone() }).await?;
    match policy.filter(|_| row.level > 0) {
        Some(policy) => {
            let rates = own_rates(change.tx, change.isp, line).await?;
            came_back(change, line.customer_id, &policy, rates, &row, Back::NewCycle).await
        }
        None => Ok(()),
    }
}

/// Templates whose windows begin or end now: the live sessions follow.
async fn turn(app: &App) -> Result<(), Error> {
    let now = app.clock.now();
    for (isp, id) in app.db.read(async move |tx| fup::turning(tx, now).await).await? {
        let tenant = app.tenant(isp).await?;
        app.change(&Actor::system(isp), Class::Bulk, async move |change| {
            let Some(whole) = fup::find(change.tx, isp, id).await? else { return Ok(()) };
            let Some(before) = whole.template.turns_at.filter(|at| *at <= change.now) else { return Ok(()) };
            let next = policy(&whole, |_| None, tenant.zone.clone()).next_turn(change.now);
            if fup::turn(change.tx, isp, id, before, next).await? {
                follow(change, id).await?;
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}
