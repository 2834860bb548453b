//! A population behind many routers, against any RADIUS server: everybody dials in, reports, obeys orders, and leaves
//! properly at the end. One thread serves a hundred thousand lines: what a line does next stands on a wheel of time.

use std::{
    collections::VecDeque,
    io,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use radius::{
    Code,
    attribute::{self, acct_status, error_cause, vendor::MICROSOFT},
    auth::mschap::MS_CHAP2_SUCCESS,
    client::Answer,
    das,
};

use super::{
    asker::{Asker, Heard, Lane, PATIENCE, Spread, Traffic},
    chance::Chance,
    grant::Grant,
    line::Method,
    people::{People, Told},
};

/// RFC 2866 §5.10.
const SESSION_TIMEOUT: u32 = 5;
const ADMIN_RESET: u32 = 6;
const NAS_REBOOT: u32 = 11;
/// A report that nobody has answered after all tries is tried anew after this long: usage is not thrown away.
const REPORT_AGAIN_MS: u32 = 3_000;
/// The last reports get this long to be answered.
const FAREWELL: Duration = Duration::from_secs(10);
/// New requests of one turn, so that answers are read in between.
const A_TURN: usize = 256;

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Pace {
    PerSecond(f64),
    /// Everybody at once, as after a power cut.
    Storm,
}

#[derive(Clone, Debug)]
pub struct Config {
    pub people: People,
    pub auth: SocketAddr,
    pub acct: SocketAddr,
    /// Where routers await orders; `None`: nowhere.
    pub coa_port: Option<u16>,
    pub methods: Vec<Method>,
    pub pace: Pace,
    /// Instead of what the server says.
    pub interim_s: Option<u32>,
    pub duration: Duration,
}

/// What has happened so far.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    pub accepted: u64,
    pub refused: u64,
    /// Requests of either kind given up after all tries.
    pub unanswered: u64,
    pub starts: u64,
    pub interims: u64,
    pub stops: u64,
    pub disconnected: u64,
    pub changed: u64,
    pub online: u64,
}

#[derive(Clone)]
pub struct Summary {
    pub counts: Counts,
    pub traffic: Traffic,
    pub logins: Spread,
    pub reports: Spread,
    /// People who have been online with an answered Start, and when the last of all was.
    pub settled: u32,
    pub everybody: Option<Duration>,
}

#[derive(Clone, Copy)]
struct Tag {
    person: u32,
    session: u32,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Login,
    Start,
    Interim,
    Stop { cause: u32, seconds: u32 },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Off,
    Asking,
    Online,
}

#[derive(Clone, Copy)]
struct LineState {
    phase: Phase,
    /// Has been online with an answered Start.
    settled: bool,
    /// This session's Start is answered.
    started: bool,
    /// The one entry of the wheel that counts.
    wakes_ms: u32,
    /// `person + count × n`: the n-th session of this person.
    session: u32,
    began_ms: u32,
    interim_ms: u32,
    /// Session-Timeout; `u32::MAX`: none.
    ends_ms: u32,
    address: Ipv4Addr,
}

impl LineState {
    /// The next report, or the end if that comes first.
    fn next_ms(&self, now_ms: u32) -> u32 {
        match self.interim_ms {
            0 => self.ends_ms,
            interim_ms => now_ms.saturating_add(interim_ms).min(self.ends_ms),
        }
    }
}

struct Running {
    config: Config,
    asker: Asker<Tag>,
    auth: Vec<Lane>,
    acct: Vec<Lane>,
    lines: Vec<LineState>,
    wheel: Wheel,
    /// What waits for a free identifier.
    backlog: VecDeque<Tag>,
    began: Instant,
    chance: Chance,
    counts: Counts,
    logins: Spread,
    reports: Spread,
    settled: u32,
    everybody: Option<Duration>,
    leaving: bool,
}

