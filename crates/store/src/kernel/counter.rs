//! Counter rows: blocks of ids, and numbers without gaps.

use domain::IspId;

use crate::{
    db::{Error, Tx},
    params, sql,
};

/// Takes `count` numbers of a counter; the first of them. The row stays locked until the transaction ends, so numbers
/// taken here have no gaps and no repeats; take them last.
pub async fn take(tx: &Tx, isp: IspId, name: &str, count: i64) -> Result<i64, Error> {
    let next = tx
        .row(
            sql!(
                "insert into counter (isp_id, name, next) values ($1, $2, 1 + $3) \
                 on conflict (isp_id, name) do update set next = counter.next + $3 returning next"
            ),
            &params![isp, name, count],
        )
        .await?
        .ok_or(Error::Other("a counter returned no row".into()))?
        .get::<i64>(0)?;
    Ok(next - count)
}

/// The next number of every Isp's counter of this name, without taking it.
pub async fn heads(tx: &Tx, name: &str) -> Result<Vec<(IspId, i64)>, Error> {
    let rows = tx.rows(sql!("select isp_id, next from counter where name = $1"), &params![name]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
