//! Sections A to C: subscribers' credentials checked, users added and edited, blocked and unblocked. The names of fields
//! are those that clients send (docs/readings.md 4.8).

use std::net::Ipv4Addr;

use axum::extract::State;
use domain::{Currency, CustomerId, Instant, Kind, Mac, Money, PlanId, Status, kernel::dates, sales::sale::Payer};
use doors::{
    Fields,
    fields::{amount, boolean, email, id, ipv4, mac, secret, text, word},
};
use jiff::civil;
use serde_json::{Value, json};
use service::{
    App, Error, Expected, Items, Why,
    access::bindings::{Bound, MAX_ROWS},
    customers::{
        access_check,
        beside::{Beside, ProfileChange},
        card::{self, Parts},
        change::{self, Edit, Follows},
        customers::{self, Extras, NewCustomer},
    },
    sales::standing,
};

use crate::envelope::{Answer, Call, Failure, Reply, short};

/// A4 Whether a subscriber's name and password are right: `{"0": "success", "errorCode": 200, "1": "1"}`.
pub async fn authenticate(State(app): State<App>, mut call: Call) -> Answer {
    let (name, password) = (call.body.required("username", short), call.body.required("password", secret(1, 128)));
    call.body.finish()?;
    match access_check::of(&app, &call.actor, &name, Some(password)).await? {
        Some(_) => Ok(Reply(json!({ "0": "success", "errorCode": 200, "1": "1" }))),
        None => Err(Failure::said("The username or password is wrong")),
    }
}

/// A5 Whose a name is, in any account the credential reaches; with a password only where it is right.
pub async fn authenticate_anywhere(State(app): State<App>, mut call: Call) -> Answer {
    let name = call.body.required("username", short);
    let password = call.body.optional("password", secret(1, 128)).value();
    call.body.finish()?;
    let found = access_check::of(&app, &call.actor, &name, password).await?;
    let found = found.ok_or_else(|| Failure::said("The username or password is wrong"))?;
    Ok(Reply(json!({
        "username": found.username, "userId": found.customer.to_string(), "accountId": call.account_of(found.branch),
        "status": "success", "errorCode": 200
    })))
}

const STATES: &[&str] = &["active", "blacklisted", "suspended"];
const KINDS: &[&str] = &["PPPoE", "Hotspot", "Static"];

/// What add_user and edit_user say alike.
struct Said {
    state: Option<Status>,
    first_name: Option<String>,
    last_name: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    building: Option<i64>,
    address: Option<String>,
    addresses: Option<Vec<Option<Ipv4Addr>>>,
    macs: Option<Vec<Option<Mac>>>,
    /// `Some(None)`: at once.
    activates: Option<Option<Instant>>,
    expires: Option<Instant>,
    /// `Some(None)`: the group's price.
    price: Option<Option<(Money, bool)>>,
    profile: ProfileChange,
}

