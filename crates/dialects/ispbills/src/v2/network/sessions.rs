//! Network sessions, live and past, and orders to live ones.

use axum::extract::State;
use domain::{CustomerId, RouterId, Scope, SessionId};
use doors::{Id, Operation, form::Query, wire::utc_seconds};
use serde::Serialize;
use service::{
    App, Session,
    access::sessions::{self, Said, State as Standing, Told, Wanted, Wish},
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Failure, Listing, Page, Reply};

#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub struct Row {
    id: i64,
    username: String,
    customer_id: Option<i64>,
    router_id: i64,
    /// As the router calls it (Acct-Session-Id).
    acct_session_id: String,
    /// live, closed or lost (its router fell silent).
    state: &'static str,
    started_at: String,
    /// When the router reported last.
    reported_at: String,
    ended_at: Option<String>,
    end_cause: Option<String>,
    duration_seconds: i64,
    upload_bytes: u64,
    download_bytes: u64,
    ip_address: Option<String>,
    mac: Option<String>,
    /// Let in as expired (walled garden or fallback plan).
    restricted: bool,
}

fn row(session: Session) -> Row {
    Row {
        id: session.id.0,
        state: Standing::of(&session).word(),
        username: session.username,
        customer_id: session.customer_id.map(|id| id.0),
        router_id: session.router_id.0,
        acct_session_id: session.acct_session_id,
        started_at: utc_seconds(session.started_at),
        reported_at: utc_seconds(session.reported_at),
        ended_at: session.ended_at.map(utc_seconds),
        end_cause: session.end_cause,
        duration_seconds: session.session_time_s,
        upload_bytes: session.up_total,
        download_bytes: session.down_total,
        ip_address: session.address,
        mac: session.mac,
        restricted: session.restricted,
    }
}

doors::form! {
    SessionFilter {
        customer_id: optional Id, "Of this customer.";
        username: optional Text(1, 255), "Of this network name, whatever its capitals.";
        router_id: optional Id, "Through this router.";
        state: optional Word(Standing::WORDS), "live, closed, or lost (its router fell silent).";
        from: optional AnyMoment, "Those that began at or after.";
        to: optional AnyMoment, "Those that began before.";
    }
}

pub const LIST: Operation = Operation::new("Sessions", "List sessions, live and past", Scope::NetworkRead)
    .about("Those that began last first.")
    .query::<SessionFilter>()
    .lists::<Row>();

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(filter): Query<SessionFilter>,
) -> Result<Listing<Row>, Failure> {
    let SessionFilter { customer_id, username, router_id, state, from, to } = filter;
    let wanted = Wanted {
        customer: customer_id.value().map(CustomerId),
        username: username.value(),
        router: router_id.value().map(RouterId),
        state: state.value().and_then(Standing::from_word),
        from: from.value(),
        until: to.value(),
    };
    let (found, total) = sessions::list(&app, &caller.actor, wanted, page.offset(), page.limit()).await?;
    Ok(page.of(found.into_iter().map(row).collect(), total))
}

pub const SHOW: Operation = Operation::new("Sessions", "Retrieve a session", Scope::NetworkRead).answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let session = sessions::show(&app, &caller.actor, SessionId(id)).await?;
    let changed = session.received_at;
    Ok(Reply::data(row(session)).tagged(changed))
}

#[derive(Serialize, ToSchema)]
#[schema(as = SessionOrder)]
pub struct Ordered {
    session_id: i64,
    /// The background job that carries the order out.
    job_id: i64,
    /// disconnect or coa, as it was sent; null while nothing was.
    request: Option<String>,
    /// acknowledged, refused, unanswered (it is tried again), or pending (the router has not answered within five
    /// seconds; the order goes on).
    result: &'static str,
    /// RFC 5176, section 3.5, where the router gave one.
    error_cause: Option<u32>,
    error: Option<&'static str>,
}

async fn order(app: &App, caller: &Caller, id: i64, wish: Wish) -> Answer<Ordered> {
    let Told { job, request, answer } = sessions::order(app, &caller.actor, SessionId(id), wish).await?;
    let (result, error_cause) = match answer {
        Said::Acknowledged => ("acknowledged", None),
        Said::Refused(cause) => ("refused", cause),
        Said::Unanswered => ("unanswered", None),
        Said::Pending => ("pending", None),
    };
    let error = error_cause.map(spoken);
    Ok(Reply::data(Ordered { session_id: id, job_id: job.0, request, result, error_cause, error }))
}

/// RFC 5176 §3.5 and RFC 8559 §4.
fn spoken(cause: u32) -> &'static str {
    match cause {
        201 => "Residual Session Context Removed",
        202 => "Invalid EAP Packet",
        401 => "Unsupported Attribute",
        402 => "Missing Attribute",
        403 => "NAS Identification Mismatch",
        404 => "Invalid Request",
        405 => "Unsupported Service",
        406 => "Unsupported Extension",
        407 => "Invalid Attribute Value",
        501 => "Administratively Prohibited",
        502 => "Request Not Routable",
        503 => "Session Context Not Found",
        504 => "Session Context Not Removable",
        505 => "Other Proxy Processing Error",
        506 => "Resources Unavailable",
        507 => "Request Initiated",
        508 => "Multiple Session Selection Unsupported",
        _ => "An error without a name",
    }
}

pub const DISCONNECT: Operation = Operation::new("Sessions", "Disconnect a live session", Scope::NetworkWrite)
    .about("Sends the router a Disconnect-Request and answers with what it said. The subscriber may log in again.")
    .refuses(&[422])
    .answers::<Ordered>();

pub async fn disconnect(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Ordered> {
    order(&app, &caller, id, Wish::Disconnect).await
}

pub const REFRESH: Operation = Operation::new("Sessions", "Refresh a live session", Scope::NetworkWrite)
    .about("Sends the router a CoA-Request with what the subscriber may have now, and answers with what it said.")
    .refuses(&[422])
    .answers::<Ordered>();

pub async fn refresh(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Ordered> {
    order(&app, &caller, id, Wish::Refresh).await
}
