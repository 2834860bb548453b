//! Where checks go, and what is known of who answers.

use crate::kernel::clock::{Instant, MINUTE};

/// A router with sessions reports at least once in five minutes; three times as long is silence.
pub const SILENCE: i64 = 15 * MINUTE;

/// A host name or an IP address, without a port.
pub fn is_host(text: &str) -> bool {
    if text.parse::<std::net::IpAddr>().is_ok() {
        return true;
    }
    (1..=253).contains(&text.len())
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

/// A ping goes to a host, TCP to a host and port, HTTP to a URL.
pub fn is_target(kind: &str, target: &str) -> bool {
    match kind {
        "ping" => is_host(target),
        "tcp" => target.rsplit_once(':').is_some_and(|(host, port)| {
            is_host(host.trim_start_matches('[').trim_end_matches(']'))
                && port.parse::<u16>().is_ok_and(|port| port > 0)
        }),
        "http" => ["http://", "https://"].iter().any(|scheme| {
            target.strip_prefix(scheme).is_some_and(|rest| {
                !rest.is_empty() && !rest.starts_with('/') && !rest.contains(['@', ' ']) && rest.is_ascii()
            })
        }),
        _ => false,
    }
}

/// A new status and when it began: the same one goes on.
pub fn turned(status: &mut String, since: &mut Instant, now: Instant, new: Option<&str>) {
    if let Some(new) = new
        && new != status
    {
        *status = new.into();
        *since = now;
    }
}

/// What is known of a router by when it last reported.
pub fn status(heard: Option<Instant>, now: Instant) -> &'static str {
    match heard {
        None => "unknown",
        Some(at) if now.since(at) <= SILENCE => "up",
        Some(_) => "down",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for (text, right) in [
            ("10.0.0.1", true),
            ("2001:db8::1", true),
            ("vpn.isp.example", true),
            ("olt_1", true),
            ("vpn.isp.example:51820", false),
            ("http://x", false),
            ("a b", false),
            ("-a", false),
            ("a..b", false),
            ("", false),
            ("a\nPostUp = x", false),
        ] {
            assert_eq!(is_host(text), right, "{text:?}");
        }
    }

    #[test]
    fn a_status_keeps_its_beginning_while_it_lasts() {
        let (mut status, mut since) = (String::from("unknown"), Instant(1));
        for (new, expected) in [(None, 1), (Some("up"), 5), (Some("up"), 5), (Some("down"), 7)] {
            let now = if new == Some("down") { Instant(7) } else { Instant(5) };
            turned(&mut status, &mut since, now, new);
            assert_eq!(since, Instant(expected), "{new:?}");
        }
    }

    #[test]
    fn targets() {
        for (kind, target, right) in [
            ("ping", "10.0.0.1", true),
            ("ping", "gw.isp.example", true),
            ("ping", "10.0.0.1:80", false),
            ("tcp", "10.0.0.1:443", true),
            ("tcp", "[2001:db8::1]:443", true),
            ("tcp", "10.0.0.1", false),
            ("tcp", "10.0.0.1:0", false),
            ("http", "https://portal.isp.example/health", true),
            ("http", "ftp://x", false),
            ("http", "http:///x", false),
            ("http", "http://user@x", false),
            ("snmp", "10.0.0.1", false),
        ] {
            assert_eq!(is_target(kind, target), right, "{kind} {target}");
        }
    }

    #[test]
    fn what_is_known_of_a_router() {
        let now = Instant(100 * MINUTE);
        for (heard, expected) in [(None, "unknown"), (Some(now), "up"), (Some(now.plus(-SILENCE)), "up")] {
            assert_eq!(status(heard, now), expected);
        }
        assert_eq!(status(Some(now.plus(-SILENCE - 1)), now), "down");
    }
}
