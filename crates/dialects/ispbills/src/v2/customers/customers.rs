//! Customers: who buys, with the line they have.

use axum::extract::State;
use domain::{Connection, CustomerId, Instant, PlanId, RouterId, Scope, Status, sales::sale::Payer};
use doors::{
    Id, Operation,
    fields::named,
    form::{Body, Query},
    wire::utc_seconds,
};
use serde::Serialize;
use service::{
    App, Broad, Error, LineFilter, Medium,
    customers::{
        beside::Beside,
        card::{self, Card, Parts},
        change::{self, Deletion, Edit},
        customers::{self, Extras, NewCustomer},
        lines, lists,
    },
    kernel::vault::random_text,
    plant::site::SiteChange,
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Done, Failure, Listing, NO_CONTENT, Page, Reply};

/// What a first period is paid by where nothing says otherwise: money received by the caller.
const METHOD: &str = "api";
const CONNECTIONS: &[&str] = Connection::WORDS;
pub const STATUSES: &[&str] = &["active", "suspended", "disabled"];

doors::form! {
    /// Which customers.
    Wanted {
        search: optional Text(1, 100), "The beginning of a word of a name, phone number, username or e-mail address.";
        status: optional Word(STATUSES), "What the line is: an expired one is suspended.";
        package_id: optional Id, "On this package.";
        connection_type: optional Word(CONNECTIONS), "Connected so.";
        router_id: optional Id, "Through this router.";
    }
}

doors::form! {
    /// A customer to make; the first period of the package is sold with it.
    NewSubscriber {
        name: required Text(2, 100), "The full name.";
        package_id: required Id, "The package to sell.";
        email: optional Email, "The e-mail address.";
        phone: optional Phone, "The telephone number.";
        address: optional Text(0, 255), "Where the line is.";
        connection_type: optional Word(CONNECTIONS), "How the line connects; `pppoe` where it is left out.";
        onu_mac: optional Mac, "The MAC address of the ONU of a fibre line.";
        username: optional Text(3, 64), "What the line logs in with; made of the phone number or the id where it is left out.";
        password: optional Secret(3, 64), "The line's password; a random one where it is left out. It is never shown.";
        router_id: optional Id, "The router; the package's or the first one where it is left out.";
        ip: optional Ipv4, "A fixed address.";
        mac: optional Mac, "The MAC address of the customer's device.";
    }
}

doors::form! {
    /// What is to change about a customer; fields that are left out stay as they are.
    SubscriberChange {
        name: optional Text(2, 100), "The full name.";
        email: optional Email, "The e-mail address; null removes it.";
        phone: optional Phone, "The telephone number.";
        package_id: optional Id, "Another package, from now on; the running period keeps its end.";
        address: optional Text(0, 255), "Where the line is; null removes it.";
        connection_type: optional Word(CONNECTIONS), "How the line connects.";
        onu_mac: optional Mac, "The MAC address of the ONU; null removes it.";
        username: optional Text(3, 64), "What the line logs in with.";
        password: optional Secret(3, 64), "The line's password.";
        router_id: optional Id, "The router.";
        ip: optional Ipv4, "A fixed address; null removes it.";
        mac: optional Mac, "The MAC address of the customer's device; null removes it.";
        status: optional Word(STATUSES), "`suspended` and `disabled` end its sessions; `active` needs a period that runs (422: recharge first).";
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Customer)]
pub struct Row {
    id: i64,
    name: String,
    email: Option<String>,
    phone: Option<String>,
    package: Option<Package>,
    /// pppoe, hotspot, static, fiber or other.
    connection_type: Option<&'static str>,
    onu_mac: Option<String>,
    username: String,
    address: Option<String>,
    ip: Option<String>,
    mac: Option<String>,
    router_id: Option<i64>,
    /// active, suspended or disabled; a line whose period has ended is suspended.
    status: &'static str,
    /// When the period that was sold last ends.
    expires_at: Option<String>,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PackageName)]
pub struct Package {
    pub id: i64,
    pub name: String,
}

pub fn status_word(broad: Broad) -> &'static str {
    match broad {
        Broad::Active => "active",
        Broad::Suspended => "suspended",
        Broad::Disabled => "disabled",
    }
}

pub fn broad_of(word: &str) -> Broad {
    match word {
        "active" => Broad::Active,
        "suspended" => Broad::Suspended,
        _ => Broad::Disabled,
    }
}

/// What of a customer both versions show.
pub const SHOWN: Parts = Parts::PLAN.with(Parts::SITE);

fn row(card: Card, now: Instant) -> Row {
    let (connection, changed) = (card.connection(), card.changed());
    let Card { customer, line, plan, site, .. } = card;
    let line = line.as_ref();
    Row {
        id: customer.id.0,
        name: customer.full_name,
        email: customer.email,
        phone: Some(customer.phone).filter(|phone| !phone.is_empty()),
        package: plan.map(|plan| Package { id: plan.id.0, name: plan.name }),
        connection_type: connection.map(Connection::word),
        onu_mac: site.and_then(|site| site.onu_mac),
        username: line.map_or(customer.username, |line| line.username.clone()),
        address: customer.address,
        ip: line.and_then(|line| line.address.clone()),
        mac: line.and_then(|line| line.mac.clone()),
        router_id: line.map(|line| line.router_id.0),
        status: status_word(line.map_or(Broad::Disabled, |line| lines::broad(line, now))),
        expires_at: line.and_then(|line| line.expires_at).map(utc_seconds),
        created_at: utc_seconds(customer.created_at),
        updated_at: utc_seconds(changed),
    }
}

