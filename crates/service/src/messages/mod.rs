//! What is told to people: the queue, templates, SMS.

pub mod queue;
pub mod sms;
pub mod templates;
pub mod words;
