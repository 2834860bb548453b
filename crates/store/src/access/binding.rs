//! A line's devices and fixed addresses beside the first, which stands with the line itself.

use std::collections::HashMap;

use domain::{IspId, ServiceId};

use crate::{
    db::{Error, Tx},
    kernel::{
        conditions::among,
        record::{record, records, text},
    },
    params, sql,
};

record! {
    Binding of "service_binding" {
        isp_id: IspId,
        service_id: ServiceId,
        /// 1 or more: the first stands with the line.
        ordinal: i64,
        address: Option<String>,
        mac: Option<String>,
    }
}

/// In their order.
pub async fn of_service(tx: &Tx, isp: IspId, service: ServiceId) -> Result<Vec<Binding>, Error> {
    let rows = tx
        .rows(
            sql!(text!(Binding::SELECT, "where t.isp_id = $1 and t.service_id = $2 order by t.ordinal")),
            &params![isp, service],
        )
        .await?;
    records(rows, Binding::from_row)
}

/// Of many lines, in one query.
pub async fn of_services(tx: &Tx, isp: IspId, ids: &[ServiceId]) -> Result<HashMap<ServiceId, Vec<Binding>>, Error> {
    let mut found: HashMap<ServiceId, Vec<Binding>> = HashMap::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let (list, params) = among(isp, ids.iter().map(|id| id.0));
    let text =
        format!("{}where t.isp_id = $1 and t.service_id in ({list}) order by t.service_id, t.ordinal", Binding::SELECT);
    for row in records(tx.rows(text, &params).await?, Binding::from_row)? {
        found.entry(row.service_id).or_default().push(row);
    }
    Ok(found)
}

/// Of everybody, for the directory.
pub async fn all(tx: &Tx) -> Result<Vec<Binding>, Error> {
    let text = sql!(text!(Binding::SELECT, "order by t.isp_id, t.service_id, t.ordinal"));
    records(tx.rows(text, &params![]).await?, Binding::from_row)
}

/// Takes the place of those there were; whoever writes has the line locked.
pub async fn put(tx: &Tx, isp: IspId, service: ServiceId, rows: Vec<Binding>) -> Result<(), Error> {
    tx.run(sql!("delete from service_binding where isp_id = $1 and service_id = $2"), &params![isp, service]).await?;
    if !rows.is_empty() {
        tx.insert_many(Binding::INSERT, "", rows.iter().map(Binding::values).collect()).await?;
    }
    Ok(())
}
