//! Payments, listed, and one as a receipt; the newest first.

use axum::extract::State;
use domain::{CustomerId, PaymentId};
use doors::{Asked, Id, fields};
use serde_json::{Value, json};
use service::{
    App, Expected, Why,
    billing::payments::Wanted,
    reports::office::{self, Received},
};

use crate::{
    activation::method,
    envelope::{Answer, Caller, Page, PlaceOf, Reply, id},
    invoices::days,
    modules::number,
};

/// `profile_type` 2 are subscribers. What users pay in are no payments here but postings to their wallets.
const SUBSCRIBERS: i64 = 2;

/// Payments of subscribers; `payer_id` is the subscriber's, `payment_type` the number of a method.
pub async fn list(State(app): State<App>, caller: Caller, Asked(mut asked): Asked) -> Answer<Value> {
    let place = PlaceOf::read(&mut asked);
    let page = Page::read(&mut asked);
    asked.alias("payer_id", &["subscriber_id"]);
    let profile = asked.optional("profile_type", fields::integer(1, 2)).or(SUBSCRIBERS);
    if profile != SUBSCRIBERS && !asked.is_wrong("profile_type") {
        asked.refuse("profile_type", Why::Not(Expected::PaidIn));
    }
    let (from, until) = days(&caller, &mut asked);
    let wanted = Wanted {
        customer: asked.optional("payer_id", id).value().map(CustomerId),
        method: asked.optional("payment_type", fields::integer(1, 999)).value().map(method),
        from,
        until,
        ..Wanted::default()
    };
    asked.finish()?;
    let actor = caller.acting(&app, place).await?;
    let (rows, total) = office::payments(&app, &actor, wanted, page.offset, page.limit).await?;
    Ok(page.of("payments", rows.iter().map(|one| row(&caller, one)).collect(), total))
}

fn row(caller: &Caller, one: &Received) -> Value {
    let Received { payment, username, full_name, by } = one;
    json!({
        "id": payment.id.0,
        "subscriber_id": payment.customer_id.0,
        "subscriber_username": username,
        "subscriber_name": full_name,
        "amount": caller.amount(payment.amount),
        "payment_method": payment.method,
        "reference": payment.reference,
        "status": payment.state,
        "invoice_id": payment.invoice_id.map(|id| id.0),
        "received_by": by,
        "created_at": caller.datetime(payment.created_at),
    })
}

/// A receipt: the payment with what it paid and who took it.
pub async fn receipt(State(app): State<App>, caller: Caller, Id(wanted): Id, Asked(mut asked): Asked) -> Answer<Value> {
    let place = PlaceOf::read(&mut asked);
    asked.finish()?;
    let actor = caller.acting(&app, place).await?;
    let one = office::payment(&app, &actor, PaymentId(wanted)).await.map_err(|error| caller.refused(error))?;
    let mut data = row(&caller, &one);
    data["receipt_number"] = one.payment.reference.clone().into();
    data["package_name"] = one.payment.plan_name.clone().into();
    data["invoice"] = match one.payment.invoice_id {
        None => Value::Null,
        Some(id) => match office::invoice(&app, &actor, id).await {
            Ok(known) => json!({
                "id": id.0,
                "invoice_number": number(&known.invoice.series, known.invoice.number),
                "amount": caller.amount(known.invoice.total),
                "due_amount": caller.amount(domain::Money(known.invoice.total.0 - known.invoice.paid.0)),
            }),
            // Taken back since.
            Err(service::Error::NotFound { .. }) => Value::Null,
            Err(error) => return Err(caller.refused(error)),
        },
    };
    Ok(Reply::data(data))
}
