//! Accounting: reports of routers become sessions, usage and quota in one transaction a batch; the answer to a router
//! leaves after the commit (RFC 2866 §4.1).

use std::{collections::HashMap, net::Ipv4Addr};

use domain::{
    CustomerId, Instant, IspId, Mac, RouterId, ServiceId, SessionId,
    access::usage::{self, Counter, Growth, Outcome, ReportKind, State, Usage},
};
use store::{
    access::{
        hotspot,
        session::{self, Key, Session, Used},
    },
    db::{Class, Value},
    params,
};

use crate::{
    Actor, App, Change, Error, Fact,
    access::{
        directory::LiveSession,
        fup::{self, Metered},
    },
    kernel::ids::Table,
    kernel::work::Work,
};

/// A router's report of one session, with what the directory knows of its user.
#[derive(Clone, Debug)]
pub struct Report {
    pub isp: IspId,
    pub router: RouterId,
    pub acct_session_id: String,
    pub username: String,
    pub nas_port: Option<u32>,
    pub mac: Option<Mac>,
    /// Framed-IP-Address or the IPv6 one.
    pub address: Option<String>,
    /// Address and port the packet came from.
    pub source: String,
    pub usage: usage::Report,
    pub received: Instant,
    pub end_cause: Option<&'static str>,
    pub service: Option<(ServiceId, CustomerId)>,
    /// The faster direction of the line, to tell a wrap from a reset.
    pub line_kbps: Option<u32>,
    /// The interim interval its Accept told it.
    pub told_interval_s: Option<u32>,
    /// Its Accept was for an expired subscriber.
    pub restricted: bool,
    /// A hotspot's visitor: the coming is a line of the access log.
    pub hotspot: bool,
    /// Its service's first use is known.
    pub used_before: bool,
    /// The fair use policy that its service goes by.
    pub metered: Option<Metered>,
}

/// What a batch left behind, for the directory.
#[derive(Clone, Default, Debug)]
pub struct Recorded {
    pub sessions: Vec<(SessionState, LiveSession)>,
    pub used: Vec<Used>,
    /// Cycles of fair use that grew.
    pub fair: Vec<store::access::fup::Usage>,
    /// Addresses that open sessions no longer have.
    pub left: Vec<(IspId, Ipv4Addr, SessionId)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SessionState {
    Open,
    Ended,
}

/// Reports of one tenant, oldest first, in one transaction.
pub async fn record(app: &App, isp: IspId, reports: Vec<Report>) -> Result<Recorded, Error> {
    let tenant = app.tenant(isp).await?;
    let actor = Actor::system(isp);
    let heard = app.heard.due(reports.iter().map(|report| (report.router, report.received)));
    let noted = heard.clone();
    let recorded = app
        .change(&actor, Class::Accounting, async move |change| {
            let mut batch = Batch::load(change, &reports).await?;
            for report in &reports {
                batch.take(change, report, &tenant.zone).await?;
            }
            if !heard.is_empty() {
                store::plant::plant::router_heard(change.tx, change.isp, &heard).await?;
            }
            batch.save(change).await
        })
        .await?;
    app.heard.noted(&noted);
    Ok(recorded)
}

/// What a batch did to a session; of several, the greatest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Touch {
    Grew,
    Ended,
    /// It is new, open again, or somebody's at last.
    Changed,
}

/// Sessions of a batch as they stand, by key; usage gathered so far.
#[derive(Default)]
struct Batch {
    sessions: HashMap<Key, Session>,
    /// Older generations that a report of this batch ended.
    replaced: Vec<Session>,
    touched: HashMap<SessionId, Touch>,
    days: HashMap<(ServiceId, i64), Growth>,
    quota: HashMap<ServiceId, (Growth, Instant)>,
    /// By civil day, so that each part falls into its cycle.
    fair: HashMap<(ServiceId, i64), fup::Growth>,
    left: Vec<(IspId, Ipv4Addr, SessionId)>,
    /// Hotspot visitors whose session has begun.
    arrived: Vec<hotspot::Access>,
}

