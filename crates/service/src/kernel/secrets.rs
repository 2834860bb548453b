//! Where sealed secrets belong: what is sealed for one place opens nowhere else. A change of the key asks every one of these
//! ([`super::reseal`]).

use domain::{CustomerId, IspId, RouterId, ServiceId};

/// Where a service's network secret belongs.
pub fn secret_place(id: ServiceId) -> String {
    format!("service:{id}:secret")
}

/// Where a message's whole text belongs.
pub(crate) fn message_place(isp: IspId, id: i64) -> String {
    format!("message:{isp}:{id}:text")
}

/// Where a customer's portal password belongs.
pub(crate) fn portal_place(id: CustomerId) -> String {
    format!("customer:{id}:portal")
}

/// Where a router's RADIUS secret belongs.
pub fn router_place(id: RouterId) -> String {
    format!("router:{id}:secret")
}

/// Where an OLT's SNMP community belongs.
pub fn community_place(id: i64) -> String {
    format!("olt:{id}:snmp_community")
}

/// Where a part of an Isp's VPN server belongs.
pub(crate) fn vpn_server_place(isp: IspId, what: &str) -> String {
    format!("vpn_server:{isp}:{what}")
}

/// Where a key of a VPN account belongs.
pub(crate) fn vpn_account_place(id: i64, what: &str) -> String {
    format!("vpn_account:{id}:{what}")
}

/// Where a recharge card's code belongs.
pub(crate) fn card_place(id: i64) -> String {
    format!("recharge_card:{id}:code")
}

/// Where a webhook's secrets belong.
pub(crate) fn webhook_place(id: i64) -> String {
    format!("webhook:{id}:secret")
}
