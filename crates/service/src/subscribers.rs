//! Subscribers: a customer with its line, its profile, its own terms and where its line ends, made and changed as one.
//! Making one sells nothing: [`activation`](crate::activation) does.

use std::{collections::HashMap, net::Ipv4Addr};

use domain::{
    CustomerId, Discount, Instant, Kind, Mac, Money, OwnQuota, PeriodId, PlanId, RouterId, ServiceId, StaffId, Status,
    event::{EventKind, Subject},
    ledger::{Account, Entry},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    customer,
    db::{Class, Tx},
    invoice::{Invoice, Payment},
    ledger::{self, Heading},
    location, plan,
    profile::{self, Profile},
    router,
    service::{self, Attribute, Period},
    session::Session,
    subscriber, terms,
};

use crate::{
    Actor, App, Change, Customer, Error, FieldError, Router, Service, Staff, Vault, Why,
    change::CallerKey,
    customers::{free_network_username, free_username, portal_place, secret_place, sold_under},
    ids::Table,
    locations,
    plans::{self, Offer},
    setup::{login_key, name_key},
    standing,
};

pub use store::{
    subscriber::{Filter, Place, Posted, State},
    terms::{Site, Terms},
};

/// A place's level, in the order of [`Details::places`].
pub const PLACES: [(Place, &str); 5] = [
    (Place::Country, "country"),
    (Place::Province, "province"),
    (Place::City, "city"),
    (Place::Area, "area"),
    (Place::Subarea, "subarea"),
];

/// What may be said of a subscriber. `None` leaves a field as it is; `Some(None)` clears it.
#[derive(Clone, Default, Debug)]
pub struct Details {
    pub username: Option<String>,
    pub full_name: Option<String>,
    /// The portal's; the network's too, where that has none of its own.
    pub password: Option<String>,
    pub network_password: Option<String>,
    pub plan: Option<PlanId>,
    pub salesperson: Option<Option<StaffId>>,
    pub ip: Option<Option<Ipv4Addr>>,
    pub mac: Option<Option<Mac>>,
    pub mac_lock: Option<bool>,
    pub router: Option<RouterId>,
    pub kind: Option<Kind>,
    pub status: Option<Status>,
    pub expires_at: Option<Option<Instant>>,
    /// What the wallet came with; said again, the difference is posted. Below zero is owed.
    pub opening: Option<Money>,
    pub email: Option<Option<String>>,
    pub phone: Option<Option<String>>,
    pub address: Option<Option<String>>,
    pub identity: Option<Option<String>>,
    pub places: [Option<Option<i64>>; 5],
    pub department: Option<Option<i64>>,
    pub latitude: Option<Option<String>>,
    pub longitude: Option<Option<String>>,
    pub auto_renew: Option<bool>,
    pub discount: Option<Option<Discount>>,
    /// Of the subscriber's own, in the place of the plan's.
    pub quota_bytes: Option<OwnQuota>,
    pub quota_time_s: Option<OwnQuota>,
    pub sms: Option<bool>,
    pub email_enabled: Option<bool>,
    /// Days since 1970-01-01.
    pub joined_on: Option<Option<i64>>,
    pub site: SiteChange,
}

/// Where the line ends, as the technician wrote it down.
#[derive(Clone, Default, Debug)]
pub struct SiteChange {
    pub onu_note: Option<Option<String>>,
    pub box_number: Option<Option<String>>,
    pub box_address: Option<Option<String>>,
    pub switch_board: Option<Option<String>>,
    pub switch_port: Option<Option<String>>,
    pub electric_socket: Option<Option<String>>,
    pub cable_type: Option<Option<String>>,
    pub uplink_port: Option<Option<String>>,
    pub fiber_code: Option<Option<String>>,
    pub fiber_color: Option<Option<String>>,
}

