//! The accounting port: the thread that receives verifies (Request Authenticator, RFC 2866 §3; Message-Authenticator
//! where there is one), sorts out repetitions, and hands on. The answer comes later, from whoever has made the record
//! durable ([`Responder`]), because an Accounting-Response acknowledges (RFC 2866 §2). A request that is dropped
//! anywhere on the way is forgotten by the duplicate cache, so that its repetition gets its chance.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::gate::{self, Freshness, Passed};
use super::socket::{Inbound, Local, Outbound, wall_ns};
use super::{Client, Clients, Clock, Config, Counters, Running, guarded};
use crate::authenticator;
use crate::cache::{Cache, Key, Seen};
use crate::packet::{Code, Packet};
use crate::writer::Writer;

/// Where verified requests go. [`Queue`] is the one to use; it must never block.
pub trait Inbox: Send + Sync {
    /// Takes the request in; returns how many older ones had to be dropped for it.
    fn deliver(&self, request: AcctRequest) -> usize;

    /// Whether Status-Server is answered.
    fn is_ready(&self) -> bool {
        true
    }
}

/// A verified Accounting-Request that somebody has to answer. Dropped unanswered, it may be repeated.
pub struct AcctRequest {
    bytes: Box<[u8]>,
    pub client: Arc<Client>,
    pub source: SocketAddr,
    /// Nanoseconds since 1970 when the kernel received it.
    pub received_ns: u64,
    target: SocketAddr,
    local: Option<Local>,
    port: Arc<Port>,
    answered: AtomicBool,
}

impl AcctRequest {
    pub fn packet(&self) -> Packet<'_> {
        Packet::parse(&self.bytes).expect("checked when it was received")
    }

    fn key(&self) -> (Key, [u8; 16]) {
        let packet = self.packet();
        (Key::of(self.target, &packet), *packet.authenticator())
    }
}

impl Drop for AcctRequest {
    fn drop(&mut self) {
        if !*self.answered.get_mut() {
            let (key, authenticator) = self.key();
            self.port.cache().forget(&key, &authenticator);
        }
    }
}

/// What the receiving thread and the answering ones share of one socket.
struct Port {
    fd: OwnedFd,
    cache: Mutex<Cache>,
    counters: Arc<Counters>,
    all: Arc<[Arc<Counters>]>,
}

impl Port {
    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn flush(&self, outbound: &mut Outbound) {
        let count = outbound.len();
        if count > 0 {
            let failed = outbound.send(&self.fd);
            self.counters.answered.many((count - failed) as u64);
            self.counters.send_failed.many(failed as u64);
        }
    }
}

/// Starts the threads.
pub fn start<C>(config: Config, clients: C, inbox: Arc<dyn Inbox>) -> io::Result<Running>
where
    C: Clients + Clone + 'static,
{
    Running::start("radius-acct", &config.clone(), |_, fd, own, stop| {
        let port =
            Arc::new(Port { fd, cache: Mutex::new(Cache::new(config.cache)), counters: own.counters, all: own.all });
        let mut thread = Thread {
            port,
            config: config.clone(),
            clients: Box::new(clients.clone()),
            inbox: inbox.clone(),
            clock: Clock(Instant::now()),
        };
        Box::new(move || thread.run(&stop))
    })
}

struct Thread {
    port: Arc<Port>,
    config: Config,
    clients: Box<dyn Clients>,
    inbox: Arc<dyn Inbox>,
    clock: Clock,
}

impl Thread {
    fn run(&mut self, stop: &AtomicBool) {
        let (mut inbound, mut outbound) = (Inbound::new(), Outbound::new());
        let mut freshness = Freshness::default();
        while !stop.load(Ordering::Relaxed) {
            let n = inbound.receive(&self.port.fd, None);
            let (now_ms, now_ns) = (self.clock.now_ms(), wall_ns());
            self.clients.refresh();
            for i in 0..n {
                guarded(&self.port.counters, || {
                    self.datagram(&inbound, i, &mut freshness, now_ms, now_ns, &mut outbound);
                });
            }
            self.port.counters.received.many(n as u64);
            self.port.flush(&mut outbound);
        }
    }

    fn datagram(
        &self,
        inbound: &Inbound,
        i: usize,
        freshness: &mut Freshness,
        now_ms: u64,
        now_ns: u64,
        outbound: &mut Outbound,
    ) {
        let counters = &*self.port.counters;
        let Some(datagram) = inbound.datagram(i) else { return };
        let passed =
            gate::pass(&datagram, freshness, Code::AccountingRequest, now_ns, &self.config, &*self.clients, counters);
        let Some(passed) = passed else { return };
        let (target, local) = (datagram.source, datagram.local);
        if passed.packet.code() == Code::StatusServer {
            if !self.inbox.is_ready() {
                return counters.silent.one();
            }
            if let Some(len) =
                gate::status(&passed, Code::AccountingResponse, outbound.slot(), counters, &self.port.all)
            {
                outbound.commit(len, target, local);
            }
            return;
        }
        let (key, authenticator) = (Key::of(target, &passed.packet), *passed.packet.authenticator());
        match self.port.cache().look(&key, &authenticator, now_ms) {
            Seen::Answered(answer) => {
                outbound.copy(answer, target, local);
                return counters.duplicates.one();
            }
            Seen::InProgress => return counters.duplicates_in_progress.one(),
            Seen::New => {}
        }
        if !self.verified(&passed) {
            return;
        }
        self.port.cache().begin(key, &authenticator, now_ms);
        let request = AcctRequest {
            bytes: passed.packet.bytes().into(),
            client: passed.client.clone(),
            source: passed.source,
            received_ns: datagram.received_ns.unwrap_or(now_ns),
            target,
            local,
            port: self.port.clone(),
            answered: AtomicBool::new(false),
        };
        // No lock is held here: requests dropped by the inbox lock the cache to be forgotten.
        counters.queue_full.many(self.inbox.deliver(request) as u64);
    }

