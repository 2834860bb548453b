//! Hashing people's passwords: as many places as there are cores, a queue of bounded length, off the reactor.
//!
//! One argon2id costs some 20 ms of a core and 19 MiB. Without places, whoever sends sign-ins decides how much memory and
//! how many threads this process has. A place is kept until the hash is done, even when its caller has gone meanwhile.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use argon2::{
    ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, PasswordHash, Version,
    password_hash::{
        self,
        phc::{Output, ParamsString, Salt},
    },
};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::{attempts::Attempt, vault::random_bytes};
use crate::Error;

/// So many may wait for a place: with two cores they are served within a second.
pub const MAX_WAITING: usize = 64;
/// Senders that an account knows have so many places more: a flood of strangers does not keep an owner out.
const FOR_KNOWN: usize = 16;
/// Who has waited so long is told to come again: the caller's own patience is 30 s at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// Hashes a password that somebody gets (argon2id, PHC form).
///
/// # Errors
/// [`Error::Busy`] when too many wait.
pub async fn hash_password(password: String) -> Result<String, Error> {
    let hashed = house().work(false, move |memory| hashed(&password, memory));
    hashed.await?.map_err(|error| Error::Internal(error.to_string()))
}

/// Whether it is the password. The attempt has been counted.
///
/// # Errors
/// [`Error::Busy`] when too many wait.
pub async fn password_matches(attempt: &Attempt<'_>, password: String, hash: String) -> Result<bool, Error> {
    house().work(attempt.is_known(), move |memory| matches(&password, &hash, memory).unwrap_or(false)).await
}

/// Takes as long as a wrong password, where there is none to compare with: the answer's time does not tell who exists.
///
/// # Errors
/// [`Error::Busy`] when too many wait.
pub async fn as_long_as_wrong(_: &Attempt<'_>, password: String) -> Result<(), Error> {
    hash_password(password).await.map(drop)
}

/// What a hash is computed in. A place's memory is used again and again: the allocator would keep it for every thread that
/// ever had a turn.
type Memory = Vec<Block>;

fn hashed(password: &str, memory: &mut Memory) -> password_hash::Result<String> {
    let (argon2, salt) = (Argon2::default(), Salt::new(&random_bytes::<16>())?);
    let hash = output(&argon2, password, &salt, Params::DEFAULT_OUTPUT_LEN, memory)?;
    Ok(PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::default().into()),
        params: ParamsString::try_from(argon2.params())?,
        salt: Some(salt),
        hash: Some(hash),
    }
    .to_string())
}

fn matches(password: &str, hash: &str, memory: &mut Memory) -> password_hash::Result<bool> {
    let parsed = PasswordHash::new(hash)?;
    let (Some(salt), Some(expected)) = (&parsed.salt, &parsed.hash) else { return Ok(false) };
    let version = parsed.version.map(Version::try_from).transpose()?.unwrap_or_default();
    let argon2 = Argon2::new(Algorithm::try_from(parsed.algorithm.as_str())?, version, Params::try_from(&parsed)?);
    // Outputs are compared in constant time.
    Ok(output(&argon2, password, salt, expected.len(), memory)? == *expected)
}

fn output(
    argon2: &Argon2<'_>,
    password: &str,
    salt: &[u8],
    length: usize,
    memory: &mut Memory,
) -> password_hash::Result<Output> {
    memory.resize(argon2.params().block_count(), Block::default());
    let mut buffer = [0; Output::MAX_LENGTH];
    let out = buffer.get_mut(..length).ok_or(password_hash::Error::OutputSize)?;
    argon2.hash_password_into_with_memory(password.as_bytes(), salt, out, &mut memory[..])?;
    Ok(Output::new(out)?)
}

static HOUSE: OnceLock<Places> = OnceLock::new();

fn house() -> &'static Places {
    HOUSE.get_or_init(|| Places::new(0, MAX_WAITING))
}

/// How many may be hashed at once (0: as many as there are cores), and how many may wait. To be said before the first.
pub fn set(places: usize, waiting: usize) {
    let _ = HOUSE.set(Places::new(places, waiting));
}

struct Places {
    free: Arc<Semaphore>,
    waiting: AtomicUsize,
    most: usize,
    /// Of places that are free.
    memory: Arc<Mutex<Vec<Memory>>>,
    patience: Duration,
}

impl Places {
    fn new(places: usize, most: usize) -> Places {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let places = if places == 0 { cores() } else { places };
        Places {
            free: Arc::new(Semaphore::new(places)),
            waiting: AtomicUsize::new(0),
            most,
            memory: Arc::default(),
            patience: PATIENCE,
        }
    }

