//! Days and months as a tenant's calendar has them.

use jiff::{civil, tz::TimeZone};

use super::clock::{DAY, Instant};

/// A calendar month in a tenant's zone: year × 12 + month − 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Month(pub i64);

impl Month {
    pub fn of(at: Instant, zone: &TimeZone) -> Month {
        let day = at.day(zone);
        Month(i64::from(day.year()) * 12 + i64::from(day.month()) - 1)
    }

    /// When the next one begins.
    pub fn end(self, zone: &TimeZone) -> Instant {
        let next = self.0 + 1;
        let first = civil::Date::new(next.div_euclid(12) as i16, next.rem_euclid(12) as i8 + 1, 1);
        Instant::from_civil(first.unwrap_or(civil::Date::MAX).at(0, 0, 0, 0), zone)
    }
}

/// Where today and this month begin in the tenant's zone, and where today ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Today {
    pub began: Instant,
    pub ends: Instant,
    pub month_began: Instant,
    /// Counted from 1970-01-01.
    pub day: i64,
}

impl Today {
    pub fn of(now: Instant, zone: &TimeZone) -> Today {
        let date = now.day(zone);
        let midnight = |date: civil::Date| Instant::from_civil(date.at(0, 0, 0, 0), zone);
        let began = midnight(date);
        Today {
            began,
            ends: date.tomorrow().map_or(began.plus(DAY), midnight),
            month_began: midnight(date.first_of_month()),
            day: i64::from(civil::date(1970, 1, 1).until(date).map_or(0, |span| span.get_days())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_at_local_midnight() {
        let rows = [
            ("Africa/Nairobi", "2030-01-31T20:59:59Z", "2030-01-31T21:00:00Z"),
            ("Africa/Nairobi", "2030-01-31T21:00:00Z", "2030-02-28T21:00:00Z"),
            ("UTC", "2030-12-31T23:59:59Z", "2031-01-01T00:00:00Z"),
        ];
        for (zone, now, end) in rows {
            let zone = TimeZone::get(zone).unwrap();
            let at = Instant::from_timestamp(now.parse().unwrap());
            assert_eq!(Month::of(at, &zone).end(&zone), Instant::from_timestamp(end.parse().unwrap()), "{now}");
        }
    }

    #[test]
    fn a_day_is_the_tenants() {
        let zone = TimeZone::get("Africa/Nairobi").unwrap();
        // 2026-03-01 01:30 in Nairobi is the 28th of February in UTC.
        let now = Instant::from_unix(1_772_317_800);
        let today = Today::of(now, &zone);
        assert_eq!(format!("{}", today.began), "2026-02-28T21:00:00Z");
        assert_eq!(format!("{}", today.ends), "2026-03-01T21:00:00Z");
        assert_eq!(format!("{}", today.month_began), "2026-02-28T21:00:00Z");
        assert_eq!(today.day, 20_513);
    }
}
