//! Guessing of passwords and codes over RADIUS: counted in memory by everything a guesser may hold still, so that it gains
//! nothing by whatever it changes.
//!
//! | limit                | counts wrong ones by                                  | at once | then          | beyond      |
//! |----------------------|-------------------------------------------------------|--------:|---------------|-------------|
//! | `wrong_per_device`   | the device at a router (Calling-Station-Id)           |      30 | one every 12 s| not looked at|
//! | `wrong_per_line`     | the line, from devices that were never let in by it   |      60 | one every 3 s | not looked at|
//! | `unknown_per_router` | the router, of names and codes that nobody has        |     120 | one a second  | not answered|
//! | `wrong_per_router`   | the router, of passwords                              |     300 | 300 a minute  | not answered|
//! | `wrong_in_all`       | everybody                                             |   3,000 | 3,000 a minute| not answered|
//!
//! What is right is not counted, and is believed whatever others do: only a device that has guessed too much by itself, and a
//! stranger at a line that many have guessed at, is not looked at, right or wrong. A device that a line knows (it is online, or
//! was the last one let in) is counted by itself and waits for nobody. A device that says no Calling-Station-Id is told by the
//! name it asks for.
//!
//! From the fifth wrong one of a device, and from half of a router's room on, refusals take their time ([`Answer::Late`]).
//!
//! A right login reads one number: until when anybody may have to wait ([`Guessing::is_tense`]).

use std::{
    hash::{BuildHasher, Hash, RandomState},
    sync::atomic::{AtomicI64, Ordering::Relaxed},
};

use domain::{
    Instant, RouterId, ServiceId,
    kernel::{
        clock::MINUTE,
        pace::{Pace, Paces},
    },
};

/// Places in each column of the tables of devices and lines: 1 MiB a table. A flood of a hundred thousand devices a second
/// fills them less than half.
const PLACES: usize = 65_536;
/// Of routers there are few.
const ROUTERS: usize = 4096;
/// From this one on a device's wrong passwords are refused late.
const PROMPT: u32 = 4;

/// How many at once; [`Rates::default`] are the defaults of `[limits]`, where each has `radius_` before its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rates {
    /// In six minutes.
    pub wrong_per_device: u32,
    /// In three.
    pub wrong_per_line: u32,
    /// In two.
    pub unknown_per_router: u32,
    /// In one, as below.
    pub wrong_per_router: u32,
    pub wrong_in_all: u32,
}

impl Default for Rates {
    fn default() -> Rates {
        Rates {
            wrong_per_device: 30,
            wrong_per_line: 60,
            unknown_per_router: 120,
            wrong_per_router: 300,
            wrong_in_all: 3000,
        }
    }
}

/// What is counted, each in a table of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Limit {
    Device,
    Line,
    Unknown,
    Wrong,
    All,
}

/// In the order of [`Limit`].
const NAMES: [&str; 5] = [
    "radius_wrong_per_device",
    "radius_wrong_per_line",
    "radius_unknown_per_router",
    "radius_wrong_per_router",
    "radius_wrong_in_all",
];
const SIZES: [usize; 5] = [PLACES, PLACES, ROUTERS, ROUTERS, 1];

impl Rates {
    fn pace(&self, limit: Limit) -> Pace {
        match limit {
            Limit::Device => Pace::new(self.wrong_per_device, 6 * MINUTE),
            Limit::Line => Pace::new(self.wrong_per_line, 3 * MINUTE),
            Limit::Unknown => Pace::new(self.unknown_per_router, 2 * MINUTE),
            Limit::Wrong => Pace::new(self.wrong_per_router, MINUTE),
            Limit::All => Pace::new(self.wrong_in_all, MINUTE),
        }
    }

    /// From so many on refusals through a router are late.
    fn prompt(&self, limit: Limit) -> Pace {
        let half = match limit {
            Limit::Device => PROMPT.min(self.wrong_per_device),
            Limit::Line => self.wrong_per_line,
            Limit::Unknown => self.unknown_per_router / 2,
            Limit::Wrong => self.wrong_per_router / 2,
            Limit::All => self.wrong_in_all,
        };
        self.pace(limit).at_once(half)
    }
}

