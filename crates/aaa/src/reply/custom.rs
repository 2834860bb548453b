//! A subscriber's own attributes: checks that a request must meet, and replies, encoded once.

use domain::Mac;
use radius::{
    Code, Packet, Writer,
    attribute::{self, VENDOR_SPECIFIC},
    dictionary::{self, Entry},
};
use service::{Session, directory::Rule};

#[derive(Clone, Debug, Default)]
pub struct Custom {
    checks: Vec<(&'static Entry, Box<str>)>,
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
            if rule.check {
                custom.checks.push((entry, rule.value.clone()));
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

    /// Whether a request meets every check: the attribute is there with this value.
    pub fn allows(&self, packet: &Packet<'_>) -> bool {
        self.checks.iter().all(|(entry, wanted)| {
            let is_wanted = |value: &[u8]| is_same(entry, &dictionary::decode(entry, value), wanted);
            match entry.vendor {
                0 if entry.number != VENDOR_SPECIFIC => packet.find_all(entry.number).any(is_wanted),
                vendor => packet.vendor_all(vendor, entry.number).any(is_wanted),
            }
        })
    }

    /// Whether a live session is known to meet every check. What accounting does not tell of a session is not known.
    pub fn allows_session(&self, session: &Session) -> bool {
        self.checks.iter().all(|(entry, wanted)| {
            let known = match (entry.vendor, entry.number) {
                (0, attribute::CALLING_STATION_ID) => session.mac.clone(),
                (0, attribute::NAS_PORT) => Some(session.nas_port.to_string()),
                (0, attribute::FRAMED_IP_ADDRESS) => session.address.clone(),
                _ => None,
            };
            known.is_some_and(|known| is_same(entry, &known, wanted))
        })
    }
}

/// A device is the same however its address is written.
fn is_same(entry: &Entry, value: &str, wanted: &str) -> bool {
    let is_device = (entry.vendor, entry.number) == (0, attribute::CALLING_STATION_ID);
    value == wanted || (is_device && Mac::parse(value).is_some_and(|mac| Mac::parse(wanted) == Some(mac)))
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
