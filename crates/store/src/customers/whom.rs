//! Whom a list without pages is of: ids of customers by one condition, a page at a time; and figures of all of them.

use domain::{BranchId, CustomerId, Instant, IspId, ServiceId, Status};

use crate::{
    db::{Error, Row, Tx},
    kernel::conditions::among,
    params, sql,
};

fn ids(rows: Vec<Row>) -> Result<Vec<CustomerId>, Error> {
    rows.iter().map(|row| row.get(0)).collect()
}

fn branch_of(branch: Option<BranchId>) -> i64 {
    branch.map_or(0, |id| id.0)
}

/// Live customers behind `after`, in the order of their ids.
pub async fn live_after(
    tx: &Tx,
    isp: IspId,
    branch: Option<BranchId>,
    after: CustomerId,
    limit: i64,
) -> Result<Vec<CustomerId>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select id from customer where isp_id = $1 and id > $2 and deleted_at is null \
                 and (branch_id = $3 or $3 = 0) order by id limit $4"
            ),
            &params![isp, after, branch_of(branch), limit],
        )
        .await?;
    ids(rows)
}

/// Customers with this phone number, live or deleted.
pub async fn by_phone(tx: &Tx, isp: IspId, branch: Option<BranchId>, phone: &str) -> Result<Vec<CustomerId>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select id from customer where isp_id = $1 and phone = $2 and (branch_id = $3 or $3 = 0) \
                 order by id limit 1000"
            ),
            &params![isp, phone, branch_of(branch)],
        )
        .await?;
    ids(rows)
}

/// Live customers with this e-mail address, however it is written.
pub async fn by_email(tx: &Tx, isp: IspId, branch: Option<BranchId>, email: &str) -> Result<Vec<CustomerId>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select id from customer where isp_id = $1 and lower(email) = lower($2) and deleted_at is null \
                 and (branch_id = $3 or $3 = 0) order by id limit 100"
            ),
            &params![isp, email, branch_of(branch)],
        )
        .await?;
    ids(rows)
}

/// Live customers made in a stretch of time; its end is not in it.
pub async fn created(
    tx: &Tx,
    isp: IspId,
    branch: Option<BranchId>,
    (from, until): (Instant, Instant),
) -> Result<Vec<CustomerId>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select id from customer where isp_id = $1 and created_at >= $2 and created_at < $3 \
                 and deleted_at is null and (branch_id = $4 or $4 = 0) order by created_at, id"
            ),
            &params![isp, from, until, branch_of(branch)],
        )
        .await?;
    ids(rows)
}

/// Live customers who, or whose primary line, were changed in a stretch of time.
pub async fn modified(
    tx: &Tx,
    isp: IspId,
    branch: Option<BranchId>,
    (from, until): (Instant, Instant),
) -> Result<Vec<CustomerId>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select c.id from customer c where c.isp_id = $1 and c.updated_at >= $2 and c.updated_at < $3 \
                 and c.deleted_at is null and (c.branch_id = $4 or $4 = 0) \
                 union select s.customer_id from service s \
                 join customer c on c.isp_id = s.isp_id and c.id = s.customer_id \
                 where s.isp_id = $1 and s.updated_at >= $2 and s.updated_at < $3 and s.ordinal = 1 \
                 and c.deleted_at is null and (c.branch_id = $4 or $4 = 0) order by 1"
            ),
            &params![isp, from, until, branch_of(branch)],
        )
        .await?;
    ids(rows)
}

/// Bytes up and down of each line since its period began, by civil days of a zone `offset_us` ahead of UTC; of the day on
/// which it began without what had been used before.
pub async fn usage(
    tx: &Tx,
    isp: IspId,
    services: &[ServiceId],
    offset_us: i64,
) -> Result<Vec<(ServiceId, i64, i64)>, Error> {
    if services.is_empty() {
        return Ok(Vec::new());
    }
    let (list, mut params) = among(isp, services.iter().map(|id| id.0));
    params.push(offset_us.into());
    let text = format!(
        "select u.service_id, cast(sum(u.up - coalesce(b.up, 0)) as bigint), \
         cast(sum(u.down - coalesce(b.down, 0)) as bigint) from usage_day u \
         join service s on s.isp_id = u.isp_id and s.id = u.service_id \
         left join usage_before b on b.isp_id = u.isp_id and b.service_id = u.service_id and b.day = u.day \
         and b.day = (coalesce(s.period_started_at, 0) + ${zone}) / 86400000000 \
         where u.isp_id = $1 and u.service_id in ({list}) \
         and u.day >= (coalesce(s.period_started_at, 0) + ${zone}) / 86400000000 group by u.service_id",
        zone = params.len()
    );
    let rows = tx.rows(text, &params).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).collect()
}

