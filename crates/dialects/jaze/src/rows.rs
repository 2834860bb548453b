//! A user as the document's samples show it. Each sample has its own keys; every scalar is a string but those sampled as
//! numbers.

use domain::{Instant, Status, kernel::phone};
use serde_json::{Value, json};
use service::{
    access::bindings::Bound,
    customers::card::{Card, Parts, State},
};

use crate::envelope::Call;

/// Words for the core's states (docs/readings.md 7.0), for filters and answers.
const STATES: &[(State, &str)] = &[
    (State::Line(Status::Active), "active"),
    (State::Line(Status::Pending), "pending"),
    (State::Line(Status::Rejected), "rejected"),
    (State::Expired, "expired"),
    (State::Line(Status::AwaitingApproval), "pending-approval"),
    (State::Deleted, "deleted"),
    (State::Line(Status::Inactive), "blocked"),
    (State::Line(Status::Disabled), "blacklisted"),
    (State::Line(Status::Terminated), "terminated"),
    (State::Line(Status::Suspended), "suspended"),
];

/// The words a filter may say.
pub const STATE_WORDS: &[&str] = &[
    "active",
    "pending",
    "rejected",
    "expired",
    "pending-approval",
    "deleted",
    "blocked",
    "blacklisted",
    "terminated",
    "suspended",
];

pub fn state_word(state: State) -> &'static str {
    STATES.iter().find(|(known, _)| *known == state).map_or("pending", |(_, word)| word)
}

/// What of a user is shown in E1, E3, E4 (with E8 and E9), E13, E21 (with E22) and E41.
pub const DETAILS: Parts = SHORT.with(Parts::RATE).with(Parts::USAGE).with(Parts::BINDINGS).with(Parts::ADDRESS);
pub const LISTED: Parts = FOUND.with(Parts::USAGE);
pub const FOUND: Parts = SHORT.with(Parts::BINDINGS);
pub const ANYWHERE: Parts = LISTED.with(Parts::RATE);
pub const VISITED: Parts = Parts::PROFILE.with(Parts::ADDRESS);
pub const SHORT: Parts = Parts::PROFILE.with(Parts::PERIOD);

/// The document writes names apart by what they are used for: `User` of E1.
pub fn detail_user(call: &Call, one: &Card) -> Value {
    let base = Base::of(call, one);
    json!({
        "id": base.id, "username": base.username, "groupId": base.group, "status": base.status, "name": base.name,
        "phone": base.phone, "email": base.email, "address": one.customer.address, "comments": base.comments,
        "activationTime": base.activation, "createdTime": base.created, "expirationTime": base.expiration,
        "timezone": call.tenant.isp.time_zone, "group_name": one.plan.as_ref().map(|plan| plan.name.clone())
    })
}

/// `User` of E3.
pub fn list_user(call: &Call, one: &Card) -> Value {
    let base = Base::of(call, one);
    let [line1, line2, city, pin, state] = address(one);
    json!({
        "id": base.id, "username": base.username, "groupId": base.group, "status": base.status, "name": base.name,
        "phone": base.phone, "email": base.email, "address_line1": line1, "address_line2": line2,
        "address_city": city, "address_pin": pin, "address_state": state, "comments": base.comments,
        "activationTime": base.activation, "expirationTime": base.expiration, "billing_id": base.billing,
        "type": base.kind, "modified": base.modified, "company_name": base.company
    })
}

/// A row of E4, E8 and E9.
pub fn found_user(call: &Call, one: &Card) -> Value {
    let base = Base::of(call, one);
    let [line1, line2, city, pin, state] = address(one);
    json!({
        "id": base.id, "username": base.username, "groupId": base.group, "status": base.status, "name": base.name,
        "phone": base.phone, "email": base.email, "address_line1": line1, "address_line2": line2,
        "address_city": city, "address_pin": pin, "address_state": state, "comments": base.comments,
        "activationTime": base.activation, "createdTime": base.created, "expirationTime": base.expiration,
        "billing_id": base.billing, "type": base.kind, "modified": base.modified, "company_name": base.company,
        "staticIp": static_rows(one)
    })
}

/// `User` of E13. Only the whole Isp's credential is told credentials (J11): its own for its own users; of a sub-zone's only
/// a hash is kept, so that its key is empty.
pub fn anywhere_user(call: &Call, one: &Card) -> Value {
    let base = Base::of(call, one);
    let [line1, line2, city, pin, state] = address(one);
    let account = call.account_of(one.customer.branch_id);
    let mut user = json!({
        "id": base.id, "username": base.username, "last_name": base.last_name, "groupId": base.group,
        "status": base.status, "name": base.name, "phone": base.phone, "email": base.email, "address_line1": line1,
        "address_line2": line2, "address_city": city, "address_pin": pin, "address_state": state,
        "comments": base.comments, "activationTime": base.activation, "createdTime": base.created,
        "expirationTime": base.expiration, "billing_id": base.billing, "type": base.kind, "modified": base.modified,
        "company_name": base.company
    });
    if call.is_top {
        let own = one.customer.branch_id.is_none();
        let (token, key) = if own { call.credential.clone() } else { (account, String::new()) };
        (user["api_token"], user["api_key"]) = (token.into(), key.into());
    }
    user
}

