//! A grant in the words of each NAS vendor: one file a vendor, one match arm here.

pub mod chillispot;
pub mod cisco;
pub mod custom;
pub mod huawei;
pub mod mikrotik;
pub mod wispr;

use domain::{Bandwidth, ServiceId, access::decide::Grant};
use radius::{Overflow, Writer, attribute};

use self::custom::Custom;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Vendor {
    Mikrotik,
    Cisco,
    Chillispot,
    Wispr,
    Huawei,
    Juniper,
    Nokia,
    /// Its RADIUS server for CoA takes few attributes, and none of rates.
    Hostapd,
    /// Of unknown make: MikroTik's and WISPr's words.
    Other,
}

impl Vendor {
    pub fn from_word(word: &str) -> Vendor {
        match word {
            "mikrotik" => Vendor::Mikrotik,
            "cisco" => Vendor::Cisco,
            "chillispot" => Vendor::Chillispot,
            "wispr" => Vendor::Wispr,
            "huawei" => Vendor::Huawei,
            "juniper" => Vendor::Juniper,
            "nokia" => Vendor::Nokia,
            "hostapd" => Vendor::Hostapd,
            _ => Vendor::Other,
        }
    }
}

/// The answer being written; what a subscriber's own attributes say is not said twice.
pub struct Out<'a, B> {
    pub writer: &'a mut Writer<B>,
    custom: Option<&'a Custom>,
}

impl<'a, B: AsRef<[u8]> + AsMut<[u8]>> Out<'a, B> {
    pub fn new(writer: &'a mut Writer<B>, custom: Option<&'a Custom>) -> Out<'a, B> {
        Out { writer, custom }
    }

    fn is_free(&self, vendor: u32, kind: u8) -> bool {
        self.custom.is_none_or(|custom| !custom.says(vendor, kind))
    }

    pub fn number(&mut self, kind: u8, value: u32) -> Result<(), Overflow> {
        if self.is_free(0, kind) { self.writer.put_u32(kind, value) } else { Ok(()) }
    }

    pub fn text(&mut self, kind: u8, value: &str) -> Result<(), Overflow> {
        if self.is_free(0, kind) { self.writer.put_text(kind, value) } else { Ok(()) }
    }

    pub fn vendor_number(&mut self, vendor: u32, kind: u8, value: u32) -> Result<(), Overflow> {
        if self.is_free(vendor, kind) { self.writer.put_vendor_u32(vendor, kind, value) } else { Ok(()) }
    }

    pub fn vendor_text(&mut self, vendor: u32, kind: u8, value: &str) -> Result<(), Overflow> {
        if self.is_free(vendor, kind) { self.writer.put_vendor_text(vendor, kind, value) } else { Ok(()) }
    }
}

/// Everything an Access-Accept says of a grant.
pub fn accept<B: AsRef<[u8]> + AsMut<[u8]>>(
    vendor: Vendor,
    service: ServiceId,
    grant: &Grant,
    out: &mut Out<'_, B>,
) -> Result<(), Overflow> {
    if out.is_free(0, attribute::FRAMED_IP_ADDRESS) {
        match (grant.address, &grant.pool) {
            (Some(address), _) => out.writer.put_ipv4(attribute::FRAMED_IP_ADDRESS, address)?,
            (None, Some(pool)) => out.text(attribute::FRAMED_POOL, pool)?,
            (None, None) => {}
        }
    }
    if let Some(address) = grant.address6 {
        out.writer.put_ipv6(attribute::FRAMED_IPV6_ADDRESS, address)?;
    }
    if let Some(pool) = &grant.ipv6_pool {
        out.text(attribute::FRAMED_IPV6_POOL, pool)?;
    }
    if let Some(pool) = &grant.delegated_pool {
        out.text(attribute::DELEGATED_IPV6_PREFIX_POOL, pool)?;
    }
    out.number(attribute::ACCT_INTERIM_INTERVAL, grant.interim_s)?;
    let mut class = [0u8; CLASS_ROOM];
    let length = write_class(service, grant.expired, &mut class);
    out.writer.put(attribute::CLASS, &class[..length])?;
    change(vendor, grant, out)?;
    match out.custom {
        Some(custom) => out.writer.put_encoded(&custom.reply),
        None => Ok(()),
    }
}

/// All that a live session can be told (CoA): what of the grant it can, and the subscriber's own.
pub fn live<B: AsRef<[u8]> + AsMut<[u8]>>(vendor: Vendor, grant: &Grant, out: &mut Out<'_, B>) -> Result<(), Overflow> {
    change(vendor, grant, out)?;
    match out.custom {
        Some(custom) => out.writer.put_encoded(&custom.live),
        None => Ok(()),
    }
}

