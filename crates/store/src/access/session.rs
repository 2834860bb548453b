//! Network sessions, usage by day, and the log of refused logins.

use domain::{BranchId, CustomerId, Instant, IspId, RouterId, ServiceId, SessionId, access::decide::Reason};

use crate::{
    db::{Error, Tx, Value},
    kernel::record::{record, records, text},
    params,
    people::roster,
    sql,
};

pub const OPEN: i64 = 0;
pub const CLOSED: i64 = 1;
pub const LOST: i64 = 2;

record! {
    /// One network session as accounting reports it.
    Session of "session" {
        isp_id: IspId,
        id: SessionId,
        router_id: RouterId,
        acct_session_id: String,
        username_key: String,
        /// -1 where the NAS sends none.
        nas_port: i64,
        /// Counts sessions under one key: some NASes use a session id again.
        generation: i64,
        username: String,
        service_id: Option<ServiceId>,
        customer_id: Option<CustomerId>,
        /// 0 open, 1 closed, 2 lost.
        state: i64,
        end_cause: Option<String>,
        started_at: Instant,
        /// When the newest counted report happened, and when it came.
        reported_at: Instant,
        received_at: Instant,
        ended_at: Option<Instant>,
        session_time_s: i64,
        up_shown: u64,
        up_total: u64,
        down_shown: u64,
        down_total: u64,
        gigawords: bool,
        mac: Option<String>,
        address: Option<String>,
        /// Address and port the NAS sends from; CoA goes to the address.
        source: String,
        /// The interim interval it was told or has shown.
        interval_s: Option<i64>,
        /// Let in as expired (walled garden, fallback plan) rather than as sold.
        restricted: bool,
    }
}

const ON_CONFLICT: &str = "on conflict (isp_id, id) do update set service_id = excluded.service_id, \
    customer_id = excluded.customer_id, state = excluded.state, \
    end_cause = excluded.end_cause, reported_at = excluded.reported_at, received_at = excluded.received_at, \
    ended_at = excluded.ended_at, session_time_s = excluded.session_time_s, up_shown = excluded.up_shown, \
    up_total = excluded.up_total, down_shown = excluded.down_shown, down_total = excluded.down_total, \
    gigawords = excluded.gigawords, mac = excluded.mac, address = excluded.address, source = excluded.source, \
    interval_s = excluded.interval_s";

/// Writes sessions as they stand now; no session twice in one call.
pub async fn save(tx: &Tx, sessions: Vec<Vec<Value>>) -> Result<(), Error> {
    tx.insert_many(Session::INSERT, ON_CONFLICT, sessions).await.map(drop)
}

/// Writes what a report of a running session changes. No index has any of these columns: SQLite rewrites the entries of
/// every index whose columns a statement names, changed or not, and most reports are of this kind.
pub async fn grow(tx: &Tx, sessions: &[&Session]) -> Result<(), Error> {
    let rows: Vec<Vec<Value>> = sessions.iter().map(|row| grown(row).collect()).collect();
    let sql = sql!(
        "update session set reported_at = $3, received_at = $4, session_time_s = $5, up_shown = $6, up_total = $7, \
         down_shown = $8, down_total = $9, gigawords = $10, address = $11, source = $12 where isp_id = $1 and id = $2"
    );
    tx.each(sql, &rows).await.map(drop)
}

/// Writes the end of sessions, and what their last report changed.
pub async fn stop(tx: &Tx, sessions: &[&Session]) -> Result<(), Error> {
    let rows = sessions.iter().map(|row| grown(row).chain(params![row.state, row.ended_at, &row.end_cause]).collect());
    let rows: Vec<Vec<Value>> = rows.collect();
    let sql = sql!(
        "update session set reported_at = $3, received_at = $4, session_time_s = $5, up_shown = $6, up_total = $7, \
         down_shown = $8, down_total = $9, gigawords = $10, address = $11, source = $12, state = $13, ended_at = $14, \
         end_cause = $15 where isp_id = $1 and id = $2"
    );
    tx.each(sql, &rows).await.map(drop)
}