/// The core's names of fields in this document's.
pub fn refused(error: Error) -> Failure {
    named(
        error,
        &[
            ("plan", "package_id"),
            ("router", "router_id"),
            ("network_username", "username"),
            ("customer", "customer_id"),
        ],
    )
    .into()
}

pub const LIST: Operation =
    Operation::new("Customers", "List customers", Scope::CustomersRead).query::<Wanted>().lists::<Row>();

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

pub fn filter(wanted: Wanted) -> LineFilter {
    let Wanted { search, status, package_id, connection_type, router_id } = wanted;
    LineFilter {
        customer: None,
        plan: package_id.value().map(PlanId),
        router: router_id.value().map(RouterId),
        broad: status.value().map(broad_of),
        medium: connection_type.value().and_then(Connection::from_word).map(|connection| match connection {
            Connection::Fiber => Medium::Fibre,
            plain => Medium::Plain(plain.kind()),
        }),
        branch: None,
        search: search.value(),
    }
}

pub const CREATE: Operation = Operation::new("Customers", "Create a customer", Scope::CustomersWrite)
    .about("The first period of the package is sold with it, as paid.")
    .body::<NewSubscriber>()
    .creates::<Row>();

pub async fn create(State(app): State<App>, caller: Caller, Body(body): Body<NewSubscriber>) -> Answer<Row> {
    let id = make(&app, &caller, body).await?;
    let card = card::show(&app, &caller.actor, id, SHOWN).await?;
    let changed = card.changed();
    Ok(Reply::created(row(card, caller.now)).tagged(changed))
}

/// A customer as both versions make one.
pub async fn make(app: &App, caller: &Caller, body: NewSubscriber) -> Result<CustomerId, Failure> {
    let NewSubscriber {
        name,
        package_id,
        email,
        phone,
        address,
        connection_type,
        onu_mac,
        username,
        password,
        router_id,
        ip,
        mac,
    } = body;
    let plan = PlanId(package_id);
    let connection = connection_type.value().and_then(Connection::from_word).unwrap_or(Connection::Pppoe);
    let router = match router_id.value() {
        Some(id) => RouterId(id),
        None => customers::usual_router(app, &caller.actor, plan).await.map_err(refused)?,
    };
    let command = NewCustomer {
        full_name: name,
        phone: phone.value().unwrap_or_default(),
        email: email.value(),
        address: address.value(),
        building: None,
        username: username.value(),
        portal_password: password.value().unwrap_or_else(|| random_text(10)),
        kind: connection.kind(),
        network_username: None,
        network_password: None,
        ip: ip.value(),
        mac: mac.value(),
        plan,
        router,
        payer: Some(Payer::Cash { method: METHOD.into() }),
    };
    let site = SiteChange { connection: Some(connection), onu_mac: onu_mac.value().map(Some), ..SiteChange::default() };
    let extras = Extras { beside: Beside { site, ..Beside::default() }, ..Extras::default() };
    let made =
        customers::create_with(app, &caller.actor, command, extras, caller.key.clone()).await.map_err(refused)?;
    Ok(CustomerId(made.customer_id))
}

pub const SHOW: Operation = Operation::new("Customers", "Retrieve a customer", Scope::CustomersRead).answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let card = card::show(&app, &caller.actor, CustomerId(id), SHOWN).await?;
    let changed = card.changed();
    Ok(Reply::data(row(card, caller.now)).tagged(changed))
}

pub const UPDATE: Operation = Operation::new("Customers", "Update a customer", Scope::CustomersWrite)
    .about("With `If-Match` only as it was read.")
    .body::<SubscriberChange>()
    .answers::<Row>()
    .refuses(&[412]);

pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<SubscriberChange>,
) -> Answer<Row> {
    let id = CustomerId(id);
    let SubscriberChange {
        name,
        email,
        phone,
        package_id,
        address,
        connection_type,
        onu_mac,
        username,
        password,
        router_id,
        ip,
        mac,
        status,
    } = body;
    let connection = connection_type.value().and_then(Connection::from_word);
    let (username, password) = (username.value(), password.value());
    let site = SiteChange { connection, onu_mac: onu_mac.change(), ..SiteChange::default() };
    let edit = Edit {
        unchanged_since: caller.unchanged_since()?,
        full_name: name.value(),
        phone: phone.change().map(Option::unwrap_or_default),
        email: email.change(),
        address: address.change(),
        username: username.clone(),
        status: status.value().map(status_of),
        kind: connection.map(Connection::kind),
        router: router_id.value().map(RouterId),
        plan: package_id.value().map(PlanId),
        portal_password: password.clone(),
        network_username: username,
        network_password: password,
        ip: ip.change(),
        mac: mac.change(),
        beside: Beside { site, ..Beside::default() },
        ..Edit::default()
    };
    change::update(&app, &caller.actor, id, edit).await.map_err(refused)?;
    let card = card::show(&app, &caller.actor, id, SHOWN).await?;
    let changed = card.changed();
    Ok(Reply::data(row(card, caller.now)).tagged(changed))
}

fn status_of(word: &str) -> Status {
    match word {
        "active" => Status::Active,
        "suspended" => Status::Suspended,
        _ => Status::Disabled,
    }
}

pub const DELETE: Operation = Operation::new("Customers", "Delete a customer", Scope::CustomersWrite)
    .about("Its usernames are free again; what it paid and owes stays. With `If-Match` only as it was read.")
    .no_content()
    .refuses(&[412]);

pub async fn delete(State(app): State<App>, caller: Caller, Id(id): Id) -> Done {
    let how = Deletion { unchanged_since: caller.unchanged_since()?, ..Deletion::default() };
    change::delete(&app, &caller.actor, CustomerId(id), how).await?;
    NO_CONTENT
}
