//! Version 2, and home: the vendor's document first, in its order, then what Lastmile adds in the same conventions.

mod account;
mod auth;
pub(crate) mod bills;
mod complaints;
pub(crate) mod customers;
mod packages;
pub(crate) mod payments;
mod sms;
pub(crate) mod subscriptions;
mod webhooks;

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
    // SMS.
    GET    "/api/v2/sms/balance"              => sms::balance,       sms::BALANCE;
    POST   "/api/v2/sms/send"                 => sms::send,          sms::SEND;
    POST   "/api/v2/sms/broadcast"            => sms::broadcast,     sms::BROADCAST;
    // Webhooks.
    GET    "/api/v2/webhooks"                 => webhooks::list,     webhooks::LIST;
    POST   "/api/v2/webhooks"                 => webhooks::create,   webhooks::CREATE;
    PUT    "/api/v2/webhooks/{id}"            => webhooks::update,   webhooks::UPDATE;
    DELETE "/api/v2/webhooks/{id}"            => webhooks::delete,   webhooks::DELETE;
    // Home: SMS.
    POST   "/api/v2/sms/broadcast/customers"  => sms::broadcast_to,  sms::BROADCAST_TO;
    GET    "/api/v2/sms/history"              => sms::history,       sms::HISTORY;
    POST   "/api/v2/sms/credits"              => sms::top_up,        sms::TOP_UP;
    // Home: webhooks.
    GET    "/api/v2/webhooks/events"          => webhooks::events,      webhooks::EVENTS;
    GET    "/api/v2/webhooks/{id}"            => webhooks::show,        webhooks::SHOW;
    POST   "/api/v2/webhooks/{id}/rotate"     => webhooks::rotate,      webhooks::ROTATE;
    POST   "/api/v2/webhooks/{id}/test"       => webhooks::test,        webhooks::TEST;
    GET    "/api/v2/webhooks/{id}/deliveries" => webhooks::deliveries,  webhooks::DELIVERIES;
    POST   "/api/v2/webhooks/{id}/deliveries/{delivery}/replay" => webhooks::replay, webhooks::REPLAY;
    // Home: complaints.
    GET    "/api/v2/complaints"               => complaints::list,      complaints::LIST;
    POST   "/api/v2/complaints"               => complaints::create,    complaints::CREATE;
    GET    "/api/v2/complaints/{id}"          => complaints::show,      complaints::SHOW;
    PUT    "/api/v2/complaints/{id}"          => complaints::update,    complaints::UPDATE;
    POST   "/api/v2/complaints/{id}/close"    => complaints::close,     complaints::CLOSE;
    GET    "/api/v2/complaints/{id}/comments" => complaints::comments,  complaints::COMMENTS;
    POST   "/api/v2/complaints/{id}/comments" => complaints::comment,   complaints::COMMENT;
}

/// The dialect's name in tokens, metrics and as its prefix.
pub const NAME: &str = service::tokens::V2;

pub fn router() -> Router<App> {
    table()
}
