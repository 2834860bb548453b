//! Hotspot access logs: how far visitors of the captive portals came.

use axum::{
    Json,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use domain::{Instant, Mac, RouterId, kernel::dates::near};
use doors::{
    Asked,
    fields::{date_said, id, text},
};
use serde::Serialize;
use serde_json::{Map, json};
use service::{
    App, HotspotFilter, HotspotStep,
    access::hotspot::{self, Log},
};

use crate::{
    envelope::{Caller, Failure, Listing, paging},
    transactions::day_bounds,
};

#[derive(Serialize, Debug)]
struct Row {
    id: i64,
    #[serde(rename = "routerId")]
    router_id: i64,
    #[serde(rename = "routerName")]
    router_name: Option<String>,
    mac_address: Option<String>,
    username: Option<String>,
    fullname: Option<String>,
    device: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    created_at: String,
}

/// List hotspot access logs: today's, if nothing else is asked for.
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
    mut asked: Asked,
) -> Result<Response, Failure> {
    let page = paging(&mut asked, 100);
    let q = &mut asked.0;
    let today = caller.now.day(&caller.tenant.zone);
    let (from, to) = (q.optional("from_date", date_said).or(today), q.optional("to_date", date_said).or(today));
    let router = q.optional("router_id", id).value().map(RouterId);
    let device = q.optional("device", text(0, 200)).value();
    let kind = q.optional("type", text(0, 50)).value().map(|kind| kind.to_lowercase());
    // What is no address is nobody's: it finds nothing.
    let mac = q.optional("mac_address", text(0, 50)).value();
    let mac = mac.map(|text| Mac::parse(&text).map_or(text, |mac| mac.to_string()));
    q.finish()?;
    let (begin, end) = day_bounds(&caller, Some(near(from)), Some(near(to)));
    let filter = HotspotFilter {
        from: begin.unwrap_or_default(),
        until: end.unwrap_or(Instant(i64::MAX)),
        router,
        device,
        kind,
        mac,
    };
    let Log { steps, total, counts } = hotspot::log(&app, &caller.actor, filter, page.offset(), page.per_page).await?;
    let row = |HotspotStep { access, router_name, full_name }: HotspotStep| Row {
        id: access.id,
        router_id: access.router_id.0,
        router_name,
        mac_address: access.mac,
        username: access.username,
        fullname: full_name,
        device: access.device,
        kind: access.kind,
        created_at: caller.datetime(access.at),
    };
    let rows: Vec<Row> = steps.into_iter().map(row).collect();
    let mut statistics = Map::new();
    statistics.insert("total".into(), total.into());
    statistics.extend(counts.into_iter().map(|(kind, count)| (kind.to_string(), count.into())));
    let body = json!({
        "success": true,
        "data": Listing::new(&caller, query.as_deref(), page, rows, total),
        "statistics": statistics,
        "date_range": { "from": from.to_string(), "to": to.to_string() },
    });
    Ok(Json(body).into_response())
}
