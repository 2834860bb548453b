//! The sale of a period: money, invoice, expiry, quota and the order to the network in one transaction.

use domain::{
    CustomerId, Instant, InvoiceId, Money, PaymentId, PeriodId, PlanId, ServiceId, Status,
    billing::{bill::BillStatus, ledger::Account},
    kernel::{
        event::{EventKind, Subject},
        money::Taxed,
    },
    sales::{
        renewing::{self, Begin, Length},
        sale::{self, Payer, Refusal, Standing},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    billing::{
        invoice::{Invoice, InvoiceLine, Payment},
        ledger::{self, Heading},
    },
    kernel::counter,
    people::{
        customer,
        service::{self, Period, Service},
    },
    sales::renewal_order,
};

use crate::{
    Actor, App, Change, Error, What, Why,
    billing::invoices::SERIES,
    catalogue::plans::{self, Offer},
    kernel::work::Work,
    kernel::{app::Tenant, change::CallerKey, ids::Table},
    messages::queue,
    resellers::chain,
    sales::terms,
};

#[derive(Clone, Debug)]
pub struct Recharge {
    pub customer: CustomerId,
    /// `None`: the plan the customer has.
    pub plan: Option<PlanId>,
    pub payer: Payer,
}

/// What the caller is told, and told again when it repeats itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Receipt {
    pub customer_id: i64,
    pub service_id: i64,
    pub username: String,
    pub plan_id: i64,
    pub plan_name: String,
    /// Microseconds UTC.
    pub expires_at: i64,
    /// Minor units; 0 when complimentary.
    pub amount: i64,
}

impl Receipt {
    pub fn expires(&self) -> Instant {
        Instant(self.expires_at)
    }
}

/// Ids of one sale.
#[derive(Clone, Copy, Debug)]
struct SaleIds {
    period: PeriodId,
    invoice: InvoiceId,
    payment: PaymentId,
    entry: i64,
}

impl SaleIds {
    async fn take(change: &Change<'_>) -> Result<SaleIds, Error> {
        Ok(SaleIds {
            period: PeriodId(change.id(Table::Period).await?),
            invoice: InvoiceId(change.id(Table::Invoice).await?),
            payment: PaymentId(change.id(Table::Payment).await?),
            entry: change.id(Table::Entry).await?,
        })
    }
}

/// Sells the customer's primary service its next period. The service is active afterwards and the network follows.
pub async fn recharge(app: &App, actor: &Actor, command: Recharge, key: Option<CallerKey>) -> Result<Receipt, Error> {
    sell_next(app, actor, command, false, key).await
}

/// As [`recharge`], and the customer gets a receipt by SMS.
pub async fn recharge_and_tell(
    app: &App,
    actor: &Actor,
    command: Recharge,
    key: Option<CallerKey>,
) -> Result<Receipt, Error> {
    sell_next(app, actor, command, true, key).await
}

/// As [`recharge`], on the account of the operator whose customer it is, whoever asks for it.
///
/// # Errors
/// `Refused` for a customer of no operator.
pub async fn on_operators_account(
    app: &App,
    actor: &Actor,
    (customer, plan): (CustomerId, Option<PlanId>),
    tell: bool,
    key: Option<CallerKey>,
) -> Result<Receipt, Error> {
    let isp = actor.isp;
    let (owner, operator) = app
        .db
        .read(async move |tx| {
            let owner = customer::find(tx, isp, customer).await?.ok_or(Error::NotFound { what: What::Customer })?;
            let operator = match owner.branch_id {
                Some(branch) => store::resellers::operator::of_branch(tx, isp, branch).await?,
                None => None,
            };
            Ok::<_, Error>((owner, operator))
        })
        .await?;
    actor.reaches(owner.branch_id)?;
    if operator.is_none() {
        return Err(Error::Refused(crate::Refusal::NobodysCustomer));
    }
    // Within the operator's branch everything is sold on the operator's account.
    let within = Actor { branch: owner.branch_id, ..actor.clone() };
    sell_next(app, &within, Recharge { customer, plan, payer: Payer::Wallet }, tell, key).await
}

async fn sell_next(
    app: &App,
    actor: &Actor,
    command: Recharge,
    tell: bool,
    key: Option<CallerKey>,
) -> Result<Receipt, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let branch = actor.clone();
    app.change_once(actor, key, async move |change| {
        let owner = customer::lock(change.tx, change.isp, command.customer).await?;
        let owner = owner.ok_or(Error::NotFound { what: What::Customer })?;
        branch.reaches(owner.branch_id)?;
        let services = service::lock_of_customer(change.tx, change.isp, owner.id).await?;
        let mut service = services.into_iter().next().ok_or(Error::NotFound { what: What::Service })?;
        let plan = command.plan.unwrap_or(service.plan_id);
        let offer = match plans::offer(change, plan).await {
            Err(Error::NotFound { what: What::Plan }) => return Err(Error::invalid("plan", Why::Unknown)),
            offer => offer?,
        };
        if !offer.plan.enabled && plan != service.plan_id {
            return Err(Error::Refused(crate::Refusal::NotForSale));
        }
        let amount = sell(change, &tenant, &mut service, &offer, &command.payer).await?;
        service::update(change.tx, &service).await?;
        change.order(Work::follow(service.id)).await?;
        let expires_at = service.expires_at.unwrap_or(change.now);
        if tell {
            queue::receipt(change, &tenant, &owner, &offer.plan.name, amount, expires_at).await?;
        }
        Ok(Receipt {
            customer_id: owner.id.0,
            service_id: service.id.0,
            username: owner.username,
            plan_id: offer.plan.id.0,
            plan_name: offer.plan.name,
            expires_at: expires_at.0,
            amount: amount.0,
        })
    })
    .await
}

