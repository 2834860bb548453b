//! Inputs that break parsers, from a seed: what every parser of outside bytes is tried with (docs/testing.md, "fuzzing").
//!
//! The same inputs come each time. `LASTMILE_FUZZ_INPUTS` says how many a target gets, in the place of the number that the
//! target itself asks for; `LASTMILE_FUZZ_SEED` says which. A failure names the input's number and its bytes.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `body` over the seeds, and over so many mutations of them. `tokens` are pieces that mean something to it.
///
/// # Panics
/// Where `body` does: with the input.
pub fn run(target: &str, seeds: &[&[u8]], tokens: &[&[u8]], most: u64, body: impl FnMut(&[u8])) {
    run_fitted(target, seeds, tokens, most, |_, _| {}, body);
}

/// As [`run`]; `fit` makes an input whole again where the parser would look no further, as at a length that does not fit.
///
/// # Panics
/// Where `body` does: with the input.
pub fn run_fitted(
    target: &str,
    seeds: &[&[u8]],
    tokens: &[&[u8]],
    most: u64,
    mut fit: impl FnMut(&mut Vec<u8>, &mut Random),
    mut body: impl FnMut(&[u8]),
) {
    assert!(!seeds.is_empty(), "{target}: something to begin with");
    seeds.iter().for_each(|seed| body(seed));
    let mut random = Random(number("LASTMILE_FUZZ_SEED", 1));
    let mut input = Vec::new();
    for n in 0..number("LASTMILE_FUZZ_INPUTS", most) {
        random.mutate(seeds, tokens, &mut input);
        fit(&mut input, &mut random);
        if catch_unwind(AssertUnwindSafe(|| body(&input))).is_err() {
            panic!("{target}: input {n} breaks it: {:?} ({input:02x?})", String::from_utf8_lossy(&input));
        }
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// splitmix64.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    /// One to four changes of the kinds that break parsers.
    fn mutate(&mut self, seeds: &[&[u8]], tokens: &[&[u8]], input: &mut Vec<u8>) {
        input.clear();
        let seed = self.below(seeds.len());
        input.extend_from_slice(seeds[seed]);
        for _ in 0..1 + self.below(4) {
            let at = self.below(input.len() + 1);
            let here = self.below(input.len());
            match self.below(if tokens.is_empty() { 8 } else { 12 }) {
                0 => input.truncate(at),
                1 => input.insert(at, self.next() as u8),
                2 if !input.is_empty() => input[here] ^= 1 << self.below(8),
                3 if !input.is_empty() => input[here] = [0, 1, 2, 3, 18, 127, 128, 253, 254, 255][self.below(10)],
                4 => {
                    let other = self.below(seeds.len());
                    let from = self.below(seeds[other].len());
                    input.truncate(at);
                    input.extend_from_slice(&seeds[other][from..]);
                }
                5 => input.extend((0..self.below(300)).map(|_| self.next() as u8)),
                6 if !input.is_empty() => drop(input.remove(here)),
                7 if !input.is_empty() => input[here] = self.next() as u8,
                8.. => {
                    let token = tokens[self.below(tokens.len())];
                    // In the place of as much, or between.
                    let until = if self.below(2) == 0 { at } else { (at + token.len()).min(input.len()) };
                    input.splice(at..until, token.iter().copied());
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_inputs_come_each_time_and_a_failure_names_its_own() {
        let gather = |seed: &[u8]| {
            let mut all = Vec::new();
            run("gather", &[seed], &[b"9999"], 500, |input| all.push(input.to_vec()));
            all
        };
        let all = gather(b"2026-05-01");
        assert_eq!(all, gather(b"2026-05-01"));
        assert!(all.iter().filter(|input| *input != b"2026-05-01").count() > 400, "they differ from the seed");
        assert!(all.iter().any(|input| input.windows(4).any(|part| part == b"9999")), "tokens are put in");
        let breaks = catch_unwind(|| {
            run("breaks", &[b"abc"], &[], 5000, |input| assert!(!input.is_empty(), "nothing"));
        });
        let told = breaks.expect_err("it breaks").downcast::<String>().expect("words");
        assert!(told.starts_with("breaks: input ") && told.ends_with("\"\" ([])"), "{told}");
    }
}
