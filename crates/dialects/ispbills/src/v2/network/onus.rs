//! ONUs.

use axum::extract::State;
use domain::{CustomerId, Scope, ServiceId};
use doors::{
    Given, Operation,
    form::{Body, Query},
    routes::Id,
    wire::{thousandths, utc_seconds},
};
use serde::Serialize;
use serde_json::Number;
use service::{
    App, Error, Expected, Why,
    plant::{
        OnuFilter as Filter, STATUSES,
        onus::{self, Shown, Wish},
    },
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Done, Failure, Listing, NO_CONTENT, Page, Reply};

doors::form! {
    OnuFilter {
        olt_id: optional Id, "Only this OLT's.";
        status: optional Word(STATUSES), "Only those in this state.";
        customer_id: optional Id, "Only this customer's.";
        search: optional Text(1, 100), "Part of a name, serial or MAC address.";
    }
}

doors::form! {
    NewOnu {
        olt_id: required Id, "Where its fibre begins.";
        serial: optional Text(1, 50), "Unique; this or the MAC address is needed.";
        mac: optional Mac, "Unique.";
        name: optional Text(1, 100), "What it is called.";
        pon_port: required Integer(1, 1024), "The OLT's port.";
        onu_number: required Integer(1, 256), "Its number on the port.";
        customer_id: optional Id, "At whose house it is.";
        service_id: optional Id, "The customer's line; the primary one where it is not given.";
        status: optional Word(STATUSES), "As another system sees it.";
        rx_power: optional Amount, "Light it receives, in dBm.";
        tx_power: optional Amount, "Light it sends, in dBm.";
        distance_m: optional Integer(0, 100000), "Metres of fibre.";
    }
}

doors::form! {
    OnuChange {
        olt_id: optional Id, "Where its fibre begins.";
        serial: optional Text(1, 50), "Unique; this or the MAC address is needed.";
        mac: optional Mac, "Unique.";
        name: optional Text(1, 100), "What it is called.";
        pon_port: optional Integer(1, 1024), "The OLT's port.";
        onu_number: optional Integer(1, 256), "Its number on the port.";
        customer_id: optional Id, "At whose house it is; null for nobody's.";
        service_id: optional Id, "The customer's line.";
        status: optional Word(STATUSES), "As another system sees it.";
        rx_power: optional Amount, "Light it receives, in dBm.";
        tx_power: optional Amount, "Light it sends, in dBm.";
        distance_m: optional Integer(0, 100000), "Metres of fibre.";
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Onu)]
pub struct Row {
    id: i64,
    olt_id: i64,
    olt: Option<String>,
    name: String,
    serial: Option<String>,
    mac: Option<String>,
    pon_port: i64,
    onu_number: i64,
    customer_id: Option<i64>,
    customer: Option<String>,
    service_id: Option<i64>,
    /// `unknown` until somebody has looked, then `up` or `down`.
    status: String,
    status_since: String,
    /// dBm.
    #[schema(value_type = Option<f64>)]
    rx_power: Option<Number>,
    /// dBm.
    #[schema(value_type = Option<f64>)]
    tx_power: Option<Number>,
    distance_m: Option<i64>,
    last_seen_at: Option<String>,
    created_at: String,
    updated_at: String,
}

fn row(Shown { onu, olt_name, customer_name, branch: _ }: Shown) -> Row {
    let dbm = |hundredths: Option<i64>| hundredths.map(|hundredths| thousandths(hundredths * 10));
    Row {
        id: onu.id,
        olt_id: onu.olt_id,
        olt: olt_name,
        name: onu.name,
        serial: onu.serial_number,
        mac: onu.mac,
        pon_port: onu.pon_port,
        onu_number: onu.line,
        customer_id: onu.customer_id.map(|id| id.0),
        customer: customer_name,
        service_id: onu.service_id.map(|id| id.0),
        status: onu.status,
        status_since: utc_seconds(onu.status_since),
        rx_power: dbm(onu.rx_power),
        tx_power: dbm(onu.tx_power),
        distance_m: onu.distance_m,
        last_seen_at: onu.last_seen_at.map(utc_seconds),
        created_at: utc_seconds(onu.created_at),
        updated_at: utc_seconds(onu.updated_at),
    }
}

