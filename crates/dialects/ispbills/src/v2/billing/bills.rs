//! Bills: what customers owe. An amount includes tax.

use axum::extract::State;
use domain::{CustomerId, InvoiceId, Scope, billing::bill::BillStatus};
use doors::{
    Given, Id, Operation,
    form::{Body, Query},
    wire::{local_date, utc_seconds},
};
use serde::Serialize;
use serde_json::Number;
use service::{
    App, BillFilter, Error, Why,
    billing::{
        invoices::{self, Shown},
        receipts::Means,
    },
    receivables::bills::{self, BillChange, NewBill},
};
use utoipa::ToSchema;

use super::payments;
use crate::envelope::{Answer, Caller, Done, Failure, Listing, NO_CONTENT, Page, Reply};
use crate::v2::customers::customers::refused;

/// What a bill can be said to be.
const STATUSES: &[&str] = &["unpaid", "partial", "paid"];
/// How a bill is paid where nobody says.
const METHOD: &str = "cash";

doors::form! {
    /// Which bills.
    WantedBills {
        customer_id: optional Id, "Of this customer.";
        status: optional Word(STATUSES), "How far it is paid.";
    }
}

doors::form! {
    /// A bill to write.
    BillToWrite {
        customer_id: required Id, "Whose bill it is.";
        amount: required Amount, "What is owed, tax included.";
        currency: optional Text(3, 3), "The provider's currency; no other is billed in.";
        due_date: optional Date, "The day by which it is to be paid; a week from now where it is left out.";
        description: optional Text(0, 500), "What for.";
    }
}

doors::form! {
    /// What is to change about a bill; fields that are left out stay as they are.
    BillToChange {
        amount: optional Amount, "Another amount, tax included; only while nothing is paid.";
        currency: optional Text(3, 3), "The provider's currency; no other is billed in.";
        due_date: optional Date, "Another day.";
        description: optional Text(0, 500), "What for; null removes it.";
        status: optional Word(STATUSES), "`paid` records a payment of what is left. The others can only be confirmed.";
        method: optional Text(1, 32), "How it is paid: cash, bank, bkash …, or `wallet` (`balance`) for what is held for the customer; `cash` where it is left out.";
        transaction_id: optional Text(1, 100), "The provider's reference of that payment; good once per provider.";
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Bill)]
pub struct Row {
    id: i64,
    /// As printed: without gaps.
    number: String,
    customer_id: i64,
    /// Tax included.
    #[schema(value_type = f64)]
    amount: Number,
    #[schema(value_type = f64)]
    net: Number,
    #[schema(value_type = f64)]
    tax: Number,
    #[schema(value_type = f64)]
    paid: Number,
    currency: String,
    /// unpaid, partial or paid.
    status: &'static str,
    #[schema(format = Date)]
    due_date: String,
    description: Option<String>,
    /// The first one, and each correction.
    lines: Vec<Line>,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = BillLine)]
pub struct Line {
    text: String,
    #[schema(value_type = f64)]
    amount: Number,
}

pub fn row(caller: &Caller, shown: Shown) -> Row {
    let Shown { bill, lines } = shown;
    let line = |line: service::InvoiceLine| Line { amount: caller.amount(line.amount), text: line.text };
    Row {
        id: bill.id.0,
        number: format!("{}-{:06}", bill.series, bill.number),
        customer_id: bill.customer_id.0,
        amount: caller.amount(bill.total),
        net: caller.amount(bill.net),
        tax: caller.amount(bill.tax),
        paid: caller.amount(bill.paid),
        currency: caller.tenant.currency.code.clone(),
        status: bill.status.word(),
        due_date: local_date(bill.due_at, &caller.tenant.zone),
        description: bill.description,
        lines: lines.into_iter().map(line).collect(),
        created_at: utc_seconds(bill.issued_at),
        updated_at: utc_seconds(bill.updated_at),
    }
}

