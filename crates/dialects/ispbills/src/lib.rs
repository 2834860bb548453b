//! ISPBills' "API Management": version 1 under `/api/v1` with a login's Bearer token, version 2 under `/api/v2` with a
//! client's. Version 2 is also home: what the core can do and no vendor documented is reached there, in its conventions.
//!
//! Both versions are tables of [`doors::Operation`]s: a row is a route, the right it needs and its description, from
//! which the page at `/docs/api` is made. `envelope` holds what all calls share: the caller, answers, pages, failures.

pub mod docs;
pub mod envelope;
pub mod examples;
mod messages;
pub mod page;
pub mod v1;
pub mod v2;

use axum::{Router, middleware::from_fn_with_state};
use doors::{Credential, Dialect, Gate, Log, Operation, Route, shell};
use envelope::Door;
use service::App;

/// Version 1 as `doors::Dispatch` registers it; `gate` counts its clients' requests, `log` keeps them.
pub fn v1(app: App, gate: Gate, log: Log) -> Dialect {
    version(v1::NAME, v1::ROUTES, v1::OPERATIONS, v1::router(), app, gate, log)
}

pub fn v2(app: App, gate: Gate, log: Log) -> Dialect {
    version(v2::NAME, v2::ROUTES, v2::OPERATIONS, v2::router(), app, gate, log)
}

fn version(
    name: &'static str,
    routes: &'static [Route],
    operations: &'static [Operation],
    table: Router<App>,
    app: App,
    gate: Gate,
    log: Log,
) -> Dialect {
    let door = Door::new(app.clone(), gate, name, routes, operations);
    let check = |table: Router| table.layer(from_fn_with_state(door, envelope::admit));
    let router = shell::close(table.with_state(app.clone()), name, app.clock, log, envelope::speak, check);
    Dialect { name, credential: Credential::Bearer, routes, router }
}