/// Everything of a subscriber that a change may touch.
struct Rows {
    owner: Customer,
    line: Service,
    profile: Profile,
    terms: Terms,
    site: Site,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Made {
    pub customer_id: i64,
    pub username: String,
}

/// Makes a subscriber with what `details` says; username, name, password and plan are there.
pub async fn create(
    app: &App,
    actor: &Actor,
    branch: Option<domain::BranchId>,
    details: Details,
    key: Option<CallerKey>,
) -> Result<Made, Error> {
    actor.writes()?;
    let customer_id = CustomerId(app.new_id(Table::Customer).await?);
    let service_id = ServiceId(app.new_id(Table::Service).await?);
    let (vault, branch) = (app.vault.clone(), actor.branch.or(branch));
    app.change_once(actor, key, async move |change| {
        let offer = known_plan(change, details.plan.unwrap_or(PlanId(0))).await?;
        let router = match details.router {
            Some(id) => id,
            None => usual_router(change, &offer).await?,
        };
        let mut rows = Rows {
            owner: blank_customer(change, customer_id, branch),
            line: blank_line(change, service_id, customer_id, &offer, router),
            profile: Profile::of(change.isp, customer_id, change.now),
            terms: Terms::none(change.isp, service_id, change.now),
            site: Site::none(change.isp, service_id, change.now),
        };
        let limit = plans::terms(&offer.version).limit;
        rows.line.quota_bytes = limit.data_bytes;
        rows.line.quota_time_s = limit.time_s;
        apply(change, &vault, &mut rows, &details, true).await?;
        rows.line.status = details.status.unwrap_or(match rows.line.expires_at {
            Some(_) => Status::Active,
            None => Status::Pending,
        });
        if let Some(ends) = rows.line.expires_at {
            open_period(change, &mut rows.line, ends).await?;
        }
        let Rows { owner, line, profile, terms, site } = rows;
        let made = Made { customer_id: customer_id.0, username: owner.username.clone() };
        change.event(
            EventKind::CustomerCreated,
            Subject::Customer(customer_id.0),
            json!({ "username": made.username }),
        );
        change.event(EventKind::ServiceChanged, Subject::Service(service_id.0), json!({ "customer": customer_id.0 }));
        customer::insert(change.tx, change.isp, vec![(owner, Some(line))]).await?;
        profile.insert(change.tx).await?;
        terms.insert(change.tx).await?;
        site.insert(change.tx).await?;
        Ok(made)
    })
    .await
}

/// Changes what is given, in one transaction. Credentials, address, plan and quota reach live sessions at once.
pub async fn update(app: &App, actor: &Actor, id: CustomerId, details: Details) -> Result<(), Error> {
    actor.writes()?;
    let (vault, who) = (app.vault.clone(), actor.clone());
    app.change(actor, Class::Interactive, async move |change| {
        let owner = customer::lock(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: "customer" })?;
        who.reaches(owner.branch_id)?;
        let line = service::lock_of_customer(change.tx, change.isp, id).await?.into_iter().next();
        let line = line.ok_or(Error::NotFound { what: "customer" })?;
        let profile = profile::find(change.tx, change.isp, id).await?;
        let own = terms::find(change.tx, change.isp, line.id).await?;
        let site = terms::site(change.tx, change.isp, line.id).await?;
        let mut rows = Rows {
            profile: profile.unwrap_or_else(|| Profile::of(change.isp, id, change.now)),
            terms: own.unwrap_or_else(|| Terms::none(change.isp, line.id, change.now)),
            site: site.unwrap_or_else(|| Site::none(change.isp, line.id, change.now)),
            owner,
            line,
        };
        let before = (rows.owner.clone(), rows.line.clone());
        let beside = (rows.profile.clone(), rows.terms.clone(), rows.site.clone());
        apply(change, &vault, &mut rows, &details, false).await?;
        if let Some(status) = details.status {
            standing::set(change, &mut rows.line, status, "set by update")?;
        }
        save(change, rows, before, beside).await
    })
    .await
}

