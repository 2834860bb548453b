//! Plans: list, create, update, delete, duplicate, sync.

use axum::extract::State;
use domain::{BandwidthId, Kind, PlanId, PoolId, RouterId};
use doors::{
    Asked, Fields, Given, Id,
    fields::{amount, boolean, id, integer, named, text, word},
};
use serde::Serialize;
use serde_json::Number;
use service::{
    App, Error, Why,
    catalogue::plans::{self, Expiry, LIMIT_TYPES, NewPlan, Offer, PlanChange, VALIDITY_UNITS},
};

use crate::{
    customers::{SERVICE_TYPES, kind_of, type_word},
    envelope::{Answer, Caller, Done, Failure, Reply},
};

const BASES: &[&str] = &["Unlimited", "Limited"];
const TIME_UNITS: &[&str] = &["Mins", "Hrs"];
const DATA_UNITS: &[&str] = &["MB", "GB"];
/// How often a NAS is asked to report.
const INTERIM_S: u32 = 300;
/// 100,000 of any unit is beyond what anybody sells, and months as many still are dates.
const MAX_VALIDITY: i64 = 90_000;
const MAX_LIMIT: i64 = 1_000_000_000;

/// The core's field names in this document's words.
const NAMES: &[(&str, &str)] = &[("name", "name_plan"), ("bandwidth", "id_bw"), ("router", "router_id")];

fn refused(error: Error) -> Failure {
    named(error, NAMES).into()
}

#[derive(Serialize, Debug)]
pub struct Row {
    id: i64,
    name_plan: String,
    #[serde(rename = "type")]
    kind: &'static str,
    id_bw: i64,
    router_id: Option<i64>,
    pool: Option<i64>,
    enabled: u8,
    display_publicly: u8,
    #[serde(rename = "isFup")]
    is_fup: u8,
    is_free_plan: u8,
    price: Number,
    shared_users: i64,
    validity: i64,
    validity_unit: String,
    typebp: &'static str,
    limit_type: String,
    time_limit: i64,
    time_unit: String,
    data_limit: i64,
    data_unit: String,
    created_at: String,
    updated_at: String,
}

fn row(caller: &Caller, offer: Offer) -> Row {
    let Offer { plan, version } = offer;
    Row {
        id: plan.id.0,
        name_plan: plan.name,
        kind: type_word(plan.kind),
        id_bw: plan.bandwidth_id.0,
        router_id: plan.router_id.map(|id| id.0),
        pool: plan.pool_id.map(|id| id.0),
        enabled: plan.enabled.into(),
        display_publicly: plan.public.into(),
        is_fup: plan.fup_template_id.is_some().into(),
        is_free_plan: (version.price.0 == 0).into(),
        price: caller.amount(version.price),
        shared_users: plan.shared_users,
        validity: version.validity,
        validity_unit: version.validity_unit,
        typebp: if version.limited { "Limited" } else { "Unlimited" },
        limit_type: version.limit_type.unwrap_or_else(|| "Time_Limit".into()),
        time_limit: version.time_limit.unwrap_or(0),
        time_unit: version.time_unit.unwrap_or_else(|| "Hrs".into()),
        data_limit: version.data_limit.unwrap_or(0),
        data_unit: version.data_unit.unwrap_or_else(|| "MB".into()),
        created_at: caller.datetime(plan.created_at),
        updated_at: caller.datetime(plan.updated_at),
    }
}

/// List available service plans.
pub async fn list(State(app): State<App>, caller: Caller, Asked(mut q): Asked) -> Answer<Vec<Row>> {
    let kind = q.optional("service_type", word(SERVICE_TYPES)).value().map(kind_of);
    let router = q.optional("router_id", id).value().map(RouterId);
    let enabled = q.optional("enabled", boolean).value();
    let fup = q.optional("is_fup", boolean).value();
    q.finish()?;
    let wanted = |offer: &Offer| {
        kind.is_none_or(|kind| offer.plan.kind == kind)
            && router.is_none_or(|router| offer.plan.router_id == Some(router))
            && enabled.is_none_or(|enabled| offer.plan.enabled == enabled)
            && fup.is_none_or(|fup| offer.plan.has_fup() == fup)
    };
    let offers = plans::offers(&app, &caller.actor).await?;
    Ok(Reply::data(offers.into_iter().filter(wanted).map(|offer| row(&caller, offer)).collect()))
}

