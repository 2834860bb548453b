//! Caller keys: a repeat is answered with the first result.

use domain::{Instant, IspId};

use crate::{
    db::{Error, Tx},
    params, sql,
};

/// What is known of a caller's key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    pub request_hash: String,
    pub answer: String,
    /// When the key was taken.
    pub created_at: Instant,
}

/// Claims a key. `None`: it is new and now taken, to be filled by [`remember`]; two claims at once wait for each other.
pub async fn claim(
    tx: &Tx,
    isp: IspId,
    scope: &str,
    key: &str,
    request_hash: &str,
    now: Instant,
) -> Result<Option<Seen>, Error> {
    let taken = tx
        .run(
            sql!(
                "insert into idempotency (isp_id, scope, caller_key, request_hash, answer, created_at) \
                 values ($1, $2, $3, $4, '', $5) on conflict (isp_id, scope, caller_key) do nothing"
            ),
            &params![isp, scope, key, request_hash, now],
        )
        .await?;
    if taken > 0 {
        return Ok(None);
    }
    find(tx, isp, scope, key).await
}

pub async fn find(tx: &Tx, isp: IspId, scope: &str, key: &str) -> Result<Option<Seen>, Error> {
    let row = tx
        .row(
            sql!(
                "select request_hash, answer, created_at from idempotency \
                 where isp_id = $1 and scope = $2 and caller_key = $3"
            ),
            &params![isp, scope, key],
        )
        .await?;
    row.map(|row| Ok(Seen { request_hash: row.get(0)?, answer: row.get(1)?, created_at: row.get(2)? })).transpose()
}

pub async fn remember(tx: &Tx, isp: IspId, scope: &str, key: &str, answer: &str) -> Result<(), Error> {
    tx.run(
        sql!("update idempotency set answer = $4 where isp_id = $1 and scope = $2 and caller_key = $3"),
        &params![isp, scope, key, answer],
    )
    .await
    .map(drop)
}

/// Removes keys older than `before`, the oldest first, at most so many; how many there were.
pub async fn forget(tx: &Tx, before: Instant, limit: i64) -> Result<u64, Error> {
    tx.run(
        sql!(
            "delete from idempotency where (isp_id, scope, caller_key) in (select isp_id, scope, caller_key \
             from idempotency where created_at < $1 order by created_at limit $2)"
        ),
        &params![before, limit],
    )
    .await
}
