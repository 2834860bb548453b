//! The plant: OLTs, ONUs, devices with their problems, what is checked, and who touched what.

use domain::{BranchId, CustomerId, Instant, IspId, RouterId, ServiceId};

use crate::{
    db::{Error, Row, Tx},
    kernel::{
        conditions::Conditions,
        record::{record, text},
    },
    params, sql,
};

record! {
    Olt of "olt" {
        isp_id: IspId,
        id: i64,
        name: String,
        name_key: Option<String>,
        vendor: String,
        /// Where SNMP reaches it.
        address: String,
        /// 1 or 2c.
        snmp_version: String,
        snmp_port: i64,
        /// Sealed.
        snmp_community: Option<Vec<u8>>,
        pon_ports: i64,
        /// unknown, up, down.
        status: String,
        status_since: Instant,
        last_seen_at: Option<Instant>,
        created_at: Instant,
        updated_at: Instant,
        deleted_at: Option<Instant>,
    }
}

record! {
    Onu of "onu" {
        isp_id: IspId,
        id: i64,
        olt_id: i64,
        name: String,
        serial_number: Option<String>,
        serial_key: Option<String>,
        mac: Option<String>,
        mac_key: Option<String>,
        pon_port: i64,
        /// Its number on the port.
        line: i64,
        line_key: Option<i64>,
        customer_id: Option<CustomerId>,
        service_id: Option<ServiceId>,
        status: String,
        status_since: Instant,
        /// Hundredths of a dBm.
        rx_power: Option<i64>,
        tx_power: Option<i64>,
        distance_m: Option<i64>,
        last_seen_at: Option<Instant>,
        created_at: Instant,
        updated_at: Instant,
        deleted_at: Option<Instant>,
    }
}

record! {
    Device of "device" {
        isp_id: IspId,
        id: i64,
        name: String,
        name_key: Option<String>,
        /// ubiquiti, cambium, mikrotik_wireless, switch, server, other.
        kind: String,
        address: String,
        mac: Option<String>,
        model: Option<String>,
        status: String,
        status_since: Instant,
        last_seen_at: Option<Instant>,
        /// Who told of it: manual, zabbix.
        source: String,
        /// Its id there.
        external_id: Option<String>,
        external_key: Option<String>,
        created_at: Instant,
        updated_at: Instant,
        deleted_at: Option<Instant>,
    }
}

record! {
    Problem of "device_problem" {
        isp_id: IspId,
        id: i64,
        device_id: i64,
        external_id: String,
        severity: String,
        text: String,
        began_at: Instant,
        ended_at: Option<Instant>,
    }
}

record! {
    StatusCheck of "status_check" {
        isp_id: IspId,
        id: i64,
        name: String,
        name_key: Option<String>,
        /// ping, tcp, http.
        kind: String,
        target: String,
        interval_s: i64,
        status: String,
        status_since: Instant,
        last_checked_at: Option<Instant>,
        latency_ms: Option<i64>,
        created_at: Instant,
        updated_at: Instant,
        deleted_at: Option<Instant>,
    }
}

record! {
    Access of "access_log" {
        isp_id: IspId,
        id: i64,
        at: Instant,
        /// `staff:3`, `api:12`, `system`.
        actor: String,
        /// opened, created, changed, deleted, downloaded.
        action: String,
        /// What was touched: a table's noun and the row's id.
        noun: String,
        subject_id: i64,
        name: String,
    }
}

/// Changes of one Isp's plant and VPN come one after the other: names, numbers and addresses are looked up and then
/// taken, and they are few.
pub async fn lock(tx: &Tx, isp: IspId) -> Result<(), Error> {
    tx.row_locked(sql!("select t.isp_id from isp t where t.isp_id = $1"), &params![isp]).await.map(drop)
}

/// `find`, the row by a key column and `save` of a table.
macro_rules! table {
    ($name:ident, $find:ident, $save:ident, $on_conflict:literal) => {
        pub async fn $find(tx: &Tx, isp: IspId, id: i64) -> Result<Option<$name>, Error> {
            let row = tx
                .row(
                    sql!(text!($name::SELECT, "where t.isp_id = $1 and t.id = $2 and t.deleted_at is null")),
                    &params![isp, id],
                )
                .await?;
            row.map(|row| $name::from_row(&row)).transpose()
        }

        /// Inserts the row, or writes it as it is now.
        pub async fn $save(tx: &Tx, row: &$name) -> Result<(), Error> {
            tx.insert_many($name::INSERT, $on_conflict, vec![row.values()]).await.map(drop)
        }
    };
}

