//! What every datagram passes before anything is done for it: shape, age, client, code. And the answer to
//! Status-Server, which is the same on both ports but for its code.

use std::net::SocketAddr;
use std::sync::Arc;

use super::socket::Datagram;
use super::{Client, Clients, Config, Counters, Snapshot, statistics};
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
    /// Whether a backlog has stood for so long that it is not a burst.
    pub fn is_overloaded(&self, now_ns: u64, config: &Config) -> bool {
        self.backlog_since_ns.is_some_and(|since| now_ns.saturating_sub(since) > config.max_age_ms.saturating_mul(MS))
    }

    /// Nothing waits.
    pub fn idle(&mut self) {
        self.backlog_since_ns = None;
    }

    pub fn is_too_old(&mut self, age_ns: u64, now_ns: u64, config: &Config) -> bool {
        if age_ns < config.overload_age_ms.saturating_mul(MS) / 4 {
            self.backlog_since_ns = None;
            return false;
        }
        self.backlog_since_ns.get_or_insert(now_ns);
        let limit_ms = if self.is_overloaded(now_ns, config) {
            config.overload_age_ms.min(config.max_age_ms)
        } else {
            config.max_age_ms
        };
        age_ns > limit_ms.saturating_mul(MS)
    }
}

/// How much may wait in the socket. To take a request that is too old out of it costs a fifth of answering one, so a
/// server that is asked three times as much as it can do would spend half its time on throwing away. Under lasting
/// overload the socket is therefore made so small that what it holds is answered in half of `overload_age_ms`, and the
/// kernel refuses the rest at the door; after a while without overload it may hold a whole burst again.
pub struct Room {
    full: usize,
    bytes: usize,
    /// What waited when the size was last changed is gone then.
    settled_ns: u64,
    /// The last moment of overload.
    overloaded_ns: u64,
}

/// About a hundred requests.
const LEAST_ROOM: usize = 64 << 10;

impl Room {
    pub fn new(full: usize) -> Room {
        Room { full, bytes: full, settled_ns: 0, overloaded_ns: 0 }
    }

    /// The new size, where it changes, after a batch whose oldest request was so old.
    pub fn after(&mut self, oldest_ns: u64, overloaded: bool, now_ns: u64, config: &Config) -> Option<usize> {
        if !overloaded {
            // In a small socket a backlog looks young: only that no overload comes back shows that it is gone.
            let calm_ns = now_ns.saturating_sub(self.overloaded_ns);
            if calm_ns < config.max_age_ms.saturating_mul(2 * MS) {
                return None;
            }
            let was_small = self.bytes != self.full;
            self.bytes = self.full;
            return was_small.then_some(self.full);
        }
        self.overloaded_ns = now_ns;
        let wanted_ns = config.overload_age_ms.saturating_mul(MS) / 2;
        // Within a fifth of what is wanted is right.
        if now_ns < self.settled_ns || oldest_ns.abs_diff(wanted_ns) <= wanted_ns / 5 {
            return None;
        }
        let bytes = (self.bytes as u128 * u128::from(wanted_ns) / u128::from(oldest_ns.max(1))) as usize;
        let bytes = bytes.clamp(LEAST_ROOM.min(self.full), self.full);
        self.settled_ns = now_ns.saturating_add(oldest_ns);
        let changes = bytes != self.bytes;
        self.bytes = bytes;
        changes.then_some(bytes)
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
/// A client that may see them gets the figures it asks for.
pub fn status(
    passed: &Passed<'_>,
    answer_code: Code,
    out: &mut [u8],
    counters: &Counters,
    all: &[Arc<Counters>],
) -> Option<usize> {
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
    let mut writer = Writer::new(out, answer_code, packet.id());
    let mac_at = writer.put_message_authenticator().ok()?;
    if passed.client.sees_statistics && statistics::asked(packet) {
        let mut sum = Snapshot::default();
        all.iter().for_each(|thread| sum.add(thread));
        statistics::write(&mut writer, answer_code, &sum).ok()?;
    }
    // Counted last, like the datagram itself: the figures are those of before.
    counters.status.one();
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
    fn how_much_may_wait() {
        let config = Config::new(([127, 0, 0, 1], 0).into());
        const MIB: usize = 1 << 20;
        let mut room = Room::new(8 * MIB);
        // Moment, age of the oldest, overloaded?, the new size.
        let rows = [
            (0, 1_900, false, None),
            (1_000, 2_000, true, Some(MIB / 2)),
            (2_900, 1_900, true, None), // what waited before is still there
            (3_100, 250, true, Some(MIB / 4)),
            (3_400, 125, true, None),
            (3_500, 105, true, None),
            (3_600, 80, true, Some(MIB / 4 * 125 / 80)),
            (9_000, 20_000, true, Some(64 << 10)),
            (29_001, 20_000, true, None),
            (30_000, 10, false, None),
            (33_002, 10, false, Some(8 * MIB)),
            (33_003, 10, false, None),
        ];
        for (now, oldest, overloaded, expected) in rows {
            assert_eq!(room.after(oldest * MS, overloaded, now * MS, &config), expected, "at {now} ms");
        }
    }

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
