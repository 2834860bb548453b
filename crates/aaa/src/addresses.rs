//! Pools that we allocate from (`allocate = server`): a service keeps its address while it can, and an address belongs
//! to one session at a time. Rebuilt at start from the open sessions.

use std::{collections::HashMap, net::Ipv4Addr};

use domain::{Instant, IspId, ServiceId, SessionId, kernel::clock::SECOND};
use parking_lot::Mutex;
use service::access::directory::PoolProfile;

/// An address given with an Accept is free again when no Start has come by then.
const RESERVED: i64 = 60 * SECOND;

#[derive(Default)]
pub struct Addresses {
    pools: Mutex<HashMap<(IspId, Box<str>), Pool>>,
    /// Addresses of open sessions, whichever pool they are of.
    held: Mutex<HashMap<(IspId, Ipv4Addr), Holder>>,
    /// Addresses that a line has for itself: no pool gives them to another, though they lie in its ranges.
    fixed: Mutex<HashMap<(IspId, Ipv4Addr), ServiceId>>,
}

/// Of two sessions that tell of one address the later one holds it: a Stop of the earlier one does not free it.
#[derive(Clone, Copy)]
struct Holder {
    session: SessionId,
    service: Option<ServiceId>,
}

/// Who asks for an address, and which of its own it cannot have again because another device of the line has it.
pub struct Asker<'a> {
    pub service: ServiceId,
    /// A session that goes on beside the one to come.
    pub goes_on: &'a dyn Fn(SessionId) -> bool,
    /// An address promised to another device.
    pub promised: &'a dyn Fn(Ipv4Addr) -> bool,
}

#[derive(Default)]
struct Pool {
    ranges: Vec<(Ipv4Addr, Ipv4Addr)>,
    /// What a service had last.
    sticky: HashMap<ServiceId, Ipv4Addr>,
    owner: HashMap<Ipv4Addr, (ServiceId, Instant)>,
    /// Where the search for a new address goes on.
    cursor: u64,
}

/// What a pool says to a login.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Offer {
    /// The NAS allocates: the pool is not one of ours.
    ByNas,
    Address(Ipv4Addr),
    Exhausted,
}

impl Addresses {
    pub(crate) fn configure(&self, pools: &[PoolProfile]) {
        let mut known = self.pools.lock();
        let ours: Vec<&PoolProfile> = pools.iter().filter(|pool| pool.by_server).collect();
        known.retain(|(isp, name), _| ours.iter().any(|pool| pool.isp == *isp && *pool.name == **name));
        for pool in ours {
            known.entry((pool.isp, pool.name.as_str().into())).or_default().ranges.clone_from(&pool.ranges);
        }
    }

    /// Forgets every session and line, before they are loaded anew.
    pub(crate) fn clear(&self) {
        self.held.lock().clear();
        self.fixed.lock().clear();
    }

    /// A line's own addresses, in the place of those it had.
    pub fn fix(&self, isp: IspId, service: ServiceId, before: &[Ipv4Addr], now: &[Ipv4Addr]) {
        if before == now {
            return;
        }
        let mut fixed = self.fixed.lock();
        for address in before {
            if fixed.get(&(isp, *address)) == Some(&service) {
                fixed.remove(&(isp, *address));
            }
        }
        fixed.extend(now.iter().map(|address| ((isp, *address), service)));
    }

    /// An open session has this address: its service gets it again where the pool is ours.
    pub fn hold(&self, isp: IspId, address: Ipv4Addr, session: SessionId, service: Option<ServiceId>) {
        let before = self.held.lock().insert((isp, address), Holder { session, service });
        if before.is_some_and(|before| before.session == session) {
            return;
        }
        let Some(service) = service else { return };
        for ((owner, _), pool) in self.pools.lock().iter_mut() {
            if *owner == isp && pool.contains(address) {
                pool.sticky.insert(service, address);
            }
        }
    }

    /// The session has ended, or has another address now.
    pub fn release(&self, isp: IspId, address: Ipv4Addr, session: SessionId) {
        let mut held = self.held.lock();
        if held.get(&(isp, address)).is_some_and(|holder| holder.session == session) {
            held.remove(&(isp, address));
        }
    }

