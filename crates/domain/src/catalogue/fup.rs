//! Fair use: how fast a line is, by what it has used in its cycle and by the hour of the day
//! (worked examples: docs/RULES.md, "Fair use").
//!
//! A policy's tiers say from which use on which rate holds. Counting starts again with each cycle. What the sold period's
//! own quota allows is another matter: see [`crate::Quota`].

use jiff::{Span, ToSpan, civil, tz::TimeZone};

use crate::{Bandwidth, BandwidthId, FupTemplateId, Instant, kernel::clock::DAY};

/// Which bytes count.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Measure {
    /// Up and down together.
    Total,
    /// Uploads are free.
    Down,
    /// Each direction by itself: the larger one decides.
    Either,
}

impl Measure {
    pub const ALL: [Measure; 3] = [Measure::Total, Measure::Down, Measure::Either];

    pub fn word(self) -> &'static str {
        match self {
            Measure::Total => "total",
            Measure::Down => "down",
            Measure::Either => "either",
        }
    }

    pub fn from_word(word: &str) -> Option<Measure> {
        Measure::ALL.into_iter().find(|measure| measure.word() == word)
    }

    pub fn of(self, up: u64, down: u64) -> u64 {
        match self {
            Measure::Total => up.saturating_add(down),
            Measure::Down => down,
            Measure::Either => up.max(down),
        }
    }
}

/// When counting starts again: at local midnight, except for `Period`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reset {
    Daily,
    /// 0 is Sunday.
    Weekly {
        day: u8,
    },
    /// 1–31; the last day where the month is shorter.
    Monthly {
        day: u8,
    },
    /// With each sold period.
    Period,
    Never,
}

impl Reset {
    pub const WORDS: [&'static str; 5] = ["daily", "weekly", "monthly", "period", "never"];

    pub fn word(self) -> &'static str {
        match self {
            Reset::Daily => "daily",
            Reset::Weekly { .. } => "weekly",
            Reset::Monthly { .. } => "monthly",
            Reset::Period => "period",
            Reset::Never => "never",
        }
    }

    pub fn day(self) -> Option<u8> {
        match self {
            Reset::Weekly { day } | Reset::Monthly { day } => Some(day),
            Reset::Daily | Reset::Period | Reset::Never => None,
        }
    }

    /// `None`: no such word, or a day that is missing or out of range.
    pub fn from_parts(word: &str, day: Option<i64>) -> Option<Reset> {
        let between = |low, high| day.filter(|day| (low..=high).contains(day)).map(|day| day as u8);
        Some(match word {
            "daily" => Reset::Daily,
            "weekly" => Reset::Weekly { day: between(0, 6)? },
            "monthly" => Reset::Monthly { day: between(1, 31)? },
            "period" => Reset::Period,
            "never" => Reset::Never,
            _ => return None,
        })
    }
}

/// From so many bytes on, this rate. A tier from 0 on replaces the plan's own rate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tier {
    pub after_bytes: u64,
    pub bandwidth: BandwidthId,
    /// The bandwidth as it is now; `None`: it is gone, and the plan's holds.
    pub rates: Option<Bandwidth>,
}

/// A time of day, every day. It may go through midnight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Minutes after local midnight, 0–1439.
    pub from: u16,
    pub until: u16,
    /// Whether what is used in it counts.
    pub counted: bool,
    pub bandwidth: Option<BandwidthId>,
    /// The rate in it, whatever has been used; `None`: as outside.
    pub rates: Option<Bandwidth>,
}

impl Window {
    fn holds(&self, minute: u16) -> bool {
        match self.from <= self.until {
            true => (self.from..self.until).contains(&minute),
            false => minute >= self.from || minute < self.until,
        }
    }

    fn minutes(&self) -> i64 {
        (i64::from(self.until) - i64::from(self.from)).rem_euclid(1440)
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    pub id: FupTemplateId,
    pub name: Box<str>,
    pub measure: Measure,
    pub reset: Reset,
    /// What a cycle's allowance has left is added to the next one's.
    pub carry_forward: bool,
    /// By `after_bytes`, each once.
    pub tiers: Vec<Tier>,
    pub windows: Vec<Window>,
    pub zone: TimeZone,
}

/// From when until when a cycle counts; without an end it goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cycle {
    pub starts_at: Instant,
    pub ends_at: Option<Instant>,
}

