//! Zal Ultra's "User - Subscribers": Bearer tokens `‹id›|‹secret›`, JSON under `/api/v1`, and the subscriber portal.
//!
//! The table below is the document's own, in its order, each row with what it needs; then what the vendor's other pages name: the office's lists,
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
use domain::Scope::{
    BillingRead, BillingWrite, ComplaintsRead, ComplaintsWrite, CustomersRead, CustomersWrite, DashboardRead,
    NetworkRead, PlansRead, PlansWrite, StaffRead, StaffWrite,
};
use doors::{Credential, Dialect, Gate, Log, shell};
use envelope::Need::{self, Nothing, OwnToken, Right, SignIn, Staff, Subscriber};
use service::{
    App,
    customers::portal::{STAFF, SUBSCRIBER},
};

doors::routes! { NEEDS: Need;
    GET    "/api/v1/subscribers"                  => list::list,               Right(CustomersRead, "view subscribers");
    GET    "/api/v1/subscribers/details"          => list::details,            Right(CustomersRead, "view subscribers");
    POST   "/api/v1/subscribers/create"           => change::create,           Right(CustomersWrite, "create subscribers");
    PUT    "/api/v1/subscribers/update"           => change::update,           Right(CustomersWrite, "update subscribers");
    DELETE "/api/v1/subscribers/delete"           => change::delete,           Right(CustomersWrite, "delete subscribers");
    POST   "/api/v1/subscribers/activation"       => activation::activate,     Right(BillingWrite, "activate subscribers");
    POST   "/api/v1/subscribers/mass-activation"  => activation::activate_many,Right(BillingWrite, "activate subscribers");
    POST   "/api/v1/subscribers/migration"        => activation::migrate,      Right(CustomersWrite, "update subscribers");
    GET    "/api/v1/subscribers/attributes"       => attributes::list,         Right(CustomersRead, "view subscribers");
    POST   "/api/v1/subscribers/attributes"       => attributes::add,          Right(CustomersWrite, "update subscribers");
    PUT    "/api/v1/subscribers/attributes"       => attributes::update,       Right(CustomersWrite, "update subscribers");
    DELETE "/api/v1/subscribers/attributes"       => attributes::remove,       Right(CustomersWrite, "update subscribers");
    GET    "/api/v1/dashboard/subscriber-stats"   => dashboard::subscribers,   Right(DashboardRead, "view the dashboard");
    GET    "/api/v1/dashboard/accounting-stats"   => dashboard::accounting,    Right(BillingRead, "view accounting");
    GET    "/api/v1/invoices"                     => invoices::list,           Right(BillingRead, "view invoices");
    GET    "/api/v1/invoices/{id}"                => invoices::show,           Right(BillingRead, "view invoices");
    GET    "/api/v1/payments"                     => payments::list,           Right(BillingRead, "view payments");
    GET    "/api/v1/payments/{id}/receipt"        => payments::receipt,        Right(BillingRead, "view payments");
    GET    "/api/v1/packages"                     => packages::list,           Right(PlansRead, "view packages");
    POST   "/api/v1/packages"                     => packages::create,         Right(PlansWrite, "create packages");
    GET    "/api/v1/packages/{id}"                => packages::show,           Right(PlansRead, "view packages");
    PUT    "/api/v1/packages/{id}"                => packages::update,         Right(PlansWrite, "update packages");
    DELETE "/api/v1/packages/{id}"                => packages::delete,         Right(PlansWrite, "delete packages");
    GET    "/api/v1/users"                        => users::list,              Right(StaffRead, "view users");
    POST   "/api/v1/users"                        => users::create,            Right(StaffWrite, "create users");
    GET    "/api/v1/users/{id}"                   => users::show,              Right(StaffRead, "view users");
    PUT    "/api/v1/users/{id}"                   => users::update,            Right(StaffWrite, "update users");
    GET    "/api/v1/radius/online-sessions"       => radius::online,           Right(NetworkRead, "view sessions");
    GET    "/api/v1/radius/session-history"       => radius::history,          Right(NetworkRead, "view sessions");
    GET    "/api/v1/radius/radcheck/{username}"   => radius::checks,           Right(CustomersRead, "view attributes");
    GET    "/api/v1/radius/radreply/{username}"   => radius::replies,          Right(CustomersRead, "view attributes");
    GET    "/api/v1/nas"                          => network::nas,             Right(NetworkRead, "view NAS");
    GET    "/api/v1/ip-pools"                     => network::pools,           Right(NetworkRead, "view IP pools");
    GET    "/api/v1/olts"                         => network::olts,            Right(NetworkRead, "view OLTs");
    GET    "/api/v1/olts/{id}"                    => network::olt,             Right(NetworkRead, "view OLTs");
    GET    "/api/v1/tickets"                      => tickets::list,            Right(ComplaintsRead, "view tickets");
    POST   "/api/v1/tickets"                      => tickets::create,          Right(ComplaintsWrite, "create tickets");
    GET    "/api/v1/tickets/{id}"                 => tickets::show,            Right(ComplaintsRead, "view tickets");
    PUT    "/api/v1/tickets/{id}"                 => tickets::update,          Right(ComplaintsWrite, "update tickets");
    POST   "/api/v1/tickets/{id}/replies"         => tickets::reply,           Right(ComplaintsWrite, "update tickets");
    GET    "/api/health"                          => auth::health,             Nothing;
    POST   "/api/v1/auth/login"                   => auth::login,              SignIn;
    POST   "/api/v1/auth/logout"                  => auth::logout,             Staff;
    POST   "/api/v1/auth/refresh"                 => auth::refresh,            OwnToken(STAFF);
    GET    "/api/v1/auth/user"                    => auth::me,                 Staff;
    GET    "/api/v1/auth/me"                      => auth::me,                 Staff;
    POST   "/api/v1/subscriber/login"             => portal::login,            SignIn;
    POST   "/api/v1/subscriber/auth/login"        => portal::login,            SignIn;
    POST   "/api/v1/subscriber/logout"            => portal::logout,           Subscriber;
    POST   "/api/v1/subscriber/auth/logout"       => portal::logout,           Subscriber;
    POST   "/api/v1/subscriber/refresh"           => portal::refresh,          OwnToken(SUBSCRIBER);
    POST   "/api/v1/subscriber/auth/refresh"      => portal::refresh,          OwnToken(SUBSCRIBER);
    GET    "/api/v1/subscriber/profile"           => portal::profile,          Subscriber;
    GET    "/api/v1/subscriber/auth/profile"      => portal::profile,          Subscriber;
    GET    "/api/v1/subscriber/package"           => portal::package,          Subscriber;
    GET    "/api/v1/subscriber/invoices"          => portal::invoices,         Subscriber;
    GET    "/api/v1/subscriber/payments"          => portal::payments,         Subscriber;
    GET    "/api/v1/subscriber/usage"             => portal::usage,            Subscriber;
    POST   "/api/v1/subscriber/change-password"   => portal::change_password,  Subscriber;
}

/// The dialect's name in metrics and as its prefix.
pub const NAME: &str = "zal";

/// The whole dialect as a router; `gate` counts its callers' requests, `log` keeps them.
pub fn router(app: App, gate: Gate, log: Log) -> Router {
    let door = envelope::Door::new(app.clone(), gate);
    let check = |table: Router| table.layer(from_fn_with_state(door, envelope::admit));
    shell::close(table().with_state(app.clone()), NAME, app.clock, log, envelope::speak, check)
}

/// The dialect as `doors::Dispatch` registers it.
pub fn dialect(app: App, gate: Gate, log: Log) -> Dialect {
    Dialect { name: NAME, credential: Credential::NumberedBearer, routes: ROUTES, router: router(app, gate, log) }
}
