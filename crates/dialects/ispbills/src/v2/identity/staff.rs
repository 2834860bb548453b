//! Staff: people who log in. Nobody gives a role, or changes a person, beyond its own rights. Operators are made where
//! they get their account.

use axum::extract::State;
use domain::{Instant, Money, Role, Scope, StaffId};
use doors::{
    Given, Id, Operation,
    form::{Body, Query},
    wire::utc_seconds,
};
use serde::Serialize;
use serde_json::Number;
use service::{
    App, Staff, Why,
    billing::floats::{self, HandIn},
    identity::staff::{self, Filter, NewStaff, StaffChange},
    kernel::vault::random_text,
    resellers::salespeople,
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Failure, Listing, Page, Reply};

#[derive(Serialize, ToSchema)]
#[schema(as = StaffMember)]
pub struct Row {
    id: i64,
    name: String,
    email: String,
    phone: Option<String>,
    role: String,
    /// Words with spaces between them.
    scopes: String,
    /// Whose sub-operator this is.
    parent_id: Option<i64>,
    /// Sees and changes only this branch.
    branch_id: Option<i64>,
    /// active or suspended.
    status: String,
    last_login_at: Option<String>,
    /// Cash taken for the provider and not handed in; told of one person, not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    cash_held: Option<Number>,
    /// What a salesperson has paid in and not sold from; told of one person, not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    balance: Option<Number>,
    created_at: String,
    updated_at: String,
    /// Only when it was made here, and only this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

fn changed(person: &Staff) -> Instant {
    person.updated_at.unwrap_or(person.created_at)
}

fn told(person: Staff) -> Row {
    Row {
        id: person.id.0,
        updated_at: utc_seconds(changed(&person)),
        scopes: Role::from_word(&person.role).map(|role| role.scopes().words()).unwrap_or_default(),
        name: person.name,
        email: person.email,
        phone: person.phone,
        role: person.role,
        parent_id: person.parent_id.map(|id| id.0),
        branch_id: person.branch_id.map(|id| id.0),
        status: person.status,
        last_login_at: person.last_login_at.map(utc_seconds),
        cash_held: None,
        balance: None,
        created_at: utc_seconds(person.created_at),
        password: None,
    }
}

/// Roles of people without an account.
const ROLES: &[&str] = &["owner", "manager", "noc", "salesperson", "collector", "card_distributor"];

fn role(word: &str) -> Result<Role, service::Error> {
    Role::from_word(word).ok_or_else(|| service::Error::invalid("role", Why::NotOneOf(ROLES)))
}

doors::form! {
    StaffFilter {
        role: optional Word(Role::WORDS), "Only those.";
        status: optional Word(&["active", "suspended"]), "Only those.";
    }
}

pub const LIST: Operation =
    Operation::new("Staff", "List all staff", Scope::StaffRead).query::<StaffFilter>().lists::<Row>();

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(asked): Query<StaffFilter>,
) -> Result<Listing<Row>, Failure> {
    let StaffFilter { role, status } = asked;
    let filter = Filter { role: role.value(), status: status.value(), branch: None };
    let (rows, total) = staff::list(&app, &caller.actor, filter, page.offset(), page.limit()).await?;
    Ok(page.of(rows.into_iter().map(told).collect(), total))
}

doors::form! {
    NewStaffBody {
        name: required Text(1, 100), "The person's name.";
        email: required Email, "Signs in with it.";
        password: optional Secret(8, 200), "Made and shown once when it is left out.";
        phone: optional Phone, "Where to reach the person.";
        role: required Word(ROLES), "What the person may do; operators are created at /operators.";
    }
}

/// A new person's password, and once more where it was made here, to be shown.
pub fn given_or_made(given: Given<String>) -> (String, Option<String>) {
    match given.value() {
        Some(password) => (password, None),
        None => {
            let made = random_text(16);
            (made.clone(), Some(made))
        }
    }
}

pub const CREATE: Operation = Operation::new("Staff", "Create a member of staff", Scope::StaffWrite)
    .about("The role may hold no right that the caller lacks.")
    .body::<NewStaffBody>()
    .creates::<Row>();

pub async fn create(State(app): State<App>, caller: Caller, Body(body): Body<NewStaffBody>) -> Answer<Row> {
    let NewStaffBody { name, email, password, phone, role: word } = body;
    let (password, made) = given_or_made(password);
    let command =
        NewStaff { name, email, password, phone: phone.value(), role: role(word)?, branch: None, parent: None };
    let person = staff::create(&app, &caller.actor, caller.scopes, command).await?;
    let changed = changed(&person);
    Ok(Reply::created(Row { password: made, ..told(person) }).tagged(changed))
}

