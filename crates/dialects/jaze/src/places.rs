//! E15 to E20: areas, streets and buildings. Adding and editing share an address: with an id of its own a row is edited
//! (J13).

use axum::extract::State;
use doors::fields::id;
use serde_json::{Value, json};
use service::{App, customers::collection_places};

use crate::envelope::{Answer, Call, Failure, Reply, line};

/// E15 Add and edit area.
pub async fn put_area(State(app): State<App>, mut call: Call) -> Answer {
    let name = call.body.required("areaName", line(100));
    let own = call.body.optional("inputAreaId", id).value();
    call.body.finish()?;
    collection_places::put_area(&app, &call.actor, own, named(name)?).await?;
    Ok(Reply::done())
}

/// E16 Add and edit street.
pub async fn put_street(State(app): State<App>, mut call: Call) -> Answer {
    let name = call.body.required("streetName", line(100));
    let area = call.body.required("inputAreaId", id);
    let own = call.body.optional("inputStreetId", id).value();
    call.body.finish()?;
    collection_places::put_street(&app, &call.actor, own, area, named(name)?).await?;
    Ok(Reply::done())
}

/// E17 Add and edit building.
pub async fn put_building(State(app): State<App>, mut call: Call) -> Answer {
    let name = call.body.required("blockName", line(100));
    let street = call.body.required("inputStreetId", id);
    let own = call.body.optional("inputBlockId", id).value();
    call.body.finish()?;
    collection_places::put_building(&app, &call.actor, own, street, named(name)?).await?;
    Ok(Reply::done())
}

fn named(name: String) -> Result<String, Failure> {
    if name.is_empty() { Err(Failure::said("The name must say something")) } else { Ok(name) }
}

/// E18 Get all areas.
pub async fn areas(State(app): State<App>, call: Call) -> Answer {
    let rows = collection_places::areas(&app, &call.actor).await?;
    let row = |area: &service::customers::collection_places::Area| {
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
    let rows = collection_places::streets(&app, &call.actor, area).await?;
    let row = |street: &service::customers::collection_places::Street| {
        json!({ "CollectionStreet": {
            "id": street.id.to_string(), "account_id": call.account, "area_id": street.area_id.to_string(),
            "street": street.name, "internal": Value::Null
        } })
    };
    Ok(Reply::data(rows.iter().map(row).collect()))
}

/// E20 Get all buildings, or a street's.
pub async fn buildings(State(app): State<App>, mut call: Call) -> Answer {
    let street = call.body.optional("streetId", id).value();
    call.body.finish()?;
    let rows = collection_places::buildings(&app, &call.actor, street).await?;
    let row = |building: &service::customers::collection_places::Building| {
        json!({ "CollectionBlock": {
            "id": building.id.to_string(), "account_id": call.account, "street_id": building.street_id.to_string(),
            "block": building.name, "internal": Value::Null
        } })
    };
    Ok(Reply::data(rows.iter().map(row).collect()))
}
