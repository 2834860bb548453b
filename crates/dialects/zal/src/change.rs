//! Create, update, delete. Creating sells nothing: time that is given is time the subscriber came with, and activation
//! is the sale.

use axum::extract::State;
use domain::{BranchId, CustomerId, Discount, Kind, OwnQuota, PlanId, RouterId, StaffId, Status};
use doors::{Asked, Fields, Given, fields};
use jiff::civil;
use serde::Serialize;
use serde_json::Value;
use service::{
    App, Error, Expected, Why,
    customers::{
        beside::{Beside, ProfileChange},
        change::{self, Deletion, Edit, Follows, Means},
        customers::{self, Extras, NewCustomer},
        subscribers::HOMES,
    },
    plant::site::SiteChange,
};

use crate::envelope::{Answer, Caller, Done, PlaceOf, Reply, flag, id, named};

/// `connection_type`. 0 and 1 are documented; 2 to 4 are those that keep the secret on the router (docs/readings.md Z5).
pub const CONNECTIONS: &[(i64, Kind)] =
    &[(0, Kind::Pppoe), (1, Kind::Hotspot), (2, Kind::Pppoe), (3, Kind::Hotspot), (4, Kind::Static)];

pub fn connection_type(kind: Kind) -> Option<u8> {
    match kind {
        Kind::Pppoe => Some(0),
        Kind::Hotspot => Some(1),
        Kind::Static => Some(4),
        Kind::Other => None,
    }
}

/// `profile_status`.
const STATUSES: &[(i64, Status)] = &[(0, Status::Inactive), (1, Status::Pending), (2, Status::Active)];

/// Bytes in a MB, seconds in a minute: the units of quotas.
const MB: i64 = 1_000_000;
const MINUTE_S: i64 = 60;
/// More than anybody uses, and far from the end of numbers.
const MOST_MB: i64 = 1_000_000_000;
const MOST_MINUTES: i64 = 100_000_000;

#[derive(Serialize, Debug)]
pub struct Created {
    id: i64,
    username: String,
}

/// Create Subscriber.
pub async fn create(State(app): State<App>, caller: Caller, mut body: Fields) -> Answer<Created> {
    let place = PlaceOf::read(&mut body);
    let username = body.required("username", fields::text(1, 64));
    let full_name = body.required("fullname", fields::text(1, 100));
    let password = body.required("password", fields::secret(1, 128));
    let plan = body.required("package_id", id);
    let edit = read(&caller, &mut body);
    body.finish()?;
    let branch = caller.scope(&app, place).await?;
    let made = make(&app, &caller, branch, (username, full_name, password, PlanId(plan)), edit).await;
    let made = made.map_err(|error| caller.refused(named(error)))?;
    let data = Created { id: made.customer_id, username: made.username };
    Ok(Reply::created("Subscriber created successfully", data))
}

/// Sells nothing: without time it waits for its activation.
async fn make(
    app: &App,
    caller: &Caller,
    branch: Option<BranchId>,
    (username, full_name, password, plan): (String, String, String, PlanId),
    edit: Edit,
) -> Result<customers::Created, Error> {
    let actor = &caller.actor;
    let kind = match edit.kind {
        Some(kind) => kind,
        None => customers::kind_of_plan(app, actor, plan).await?,
    };
    let router = match edit.router {
        Some(router) => router,
        None => customers::usual_router(app, actor, plan).await?,
    };
    let command = NewCustomer {
        full_name,
        phone: edit.phone.unwrap_or_default(),
        email: edit.email.flatten(),
        address: edit.address.flatten(),
        building: None,
        username: Some(username),
        portal_password: password,
        kind,
        network_username: None,
        network_password: edit.network_password,
        ip: edit.ip.flatten(),
        mac: edit.mac.flatten(),
        plan,
        router,
        payer: None,
    };
    let extras = Extras {
        branch,
        starts_at: None,
        ends_at: edit.ends_at.flatten(),
        status: edit.status,
        tied: edit.tied,
        beside: edit.beside,
    };
    customers::create_with(app, actor, command, extras, caller.key.clone()).await
}

