//! Where lines come into the house: the medium, and the equipment they hang on. A line without a row here is what its
//! kind says and no more.

use domain::{Connection, Instant, IspId, ServiceId};

use crate::{
    db::{Error, Tx},
    kernel::{
        conditions::among,
        record::{record, records, text},
    },
    params, sql,
};

record! {
    Plant of "service_plant" {
        isp_id: IspId,
        service_id: ServiceId,
        connection: Connection,
        onu_mac: Option<String>,
        onu_id: Option<i64>,
        /// The splitter or distribution box.
        box_name: Option<String>,
        switch_port: Option<String>,
        /// Colour or number of the fibre.
        fibre: Option<String>,
        updated_at: Instant,
    }
}

pub async fn find(tx: &Tx, isp: IspId, service: ServiceId) -> Result<Option<Plant>, Error> {
    let row =
        tx.row(sql!(text!(Plant::SELECT, "where t.isp_id = $1 and t.service_id = $2")), &params![isp, service]).await?;
    row.map(|row| Plant::from_row(&row)).transpose()
}

/// Of these lines, in no order.
pub async fn of(tx: &Tx, isp: IspId, services: &[ServiceId]) -> Result<Vec<Plant>, Error> {
    if services.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = among(isp, services.iter().map(|id| id.0));
    let rows = tx.rows(format!("{}where t.isp_id = $1 and t.service_id in ({list})", Plant::SELECT), &params).await?;
    records(rows, Plant::from_row)
}

pub async fn save(tx: &Tx, row: &Plant) -> Result<(), Error> {
    const SUFFIX: &str = "on conflict (isp_id, service_id) do update set connection = excluded.connection, \
        onu_mac = excluded.onu_mac, onu_id = excluded.onu_id, box_name = excluded.box_name, \
        switch_port = excluded.switch_port, fibre = excluded.fibre, updated_at = excluded.updated_at";
    tx.insert_many(Plant::INSERT, SUFFIX, vec![row.values()]).await.map(drop)
}
