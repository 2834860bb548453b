//! Values and pure rules of an internet provider: money, validity, plans, services, access, usage, the ledger.
//!
//! Nothing here does I/O, reads a clock or knows a wire format: data and `now` go in, a decision comes out, so every
//! rule can be a table of examples. The nouns are those of `docs/MODEL.md`.

pub mod access;
pub mod billing;
pub mod catalogue;
pub mod helpdesk;
pub mod kernel;
pub mod messages;
pub mod plant;
pub mod sales;
pub mod webhooks;

pub use access::service::{Connection, Kind, Status};
pub use catalogue::bandwidth::{Bandwidth, Burst};
pub use catalogue::plan::{ExpiryAction, Limit, OwnQuota, PlanTerms, Quota};
pub use catalogue::validity::{Unit, Validity};
pub use kernel::clock::Instant;
pub use kernel::ids::*;
pub use kernel::mac::Mac;
pub use kernel::money::{Currency, Money};
pub use kernel::scope::{Role, Scope, Scopes};
pub use sales::activation::Discount;
pub use sales::card::{CardState, Commission};
