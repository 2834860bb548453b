//! Plans: what is sold. Price, validity and quota count from the next sale, everything else at once for everybody on
//! the plan.

use axum::extract::State;
use domain::{BandwidthId, Kind, PlanId, PoolId, RouterId, Scope};
use doors::{
    Given, Id, Operation,
    form::{Body, Query},
    wire::utc_seconds,
};
use serde::Serialize;
use serde_json::Number;
use service::{
    App, Error, Expected, Why,
    catalogue::plans::{self, Expiry, LIMIT_TYPES, NewPlan, Offer, PlanChange, VALIDITY_UNITS},
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Done, Failure, Listing, NO_CONTENT, Page, Reply};
use crate::v2::refused;

const ACTIONS: &[&str] = &["reject", "restrict", "fallback"];
const TIME_UNITS: &[&str] = &["Mins", "Hrs"];
const DATA_UNITS: &[&str] = &["MB", "GB"];
const MAX_VALIDITY: i64 = 90_000;
const MAX_LIMIT: i64 = 1_000_000_000;
/// How often a NAS is asked to report.
const INTERIM_S: i64 = 300;

#[derive(Serialize, ToSchema)]
#[schema(as = Plan)]
pub struct Row {
    id: i64,
    name: String,
    /// pppoe, hotspot, static or other.
    connection_type: &'static str,
    #[schema(value_type = f64)]
    price: Number,
    currency: String,
    validity: i64,
    /// Mins, Hrs, Days, Months or Period.
    validity_unit: String,
    /// For `Period`: the day of the month.
    period_day: Option<i64>,
    /// Time_Limit, Data_Limit or Both_Limit; null without a quota.
    limit_type: Option<String>,
    time_limit: Option<i64>,
    time_unit: Option<String>,
    data_limit: Option<i64>,
    data_unit: Option<String>,
    bandwidth_id: i64,
    pool_id: Option<i64>,
    router_id: Option<i64>,
    shared_users: i64,
    mac_lock: bool,
    address_list: Option<String>,
    /// What expired subscribers get: reject, restrict or fallback.
    expiry_action: &'static str,
    expired_pool_id: Option<i64>,
    expired_address_list: Option<String>,
    expired_bandwidth_id: Option<i64>,
    fallback_plan_id: Option<i64>,
    interim_seconds: i64,
    enabled: bool,
    public: bool,
    created_at: String,
    updated_at: String,
}

fn row(caller: &Caller, offer: Offer) -> Row {
    let Offer { plan, version } = offer;
    Row {
        id: plan.id.0,
        name: plan.name,
        connection_type: plan.kind.word(),
        price: caller.amount(version.price),
        currency: caller.tenant.currency.code.clone(),
        validity: version.validity,
        validity_unit: version.validity_unit,
        period_day: version.period_day,
        limit_type: version.limit_type.filter(|_| version.limited),
        time_limit: version.time_limit,
        time_unit: version.time_unit,
        data_limit: version.data_limit,
        data_unit: version.data_unit,
        bandwidth_id: plan.bandwidth_id.0,
        pool_id: plan.pool_id.map(|id| id.0),
        router_id: plan.router_id.map(|id| id.0),
        shared_users: plan.shared_users,
        mac_lock: plan.mac_lock,
        address_list: plan.address_list,
        expiry_action: plan.expiry_action.word(),
        expired_pool_id: plan.expired_pool_id.map(|id| id.0),
        expired_address_list: plan.expired_address_list,
        expired_bandwidth_id: plan.expired_bandwidth_id.map(|id| id.0),
        fallback_plan_id: plan.fallback_plan_id.map(|id| id.0),
        interim_seconds: plan.interim_s,
        enabled: plan.enabled,
        public: plan.public,
        created_at: utc_seconds(plan.created_at),
        updated_at: utc_seconds(plan.updated_at),
    }
}

fn reply(caller: &Caller, offer: Offer, made: bool) -> Reply<Row> {
    let changed = offer.plan.updated_at;
    let row = row(caller, offer);
    let reply = if made { Reply::created(row) } else { Reply::data(row) };
    reply.tagged(changed)
}

