//! What is sold: bandwidths, pools, plans and their versions.

use domain::{
    BandwidthId, ExpiryAction, Instant, Kind, Limit, Money, PlanId, PlanTerms, PoolId, RouterId, Unit, Validity,
    kernel::money::TaxRate,
};
use store::{
    billing::invoice_sale,
    catalogue::plan::{self, Bandwidth, Plan, PlanVersion, Pool},
    db::Class,
    sales::promises::{self, Promise},
};

use crate::{
    Actor, App, By, Change, Error, Expected, Fact, Refusal, What, Why,
    kernel::{amounts, change::unchanged, ids::Table, work::Work},
};
use domain::kernel::names::name_key;

pub const RATE_UNITS: &[&str] = &["Kbps", "Mbps"];
pub const VALIDITY_UNITS: &[&str] = &["Mins", "Hrs", "Days", "Months", "Period"];
pub const LIMIT_TYPES: &[&str] = &["Time_Limit", "Data_Limit", "Both_Limit"];
/// The day of the month of `Period` where the plan names none.
pub const PERIOD_DAY: u8 = 20;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewBandwidth {
    pub name: String,
    pub down_kbps: i64,
    pub down_unit: String,
    pub up_kbps: i64,
    pub up_unit: String,
    pub burst: Option<domain::Burst>,
    pub priority: Option<u8>,
}

#[derive(Clone, Default, Debug)]
pub struct BandwidthChange {
    pub name: Option<String>,
    pub down_kbps: Option<i64>,
    pub down_unit: Option<String>,
    pub up_kbps: Option<i64>,
    pub up_unit: Option<String>,
    pub burst: Option<Option<domain::Burst>>,
    pub priority: Option<Option<u8>>,
    /// The row must be as it was changed then.
    pub unchanged_since: Option<Instant>,
}

pub async fn create_bandwidth(app: &App, actor: &Actor, command: NewBandwidth) -> Result<Bandwidth, Error> {
    actor.writes()?;
    let id = BandwidthId(app.new_id(Table::Bandwidth).await?);
    app.change(actor, Class::Interactive, async move |change| make_bandwidth(change, id, command.clone()).await).await
}

async fn make_bandwidth(change: &Change<'_>, id: BandwidthId, command: NewBandwidth) -> Result<Bandwidth, Error> {
    let key = name_key(&command.name);
    if plan::bandwidth_by_name(change.tx, change.isp, &key).await?.is_some() {
        return Err(Error::invalid("name", Why::Taken));
    }
    let mut row = Bandwidth {
        isp_id: change.isp,
        id,
        name: command.name.trim().into(),
        name_key: Some(key),
        down_kbps: amounts::rate("rate_down", command.down_kbps)?,
        up_kbps: amounts::rate("rate_up", command.up_kbps)?,
        down_unit: command.down_unit.clone(),
        up_unit: command.up_unit.clone(),
        burst_down_kbps: None,
        burst_up_kbps: None,
        burst_threshold_down_kbps: None,
        burst_threshold_up_kbps: None,
        burst_time_s: None,
        priority: command.priority.map(i64::from),
        created_at: change.now,
        updated_at: change.now,
        deleted_at: None,
    };
    set_burst(&mut row, command.burst);
    row.insert(change.tx).await?;
    change.tell(Fact::BandwidthCreated { bandwidth: id, name: row.name.clone() });
    Ok(row)
}

