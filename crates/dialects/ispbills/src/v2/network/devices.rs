//! Devices: radios, switches, servers, and what Zabbix says of them.

use axum::extract::State;
use domain::Scope;
use doors::{
    Operation,
    form::{Body, Query},
    routes::Id,
    wire::utc_seconds,
};
use serde::Serialize;
use service::{
    App,
    plant::{
        Filter, STATUSES,
        devices::{self, Device, KINDS, SEVERITIES, SOURCES, Wish},
    },
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Done, Failure, Listing, NO_CONTENT, Page, Reply};

doors::form! {
    DeviceFilter {
        kind: optional Word(KINDS), "Only of this kind.";
        status: optional Word(STATUSES), "Only those in this state.";
        source: optional Word(SOURCES), "Only those that this source knows.";
        search: optional Text(1, 100), "Part of a name, address or MAC address.";
    }
}

doors::form! {
    /// Where the path says the kind or source.
    DeviceSearch {
        status: optional Word(STATUSES), "Only those in this state.";
        search: optional Text(1, 100), "Part of a name, address or MAC address.";
    }
}

doors::form! {
    NewDevice {
        name: required Text(1, 100), "Unique.";
        kind: required Word(KINDS), "What it is.";
        address: required Text(1, 253), "A host name or an IP address.";
        mac: optional Mac, "Its MAC address.";
        model: optional Text(1, 100), "As its maker calls it.";
        status: optional Word(STATUSES), "As another system sees it.";
        source: optional Word(SOURCES), "Who tells of it; manual where it is not given.";
        external_id: optional Text(1, 100), "Its id at its source; unique there.";
    }
}

doors::form! {
    DeviceChange {
        name: optional Text(1, 100), "Unique.";
        kind: optional Word(KINDS), "What it is.";
        address: optional Text(1, 253), "A host name or an IP address.";
        mac: optional Mac, "Its MAC address.";
        model: optional Text(1, 100), "As its maker calls it.";
        status: optional Word(STATUSES), "As another system sees it.";
        source: optional Word(SOURCES), "Who tells of it.";
        external_id: optional Text(1, 100), "Its id at its source; unique there.";
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Device)]
pub struct Row {
    id: i64,
    name: String,
    kind: String,
    address: String,
    mac: Option<String>,
    model: Option<String>,
    /// `unknown` until somebody has looked, then `up` or `down`.
    status: String,
    status_since: String,
    last_seen_at: Option<String>,
    source: String,
    external_id: Option<String>,
    /// How many problems it has now.
    problems: i64,
    created_at: String,
    updated_at: String,
}

fn row((device, problems): (Device, i64)) -> Row {
    Row {
        id: device.id,
        name: device.name,
        kind: device.kind,
        address: device.address,
        mac: device.mac,
        model: device.model,
        status: device.status,
        status_since: utc_seconds(device.status_since),
        last_seen_at: device.last_seen_at.map(utc_seconds),
        source: device.source,
        external_id: device.external_id,
        problems,
        created_at: utc_seconds(device.created_at),
        updated_at: utc_seconds(device.updated_at),
    }
}

async fn page_of(app: App, caller: Caller, page: Page, filter: Filter) -> Result<Listing<Row>, Failure> {
    let (rows, total) = devices::list(&app, &caller.actor, filter, page.offset(), page.limit()).await?;
    Ok(page.of(rows.into_iter().map(row).collect(), total))
}

pub const LIST: Operation = Operation::new("Monitoring", "Device status overview", Scope::MonitoringRead)
    .query::<DeviceFilter>()
    .lists::<Row>();

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(filter): Query<DeviceFilter>,
) -> Result<Listing<Row>, Failure> {
    let DeviceFilter { kind, status, source, search } = filter;
    let text = |word: Option<&'static str>| word.map(str::to_string);
    let filter = Filter {
        kind: text(kind.value()),
        status: text(status.value()),
        source: text(source.value()),
        search: search.value(),
    };
    page_of(app, caller, page, filter).await
}

fn searched(DeviceSearch { status, search }: DeviceSearch) -> Filter {
    Filter { status: status.value().map(str::to_string), search: search.value(), ..Filter::default() }
}

pub const UBIQUITI: Operation = Operation::new("Monitoring", "Ubiquiti device status", Scope::MonitoringRead)
    .query::<DeviceSearch>()
    .lists::<Row>();

