//! Beneath every table: counters, idempotency keys, jobs, events, migrations, conditions of lists, records.

pub(crate) mod conditions;
pub mod counter;
pub mod event;
pub mod idempotency;
pub mod job;
pub mod migrate;
pub mod record;
pub mod sealed;
pub(crate) mod strict;
