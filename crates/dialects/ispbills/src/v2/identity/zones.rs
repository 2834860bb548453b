//! Zones: branches with the account names by which Jaze's clients know them. Their credentials are API clients of type
//! `pair`.

use axum::extract::State;
use domain::{BranchId, Scope};
use doors::{Id, Operation, form::Body, wire::utc_seconds};
use serde::Serialize;
use service::{
    App,
    identity::branches::{self, Listed, NewZone, ZoneChange},
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Done, Failure, Listing, NO_CONTENT, Page, Reply};
use crate::v2::refused;

const TAG: &str = "Zones";

#[derive(Serialize, ToSchema)]
#[schema(as = Zone)]
pub struct Row {
    /// What other calls name `branch_id`.
    id: i64,
    name: String,
    /// What Jaze's calls name `accountId`; null: they do not know it.
    account: Option<String>,
    /// Of the zone that this one lies in.
    parent_id: Option<i64>,
    /// The head office: its account is the whole provider's.
    is_head_office: bool,
    /// The operator whose branch it is.
    operator_id: Option<i64>,
    /// How many are in it; null for the head office, which has everybody.
    customers: Option<i64>,
    created_at: String,
    updated_at: String,
}

fn row(zone: Listed, head: BranchId) -> Row {
    Row {
        id: zone.id.0,
        updated_at: utc_seconds(branches::changed(&zone)),
        name: zone.name,
        account: zone.account,
        parent_id: zone.parent.map(|id| id.0),
        is_head_office: zone.id == head,
        operator_id: zone.operator.map(|id| id.0),
        customers: (zone.id != head).then_some(zone.customers),
        created_at: utc_seconds(zone.created_at),
    }
}

/// The zone with its tag.
async fn shown(app: &App, caller: &Caller, id: BranchId, made: bool) -> Answer<Row> {
    let (head, zone) = branches::show(app, &caller.actor, id).await?;
    let changed = branches::changed(&zone);
    let row = row(zone, head);
    Ok(if made { Reply::created(row) } else { Reply::data(row) }.tagged(changed))
}

pub const LIST: Operation = Operation::new(TAG, "List zones", Scope::ZonesRead)
    .about("The oldest first: the head office, then zones and operators' branches.")
    .lists::<Row>();

pub async fn list(State(app): State<App>, caller: Caller, page: Page) -> Result<Listing<Row>, Failure> {
    let (head, rows, total) = branches::page(&app, &caller.actor, page.offset(), page.limit()).await?;
    Ok(page.of(rows.into_iter().map(|zone| row(zone, head)).collect(), total))
}

doors::form! {
    NewZoneBody {
        name: required Text(1, 100), "What people call it.";
        account: optional Text(1, 60), "What Jaze's calls name it: letters, digits, dot, underscore and hyphen; unique.";
        parent_id: optional Id, "The zone that it lies in.";
    }
}

pub const CREATE: Operation = Operation::new(TAG, "Create a zone", Scope::ZonesWrite)
    .about("Credentials for it: `POST /api/v2/clients` with type `pair` and its id as `branch_id`.")
    .body::<NewZoneBody>()
    .creates::<Row>();

pub async fn create(State(app): State<App>, caller: Caller, Body(body): Body<NewZoneBody>) -> Answer<Row> {
    let NewZoneBody { name, account, parent_id } = body;
    let command = NewZone { name, account: account.value(), parent: parent_id.map(BranchId).value() };
    let made = branches::create(&app, &caller.actor, command).await.map_err(refused)?;
    shown(&app, &caller, made.id, true).await
}

pub const SHOW: Operation = Operation::new(TAG, "Retrieve a zone", Scope::ZonesRead).answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    shown(&app, &caller, BranchId(id), false).await
}

doors::form! {
    ZoneUpdate {
        name: optional Text(1, 100), "What people call it.";
        account: optional Text(1, 60), "What Jaze's calls name it; null takes the name away.";
        parent_id: optional Id, "The zone that it lies in; null: in none.";
    }
}

pub const UPDATE: Operation = Operation::new(TAG, "Update a zone", Scope::ZonesWrite)
    .about("The head office's account is that of the whole provider. A new account name counts at once.")
    .body::<ZoneUpdate>()
    .answers::<Row>()
    .conditional();

pub async fn update(State(app): State<App>, caller: Caller, Id(id): Id, Body(body): Body<ZoneUpdate>) -> Answer<Row> {
    let ZoneUpdate { name, account, parent_id } = body;
    let command = ZoneChange {
        name: name.value(),
        account: account.change(),
        parent: parent_id.map(BranchId).change(),
        unchanged_since: caller.unchanged_since()?,
    };
    let zone = branches::update(&app, &caller.actor, BranchId(id), command).await.map_err(refused)?;
    shown(&app, &caller, zone.id, false).await
}

pub const DELETE: Operation = Operation::new(TAG, "Delete a zone", Scope::ZonesWrite)
    .about(
        "Refused (409) while customers, staff, API clients, routers, webhooks, areas or other zones are in it. An \
         operator's branch goes with the operator; the head office stays.",
    )
    .no_content()
    .conditional();

pub async fn delete(State(app): State<App>, caller: Caller, Id(id): Id) -> Done {
    branches::delete(&app, &caller.actor, BranchId(id), caller.unchanged_since()?).await?;
    NO_CONTENT
}
