//! Vouchers that log in: a hotspot device sends the code as its name. The RADIUS side keeps the codes in memory and
//! decides from there; the first use is written here a moment later, once per device however often it is told.

use domain::{
    CustomerId, Instant, IspId, Mac, PlanId, Quota, RouterId, ServiceId, Status,
    catalogue::validity,
    kernel::{
        clock::{MINUTE, SECOND},
        event::{EventKind, Subject},
    },
    sales::sale::Payer,
};
use serde_json::json;
use store::{
    db::Class,
    people::{
        customer::{self, Customer},
        service::{self, Service},
    },
    sales::voucher::{self, Use, Voucher},
};

use crate::{
    Actor, App, Change, Error, Refusal, What,
    access::directory::World,
    billing::receipts::Details,
    catalogue::plans,
    kernel::{ids::Table, work::Work},
    sales::recharge::{Wanted, sell_as},
};

/// A live voucher as a login meets it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Code {
    pub voucher: i64,
    /// As it is printed; compared without case.
    pub code: Box<str>,
    pub plan: PlanId,
    pub clients: i64,
    pub used: i64,
}

/// A device that has used a voucher, with the line made for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    pub voucher: i64,
    pub client: Box<str>,
    pub service: ServiceId,
}

/// The lower-cased code of a voucher with what is to be known of it; no `code`: it is deleted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    pub isp: IspId,
    pub voucher: i64,
    pub key: Box<str>,
    pub code: Option<Code>,
    pub holders: Vec<Holder>,
}

impl Known {
    fn of(row: Voucher) -> Known {
        let key = row.code.to_lowercase().into();
        let code =
            Code { voucher: row.id, code: row.code.into(), plan: row.plan_id, clients: row.clients, used: row.used };
        let code = row.code_key.is_some().then_some(code);
        Known { isp: row.isp_id, voucher: row.id, key, code, holders: Vec::new() }
    }
}

/// Live vouchers after `(isp, voucher)`; an empty page is the end.
pub async fn live_after(app: &App, after: (IspId, i64), limit: i64) -> Result<Vec<Known>, Error> {
    let rows = app.db.read(async move |tx| voucher::live_after(tx, after.0, after.1, limit).await).await?;
    Ok(rows.into_iter().map(Known::of).collect())
}

/// Who holds what, after `(isp, voucher, use)`: with each the place to go on from. An empty page is the end.
pub async fn holders_after(
    app: &App,
    after: (IspId, i64, i64),
    limit: i64,
) -> Result<Vec<((IspId, i64, i64), Box<str>, Holder)>, Error> {
    let rows = app.db.read(async move |tx| voucher::uses_after(tx, after, limit).await).await?;
    let row =
        |(row, code): (Use, String)| ((row.isp_id, row.voucher_id, row.ordinal), code.into_boxed_str(), holder(row));
    Ok(rows.into_iter().map(row).collect())
}

fn holder(row: Use) -> Holder {
    Holder { voucher: row.voucher_id, client: row.client.into(), service: row.service_id }
}

/// These vouchers as they are now.
pub async fn read(app: &App, isp: IspId, ids: Vec<i64>) -> Result<Vec<Known>, Error> {
    let (rows, uses) = app
        .db
        .read(async move |tx| {
            Ok::<_, Error>((voucher::some(tx, isp, &ids).await?, voucher::uses_of(tx, isp, &ids).await?))
        })
        .await?;
    let mut known: Vec<Known> = rows.into_iter().map(Known::of).collect();
    for (row, _) in uses {
        if let Some(known) = known.iter_mut().find(|known| known.voucher == row.voucher_id) {
            known.holders.push(holder(row));
        }
    }
    Ok(known)
}

/// What a voucher of this plan gives from `now` on; `None`: the plan is no longer sold.
pub fn first_period(world: &World, isp: IspId, plan: PlanId, now: Instant) -> Option<(Instant, Quota)> {
    let (terms, zone) = (world.terms.get(&(isp, plan))?, world.zones.get(&isp)?);
    let term = validity::next_term(now, None, terms.validity, zone);
    Some((term.expires_at, Quota { limit: terms.limit, ..Quota::default() }))
}

/// A device let in by a voucher.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FirstUse {
    pub isp: IspId,
    /// Lower-cased.
    pub key: Box<str>,
    /// The login's name as sessions compare it: the code, perhaps with a realm.
    pub name: Box<str>,
    /// Its MAC address, or what else tells it apart.
    pub client: Box<str>,
    pub mac: Option<Mac>,
    pub router: RouterId,
}

