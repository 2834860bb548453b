//! What every datagram passes before anything is done for it: shape, age, client, code. And the answer to
//! Status-Server, which is the same on both ports but for its code.

use std::net::SocketAddr;
use std::sync::Arc;

use super::socket::Datagram;
use super::{Client, Clients, Config, Counters};
use crate::authenticator::{self, MessageAuthenticator};
use crate::packet::{Code, Packet};
use crate::policy::{Facts, Ruling, rule};
use crate::writer::Writer;

/// A datagram that is a packet from a known client and for this port.
pub struct Passed<'a> {
    pub packet: Packet<'a>,
    pub client: &'a Arc<Client>,
    /// As the owner of the clients sees it: IPv4 where it is IPv4.
    pub source: SocketAddr,
}

/// How old a request may be. The socket's buffer is a queue whose front is the oldest: under lasting overload every
/// request would be answered at the very end of its NAS's patience, or after it. So once a backlog has stood for
/// `max_age_ms`, only what is younger than `overload_age_ms` is answered, until a fresh request shows that the backlog
/// is gone. A burst that drains in time is answered whole.
#[derive(Default)]
pub struct Freshness {
    backlog_since_ns: Option<u64>,
}

const MS: u64 = 1_000_000;

impl Freshness {
    pub fn is_too_old(&mut self, age_ns: u64, now_ns: u64, config: &Config) -> bool {
        if age_ns < config.overload_age_ms.saturating_mul(MS) / 4 {
            self.backlog_since_ns = None;
            return false;
        }
        let since = *self.backlog_since_ns.get_or_insert(now_ns);
        let stands = now_ns.saturating_sub(since) > config.max_age_ms.saturating_mul(MS);
        let limit_ms = if stands { config.overload_age_ms.min(config.max_age_ms) } else { config.max_age_ms };
        age_ns > limit_ms.saturating_mul(MS)
    }
}

/// `None` means silence; the reason has been counted.
pub fn pass<'a>(
    datagram: &Datagram<'a>,
    freshness: &mut Freshness,
    serves: Code,
    now_wall_ns: u64,
    config: &Config,
    clients: &'a dyn Clients,
    counters: &Counters,
) -> Option<Passed<'a>> {
    // A wall clock that was set back makes ages negative: those count as fresh.
    let age_ns = datagram.received_ns.map_or(0, |received| now_wall_ns.saturating_sub(received));
    if freshness.is_too_old(age_ns, now_wall_ns, config) {
        counters.too_old.one();
        return None;
    }
    let Ok(packet) = Packet::parse(datagram.bytes) else {
        counters.malformed.one();
        return None;
    };
    if packet.code() != serves && packet.code() != Code::StatusServer {
        counters.unknown_code.one();
        return None;
    }
    let source = SocketAddr::new(datagram.source.ip().to_canonical(), datagram.source.port());
    let Some(client) = clients.find(source, &packet) else {
        counters.unknown_client.one();
        return None;
    };
    Some(Passed { packet, client, source })
}

/// The Message-Authenticator as the client's policy sees it; `false` means silence, counted.
pub fn believe(passed: &Passed<'_>, clients: &dyn Clients, counters: &Counters) -> bool {
    let client = passed.client;
    let mac = authenticator::check_request_mac(&passed.packet, &client.secret);
    match rule(client.policy.get(), Facts::of(&passed.packet, mac)) {
        Ruling::Believe => true,
        Ruling::BelieveAndLearn => {
            if client.policy.learn() {
                clients.learnt(client);
            }
            true
        }
        Ruling::DropMissing => {
            counters.missing_message_authenticator.one();
            false
        }
        Ruling::DropWrong => {
            counters.bad_message_authenticator.one();
            false
        }
    }
}

/// RFC 5997 §3 and §4.2: Message-Authenticator required, answered with Access-Accept or Accounting-Response.
/// Returns the answer's length; Status-Server is not cached (its answer costs less than the cache).
pub fn status(passed: &Passed<'_>, answer_code: Code, out: &mut [u8], counters: &Counters) -> Option<usize> {
    let (packet, secret) = (&passed.packet, &passed.client.secret);
    match authenticator::check_request_mac(packet, secret) {
        MessageAuthenticator::Valid => {}
        MessageAuthenticator::Absent => {
            counters.missing_message_authenticator.one();
            return None;
        }
        MessageAuthenticator::Wrong => {
            counters.bad_message_authenticator.one();
            return None;
        }
    }
    counters.status.one();
    let mut writer = Writer::new(out, answer_code, packet.id());
    let mac_at = writer.put_message_authenticator().ok()?;
    finish(writer, packet, mac_at, passed).ok()
}

/// Proxy-State in order (RFC 2865 §5.33), then the signatures. Returns the length.
pub fn finish(
    mut writer: Writer<&mut [u8]>,
    packet: &Packet<'_>,
    mac_at: usize,
    passed: &Passed<'_>,
) -> Result<usize, crate::writer::Overflow> {
    for state in packet.find_all(crate::attribute::PROXY_STATE) {
        writer.put(crate::attribute::PROXY_STATE, state)?;
    }
    let len = writer.len();
    authenticator::sign_response(writer.bytes_mut(), packet.authenticator(), Some(mac_at), &passed.client.secret);
    Ok(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_old_is_too_old() {
        let config = Config::new(([127, 0, 0, 1], 0).into());
        assert_eq!((config.max_age_ms, config.overload_age_ms), (2_000, 250));
        // Moment, age, dropped?
        let rows = [
            (0, 10, false),
            (1_000, 1_000, false),
            (1_001, 2_001, true),
            (2_900, 1_900, false),
            (3_100, 1_000, true), // the backlog has stood for more than two seconds
            (3_200, 240, false),
            (3_300, 251, true),
            (3_400, 50, false), // and is gone
            (3_500, 1_900, false),
        ];
        let mut freshness = Freshness::default();
        for (now, age, dropped) in rows {
            assert_eq!(freshness.is_too_old(age * MS, now * MS, &config), dropped, "at {now} ms, age {age} ms");
        }
    }
}
