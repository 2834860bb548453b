//! Logs of what the system itself saw and did. Days are the provider's; both ends are included.

use axum::extract::State;
use domain::{Instant, RouterId, Scope, access::decide::Reason, kernel::event::EventKind};
use doors::{Given, Operation, form::Query, wire::utc_seconds};
use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;
use service::{
    App, Error, Expected, Why,
    access::refusals::{
        self, ROUTER_KINDS,
        rows::{Filter, Login, RouterEvent, Stopped, Which},
    },
    plant::{self, LogFilter, NOUNS},
};
use utoipa::ToSchema;

use crate::envelope::{Caller, Failure, Listing, Page};

/// What an auto-suspension is called.
const EXPIRED: &str = "Subscription expired";
const USED_UP: &str = "Quota used up";

doors::form! {
    LogQuery {
        from: optional AnyDate, "The first day.";
        to: optional AnyDate, "The last day.";
        username: optional Text(1, 253), "Only this name's.";
        router_id: optional Id, "Only this router's.";
    }
}

doors::form! {
    RouterLogQuery {
        from: optional AnyDate, "The first day.";
        to: optional AnyDate, "The last day.";
        username: optional Text(1, 253), "Only orders to this name's sessions.";
        router_id: optional Id, "Only this router's.";
        event: optional Word(ROUTER_EVENTS), "Only of this kind.";
    }
}

doors::form! {
    LoginQuery {
        from: optional AnyDate, "The first day.";
        to: optional AnyDate, "The last day.";
        username: optional Text(1, 253), "Only this name's.";
        router_id: optional Id, "Only this router's.";
        result: optional Word(RESULTS), "Only those that were let in, or were not.";
    }
}

doors::form! {
    AccessQuery {
        from: optional AnyDate, "The first day.";
        to: optional AnyDate, "The last day.";
        noun: optional Word(NOUNS), "Only what was done to this kind of thing.";
        subject_id: optional Id, "Only what was done to the thing with this id.";
    }
}

const ROUTER_EVENTS: &[&str] = &[
    "router.created",
    "router.updated",
    "router.deleted",
    "session.lost",
    "coa.acknowledged",
    "coa.refused",
    "coa.unanswered",
];
const RESULTS: &[&str] = &["accepted", "rejected"];

/// From the first day's beginning to the last day's end, in the tenant's zone.
fn days(caller: &Caller, from: Given<Date>, to: Given<Date>) -> Result<(Option<Instant>, Option<Instant>), Error> {
    let (from, to) = (from.value(), to.value());
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        return Err(Error::invalid("to", Why::Not(Expected::DayNotBeforeFirst)));
    }
    let begins = |day: Date| Instant::from_civil(day.at(0, 0, 0, 0), &caller.tenant.zone);
    // The calendar's last day has no tomorrow: then nothing is too late.
    Ok((from.map(begins), to.and_then(|day| day.tomorrow().ok()).map(begins)))
}

fn filter(
    caller: &Caller,
    from: Given<Date>,
    to: Given<Date>,
    username: Given<String>,
    router_id: Given<i64>,
) -> Result<Filter, Error> {
    let (from, until) = days(caller, from, to)?;
    Ok(Filter { from, until, username: username.value(), router: router_id.value().map(RouterId), ..Filter::default() })
}

const CAPPED: &str = "The newest come first; of more than 100,000 that match, that many are counted and shown.";

#[derive(Serialize, ToSchema)]
#[schema(as = RouterLogEntry)]
pub struct RouterRow {
    /// The event's number.
    id: i64,
    at: String,
    /// `coa.acknowledged`: the router did as it was asked; `coa.refused`: it refused; `coa.unanswered`: it was silent.
    event: &'static str,
    router_id: Option<i64>,
    router: Option<String>,
    /// Of an order to a session, and of a lost session.
    session_id: Option<i64>,
    username: Option<String>,
    /// Who caused it.
    actor: String,
    #[schema(value_type = Object)]
    details: Value,
}

pub const ROUTER: Operation =
    Operation::new("Logs", "Router logs", Scope::LogsRead).about(CAPPED).query::<RouterLogQuery>().lists::<RouterRow>();

pub async fn router(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(query): Query<RouterLogQuery>,
) -> Result<Listing<RouterRow>, Failure> {
    let RouterLogQuery { from, to, username, router_id, event } = query;
    let filter = filter(&caller, from, to, username, router_id)?;
    let wanted = event.value();
    let kind = ROUTER_KINDS.iter().copied().find(|kind| Some(kind.word()) == wanted);
    let (rows, total) = refusals::routers(&app, &caller.actor, filter, kind, page.offset(), page.limit()).await?;
    let row = |RouterEvent { event, router, router_name, session, username }: RouterEvent| RouterRow {
        id: event.seq,
        at: utc_seconds(event.at),
        event: event.kind.word(),
        router_id: router.map(|id| id.0),
        router: router_name,
        session_id: session.map(|id| id.0),
        username,
        actor: event.actor,
        details: serde_json::from_str(&event.body).unwrap_or_default(),
    };
    Ok(page.of(rows.into_iter().map(row).collect(), total))
}

#[derive(Serialize, ToSchema)]
#[schema(as = HotspotLogEntry)]
pub struct HotspotRow {
    id: i64,
    at: String,
    /// How far the visitor came.
    event: String,
    username: Option<String>,
    customer_id: Option<i64>,
    mac: Option<String>,
    device: Option<String>,
    router_id: i64,
    router: Option<String>,
}

