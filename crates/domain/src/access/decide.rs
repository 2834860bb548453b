//! May this login come in, and with what? A pure decision over what the directory holds in memory
//! (worked examples: docs/RULES.md, "Access"). The password has been verified before.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use crate::{
    Bandwidth, ExpiryAction, FupTemplateId, Instant, Mac, Quota, RouterId, SessionId, Status,
    access::usage,
    catalogue::fup::{Count, Policy},
};

/// How a service's MAC address is bound.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MacLock {
    Off,
    /// The first address seen is learnt and then enforced.
    Learn,
    Locked(Mac),
}

/// What the plan gives to whoever may come in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Network {
    pub bandwidth: Option<Bandwidth>,
    /// Name of the pool the NAS allocates from.
    pub pool: Option<Box<str>>,
    pub ipv6_pool: Option<Box<str>>,
    pub delegated_pool: Option<Box<str>>,
    /// MikroTik address list (walled garden, NAT exemption).
    pub address_list: Option<Box<str>>,
}

/// The live part of a plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlanAccess {
    pub network: Network,
    /// Simultaneous sessions; 0 is without limit.
    pub shared_users: u32,
    pub expiry: ExpiryAction,
    /// For `Restrict` and `Fallback`: what expired subscribers get.
    pub expired: Option<Network>,
    pub interim_s: u32,
    pub idle_timeout_s: Option<u32>,
    /// Longest session; `None` is without limit.
    pub session_timeout_s: Option<u32>,
    /// Its fair use policy.
    pub fup: Option<Arc<Policy>>,
}

/// How a line stands with fair use; a line that has used nothing and goes by its plan's policy needs none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FairUse {
    pub choice: Choice,
    /// What it has used, and by which policy.
    pub count: Option<(FupTemplateId, Count)>,
    /// Thresholds that have been acted on.
    pub level: usize,
}

/// Whose policy a line goes by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Choice {
    Plan,
    Own(Arc<Policy>),
    /// Nobody's.
    Exempt,
}

/// Devices beside the first that log in as well, each with its fixed address (`domain::binding`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Devices {
    pub others: Vec<(Mac, Option<Ipv4Addr>)>,
}

impl Devices {
    /// The address of this device: `None` where it is none of them.
    fn of(&self, mac: Mac) -> Option<Option<Ipv4Addr>> {
        self.others.iter().find(|(known, _)| *known == mac).map(|(_, address)| *address)
    }

    pub fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> {
        self.others.iter().filter_map(|(_, address)| *address)
    }
}

/// What the directory knows about one service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subscriber {
    pub status: Status,
    pub expires_at: Option<Instant>,
    pub quota: Quota,
    pub mac: MacLock,
    /// Bound to one router.
    pub router: Option<RouterId>,
    pub address: Option<Ipv4Addr>,
    pub address6: Option<Ipv6Addr>,
    /// Overrides the plan's bandwidth; few lines have one.
    pub bandwidth: Option<Box<Bandwidth>>,
    /// Overrides the plan's number of simultaneous sessions.
    pub shared_users: Option<u32>,
    pub fup: Option<Box<FairUse>>,
    /// Few lines have more than one.
    pub devices: Option<Box<Devices>>,
}

impl Subscriber {
    /// The fair use policy it goes by.
    pub fn policy<'a>(&'a self, plan: &'a PlanAccess) -> Option<&'a Arc<Policy>> {
        match self.fup.as_ref().map(|fup| &fup.choice) {
            None | Some(Choice::Plan) => plan.fup.as_ref(),
            Some(Choice::Own(policy)) => Some(policy),
            Some(Choice::Exempt) => None,
        }
    }

    /// What it has used by that policy.
    pub fn count(&self, policy: &Policy) -> Option<&Count> {
        let (id, count) = self.fup.as_ref()?.count.as_ref()?;
        (*id == policy.id).then_some(count)
    }

    /// The rate as sold, before fair use.
    pub fn own_rates(&self, plan: &PlanAccess) -> Option<Bandwidth> {
        self.bandwidth.as_deref().copied().or(plan.network.bandwidth)
    }

    /// The rate while the period runs.
    pub fn rates(&self, plan: &PlanAccess, now: Instant) -> Option<Bandwidth> {
        let fair = self.policy(plan).and_then(|policy| policy.rates_at(self.count(policy), now));
        fair.or_else(|| self.own_rates(plan))
    }
}

