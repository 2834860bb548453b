//! Version 2, and home: the vendor's document first, in its order, then what Lastmile adds in the same conventions.

mod auth;
mod packages;

use axum::Router;
use service::App;

doors::operations! { App;
    POST "/api/v2/auth/token"   => auth::token,      auth::TOKEN;
    POST "/api/v2/auth/revoke"  => auth::revoke,     auth::REVOKE;
    GET  "/api/v2/packages"     => packages::list,   packages::LIST;
}

/// The dialect's name in tokens, metrics and as its prefix.
pub const NAME: &str = service::tokens::V2;

pub fn router() -> Router<App> {
    table()
}
