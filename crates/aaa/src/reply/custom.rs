//! A subscriber's own attributes: checks that a request must meet, and replies, encoded once.

use radius::{
    Code, Packet, Writer,
    attribute::VENDOR_SPECIFIC,
    dictionary::{self, Entry},
};
use service::directory::Rule;

#[derive(Clone, Debug, Default)]
pub struct Custom {
    checks: Vec<(&'static Entry, Box<str>)>,
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
            if rule.check {
                custom.checks.push((entry, rule.value.clone()));
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

    /// Whether a request meets every check: the attribute is there with this value.
    pub fn allows(&self, packet: &Packet<'_>) -> bool {
        self.checks.iter().all(|(entry, wanted)| {
            let is_wanted = |value: &[u8]| dictionary::decode(entry, value) == **wanted;
            match entry.vendor {
                0 if entry.number != VENDOR_SPECIFIC => packet.find_all(entry.number).any(is_wanted),
                vendor => packet.vendor_all(vendor, entry.number).any(is_wanted),
            }
        })
    }
}
