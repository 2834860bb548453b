//! What an Access-Accept or a CoA-Request gives a session, as a router reads it.

use std::net::Ipv4Addr;

use radius::{
    Packet,
    attribute::{self, vendor::MIKROTIK},
};

const RATE_LIMIT: u8 = 8;
const TOTAL_LIMIT: u8 = 17;
const TOTAL_LIMIT_GIGAWORDS: u8 = 18;

/// Without a rate, a line is taken for this fast.
const ANY_KBPS: u64 = 20_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rates {
    pub up_kbps: u64,
    pub down_kbps: u64,
}

impl Default for Rates {
    fn default() -> Rates {
        Rates { up_kbps: ANY_KBPS, down_kbps: ANY_KBPS }
    }
}

#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Grant {
    pub rates: Option<Rates>,
    pub session_timeout_s: Option<u32>,
    pub interim_s: Option<u32>,
    pub address: Option<Ipv4Addr>,
    pub pool: Option<String>,
    /// Bytes both ways until the session ends.
    pub limit_bytes: Option<u64>,
    /// Sent back with every report (RFC 2865 §5.25).
    pub class: Vec<Vec<u8>>,
}

impl Grant {
    pub fn of(packet: &Packet<'_>) -> Grant {
        let low = packet.vendor_u32(MIKROTIK, TOTAL_LIMIT);
        let high = packet.vendor_u32(MIKROTIK, TOTAL_LIMIT_GIGAWORDS).unwrap_or(0);
        Grant {
            rates: packet.vendor_text(MIKROTIK, RATE_LIMIT).and_then(rates),
            session_timeout_s: packet.u32(attribute::SESSION_TIMEOUT),
            interim_s: packet.u32(attribute::ACCT_INTERIM_INTERVAL),
            address: packet.ipv4(attribute::FRAMED_IP_ADDRESS),
            pool: packet.text(attribute::FRAMED_POOL).map(str::to_string),
            limit_bytes: low.map(|low| u64::from(high) << 32 | u64::from(low)),
            class: packet.find_all(attribute::CLASS).map(<[u8]>::to_vec).collect(),
        }
    }
}

/// `rx/tx …` of Mikrotik-Rate-Limit: rx is what the subscriber sends. What follows (bursts, priority) is not acted on.
fn rates(text: &str) -> Option<Rates> {
    let pair = text.split_whitespace().next()?;
    let (up, down) = pair.split_once('/').unwrap_or((pair, pair));
    Some(Rates { up_kbps: kbps(up)?, down_kbps: kbps(down)? })
}

fn kbps(text: &str) -> Option<u64> {
    let unit = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = unit.parse().ok()?;
    let bits = match &text[unit.len()..] {
        "" => number,
        "k" | "K" => number.checked_mul(1000)?,
        "m" | "M" => number.checked_mul(1_000_000)?,
        "g" | "G" => number.checked_mul(1_000_000_000)?,
        _ => return None,
    };
    Some(if bits == 0 { ANY_KBPS } else { bits / 1000 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_limits_are_read_as_routeros_writes_them() {
        let rows = [
            ("5M/10M", Some((5_000, 10_000))),
            ("512k/1M", Some((512, 1_000))),
            ("10M", Some((10_000, 10_000))),
            ("2M/4M 4M/8M 1M/2M 10/10 8", Some((2_000, 4_000))),
            ("64000/128000", Some((64, 128))),
            ("0/0", Some((ANY_KBPS, ANY_KBPS))),
            ("fast", None),
            ("5M/", None),
            ("", None),
        ];
        for (text, expected) in rows {
            assert_eq!(rates(text).map(|r| (r.up_kbps, r.down_kbps)), expected, "{text}");
        }
    }
}
