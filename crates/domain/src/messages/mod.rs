//! How long a message is.

pub mod sms;
