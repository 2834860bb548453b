//! The server: plain threads, each with its own SO_REUSEPORT socket and duplicate cache, taking and answering
//! datagrams in batches. [`access`] answers Access-Requests in the thread that received them; [`accounting`] hands
//! verified Accounting-Requests to a bounded queue and lets any thread answer later. Status-Server (RFC 5997) is
//! answered on both. What is wrong is met with silence and a counter.

pub mod access;
pub mod accounting;
mod counters;
mod delay;
mod gate;
mod socket;
pub mod statistics;

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

pub use access::{Handler, Reply, Request, Verdict};
pub use accounting::{AcctRequest, Inbox, Queue, Responder};
pub use counters::{Counter, Counters, Snapshot};
pub use socket::Local;

use crate::authenticator::Secret;
use crate::cache;
use crate::packet::Packet;
use crate::policy::{Policy, PolicyCell};

/// A router (or a subnet of them) that may ask.
#[derive(Debug)]
pub struct Client {
    /// The owner's name for it; this crate only carries it.
    pub id: u64,
    pub secret: Secret,
    pub policy: PolicyCell,
    /// May ask for the server's figures by Status-Server ([`statistics`]).
    pub sees_statistics: bool,
}

impl Client {
    pub fn new(id: u64, secret: impl AsRef<[u8]>, policy: Policy) -> Client {
        Client { id, secret: Secret::new(secret), policy: PolicyCell::new(policy), sees_statistics: false }
    }
}

/// Who may ask. One instance per thread, so that threads do not take turns at counting who holds what.
pub trait Clients: Send {
    /// Before each batch: the time to take up what has changed.
    fn refresh(&mut self) {}

    /// The client at this source. Called once for every datagram that is a RADIUS packet, so it must be quick. IPv4 addresses are given as IPv4 also on IPv6 sockets. The packet is unverified:
    /// it is there so that NAS-Identifier can tell routers behind one address apart.
    fn find(&self, source: SocketAddr, packet: &Packet<'_>) -> Option<&Arc<Client>>;

    /// A client under [`Policy::Learn`] sent its first right Message-Authenticator: to be written down.
    fn learnt(&self, _client: &Client) {}
}

#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    pub threads: usize,
    /// Bytes asked of the kernel per socket; beyond rmem_max with CAP_NET_ADMIN only.
    pub receive_buffer: usize,
    /// Requests that waited longer in the socket are dropped: their NAS has given up on them.
    pub max_age_ms: u64,
    /// The same once a backlog has stood for `max_age_ms`: short, so that what is answered is worth answering.
    pub overload_age_ms: u64,
    /// Per thread.
    pub cache: cache::Limits,
    pub held: Held,
}

/// How many answers are held back at a time ([`Verdict::RejectAfter`]), over all threads. What is refused beyond leaves at
/// once and is counted (`held_full`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    pub in_all: usize,
    /// Of one router.
    pub per_client: usize,
}

impl Default for Held {
    fn default() -> Held {
        Held { in_all: 4096, per_client: 256 }
    }
}

impl Held {
    /// A thread's part, for threads share nothing.
    fn part(self, threads: usize) -> Held {
        let part = |most: usize| most.div_ceil(threads.max(1));
        Held { in_all: part(self.in_all), per_client: part(self.per_client) }
    }
}

impl Config {
    pub fn new(listen: SocketAddr) -> Config {
        Config {
            listen,
            threads: 1,
            receive_buffer: 8 << 20,
            max_age_ms: 2_000,
            overload_age_ms: 250,
            cache: cache::Limits::default(),
            held: Held::default(),
        }
    }
}

/// A running server. Dropping it stops it.
pub struct Running {
    local: SocketAddr,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    counters: Vec<Arc<Counters>>,
}

impl Running {
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    pub fn counters(&self) -> Snapshot {
        let mut sum = Snapshot::default();
        self.counters.iter().for_each(|thread| sum.add(thread));
        sum
    }

    /// Ends the threads and waits for them, at most about a tenth of a second.
    pub fn stop(mut self) {
        self.join();
    }

    fn join(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a RADIUS thread panicked");
            }
        }
    }

    /// Opens the sockets and gives each a thread that runs `body` until told to stop.
    fn start<F>(name: &str, config: &Config, mut body: F) -> io::Result<Running>
    where
        F: FnMut(usize, OwnedFd, Own, Arc<AtomicBool>) -> Box<dyn FnOnce() + Send>,
    {
        let sockets = socket::open(config.listen, config.threads, config.receive_buffer)?;
        let local = socket::local_addr(&sockets[0])?;
        let stop = Arc::new(AtomicBool::new(false));
        let mut running = Running { local, stop, threads: Vec::new(), counters: Vec::new() };
        running.counters = sockets.iter().map(|_| Arc::new(Counters::default())).collect();
        let all: Arc<[Arc<Counters>]> = running.counters.clone().into();
        for (i, fd) in sockets.into_iter().enumerate() {
            let own = Own { counters: all[i].clone(), all: all.clone() };
            let run = body(i, fd, own, running.stop.clone());
            running.threads.push(std::thread::Builder::new().name(format!("{name}-{i}")).spawn(run)?);
        }
        Ok(running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.join();
    }
}

/// A thread's counters, and everybody's.
struct Own {
    counters: Arc<Counters>,
    all: Arc<[Arc<Counters>]>,
}

/// One request's bug must not take the port away from everybody: a panic is counted, logged, and met with silence.
fn guarded(counters: &Counters, work: impl FnOnce()) {
    if std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err() {
        counters.panics.one();
        tracing::error!("a RADIUS request made its handler panic; it was not answered");
    }
}

/// Milliseconds since the thread began: the clock of caches and delays.
#[derive(Clone, Copy)]
struct Clock(Instant);

impl Clock {
    fn now_ms(&self) -> u64 {
        self.0.elapsed().as_millis() as u64
    }
}
