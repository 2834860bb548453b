//! Routers: who may ask RADIUS, where CoA goes, and which of them report.

use axum::extract::State;
use domain::{RouterId, Scope};
use doors::{
    Id, Operation,
    form::{Body, Query},
    wire::utc_seconds,
};
use serde::Serialize;
use service::{
    App, Router,
    access::routers::{self, MA_POLICIES, NewRouter, RouterChange, VENDORS},
    plant::{STATUSES, reach},
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Done, Failure, Listing, NO_CONTENT, Page, Reply};
use crate::v2::refused;

/// RFC 5176 §2.
const COA_PORT: i64 = 3799;

doors::form! {
    RouterFilter {
        status: optional Word(STATUSES), "Only those in this state.";
        vendor: optional Word(VENDORS), "Only this vendor's.";
        search: optional Text(1, 100), "Part of a name or address.";
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = NetworkRouter)]
pub struct Listed {
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

pub const LIST: Operation = Operation::new("Network", "List all routers", Scope::NetworkRead)
    .about("Whether a router is up is told by what it reports.")
    .query::<RouterFilter>()
    .lists::<Listed>();

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(filter): Query<RouterFilter>,
) -> Result<Listing<Listed>, Failure> {
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
    let row = |reached: reach::Reached| Listed {
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
#[schema(as = RouterDetail)]
pub struct Row {
    id: i64,
    name: String,
    vendor: String,
    /// The address or network its packets come from.
    network: String,
    nas_identifier: Option<String>,
    coa_port: i64,
    /// What is asked of Message-Authenticator: require, learn or legacy.
    ma_policy: String,
    /// Under `learn`: a valid one has been seen and is required since.
    ma_seen: bool,
    created_at: String,
    updated_at: String,
}

fn reply(router: Router, made: bool) -> Reply<Row> {
    let changed = router.updated_at;
    let row = Row {
        id: router.id.0,
        name: router.name,
        vendor: router.vendor,
        network: router.network,
        nas_identifier: router.nas_identifier,
        coa_port: router.coa_port,
        ma_policy: router.ma_policy,
        ma_seen: router.ma_seen,
        created_at: utc_seconds(router.created_at),
        updated_at: utc_seconds(router.updated_at),
    };
    let reply = if made { Reply::created(row) } else { Reply::data(row) };
    reply.tagged(changed)
}

doors::form! {
    NewRouterBody {
        name: required Text(1, 100), "Unique among routers.";
        vendor: required Word(VENDORS), "Whose attributes it understands.";
        network: required Text(1, 50), "The address or network its packets come from.";
        nas_identifier: optional Text(1, 100), "Tells sites behind one address apart.";
        secret: required Secret(1, 128), "The RADIUS secret. Never shown again.";
        coa_port: optional Integer(1, 65_535), "UDP port for CoA and Disconnect; 3799 where not given.";
        ma_policy: optional Word(MA_POLICIES), "What is asked of Message-Authenticator; require where not given.";
    }
}

pub const CREATE: Operation =
    Operation::new("Network", "Create a router", Scope::NetworkWrite).body::<NewRouterBody>().creates::<Row>();

pub async fn create(State(app): State<App>, caller: Caller, Body(body): Body<NewRouterBody>) -> Answer<Row> {
    let command = NewRouter {
        name: body.name,
        vendor: body.vendor.into(),
        network: body.network,
        nas_identifier: body.nas_identifier.value(),
        secret: body.secret,
        coa_port: body.coa_port.or(COA_PORT) as u16,
        ma_policy: body.ma_policy.or("require").into(),
        api_address: None,
    };
    let id = routers::create(&app, &caller.actor, command).await.map_err(refused)?;
    Ok(reply(routers::show(&app, &caller.actor, id).await?, true))
}

pub const SHOW: Operation = Operation::new("Network", "Retrieve a router", Scope::NetworkRead).answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    Ok(reply(routers::show(&app, &caller.actor, RouterId(id)).await?, false))
}

doors::form! {
    RouterUpdate {
        name: optional Text(1, 100), "Unique among routers.";
        vendor: optional Word(VENDORS), "Whose attributes it understands.";
        network: optional Text(1, 50), "The address or network its packets come from.";
        nas_identifier: optional Text(1, 100), "Null for none.";
        secret: optional Secret(1, 128), "The RADIUS secret. Never shown.";
        coa_port: optional Integer(1, 65_535), "UDP port for CoA and Disconnect.";
        ma_policy: optional Word(MA_POLICIES), "Another policy forgets what learn has seen.";
    }
}

pub const UPDATE: Operation = Operation::new("Network", "Update a router", Scope::NetworkWrite)
    .about("Takes effect with the next packet. Fields that are not given stay as they are.")
    .body::<RouterUpdate>()
    .answers::<Row>()
    .conditional();

pub async fn update(State(app): State<App>, caller: Caller, Id(id): Id, Body(body): Body<RouterUpdate>) -> Answer<Row> {
    let command = RouterChange {
        name: body.name.value(),
        vendor: body.vendor.value().map(String::from),
        network: body.network.value(),
        nas_identifier: body.nas_identifier.change(),
        secret: body.secret.value(),
        coa_port: body.coa_port.value().map(|port| port as u16),
        ma_policy: body.ma_policy.value().map(String::from),
        unchanged_since: caller.unchanged_since()?,
    };
    let router = routers::update(&app, &caller.actor, RouterId(id), command).await.map_err(refused)?;
    Ok(reply(router, false))
}

pub const DELETE: Operation = Operation::new("Network", "Delete a router", Scope::NetworkWrite)
    .about("Refused (409) while customers, plans or unused vouchers are on it.")
    .no_content()
    .conditional();

pub async fn delete(State(app): State<App>, caller: Caller, Id(id): Id) -> Done {
    routers::delete(&app, &caller.actor, RouterId(id), caller.unchanged_since()?).await?;
    NO_CONTENT
}
