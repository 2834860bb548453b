//! Sections A to C: subscribers' credentials checked, users added and edited, blocked and unblocked. The names of fields
//! are those that clients send (docs/readings.md 4.8).

use axum::extract::State;
use domain::{CustomerId, Instant, Kind, PlanId, Status, billing::Payer};
use doors::fields::{boolean, email, id, ipv4, mac, secret, text, word};
use jiff::civil;
use serde_json::{Value, json};
use service::{
    App, Error, Why, access_check, customers,
    customers::{CustomerChange, NewCustomer},
    dossiers,
    overrides::{self, Override},
    profiles, standing,
};

use crate::envelope::{Answer, Call, Failure, Reply, day_of, short};

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
    ip: Option<std::net::Ipv4Addr>,
    mac: Option<domain::Mac>,
    expires: Option<Instant>,
    profile: profiles::ProfileChange,
}

/// The only entry of a list, or the value itself: the core keeps one fixed address and one MAC address a line.
fn single(value: &Value) -> Result<Value, Why> {
    match value {
        Value::Array(items) if items.len() > 1 => Err(Why::Not("one address: a line has one")),
        Value::Array(items) => Ok(items.first().cloned().unwrap_or(Value::Null)),
        other => Ok(other.clone()),
    }
}

fn one_of<T>(kind: fn(&Value) -> Result<T, Why>) -> impl Fn(&Value) -> Result<Option<T>, Why> {
    move |value| match single(value)? {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        value => kind(&value).map(Some),
    }
}

fn read(call: &mut Call) -> Result<Said, Failure> {
    let zone = call.tenant.zone.clone();
    let body = &mut call.body;
    for (name, other) in [("email", "emailId"), ("phone", "phoneNumber")] {
        body.alias(name, &[other]);
    }
    let state = body.optional("userState", word(STATES)).value().map(|word| match word {
        "blacklisted" => Status::Disabled,
        "suspended" => Status::Suspended,
        _ => Status::Active,
    });
    let expiration = body.optional("expirationDate", word(&["never", "custom"])).value();
    let custom = body.optional("customExpirationDate", moment).value();
    let expires = match (expiration, custom) {
        (Some("never"), _) => Some(civil::date(2999, 12, 31).at(23, 59, 59, 0)),
        (Some(_), None) => {
            body.refuse("customExpirationDate", Why::Required);
            None
        }
        (_, custom) => custom,
    };
    let mut words = |name| body.optional(name, text(0, 190)).value();
    let profile = profiles::ProfileChange {
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
    };
    let said = Said {
        state,
        first_name: profile.first_name.clone(),
        last_name: profile.last_name.clone(),
        phone: body.optional("phone", short).value(),
        email: body.optional("email", email).value(),
        building: body.optional("collection_block_import", id).value(),
        address: body.optional("address", text(0, 255)).value().or_else(|| profile.address_line1.clone()),
        ip: body.optional("staticIpAddress", one_of(ipv4)).value().flatten(),
        mac: body.optional("staticIpBoundMac", one_of(mac)).value().flatten(),
        expires: expires.map(|at| Instant::from_civil(at, &zone)),
        profile,
    };
    Ok(said)
}

/// `dd-mm-yyyy H:m`.
fn moment(value: &Value) -> Result<civil::DateTime, Why> {
    let text = value.as_str().ok_or(Why::NotADate)?.trim();
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, "0:0"));
    let date = day_of(date).ok_or(Why::NotADate)?;
    let mut parts = time.trim().split(':').map(|part| part.parse::<i8>());
    let mut next = || parts.next().unwrap_or(Ok(0)).map_err(|_| Why::NotADate);
    let (hour, minute, second) = (next()?, next()?, next()?);
    civil::Time::new(hour, minute, second, 0).map(|time| date.to_datetime(time)).map_err(|_| Why::NotADate)
}

/// B Add user; its first period is sold with it: billed where `createBilling` says so, else a gift.
pub async fn add(State(app): State<App>, mut call: Call) -> Answer {
    let group = PlanId(call.body.required("userGroupId", id));
    let username = call.body.required("userName", text(1, 64));
    let password = call.body.required("password", secret(1, 128));
    let billed = call.body.optional("createBilling", boolean).or(true);
    let kind = call.body.optional("connectionType", word(KINDS)).value();
    let activation = call.body.optional("activationDate", word(&["now", "custom"])).or("now");
    let said = read(&mut call)?;
    if activation == "custom" {
        call.body.refuse("activationDate", Why::Not("now: users are activated when they are added"));
    }
    call.body.finish()?;
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
        ip: said.ip,
        mac: said.mac,
        plan: group,
        router,
        payer: if billed { Payer::Cash { method: "api".into() } } else { Payer::Complimentary },
    };
    let made = customers::create(&app, &call.actor, command, call.key.clone()).await.map_err(named)?;
    let user = CustomerId(made.customer_id);
    profiles::change(&app, &call.actor, user, said.profile).await?;
    if let Some(at) = said.expires {
        overrides::put(&app, &call.actor, user, Override::End(at)).await?;
    }
    if let Some(status) = said.state.filter(|status| *status != Status::Active) {
        standing::put(&app, &call.actor, user, status, None).await?;
    }
    Ok(Reply::message(json!({ "userId": user.to_string() })))
}

fn named(error: Error) -> Error {
    let names: &[(&'static str, &'static str)] =
        &[("username", "userName"), ("network_username", "userName"), ("plan", "userGroupId"), ("router", "router")];
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
    let before = dossiers::one(&app, &call.actor, user).await?;
    let renamed = said.first_name.is_some() || said.last_name.is_some();
    let full_name = renamed.then(|| {
        let of = |new: &Option<String>, old: Option<String>| new.clone().or(old).unwrap_or_default();
        let profile = before.profile.clone();
        let first = of(&said.first_name, profile.as_ref().and_then(|profile| profile.first_name.clone()));
        let last = of(&said.last_name, profile.and_then(|profile| profile.last_name));
        format!("{first} {last}").trim().to_string()
    });
    let command = CustomerChange {
        full_name: full_name.filter(|name| !name.is_empty()),
        phone: said.phone.clone(),
        email: said.email.clone().map(Some),
        address: said.address.clone().map(Some),
        network_username: username,
        network_password: password,
        plan: group,
        ip: said.ip.map(Some),
        mac: said.mac.map(Some),
        status: said.state,
        ..CustomerChange::default()
    };
    customers::update(&app, &call.actor, user, command).await.map_err(named)?;
    profiles::change(&app, &call.actor, user, said.profile).await?;
    if let Some(at) = said.expires {
        overrides::put(&app, &call.actor, user, Override::End(at)).await?;
    }
    if let Some(building) = said.building {
        customers::set_building(&app, &call.actor, user, Some(building)).await?;
    }
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
