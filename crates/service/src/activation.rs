//! Activation: a period is sold with its invoice, paid now, from a wallet, or left due in part. Everything of one
//! subscriber is one transaction; a mass activation is one for each.

use domain::{
    CustomerId, Instant, InvoiceId, Money, PaymentId, PeriodId, PlanId, StaffId, Status,
    activation::{self, Insufficient, Paying, Settlement, Wallets},
    bill::BillStatus,
    billing::{self, Payer, Standing},
    event::{EventKind, Subject},
    ledger::{Account, Entry},
    validity::Running,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    counter, customer,
    invoice::{Invoice, InvoiceLine, Payment},
    ledger::{self, Heading},
    location, profile, router,
    service::{self, Period, Service},
    staff, subscriber,
};

use crate::{
    Actor, App, Change, Error,
    app::Tenant,
    change::CallerKey,
    ids::Table,
    plans::{self, Offer},
    recharge::{SERIES, quota},
    terms,
};

/// The package lies on another branch's router.
pub const OTHER_BRANCH: &str = "The package does not belong to the subscriber's branch";
/// There is no salesperson at work who may sell this package.
pub const NO_SELLER: &str = "The salesperson may not sell this package";
pub const NOT_FUTURE: &str = "The expiry must be in the future";
/// [`due`] says which.
pub const DUE: &str = "An invoice of the last hour is still due";

#[derive(Clone, Debug)]
pub struct Activation {
    pub customer: CustomerId,
    /// `None`: the one the subscriber has.
    pub plan: Option<PlanId>,
    pub payment: Payments,
    /// In the place of the package's own validity.
    pub expires_at: Option<Instant>,
}

/// How it is paid; the salesperson is the subscriber's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Payments {
    /// By this method, now; `None` is exactly the price.
    Received {
        method: String,
        amount: Option<Money>,
    },
    /// From the subscriber's wallet, into which this is put first.
    Wallet {
        received: Option<(String, Money)>,
    },
    Salesperson,
    /// From the subscriber's wallet, or else from the salesperson's.
    Smart,
}

/// What the caller is told, and told again when it repeats itself. Amounts in minor units.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Activated {
    pub customer_id: i64,
    pub username: String,
    pub plan_id: i64,
    /// Microseconds UTC.
    pub expires_at: i64,
    pub invoice_id: i64,
    pub total: i64,
    pub due: i64,
}

/// Activates one subscriber.
///
/// # Errors
/// `NotFound` of `customer` or `plan`; `Refused` with one of the texts above; `Insufficient` with the whole price.
pub async fn activate(
    app: &App,
    actor: &Actor,
    command: Activation,
    key: Option<CallerKey>,
) -> Result<Activated, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        let owner = customer::lock(change.tx, change.isp, command.customer).await?;
        let owner = owner.ok_or(Error::NotFound { what: "customer" })?;
        who.reaches(owner.branch_id)?;
        let lines = service::lock_of_customer(change.tx, change.isp, owner.id).await?;
        let mut line = lines.into_iter().next().ok_or(Error::NotFound { what: "customer" })?;
        let offer = wanted(change, &line, command.plan).await?;
        in_branch(change, &owner, &offer).await?;
        let seller = seller(change, owner.id, &offer, &command.payment).await?;
        if command.expires_at.is_some_and(|at| at <= change.now) {
            return Err(Error::Refused(NOT_FUTURE));
        }
        let since = change.now.plus(-activation::DUE_HOLDS);
        if let Some((_, issued, due)) = subscriber::due_invoice(change.tx, change.isp, owner.id, since).await?
            && activation::holds_up(issued, due, change.now)
        {
            return Err(Error::Refused(DUE));
        }
        let sold = sell(change, &tenant, &mut line, &offer, &command, seller).await?;
        service::update(change.tx, &line).await?;
        change.job("network", "converge", change.now, json!({ "service": line.id.0 })).await?;
        let Sold { invoice, total, due } = sold;
        Ok(Activated {
            customer_id: owner.id.0,
            username: owner.username,
            plan_id: offer.plan.id.0,
            expires_at: line.expires_at.unwrap_or(change.now).0,
            invoice_id: invoice.0,
            total: total.0,
            due: due.0,
        })
    })
    .await
}

/// The package asked for, else the present one. What is no longer sold can only be kept.
async fn wanted(change: &Change<'_>, line: &Service, plan: Option<PlanId>) -> Result<Offer, Error> {
    let id = plan.unwrap_or(line.plan_id);
    let offer = plans::offer(change, id).await?;
    if !offer.plan.enabled && id != line.plan_id {
        return Err(Error::NotFound { what: "plan" });
    }
    Ok(offer)
}

