//! What was paid: lists, sums, receipts.

use domain::{CustomerId, Instant, Money, PaymentId};
use store::{
    billing::{
        invoice::{self, Payment, PaymentFilter},
        payment_detail::{self, PaymentDetail, Settled},
    },
    people::customer,
};

use crate::{Actor, App, Error, What};

pub const KINDS: &[&str] = &["Recharge", "Payment", "Refund", "Adjustment"];

/// A list's conditions; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Wanted {
    pub customer: Option<CustomerId>,
    /// One of [`KINDS`].
    pub kind: Option<&'static str>,
    pub method: Option<String>,
    pub from: Option<Instant>,
    /// Not included.
    pub until: Option<Instant>,
    pub min: Option<Money>,
    pub max: Option<Money>,
}

#[derive(Clone, Debug)]
pub struct Listed {
    /// Newest first.
    pub payments: Vec<Payment>,
    /// Of all that match.
    pub count: i64,
    pub sum: Money,
    /// Of those that match besides the dates, since the tenant's midnight.
    pub today: Money,
}

pub async fn list(app: &App, actor: &Actor, wanted: Wanted, offset: i64, limit: i64) -> Result<Listed, Error> {
    let tenant = app.tenant(actor.isp).await?;
    let (isp, branch) = (actor.isp, actor.branch);
    let day = app.clock.now().day(&tenant.zone);
    let midnight = Instant::from_civil(day.at(0, 0, 0, 0), &tenant.zone);
    let filter = filter(wanted, branch);
    app.db
        .read(async move |tx| {
            let payments = invoice::list(tx, isp, &filter, offset, limit).await?;
            let (count, sum) = invoice::count_and_sum(tx, isp, &filter).await?;
            let since_midnight = PaymentFilter { from: Some(midnight), until: None, ..filter.clone() };
            let (_, today) = invoice::count_and_sum(tx, isp, &since_midnight).await?;
            Ok(Listed { payments, count, sum, today })
        })
        .await
}

fn filter(wanted: Wanted, branch: Option<domain::BranchId>) -> PaymentFilter {
    let Wanted { customer, kind, method, from, until, min, max } = wanted;
    PaymentFilter { customer, kind: kind.map(str::to_lowercase), method, branch, from, until, min, max }
}

/// A page, newest first, and how many there are in all.
pub async fn page(
    app: &App,
    actor: &Actor,
    wanted: Wanted,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Payment>, i64), Error> {
    let isp = actor.isp;
    let filter = filter(wanted, actor.branch);
    app.db
        .read(async move |tx| {
            let total = invoice::count(tx, isp, &filter).await?;
            Ok((invoice::list(tx, isp, &filter, offset, limit).await?, total))
        })
        .await
}

pub async fn show(app: &App, actor: &Actor, id: PaymentId) -> Result<Payment, Error> {
    let actor = actor.clone();
    app.db
        .read(async move |tx| {
            const UNKNOWN: Error = Error::NotFound { what: What::Payment };
            let payment = invoice::payment(tx, actor.isp, id).await?.ok_or(UNKNOWN)?;
            let owner = customer::any(tx, actor.isp, payment.customer_id).await?.ok_or(UNKNOWN)?;
            actor.reaches(owner.branch_id)?;
            Ok(payment)
        })
        .await
}

/// A payment with what is known of it.
#[derive(Clone, Debug)]
pub struct Described {
    pub payment: Payment,
    pub detail: Option<PaymentDetail>,
}

/// A page of payments, the newest first, with what is known of each.
pub async fn described(
    app: &App,
    actor: &Actor,
    wanted: Wanted,
    offset: i64,
    limit: i64,
) -> Result<Vec<Described>, Error> {
    let isp = actor.isp;
    let filter = filter(wanted, actor.branch);
    app.db
        .read(async move |tx| {
            let payments = invoice::list(tx, isp, &filter, offset, limit).await?;
            let ids: Vec<PaymentId> = payments.iter().map(|payment| payment.id).collect();
            let mut details = payment_detail::of(tx, isp, &ids).await?;
            let with = |payment: Payment| Described { detail: details.remove(&payment.id), payment };
            Ok(payments.into_iter().map(with).collect())
        })
        .await
}

/// One payment with what is known of it.
pub async fn describe_one(app: &App, actor: &Actor, id: PaymentId) -> Result<Described, Error> {
    let payment = show(app, actor, id).await?;
    let isp = actor.isp;
    let detail = app.db.read(async move |tx| payment_detail::of(tx, isp, &[id]).await).await?.remove(&id);
    Ok(Described { payment, detail })
}

/// A payment with what is known of it and the invoices that it settled.
pub async fn receipt(app: &App, actor: &Actor, id: PaymentId) -> Result<(Described, Vec<Settled>), Error> {
    let described = describe_one(app, actor, id).await?;
    let isp = actor.isp;
    Ok((described, app.db.read(async move |tx| payment_detail::settled(tx, isp, id).await).await?))
}
