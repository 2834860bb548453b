//! The network: routers, pools and sessions; what is watched; remote access; logs.

pub(crate) mod devices;
pub(crate) mod logs;
pub(crate) mod olts;
pub(crate) mod onus;
pub(crate) mod pools;
pub(crate) mod routers;
pub(crate) mod sessions;
pub(crate) mod status_checks;
pub(crate) mod vpn;

doors::operations! {
    GET    "/api/v2/network/pools"      => pools::list,   pools::LIST;
    POST   "/api/v2/network/pools"      => pools::create, pools::CREATE.home();
    GET    "/api/v2/network/pools/{id}" => pools::show,   pools::SHOW.home();
    DELETE "/api/v2/network/pools/{id}" => pools::delete, pools::DELETE.home();

    GET    "/api/v2/network/routers"      => routers::list,   routers::LIST;
    POST   "/api/v2/network/routers"      => routers::create, routers::CREATE.home();
    GET    "/api/v2/network/routers/{id}" => routers::show,   routers::SHOW.home();
    PUT    "/api/v2/network/routers/{id}" => routers::update, routers::UPDATE.home();
    DELETE "/api/v2/network/routers/{id}" => routers::delete, routers::DELETE.home();

    GET  "/api/v2/sessions"                 => sessions::list,       sessions::LIST.home();
    GET  "/api/v2/sessions/{id}"            => sessions::show,       sessions::SHOW.home();
    POST "/api/v2/sessions/{id}/disconnect" => sessions::disconnect, sessions::DISCONNECT.home();
    POST "/api/v2/sessions/{id}/refresh"    => sessions::refresh,    sessions::REFRESH.home();

    GET    "/api/v2/network/olts"      => olts::list,   olts::LIST;
    POST   "/api/v2/network/olts"      => olts::create, olts::CREATE.home();
    GET    "/api/v2/network/olts/{id}" => olts::show,   olts::SHOW.home();
    PUT    "/api/v2/network/olts/{id}" => olts::update, olts::UPDATE.home();
    DELETE "/api/v2/network/olts/{id}" => olts::delete, olts::DELETE.home();

    GET    "/api/v2/network/onus"      => onus::list,   onus::LIST;
    POST   "/api/v2/network/onus"      => onus::create, onus::CREATE.home();
    GET    "/api/v2/network/onus/{id}" => onus::show,   onus::SHOW.home();
    PUT    "/api/v2/network/onus/{id}" => onus::update, onus::UPDATE.home();
    DELETE "/api/v2/network/onus/{id}" => onus::delete, onus::DELETE.home();

    GET    "/api/v2/monitoring/zabbix/hosts"    => devices::zabbix,   devices::ZABBIX;
    GET    "/api/v2/monitoring/zabbix/problems" => devices::problems, devices::PROBLEMS;
    GET    "/api/v2/monitoring/devices"         => devices::list,     devices::LIST;
    POST   "/api/v2/monitoring/devices"         => devices::create,   devices::CREATE.home();
    GET    "/api/v2/monitoring/devices/{id}"    => devices::show,     devices::SHOW.home();
    PUT    "/api/v2/monitoring/devices/{id}"    => devices::update,   devices::UPDATE.home();
    DELETE "/api/v2/monitoring/devices/{id}"    => devices::delete,   devices::DELETE.home();

    GET    "/api/v2/monitoring/status-checks"      => status_checks::list,   status_checks::LIST;
    POST   "/api/v2/monitoring/status-checks"      => status_checks::create, status_checks::CREATE.home();
    GET    "/api/v2/monitoring/status-checks/{id}" => status_checks::show,   status_checks::SHOW.home();
    PUT    "/api/v2/monitoring/status-checks/{id}" => status_checks::update, status_checks::UPDATE.home();
    DELETE "/api/v2/monitoring/status-checks/{id}" => status_checks::delete, status_checks::DELETE.home();

    GET "/api/v2/monitoring/access-logs" => logs::access,          logs::ACCESS.home();
    GET "/api/v2/logs/router"            => logs::router,          logs::ROUTER.home();
    GET "/api/v2/logs/hotspot"           => logs::hotspot,         logs::HOTSPOT.home();
    GET "/api/v2/logs/ppp-auth"          => logs::ppp_auth,        logs::PPP_AUTH.home();
    GET "/api/v2/logs/auto-suspension"   => logs::auto_suspension, logs::AUTO_SUSPENSION.home();

    GET    "/api/v2/vpn/accounts"             => vpn::list,          vpn::LIST;
    GET    "/api/v2/vpn/accounts/{id}/config" => vpn::config,        vpn::CONFIG;
    POST   "/api/v2/vpn/accounts"             => vpn::create,        vpn::CREATE.home();
    GET    "/api/v2/vpn/accounts/{id}"        => vpn::show,          vpn::SHOW.home();
    PUT    "/api/v2/vpn/accounts/{id}"        => vpn::update,        vpn::UPDATE.home();
    DELETE "/api/v2/vpn/accounts/{id}"        => vpn::delete,        vpn::DELETE.home();
    GET    "/api/v2/vpn/server"               => vpn::server,        vpn::SERVER.home();
    PUT    "/api/v2/vpn/server"               => vpn::set_server,    vpn::SET_SERVER.home();
    GET    "/api/v2/vpn/server/config"        => vpn::server_config, vpn::SERVER_CONFIG.home();
}
