//! The login desk: an Access-Request decided from memory in the thread that received it.
//!
//! With the directory not loaded the desk is silent, so that the NAS asks another server; a name it does not know is
//! refused only while the event feed is fresh. It never refuses because it does not know.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use domain::{
    CustomerId, Instant, IspId, Kind, Mac, RouterId, ServiceId, Status,
    access::decide::{self, Decision, Live, Login, MacLock, Reason, Subscriber},
    kernel::clock::HOUR,
};
use parking_lot::Mutex;
use radius::{
    Overflow, Packet,
    attribute::{CALLING_STATION_ID, NAS_PORT, NAS_PORT_TYPE, REPLY_MESSAGE, USER_NAME},
    auth::{Known, Proof},
    server::{Handler, Reply, Request, Verdict},
};
use service::{
    access::{accounting::Refused, directory::RouterProfile},
    kernel::limits::Limits,
    messages::words,
    sales::redemption::{self, FirstUse},
};
use tokio::sync::mpsc;

use crate::{
    addresses::{Asker, Offer},
    directory::{Directory, Entry, RESERVED, Reservation, Seldom, State},
    logins::Sender,
    reply::{self, Out, Vendor},
    vouchers::{self, Right, Voucher},
};

/// NAS-Port-Type of 802.11 (RFC 2865 §5.41).
const WIRELESS: u32 = 19;
/// From the fifth wrong password within a minute from one port on, the answer takes its time.
const GUESSES: usize = 5;
const GUESS_DELAY_MS: u32 = 2000;
/// From so many unknown names within a minute through one router on, every such answer there takes its time: codes of few
/// digits are not to be tried out from ever new devices.
const UNKNOWN: usize = 60;
/// An accepted login is written down at most this often per service.
const LOGIN_WRITTEN_EVERY: i64 = HOUR;
/// Reservations one service can hold.
const MAX_RESERVED: usize = 32;

pub struct Desk {
    directory: Arc<Directory>,
    seldom: Seldom,
    logins: Sender,
    first_uses: mpsc::Sender<FirstUse>,
    guesses: Arc<Guesses>,
    strip_realm: bool,
    /// Accepts of this batch, counted for everybody when it has been answered.
    accepts: u64,
}

/// Wrong passwords and unknown names of the last minute, for all threads of the desk.
pub struct Guesses {
    limits: Arc<Limits>,
    ports: RandomState,
}

impl Guesses {
    pub fn new(limits: Arc<Limits>) -> Guesses {
        Guesses { limits, ports: RandomState::new() }
    }

    /// Counts one from a device, or from a port where devices do not say who they are; whether it is one of too many.
    fn wrong(&self, router: RouterId, station: Option<&[u8]>, port: Option<u32>, now: Instant) -> bool {
        // Some routers number every attempt: the port tells nothing where the device is named.
        let port = if station.is_some() { None } else { port };
        let key = self.ports.hash_one((router, port, station));
        self.limits.passwords.add(key, GUESSES, now) >= GUESSES
    }

    fn unknown(&self, router: RouterId, now: Instant) -> bool {
        self.limits.unknown_names.add(router, UNKNOWN + 1, now) > UNKNOWN
    }
}

impl Desk {
    pub fn new(
        directory: Arc<Directory>,
        logins: Sender,
        first_uses: mpsc::Sender<FirstUse>,
        guesses: Arc<Guesses>,
        strip_realm: bool,
    ) -> Desk {
        Desk { seldom: Seldom::new(&directory), directory, logins, first_uses, guesses, strip_realm, accepts: 0 }
    }

    /// A known subscriber: password, then policy, then the answer's attributes.
    fn known(
        &self,
        request: &Request<'_>,
        reply: &mut Reply<'_>,
        router: &RouterProfile,
        vendor: Vendor,
        entry: &Entry,
        now: Instant,
    ) -> Result<Verdict, Overflow> {
        let name = request.packet.find(USER_NAME).unwrap_or_default();
        let proof = match entry.state.lock().secret.as_ref() {
            Some(secret) => request.credentials().verify(name, Known::Clear(secret.as_bytes())),
            None => Proof::Wrong,
        };
        self.proven(request, reply, router, vendor, entry, proof, now)
    }