table!(
    Olt,
    olt,
    save_olt,
    "on conflict (isp_id, id) do update set name = excluded.name, name_key = excluded.name_key, \
     vendor = excluded.vendor, address = excluded.address, snmp_version = excluded.snmp_version, \
     snmp_port = excluded.snmp_port, snmp_community = excluded.snmp_community, pon_ports = excluded.pon_ports, \
     status = excluded.status, status_since = excluded.status_since, last_seen_at = excluded.last_seen_at, \
     updated_at = excluded.updated_at, deleted_at = excluded.deleted_at"
);
table!(
    Onu,
    onu,
    save_onu,
    "on conflict (isp_id, id) do update set olt_id = excluded.olt_id, name = excluded.name, \
     serial_number = excluded.serial_number, serial_key = excluded.serial_key, mac = excluded.mac, mac_key = excluded.mac_key, \
     pon_port = excluded.pon_port, line = excluded.line, line_key = excluded.line_key, \
     customer_id = excluded.customer_id, service_id = excluded.service_id, status = excluded.status, \
     status_since = excluded.status_since, rx_power = excluded.rx_power, tx_power = excluded.tx_power, \
     distance_m = excluded.distance_m, last_seen_at = excluded.last_seen_at, updated_at = excluded.updated_at, \
     deleted_at = excluded.deleted_at"
);
table!(
    Device,
    device,
    save_device,
    "on conflict (isp_id, id) do update set name = excluded.name, name_key = excluded.name_key, \
     kind = excluded.kind, address = excluded.address, mac = excluded.mac, model = excluded.model, \
     status = excluded.status, status_since = excluded.status_since, last_seen_at = excluded.last_seen_at, \
     source = excluded.source, external_id = excluded.external_id, external_key = excluded.external_key, \
     updated_at = excluded.updated_at, deleted_at = excluded.deleted_at"
);
table!(
    StatusCheck,
    check,
    save_check,
    "on conflict (isp_id, id) do update set name = excluded.name, name_key = excluded.name_key, \
     kind = excluded.kind, target = excluded.target, interval_s = excluded.interval_s, status = excluded.status, \
     status_since = excluded.status_since, last_checked_at = excluded.last_checked_at, \
     latency_ms = excluded.latency_ms, updated_at = excluded.updated_at, deleted_at = excluded.deleted_at"
);

// ---- who has a name already ----

fn first_id(found: Option<Row>) -> Result<Option<i64>, Error> {
    found.map(|row| row.get(0)).transpose()
}

pub async fn olt_named(tx: &Tx, isp: IspId, key: &str) -> Result<Option<i64>, Error> {
    let row = tx.row(sql!("select id from olt where isp_id = $1 and name_key = $2"), &params![isp, key]).await?;
    first_id(row)
}

pub async fn device_named(tx: &Tx, isp: IspId, key: &str) -> Result<Option<i64>, Error> {
    let row = tx.row(sql!("select id from device where isp_id = $1 and name_key = $2"), &params![isp, key]).await?;
    first_id(row)
}

pub async fn device_known_as(tx: &Tx, isp: IspId, source: &str, key: &str) -> Result<Option<i64>, Error> {
    let row = tx
        .row(
            sql!("select id from device where isp_id = $1 and source = $2 and external_key = $3"),
            &params![isp, source, key],
        )
        .await?;
    first_id(row)
}

pub async fn check_named(tx: &Tx, isp: IspId, key: &str) -> Result<Option<i64>, Error> {
    let row =
        tx.row(sql!("select id from status_check where isp_id = $1 and name_key = $2"), &params![isp, key]).await?;
    first_id(row)
}

pub async fn onu_with_serial(tx: &Tx, isp: IspId, key: &str) -> Result<Option<i64>, Error> {
    let row = tx.row(sql!("select id from onu where isp_id = $1 and serial_key = $2"), &params![isp, key]).await?;
    first_id(row)
}

pub async fn onu_with_mac(tx: &Tx, isp: IspId, key: &str) -> Result<Option<i64>, Error> {
    let row = tx.row(sql!("select id from onu where isp_id = $1 and mac_key = $2"), &params![isp, key]).await?;
    first_id(row)
}

pub async fn onu_at(tx: &Tx, isp: IspId, olt: i64, pon_port: i64, line: i64) -> Result<Option<i64>, Error> {
    let row = tx
        .row(
            sql!("select id from onu where isp_id = $1 and olt_id = $2 and pon_port = $3 and line_key = $4"),
            &params![isp, olt, pon_port, line],
        )
        .await?;
    first_id(row)
}

