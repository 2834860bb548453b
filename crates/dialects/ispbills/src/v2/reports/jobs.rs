//! Background work: orders to routers and whatever else follows from changes.

use axum::extract::State;
use domain::{Instant, JobId, Scope};
use doors::{Id, Operation, form::Query, wire::utc_seconds, words};
use serde::Serialize;
use serde_json::Value;
use service::{
    App,
    kernel::{
        jobs::{self, Filter, Job, State as Standing},
        work::Outcome,
    },
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Failure, Listing, Page, Reply};

#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub struct Row {
    id: i64,
    queue: String,
    kind: String,
    /// waiting, running, done or failed.
    state: &'static str,
    attempts: i64,
    /// What belongs to this kind.
    #[schema(value_type = Object)]
    payload: Value,
    /// What came of the last attempt.
    outcome: Option<String>,
    /// When it is due, or was.
    run_at: String,
    created_at: String,
    done_at: Option<String>,
}

fn row(job: Job, now: Instant) -> Row {
    Row {
        id: job.id.0,
        state: job.state(now).word(),
        queue: job.queue,
        kind: job.kind,
        attempts: job.attempts,
        payload: serde_json::from_str(&job.payload).unwrap_or_default(),
        outcome: job.outcome.map(|outcome| words::outcome(&Outcome::read(&outcome))),
        run_at: utc_seconds(job.run_at),
        created_at: utc_seconds(job.created_at),
        done_at: job.done_at.map(utc_seconds),
    }
}

doors::form! {
    JobFilter {
        queue: optional Text(1, 100), "Of this queue: `network` for orders to routers.";
        state: optional Word(Standing::WORDS), "Which stand so.";
    }
}

pub const LIST: Operation = Operation::new("Jobs", "List background jobs", Scope::JobsRead)
    .about("The newest first. Done ones are kept for a week.")
    .query::<JobFilter>()
    .lists::<Row>();

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(JobFilter { queue, state }): Query<JobFilter>,
) -> Result<Listing<Row>, Failure> {
    let filter = Filter { queue: queue.value(), state: state.value().and_then(Standing::from_word) };
    let (found, total) = jobs::list(&app, &caller.actor, filter, page.offset(), page.limit()).await?;
    Ok(page.of(found.into_iter().map(|job| row(job, caller.now)).collect(), total))
}

pub const SHOW: Operation = Operation::new("Jobs", "Retrieve a background job", Scope::JobsRead).answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let job = jobs::show(&app, &caller.actor, JobId(id)).await?;
    Ok(Reply::data(row(job, caller.now)))
}

pub const RETRY: Operation = Operation::new("Jobs", "Try a failed job again", Scope::JobsWrite)
    .about("It is due at once, with all its attempts.")
    .refuses(&[422])
    .answers::<Row>();

pub async fn retry(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let job = jobs::retry(&app, &caller.actor, JobId(id)).await?;
    Ok(Reply::data(row(job, caller.now)))
}
