//! Suspend and activate: status lives on the service, acts on all lines of a customer, and reaches live sessions.

use domain::{
    CustomerId, Status,
    access::service::may_be_activated,
    kernel::event::{EventKind, Subject},
};
use serde_json::json;
use store::{
    db::Class,
    people::{
        customer,
        service::{self, Service},
    },
};

use crate::{
    Actor, App, Change, Error, Refusal, What,
    sales::{sale::save, starts},
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
        let owner = customer::lock(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
        who.reaches(owner.branch_id)?;
        let lines = service::lock_of_customer(change.tx, change.isp, id).await?;
        for mut line in lines {
            let begins = status == Status::Active && starts::begin(change, &mut line).await?;
            ready(&line, status, change)?;
            if set(change, &mut line, status, reason.as_deref().unwrap_or("set by staff"))? || begins {
                save(change, &line).await?;
            }
        }
        Ok(())
    })
    .await
}

/// Refuses to activate an ended period, which can only be sold anew.
fn ready(line: &Service, status: Status, change: &Change<'_>) -> Result<(), Error> {
    match status == Status::Active && !may_be_activated(line.expires_at, change.now) {
        true => Err(Error::Refused(Refusal::RechargeFirst)),
        false => Ok(()),
    }
}

/// Changes a line's status and says so; `false` when it already was so.
pub(crate) fn set(change: &Change<'_>, line: &mut Service, status: Status, reason: &str) -> Result<bool, Error> {
    if line.status == status {
        return Ok(false);
    }
    ready(line, status, change)?;
    line.status = status;
    line.status_reason = Some(reason.chars().take(500).collect());
    line.status_since = change.now;
    line.updated_at = change.now;
    let kind = match status {
        Status::Active => EventKind::ServiceActivated,
        Status::Suspended => EventKind::ServiceSuspended,
        Status::Disabled => EventKind::ServiceDisabled,
        Status::Inactive | Status::Pending | Status::AwaitingApproval | Status::Rejected | Status::Terminated => {
            EventKind::ServiceDeactivated
        }
    };
    let body = json!({ "customer": line.customer_id.0, "status": status.word(), "reason": reason });
    change.event(kind, Subject::Service(line.id.0), body);
    Ok(true)
}