doors::form! {
    PlanFilter {
        connection_type: optional Word(Kind::WORDS), "Of this kind.";
        router_id: optional Id, "Sold on this router.";
        enabled: optional Boolean, "On sale, or not.";
    }
}

pub const LIST: Operation =
    Operation::new("Plans", "List plans", Scope::PlansRead).query::<PlanFilter>().lists::<Row>();

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(filter): Query<PlanFilter>,
) -> Result<Listing<Row>, Failure> {
    let PlanFilter { connection_type, router_id, enabled } = filter;
    let (kind, router) = (connection_type.value().and_then(Kind::from_word), router_id.value().map(RouterId));
    let enabled = enabled.value();
    let wanted = |offer: &Offer| {
        kind.is_none_or(|kind| offer.plan.kind == kind)
            && router.is_none_or(|router| offer.plan.router_id == Some(router))
            && enabled.is_none_or(|enabled| offer.plan.enabled == enabled)
    };
    let offers: Vec<Offer> = plans::offers(&app, &caller.actor).await?.into_iter().filter(wanted).collect();
    Ok(page.cut(offers, |offer| row(&caller, offer)))
}

doors::form! {
    NewPlanBody {
        name: required Text(1, 100), "Unique among plans.";
        connection_type: optional Word(Kind::WORDS), "Whom it is for; PPPoE lines where not given.";
        price: required Amount, "Of one period, in the provider's currency.";
        validity: required Integer(1, MAX_VALIDITY), "How many of the unit a period lasts.";
        validity_unit: optional Word(VALIDITY_UNITS), "Days where not given. Period: until the period day.";
        period_day: optional Integer(1, 31), "For Period: the day of the month; 20 where not given.";
        limit_type: optional Word(LIMIT_TYPES), "The quota is of time, data, or whichever ends first; none where not given.";
        time_limit: optional Integer(1, MAX_LIMIT), "How much time online.";
        time_unit: optional Word(TIME_UNITS), "Hrs where not given.";
        data_limit: optional Integer(1, MAX_LIMIT), "How much data, up and down together.";
        data_unit: optional Word(DATA_UNITS), "MB where not given.";
        bandwidth_id: required Id, "The rates.";
        pool_id: optional Id, "Where addresses come from.";
        router_id: optional Id, "Sold on this router alone.";
        shared_users: optional Integer(1, 100_000), "Devices at a time; 1 where not given.";
        mac_lock: optional Boolean, "New lines are locked to their first device.";
        address_list: optional Text(1, 100), "The router's address list for sessions.";
        expiry_action: optional Word(ACTIONS), "What expired subscribers get; reject where not given.";
        expired_pool_id: optional Id, "For restrict: the pool.";
        expired_address_list: optional Text(1, 100), "For restrict: the address list (walled garden).";
        expired_bandwidth_id: optional Id, "For restrict: the rates; the plan's where not given.";
        fallback_plan_id: optional Id, "For fallback: whose network they get.";
        interim_seconds: optional Integer(60, 86_400), "How often a router reports usage; 300 where not given.";
        enabled: optional Boolean, "On sale; true where not given.";
        public: optional Boolean, "Shown to customers; true where not given.";
    }
}

pub const CREATE: Operation =
    Operation::new("Plans", "Create a plan", Scope::PlansWrite).body::<NewPlanBody>().creates::<Row>();

