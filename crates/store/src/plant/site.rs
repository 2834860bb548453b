//! Where lines end: how they come into the house, and what the technician wrote down. A line without a row here is what its
//! kind says and no more.

use std::collections::HashMap;

use domain::{Connection, Instant, IspId, Kind, ServiceId};

use crate::{
    db::{Error, Tx},
    kernel::{
        conditions::among,
        record::{record, text},
    },
    params, sql,
};

record! {
    Site of "line_site" {
        isp_id: IspId,
        service_id: ServiceId,
        /// `None`: as the line's kind says.
        connection: Option<Connection>,
        /// The ONU's address as it was told. Which ONU of the plant serves the line says `onu.service_id`.
        onu_mac: Option<String>,
        onu_note: Option<String>,
        /// The splitter or distribution box.
        box_number: Option<String>,
        box_address: Option<String>,
        switch_board: Option<String>,
        switch_port: Option<String>,
        electric_socket: Option<String>,
        cable_type: Option<String>,
        uplink_port: Option<String>,
        fiber_code: Option<String>,
        fiber_color: Option<String>,
        updated_at: Instant,
    }
}

impl Site {
    pub fn none(isp: IspId, service: ServiceId, now: Instant) -> Site {
        Site {
            isp_id: isp,
            service_id: service,
            connection: None,
            onu_mac: None,
            onu_note: None,
            box_number: None,
            box_address: None,
            switch_board: None,
            switch_port: None,
            electric_socket: None,
            cable_type: None,
            uplink_port: None,
            fiber_code: None,
            fiber_color: None,
            updated_at: now,
        }
    }

    /// How a line of this kind connects.
    pub fn connects(kind: Kind, site: Option<&Site>) -> Connection {
        Connection::of(kind, site.and_then(|site| site.connection))
    }
}

pub async fn find(tx: &Tx, isp: IspId, service: ServiceId) -> Result<Option<Site>, Error> {
    let row =
        tx.row(sql!(text!(Site::SELECT, "where t.isp_id = $1 and t.service_id = $2")), &params![isp, service]).await?;
    row.map(|row| Site::from_row(&row)).transpose()
}

/// Of many lines, in one query.
pub async fn of_services(tx: &Tx, isp: IspId, ids: &[ServiceId]) -> Result<HashMap<ServiceId, Site>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let (list, params) = among(isp, ids.iter().map(|id| id.0));
    let rows = tx.rows(format!("{}where t.isp_id = $1 and t.service_id in ({list})", Site::SELECT), &params).await?;
    rows.iter().map(|row| Site::from_row(row).map(|site| (site.service_id, site))).collect()
}

/// Whoever writes has the line locked.
pub async fn put(tx: &Tx, row: &Site) -> Result<(), Error> {
    const SUFFIX: &str = "on conflict (isp_id, service_id) do update set connection = excluded.connection, \
        onu_mac = excluded.onu_mac, onu_note = excluded.onu_note, box_number = excluded.box_number, \
        box_address = excluded.box_address, switch_board = excluded.switch_board, switch_port = excluded.switch_port, \
        electric_socket = excluded.electric_socket, cable_type = excluded.cable_type, \
        uplink_port = excluded.uplink_port, fiber_code = excluded.fiber_code, fiber_color = excluded.fiber_color, \
        updated_at = excluded.updated_at";
    tx.insert_many(Site::INSERT, SUFFIX, vec![row.values()]).await.map(drop)
}
