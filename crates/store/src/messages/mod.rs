//! Messages to send, and SMS credits.

pub mod message;
pub mod sms;
