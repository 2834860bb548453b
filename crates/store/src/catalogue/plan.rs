//! What is sold: bandwidths, pools, plans and their versions.

use domain::{
    BandwidthId, ExpiryAction, FupTemplateId, Instant, IspId, Kind, Money, PlanId, PoolId, RouterId, ServiceId,
};

use crate::{
    db::{Error, Tx},
    kernel::{
        conditions::among,
        record::{record, records, text},
    },
    params, sql,
};

record! {
    Bandwidth of "bandwidth" {
        isp_id: IspId,
        id: BandwidthId,
        name: String,
        name_key: Option<String>,
        down_kbps: i64,
        up_kbps: i64,
        /// Kbps or Mbps: how the rates were written.
        down_unit: String,
        up_unit: String,
        burst_down_kbps: Option<i64>,
        burst_up_kbps: Option<i64>,
        burst_threshold_down_kbps: Option<i64>,
        burst_threshold_up_kbps: Option<i64>,
        burst_time_s: Option<i64>,
        priority: Option<i64>,
        created_at: Instant,
        updated_at: Instant,
        deleted_at: Option<Instant>,
    }
}

record! {
    Pool of "pool" {
        isp_id: IspId,
        id: PoolId,
        router_id: Option<RouterId>,
        name: String,
        name_key: Option<String>,
        /// Comma list of CIDRs and `first-last` ranges.
        ranges: String,
        /// `nas`: the NAS allocates from its own pool of this name; `server`: we do.
        allocate: String,
        created_at: Instant,
        deleted_at: Option<Instant>,
    }
}

record! {
    Plan of "plan" {
        isp_id: IspId,
        id: PlanId,
        name: String,
        name_key: Option<String>,
        kind: Kind,
        /// The version the next sale is made under.
        version: i64,
        bandwidth_id: BandwidthId,
        pool_id: Option<PoolId>,
        router_id: Option<RouterId>,
        shared_users: i64,
        mac_lock: bool,
        address_list: Option<String>,
        expiry_action: ExpiryAction,
        expired_pool_id: Option<PoolId>,
        expired_address_list: Option<String>,
        expired_bandwidth_id: Option<BandwidthId>,
        fallback_plan_id: Option<PlanId>,
        interim_s: i64,
        idle_timeout_s: Option<i64>,
        session_timeout_s: Option<i64>,
        enabled: bool,
        public: bool,
        created_at: Instant,
        updated_at: Instant,
        deleted_at: Option<Instant>,
        /// Its fair use policy, live by reference.
        fup_template_id: Option<FupTemplateId>,
    }
}

impl Plan {
    pub fn has_fup(&self) -> bool {
        self.fup_template_id.is_some()
    }
}

record! {
    PlanVersion of "plan_version" {
        isp_id: IspId,
        plan_id: PlanId,
        version: i64,
        price: Money,
        tax_ppm: i64,
        tax_inclusive: bool,
        validity: i64,
        /// Mins, Hrs, Days, Months, Period.
        validity_unit: String,
        /// For Period: the day of the month.
        period_day: Option<i64>,
        limited: bool,
        /// Time_Limit, Data_Limit, Both_Limit.
        limit_type: Option<String>,
        time_limit: Option<i64>,
        time_unit: Option<String>,
        data_limit: Option<i64>,
        data_unit: Option<String>,
        created_at: Instant,
    }
}

pub async fn bandwidth(tx: &Tx, isp: IspId, id: BandwidthId) -> Result<Option<Bandwidth>, Error> {
    let row = tx
        .row(
            sql!(text!(Bandwidth::SELECT, "where t.isp_id = $1 and t.id = $2 and t.deleted_at is null")),
            &params![isp, id],
        )
        .await?;
    row.map(|row| Bandwidth::from_row(&row)).transpose()
}

pub async fn bandwidth_by_name(tx: &Tx, isp: IspId, name_key: &str) -> Result<Option<Bandwidth>, Error> {
    let row = tx
        .row(sql!(text!(Bandwidth::SELECT, "where t.isp_id = $1 and t.name_key = $2")), &params![isp, name_key])
        .await?;
    row.map(|row| Bandwidth::from_row(&row)).transpose()
}

