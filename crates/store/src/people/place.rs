//! Places, country to subarea, and departments: what subscribers are sorted by. And what a salesperson may sell.

use domain::{Instant, IspId, PlanId, StaffId};

use crate::{
    db::{Error, Tx},
    kernel::record::{record, records, text},
    params, sql,
};

record! {
    Location of "location" {
        isp_id: IspId,
        /// country, province, city, area, subarea.
        level: String,
        /// Within the level.
        id: i64,
        /// Of the level above.
        parent_id: Option<i64>,
        name: String,
        created_at: Instant,
        /// `None`: not since it was made.
        updated_at: Option<Instant>,
    }
}

record! {
    Department of "department" {
        isp_id: IspId,
        id: i64,
        name: String,
        created_at: Instant,
        /// `None`: not since it was made.
        updated_at: Option<Instant>,
    }
}

pub async fn find(tx: &Tx, isp: IspId, level: &str, id: i64) -> Result<Option<Location>, Error> {
    let row = tx
        .row(
            sql!(text!(Location::SELECT, "where t.isp_id = $1 and t.level = $2 and t.id = $3")),
            &params![isp, level, id],
        )
        .await?;
    row.map(|row| Location::from_row(&row)).transpose()
}

/// A level's places, those in `parent` or all, by name.
pub async fn list(tx: &Tx, isp: IspId, level: &str, parent: Option<i64>) -> Result<Vec<Location>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Location::SELECT,
                "where t.isp_id = $1 and t.level = $2 and ($3 = 0 or t.parent_id = $3) order by t.name, t.id limit 10000"
            )),
            &params![isp, level, parent.unwrap_or(0)],
        )
        .await?;
    records(rows, Location::from_row)
}

/// The named places, of whatever level.
pub async fn named(tx: &Tx, isp: IspId, level: &str, ids: &[i64]) -> Result<Vec<Location>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (list, mut params) = crate::kernel::conditions::among(isp, ids.iter().copied());
    params.push(level.into());
    let text = format!("{}where t.isp_id = $1 and t.id in ({list}) and t.level = ${}", Location::SELECT, params.len());
    records(tx.rows(text, &params).await?, Location::from_row)
}

pub async fn department(tx: &Tx, isp: IspId, id: i64) -> Result<Option<Department>, Error> {
    let row = tx.row(sql!(text!(Department::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| Department::from_row(&row)).transpose()
}

pub async fn departments(tx: &Tx, isp: IspId) -> Result<Vec<Department>, Error> {
    let rows = tx
        .rows(sql!(text!(Department::SELECT, "where t.isp_id = $1 order by t.name, t.id limit 10000")), &params![isp])
        .await?;
    records(rows, Department::from_row)
}

// ---- what a salesperson may sell ----

pub async fn may_sell(tx: &Tx, isp: IspId, staff: StaffId, plan: PlanId) -> Result<bool, Error> {
    let row = tx
        .row(
            sql!("select 1 from staff_plan where isp_id = $1 and staff_id = $2 and plan_id = $3"),
            &params![isp, staff, plan],
        )
        .await?;
    Ok(row.is_some())
}

pub async fn sold_by(tx: &Tx, isp: IspId, staff: StaffId) -> Result<Vec<PlanId>, Error> {
    let rows = tx
        .rows(
            sql!("select plan_id from staff_plan where isp_id = $1 and staff_id = $2 order by plan_id"),
            &params![isp, staff],
        )
        .await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// What the salesperson may sell is exactly this from now on.
pub async fn assign(tx: &Tx, isp: IspId, staff: StaffId, plans: &[PlanId], now: Instant) -> Result<(), Error> {
    tx.run(sql!("delete from staff_plan where isp_id = $1 and staff_id = $2"), &params![isp, staff]).await?;
    let rows = plans.iter().map(|plan| params![isp, staff, *plan, now].to_vec()).collect();
    let head = "insert into staff_plan (isp_id, staff_id, plan_id, created_at)";
    tx.insert_many(head, "on conflict (isp_id, staff_id, plan_id) do nothing", rows).await.map(drop)
}
