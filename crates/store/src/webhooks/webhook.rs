//! Webhooks, their queues of deliveries, and what came of each attempt.

use std::collections::HashMap;

use domain::{ApiClientId, BranchId, Instant, IspId};

use crate::{
    billing::invoice::{Invoice, Payment},
    db::{Error, Row, Tx, Value},
    kernel::{
        conditions::among,
        record::{record, records, text},
    },
    params,
    people::service::Service,
    sql,
};

record! {
    Webhook of "webhook" {
        isp_id: IspId,
        id: i64,
        /// Told only of this branch's customers.
        branch_id: Option<BranchId>,
        /// Who made it.
        client_id: Option<ApiClientId>,
        url: String,
        /// A JSON list of names.
        events: String,
        active: bool,
        secret: Vec<u8>,
        previous_secret: Option<Vec<u8>>,
        previous_until: Option<Instant>,
        /// Events up to this one were before it was active.
        since_seq: i64,
        /// When the head of its queue is due.
        next_at: Option<Instant>,
        lease_owner: Option<String>,
        lease_until: Option<Instant>,
        /// The first of the failures since the last success.
        failing_since: Option<Instant>,
        last_success_at: Option<Instant>,
        disabled_at: Option<Instant>,
        disabled_reason: Option<String>,
        created_at: Instant,
        updated_at: Instant,
        deleted_at: Option<Instant>,
    }
}

record! {
    Delivery of "delivery" {
        isp_id: IspId,
        id: i64,
        webhook_id: i64,
        /// Its place in the webhook's queue.
        position: i64,
        /// `None` for a test.
        event_seq: Option<i64>,
        event: String,
        event_id: String,
        /// Sent as it is.
        body: String,
        /// pending, delivered, dead.
        state: String,
        /// All attempts so far.
        attempts: i64,
        /// Attempts since it was queued last.
        round: i64,
        next_at: Instant,
        last_at: Option<Instant>,
        last_status: Option<i64>,
        last_error: Option<String>,
        last_ms: Option<i64>,
        created_at: Instant,
        delivered_at: Option<Instant>,
    }
}

record! {
    Attempt of "delivery_attempt" {
        isp_id: IspId,
        delivery_id: i64,
        attempt: i64,
        at: Instant,
        status: Option<i64>,
        error: Option<String>,
        ms: i64,
        /// The beginning of what the receiver said.
        answer: Option<String>,
    }
}

// ---- webhooks ----

pub async fn find(tx: &Tx, isp: IspId, id: i64) -> Result<Option<Webhook>, Error> {
    let row = tx
        .row(
            sql!(text!(Webhook::SELECT, "where t.isp_id = $1 and t.id = $2 and t.deleted_at is null")),
            &params![isp, id],
        )
        .await?;
    row.map(|row| Webhook::from_row(&row)).transpose()
}

/// The webhook, locked until the transaction ends; its queue is changed under this lock alone.
pub async fn lock(tx: &Tx, isp: IspId, id: i64) -> Result<Option<Webhook>, Error> {
    let row = tx
        .row_locked(
            sql!(text!(Webhook::SELECT, "where t.isp_id = $1 and t.id = $2 and t.deleted_at is null")),
            &params![isp, id],
        )
        .await?;
    row.map(|row| Webhook::from_row(&row)).transpose()
}

/// The newest first; `branch` limits them to those of that branch.
pub async fn list(
    tx: &Tx,
    isp: IspId,
    branch: Option<BranchId>,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Webhook>, i64), Error> {
    let mut params = vec![Value::from(isp)];
    let mut condition = String::from("t.isp_id = $1 and t.deleted_at is null");
    if let Some(branch) = branch {
        params.push(branch.into());
        condition += " and t.branch_id = $2";
    }
    let total = tx.row(format!("select count(*) from webhook t where {condition}"), &params).await?;
    params.extend([Value::from(limit), Value::from(offset)]);
    let page = format!(
        "{}where {condition} order by t.id desc limit ${} offset ${}",
        Webhook::SELECT,
        params.len() - 1,
        params.len()
    );
    let rows = tx.rows(page, &params).await?;
    Ok((records(rows, Webhook::from_row)?, total.map_or(Ok(0), |row| row.get(0))?))
}

