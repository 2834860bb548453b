//! Customers: list, create, details, update, delete, recharge, suspend, activate.

use axum::{
    Json,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use domain::{CustomerId, Instant, Kind, PlanId, RouterId, Status, sales::sale::Payer};
use doors::{
    Asked, Fields, Id,
    fields::{boolean, digits, email, id, ids, integer, ipv4, lines, mac, named, secret, text, word},
    wire::utc_micros,
};
use serde::Serialize;
use serde_json::{Number, Value, json};
use service::{
    App, Error, Filter, Order, Page, Payment, PlanVersion, Service, Standing,
    customers::{
        card::{self, Card, Parts},
        change::{self, Deletion, Edit},
        customers::{self, NewCustomer},
        lists,
    },
    sales::{
        recharge::{self, Recharge},
        standing,
    },
};

use crate::envelope::{Answer, Caller, Done, Failure, Listing, Reply, paging};

pub const SERVICE_TYPES: &[&str] = &["Hotspot", "PPPoE", "Static"];
const STATUSES: &[&str] = &["Active", "Inactive", "Deactivated", "Expired"];
/// What an update may set; expiry is time's.
const SETTABLE: &[&str] = &["Active", "Inactive", "Deactivated"];
const ORDERS: &[&str] = &["username", "fullname", "created_at", "expiration"];

/// The core's field names in this document's words.
const NAMES: &[(&str, &str)] = &[
    ("plan", "plan_id"),
    ("router", "router_id"),
    ("network_username", "pppoe_username"),
    ("ip", "pppoe_ip"),
    ("address", "pppoe_ip"),
    ("mac", "mac_address"),
    ("building", "apartment_id"),
];

fn refused(error: Error) -> Failure {
    named(error, NAMES).into()
}

pub fn kind_of(word: &str) -> Kind {
    Kind::from_word(word).unwrap_or(Kind::Other)
}

pub fn type_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Hotspot => "Hotspot",
        Kind::Pppoe => "PPPoE",
        Kind::Static => "Static",
        Kind::Other => "Other",
    }
}

// ---- rows ----

#[derive(Serialize, Debug)]
pub struct Row {
    id: i64,
    username: String,
    fullname: String,
    email: Option<String>,
    phonenumber: String,
    address: Option<String>,
    apartment_id: Option<i64>,
    service_type: Option<&'static str>,
    status: &'static str,
    pppoe_username: Option<String>,
    pppoe_ip: Option<String>,
    mac_address: Option<String>,
    router_id: Option<i64>,
    created_at: String,
    active_package: Option<Package>,
}

/// A line's newest period, in the list.
#[derive(Serialize, Debug)]
struct Package {
    id: i64,
    customer_id: i64,
    plan_id: i64,
    recharged_on: String,
    recharged_time: String,
    expiration: String,
    time: String,
    status: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    plan: PackagePlan,
}

#[derive(Serialize, Debug)]
struct PackagePlan {
    id: i64,
    name_plan: String,
    #[serde(rename = "type")]
    kind: &'static str,
    enabled: u8,
    display_publicly: u8,
    #[serde(rename = "isFup")]
    is_fup: u8,
    is_free_plan: u8,
    price: Number,
    shared_users: i64,
    validity: i64,
    validity_unit: String,
    limit_type: String,
    data_limit: i64,
    data_unit: String,
}

#[derive(Serialize, Debug)]
pub struct Details {
    id: i64,
    fullname: String,
    phonenumber: String,
    service_type: Option<&'static str>,
    status: &'static str,
    username: String,
    email: Option<String>,
    mac_address: Option<String>,
    pppoe_username: Option<String>,
    pppoe_ip: Option<String>,
    address: Option<String>,
    apartment_id: Option<i64>,
    router_id: Option<i64>,
    created_at: String,
    active_packages: Vec<DetailPackage>,
    transactions: Vec<Transaction>,
    usage: Usage,
}

/// The same period, in the details.
#[derive(Serialize, Debug)]
struct DetailPackage {
    id: i64,
    customer_id: i64,
    plan_id: i64,
    username: String,
    namebp: String,
    recharged_on: String,
    recharged_time: String,
    expiration: String,
    time: String,
    status: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    plan: DetailPlan,
}

