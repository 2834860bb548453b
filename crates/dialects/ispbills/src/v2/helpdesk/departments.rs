//! Departments that customers belong to (Zal's calls use them).

use axum::extract::State;
use domain::Scope;
use doors::{Id, Operation, form::Body, wire::utc_seconds};
use serde::Serialize;
use service::{
    App,
    customers::places::{self, Entry, EntryChange, Level},
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Done, Failure, Listing, NO_CONTENT, Page, Reply};

const TAG: &str = "Departments";
const DEPARTMENT: Level = Level::Department;

#[derive(Serialize, ToSchema)]
#[schema(as = Department)]
pub struct Row {
    id: i64,
    name: String,
    /// How many customers belong to it.
    customers: i64,
    created_at: String,
    updated_at: String,
}

fn row(entry: Entry) -> Row {
    Row {
        id: entry.id,
        updated_at: utc_seconds(places::changed(&entry)),
        name: entry.name,
        customers: entry.customers,
        created_at: utc_seconds(entry.created_at),
    }
}

fn shown(entry: Entry) -> Reply<Row> {
    let changed = places::changed(&entry);
    Reply::data(row(entry)).tagged(changed)
}

pub const LIST: Operation = Operation::new(TAG, "List departments", Scope::PlacesRead).about("By name.").lists::<Row>();

pub async fn list(State(app): State<App>, caller: Caller, page: Page) -> Result<Listing<Row>, Failure> {
    let (found, total) = places::list(&app, &caller.actor, DEPARTMENT, None, page.offset(), page.limit()).await?;
    Ok(page.of(found.into_iter().map(row).collect(), total))
}

doors::form! {
    NewDepartment {
        name: required Text(1, 100), "What it is called.";
    }
}

pub const CREATE: Operation =
    Operation::new(TAG, "Create a department", Scope::PlacesWrite).body::<NewDepartment>().creates::<Row>();

pub async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(NewDepartment { name }): Body<NewDepartment>,
) -> Answer<Row> {
    let made = places::create(&app, &caller.actor, DEPARTMENT, None, name).await?;
    let changed = places::changed(&made);
    Ok(Reply::created(row(made)).tagged(changed))
}

pub const SHOW: Operation = Operation::new(TAG, "Retrieve a department", Scope::PlacesRead).answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    Ok(shown(places::show(&app, &caller.actor, DEPARTMENT, id).await?))
}

doors::form! {
    DepartmentUpdate {
        name: optional Text(1, 100), "What it is called.";
    }
}

pub const UPDATE: Operation = Operation::new(TAG, "Update a department", Scope::PlacesWrite)
    .body::<DepartmentUpdate>()
    .answers::<Row>()
    .conditional();

pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(DepartmentUpdate { name }): Body<DepartmentUpdate>,
) -> Answer<Row> {
    let command = EntryChange { name: name.value(), parent: None, unchanged_since: caller.unchanged_since()? };
    Ok(shown(places::update(&app, &caller.actor, DEPARTMENT, id, command).await?))
}

pub const DELETE: Operation = Operation::new(TAG, "Delete a department", Scope::PlacesWrite)
    .about("Refused (409) while customers belong to it.")
    .no_content()
    .conditional();

pub async fn delete(State(app): State<App>, caller: Caller, Id(id): Id) -> Done {
    places::delete(&app, &caller.actor, DEPARTMENT, id, caller.unchanged_since()?).await?;
    NO_CONTENT
}
