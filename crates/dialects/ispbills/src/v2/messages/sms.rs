//! SMS: to one recipient, to many, to customers of a kind; the history, and credits.

use axum::extract::State;
use domain::{PlanId, Scope};
use doors::{
    Operation,
    form::{Body, Query},
};
use serde::Serialize;
use service::{
    App,
    messages::sms::{self, Customers, MAX_RECIPIENTS, Standing},
};
use utoipa::ToSchema;

use crate::{
    envelope::{Answer, Caller, Failure, Listing, Page, Reply},
    messages::{self, Balance, Message, Wanted},
};

const TAG: &str = "SMS";
/// Ten segments.
const MAX_TEXT: usize = 1530;

pub const BALANCE: Operation = Operation::new(TAG, "Current SMS balance", Scope::SmsRead).answers::<Balance>();

pub async fn balance(State(app): State<App>, caller: Caller) -> Answer<Balance> {
    Ok(Reply::data(Balance { balance: sms::balance(&app, &caller.actor).await? }))
}

doors::form! {
    SmsToSend {
        phone: required Phone, "The recipient's number.";
        message: required Lines(MAX_TEXT), "The text; each segment takes a credit.";
    }
}

/// An SMS on its way.
#[derive(Serialize, ToSchema)]
#[schema(as = SmsQueued)]
pub struct Queued {
    message_id: String,
    /// `queued`.
    status: &'static str,
    phone: String,
    credits_used: i64,
    credits_remaining: i64,
}

pub const SEND: Operation = Operation::new(TAG, "Send an SMS to one recipient", Scope::SmsSend)
    .about("A text of up to 160 GSM characters (70 of others) is one segment; longer ones have 153 (67) in each.")
    .body::<SmsToSend>()
    .answers::<Queued>();

pub async fn send(State(app): State<App>, caller: Caller, Body(body): Body<SmsToSend>) -> Answer<Queued> {
    let SmsToSend { phone, message } = body;
    let sent = sms::send(&app, &caller.actor, "sms_v2_", phone, message, caller.key).await?;
    Ok(Reply::data(Queued {
        message_id: sent.handle,
        status: "queued",
        phone: sent.phone,
        credits_used: sent.credits_used,
        credits_remaining: sent.credits_remaining,
    }))
}

doors::form! {
    SmsBroadcast {
        phones: required Phones(MAX_RECIPIENTS), "The recipients; a number that occurs twice gets one message.";
        message: required Lines(MAX_TEXT), "The text; each segment takes a credit for each recipient.";
    }
}

/// Many SMS on their way.
#[derive(Serialize, ToSchema)]
#[schema(as = SmsBatch)]
pub struct Batch {
    batch_id: String,
    /// `queued`.
    status: &'static str,
    recipients: i64,
    credits_used: i64,
    credits_remaining: i64,
}

impl From<sms::Broadcast> for Batch {
    fn from(sent: sms::Broadcast) -> Batch {
        let sms::Broadcast { batch, recipients, credits_used, credits_remaining } = sent;
        Batch { batch_id: batch, status: "queued", recipients, credits_used, credits_remaining }
    }
}

pub const BROADCAST: Operation = Operation::new(TAG, "Broadcast SMS to multiple recipients", Scope::SmsSend)
    .about("All of them get the message, or nobody where the credits do not suffice.")
    .body::<SmsBroadcast>()
    .answers::<Batch>();

pub async fn broadcast(State(app): State<App>, caller: Caller, Body(body): Body<SmsBroadcast>) -> Answer<Batch> {
    let SmsBroadcast { phones, message } = body;
    Ok(Reply::data(sms::broadcast(&app, &caller.actor, phones, message, caller.key).await?.into()))
}

const STANDINGS: &[&str] = &["active", "expired", "suspended", "disabled"];

doors::form! {
    SmsToCustomers {
        status: optional Word(STANDINGS), "Customers whose connection stands so; all where it is left out.";
        package_id: optional Id, "Customers on this package.";
        message: required Lines(MAX_TEXT), "The text; each segment takes a credit for each recipient.";
    }
}

pub const BROADCAST_TO: Operation = Operation::new(TAG, "Broadcast SMS to customers of a kind", Scope::SmsSend)
    .about("Every customer with a phone number who meets the conditions, 10,000 at most.")
    .body::<SmsToCustomers>()
    .answers::<Batch>();

pub async fn broadcast_to(State(app): State<App>, caller: Caller, Body(body): Body<SmsToCustomers>) -> Answer<Batch> {
    let SmsToCustomers { status, package_id, message } = body;
    let standing = status.value().map(|word| match word {
        "active" => Standing::Active,
        "expired" => Standing::Expired,
        "suspended" => Standing::Suspended,
        _ => Standing::Disabled,
    });
    let customers = Customers { standing, plan: package_id.value().map(PlanId) };
    Ok(Reply::data(sms::broadcast_to(&app, &caller.actor, customers, message, caller.key).await?.into()))
}

pub const HISTORY: Operation =
    Operation::new(TAG, "SMS delivery history", Scope::SmsRead).query::<Wanted>().lists::<Message>();

pub async fn history(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(wanted): Query<Wanted>,
) -> Result<Listing<Message>, Failure> {
    let filter = messages::filter(&caller, wanted);
    let (rows, total) = sms::history(&app, &caller.actor, filter, page.offset(), page.limit()).await?;
    Ok(page.of(rows.into_iter().map(Message::from).collect(), total))
}

doors::form! {
    SmsCredits {
        credits: required Integer(1, 100_000_000), "How many were bought.";
        note: optional Text(1, 200), "Kept with the movement: an order's number, say.";
    }
}

pub const TOP_UP: Operation =
    Operation::new(TAG, "Add SMS credits", Scope::SmsCredits).body::<SmsCredits>().answers::<Balance>();

pub async fn top_up(State(app): State<App>, caller: Caller, Body(body): Body<SmsCredits>) -> Answer<Balance> {
    let SmsCredits { credits, note } = body;
    let balance = sms::top_up(&app, &caller.actor, credits, note.value(), caller.key).await?;
    Ok(Reply::data(Balance { balance }))
}
