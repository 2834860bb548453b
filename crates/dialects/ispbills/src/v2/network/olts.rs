//! OLTs.

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
        olts::{self, Olt, SNMP_VERSIONS, VENDORS, Wish},
    },
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Done, Failure, Listing, NO_CONTENT, Page, Reply};

doors::form! {
    OltFilter {
        status: optional Word(STATUSES), "Only those in this state.";
        search: optional Text(1, 100), "Part of a name or address.";
    }
}

doors::form! {
    NewOlt {
        name: required Text(1, 100), "Unique.";
        vendor: required Word(VENDORS), "Who made it.";
        address: required Text(1, 253), "Where SNMP reaches it.";
        snmp_version: optional Word(SNMP_VERSIONS), "2c where it is not given.";
        snmp_port: optional Integer(1, 65535), "161 where it is not given.";
        snmp_community: optional Secret(1, 100), "Kept sealed, never shown.";
        pon_ports: optional Integer(1, 1024), "How many PON ports it has; 8 where it is not given.";
        status: optional Word(STATUSES), "As another system sees it.";
    }
}

doors::form! {
    OltChange {
        name: optional Text(1, 100), "Unique.";
        vendor: optional Word(VENDORS), "Who made it.";
        address: optional Text(1, 253), "Where SNMP reaches it.";
        snmp_version: optional Word(SNMP_VERSIONS), "The protocol's version.";
        snmp_port: optional Integer(1, 65535), "Its UDP port.";
        snmp_community: optional Secret(1, 100), "Null forgets it.";
        pon_ports: optional Integer(1, 1024), "How many PON ports it has; none that is in use can be left out.";
        status: optional Word(STATUSES), "As another system sees it.";
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Olt)]
pub struct Row {
    id: i64,
    name: String,
    vendor: String,
    address: String,
    snmp_version: String,
    snmp_port: i64,
    /// Whether a community is kept.
    snmp_community_set: bool,
    pon_ports: i64,
    onus: i64,
    /// `unknown` until somebody has looked, then `up` or `down`.
    status: String,
    status_since: String,
    last_seen_at: Option<String>,
    created_at: String,
    updated_at: String,
}

fn row((olt, onus): (Olt, i64)) -> Row {
    Row {
        id: olt.id,
        name: olt.name,
        vendor: olt.vendor,
        address: olt.address,
        snmp_version: olt.snmp_version,
        snmp_port: olt.snmp_port,
        snmp_community_set: olt.snmp_community.is_some(),
        pon_ports: olt.pon_ports,
        onus,
        status: olt.status,
        status_since: utc_seconds(olt.status_since),
        last_seen_at: olt.last_seen_at.map(utc_seconds),
        created_at: utc_seconds(olt.created_at),
        updated_at: utc_seconds(olt.updated_at),
    }
}

pub const LIST: Operation =
    Operation::new("Network", "List all OLTs", Scope::NetworkRead).query::<OltFilter>().lists::<Row>();

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(filter): Query<OltFilter>,
) -> Result<Listing<Row>, Failure> {
    let OltFilter { status, search } = filter;
    let filter = Filter { status: status.value().map(str::to_string), search: search.value(), ..Filter::default() };
    let (rows, total) = olts::list(&app, &caller.actor, filter, page.offset(), page.limit()).await?;
    Ok(page.of(rows.into_iter().map(row).collect(), total))
}

pub const CREATE: Operation =
    Operation::new("Network", "Create an OLT", Scope::NetworkWrite).body::<NewOlt>().creates::<Row>();

pub async fn create(State(app): State<App>, caller: Caller, Body(body): Body<NewOlt>) -> Answer<Row> {
    let NewOlt { name, vendor, address, snmp_version, snmp_port, snmp_community, pon_ports, status } = body;
    let wish = Wish {
        name: Some(name),
        vendor: Some(vendor),
        address: Some(address),
        snmp_version: snmp_version.value(),
        snmp_port: snmp_port.value(),
        snmp_community: snmp_community.change(),
        pon_ports: pon_ports.value(),
        status: status.value(),
    };
    let made = olts::create(&app, &caller.actor, wish).await?;
    let changed = made.0.updated_at;
    Ok(Reply::created(row(made)).tagged(changed))
}

pub const SHOW: Operation = Operation::new("Network", "Retrieve an OLT", Scope::NetworkRead)
    .about("The access log says who looked.")
    .answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let found = olts::open(&app, &caller.actor, id).await?;
    let changed = found.0.updated_at;
    Ok(Reply::data(row(found)).tagged(changed))
}

pub const UPDATE: Operation = Operation::new("Network", "Update an OLT", Scope::NetworkWrite)
    .body::<OltChange>()
    .answers::<Row>()
    .refuses(&[412]);

pub async fn update(State(app): State<App>, caller: Caller, Id(id): Id, Body(body): Body<OltChange>) -> Answer<Row> {
    let OltChange { name, vendor, address, snmp_version, snmp_port, snmp_community, pon_ports, status } = body;
    let wish = Wish {
        name: name.value(),
        vendor: vendor.value(),
        address: address.value(),
        snmp_version: snmp_version.value(),
        snmp_port: snmp_port.value(),
        snmp_community: snmp_community.change(),
        pon_ports: pon_ports.value(),
        status: status.value(),
    };
    let written = olts::update(&app, &caller.actor, id, caller.unchanged_since()?, wish).await?;
    let changed = written.0.updated_at;
    Ok(Reply::data(row(written)).tagged(changed))
}

pub const DELETE: Operation = Operation::new("Network", "Delete an OLT", Scope::NetworkWrite)
    .about("One that has ONUs is refused.")
    .no_content()
    .refuses(&[412]);

pub async fn delete(State(app): State<App>, caller: Caller, Id(id): Id) -> Done {
    olts::delete(&app, &caller.actor, id, caller.unchanged_since()?).await?;
    NO_CONTENT
}
