//! Version 1: the table below is the document's own, in its order.

mod auth;
mod sms;

use axum::Router;
use service::App;

doors::operations! { App;
    POST "/api/auth/login"    => auth::login,    auth::LOGIN;
    POST "/api/auth/refresh"  => auth::refresh,  auth::REFRESH;
    // SMS
    GET  "/api/v1/sms/history"  => sms::history,   sms::HISTORY;
    GET  "/api/v1/sms/balance"  => sms::balance,   sms::BALANCE;
    POST "/api/v1/sms/send"     => sms::send,      sms::SEND;
}

/// The dialect's name in tokens, metrics and as its prefix.
pub const NAME: &str = service::tokens::V1;

pub fn router() -> Router<App> {
    table()
}
