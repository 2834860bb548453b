//! Customers: create (which sells the first period), update, delete.

use std::net::Ipv4Addr;

use domain::{
    CustomerId, Instant, Kind, Mac, Money, PlanId, RouterId, ServiceId, Status,
    access::service::may_be_activated,
    kernel::event::{EventKind, Subject},
    sales::sale::Payer,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    access::router,
    catalogue::plan,
    db::Class,
    people::{
        customer::{self, Customer},
        place::{self, Level},
        service::{self, Service},
    },
};

use crate::{
    Actor, App, Change, Error, Expected, FieldError, What, Why,
    access::bindings::{self, Bound},
    billing::receipts,
    catalogue::plans::{self, Offer},
    customers::{
        card,
        profiles::{self, ProfileChange},
    },
    kernel::secrets::{portal_place, secret_place},
    kernel::work::Work,
    kernel::{app::Tenant, change::CallerKey, ids::Table},
    plant::site::{self, SiteChange},
    resellers::chain,
    sales::{
        moves,
        recharge::{Wanted, sell_as},
        standing, starts, terms,
    },
};
use domain::kernel::names::{login_key, name_key};

pub use crate::customers::import::import;

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
    pub payer: Payer,
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

pub async fn create(app: &App, actor: &Actor, command: NewCustomer, key: Option<CallerKey>) -> Result<Created, Error> {
    create_at(app, actor, command, SiteChange::default(), key).await
}

/// As [`create`], with where the line comes into the house.
pub async fn create_at(
    app: &App,
    actor: &Actor,
    command: NewCustomer,
    site: SiteChange,
    key: Option<CallerKey>,
) -> Result<Created, Error> {
    create_with(app, actor, command, Extras { site, ..Extras::default() }, key).await
}

/// What a new line may have besides.
#[derive(Clone, Default, Debug)]
pub struct Extras {
    pub site: SiteChange,
    /// Pending until then; its first period begins with it. In the past or now: at once.
    pub starts_at: Option<Instant>,
    /// The first period's end, in the place of the plan's; at the same price.
    pub ends_at: Option<Instant>,
    /// Its status when it starts; `None` is active.
    pub status: Option<Status>,
    /// A price of its own, and whether tax is in it.
    pub price: Option<(Money, bool)>,
    /// Devices and addresses beside the first.
    pub bindings: Vec<Bound>,
    pub profile: ProfileChange,
}

