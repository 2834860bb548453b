//! Routers: the list from which customers and plans name one. Their secrets are shown nowhere.

use axum::extract::State;
use serde::Serialize;
use service::{App, Router, access::routers};

use crate::envelope::{Answer, Caller, Reply};

#[derive(Serialize, Debug)]
pub struct Row {
    id: i64,
    name: String,
    ip_address: String,
    nas_identifier: Option<String>,
    #[serde(rename = "type")]
    vendor: String,
    coa_port: i64,
    enabled: u8,
    created_at: String,
    updated_at: String,
}

/// List routers.
pub async fn list(State(app): State<App>, caller: Caller) -> Answer<Vec<Row>> {
    let row = |router: Router| Row {
        id: router.id.0,
        name: router.name,
        ip_address: router.network,
        nas_identifier: router.nas_identifier,
        vendor: router.vendor,
        coa_port: router.coa_port,
        enabled: 1,
        created_at: caller.datetime(router.created_at),
        updated_at: caller.datetime(router.updated_at),
    };
    Ok(Reply::data(routers::list(&app, &caller.actor).await?.into_iter().map(row).collect()))
}
