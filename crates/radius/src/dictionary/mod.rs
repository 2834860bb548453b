//! Attributes by name: the dictionaries are rows of text in `data/`, one file per vendor, read once.
//!
//! A row is `number name type [tagged] [hidden|salted] [long]`; rows that begin with `=` name values of the attribute
//! above them. To add an attribute, add a row. Numbers and names are those of the RFCs and the vendors' lists, spelled
//! as operators know them from the FreeRADIUS dictionaries (© The FreeRADIUS Server project, CC BY 4.0). Vendors
//! whose sub-attributes do not have the one-byte type and length of RFC 2865 §5.26 are not in here.

mod format;
mod value;

use std::sync::LazyLock;

use hashbrown::HashMap;

pub use format::{format, format_packet};
pub use value::{Error, decode, encode};

use crate::writer::{Overflow, Writer};

/// What a value looks like (RFC 2865 §5, RFC 8044).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    String,
    Octets,
    Ipaddr,
    Ipv6addr,
    Ipv6prefix,
    Ifid,
    Integer,
    Integer64,
    Short,
    Byte,
    Date,
}

impl Type {
    fn of(word: &str) -> Option<Type> {
        Some(match word {
            "string" => Type::String,
            "octets" => Type::Octets,
            "ipaddr" => Type::Ipaddr,
            "ipv6addr" => Type::Ipv6addr,
            "ipv6prefix" => Type::Ipv6prefix,
            "ifid" => Type::Ifid,
            "integer" => Type::Integer,
            "integer64" => Type::Integer64,
            "short" => Type::Short,
            "byte" => Type::Byte,
            "date" => Type::Date,
            _ => return None,
        })
    }
}

/// How a value is hidden on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hiding {
    None,
    /// As User-Password (RFC 2865 §5.2): only in requests.
    Password,
    /// With a salt (RFC 2868 §3.5): only in answers.
    Salted,
}

/// One attribute of a dictionary.
#[derive(Debug)]
pub struct Entry {
    pub name: &'static str,
    /// 0 for the standard space.
    pub vendor: u32,
    pub number: u8,
    pub kind: Type,
    /// RFC 2868 §3.1: a tag goes before the value.
    pub tagged: bool,
    pub hiding: Hiding,
    /// May be split over several attributes (EAP-Message).
    pub long: bool,
    /// Named values.
    pub values: Vec<(u64, &'static str)>,
}

impl Entry {
    pub fn value_named(&self, name: &str) -> Option<u64> {
        self.values.iter().find(|(_, n)| n.eq_ignore_ascii_case(name)).map(|(value, _)| *value)
    }

    pub fn name_of(&self, value: u64) -> Option<&'static str> {
        self.values.iter().find(|(v, _)| *v == value).map(|(_, name)| *name)
    }
}

/// By its name, in any case.
pub fn by_name(name: &str) -> Option<&'static Entry> {
    TABLE.by_name.get(name.to_ascii_lowercase().as_str()).map(|at| &TABLE.entries[*at])
}

/// By vendor (0 for the standard space) and number; of several names for one number, the first.
pub fn by_number(vendor: u32, number: u8) -> Option<&'static Entry> {
    TABLE.by_number.get(&(vendor, number)).map(|at| &TABLE.entries[*at])
}

pub fn vendor_name(vendor: u32) -> Option<&'static str> {
    TABLE.vendors.iter().find(|(number, _)| *number == vendor).map(|(_, name)| *name)
}

/// All of them, vendor by vendor.
pub fn entries() -> &'static [Entry] {
    &TABLE.entries
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Writer<B> {
    /// An encoded value under the entry's number, in a VSA where it is a vendor's, split where that is allowed.
    pub fn put_entry(&mut self, entry: &Entry, value: &[u8]) -> Result<(), Overflow> {
        match (entry.vendor, entry.long) {
            (0, false) => self.put(entry.number, value),
            (0, true) => self.put_long(entry.number, value),
            (vendor, _) => self.put_vendor(vendor, entry.number, value),
        }
    }
}