/// A period as it is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// As if it were sold then; the money is taken now.
    pub at: Instant,
    pub begin: Begin,
    pub length: Length,
    /// In the place of the end that follows from it, at the same price.
    pub ends_at: Option<Instant>,
}

impl Wanted {
    /// The plan's next period.
    pub fn next(now: Instant) -> Wanted {
        Wanted { at: now, begin: Begin::Usual, length: Length::Plan, ends_at: None }
    }
}

/// What a sale made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made {
    /// What the customer paid.
    pub price: Money,
    /// Where money came in.
    pub payment: Option<PaymentId>,
}

/// The period would be over already.
pub(crate) const OVER: Error = Error::Refused(crate::Refusal::PeriodOver);

/// Sells one period of `offer` to `service` (locked by the caller, saved by the caller, who also orders the network to
/// follow). Whoever acts for a reseller sells on the reseller's account, whatever `payer` says. What the customer paid.
pub(crate) async fn sell(
    change: &Change<'_>,
    tenant: &Tenant,
    service: &mut Service,
    offer: &Offer,
    payer: &Payer,
) -> Result<Money, Error> {
    Ok(sell_as(change, tenant, service, offer, payer, Wanted::next(change.now)).await?.price)
}

/// As [`sell`], a period of another beginning or length than the plan's next one.
pub(crate) async fn sell_as(
    change: &Change<'_>,
    tenant: &Tenant,
    service: &mut Service,
    offer: &Offer,
    payer: &Payer,
    wanted: Wanted,
) -> Result<Made, Error> {
    let ids = SaleIds::take(change).await?;
    let payer = chain::paying(change, offer, payer).await?;
    let before = before(service, change.now);
    let plan_before = (before != "new" && service.plan_id != offer.plan.id).then_some(service.plan_id.0);
    let wallet = match &payer {
        Payer::Wallet => ledger::held(change.tx, change.isp, &Account::CustomerWallet(service.customer_id)).await?,
        Payer::Cash { .. } | Payer::Voucher | Payer::Card { .. } | Payer::Reseller { .. } | Payer::Complimentary => {
            Money::ZERO
        }
    };
    let standing =
        Standing { running: service::running(service, offer.plan.id), quota: service::quota(service), wallet };
    // A discount and quotas of the subscriber's own count on every sale.
    let terms = terms::of_line(change, service.id, &offer.version).await?;
    let running = standing.running;
    let (mut term, part) =
        renewing::shape(wanted.at, running, wanted.begin, wanted.length, terms.validity, &tenant.zone);
    if let Some(end) = wanted.ends_at {
        term.expires_at = end;
        term.anchor_day = term.anchor_day.map(|_| end.day(&tenant.zone).day() as u8);
    }
    if renewing::is_over(&term, change.now) || term.expires_at <= term.starts_at {
        return Err(OVER);
    }
    let terms = part.terms(terms);
    let payer = &part.payer(payer);
    let offer = &terms::offered(offer, &terms);
    let sale = sale::sell(service.customer_id, &standing, &terms, payer, term);
    let sale = sale.map_err(|Refusal::Insufficient { needed }| Error::Insufficient { needed })?;
    let invoiced = sale.taxed.total() > Money::ZERO;

    service.period_ordinal += 1;
    Period {
        isp_id: change.isp,
        id: ids.period,
        service_id: service.id,
        ordinal: service.period_ordinal,
        customer_id: service.customer_id,
        plan_id: offer.plan.id,
        plan_version: offer.version.version,
        starts_at: sale.term.starts_at,
        ends_at: sale.term.expires_at,
        price: sale.price,
        reason: if *payer == Payer::Complimentary { "complimentary" } else { "sold" }.into(),
        invoice_id: invoiced.then_some(ids.invoice),
        created_at: change.now,
    }
    .insert(change.tx)
    .await?;

    if service.plan_id != offer.plan.id {
        terms::set_price(change, service, None).await?;
    }
    service.plan_id = offer.plan.id;
    service.plan_version = offer.version.version;
    if !sale.term.extends {
        service.period_started_at = Some(sale.term.starts_at.max(change.now));
    }
    store::access::fup::period_begins(change.tx, change.isp, service.id, sale.term.starts_at).await?;
    service.expires_at = Some(sale.term.expires_at);
    service.expired_event_at = None;
    service.quota_event_ordinal = None;
    service.anchor_day = sale.term.anchor_day.map(i64::from);
    service.quota_time_s = sale.quota.limit.time_s;
    service.quota_bytes = sale.quota.limit.data_bytes;
    service.used_time_s = sale.quota.used_time_s;
    service.used_bytes = sale.quota.used_bytes;
    service.updated_at = change.now;
    // What is bought ahead for a line that is yet to start does not start it.
    let waits = service.status == Status::Pending
        && sale.term.extends
        && renewal_order::start_of(change.tx, change.isp, service.id).await?.is_some();
    if service.status != Status::Active && !waits {
        service.status = Status::Active;
        service.status_reason = Some("recharged".into());
        service.status_since = change.now;
    }

    let mut payment = None;
    if invoiced || sale.price > Money::ZERO {
        let lines = sale.entry.balanced().ok_or_else(|| Error::Internal("a sale does not balance".into()))?;
        let heading = Heading {
            kind: "recharge",
            reference: Some(format!("period:{}", ids.period)),
            reason: None,
            actor: change.actor,
            at: change.now,
        };
        if !lines.is_empty() {
            ledger::post(change.tx, change.isp, ids.entry, &heading, &lines).await?;
        }
        if let Some(method) = payer.method() {
            payment = Some(ids.payment);
            Payment {
                isp_id: change.isp,
                id: ids.payment,
                customer_id: service.customer_id,
                kind: "recharge".into(),
                amount: sale.price,
                method: method.into(),
                reference: format!("LM{:08}", ids.payment.0),
                state: "confirmed".into(),
                plan_id: Some(offer.plan.id),
                plan_name: Some(offer.plan.name.clone()),
                invoice_id: invoiced.then_some(ids.invoice),
                created_at: change.now,
            }
            .insert(change.tx)
            .await?;
            change.event(
                EventKind::PaymentReceived,
                Subject::Customer(service.customer_id.0),
                json!({
                    "payment": ids.payment.0, "amount": sale.price.0, "method": method,
                    "reference": format!("LM{:08}", ids.payment.0), "customer": service.customer_id.0
                }),
            );
        }
    }
    if invoiced {
        invoice(change, service, offer, ids, &sale.taxed).await?;
    }
    change.event(
        EventKind::ServiceRecharged,
        Subject::Service(service.id.0),
        json!({
            "customer": service.customer_id.0, "plan": offer.plan.id.0, "period": ids.period.0,
            "expires_at": sale.term.expires_at.0, "amount": sale.price.0, "before": before, "plan_before": plan_before
        }),
    );
    Ok(Made { price: sale.price, payment })
}

