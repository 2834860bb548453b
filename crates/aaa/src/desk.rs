//! The login desk: an Access-Request decided from memory in the thread that received it.
//!
//! With the directory not loaded the desk is silent, so that the NAS asks another server; a name it does not know is
//! refused only while the event feed is fresh. It never refuses because it does not know.

use std::sync::Arc;

use domain::{
    CustomerId, Instant, IspId, Kind, Mac, ServiceId, Status,
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
    kernel::{
        guessing::{Answer, Asker as Guesser, Guess},
        limits::Limits,
    },
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
/// How long a refusal is held back that takes its time.
const LATE_MS: u32 = 2000;
/// An accepted login is written down at most this often per service.
const LOGIN_WRITTEN_EVERY: i64 = HOUR;
/// Reservations one service can hold.
const MAX_RESERVED: usize = 32;

pub struct Desk {
    directory: Arc<Directory>,
    seldom: Seldom,
    logins: Sender,
    first_uses: mpsc::Sender<FirstUse>,
    limits: Arc<Limits>,
    strip_realm: bool,
    /// Accepts of this batch, counted for everybody when it has been answered.
    accepts: u64,
}

impl Desk {
    pub fn new(
        directory: Arc<Directory>,
        logins: Sender,
        first_uses: mpsc::Sender<FirstUse>,
        limits: Arc<Limits>,
        strip_realm: bool,
    ) -> Desk {
        Desk { seldom: Seldom::new(&directory), directory, logins, first_uses, limits, strip_realm, accepts: 0 }
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
        if self.limits.guessing.is_tense(now) {
            let known = entry.state.lock().knows(&login_of(&request.packet, router));
            if !self.limits.guessing.has_room(&guesser(router, request, Some(entry.service), known), now) {
                return Ok(Verdict::Silent);
            }
        }
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
                let guesser = guesser(router, request, Some(entry.service), state.knows(&login));
                drop(guard);
                self.log(router, whose, request, login.mac, Reason::WrongPassword, now);
                return self.refuse_guess(reply, Reason::WrongPassword, &guesser, Guess::Password, now);
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
        state.device = login.mac.or(state.device);
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
        let guesser = guesser(router, request, None, false);
        // Its holder is known to it, whatever else this device has tried.
        if self.limits.guessing.is_tense(now)
            && !guard.is_of(&client, now)
            && !self.limits.guessing.has_room(&guesser, now)
        {
            return Ok(Verdict::Silent);
        }
        let proof = guard.verify(&request.credentials(), name);
        let right = match proof.is_right() {
            true => guard.right(&client, now, |line| self.directory.has_ended(line, now)),
            false => {
                drop(guard);
                self.log(router, Whose::Voucher, request, login.mac, Reason::WrongPassword, now);
                return self.refuse_guess(reply, Reason::WrongPassword, &guesser, Guess::Name, now);
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
        self.log(router, Whose::Voucher, request, login.mac, Reason::VoucherUsed, now);
        self.refuse_guess(reply, Reason::VoucherUsed, &guesser(router, request, None, false), Guess::Name, now)
    }

    /// A name that nobody has.
    fn unknown(
        &self,
        request: &Request<'_>,
        reply: &mut Reply<'_>,
        router: &RouterProfile,
        now: Instant,
    ) -> Result<Verdict, Overflow> {
        let guesser = guesser(router, request, None, false);
        if self.limits.guessing.is_tense(now) && !self.limits.guessing.has_room(&guesser, now) {
            return Ok(Verdict::Silent);
        }
        let mac = login_of(&request.packet, router).mac;
        self.log(router, Whose::Nobody, request, mac, Reason::UnknownUser, now);
        self.refuse_guess(reply, Reason::UnknownUser, &guesser, Guess::Name, now)
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

    /// Refuses what was wrong as often as it may be tried.
    fn refuse_guess(
        &self,
        reply: &mut Reply<'_>,
        reason: Reason,
        guesser: &Guesser<'_>,
        guess: Guess,
        now: Instant,
    ) -> Result<Verdict, Overflow> {
        match self.limits.guessing.wrong(guesser, guess, now) {
            Answer::Prompt => refuse(reply, reason, None),
            Answer::Late => {
                self.logins.count_delayed();
                refuse(reply, reason, Some(LATE_MS))
            }
            Answer::None => Ok(Verdict::Silent),
        }
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
                None => self.unknown(request, reply, router, now),
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

fn guesser<'a>(router: &RouterProfile, request: &Request<'a>, line: Option<ServiceId>, known: bool) -> Guesser<'a> {
    let packet = &request.packet;
    let (station, name) = (packet.find(CALLING_STATION_ID), packet.find(USER_NAME).unwrap_or_default());
    Guesser { router: router.id, station, name, line, known }
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
