//! A subscriber's own attributes: checks that a request must meet, and replies, encoded once.

use domain::{
    Mac,
    access::compare::{Compare, is_pattern},
};
use radius::{
    Code, Packet, Writer,
    attribute::{self, VENDOR_SPECIFIC},
    dictionary::{self, Entry},
};
use service::{Session, access::directory::Rule};

#[derive(Clone, Debug, Default)]
pub struct Custom {
    checks: Vec<(&'static Entry, Compare, Box<str>)>,
    /// Encoded attributes, ready to be appended.
    pub reply: Box<[u8]>,
    /// Those of them that a live session can be told.
    pub live: Box<[u8]>,
    /// Vendor and number of each, so that they are not said twice.
    said: Vec<(u32, u8)>,
}

impl Custom {
    /// What cannot be encoded is left out and logged: it was valid when it was stored.
    pub fn of(rules: &[Rule]) -> Custom {
        let mut custom = Custom::default();
        let mut writer = Writer::new(vec![0; 4096], Code::AccessAccept, 0);
        let mut live = Writer::new(vec![0; 4096], Code::CoaRequest, 0);
        for rule in rules {
            let Some(entry) = dictionary::by_name(&rule.attribute) else {
                tracing::warn!(attribute = &*rule.attribute, "a subscriber's attribute is in no dictionary");
                continue;
            };
            if let Some(compare) = rule.check {
                match wanted(entry, compare, &rule.value) {
                    Some(wanted) => custom.checks.push((entry, compare, wanted)),
                    None => tracing::warn!(attribute = &*rule.attribute, "a subscriber's check cannot be made"),
                }
                continue;
            }
            let written = match dictionary::encode(entry, &rule.value) {
                Ok(value) => {
                    writer.put_entry(entry, &value).is_ok()
                        && (!is_carried(entry) || live.put_entry(entry, &value).is_ok())
                }
                Err(_) => false,
            };
            match written {
                true => custom.said.push((entry.vendor, entry.number)),
                false => tracing::warn!(attribute = &*rule.attribute, "a subscriber's attribute cannot be encoded"),
            }
        }
        custom.reply = writer.bytes()[radius::packet::HEADER..].into();
        custom.live = live.bytes()[radius::packet::HEADER..].into();
        custom
    }

    pub fn says(&self, vendor: u32, number: u8) -> bool {
        self.said.contains(&(vendor, number))
    }

    /// Whether a request meets every check (`domain::access::compare`).
    pub fn allows(&self, packet: &Packet<'_>) -> bool {
        self.checks.iter().all(|(entry, compare, wanted)| {
            let told = |value: &[u8]| said(entry, *compare, dictionary::decode(entry, value));
            match entry.vendor {
                0 if entry.number != VENDOR_SPECIFIC => compare.allows(packet.find_all(entry.number).map(told), wanted),
                vendor => compare.allows(packet.vendor_all(vendor, entry.number).map(told), wanted),
            }
        })
    }

    /// Whether a live session is known to meet every check. What accounting does not tell of a session is not known.
    pub fn allows_session(&self, session: &Session) -> bool {
        self.checks.iter().all(|(entry, compare, wanted)| {
            let known = match (entry.vendor, entry.number) {
                (0, attribute::CALLING_STATION_ID) => session.mac.clone(),
                (0, attribute::NAS_PORT) => Some(session.nas_port.to_string()),
                (0, attribute::FRAMED_IP_ADDRESS) => session.address.clone(),
                _ => None,
            };
            known.is_some_and(|known| compare.holds(&said(entry, *compare, known), wanted))
        })
    }
}

/// A value as it is compared: a device is the same however its address is written.
fn said(entry: &Entry, compare: Compare, value: String) -> String {
    let is_device = (entry.vendor, entry.number) == (0, attribute::CALLING_STATION_ID);
    match Mac::parse(&value) {
        Some(mac) if is_device && matches!(compare, Compare::Equal | Compare::Differs) => mac.to_string(),
        _ => value,
    }
}

/// Whether a CoA-Request can change this of a live session: the vendors' own attributes, limits and filters. Addresses name
/// the session in it (RFC 5176 §3, note 1), and what was agreed when the session began stays so: those take a new login.
pub fn is_carried(entry: &Entry) -> bool {
    entry.vendor != 0
        || matches!(
            entry.number,
            attribute::FILTER_ID
                | attribute::SESSION_TIMEOUT
                | attribute::IDLE_TIMEOUT
                | attribute::TERMINATION_ACTION
                | attribute::ACCT_INTERIM_INTERVAL
        )
}

/// The wanted value as a request's is told: named values by their names. `None`: nothing can be compared with it.
fn wanted(entry: &Entry, compare: Compare, value: &str) -> Option<Box<str>> {
    match compare {
        Compare::Equal | Compare::Differs => {
            let told = dictionary::encode(entry, value).map(|bytes| dictionary::decode(entry, &bytes));
            Some(said(entry, compare, told.unwrap_or_else(|_| value.into())).into())
        }
        Compare::Matches | Compare::MatchesNot => is_pattern(value).then(|| value.into()),
        Compare::Above | Compare::AtLeast | Compare::Below | Compare::AtMost | Compare::Present | Compare::Absent => {
            Some(value.into())
        }
    }
}