pub async fn bandwidths(tx: &Tx, isp: IspId) -> Result<Vec<Bandwidth>, Error> {
    let rows = tx
        .rows(
            sql!(text!(Bandwidth::SELECT, "where t.isp_id = $1 and t.deleted_at is null order by t.id")),
            &params![isp],
        )
        .await?;
    records(rows, Bandwidth::from_row)
}

pub async fn update_bandwidth(tx: &Tx, row: &Bandwidth) -> Result<(), Error> {
    tx.run(
        sql!(
            "update bandwidth set name = $3, name_key = $4, down_kbps = $5, up_kbps = $6, down_unit = $7, up_unit = $8, \
             burst_down_kbps = $9, burst_up_kbps = $10, burst_threshold_down_kbps = $11, \
             burst_threshold_up_kbps = $12, burst_time_s = $13, priority = $14, updated_at = $15, deleted_at = $16 \
             where isp_id = $1 and id = $2"
        ),
        &params![
            row.isp_id, row.id, &row.name, &row.name_key, row.down_kbps, row.up_kbps, &row.down_unit, &row.up_unit,
            row.burst_down_kbps, row.burst_up_kbps, row.burst_threshold_down_kbps, row.burst_threshold_up_kbps,
            row.burst_time_s, row.priority, row.updated_at, row.deleted_at
        ],
    )
    .await
    .map(drop)
}

/// How many live plans use it.
pub async fn plans_with_bandwidth(tx: &Tx, isp: IspId, id: BandwidthId) -> Result<i64, Error> {
    let row = tx
        .row(
            sql!(
                "select count(*) from plan where isp_id = $1 and deleted_at is null \
                 and (bandwidth_id = $2 or expired_bandwidth_id = $2)"
            ),
            &params![isp, id],
        )
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}

pub async fn pool(tx: &Tx, isp: IspId, id: PoolId) -> Result<Option<Pool>, Error> {
    let row = tx
        .row(sql!(text!(Pool::SELECT, "where t.isp_id = $1 and t.id = $2 and t.deleted_at is null")), &params![isp, id])
        .await?;
    row.map(|row| Pool::from_row(&row)).transpose()
}

pub async fn pools(tx: &Tx, isp: IspId) -> Result<Vec<Pool>, Error> {
    let rows = tx
        .rows(sql!(text!(Pool::SELECT, "where t.isp_id = $1 and t.deleted_at is null order by t.id")), &params![isp])
        .await?;
    records(rows, Pool::from_row)
}

pub async fn find(tx: &Tx, isp: IspId, id: PlanId) -> Result<Option<Plan>, Error> {
    let row = tx
        .row(sql!(text!(Plan::SELECT, "where t.isp_id = $1 and t.id = $2 and t.deleted_at is null")), &params![isp, id])
        .await?;
    row.map(|row| Plan::from_row(&row)).transpose()
}

pub async fn by_name(tx: &Tx, isp: IspId, name_key: &str) -> Result<Option<Plan>, Error> {
    let row =
        tx.row(sql!(text!(Plan::SELECT, "where t.isp_id = $1 and t.name_key = $2")), &params![isp, name_key]).await?;
    row.map(|row| Plan::from_row(&row)).transpose()
}

pub async fn version(tx: &Tx, isp: IspId, plan: PlanId, version: i64) -> Result<Option<PlanVersion>, Error> {
    let row = tx
        .row(
            sql!(text!(PlanVersion::SELECT, "where t.isp_id = $1 and t.plan_id = $2 and t.version = $3")),
            &params![isp, plan, version],
        )
        .await?;
    row.map(|row| PlanVersion::from_row(&row)).transpose()
}

/// Live and deleted plans of an Isp: services sold under a deleted one still name it.
pub async fn plans(tx: &Tx, isp: IspId) -> Result<Vec<Plan>, Error> {
    records(
        tx.rows(sql!(text!(Plan::SELECT, "where t.isp_id = $1 order by t.id")), &params![isp]).await?,
        Plan::from_row,
    )
}

