//! Messages to customers. They are written in the change that causes them; whoever sends them takes them from there.

use domain::{BranchId, CustomerId};
use store::{
    db::Class,
    messages::message::{self, Message},
    people::customer,
};

use crate::{
    Actor, App, Change, Error, Refusal, Vault, What,
    kernel::{ids::Table, secrets::message_place},
    messages::{
        sms,
        templates::Channel,
        words::{self, Words},
    },
};

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

/// What a message is about, and whose it is.
pub(crate) struct About {
    pub kind: &'static str,
    pub customer: CustomerId,
    pub branch: Option<BranchId>,
}

/// One message to a customer, to be sent. What it tells in secret is sealed: readers see dots.
pub(crate) async fn write(
    change: &Change<'_>,
    vault: &Vault,
    channel: Channel,
    recipient: String,
    words: Words,
    about: About,
) -> Result<(), Error> {
    let mut row = match channel {
        // Paid from the credits like any other that a person sends.
        Channel::Sms => sms::paid(change, &recipient, &words.whole, about.branch).await?,
        Channel::Email => email(change, recipient, words.whole.clone(), about.branch).await?,
    };
    (row.kind, row.customer_id) = (about.kind.into(), Some(about.customer));
    if let Some(shown) = words.shown {
        row.sealed = Some(vault.seal(&message_place(change.isp, row.id), &words.whole));
        row.body = shown;
    }
    Ok(row.insert(change.tx).await?)
}

async fn email(
    change: &Change<'_>,
    recipient: String,
    body: String,
    branch: Option<BranchId>,
) -> Result<Message, Error> {
    Ok(Message {
        isp_id: change.isp,
        id: change.id(Table::Message).await?,
        channel: Channel::Email.word().into(),
        kind: String::new(),
        recipient,
        body,
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
        credits: 0,
        branch_id: branch,
        sealed: None,
    })
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
            let mut rows = message::of_customer(tx, isp, id, channel, 1000).await?;
            rows.reverse();
            Ok(rows)
        })
        .await
}

/// What waits to be sent, the oldest first, with all that it tells: for whoever sends it, and clears `sealed` with it.
pub async fn queued(app: &App, actor: &Actor, limit: i64) -> Result<Vec<Message>, Error> {
    let isp = actor.isp;
    let mut rows = app.db.read(async move |tx| message::queued(tx, isp, limit).await).await?;
    // What was sealed with a key that is not here holds up nobody else's.
    rows.retain_mut(|row| {
        let Some(sealed) = row.sealed.take() else { return true };
        let place = message_place(isp, row.id);
        match app.vault.open(&place, &sealed) {
            Some(whole) => row.body = whole,
            None => {
                tracing::error!(place, "does not open with this key, and is not sent");
                return false;
            }
        }
        true
    });
    Ok(rows)
}

/// Messages at a time.
const BLOCK: i64 = 500;

/// Hides what messages of before this was done tell in secret; what still waits to be sent is kept whole, sealed.
pub async fn hide_those_of_before(app: &App) -> Result<(), Error> {
    loop {
        let vault = app.vault.clone();
        let hidden = app.db.tx(Class::Bulk, async move |tx| {
            let rows = message::to_seal(tx, BLOCK).await?;
            for row in &rows {
                let sealed =
                    (row.status == "queued").then(|| vault.seal(&message_place(row.isp_id, row.id), &row.body));
                message::hide(tx, &Message { body: words::hide(&row.body), sealed, ..row.clone() }).await?;
            }
            Ok::<_, Error>(rows.len() as i64)
        });
        if hidden.await? < BLOCK {
            return Ok(());
        }
    }
}
