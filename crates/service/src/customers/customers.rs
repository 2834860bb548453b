//! Customers as doors make one: with its first period, or without.

use std::{net::Ipv4Addr, sync::Arc};

use domain::{
    BranchId, CustomerId, Instant, Kind, Mac, PeriodId, PlanId, RouterId, ServiceId, Status, kernel::names::name_key,
    sales::sale::Payer,
};
use serde::{Deserialize, Serialize};
use store::{
    access::router,
    catalogue::plan,
    people::{customer, service},
};

use super::{
    beside::Beside,
    create::{self, First, Line, New, Owner, Person, sealed},
};
use crate::{
    Actor, App, Change, Error, Expected, FieldError, Why,
    catalogue::plans::{self, Offer},
    kernel::{amounts, app::Tenant, change::CallerKey, ids::Table},
};

pub use super::import::import;

#[derive(Clone, Debug)]
pub struct NewCustomer {
    pub full_name: String,
    pub phone: String,
    pub email: Option<String>,
    pub address: Option<String>,
    pub building: Option<i64>,
    /// The account's name; one is made where none is given.
    pub username: Option<String>,
    pub portal_password: String,
    pub kind: Kind,
    /// What the line logs in with; the account's name and password where none is given.
    pub network_username: Option<String>,
    pub network_password: Option<String>,
    pub ip: Option<Ipv4Addr>,
    pub mac: Option<Mac>,
    pub plan: PlanId,
    pub router: RouterId,
    /// Who pays the first period. `None`: none is sold; the line has the time until `ends_at`, or waits for its sale.
    pub payer: Option<Payer>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Created {
    pub customer_id: i64,
    pub service_id: i64,
    pub username: String,
    pub network_username: String,
    /// Microseconds UTC.
    pub expires_at: i64,
}

/// What a new customer may have besides.
#[derive(Clone, Default, Debug)]
pub struct Extras {
    /// Whose it is, where the caller is not confined to a branch.
    pub branch: Option<BranchId>,
    /// Pending until then; its first period begins with it. In the past or now: at once.
    pub starts_at: Option<Instant>,
    /// The first period's end, in the place of the plan's; at the same price.
    pub ends_at: Option<Instant>,
    /// Its status when it starts. `None` is active; pending, where nothing is sold and it has no time.
    pub status: Option<Status>,
    /// Whether one device alone logs in; `None`: as the plan says.
    pub tied: Option<bool>,
    pub beside: Beside,
}

pub async fn create(app: &App, actor: &Actor, command: NewCustomer, key: Option<CallerKey>) -> Result<Created, Error> {
    create_with(app, actor, command, Extras::default(), key).await
}

/// As [`create`], with what it may have besides.
///
/// # Errors
/// Besides those of its fields, `Invalid` of `ends_at` where a sold period is over by then.
pub async fn create_with(
    app: &App,
    actor: &Actor,
    command: NewCustomer,
    extras: Extras,
    key: Option<CallerKey>,
) -> Result<Created, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let id = CustomerId(app.new_id(Table::Customer).await?);
    let line = ServiceId(app.new_id(Table::Service).await?);
    let network_password = command.network_password.as_ref().unwrap_or(&command.portal_password);
    let secrets = sealed(&app.vault, (id, &command.portal_password), (line, network_password));
    let branch = actor.branch.or(extras.branch);
    app.change_once(actor, key, async move |change| {
        let offer = references(change, &command).await?;
        let username = match &command.username {
            Some(name) => name.trim().to_string(),
            None => made_username(change, &tenant, &command.phone, id).await?,
        };
        let network_username = command.network_username.as_deref().unwrap_or(&username).trim().to_string();
        let starts_at = extras.starts_at.filter(|at| *at > change.now);
        let first = match &command.payer {
            Some(payer) => {
                amounts::moment("starts_at", starts_at)?;
                amounts::moment("ends_at", extras.ends_at)?;
                if extras.ends_at.is_some_and(|end| end <= starts_at.unwrap_or(change.now)) {
                    return Err(Error::invalid("ends_at", Why::Not(Expected::BehindStart)));
                }
                First::Sold { payer: payer.clone(), ends_at: extras.ends_at }
            }
            None if extras.ends_at.is_some() => {
                let period = PeriodId(change.id(Table::Period).await?);
                First::Opened { period, ends_at: extras.ends_at, reason: "opening" }
            }
            None => First::Nothing,
        };
        let usual = match first {
            First::Sold { .. } | First::Opened { .. } => Status::Active,
            First::Nothing => Status::Pending,
        };
        let owner = Person {
            id,
            branch,
            username: username.clone(),
            portal_secret: Some(secrets.0.clone()),
            full_name: command.full_name.clone(),
            phone: command.phone.clone(),
            email: command.email.clone(),
            address: command.address.clone(),
            building: command.building,
        };
        let line = Line {
            id: line,
            ordinal: 1,
            kind: command.kind,
            status: extras.status.unwrap_or(usual),
            reason: "created",
            username: network_username.clone(),
            secret: Some(secrets.1.clone()),
            router: command.router,
            ip: command.ip,
            mac: command.mac,
            tied: extras.tied.unwrap_or(offer.plan.mac_lock),
            starts_at,
            offer: Arc::new(offer),
        };
        let new = New { owner: Owner::New(owner), line, first, beside: extras.beside.clone() };
        let made = create::create(change, &tenant, new).await?;
        Ok(Created {
            customer_id: made.customer.0,
            service_id: made.line.id.0,
            username,
            network_username,
            expires_at: made.line.expires_at.unwrap_or(change.now).0,
        })
    })
    .await
}

