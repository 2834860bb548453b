//! Status checks: what the operator wants looked at, and how this program itself is, found out when it is asked.

use domain::{
    Instant, IspId,
    kernel::clock::{MINUTE, SECOND},
};
use store::{
    db::Class,
    kernel::event,
    plant::plant::{self as rows, Filter},
};

use super::{Checks, later, log, unchanged, whole};
use crate::{Actor, App, Error, Expected, Fact, What, Why, kernel::ids::Table};
use domain::{kernel::names::name_key, plant::reach::is_target};

pub use store::plant::plant::StatusCheck;

pub const KINDS: &[&str] = &["ping", "tcp", "http"];

/// A feed this far behind lets logins go by old facts.
const FEED_LAG: i64 = 2 * SECOND;
/// Work that has been due for so long is stuck.
const STUCK: i64 = 5 * MINUTE;

/// How a part of this program is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BuiltIn {
    pub name: String,
    /// database, radius, event_feed, queue.
    pub kind: &'static str,
    pub status: &'static str,
    /// What was seen, in words.
    pub detail: String,
    pub latency_ms: Option<i64>,
}

/// Asks the parts of the program now.
pub async fn built_in(app: &App, actor: &Actor) -> Result<Vec<BuiltIn>, Error> {
    let isp = actor.isp;
    let began = std::time::Instant::now();
    let head = app.db.read(async move |tx| Ok::<_, store::db::Error>(head(tx, isp).await?)).await?;
    let latency_ms = began.elapsed().as_millis() as i64;
    let mut all = vec![BuiltIn {
        name: "Database".into(),
        kind: "database",
        status: "up",
        detail: format!("answered in {latency_ms} ms"),
        latency_ms: Some(latency_ms),
    }];
    let follows = app.feed.is_followed();
    let (status, detail) = match follows {
        true => ("up", "the directory is loaded"),
        false => ("down", "the directory is not loaded: logins are not answered by this process"),
    };
    all.push(BuiltIn { name: "RADIUS".into(), kind: "radius", status, detail: detail.into(), latency_ms: None });

    let applied = app.feed.applied_up_to(isp);
    let now = app.clock.now();
    let (waiting, queues) = app
        .db
        .read(async move |tx| {
            let waiting = if applied < head { rows::event_after(tx, isp, applied).await? } else { None };
            Ok::<_, store::db::Error>((waiting, rows::queues(tx, isp).await?))
        })
        .await?;
    let lag = waiting.map_or(0, |at| now.since(at).max(0));
    let (status, detail) = match follows {
        false => ("unknown", "nobody follows the feed in this process".into()),
        true if lag > FEED_LAG => ("down", format!("{} events behind, {} ms", head - applied, lag / 1000)),
        true => ("up", format!("{} events behind", (head - applied).max(0))),
    };
    all.push(BuiltIn {
        name: "Event feed".into(),
        kind: "event_feed",
        status,
        detail,
        latency_ms: follows.then_some(lag / 1000),
    });
    for (queue, count, first) in with_network(queues, now) {
        let overdue = now.since(first);
        let status = if count > 0 && overdue > STUCK { "down" } else { "up" };
        let detail = match overdue > 0 && count > 0 {
            true => format!("{count} waiting, the first due {} s ago", overdue / SECOND),
            false => format!("{count} waiting"),
        };
        all.push(BuiltIn { name: format!("Queue {queue}"), kind: "queue", status, detail, latency_ms: None });
    }
    Ok(all)
}

async fn head(tx: &store::db::Tx, isp: IspId) -> Result<i64, store::db::Error> {
    Ok(event::heads(tx).await?.into_iter().find(|(id, _)| *id == isp).map_or(0, |(_, seq)| seq))
}

/// The queue to the network is shown when it is empty, too.
fn with_network(mut queues: Vec<(String, i64, Instant)>, now: Instant) -> Vec<(String, i64, Instant)> {
    if !queues.iter().any(|(queue, ..)| queue == "network") {
        queues.insert(0, ("network".into(), 0, now));
    }
    queues
}

pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Filter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<StatusCheck>, i64), Error> {
    whole(actor)?;
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| rows::checks(tx, isp, &filter, (offset, limit)).await).await?)
}

pub async fn show(app: &App, actor: &Actor, id: i64) -> Result<StatusCheck, Error> {
    whole(actor)?;
    let isp = actor.isp;
    let found = app.db.read(async move |tx| rows::check(tx, isp, id).await).await?;
    found.ok_or(Error::NotFound { what: What::StatusCheck })
}

