//! Webhooks: who is told what, over which address, and the log of it. [`notices`] makes what is told from what
//! happened; [`queue`] hands it out to be sent.

pub mod notices;
pub mod queue;

use domain::Scopes;
use serde_json::json;
use store::{
    db::Class,
    webhooks::webhook::{self, Delivery, Webhook},
};

pub use store::webhooks::webhook::Webhook as Row;

use crate::{
    Actor, App, Change, Error, Fact, Refusal, What, Who,
    kernel::{
        ids::Table,
        secrets::webhook_place,
        vault::{random_bytes, random_text},
    },
};

/// How many webhooks an Isp may have.
const MAX: i64 = 50;
/// About 238 bits.
const SECRET_LENGTH: usize = 40;
/// The name under which a test is delivered.
pub const TEST: &str = "webhook.test";
/// States of a delivery.
pub const STATES: &[&str] = &["pending", "delivered", "dead"];

#[derive(Clone, Debug)]
pub struct NewWebhook {
    pub url: String,
    /// Of [`notices::NAMES`].
    pub events: Vec<&'static str>,
    pub active: bool,
    /// One is made where none is given.
    pub secret: Option<String>,
}

/// A webhook and its secret, which is shown this once.
#[derive(Clone, Debug)]
pub struct Issued {
    pub webhook: Webhook,
    pub secret: String,
}

fn made_secret() -> String {
    format!("whsec_{}", random_text(SECRET_LENGTH))
}

/// Names once each, as they are kept.
fn listed(events: &[&'static str]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in events {
        if !names.contains(name) {
            names.push(name);
        }
    }
    json!(names).to_string()
}

/// The names a webhook is told of.
pub fn events_of(webhook: &Webhook) -> Vec<String> {
    serde_json::from_str(&webhook.events).unwrap_or_default()
}

/// Nobody has a webhook told, nor learns of one, what it may not read itself.
fn within<'a>(rights: Scopes, events: impl IntoIterator<Item = &'a String>) -> Result<(), Error> {
    let reads = notices::reads(events.into_iter().map(String::as_str));
    if reads.within(rights) { Ok(()) } else { Err(Error::Forbidden) }
}

/// Makes a webhook. `rights` are the caller's.
pub async fn create(app: &App, actor: &Actor, rights: Scopes, command: NewWebhook) -> Result<Issued, Error> {
    actor.writes()?;
    let id = app.new_id(Table::Webhook).await?;
    let secret = command.secret.clone().unwrap_or_else(made_secret);
    let sealed = app.vault.seal(&webhook_place(id), &secret);
    let who = actor.clone();
    let webhook = app
        .change(actor, Class::Interactive, async move |change| {
            if webhook::count(change.tx, change.isp).await? >= MAX {
                return Err(Error::Refused(Refusal::TooManyWebhooks));
            }
            let head = webhook::head_seq(change.tx, change.isp).await?;
            webhook::lock_cursor(change.tx, change.isp, head).await?;
            let row = Webhook {
                isp_id: change.isp,
                id,
                branch_id: who.branch,
                client_id: match who.who {
                    Who::Api(client) => Some(client),
                    Who::Staff(_) | Who::Customer(_) | Who::System => None,
                },
                url: command.url.clone(),
                events: listed(&command.events),
                active: command.active,
                secret: sealed.clone(),
                previous_secret: None,
                previous_until: None,
                since_seq: head,
                next_at: None,
                lease_owner: None,
                lease_until: None,
                failing_since: None,
                last_success_at: None,
                disabled_at: None,
                disabled_reason: None,
                created_at: change.now,
                updated_at: change.now,
                deleted_at: None,
            };
            within(rights, &events_of(&row))?;
            row.insert(change.tx).await?;
            change.tell(Fact::WebhookCreated { webhook: id, url: row.url.clone() });
            Ok(row)
        })
        .await?;
    Ok(Issued { webhook, secret })
}

/// The newest first, and how many there are.
pub async fn list(app: &App, actor: &Actor, offset: i64, limit: i64) -> Result<(Vec<Webhook>, i64), Error> {
    let (isp, branch) = (actor.isp, actor.branch);
    Ok(app.db.read(async move |tx| webhook::list(tx, isp, branch, offset, limit).await).await?)
}

