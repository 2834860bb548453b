//! The figures of the whole business, and those of the network. Whoever sees one branch sees its figures.

use domain::{Instant, Money, kernel::calendar::Today};
use store::{
    people::roster::{self, Standings},
    reports::dashboard::{self, Heavy},
};

use crate::{
    Actor, App, Error,
    plant::reach::{self, Reached},
};

pub use store::reports::dashboard::Heavy as TopUser;

/// How many of the heaviest users are shown.
const TOP: i64 = 10;

/// Customers by what they are.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct People {
    pub all: i64,
    pub active: i64,
    pub expired: i64,
    pub suspended: i64,
    pub disabled: i64,
    /// Switched off, pending, rejected, terminated.
    pub inactive: i64,
    pub online: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Business {
    pub people: People,
    pub new_today: i64,
    pub new_this_month: i64,
    /// Whose period ends before this day does.
    pub ending_today: i64,
    pub billed_today: Money,
    pub billed_this_month: Money,
    pub paid_today: Money,
    pub paid_this_month: Money,
    /// Bills that are not paid, and what is open of them.
    pub open_bills: i64,
    pub due: Money,
    /// Of it, what was or is to be paid by the end of this day.
    pub due_today: Money,
    pub sms_today: i64,
}

pub(crate) async fn people(tx: &store::db::Tx, actor: &Actor, now: Instant) -> Result<People, store::db::Error> {
    let (isp, branch) = (actor.isp, actor.branch);
    let Standings { all, active, expired, barred, off } = roster::standings(tx, isp, branch, now).await?;
    let suspended = dashboard::suspended(tx, isp, branch).await?;
    let online = dashboard::online(tx, isp, branch).await?;
    Ok(People { all, active, expired, suspended, disabled: barred - suspended, inactive: off, online })
}

pub async fn business(app: &App, actor: &Actor) -> Result<Business, Error> {
    let now = app.clock.now();
    let Today { began, ends, month_began, .. } = Today::of(now, &app.tenant(actor.isp).await?.zone);
    let actor = actor.clone();
    let read = app.db.read(async move |tx| {
        let (isp, branch) = (actor.isp, actor.branch);
        let (open_bills, due) = dashboard::due(tx, isp, branch, None).await?;
        Ok::<_, store::db::Error>(Business {
            people: people(tx, &actor, now).await?,
            new_today: dashboard::newcomers(tx, isp, branch, began).await?,
            new_this_month: dashboard::newcomers(tx, isp, branch, month_began).await?,
            ending_today: dashboard::ending(tx, isp, branch, (now, ends)).await?,
            billed_today: dashboard::billed(tx, isp, branch, began).await?,
            billed_this_month: dashboard::billed(tx, isp, branch, month_began).await?,
            paid_today: dashboard::paid(tx, isp, branch, began).await?,
            paid_this_month: dashboard::paid(tx, isp, branch, month_began).await?,
            open_bills,
            due,
            due_today: dashboard::due(tx, isp, branch, Some(ends)).await?.1,
            sms_today: dashboard::sms_sent(tx, isp, branch, began).await?,
        })
    });
    Ok(read.await?)
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Network {
    pub people: People,
    pub routers: i64,
    /// Silent ones that have reported before.
    pub routers_offline: i64,
    pub olts: i64,
    pub olts_offline: i64,
    pub onus: i64,
    pub onus_offline: i64,
    pub devices: i64,
    pub devices_offline: i64,
    pub top_users: Vec<Heavy>,
}

pub async fn network(app: &App, actor: &Actor) -> Result<Network, Error> {
    let now = app.clock.now();
    let Today { day, .. } = Today::of(now, &app.tenant(actor.isp).await?.zone);
    let reached: Vec<Reached> = reach::routers(app, actor).await?;
    let actor = actor.clone();
    let read = app.db.read(async move |tx| {
        let (isp, branch) = (actor.isp, actor.branch);
        // OLTs and devices are the whole provider's.
        let (olts, olts_offline) = if branch.is_some() { (0, 0) } else { dashboard::plant(tx, isp, "olt").await? };
        let (devices, devices_offline) =
            if branch.is_some() { (0, 0) } else { dashboard::plant(tx, isp, "device").await? };
        let (onus, onus_offline) = dashboard::onus(tx, isp, branch).await?;
        Ok::<_, store::db::Error>(Network {
            people: people(tx, &actor, now).await?,
            routers: reached.len() as i64,
            routers_offline: reached.iter().filter(|router| router.status == "down").count() as i64,
            olts,
            olts_offline,
            onus,
            onus_offline,
            devices,
            devices_offline,
            top_users: dashboard::heaviest(tx, isp, branch, day, TOP).await?,
        })
    });
    Ok(read.await?)
}
