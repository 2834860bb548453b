//! ONUs: where fibres end, at whose house.

use domain::{CustomerId, Instant, Mac, ServiceId};
use store::{
    db::Class,
    people::{customer, service},
    plant::plant::{self as rows, NamedOnu, OnuFilter},
};

use super::{Checks, STATUSES, later, log, unchanged};
use crate::{Actor, App, Change, Error, Expected, Fact, What, Why, kernel::ids::Table};
use domain::{kernel::names::name_key, plant::reach::turned};

pub use store::plant::plant::{NamedOnu as Shown, Onu};

/// What is written of an ONU; `None` leaves it, or its default where it is new.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Wish {
    pub olt: Option<i64>,
    pub name: Option<String>,
    pub serial: Option<Option<String>>,
    pub mac: Option<Option<Mac>>,
    pub pon_port: Option<i64>,
    /// Its number on the port.
    pub line: Option<i64>,
    pub customer: Option<Option<CustomerId>>,
    /// One of the customer's; without it the primary one.
    pub service: Option<Option<ServiceId>>,
    /// As another system measured it, until it is asked by this one.
    pub status: Option<&'static str>,
    pub rx_power: Option<Option<i64>>,
    pub tx_power: Option<Option<i64>>,
    pub distance_m: Option<Option<i64>>,
}

pub async fn list(
    app: &App,
    actor: &Actor,
    filter: OnuFilter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<NamedOnu>, i64), Error> {
    let isp = actor.isp;
    // Who sees one branch sees the ONUs of its customers.
    let filter = OnuFilter { branch: actor.branch, ..filter };
    Ok(app.db.read(async move |tx| rows::onus(tx, isp, &filter, (offset, limit)).await).await?)
}

/// The access log says who opened it.
pub async fn open(app: &App, actor: &Actor, id: i64) -> Result<NamedOnu, Error> {
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let onu = found(change, &who, id).await?;
        log(change, "opened", "onu", id, &title(&onu.onu)).await?;
        Ok(onu)
    })
    .await
}

async fn found(change: &Change<'_>, actor: &Actor, id: i64) -> Result<NamedOnu, Error> {
    let onu = rows::onu_named(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Onu })?;
    actor.reaches(onu.branch)?;
    Ok(onu)
}

/// What it is called in logs.
fn title(onu: &Onu) -> String {
    let named = Some(onu.name.clone()).filter(|name| !name.is_empty());
    named.or(onu.serial_number.clone()).or(onu.mac.clone()).unwrap_or_default()
}

pub async fn create(app: &App, actor: &Actor, wish: Wish) -> Result<NamedOnu, Error> {
    write(app, actor, None, None, wish).await
}

pub async fn update(
    app: &App,
    actor: &Actor,
    id: i64,
    unchanged_since: Option<Instant>,
    wish: Wish,
) -> Result<NamedOnu, Error> {
    write(app, actor, Some(id), unchanged_since, wish).await
}

async fn write(
    app: &App,
    actor: &Actor,
    id: Option<i64>,
    unchanged_since: Option<Instant>,
    wish: Wish,
) -> Result<NamedOnu, Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        rows::lock(change.tx, change.isp).await?;
        let (before, is_new) = match id {
            Some(id) => (found(change, &who, id).await?.onu, false),
            None => (blank(change.isp, change.id(Table::Onu).await?, change.now), true),
        };
        let id = before.id;
        unchanged(unchanged_since, before.updated_at)?;
        let mut after = wished(&before, &wish, change.now);
        whose(change, &who, &mut after, &wish).await?;
        place(change, &after).await?;
        if is_new || after != before {
            after.updated_at = if is_new { change.now } else { later(change.now, before.updated_at) };
            rows::save_onu(change.tx, &after).await?;
            let (name, status) = (title(&after), after.status.clone());
            let (olt, customer) = (after.olt_id, after.customer_id);
            change.tell(match is_new {
                true => Fact::OnuCreated { onu: id, name, olt, customer, status },
                false => Fact::OnuUpdated { onu: id, name, olt, customer, status },
            });
            log(change, if is_new { "created" } else { "changed" }, "onu", id, &title(&after)).await?;
        }
        rows::onu_named(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Onu })
    })
    .await
}

fn blank(isp: domain::IspId, id: i64, now: Instant) -> Onu {
    Onu {
        isp_id: isp,
        id,
        olt_id: 0,
        name: String::new(),
        serial_number: None,
        serial_key: None,
        mac: None,
        mac_key: None,
        pon_port: 0,
        line: 0,
        line_key: None,
        customer_id: None,
        service_id: None,
        status: "unknown".into(),
        status_since: now,
        rx_power: None,
        tx_power: None,
        distance_m: None,
        last_seen_at: None,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    }
}