/// As [`create`], with what a line may have besides.
///
/// # Errors
/// Besides those of its fields, `Invalid` of `ends_at` where it is over by then.
pub async fn create_with(
    app: &App,
    actor: &Actor,
    command: NewCustomer,
    extras: Extras,
    key: Option<CallerKey>,
) -> Result<Created, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let customer_id = CustomerId(app.new_id(Table::Customer).await?);
    let service_id = ServiceId(app.new_id(Table::Service).await?);
    let portal_secret = app.vault.seal(&portal_place(customer_id), &command.portal_password);
    let network_password = command.network_password.as_ref().unwrap_or(&command.portal_password);
    let secret = app.vault.seal(&secret_place(service_id), network_password);
    let branch_id = actor.branch;
    app.change_once(actor, key, async move |change| {
        let offer = references(change, &command).await?;
        let username = match &command.username {
            Some(name) => name.trim().to_string(),
            None => made_username(change, &tenant, &command.phone, customer_id).await?,
        };
        let network_username = command.network_username.as_deref().unwrap_or(&username).trim().to_string();
        free_username(change, &username, None).await?;
        free_network_username(change, network_field(command.kind), &network_username, None).await?;
        let mut owner = Customer::new(customer::New {
            isp: change.isp,
            id: customer_id,
            branch: branch_id,
            username: username.clone(),
            portal_secret: Some(portal_secret.clone()),
            full_name: command.full_name.clone(),
            phone: command.phone.clone(),
            email: command.email.clone(),
            address: command.address.clone(),
            building: command.building,
            at: change.now,
        });
        let mut row = Service::new(service::New {
            isp: change.isp,
            id: service_id,
            customer: customer_id,
            ordinal: 1,
            kind: command.kind,
            status: Status::Active,
            reason: Some("created".into()),
            username: network_username.clone(),
            secret: Some(secret.clone()),
            plan: offer.plan.id,
            plan_version: offer.version.version,
            router: command.router,
            address: command.ip,
            mac: command.mac,
            tied: offer.plan.mac_lock,
            at: change.now,
        });
        // The sale writes its period under the service, so the service's row holds what the sale made of it.
        change.event(EventKind::CustomerCreated, Subject::Customer(customer_id.0), json!({ "username": username }));
        if extras.price.is_some() || extras.ends_at.is_some() {
            chain::sells_nothing(change).await?;
        }
        if extras.price.is_some() {
            terms::set_price(change, &row, extras.price).await?;
        }
        let starts_at = extras.starts_at.filter(|at| *at > change.now);
        if extras.ends_at.is_some_and(|end| end <= starts_at.unwrap_or(change.now)) {
            return Err(Error::invalid("ends_at", Why::Not(Expected::BehindStart)));
        }
        let at = starts_at.unwrap_or(change.now);
        let status = extras.status.unwrap_or(Status::Active);
        match starts_at {
            Some(at) => {
                starts::wait(change, &row, at, status).await?;
                row.status = Status::Pending;
            }
            None => row.status = status,
        }
        let first = Wanted { ends_at: extras.ends_at, ..Wanted::first(at) };
        sell_as(change, &tenant, &mut row, &offer, &command.payer, &receipts::Details::default(), first).await?;
        let expires_at = row.expires_at.unwrap_or(change.now).0;
        if !extras.bindings.is_empty() {
            bindings::set(change, &mut row, &extras.bindings).await?;
        }
        site::apply(change, &row, &extras.site).await?;
        profiles::apply(change, &mut owner, &extras.profile).await?;
        customer::insert(change.tx, change.isp, vec![(owner, Some(row))]).await?;
        Ok(Created { customer_id: customer_id.0, service_id: service_id.0, username, network_username, expires_at })
    })
    .await
}

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

pub(crate) async fn free_username(change: &Change<'_>, username: &str, own: Option<CustomerId>) -> Result<(), Error> {
    let holder = customer::by_username(change.tx, change.isp, &name_key(username)).await?;
    match holder {
        Some(holder) if Some(holder.id) != own => Err(Error::invalid("username", Why::Taken)),
        _ => Ok(()),
    }
}

pub(crate) async fn free_network_username(
    change: &Change<'_>,
    field: &'static str,
    username: &str,
    own: Option<ServiceId>,
) -> Result<(), Error> {
    let holder = service::by_username(change.tx, change.isp, &login_key(username)).await?;
    match holder {
        Some(holder) if Some(holder.id) != own => Err(Error::invalid(field, Why::Taken)),
        _ => Ok(()),
    }
}

/// Which field of the request named the network login.
fn network_field(kind: Kind) -> &'static str {
    match kind {
        Kind::Pppoe => "network_username",
        Kind::Hotspot | Kind::Static | Kind::Other => "username",
    }
}

/// `None` leaves a field as it is; `Some(None)` clears it.
#[derive(Clone, Default, Debug)]
pub struct CustomerChange {
    pub full_name: Option<String>,
    pub phone: Option<String>,
    pub email: Option<Option<String>>,
    pub address: Option<Option<String>>,
    pub username: Option<String>,
    pub status: Option<Status>,
    pub kind: Option<Kind>,
    pub router: Option<RouterId>,
    pub plan: Option<PlanId>,
    pub portal_password: Option<String>,
    pub network_username: Option<String>,
    pub network_password: Option<String>,
    pub ip: Option<Option<Ipv4Addr>>,
    pub mac: Option<Option<Mac>>,
}

