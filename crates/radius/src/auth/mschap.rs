//! MS-CHAP: version 2 (RFC 2759 §8), version 1 by its NT response (RFC 2433 §A), their RADIUS attributes (RFC 2548
//! §2.1–2.4) and the 128-bit MPPE keys (RFC 3079 §3). Everything works from the NT hash, so a directory may keep
//! that instead of the password.

use des::Des;
use des::cipher::{BlockCipherEncrypt, KeyInit};
use md4::{Digest, Md4};
use sha1::Sha1;
use subtle::ConstantTimeEq;

use crate::attribute::vendor::MICROSOFT;
use crate::authenticator::Secret;
use crate::packet::Packet;
use crate::writer::{Overflow, Writer};

pub const MS_CHAP_RESPONSE: u8 = 1;
pub const MS_CHAP_ERROR: u8 = 2;
pub const MS_MPPE_ENCRYPTION_POLICY: u8 = 7;
pub const MS_MPPE_ENCRYPTION_TYPES: u8 = 8;
pub const MS_CHAP_CHALLENGE: u8 = 11;
pub const MS_MPPE_SEND_KEY: u8 = 16;
pub const MS_MPPE_RECV_KEY: u8 = 17;
pub const MS_CHAP2_RESPONSE: u8 = 25;
pub const MS_CHAP2_SUCCESS: u8 = 26;

/// RFC 2759 §8.3: MD4 over the password in UTF-16LE.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NtHash(pub [u8; 16]);

impl NtHash {
    /// Bytes that are not UTF-8 are taken as Latin-1, as dial-in clients of that age sent them.
    pub fn of(password: &[u8]) -> NtHash {
        let mut state = Md4::new();
        match std::str::from_utf8(password) {
            Ok(text) => text.encode_utf16().for_each(|unit| state.update(unit.to_le_bytes())),
            Err(_) => password.iter().for_each(|byte| state.update([*byte, 0])),
        }
        NtHash(state.finalize().into())
    }

    pub fn matches(&self, other: &NtHash) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// RFC 2759 §8.4.
    fn hash_again(&self) -> [u8; 16] {
        Md4::digest(self.0).into()
    }
}

impl std::fmt::Debug for NtHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NtHash(…)")
    }
}

/// MS-CHAP2-Response (RFC 2548 §2.3.2) with the challenge it answers.
#[derive(Clone, Copy, Debug)]
pub struct MsChapV2<'a> {
    pub ident: u8,
    pub authenticator_challenge: &'a [u8; 16],
    pub peer_challenge: &'a [u8; 16],
    pub nt_response: &'a [u8; 24],
}

impl<'a> MsChapV2<'a> {
    pub fn of(packet: &Packet<'a>) -> Option<MsChapV2<'a>> {
        let response: &[u8; 50] = packet.vendor(MICROSOFT, MS_CHAP2_RESPONSE)?.try_into().ok()?;
        Some(MsChapV2 {
            ident: response[0],
            authenticator_challenge: packet.vendor(MICROSOFT, MS_CHAP_CHALLENGE)?.try_into().ok()?,
            peer_challenge: response[2..18].try_into().ok()?,
            nt_response: response[26..50].try_into().ok()?,
        })
    }

    /// RFC 2759 §8.1 wants the name without a domain in front; some NASes hash it with one.
    pub fn verify(&self, user_name: &[u8], known: &NtHash) -> Option<Success> {
        let bare = user_name.iter().rposition(|b| *b == b'\\').map_or(user_name, |at| &user_name[at + 1..]);
        let names = [Some(bare), (bare.len() != user_name.len()).then_some(user_name)];
        names.into_iter().flatten().find_map(|name| {
            let challenge = challenge_hash(self.peer_challenge, self.authenticator_challenge, name);
            let right: bool = challenge_response(&challenge, known).ct_eq(self.nt_response).into();
            right.then(|| Success::new(self.ident, &challenge, self.nt_response, known))
        })
    }
}

/// MS-CHAP-Response (RFC 2548 §2.1.3): only its NT response is looked at.
#[derive(Clone, Copy, Debug)]
pub struct MsChapV1<'a> {
    pub ident: u8,
    pub challenge: &'a [u8; 8],
    pub nt_response: &'a [u8; 24],
}

