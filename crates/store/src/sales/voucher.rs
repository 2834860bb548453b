//! Vouchers: prepaid codes, and who used them.

use domain::{CustomerId, Instant, IspId, Kind, PlanId, RouterId, ServiceId};

use crate::{
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
    Voucher of "voucher" {
        isp_id: IspId,
        id: i64,
        kind: Kind,
        plan_id: PlanId,
        router_id: RouterId,
        /// Whose it is, where it was made for somebody.
        customer_id: Option<CustomerId>,
        code: String,
        /// Lower-cased while it lives; null frees the code.
        code_key: Option<String>,
        /// How many times it can be used, and has been.
        clients: i64,
        used: i64,
        last_client: Option<String>,
        last_used_at: Option<Instant>,
        created_at: Instant,
        deleted_at: Option<Instant>,
    }
}

record! {
    Use of "voucher_use" {
        isp_id: IspId,
        voucher_id: i64,
        ordinal: i64,
        customer_id: CustomerId,
        service_id: ServiceId,
        client: String,
        used_at: Instant,
    }
}

/// Adds vouchers; one whose code is taken meanwhile is left out. How many were added.
pub async fn insert(tx: &Tx, vouchers: &[Voucher]) -> Result<u64, Error> {
    tx.insert_many(Voucher::INSERT, "on conflict do nothing", vouchers.iter().map(Voucher::values).collect()).await
}

/// The live voucher with this code, locked until the transaction ends.
pub async fn lock_by_code(tx: &Tx, isp: IspId, code_key: &str) -> Result<Option<Voucher>, Error> {
    let row = tx
        .row_locked(sql!(text!(Voucher::SELECT, "where t.isp_id = $1 and t.code_key = $2")), &params![isp, code_key])
        .await?;
    row.map(|row| Voucher::from_row(&row)).transpose()
}

/// The live voucher with this code.
pub async fn by_code(tx: &Tx, isp: IspId, code_key: &str) -> Result<Option<Voucher>, Error> {
    let row = tx
        .row(sql!(text!(Voucher::SELECT, "where t.isp_id = $1 and t.code_key = $2")), &params![isp, code_key])
        .await?;
    row.map(|row| Voucher::from_row(&row)).transpose()
}

/// Live vouchers of every tenant after `(isp, id)` in that order.
pub async fn live_after(tx: &Tx, isp: IspId, id: i64, limit: i64) -> Result<Vec<Voucher>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Voucher::SELECT,
                "where (t.isp_id, t.id) > ($1, $2) and t.code_key is not null order by t.isp_id, t.id limit $3"
            )),
            &params![isp, id, limit],
        )
        .await?;
    records(rows, Voucher::from_row)
}

/// These vouchers, live and deleted.
pub async fn some(tx: &Tx, isp: IspId, ids: &[i64]) -> Result<Vec<Voucher>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = among(isp, ids.iter().copied());
    records(
        tx.rows(format!("{}where t.isp_id = $1 and t.id in ({list}) order by t.id", Voucher::SELECT), &params).await?,
        Voucher::from_row,
    )
}

const USES: &str = text!(
    "select ",
    Use::COLUMNS,
    ", lower(v.code) from voucher_use t join voucher v on v.isp_id = t.isp_id and v.id = t.voucher_id \
     join service s on s.isp_id = t.isp_id and s.id = t.service_id and s.deleted_at is null "
);

/// Uses of every tenant whose line still exists, after `(isp, voucher, ordinal)` in that order, each with its code.
pub async fn uses_after(tx: &Tx, after: (IspId, i64, i64), limit: i64) -> Result<Vec<(Use, String)>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                USES,
                "where (t.isp_id, t.voucher_id, t.ordinal) > ($1, $2, $3) \
                 order by t.isp_id, t.voucher_id, t.ordinal limit $4"
            )),
            &params![after.0, after.1, after.2, limit],
        )
        .await?;
    rows.iter().map(with_code).collect()
}

/// Uses of these vouchers whose line still exists, each with its code.
pub async fn uses_of(tx: &Tx, isp: IspId, vouchers: &[i64]) -> Result<Vec<(Use, String)>, Error> {
    if vouchers.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = among(isp, vouchers.iter().copied());
    let text = format!("{USES}where t.isp_id = $1 and t.voucher_id in ({list}) order by t.voucher_id, t.ordinal");
    tx.rows(text, &params).await?.iter().map(with_code).collect()
}

fn with_code(row: &Row) -> Result<(Use, String), Error> {
    Ok((Use::from_row(row)?, row.get(7)?))
}

/// What this client has had of a voucher.
pub async fn use_by(tx: &Tx, isp: IspId, voucher: i64, client: &str) -> Result<Option<Use>, Error> {
    let row = tx
        .row(
            sql!(text!(
                Use::SELECT,
                "where t.isp_id = $1 and t.voucher_id = $2 and t.client = $3 order by t.ordinal limit 1"
            )),
            &params![isp, voucher, client],
        )
        .await?;
    row.map(|row| Use::from_row(&row)).transpose()
}