/// Redeems a voucher for a device: a line of its own, sold one period of the voucher's plan that starts now. The same
/// device again changes nothing.
///
/// # Errors
/// `NotFound` when the voucher is gone, `Refused` when it has been used as often as it can be.
pub async fn first_use(app: &App, first: FirstUse) -> Result<ServiceId, Error> {
    let tenant = app.tenant(first.isp).await?;
    app.change(&Actor::system(first.isp), Class::Interactive, async move |change| {
        // Whoever changes a customer locks the customer first: whose it is is read before the voucher is locked.
        let unlocked = voucher::by_code(change.tx, change.isp, &first.key).await?;
        let owner = match unlocked.and_then(|row| row.customer_id) {
            Some(id) => customer::lock(change.tx, change.isp, id).await?,
            None => None,
        };
        let found = voucher::lock_by_code(change.tx, change.isp, &first.key).await?;
        let mut row = found.ok_or(Error::NotFound { what: What::Voucher })?;
        if let Some(before) = voucher::use_by(change.tx, change.isp, row.id, &first.client).await? {
            return Ok(before.service_id);
        }
        if row.used >= row.clients {
            return Err(Error::Refused(Refusal::VoucherUsed));
        }
        let offer = match plans::offer(change, row.plan_id).await {
            Err(Error::NotFound { .. }) => return Err(Error::Refused(Refusal::VoucherPlanGone)),
            offer => offer?,
        };
        row.used += 1;
        let name = format!("voucher-{}-{}", row.id, row.used);
        let ordinal = match &owner {
            Some(owner) => {
                service::of_customer(change.tx, change.isp, owner.id).await?.last().map_or(1, |line| line.ordinal + 1)
            }
            None => 1,
        };
        let person = match &owner {
            Some(_) => None,
            None => Some(bearer(change, &row, &name).await?),
        };
        let customer_id = match (&owner, &person) {
            (Some(owner), _) => owner.id,
            (None, Some(person)) => person.id,
            (None, None) => return Err(Error::Internal("a voucher without a bearer".into())),
        };
        let mut line = line(change, &row, &first, customer_id, ordinal, name).await?;
        let (details, wanted) = (Details::default(), Wanted::first(change.now));
        sell_as(change, &tenant, &mut line, &offer, &Payer::Voucher, &details, wanted).await?;
        match person {
            Some(person) => {
                let body = json!({ "username": person.username });
                change.event(EventKind::CustomerCreated, Subject::Customer(person.id.0), body);
                customer::insert(change.tx, change.isp, vec![(person, Some(line.clone()))]).await?;
            }
            None => voucher::add_line(change.tx, &line).await?,
        }
        row.last_client = Some(first.client.to_string());
        row.last_used_at = Some(change.now);
        voucher::mark_used(change.tx, &row).await?;
        Use {
            isp_id: change.isp,
            voucher_id: row.id,
            ordinal: row.used,
            customer_id,
            service_id: line.id,
            client: first.client.to_string(),
            used_at: change.now,
        }
        .insert(change.tx)
        .await?;
        let body = json!({ "voucher": row.id, "use": row.used, "client": first.client });
        change.event(EventKind::VoucherUsed, Subject::Customer(customer_id.0), body);
        Ok(line.id)
    })
    .await
}

/// When the session of a device that should not have been let in is looked for: its Start may come before the refusal, a
/// moment after it, or be lost, so that an interim report tells of it.
const TURNED_AWAY: [i64; 4] = [0, 10 * SECOND, MINUTE, 6 * MINUTE];

/// A device was let in by a code from memory, and the database has refused the use: another node gave it away at the same
/// moment, or the voucher was withdrawn. Orders its session to end.
pub async fn turn_away(app: &App, first: &FirstUse) -> Result<(), Error> {
    let work = Work::TurnAway { name: first.name.to_string(), mac: first.mac.map(|mac| mac.to_string()) };
    app.change(&Actor::system(first.isp), Class::Interactive, async move |change| {
        for after in TURNED_AWAY {
            change.order_at(change.now.plus(after), work.clone()).await?;
        }
        Ok(())
    })
    .await
}

/// Whether [`first_use`] has said that the device may not have it, rather than that it could not find out.
pub fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::NotFound { .. } | Error::Refused(_))
}

/// Nobody knows who bought it: the voucher stands for the person.
async fn bearer(change: &Change<'_>, row: &Voucher, name: &str) -> Result<Customer, Error> {
    Ok(Customer::new(customer::New {
        isp: change.isp,
        id: CustomerId(change.id(Table::Customer).await?),
        branch: None,
        username: name.into(),
        portal_secret: None,
        full_name: format!("Voucher {}", row.code),
        phone: String::new(),
        email: None,
        address: None,
        building: None,
        at: change.now,
    }))
}

/// The device's line. It has no password: only the code leads to it, and only from this device.
async fn line(
    change: &Change<'_>,
    row: &Voucher,
    first: &FirstUse,
    customer_id: CustomerId,
    ordinal: i64,
    name: String,
) -> Result<Service, Error> {
    Ok(Service::new(service::New {
        isp: change.isp,
        id: ServiceId(change.id(Table::Service).await?),
        customer: customer_id,
        ordinal,
        kind: row.kind,
        status: Status::Active,
        reason: Some("voucher".into()),
        username: name,
        secret: None,
        plan: row.plan_id,
        plan_version: 0,
        router: first.router,
        address: None,
        mac: first.mac,
        tied: first.mac.is_some(),
        at: change.now,
    }))
}