/// Live ONUs of an OLT, and the highest port that one of them is on.
pub async fn onus_on(tx: &Tx, isp: IspId, olt: i64) -> Result<(i64, i64), Error> {
    let row = tx
        .row(
            sql!(
                "select count(*), coalesce(max(pon_port), 0) from onu \
                 where isp_id = $1 and olt_id = $2 and deleted_at is null"
            ),
            &params![isp, olt],
        )
        .await?;
    row.map_or(Ok((0, 0)), |row| Ok((row.get(0)?, row.get(1)?)))
}

// ---- lists ----

/// Conditions of a list of OLTs, devices or checks; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    pub status: Option<String>,
    /// Of a device or check.
    pub kind: Option<String>,
    /// Of a device.
    pub source: Option<String>,
    /// Part of a name, an address or a MAC address.
    pub search: Option<String>,
}

fn live(isp: IspId) -> Conditions {
    let mut conditions = Conditions::of(isp);
    conditions.and("t.deleted_at is null");
    conditions
}

/// An OLT with how many ONUs it has.
pub async fn olts(tx: &Tx, isp: IspId, filter: &Filter, page: (i64, i64)) -> Result<(Vec<(Olt, i64)>, i64), Error> {
    const SELECT: &str = text!(
        "select ",
        Olt::COLUMNS,
        ", (select count(*) from onu o where o.isp_id = t.isp_id and o.olt_id = t.id and o.deleted_at is null)"
    );
    let mut conditions = live(isp);
    conditions.given("t.status =", filter.status.as_deref());
    conditions.contains(&["t.name_key", "lower(t.address)"], filter.search.as_deref());
    let read = |row: &Row| Ok((Olt::from_row(row)?, row.get(16)?));
    conditions.page(tx, (SELECT, "olt t"), "t.id", page, None, read).await
}

/// Conditions of a list of ONUs; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct OnuFilter {
    pub olt: Option<i64>,
    pub status: Option<String>,
    pub customer: Option<CustomerId>,
    pub branch: Option<BranchId>,
    /// Part of a name, serial or MAC address.
    pub search: Option<String>,
}

/// An ONU with the names it is shown with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedOnu {
    pub onu: Onu,
    pub olt_name: Option<String>,
    pub customer_name: Option<String>,
    pub branch: Option<BranchId>,
}

const NAMED_ONU: &str = text!("select ", Onu::COLUMNS, ", o.name, c.full_name, c.branch_id");
const ONU_FROM: &str = "onu t left join olt o on o.isp_id = t.isp_id and o.id = t.olt_id \
    left join customer c on c.isp_id = t.isp_id and c.id = t.customer_id and c.deleted_at is null";

fn named_onu(row: &Row) -> Result<NamedOnu, Error> {
    Ok(NamedOnu { onu: Onu::from_row(row)?, olt_name: row.get(22)?, customer_name: row.get(23)?, branch: row.get(24)? })
}

pub async fn onus(tx: &Tx, isp: IspId, filter: &OnuFilter, page: (i64, i64)) -> Result<(Vec<NamedOnu>, i64), Error> {
    let mut conditions = live(isp);
    conditions.given("t.olt_id =", filter.olt);
    conditions.given("t.status =", filter.status.as_deref());
    conditions.given("t.customer_id =", filter.customer);
    conditions.given("c.branch_id =", filter.branch);
    conditions.contains(&["lower(t.name)", "t.serial_key", "t.mac_key"], filter.search.as_deref());
    conditions.page(tx, (NAMED_ONU, ONU_FROM), "t.id", page, None, named_onu).await
}

pub async fn onu_named(tx: &Tx, isp: IspId, id: i64) -> Result<Option<NamedOnu>, Error> {
    let text = format!("{NAMED_ONU} from {ONU_FROM} where t.isp_id = $1 and t.id = $2 and t.deleted_at is null");
    tx.row(text, &params![isp, id]).await?.map(|row| named_onu(&row)).transpose()
}

/// A device with how many problems it has now.
pub async fn devices(
    tx: &Tx,
    isp: IspId,
    filter: &Filter,
    page: (i64, i64),
) -> Result<(Vec<(Device, i64)>, i64), Error> {
    const SELECT: &str = text!(
        "select ",
        Device::COLUMNS,
        ", (select count(*) from device_problem p where p.isp_id = t.isp_id and p.device_id = t.id \
         and p.ended_at is null)"
    );
    let mut conditions = live(isp);
    conditions.given("t.kind =", filter.kind.as_deref());
    conditions.given("t.source =", filter.source.as_deref());
    conditions.given("t.status =", filter.status.as_deref());
    conditions.contains(&["t.name_key", "lower(t.address)", "lower(t.mac)"], filter.search.as_deref());
    let read = |row: &Row| Ok((Device::from_row(row)?, row.get(17)?));
    conditions.page(tx, (SELECT, "device t"), "t.id", page, None, read).await
}

