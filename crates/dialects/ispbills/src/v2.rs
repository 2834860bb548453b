//! Version 2, by subject; each subject's table says what its calls need and which of them are home: what the core can do
//! and no vendor documented, in the same conventions.

pub(crate) mod billing;
pub(crate) mod catalogue;
pub(crate) mod customers;
pub(crate) mod helpdesk;
pub(crate) mod identity;
pub(crate) mod messages;
pub(crate) mod network;
pub(crate) mod reports;
pub(crate) mod resellers;
pub(crate) mod sales;

use axum::Router;
use doors::{Operation, Route, fields, operation::Table};
use service::{App, Error};

use crate::envelope::Failure;

const SUBJECTS: &[Table] = &[
    identity::TABLE,
    customers::TABLE,
    billing::TABLE,
    sales::TABLE,
    catalogue::TABLE,
    network::TABLE,
    messages::TABLE,
    helpdesk::TABLE,
    resellers::TABLE,
    reports::TABLE,
];
const CALLS: usize = Table::calls(SUBJECTS);

/// Every call, by subject.
pub static ROUTES: &[Route] = &Table::routes::<CALLS>(SUBJECTS);
/// How each of `ROUTES` is described and what it needs.
pub static OPERATIONS: &[Operation] = &Table::operations::<CALLS>(SUBJECTS);

/// The dialect's name in tokens, metrics and as its prefix.
pub const NAME: &str = service::identity::tokens::V2;

pub fn router() -> Router<App> {
    Table::router(SUBJECTS)
}

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

pub(crate) fn refused(error: Error) -> Failure {
    fields::named(error, NAMES).into()
}