/// The bandwidth of exactly these rates, kbit/s; made where there is none.
async fn bandwidth_of_rates(change: &Change<'_>, (down_kbps, up_kbps): (i64, i64)) -> Result<BandwidthId, Error> {
    let known = plan::bandwidths(change.tx, change.isp).await?;
    let plain = |row: &&Bandwidth| {
        (row.down_kbps, row.up_kbps) == (down_kbps, up_kbps) && row.burst_down_kbps.is_none() && row.priority.is_none()
    };
    if let Some(row) = known.iter().find(plain) {
        return Ok(row.id);
    }
    let unit = |kbps: i64| if kbps % 1000 == 0 { "Mbps" } else { "Kbps" };
    let count = |kbps: i64| if kbps % 1000 == 0 { kbps / 1000 } else { kbps };
    let name = format!("{} {} / {} {}", count(down_kbps), unit(down_kbps), count(up_kbps), unit(up_kbps));
    let command = NewBandwidth {
        name,
        down_kbps,
        down_unit: unit(down_kbps).into(),
        up_kbps,
        up_unit: unit(up_kbps).into(),
        burst: None,
        priority: None,
    };
    let id = BandwidthId(change.id(Table::Bandwidth).await?);
    match make_bandwidth(change, id, command.clone()).await {
        // Somebody has called another one so.
        Err(Error::Invalid(_)) => {
            let name = format!("{} ({down_kbps}/{up_kbps})", command.name);
            make_bandwidth(change, id, NewBandwidth { name, ..command }).await.map(|row| row.id)
        }
        made => made.map(|row| row.id),
    }
}

/// What a caller says beside a plan's own fields.
#[derive(Clone, Copy, Default, Debug)]
pub struct Beside {
    /// Plain rates, down and up in kbit/s, in the place of a bandwidth that is named.
    pub rates: Option<(i64, i64)>,
    /// Whether lines of the plan may renew by themselves.
    pub auto_renew: Option<bool>,
}

async fn set_renews(change: &Change<'_>, plan: &Plan, renews: bool) -> Result<(), Error> {
    plan::set_renews(change.tx, change.isp, plan.id, renews).await?;
    change.tell(Fact::PlanRenews { plan: plan.id, name: plan.name.clone(), auto_renew: renews });
    Ok(())
}

fn set_burst(row: &mut Bandwidth, burst: Option<domain::Burst>) {
    row.burst_down_kbps = burst.map(|b| b.down_kbps.into());
    row.burst_up_kbps = burst.map(|b| b.up_kbps.into());
    row.burst_threshold_down_kbps = burst.map(|b| b.threshold_down_kbps.into());
    row.burst_threshold_up_kbps = burst.map(|b| b.threshold_up_kbps.into());
    row.burst_time_s = burst.map(|b| b.time_s.into());
}

/// New rates reach every live session of every plan that uses them.
pub async fn update_bandwidth(
    app: &App,
    actor: &Actor,
    id: BandwidthId,
    command: BandwidthChange,
) -> Result<Bandwidth, Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        let before =
            plan::bandwidth(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Bandwidth })?;
        unchanged(command.unchanged_since, before.updated_at)?;
        let mut row = before.clone();
        if let Some(name) = &command.name {
            let key = name_key(name);
            let holder = plan::bandwidth_by_name(change.tx, change.isp, &key).await?;
            if holder.is_some_and(|holder| holder.id != id) {
                return Err(Error::invalid("name", Why::Taken));
            }
            row.name = name.trim().into();
            row.name_key = Some(key);
        }
        row.down_kbps = amounts::rate("rate_down", command.down_kbps.unwrap_or(row.down_kbps))?;
        row.up_kbps = amounts::rate("rate_up", command.up_kbps.unwrap_or(row.up_kbps))?;
        row.down_unit = command.down_unit.clone().unwrap_or(row.down_unit);
        row.up_unit = command.up_unit.clone().unwrap_or(row.up_unit);
        if let Some(burst) = command.burst {
            set_burst(&mut row, burst);
        }
        row.priority = command.priority.map_or(row.priority, |priority| priority.map(i64::from));
        if row == before {
            return Ok(row);
        }
        row.updated_at = change.now;
        plan::update_bandwidth(change.tx, &row).await?;
        change.tell(Fact::BandwidthUpdated { bandwidth: id, name: row.name.clone() });
        change.order(Work::ConvergeBandwidth(id)).await?;
        Ok(row)
    })
    .await
}

