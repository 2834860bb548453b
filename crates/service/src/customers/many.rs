//! Many customers at once, for large data sets: a few thousand rows a second, in chunks that let others go first.
//!
//! First periods are complimentary (price zero, no payment, no invoice): money comes with the first real recharge.

use domain::{
    CustomerId, Kind, PeriodId, PlanId, RouterId, ServiceId, Status,
    kernel::event::{EventKind, Subject},
};
use serde_json::json;
use store::{
    access::router,
    db::Class,
    people::{
        customer::{self, Customer},
        service::{self, Service},
    },
};

use crate::{
    Actor, App, Error, Why,
    catalogue::plans,
    kernel::{
        ids::Table,
        secrets::{portal_place, secret_place},
    },
    sales::sale::{Opening, insert, opened},
};

/// How many customers share a transaction.
const CHUNK: usize = 250;

/// Customers of one plan on one router.
#[derive(Clone, Debug)]
pub struct Many {
    pub plan: PlanId,
    pub router: RouterId,
    pub kind: Kind,
    pub rows: Vec<Row>,
}

/// The account's name and password are the line's too.
#[derive(Clone, Debug)]
pub struct Row {
    pub full_name: String,
    pub phone: String,
    pub username: String,
    pub password: String,
}

/// Creates all of them, chunk by chunk; a chunk is whole or not there at all.
pub async fn create_many(app: &App, actor: &Actor, command: Many) -> Result<(), Error> {
    actor.writes()?;
    let mut rows = command.rows;
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(CHUNK));
        create_chunk(app, actor, command.plan, command.router, command.kind, rows).await?;
        rows = rest;
    }
    Ok(app.db.tx(Class::Bulk, async |tx| customer::refresh_statistics(tx).await).await?)
}

async fn create_chunk(
    app: &App,
    actor: &Actor,
    plan: PlanId,
    router: RouterId,
    kind: Kind,
    rows: Vec<Row>,
) -> Result<(), Error> {
    let tenant = app.tenant(actor.isp).await?;
    let count = rows.len() as i64;
    let first_customer = app.new_ids(Table::Customer, count).await?;
    let first_service = app.new_ids(Table::Service, count).await?;
    let first_period = app.new_ids(Table::Period, count).await?;
    // Sealed before the transaction: it holds the writer no longer than its rows need.
    let sealed: Vec<(CustomerId, Vec<u8>, ServiceId, Vec<u8>)> = rows
        .iter()
        .zip(0..)
        .map(|(row, at)| {
            let (customer, service) = (CustomerId(first_customer + at), ServiceId(first_service + at));
            let portal = app.vault.seal(&portal_place(customer), &row.password);
            let network = app.vault.seal(&secret_place(service), &row.password);
            (customer, portal, service, network)
        })
        .collect();
    let branch_id = actor.branch;
    app.change(actor, Class::Bulk, async move |change| {
        let offer = plans::offer(change, plan).await.map_err(|_| Error::invalid("plan", Why::Unknown))?;
        if router::find(change.tx, change.isp, router).await?.is_none() {
            return Err(Error::invalid("router", Why::Unknown));
        }
        let (mut people, mut periods) = (Vec::new(), Vec::new());
        for ((row, (owner, portal, id, secret)), at) in rows.iter().zip(&sealed).zip(0..) {
            let person = Customer::new(customer::New {
                isp: change.isp,
                id: *owner,
                branch: branch_id,
                username: row.username.clone(),
                portal_secret: Some(portal.clone()),
                full_name: row.full_name.clone(),
                phone: row.phone.clone(),
                email: None,
                address: None,
                building: None,
                at: change.now,
            });
            let mut line = Service::new(service::New {
                isp: change.isp,
                id: *id,
                customer: *owner,
                ordinal: 1,
                kind,
                status: Status::Active,
                reason: Some("created".into()),
                username: row.username.clone(),
                secret: Some(secret.clone()),
                plan: offer.plan.id,
                plan_version: offer.version.version,
                router,
                address: None,
                mac: None,
                tied: offer.plan.mac_lock,
                at: change.now,
            });
            change.event(
                EventKind::CustomerCreated,
                Subject::Customer(owner.0),
                json!({ "username": row.username.trim() }),
            );
            let opening =
                Opening { id: PeriodId(first_period + at), ends_at: None, limit: None, reason: "complimentary" };
            periods.push(opened(change, &tenant, &mut line, &offer, opening));
            people.push((person, Some(line)));
        }
        customer::insert(change.tx, change.isp, people).await.map_err(taken)?;
        insert(change, periods).await
    })
    .await
}

fn taken(error: store::db::Error) -> Error {
    match error {
        store::db::Error::Taken(store::db::Key::CustomerUsername | store::db::Key::ServiceUsername) => {
            Error::invalid("username", Why::Taken)
        }
        other => other.into(),
    }
}

/// The greatest username between two, both in the form names are compared in: where a numbered series continues.
pub async fn last_username(app: &App, actor: &Actor, from: &str, below: &str) -> Result<Option<String>, Error> {
    let (isp, from, below) = (actor.isp, from.to_string(), below.to_string());
    Ok(app.db.read(async move |tx| store::people::customer::last_username(tx, isp, &from, &below).await).await?)
}

/// Ends the running period of up to `limit` lines between two usernames now, so that their expiry is due: a data set's
/// burst of expiries. How many there were.
pub async fn end_periods(app: &App, actor: &Actor, from: &str, below: &str, limit: i64) -> Result<u64, Error> {
    actor.writes()?;
    let (from, below) = (from.to_string(), below.to_string());
    app.change(actor, Class::Bulk, async move |change| {
        let ended = service::end_periods(change.tx, change.isp, &from, &below, limit, change.now).await?;
        for (id, customer) in &ended {
            change.event(EventKind::ServiceChanged, Subject::Service(id.0), json!({ "customer": customer.0 }));
        }
        Ok(ended.len() as u64)
    })
    .await
}
