//! Once means once: a caller's key (`Idempotency-Key`) is taken in the transaction of what it was sent for.
//!
//! A door runs a call that has a key within [`During`]; whatever change the call makes then takes the key as its first
//! act, so that no use case has to be told and none can forget. Key and act are committed together or not at all: after a
//! crash the repeat does what was not done. What was answered is kept afterwards, sealed, for the repeats ([`keep`]).
//!
//! Two calls with one key: in this process the second waits for the first ([`Underway`]); that of another node waits where
//! it takes the key, and then for the answer. Where a server ended between the act and its answer, the repeat is told that
//! it was done ([`Seen::Lost`]) and does it no second time. Use cases that keep their own result (`App::change_once`) give
//! that again even then.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::{Instant, IspId};
use parking_lot::Mutex;
use store::{
    db::{Class, Engine, Tx},
    kernel::idempotency,
};

use crate::{
    Actor, App, Error, Vault,
    kernel::vault::{hex, random_bytes, unhex},
};

/// The longest key.
pub const LONGEST: usize = 255;
/// So many calls may wait for the first one with their key.
pub const MAX_WAITING: usize = 64;
/// So long a repeat waits for the first call; then it is told that that is still under way.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// No call of another node takes this long: a key that has been taken for longer without an answer has lost it.
const LONGEST_CALL: i64 = 60_000_000;

/// A caller's key for a write: the first answer is given again to its repeats.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallerKey {
    pub key: String,
    /// What the request said, hashed: the same key with another body is refused.
    pub request_hash: String,
}

/// What a key may be: 1 to 255 printable characters of ASCII.
pub fn is_key(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

tokio::task_local! {
    static DURING: Arc<During>;
}

/// A call with a key, while it is worked on.
#[derive(Debug)]
pub struct During {
    isp: IspId,
    /// Whole answers are kept apart from use cases' results.
    scope: String,
    key: CallerKey,
    /// Whose claim it is: this process's, this call's.
    claim: String,
    changed: AtomicBool,
}

impl During {
    pub fn new(app: &App, actor: &Actor, key: CallerKey) -> Arc<During> {
        let claim = format!("{CLAIMED}{}:{}", app.underway.process, hex(&random_bytes::<8>()));
        let scope = format!("answer:{}", actor.label());
        Arc::new(During { isp: actor.isp, scope, key, claim, changed: AtomicBool::new(false) })
    }

    /// Works on the call.
    pub async fn work<F: Future>(self: Arc<During>, call: F) -> F::Output {
        DURING.scope(self, call).await
    }

    /// Whether the call has changed anything.
    pub fn has_changed(&self) -> bool {
        self.changed.load(Ordering::Acquire)
    }

    /// The first act of a change.
    pub(super) async fn claim(&self, tx: &Tx, now: Instant) -> Result<(), Error> {
        let CallerKey { key, request_hash } = &self.key;
        match idempotency::claim(tx, self.isp, &self.scope, key, request_hash, now).await? {
            None => Ok(idempotency::remember(tx, self.isp, &self.scope, key, &self.claim).await?),
            Some(seen) if seen.answer == self.claim => Ok(()),
            Some(seen) if seen.request_hash != *request_hash => Err(Error::KeyReused),
            Some(_) => Err(Error::KeyTaken),
        }
    }

    pub(super) fn committed(&self) {
        self.changed.store(true, Ordering::Release);
    }

    fn place(&self) -> String {
        format!("{}:{}", place(self.isp, &self.scope), self.key.key)
    }
}

/// The call that is being worked on, where it has a key.
pub(super) fn during() -> Option<Arc<During>> {
    DURING.try_with(Arc::clone).ok()
}

/// What a kept answer begins with as long as its call is under way.
const CLAIMED: &str = "claimed:";
/// What a kept answer begins with that is sealed: answers may hold secrets that are shown once.
const SEALED: &str = "sealed:";

fn place(isp: IspId, scope: &str) -> String {
    match scope.strip_prefix("answer:") {
        Some(label) => format!("answer:{isp}:{label}"),
        None => format!("result:{isp}:{scope}"),
    }
}

/// A use case's result, as it is kept.
pub(super) fn sealed_result(vault: &Vault, isp: IspId, scope: &str, key: &str, result: &str) -> String {
    sealed(vault, &format!("{}:{key}", place(isp, scope)), result)
}

/// The same, read; results of older programs were not sealed.
pub(super) fn opened_result(vault: &Vault, isp: IspId, scope: &str, key: &str, kept: &str) -> Result<String, Error> {
    opened(vault, &format!("{}:{key}", place(isp, scope)), kept)
}

fn sealed(vault: &Vault, place: &str, answer: &str) -> String {
    format!("{SEALED}{}", hex(&vault.seal(place, answer)))
}

fn opened(vault: &Vault, place: &str, kept: &str) -> Result<String, Error> {
    let Some(text) = kept.strip_prefix(SEALED) else { return Ok(kept.into()) };
    let answer = unhex(text).and_then(|bytes| vault.open(place, &bytes));
    answer.ok_or_else(|| Error::Internal("a kept answer does not open".into()))
}

/// An answer under the key that seals now.
pub(super) enum Again {
    Is,
    With(String),
    /// No key here opens it.
    Closed,
}

/// What is kept, sealed anew where another key has sealed it.
pub(super) fn resealed(vault: &Vault, isp: IspId, scope: &str, key: &str, kept: &str) -> Again {
    let Some(text) = kept.strip_prefix(SEALED) else { return Again::Is };
    let at = format!("{}:{key}", place(isp, scope));
    match unhex(text) {
        Some(bytes) if vault.is_current(&bytes) => Again::Is,
        Some(bytes) => vault.open(&at, &bytes).map_or(Again::Closed, |clear| Again::With(sealed(vault, &at, &clear))),
        None => Again::Closed,
    }
}

/// What is known of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    /// It is new.
    Never,
    Answered(String),
    /// Another node works on it.
    UnderWay,
    /// It was done, and its answer is lost.
    Lost,
}

