//! Counts for the front page.

use domain::{Instant, IspId};

use crate::{
    db::{Error, Tx},
    params, sql,
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
    let services = tx
        .row(
            sql!(
                "select count(*), \
                 count(*) filter (where t.status = 'active' and t.expires_at > $2 \
                 and (t.quota_bytes is null or t.used_bytes < t.quota_bytes) \
                 and (t.quota_time_s is null or t.used_time_s < t.quota_time_s)), \
                 count(*) filter (where t.status <> 'active') \
                 from service t where t.isp_id = $1 and t.deleted_at is null and t.ordinal = 1"
            ),
            &params![isp, now],
        )
        .await?;
    let online = tx.row(sql!("select count(*) from session where isp_id = $1 and state = 0"), &params![isp]).await?;
    let mut counts = Counts::default();
    if let Some(row) = services {
        (counts.customers, counts.running, counts.barred) = (row.get(0)?, row.get(1)?, row.get(2)?);
    }
    if let Some(row) = online {
        counts.online = row.get(0)?;
    }
    Ok(counts)
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
