//! Subscribers, listed and shown. Lists are oldest first.

use axum::extract::State;
use domain::{CustomerId, Instant, PlanId, RouterId, StaffId, Status, kernel::clock::DAY};
use doors::{Asked, Fields, fields};
use serde::Serialize;
use serde_json::{Number, Value};
use service::{
    App, Service,
    customers::{
        card::{self, Card, Parts},
        lists,
        subscribers::{Filter, HOMES, Site, State as Standing},
    },
};

use crate::{
    envelope::{Answer, Caller, Page, PlaceOf, Reply, id},
    modules::Modules,
};

/// `subscriber_type`: what it lists.
const TYPES: &[(i64, Standing)] = &[
    (0, Standing::Inactive),
    (1, Standing::Pending),
    (2, Standing::Active),
    (3, Standing::Expired),
    (4, Standing::Disabled),
    (7, Standing::Online),
];

/// `expiring_in`: within so many days.
const ENDS_WITHIN: &[(i64, i64)] = &[(1, 1), (2, 3), (3, 7), (4, 14)];

#[derive(Serialize, Debug)]
pub struct Listing {
    subscribers: Vec<Value>,
    total: i64,
    offset: i64,
    limit: i64,
}

/// Fetch All Subscribers.
pub async fn list(State(app): State<App>, caller: Caller, Asked(mut asked): Asked) -> Answer<Listing> {
    let place = PlaceOf::read(&mut asked);
    let Page { offset, limit } = Page::read(&mut asked);
    let mut filter = read_filter(&mut asked);
    let modules = Modules::read(&mut asked);
    asked.finish()?;
    filter.branch = caller.scope(&app, place).await?;
    let online = filter.state == Some(Standing::Online);
    let (cards, total) = lists::by_profile(&app, &caller.actor, filter, (offset, limit), modules.parts()).await?;
    let mut rows = Vec::with_capacity(cards.len());
    for card in &cards {
        let mut row = serde_json::to_value(row(&caller, card, online)).unwrap_or_default();
        modules.add(&caller, card, &mut row);
        rows.push(row);
    }
    Ok(Reply::data(Listing { subscribers: rows, total, offset, limit }))
}

fn read_filter(asked: &mut Fields) -> Filter {
    let one_of = |rows: &'static [(i64, i64)]| {
        move |value: &Value| {
            let code = fields::integer(0, 100)(value)?;
            rows.iter().find(|(known, _)| *known == code).map(|(_, days)| *days).ok_or(service::Why::Unknown)
        }
    };
    let state = |value: &Value| {
        let code = fields::integer(0, 100)(value)?;
        TYPES.iter().find(|(known, _)| *known == code).map(|(_, state)| *state).ok_or(service::Why::Unknown)
    };
    let mut filter = Filter {
        id: asked.optional("subscriber_id", id).value().map(CustomerId),
        branch: None,
        salesperson: asked.optional("salesperson_id", id).value().map(StaffId),
        plan: asked.optional("package_id", id).value().map(PlanId),
        router: asked.optional("nas_id", id).value().map(RouterId),
        department: asked.optional("department", id).value(),
        places: Vec::new(),
        state: asked.optional("subscriber_type", state).value(),
        ends_within: asked.optional("expiring_in", one_of(ENDS_WITHIN)).value().map(|days| days * DAY),
        in_grace: asked.optional("grace_period_status", fields::boolean).value(),
        search: asked.optional("search", fields::text(0, 200)).value(),
    };
    for level in HOMES {
        if let Some(id) = asked.optional(level.word(), id).value() {
            filter.places.push((level, id));
        }
    }
    filter
}

/// What every row of the list shows.
pub const LISTED: Parts = Parts::PLAN.with(Parts::BALANCE);
const DETAILS: Parts = LISTED.with(Parts::SELLER).with(Parts::TERMS).with(Parts::SITE);