/// Who tries something.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    pub router: RouterId,
    /// Calling-Station-Id.
    pub station: Option<&'a [u8]>,
    /// User-Name.
    pub name: &'a [u8],
    /// Whose password it tries.
    pub line: Option<ServiceId>,
    /// The line has let this very device in.
    pub known: bool,
}

/// What was wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guess {
    /// The password of a line.
    Password,
    /// A name or a code that nobody has, or that is used up.
    Name,
}

/// How a wrong one is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    Prompt,
    Late,
    /// Not at all: whoever asks so often learns nothing.
    None,
}

#[derive(Debug)]
pub struct Guessing {
    rates: Rates,
    /// Makes numbers of keys that nobody outside can foresee.
    numbers: RandomState,
    tables: [Paces; 5],
    /// Until then some device or line may have no room.
    tense_until: AtomicI64,
}

impl Default for Guessing {
    fn default() -> Guessing {
        Guessing::new(Rates::default())
    }
}

impl Guessing {
    pub fn new(rates: Rates) -> Guessing {
        Guessing {
            rates,
            numbers: RandomState::new(),
            tables: SIZES.map(Paces::new),
            tense_until: AtomicI64::new(i64::MIN),
        }
    }

    /// Whether anybody may have to wait: where not, no login need ask [`Guessing::has_room`].
    pub fn is_tense(&self, now: Instant) -> bool {
        now.0 < self.tense_until.load(Relaxed)
    }

    /// Whether what it tries is to be looked at. Counts nothing but its refusals.
    pub fn has_room(&self, asker: &Asker<'_>, now: Instant) -> bool {
        let full = self.own(asker).find(|(limit, key)| self.room_at(*limit, *key, now).is_some());
        if let Some((limit, _)) = full {
            refused(limit);
        }
        full.is_none()
    }

    /// It was looked at, and wrong: counted; how to refuse it.
    pub fn wrong(&self, asker: &Asker<'_>, guess: Guess, now: Instant) -> Answer {
        let mut late = false;
        for (limit, key) in self.own(asker) {
            let pace = self.rates.pace(limit);
            late |= self.tables[limit as usize].room_at(key, self.rates.prompt(limit), now).is_some();
            self.tables[limit as usize].add(key, pace, now);
            if let Some(until) = self.room_at(limit, key, now) {
                self.tense_until.fetch_max(until.0, Relaxed);
            }
        }
        let through = match guess {
            Guess::Password => Limit::Wrong,
            Guess::Name => Limit::Unknown,
        };
        let router = self.number(asker.router);
        let shared = [(through, router), (Limit::All, 0)];
        if let Some((limit, _)) = shared.iter().find(|(limit, key)| self.room_at(*limit, *key, now).is_some()) {
            refused(*limit);
            return Answer::None;
        }
        late |= self.tables[through as usize].room_at(router, self.rates.prompt(through), now).is_some();
        shared.iter().for_each(|(limit, key)| self.tables[*limit as usize].add(*key, self.rates.pace(*limit), now));
        if late { Answer::Late } else { Answer::Prompt }
    }

    fn room_at(&self, limit: Limit, key: u64, now: Instant) -> Option<Instant> {
        self.tables[limit as usize].room_at(key, self.rates.pace(limit), now)
    }

    /// What counts against the asker alone, and against the line it asks for.
    fn own(&self, asker: &Asker<'_>) -> impl Iterator<Item = (Limit, u64)> + use<> {
        let Asker { router, station, name, line, known } = *asker;
        let who = station.filter(|station| !station.is_empty()).ok_or(name);
        let device = match line.filter(|_| known) {
            Some(line) => self.number(("line", line, who)),
            None => self.number(("router", router, who)),
        };
        let line = line.filter(|_| !known).map(|line| (Limit::Line, self.number(line)));
        [(Limit::Device, device)].into_iter().chain(line)
    }

    fn number(&self, key: impl Hash) -> u64 {
        self.numbers.hash_one(key)
    }
}

