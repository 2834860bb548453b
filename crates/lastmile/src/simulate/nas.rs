//! One simulated router without sockets and clocks: what it sends when time passes, when an answer comes, and when it
//! is ordered (RFC 5176). Whoever drives it moves the bytes; a test needs neither network nor patience. Here are the
//! lines and their sessions; beside it what is written in packets, what waits for answers, what is ordered.

mod orders;
mod packets;
mod requests;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashSet},
    net::Ipv4Addr,
};

use domain::{Instant, kernel::clock::SECOND};
use jiff::tz::TimeZone;
use radius::{
    Code, Overflow, Packet, Secret,
    attribute::{acct_status, vendor::MICROSOFT},
    auth::mschap::MS_CHAP2_SUCCESS,
};

use super::{
    chance::Chance,
    grant::{Grant, Rates},
    line::{Line, busy},
};
use requests::{Requests, Waiting};

/// RFC 2866 §5.10.
mod cause {
    pub const USER_REQUEST: u32 = 1;
    pub const SESSION_TIMEOUT: u32 = 5;
    pub const ADMIN_RESET: u32 = 6;
    pub const NAS_REQUEST: u32 = 10;
    pub const NAS_REBOOT: u32 = 11;
}
/// RFC 2865 §5.41.
pub const PORT_VIRTUAL: u32 = 5;
pub const PORT_WIRELESS: u32 = 19;

#[derive(Clone)]
pub struct Config {
    /// NAS-Identifier.
    pub name: String,
    /// Where its packets come from, and NAS-IP-Address.
    pub address: Ipv4Addr,
    pub secret: Secret,
    /// Framed-Pool names and the addresses behind them.
    pub pools: Vec<(String, Ipv4Addr, Ipv4Addr)>,
    pub port_type: u32,
    /// For the curve of the day.
    pub zone: TimeZone,
    pub lines: Vec<Line>,
    /// All first logins come within this many seconds.
    pub ramp_s: f64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Port {
    Auth,
    Acct,
}

/// Datagrams to send.
pub type Out = Vec<(Port, Vec<u8>)>;

/// What has happened so far.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    pub online: usize,
    pub accepted: u64,
    pub refused: u64,
    pub unanswered: u64,
    pub disconnected: u64,
    pub changed: u64,
}

pub struct Nas {
    config: Config,
    phases: Vec<Phase>,
    agenda: BTreeSet<(Instant, Due)>,
    /// Each line's place on the agenda.
    moments: Vec<Option<Instant>>,
    auth: Requests,
    acct: Requests,
    taken: HashSet<Ipv4Addr>,
    chance: Chance,
    sessions_begun: u32,
    counts: Counts,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Due {
    /// A line dials, reports, or leaves.
    Line(usize),
    Auth(u8),
    Acct(u8),
}

enum Phase {
    Off,
    Asking,
    Online(Box<Session>),
}

struct Session {
    id: String,
    began: Instant,
    counted: Instant,
    up: f64,
    down: f64,
    rates: Rates,
    address: Option<Ipv4Addr>,
    class: Vec<Vec<u8>>,
    interim_s: Option<u32>,
    reports_at: Instant,
    /// Session-Timeout.
    ends_at: Option<Instant>,
    /// The subscriber's own end.
    leaves_at: Instant,
    limit_bytes: Option<u64>,
}

fn seconds(seconds: f64) -> i64 {
    (seconds * SECOND as f64) as i64
}

impl Nas {
    pub fn new(config: Config, seed: u64, now: Instant) -> Nas {
        let lines = config.lines.len();
        let mut nas = Nas {
            phases: config.lines.iter().map(|_| Phase::Off).collect(),
            agenda: BTreeSet::new(),
            moments: vec![None; lines],
            auth: Requests::default(),
            acct: Requests::default(),
            taken: HashSet::new(),
            // A session id is never used again, not by the next run either.
            sessions_begun: (now.unix() as u32) << 8,
            chance: Chance::new(seed),
            counts: Counts::default(),
            config,
        };
        for line in 0..lines {
            let first_s = nas.chance.between(0.2, nas.config.ramp_s.max(0.3));
            nas.later(line, now, first_s);
        }
        nas
    }

    /// When [`Nas::turn`] has something to do.
    pub fn due(&self) -> Option<Instant> {
        self.agenda.first().map(|(at, _)| *at)
    }

