//! The asking side: a request is drafted, signed once, and its bytes repeated until an answer verifies. The pure half
//! ([`Draft`] → [`Signed`] → [`Signed::verify`]) serves callers with their own sockets and clocks; [`Exchange`] is the
//! same on a blocking socket. Used for CoA and Disconnect (RFC 5176 §2), Status-Server (RFC 5997), and by simulated
//! NASes for Access- and Accounting-Requests.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use crate::attribute::vendor::MICROSOFT;
use crate::attribute::{CHAP_CHALLENGE, CHAP_PASSWORD, ERROR_CAUSE, USER_NAME, USER_PASSWORD};
use crate::auth::mschap::{self, MS_CHAP_CHALLENGE, MS_CHAP2_RESPONSE, NtHash};
use crate::auth::{chap, pap};
use crate::authenticator::{self, MessageAuthenticator, Secret, random16};
use crate::packet::{Code, MAX_PACKET, Packet};
use crate::writer::{Overflow, Writer};

/// A request being written: a [`Writer`] and what signing needs.
pub struct Draft {
    writer: Writer<Vec<u8>>,
    nonce: [u8; 16],
    mac_at: Option<usize>,
}

impl Draft {
    /// A request with Message-Authenticator first, as CVE-2024-3596 advises for everything sent.
    pub fn new(code: Code, id: u8) -> Draft {
        let mut draft = Draft::without_message_authenticator(code, id);
        draft.mac_at = draft.writer.put_message_authenticator().ok();
        draft
    }

    /// As old routers send it, and for accounting.
    pub fn without_message_authenticator(code: Code, id: u8) -> Draft {
        Draft { writer: Writer::new(vec![0; MAX_PACKET], code, id), nonce: random16(), mac_at: None }
    }

    pub fn access(id: u8) -> Draft {
        Draft::new(Code::AccessRequest, id)
    }

    pub fn accounting(id: u8) -> Draft {
        Draft::without_message_authenticator(Code::AccountingRequest, id)
    }

    pub fn coa(id: u8) -> Draft {
        Draft::new(Code::CoaRequest, id)
    }

    pub fn disconnect(id: u8) -> Draft {
        Draft::new(Code::DisconnectRequest, id)
    }

    pub fn status(id: u8) -> Draft {
        Draft::new(Code::StatusServer, id)
    }

    /// Fixes what is otherwise random: the Request Authenticator of Access-Request and Status-Server.
    pub fn with_nonce(mut self, nonce: [u8; 16]) -> Draft {
        self.nonce = nonce;
        self
    }

    /// User-Name and User-Password.
    pub fn pap(&mut self, user: &str, password: &[u8], secret: &Secret) -> Result<(), Overflow> {
        self.writer.put_text(USER_NAME, user)?;
        self.writer.put(USER_PASSWORD, &pap::hide(password, secret, &self.nonce))
    }

    /// User-Name, CHAP-Password and CHAP-Challenge.
    pub fn chap(&mut self, user: &str, password: &[u8]) -> Result<(), Overflow> {
        let (challenge, ident) = (random16(), self.nonce[0]);
        let mut value = [ident; 17];
        value[1..].copy_from_slice(&chap::response(ident, password, &challenge));
        self.writer.put_text(USER_NAME, user)?;
        self.writer.put(CHAP_PASSWORD, &value)?;
        self.writer.put(CHAP_CHALLENGE, &challenge)
    }

    /// User-Name, MS-CHAP-Challenge and MS-CHAP2-Response. Returns the "S=…" the Accept must carry.
    pub fn mschapv2(&mut self, user: &str, password: &[u8]) -> Result<[u8; 42], Overflow> {
        let (challenge, peer, hash) = (random16(), random16(), NtHash::of(password));
        let response = mschap::nt_response(&peer, &challenge, user.as_bytes(), &hash);
        let mut value = [0u8; 50];
        value[0] = 1;
        value[2..18].copy_from_slice(&peer);
        value[26..].copy_from_slice(&response);
        self.writer.put_text(USER_NAME, user)?;
        self.writer.put_vendor(MICROSOFT, MS_CHAP_CHALLENGE, &challenge)?;
        self.writer.put_vendor(MICROSOFT, MS_CHAP2_RESPONSE, &value)?;
        Ok(mschap::expected_success(&peer, &challenge, user.as_bytes(), &hash, &response))
    }

    pub fn sign(mut self, secret: &Secret) -> Signed {
        authenticator::sign_request(self.writer.bytes_mut(), &self.nonce, self.mac_at, secret);
        Signed { bytes: self.writer.bytes().into() }
    }
}

impl Deref for Draft {
    type Target = Writer<Vec<u8>>;
    fn deref(&self) -> &Self::Target {
        &self.writer
    }
}

impl DerefMut for Draft {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.writer
    }
}

/// A request ready to send, as often as needed.
#[derive(Clone, Debug)]
pub struct Signed {
    bytes: Box<[u8]>,
}

/// Why a datagram is not the answer. All of them mean: keep waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTheAnswer {
    #[error("not a RADIUS packet")]
    Malformed,
    #[error("another identifier")]
    Identifier,
    #[error("a code that does not answer this request")]
    Code,
    #[error("the Response Authenticator is wrong: is the secret the same on both sides?")]
    Authenticator,
    #[error("the Message-Authenticator is wrong")]
    MessageAuthenticator,
}

