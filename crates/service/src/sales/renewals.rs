//! Renewal from the wallet, in the change that brings the money, and every minute for what else has changed (docs/readings.md 3.4).
//! Those whose money is there when their time is up are renewed by [`expiry`](crate::sales::expiry) in that second. A line renews
//! itself where it, its package and its salesperson are all set to.

use domain::{CustomerId, IspId, PlanId, ServiceId, access::decide::Reason, kernel::clock::MINUTE, sales::sale::Payer};
use store::{
    catalogue::plan,
    customers::subscriber,
    db::Class,
    identity::staff,
    people::{
        customer, profile,
        service::{self, Service},
    },
};

use crate::{
    Actor, App, Change, Error,
    billing::receipts::Details,
    catalogue::plans,
    kernel::app::Tenant,
    sales::{
        recharge::{Wanted, sell, sell_to},
        sale::save,
    },
};

/// How many one look takes.
const BATCH: i64 = 500;
/// Nothing is renewed twice within this.
const APART: i64 = 2 * MINUTE;

/// Renews whoever can pay; how many there were.
pub async fn run(app: &App) -> Result<usize, Error> {
    let (mut done, mut after) = (0, (IspId(0), ServiceId(0)));
    loop {
        let now = app.clock.now();
        let found = app.db.read(async move |tx| subscriber::renewable(tx, now, after, BATCH).await).await?;
        let Some(last) = found.last().copied() else { return Ok(done) };
        for (isp, id) in found {
            match renew(app, isp, id).await {
                Ok(renewed) => done += usize::from(renewed),
                Err(error @ (Error::Unavailable | Error::Busy)) => return Err(error),
                // One line's fault holds up nobody else's renewal.
                Err(error) => tracing::error!(%error, isp = isp.0, service = id.0, "a line cannot be renewed"),
            }
        }
        after = last;
    }
}

async fn renew(app: &App, isp: IspId, id: ServiceId) -> Result<bool, Error> {
    let tenant = app.tenant(isp).await?;
    let answer = app
        .change(&Actor::system(isp), Class::Bulk, async move |change| {
            let Some(seen) = service::find(change.tx, isp, id).await? else { return Ok(false) };
            if customer::lock(change.tx, isp, seen.customer_id).await?.is_none() {
                return Ok(false);
            }
            let lines = service::lock_of_customer(change.tx, isp, seen.customer_id).await?;
            let Some(mut line) = lines.into_iter().find(|line| line.id == id) else { return Ok(false) };
            if line.off(change.now) != Some(Reason::Expired) || !is_allowed(change, &line).await? {
                return Ok(false);
            }
            let offer = plans::offer(change, line.plan_id).await?;
            sell(change, &tenant, &mut line, &offer, &Payer::Wallet).await?;
            save(change, &line).await?;
            Ok(true)
        })
        .await;
    match answer {
        // Not enough yet, or nothing to renew with.
        Err(Error::Insufficient { .. } | Error::NotFound { .. }) => Ok(false),
        answer => answer,
    }
}

/// Renews lines of a customer, who is locked, whose time is over and who renew themselves: its money has just come. As far
/// as that reaches; it is the customer's, whoever took it.
pub(crate) async fn from_wallet(change: &Change<'_>, tenant: &Tenant, customer: CustomerId) -> Result<(), Error> {
    for mut line in service::lock_of_customer(change.tx, change.isp, customer).await? {
        if line.off(change.now) != Some(Reason::Expired) || !is_set_to(change, &line).await? {
            continue;
        }
        let offer = match plans::offer(change, line.plan_id).await {
            Err(Error::NotFound { .. }) => continue,
            offer => offer?,
        };
        let (details, wanted) = (Details::default(), Wanted::next(change.now));
        match sell_to(change, tenant, &mut line, &offer, Payer::Wallet, &details, wanted).await {
            Err(Error::Insufficient { .. }) => continue,
            made => made?,
        };
        save(change, &line).await?;
    }
    Ok(())
}

/// Whether a line renews itself now: it is set to, and nothing was sold to it a moment ago.
pub(crate) async fn is_allowed(change: &Change<'_>, line: &Service) -> Result<bool, Error> {
    if !is_set_to(change, line).await? {
        return Ok(false);
    }
    let newest = service::last_periods(change.tx, change.isp, &[line.id]).await?;
    Ok(newest.iter().all(|period| change.now.since(period.created_at) >= APART))
}

/// Whether a line renews itself: it, its plan, which is for sale, and its salesperson, who is at work, are set to.
async fn is_set_to(change: &Change<'_>, line: &Service) -> Result<bool, Error> {
    if !line.auto_renew || plan::renews(change.tx, change.isp, line.plan_id).await? != Some(true) {
        return Ok(false);
    }
    let profile = profile::find(change.tx, change.isp, line.customer_id).await?;
    let Some(seller) = profile.and_then(|profile| profile.salesperson_id) else { return Ok(true) };
    let at_work = staff::find(change.tx, change.isp, seller).await?.is_some_and(|person| person.status == "active");
    Ok(at_work && staff::renews(change.tx, change.isp, seller).await? == Some(true))
}

/// The plans whose lines never renew by themselves.
pub async fn plans_without(app: &App, actor: &Actor) -> Result<Vec<PlanId>, Error> {
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| plan::without_renewal(tx, isp).await).await?)
}
