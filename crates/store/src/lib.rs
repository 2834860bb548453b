//! Every query once, for SQLite and PostgreSQL: one file per table group, rows as structs, SQL beside its function.
//!
//! `db` is the only module that knows there are two engines. Nothing here decides anything: rules are in `domain`,
//! use cases in `service`.

pub mod api_request;
pub mod api_usage;
pub mod bill;
pub mod card;
pub mod collection;
pub mod complaint;
mod conditions;
pub mod counter;
pub mod customer;
pub mod dashboard;
pub mod db;
pub mod dossier;
pub mod event;
pub mod fup;
pub mod gazetteer;
pub mod grace;
pub mod hotspot;
pub mod idempotency;
pub mod invoice;
pub mod isp;
pub mod job;
pub mod ledger;
pub mod line;
pub mod line_plant;
pub mod location;
pub mod logs;
pub mod message;
pub mod migrate;
pub mod operator;
pub mod override_attribute;
pub mod overview;
pub mod place;
pub mod plan;
pub mod plan_move;
pub mod plant;
pub mod profile;
pub mod record;
pub mod reject;
pub mod roster;
pub mod router;
mod search;
pub mod service;
pub mod session;
pub mod sms;
pub mod staff;
pub mod subscriber;
pub mod terms;
pub mod testing;
pub mod token;
pub mod voucher;
pub mod vpn;
pub mod webhook;
pub mod why;
pub mod zone;