/// Thousandths of a dBm as hundredths. Between dark and blinding.
fn light(field: &'static str, given: Given<i64>) -> Result<Option<Option<i64>>, Error> {
    match given.change() {
        Some(Some(thousandths)) if !(-99_990..=40_000).contains(&thousandths) => {
            Err(Error::invalid(field, Why::Not(Expected::Dbm)))
        }
        given => Ok(given.map(|given| given.map(|thousandths| thousandths.div_euclid(10)))),
    }
}

pub const LIST: Operation =
    Operation::new("Network", "List all ONUs", Scope::NetworkRead).query::<OnuFilter>().lists::<Row>();

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(filter): Query<OnuFilter>,
) -> Result<Listing<Row>, Failure> {
    let OnuFilter { olt_id, status, customer_id, search } = filter;
    let filter = Filter {
        olt: olt_id.value(),
        status: status.value().map(str::to_string),
        customer: customer_id.value().map(CustomerId),
        branch: None,
        search: search.value(),
    };
    let (rows, total) = onus::list(&app, &caller.actor, filter, page.offset(), page.limit()).await?;
    Ok(page.of(rows.into_iter().map(row).collect(), total))
}

/// The same for who watches and does not change the network.
pub const WATCH: Operation =
    Operation::new("Monitoring", "ONU list", Scope::MonitoringRead).query::<OnuFilter>().lists::<Row>();

pub async fn watch(
    app: State<App>,
    caller: Caller,
    page: Page,
    filter: Query<OnuFilter>,
) -> Result<Listing<Row>, Failure> {
    list(app, caller, page, filter).await
}

pub const CREATE: Operation =
    Operation::new("Network", "Create an ONU", Scope::NetworkWrite).body::<NewOnu>().creates::<Row>();

pub async fn create(State(app): State<App>, caller: Caller, Body(body): Body<NewOnu>) -> Answer<Row> {
    let NewOnu {
        olt_id,
        serial,
        mac,
        name,
        pon_port,
        onu_number,
        customer_id,
        service_id,
        status,
        rx_power,
        tx_power,
        distance_m,
    } = body;
    let wish = Wish {
        olt: Some(olt_id),
        name: name.value(),
        serial: serial.change(),
        mac: mac.change(),
        pon_port: Some(pon_port),
        line: Some(onu_number),
        customer: customer_id.map(CustomerId).change(),
        service: service_id.map(ServiceId).change(),
        status: status.value(),
        rx_power: light("rx_power", rx_power)?,
        tx_power: light("tx_power", tx_power)?,
        distance_m: distance_m.change(),
    };
    let made = onus::create(&app, &caller.actor, wish).await?;
    let changed = made.onu.updated_at;
    Ok(Reply::created(row(made)).tagged(changed))
}

pub const SHOW: Operation = Operation::new("Network", "Retrieve an ONU", Scope::NetworkRead)
    .about("The access log says who looked.")
    .answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let found = onus::open(&app, &caller.actor, id).await?;
    let changed = found.onu.updated_at;
    Ok(Reply::data(row(found)).tagged(changed))
}

pub const UPDATE: Operation = Operation::new("Network", "Update an ONU", Scope::NetworkWrite)
    .body::<OnuChange>()
    .answers::<Row>()
    .refuses(&[412]);

pub async fn update(State(app): State<App>, caller: Caller, Id(id): Id, Body(body): Body<OnuChange>) -> Answer<Row> {
    let OnuChange {
        olt_id,
        serial,
        mac,
        name,
        pon_port,
        onu_number,
        customer_id,
        service_id,
        status,
        rx_power,
        tx_power,
        distance_m,
    } = body;
    let wish = Wish {
        olt: olt_id.value(),
        name: name.change().map(Option::unwrap_or_default),
        serial: serial.change(),
        mac: mac.change(),
        pon_port: pon_port.value(),
        line: onu_number.value(),
        customer: customer_id.map(CustomerId).change(),
        service: service_id.map(ServiceId).change(),
        status: status.value(),
        rx_power: light("rx_power", rx_power)?,
        tx_power: light("tx_power", tx_power)?,
        distance_m: distance_m.change(),
    };
    let written = onus::update(&app, &caller.actor, id, caller.unchanged_since()?, wish).await?;
    let changed = written.onu.updated_at;
    Ok(Reply::data(row(written)).tagged(changed))
}

pub const DELETE: Operation =
    Operation::new("Network", "Delete an ONU", Scope::NetworkWrite).no_content().refuses(&[412]);

pub async fn delete(State(app): State<App>, caller: Caller, Id(id): Id) -> Done {
    onus::delete(&app, &caller.actor, id, caller.unchanged_since()?).await?;
    NO_CONTENT
}