async fn save(
    change: &Change<'_>,
    rows: Rows,
    (owner_before, line_before): (Customer, Service),
    (profile_before, terms_before, site_before): (Profile, Terms, Site),
) -> Result<(), Error> {
    let Rows { mut owner, mut line, mut profile, mut terms, mut site } = rows;
    let told = owner != owner_before || profile != profile_before || site != site_before || terms != terms_before;
    if told {
        owner.updated_at = change.now.max(owner_before.updated_at.plus(1));
        customer::update(change.tx, &owner).await?;
        let body = json!({ "username": owner.username });
        change.event(EventKind::CustomerUpdated, Subject::Customer(owner.id.0), body);
    }
    if profile != profile_before {
        profile.updated_at = change.now;
        profile::put(change.tx, &profile).await?;
    }
    if terms != terms_before {
        terms.updated_at = change.now;
        terms::put(change.tx, &terms).await?;
    }
    if site != site_before {
        site.updated_at = change.now;
        terms::put_site(change.tx, &site).await?;
    }
    if line != line_before {
        line.updated_at = change.now;
        service::update(change.tx, &line).await?;
        let login_changed = line.username_key != line_before.username_key
            || line.secret != line_before.secret
            || line.address != line_before.address
            || (line.mac.as_ref(), &line.mac_lock) != (line_before.mac.as_ref(), &line_before.mac_lock)
            || line.kind != line_before.kind;
        change.event(EventKind::ServiceChanged, Subject::Service(line.id.0), json!({ "customer": owner.id.0 }));
        let payload = json!({ "service": line.id.0, "disconnect": login_changed });
        change.job("network", "converge", change.now, payload).await?;
    }
    Ok(())
}

/// Puts what is given into the rows. Every reference that is wrong is named.
async fn apply(
    change: &Change<'_>,
    vault: &Vault,
    rows: &mut Rows,
    details: &Details,
    is_new: bool,
) -> Result<(), Error> {
    references(change, details).await?;
    let Rows { owner, line, profile, terms, site } = rows;
    if let Some(kind) = details.kind {
        line.kind = kind;
    }
    if let Some(username) = &details.username {
        free_username(change, username, Some(owner.id)).await?;
        free_network_username(change, "username", username, Some(line.id)).await?;
        owner.username = username.trim().into();
        owner.username_key = Some(name_key(username));
        line.username = username.trim().into();
        line.username_key = Some(login_key(username));
    }
    secrets(vault, owner, line, details, is_new);
    if let Some(router) = details.router {
        line.router_id = router;
    }
    if let Some(id) = details.plan.filter(|id| *id != line.plan_id) {
        // Another plan without a sale: the running period keeps its end.
        let offer = known_plan(change, id).await?;
        line.plan_id = id;
        line.plan_version = offer.version.version;
    }
    if let Some(ends) = details.expires_at {
        line.expires_at = ends;
        line.expired_event_at = None;
        // The anchor of calendar months is this expiry's day from now on.
        line.anchor_day = None;
    }
    contact(owner, profile, details);
    addresses(line, details);
    line.auto_renew = details.auto_renew.unwrap_or(line.auto_renew);
    own_terms(change, line, terms, details).await?;
    site_of(site, &details.site);
    if let Some(opening) = details.opening {
        open_wallet(change, owner.id, opening).await?;
    }
    Ok(())
}

