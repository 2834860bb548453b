//! The schedule of what recurs: whoever takes a turn sets the next one at once, so that two nodes have one effect.

use store::{
    access::refusal,
    db::Class,
    kernel::{event, idempotency, job},
};

use crate::{App, Error};

/// Takes the turn of a task if it is due and no other node has it. `every` and `lease` in microseconds.
pub async fn take(app: &App, name: &'static str, every: i64, lease: i64) -> Result<bool, Error> {
    let (now, node) = (app.clock.now(), app.node.clone());
    // Mostly nothing is due: a look does not take the writer.
    let next = app.db.read(async move |tx| job::next_turn(tx, name).await).await?;
    if next.is_some_and(|next| next > now) {
        return Ok(false);
    }
    Ok(app.db.tx(Class::Bulk, async move |tx| job::take_turn(tx, name, &node, now, every, lease).await).await?)
}

pub async fn end(app: &App, name: &'static str) -> Result<(), Error> {
    let node = app.node.clone();
    Ok(app.db.tx(Class::Bulk, async move |tx| job::end_turn(tx, name, &node).await).await?)
}

/// How many keys, refused logins or events one transaction removes: writers wait no longer than that takes.
const AT_ONCE: i64 = 2000;

/// How long what is only looked back at is kept, in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    pub jobs: i64,
    pub keys: i64,
    pub refusals: i64,
    /// So many of a tenant's, the newest, however young the others are: a flood of guesses is no reason to keep them all.
    pub refusals_at_most: i64,
    /// None: for ever.
    pub events: Option<i64>,
}

/// Removes finished jobs, callers' keys, refused logins and events that are older.
pub async fn forget(app: &App, kept: Kept) -> Result<(), Error> {
    let now = app.clock.now();
    app.db
        .tx(Class::Bulk, async move |tx| {
            job::forget(tx, now.plus(-kept.jobs)).await?;
            Ok::<_, Error>(())
        })
        .await?;
    let before = now.plus(-kept.keys);
    while app.db.tx(Class::Bulk, async move |tx| idempotency::forget(tx, before, AT_ONCE).await).await? > 0 {}
    for tenant in app.tenants().await? {
        let (isp, before) = (tenant.isp.isp_id, now.plus(-kept.refusals));
        let beyond = app.db.read(async move |tx| refusal::beyond(tx, isp, kept.refusals_at_most).await).await?;
        let before = beyond.map_or(before, |at| before.max(at.plus(1)));
        while app.db.tx(Class::Bulk, async move |tx| refusal::forget(tx, isp, before, AT_ONCE).await).await? > 0 {}
        let Some(events) = kept.events else { continue };
        let before = now.plus(-events);
        while app.db.tx(Class::Bulk, async move |tx| event::forget(tx, isp, before, AT_ONCE).await).await? > 0 {}
    }
    Ok(())
}