/// Update Subscriber: any field of create.
pub async fn update(State(app): State<App>, caller: Caller, mut body: Fields) -> Done {
    body.alias("id", &["subscriber_id"]);
    let place = PlaceOf::read(&mut body);
    let id = body.required("id", id);
    let username = body.optional("username", fields::text(1, 64)).value();
    let full_name = body.optional("fullname", fields::text(1, 100)).value();
    let password = body.optional("password", fields::secret(1, 128)).value();
    let plan = body.optional("package_id", crate::envelope::id).value();
    let edit = read(&caller, &mut body);
    body.finish()?;
    caller.scope(&app, place).await?;
    let edit = Edit {
        // The line logs in with the account's name.
        network_username: username.clone(),
        username,
        full_name,
        portal_password: password,
        plan: plan.map(PlanId),
        ..edit
    };
    let done = change::update(&app, &caller.actor, CustomerId(id), edit).await;
    done.map_err(|error| caller.refused(named(error)))?;
    Ok(Reply::done("Subscriber updated successfully"))
}

/// Delete Subscriber: secrets go and the username is free; what was paid stays on the books (docs/readings.md X15).
pub async fn delete(State(app): State<App>, caller: Caller, asked: Asked, mut body: Fields) -> Done {
    body.or_asked(asked);
    body.alias("id", &["subscriber_id"]);
    let place = PlaceOf::read(&mut body);
    let wanted = body.required("id", id);
    let user = body.required("user_id", id);
    body.finish()?;
    caller.scope(&app, place).await?;
    caller.check_user(&app, user).await?;
    let done = change::delete(&app, &caller.actor, CustomerId(wanted), Deletion::default()).await;
    done.map_err(|error| caller.refused(error))?;
    Ok(Reply::done("Subscriber deleted successfully"))
}

/// What create and update take alike.
fn read(caller: &Caller, body: &mut Fields) -> Edit {
    let lines = |max| move |value: &Value| fields::lines(max)(value);
    let mut places = [None; 5];
    for (at, level) in HOMES.into_iter().enumerate() {
        places[at] = body.optional(level.word(), id).change();
    }
    let profile = ProfileChange {
        salesperson: body.optional("salesperson_id", id).change().map(|given| given.map(StaffId)),
        identity: body.optional("identity", identity).change().map(Option::unwrap_or_default),
        places,
        department: body.optional("department", id).change(),
        latitude: body.optional("latitude", degrees(90.0)).change().map(Option::unwrap_or_default),
        longitude: body.optional("longitude", degrees(180.0)).change().map(Option::unwrap_or_default),
        sms: body.optional("sms_status", flag).value(),
        email_enabled: body.optional("email_status", flag).value(),
        joined_on: body.optional("join_date", fields::date).change().map(|day| day.map(day_number)),
        ..ProfileChange::default()
    };
    let beside = Beside {
        profile,
        site: site(body),
        auto_renew: body.optional("auto_renew_status", flag).value(),
        opening: body.optional("previous_balance", caller.money(-(1 << 53))).value(),
        discount: discount(caller, body),
        quota_bytes: quota(body.optional("total_data_quota", fields::integer(0, MOST_MB)), MB),
        quota_time_s: quota(body.optional("total_session_quota", fields::integer(0, MOST_MINUTES)), MINUTE_S),
        takes_address_over: true,
        ..Beside::default()
    };
    Edit {
        network_password: body.optional("connection_password", fields::secret(1, 128)).value(),
        follows: Follows::Password,
        means: Means::Decision,
        ip: body.optional("static_ip", fields::ipv4).change(),
        mac: body.optional("mac_address", fields::mac).change(),
        tied: body.optional("mac_lock_status", flag).value(),
        router: body.optional("nas_id", id).value().map(RouterId),
        kind: body.optional("connection_type", coded(CONNECTIONS)).value(),
        status: body.optional("profile_status", coded(STATUSES)).value(),
        ends_at: body.optional("expiration_date", caller.moment()).change(),
        email: body.optional("email", fields::email).change(),
        phone: body.optional("phone", phone).change().map(Option::unwrap_or_default),
        address: body.optional("address", lines(500)).change(),
        beside,
        ..Edit::default()
    }
}

fn site(body: &mut Fields) -> SiteChange {
    let mut text = |name| body.optional(name, fields::lines(200)).change();
    SiteChange {
        onu_note: text("onu_note"),
        box_number: text("box_number"),
        box_address: text("box_address"),
        switch_board: text("switch_board"),
        switch_port: text("switch_port"),
        electric_socket: text("electric_socket"),
        cable_type: text("cable_type"),
        uplink_port: text("uplink_port"),
        fiber_code: text("fiber_code"),
        fiber_color: text("fiber_color"),
        ..SiteChange::default()
    }
}

