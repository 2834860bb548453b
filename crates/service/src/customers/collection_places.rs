//! Areas, streets and buildings: where collectors go.

use store::{db::Class, people::collection_place};

pub use store::people::collection_place::{Area, Building, Street};

use crate::{Actor, App, Error, What, Why, kernel::ids::Table};

pub async fn areas(app: &App, actor: &Actor) -> Result<Vec<Area>, Error> {
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| collection_place::areas(tx, isp).await).await?)
}

/// Streets of one area, or of all.
pub async fn streets(app: &App, actor: &Actor, area: Option<i64>) -> Result<Vec<Street>, Error> {
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| collection_place::streets(tx, isp, area.unwrap_or(0)).await).await?)
}

/// Buildings of one street, or of all.
pub async fn buildings(app: &App, actor: &Actor, street: Option<i64>) -> Result<Vec<Building>, Error> {
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| collection_place::buildings(tx, isp, street.unwrap_or(0)).await).await?)
}

/// A new area, or another name for one.
pub async fn put_area(app: &App, actor: &Actor, id: Option<i64>, name: String) -> Result<i64, Error> {
    actor.writes()?;
    let branch_id = actor.branch;
    app.change(actor, Class::Interactive, async move |change| match id {
        Some(id) => {
            let area = collection_place::area(change.tx, change.isp, id)
                .await?
                .ok_or(Error::NotFound { what: What::CollectionArea })?;
            let row = Area { name: name.clone(), updated_at: change.now, ..area };
            collection_place::rename_area(change.tx, &row).await?;
            Ok(id)
        }
        None => {
            let id = change.id(Table::CollectionArea).await?;
            let (created_at, updated_at) = (change.now, change.now);
            Area { isp_id: change.isp, id, branch_id, name: name.clone(), created_at, updated_at }
                .insert(change.tx)
                .await?;
            Ok(id)
        }
    })
    .await
}

/// A new street, or another name or area for one.
pub async fn put_street(app: &App, actor: &Actor, id: Option<i64>, area: i64, name: String) -> Result<i64, Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        if collection_place::area(change.tx, change.isp, area).await?.is_none() {
            return Err(Error::invalid("area", Why::Unknown));
        }
        match id {
            Some(id) => {
                let street = collection_place::street(change.tx, change.isp, id).await?;
                let street = street.ok_or(Error::NotFound { what: What::Street })?;
                let row = Street { area_id: area, name: name.clone(), updated_at: change.now, ..street };
                collection_place::update_street(change.tx, &row).await?;
                Ok(id)
            }
            None => {
                let id = change.id(Table::CollectionStreet).await?;
                let (created_at, updated_at) = (change.now, change.now);
                Street { isp_id: change.isp, id, area_id: area, name: name.clone(), created_at, updated_at }
                    .insert(change.tx)
                    .await?;
                Ok(id)
            }
        }
    })
    .await
}

/// A new building, or another name or street for one.
pub async fn put_building(app: &App, actor: &Actor, id: Option<i64>, street: i64, name: String) -> Result<i64, Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        if collection_place::street(change.tx, change.isp, street).await?.is_none() {
            return Err(Error::invalid("street", Why::Unknown));
        }
        match id {
            Some(id) => {
                let building = collection_place::building(change.tx, change.isp, id).await?;
                let building = building.ok_or(Error::NotFound { what: What::Building })?;
                let row = Building { street_id: street, name: name.clone(), updated_at: change.now, ..building };
                collection_place::update_building(change.tx, &row).await?;
                Ok(id)
            }
            None => {
                let id = change.id(Table::Building).await?;
                let (created_at, updated_at) = (change.now, change.now);
                Building { isp_id: change.isp, id, street_id: street, name: name.clone(), created_at, updated_at }
                    .insert(change.tx)
                    .await?;
                Ok(id)
            }
        }
    })
    .await
}