fn grown(row: &Session) -> impl Iterator<Item = Value> {
    let values = params![
        row.isp_id,
        row.id,
        row.reported_at,
        row.received_at,
        row.session_time_s,
        row.up_shown,
        row.up_total,
        row.down_shown,
        row.down_total,
        row.gigawords,
        &row.address,
        &row.source
    ];
    values.into_iter()
}

/// What names a session on the wire.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Key {
    pub isp: IspId,
    pub router: RouterId,
    pub acct_session_id: String,
    pub username_key: String,
    pub nas_port: i64,
}

/// The newest generation of every session of these keys that is known.
pub async fn newest(tx: &Tx, keys: &[Key]) -> Result<Vec<Session>, Error> {
    let lists: Vec<Vec<Value>> = keys
        .iter()
        .map(|key| params![key.isp, key.router, &key.acct_session_id, &key.username_key, key.nas_port].to_vec())
        .collect();
    let rows = tx
        .each(
            sql!(text!(
                Session::SELECT,
                "where t.isp_id = $1 and t.router_id = $2 and t.acct_session_id = $3 \
                 and t.username_key = $4 and t.nas_port = $5 order by t.generation desc limit 1"
            )),
            &lists,
        )
        .await?;
    records(rows, Session::from_row)
}

/// Open sessions after `(isp, start, id)` in that order, for loading the directory in pages: of an index that holds the
/// open ones alone, whatever the years have left in the table.
pub async fn open_after(
    tx: &Tx,
    (isp, started, id): (IspId, Instant, SessionId),
    limit: i64,
) -> Result<Vec<Session>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Session::SELECT,
                "where t.state = 0 and (t.isp_id, t.started_at, t.id) > ($1, $2, $3) \
                 order by t.isp_id, t.started_at, t.id limit $4"
            )),
            &params![isp, started, id, limit],
        )
        .await?;
    records(rows, Session::from_row)
}

pub async fn open_of_router(tx: &Tx, isp: IspId, router: RouterId) -> Result<Vec<Session>, Error> {
    let rows = tx
        .rows(
            sql!(text!(Session::SELECT, "where t.isp_id = $1 and t.router_id = $2 and t.state = 0")),
            &params![isp, router],
        )
        .await?;
    records(rows, Session::from_row)
}

pub async fn open_of_service(tx: &Tx, isp: IspId, service: ServiceId) -> Result<Vec<Session>, Error> {
    let rows = tx
        .rows(
            sql!(text!(Session::SELECT, "where t.isp_id = $1 and t.service_id = $2 and t.state = 0 order by t.id")),
            &params![isp, service],
        )
        .await?;
    records(rows, Session::from_row)
}

/// Open sessions of no line, of one name and device.
pub async fn open_strays(tx: &Tx, isp: IspId, username_key: &str, mac: Option<&str>) -> Result<Vec<Session>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Session::SELECT,
                "where t.isp_id = $1 and t.username_key = $2 and t.service_id is null and t.state = 0 \
                 and coalesce(t.mac, '') = $3 order by t.id"
            )),
            &params![isp, username_key, mac.unwrap_or_default()],
        )
        .await?;
    records(rows, Session::from_row)
}

/// A line's sessions that began in a stretch of time without its end, the newest first.
pub async fn of_service(
    tx: &Tx,
    isp: IspId,
    service: ServiceId,
    from: Instant,
    until: Instant,
    limit: i64,
) -> Result<Vec<Session>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Session::SELECT,
                "where t.isp_id = $1 and t.service_id = $2 and t.started_at >= $3 and t.started_at < $4 \
                 order by t.started_at desc, t.id desc limit $5"
            )),
            &params![isp, service, from, until, limit],
        )
        .await?;
    records(rows, Session::from_row)
}