async fn in_branch(change: &Change<'_>, owner: &customer::Customer, offer: &Offer) -> Result<(), Error> {
    let Some(id) = offer.plan.router_id else { return Ok(()) };
    let branch = router::find(change.tx, change.isp, id).await?.and_then(|router| router.branch_id);
    match (branch, owner.branch_id) {
        (Some(theirs), Some(own)) if theirs != own => Err(Error::Refused(OTHER_BRANCH)),
        _ => Ok(()),
    }
}

/// The subscriber's salesperson, who must be at work and may sell the package; a subscriber may have none.
async fn seller(
    change: &Change<'_>,
    id: CustomerId,
    offer: &Offer,
    payment: &Payments,
) -> Result<Option<StaffId>, Error> {
    let known = profile::find(change.tx, change.isp, id).await?.and_then(|profile| profile.salesperson_id);
    let Some(seller) = known else {
        return if *payment == Payments::Salesperson { Err(Error::Refused(NO_SELLER)) } else { Ok(None) };
    };
    let person = staff::find(change.tx, change.isp, seller).await?;
    let at_work = person.is_some_and(|person| person.status == "active");
    match at_work && location::may_sell(change.tx, change.isp, seller, offer.plan.id).await? {
        true => Ok(Some(seller)),
        false => Err(Error::Refused(NO_SELLER)),
    }
}

/// Whether this package can be the subscriber's: it is sold, in the branch, and by the salesperson.
pub(crate) async fn may_have(
    change: &Change<'_>,
    owner: &customer::Customer,
    line: &Service,
    plan: PlanId,
) -> Result<Offer, Error> {
    let offer = wanted(change, line, Some(plan)).await?;
    in_branch(change, owner, &offer).await?;
    seller(change, owner.id, &offer, &Payments::Smart).await?;
    Ok(offer)
}

struct Sold {
    invoice: InvoiceId,
    total: Money,
    due: Money,
}