/// Everything a request names must be there; all that is not is told at once.
async fn references(change: &Change<'_>, details: &Details) -> Result<(), Error> {
    let (tx, isp) = (change.tx, change.isp);
    let mut wrong = Vec::new();
    let mut unknown = |field| wrong.push(FieldError { field, why: Why::Unknown });
    if let Some(id) = details.plan
        && plan::find(tx, isp, id).await?.is_none()
    {
        unknown("plan");
    }
    if let Some(id) = details.router
        && router::find(tx, isp, id).await?.is_none()
    {
        unknown("router");
    }
    if let Some(Some(id)) = details.salesperson
        && locations::seller(change, id).await?.is_none()
    {
        unknown("salesperson");
    }
    for ((_, level), place) in PLACES.iter().zip(details.places) {
        if let Some(Some(id)) = place
            && location::find(tx, isp, level, id).await?.is_none()
        {
            unknown(level);
        }
    }
    if let Some(Some(id)) = details.department
        && location::department(tx, isp, id).await?.is_none()
    {
        unknown("department");
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
}

async fn known_plan(change: &Change<'_>, id: PlanId) -> Result<Offer, Error> {
    plans::offer(change, id).await.map_err(|error| match error {
        Error::NotFound { .. } => Error::invalid("plan", Why::Unknown),
        other => other,
    })
}

/// The plan's router, else the Isp's first.
async fn usual_router(change: &Change<'_>, offer: &Offer) -> Result<RouterId, Error> {
    let first = router::of_isp(change.tx, change.isp).await?.into_iter().next().map(|router| router.id);
    offer.plan.router_id.or(first).ok_or(Error::invalid("router", Why::Required))
}

fn secrets(vault: &Vault, owner: &mut Customer, line: &mut Service, details: &Details, is_new: bool) {
    let mut network = details.network_password.as_ref();
    if let Some(password) = &details.password {
        let place = portal_place(owner.id);
        let known = owner.portal_secret.as_deref().and_then(|sealed| vault.open(&place, sealed));
        let place = secret_place(line.id);
        let line_known = line.secret.as_deref().and_then(|sealed| vault.open(&place, sealed));
        // A line without a password of its own follows the account's.
        if is_new || (line_known.is_some() && line_known == known) {
            network = network.or(Some(password));
        }
        if known.as_ref() != Some(password) || owner.portal_hash.is_some() {
            owner.portal_secret = Some(vault.seal(&portal_place(owner.id), password));
            owner.portal_hash = None;
        }
    }
    if let Some(password) = network {
        let place = secret_place(line.id);
        // Sealing the same password again would look like a change.
        let known = line.secret.as_deref().and_then(|sealed| vault.open(&place, sealed));
        if known.as_ref() != Some(password) {
            line.secret = Some(vault.seal(&place, password));
        }
    }
}

fn contact(owner: &mut Customer, profile: &mut Profile, details: &Details) {
    if let Some(name) = &details.full_name {
        owner.full_name = name.trim().into();
    }
    let set = |field: &mut Option<String>, given: &Option<Option<String>>| {
        if let Some(given) = given {
            field.clone_from(given);
        }
    };
    set(&mut owner.email, &details.email);
    set(&mut owner.address, &details.address);
    if let Some(phone) = &details.phone {
        owner.phone = phone.clone().unwrap_or_default();
    }
    set(&mut profile.identity_number, &details.identity);
    set(&mut profile.latitude, &details.latitude);
    set(&mut profile.longitude, &details.longitude);
    let fields = [
        &mut profile.country_id,
        &mut profile.province_id,
        &mut profile.city_id,
        &mut profile.area_id,
        &mut profile.subarea_id,
    ];
    for (field, given) in fields.into_iter().zip(details.places) {
        *field = given.unwrap_or(*field);
    }
    profile.department_id = details.department.unwrap_or(profile.department_id);
    profile.salesperson_id = details.salesperson.unwrap_or(profile.salesperson_id);
    profile.sms_enabled = details.sms.unwrap_or(profile.sms_enabled);
    profile.email_enabled = details.email_enabled.unwrap_or(profile.email_enabled);
    profile.joined_on = details.joined_on.unwrap_or(profile.joined_on);
}

fn addresses(line: &mut Service, details: &Details) {
    if let Some(ip) = details.ip {
        line.address = ip.map(|ip| ip.to_string());
    }
    if let Some(mac) = details.mac {
        line.mac = mac.map(|mac| mac.to_string());
    }
    let locked = details.mac_lock.unwrap_or(line.mac_lock != "off");
    line.mac_lock = match (locked, &line.mac) {
        (false, _) => "off",
        (true, Some(_)) => "locked",
        // The first device seen is the one.
        (true, None) => "learn",
    }
    .into();
}

/// Discount and quotas. A quota counts from the running period on; without one the plan's counts again.
async fn own_terms(change: &Change<'_>, line: &mut Service, terms: &mut Terms, details: &Details) -> Result<(), Error> {
    if let Some(discount) = details.discount {
        (terms.discount_fixed, terms.discount_ppm) = match discount {
            None => (None, None),
            Some(Discount::Fixed(amount)) => (Some(amount), None),
            Some(Discount::Share(ppm)) => (None, Some(ppm)),
        };
    }
    let before = (terms.quota_bytes, terms.quota_time_s);
    terms.quota_bytes = details.quota_bytes.map_or(terms.quota_bytes, OwnQuota::kept);
    terms.quota_time_s = details.quota_time_s.map_or(terms.quota_time_s, OwnQuota::kept);
    if before != (terms.quota_bytes, terms.quota_time_s) {
        let version = plan::version(change.tx, change.isp, line.plan_id, line.plan_version).await?;
        let limit = terms.limit(version.map(|version| plans::terms(&version).limit).unwrap_or_default());
        if before.0 != terms.quota_bytes {
            line.quota_bytes = limit.data_bytes;
        }
        if before.1 != terms.quota_time_s {
            line.quota_time_s = limit.time_s;
        }
        line.quota_event_ordinal = None;
    }
    Ok(())
}

fn site_of(site: &mut Site, given: &SiteChange) {
    let SiteChange {
        onu_note,
        box_number,
        box_address,
        switch_board,
        switch_port,
        electric_socket,
        cable_type,
        uplink_port,
        fiber_code,
        fiber_color,
    } = given;
    let pairs = [
        (&mut site.onu_note, onu_note),
        (&mut site.box_number, box_number),
        (&mut site.box_address, box_address),
        (&mut site.switch_board, switch_board),
        (&mut site.switch_port, switch_port),
        (&mut site.electric_socket, electric_socket),
        (&mut site.cable_type, cable_type),
        (&mut site.uplink_port, uplink_port),
        (&mut site.fiber_code, fiber_code),
        (&mut site.fiber_color, fiber_color),
    ];
    for (field, given) in pairs {
        if let Some(given) = given {
            field.clone_from(given);
        }
    }
}

/// The balance a subscriber came with: credit in the wallet, or owed. Said again, the difference is posted.
async fn open_wallet(change: &Change<'_>, id: CustomerId, opening: Money) -> Result<(), Error> {
    let before = subscriber::opening_balance(change.tx, change.isp, id).await?;
    let more = Money(opening.0.saturating_sub(before.0));
    if more == Money::ZERO {
        return Ok(());
    }
    let entry = Entry::new()
        .debit(Account::Cash("opening".into()), more)
        .credit(Account::CustomerWallet(id), more)
        .balanced()
        .ok_or_else(|| Error::Internal("an opening balance does not balance".into()))?;
    let heading = Heading {
        kind: "opening",
        reference: Some(format!("customer:{id}")),
        reason: None,
        actor: change.actor,
        at: change.now,
    };
    Ok(ledger::post(change.tx, change.isp, change.id(Table::Entry).await?, &heading, &entry).await?)
}

/// The time a subscriber came with, as a period nobody paid here.
async fn open_period(change: &Change<'_>, line: &mut Service, ends: Instant) -> Result<(), Error> {
    line.period_ordinal = 1;
    line.period_started_at = Some(change.now);
    Period {
        isp_id: change.isp,
        id: PeriodId(change.id(Table::Period).await?),
        service_id: line.id,
        ordinal: 1,
        customer_id: line.customer_id,
        plan_id: line.plan_id,
        plan_version: line.plan_version,
        starts_at: change.now.min(ends),
        ends_at: ends,
        price: Money::ZERO,
        reason: "opening".into(),
        invoice_id: None,
        created_at: change.now,
    }
    .insert(change.tx)
    .await?;
    Ok(())
}

fn blank_customer(change: &Change<'_>, id: CustomerId, branch: Option<domain::BranchId>) -> Customer {
    Customer {
        isp_id: change.isp,
        id,
        branch_id: branch,
        username: String::new(),
        username_key: None,
        portal_secret: None,
        portal_hash: None,
        full_name: String::new(),
        phone: String::new(),
        email: None,
        address: None,
        building_id: None,
        notes: None,
        created_at: change.now,
        updated_at: change.now,
        deleted_at: None,
    }
}

fn blank_line(change: &Change<'_>, id: ServiceId, customer: CustomerId, offer: &Offer, router: RouterId) -> Service {
    Service {
        isp_id: change.isp,
        id,
        customer_id: customer,
        ordinal: 1,
        kind: offer.plan.kind,
        status: Status::Pending,
        status_reason: Some("created".into()),
        status_since: change.now,
        username: String::new(),
        username_key: None,
        secret: None,
        plan_id: offer.plan.id,
        plan_version: offer.version.version,
        router_id: router,
        bound_to_router: false,
        address: None,
        address6: None,
        mac_lock: if offer.plan.mac_lock { "learn" } else { "off" }.into(),
        mac: None,
        bandwidth_id: None,
        shared_users: None,
        period_ordinal: 0,
        period_started_at: None,
        expires_at: None,
        expired_event_at: None,
        anchor_day: None,
        quota_time_s: None,
        quota_bytes: None,
        used_time_s: 0,
        used_bytes: 0,
        quota_event_ordinal: None,
        auto_renew: false,
        first_used_at: None,
        last_login_at: None,
        created_at: change.now,
        updated_at: change.now,
        deleted_at: None,
    }
}

// ---- reading ----

/// A subscriber as lists and details show it.
#[derive(Clone, Debug)]
pub struct Shown {
    pub customer: Customer,
    pub line: Option<Service>,
    pub offer: Option<Offer>,
    pub profile: Option<Profile>,
    pub salesperson: Option<Staff>,
    pub balance: Money,
    pub own: Option<Terms>,
}

/// What a list is asked to bring along.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Wanted {
    pub routers: bool,
    pub sessions: bool,
    pub attributes: bool,
    pub places: bool,
    pub invoices: bool,
    pub postings: bool,
    pub payments: bool,
}

