//! The fuzz targets on the stable toolchain: their corpora, then mutations of them and of packets our own client
//! writes, from a seed (`inputs`; the long proof runs ten million). The file of an input that broke something goes into
//! the corpus.

use std::path::Path;

use inputs::Random;
use proptest::prelude::*;
use radius::client::Draft;
use radius::fuzzing::{self, Fixture};
use radius::{Packet, Secret, attribute, dictionary};

/// A few seconds of a debug build.
const INPUTS: u64 = 100_000;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

fn run(target: &str, mut seeds: Vec<Vec<u8>>, body: impl FnMut(&[u8])) {
    seeds.extend(corpus(target));
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    // Mostly a length that fits, so that mutations reach what lies behind it.
    let fit = |input: &mut Vec<u8>, random: &mut Random| {
        if input.len() >= 20 && random.below(8) != 0 {
            let length = (input.len().min(4096) as u16).to_be_bytes();
            input[2..4].copy_from_slice(&length);
        }
    };
    inputs::run_fitted(target, &seeds, &[], INPUTS, fit, body);
}

/// One of each kind, signed with the secret the targets know.
fn packets() -> Vec<Vec<u8>> {
    let secret = Secret::new("testing123");
    let mut drafts =
        vec![Draft::status(1), Draft::accounting(2), Draft::coa(3), Draft::disconnect(4), Draft::access(5)];
    let (mut pap, mut chap, mut mschap) = (Draft::access(6), Draft::access(7), Draft::access(8));
    pap.pap("ali", b"pass", &secret).unwrap();
    chap.chap("ali", b"pass").unwrap();
    mschap.mschapv2("ISP\\ali", b"pass").unwrap();
    drafts.extend([pap, chap, mschap]);
    for (i, draft) in drafts.iter_mut().enumerate() {
        draft.put(attribute::PROXY_STATE, &[i as u8; 9]).unwrap();
        draft.put_vendor_text(14988, 8, "5M/10M").unwrap();
        draft.put_long(attribute::EAP_MESSAGE, &vec![i as u8; 120 * i]).unwrap();
    }
    drafts.into_iter().map(|draft| draft.with_nonce([7; 16]).sign(&secret).bytes().to_vec()).collect()
}

#[test]
fn packet() {
    let mut fixture = Fixture::default();
    run("packet", packets(), |data| fuzzing::packet(&mut fixture, data));
}

#[test]
fn attributes() {
    // Every attribute there is, with a value that reads as many things.
    let of = |at: usize, value: &[u8]| [&(at as u16).to_be_bytes()[..], value].concat();
    let values: [&[u8]; 8] =
        [b"10", b"1:2", b"0x00ff", b"10.0.0.1", b"2001:db8::/56", b"\x00\x00\x00\x01", b"1:2:3:4", &[0; 16]];
    let entries = dictionary::entries().len();
    let seeds = (0..entries).flat_map(|at| values.map(|value| of(at, value))).collect();
    run("attributes", seeds, fuzzing::attributes);
}

proptest! {
    /// Decode after encode is what was encoded, for every attribute and any numbers.
    #[test]
    fn what_is_encoded_decodes(at in 0usize..10_000, n in any::<u64>(), text in "[ -~]{0,40}") {
        let entry = &dictionary::entries()[at % dictionary::entries().len()];
        for text in [n.to_string(), (n as u8).to_string(), text] {
            if let Ok(bytes) = dictionary::encode(entry, &text) {
                let back = dictionary::encode(entry, &dictionary::decode(entry, &bytes));
                prop_assert_eq!(back, Ok(bytes));
            }
        }
    }

    /// Any bytes at all.
    #[test]
    fn noise_is_met_calmly(data in prop::collection::vec(any::<u8>(), 0..200)) {
        fuzzing::packet(&mut Fixture::default(), &data);
        fuzzing::attributes(&data);
    }

    /// Every beginning of a good packet is refused or is a packet itself; none panics.
    #[test]
    fn every_truncation(which in 0usize..8, cut in 0usize..900) {
        let packets = packets();
        let whole = &packets[which];
        let part = &whole[..cut.min(whole.len())];
        prop_assert_eq!(Packet::parse(part).is_ok(), part.len() == whole.len());
        fuzzing::packet(&mut Fixture::default(), part);
    }
}
