//! The bounds of what somebody names as money, whatever door it came through. Every writer asks here.

use domain::{Money, kernel::money::OutOfBounds};

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

fn refused(field: &'static str, out: OutOfBounds) -> Error {
    Error::invalid(field, Why::from(out))
}