impl Batch {
    async fn load(change: &Change<'_>, reports: &[Report]) -> Result<Batch, Error> {
        let mut keys: Vec<Key> = Vec::with_capacity(reports.len());
        let mut seen = std::collections::HashSet::with_capacity(reports.len());
        for report in reports {
            let key = key(report);
            if seen.insert(key.clone()) {
                keys.push(key);
            }
        }
        let mut batch = Batch::default();
        for session in session::newest(change.tx, &keys).await? {
            let key = Key {
                isp: session.isp_id,
                router: session.router_id,
                acct_session_id: session.acct_session_id.clone(),
                username_key: session.username_key.clone(),
                nas_port: session.nas_port,
            };
            batch.sessions.insert(key, session);
        }
        Ok(batch)
    }

    async fn take(&mut self, change: &Change<'_>, report: &Report, zone: &jiff::tz::TimeZone) -> Result<(), Error> {
        let key = key(report);
        let known = self.sessions.remove(&key);
        let (session, growth, touch) = match known {
            Some(known) if !begins_anew(&known, report) => {
                match usage::advance(&usage_of(&known), &report.usage, report.line_kbps) {
                    Outcome::Ignored => {
                        self.sessions.insert(key, known);
                        return Ok(());
                    }
                    Outcome::Counted { usage, growth, .. } => {
                        let before = known.address.clone();
                        let (state, service) = (known.state, known.service_id);
                        let session = advanced(known, report, usage);
                        let touch = match session.state {
                            now if service != session.service_id || (now == session::OPEN && state != now) => {
                                Touch::Changed
                            }
                            now if now != state => Touch::Ended,
                            _ => Touch::Grew,
                        };
                        if before != session.address
                            && let Some(address) = before.and_then(|text| text.parse().ok())
                        {
                            self.left.push((session.isp_id, address, session.id));
                        }
                        (session, growth, touch)
                    }
                }
            }
            older => {
                let generation = older.as_ref().map_or(1, |older| older.generation + 1);
                if let Some(mut older) = older.filter(|older| older.state == session::OPEN) {
                    close(&mut older, report.usage.at, "superseded");
                    self.touch(older.id, Touch::Ended);
                    self.replaced.push(older);
                }
                if report.hotspot && report.usage.kind != ReportKind::Stop {
                    let (id, customer) = (change.id(Table::HotspotAccess).await?, report.service.map(|(_, id)| id));
                    self.arrived.push(visit(id, report, customer));
                }
                let id = SessionId(change.id(Table::Session).await?);
                let (session, growth) = opened(id, generation, &key, report);
                (session, growth, Touch::Changed)
            }
        };
        // Most Starts add nothing: two rows are not written for them.
        if let Some(service) = session.service_id.filter(|_| growth != Growth::default() || !report.used_before) {
            let day = report.usage.at.day(zone);
            let day = i64::from(jiff::civil::date(1970, 1, 1).until(day).map_or(0, |span| span.get_days()));
            add(self.days.entry((service, day)).or_default(), growth);
            if let (Some(metered), Some(customer)) = (&report.metered, session.customer_id)
                && metered.policy.counts(report.usage.at)
            {
                let new =
                    || fup::Growth { service, customer, metered: metered.clone(), up: 0, down: 0, at: report.usage.at };
                let sum = self.fair.entry((service, day)).or_insert_with(new);
                sum.up = sum.up.saturating_add(growth.up).min(usage::MOST_KEPT);
                sum.down = sum.down.saturating_add(growth.down).min(usage::MOST_KEPT);
                sum.at = sum.at.max(report.usage.at);
            }
            let (sum, at) = self.quota.entry(service).or_insert((Growth::default(), report.usage.at));
            add(sum, growth);
            *at = report.usage.at.max(*at);
        }
        self.touch(session.id, touch);
        self.sessions.insert(key, session);
        Ok(())
    }