    pub fn counts(&self) -> Counts {
        Counts { online: self.phases.iter().filter(|phase| matches!(phase, Phase::Online(_))).count(), ..self.counts }
    }

    /// It has started: what the server thinks is online is not (RFC 2866 §5.1).
    pub fn booted(&mut self, now: Instant, out: &mut Out) {
        self.whole_router(acct_status::ON, now, out);
    }

    /// It goes down: every session ends.
    pub fn goes_down(&mut self, now: Instant, out: &mut Out) {
        for line in 0..self.phases.len() {
            self.hang_up(line, cause::NAS_REBOOT, 0.0, now, out);
            self.forget(line);
        }
        self.agenda.retain(|(_, due)| matches!(due, Due::Acct(_)));
    }

    /// Reports that wait for their answer.
    pub fn unanswered(&self) -> usize {
        self.acct.waiting.len()
    }

    /// Does what is due.
    pub fn turn(&mut self, now: Instant, out: &mut Out) {
        while let Some((at, due)) = self.agenda.first().copied().filter(|(at, _)| *at <= now) {
            self.agenda.remove(&(at, due));
            match due {
                Due::Line(line) => {
                    self.moments[line] = None;
                    self.line_due(line, now, out);
                }
                Due::Auth(id) => self.repeat(Port::Auth, id, now, out),
                Due::Acct(id) => self.repeat(Port::Acct, id, now, out),
            }
        }
    }

    fn line_due(&mut self, line: usize, now: Instant, out: &mut Out) {
        match &self.phases[line] {
            Phase::Off => self.dial(line, now, out),
            // Its answer, or its last repetition, decides.
            Phase::Asking => {}
            Phase::Online(session) => {
                if session.ends_at.is_some_and(|at| at <= now) {
                    let back_s = self.chance.between(5.0, 20.0);
                    self.hang_up(line, cause::SESSION_TIMEOUT, back_s, now, out);
                } else if session.leaves_at <= now {
                    let back_s = self.config.lines[line].away_s(&mut self.chance);
                    self.hang_up(line, cause::USER_REQUEST, back_s, now, out);
                } else {
                    self.report_progress(line, now, out);
                }
            }
        }
    }

    /// An Access-Request, the way this line's device proves itself.
    fn dial(&mut self, line: usize, now: Instant, out: &mut Out) {
        let Some(id) = self.auth.free() else { return self.later(line, now, 5.0) };
        self.sessions_begun = self.sessions_begun.wrapping_add(1);
        let session = format!("{:08x}", self.sessions_begun);
        let password = self.config.lines[line].typed(&mut self.chance);
        match self.draft_access(id, line, &session, &password) {
            Ok((draft, expects)) => {
                let signed = draft.sign(&self.config.secret);
                self.phases[line] = Phase::Asking;
                self.send(Port::Auth, id, Some(line), signed, expects, session, now, out);
            }
            // A name too long for a packet: this line never comes in.
            Err(Overflow { .. }) => self.later(line, now, 3600.0),
        }
    }

    fn login_answered(&mut self, line: usize, waiting: &Waiting, packet: &Packet<'_>, now: Instant, out: &mut Out) {
        let proven = waiting.expects.is_none_or(|expected| {
            // The byte in front is the identifier of the exchange (RFC 2548 §2.3.3).
            packet.vendor(MICROSOFT, MS_CHAP2_SUCCESS).is_some_and(|value| value.get(1..) == Some(&expected[..]))
        });
        if packet.code() != Code::AccessAccept || !proven {
            self.counts.refused += 1;
            self.phases[line] = Phase::Off;
            let sulks_s = self.config.lines[line].sulks_s(&mut self.chance);
            return self.later(line, now, sulks_s);
        }
        self.counts.accepted += 1;
        let grant = Grant::of(packet);
        let address = self.lease(&grant);
        let stays_s = self.config.lines[line].stays_s(&mut self.chance);
        let session = Session {
            id: waiting.session.clone(),
            began: now,
            counted: now,
            up: 0.0,
            down: 0.0,
            rates: grant.rates.unwrap_or_default(),
            address,
            class: grant.class,
            interim_s: grant.interim_s.filter(|s| *s > 0),
            reports_at: now.plus(seconds(f64::from(grant.interim_s.unwrap_or(3600)))),
            ends_at: grant.session_timeout_s.map(|s| now.plus_seconds(s.into())),
            leaves_at: now.plus(seconds(stays_s)),
            limit_bytes: grant.limit_bytes,
        };
        self.phases[line] = Phase::Online(Box::new(session));
        self.report(line, acct_status::START, None, now, out);
        self.wake(line);
    }

