//! What a request offers as proof of who is asking, and how it is checked: PAP (`pap`), CHAP (`chap`), MS-CHAP
//! version 1 and 2 with their MPPE keys (`mschap`). EAP is recognised, not spoken.

pub mod chap;
pub mod mschap;
pub mod pap;

pub use chap::Chap;
pub use mschap::{MsChapV1, MsChapV2, NtHash, Success};
pub use pap::Password;

use crate::attribute::{CHAP_PASSWORD, EAP_MESSAGE, USER_PASSWORD};
use crate::authenticator::Secret;
use crate::packet::Packet;

/// The proof in an Access-Request. The first that is present wins, in the order of the variants.
#[derive(Clone, Copy)]
pub enum Credentials<'a> {
    Pap(Password),
    Chap(Chap<'a>),
    MsChapV2(MsChapV2<'a>),
    MsChapV1(MsChapV1<'a>),
    Eap,
    /// Nothing, or something of a wrong length.
    None,
}

impl<'a> Credentials<'a> {
    pub fn of(packet: &Packet<'a>, secret: &Secret) -> Credentials<'a> {
        if let Some(hidden) = packet.find(USER_PASSWORD) {
            return match pap::reveal(hidden, secret, packet.authenticator()) {
                Some(password) => Credentials::Pap(password),
                None => Credentials::None,
            };
        }
        if packet.has(CHAP_PASSWORD) {
            return Chap::of(packet).map_or(Credentials::None, Credentials::Chap);
        }
        if let Some(offer) = MsChapV2::of(packet) {
            return Credentials::MsChapV2(offer);
        }
        if let Some(offer) = MsChapV1::of(packet) {
            return Credentials::MsChapV1(offer);
        }
        if packet.has(EAP_MESSAGE) { Credentials::Eap } else { Credentials::None }
    }

    pub fn method(&self) -> &'static str {
        match self {
            Credentials::Pap(_) => "PAP",
            Credentials::Chap(_) => "CHAP",
            Credentials::MsChapV2(_) => "MS-CHAPv2",
            Credentials::MsChapV1(_) => "MS-CHAP",
            Credentials::Eap => "EAP",
            Credentials::None => "none",
        }
    }

    /// Checks the proof against what is known of the subscriber.
    pub fn verify(&self, user_name: &[u8], known: Known<'_>) -> Proof {
        match self {
            Credentials::Pap(password) => match known {
                Known::Clear(clear) => Proof::from(password.matches(clear)),
                Known::Nt(hash) => Proof::from(hash.matches(&NtHash::of(password.bytes()))),
            },
            Credentials::Chap(offer) => match known {
                Known::Clear(clear) => Proof::from(offer.verify(clear)),
                Known::Nt(_) => Proof::NeedsClearText,
            },
            Credentials::MsChapV2(offer) => match offer.verify(user_name, &known.nt_hash()) {
                Some(success) => Proof::RightMsChapV2(success),
                None => Proof::Wrong,
            },
            Credentials::MsChapV1(offer) => Proof::from(offer.verify(&known.nt_hash())),
            Credentials::Eap | Credentials::None => Proof::Unsupported,
        }
    }
}

/// What the directory keeps of a password.
#[derive(Clone, Copy)]
pub enum Known<'a> {
    Clear(&'a [u8]),
    /// Enough for PAP and MS-CHAP, not for CHAP.
    Nt(&'a NtHash),
}

impl Known<'_> {
    pub fn nt_hash(&self) -> NtHash {
        match self {
            Known::Clear(clear) => NtHash::of(clear),
            Known::Nt(hash) => **hash,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Proof {
    Right,
    /// Right, and the answer must carry what [`Success`] writes.
    RightMsChapV2(Success),
    Wrong,
    /// CHAP against a directory that keeps only a hash.
    NeedsClearText,
    Unsupported,
}

impl Proof {
    pub fn is_right(&self) -> bool {
        matches!(self, Proof::Right | Proof::RightMsChapV2(_))
    }
}

impl From<bool> for Proof {
    fn from(right: bool) -> Proof {
        if right { Proof::Right } else { Proof::Wrong }
    }
}
