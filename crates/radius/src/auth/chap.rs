//! CHAP: RFC 2865 §5.3 (CHAP-Password), §5.40 (CHAP-Challenge), RFC 1994 §4.1 (the response).

use subtle::ConstantTimeEq;

use crate::attribute::{CHAP_CHALLENGE, CHAP_PASSWORD};
use crate::authenticator::md5;
use crate::packet::Packet;

/// A CHAP response and the challenge it answers.
#[derive(Clone, Copy, Debug)]
pub struct Chap<'a> {
    pub ident: u8,
    pub response: &'a [u8; 16],
    pub challenge: &'a [u8],
}

impl<'a> Chap<'a> {
    /// Without CHAP-Challenge the Request Authenticator is the challenge (RFC 2865 §5.3).
    pub fn of(packet: &Packet<'a>) -> Option<Chap<'a>> {
        let (ident, response) = packet.find(CHAP_PASSWORD)?.split_first()?;
        let challenge = packet.find(CHAP_CHALLENGE).unwrap_or(packet.authenticator());
        Some(Chap { ident: *ident, response: response.try_into().ok()?, challenge })
    }

    pub fn verify(&self, password: &[u8]) -> bool {
        response(self.ident, password, self.challenge).ct_eq(self.response).into()
    }
}

/// RFC 1994 §4.1: MD5(ident + password + challenge).
pub fn response(ident: u8, password: &[u8], challenge: &[u8]) -> [u8; 16] {
    md5(&[&[ident], password, challenge])
}