#[derive(Serialize, Debug)]
pub struct Created {
    plan_id: i64,
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    price: Number,
    validity: String,
}

/// Create service plan.
pub async fn create(State(app): State<App>, caller: Caller, mut body: Fields) -> Answer<Created> {
    let currency = &caller.tenant.currency;
    let name = body.required("name_plan", text(1, 40));
    let kind = kind_of(body.required("type", word(SERVICE_TYPES)));
    let bandwidth = body.required("id_bw", id);
    let price = body.required("price", amount(currency));
    if price.is_negative() {
        body.refuse("price", Why::TooSmall { min: 0 });
    }
    let validity = body.required("validity", integer(1, MAX_VALIDITY));
    let validity_unit = body.required("validity_unit", word(VALIDITY_UNITS));
    let router = body.required("router_id", id);
    let limited = body.optional("typebp", word(BASES)).or("Unlimited") == "Limited";
    let limit_type = match limited {
        true => Some(body.required("limit_type", word(LIMIT_TYPES))),
        false => body.optional("limit_type", word(LIMIT_TYPES)).value(),
    };
    let limits = |wanted: &[&str]| limited && limit_type.is_some_and(|kind| wanted.contains(&kind));
    let time_limit = match limits(&["Time_Limit", "Both_Limit"]) {
        true => Some(body.required("time_limit", integer(1, MAX_LIMIT))),
        false => body.optional("time_limit", integer(0, MAX_LIMIT)).value(),
    };
    let data_limit = match limits(&["Data_Limit", "Both_Limit"]) {
        true => Some(body.required("data_limit", integer(1, MAX_LIMIT))),
        false => body.optional("data_limit", integer(0, MAX_LIMIT)).value(),
    };
    let pool = match kind {
        Kind::Pppoe | Kind::Static => Some(body.required("pool", id)),
        Kind::Hotspot | Kind::Other => body.optional("pool", id).value(),
    };
    let time_unit = body.optional("time_unit", word(TIME_UNITS)).value();
    let data_unit = body.optional("data_unit", word(DATA_UNITS)).value();
    let shared_users = body.optional("shared_users", integer(1, 100_000)).or(1);
    let enabled = body.optional("enabled", boolean).or(true);
    let public = body.optional("display_publicly", boolean).or(true);
    body.finish()?;
    let command = NewPlan {
        name,
        kind,
        bandwidth: BandwidthId(bandwidth),
        pool: pool.map(PoolId),
        router: Some(RouterId(router)),
        price,
        validity: validity as u32,
        validity_unit: validity_unit.into(),
        period_day: None,
        limited,
        limit_type: limit_type.map(String::from),
        time_limit,
        time_unit: time_unit.map(String::from),
        data_limit,
        data_unit: data_unit.map(String::from),
        shared_users: shared_users as u32,
        mac_lock: false,
        address_list: None,
        expiry: Expiry::Reject,
        interim_s: INTERIM_S,
        enabled,
        public,
    };
    let Offer { plan, version } = plans::create(&app, &caller.actor, command).await.map_err(refused)?;
    let data = Created {
        plan_id: plan.id.0,
        name: plan.name,
        kind: type_word(plan.kind),
        price: caller.amount(version.price),
        validity: format!("{} {}", version.validity, version.validity_unit),
    };
    Ok(Reply::created("Plan created successfully", data))
}

#[derive(Serialize, Debug)]
pub struct Updated {
    id: i64,
    name_plan: String,
    #[serde(rename = "type")]
    kind: &'static str,
    price: Number,
    validity: i64,
    validity_unit: String,
    typebp: &'static str,
    enabled: bool,
    display_publicly: bool,
    updated_at: String,
}