/// The newest sessions of an Isp first, for the overview.
pub async fn latest(tx: &Tx, isp: IspId, limit: i64) -> Result<Vec<Session>, Error> {
    let rows = tx
        .rows(sql!(text!(Session::SELECT, "where t.isp_id = $1 order by t.id desc limit $2")), &params![isp, limit])
        .await?;
    records(rows, Session::from_row)
}

/// The open sessions of an Isp that began last.
pub async fn online(tx: &Tx, isp: IspId, limit: i64) -> Result<Vec<Session>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Session::SELECT,
                "where t.isp_id = $1 and t.state = 0 order by t.started_at desc, t.id desc limit $2"
            )),
            &params![isp, limit],
        )
        .await?;
    records(rows, Session::from_row)
}

/// Adds to the days' usage: rows of isp, service, day, up, down, seconds; no service and day twice.
pub async fn add_usage(tx: &Tx, rows: Vec<Vec<Value>>) -> Result<(), Error> {
    tx.insert_many(
        "insert into usage_day (isp_id, service_id, day, up, down, seconds)",
        // `usage::MOST_KEPT`.
        "on conflict (isp_id, service_id, day) do update set \
         up = case when usage_day.up + excluded.up > 1125899906842624 then 1125899906842624 \
         else usage_day.up + excluded.up end, \
         down = case when usage_day.down + excluded.down > 1125899906842624 then 1125899906842624 \
         else usage_day.down + excluded.down end, seconds = usage_day.seconds + excluded.seconds",
        rows,
    )
    .await
    .map(drop)
}

/// The usage that is shown of a line counts from now on: what this day has seen already is left out.
pub async fn usage_begins(tx: &Tx, isp: IspId, service: ServiceId, day: i64) -> Result<(), Error> {
    tx.run(sql!("delete from usage_before where isp_id = $1 and service_id = $2"), &params![isp, service]).await?;
    tx.run(
        sql!(
            "insert into usage_before (isp_id, service_id, day, up, down) select isp_id, service_id, day, up, down \
             from usage_day where isp_id = $1 and service_id = $2 and day = $3"
        ),
        &params![isp, service, day],
    )
    .await
    .map(drop)
}

/// Usage by civil day of all of a customer's lines, live or not, from one day to another: day, up, down, seconds.
pub async fn usage_of_customer(
    tx: &Tx,
    isp: IspId,
    customer: CustomerId,
    (from, to): (i64, i64),
) -> Result<Vec<(i64, u64, u64, i64)>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select u.day, cast(sum(u.up) as bigint), cast(sum(u.down) as bigint), cast(sum(u.seconds) as bigint) \
                 from service s join usage_day u on u.isp_id = s.isp_id and u.service_id = s.id \
                 where s.isp_id = $1 and s.customer_id = $2 and u.day >= $3 and u.day <= $4 \
                 and (u.up > 0 or u.down > 0 or u.seconds > 0) \
                 group by u.day order by u.day"
            ),
            &params![isp, customer, from, to],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).collect()
}

/// Usage by civil day of one service: day, up, down, seconds.
pub async fn usage_by_day(tx: &Tx, isp: IspId, service: ServiceId) -> Result<Vec<(i64, u64, u64, i64)>, Error> {
    let rows = tx
        .rows(
            sql!("select day, up, down, seconds from usage_day where isp_id = $1 and service_id = $2 order by day"),
            &params![isp, service],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).collect()
}

record! {
    LoginReject of "login_reject" {
        isp_id: IspId,
        id: i64,
        at: Instant,
        router_id: RouterId,
        service_id: Option<ServiceId>,
        username: String,
        mac: Option<String>,
        reason: Reason,
    }
}

pub async fn latest_rejects(tx: &Tx, isp: IspId, limit: i64) -> Result<Vec<LoginReject>, Error> {
    let rows = tx
        .rows(
            sql!(text!(LoginReject::SELECT, "where t.isp_id = $1 order by t.at desc, t.id desc limit $2")),
            &params![isp, limit],
        )
        .await?;
    records(rows, LoginReject::from_row)
}

