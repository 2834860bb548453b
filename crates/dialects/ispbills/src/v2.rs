//! Version 2, and home: the vendor's document first, in its order, then what Lastmile adds in the same conventions.

mod auth;
pub(crate) mod operators;
mod packages;
pub(crate) mod recharge_cards;
mod staff;

use axum::Router;
use service::App;

doors::operations! { App;
    POST "/api/v2/auth/token"   => auth::token,      auth::TOKEN;
    POST "/api/v2/auth/revoke"  => auth::revoke,     auth::REVOKE;
    GET  "/api/v2/packages"     => packages::list,   packages::LIST;
    // Operators
    GET    "/api/v2/operators"                => operators::list,       operators::LIST;
    POST   "/api/v2/operators"                => operators::create,     operators::CREATE;
    GET    "/api/v2/operators/{id}"           => operators::show,       operators::SHOW;
    PUT    "/api/v2/operators/{id}"           => operators::update,     operators::UPDATE;
    DELETE "/api/v2/operators/{id}"           => operators::delete,     operators::DELETE;
    POST   "/api/v2/operators/{id}/suspend"   => operators::suspend,    operators::SUSPEND;
    POST   "/api/v2/operators/{id}/activate"  => operators::activate,   operators::ACTIVATE;
    POST   "/api/v2/operators/{id}/fund"      => operators::fund,       operators::FUND;
    GET    "/api/v2/operators/{id}/ledger"    => operators::ledger,     operators::LEDGER;
    GET    "/api/v2/operators/{id}/prices"    => operators::prices,     operators::PRICES;
    PUT    "/api/v2/operators/{id}/prices"    => operators::set_price,  operators::SET_PRICE;
    // Recharge cards
    GET  "/api/v2/recharge-cards"          => recharge_cards::list,      recharge_cards::LIST;
    POST "/api/v2/recharge-cards"          => recharge_cards::generate,  recharge_cards::GENERATE;
    POST "/api/v2/recharge-cards/issue"    => recharge_cards::issue,     recharge_cards::ISSUE;
    POST "/api/v2/recharge-cards/redeem"   => recharge_cards::redeem,    recharge_cards::REDEEM;
    GET  "/api/v2/recharge-cards/batches"  => recharge_cards::batches,   recharge_cards::BATCHES;
    GET  "/api/v2/recharge-cards/{id}"     => recharge_cards::show,      recharge_cards::SHOW;
    // Staff
    GET  "/api/v2/staff"                => staff::list,      staff::LIST;
    POST "/api/v2/staff"                => staff::create,    staff::CREATE;
    GET  "/api/v2/staff/{id}"           => staff::show,      staff::SHOW;
    PUT  "/api/v2/staff/{id}"           => staff::update,    staff::UPDATE;
    POST "/api/v2/staff/{id}/suspend"   => staff::suspend,   staff::SUSPEND;
    POST "/api/v2/staff/{id}/activate"  => staff::activate,  staff::ACTIVATE;
    POST "/api/v2/staff/{id}/hand-in"   => staff::hand_in,   staff::HAND_IN;
}

/// The dialect's name in tokens, metrics and as its prefix.
pub const NAME: &str = service::tokens::V2;

pub fn router() -> Router<App> {
    table()
}
