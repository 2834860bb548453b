//! Routers and IP pools as the network's lists show them.

use axum::extract::State;
use domain::Scope;
use doors::{Operation, form::Query, wire::utc_seconds};
use serde::Serialize;
use service::{
    App, Pool,
    access::routers::VENDORS,
    plant::{STATUSES, reach},
};
use utoipa::ToSchema;

use crate::envelope::{Caller, Failure, Listing, Page};

doors::form! {
    RouterFilter {
        status: optional Word(STATUSES), "Only those in this state.";
        vendor: optional Word(VENDORS), "Only this vendor's.";
        search: optional Text(1, 100), "Part of a name or address.";
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = NetworkRouter)]
pub struct Router {
    id: i64,
    name: String,
    vendor: String,
    /// The address or network its packets come from.
    address: String,
    /// `up`: has reported in the last fifteen minutes; `down`: has reported before; `unknown`: never has.
    status: &'static str,
    /// To the minute.
    last_heard_at: Option<String>,
    /// Open sessions.
    online: i64,
    created_at: String,
}

pub const ROUTERS: Operation = Operation::new("Network", "List all routers", Scope::NetworkRead)
    .about("Whether a router is up is told by what it reports.")
    .query::<RouterFilter>()
    .lists::<Router>();

pub async fn routers(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(filter): Query<RouterFilter>,
) -> Result<Listing<Router>, Failure> {
    let RouterFilter { status, vendor, search } = filter;
    let (status, vendor) = (status.value(), vendor.value());
    let search = search.value().map(|text| text.to_lowercase());
    let wanted = |reached: &reach::Reached| {
        let router = &reached.router;
        status.is_none_or(|status| status == reached.status)
            && vendor.is_none_or(|vendor| vendor == router.vendor)
            && search
                .as_ref()
                .is_none_or(|text| router.name.to_lowercase().contains(text) || router.network.contains(text))
    };
    let found: Vec<_> = reach::routers(&app, &caller.actor).await?.into_iter().filter(wanted).collect();
    let row = |reached: reach::Reached| Router {
        id: reached.router.id.0,
        vendor: reached.router.vendor,
        address: reached.router.network,
        status: reached.status,
        last_heard_at: reached.heard_at.map(utc_seconds),
        online: reached.online,
        created_at: utc_seconds(reached.router.created_at),
        name: reached.router.name,
    };
    Ok(page.cut(found, row))
}

#[derive(Serialize, ToSchema)]
#[schema(as = NetworkPool)]
pub struct PoolRow {
    id: i64,
    name: String,
    /// Ranges with commas between them.
    ranges: String,
    /// Who hands its addresses out: `nas` or `server`.
    allocate: String,
    router_id: Option<i64>,
    created_at: String,
}

pub const POOLS: Operation = Operation::new("Network", "List all IP pools", Scope::NetworkRead).lists::<PoolRow>();

pub async fn pools(State(app): State<App>, caller: Caller, page: Page) -> Result<Listing<PoolRow>, Failure> {
    let found = reach::pools(&app, &caller.actor).await?;
    let row = |pool: Pool| PoolRow {
        id: pool.id.0,
        name: pool.name,
        ranges: pool.ranges,
        allocate: pool.allocate,
        router_id: pool.router_id.map(|id| id.0),
        created_at: utc_seconds(pool.created_at),
    };
    Ok(page.cut(found, row))
}