/// What is written of a check; `None` leaves it, or its default where it is new.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Wish {
    pub name: Option<String>,
    pub kind: Option<&'static str>,
    pub target: Option<String>,
    pub interval_s: Option<i64>,
}

pub async fn create(app: &App, actor: &Actor, wish: Wish) -> Result<StatusCheck, Error> {
    write(app, actor, None, None, wish).await
}

pub async fn update(
    app: &App,
    actor: &Actor,
    id: i64,
    unchanged_since: Option<Instant>,
    wish: Wish,
) -> Result<StatusCheck, Error> {
    write(app, actor, Some(id), unchanged_since, wish).await
}

async fn write(
    app: &App,
    actor: &Actor,
    id: Option<i64>,
    unchanged_since: Option<Instant>,
    wish: Wish,
) -> Result<StatusCheck, Error> {
    actor.writes()?;
    whole(actor)?;
    app.change(actor, Class::Interactive, async move |change| {
        rows::lock(change.tx, change.isp).await?;
        let (before, is_new) = match id {
            Some(id) => (
                rows::check(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::StatusCheck })?,
                false,
            ),
            None => (blank(change.isp, change.id(Table::StatusCheck).await?, change.now), true),
        };
        let id = before.id;
        unchanged(unchanged_since, before.updated_at)?;
        let Wish { name, kind, target, interval_s } = wish.clone();
        let mut after = before.clone();
        after.name = name.map_or(after.name, |name| name.trim().into());
        after.kind = kind.map_or(after.kind, str::to_string);
        after.target = target.map_or(after.target, |target| target.trim().into());
        after.interval_s = interval_s.unwrap_or(after.interval_s);
        if (&after.kind, &after.target) != (&before.kind, &before.target) {
            // What was found out was of something else.
            after.status = "unknown".into();
            after.status_since = change.now;
            after.last_checked_at = None;
            after.latency_ms = None;
        }
        let key = name_key(&after.name);
        let mut checks = Checks::default();
        checks.line(&after.name, "name");
        checks.must(KINDS.contains(&after.kind.as_str()), "kind", Why::NotOneOf(KINDS));
        let form = match after.kind.as_str() {
            "tcp" => Expected::HostAndPort,
            "http" => Expected::HttpUrl,
            _ => Expected::Host,
        };
        checks.must(is_target(&after.kind, &after.target), "target", Why::Not(form));
        checks.must((10..=86_400).contains(&after.interval_s), "interval_s", Why::Not(Expected::Seconds));
        let named = rows::check_named(change.tx, change.isp, &key).await?;
        checks.must(named.is_none_or(|other| other == id), "name", Why::Taken);
        checks.done()?;
        after.name_key = Some(key);
        if is_new || after != before {
            after.updated_at = if is_new { change.now } else { later(change.now, before.updated_at) };
            rows::save_check(change.tx, &after).await?;
            let (name, target) = (after.name.clone(), after.target.clone());
            change.tell(match is_new {
                true => Fact::StatusCheckCreated { check: id, name, target },
                false => Fact::StatusCheckUpdated { check: id, name, target },
            });
            log(change, if is_new { "created" } else { "changed" }, "status_check", id, &after.name).await?;
        }
        Ok(after)
    })
    .await
}

fn blank(isp: IspId, id: i64, now: Instant) -> StatusCheck {
    StatusCheck {
        isp_id: isp,
        id,
        name: String::new(),
        name_key: None,
        kind: "ping".into(),
        target: String::new(),
        interval_s: 60,
        status: "unknown".into(),
        status_since: now,
        last_checked_at: None,
        latency_ms: None,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    }
}

pub async fn delete(app: &App, actor: &Actor, id: i64, unchanged_since: Option<Instant>) -> Result<(), Error> {
    actor.writes()?;
    whole(actor)?;
    app.change(actor, Class::Interactive, async move |change| {
        rows::lock(change.tx, change.isp).await?;
        let found = rows::check(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::StatusCheck })?;
        unchanged(unchanged_since, found.updated_at)?;
        let (now, name) = (change.now, found.name.clone());
        let gone = StatusCheck { name_key: None, updated_at: now, deleted_at: Some(now), ..found };
        rows::save_check(change.tx, &gone).await?;
        change.tell(Fact::StatusCheckDeleted { check: id, name: name.clone() });
        log(change, "deleted", "status_check", id, &name).await
    })
    .await
}
