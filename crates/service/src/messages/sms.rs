//! SMS that API clients send: messages of the durable queue, paid from the Isp's credits in the same transaction.
//! Messages the system writes by itself (receipts) take none.

use domain::{BranchId, CustomerId, PlanId, messages::sms::segments};
use serde::{Deserialize, Serialize};
use store::messages::{
    message::{self, Filter, Message},
    sms::{self, Audience, Movement},
};

pub use store::messages::{
    message::{Filter as HistoryFilter, Message as Row},
    sms::Standing,
};

use crate::{
    Actor, App, Change, Error, Refusal, Why,
    kernel::{
        change::CallerKey,
        facts::Reach,
        ids::Table,
        vault::{hex, random_bytes},
    },
};

/// Recipients of one broadcast.
pub const MAX_RECIPIENTS: usize = 10_000;
/// States of a message.
pub const STATES: &[&str] = &["queued", "sent", "failed"];
const CHANNEL: &str = "sms";

/// One message on its way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Sent {
    pub handle: String,
    pub phone: String,
    pub credits_used: i64,
    pub credits_remaining: i64,
}

/// A message to one recipient; `prefix` begins its public handle.
pub async fn send(
    app: &App,
    actor: &Actor,
    prefix: &'static str,
    phone: String,
    text: String,
    key: Option<CallerKey>,
) -> Result<Sent, Error> {
    actor.writes()?;
    let (branch, handle) = (actor.branch, handle(prefix));
    app.change_once(actor, key, async move |change| write(change, &handle, &phone, &text, None, branch).await).await
}

/// Writes one message and takes its credits.
pub(crate) async fn write(
    change: &Change<'_>,
    handle: &str,
    phone: &str,
    text: &str,
    customer: Option<CustomerId>,
    branch: Option<BranchId>,
) -> Result<Sent, Error> {
    let credits = segments(text);
    let remaining = pay(change, credits, handle).await?;
    let row = written(change, phone, text, credits, branch).await?;
    Message { handle: Some(handle.into()), customer_id: customer, ..row }.insert(change.tx).await?;
    Ok(Sent { handle: handle.into(), phone: phone.into(), credits_used: credits, credits_remaining: remaining })
}

/// One message whose credits are taken, for the caller to write.
pub(crate) async fn paid(
    change: &Change<'_>,
    phone: &str,
    text: &str,
    branch: Option<BranchId>,
) -> Result<Message, Error> {
    let (credits, name) = (segments(text), handle("sms_"));
    pay(change, credits, &name).await?;
    let row = written(change, phone, text, credits, branch).await?;
    Ok(Message { handle: Some(name), ..row })
}

/// Many messages on their way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Broadcast {
    pub batch: String,
    pub recipients: i64,
    pub credits_used: i64,
    pub credits_remaining: i64,
}

/// The same message to all of them, or to nobody. A number that occurs twice gets one.
pub async fn broadcast(
    app: &App,
    actor: &Actor,
    phones: Vec<String>,
    text: String,
    key: Option<CallerKey>,
) -> Result<Broadcast, Error> {
    actor.writes()?;
    let (branch, batch) = (actor.branch, handle("batch_"));
    let mut people: Vec<(String, Option<CustomerId>, Option<BranchId>)> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for phone in phones {
        if seen.insert(phone.clone()) {
            people.push((phone, None, branch));
        }
    }
    app.change_once(actor, key, async move |change| send_all(change, &people, &text, &batch).await).await
}

/// Which customers a message goes to; all given conditions hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Customers {
    pub standing: Option<Standing>,
    pub plan: Option<PlanId>,
}

/// The same message to every customer of a kind who has a phone number.
pub async fn broadcast_to(
    app: &App,
    actor: &Actor,
    customers: Customers,
    text: String,
    key: Option<CallerKey>,
) -> Result<Broadcast, Error> {
    actor.writes()?;
    let (branch, batch) = (actor.branch, handle("batch_"));
    app.change_once(actor, key, async move |change| {
        if let Some(plan) = customers.plan
            && store::catalogue::plan::find(change.tx, change.isp, plan).await?.is_none()
        {
            return Err(Error::invalid("package_id", Why::Unknown));
        }
        let audience = Audience { branch, plan: customers.plan, standing: customers.standing };
        let limit = MAX_RECIPIENTS as i64 + 1;
        let found = sms::audience(change.tx, change.isp, &audience, change.now, limit).await?;
        match found.len() {
            0 => return Err(Error::Refused(Refusal::NobodyWithPhone)),
            n if n > MAX_RECIPIENTS => {
                return Err(Error::Refused(Refusal::TooManyRecipients));
            }
            _ => {}
        }
        let people: Vec<_> =
            found.into_iter().map(|(phone, customer, branch)| (phone, Some(customer), branch)).collect();
        send_all(change, &people, &text, &batch).await
    })
    .await
}

