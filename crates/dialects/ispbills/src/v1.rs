//! Version 1: the table below is the document's own, in its order.

mod auth;
mod operators;
mod recharge_cards;

use axum::Router;
use service::App;

doors::operations! { App;
    POST "/api/auth/login"    => auth::login,    auth::LOGIN;
    POST "/api/auth/refresh"  => auth::refresh,  auth::REFRESH;
    // Operators
    GET  "/api/v1/operators"               => operators::list,     operators::LIST;
    POST "/api/v1/operators"               => operators::create,   operators::CREATE;
    PUT  "/api/v1/operators/{id}"          => operators::update,   operators::UPDATE;
    POST "/api/v1/operators/{id}/suspend"  => operators::suspend,  operators::SUSPEND;
    POST "/api/v1/operators/{id}/fund"     => operators::fund,     operators::FUND;
    // Recharge cards
    GET  "/api/v1/recharge-cards"          => recharge_cards::list,  recharge_cards::LIST;
}

/// The dialect's name in tokens, metrics and as its prefix.
pub const NAME: &str = service::tokens::V1;

pub fn router() -> Router<App> {
    table()
}