pub async fn count(tx: &Tx, isp: IspId) -> Result<i64, Error> {
    let row =
        tx.row(sql!("select count(*) from webhook where isp_id = $1 and deleted_at is null"), &params![isp]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Everything that can change of it; the caller holds its lock.
pub async fn update(tx: &Tx, row: &Webhook) -> Result<(), Error> {
    tx.run(
        sql!(
            "update webhook set url = $3, events = $4, active = $5, secret = $6, previous_secret = $7, \
             previous_until = $8, since_seq = $9, next_at = $10, lease_owner = $11, lease_until = $12, \
             failing_since = $13, last_success_at = $14, disabled_at = $15, disabled_reason = $16, updated_at = $17, \
             deleted_at = $18 where isp_id = $1 and id = $2"
        ),
        &params![
            row.isp_id,
            row.id,
            &row.url,
            &row.events,
            row.active,
            &row.secret,
            &row.previous_secret,
            row.previous_until,
            row.since_seq,
            row.next_at,
            &row.lease_owner,
            row.lease_until,
            row.failing_since,
            row.last_success_at,
            row.disabled_at,
            &row.disabled_reason,
            row.updated_at,
            row.deleted_at
        ],
    )
    .await
    .map(drop)
}

// ---- from events to deliveries ----

/// Isps with an active webhook and events beyond their cursor.
pub async fn behind(tx: &Tx) -> Result<Vec<IspId>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select k.isp_id from webhook_cursor k join counter n on n.isp_id = k.isp_id and n.name = 'event' \
                 where n.next - 1 > k.seq and exists (select 1 from webhook w where w.isp_id = k.isp_id and w.active \
                 and w.deleted_at is null) order by k.isp_id"
            ),
            &params![],
        )
        .await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// The newest event's number.