    /// What follows from the password.
    #[expect(clippy::too_many_arguments, reason = "a login's parts, each of its own type")]
    fn proven(
        &self,
        request: &Request<'_>,
        reply: &mut Reply<'_>,
        router: &RouterProfile,
        vendor: Vendor,
        entry: &Entry,
        proof: Proof,
        now: Instant,
    ) -> Result<Verdict, Overflow> {
        let mut guard = entry.state.lock();
        let state = &mut *guard;
        let whose = Whose::Line(entry.service, (state.kind == Kind::Hotspot).then_some(state.customer));
        let login = login_of(&request.packet, router);
        let success = match proof {
            Proof::Right => None,
            Proof::RightMsChapV2(success) => Some(success),
            Proof::Wrong | Proof::NeedsClearText | Proof::Unsupported => {
                drop(guard);
                let delay = self.guessed(router, &login, request, now);
                self.log(router, whose, request, login.mac, Reason::WrongPassword, now);
                return refuse(reply, Reason::WrongPassword, delay);
            }
        };
        let network = self.seldom.last();
        let Some(plan) = network.world.plans.get(&(entry.isp, state.plan)) else { return Ok(Verdict::Silent) };
        if state.custom.as_ref().is_some_and(|custom| !custom.allows(&request.packet)) {
            drop(guard);
            self.log(router, whose, request, login.mac, Reason::CheckFailed, now);
            return refuse(reply, Reason::CheckFailed, None);
        }
        let decision = self.decide(state, plan, &login, now);
        let mut grant = match decision {
            Decision::Accept(grant) => grant,
            Decision::Reject(reason) => {
                drop(guard);
                self.log(router, whose, request, login.mac, reason, now);
                return refuse(reply, reason, None);
            }
        };
        if let (None, Some(pool)) = (grant.address, &grant.pool) {
            let (live, places, over) = (&state.live, &state.reserved, &grant.takes_over);
            let asker = Asker {
                service: entry.service,
                goes_on: &|id| live.iter().any(|known| known.session == id) && !over.contains(&id),
                promised: &|address| places.iter().any(|place| place.address == Some(address)),
            };
            match self.directory.addresses.offer(entry.isp, pool, &asker, now) {
                Offer::ByNas => {}
                Offer::Address(address) => grant.address = Some(address),
                Offer::Exhausted => {
                    drop(guard);
                    self.log(router, whose, request, login.mac, Reason::NoAddressLeft, now);
                    return refuse(reply, Reason::NoAddressLeft, None);
                }
            }
        }
        if let Some(success) = success {
            reply.put_mschap_success(&success)?;
        }
        reply::accept(vendor, entry.service, &grant, &mut Out::new(reply, state.custom.as_deref()))?;

        if !grant.takes_over.is_empty() {
            self.directory.replace(state, &grant.takes_over);
            self.logins.replaced(entry.isp, &grant.takes_over);
        }
        if let Some(mac) = grant.learn {
            state.subscriber.mac = decide::MacLock::Locked(mac);
            self.logins.learnt(entry.isp, entry.service, mac);
        }
        reserve(state, &login, &grant, self.directory.generation(), now);
        if now.since(state.login_written_at) >= LOGIN_WRITTEN_EVERY {
            state.login_written_at = now;
            self.logins.accepted(entry.isp, entry.service, now);
        }
        Ok(Verdict::Accept)
    }

    /// A voucher's code: its holder's line, or a first use decided from memory and written a moment later.
    #[expect(clippy::too_many_arguments, reason = "a login's parts, each of its own type")]
    fn voucher(
        &self,
        request: &Request<'_>,
        reply: &mut Reply<'_>,
        router: &RouterProfile,
        vendor: Vendor,
        key: &str,
        voucher: &Mutex<Voucher>,
        now: Instant,
    ) -> Result<Verdict, Overflow> {
        let name = request.packet.find(USER_NAME).unwrap_or_default();
        let login = login_of(&request.packet, router);
        let client = vouchers::client(&request.packet, login.mac, key);
        // Held until the use is reserved: two devices never get the last one.
        let mut guard = voucher.lock();
        let proof = guard.verify(&request.credentials(), name);
        let right = match proof.is_right() {
            true => guard.right(&client, now, |line| self.directory.has_ended(line, now)),
            false => {
                drop(guard);
                let delay = self.guessed(router, &login, request, now);
                self.log(router, Whose::Voucher, request, login.mac, Reason::WrongPassword, now);
                return refuse(reply, Reason::WrongPassword, delay);
            }
        };
        let network = self.seldom.last();
        let (plan, reserved) = match right {
            Right::Holds(line) => {
                drop(guard);
                let Some(entry) = self.directory.service(line) else {
                    return self.no_use(request, reply, router, &login, now);
                };
                return self.proven(request, reply, router, vendor, &entry, proof, now);
            }
            Right::Reserved(plan, place) => (plan, Some((place.expires_at, place.quota))),
            Right::Free(plan) => (plan, None),
            Right::Used => {
                drop(guard);
                return self.no_use(request, reply, router, &login, now);
            }
        };
        let is_first = reserved.is_none();
        let period = reserved.or_else(|| redemption::first_period(&network.world, router.isp, plan, now));
        let access = network.world.plans.get(&(router.isp, plan));
        let (Some((expires_at, quota)), Some(access)) = (period, access) else {
            drop(guard);
            self.log(router, Whose::Voucher, request, login.mac, Reason::CheckFailed, now);
            return refuse(reply, Reason::CheckFailed, None);
        };
        let subscriber = Subscriber {
            status: Status::Active,
            expires_at: Some(expires_at),
            quota,
            mac: MacLock::Off,
            router: None,
            address: None,
            address6: None,
            bandwidth: None,
            shared_users: None,
            fup: None,
            devices: None,
        };
        let mut grant = match decide::decide(&subscriber, access, &[], &login, now) {
            Decision::Accept(grant) => grant,
            Decision::Reject(reason) => {
                drop(guard);
                self.log(router, Whose::Voucher, request, login.mac, reason, now);
                return refuse(reply, reason, None);
            }
        };
        if let Some(pool) = &grant.pool {
            let service = line_to_be(key, &client);
            let asker = Asker { service, goes_on: &|_| true, promised: &|_| false };
            match self.directory.addresses.offer(router.isp, pool, &asker, now) {
                Offer::ByNas => {}
                Offer::Address(address) => grant.address = Some(address),
                Offer::Exhausted => {
                    drop(guard);
                    self.log(router, Whose::Voucher, request, login.mac, Reason::NoAddressLeft, now);
                    return refuse(reply, Reason::NoAddressLeft, None);
                }
            }
        }
        if let Proof::RightMsChapV2(success) = proof {
            reply.put_mschap_success(&success)?;
        }
        reply::accept(vendor, ServiceId(0), &grant, &mut Out::new(reply, None))?;
        if is_first {
            guard.reserve(&client, now, expires_at, quota);
        }
        drop(guard);
        // Where the channel is full its Start writes it.
        let first = vouchers::first_use(router.isp, (key, name), &client, login.mac, router.id);
        let _ = self.first_uses.try_send(first);
        Ok(Verdict::Accept)
    }

