//! Renewals that wait for their time, and lines that do.

use domain::{BranchId, CustomerId, Instant, IspId, PlanId, ServiceId, Status};

use crate::{
    db::{Error, Tx},
    kernel::record::{record, records, text},
    params,
    people::service::Period,
    sql,
};

record! {
    RenewalOrder of "renewal_order" {
        isp_id: IspId,
        id: i64,
        service_id: ServiceId,
        customer_id: CustomerId,
        branch_id: Option<BranchId>,
        /// The plan that the line has then, where none is named.
        plan_id: Option<PlanId>,
        /// Words of `domain::sales::renewing`.
        begins: String,
        lasts: String,
        lasts_count: i64,
        times: i64,
        credit_rest: bool,
        only_paid: bool,
        /// `None`: from the customer's wallet.
        method: Option<String>,
        /// JSON: how the payment came.
        details: Option<String>,
        /// waiting, done, failed, replaced.
        state: String,
        /// Not before this,
        run_at: Instant,
        /// and not before the end of the line's time, wherever that is by then.
        at_end: bool,
        outcome: Option<String>,
        actor: String,
        created_at: Instant,
        done_at: Option<Instant>,
    }
}

record! {
    /// The line is pending until then.
    Start of "service_start" {
        isp_id: IspId,
        service_id: ServiceId,
        start_at: Instant,
        status: Status,
    }
}

/// Orders whose time has come, the longest overdue first.
pub async fn due(tx: &Tx, now: Instant, limit: i64) -> Result<Vec<(IspId, i64)>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select o.isp_id, o.id from renewal_order o join service s on s.isp_id = o.isp_id and s.id = o.service_id \
                 where o.state = 'waiting' and o.run_at <= $1 \
                 and (not o.at_end or coalesce(s.expires_at, 0) <= $1) order by o.run_at limit $2"
            ),
            &params![now, limit],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

pub async fn find(tx: &Tx, isp: IspId, id: i64) -> Result<Option<RenewalOrder>, Error> {
    let row = tx.row(sql!(text!(RenewalOrder::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| RenewalOrder::from_row(&row)).transpose()
}

/// The order of a line that waits.
pub async fn waiting_of(tx: &Tx, isp: IspId, service: ServiceId) -> Result<Option<RenewalOrder>, Error> {
    let row = tx
        .row(
            sql!(text!(
                RenewalOrder::SELECT,
                "where t.isp_id = $1 and t.service_id = $2 and t.state = 'waiting' order by t.id limit 1"
            )),
            &params![isp, service],
        )
        .await?;
    row.map(|row| RenewalOrder::from_row(&row)).transpose()
}

/// A newer order takes the place of those that wait.
pub async fn replace_waiting(tx: &Tx, isp: IspId, service: ServiceId, now: Instant) -> Result<(), Error> {
    tx.run(
        sql!(
            "update renewal_order set state = 'replaced', done_at = $3 \
             where isp_id = $1 and service_id = $2 and state = 'waiting'"
        ),
        &params![isp, service, now],
    )
    .await
    .map(drop)
}

pub async fn end(tx: &Tx, row: &RenewalOrder) -> Result<(), Error> {
    tx.run(
        sql!("update renewal_order set state = $3, outcome = $4, done_at = $5 where isp_id = $1 and id = $2"),
        &params![row.isp_id, row.id, &row.state, &row.outcome, row.done_at],
    )
    .await
    .map(drop)
}

/// An order waits for the end of the line's time.
pub async fn wait_for_end(tx: &Tx, isp: IspId, id: i64) -> Result<(), Error> {
    tx.run(sql!("update renewal_order set at_end = true where isp_id = $1 and id = $2"), &params![isp, id])
        .await
        .map(drop)
}

/// The newest periods of a line first.
pub async fn periods_of(tx: &Tx, isp: IspId, service: ServiceId, limit: i64) -> Result<Vec<Period>, Error> {
    let rows = tx
        .rows(
            sql!(text!(Period::SELECT, "where t.isp_id = $1 and t.service_id = $2 order by t.ordinal desc limit $3")),
            &params![isp, service, limit],
        )
        .await?;
    records(rows, Period::from_row)
}

/// A period by its own id.
pub async fn period(tx: &Tx, isp: IspId, id: i64) -> Result<Option<Period>, Error> {
    let row = tx.row(sql!(text!(Period::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| Period::from_row(&row)).transpose()
}

/// Lines whose time to start has come, the longest overdue first.
pub async fn starting(tx: &Tx, now: Instant, limit: i64) -> Result<Vec<Start>, Error> {
    let rows = tx
        .rows(sql!(text!(Start::SELECT, "where t.start_at <= $1 order by t.start_at limit $2")), &params![now, limit])
        .await?;
    records(rows, Start::from_row)
}

pub async fn start_of(tx: &Tx, isp: IspId, service: ServiceId) -> Result<Option<Start>, Error> {
    let row =
        tx.row(sql!(text!(Start::SELECT, "where t.isp_id = $1 and t.service_id = $2")), &params![isp, service]).await?;
    row.map(|row| Start::from_row(&row)).transpose()
}

pub async fn forget_start(tx: &Tx, isp: IspId, service: ServiceId) -> Result<(), Error> {
    tx.run(sql!("delete from service_start where isp_id = $1 and service_id = $2"), &params![isp, service])
        .await
        .map(drop)
}

/// A line's periods that have not begun are so much later.
pub async fn move_periods(tx: &Tx, isp: IspId, service: ServiceId, from: Instant, by: i64) -> Result<(), Error> {
    tx.run(
        sql!(
            "update period set starts_at = starts_at + $4, ends_at = ends_at + $4 \
             where isp_id = $1 and service_id = $2 and starts_at >= $3"
        ),
        &params![isp, service, from, by],
    )
    .await
    .map(drop)
}
