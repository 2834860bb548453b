//! What the core can do and no vendor documented, in version 2's conventions.

pub mod bandwidths;
pub mod clients;
pub mod departments;
pub mod events;
pub mod jobs;
pub mod ledger;
pub mod places;
pub mod plans;
pub mod pools;
pub mod recharge;
pub mod requests;
pub mod routers;
pub mod salespeople;
pub mod sessions;
pub mod vouchers;
pub mod zones;

use doors::fields;
use service::Error;

use crate::envelope::Failure;

/// The core's field names in this version's words.
const NAMES: &[(&str, &str)] = &[
    ("bandwidth", "bandwidth_id"),
    ("pool", "pool_id"),
    ("router", "router_id"),
    ("plan", "plan_id"),
    ("customer", "customer_id"),
    ("branch", "branch_id"),
    ("parent", "parent_id"),
    ("expired_pool", "expired_pool_id"),
    ("expired_bandwidth", "expired_bandwidth_id"),
    ("fallback_plan", "fallback_plan_id"),
];

fn refused(error: Error) -> Failure {
    fields::named(error, NAMES).into()
}