fn refused(limit: Limit) {
    metrics::counter!("limit_refusals_total", "limit" => NAMES[limit as usize]).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant(1_900_000_000_000_000).plus_seconds(seconds)
    }

    fn stranger<'a>(router: i64, station: &'a str, name: &'a str, line: Option<i64>) -> Asker<'a> {
        let (router, line) = (RouterId(router), line.map(ServiceId));
        Asker { router, station: Some(station.as_bytes()), name: name.as_bytes(), line, known: false }
    }

    /// What becomes of a wrong one: not looked at, not answered, late, prompt.
    fn ask(guessing: &Guessing, asker: &Asker<'_>, now: Instant) -> &'static str {
        if guessing.is_tense(now) && !guessing.has_room(asker, now) {
            return "unseen";
        }
        let guess = if asker.line.is_some() { Guess::Password } else { Guess::Name };
        match guessing.wrong(asker, guess, now) {
            Answer::Prompt => "prompt",
            Answer::Late => "late",
            Answer::None => "silent",
        }
    }

    #[test]
    fn whatever_is_rotated_something_counts() {
        // Who rotates what; of ten thousand tries within a second, how many are looked at, and answered.
        type Tries = fn(i64) -> (i64, String, String, Option<i64>);
        let rows: [(&str, Tries, usize, usize); 7] = [
            ("passwords", |_| (1, "a".into(), "ali".into(), Some(7)), 30, 30),
            ("codes", |n| (1, "a".into(), format!("{n:06}"), None), 30, 30),
            ("codes and devices", |n| (1, format!("m{n}"), format!("{n:06}"), None), 10_000, 120),
            ("codes without devices", |n| (1, String::new(), format!("{n:06}"), None), 10_000, 120),
            ("devices at one line", |n| (1, format!("m{n}"), "ali".into(), Some(7)), 60, 60),
            ("lines and devices", |n| (1, format!("m{n}"), format!("u{n}"), Some(n)), 10_000, 300),
            ("everything", |n| (n % 500, format!("m{n}"), format!("u{n}"), Some(n)), 10_000, 3000),
        ];
        for (what, tries, seen, answered) in rows {
            let guessing = Guessing::default();
            let mut counts = (0, 0);
            for n in 0..10_000 {
                let (router, station, name, line) = tries(n);
                match ask(&guessing, &stranger(router, &station, &name, line), at(0)) {
                    "unseen" => {}
                    "silent" => counts.0 += 1,
                    _ => counts = (counts.0 + 1, counts.1 + 1),
                }
            }
            assert_eq!(counts, (seen, answered), "{what}");
        }
    }

    #[test]
    fn a_lines_own_device_waits_for_nobody() {
        let guessing = Guessing::default();
        for n in 0..1000 {
            ask(&guessing, &stranger(7, &format!("m{n}"), "ali", Some(7)), at(0));
        }
        let own = Asker { known: true, ..stranger(7, "own", "ali", Some(7)) };
        let other = stranger(7, "new", "ali", Some(7));
        for n in 0..30 {
            ask(&guessing, &stranger(7, "own", &format!("{n:06}"), None), at(0));
        }
        assert!(guessing.is_tense(at(0)) && guessing.has_room(&own, at(0)) && !guessing.has_room(&other, at(0)));
        // Another line, through the same router and by a device that has guessed nothing.
        assert!(guessing.has_room(&stranger(7, "new", "ayesha", Some(8)), at(0)));
        // A stranger of that line is looked at once three seconds later.
        assert!(guessing.has_room(&other, at(3)));
        assert!(!guessing.is_tense(at(13)), "and nobody need look any more");
        // Its own device's guesses are its own.
        for n in 0..30 {
            assert_ne!(ask(&guessing, &own, at(20)), "unseen", "{n}");
        }
        assert_eq!((ask(&guessing, &own, at(20)), ask(&guessing, &own, at(32))), ("unseen", "late"));
    }

    #[test]
    fn slower_before_it_ends() {
        let guessing = Guessing::default();
        let answers = |tries: i64, station: fn(i64) -> String| -> Vec<&str> {
            (0..tries).map(|n| ask(&guessing, &stranger(1, &station(n), "0000", None), at(0))).collect()
        };
        assert_eq!(answers(6, |_| "one".into()), ["prompt", "prompt", "prompt", "prompt", "late", "late"]);
        let many = answers(200, |n| format!("m{n}"));
        let count = |word| many.iter().filter(|answer| **answer == word).count();
        assert_eq!((count("prompt"), count("late"), count("silent")), (54, 60, 86));
    }
}
