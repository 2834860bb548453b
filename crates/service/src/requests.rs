//! The log of API requests, written in batches behind the answers.

use domain::{ApiClientId, Instant, IspId, StaffId};
use store::{api_request, db::Class};

pub use store::api_request::{ApiRequest, Filter};

use crate::{Actor, App, Error, ids::Table};

/// A request as its door saw it.
#[derive(Clone, Debug)]
pub struct Asked {
    pub isp: IspId,
    pub at: Instant,
    pub dialect: &'static str,
    pub client: Option<ApiClientId>,
    pub staff: Option<StaffId>,
    pub method: String,
    pub path: String,
    pub route: String,
    pub status: u16,
    pub ms: i64,
    pub request_id: String,
    pub source: Option<String>,
}

/// Writes what was asked; one call writes up to a thousand rows.
pub async fn record(app: &App, asked: Vec<Asked>) -> Result<(), Error> {
    if asked.is_empty() {
        return Ok(());
    }
    let first = app.new_ids(Table::ApiRequest, asked.len() as i64).await?;
    let row = |(asked, id): (Asked, i64)| ApiRequest {
        isp_id: asked.isp,
        id,
        at: asked.at,
        dialect: asked.dialect.into(),
        client_id: asked.client,
        staff_id: asked.staff,
        method: asked.method,
        path: asked.path,
        route: asked.route,
        status: asked.status.into(),
        ms: asked.ms,
        request_id: asked.request_id,
        source: asked.source,
    };
    let rows: Vec<ApiRequest> = asked.into_iter().zip(first..).map(row).collect();
    Ok(app.db.tx(Class::Bulk, async move |tx| api_request::insert(tx, &rows).await).await?)
}

/// The newest first, and how many match.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Filter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<ApiRequest>, i64), Error> {
    actor.sees_all()?;
    let isp = actor.isp;
    app.db
        .read(async move |tx| {
            let rows = api_request::list(tx, isp, &filter, offset, limit).await?;
            Ok((rows, api_request::count(tx, isp, &filter).await?))
        })
        .await
}

/// How many rows one transaction removes: writers wait no longer than that takes.
const AT_ONCE: i64 = 2000;

/// Removes what is older than `kept` microseconds.
pub async fn forget(app: &App, kept: i64) -> Result<(), Error> {
    let before = app.clock.now().plus(-kept);
    for tenant in app.tenants().await? {
        let isp = tenant.isp.isp_id;
        while app.db.tx(Class::Bulk, async move |tx| api_request::forget(tx, isp, before, AT_ONCE).await).await? > 0 {}
    }
    Ok(())
}
