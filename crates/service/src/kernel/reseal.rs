//! Everything that is sealed, sealed anew with the key that seals now: what a change of the key takes. It may end anywhere and
//! begin again; what others write meanwhile is theirs.

use domain::{CustomerId, IspId, RouterId, ServiceId};
use store::{
    db::Class,
    kernel::sealed::{self, Cell, Place},
};

use super::{once, secrets};
use crate::{App, Error};

/// Rows at a time.
const BLOCK: i64 = 500;

/// A column of sealed values, and where each of them belongs.
struct Column {
    at: Place,
    place: fn(&Cell) -> String,
}

/// Every one there is; a test looks for others.
const COLUMNS: &[Column] = &[
    Column { at: Place::of("router", "secret"), place: |cell| secrets::router_place(RouterId(cell.id)) },
    Column { at: Place::of("customer", "portal_secret"), place: |cell| secrets::portal_place(CustomerId(cell.id)) },
    Column { at: Place::of("service", "secret"), place: |cell| secrets::secret_place(ServiceId(cell.id)) },
    Column { at: Place::of("webhook", "secret"), place: |cell| secrets::webhook_place(cell.id) },
    Column { at: Place::of("webhook", "previous_secret"), place: |cell| secrets::webhook_place(cell.id) },
    Column { at: Place::of("olt", "snmp_community"), place: |cell| secrets::community_place(cell.id) },
    Column {
        at: Place::of_isp("vpn_server", "wireguard_private"),
        place: |cell| secrets::vpn_server_place(IspId(cell.isp), "wireguard"),
    },
    Column {
        at: Place::of_isp("vpn_server", "ca_key"),
        place: |cell| secrets::vpn_server_place(IspId(cell.isp), "ca"),
    },
    Column {
        at: Place::of_isp("vpn_server", "server_key"),
        place: |cell| secrets::vpn_server_place(IspId(cell.isp), "server"),
    },
    Column {
        at: Place::of_isp("vpn_server", "tls_crypt"),
        place: |cell| secrets::vpn_server_place(IspId(cell.isp), "tls_crypt"),
    },
    Column {
        at: Place::of("vpn_account", "private_key"),
        place: |cell| secrets::vpn_account_place(cell.id, "private"),
    },
    Column {
        at: Place::of("vpn_account", "preshared_key"),
        place: |cell| secrets::vpn_account_place(cell.id, "preshared"),
    },
    Column { at: Place::of("recharge_card", "code"), place: |cell| secrets::card_place(cell.id) },
    Column { at: Place::of("message", "sealed"), place: |cell| secrets::message_place(IspId(cell.isp), cell.id) },
];

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Resealed {
    pub values: u64,
    /// What no key here opens: it stays as it is, and so must the key that sealed it.
    pub closed: u64,
}

/// Seals everything with the key that seals now.
pub async fn reseal(app: &App) -> Result<Resealed, Error> {
    let mut done = Resealed::default();
    for column in COLUMNS {
        let mut after = (i64::MIN, i64::MIN);
        loop {
            let vault = app.vault.clone();
            let (at, place) = (column.at, column.place);
            let block = app.db.tx(Class::Bulk, async move |tx| {
                let cells = sealed::cells(tx, at, after, BLOCK).await?;
                let mut done = Resealed::default();
                for cell in &cells {
                    if cell.sealed.is_empty() || vault.is_current(&cell.sealed) {
                        continue;
                    }
                    let place = place(cell);
                    match vault.open(&place, &cell.sealed) {
                        Some(clear) => done.values += sealed::put(tx, at, cell, vault.seal(&place, &clear)).await?,
                        None => done.closed += 1,
                    }
                }
                let last = cells.last().filter(|_| cells.len() as i64 == BLOCK).map(|cell| (cell.isp, cell.id));
                Ok::<_, Error>((done, last))
            });
            let (block, last) = block.await?;
            done.values += block.values;
            done.closed += block.closed;
            match last {
                Some(last) => after = last,
                None => break,
            }
        }
    }
    answers(app, &mut done).await?;
    Ok(done)
}

/// Answers that are kept for their repeats: few, for a day.
async fn answers(app: &App, done: &mut Resealed) -> Result<(), Error> {
    let mut after = (i64::MIN, String::new(), String::new());
    loop {
        let (vault, from) = (app.vault.clone(), after.clone());
        let block = app.db.tx(Class::Bulk, async move |tx| {
            let rows = sealed::answers(tx, &from, BLOCK).await?;
            let mut done = Resealed::default();
            for row in &rows {
                match once::resealed(&vault, IspId(row.isp), &row.scope, &row.key, &row.answer) {
                    once::Again::Is => {}
                    once::Again::With(answer) => done.values += sealed::put_answer(tx, row, &answer).await?,
                    once::Again::Closed => done.closed += 1,
                }
            }
            let last = rows.last().filter(|_| rows.len() as i64 == BLOCK);
            Ok::<_, Error>((done, last.map(|row| (row.isp, row.scope.clone(), row.key.clone()))))
        });
        let (block, last) = block.await?;
        done.values += block.values;
        done.closed += block.closed;
        match last {
            Some(last) => after = last,
            None => return Ok(()),
        }
    }
}