/// How many problems a device has now.
pub async fn problems_of(tx: &Tx, isp: IspId, device: i64) -> Result<i64, Error> {
    let row = tx
        .row(
            sql!("select count(*) from device_problem where isp_id = $1 and device_id = $2 and ended_at is null"),
            &params![isp, device],
        )
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Problems that are not over, the newest first, each with its device's name.
pub async fn problems(
    tx: &Tx,
    isp: IspId,
    severity: Option<&str>,
    page: (i64, i64),
) -> Result<(Vec<(Problem, String)>, i64), Error> {
    const SELECT: &str = text!("select ", Problem::COLUMNS, ", d.name");
    let mut conditions = Conditions::of(isp);
    conditions.and("t.ended_at is null and d.deleted_at is null");
    conditions.given("t.severity =", severity);
    let from = "device_problem t join device d on d.isp_id = t.isp_id and d.id = t.device_id";
    let read = |row: &Row| Ok((Problem::from_row(row)?, row.get(8)?));
    conditions.page(tx, (SELECT, from), "t.began_at desc, t.id desc", page, None, read).await
}

pub async fn checks(tx: &Tx, isp: IspId, filter: &Filter, page: (i64, i64)) -> Result<(Vec<StatusCheck>, i64), Error> {
    const SELECT: &str = text!("select ", StatusCheck::COLUMNS);
    let mut conditions = live(isp);
    conditions.given("t.kind =", filter.kind.as_deref());
    conditions.given("t.status =", filter.status.as_deref());
    conditions.page(tx, (SELECT, "status_check t"), "t.id", page, None, StatusCheck::from_row).await
}

/// Conditions of the access log; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct AccessFilter {
    pub from: Option<Instant>,
    /// Not included.
    pub until: Option<Instant>,
    pub noun: Option<String>,
    pub subject: Option<i64>,
}

/// The newest first.
pub async fn accesses(
    tx: &Tx,
    isp: IspId,
    filter: &AccessFilter,
    page: (i64, i64),
    most: i64,
) -> Result<(Vec<Access>, i64), Error> {
    const SELECT: &str = text!("select ", Access::COLUMNS);
    let mut conditions = Conditions::of(isp);
    conditions.given("t.at >=", filter.from);
    conditions.given("t.at <", filter.until);
    conditions.given("t.noun =", filter.noun.as_deref());
    conditions.given("t.subject_id =", filter.subject);
    conditions.page(tx, (SELECT, "access_log t"), "t.at desc, t.id desc", page, Some(most), Access::from_row).await
}

// ---- routers as the network shows them ----

/// A router has reported.
pub async fn router_heard(tx: &Tx, isp: IspId, routers: &[(RouterId, Instant)]) -> Result<(), Error> {
    let rows = routers.iter().map(|(router, at)| params![isp, *router, *at].to_vec()).collect();
    tx.insert_many(
        "insert into router_heard (isp_id, router_id, heard_at)",
        "on conflict (isp_id, router_id) do update set heard_at = excluded.heard_at \
         where router_heard.heard_at < excluded.heard_at",
        rows,
    )
    .await
    .map(drop)
}

/// When each router of an Isp last reported.
pub async fn routers_heard(tx: &Tx, isp: IspId) -> Result<Vec<(RouterId, Instant)>, Error> {
    let rows = tx
        .rows(sql!("select router_id, heard_at from router_heard where isp_id = $1 order by router_id"), &params![isp])
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Open sessions of each router.
pub async fn online_by_router(tx: &Tx, isp: IspId) -> Result<Vec<(RouterId, i64)>, Error> {
    let rows = tx
        .rows(
            sql!("select router_id, count(*) from session where isp_id = $1 and state = 0 group by router_id order by router_id"),
            &params![isp],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Jobs of an Isp that are not done: queue, how many, and when the first of them was due.
pub async fn queues(tx: &Tx, isp: IspId) -> Result<Vec<(String, i64, Instant)>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select queue, count(*), min(run_at) from job where isp_id = $1 and done_at is null \
                 group by queue order by queue"
            ),
            &params![isp],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).collect()
}

/// When the first event after `seq` happened.
pub async fn event_after(tx: &Tx, isp: IspId, seq: i64) -> Result<Option<Instant>, Error> {
    let row = tx
        .row(sql!("select at from event where isp_id = $1 and seq > $2 order by seq limit 1"), &params![isp, seq])
        .await?;
    row.map(|row| row.get(0)).transpose()
}