pub async fn ubiquiti(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(filter): Query<DeviceSearch>,
) -> Result<Listing<Row>, Failure> {
    page_of(app, caller, page, Filter { kind: Some("ubiquiti".into()), ..searched(filter) }).await
}

pub const CAMBIUM: Operation =
    Operation::new("Monitoring", "Cambium device status", Scope::MonitoringRead).query::<DeviceSearch>().lists::<Row>();

pub async fn cambium(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(filter): Query<DeviceSearch>,
) -> Result<Listing<Row>, Failure> {
    page_of(app, caller, page, Filter { kind: Some("cambium".into()), ..searched(filter) }).await
}

pub const ZABBIX: Operation = Operation::new("Monitoring", "Zabbix hosts", Scope::MonitoringRead)
    .about("Devices whose source is Zabbix, with how many problems each has.")
    .query::<DeviceSearch>()
    .lists::<Row>();

pub async fn zabbix(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(filter): Query<DeviceSearch>,
) -> Result<Listing<Row>, Failure> {
    page_of(app, caller, page, Filter { source: Some("zabbix".into()), ..searched(filter) }).await
}

doors::form! {
    ProblemFilter {
        severity: optional Word(SEVERITIES), "Only of this severity.";
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Problem {
    id: i64,
    device_id: i64,
    device: String,
    external_id: String,
    severity: String,
    text: String,
    began_at: String,
}

pub const PROBLEMS: Operation = Operation::new("Monitoring", "Zabbix active problems", Scope::MonitoringRead)
    .query::<ProblemFilter>()
    .lists::<Problem>();

pub async fn problems(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(filter): Query<ProblemFilter>,
) -> Result<Listing<Problem>, Failure> {
    let severity = filter.severity.value();
    let (rows, total) = devices::problems(&app, &caller.actor, severity, page.offset(), page.limit()).await?;
    let rows = rows.into_iter().map(|(problem, device)| Problem {
        id: problem.id,
        device_id: problem.device_id,
        device,
        external_id: problem.external_id,
        severity: problem.severity,
        text: problem.text,
        began_at: utc_seconds(problem.began_at),
    });
    Ok(page.of(rows.collect(), total))
}

pub const CREATE: Operation =
    Operation::new("Monitoring", "Create a device", Scope::MonitoringWrite).body::<NewDevice>().creates::<Row>();

pub async fn create(State(app): State<App>, caller: Caller, Body(body): Body<NewDevice>) -> Answer<Row> {
    let NewDevice { name, kind, address, mac, model, status, source, external_id } = body;
    let wish = Wish {
        name: Some(name),
        kind: Some(kind),
        address: Some(address),
        mac: mac.change(),
        model: model.change(),
        status: status.value(),
        source: source.value(),
        external_id: external_id.change(),
    };
    let made = devices::create(&app, &caller.actor, wish).await?;
    let changed = made.updated_at;
    Ok(Reply::created(row((made, 0))).tagged(changed))
}

pub const SHOW: Operation = Operation::new("Monitoring", "Retrieve a device", Scope::MonitoringRead)
    .about("The access log says who looked.")
    .answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let found = devices::open(&app, &caller.actor, id).await?;
    let changed = found.0.updated_at;
    Ok(Reply::data(row(found)).tagged(changed))
}

pub const UPDATE: Operation = Operation::new("Monitoring", "Update a device", Scope::MonitoringWrite)
    .body::<DeviceChange>()
    .answers::<Row>()
    .refuses(&[412]);

pub async fn update(State(app): State<App>, caller: Caller, Id(id): Id, Body(body): Body<DeviceChange>) -> Answer<Row> {
    let DeviceChange { name, kind, address, mac, model, status, source, external_id } = body;
    let wish = Wish {
        name: name.value(),
        kind: kind.value(),
        address: address.value(),
        mac: mac.change(),
        model: model.change(),
        status: status.value(),
        source: source.value(),
        external_id: external_id.change(),
    };
    let written = devices::update(&app, &caller.actor, id, caller.unchanged_since()?, wish).await?;
    let changed = written.0.updated_at;
    Ok(Reply::data(row(written)).tagged(changed))
}

pub const DELETE: Operation =
    Operation::new("Monitoring", "Delete a device", Scope::MonitoringWrite).no_content().refuses(&[412]);

pub async fn delete(State(app): State<App>, caller: Caller, Id(id): Id) -> Done {
    devices::delete(&app, &caller.actor, id, caller.unchanged_since()?).await?;
    NO_CONTENT
}