async fn send_all(
    change: &Change<'_>,
    people: &[(String, Option<CustomerId>, Option<BranchId>)],
    text: &str,
    batch: &str,
) -> Result<Broadcast, Error> {
    let (recipients, each) = (people.len() as i64, segments(text));
    let credits = each * recipients;
    let remaining = pay(change, credits, batch).await?;
    let mut rows = Vec::with_capacity(people.len());
    for (phone, customer, branch) in people {
        let row = written(change, phone, text, each, *branch).await?;
        rows.push(Message {
            handle: Some(handle("sms_v2_")),
            batch: Some(batch.into()),
            customer_id: *customer,
            ..row
        });
    }
    message::insert_all(change.tx, &rows).await?;
    Ok(Broadcast { batch: batch.into(), recipients, credits_used: credits, credits_remaining: remaining })
}

async fn written(
    change: &Change<'_>,
    phone: &str,
    text: &str,
    credits: i64,
    branch: Option<BranchId>,
) -> Result<Message, Error> {
    Ok(Message {
        isp_id: change.isp,
        id: change.id(Table::Message).await?,
        channel: CHANNEL.into(),
        kind: "api".into(),
        recipient: phone.into(),
        body: text.into(),
        customer_id: None,
        status: "queued".into(),
        attempts: 0,
        next_at: change.now,
        provider_ref: None,
        error: None,
        created_at: change.now,
        sent_at: None,
        handle: None,
        batch: None,
        credits,
        branch_id: branch,
        sealed: None,
    })
}

/// Twelve hexadecimal digits behind a prefix.
pub(crate) fn handle(prefix: &str) -> String {
    format!("{prefix}{}", hex(&random_bytes::<6>()))
}

/// Takes credits or refuses; what is left.
async fn pay(change: &Change<'_>, credits: i64, what: &str) -> Result<i64, Error> {
    let left = sms::take(change.tx, change.isp, credits).await?.ok_or(Error::Refused(Refusal::NoCredits))?;
    moved(change, -credits, left, what).await?;
    Ok(left)
}

async fn moved(change: &Change<'_>, delta: i64, balance: i64, reason: &str) -> Result<(), Error> {
    let id = change.id(Table::SmsMovement).await?;
    let (actor, reason) = (change.actor.into(), reason.into());
    let row = Movement { isp_id: change.isp, id, at: change.now, delta, balance, reason, actor };
    Ok(row.insert(change.tx).await?)
}

pub async fn balance(app: &App, actor: &Actor) -> Result<i64, Error> {
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| sms::balance(tx, isp).await).await?)
}

/// Adds bought credits; what there is then.
pub async fn top_up(
    app: &App,
    actor: &Actor,
    credits: i64,
    note: Option<String>,
    key: Option<CallerKey>,
) -> Result<i64, Error> {
    actor.writes()?;
    app.change_once(actor, key, async move |change| {
        // Credits are no fact of the feed's: the change is told here whose they are.
        change.concerns(Reach::WholeIsp);
        let balance = sms::add(change.tx, change.isp, credits).await?;
        moved(change, credits, balance, note.as_deref().unwrap_or("top-up")).await?;
        Ok(balance)
    })
    .await
}

/// Messages that match, newest first, and how many there are. A branch sees its own.
pub async fn history(
    app: &App,
    actor: &Actor,
    wanted: Filter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Message>, i64), Error> {
    let isp = actor.isp;
    let filter = Filter { branch: actor.branch.or(wanted.branch), ..wanted };
    Ok(app.db.read(async move |tx| message::list(tx, isp, CHANNEL, &filter, offset, limit).await).await?)
}
