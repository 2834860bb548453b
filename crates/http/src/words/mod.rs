//! What the core says in types, in English. A sentence is made here or on a page, never in the core.
//!
//! Each chapter is a catalogue: one function for each enum, every variant named. Another language is the same functions
//! again; a vendor's own wording is in its dialect's envelope.

mod errors;
mod facts;
mod why;

pub use errors::{by, expected, failure, in_use, outcome, refusal, what};
pub use facts::{Local, bytes, event, fact, length, rate, reason, webhook_disabled};
pub use why::{said, state, through};
