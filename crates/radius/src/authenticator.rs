//! What proves a packet: Request and Response Authenticators (RFC 2865 §3, RFC 2866 §3, RFC 5176 §2.3) and
//! Message-Authenticator (RFC 3579 §3.2, RFC 5176 §3.3, RFC 5997 §3). All comparisons take constant time.
//!
//! [`Secret`] holds the shared secret with the two HMAC-MD5 key blocks hashed once, so a packet costs only the
//! blocks it is made of. Whether an absent Message-Authenticator is acceptable is `policy`'s affair.

use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

use crate::attribute::MESSAGE_AUTHENTICATOR;
use crate::packet::{Code, HEADER, Packet};

/// A shared secret, ready to sign.
#[derive(Clone)]
pub struct Secret {
    bytes: Box<[u8]>,
    hmac_inner: Md5,
    hmac_outer: Md5,
}

impl Secret {
    pub fn new(secret: impl AsRef<[u8]>) -> Secret {
        let secret = secret.as_ref();
        let mut key = [0u8; 64];
        if secret.len() > key.len() {
            key[..16].copy_from_slice(&md5(&[secret]));
        } else {
            key[..secret.len()].copy_from_slice(secret);
        }
        let keyed = |pad: u8| {
            let mut state = Md5::new();
            state.update(key.map(|b| b ^ pad));
            state
        };
        Secret { bytes: secret.into(), hmac_inner: keyed(0x36), hmac_outer: keyed(0x5c) }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// HMAC-MD5 (RFC 2104) over the parts in order.
    pub fn hmac(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mut inner = self.hmac_inner.clone();
        parts.iter().for_each(|part| inner.update(part));
        let mut outer = self.hmac_outer.clone();
        outer.update(inner.finalize());
        outer.finalize().into()
    }

    /// MD5 over the parts and then the secret.
    fn md5_with(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mut state = Md5::new();
        parts.iter().for_each(|part| state.update(part));
        state.update(&self.bytes);
        state.finalize().into()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// MD5 over the parts in order.
pub fn md5(parts: &[&[u8]]) -> [u8; 16] {
    let mut state = Md5::new();
    parts.iter().for_each(|part| state.update(part));
    state.finalize().into()
}

/// What a packet's Message-Authenticator says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageAuthenticator {
    Absent,
    Valid,
    Wrong,
}

const ZEROS: [u8; 16] = [0; 16];

/// Message-Authenticator of a request that arrived. In requests whose authenticator is itself a hash (accounting,
/// CoA, Disconnect) it was computed over sixteen zero bytes there (RFC 5176 §3.3).
pub fn check_request_mac(packet: &Packet<'_>, secret: &Secret) -> MessageAuthenticator {
    let authenticator = if has_hashed_authenticator(packet.code()) { &ZEROS } else { packet.authenticator() };
    check_mac(packet, authenticator, secret)
}

/// Message-Authenticator of an answer, which is computed over the request's authenticator.
pub fn check_response_mac(
    packet: &Packet<'_>,
    request_authenticator: &[u8; 16],
    secret: &Secret,
) -> MessageAuthenticator {
    check_mac(packet, request_authenticator, secret)
}

fn check_mac(packet: &Packet<'_>, authenticator: &[u8; 16], secret: &Secret) -> MessageAuthenticator {
    let Some(at) = packet.value_offset(MESSAGE_AUTHENTICATOR) else { return MessageAuthenticator::Absent };
    let bytes = packet.bytes();
    // Sixteen bytes exactly: the attribute's length is the byte before its value.
    if bytes[at - 1] != 18 {
        return MessageAuthenticator::Wrong;
    }
    let expected = secret.hmac(&[&bytes[..4], authenticator, &bytes[HEADER..at], &ZEROS, &bytes[at + 16..]]);
    match bool::from(expected.ct_eq(&bytes[at..at + 16])) {
        true => MessageAuthenticator::Valid,
        false => MessageAuthenticator::Wrong,
    }
}

/// Requests whose Request Authenticator is MD5(code + id + length + 16 zeros + attributes + secret).
pub fn has_hashed_authenticator(code: Code) -> bool {
    matches!(code, Code::AccountingRequest | Code::CoaRequest | Code::DisconnectRequest)
}

/// Request Authenticator of Accounting-, CoA- and Disconnect-Requests (RFC 2866 §3, RFC 5176 §2.3).
pub fn check_request_authenticator(packet: &Packet<'_>, secret: &Secret) -> bool {
    let bytes = packet.bytes();
    let expected = secret.md5_with(&[&bytes[..4], &ZEROS, &bytes[HEADER..]]);
    expected.ct_eq(packet.authenticator()).into()
}

/// Response Authenticator (RFC 2865 §3).
pub fn check_response_authenticator(packet: &Packet<'_>, request_authenticator: &[u8; 16], secret: &Secret) -> bool {
    let bytes = packet.bytes();
    let expected = secret.md5_with(&[&bytes[..4], request_authenticator, &bytes[HEADER..]]);
    expected.ct_eq(packet.authenticator()).into()
}

/// Fills in length, Message-Authenticator (where `mac_at` says its value lies) and Response Authenticator.
pub fn sign_response(bytes: &mut [u8], request_authenticator: &[u8; 16], mac_at: Option<usize>, secret: &Secret) {
    put_length(bytes);
    bytes[4..HEADER].copy_from_slice(request_authenticator);
    fill_mac(bytes, mac_at, secret);
    let authenticator = secret.md5_with(&[bytes]);
    bytes[4..HEADER].copy_from_slice(&authenticator);
}

/// Signs a request in place. `nonce` is the Request Authenticator of Access-Request and Status-Server; in the other
/// requests the authenticator is computed.
pub fn sign_request(bytes: &mut [u8], nonce: &[u8; 16], mac_at: Option<usize>, secret: &Secret) {
    put_length(bytes);
    if !has_hashed_authenticator(Code(bytes[0])) {
        bytes[4..HEADER].copy_from_slice(nonce);
        fill_mac(bytes, mac_at, secret);
        return;
    }
    bytes[4..HEADER].fill(0);
    fill_mac(bytes, mac_at, secret);
    let authenticator = secret.md5_with(&[bytes]);
    bytes[4..HEADER].copy_from_slice(&authenticator);
}

fn put_length(bytes: &mut [u8]) {
    let length = bytes.len() as u16; // callers write through Writer, which ends at 4096
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
}

fn fill_mac(bytes: &mut [u8], mac_at: Option<usize>, secret: &Secret) {
    let Some(at) = mac_at else { return };
    bytes[at..at + 16].fill(0);
    let mac = secret.hmac(&[bytes]);
    bytes[at..at + 16].copy_from_slice(&mac);
}

/// Sixteen unpredictable bytes (RFC 2865 §3 asks it of every Access-Request).
pub fn random16() -> [u8; 16] {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
