//! Customers: lists with the documented filters, one customer, changes.

use domain::{BranchId, CustomerId, Instant, IspId, Kind, RouterId};

use crate::{
    db::{Error, Tx, Value},
    params,
    record::{record, records, text},
    service::Service,
    sql,
};

record! {
    Customer of "customer" {
        isp_id: IspId,
        id: CustomerId,
        branch_id: Option<BranchId>,
        /// The account's name; also the network name of hotspot and static lines.
        username: String,
        /// Lower-cased and trimmed while live; null frees it.
        username_key: Option<String>,
        /// What the portal asks for until the customer chooses a password, sealed.
        portal_secret: Option<Vec<u8>>,
        /// The password the customer chose, argon2.
        portal_hash: Option<String>,
        full_name: String,
        phone: String,
        email: Option<String>,
        address: Option<String>,
        building_id: Option<i64>,
        notes: Option<String>,
        created_at: Instant,
        updated_at: Instant,
        deleted_at: Option<Instant>,
    }
}

pub async fn find(tx: &Tx, isp: IspId, id: CustomerId) -> Result<Option<Customer>, Error> {
    let row = tx
        .row(
            sql!(text!(Customer::SELECT, "where t.isp_id = $1 and t.id = $2 and t.deleted_at is null")),
            &params![isp, id],
        )
        .await?;
    row.map(|row| Customer::from_row(&row)).transpose()
}

/// The live customer, locked until the transaction ends: every change of a customer or its services begins here.
pub async fn lock(tx: &Tx, isp: IspId, id: CustomerId) -> Result<Option<Customer>, Error> {
    let row = tx
        .row_locked(
            sql!(text!(Customer::SELECT, "where t.isp_id = $1 and t.id = $2 and t.deleted_at is null")),
            &params![isp, id],
        )
        .await?;
    row.map(|row| Customer::from_row(&row)).transpose()
}

pub async fn by_username(tx: &Tx, isp: IspId, username_key: &str) -> Result<Option<Customer>, Error> {
    let row = tx
        .row(sql!(text!(Customer::SELECT, "where t.isp_id = $1 and t.username_key = $2")), &params![isp, username_key])
        .await?;
    row.map(|row| Customer::from_row(&row)).transpose()
}

/// The greatest live username key from `from` on and below `below`.
pub async fn last_username(tx: &Tx, isp: IspId, from: &str, below: &str) -> Result<Option<String>, Error> {
    let row = tx
        .row(
            sql!(
                "select username_key from customer where isp_id = $1 and username_key >= $2 and username_key < $3 \
                 order by username_key desc limit 1"
            ),
            &params![isp, from, below],
        )
        .await?;
    row.map(|row| row.get(0)).transpose()
}

/// Tells PostgreSQL's planner how large the tables have become; by itself it notices a minute later, and until then
/// lists may take many seconds. SQLite's needs no telling.
pub async fn refresh_statistics(tx: &Tx) -> Result<(), Error> {
    if tx.engine() == crate::db::Engine::Postgres {
        tx.run(sql!("analyze customer"), &params![]).await?;
        tx.run(sql!("analyze service"), &params![]).await?;
    }
    Ok(())
}

pub async fn update(tx: &Tx, row: &Customer) -> Result<(), Error> {
    tx.run(
        sql!(
            "update customer set username = $3, username_key = $4, portal_secret = $5, portal_hash = $6, \
             full_name = $7, phone = $8, email = $9, address = $10, building_id = $11, notes = $12, \
             updated_at = $13, deleted_at = $14 where isp_id = $1 and id = $2"
        ),
        &params![
            row.isp_id,
            row.id,
            &row.username,
            &row.username_key,
            &row.portal_secret,
            &row.portal_hash,
            &row.full_name,
            &row.phone,
            &row.email,
            &row.address,
            row.building_id,
            &row.notes,
            row.updated_at,
            row.deleted_at
        ],
    )
    .await
    .map(drop)
}

/// The state a list asks for, as the core computes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Active, within validity and quota.
    Active,
    /// Active, but validity or quota is over.
    Expired,
    /// Suspended or disabled.
    Barred,
    /// Inactive, pending, awaiting approval, rejected, terminated.
    Off,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    Username,
    FullName,
    Created,
    Expiry,
}

/// A list's conditions; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    pub kind: Option<Kind>,
    pub standing: Option<Standing>,
    pub router: Option<RouterId>,
    pub building: Option<i64>,
    pub branch: Option<BranchId>,
    /// Part of a name, phone number, username or e-mail.
    pub search: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Page {
    pub order: Order,
    pub descending: bool,
    pub offset: i64,
    pub limit: i64,
}

