//! Lines that begin later: pending until then, and started in that second.

use domain::{
    CustomerId, Instant, IspId, ServiceId, Status,
    kernel::event::{EventKind, Subject},
};
use serde_json::json;
use store::{
    db::Class,
    people::{
        customer,
        service::{self, Service},
    },
    sales::renewal_order::{self as rows, Start},
};

use crate::{Actor, App, Change, Error, Expected, What, Why, kernel::hold::primary, kernel::work::Work};

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
        let row = rows::start_of(change.tx, change.isp, line.id).await?;
        let row = row.filter(|_| line.status == Status::Pending);
        let row = row.ok_or(Error::invalid("starts_at", Why::Not(Expected::LeftOutHasStarted)))?;
        let at = at.map_or(row.start_at, |at| at.max(change.now));
        let by = at.since(row.start_at);
        if by != 0 {
            rows::move_periods(change.tx, change.isp, line.id, row.start_at, by).await?;
            line.expires_at = line.expires_at.map(|end| end.plus(by));
            line.period_started_at = line.period_started_at.map(|start| start.plus(by));
            line.expired_event_at = None;
            line.updated_at = change.now;
            service::update(change.tx, &line).await?;
            change.event(EventKind::ServiceChanged, Subject::Service(line.id.0), json!({ "customer": id.0 }));
        }
        wait(change, &line, at, status.unwrap_or(row.status)).await
    })
    .await
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
        let kind = match row.status {
            Status::Active => EventKind::ServiceActivated,
            Status::Suspended => EventKind::ServiceSuspended,
            Status::Disabled => EventKind::ServiceDisabled,
            Status::Inactive | Status::Pending | Status::AwaitingApproval | Status::Rejected | Status::Terminated => {
                EventKind::ServiceDeactivated
            }
        };
        let body = json!({
            "customer": line.customer_id.0, "status": row.status.word(), "reason": "its time to start came"
        });
        change.event(kind, Subject::Service(id.0), body);
        change.order(Work::follow(id)).await
    })
    .await
}