    fn touch(&mut self, id: SessionId, touch: Touch) {
        let most = self.touched.entry(id).or_insert(touch);
        *most = touch.max(*most);
    }

    async fn save(self, change: &Change<'_>) -> Result<Recorded, Error> {
        let mut changed: Vec<&Session> = self
            .sessions
            .values()
            .filter(|session| self.touched.contains_key(&session.id))
            .chain(&self.replaced)
            .collect();
        // Everybody writes rows in the order of their ids, so that two batches never wait for each other in a ring.
        changed.sort_unstable_by_key(|session| session.id.0);
        let (touched, all) = (&self.touched, &changed);
        let of = |touch: Touch| all.iter().copied().filter(move |row| touched.get(&row.id) == Some(&touch));
        session::save(change.tx, of(Touch::Changed).map(Session::values).collect()).await?;
        session::stop(change.tx, &of(Touch::Ended).collect::<Vec<_>>()).await?;
        session::grow(change.tx, &of(Touch::Grew).collect::<Vec<_>>()).await?;

        let isp = change.isp;
        let mut days: Vec<_> = self.days.iter().collect();
        days.sort_unstable_by_key(|((service, day), _)| (service.0, *day));
        let rows = days.into_iter().map(|((service, day), growth)| {
            params![isp, *service, *day, growth.up, growth.down, growth.seconds].to_vec()
        });
        session::add_usage(change.tx, rows.collect()).await?;
        let arrived = self.arrived.iter().map(hotspot::Access::values).collect();
        change.tx.insert_many(hotspot::Access::INSERT, "", arrived).await?;

        let mut quota: Vec<_> = self.quota.iter().collect();
        quota.sort_unstable_by_key(|(service, _)| service.0);
        let rows: Vec<[Value; 5]> = quota
            .into_iter()
            .map(|(service, (growth, at))| {
                params![isp, *service, growth.up.saturating_add(growth.down), growth.seconds, usage::until(*at)]
            })
            .collect();
        let used = session::add_to_quota(change.tx, change.now, &rows).await?;
        for used in &used {
            crossings(change, used).await?;
        }
        let mut fair: Vec<_> = self.fair.into_iter().collect();
        fair.sort_unstable_by_key(|((service, day), _)| (service.0, *day));
        let fair: Vec<fup::Growth> = fair.into_iter().map(|(_, growth)| growth).collect();
        let fair = fup::add(change, &fair).await?;
        let sessions = changed
            .iter()
            .map(|row| {
                let state = if row.state == session::OPEN { SessionState::Open } else { SessionState::Ended };
                (state, LiveSession::of(row))
            })
            .collect();
        Ok(Recorded { sessions, used, fair, left: self.left })
    }
}

/// Events are for crossings alone: first use, and the quota's end, once a period.
async fn crossings(change: &Change<'_>, used: &Used) -> Result<(), Error> {
    if used.first_use {
        change.tell(Fact::ServiceFirstUsed { line: used.service, customer: used.customer });
    }
    let over = used.quota_bytes.is_some_and(|limit| used.used_bytes >= limit)
        || used.quota_time_s.is_some_and(|limit| used.used_time_s >= limit);
    if over && used.quota_event_ordinal != Some(used.period_ordinal) {
        session::quota_acted_on(change.tx, used.isp, used.service, used.period_ordinal).await?;
        change.tell(Fact::ServiceQuotaUsedUp {
            line: used.service,
            customer: used.customer,
            used_bytes: used.used_bytes,
            quota_bytes: used.quota_bytes,
            used_time_s: used.used_time_s,
            quota_time_s: used.quota_time_s,
        });
        change.order(Work::follow(used.service)).await?;
    }
    Ok(())
}

