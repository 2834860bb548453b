//! Every query once, for SQLite and PostgreSQL: a room per subject and a file per table group, rows as structs, SQL beside its function.
//!
//! `db` is the only module that knows there are two engines; `kernel` and `people` are what the other rooms stand on. Nothing here decides anything: rules are in `domain`,
//! use cases in `service`.

pub mod access;
pub mod billing;
pub mod catalogue;
pub mod customers;
pub mod db;
pub mod helpdesk;
pub mod identity;
pub mod kernel;
pub mod messages;
pub mod people;
pub mod plant;
pub mod reports;
pub mod resellers;
pub mod sales;
pub mod testing;
mod upgrade;
pub mod webhooks;