#[derive(Serialize, Debug)]
struct DetailPlan {
    id: i64,
    name_plan: String,
    #[serde(rename = "type")]
    kind: &'static str,
    price: Number,
    validity: i64,
    validity_unit: String,
    typebp: &'static str,
}

#[derive(Serialize, Debug)]
struct Transaction {
    user_id: i64,
    plan_name: Option<String>,
    method: String,
    reference: String,
    amount: Number,
    created_at: String,
}

/// The prose promises usage data without a sample.
#[derive(Serialize, Debug)]
struct Usage {
    used_bytes: i64,
    used_seconds: i64,
    quota_bytes: Option<i64>,
    quota_seconds: Option<i64>,
}

/// The core lifecycle in this document's words.
fn status_word(service: Option<&Service>, now: Instant) -> &'static str {
    let Some(service) = service else { return "Inactive" };
    match service.status {
        Status::Active if runs(service, now) => "Active",
        Status::Active => "Expired",
        Status::Suspended | Status::Disabled => "Deactivated",
        Status::Pending | Status::AwaitingApproval | Status::Inactive | Status::Rejected | Status::Terminated => {
            "Inactive"
        }
    }
}

/// Within validity and quota, as the list's filter has it.
fn runs(service: &Service, now: Instant) -> bool {
    service.expires_at.is_some_and(|at| at > now)
        && service.quota_bytes.is_none_or(|quota| service.used_bytes < quota)
        && service.quota_time_s.is_none_or(|quota| service.used_time_s < quota)
}

fn switched(service: &Service, now: Instant) -> &'static str {
    if service.status == Status::Active && runs(service, now) { "on" } else { "off" }
}

fn pppoe_username(service: &Service) -> Option<String> {
    (service.kind == Kind::Pppoe).then(|| service.username.clone())
}

fn typebp(version: &PlanVersion) -> &'static str {
    if version.limited { "Limited" } else { "Unlimited" }
}

/// What a row of the list shows.
const LISTED: Parts = Parts::PLAN.with(Parts::VERSION).with(Parts::PERIOD);
/// The newest fifty payments as well.
const DETAILS: Parts = LISTED.with(Parts::PAYMENTS).with(Parts::MORE);

fn row(caller: &Caller, card: Card) -> Row {
    let Card { customer, line, plan, version, period, .. } = card;
    let line = line.as_ref();
    let package = line.zip(plan.zip(version)).zip(period).map(|((line, (plan, version)), period)| Package {
        id: period.id.0,
        customer_id: customer.id.0,
        plan_id: line.plan_id.0,
        recharged_on: caller.date(period.created_at),
        recharged_time: caller.time(period.created_at),
        expiration: line.expires_at.map(|at| caller.date(at)).unwrap_or_default(),
        time: line.expires_at.map(|at| caller.time(at)).unwrap_or_default(),
        status: switched(line, caller.now),
        kind: type_word(line.kind),
        plan: PackagePlan {
            id: plan.id.0,
            kind: type_word(plan.kind),
            enabled: plan.enabled.into(),
            display_publicly: plan.public.into(),
            is_fup: plan.has_fup().into(),
            is_free_plan: (version.price.0 == 0).into(),
            price: caller.amount(version.price),
            shared_users: plan.shared_users,
            validity: version.validity,
            validity_unit: version.validity_unit,
            limit_type: version.limit_type.unwrap_or_else(|| "Time_Limit".into()),
            data_limit: version.data_limit.unwrap_or(0),
            data_unit: version.data_unit.unwrap_or_else(|| "MB".into()),
            name_plan: plan.name,
        },
    });
    Row {
        id: customer.id.0,
        status: status_word(line, caller.now),
        service_type: line.map(|line| type_word(line.kind)),
        pppoe_username: line.and_then(pppoe_username),
        pppoe_ip: line.and_then(|line| line.address.clone()),
        mac_address: line.and_then(|line| line.mac.clone()),
        router_id: line.map(|line| line.router_id.0),
        created_at: caller.datetime(customer.created_at),
        active_package: package,
        username: customer.username,
        fullname: customer.full_name,
        email: customer.email,
        phonenumber: customer.phone,
        address: customer.address,
        apartment_id: customer.building_id,
    }
}