pub async fn delete_bandwidth(app: &App, actor: &Actor, id: BandwidthId, since: Option<Instant>) -> Result<(), Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        let mut row =
            plan::bandwidth(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Bandwidth })?;
        unchanged(since, row.updated_at)?;
        if plan::plans_with_bandwidth(change.tx, change.isp, id).await? > 0 {
            return Err(Error::InUse { what: What::Bandwidth, by: By::Plan });
        }
        if !store::access::fup::templates_of_bandwidth(change.tx, change.isp, id).await?.is_empty() {
            return Err(Error::InUse { what: What::Bandwidth, by: By::FupTemplate });
        }
        row.deleted_at = Some(change.now);
        row.name_key = None;
        plan::update_bandwidth(change.tx, &row).await?;
        change.tell(Fact::BandwidthDeleted { bandwidth: id, name: row.name });
        Ok(())
    })
    .await
}

pub async fn bandwidths(app: &App, actor: &Actor) -> Result<Vec<Bandwidth>, Error> {
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| plan::bandwidths(tx, isp).await).await?)
}

pub async fn show_bandwidth(app: &App, actor: &Actor, id: BandwidthId) -> Result<Bandwidth, Error> {
    let isp = actor.isp;
    let found = app.db.read(async move |tx| plan::bandwidth(tx, isp, id).await).await?;
    found.ok_or(Error::NotFound { what: What::Bandwidth })
}

#[derive(Clone, Debug)]
pub struct NewPool {
    pub name: String,
    pub router: Option<RouterId>,
    /// Comma list of CIDRs and `first-last` ranges.
    pub ranges: String,
    /// `nas` or `server`.
    pub allocate: &'static str,
}

pub async fn create_pool(app: &App, actor: &Actor, command: NewPool) -> Result<PoolId, Error> {
    actor.writes()?;
    let Some(_) = domain::kernel::ranges::parse_ranges(&command.ranges) else {
        return Err(Error::invalid("ranges", Why::Not(Expected::Ranges)));
    };
    let id = PoolId(app.new_id(Table::Pool).await?);
    app.change(actor, Class::Interactive, async move |change| {
        let key = name_key(&command.name);
        let pools = plan::pools(change.tx, change.isp).await?;
        if pools.iter().any(|known| known.name_key.as_deref() == Some(key.as_str())) {
            return Err(Error::invalid("name", Why::Taken));
        }
        if let Some(router) = command.router
            && store::access::router::find(change.tx, change.isp, router).await?.is_none()
        {
            return Err(Error::invalid("router", Why::Unknown));
        }
        Pool {
            isp_id: change.isp,
            id,
            router_id: command.router,
            name: command.name.trim().into(),
            name_key: Some(key),
            ranges: command.ranges.clone(),
            allocate: command.allocate.into(),
            created_at: change.now,
            deleted_at: None,
        }
        .insert(change.tx)
        .await?;
        change.tell(Fact::PoolCreated { pool: id, name: command.name.trim().into() });
        Ok(id)
    })
    .await
}

pub async fn pools(app: &App, actor: &Actor) -> Result<Vec<Pool>, Error> {
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| plan::pools(tx, isp).await).await?)
}

pub async fn show_pool(app: &App, actor: &Actor, id: PoolId) -> Result<Pool, Error> {
    let isp = actor.isp;
    let found = app.db.read(async move |tx| plan::pool(tx, isp, id).await).await?;
    found.ok_or(Error::NotFound { what: What::Pool })
}

/// Soft: it allocates no more. Refused while a plan gives addresses of it.
pub async fn delete_pool(app: &App, actor: &Actor, id: PoolId, since: Option<Instant>) -> Result<(), Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        let row = plan::pool(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Pool })?;
        unchanged(since, row.created_at)?;
        if plan::plans_with_pool(change.tx, change.isp, id).await? > 0 {
            return Err(Error::InUse { what: What::Pool, by: By::Plan });
        }
        plan::delete_pool(change.tx, change.isp, id, change.now).await?;
        change.tell(Fact::PoolDeleted { pool: id, name: row.name });
        Ok(())
    })
    .await
}

