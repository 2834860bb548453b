//! What accounting reports mean: repeats, reorderings, counter wraps, resets and restarts are ordinary results
//! (worked examples: docs/RULES.md, "Usage"; RFC 2866, RFC 2869 §5.1–5.3).
//!
//! A session's usage is 64-bit and only grows. Reports of one session are ordered by Acct-Session-Time; what is not
//! newer than the last one changes nothing.

use crate::kernel::clock::{Instant, SECOND};

/// What no report adds in one direction: 2^50 bytes, more than a line of 100 Gbit/s carries in a day. A report that says
/// more has no counter there, but bits that were never one.
pub const MOST_GROWTH: u64 = 1 << 50;

/// Usage that is kept (of a session, a day, a period, a cycle of fair use) stops there, so that sums of it stay whole.
pub const MOST_KEPT: u64 = 1 << 50;

/// No session lasts longer, ten years; a report that says so says nothing of its time.
pub const LONGEST_S: u32 = 10 * 366 * 86_400;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReportKind {
    Start,
    Interim,
    Stop,
}

/// The octet counters of one direction as they stand in a report.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Octets {
    pub low: u32,
    /// Wraps of 2³² as the NAS counts them; `None` where it does not send gigawords.
    pub gigawords: Option<u32>,
}

impl Octets {
    fn value(self) -> u64 {
        (self.gigawords.unwrap_or(0) as u64) << 32 | self.low as u64
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report {
    pub kind: ReportKind,
    pub session_time_s: u32,
    /// From the subscriber (Acct-Input-Octets).
    pub up: Octets,
    /// To the subscriber (Acct-Output-Octets).
    pub down: Octets,
    /// When it happened: see [`happened_at`].
    pub at: Instant,
}

/// One direction of a session.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counter {
    /// What the NAS last showed.
    pub shown: u64,
    /// What has been counted in all.
    pub total: u64,
}

/// A session as far as its reports have told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    pub started_at: Instant,
    /// When the newest counted report happened.
    pub reported_at: Instant,
    pub session_time_s: u32,
    pub up: Counter,
    pub down: Counter,
    /// A report carried gigawords, so its counters never wrap at 2³².
    pub gigawords: bool,
    pub state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum State {
    Open,
    /// Ended by its Stop, by Accounting-On/Off, or by a newer session under its key.
    Closed,
    /// Silent for three intervals; a later report reopens it.
    Lost,
}

/// What a report added.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Growth {
    pub up: u64,
    pub down: u64,
    pub seconds: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// A newer report: the session afterwards, and what it added on the day of `report.at`.
    Counted { usage: Usage, growth: Growth, reopened: bool },
    /// A repeat, a late report, or one for a closed session: nothing changes.
    Ignored,
}

/// The first report of a session opens it, whatever its kind: what it shows has been used since it started.
pub fn open(report: &Report) -> (Usage, Growth) {
    let plausible = |octets: Octets| Some(octets.value()).filter(|value| *value <= MOST_GROWTH).unwrap_or(0);
    let session_time_s = Some(report.session_time_s).filter(|time| *time <= LONGEST_S).unwrap_or(0);
    let growth = Growth { up: plausible(report.up), down: plausible(report.down), seconds: session_time_s };
    let usage = Usage {
        started_at: report.at.plus(-(session_time_s as i64) * SECOND),
        reported_at: report.at,
        session_time_s,
        up: Counter { shown: growth.up, total: growth.up },
        down: Counter { shown: growth.down, total: growth.down },
        gigawords: sent_gigawords(report),
        state: if report.kind == ReportKind::Stop { State::Closed } else { State::Open },
    };
    (usage, growth)
}