fn details(caller: &Caller, card: Card) -> Details {
    let Card { customer, line, plan, version, period, payments, .. } = card;
    let line = line.as_ref();
    let package = line.zip(plan.zip(version)).zip(period).map(|((line, (plan, version)), period)| DetailPackage {
        id: period.id.0,
        customer_id: customer.id.0,
        plan_id: line.plan_id.0,
        username: customer.username.clone(),
        namebp: plan.name.clone(),
        recharged_on: caller.date(period.created_at),
        recharged_time: caller.time(period.created_at),
        expiration: line.expires_at.map(|at| caller.date(at)).unwrap_or_default(),
        time: line.expires_at.map(|at| caller.time(at)).unwrap_or_default(),
        status: switched(line, caller.now),
        kind: type_word(line.kind),
        plan: DetailPlan {
            id: plan.id.0,
            kind: type_word(plan.kind),
            price: caller.amount(version.price),
            validity: version.validity,
            typebp: typebp(&version),
            validity_unit: version.validity_unit,
            name_plan: plan.name,
        },
    });
    let transaction = |payment: Payment| Transaction {
        user_id: payment.customer_id.0,
        plan_name: payment.plan_name,
        method: payment.method,
        reference: payment.reference,
        amount: caller.amount(payment.amount),
        created_at: utc_micros(payment.created_at),
    };
    Details {
        id: customer.id.0,
        service_type: line.map(|line| type_word(line.kind)),
        status: status_word(line, caller.now),
        mac_address: line.and_then(|line| line.mac.clone()),
        pppoe_username: line.and_then(pppoe_username),
        pppoe_ip: line.and_then(|line| line.address.clone()),
        router_id: line.map(|line| line.router_id.0),
        created_at: utc_micros(customer.created_at),
        active_packages: package.into_iter().collect(),
        transactions: payments.into_iter().map(transaction).collect(),
        usage: Usage {
            used_bytes: line.map_or(0, |line| line.used_bytes),
            used_seconds: line.map_or(0, |line| line.used_time_s),
            quota_bytes: line.and_then(|line| line.quota_bytes),
            quota_seconds: line.and_then(|line| line.quota_time_s),
        },
        fullname: customer.full_name,
        phonenumber: customer.phone,
        username: customer.username,
        email: customer.email,
        address: customer.address,
        apartment_id: customer.building_id,
    }
}

// ---- calls ----

/// List all customers with pagination.
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
    mut asked: Asked,
) -> Answer<Listing<Row>> {
    let page = paging(&mut asked, 100);
    let q = &mut asked.0;
    let kind = q.optional("service_type", word(SERVICE_TYPES)).value();
    let status = q.optional("status", word(STATUSES)).value();
    let router = q.optional("router_id", id).value();
    let search = q.optional("search", text(0, 100)).value();
    let building = q.optional("apartment_id", integer(0, i64::MAX)).value();
    let order = q.optional("order_by", word(ORDERS)).or("created_at");
    let direction = q.optional("order_direction", word(&["asc", "desc"])).or("desc");
    q.finish()?;
    let filter = Filter {
        kind: kind.map(kind_of),
        standing: status.map(|word| match word {
            "Active" => Standing::Active,
            "Expired" => Standing::Expired,
            "Deactivated" => Standing::Barred,
            _ => Standing::Off,
        }),
        router: router.map(RouterId),
        building,
        branch: None,
        search,
    };
    let wanted = Page {
        order: match order {
            "username" => Order::Username,
            "fullname" => Order::FullName,
            "expiration" => Order::Expiry,
            _ => Order::Created,
        },
        descending: direction == "desc",
        offset: page.offset(),
        limit: page.per_page,
    };
    let (found, total) = lists::page(&app, &caller.actor, filter, wanted, LISTED).await?;
    let rows = found.into_iter().map(|card| row(&caller, card)).collect();
    let listing = Listing::new(&caller, query.as_deref(), page, rows, total);
    Ok(Reply::said("Customers retrieved successfully", listing))
}

/// Get detailed customer information.
pub async fn show(State(app): State<App>, caller: Caller, Id(number): Id) -> Answer<Details> {
    let found = card::show(&app, &caller.actor, CustomerId(number), DETAILS).await?;
    Ok(Reply::data(details(&caller, found)))
}

