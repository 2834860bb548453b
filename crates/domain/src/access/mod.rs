//! Who may connect, and with what: the decision, usage, bindings, comparisons, states of a line.

pub mod binding;
pub mod compare;
pub mod decide;
pub mod senders;
pub mod service;
pub mod usage;
