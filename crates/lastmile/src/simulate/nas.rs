//! One simulated router without sockets and clocks: what it sends when time passes, when an answer comes, and when it
//! is ordered (RFC 5176). Whoever drives it moves the bytes; a test needs neither network nor patience.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    net::Ipv4Addr,
};

use domain::{Instant, clock::SECOND};
use jiff::tz::TimeZone;
use radius::{
    Code, Overflow, Packet, Secret,
    attribute::{self, acct_status, error_cause, vendor::MICROSOFT},
    auth::mschap::MS_CHAP2_SUCCESS,
    client::{Draft, Signed},
    das,
};

use super::{
    chance::Chance,
    grant::{Grant, Rates},
    line::{Line, Method, busy},
};

/// Seconds of silence before a request is repeated; then the router gives up.
const PATIENCE_S: [f64; 4] = [2.0, 4.0, 8.0, 16.0];
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

/// Requests under way, by identifier.
#[derive(Default)]
struct Requests {
    waiting: HashMap<u8, Waiting>,
    next: u8,
}

struct Waiting {
    signed: Signed,
    line: Option<usize>,
    sent: usize,
    due: Instant,
    /// What a right MS-CHAPv2 answer must hold.
    expects: Option<[u8; 42]>,
    session: String,
}

impl Requests {
    /// An identifier nobody waits under.
    fn free(&mut self) -> Option<u8> {
        for _ in 0..=255 {
            self.next = self.next.wrapping_add(1);
            if !self.waiting.contains_key(&self.next) {
                return Some(self.next);
            }
        }
        None
    }
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

    fn draft_access(
        &self,
        id: u8,
        line: usize,
        session: &str,
        password: &str,
    ) -> Result<(Draft, Option<[u8; 42]>), Overflow> {
        let subscriber = &self.config.lines[line];
        let (mut draft, mut expects) = (Draft::access(id), None);
        match subscriber.method {
            Method::Pap => draft.pap(&subscriber.username, password.as_bytes(), &self.config.secret)?,
            Method::Chap => draft.chap(&subscriber.username, password.as_bytes())?,
            Method::MsChapV2 => expects = Some(draft.mschapv2(&subscriber.username, password.as_bytes())?),
        }
        self.place(&mut draft, line)?;
        draft.put_text(attribute::ACCT_SESSION_ID, session)?;
        Ok((draft, expects))
    }

    /// Which router, which port, which device: the same in logins and reports.
    fn place(&self, draft: &mut Draft, line: usize) -> Result<(), Overflow> {
        draft.put_ipv4(attribute::NAS_IP_ADDRESS, self.config.address)?;
        draft.put_text(attribute::NAS_IDENTIFIER, &self.config.name)?;
        draft.put_u32(attribute::NAS_PORT, 1 + line as u32)?;
        draft.put_u32(attribute::NAS_PORT_TYPE, self.config.port_type)?;
        draft.put_text(attribute::CALLING_STATION_ID, &self.config.lines[line].mac.to_string())?;
        if self.config.port_type != PORT_WIRELESS {
            draft.put_u32(attribute::SERVICE_TYPE, 2)?; // Framed
            draft.put_u32(attribute::FRAMED_PROTOCOL, 1)?; // PPP
        }
        Ok(())
    }