/// A row of E41.
pub fn basic_user(call: &Call, one: &Card) -> Value {
    let base = Base::of(call, one);
    let [line1, line2, city, pin, state] = address(one);
    let profile = one.profile.as_ref();
    json!({
        "id": base.id, "username": base.username, "account_id": call.account_of(one.customer.branch_id),
        "last_name": base.last_name, "groupId": base.group, "status": base.status, "name": base.name,
        "phone": base.phone, "email": base.email, "address": one.customer.address, "address_line1": line1,
        "address_line2": line2, "address_city": city, "address_pin": pin, "address_state": state,
        "comments": base.comments, "activationTime": base.activation, "createdTime": base.created,
        "expirationTime": base.expiration,
        "installationTime": profile.and_then(|profile| profile.joined_on).map_or_else(|| "1970-01-01".into(), civil_day),
        "billing_id": base.billing, "type": base.kind, "modified": base.modified, "country_code": phone::country(&call.tenant.isp.time_zone).map(|country| country.code),
        "alt_phone": profile.and_then(|profile| profile.alternative_phone.clone()).unwrap_or_default(),
        "alt_email": profile.and_then(|profile| profile.alternative_email.clone()).unwrap_or_default()
    })
}

/// Days since 1970-01-01 as a date.
fn civil_day(days: i64) -> String {
    Instant(days.saturating_mul(domain::kernel::clock::DAY)).in_zone(&jiff::tz::TimeZone::UTC).date().to_string()
}

/// What all of them share.
struct Base {
    id: String,
    username: String,
    group: String,
    status: &'static str,
    name: String,
    last_name: String,
    phone: String,
    email: Option<String>,
    comments: Option<String>,
    activation: String,
    created: String,
    expiration: Option<String>,
    billing: Option<String>,
    kind: Option<String>,
    modified: String,
    company: Option<String>,
}

impl Base {
    fn of(call: &Call, one: &Card) -> Base {
        let customer = &one.customer;
        let profile = one.profile.as_ref();
        let begun = one.period.as_ref().map_or(customer.created_at, |period| period.starts_at);
        Base {
            id: customer.id.to_string(),
            username: one.line.as_ref().map_or_else(|| customer.username.clone(), |line| line.username.clone()),
            group: one.line.as_ref().map_or_else(String::new, |line| line.plan_id.to_string()),
            status: state_word(one.state(call.now)),
            name: customer.full_name.clone(),
            last_name: profile.and_then(|profile| profile.last_name.clone()).unwrap_or_default(),
            phone: customer.phone.clone(),
            email: customer.email.clone(),
            comments: customer.notes.clone(),
            activation: call.datetime(begun),
            created: call.datetime(customer.created_at),
            expiration: one.line.as_ref().and_then(|line| line.expires_at).map(|at| call.datetime(at)),
            billing: one.period.as_ref().map(|period| period.id.to_string()),
            kind: profile.and_then(|profile| profile.kind.clone()),
            modified: call.datetime(one.changed()),
            company: profile.and_then(|profile| profile.company.clone()),
        }
    }
}

/// The address in its parts; where only a whole one is known it is the first line.
fn address(one: &Card) -> [Option<String>; 5] {
    let profile = one.profile.as_ref();
    let part = |of: fn(&service::Profile) -> &Option<String>| profile.and_then(|profile| of(profile).clone());
    let first = part(|profile| &profile.address_line1).or_else(|| one.customer.address.clone());
    [
        first,
        part(|profile| &profile.address_line2),
        part(|profile| &profile.address_city),
        part(|profile| &profile.address_pin),
        part(|profile| &profile.address_state),
    ]
}

/// `currentBillingCycleUsage` of E1.
pub fn detail_usage(call: &Call, one: &Card) -> Value {
    let quota = one.line.as_ref().and_then(|line| line.quota_bytes);
    json!({
        "bandwidthTemplateId": one.rate.as_ref().map(|rate| rate.id.to_string()),
        "bandwidthTemplateName": one.rate.as_ref().map(|rate| rate.name.clone()),
        "billingStartDate": one.period.as_ref().map(|period| call.datetime(period.starts_at)),
        "billingEndDate": one.line.as_ref().and_then(|line| line.expires_at).map(|at| call.datetime(at)),
        "uploadDataUsage": one.up_bytes.to_string(), "downloadDataUsage": one.down_bytes.to_string(),
        "totalDataUsage": one.up_bytes.saturating_add(one.down_bytes),
        "dataLimit": quota.map(|bytes| bytes.to_string())
    })
}