    /// A right code with nothing left on it.
    fn no_use(
        &self,
        request: &Request<'_>,
        reply: &mut Reply<'_>,
        router: &RouterProfile,
        login: &Login,
        now: Instant,
    ) -> Result<Verdict, Overflow> {
        let delay = self.guessed_name(router, login, request, now);
        self.log(router, Whose::Voucher, request, login.mac, Reason::VoucherUsed, now);
        refuse(reply, Reason::VoucherUsed, delay)
    }

    /// The rule, over open sessions and places reserved for a Start that has yet to come.
    fn decide(&self, state: &mut State, plan: &decide::PlanAccess, login: &Login, now: Instant) -> Decision {
        state.reserved.retain(|place| place.until > now);
        if state.reserved.is_empty() {
            return decide::decide(&state.subscriber, plan, &state.live, login, now);
        }
        // The same device asking again keeps its place.
        state
            .reserved
            .retain(|place| !(place.mac == login.mac && place.port == login.port && place.router == login.router));
        let mut live = state.live.clone();
        live.extend(state.reserved.iter().map(|place| Live {
            session: domain::SessionId(0),
            router: place.router,
            mac: place.mac,
            port: place.port,
            reported_at: now,
            interval_s: None,
        }));
        match decide::decide(&state.subscriber, plan, &live, login, now) {
            Decision::Accept(mut grant) => {
                grant.takes_over.retain(|session| session.0 != 0);
                Decision::Accept(grant)
            }
            reject => reject,
        }
    }

    /// Counts a wrong password; how long the answer is to be held back, if it is.
    fn guessed(&self, router: &RouterProfile, login: &Login, request: &Request<'_>, now: Instant) -> Option<u32> {
        let station = request.packet.find(CALLING_STATION_ID);
        let wrong = self.guesses.wrong(router.id, station, login.port, now);
        self.held_back(wrong)
    }

    /// As [`Desk::guessed`], for a name that nobody has.
    fn guessed_name(&self, router: &RouterProfile, login: &Login, request: &Request<'_>, now: Instant) -> Option<u32> {
        let station = request.packet.find(CALLING_STATION_ID);
        let wrong = self.guesses.wrong(router.id, station, login.port, now);
        let unknown = self.guesses.unknown(router.id, now);
        self.held_back(wrong || unknown)
    }

    fn held_back(&self, is_guessing: bool) -> Option<u32> {
        if is_guessing {
            self.logins.count_delayed();
        }
        is_guessing.then_some(GUESS_DELAY_MS)
    }

    fn log(
        &self,
        router: &RouterProfile,
        whose: Whose,
        request: &Request<'_>,
        mac: Option<Mac>,
        reason: Reason,
        now: Instant,
    ) {
        let name = request.packet.find(USER_NAME).unwrap_or_default();
        let (service, hotspot) = match whose {
            Whose::Line(service, visitor) => (Some(service), visitor.map(Some)),
            Whose::Voucher => (None, Some(None)),
            // Hotspots of radios say so; a mistyped name elsewhere may be anybody's.
            Whose::Nobody => (None, (request.packet.u32(NAS_PORT_TYPE) == Some(WIRELESS)).then_some(None)),
        };
        self.logins.refused(Refused {
            isp: router.isp,
            router: router.id,
            service,
            username: shown(name),
            mac,
            reason,
            at: now,
            hotspot,
        });
    }
}

