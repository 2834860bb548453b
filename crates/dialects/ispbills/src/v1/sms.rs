//! SMS: the history, what is left, and a message to one recipient.

use axum::extract::State;
use domain::Scope;
use doors::{
    Operation,
    form::{Body, Query},
};
use serde::Serialize;
use service::{App, messages::sms};
use utoipa::ToSchema;

use crate::{
    envelope::{Answer, Caller, Failure, Listing, Page, Reply},
    messages::{self, Balance, Message, Wanted},
};

const TAG: &str = "SMS";

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

pub const BALANCE: Operation = Operation::new(TAG, "Current SMS balance", Scope::SmsRead).answers::<Balance>();

pub async fn balance(State(app): State<App>, caller: Caller) -> Answer<Balance> {
    Ok(Reply::data(Balance { balance: sms::balance(&app, &caller.actor).await? }))
}

doors::form! {
    SmsToSend {
        phone: required Phone, "The recipient's number.";
        message: required Lines(1530), "The text; each segment takes a credit.";
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
}

pub const SEND: Operation = Operation::new(TAG, "Send an SMS", Scope::SmsSend).body::<SmsToSend>().answers::<Queued>();

pub async fn send(State(app): State<App>, caller: Caller, Body(body): Body<SmsToSend>) -> Answer<Queued> {
    let SmsToSend { phone, message } = body;
    let sent = sms::send(&app, &caller.actor, "sms_", phone, message, caller.key).await?;
    Ok(Reply::data(Queued { message_id: sent.handle, status: "queued", phone: sent.phone }))
}
