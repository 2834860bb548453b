//! Bills of packages that have become paid: what each was the price of is sold. The money has moved and is not moved again;
//! the period's invoice is the bill.

use domain::{CustomerId, Status, sales::sale::Payer};
use store::{
    billing::{
        invoice::Invoice,
        invoice_sale::{self, InvoiceSale},
    },
    people::service,
};

use crate::{
    Change, Error,
    billing::receipts::{self, Details},
    catalogue::plans,
    kernel::app::Tenant,
    sales::{
        recharge::{Wanted, sell_to},
        sale::{Cause, save},
    },
};

/// Sells what these invoices of a customer, who is locked, are the price of.
pub(crate) async fn settle(change: &Change<'_>, tenant: &Tenant, paid: &[Invoice]) -> Result<(), Error> {
    for invoice in paid {
        if let Some(sale) = invoice_sale::waiting(change.tx, change.isp, invoice.id).await? {
            sell(change, tenant, invoice, &sale).await?;
        }
    }
    Ok(())
}

/// A line that is gone is sold nothing: what was paid stays as it is booked.
async fn sell(change: &Change<'_>, tenant: &Tenant, invoice: &Invoice, sale: &InvoiceSale) -> Result<(), Error> {
    let lines = service::lock_of_customer(change.tx, change.isp, invoice.customer_id).await?;
    let line = lines.into_iter().find(|line| line.id == sale.service_id);
    let Some(mut line) = line.filter(|line| line.status != Status::Terminated) else { return Ok(()) };
    let offer = plans::offer(change, sale.plan_id).await?;
    let payer = Payer::Billed { invoice: invoice.id, total: invoice.total };
    let wanted = Wanted { cause: Cause::Bill, ..Wanted::next(change.now) };
    sell_to(change, tenant, &mut line, &offer, payer, &Details::default(), wanted).await?;
    save(change, &line).await
}

/// What is held for a customer, who is locked and whose lines are saved, pays what is owed, as far as it reaches; what that
/// pays for is sold.
pub(crate) async fn from_held(change: &Change<'_>, tenant: &Tenant, customer: CustomerId) -> Result<(), Error> {
    let paid = receipts::from_wallet(change, customer).await?;
    settle(change, tenant, &paid).await
}
