//! Events: what happened, in an order without gaps that readers can follow.

use domain::{Instant, IspId, event::EventKind};

use crate::{
    counter,
    db::{Error, Tx},
    params,
    record::{record, records, text},
    sql,
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
