//! The duplicate cache, RFC 5080 §2.2.2: a NAS that hears nothing sends the same packet again, and must get the same
//! bytes back without the work being done twice.
//!
//! A request is known by source address, port, identifier and code, and told from the next one under the same
//! identifier by its authenticator. Answers lie in chunks filled one after the other; entries stand in order of
//! arrival, so that ageing and the limit in bytes both take from the front, in constant time per request. Time is a
//! parameter: milliseconds of any clock that does not go back.

use std::collections::VecDeque;
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
    Answered { chunk: u64, at: u32, len: u16 },
    Forgotten,
}

struct Entry {
    key: Key,
    authenticator: [u8; 16],
    born_ms: u64,
    state: State,
}

/// A run of answers; free again when the last entry that points into it is gone.
struct Chunk {
    bytes: Vec<u8>,
    last_entry: u64,
}

const CHUNK: usize = 64 * 1024;
/// An entry with its share of the table.
const ENTRY_COST: usize = size_of::<Entry>() + 2 * size_of::<u64>();

pub struct Cache {
    limits: Limits,
    hasher: DefaultHashBuilder,
    /// Key → number of its entry.
    table: HashTable<u64>,
    entries: VecDeque<Entry>,
    /// The number of `entries[0]`.
    first_entry: u64,
    chunks: VecDeque<Chunk>,
    first_chunk: u64,
    spare: Option<Vec<u8>>,
}

impl Cache {
    pub fn new(limits: Limits) -> Cache {
        Cache {
            limits,
            hasher: DefaultHashBuilder::default(),
            table: HashTable::new(),
            entries: VecDeque::new(),
            first_entry: 0,
            chunks: VecDeque::new(),
            first_chunk: 0,
            spare: None,
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
        self.entries.len() * ENTRY_COST + self.chunks.len() * CHUNK
    }

    pub fn look(&self, key: &Key, authenticator: &[u8; 16], now_ms: u64) -> Seen<'_> {
        let Some(entry) = self.number(key).and_then(|n| self.entry(n)) else { return Seen::New };
        if entry.authenticator != *authenticator || self.is_old(entry, now_ms) {
            return Seen::New;
        }
        match entry.state {
            State::InProgress => Seen::InProgress,
            State::Answered { chunk, at, len } => {
                let bytes = &self.chunks[(chunk - self.first_chunk) as usize].bytes;
                Seen::Answered(&bytes[at as usize..at as usize + usize::from(len)])
            }
            State::Forgotten => Seen::New,
        }
    }

    /// Notes a request that is now being worked on; one under the same key with another authenticator is replaced.
    pub fn begin(&mut self, key: Key, authenticator: &[u8; 16], now_ms: u64) {
        self.expire(now_ms);
        let number = self.first_entry + self.entries.len() as u64;
        self.entries.push_back(Entry { key, authenticator: *authenticator, born_ms: now_ms, state: State::InProgress });
        let hash = self.hasher.hash_one(key);
        let (entries, first, hasher) = (&self.entries, self.first_entry, &self.hasher);
        let key_of = |n: &u64| &entries[(*n - first) as usize].key;
        match self.table.entry(hash, |n| *key_of(n) == key, |n| hasher.hash_one(key_of(n))) {
            hashbrown::hash_table::Entry::Occupied(mut old) => *old.get_mut() = number,
            hashbrown::hash_table::Entry::Vacant(free) => drop(free.insert(number)),
        }
        while self.bytes() > self.limits.bytes && self.entries.len() > 1 {
            self.drop_oldest();
        }
    }

    /// Keeps the answer; nothing happens if the request has meanwhile been replaced or aged out.
    pub fn finish(&mut self, key: &Key, authenticator: &[u8; 16], answer: &[u8]) {
        let Some(number) = self.current(key, authenticator) else { return };
        if answer.len() > CHUNK {
            return;
        }
        if self.chunks.back().is_none_or(|chunk| chunk.bytes.len() + answer.len() > CHUNK) {
            let bytes = self.spare.take().unwrap_or_else(|| Vec::with_capacity(CHUNK));
            self.chunks.push_back(Chunk { bytes, last_entry: number });
        }
        let index = self.chunks.len() - 1;
        let chunk = &mut self.chunks[index];
        let at = chunk.bytes.len() as u32;
        chunk.bytes.extend_from_slice(answer);
        chunk.last_entry = chunk.last_entry.max(number);
        let state = State::Answered { chunk: self.first_chunk + index as u64, at, len: answer.len() as u16 };
        self.entries[(number - self.first_entry) as usize].state = state;
        while self.bytes() > self.limits.bytes && self.entries.len() > 1 {
            self.drop_oldest();
        }
    }

    /// Forgets a request that will not be answered, so that its repetition is worked on.
    pub fn forget(&mut self, key: &Key, authenticator: &[u8; 16]) {
        if let Some(number) = self.current(key, authenticator) {
            self.unlink(key, number);
            self.entries[(number - self.first_entry) as usize].state = State::Forgotten;
        }
    }

    /// Lets go of what is too old.
    pub fn expire(&mut self, now_ms: u64) {
        while self.entries.front().is_some_and(|entry| self.is_old(entry, now_ms)) {
            self.drop_oldest();
        }
    }

    fn is_old(&self, entry: &Entry, now_ms: u64) -> bool {
        now_ms.saturating_sub(entry.born_ms) > self.limits.age_ms
    }

    fn number(&self, key: &Key) -> Option<u64> {
        let key_of = |n: &u64| self.entry(*n).map(|entry| &entry.key);
        self.table.find(self.hasher.hash_one(key), |n| key_of(n) == Some(key)).copied()
    }

    fn entry(&self, number: u64) -> Option<&Entry> {
        self.entries.get(number.checked_sub(self.first_entry)? as usize)
    }

    fn current(&self, key: &Key, authenticator: &[u8; 16]) -> Option<u64> {
        self.number(key).filter(|n| self.entry(*n).is_some_and(|entry| entry.authenticator == *authenticator))
    }

    fn unlink(&mut self, key: &Key, number: u64) {
        if let Ok(found) = self.table.find_entry(self.hasher.hash_one(key), |n| *n == number) {
            found.remove();
        }
    }

    fn drop_oldest(&mut self) {
        let Some(entry) = self.entries.front() else { return };
        let key = entry.key;
        self.unlink(&key, self.first_entry);
        self.entries.pop_front();
        self.first_entry += 1;
        while self.chunks.front().is_some_and(|chunk| chunk.last_entry < self.first_entry) {
            // The chunk being filled may be reused where it stands.
            if self.chunks.len() == 1 {
                self.chunks[0].bytes.clear();
                break;
            }
            let mut bytes = self.chunks.pop_front().expect("seen above").bytes;
            bytes.clear();
            self.spare = Some(bytes);
            self.first_chunk += 1;
        }
    }
}