/// What a plan gives and costs. Live parts reach everybody on it; the versioned parts count from the next sale.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewPlan {
    pub name: String,
    pub kind: Kind,
    pub bandwidth: BandwidthId,
    pub pool: Option<PoolId>,
    pub router: Option<RouterId>,
    pub price: Money,
    pub validity: u32,
    /// One of [`VALIDITY_UNITS`].
    pub validity_unit: String,
    pub period_day: Option<u8>,
    pub limited: bool,
    pub limit_type: Option<String>,
    pub time_limit: Option<i64>,
    pub time_unit: Option<String>,
    pub data_limit: Option<i64>,
    pub data_unit: Option<String>,
    pub shared_users: u32,
    pub mac_lock: bool,
    pub address_list: Option<String>,
    pub expiry: Expiry,
    pub interim_s: u32,
    pub enabled: bool,
    pub public: bool,
}

/// What expired subscribers of a plan get.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expiry {
    Reject,
    Restrict { pool: Option<PoolId>, address_list: Option<String>, bandwidth: Option<BandwidthId> },
    Fallback(PlanId),
}

#[derive(Clone, Default, Debug)]
pub struct PlanChange {
    pub name: Option<String>,
    pub bandwidth: Option<BandwidthId>,
    pub price: Option<Money>,
    pub validity: Option<u32>,
    pub validity_unit: Option<String>,
    pub limited: Option<bool>,
    pub limit_type: Option<String>,
    pub time_limit: Option<i64>,
    pub time_unit: Option<String>,
    pub data_limit: Option<i64>,
    pub data_unit: Option<String>,
    pub period_day: Option<Option<u8>>,
    pub shared_users: Option<u32>,
    pub mac_lock: Option<bool>,
    pub address_list: Option<Option<String>>,
    pub pool: Option<Option<PoolId>>,
    pub router: Option<Option<RouterId>>,
    pub expiry: Option<Expiry>,
    pub interim_s: Option<u32>,
    pub enabled: Option<bool>,
    pub public: Option<bool>,
    /// The plan must be as it was changed then.
    pub unchanged_since: Option<Instant>,
}

/// A plan with the terms its next sale is made under.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    pub plan: Plan,
    pub version: PlanVersion,
}

pub async fn create(app: &App, actor: &Actor, command: NewPlan) -> Result<Offer, Error> {
    create_with(app, actor, command, Beside::default()).await
}

pub async fn create_with(app: &App, actor: &Actor, command: NewPlan, beside: Beside) -> Result<Offer, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let id = PlanId(app.new_id(Table::Plan).await?);
    app.change(actor, Class::Interactive, async move |change| {
        let bandwidth = match beside.rates {
            Some(rates) => bandwidth_of_rates(change, rates).await?,
            None => command.bandwidth,
        };
        check_references(change, bandwidth, command.pool, command.router).await?;
        check_expiry(change, id, &command.expiry).await?;
        let key = name_key(&command.name);
        if plan::by_name(change.tx, change.isp, &key).await?.is_some() {
            return Err(Error::invalid("name", Why::Taken));
        }
        let mut plan = Plan {
            isp_id: change.isp,
            id,
            name: command.name.trim().into(),
            name_key: Some(key),
            kind: command.kind,
            version: 1,
            bandwidth_id: bandwidth,
            pool_id: command.pool,
            router_id: command.router,
            shared_users: command.shared_users.into(),
            mac_lock: command.mac_lock,
            address_list: command.address_list.clone(),
            expiry_action: ExpiryAction::Reject,
            expired_pool_id: None,
            expired_address_list: None,
            expired_bandwidth_id: None,
            fallback_plan_id: None,
            interim_s: command.interim_s.into(),
            idle_timeout_s: None,
            session_timeout_s: None,
            enabled: command.enabled,
            public: command.public,
            created_at: change.now,
            updated_at: change.now,
            deleted_at: None,
            fup_template_id: None,
        };
        let version = PlanVersion {
            isp_id: change.isp,
            plan_id: id,
            version: 1,
            price: amounts::price("price", command.price)?,
            tax_ppm: tenant.isp.tax_ppm,
            tax_inclusive: tenant.isp.tax_inclusive,
            validity: command.validity.into(),
            validity_unit: command.validity_unit.clone(),
            period_day: command.period_day.map(i64::from),
            limited: command.limited,
            limit_type: command.limit_type.clone(),
            time_limit: command.time_limit,
            time_unit: command.time_unit.clone(),
            data_limit: command.data_limit,
            data_unit: command.data_unit.clone(),
            created_at: change.now,
        };
        if let Some(missing) = missing_limit(&version) {
            return Err(Error::invalid(missing, Why::Required));
        }
        amounts::quotas(("time_limit", "data_limit"), terms(&version).limit)?;
        set_expiry(&mut plan, &command.expiry);
        plan.insert(change.tx).await?;
        version.insert(change.tx).await?;
        change.tell(Fact::PlanCreated { plan: id, name: plan.name.clone() });
        // They do unless somebody says otherwise.
        if beside.auto_renew == Some(false) {
            set_renews(change, &plan, false).await?;
        }
        Ok(Offer { plan, version })
    })
    .await
}

