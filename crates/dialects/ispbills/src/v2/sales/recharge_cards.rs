//! Recharge cards: make them in batches, hand them to distributors, redeem them for customers.

use axum::extract::State;
use domain::{CardState, Commission, CustomerId, Money, PlanId, Scope, StaffId};
use doors::{
    Id, Operation,
    form::{Body, Query},
    wire::utc_seconds,
};
use serde::Serialize;
use serde_json::Number;
use service::{
    App, Error, Expected, Why,
    sales::cards::{self, Card, Filter, Handed, Listed, ListedBatch, MAX_QUANTITY, NewBatch},
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Failure, Listing, Page, Reply};

#[derive(Serialize, ToSchema)]
#[schema(as = RechargeCardParty)]
pub struct Party {
    id: i64,
    name: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = RechargeCard)]
pub struct Row {
    id: i64,
    batch_id: i64,
    /// Its end alone, unless the caller may make cards.
    code: String,
    package: Party,
    #[schema(value_type = f64)]
    value: Number,
    #[schema(value_type = f64)]
    commission: Number,
    currency: String,
    distributor: Option<Party>,
    /// unissued, issued, used or expired.
    status: &'static str,
    expires_at: Option<String>,
    created_at: String,
    issued_at: Option<String>,
    used_at: Option<String>,
    customer_id: Option<i64>,
}

pub fn told(app: &App, caller: &Caller, row: Listed) -> Result<Row, Error> {
    let Listed { card, plan_name, distributor_name } = row;
    Ok(Row {
        id: card.id,
        batch_id: card.batch_id,
        code: cards::told_code(app, &card, caller.scopes.has(Scope::CardsWrite))?,
        package: Party { id: card.plan_id.0, name: plan_name },
        value: caller.amount(card.value),
        commission: caller.amount(card.commission),
        currency: caller.tenant.currency.code.clone(),
        distributor: card.distributor_id.zip(distributor_name).map(|(id, name)| Party { id: id.0, name }),
        status: card.state(caller.now).word(),
        expires_at: card.expires_at.map(utc_seconds),
        created_at: utc_seconds(card.created_at),
        issued_at: card.issued_at.map(utc_seconds),
        used_at: card.used_at.map(utc_seconds),
        customer_id: card.customer_id.map(|id| id.0),
    })
}

doors::form! {
    RechargeCardFilter {
        status: optional Word(CardState::WORDS), "Only those.";
        distributor_id: optional Id, "Only those in this distributor's hands.";
        package_id: optional Id, "Only those of this package.";
        batch_id: optional Id, "Only those of this batch.";
    }
}

pub const LIST: Operation = Operation::new("Recharge cards", "List all recharge cards", Scope::CardsRead)
    .about("A distributor sees the cards in its own hands.")
    .query::<RechargeCardFilter>()
    .lists::<Row>();

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(asked): Query<RechargeCardFilter>,
) -> Result<Listing<Row>, Failure> {
    let RechargeCardFilter { status, distributor_id, package_id, batch_id } = asked;
    let filter = Filter {
        state: status.value().and_then(CardState::from_word),
        distributor: distributor_id.map(StaffId).value(),
        plan: package_id.map(PlanId).value(),
        batch: batch_id.value(),
        branch: None,
    };
    of(&app, &caller, page, filter).await
}

/// A page of the cards that match.
pub async fn of(app: &App, caller: &Caller, page: Page, filter: Filter) -> Result<Listing<Row>, Failure> {
    let (rows, total) = cards::list(app, &caller.actor, filter, page.offset(), page.limit()).await?;
    let rows: Result<Vec<Row>, Error> = rows.into_iter().map(|row| told(app, caller, row)).collect();
    Ok(page.of(rows?, total))
}

doors::form! {
    NewCards {
        package_id: required Id, "What a card is good for.";
        quantity: required Integer(1, MAX_QUANTITY), "How many.";
        value: optional Amount, "What a customer pays for one, tax included; the package's price unless said otherwise.";
        commission: optional Amount, "What the distributor keeps of each: an amount, or per cent of the value.";
        commission_type: optional Word(&["fixed", "percent"]), "fixed unless said otherwise.";
        distributor_id: optional Id, "For whom they are made.";
        expires_at: optional Moment, "Until when they can be used.";
    }
}

