//! Keys: X25519 pairs for WireGuard, a certificate authority of each Isp's own for OpenVPN.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Instant, kernel::clock::DAY};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SerialNumber, date_time_ymd,
};
use x25519_dalek::{PublicKey, StaticSecret};

use crate::{
    Error,
    kernel::vault::{hex, random_bytes},
};

/// A WireGuard key pair as its tools write it: base64 of 32 bytes each.
#[derive(Clone, PartialEq, Eq)]
pub struct WireguardPair {
    pub private: String,
    pub public: String,
}

impl WireguardPair {
    pub fn random() -> WireguardPair {
        WireguardPair::of(random_bytes())
    }

    /// As `wg genkey` and `wg pubkey` do it: the scalar is clamped (RFC 7748 §5).
    pub fn of(mut bytes: [u8; 32]) -> WireguardPair {
        bytes[0] &= 248;
        bytes[31] = bytes[31] & 127 | 64;
        let secret = StaticSecret::from(bytes);
        let public = PublicKey::from(&secret);
        WireguardPair { private: STANDARD.encode(secret.as_bytes()), public: STANDARD.encode(public.as_bytes()) }
    }
}

/// 32 shared random bytes, mixed into the handshake.
pub fn preshared() -> String {
    STANDARD.encode(random_bytes::<32>())
}

/// A certificate with its private key, both in PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Certified {
    pub certificate: String,
    pub key: String,
    pub ends_at: Instant,
}

/// How long certificates last.
const AUTHORITY: i64 = 20 * 365 * DAY;
const SERVER: i64 = 10 * 365 * DAY;
const CLIENT: i64 = 5 * 365 * DAY;

/// What the server's certificate is called; clients ask for this name.
pub const SERVER_NAME: &str = "vpn-server";

fn internal(error: rcgen::Error) -> Error {
    Error::Internal(format!("a certificate could not be made: {error}"))
}

/// Valid from the day before `now`, so that a clock that is behind does not matter.
fn params(name: &str, now: Instant, length: i64) -> Result<(CertificateParams, Instant), Error> {
    let mut params = CertificateParams::new(Vec::new()).map_err(internal)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let day = |at: Instant| {
        let date = at.day(&jiff::tz::TimeZone::UTC);
        date_time_ymd(date.year().into(), date.month() as u8, date.day() as u8)
    };
    // Whole days, so that what is told is what is in it.
    let ends_at = Instant(now.plus(length).0.div_euclid(DAY) * DAY);
    params.not_before = day(now.plus(-DAY));
    params.not_after = day(ends_at);
    // RFC 5280 §4.1.2.2: positive, at most 20 octets.
    let mut serial: [u8; 16] = random_bytes();
    serial[0] = serial[0] & 0x7f | 1;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok((params, ends_at))
}

/// The same for making the authority and for signing with it later.
fn authority_params(name: &str, now: Instant) -> Result<(CertificateParams, Instant), Error> {
    let (mut params, ends_at) = params(name, now, AUTHORITY)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok((params, ends_at))
}

/// A new certificate authority.
pub fn authority(name: &str, now: Instant) -> Result<Certified, Error> {
    let key = KeyPair::generate().map_err(internal)?;
    let (params, ends_at) = authority_params(name, now)?;
    let certificate = params.self_signed(&key).map_err(internal)?;
    Ok(Certified { certificate: certificate.pem(), key: key.serialize_pem(), ends_at })
}

/// Who gets a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum For {
    Server,
    Client,
}

/// A certificate for `name`, signed by the authority of this name and key.
pub fn certify(authority: (&str, &str), name: &str, whom: For, now: Instant) -> Result<Certified, Error> {
    let (authority_name, authority_key) = authority;
    let signer = KeyPair::from_pem(authority_key).map_err(internal)?;
    let issuer = Issuer::new(authority_params(authority_name, now)?.0, signer);
    let key = KeyPair::generate().map_err(internal)?;
    let (mut params, ends_at) = params(name, now, if whom == For::Server { SERVER } else { CLIENT })?;
    params.use_authority_key_identifier_extension = true;
    // `remote-cert-tls` asks for the key usage and for the extended one.
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![match whom {
        For::Server => ExtendedKeyUsagePurpose::ServerAuth,
        For::Client => ExtendedKeyUsagePurpose::ClientAuth,
    }];
    let certificate = params.signed_by(&key, &issuer).map_err(internal)?;
    Ok(Certified { certificate: certificate.pem(), key: key.serialize_pem(), ends_at })
}

/// OpenVPN's static key file: 2048 bits, sixteen bytes a line.
pub fn tls_crypt() -> String {
    let mut text = String::from("-----BEGIN OpenVPN Static key V1-----\n");
    for line in random_bytes::<256>().chunks(16) {
        text += &hex(line);
        text.push('\n');
    }
    text + "-----END OpenVPN Static key V1-----\n"
}