impl Signed {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn packet(&self) -> Packet<'_> {
        Packet::parse(&self.bytes).expect("written by Draft")
    }

    /// Is this datagram the answer, from someone who knows the secret?
    pub fn verify<'d>(&self, datagram: &'d [u8], secret: &Secret) -> Result<Packet<'d>, NotTheAnswer> {
        let request = self.packet();
        let packet = Packet::parse(datagram).map_err(|_| NotTheAnswer::Malformed)?;
        if packet.id() != request.id() {
            return Err(NotTheAnswer::Identifier);
        }
        if !answers(request.code(), packet.code()) {
            return Err(NotTheAnswer::Code);
        }
        if !authenticator::check_response_authenticator(&packet, request.authenticator(), secret) {
            return Err(NotTheAnswer::Authenticator);
        }
        match authenticator::check_response_mac(&packet, request.authenticator(), secret) {
            MessageAuthenticator::Wrong => Err(NotTheAnswer::MessageAuthenticator),
            MessageAuthenticator::Valid | MessageAuthenticator::Absent => Ok(packet),
        }
    }
}

fn answers(request: Code, answer: Code) -> bool {
    match request {
        Code::AccessRequest => matches!(answer, Code::AccessAccept | Code::AccessReject | Code::AccessChallenge),
        Code::AccountingRequest => answer == Code::AccountingResponse,
        Code::StatusServer => matches!(answer, Code::AccessAccept | Code::AccountingResponse),
        Code::CoaRequest => matches!(answer, Code::CoaAck | Code::CoaNak),
        Code::DisconnectRequest => matches!(answer, Code::DisconnectAck | Code::DisconnectNak),
        _ => false,
    }
}

/// A verified answer, owned.
#[derive(Clone)]
pub struct Answer {
    bytes: Box<[u8]>,
}

impl Answer {
    pub fn of(packet: &Packet<'_>) -> Answer {
        Answer { bytes: packet.bytes().into() }
    }

    pub fn packet(&self) -> Packet<'_> {
        Packet::parse(&self.bytes).expect("verified before")
    }

    pub fn code(&self) -> Code {
        self.packet().code()
    }
}

/// How an exchange ended.
pub enum Outcome {
    /// Accept, Challenge, ACK, Accounting-Response.
    Ack(Answer),
    /// Reject or NAK, with its Error-Cause (RFC 5176 §3.6) if it has one.
    Nak {
        error_cause: Option<u32>,
        answer: Answer,
    },
    Timeout,
}

impl Outcome {
    /// What a verified answer means.
    pub fn of(packet: &Packet<'_>) -> Outcome {
        let answer = Answer::of(packet);
        match packet.code() {
            Code::AccessReject | Code::CoaNak | Code::DisconnectNak => {
                Outcome::Nak { error_cause: packet.u32(ERROR_CAUSE), answer }
            }
            _ => Outcome::Ack(answer),
        }
    }

    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Outcome::Ack(answer) | Outcome::Nak { answer, .. } => Some(answer),
            Outcome::Timeout => None,
        }
    }
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Outcome::Ack(answer) => write!(f, "Ack({:?})", answer.packet()),
            Outcome::Nak { error_cause, answer } => write!(f, "Nak({error_cause:?}, {:?})", answer.packet()),
            Outcome::Timeout => f.write_str("Timeout"),
        }
    }
}

/// How long to wait after each sending; as many sendings as entries.
pub const PATIENCE: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];

/// One peer, asked one thing at a time.
pub struct Exchange {
    socket: UdpSocket,
    secret: Secret,
    patience: Vec<Duration>,
}

impl Exchange {
    pub fn to(peer: SocketAddr, secret: Secret) -> io::Result<Exchange> {
        let any: SocketAddr = if peer.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
        Exchange::from(any, peer, secret)
    }

    /// From a given address of ours: routers often accept CoA from the server's address only.
    pub fn from(local: SocketAddr, peer: SocketAddr, secret: Secret) -> io::Result<Exchange> {
        let socket = UdpSocket::bind(local)?;
        socket.connect(peer)?;
        Ok(Exchange { socket, secret, patience: PATIENCE.to_vec() })
    }

    pub fn with_patience(mut self, patience: &[Duration]) -> Exchange {
        self.patience = patience.to_vec();
        self
    }

    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Sends, repeats, and waits. A refused port is treated as silence: the router may be restarting.
    pub fn run(&self, request: &Signed) -> io::Result<Outcome> {
        let mut buffer = [0u8; MAX_PACKET];
        for wait in &self.patience {
            match self.socket.send(request.bytes()) {
                Err(error) if error.kind() != io::ErrorKind::ConnectionRefused => return Err(error),
                _ => {}
            }
            let until = Instant::now() + *wait;
            loop {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                self.socket.set_read_timeout(Some(left))?;
                let Ok(len) = self.socket.recv(&mut buffer) else { continue };
                match request.verify(&buffer[..len], &self.secret) {
                    Ok(packet) => return Ok(Outcome::of(&packet)),
                    Err(why) => tracing::debug!(%why, "datagram ignored"),
                }
            }
        }
        Ok(Outcome::Timeout)
    }
}
