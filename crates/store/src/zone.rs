//! What vendors' clients call an Isp and its branches.

use domain::{BranchId, Instant, IspId};

use crate::{
    db::{Error, Tx},
    params,
    record::{record, records, text},
    sql,
};

record! {
    Zone of "zone" {
        isp_id: IspId,
        /// 0 is the whole Isp.
        branch_id: i64,
        account: String,
        account_key: String,
        created_at: Instant,
    }
}

impl Zone {
    pub fn branch(&self) -> Option<BranchId> {
        (self.branch_id != 0).then_some(BranchId(self.branch_id))
    }
}

/// All of an Isp's, its own first.
pub async fn of_isp(tx: &Tx, isp: IspId) -> Result<Vec<Zone>, Error> {
    let rows = tx.rows(sql!(text!(Zone::SELECT, "where t.isp_id = $1 order by t.branch_id")), &params![isp]).await?;
    records(rows, Zone::from_row)
}

/// `false` when the name is another's. A zone that has a name gets the new one.
pub async fn put(tx: &Tx, zone: &Zone) -> Result<bool, Error> {
    let taken = tx
        .row(
            sql!("select branch_id from zone where isp_id = $1 and account_key = $2 and branch_id <> $3"),
            &params![zone.isp_id, &zone.account_key, zone.branch_id],
        )
        .await?;
    if taken.is_some() {
        return Ok(false);
    }
    tx.run(
        sql!(
            "insert into zone (isp_id, branch_id, account, account_key, created_at) values ($1, $2, $3, $4, $5) \
             on conflict (isp_id, branch_id) do update set account = excluded.account, \
             account_key = excluded.account_key"
        ),
        &params![zone.isp_id, zone.branch_id, &zone.account, &zone.account_key, zone.created_at],
    )
    .await?;
    Ok(true)
}