pub async fn open_of_plan(tx: &Tx, isp: IspId, plan: domain::PlanId) -> Result<Vec<Session>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Session::SELECT,
                "join service s on s.isp_id = t.isp_id and s.id = t.service_id \
                 where t.isp_id = $1 and s.plan_id = $2 and t.state = 0 order by t.id"
            )),
            &params![isp, plan],
        )
        .await?;
    records(rows, Session::from_row)
}

/// Open sessions of services whose plan, expired plan, own setting or fair use policy uses a bandwidth.
pub async fn open_of_bandwidth(tx: &Tx, isp: IspId, bandwidth: domain::BandwidthId) -> Result<Vec<Session>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Session::SELECT,
                "join service s on s.isp_id = t.isp_id and s.id = t.service_id \
                 join plan p on p.isp_id = s.isp_id and p.id = s.plan_id \
                 where t.isp_id = $1 and t.state = 0 \
                 and (p.bandwidth_id = $2 or p.expired_bandwidth_id = $2 or s.bandwidth_id = $2 \
                 or p.fup_template_id in (select template_id from fup_tier where isp_id = $1 and bandwidth_id = $2 \
                  union select template_id from fup_window where isp_id = $1 and bandwidth_id = $2) \
                 or s.id in (select o.service_id from fup_override o where o.isp_id = $1 and o.template_id in \
                  (select template_id from fup_tier where isp_id = $1 and bandwidth_id = $2 \
                   union select template_id from fup_window where isp_id = $1 and bandwidth_id = $2))) order by t.id"
            )),
            &params![isp, bandwidth],
        )
        .await?;
    records(rows, Session::from_row)
}

/// Open sessions that were told an interval, or keep one, and have been silent for three of them.
pub async fn silent(tx: &Tx, now: Instant, limit: i64) -> Result<Vec<Session>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Session::SELECT,
                "where t.state = 0 and t.interval_s > 0 and t.received_at + t.interval_s * 3000000 < $1 \
                 order by t.received_at limit $2"
            )),
            &params![now, limit],
        )
        .await?;
    records(rows, Session::from_row)
}

/// What growth made of services: rows of isp, service, bytes, seconds, and the last moment at which it may have happened.
pub async fn add_to_quota(tx: &Tx, now: Instant, rows: &[[Value; 5]]) -> Result<Vec<Used>, Error> {
    // Usage from before the running period began is not of its quota. A bare 0 would make PostgreSQL take the growth for
    // an integer of 32 bits.
    let lists: Vec<Vec<Value>> =
        rows.iter().map(|row| row.iter().cloned().chain([Value::from(now)]).collect()).collect();
    let rows = tx
        .each(
            sql!(
                // `usage::MOST_KEPT`.
                "update service set \
                 used_bytes = case when $5 < coalesce(period_started_at, 0) then used_bytes \
                 when used_bytes + $3 > 1125899906842624 then 1125899906842624 else used_bytes + $3 end, \
                 used_time_s = used_time_s + case when $5 >= coalesce(period_started_at, 0) then $4 else cast(0 as bigint) end, \
                 first_used_at = coalesce(first_used_at, $6) \
                 where isp_id = $1 and id = $2 and deleted_at is null \
                 returning isp_id, id, customer_id, used_bytes, used_time_s, quota_bytes, quota_time_s, \
                 period_ordinal, quota_event_ordinal, first_used_at = $6"
            ),
            &lists,
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Used {
                isp: row.get(0)?,
                service: row.get(1)?,
                customer: row.get(2)?,
                used_bytes: row.get(3)?,
                used_time_s: row.get(4)?,
                quota_bytes: row.get(5)?,
                quota_time_s: row.get(6)?,
                period_ordinal: row.get(7)?,
                quota_event_ordinal: row.get(8)?,
                first_use: row.get(9)?,
            })
        })
        .collect()
}