pub const HOTSPOT: Operation =
    Operation::new("Logs", "Hotspot logs", Scope::LogsRead).about(CAPPED).query::<LogQuery>().lists::<HotspotRow>();

pub async fn hotspot(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(query): Query<LogQuery>,
) -> Result<Listing<HotspotRow>, Failure> {
    let LogQuery { from, to, username, router_id } = query;
    let filter = filter(&caller, from, to, username, router_id)?;
    let (rows, total) = refusals::portal(&app, &caller.actor, filter, page.offset(), page.limit()).await?;
    let rows = rows.into_iter().map(|(step, router)| HotspotRow {
        id: step.id,
        at: utc_seconds(step.at),
        event: step.kind,
        username: step.username,
        customer_id: step.customer_id.map(|id| id.0),
        mac: step.mac,
        device: step.device,
        router_id: step.router_id.0,
        router,
    });
    Ok(page.of(rows.collect(), total))
}

#[derive(Serialize, ToSchema)]
#[schema(as = LoginLogEntry)]
pub struct LoginRow {
    /// The session's where it was accepted, the refusal's where it was not.
    id: i64,
    at: String,
    username: String,
    /// `accepted`: a session began; `rejected`.
    result: &'static str,
    /// Why it was rejected: a word.
    reason: Option<String>,
    /// The same for people.
    message: Option<&'static str>,
    customer_id: Option<i64>,
    mac: Option<String>,
    address: Option<String>,
    router_id: i64,
    router: Option<String>,
}

pub const PPP_AUTH: Operation = Operation::new("Logs", "PPP authentication logs", Scope::LogsRead)
    .about(CAPPED)
    .query::<LoginQuery>()
    .lists::<LoginRow>();

pub async fn ppp_auth(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(query): Query<LoginQuery>,
) -> Result<Listing<LoginRow>, Failure> {
    let LoginQuery { from, to, username, router_id, result } = query;
    let filter = filter(&caller, from, to, username, router_id)?;
    let which = match result.value() {
        Some("accepted") => Which::Accepted,
        Some(_) => Which::Rejected,
        None => Which::All,
    };
    let (rows, total) = refusals::logins(&app, &caller.actor, filter, which, page.offset(), page.limit()).await?;
    let row = |login: Login| LoginRow {
        id: login.id,
        at: utc_seconds(login.at),
        username: login.username,
        result: if login.accepted { "accepted" } else { "rejected" },
        message: login.reason.as_deref().and_then(Reason::from_word).map(service::messages::words::refused),
        reason: login.reason,
        customer_id: login.customer.map(|id| id.0),
        mac: login.mac,
        address: login.address,
        router_id: login.router.0,
        router: login.router_name,
    };
    Ok(page.of(rows.into_iter().map(row).collect(), total))
}

#[derive(Serialize, ToSchema)]
#[schema(as = AutoSuspension)]
pub struct SuspensionRow {
    /// The event's number.
    id: i64,
    at: String,
    username: Option<String>,
    reason: &'static str,
    customer_id: Option<i64>,
    customer: Option<String>,
    service_id: i64,
    router_id: Option<i64>,
}

pub const AUTO_SUSPENSION: Operation = Operation::new("Logs", "Auto-suspension logs", Scope::LogsRead)
    .about(CAPPED)
    .query::<LogQuery>()
    .lists::<SuspensionRow>();

pub async fn auto_suspension(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(query): Query<LogQuery>,
) -> Result<Listing<SuspensionRow>, Failure> {
    let LogQuery { from, to, username, router_id } = query;
    let filter = filter(&caller, from, to, username, router_id)?;
    let (rows, total) = refusals::stopped(&app, &caller.actor, filter, None, page.offset(), page.limit()).await?;
    let row = |stopped: Stopped| SuspensionRow {
        id: stopped.event.seq,
        at: utc_seconds(stopped.event.at),
        username: stopped.username,
        reason: if stopped.event.kind == EventKind::ServiceExpired { EXPIRED } else { USED_UP },
        customer_id: stopped.customer.map(|id| id.0),
        customer: stopped.customer_name,
        service_id: stopped.service.0,
        router_id: stopped.router.map(|id| id.0),
    };
    Ok(page.of(rows.into_iter().map(row).collect(), total))
}

#[derive(Serialize, ToSchema)]
#[schema(as = AccessLogEntry)]
pub struct AccessRow {
    id: i64,
    at: String,
    /// `staff:3`, `api:12` or `system`.
    actor: String,
    /// opened, created, changed, deleted or downloaded.
    action: String,
    noun: String,
    subject_id: i64,
    /// As it was called then.
    name: String,
}

pub const ACCESS: Operation = Operation::new("Monitoring", "Device access logs", Scope::MonitoringRead)
    .about(CAPPED)
    .query::<AccessQuery>()
    .lists::<AccessRow>();

pub async fn access(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(query): Query<AccessQuery>,
) -> Result<Listing<AccessRow>, Failure> {
    let AccessQuery { from, to, noun, subject_id } = query;
    let (from, until) = days(&caller, from, to)?;
    let filter = LogFilter { from, until, noun: noun.value().map(str::to_string), subject: subject_id.value() };
    let offset = page.offset().min(refusals::MOST);
    let (rows, total) = plant::accesses(&app, &caller.actor, filter, offset, page.limit()).await?;
    let rows = rows.into_iter().map(|access| AccessRow {
        id: access.id,
        at: utc_seconds(access.at),
        actor: access.actor,
        action: access.action,
        noun: access.noun,
        subject_id: access.subject_id,
        name: access.name,
    });
    Ok(page.of(rows.collect(), total))
}