#[derive(Serialize, ToSchema)]
pub struct NewCard {
    id: i64,
    code: String,
}

#[derive(Serialize, ToSchema)]
pub struct NewCardBatch {
    /// The batch's.
    id: i64,
    package_id: i64,
    quantity: i64,
    #[schema(value_type = f64)]
    value: Number,
    /// Of each card.
    #[schema(value_type = f64)]
    commission: Number,
    currency: String,
    distributor_id: Option<i64>,
    expires_at: Option<String>,
    created_at: String,
    /// With their codes.
    cards: Vec<NewCard>,
}

pub const GENERATE: Operation =
    Operation::new("Recharge cards", "Generate a batch of recharge cards", Scope::CardsWrite)
        .about("The cards are unissued; they can be redeemed once they are issued to a distributor.")
        .body::<NewCards>()
        .creates::<NewCardBatch>();

/// A thousandth of a per cent, as amounts are read, in parts per million.
const PERCENT: i64 = 10;

pub async fn generate(State(app): State<App>, caller: Caller, Body(body): Body<NewCards>) -> Answer<NewCardBatch> {
    let NewCards { package_id, quantity, value, commission, commission_type, distributor_id, expires_at } = body;
    let commission = commission.or(0);
    let command = NewBatch {
        plan: PlanId(package_id),
        distributor: distributor_id.map(StaffId).value(),
        value: value.value().map(|value| caller.money("value", value, 1)).transpose()?,
        commission: match commission_type.or("fixed") {
            "percent" if !(0..=100_000).contains(&commission) => {
                return Err(Error::invalid("commission", Why::TooLarge { max: 100 }).into());
            }
            "percent" => Commission::Percent(commission * PERCENT),
            _ => Commission::Fixed(caller.money("commission", commission, 0)?),
        },
        quantity,
        expires_at: expires_at.value(),
    };
    let made = cards::generate(&app, &caller.actor, command, caller.key.clone()).await?;
    Ok(Reply::created(NewCardBatch {
        id: made.batch.id,
        package_id: made.batch.plan_id.0,
        quantity: made.batch.quantity,
        value: caller.amount(made.batch.value),
        commission: caller.amount(made.batch.commission),
        currency: caller.tenant.currency.code.clone(),
        distributor_id: made.batch.distributor_id.map(|id| id.0),
        expires_at: made.batch.expires_at.map(utc_seconds),
        created_at: utc_seconds(made.batch.created_at),
        cards: made.cards.into_iter().map(|(Card { id, .. }, code)| NewCard { id, code }).collect(),
    }))
}

pub const SHOW: Operation =
    Operation::new("Recharge cards", "Retrieve a recharge card", Scope::CardsRead).answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let row = cards::show(&app, &caller.actor, id).await?;
    Ok(Reply::data(told(&app, &caller, row)?))
}

doors::form! {
    IssueCards {
        card_ids: optional Ids, "These cards; or say a batch.";
        batch_id: optional Id, "Cards of this batch.";
        quantity: optional Integer(1, MAX_QUANTITY), "So many of the batch; all that are left unless said.";
        distributor_id: optional Id, "Into whose hands; for whom the batch was made unless said.";
    }
}

#[derive(Serialize, ToSchema)]
pub struct IssuedCards {
    distributor_id: i64,
    quantity: i64,
    card_ids: Vec<i64>,
    /// Of all of them.
    #[schema(value_type = f64)]
    value: Number,
    #[schema(value_type = f64)]
    commission: Number,
    currency: String,
}

pub const ISSUE: Operation =
    Operation::new("Recharge cards", "Issue recharge cards to a distributor", Scope::CardsWrite)
        .body::<IssueCards>()
        .answers::<IssuedCards>();

