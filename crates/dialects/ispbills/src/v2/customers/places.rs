//! Places that customers are sorted by, of every level: country to subarea, where customers live (Zal's calls use them),
//! and collection area, street, building, where collectors go (Jaze's).

use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, RawPathParams, State},
    http::request::Parts,
};
use domain::Scope;
use doors::{
    Id, Operation,
    form::{Body, Query},
    wire::utc_seconds,
};
use serde::Serialize;
use service::{
    App, Error, What,
    customers::places::{self, Entry, EntryChange, Level},
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Done, Failure, Listing, NO_CONTENT, Page, Reply};
use crate::v2::refused;

const TAG: &str = "Places";

/// The level in a path, if it is one.
pub struct At(Option<Level>);

impl At {
    fn level(self) -> Result<Level, Error> {
        self.0.ok_or(Error::NotFound { what: What::PlaceLevel })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for At {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<At, Infallible> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let word = params.as_ref().ok().and_then(|params| params.iter().find(|(name, _)| *name == "level"));
        Ok(At(word.and_then(|(_, word)| Level::from_word(word))))
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Place)]
pub struct Row {
    /// Each level has ids of its own.
    id: i64,
    level: &'static str,
    /// The place of the level above that it lies in.
    parent_id: Option<i64>,
    name: String,
    /// A collection area of one branch, and what lies in it; null is everybody's.
    branch_id: Option<i64>,
    /// How many places lie in it.
    places: i64,
    /// How many customers are in it.
    customers: i64,
    created_at: String,
    updated_at: String,
}

fn row(level: Level, entry: Entry) -> Row {
    Row {
        id: entry.id,
        level: level.word(),
        parent_id: entry.parent,
        updated_at: utc_seconds(places::changed(&entry)),
        name: entry.name,
        branch_id: entry.branch.map(|id| id.0),
        places: entry.places,
        customers: entry.customers,
        created_at: utc_seconds(entry.created_at),
    }
}

fn shown(level: Level, entry: Entry, made: bool) -> Reply<Row> {
    let changed = places::changed(&entry);
    let row = row(level, entry);
    if made { Reply::created(row) } else { Reply::data(row) }.tagged(changed)
}

doors::form! {
    PlaceFilter {
        parent_id: optional Id, "Only what lies in this place of the level above.";
    }
}

pub const LIST: Operation = Operation::new(TAG, "List places of a level", Scope::PlacesRead)
    .about(
        "By name. Levels are country, province, city, area and subarea, each within the one before; and \
         collection_area, street and building, where collectors go.",
    )
    .query::<PlaceFilter>()
    .lists::<Row>();

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    at: At,
    page: Page,
    Query(PlaceFilter { parent_id }): Query<PlaceFilter>,
) -> Result<Listing<Row>, Failure> {
    let level = at.level()?;
    let (found, total) =
        places::list(&app, &caller.actor, level, parent_id.value(), page.offset(), page.limit()).await?;
    Ok(page.of(found.into_iter().map(|entry| row(level, entry)).collect(), total))
}

doors::form! {
    NewPlace {
        name: required Text(1, 100), "What it is called.";
        parent_id: optional Id, "The place of the level above that it lies in; a street and a building need one.";
    }
}

pub const CREATE: Operation =
    Operation::new(TAG, "Create a place", Scope::PlacesWrite).body::<NewPlace>().creates::<Row>();

pub async fn create(State(app): State<App>, caller: Caller, at: At, Body(body): Body<NewPlace>) -> Answer<Row> {
    let (level, NewPlace { name, parent_id }) = (at.level()?, body);
    let made = places::create(&app, &caller.actor, level, parent_id.value(), name).await.map_err(refused)?;
    Ok(shown(level, made, true))
}

pub const SHOW: Operation = Operation::new(TAG, "Retrieve a place", Scope::PlacesRead).answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, at: At, Id(id): Id) -> Answer<Row> {
    let level = at.level()?;
    Ok(shown(level, places::show(&app, &caller.actor, level, id).await?, false))
}

doors::form! {
    PlaceUpdate {
        name: optional Text(1, 100), "What it is called.";
        parent_id: optional Id, "The place of the level above that it lies in; customers keep what they have.";
    }
}

pub const UPDATE: Operation =
    Operation::new(TAG, "Update a place", Scope::PlacesWrite).body::<PlaceUpdate>().answers::<Row>().conditional();

pub async fn update(
    State(app): State<App>,
    caller: Caller,
    at: At,
    Id(id): Id,
    Body(body): Body<PlaceUpdate>,
) -> Answer<Row> {
    let (level, PlaceUpdate { name, parent_id }) = (at.level()?, body);
    let command =
        EntryChange { name: name.value(), parent: parent_id.change(), unchanged_since: caller.unchanged_since()? };
    let entry = places::update(&app, &caller.actor, level, id, command).await.map_err(refused)?;
    Ok(shown(level, entry, false))
}

pub const DELETE: Operation = Operation::new(TAG, "Delete a place", Scope::PlacesWrite)
    .about("Refused (409) while a customer or another place is in it.")
    .no_content()
    .conditional();

pub async fn delete(State(app): State<App>, caller: Caller, at: At, Id(id): Id) -> Done {
    places::delete(&app, &caller.actor, at.level()?, id, caller.unchanged_since()?).await?;
    NO_CONTENT
}