fn set_expiry(plan: &mut Plan, expiry: &Expiry) {
    let (pool, address_list, bandwidth, fallback, action) = match expiry {
        Expiry::Reject => (None, None, None, None, ExpiryAction::Reject),
        Expiry::Restrict { pool, address_list, bandwidth } => {
            (*pool, address_list.clone(), *bandwidth, None, ExpiryAction::Restrict)
        }
        Expiry::Fallback(plan) => (None, None, None, Some(*plan), ExpiryAction::Fallback),
    };
    plan.expiry_action = action;
    plan.expired_pool_id = pool;
    plan.expired_address_list = address_list;
    plan.expired_bandwidth_id = bandwidth;
    plan.fallback_plan_id = fallback;
}

/// What expired subscribers get must be there, and be another plan's.
async fn check_expiry(change: &Change<'_>, id: PlanId, expiry: &Expiry) -> Result<(), Error> {
    let unknown = |field| Err(Error::invalid(field, Why::Unknown));
    match expiry {
        Expiry::Reject => Ok(()),
        Expiry::Restrict { pool: None, address_list: None, bandwidth: None } => {
            Err(Error::invalid("expired_address_list", Why::Required))
        }
        Expiry::Restrict { pool, bandwidth, .. } => {
            if let Some(pool) = pool
                && plan::pool(change.tx, change.isp, *pool).await?.is_none()
            {
                return unknown("expired_pool");
            }
            if let Some(bandwidth) = bandwidth
                && plan::bandwidth(change.tx, change.isp, *bandwidth).await?.is_none()
            {
                return unknown("expired_bandwidth");
            }
            Ok(())
        }
        Expiry::Fallback(plan) if *plan == id => Err(Error::invalid("fallback_plan", Why::Not(Expected::OtherPlan))),
        Expiry::Fallback(plan) => match plan::find(change.tx, change.isp, *plan).await? {
            Some(_) => Ok(()),
            None => unknown("fallback_plan"),
        },
    }
}

/// What the network must know of a plan while sessions go on.
fn lived(plan: &Plan) -> impl PartialEq + use<> {
    (
        (plan.bandwidth_id, plan.pool_id, plan.address_list.clone()),
        (plan.expiry_action, plan.expired_pool_id, plan.expired_address_list.clone()),
        (plan.expired_bandwidth_id, plan.fallback_plan_id),
    )
}

pub async fn update(app: &App, actor: &Actor, id: PlanId, command: PlanChange) -> Result<Offer, Error> {
    update_with(app, actor, id, command, Beside::default()).await
}