    pub fn offer(&self, isp: IspId, pool: &str, asker: &Asker<'_>, now: Instant) -> Offer {
        let mut pools = self.pools.lock();
        let Some(pool) = pools.get_mut(&(isp, Box::from(pool))) else { return Offer::ByNas };
        let service = asker.service;
        let (held, fixed) = (self.held.lock(), self.fixed.lock());
        let is_others = |address| fixed.get(&(isp, address)).is_some_and(|owner| *owner != service);
        let is_free = |pool: &Pool, address: Ipv4Addr| {
            let reserved = pool.owner.get(&address).is_some_and(|(_, until)| *until > now);
            !reserved && !held.contains_key(&(isp, address)) && !is_others(address)
        };
        // The line's own reservation or session is no obstacle where it is the same device come again.
        let own = |pool: &Pool, address: Ipv4Addr| {
            pool.owner.get(&address).is_none_or(|(owner, until)| *owner == service || *until <= now)
                && !(asker.promised)(address)
                && !is_others(address)
                && held
                    .get(&(isp, address))
                    .is_none_or(|holder| holder.service == Some(service) && !(asker.goes_on)(holder.session))
        };
        let sticky = pool.sticky.get(&service).copied().filter(|address| pool.contains(*address));
        let kept = sticky.filter(|address| own(pool, *address));
        let found = kept.or_else(|| pool.search(|pool, address| is_free(pool, address)));
        // None is free: what a session of the line has that this login replaces.
        let mine = |address| held.get(&(isp, address)).is_some_and(|holder| holder.service == Some(service));
        let found = found.or_else(|| pool.search(|pool, address| mine(address) && own(pool, address)));
        match found {
            Some(address) => {
                pool.sticky.insert(service, address);
                pool.owner.insert(address, (service, now.plus(RESERVED)));
                Offer::Address(address)
            }
            None => Offer::Exhausted,
        }
    }
}

impl Pool {
    fn contains(&self, address: Ipv4Addr) -> bool {
        self.ranges.iter().any(|(first, last)| (first..=last).contains(&&address))
    }

    fn size(&self) -> u64 {
        self.ranges.iter().map(|(first, last)| u64::from(u32::from(*last) - u32::from(*first)) + 1).sum()
    }

    fn nth(&self, mut n: u64) -> Option<Ipv4Addr> {
        for (first, last) in &self.ranges {
            let size = u64::from(u32::from(*last) - u32::from(*first)) + 1;
            if n < size {
                return Some(Ipv4Addr::from(u32::from(*first) + n as u32));
            }
            n -= size;
        }
        None
    }