impl<'a> MsChapV1<'a> {
    pub fn of(packet: &Packet<'a>) -> Option<MsChapV1<'a>> {
        let response: &[u8; 50] = packet.vendor(MICROSOFT, MS_CHAP_RESPONSE)?.try_into().ok()?;
        // Flags 0 would ask for the LAN Manager response, which is not worth having.
        if response[1] != 1 {
            return None;
        }
        Some(MsChapV1 {
            ident: response[0],
            challenge: packet.vendor(MICROSOFT, MS_CHAP_CHALLENGE)?.try_into().ok()?,
            nt_response: response[26..50].try_into().ok()?,
        })
    }

    pub fn verify(&self, known: &NtHash) -> bool {
        challenge_response(self.challenge, known).ct_eq(self.nt_response).into()
    }
}

/// What a successful MS-CHAPv2 answer must carry.
#[derive(Clone, Copy)]
pub struct Success {
    pub ident: u8,
    /// "S=" and forty hex digits (RFC 2759 §8.7).
    pub authenticator_response: [u8; 42],
    pub send_key: [u8; 16],
    pub recv_key: [u8; 16],
}

impl Success {
    fn new(ident: u8, challenge: &[u8; 8], nt_response: &[u8; 24], known: &NtHash) -> Success {
        let again = known.hash_again();
        let master = master_key(&again, nt_response);
        Success {
            ident,
            authenticator_response: authenticator_response(&again, nt_response, challenge),
            send_key: session_key(&master, Side::ServerSends),
            recv_key: session_key(&master, Side::ServerReceives),
        }
    }

    /// MS-CHAP2-Success, the MPPE policy (allowed; 40 or 128 bit) and both keys.
    pub fn write<B: AsRef<[u8]> + AsMut<[u8]>>(
        &self,
        writer: &mut Writer<B>,
        secret: &Secret,
        request_authenticator: &[u8; 16],
    ) -> Result<(), Overflow> {
        let mut value = [0u8; 43];
        value[0] = self.ident;
        value[1..].copy_from_slice(&self.authenticator_response);
        writer.put_vendor(MICROSOFT, MS_CHAP2_SUCCESS, &value)?;
        writer.put_vendor_u32(MICROSOFT, MS_MPPE_ENCRYPTION_POLICY, 1)?;
        writer.put_vendor_u32(MICROSOFT, MS_MPPE_ENCRYPTION_TYPES, 6)?;
        writer.put_vendor_salted(MICROSOFT, MS_MPPE_SEND_KEY, &self.send_key, secret, request_authenticator)?;
        writer.put_vendor_salted(MICROSOFT, MS_MPPE_RECV_KEY, &self.recv_key, secret, request_authenticator)
    }
}

impl std::fmt::Debug for Success {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Success(…)")
    }
}

/// MS-CHAP-Error for a reject: "authentication failure, do not retry" (RFC 2759 §6).
pub fn write_error<B: AsRef<[u8]> + AsMut<[u8]>>(writer: &mut Writer<B>, ident: u8) -> Result<(), Overflow> {
    const TEXT: &[u8] = b"E=691 R=0 C=00000000000000000000000000000000 V=3 M=Authentication failed";
    let mut value = [0u8; 1 + TEXT.len()];
    value[0] = ident;
    value[1..].copy_from_slice(TEXT);
    writer.put_vendor(MICROSOFT, MS_CHAP_ERROR, &value)
}

/// RFC 2759 §8.2.
pub fn challenge_hash(peer: &[u8; 16], authenticator: &[u8; 16], user_name: &[u8]) -> [u8; 8] {
    let digest = Sha1::new().chain_update(peer).chain_update(authenticator).chain_update(user_name).finalize();
    digest[..8].try_into().expect("SHA-1 gives twenty bytes")
}