    async fn work<T: Send + 'static>(
        &self,
        is_known: bool,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let place = match self.free.clone().try_acquire_owned() {
            Ok(place) => place,
            Err(_) => {
                let _queued = self.queue(is_known).ok_or_else(busy)?;
                let place = tokio::time::timeout(self.patience, self.free.clone().acquire_owned()).await;
                place.map_err(|_| busy())?.map_err(|closed| Error::Internal(closed.to_string()))?
            }
        };
        let all = self.memory.clone();
        let done = tokio::task::spawn_blocking(move || {
            let mut memory = all.lock().pop().unwrap_or_default();
            let done = work(&mut memory);
            all.lock().push(memory);
            drop(place);
            done
        });
        done.await.map_err(|error| Error::Internal(error.to_string()))
    }

    /// A place in the queue, if there is one.
    fn queue(&self, is_known: bool) -> Option<Queued<'_>> {
        let most = self.most + if is_known { FOR_KNOWN } else { 0 };
        let room = |waiting| (waiting < most).then_some(waiting + 1);
        self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).ok()?;
        let queued = Queued(self);
        queued.tell();
        Some(queued)
    }
}

fn busy() -> Error {
    metrics::counter!("limit_refusals_total", "limit" => "hashing_waiting").increment(1);
    Error::Busy
}

struct Queued<'a>(&'a Places);

impl Queued<'_> {
    fn tell(&self) {
        metrics::gauge!("passwords_waiting").set(self.0.waiting.load(Ordering::Relaxed) as f64);
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
        self.tell();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_more_are_hashed_at_once_and_no_more_wait() {
        let places = Arc::new(Places::new(2, 3));
        let (began, begun) = mpsc::channel();
        let mut ends = Vec::new();
        let mut work = |places: &Arc<Places>| {
            let (places, began) = (places.clone(), began.clone());
            let (end, ended) = mpsc::channel::<()>();
            ends.push(end);
            tokio::spawn(async move {
                let busy = move |_: &mut Memory| {
                    began.send(()).expect("a listener");
                    ended.recv().ok();
                };
                places.work(false, busy).await
            })
        };
        let (first, second) = (work(&places), work(&places));
        begun.recv().expect("the first");
        begun.recv().expect("the second");
        // The caller of the first goes away: its hash goes on, and so its place is not free.
        first.abort();
        let waiting: Vec<_> = (0..3).map(|_| work(&places)).collect();
        while places.waiting.load(Ordering::Relaxed) < 3 {
            tokio::task::yield_now().await;
        }
        assert_eq!(work(&places).await.expect("no panic"), Err(Error::Busy), "the queue is full");
        let known = tokio::spawn({
            let places = places.clone();
            async move { places.work(true, |_| ()).await }
        });
        assert!(begun.try_recv().is_err(), "both places are taken");
        drop(ends);
        assert_eq!(second.await.expect("no panic"), Ok(()));
        assert_eq!(known.await.expect("no panic"), Ok(()), "but not for who is known");
        for one in waiting {
            assert_eq!(one.await.expect("no panic"), Ok(()));
        }
        assert_eq!((places.waiting.load(Ordering::Relaxed), places.free.available_permits()), (0, 2));
    }

    #[test]
    fn a_hash_is_one_that_others_read_and_the_other_way_round() {
        use argon2::{PasswordHasher, PasswordVerifier};
        let mut memory = Memory::new();
        let ours = hashed("correct horse", &mut memory).unwrap();
        assert!(ours.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{ours}");
        let parsed = PasswordHash::new(&ours).unwrap();
        assert!(Argon2::default().verify_password(b"correct horse", &parsed).is_ok());
        let cheaper = Argon2::new(Algorithm::Argon2i, Version::V0x13, Params::new(64, 3, 1, Some(20)).unwrap());
        let theirs = cheaper.hash_password(b"correct horse").unwrap().to_string();
        for (password, hash, expected) in [
            ("correct horse", ours.as_str(), Some(true)),
            ("wrong horse", &ours, Some(false)),
            ("correct horse", &theirs, Some(true)),
            ("wrong horse", &theirs, Some(false)),
            ("", &ours, Some(false)),
            ("correct horse", "", None),
            ("correct horse", "$argon2id$v=19$m=19456,t=2,p=1$", None),
            ("correct horse", "$2y$10$abcdefghijklmnopqrstuv", None),
        ] {
            assert_eq!(matches(password, hash, &mut memory).ok(), expected, "{password} {hash}");
        }
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told() {
        let places = Places { patience: Duration::from_millis(1), ..Places::new(1, 1) };
        let held = places.free.clone().acquire_owned().await.expect("a place");
        assert_eq!(places.work(false, |_| ()).await, Err(Error::Busy));
        drop(held);
        assert_eq!(places.work(false, |_| ()).await, Ok(()));
    }
}