pub async fn update_with(
    app: &App,
    actor: &Actor,
    id: PlanId,
    command: PlanChange,
    beside: Beside,
) -> Result<Offer, Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        let before = offer(change, id).await?;
        if let Some(renews) = beside.auto_renew {
            set_renews(change, &before.plan, renews).await?;
        }
        let bandwidth = match beside.rates {
            Some(rates) => Some(bandwidth_of_rates(change, rates).await?),
            None => command.bandwidth,
        };
        unchanged(command.unchanged_since, before.plan.updated_at)?;
        let mut after = before.clone();
        if let Some(name) = &command.name {
            let key = name_key(name);
            let holder = plan::by_name(change.tx, change.isp, &key).await?;
            if holder.is_some_and(|holder| holder.id != id) {
                return Err(Error::invalid("name", Why::Taken));
            }
            after.plan.name = name.trim().into();
            after.plan.name_key = Some(key);
        }
        after.plan.bandwidth_id = bandwidth.unwrap_or(after.plan.bandwidth_id);
        check_references(change, after.plan.bandwidth_id, command.pool.flatten(), command.router.flatten()).await?;
        after.plan.pool_id = command.pool.unwrap_or(after.plan.pool_id);
        after.plan.router_id = command.router.unwrap_or(after.plan.router_id);
        if let Some(expiry) = &command.expiry {
            check_expiry(change, id, expiry).await?;
            set_expiry(&mut after.plan, expiry);
        }
        after.plan.mac_lock = command.mac_lock.unwrap_or(after.plan.mac_lock);
        after.plan.address_list = command.address_list.clone().unwrap_or(after.plan.address_list);
        after.plan.interim_s = command.interim_s.map_or(after.plan.interim_s, i64::from);
        after.plan.shared_users = command.shared_users.map_or(after.plan.shared_users, i64::from);
        after.plan.enabled = command.enabled.unwrap_or(after.plan.enabled);
        after.plan.public = command.public.unwrap_or(after.plan.public);
        after.version.price = amounts::price("price", command.price.unwrap_or(after.version.price))?;
        after.version.validity = command.validity.map_or(after.version.validity, i64::from);
        after.version.validity_unit = command.validity_unit.clone().unwrap_or(after.version.validity_unit);
        after.version.period_day = command.period_day.map_or(after.version.period_day, |day| day.map(i64::from));
        after.version.limited = command.limited.unwrap_or(after.version.limited);
        after.version.limit_type = command.limit_type.clone().or(after.version.limit_type);
        after.version.time_limit = command.time_limit.or(after.version.time_limit);
        after.version.time_unit = command.time_unit.clone().or(after.version.time_unit);
        after.version.data_limit = command.data_limit.or(after.version.data_limit);
        after.version.data_unit = command.data_unit.clone().or(after.version.data_unit);
        if let Some(missing) = missing_limit(&after.version) {
            return Err(Error::invalid(missing, Why::Required));
        }
        amounts::quotas(("time_limit", "data_limit"), terms(&after.version).limit)?;
        if after == before {
            return Ok(after);
        }
        if after.version != before.version {
            after.plan.version += 1;
            after.version.version = after.plan.version;
            after.version.created_at = change.now;
            after.version.insert(change.tx).await?;
        }
        after.plan.updated_at = change.now;
        plan::update(change.tx, &after.plan).await?;
        change.tell(Fact::PlanUpdated { plan: id, name: after.plan.name.clone() });
        if lived(&after.plan) != lived(&before.plan) {
            change.order(Work::ConvergePlan(id)).await?;
        }
        Ok(after)
    })
    .await
}

/// What a limited version lacks to be one.
fn missing_limit(version: &PlanVersion) -> Option<&'static str> {
    let lacks = |limit: Option<i64>| limit.is_none_or(|limit| limit < 1);
    match version.limit_type.as_deref() {
        _ if !version.limited => None,
        None => Some("limit_type"),
        Some("Time_Limit" | "Both_Limit") if lacks(version.time_limit) => Some("time_limit"),
        Some("Data_Limit" | "Both_Limit") if lacks(version.data_limit) => Some("data_limit"),
        Some(_) => None,
    }
}

