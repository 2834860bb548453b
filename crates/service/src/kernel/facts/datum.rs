//! The values of which facts are made, in their stored form. What an older build did not say yet is `Null`.

use domain::{
    ApiClientId, BandwidthId, BranchId, CustomerId, FupTemplateId, Instant, InvoiceId, JobId, Money, PaymentId,
    PeriodId, PlanId, PoolId, Role, RouterId, ServiceId, SessionId, StaffId, Status,
    catalogue::fup::Measure,
    helpdesk::complaint::{Priority, State},
};
use serde_json::Value as Json;

/// A value of a fact.
pub trait Datum: Sized {
    fn stored(&self) -> Json;
    /// `Null` stands also for what is missing.
    fn read(stored: &Json) -> Option<Self>;
}

macro_rules! numbers {
    ($($type:ident),* $(,)?) => { $(
        impl Datum for $type {
            fn stored(&self) -> Json {
                self.0.into()
            }

            fn read(stored: &Json) -> Option<Self> {
                stored.as_i64().map($type)
            }
        }
    )* };
}

numbers!(
    BandwidthId,
    BranchId,
    CustomerId,
    FupTemplateId,
    Instant,
    InvoiceId,
    JobId,
    Money,
    PaymentId,
    PeriodId,
    PlanId,
    PoolId,
    RouterId,
    ServiceId,
    SessionId,
    StaffId,
);

/// What an event's subject is named by.
pub(super) trait Key: Sized {
    fn number(&self) -> i64;
    fn of(number: i64) -> Self;
}

macro_rules! keys {
    ($($type:ident),* $(,)?) => { $(
        impl Key for $type {
            fn number(&self) -> i64 {
                self.0
            }

            fn of(number: i64) -> Self {
                $type(number)
            }
        }
    )* };
}

keys!(
    BandwidthId,
    BranchId,
    CustomerId,
    FupTemplateId,
    PlanId,
    PoolId,
    RouterId,
    ServiceId,
    SessionId,
    StaffId,
    ApiClientId,
);

impl Key for i64 {
    fn number(&self) -> i64 {
        *self
    }

    fn of(number: i64) -> Self {
        number
    }
}

macro_rules! words {
    ($($type:ident),* $(,)?) => { $(
        impl Datum for $type {
            fn stored(&self) -> Json {
                self.word().into()
            }

            fn read(stored: &Json) -> Option<Self> {
                stored.as_str().and_then($type::from_word)
            }
        }
    )* };
}

words!(Before, Measure, Priority, Role, State, Status);

impl Datum for i64 {
    fn stored(&self) -> Json {
        (*self).into()
    }

    fn read(stored: &Json) -> Option<Self> {
        stored.as_i64()
    }
}

impl Datum for u64 {
    fn stored(&self) -> Json {
        (*self).into()
    }

    fn read(stored: &Json) -> Option<Self> {
        stored.as_u64()
    }
}

impl Datum for u32 {
    fn stored(&self) -> Json {
        (*self).into()
    }

    fn read(stored: &Json) -> Option<Self> {
        stored.as_u64()?.try_into().ok()
    }
}

impl Datum for bool {
    fn stored(&self) -> Json {
        (*self).into()
    }

    fn read(stored: &Json) -> Option<Self> {
        stored.as_bool()
    }
}

impl Datum for String {
    fn stored(&self) -> Json {
        self.as_str().into()
    }

    fn read(stored: &Json) -> Option<Self> {
        stored.as_str().map(String::from)
    }
}

impl<T: Datum> Datum for Option<T> {
    fn stored(&self) -> Json {
        self.as_ref().map_or(Json::Null, T::stored)
    }

    fn read(stored: &Json) -> Option<Self> {
        match stored {
            Json::Null => Some(None),
            stored => T::read(stored).map(Some),
        }
    }
}

impl<T: Datum> Datum for Vec<T> {
    fn stored(&self) -> Json {
        self.iter().map(T::stored).collect()
    }

    fn read(stored: &Json) -> Option<Self> {
        match stored {
            Json::Null => Some(Vec::new()),
            stored => stored.as_array()?.iter().map(T::read).collect(),
        }
    }
}

/// How a line stood before something was sold to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Before {
    /// It was made with this sale.
    New,
    /// It was made without a sale, which told its package; this is its first.
    Made,
    /// Its time was over.
    Expired,
    /// Its quota was.
    UsedUp,
    Stood(Status),
}

impl Before {
    pub fn word(self) -> &'static str {
        match self {
            Before::New => "new",
            Before::Made => "made",
            Before::Expired => "expired",
            Before::UsedUp => "used_up",
            Before::Stood(status) => status.word(),
        }
    }

    pub fn from_word(word: &str) -> Option<Before> {
        match word {
            "new" => Some(Before::New),
            "made" => Some(Before::Made),
            "expired" => Some(Before::Expired),
            "used_up" => Some(Before::UsedUp),
            word => Status::from_word(word).map(Before::Stood),
        }
    }
}
