//! Who may call: tokens, API clients and what they asked, staff, zones.

pub(crate) mod auth;
pub(crate) mod clients;
pub(crate) mod requests;
pub(crate) mod staff;
pub(crate) mod zones;

doors::operations! {
    POST "/api/v2/auth/token"  => auth::token,  auth::TOKEN;
    POST "/api/v2/auth/revoke" => auth::revoke, auth::REVOKE;

    GET    "/api/v2/clients"             => clients::list,   clients::LIST.home();
    POST   "/api/v2/clients"             => clients::create, clients::CREATE.home();
    GET    "/api/v2/clients/{id}"        => clients::show,   clients::SHOW.home();
    PUT    "/api/v2/clients/{id}"        => clients::update, clients::UPDATE.home();
    DELETE "/api/v2/clients/{id}"        => clients::revoke, clients::REVOKE.home();
    POST   "/api/v2/clients/{id}/rotate" => clients::rotate, clients::ROTATE.home();
    POST   "/api/v2/clients/{id}/token"  => clients::token,  clients::TOKEN.home();

    GET "/api/v2/requests" => requests::list, requests::LIST.home();

    GET    "/api/v2/zones"      => zones::list,   zones::LIST.home();
    POST   "/api/v2/zones"      => zones::create, zones::CREATE.home();
    GET    "/api/v2/zones/{id}" => zones::show,   zones::SHOW.home();
    PUT    "/api/v2/zones/{id}" => zones::update, zones::UPDATE.home();
    DELETE "/api/v2/zones/{id}" => zones::delete, zones::DELETE.home();

    GET  "/api/v2/staff"               => staff::list,     staff::LIST.home();
    POST "/api/v2/staff"               => staff::create,   staff::CREATE.home();
    GET  "/api/v2/staff/{id}"          => staff::show,     staff::SHOW.home();
    PUT  "/api/v2/staff/{id}"          => staff::update,   staff::UPDATE.home();
    POST "/api/v2/staff/{id}/suspend"  => staff::suspend,  staff::SUSPEND.home();
    POST "/api/v2/staff/{id}/activate" => staff::activate, staff::ACTIVATE.home();
    POST "/api/v2/staff/{id}/hand-in"  => staff::hand_in,  staff::HAND_IN.home();
}
