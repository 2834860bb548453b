//! The duplicate cache by its rules (RFC 5080 §2.2.2), its limits, and against a naive model.

use std::net::SocketAddr;

use proptest::prelude::*;
use radius::cache::{Cache, Key, Limits, Seen};
use radius::client::Draft;
use radius::{Code, Secret};

fn key(port: u16, id: u8) -> Key {
    let signed = Draft::new(Code::AccessRequest, id).sign(&Secret::new("x"));
    Key::of(SocketAddr::from(([10, 0, 0, 1], port)), &signed.packet())
}

const A: [u8; 16] = [1; 16];
const B: [u8; 16] = [2; 16];
const LIMITS: Limits = Limits { bytes: 1 << 20, age_ms: 5_000 };

#[test]
fn a_repetition_gets_the_same_bytes() {
    let mut cache = Cache::new(LIMITS);
    let k = key(1, 1);
    assert_eq!(cache.look(&k, &A, 0), Seen::New);
    cache.begin(k, &A, 0);
    assert_eq!(cache.look(&k, &A, 10), Seen::InProgress);
    cache.finish(&k, &A, b"answer");
    assert_eq!(cache.look(&k, &A, 5_000), Seen::Answered(b"answer"));
    assert_eq!(cache.look(&k, &A, 5_001), Seen::New, "too old");
    assert_eq!(cache.look(&key(1, 2), &A, 10), Seen::New, "another identifier");
    assert_eq!(cache.look(&key(2, 1), &A, 10), Seen::New, "another port");
}

#[test]
fn a_new_authenticator_replaces() {
    let mut cache = Cache::new(LIMITS);
    let k = key(1, 1);
    cache.begin(k, &A, 0);
    cache.begin(k, &B, 1);
    cache.finish(&k, &A, b"late");
    assert_eq!(cache.look(&k, &A, 1), Seen::New);
    assert_eq!(cache.look(&k, &B, 1), Seen::InProgress);
    cache.finish(&k, &B, b"b");
    assert_eq!(cache.look(&k, &B, 1), Seen::Answered(b"b"));
    assert_eq!(cache.len(), 1);
}

#[test]
fn what_is_not_answered_is_forgotten() {
    let mut cache = Cache::new(LIMITS);
    let k = key(1, 1);
    cache.begin(k, &A, 0);
    cache.forget(&k, &B);
    assert_eq!(cache.look(&k, &A, 0), Seen::InProgress, "another authenticator forgets nothing");
    cache.forget(&k, &A);
    assert_eq!(cache.look(&k, &A, 0), Seen::New);
    cache.finish(&k, &A, b"too late");
    assert_eq!(cache.look(&k, &A, 0), Seen::New);
}

#[test]
fn bytes_and_age_are_bounded() {
    let mut cache = Cache::new(LIMITS);
    for n in 0..100_000u64 {
        let k = key((n % 65_536) as u16, (n / 65_536) as u8);
        cache.begin(k, &A, n / 100);
        cache.finish(&k, &A, &[7; 200]);
        assert!(cache.bytes() <= LIMITS.bytes);
        assert_eq!(cache.look(&k, &A, n / 100), Seen::Answered(&[7; 200]));
    }
    assert!(cache.len() > 2_000, "{}", cache.len());
    cache.expire(1_000_000);
    assert!(cache.is_empty());
}

#[test]
fn one_port_holds_no_more_than_its_identifiers() {
    let mut cache = Cache::new(LIMITS);
    let mut held = 0;
    for n in 0..100_000u32 {
        let (k, authenticator) = (key(1, n as u8), [(n >> 8) as u8; 16]);
        cache.begin(k, &authenticator, 0);
        cache.finish(&k, &authenticator, &[7; 200]);
        if n == 255 {
            held = cache.bytes();
        }
    }
    assert_eq!((cache.len(), cache.bytes()), (256, held));
}

#[test]
fn the_oldest_goes_first_also_when_a_place_was_taken_over() {
    let mut cache = Cache::new(LIMITS);
    let (one, two) = (key(1, 1), key(1, 2));
    cache.begin(one, &A, 0);
    cache.begin(two, &A, 1);
    cache.begin(one, &B, 2);
    cache.expire(5_002);
    assert_eq!(cache.look(&two, &A, 5_002), Seen::New);
    assert_eq!(cache.look(&one, &B, 5_002), Seen::InProgress);
    assert_eq!(cache.len(), 1);
}

proptest! {
    /// Against a list of everything that ever happened. With room enough the cache and the list agree.
    #[test]
    fn agrees_with_a_naive_model(steps in prop::collection::vec((0u8..4, 0u8..6, 0u8..3, 0u64..400), 1..300)) {
        let limits = Limits { bytes: 1 << 24, age_ms: 1_000 };
        let mut cache = Cache::new(limits);
        let keys: Vec<Key> = (0..6).map(|id| key(1, id)).collect();
        let mut model: Vec<Option<([u8; 16], u64, Option<Vec<u8>>)>> = vec![None; 6];
        let mut now = 0;
        for (n, (step, id, auth, wait)) in steps.into_iter().enumerate() {
            now += wait;
            let (k, authenticator, slot) = (&keys[id as usize], [auth; 16], &mut model[id as usize]);
            let ours = |slot: &Option<([u8; 16], u64, Option<Vec<u8>>)>| slot.as_ref().is_some_and(|s| s.0 == authenticator);
            match step {
                0 => {
                    cache.begin(*k, &authenticator, now);
                    *slot = Some((authenticator, now, None));
                }
                1 => {
                    let answer = vec![n as u8; n % 100];
                    cache.finish(k, &authenticator, &answer);
                    if ours(slot) { slot.as_mut().unwrap().2 = Some(answer); }
                }
                2 => {
                    cache.forget(k, &authenticator);
                    if ours(slot) { *slot = None; }
                }
                _ => cache.expire(now),
            }
            let expected = match slot {
                Some((a, born, answer)) if *a == authenticator && now - *born <= 1_000 => match answer {
                    Some(answer) => Seen::Answered(answer),
                    None => Seen::InProgress,
                },
                _ => Seen::New,
            };
            prop_assert_eq!(cache.look(k, &authenticator, now), expected);
        }
    }
}
