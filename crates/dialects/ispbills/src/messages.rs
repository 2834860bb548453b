//! What both versions say of SMS.

use domain::{Instant, kernel::clock::DAY};
use doors::wire::utc_seconds;
use jiff::civil;
use serde::Serialize;
use service::messages::sms::{HistoryFilter, Row, STATES};
use utoipa::ToSchema;

use crate::envelope::Caller;

doors::form! {
    /// Which messages of the history.
    Wanted {
        phone: optional Phone, "To this number.";
        status: optional Word(STATES), "In this state.";
        from: optional AnyDate, "Written on this day or later.";
        to: optional AnyDate, "Written on this day or earlier.";
        batch_id: optional Text(1, 40), "Of this broadcast.";
    }
}

/// An SMS of the history.
#[derive(Serialize, ToSchema)]
#[schema(as = SmsMessage)]
pub struct Message {
    /// Null for what the system wrote by itself, as receipts.
    message_id: Option<String>,
    phone: String,
    message: String,
    /// queued, sent or failed.
    status: String,
    credits: i64,
    batch_id: Option<String>,
    customer_id: Option<i64>,
    error: Option<String>,
    created_at: String,
    sent_at: Option<String>,
}

impl From<Row> for Message {
    fn from(row: Row) -> Message {
        Message {
            message_id: row.handle,
            phone: row.recipient,
            message: row.body,
            status: row.status,
            credits: row.credits,
            batch_id: row.batch,
            customer_id: row.customer_id.map(|id| id.0),
            error: row.error,
            created_at: utc_seconds(row.created_at),
            sent_at: row.sent_at.map(utc_seconds),
        }
    }
}

pub fn filter(caller: &Caller, wanted: Wanted) -> HistoryFilter {
    let Wanted { phone, status, from, to, batch_id } = wanted;
    HistoryFilter {
        branch: None,
        recipient: phone.value(),
        status: status.value(),
        batch: batch_id.value(),
        from: from.value().map(|day| midnight(caller, day)),
        until: to.value().map(|day| after(caller, day)),
    }
}

/// When a day of the tenant's begins.
pub fn midnight(caller: &Caller, day: civil::Date) -> Instant {
    Instant::from_civil(day.at(0, 0, 0, 0), &caller.tenant.zone)
}

/// When the next one does.
pub fn after(caller: &Caller, day: civil::Date) -> Instant {
    day.tomorrow().map_or_else(|_| midnight(caller, day).plus(DAY), |next| midnight(caller, next))
}

/// What is left to send with.
#[derive(Serialize, ToSchema)]
#[schema(as = SmsBalance)]
pub struct Balance {
    /// Credits; a message takes one for each of its segments.
    pub balance: i64,
}
