//! The office's lists: invoices and payments with whose they are and who took the money, packages with their lines, people
//! with what they hold; and what a month comes to. Whoever sees one branch sees its own.

use std::collections::HashMap;

use domain::{
    CustomerId, Instant, InvoiceId, Money, PaymentId, PlanId, StaffId,
    billing::bill::BillStatus,
    kernel::{calendar::Today, clock::DAY},
};
use store::{
    billing::{
        invoice::{Invoice, Payment},
        invoice_sale,
    },
    catalogue::plan,
    db::Tx,
    reports::{books as rows, dashboard},
    sales::period_part,
};

pub use store::reports::books::InvoiceFilter;

use crate::{
    Actor, App, Error, Staff, What,
    billing::payments,
    customers::{
        card::Parts,
        lists,
        subscribers::{Filter, State},
    },
    reports::dashboard::{People, people},
};

/// How an invoice came to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A period was sold, or is when it is paid.
    Sale,
    /// Written by hand or by the billing of the month: it moved no period.
    Bill,
    /// A package was changed in the middle of a period.
    Migration,
}

#[derive(Clone, Debug)]
pub struct Invoiced {
    pub invoice: Invoice,
    pub username: String,
    pub full_name: String,
    pub origin: Origin,
    /// `None` while something is due.
    pub paid_at: Option<Instant>,
}

/// A page, the newest first, and how many there are in all.
pub async fn invoices(
    app: &App,
    actor: &Actor,
    filter: InvoiceFilter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Invoiced>, i64), Error> {
    let (isp, filter) = (actor.isp, InvoiceFilter { branch: actor.branch.or(filter.branch), ..filter });
    app.db
        .read(async move |tx| {
            let (found, total) = rows::invoices(tx, isp, &filter, offset, limit).await?;
            Ok((invoiced(tx, isp, found).await?, total))
        })
        .await
}

pub async fn invoice(app: &App, actor: &Actor, id: InvoiceId) -> Result<Invoiced, Error> {
    const NONE: Error = Error::NotFound { what: What::Bill };
    let shown = crate::billing::invoices::show(app, actor, id).await?;
    let isp = actor.isp;
    let one = app.db.read(async move |tx| invoiced(tx, isp, vec![shown.bill.clone()]).await).await?.pop();
    one.ok_or(NONE)
}

async fn invoiced(tx: &Tx, isp: domain::IspId, found: Vec<Invoice>) -> Result<Vec<Invoiced>, Error> {
    let ids: Vec<InvoiceId> = found.iter().map(|row| row.id).collect();
    let owners: Vec<CustomerId> = found.iter().map(|row| row.customer_id).collect();
    let names = rows::names(tx, isp, &owners).await?;
    let paid = rows::paid_at(tx, isp, &ids).await?;
    let selling = invoice_sale::among(tx, isp, &ids).await?;
    let reasons: HashMap<InvoiceId, String> = period_part::reasons(tx, isp, &ids).await?.into_iter().collect();
    let of = |invoice: Invoice| {
        let (username, full_name) = names.get(&invoice.customer_id).cloned().unwrap_or_default();
        let origin = match reasons.get(&invoice.id).map(String::as_str) {
            // A bill of a package: paying it sells the period.
            None if selling.contains(&invoice.id) => Origin::Sale,
            None => Origin::Bill,
            Some(crate::sales::sale::MIGRATED) => Origin::Migration,
            Some(_) => Origin::Sale,
        };
        // What a wallet paid was paid when the invoice last changed.
        let is_paid = invoice.status == BillStatus::Paid;
        let paid_at = is_paid.then(|| paid.get(&invoice.id).copied().unwrap_or(invoice.updated_at));
        Invoiced { invoice, username, full_name, origin, paid_at }
    };
    Ok(found.into_iter().map(of).collect())
}

#[derive(Clone, Debug)]
pub struct Received {
    pub payment: Payment,
    pub username: String,
    pub full_name: String,
    /// Who entered it: a person's name, else `api:7`, `system`.
    pub by: Option<String>,
}

/// A page, the newest first, and how many there are in all.
pub async fn payments(
    app: &App,
    actor: &Actor,
    wanted: payments::Wanted,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Received>, i64), Error> {
    let (found, total) = payments::page(app, actor, wanted, offset, limit).await?;
    Ok((received(app, actor, found).await?, total))
}

pub async fn payment(app: &App, actor: &Actor, id: PaymentId) -> Result<Received, Error> {
    let found = payments::show(app, actor, id).await?;
    received(app, actor, vec![found]).await?.pop().ok_or(Error::NotFound { what: What::Payment })
}

async fn received(app: &App, actor: &Actor, found: Vec<Payment>) -> Result<Vec<Received>, Error> {
    let isp = actor.isp;
    app.db
        .read(async move |tx| {
            let owners: Vec<CustomerId> = found.iter().map(|row| row.customer_id).collect();
            let names = rows::names(tx, isp, &owners).await?;
            let takers = rows::takers(tx, isp, &found).await?;
            let person = |label: &str| label.strip_prefix("staff:").and_then(|id| id.parse().ok()).map(StaffId);
            let mut ids: Vec<StaffId> = takers.values().filter_map(|label| person(label)).collect();
            ids.sort_unstable();
            ids.dedup();
            let people = store::customers::subscriber::staff(tx, isp, &ids).await?;
            let called = |label: &String| {
                let known = person(label).and_then(|id| people.iter().find(|person| person.id == id));
                known.map_or_else(|| label.clone(), |person| person.name.clone())
            };
            let of = |payment: &Payment| {
                let (username, full_name) = names.get(&payment.customer_id).cloned().unwrap_or_default();
                Received { by: takers.get(&payment.id).map(called), payment: payment.clone(), username, full_name }
            };
            Ok(found.iter().map(of).collect())
        })
        .await
}