/// 0 is unlimited, whatever the package says; without one, or with null, the package's counts.
fn quota(given: Given<i64>, unit: i64) -> Option<OwnQuota> {
    given.change().map(|given| OwnQuota::from_kept(given.map(|count| count * unit)))
}

/// `discount` with `discount_type` 0, an amount, or 1, per cent.
fn discount(caller: &Caller, body: &mut Fields) -> Option<Option<Discount>> {
    let is_share = body.optional("discount_type", fields::integer(0, 1)).or(0) == 1;
    if is_share {
        let percent = |value: &Value| match fields::thousandths(value)? {
            n if n < 0 => Err(Why::TooSmall { min: 0 }),
            n if n > 100_000 => Err(Why::TooLarge { max: 100 }),
            // Thousandths of a per cent are ten parts per million.
            n => Ok(n * 10),
        };
        let given = body.optional("discount", percent).change();
        return given.map(|ppm| ppm.filter(|ppm| *ppm > 0).map(Discount::Share));
    }
    let given = body.optional("discount", caller.money(0)).change();
    given.map(|amount| amount.filter(|amount| amount.0 > 0).map(Discount::Fixed))
}

/// One of these numbers.
pub fn coded<T: Copy>(rows: &'static [(i64, T)]) -> impl Fn(&Value) -> Result<T, Why> {
    move |value| {
        let code = fields::integer(i64::MIN, i64::MAX)(value)?;
        rows.iter().find(|(known, _)| *known == code).map(|(_, meaning)| *meaning).ok_or(Why::Unknown)
    }
}

/// As it is written; digits, spaces and the usual signs.
fn phone(value: &Value) -> Result<String, Why> {
    let text = match value {
        Value::Number(number) if number.is_u64() => number.to_string(),
        other => fields::text(1, 32)(other)?,
    };
    let sign = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | ' ' | '(' | ')');
    match text.chars().all(sign) && text.bytes().any(|b| b.is_ascii_digit()) {
        true => Ok(text.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()),
        false => Err(Why::Not(Expected::PhoneNumber)),
    }
}

/// A number of a passport or identity card; some clients send it as a JSON number.
fn identity(value: &Value) -> Result<String, Why> {
    match value {
        Value::Number(number) if number.is_u64() => Ok(number.to_string()),
        other => fields::text(1, 64)(other),
    }
}

/// Degrees, kept as they were written.
fn degrees(most: f64) -> impl Fn(&Value) -> Result<String, Why> {
    move |value| {
        let text = match value {
            Value::Number(number) => number.to_string(),
            other => fields::text(1, 32)(other)?,
        };
        match text.parse::<f64>() {
            Ok(degrees) if degrees.abs() <= most => Ok(text),
            Ok(_) => Err(Why::TooLarge { max: most as i64 }),
            Err(_) => Err(Why::NotANumber),
        }
    }
}

/// Days since 1970-01-01.
fn day_number(day: civil::Date) -> i64 {
    (day - civil::date(1970, 1, 1)).get_days().into()
}

pub fn day_text(number: i64) -> String {
    let span = jiff::Span::new().try_days(number).unwrap_or_default();
    civil::date(1970, 1, 1).checked_add(span).unwrap_or(civil::Date::MAX).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_their_numbers_again() {
        for text in ["1970-01-01", "2025-01-01", "2028-02-29", "1969-12-31", "9999-12-31"] {
            assert_eq!(day_text(day_number(text.parse().unwrap())), text);
        }
    }

    #[test]
    fn fields_of_their_own_kind() {
        use serde_json::json;
        assert_eq!(phone(&json!("+880 (17) 12-34")), Ok("+880171234".into()));
        assert_eq!(phone(&json!(1_712_345_678)), Ok("1712345678".into()));
        assert!(phone(&json!("call me")).is_err());
        assert!(phone(&json!("()")).is_err());
        assert_eq!(degrees(90.0)(&json!("23.8103")), Ok("23.8103".into()));
        assert_eq!(degrees(90.0)(&json!(-90)), Ok("-90".into()));
        for wrong in [json!("91"), json!("NaN"), json!("inf"), json!("north"), json!([1])] {
            assert!(degrees(90.0)(&wrong).is_err(), "{wrong}");
        }
    }
}
