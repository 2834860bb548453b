//! A subscriber's own attributes: checks that a request must meet, and replies, encoded once.

use domain::compare::{Compare, is_pattern};
use radius::{
    Code, Packet, Writer,
    attribute::VENDOR_SPECIFIC,
    dictionary::{self, Entry},
};
use service::directory::Rule;

#[derive(Clone, Debug, Default)]
pub struct Custom {
    checks: Vec<(&'static Entry, Compare, Box<str>)>,
    /// Encoded attributes, ready to be appended.
    pub reply: Box<[u8]>,
    /// Vendor and number of each, so that they are not said twice.
    said: Vec<(u32, u8)>,
}

impl Custom {
    /// What cannot be encoded is left out and logged: it was valid when it was stored.
    pub fn of(rules: &[Rule]) -> Custom {
        let mut custom = Custom::default();
        let mut writer = Writer::new(vec![0; 4096], Code::AccessAccept, 0);
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
                Ok(value) => writer.put_entry(entry, &value).is_ok(),
                Err(_) => false,
            };
            match written {
                true => custom.said.push((entry.vendor, entry.number)),
                false => tracing::warn!(attribute = &*rule.attribute, "a subscriber's attribute cannot be encoded"),
            }
        }
        custom.reply = writer.bytes()[radius::packet::HEADER..].into();
        custom
    }

    pub fn says(&self, vendor: u32, number: u8) -> bool {
        self.said.contains(&(vendor, number))
    }

    /// Whether a request meets every check (`domain::compare`).
    pub fn allows(&self, packet: &Packet<'_>) -> bool {
        self.checks.iter().all(|(entry, compare, wanted)| {
            let told = |value: &[u8]| dictionary::decode(entry, value);
            match entry.vendor {
                0 if entry.number != VENDOR_SPECIFIC => compare.allows(packet.find_all(entry.number).map(told), wanted),
                vendor => compare.allows(packet.vendor_all(vendor, entry.number).map(told), wanted),
            }
        })
    }
}

/// The wanted value as a request's is told: named values by their names. `None`: nothing can be compared with it.
fn wanted(entry: &Entry, compare: Compare, value: &str) -> Option<Box<str>> {
    match compare {
        Compare::Equal | Compare::Differs => {
            let told = dictionary::encode(entry, value).map(|bytes| dictionary::decode(entry, &bytes));
            Some(told.map_or_else(|_| value.into(), Into::into))
        }
        Compare::Matches | Compare::MatchesNot => is_pattern(value).then(|| value.into()),
        Compare::Above | Compare::AtLeast | Compare::Below | Compare::AtMost | Compare::Present | Compare::Absent => {
            Some(value.into())
        }
    }
}