/// The period's invoice, paid as it is issued. Its number comes last, so that two sales wait for each other briefly.
async fn invoice(
    change: &Change<'_>,
    service: &Service,
    offer: &Offer,
    ids: SaleIds,
    taxed: &Taxed,
) -> Result<(), Error> {
    let (total, terms) = (taxed.total(), plans::terms(&offer.version));
    // The plan's own price stands as it is listed; what was earned otherwise stands with its tax.
    let listed = terms.tax.split(terms.price) == *taxed;
    InvoiceLine {
        isp_id: change.isp,
        invoice_id: ids.invoice,
        line: 1,
        text: offer.plan.name.clone(),
        amount: if listed { offer.version.price } else { total },
        tax_ppm: offer.version.tax_ppm,
        tax_inclusive: offer.version.tax_inclusive || !listed,
        period_id: Some(ids.period),
    }
    .insert(change.tx)
    .await?;
    let number = counter::take(change.tx, change.isp, "invoice:INV", 1).await?;
    Invoice {
        isp_id: change.isp,
        id: ids.invoice,
        series: SERIES.into(),
        number,
        customer_id: service.customer_id,
        service_id: Some(service.id),
        net: taxed.net,
        tax: taxed.tax,
        total,
        paid: total,
        status: BillStatus::Paid,
        issued_at: change.now,
        due_at: change.now,
        description: Some(offer.plan.name.clone()),
        updated_at: change.now,
    }
    .insert(change.tx)
    .await?;
    change.event(
        EventKind::InvoiceIssued,
        Subject::Customer(service.customer_id.0),
        json!({
            "invoice": ids.invoice.0, "number": number, "total": total.0, "due_at": change.now.0,
            "customer": service.customer_id.0, "paid": true
        }),
    );
    Ok(())
}

/// How a line stood before a sale: `new`, `expired`, or its status.
fn before(service: &Service, now: Instant) -> &'static str {
    match service.status {
        _ if service.period_ordinal == 0 => "new",
        Status::Active if service.expires_at.is_some_and(|end| end <= now) => "expired",
        status => status.word(),
    }
}

/// A service id in a receipt, typed again.
impl Receipt {
    pub fn service(&self) -> ServiceId {
        ServiceId(self.service_id)
    }
}