/// An open session of the service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Live {
    pub session: SessionId,
    pub router: RouterId,
    pub mac: Option<Mac>,
    pub port: Option<u32>,
    pub reported_at: Instant,
    /// The interval it was told or keeps; `None`: it never sends interims.
    pub interval_s: Option<u32>,
}

/// What the packet says beside name and password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Login {
    pub router: RouterId,
    pub mac: Option<Mac>,
    pub port: Option<u32>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decision {
    Accept(Grant),
    Reject(Reason),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    pub bandwidth: Option<Bandwidth>,
    pub address: Option<Ipv4Addr>,
    pub address6: Option<Ipv6Addr>,
    pub pool: Option<Box<str>>,
    pub ipv6_pool: Option<Box<str>>,
    pub delegated_pool: Option<Box<str>>,
    pub address_list: Option<Box<str>>,
    /// At least 1.
    pub session_timeout_s: Option<u32>,
    pub idle_timeout_s: Option<u32>,
    pub interim_s: u32,
    /// Bytes the session may still carry.
    pub data_left_bytes: Option<u64>,
    /// Restricted because the period is over, rather than as sold.
    pub expired: bool,
    /// Sessions this login replaces.
    pub takes_over: Vec<SessionId>,
    /// Remember this address for the service from now on.
    pub learn: Option<Mac>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reason {
    UnknownUser,
    WrongPassword,
    Suspended,
    Disabled,
    Inactive,
    Pending,
    AwaitingApproval,
    Rejected,
    Terminated,
    Expired,
    QuotaUsedUp,
    TooManySessions,
    WrongMac,
    NoMac,
    WrongRouter,
    CheckFailed,
    NoAddressLeft,
    VoucherUsed,
}

impl Reason {
    pub const ALL: [Reason; 18] = [
        Reason::UnknownUser,
        Reason::WrongPassword,
        Reason::Suspended,
        Reason::Disabled,
        Reason::Inactive,
        Reason::Pending,
        Reason::AwaitingApproval,
        Reason::Rejected,
        Reason::Terminated,
        Reason::Expired,
        Reason::QuotaUsedUp,
        Reason::TooManySessions,
        Reason::WrongMac,
        Reason::NoMac,
        Reason::WrongRouter,
        Reason::CheckFailed,
        Reason::NoAddressLeft,
        Reason::VoucherUsed,
    ];

    /// One word for logs, metrics and the database.
    pub fn word(self) -> &'static str {
        match self {
            Reason::UnknownUser => "unknown_user",
            Reason::WrongPassword => "wrong_password",
            Reason::Suspended => "suspended",
            Reason::Disabled => "disabled",
            Reason::Inactive => "inactive",
            Reason::Pending => "pending",
            Reason::AwaitingApproval => "awaiting_approval",
            Reason::Rejected => "rejected",
            Reason::Terminated => "terminated",
            Reason::Expired => "expired",
            Reason::QuotaUsedUp => "quota_used_up",
            Reason::TooManySessions => "too_many_sessions",
            Reason::WrongMac => "wrong_mac",
            Reason::NoMac => "no_mac",
            Reason::WrongRouter => "wrong_router",
            Reason::CheckFailed => "check_failed",
            Reason::NoAddressLeft => "no_address_left",
            Reason::VoucherUsed => "voucher_used",
        }
    }

    pub fn from_word(word: &str) -> Option<Reason> {
        Reason::ALL.into_iter().find(|reason| reason.word() == word)
    }
}

/// Why a service may not connect whatever its period; `None`: it may.
pub fn barred(status: Status) -> Option<Reason> {
    match status {
        Status::Active => None,
        Status::Pending => Some(Reason::Pending),
        Status::AwaitingApproval => Some(Reason::AwaitingApproval),
        Status::Suspended => Some(Reason::Suspended),
        Status::Disabled => Some(Reason::Disabled),
        Status::Inactive => Some(Reason::Inactive),
        Status::Rejected => Some(Reason::Rejected),
        Status::Terminated => Some(Reason::Terminated),
    }
}