/// Update service plan. The table's fields, and those that creating takes.
pub async fn update(State(app): State<App>, caller: Caller, Id(number): Id, mut body: Fields) -> Answer<Updated> {
    let price = body.optional("price", amount(&caller.tenant.currency)).value();
    if price.is_some_and(|price| price.is_negative()) {
        body.refuse("price", Why::TooSmall { min: 0 });
    }
    let owned = |word: Given<&'static str>| word.value().map(String::from);
    let command = PlanChange {
        name: body.optional("name_plan", text(1, 40)).value(),
        bandwidth: body.optional("id_bw", id).value().map(BandwidthId),
        price,
        validity: body.optional("validity", integer(1, MAX_VALIDITY)).value().map(|count| count as u32),
        validity_unit: owned(body.optional("validity_unit", word(VALIDITY_UNITS))),
        limited: body.optional("typebp", word(BASES)).value().map(|word| word == "Limited"),
        enabled: body.optional("enabled", boolean).value(),
        public: body.optional("display_publicly", boolean).value(),
        limit_type: owned(body.optional("limit_type", word(LIMIT_TYPES))),
        time_limit: body.optional("time_limit", integer(0, MAX_LIMIT)).value(),
        time_unit: owned(body.optional("time_unit", word(TIME_UNITS))),
        data_limit: body.optional("data_limit", integer(0, MAX_LIMIT)).value(),
        data_unit: owned(body.optional("data_unit", word(DATA_UNITS))),
        shared_users: body.optional("shared_users", integer(1, 100_000)).value().map(|count| count as u32),
        pool: body.optional("pool", id).value().map(|pool| Some(PoolId(pool))),
        router: body.optional("router_id", id).value().map(|router| Some(RouterId(router))),
        ..PlanChange::default()
    };
    body.finish()?;
    let Offer { plan, version } = plans::update(&app, &caller.actor, PlanId(number), command).await.map_err(refused)?;
    let data = Updated {
        id: plan.id.0,
        name_plan: plan.name,
        kind: type_word(plan.kind),
        price: caller.amount(version.price),
        validity: version.validity,
        validity_unit: version.validity_unit,
        typebp: if version.limited { "Limited" } else { "Unlimited" },
        enabled: plan.enabled,
        display_publicly: plan.public,
        updated_at: caller.datetime(plan.updated_at),
    };
    Ok(Reply::said("Plan updated successfully", data))
}

/// Delete service plan; refused while customers have it.
pub async fn delete(State(app): State<App>, caller: Caller, Id(number): Id) -> Done {
    plans::delete(&app, &caller.actor, PlanId(number), None).await?;
    Ok(Reply::done("Plan deleted successfully"))
}

#[derive(Serialize, Debug)]
pub struct Duplicated {
    original_plan_id: i64,
    new_plan_id: i64,
    new_name: String,
}

/// Duplicate service plan.
pub async fn duplicate(State(app): State<App>, caller: Caller, Id(number): Id, mut body: Fields) -> Answer<Duplicated> {
    let new_name = body.required("new_name", text(1, 40));
    let router = body.optional("router_id", id).value().map(RouterId);
    body.finish()?;
    let copy = plans::duplicate(&app, &caller.actor, PlanId(number), new_name, router).await;
    let copy = copy.map_err(|error| named(error, &[("name", "new_name"), ("router", "router_id")]))?;
    let data = Duplicated { original_plan_id: number, new_plan_id: copy.plan.id.0, new_name: copy.plan.name };
    Ok(Reply::created("Plan duplicated successfully", data))
}

#[derive(Serialize, Debug)]
pub struct Synced {
    plan_id: i64,
    services: i64,
    sessions: i64,
}

/// Sync plan with router: what it gives is ordered anew for every live session on it.
pub async fn sync(State(app): State<App>, caller: Caller, Id(number): Id) -> Answer<Synced> {
    let plans::Synced { services, sessions } = plans::sync(&app, &caller.actor, PlanId(number)).await?;
    Ok(Reply::said("Plan synced successfully", Synced { plan_id: number, services, sessions }))
}