pub async fn show(app: &App, actor: &Actor, id: i64) -> Result<Webhook, Error> {
    let isp = actor.isp;
    let row = app.db.read(async move |tx| webhook::find(tx, isp, id).await).await?;
    let row = row.ok_or(Error::NotFound { what: What::Webhook })?;
    actor.reaches(row.branch_id)?;
    Ok(row)
}

async fn locked(change: &Change<'_>, actor: &Actor, id: i64) -> Result<Webhook, Error> {
    let row = webhook::lock(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Webhook })?;
    actor.reaches(row.branch_id)?;
    Ok(row)
}

/// A webhook of which the caller may read what it is told: whoever sets its address or has its secret reads it.
async fn readable(change: &Change<'_>, actor: &Actor, rights: Scopes, id: i64) -> Result<Webhook, Error> {
    let row = locked(change, actor, id).await?;
    within(rights, &events_of(&row))?;
    Ok(row)
}

/// `None` leaves a field as it is.
#[derive(Clone, Default, Debug)]
pub struct WebhookChange {
    pub url: Option<String>,
    pub events: Option<Vec<&'static str>>,
    pub active: Option<bool>,
    /// Only if it was last changed then.
    pub unchanged_since: Option<domain::Instant>,
}

/// Changes what is given. Activated again, or with a new address, it is asked at once what waits for it; what happened
/// while it was not active is not told.
pub async fn update(
    app: &App,
    actor: &Actor,
    rights: Scopes,
    id: i64,
    command: WebhookChange,
) -> Result<Webhook, Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let head = webhook::head_seq(change.tx, change.isp).await?;
        let before = readable(change, &who, rights, id).await?;
        if command.unchanged_since.is_some_and(|at| at != before.updated_at) {
            return Err(Error::Changed);
        }
        let mut row = before.clone();
        row.url = command.url.clone().unwrap_or(row.url);
        row.events = command.events.as_deref().map_or(row.events, listed);
        row.active = command.active.unwrap_or(row.active);
        within(rights, &events_of(&row))?;
        if row == before {
            return Ok(row);
        }
        let activated = row.active && !before.active;
        if activated {
            row.since_seq = head;
            row.disabled_at = None;
            row.disabled_reason = None;
        }
        if activated || row.url != before.url {
            row.failing_since = None;
            if let Some(mut first) = webhook::head(change.tx, change.isp, id).await? {
                first.next_at = change.now;
                webhook::update_delivery(change.tx, &first).await?;
                row.next_at = Some(change.now);
            }
        }
        row.updated_at = change.now.max(before.updated_at.plus(1));
        webhook::update(change.tx, &row).await?;
        change.tell(Fact::WebhookUpdated { webhook: id, url: row.url.clone(), active: row.active });
        Ok(row)
    })
    .await
}

/// Nothing more is sent, what waits included.
pub async fn delete(app: &App, actor: &Actor, id: i64) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let mut row = locked(change, &who, id).await?;
        row.active = false;
        row.next_at = None;
        row.previous_secret = None;
        row.updated_at = change.now;
        row.deleted_at = Some(change.now);
        webhook::update(change.tx, &row).await?;
        webhook::end_queue(change.tx, change.isp, id).await?;
        change.tell(Fact::WebhookDeleted { webhook: id, url: row.url.clone() });
        Ok(())
    })
    .await
}

/// Gives it a new secret. For `overlap` microseconds deliveries are signed with the old one as well.
pub async fn rotate(app: &App, actor: &Actor, rights: Scopes, id: i64, overlap: i64) -> Result<Issued, Error> {
    actor.writes()?;
    let who = actor.clone();
    let secret = made_secret();
    let sealed = app.vault.seal(&webhook_place(id), &secret);
    let webhook = app
        .change(actor, Class::Interactive, async move |change| {
            let mut row = readable(change, &who, rights, id).await?;
            let old = std::mem::replace(&mut row.secret, sealed.clone());
            row.previous_secret = (overlap > 0).then_some(old);
            row.previous_until = (overlap > 0).then(|| change.now.plus(overlap));
            row.updated_at = change.now.max(row.updated_at.plus(1));
            webhook::update(change.tx, &row).await?;
            change.tell(Fact::WebhookRotated { webhook: id, overlap_us: overlap });
            Ok(row)
        })
        .await?;
    Ok(Issued { webhook, secret })
}

