//! Version 2, and home: the vendor's document first, in its order, then what Lastmile adds in the same conventions.

mod account;
mod auth;
pub(crate) mod bills;
mod complaints;
pub(crate) mod customers;
pub(crate) mod dashboard;
pub(crate) mod devices;
mod fup;
mod home;
pub(crate) mod logs;
pub(crate) mod network;
pub(crate) mod olts;
pub(crate) mod onus;
pub(crate) mod operators;
mod packages;
pub(crate) mod payments;
pub(crate) mod recharge_cards;
mod sms;
mod staff;
pub(crate) mod status_checks;
pub(crate) mod subscriptions;
pub(crate) mod vpn;
mod webhooks;
mod why;

use axum::Router;
use service::App;

doors::operations! {
    POST "/api/v2/auth/token"   => auth::token,      auth::TOKEN;
    POST "/api/v2/auth/revoke"  => auth::revoke,     auth::REVOKE;
    // Customers.
    GET    "/api/v2/customers"             => customers::list,    customers::LIST;
    POST   "/api/v2/customers"             => customers::create,  customers::CREATE;
    GET    "/api/v2/customers/{id}"        => customers::show,    customers::SHOW;
    PUT    "/api/v2/customers/{id}"        => customers::update,  customers::UPDATE;
    DELETE "/api/v2/customers/{id}"        => customers::delete,  customers::DELETE;
    GET "/api/v2/customers/{id}/bills"          => account::bills,          account::BILLS;
    GET "/api/v2/customers/{id}/payments"       => account::payments,       account::PAYMENTS;
    GET "/api/v2/customers/{id}/subscriptions"  => account::subscriptions,  account::SUBSCRIPTIONS;
    GET "/api/v2/customers/{id}/usage"          => account::usage,          account::USAGE;
    // Home: the sale of the next period.
    POST "/api/v2/customers/{id}/recharge"      => home::recharge::recharge,  home::recharge::RECHARGE;
    // Billing.
    GET    "/api/v2/billing/bills"         => bills::list,        bills::LIST;
    POST   "/api/v2/billing/bills"         => bills::create,      bills::CREATE;
    GET    "/api/v2/billing/bills/{id}"    => bills::show,        bills::SHOW;
    PUT    "/api/v2/billing/bills/{id}"    => bills::update,      bills::UPDATE;
    DELETE "/api/v2/billing/bills/{id}"    => bills::delete,      bills::DELETE;
    GET    "/api/v2/billing/payments"      => payments::list,     payments::LIST;
    POST   "/api/v2/billing/payments"      => payments::create,   payments::CREATE;
    GET    "/api/v2/billing/payments/{id}" => payments::show,     payments::SHOW;
    GET "/api/v2/billing/subscriptions" => subscriptions::list, subscriptions::LIST;
    // Packages.
    GET  "/api/v2/packages"     => packages::list,   packages::LIST;

    // Home: plans and bandwidths.
    GET    "/api/v2/plans"                => home::plans::list,         home::plans::LIST;
    POST   "/api/v2/plans"                => home::plans::create,       home::plans::CREATE;
    GET    "/api/v2/plans/{id}"           => home::plans::show,         home::plans::SHOW;
    PUT    "/api/v2/plans/{id}"           => home::plans::update,       home::plans::UPDATE;
    DELETE "/api/v2/plans/{id}"           => home::plans::delete,       home::plans::DELETE;
    POST   "/api/v2/plans/{id}/duplicate" => home::plans::duplicate,    home::plans::DUPLICATE;
    GET    "/api/v2/bandwidths"           => home::bandwidths::list,    home::bandwidths::LIST;
    POST   "/api/v2/bandwidths"           => home::bandwidths::create,  home::bandwidths::CREATE;
    GET    "/api/v2/bandwidths/{id}"      => home::bandwidths::show,    home::bandwidths::SHOW;
    PUT    "/api/v2/bandwidths/{id}"      => home::bandwidths::update,  home::bandwidths::UPDATE;
    DELETE "/api/v2/bandwidths/{id}"      => home::bandwidths::delete,  home::bandwidths::DELETE;

    // Home: pools and routers, beside the vendor's lists of them.
    POST   "/api/v2/network/pools"        => home::pools::create,       home::pools::CREATE;
    GET    "/api/v2/network/pools/{id}"   => home::pools::show,         home::pools::SHOW;
    DELETE "/api/v2/network/pools/{id}"   => home::pools::delete,       home::pools::DELETE;
    POST   "/api/v2/network/routers"      => home::routers::create,     home::routers::CREATE;
    GET    "/api/v2/network/routers/{id}" => home::routers::show,       home::routers::SHOW;
    PUT    "/api/v2/network/routers/{id}" => home::routers::update,     home::routers::UPDATE;
    DELETE "/api/v2/network/routers/{id}" => home::routers::delete,     home::routers::DELETE;

    // Home: vouchers.
    GET    "/api/v2/vouchers"             => home::vouchers::list,      home::vouchers::LIST;
    POST   "/api/v2/vouchers"             => home::vouchers::generate,  home::vouchers::GENERATE;
    POST   "/api/v2/vouchers/redeem"      => home::vouchers::redeem,    home::vouchers::REDEEM;
    GET    "/api/v2/vouchers/{id}"        => home::vouchers::show,      home::vouchers::SHOW;
    DELETE "/api/v2/vouchers/{id}"        => home::vouchers::delete,    home::vouchers::DELETE;

    // Home: sessions.
    GET    "/api/v2/sessions"                 => home::sessions::list,        home::sessions::LIST;
    GET    "/api/v2/sessions/{id}"            => home::sessions::show,        home::sessions::SHOW;
    POST   "/api/v2/sessions/{id}/disconnect" => home::sessions::disconnect,  home::sessions::DISCONNECT;
    POST   "/api/v2/sessions/{id}/refresh"    => home::sessions::refresh,     home::sessions::REFRESH;

    // Home: the books, the feed, background work.
    GET    "/api/v2/ledger/accounts"      => home::ledger::accounts,    home::ledger::ACCOUNTS;
    GET    "/api/v2/ledger/entries"       => home::ledger::entries,     home::ledger::ENTRIES;
    GET    "/api/v2/events"               => home::events::list,        home::events::LIST;
    GET    "/api/v2/jobs"                 => home::jobs::list,          home::jobs::LIST;
    GET    "/api/v2/jobs/{id}"            => home::jobs::show,          home::jobs::SHOW;
    POST   "/api/v2/jobs/{id}/retry"      => home::jobs::retry,         home::jobs::RETRY;

    // Home: API clients and what they asked.
    GET    "/api/v2/clients"              => home::clients::list,       home::clients::LIST;
    POST   "/api/v2/clients"              => home::clients::create,     home::clients::CREATE;
    GET    "/api/v2/clients/{id}"         => home::clients::show,       home::clients::SHOW;
    PUT    "/api/v2/clients/{id}"         => home::clients::update,     home::clients::UPDATE;
    DELETE "/api/v2/clients/{id}"         => home::clients::revoke,     home::clients::REVOKE;
    POST   "/api/v2/clients/{id}/rotate"  => home::clients::rotate,     home::clients::ROTATE;
    POST   "/api/v2/clients/{id}/token"   => home::clients::token,      home::clients::TOKEN;
    GET    "/api/v2/requests"             => home::requests::list,      home::requests::LIST;

    // Home: zones, whose account names Jaze's clients use.
    GET    "/api/v2/zones"                => home::zones::list,         home::zones::LIST;
    POST   "/api/v2/zones"                => home::zones::create,       home::zones::CREATE;
    GET    "/api/v2/zones/{id}"           => home::zones::show,         home::zones::SHOW;
    PUT    "/api/v2/zones/{id}"           => home::zones::update,       home::zones::UPDATE;
    DELETE "/api/v2/zones/{id}"           => home::zones::delete,       home::zones::DELETE;

    // Home: what customers are sorted by.
    GET    "/api/v2/places/{level}"       => home::places::list,        home::places::LIST;
    POST   "/api/v2/places/{level}"       => home::places::create,      home::places::CREATE;
    GET    "/api/v2/places/{level}/{id}"  => home::places::show,        home::places::SHOW;
    PUT    "/api/v2/places/{level}/{id}"  => home::places::update,      home::places::UPDATE;
    DELETE "/api/v2/places/{level}/{id}"  => home::places::delete,      home::places::DELETE;
    GET    "/api/v2/departments"          => home::departments::list,   home::departments::LIST;
    POST   "/api/v2/departments"          => home::departments::create, home::departments::CREATE;
    GET    "/api/v2/departments/{id}"     => home::departments::show,   home::departments::SHOW;
    PUT    "/api/v2/departments/{id}"     => home::departments::update, home::departments::UPDATE;
    DELETE "/api/v2/departments/{id}"     => home::departments::delete, home::departments::DELETE;

    // SMS.
    GET    "/api/v2/sms/balance"              => sms::balance,       sms::BALANCE;
    POST   "/api/v2/sms/send"                 => sms::send,          sms::SEND;
    POST   "/api/v2/sms/broadcast"            => sms::broadcast,     sms::BROADCAST;
    // Webhooks.
    GET    "/api/v2/webhooks"                 => webhooks::list,     webhooks::LIST;
    POST   "/api/v2/webhooks"                 => webhooks::create,   webhooks::CREATE;
    PUT    "/api/v2/webhooks/{id}"            => webhooks::update,   webhooks::UPDATE;
    DELETE "/api/v2/webhooks/{id}"            => webhooks::delete,   webhooks::DELETE;
    // Home: SMS.
    POST   "/api/v2/sms/broadcast/customers"  => sms::broadcast_to,  sms::BROADCAST_TO;
    GET    "/api/v2/sms/history"              => sms::history,       sms::HISTORY;
    POST   "/api/v2/sms/credits"              => sms::top_up,        sms::TOP_UP;
    // Home: webhooks.
    GET    "/api/v2/webhooks/events"          => webhooks::events,      webhooks::EVENTS;
    GET    "/api/v2/webhooks/{id}"            => webhooks::show,        webhooks::SHOW;
    POST   "/api/v2/webhooks/{id}/rotate"     => webhooks::rotate,      webhooks::ROTATE;
    POST   "/api/v2/webhooks/{id}/test"       => webhooks::test,        webhooks::TEST;
    GET    "/api/v2/webhooks/{id}/deliveries" => webhooks::deliveries,  webhooks::DELIVERIES;
    POST   "/api/v2/webhooks/{id}/deliveries/{delivery}/replay" => webhooks::replay, webhooks::REPLAY;
    // Home: complaints.
    GET    "/api/v2/complaints"               => complaints::list,      complaints::LIST;
    POST   "/api/v2/complaints"               => complaints::create,    complaints::CREATE;
    GET    "/api/v2/complaints/{id}"          => complaints::show,      complaints::SHOW;
    PUT    "/api/v2/complaints/{id}"          => complaints::update,    complaints::UPDATE;
    POST   "/api/v2/complaints/{id}/close"    => complaints::close,     complaints::CLOSE;
    GET    "/api/v2/complaints/{id}/comments" => complaints::comments,  complaints::COMMENTS;
    POST   "/api/v2/complaints/{id}/comments" => complaints::comment,   complaints::COMMENT;
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
    // Home: salespeople.
    GET  "/api/v2/staff/{id}/packages"  => home::salespeople::packages,  home::salespeople::PACKAGES;
    PUT  "/api/v2/staff/{id}/packages"  => home::salespeople::assign,    home::salespeople::ASSIGN;
    PUT  "/api/v2/staff/{id}/prices"    => home::salespeople::set_price, home::salespeople::SET_PRICE;
    POST "/api/v2/staff/{id}/fund"      => home::salespeople::fund,      home::salespeople::FUND;
    GET  "/api/v2/staff/{id}/ledger"    => home::salespeople::ledger,    home::salespeople::LEDGER;
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
pub const NAME: &str = service::identity::tokens::V2;

pub fn router() -> Router<App> {
    table()
}