/// Why what was bought is over, by time or by quota; `None`: it is not. A line without an end has nothing.
pub fn over(expires_at: Option<Instant>, quota: &Quota, now: Instant) -> Option<Reason> {
    match expires_at {
        Some(at) if at > now => quota.is_used_up().then_some(Reason::QuotaUsedUp),
        Some(_) | None => Some(Reason::Expired),
    }
}

/// Why a line is off: what staff decided, or what was bought is over; `None`: it runs.
pub fn off(status: Status, expires_at: Option<Instant>, quota: &Quota, now: Instant) -> Option<Reason> {
    barred(status).or_else(|| over(expires_at, quota, now))
}

/// Whether the period is over by time or by quota; `None`: it runs.
pub fn ended(subscriber: &Subscriber, now: Instant) -> Option<Reason> {
    over(subscriber.expires_at, &subscriber.quota, now)
}

/// Whether nobody may be online on this service at `now`, not even restricted.
pub fn must_go(subscriber: &Subscriber, plan: &PlanAccess, now: Instant) -> bool {
    let lets_in_expired =
        matches!(plan.expiry, ExpiryAction::Restrict | ExpiryAction::Fallback) && plan.expired.is_some();
    barred(subscriber.status).is_some() || (!lets_in_expired && ended(subscriber, now).is_some())
}

pub fn decide(subscriber: &Subscriber, plan: &PlanAccess, live: &[Live], login: &Login, now: Instant) -> Decision {
    if let Some(reason) = barred(subscriber.status) {
        return Decision::Reject(reason);
    }
    if subscriber.router.is_some_and(|router| router != login.router) {
        return Decision::Reject(Reason::WrongRouter);
    }
    let other = subscriber.devices.as_ref().zip(login.mac).and_then(|(devices, mac)| devices.of(mac));
    let learn = match (subscriber.mac, login.mac) {
        (MacLock::Off, _) | (MacLock::Learn, None) => None,
        (MacLock::Learn, Some(mac)) => Some(mac),
        (MacLock::Locked(_), None) => return Decision::Reject(Reason::NoMac),
        (MacLock::Locked(bound), Some(mac)) if bound != mac && other.is_none() => {
            return Decision::Reject(Reason::WrongMac);
        }
        (MacLock::Locked(_), Some(_)) => None,
    };
    let mut grant = match grant(subscriber, plan, now) {
        Ok(grant) => grant,
        Err(reason) => return Decision::Reject(reason),
    };
    match takeover(subscriber.shared_users.unwrap_or(plan.shared_users), live, login, now) {
        Some(sessions) => grant.takes_over = sessions,
        None => return Decision::Reject(Reason::TooManySessions),
    }
    if let Some(address) = other {
        // As for the first: in the walled garden the pool decides.
        grant.address = address.filter(|_| !(grant.expired && grant.pool.is_some()));
    }
    grant.learn = learn;
    Decision::Accept(grant)
}

/// What the service gets at `now`, for a login as for a change of a live session.
pub fn grant(subscriber: &Subscriber, plan: &PlanAccess, now: Instant) -> Result<Grant, Reason> {
    if let Some(reason) = barred(subscriber.status) {
        return Err(reason);
    }
    let (network, over) = match (ended(subscriber, now), plan.expiry, &plan.expired) {
        (None, _, _) => (&plan.network, false),
        (Some(_), ExpiryAction::Restrict | ExpiryAction::Fallback, Some(expired)) => (expired, true),
        (Some(reason), _, _) => return Err(reason),
    };
    let mut bandwidth = network.bandwidth;
    let mut left_s = plan.session_timeout_s.map(i64::from);
    let mut data_left_bytes = None;
    if !over {
        bandwidth = subscriber.rates(plan, now);
        let until_expiry = subscriber.expires_at.map(|at| (at.since(now) + 999_999) / 1_000_000);
        left_s = [left_s, until_expiry, subscriber.quota.time_left_s()].into_iter().flatten().min();
        data_left_bytes = subscriber.quota.data_left_bytes().map(|left| left as u64);
    }
    Ok(Grant {
        bandwidth,
        // A fixed address keeps its owner reachable; in the walled garden the pool decides.
        address: if over && network.pool.is_some() { None } else { subscriber.address },
        address6: subscriber.address6,
        pool: network.pool.clone(),
        ipv6_pool: network.ipv6_pool.clone(),
        delegated_pool: network.delegated_pool.clone(),
        address_list: network.address_list.clone(),
        session_timeout_s: left_s.map(|s| s.clamp(1, u32::MAX as i64) as u32),
        idle_timeout_s: plan.idle_timeout_s,
        interim_s: plan.interim_s,
        data_left_bytes,
        expired: over,
        takes_over: Vec::new(),
        learn: None,
    })
}

