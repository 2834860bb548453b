//! Trying to prove who one is: counted before anything is looked at, taken back when it was right.
//!
//! Whoever compares a password needs an [`Attempt`] ([`super::hashing`] asks for it), so no door can be a place where
//! guessing is free. The rule:
//!
//! | limit                    | counts by                                   | at first | then          |
//! |--------------------------|---------------------------------------------|---------:|---------------|
//! | `sign_ins_per_account`   | the name that is tried, from wherever       |      100 | 100 an hour   |
//! | `sign_ins_per_address`   | the sender: an IPv4 address, an IPv6 /64    |       30 | 30 a minute   |
//! | … of a site              | an IPv6 /48, ten times a sender's           |      300 | 300 a minute  |
//! | `sign_ins_in_all`        | everybody                                   |    1,000 | 1,000 a minute|
//! | `wrong_keys_per_address` | the sender, and its site as above           |      300 | 300 a minute  |
//! | `wrong_keys_in_all`      | everybody                                   |    6,000 | 6,000 a minute|
//!
//! A hundred for an account is NIST SP 800-63B §5.2.2. So that a guesser does not lock an account's owner out, a sender
//! from which this account has signed in lately (its tokens say so, at every node) is counted by itself
//! (`sign_ins_per_address`) and by nothing else; and who comes with a key that was right, or given, lately is never asked to wait.
//!
//! Counts lie in tables of fixed size ([`domain::kernel::pace`]): nobody's is thrown out for another's. What was right
//! lately is bounded by how many accounts and keys there are, and by [`KNOWN`].

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    net::IpAddr,
};

use domain::{
    Instant,
    kernel::{
        clock::{DAY, HOUR, MINUTE},
        pace::{Pace, Paces},
        windows::Wait,
    },
};
use parking_lot::Mutex;

use super::origin;
use crate::{App, Error};

/// Places in each column of a table: 256 KiB a limit.
const PLACES: usize = 16_384;
/// Accounts and keys that are remembered as having been right.
pub const KNOWN: usize = 16_384;
/// Senders that are remembered of each.
const SENDERS: usize = 8;
/// A sender is known for so long.
const LATELY: i64 = 30 * DAY;
/// A site has so many senders' room.
const SITE: u32 = 10;

/// How many at once; [`Rates::default`] are the defaults of `[limits]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rates {
    /// An hour.
    pub sign_ins_per_account: u32,
    /// A minute, like all below.
    pub sign_ins_per_address: u32,
    pub sign_ins_in_all: u32,
    pub wrong_keys_per_address: u32,
    pub wrong_keys_in_all: u32,
}

impl Default for Rates {
    fn default() -> Rates {
        Rates {
            sign_ins_per_account: 100,
            sign_ins_per_address: 30,
            sign_ins_in_all: 1000,
            wrong_keys_per_address: 300,
            wrong_keys_in_all: 6000,
        }
    }
}

/// What is counted, each in a table of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Limit {
    Account,
    /// A known sender's own.
    Known,
    Sender,
    Site,
    SignIns,
    KeySender,
    KeySite,
    Keys,
}

/// In the order of [`Limit`].
const NAMES: [&str; 8] = [
    "sign_ins_per_account",
    "sign_ins_per_address",
    "sign_ins_per_address",
    "sign_ins_per_address",
    "sign_ins_in_all",
    "wrong_keys_per_address",
    "wrong_keys_per_address",
    "wrong_keys_in_all",
];

impl Rates {
    fn pace(&self, limit: Limit) -> Pace {
        match limit {
            Limit::Account => Pace::new(self.sign_ins_per_account, HOUR),
            Limit::Known | Limit::Sender => Pace::new(self.sign_ins_per_address, MINUTE),
            Limit::Site => Pace::new(self.sign_ins_per_address.saturating_mul(SITE), MINUTE),
            Limit::SignIns => Pace::new(self.sign_ins_in_all, MINUTE),
            Limit::KeySender => Pace::new(self.wrong_keys_per_address, MINUTE),
            Limit::KeySite => Pace::new(self.wrong_keys_per_address.saturating_mul(SITE), MINUTE),
            Limit::Keys => Pace::new(self.wrong_keys_in_all, MINUTE),
        }
    }
}

#[derive(Debug, Default)]
pub struct Attempts {
    rates: Rates,
    /// Makes numbers of keys that nobody outside can foresee.
    numbers: RandomState,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tables: [Paces; 8],
    accounts: Known,
    keys: Known,
}

