//! Where a line ends: what it is sold as, the ONU it hangs on, and what the technician wrote down.

use domain::{Connection, Mac};
use store::{
    people::service::Service,
    plant::site::{self, Site},
};

use crate::{Change, Error};

/// `None` leaves a field as it is; `Some(None)` clears it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct SiteChange {
    pub connection: Option<Connection>,
    pub onu_mac: Option<Option<Mac>>,
    pub onu_note: Option<Option<String>>,
    pub box_number: Option<Option<String>>,
    pub box_address: Option<Option<String>>,
    pub switch_board: Option<Option<String>>,
    pub switch_port: Option<Option<String>>,
    pub electric_socket: Option<Option<String>>,
    pub cable_type: Option<Option<String>>,
    pub uplink_port: Option<Option<String>>,
    pub fiber_code: Option<Option<String>>,
    pub fiber_color: Option<Option<String>>,
}

impl SiteChange {
    fn put_into(&self, site: &mut Site) {
        let SiteChange {
            connection,
            onu_mac,
            onu_note,
            box_number,
            box_address,
            switch_board,
            switch_port,
            electric_socket,
            cable_type,
            uplink_port,
            fiber_code,
            fiber_color,
        } = self;
        site.connection = connection.or(site.connection);
        if let Some(mac) = onu_mac {
            site.onu_mac = mac.map(|mac| mac.to_string());
        }
        let notes = [
            (&mut site.onu_note, onu_note),
            (&mut site.box_number, box_number),
            (&mut site.box_address, box_address),
            (&mut site.switch_board, switch_board),
            (&mut site.switch_port, switch_port),
            (&mut site.electric_socket, electric_socket),
            (&mut site.cable_type, cable_type),
            (&mut site.uplink_port, uplink_port),
            (&mut site.fiber_code, fiber_code),
            (&mut site.fiber_color, fiber_color),
        ];
        for (field, given) in notes {
            if let Some(given) = given {
                field.clone_from(given);
            }
        }
    }
}

/// Writes what is given about a line that is locked, or new; whether anything is different now.
pub(crate) async fn apply(change: &Change<'_>, line: &Service, given: &SiteChange) -> Result<bool, Error> {
    if *given == SiteChange::default() {
        return Ok(false);
    }
    let known = site::find(change.tx, change.isp, line.id).await?;
    let known = known.unwrap_or_else(|| Site::none(change.isp, line.id, change.now));
    let mut row = known.clone();
    given.put_into(&mut row);
    if row == known {
        return Ok(false);
    }
    row.updated_at = change.now.max(known.updated_at);
    site::put(change.tx, &row).await?;
    Ok(true)
}
