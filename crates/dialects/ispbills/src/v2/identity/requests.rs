//! The log of API requests: who asked what, and how it was answered.

use axum::extract::State;
use domain::{ApiClientId, Scope};
use doors::{Operation, form::Query, wire::utc_micros};
use serde::Serialize;
use service::{
    App,
    identity::requests::{self, ApiRequest, Filter},
};
use utoipa::ToSchema;

use crate::envelope::{Caller, Failure, Listing, Page};

const CLASSES: &[&str] = &["2xx", "3xx", "4xx", "5xx"];
const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

#[derive(Serialize, ToSchema)]
#[schema(as = ApiRequest)]
pub struct Row {
    id: i64,
    at: String,
    dialect: String,
    client_id: Option<i64>,
    staff_id: Option<i64>,
    method: String,
    path: String,
    /// The row of the table of routes, or `unmatched`.
    route: String,
    status: i64,
    duration_ms: i64,
    /// As in the answer's `X-Request-Id`.
    request_id: String,
    /// The address it came from.
    source: Option<String>,
}

doors::form! {
    RequestFilter {
        client_id: optional Id, "Of this API client.";
        status: optional Word(CLASSES), "Answered with such a status.";
        method: optional Word(METHODS), "By this method.";
        path: optional Text(1, 500), "The path begins so.";
        dialect: optional Text(1, 40), "alternet, ispbills_v1, ispbills_v2, zal, jaze.";
        from: optional AnyMoment, "At or after.";
        to: optional AnyMoment, "Before.";
    }
}

pub const LIST: Operation = Operation::new("Request log", "List API requests", Scope::ClientsRead)
    .about(
        "The newest first. A request is in the log about a second after it was answered, and for thirty days. By status, \
         method, path or dialect the day before `to` (or now) is looked through, or up to seven days from `from` on.",
    )
    .query::<RequestFilter>()
    .lists::<Row>();

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(asked): Query<RequestFilter>,
) -> Result<Listing<Row>, Failure> {
    let RequestFilter { client_id, status, method, path, dialect, from, to } = asked;
    let class = status.value().map(|class| i64::from(class.as_bytes()[0] - b'0') * 100);
    let filter = Filter {
        client: client_id.value().map(ApiClientId),
        dialect: dialect.value(),
        class,
        method: method.value().map(String::from),
        path: path.value(),
        from: from.value(),
        until: to.value(),
    };
    let (found, total) = requests::list(&app, &caller.actor, filter, page.offset(), page.limit()).await?;
    let row = |asked: ApiRequest| Row {
        id: asked.id,
        at: utc_micros(asked.at),
        dialect: asked.dialect,
        client_id: asked.client_id.map(|id| id.0),
        staff_id: asked.staff_id.map(|id| id.0),
        method: asked.method,
        path: asked.path,
        route: asked.route,
        status: asked.status,
        duration_ms: asked.ms,
        request_id: asked.request_id,
        source: asked.source,
    };
    Ok(page.of(found.into_iter().map(row).collect(), total))
}