pub async fn head_seq(tx: &Tx, isp: IspId) -> Result<i64, Error> {
    let row = tx.row(sql!("select next - 1 from counter where isp_id = $1 and name = 'event'"), &params![isp]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// The Isp's cursor, made where there is none, locked until the transaction ends.
pub async fn lock_cursor(tx: &Tx, isp: IspId, at_first: i64) -> Result<i64, Error> {
    tx.run(
        sql!("insert into webhook_cursor (isp_id, seq) values ($1, $2) on conflict (isp_id) do nothing"),
        &params![isp, at_first],
    )
    .await?;
    let row = tx.row_locked(sql!("select t.seq from webhook_cursor as t where t.isp_id = $1"), &params![isp]).await?;
    row.map_or(Ok(at_first), |row| row.get(0))
}

pub async fn move_cursor(tx: &Tx, isp: IspId, seq: i64) -> Result<(), Error> {
    tx.run(sql!("update webhook_cursor set seq = $2 where isp_id = $1"), &params![isp, seq]).await.map(drop)
}

pub async fn active(tx: &Tx, isp: IspId) -> Result<Vec<Webhook>, Error> {
    let rows = tx
        .rows(
            sql!(text!(Webhook::SELECT, "where t.isp_id = $1 and t.active and t.deleted_at is null order by t.id")),
            &params![isp],
        )
        .await?;
    records(rows, Webhook::from_row)
}

/// Queues deliveries, and says for each webhook that something waits. The lock this takes on the webhook's row makes
/// sure that whoever ends a queue sees what was added to it.
pub async fn queue(tx: &Tx, isp: IspId, deliveries: &[Delivery], now: Instant) -> Result<(), Error> {
    tx.insert_many(Delivery::INSERT, "on conflict do nothing", deliveries.iter().map(Delivery::values).collect())
        .await?;
    let mut webhooks: Vec<i64> = deliveries.iter().map(|row| row.webhook_id).collect();
    webhooks.sort_unstable();
    webhooks.dedup();
    for id in webhooks {
        wake(tx, isp, id, now).await?;
    }
    Ok(())
}

/// Something waits in this webhook's queue.
pub async fn wake(tx: &Tx, isp: IspId, webhook: i64, now: Instant) -> Result<(), Error> {
    tx.run(
        sql!("update webhook set next_at = coalesce(next_at, $3) where isp_id = $1 and id = $2"),
        &params![isp, webhook, now],
    )
    .await
    .map(drop)
}

/// Lines by id, deleted ones too.
pub async fn services(tx: &Tx, isp: IspId, ids: &[i64]) -> Result<HashMap<i64, Service>, Error> {
    let rows = by_ids(tx, Service::SELECT, isp, ids).await?;
    Ok(records(rows, Service::from_row)?.into_iter().map(|row| (row.id.0, row)).collect())
}

/// Payments by id.
pub async fn payments(tx: &Tx, isp: IspId, ids: &[i64]) -> Result<HashMap<i64, Payment>, Error> {
    let rows = by_ids(tx, Payment::SELECT, isp, ids).await?;
    Ok(records(rows, Payment::from_row)?.into_iter().map(|row| (row.id.0, row)).collect())
}

/// Invoices by id.
pub async fn invoices(tx: &Tx, isp: IspId, ids: &[i64]) -> Result<HashMap<i64, Invoice>, Error> {
    let rows = by_ids(tx, Invoice::SELECT, isp, ids).await?;
    Ok(records(rows, Invoice::from_row)?.into_iter().map(|row| (row.id.0, row)).collect())
}

/// Names of plans by id, deleted ones too.
pub async fn plan_names(tx: &Tx, isp: IspId, ids: &[i64]) -> Result<HashMap<i64, String>, Error> {
    let rows = by_ids(tx, "select t.id, t.name from plan t ", isp, ids).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

async fn by_ids(tx: &Tx, select: &str, isp: IspId, ids: &[i64]) -> Result<Vec<Row>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = among(isp, ids.iter().copied());
    tx.rows(format!("{select}where t.isp_id = $1 and t.id in ({list})"), &params).await
}

// ---- sending ----

/// Whether a webhook's queue is due that nobody holds.
pub async fn is_any_due(tx: &Tx, now: Instant) -> Result<bool, Error> {
    let row = tx
        .row(
            sql!(
                "select 1 from webhook where next_at is not null and next_at <= $1 and active and deleted_at is null \
                 and (lease_until is null or lease_until < $1) limit 1"
            ),
            &params![now],
        )
        .await?;
    Ok(row.is_some())
}

/// Leases up to `limit` webhooks whose queue is due, the longest waiting first.
pub async fn claim(tx: &Tx, owner: &str, now: Instant, until: Instant, limit: i64) -> Result<Vec<Webhook>, Error> {
    let rows = tx
        .rows_locked(
            sql!(text!(
                Webhook::SELECT,
                "where t.next_at is not null and t.next_at <= $1 and t.active and t.deleted_at is null \
                 and (t.lease_until is null or t.lease_until < $1) order by t.next_at, t.isp_id, t.id limit $2"
            )),
            &params![now, limit],
        )
        .await?;
    let mut webhooks = records(rows, Webhook::from_row)?;
    for webhook in &mut webhooks {
        webhook.lease_owner = Some(owner.into());
        webhook.lease_until = Some(until);
        tx.run(
            sql!("update webhook set lease_owner = $3, lease_until = $4 where isp_id = $1 and id = $2"),
            &params![webhook.isp_id, webhook.id, owner, until],
        )
        .await?;
    }
    Ok(webhooks)
}

/// The delivery whose turn it is.
pub async fn head(tx: &Tx, isp: IspId, webhook: i64) -> Result<Option<Delivery>, Error> {
    let row = tx
        .row(
            sql!(text!(
                Delivery::SELECT,
                "where t.isp_id = $1 and t.webhook_id = $2 and t.state = 'pending' order by t.position limit 1"
            )),
            &params![isp, webhook],
        )
        .await?;
    row.map(|row| Delivery::from_row(&row)).transpose()
}

pub async fn update_delivery(tx: &Tx, row: &Delivery) -> Result<(), Error> {
    tx.run(
        sql!(
            "update delivery set position = $3, state = $4, attempts = $5, round = $6, next_at = $7, last_at = $8, \
             last_status = $9, last_error = $10, last_ms = $11, delivered_at = $12 where isp_id = $1 and id = $2"
        ),
        &params![
            row.isp_id,
            row.id,
            row.position,
            &row.state,
            row.attempts,
            row.round,
            row.next_at,
            row.last_at,
            row.last_status,
            &row.last_error,
            row.last_ms,
            row.delivered_at
        ],
    )
    .await
    .map(drop)
}

/// Where an Isp's owners are told that a webhook was switched off.
pub async fn owners(tx: &Tx, isp: IspId) -> Result<Vec<String>, Error> {
    let rows = tx
        .rows(
            sql!("select email from staff where isp_id = $1 and role = 'owner' and status = 'active' order by id limit 20"),
            &params![isp],
        )
        .await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// The whole queue of a deleted webhook will not be sent.
pub async fn end_queue(tx: &Tx, isp: IspId, webhook: i64) -> Result<(), Error> {
    tx.run(
        sql!("update delivery set state = 'dead' where isp_id = $1 and webhook_id = $2 and state = 'pending'"),
        &params![isp, webhook],
    )
    .await
    .map(drop)
}

// ---- the log ----

pub async fn delivery(tx: &Tx, isp: IspId, webhook: i64, id: i64) -> Result<Option<Delivery>, Error> {
    let row = tx
        .row(
            sql!(text!(Delivery::SELECT, "where t.isp_id = $1 and t.webhook_id = $2 and t.id = $3")),
            &params![isp, webhook, id],
        )
        .await?;
    row.map(|row| Delivery::from_row(&row)).transpose()
}

/// The newest first, and how many there are.
pub async fn deliveries(
    tx: &Tx,
    isp: IspId,
    webhook: i64,
    state: Option<&str>,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Delivery>, i64), Error> {
    let mut params = vec![Value::from(isp), Value::from(webhook)];
    let mut condition = String::from("t.isp_id = $1 and t.webhook_id = $2");
    if let Some(state) = state {
        params.push(state.into());
        condition += " and t.state = $3";
    }
    let total = tx.row(format!("select count(*) from delivery t where {condition}"), &params).await?;
    params.extend([Value::from(limit), Value::from(offset)]);
    let page = format!(
        "{}where {condition} order by t.id desc limit ${} offset ${}",
        Delivery::SELECT,
        params.len() - 1,
        params.len()
    );
    let rows = tx.rows(page, &params).await?;
    Ok((records(rows, Delivery::from_row)?, total.map_or(Ok(0), |row| row.get(0))?))
}

/// What came of each attempt at these deliveries, in order.
pub async fn attempts(tx: &Tx, isp: IspId, deliveries: &[i64]) -> Result<Vec<Attempt>, Error> {
    if deliveries.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = among(isp, deliveries.iter().copied());
    let text = format!(
        "{}where t.isp_id = $1 and t.delivery_id in ({list}) order by t.delivery_id, t.attempt",
        Attempt::SELECT
    );
    records(tx.rows(text, &params).await?, Attempt::from_row)
}

/// Forgets up to `limit` deliveries that ended: delivered ones made before `delivered`, dead ones before `dead`. How many.
pub async fn forget(tx: &Tx, delivered: Instant, dead: Instant, limit: i64) -> Result<u64, Error> {
    let rows = tx
        .rows(
            sql!(
                "select isp_id, id from delivery where state <> 'pending' and created_at < $1 \
                 and (state = 'delivered' or created_at < $2) order by created_at limit $3"
            ),
            &params![delivered, dead, limit],
        )
        .await?;
    for row in &rows {
        let key = [Value::from(row.get::<i64>(0)?), Value::from(row.get::<i64>(1)?)];
        tx.run(sql!("delete from delivery_attempt where isp_id = $1 and delivery_id = $2"), &key).await?;
        tx.run(sql!("delete from delivery where isp_id = $1 and id = $2"), &key).await?;
    }
    Ok(rows.len() as u64)
}
