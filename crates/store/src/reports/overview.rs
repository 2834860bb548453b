//! Counts for the front page.

use domain::{Instant, IspId};

use crate::{
    db::{Error, Tx},
    params,
    people::roster,
    sql,
};

#[derive(Clone, Copy, Default, Debug)]
pub struct Counts {
    pub customers: i64,
    /// Active, within validity and quota.
    pub running: i64,
    /// Not active, whatever their validity.
    pub barred: i64,
    pub online: i64,
}

pub async fn counts(tx: &Tx, isp: IspId, now: Instant) -> Result<Counts, Error> {
    let (customers, running, barred) = roster::totals(tx, isp, now).await?;
    let online = tx.row(sql!("select count(*) from session where isp_id = $1 and state = 0"), &params![isp]).await?;
    let online = online.map_or(Ok(0), |row| row.get(0))?;
    Ok(Counts { customers, running, barred, online })
}

/// Refused logins by reason, the most frequent first.
pub async fn rejects_since(tx: &Tx, isp: IspId, since: Instant) -> Result<Vec<(String, i64)>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select reason, count(*) from login_reject where isp_id = $1 and at >= $2 \
                 group by reason order by count(*) desc, reason"
            ),
            &params![isp, since],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