/// Soft: what was sold under it still names it. Refused while a customer has it, another plan falls back to it, or it is
/// promised to somebody: by a code that is not used, an order that waits, a bill that sells it.
pub async fn delete(app: &App, actor: &Actor, id: PlanId, since: Option<Instant>) -> Result<(), Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        let mut row = plan::find(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Plan })?;
        unchanged(since, row.updated_at)?;
        if plan::services_on(change.tx, change.isp, id).await? > 0 {
            return Err(Error::InUse { what: What::Plan, by: By::Customer });
        }
        if plan::plans_falling_back_to(change.tx, change.isp, id).await? > 0 {
            return Err(Error::InUse { what: What::Plan, by: By::Plan });
        }
        if let Some(promise) = promises::of_plan(change.tx, change.isp, id, change.now).await? {
            let by = match promise {
                Promise::Voucher => By::Voucher,
                Promise::Card => By::RechargeCard,
                Promise::Move => By::WaitingMove,
                Promise::Renewal => By::WaitingRenewal,
            };
            return Err(Error::InUse { what: What::Plan, by });
        }
        if invoice_sale::promised(change.tx, change.isp, id).await? > 0 {
            return Err(Error::InUse { what: What::Plan, by: By::Bill });
        }
        row.deleted_at = Some(change.now);
        row.updated_at = change.now;
        row.name_key = None;
        plan::update(change.tx, &row).await?;
        change.tell(Fact::PlanDeleted { plan: id, name: row.name });
        Ok(())
    })
    .await
}

/// A copy under another name, on another router where one is given.
pub async fn duplicate(
    app: &App,
    actor: &Actor,
    id: PlanId,
    name: String,
    router: Option<RouterId>,
) -> Result<Offer, Error> {
    actor.writes()?;
    let copy_id = PlanId(app.new_id(Table::Plan).await?);
    app.change(actor, Class::Interactive, async move |change| {
        let Offer { mut plan, mut version } = offer(change, id).await?;
        if let Some(router) = router {
            check_references(change, plan.bandwidth_id, None, Some(router)).await?;
            plan.router_id = Some(router);
        }
        let key = name_key(&name);
        if plan::by_name(change.tx, change.isp, &key).await?.is_some() {
            return Err(Error::invalid("name", Why::Taken));
        }
        plan.id = copy_id;
        plan.name = name.trim().into();
        plan.name_key = Some(key);
        plan.version = 1;
        plan.created_at = change.now;
        plan.updated_at = change.now;
        version.plan_id = copy_id;
        version.version = 1;
        version.created_at = change.now;
        plan.insert(change.tx).await?;
        version.insert(change.tx).await?;
        change.tell(Fact::PlanCopied { plan: copy_id, name: plan.name.clone(), copy_of: id });
        Ok(Offer { plan, version })
    })
    .await
}

/// How much a sync concerns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Synced {
    pub services: i64,
    pub sessions: i64,
}

/// Orders the network to bring every live session on the plan to what the plan gives now.
pub async fn sync(app: &App, actor: &Actor, id: PlanId) -> Result<Synced, Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        plan::find(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Plan })?;
        let services = plan::services_on(change.tx, change.isp, id).await?;
        let sessions = store::access::session::open_of_plan(change.tx, change.isp, id).await?.len() as i64;
        change.order(Work::ConvergePlan(id)).await?;
        Ok(Synced { services, sessions })
    })
    .await
}

/// The live plans with their current terms.
pub async fn offers(app: &App, actor: &Actor) -> Result<Vec<Offer>, Error> {
    let isp = actor.isp;
    app.db
        .read(async move |tx| {
            let plans = plan::plans(tx, isp).await?;
            let versions = plan::current_versions(tx, isp).await?;
            let offers = plans.into_iter().filter(|plan| plan.deleted_at.is_none()).filter_map(|plan| {
                let version = versions.binary_search_by_key(&plan.id, |version| version.plan_id).ok()?;
                Some(Offer { version: versions[version].clone(), plan })
            });
            Ok(offers.collect())
        })
        .await
}

