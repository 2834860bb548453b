//! What an activation writes: the period, the postings, the payment, the invoice. Decided first, so that a refusal has
//! written nothing.

use domain::{
    Instant, InvoiceId, Money, PaymentId, PeriodId, Status,
    billing::{
        bill::BillStatus,
        ledger::{Account, Entry},
    },
    catalogue::validity::Running,
    kernel::{
        event::{EventKind, Subject},
        money::{TaxRate, Taxed},
    },
    sales::{
        activation::{self, Insufficient, Paying, Settlement},
        sale::{self, Payer, Standing},
    },
};
use serde_json::json;
use store::{
    access::fup,
    billing::{
        bill::Allocation,
        invoice::{Invoice, InvoiceLine, Payment},
        ledger::{self, Heading},
    },
    kernel::counter,
    people::service::{Period, Service},
};

use crate::{
    Change, Error,
    billing::invoices::SERIES,
    catalogue::plans::Offer,
    kernel::{app::Tenant, ids::Table},
    sales::terms,
};
use store::people::service::quota;

pub(super) struct Sold {
    pub invoice: InvoiceId,
    pub total: Money,
    pub due: Money,
}

/// Sells one period; `expires_at` in the place of the package's own validity.
pub(super) async fn sell(
    change: &Change<'_>,
    tenant: &Tenant,
    line: &mut Service,
    offer: &Offer,
    paying: &Paying,
    expires_at: Option<Instant>,
) -> Result<Sold, Error> {
    let terms = terms::of_line(change, line.id, &offer.version).await?;
    let offer = &terms::offered(offer, &terms);
    let wallet = ledger::held(change.tx, change.isp, &Account::CustomerWallet(line.customer_id)).await?;
    let settled = activation::settle(line.customer_id, &terms, paying, wallet)
        .map_err(|Insufficient { price }| Error::Insufficient { needed: price })?;
    let running = line.expires_at.map(|expires_at| Running {
        expires_at,
        anchor_day: line.anchor_day.map(|day| day as u8),
        same_plan: line.plan_id == offer.plan.id,
    });
    let standing = Standing { running, quota: quota(line), wallet: Money::ZERO };
    // Only how long and how much; who pays is settled above.
    let sale = sale::recharge(change.now, line.customer_id, &standing, &terms, &Payer::Complimentary, &tenant.zone);
    let sale = sale.map_err(|_| Error::Internal("a gift needs no money".into()))?;
    let ends = expires_at.unwrap_or(sale.term.expires_at);
    let anchor = match expires_at {
        Some(at) => sale.term.anchor_day.map(|_| i64::from(at.day(&tenant.zone).day())),
        None => sale.term.anchor_day.map(i64::from),
    };

    let period = PeriodId(change.id(Table::Period).await?);
    let invoice = InvoiceId(change.id(Table::Invoice).await?);
    line.period_ordinal += 1;
    Period {
        isp_id: change.isp,
        id: period,
        service_id: line.id,
        ordinal: line.period_ordinal,
        customer_id: line.customer_id,
        plan_id: offer.plan.id,
        plan_version: offer.version.version,
        starts_at: sale.term.starts_at.min(ends),
        ends_at: ends,
        price: terms.tax.split(terms.price).total(),
        reason: "sold".into(),
        invoice_id: Some(invoice),
        created_at: change.now,
    }
    .insert(change.tx)
    .await?;
    if line.plan_id != offer.plan.id {
        terms::set_price(change, line, None).await?;
    }
    line.plan_id = offer.plan.id;
    line.plan_version = offer.version.version;
    if !sale.term.extends {
        line.period_started_at = Some(change.now);
    }
    fup::period_begins(change.tx, change.isp, line.id, sale.term.starts_at).await?;
    line.expires_at = Some(ends);
    line.expired_event_at = None;
    line.quota_event_ordinal = None;
    line.anchor_day = anchor;
    line.quota_time_s = sale.quota.limit.time_s;
    line.quota_bytes = sale.quota.limit.data_bytes;
    line.used_time_s = sale.quota.used_time_s;
    line.used_bytes = sale.quota.used_bytes;
    line.updated_at = change.now;
    if line.status != Status::Active {
        line.status = Status::Active;
        line.status_reason = Some("activated".into());
        line.status_since = change.now;
    }

    let Settlement { credit, sale: entry, received, earned, paid, due } = settled;
    let wallet_first = credit != Entry::new();
    post(change, "top_up", format!("invoice:{invoice}"), credit).await?;
    post(change, "activation", format!("period:{period}"), entry).await?;
    if let Some((method, amount)) = &received {
        // What went into the wallet first belongs to no invoice.
        let settles = (!wallet_first).then_some((invoice, paid));
        payment(change, line, offer, settles, method, *amount).await?;
    }
    bill(change, line, offer, period, &NewInvoice { id: invoice, earned, paid }).await?;
    let body = json!({
        "customer": line.customer_id.0, "plan": offer.plan.id.0, "period": period.0, "expires_at": ends.0,
        "amount": terms.tax.split(terms.price).total().0
    });
    change.event(EventKind::ServiceRecharged, Subject::Service(line.id.0), body);
    Ok(Sold { invoice, total: earned.total(), due })
}

