//! Values as text and as bytes, by the entry's type: what an operator typed is checked here, and what is wrong is
//! named in words he can act on. `decode(encode(text)) == text` for texts in the form [`decode`] writes.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Entry, Type};
use crate::packet::{self, MAX_VALUE};

/// Why a text is not a value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {what}")]
pub struct Error {
    pub name: &'static str,
    pub what: String,
}

/// The bytes of a value an operator gave as text. Tagged attributes take `tag:value`, with tag 0 to 31 (RFC 2868
/// §3.1). Hidden attributes are encoded in the clear; hiding needs a packet.
pub fn encode(entry: &Entry, text: &str) -> Result<Vec<u8>, Error> {
    let wrong = |what: String| Error { name: entry.name, what };
    let (tag, text) = if entry.tagged { split_tag(text).map_err(wrong)? } else { (None, text) };
    let mut bytes = plain(entry, text).map_err(wrong)?;
    if entry.tagged {
        match entry.kind {
            Type::Integer if bytes[0] != 0 => {
                return Err(wrong(format!("{text} is above 16777215, the most a tagged number holds")));
            }
            Type::Integer => bytes[0] = tag.unwrap_or(0),
            _ => bytes.insert(0, tag.unwrap_or(0)),
        }
    }
    // A vendor's value shares its attribute with the vendor's number and its own type and length.
    let most = match (entry.vendor, entry.long) {
        (0, true) => packet::MAX_PACKET - packet::HEADER - 64,
        (0, false) => MAX_VALUE,
        _ => MAX_VALUE - 6,
    };
    if bytes.len() > most {
        return Err(wrong(format!("{} bytes are too many; at most {most} fit", bytes.len())));
    }
    Ok(bytes)
}

fn split_tag(text: &str) -> Result<(Option<u8>, &str), String> {
    match text.split_once(':') {
        Some((tag, rest)) if tag.len() <= 2 && !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_digit()) => {
            let tag: u8 = tag.parse().map_err(|_| format!("{tag} is not a tag"))?;
            if tag > 31 { Err(format!("tag {tag} is not between 0 and 31")) } else { Ok((Some(tag), rest)) }
        }
        _ => Ok((None, text)),
    }
}

fn plain(entry: &Entry, text: &str) -> Result<Vec<u8>, String> {
    Ok(match entry.kind {
        Type::String => text.as_bytes().to_vec(),
        Type::Octets => octets(text)?,
        Type::Ipaddr => {
            let ip: Ipv4Addr = text.trim().parse().map_err(|_| format!("{text:?} is not an IPv4 address"))?;
            ip.octets().to_vec()
        }
        Type::Ipv6addr => ipv6(text.trim())?.octets().to_vec(),
        Type::Ipv6prefix => prefix(text.trim())?,
        Type::Ifid => ifid(text.trim())?,
        Type::Integer | Type::Date => (number(entry, text, u64::from(u32::MAX))? as u32).to_be_bytes().to_vec(),
        Type::Integer64 => number(entry, text, u64::MAX)?.to_be_bytes().to_vec(),
        Type::Short => (number(entry, text, u64::from(u16::MAX))? as u16).to_be_bytes().to_vec(),
        Type::Byte => vec![number(entry, text, u64::from(u8::MAX))? as u8],
    })
}

/// A number in decimal or 0x hex, or one of the entry's names.
fn number(entry: &Entry, text: &str, most: u64) -> Result<u64, String> {
    let text = text.trim();
    if let Some(value) = entry.value_named(text) {
        return Ok(value);
    }
    let parsed = match text.strip_prefix("0x") {
        Some(hex) if !hex.starts_with('+') => u64::from_str_radix(hex, 16).ok(),
        Some(_) => None,
        None if text.starts_with('+') => None,
        None => text.parse().ok(),
    };
    match parsed {
        Some(value) if value <= most => Ok(value),
        Some(value) => Err(format!("{value} is above {most}")),
        None if entry.values.is_empty() => Err(format!("{text:?} is not a number between 0 and {most}")),
        None => {
            let names: Vec<&str> = entry.values.iter().take(6).map(|(_, name)| *name).collect();
            Err(format!("{text:?} is neither a number nor one of its names ({} …)", names.join(", ")))
        }
    }
}