/// What comes with a change besides the customer's own fields.
#[derive(Clone, Default, Debug)]
pub struct Besides {
    pub site: SiteChange,
    /// The caller read the customer as it was then.
    pub unchanged_since: Option<Instant>,
}

/// Changes what is given. Credentials, address and plan reach live sessions at once.
pub async fn update(app: &App, actor: &Actor, id: CustomerId, command: CustomerChange) -> Result<(), Error> {
    update_at(app, actor, id, command, Besides::default()).await
}

/// As [`update`], with where the line comes into the house.
pub async fn update_at(
    app: &App,
    actor: &Actor,
    id: CustomerId,
    command: CustomerChange,
    besides: Besides,
) -> Result<(), Error> {
    actor.writes()?;
    let (vault, who) = (app.vault.clone(), actor.clone());
    app.change(actor, Class::Interactive, async move |change| {
        let before =
            customer::lock(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
        who.reaches(before.branch_id)?;
        let line = service::lock_of_customer(change.tx, change.isp, id).await?.into_iter().next();
        let line_before = line.ok_or(Error::NotFound { what: What::Service })?;
        unchanged(change, &before, Some(&line_before), besides.unchanged_since).await?;
        let (mut row, mut line) = (before.clone(), line_before.clone());
        row.full_name = command.full_name.clone().unwrap_or(row.full_name);
        row.phone = command.phone.clone().unwrap_or(row.phone);
        row.email = command.email.clone().unwrap_or(row.email);
        row.address = command.address.clone().unwrap_or(row.address);
        if let Some(kind) = command.kind {
            line.kind = kind;
        }
        let own_login = matches!(line.kind, Kind::Hotspot | Kind::Static);
        if let Some(username) = &command.username {
            free_username(change, username, Some(id)).await?;
            row.username = username.trim().into();
            row.username_key = Some(name_key(username));
        }
        let network_username = command.network_username.as_ref();
        let network_username = network_username.or(if own_login { command.username.as_ref() } else { None });
        if let Some(username) = network_username {
            free_network_username(change, network_field(line.kind), username, Some(line.id)).await?;
            line.username = username.trim().into();
            line.username_key = Some(login_key(username));
        }
        let mut new_secret = None;
        if let Some(password) = &command.portal_password {
            row.portal_secret = Some(vault.seal(&portal_place(id), password));
            row.portal_hash = None;
            if own_login {
                new_secret = Some(password);
            }
        }
        new_secret = command.network_password.as_ref().or(new_secret);
        if let Some(password) = new_secret {
            let place = secret_place(line.id);
            // Sealing the same password again would look like a change.
            let known = line.secret.as_deref().and_then(|sealed| vault.open(&place, sealed));
            if known.as_deref() != Some(password) {
                line.secret = Some(vault.seal(&place, password));
            }
        }
        if let Some(router) = command.router {
            if router::find(change.tx, change.isp, router).await?.is_none() {
                return Err(Error::invalid("router", Why::Unknown));
            }
            line.router_id = router;
        }
        if let Some(plan) = command.plan {
            moves::assign(change, &mut line, plan).await?;
        }
        if let Some(ip) = command.ip {
            line.address = ip.map(|ip| ip.to_string());
        }
        if let Some(mac) = command.mac {
            line.mac = mac.map(|mac| mac.to_string());
            line.mac_lock = match (line.mac_lock.as_str(), &line.mac) {
                ("off", _) => "off",
                (_, Some(_)) => "locked",
                (_, None) => "learn",
            }
            .into();
        }
        let moved = site::apply(change, &line, &besides.site).await?;
        if row != before || moved {
            row.updated_at = change.now.max(before.updated_at.plus(1));
            customer::update(change.tx, &row).await?;
            change.event(EventKind::CustomerUpdated, Subject::Customer(id.0), json!({ "username": row.username }));
        }
        let login_changed = line.username_key != line_before.username_key
            || line.secret != line_before.secret
            || line.address != line_before.address
            || line.mac != line_before.mac
            || line.kind != line_before.kind;
        let line_changed = line != line_before;
        let begins = command.status == Some(Status::Active) && starts::begin(change, &mut line).await?;
        let status_changed = match command.status {
            Some(Status::Active) if !may_be_activated(line.expires_at, change.now) => {
                return Err(Error::invalid("status", RECHARGE_FIRST));
            }
            Some(status) => standing::set(change, &mut line, status, "set by update")?,
            None => false,
        };
        if line_changed || status_changed || begins {
            line.updated_at = change.now;
            service::update(change.tx, &line).await?;
            // Another package has told itself.
            if line_changed && line.plan_id == line_before.plan_id {
                let body = json!({ "customer": id.0 });
                change.event(EventKind::ServiceChanged, Subject::Service(line.id.0), body);
            }
            change.order(Work::Converge { line: line.id, disconnect: login_changed, touched: None }).await?;
        }
        Ok(())
    })
    .await
}

const RECHARGE_FIRST: Why = Why::Not(Expected::LeftOutExpired);

/// The customer is as the caller read it.
async fn unchanged(
    change: &Change<'_>,
    row: &Customer,
    line: Option<&Service>,
    since: Option<Instant>,
) -> Result<(), Error> {
    let Some(since) = since else { return Ok(()) };
    let site = match line {
        Some(line) => store::plant::site::find(change.tx, change.isp, line.id).await?,
        None => None,
    };
    if card::changed(row, line, site.as_ref()) == since { Ok(()) } else { Err(Error::Changed) }
}

/// Soft: rows that money or law refers to stay, secrets go, the usernames are free, sessions end at once.
pub async fn delete(app: &App, actor: &Actor, id: CustomerId) -> Result<(), Error> {
    delete_as_read(app, actor, id, None).await
}

/// As [`delete`], of the customer as the caller read it.
pub async fn delete_as_read(
    app: &App,
    actor: &Actor,
    id: CustomerId,
    unchanged_since: Option<Instant>,
) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let mut row =
            customer::lock(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
        who.reaches(row.branch_id)?;
        let lines = service::lock_of_customer(change.tx, change.isp, id).await?;
        unchanged(change, &row, lines.first(), unchanged_since).await?;
        for mut line in lines {
            line.username_key = None;
            line.secret = None;
            line.deleted_at = Some(change.now);
            line.updated_at = change.now;
            service::update(change.tx, &line).await?;
            change.event(
                EventKind::ServiceChanged,
                Subject::Service(line.id.0),
                json!({ "customer": id.0, "deleted": true }),
            );
            change.order(Work::hang_up(line.id)).await?;
        }
        row.username_key = None;
        row.portal_secret = None;
        row.portal_hash = None;
        row.deleted_at = Some(change.now);
        row.updated_at = change.now;
        customer::update(change.tx, &row).await?;
        change.event(EventKind::CustomerDeleted, Subject::Customer(id.0), json!({ "username": row.username }));
        Ok(())
    })
    .await
}

/// What kind of line a plan is for.
pub async fn kind_of_plan(app: &App, actor: &Actor, id: PlanId) -> Result<Kind, Error> {
    let isp = actor.isp;
    let plan = app.db.read(async move |tx| plan::find(tx, isp, id).await).await?;
    Ok(plan.ok_or(Error::invalid("plan", Why::Unknown))?.kind)
}

/// Says in which building a customer lives.
pub async fn set_building(app: &App, actor: &Actor, id: CustomerId, building: Option<i64>) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let mut row =
            customer::lock(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
        who.reaches(row.branch_id)?;
        if let Some(building) = building
            && !place::is_there(change.tx, change.isp, Level::Building, building).await?
        {
            return Err(Error::invalid("building", Why::Unknown));
        }
        row.building_id = building;
        row.updated_at = change.now;
        customer::update(change.tx, &row).await?;
        change.event(EventKind::CustomerUpdated, Subject::Customer(id.0), json!({ "username": row.username }));
        Ok(())
    })
    .await
}
