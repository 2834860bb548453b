//! A renewal as staff word it: from when, for how long, at which part of the price, paid how; now or when its time comes
//! (rules: `domain::sales::renewing`).
//!
//! A waiting order sells at its time what it says then: at the prices of that day, from the wallet as it is then. There is
//! one for each line; a newer one takes its place. What cannot be sold then is not sold, and an event says why.

use domain::{
    CustomerId, Instant, IspId, Money, PlanId,
    billing::payment,
    sales::{
        renewing::{self, Begin, Length},
        sale::Payer,
    },
};
use jiff::civil;
use serde::{Deserialize, Serialize};
use store::{
    billing::bill,
    db::Class,
    people::{
        customer,
        service::{self, Service},
    },
    sales::renewal_order::{self as rows, RenewalOrder},
};

use crate::{
    Actor, App, Change, Error, Expected, Fact, Refusal, What, Why,
    billing::receipts::{self, Details},
    catalogue::plans::{self, Offer},
    kernel::{amounts, app::Tenant, change::CallerKey, hold::primary, ids::Table},
    sales::{
        paid,
        recharge::{Wanted, sell_as},
        rest::{self, How},
        sale::save,
        terms,
    },
};

/// So many are made in one turn.
const BATCH: i64 = 100;
/// So many periods one order sells.
pub const MAX_TIMES: i64 = 12;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    Now,
    /// When the present period ends; where none runs, now.
    PeriodEnd,
    /// At 00:00 in the Isp's zone.
    On(civil::Date),
}

/// Who pays.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Paying {
    /// What is held for the customer, which must cover it.
    Wallet,
    /// The money has come, by this method.
    Received { method: String, details: Details },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Renewal {
    pub customer: CustomerId,
    /// `None`: the plan the line has.
    pub plan: Option<PlanId>,
    pub when: When,
    pub begin: Begin,
    pub length: Length,
    /// So many periods, one behind the other; 1 to [`MAX_TIMES`].
    pub times: i64,
    /// What is left of the present period, where this one takes its place, goes back to the wallet first.
    pub credit_rest: bool,
    /// Only where nothing is owed.
    pub only_paid: bool,
    pub paying: Paying,
}

/// What became of it; told again to repeats.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// Microseconds UTC; `None`: it is sold.
    pub waits_until: Option<i64>,
    /// The end of the line's time, microseconds UTC.
    pub expires_at: Option<i64>,
}

/// Renews a line, or orders it for its time.
///
/// # Errors
/// `Invalid` of `plan`, `date` or `paid_on`; `Refused` with `Unpaid`, or where the period would be over already;
/// `Insufficient`.
pub async fn order(app: &App, actor: &Actor, command: Renewal, key: Option<CallerKey>) -> Result<Outcome, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        let mut line = primary(change, &who, command.customer).await?;
        if let Paying::Received { details, .. } = &command.paying {
            receipts::check_day(details.paid_on, change.now, &tenant.zone)?;
        }
        let plan = command.plan.unwrap_or(line.plan_id);
        let offer = match plans::for_sale(change, plan, Some(line.plan_id)).await {
            Err(Error::NotFound { .. }) => return Err(Error::invalid("plan", Why::Unknown)),
            offer => offer?,
        };
        if command.credit_rest {
            change.by_no_reseller().await?;
        }
        let (not_before, at_end) = match command.when {
            When::Now => (change.now, false),
            When::PeriodEnd => (change.now, true),
            When::On(day) => {
                let at = Instant::from_civil(amounts::day("date", day)?.at(0, 0, 0, 0), &tenant.zone);
                if at <= change.now {
                    return Err(Error::invalid("date", Why::Not(Expected::DayToCome)));
                }
                (at, false)
            }
        };
        let at_end = at_end || is_behind(&line, &offer, &command);
        let run_at = waits_until(&line, not_before, at_end);
        if run_at > change.now {
            wait(change, &line, &command, (not_before, at_end), run_at).await?;
            return Ok(Outcome { waits_until: Some(run_at.0), expires_at: line.expires_at.map(|at| at.0) });
        }
        carry_out(change, &tenant, &mut line, &offer, &command).await?;
        Ok(Outcome { waits_until: None, expires_at: line.expires_at.map(|at| at.0) })
    })
    .await
}

/// Another plan cannot begin behind the present one but when that ends.
fn is_behind(line: &Service, offer: &Offer, command: &Renewal) -> bool {
    offer.plan.id != line.plan_id && matches!(command.begin, Begin::AtEnd | Begin::AfterLast)
}

/// When an order is made, as the line's end is now: an order for the end of the period waits for it wherever it moves.
fn waits_until(line: &Service, not_before: Instant, at_end: bool) -> Instant {
    line.expires_at.filter(|_| at_end).map_or(not_before, |end| end.max(not_before))
}

