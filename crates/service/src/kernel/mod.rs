//! What every use case stands on: the application, who acts, one change with its events and jobs, the clock, ids, secrets, limits.

pub mod actor;
pub(crate) mod amounts;
pub mod app;
pub mod attempts;
pub mod call;
pub mod change;
pub mod clock;
pub mod error;
pub mod events;
pub mod expected;
pub mod facts;
pub mod feed;
pub mod hashing;
pub mod heard;
pub mod hold;
pub mod ids;
pub mod jobs;
pub mod limits;
pub mod nouns;
pub mod origin;
pub mod probe;
pub mod refusals;
pub mod schedule;
pub mod secrets;
pub mod vault;
pub mod work;
