//! The bounds of what somebody names as money, or as a day or moment, whatever door it came through. Every writer asks here.

use domain::{
    Instant, Limit, Money,
    catalogue::plan::MOST_QUOTA,
    kernel::{dates, money::OutOfBounds},
};
use jiff::civil;

use crate::{Error, Why};

/// What is paid, owed, handed in: above zero.
///
/// # Errors
/// `Invalid` of `field`.
pub(crate) fn positive(field: &'static str, amount: Money) -> Result<Money, Error> {
    amount.as_paid().map_err(|out| refused(field, out))
}

/// What something costs, or is allowed to: zero or more.
///
/// # Errors
/// `Invalid` of `field`.
pub(crate) fn price(field: &'static str, amount: Money) -> Result<Money, Error> {
    amount.as_price().map_err(|out| refused(field, out))
}

/// What somebody has from the beginning: held for him, or owed by him.
///
/// # Errors
/// `Invalid` of `field`.
pub(crate) fn balance(field: &'static str, amount: Money) -> Result<Money, Error> {
    amount.as_balance().map_err(|out| refused(field, out))
}

/// The quotas of a line or a package, where there are any.
///
/// # Errors
/// `Invalid` of the field whose quota is too large; `fields` are those of time and of data.
pub(crate) fn quotas(fields: (&'static str, &'static str), limit: Limit) -> Result<(), Error> {
    for (field, quota) in [(fields.0, limit.time_s), (fields.1, limit.data_bytes)] {
        match quota {
            Some(quota) if quota < 0 => return Err(Error::invalid(field, Why::TooSmall { min: 0 })),
            Some(quota) if quota > MOST_QUOTA => return Err(Error::invalid(field, Why::TooMuch)),
            Some(_) | None => {}
        }
    }
    Ok(())
}

/// A rate in kbit/s: up to 4 Tbit/s, more than any router's attribute says.
///
/// # Errors
/// `Invalid` of `field`.
pub(crate) fn rate(field: &'static str, kbps: i64) -> Result<i64, Error> {
    match kbps {
        ..1 => Err(Error::invalid(field, Why::TooSmall { min: 1 })),
        1..=MOST_KBPS => Ok(kbps),
        _ => Err(Error::invalid(field, Why::TooLarge { max: MOST_KBPS })),
    }
}

const MOST_KBPS: i64 = 4_000_000_000;

/// A day of the calendar.
///
/// # Errors
/// `Invalid` of `field`.
pub(crate) fn day(field: &'static str, day: civil::Date) -> Result<civil::Date, Error> {
    dates::within(day).map_err(|out| Error::invalid(field, Why::from(out)))
}

/// A moment of the calendar, where one is named.
///
/// # Errors
/// `Invalid` of `field`.
pub(crate) fn moment(field: &'static str, at: Option<Instant>) -> Result<(), Error> {
    match at.is_none_or(Instant::is_kept) {
        true => Ok(()),
        false => Err(Error::invalid(field, Why::OutsideCalendar)),
    }
}

fn refused(field: &'static str, out: OutOfBounds) -> Error {
    Error::invalid(field, Why::from(out))
}
