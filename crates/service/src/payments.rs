//! What was paid: recorded, lists and sums.

use domain::{CustomerId, Instant, InvoiceId, Money, PaymentId};
use store::{
    bill, customer,
    invoice::{self, Payment, PaymentFilter},
};

use crate::{
    Actor, App, Error, Why,
    bills::{self, Means, WALLET, Written},
    change::CallerKey,
};

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
            let (total, _) = invoice::count_and_sum(tx, isp, &filter).await?;
            Ok((invoice::list(tx, isp, &filter, offset, limit).await?, total))
        })
        .await
}

pub async fn show(app: &App, actor: &Actor, id: PaymentId) -> Result<Payment, Error> {
    let actor = actor.clone();
    app.db
        .read(async move |tx| {
            const UNKNOWN: Error = Error::NotFound { what: "payment" };
            let payment = invoice::payment(tx, actor.isp, id).await?.ok_or(UNKNOWN)?;
            let owner = customer::any(tx, actor.isp, payment.customer_id).await?.ok_or(UNKNOWN)?;
            actor.reaches(owner.branch_id)?;
            Ok(payment)
        })
        .await
}

/// Money that was received outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewPayment {
    pub customer: CustomerId,
    pub amount: Money,
    pub means: Means,
    /// The bill it is for; the longest due ones where none is named. What no bill needs goes to the wallet.
    pub bill: Option<InvoiceId>,
}

/// Records a payment and settles bills with it. A provider's reference that comes again is answered with its payment.
pub async fn record(app: &App, actor: &Actor, command: NewPayment, key: Option<CallerKey>) -> Result<Written, Error> {
    actor.writes()?;
    if command.means.method == WALLET {
        return Err(Error::invalid("method", Why::Not("how the money came")));
    }
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        let NewPayment { customer, amount, means, bill } = command.clone();
        let owner = customer::lock(change.tx, change.isp, customer).await?;
        who.reaches(owner.ok_or(Error::invalid("customer", Why::Unknown))?.branch_id)?;
        if let Some(reference) = &means.reference {
            let seen = invoice::payment_by_reference(change.tx, change.isp, &means.method, reference).await?;
            match seen {
                Some(seen) if (seen.customer_id, seen.amount) == (customer, amount) => {
                    return Ok(Written { id: seen.id.0 });
                }
                Some(_) => return Err(Error::invalid("transaction_id", Why::Taken)),
                None => {}
            }
        }
        let bills = match bill {
            None => bill::lock_open(change.tx, change.isp, customer).await?,
            Some(id) => {
                let row = bill::lock(change.tx, change.isp, id).await?.filter(|row| row.customer_id == customer);
                vec![row.ok_or(Error::invalid("bill_id", Why::Unknown))?]
            }
        };
        let payment = bills::receive(change, customer, bills, amount, &means).await?;
        let payment = payment.ok_or_else(|| Error::Internal("money came, and no payment was written".into()))?;
        Ok(Written { id: payment.id.0 })
    })
    .await
}

/// Whether a reference is of the form we make where a provider gives none.
pub fn is_own_reference(text: &str) -> bool {
    text.strip_prefix("LM").is_some_and(|rest| rest.len() >= 8 && rest.bytes().all(|b| b.is_ascii_digit()))
}
