//! Version 1: the table below is the document's own, in its order.

mod auth;

use axum::Router;
use service::App;

doors::operations! { App;
    POST "/api/auth/login"    => auth::login,    auth::LOGIN;
    POST "/api/auth/refresh"  => auth::refresh,  auth::REFRESH;
}

/// The dialect's name in tokens, metrics and as its prefix.
pub const NAME: &str = service::tokens::V1;

pub fn router() -> Router<App> {
    table()
}
