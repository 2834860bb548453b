//! What staff set on one line by hand: its end, its speed, what its period allows, the device it is bound to.

use domain::{BandwidthId, CustomerId, Instant, Kind, Limit, Mac};
use store::{
    catalogue::plan,
    db::Class,
    people::{
        customer,
        service::{self, Service},
    },
};

use crate::{
    Actor, App, Change, Error, Fact, Refusal, What, Why,
    kernel::{amounts, app::Tenant, hold::primary, work::Work},
    sales::turning,
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Override {
    /// The period ends then, also where that is past; months keep that day from then on. `None`: it has no time.
    End(Option<Instant>),
    /// `None`: the plan's.
    Speed(Option<BandwidthId>),
    /// Online seconds of the running period; `None`: no limit.
    Time(Option<i64>),
    /// Bytes of the running period; `None`: no limit.
    Volume(Option<i64>),
    /// Only this device logs in.
    Device(Mac),
    /// Any device does, or, where the plan locks, the next one is learnt.
    AnyDevice,
}

/// Sets it on the customer's primary line; live sessions follow.
pub async fn put(app: &App, actor: &Actor, id: CustomerId, given: Override) -> Result<(), Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let before = primary(change, &who, id).await?;
        let mut line = before.clone();
        apply(change, &tenant, &mut line, given).await?;
        if line == before {
            return Ok(());
        }
        service::update(change.tx, &line).await?;
        // Another device's session is not the customer's any more.
        let disconnect = matches!(given, Override::Device(_));
        change.order(Work::Converge { line: line.id, disconnect, touched: None }).await
    })
    .await
}

/// Sets it on a line that the caller has locked and saves, and tells it. What is so already changes nothing.
pub(crate) async fn apply(
    change: &Change<'_>,
    tenant: &Tenant,
    line: &mut Service,
    given: Override,
) -> Result<(), Error> {
    let before = line.clone();
    match given {
        Override::End(_) | Override::Speed(_) | Override::Time(_) | Override::Volume(_) => {
            change.by_no_reseller().await?;
        }
        Override::Device(_) | Override::AnyDevice => {}
    }
    match given {
        Override::End(at) => {
            amounts::moment("expires_at", at)?;
            line.expires_at = at;
            line.anchor_day = at.map(|at| i64::from(at.day(&tenant.zone).day()));
            // An end that had come and comes again is no news.
            line.expired_event_at = line.expired_event_at.filter(|_| at <= Some(change.now)).map(|_| change.now);
        }
        Override::Speed(bandwidth) => {
            if let Some(id) = bandwidth
                && plan::bandwidth(change.tx, change.isp, id).await?.is_none()
            {
                return Err(Error::invalid("bandwidth_id", Why::Unknown));
            }
            line.bandwidth_id = bandwidth;
        }
        Override::Time(seconds) => {
            amounts::quotas(("minutes", "megabytes"), Limit { time_s: seconds, data_bytes: None })?;
            line.quota_time_s = seconds;
        }
        Override::Volume(bytes) => {
            amounts::quotas(("minutes", "megabytes"), Limit { time_s: None, data_bytes: bytes })?;
            line.quota_bytes = bytes;
        }
        Override::Device(mac) => (line.mac, line.mac_lock) = (Some(mac.to_string()), "locked".into()),
        Override::AnyDevice => {
            let locks = plan::any(change.tx, change.isp, line.plan_id).await?.is_some_and(|plan| plan.mac_lock);
            (line.mac, line.mac_lock) = (None, if locks { "learn" } else { "off" }.into());
        }
    }
    if line.expires_at == before.expires_at {
        (line.anchor_day, line.expired_event_at) = (before.anchor_day, before.expired_event_at);
    }
    if (line.quota_time_s, line.quota_bytes) != (before.quota_time_s, before.quota_bytes) {
        line.quota_event_ordinal = None;
    }
    if *line == before {
        return Ok(());
    }
    line.updated_at = change.now.max(before.updated_at.plus(1));
    change.tell(Fact::LineChanged { line: line.id, customer: line.customer_id });
    turning::tell(change, &before, line, "set by hand");
    Ok(())
}

/// Ends the live sessions of a PPPoE customer, who may log in again at once.
pub async fn disconnect(app: &App, actor: &Actor, id: CustomerId) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let owner = customer::lock(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
        who.reaches(owner.branch_id)?;
        let lines = service::of_customer(change.tx, change.isp, id).await?;
        if !lines.iter().any(|line| line.kind == Kind::Pppoe) {
            return Err(Error::Refused(Refusal::OnlyPppoe));
        }
        for line in lines.iter().filter(|line| line.kind == Kind::Pppoe) {
            change.order(Work::hang_up(line.id)).await?;
        }
        Ok(())
    })
    .await
}
