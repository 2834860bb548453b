//! The sale of the next period: who pays and until when is decided here; [`sale`](super::sale) writes it.

use domain::{
    CustomerId, Instant, Money, PlanId, ServiceId,
    billing::ledger::Account,
    sales::{
        renewing::{self, Begin, Length},
        sale::{self, Payer, Refusal, Standing},
    },
};
use serde::{Deserialize, Serialize};
use store::{
    billing::ledger,
    people::service::{self, Service},
    resellers::operator,
};

use crate::{
    Actor, App, Change, Error, What, Why,
    billing::receipts::Details,
    catalogue::plans::{self, Offer},
    kernel::{
        app::Tenant,
        change::CallerKey,
        hold::{Held, hold},
    },
    resellers::chain,
    sales::{
        receipt,
        sale::{Cause, Sale, WhoPays, save, sold},
        starts, terms,
    },
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

/// Sells the customer's primary line its next period. It is active afterwards, unless it begins on a day to come, and the
/// network follows.
pub async fn recharge(app: &App, actor: &Actor, command: Recharge, key: Option<CallerKey>) -> Result<Receipt, Error> {
    sell_next(app, actor, command, Whose::Said, false, key).await
}

/// As [`recharge`], and the customer gets a receipt by SMS.
pub async fn recharge_and_tell(
    app: &App,
    actor: &Actor,
    command: Recharge,
    key: Option<CallerKey>,
) -> Result<Receipt, Error> {
    sell_next(app, actor, command, Whose::Said, true, key).await
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
    sell_next(app, actor, Recharge { customer, plan, payer: Payer::Wallet }, Whose::Operators, tell, key).await
}

/// On whose account it is sold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Whose {
    /// As the payer is said; a reseller's people sell on his.
    Said,
    /// The operator's who has the customer.
    Operators,
}

async fn sell_next(
    app: &App,
    actor: &Actor,
    command: Recharge,
    whose: Whose,
    tell: bool,
    key: Option<CallerKey>,
) -> Result<Receipt, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        let held: Held = hold(change, &who, command.customer).await?;
        let operator = match (whose, held.owner.branch_id) {
            (Whose::Said, _) => None,
            (Whose::Operators, Some(branch)) => {
                operator::of_branch(change.tx, change.isp, branch).await?.map(|_| branch)
            }
            (Whose::Operators, None) => None,
        };
        if whose == Whose::Operators && operator.is_none() {
            return Err(Error::Refused(crate::Refusal::NobodysCustomer));
        }
        let (owner, mut line) = held.primary()?;
        let plan = command.plan.unwrap_or(line.plan_id);
        let offer = match plans::for_sale(change, plan, Some(line.plan_id)).await {
            Err(Error::NotFound { what: What::Plan }) => return Err(Error::invalid("plan", Why::Unknown)),
            offer => offer?,
        };
        let payer = match operator {
            Some(branch) => chain::account(change, branch, &offer).await?,
            None => chain::paying(change, &offer, &command.payer).await?,
        };
        let wanted = Wanted::next(change.now);
        let price = sell_to(change, &tenant, &mut line, &offer, payer, &Details::default(), wanted).await?;
        save(change, &line).await?;
        let expires_at = line.expires_at.unwrap_or(change.now);
        if tell {
            receipt::tell(change, &tenant, &owner, &offer.plan.name, price, expires_at).await?;
        }
        Ok(Receipt {
            customer_id: owner.id.0,
            service_id: line.id.0,
            username: owner.username,
            plan_id: offer.plan.id.0,
            plan_name: offer.plan.name,
            expires_at: expires_at.0,
            amount: price.0,
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
    pub cause: Cause,
}

impl Wanted {
    /// The plan's next period.
    pub fn next(now: Instant) -> Wanted {
        Wanted { at: now, begin: Begin::Usual, length: Length::Plan, ends_at: None, cause: Cause::Recharge }
    }

    /// The first period of a new line, which begins then.
    pub fn first(at: Instant) -> Wanted {
        Wanted { at, begin: Begin::Now, length: Length::Plan, ends_at: None, cause: Cause::First }
    }
}

/// The period would be over already.
pub(crate) const OVER: Error = Error::Refused(crate::Refusal::PeriodOver);

/// Sells one period of `offer` to `line` (locked by the caller, saved by the caller, who also orders the network to
/// follow). Whoever acts for a reseller sells on the reseller's account, whatever `payer` says. What the customer paid.
pub(crate) async fn sell(
    change: &Change<'_>,
    tenant: &Tenant,
    line: &mut Service,
    offer: &Offer,
    payer: &Payer,
) -> Result<Money, Error> {
    sell_as(change, tenant, line, offer, payer, &Details::default(), Wanted::next(change.now)).await
}

/// As [`sell`], a period of another beginning or length than the plan's next one.
pub(crate) async fn sell_as(
    change: &Change<'_>,
    tenant: &Tenant,
    line: &mut Service,
    offer: &Offer,
    payer: &Payer,
    details: &Details,
    wanted: Wanted,
) -> Result<Money, Error> {
    let payer = chain::paying(change, offer, payer).await?;
    sell_to(change, tenant, line, offer, payer, details, wanted).await
}

/// As [`sell_as`], to this payer and no other. A line that begins on a day to come has its period from that day on.
pub(crate) async fn sell_to(
    change: &Change<'_>,
    tenant: &Tenant,
    line: &mut Service,
    offer: &Offer,
    payer: Payer,
    details: &Details,
    wanted: Wanted,
) -> Result<Money, Error> {
    let wallet = match &payer {
        Payer::Wallet => ledger::held(change.tx, change.isp, &Account::CustomerWallet(line.customer_id)).await?,
        Payer::Cash { .. }
        | Payer::Voucher
        | Payer::Card { .. }
        | Payer::Reseller { .. }
        | Payer::Owed
        | Payer::Billed { .. }
        | Payer::Complimentary => Money::ZERO,
    };
    let standing = Standing { running: service::running(line, offer.plan.id), quota: service::quota(line), wallet };
    // A discount and quotas of the subscriber's own count on every sale.
    let terms = terms::of_line(change, line.id, &offer.version).await?;
    let start = starts::of_line(change, line).await?;
    let at = start.map_or(wanted.at, |start| wanted.at.max(start.start_at));
    let (term, part) = renewing::shape(at, standing.running, wanted.begin, wanted.length, terms.validity, &tenant.zone);
    let term = wanted.ends_at.map_or(term, |end| term.until(end, &tenant.zone));
    if renewing::is_over(&term, change.now) || term.expires_at <= term.starts_at {
        return Err(OVER);
    }
    let terms = part.terms(terms);
    let payer = part.payer(payer);
    let offer = &terms::offered(offer, &terms);
    let sale::Sale { term, quota, price, settled } = sale::sell(line.customer_id, &standing, &terms, &payer, term)
        .map_err(|Refusal::Insufficient { needed }| Error::Insufficient { needed })?;
    let who_pays = match payer {
        Payer::Complimentary => WhoPays::Nobody,
        Payer::Billed { invoice, .. } => WhoPays::Bill(invoice),
        Payer::Cash { .. }
        | Payer::Wallet
        | Payer::Voucher
        | Payer::Card { .. }
        | Payer::Reseller { .. }
        | Payer::Owed => WhoPays::Settled(settled, details),
    };
    let sale = Sale { line, offer, term, quota, price, who_pays, why: wanted.cause };
    sold(change, tenant, sale).await?;
    Ok(price)
}

/// A service id in a receipt, typed again.
impl Receipt {
    pub fn service(&self) -> ServiceId {
        ServiceId(self.service_id)
    }
}
