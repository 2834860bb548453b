//! Who pays an activation, how much of it, and until when it lasts. Decided first, so that a refusal has written nothing.

use domain::{
    Instant, Money,
    billing::ledger::Account,
    sales::{
        activation::{self, Insufficient, Paying},
        renewing::{self, Begin, Length},
        sale::{self, Payer, Standing},
    },
};
use store::{
    billing::ledger,
    people::service::{self, Service},
};

use crate::{
    Change, Error,
    billing::receipts::Details,
    catalogue::plans::Offer,
    kernel::app::Tenant,
    sales::{
        sale::{Cause, Sale, Sold, WhoPays, sold},
        starts, terms,
    },
};

/// Sells one period; `expires_at` in the place of the package's own validity. What is sold, and what of it stays due.
pub(super) async fn sell(
    change: &Change<'_>,
    tenant: &Tenant,
    line: &mut Service,
    offer: &Offer,
    paying: &Paying,
    expires_at: Option<Instant>,
) -> Result<(Sold, Money), Error> {
    let terms = terms::of_line(change, line.id, &offer.version).await?;
    let wallet = ledger::held(change.tx, change.isp, &Account::CustomerWallet(line.customer_id)).await?;
    let settled = activation::settle(line.customer_id, &terms, paying, wallet)
        .map_err(|Insufficient { price }| Error::Insufficient { needed: price })?;
    let standing =
        Standing { running: service::running(line, offer.plan.id), quota: service::quota(line), wallet: Money::ZERO };
    let start = starts::of_line(change, line).await?;
    let at = start.map_or(change.now, |start| change.now.max(start.start_at));
    let (term, _) = renewing::shape(at, standing.running, Begin::Usual, Length::Plan, terms.validity, &tenant.zone);
    let term = expires_at.map_or(term, |end| term.until(end, &tenant.zone));
    // Only how much it allows; who pays is settled above.
    let sale::Sale { term, quota, .. } = sale::sell(line.customer_id, &standing, &terms, &Payer::Complimentary, term)
        .map_err(|_| Error::Internal("a gift needs no money".into()))?;
    let due = settled.due;
    let sale = Sale {
        offer: &terms::offered(offer, &terms),
        term,
        quota,
        price: terms.tax.split(terms.price).total(),
        who_pays: WhoPays::Settled(settled, &Details::default()),
        why: Cause::Activation,
        line,
    };
    Ok((sold(change, tenant, sale).await?, due))
}
