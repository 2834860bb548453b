//! What staff set on one line by hand: its end, its speed, what its period allows, the device it is bound to.

use domain::{
    BandwidthId, CustomerId, Instant, Kind, Mac,
    kernel::event::{EventKind, Subject},
};
use serde_json::json;
use store::{
    catalogue::plan,
    db::Class,
    people::{customer, service},
};

use crate::{Actor, App, Error, Refusal, What, Why, kernel::work::Work, resellers::chain};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Override {
    /// The period ends then; in the past means now. Months keep that day from then on.
    End(Instant),
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
        let owner = customer::lock(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
        who.reaches(owner.branch_id)?;
        let line = service::lock_of_customer(change.tx, change.isp, id).await?.into_iter().next();
        let before = line.ok_or(Error::NotFound { what: What::Service })?;
        let mut line = before.clone();
        match given {
            Override::End(_) | Override::Speed(_) | Override::Time(_) | Override::Volume(_) => {
                chain::sells_nothing(change).await?;
            }
            Override::Device(_) | Override::AnyDevice => {}
        }
        match given {
            Override::End(at) => {
                let at = at.max(change.now);
                line.expires_at = Some(at);
                line.expired_event_at = None;
                line.anchor_day = Some(i64::from(at.day(&tenant.zone).day()));
            }
            Override::Speed(bandwidth) => {
                if let Some(id) = bandwidth
                    && plan::bandwidth(change.tx, change.isp, id).await?.is_none()
                {
                    return Err(Error::invalid("bandwidth_id", Why::Unknown));
                }
                line.bandwidth_id = bandwidth;
            }
            Override::Time(seconds) => (line.quota_time_s, line.quota_event_ordinal) = (seconds, None),
            Override::Volume(bytes) => (line.quota_bytes, line.quota_event_ordinal) = (bytes, None),
            Override::Device(mac) => (line.mac, line.mac_lock) = (Some(mac.to_string()), "locked".into()),
            Override::AnyDevice => {
                let locks = plan::any(change.tx, change.isp, line.plan_id).await?.is_some_and(|plan| plan.mac_lock);
                (line.mac, line.mac_lock) = (None, if locks { "learn" } else { "off" }.into());
            }
        }
        if line == before {
            return Ok(());
        }
        line.updated_at = change.now.max(before.updated_at.plus(1));
        service::update(change.tx, &line).await?;
        change.event(EventKind::ServiceChanged, Subject::Service(line.id.0), json!({ "customer": id.0 }));
        // Another device's session is not the customer's any more.
        let disconnect = matches!(given, Override::Device(_));
        change.order(Work::Converge { line: line.id, disconnect: disconnect, touched: None }).await?;
        Ok(())
    })
    .await
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
