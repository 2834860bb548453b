//! Version 1: the table below is the document's own, in its order.

mod action;
mod auth;
mod billing;
mod customers;
mod operators;
mod recharge_cards;
mod sms;

use axum::Router;
use doors::operation::Table;
use service::App;

// What no sample of version 1 says otherwise is answered as in version 2.
use crate::v2::{
    network::{devices, logs, olts, onus, routers, status_checks, vpn},
    reports::dashboard,
};

doors::operations! {
    POST "/api/auth/login"    => auth::login,    auth::LOGIN;
    POST "/api/auth/refresh"  => auth::refresh,  auth::REFRESH;
    // Customers.
    GET  "/api/v1/customers"              => customers::list,         customers::LIST;
    POST "/api/v1/customers"              => customers::create,       customers::CREATE;
    GET  "/api/v1/customers/{id}"         => customers::show,         customers::SHOW;
    POST "/api/v1/customers/{id}/action"  => action::action,          action::ACTION;
    // Billing.
    GET  "/api/v1/invoices"               => billing::invoices,       billing::INVOICES;
    GET  "/api/v1/bills"                  => billing::bills,          billing::BILLS;
    GET  "/api/v1/subscriptions"          => billing::subscriptions,  billing::SUBSCRIPTIONS;
    GET  "/api/v1/payments"               => billing::payments,       billing::PAYMENTS;

    // Dashboard
    GET  "/api/v1/dashboard"      => dashboard::business,  dashboard::BUSINESS;
    GET  "/api/v1/noc/dashboard"  => dashboard::noc,       dashboard::NOC;

    // Network
    GET  "/api/v1/routers"  => routers::list,  routers::LIST;
    GET  "/api/v1/olts"     => olts::list,        olts::LIST;

    // Monitoring
    GET  "/api/v1/monitoring/ubiquiti"       => devices::ubiquiti,    devices::UBIQUITI;
    GET  "/api/v1/monitoring/cambium"        => devices::cambium,     devices::CAMBIUM;
    GET  "/api/v1/monitoring/access-logs"    => logs::access,         logs::ACCESS;
    GET  "/api/v1/monitoring/onus"           => onus::watch,          onus::WATCH;
    GET  "/api/v1/monitoring/status-checks"  => status_checks::list,  status_checks::LIST;
    GET  "/api/v1/monitoring/zabbix"         => devices::zabbix,      devices::ZABBIX;

    // VPN
    GET  "/api/v1/vpn/accounts"              => vpn::list,    vpn::LIST;
    GET  "/api/v1/vpn/accounts/{id}/config"  => vpn::config,  vpn::CONFIG;

    // Logs
    GET  "/api/v1/logs/router"           => logs::router,           logs::ROUTER;
    GET  "/api/v1/logs/hotspot"          => logs::hotspot,          logs::HOTSPOT;
    GET  "/api/v1/logs/ppp-auth"         => logs::ppp_auth,         logs::PPP_AUTH;
    GET  "/api/v1/logs/auto-suspension"  => logs::auto_suspension,  logs::AUTO_SUSPENSION;
    // Operators
    GET  "/api/v1/operators"               => operators::list,     operators::LIST;
    POST "/api/v1/operators"               => operators::create,   operators::CREATE;
    PUT  "/api/v1/operators/{id}"          => operators::update,   operators::UPDATE;
    POST "/api/v1/operators/{id}/suspend"  => operators::suspend,  operators::SUSPEND;
    POST "/api/v1/operators/{id}/fund"     => operators::fund,     operators::FUND;
    // Recharge cards
    GET  "/api/v1/recharge-cards"          => recharge_cards::list,  recharge_cards::LIST;
    // SMS.
    GET  "/api/v1/sms/history"  => sms::history,   sms::HISTORY;
    GET  "/api/v1/sms/balance"  => sms::balance,   sms::BALANCE;
    POST "/api/v1/sms/send"     => sms::send,      sms::SEND;
}

/// The dialect's name in tokens, metrics and as its prefix.
pub const NAME: &str = service::identity::tokens::V1;

pub fn router() -> Router<App> {
    Table::router(&[TABLE])
}
