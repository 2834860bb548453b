//! The log of API requests: who asked what, and how it was answered.

use domain::{ApiClientId, Instant, IspId, StaffId};

use crate::{
    db::{Error, Tx, Value},
    kernel::record::{record, records},
    params, sql,
};

record! {
    ApiRequest of "api_request" {
        isp_id: IspId,
        id: i64,
        at: Instant,
        dialect: String,
        client_id: Option<ApiClientId>,
        staff_id: Option<StaffId>,
        method: String,
        path: String,
        /// The row of the route table, or `unmatched`.
        route: String,
        status: i64,
        ms: i64,
        request_id: String,
        source: Option<String>,
    }
}

/// A list's conditions; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    pub client: Option<ApiClientId>,
    pub dialect: Option<String>,
    /// Statuses from here, and below the next hundred: 400 finds 4xx.
    pub class: Option<i64>,
    pub method: Option<String>,
    /// The path begins so.
    pub path: Option<String>,
    pub from: Option<Instant>,
    /// Not included.
    pub until: Option<Instant>,
}

fn matching(isp: IspId, filter: &Filter) -> (String, Vec<Value>) {
    let mut params = vec![Value::from(isp)];
    let mut text = String::from("t.isp_id = $1");
    // What sorts behind everything that begins so.
    let beyond = filter.path.as_ref().map(|path| format!("{path}\u{10ffff}"));
    let conditions = [
        ("t.client_id =", filter.client.map(Value::from)),
        ("t.dialect =", filter.dialect.as_deref().map(Value::from)),
        ("t.status >=", filter.class.map(Value::from)),
        ("t.status <", filter.class.map(|class| Value::from(class + 100))),
        ("t.method =", filter.method.as_deref().map(Value::from)),
        ("t.path >=", filter.path.as_deref().map(Value::from)),
        ("t.path <", beyond.as_deref().map(Value::from)),
        ("t.at >=", filter.from.map(Value::from)),
        ("t.at <", filter.until.map(Value::from)),
    ];
    for (condition, value) in conditions {
        if let Some(value) = value {
            params.push(value);
            text += &format!(" and {condition} ${}", params.len());
        }
    }
    (text, params)
}

pub async fn insert(tx: &Tx, rows: &[ApiRequest]) -> Result<(), Error> {
    tx.insert_many(ApiRequest::INSERT, "", rows.iter().map(ApiRequest::values).collect()).await.map(drop)
}

/// A page of what matches, the newest first.
pub async fn list(tx: &Tx, isp: IspId, filter: &Filter, offset: i64, limit: i64) -> Result<Vec<ApiRequest>, Error> {
    let (condition, mut params) = matching(isp, filter);
    params.extend([Value::from(limit), Value::from(offset)]);
    let text = format!(
        "{}where {condition} order by t.at desc, t.id desc limit ${} offset ${}",
        ApiRequest::SELECT,
        params.len() - 1,
        params.len()
    );
    records(tx.rows(text, &params).await?, ApiRequest::from_row)
}

pub async fn count(tx: &Tx, isp: IspId, filter: &Filter) -> Result<i64, Error> {
    let (condition, params) = matching(isp, filter);
    let row = tx.row(format!("select count(*) from api_request t where {condition}"), &params).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Removes up to `limit` rows older than `before`.
pub async fn forget(tx: &Tx, isp: IspId, before: Instant, limit: i64) -> Result<u64, Error> {
    tx.run(
        sql!(
            "delete from api_request where isp_id = $1 and id in \
             (select id from api_request where isp_id = $1 and at < $2 order by at limit $3)"
        ),
        &params![isp, before, limit],
    )
    .await
}