    /// The address the server chose, or the next free one of its pool.
    fn lease(&mut self, grant: &Grant) -> Option<Ipv4Addr> {
        if grant.address.is_some() {
            return grant.address;
        }
        let wanted = grant.pool.as_ref()?;
        let (_, first, last) = self.config.pools.iter().find(|(name, ..)| name == wanted)?;
        let free = (u32::from(*first)..=u32::from(*last)).map(Ipv4Addr::from).find(|ip| !self.taken.contains(ip))?;
        self.taken.insert(free);
        Some(free)
    }

    /// Lets the line carry what it would have carried since it was last looked at.
    fn count(&mut self, line: usize, now: Instant) {
        let local = now.in_zone(&self.config.zone);
        let hour = f64::from(local.hour()) + f64::from(local.minute()) / 60.0;
        let load = busy(hour) * self.config.lines[line].appetite * self.chance.between(0.4, 1.6);
        let Phase::Online(session) = &mut self.phases[line] else { return };
        let elapsed_s = (now.0 - session.counted.0).max(0) as f64 / SECOND as f64;
        let bytes = |kbps: u64, share: f64| kbps as f64 * 125.0 * elapsed_s * share.clamp(0.0, 1.0);
        session.down += bytes(session.rates.down_kbps, load);
        // What is sent is an eighth of what is fetched, or so.
        session.up += bytes(session.rates.up_kbps, load / 8.0);
        session.counted = now;
    }

    fn report_progress(&mut self, line: usize, now: Instant, out: &mut Out) {
        self.count(line, now);
        let Phase::Online(session) = &mut self.phases[line] else { return };
        if session.limit_bytes.is_some_and(|limit| session.up + session.down >= limit as f64) {
            let back_s = self.chance.between(5.0, 20.0);
            return self.hang_up(line, cause::NAS_REQUEST, back_s, now, out);
        }
        if session.reports_at <= now {
            let interim_s = session.interim_s.unwrap_or(3600);
            session.reports_at = now.plus_seconds(interim_s.into());
            if session.interim_s.is_some() {
                self.report(line, acct_status::INTERIM, None, now, out);
            }
        }
        self.wake(line);
    }

    fn hang_up(&mut self, line: usize, cause: u32, back_s: f64, now: Instant, out: &mut Out) {
        if !matches!(self.phases[line], Phase::Online(_)) {
            return;
        }
        self.count(line, now);
        self.report(line, acct_status::STOP, Some(cause), now, out);
        if let Phase::Online(session) = std::mem::replace(&mut self.phases[line], Phase::Off)
            && let Some(address) = session.address
        {
            self.taken.remove(&address);
        }
        self.later(line, now, back_s);
    }

    /// Puts an online line's next moment on the agenda.
    fn wake(&mut self, line: usize) {
        let Phase::Online(session) = &self.phases[line] else { return };
        let next = session.leaves_at.min(session.reports_at);
        let next = session.ends_at.map_or(next, |ends| ends.min(next));
        self.at(line, next);
    }

    fn later(&mut self, line: usize, now: Instant, after_s: f64) {
        self.at(line, now.plus(seconds(after_s)));
    }

    /// A line has one place on the agenda.
    fn at(&mut self, line: usize, moment: Instant) {
        self.forget(line);
        self.agenda.insert((moment, Due::Line(line)));
        self.moments[line] = Some(moment);
    }

    fn forget(&mut self, line: usize) {
        if let Some(moment) = self.moments[line].take() {
            self.agenda.remove(&(moment, Due::Line(line)));
        }
    }

    /// An Accounting-Request about a session.
    fn report(&mut self, line: usize, status: u32, cause: Option<u32>, now: Instant, out: &mut Out) {
        let Some(id) = self.acct.free() else { return };
        let Phase::Online(session) = &self.phases[line] else { return };
        let written = self.draft_report(id, line, session, status, cause, now);
        let name = session.id.clone();
        if let Ok(draft) = written {
            let signed = draft.sign(&self.config.secret);
            self.send(Port::Acct, id, Some(line), signed, None, name, now, out);
        }
    }
}