/// `0x…` is hex, all else is taken as it stands.
fn octets(text: &str) -> Result<Vec<u8>, String> {
    let Some(hex) = text.strip_prefix("0x") else { return Ok(text.as_bytes().to_vec()) };
    let nibbles: Option<Vec<u8>> = hex.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
    match nibbles {
        Some(nibbles) if nibbles.len() % 2 == 0 => {
            Ok(nibbles.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
        }
        _ => Err(format!("{text:?} is not hex: 0x and an even number of digits")),
    }
}

fn ipv6(text: &str) -> Result<Ipv6Addr, String> {
    text.parse().map_err(|_| format!("{text:?} is not an IPv6 address"))
}

fn prefix(text: &str) -> Result<Vec<u8>, String> {
    let (address, bits) = text.split_once('/').ok_or_else(|| format!("{text:?} is not a prefix like 2001:db8::/56"))?;
    let address = u128::from(ipv6(address)?);
    let bits: u8 =
        bits.parse().ok().filter(|b| *b <= 128).ok_or_else(|| format!("/{bits} is not between /0 and /128"))?;
    if address.checked_shl(u32::from(bits)).unwrap_or(0) != 0 {
        return Err(format!("{text} has bits set beyond its length"));
    }
    let mut value = vec![0, bits];
    value.extend_from_slice(&address.to_be_bytes()[..usize::from(bits).div_ceil(8)]);
    Ok(value)
}

/// RFC 3162 §2.2: `1:2:3:4`, four groups of up to four hex digits.
fn ifid(text: &str) -> Result<Vec<u8>, String> {
    let wrong = || format!("{text:?} is not an interface id like 21a:2bff:fe3c:4d5e");
    let groups: Vec<&str> = text.split(':').collect();
    if groups.len() != 4 {
        return Err(wrong());
    }
    let mut value = Vec::with_capacity(8);
    for group in groups {
        let digits = !group.is_empty() && group.len() <= 4 && group.bytes().all(|b| b.is_ascii_hexdigit());
        let number = if digits { u16::from_str_radix(group, 16).ok() } else { None };
        value.extend_from_slice(&number.ok_or_else(wrong)?.to_be_bytes());
    }
    Ok(value)
}

/// The text of a value; bytes that are not of the entry's type come as hex. What [`encode`] takes, as far as the bytes
/// allow.
pub fn decode(entry: &Entry, bytes: &[u8]) -> String {
    if !entry.tagged {
        return plain_text(entry, bytes).unwrap_or_else(|| hex(bytes));
    }
    match (entry.kind, bytes) {
        (Type::Integer, [tag, high, mid, low]) if *tag <= 31 => {
            let text = plain_text(entry, &[0, *high, *mid, *low]).unwrap_or_else(|| hex(bytes));
            format!("{tag}:{text}")
        }
        (Type::String | Type::Octets, [tag, rest @ ..]) if *tag <= 31 => {
            format!("{tag}:{}", plain_text(entry, rest).unwrap_or_else(|| hex(rest)))
        }
        // RFC 2868 §3.3: a first byte above 0x1F belongs to the text.
        _ => plain_text(entry, bytes).unwrap_or_else(|| hex(bytes)),
    }
}

fn plain_text(entry: &Entry, bytes: &[u8]) -> Option<String> {
    let named = |value: u64| entry.name_of(value).map_or_else(|| value.to_string(), str::to_owned);
    match entry.kind {
        Type::String => packet::text(bytes).map(str::to_owned),
        Type::Octets => Some(hex(bytes)),
        Type::Ipaddr => packet::ipv4(bytes).map(|ip| ip.to_string()),
        Type::Ipv6addr => packet::ipv6(bytes).map(|ip| ip.to_string()),
        Type::Ipv6prefix => packet::ipv6_prefix(bytes).map(|(ip, bits)| format!("{ip}/{bits}")),
        Type::Ifid => {
            let groups: Vec<String> =
                bytes.chunks(2).map(|g| format!("{:x}", g.iter().fold(0u16, |n, b| n << 8 | u16::from(*b)))).collect();
            (bytes.len() == 8).then(|| groups.join(":"))
        }
        Type::Integer | Type::Date => packet::u32_of(bytes).map(|n| named(n.into())),
        Type::Integer64 => packet::u64_of(bytes).map(named),
        Type::Short => <[u8; 2]>::try_from(bytes).ok().map(|b| named(u16::from_be_bytes(b).into())),
        Type::Byte => <[u8; 1]>::try_from(bytes).ok().map(|b| named(b[0].into())),
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::from("0x"), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::super::by_name;
    use super::*;

    #[test]
    fn what_an_operator_types() {
        let rows: [(&str, &str, Result<&[u8], &str>); 19] = [
            ("Session-Timeout", "3600", Ok(&[0, 0, 14, 16])),
            ("Session-Timeout", "4294967296", Err("4294967296 is above 4294967295")),
            ("Session-Timeout", "soon", Err("\"soon\" is not a number between 0 and 4294967295")),
            ("Service-Type", "Framed-User", Ok(&[0, 0, 0, 2])),
            (
                "Service-Type",
                "Framing",
                Err(
                    "\"Framing\" is neither a number nor one of its names (Login-User, Framed-User, Callback-Login-User, Callback-Framed-User, Outbound-User, Administrative-User …)",
                ),
            ),
            ("Framed-IP-Address", "10.1.2.3", Ok(&[10, 1, 2, 3])),
            ("Framed-IP-Address", "10.1.2.300", Err("\"10.1.2.300\" is not an IPv4 address")),
            ("Framed-IPv6-Prefix", "2001:db8::/32", Ok(&[0, 32, 0x20, 1, 0xd, 0xb8])),
            ("Framed-IPv6-Prefix", "2001:db8::/129", Err("/129 is not between /0 and /128")),
            ("Framed-IPv6-Prefix", "2001:db8::1/64", Err("2001:db8::1/64 has bits set beyond its length")),
            ("Framed-IPv6-Prefix", "::/0", Ok(&[0, 0])),
            ("Framed-Interface-Id", "1:2:3:fe", Ok(&[0, 1, 0, 2, 0, 3, 0, 0xfe])),
            ("Framed-Interface-Id", "1:2:3", Err("\"1:2:3\" is not an interface id like 21a:2bff:fe3c:4d5e")),
            ("Class", "0x00ff", Ok(&[0, 255])),
            ("Class", "0x0f0", Err("\"0x0f0\" is not hex: 0x and an even number of digits")),
            ("Tunnel-Type", "1:L2TP", Ok(&[1, 0, 0, 3])),
            ("Tunnel-Type", "32:L2TP", Err("tag 32 is not between 0 and 31")),
            ("Tunnel-Private-Group-Id", "2:100", Ok(&[2, b'1', b'0', b'0'])),
            ("Mikrotik-Rate-Limit", "5M/10M", Ok(b"5M/10M")),
        ];
        for (name, text, expected) in rows {
            let got = encode(by_name(name).unwrap(), text);
            match expected {
                Ok(bytes) => assert_eq!(got.unwrap(), bytes, "{name} {text}"),
                Err(what) => assert_eq!(got.unwrap_err().what, what, "{name} {text}"),
            }
        }
        let long = encode(by_name("Mikrotik-Rate-Limit").unwrap(), &"1".repeat(248)).unwrap_err();
        assert_eq!(long.to_string(), "Mikrotik-Rate-Limit: 248 bytes are too many; at most 247 fit");
    }
}
