//! The log of API requests, written in batches behind the answers.

use domain::{ApiClientId, Instant, IspId, StaffId, kernel::clock::DAY};
use store::{db::Class, identity::api_request};

pub use store::identity::api_request::{ApiRequest, Filter};

use crate::{Actor, App, Error, Expected, Why, kernel::ids::Table};

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

/// What no index serves is looked for in the index over time alone: in so many days at most, and in one unless said.
const WINDOW: i64 = 7 * DAY;
const USUAL_WINDOW: i64 = DAY;

/// The filter with the stretch of time that is looked through. Whose requests they were has an index of its own; a
/// million rows a month are looked through by anything else in three seconds, a day of them in a hundredth of one.
///
/// # Errors
/// `Invalid` for a longer stretch.
pub fn windowed(filter: Filter, now: Instant) -> Result<Filter, Error> {
    if filter.dialect.is_none() && filter.class.is_none() && filter.method.is_none() && filter.path.is_none() {
        return Ok(filter);
    }
    let until = filter.until.unwrap_or(now);
    let from = filter.from.unwrap_or(until.plus(-USUAL_WINDOW));
    match until.0.saturating_sub(from.0) > WINDOW {
        true => Err(Error::invalid("from", Why::Not(Expected::WithinSevenDays))),
        false => Ok(Filter { from: Some(from), ..filter }),
    }
}

/// The newest first, and how many match. By dialect, status, method or path the last day before `until` is looked
/// through, or up to seven days from `from` on.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Filter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<ApiRequest>, i64), Error> {
    actor.sees_all()?;
    let (isp, filter) = (actor.isp, windowed(filter, app.clock.now())?);
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
