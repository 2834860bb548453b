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
    pub client: Arc<Client>,
    /// As the owner of the clients sees it: IPv4 where it is IPv4.
    pub source: SocketAddr,
}

/// `None` means silence; the reason has been counted.
pub fn pass<'a>(
    datagram: &Datagram<'a>,
    serves: Code,
    now_wall_ns: u64,
    config: &Config,
    clients: &dyn Clients,
    counters: &Counters,
) -> Option<Passed<'a>> {
    // A wall clock that was set back makes ages negative: those count as fresh.
    let age_ns = datagram.received_ns.map_or(0, |received| now_wall_ns.saturating_sub(received));
    if age_ns > config.max_age_ms.saturating_mul(1_000_000) {
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
    let client = &passed.client;
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
