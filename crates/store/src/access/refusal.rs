//! How long the log of refused logins lasts.

use domain::{Instant, IspId};

use crate::{
    db::{Error, Tx},
    params, sql,
};

/// When the one came that so many newer ones follow: it and those before are beyond what is kept.
pub async fn beyond(tx: &Tx, isp: IspId, kept: i64) -> Result<Option<Instant>, Error> {
    let text = sql!("select at from login_reject where isp_id = $1 order by at desc limit 1 offset $2");
    tx.row(text, &params![isp, kept]).await?.map(|row| row.get(0)).transpose()
}

/// Removes up to `limit` refusals of before; how many there were.
pub async fn forget(tx: &Tx, isp: IspId, before: Instant, limit: i64) -> Result<u64, Error> {
    tx.run(
        sql!(
            "delete from login_reject where isp_id = $1 and id in \
             (select id from login_reject where isp_id = $1 and at < $2 order by at limit $3)"
        ),
        &params![isp, before, limit],
    )
    .await
}
