//! What a line has of its own instead of its plan's: rates, and attributes of the reply. Both reach the directory and
//! live sessions at once.

use domain::{
    BandwidthId, CustomerId,
    event::{EventKind, Subject},
};
use serde_json::json;
use store::{
    customer,
    db::Class,
    override_attribute::{self as rows, OverrideAttribute},
    plan,
    service::{self, Attribute, Service},
};

use crate::{Actor, App, Change, Error, Why, attributes::NewAttribute, ids::Table};

/// Gives the customer's primary line rates of its own, or its plan's again.
pub async fn bandwidth(app: &App, actor: &Actor, id: CustomerId, rates: Option<BandwidthId>) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let mut line = primary(change, &who, id).await?;
        if let Some(rates) = rates
            && plan::bandwidth(change.tx, change.isp, rates).await?.is_none()
        {
            return Err(Error::invalid("bandwidth", Why::Unknown));
        }
        if line.bandwidth_id == rates {
            return Ok(());
        }
        line.bandwidth_id = rates;
        line.updated_at = change.now;
        service::update(change.tx, &line).await?;
        follow(change, &line, json!({ "customer": id.0, "bandwidth": rates.map(|id| id.0) })).await
    })
    .await
}

/// Attributes instead of any an earlier override has put there; none takes them away. Attributes added one by one stay.
/// The door that takes them checks them against the dictionary.
pub async fn attributes(app: &App, actor: &Actor, id: CustomerId, wanted: Vec<NewAttribute>) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let line = primary(change, &who, id).await?;
        drop_attributes(change, &line).await?;
        for one in &wanted {
            let row = Attribute {
                isp_id: change.isp,
                id: change.id(Table::Attribute).await?,
                service_id: line.id,
                attribute: one.attribute.trim().into(),
                op: one.op.clone(),
                value: one.value.clone(),
                created_at: change.now,
            };
            row.insert(change.tx).await?;
            OverrideAttribute {
                isp_id: change.isp,
                id: change.id(Table::OverrideAttribute).await?,
                service_id: line.id,
                stage: 1,
                attribute: row.attribute,
                op: row.op,
                value: row.value,
                live_id: Some(row.id),
            }
            .insert(change.tx)
            .await?;
        }
        follow(change, &line, json!({ "customer": id.0, "attributes": wanted.len() })).await
    })
    .await
}

async fn drop_attributes(change: &Change<'_>, line: &Service) -> Result<bool, Error> {
    let old = rows::of_service(change.tx, change.isp, line.id).await?;
    for row in &old {
        if let Some(live) = row.live_id {
            service::remove_attribute(change.tx, change.isp, line.id, live).await?;
        }
    }
    rows::clear(change.tx, change.isp, line.id).await?;
    Ok(!old.is_empty())
}

/// Takes all of a locked line's own away; whoever calls saves the line and orders the network to follow.
pub(crate) async fn clear(change: &Change<'_>, line: &mut Service) -> Result<(), Error> {
    line.bandwidth_id = None;
    drop_attributes(change, line).await?;
    Ok(())
}

pub(crate) async fn primary(change: &Change<'_>, who: &Actor, id: CustomerId) -> Result<Service, Error> {
    let owner = customer::lock(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: "customer" })?;
    who.reaches(owner.branch_id)?;
    let line = service::lock_of_customer(change.tx, change.isp, id).await?.into_iter().next();
    line.ok_or(Error::NotFound { what: "service" })
}

async fn follow(change: &Change<'_>, line: &Service, body: serde_json::Value) -> Result<(), Error> {
    change.event(EventKind::ServiceChanged, Subject::Service(line.id.0), body);
    change.job("network", "converge", change.now, json!({ "service": line.id.0 })).await
}

/// Takes the line's fixed address, its MAC address, or both, away; a line tied to a MAC address learns the next one.
pub async fn release(app: &App, actor: &Actor, id: CustomerId, address: bool, mac: bool) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let before = primary(change, &who, id).await?;
        let mut line = before.clone();
        if address {
            line.address = None;
        }
        if mac {
            line.mac = None;
            line.mac_lock = if line.mac_lock == "locked" { "learn".into() } else { line.mac_lock };
        }
        if line == before {
            return Ok(());
        }
        line.updated_at = change.now;
        service::update(change.tx, &line).await?;
        change.event(EventKind::ServiceChanged, Subject::Service(line.id.0), json!({ "customer": id.0 }));
        let payload = json!({ "service": line.id.0, "disconnect": address && before.address.is_some() });
        change.job("network", "converge", change.now, payload).await
    })
    .await
}