/// What a line has used in a cycle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Count {
    pub cycle: Cycle,
    pub up: u64,
    pub down: u64,
    /// Bytes that every threshold is higher by.
    pub carried: u64,
}

impl Count {
    pub fn new(cycle: Cycle) -> Count {
        Count { cycle, up: 0, down: 0, carried: 0 }
    }

    pub fn is_of(&self, at: Instant) -> bool {
        at >= self.cycle.starts_at && self.cycle.ends_at.is_none_or(|end| at < end)
    }
}

impl Policy {
    pub fn used(&self, count: &Count) -> u64 {
        self.measure.of(count.up, count.down)
    }

    /// The tiers that use leads to, not the one from 0 on.
    fn steps(&self) -> impl Iterator<Item = &Tier> {
        self.tiers.iter().filter(|tier| tier.after_bytes > 0)
    }

    /// How many thresholds have been crossed.
    pub fn level(&self, count: &Count) -> usize {
        let used = self.used(count);
        self.steps().take_while(|tier| used >= tier.after_bytes.saturating_add(count.carried)).count()
    }

    /// The threshold that leads to `level`, without what was carried.
    pub fn threshold(&self, level: usize) -> Option<u64> {
        self.steps().nth(level.checked_sub(1)?).map(|tier| tier.after_bytes)
    }

    /// The rate at a level; `None`: the line's own.
    pub fn rates(&self, level: usize) -> Option<Bandwidth> {
        let tier = match level {
            0 => self.tiers.iter().find(|tier| tier.after_bytes == 0),
            level => self.steps().nth(level - 1),
        };
        tier.and_then(|tier| tier.rates)
    }

    fn window(&self, at: Instant) -> Option<&Window> {
        if self.windows.is_empty() {
            return None;
        }
        let local = at.in_zone(&self.zone);
        let minute = local.hour() as u16 * 60 + local.minute() as u16;
        self.windows.iter().find(|window| window.holds(minute))
    }

    /// Whether bytes used at this time count.
    pub fn counts(&self, at: Instant) -> bool {
        self.window(at).is_none_or(|window| window.counted)
    }

    /// The rate now; `None`: the line's own. A count of an ended cycle is none.
    pub fn rates_at(&self, count: Option<&Count>, now: Instant) -> Option<Bandwidth> {
        if let Some(rates) = self.window(now).and_then(|window| window.rates) {
            return Some(rates);
        }
        self.rates(count.filter(|count| count.is_of(now)).map_or(0, |count| self.level(count)))
    }

    /// The fastest direction of any of its rates.
    pub fn fastest_kbps(&self) -> Option<u32> {
        let rates = self.tiers.iter().filter_map(|tier| tier.rates);
        let rates = rates.chain(self.windows.iter().filter_map(|window| window.rates));
        rates.map(|rates| rates.down_kbps.max(rates.up_kbps)).max()
    }

    /// The cycle of the calendar at `at`; `Period` and `Never` have none there.
    pub fn cycle(&self, at: Instant) -> Option<Cycle> {
        calendar_cycle(self.reset, at, &self.zone)
    }

    /// The next cycle's count: nothing used, and what is left of the allowance where that is carried forward. No more than
    /// one cycle's allowance is ever carried; a cycle without use in between leaves it whole.
    pub fn rolled(&self, before: Option<&Count>, cycle: Cycle) -> Count {
        let allowance = self.steps().next().filter(|_| self.carry_forward).map(|tier| tier.after_bytes);
        let carried = match (allowance, before) {
            (Some(allowance), Some(before)) if before.cycle.ends_at == Some(cycle.starts_at) => {
                let whole = allowance.saturating_add(before.carried);
                whole.saturating_sub(self.used(before)).min(allowance)
            }
            (Some(allowance), Some(before)) if before.cycle.ends_at.is_some() => allowance,
            _ => 0,
        };
        Count { carried, ..Count::new(cycle) }
    }