/// As the list shows a subscriber.
#[derive(Serialize, Debug)]
struct Row<'a> {
    id: i64,
    username: &'a str,
    fullname: &'a str,
    email: Option<&'a str>,
    phone: Option<&'a str>,
    package_id: Option<i64>,
    package_name: Option<&'a str>,
    status: &'static str,
    expiration_date: Option<String>,
    balance: Number,
    created_at: String,
}

fn row<'a>(caller: &Caller, card: &'a Card, online: bool) -> Row<'a> {
    let Card { customer, line, plan, balance, .. } = card;
    Row {
        id: customer.id.0,
        username: &customer.username,
        fullname: &customer.full_name,
        email: customer.email.as_deref(),
        phone: given(&customer.phone),
        package_id: line.as_ref().map(|line| line.plan_id.0),
        package_name: plan.as_ref().map(|plan| plan.name.as_str()),
        status: if online { "online" } else { status_word(line.as_ref(), caller.now) },
        expiration_date: line.as_ref().and_then(|line| line.expires_at).map(|at| caller.datetime(at)),
        balance: caller.amount(*balance),
        created_at: caller.datetime(customer.created_at),
    }
}

fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// The core lifecycle in this document's words.
pub fn status_word(line: Option<&Service>, now: Instant) -> &'static str {
    let Some(line) = line else { return "inactive" };
    let runs = line.expires_at.is_some_and(|at| at > now)
        && line.quota_bytes.is_none_or(|quota| line.used_bytes < quota)
        && line.quota_time_s.is_none_or(|quota| line.used_time_s < quota);
    match line.status {
        Status::Active if runs => "active",
        Status::Active => "expired",
        Status::Suspended | Status::Disabled => "disabled",
        Status::Pending | Status::AwaitingApproval => "pending",
        Status::Inactive | Status::Rejected | Status::Terminated => "inactive",
    }
}

/// Everything of one subscriber; the sample's keys first.
#[derive(Serialize, Debug)]
pub struct Details {
    id: i64,
    username: String,
    fullname: String,
    email: Option<String>,
    phone: Option<String>,
    address: Option<String>,
    identity: Option<String>,
    package_id: Option<i64>,
    package_name: Option<String>,
    nas_id: Option<i64>,
    static_ip: Option<String>,
    mac_address: Option<String>,
    status: &'static str,
    expiration_date: Option<String>,
    balance: Number,
    salesperson_id: Option<i64>,
    salesperson_name: Option<String>,
    created_at: String,
    connection_type: Option<u8>,
    country: Option<i64>,
    province: Option<i64>,
    city: Option<i64>,
    area: Option<i64>,
    subarea: Option<i64>,
    department: Option<i64>,
    latitude: Option<String>,
    longitude: Option<String>,
    auto_renew_status: u8,
    discount: Value,
    discount_type: u8,
    sms_status: u8,
    email_status: u8,
    mac_lock_status: u8,
    /// MB; 0 is none of the subscriber's own.
    /// MB of the subscriber's own, 0 unlimited; null is the package's.
    total_data_quota: Option<i64>,
    /// Minutes; 0 is none of the subscriber's own.
    /// Minutes, in the same way.
    total_session_quota: Option<i64>,
    join_date: Option<String>,
    onu_note: Option<String>,
    box_number: Option<String>,
    box_address: Option<String>,
    switch_board: Option<String>,
    switch_port: Option<String>,
    electric_socket: Option<String>,
    cable_type: Option<String>,
    uplink_port: Option<String>,
    fiber_code: Option<String>,
    fiber_color: Option<String>,
}

/// Get Subscriber Details.
pub async fn details(State(app): State<App>, caller: Caller, Asked(mut asked): Asked) -> Answer<Details> {
    asked.alias("id", &["subscriber_id"]);
    let place = PlaceOf::read(&mut asked);
    let wanted = asked.required("id", id);
    asked.finish()?;
    caller.scope(&app, place).await?;
    details_of(&app, &caller, CustomerId(wanted)).await.map(Reply::data)
}