    /// The next free address after the last one given, so that addresses rest before they are given again.
    fn search(&mut self, is_free: impl Fn(&Pool, Ipv4Addr) -> bool) -> Option<Ipv4Addr> {
        let size = self.size();
        for _ in 0..size {
            let address = self.nth(self.cursor % size)?;
            self.cursor = (self.cursor + 1) % size;
            if is_free(self, address) {
                return Some(address);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use domain::PoolId;

    use super::*;

    const ISP: IspId = IspId(1);

    fn pool(ranges: &str) -> Addresses {
        let addresses = Addresses::default();
        let ranges = domain::kernel::ranges::parse_ranges(ranges).unwrap();
        addresses.configure(&[PoolProfile { isp: ISP, id: PoolId(1), name: "p".into(), ranges, by_server: true }]);
        addresses
    }

    fn at(s: i64) -> Instant {
        Instant::from_unix(1_800_000_000 + s)
    }

    fn told(offer: Offer) -> String {
        match offer {
            Offer::ByNas => "nas".into(),
            Offer::Address(address) => address.to_string(),
            Offer::Exhausted => "exhausted".into(),
        }
    }

    fn ip(last: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, 0, last)
    }

    /// A login of a line whose sessions in `beside` go on, and which has promised `promised` to other devices.
    fn ask(pool: &Addresses, service: i64, beside: &[i64], promised: &[Ipv4Addr], s: i64) -> String {
        let asker = Asker {
            service: ServiceId(service),
            goes_on: &|session| beside.contains(&session.0),
            promised: &|address| promised.contains(&address),
        };
        told(pool.offer(ISP, "p", &asker, at(s)))
    }

    #[test]
    fn a_service_keeps_its_address_and_nobody_shares_one() {
        let pool = pool("10.0.0.1-10.0.0.2");
        let offer = |service, s| ask(&pool, service, &[], &[], s);
        assert_eq!(offer(1, 0), "10.0.0.1");
        assert_eq!(offer(1, 1), "10.0.0.1");
        assert_eq!(offer(2, 2), "10.0.0.2");
        assert_eq!(offer(3, 3), "exhausted");
        // service 1 comes online, service 2 never starts
        pool.hold(ISP, ip(1), SessionId(11), Some(ServiceId(1)));
        assert_eq!(offer(3, 100), "10.0.0.2");
        assert_eq!(offer(2, 101), "exhausted");
        assert_eq!(offer(1, 102), "10.0.0.1");
        pool.release(ISP, ip(1), SessionId(11));
        assert_eq!(offer(1, 200), "10.0.0.1");
        let nobody = Asker { service: ServiceId(1), goes_on: &|_| false, promised: &|_| false };
        assert_eq!(told(pool.offer(ISP, "other", &nobody, at(0))), "nas");
    }

    #[test]
    fn what_a_line_has_for_itself_is_given_to_no_other() {
        let pool = pool("10.0.0.1-10.0.0.2");
        assert_eq!(ask(&pool, 1, &[], &[], 0), "10.0.0.1");
        pool.fix(ISP, ServiceId(9), &[], &[ip(1)]);
        // even to who had it last; and another Isp's line is another matter
        assert_eq!(ask(&pool, 1, &[], &[], 100), "10.0.0.2");
        assert_eq!(ask(&pool, 2, &[], &[], 101), "exhausted");
        pool.fix(IspId(2), ServiceId(8), &[], &[ip(2)]);
        pool.fix(ISP, ServiceId(9), &[ip(1)], &[]);
        assert_eq!(ask(&pool, 2, &[], &[], 102), "10.0.0.1");
        // an address that went to another line meanwhile stays that line's
        pool.fix(ISP, ServiceId(9), &[], &[ip(2)]);
        pool.fix(ISP, ServiceId(7), &[], &[ip(2)]);
        pool.fix(ISP, ServiceId(9), &[ip(2)], &[]);
        assert_eq!(ask(&pool, 3, &[], &[], 200), "10.0.0.1");
        assert_eq!(ask(&pool, 4, &[], &[], 201), "exhausted");
    }

    #[test]
    fn a_late_stop_does_not_free_the_address_of_the_session_after_it() {
        let pool = pool("10.0.0.1");
        assert_eq!(ask(&pool, 1, &[], &[], 0), "10.0.0.1");
        pool.hold(ISP, ip(1), SessionId(11), Some(ServiceId(1)));
        // the line comes again before its Stop
        assert_eq!(ask(&pool, 1, &[], &[], 100), "10.0.0.1");
        pool.hold(ISP, ip(1), SessionId(12), Some(ServiceId(1)));
        pool.release(ISP, ip(1), SessionId(11));
        assert_eq!(ask(&pool, 2, &[], &[], 1000), "exhausted");
        pool.release(ISP, ip(1), SessionId(12));
        assert_eq!(ask(&pool, 2, &[], &[], 1001), "10.0.0.1");
    }

    #[test]
    fn two_devices_of_one_line_have_two_addresses() {
        let pool = pool("10.0.0.1-10.0.0.2");
        assert_eq!(ask(&pool, 1, &[], &[], 0), "10.0.0.1");
        // the second device before the first one's Start, and after it
        assert_eq!(ask(&pool, 1, &[], &[ip(1)], 1), "10.0.0.2");
        pool.hold(ISP, ip(1), SessionId(11), Some(ServiceId(1)));
        pool.hold(ISP, ip(2), SessionId(12), Some(ServiceId(1)));
        assert_eq!(ask(&pool, 1, &[11, 12], &[], 100), "exhausted");
        // one device comes again, then the other
        assert_eq!(ask(&pool, 1, &[11], &[], 100), "10.0.0.2");
        assert_eq!(ask(&pool, 1, &[12], &[], 200), "10.0.0.1");
    }

    #[test]
    fn after_a_restart_a_full_pool_serves_those_who_have_it() {
        let pool = pool("10.0.0.1");
        pool.hold(ISP, ip(1), SessionId(11), Some(ServiceId(1)));
        assert_eq!(ask(&pool, 1, &[], &[], 0), "10.0.0.1");
        assert_eq!(ask(&pool, 2, &[], &[], 0), "exhausted");
    }
}