pub async fn create(State(app): State<App>, caller: Caller, Body(body): Body<NewPlanBody>) -> Answer<Row> {
    let expired = Expired {
        pool: body.expired_pool_id,
        list: body.expired_address_list,
        bandwidth: body.expired_bandwidth_id,
        fallback: body.fallback_plan_id,
    };
    let limit_type = body.limit_type.value().map(String::from);
    let command = NewPlan {
        name: body.name,
        kind: body.connection_type.value().and_then(Kind::from_word).unwrap_or(Kind::Pppoe),
        bandwidth: BandwidthId(body.bandwidth_id),
        pool: body.pool_id.value().map(PoolId),
        router: body.router_id.value().map(RouterId),
        price: caller.money("price", body.price, 0)?,
        validity: body.validity as u32,
        validity_unit: body.validity_unit.or("Days").into(),
        period_day: body.period_day.value().map(|day| day as u8),
        limited: limit_type.is_some(),
        time_unit: body.time_limit.clone().value().map(|_| body.time_unit.or("Hrs").into()),
        data_unit: body.data_limit.clone().value().map(|_| body.data_unit.or("MB").into()),
        time_limit: body.time_limit.value(),
        data_limit: body.data_limit.value(),
        limit_type,
        shared_users: body.shared_users.or(1) as u32,
        mac_lock: body.mac_lock.or(false),
        address_list: body.address_list.value(),
        expiry: expired.under(body.expiry_action)?.unwrap_or(Expiry::Reject),
        interim_s: body.interim_seconds.or(INTERIM_S) as u32,
        enabled: body.enabled.or(true),
        public: body.public.or(true),
    };
    let offer = plans::create(&app, &caller.actor, command).await.map_err(refused)?;
    Ok(reply(&caller, offer, true))
}

/// The fields that say what expired subscribers get.
struct Expired {
    pool: Given<i64>,
    list: Given<String>,
    bandwidth: Given<i64>,
    fallback: Given<i64>,
}

impl Expired {
    /// `None` where nothing is said.
    fn under(self, action: Given<&'static str>) -> Result<Option<Expiry>, Error> {
        let restricts = [
            ("expired_pool_id", matches!(self.pool, Given::Value(_))),
            ("expired_address_list", matches!(self.list, Given::Value(_))),
            ("expired_bandwidth_id", matches!(self.bandwidth, Given::Value(_))),
        ];
        let fallback = ("fallback_plan_id", matches!(self.fallback, Given::Value(_)));
        let (expiry, foreign) = match action.value() {
            None if restricts.iter().any(|(_, given)| *given) || fallback.1 => {
                return Err(Error::invalid("expiry_action", Why::Required));
            }
            None => return Ok(None),
            Some("restrict") => {
                let (pool, bandwidth) = (self.pool.value().map(PoolId), self.bandwidth.value().map(BandwidthId));
                (Expiry::Restrict { pool, address_list: self.list.value(), bandwidth }, vec![fallback])
            }
            Some("fallback") => {
                let plan = self.fallback.value().ok_or(Error::invalid("fallback_plan_id", Why::Required))?;
                (Expiry::Fallback(PlanId(plan)), restricts.to_vec())
            }
            Some(_) => (Expiry::Reject, [&restricts[..], &[fallback]].concat()),
        };
        match foreign.into_iter().find(|(_, given)| *given) {
            Some((field, _)) => Err(Error::invalid(field, Why::Not(Expected::LeftOutUnderExpiryAction))),
            None => Ok(Some(expiry)),
        }
    }
}

pub const SHOW: Operation = Operation::new("Plans", "Retrieve a plan", Scope::PlansRead).answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let offer = plans::show(&app, &caller.actor, PlanId(id)).await?;
    Ok(reply(&caller, offer, false))
}

doors::form! {
    PlanUpdate {
        name: optional Text(1, 100), "Unique among plans.";
        price: optional Amount, "From the next sale on.";
        validity: optional Integer(1, MAX_VALIDITY), "From the next sale on.";
        validity_unit: optional Word(VALIDITY_UNITS), "From the next sale on.";
        period_day: optional Integer(1, 31), "For Period; null for the usual day.";
        limit_type: optional Word(LIMIT_TYPES), "Null takes the quota away.";
        time_limit: optional Integer(1, MAX_LIMIT), "How much time online.";
        time_unit: optional Word(TIME_UNITS), "Of the time limit.";
        data_limit: optional Integer(1, MAX_LIMIT), "How much data.";
        data_unit: optional Word(DATA_UNITS), "Of the data limit.";
        bandwidth_id: optional Id, "Reaches live sessions at once.";
        pool_id: optional Id, "Null for none.";
        router_id: optional Id, "Null for every router.";
        shared_users: optional Integer(1, 100_000), "Devices at a time.";
        mac_lock: optional Boolean, "For new lines.";
        address_list: optional Text(1, 100), "Null for none.";
        expiry_action: optional Word(ACTIONS), "With all that belongs to it.";
        expired_pool_id: optional Id, "For restrict: the pool.";
        expired_address_list: optional Text(1, 100), "For restrict: the address list.";
        expired_bandwidth_id: optional Id, "For restrict: the rates.";
        fallback_plan_id: optional Id, "For fallback: whose network they get.";
        interim_seconds: optional Integer(60, 86_400), "How often a router reports usage.";
        enabled: optional Boolean, "On sale.";
        public: optional Boolean, "Shown to customers.";
    }
}