pub const LIST: Operation =
    Operation::new("Billing", "List all bills", Scope::BillingRead).query::<WantedBills>().lists::<Row>();

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(wanted): Query<WantedBills>,
) -> Result<Listing<Row>, Failure> {
    let WantedBills { customer_id, status } = wanted;
    let customer = customer_id.value().map(CustomerId);
    let status = status.value().and_then(BillStatus::from_word);
    let filter = BillFilter { customer, status, ..BillFilter::default() };
    listed(&app, &caller, page, filter).await
}

pub async fn listed(app: &App, caller: &Caller, page: Page, filter: BillFilter) -> Result<Listing<Row>, Failure> {
    let (found, total) = invoices::list(app, &caller.actor, filter, page.offset(), page.limit()).await?;
    Ok(page.of(found.into_iter().map(|shown| row(caller, shown)).collect(), total))
}

pub const CREATE: Operation = Operation::new("Billing", "Create a bill", Scope::BillingWrite)
    .about("An unpaid invoice with the next number.")
    .body::<BillToWrite>()
    .creates::<Row>();

pub async fn create(State(app): State<App>, caller: Caller, Body(body): Body<BillToWrite>) -> Answer<Row> {
    let BillToWrite { customer_id, amount, currency, due_date, description } = body;
    own_currency(&caller, currency)?;
    let command = NewBill {
        customer: CustomerId(customer_id),
        amount: caller.money("amount", amount, 1)?,
        due: due_date.value(),
        description: description.value(),
    };
    let written = bills::create(&app, &caller.actor, command, caller.key.clone()).await.map_err(refused)?;
    let shown = invoices::show(&app, &caller.actor, InvoiceId(written.id)).await?;
    let changed = shown.bill.updated_at;
    Ok(Reply::created(row(&caller, shown)).tagged(changed))
}

fn own_currency(caller: &Caller, given: Given<String>) -> Result<(), Error> {
    match given.value() {
        Some(code) if !code.eq_ignore_ascii_case(&caller.tenant.currency.code) => {
            Err(Error::invalid("currency", Why::Unknown))
        }
        _ => Ok(()),
    }
}

pub const SHOW: Operation = Operation::new("Billing", "Retrieve a bill", Scope::BillingRead).answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let shown = invoices::show(&app, &caller.actor, InvoiceId(id)).await?;
    let changed = shown.bill.updated_at;
    Ok(Reply::data(row(&caller, shown)).tagged(changed))
}

pub const UPDATE: Operation = Operation::new("Billing", "Update a bill", Scope::BillingWrite)
    .about("An amount is corrected by a further line. With `If-Match` only as it was read.")
    .body::<BillToChange>()
    .answers::<Row>()
    .refuses(&[412]);

pub async fn update(State(app): State<App>, caller: Caller, Id(id): Id, Body(body): Body<BillToChange>) -> Answer<Row> {
    let id = InvoiceId(id);
    let BillToChange { amount, currency, due_date, description, status, method, transaction_id } = body;
    own_currency(&caller, currency)?;
    let amount = amount.value().map(|amount| caller.money("amount", amount, 1)).transpose()?;
    let means = Means { method: payments::method(method, METHOD)?, reference: transaction_id.value() };
    let status = status.value().and_then(BillStatus::from_word);
    let command = BillChange {
        amount,
        due: due_date.value(),
        description: description.change(),
        pay: (status == Some(BillStatus::Paid)).then_some(means),
        confirm: status.filter(|status| *status != BillStatus::Paid),
        unchanged_since: caller.unchanged_since()?,
    };
    bills::update(&app, &caller.actor, id, command, caller.key.clone()).await.map_err(refused)?;
    let shown = invoices::show(&app, &caller.actor, id).await?;
    let changed = shown.bill.updated_at;
    Ok(Reply::data(row(&caller, shown)).tagged(changed))
}

pub const DELETE: Operation = Operation::new("Billing", "Delete a bill", Scope::BillingWrite)
    .about("A credit note takes back an unpaid one. With `If-Match` only as it was read.")
    .no_content()
    .refuses(&[412, 422]);

pub async fn delete(State(app): State<App>, caller: Caller, Id(id): Id) -> Done {
    bills::delete(&app, &caller.actor, InvoiceId(id), caller.unchanged_since()?).await?;
    NO_CONTENT
}
