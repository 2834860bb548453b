//! Invoices, listed and shown, the newest first. Their states are those of the API page (docs/readings.md Z6).

use axum::extract::State;
use domain::{CustomerId, InvoiceId, Money, PlanId, StaffId, billing::bill::BillStatus};
use doors::{Asked, Fields, Id, fields};
use serde_json::{Value, json};
use service::{
    App, Why,
    billing::invoices,
    reports::office::{self, InvoiceFilter, Invoiced, Origin},
};

use crate::{
    envelope::{Answer, Caller, Page, PlaceOf, Reply, id},
    modules::{invoice_status, number},
};

/// `invoice_status` and `status`: its number, its word, which invoices it lists. Nothing here is refunded whole: what is
/// taken back of a paid one has a credit note.
const STATES: &[(i64, &str, Option<BillStatus>)] = &[
    (1, "paid", Some(BillStatus::Paid)),
    (2, "unpaid", Some(BillStatus::Unpaid)),
    (3, "cancelled", Some(BillStatus::Void)),
    (4, "refunded", None),
    (5, "partial", Some(BillStatus::Partial)),
    (6, "due", Some(BillStatus::Unpaid)),
];

/// Which invoices a state lists, by number or word; `None`: none.
fn state(value: &Value) -> Result<Option<BillStatus>, Why> {
    let row = match fields::integer(1, 6)(value) {
        Ok(code) => STATES.iter().find(|(known, ..)| *known == code),
        Err(_) => {
            let word = value.as_str().unwrap_or_default().trim().to_lowercase();
            STATES.iter().find(|(_, known, _)| *known == word)
        }
    };
    row.map(|(.., status)| *status).ok_or(Why::Unknown)
}

pub async fn list(State(app): State<App>, caller: Caller, Asked(mut asked): Asked) -> Answer<Value> {
    let place = PlaceOf::read(&mut asked);
    let page = Page::read(&mut asked);
    asked.alias("invoice_status", &["status"]);
    let wanted = asked.optional("invoice_status", state).value();
    let days = days(&caller, &mut asked);
    let filter = InvoiceFilter {
        customer: asked.optional("subscriber_id", id).value().map(CustomerId),
        branch: None,
        plan: asked.optional("package_id", id).value().map(PlanId),
        salesperson: asked.optional("salesperson_id", id).value().map(StaffId),
        status: wanted.flatten(),
        issued_from: days.0,
        issued_until: days.1,
    };
    asked.finish()?;
    let actor = caller.acting(&app, place).await?;
    let (rows, total) = match wanted {
        Some(None) => (Vec::new(), 0),
        _ => office::invoices(&app, &actor, filter, page.offset, page.limit).await?,
    };
    Ok(page.of("invoices", rows.iter().map(|one| row(&caller, one)).collect(), total))
}

/// `from_date` and `to_date`, both days included.
pub fn days(caller: &Caller, asked: &mut Fields) -> (Option<domain::Instant>, Option<domain::Instant>) {
    let midnight = |day: jiff::civil::Date| domain::Instant::from_civil(day.at(0, 0, 0, 0), &caller.tenant.zone);
    let from = asked.optional("from_date", fields::date_near).value();
    let until = asked.optional("to_date", fields::date_near).value();
    (from.map(midnight), until.and_then(|day| day.tomorrow().ok()).map(midnight))
}

fn row(caller: &Caller, one: &Invoiced) -> Value {
    let Invoiced { invoice, username, full_name, origin, paid_at } = one;
    let code = invoice_status(invoice.status);
    json!({
        "id": invoice.id.0,
        "invoice_number": number(&invoice.series, invoice.number),
        "subscriber_id": invoice.customer_id.0,
        "subscriber_username": username,
        "subscriber_name": full_name,
        "amount": caller.amount(invoice.total),
        "paid_amount": caller.amount(invoice.paid),
        "due_amount": caller.amount(due(invoice)),
        "invoice_status": code,
        "status": STATES.iter().find(|(known, ..)| *known == i64::from(code)).map(|(_, word, _)| *word),
        // docs/readings.md 3.3: 1 Activation, 2 Manual, 3 Migration.
        "invoice_type": match origin { Origin::Sale => 1, Origin::Bill => 2, Origin::Migration => 3 },
        "payment_date": paid_at.map(|at| caller.datetime(at)),
        "created_at": caller.datetime(invoice.issued_at),
    })
}

fn due(invoice: &service::Invoice) -> Money {
    match invoice.status {
        BillStatus::Void => Money::ZERO,
        BillStatus::Unpaid | BillStatus::Partial | BillStatus::Paid => Money(invoice.total.0 - invoice.paid.0),
    }
}

pub async fn show(State(app): State<App>, caller: Caller, Id(wanted): Id, Asked(mut asked): Asked) -> Answer<Value> {
    let place = PlaceOf::read(&mut asked);
    asked.finish()?;
    let actor = caller.acting(&app, place).await?;
    let known = office::invoice(&app, &actor, InvoiceId(wanted)).await.map_err(|error| caller.refused(error))?;
    let lines = invoices::show(&app, &actor, InvoiceId(wanted)).await.map_err(|error| caller.refused(error))?.lines;
    let mut data = row(&caller, &known);
    data["billing_total_amount"] = caller.amount(known.invoice.total).into();
    data["billing_due_amount"] = caller.amount(due(&known.invoice)).into();
    data["net_amount"] = caller.amount(known.invoice.net).into();
    data["tax_amount"] = caller.amount(known.invoice.tax).into();
    data["due_date"] = caller.datetime(known.invoice.due_at).into();
    data["description"] = known.invoice.description.clone().into();
    data["lines"] =
        lines.iter().map(|line| json!({ "text": line.text, "amount": caller.amount(line.amount) })).collect();
    Ok(Reply::data(data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_come_by_number_and_by_word() {
        let rows = [
            (json!(1), Ok(Some(BillStatus::Paid))),
            (json!("6"), Ok(Some(BillStatus::Unpaid))),
            (json!("Partial"), Ok(Some(BillStatus::Partial))),
            (json!(4), Ok(None)),
            (json!(7), Err(Why::Unknown)),
            (json!("lost"), Err(Why::Unknown)),
            (json!([]), Err(Why::Unknown)),
        ];
        for (value, expected) in rows {
            assert_eq!(state(&value), expected, "{value}");
        }
    }
}
