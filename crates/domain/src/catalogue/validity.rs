//! How long a sold period lasts (worked examples: docs/RULES.md, "Expiry on recharge").
//!
//! Minutes and hours are exact durations; days are civil days (the same local time); months are calendar months that
//! remember the day they started on; `Period` is a fixed day of the month at 23:59:59 local time, at least seven days
//! away. A recharge of the same running plan extends from the old expiry; anything else starts now.

use jiff::{Span, ToSpan, civil, tz::TimeZone};

use crate::kernel::clock::{HOUR, Instant, MINUTE, SECOND};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Unit {
    Mins,
    Hrs,
    Days,
    Months,
    /// A fixed day of the month (1–31; the last day where the month is shorter).
    Period {
        day: u8,
    },
}

/// How many of which unit one purchase buys. `count` is 1 or more.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Validity {
    pub count: u32,
    pub unit: Unit,
}

/// The period that runs when the next one is sold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Running {
    pub expires_at: Instant,
    /// Day of the month that calendar months keep (31 Jan → 28 Feb → 31 Mar).
    pub anchor_day: Option<u8>,
    /// The next purchase is of the same plan.
    pub same_plan: bool,
}

/// The period that results.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Term {
    pub starts_at: Instant,
    pub expires_at: Instant,
    pub anchor_day: Option<u8>,
    /// It continues the running period rather than replacing it.
    pub extends: bool,
}

impl Term {
    /// With another end, whose day calendar months keep from then on.
    pub fn until(self, end: Instant, zone: &TimeZone) -> Term {
        Term { expires_at: end, anchor_day: self.anchor_day.map(|_| end.day(zone).day() as u8), ..self }
    }
}

pub fn next_term(now: Instant, running: Option<Running>, validity: Validity, zone: &TimeZone) -> Term {
    let extended = running.filter(|r| r.same_plan && r.expires_at > now);
    let starts_at = extended.map_or(now, |r| r.expires_at);
    Term { extends: extended.is_some(), ..term_from(starts_at, extended.and_then(|r| r.anchor_day), validity, zone) }
}

/// The period that begins then. `anchor`: the day of the month it keeps, where it continues another one; it extends
/// nothing by itself.
pub fn term_from(starts_at: Instant, anchor: Option<u8>, validity: Validity, zone: &TimeZone) -> Term {
    let start = starts_at.in_zone(zone).datetime();
    let count = validity.count as i64;
    let mut anchor_day = None;
    let expires_at = match validity.unit {
        Unit::Mins => starts_at.plus(count.saturating_mul(MINUTE)),
        Unit::Hrs => starts_at.plus(count.saturating_mul(HOUR)),
        Unit::Days => {
            let end = Span::new().try_days(count).and_then(|days| start.checked_add(days));
            Instant::from_civil(end.unwrap_or(civil::DateTime::MAX), zone)
        }
        Unit::Months => {
            let anchor = anchor.unwrap_or(start.day() as u8);
            anchor_day = Some(anchor);
            Instant::from_civil(
                civil::DateTime::from_parts(month_later(start.date(), count, anchor), start.time()),
                zone,
            )
        }
        Unit::Period { day } => {
            anchor_day = Some(day);
            let earliest = start.checked_add(7.days()).unwrap_or(start);
            let months = first_month(|months| end_of(month_later(start.date(), months, day)) >= earliest);
            Instant::from_civil(end_of(month_later(start.date(), months + count - 1, day)), zone)
        }
    };
    Term { starts_at, expires_at, anchor_day, extends: false }
}

/// Seconds that one purchase lasts which ends at `ends`: a month is the one that ends there.
pub fn length_before(ends: Instant, anchor_day: Option<u8>, validity: Validity, zone: &TimeZone) -> i64 {
    let end = ends.in_zone(zone).datetime();
    let count = validity.count as i64;
    let months_before = |anchor| {
        let day = month_later(end.date(), -count, anchor);
        Instant::from_civil(civil::DateTime::from_parts(day, end.time()), zone)
    };
    let begins = match validity.unit {
        Unit::Mins => ends.plus(-count.saturating_mul(MINUTE)),
        Unit::Hrs => ends.plus(-count.saturating_mul(HOUR)),
        Unit::Days => {
            let begin = Span::new().try_days(count).and_then(|days| end.checked_sub(days));
            Instant::from_civil(begin.unwrap_or(civil::DateTime::MIN), zone)
        }
        Unit::Months => months_before(anchor_day.unwrap_or(end.day() as u8)),
        Unit::Period { day } => months_before(day),
    };
    (ends.since(begins) / SECOND).max(1)
}

