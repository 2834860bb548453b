//! What a customer's primary line does: its sessions, and when it crossed limits of fair use.

use domain::{CustomerId, Instant, kernel::event::EventKind};
use store::{
    access::session,
    kernel::event::{self, Event},
    people::service,
};

use super::card::{self, Parts};
use crate::{Actor, App, Error, What};

/// A line's sessions: the open ones, and when the last one ended.
#[derive(Clone, Debug)]
pub struct Presence {
    pub open: Vec<session::Session>,
    pub last_end: Option<Instant>,
}

pub async fn presence(app: &App, actor: &Actor, id: CustomerId) -> Result<Presence, Error> {
    let (isp, who) = (actor.isp, actor.clone());
    app.db
        .read(async move |tx| {
            let owner =
                store::people::customer::any(tx, isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
            who.reaches(owner.branch_id)?;
            let Some(line) = service::of_customer(tx, isp, id).await?.into_iter().next() else {
                return Ok(Presence { open: Vec::new(), last_end: None });
            };
            let open = session::open_of_service(tx, isp, line.id).await?;
            let ended = session::of_service(tx, isp, line.id, Instant(0), Instant(i64::MAX), 50).await?;
            let last_end = ended.iter().filter_map(|row| row.ended_at).max();
            Ok(Presence { open, last_end })
        })
        .await
}

/// A line's sessions that began in a stretch of time without its end, the newest first.
pub async fn sessions(
    app: &App,
    actor: &Actor,
    id: CustomerId,
    (from, until): (Instant, Instant),
    limit: i64,
) -> Result<Vec<session::Session>, Error> {
    let (isp, who) = (actor.isp, actor.clone());
    app.db
        .read(async move |tx| {
            let owner =
                store::people::customer::any(tx, isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
            who.reaches(owner.branch_id)?;
            match service::of_customer(tx, isp, id).await?.first() {
                Some(line) => Ok(session::of_service(tx, isp, line.id, from, until, limit).await?),
                None => Ok(Vec::new()),
            }
        })
        .await
}

/// So many events of a line are looked through for what it crossed.
const LOOKED_THROUGH: i64 = 5000;

/// When a customer's line crossed limits of fair use, or had its rate back, in a stretch of time without its end; the newest
/// first.
pub async fn crossings(
    app: &App,
    actor: &Actor,
    id: CustomerId,
    (from, until): (Instant, Instant),
) -> Result<Vec<Event>, Error> {
    let line = card::any(app, actor, id, Parts::NONE).await?.line.ok_or(Error::NotFound { what: What::Service })?.id;
    let isp = actor.isp;
    let read = app.db.read(async move |tx| event::latest_of(tx, isp, "service", line.0, LOOKED_THROUGH).await);
    let mut events = read.await?;
    events.retain(|event| {
        matches!(event.kind, EventKind::FupCrossed | EventKind::FupReset) && (from..until).contains(&event.at)
    });
    Ok(events)
}
