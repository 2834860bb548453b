//! What was paid: lists and sums.

use domain::{CustomerId, Instant, Money};
use store::invoice::{self, Payment, PaymentFilter};

use crate::{Actor, App, Error};

pub const KINDS: &[&str] = &["Recharge", "Payment", "Refund", "Adjustment"];

/// A list's conditions; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Wanted {
    pub customer: Option<CustomerId>,
    /// One of [`KINDS`].
    pub kind: Option<&'static str>,
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
    let filter = PaymentFilter {
        customer: wanted.customer,
        kind: wanted.kind.map(str::to_lowercase),
        branch,
        from: wanted.from,
        until: wanted.until,
        min: wanted.min,
        max: wanted.max,
    };
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
