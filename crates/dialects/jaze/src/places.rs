//! E15 to E20: areas, streets and buildings. Adding and editing share an address: with an id of its own a row is edited
//! (J13).

use axum::extract::State;
use doors::fields::{self, id};
use serde_json::{Value, json};
use service::{
    App,
    customers::places::{self, EntryChange, Level, Place},
};

use crate::envelope::{Answer, Call, Failure, Reply, line};

/// E15 Add and edit area.
pub async fn put_area(State(app): State<App>, mut call: Call) -> Answer {
    let name = call.body.required("areaName", line(100));
    let own = call.body.optional("inputAreaId", id).value();
    call.body.finish()?;
    put(&app, &call, Level::CollectionArea, own, None, name).await
}

/// E16 Add and edit street.
pub async fn put_street(State(app): State<App>, mut call: Call) -> Answer {
    let name = call.body.required("streetName", line(100));
    let area = call.body.required("inputAreaId", id);
    let own = call.body.optional("inputStreetId", id).value();
    call.body.finish()?;
    put(&app, &call, Level::Street, own, Some((area, "area")), name).await
}

/// E17 Add and edit building.
pub async fn put_building(State(app): State<App>, mut call: Call) -> Answer {
    let name = call.body.required("blockName", line(100));
    let street = call.body.required("inputStreetId", id);
    let own = call.body.optional("inputBlockId", id).value();
    call.body.finish()?;
    put(&app, &call, Level::Building, own, Some((street, "street")), name).await
}

/// A new place, or another name for the one that `own` names; in `within`, which is called so.
async fn put(
    app: &App,
    call: &Call,
    level: Level,
    own: Option<i64>,
    within: Option<(i64, &'static str)>,
    name: String,
) -> Answer {
    if name.is_empty() {
        return Err(Failure::said("The name must say something"));
    }
    let parent = within.map(|(parent, _)| parent);
    let done = match own {
        Some(id) => {
            let change = EntryChange { name: Some(name), parent: parent.map(Some), unchanged_since: None };
            places::update(app, &call.actor, level, id, change).await
        }
        None => places::create(app, &call.actor, level, parent, name).await,
    };
    done.map_err(|error| fields::named(error, &[("parent", within.map_or("parent", |(_, word)| word))]))?;
    Ok(Reply::done())
}

/// E18 Get all areas.
pub async fn areas(State(app): State<App>, call: Call) -> Answer {
    let rows = places::all(&app, &call.actor, Level::CollectionArea, None).await?;
    let row = |area: &Place| {
        json!({ "CollectionArea": {
            "id": area.id.to_string(), "account_id": call.account_of(area.branch_id), "area": area.name,
            "internal": Value::Null
        } })
    };
    Ok(Reply::data(rows.iter().map(row).collect()))
}

/// E19 Get all streets, or an area's.
pub async fn streets(State(app): State<App>, mut call: Call) -> Answer {
    let area = call.body.optional("inputAreaId", id).value();
    call.body.finish()?;
    let rows = places::all(&app, &call.actor, Level::Street, area).await?;
    let row = |street: &Place| {
        json!({ "CollectionStreet": {
            "id": street.id.to_string(), "account_id": call.account, "area_id": parent(street), "street": street.name,
            "internal": Value::Null
        } })
    };
    Ok(Reply::data(rows.iter().map(row).collect()))
}

/// E20 Get all buildings, or a street's.
pub async fn buildings(State(app): State<App>, mut call: Call) -> Answer {
    let street = call.body.optional("streetId", id).value();
    call.body.finish()?;
    let rows = places::all(&app, &call.actor, Level::Building, street).await?;
    let row = |building: &Place| {
        json!({ "CollectionBlock": {
            "id": building.id.to_string(), "account_id": call.account, "street_id": parent(building),
            "block": building.name, "internal": Value::Null
        } })
    };
    Ok(Reply::data(rows.iter().map(row).collect()))
}

fn parent(place: &Place) -> String {
    place.parent_id.unwrap_or_default().to_string()
}