    /// When the hour next changes the rate.
    pub fn next_turn(&self, now: Instant) -> Option<Instant> {
        let today = now.day(&self.zone);
        let days = [Some(today), today.tomorrow().ok(), today.tomorrow().ok().and_then(|day| day.tomorrow().ok())];
        let turns = self.windows.iter().filter(|window| window.bandwidth.is_some());
        let turns = turns.flat_map(|window| [window.from, window.until]);
        let turns = turns.flat_map(|minute| days.into_iter().flatten().map(move |day| (day, minute)));
        turns.map(|(day, minute)| local(day, minute, &self.zone)).filter(|turn| *turn > now).min()
    }

    /// How much of a day's use counts, where it is spread evenly: millionths.
    fn counted_share(&self) -> u64 {
        let free: i64 = self.windows.iter().filter(|window| !window.counted).map(Window::minutes).sum();
        (1440 - free.clamp(0, 1440)) as u64 * 1_000_000 / 1440
    }
}

fn local(day: civil::Date, minute: u16, zone: &TimeZone) -> Instant {
    Instant::from_civil(day.at((minute / 60) as i8, (minute % 60) as i8, 0, 0), zone)
}

fn calendar_cycle(reset: Reset, at: Instant, zone: &TimeZone) -> Option<Cycle> {
    let today = at.day(zone);
    let (first, next) = match reset {
        Reset::Daily => (today, today.tomorrow().unwrap_or(civil::Date::MAX)),
        Reset::Weekly { day } => {
            let since = (i64::from(today.weekday().to_sunday_zero_offset()) - i64::from(day)).rem_euclid(7);
            let first = today.checked_sub(since.days()).unwrap_or(today);
            (first, first.checked_add(7.days()).unwrap_or(civil::Date::MAX))
        }
        Reset::Monthly { day } => {
            let here = on_day(today, 0, day);
            match here <= today {
                true => (here, on_day(today, 1, day)),
                false => (on_day(today, -1, day), here),
            }
        }
        Reset::Period | Reset::Never => return None,
    };
    Some(Cycle { starts_at: local(first, 0, zone), ends_at: Some(local(next, 0, zone)) })
}

/// That day of the month `months` after that of `date`, or the month's last day.
fn on_day(date: civil::Date, months: i64, day: u8) -> civil::Date {
    let first = Span::new().try_months(months).and_then(|span| date.first_of_month().checked_add(span));
    let first = first.unwrap_or(date.first_of_month());
    let day = (day.max(1) as i8).min(first.days_in_month());
    civil::Date::new(first.year(), first.month(), day).unwrap_or(first)
}

/// A line as a look ahead takes it.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    pub policy: Option<&'a Policy>,
    pub count: Option<Count>,
    /// The rate without a policy.
    pub rates: Option<Bandwidth>,
    pub quota_left_bytes: Option<u64>,
    pub expires_at: Option<Instant>,
}

/// What comes, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Coming {
    /// A threshold is crossed: another rate.
    Throttled {
        used: u64,
        threshold: u64,
        rates: Option<Bandwidth>,
    },
    /// The next cycle begins.
    Reset {
        rates: Option<Bandwidth>,
    },
    QuotaUsedUp,
    Expires,
}

