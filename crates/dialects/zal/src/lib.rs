//! Zal Ultra's "User - Subscribers": Bearer tokens `‹id›|‹secret›`, JSON under `/api/v1`, and the subscriber portal.
//!
//! The table below is the document's own, in its order; then what the vendor's other pages name: the office's lists,
//! signing in, the portal (docs/readings.md 3.1, 5.1).
//! `envelope` holds what all calls share: the caller, the two documented envelopes, failures. Each resource has a file,
//! where what the document leaves open is decided and said.

pub mod envelope;

mod activation;
mod attributes;
mod auth;
mod change;
mod dashboard;
mod invoices;
mod list;
mod modules;
mod network;
mod packages;
mod payments;
mod portal;
mod radius;
mod tickets;
mod users;

use axum::{Router, middleware::from_fn_with_state};
use doors::{Credential, Dialect, Gate, Log, shell};
use service::App;

doors::routes! { App;
    GET    "/api/v1/subscribers"                  => list::list;
    GET    "/api/v1/subscribers/details"          => list::details;
    POST   "/api/v1/subscribers/create"           => change::create;
    PUT    "/api/v1/subscribers/update"           => change::update;
    DELETE "/api/v1/subscribers/delete"           => change::delete;
    POST   "/api/v1/subscribers/activation"       => activation::activate;
    POST   "/api/v1/subscribers/mass-activation"  => activation::activate_many;
    POST   "/api/v1/subscribers/migration"        => activation::migrate;
    GET    "/api/v1/subscribers/attributes"       => attributes::list;
    POST   "/api/v1/subscribers/attributes"       => attributes::add;
    PUT    "/api/v1/subscribers/attributes"       => attributes::update;
    DELETE "/api/v1/subscribers/attributes"       => attributes::remove;
    GET    "/api/v1/dashboard/subscriber-stats"   => dashboard::subscribers;
    GET    "/api/v1/dashboard/accounting-stats"   => dashboard::accounting;
    GET    "/api/v1/invoices"                     => invoices::list;
    GET    "/api/v1/invoices/{id}"                => invoices::show;
    GET    "/api/v1/payments"                     => payments::list;
    GET    "/api/v1/payments/{id}/receipt"        => payments::receipt;
    GET    "/api/v1/packages"                     => packages::list;
    POST   "/api/v1/packages"                     => packages::create;
    GET    "/api/v1/packages/{id}"                => packages::show;
    PUT    "/api/v1/packages/{id}"                => packages::update;
    DELETE "/api/v1/packages/{id}"                => packages::delete;
    GET    "/api/v1/users"                        => users::list;
    POST   "/api/v1/users"                        => users::create;
    GET    "/api/v1/users/{id}"                   => users::show;
    PUT    "/api/v1/users/{id}"                   => users::update;
    GET    "/api/v1/radius/online-sessions"       => radius::online;
    GET    "/api/v1/radius/session-history"       => radius::history;
    GET    "/api/v1/radius/radcheck/{username}"   => radius::checks;
    GET    "/api/v1/radius/radreply/{username}"   => radius::replies;
    GET    "/api/v1/nas"                          => network::nas;
    GET    "/api/v1/ip-pools"                     => network::pools;
    GET    "/api/v1/olts"                         => network::olts;
    GET    "/api/v1/olts/{id}"                    => network::olt;
    GET    "/api/v1/tickets"                      => tickets::list;
    POST   "/api/v1/tickets"                      => tickets::create;
    GET    "/api/v1/tickets/{id}"                 => tickets::show;
    PUT    "/api/v1/tickets/{id}"                 => tickets::update;
    POST   "/api/v1/tickets/{id}/replies"         => tickets::reply;
    GET    "/api/health"                          => auth::health;
    POST   "/api/v1/auth/login"                   => auth::login;
    POST   "/api/v1/auth/logout"                  => auth::logout;
    POST   "/api/v1/auth/refresh"                 => auth::refresh;
    GET    "/api/v1/auth/user"                    => auth::me;
    GET    "/api/v1/auth/me"                      => auth::me;
    POST   "/api/v1/subscriber/login"             => portal::login;
    POST   "/api/v1/subscriber/auth/login"        => portal::login;
    POST   "/api/v1/subscriber/logout"            => portal::logout;
    POST   "/api/v1/subscriber/auth/logout"       => portal::logout;
    POST   "/api/v1/subscriber/refresh"           => portal::refresh;
    POST   "/api/v1/subscriber/auth/refresh"      => portal::refresh;
    GET    "/api/v1/subscriber/profile"           => portal::profile;
    GET    "/api/v1/subscriber/auth/profile"      => portal::profile;
    GET    "/api/v1/subscriber/package"           => portal::package;
    GET    "/api/v1/subscriber/invoices"          => portal::invoices;
    GET    "/api/v1/subscriber/payments"          => portal::payments;
    GET    "/api/v1/subscriber/usage"             => portal::usage;
    POST   "/api/v1/subscriber/change-password"   => portal::change_password;
}

/// The dialect's name in metrics and as its prefix.
pub const NAME: &str = "zal";

/// The whole dialect as a router; `gate` counts its callers' requests, `log` keeps them.
pub fn router(app: App, gate: Gate, log: Log) -> Router {
    let door = envelope::Door::new(app.clone(), gate);
    let check = from_fn_with_state(door, envelope::admit);
    shell::close(table().with_state(app.clone()), NAME, app.clock, log, envelope::speak, check)
}

/// The dialect as `doors::Dispatch` registers it.
pub fn dialect(app: App, gate: Gate, log: Log) -> Dialect {
    Dialect { name: NAME, credential: Credential::NumberedBearer, routes: ROUTES, router: router(app, gate, log) }
}