    /// Accounting-Requests are signed as a whole by their authenticator; Message-Authenticator, where sent, must be
    /// right too, but is never demanded (RFC 5080 §2.2.3: it adds nothing here).
    fn verified(&self, passed: &Passed<'_>) -> bool {
        let (packet, secret) = (&passed.packet, &passed.client.secret);
        if !authenticator::check_request_authenticator(packet, secret) {
            self.port.counters.bad_authenticator.one();
            return false;
        }
        if authenticator::check_request_mac(packet, secret) == authenticator::MessageAuthenticator::Wrong {
            self.port.counters.bad_message_authenticator.one();
            return false;
        }
        true
    }
}

/// Sends Accounting-Responses; one per answering thread, for it keeps the buffers.
pub struct Responder {
    outbound: Outbound,
}

impl Default for Responder {
    fn default() -> Responder {
        Responder::new()
    }
}

impl Responder {
    pub fn new() -> Responder {
        Responder { outbound: Outbound::new() }
    }

    pub fn answer(&mut self, request: &AcctRequest) {
        self.answer_all(std::slice::from_ref(request));
    }

    /// Signs, remembers and sends the answers to `requests`, in as few system calls as they allow. Those already
    /// answered are passed over.
    pub fn answer_all(&mut self, requests: &[AcctRequest]) {
        let mut rest = requests;
        while let Some(first) = rest.first() {
            // Requests of one batch mostly came through one socket.
            let port = &first.port;
            let run = rest.iter().take_while(|r| Arc::ptr_eq(&r.port, port)).count();
            let mut cache = port.cache();
            for request in &rest[..run] {
                self.prepare(request, &mut cache);
                if self.outbound.is_full() {
                    port.flush(&mut self.outbound);
                }
            }
            drop(cache);
            port.flush(&mut self.outbound);
            rest = &rest[run..];
        }
    }

    fn prepare(&mut self, request: &AcctRequest, cache: &mut Cache) {
        if request.answered.swap(true, Ordering::Relaxed) {
            return;
        }
        let packet = request.packet();
        let slot = self.outbound.slot();
        let len = respond(&packet, slot, &request.client);
        let (key, authenticator) = request.key();
        cache.finish(&key, &authenticator, &slot[..len]);
        self.outbound.commit(len, request.target, request.local);
    }
}

/// RFC 2866 §4.2: no attributes but Proxy-State. Message-Authenticator is added where the request had one.
fn respond(packet: &Packet<'_>, slot: &mut [u8], client: &Client) -> usize {
    let mut writer = Writer::new(slot, Code::AccountingResponse, packet.id());
    let wants_mac = packet.has(crate::attribute::MESSAGE_AUTHENTICATOR);
    // What came in one packet fits into one packet: the answer repeats a part of the request.
    let mac_at = if wants_mac { writer.put_message_authenticator().ok() } else { None };
    for state in packet.find_all(crate::attribute::PROXY_STATE) {
        let _ = writer.put(crate::attribute::PROXY_STATE, state);
    }
    let len = writer.len();
    authenticator::sign_response(writer.bytes_mut(), packet.authenticator(), mac_at, &client.secret);
    len
}

/// A bounded queue that drops its oldest when full: their NAS is the first to give up.
pub struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    capacity: usize,
}

struct Waiting {
    requests: VecDeque<AcctRequest>,
    closed: bool,
}

impl Queue {
    pub fn new(capacity: usize) -> Arc<Queue> {
        let waiting = Waiting { requests: VecDeque::new(), closed: false };
        Arc::new(Queue { waiting: Mutex::new(waiting), arrived: Condvar::new(), capacity: capacity.max(1) })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn len(&self) -> usize {
        self.lock().requests.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Wakes all takers; what waits may still be taken.
    pub fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    /// Appends up to `max` requests to `out`, oldest first: waits up to `wait` for the first, then `linger` for more.
    /// Returns `false` once the queue is closed and empty.
    pub fn take(&self, max: usize, wait: Duration, linger: Duration, out: &mut Vec<AcctRequest>) -> bool {
        let max = max.max(1);
        let mut waiting = self.wait_for(self.lock(), 1, wait);
        if waiting.requests.is_empty() {
            return !waiting.closed;
        }
        if waiting.requests.len() < max && !linger.is_zero() {
            waiting = self.wait_for(waiting, max, linger);
        }
        let count = waiting.requests.len().min(max);
        out.extend(waiting.requests.drain(..count));
        true
    }

    fn wait_for<'q>(
        &self,
        waiting: MutexGuard<'q, Waiting>,
        count: usize,
        timeout: Duration,
    ) -> MutexGuard<'q, Waiting> {
        let short = |w: &mut Waiting| w.requests.len() < count && !w.closed;
        self.arrived.wait_timeout_while(waiting, timeout, short).unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Inbox for Queue {
    fn deliver(&self, request: AcctRequest) -> usize {
        let mut waiting = self.lock();
        let dropped = if waiting.requests.len() >= self.capacity { waiting.requests.pop_front() } else { None };
        waiting.requests.push_back(request);
        drop(waiting);
        self.arrived.notify_one();
        usize::from(dropped.is_some())
    }
}
