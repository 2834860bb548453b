//! Values and pure rules of an internet provider: money, validity, plans, services, access, usage, the ledger.
//!
//! Nothing here does I/O, reads a clock or knows a wire format: data and `now` go in, a decision comes out, so every
//! rule can be a table of examples. The nouns are those of `docs/MODEL.md`.

pub mod access;
pub mod activation;
pub mod bandwidth;
pub mod bill;
pub mod billing;
pub mod binding;
pub mod card;
pub mod clock;
pub mod compare;
pub mod complaint;
pub mod delivery;
pub mod event;
pub mod fup;
pub mod ids;
pub mod ledger;
pub mod mac;
pub mod migration;
pub mod money;
pub mod moving;
pub mod phone;
pub mod plan;
pub mod renewing;
pub mod scope;
pub mod service;
pub mod sms;
pub mod usage;
pub mod validity;

pub use activation::Discount;
pub use bandwidth::{Bandwidth, Burst};
pub use card::{CardState, Commission};
pub use clock::Instant;
pub use ids::*;
pub use mac::Mac;
pub use money::{Currency, Money};
pub use plan::{ExpiryAction, Limit, OwnQuota, PlanTerms, Quota};
pub use scope::{Role, Scope, Scopes};
pub use service::{Connection, Kind, Status};
pub use validity::{Unit, Validity};
