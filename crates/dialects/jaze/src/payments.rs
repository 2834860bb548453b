//! Sections H and S: payments, made and shown.

use axum::extract::State;
use domain::{CustomerId, Money, PaymentId};
use doors::fields::{amount, digits, id, lines, named, word};
use serde_json::{Value, json};
use service::{
    App, What, Why,
    billing::{
        payments::{self, Described, Wanted},
        receipts::{Details, Means},
    },
    customers::card::{self, Parts},
    receivables::payments::{self as paid, NewPayment},
};

use crate::envelope::{Answer, Call, Failure, Reply, day, day_of, id_of, short};

/// So many payments in one answer.
const LISTED: i64 = 10_000;

pub const METHODS: &[&str] =
    &["cash", "cheque", "creditCard", "bankTransfer", "onlinePayment", "debitCard", "externalGateway"];

/// H Make payment: it settles what is owed, the rest goes to the user's wallet. It is of the day it was paid on; the books
/// have it when it was told.
pub async fn make_payment(State(app): State<App>, mut call: Call) -> Answer {
    let currency = call.tenant.currency.clone();
    let user = CustomerId(call.body.required("userId", id));
    let given = call.body.required("amount", |value| amount(&currency)(value).map(Some));
    let method = call.body.required("method", word(METHODS));
    let gateway = call.body.optional("merchantTxnId", short).value();
    let details = Details {
        paid_on: call.body.optional("paymentDate", day).value(),
        bank: call.body.optional("bank", short).value(),
        cheque_number: call.body.optional("chequeNumber", short).value(),
        cheque_date: call.body.optional("chequeDate", day).value().map(|day| day.to_string()),
        card_number: call.body.optional("cardNumber", digits(19)).value(),
        card_expiration: call.body.optional("cardExpiration", short).value(),
        transfer_method: call.body.optional("bankTransferMethod", short).value(),
        gateway_operator: call.body.optional("operator", short).value(),
        notes: call.body.optional("notes", lines(500)).value(),
        reference: None,
    };
    if method == "cheque" {
        for (field, given) in [("bank", details.bank.is_some()), ("chequeNumber", details.cheque_number.is_some())] {
            if !given && !call.body.is_wrong(field) {
                call.body.refuse(field, Why::Required);
            }
        }
    }
    call.body.finish()?;
    let amount = given.filter(|amount| *amount > Money::ZERO);
    let amount = amount.ok_or_else(|| Failure::said("The amount must be greater than 0."))?;
    let cheque = details.bank.as_ref().zip(details.cheque_number.as_ref());
    let reference = gateway.or(match cheque {
        Some((bank, number)) if method == "cheque" => Some(format!("{bank} {number}")),
        _ => None,
    });
    let means = Means { method: method.into(), reference };
    let command = NewPayment { customer: user, amount, means, bill: None };
    card::any(&app, &call.actor, user, Parts::NONE).await?;
    paid::record_with(&app, &call.actor, command, details, call.key.clone()).await.map_err(ours)?;
    Ok(Reply::message("Make payment successful"))
}

/// Fields of a payment as this dialect calls them.
fn ours(error: service::Error) -> service::Error {
    named(error, &[("paid_on", "paymentDate"), ("transaction_id", "merchantTxnId")])
}

fn row(call: &Call, one: &Described) -> Value {
    let (payment, detail) = (&one.payment, one.detail.as_ref());
    let of = |field: fn(&service::PaymentDetail) -> &Option<String>| detail.and_then(|detail| field(detail).clone());
    let recorded = detail.map_or(payment.created_at, |detail| detail.recorded_at);
    json!({ "Payment": {
        "id": payment.id.to_string(), "user_id": payment.customer_id.to_string(), "account_id": call.account,
        "amount": call.amount(payment.amount), "method": payment.method, "merchantTxnId": payment.reference,
        "type": payment.kind, "status": payment.state,
        "payment_date": of(|detail| &detail.paid_on).unwrap_or_else(|| call.date(payment.created_at)),
        "date_created": call.datetime(recorded), "bank": of(|detail| &detail.bank),
        "cheque_number": of(|detail| &detail.cheque_number), "cheque_date": of(|detail| &detail.cheque_date),
        "card_number": of(|detail| &detail.card_hint), "card_expiration": of(|detail| &detail.card_expiration),
        "bank_transfer_method": of(|detail| &detail.transfer_method),
        "operator": of(|detail| &detail.gateway_operator), "notes": of(|detail| &detail.notes),
        "invoice_id": payment.invoice_id.map(|id| id.to_string()), "group_name": payment.plan_name
    } })
}

/// Payments of the user and the days that the path names, the newest first; both days included.
async fn found(app: &App, call: &Call) -> Result<Vec<Described>, Failure> {
    let date = |name: &str| match call.segment(name) {
        None => Ok(None),
        Some(text) => day_of(&text).map(Some).ok_or_else(|| Failure::said(format!("The {name} must be a date."))),
    };
    let (from, to) = (date("fromDate")?, date("toDate")?);
    let customer = match call.segment("userId") {
        None => None,
        Some(_) => Some(card::any(app, &call.actor, call.user(), Parts::NONE).await?.customer.id),
    };
    let wanted = Wanted {
        customer,
        from: from.map(|day| call.begins(day)),
        until: to.map(|day| call.ends(day)),
        ..Wanted::default()
    };
    Ok(payments::described(app, &call.actor, wanted, 0, LISTED).await?)
}

/// S Ids of payments of these days.
pub async fn ids(State(app): State<App>, call: Call) -> Answer {
    let found = found(&app, &call).await?;
    Ok(Reply::data(found.iter().map(|one| Value::from(one.payment.id.to_string())).collect()))
}

/// S Payments of a user, of days, or of a user on days.
pub async fn list(State(app): State<App>, call: Call) -> Answer {
    let found = found(&app, &call).await?;
    Ok(Reply::data(found.iter().map(|one| row(&call, one)).collect()))
}

/// The payment that the path names.
fn wanted(call: &Call) -> PaymentId {
    PaymentId(call.segment("paymentId").map_or(0, |text| id_of(&text)))
}

/// S One payment.
pub async fn one(State(app): State<App>, call: Call) -> Answer {
    let found = payments::describe_one(&app, &call.actor, wanted(&call)).await?;
    Ok(Reply::data(row(&call, &found)))
}

/// S A payment's receipt: who paid what, and which invoices it settled.
pub async fn receipt(State(app): State<App>, call: Call) -> Answer {
    let user = card::any(&app, &call.actor, call.user(), Parts::NONE).await?;
    let (found, settled) = payments::receipt(&app, &call.actor, wanted(&call)).await?;
    if found.payment.customer_id != user.customer.id {
        return Err(service::Error::NotFound { what: What::Payment }.into());
    }
    let invoices = settled.iter().map(|one| {
        json!({
            "invoice_id": one.invoice.to_string(), "invoice_number": format!("{}-{}", one.series, one.number),
            "amount": call.amount(one.amount)
        })
    });
    let mut receipt = row(&call, &found);
    receipt["Payment"]["invoices"] = invoices.collect();
    receipt["Account"] = json!({ "name": call.tenant.isp.name, "currency": call.tenant.currency.code });
    receipt["User"] = json!({
        "id": user.customer.id.to_string(), "name": user.customer.full_name, "phone": user.customer.phone,
        "email": user.customer.email, "address": user.customer.address
    });
    Ok(Reply::data(receipt))
}