/// Runs to the end; `tell` gets the counts every second.
pub fn run(config: Config, mut tell: impl FnMut(Duration, &Counts)) -> io::Result<Summary> {
    let mut asker = Asker::new(config.people.secret.clone(), PATIENCE)?;
    let (mut auth, mut acct) = (Vec::new(), Vec::new());
    for address in &config.people.routers {
        auth.push(asker.lane(*address, config.auth));
        acct.push(asker.lane(*address, config.acct));
        if let Some(port) = config.coa_port {
            let at = SocketAddr::new(*address, port);
            asker.listen(at).map_err(|error| io::Error::new(error.kind(), format!("{at} for orders: {error}")))?;
        }
    }
    let people = config.people.count;
    let line = |person| LineState {
        phase: Phase::Off,
        settled: false,
        started: false,
        wakes_ms: u32::MAX,
        session: person,
        began_ms: 0,
        interim_ms: 0,
        ends_ms: u32::MAX,
        address: People::own_address(person),
    };
    let mut running = Running {
        asker,
        auth,
        acct,
        lines: (0..people).map(line).collect(),
        wheel: Wheel::new(),
        backlog: VecDeque::new(),
        began: Instant::now(),
        chance: Chance::new(u64::from(config.people.run)),
        counts: Counts::default(),
        logins: Spread::default(),
        reports: Spread::default(),
        settled: 0,
        everybody: None,
        leaving: false,
        config,
    };
    let (mut heard, mut dialled, mut second) = (Vec::new(), 0, 1);
    loop {
        let elapsed = running.began.elapsed();
        if elapsed >= running.config.duration && !running.leaving {
            running.leave();
        }
        let gone = running.asker.waiting() == 0 && running.backlog.is_empty();
        if running.leaving && (gone || elapsed > running.config.duration + FAREWELL) {
            break;
        }
        if !running.leaving {
            let until = match running.config.pace {
                Pace::Storm => people,
                Pace::PerSecond(rate) => ((elapsed.as_secs_f64() * rate) as u32).min(people),
            };
            // As many as can be sent before answers are looked at again.
            let until = until.min(dialled + A_TURN as u32);
            for person in dialled..until {
                running.dial(person);
            }
            dialled = until.max(dialled);
            running.due();
        }
        running.send_backlog()?;
        let busy = !running.leaving && dialled < people && running.config.pace == Pace::Storm;
        let wait = if busy { Duration::ZERO } else { Duration::from_millis(5) };
        running.asker.turn(wait, &mut heard)?;
        for heard in heard.drain(..) {
            running.hear(heard);
        }
        if running.began.elapsed().as_secs() >= second {
            tell(Duration::from_secs(second), &running.counts);
            second = running.began.elapsed().as_secs() + 1;
        }
    }
    Ok(Summary {
        counts: running.counts,
        traffic: running.asker.traffic,
        logins: running.logins,
        reports: running.reports,
        settled: running.settled,
        everybody: running.everybody,
    })
}

impl Running {
    fn now_ms(&self) -> u32 {
        self.began.elapsed().as_millis() as u32
    }

    fn dial(&mut self, person: u32) {
        let line = &mut self.lines[person as usize];
        if line.phase == Phase::Off && !self.leaving {
            line.phase = Phase::Asking;
            let tag = Tag { person, session: line.session, what: What::Login };
            self.backlog.push_back(tag);
        }
    }

    fn dial_again(&mut self, person: u32, low_s: f64, high_s: f64) {
        let after_ms = (self.chance.between(low_s, high_s) * 1000.0) as u32;
        let at = self.now_ms() + after_ms;
        let line = &mut self.lines[person as usize];
        line.phase = Phase::Off;
        line.started = false;
        line.session = line.session.wrapping_add(self.config.people.count);
        self.wake(person, at);
    }

    /// A line has one next moment; what stood on the wheel before does not count any more.
    fn wake(&mut self, person: u32, at_ms: u32) {
        let line = &mut self.lines[person as usize];
        line.wakes_ms = at_ms;
        self.wheel.put(at_ms, person, line.session);
    }

    fn send_backlog(&mut self) -> io::Result<()> {
        for _ in 0..A_TURN {
            let Some(tag) = self.backlog.pop_front() else { break };
            if !self.send(tag)? {
                self.backlog.push_front(tag);
                break;
            }
        }
        Ok(())
    }

    fn send(&mut self, tag: Tag) -> io::Result<bool> {
        let people = &self.config.people;
        let router = people.router_of(tag.person);
        let line = &self.lines[tag.person as usize];
        let seconds = (self.began.elapsed().as_millis() as u32).saturating_sub(line.began_ms) / 1000;
        let (status, seconds, cause) = match tag.what {
            What::Login => {
                let method = self.config.methods[tag.person as usize % self.config.methods.len()];
                let write = |id| people.login(id, tag.person, tag.session, method);
                return self.asker.ask(self.auth[router], tag, write);
            }
            What::Start => (acct_status::START, 0, None),
            What::Interim => (acct_status::INTERIM, seconds, None),
            What::Stop { cause, seconds } => (acct_status::STOP, seconds, Some(cause)),
        };
        let told = Told { status, session: tag.session, address: line.address, seconds, cause, at_unix: unix_now() };
        self.asker.ask(self.acct[router], tag, |id| people.report(id, tag.person, told))
    }

