//! Transactions: what was paid, with sums over the same filters.

use axum::extract::{RawQuery, State};
use domain::{CustomerId, Instant};
use doors::{
    Asked,
    fields::{amount, date_near, id, word},
    wire::utc_micros,
};
use jiff::{ToSpan, civil::Date};
use serde::Serialize;
use serde_json::Number;
use service::{
    App, Payment,
    billing::payments::{self, KINDS, Wanted},
};

use crate::envelope::{Answer, Caller, Listing, Reply, paging};

#[derive(Serialize, Debug)]
pub struct Row {
    id: i64,
    customer_id: i64,
    plan_name: Option<String>,
    method: String,
    reference: String,
    #[serde(rename = "type")]
    kind: &'static str,
    amount: Number,
    created_at: String,
}

#[derive(Serialize, Debug)]
pub struct Summed {
    #[serde(flatten)]
    page: Listing<Row>,
    summary: Summary,
}

#[derive(Serialize, Debug)]
struct Summary {
    total_amount: String,
    total_count: i64,
    today_amount: Number,
}

/// When a civil day of the tenant begins, and when the next one does.
pub fn day_bounds(caller: &Caller, from: Option<Date>, to: Option<Date>) -> (Option<Instant>, Option<Instant>) {
    let begin = |day: Date| Instant::from_civil(day.at(0, 0, 0, 0), &caller.tenant.zone);
    let after = |day: Date| day.checked_add(1.day()).map_or(Instant(i64::MAX), begin);
    (from.map(begin), to.map(after))
}

/// List billing transactions.
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
    mut asked: Asked,
) -> Answer<Summed> {
    let page = paging(&mut asked, 100);
    let currency = &caller.tenant.currency;
    let q = &mut asked.0;
    let customer = q.optional("customer_id", id).value().map(CustomerId);
    let kind = q.optional("type", word(KINDS)).value();
    let (from, to) = (q.optional("start_date", date_near).value(), q.optional("end_date", date_near).value());
    let min = q.optional("min_amount", amount(currency)).value();
    let max = q.optional("max_amount", amount(currency)).value();
    q.finish()?;
    let (from, until) = day_bounds(&caller, from, to);
    let wanted = Wanted { customer, kind, method: None, from, until, min, max };
    let found = payments::list(&app, &caller.actor, wanted, page.offset(), page.per_page).await?;
    let row = |payment: Payment| Row {
        id: payment.id.0,
        customer_id: payment.customer_id.0,
        plan_name: payment.plan_name,
        method: payment.method,
        reference: payment.reference,
        kind: KINDS.iter().find(|word| word.eq_ignore_ascii_case(&payment.kind)).copied().unwrap_or("Payment"),
        amount: caller.amount(payment.amount),
        created_at: utc_micros(payment.created_at),
    };
    let summary = Summary {
        total_amount: currency.format(found.sum),
        total_count: found.count,
        today_amount: caller.amount(found.today),
    };
    let rows = found.payments.into_iter().map(row).collect();
    Ok(Reply::data(Summed { page: Listing::new(&caller, query.as_deref(), page, rows, found.count), summary }))
}
