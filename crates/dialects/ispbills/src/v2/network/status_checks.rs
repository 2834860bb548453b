//! Status checks: this program's own parts, asked at this moment, then what the operator wants looked at.

use axum::extract::State;
use domain::Scope;
use doors::{Operation, form::Body, routes::Id, wire::utc_seconds};
use serde::Serialize;
use service::{
    App,
    plant::{
        Filter,
        checks::{self, BuiltIn, KINDS, StatusCheck, Wish},
    },
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Done, Failure, Listing, NO_CONTENT, Page, Reply};

doors::form! {
    NewStatusCheck {
        name: required Text(1, 100), "Unique.";
        kind: required Word(KINDS), "How it is looked at.";
        target: required Text(1, 253), "A host for ping, host:port for tcp, a URL for http.";
        interval_s: optional Integer(10, 86400), "Seconds between two looks; 60 where it is not given.";
    }
}

doors::form! {
    StatusCheckChange {
        name: optional Text(1, 100), "Unique.";
        kind: optional Word(KINDS), "How it is looked at.";
        target: optional Text(1, 253), "A host for ping, host:port for tcp, a URL for http.";
        interval_s: optional Integer(10, 86400), "Seconds between two looks.";
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = StatusCheck)]
pub struct Row {
    /// None: a part of this program, which cannot be changed.
    id: Option<i64>,
    name: String,
    /// `ping`, `tcp`, `http`; `database`, `radius`, `event_feed`, `queue` for this program's parts.
    kind: String,
    target: Option<String>,
    interval_s: Option<i64>,
    /// `unknown` until somebody has looked, then `up` or `down`.
    status: String,
    status_since: Option<String>,
    /// What was seen, in words.
    detail: Option<String>,
    last_checked_at: Option<String>,
    latency_ms: Option<i64>,
    updated_at: Option<String>,
}

fn row(check: StatusCheck) -> Row {
    Row {
        id: Some(check.id),
        name: check.name,
        kind: check.kind,
        target: Some(check.target),
        interval_s: Some(check.interval_s),
        status: check.status,
        status_since: Some(utc_seconds(check.status_since)),
        detail: None,
        last_checked_at: check.last_checked_at.map(utc_seconds),
        latency_ms: check.latency_ms,
        updated_at: Some(utc_seconds(check.updated_at)),
    }
}

pub const LIST: Operation = Operation::new("Monitoring", "Infrastructure status checks", Scope::MonitoringRead)
    .about("This program's own parts come first, asked at this moment.")
    .lists::<Row>();

pub async fn list(State(app): State<App>, caller: Caller, page: Page) -> Result<Listing<Row>, Failure> {
    let own = checks::built_in(&app, &caller.actor).await?;
    let now = utc_seconds(caller.now);
    let count = own.len() as i64;
    let of_program = |part: BuiltIn| Row {
        id: None,
        name: part.name,
        kind: part.kind.into(),
        target: None,
        interval_s: None,
        status: part.status.into(),
        status_since: None,
        detail: Some(part.detail),
        last_checked_at: Some(now.clone()),
        latency_ms: part.latency_ms,
        updated_at: None,
    };
    let skipped = page.offset().min(count);
    let mut rows: Vec<Row> =
        own.into_iter().skip(skipped as usize).take(page.limit() as usize).map(of_program).collect();
    let (offset, limit) = (page.offset() - skipped, page.limit() - rows.len() as i64);
    let (further, total) = checks::list(&app, &caller.actor, Filter::default(), offset, limit).await?;
    rows.extend(further.into_iter().map(row));
    Ok(page.of(rows, count + total))
}

pub const CREATE: Operation = Operation::new("Monitoring", "Create a status check", Scope::MonitoringWrite)
    .body::<NewStatusCheck>()
    .creates::<Row>();

pub async fn create(State(app): State<App>, caller: Caller, Body(body): Body<NewStatusCheck>) -> Answer<Row> {
    let NewStatusCheck { name, kind, target, interval_s } = body;
    let wish = Wish { name: Some(name), kind: Some(kind), target: Some(target), interval_s: interval_s.value() };
    let made = checks::create(&app, &caller.actor, wish).await?;
    let changed = made.updated_at;
    Ok(Reply::created(row(made)).tagged(changed))
}

pub const SHOW: Operation =
    Operation::new("Monitoring", "Retrieve a status check", Scope::MonitoringRead).answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let found = checks::show(&app, &caller.actor, id).await?;
    let changed = found.updated_at;
    Ok(Reply::data(row(found)).tagged(changed))
}

pub const UPDATE: Operation = Operation::new("Monitoring", "Update a status check", Scope::MonitoringWrite)
    .body::<StatusCheckChange>()
    .answers::<Row>()
    .refuses(&[412]);

pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<StatusCheckChange>,
) -> Answer<Row> {
    let StatusCheckChange { name, kind, target, interval_s } = body;
    let wish = Wish { name: name.value(), kind: kind.value(), target: target.value(), interval_s: interval_s.value() };
    let written = checks::update(&app, &caller.actor, id, caller.unchanged_since()?, wish).await?;
    let changed = written.updated_at;
    Ok(Reply::data(row(written)).tagged(changed))
}

pub const DELETE: Operation =
    Operation::new("Monitoring", "Delete a status check", Scope::MonitoringWrite).no_content().refuses(&[412]);

pub async fn delete(State(app): State<App>, caller: Caller, Id(id): Id) -> Done {
    checks::delete(&app, &caller.actor, id, caller.unchanged_since()?).await?;
    NO_CONTENT
}
