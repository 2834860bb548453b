//! Version 2, and home: the vendor's document first, in its order, then what Lastmile adds in the same conventions.

mod auth;
mod fup;
mod packages;
mod why;

use axum::Router;
use service::App;

doors::operations! { App;
    POST "/api/v2/auth/token"   => auth::token,      auth::TOKEN;
    POST "/api/v2/auth/revoke"  => auth::revoke,     auth::REVOKE;
    GET  "/api/v2/packages"     => packages::list,   packages::LIST;
    // Fair use.
    GET    "/api/v2/fup-templates"       => fup::list,    fup::LIST;
    POST   "/api/v2/fup-templates"       => fup::create,  fup::CREATE;
    GET    "/api/v2/fup-templates/{id}"  => fup::show,    fup::SHOW;
    PUT    "/api/v2/fup-templates/{id}"  => fup::update,  fup::UPDATE;
    DELETE "/api/v2/fup-templates/{id}"  => fup::delete,  fup::DELETE;
    PUT    "/api/v2/packages/{id}/fup"   => fup::attach,  fup::ATTACH;
    GET    "/api/v2/customers/{id}/fup"  => fup::standing,  fup::STANDING;
    PUT    "/api/v2/customers/{id}/fup"  => fup::choose,    fup::CHOOSE;
    DELETE "/api/v2/customers/{id}/fup"  => fup::clear,     fup::CLEAR;
    GET    "/api/v2/customers/{id}/fup/preview" => fup::preview,  fup::PREVIEW;
    // How a line stands, and the facts behind it.
    GET    "/api/v2/customers/{id}/why"  => why::show,    why::SHOW;
}

/// The dialect's name in tokens, metrics and as its prefix.
pub const NAME: &str = service::tokens::V2;

pub fn router() -> Router<App> {
    table()
}
