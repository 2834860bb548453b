//! The authentication port: every Access-Request is decided by the [`Handler`] in the thread that received it, from
//! memory, and the batch's answers leave together. Every answer begins with Message-Authenticator (CVE-2024-3596)
//! and ends with the request's Proxy-State.

use std::io;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::delay::{Context, Delayed};
use super::gate::{self, Freshness, Passed, Room};
use super::socket::{self, Inbound, Outbound, wall_ns};
use super::{Client, Clients, Clock, Config, Counters, Running, guarded};
use crate::attribute::PROXY_STATE;
use crate::auth::{Credentials, Success};
use crate::cache::{Cache, Key, Seen};
use crate::packet::{Code, HEADER, Packet};
use crate::writer::{Overflow, Writer};

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Accept,
    Reject,
    /// Reject, sent so many milliseconds later; the thread goes on meanwhile.
    RejectAfter(u32),
    Challenge,
    /// No answer, so that the NAS asks another server; its repetition is decided anew.
    Silent,
}

/// Decides. One instance per thread.
pub trait Handler {
    /// Writes the answer's attributes (those of Message-Authenticator and Proxy-State are seen to) and says which
    /// answer it is. On [`Verdict::Reject`] only what RFC 2865 §5.44 allows there may be written.
    fn access(&mut self, request: &Request<'_>, reply: &mut Reply<'_>) -> Verdict;

    /// Whether Status-Server is answered: a server that stays silent to logins must not look alive to a NAS or proxy.
    fn is_ready(&self) -> bool {
        true
    }

    /// After each batch has been answered, and at least ten times a second: for what should not cost latency.
    fn after_batch(&mut self) {}
}

/// A verified Access-Request.
pub struct Request<'a> {
    pub packet: Packet<'a>,
    pub client: &'a Arc<Client>,
    pub source: SocketAddr,
    /// Nanoseconds since 1970 when the kernel received it.
    pub received_ns: u64,
}

impl<'a> Request<'a> {
    pub fn credentials(&self) -> Credentials<'a> {
        Credentials::of(&self.packet, &self.client.secret)
    }
}

/// The answer being written: a [`Writer`] that knows the secret.
pub struct Reply<'r> {
    writer: Writer<&'r mut [u8]>,
    client: &'r Client,
    request_authenticator: &'r [u8; 16],
    start: usize,
}

impl Reply<'_> {
    /// Forgets everything written so far.
    pub fn clear(&mut self) {
        self.writer.truncate(self.start);
    }

    /// A vendor's salt-encrypted value.
    pub fn put_vendor_encrypted(&mut self, vendor: u32, kind: u8, plain: &[u8]) -> Result<(), Overflow> {
        self.writer.put_vendor_salted(vendor, kind, plain, &self.client.secret, self.request_authenticator)
    }

    /// A tagged, salt-encrypted value (Tunnel-Password).
    pub fn put_tagged_encrypted(&mut self, kind: u8, tag: u8, plain: &[u8]) -> Result<(), Overflow> {
        self.writer.put_tagged_salted(kind, tag, plain, &self.client.secret, self.request_authenticator)
    }

    /// What MS-CHAPv2 wants in an Accept.
    pub fn put_mschap_success(&mut self, success: &Success) -> Result<(), Overflow> {
        success.write(&mut self.writer, &self.client.secret, self.request_authenticator)
    }
}

impl<'r> Deref for Reply<'r> {
    type Target = Writer<&'r mut [u8]>;
    fn deref(&self) -> &Self::Target {
        &self.writer
    }
}

impl DerefMut for Reply<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.writer
    }
}

/// Starts the threads; `handler` is called once for each, with its number.
pub fn start<C, H, F>(config: Config, clients: C, mut handler: F) -> io::Result<Running>
where
    C: Clients + Clone + 'static,
    H: Handler + Send + 'static,
    F: FnMut(usize) -> H,
{
    Running::start("radius-auth", &config.clone(), |i, fd, own, stop| {
        let mut thread = Thread {
            fd,
            cache: Cache::new(config.cache),
            delayed: Delayed::new(config.held.part(config.threads)),
            freshness: Freshness::default(),
            room: Room::new(config.receive_buffer),
            clock: Clock(Instant::now()),
            config: config.clone(),
            clients: Box::new(clients.clone()),
            counters: own.counters,
            all: own.all,
            handler: handler(i),
        };
        Box::new(move || thread.run(&stop))
    })
}

struct Thread<H> {
    fd: OwnedFd,
    config: Config,
    clients: Box<dyn Clients>,
    counters: Arc<Counters>,
    all: Arc<[Arc<Counters>]>,
    cache: Cache,
    delayed: Delayed,
    freshness: Freshness,
    room: Room,
    clock: Clock,
    handler: H,
}

impl<H: Handler> Thread<H> {
    fn run(&mut self, stop: &AtomicBool) {
        let (mut inbound, mut outbound) = (Inbound::new(), Outbound::new());
        let counters = self.counters.clone();
        while !stop.load(Ordering::Relaxed) {
            // At most 100 ms even with a distant answer held back, so that stopping is prompt.
            let wait = self.delayed.wait_ms(self.clock.now_ms()).map(|ms| Duration::from_millis(ms.min(100)));
            let n = inbound.receive(&self.fd, wait);
            let (now_ms, now_ns) = (self.clock.now_ms(), wall_ns());
            self.clients.refresh();
            for i in 0..n {
                guarded(&counters, || self.datagram(&inbound, i, now_ms, now_ns, &mut outbound));
            }
            self.counters.received.many(n as u64);
            self.flush(&mut outbound);
            self.release(now_ms, &mut outbound);
            self.make_room(&inbound, n, now_ns);
            self.handler.after_batch();
        }
    }

