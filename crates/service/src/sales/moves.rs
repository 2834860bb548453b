//! Moves of a line to another plan: at once, back to the beginning of the running period, at its end, or on a day.
//! Where billing moves too, what is left of the old period is given back and the new one is billed; the customer's wallet
//! pays as far as it reaches, the rest is owed.

use domain::{
    CustomerId, Instant, IspId, Money, PeriodId, PlanId, Quota, ServiceId, Status,
    billing::bill::Line,
    catalogue::validity::{self, Running},
    sales::moving::{self, MoveKind},
};
use jiff::civil;
use store::{
    db::Class,
    people::{
        customer,
        service::{self, Period, Service},
    },
    sales::plan_move::{self as rows, Move, Wanted},
};

use crate::{
    Actor, App, Change, Error, Expected, Fact, What, Why,
    access::attribute_stages,
    billing::{
        credit::{self, Back},
        invoices::{self, New},
        receipts,
    },
    catalogue::plans,
    kernel::work::Work,
    kernel::{app::Tenant, ids::Table},
    resellers::chain,
    sales::{paid, terms},
};

/// So many are made in one turn.
const BATCH: i64 = 100;
/// So many periods bought ahead are given back.
const AHEAD: i64 = 60;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    Now,
    /// Now, billed from the beginning of the running period.
    ThisCycle,
    /// When the running period ends.
    NextCycle,
    /// At 00:00 in the Isp's zone.
    On(civil::Date),
}

#[derive(Clone, Debug)]
pub struct NewMove {
    pub customer: CustomerId,
    pub plan: PlanId,
    pub when: When,
    /// What has been used counts no longer.
    pub clear_usage: bool,
    /// The line's own rates and attributes go.
    pub clear_policies: bool,
    /// Otherwise the running period stays what it was sold as, and later ones are sold at the old plan's price and for
    /// its time, until billing moves or another plan is bought.
    pub move_billing: bool,
}

/// Makes a move, or orders it for its time; an order takes the place of earlier ones.
pub async fn order(app: &App, actor: &Actor, command: NewMove) -> Result<(), Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let owner = customer::lock(change.tx, change.isp, command.customer).await?;
        who.reaches(owner.ok_or(Error::NotFound { what: What::Customer })?.branch_id)?;
        let line = service::lock_of_customer(change.tx, change.isp, command.customer).await?.into_iter().next();
        let mut line = line.ok_or(Error::NotFound { what: What::Service })?;
        // What is given back and billed anew is the Isp's own business: a reseller sells.
        chain::sells_nothing(change).await?;
        match plans::offer(change, command.plan).await {
            Err(Error::NotFound { .. }) => return Err(Error::invalid("plan", Why::Unknown)),
            offer => offer?,
        };
        let (kind, run_at) = match command.when {
            When::Now => (MoveKind::Now, change.now),
            When::ThisCycle => (MoveKind::ThisCycle, change.now),
            // A line whose time is over begins its next cycle now.
            When::NextCycle => match line.expires_at.filter(|at| *at > change.now) {
                Some(end) => (MoveKind::NextCycle, end),
                None => (MoveKind::Now, change.now),
            },
            When::On(day) => {
                let at = Instant::from_civil(day.at(0, 0, 0, 0), &tenant.zone);
                if at <= change.now {
                    return Err(Error::invalid("date", Why::Not(Expected::DayToCome)));
                }
                (MoveKind::OnDate, at)
            }
        };
        rows::replace_waiting(change.tx, change.isp, line.id, change.now).await?;
        let mut row = Move {
            isp_id: change.isp,
            id: change.id(Table::Period).await?,
            service_id: line.id,
            customer_id: command.customer,
            from_plan: line.plan_id,
            to_plan: command.plan,
            kind: kind.word().into(),
            clear_usage: command.clear_usage,
            clear_policies: command.clear_policies,
            move_billing: command.move_billing,
            state: "waiting".into(),
            run_at,
            credit: Money::ZERO,
            charge: Money::ZERO,
            outcome: None,
            actor: change.actor.into(),
            created_at: change.now,
            done_at: None,
        };
        row.insert(change.tx).await?;
        if run_at > change.now {
            change.tell(Fact::ServiceMoveOrdered {
                line: line.id,
                customer: row.customer_id,
                plan: row.to_plan,
                at: run_at,
            });
            return Ok(());
        }
        carry_out(change, &tenant, &mut line, &mut row, kind).await
    })
    .await
}