async fn wait(
    change: &Change<'_>,
    line: &Service,
    command: &Renewal,
    (not_before, at_end): (Instant, bool),
    told: Instant,
) -> Result<(), Error> {
    rows::replace_waiting(change.tx, change.isp, line.id, change.now).await?;
    // A move that waits would be made beside it.
    store::sales::plan_move::replace_waiting(change.tx, change.isp, line.id, change.now).await?;
    let (lasts, lasts_count) = command.length.parts();
    let (method, details) = match &command.paying {
        Paying::Wallet => (None, None),
        Paying::Received { method, details } => (Some(method.clone()), Some(kept(details)?)),
    };
    let row = RenewalOrder {
        isp_id: change.isp,
        id: change.id(Table::RenewalOrder).await?,
        service_id: line.id,
        customer_id: line.customer_id,
        branch_id: change.branch,
        plan_id: command.plan,
        begins: command.begin.word().into(),
        lasts: lasts.into(),
        lasts_count,
        times: command.times,
        credit_rest: command.credit_rest,
        only_paid: command.only_paid,
        method,
        details,
        state: "waiting".into(),
        run_at: not_before,
        at_end,
        outcome: None,
        actor: change.actor.into(),
        created_at: change.now,
        done_at: None,
    };
    row.insert(change.tx).await?;
    change.tell(Fact::ServiceRenewalOrdered {
        line: line.id,
        customer: line.customer_id,
        plan: command.plan,
        at: told,
    });
    Ok(())
}

/// As it stands in an order: no more of a card than a payment keeps.
fn kept(details: &Details) -> Result<String, Error> {
    let card_number = details.card_number.as_deref().map(payment::end_of_card);
    let details = Details { card_number, ..details.clone() };
    serde_json::to_string(&details).map_err(|error| Error::Internal(error.to_string()))
}

/// The sale; customer and line are locked, and the line is saved.
async fn carry_out(
    change: &Change<'_>,
    tenant: &Tenant,
    line: &mut Service,
    offer: &Offer,
    command: &Renewal,
) -> Result<(), Error> {
    if command.only_paid && !bill::lock_open(change.tx, change.isp, line.customer_id).await?.is_empty() {
        return Err(Error::Refused(Refusal::Unpaid));
    }
    let replaces = match command.begin {
        Begin::Now => true,
        Begin::Usual => offer.plan.id != line.plan_id,
        Begin::AtEnd | Begin::AfterLast => false,
    };
    let left = match command.credit_rest && replaces {
        true => rest::of_line(change, line, None).await?,
        false => Vec::new(),
    };
    rest::give_back(change, line, &left, How::Left, Some("renewed")).await?;
    for turn in 0..command.times.clamp(1, MAX_TIMES) {
        let begin = if turn == 0 { command.begin } else { Begin::AtEnd };
        let wanted = Wanted { begin, length: command.length, ..Wanted::next(change.now) };
        let (payer, details) = match &command.paying {
            // What was paid goes back to whoever paid it, and the customer owes the new period (docs/RULES.md).
            Paying::Wallet if !left.is_empty() => (Payer::Owed, &Details::default()),
            Paying::Wallet => (Payer::Wallet, &Details::default()),
            Paying::Received { method, details } => (Payer::Cash { method: method.clone() }, details),
        };
        sell_as(change, tenant, line, offer, &payer, details, wanted).await?;
    }
    save(change, line).await?;
    if left.is_empty() { Ok(()) } else { paid::from_held(change, tenant, line.customer_id).await }
}

/// Makes the renewals whose time has come; how many there were.
pub async fn run(app: &App) -> Result<usize, Error> {
    let now = app.clock.now();
    let due = app.db.read(async move |tx| rows::due(tx, now, BATCH).await).await?;
    let mut done = 0;
    for (isp, id) in due {
        match make(app, isp, id).await {
            Ok(()) => done += 1,
            Err(error @ (Error::Unavailable | Error::Busy)) => return Err(error),
            Err(error) => {
                let outcome = error.word().to_string();
                tracing::warn!(%error, isp = isp.0, id, "a renewal that was ordered cannot be made");
                fail(app, isp, id, outcome).await?;
                done += 1;
            }
        }
    }
    Ok(done)
}

