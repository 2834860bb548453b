//! The documents' own bytes, a test to a section.

use radius::attribute::{self, vendor};
use radius::auth::mschap::{self, NtHash, Side};
use radius::auth::{Credentials, Known, Proof};
use radius::authenticator::{self, MessageAuthenticator, Secret};
use radius::client::Draft;
use radius::{Code, Packet, Writer};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn array<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().unwrap()
}

/// RFC 2865 §7.1: User Telnet to Specified Host.
#[test]
fn rfc2865_7_1() {
    let secret = Secret::new("xyzzy5461");
    let request = hex("01 00 00 38 0f 40 3f 94 73 97 80 57 bd 83 d5 cb 98 f4 22 7a 01 06 6e 65 6d 6f 02 12 0d be 70 8d
                       93 d4 13 ce 31 96 e4 3f 78 2a 0a ee 04 06 c0 a8 01 10 05 06 00 00 00 03");
    let packet = Packet::parse(&request).unwrap();
    assert_eq!((packet.code(), packet.id()), (Code::AccessRequest, 0));
    assert_eq!(packet.text(attribute::USER_NAME), Some("nemo"));
    assert_eq!(packet.ipv4(attribute::NAS_IP_ADDRESS), Some([192, 168, 1, 16].into()));
    assert_eq!(packet.u32(attribute::NAS_PORT), Some(3));
    let Credentials::Pap(password) = Credentials::of(&packet, &secret) else { panic!("PAP") };
    assert_eq!(password.bytes(), b"arctangent");

    let mut draft = Draft::without_message_authenticator(Code::AccessRequest, 0).with_nonce(*packet.authenticator());
    draft.pap("nemo", b"arctangent", &secret).unwrap();
    draft.put_ipv4(attribute::NAS_IP_ADDRESS, [192, 168, 1, 16].into()).unwrap();
    draft.put_u32(attribute::NAS_PORT, 3).unwrap();
    let signed = draft.sign(&secret);
    assert_eq!(signed.bytes(), request);

    let answer = hex("02 00 00 26 86 fe 22 0e 76 24 ba 2a 10 05 f6 bf 9b 55 e0 b2 06 06 00 00 00 01 0f 06 00 00 00 00
                      0e 06 c0 a8 01 03");
    assert_eq!(signed.verify(&answer, &secret).unwrap().code(), Code::AccessAccept);
    let mut buffer = [0u8; 64];
    let mut writer = Writer::new(&mut buffer[..], Code::AccessAccept, 0);
    writer.put_u32(attribute::SERVICE_TYPE, 1).unwrap();
    writer.put_u32(15, 0).unwrap();
    writer.put_ipv4(14, [192, 168, 1, 3].into()).unwrap();
    authenticator::sign_response(writer.bytes_mut(), packet.authenticator(), None, &secret);
    assert_eq!(writer.bytes(), answer);
}

/// RFC 2865 §7.2: Framed User Authenticating with CHAP. The RFC prints the CHAP-Password's ident as 0x16.
#[test]
fn rfc2865_7_2() {
    let secret = Secret::new("xyzzy5461");
    let request = hex("01 01 00 47 2a ee 86 f0 8d 0d 55 96 9c a5 97 8e 0d 33 67 a2 01 08 66 6c 6f 70 73 79 03 13 16 e9
                       75 57 c3 16 18 58 95 f2 93 ff 63 44 07 72 75 04 06 c0 a8 01 10 05 06 00 00 00 14 06 06 00 00 00
                       02 07 06 00 00 00 01");
    let packet = Packet::parse(&request).unwrap();
    assert_eq!(packet.text(attribute::USER_NAME), Some("flopsy"));
    let Credentials::Chap(chap) = Credentials::of(&packet, &secret) else { panic!("CHAP") };
    assert_eq!((chap.ident, chap.challenge), (0x16, &packet.authenticator()[..]));
    assert!(chap.verify(b"arctangent") && !chap.verify(b"arctangenT"));
    let answer = hex("02 01 00 38 15 ef bc 7d ab 26 cf a3 dc 34 d9 c0 3c 86 01 a4 06 06 00 00 00 02 07 06 00 00 00 01
                      08 06 ff ff ff fe 0a 06 00 00 00 02 0d 06 00 00 00 01 0c 06 00 00 05 dc");
    let answer = Packet::parse(&answer).unwrap();
    assert!(authenticator::check_response_authenticator(&answer, packet.authenticator(), &secret));
    assert_eq!(answer.u32(attribute::FRAMED_MTU), Some(1500));
}

/// RFC 5997 §6.1: Minimal Query to Authentication Port.
#[test]
fn rfc5997_6_1() {
    let secret = Secret::new("xyzzy5461");
    let request = hex("0c da 00 26 8a 54 f4 68 6f b3 94 c5 28 66 e3 02 18 5d 06 23 50 12 5a 66 5e 2e 1e 84 11 f3 e2 43
                       82 20 97 c8 4f a3");
    let packet = Packet::parse(&request).unwrap();
    assert_eq!(authenticator::check_request_mac(&packet, &secret), MessageAuthenticator::Valid);
    let signed = Draft::status(0xda).with_nonce(*packet.authenticator()).sign(&secret);
    assert_eq!(signed.bytes(), request);
    let answer = hex("02 da 00 14 ef 0d 55 2a 4b f2 d6 93 ec 2b 6f e8 b5 41 1d 66");
    assert_eq!(signed.verify(&answer, &secret).unwrap().code(), Code::AccessAccept);
}

/// RFC 5997 §6.2: Minimal Query to Accounting Port.
#[test]
fn rfc5997_6_2() {
    let secret = Secret::new("xyzzy5461");
    let request = hex("0c b3 00 26 92 5f 6b 66 dd 5f ed 57 1f cb 1d b7 ad 38 82 60 50 12 e8 d6 ea bd a9 10 87 5c d9 1f
                       da de 26 36 78 58");
    let packet = Packet::parse(&request).unwrap();
    assert_eq!(authenticator::check_request_mac(&packet, &secret), MessageAuthenticator::Valid);
    let signed = Draft::status(0xb3).with_nonce(*packet.authenticator()).sign(&secret);
    assert_eq!(signed.bytes(), request);
    let answer = hex("05 b3 00 14 0f 6f 92 14 5f 10 7e 2f 50 4e 86 0a 48 60 66 9c");
    assert_eq!(signed.verify(&answer, &secret).unwrap().code(), Code::AccountingResponse);
}

/// RFC 2104's HMAC-MD5 with RFC 2202 §2's cases, the ground under RFC 2869 §5.14 and RFC 3579 §3.2.
#[test]
fn rfc2869_5_14() {
    let rows: [(&[u8], &[u8], &str); 4] = [
        (&[0x0b; 16], b"Hi There", "9294727a3638bb1c13f48ef8158bfc9d"),
        (b"Jefe", b"what do ya want for nothing?", "750c783e6ab0b503eaa86e310a5db738"),
        (&[0xaa; 16], &[0xdd; 50], "56be34521d144c88dbb8c733f0e8b3f6"),
        (&[0xaa; 80], b"Test Using Larger Than Block-Size Key - Hash Key First", "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"),
    ];
    for (key, data, expected) in rows {
        assert_eq!(Secret::new(key).hmac(&[data]).to_vec(), hex(expected));
        let (front, back) = data.split_at(data.len() / 2);
        assert_eq!(Secret::new(key).hmac(&[front, back]).to_vec(), hex(expected));
    }
}

/// RFC 2759 §9.2: Hash Example.
#[test]
fn rfc2759_9_2() {
    let (authenticator, peer) = (array("5B5D7C7D7B3F2F3E3C2C602132262628"), array("21402324255E262A28295F2B3A337C7E"));
    let hash = NtHash::of(b"clientPass");
    assert_eq!(hash.0, array("44EBBA8D5312B8D611474411F56989AE"));
    assert_eq!(mschap::challenge_hash(&peer, &authenticator, b"User"), array("D02E4386BCE91226"));
    let response = mschap::nt_response(&peer, &authenticator, b"User", &hash);
    assert_eq!(response, array("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF"));
    let expected = mschap::expected_success(&peer, &authenticator, b"User", &hash, &response);
    assert_eq!(&expected, b"S=407A5589115FD0D6209F510FE9C04566932CDA56");
}

/// RFC 3079 §3.5.3: Sample 128-bit Key Derivation.
#[test]
fn rfc3079_3_5_3() {
    let hash_hash = array("41C00C584BD2D91C4017A2A12FA59F3F");
    let response = array("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF");
    let master = mschap::master_key(&hash_hash, &response);
    assert_eq!(master, array("FDECE3717A8C838CB388E527AE3CDD31"));
    assert_eq!(mschap::session_key(&master, Side::ServerSends), array("8B7CDC149B993A1BA118CB153F56DCCB"));
}

/// RFC 2433 §B.2's figures for the NT response of version 1.
#[test]
fn rfc2433_b_2() {
    let response = mschap::challenge_response(&array("102DB5DF085D3041"), &NtHash::of("MyPw".as_bytes()));
    assert_eq!(response, array("4E9D3C8F9CFD385D5BF4D3246791956CA4C351AB409A3D61"));
}

/// RFC 2548 §2.4.2 and RFC 2868 §3.5: what is salted comes back, every salt is new and has its high bit set.
#[test]
fn rfc2548_2_4_2() {
    let (secret, authenticator) = (Secret::new("testing123"), [9u8; 16]);
    let mut salts = Vec::new();
    for len in [0, 1, 14, 15, 16, 31, 32, 100] {
        let plain: Vec<u8> = (0..len).collect();
        let mut buffer = [0u8; 512];
        let mut writer = Writer::new(&mut buffer[..], Code::AccessAccept, 1);
        writer.put_vendor_salted(vendor::MICROSOFT, 16, &plain, &secret, &authenticator).unwrap();
        writer.put_tagged_salted(attribute::TUNNEL_PASSWORD, 3, &plain, &secret, &authenticator).unwrap();
        authenticator::sign_response(writer.bytes_mut(), &authenticator, None, &secret);
        let packet = Packet::parse(writer.bytes()).unwrap();
        let (key, tunnel) =
            (packet.vendor(vendor::MICROSOFT, 16).unwrap(), packet.find(attribute::TUNNEL_PASSWORD).unwrap());
        assert_eq!(radius::writer::salt_decrypt(key, &secret, &authenticator).unwrap(), plain);
        assert_eq!(tunnel[0], 3);
        assert_eq!(radius::writer::salt_decrypt(&tunnel[1..], &secret, &authenticator).unwrap(), plain);
        salts.extend([[key[0], key[1]], [tunnel[1], tunnel[2]]]);
    }
    assert!(salts.iter().all(|salt| salt[0] & 0x80 != 0));
    salts.sort_unstable();
    salts.dedup();
    assert_eq!(salts.len(), 16);
}

/// A whole MS-CHAPv2 login, with the name as the NAS sends it and with a domain before it (RFC 2759 §8.1).
#[test]
fn rfc2759_8_1() {
    let secret = Secret::new("testing123");
    let hash = NtHash::of(b"hemmelig");
    for (hashed, sent) in [("bob", "bob"), ("bob", "ISP\\bob"), ("ISP\\bob", "ISP\\bob")] {
        let mut draft = Draft::access(1);
        let expected = draft.mschapv2(hashed, b"hemmelig").unwrap();
        let signed = draft.sign(&secret);
        let credentials = Credentials::of(&signed.packet(), &secret);
        let Proof::RightMsChapV2(success) = credentials.verify(sent.as_bytes(), Known::Nt(&hash)) else {
            panic!("{hashed} {sent}")
        };
        assert_eq!(success.authenticator_response, expected);
        assert!(!credentials.verify(sent.as_bytes(), Known::Clear(b"other")).is_right());
    }
}

/// RFC 5176 §2.3, §3.3: CoA is signed like accounting, its Message-Authenticator over sixteen zero bytes.
#[test]
fn rfc5176_3_3() {
    let secret = Secret::new("testing123");
    let mut draft = Draft::coa(9);
    draft.put_text(attribute::USER_NAME, "ali").unwrap();
    let signed = draft.sign(&secret);
    let request = radius::das::verify(signed.bytes(), &secret).expect("verifies");
    assert_eq!(authenticator::check_request_mac(&request, &secret), MessageAuthenticator::Valid);
    assert!(radius::das::verify(signed.bytes(), &Secret::new("other")).is_none());
    let nak = radius::das::answer(&request, Some(503), &secret);
    let nak = signed.verify(&nak, &secret).unwrap();
    assert_eq!((nak.code(), nak.u32(attribute::ERROR_CAUSE)), (Code::CoaNak, Some(503)));
    let ack = radius::das::answer(&request, None, &secret);
    assert_eq!(signed.verify(&ack, &secret).unwrap().code(), Code::CoaAck);
}

/// RFC 2865 §5.26: several sub-attributes in one VSA, and VSAs of other shapes beside it.
#[test]
fn rfc2865_5_26() {
    let mut buffer = [0u8; 256];
    let mut writer = Writer::new(&mut buffer[..], Code::AccessAccept, 1);
    writer.put(26, b"\x00\x00").unwrap();
    writer.put(26, b"\x00\x00\x3a\x8c\x08\x04ab\x13\x03c").unwrap();
    writer.put(26, b"\x00\x00\x3a\x8c\x08\x09ab").unwrap();
    writer.put_vendor(14988, 8, b"z").unwrap();
    authenticator::sign_response(writer.bytes_mut(), &[0; 16], None, &Secret::new("x"));
    let packet = Packet::parse(writer.bytes()).unwrap();
    let seen: Vec<_> = packet.vendor_attributes().map(|a| (a.vendor, a.kind, a.value)).collect();
    assert_eq!(seen, [(14988, 8, &b"ab"[..]), (14988, 19, b"c"), (14988, 8, b"z")]);
}

/// RFC 2865 §3: lengths.
#[test]
fn rfc2865_3() {
    let packet = |length: u16, attributes: &[u8]| {
        let mut bytes = vec![1, 7];
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&[0; 16]);
        bytes.extend_from_slice(attributes);
        bytes
    };
    let rows: [(u16, &[u8], bool); 9] = [
        (20, &[], true),
        (20, b"padding", true),
        (19, &[], false),
        (21, &[], false),
        (21, &[1], false),
        (22, &[1, 2], true),
        (22, &[1, 1], false),
        (22, &[1, 0], false),
        (23, &[1, 4, 9], false),
    ];
    for (length, attributes, good) in rows {
        assert_eq!(Packet::parse(&packet(length, attributes)).is_ok(), good, "{length} {attributes:?}");
    }
    assert!(Packet::parse(&[0; 19]).is_err());
    let mut long = packet(4097, &[]);
    long.resize(5000, 2);
    assert!(Packet::parse(&long).is_err());
}
