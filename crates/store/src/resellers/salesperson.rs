//! What a salesperson may sell.

use domain::{Instant, IspId, PlanId, StaffId};

use crate::{
    db::{Error, Tx},
    params, sql,
};

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
