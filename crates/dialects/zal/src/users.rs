//! Users: staff, salespeople among them, and resellers. `role_id` numbers the core's roles; `role_type` is the vendor's
//! (docs/readings.md 3.3).

use axum::extract::State;
use domain::{Money, PlanId, Role, StaffId};
use doors::{Asked, Fields, Id, fields};
use serde_json::{Value, json};
use service::{
    App, Error, Staff, Why,
    identity::staff::{self, Filter, NewStaff, StaffChange},
    reports::office,
    resellers::salespeople::{self, Selling},
};

use crate::{
    auth::role as role_type,
    envelope::{Answer, Caller, Done, Page, PlaceOf, Reply, flag, id},
};

/// 1 is the owner; then in the order of the core's roles.
fn role_id(person: &Staff) -> Option<usize> {
    Role::WORDS.iter().position(|word| *word == person.role).map(|at| at + 1)
}

fn role(value: &Value) -> Result<Role, Why> {
    let number = fields::integer(1, Role::ALL.len() as i64)(value).map_err(|_| Why::Unknown)?;
    Ok(Role::ALL[number as usize - 1])
}

pub async fn list(State(app): State<App>, caller: Caller, Asked(mut asked): Asked) -> Answer<Value> {
    let place = PlaceOf::read(&mut asked);
    let page = Page::read(&mut asked);
    let wanted = asked.optional("role_id", role).value();
    let active = asked.optional("status", flag).value();
    asked.finish()?;
    let actor = caller.acting(&app, place).await?;
    let filter = Filter {
        role: wanted.map(Role::word),
        status: active.map(|active| if active { "active" } else { "suspended" }),
        ..Filter::default()
    };
    let (people, total) = staff::list(&app, &actor, filter, page.offset, page.limit).await?;
    let held = office::balances(&app, &actor, &people).await?;
    let of = |person: &Staff| row(&caller, person, held.get(&person.id).copied().unwrap_or_default());
    Ok(page.of("users", people.iter().map(of).collect(), total))
}

fn row(caller: &Caller, person: &Staff, balance: Money) -> Value {
    json!({
        "id": person.id.0,
        "name": person.name,
        "email": person.email,
        "phone": person.phone,
        "role_id": role_id(person),
        "role_name": person.role,
        "role_type": role_type(person).1,
        "status": person.status,
        "balance": caller.amount(balance),
        "created_at": caller.datetime(person.created_at),
    })
}

pub async fn show(State(app): State<App>, caller: Caller, Id(wanted): Id, Asked(mut asked): Asked) -> Answer<Value> {
    let place = PlaceOf::read(&mut asked);
    asked.finish()?;
    let actor = caller.acting(&app, place).await?;
    let person = staff::show(&app, &actor, StaffId(wanted)).await.map_err(|error| caller.refused(error))?;
    let balance = salespeople::balance(&app, &actor, person.id).await?;
    let mut data = row(&caller, &person, balance);
    let rights = Role::from_word(&person.role).map(Role::scopes).unwrap_or_default();
    data["permissions"] = rights.words().split_whitespace().map(Value::from).collect();
    let packages = salespeople::assigned_plans(&app, &actor, person.id).await?;
    data["assigned_packages"] = packages.iter().map(|id| Value::from(id.0)).collect();
    data["auto_renew_status"] = u8::from(salespeople::renews(&app, &actor, person.id).await?).into();
    Ok(Reply::data(data))
}

/// What he sells: `assigned_packages`, and whether his subscribers renew by themselves.
fn selling(body: &mut Fields) -> Selling {
    body.alias("assigned_packages", &["package_ids"]);
    let packages = |value: &Value| match value {
        Value::Array(none) if none.is_empty() => Ok(Vec::new()),
        some => fields::ids(some),
    };
    Selling {
        plans: body.optional("assigned_packages", packages).value().map(|ids| ids.into_iter().map(PlanId).collect()),
        auto_renew: body.optional("auto_renew_status", flag).value(),
    }
}

fn words(error: Error) -> Error {
    doors::fields::named(error, &[("package_ids", "assigned_packages"), ("role", "role_id")])
}

/// A person of staff. Resellers have accounts, which the other pages make.
pub async fn create(State(app): State<App>, caller: Caller, mut body: Fields) -> Answer<Value> {
    let place = PlaceOf::read(&mut body);
    let person = NewStaff {
        name: body.required("name", fields::text(1, 100)),
        email: body.required("email", fields::email),
        password: body.required("password", fields::secret(8, 128)),
        phone: body.optional("phone", fields::text(1, 32)).value(),
        role: body.optional("role_id", role).value().unwrap_or(Role::Salesperson),
        branch: None,
        parent: body.optional("parent_id", id).value().map(StaffId),
    };
    let selling = selling(&mut body);
    body.finish()?;
    let actor = caller.acting(&app, place).await?;
    let made = salespeople::create(&app, &actor, caller.scopes, person, selling).await;
    let made = made.map_err(|error| caller.refused(words(error)))?;
    Ok(Reply::created("User created successfully", json!({ "id": made.id.0, "name": made.name, "email": made.email })))
}

pub async fn update(State(app): State<App>, caller: Caller, Id(wanted): Id, mut body: Fields) -> Done {
    let place = PlaceOf::read(&mut body);
    let command = StaffChange {
        name: body.optional("name", fields::text(1, 100)).value(),
        email: body.optional("email", fields::email).value(),
        password: body.optional("password", fields::secret(8, 128)).value(),
        phone: body.optional("phone", fields::text(1, 32)).change(),
        role: body.optional("role_id", role).value(),
        unchanged_since: None,
    };
    let active = body.optional("status", flag).value();
    let selling = selling(&mut body);
    body.finish()?;
    let actor = caller.acting(&app, place).await?;
    let suspended = active.map(|active| !active);
    let done = salespeople::update(&app, &actor, caller.scopes, StaffId(wanted), command, selling, suspended).await;
    done.map_err(|error| caller.refused(words(error)))?;
    Ok(Reply::done("User updated successfully"))
}
