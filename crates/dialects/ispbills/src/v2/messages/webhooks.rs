//! Webhooks: who is told of what, secrets that overlap while they are changed, the log of deliveries and their replay.

use axum::extract::State;
use domain::{Scope, kernel::clock::SECOND};
use doors::{
    Id, Nested, Operation,
    form::{Body, Query},
    wire::utc_seconds,
};
use serde::Serialize;
use serde_json::Value;
use service::{
    App,
    webhooks::{
        self, Issued, Logged, NewWebhook, WebhookChange,
        notices::{INDEX, NAMES},
    },
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Done, Failure, Listing, NO_CONTENT, Page, Reply};

const TAG: &str = "Webhooks";

#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct Row {
    id: i64,
    url: String,
    events: Vec<String>,
    active: bool,
    /// The first of the failures since something arrived; null while all is well.
    failing_since: Option<String>,
    last_success_at: Option<String>,
    /// Switched off by the system, because nothing has arrived for a day.
    disabled_at: Option<String>,
    disabled_reason: Option<String>,
    /// Until then deliveries are signed with the old secret as well.
    previous_secret_until: Option<String>,
    created_at: String,
    updated_at: String,
}

impl From<webhooks::Row> for Row {
    fn from(row: webhooks::Row) -> Row {
        Row {
            id: row.id,
            events: webhooks::events_of(&row),
            url: row.url,
            active: row.active,
            failing_since: row.failing_since.map(utc_seconds),
            last_success_at: row.last_success_at.map(utc_seconds),
            disabled_at: row.disabled_at.map(utc_seconds),
            disabled_reason: row.disabled_reason.map(|last| doors::words::webhook_disabled(&last)),
            previous_secret_until: row.previous_until.map(utc_seconds),
            created_at: utc_seconds(row.created_at),
            updated_at: utc_seconds(row.updated_at),
        }
    }
}

/// With its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookWithSecret)]
pub struct WithSecret {
    #[serde(flatten)]
    webhook: Row,
    secret: String,
}

impl From<Issued> for WithSecret {
    fn from(issued: Issued) -> WithSecret {
        let Issued { webhook, secret } = issued;
        WithSecret { webhook: webhook.into(), secret }
    }
}

pub const LIST: Operation = Operation::new(TAG, "List all webhooks", Scope::WebhooksRead).lists::<Row>();

pub async fn list(State(app): State<App>, caller: Caller, page: Page) -> Result<Listing<Row>, Failure> {
    let (rows, total) = webhooks::list(&app, &caller.actor, page.offset(), page.limit()).await?;
    Ok(page.of(rows.into_iter().map(Row::from).collect(), total))
}

doors::form! {
    NewWebhookBody {
        url: required Url, "Where the requests go.";
        events: required Words(NAMES), "What is told.";
        active: optional Boolean, "False: nothing is sent yet, and what happens meanwhile is not told.";
        secret: optional Secret(16, 200), "One is made where none is given.";
    }
}

pub const CREATE: Operation = Operation::new(TAG, "Create a webhook", Scope::WebhooksWrite)
    .about(
        "The answer alone shows the secret. Each request is signed: `X-Signature` is the HMAC-SHA256 of the raw body \
         with it, in hexadecimal digits. Any answer but 2xx within 10 seconds is a failure and is tried again after \
         5 s, 30 s, 2 min, 10 min, 1 h, 6 h and 12 h; later deliveries wait, so that their order is kept. \
         `X-Webhook-Id` is the same on every attempt. An endpoint that only fails for 24 hours is switched off.",
    )
    .body::<NewWebhookBody>()
    .creates::<WithSecret>();

pub async fn create(State(app): State<App>, caller: Caller, Body(body): Body<NewWebhookBody>) -> Answer<WithSecret> {
    let NewWebhookBody { url, events, active, secret } = body;
    let command = NewWebhook { url, events, active: active.or(true), secret: secret.value() };
    let issued = webhooks::create(&app, &caller.actor, caller.scopes, command).await?;
    let changed = issued.webhook.updated_at;
    Ok(Reply::created(issued.into()).tagged(changed))
}

doors::form! {
    WebhookUpdate {
        url: optional Url, "Where the requests go.";
        events: optional Words(NAMES), "What is told.";
        active: optional Boolean, "Whether anything is sent.";
    }
}

pub const UPDATE: Operation = Operation::new(TAG, "Update a webhook", Scope::WebhooksWrite)
    .body::<WebhookUpdate>()
    .answers::<Row>()
    .refuses(&[412]);

pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<WebhookUpdate>,
) -> Answer<Row> {
    let WebhookUpdate { url, events, active } = body;
    let command = WebhookChange {
        url: url.value(),
        events: events.value(),
        active: active.value(),
        unchanged_since: caller.unchanged_since()?,
    };
    let row = webhooks::update(&app, &caller.actor, caller.scopes, id, command).await?;
    let changed = row.updated_at;
    Ok(Reply::data(row.into()).tagged(changed))
}

pub const DELETE: Operation = Operation::new(TAG, "Delete a webhook", Scope::WebhooksWrite).no_content();

pub async fn delete(State(app): State<App>, caller: Caller, Id(id): Id) -> Done {
    webhooks::delete(&app, &caller.actor, id).await?;
    NO_CONTENT
}

