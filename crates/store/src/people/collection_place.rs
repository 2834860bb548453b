//! Where collectors go: areas, streets, buildings.

use domain::{BranchId, Instant, IspId};

use crate::{
    db::{Error, Tx},
    kernel::{
        conditions::among,
        record::{record, records, text},
    },
    params, sql,
};

record! {
    Area of "collection_area" {
        isp_id: IspId,
        id: i64,
        branch_id: Option<BranchId>,
        name: String,
        created_at: Instant,
        updated_at: Instant,
    }
}

record! {
    Street of "collection_street" {
        isp_id: IspId,
        id: i64,
        area_id: i64,
        name: String,
        created_at: Instant,
        updated_at: Instant,
    }
}

record! {
    Building of "building" {
        isp_id: IspId,
        id: i64,
        street_id: i64,
        name: String,
        created_at: Instant,
        updated_at: Instant,
    }
}

/// Where a building stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    pub building: i64,
    pub building_name: String,
    pub street: i64,
    pub street_name: String,
    pub area: i64,
    pub area_name: String,
}

pub async fn areas(tx: &Tx, isp: IspId) -> Result<Vec<Area>, Error> {
    let rows = tx.rows(sql!(text!(Area::SELECT, "where t.isp_id = $1 order by t.id")), &params![isp]).await?;
    records(rows, Area::from_row)
}

pub async fn area(tx: &Tx, isp: IspId, id: i64) -> Result<Option<Area>, Error> {
    let row = tx.row(sql!(text!(Area::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| Area::from_row(&row)).transpose()
}

pub async fn rename_area(tx: &Tx, row: &Area) -> Result<(), Error> {
    tx.run(
        sql!("update collection_area set name = $3, updated_at = $4 where isp_id = $1 and id = $2"),
        &params![row.isp_id, row.id, &row.name, row.updated_at],
    )
    .await
    .map(drop)
}

/// Streets of an area, or of all where it is 0.
pub async fn streets(tx: &Tx, isp: IspId, area: i64) -> Result<Vec<Street>, Error> {
    let rows = tx
        .rows(
            sql!(text!(Street::SELECT, "where t.isp_id = $1 and (t.area_id = $2 or $2 = 0) order by t.id")),
            &params![isp, area],
        )
        .await?;
    records(rows, Street::from_row)
}

pub async fn street(tx: &Tx, isp: IspId, id: i64) -> Result<Option<Street>, Error> {
    let row = tx.row(sql!(text!(Street::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| Street::from_row(&row)).transpose()
}

pub async fn update_street(tx: &Tx, row: &Street) -> Result<(), Error> {
    tx.run(
        sql!("update collection_street set area_id = $3, name = $4, updated_at = $5 where isp_id = $1 and id = $2"),
        &params![row.isp_id, row.id, row.area_id, &row.name, row.updated_at],
    )
    .await
    .map(drop)
}

/// Buildings of a street, or of all where it is 0.
pub async fn buildings(tx: &Tx, isp: IspId, street: i64) -> Result<Vec<Building>, Error> {
    let rows = tx
        .rows(
            sql!(text!(Building::SELECT, "where t.isp_id = $1 and (t.street_id = $2 or $2 = 0) order by t.id")),
            &params![isp, street],
        )
        .await?;
    records(rows, Building::from_row)
}

pub async fn building(tx: &Tx, isp: IspId, id: i64) -> Result<Option<Building>, Error> {
    let row = tx.row(sql!(text!(Building::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| Building::from_row(&row)).transpose()
}

pub async fn update_building(tx: &Tx, row: &Building) -> Result<(), Error> {
    tx.run(
        sql!("update building set street_id = $3, name = $4, updated_at = $5 where isp_id = $1 and id = $2"),
        &params![row.isp_id, row.id, row.street_id, &row.name, row.updated_at],
    )
    .await
    .map(drop)
}

/// Where these buildings stand; those nobody has described are left out.
pub async fn places(tx: &Tx, isp: IspId, buildings: &[i64]) -> Result<Vec<Place>, Error> {
    if buildings.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = among(isp, buildings.iter().copied());
    let text = format!(
        "select b.id, b.name, s.id, s.name, a.id, a.name from building b \
         join collection_street s on s.isp_id = b.isp_id and s.id = b.street_id \
         join collection_area a on a.isp_id = s.isp_id and a.id = s.area_id \
         where b.isp_id = $1 and b.id in ({list})"
    );
    let rows = tx.rows(text, &params).await?;
    rows.iter()
        .map(|row| {
            Ok(Place {
                building: row.get(0)?,
                building_name: row.get(1)?,
                street: row.get(2)?,
                street_name: row.get(3)?,
                area: row.get(4)?,
                area_name: row.get(5)?,
            })
        })
        .collect()
}