fn wished(before: &Onu, wish: &Wish, now: Instant) -> Onu {
    let Wish {
        olt,
        name,
        serial,
        mac,
        pon_port,
        line,
        customer: _,
        service: _,
        status,
        rx_power,
        tx_power,
        distance_m,
    } = wish.clone();
    let mut onu = before.clone();
    onu.olt_id = olt.unwrap_or(onu.olt_id);
    onu.name = name.map_or(onu.name, |name| name.trim().into());
    onu.serial_number = serial.unwrap_or(onu.serial_number).map(|serial| serial.trim().to_uppercase());
    onu.serial_key = onu.serial_number.as_deref().map(name_key);
    onu.mac = mac.map_or(onu.mac, |mac| mac.map(|mac| mac.to_string()));
    onu.mac_key = onu.mac.as_deref().map(name_key);
    onu.pon_port = pon_port.unwrap_or(onu.pon_port);
    onu.line = line.unwrap_or(onu.line);
    onu.line_key = Some(onu.line);
    onu.rx_power = rx_power.unwrap_or(onu.rx_power);
    onu.tx_power = tx_power.unwrap_or(onu.tx_power);
    onu.distance_m = distance_m.unwrap_or(onu.distance_m);
    turned(&mut onu.status, &mut onu.status_since, now, status);
    if status == Some("up") {
        onu.last_seen_at = Some(now);
    }
    onu
}

/// The customer and line it serves. A branch gives ONUs to its own customers.
async fn whose(change: &Change<'_>, actor: &Actor, onu: &mut Onu, wish: &Wish) -> Result<(), Error> {
    if let Some(customer) = wish.customer {
        onu.customer_id = customer;
        onu.service_id = None;
    }
    let Some(id) = onu.customer_id else {
        actor.reaches(None)?;
        onu.service_id = None;
        return match wish.service {
            Some(Some(_)) => Err(Error::invalid("customer_id", Why::Required)),
            _ => Ok(()),
        };
    };
    if wish.customer.is_none() && wish.service.is_none() {
        return Ok(());
    }
    let person = customer::find(change.tx, change.isp, id).await?;
    let Some(person) = person.filter(|person| actor.reaches(person.branch_id).is_ok()) else {
        return Err(Error::invalid("customer_id", Why::Unknown));
    };
    let lines = service::of_customer(change.tx, change.isp, person.id).await?;
    onu.service_id = match wish.service {
        Some(Some(wanted)) => match lines.iter().find(|line| line.id == wanted) {
            Some(line) => Some(line.id),
            None => return Err(Error::invalid("service_id", Why::Unknown)),
        },
        _ => lines.first().map(|line| line.id),
    };
    Ok(())
}

/// Its OLT is there, its port is one of the OLT's, and nobody else has its number, serial or MAC address.
async fn place(change: &Change<'_>, onu: &Onu) -> Result<(), Error> {
    let (tx, isp) = (change.tx, change.isp);
    let mut checks = Checks::default();
    let olt = rows::olt(tx, isp, onu.olt_id).await?;
    checks.must(olt.is_some(), "olt_id", Why::Unknown);
    if let Some(olt) = olt {
        let right = (1..=olt.pon_ports).contains(&onu.pon_port);
        checks.must(
            right,
            "pon_port",
            if onu.pon_port < 1 { Why::TooSmall { min: 1 } } else { Why::TooLarge { max: olt.pon_ports } },
        );
    }
    checks.must((1..=256).contains(&onu.line), "onu_number", Why::Not(Expected::NumberFrom { least: 1, most: 256 }));
    checks.must(!onu.name.chars().any(char::is_control), "name", Why::Not(Expected::OneLine));
    checks.must(STATUSES.contains(&onu.status.as_str()), "status", Why::NotOneOf(STATUSES));
    checks.must(onu.serial_number.is_some() || onu.mac.is_some(), "serial", Why::Required);
    let another = |other: Option<i64>| other.is_some_and(|other| other != onu.id);
    if let Some(key) = &onu.serial_key {
        checks.must(!another(rows::onu_with_serial(tx, isp, key).await?), "serial", Why::Taken);
    }
    if let Some(key) = &onu.mac_key {
        checks.must(!another(rows::onu_with_mac(tx, isp, key).await?), "mac", Why::Taken);
    }
    let neighbour = rows::onu_at(tx, isp, onu.olt_id, onu.pon_port, onu.line).await?;
    checks.must(!another(neighbour), "onu_number", Why::Taken);
    checks.done()
}

pub async fn delete(app: &App, actor: &Actor, id: i64, unchanged_since: Option<Instant>) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        rows::lock(change.tx, change.isp).await?;
        let onu = found(change, &who, id).await?.onu;
        unchanged(unchanged_since, onu.updated_at)?;
        let (now, name) = (change.now, title(&onu));
        let gone =
            Onu { serial_key: None, mac_key: None, line_key: None, updated_at: now, deleted_at: Some(now), ..onu };
        rows::save_onu(change.tx, &gone).await?;
        change.tell(Fact::OnuDeleted { onu: id, name: name.clone() });
        log(change, "deleted", "onu", id, &name).await
    })
    .await
}