/// What happens from `now` until `until` if so many bytes are used a day, evenly. A slow line carries no more than it can.
/// It ends with the quota or the period.
pub fn preview(
    line: &Line<'_>,
    now: Instant,
    until: Instant,
    up_a_day: u64,
    down_a_day: u64,
) -> Vec<(Instant, Coming)> {
    /// More can be nothing but a policy of ever smaller steps.
    const STEPS: usize = 1000;
    let mut coming = Vec::new();
    let Some(expires_at) = line.expires_at.filter(|at| *at > now) else { return coming };
    if line.quota_left_bytes == Some(0) {
        return coming;
    }
    let mut quota_left = line.quota_left_bytes;
    let mut at = now;
    let mut count = line.policy.map(|policy| {
        let cycle = || policy.cycle(now).unwrap_or(Cycle { starts_at: now, ends_at: None });
        line.count.filter(|count| count.is_of(now)).unwrap_or_else(|| policy.rolled(line.count.as_ref(), cycle()))
    });
    for _ in 0..STEPS {
        let level = line.policy.zip(count.as_ref()).map_or(0, |(policy, count)| policy.level(count));
        let rates = line.policy.and_then(|policy| policy.rates(level)).or(line.rates);
        let (mut up, mut down) = (up_a_day, down_a_day);
        if let Some(rates) = rates {
            // kbit/s are 125 bytes a second.
            let most = |kbps: u32| if kbps == 0 { u64::MAX } else { u64::from(kbps) * 125 * 86_400 };
            (up, down) = (up.min(most(rates.up_kbps)), down.min(most(rates.down_kbps)));
        }
        let share = line.policy.map_or(1_000_000, Policy::counted_share);
        let counted = |bytes: u64| (u128::from(bytes) * u128::from(share) / 1_000_000) as u64;
        let (counted_up, counted_down) = (counted(up), counted(down));
        let mut next = [Some((expires_at, Coming::Expires)), None, None, None];
        if let Some(left) = quota_left {
            next[1] = after(at, left, up.saturating_add(down)).map(|at| (at, Coming::QuotaUsedUp));
        }
        if let Some((policy, count)) = line.policy.zip(count.as_ref()) {
            if let Some(threshold) = policy.threshold(level + 1) {
                let (goal, used) = (threshold.saturating_add(count.carried), policy.used(count));
                let crossing = match policy.measure {
                    Measure::Total => after(at, goal.saturating_sub(used), counted_up.saturating_add(counted_down)),
                    Measure::Down => after(at, goal.saturating_sub(used), counted_down),
                    Measure::Either => {
                        let up = after(at, goal.saturating_sub(count.up), counted_up);
                        let down = after(at, goal.saturating_sub(count.down), counted_down);
                        up.into_iter().chain(down).min()
                    }
                };
                let rates = policy.rates(level + 1).or(line.rates);
                next[2] = crossing.map(|at| (at, Coming::Throttled { used: goal, threshold, rates }));
            }
            next[3] = count.cycle.ends_at.map(|end| (end, Coming::Reset { rates: policy.rates(0).or(line.rates) }));
        }
        let Some((then, what)) = next.into_iter().flatten().min_by_key(|(at, _)| *at) else { return coming };
        if then > until {
            return coming;
        }
        let passed = then.since(at).max(0) as u64;
        let used = |a_day: u64| (u128::from(a_day) * u128::from(passed)).div_ceil(DAY as u128) as u64;
        quota_left = quota_left.map(|left| left.saturating_sub(used(up.saturating_add(down))));
        if let Some(count) = &mut count {
            count.up = count.up.saturating_add(used(counted_up));
            count.down = count.down.saturating_add(used(counted_down));
        }
        match what {
            Coming::Expires | Coming::QuotaUsedUp => {
                coming.push((then, what));
                return coming;
            }
            Coming::Throttled { .. } => coming.push((then, what)),
            Coming::Reset { .. } => {
                let policy = line.policy.expect("only a policy has cycles");
                let cycle = policy.cycle(then).unwrap_or(Cycle { starts_at: then, ends_at: None });
                count = Some(policy.rolled(count.as_ref(), cycle));
                // A cycle that ends as fast as it began is no news.
                if level > 0 {
                    coming.push((then, what));
                }
            }
        }
        at = then;
    }
    coming
}

