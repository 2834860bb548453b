//! Version 2, and home: the vendor's document first, in its order, then what Lastmile adds in the same conventions.

mod auth;
pub(crate) mod dashboard;
pub(crate) mod devices;
pub(crate) mod logs;
pub(crate) mod network;
pub(crate) mod olts;
pub(crate) mod onus;
mod packages;
pub(crate) mod status_checks;
pub(crate) mod vpn;

use axum::Router;
use service::App;

doors::operations! { App;
    POST "/api/v2/auth/token"   => auth::token,      auth::TOKEN;
    POST "/api/v2/auth/revoke"  => auth::revoke,     auth::REVOKE;
    GET  "/api/v2/packages"     => packages::list,   packages::LIST;

    // Network
    GET    "/api/v2/network/routers"      => network::routers,  network::ROUTERS;
    GET    "/api/v2/network/olts"         => olts::list,        olts::LIST;
    GET    "/api/v2/network/onus"         => onus::list,        onus::LIST;
    GET    "/api/v2/network/pools"        => network::pools,    network::POOLS;
    POST   "/api/v2/network/olts"         => olts::create,      olts::CREATE;
    GET    "/api/v2/network/olts/{id}"    => olts::show,        olts::SHOW;
    PUT    "/api/v2/network/olts/{id}"    => olts::update,      olts::UPDATE;
    DELETE "/api/v2/network/olts/{id}"    => olts::delete,      olts::DELETE;
    POST   "/api/v2/network/onus"         => onus::create,      onus::CREATE;
    GET    "/api/v2/network/onus/{id}"    => onus::show,        onus::SHOW;
    PUT    "/api/v2/network/onus/{id}"    => onus::update,      onus::UPDATE;
    DELETE "/api/v2/network/onus/{id}"    => onus::delete,      onus::DELETE;

    // Monitoring
    GET    "/api/v2/monitoring/zabbix/hosts"        => devices::zabbix,         devices::ZABBIX;
    GET    "/api/v2/monitoring/zabbix/problems"     => devices::problems,       devices::PROBLEMS;
    GET    "/api/v2/monitoring/devices"             => devices::list,           devices::LIST;
    GET    "/api/v2/monitoring/status-checks"       => status_checks::list,     status_checks::LIST;
    POST   "/api/v2/monitoring/devices"             => devices::create,         devices::CREATE;
    GET    "/api/v2/monitoring/devices/{id}"        => devices::show,           devices::SHOW;
    PUT    "/api/v2/monitoring/devices/{id}"        => devices::update,         devices::UPDATE;
    DELETE "/api/v2/monitoring/devices/{id}"        => devices::delete,         devices::DELETE;
    POST   "/api/v2/monitoring/status-checks"       => status_checks::create,   status_checks::CREATE;
    GET    "/api/v2/monitoring/status-checks/{id}"  => status_checks::show,     status_checks::SHOW;
    PUT    "/api/v2/monitoring/status-checks/{id}"  => status_checks::update,   status_checks::UPDATE;
    DELETE "/api/v2/monitoring/status-checks/{id}"  => status_checks::delete,   status_checks::DELETE;
    GET    "/api/v2/monitoring/access-logs"         => logs::access,            logs::ACCESS;

    // VPN
    GET    "/api/v2/vpn/accounts"               => vpn::list,           vpn::LIST;
    GET    "/api/v2/vpn/accounts/{id}/config"   => vpn::config,         vpn::CONFIG;
    POST   "/api/v2/vpn/accounts"               => vpn::create,         vpn::CREATE;
    GET    "/api/v2/vpn/accounts/{id}"          => vpn::show,           vpn::SHOW;
    PUT    "/api/v2/vpn/accounts/{id}"          => vpn::update,         vpn::UPDATE;
    DELETE "/api/v2/vpn/accounts/{id}"          => vpn::delete,         vpn::DELETE;
    GET    "/api/v2/vpn/server"                 => vpn::server,         vpn::SERVER;
    PUT    "/api/v2/vpn/server"                 => vpn::set_server,     vpn::SET_SERVER;
    GET    "/api/v2/vpn/server/config"          => vpn::server_config,  vpn::SERVER_CONFIG;

    // Logs and dashboards
    GET    "/api/v2/logs/router"            => logs::router,            logs::ROUTER;
    GET    "/api/v2/logs/hotspot"           => logs::hotspot,           logs::HOTSPOT;
    GET    "/api/v2/logs/ppp-auth"          => logs::ppp_auth,          logs::PPP_AUTH;
    GET    "/api/v2/logs/auto-suspension"   => logs::auto_suspension,   logs::AUTO_SUSPENSION;
    GET    "/api/v2/dashboard"              => dashboard::business,     dashboard::BUSINESS;
    GET    "/api/v2/noc/dashboard"          => dashboard::noc,          dashboard::NOC;
}

/// The dialect's name in tokens, metrics and as its prefix.
pub const NAME: &str = service::tokens::V2;

pub fn router() -> Router<App> {
    table()
}