/// A name that can be subscribed to.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEvent)]
pub struct Name {
    event: &'static str,
    sent_when: &'static str,
}

pub const EVENTS: Operation =
    Operation::new(TAG, "List the events that can be subscribed to", Scope::WebhooksRead).lists::<Name>();

pub async fn events(page: Page) -> Listing<Name> {
    let rows = INDEX.iter().skip(page.offset() as usize).take(page.limit() as usize);
    let rows = rows.map(|(event, sent_when)| Name { event, sent_when }).collect();
    page.of(rows, INDEX.len() as i64)
}

pub const SHOW: Operation = Operation::new(TAG, "Retrieve a webhook", Scope::WebhooksRead).answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let row = webhooks::show(&app, &caller.actor, id).await?;
    let changed = row.updated_at;
    Ok(Reply::data(row.into()).tagged(changed))
}

doors::form! {
    WebhookRotation {
        overlap_s: optional Integer(0, 604_800), "Seconds for which `X-Signature-Previous` has the old secret's signature; a day where it is left out.";
    }
}

pub const ROTATE: Operation = Operation::new(TAG, "Give a webhook a new secret", Scope::WebhooksWrite)
    .about("The answer alone shows it.")
    .body::<WebhookRotation>()
    .answers::<WithSecret>();

pub async fn rotate(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<WebhookRotation>,
) -> Answer<WithSecret> {
    let overlap = body.overlap_s.or(86_400) * SECOND;
    let issued = webhooks::rotate(&app, &caller.actor, caller.scopes, id, overlap).await?;
    let changed = issued.webhook.updated_at;
    Ok(Reply::data(issued.into()).tagged(changed))
}

#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub struct Delivery {
    id: i64,
    /// The body's `id`, and `X-Webhook-Id`.
    event_id: String,
    event: String,
    /// pending, delivered or dead.
    state: String,
    /// As it is sent.
    #[schema(value_type = Object)]
    body: Value,
    attempts: i64,
    /// Null unless it is pending.
    next_attempt_at: Option<String>,
    last_status: Option<i64>,
    last_error: Option<String>,
    last_ms: Option<i64>,
    created_at: String,
    delivered_at: Option<String>,
    /// What came of each attempt.
    log: Vec<Attempt>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = WebhookAttempt)]
pub struct Attempt {
    attempt: i64,
    at: String,
    status: Option<i64>,
    error: Option<String>,
    ms: i64,
    /// The beginning of what the receiver answered.
    answer: Option<String>,
}

fn told(logged: Logged) -> Delivery {
    let Logged { delivery: row, attempts } = logged;
    let log = attempts.into_iter().map(|made| Attempt {
        attempt: made.attempt,
        at: utc_seconds(made.at),
        status: made.status,
        error: made.error,
        ms: made.ms,
        answer: made.answer,
    });
    Delivery {
        id: row.id,
        event_id: row.event_id,
        event: row.event,
        next_attempt_at: (row.state == "pending").then(|| utc_seconds(row.next_at)),
        state: row.state,
        body: serde_json::from_str(&row.body).unwrap_or_default(),
        attempts: row.attempts,
        last_status: row.last_status,
        last_error: row.last_error,
        last_ms: row.last_ms,
        created_at: utc_seconds(row.created_at),
        delivered_at: row.delivered_at.map(utc_seconds),
        log: log.collect(),
    }
}

doors::form! {
    /// Which deliveries.
    DeliveriesWanted {
        state: optional Word(webhooks::STATES), "In this state.";
    }
}

pub const DELIVERIES: Operation = Operation::new(TAG, "List a webhook's deliveries", Scope::WebhooksRead)
    .about("The newest first, each with what came of its attempts. Kept 30 days, 90 where they never arrived.")
    .query::<DeliveriesWanted>()
    .lists::<Delivery>();

pub async fn deliveries(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    page: Page,
    Query(wanted): Query<DeliveriesWanted>,
) -> Result<Listing<Delivery>, Failure> {
    let state = wanted.state.value();
    let (rows, total) =
        webhooks::deliveries(&app, &caller.actor, caller.scopes, id, state, page.offset(), page.limit()).await?;
    Ok(page.of(rows.into_iter().map(told).collect(), total))
}

pub const REPLAY: Operation = Operation::new(TAG, "Send a delivery that ended once more", Scope::WebhooksWrite)
    .about("The same bytes under the same id, behind what waits already.")
    .answers::<Delivery>()
    .refuses(&[422]);

pub async fn replay(State(app): State<App>, caller: Caller, Nested(id, delivery): Nested) -> Answer<Delivery> {
    let delivery = webhooks::replay(&app, &caller.actor, caller.scopes, id, delivery).await?;
    Ok(Reply::data(told(Logged { delivery, attempts: Vec::new() })))
}

pub const TEST: Operation = Operation::new(TAG, "Send a test", Scope::WebhooksWrite)
    .about("A delivery named `webhook.test`; the list of deliveries tells what came of it.")
    .answers::<Delivery>()
    .refuses(&[422]);

pub async fn test(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Delivery> {
    let delivery = webhooks::test(&app, &caller.actor, id).await?;
    Ok(Reply::data(told(Logged { delivery, attempts: Vec::new() })))
}
