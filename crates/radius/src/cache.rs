//! The duplicate cache, RFC 5080 §2.2.2: a NAS that hears nothing sends the same packet again, and must get the same
//! bytes back without the work being done twice.
//!
//! A request is known by source address, port, identifier and code, and told from the next one under the same
//! identifier by its authenticator. The next one takes over the place and the buffer of the one before: a NAS that
//! sends a million requests from one port holds 256 places, which stay in the processor's caches. Places are chained
//! in order of arrival, so that ageing and the limit in bytes both take from the oldest, in constant time per
//! request. Time is a parameter: milliseconds of any clock that does not go back.

use std::hash::BuildHasher;
use std::net::{IpAddr, SocketAddr};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::packet::Packet;

/// Which request: the source, its port, the identifier and the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    address: u128,
    port: u16,
    id: u8,
    code: u8,
}

impl Key {
    pub fn of(source: SocketAddr, packet: &Packet<'_>) -> Key {
        let address = match source.ip() {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().into(),
            IpAddr::V6(v6) => v6.into(),
        };
        Key { address, port: source.port(), id: packet.id(), code: packet.code().0 }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Entries and answers together, in bytes; what is oldest goes first.
    pub bytes: usize,
    /// How long an answer is kept.
    pub age_ms: u64,
}

impl Default for Limits {
    /// RFC 5080 §2.2.2 advises five to thirty seconds.
    fn default() -> Limits {
        Limits { bytes: 16 << 20, age_ms: 8_000 }
    }
}

/// What the cache knows of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen<'c> {
    New,
    /// Being worked on: to be dropped.
    InProgress,
    /// Answered: to be answered with exactly these bytes.
    Answered(&'c [u8]),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    InProgress,
    Answered,
}

struct Entry {
    key: Key,
    authenticator: [u8; 16],
    born_ms: u64,
    state: State,
    /// Neighbours in order of arrival; a free place names the next free one as `newer`.
    older: u32,
    newer: u32,
    answer: Vec<u8>,
}

const NONE: u32 = u32::MAX;
/// An entry with its share of the table.
const ENTRY_COST: usize = size_of::<Entry>() + 2 * size_of::<u32>();

pub struct Cache {
    limits: Limits,
    hasher: DefaultHashBuilder,
    /// Key → place of its entry.
    table: HashTable<u32>,
    entries: Vec<Entry>,
    oldest: u32,
    newest: u32,
    free: u32,
    /// Bytes held for answers.
    answers: usize,
}

impl Cache {
    pub fn new(limits: Limits) -> Cache {
        Cache {
            limits,
            hasher: DefaultHashBuilder::default(),
            table: HashTable::new(),
            entries: Vec::new(),
            oldest: NONE,
            newest: NONE,
            free: NONE,
            answers: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.table.len()
    }

    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Bytes held now, by the measure [`Limits::bytes`] limits.
    pub fn bytes(&self) -> usize {
        self.len() * ENTRY_COST + self.answers
    }

    pub fn look(&self, key: &Key, authenticator: &[u8; 16], now_ms: u64) -> Seen<'_> {
        let Some(place) = self.current(key, authenticator) else { return Seen::New };
        let entry = &self.entries[place as usize];
        if self.is_old(entry, now_ms) {
            return Seen::New;
        }
        match entry.state {
            State::InProgress => Seen::InProgress,
            State::Answered => Seen::Answered(&entry.answer),
        }
    }

    /// Notes a request that is now being worked on; one under the same key with another authenticator is replaced.
    pub fn begin(&mut self, key: Key, authenticator: &[u8; 16], now_ms: u64) {
        self.expire(now_ms);
        let place = match self.place(&key) {
            Some(place) => {
                self.unchain(place);
                place
            }
            None => self.occupy(key),
        };
        let entry = &mut self.entries[place as usize];
        (entry.authenticator, entry.born_ms, entry.state) = (*authenticator, now_ms, State::InProgress);
        self.chain(place);
        self.keep_within_bytes();
    }

    /// Keeps the answer; nothing happens if the request has meanwhile been replaced or aged out.
    pub fn finish(&mut self, key: &Key, authenticator: &[u8; 16], answer: &[u8]) {
        let Some(place) = self.current(key, authenticator) else { return };
        let entry = &mut self.entries[place as usize];
        self.answers -= entry.answer.capacity();
        entry.answer.clear();
        entry.answer.reserve_exact(answer.len());
        entry.answer.extend_from_slice(answer);
        entry.state = State::Answered;
        self.answers += entry.answer.capacity();
        self.keep_within_bytes();
    }

    /// Forgets a request that will not be answered, so that its repetition is worked on.
    pub fn forget(&mut self, key: &Key, authenticator: &[u8; 16]) {
        if let Some(place) = self.current(key, authenticator) {
            self.vacate(place);
        }
    }

    /// Lets go of what is too old.
    pub fn expire(&mut self, now_ms: u64) {
        while self.oldest != NONE && self.is_old(&self.entries[self.oldest as usize], now_ms) {
            self.vacate(self.oldest);
        }
    }

    fn keep_within_bytes(&mut self) {
        while self.bytes() > self.limits.bytes && self.len() > 1 {
            self.vacate(self.oldest);
        }
    }

    fn is_old(&self, entry: &Entry, now_ms: u64) -> bool {
        now_ms.saturating_sub(entry.born_ms) > self.limits.age_ms
    }

    fn place(&self, key: &Key) -> Option<u32> {
        self.table.find(self.hasher.hash_one(key), |place| self.entries[*place as usize].key == *key).copied()
    }

    fn current(&self, key: &Key, authenticator: &[u8; 16]) -> Option<u32> {
        self.place(key).filter(|place| self.entries[*place as usize].authenticator == *authenticator)
    }

    /// A place of its own for a key that has none, not chained yet.
    fn occupy(&mut self, key: Key) -> u32 {
        let place = match self.free {
            NONE => {
                let answer = Vec::new();
                let state = State::InProgress;
                let (authenticator, born_ms, older, newer) = ([0; 16], 0, NONE, NONE);
                self.entries.push(Entry { key, authenticator, born_ms, state, older, newer, answer });
                (self.entries.len() - 1) as u32
            }
            place => {
                let entry = &mut self.entries[place as usize];
                self.free = entry.newer;
                entry.key = key;
                place
            }
        };
        let (entries, hasher) = (&self.entries, &self.hasher);
        let hash = |place: &u32| hasher.hash_one(entries[*place as usize].key);
        self.table.insert_unique(hasher.hash_one(key), place, hash);
        place
    }

    fn vacate(&mut self, place: u32) {
        self.unchain(place);
        let entry = &mut self.entries[place as usize];
        self.answers -= entry.answer.capacity();
        entry.answer = Vec::new();
        entry.newer = self.free;
        self.free = place;
        if let Ok(found) = self.table.find_entry(self.hasher.hash_one(entry.key), |other| *other == place) {
            found.remove();
        }
    }

    /// Puts a place behind the newest.
    fn chain(&mut self, place: u32) {
        let entry = &mut self.entries[place as usize];
        (entry.older, entry.newer) = (self.newest, NONE);
        match self.newest {
            NONE => self.oldest = place,
            newest => self.entries[newest as usize].newer = place,
        }
        self.newest = place;
    }

    fn unchain(&mut self, place: u32) {
        let Entry { older, newer, .. } = self.entries[place as usize];
        match older {
            NONE => self.oldest = newer,
            older => self.entries[older as usize].newer = newer,
        }
        match newer {
            NONE => self.newest = older,
            newer => self.entries[newer as usize].older = older,
        }
    }
}
