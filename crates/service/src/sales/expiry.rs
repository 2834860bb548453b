//! When time is up: renew from the wallet where that is wished and covered, else say so and let the network follow.

use domain::{IspId, ServiceId, sales::sale::Payer};
use store::{
    db::Class,
    people::{
        customer,
        service::{self, quota},
    },
};

use crate::{
    Actor, App, Error, Fact,
    catalogue::plans,
    sales::{recharge::sell, renewals, sale::save},
};

/// How many services one look takes.
const BATCH: i64 = 500;
/// How many of one tenant share a transaction.
const CHUNK: usize = 50;

/// Acts on every expiry that is due; how many there were.
pub async fn run(app: &App) -> Result<usize, Error> {
    // What moves at the end of its period is moved before that period is renewed; what was ordered comes before what
    // renews itself.
    let mut acted = crate::sales::moves::run(app).await?;
    acted += crate::sales::renewal_orders::run(app).await?;
    acted += crate::sales::starts::run(app).await?;
    loop {
        let now = app.clock.now();
        let due = app.db.read(async move |tx| service::due(tx, now, BATCH).await).await?;
        if due.is_empty() {
            return Ok(acted);
        }
        let mut done = 0;
        let mut rest = &due[..];
        while let Some((isp, _)) = rest.first() {
            let same = rest.iter().take(CHUNK).take_while(|(other, _)| other == isp).count();
            let (chunk, later) = rest.split_at(same);
            done += expire_each(app, *isp, chunk.iter().map(|(_, id)| *id).collect()).await?;
            rest = later;
        }
        acted += done;
        if done == 0 {
            // What is left cannot be acted on: the next turn looks again.
            return Ok(acted);
        }
    }
}

/// A chunk in one transaction. Where one service has a fault of its own it holds up nobody: the chunk is taken apart, and
/// what cannot be renewed expires.
async fn expire_each(app: &App, isp: IspId, services: Vec<ServiceId>) -> Result<usize, Error> {
    match expire(app, isp, services.clone(), true).await {
        Err(Error::Unavailable) => return Err(Error::Unavailable),
        Err(Error::Busy) => return Err(Error::Busy),
        Err(error) => tracing::error!(%error, isp = isp.0, "an expiry failed; taking the services one by one"),
        done => return done,
    }
    let mut done = 0;
    for id in services {
        done += match expire(app, isp, vec![id], true).await {
            Ok(one) => one,
            Err(error) => {
                tracing::error!(%error, service = id.0, "a service cannot be renewed: it expires");
                expire(app, isp, vec![id], false).await.unwrap_or_else(|error| {
                    tracing::error!(%error, service = id.0, "a service cannot be expired");
                    0
                })
            }
        };
    }
    Ok(done)
}

/// How many of them were due.
async fn expire(app: &App, isp: IspId, services: Vec<ServiceId>, renew: bool) -> Result<usize, Error> {
    let tenant = app.tenant(isp).await?;
    app.change(&Actor::system(isp), Class::Bulk, async move |change| {
        let mut done = 0;
        for id in &services {
            let Some(seen) = service::find(change.tx, isp, *id).await? else { continue };
            // The customer first, then its lines: the order in which everybody locks.
            if customer::lock(change.tx, isp, seen.customer_id).await?.is_none() {
                continue;
            }
            let lines = service::lock_of_customer(change.tx, isp, seen.customer_id).await?;
            let Some(mut line) = lines.into_iter().find(|line| line.id == *id) else { continue };
            // A payment may have come first.
            if line.expired_event_at.is_some() || line.expires_at.is_none() || line.time_left(change.now).is_some() {
                continue;
            }
            done += 1;
            if renew
                && domain::access::decide::barred(line.status).is_none()
                && renewals::is_allowed(change, &line).await?
                && let Ok(offer) = plans::offer(change, line.plan_id).await
            {
                match sell(change, &tenant, &mut line, &offer, &Payer::Wallet).await {
                    Ok(_) => {
                        save(change, &line).await?;
                        continue;
                    }
                    Err(Error::Insufficient { .. }) => {}
                    Err(other) => return Err(other),
                }
            }
            line.expired_event_at = Some(change.now);
            line.updated_at = change.now;
            save(change, &line).await?;
            change.tell(Fact::ServiceExpired {
                line: *id,
                customer: line.customer_id,
                expired_at: line.expires_at,
                status: Some(line.status),
                used_up: Some(quota(&line).is_used_up()),
            });
        }
        Ok(done)
    })
    .await
}
