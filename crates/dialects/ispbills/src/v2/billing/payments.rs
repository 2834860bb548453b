//! Payments: money received, by what and for what.

use axum::extract::State;
use domain::{CustomerId, InvoiceId, PaymentId, Scope};
use doors::{
    Given, Id, Operation,
    form::{Body, Query},
    wire::utc_seconds,
};
use serde::Serialize;
use serde_json::Number;
use service::{
    App, Error, Expected, Payment, Why,
    billing::{
        payments::{self, Wanted},
        receipts::Means,
    },
    receivables::payments::{self as paid, NewPayment},
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Failure, Listing, Page, Reply};
use crate::v2::customers::customers::refused;

doors::form! {
    /// Which payments.
    WantedPayments {
        customer_id: optional Id, "Of this customer.";
        method: optional Text(1, 32), "Paid so.";
        from: optional AnyMoment, "Not earlier.";
        to: optional AnyMoment, "Earlier than this.";
    }
}

doors::form! {
    /// Money that was received.
    PaymentToRecord {
        customer_id: required Id, "Who paid.";
        amount: required Amount, "How much.";
        method: optional Text(1, 32), "How: cash, bank, bkash …; `cash` where it is left out.";
        transaction_id: optional Text(1, 100), "The provider's reference; a repeat is answered with the first payment.";
        bill_id: optional Id, "The bill it is for; the longest due ones where it is left out. What no bill needs is held for the customer.";
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Payment)]
pub struct Row {
    id: i64,
    customer_id: i64,
    #[schema(value_type = f64)]
    amount: Number,
    currency: String,
    method: String,
    transaction_id: String,
    /// recharge, payment, refund or adjustment.
    kind: String,
    /// pending, confirmed or refunded.
    status: String,
    /// Where it settled one bill.
    bill_id: Option<i64>,
    created_at: String,
}

pub fn row(caller: &Caller, payment: Payment) -> Row {
    Row {
        id: payment.id.0,
        customer_id: payment.customer_id.0,
        amount: caller.amount(payment.amount),
        currency: caller.tenant.currency.code.clone(),
        method: payment.method,
        transaction_id: payment.reference,
        kind: payment.kind,
        status: payment.state,
        bill_id: payment.invoice_id.map(|id| id.0),
        created_at: utc_seconds(payment.created_at),
    }
}

/// A method as accounts are named by it.
pub fn method(given: Given<String>, usual: &str) -> Result<String, Error> {
    let method = given.value().unwrap_or_else(|| usual.into()).to_ascii_lowercase();
    match method.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')) {
        true => Ok(method),
        false => Err(Error::invalid("method", Why::Not(Expected::LettersAndDigits))),
    }
}

pub const LIST: Operation =
    Operation::new("Billing", "List all payments", Scope::BillingRead).query::<WantedPayments>().lists::<Row>();

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(wanted): Query<WantedPayments>,
) -> Result<Listing<Row>, Failure> {
    let WantedPayments { customer_id, method, from, to } = wanted;
    let wanted = Wanted {
        customer: customer_id.value().map(CustomerId),
        method: method.value().map(|method| method.to_ascii_lowercase()),
        from: from.value(),
        until: to.value(),
        ..Wanted::default()
    };
    listed(&app, &caller, page, wanted).await
}

pub async fn listed(app: &App, caller: &Caller, page: Page, wanted: Wanted) -> Result<Listing<Row>, Failure> {
    let (found, total) = payments::page(app, &caller.actor, wanted, page.offset(), page.limit()).await?;
    Ok(page.of(found.into_iter().map(|payment| row(caller, payment)).collect(), total))
}

pub const CREATE: Operation = Operation::new("Billing", "Record a payment", Scope::BillingWrite)
    .about("It settles bills; what they do not need is held for the customer.")
    .body::<PaymentToRecord>()
    .creates::<Row>();

pub async fn create(State(app): State<App>, caller: Caller, Body(body): Body<PaymentToRecord>) -> Answer<Row> {
    let PaymentToRecord { customer_id, amount, method: how, transaction_id, bill_id } = body;
    let command = NewPayment {
        customer: CustomerId(customer_id),
        amount: caller.money("amount", amount, 1)?,
        means: Means { method: method(how, "cash")?, reference: transaction_id.value() },
        bill: bill_id.value().map(InvoiceId),
    };
    let written = paid::record(&app, &caller.actor, command, caller.key.clone()).await.map_err(refused)?;
    let payment = payments::show(&app, &caller.actor, PaymentId(written.id)).await?;
    Ok(Reply::created(row(&caller, payment)))
}

pub const SHOW: Operation = Operation::new("Billing", "Retrieve a payment", Scope::BillingRead).answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let payment = payments::show(&app, &caller.actor, PaymentId(id)).await?;
    Ok(Reply::data(row(&caller, payment)))
}
