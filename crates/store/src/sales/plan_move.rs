//! Moves of lines to other plans, and what was sold beside them.

use domain::{BranchId, CustomerId, Instant, IspId, Money, PlanId, ServiceId};

use crate::{
    db::{Error, Tx},
    kernel::record::{record, records, text},
    params,
    people::service::Period,
    sql,
};

record! {
    Move of "plan_move" {
        isp_id: IspId,
        id: i64,
        service_id: ServiceId,
        customer_id: CustomerId,
        from_plan: PlanId,
        to_plan: PlanId,
        /// now, this_cycle, next_cycle, on_date.
        kind: String,
        clear_usage: bool,
        clear_policies: bool,
        move_billing: bool,
        /// waiting, done, failed, replaced.
        state: String,
        run_at: Instant,
        /// Given back of the old period, and asked for the new one.
        credit: Money,
        charge: Money,
        outcome: Option<String>,
        actor: String,
        created_at: Instant,
        done_at: Option<Instant>,
    }
}

/// Moves whose time has come, the longest overdue first. One for the end of a period waits for the end as it is by then.
pub async fn due(tx: &Tx, now: Instant, limit: i64) -> Result<Vec<(IspId, i64)>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select m.isp_id, m.id from plan_move m join service s on s.isp_id = m.isp_id and s.id = m.service_id \
                 where m.state = 'waiting' and case when m.kind = 'next_cycle' then coalesce(s.expires_at, 0) \
                 else m.run_at end <= $1 order by m.run_at limit $2"
            ),
            &params![now, limit],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

pub async fn find(tx: &Tx, isp: IspId, id: i64) -> Result<Option<Move>, Error> {
    let row = tx.row(sql!(text!(Move::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| Move::from_row(&row)).transpose()
}

/// A newer order takes the place of those that wait.
pub async fn replace_waiting(tx: &Tx, isp: IspId, service: ServiceId, now: Instant) -> Result<(), Error> {
    tx.run(
        sql!(
            "update plan_move set state = 'replaced', done_at = $3 \
             where isp_id = $1 and service_id = $2 and state = 'waiting'"
        ),
        &params![isp, service, now],
    )
    .await
    .map(drop)
}

pub async fn update(tx: &Tx, row: &Move) -> Result<(), Error> {
    tx.run(
        sql!(
            "update plan_move set from_plan = $3, state = $4, credit = $5, charge = $6, outcome = $7, done_at = $8 \
             where isp_id = $1 and id = $2"
        ),
        &params![row.isp_id, row.id, row.from_plan, &row.state, row.credit, row.charge, &row.outcome, row.done_at],
    )
    .await
    .map(drop)
}

/// Which renewals are wanted; a stretch of time without its end.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    pub customer: Option<CustomerId>,
    pub branch: Option<BranchId>,
    pub from: Instant,
    pub until: Instant,
    pub limit: i64,
}

/// Periods sold, the newest first, each with the plan of the period before it.
pub async fn periods(tx: &Tx, isp: IspId, wanted: &Wanted) -> Result<Vec<(Period, Option<PlanId>)>, Error> {
    let select = Period::SELECT.replacen(" from ", ", p.plan_id from ", 1);
    let text = format!(
        "{select}left join period p on p.isp_id = t.isp_id and p.service_id = t.service_id \
         and p.ordinal = t.ordinal - 1 join customer c on c.isp_id = t.isp_id and c.id = t.customer_id \
         where t.isp_id = $1 and (t.customer_id = $2 or $2 = 0) and t.created_at >= $3 and t.created_at < $4 \
         and (c.branch_id = $5 or $5 = 0) order by t.created_at desc, t.id desc limit $6"
    );
    let rows = tx.rows(text, &asked(isp, wanted)).await?;
    rows.iter().map(|row| Ok((Period::from_row(row)?, row.get(PERIOD_COLUMNS)?))).collect()
}

/// How many columns a period has: the next one is the joined plan's.
const PERIOD_COLUMNS: usize = 13;

/// Moves that were made, the newest first.
pub async fn made(tx: &Tx, isp: IspId, wanted: &Wanted) -> Result<Vec<Move>, Error> {
    let text = format!(
        "{}join customer c on c.isp_id = t.isp_id and c.id = t.customer_id \
         where t.isp_id = $1 and t.state = 'done' and (t.customer_id = $2 or $2 = 0) and t.done_at >= $3 \
         and t.done_at < $4 and (c.branch_id = $5 or $5 = 0) order by t.done_at desc, t.id desc limit $6",
        Move::SELECT
    );
    records(tx.rows(text, &asked(isp, wanted)).await?, Move::from_row)
}

fn asked(isp: IspId, wanted: &Wanted) -> [crate::db::Value; 6] {
    params![
        isp,
        wanted.customer.map_or(0, |id| id.0),
        wanted.from,
        wanted.until,
        wanted.branch.map_or(0, |id| id.0),
        wanted.limit
    ]
}

/// The moves of a line that wait.
pub async fn waiting_of(tx: &Tx, isp: IspId, service: ServiceId) -> Result<Vec<Move>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Move::SELECT,
                "where t.isp_id = $1 and t.service_id = $2 and t.state = 'waiting' order by t.id"
            )),
            &params![isp, service],
        )
        .await?;
    records(rows, Move::from_row)
}
