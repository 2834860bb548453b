//! Operators (resellers): create, change, suspend and fund them; what moved their wallets; what plans cost them.

use axum::extract::State;
use domain::{Money, PlanId, Scope, StaffId};
use doors::{
    Given, Id, Operation,
    form::{Body, Query},
    wire::utc_seconds,
};
use serde::Serialize;
use serde_json::Number;
use service::{
    App,
    billing::funding::{self, Funded, Funding},
    catalogue::plans::Offer,
    identity::staff::StaffChange,
    resellers::operators::{self, Filter, Line, Listed, NewOperator, OperatorChange, Terms},
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Done, Failure, Listing, NO_CONTENT, Page, Reply};
use crate::v2::identity::staff::given_or_made;

#[derive(Serialize, ToSchema)]
#[schema(as = Operator)]
pub struct Row {
    id: i64,
    name: String,
    email: String,
    phone: Option<String>,
    /// operator or sub_operator.
    role: String,
    /// The operator whose sub-operator this is.
    parent_id: Option<i64>,
    /// active or suspended.
    status: String,
    /// prepaid or postpaid.
    account_type: String,
    /// How far below zero a postpaid wallet may fall.
    #[schema(value_type = f64)]
    collection_limit: Number,
    /// What the provider holds for the operator; below zero is owed.
    #[schema(value_type = f64)]
    balance: Number,
    currency: String,
    created_at: String,
    updated_at: String,
    /// Only when it was made here, and only this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

pub fn told(caller: &Caller, row: Listed) -> Row {
    Row {
        id: row.id.0,
        updated_at: utc_seconds(operators::changed(&row)),
        collection_limit: caller.amount(row.collection_limit),
        balance: caller.amount(row.balance),
        currency: caller.tenant.currency.code.clone(),
        created_at: utc_seconds(row.created_at),
        name: row.name,
        email: row.email,
        phone: row.phone,
        role: row.role,
        parent_id: row.parent_id.map(|id| id.0),
        status: row.status,
        account_type: row.account_type,
        password: None,
    }
}

doors::form! {
    OperatorFilter {
        search: optional Text(1, 100), "Part of a name or an e-mail address.";
        status: optional Word(&["active", "suspended"]), "Only those.";
        parent_id: optional Id, "Only this operator's sub-operators.";
    }
}

pub const LIST: Operation =
    Operation::new("Operators", "List all operators", Scope::OperatorsRead).query::<OperatorFilter>().lists::<Row>();

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(asked): Query<OperatorFilter>,
) -> Result<Listing<Row>, Failure> {
    let OperatorFilter { search, status, parent_id } = asked;
    let filter = Filter { search: search.value(), status: status.value(), parent: parent_id.map(StaffId).value() };
    let (rows, total) = operators::list(&app, &caller.actor, filter, page.offset(), page.limit()).await?;
    Ok(page.of(rows.into_iter().map(|row| told(&caller, row)).collect(), total))
}

doors::form! {
    NewOperatorBody {
        name: required Text(1, 100), "The operator's name.";
        email: required Email, "Signs in with it.";
        password: optional Secret(8, 200), "Made and shown once when it is left out.";
        phone: optional Phone, "Where to reach it.";
        account_type: optional Word(Terms::WORDS), "prepaid unless said otherwise.";
        collection_limit: optional Amount, "How far below zero a postpaid wallet may fall.";
        parent_id: optional Id, "Makes it a sub-operator of this operator.";
    }
}

pub const CREATE: Operation = Operation::new("Operators", "Create an operator", Scope::OperatorsWrite)
    .about("The operator gets a branch of its own: its customers are those it creates.")
    .body::<NewOperatorBody>()
    .creates::<Row>();

/// An amount that may be zero, if one is given.
fn limit(caller: &Caller, given: Given<i64>) -> Result<Option<Money>, Failure> {
    Ok(given.value().map(|limit| caller.money("collection_limit", limit, 0)).transpose()?)
}