pub async fn issue(State(app): State<App>, caller: Caller, Body(body): Body<IssueCards>) -> Answer<IssuedCards> {
    let IssueCards { card_ids, batch_id, quantity, distributor_id } = body;
    let handed = match (card_ids.value(), batch_id.value()) {
        (Some(ids), None) => Handed::Cards(ids),
        (None, Some(id)) => Handed::Batch { id, quantity: quantity.value() },
        (Some(_), Some(_)) => {
            return Err(Error::invalid("batch_id", Why::Not(Expected::WithCardIds)).into());
        }
        (None, None) => return Err(Error::invalid("batch_id", Why::Required).into()),
    };
    let distributor = distributor_id.map(StaffId).value();
    let done = cards::issue(&app, &caller.actor, handed, distributor, caller.key.clone()).await?;
    Ok(Reply::data(IssuedCards {
        distributor_id: done.distributor_id,
        quantity: done.cards.len() as i64,
        value: caller.amount(Money(done.value)),
        commission: caller.amount(Money(done.commission)),
        currency: caller.tenant.currency.code.clone(),
        card_ids: done.cards,
    }))
}

doors::form! {
    RedeemCard {
        code: required Text(4, 50), "The card's code; capitals, spaces and dashes do not count.";
        customer_id: required Id, "For whom.";
    }
}

#[derive(Serialize, ToSchema)]
pub struct RedeemedCard {
    card_id: i64,
    customer_id: i64,
    subscription_id: i64,
    package: Party,
    #[schema(value_type = f64)]
    value: Number,
    currency: String,
    /// Until when the customer is online now.
    expires_at: String,
}

pub const REDEEM: Operation = Operation::new("Recharge cards", "Redeem a recharge card", Scope::CardsWrite)
    .about("The customer's line gets the card's package at once. Five wrong codes a minute for a customer are enough.")
    .body::<RedeemCard>()
    .answers::<RedeemedCard>();

pub async fn redeem(State(app): State<App>, caller: Caller, Body(body): Body<RedeemCard>) -> Answer<RedeemedCard> {
    let RedeemCard { code, customer_id } = body;
    let done = cards::redeem(&app, &caller.actor, &code, CustomerId(customer_id), caller.key.clone()).await?;
    Ok(Reply::data(RedeemedCard {
        card_id: done.card_id,
        customer_id: done.customer_id,
        subscription_id: done.service_id,
        package: Party { id: done.plan_id, name: done.plan_name },
        value: caller.amount(Money(done.value)),
        currency: caller.tenant.currency.code.clone(),
        expires_at: utc_seconds(domain::Instant(done.expires_at)),
    }))
}

#[derive(Serialize, ToSchema)]
pub struct CardBatch {
    id: i64,
    package: Party,
    /// For whom it was made.
    distributor: Option<Party>,
    #[schema(value_type = f64)]
    value: Number,
    /// Of each card.
    #[schema(value_type = f64)]
    commission: Number,
    /// Per cent of the value, where it was said so.
    #[schema(value_type = Option<f64>)]
    commission_percent: Option<Number>,
    currency: String,
    quantity: i64,
    unissued: i64,
    issued: i64,
    used: i64,
    expired: i64,
    expires_at: Option<String>,
    created_at: String,
}

pub const BATCHES: Operation =
    Operation::new("Recharge cards", "List the batches of recharge cards", Scope::CardsRead).lists::<CardBatch>();

pub async fn batches(State(app): State<App>, caller: Caller, page: Page) -> Result<Listing<CardBatch>, Failure> {
    let (rows, total) = cards::batches(&app, &caller.actor, page.offset(), page.limit()).await?;
    let told = |row: ListedBatch| {
        let ListedBatch { batch, plan_name, distributor_name, unissued, issued, used, expired } = row;
        CardBatch {
            id: batch.id,
            package: Party { id: batch.plan_id.0, name: plan_name },
            distributor: batch.distributor_id.zip(distributor_name).map(|(id, name)| Party { id: id.0, name }),
            value: caller.amount(batch.value),
            commission: caller.amount(batch.commission),
            commission_percent: batch.commission_ppm.map(|ppm| doors::wire::thousandths(ppm / PERCENT)),
            currency: caller.tenant.currency.code.clone(),
            quantity: batch.quantity,
            unissued,
            issued,
            used,
            expired,
            expires_at: batch.expires_at.map(utc_seconds),
            created_at: utc_seconds(batch.created_at),
        }
    };
    Ok(page.of(rows.into_iter().map(told).collect(), total))
}
