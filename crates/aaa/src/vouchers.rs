//! Vouchers in memory: which codes can still be used, which device holds which. A first login reserves a use here and is
//! let in; it is written down a moment later, and again when its Start comes, should that have failed.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use domain::{Instant, IspId, Mac, PlanId, Quota, RouterId, ServiceId, kernel::clock::MINUTE};
use parking_lot::{Mutex, RwLock};
use radius::{Packet, attribute::CALLING_STATION_ID, auth};
use service::{
    App, Error,
    sales::redemption::{self, Code, FirstUse, Holder, Known},
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use crate::{Directory, desk};

/// An Accept whose use cannot be written keeps it this long; then another device may have it.
const RESERVED: i64 = 5 * MINUTE;
/// Uses waiting to be written; what does not fit is written when its Start comes.
const CHANNEL: usize = 4096;
const AT_ONCE: usize = 16;
const RETRY: Duration = Duration::from_secs(1);
const LONGEST_CODE: usize = 64;

#[derive(Default)]
pub struct Vouchers {
    codes: RwLock<HashMap<IspId, HashMap<Box<str>, Arc<Mutex<Voucher>>>>>,
}

/// Everything behind one code. Used and deleted vouchers stay for those who hold them.
#[derive(Default, Debug)]
pub struct Voucher {
    live: Option<Code>,
    holders: Vec<Holder>,
    reserved: Vec<Reserved>,
}

/// A use given by an Accept and not yet read back from the database.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reserved {
    voucher: i64,
    client: Box<str>,
    until: Instant,
    pub expires_at: Instant,
    pub quota: Quota,
}

/// What a device may have of a code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Right {
    /// Its own line, from its first use on.
    Holds(ServiceId),
    /// Let in before; the line is being made.
    Reserved(PlanId, Reserved),
    /// A first use.
    Free(PlanId),
    /// Others have used it up.
    Used,
}

impl Voucher {
    /// `ended`: whether a line's period is over.
    pub fn right(&mut self, client: &str, now: Instant, ended: impl Fn(ServiceId) -> bool) -> Right {
        self.reserved.retain(|place| place.until > now);
        let held = self.holders.iter().rev().find(|holder| *holder.client == *client);
        let Some(live) = &self.live else { return held.map_or(Right::Used, |holder| Right::Holds(holder.service)) };
        // The code may have been made again since: an ended line of an older voucher does not stand in its way.
        if let Some(holder) = held
            && (holder.voucher == live.voucher || !ended(holder.service))
        {
            return Right::Holds(holder.service);
        }
        let mut reserved = self.reserved.iter().filter(|place| place.voucher == live.voucher);
        if let Some(place) = reserved.clone().find(|place| *place.client == *client) {
            return Right::Reserved(live.plan, place.clone());
        }
        match live.used.saturating_add(reserved.by_ref().count() as i64) < live.clients {
            true => Right::Free(live.plan),
            false => Right::Used,
        }
    }

    /// Whether this device has been let in by it.
    pub fn is_of(&self, client: &str, now: Instant) -> bool {
        self.holders.iter().any(|holder| *holder.client == *client)
            || self.reserved.iter().any(|place| place.until > now && *place.client == *client)
    }

    /// Gives a use to `client`, which was found free in the same lock.
    pub fn reserve(&mut self, client: &str, now: Instant, expires_at: Instant, quota: Quota) {
        let Some(live) = &self.live else { return };
        let place =
            Reserved { voucher: live.voucher, client: client.into(), until: now.plus(RESERVED), expires_at, quota };
        self.reserved.push(place);
    }

    /// The ways in which a hotspot may send this code as a password: as printed, as typed, or not at all.
    pub fn verify(&self, credentials: &auth::Credentials<'_>, name: &[u8]) -> auth::Proof {
        let printed = self.live.as_ref().map_or("", |live| &live.code);
        let typed = name.trim_ascii();
        let (lower, upper) = (typed.to_ascii_lowercase(), typed.to_ascii_uppercase());
        let ways = [printed.as_bytes(), name, typed, &lower, &upper, b""];
        let mut proofs = ways.into_iter().map(|way| credentials.verify(name, auth::Known::Clear(way)));
        proofs.find(auth::Proof::is_right).unwrap_or(auth::Proof::Wrong)
    }
}