async fn make(app: &App, isp: IspId, id: i64) -> Result<(), Error> {
    let tenant = app.tenant(isp).await?;
    let Some(seen) = app.db.read(async move |tx| rows::find(tx, isp, id).await).await? else { return Ok(()) };
    // In a reseller's branch it is sold on his account, as it would have been when it was ordered.
    let actor = Actor { branch: seen.branch_id, ..Actor::system(isp) };
    app.change(&actor, Class::Bulk, async move |change| {
        if customer::lock(change.tx, isp, seen.customer_id).await?.is_none() {
            return end(change, seen.clone(), "failed", "customer_gone").await;
        }
        let lines = service::lock_of_customer(change.tx, isp, seen.customer_id).await?;
        // Read again behind the lock: another node may have made it.
        let row = rows::find(change.tx, isp, id).await?.filter(|row| row.state == "waiting");
        let Some(row) = row else { return Ok(()) };
        let Some(mut line) = lines.into_iter().find(|line| line.id == row.service_id) else {
            return end(change, row, "failed", "line_gone").await;
        };
        let command = command(&row)?;
        // What was for sale when it was ordered is sold.
        let offer = plans::offer(change, command.plan.unwrap_or(line.plan_id)).await?;
        // The line has been given more time since: the order waits on.
        let at_end = row.at_end || is_behind(&line, &offer, &command);
        if at_end && line.time_left(change.now).is_some() {
            return Ok(rows::wait_for_end(change.tx, isp, id).await?);
        }
        carry_out(change, &tenant, &mut line, &offer, &command).await?;
        end(change, row, "done", "").await
    })
    .await
}

/// An order as the command it was.
fn command(row: &RenewalOrder) -> Result<Renewal, Error> {
    let unreadable = || Error::Internal(format!("order {} cannot be read", row.id));
    let details = row.details.as_deref().map_or(Ok(Details::default()), serde_json::from_str);
    Ok(Renewal {
        customer: row.customer_id,
        plan: row.plan_id,
        when: When::Now,
        begin: Begin::from_word(&row.begins).ok_or_else(unreadable)?,
        length: Length::from_parts(&row.lasts, row.lasts_count).ok_or_else(unreadable)?,
        times: row.times,
        credit_rest: row.credit_rest,
        only_paid: row.only_paid,
        paying: match &row.method {
            None => Paying::Wallet,
            Some(method) => Paying::Received { method: method.clone(), details: details.map_err(|_| unreadable())? },
        },
    })
}

async fn fail(app: &App, isp: IspId, id: i64, why: String) -> Result<(), Error> {
    app.change(&Actor::system(isp), Class::Bulk, async move |change| {
        match rows::find(change.tx, isp, id).await?.filter(|row| row.state == "waiting") {
            Some(row) => end(change, row, "failed", &why).await,
            None => Ok(()),
        }
    })
    .await
}

async fn end(change: &Change<'_>, row: RenewalOrder, state: &str, outcome: &str) -> Result<(), Error> {
    let told: String = outcome.chars().take(300).collect();
    if state == "failed" {
        change.tell(Fact::ServiceRenewalFailed {
            line: row.service_id,
            customer: row.customer_id,
            outcome: told.clone(),
        });
    }
    let outcome = Some(told).filter(|told| !told.is_empty());
    let row = RenewalOrder { state: state.into(), outcome, done_at: Some(change.now), ..row };
    Ok(rows::end(change.tx, &row).await?)
}

/// How a line is renewed where nobody says otherwise.
#[derive(Clone, Debug)]
pub struct Defaults {
    pub customer: CustomerId,
    pub plan: PlanId,
    pub plan_name: String,
    /// What the next period costs, tax included, the line's own price and discount counted.
    pub price: Money,
    pub starts_at: Instant,
    pub ends_at: Instant,
    pub auto_renew: bool,
    /// When an ordered renewal will be made.
    pub waits_until: Option<Instant>,
}

/// What the next renewal of the line would be that this period was sold to.
pub async fn defaults(app: &App, actor: &Actor, period: i64) -> Result<Defaults, Error> {
    let tenant = app.tenant(actor.isp).await?;
    let (isp, who, now) = (actor.isp, actor.clone(), app.clock.now());
    app.db
        .read(async move |tx| {
            const UNKNOWN: Error = Error::NotFound { what: What::Billing };
            let line = rows::period(tx, isp, period).await?.ok_or(UNKNOWN)?.service_id;
            let line = service::find(tx, isp, line).await?.ok_or(UNKNOWN)?;
            let owner = customer::find(tx, isp, line.customer_id).await?.ok_or(UNKNOWN)?;
            who.reaches(owner.branch_id)?;
            let plan = store::catalogue::plan::any(tx, isp, line.plan_id)
                .await?
                .ok_or(Error::NotFound { what: What::Plan })?;
            let version = store::catalogue::plan::version(tx, isp, plan.id, plan.version).await?;
            let version = version.ok_or(Error::NotFound { what: What::Plan })?;
            let terms = terms::of(tx, line.id, &version).await?;
            let running = service::running(&line, plan.id);
            let (term, _) = renewing::shape(now, running, Begin::Usual, Length::Plan, terms.validity, &tenant.zone);
            let waits = rows::waiting_of(tx, isp, line.id).await?;
            let waits = waits.map(|order| waits_until(&line, order.run_at, order.at_end));
            Ok(Defaults {
                customer: line.customer_id,
                plan: plan.id,
                plan_name: plan.name,
                price: terms.tax.split(terms.price).total(),
                starts_at: term.starts_at,
                ends_at: term.expires_at,
                auto_renew: line.auto_renew,
                waits_until: waits,
            })
        })
        .await
}
