//! What collectors brought, once a supervisor has approved it.

use domain::{CustomerId, Money, PaymentId};
use store::db::Class;

use super::follow;
use crate::{Actor, App, Error, billing::collections};

/// Makes a collection a payment, as [`collections`] says, and what follows from it.
///
/// # Errors
/// `Invalid` of `amount` where it is nothing, or more than was collected.
pub async fn approve(
    app: &App,
    actor: &Actor,
    customer: CustomerId,
    id: i64,
    amount: Money,
) -> Result<PaymentId, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let (payment, paid) = collections::approve(change, &who, &tenant.zone, (customer, id), amount).await?;
        follow(change, &tenant, customer, &paid).await?;
        Ok(payment)
    })
    .await
}