impl Default for State {
    fn default() -> State {
        State {
            tables: std::array::from_fn(|_| Paces::new(PLACES)),
            accounts: Known::default(),
            keys: Known::default(),
        }
    }
}

/// An attempt that is counted as wrong until it is known to have been right.
#[derive(Debug)]
#[must_use]
pub struct Attempt<'a> {
    of: &'a Attempts,
    account: u64,
    sender: Sender,
    taken: Vec<(Limit, u64)>,
}

/// Of whom it is remembered that it was right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sender {
    Is(u64),
    WhoeverHasTheKey,
    Nobody,
}

impl Attempts {
    pub fn new(rates: Rates) -> Attempts {
        Attempts { rates, ..Attempts::default() }
    }

    /// Somebody is about to try a password or a client's secret under this name, at this kind of door.
    ///
    /// # Errors
    /// [`Error::TooOften`]; nothing was counted and nothing is to be looked at.
    pub fn sign_in(&self, door: &'static str, name: &str, now: Instant) -> Result<Attempt<'_>, Error> {
        let account = self.numbers.hash_one((door, name));
        let from = self.from();
        let mut state = self.state.lock();
        let known = from.filter(|(sender, _)| state.accounts.has(account, *sender, now));
        let counted = match (known, from) {
            (Some((sender, _)), _) => vec![(Limit::Known, self.numbers.hash_one((account, sender)))],
            (None, Some((sender, site))) => {
                vec![(Limit::Account, account), (Limit::Sender, sender), (Limit::Site, site), (Limit::SignIns, 0)]
            }
            // A command's, or a test's: there is no sender.
            (None, None) => vec![(Limit::Account, account), (Limit::SignIns, 0)],
        };
        let sender = from.map_or(Sender::Nobody, |(sender, _)| Sender::Is(sender));
        self.take(&mut state, account, sender, counted, now)
    }

    /// An account is refused that may have been here before this process was: its sender, to be looked for among those
    /// that signed in. `None` where the sender has tried too often. Counted like a try.
    fn stranger(&self, now: Instant) -> Option<IpAddr> {
        let address = origin::current()?;
        let (sender, site) = self.from()?;
        let state = self.state.lock();
        let counted = [(Limit::Sender, sender), (Limit::Site, site)];
        let room = |(limit, key): &(Limit, u64)| {
            state.tables[*limit as usize].wait(*key, self.rates.pace(*limit), now).is_none()
        };
        if !counted.iter().all(room) {
            return None;
        }
        for (limit, key) in counted {
            state.tables[limit as usize].add(key, self.rates.pace(limit), now);
        }
        Some(origin::sender(address))
    }

    /// This sender is known to be the account's.
    fn recognise(&self, door: &'static str, name: &str, now: Instant) {
        let account = self.numbers.hash_one((door, name));
        if let Some((sender, _)) = self.from() {
            self.state.lock().accounts.add(account, sender, now);
        }
    }

    /// Somebody comes with a key or a token. No name belongs to it, and it is too long to be guessed: this bounds what
    /// looking it up costs.
    ///
    /// # Errors
    /// [`Error::TooOften`], never for one that was right lately.
    pub fn key(&self, door: &'static str, key: &str, now: Instant) -> Result<Attempt<'_>, Error> {
        let account = self.numbers.hash_one((door, key));
        let mut state = self.state.lock();
        let counted = match (state.keys.has(account, 0, now), self.from()) {
            (true, _) => vec![],
            (false, Some((sender, site))) => vec![(Limit::KeySender, sender), (Limit::KeySite, site), (Limit::Keys, 0)],
            (false, None) => vec![(Limit::Keys, 0)],
        };
        self.take(&mut state, account, Sender::WhoeverHasTheKey, counted, now)
    }

    /// A key that was given this moment: who uses it first does not wait for others' wrong ones.
    pub(crate) fn given(&self, door: &'static str, key: &str, now: Instant) {
        let key = self.numbers.hash_one((door, key));
        self.state.lock().keys.add(key, 0, now);
    }

    /// The numbers of the present call's sender and its site.
    fn from(&self) -> Option<(u64, u64)> {
        let address = origin::current()?;
        Some((self.number(origin::sender(address)), self.number(origin::site(address))))
    }

    fn number(&self, key: impl Hash) -> u64 {
        self.numbers.hash_one(key)
    }

    fn take(
        &self,
        state: &mut State,
        account: u64,
        sender: Sender,
        counted: Vec<(Limit, u64)>,
        now: Instant,
    ) -> Result<Attempt<'_>, Error> {
        for (limit, key) in &counted {
            if let Some(Wait(wait_s)) = state.tables[*limit as usize].wait(*key, self.rates.pace(*limit), now) {
                metrics::counter!("limit_refusals_total", "limit" => NAMES[*limit as usize]).increment(1);
                return Err(Error::TooOften { wait_s });
            }
        }
        for (limit, key) in &counted {
            state.tables[*limit as usize].add(*key, self.rates.pace(*limit), now);
        }
        Ok(Attempt { of: self, account, sender, taken: counted })
    }
}

impl Attempt<'_> {
    /// This account has signed in from this sender lately.
    pub(super) fn is_known(&self) -> bool {
        self.taken.iter().any(|(limit, _)| *limit == Limit::Known)
    }

