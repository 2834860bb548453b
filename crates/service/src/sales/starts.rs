//! Lines that begin later: pending until then, and started in that second.

use domain::{CustomerId, Instant, IspId, ServiceId, Status};
use store::{
    db::Class,
    people::{
        customer,
        service::{self, Service},
    },
    sales::renewal_order::{self as rows, Start},
};

use crate::{
    Actor, App, Change, Error, Expected, Fact, What, Why,
    kernel::{amounts, hold::primary, work::Work},
    sales::standing,
};

/// So many are started in one turn.
const BATCH: i64 = 500;

/// The line starts then, in that status; whoever calls makes it pending and saves it.
pub(crate) async fn wait(change: &Change<'_>, line: &Service, at: Instant, status: Status) -> Result<(), Error> {
    rows::forget_start(change.tx, change.isp, line.id).await?;
    let row = Start { isp_id: change.isp, service_id: line.id, start_at: at, status };
    Ok(row.insert(change.tx).await?)
}

/// When a customer's line is to start, where it waits for that.
pub async fn of(app: &App, actor: &Actor, id: CustomerId) -> Result<Option<Instant>, Error> {
    let (isp, who) = (actor.isp, actor.clone());
    app.db
        .read(async move |tx| {
            let owner = customer::find(tx, isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
            who.reaches(owner.branch_id)?;
            let Some(line) = service::of_customer(tx, isp, id).await?.into_iter().next() else { return Ok(None) };
            let start = rows::start_of(tx, isp, line.id).await?;
            Ok(start.filter(|_| line.status == Status::Pending).map(|start| start.start_at))
        })
        .await
}

/// The start that a line waits for.
pub(crate) async fn of_line(change: &Change<'_>, line: &Service) -> Result<Option<Start>, Error> {
    match line.status {
        Status::Pending => Ok(rows::start_of(change.tx, change.isp, line.id).await?),
        Status::AwaitingApproval
        | Status::Active
        | Status::Suspended
        | Status::Disabled
        | Status::Inactive
        | Status::Rejected
        | Status::Terminated => Ok(None),
    }
}

/// Puts a start that waits on another moment, what was bought with it as well; or says what the line then becomes. A moment
/// that has come starts it with the next turn.
///
/// # Errors
/// `Invalid` of `starts_at` where the line does not wait.
pub async fn change(
    app: &App,
    actor: &Actor,
    id: CustomerId,
    at: Option<Instant>,
    status: Option<Status>,
) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let mut line = primary(change, &who, id).await?;
        put(change, &mut line, at, status).await?;
        Ok(service::update(change.tx, &line).await?)
    })
    .await
}

/// As [`change()`], of a line that the caller has locked and saves.
pub(crate) async fn put(
    change: &Change<'_>,
    line: &mut Service,
    at: Option<Instant>,
    status: Option<Status>,
) -> Result<(), Error> {
    let row = of_line(change, line).await?;
    let row = row.ok_or(Error::invalid("starts_at", Why::Not(Expected::LeftOutHasStarted)))?;
    let at = at.map_or(row.start_at, |at| at.max(change.now));
    amounts::moment("starts_at", Some(at))?;
    amounts::moment("starts_at", line.expires_at.map(|end| end.plus(at.since(row.start_at))))?;
    if shift(change, line, row.start_at, at).await? {
        change.tell(Fact::LineChanged { line: line.id, customer: line.customer_id });
    }
    wait(change, line, at, status.unwrap_or(row.status)).await
}

/// A line that waits begins now: what was bought with it begins now too. `true` where it waited. Whoever calls switches it
/// on, says so, and saves it.
pub(crate) async fn begin(change: &Change<'_>, line: &mut Service) -> Result<bool, Error> {
    let Some(row) = of_line(change, line).await? else { return Ok(false) };
    rows::forget_start(change.tx, change.isp, line.id).await?;
    shift(change, line, row.start_at, change.now).await?;
    Ok(true)
}

/// Moves what was bought for a start to another one.
async fn shift(change: &Change<'_>, line: &mut Service, from: Instant, to: Instant) -> Result<bool, Error> {
    let by = to.since(from);
    if by == 0 {
        return Ok(false);
    }
    rows::move_periods(change.tx, change.isp, line.id, from, by).await?;
    line.expires_at = line.expires_at.map(|end| end.plus(by));
    line.period_started_at = line.period_started_at.map(|start| start.plus(by));
    line.expired_event_at = None;
    line.updated_at = change.now;
    Ok(true)
}

/// Starts what is due; how many there were.
pub async fn run(app: &App) -> Result<usize, Error> {
    let now = app.clock.now();
    let due = app.db.read(async move |tx| rows::starting(tx, now, BATCH).await).await?;
    let found = due.len();
    for row in due {
        match start(app, row.isp_id, row.service_id).await {
            Ok(()) => {}
            Err(error @ (Error::Unavailable | Error::Busy)) => return Err(error),
            // One line's fault holds up nobody else's start.
            Err(error) => tracing::error!(%error, service = row.service_id.0, "a line cannot be started"),
        }
    }
    Ok(found)
}

async fn start(app: &App, isp: IspId, id: ServiceId) -> Result<(), Error> {
    app.change(&Actor::system(isp), Class::Bulk, async move |change| {
        let line = match service::find(change.tx, isp, id).await? {
            Some(seen) if customer::lock(change.tx, isp, seen.customer_id).await?.is_some() => {
                let lines = service::lock_of_customer(change.tx, isp, seen.customer_id).await?;
                lines.into_iter().find(|line| line.id == id)
            }
            _ => None,
        };
        // Read again behind the lock: it may have been put off, or started by hand.
        let row = rows::start_of(change.tx, isp, id).await?.filter(|row| row.start_at <= change.now);
        let Some(row) = row else { return Ok(()) };
        rows::forget_start(change.tx, isp, id).await?;
        let Some(mut line) = line.filter(|line| line.status == Status::Pending) else { return Ok(()) };
        line.status = row.status;
        line.status_reason = Some("its time to start came".into());
        line.status_since = change.now;
        line.updated_at = change.now;
        service::update(change.tx, &line).await?;
        standing::stands(change, &line, "its time to start came").await?;
        change.order(Work::follow(id)).await
    })
    .await
}
