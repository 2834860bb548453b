//! The bounds of what somebody names as money, or as a day or moment, whatever door it came through. Every writer asks here.

use domain::{
    Instant, Money,
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
