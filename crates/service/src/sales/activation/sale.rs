//! What an activation writes: the period, the postings, the payment, the invoice. Decided first, so that a refusal has
//! written nothing.

use domain::{
    Instant, InvoiceId, Money, PeriodId, Status,
    billing::{
        bill::Line,
        ledger::{Account, Entry, Kind},
        payment::PaymentKind,
    },
    catalogue::validity::Running,
    kernel::{
        event::{EventKind, Subject},
        money::Taxed,
    },
    sales::{
        activation::{self, Insufficient, Paying, Settlement},
        sale::{self, Payer, Standing},
    },
};
use serde_json::json;
use store::{
    access::fup,
    billing::{invoice::Invoice, ledger},
    people::service::{Period, Service},
};

use crate::{
    Change, Error,
    billing::{
        entries::{self, Heading, Of},
        invoices::{self, New},
        receipts::{self, Details, Means, Received},
    },
    catalogue::plans::{self, Offer},
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
    let invoice = invoices::draw(change).await?;
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
    entries::post(change, Heading::new(Kind::TopUp, Of::Invoice(invoice)), credit).await?;
    entries::post(change, Heading::new(Kind::Activation, Of::Period(period)), entry).await?;
    if let Some((method, amount)) = received {
        // What went into the wallet first belongs to no invoice.
        let settled = [(invoice, paid)];
        let (kind, settles) =
            if wallet_first { (PaymentKind::Payment, &settled[..0]) } else { (PaymentKind::Recharge, &settled[..]) };
        let means = Means { method, reference: None };
        let (customer, details) = (line.customer_id, &Details::default());
        let plan = Some((offer.plan.id, offer.plan.name.as_str()));
        let received = Received { customer, amount, kind, means: &means, details, plan, settles };
        receipts::write(change, &tenant.zone, received).await?;
    }
    bill(change, line, offer, period, &NewInvoice { id: invoice, earned, paid }).await?;
    let body = json!({
        "customer": line.customer_id.0, "plan": offer.plan.id.0, "period": period.0, "expires_at": ends.0,
        "amount": terms.tax.split(terms.price).total().0
    });
    change.event(EventKind::ServiceRecharged, Subject::Service(line.id.0), body);
    Ok(Sold { invoice, total: earned.total(), due })
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
    let &NewInvoice { id, earned, paid } = new;
    let new = New {
        id,
        customer: line.customer_id,
        line: Some(line.id),
        text: offer.plan.name.clone(),
        description: Some(offer.plan.name.clone()),
        says: Line::of(offer.version.price, plans::terms(&offer.version).tax, earned),
        taxed: earned,
        paid,
        due_at: change.now,
        period: Some(period),
        sells: None,
    };
    invoices::issue(change, new).await
}