pub async fn details_of(app: &App, caller: &Caller, id: CustomerId) -> Result<Details, crate::envelope::Failure> {
    let card = card::show(app, &caller.actor, id, DETAILS).await.map_err(|error| caller.refused(error))?;
    let Card { customer, line, plan, profile, seller, balance, terms, site, .. } = card;
    let status = status_word(line.as_ref(), caller.now);
    let line = line.as_ref();
    let profile = profile.as_ref();
    let site = site.as_ref();
    let of_site = |read: fn(&Site) -> &Option<String>| site.and_then(|site| read(site).clone());
    let (discount, discount_type) = match terms.as_ref().and_then(|own| own.discount()) {
        Some(domain::Discount::Fixed(amount)) => (Value::Number(caller.amount(amount)), 0),
        Some(domain::Discount::Share(ppm)) => (share(ppm), 1),
        None => (Value::from(0), 0),
    };
    Ok(Details {
        id: customer.id.0,
        phone: given(&customer.phone).map(str::to_string),
        username: customer.username,
        fullname: customer.full_name,
        email: customer.email,
        address: customer.address,
        identity: profile.and_then(|profile| profile.identity_number.clone()),
        package_id: line.map(|line| line.plan_id.0),
        package_name: plan.map(|plan| plan.name),
        nas_id: line.map(|line| line.router_id.0),
        static_ip: line.and_then(|line| line.address.clone()),
        mac_address: line.and_then(|line| line.mac.clone()),
        status,
        expiration_date: line.and_then(|line| line.expires_at).map(|at| caller.datetime(at)),
        balance: caller.amount(balance),
        salesperson_id: profile.and_then(|profile| profile.salesperson_id).map(|id| id.0),
        salesperson_name: seller.map(|person| person.name),
        created_at: caller.datetime(customer.created_at),
        connection_type: line.and_then(|line| crate::change::connection_type(line.kind)),
        country: profile.and_then(|profile| profile.country_id),
        province: profile.and_then(|profile| profile.province_id),
        city: profile.and_then(|profile| profile.city_id),
        area: profile.and_then(|profile| profile.area_id),
        subarea: profile.and_then(|profile| profile.subarea_id),
        department: profile.and_then(|profile| profile.department_id),
        latitude: profile.and_then(|profile| profile.latitude.clone()),
        longitude: profile.and_then(|profile| profile.longitude.clone()),
        auto_renew_status: line.is_some_and(|line| line.auto_renew).into(),
        discount,
        discount_type,
        sms_status: profile.is_none_or(|profile| profile.sms_enabled).into(),
        email_status: profile.is_none_or(|profile| profile.email_enabled).into(),
        mac_lock_status: line.is_some_and(|line| line.mac_lock != "off").into(),
        total_data_quota: terms.as_ref().and_then(|own| own.quota_bytes).map(|bytes| bytes / 1_000_000),
        total_session_quota: terms.as_ref().and_then(|own| own.quota_time_s).map(|seconds| seconds / 60),
        join_date: profile.and_then(|profile| profile.joined_on).map(crate::change::day_text),
        onu_note: of_site(|site| &site.onu_note),
        box_number: of_site(|site| &site.box_number),
        box_address: of_site(|site| &site.box_address),
        switch_board: of_site(|site| &site.switch_board),
        switch_port: of_site(|site| &site.switch_port),
        electric_socket: of_site(|site| &site.electric_socket),
        cable_type: of_site(|site| &site.cable_type),
        uplink_port: of_site(|site| &site.uplink_port),
        fiber_code: of_site(|site| &site.fiber_code),
        fiber_color: of_site(|site| &site.fiber_color),
    })
}

/// Parts per million as per cent.
fn share(ppm: i64) -> Value {
    match ppm % 10_000 {
        0 => Value::from(ppm / 10_000),
        _ => Value::from(ppm as f64 / 10_000.0),
    }
}