/// The newest version of each plan of an Isp.
pub async fn current_versions(tx: &Tx, isp: IspId) -> Result<Vec<PlanVersion>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                PlanVersion::SELECT,
                "join plan p on p.isp_id = t.isp_id and p.id = t.plan_id and p.version = t.version \
                 where t.isp_id = $1 order by t.plan_id"
            )),
            &params![isp],
        )
        .await?;
    records(rows, PlanVersion::from_row)
}

/// Bandwidths, pools and plans of every tenant, deleted ones too, for the directory.
pub async fn everything(tx: &Tx) -> Result<(Vec<Bandwidth>, Vec<Pool>, Vec<Plan>), Error> {
    let bandwidths = tx.rows(sql!(text!(Bandwidth::SELECT, "order by t.isp_id, t.id")), &params![]).await?;
    let pools = tx.rows(sql!(text!(Pool::SELECT, "order by t.isp_id, t.id")), &params![]).await?;
    let plans = tx.rows(sql!(text!(Plan::SELECT, "order by t.isp_id, t.id")), &params![]).await?;
    Ok((records(bandwidths, Bandwidth::from_row)?, records(pools, Pool::from_row)?, records(plans, Plan::from_row)?))
}

/// What each live plan of every tenant is sold under now.
pub async fn all_terms(tx: &Tx) -> Result<Vec<PlanVersion>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                PlanVersion::SELECT,
                "join plan p on p.isp_id = t.isp_id and p.id = t.plan_id and p.version = t.version \
                 where p.deleted_at is null order by t.isp_id, t.plan_id"
            )),
            &params![],
        )
        .await?;
    records(rows, PlanVersion::from_row)
}

pub async fn update(tx: &Tx, row: &Plan) -> Result<(), Error> {
    tx.run(
        sql!(
            "update plan set name = $3, name_key = $4, kind = $5, version = $6, bandwidth_id = $7, pool_id = $8, \
             router_id = $9, shared_users = $10, mac_lock = $11, address_list = $12, expiry_action = $13, \
             expired_pool_id = $14, expired_address_list = $15, expired_bandwidth_id = $16, fallback_plan_id = $17, \
             interim_s = $18, idle_timeout_s = $19, session_timeout_s = $20, enabled = $21, public = $22, \
             fup_template_id = $23, updated_at = $24, deleted_at = $25 where isp_id = $1 and id = $2"
        ),
        &params![
            row.isp_id,
            row.id,
            &row.name,
            &row.name_key,
            row.kind,
            row.version,
            row.bandwidth_id,
            row.pool_id,
            row.router_id,
            row.shared_users,
            row.mac_lock,
            &row.address_list,
            row.expiry_action,
            row.expired_pool_id,
            &row.expired_address_list,
            row.expired_bandwidth_id,
            row.fallback_plan_id,
            row.interim_s,
            row.idle_timeout_s,
            row.session_timeout_s,
            row.enabled,
            row.public,
            row.fup_template_id,
            row.updated_at,
            row.deleted_at
        ],
    )
    .await
    .map(drop)
}

