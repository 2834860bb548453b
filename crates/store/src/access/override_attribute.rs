//! Attributes that an override has put on a line.

use domain::{IspId, ServiceId};

use crate::{
    db::{Error, Tx},
    kernel::record::{record, records, text},
    params, sql,
};

record! {
    OverrideAttribute of "override_attribute" {
        isp_id: IspId,
        id: i64,
        service_id: ServiceId,
        /// 1 before the override's limit, 2 beyond it.
        stage: i64,
        attribute: String,
        op: String,
        value: String,
        /// The attribute of the line that stands for it at present.
        live_id: Option<i64>,
    }
}

pub async fn of_service(tx: &Tx, isp: IspId, service: ServiceId) -> Result<Vec<OverrideAttribute>, Error> {
    let rows = tx
        .rows(
            sql!(text!(OverrideAttribute::SELECT, "where t.isp_id = $1 and t.service_id = $2 order by t.stage, t.id")),
            &params![isp, service],
        )
        .await?;
    records(rows, OverrideAttribute::from_row)
}

pub async fn set_live(tx: &Tx, isp: IspId, id: i64, live: Option<i64>) -> Result<(), Error> {
    tx.run(sql!("update override_attribute set live_id = $3 where isp_id = $1 and id = $2"), &params![isp, id, live])
        .await
        .map(drop)
}

pub async fn clear(tx: &Tx, isp: IspId, service: ServiceId) -> Result<(), Error> {
    tx.run(sql!("delete from override_attribute where isp_id = $1 and service_id = $2"), &params![isp, service])
        .await
        .map(drop)
}
