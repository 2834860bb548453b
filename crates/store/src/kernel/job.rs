//! Background work: jobs with leases, and the schedule of what recurs.

use domain::{Instant, IspId, JobId};

use crate::{
    db::{Error, Tx, Value},
    kernel::record::{record, records, text},
    params, sql,
};

record! {
    Job of "job" {
        isp_id: IspId,
        id: JobId,
        /// Jobs of one queue are worked on in order of `run_at`.
        queue: String,
        kind: String,
        version: i64,
        /// JSON of this kind and version.
        payload: String,
        run_at: Instant,
        attempts: i64,
        lease_owner: Option<String>,
        lease_until: Option<Instant>,
        /// At most one unfinished job with this key.
        unique_key: Option<String>,
        created_at: Instant,
        done_at: Option<Instant>,
        outcome: Option<String>,
        /// It ended without having done its work.
        failed: bool,
    }
}

/// Adds jobs; one whose unique key is already waiting is left out.
pub async fn enqueue(tx: &Tx, jobs: &[Job]) -> Result<(), Error> {
    tx.insert_many(Job::INSERT, "on conflict do nothing", jobs.iter().map(Job::values).collect()).await.map(drop)
}

/// Leases up to `limit` due jobs of a queue to `owner`. Each claim counts as an attempt.
pub async fn claim(
    tx: &Tx,
    queue: &str,
    owner: &str,
    now: Instant,
    until: Instant,
    limit: i64,
) -> Result<Vec<Job>, Error> {
    let due = tx
        .rows_locked(
            sql!(text!(
                Job::SELECT,
                "where t.queue = $1 and t.run_at <= $2 and t.done_at is null \
                 and (t.lease_until is null or t.lease_until < $2) order by t.run_at limit $3"
            )),
            &params![queue, now, limit],
        )
        .await?;
    let mut due = records(due, Job::from_row)?;
    for job in &mut due {
        tx.run(
            sql!(
                "update job set lease_owner = $3, lease_until = $4, attempts = attempts + 1 \
                 where isp_id = $1 and id = $2"
            ),
            &params![job.isp_id, job.id, owner, until],
        )
        .await?;
        job.attempts += 1;
    }
    Ok(due)
}

/// Makes a lease last longer while its work goes on.
pub async fn renew(tx: &Tx, isp: IspId, id: JobId, owner: &str, until: Instant) -> Result<(), Error> {
    tx.run(
        sql!("update job set lease_until = $4 where isp_id = $1 and id = $2 and lease_owner = $3 and done_at is null"),
        &params![isp, id, owner, until],
    )
    .await
    .map(drop)
}

/// Ends a job. Its unique key is free again.
pub async fn finish(tx: &Tx, isp: IspId, id: JobId, now: Instant, outcome: &str) -> Result<(), Error> {
    tx.run(
        sql!(
            "update job set done_at = $3, outcome = $4, unique_key = null, lease_owner = null, lease_until = null \
             where isp_id = $1 and id = $2"
        ),
        &params![isp, id, now, outcome],
    )
    .await
    .map(drop)
}

/// Ends a job that could not do its work. Its unique key is free again.
pub async fn fail(tx: &Tx, isp: IspId, id: JobId, now: Instant, outcome: &str) -> Result<(), Error> {
    tx.run(
        sql!(
            "update job set done_at = $3, outcome = $4, failed = true, unique_key = null, lease_owner = null, \
             lease_until = null where isp_id = $1 and id = $2"
        ),
        &params![isp, id, now, outcome],
    )
    .await
    .map(drop)
}

/// Makes a failed job due once more, with all its attempts; `false` when it has not failed.
pub async fn revive(tx: &Tx, isp: IspId, id: JobId, now: Instant) -> Result<bool, Error> {
    let revived = tx
        .run(
            sql!(
                "update job set done_at = null, outcome = null, failed = false, attempts = 0, run_at = $3 \
                 where isp_id = $1 and id = $2 and failed"
            ),
            &params![isp, id, now],
        )
        .await?;
    Ok(revived > 0)
}

pub async fn find(tx: &Tx, isp: IspId, id: JobId) -> Result<Option<Job>, Error> {
    let row = tx.row(sql!(text!(Job::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| Job::from_row(&row)).transpose()
}

/// Where a job stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// For its time or a worker.
    Waiting,
    /// A worker holds it.
    Running,
    Done,
    Failed,
}

impl State {
    pub const WORDS: &[&'static str] = &["waiting", "running", "done", "failed"];

    pub fn word(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Running => "running",
            State::Done => "done",
            State::Failed => "failed",
        }
    }

    pub fn from_word(word: &str) -> Option<State> {
        [State::Waiting, State::Running, State::Done, State::Failed].into_iter().find(|state| state.word() == word)
    }
}

impl Job {
    pub fn state(&self, now: Instant) -> State {
        match (self.done_at, self.failed) {
            (Some(_), true) => State::Failed,
            (Some(_), false) => State::Done,
            (None, _) if self.lease_until.is_some_and(|until| until >= now) => State::Running,
            (None, _) => State::Waiting,
        }
    }
}

/// A list's conditions; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    pub queue: Option<String>,
    pub state: Option<State>,
}

