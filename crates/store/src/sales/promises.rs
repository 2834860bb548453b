//! What promises a plan to somebody: codes in drawers and pockets, and orders that wait.

use domain::{Instant, IspId, PlanId};

use crate::{
    db::{Error, Tx},
    params, sql,
};

/// By what a plan is promised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Promise {
    Voucher,
    Card,
    /// One that waits.
    Move,
    /// One that waits.
    Renewal,
}

/// By what a plan is promised still; `None`: by nothing.
pub async fn of_plan(tx: &Tx, isp: IspId, plan: PlanId, now: Instant) -> Result<Option<Promise>, Error> {
    let row = tx
        .row(
            sql!(
                "select (select count(*) from (select 1 from voucher where isp_id = $1 and plan_id = $2 \
                 and deleted_at is null and used < clients limit 1) v), \
                 (select count(*) from (select 1 from recharge_card where isp_id = $1 and plan_id = $2 \
                 and status <> 'used' and coalesce(expires_at, $3) >= $3 limit 1) c), \
                 (select count(*) from plan_move m join service s on s.isp_id = m.isp_id and s.id = m.service_id \
                 where m.isp_id = $1 and m.to_plan = $2 and m.state = 'waiting' and s.deleted_at is null), \
                 (select count(*) from renewal_order o join service s on s.isp_id = o.isp_id and s.id = o.service_id \
                 where o.isp_id = $1 and o.plan_id = $2 and o.state = 'waiting' and s.deleted_at is null)"
            ),
            &params![isp, plan, now],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let by = [Promise::Voucher, Promise::Card, Promise::Move, Promise::Renewal];
    for (at, promise) in by.into_iter().enumerate() {
        if row.get::<i64>(at)? > 0 {
            return Ok(Some(promise));
        }
    }
    Ok(None)
}