/// RFC 2759 §8.5: the hash, padded to 21 bytes, is three DES keys.
pub fn challenge_response(challenge: &[u8; 8], hash: &NtHash) -> [u8; 24] {
    let mut padded = [0u8; 21];
    padded[..16].copy_from_slice(&hash.0);
    let mut out = [0u8; 24];
    for (key, block) in padded.chunks_exact(7).zip(out.chunks_exact_mut(8)) {
        let mut cipher_block = (*challenge).into();
        Des::new(&des_key(key).into()).encrypt_block(&mut cipher_block);
        block.copy_from_slice(&cipher_block);
    }
    out
}

/// Fifty-six bits spread over eight bytes; the parity bits are ignored by the cipher.
fn des_key(seven: &[u8]) -> [u8; 8] {
    let bits = seven.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    std::array::from_fn(|i| ((bits >> (49 - 7 * i)) as u8 & 0x7f) << 1)
}

/// RFC 2759 §8.1: the whole response, as a peer computes it.
pub fn nt_response(peer: &[u8; 16], authenticator: &[u8; 16], user_name: &[u8], hash: &NtHash) -> [u8; 24] {
    challenge_response(&challenge_hash(peer, authenticator, user_name), hash)
}

/// RFC 2759 §8.7.
pub fn authenticator_response(hash_hash: &[u8; 16], nt_response: &[u8; 24], challenge: &[u8; 8]) -> [u8; 42] {
    let digest = Sha1::new()
        .chain_update(hash_hash)
        .chain_update(nt_response)
        .chain_update(b"Magic server to client signing constant")
        .finalize();
    let digest = Sha1::new()
        .chain_update(digest)
        .chain_update(challenge)
        .chain_update(b"Pad to make it do more than one iteration")
        .finalize();
    let mut out = *b"S=0000000000000000000000000000000000000000";
    for (byte, hex) in digest.iter().zip(out[2..].chunks_exact_mut(2)) {
        hex[0] = b"0123456789ABCDEF"[usize::from(byte >> 4)];
        hex[1] = b"0123456789ABCDEF"[usize::from(byte & 15)];
    }
    out
}

/// The "S=…" a peer expects after its response.
pub fn expected_success(
    peer: &[u8; 16],
    authenticator: &[u8; 16],
    user_name: &[u8],
    hash: &NtHash,
    nt_response: &[u8; 24],
) -> [u8; 42] {
    authenticator_response(&hash.hash_again(), nt_response, &challenge_hash(peer, authenticator, user_name))
}

/// RFC 3079 §3.4, GetMasterKey.
pub fn master_key(hash_hash: &[u8; 16], nt_response: &[u8; 24]) -> [u8; 16] {
    let digest = Sha1::new()
        .chain_update(hash_hash)
        .chain_update(nt_response)
        .chain_update(b"This is the MPPE Master Key")
        .finalize();
    digest[..16].try_into().expect("SHA-1 gives twenty bytes")
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    ServerSends,
    ServerReceives,
}

/// RFC 3079 §3.4, GetAsymmetricStartKey for 128 bits.
pub fn session_key(master: &[u8; 16], side: Side) -> [u8; 16] {
    const CLIENT_SENDS: &[u8] = b"On the client side, this is the send key; on the server side, it is the receive key.";
    const CLIENT_RECEIVES: &[u8] =
        b"On the client side, this is the receive key; on the server side, it is the send key.";
    let magic = match side {
        Side::ServerSends => CLIENT_RECEIVES,
        Side::ServerReceives => CLIENT_SENDS,
    };
    let digest = Sha1::new()
        .chain_update(master)
        .chain_update([0u8; 40])
        .chain_update(magic)
        .chain_update([0xf2u8; 40])
        .finalize();
    digest[..16].try_into().expect("SHA-1 gives twenty bytes")
}
