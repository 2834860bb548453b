//! Bodies of the fuzz targets, here so that the same code also runs on the stable toolchain (`tests/fuzz.rs`).
//! Each takes any bytes and must neither panic nor break a law it states.

use std::net::SocketAddr;

use crate::auth::{Credentials, Known, NtHash};
use crate::authenticator::{self, Secret};
use crate::cache::{Cache, Key, Limits, Seen};
use crate::client::{Draft, Outcome};
use crate::packet::{HEADER, MAX_PACKET, Packet};
use crate::policy::{Facts, Policy, rule};
use crate::writer::Writer;
use crate::{das, dictionary};

/// What every prepared run needs once.
pub struct Fixture {
    secret: Secret,
    nt: NtHash,
    cache: Cache,
    asked: crate::client::Signed,
    now_ms: u64,
}

impl Default for Fixture {
    fn default() -> Fixture {
        let secret = Secret::new("testing123");
        let asked = Draft::coa(1).with_nonce([1; 16]).sign(&secret);
        let limits = Limits { bytes: 1 << 20, age_ms: 100 };
        Fixture { secret, nt: NtHash::of(b"pass"), cache: Cache::new(limits), asked, now_ms: 0 }
    }
}

/// Any datagram through everything that reads datagrams.
pub fn packet(fixture: &mut Fixture, data: &[u8]) {
    fixture.now_ms += 1;
    let _ = das::verify(data, &fixture.secret);
    let _ = fixture.asked.verify(data, &fixture.secret);
    let Ok(packet) = Packet::parse(data) else { return };
    assert!(packet.bytes().len() <= data.len().min(MAX_PACKET));
    let covered: usize = packet.attributes().map(|a| a.value.len() + 2).sum();
    assert_eq!(covered + HEADER, packet.bytes().len(), "the attributes cover the packet");

    let mac = authenticator::check_request_mac(&packet, &fixture.secret);
    let _ = rule(Policy::Learn { seen: false }, Facts::of(&packet, mac));
    let _ = authenticator::check_request_authenticator(&packet, &fixture.secret);
    let credentials = Credentials::of(&packet, &fixture.secret);
    let user = packet.find(1).unwrap_or_default();
    let _ = credentials.verify(user, Known::Nt(&fixture.nt));
    let _ = credentials.verify(user, Known::Clear(b"pass"));
    let mut joined = [0u8; MAX_PACKET];
    let _ = packet.join(79, &mut joined);
    let _ = Outcome::of(&packet);
    let _ = das::answer(&packet, Some(503), &fixture.secret);

    // Rewriting what was read gives the same bytes.
    let mut buffer = [0u8; MAX_PACKET];
    let mut writer = Writer::new(&mut buffer[..], packet.code(), packet.id());
    for attribute in packet.attributes() {
        writer.put(attribute.kind, attribute.value).expect("it came out of one packet");
    }
    assert_eq!(&writer.bytes()[HEADER..], &packet.bytes()[HEADER..]);

    let source = SocketAddr::from(([127, 0, 0, 1], 1 + u16::from(packet.id())));
    let (key, authenticator) = (Key::of(source, &packet), packet.authenticator());
    fixture.cache.begin(key, authenticator, fixture.now_ms);
    fixture.cache.finish(&key, authenticator, packet.bytes());
    assert_eq!(fixture.cache.look(&key, authenticator, fixture.now_ms), Seen::Answered(packet.bytes()));
}

/// Any value of any attribute as text and back; any text of any attribute as value and back.
pub fn attributes(data: &[u8]) {
    let Some((&[high, low], rest)) = data.split_first_chunk::<2>() else { return };
    let entries = dictionary::entries();
    let entry = &entries[usize::from(u16::from_be_bytes([high, low])) % entries.len()];
    let text = dictionary::decode(entry, rest);
    let _ = dictionary::format(entry, rest);
    if let Ok(bytes) = dictionary::encode(entry, &text) {
        // The text of the bytes a text gave is that text, or names the same bytes.
        let again = dictionary::encode(entry, &dictionary::decode(entry, &bytes));
        assert_eq!(again.as_ref(), Ok(&bytes), "{}: {text:?}", entry.name);
    }
    if let Ok(text) = std::str::from_utf8(rest)
        && let Ok(bytes) = dictionary::encode(entry, text)
    {
        let again = dictionary::encode(entry, &dictionary::decode(entry, &bytes));
        assert_eq!(again.as_ref(), Ok(&bytes), "{}: {text:?}", entry.name);
    }
    // A value that encodes, or any short one, is written and found again.
    let mut buffer = [0u8; MAX_PACKET];
    let mut writer = Writer::new(&mut buffer[..], crate::Code::AccessAccept, 1);
    if writer.put_entry(entry, rest).is_ok() && !entry.long {
        authenticator::sign_response(writer.bytes_mut(), &[0; 16], None, &Secret::new("x"));
        let packet = Packet::parse(writer.bytes()).expect("what we write, we read");
        let found = match entry.vendor {
            0 => packet.find(entry.number),
            vendor => packet.vendor(vendor, entry.number),
        };
        assert_eq!(found, Some(rest), "{}", entry.name);
        let _ = dictionary::format_packet(&packet, None);
    }
    if let Ok(packet) = Packet::parse(data) {
        let _ = dictionary::format_packet(&packet, Some(&Secret::new("testing123")));
    }
}
