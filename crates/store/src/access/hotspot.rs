//! The captive portal's access log.

use domain::{CustomerId, Instant, IspId, RouterId};

use crate::{
    db::{Error, Tx, Value},
    kernel::record::{record, records},
};

record! {
    Access of "hotspot_access" {
        isp_id: IspId,
        id: i64,
        at: Instant,
        router_id: RouterId,
        mac: Option<String>,
        customer_id: Option<CustomerId>,
        username: Option<String>,
        /// What the visitor's browser calls the device.
        device: Option<String>,
        /// accessed, triggered_payment, got_login_credentials, logged_in, failed_to_log_in.
        kind: String,
    }
}

/// A list's conditions; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    pub from: Instant,
    /// Not included.
    pub until: Instant,
    pub router: Option<RouterId>,
    pub device: Option<String>,
    pub kind: Option<String>,
    pub mac: Option<String>,
}

fn matching(isp: IspId, filter: &Filter) -> (String, Vec<Value>) {
    let mut params = vec![Value::from(isp), filter.from.into(), filter.until.into()];
    let mut text = String::from("t.isp_id = $1 and t.at >= $2 and t.at < $3");
    let conditions = [
        ("t.router_id =", filter.router.map(Value::from)),
        ("lower(t.device) =", filter.device.as_ref().map(|device| Value::from(device.to_lowercase()))),
        ("t.kind =", filter.kind.as_deref().map(Value::from)),
        ("t.mac =", filter.mac.as_deref().map(Value::from)),
    ];
    for (condition, value) in conditions {
        if let Some(value) = value {
            params.push(value);
            text += &format!(" and {condition} ${}", params.len());
        }
    }
    (text, params)
}

/// A step at the portal with the names it is shown with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    pub access: Access,
    pub router_name: Option<String>,
    pub full_name: Option<String>,
}

/// A page of the log, newest first.
pub async fn list(tx: &Tx, isp: IspId, filter: &Filter, offset: i64, limit: i64) -> Result<Vec<Named>, Error> {
    let (condition, mut params) = matching(isp, filter);
    params.extend([Value::from(limit), Value::from(offset)]);
    let text = format!(
        "{}where {condition} order by t.at desc, t.id desc limit ${} offset ${}",
        Access::SELECT,
        params.len() - 1,
        params.len()
    );
    let rows = records(tx.rows(text, &params).await?, Access::from_row)?;
    let routers = names(tx, isp, "router", "name", rows.iter().map(|row| row.router_id.0).collect()).await?;
    let people = rows.iter().filter_map(|row| row.customer_id).map(|id| id.0).collect();
    let people = names(tx, isp, "customer", "full_name", people).await?;
    let name = |list: &[(i64, String)], id: i64| list.iter().find(|row| row.0 == id).map(|row| row.1.clone());
    let named = rows.into_iter().map(|access| Named {
        router_name: name(&routers, access.router_id.0),
        full_name: access.customer_id.and_then(|id| name(&people, id.0)),
        access,
    });
    Ok(named.collect())
}

async fn names(
    tx: &Tx,
    isp: IspId,
    table: &'static str,
    column: &'static str,
    mut ids: Vec<i64>,
) -> Result<Vec<(i64, String)>, Error> {
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = crate::kernel::conditions::among(isp, ids.into_iter());
    let text = format!("select id, {column} from {table} where isp_id = $1 and id in ({list})");
    let rows = tx.rows(text, &params).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// How many of each kind match.
pub async fn counts(tx: &Tx, isp: IspId, filter: &Filter) -> Result<Vec<(String, i64)>, Error> {
    let (condition, params) = matching(isp, filter);
    let text =
        format!("select t.kind, count(*) from hotspot_access t where {condition} group by t.kind order by t.kind");
    let rows = tx.rows(text, &params).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
