//! Many customers at once, for large data sets: a few thousand rows a second, in chunks that let others go first.
//!
//! First periods are complimentary (price zero, no payment, no invoice): money comes with the first real recharge.

use domain::{
    CustomerId, Kind, PeriodId, PlanId, Quota, RouterId, ServiceId, Status,
    kernel::event::{EventKind, Subject},
    sales::sale::{self, Payer, Standing},
};
use serde_json::json;
use store::{
    access::router,
    db::Class,
    people::{
        customer::{self, Customer},
        service::{self, Period, Service},
    },
};

use crate::{
    Actor, App, Error, Why,
    catalogue::plans,
    kernel::{
        ids::Table,
        secrets::{portal_place, secret_place},
    },
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
        let standing = Standing { running: None, quota: Quota::default(), wallet: domain::Money::ZERO };
        let terms = plans::terms(&offer.version);
        let anyone = CustomerId(first_customer);
        let sale = sale::recharge(change.now, anyone, &standing, &terms, &Payer::Complimentary, &tenant.zone)
            .map_err(|_| Error::Internal("a gift was refused".into()))?;
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
            line.period_ordinal = 1;
            line.period_started_at = Some(change.now);
            line.expires_at = Some(sale.term.expires_at);
            line.anchor_day = sale.term.anchor_day.map(i64::from);
            line.quota_time_s = sale.quota.limit.time_s;
            line.quota_bytes = sale.quota.limit.data_bytes;
            people.push((person, Some(line)));
            periods.push(
                Period {
                    isp_id: change.isp,
                    id: PeriodId(first_period + at),
                    service_id: *id,
                    ordinal: 1,
                    customer_id: *owner,
                    plan_id: offer.plan.id,
                    plan_version: offer.version.version,
                    starts_at: sale.term.starts_at,
                    ends_at: sale.term.expires_at,
                    price: domain::Money::ZERO,
                    reason: "complimentary".into(),
                    invoice_id: None,
                    created_at: change.now,
                }
                .values(),
            );
            change.event(
                EventKind::CustomerCreated,
                Subject::Customer(owner.0),
                json!({ "username": row.username.trim() }),
            );
            let sold = json!({
                "customer": owner.0, "plan": plan.0, "period": first_period + at,
                "expires_at": sale.term.expires_at.0, "amount": 0, "before": "new"
            });
            change.event(EventKind::ServiceRecharged, Subject::Service(id.0), sold);
        }
        customer::insert(change.tx, change.isp, people).await.map_err(taken)?;
        change.tx.insert_many(Period::INSERT, "", periods).await?;
        Ok(())
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