/// Subscribers by what they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Subscribers {
    pub people: People,
    pub pending: i64,
    pub ending_today: i64,
    /// Within seven days from now.
    pub ending_this_week: i64,
}

pub async fn subscribers(app: &App, actor: &Actor) -> Result<Subscribers, Error> {
    let now = app.clock.now();
    let today = Today::of(now, &app.tenant(actor.isp).await?.zone);
    let count =
        async |filter: Filter| lists::by_profile(app, actor, filter, (0, 1), Parts::NONE).await.map(|(_, total)| total);
    let pending = count(Filter { state: Some(State::Pending), ..Filter::default() }).await?;
    let ending_this_week = count(Filter { ends_within: Some(7 * DAY), ..Filter::default() }).await?;
    let actor = actor.clone();
    let read = app.db.read(async move |tx| {
        let ending = dashboard::ending(tx, actor.isp, actor.branch, (now, today.ends)).await?;
        Ok::<_, store::db::Error>((people(tx, &actor, now).await?, ending))
    });
    let (people, ending_today) = read.await?;
    Ok(Subscribers { people, pending, ending_today, ending_this_week })
}

/// What the office has taken and is owed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Figures {
    pub paid_today: Money,
    pub paid_this_month: Money,
    pub outstanding: Money,
    pub invoices: i64,
    pub paid: i64,
    /// Wholly or in part.
    pub unpaid: i64,
    /// The only expense that the books know: commissions on cards. They are the whole Isp's.
    pub expenses: Option<Money>,
    /// This month's invoices without tax, less credit notes and expenses.
    pub net: Money,
}

pub async fn figures(app: &App, actor: &Actor) -> Result<Figures, Error> {
    let now = app.clock.now();
    let today = Today::of(now, &app.tenant(actor.isp).await?.zone);
    let (isp, branch) = (actor.isp, actor.branch);
    let read = app.db.read(async move |tx| {
        let counts = rows::counts(tx, isp, branch).await?;
        let of = |status| counts.iter().find(|(known, _)| *known == status).map_or(0, |(_, count)| *count);
        let expenses = match branch {
            Some(_) => None,
            None => Some(rows::commissions(tx, isp, today.month_began).await?),
        };
        let earned = rows::earned(tx, isp, branch, today.month_began).await?;
        Ok::<_, store::db::Error>(Figures {
            paid_today: dashboard::paid(tx, isp, branch, today.began).await?,
            paid_this_month: dashboard::paid(tx, isp, branch, today.month_began).await?,
            outstanding: dashboard::due(tx, isp, branch, None).await?.1,
            invoices: counts.iter().map(|(_, count)| count).sum(),
            paid: of(BillStatus::Paid),
            unpaid: of(BillStatus::Unpaid) + of(BillStatus::Partial),
            expenses,
            net: Money(earned.0 - expenses.unwrap_or_default().0),
        })
    });
    Ok(read.await?)
}

/// How many primary lines each package has.
pub async fn lines_by_plan(app: &App, actor: &Actor) -> Result<HashMap<PlanId, i64>, Error> {
    let (isp, branch) = (actor.isp, actor.branch);
    Ok(app.db.read(async move |tx| rows::lines_by_plan(tx, isp, branch).await).await?)
}

/// What these people's wallets hold; who has none holds nothing.
pub async fn balances(app: &App, actor: &Actor, people: &[Staff]) -> Result<HashMap<StaffId, Money>, Error> {
    let (isp, ids) = (actor.isp, people.iter().map(|person| person.id).collect::<Vec<_>>());
    Ok(app.db.read(async move |tx| rows::balances(tx, isp, &ids).await).await?)
}

/// A pool with how many addresses it has, and how many of them live sessions use.
#[derive(Clone, Debug)]
pub struct PoolUse {
    pub pool: plan::Pool,
    pub total: i64,
    pub used: i64,
}

pub async fn pools(app: &App, actor: &Actor) -> Result<Vec<PoolUse>, Error> {
    let isp = actor.isp;
    let (pools, used) = (
        crate::plant::reach::pools(app, actor).await?,
        app.db.read(async move |tx| rows::addresses_in_use(tx, isp).await).await?,
    );
    let mut used: Vec<u32> =
        used.iter().filter_map(|text| text.parse::<std::net::Ipv4Addr>().ok()).map(u32::from).collect();
    used.sort_unstable();
    used.dedup();
    let counted = |pool: plan::Pool| {
        let ranges = domain::kernel::ranges::parse_ranges(&pool.ranges).unwrap_or_default();
        let (mut total, mut taken) = (0, 0);
        for (first, last) in ranges {
            let (first, last) = (u32::from(first), u32::from(last));
            total += i64::from(last) - i64::from(first) + 1;
            let begin = used.partition_point(|address| *address < first);
            taken += used[begin..].partition_point(|address| *address <= last) as i64;
        }
        PoolUse { pool, total, used: taken }
    };
    Ok(pools.into_iter().map(counted).collect())
}