/// `currentBillingCycleUsage` of E3.
pub fn list_usage(call: &Call, one: &Card) -> Value {
    let line = one.line.as_ref();
    json!({
        "billingResetType": reset_type(one),
        "billingStartDate": one.period.as_ref().map(|period| call.datetime(period.starts_at)),
        "billingEndDate": line.and_then(|line| line.expires_at).map(|at| call.datetime(at)),
        "uploadDataUsage": one.up_bytes.to_string(), "downloadDataUsage": one.down_bytes.to_string(),
        "totalDataUsage": one.up_bytes.saturating_add(one.down_bytes),
        "usedBandwidthQuota": line.map_or(0, |line| line.used_bytes),
        "totalBandwidthQuota": line.and_then(|line| line.quota_bytes).unwrap_or(0)
    })
}

/// `currentBillingCycleUsage` of E13.
pub fn anywhere_usage(call: &Call, one: &Card) -> Value {
    let mut usage = list_usage(call, one);
    usage["bandwidthTemplateId"] = json!(one.rate.as_ref().map(|rate| rate.id.to_string()));
    usage["bandwidthTemplateName"] = json!(one.rate.as_ref().map(|rate| rate.name.clone()));
    usage["bandwidthTemplateMikrotik"] = json!(one.rate.as_ref().map(mikrotik));
    usage
}

/// Each period is paid by itself; it ends after a time, or with a day of the month.
fn reset_type(one: &Card) -> &'static str {
    let line = one.line.as_ref();
    if line.is_some_and(|line| line.anchor_day.is_some()) { "monthly" } else { "payAsYouGo" }
}

/// `25600000/25600000 0 0 0 0 …`: rates in bits a second, as a Mikrotik-Rate-Limit has them (up first).
fn mikrotik(rate: &service::Bandwidth) -> String {
    let bits = |kbps: i64| kbps.saturating_mul(1000);
    let pair = |up: Option<i64>, down: Option<i64>| match up.zip(down) {
        Some((up, down)) => format!("{}/{}", bits(up), bits(down)),
        None => "0/0".into(),
    };
    let base = format!("{}/{}", bits(rate.up_kbps), bits(rate.down_kbps));
    match rate.burst_down_kbps {
        None => base,
        Some(_) => format!(
            "{base} {} {} {time}/{time}",
            pair(rate.burst_up_kbps, rate.burst_down_kbps),
            pair(rate.burst_threshold_up_kbps, rate.burst_threshold_down_kbps),
            time = rate.burst_time_s.unwrap_or(0)
        ),
    }
}

/// Fixed addresses and MAC addresses, counted from 0.
pub fn static_rows(one: &Card) -> Value {
    let row =
        |row: &Bound| json!({ "staticIpAddress": row.address, "staticIpBoundMac": row.mac.map(|mac| mac.to_string()) });
    one.bindings.iter().map(row).collect()
}

/// `location` of E1.
pub fn location(one: &Card) -> Value {
    let (profile, place) = (one.profile.as_ref(), one.address.as_ref());
    json!({
        "latitude": profile.and_then(|profile| profile.latitude.clone()),
        "longitude": profile.and_then(|profile| profile.longitude.clone()),
        "area_id": place.map(|place| place.area.to_string()), "area": place.map(|place| place.area_name.clone()),
        "street_id": place.map(|place| place.street.to_string()), "street": place.map(|place| place.street_name.clone()),
        "block_id": one.customer.building_id.map(|id| id.to_string()),
        "block": place.map(|place| place.building_name.clone())
    })
}

/// Where a user is found and how, as collectors see it (E21, E22).
pub fn visited(call: &Call, one: &Card) -> Value {
    let (profile, place) = (one.profile.as_ref(), one.address.as_ref());
    let name = &one.customer.full_name;
    let (first, last) = name.rsplit_once(' ').unwrap_or((name, ""));
    let [line1, line2, ..] = address(one);
    json!({
        "UserLocation": {
            "user_id": one.customer.id.to_string(),
            "latitude": profile.and_then(|profile| profile.latitude.clone()),
            "longitude": profile.and_then(|profile| profile.longitude.clone()),
            "account_id": call.account_of(one.customer.branch_id)
        },
        "Contact": {
            "person_title": profile.and_then(|profile| profile.title.clone()),
            "first_name": profile.and_then(|profile| profile.first_name.clone()).unwrap_or_else(|| first.into()),
            "last_name": profile.and_then(|profile| profile.last_name.clone()).unwrap_or_else(|| last.into()),
            "phone_phone_number": one.customer.phone, "email": one.customer.email,
            "street_addres1": line1, "street_addres2": line2.unwrap_or_default()
        },
        "CollectionArea": { "area": place.map(|place| place.area_name.clone()) },
        "CollectionStreet": { "street": place.map(|place| place.street_name.clone()) },
        "CollectionBlock": { "block": place.map(|place| place.building_name.clone()) }
    })
}
