//! MAC addresses, normalised to one form whatever a NAS or a form sends.

/// Six octets; shown as `AA:BB:CC:DD:EE:FF`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Reads `AA:BB:CC:DD:EE:FF`, `aa-bb-…`, `aabb.ccdd.eeff` and bare digits; anything after the address, as in the
    /// `MAC:SSID` of a Called-Station-Id, is not accepted. `None` for what is no MAC address (an IP address, say).
    pub fn parse(text: &str) -> Option<Mac> {
        let mut octets = [0u8; 6];
        let mut digits = 0;
        for byte in text.trim().bytes() {
            let value = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                b'A'..=b'F' => byte - b'A' + 10,
                b':' | b'-' | b'.' if digits % 2 == 0 && digits > 0 => continue,
                _ => return None,
            };
            if digits == 12 {
                return None;
            }
            octets[digits / 2] = octets[digits / 2] << 4 | value;
            digits += 1;
        }
        (digits == 12).then_some(Mac(octets))
    }
}

impl std::fmt::Display for Mac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{g:02X}")
    }
}

impl std::fmt::Debug for Mac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Mac;

    #[test]
    fn every_usual_spelling_is_one_address() {
        let rows = [
            ("D4:CA:6D:9B:45:01", Some("D4:CA:6D:9B:45:01")),
            ("d4-ca-6d-9b-45-01", Some("D4:CA:6D:9B:45:01")),
            ("d4ca.6d9b.4501", Some("D4:CA:6D:9B:45:01")),
            ("d4ca6d9b4501", Some("D4:CA:6D:9B:45:01")),
            (" D4:CA:6D:9B:45:01 ", Some("D4:CA:6D:9B:45:01")),
            ("D4:CA:6D:9B:45", None),
            ("D4:CA:6D:9B:45:01:02", None),
            ("198.18.2.2", None),
            (":D4CA6D9B4501", None),
            ("D:4CA6D9B4501", None),
            ("", None),
            ("D4:CA:6D:9B:45:0g", None),
        ];
        for (text, expected) in rows {
            assert_eq!(Mac::parse(text).map(|mac| mac.to_string()).as_deref(), expected, "{text}");
        }
    }
}
