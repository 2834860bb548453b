//! Small rules of the core that stand on more than `domain` does: hashes, keys, networks, the store's filters.

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{
    ApiClientId, Instant, IspId, RouterId,
    kernel::clock::{DAY, MINUTE},
};
use service::{
    Vault,
    identity::{
        branches::account_name,
        requests::{Filter, windowed},
    },
    kernel::{
        heard::Heard,
        vault::{hex, random_bytes, random_text},
    },
    plant::vpn::{
        files::{Network, Wireguard, networks},
        is_username,
        keys::{For, WireguardPair, authority, certify, tls_crypt},
        username_of,
    },
    webhooks::queue::{event_id, signature},
};

#[test]
fn what_has_no_index_is_looked_for_in_a_stretch_of_time() {
    let now = Instant(100 * DAY);
    let day = |n: i64| Some(Instant(n * DAY));
    let by = |from, until| Filter { method: Some("GET".into()), from, until, ..Filter::default() };
    for (filter, from) in [
        (by(None, None), Some(day(99))),
        (by(None, day(50)), Some(day(49))),
        (by(day(95), None), Some(day(95))),
        (by(day(93), None), Some(day(93))),
        (by(day(92), None), None),
        (by(day(20), day(30)), None),
        (by(day(20), day(21)), Some(day(20))),
        (by(day(200), None), Some(day(200))),
        (by(Some(Instant(i64::MIN)), None), None),
        // by client, or without any: as far back as the log goes
        (Filter { from: day(1), ..Filter::default() }, Some(day(1))),
        (Filter { client: Some(ApiClientId(1)), ..Filter::default() }, Some(None)),
    ] {
        let found = windowed(filter.clone(), now);
        assert_eq!(found.ok().map(|filter| filter.from), from, "{filter:?}");
    }
}

#[test]
fn names_of_accounts() {
    for (text, right) in [
        ("demo", true),
        (" North.isp-2_b ", true),
        ("", false),
        ("  ", false),
        ("a b", false),
        ("a/b", false),
        ("..", false),
        ("é", false),
    ] {
        assert_eq!(account_name(text).is_ok(), right, "{text:?}");
    }
    assert!(account_name(&"a".repeat(60)).is_ok() && account_name(&"a".repeat(61)).is_err());
}

#[test]
fn a_sealed_value_opens_only_in_its_place_and_unchanged() {
    let vault = Vault::ephemeral();
    let sealed = vault.seal("service:1", "geheim");
    assert_eq!(vault.open("service:1", &sealed).as_deref(), Some("geheim"));
    assert_eq!(vault.open("service:2", &sealed), None);
    assert_eq!(Vault::ephemeral().open("service:1", &sealed), None);
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert_eq!(vault.open("service:1", &changed), None, "byte {at}");
        assert_eq!(vault.open("service:1", &sealed[..at]), None, "cut at {at}");
    }
}

#[test]
fn an_old_key_still_opens_and_the_newest_seals() {
    let (old, new) = (random_bytes(), random_bytes());
    let before = Vault::new(&[(1, old)]).unwrap();
    let after = Vault::new(&[(1, old), (2, new)]).unwrap();
    let sealed = before.seal("p", "x");
    assert_eq!(after.open("p", &sealed).as_deref(), Some("x"));
    assert_eq!(after.seal("p", "x")[1], 2);
}

#[test]
fn random_texts_have_their_length_and_differ() {
    assert_eq!(random_text(0), "");
    assert_eq!(random_text(43).len(), 43);
    assert_ne!(random_text(20), random_text(20));
}

#[test]
fn a_router_is_noted_once_a_minute() {
    let heard = Heard::default();
    let at = |minute: i64| Instant(minute * MINUTE);
    let due = heard.due([(RouterId(2), at(1)), (RouterId(1), at(1)), (RouterId(2), at(0))].into_iter());
    assert_eq!(due, [(RouterId(1), at(1)), (RouterId(2), at(1))]);
    heard.noted(&due);
    assert_eq!(heard.due([(RouterId(1), at(1).plus(5))].into_iter()), []);
    assert_eq!(heard.due([(RouterId(1), at(2))].into_iter()), [(RouterId(1), at(2))]);
}