/// How many customers there are of each sort.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sort {
    pub status: Status,
    /// Active, but validity or quota is over.
    pub over: bool,
    pub count: i64,
}

/// Live customers by the status of their primary line.
pub async fn sorts(tx: &Tx, isp: IspId, branch: Option<BranchId>, now: Instant) -> Result<Vec<Sort>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select s.status, case when s.expires_at is null or s.expires_at <= $2 \
                 or s.used_bytes >= s.quota_bytes or s.used_time_s >= s.quota_time_s then cast(1 as bigint) else cast(0 as bigint) end as lapsed, \
                 count(*) from service s join customer c on c.isp_id = s.isp_id and c.id = s.customer_id \
                 where s.isp_id = $1 and s.ordinal = 1 and s.deleted_at is null and c.deleted_at is null \
                 and (c.branch_id = $3 or $3 = 0) group by s.status, lapsed"
            ),
            &params![isp, now, branch_of(branch)],
        )
        .await?;
    rows.iter().map(|row| Ok(Sort { status: row.get(0)?, over: row.get::<i64>(1)? != 0, count: row.get(2)? })).collect()
}

/// What a count of users tells beside their states.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Movement {
    pub online: i64,
    /// Active ones whose time ends in a stretch of time.
    pub expiring: i64,
    pub created: i64,
    /// Deleted or terminated.
    pub left: i64,
}

/// Who is online, whose time ends before `until`, and who came or went since `since`.
pub async fn movement(
    tx: &Tx,
    isp: IspId,
    branch: Option<BranchId>,
    now: Instant,
    since: Instant,
    until: Instant,
) -> Result<Movement, Error> {
    let branch = branch_of(branch);
    let number = |row: Option<Row>| row.map_or(Ok(0), |row| row.get::<i64>(0));
    let online = tx
        .row(
            sql!(
                "select count(distinct x.customer_id) from session x \
                 join customer c on c.isp_id = x.isp_id and c.id = x.customer_id \
                 join service s on s.isp_id = x.isp_id and s.id = x.service_id \
                 where x.isp_id = $1 and x.state = 0 and c.deleted_at is null and s.status = 'active' \
                 and s.expires_at > $3 and (c.branch_id = $2 or $2 = 0)"
            ),
            &params![isp, branch, now],
        )
        .await?;
    let expiring = tx
        .row(
            sql!(
                "select count(*) from service s join customer c on c.isp_id = s.isp_id and c.id = s.customer_id \
                 where s.isp_id = $1 and s.ordinal = 1 and s.deleted_at is null and c.deleted_at is null \
                 and s.status = 'active' and s.expires_at > $2 and s.expires_at <= $3 \
                 and (c.branch_id = $4 or $4 = 0)"
            ),
            &params![isp, now, until, branch],
        )
        .await?;
    let created = tx
        .row(
            sql!(
                "select count(*) from customer where isp_id = $1 and created_at >= $2 and deleted_at is null \
                 and (branch_id = $3 or $3 = 0)"
            ),
            &params![isp, since, branch],
        )
        .await?;
    let deleted = tx
        .row(
            sql!(
                "select count(*) from customer where isp_id = $1 and updated_at >= $2 and deleted_at >= $2 \
                 and (branch_id = $3 or $3 = 0)"
            ),
            &params![isp, since, branch],
        )
        .await?;
    let terminated = tx
        .row(
            sql!(
                "select count(*) from service s join customer c on c.isp_id = s.isp_id and c.id = s.customer_id \
                 where s.isp_id = $1 and s.ordinal = 1 and c.deleted_at is null and s.status = 'terminated' \
                 and s.status_since >= $2 and (c.branch_id = $3 or $3 = 0)"
            ),
            &params![isp, since, branch],
        )
        .await?;
    Ok(Movement {
        online: number(online)?,
        expiring: number(expiring)?,
        created: number(created)?,
        left: number(deleted)? + number(terminated)?,
    })
}

/// Live customers of each plan: all of them, those who may authenticate, those who are online.
pub async fn of_plans(
    tx: &Tx,
    isp: IspId,
    branch: Option<BranchId>,
    now: Instant,
) -> Result<Vec<(i64, i64, i64, i64)>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select s.plan_id, count(*), \
                 sum(case when s.status = 'active' and s.expires_at > $2 then cast(1 as bigint) else 0 end), \
                 sum(case when exists (select 1 from session x where x.isp_id = s.isp_id and x.service_id = s.id \
                 and x.state = 0) then 1 else 0 end) \
                 from service s join customer c on c.isp_id = s.isp_id and c.id = s.customer_id \
                 where s.isp_id = $1 and s.ordinal = 1 and s.deleted_at is null and c.deleted_at is null \
                 and (c.branch_id = $3 or $3 = 0) group by s.plan_id order by s.plan_id"
            ),
            &params![isp, now, branch_of(branch)],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).collect()
}
