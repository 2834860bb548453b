//! Deliveries on their way. A follower turns events into rows, in the transaction that moves its cursor, so that none is
//! lost and none is made twice; whoever sends holds a lease on the webhook and sends what is at the head of its queue.
//! A crash in between means that a receiver may get a delivery twice, under the same id.

use domain::{
    Instant, IspId, Scopes,
    webhooks::delivery::{self, Next},
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use store::{
    db::{Class, Tx},
    identity::staff,
    kernel::event,
    messages::message::Message,
    webhooks::webhook::{self, Attempt, Delivery, Webhook},
};

use super::notices;
use crate::{
    Actor, App, Change, Error, Fact, Vault,
    identity::clients,
    kernel::{ids::Table, secrets::webhook_place, vault::hex},
    messages::words,
};

/// Events turned into deliveries in one transaction.
const BATCH: i64 = 256;
/// A lease outlasts an attempt by far and is renewed with each.
const LEASE: i64 = 30 * domain::kernel::clock::SECOND;
/// So much of an answer is kept.
pub const ANSWER_KEPT: usize = 1000;

/// Queues what happened since the last look, for every Isp that has webhooks. How many deliveries that made.
pub async fn fan_out(app: &App) -> Result<usize, Error> {
    let behind = app.db.read(async |tx| webhook::behind(tx).await).await?;
    let mut made = 0;
    for isp in behind {
        while let Some(count) = fan_out_some(app, isp).await? {
            made += count;
        }
    }
    Ok(made)
}

/// One batch; `None` when there was nothing left.
async fn fan_out_some(app: &App, isp: IspId) -> Result<Option<usize>, Error> {
    let (tenant, now, ids) = (app.tenant(isp).await?, app.clock.now(), app.ids.clone());
    app.db
        .tx(Class::Bulk, async move |tx| {
            let cursor = webhook::lock_cursor(tx, isp, 0).await?;
            let hooks = webhook::active(tx, isp).await?;
            let Some(oldest) = hooks.iter().map(|hook| hook.since_seq).min() else { return Ok(None) };
            let events = event::after(tx, isp, cursor.max(oldest), BATCH).await?;
            let Some(last) = events.last() else { return Ok(None) };
            let hooks = listeners(tx, hooks).await?;
            let wanted: Vec<String> = hooks.iter().flat_map(|(_, names)| names.clone()).collect();
            let notices = notices::of(tx, &tenant, &events, &wanted).await?;
            let mut rows = Vec::new();
            for notice in &notices {
                for (hook, names) in &hooks {
                    let theirs = hook.branch_id.is_none_or(|branch| notice.branch == Some(branch));
                    if theirs && notice.seq > hook.since_seq && names.iter().any(|name| name == notice.name) {
                        let id = event_id(isp, notice.seq, notice.name);
                        let seq = Some(notice.seq);
                        rows.push(new_delivery(isp, hook.id, 0, seq, notice.name, &id, notice.at, now, &notice.data));
                    }
                }
            }
            if !rows.is_empty() {
                let first = ids.draw_run(tx, Table::Delivery, rows.len() as i64).await?;
                for (row, number) in rows.iter_mut().zip(first..) {
                    row.id = number;
                    row.position = number;
                }
                webhook::queue(tx, isp, &rows, now).await?;
            }
            webhook::move_cursor(tx, isp, last.seq).await?;
            Ok(Some(rows.len()))
        })
        .await
}

/// Each with the names it is told now: what whoever made it may read at this moment.
async fn listeners(tx: &Tx, hooks: Vec<Webhook>) -> Result<Vec<(Webhook, Vec<String>)>, Error> {
    let mut listeners = Vec::with_capacity(hooks.len());
    for hook in hooks {
        let mut names = super::events_of(&hook);
        if let Some(id) = hook.client_id {
            let rights = match staff::client(tx, hook.isp_id, id).await? {
                Some(client) => clients::known(tx, &client).await?.map(|known| known.scopes),
                None => None,
            };
            let rights = rights.unwrap_or(Scopes::NONE);
            names.retain(|name| notices::reads([name.as_str()]).within(rights));
        }
        listeners.push((hook, names));
    }
    Ok(listeners)
}

/// The same for every receiver, and however often it is made.
/// The same event's id under each name it is sent by.
pub fn event_id(isp: IspId, seq: i64, name: &str) -> String {
    let hash = Sha256::digest(format!("{isp}:{seq}:{name}").as_bytes());
    format!("evt_{}", hex(&hash[..12]))
}

pub(super) fn new_delivery(
    isp: IspId,
    webhook: i64,
    number: i64,
    seq: Option<i64>,
    name: &str,
    event_id: &str,
    at: Instant,
    now: Instant,
    data: &Json,
) -> Delivery {
    let body = json!({ "id": event_id, "event": name, "timestamp": notices::utc(at), "data": data });
    Delivery {
        isp_id: isp,
        id: number,
        webhook_id: webhook,
        position: number,
        event_seq: seq,
        event: name.into(),
        event_id: event_id.into(),
        body: body.to_string(),
        state: "pending".into(),
        attempts: 0,
        round: 0,
        next_at: now,
        last_at: None,
        last_status: None,
        last_error: None,
        last_ms: None,
        created_at: now,
        delivered_at: None,
    }
}

// ---- sending ----

/// A webhook whose queue this process holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    pub isp: IspId,
    pub webhook: i64,
}