/// Which sessions a login may replace; `None`: there is no room. Silent sessions make room first, then the same device.
fn takeover(allowed: u32, live: &[Live], login: &Login, now: Instant) -> Option<Vec<SessionId>> {
    let mut replaced = Vec::new();
    let mut others = 0u32;
    for session in live {
        let lost = usage::is_lost(session.reported_at, session.interval_s, now);
        if lost || same_device(session, login) {
            replaced.push(session.session);
        } else {
            others += 1;
        }
    }
    (allowed == 0 || others < allowed).then_some(replaced)
}

/// One device at one place: the same MAC, or the same port of the same router where no MAC is known.
fn same_device(session: &Live, login: &Login) -> bool {
    match (session.mac, login.mac) {
        (Some(old), Some(new)) => old == new,
        _ => session.router == login.router && session.port.is_some() && session.port == login.port,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limit;

    const NOW: Instant = Instant(1_800_000_000_000_000);
    const HERE: RouterId = RouterId(1);

    fn plan() -> PlanAccess {
        let network = Network {
            bandwidth: Some(Bandwidth::plain(10_000, 5_000)),
            pool: Some("main".into()),
            ipv6_pool: None,
            delegated_pool: None,
            address_list: None,
        };
        PlanAccess {
            expired: Some(Network {
                bandwidth: Some(Bandwidth::plain(512, 512)),
                pool: Some("expired".into()),
                address_list: Some("unpaid".into()),
                ..network.clone()
            }),
            network,
            shared_users: 1,
            expiry: ExpiryAction::Reject,
            interim_s: 300,
            idle_timeout_s: None,
            session_timeout_s: None,
            fup: None,
        }
    }

    fn ali() -> Subscriber {
        Subscriber {
            status: Status::Active,
            expires_at: Some(NOW.plus_seconds(7200)),
            quota: Quota::default(),
            mac: MacLock::Off,
            router: None,
            address: None,
            address6: None,
            bandwidth: None,
            shared_users: None,
            fup: None,
            devices: None,
        }
    }

    fn with_others(s: &mut Subscriber, others: &[(u8, u8)]) {
        let address = |last: u8| (last > 0).then(|| Ipv4Addr::new(10, 0, 0, last));
        let others = others.iter().map(|(device, last)| (mac(*device), address(*last))).collect();
        s.devices = Some(Box::new(Devices { others }));
    }

    fn mac(last: u8) -> Mac {
        Mac([2, 0, 0, 0, 0, last])
    }

    fn from(last: u8) -> Login {
        Login { router: HERE, mac: Some(mac(last)), port: Some(7) }
    }

    fn session(last: u8, silent_s: i64) -> Live {
        Live {
            session: SessionId(last as i64),
            router: HERE,
            mac: Some(mac(last)),
            port: Some(last as u32),
            reported_at: NOW.plus_seconds(-silent_s),
            interval_s: Some(300),
        }
    }

    /// The decision in one line.
    fn told(decision: Decision) -> String {
        match decision {
            Decision::Reject(reason) => format!("reject {}", reason.word()),
            Decision::Accept(g) => {
                let mut text = "accept".to_string();
                if let Some(b) = g.bandwidth {
                    text += &format!(" {}/{}", b.up_kbps, b.down_kbps);
                }
                if let Some(s) = g.session_timeout_s {
                    text += &format!(" {s}s");
                }
                if let Some(address) = g.address {
                    text += &format!(" {address}");
                } else if let Some(pool) = g.pool {
                    text += &format!(" pool={pool}");
                }
                if let Some(list) = g.address_list {
                    text += &format!(" list={list}");
                }
                if let Some(left) = g.data_left_bytes {
                    text += &format!(" left={left}");
                }
                if let Some(mac) = g.learn {
                    text += &format!(" learn={mac}");
                }
                for id in g.takes_over {
                    text += &format!(" over={id}");
                }
                text
            }
        }
    }

    #[test]
    fn a_line_runs_or_is_off() {
        let now = Instant(1_000);
        let quota = |limit: Option<i64>, used_bytes| Quota {
            limit: crate::Limit { time_s: None, data_bytes: limit },
            used_time_s: 0,
            used_bytes,
        };
        let rows = [
            // status, end, quota, used → why it is off
            (Status::Active, Some(1_001), None, 0, None),
            (Status::Active, Some(1_001), Some(5), 4, None),
            (Status::Active, Some(1_001), Some(5), 5, Some(Reason::QuotaUsedUp)),
            (Status::Active, Some(1_000), Some(5), 5, Some(Reason::Expired)),
            (Status::Active, Some(999), None, 0, Some(Reason::Expired)),
            // It came without time.
            (Status::Active, None, None, 0, Some(Reason::Expired)),
            (Status::Suspended, Some(1_001), None, 0, Some(Reason::Suspended)),
            (Status::Suspended, Some(999), None, 0, Some(Reason::Suspended)),
            (Status::Pending, Some(1_001), None, 0, Some(Reason::Pending)),
        ];
        for (status, end, limit, used, expected) in rows {
            let got = off(status, end.map(Instant), &quota(limit, used), now);
            assert_eq!(got, expected, "{status:?} until {end:?}, {used} of {limit:?}");
        }
    }

    #[test]
    fn who_comes_in_with_what() {
        type Change = fn(&mut Subscriber, &mut PlanAccess);
        let rows: &[(&str, Change, &str)] = &[
            ("as sold", |_, _| {}, "accept 5000/10000 7200s pool=main"),
            (
                "time quota ends before the period",
                |s, _| s.quota = Quota { limit: Limit { time_s: Some(3600), data_bytes: None }, ..Quota::default() },
                "accept 5000/10000 3600s pool=main",
            ),
            (
                "data quota's remainder",
                |s, _| {
                    s.quota = Quota {
                        limit: Limit { time_s: None, data_bytes: Some(5_000_000_000) },
                        used_bytes: 4_200_000_000,
                        used_time_s: 0,
                    }
                },
                "accept 5000/10000 7200s pool=main left=800000000",
            ),
            (
                "data quota used up",
                |s, _| {
                    s.quota =
                        Quota { limit: Limit { time_s: None, data_bytes: Some(5) }, used_bytes: 6, used_time_s: 0 }
                },
                "reject quota_used_up",
            ),
            (
                "both limits: whichever is first",
                |s, _| {
                    s.quota =
                        Quota { limit: Limit { time_s: Some(60), data_bytes: Some(5) }, used_bytes: 0, used_time_s: 60 }
                },
                "reject quota_used_up",
            ),
            ("expired, plan rejects", |s, _| s.expires_at = Some(NOW), "reject expired"),
            ("never sold", |s, _| s.expires_at = None, "reject expired"),
            (
                "expired into the walled garden",
                |s, p| {
                    s.expires_at = Some(NOW.plus_seconds(-1));
                    s.address = Some(Ipv4Addr::new(10, 0, 0, 9));
                    p.expiry = ExpiryAction::Restrict;
                },
                "accept 512/512 pool=expired list=unpaid",
            ),
            (
                "expired onto the fallback plan, own rate no longer applies",
                |s, p| {
                    s.expires_at = Some(NOW.plus_seconds(-1));
                    s.bandwidth = Some(Box::new(Bandwidth::plain(99_000, 99_000)));
                    p.expiry = ExpiryAction::Fallback;
                },
                "accept 512/512 pool=expired list=unpaid",
            ),
            (
                "quota used up into the walled garden",
                |s, p| {
                    s.quota =
                        Quota { limit: Limit { time_s: None, data_bytes: Some(5) }, used_bytes: 6, used_time_s: 0 };
                    p.expiry = ExpiryAction::Restrict;
                },
                "accept 512/512 pool=expired list=unpaid",
            ),
            ("suspended", |s, _| s.status = Status::Suspended, "reject suspended"),
            (
                "suspended and expired: the status is told",
                |s, p| {
                    s.status = Status::Suspended;
                    s.expires_at = Some(NOW.plus_seconds(-1));
                    p.expiry = ExpiryAction::Restrict;
                },
                "reject suspended",
            ),
            ("disabled", |s, _| s.status = Status::Disabled, "reject disabled"),
            ("inactive", |s, _| s.status = Status::Inactive, "reject inactive"),
            ("pending", |s, _| s.status = Status::Pending, "reject pending"),
            ("terminated", |s, _| s.status = Status::Terminated, "reject terminated"),
            ("static address", |s, _| s.address = Some(Ipv4Addr::new(10, 0, 0, 9)), "accept 5000/10000 7200s 10.0.0.9"),
            (
                "own bandwidth",
                |s, _| s.bandwidth = Some(Box::new(Bandwidth::plain(20_000, 20_000))),
                "accept 20000/20000 7200s pool=main",
            ),
            (
                "MAC lock, first login",
                |s, _| s.mac = MacLock::Learn,
                "accept 5000/10000 7200s pool=main learn=02:00:00:00:00:01",
            ),
            ("MAC lock, same device", |s, _| s.mac = MacLock::Locked(mac(1)), "accept 5000/10000 7200s pool=main"),
            ("MAC lock, another device", |s, _| s.mac = MacLock::Locked(mac(2)), "reject wrong_mac"),
            (
                "one of several devices, its own address",
                |s, _| {
                    (s.mac, s.address) = (MacLock::Locked(mac(2)), Some(Ipv4Addr::new(10, 0, 0, 2)));
                    with_others(s, &[(3, 3), (1, 9)]);
                },
                "accept 5000/10000 7200s 10.0.0.9",
            ),
            (
                "one of several devices, without an address",
                |s, _| {
                    (s.mac, s.address) = (MacLock::Locked(mac(2)), Some(Ipv4Addr::new(10, 0, 0, 2)));
                    with_others(s, &[(1, 0)]);
                },
                "accept 5000/10000 7200s pool=main",
            ),
            (
                "the first of several devices",
                |s, _| {
                    (s.mac, s.address) = (MacLock::Locked(mac(1)), Some(Ipv4Addr::new(10, 0, 0, 2)));
                    with_others(s, &[(3, 3)]);
                },
                "accept 5000/10000 7200s 10.0.0.2",
            ),
            (
                "none of several devices",
                |s, _| {
                    s.mac = MacLock::Locked(mac(2));
                    with_others(s, &[(3, 3), (4, 4)]);
                },
                "reject wrong_mac",
            ),
            (
                "one of several devices, expired into a pool",
                |s, p| {
                    (s.mac, s.expires_at) = (MacLock::Locked(mac(2)), Some(NOW.plus_seconds(-1)));
                    p.expiry = ExpiryAction::Restrict;
                    with_others(s, &[(1, 9)]);
                },
                "accept 512/512 pool=expired list=unpaid",
            ),
            ("bound to this router", |s, _| s.router = Some(HERE), "accept 5000/10000 7200s pool=main"),
            ("bound to another router", |s, _| s.router = Some(RouterId(2)), "reject wrong_router"),
            ("less than a second left", |s, _| s.expires_at = Some(NOW.plus(1)), "accept 5000/10000 1s pool=main"),
            (
                "a century left",
                |s, _| s.expires_at = Some(NOW.plus_seconds(100 * 366 * 86_400)),
                "accept 5000/10000 3162240000s pool=main",
            ),
            ("the plan's longest session", |_, p| p.session_timeout_s = Some(600), "accept 5000/10000 600s pool=main"),
        ];
        for (name, change, expected) in rows {
            let (mut subscriber, mut plan) = (ali(), plan());
            change(&mut subscriber, &mut plan);
            assert_eq!(told(decide(&subscriber, &plan, &[], &from(1), NOW)), *expected, "{name}");
        }
    }

    #[test]
    fn fair_use_at_the_desk() {
        use crate::{
            BandwidthId,
            catalogue::fup::{Cycle, Measure, Reset, Tier},
        };
        let policy = |id, after_gb: u64, mbps: u32| Policy {
            id: FupTemplateId(id),
            name: "fair".into(),
            measure: Measure::Total,
            reset: Reset::Monthly { day: 1 },
            carry_forward: false,
            tiers: vec![Tier {
                after_bytes: after_gb * 1_000_000_000,
                bandwidth: BandwidthId(1),
                rates: Some(Bandwidth::plain(mbps * 1000, mbps * 1000)),
            }],
            windows: Vec::new(),
            zone: jiff::tz::TimeZone::UTC,
        };
        let used = |choice, of, mb: u64| {
            let cycle = Cycle { starts_at: NOW.plus_seconds(-100), ends_at: Some(NOW.plus_seconds(100)) };
            let count = Count { down: mb * 1_000_000, ..Count::new(cycle) };
            Some(Box::new(FairUse { choice, count: Some((FupTemplateId(of), count)), level: 0 }))
        };
        let own = || Choice::Own(Arc::new(policy(2, 0, 1)));
        let expired = Some(NOW.plus_seconds(-1));
        let rows: &[(&str, Option<Box<FairUse>>, Option<Instant>, &str)] = &[
            ("nothing used", None, ali().expires_at, "accept 5000/10000 7200s pool=main"),
            ("99.9 of 100 GB", used(Choice::Plan, 1, 99_900), ali().expires_at, "accept 5000/10000 7200s pool=main"),
            ("100.1 of 100 GB", used(Choice::Plan, 1, 100_100), ali().expires_at, "accept 2000/2000 7200s pool=main"),
            (
                "counted by another",
                used(Choice::Plan, 9, 100_100),
                ali().expires_at,
                "accept 5000/10000 7200s pool=main",
            ),
            ("exempt", used(Choice::Exempt, 1, 100_100), ali().expires_at, "accept 5000/10000 7200s pool=main"),
            ("its own policy", used(own(), 1, 0), ali().expires_at, "accept 1000/1000 7200s pool=main"),
            ("expired", used(Choice::Plan, 1, 100_100), expired, "accept 512/512 pool=expired list=unpaid"),
        ];
        for (name, fup, expires_at, expected) in rows {
            let subscriber = Subscriber { fup: fup.clone(), expires_at: *expires_at, ..ali() };
            let fup = Some(Arc::new(policy(1, 100, 2)));
            let plan = PlanAccess { fup, expiry: ExpiryAction::Restrict, ..plan() };
            assert_eq!(told(decide(&subscriber, &plan, &[], &from(1), NOW)), *expected, "{name}");
        }
        let throttled = Subscriber { fup: used(Choice::Plan, 1, 100_100), ..ali() };
        let plan = PlanAccess { fup: Some(Arc::new(policy(1, 100, 2))), ..plan() };
        let later = NOW.plus_seconds(100);
        assert_eq!(throttled.rates(&plan, later), plan.network.bandwidth, "the next cycle has begun");
    }

    #[test]
    fn a_locked_mac_needs_a_mac() {
        let mut subscriber = ali();
        subscriber.mac = MacLock::Locked(mac(1));
        let login = Login { router: HERE, mac: None, port: None };
        assert_eq!(told(decide(&subscriber, &plan(), &[], &login, NOW)), "reject no_mac");
    }

    #[test]
    fn shared_users() {
        let portless = Live { mac: None, ..session(7, 10) };
        let elsewhere = Live { router: RouterId(2), ..portless };
        let rows: &[(&str, u32, &[Live], &str)] = &[
            ("nobody there", 1, &[], "accept"),
            ("another device", 1, &[session(2, 10)], "reject too_many_sessions"),
            ("the same device", 1, &[session(1, 10)], "accept over=1"),
            ("the same port, MAC unknown", 1, &[portless], "accept over=7"),
            ("the same port number of another router", 1, &[elsewhere], "reject too_many_sessions"),
            ("silent for three intervals", 1, &[session(2, 901)], "accept over=2"),
            ("never sends interims", 1, &[Live { interval_s: None, ..session(2, 90_000) }], "reject too_many_sessions"),
            ("room for two", 2, &[session(2, 10)], "accept"),
            ("two of two", 2, &[session(2, 10), session(3, 10)], "reject too_many_sessions"),
            ("two of two, one of them this device", 2, &[session(2, 10), session(1, 10)], "accept over=1"),
            ("without limit", 0, &[session(2, 10), session(3, 10)], "accept"),
        ];
        for (name, allowed, live, expected) in rows {
            let subscriber = Subscriber { shared_users: Some(*allowed), ..ali() };
            let got = told(decide(&subscriber, &plan(), live, &from(1), NOW));
            let got = got.replace(" 5000/10000 7200s pool=main", "");
            assert_eq!(got, *expected, "{name}");
        }
    }

    #[test]
    fn reasons_have_one_word_each() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_word(reason.word()), Some(reason));
        }
    }
}