/// The live plan with its current terms.
pub async fn show(app: &App, actor: &Actor, id: PlanId) -> Result<Offer, Error> {
    let isp = actor.isp;
    app.db
        .read(async move |tx| {
            let plan = plan::find(tx, isp, id).await?.ok_or(Error::NotFound { what: What::Plan })?;
            let version = plan::version(tx, isp, id, plan.version).await?;
            let version = version.ok_or_else(|| Error::Internal(format!("plan {id} lacks its version")))?;
            Ok(Offer { plan, version })
        })
        .await
}

/// The live plan and its current terms.
pub(crate) async fn offer(change: &Change<'_>, id: PlanId) -> Result<Offer, Error> {
    let plan = plan::find(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Plan })?;
    let version = plan::version(change.tx, change.isp, id, plan.version).await?;
    let version = version.ok_or_else(|| Error::Internal(format!("plan {id} lacks its version {}", plan.version)))?;
    Ok(Offer { plan, version })
}

/// As [`offer`], of what may be sold now. What a line `has` already it may go on buying.
///
/// # Errors
/// `NotFound` of `plan`; `Refused` with `NotForSale`.
pub(crate) async fn for_sale(change: &Change<'_>, id: PlanId, has: Option<PlanId>) -> Result<Offer, Error> {
    let found = offer(change, id).await?;
    match found.plan.enabled || has == Some(id) {
        true => Ok(found),
        false => Err(Error::Refused(Refusal::NotForSale)),
    }
}

async fn check_references(
    change: &Change<'_>,
    bandwidth: BandwidthId,
    pool: Option<PoolId>,
    router: Option<RouterId>,
) -> Result<(), Error> {
    let mut wrong = Vec::new();
    let mut unknown = |field| wrong.push(crate::FieldError { field, why: Why::Unknown });
    if plan::bandwidth(change.tx, change.isp, bandwidth).await?.is_none() {
        unknown("bandwidth");
    }
    if let Some(pool) = pool
        && plan::pool(change.tx, change.isp, pool).await?.is_none()
    {
        unknown("pool");
    }
    if let Some(router) = router
        && store::access::router::find(change.tx, change.isp, router).await?.is_none()
    {
        unknown("router");
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
}

/// The rule's view of a version.
pub fn terms(version: &PlanVersion) -> PlanTerms {
    let unit = match version.validity_unit.as_str() {
        "Mins" => Unit::Mins,
        "Hrs" => Unit::Hrs,
        "Months" => Unit::Months,
        "Period" => Unit::Period { day: version.period_day.map_or(PERIOD_DAY, |day| day.clamp(1, 31) as u8) },
        _ => Unit::Days,
    };
    let limit_type = version.limit_type.as_deref().unwrap_or("Time_Limit");
    let by_time = version.limited && matches!(limit_type, "Time_Limit" | "Both_Limit");
    let by_data = version.limited && matches!(limit_type, "Data_Limit" | "Both_Limit");
    let second = if version.time_unit.as_deref() == Some("Mins") { 60 } else { 3600 };
    let byte = if version.data_unit.as_deref() == Some("GB") { 1_000_000_000 } else { 1_000_000 };
    let scaled = |on: bool, limit: Option<i64>, by: i64| limit.filter(|n| on && *n > 0).map(|n| n.saturating_mul(by));
    PlanTerms {
        price: version.price,
        tax: TaxRate { ppm: version.tax_ppm, inclusive: version.tax_inclusive },
        validity: Validity { count: version.validity.clamp(1, u32::MAX as i64) as u32, unit },
        limit: Limit {
            time_s: scaled(by_time, version.time_limit, second),
            data_bytes: scaled(by_data, version.data_limit, byte),
        },
    }
}
