//! Moves of a line to another plan: at once, back to the beginning of the running period, at its end, or on a day.
//! Where billing moves too, what is left of the old period is given back and the new one is billed; the customer's wallet
//! pays as far as it reaches, the rest is owed.

use domain::{
    CustomerId, Instant, IspId, Money, PlanId, Status,
    sales::{moving::MoveKind, renewing::Begin, sale::Payer},
};
use jiff::civil;
use store::{
    db::Class,
    people::{
        customer,
        service::{self, Period, Service},
    },
    sales::plan_move::{self as rows, Move, Wanted as Asked},
};

use crate::{
    Actor, App, Change, Error, Expected, Fact, Why,
    access::{attribute_stages, fup},
    billing::receipts::Details,
    catalogue::plans::{self, Offer},
    kernel::{amounts, app::Tenant, change::CallerKey, hold::primary, ids::Table},
    sales::{
        paid,
        recharge::{Wanted, sell_as},
        rest::{self, How},
        sale::{Cause, save, usage_begins},
        terms, turning,
    },
};

/// So many are made in one turn.
const BATCH: i64 = 100;

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
pub async fn order(app: &App, actor: &Actor, command: NewMove, key: Option<CallerKey>) -> Result<(), Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        let mut line = primary(change, &who, command.customer).await?;
        // What is given back and billed anew is the Isp's own business: a reseller sells.
        change.by_no_reseller().await?;
        match plans::for_sale(change, command.plan, Some(line.plan_id)).await {
            Err(Error::NotFound { .. }) => return Err(Error::invalid("plan", Why::Unknown)),
            offer => offer?,
        };
        let (kind, run_at) = match command.when {
            When::Now => (MoveKind::Now, change.now),
            When::ThisCycle => (MoveKind::ThisCycle, change.now),
            // A line whose time is over begins its next cycle now.
            When::NextCycle => match line.time_left(change.now) {
                Some(end) => (MoveKind::NextCycle, end),
                None => (MoveKind::Now, change.now),
            },
            When::On(day) => {
                let at = Instant::from_civil(amounts::day("date", day)?.at(0, 0, 0, 0), &tenant.zone);
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
                fail(app, isp, id, error.word().to_string()).await?;
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
            return end(change, seen, "failed", "customer_gone").await;
        }
        let lines = service::lock_of_customer(change.tx, isp, seen.customer_id).await?;
        // Read again behind the lock: another node may have made it.
        let row = rows::find(change.tx, isp, id).await?.filter(|row| row.state == "waiting");
        let Some(mut row) = row else { return Ok(()) };
        let Some(mut line) = lines.into_iter().find(|line| line.id == row.service_id) else {
            return end(change, row, "failed", "line_gone").await;
        };
        let kind = MoveKind::from_word(&row.kind).unwrap_or(MoveKind::OnDate);
        if kind == MoveKind::NextCycle && line.time_left(change.now).is_some() {
            // The line has been given more time since: the order waits on.
            return Ok(());
        }
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
    let before = line.clone();
    row.from_plan = line.plan_id;
    let offer = plans::offer(change, row.to_plan).await?;
    if row.clear_policies {
        attribute_stages::clear(change, line).await?;
    }
    if row.move_billing {
        terms::set_price(change, line, None).await?;
    } else if line.plan_id != offer.plan.id {
        terms::keep_price(change, line.id, (line.plan_id, line.plan_version), offer.plan.id).await?;
    }
    let billed = row.move_billing && kind != MoveKind::NextCycle && line.status != Status::Terminated;
    match billed {
        true => bill_anew(change, tenant, line, &offer, row, kind).await?,
        false => (line.plan_id, line.plan_version) = (offer.plan.id, offer.version.version),
    }
    if row.clear_usage {
        clear_usage(change, tenant, line).await?;
    }
    line.updated_at = change.now;
    row.state = "done".into();
    row.done_at = Some(change.now);
    rows::update(change.tx, row).await?;
    // Where nothing was sold that would tell of it.
    let plan_before = Some(before.plan_id).filter(|plan| !billed && *plan != line.plan_id);
    if !billed {
        turning::tell(change, &before, line, "moved");
    }
    save(change, line).await?;
    change.tell(Fact::ServiceMoved {
        line: line.id,
        customer: line.customer_id,
        from: row.from_plan,
        plan: row.to_plan,
        kind: row.kind.clone(),
        credit: row.credit,
        charge: row.charge,
        expires_at: line.expires_at,
        plan_before,
    });
    if billed { paid::from_held(change, tenant, line.customer_id).await } else { Ok(()) }
}

