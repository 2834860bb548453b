//! Suspend and activate: status lives on the service, acts on all lines of a customer, and reaches live sessions.

use domain::{
    CustomerId, Status,
    access::service::{bars_portal, may_be_activated},
};
use store::{db::Class, identity::token, people::service::Service};

use crate::{
    Actor, App, Change, Error, Fact, Refusal,
    kernel::hold::{Held, hold},
    sales::{sale, starts},
};

/// Puts every line of a customer into `status`; staff's words are kept as the reason.
pub async fn put(
    app: &App,
    actor: &Actor,
    id: CustomerId,
    status: Status,
    reason: Option<String>,
) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let Held { lines: before, .. } = hold(change, &who, id).await?;
        let mut lines = before.clone();
        put_all(change, &mut lines, status, reason.as_deref().unwrap_or("set by staff")).await?;
        for line in lines.iter().zip(&before).filter_map(|(line, before)| (line != before).then_some(line)) {
            sale::save(change, line).await?;
        }
        Ok(())
    })
    .await
}

/// Puts every line of a customer into `status` and says so of each that is different; they are the caller's to save. One
/// that waits for its start and is set active begins now. Active, the primary line must have time left; a further one that
/// has none stays as it is.
///
/// # Errors
/// `Refused`, [`Refusal::RechargeFirst`].
pub(crate) async fn put_all(
    change: &Change<'_>,
    lines: &mut [Service],
    status: Status,
    reason: &str,
) -> Result<(), Error> {
    for line in lines {
        if status == Status::Active {
            starts::begin(change, line).await?;
        }
        match ready(line, status, change) {
            Err(_) if line.ordinal > 1 => {}
            Err(error) => return Err(error),
            Ok(()) => drop(set(change, line, status, reason).await?),
        }
    }
    Ok(())
}

/// Refuses to activate an ended period, which can only be sold anew.
fn ready(line: &Service, status: Status, change: &Change<'_>) -> Result<(), Error> {
    match status == Status::Active && !may_be_activated(line.expires_at, change.now) {
        true => Err(Error::Refused(Refusal::RechargeFirst)),
        false => Ok(()),
    }
}

/// Changes a line's status and says so; `false` when it already was so.
pub(crate) async fn set(change: &Change<'_>, line: &mut Service, status: Status, reason: &str) -> Result<bool, Error> {
    if line.status == status {
        return Ok(false);
    }
    ready(line, status, change)?;
    line.status = status;
    line.status_reason = Some(reason.chars().take(500).collect());
    line.status_since = change.now;
    line.updated_at = change.now;
    stands(change, line, reason).await?;
    Ok(true)
}

/// Says how a line stands from now on. Where its subscriber is kept out, what it signed in with before ends, and is not good
/// again when it is let in.
pub(crate) async fn stands(change: &Change<'_>, line: &Service, reason: &str) -> Result<(), Error> {
    if line.ordinal == 1 && bars_portal(line.status) {
        token::revoke_customer(change.tx, change.isp, line.customer_id, None, change.now).await?;
    }
    change.tell(Fact::stands(line.id, line.customer_id, line.status, reason.into()));
    Ok(())
}