/// The plan, which is for sale, and the router must be there; both are told where neither is.
async fn references(change: &Change<'_>, command: &NewCustomer) -> Result<Offer, Error> {
    let mut wrong = Vec::new();
    let offer = match plans::for_sale(change, command.plan, None).await {
        Ok(offer) => Some(offer),
        Err(Error::NotFound { .. }) => None,
        Err(other) => return Err(other),
    };
    if offer.is_none() {
        wrong.push(FieldError { field: "plan", why: Why::Unknown });
    }
    if router::find(change.tx, change.isp, command.router).await?.is_none() {
        wrong.push(FieldError { field: "router", why: Why::Unknown });
    }
    match offer {
        Some(offer) if wrong.is_empty() => Ok(offer),
        _ => Err(Error::Invalid(wrong)),
    }
}

/// The router of a new line whose caller names none: the plan's, else the Isp's first.
pub async fn usual_router(app: &App, actor: &Actor, id: PlanId) -> Result<RouterId, Error> {
    let isp = actor.isp;
    app.db
        .read(async move |tx| {
            let plan = plan::find(tx, isp, id).await?.ok_or(Error::invalid("plan", Why::Unknown))?;
            let first = router::of_isp(tx, isp).await?.into_iter().next().map(|router| router.id);
            plan.router_id.or(first).ok_or(Error::invalid("router", Why::Required))
        })
        .await
}

/// Prefix and phone number, or prefix and id where that name is taken or there is no number.
async fn made_username(change: &Change<'_>, tenant: &Tenant, phone: &str, id: CustomerId) -> Result<String, Error> {
    if phone.is_empty() {
        return Ok(format!("{}{id}", tenant.isp.username_prefix));
    }
    let wished = format!("{}{phone}", tenant.isp.username_prefix);
    let key = name_key(&wished);
    let taken = customer::by_username(change.tx, change.isp, &key).await?.is_some()
        || service::by_username(change.tx, change.isp, &key).await?.is_some();
    Ok(if taken { format!("{}{phone}-{id}", tenant.isp.username_prefix) } else { wished })
}

/// What kind of line a plan is for.
pub async fn kind_of_plan(app: &App, actor: &Actor, id: PlanId) -> Result<Kind, Error> {
    let isp = actor.isp;
    let plan = app.db.read(async move |tx| plan::find(tx, isp, id).await).await?;
    Ok(plan.ok_or(Error::invalid("plan", Why::Unknown))?.kind)
}
