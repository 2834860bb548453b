//! Devices and fixed addresses of one line: rows, of which the first stands with the line. Several rows bind: each needs
//! a device, and a login from any of them gets that row's address.

use std::net::Ipv4Addr;

use crate::Mac;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Bound {
    pub address: Option<Ipv4Addr>,
    pub mac: Option<Mac>,
}

/// So many rows one line has.
pub const MAX_ROWS: usize = 32;

/// How a line is kept to one device, in the database's word: a tied one that has no device learns the first one seen.
pub fn lock(tied: bool, has_device: bool) -> &'static str {
    match (tied, has_device) {
        (false, _) => "off",
        (true, true) => "locked",
        (true, false) => "learn",
    }
}

/// What is wrong with a line's rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrong {
    TooMany,
    /// Of several rows one has no device: nothing says who gets its address.
    NoDevice,
    DeviceTwice,
    AddressTwice,
}

pub fn check(rows: &[Bound]) -> Result<(), Wrong> {
    if rows.len() > MAX_ROWS {
        return Err(Wrong::TooMany);
    }
    if rows.len() > 1 && rows.iter().any(|row| row.mac.is_none()) {
        return Err(Wrong::NoDevice);
    }
    for (at, row) in rows.iter().enumerate() {
        let before = &rows[..at];
        if row.mac.is_some() && before.iter().any(|other| other.mac == row.mac) {
            return Err(Wrong::DeviceTwice);
        }
        if row.address.is_some() && before.iter().any(|other| other.address == row.address) {
            return Err(Wrong::AddressTwice);
        }
    }
    Ok(())
}

/// The rows once one has let its address, its device or both go; those behind an empty one move up. `None`: there is no
/// such row. A row of several that has lost its device goes as a whole: nobody could get its address.
pub fn released(rows: &[Bound], at: usize, address: bool, mac: bool) -> Option<Vec<Bound>> {
    let mut left = rows.to_vec();
    let row = left.get_mut(at)?;
    if address {
        row.address = None;
    }
    if mac {
        row.mac = None;
    }
    let (several, empty) = (rows.len() > 1, row.address.is_none() && row.mac.is_none());
    if empty || (several && row.mac.is_none()) {
        left.remove(at);
    }
    Some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tied_line_has_its_device_or_learns_it() {
        let rows = [(false, false, "off"), (false, true, "off"), (true, false, "learn"), (true, true, "locked")];
        for (tied, has_device, word) in rows {
            assert_eq!(lock(tied, has_device), word, "{tied} {has_device}");
        }
    }

    fn row(address: u8, mac: u8) -> Bound {
        Bound {
            address: (address > 0).then(|| Ipv4Addr::new(10, 0, 0, address)),
            mac: (mac > 0).then_some(Mac([2, 0, 0, 0, 0, mac])),
        }
    }

    fn rows(pairs: &[(u8, u8)]) -> Vec<Bound> {
        pairs.iter().map(|(address, mac)| row(*address, *mac)).collect()
    }

    #[test]
    fn which_rows_a_line_may_have() {
        let table: &[(&[(u8, u8)], Result<(), Wrong>)] = &[
            (&[], Ok(())),
            (&[(1, 0)], Ok(())),
            (&[(0, 1)], Ok(())),
            (&[(1, 1), (2, 2), (0, 3)], Ok(())),
            (&[(1, 1), (2, 0)], Err(Wrong::NoDevice)),
            (&[(1, 0), (2, 2)], Err(Wrong::NoDevice)),
            (&[(1, 1), (2, 1)], Err(Wrong::DeviceTwice)),
            (&[(1, 1), (1, 2)], Err(Wrong::AddressTwice)),
            (&[(0, 1), (0, 2)], Ok(())),
        ];
        for (pairs, expected) in table {
            assert_eq!(check(&rows(pairs)), *expected, "{pairs:?}");
        }
        assert_eq!(check(&vec![row(0, 1); MAX_ROWS + 1]), Err(Wrong::TooMany));
    }

    #[test]
    fn what_is_let_go() {
        type Pairs = &'static [(u8, u8)];
        let table: &[(Pairs, usize, bool, bool, Option<Pairs>)] = &[
            // rows, which, address, mac → what is left
            (&[(1, 1)], 0, true, true, Some(&[])),
            (&[(1, 1)], 0, true, false, Some(&[(0, 1)])),
            (&[(1, 1)], 0, false, true, Some(&[(1, 0)])),
            (&[(1, 0)], 0, true, false, Some(&[])),
            (&[(1, 1), (2, 2), (3, 3)], 1, true, true, Some(&[(1, 1), (3, 3)])),
            (&[(1, 1), (2, 2), (3, 3)], 0, true, true, Some(&[(2, 2), (3, 3)])),
            (&[(1, 1), (2, 2)], 1, true, false, Some(&[(1, 1), (0, 2)])),
            (&[(1, 1), (2, 2)], 1, false, true, Some(&[(1, 1)])),
            (&[(1, 1)], 1, true, true, None),
            (&[], 0, true, true, None),
        ];
        for (before, at, address, mac, expected) in table {
            let got = released(&rows(before), *at, *address, *mac);
            assert_eq!(got, expected.map(rows), "{before:?} row {at} {address} {mac}");
        }
    }
}
