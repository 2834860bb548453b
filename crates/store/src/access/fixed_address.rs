//! Fixed addresses, each of one line of its tenant.

use domain::{IspId, ServiceId};

use crate::{
    db::{Error, Tx},
    kernel::record::record,
    params, sql,
};

record! {
    FixedAddress of "fixed_address" {
        isp_id: IspId,
        service_id: ServiceId,
        address: String,
        /// `None`: it was another line's too before that was refused.
        address_key: Option<String>,
    }
}

/// What a line has.
pub async fn of_service(tx: &Tx, isp: IspId, service: ServiceId) -> Result<Vec<String>, Error> {
    let text = sql!("select address from fixed_address where isp_id = $1 and service_id = $2 order by address");
    tx.rows(text, &params![isp, service]).await?.iter().map(|row| row.get(0)).collect()
}

/// Whose it is, where it is one line's alone.
pub async fn holder(tx: &Tx, isp: IspId, address: &str) -> Result<Option<ServiceId>, Error> {
    let text = sql!("select service_id from fixed_address where isp_id = $1 and address_key = $2");
    tx.row(text, &params![isp, address]).await?.map(|row| row.get(0)).transpose()
}

/// Whether the line has ever been online.
pub async fn has_been_online(tx: &Tx, isp: IspId, service: ServiceId) -> Result<bool, Error> {
    let text = sql!("select 1 from session where isp_id = $1 and service_id = $2 limit 1");
    Ok(tx.row(text, &params![isp, service]).await?.is_some())
}

/// For lines that do not have them yet.
///
/// # Errors
/// `Taken` where one is another line's.
pub async fn take(tx: &Tx, isp: IspId, lines: &[(ServiceId, String)]) -> Result<(), Error> {
    if lines.is_empty() {
        return Ok(());
    }
    let rows = lines.iter().map(|(service_id, address)| {
        let (address, address_key) = (address.clone(), Some(address.clone()));
        FixedAddress { isp_id: isp, service_id: *service_id, address, address_key }.values()
    });
    tx.insert_many(FixedAddress::INSERT, "", rows.collect()).await.map(drop)
}

/// Somebody else may have it.
pub async fn release(tx: &Tx, isp: IspId, service: ServiceId, address: &str) -> Result<(), Error> {
    let text = sql!("delete from fixed_address where isp_id = $1 and service_id = $2 and address = $3");
    tx.run(text, &params![isp, service, address]).await.map(drop)
}