    fn make_room(&mut self, inbound: &Inbound, n: usize, now_ns: u64) {
        if n == 0 {
            self.freshness.idle();
        }
        let first = if n > 0 { inbound.datagram(0) } else { None };
        let oldest_ns = first.and_then(|first| first.received_ns).map_or(0, |received| now_ns.saturating_sub(received));
        let overloaded = self.freshness.is_overloaded(now_ns, &self.config);
        if let Some(bytes) = self.room.after(oldest_ns, overloaded, now_ns, &self.config) {
            // A size that the system does not allow leaves the socket as it was.
            let _ = socket::set_receive_buffer(&self.fd, bytes);
        }
    }

    fn datagram(&mut self, inbound: &Inbound, i: usize, now_ms: u64, now_ns: u64, outbound: &mut Outbound) {
        let Some(datagram) = inbound.datagram(i) else { return };
        let passed = gate::pass(
            &datagram,
            &mut self.freshness,
            Code::AccessRequest,
            now_ns,
            &self.config,
            &*self.clients,
            &self.counters,
        );
        let Some(passed) = passed else { return };
        let (target, local) = (datagram.source, datagram.local);
        if passed.packet.code() == Code::StatusServer {
            if !self.handler.is_ready() {
                return self.counters.silent.one();
            }
            if let Some(len) = gate::status(&passed, Code::AccessAccept, outbound.slot(), &self.counters, &self.all) {
                outbound.commit(len, target, local);
            }
            return;
        }
        let (key, authenticator) = (Key::of(target, &passed.packet), *passed.packet.authenticator());
        match self.cache.look(&key, &authenticator, now_ms) {
            Seen::Answered(answer) => {
                outbound.copy(answer, target, local);
                self.counters.duplicates.one();
                return;
            }
            Seen::InProgress => return self.counters.duplicates_in_progress.one(),
            Seen::New => {}
        }
        if !gate::believe(&passed, &*self.clients, &self.counters) {
            return;
        }
        let received_ns = datagram.received_ns.unwrap_or(now_ns);
        let decided = decide(&mut self.handler, &passed, received_ns, outbound.slot(), &self.counters);
        let Some((len, delay_ms)) = decided else { return };
        self.cache.begin(key, &authenticator, now_ms);
        let answer = &outbound.slot()[..len];
        if delay_ms > 0 {
            if self.delayed.has_room(passed.client.id) {
                self.counters.held.one();
                let context = Context { client: passed.client.id, key, local };
                return self.delayed.hold(now_ms + u64::from(delay_ms), answer, authenticator, target, context);
            }
            self.counters.held_full.one();
        }
        self.cache.finish(&key, &authenticator, answer);
        outbound.commit(len, target, local);
    }

    /// Sends what was held back and is now due.
    fn release(&mut self, now_ms: u64, outbound: &mut Outbound) {
        while let Some((held, context)) = self.delayed.due(now_ms) {
            self.counters.held_released.one();
            self.cache.finish(&context.key, &held.authenticator, &held.answer);
            outbound.copy(&held.answer, held.target, context.local);
            if outbound.is_full() {
                self.flush(outbound);
            }
        }
        self.flush(outbound);
    }

    fn flush(&mut self, outbound: &mut Outbound) {
        let count = outbound.len();
        if count > 0 {
            let failed = outbound.send(&self.fd);
            self.counters.answered.many((count - failed) as u64);
            self.counters.send_failed.many(failed as u64);
        }
    }
}

/// Asks the handler and signs what it wrote. Returns the answer's length and how long to hold it back.
fn decide<H: Handler>(
    handler: &mut H,
    passed: &Passed<'_>,
    received_ns: u64,
    slot: &mut [u8],
    counters: &Counters,
) -> Option<(usize, u32)> {
    let packet = &passed.packet;
    let mut writer = Writer::new(slot, Code::AccessReject, packet.id());
    let mac_at = writer.put_message_authenticator().ok()?;
    let proxy_states: usize = packet.find_all(PROXY_STATE).map(|state| state.len() + 2).sum();
    writer.reserve(proxy_states);
    let start = writer.len();
    let mut reply = Reply { writer, client: passed.client, request_authenticator: packet.authenticator(), start };
    let request = Request { packet: *packet, client: passed.client, source: passed.source, received_ns };
    let verdict = handler.access(&request, &mut reply);
    let mut writer = reply.writer;
    debug_assert!(mac_at == HEADER + 2);
    let (code, counter, delay_ms) = match verdict {
        Verdict::Accept => (Code::AccessAccept, &counters.accepts, 0),
        Verdict::Reject => (Code::AccessReject, &counters.rejects, 0),
        Verdict::RejectAfter(ms) => (Code::AccessReject, &counters.rejects, ms),
        Verdict::Challenge => (Code::AccessChallenge, &counters.challenges, 0),
        Verdict::Silent => {
            counters.silent.one();
            return None;
        }
    };
    counter.one();
    writer.set_code(code);
    writer.release(proxy_states);
    match gate::finish(writer, packet, mac_at, passed) {
        Ok(len) => Some((len, delay_ms)),
        Err(_) => {
            counters.overflow.one();
            None
        }
    }
}
