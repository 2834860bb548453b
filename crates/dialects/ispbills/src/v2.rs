//! Version 2, and home: the vendor's document first, in its order, then what Lastmile adds in the same conventions.

mod account;
mod auth;
pub(crate) mod bills;
pub(crate) mod customers;
mod packages;
pub(crate) mod payments;
pub(crate) mod subscriptions;

use axum::Router;
use service::App;

doors::operations! { App;
    POST "/api/v2/auth/token"   => auth::token,      auth::TOKEN;
    POST "/api/v2/auth/revoke"  => auth::revoke,     auth::REVOKE;
    // Customers.
    GET    "/api/v2/customers"             => customers::list,    customers::LIST;
    POST   "/api/v2/customers"             => customers::create,  customers::CREATE;
    GET    "/api/v2/customers/{id}"        => customers::show,    customers::SHOW;
    PUT    "/api/v2/customers/{id}"        => customers::update,  customers::UPDATE;
    DELETE "/api/v2/customers/{id}"        => customers::delete,  customers::DELETE;
    GET "/api/v2/customers/{id}/bills"          => account::bills,          account::BILLS;
    GET "/api/v2/customers/{id}/payments"       => account::payments,       account::PAYMENTS;
    GET "/api/v2/customers/{id}/subscriptions"  => account::subscriptions,  account::SUBSCRIPTIONS;
    GET "/api/v2/customers/{id}/usage"          => account::usage,          account::USAGE;
    // Billing.
    GET    "/api/v2/billing/bills"         => bills::list,        bills::LIST;
    POST   "/api/v2/billing/bills"         => bills::create,      bills::CREATE;
    GET    "/api/v2/billing/bills/{id}"    => bills::show,        bills::SHOW;
    PUT    "/api/v2/billing/bills/{id}"    => bills::update,      bills::UPDATE;
    DELETE "/api/v2/billing/bills/{id}"    => bills::delete,      bills::DELETE;
    GET    "/api/v2/billing/payments"      => payments::list,     payments::LIST;
    POST   "/api/v2/billing/payments"      => payments::create,   payments::CREATE;
    GET    "/api/v2/billing/payments/{id}" => payments::show,     payments::SHOW;
    GET "/api/v2/billing/subscriptions" => subscriptions::list, subscriptions::LIST;
    // Packages.
    GET  "/api/v2/packages"     => packages::list,   packages::LIST;
}

/// The dialect's name in tokens, metrics and as its prefix.
pub const NAME: &str = service::tokens::V2;

pub fn router() -> Router<App> {
    table()
}
