//! The feed of what happened, in order and without gaps: read on from `meta.next_after`.

use axum::{Json, extract::State};
use domain::{
    Scope,
    kernel::event::{EventKind, Subject},
};
use doors::{Operation, form::Query, wire::utc_micros};
use serde::Serialize;
use serde_json::Value;
use service::{
    App,
    kernel::events::{self, Event, Filter},
};
use utoipa::ToSchema;

use crate::envelope::{Caller, Failure};

const MAX_AFTER: i64 = (1 << 53) - 1;

#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub struct Row {
    seq: i64,
    at: String,
    kind: &'static str,
    /// What it is about: a noun and the row's id; 0 for the provider itself.
    subject: String,
    subject_id: i64,
    /// Who caused it: `staff:3`, `api:12`, `system`.
    actor: String,
    /// What belongs to this kind.
    #[schema(value_type = Object)]
    data: Value,
}

#[derive(Serialize, ToSchema)]
#[schema(as = EventFeed)]
pub struct Feed {
    data: Vec<Row>,
    meta: Meta,
}

#[derive(Serialize, ToSchema)]
#[schema(as = EventFeedMeta)]
pub struct Meta {
    /// `after` of the next call.
    next_after: i64,
    /// The newest event's number.
    head: i64,
}

doors::form! {
    EventFilter {
        after: optional Integer(0, MAX_AFTER), "Events after this number; from the beginning where not given.";
        limit: optional Integer(1, 1000), "At most so many; 100 where not given.";
        kind: optional Word(EventKind::WORDS), "Of this kind.";
        subject: optional Word(Subject::WORDS), "About such a thing.";
        subject_id: optional Id, "About this one; with `subject`.";
    }
}

pub const LIST: Operation = Operation::new("Events", "Follow what happened", Scope::EventsRead)
    .about("The oldest first. Nothing is ever inserted before an event that was shown.")
    .query::<EventFilter>()
    .bare::<Feed>();

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(asked): Query<EventFilter>,
) -> Result<Json<Feed>, Failure> {
    let EventFilter { after, limit, kind, subject, subject_id } = asked;
    let filter = Filter {
        kind: kind.value().and_then(EventKind::from_word),
        subject: subject.value(),
        subject_id: subject_id.value(),
    };
    let piece = events::after(&app, &caller.actor, filter, after.or(0), limit.or(100)).await?;
    let row = |event: Event| Row {
        seq: event.seq,
        at: utc_micros(event.at),
        kind: event.kind.word(),
        subject: event.subject,
        subject_id: event.subject_id,
        actor: event.actor,
        data: serde_json::from_str(&event.body).unwrap_or_default(),
    };
    let meta = Meta { next_after: piece.next_after, head: piece.head };
    Ok(Json(Feed { data: piece.events.into_iter().map(row).collect(), meta }))
}
