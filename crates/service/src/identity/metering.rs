//! What API clients use: requests per month of the tenant's calendar.

use domain::{ApiClientId, Instant, IspId, kernel::calendar::Month};
use store::{
    db::Class,
    identity::{api_usage, staff},
};

use crate::{App, Error};

/// Requests counted since they were last written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Requests {
    pub isp: IspId,
    pub client: ApiClientId,
    pub month: Month,
    pub requests: i64,
    /// Those beyond what the tier includes.
    pub over: i64,
    pub last: Instant,
}

/// A client's requests of a month as far as they are written.
pub async fn requests(app: &App, isp: IspId, client: ApiClientId, month: Month) -> Result<i64, Error> {
    Ok(app.db.read(async move |tx| api_usage::requests(tx, isp, client, month.0).await).await?)
}

/// Adds what was counted; the months' totals, in the order given.
pub async fn add(app: &App, counted: Vec<Requests>) -> Result<Vec<i64>, Error> {
    app.db
        .tx(Class::Interactive, async move |tx| {
            let mut totals = Vec::with_capacity(counted.len());
            for row in &counted {
                staff::touch_client(tx, row.isp, row.client, row.last).await?;
                totals.push(api_usage::add(tx, row.isp, row.client, row.month.0, row.requests, row.over).await?);
            }
            Ok(totals)
        })
        .await
}
