//! The router's side of RFC 5176: a socket that receives CoA- and Disconnect-Requests, verifies them, and answers ACK
//! or NAK with an Error-Cause. For demo routers and tests; a real router brings its own.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::attribute::{ERROR_CAUSE, EVENT_TIMESTAMP, PROXY_STATE, STATE};
use crate::authenticator::{self, MessageAuthenticator, Secret};
use crate::packet::{Code, MAX_PACKET, Packet};
use crate::writer::Writer;

/// A listener for Dynamic Authorization requests.
pub struct Das {
    socket: UdpSocket,
    secret: Secret,
}

/// A verified CoA- or Disconnect-Request.
pub struct DasRequest {
    bytes: Box<[u8]>,
    pub source: SocketAddr,
}

impl DasRequest {
    pub fn packet(&self) -> Packet<'_> {
        Packet::parse(&self.bytes).expect("checked when it was received")
    }

    pub fn code(&self) -> Code {
        self.packet().code()
    }

    /// RFC 5176 §3.3: requests older than the window (300 s) are replays. `now_s` counts from 1970.
    pub fn is_stale(&self, now_s: u64) -> bool {
        self.packet().u32(EVENT_TIMESTAMP).is_some_and(|at| u64::from(at).abs_diff(now_s) > 300)
    }
}

/// Is this datagram a CoA- or Disconnect-Request from someone who knows the secret? RFC 5176 §2.3: its authenticator
/// is computed as in accounting; §3.3: a wrong Message-Authenticator means silence.
pub fn verify<'d>(datagram: &'d [u8], secret: &Secret) -> Option<Packet<'d>> {
    let packet = Packet::parse(datagram).ok()?;
    let served = matches!(packet.code(), Code::CoaRequest | Code::DisconnectRequest);
    let right = served
        && authenticator::check_request_authenticator(&packet, secret)
        && authenticator::check_request_mac(&packet, secret) != MessageAuthenticator::Wrong;
    right.then_some(packet)
}

/// The signed ACK (no cause) or NAK, with the request's State and Proxy-State (RFC 5176 §3.1, §3.2).
pub fn answer(request: &Packet<'_>, error_cause: Option<u32>, secret: &Secret) -> Vec<u8> {
    let code = match (request.code(), error_cause.is_some()) {
        (Code::DisconnectRequest, false) => Code::DisconnectAck,
        (Code::DisconnectRequest, true) => Code::DisconnectNak,
        (_, false) => Code::CoaAck,
        (_, true) => Code::CoaNak,
    };
    let mut writer = Writer::new(vec![0; MAX_PACKET], code, request.id());
    let mac_at = writer.put_message_authenticator().ok();
    if let Some(cause) = error_cause {
        let _ = writer.put_u32(ERROR_CAUSE, cause);
    }
    for attribute in request.attributes().filter(|a| matches!(a.kind, STATE | PROXY_STATE)) {
        let _ = writer.put(attribute.kind, attribute.value);
    }
    authenticator::sign_response(writer.bytes_mut(), request.authenticator(), mac_at, secret);
    writer.bytes().to_vec()
}

impl Das {
    pub fn bind(listen: SocketAddr, secret: Secret) -> io::Result<Das> {
        Ok(Das { socket: UdpSocket::bind(listen)?, secret })
    }

    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The next verified request, or `None` if what came (or did not) within `timeout` is not one.
    pub fn receive(&self, timeout: Duration) -> io::Result<Option<DasRequest>> {
        self.socket.set_read_timeout(Some(timeout.max(Duration::from_millis(1))))?;
        let mut buffer = [0u8; MAX_PACKET];
        let (len, source) = match self.socket.recv_from(&mut buffer) {
            Ok(received) => received,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        Ok(verify(&buffer[..len], &self.secret).map(|packet| DasRequest { bytes: packet.bytes().into(), source }))
    }

    pub fn ack(&self, request: &DasRequest) -> io::Result<()> {
        self.send(request, None)
    }

    pub fn nak(&self, request: &DasRequest, error_cause: u32) -> io::Result<()> {
        self.send(request, Some(error_cause))
    }

    fn send(&self, request: &DasRequest, error_cause: Option<u32>) -> io::Result<()> {
        let bytes = answer(&request.packet(), error_cause, &self.secret);
        self.socket.send_to(&bytes, request.source).map(drop)
    }
}
