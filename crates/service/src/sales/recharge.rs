//! The sale of a period: money, invoice, expiry, quota and the order to the network in one transaction.

use domain::{
    CustomerId, Instant, InvoiceId, Money, PeriodId, PlanId, ServiceId, Status,
    billing::{
        bill::Line,
        ledger::{Account, Kind},
        payment::PaymentKind,
    },
    kernel::event::{EventKind, Subject},
    sales::{
        renewing::{self, Begin, Length},
        sale::{self, Payer, Refusal, Standing},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    billing::ledger,
    people::{
        customer,
        service::{self, Period, Service},
    },
    sales::renewal_order,
};

use crate::{
    Actor, App, Change, Error, What, Why,
    billing::{
        entries::{self, Heading, Of},
        invoices::{self, New},
        receipts::{self, Details, Means, Received},
    },
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
}

impl SaleIds {
    async fn take(change: &Change<'_>) -> Result<SaleIds, Error> {
        Ok(SaleIds { period: PeriodId(change.id(Table::Period).await?), invoice: invoices::draw(change).await? })
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
    pub period: PeriodId,
    /// What the customer paid.
    pub price: Money,
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
    Ok(sell_as(change, tenant, service, offer, payer, &Details::default(), Wanted::next(change.now)).await?.price)
}

/// As [`sell`], a period of another beginning or length than the plan's next one.
pub(crate) async fn sell_as(
    change: &Change<'_>,
    tenant: &Tenant,
    service: &mut Service,
    offer: &Offer,
    payer: &Payer,
    details: &Details,
    wanted: Wanted,
) -> Result<Made, Error> {
    let ids = SaleIds::take(change).await?;
    let payer = chain::paying(change, offer, payer).await?;
    let before = before(service, change.now);
    let plan_before = (before != "new" && service.plan_id != offer.plan.id).then_some(service.plan_id.0);
    let wallet = match &payer {
        Payer::Wallet => ledger::held(change.tx, change.isp, &Account::CustomerWallet(service.customer_id)).await?,
        Payer::Cash { .. }
        | Payer::Voucher
        | Payer::Card { .. }
        | Payer::Reseller { .. }
        | Payer::Billed { .. }
        | Payer::Complimentary => Money::ZERO,
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
        invoice_id: match payer {
            Payer::Billed { invoice, .. } => Some(*invoice),
            _ => invoiced.then_some(ids.invoice),
        },
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

    entries::post(change, Heading::new(Kind::Recharge, Of::Period(ids.period)), sale.entry).await?;
    let total = sale.taxed.total();
    if let Some(method) = payer.method().filter(|_| sale.price > Money::ZERO) {
        let means = Means { method: method.into(), reference: None };
        let settles: &[_] = if invoiced { &[(ids.invoice, total)] } else { &[] };
        let (customer, amount, kind) = (service.customer_id, sale.price, PaymentKind::Recharge);
        let plan = Some((offer.plan.id, offer.plan.name.as_str()));
        let received = Received { customer, amount, kind, means: &means, details, plan, settles };
        receipts::write(change, &tenant.zone, received).await?;
    }
    if invoiced {
        let rate = plans::terms(&offer.version).tax;
        invoices::issue(
            change,
            New {
                id: ids.invoice,
                customer: service.customer_id,
                line: Some(service.id),
                text: offer.plan.name.clone(),
                description: Some(offer.plan.name.clone()),
                says: Line::of(offer.version.price, rate, sale.taxed),
                taxed: sale.taxed,
                paid: total,
                due_at: change.now,
                period: Some(ids.period),
                sells: None,
            },
        )
        .await?;
    }
    change.event(
        EventKind::ServiceRecharged,
        Subject::Service(service.id.0),
        json!({
            "customer": service.customer_id.0, "plan": offer.plan.id.0, "period": ids.period.0,
            "expires_at": sale.term.expires_at.0, "amount": sale.price.0, "before": before, "plan_before": plan_before
        }),
    );
    Ok(Made { period: ids.period, price: sale.price })
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