/// Whose login was refused.
#[derive(Clone, Copy)]
enum Whose {
    /// And the customer where it is a hotspot's.
    Line(ServiceId, Option<CustomerId>),
    Voucher,
    Nobody,
}

impl Handler for Desk {
    fn access(&mut self, request: &Request<'_>, reply: &mut Reply<'_>) -> Verdict {
        if !self.directory.is_ready() {
            return Verdict::Silent;
        }
        self.seldom.get(&self.directory);
        let verdict = self.decided(request, reply);
        self.accepts += u64::from(verdict == Verdict::Accept);
        verdict
    }

    fn is_ready(&self) -> bool {
        self.directory.is_ready()
    }

    fn after_batch(&mut self) {
        if self.accepts > 0 {
            self.logins.count_accepts(std::mem::take(&mut self.accepts));
        }
    }
}

impl Desk {
    fn decided(&self, request: &Request<'_>, reply: &mut Reply<'_>) -> Verdict {
        let now = self.directory.now();
        let network = self.seldom.last();
        let id = domain::RouterId(request.client.id as i64);
        let (Some(router), Some(vendor)) = (network.routers.get(&id), network.vendors.get(&id)) else {
            return Verdict::Silent;
        };
        let name = request.packet.find(USER_NAME).unwrap_or_default();
        let entry = find(&self.directory, router.isp, name, self.strip_realm);
        let verdict = match entry {
            Some(entry) => self.known(request, reply, router, *vendor, &entry, now),
            None => match self.directory.vouchers.find(router.isp, name, self.strip_realm) {
                Some((key, voucher)) => self.voucher(request, reply, router, *vendor, &key, &voucher, now),
                None if !self.directory.is_fresh() => Ok(Verdict::Silent),
                None => {
                    let login = login_of(&request.packet, router);
                    let delay = self.guessed_name(router, &login, request, now);
                    self.log(router, Whose::Nobody, request, login.mac, Reason::UnknownUser, now);
                    refuse(reply, Reason::UnknownUser, delay)
                }
            },
        };
        // An answer that does not fit is a fault of ours, not the subscriber's: another server may do better.
        verdict.unwrap_or_else(|Overflow { .. }| {
            tracing::error!(username = shown(name), "an answer does not fit into a packet");
            Verdict::Silent
        })
    }
}

/// The service with this name as a NAS writes it, if need be without its realm.
pub(crate) fn find(directory: &Directory, isp: IspId, name: &[u8], strip_realm: bool) -> Option<Arc<Entry>> {
    let name = std::str::from_utf8(name).ok()?;
    let look = |name: &str| {
        // Most names are keys already; only the others cost a copy.
        let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'@'));
        match plain && name.len() != 12 {
            true => directory.find(isp, name),
            false => directory.find(isp, &domain::kernel::names::login_key(name)),
        }
    };
    look(name).or_else(|| name.split_once('@').filter(|_| strip_realm).and_then(|(user, _)| look(user)))
}

pub(crate) fn login_of(packet: &Packet<'_>, router: &RouterProfile) -> Login {
    let mac = packet.text(CALLING_STATION_ID).and_then(Mac::parse);
    Login { router: router.id, mac, port: packet.u32(NAS_PORT) }
}

/// A name as it may be logged: text without control characters, at most 253 bytes as RADIUS limits it.
pub(crate) fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().filter(|c| !c.is_control()).collect()
}

fn reserve(state: &mut State, login: &Login, grant: &decide::Grant, generation: u64, now: Instant) {
    if state.reserved.len() >= MAX_RESERVED {
        state.reserved.remove(0);
    }
    state.reserved.push(Reservation {
        router: login.router,
        mac: login.mac,
        port: login.port,
        until: now.plus(RESERVED),
        restricted: grant.expired,
        address: grant.address,
        made_of: (state.version, generation),
    });
}

/// Whose an address is until the line has an id: no line's has a minus.
fn line_to_be(key: &str, client: &str) -> ServiceId {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (key, client).hash(&mut hasher);
    ServiceId(-1 - (hasher.finish() >> 2) as i64)
}

fn refuse(reply: &mut Reply<'_>, reason: Reason, delay_ms: Option<u32>) -> Result<Verdict, Overflow> {
    reply.clear();
    reply.put_text(REPLY_MESSAGE, words::refused(reason))?;
    Ok(match delay_ms {
        Some(ms) => Verdict::RejectAfter(ms),
        None => Verdict::Reject,
    })
}