pub async fn create(State(app): State<App>, caller: Caller, Body(body): Body<NewOperatorBody>) -> Answer<Row> {
    let NewOperatorBody { name, email, password, phone, account_type, collection_limit, parent_id } = body;
    let limit = limit(&caller, collection_limit)?;
    let terms = Terms::said(account_type.value(), limit, Terms::Prepaid)?;
    let (password, made) = given_or_made(password);
    let parent = parent_id.map(StaffId).value();
    let command = NewOperator { name, email, password, phone: phone.value(), parent, terms };
    let row = operators::create(&app, &caller.actor, caller.scopes, command).await?;
    let changed = operators::changed(&row);
    Ok(Reply::created(Row { password: made, ..told(&caller, row) }).tagged(changed))
}

pub const SHOW: Operation = Operation::new("Operators", "Retrieve an operator", Scope::OperatorsRead).answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let row = operators::show(&app, &caller.actor, StaffId(id)).await?;
    let changed = operators::changed(&row);
    Ok(Reply::data(told(&caller, row)).tagged(changed))
}

doors::form! {
    OperatorChangeBody {
        name: optional Text(1, 100), "The operator's name.";
        email: optional Email, "Signs in with it.";
        password: optional Secret(8, 200), "A new one ends all its tokens.";
        phone: optional Phone, "Where to reach it; null takes it away.";
        account_type: optional Word(Terms::WORDS), "From the next sale on.";
        collection_limit: optional Amount, "How far below zero a postpaid wallet may fall.";
    }
}

pub const UPDATE: Operation = Operation::new("Operators", "Update an operator", Scope::OperatorsWrite)
    .about("Changes what is given.")
    .body::<OperatorChangeBody>()
    .answers::<Row>()
    .refuses(&[412]);

pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<OperatorChangeBody>,
) -> Answer<Row> {
    let OperatorChangeBody { name, email, password, phone, account_type, collection_limit } = body;
    let command = OperatorChange {
        person: StaffChange {
            name: name.value(),
            email: email.value(),
            password: password.value(),
            phone: phone.change(),
            role: None,
            unchanged_since: caller.unchanged_since()?,
        },
        account_type: account_type.value(),
        collection_limit: limit(&caller, collection_limit)?,
    };
    let row = operators::update(&app, &caller.actor, caller.scopes, StaffId(id), command).await?;
    let changed = operators::changed(&row);
    Ok(Reply::data(told(&caller, row)).tagged(changed))
}

pub const DELETE: Operation = Operation::new("Operators", "Delete an operator", Scope::OperatorsWrite)
    .about("Refused while it has customers, sub-operators or a balance.")
    .no_content();

pub async fn delete(State(app): State<App>, caller: Caller, Id(id): Id) -> Done {
    operators::delete(&app, &caller.actor, StaffId(id)).await?;
    NO_CONTENT
}

pub const SUSPEND: Operation = Operation::new("Operators", "Suspend an operator", Scope::OperatorsWrite)
    .about("Its tokens end at once, signing in is refused, and nobody sells on its account.")
    .answers::<Row>();

pub async fn suspend(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let row = operators::suspend(&app, &caller.actor, StaffId(id), true).await?;
    Ok(Reply::data(told(&caller, row)))
}

pub const ACTIVATE: Operation =
    Operation::new("Operators", "Lift an operator's suspension", Scope::OperatorsWrite).answers::<Row>();

pub async fn activate(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let row = operators::suspend(&app, &caller.actor, StaffId(id), false).await?;
    Ok(Reply::data(told(&caller, row)))
}

doors::form! {
    Fund {
        amount: required Amount, "What is paid in; above zero.";
        method: optional Text(1, 40), "How it came: cash, bank, bkash …; cash unless said otherwise.";
        reference: optional Text(1, 100), "The receipt's or the transfer's.";
        note: optional Text(1, 500), "For the ledger.";
    }
}

#[derive(Serialize, ToSchema)]
pub struct WalletFunding {
    /// The operator's or salesperson's.
    id: i64,
    /// The ledger's.
    entry_id: i64,
    #[schema(value_type = f64)]
    amount: Number,
    #[schema(value_type = f64)]
    balance: Number,
    currency: String,
    method: String,
    reference: Option<String>,
    note: Option<String>,
}

pub const FUND: Operation = Operation::new("Operators", "Add funds to an operator", Scope::OperatorsWrite)
    .body::<Fund>()
    .creates::<WalletFunding>();