/// A further line of a customer, beside its primary one.
pub async fn add_line(tx: &Tx, line: &Service) -> Result<(), Error> {
    tx.insert_many(Service::INSERT, "", vec![line.values()]).await.map(drop)
}

/// Those of `keys` that live vouchers have.
pub async fn taken(tx: &Tx, isp: IspId, keys: &[String]) -> Result<Vec<String>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let list = (2..keys.len() + 2).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
    let mut params = vec![Value::from(isp)];
    params.extend(keys.iter().map(|key| Value::from(key.as_str())));
    let rows =
        tx.rows(format!("select code_key from voucher where isp_id = $1 and code_key in ({list})"), &params).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Every live code of this length.
pub async fn codes_of_length(tx: &Tx, isp: IspId, length: i64) -> Result<Vec<String>, Error> {
    let rows = tx
        .rows(
            sql!("select code_key from voucher where isp_id = $1 and code_key is not null and length(code_key) = $2"),
            &params![isp, length],
        )
        .await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Writes down a use.
pub async fn mark_used(tx: &Tx, row: &Voucher) -> Result<(), Error> {
    tx.run(
        sql!("update voucher set used = $3, last_client = $4, last_used_at = $5 where isp_id = $1 and id = $2"),
        &params![row.isp_id, row.id, row.used, &row.last_client, row.last_used_at],
    )
    .await
    .map(drop)
}

/// Deletes live vouchers and frees their codes; which there were.
pub async fn delete(tx: &Tx, isp: IspId, ids: &[i64], now: Instant) -> Result<Vec<i64>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (list, mut params) = among(isp, ids.iter().copied());
    params.push(now.into());
    let text = format!(
        "update voucher set deleted_at = ${}, code_key = null \
         where isp_id = $1 and deleted_at is null and id in ({list}) returning id",
        params.len()
    );
    let rows = tx.rows(text, &params).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// A list's conditions; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    /// Part of a code.
    pub search: Option<String>,
    /// Used as often as it can be.
    pub used_up: Option<bool>,
    pub router: Option<RouterId>,
    pub plan: Option<PlanId>,
    pub kind: Option<Kind>,
}

/// A page of the live vouchers that match, newest first, and how many there are in all.
pub async fn list(tx: &Tx, isp: IspId, filter: &Filter, offset: i64, limit: i64) -> Result<(Vec<Voucher>, i64), Error> {
    let mut params = vec![Value::from(isp)];
    let mut text = String::from("t.isp_id = $1 and t.deleted_at is null");
    let search = filter.search.as_deref().map(|part| {
        let escaped = part.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        Value::from(format!("%{escaped}%"))
    });
    let conditions = [
        ("t.code_key like $? escape '\\'", search),
        ("t.router_id = $?", filter.router.map(Value::from)),
        ("t.plan_id = $?", filter.plan.map(Value::from)),
        ("t.kind = $?", filter.kind.map(Value::from)),
    ];
    for (condition, value) in conditions {
        if let Some(value) = value {
            params.push(value);
            text += " and ";
            text += &condition.replace("$?", &format!("${}", params.len()));
        }
    }
    text += match filter.used_up {
        None => "",
        Some(true) => " and t.used >= t.clients",
        Some(false) => " and t.used < t.clients",
    };
    let total = tx.row(format!("select count(*) from voucher t where {text}"), &params).await?;
    let total = total.map_or(Ok(0), |row| row.get(0))?;
    params.extend([Value::from(limit), Value::from(offset)]);
    let page = format!(
        "{}where {text} order by t.created_at desc, t.id desc limit ${} offset ${}",
        Voucher::SELECT,
        params.len() - 1,
        params.len()
    );
    Ok((records(tx.rows(page, &params).await?, Voucher::from_row)?, total))
}

/// The live voucher.
pub async fn find(tx: &Tx, isp: IspId, id: i64) -> Result<Option<Voucher>, Error> {
    let row = tx
        .row(
            sql!(text!(Voucher::SELECT, "where t.isp_id = $1 and t.id = $2 and t.deleted_at is null")),
            &params![isp, id],
        )
        .await?;
    row.map(|row| Voucher::from_row(&row)).transpose()
}

/// Who used it, the first use first.
pub async fn uses(tx: &Tx, isp: IspId, voucher: i64, limit: i64) -> Result<Vec<Use>, Error> {
    let rows = tx
        .rows(
            sql!(text!(Use::SELECT, "where t.isp_id = $1 and t.voucher_id = $2 order by t.ordinal limit $3")),
            &params![isp, voucher, limit],
        )
        .await?;
    records(rows, Use::from_row)
}