/// The sale itself: decided first, so that a refusal has written nothing.
async fn sell(
    change: &Change<'_>,
    tenant: &Tenant,
    line: &mut Service,
    offer: &Offer,
    command: &Activation,
    seller: Option<StaffId>,
) -> Result<Sold, Error> {
    let terms = terms::of_line(change, line.id, &offer.version).await?;
    let offer = &terms::offered(offer, &terms);
    let taxed = terms.tax.split(terms.price);
    let paying = match &command.payment {
        Payments::Received { method, amount } => Paying::Received { method: method.clone(), amount: *amount },
        Payments::Wallet { received } => Paying::Wallet { received: received.clone() },
        Payments::Salesperson => Paying::Salesperson(seller.ok_or(Error::Refused(NO_SELLER))?),
        Payments::Smart => Paying::Smart(seller),
    };
    let held = async |account| ledger::held(change.tx, change.isp, &account).await;
    let wallets = Wallets {
        subscriber: held(Account::CustomerWallet(line.customer_id)).await?,
        salesperson: match seller {
            Some(id) => held(Account::StaffWallet(id)).await?,
            None => Money::ZERO,
        },
    };
    let settled = activation::settle(line.customer_id, taxed, &paying, wallets)
        .map_err(|Insufficient { price }| Error::Insufficient { needed: price })?;
    let running = line.expires_at.map(|expires_at| Running {
        expires_at,
        anchor_day: line.anchor_day.map(|day| day as u8),
        same_plan: line.plan_id == offer.plan.id,
    });
    let standing = Standing { running, quota: quota(line), wallet: Money::ZERO };
    // Only how long and how much; who pays is settled above.
    let sale = billing::recharge(change.now, line.customer_id, &standing, &terms, &Payer::Complimentary, &tenant.zone);
    let sale = sale.map_err(|_| Error::Internal("a gift needs no money".into()))?;
    let ends = command.expires_at.unwrap_or(sale.term.expires_at);
    let anchor = match command.expires_at {
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
        price: taxed.total(),
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

    let Settlement { credit, sale: entry, received, paid, due } = settled;
    let wallet_first = credit != Entry::new();
    post(change, "top_up", format!("invoice:{invoice}"), credit).await?;
    post(change, "activation", format!("period:{period}"), entry).await?;
    if let Some((method, amount)) = &received {
        payment(change, line, offer, invoice, method, *amount, wallet_first).await?;
    }
    bill(change, line, offer, period, invoice, taxed, paid).await?;
    let body = json!({
        "customer": line.customer_id.0, "plan": offer.plan.id.0, "period": period.0, "expires_at": ends.0,
        "amount": taxed.total().0
    });
    change.event(EventKind::ServiceRecharged, Subject::Service(line.id.0), body);
    Ok(Sold { invoice, total: taxed.total(), due })
}

async fn post(change: &Change<'_>, kind: &str, reference: String, entry: Entry) -> Result<(), Error> {
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
    invoice: InvoiceId,
    method: &str,
    amount: Money,
    wallet_first: bool,
) -> Result<(), Error> {
    let id = PaymentId(change.id(Table::Payment).await?);
    Payment {
        isp_id: change.isp,
        id,
        customer_id: line.customer_id,
        kind: if wallet_first { "payment" } else { "recharge" }.into(),
        amount,
        method: method.into(),
        reference: format!("LM{:08}", id.0),
        state: "confirmed".into(),
        plan_id: Some(offer.plan.id),
        plan_name: Some(offer.plan.name.clone()),
        // What went into the wallet first belongs to no invoice.
        invoice_id: (!wallet_first).then_some(invoice),
        created_at: change.now,
    }
    .insert(change.tx)
    .await?;
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

/// The invoice, numbered last, so that two sales wait for each other briefly.
async fn bill(
    change: &Change<'_>,
    line: &Service,
    offer: &Offer,
    period: PeriodId,
    id: InvoiceId,
    taxed: domain::money::Taxed,
    paid: Money,
) -> Result<(), Error> {
    InvoiceLine {
        isp_id: change.isp,
        invoice_id: id,
        line: 1,
        text: offer.plan.name.clone(),
        amount: offer.version.price,
        tax_ppm: offer.version.tax_ppm,
        tax_inclusive: offer.version.tax_inclusive,
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
    Invoice {
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
    }
    .insert(change.tx)
    .await?;
    change.event(
        EventKind::InvoiceIssued,
        Subject::Customer(line.customer_id.0),
        json!({
            "invoice": id.0, "number": number, "total": total.0, "due_at": change.now.0,
            "customer": line.customer_id.0
        }),
    );
    Ok(())
}

/// The invoice that holds up an activation: its id and what is due.
pub async fn due(app: &App, actor: &Actor, id: CustomerId) -> Result<Option<(InvoiceId, Money)>, Error> {
    let (isp, who, since) = (actor.isp, actor.clone(), app.clock.now().plus(-activation::DUE_HOLDS));
    app.db
        .read(async move |tx| {
            let owner = customer::find(tx, isp, id).await?.ok_or(Error::NotFound { what: "customer" })?;
            who.reaches(owner.branch_id)?;
            Ok(subscriber::due_invoice(tx, isp, id, since).await?.map(|(id, _, due)| (id, due)))
        })
        .await
}

/// How many of a mass activation there were, and why others failed.
#[derive(Clone, Default, Debug)]
pub struct Outcome {
    pub activated: usize,
    pub failed: Vec<(CustomerId, Error)>,
}

/// Activates many, each for itself: what cannot be activated holds up nobody. A caller's key counts for each.
pub async fn activate_many(
    app: &App,
    actor: &Actor,
    ids: &[CustomerId],
    like: &Activation,
    key: Option<CallerKey>,
) -> Result<Outcome, Error> {
    actor.writes()?;
    let mut outcome = Outcome::default();
    for id in ids {
        let command = Activation { customer: *id, ..like.clone() };
        let own = key
            .as_ref()
            .map(|key| CallerKey { key: format!("{}:{id}", key.key), request_hash: key.request_hash.clone() });
        match activate(app, actor, command, own).await {
            Ok(_) => outcome.activated += 1,
            Err(error @ (Error::Unavailable | Error::Busy)) if outcome.activated + outcome.failed.len() == 0 => {
                return Err(error);
            }
            Err(error) => outcome.failed.push((*id, error)),
        }
    }
    Ok(outcome)
}

/// Another package from now on, without a sale: the running period keeps its end, the new price counts from the next
/// activation. The names of the old and the new one.
pub async fn migrate(
    app: &App,
    actor: &Actor,
    id: CustomerId,
    plan: PlanId,
    key: Option<CallerKey>,
) -> Result<(String, String), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        let owner = customer::lock(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: "customer" })?;
        who.reaches(owner.branch_id)?;
        let lines = service::lock_of_customer(change.tx, change.isp, id).await?;
        let mut line = lines.into_iter().next().ok_or(Error::NotFound { what: "customer" })?;
        let offer = may_have(change, &owner, &line, plan).await?;
        let old = store::plan::any(change.tx, change.isp, line.plan_id).await?.map(|plan| plan.name);
        if line.plan_id != plan {
            line.plan_id = plan;
            line.plan_version = offer.version.version;
            line.updated_at = change.now;
            service::update(change.tx, &line).await?;
            let body = json!({ "customer": id.0, "plan": plan.0 });
            change.event(EventKind::ServiceChanged, Subject::Service(line.id.0), body);
            change.job("network", "converge", change.now, json!({ "service": line.id.0 })).await?;
        }
        Ok((old.unwrap_or_default(), offer.plan.name))
    })
    .await
}
