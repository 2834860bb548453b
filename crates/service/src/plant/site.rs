//! Where a line comes into the house: what it is sold as, and the ONU it hangs on.

use domain::{Connection, Mac};
use store::{
    people::service::Service,
    plant::site::{self as plant, Plant},
};

use crate::{Change, Error};

/// `None` leaves a field as it is; `Some(None)` clears it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct PlantChange {
    pub connection: Option<Connection>,
    pub onu_mac: Option<Option<Mac>>,
}

impl PlantChange {
    fn is_nothing(&self) -> bool {
        self.connection.is_none() && self.onu_mac.is_none()
    }
}

/// Writes what is given about a line that is locked; whether anything is different now.
pub(crate) async fn apply(change: &Change<'_>, line: &Service, given: PlantChange) -> Result<bool, Error> {
    if given.is_nothing() {
        return Ok(false);
    }
    let before = plant::find(change.tx, change.isp, line.id).await?;
    let known = before.clone().unwrap_or_else(|| Plant {
        isp_id: change.isp,
        service_id: line.id,
        connection: Connection::of(line.kind, None),
        onu_mac: None,
        onu_id: None,
        box_name: None,
        switch_port: None,
        fibre: None,
        updated_at: change.now,
    });
    let mut row = known.clone();
    row.connection = given.connection.unwrap_or(row.connection);
    if let Some(mac) = given.onu_mac {
        row.onu_mac = mac.map(|mac| mac.to_string());
    }
    if before.as_ref() == Some(&row) {
        return Ok(false);
    }
    row.updated_at = change.now.max(known.updated_at);
    plant::save(change.tx, &row).await?;
    Ok(true)
}
