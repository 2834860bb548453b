//! Pools that we allocate from (`allocate = server`): a service keeps its address while it can, and an address belongs
//! to one session at a time. Rebuilt at start from the open sessions.

use std::{collections::HashMap, net::Ipv4Addr};

use domain::{Instant, IspId, ServiceId, clock::SECOND};
use parking_lot::Mutex;
use service::directory::PoolProfile;

/// An address given with an Accept is free again when no Start has come by then.
const RESERVED: i64 = 60 * SECOND;

#[derive(Default)]
pub struct Addresses {
    pools: Mutex<HashMap<(IspId, Box<str>), Pool>>,
    /// Addresses of open sessions, whichever pool they are of.
    held: Mutex<HashMap<(IspId, Ipv4Addr), ServiceId>>,
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

    /// An open session has this address.
    pub fn hold(&self, isp: IspId, address: Ipv4Addr, service: ServiceId) {
        self.held.lock().insert((isp, address), service);
    }

    pub fn release(&self, isp: IspId, address: Ipv4Addr) {
        self.held.lock().remove(&(isp, address));
    }

    pub fn offer(&self, isp: IspId, pool: &str, service: ServiceId, now: Instant) -> Offer {
        let mut pools = self.pools.lock();
        let Some(pool) = pools.get_mut(&(isp, Box::from(pool))) else { return Offer::ByNas };
        let held = self.held.lock();
        let is_free = |pool: &Pool, address: Ipv4Addr| {
            let reserved = pool.owner.get(&address).is_some_and(|(_, until)| *until > now);
            !reserved && !held.contains_key(&(isp, address))
        };
        let sticky = pool.sticky.get(&service).copied().filter(|address| pool.contains(*address));
        // The owner's own reservation is no obstacle: it is the same login tried again.
        let own = |pool: &Pool, address: Ipv4Addr| pool.owner.get(&address).is_none_or(|(owner, _)| *owner == service);
        let kept = sticky.filter(|a| own(pool, *a) && held.get(&(isp, *a)).is_none_or(|holder| *holder == service));
        let found = kept.or_else(|| pool.search(|pool, address| is_free(pool, address)));
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
        let ranges = service::network::parse_ranges(ranges).unwrap();
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

    #[test]
    fn a_service_keeps_its_address_and_nobody_shares_one() {
        let pool = pool("10.0.0.1-10.0.0.2");
        let offer = |service, s| told(pool.offer(ISP, "p", ServiceId(service), at(s)));
        assert_eq!(offer(1, 0), "10.0.0.1");
        assert_eq!(offer(1, 1), "10.0.0.1");
        assert_eq!(offer(2, 2), "10.0.0.2");
        assert_eq!(offer(3, 3), "exhausted");
        // service 1 comes online, service 2 never starts
        pool.hold(ISP, Ipv4Addr::new(10, 0, 0, 1), ServiceId(1));
        assert_eq!(offer(3, 100), "10.0.0.2");
        assert_eq!(offer(2, 101), "exhausted");
        assert_eq!(offer(1, 102), "10.0.0.1");
        pool.release(ISP, Ipv4Addr::new(10, 0, 0, 1));
        assert_eq!(offer(1, 200), "10.0.0.1");
        assert_eq!(told(pool.offer(ISP, "other", ServiceId(1), at(0))), "nas");
    }
}