const FILES: [&str; 18] = [
    include_str!("data/standard.txt"),
    include_str!("data/cisco.txt"),
    include_str!("data/microsoft.txt"),
    include_str!("data/huawei.txt"),
    include_str!("data/juniper.txt"),
    include_str!("data/adsl-forum.txt"),
    include_str!("data/zte.txt"),
    include_str!("data/erx.txt"),
    include_str!("data/alcatel-sr.txt"),
    include_str!("data/roaringpenguin.txt"),
    include_str!("data/wispr.txt"),
    include_str!("data/chillispot.txt"),
    include_str!("data/aruba.txt"),
    include_str!("data/mikrotik.txt"),
    include_str!("data/cambium.txt"),
    include_str!("data/ruckus.txt"),
    include_str!("data/h3c.txt"),
    include_str!("data/ubiquiti.txt"),
];

struct Table {
    entries: Vec<Entry>,
    vendors: Vec<(u32, &'static str)>,
    by_name: HashMap<String, usize>,
    by_number: HashMap<(u32, u8), usize>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(&FILES));

impl Table {
    /// The files are ours and a test reads every row, so a broken row is a bug and stops the program.
    fn read(files: &[&'static str]) -> Table {
        let mut table =
            Table { entries: Vec::new(), vendors: Vec::new(), by_name: HashMap::new(), by_number: HashMap::new() };
        for row in files.iter().flat_map(|file| file.lines()) {
            table.row(row).unwrap_or_else(|| panic!("dictionary row {row:?}"));
        }
        for (at, entry) in table.entries.iter().enumerate() {
            table.by_name.entry(entry.name.to_ascii_lowercase()).or_insert(at);
            table.by_number.entry((entry.vendor, entry.number)).or_insert(at);
        }
        table
    }

    fn row(&mut self, row: &'static str) -> Option<()> {
        let mut words = row.split_whitespace();
        match words.next() {
            None | Some("#") => {}
            Some("vendor") => self.vendors.push((words.next()?.parse().ok()?, words.next()?)),
            Some("=") => {
                let value = (words.next()?.parse().ok()?, words.next()?);
                self.entries.last_mut()?.values.push(value);
            }
            Some(number) => {
                let (name, kind) = (words.next()?, Type::of(words.next()?)?);
                let mut entry = Entry {
                    name,
                    vendor: self.vendors.last()?.0,
                    number: number.parse().ok()?,
                    kind,
                    tagged: false,
                    hiding: Hiding::None,
                    long: false,
                    values: Vec::new(),
                };
                for word in words {
                    match word {
                        "tagged" => entry.tagged = true,
                        "hidden" => entry.hiding = Hiding::Password,
                        "salted" => entry.hiding = Hiding::Salted,
                        "long" => entry.long = true,
                        _ => return None,
                    }
                }
                self.entries.push(entry);
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_reads_and_every_name_is_found() {
        assert!(entries().len() > 1_200);
        for entry in entries() {
            assert_eq!(
                by_name(entry.name).map(|e| (e.vendor, e.number)),
                Some((entry.vendor, entry.number)),
                "{}",
                entry.name
            );
            assert!(by_number(entry.vendor, entry.number).is_some());
        }
    }

    #[test]
    fn well_known_numbers() {
        let rows = [
            ("User-Name", 0, 1),
            ("acct-interim-interval", 0, 85),
            ("Framed-Pool", 0, 88),
            ("Chargeable-User-Identity", 0, 89),
            ("Error-Cause", 0, 101),
            ("Delegated-IPv6-Prefix", 0, 123),
            ("Framed-IPv6-Address", 0, 168),
            ("Mikrotik-Rate-Limit", 14988, 8),
            ("Mikrotik-Address-List", 14988, 19),
            ("WISPr-Bandwidth-Max-Down", 14122, 8),
            ("ChilliSpot-Max-Total-Octets", 14559, 3),
            ("Cisco-AVPair", 9, 1),
            ("Huawei-Output-Average-Rate", 2011, 5),
            ("ERX-Qos-Profile-Name", 4874, 26),
            ("Alc-Subsc-Prof-Str", 6527, 12),
            ("RP-Upstream-Speed-Limit", 10055, 1),
            ("MS-CHAP2-Response", 311, 25),
            ("ADSL-Agent-Circuit-Id", 3561, 1),
        ];
        for (name, vendor, number) in rows {
            let entry = by_name(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!((entry.vendor, entry.number), (vendor, number), "{name}");
        }
        assert_eq!(by_name("Service-Type").unwrap().value_named("framed-user"), Some(2));
        assert_eq!(by_name("Error-Cause").unwrap().name_of(503), Some("Session-Context-Not-Found"));
    }
}