/// What a list brought along, for all its subscribers together; the newest first.
#[derive(Clone, Default, Debug)]
pub struct Along {
    pub routers: Vec<Router>,
    pub pools: Vec<plan::Pool>,
    pub sessions: Vec<Session>,
    pub attributes: Vec<Attribute>,
    /// By level and id.
    pub places: HashMap<(&'static str, i64), String>,
    pub invoices: Vec<Invoice>,
    pub postings: Vec<Posted>,
    pub payments: Vec<Payment>,
}

#[derive(Clone, Debug)]
pub struct Listed {
    pub rows: Vec<Shown>,
    pub along: Along,
    pub total: i64,
}

/// So many of each subscriber's sessions, invoices, payments and postings come along.
const EACH: i64 = 20;

/// One page, oldest first.
pub async fn list(
    app: &App,
    actor: &Actor,
    mut filter: Filter,
    wanted: Wanted,
    offset: i64,
    limit: i64,
) -> Result<Listed, Error> {
    let (isp, now) = (actor.isp, app.clock.now());
    filter.branch = actor.branch.or(filter.branch);
    app.db
        .read(async move |tx| {
            let (found, total) = subscriber::list(tx, isp, &filter, offset, limit, now).await?;
            let rows = shown(tx, isp, found).await?;
            let along = along(tx, isp, &rows, wanted).await?;
            Ok(Listed { rows, along, total })
        })
        .await
}

/// One subscriber, with where its line ends.
pub async fn show(app: &App, actor: &Actor, id: CustomerId) -> Result<(Shown, Option<Site>), Error> {
    let (isp, who) = (actor.isp, actor.clone());
    app.db
        .read(async move |tx| {
            let customer = customer::find(tx, isp, id).await?.ok_or(Error::NotFound { what: "customer" })?;
            who.reaches(customer.branch_id)?;
            let line = service::of_customer(tx, isp, id).await?.into_iter().next();
            let site = match &line {
                Some(line) => terms::site(tx, isp, line.id).await?,
                None => None,
            };
            let row = shown(tx, isp, vec![(customer, line)]).await?.pop();
            Ok((row.ok_or(Error::NotFound { what: "customer" })?, site))
        })
        .await
}

async fn shown(tx: &Tx, isp: domain::IspId, found: Vec<(Customer, Option<Service>)>) -> Result<Vec<Shown>, Error> {
    let ids: Vec<CustomerId> = found.iter().map(|(customer, _)| customer.id).collect();
    let lines: Vec<ServiceId> = found.iter().filter_map(|(_, line)| line.as_ref().map(|line| line.id)).collect();
    let mut profiles = profile::of_customers(tx, isp, &ids).await?;
    let balances = subscriber::balances(tx, isp, &ids).await?;
    let mut own = terms::of_services(tx, isp, &lines).await?;
    let mut people: Vec<StaffId> = profiles.values().filter_map(|profile| profile.salesperson_id).collect();
    people.sort_unstable();
    people.dedup();
    let people = subscriber::staff(tx, isp, &people).await?;
    let mut offers: Vec<Offer> = Vec::new();
    let mut rows = Vec::with_capacity(found.len());
    for (customer, line) in found {
        let offer = match &line {
            Some(line) => sold_under(tx, line, &mut offers).await?,
            None => None,
        };
        let profile = profiles.remove(&customer.id);
        let seller = profile.as_ref().and_then(|profile| profile.salesperson_id);
        rows.push(Shown {
            salesperson: seller.and_then(|id| people.iter().find(|person| person.id == id).cloned()),
            balance: balances.get(&customer.id).copied().unwrap_or_default(),
            own: line.as_ref().and_then(|line| own.remove(&line.id)),
            customer,
            line,
            offer,
            profile,
        });
    }
    Ok(rows)
}

async fn along(tx: &Tx, isp: domain::IspId, rows: &[Shown], wanted: Wanted) -> Result<Along, Error> {
    let ids: Vec<CustomerId> = rows.iter().map(|row| row.customer.id).collect();
    let lines: Vec<ServiceId> = rows.iter().filter_map(|row| row.line.as_ref().map(|line| line.id)).collect();
    let mut along = Along::default();
    if wanted.routers {
        along.routers = router::of_isp(tx, isp).await?;
        along.pools = plan::pools(tx, isp).await?;
    }
    if wanted.sessions {
        along.sessions = subscriber::sessions(tx, isp, &lines, EACH).await?;
    }
    if wanted.attributes {
        along.attributes = subscriber::attributes(tx, isp, &lines).await?;
    }
    if wanted.invoices {
        along.invoices = subscriber::invoices(tx, isp, &ids, EACH).await?;
    }
    if wanted.payments {
        along.payments = subscriber::payments(tx, isp, &ids, EACH).await?;
    }
    if wanted.postings {
        along.postings = subscriber::postings(tx, isp, &ids, EACH).await?;
    }
    if wanted.places {
        for (place, level) in PLACES {
            let mut at: Vec<i64> = rows
                .iter()
                .filter_map(|row| row.profile.as_ref().and_then(|profile| place_of(profile, place)))
                .collect();
            at.sort_unstable();
            at.dedup();
            for found in location::named(tx, isp, level, &at).await? {
                along.places.insert((level, found.id), found.name);
            }
        }
    }
    Ok(along)
}

/// Which place of a level a profile names.
pub fn place_of(profile: &Profile, place: Place) -> Option<i64> {
    match place {
        Place::Country => profile.country_id,
        Place::Province => profile.province_id,
        Place::City => profile.city_id,
        Place::Area => profile.area_id,
        Place::Subarea => profile.subarea_id,
    }
}