pub const UPDATE: Operation = Operation::new("Plans", "Update a plan", Scope::PlansWrite)
    .about("Fields that are not given stay as they are.")
    .body::<PlanUpdate>()
    .answers::<Row>()
    .conditional();

pub async fn update(State(app): State<App>, caller: Caller, Id(id): Id, Body(body): Body<PlanUpdate>) -> Answer<Row> {
    let expired = Expired {
        pool: body.expired_pool_id,
        list: body.expired_address_list,
        bandwidth: body.expired_bandwidth_id,
        fallback: body.fallback_plan_id,
    };
    let price = body.price.value().map(|price| caller.money("price", price, 0)).transpose()?;
    let limit_type = body.limit_type.change();
    let command = PlanChange {
        name: body.name.value(),
        bandwidth: body.bandwidth_id.value().map(BandwidthId),
        price,
        validity: body.validity.value().map(|count| count as u32),
        validity_unit: body.validity_unit.value().map(String::from),
        period_day: body.period_day.change().map(|day| day.map(|day| day as u8)),
        limited: limit_type.map(|kind| kind.is_some()),
        limit_type: limit_type.flatten().map(String::from),
        time_limit: body.time_limit.value(),
        time_unit: body.time_unit.value().map(String::from),
        data_limit: body.data_limit.value(),
        data_unit: body.data_unit.value().map(String::from),
        shared_users: body.shared_users.value().map(|count| count as u32),
        mac_lock: body.mac_lock.value(),
        address_list: body.address_list.change(),
        pool: body.pool_id.change().map(|pool| pool.map(PoolId)),
        router: body.router_id.change().map(|router| router.map(RouterId)),
        expiry: expired.under(body.expiry_action)?,
        interim_s: body.interim_seconds.value().map(|seconds| seconds as u32),
        enabled: body.enabled.value(),
        public: body.public.value(),
        unchanged_since: caller.unchanged_since()?,
    };
    let offer = plans::update(&app, &caller.actor, PlanId(id), command).await.map_err(refused)?;
    Ok(reply(&caller, offer, false))
}

pub const DELETE: Operation = Operation::new("Plans", "Delete a plan", Scope::PlansWrite)
    .about("Refused (409) while customers have it or another plan falls back to it.")
    .no_content()
    .conditional();

pub async fn delete(State(app): State<App>, caller: Caller, Id(id): Id) -> Done {
    plans::delete(&app, &caller.actor, PlanId(id), caller.unchanged_since()?).await?;
    NO_CONTENT
}

doors::form! {
    PlanCopy {
        name: required Text(1, 100), "The copy's name.";
        router_id: optional Id, "The copy is sold on this router alone.";
    }
}

pub const DUPLICATE: Operation =
    Operation::new("Plans", "Copy a plan", Scope::PlansWrite).body::<PlanCopy>().creates::<Row>();

pub async fn duplicate(State(app): State<App>, caller: Caller, Id(id): Id, Body(body): Body<PlanCopy>) -> Answer<Row> {
    let PlanCopy { name, router_id } = body;
    let router = router_id.value().map(RouterId);
    let copy = plans::duplicate(&app, &caller.actor, PlanId(id), name, router).await.map_err(refused)?;
    Ok(reply(&caller, copy, true))
}