/// One value or a list of them; empty places stay, so that the lists' rows belong together.
fn several<T>(kind: fn(&Value) -> Result<T, Why>) -> impl Fn(&Value) -> Result<Vec<Option<T>>, Why> {
    move |value| {
        let items = match value {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        if items.len() > MAX_ROWS {
            return Err(Why::Not(Expected::ListOf { most: 32, what: Items::Addresses }));
        }
        let one = |item: &Value| match item {
            Value::Null => Ok(None),
            Value::String(text) if text.trim().is_empty() => Ok(None),
            item => kind(item).map(Some),
        };
        items.iter().map(one).collect()
    }
}

/// A word and the moment that belongs to its `custom`.
fn dated(
    body: &mut Fields,
    (name, words): (&'static str, &'static [&'static str]),
    moment_name: &'static str,
) -> (Option<&'static str>, Option<civil::DateTime>) {
    let chosen = body.optional(name, word(words)).value();
    let custom = body.optional(moment_name, moment).value();
    match (chosen, custom) {
        (Some("custom"), None) if !body.is_wrong(moment_name) => body.refuse(moment_name, Why::Required),
        (Some(other), Some(_)) if other != "custom" => {
            body.refuse(moment_name, Why::Not(Expected::LeftOutUnlessCustom));
        }
        _ => {}
    }
    (chosen, custom)
}

/// A price of the user's own; `overrideAmountBasedOn` says whether tax is in it, as it is where nothing is said.
fn price(body: &mut Fields, currency: &Currency) -> Option<Option<(Money, bool)>> {
    let on = body.optional("overridePriceEnable", boolean).value();
    let own = body.optional("overrideAmount", amount(currency)).value();
    let based_on = body.optional("overrideAmountBasedOn", word(&["withTax", "withOutTax"])).value();
    match (on, own) {
        (Some(true), None) if !body.is_wrong("overrideAmount") => body.refuse("overrideAmount", Why::Required),
        (None, Some(_)) => body.refuse("overridePriceEnable", Why::Required),
        _ => {}
    }
    match on? {
        true => own.map(|own| Some((own, based_on != Some("withOutTax")))),
        false => Some(None),
    }
}

fn read(call: &mut Call) -> Result<Said, Failure> {
    let (zone, now, currency) = (call.tenant.zone.clone(), call.now, call.tenant.currency.clone());
    let body = &mut call.body;
    for (name, other) in [("email", "emailId"), ("phone", "phoneNumber")] {
        body.alias(name, &[other]);
    }
    let state = body.optional("userState", word(STATES)).value().map(|word| match word {
        "blacklisted" => Status::Disabled,
        "suspended" => Status::Suspended,
        _ => Status::Active,
    });
    let at = |moment: civil::DateTime| Instant::from_civil(moment, &zone);
    let (activation, starts) = dated(body, ("activationDate", &["now", "custom"]), "customActivationDate");
    let activates = match (activation, starts.map(at)) {
        (_, Some(at)) if at <= now => {
            body.refuse("customActivationDate", Why::Not(Expected::MomentToCome));
            None
        }
        (_, Some(at)) => Some(Some(at)),
        (Some("now"), None) => Some(None),
        (_, None) => None,
    };
    let (expiration, ends) = dated(body, ("expirationDate", &["never", "custom"]), "customExpirationDate");
    let expires = match expiration {
        Some("never") => Some(civil::date(2999, 12, 31).at(23, 59, 59, 0)),
        _ => ends,
    };
    let expires = expires.map(at);
    if let (Some(end), Some(Some(start))) = (expires, activates)
        && end <= start
    {
        body.refuse("customExpirationDate", Why::Not(Expected::BehindActivation));
    }
    let price = price(body, &currency);
    let mut words = |name| body.optional(name, text(0, 190)).value();
    let profile = ProfileChange {
        first_name: words("firstName"),
        last_name: words("lastName"),
        company: words("companyName"),
        kind: words("userType"),
        alternative_phone: words("altPhoneNumber"),
        alternative_email: words("altEmailId"),
        address_line1: words("address_line1"),
        address_line2: words("address_line2"),
        address_city: words("address_city"),
        address_pin: words("address_pin"),
        address_state: words("address_state"),
        latitude: words("latitude"),
        longitude: words("longitude"),
        notes: words("comments"),
        ..ProfileChange::default()
    };
    let said = Said {
        state,
        first_name: profile.first_name.clone(),
        last_name: profile.last_name.clone(),
        phone: body.optional("phone", short).value(),
        email: body.optional("email", email).value(),
        building: body.optional("collection_block_import", id).value(),
        address: body.optional("address", text(0, 255)).value().or_else(|| profile.address_line1.clone()),
        addresses: body.optional("staticIpAddress", several(ipv4)).value(),
        macs: body.optional("staticIpBoundMac", several(mac)).value(),
        activates,
        expires,
        price,
        profile,
    };
    Ok(said)
}

impl Said {
    /// The line's rows as they are wanted: a list that is not sent leaves its column as it is. `None`: neither is.
    fn rows(&self, before: &[Bound]) -> Option<Vec<Bound>> {
        let (addresses, macs) = (self.addresses.as_deref(), self.macs.as_deref());
        let none = Bound { address: None, mac: None };
        let mut rows = match (addresses, macs) {
            (None, None) => return None,
            (Some(addresses), Some(macs)) => vec![none; addresses.len().max(macs.len())],
            (Some(only), None) => vec![none; only.len().max(before.len())],
            (None, Some(only)) => vec![none; only.len().max(before.len())],
        };
        for (at, row) in rows.iter_mut().enumerate() {
            let old = before.get(at).copied().unwrap_or(none);
            row.address = addresses.map_or(old.address, |given| given.get(at).copied().flatten());
            row.mac = macs.map_or(old.mac, |given| given.get(at).copied().flatten());
        }
        rows.retain(|row| *row != none);
        Some(rows)
    }
}

/// `dd-mm-yyyy H:m`.
fn moment(value: &Value) -> Result<civil::DateTime, Why> {
    let text = value.as_str().ok_or(Why::NotADate)?.trim();
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, "0:0"));
    let date = dates::day_either_way(date)?;
    let mut parts = time.trim().split(':').map(|part| part.parse::<i8>());
    let mut next = || parts.next().unwrap_or(Ok(0)).map_err(|_| Why::NotADate);
    let (hour, minute, second) = (next()?, next()?, next()?);
    civil::Time::new(hour, minute, second, 0).map(|time| date.to_datetime(time)).map_err(|_| Why::NotADate)
}

/// B Add user; its first period is sold with it: billed where `createBilling` says so, else a gift. One that is activated
/// on a later date is pending until then, and its period begins then.
pub async fn add(State(app): State<App>, mut call: Call) -> Answer {
    let group = PlanId(call.body.required("userGroupId", id));
    let username = call.body.required("userName", text(1, 64));
    let password = call.body.required("password", secret(1, 128));
    let billed = call.body.optional("createBilling", boolean).or(true);
    let kind = call.body.optional("connectionType", word(KINDS)).value();
    let said = read(&mut call)?;
    if said.expires.is_some_and(|end| end <= call.now) {
        call.body.refuse("customExpirationDate", Why::Not(Expected::MomentToCome));
    }
    call.body.finish()?;
    let bindings = said.rows(&[]).unwrap_or_default();
    let kind = match kind {
        Some(word) => Kind::from_word(word).unwrap_or(Kind::Pppoe),
        None => customers::kind_of_plan(&app, &call.actor, group).await?,
    };
    let router = customers::usual_router(&app, &call.actor, group).await?;
    let names = [said.first_name.clone(), said.last_name.clone()];
    let full_name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let command = NewCustomer {
        full_name: if full_name.trim().is_empty() { username.clone() } else { full_name },
        phone: said.phone.clone().unwrap_or_default(),
        email: said.email.clone(),
        address: said.address.clone(),
        building: said.building,
        username: Some(username.clone()),
        portal_password: password.clone(),
        kind,
        network_username: Some(username),
        network_password: Some(password),
        ip: None,
        mac: None,
        plan: group,
        router,
        payer: Some(if billed { Payer::Cash { method: "api".into() } } else { Payer::Complimentary }),
    };
    let extras = Extras {
        starts_at: said.activates.flatten(),
        ends_at: said.expires,
        status: said.state,
        beside: Beside { profile: said.profile, bindings: Some(bindings), price: said.price, ..Beside::default() },
        ..Extras::default()
    };
    let made = customers::create_with(&app, &call.actor, command, extras, call.key.clone()).await.map_err(named)?;
    let user = CustomerId(made.customer_id);
    Ok(Reply::message(json!({ "userId": user.to_string() })))
}

fn named(error: Error) -> Error {
    let names: &[(&'static str, &'static str)] = &[
        ("username", "userName"),
        ("network_username", "userName"),
        ("plan", "userGroupId"),
        ("router", "router"),
        ("ip", "staticIpAddress"),
        ("mac", "staticIpBoundMac"),
        ("starts_at", "customActivationDate"),
        ("ends_at", "customExpirationDate"),
        ("price", "overrideAmount"),
        ("building", "collection_block_import"),
        ("status", "userState"),
    ];
    doors::fields::named(error, names)
}

/// C Edit user: what is sent is changed.
pub async fn edit(State(app): State<App>, mut call: Call) -> Answer {
    let user = call.user_in_body()?;
    let username = call.body.optional("userName", text(1, 64)).value();
    let password = call.body.optional("password", secret(1, 128)).value();
    let group = call.body.optional("userGroupId", id).value().map(PlanId);
    let said = read(&mut call)?;
    call.body.finish()?;
    let before = card::any(&app, &call.actor, user, Parts::BINDINGS | Parts::PROFILE).await?;
    let rows = said.rows(&before.bindings);
    let renamed = said.first_name.is_some() || said.last_name.is_some();
    let full_name = renamed.then(|| {
        let of = |new: &Option<String>, old: Option<String>| new.clone().or(old).unwrap_or_default();
        let profile = before.profile.clone();
        let first = of(&said.first_name, profile.as_ref().and_then(|profile| profile.first_name.clone()));
        let last = of(&said.last_name, profile.and_then(|profile| profile.last_name));
        format!("{first} {last}").trim().to_string()
    });
    let edit = Edit {
        full_name: full_name.filter(|name| !name.is_empty()),
        phone: said.phone,
        email: said.email.map(Some),
        address: said.address.map(Some),
        building: said.building.map(Some),
        network_username: username,
        network_password: password,
        follows: Follows::Account,
        plan: group,
        status: said.state,
        starts_at: said.activates,
        ends_at: said.expires.map(Some),
        beside: Beside { profile: said.profile, bindings: rows, price: said.price, ..Beside::default() },
        ..Edit::default()
    };
    change::update(&app, &call.actor, user, edit).await.map_err(named)?;
    Ok(Reply::message("User updated successfully"))
}

/// Block and unblock: blocked users are blacklisted.
pub async fn block(State(app): State<App>, mut call: Call) -> Answer {
    let user = CustomerId(call.body.required("userId", id));
    let state = call.body.required("state", word(&["block", "unblock"]));
    let notes = call.body.optional("notes", text(0, 500)).value();
    call.body.finish()?;
    let status = if state == "block" { Status::Disabled } else { Status::Active };
    standing::put(&app, &call.actor, user, status, notes).await?;
    Ok(Reply::message(if state == "block" { "User blocked successfully" } else { "User unblocked successfully" }))
}
