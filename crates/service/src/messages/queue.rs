//! Messages to customers. They are written in the change that causes them; whoever sends them takes them from there.

use domain::{BranchId, CustomerId};
use store::{db::Class, messages::message::Message, people::customer};

use crate::{Actor, App, Change, Error, Refusal, What, kernel::ids::Table, messages::sms};

/// Writes an SMS to a customer, paid from the credits like any other that a person sends.
pub async fn to_customer(app: &App, actor: &Actor, id: CustomerId, text: String) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let owner = customer::find(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
        who.reaches(owner.branch_id)?;
        if owner.phone.is_empty() {
            return Err(Error::Refused(Refusal::NoPhone));
        }
        sms::write(change, &sms::handle("sms_"), &owner.phone, &text, Some(id), owner.branch_id).await.map(drop)
    })
    .await
}

/// One message to a customer, to be sent.
pub(crate) async fn write(
    change: &Change<'_>,
    channel: &str,
    kind: &str,
    recipient: String,
    body: String,
    customer: CustomerId,
    branch: Option<BranchId>,
) -> Result<(), Error> {
    if channel == "sms" {
        // Paid from the credits like any other that a person sends.
        return sms::write_as(change, kind, &recipient, &body, Some(customer), branch).await;
    }
    let row = Message {
        isp_id: change.isp,
        id: change.id(Table::Message).await?,
        channel: channel.into(),
        kind: kind.into(),
        recipient,
        body,
        customer_id: Some(customer),
        status: "queued".into(),
        attempts: 0,
        next_at: change.now,
        provider_ref: None,
        error: None,
        created_at: change.now,
        sent_at: None,
        handle: None,
        batch: None,
        credits: 0,
        branch_id: branch,
    };
    Ok(row.insert(change.tx).await?)
}

/// What a customer was sent by a channel, the oldest first; the last 1000.
pub async fn of_customer(
    app: &App,
    actor: &Actor,
    id: CustomerId,
    channel: &'static str,
) -> Result<Vec<Message>, Error> {
    let (isp, who) = (actor.isp, actor.clone());
    app.db
        .read(async move |tx| {
            let owner = customer::any(tx, isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
            who.reaches(owner.branch_id)?;
            let mut rows = store::messages::message::of_customer(tx, isp, id, channel, 1000).await?;
            rows.reverse();
            Ok(rows)
        })
        .await
}

/// What waits to be sent, the oldest first.
pub async fn queued(app: &App, actor: &Actor, limit: i64) -> Result<Vec<Message>, Error> {
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| store::messages::message::queued(tx, isp, limit).await).await?)
}