/// Makes the moves whose time has come; how many there were.
pub async fn run(app: &App) -> Result<usize, Error> {
    let now = app.clock.now();
    let due = app.db.read(async move |tx| rows::due(tx, now, BATCH).await).await?;
    let mut done = 0;
    for (isp, id) in due {
        match make(app, isp, id).await {
            Ok(()) => done += 1,
            Err(Error::Unavailable) => return Err(Error::Unavailable),
            Err(Error::Busy) => return Err(Error::Busy),
            Err(error) => {
                tracing::warn!(%error, isp = isp.0, id, "a move to another plan cannot be made");
                fail(app, isp, id, error.to_string()).await?;
            }
        }
    }
    Ok(done)
}

async fn make(app: &App, isp: IspId, id: i64) -> Result<(), Error> {
    let tenant = app.tenant(isp).await?;
    app.change(&Actor::system(isp), Class::Bulk, async move |change| {
        let Some(seen) = rows::find(change.tx, isp, id).await? else { return Ok(()) };
        if customer::lock(change.tx, isp, seen.customer_id).await?.is_none() {
            return end(change, seen, "failed", "the customer is gone").await;
        }
        let lines = service::lock_of_customer(change.tx, isp, seen.customer_id).await?;
        // Read again behind the lock: another node may have made it.
        let row = rows::find(change.tx, isp, id).await?.filter(|row| row.state == "waiting");
        let Some(mut row) = row else { return Ok(()) };
        let Some(mut line) = lines.into_iter().find(|line| line.id == row.service_id) else {
            return end(change, row, "failed", "the line is gone").await;
        };
        let kind = MoveKind::from_word(&row.kind).unwrap_or(MoveKind::OnDate);
        carry_out(change, &tenant, &mut line, &mut row, kind).await
    })
    .await
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

async fn end(change: &Change<'_>, row: Move, state: &str, outcome: &str) -> Result<(), Error> {
    let done_at = Some(change.now);
    let row = Move { state: state.into(), outcome: Some(outcome.chars().take(300).collect()), done_at, ..row };
    Ok(rows::update(change.tx, &row).await?)
}

/// The move itself; customer and line are locked.
async fn carry_out(
    change: &Change<'_>,
    tenant: &Tenant,
    line: &mut Service,
    row: &mut Move,
    kind: MoveKind,
) -> Result<(), Error> {
    row.from_plan = line.plan_id;
    let offer = plans::offer(change, row.to_plan).await?;
    if row.clear_policies {
        attribute_stages::clear(change, line).await?;
    }
    let sold = (line.plan_id, line.plan_version);
    if row.move_billing {
        terms::set_price(change, line, None).await?;
    } else if sold.0 != offer.plan.id {
        terms::keep_price(change, line.id, sold, offer.plan.id).await?;
    }
    line.plan_id = offer.plan.id;
    let rebill = row.move_billing && kind != MoveKind::NextCycle && line.status != Status::Terminated;
    let mut became_paid = Vec::new();
    if rebill {
        let terms = terms::of_line(change, line.id, &offer.version).await?;
        let old = periods_ahead(change, line.id).await?;
        row.credit = match kind {
            // The running period only: what was bought ahead of it is still ahead.
            MoveKind::ThisCycle => give_back(change, kind, &old[..old.len().min(1)]).await?,
            MoveKind::Now | MoveKind::OnDate | MoveKind::NextCycle => give_back(change, kind, &old).await?,
        };
        let old = old.into_iter().next();
        let starts_at = match (kind, &old) {
            (MoveKind::ThisCycle, Some(old)) => old.starts_at.min(change.now),
            _ => change.now,
        };
        let none: Option<Running> = None;
        let term = validity::next_term(starts_at, none, terms.validity, &tenant.zone);
        row.charge = terms.tax.split(terms.price).total();
        let period = PeriodId(change.id(Table::Period).await?);
        let billed = match row.charge > Money::ZERO {
            true => {
                let says = Line::with_tax(row.charge, terms.tax.ppm);
                let new = New {
                    id: invoices::draw(change).await?,
                    customer: line.customer_id,
                    line: Some(line.id),
                    text: offer.plan.name.clone(),
                    description: Some(offer.plan.name.clone()),
                    says,
                    taxed: says.taxed(),
                    paid: Money::ZERO,
                    due_at: invoices::due(change.now, None, &tenant.zone),
                    period: Some(period),
                    sells: None,
                };
                Some(invoices::owe(change, new).await?)
            }
            false => None,
        };
        line.period_ordinal += 1;
        Period {
            isp_id: change.isp,
            id: period,
            service_id: line.id,
            ordinal: line.period_ordinal,
            customer_id: line.customer_id,
            plan_id: offer.plan.id,
            plan_version: offer.version.version,
            starts_at: term.starts_at,
            ends_at: term.expires_at,
            price: row.charge,
            reason: "moved".into(),
            invoice_id: billed.as_ref().map(|invoice| invoice.id),
            created_at: change.now,
        }
        .insert(change.tx)
        .await?;
        became_paid = receipts::from_wallet(change, line.customer_id).await?;
        line.plan_version = offer.version.version;
        line.period_started_at = Some(term.starts_at);
        line.expires_at = Some(term.expires_at);
        line.expired_event_at = None;
        line.quota_event_ordinal = None;
        line.anchor_day = term.anchor_day.map(i64::from);
        let keeps = kind == MoveKind::ThisCycle && !row.clear_usage;
        let used = if keeps { (line.used_time_s, line.used_bytes) } else { (0, 0) };
        set_quota(line, Quota { limit: terms.limit, used_time_s: used.0, used_bytes: used.1 });
    } else {
        line.plan_version = offer.version.version;
        if row.clear_usage {
            line.used_time_s = 0;
            line.used_bytes = 0;
            line.quota_event_ordinal = None;
            line.period_started_at = Some(change.now);
        }
    }
    line.updated_at = change.now;
    service::update(change.tx, line).await?;
    row.state = "done".into();
    row.done_at = Some(change.now);
    rows::update(change.tx, row).await?;
    change.tell(Fact::ServiceMoved {
        line: line.id,
        customer: line.customer_id,
        from: row.from_plan,
        plan: row.to_plan,
        kind: row.kind.clone(),
        credit: row.credit,
        charge: row.charge,
        expires_at: line.expires_at,
        plan_before: None,
    });
    change.order(Work::follow(line.id)).await?;
    paid::settle(change, tenant, &became_paid).await
}

fn set_quota(line: &mut Service, quota: Quota) {
    line.quota_time_s = quota.limit.time_s;
    line.quota_bytes = quota.limit.data_bytes;
    line.used_time_s = quota.used_time_s;
    line.used_bytes = quota.used_bytes;
}

/// The newest period of a line, and those before it as long as the one behind has not begun: what it has ahead.
pub(crate) async fn periods_ahead(change: &Change<'_>, line: ServiceId) -> Result<Vec<Period>, Error> {
    let all = store::sales::renewal_order::periods_of(change.tx, change.isp, line, AHEAD).await?;
    let mut ahead: Vec<Period> = Vec::new();
    for period in all {
        match ahead.last() {
            Some(later) if later.starts_at <= change.now || period.ends_at != later.starts_at => break,
            _ => ahead.push(period),
        }
    }
    Ok(ahead)
}

/// Gives back what these periods took for the time that is left, to whoever paid, with credit notes.
pub(crate) async fn give_back(change: &Change<'_>, kind: MoveKind, periods: &[Period]) -> Result<Money, Error> {
    let mut sum = Money::ZERO;
    for period in periods {
        let Some(moved) = credit::moved(change, period.id, period.invoice_id).await? else { continue };
        let share = moving::share(kind, period.starts_at, period.ends_at, change.now);
        let (customer, invoice, reason) = (period.customer_id, period.invoice_id, Some("moved"));
        let back = Back { customer, period: period.id, invoice, moved: &moved, share, reason };
        sum = Money(sum.0.saturating_add(credit::note(change, back).await?.0));
    }
    Ok(sum)
}

/// Periods sold and moves made, the newest first.
#[derive(Clone, Debug)]
pub enum Renewal {
    Sold { period: Period, previous: Option<PlanId> },
    Moved(Move),
}

impl Renewal {
    pub fn at(&self) -> Instant {
        match self {
            Renewal::Sold { period, .. } => period.created_at,
            Renewal::Moved(row) => row.done_at.unwrap_or(row.created_at),
        }
    }
}

/// So many in one answer.
pub const RENEWALS: i64 = 10_000;

pub async fn renewals(
    app: &App,
    actor: &Actor,
    customer: Option<CustomerId>,
    from: Instant,
    until: Instant,
) -> Result<Vec<Renewal>, Error> {
    let isp = actor.isp;
    let wanted = Wanted { customer, branch: actor.branch, from, until, limit: RENEWALS };
    app.db
        .read(async move |tx| {
            let sold = rows::periods(tx, isp, &wanted).await?;
            let moved = rows::made(tx, isp, &wanted).await?;
            let mut all: Vec<Renewal> =
                sold.into_iter().map(|(period, previous)| Renewal::Sold { period, previous }).collect();
            // A move that billed shows as the period it opened.
            all.extend(moved.into_iter().filter(|row| row.charge == Money::ZERO).map(Renewal::Moved));
            all.sort_by_key(|one| std::cmp::Reverse(one.at()));
            all.truncate(RENEWALS as usize);
            Ok(all)
        })
        .await
}