/// A request to be made: these bytes, with these headers, to this address.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub held: Held,
    pub delivery: i64,
    pub url: String,
    pub body: String,
    pub headers: Vec<(&'static str, String)>,
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// The beginning of the answer.
    pub answer: Option<String>,
    pub ms: i64,
}

impl Outcome {
    pub fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// Takes up to `limit` webhooks whose queue is due; no other node sends to them meanwhile.
pub async fn claim(app: &App, limit: i64) -> Result<Vec<Held>, Error> {
    let (now, node) = (app.clock.now(), app.node.clone());
    // Mostly nothing is due: a look does not take the writer.
    if !app.db.read(async move |tx| webhook::is_any_due(tx, now).await).await? {
        return Ok(Vec::new());
    }
    let until = now.plus(LEASE);
    let rows = app.db.tx(Class::Bulk, async move |tx| webhook::claim(tx, &node, now, until, limit).await).await?;
    Ok(rows.into_iter().map(|row| Held { isp: row.isp_id, webhook: row.id }).collect())
}

/// The first delivery of a queue that is held.
pub async fn first(app: &App, held: Held) -> Result<Option<Outgoing>, Error> {
    let (now, node, vault) = (app.clock.now(), app.node.clone(), app.vault.clone());
    app.db
        .tx(Class::Bulk, async move |tx| {
            let Some(mut hook) = mine(tx, held, &node).await? else { return Ok(None) };
            onward(tx, &vault, &mut hook, now).await
        })
        .await
}

/// Writes down what came of a delivery; the next one of the queue, or `None` when the queue is let go of.
pub async fn finish(app: &App, sent: &Outgoing, outcome: Outcome) -> Result<Option<Outgoing>, Error> {
    let (held, delivery) = (sent.held, sent.delivery);
    let (now, node, vault) = (app.clock.now(), app.node.clone(), app.vault.clone());
    if outcome.is_success() {
        return app
            .db
            .tx(Class::Bulk, async move |tx| {
                let hook = mine(tx, held, &node).await?;
                record(tx, held, delivery, &outcome, Step::Delivered, now).await?;
                let Some(mut hook) = hook else { return Ok(None) };
                hook.failing_since = None;
                hook.last_success_at = Some(now);
                onward(tx, &vault, &mut hook, now).await
            })
            .await;
    }
    app.change(&Actor::system(held.isp), Class::Bulk, async move |change| {
        let Some(mut hook) = mine(change.tx, held, &node).await? else {
            record(change.tx, held, delivery, &outcome, Step::Nothing, change.now).await?;
            return Ok(None);
        };
        let since = *hook.failing_since.get_or_insert(change.now);
        record(change.tx, held, delivery, &outcome, Step::Failed { since }, change.now).await?;
        if delivery::is_given_up(since, change.now) {
            give_up(change, &mut hook, &outcome).await?;
        }
        onward(change.tx, &vault, &mut hook, change.now).await
    })
    .await
}

/// Lets go of a queue with deliveries that are due: others may send them.
pub async fn release(app: &App, held: Held) -> Result<(), Error> {
    let node = app.node.clone();
    app.db
        .tx(Class::Bulk, async move |tx| {
            if let Some(mut hook) = mine(tx, held, &node).await? {
                hook.lease_owner = None;
                hook.lease_until = None;
                webhook::update(tx, &hook).await?;
            }
            Ok(())
        })
        .await
}

/// The webhook, locked, while it lives and this process holds it.
async fn mine(tx: &Tx, held: Held, node: &str) -> Result<Option<Webhook>, Error> {
    let row = webhook::lock(tx, held.isp, held.webhook).await?;
    Ok(row.filter(|row| row.lease_owner.as_deref() == Some(node)))
}

#[derive(Clone, Copy)]
enum Step {
    Delivered,
    Failed {
        since: Instant,
    },
    /// Somebody else decides what follows.
    Nothing,
}

async fn record(tx: &Tx, held: Held, id: i64, outcome: &Outcome, step: Step, now: Instant) -> Result<(), Error> {
    let row = webhook::delivery(tx, held.isp, held.webhook, id).await?;
    let Some(mut row) = row else { return Ok(()) };
    row.attempts += 1;
    row.round += 1;
    row.last_at = Some(now);
    row.last_status = outcome.status.map(i64::from);
    row.last_error = outcome.error.clone();
    row.last_ms = Some(outcome.ms);
    match step {
        Step::Delivered => {
            row.state = "delivered".into();
            row.delivered_at = Some(now);
        }
        Step::Failed { since } if row.state == "pending" => {
            match delivery::next_attempt(row.round, now, since, id as u64) {
                Next::At(at) => row.next_at = at,
                Next::Dead => row.state = "dead".into(),
            }
        }
        Step::Failed { .. } | Step::Nothing => {}
    }
    webhook::update_delivery(tx, &row).await?;
    Attempt {
        isp_id: held.isp,
        delivery_id: id,
        attempt: row.attempts,
        at: now,
        status: row.last_status,
        error: row.last_error,
        ms: outcome.ms,
        answer: outcome.answer.clone(),
    }
    .insert(tx)
    .await?;
    Ok(())
}

/// The next delivery that is due, under a lease made longer; or the queue is let go of until it is due.
async fn onward(tx: &Tx, vault: &Vault, hook: &mut Webhook, now: Instant) -> Result<Option<Outgoing>, Error> {
    let head = webhook::head(tx, hook.isp_id, hook.id).await?;
    let next = head.as_ref().map(|head| head.next_at);
    let due = head.filter(|head| hook.active && head.next_at <= now);
    hook.next_at = next;
    hook.lease_until = due.as_ref().map(|_| now.plus(LEASE));
    if due.is_none() {
        hook.lease_owner = None;
    }
    webhook::update(tx, hook).await?;
    match due {
        Some(delivery) => Ok(Some(outgoing(vault, hook, delivery, now)?)),
        None => Ok(None),
    }
}

fn outgoing(vault: &Vault, hook: &Webhook, delivery: Delivery, now: Instant) -> Result<Outgoing, Error> {
    let open = |sealed: &[u8]| {
        let secret = vault.open(&webhook_place(hook.id), sealed);
        secret.ok_or_else(|| Error::Internal(format!("the secret of webhook {} does not open", hook.id)))
    };
    let mut headers = vec![
        ("x-signature", signature(&open(&hook.secret)?, &delivery.body)),
        ("x-webhook-event", delivery.event.clone()),
        ("x-webhook-id", delivery.event_id.clone()),
        ("x-webhook-delivery", delivery.id.to_string()),
        ("x-webhook-timestamp", now.unix().to_string()),
        ("x-webhook-attempt", (delivery.attempts + 1).to_string()),
    ];
    if let Some(previous) = &hook.previous_secret
        && hook.previous_until.is_some_and(|until| until > now)
    {
        headers.push(("x-signature-previous", signature(&open(previous)?, &delivery.body)));
    }
    let held = Held { isp: hook.isp_id, webhook: hook.id };
    Ok(Outgoing { held, delivery: delivery.id, url: hook.url.clone(), body: delivery.body, headers })
}

/// HMAC-SHA256 of the bytes, in lower-case hexadecimal digits (docs/readings.md I9).
pub fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of every length");
    mac.update(body.as_bytes());
    hex(&mac.finalize().into_bytes())
}

/// An endpoint that has failed for a day is not asked any more; its owner is told by e-mail.
async fn give_up(change: &Change<'_>, hook: &mut Webhook, outcome: &Outcome) -> Result<(), Error> {
    let last = match (outcome.status, &outcome.error) {
        (Some(status), _) => format!("HTTP status {status}"),
        (None, Some(error)) => error.clone(),
        (None, None) => "no answer".into(),
    };
    hook.active = false;
    hook.disabled_at = Some(change.now);
    hook.disabled_reason = Some(last.clone());
    hook.updated_at = change.now.max(hook.updated_at.plus(1));
    change.tell(Fact::WebhookDisabled { webhook: hook.id, url: hook.url.clone(), reason: last.clone() });
    let since = hook.failing_since.unwrap_or(change.now);
    let text = words::webhook_switched_off(hook.id, &hook.url, &notices::utc(since), &last);
    for recipient in webhook::owners(change.tx, change.isp).await? {
        Message {
            isp_id: change.isp,
            id: change.id(Table::Message).await?,
            channel: "email".into(),
            kind: "webhook_disabled".into(),
            recipient,
            body: text.clone(),
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
            branch_id: None,
            sealed: None,
        }
        .insert(change.tx)
        .await?;
    }
    Ok(())
}