/// Day `anchor` of the month `months` after that of `date`, or that month's last day.
pub(crate) fn month_later(date: civil::Date, months: i64, anchor: u8) -> civil::Date {
    let span = Span::new().try_months(months);
    let first = span.and_then(|span| date.first_of_month().checked_add(span));
    let first = first.unwrap_or(civil::Date::MAX.first_of_month());
    let day = (anchor.max(1) as i8).min(first.days_in_month());
    civil::Date::new(first.year(), first.month(), day).unwrap_or(first)
}

/// The first of the months from this one on in which it is so. A week away lies at most two months on; where the calendar
/// ends, and no later day is later, it is the last that is looked at.
pub(crate) fn first_month(is_so: impl Fn(i64) -> bool) -> i64 {
    (0..2).find(|months| is_so(*months)).unwrap_or(2)
}

pub(crate) fn end_of(day: civil::Date) -> civil::DateTime {
    day.at(23, 59, 59, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(local: &str, zone: &TimeZone) -> Instant {
        Instant::from_civil(local.parse::<civil::DateTime>().unwrap(), zone)
    }

    fn unit(text: &str) -> Unit {
        match text {
            "Mins" => Unit::Mins,
            "Hrs" => Unit::Hrs,
            "Days" => Unit::Days,
            "Months" => Unit::Months,
            day => Unit::Period { day: day.parse().unwrap() },
        }
    }

    #[test]
    fn how_long_a_purchase_lasts_that_ends_here() {
        let zone = TimeZone::get("Africa/Nairobi").unwrap();
        // ends (local), anchor, validity → begins (local)
        let rows = [
            ("2026-02-09T14:20:05", None, (30, "Days"), "2026-01-10T14:20:05"),
            ("2026-02-28T08:00:00", Some(31), (1, "Months"), "2026-01-31T08:00:00"),
            ("2026-03-31T08:00:00", Some(31), (1, "Months"), "2026-02-28T08:00:00"),
            ("2028-03-31T08:00:00", Some(31), (1, "Months"), "2028-02-29T08:00:00"),
            ("2026-03-15T08:00:00", None, (1, "Months"), "2026-02-15T08:00:00"),
            ("2026-06-30T10:00:00", Some(30), (3, "Months"), "2026-03-30T10:00:00"),
            ("2026-02-28T23:59:59", None, (1, "31"), "2026-01-31T23:59:59"),
            ("2026-01-11T00:59:30", None, (1, "Hrs"), "2026-01-10T23:59:30"),
            ("2026-01-11T00:00:30", None, (90, "Mins"), "2026-01-10T22:30:30"),
        ];
        for (ends, anchor, (count, text), begins) in rows {
            let validity = Validity { count, unit: unit(text) };
            let seconds = length_before(at(ends, &zone), anchor, validity, &zone);
            assert_eq!(at(ends, &zone).plus(-seconds * SECOND), at(begins, &zone), "{ends} {count} {text}");
        }
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let day = Validity { count: 1, unit: Unit::Days };
        assert_eq!(length_before(at("2026-03-29T12:00:00", &berlin), None, day, &berlin), 23 * 3600);
        let longest = Validity { count: u32::MAX, unit: Unit::Days };
        assert!(length_before(at("2026-03-29T12:00:00", &berlin), None, longest, &berlin) > 0);
    }

    #[test]
    fn where_the_calendar_ends_a_period_ends_too() {
        let zone = TimeZone::get("Africa/Nairobi").unwrap();
        let units =
            [Unit::Mins, Unit::Hrs, Unit::Days, Unit::Months, Unit::Period { day: 20 }, Unit::Period { day: 31 }];
        for start in ["9999-12-01T00:00:00", "9999-12-24T00:00:00", "9999-12-30T12:00:00", "2999-12-31T23:59:59"] {
            for unit in units {
                for count in [1, 12, u32::MAX] {
                    let starts_at = at(start, &zone);
                    let term = term_from(starts_at, None, Validity { count, unit }, &zone);
                    assert!(term.expires_at >= starts_at.plus(-31 * 24 * HOUR), "{start} {count} {unit:?}: {term:?}");
                }
            }
        }
    }

    proptest::proptest! {
        /// The month of a fixed day is the first whose end is a week away, found among three.
        #[test]
        fn a_fixed_day_is_the_first_that_is_a_week_away(second in 0_i64..4_102_444_800, day in 1_u8..=31, count in 1_u32..40) {
            let zone = TimeZone::get("Europe/Berlin").unwrap();
            let starts_at = Instant::from_unix(second);
            let term = term_from(starts_at, None, Validity { count, unit: Unit::Period { day } }, &zone);
            let start = starts_at.in_zone(&zone).datetime();
            let mut slow = start.date();
            while end_of(slow) < start.checked_add(7.days()).unwrap()
                || slow.day() != (day as i8).min(slow.days_in_month())
            {
                slow = slow.tomorrow().unwrap();
            }
            let end = month_later(slow, i64::from(count) - 1, day);
            proptest::prop_assert_eq!(term.expires_at, Instant::from_civil(end_of(end), &zone));
        }
    }

    proptest::proptest! {
        /// Whatever is sold, from whenever: the months are looked through at most twice, and what comes of it lies behind
        /// its start and within the calendar that is computed with. What lies beyond the one that is kept is not sold.
        #[test]
        fn a_period_ends_behind_its_start_and_within_the_calendar(
            second in 0_i64..4_134_067_200, count in 1_u32.., unit in 0_usize..5, day in 1_u8..=31,
            anchor in proptest::option::of(1_u8..=31), zone in 0_usize..3,
        ) {
            let zone = TimeZone::get(["Africa/Nairobi", "Europe/Berlin", "Pacific/Kiritimati"][zone]).unwrap();
            let unit = [Unit::Mins, Unit::Hrs, Unit::Days, Unit::Months, Unit::Period { day }][unit];
            let starts_at = Instant::from_unix(second);
            let latest = Instant::from_civil(civil::DateTime::MAX, &zone);
            let steps = std::cell::Cell::new(0);
            first_month(|_| {
                steps.set(steps.get() + 1);
                false
            });
            proptest::prop_assert!(steps.get() <= 2);
            for count in [count, 1 + count % 40, 1 + count % 2000] {
                let validity = Validity { count, unit };
                let term = term_from(starts_at, anchor, validity, &zone);
                proptest::prop_assert!(term.expires_at > starts_at, "{:?} of {:?}: {:?}", validity, starts_at, term);
                proptest::prop_assert!(
                    term.expires_at <= latest.max(starts_at.plus(i64::from(count).saturating_mul(HOUR))),
                    "{:?} of {:?}: {:?}", validity, starts_at, term
                );
                proptest::prop_assert!(length_before(starts_at, anchor, validity, &zone) >= 1);
            }
        }
    }

    /// now (local), running (expiry, same plan?, anchor), validity → expiry (local)
    type Row = (&'static str, Option<(&'static str, bool, u8)>, (u32, &'static str), &'static str);

    fn check(zone: &str, rows: &[Row]) {
        let zone = TimeZone::get(zone).unwrap();
        for (now, running, (count, text), expected) in rows {
            let running = running.map(|(expires, same_plan, anchor)| Running {
                expires_at: at(expires, &zone),
                anchor_day: (anchor > 0).then_some(anchor),
                same_plan,
            });
            let validity = Validity { count: *count, unit: unit(text) };
            let term = next_term(at(now, &zone), running, validity, &zone);
            let got = term.expires_at.in_zone(&zone).datetime().to_string();
            assert_eq!(got, *expected, "{now} {running:?} {count} {text}");
        }
    }

    #[test]
    fn expiry_on_recharge_in_nairobi() {
        check(
            "Africa/Nairobi",
            &[
                ("2026-01-10T14:20:05", None, (30, "Days"), "2026-02-09T14:20:05"),
                ("2026-01-10T14:20:05", Some(("2026-01-12T09:00:00", true, 0)), (30, "Days"), "2026-02-11T09:00:00"),
                ("2026-01-10T14:20:05", Some(("2026-01-09T00:00:00", true, 0)), (30, "Days"), "2026-02-09T14:20:05"),
                ("2026-01-10T14:20:05", Some(("2026-01-31T00:00:00", false, 0)), (7, "Days"), "2026-01-17T14:20:05"),
                ("2026-01-31T08:00:00", None, (1, "Months"), "2026-02-28T08:00:00"),
                ("2026-02-20T08:00:00", Some(("2026-02-28T08:00:00", true, 31)), (1, "Months"), "2026-03-31T08:00:00"),
                ("2028-01-31T08:00:00", None, (1, "Months"), "2028-02-29T08:00:00"),
                ("2026-03-30T10:00:00", None, (3, "Months"), "2026-06-30T10:00:00"),
                ("2026-01-10T23:59:30", None, (1, "Hrs"), "2026-01-11T00:59:30"),
                ("2026-01-10T23:59:30", None, (1, "Mins"), "2026-01-11T00:00:30"),
                // an expiry in this very second is no longer running
                ("2026-01-10T14:20:05", Some(("2026-01-10T14:20:05", true, 0)), (1, "Days"), "2026-01-11T14:20:05"),
                // an expired month starts anew with its own anchor
                ("2026-03-05T08:00:00", Some(("2026-02-28T08:00:00", true, 31)), (1, "Months"), "2026-04-05T08:00:00"),
                // the anchor of an expiry set by hand is that expiry's day (none kept)
                ("2026-02-01T08:00:00", Some(("2026-02-15T10:00:00", true, 0)), (1, "Months"), "2026-03-15T10:00:00"),
                ("2026-12-31T08:00:00", None, (2, "Months"), "2027-02-28T08:00:00"),
            ],
        );
    }

    #[test]
    fn a_fixed_day_of_the_month_is_at_least_seven_days_away() {
        check(
            "Africa/Nairobi",
            &[
                ("2026-01-10T12:00:00", None, (1, "20"), "2026-01-20T23:59:59"),
                ("2026-01-13T12:00:00", None, (1, "20"), "2026-01-20T23:59:59"),
                ("2026-01-14T00:00:00", None, (1, "20"), "2026-02-20T23:59:59"),
                ("2026-01-15T12:00:00", None, (1, "20"), "2026-02-20T23:59:59"),
                ("2026-01-25T12:00:00", None, (1, "20"), "2026-02-20T23:59:59"),
                ("2026-02-01T12:00:00", None, (1, "31"), "2026-02-28T23:59:59"),
                ("2026-02-01T12:00:00", Some(("2026-02-28T23:59:59", true, 31)), (1, "31"), "2026-03-31T23:59:59"),
                ("2026-01-10T12:00:00", None, (2, "20"), "2026-02-20T23:59:59"),
                ("2026-01-25T12:00:00", None, (2, "20"), "2026-03-20T23:59:59"),
            ],
        );
    }

    #[test]
    fn clock_changes_never_cost_or_give_a_day() {
        check(
            "Europe/Berlin",
            &[
                ("2026-03-28T12:00:00", None, (1, "Days"), "2026-03-29T12:00:00"),
                ("2026-03-28T12:00:00", None, (24, "Hrs"), "2026-03-29T13:00:00"),
                // 02:30 does not exist on the 29th: past the gap
                ("2026-03-28T02:30:00", None, (1, "Days"), "2026-03-29T03:30:00"),
                ("2026-10-24T12:00:00", None, (1, "Days"), "2026-10-25T12:00:00"),
                ("2026-10-24T12:00:00", None, (24, "Hrs"), "2026-10-25T11:00:00"),
            ],
        );
    }

    #[test]
    fn huge_validities_end_at_the_calendars_end_instead_of_failing() {
        let zone = TimeZone::UTC;
        for unit in [Unit::Mins, Unit::Hrs, Unit::Days, Unit::Months, Unit::Period { day: 20 }] {
            let term = next_term(Instant::from_unix(1_800_000_000), None, Validity { count: u32::MAX, unit }, &zone);
            assert!(term.expires_at > term.starts_at, "{unit:?}");
        }
    }
}
