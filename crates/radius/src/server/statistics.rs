//! The server's figures in its answer to Status-Server, in FreeRADIUS's attributes, so that tools that ask FreeRADIUS
//! can ask us. Numbers are those of `dictionary.freeradius` (vendor 11344); counters beyond 32 bits start anew.

use super::Snapshot;
use crate::packet::{Code, Packet};
use crate::writer::{Overflow, Writer};

pub const FREERADIUS: u32 = 11_344;
/// Asks for figures: 1 of authentication, 2 of accounting.
pub const STATISTICS_TYPE: u8 = 127;

/// A figure: its number, its name without the vendor's, how it is counted.
type Row = (u8, &'static str, fn(&Snapshot) -> u64);

#[rustfmt::skip]
pub const AUTHENTICATION: &[Row] = &[
    (128, "Total-Access-Requests",         asked_in_all),
    (129, "Total-Access-Accepts",          |s| s.accepts),
    (130, "Total-Access-Rejects",          |s| s.rejects),
    (131, "Total-Access-Challenges",       |s| s.challenges),
    (132, "Total-Auth-Responses",          |s| s.answered.saturating_sub(s.status)),
    (133, "Total-Auth-Duplicate-Requests", |s| s.duplicates + s.duplicates_in_progress),
    (134, "Total-Auth-Malformed-Requests", |s| s.malformed),
    (135, "Total-Auth-Invalid-Requests",   invalid),
    (136, "Total-Auth-Dropped-Requests",   dropped),
    (137, "Total-Auth-Unknown-Types",      |s| s.unknown_code),
];

#[rustfmt::skip]
pub const ACCOUNTING: &[Row] = &[
    (148, "Total-Accounting-Requests",     asked_in_all),
    (149, "Total-Accounting-Responses",    |s| s.answered.saturating_sub(s.status)),
    (150, "Total-Acct-Duplicate-Requests", |s| s.duplicates + s.duplicates_in_progress),
    (151, "Total-Acct-Malformed-Requests", |s| s.malformed),
    (152, "Total-Acct-Invalid-Requests",   invalid),
    (153, "Total-Acct-Dropped-Requests",   dropped),
    (154, "Total-Acct-Unknown-Types",      |s| s.unknown_code),
];

/// Datagrams that were requests of this port: neither Status-Server nor of another code.
fn asked_in_all(s: &Snapshot) -> u64 {
    s.received.saturating_sub(s.status + s.unknown_code + s.malformed)
}

fn invalid(s: &Snapshot) -> u64 {
    s.unknown_client + s.bad_authenticator + s.bad_message_authenticator + s.missing_message_authenticator
}

fn dropped(s: &Snapshot) -> u64 {
    s.too_old + s.queue_full + s.silent + s.overflow + s.panics + s.send_failed
}

/// Whether a Status-Server asks for figures.
pub fn asked(packet: &Packet<'_>) -> bool {
    packet.vendor_all(FREERADIUS, STATISTICS_TYPE).next().is_some()
}

/// The rows of the port that answers with this code.
pub fn rows(answer: Code) -> &'static [Row] {
    if answer == Code::AccountingResponse { ACCOUNTING } else { AUTHENTICATION }
}

pub(super) fn write(writer: &mut Writer<&mut [u8]>, answer: Code, sum: &Snapshot) -> Result<(), Overflow> {
    for (number, _, count) in rows(answer) {
        writer.put_vendor_u32(FREERADIUS, *number, count(sum) as u32)?;
    }
    Ok(())
}

/// The figures in an answer, in its order.
pub fn read(packet: &Packet<'_>) -> Vec<(&'static str, u32)> {
    let value = |number: u8| {
        let bytes: [u8; 4] = packet.vendor_all(FREERADIUS, number).next()?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    };
    rows(packet.code()).iter().filter_map(|(number, name, _)| Some((*name, value(*number)?))).collect()
}