    /// Says what came of it. It stays counted where the proof was wrong; a fault that is not the caller's is not counted
    /// against it.
    pub fn settle<T>(self, result: Result<T, Error>, now: Instant) -> Result<T, Error> {
        match &result {
            Ok(_) => self.right(now),
            Err(Error::Unauthenticated) => {}
            Err(_) => self.give_back(&mut self.of.state.lock()),
        }
        result
    }

    /// It was right: not counted, and this sender is known from now on.
    pub fn right(self, now: Instant) {
        let mut state = self.of.state.lock();
        self.give_back(&mut state);
        match self.sender {
            Sender::Is(sender) => state.accounts.add(self.account, sender, now),
            Sender::WhoeverHasTheKey => state.keys.add(self.account, 0, now),
            Sender::Nobody => {}
        }
    }

    fn give_back(&self, state: &mut State) {
        for (limit, key) in &self.taken {
            state.tables[*limit as usize].give_back(*key, self.of.rates.pace(*limit));
        }
    }
}

/// [`Attempts::sign_in`], for accounts whose tokens say from where they were asked for: what was forgotten since, or is
/// known to another node alone, is looked up by `was_from(sender, since)` before an owner is refused.
///
/// # Errors
/// [`Error::TooOften`]; of the database.
pub(crate) async fn sign_in<'a>(
    app: &'a App,
    door: &'static str,
    name: &str,
    was_from: impl AsyncFnOnce(String, Instant) -> Result<bool, Error>,
) -> Result<Attempt<'a>, Error> {
    let (attempts, now) = (&app.limits.attempts, app.clock.now());
    let refused = match attempts.sign_in(door, name, now) {
        Ok(attempt) => return Ok(attempt),
        Err(refused) => refused,
    };
    let Some(sender) = attempts.stranger(now) else { return Err(refused) };
    if !was_from(sender.to_string(), now.plus(-LATELY)).await? {
        return Err(refused);
    }
    attempts.recognise(door, name, now);
    attempts.sign_in(door, name, now)
}

/// Who was right lately, and from where.
#[derive(Debug, Default)]
struct Known(HashMap<u64, Vec<(u64, Instant)>>);

impl Known {
    fn has(&self, account: u64, sender: u64, now: Instant) -> bool {
        let known = self.0.get(&account).into_iter().flatten();
        known.into_iter().any(|(one, at)| *one == sender && now.since(*at) < LATELY)
    }

    fn add(&mut self, account: u64, sender: u64, now: Instant) {
        if self.0.len() >= KNOWN && !self.0.contains_key(&account) {
            self.make_room();
        }
        let known = self.0.entry(account).or_default();
        known.retain(|(one, _)| *one != sender);
        if known.len() >= SENDERS {
            known.remove(0);
        }
        known.push((sender, now));
    }

