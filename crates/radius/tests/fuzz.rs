//! The fuzz targets on the stable toolchain: their corpora, then mutations of them and of packets our own client
//! writes, from a seed. `LASTMILE_FUZZ_INPUTS` sets how many (the long proof runs ten million),
//! `LASTMILE_FUZZ_SEED` which. A failure names the input's number and bytes; its file goes into the corpus.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use proptest::prelude::*;
use radius::client::Draft;
use radius::fuzzing::{self, Fixture};
use radius::{Packet, Secret, attribute, dictionary};

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    /// One to four changes of the kinds that break parsers.
    fn mutate(&mut self, seeds: &[Vec<u8>], input: &mut Vec<u8>) {
        input.clear();
        let seed = self.below(seeds.len());
        input.extend_from_slice(&seeds[seed]);
        for _ in 0..1 + self.below(4) {
            let at = self.below(input.len());
            match self.below(8) {
                0 => input.truncate(at),
                1 => input.insert(at, self.next() as u8),
                2 if !input.is_empty() => input[at] ^= 1 << self.below(8),
                3 if !input.is_empty() => input[at] = [0, 1, 2, 3, 18, 127, 128, 253, 254, 255][self.below(10)],
                4 => {
                    let other = self.below(seeds.len());
                    let from = self.below(seeds[other].len());
                    input.truncate(at);
                    input.extend_from_slice(&seeds[other][from..]);
                }
                5 => input.extend((0..self.below(300)).map(|_| self.next() as u8)),
                6 if !input.is_empty() => drop(input.remove(at)),
                _ if !input.is_empty() => input[at] = self.next() as u8,
                _ => {}
            }
        }
        // Mostly a length that fits, so that mutations reach what lies behind it.
        if input.len() >= 20 && self.below(8) != 0 {
            let length = (input.len().min(4096) as u16).to_be_bytes();
            input[2..4].copy_from_slice(&length);
        }
    }
}

fn run(target: &str, mut seeds: Vec<Vec<u8>>, mut body: impl FnMut(&[u8])) {
    seeds.extend(corpus(target));
    seeds.iter().for_each(|seed| body(seed));
    let mut random = Random(number("LASTMILE_FUZZ_SEED", 1));
    let mut input = Vec::new();
    for n in 0..number("LASTMILE_FUZZ_INPUTS", 200_000) / 2 {
        random.mutate(&seeds, &mut input);
        if catch_unwind(AssertUnwindSafe(|| body(&input))).is_err() {
            panic!("{target}: input {n} breaks it: {input:02x?}");
        }
    }
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
