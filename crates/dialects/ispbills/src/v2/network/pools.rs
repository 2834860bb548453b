//! Address pools.

use axum::extract::State;
use domain::kernel::ranges::parse_ranges;
use domain::{PoolId, RouterId, Scope};
use doors::{Id, Operation, form::Body, wire::utc_seconds};
use serde::Serialize;
use service::{
    App, Pool,
    catalogue::plans::{self, NewPool},
    plant::reach,
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Done, Failure, Listing, NO_CONTENT, Page, Reply};
use crate::v2::refused;

const ALLOCATORS: &[&str] = &["nas", "server"];

#[derive(Serialize, ToSchema)]
#[schema(as = NetworkPool)]
pub struct Listed {
    id: i64,
    name: String,
    /// Ranges with commas between them.
    ranges: String,
    /// Who hands its addresses out: `nas` or `server`.
    allocate: String,
    router_id: Option<i64>,
    created_at: String,
}

pub const LIST: Operation = Operation::new("Network", "List all IP pools", Scope::NetworkRead).lists::<Listed>();

pub async fn list(State(app): State<App>, caller: Caller, page: Page) -> Result<Listing<Listed>, Failure> {
    let found = reach::pools(&app, &caller.actor).await?;
    let row = |pool: Pool| Listed {
        id: pool.id.0,
        name: pool.name,
        ranges: pool.ranges,
        allocate: pool.allocate,
        router_id: pool.router_id.map(|id| id.0),
        created_at: utc_seconds(pool.created_at),
    };
    Ok(page.cut(found, row))
}

#[derive(Serialize, ToSchema)]
#[schema(as = PoolDetail)]
pub struct Row {
    id: i64,
    name: String,
    /// Networks and first-last ranges, with commas between them.
    ranges: String,
    /// How many addresses they hold.
    addresses: i64,
    router_id: Option<i64>,
    /// nas: the router gives addresses from its pool of this name; server: Lastmile gives them.
    allocate: String,
    created_at: String,
}

fn row(pool: Pool) -> Row {
    let count = |(first, last): (std::net::Ipv4Addr, std::net::Ipv4Addr)| {
        i64::from(u32::from(last)) - i64::from(u32::from(first)) + 1
    };
    Row {
        id: pool.id.0,
        name: pool.name,
        addresses: parse_ranges(&pool.ranges).unwrap_or_default().into_iter().map(count).sum(),
        ranges: pool.ranges,
        router_id: pool.router_id.map(|id| id.0),
        allocate: pool.allocate,
        created_at: utc_seconds(pool.created_at),
    }
}

doors::form! {
    NewPoolBody {
        name: required Text(1, 100), "Unique among pools; the router's own pool has the same name.";
        ranges: required Text(1, 2000), "Networks and first-last ranges, with commas between them.";
        router_id: optional Id, "On this router alone.";
        allocate: optional Word(ALLOCATORS), "Who gives addresses: the router (nas, where not given) or Lastmile (server).";
    }
}

pub const CREATE: Operation =
    Operation::new("Network", "Create an address pool", Scope::NetworkWrite).body::<NewPoolBody>().creates::<Row>();

pub async fn create(State(app): State<App>, caller: Caller, Body(body): Body<NewPoolBody>) -> Answer<Row> {
    let NewPoolBody { name, ranges, router_id, allocate } = body;
    let command = NewPool { name, router: router_id.value().map(RouterId), ranges, allocate: allocate.or("nas") };
    let id = plans::create_pool(&app, &caller.actor, command).await.map_err(refused)?;
    let made = plans::show_pool(&app, &caller.actor, id).await?;
    let changed = made.created_at;
    Ok(Reply::created(row(made)).tagged(changed))
}

pub const SHOW: Operation = Operation::new("Network", "Retrieve an address pool", Scope::NetworkRead).answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let pool = plans::show_pool(&app, &caller.actor, PoolId(id)).await?;
    let changed = pool.created_at;
    Ok(Reply::data(row(pool)).tagged(changed))
}

pub const DELETE: Operation = Operation::new("Network", "Delete an address pool", Scope::NetworkWrite)
    .about("Refused (409) while a plan gives addresses of it.")
    .no_content()
    .conditional();

pub async fn delete(State(app): State<App>, caller: Caller, Id(id): Id) -> Done {
    plans::delete_pool(&app, &caller.actor, PoolId(id), caller.unchanged_since()?).await?;
    NO_CONTENT
}
