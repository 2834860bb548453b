//! Section T: invoices.

use axum::extract::State;
use domain::{CustomerId, InvoiceId, Money};
use serde_json::{Value, json};
use service::{
    App, BillFilter,
    billing::invoices::{self, Shown},
    customers::card::{self, Parts},
};

use crate::envelope::{Answer, Call, Failure, Reply, day_of, id_of};

/// So many invoices in one answer.
const LISTED: i64 = 10_000;

fn row(call: &Call, one: &Shown) -> Value {
    let bill = &one.bill;
    let lines: Vec<Value> =
        one.lines.iter().map(|line| json!({ "description": line.text, "amount": call.amount(line.amount) })).collect();
    json!({ "Invoice": {
        "id": bill.id.to_string(), "invoice_number": format!("{}-{}", bill.series, bill.number),
        "user_id": bill.customer_id.to_string(), "account_id": call.account, "invoice_date": call.datetime(bill.issued_at),
        "due_date": call.date(bill.due_at), "amount": call.amount(bill.net), "tax_amount": call.amount(bill.tax),
        "total_amount": call.amount(bill.total), "paid_amount": call.amount(bill.paid),
        "balance_amount": call.amount(Money(bill.total.0 - bill.paid.0)), "status": bill.status.word(),
        "description": bill.description, "items": lines
    } })
}

/// T One invoice.
pub async fn invoice(State(app): State<App>, call: Call) -> Answer {
    let number = call.segment("invoiceId").map_or(0, |text| id_of(&text));
    let found = invoices::show(&app, &call.actor, InvoiceId(number)).await?;
    Ok(Reply::data(row(&call, &found)))
}

/// `paid`, `unpaid`, or both.
fn status(call: &Call) -> Result<Option<bool>, Failure> {
    match call.segment("status").map(|word| word.to_ascii_lowercase()).as_deref() {
        None | Some("all") => Ok(None),
        Some("paid") => Ok(Some(true)),
        Some("unpaid") => Ok(Some(false)),
        Some(_) => Err(Failure::said("The status must be paid or unpaid.")),
    }
}

async fn found(app: &App, call: &Call, customer: Option<CustomerId>) -> Result<Vec<Shown>, Failure> {
    let paid = status(call)?;
    let date = |name: &str| match call.segment(name) {
        None => Ok(None),
        Some(text) => day_of(&text).map(Some).ok_or_else(|| Failure::said(format!("The {name} must be a date."))),
    };
    let filter = BillFilter {
        customer,
        issued_from: date("fromDate")?.map(|day| call.begins(day)),
        issued_until: date("toDate")?.map(|day| call.ends(day)),
        ..BillFilter::default()
    };
    let (mut rows, _) = invoices::list(app, &call.actor, filter, 0, LISTED).await?;
    if let Some(paid) = paid {
        rows.retain(|one| (one.bill.status == domain::billing::bill::BillStatus::Paid) == paid);
    }
    Ok(rows)
}

/// T Ids of invoices of these days.
pub async fn invoice_ids(State(app): State<App>, call: Call) -> Answer {
    let rows = found(&app, &call, None).await?;
    Ok(Reply::data(rows.iter().map(|one| Value::from(one.bill.id.to_string())).collect()))
}

/// T Invoices of these days.
pub async fn invoices(State(app): State<App>, call: Call) -> Answer {
    let rows = found(&app, &call, None).await?;
    Ok(Reply::data(rows.iter().map(|one| row(&call, one)).collect()))
}

/// T Invoices of a user.
pub async fn invoices_of(State(app): State<App>, call: Call) -> Answer {
    let user = call.user();
    card::any(&app, &call.actor, user, Parts::NONE).await?;
    let rows = found(&app, &call, Some(user)).await?;
    Ok(Reply::data(rows.iter().map(|one| row(&call, one)).collect()))
}
