//! Many customers at once, for large data sets: a few thousand rows a second, in chunks that let others go first.
//!
//! First periods are complimentary (price zero, no payment, no invoice): money comes with the first real recharge.

use std::sync::Arc;

use domain::{CustomerId, Kind, PeriodId, PlanId, RouterId, ServiceId, Status};
use store::{
    access::router,
    db::Class,
    people::{customer, service},
};

use super::{
    beside::Beside,
    create::{First, Line, New, Owner, Person, create_all, sealed},
};
use crate::{Actor, App, Error, Fact, Why, catalogue::plans, kernel::ids::Table};

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
    let secrets: Vec<(Vec<u8>, Vec<u8>)> = rows
        .iter()
        .zip(0..)
        .map(|(row, at)| {
            let (customer, line) = (CustomerId(first_customer + at), ServiceId(first_service + at));
            sealed(&app.vault, (customer, &row.password), (line, &row.password))
        })
        .collect();
    let branch = actor.branch;
    app.change(actor, Class::Bulk, async move |change| {
        let offer = Arc::new(plans::offer(change, plan).await.map_err(|_| Error::invalid("plan", Why::Unknown))?);
        if router::find(change.tx, change.isp, router).await?.is_none() {
            return Err(Error::invalid("router", Why::Unknown));
        }
        let all = rows.iter().zip(&secrets).zip(0..).map(|((row, (portal, network)), at)| New {
            owner: Owner::New(Person {
                id: CustomerId(first_customer + at),
                branch,
                username: row.username.clone(),
                portal_secret: Some(portal.clone()),
                full_name: row.full_name.clone(),
                phone: row.phone.clone(),
                email: None,
                address: None,
                building: None,
            }),
            line: Line {
                id: ServiceId(first_service + at),
                ordinal: 1,
                kind,
                status: Status::Active,
                reason: "created",
                username: row.username.clone(),
                secret: Some(network.clone()),
                offer: offer.clone(),
                router,
                ip: None,
                mac: None,
                tied: offer.plan.mac_lock,
                starts_at: None,
            },
            first: First::Opened { period: PeriodId(first_period + at), ends_at: None, reason: "complimentary" },
            beside: Beside::default(),
        });
        create_all(change, &tenant, all.collect()).await.map(drop)
    })
    .await
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
            change.tell(Fact::LineChanged { line: *id, customer: *customer });
        }
        Ok(ended.len() as u64)
    })
    .await
}