impl Vouchers {
    /// How many codes are known.
    pub fn len(&self) -> usize {
        self.codes.read().values().map(HashMap::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The voucher with this code as a NAS writes it, if need be without its realm, and its key.
    pub fn find(&self, isp: IspId, name: &[u8], strip_realm: bool) -> Option<(Box<str>, Arc<Mutex<Voucher>>)> {
        let name = std::str::from_utf8(name).ok().filter(|name| name.len() <= LONGEST_CODE)?;
        let codes = self.codes.read();
        let codes = codes.get(&isp)?;
        let look = |name: &str| {
            let key = domain::kernel::names::name_key(name);
            codes.get(key.as_str()).map(|voucher| (key.into_boxed_str(), voucher.clone()))
        };
        look(name).or_else(|| name.split_once('@').filter(|_| strip_realm).and_then(|(code, _)| look(code)))
    }

    fn entry(&self, isp: IspId, key: &str) -> Arc<Mutex<Voucher>> {
        let mut codes = self.codes.write();
        codes.entry(isp).or_default().entry(key.into()).or_default().clone()
    }

    /// Takes in a voucher as it is now.
    pub fn put(&self, known: Known) {
        let entry = self.entry(known.isp, &known.key);
        let mut voucher = entry.lock();
        match known.code {
            Some(code) => voucher.live = Some(code),
            None if voucher.live.as_ref().is_some_and(|live| live.voucher == known.voucher) => voucher.live = None,
            None => {}
        }
        voucher.holders.retain(|holder| holder.voucher != known.voucher);
        voucher
            .reserved
            .retain(|place| place.voucher != known.voucher || !known.holders.iter().any(|h| h.client == place.client));
        voucher.holders.extend(known.holders);
        let gone = voucher.live.is_none() && voucher.holders.is_empty();
        drop(voucher);
        if gone && let Some(codes) = self.codes.write().get_mut(&known.isp) {
            codes.remove(&known.key);
        }
    }

    /// Adds a holder while loading.
    pub fn held(&self, isp: IspId, key: &str, holder: Holder) {
        self.entry(isp, key).lock().holders.push(holder);
    }

    /// The line a device has by this code.
    pub fn line(&self, isp: IspId, name: &[u8], strip_realm: bool, client: &str) -> Option<ServiceId> {
        let (_, voucher) = self.find(isp, name, strip_realm)?;
        let voucher = voucher.lock();
        voucher.holders.iter().rev().find(|holder| *holder.client == *client).map(|holder| holder.service)
    }

    /// What the device may have that a report tells of; `None`: nobody knows the code.
    pub fn right_of(&self, first: &FirstUse, now: Instant, ended: impl Fn(ServiceId) -> bool) -> Option<Right> {
        let (_, voucher) = self.find(first.isp, first.key.as_bytes(), false)?;
        Some(voucher.lock().right(&first.client, now, ended))
    }

    /// The database refused it: the use is nobody's.
    fn release(&self, first: &FirstUse) {
        if let Some((_, voucher)) = self.find(first.isp, first.key.as_bytes(), false) {
            voucher.lock().reserved.retain(|place| place.client != first.client);
        }
    }
}

/// What tells a hotspot's devices apart: the MAC address, else whatever Calling-Station-Id says, else the code alone.
pub fn client(packet: &Packet<'_>, mac: Option<Mac>, key: &str) -> Box<str> {
    match (mac, packet.text(CALLING_STATION_ID).map(str::trim).filter(|text| !text.is_empty())) {
        (Some(mac), _) => mac.to_string().into(),
        (None, Some(text)) => text.into(),
        (None, None) => key.into(),
    }
}

/// `name`: as it was sent.
pub fn first_use(isp: IspId, (key, name): (&str, &[u8]), client: &str, mac: Option<Mac>, router: RouterId) -> FirstUse {
    let name = domain::kernel::names::login_key(&desk::shown(name)).into();
    FirstUse { isp, key: key.into(), name, client: client.into(), mac, router }
}

pub fn channel() -> (mpsc::Sender<FirstUse>, mpsc::Receiver<FirstUse>) {
    mpsc::channel(CHANNEL)
}

/// Writes first uses as they come. With the database away they wait; a refused one is nobody's, and its session ends.
pub async fn write(
    app: App,
    directory: Arc<Directory>,
    mut uses: mpsc::Receiver<FirstUse>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut waiting: VecDeque<FirstUse> = VecDeque::new();
    let mut ending = false;
    while !ending {
        if waiting.is_empty() {
            tokio::select! {
                first = uses.recv() => match first {
                    Some(first) => waiting.push_back(first),
                    None => ending = true,
                },
                _ = stopped.changed() => ending = true,
            }
        }
        while waiting.len() < CHANNEL
            && let Ok(first) = uses.try_recv()
        {
            waiting.push_back(first);
        }
        let mut running = JoinSet::new();
        for first in waiting.drain(..waiting.len().min(AT_ONCE)) {
            let app = app.clone();
            running.spawn(async move { (service::customers::vouchers::redeem(&app, first.clone()).await, first) });
        }
        let mut failed = false;
        while let Some(done) = running.join_next().await {
            match done {
                Ok((Ok(_), _)) | Err(_) => {}
                Ok((Err(error @ (Error::Unavailable | Error::Busy)), first)) => {
                    tracing::warn!(%error, "a voucher's use cannot be written yet");
                    waiting.push_back(first);
                    failed = true;
                }
                Ok((Err(error), first)) => {
                    tracing::warn!(%error, isp = first.isp.0, client = first.client, "a voucher's use is refused");
                    directory.vouchers.release(&first);
                    if redemption::is_refusal(&error)
                        && let Err(error) = redemption::turn_away(&app, &first).await
                    {
                        tracing::warn!(%error, "a session without a voucher is left until its next report");
                    }
                }
            }
        }
        if failed && !ending {
            tokio::select! {
                () = tokio::time::sleep(RETRY) => {}
                _ = stopped.changed() => ending = true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant(1_800_000_000_000_000);
    const ISP: IspId = IspId(1);

    fn code(voucher: i64, clients: i64, used: i64) -> Code {
        Code { voucher, code: "AB12".into(), plan: PlanId(3), clients, used }
    }

    fn known(voucher: i64, code: Option<Code>, holders: &[(&str, i64)]) -> Known {
        let holders = holders.iter().map(|(client, service)| Holder {
            voucher,
            client: (*client).into(),
            service: ServiceId(*service),
        });
        Known { isp: ISP, voucher, key: "ab12".into(), code, holders: holders.collect() }
    }

    fn ask(vouchers: &Vouchers, client: &str, now: Instant) -> String {
        let Some((_, voucher)) = vouchers.find(ISP, b" AB12 ", false) else { return "unknown".into() };
        let mut voucher = voucher.lock();
        match voucher.right(client, now, |line| line.0 < 10) {
            Right::Holds(line) => format!("holds {}", line.0),
            Right::Reserved(..) => "reserved".into(),
            Right::Free(_) => {
                voucher.reserve(client, now, now.plus_seconds(60), Quota::default());
                "free".into()
            }
            Right::Used => "used".into(),
        }
    }

    #[test]
    fn a_use_is_given_once_and_kept() {
        let vouchers = Vouchers::default();
        assert_eq!(ask(&vouchers, "a", NOW), "unknown");
        vouchers.put(known(1, Some(code(1, 2, 0)), &[]));
        let rows = [("a", "free"), ("a", "reserved"), ("b", "free"), ("c", "used"), ("a", "reserved")];
        for (client, expected) in rows {
            assert_eq!(ask(&vouchers, client, NOW), expected, "{client}");
        }
        // one is written; the other never is, and falls back after a while
        vouchers.put(known(1, Some(code(1, 2, 1)), &[("a", 11)]));
        assert_eq!(ask(&vouchers, "a", NOW), "holds 11");
        assert_eq!(ask(&vouchers, "c", NOW), "used");
        assert_eq!(ask(&vouchers, "c", NOW.plus(RESERVED)), "free");
        assert_eq!(ask(&vouchers, "b", NOW.plus(RESERVED)), "used");
    }

    #[test]
    fn deleted_and_made_again() {
        let vouchers = Vouchers::default();
        vouchers.put(known(1, Some(code(1, 1, 1)), &[("a", 5), ("b", 11)]));
        vouchers.put(known(1, None, &[("a", 5), ("b", 11)]));
        assert_eq!(ask(&vouchers, "a", NOW), "holds 5", "who holds it keeps it");
        assert_eq!(ask(&vouchers, "c", NOW), "used");
        vouchers.put(known(2, Some(code(2, 2, 0)), &[]));
        vouchers.put(known(1, None, &[("a", 5), ("b", 11)]));
        assert_eq!(ask(&vouchers, "b", NOW), "holds 11", "its period runs");
        assert_eq!(ask(&vouchers, "a", NOW), "free", "its old period is over");
        vouchers.put(known(3, None, &[]));
        assert_eq!(vouchers.len(), 1);
        vouchers.put(known(1, None, &[]));
        vouchers.put(known(2, None, &[]));
        assert!(vouchers.is_empty());
    }
}
