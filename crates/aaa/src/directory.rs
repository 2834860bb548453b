//! Who may log in, in memory: every live service with its open sessions, every plan and router. Logins never wait for
//! the database; with it away they are answered from here.

use std::{
    collections::HashMap,
    hash::BuildHasher,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::{
    CustomerId, Instant, IspId, Kind, Mac, PlanId, Quota, RouterId, ServiceId, SessionId,
    access::decide::{self, Choice, FairUse, Live, Login, MacLock, PlanAccess, Subscriber},
};
use hashbrown::{DefaultHashBuilder, HashTable};
use parking_lot::{Mutex, RwLock};
use service::{
    Clock,
    access::{
        accounting::{Recorded, SessionState},
        directory::{LiveSession, Profile, RouterProfile, World},
        fup::{self, Metered},
    },
};
use smallvec::SmallVec;
use tokio::sync::Notify;

use crate::{
    addresses::Addresses,
    reply::{Vendor, custom::Custom},
    short::Short,
    vouchers::Vouchers,
};

const SHARDS: usize = 64;
/// An Accept keeps its place among the simultaneous sessions this long for its Start.
pub const RESERVED: i64 = 30 * domain::kernel::clock::SECOND;
/// A session that must not be there is sent away again this long after the last try.
const REMIND: i64 = 5 * domain::kernel::clock::MINUTE;
/// A feed unread for longer makes the directory stale: it no longer knows who does not exist. Real time, whatever clock
/// the business goes by.
const STALE: Duration = Duration::from_secs(2);

pub struct Directory {
    clock: Clock,
    hasher: DefaultHashBuilder,
    /// By tenant and username.
    names: Box<[RwLock<HashTable<Arc<Entry>>>]>,
    /// By service id, which is unique over all tenants.
    services: Box<[RwLock<HashMap<ServiceId, Arc<Entry>>>]>,
    world: RwLock<Arc<Network>>,
    /// Counts changes of `world`, so that threads can keep their own handle.
    generation: AtomicU64,
    pub addresses: Addresses,
    pub vouchers: Vouchers,
    ready: AtomicBool,
    loaded: Notify,
    /// When the event feed was last read to its end.
    began: std::time::Instant,
    fresh_ms: AtomicU64,
    online: AtomicI64,
}

/// Plans and routers, replaced as a whole when one changes.
#[derive(Default)]
pub struct Network {
    pub world: World,
    pub routers: HashMap<RouterId, Arc<RouterProfile>>,
    pub vendors: HashMap<RouterId, Vendor>,
}

pub struct Entry {
    pub isp: IspId,
    /// A key (`domain::kernel::names::login_key`).
    pub username: Short,
    pub service: ServiceId,
    pub state: Mutex<State>,
}

pub struct State {
    pub customer: CustomerId,
    pub kind: Kind,
    pub secret: Option<Short>,
    pub plan: PlanId,
    pub subscriber: Subscriber,
    pub custom: Option<Box<Custom>>,
    pub period_ordinal: i64,
    /// Its first report has been written down.
    pub used_before: bool,
    pub live: Vec<Live>,
    /// Where it lies in the entry: hardly ever is there more than one.
    pub reserved: SmallVec<[Reservation; 1]>,
    /// The device that was let in last.
    pub device: Option<Mac>,
    /// When the last login was passed on to be written.
    pub login_written_at: Instant,
    /// Counts changes of what it may have, so that a Start can tell that its Accept is out of date.
    pub version: u32,
    /// When its sessions were last made to follow, or a change last came that sees to that.
    pub followed_at: Instant,
}

/// A place taken by an Accept whose Start has not come yet.
#[derive(Clone, Copy, Debug)]
pub struct Reservation {
    pub router: RouterId,
    pub mac: Option<Mac>,
    pub port: Option<u32>,
    pub until: Instant,
    pub restricted: bool,
    pub address: Option<Ipv4Addr>,
    /// What the Accept was made of: the service's version and the directory's generation.
    pub made_of: (u32, u64),
}

/// The addresses that a line has for itself.
fn fixed(subscriber: &Subscriber) -> SmallVec<[Ipv4Addr; 1]> {
    let others = subscriber.devices.iter().flat_map(|devices| devices.addresses());
    subscriber.address.into_iter().chain(others).collect()
}

impl State {
    fn of(profile: Profile, before: Option<&mut State>, now: Instant) -> State {
        let mut state = State {
            customer: profile.customer,
            kind: profile.kind,
            secret: profile.secret.as_deref().map(Short::from),
            plan: profile.plan,
            subscriber: profile.subscriber,
            custom: profile.attributes.as_deref().map(|rules| Box::new(Custom::of(rules))),
            period_ordinal: profile.period_ordinal,
            used_before: profile.used_before,
            live: Vec::new(),
            reserved: SmallVec::new(),
            device: None,
            login_written_at: Instant::EPOCH,
            version: 0,
            followed_at: now,
        };
        if let Some(before) = before {
            let same = state.plan == before.plan && settings(&state.subscriber) == settings(&before.subscriber);
            state.version = before.version.wrapping_add(u32::from(!same));
            state.live = std::mem::take(&mut before.live);
            state.reserved = std::mem::take(&mut before.reserved);
            state.device = before.device;
            state.login_written_at = before.login_written_at;
        }
        state
    }

    /// Whether this line has let this very device in: it is online, or was the last one, or is the line's own.
    pub fn knows(&self, login: &Login) -> bool {
        match login.mac {
            Some(mac) => {
                self.device == Some(mac)
                    || self.subscriber.mac == MacLock::Locked(mac)
                    || self.live.iter().any(|known| known.mac == Some(mac))
            }
            None => {
                let same = |router, port| router == login.router && port == login.port;
                login.port.is_some() && self.live.iter().any(|known| same(known.router, known.port))
            }
        }
    }
}

/// What is decided about a subscriber, without what its own logins and usage make of it.
fn settings(subscriber: &Subscriber) -> Subscriber {
    let quota = Quota { limit: subscriber.quota.limit, ..Quota::default() };
    // A line that has used something and one that has not are the same until it is held to a policy's level.
    let fup = subscriber.fup.as_ref().map(|fup| FairUse { count: None, ..FairUse::clone(fup) });
    let fup = fup.filter(|fup| fup.choice != Choice::Plan || fup.level > 0).map(Box::new);
    Subscriber { mac: MacLock::Off, quota, fup, ..subscriber.clone() }
}

impl Directory {
    pub fn new(clock: Clock) -> Directory {
        Directory {
            clock,
            hasher: DefaultHashBuilder::default(),
            names: (0..SHARDS).map(|_| RwLock::default()).collect(),
            services: (0..SHARDS).map(|_| RwLock::default()).collect(),
            world: RwLock::default(),
            generation: AtomicU64::new(1),
            addresses: Addresses::default(),
            vouchers: Vouchers::default(),
            ready: AtomicBool::new(false),
            loaded: Notify::new(),
            began: std::time::Instant::now(),
            fresh_ms: AtomicU64::new(0),
            online: AtomicI64::new(0),
        }
    }

    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    pub(crate) fn set_ready(&self) {
        self.ready.store(true, Ordering::Release);
        self.loaded.notify_waiters();
    }

    pub(crate) async fn loaded(&self) {
        let loaded = self.loaded.notified();
        tokio::pin!(loaded);
        loaded.as_mut().enable();
        if !self.is_ready() {
            loaded.await;
        }
    }

    /// Whether a name that is not here exists nowhere.
    pub fn is_fresh(&self) -> bool {
        let read = Duration::from_millis(self.fresh_ms.load(Ordering::Relaxed));
        self.is_ready() && self.began.elapsed().saturating_sub(read) <= STALE
    }

    /// The feed was read to its end by a look that began then.
    pub(crate) fn set_fresh(&self, looked: std::time::Instant) {
        let at = looked.saturating_duration_since(self.began).as_millis() as u64;
        self.fresh_ms.store(at, Ordering::Relaxed);
    }

    pub fn len(&self) -> usize {
        self.services.iter().map(|shard| shard.read().len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Open sessions of known services.
    pub fn online(&self) -> i64 {
        self.online.load(Ordering::Relaxed)
    }

    pub fn network(&self) -> Arc<Network> {
        self.world.read().clone()
    }

    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(crate) fn set_world(&self, world: World) {
        self.addresses.configure(&world.pools);
        let routers = world.routers.iter().map(|row| (row.id, Arc::new(row.clone()))).collect();
        let vendors = world.routers.iter().map(|row| (row.id, Vendor::from_word(&row.vendor))).collect();
        *self.world.write() = Arc::new(Network { world, routers, vendors });
        self.generation.fetch_add(1, Ordering::Release);
    }

    fn hash(&self, isp: IspId, username: &[u8]) -> u64 {
        self.hasher.hash_one((isp.0, username))
    }

    /// The service with this login; `username` is a key already (`domain::kernel::names::login_key`).
    pub fn find(&self, isp: IspId, username: &str) -> Option<Arc<Entry>> {
        let name = username.as_bytes();
        let hash = self.hash(isp, name);
        let shard = self.names[hash as usize % SHARDS].read();
        shard.find(hash, |entry| entry.isp == isp && entry.username.as_bytes() == name).cloned()
    }

    pub fn service(&self, id: ServiceId) -> Option<Arc<Entry>> {
        self.services[id.0 as usize % SHARDS].read().get(&id).cloned()
    }

    /// Whether the service's period is over, or it is gone.
    pub fn has_ended(&self, id: ServiceId, now: Instant) -> bool {
        self.service(id).is_none_or(|entry| decide::ended(&entry.state.lock().subscriber, now).is_some())
    }

    /// Takes in a service as it is now; its sessions stay.
    pub(crate) fn put(&self, profile: Profile) {
        let (isp, id) = (profile.isp, profile.service);
        let (known, now) = (self.service(id), self.now());
        let before = known.as_ref().map(|known| fixed(&known.state.lock().subscriber)).unwrap_or_default();
        self.addresses.fix(isp, id, &before, &fixed(&profile.subscriber));
        if let Some(known) = &known
            && known.username.as_bytes() == profile.username.as_bytes()
        {
            let mut state = known.state.lock();
            *state = State::of(profile, Some(&mut state), now);
            return;
        }
        let username = Short::from(&*profile.username);
        let state = match &known {
            Some(known) => {
                self.remove_name(known);
                State::of(profile, Some(&mut known.state.lock()), now)
            }
            None => State::of(profile, None, now),
        };
        let entry = Arc::new(Entry { isp, username, service: id, state: Mutex::new(state) });
        self.services[id.0 as usize % SHARDS].write().insert(id, entry.clone());
        let hash = self.hash(isp, entry.username.as_bytes());
        let mut shard = self.names[hash as usize % SHARDS].write();
        shard.insert_unique(hash, entry, |entry| self.hash(entry.isp, entry.username.as_bytes()));
    }

    /// The service is gone: deleted or without a login.
    pub(crate) fn remove(&self, id: ServiceId) {
        let removed = self.services[id.0 as usize % SHARDS].write().remove(&id);
        if let Some(entry) = removed {
            let state = entry.state.lock();
            self.online.fetch_sub(state.live.len() as i64, Ordering::Relaxed);
            self.addresses.fix(entry.isp, id, &fixed(&state.subscriber), &[]);
            drop(state);
            self.remove_name(&entry);
        }
    }

    fn remove_name(&self, entry: &Arc<Entry>) {
        let hash = self.hash(entry.isp, entry.username.as_bytes());
        let mut shard = self.names[hash as usize % SHARDS].write();
        if let Ok(found) = shard.find_entry(hash, |known| Arc::ptr_eq(known, entry)) {
            found.remove();
        }
    }

    /// Forgets every service and session, before they are loaded (again).
    pub(crate) fn clear(&self) {
        self.names.iter().for_each(|shard| shard.write().clear());
        self.services.iter().for_each(|shard| shard.write().clear());
        self.online.store(0, Ordering::Relaxed);
        self.addresses.clear();
    }

    pub(crate) fn shrink(&self) {
        for shard in &self.names {
            shard.write().shrink_to_fit(|entry| self.hash(entry.isp, entry.username.as_bytes()));
        }
        self.services.iter().for_each(|shard| shard.write().shrink_to_fit());
    }

    /// What a committed batch of accounting left behind. Which services' sessions must be made to follow: what they were
    /// let in with is out of date.
    pub(crate) fn apply(&self, recorded: &Recorded) -> Vec<ServiceId> {
        let mut behind = Vec::new();
        for (isp, address, session) in &recorded.left {
            self.addresses.release(*isp, *address, *session);
        }
        for (state, session) in &recorded.sessions {
            match state {
                SessionState::Open if self.opened(session) => behind.extend(session.service),
                SessionState::Open => {}
                SessionState::Ended => self.ended(session),
            }
        }
        for used in &recorded.used {
            if let Some(entry) = self.service(used.service) {
                let mut state = entry.state.lock();
                state.used_before = true;
                // A sale may have come between: its period counts from the start.
                if state.period_ordinal == used.period_ordinal {
                    let quota = &mut state.subscriber.quota;
                    quota.used_bytes = quota.used_bytes.max(used.used_bytes);
                    quota.used_time_s = quota.used_time_s.max(used.used_time_s);
                }
            }
        }
        recorded.fair.iter().for_each(|usage| self.counted(usage));
        behind
    }

    /// What a service has used of its cycle; another cycle begins anew.
    fn counted(&self, usage: &fup::InCycle) {
        let Some(entry) = self.service(usage.service_id) else { return };
        let mut state = entry.state.lock();
        let fresh = || Box::new(FairUse { choice: Choice::Plan, count: None, level: 0 });
        let fair = state.subscriber.fup.get_or_insert_with(fresh);
        let (mut count, level) = (fup::count(usage), usage.level.max(0) as usize);
        if let Some((template, known)) = &fair.count
            && *template == usage.template_id
        {
            if known.cycle.starts_at > count.cycle.starts_at {
                return;
            }
            if known.cycle == count.cycle {
                count.up = count.up.max(known.up);
                count.down = count.down.max(known.down);
            }
        }
        fair.count = Some((usage.template_id, count));
        if std::mem::replace(&mut fair.level, level) != level {
            state.version = state.version.wrapping_add(1);
        }
    }

    /// Takes in an open session; whether it must be made to follow a change that came after its Accept.
    pub(crate) fn opened(&self, session: &LiveSession) -> bool {
        if let Some(std::net::IpAddr::V4(address)) = session.address {
            self.addresses.hold(session.isp, address, session.id, session.service);
        }
        let Some(entry) = session.service.and_then(|id| self.service(id)) else { return false };
        let live = session.live;
        let (now, network) = (self.now(), self.network());
        let mut state = entry.state.lock();
        // Its place is no longer reserved but taken.
        let place =
            state.reserved.iter().position(|r| r.router == live.router && r.mac == live.mac && r.port == live.port);
        let place = place.map(|at| state.reserved.swap_remove(at));
        state.reserved.shrink_to_fit();
        let plan = network.world.plans.get(&(entry.isp, state.plan));
        let must_go = plan.is_some_and(|plan| decide::must_go(&state.subscriber, plan, now));
        state.device = live.mac.or(state.device);
        // A report that names neither device, port nor address tells of nobody who could be online: it is counted, and takes
        // no place from who logs in.
        if live.mac.is_none() && live.port.is_none() && session.address.is_none() {
            let behind = must_go && now.since(state.followed_at) >= REMIND;
            if behind {
                state.followed_at = now;
            }
            return behind;
        }
        let behind = match state.live.iter_mut().find(|known| known.session == live.session) {
            Some(known) => {
                *known = live;
                must_go && now.since(state.followed_at) >= REMIND
            }
            None => {
                state.live.reserve_exact(1);
                state.live.push(live);
                self.online.fetch_add(1, Ordering::Relaxed);
                must_go || place.is_some_and(|place| place.made_of != (state.version, self.generation()))
            }
        };
        if behind {
            state.followed_at = now;
        }
        behind
    }

    pub(crate) fn ended(&self, session: &LiveSession) {
        if let Some(std::net::IpAddr::V4(address)) = session.address {
            self.addresses.release(session.isp, address, session.id);
        }
        let Some(entry) = session.service.and_then(|id| self.service(id)) else { return };
        let mut state = entry.state.lock();
        let before = state.live.len();
        state.live.retain(|known| known.session != session.id);
        self.online.fetch_sub((before - state.live.len()) as i64, Ordering::Relaxed);
    }

    /// Sessions that a login of the same device replaced: no longer live here, and to be closed in the database.
    pub(crate) fn replace(&self, state: &mut State, sessions: &[SessionId]) {
        let before = state.live.len();
        state.live.retain(|known| !sessions.contains(&known.session));
        self.online.fetch_sub((before - state.live.len()) as i64, Ordering::Relaxed);
    }

    /// The faster direction of a service's line, the interim interval it is told, and its fair use policy.
    pub fn line(&self, network: &Network, entry: &Entry) -> (Option<u32>, Option<u32>, Option<Metered>) {
        let state = entry.state.lock();
        let plan: Option<&Arc<PlanAccess>> = network.world.plans.get(&(entry.isp, state.plan));
        let own = state.subscriber.bandwidth.as_deref().copied();
        let rates = own.or(plan.and_then(|plan| plan.network.bandwidth));
        let policy = plan.and_then(|plan| state.subscriber.policy(plan));
        let fastest = rates.map(|rates| rates.down_kbps.max(rates.up_kbps));
        let fastest = fastest.max(policy.and_then(|policy| policy.fastest_kbps()));
        let metered = policy.map(|policy| Metered { policy: policy.clone(), own_rates: rates });
        (fastest, plan.map(|plan| plan.interim_s), metered)
    }
}

/// A thread's own handle on what changes seldom.
pub struct Seldom {
    generation: u64,
    network: Arc<Network>,
}

impl Seldom {
    pub fn new(directory: &Directory) -> Seldom {
        Seldom { generation: directory.generation(), network: directory.network() }
    }

    pub fn get(&mut self, directory: &Directory) -> &Arc<Network> {
        let generation = directory.generation();
        if self.generation != generation {
            self.network = directory.network();
            self.generation = generation;
        }
        &self.network
    }

    /// As [`Seldom::get`] last saw it.
    pub fn last(&self) -> &Arc<Network> {
        &self.network
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_stays_small() {
        // There is one for each subscriber, a million of them at times, and a login waits for every cache line it reads.
        assert!(size_of::<Entry>() <= 384, "{}", size_of::<Entry>());
    }
}