/// What is left of the old package is given back, and a period of the new one is sold: from now, or in the place of the
/// running one from its beginning. The customer owes it.
async fn bill_anew(
    change: &Change<'_>,
    tenant: &Tenant,
    line: &mut Service,
    offer: &Offer,
    row: &mut Move,
    kind: MoveKind,
) -> Result<(), Error> {
    let left = rest::of_line(change, line, None).await?;
    let running = left.last().map(|rest| rest.period.starts_at);
    let (at, how) = match (kind, running) {
        (MoveKind::ThisCycle, Some(began)) => (began.min(change.now), How::Whole),
        (MoveKind::ThisCycle | MoveKind::Now | MoveKind::OnDate | MoveKind::NextCycle, _) => (change.now, How::Left),
    };
    row.credit = rest::give_back(change, line, &left, how, Some("moved")).await?;
    let used = (line.used_time_s, line.used_bytes);
    let wanted = Wanted { at, begin: Begin::Now, cause: Cause::Move, ..Wanted::next(change.now) };
    row.charge = sell_as(change, tenant, line, offer, &Payer::Owed, &Details::default(), wanted).await?;
    if how == How::Whole {
        // The cycle that runs goes on: what it has used is used.
        line.period_started_at = Some(at);
        (line.used_time_s, line.used_bytes) = used;
    }
    Ok(())
}

/// Another package without a sale: the running period keeps its end. The price that the line had of its own goes; what
/// it was told is `package.changed`. The caller saves the line and orders the network to follow.
///
/// # Errors
/// `Invalid` of `plan`; `Refused` where it is not for sale, or where a reseller's people ask.
pub(crate) async fn assign(change: &Change<'_>, line: &mut Service, plan: PlanId) -> Result<(), Error> {
    if plan == line.plan_id {
        return Ok(());
    }
    change.by_no_reseller().await?;
    let offer = match plans::for_sale(change, plan, Some(line.plan_id)).await {
        Err(Error::NotFound { .. }) => return Err(Error::invalid("plan", Why::Unknown)),
        offer => offer?,
    };
    let before = line.plan_id;
    put_on(change, line, &offer).await?;
    change.tell(Fact::LinePlanChanged { line: line.id, customer: line.customer_id, plan_before: before });
    Ok(())
}

/// Puts a line on another package; whoever does it tells it.
pub(crate) async fn put_on(change: &Change<'_>, line: &mut Service, offer: &Offer) -> Result<(), Error> {
    if line.plan_id != offer.plan.id {
        terms::set_price(change, line, None).await?;
    }
    line.plan_id = offer.plan.id;
    line.plan_version = offer.version.version;
    line.updated_at = change.now;
    Ok(())
}

/// What a line has used counts no longer: of its quota, of fair use, and as it is shown.
async fn clear_usage(change: &Change<'_>, tenant: &Tenant, line: &mut Service) -> Result<(), Error> {
    (line.used_time_s, line.used_bytes) = (0, 0);
    line.quota_event_ordinal = None;
    line.period_started_at = Some(change.now);
    usage_begins(change, tenant, line.id, change.now).await?;
    fup::forgive(change, line, &tenant.zone).await
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
    let wanted = Asked { customer, branch: actor.branch, from, until, limit: RENEWALS };
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