/// One page of live customers with their primary service, and how many there are in all.
pub async fn list(
    tx: &Tx,
    isp: IspId,
    filter: &Filter,
    page: Page,
    now: Instant,
) -> Result<(Vec<(Customer, Option<Service>)>, i64), Error> {
    let (condition, mut params) = condition(isp, filter, now);
    let from = format!(
        "from customer t left join service s on s.isp_id = t.isp_id and s.customer_id = t.id and s.ordinal = 1 \
         where {condition}"
    );
    let total = tx.row(format!("select count(*) {from}"), &params).await?.map_or(Ok(0), |row| row.get(0))?;
    let (column, direction) = (
        match page.order {
            Order::Username => "t.username",
            Order::FullName => "t.full_name",
            Order::Created => "t.created_at",
            Order::Expiry => "s.expires_at",
        },
        if page.descending { "desc" } else { "asc" },
    );
    params.push(Value::from(page.limit));
    params.push(Value::from(page.offset));
    let (limit, offset) = (params.len() - 1, params.len());
    let ids = tx
        .rows(
            format!(
                "select t.id {from} order by {column} {direction}, t.id {direction} limit ${limit} offset ${offset}"
            ),
            &params,
        )
        .await?;
    let ids = ids.iter().map(|row| row.get(0)).collect::<Result<Vec<CustomerId>, Error>>()?;
    Ok((with_services(tx, isp, &ids).await?, total))
}

fn condition(isp: IspId, filter: &Filter, now: Instant) -> (String, Vec<Value>) {
    let mut params = vec![Value::from(isp)];
    let mut text = String::from("t.isp_id = $1 and t.deleted_at is null");
    let mut and = |fragment: &str, value: Value| {
        params.push(value);
        text += " and ";
        text += &fragment.replace("$?", &format!("${}", params.len()));
    };
    if let Some(kind) = filter.kind {
        and("s.kind = $?", kind.into());
    }
    if let Some(router) = filter.router {
        and("s.router_id = $?", router.into());
    }
    if let Some(branch) = filter.branch {
        and("t.branch_id = $?", branch.into());
    }
    if let Some(building) = filter.building {
        and("t.building_id = $?", building.into());
    }
    const RUNS: &str = "s.expires_at > $? and (s.quota_bytes is null or s.used_bytes < s.quota_bytes) \
                        and (s.quota_time_s is null or s.used_time_s < s.quota_time_s)";
    match filter.standing {
        None => {}
        Some(Standing::Active) => and(&format!("s.status = 'active' and {RUNS}"), now.into()),
        Some(Standing::Expired) => {
            and(&format!("s.status = 'active' and (s.expires_at is null or not ({RUNS}))"), now.into());
        }
        Some(Standing::Barred) => and("s.status in ($?, 'disabled')", "suspended".into()),
        Some(Standing::Off) => and(
            "(s.status is null or s.status in ($?, 'pending', 'awaiting_approval', 'rejected', 'terminated'))",
            "inactive".into(),
        ),
    }
    if let Some(search) = &filter.search {
        let escaped = search.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        and(
            "(lower(t.full_name) like $? escape '\\' or t.phone like $? escape '\\' \
             or lower(t.username) like $? escape '\\' or lower(t.email) like $? escape '\\')",
            format!("%{escaped}%").into(),
        );
    }
    (text, params)
}

/// The customers in the order of `ids`, each with its primary service: two queries, however many.
async fn with_services(tx: &Tx, isp: IspId, ids: &[CustomerId]) -> Result<Vec<(Customer, Option<Service>)>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = among(isp, ids.iter().map(|id| id.0));
    let customers = tx.rows(format!("{}where t.isp_id = $1 and t.id in ({list})", Customer::SELECT), &params).await?;
    let services = tx
        .rows(
            format!("{}where t.isp_id = $1 and t.ordinal = 1 and t.customer_id in ({list})", Service::SELECT),
            &params,
        )
        .await?;
    let mut customers = records(customers, Customer::from_row)?;
    let mut services = records(services, Service::from_row)?;
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        if let Some(at) = customers.iter().position(|row| row.id == *id) {
            let customer = customers.swap_remove(at);
            let service = services.iter().position(|row| row.customer_id == *id).map(|at| services.swap_remove(at));
            rows.push((customer, service));
        }
    }
    Ok(rows)
}

/// `$2, $3, …` and the parameters for them behind the Isp's, filled up to a power of two so that few texts exist.
pub(crate) fn among(isp: IspId, ids: impl ExactSizeIterator<Item = i64>) -> (String, Vec<Value>) {
    let count = ids.len().next_power_of_two();
    let mut params = vec![Value::from(isp)];
    params.extend(ids.map(Value::from));
    while params.len() <= count {
        params.push(params[params.len() - 1].clone());
    }
    let list = (2..=params.len()).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
    (list, params)
}
