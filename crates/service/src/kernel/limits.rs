//! What may happen only so often: one table for every door, which belongs to the [`App`](super::app::App). The rule is
//! `domain::kernel::windows`; how many are too many is said where they are counted.
//!
//! Kept in memory, for what matters is the minute; several nodes each count their own.

use std::hash::Hash;

use domain::{
    CustomerId, Instant, IspId,
    kernel::{
        clock::MINUTE,
        windows::{Room, Wait, Windows},
    },
};
use parking_lot::Mutex;

use super::{actor::Who, attempts::Attempts, guessing::Guessing};

/// Keys of each limit that are remembered.
const KEYS: usize = 16_384;

#[derive(Debug, Default)]
pub struct Limits {
    /// Requests, by door and caller: a person who is at two doors has the room of each.
    pub requests: Limit<(&'static str, Who)>,
    /// Sign-ins and keys that are tried.
    pub attempts: Attempts,
    /// Wrong codes of recharge cards.
    pub card_codes: Limit<(IspId, Guesser)>,
    /// Wrong passwords and codes at the RADIUS desk.
    pub guessing: Guessing,
}

/// Who tries codes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Guesser {
    /// Whoever it is, for this customer.
    For(CustomerId),
    Caller(Who),
}

/// A minute's times by key, for all threads.
#[derive(Debug)]
pub struct Limit<K>(Mutex<Windows<K>>);

impl<K: Eq + Hash> Default for Limit<K> {
    fn default() -> Limit<K> {
        Limit(Mutex::new(Windows::new(MINUTE, KEYS)))
    }
}

impl<K: Eq + Hash> Limit<K> {
    /// Counts one where there were fewer than `most` in the last minute.
    ///
    /// # Errors
    /// How long until there is room again; nothing was counted.
    pub fn take(&self, key: K, most: usize, now: Instant) -> Result<Room, Wait> {
        self.0.lock().take(key, most, now)
    }

    /// Takes back the newest that was counted: it was not what is counted here.
    pub fn give_back(&self, key: &K) {
        self.0.lock().give_back(key);
    }

    /// Counts one; how many the last minute has with it, of which no more than `most` are kept.
    pub fn add(&self, key: K, most: usize, now: Instant) -> usize {
        self.0.lock().add(key, most, now)
    }
}
