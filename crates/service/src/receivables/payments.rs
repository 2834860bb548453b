//! Payments that came outside: recorded, spread over what is owed, kept in the wallet.

use domain::{CustomerId, InvoiceId, Money};
use store::billing::bill;

use super::follow;
use crate::{
    Actor, App, Error, Expected, Why,
    billing::{
        Written,
        receipts::{self, Details, Incoming, Means, Named},
    },
    kernel::{change::CallerKey, hold::hold},
};

/// Money that was received outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewPayment {
    pub customer: CustomerId,
    pub amount: Money,
    pub means: Means,
    /// The bill it is for; the longest due ones where none is named. What no bill needs goes to the wallet.
    pub bill: Option<InvoiceId>,
}

/// Records a payment and settles bills with it. A provider's reference that comes again is answered with its payment.
pub async fn record(app: &App, actor: &Actor, command: NewPayment, key: Option<CallerKey>) -> Result<Written, Error> {
    record_with(app, actor, command, Details::default(), key).await
}

/// As [`record`], with what else is known of it.
///
/// # Errors
/// `Invalid` of `paid_on` where that day has not come; of `transaction_id` where another payment has that reference.
pub async fn record_with(
    app: &App,
    actor: &Actor,
    command: NewPayment,
    details: Details,
    key: Option<CallerKey>,
) -> Result<Written, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    receipts::check_day(details.paid_on, app.clock.now(), &tenant.zone)?;
    came_outside(&command.means)?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        let NewPayment { customer, amount, means, bill: wanted } = command.clone();
        hold(change, &who, customer).await.map_err(|error| match error {
            Error::NotFound { .. } => Error::invalid("customer", Why::Unknown),
            other => other,
        })?;
        match receipts::seen(change, &means, &details).await? {
            Some(seen) if (seen.customer_id, seen.amount) == (customer, amount) => {
                return Ok(Written { id: seen.id.0 });
            }
            Some(_) => return Err(receipts::taken()),
            None => {}
        }
        let bills = match wanted {
            None => bill::lock_open(change.tx, change.isp, customer).await?,
            Some(id) => {
                let row = bill::lock(change.tx, change.isp, id).await?.filter(|row| row.customer_id == customer);
                vec![row.ok_or(Error::invalid("bill_id", Why::Unknown))?]
            }
        };
        let source = receipts::source(change, customer, &means).await?;
        let incoming =
            Incoming { customer, amount, source, means: &means, named: Named::ByProvider, details: &details };
        let spread = receipts::spread(change, &tenant.zone, incoming, bills).await?;
        follow(change, &tenant, customer, &spread.paid).await?;
        let payment = spread.payment.ok_or_else(|| Error::Internal("money came, and no payment was written".into()))?;
        Ok(Written { id: payment.id.0 })
    })
    .await
}

/// Money for the customer's wallet; bills are not touched.
pub async fn top_up(
    app: &App,
    actor: &Actor,
    customer: CustomerId,
    amount: Money,
    means: Means,
    key: Option<CallerKey>,
) -> Result<Written, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    came_outside(&means)?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        hold(change, &who, customer).await?;
        let source = receipts::source(change, customer, &means).await?;
        let incoming = Incoming {
            customer,
            amount,
            source,
            means: &means,
            named: Named::ByProvider,
            details: &Details::default(),
        };
        let spread = receipts::spread(change, &tenant.zone, incoming, Vec::new()).await?;
        follow(change, &tenant, customer, &spread.paid).await?;
        Ok(Written { id: spread.payment.map_or(0, |payment| payment.id.0) })
    })
    .await
}

/// What is held already does not come in.
fn came_outside(means: &Means) -> Result<(), Error> {
    match receipts::of_the_wallet(&means.method) {
        true => Err(Error::invalid("method", Why::Not(Expected::HowMoneyCame))),
        false => Ok(()),
    }
}
