//! How many requests each API client has made in a month.

use domain::{ApiClientId, IspId};

use crate::{
    db::{Error, Tx},
    params, sql,
};

pub async fn requests(tx: &Tx, isp: IspId, client: ApiClientId, month: i64) -> Result<i64, Error> {
    let row = tx
        .row(
            sql!("select requests from api_usage where isp_id = $1 and client_id = $2 and month = $3"),
            &params![isp, client, month],
        )
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Adds to a month's counts; the requests of the month in all.
pub async fn add(tx: &Tx, isp: IspId, client: ApiClientId, month: i64, requests: i64, over: i64) -> Result<i64, Error> {
    let row = tx
        .row(
            sql!(
                "insert into api_usage (isp_id, client_id, month, requests, over) values ($1, $2, $3, $4, $5) \
                 on conflict (isp_id, client_id, month) do update \
                 set requests = api_usage.requests + $4, over = api_usage.over + $5 returning requests"
            ),
            &params![isp, client, month, requests, over],
        )
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}