/// What is known of this call's key.
///
/// # Errors
/// `KeyReused` when the key came with another request.
pub async fn seen(app: &App, during: &Arc<During>) -> Result<Seen, Error> {
    let asked = during.clone();
    let read = app.db.read(async move |tx| idempotency::find(tx, asked.isp, &asked.scope, &asked.key.key).await);
    let Some(row) = read.await.map_err(|error: store::db::Error| Error::from(error))? else { return Ok(Seen::Never) };
    if row.request_hash != during.key.request_hash {
        return Err(Error::KeyReused);
    }
    let Some(claim) = row.answer.strip_prefix(CLAIMED) else {
        return opened(&app.vault, &during.place(), &row.answer).map(Seen::Answered);
    };
    // Calls of this process have had their turn, and a file has one process at a time.
    let ours = claim.split(':').next() == Some(app.underway.process.as_str());
    let is_over = ours || app.db.engine() == Engine::Sqlite || row.created_at.plus(LONGEST_CALL) < app.clock.now();
    Ok(if is_over { Seen::Lost } else { Seen::UnderWay })
}

/// Keeps the answer that a caller was given, for its repeats. The first one stays.
///
/// # Errors
/// The database's.
pub async fn keep(app: &App, during: &Arc<During>, answer: &str) -> Result<(), Error> {
    let (during, now) = (during.clone(), app.clock.now());
    let answer = sealed(&app.vault, &during.place(), answer);
    let kept = app.db.tx(Class::Interactive, async move |tx| {
        let During { isp, scope, key, claim, .. } = &*during;
        match idempotency::claim(tx, *isp, scope, &key.key, &key.request_hash, now).await? {
            Some(seen) if seen.answer != *claim => Ok(()),
            Some(_) | None => idempotency::remember(tx, *isp, scope, &key.key, &answer).await,
        }
    });
    kept.await.map_err(|error: store::db::Error| error.into())
}

/// The calls with keys that this process works on: one at a time for each key.
#[derive(Debug)]
pub struct Underway {
    /// Tells this process's claims from those of others, and of its own former lives.
    process: String,
    keys: Mutex<HashMap<String, Arc<Place>>>,
}

#[derive(Default, Debug)]
struct Place {
    turn: Arc<tokio::sync::Mutex<()>>,
    waiting: AtomicUsize,
}

impl Default for Underway {
    fn default() -> Underway {
        Underway { process: hex(&random_bytes::<8>()), keys: Mutex::default() }
    }
}

/// A call's turn; the next one with its key has it when this is dropped.
#[derive(Debug)]
pub struct Turn {
    underway: Arc<Underway>,
    name: String,
    place: Option<Arc<Place>>,
    held: Option<tokio::sync::OwnedMutexGuard<()>>,
}

impl Underway {
    /// Waits until no other call with this key is under way. `None`: it takes too long, or too many wait.
    pub async fn turn(self: &Arc<Underway>, during: &During) -> Option<Turn> {
        let name = during.place();
        let place = self.keys.lock().entry(name.clone()).or_default().clone();
        let is_crowded = place.waiting.fetch_add(1, Ordering::AcqRel) > MAX_WAITING;
        let lock = place.turn.clone();
        // Made before it waits: whoever goes away while it does leaves nothing behind.
        let mut turn = Turn { underway: self.clone(), name, place: Some(place), held: None };
        if is_crowded {
            return None;
        }
        turn.held = Some(tokio::time::timeout(PATIENCE, lock.lock_owned()).await.ok()?);
        Some(turn)
    }

    /// How many keys have calls under way.
    pub fn count(&self) -> usize {
        self.keys.lock().len()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        drop(self.held.take());
        let mut keys = self.underway.keys.lock();
        let Some(place) = self.place.take() else { return };
        if place.waiting.fetch_sub(1, Ordering::AcqRel) == 1 {
            keys.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        let long = "k".repeat(LONGEST);
        let longer = format!("{long}k");
        let rows = [
            ("k", true),
            ("order 12/a", true),
            (long.as_str(), true),
            ("", false),
            (longer.as_str(), false),
            ("a\tb", false),
            ("é", false),
            ("a\u{7f}", false),
        ];
        for (text, expected) in rows {
            assert_eq!(is_key(text), expected, "{text}");
        }
    }
}
