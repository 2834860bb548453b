//! Devices: radios, switches, servers. What their monitoring says of them is here where it has said something.

use domain::{Instant, Mac};
use store::{
    db::Class,
    plant::plant::{self as rows, Filter, Problem},
};

use super::{Checks, STATUSES, later, log, unchanged, whole};
use crate::{Actor, App, Error, Expected, Fact, What, Why, kernel::ids::Table};
use domain::{
    kernel::names::name_key,
    plant::reach::{is_host, turned},
};

pub use store::plant::plant::Device;

pub const KINDS: &[&str] = &["ubiquiti", "cambium", "mikrotik_wireless", "switch", "server", "other"];
/// Who tells of it.
pub const SOURCES: &[&str] = &["manual", "zabbix"];
/// As Zabbix calls them.
pub const SEVERITIES: &[&str] = &["not_classified", "information", "warning", "average", "high", "disaster"];

/// What is written of a device; `None` leaves it, or its default where it is new.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Wish {
    pub name: Option<String>,
    pub kind: Option<&'static str>,
    pub address: Option<String>,
    pub mac: Option<Option<Mac>>,
    pub model: Option<Option<String>>,
    /// As another system reports it, until it is asked by this one.
    pub status: Option<&'static str>,
    pub source: Option<&'static str>,
    /// Its id at its source.
    pub external_id: Option<Option<String>>,
}

/// Each with how many problems it has now.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Filter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<(Device, i64)>, i64), Error> {
    whole(actor)?;
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| rows::devices(tx, isp, &filter, (offset, limit)).await).await?)
}

/// Problems that are not over, the newest first, each with its device's name.
pub async fn problems(
    app: &App,
    actor: &Actor,
    severity: Option<&'static str>,
    offset: i64,
    limit: i64,
) -> Result<(Vec<(Problem, String)>, i64), Error> {
    whole(actor)?;
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| rows::problems(tx, isp, severity, (offset, limit)).await).await?)
}

/// The access log says who opened it.
pub async fn open(app: &App, actor: &Actor, id: i64) -> Result<(Device, i64), Error> {
    whole(actor)?;
    app.change(actor, Class::Interactive, async move |change| {
        let device = rows::device(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Device })?;
        log(change, "opened", "device", id, &device.name).await?;
        Ok((device, rows::problems_of(change.tx, change.isp, id).await?))
    })
    .await
}

pub async fn create(app: &App, actor: &Actor, wish: Wish) -> Result<Device, Error> {
    Ok(write(app, actor, None, None, wish).await?.0)
}

pub async fn update(
    app: &App,
    actor: &Actor,
    id: i64,
    unchanged_since: Option<Instant>,
    wish: Wish,
) -> Result<(Device, i64), Error> {
    write(app, actor, Some(id), unchanged_since, wish).await
}

async fn write(
    app: &App,
    actor: &Actor,
    id: Option<i64>,
    unchanged_since: Option<Instant>,
    wish: Wish,
) -> Result<(Device, i64), Error> {
    actor.writes()?;
    whole(actor)?;
    app.change(actor, Class::Interactive, async move |change| {
        rows::lock(change.tx, change.isp).await?;
        let (before, is_new) = match id {
            Some(id) => {
                (rows::device(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Device })?, false)
            }
            None => (blank(change.isp, change.id(Table::Device).await?, change.now), true),
        };
        let id = before.id;
        unchanged(unchanged_since, before.updated_at)?;
        let mut after = wished(&before, &wish, change.now);
        let key = name_key(&after.name);
        let mut checks = Checks::default();
        checks.line(&after.name, "name");
        checks.must(KINDS.contains(&after.kind.as_str()), "kind", Why::NotOneOf(KINDS));
        checks.must(is_host(&after.address), "address", Why::Not(Expected::Host));
        checks.must(STATUSES.contains(&after.status.as_str()), "status", Why::NotOneOf(STATUSES));
        checks.must(SOURCES.contains(&after.source.as_str()), "source", Why::NotOneOf(SOURCES));
        let named = rows::device_named(change.tx, change.isp, &key).await?;
        checks.must(named.is_none_or(|other| other == id), "name", Why::Taken);
        if let Some(external) = &after.external_key {
            let known = rows::device_known_as(change.tx, change.isp, &after.source, external).await?;
            checks.must(known.is_none_or(|other| other == id), "external_id", Why::Taken);
        }
        checks.done()?;
        after.name_key = Some(key);
        if is_new || after != before {
            after.updated_at = if is_new { change.now } else { later(change.now, before.updated_at) };
            rows::save_device(change.tx, &after).await?;
            let (name, status) = (after.name.clone(), after.status.clone());
            change.tell(match is_new {
                true => Fact::DeviceCreated { device: id, name, status },
                false => Fact::DeviceUpdated { device: id, name, status },
            });
            log(change, if is_new { "created" } else { "changed" }, "device", id, &after.name).await?;
        }
        Ok((after, rows::problems_of(change.tx, change.isp, id).await?))
    })
    .await
}

fn blank(isp: domain::IspId, id: i64, now: Instant) -> Device {
    Device {
        isp_id: isp,
        id,
        name: String::new(),
        name_key: None,
        kind: "other".into(),
        address: String::new(),
        mac: None,
        model: None,
        status: "unknown".into(),
        status_since: now,
        last_seen_at: None,
        source: "manual".into(),
        external_id: None,
        external_key: None,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    }
}

fn wished(before: &Device, wish: &Wish, now: Instant) -> Device {
    let Wish { name, kind, address, mac, model, status, source, external_id } = wish.clone();
    let mut device = before.clone();
    device.name = name.map_or(device.name, |name| name.trim().into());
    device.kind = kind.map_or(device.kind, str::to_string);
    device.address = address.map_or(device.address, |address| address.trim().into());
    device.mac = mac.map_or(device.mac, |mac| mac.map(|mac| mac.to_string()));
    device.model = model.unwrap_or(device.model);
    device.source = source.map_or(device.source, str::to_string);
    device.external_id = external_id.unwrap_or(device.external_id);
    device.external_key.clone_from(&device.external_id);
    turned(&mut device.status, &mut device.status_since, now, status);
    if status == Some("up") {
        device.last_seen_at = Some(now);
    }
    device
}

pub async fn delete(app: &App, actor: &Actor, id: i64, unchanged_since: Option<Instant>) -> Result<(), Error> {
    actor.writes()?;
    whole(actor)?;
    app.change(actor, Class::Interactive, async move |change| {
        rows::lock(change.tx, change.isp).await?;
        let device = rows::device(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Device })?;
        unchanged(unchanged_since, device.updated_at)?;
        let (now, name) = (change.now, device.name.clone());
        let gone = Device { name_key: None, external_key: None, updated_at: now, deleted_at: Some(now), ..device };
        rows::save_device(change.tx, &gone).await?;
        change.tell(Fact::DeviceDeleted { device: id, name: name.clone() });
        log(change, "deleted", "device", id, &name).await
    })
    .await
}