/// A page of an Isp's jobs that match, the newest first, and how many there are in all.
pub async fn list(
    tx: &Tx,
    isp: IspId,
    filter: &Filter,
    now: Instant,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Job>, i64), Error> {
    let mut params = vec![Value::from(isp)];
    let mut text = String::from("t.isp_id = $1");
    if let Some(queue) = &filter.queue {
        params.push(queue.as_str().into());
        text += &format!(" and t.queue = ${}", params.len());
    }
    let held = |params: &mut Vec<Value>, condition: &str| {
        params.push(now.into());
        condition.replace("$?", &format!("${}", params.len()))
    };
    text += &match filter.state {
        None => String::new(),
        Some(State::Waiting) => {
            held(&mut params, " and t.done_at is null and (t.lease_until is null or t.lease_until < $?)")
        }
        Some(State::Running) => held(&mut params, " and t.done_at is null and t.lease_until >= $?"),
        Some(State::Done) => " and t.done_at is not null and not t.failed".into(),
        Some(State::Failed) => " and t.failed".into(),
    };
    let total = tx.row(format!("select count(*) from job t where {text}"), &params).await?;
    let total = total.map_or(Ok(0), |row| row.get(0))?;
    params.extend([Value::from(limit), Value::from(offset)]);
    let page =
        format!("{}where {text} order by t.id desc limit ${} offset ${}", Job::SELECT, params.len() - 1, params.len());
    Ok((records(tx.rows(page, &params).await?, Job::from_row)?, total))
}

/// Gives a job back to be tried again at `run_at`.
pub async fn again(tx: &Tx, isp: IspId, id: JobId, run_at: Instant, outcome: &str) -> Result<(), Error> {
    tx.run(
        sql!(
            "update job set run_at = $3, outcome = $4, lease_owner = null, lease_until = null \
             where isp_id = $1 and id = $2"
        ),
        &params![isp, id, run_at, outcome],
    )
    .await
    .map(drop)
}

/// Jobs not finished, for tests and the overview.
pub async fn waiting(tx: &Tx, queue: &str) -> Result<i64, Error> {
    let row = tx.row(sql!("select count(*) from job where queue = $1 and done_at is null"), &params![queue]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// When the next unfinished job of a queue is due.
pub async fn next_due(tx: &Tx, queue: &str) -> Result<Option<Instant>, Error> {
    let row = tx
        .row(
            sql!("select run_at from job where queue = $1 and done_at is null order by run_at limit 1"),
            &params![queue],
        )
        .await?;
    row.map(|row| row.get(0)).transpose()
}

/// Takes a recurring task if it is due and nobody holds it: the next time is set at once, so two nodes have one effect.
pub async fn take_turn(
    tx: &Tx,
    name: &str,
    owner: &str,
    now: Instant,
    every_us: i64,
    lease_us: i64,
) -> Result<bool, Error> {
    tx.run(
        sql!("insert into schedule (name, next_at) values ($1, $2) on conflict (name) do nothing"),
        &params![name, now],
    )
    .await?;
    let taken = tx
        .run(
            sql!(
                "update schedule set lease_owner = $2, lease_until = $4, next_at = $5 \
                 where name = $1 and next_at <= $3 and (lease_until is null or lease_until < $3)"
            ),
            &params![name, owner, now, now.plus(lease_us), now.plus(every_us)],
        )
        .await?;
    Ok(taken > 0)
}

/// When a task is due next; `None`: it has never run.
pub async fn next_turn(tx: &Tx, name: &str) -> Result<Option<Instant>, Error> {
    let row = tx.row(sql!("select next_at from schedule where name = $1"), &params![name]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// Ends a turn.
pub async fn end_turn(tx: &Tx, name: &str, owner: &str) -> Result<(), Error> {
    tx.run(
        sql!("update schedule set lease_owner = null, lease_until = null where name = $1 and lease_owner = $2"),
        &params![name, owner],
    )
    .await
    .map(drop)
}

/// Removes finished jobs older than `before`.
pub async fn forget(tx: &Tx, before: Instant) -> Result<u64, Error> {
    tx.run(sql!("delete from job where done_at < $1"), &[Value::from(before)]).await
}