fn key(report: &Report) -> Key {
    Key {
        isp: report.isp,
        router: report.router,
        acct_session_id: report.acct_session_id.clone(),
        username_key: domain::kernel::names::login_key(&report.username),
        nas_port: report.nas_port.map_or(-1, i64::from),
    }
}

/// Some NASes use a session id again. A Start is a repeat only near the known start and with the known address; an
/// interim or Stop of a closed session is late, unless it tells of a start after that session's end.
fn begins_anew(known: &Session, report: &Report) -> bool {
    const NEAR_S: i64 = 120;
    let began = report.usage.at.plus_seconds(-i64::from(report.usage.session_time_s));
    let ended = known.ended_at.unwrap_or(known.reported_at);
    match report.usage.kind {
        ReportKind::Start => {
            let near = began.seconds_since(known.started_at).abs() <= NEAR_S;
            let same_address = known.address.is_none() || report.address.is_none() || known.address == report.address;
            let after_its_end = known.state == session::CLOSED && began > ended;
            !near || !same_address || after_its_end
        }
        ReportKind::Interim | ReportKind::Stop => known.state == session::CLOSED && began.seconds_since(ended) > 1,
    }
}

fn visit(id: i64, report: &Report, customer_id: Option<CustomerId>) -> hotspot::Access {
    hotspot::Access {
        isp_id: report.isp,
        id,
        at: report.usage.at,
        router_id: report.router,
        mac: report.mac.map(|mac| mac.to_string()),
        customer_id,
        username: Some(report.username.clone()),
        device: Some(crate::access::hotspot::UNTOLD.into()),
        kind: crate::access::hotspot::LOGGED_IN.into(),
    }
}

fn opened(id: SessionId, generation: i64, key: &Key, report: &Report) -> (Session, Growth) {
    let (usage, growth) = usage::open(&report.usage);
    let session = Session {
        isp_id: report.isp,
        id,
        router_id: report.router,
        acct_session_id: key.acct_session_id.clone(),
        username_key: key.username_key.clone(),
        nas_port: key.nas_port,
        generation,
        username: report.username.clone(),
        service_id: report.service.map(|(service, _)| service),
        customer_id: report.service.map(|(_, customer)| customer),
        state: session::OPEN,
        end_cause: None,
        started_at: usage.started_at,
        reported_at: usage.reported_at,
        received_at: report.received,
        ended_at: None,
        session_time_s: 0,
        up_shown: 0,
        up_total: 0,
        down_shown: 0,
        down_total: 0,
        gigawords: false,
        mac: report.mac.map(|mac| mac.to_string()),
        address: report.address.clone(),
        source: report.source.clone(),
        interval_s: report.told_interval_s.map(i64::from),
        restricted: report.restricted,
    };
    (advanced(session, report, usage), growth)
}

fn advanced(mut session: Session, report: &Report, usage: Usage) -> Session {
    session.reported_at = usage.reported_at;
    session.received_at = session.received_at.max(report.received);
    session.session_time_s = usage.session_time_s.into();
    session.up_shown = usage.up.shown;
    session.up_total = usage.up.total;
    session.down_shown = usage.down.shown;
    session.down_total = usage.down.total;
    session.gigawords = usage.gigawords;
    session.address = report.address.clone().or(session.address);
    session.source.clone_from(&report.source);
    if let (None, Some((service, customer))) = (session.service_id, report.service) {
        session.service_id = Some(service);
        session.customer_id = Some(customer);
    }
    match usage.state {
        State::Open => {
            session.state = session::OPEN;
            session.ended_at = None;
            session.end_cause = None;
        }
        State::Closed => close(&mut session, report.usage.at, report.end_cause.unwrap_or("stop")),
        State::Lost => session.state = session::LOST,
    }
    session
}

fn close(session: &mut Session, at: Instant, cause: &str) {
    session.state = session::CLOSED;
    session.ended_at = Some(at.max(session.reported_at));
    session.end_cause = Some(cause.into());
}

