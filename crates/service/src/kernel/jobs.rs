//! Background work as it is looked at, and failed work that is tried again.

use domain::JobId;
use store::{db::Class, kernel::job};

pub use store::kernel::job::{Filter, Job, State};

use crate::{Actor, App, Error, Refusal, What};

/// The newest first, and how many there are in all.
pub async fn list(app: &App, actor: &Actor, filter: Filter, offset: i64, limit: i64) -> Result<(Vec<Job>, i64), Error> {
    actor.sees_all()?;
    let (isp, now) = (actor.isp, app.clock.now());
    Ok(app.db.read(async move |tx| job::list(tx, isp, &filter, now, offset, limit).await).await?)
}

pub async fn show(app: &App, actor: &Actor, id: JobId) -> Result<Job, Error> {
    actor.sees_all()?;
    let isp = actor.isp;
    let found = app.db.read(async move |tx| job::find(tx, isp, id).await).await?;
    found.ok_or(Error::NotFound { what: What::Job })
}

/// Makes a failed job due at once, with all its attempts.
pub async fn retry(app: &App, actor: &Actor, id: JobId) -> Result<Job, Error> {
    actor.writes()?;
    actor.sees_all()?;
    app.change(actor, Class::Interactive, async move |change| {
        let revived = job::revive(change.tx, change.isp, id, change.now).await?;
        let row = job::find(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Job })?;
        if revived { Ok(row) } else { Err(Error::Refused(Refusal::JobNotFailed)) }
    })
    .await
}