/// A service after its usage grew.
#[derive(Clone, Debug)]
pub struct Used {
    pub isp: IspId,
    pub service: ServiceId,
    pub customer: CustomerId,
    pub used_bytes: i64,
    pub used_time_s: i64,
    pub quota_bytes: Option<i64>,
    pub quota_time_s: Option<i64>,
    pub period_ordinal: i64,
    pub quota_event_ordinal: Option<i64>,
    pub first_use: bool,
}

/// The used-up quota of this period has been acted on.
pub async fn quota_acted_on(tx: &Tx, isp: IspId, service: ServiceId, period_ordinal: i64) -> Result<(), Error> {
    tx.run(
        sql!("update service set quota_event_ordinal = $3 where isp_id = $1 and id = $2"),
        &params![isp, service, period_ordinal],
    )
    .await?;
    roster::quota_reached(tx, isp, service).await
}

/// The session if it is open, locked.
pub async fn open(tx: &Tx, isp: IspId, id: SessionId) -> Result<Option<Session>, Error> {
    let row = tx
        .row_locked(
            sql!(text!(Session::SELECT, "where t.isp_id = $1 and t.id = $2 and t.state = 0")),
            &params![isp, id],
        )
        .await?;
    row.map(|row| Session::from_row(&row)).transpose()
}

/// The session, open or ended.
pub async fn find(tx: &Tx, isp: IspId, id: SessionId) -> Result<Option<Session>, Error> {
    let row = tx.row(sql!(text!(Session::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| Session::from_row(&row)).transpose()
}

/// A list's conditions; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    /// Of this branch's customers alone.
    pub branch: Option<BranchId>,
    pub customer: Option<CustomerId>,
    /// Lower-cased and trimmed.
    pub username_key: Option<String>,
    pub router: Option<RouterId>,
    /// [`OPEN`], [`CLOSED`] or [`LOST`].
    pub state: Option<i64>,
    /// Those that began from here on.
    pub from: Option<Instant>,
    /// Those that began before.
    pub until: Option<Instant>,
}

/// A page of the sessions that match, those that began last first, and how many there are in all.
pub async fn list(tx: &Tx, isp: IspId, filter: &Filter, offset: i64, limit: i64) -> Result<(Vec<Session>, i64), Error> {
    let mut params = vec![Value::from(isp)];
    let mut text = String::from("t.isp_id = $1");
    let conditions = [
        (
            "t.customer_id in (select id from customer where isp_id = $1 and branch_id = $?)",
            filter.branch.map(Value::from),
        ),
        ("t.customer_id = $?", filter.customer.map(Value::from)),
        ("t.username_key = $?", filter.username_key.as_deref().map(Value::from)),
        ("t.router_id = $?", filter.router.map(Value::from)),
        // Written out, so that the index of open sessions can be used.
        ("t.state = 0 and t.state = $?", filter.state.filter(|state| *state == OPEN).map(Value::from)),
        ("t.state = $?", filter.state.filter(|state| *state != OPEN).map(Value::from)),
        ("t.started_at >= $?", filter.from.map(Value::from)),
        ("t.started_at < $?", filter.until.map(Value::from)),
    ];
    for (condition, value) in conditions {
        if let Some(value) = value {
            params.push(value);
            text += " and ";
            text += &condition.replace("$?", &format!("${}", params.len()));
        }
    }
    let total = tx.row(format!("select count(*) from session t where {text}"), &params).await?;
    let total = total.map_or(Ok(0), |row| row.get(0))?;
    params.extend([Value::from(limit), Value::from(offset)]);
    let page = format!(
        "{}where {text} order by t.started_at desc, t.id desc limit ${} offset ${}",
        Session::SELECT,
        params.len() - 1,
        params.len()
    );
    Ok((records(tx.rows(page, &params).await?, Session::from_row)?, total))
}
