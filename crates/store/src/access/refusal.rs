//! How long the log of refused logins lasts.

use domain::{Instant, IspId};

use crate::{
    db::{Error, Tx},
    params, sql,
};

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