/// When `bytes` more have been used, rounded up; `None`: never.
fn after(at: Instant, bytes: u64, a_day: u64) -> Option<Instant> {
    const FAR: u128 = 400 * 366 * DAY as u128;
    if a_day == 0 {
        return None;
    }
    let micros = (u128::from(bytes) * DAY as u128).div_ceil(u128::from(a_day)).max(1);
    Some(at.plus(micros.min(FAR) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GB: u64 = 1_000_000_000;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn at(local: &str, zone: &TimeZone) -> Instant {
        Instant::from_civil(local.parse::<civil::DateTime>().unwrap(), zone)
    }

    fn tier(after_bytes: u64, mbps: u32) -> Tier {
        let rates = Some(Bandwidth::plain(mbps * 1000, mbps * 1000));
        Tier { after_bytes, bandwidth: BandwidthId(mbps.into()), rates }
    }

    /// 100 GB a month, then 2M; from 150 GB on 1M.
    fn policy() -> Policy {
        Policy {
            id: FupTemplateId(1),
            name: "fair".into(),
            measure: Measure::Total,
            reset: Reset::Monthly { day: 1 },
            carry_forward: false,
            tiers: vec![tier(100 * GB, 2), tier(150 * GB, 1)],
            windows: Vec::new(),
            zone: zone("Africa/Nairobi"),
        }
    }

    fn count(policy: &Policy, up: u64, down: u64) -> Count {
        let cycle = policy.cycle(at("2026-01-10T12:00", &policy.zone)).unwrap();
        Count { up, down, ..Count::new(cycle) }
    }

    #[test]
    fn levels() {
        use Measure::*;
        let rows = [
            // measure, up, down, carried → level
            (Total, 0, 0, 0, 0),
            (Total, 100_000_000, 99_800_000_000, 0, 0),
            (Total, 100_000_000, 99_900_000_000, 0, 1),
            (Total, 100_000_000, 100_000_000_000, 0, 1),
            (Total, 50 * GB, 100 * GB, 0, 2),
            (Total, u64::MAX, u64::MAX, 0, 2),
            (Total, 50 * GB, 69 * GB, 20 * GB, 0),
            (Total, 50 * GB, 70 * GB, 20 * GB, 1),
            (Down, 500 * GB, 99 * GB, 0, 0),
            (Down, 0, 100 * GB, 0, 1),
            (Either, 99 * GB, 99 * GB, 0, 0),
            (Either, 100 * GB, 0, 0, 1),
            (Either, 1, 150 * GB, 0, 2),
        ];
        for (measure, up, down, carried, level) in rows {
            let policy = Policy { measure, ..policy() };
            let count = Count { carried, ..count(&policy, up, down) };
            assert_eq!(policy.level(&count), level, "{measure:?} {up} {down} {carried}");
        }
    }

    #[test]
    fn the_rate_of_a_level_and_an_hour() {
        let night = |counted, mbps: Option<u32>| Window {
            from: 22 * 60,
            until: 6 * 60,
            counted,
            bandwidth: mbps.map(|mbps| BandwidthId(mbps.into())),
            rates: mbps.map(|mbps| Bandwidth::plain(mbps * 1000, mbps * 1000)),
        };
        let rows = [
            // tiers, window, used, local time → rate and whether bytes count
            (vec![tier(100 * GB, 2)], None, 99 * GB, "2026-01-10T12:00", "own, counts"),
            (vec![tier(100 * GB, 2)], None, 100 * GB, "2026-01-10T12:00", "2000, counts"),
            (vec![tier(100 * GB, 2)], None, 100 * GB, "2026-01-31T23:59:59", "2000, counts"),
            (vec![tier(100 * GB, 2)], None, 100 * GB, "2026-02-01T00:00", "own, counts"),
            (vec![tier(0, 20), tier(100 * GB, 2)], None, 0, "2026-01-10T12:00", "20000, counts"),
            (vec![tier(0, 20), tier(100 * GB, 2)], None, 100 * GB, "2026-01-10T12:00", "2000, counts"),
            (vec![tier(100 * GB, 2)], Some(night(false, None)), 100 * GB, "2026-01-10T23:00", "2000, free"),
            (vec![tier(100 * GB, 2)], Some(night(true, Some(50))), 100 * GB, "2026-01-10T22:00", "50000, counts"),
            (vec![tier(100 * GB, 2)], Some(night(true, Some(50))), 100 * GB, "2026-01-10T05:59:59", "50000, counts"),
            (vec![tier(100 * GB, 2)], Some(night(false, Some(50))), 100 * GB, "2026-01-10T06:00", "2000, counts"),
        ];
        for (tiers, window, used, now, expected) in rows {
            let policy = Policy { tiers, windows: window.into_iter().collect(), ..policy() };
            let now_at = at(now, &policy.zone);
            let rate = policy.rates_at(Some(&count(&policy, 0, used)), now_at);
            let rate = rate.map_or("own".to_string(), |rates| rates.down_kbps.to_string());
            let counts = if policy.counts(now_at) { "counts" } else { "free" };
            assert_eq!(format!("{rate}, {counts}"), expected, "{now}");
        }
    }

    #[test]
    fn cycles() {
        let rows = [
            // reset, zone, now → from, until
            (Reset::Daily, "Africa/Nairobi", "2026-01-10T00:00", "2026-01-10T00:00", "2026-01-11T00:00"),
            (Reset::Daily, "Africa/Nairobi", "2026-01-10T23:59:59", "2026-01-10T00:00", "2026-01-11T00:00"),
            (Reset::Weekly { day: 0 }, "Africa/Nairobi", "2026-01-10T12:00", "2026-01-04T00:00", "2026-01-11T00:00"),
            (Reset::Weekly { day: 6 }, "Africa/Nairobi", "2026-01-10T12:00", "2026-01-10T00:00", "2026-01-17T00:00"),
            (Reset::Weekly { day: 1 }, "Africa/Nairobi", "2026-01-04T12:00", "2025-12-29T00:00", "2026-01-05T00:00"),
            (Reset::Monthly { day: 1 }, "Africa/Nairobi", "2026-12-31T23:00", "2026-12-01T00:00", "2027-01-01T00:00"),
            (Reset::Monthly { day: 31 }, "Africa/Nairobi", "2026-02-27T23:00", "2026-01-31T00:00", "2026-02-28T00:00"),
            (Reset::Monthly { day: 31 }, "Africa/Nairobi", "2026-02-28T00:00", "2026-02-28T00:00", "2026-03-31T00:00"),
            (Reset::Monthly { day: 30 }, "Africa/Nairobi", "2028-02-29T01:00", "2028-02-29T00:00", "2028-03-30T00:00"),
            (Reset::Daily, "Europe/Berlin", "2026-03-29T12:00", "2026-03-29T00:00", "2026-03-30T00:00"),
            (Reset::Daily, "Africa/Cairo", "2026-04-24T12:00", "2026-04-24T01:00", "2026-04-25T00:00"),
        ];
        for (reset, name, now, from, until) in rows {
            let zone = zone(name);
            let cycle = calendar_cycle(reset, at(now, &zone), &zone).unwrap();
            assert_eq!(cycle, Cycle { starts_at: at(from, &zone), ends_at: Some(at(until, &zone)) }, "{reset:?} {now}");
        }
        let berlin = zone("Europe/Berlin");
        let spring = calendar_cycle(Reset::Daily, at("2026-03-29T12:00", &berlin), &berlin).unwrap();
        assert_eq!(spring.ends_at.unwrap().since(spring.starts_at), 23 * crate::kernel::clock::HOUR);
        for reset in [Reset::Period, Reset::Never] {
            assert_eq!(calendar_cycle(reset, at("2026-01-10T12:00", &berlin), &berlin), None);
        }
    }

    #[test]
    fn what_is_carried_forward() {
        let rows = [
            // used before, carried before → carried
            (40 * GB, 0, 60 * GB),
            (0, 0, 100 * GB),
            (100 * GB, 0, 0),
            (120 * GB, 0, 0),
            (120 * GB, 60 * GB, 40 * GB),
            (10 * GB, 60 * GB, 100 * GB),
        ];
        let policy = Policy { carry_forward: true, ..policy() };
        let next = policy.cycle(at("2026-02-10T12:00", &policy.zone)).unwrap();
        for (used, carried, expected) in rows {
            let before = Count { carried, ..count(&policy, 0, used) };
            assert_eq!(policy.rolled(Some(&before), next).carried, expected, "{used} {carried}");
        }
        let later = policy.cycle(at("2026-05-10T12:00", &policy.zone)).unwrap();
        assert_eq!(policy.rolled(Some(&count(&policy, 0, 120 * GB)), later).carried, 100 * GB, "a month without use");
        assert_eq!(policy.rolled(None, next).carried, 0, "the first cycle");
        let plain = Policy { carry_forward: false, ..policy };
        assert_eq!(plain.rolled(Some(&count(&plain, 0, 0)), next).carried, 0);
    }

    #[test]
    fn when_the_hour_changes_the_rate() {
        let window = Window { from: 1380, until: 360, counted: true, bandwidth: Some(BandwidthId(1)), rates: None };
        let policy = Policy { windows: vec![window], ..policy() };
        let rows = [
            ("2026-01-10T12:00", "2026-01-10T23:00"),
            ("2026-01-10T23:00", "2026-01-11T06:00"),
            ("2026-01-11T05:59", "2026-01-11T06:00"),
        ];
        for (now, turn) in rows {
            assert_eq!(policy.next_turn(at(now, &policy.zone)), Some(at(turn, &policy.zone)), "{now}");
        }
        let free = Window { bandwidth: None, counted: false, ..policy.windows[0] };
        assert_eq!(Policy { windows: vec![free], ..policy }.next_turn(Instant(0)), None, "no rate changes");
    }

    #[test]
    fn looking_ahead() {
        let policy = policy();
        let now = at("2026-01-10T00:00", &policy.zone);
        let until = now.plus(40 * DAY);
        let told = |line: &Line<'_>, up: u64, down: u64| {
            let lines = preview(line, now, until, up, down).into_iter().map(|(at, what)| {
                let at = at.in_zone(&policy.zone).strftime("%m-%d %H:%M").to_string();
                let kbps = |rates: Option<Bandwidth>| rates.map_or(0, |rates| rates.down_kbps);
                match what {
                    Coming::Throttled { rates, .. } => format!("{at} {}", kbps(rates)),
                    Coming::Reset { rates } => format!("{at} back to {}", kbps(rates)),
                    Coming::QuotaUsedUp => format!("{at} used up"),
                    Coming::Expires => format!("{at} expires"),
                }
            });
            lines.collect::<Vec<_>>().join(", ")
        };
        let line = Line {
            policy: Some(&policy),
            count: Some(count(&policy, 0, 90 * GB)),
            rates: Some(Bandwidth::plain(10_000, 10_000)),
            quota_left_bytes: None,
            expires_at: Some(until.plus(1)),
        };
        assert_eq!(told(&line, 0, 0), "");
        assert_eq!(told(&line, GB, 4 * GB), "01-12 00:00 2000, 01-22 00:00 1000, 02-01 00:00 back to 10000");
        // 1 Mbit/s carries no more than 10.8 GB a day
        assert_eq!(
            told(&line, 0, 20 * GB),
            "01-10 12:00 2000, 01-13 00:00 1000, 02-01 00:00 back to 10000, 02-06 00:00 2000, 02-08 12:00 1000"
        );
        let fresh = Line { count: None, ..line };
        assert_eq!(
            told(&fresh, 0, 10 * GB),
            "01-20 00:00 2000, 01-25 00:00 1000, 02-01 00:00 back to 10000, 02-11 00:00 2000, 02-16 00:00 1000"
        );
        let short = Line { expires_at: Some(now.plus(DAY)), ..line };
        assert_eq!(told(&short, 0, 20 * GB), "01-10 12:00 2000, 01-11 00:00 expires");
        let small = Line { quota_left_bytes: Some(20 * GB), ..line };
        assert_eq!(told(&small, 0, 20 * GB), "01-10 12:00 2000, 01-11 00:00 used up");
        assert_eq!(told(&Line { expires_at: Some(now), ..line }, 0, 20 * GB), "");
        assert_eq!(told(&Line { policy: None, count: None, ..small }, 0, 10 * GB), "01-12 00:00 used up");
    }
}
