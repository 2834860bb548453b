//! OLTs: where fibres begin.

use domain::Instant;
use store::{
    db::Class,
    plant::plant::{self as rows, Filter},
};

use super::{Checks, STATUSES, later, log, unchanged, whole};
use crate::{
    Actor, App, By, Error, Expected, Fact, What, Why,
    kernel::{ids::Table, secrets::community_place},
};
use domain::{
    kernel::names::name_key,
    plant::reach::{is_host, turned},
};

pub use store::plant::plant::Olt;

pub const VENDORS: &[&str] = &["huawei", "zte", "vsol", "bdcom", "fiberhome", "nokia", "other"];
pub const SNMP_VERSIONS: &[&str] = &["1", "2c"];

/// What is written of an OLT; `None` leaves it, or its default where it is new.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Wish {
    pub name: Option<String>,
    pub vendor: Option<&'static str>,
    pub address: Option<String>,
    pub snmp_version: Option<&'static str>,
    pub snmp_port: Option<i64>,
    pub snmp_community: Option<Option<String>>,
    pub pon_ports: Option<i64>,
    /// As another system reports it, until it is asked by this one.
    pub status: Option<&'static str>,
}

pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Filter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<(Olt, i64)>, i64), Error> {
    whole(actor)?;
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| rows::olts(tx, isp, &filter, (offset, limit)).await).await?)
}

/// An OLT and how many ONUs it has. The access log says who opened it.
pub async fn open(app: &App, actor: &Actor, id: i64) -> Result<(Olt, i64), Error> {
    whole(actor)?;
    app.change(actor, Class::Interactive, async move |change| {
        let olt = rows::olt(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Olt })?;
        log(change, "opened", "olt", id, &olt.name).await?;
        let (onus, _) = rows::onus_on(change.tx, change.isp, id).await?;
        Ok((olt, onus))
    })
    .await
}

pub async fn create(app: &App, actor: &Actor, wish: Wish) -> Result<(Olt, i64), Error> {
    write(app, actor, None, None, wish).await
}

pub async fn update(
    app: &App,
    actor: &Actor,
    id: i64,
    unchanged_since: Option<Instant>,
    wish: Wish,
) -> Result<(Olt, i64), Error> {
    write(app, actor, Some(id), unchanged_since, wish).await
}

async fn write(
    app: &App,
    actor: &Actor,
    id: Option<i64>,
    unchanged_since: Option<Instant>,
    wish: Wish,
) -> Result<(Olt, i64), Error> {
    actor.writes()?;
    whole(actor)?;
    let (id, is_new) = match id {
        Some(id) => (id, false),
        None => (app.new_id(Table::Olt).await?, true),
    };
    let community =
        wish.snmp_community.clone().map(|text| text.map(|text| app.vault.seal(&community_place(id), &text)));
    app.change(actor, Class::Interactive, async move |change| {
        rows::lock(change.tx, change.isp).await?;
        let before = match is_new {
            true => blank(change.isp, id, change.now),
            false => rows::olt(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Olt })?,
        };
        unchanged(unchanged_since, before.updated_at)?;
        let mut after = wished(&before, &wish, change.now)?;
        if let Some(community) = &community {
            after.snmp_community.clone_from(community);
        }
        let key = name_key(&after.name);
        if rows::olt_named(change.tx, change.isp, &key).await?.is_some_and(|other| other != id) {
            return Err(Error::invalid("name", Why::Taken));
        }
        let (onus, highest) = rows::onus_on(change.tx, change.isp, id).await?;
        if after.pon_ports < highest {
            return Err(Error::invalid("pon_ports", Why::TooSmall { min: highest }));
        }
        after.name_key = Some(key);
        if is_new || after != before {
            after.updated_at = if is_new { change.now } else { later(change.now, before.updated_at) };
            rows::save_olt(change.tx, &after).await?;
            let (name, status) = (after.name.clone(), after.status.clone());
            change.tell(match is_new {
                true => Fact::OltCreated { olt: id, name, status },
                false => Fact::OltUpdated { olt: id, name, status },
            });
            log(change, if is_new { "created" } else { "changed" }, "olt", id, &after.name).await?;
        }
        Ok((after, onus))
    })
    .await
}

fn blank(isp: domain::IspId, id: i64, now: Instant) -> Olt {
    Olt {
        isp_id: isp,
        id,
        name: String::new(),
        name_key: None,
        vendor: String::new(),
        address: String::new(),
        snmp_version: "2c".into(),
        snmp_port: 161,
        snmp_community: None,
        pon_ports: 8,
        status: "unknown".into(),
        status_since: now,
        last_seen_at: None,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    }
}

fn wished(before: &Olt, wish: &Wish, now: Instant) -> Result<Olt, Error> {
    let Wish { name, vendor, address, snmp_version, snmp_port, snmp_community: _, pon_ports, status } = wish.clone();
    let mut olt = before.clone();
    olt.name = name.map_or(olt.name, |name| name.trim().into());
    olt.vendor = vendor.map_or(olt.vendor, str::to_string);
    olt.address = address.map_or(olt.address, |address| address.trim().into());
    olt.snmp_version = snmp_version.map_or(olt.snmp_version, str::to_string);
    olt.snmp_port = snmp_port.unwrap_or(olt.snmp_port);
    olt.pon_ports = pon_ports.unwrap_or(olt.pon_ports);
    turned(&mut olt.status, &mut olt.status_since, now, status);
    if status == Some("up") {
        olt.last_seen_at = Some(now);
    }
    let mut checks = Checks::default();
    checks.line(&olt.name, "name");
    checks.must(VENDORS.contains(&olt.vendor.as_str()), "vendor", Why::NotOneOf(VENDORS));
    checks.must(is_host(&olt.address), "address", Why::Not(Expected::Host));
    checks.must(SNMP_VERSIONS.contains(&olt.snmp_version.as_str()), "snmp_version", Why::NotOneOf(SNMP_VERSIONS));
    checks.must((1..=65535).contains(&olt.snmp_port), "snmp_port", Why::Not(Expected::Port));
    checks.must(
        (1..=1024).contains(&olt.pon_ports),
        "pon_ports",
        Why::Not(Expected::NumberFrom { least: 1, most: 1024 }),
    );
    checks.must(STATUSES.contains(&olt.status.as_str()), "status", Why::NotOneOf(STATUSES));
    checks.done()?;
    Ok(olt)
}

/// One that has ONUs stays.
pub async fn delete(app: &App, actor: &Actor, id: i64, unchanged_since: Option<Instant>) -> Result<(), Error> {
    actor.writes()?;
    whole(actor)?;
    app.change(actor, Class::Interactive, async move |change| {
        rows::lock(change.tx, change.isp).await?;
        let olt = rows::olt(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Olt })?;
        unchanged(unchanged_since, olt.updated_at)?;
        if rows::onus_on(change.tx, change.isp, id).await?.0 > 0 {
            return Err(Error::InUse { what: What::Olt, by: By::Onus });
        }
        let (now, name) = (change.now, olt.name.clone());
        let gone = Olt { name_key: None, snmp_community: None, updated_at: now, deleted_at: Some(now), ..olt };
        rows::save_olt(change.tx, &gone).await?;
        change.tell(Fact::OltDeleted { olt: id, name: name.clone() });
        log(change, "deleted", "olt", id, &name).await
    })
    .await
}