    /// A datagram from the server. What does not verify is passed over.
    pub fn answered(&mut self, now: Instant, port: Port, datagram: &[u8], out: &mut Out) {
        let requests = match port {
            Port::Auth => &mut self.auth,
            Port::Acct => &mut self.acct,
        };
        let Some(id) = datagram.get(1).copied() else { return };
        let Some(waiting) = requests.waiting.get(&id) else { return };
        let Ok(packet) = waiting.signed.verify(datagram, &self.config.secret) else { return };
        let Some(waiting) = requests.waiting.remove(&id) else { return };
        let due = match port {
            Port::Auth => Due::Auth(id),
            Port::Acct => Due::Acct(id),
        };
        self.agenda.remove(&(waiting.due, due));
        if let (Port::Auth, Some(line)) = (port, waiting.line) {
            self.login_answered(line, &waiting, &packet, now, out);
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

    /// A CoA- or Disconnect-Request: the answer to give, if one is due.
    pub fn ordered(&mut self, now: Instant, datagram: &[u8], out: &mut Out) -> Option<Vec<u8>> {
        let secret = self.config.secret.clone();
        let request = das::verify(datagram, &secret)?;
        let Some(line) = self.meant(&request) else {
            return Some(das::answer(&request, Some(error_cause::SESSION_NOT_FOUND), &secret));
        };
        if request.code() == Code::DisconnectRequest {
            self.counts.disconnected += 1;
            let back_s = self.chance.between(4.0, 12.0);
            self.hang_up(line, cause::ADMIN_RESET, back_s, now, out);
        } else {
            self.counts.changed += 1;
            self.change(line, &Grant::of(&request), now);
        }
        Some(das::answer(&request, None, &secret))
    }

    /// The session a request names: by its id, else by address, else by name (RFC 5176 §3). All that is named must fit.
    fn meant(&self, request: &Packet<'_>) -> Option<usize> {
        let (id, name) = (request.text(attribute::ACCT_SESSION_ID), request.text(attribute::USER_NAME));
        let address = request.ipv4(attribute::FRAMED_IP_ADDRESS);
        if id.is_none() && name.is_none() && address.is_none() {
            return None;
        }
        self.phases.iter().zip(&self.config.lines).position(|(phase, line)| match phase {
            Phase::Off | Phase::Asking => false,
            Phase::Online(session) => {
                id.is_none_or(|id| id == session.id)
                    && name.is_none_or(|name| name.eq_ignore_ascii_case(&line.username))
                    && address.is_none_or(|address| Some(address) == session.address)
            }
        })
    }

    fn change(&mut self, line: usize, grant: &Grant, now: Instant) {
        self.count(line, now);
        let Phase::Online(session) = &mut self.phases[line] else { return };
        session.rates = grant.rates.unwrap_or(session.rates);
        if let Some(timeout_s) = grant.session_timeout_s {
            session.ends_at = Some(now.plus_seconds(timeout_s.into()));
        }
        if let Some(limit) = grant.limit_bytes {
            session.limit_bytes = Some(limit.saturating_add((session.up + session.down) as u64));
        }
        self.wake(line);
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

    fn draft_report(
        &self,
        id: u8,
        line: usize,
        session: &Session,
        status: u32,
        cause: Option<u32>,
        now: Instant,
    ) -> Result<Draft, Overflow> {
        let mut draft = Draft::accounting(id);
        draft.put_u32(attribute::ACCT_STATUS_TYPE, status)?;
        draft.put_text(attribute::ACCT_SESSION_ID, &session.id)?;
        draft.put_text(attribute::USER_NAME, &self.config.lines[line].username)?;
        self.place(&mut draft, line)?;
        if let Some(address) = session.address {
            draft.put_ipv4(attribute::FRAMED_IP_ADDRESS, address)?;
        }
        for class in &session.class {
            draft.put(attribute::CLASS, class)?;
        }
        draft.put_u32(attribute::EVENT_TIMESTAMP, now.unix() as u32)?;
        if status != acct_status::START {
            let (up, down) = (session.up as u64, session.down as u64);
            draft.put_u32(attribute::ACCT_SESSION_TIME, ((now.0 - session.began.0) / SECOND) as u32)?;
            // RFC 2869 §5.1: gigawords count wraps of 2^32.
            draft.put_u32(attribute::ACCT_INPUT_OCTETS, up as u32)?;
            draft.put_u32(attribute::ACCT_OUTPUT_OCTETS, down as u32)?;
            draft.put_u32(attribute::ACCT_INPUT_GIGAWORDS, (up >> 32) as u32)?;
            draft.put_u32(attribute::ACCT_OUTPUT_GIGAWORDS, (down >> 32) as u32)?;
            draft.put_u32(attribute::ACCT_INPUT_PACKETS, (up / 200) as u32)?;
            draft.put_u32(attribute::ACCT_OUTPUT_PACKETS, (down / 1100) as u32)?;
        }
        if let Some(cause) = cause {
            draft.put_u32(attribute::ACCT_TERMINATE_CAUSE, cause)?;
        }
        Ok(draft)
    }

    fn whole_router(&mut self, status: u32, now: Instant, out: &mut Out) {
        let Some(id) = self.acct.free() else { return };
        let mut draft = Draft::accounting(id);
        let written = (|| {
            draft.put_u32(attribute::ACCT_STATUS_TYPE, status)?;
            draft.put_text(attribute::ACCT_SESSION_ID, "00000000")?;
            draft.put_ipv4(attribute::NAS_IP_ADDRESS, self.config.address)?;
            draft.put_text(attribute::NAS_IDENTIFIER, &self.config.name)?;
            draft.put_u32(attribute::EVENT_TIMESTAMP, now.unix() as u32)
        })();
        if let Ok(()) = written {
            let signed = draft.sign(&self.config.secret);
            self.send(Port::Acct, id, None, signed, None, String::new(), now, out);
        }
    }

    fn send(
        &mut self,
        port: Port,
        id: u8,
        line: Option<usize>,
        signed: Signed,
        expects: Option<[u8; 42]>,
        session: String,
        now: Instant,
        out: &mut Out,
    ) {
        out.push((port, signed.bytes().to_vec()));
        let due = now.plus(seconds(PATIENCE_S[0]));
        let waiting = Waiting { signed, line, sent: 1, due, expects, session };
        match port {
            Port::Auth => {
                self.agenda.insert((due, Due::Auth(id)));
                self.auth.waiting.insert(id, waiting);
            }
            Port::Acct => {
                self.agenda.insert((due, Due::Acct(id)));
                self.acct.waiting.insert(id, waiting);
            }
        }
    }

    /// The same bytes again, or the end of patience.
    fn repeat(&mut self, port: Port, id: u8, now: Instant, out: &mut Out) {
        let (requests, due) = match port {
            Port::Auth => (&mut self.auth, Due::Auth(id)),
            Port::Acct => (&mut self.acct, Due::Acct(id)),
        };
        let Some(waiting) = requests.waiting.get_mut(&id) else { return };
        if let Some(patience_s) = PATIENCE_S.get(waiting.sent) {
            waiting.sent += 1;
            waiting.due = now.plus(seconds(*patience_s));
            out.push((port, waiting.signed.bytes().to_vec()));
            self.agenda.insert((waiting.due, due));
            return;
        }
        self.counts.unanswered += 1;
        let line = requests.waiting.remove(&id).and_then(|waiting| waiting.line);
        if let (Port::Auth, Some(line)) = (port, line) {
            self.phases[line] = Phase::Off;
            let again_s = self.chance.between(5.0, 30.0);
            self.later(line, now, again_s);
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Mac;
    use radius::{
        Writer,
        attribute::vendor::MIKROTIK,
        auth::{Credentials, Known, Proof},
        authenticator, dictionary,
    };

    use super::*;
    use crate::simulate::line::Habit;

    const SECRET: &str = "testing123";
    const START: Instant = Instant(1_900_000_000 * SECOND);

    fn nas(method: Method, habit: Habit) -> Nas {
        let line = Line {
            username: "amina".into(),
            password: "welcome1".into(),
            method,
            mac: Mac([2, 0, 0, 0, 0, 1]),
            habit,
            appetite: 1.0,
        };
        let config = Config {
            name: "north".into(),
            address: Ipv4Addr::new(127, 0, 2, 1),
            secret: Secret::new(SECRET),
            pools: vec![("homes".into(), Ipv4Addr::new(10, 1, 0, 5), Ipv4Addr::new(10, 1, 0, 9))],
            port_type: PORT_VIRTUAL,
            zone: TimeZone::UTC,
            lines: vec![line],
            ramp_s: 1.0,
        };
        Nas::new(config, 7, START)
    }

    /// The server's side: a packet in, the signed answer out.
    fn answer(request: &[u8], code: Code, fill: impl FnOnce(&mut Writer<Vec<u8>>)) -> Vec<u8> {
        let packet = Packet::parse(request).unwrap();
        let mut writer = Writer::new(vec![0; 4096], code, packet.id());
        fill(&mut writer);
        authenticator::sign_response(writer.bytes_mut(), packet.authenticator(), None, &Secret::new(SECRET));
        writer.bytes().to_vec()
    }

    fn accept(request: &[u8]) -> Vec<u8> {
        let packet = Packet::parse(request).unwrap();
        let credentials = Credentials::of(&packet, &Secret::new(SECRET));
        let proof = credentials.verify(b"amina", Known::Clear(b"welcome1"));
        answer(request, Code::AccessAccept, |writer| {
            match proof {
                Proof::Right => {}
                Proof::RightMsChapV2(success) => {
                    let mut value = vec![success.ident];
                    value.extend(success.authenticator_response);
                    writer.put_vendor(MICROSOFT, MS_CHAP2_SUCCESS, &value).unwrap();
                }
                Proof::Wrong | Proof::NeedsClearText | Proof::Unsupported => panic!("the proof is wrong"),
            }
            writer.put_vendor_text(MIKROTIK, 8, "5M/10M").unwrap();
            writer.put_text(attribute::FRAMED_POOL, "homes").unwrap();
            writer.put_u32(attribute::ACCT_INTERIM_INTERVAL, 60).unwrap();
            writer.put_u32(attribute::SESSION_TIMEOUT, 300).unwrap();
            writer.put(attribute::CLASS, b"c").unwrap();
        })
    }

    /// Answers everything sent, moves on to the next moment, and says in words what was sent.
    fn story(nas: &mut Nas, now: &mut Instant, until: Instant) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(due) = nas.due().filter(|due| *due <= until) {
            *now = due.max(*now);
            let mut out = Out::new();
            nas.turn(*now, &mut out);
            told.extend(exchange(nas, *now, out));
        }
        told
    }

    fn exchange(nas: &mut Nas, now: Instant, mut out: Out) -> Vec<String> {
        let mut told = Vec::new();
        while !out.is_empty() {
            for (port, bytes) in std::mem::take(&mut out) {
                let packet = Packet::parse(&bytes).unwrap();
                let status = dictionary::by_name("Acct-Status-Type").unwrap();
                let word = |n: u32| status.name_of(n.into()).unwrap_or("?");
                told.push(match packet.u32(attribute::ACCT_STATUS_TYPE) {
                    None => "Login".into(),
                    Some(n) => match packet.u32(attribute::ACCT_TERMINATE_CAUSE) {
                        None => word(n).to_string(),
                        Some(cause) => format!("{} {cause}", word(n)),
                    },
                });
                let reply = match port {
                    Port::Auth => accept(&bytes),
                    Port::Acct => answer(&bytes, Code::AccountingResponse, |_| {}),
                };
                nas.answered(now, port, &reply, &mut out);
            }
        }
        told
    }

    #[test]
    fn a_session_keeps_its_interval_and_ends_at_its_timeout() {
        for method in [Method::Pap, Method::Chap, Method::MsChapV2] {
            let (mut nas, mut now) = (nas(method, Habit::Home), START);
            let told = story(&mut nas, &mut now, START.plus_seconds(330));
            // An interim is called Alive in the dictionaries.
            let expected = ["Login", "Start", "Alive", "Alive", "Alive", "Alive", "Stop 5", "Login", "Start"];
            assert_eq!(told, expected, "{method:?}");
            assert_eq!(nas.counts().online, 1);
        }
    }

    #[test]
    fn counters_grow_at_a_share_of_the_rate() {
        let (mut nas, mut now) = (nas(Method::Pap, Habit::Home), START);
        story(&mut nas, &mut now, START.plus_seconds(200));
        nas.count(0, now);
        let Phase::Online(session) = &nas.phases[0] else { panic!("offline") };
        let at_full_rate = 10_000.0 * 125.0 * 200.0;
        assert!(session.down > 0.0 && session.down < at_full_rate, "{}", session.down);
        assert!(session.up > 0.0 && session.up < session.down);
        assert_eq!(session.address, Some(Ipv4Addr::new(10, 1, 0, 5)));
    }

    #[test]
    fn orders_are_obeyed_and_unknown_sessions_refused() {
        let (mut nas, mut now) = (nas(Method::Pap, Habit::Home), START);
        story(&mut nas, &mut now, START.plus_seconds(30));
        let secret = Secret::new(SECRET);
        let order = |mut draft: Draft, name: &str| {
            draft.put_text(attribute::USER_NAME, name).unwrap();
            draft.put_vendor_text(MIKROTIK, 8, "1M/2M").unwrap();
            draft.sign(&secret).bytes().to_vec()
        };
        let mut give = |bytes: &[u8], secret: &str| {
            let mut out = Out::new();
            let reply = nas.ordered(now, bytes, &mut out);
            let reply = reply.map(|reply| {
                let packet = Packet::parse(&reply).unwrap();
                format!("{} {:?}", packet.code().name(), packet.u32(attribute::ERROR_CAUSE))
            });
            let sent = exchange(&mut nas, now, out).join(", ");
            assert_eq!(secret, SECRET);
            (reply.unwrap_or("silence".into()), sent)
        };
        let told = |(reply, sent): (String, String)| format!("{reply}; {sent}");
        assert_eq!(told(give(&order(Draft::coa(1), "amina"), SECRET)), "CoA-ACK None; ");
        assert_eq!(told(give(&order(Draft::coa(2), "nobody"), SECRET)), "CoA-NAK Some(503); ");
        assert_eq!(told(give(&order(Draft::disconnect(3), "AMINA"), SECRET)), "Disconnect-ACK None; Stop 6");
        assert_eq!(told(give(&order(Draft::disconnect(3), "amina"), SECRET)), "Disconnect-NAK Some(503); ");
        let forged = order(Draft::disconnect(4), "amina").iter().map(|byte| byte ^ 1).collect::<Vec<_>>();
        assert_eq!(told(give(&forged, SECRET)), "silence; ");
    }

    #[test]
    fn silence_is_met_with_the_same_bytes_and_then_a_fresh_try() {
        let mut nas = nas(Method::Pap, Habit::Home);
        let (mut sent, mut until) = (Vec::new(), START.plus_seconds(33));
        while let Some(due) = nas.due().filter(|due| *due <= until) {
            let mut out = Out::new();
            nas.turn(due, &mut out);
            sent.extend(out.into_iter().map(|(_, bytes)| bytes));
            until = START.plus_seconds(33);
        }
        assert_eq!(sent.len(), PATIENCE_S.len());
        assert!(sent.iter().all(|bytes| *bytes == sent[0]));
        let mut out = Out::new();
        while out.is_empty() {
            let due = nas.due().unwrap();
            nas.turn(due, &mut out);
        }
        assert_ne!(out[0].1, sent[0]);
        assert_eq!(nas.counts().unanswered, 1);
    }

    #[test]
    fn a_router_that_goes_down_says_so_for_everybody() {
        let (mut nas, mut now) = (nas(Method::Pap, Habit::Home), START);
        story(&mut nas, &mut now, START.plus_seconds(30));
        let mut out = Out::new();
        nas.goes_down(now, &mut out);
        assert_eq!(exchange(&mut nas, now, out), ["Stop 11"]);
        assert_eq!((nas.unanswered(), nas.counts().online, nas.due()), (0, 0, None));
    }
}