/// What is to be paid in.
pub fn funding(caller: &Caller, body: Fund) -> Result<Funding, Failure> {
    let Fund { amount, method, reference, note } = body;
    Ok(Funding {
        amount: caller.money("amount", amount, 1)?,
        method: method.or("cash".into()).to_lowercase(),
        reference: reference.value(),
        note: note.value(),
    })
}

pub fn funded(caller: &Caller, done: Funded, funding: Funding) -> WalletFunding {
    WalletFunding {
        id: done.operator_id,
        entry_id: done.entry_id,
        amount: caller.amount(Money(done.amount)),
        balance: caller.amount(Money(done.balance)),
        currency: caller.tenant.currency.code.clone(),
        method: funding.method,
        reference: funding.reference,
        note: funding.note,
    }
}

pub async fn fund(State(app): State<App>, caller: Caller, Id(id): Id, Body(body): Body<Fund>) -> Answer<WalletFunding> {
    let command = funding(&caller, body)?;
    let done = funding::operator(&app, &caller.actor, StaffId(id), command.clone(), caller.key.clone()).await?;
    Ok(Reply::created(funded(&caller, done, command)))
}

#[derive(Serialize, ToSchema)]
pub struct WalletEntry {
    /// The ledger's entry.
    id: i64,
    /// recharge, operator_funding …
    kind: String,
    /// What came in; below zero is what went out.
    #[schema(value_type = f64)]
    amount: Number,
    reference: Option<String>,
    note: Option<String>,
    /// Who did it.
    actor: String,
    created_at: String,
}

pub const LEDGER: Operation =
    Operation::new("Operators", "What moved an operator's wallet", Scope::OperatorsRead).lists::<WalletEntry>();

pub async fn ledger(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    page: Page,
) -> Result<Listing<WalletEntry>, Failure> {
    let (lines, total) = operators::entries(&app, &caller.actor, StaffId(id), page.offset(), page.limit()).await?;
    Ok(page.of(lines.into_iter().map(|line| entry(&caller, line)).collect(), total))
}

pub fn entry(caller: &Caller, line: Line) -> WalletEntry {
    WalletEntry {
        id: line.entry_id,
        kind: line.kind,
        amount: caller.amount(line.amount),
        reference: line.reference,
        note: line.reason,
        actor: line.actor,
        created_at: utc_seconds(line.at),
    }
}

/// A package as somebody sells it: an operator or a salesperson.
#[derive(Serialize, ToSchema)]
pub struct PackagePrice {
    package_id: i64,
    package: String,
    /// What customers pay.
    #[schema(value_type = f64)]
    customer_price: Number,
    /// What the seller's wallet pays.
    #[schema(value_type = f64)]
    price: Number,
    /// Whether that is a price of the seller's own.
    own: bool,
    currency: String,
}

pub fn priced(caller: &Caller, (offer, own): (Offer, Option<Money>)) -> PackagePrice {
    PackagePrice {
        package_id: offer.plan.id.0,
        customer_price: caller.amount(offer.version.price),
        price: caller.amount(own.unwrap_or(offer.version.price)),
        own: own.is_some(),
        currency: caller.tenant.currency.code.clone(),
        package: offer.plan.name,
    }
}

pub const PRICES: Operation =
    Operation::new("Operators", "What packages cost an operator", Scope::OperatorsRead).lists::<PackagePrice>();

pub async fn prices(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    page: Page,
) -> Result<Listing<PackagePrice>, Failure> {
    let all = operators::prices(&app, &caller.actor, StaffId(id)).await?;
    Ok(page.cut(all, |offer| priced(&caller, offer)))
}

doors::form! {
    SetPrice {
        package_id: required Id, "The package.";
        price: optional Amount, "What it costs the seller from the next sale on; null or absent: what it costs anybody.";
    }
}

pub const SET_PRICE: Operation =
    Operation::new("Operators", "Set what a package costs an operator", Scope::OperatorsWrite)
        .about("A sub-operator never buys below the price of its operator.")
        .body::<SetPrice>()
        .answers::<PackagePrice>();

pub async fn set_price(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<SetPrice>,
) -> Answer<PackagePrice> {
    let SetPrice { package_id, price } = body;
    let price = price.value().map(|price| caller.money("price", price, 0)).transpose()?;
    let done = operators::set_price(&app, &caller.actor, StaffId(id), PlanId(package_id), price).await?;
    Ok(Reply::data(priced(&caller, done)))
}