/// What `report` makes of a known session on a line of `line_kbps` (the faster direction; `None`: unknown).
pub fn advance(before: &Usage, report: &Report, line_kbps: Option<u32>) -> Outcome {
    let told_s = Some(report.session_time_s).filter(|time| *time <= LONGEST_S).unwrap_or(before.session_time_s);
    let newer = told_s > before.session_time_s;
    let same_second = told_s == before.session_time_s;
    let counters_grew = report.up.value() > before.up.shown || report.down.value() > before.down.shown;
    let counted = match (before.state, report.kind) {
        (State::Closed, _) => false,
        (_, ReportKind::Start) => false,
        (State::Lost, ReportKind::Interim) => newer,
        (State::Lost, ReportKind::Stop) => newer || same_second,
        (State::Open, ReportKind::Interim) => newer || (same_second && counters_grew),
        // A Stop ends the session even where an interim of the same second, or a later one, overtook it.
        (State::Open, ReportKind::Stop) => true,
    };
    if !counted {
        return Outcome::Ignored;
    }
    let late = !newer && !same_second;
    let elapsed_s = told_s.saturating_sub(before.session_time_s);
    let gigawords = before.gigawords || sent_gigawords(report);
    let next = |counter: Counter, octets: Octets| match late {
        true => (counter, 0),
        false => count(counter, octets.value(), gigawords, elapsed_s, line_kbps),
    };
    let (up, grown_up) = next(before.up, report.up);
    let (down, grown_down) = next(before.down, report.down);
    let usage = Usage {
        started_at: before.started_at,
        reported_at: before.reported_at.max(report.at),
        session_time_s: before.session_time_s.max(told_s),
        up,
        down,
        gigawords,
        state: if report.kind == ReportKind::Stop { State::Closed } else { State::Open },
    };
    let growth = Growth { up: grown_up, down: grown_down, seconds: elapsed_s };
    Outcome::Counted { usage, growth, reopened: before.state == State::Lost }
}

fn sent_gigawords(report: &Report) -> bool {
    report.up.gigawords.is_some() || report.down.gigawords.is_some()
}

/// What a counter shows anew. One that went down has wrapped only if the NAS never sends gigawords and the implied difference fits the line;
/// otherwise the NAS started again from zero.
fn count(before: Counter, shown: u64, gigawords: bool, elapsed_s: u32, line_kbps: Option<u32>) -> (Counter, u64) {
    let grown = if shown >= before.shown {
        shown - before.shown
    } else {
        let wrapped = shown.saturating_add(1 << 32) - (before.shown & 0xffff_ffff);
        let fits = line_kbps.is_some_and(|kbps| wrapped <= kbps as u64 * 125 * elapsed_s as u64);
        if !gigawords && fits { wrapped } else { shown }
    };
    match grown {
        // What was shown before goes on counting: the next report that is one adds what has come since.
        MOST_GROWTH.. => (before, 0),
        _ => (Counter { shown, total: before.total.saturating_add(grown).min(MOST_KEPT) }, grown),
    }
}

/// When a report happened: its Event-Timestamp if that is believable, else the time of receipt less Acct-Delay-Time.
pub fn happened_at(received: Instant, event_timestamp: Option<u32>, delay_s: Option<u32>) -> Instant {
    const AHEAD_S: i64 = 300;
    const BEHIND_S: i64 = 31 * 86_400;
    let believable = |at: Instant| (-BEHIND_S..=AHEAD_S).contains(&at.seconds_since(received));
    let stamped = event_timestamp.map(|at| Instant::from_unix(at as i64)).filter(|at| believable(*at));
    let delayed = received.plus_seconds(-(delay_s.unwrap_or(0) as i64));
    match stamped {
        Some(at) => at.min(received),
        None if believable(delayed) => delayed,
        None => received,
    }
}

/// The last moment at which a report of `at` may have happened: an Event-Timestamp (RFC 2869, 5.3) says its second alone,
/// and a period that began within that second has it.
pub fn until(at: Instant) -> Instant {
    match at.0 % SECOND {
        0 => at.plus(SECOND - 1),
        _ => at,
    }
}