#[test]
fn networks_and_their_addresses() {
    let rows = [
        ("10.66.0.0/22", 1, Some("10.66.0.1")),
        ("10.66.0.0/22", 256, Some("10.66.1.0")),
        ("10.66.0.0/22", 1022, Some("10.66.3.254")),
        ("10.66.0.0/22", 1023, None),
        ("10.66.0.0/22", 0, None),
        ("10.66.0.0/22", -1, None),
        ("10.66.0.0/22", i64::MAX, None),
        ("10.66.1.7/29", 1, Some("10.66.1.1")),
        ("100.64.0.0/10", 2, Some("100.64.0.2")),
        ("10.66.0.0/30", 1, None),
        ("8.8.8.0/24", 1, None),
        ("10.0.0.0/7", 1, None),
        ("nowhere", 1, None),
    ];
    for (text, host, expected) in rows {
        let got = Network::parse(text).and_then(|net| net.address(host)).map(|at| at.to_string());
        assert_eq!(got.as_deref(), expected, "{text} {host}");
    }
}

#[test]
fn a_client_of_wireguard() {
    let routes = networks("192.168.4.9/24").unwrap();
    let network = Network::parse("10.66.0.0/22").unwrap();
    let told = Wireguard {
        endpoint: "2001:db8::1",
        port: 51820,
        network,
        dns: Some("10.66.0.1"),
        routes: &routes,
        server_public: "PUB",
    };
    assert_eq!(
        told.client("Tower 1", network.address(2).unwrap(), "PRIV", "PSK"),
        "# Tower 1\n[Interface]\nPrivateKey = PRIV\nAddress = 10.66.0.2/32\nDNS = 10.66.0.1\n\n[Peer]\n\
         PublicKey = PUB\nPresharedKey = PSK\nEndpoint = [2001:db8::1]:51820\n\
         AllowedIPs = 10.66.0.0/22, 192.168.4.0/24\nPersistentKeepalive = 25\n"
    );
}

/// RFC 7748 §6.1: Bob's keys.
#[test]
fn rfc7748_6_1() {
    let bob = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&bob[2 * at..2 * at + 2], 16).unwrap();
    }
    let public = STANDARD.decode(WireguardPair::of(bytes).public).unwrap();
    assert_eq!(hex(&public), "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
}

#[test]
fn an_authority_signs_again_from_its_key() {
    let now = Instant::from_unix(1_893_445_200);
    let authority = authority("Lastmile VPN 1", now).unwrap();
    let one = certify(("Lastmile VPN 1", &authority.key), "ann", For::Client, now).unwrap();
    let two = certify(("Lastmile VPN 1", &authority.key), "ann", For::Client, now).unwrap();
    assert!(one.certificate.starts_with("-----BEGIN CERTIFICATE-----") && one.certificate != two.certificate);
    assert!(one.key.starts_with("-----BEGIN PRIVATE KEY-----"));
    assert_eq!(one.ends_at.0 % DAY, 0);
    assert!(certify(("x", "no key"), "ann", For::Client, now).is_err());
}

#[test]
fn a_static_key_has_2048_bits() {
    let text = tls_crypt();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 18);
    assert!(lines[1..17].iter().all(|line| line.len() == 32 && line.bytes().all(|b| b.is_ascii_hexdigit())));
    assert_ne!(tls_crypt(), text);
}

#[test]
fn names_of_files_and_certificates() {
    for (text, right) in
        [("ann", true), ("tower-1.north_x", true), ("", false), ("../x", false), (".x", false), ("-x", false)]
    {
        assert_eq!(is_username(text), right, "{text}");
    }
    assert!(!is_username("VPN-server") && !is_username("a b") && !is_username("é") && !is_username("a\nb"));
    assert_eq!(username_of("Tower 1 (north)"), "tower-1--north");
    assert!(is_username(&username_of("Башня")));
}

#[test]
fn a_signature_is_that_of_rfc_4231() {
    // Test case 2.
    let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(signature("Jefe", "what do ya want for nothing?"), expected);
}

#[test]
fn an_event_has_one_id_under_each_name() {
    let id = event_id(IspId(1), 7, "bill.generated");
    assert_eq!(id, event_id(IspId(1), 7, "bill.generated"));
    assert_ne!(id, event_id(IspId(1), 7, "invoice.generated"));
    assert_eq!(id.len(), 28);
}