    /// Forgets the quarter that was right longest ago.
    fn make_room(&mut self) {
        let last = |known: &Vec<(u64, Instant)>| known.last().map_or(Instant(i64::MIN), |(_, at)| *at);
        let mut ends: Vec<Instant> = self.0.values().map(last).collect();
        let old = *ends.select_nth_unstable(KNOWN / 4).1;
        let mut over = KNOWN / 4 + 1;
        self.0.retain(|_, known| {
            let goes = over > 0 && last(known) <= old;
            over -= usize::from(goes);
            !goes
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant(1_900_000_000_000_000).plus_seconds(seconds)
    }

    async fn try_from(attempts: &Attempts, address: &str, name: &str, right: bool, second: i64) -> &'static str {
        let address: Option<IpAddr> = address.parse().ok();
        origin::from(origin::Origin { address, isp: None }, async {
            match attempts.sign_in("door", name, at(second)) {
                Err(Error::TooOften { .. }) => "wait",
                Err(_) => "?",
                Ok(attempt) if right => {
                    attempt.right(at(second));
                    "in"
                }
                Ok(attempt) => attempt.settle(Err(Error::Unauthenticated), at(second)).map_or("no", |()| "?"),
            }
        })
        .await
    }

    #[tokio::test]
    async fn whatever_is_rotated_something_counts() {
        // Who rotates what, and how many of two thousand tries within a second are looked at.
        let rows: [(&str, fn(u32) -> String, fn(u32) -> String, usize); 6] = [
            ("nothing", |_| "192.0.2.7".into(), |_| "ali".into(), 30),
            ("names", |_| "192.0.2.7".into(), |n| format!("name{n}"), 30),
            ("addresses of a /64", |n| format!("2001:db8::{n:x}"), |n| format!("name{n}"), 30),
            ("networks of a /48", |n| format!("2001:db8:0:{n:x}::1"), |n| format!("name{n}"), 300),
            ("addresses", |n| format!("10.0.{}.{}", n / 250, n % 250), |_| "ali".into(), 100),
            ("everything", |n| format!("10.0.{}.{}", n / 250, n % 250), |n| format!("name{n}"), 1000),
        ];
        for (what, address, name, expected) in rows {
            let attempts = Attempts::default();
            let mut looked_at = 0;
            for n in 0..2000 {
                looked_at += usize::from(try_from(&attempts, &address(n), &name(n), false, 0).await == "no");
            }
            assert_eq!(looked_at, expected, "{what}");
        }
    }

    #[tokio::test]
    async fn an_owner_gets_in_while_somebody_guesses() {
        let attempts = Attempts::default();
        assert_eq!(try_from(&attempts, "198.51.100.1", "ali", true, 0).await, "in");
        for n in 0..2000 {
            try_from(&attempts, &format!("10.0.{}.{}", n / 250, n % 250), "ali", false, 1).await;
        }
        for (address, name, expected, why) in [
            ("198.51.100.1", "ali", "in", "where the owner was"),
            ("198.51.100.2", "ali", "wait", "nobody knows who that is"),
            ("198.51.100.2", "eva", "in", "another account"),
        ] {
            assert_eq!(try_from(&attempts, address, name, true, 2).await, expected, "{why}");
        }
        // An hour has room for a hundred more: one in 36 s.
        assert_eq!(try_from(&attempts, "198.51.100.2", "ali", true, 38).await, "in");
        // From where the owner was, guessing is slow as well.
        let mut looked_at = 0;
        for _ in 0..100 {
            looked_at += usize::from(try_from(&attempts, "198.51.100.1", "ali", false, 40).await == "no");
        }
        assert_eq!(looked_at, 30);
    }

    #[tokio::test]
    async fn what_is_right_is_not_counted_and_neither_is_our_fault() {
        let attempts = Attempts::default();
        for second in 0..500 {
            assert_eq!(try_from(&attempts, "192.0.2.7", &format!("name{second}"), true, 0).await, "in");
            let attempt = attempts.sign_in("door", "ali", at(0)).expect("room");
            assert_eq!(attempt.settle::<()>(Err(Error::Unavailable), at(0)), Err(Error::Unavailable));
        }
    }

    #[tokio::test]
    async fn a_right_key_never_waits() {
        let attempts = Attempts::default();
        let address: Option<IpAddr> = "192.0.2.7".parse().ok();
        origin::from(origin::Origin { address, isp: None }, async {
            attempts.key("door", "right", at(0)).expect("room").right(at(0));
            let wrong = |n: usize| attempts.key("door", &format!("wrong{n}"), at(0));
            let looked_at = (0..1000).filter(|n| wrong(*n).is_ok()).count();
            assert_eq!(looked_at, 300);
            assert!(attempts.key("door", "right", at(0)).is_ok());
        })
        .await;
    }

    #[test]
    fn what_was_right_is_bounded() {
        let mut known = Known::default();
        for account in 0..KNOWN as u64 + 10_000 {
            for sender in 0..20 {
                known.add(account, sender, at(account as i64));
            }
            assert!(known.0.len() <= KNOWN);
        }
        let last = KNOWN as u64 + 9_999;
        assert!(
            known.has(last, 19, at(last as i64)) && !known.has(last, 3, at(last as i64)) && !known.has(5, 19, at(0))
        );
        assert!(!known.has(last, 19, at(last as i64).plus(LATELY)), "that was long ago");
    }
}
