//! Bills of packages that have become paid: what each was the price of is sold. The money has moved and is not moved again;
//! the period's invoice is the bill.

use domain::{Status, sales::sale::Payer};
use store::{
    billing::{
        invoice::Invoice,
        invoice_sale::{self, InvoiceSale},
    },
    people::service,
};

use crate::{
    Change, Error,
    billing::{invoices, receipts::Details},
    catalogue::plans,
    kernel::app::Tenant,
    kernel::work::Work,
    sales::recharge::{Wanted, sell_as},
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
    let made =
        sell_as(change, tenant, &mut line, &offer, &payer, &Details::default(), Wanted::next(change.now)).await?;
    service::update(change.tx, &line).await?;
    invoices::sold(change, invoice.id, made.period).await?;
    change.order(Work::follow(line.id)).await
}