fn usage_of(session: &Session) -> Usage {
    Usage {
        started_at: session.started_at,
        reported_at: session.reported_at,
        session_time_s: session.session_time_s.clamp(0, u32::MAX as i64) as u32,
        up: Counter { shown: session.up_shown, total: session.up_total },
        down: Counter { shown: session.down_shown, total: session.down_total },
        gigawords: session.gigawords,
        state: match session.state {
            session::OPEN => State::Open,
            session::LOST => State::Lost,
            _ => State::Closed,
        },
    }
}

fn add(sum: &mut Growth, growth: Growth) {
    sum.up = sum.up.saturating_add(growth.up).min(usage::MOST_KEPT);
    sum.down = sum.down.saturating_add(growth.down).min(usage::MOST_KEPT);
    sum.seconds = sum.seconds.saturating_add(growth.seconds);
}

/// Accounting-On or -Off: the router has restarted, its sessions ended at their last known counters.
pub async fn router_restarted(app: &App, isp: IspId, router: RouterId, at: Instant) -> Result<Recorded, Error> {
    app.change(&Actor::system(isp), Class::Accounting, async move |change| {
        let rows = session::open_of_router(change.tx, isp, router).await?;
        // What began after the restart is not of before it: On may come late.
        let rows = rows.into_iter().filter(|row| row.started_at <= at);
        end(change, rows.collect(), session::CLOSED, "nas_reboot").await
    })
    .await
}

/// Closes sessions that have been silent for three intervals. Called about once a minute.
pub async fn close_silent(app: &App) -> Result<Recorded, Error> {
    let now = app.clock.now();
    let mut all = Recorded::default();
    loop {
        let silent = app.db.read(async move |tx| session::silent(tx, now, 500).await).await?;
        let Some(isp) = silent.first().map(|row| row.isp_id) else { return Ok(all) };
        let actor = Actor::system(isp);
        let recorded = app
            .change(&actor, Class::Accounting, async move |change| {
                // Read again in the transaction: a report may have come meanwhile.
                let rows = session::silent(change.tx, now, 500).await?;
                let rows: Vec<Session> = rows.into_iter().filter(|row| row.isp_id == isp).collect();
                for row in &rows {
                    change.tell(Fact::SessionLost {
                        session: row.id,
                        service: row.service_id,
                        silent_since: row.received_at,
                    });
                }
                end(change, rows, session::LOST, "lost").await
            })
            .await?;
        all.sessions.extend(recorded.sessions);
    }
}

async fn end(change: &Change<'_>, mut rows: Vec<Session>, state: i64, cause: &str) -> Result<Recorded, Error> {
    rows.sort_unstable_by_key(|row| row.id.0);
    for row in &mut rows {
        let at = row.reported_at;
        close(row, at, cause);
        row.state = state;
    }
    session::save(change.tx, rows.iter().map(Session::values).collect()).await?;
    let ended = rows.iter().map(|row| (SessionState::Ended, LiveSession::of(row)));
    Ok(Recorded { sessions: ended.collect(), ..Recorded::default() })
}

/// A refused login, for the log.
#[derive(Clone, Debug)]
pub struct Refused {
    pub isp: IspId,
    pub router: RouterId,
    pub service: Option<ServiceId>,
    pub username: String,
    pub mac: Option<Mac>,
    pub reason: domain::access::decide::Reason,
    pub at: Instant,
    /// Where a hotspot's visitor failed: also a line of the access log, with whose login it was.
    pub hotspot: Option<Option<CustomerId>>,
}

/// What logins left to be written: refusals one by one, the newest accept of each service, addresses learnt.
#[derive(Clone, Default, Debug)]
pub struct Logins {
    pub refused: Vec<Refused>,
    pub accepted: Vec<(IspId, ServiceId, Instant)>,
    pub learnt: Vec<(IspId, ServiceId, Mac)>,
    /// Sessions that a login of the same device replaced.
    pub replaced: Vec<(IspId, SessionId)>,
}

