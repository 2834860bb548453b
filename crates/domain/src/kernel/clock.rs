//! Time: UTC instants inside, an Isp's zone at the edges.

use jiff::{Timestamp, Zoned, civil, tz::TimeZone};

/// Microseconds since 1970-01-01T00:00:00Z, as the database keeps them (`bigint`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(pub i64);

pub const SECOND: i64 = 1_000_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

/// 9999-12-30T22:00:00Z: nothing is dated later.
const LATEST: i64 = 253_402_207_200 * SECOND;

impl Instant {
    pub const EPOCH: Instant = Instant(0);

    pub fn from_timestamp(at: Timestamp) -> Instant {
        Instant(at.as_microsecond())
    }

    /// Seconds since the epoch, rounded down.
    pub fn from_unix(seconds: i64) -> Instant {
        Instant(seconds.saturating_mul(SECOND))
    }

    pub fn unix(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_microsecond(self.0.clamp(-LATEST, LATEST)).expect("clamped to the calendar's range")
    }

    pub fn in_zone(self, zone: &TimeZone) -> Zoned {
        self.timestamp().to_zoned(zone.clone())
    }

    /// The civil day this instant falls on in `zone`.
    pub fn day(self, zone: &TimeZone) -> civil::Date {
        self.in_zone(zone).date()
    }

    /// That day's number: days since 1970-01-01.
    pub fn day_number(self, zone: &TimeZone) -> i64 {
        civil::date(1970, 1, 1).until(self.day(zone)).map_or(0, |span| span.get_days().into())
    }

    /// The instant of a local date and time; a time skipped by a clock change moves past the gap.
    pub fn from_civil(local: civil::DateTime, zone: &TimeZone) -> Instant {
        match local.to_zoned(zone.clone()) {
            Ok(zoned) => Instant::from_timestamp(zoned.timestamp()),
            Err(_) => Instant(LATEST),
        }
    }

    pub fn plus(self, micros: i64) -> Instant {
        Instant(self.0.saturating_add(micros))
    }

    pub fn plus_seconds(self, seconds: i64) -> Instant {
        self.plus(seconds.saturating_mul(SECOND))
    }

    /// Microseconds from `earlier` to this; negative when `earlier` is later.
    pub fn since(self, earlier: Instant) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    pub fn seconds_since(self, earlier: Instant) -> i64 {
        self.since(earlier).div_euclid(SECOND)
    }

    /// Whole seconds only: what a vendor's second-resolution field can carry.
    pub fn floor_second(self) -> Instant {
        Instant(self.0 - self.0.rem_euclid(SECOND))
    }
}

impl std::fmt::Debug for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.timestamp())
    }
}

impl std::fmt::Display for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.timestamp())
    }
}