/// What of a grant a live session can still be told.
fn change<B: AsRef<[u8]> + AsMut<[u8]>>(vendor: Vendor, grant: &Grant, out: &mut Out<'_, B>) -> Result<(), Overflow> {
    if let Some(seconds) = grant.session_timeout_s {
        out.number(attribute::SESSION_TIMEOUT, seconds)?;
    }
    if let Some(seconds) = grant.idle_timeout_s {
        out.number(attribute::IDLE_TIMEOUT, seconds)?;
    }
    match vendor {
        Vendor::Mikrotik => mikrotik::write(grant, out),
        Vendor::Cisco => cisco::write(grant, out),
        Vendor::Chillispot => {
            wispr::write(grant, out)?;
            chillispot::write(grant, out)
        }
        Vendor::Wispr => wispr::write(grant, out),
        Vendor::Huawei => huawei::write(grant, out),
        Vendor::Hostapd => Ok(()),
        Vendor::Juniper | Vendor::Nokia | Vendor::Other => {
            mikrotik::write(grant, out)?;
            wispr::write(grant, out)
        }
    }
}

/// `Class` comes back with accounting (RFC 2865 §5.25): which service, and whether let in as expired.
const CLASS_ROOM: usize = 32;

fn write_class(service: ServiceId, restricted: bool, room: &mut [u8; CLASS_ROOM]) -> usize {
    use std::io::Write;
    let word = if restricted { 'r' } else { 's' };
    let mut rest = &mut room[..];
    // 5 + 20 digits at most: it always fits.
    let _ = write!(rest, "lm1:{word}:{service}");
    CLASS_ROOM - rest.len()
}

/// The service and whether it was restricted, from a Class of ours.
pub fn read_class(class: &[u8]) -> Option<(ServiceId, bool)> {
    let text = std::str::from_utf8(class).ok()?.strip_prefix("lm1:")?;
    let (word, service) = text.split_once(':')?;
    Some((ServiceId(service.parse().ok()?), word == "r"))
}

/// bit/s, as far as 32 bits reach.
fn bits(kbps: u32) -> u32 {
    kbps.saturating_mul(1000)
}

fn rates(grant: &Grant) -> Option<Bandwidth> {
    grant.bandwidth.filter(|rates| rates.down_kbps > 0 || rates.up_kbps > 0)
}

#[cfg(test)]
mod tests {
    use domain::Burst;
    use radius::{Code, dictionary};

    use super::*;

    fn grant() -> Grant {
        Grant {
            bandwidth: Some(Bandwidth::plain(10_000, 5_000)),
            address: None,
            address6: None,
            pool: Some("main".into()),
            ipv6_pool: None,
            delegated_pool: None,
            address_list: None,
            session_timeout_s: Some(3600),
            idle_timeout_s: None,
            interim_s: 300,
            data_left_bytes: None,
            expired: false,
            takes_over: Vec::new(),
            learn: None,
        }
    }

