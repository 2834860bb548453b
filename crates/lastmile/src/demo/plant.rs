//! The demo's plant: OLTs with ONUs at customers' houses, radios and switches, what is looked at, a VPN. Made where
//! there is none yet.

use domain::{CustomerId, IspId, Mac};
use service::{
    Actor, App, Filter, Order, Page,
    customers::{card::Parts, lists},
    plant::{
        self, checks, devices, olts, onus,
        vpn::{self, NewAccount, ServerChange},
    },
};

/// How much there is of everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Size {
    Town,
    Village,
}

/// Name, vendor, address, ports, status.
const OLTS: &[(&str, &str, &str, i64, &str)] =
    &[("Central office", "huawei", "10.5.0.2", 16, "up"), ("Market street", "vsol", "10.5.0.3", 8, "up")];

/// Name, kind, address, model, status, id in Zabbix.
#[rustfmt::skip]
const DEVICES: &[(&str, &str, &str, &str, &str, Option<&str>)] = &[
    ("Tower 1 sector north", "ubiquiti",          "10.5.1.11", "LiteAP AC",     "up",      None),
    ("Tower 1 sector south", "ubiquiti",          "10.5.1.12", "LiteAP AC",     "down",    None),
    ("Tower 2 backhaul",     "cambium",           "10.5.1.21", "PTP 550",       "up",      None),
    ("Market hotspot radio", "mikrotik_wireless", "10.5.1.31", "mANTBox 19s",   "up",      None),
    ("Core switch",          "switch",            "10.5.0.5",  "CRS326",        "up",      Some("10501")),
    ("Mail server",          "server",            "10.5.0.20", "",              "unknown", Some("10502")),
    ("UPS central office",   "other",             "10.5.0.30", "SUA1500",       "unknown", None),
];

/// Name, kind, target, seconds.
const CHECKS: &[(&str, &str, &str, i64)] = &[
    ("Upstream gateway", "ping", "10.5.0.1", 60),
    ("Mail server", "tcp", "10.5.0.20:25", 120),
    ("Customer portal", "http", "https://portal.isp.example/", 300),
];

/// Name, protocol, username.
const ACCOUNTS: &[(&str, &str, &str)] =
    &[("North BRAS", "wireguard", "north-bras"), ("Office laptop", "openvpn", "office-laptop")];

const ONUS: i64 = 12;

pub async fn plant(app: &App, isp: IspId, size: Size) -> anyhow::Result<()> {
    let actor = Actor::system(isp);
    if olts::list(app, &actor, plant::Filter::default(), 0, 1).await?.1 > 0 {
        return Ok(());
    }
    let few = |all: usize| if size == Size::Town { all } else { 1 };
    let mut known = Vec::new();
    for (name, vendor, address, pon_ports, status) in OLTS.iter().take(few(OLTS.len())) {
        let wish = olts::Wish {
            name: Some((*name).into()),
            vendor: Some(vendor),
            address: Some((*address).into()),
            snmp_version: Some("2c"),
            snmp_community: Some(Some("demo-community".into())),
            pon_ports: Some(*pon_ports),
            status: Some(status),
            ..olts::Wish::default()
        };
        known.push(olts::create(app, &actor, wish).await?.0.id);
    }
    fibres(app, &actor, &known, if size == Size::Town { ONUS } else { 2 }).await?;
    for (at, (name, kind, address, model, status, zabbix)) in DEVICES.iter().take(few(DEVICES.len())).enumerate() {
        let wish = devices::Wish {
            name: Some((*name).into()),
            kind: Some(kind),
            address: Some((*address).into()),
            mac: Some(Some(Mac([0x02, 0x4c, 0x4d, 7, isp.0 as u8, at as u8]))),
            model: Some(Some((*model).to_string()).filter(|model| !model.is_empty())),
            status: Some(status),
            source: Some(if zabbix.is_some() { "zabbix" } else { "manual" }),
            external_id: Some(zabbix.map(str::to_string)),
        };
        devices::create(app, &actor, wish).await?;
    }
    for (name, kind, target, interval_s) in CHECKS.iter().take(few(CHECKS.len())) {
        let wish = checks::Wish {
            name: Some((*name).into()),
            kind: Some(kind),
            target: Some((*target).into()),
            interval_s: Some(*interval_s),
        };
        checks::create(app, &actor, wish).await?;
    }
    tunnel(app, &actor, few(ACCOUNTS.len())).await
}

/// An ONU at each of the first customers' houses, and one in a box.
async fn fibres(app: &App, actor: &Actor, olts: &[i64], count: i64) -> anyhow::Result<()> {
    let page = Page { order: Order::Created, descending: false, offset: 0, limit: count - 1 };
    let (people, _) = lists::page(app, actor, Filter::default(), page, Parts::NONE).await?;
    let homes = people.iter().map(|row| Some((row.customer.id, row.customer.full_name.clone())));
    for (at, home) in homes.chain([None]).enumerate() {
        let n = at as i64;
        let lit = home.is_some() && n % 5 != 4;
        let (customer, name): (Option<CustomerId>, String) = match home {
            Some((id, name)) => (Some(id), name),
            None => (None, "Spare".into()),
        };
        let wish = onus::Wish {
            olt: Some(olts[at % olts.len()]),
            name: Some(name),
            serial: Some(Some(format!("HWTC{:04X}{:04X}", actor.isp.0, 0x1a00 + n))),
            mac: Some(Some(Mac([0x02, 0x4c, 0x4d, 6, actor.isp.0 as u8, n as u8]))),
            pon_port: Some(1 + n / 4),
            line: Some(1 + n),
            customer: Some(customer),
            service: None,
            status: Some(match (customer, lit) {
                (None, _) => "unknown",
                (Some(_), true) => "up",
                (Some(_), false) => "down",
            }),
            rx_power: Some(lit.then(|| -1850 - n * 37)),
            tx_power: Some(lit.then(|| 215 + n * 3)),
            distance_m: Some(customer.map(|_| 350 + n * 410)),
        };
        onus::create(app, actor, wish).await?;
    }
    Ok(())
}

async fn tunnel(app: &App, actor: &Actor, accounts: usize) -> anyhow::Result<()> {
    let wish = ServerChange {
        endpoint: Some(Some("vpn.isp.example".into())),
        routes: Some(Some("10.5.0.0/16".into())),
        ..ServerChange::default()
    };
    vpn::set_server(app, actor, None, wish).await?;
    for (name, protocol, username) in ACCOUNTS.iter().take(accounts) {
        let account = NewAccount { protocol, name: (*name).into(), username: Some((*username).into()), enabled: true };
        vpn::create(app, actor, account).await?;
    }
    Ok(())
}