/// A session that was told an interval, or has sent an interim, is lost after three silent ones.
pub fn is_lost(reported_at: Instant, interval_s: Option<u32>, now: Instant) -> bool {
    match interval_s {
        Some(interval) if interval > 0 => now.seconds_since(reported_at) > 3 * interval as i64,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: i64 = 1_800_000_000;

    fn report(kind: ReportKind, time: u32, up: u32, down: u32) -> Report {
        let octets = |low| Octets { low, gigawords: None };
        let at = Instant::from_unix(T0 + time as i64);
        Report { kind, session_time_s: time, up: octets(up), down: octets(down), at }
    }

    fn giga(kind: ReportKind, time: u32, down: (u32, u32)) -> Report {
        let mut report = report(kind, time, 0, 0);
        report.down = Octets { low: down.1, gigawords: Some(down.0) };
        report.up.gigawords = Some(0);
        report
    }

    /// Feeds the reports; totals up and down, and the state.
    fn run(reports: &[Report], line_kbps: u32) -> (u64, u64, State) {
        let (mut usage, first) = open(&reports[0]);
        let (mut up, mut down) = (first.up, first.down);
        for report in &reports[1..] {
            if let Outcome::Counted { usage: after, growth, .. } = advance(&usage, report, Some(line_kbps)) {
                usage = after;
                up += growth.up;
                down += growth.down;
            }
        }
        assert_eq!((up, down), (usage.up.total, usage.down.total), "the growths add up to the totals");
        (up, down, usage.state)
    }

    #[test]
    fn reports_of_one_session() {
        use ReportKind::*;
        use State::*;
        let rows: Vec<(&str, Vec<Report>, u32, (u64, u64, State))> = vec![
            (
                "start, interims, stop",
                vec![
                    report(Start, 0, 0, 0),
                    report(Interim, 300, 1000, 5000),
                    report(Interim, 600, 2000, 9000),
                    report(Stop, 700, 2500, 10_000),
                ],
                10_000,
                (2500, 10_000, Closed),
            ),
            (
                "the 600 s report twice, then the 300 s one late",
                vec![
                    report(Start, 0, 0, 0),
                    report(Interim, 600, 2000, 9000),
                    report(Interim, 600, 2000, 9000),
                    report(Interim, 300, 1000, 5000),
                ],
                10_000,
                (2000, 9000, Open),
            ),
            (
                "an interim after the stop",
                vec![report(Start, 0, 0, 0), report(Stop, 500, 10, 20), report(Interim, 600, 2000, 9000)],
                10_000,
                (10, 20, Closed),
            ),
            (
                "no start: opened by the interim",
                vec![report(Interim, 300, 100, 200), report(Stop, 700, 400, 800)],
                10_000,
                (400, 800, Closed),
            ),
            (
                "a start that comes after its interim",
                vec![report(Interim, 300, 100, 200), report(Start, 0, 0, 0)],
                10_000,
                (100, 200, Open),
            ),
            ("a stop alone", vec![report(Stop, 700, 400, 800)], 10_000, (400, 800, Closed)),
            (
                "a stop twice",
                vec![report(Stop, 700, 400, 800), report(Stop, 700, 400, 800)],
                10_000,
                (400, 800, Closed),
            ),
            (
                "a stop in the second of the last interim",
                vec![report(Interim, 300, 100, 200), report(Stop, 300, 101, 202)],
                10_000,
                (101, 202, Closed),
            ),
            (
                "a stop that a later interim overtook closes without counting back",
                vec![report(Interim, 600, 100, 200), report(Stop, 300, 50, 60)],
                10_000,
                (100, 200, Closed),
            ),
            (
                "wrap of a 100 Mbit/s line without gigawords",
                vec![report(Interim, 600, 0, 4_000_000_000), report(Interim, 900, 0, 100_000_000)],
                100_000,
                (0, 4_394_967_296, Open),
            ),
            (
                "the same on 1 Mbit/s is a reset",
                vec![report(Interim, 600, 0, 4_000_000_000), report(Interim, 900, 0, 100_000_000)],
                1000,
                (0, 4_100_000_000, Open),
            ),
            (
                "gigawords",
                vec![giga(Interim, 600, (0, 4_000_000_000)), giga(Interim, 900, (1, 100))],
                1000,
                (0, 4_294_967_396, Open),
            ),
            (
                "with gigawords a lower counter is a reset, however fast the line",
                vec![giga(Interim, 600, (0, 4_000_000_000)), giga(Interim, 900, (0, 100_000_000))],
                1_000_000,
                (0, 4_100_000_000, Open),
            ),
            (
                "terabytes",
                vec![giga(Start, 0, (0, 0)), giga(Stop, 86_400, (200_000, 7))],
                1000,
                (0, 858_993_459_200_007, Closed),
            ),
            (
                "bits that are no counter, then one again",
                vec![
                    giga(Start, 0, (0, 0)),
                    giga(Interim, 300, (u32::MAX, u32::MAX)),
                    giga(Interim, u32::MAX, (0, 500)),
                    giga(Interim, 600, (u32::MAX, 0)),
                    giga(Stop, 700, (0, 900)),
                ],
                1000,
                (0, 900, Closed),
            ),
            ("nothing but ones", vec![giga(Stop, u32::MAX, (u32::MAX, u32::MAX))], 1000, (0, 0, Closed)),
        ];
        for (name, reports, line, expected) in rows {
            assert_eq!(run(&reports, line), expected, "{name}");
        }
    }

    #[test]
    fn a_lost_session_reopens_without_counting_twice() {
        let (mut usage, _) = open(&report(ReportKind::Interim, 300, 100, 200));
        usage.state = State::Lost;
        assert_eq!(advance(&usage, &report(ReportKind::Interim, 300, 100, 200), None), Outcome::Ignored);
        let Outcome::Counted { usage, growth, reopened } =
            advance(&usage, &report(ReportKind::Interim, 3000, 150, 260), None)
        else {
            panic!("a newer interim reopens");
        };
        assert_eq!((growth.up, growth.down, growth.seconds, reopened), (50, 60, 2700, true));
        assert_eq!((usage.up.total, usage.state), (150, State::Open));
    }

    #[test]
    fn the_day_of_a_report() {
        let received = T0 + 20_000;
        let rows = [
            // Event-Timestamp, delay → happened
            (None, None, received),
            (None, Some(30), received - 30),
            (Some(T0 as u32), None, T0),
            (Some(T0 as u32), Some(99), T0),
            (Some(received as u32 + 200), None, received), // a little ahead: not later than now
            (Some(0), Some(30), received - 30),            // a NAS without a clock
            (Some(received as u32 + 9000), None, received),
            (None, Some(u32::MAX), received),
        ];
        for (stamp, delay, expected) in rows {
            let got = happened_at(Instant::from_unix(received), stamp, delay);
            assert_eq!(got, Instant::from_unix(expected), "{stamp:?} {delay:?}");
        }
    }

    #[test]
    fn a_timestamp_is_a_second_long() {
        let sold = Instant::from_unix(T0).plus(SECOND / 2);
        let rows = [
            (Instant::from_unix(T0), true), // by its Event-Timestamp
            (Instant::from_unix(T0).plus(-1), false),
            (Instant::from_unix(T0 - 1), false),
            (sold.plus(-1), false), // by when it came
            (sold, true),
        ];
        for (at, of_the_new_period) in rows {
            assert_eq!(until(at) >= sold, of_the_new_period, "{at:?}");
        }
    }

    #[test]
    fn three_silent_intervals_lose_a_session() {
        let rows =
            [(Some(300), 900, false), (Some(300), 901, true), (None, 1_000_000, false), (Some(0), 1_000_000, false)];
        for (interval, silent_s, lost) in rows {
            let at = Instant::from_unix(T0);
            assert_eq!(is_lost(at, interval, at.plus_seconds(silent_s)), lost, "{interval:?} {silent_s}");
        }
    }
}
