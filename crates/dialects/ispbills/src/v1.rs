//! Version 1: the table below is the document's own, in its order.

mod action;
mod auth;
mod billing;
mod customers;
mod sms;

use axum::Router;
use service::App;

doors::operations! { App;
    POST "/api/auth/login"    => auth::login,    auth::LOGIN;
    POST "/api/auth/refresh"  => auth::refresh,  auth::REFRESH;
    // Customers.
    GET  "/api/v1/customers"              => customers::list,         customers::LIST;
    POST "/api/v1/customers"              => customers::create,       customers::CREATE;
    GET  "/api/v1/customers/{id}"         => customers::show,         customers::SHOW;
    POST "/api/v1/customers/{id}/action"  => action::action,          action::ACTION;
    // Billing.
    GET  "/api/v1/invoices"               => billing::invoices,       billing::INVOICES;
    GET  "/api/v1/bills"                  => billing::bills,          billing::BILLS;
    GET  "/api/v1/subscriptions"          => billing::subscriptions,  billing::SUBSCRIPTIONS;
    GET  "/api/v1/payments"               => billing::payments,       billing::PAYMENTS;
    // SMS.
    GET  "/api/v1/sms/history"  => sms::history,   sms::HISTORY;
    GET  "/api/v1/sms/balance"  => sms::balance,   sms::BALANCE;
    POST "/api/v1/sms/send"     => sms::send,      sms::SEND;
}

/// The dialect's name in tokens, metrics and as its prefix.
pub const NAME: &str = service::tokens::V1;

pub fn router() -> Router<App> {
    table()
}
