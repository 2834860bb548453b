//! Events: what happened, in an order without gaps that readers can follow.

use domain::{Instant, IspId, kernel::event::EventKind};

use crate::{
    db::{Error, Tx, Value},
    kernel::{
        counter,
        record::{record, records, text},
    },
    params, sql,
};

record! {
    Event of "event" {
        isp_id: IspId,
        /// From the Isp's counter row, taken as the last act of the transaction: a reader of `seq > last` never skips a
        /// late committer.
        seq: i64,
        at: Instant,
        kind: EventKind,
        version: i64,
        subject: String,
        subject_id: i64,
        /// Who caused it: `staff:3`, `api:12`, `system`.
        actor: String,
        /// JSON of this kind and version.
        body: String,
    }
}

const COUNTER: &str = "event";

/// Appends events, giving them their `seq`. The last act of a transaction. The seq of the last one.
pub async fn append(tx: &Tx, isp: IspId, mut events: Vec<Event>) -> Result<i64, Error> {
    let first = counter::take(tx, isp, COUNTER, events.len() as i64).await?;
    for (event, seq) in events.iter_mut().zip(first..) {
        event.seq = seq;
    }
    let last = first + events.len() as i64 - 1;
    tx.insert_many(Event::INSERT, "", events.iter().map(Event::values).collect()).await?;
    Ok(last)
}

/// The newest seq of every Isp.
pub async fn heads(tx: &Tx) -> Result<Vec<(IspId, i64)>, Error> {
    Ok(counter::heads(tx, COUNTER).await?.into_iter().map(|(isp, next)| (isp, next - 1)).collect())
}

pub async fn after(tx: &Tx, isp: IspId, seq: i64, limit: i64) -> Result<Vec<Event>, Error> {
    let rows = tx
        .rows(
            sql!(text!(Event::SELECT, "where t.isp_id = $1 and t.seq > $2 order by t.seq limit $3")),
            &params![isp, seq, limit],
        )
        .await?;
    records(rows, Event::from_row)
}

/// Removes those of before among the `limit` oldest; how many there were. Oldest means numbered first: whoever follows
/// the feed never finds a hole behind what it has not read.
pub async fn forget(tx: &Tx, isp: IspId, before: Instant, limit: i64) -> Result<u64, Error> {
    tx.run(
        sql!(
            "delete from event where isp_id = $1 and at < $2 and seq in \
             (select seq from event where isp_id = $1 order by seq limit $3)"
        ),
        &params![isp, before, limit],
    )
    .await
}

/// The newest events of an Isp first.
pub async fn latest(tx: &Tx, isp: IspId, limit: i64) -> Result<Vec<Event>, Error> {
    let rows = tx
        .rows(sql!(text!(Event::SELECT, "where t.isp_id = $1 order by t.seq desc limit $2")), &params![isp, limit])
        .await?;
    records(rows, Event::from_row)
}

/// Which events; all given conditions hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    pub kind: Option<EventKind>,
    /// A noun.
    pub subject: Option<&'static str>,
    pub subject_id: Option<i64>,
}

/// Events that match after `seq`, the oldest first.
pub async fn matching(tx: &Tx, isp: IspId, filter: &Filter, seq: i64, limit: i64) -> Result<Vec<Event>, Error> {
    let mut params = params![isp, seq].to_vec();
    let mut text = String::from("t.isp_id = $1 and t.seq > $2");
    let conditions = [
        ("t.kind", filter.kind.map(Value::from)),
        ("t.subject", filter.subject.map(Value::from)),
        ("t.subject_id", filter.subject_id.map(Value::from)),
    ];
    for (column, value) in conditions {
        if let Some(value) = value {
            params.push(value);
            text += &format!(" and {column} = ${}", params.len());
        }
    }
    params.push(limit.into());
    let page = format!("{}where {text} order by t.seq limit ${}", Event::SELECT, params.len());
    records(tx.rows(page, &params).await?, Event::from_row)
}

/// What happened last to one subject, the newest first.
pub async fn latest_of(tx: &Tx, isp: IspId, subject: &str, id: i64, limit: i64) -> Result<Vec<Event>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Event::SELECT,
                "where t.isp_id = $1 and t.subject = $2 and t.subject_id = $3 order by t.seq desc limit $4"
            )),
            &params![isp, subject, id, limit],
        )
        .await?;
    records(rows, Event::from_row)
}