#[derive(Serialize, Debug)]
pub struct Created {
    customer_id: i64,
    username: String,
    pppoe_username: Option<String>,
    expiration_date: String,
}

/// Create new customer; its first period is sold with it.
pub async fn create(State(app): State<App>, caller: Caller, mut body: Fields) -> Answer<Created> {
    let full_name = body.required("fullname", text(3, 45));
    let phone = body.required("phonenumber", digits(20));
    let kind = kind_of(body.required("service_type", word(SERVICE_TYPES)));
    let plan = body.required("plan_id", id);
    let router = body.required("router_id", id);
    let portal_password = body.required("password", secret(3, 64));
    let email = body.optional("email", email).value();
    let address = body.optional("address", text(0, 255)).value();
    let username = body.optional("username", text(3, 64)).value();
    let ip = body.optional("pppoe_ip", ipv4).value();
    let mac = body.optional("mac_address", mac).value();
    let building = body.optional("apartment_id", id).value();
    let (network_username, network_password) = match kind {
        Kind::Pppoe => {
            (Some(body.required("pppoe_username", text(3, 32))), Some(body.required("pppoe_password", secret(3, 32))))
        }
        // The samples of other kinds leave them out: such a line logs in with its account's name and password.
        Kind::Hotspot | Kind::Static | Kind::Other => (None, None),
    };
    body.finish()?;
    let command = NewCustomer {
        full_name,
        phone,
        email,
        address,
        building,
        username,
        portal_password,
        kind,
        network_username,
        network_password,
        ip,
        mac,
        plan: PlanId(plan),
        router: RouterId(router),
        payer: Some(paid(true)),
    };
    let key = caller.key.clone();
    let created = customers::create(&app, &caller.actor, command, key).await.map_err(refused)?;
    let data = Created {
        customer_id: created.customer_id,
        username: created.username,
        pppoe_username: (kind == Kind::Pppoe).then_some(created.network_username),
        expiration_date: caller.date(Instant(created.expires_at)),
    };
    Ok(Reply::created("Customer created successfully", data))
}

/// With a transaction the period is paid on the spot; without, it is a gift.
fn paid(add_transaction: bool) -> Payer {
    match add_transaction {
        true => Payer::Cash { method: "api".into() },
        false => Payer::Complimentary,
    }
}

/// Update customer information. The sample sends more than the table names: all of it is applied.
pub async fn update(State(app): State<App>, caller: Caller, Id(number): Id, mut body: Fields) -> Done {
    let edit = Edit {
        full_name: body.optional("fullname", text(3, 45)).value(),
        phone: body.optional("phonenumber", digits(20)).value(),
        email: body.optional("email", email).change(),
        address: body.optional("address", text(0, 255)).change(),
        username: body.optional("username", text(3, 64)).value(),
        status: body.optional("status", word(SETTABLE)).value().map(|word| match word {
            "Active" => Status::Active,
            "Deactivated" => Status::Disabled,
            _ => Status::Inactive,
        }),
        kind: body.optional("service_type", word(SERVICE_TYPES)).value().map(kind_of),
        router: body.optional("router_id", id).value().map(RouterId),
        plan: body.optional("plan_id", id).value().map(PlanId),
        portal_password: body.optional("password", secret(3, 64)).value(),
        network_username: body.optional("pppoe_username", text(3, 32)).value(),
        network_password: body.optional("pppoe_password", secret(3, 32)).value(),
        ip: body.optional("pppoe_ip", ipv4).change(),
        mac: body.optional("mac_address", mac).change(),
        ..Edit::default()
    };
    body.finish()?;
    change::update(&app, &caller.actor, CustomerId(number), edit).await.map_err(refused)?;
    Ok(Reply::done("Customer updated successfully"))
}

/// Delete customer (soft delete).
pub async fn delete(State(app): State<App>, caller: Caller, Id(number): Id) -> Done {
    change::delete(&app, &caller.actor, CustomerId(number), Deletion::default()).await?;
    Ok(Reply::done("Customer deleted successfully"))
}

#[derive(Serialize, Debug)]
pub struct Recharged {
    new_expiration: String,
    plan_name: String,
    customer_id: i64,
    username: String,
}

