//! What can be the matter, in the domain's words. Each door translates once, in one exhaustive `match`.

use domain::{
    Money,
    kernel::{
        dates::NotADate,
        money::{NotMoney, OutOfBounds},
    },
};
use store::db::Key;

use super::{
    expected::Expected,
    nouns::{By, What},
    refusals::Refusal,
};

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// The request's own words are wrong; every wrong field is named.
    Invalid(Vec<FieldError>),
    NotFound {
        what: What,
    },
    /// No credential, or none that is known.
    Unauthenticated,
    /// Known, and not allowed this.
    Forbidden,
    /// Refused because other things still refer to it.
    InUse {
        what: What,
        by: By,
    },
    /// Not possible in the present state.
    Refused(Refusal),
    Insufficient {
        needed: Money,
    },
    /// The caller's idempotency key was used for another request.
    KeyReused,
    /// Another call has the caller's idempotency key: it is under way, or its answer was lost.
    KeyTaken,
    /// The row is no longer the one that the caller read.
    Changed,
    /// Tried too often; in so many seconds it is looked at again.
    TooOften {
        wait_s: i64,
    },
    /// Too much at once; trying again later helps.
    Busy,
    /// The database is away; trying again later helps.
    Unavailable,
    /// A fault of ours; the details are for the log alone.
    Internal(String),
}

/// A field in the core's name for it, and what is wrong with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldError {
    pub field: &'static str,
    pub why: Why,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Why {
    Required,
    TooShort {
        min: usize,
    },
    TooLong {
        max: usize,
    },
    TooSmall {
        min: i64,
    },
    TooLarge {
        max: i64,
    },
    /// An amount must be more than nothing.
    NotPositive,
    /// More than an amount may be.
    TooMuch,
    NotANumber,
    NotAnInteger,
    NotText,
    NotBoolean,
    NotAList,
    NotADate,
    /// A day or moment that the calendar does not have (`domain::kernel::dates`).
    OutsideCalendar,
    TooManyDecimals,
    DigitsOnly,
    NotOneOf(&'static [&'static str]),
    /// No such row.
    Unknown,
    /// Somebody else has it.
    Taken,
    /// Not what is expected.
    Not(Expected),
}

impl Error {
    /// As it is stored where it is what became of an order that nobody waits for.
    pub fn word(&self) -> &'static str {
        match self {
            Error::Invalid(_) => "invalid",
            Error::NotFound { .. } => "not_found",
            Error::Unauthenticated => "unauthenticated",
            Error::Forbidden => "forbidden",
            Error::InUse { .. } => "in_use",
            Error::Refused(refusal) => refusal.word(),
            Error::Insufficient { .. } => "insufficient",
            Error::KeyReused => "key_reused",
            Error::KeyTaken => "key_taken",
            Error::Changed => "changed",
            Error::TooOften { .. } => "too_often",
            Error::Busy => "busy",
            Error::Unavailable => "unavailable",
            Error::Internal(_) => "internal",
        }
    }

    pub fn invalid(field: &'static str, why: Why) -> Error {
        Error::Invalid(vec![FieldError { field, why }])
    }
}

impl From<NotMoney> for Why {
    fn from(error: NotMoney) -> Why {
        match error {
            NotMoney::NotANumber => Why::NotANumber,
            NotMoney::TooManyDecimals => Why::TooManyDecimals,
            NotMoney::TooLarge => Why::TooMuch,
        }
    }
}

impl From<NotADate> for Why {
    fn from(error: NotADate) -> Why {
        match error {
            NotADate::Unread => Why::NotADate,
            NotADate::Outside => Why::OutsideCalendar,
        }
    }
}

impl From<OutOfBounds> for Why {
    fn from(out: OutOfBounds) -> Why {
        match out {
            OutOfBounds::NotPositive => Why::NotPositive,
            OutOfBounds::Negative => Why::TooSmall { min: 0 },
            OutOfBounds::TooMuch => Why::TooMuch,
        }
    }
}

/// The field whose value somebody else has, where a caller gives it: two came at the same moment. `None`: a key that no
/// caller gives, so that its violation is a fault of ours.
fn field(key: Key) -> Option<&'static str> {
    match key {
        Key::CustomerUsername | Key::ServiceUsername | Key::VpnAccountUsername => Some("username"),
        Key::BandwidthName
        | Key::DeviceName
        | Key::FupTemplateName
        | Key::OltName
        | Key::PlanName
        | Key::PoolName
        | Key::RouterName
        | Key::StatusCheckName => Some("name"),
        Key::StaffEmail => Some("email"),
        Key::FixedAddress => Some("ip"),
        Key::OnuMac => Some("mac"),
        Key::OnuSerial => Some("serial"),
        Key::OnuLine => Some("onu_number"),
        Key::PaymentReference => Some("transaction_id"),
        Key::ZoneAccount => Some("account"),
        Key::ApiClientPublicId
        | Key::ApiClientKey
        | Key::CreditNoteInvoice
        | Key::DeliveryOnce
        | Key::DeviceExternal
        | Key::DeviceProblemExternal
        | Key::InvoiceNumber
        | Key::JobUnique
        | Key::MessageHandle
        | Key::OperatorBranch
        | Key::PeriodOrdinal
        | Key::RechargeCardCode
        | Key::ServiceOrdinal
        | Key::SessionKey
        | Key::TokenHash
        | Key::VoucherCode
        | Key::VpnAccountHost => None,
    }
}

impl From<store::db::Error> for Error {
    fn from(error: store::db::Error) -> Error {
        use store::db::Error as Db;
        match error {
            Db::Taken(key) => match field(key) {
                Some(field) => Error::invalid(field, Why::Taken),
                None => Error::Internal(error.to_string()),
            },
            Db::Beyond => Error::Refused(Refusal::Beyond),
            Db::Busy(_) => Error::Busy,
            Db::Unavailable(_) | Db::TimedOut => Error::Unavailable,
            other @ (Db::Unique { .. } | Db::ForeignKey | Db::Check { .. } | Db::Column { .. } | Db::Other(_)) => {
                Error::Internal(other.to_string())
            }
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Error {}
