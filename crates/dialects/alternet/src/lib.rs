//! Alternet's "API Integration": `X-API-Key`, JSON under `/api/v1`.
//!
//! The table below is the document's own, in its order. `envelope` holds what all calls share: the caller, answers,
//! pages, failures. Each resource has a file, where what the document leaves open is decided and said.

pub mod envelope;

mod bandwidths;
mod customers;
mod hotspot_logs;
mod plans;
mod pools;
mod routers;
mod transactions;
mod vouchers;

use axum::{Router, middleware::from_fn_with_state};
use doors::{Credential, Dialect, Gate, Log, shell};
use service::App;

doors::routes! {
    GET    "/api/v1/customers"                => customers::list;
    POST   "/api/v1/customers"                => customers::create;
    GET    "/api/v1/customers/{id}"           => customers::show;
    PUT    "/api/v1/customers/{id}"           => customers::update;
    DELETE "/api/v1/customers/{id}"           => customers::delete;
    POST   "/api/v1/customers/{id}/recharge"  => customers::recharge;
    POST   "/api/v1/customers/bulk/recharge"  => customers::bulk_recharge;
    POST   "/api/v1/customers/{id}/suspend"   => customers::suspend;
    POST   "/api/v1/customers/{id}/activate"  => customers::activate;
    GET    "/api/v1/plans"                    => plans::list;
    GET    "/api/v1/routers"                  => routers::list;
    GET    "/api/v1/bandwidths"               => bandwidths::list;
    GET    "/api/v1/pools"                    => pools::list;
    GET    "/api/v1/transactions"             => transactions::list;
    POST   "/api/v1/bandwidths"               => bandwidths::create;
    PUT    "/api/v1/bandwidths/{id}"          => bandwidths::update;
    DELETE "/api/v1/bandwidths/{id}"          => bandwidths::delete;
    GET    "/api/v1/vouchers"                 => vouchers::list;
    POST   "/api/v1/vouchers"                 => vouchers::create;
    DELETE "/api/v1/vouchers/{id}"            => vouchers::delete;
    DELETE "/api/v1/vouchers/bulk/delete"     => vouchers::bulk_delete;
    POST   "/api/v1/plans"                    => plans::create;
    PUT    "/api/v1/plans/{id}"               => plans::update;
    DELETE "/api/v1/plans/{id}"               => plans::delete;
    POST   "/api/v1/plans/{id}/duplicate"     => plans::duplicate;
    POST   "/api/v1/plans/{id}/sync"          => plans::sync;
    GET    "/api/v1/hotspot-access-logs"      => hotspot_logs::list;
}

/// The dialect's name in credentials, metrics and as its prefix.
pub const NAME: &str = "alternet";

/// The whole dialect as a router; `gate` counts its clients' requests, `log` keeps them.
pub fn router(app: App, gate: Gate, log: Log) -> Router {
    let door = envelope::Door { app: app.clone(), gate };
    let check = |table: Router| table.layer(from_fn_with_state(door, envelope::admit));
    shell::close(table().with_state(app.clone()), NAME, app.clock, log, envelope::speak, check)
}

/// The dialect as `doors::Dispatch` registers it.
pub fn dialect(app: App, gate: Gate, log: Log) -> Dialect {
    Dialect { name: NAME, credential: Credential::ApiKey, routes: ROUTES, router: router(app, gate, log) }
}