pub(super) async fn post(change: &Change<'_>, kind: &str, reference: String, entry: Entry) -> Result<(), Error> {
    let lines = entry.balanced().ok_or_else(|| Error::Internal("an activation does not balance".into()))?;
    if lines.is_empty() {
        return Ok(());
    }
    let id = change.id(Table::Entry).await?;
    let heading = Heading { kind, reference: Some(reference), reason: None, actor: change.actor, at: change.now };
    Ok(ledger::post(change.tx, change.isp, id, &heading, &lines).await?)
}

async fn payment(
    change: &Change<'_>,
    line: &Service,
    offer: &Offer,
    settles: Option<(InvoiceId, Money)>,
    method: &str,
    amount: Money,
) -> Result<(), Error> {
    let id = PaymentId(change.id(Table::Payment).await?);
    Payment {
        isp_id: change.isp,
        id,
        customer_id: line.customer_id,
        kind: if settles.is_some() { "recharge" } else { "payment" }.into(),
        amount,
        method: method.into(),
        reference: format!("LM{:08}", id.0),
        state: "confirmed".into(),
        plan_id: Some(offer.plan.id),
        plan_name: Some(offer.plan.name.clone()),
        invoice_id: settles.map(|(invoice, _)| invoice),
        created_at: change.now,
    }
    .insert(change.tx)
    .await?;
    if let Some((invoice_id, amount)) = settles.filter(|(_, amount)| *amount > Money::ZERO) {
        Allocation { isp_id: change.isp, payment_id: id, invoice_id, amount }.insert(change.tx).await?;
    }
    change.event(
        EventKind::PaymentReceived,
        Subject::Customer(line.customer_id.0),
        json!({
            "payment": id.0, "amount": amount.0, "method": method, "reference": format!("LM{:08}", id.0),
            "customer": line.customer_id.0
        }),
    );
    Ok(())
}

pub(super) struct NewInvoice {
    pub id: InvoiceId,
    /// What the Isp earns.
    pub earned: Taxed,
    pub paid: Money,
}

/// The invoice, numbered last, so that two sales wait for each other briefly.
pub(super) async fn bill(
    change: &Change<'_>,
    line: &Service,
    offer: &Offer,
    period: PeriodId,
    new: &NewInvoice,
) -> Result<Invoice, Error> {
    let &NewInvoice { id, earned: taxed, paid } = new;
    let rate = TaxRate { ppm: offer.version.tax_ppm, inclusive: offer.version.tax_inclusive };
    // The plan's own price stands as it is listed; what was earned otherwise stands with its tax.
    let listed = rate.split(offer.version.price) == taxed;
    InvoiceLine {
        isp_id: change.isp,
        invoice_id: id,
        line: 1,
        text: offer.plan.name.clone(),
        amount: if listed { offer.version.price } else { taxed.total() },
        tax_ppm: offer.version.tax_ppm,
        tax_inclusive: offer.version.tax_inclusive || !listed,
        period_id: Some(period),
    }
    .insert(change.tx)
    .await?;
    let number = counter::take(change.tx, change.isp, "invoice:INV", 1).await?;
    let total = taxed.total();
    let status = match paid {
        paid if paid >= total => BillStatus::Paid,
        Money(0) => BillStatus::Unpaid,
        _ => BillStatus::Partial,
    };
    let row = Invoice {
        isp_id: change.isp,
        id,
        series: SERIES.into(),
        number,
        customer_id: line.customer_id,
        service_id: Some(line.id),
        net: taxed.net,
        tax: taxed.tax,
        total,
        paid,
        status,
        issued_at: change.now,
        due_at: change.now,
        description: Some(offer.plan.name.clone()),
        updated_at: change.now,
    };
    row.insert(change.tx).await?;
    change.event(
        EventKind::InvoiceIssued,
        Subject::Customer(line.customer_id.0),
        json!({
            "invoice": id.0, "number": number, "total": total.0, "due_at": change.now.0,
            "customer": line.customer_id.0
        }),
    );
    Ok(row)
}