    fn hear(&mut self, heard: Heard<Tag>) {
        match heard {
            Heard::Answer { tag, answer, expects, took } => match tag.what {
                What::Login => {
                    self.logins.add(took);
                    self.login_answered(tag, &answer, expects.as_deref());
                }
                What::Start | What::Interim | What::Stop { .. } => {
                    self.reports.add(took);
                    self.report_answered(tag);
                }
            },
            Heard::Silence { tag } => {
                self.counts.unanswered += 1;
                match tag.what {
                    What::Login => self.dial_again(tag.person, 2.0, 6.0),
                    What::Start if !self.leaving => {
                        let line = self.lines[tag.person as usize];
                        if line.session == tag.session {
                            self.wake(tag.person, line.wakes_ms.min(self.now_ms() + REPORT_AGAIN_MS));
                        }
                    }
                    What::Stop { .. } if !self.leaving => self.backlog.push_back(tag),
                    // The next interim says more.
                    What::Start | What::Interim | What::Stop { .. } => {}
                }
            }
            Heard::Order { place, from, bytes } => {
                if let Some(reply) = self.ordered(&bytes) {
                    self.asker.reply(place, from, &reply);
                }
            }
        }
    }

    fn login_answered(&mut self, tag: Tag, answer: &Answer, expects: Option<&[u8; 42]>) {
        let packet = answer.packet();
        let proven = expects.is_none_or(|expected| {
            // The byte in front is the identifier of the exchange (RFC 2548 §2.3.3).
            packet.vendor(MICROSOFT, MS_CHAP2_SUCCESS).is_some_and(|value| value.get(1..) == Some(&expected[..]))
        });
        if packet.code() != Code::AccessAccept || !proven {
            self.counts.refused += 1;
            return self.dial_again(tag.person, 20.0, 40.0);
        }
        self.counts.accepted += 1;
        let (grant, now) = (Grant::of(&packet), self.now_ms());
        let interim_s = self.config.interim_s.or(grant.interim_s).unwrap_or(0);
        let line = &mut self.lines[tag.person as usize];
        line.phase = Phase::Online;
        line.began_ms = now;
        line.interim_ms = interim_s.saturating_mul(1000);
        line.ends_ms = grant.session_timeout_s.map_or(u32::MAX, |s| now.saturating_add(s.saturating_mul(1000)));
        line.address = grant.address.unwrap_or(line.address);
        let next = line.next_ms(now);
        self.counts.online += 1;
        self.wake(tag.person, next);
        if self.leaving {
            return self.hang_up(tag.person, NAS_REBOOT);
        }
        self.backlog.push_back(Tag { what: What::Start, ..tag });
    }

    fn report_answered(&mut self, tag: Tag) {
        match tag.what {
            What::Login => {}
            What::Start => {
                self.counts.starts += 1;
                let line = &mut self.lines[tag.person as usize];
                line.started |= line.session == tag.session;
                if !line.settled {
                    line.settled = true;
                    self.settled += 1;
                    if self.settled == self.config.people.count {
                        self.everybody = Some(self.began.elapsed());
                    }
                }
            }
            What::Interim => self.counts.interims += 1,
            What::Stop { .. } => self.counts.stops += 1,
        }
    }

    /// What the wheel brings: dialling again, progress, the end of a session.
    fn due(&mut self) {
        let now = self.now_ms();
        for (at, person, session) in self.wheel.turn(now) {
            let line = self.lines[person as usize];
            if (line.session, line.wakes_ms) != (session, at) {
                continue;
            }
            match line.phase {
                Phase::Off => self.dial(person),
                Phase::Asking => {}
                Phase::Online if line.ends_ms <= now => {
                    self.hang_up(person, SESSION_TIMEOUT);
                    self.dial_again(person, 1.0, 3.0);
                }
                Phase::Online => {
                    let what = if line.started { What::Interim } else { What::Start };
                    self.backlog.push_back(Tag { person, session, what });
                    self.wake(person, line.next_ms(now));
                }
            }
        }
    }