/// How a recharge is to be made: the same for one customer and for many.
struct Terms {
    plan: Option<PlanId>,
    add_transaction: bool,
    send_sms: bool,
}

fn terms(body: &mut Fields) -> Terms {
    Terms {
        plan: body.optional("plan_id", id).value().map(PlanId),
        add_transaction: body.optional("add_transaction", boolean).or(true),
        send_sms: body.optional("send_sms", boolean).or(false),
    }
}

async fn recharge_one(
    app: &App,
    caller: &Caller,
    customer: CustomerId,
    terms: &Terms,
    key: Option<service::kernel::change::CallerKey>,
) -> Result<recharge::Receipt, Failure> {
    let command = Recharge { customer, plan: terms.plan, payer: paid(terms.add_transaction) };
    let sold = match terms.send_sms {
        true => recharge::recharge_and_tell(app, &caller.actor, command, key).await,
        false => recharge::recharge(app, &caller.actor, command, key).await,
    };
    sold.map_err(|error| refused(error).introduced("Failed to recharge customer"))
}

/// Recharge/Extend customer subscription.
pub async fn recharge(State(app): State<App>, caller: Caller, Id(number): Id, mut body: Fields) -> Answer<Recharged> {
    let terms = terms(&mut body);
    body.finish()?;
    let key = caller.key.clone();
    let receipt = recharge_one(&app, &caller, CustomerId(number), &terms, key).await?;
    let data = Recharged {
        new_expiration: caller.date(receipt.expires()),
        plan_name: receipt.plan_name,
        customer_id: receipt.customer_id,
        username: receipt.username,
    };
    Ok(Reply::said("Customer recharged successfully", data))
}

/// Bulk recharge multiple customers: each succeeds or fails for itself, and each is told of.
pub async fn bulk_recharge(State(app): State<App>, caller: Caller, mut body: Fields) -> Result<Response, Failure> {
    body.alias("customer_ids", &["ids", "customers"]);
    let mut numbers = body.required("customer_ids", ids);
    let terms = terms(&mut body);
    body.finish()?;
    let mut seen = std::collections::HashSet::new();
    numbers.retain(|number| seen.insert(*number));
    let mut results = Vec::with_capacity(numbers.len());
    let mut recharged = 0;
    for number in numbers {
        // The key is for all of them: with the number it is one for each.
        let key = caller.key.clone().map(|mut key| {
            key.key = format!("{}:{number}", key.key);
            key
        });
        results.push(match recharge_one(&app, &caller, CustomerId(number), &terms, key).await {
            Ok(receipt) => {
                recharged += 1;
                json!({
                    "customer_id": number,
                    "success": true,
                    "username": receipt.username,
                    "plan_name": receipt.plan_name,
                    "new_expiration": caller.date(receipt.expires()),
                })
            }
            Err(failure) => {
                let message = failure.errors.first().map_or(failure.message, |(_, told)| told.clone());
                json!({ "customer_id": number, "success": false, "message": message, "code": failure.code })
            }
        });
    }
    let failed = results.len() - recharged;
    let data: Value = json!({ "results": results, "recharged": recharged, "failed": failed });
    let message = format!("{recharged} customer(s) recharged successfully");
    Ok(Json(json!({ "success": true, "message": message, "data": data })).into_response())
}

/// Suspend/Deactivate customer service.
pub async fn suspend(State(app): State<App>, caller: Caller, Id(number): Id, mut body: Fields) -> Done {
    let notes = notes(&mut body)?;
    standing::put(&app, &caller.actor, CustomerId(number), Status::Suspended, notes).await?;
    Ok(Reply::done("Customer service suspended successfully"))
}

/// Activate suspended customer service.
pub async fn activate(State(app): State<App>, caller: Caller, Id(number): Id, mut body: Fields) -> Done {
    let notes = notes(&mut body)?;
    standing::put(&app, &caller.actor, CustomerId(number), Status::Active, notes).await?;
    Ok(Reply::done("Customer service activated successfully"))
}

fn notes(body: &mut Fields) -> Result<Option<String>, Error> {
    let notes = body.optional("notes", lines(500)).value();
    body.finish()?;
    Ok(notes)
}
