//! IP pools: the list from which plans name one.

use axum::extract::State;
use serde::Serialize;
use service::{App, Pool, catalogue::plans};

use crate::envelope::{Answer, Caller, Reply};

#[derive(Serialize, Debug)]
pub struct Row {
    id: i64,
    pool_name: String,
    range_ip: String,
    router_id: Option<i64>,
    created_at: String,
}

/// List IP pools.
pub async fn list(State(app): State<App>, caller: Caller) -> Answer<Vec<Row>> {
    let row = |pool: Pool| Row {
        id: pool.id.0,
        pool_name: pool.name,
        range_ip: pool.ranges,
        router_id: pool.router_id.map(|id| id.0),
        created_at: caller.datetime(pool.created_at),
    };
    Ok(Reply::data(plans::pools(&app, &caller.actor).await?.into_iter().map(row).collect()))
}