    fn hang_up(&mut self, person: u32, cause: u32) {
        let now = self.now_ms();
        let line = &mut self.lines[person as usize];
        if line.phase == Phase::Online {
            line.phase = Phase::Off;
            self.counts.online -= 1;
            let seconds = now.saturating_sub(line.began_ms) / 1000;
            let what = What::Stop { cause, seconds };
            self.backlog.push_back(Tag { person, session: line.session, what });
        }
    }

    /// The routers go down in good order.
    fn leave(&mut self) {
        self.leaving = true;
        // Who has not dialled yet never will.
        self.backlog.retain(|tag| tag.what != What::Login);
        for person in 0..self.config.people.count {
            self.hang_up(person, NAS_REBOOT);
        }
    }

    /// Disconnect or CoA (RFC 5176): the session is named by its id or by User-Name; all that is named must fit.
    fn ordered(&mut self, datagram: &[u8]) -> Option<Vec<u8>> {
        let secret = self.config.people.secret.clone();
        let request = das::verify(datagram, &secret)?;
        let people = &self.config.people;
        let session = request.text(attribute::ACCT_SESSION_ID).map(|text| people.session_number(text));
        let named = request.text(attribute::USER_NAME).map(|name| people.number(name));
        let person = match (session, named) {
            (Some(session), _) => session.map(|session| session % people.count),
            (None, named) => named.flatten(),
        };
        let meant = person.filter(|person| {
            let line = &self.lines[*person as usize];
            line.phase == Phase::Online
                && session.is_none_or(|session| session == Some(line.session))
                && named.is_none_or(|named| named == Some(*person))
        });
        let Some(person) = meant else {
            return Some(das::answer(&request, Some(error_cause::SESSION_NOT_FOUND), &secret));
        };
        if request.code() == Code::DisconnectRequest {
            self.counts.disconnected += 1;
            self.hang_up(person, ADMIN_RESET);
            self.dial_again(person, 2.0, 6.0);
        } else {
            self.counts.changed += 1;
            if let Some(timeout_s) = Grant::of(&request).session_timeout_s {
                let ends = self.now_ms().saturating_add(timeout_s.saturating_mul(1000));
                let line = &mut self.lines[person as usize];
                line.ends_ms = ends;
                let next = line.wakes_ms.min(ends);
                self.wake(person, next);
            }
        }
        Some(das::answer(&request, None, &secret))
    }
}

fn unix_now() -> u32 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as u32)
}

/// What is due when, in buckets of 32 ms; what is later than a turn of the wheel stays for another.
struct Wheel {
    buckets: Vec<Vec<(u32, u32, u32)>>,
    /// The first bucket not yet turned.
    next: u32,
}

const BUCKET_MS: u32 = 32;
const BUCKETS: u32 = 8192;

impl Wheel {
    fn new() -> Wheel {
        Wheel { buckets: (0..BUCKETS).map(|_| Vec::new()).collect(), next: 0 }
    }

    fn put(&mut self, at_ms: u32, person: u32, session: u32) {
        // `u32::MAX` is never.
        if at_ms < u32::MAX {
            let bucket = (at_ms / BUCKET_MS).max(self.next);
            self.buckets[(bucket % BUCKETS) as usize].push((at_ms, person, session));
        }
    }

    fn turn(&mut self, now_ms: u32) -> Vec<(u32, u32, u32)> {
        let mut due = Vec::new();
        while (self.next + 1) * BUCKET_MS <= now_ms {
            let bucket = &mut self.buckets[(self.next % BUCKETS) as usize];
            let end = (self.next + 1) * BUCKET_MS;
            bucket.retain(|(at, person, session)| {
                if *at < end {
                    due.push((*at, *person, *session));
                }
                *at >= end
            });
            self.next += 1;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wheel_brings_everything_once_and_not_early() {
        let mut wheel = Wheel::new();
        let far = BUCKET_MS * BUCKETS * 2 + 5;
        for (at, person) in [(10, 1), (100, 2), (far, 3), (u32::MAX, 4)] {
            wheel.put(at, person, 0);
        }
        let (mut seen, mut now) = (Vec::new(), 0);
        while now < far + 1000 {
            for (_, person, _) in wheel.turn(now) {
                seen.push((person, now));
            }
            now += 20;
        }
        let people: Vec<u32> = seen.iter().map(|(person, _)| *person).collect();
        assert_eq!(people, [1, 2, 3]);
        for ((_, now), at) in seen.iter().zip([10, 100, far]) {
            assert!(*now >= at && *now < at + 2 * BUCKET_MS + 20, "{now} {at}");
        }
    }
}