pub async fn write_logins(app: &App, logins: Logins) -> Result<Recorded, Error> {
    let mut all = Recorded::default();
    let mut isps: Vec<IspId> = logins.refused.iter().map(|row| row.isp).collect();
    isps.extend(logins.accepted.iter().map(|row| row.0));
    isps.extend(logins.learnt.iter().map(|row| row.0));
    isps.extend(logins.replaced.iter().map(|row| row.0));
    isps.sort_unstable();
    isps.dedup();
    for isp in isps {
        let logins = logins.clone();
        let recorded = app
            .change(&Actor::system(isp), Class::Accounting, async move |change| {
                let (mut rows, mut visits) = (Vec::new(), Vec::new());
                for refused in logins.refused.iter().filter(|row| row.isp == isp) {
                    let row = session::LoginReject {
                        isp_id: isp,
                        id: change.id(Table::Reject).await?,
                        at: refused.at,
                        router_id: refused.router,
                        service_id: refused.service,
                        username: refused.username.clone(),
                        mac: refused.mac.map(|mac| mac.to_string()),
                        reason: refused.reason,
                    };
                    rows.push(row.values());
                    if let Some(customer_id) = refused.hotspot {
                        let visit = hotspot::Access {
                            isp_id: isp,
                            id: change.id(Table::HotspotAccess).await?,
                            at: refused.at,
                            router_id: refused.router,
                            mac: refused.mac.map(|mac| mac.to_string()),
                            customer_id,
                            username: Some(refused.username.clone()),
                            device: Some(crate::access::hotspot::UNTOLD.into()),
                            kind: crate::access::hotspot::FAILED.into(),
                        };
                        visits.push(visit.values());
                    }
                }
                change.tx.insert_many(hotspot::Access::INSERT, "", visits).await?;
                change.tx.insert_many(session::LoginReject::INSERT, "", rows).await?;
                let mut accepted: Vec<_> = logins.accepted.iter().filter(|row| row.0 == isp).collect();
                accepted.sort_unstable_by_key(|row| row.1.0);
                for (_, service, at) in accepted {
                    store::people::service::logged_in(change.tx, isp, *service, *at).await?;
                }
                let replaced = logins.replaced.iter().filter(|row| row.0 == isp).map(|row| row.1).collect();
                let recorded = end_by_id(change, replaced, "replaced").await?;
                for (_, service, mac) in logins.learnt.iter().filter(|row| row.0 == isp) {
                    if store::people::service::learn_mac(change.tx, isp, *service, &mac.to_string()).await? {
                        change.tell(Fact::LineMacLearnt { line: *service, mac: mac.to_string() });
                    }
                }
                Ok(recorded)
            })
            .await?;
        all.sessions.extend(recorded.sessions);
    }
    Ok(all)
}

/// Closes sessions whose router says it does not know them (RFC 5176 §3.5, 503). A later report reopens them.
pub async fn forget(app: &App, isp: IspId, sessions: Vec<SessionId>) -> Result<Recorded, Error> {
    app.change(&Actor::system(isp), Class::Accounting, async move |change| {
        end_by_id(change, sessions.clone(), "unknown_to_nas").await
    })
    .await
}

async fn end_by_id(change: &Change<'_>, sessions: Vec<SessionId>, cause: &str) -> Result<Recorded, Error> {
    let mut rows = Vec::with_capacity(sessions.len());
    for id in sessions {
        rows.extend(session::open(change.tx, change.isp, id).await?);
    }
    end(change, rows, session::LOST, cause).await
}

/// Usage of a service by civil day: days since 1970-01-01, up, down, seconds.
pub async fn usage_by_day(app: &App, isp: IspId, service: ServiceId) -> Result<Vec<(i64, u64, u64, i64)>, Error> {
    Ok(app.db.read(async move |tx| session::usage_by_day(tx, isp, service).await).await?)
}
