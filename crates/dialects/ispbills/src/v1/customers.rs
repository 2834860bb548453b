//! Customers: a package is shown by its name.

use axum::extract::State;
use domain::{CustomerId, Instant, Scope};
use doors::{
    Id, Operation,
    form::{Body, Query},
    wire::utc_seconds,
};
use serde::Serialize;
use service::{
    App, Broad,
    customers::{
        card::{self, Card},
        lines, lists,
    },
};
use utoipa::ToSchema;

use crate::{
    envelope::{Answer, Caller, Failure, Listing, Page, Reply},
    v2::customers::customers::{NewSubscriber, SHOWN, Wanted, filter, make, status_word},
};

#[derive(Serialize, ToSchema)]
#[schema(as = Customer)]
pub struct Row {
    id: i64,
    name: String,
    email: Option<String>,
    phone: Option<String>,
    /// The package's name.
    package: Option<String>,
    /// active, suspended or disabled; a line whose period has ended is suspended.
    status: &'static str,
    /// pppoe, hotspot, static, fiber or other.
    connection_type: Option<&'static str>,
    username: String,
    address: Option<String>,
    /// When the period that was sold last ends.
    expires_at: Option<String>,
    created_at: String,
}

fn row(card: Card, now: Instant) -> Row {
    let connection_type = card.connection().map(|connection| connection.word());
    let Card { customer, line, plan, .. } = card;
    let line = line.as_ref();
    Row {
        id: customer.id.0,
        name: customer.full_name,
        email: customer.email,
        phone: Some(customer.phone).filter(|phone| !phone.is_empty()),
        package: plan.map(|plan| plan.name),
        status: status_word(line.map_or(Broad::Disabled, |line| lines::broad(line, now))),
        connection_type,
        username: line.map_or(customer.username, |line| line.username.clone()),
        address: customer.address,
        expires_at: line.and_then(|line| line.expires_at).map(utc_seconds),
        created_at: utc_seconds(customer.created_at),
    }
}

pub const LIST: Operation =
    Operation::new("Customers", "List all customers", Scope::CustomersRead).query::<Wanted>().lists::<Row>();

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(wanted): Query<Wanted>,
) -> Result<Listing<Row>, Failure> {
    let (found, total) =
        lists::by_line(&app, &caller.actor, filter(wanted), (page.offset(), page.limit()), SHOWN).await?;
    Ok(page.of(found.into_iter().map(|card| row(card, caller.now)).collect(), total))
}

pub const CREATE: Operation = Operation::new("Customers", "Create a new customer", Scope::CustomersWrite)
    .about("The first period of the package is sold with it, as paid.")
    .body::<NewSubscriber>()
    .creates::<Row>();

pub async fn create(State(app): State<App>, caller: Caller, Body(body): Body<NewSubscriber>) -> Answer<Row> {
    let id = make(&app, &caller, body).await?;
    Ok(Reply::created(seen(&app, &caller, id).await?))
}

pub const SHOW: Operation =
    Operation::new("Customers", "Retrieve a single customer", Scope::CustomersRead).answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    Ok(Reply::data(seen(&app, &caller, CustomerId(id)).await?))
}

/// The customer as it is now.
pub async fn seen(app: &App, caller: &Caller, id: CustomerId) -> Result<Row, Failure> {
    Ok(row(card::show(app, &caller.actor, id, SHOWN).await?, app.clock.now()))
}
