//! Money from customers, and what follows from it in the same change: a bill that names a package sells it when it is paid,
//! by whichever door; a line that renews itself is renewed when its money is there.

pub mod bills;
pub mod collections;
pub mod payments;

use domain::CustomerId;
use store::billing::invoice::Invoice;

use crate::{
    Change, Error,
    kernel::app::Tenant,
    sales::{paid, renewals},
};

/// What follows when money of a customer, who is locked, has come; `became_paid`: the invoices that it completed.
pub(crate) async fn follow(
    change: &Change<'_>,
    tenant: &Tenant,
    customer: CustomerId,
    became_paid: &[Invoice],
) -> Result<(), Error> {
    paid::settle(change, tenant, became_paid).await?;
    renewals::from_wallet(change, tenant, customer).await
}