pub const SHOW: Operation = Operation::new("Staff", "Retrieve a member of staff", Scope::StaffRead).answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let person = staff::show(&app, &caller.actor, StaffId(id)).await?;
    let changed = changed(&person);
    let held = floats::held(&app, &caller.actor, person.id).await?;
    let balance = match person.role == Role::Salesperson.word() {
        true => Some(salespeople::balance(&app, &caller.actor, person.id).await?),
        false => None,
    };
    let (cash_held, balance) = (Some(caller.amount(held)), balance.map(|balance| caller.amount(balance)));
    Ok(Reply::data(Row { cash_held, balance, ..told(person) }).tagged(changed))
}

doors::form! {
    StaffChangeBody {
        name: optional Text(1, 100), "The person's name.";
        email: optional Email, "Signs in with it.";
        password: optional Secret(8, 200), "A new one ends all the person's tokens.";
        phone: optional Phone, "Where to reach the person; null takes it away.";
        role: optional Word(ROLES), "What the person may do.";
    }
}

pub const UPDATE: Operation = Operation::new("Staff", "Update a member of staff", Scope::StaffWrite)
    .about("Changes what is given. Neither the person's role nor the new one may hold a right that the caller lacks.")
    .body::<StaffChangeBody>()
    .answers::<Row>()
    .refuses(&[412]);

pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<StaffChangeBody>,
) -> Answer<Row> {
    let StaffChangeBody { name, email, password, phone, role: word } = body;
    let command = StaffChange {
        name: name.value(),
        email: email.value(),
        password: password.value(),
        phone: phone.change(),
        role: word.value().map(role).transpose()?,
        unchanged_since: caller.unchanged_since()?,
    };
    let person = staff::update(&app, &caller.actor, caller.scopes, StaffId(id), command).await?;
    let changed = changed(&person);
    Ok(Reply::data(told(person)).tagged(changed))
}

pub const SUSPEND: Operation = Operation::new("Staff", "Suspend a member of staff", Scope::StaffWrite)
    .about("The person's tokens end at once and signing in is refused. An owner cannot be suspended.")
    .answers::<Row>()
    .refuses(&[422]);

pub async fn suspend(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let person = staff::suspend(&app, &caller.actor, caller.scopes, StaffId(id), true).await?;
    Ok(Reply::data(told(person)))
}

pub const ACTIVATE: Operation =
    Operation::new("Staff", "Lift a suspension", Scope::StaffWrite).answers::<Row>().refuses(&[422]);

pub async fn activate(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let person = staff::suspend(&app, &caller.actor, caller.scopes, StaffId(id), false).await?;
    Ok(Reply::data(told(person)))
}

doors::form! {
    CashHandIn {
        amount: required Amount, "What is handed in; no more than the person holds.";
        method: optional Text(1, 40), "Where it goes: office, bank …; office unless said otherwise.";
        reference: optional Text(1, 100), "The receipt's.";
        note: optional Text(1, 500), "For the ledger.";
    }
}

#[derive(Serialize, ToSchema)]
pub struct HandedInCash {
    /// The person's.
    id: i64,
    /// The ledger's.
    entry_id: i64,
    #[schema(value_type = f64)]
    amount: Number,
    /// What the person still holds.
    #[schema(value_type = f64)]
    cash_held: Number,
    currency: String,
}

pub const HAND_IN: Operation = Operation::new("Staff", "Hand in cash", Scope::StaffWrite)
    .about("What collectors and card distributors took for the provider comes into its own hands.")
    .body::<CashHandIn>()
    .creates::<HandedInCash>();

pub async fn hand_in(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<CashHandIn>,
) -> Answer<HandedInCash> {
    let CashHandIn { amount, method, reference, note } = body;
    let command = HandIn {
        amount: caller.money("amount", amount, 1)?,
        method: method.or("office".into()).to_lowercase(),
        reference: reference.value(),
        note: note.value(),
    };
    let done = floats::hand_in(&app, &caller.actor, StaffId(id), command, caller.key.clone()).await?;
    Ok(Reply::created(HandedInCash {
        id: done.staff_id,
        entry_id: done.entry_id,
        amount: caller.amount(Money(done.amount)),
        cash_held: caller.amount(Money(done.held)),
        currency: caller.tenant.currency.code.clone(),
    }))
}
