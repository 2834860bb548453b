//! Amounts and times as the vendors write them.

use domain::{Currency, Instant, Money};
use jiff::tz::TimeZone;
use serde_json::Number;

/// An amount as a JSON number: `1500` when whole, else `1500.5`.
pub fn amount(money: Money, currency: &Currency) -> Number {
    decimal(money.0, currency.exponent)
}

/// A whole number of thousandths as a JSON number.
pub fn thousandths(value: i64) -> Number {
    decimal(value, 3)
}

fn decimal(value: i64, exponent: u32) -> Number {
    let scale = 10_i64.pow(exponent);
    if value % scale == 0 {
        return (value / scale).into();
    }
    // A decimal of up to 15 digits is its nearest double's shortest text again; longer amounts have no JSON number that
    // every reader keeps.
    Number::from_f64(value as f64 / scale as f64).unwrap_or_else(|| (value / scale).into())
}

/// `2024-01-01 10:00:00`.
pub fn local_datetime(at: Instant, zone: &TimeZone) -> String {
    at.in_zone(zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `2024-01-01`.
pub fn local_date(at: Instant, zone: &TimeZone) -> String {
    at.in_zone(zone).strftime("%Y-%m-%d").to_string()
}

/// `10:00:00`.
pub fn local_time(at: Instant, zone: &TimeZone) -> String {
    at.in_zone(zone).strftime("%H:%M:%S").to_string()
}

/// `2025-06-30T03:08:04.000000Z`.
pub fn utc_micros(at: Instant) -> String {
    at.timestamp().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// `2024-01-15T10:30:00Z`.
pub fn utc_seconds(at: Instant) -> String {
    at.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_no_needless_decimals() {
        let (kes, kwd) = (Currency::new("KES"), Currency::new("KWD"));
        let rows = [
            (150_000, &kes, "1500"),
            (150_050, &kes, "1500.5"),
            (150_001, &kes, "1500.01"),
            (-5, &kes, "-0.05"),
            (0, &kes, "0"),
            (1234, &kwd, "1.234"),
            (999_999_999_999_999, &kes, "9999999999999.99"),
        ];
        for (minor, currency, expected) in rows {
            assert_eq!(amount(Money(minor), currency).to_string(), expected);
        }
    }

    #[test]
    fn times_are_written_in_each_documented_form() {
        let nairobi = TimeZone::get("Africa/Nairobi").unwrap();
        let at = Instant(1_751_252_884_000_000);
        assert_eq!(utc_micros(at), "2025-06-30T03:08:04.000000Z");
        assert_eq!(utc_micros(at.plus(7)), "2025-06-30T03:08:04.000007Z");
        assert_eq!(utc_seconds(at), "2025-06-30T03:08:04Z");
        assert_eq!(local_datetime(at, &nairobi), "2025-06-30 06:08:04");
        assert_eq!((local_date(at, &nairobi), local_time(at, &nairobi)), ("2025-06-30".into(), "06:08:04".into()));
    }
}