/// A delivery with what came of each attempt.
#[derive(Clone, Debug)]
pub struct Logged {
    pub delivery: Delivery,
    pub attempts: Vec<webhook::Attempt>,
}

/// The newest deliveries first, and how many there are.
pub async fn deliveries(
    app: &App,
    actor: &Actor,
    rights: Scopes,
    id: i64,
    state: Option<&'static str>,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Logged>, i64), Error> {
    within(rights, &events_of(&show(app, actor, id).await?))?;
    let isp = actor.isp;
    app.db
        .read(async move |tx| {
            let (rows, total) = webhook::deliveries(tx, isp, id, state, offset, limit).await?;
            // It may have been told of more in the past.
            within(rights, rows.iter().map(|row| &row.event))?;
            let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
            let attempts = webhook::attempts(tx, isp, &ids).await?;
            let logged = rows.into_iter().map(|delivery| {
                let mine = attempts.iter().filter(|attempt| attempt.delivery_id == delivery.id).cloned().collect();
                Logged { delivery, attempts: mine }
            });
            Ok((logged.collect(), total))
        })
        .await
}

/// Sends a delivery that has ended once more, the same bytes under the same id, behind what waits already.
pub async fn replay(app: &App, actor: &Actor, rights: Scopes, id: i64, delivery: i64) -> Result<Delivery, Error> {
    actor.writes()?;
    let (who, ids) = (actor.clone(), app.ids.clone());
    app.change(actor, Class::Interactive, async move |change| {
        let hook = readable(change, &who, rights, id).await?;
        let row = webhook::delivery(change.tx, change.isp, id, delivery).await?;
        let mut row = row.ok_or(Error::NotFound { what: What::Delivery })?;
        within(rights, [&row.event])?;
        if !hook.active {
            return Err(Error::Refused(Refusal::WebhookInactive));
        }
        if row.state == "pending" {
            return Err(Error::Refused(Refusal::DeliveryWaits));
        }
        row.position = ids.draw_run(change.tx, Table::Delivery, 1).await?;
        row.state = "pending".into();
        row.round = 0;
        row.next_at = change.now;
        row.delivered_at = None;
        webhook::update_delivery(change.tx, &row).await?;
        webhook::wake(change.tx, change.isp, id, change.now).await?;
        Ok(row)
    })
    .await
}

/// Sends a delivery named [`TEST`], so that somebody can see whether it arrives.
pub async fn test(app: &App, actor: &Actor, id: i64) -> Result<Delivery, Error> {
    actor.writes()?;
    let (who, ids) = (actor.clone(), app.ids.clone());
    let event_id = format!("evt_{}", crate::kernel::vault::hex(&random_bytes::<12>()));
    app.change(actor, Class::Interactive, async move |change| {
        let hook = locked(change, &who, id).await?;
        if !hook.active {
            return Err(Error::Refused(Refusal::WebhookInactive));
        }
        let number = ids.draw_run(change.tx, Table::Delivery, 1).await?;
        let data = json!({ "webhook_id": id });
        let row = queue::new_delivery(change.isp, id, number, None, TEST, &event_id, change.now, change.now, &data);
        webhook::queue(change.tx, change.isp, std::slice::from_ref(&row), change.now).await?;
        Ok(row)
    })
    .await
}

/// Deliveries that ended are kept this long; those that never arrived longer, so that they can be replayed.
pub async fn forget(app: &App, delivered_kept: i64, dead_kept: i64) -> Result<(), Error> {
    const AT_ONCE: i64 = 500;
    let now = app.clock.now();
    let (delivered, dead) = (now.plus(-delivered_kept), now.plus(-dead_kept));
    while app.db.tx(Class::Bulk, async move |tx| webhook::forget(tx, delivered, dead, AT_ONCE).await).await? > 0 {}
    Ok(())
}