    fn told(vendor: Vendor, grant: &Grant, custom: Option<&Custom>) -> String {
        let mut writer = Writer::new(vec![0; 4096], Code::AccessAccept, 1);
        accept(vendor, ServiceId(7), grant, &mut Out::new(&mut writer, custom)).unwrap();
        let length = (writer.len() as u16).to_be_bytes();
        writer.bytes_mut()[2..4].copy_from_slice(&length);
        let text = dictionary::format_packet(&radius::Packet::parse(writer.bytes()).unwrap(), None);
        let lines = text.lines().map(str::trim).filter(|line| line.contains(" = ") && !line.starts_with("Class"));
        lines.map(|line| line.replace(" = ", "=")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_vendor_in_its_words() {
        let common = "Framed-Pool=\"main\" Acct-Interim-Interval=300 Session-Timeout=3600";
        let mikrotik = "Mikrotik-Rate-Limit=\"5M/10M\"";
        let wispr = "WISPr-Bandwidth-Max-Up=5000000 WISPr-Bandwidth-Max-Down=10000000";
        let rows = [
            (Vendor::Mikrotik, format!("{common} {mikrotik}")),
            (Vendor::Wispr, format!("{common} {wispr}")),
            (Vendor::Other, format!("{common} {mikrotik} {wispr}")),
            (
                Vendor::Chillispot,
                format!("{common} {wispr} ChilliSpot-Bandwidth-Max-Up=5000 ChilliSpot-Bandwidth-Max-Down=10000"),
            ),
            (
                Vendor::Cisco,
                format!(
                    "{common} Cisco-AVPair=\"lcp:interface-config#1=rate-limit input 5000000 937500 1875000 \
                     conform-action transmit exceed-action drop\" \
                     Cisco-AVPair=\"lcp:interface-config#2=rate-limit output 10000000 1875000 3750000 \
                     conform-action transmit exceed-action drop\""
                ),
            ),
            (
                Vendor::Huawei,
                format!(
                    "{common} Huawei-Input-Average-Rate=5000000 Huawei-Input-Peak-Rate=5000000 \
                     Huawei-Output-Average-Rate=10000000 Huawei-Output-Peak-Rate=10000000"
                ),
            ),
            (Vendor::Hostapd, common.to_string()),
        ];
        for (vendor, expected) in rows {
            assert_eq!(told(vendor, &grant(), None), expected, "{vendor:?}");
        }
    }

    #[test]
    fn quota_address_and_list() {
        let grant = Grant {
            address: Some(std::net::Ipv4Addr::new(10, 0, 0, 9)),
            data_left_bytes: Some(5_000_000_000),
            address_list: Some("unpaid".into()),
            ..grant()
        };
        assert_eq!(
            told(Vendor::Mikrotik, &grant, None),
            "Framed-IP-Address=10.0.0.9 Acct-Interim-Interval=300 Session-Timeout=3600 Mikrotik-Rate-Limit=\"5M/10M\" \
             Mikrotik-Address-List=\"unpaid\" Mikrotik-Total-Limit=705032704 Mikrotik-Total-Limit-Gigawords=1"
        );
    }

    #[test]
    fn a_quotas_remainder_past_four_gibibytes() {
        let rows = [
            (Vendor::Mikrotik, 4_294_967_295, "Mikrotik-Total-Limit=4294967295"),
            (Vendor::Mikrotik, 4_294_967_296, "Mikrotik-Total-Limit=0 Mikrotik-Total-Limit-Gigawords=1"),
            (Vendor::Chillispot, 800_000_000, "ChilliSpot-Max-Total-Octets=800000000"),
            (
                Vendor::Chillispot,
                9_000_000_000,
                "ChilliSpot-Max-Total-Octets=410065408 ChilliSpot-Max-Total-Gigawords=2",
            ),
            (Vendor::Huawei, 5_000_000_000, "Huawei-Remanent-Volume=4882813"),
        ];
        for (vendor, left, expected) in rows {
            let text = told(vendor, &Grant { data_left_bytes: Some(left), ..grant() }, None);
            assert!(text.contains(expected), "{vendor:?} {left}: {text}");
            assert_eq!(text.contains("Gigawords"), expected.contains("Gigawords"), "{text}");
        }
    }

    #[test]
    fn a_subscribers_own_attributes_win() {
        let rule = |attribute: &str, value: &str| service::access::directory::Rule {
            attribute: attribute.into(),
            check: None,
            value: value.into(),
        };
        let custom =
            Custom::of(&[rule("Mikrotik-Rate-Limit", "1M/1M"), rule("Session-Timeout", "60"), rule("Nonsense", "1")]);
        assert_eq!(
            told(Vendor::Mikrotik, &grant(), Some(&custom)),
            "Framed-Pool=\"main\" Acct-Interim-Interval=300 Mikrotik-Rate-Limit=\"1M/1M\" Session-Timeout=60"
        );
    }

    #[test]
    fn rate_limit_grammar() {
        let burst =
            Burst { down_kbps: 4000, up_kbps: 1000, threshold_down_kbps: 3000, threshold_up_kbps: 768, time_s: 8 };
        let rows = [
            (Bandwidth::plain(10_000, 5_000), "5M/10M"),
            (Bandwidth::plain(2_000, 512), "512k/2M"),
            (Bandwidth::plain(1_500, 1_500), "1500k/1500k"),
            (
                Bandwidth { burst: Some(burst), priority: Some(5), ..Bandwidth::plain(2_000, 512) },
                "512k/2M 1M/4M 768k/3M 8/8 5",
            ),
            (Bandwidth { burst: Some(burst), ..Bandwidth::plain(2_000, 512) }, "512k/2M 1M/4M 768k/3M 8/8"),
            (Bandwidth { priority: Some(3), ..Bandwidth::plain(2_000, 512) }, "512k/2M 0/0 0/0 0/0 3"),
        ];
        for (bandwidth, expected) in rows {
            assert_eq!(mikrotik::rate_limit(&bandwidth), expected);
        }
    }

    #[test]
    fn class_comes_back_as_it_went() {
        for (service, restricted) in [(1, false), (9_007_199_254_740_991, true)] {
            let mut room = [0; CLASS_ROOM];
            let length = write_class(ServiceId(service), restricted, &mut room);
            assert_eq!(read_class(&room[..length]), Some((ServiceId(service), restricted)));
        }
        for foreign in [&b""[..], b"lm1:", b"lm1:s:x", b"\xff", b"other"] {
            assert_eq!(read_class(foreign), None);
        }
    }
}