/// Live services on a plan.
pub async fn services_on(tx: &Tx, isp: IspId, id: PlanId) -> Result<i64, Error> {
    let row = tx
        .row(
            sql!("select count(*) from service where isp_id = $1 and plan_id = $2 and deleted_at is null"),
            &params![isp, id],
        )
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// How many live plans give their expired subscribers this one.
pub async fn plans_falling_back_to(tx: &Tx, isp: IspId, id: PlanId) -> Result<i64, Error> {
    let row = tx
        .row(
            sql!("select count(*) from plan where isp_id = $1 and fallback_plan_id = $2 and deleted_at is null"),
            &params![isp, id],
        )
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// The plan, live or deleted: what was sold under it still names it.
pub async fn any(tx: &Tx, isp: IspId, id: PlanId) -> Result<Option<Plan>, Error> {
    let row = tx.row(sql!(text!(Plan::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| Plan::from_row(&row)).transpose()
}

/// Whether lines of a live plan that is for sale may renew by themselves; `None` where it is gone.
pub async fn renews(tx: &Tx, isp: IspId, id: PlanId) -> Result<Option<bool>, Error> {
    let row = tx
        .row(
            sql!("select enabled and auto_renew from plan where isp_id = $1 and id = $2 and deleted_at is null"),
            &params![isp, id],
        )
        .await?;
    row.map(|row| row.get(0)).transpose()
}

/// The plans whose lines never renew by themselves.
pub async fn without_renewal(tx: &Tx, isp: IspId) -> Result<Vec<PlanId>, Error> {
    let rows = tx
        .rows(
            sql!("select id from plan where isp_id = $1 and not auto_renew and deleted_at is null order by id"),
            &params![isp],
        )
        .await?;
    rows.iter().map(|row| row.get(0)).collect()
}

pub async fn set_renews(tx: &Tx, isp: IspId, id: PlanId, renews: bool) -> Result<(), Error> {
    tx.run(sql!("update plan set auto_renew = $3 where isp_id = $1 and id = $2"), &params![isp, id, renews])
        .await
        .map(drop)
}

/// How many live plans give addresses of a pool, to those who paid or those who did not.
pub async fn plans_with_pool(tx: &Tx, isp: IspId, id: PoolId) -> Result<i64, Error> {
    let row = tx
        .row(
            sql!(
                "select count(*) from plan where isp_id = $1 and deleted_at is null \
                 and (pool_id = $2 or expired_pool_id = $2)"
            ),
            &params![isp, id],
        )
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Soft, and its name is free.
pub async fn delete_pool(tx: &Tx, isp: IspId, id: PoolId, now: Instant) -> Result<(), Error> {
    tx.run(
        sql!("update pool set deleted_at = $3, name_key = null where isp_id = $1 and id = $2"),
        &params![isp, id, now],
    )
    .await
    .map(drop)
}

/// How many live plans are sold on a router alone.
pub async fn plans_on_router(tx: &Tx, isp: IspId, id: RouterId) -> Result<i64, Error> {
    let row = tx
        .row(
            sql!("select count(*) from plan where isp_id = $1 and deleted_at is null and router_id = $2"),
            &params![isp, id],
        )
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// These plans, live or deleted, in no order.
pub async fn some(tx: &Tx, isp: IspId, ids: &[PlanId]) -> Result<Vec<Plan>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = among(isp, ids.iter().map(|id| id.0));
    let rows = tx.rows(format!("{}where t.isp_id = $1 and t.id in ({list})", Plan::SELECT), &params).await?;
    records(rows, Plan::from_row)
}

/// The terms that these lines were sold under, each once, in no order.
pub async fn sold_to(tx: &Tx, isp: IspId, lines: &[ServiceId]) -> Result<Vec<PlanVersion>, Error> {
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = among(isp, lines.iter().map(|id| id.0));
    let text = format!(
        "{}join (select distinct s.plan_id, s.plan_version from service s where s.isp_id = $1 and s.id in ({list})) as u \
         on u.plan_id = t.plan_id and u.plan_version = t.version where t.isp_id = $1",
        PlanVersion::SELECT
    );
    records(tx.rows(text, &params).await?, PlanVersion::from_row)
}

/// These bandwidths, live or deleted, in no order.
pub async fn rates(tx: &Tx, isp: IspId, ids: &[BandwidthId]) -> Result<Vec<Bandwidth>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = among(isp, ids.iter().map(|id| id.0));
    let rows = tx.rows(format!("{}where t.isp_id = $1 and t.id in ({list})", Bandwidth::SELECT), &params).await?;
    records(rows, Bandwidth::from_row)
}

/// The names of these plans, the deleted ones too.
pub async fn names(tx: &Tx, isp: IspId, ids: &[PlanId]) -> Result<Vec<(PlanId, String)>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = among(isp, ids.iter().map(|id| id.0));
    let rows = tx.rows(format!("select id, name from plan where isp_id = $1 and id in ({list})"), &params).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
