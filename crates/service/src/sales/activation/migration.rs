//! Another package in the middle of what was paid for (`domain::sales::migration` is the rule). The rest of the running period is
//! given back by credit notes to who paid it; the time that is left is sold of the new package with an invoice of its own.
//! The subscriber's wallet pays that, or else the salesperson's; what neither covers stays due on the invoice.

use domain::{
    CustomerId, Instant, Money, PlanId, PlanTerms, Quota,
    billing::ledger::Account,
    catalogue::validity::Term,
    kernel::money::Taxed,
    sales::{
        activation::Paying,
        migration::{self, Package, Time, Unfinished},
        sale::{Chain, Refusal, Settlement},
    },
};
use serde::{Deserialize, Serialize};
use store::{
    billing::{bill as bills, invoice::Invoice, ledger},
    catalogue::plan,
    people::{
        customer,
        service::{self, Service},
    },
    sales::period_part::Part,
};

use super::{Payments, may_have, paying, seller};
use crate::{
    Actor, App, Change, Error, Fact, What,
    billing::receipts::Details,
    catalogue::plans::Offer,
    kernel::{app::Tenant, change::CallerKey},
    sales::{
        moves, paid,
        rest::{self, How, package},
        sale::{Cause, Sale, Sold, WhoPays, save, sold},
        terms,
    },
};

/// What became of a migration. Amounts in minor units, with tax.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Migrated {
    /// The packages' names.
    pub old: String,
    pub new: String,
    /// Given back for the rest of the running period.
    pub credit: i64,
    /// What the invoice of the new package says; there is none where nothing is charged.
    pub charge: i64,
    pub invoice_id: Option<i64>,
    /// What of the charge is left due.
    pub due: i64,
}

/// Another package from now on; the line ends when it would have ended. To the package it has already, nothing happens:
/// a repeat charges nothing.
///
/// # Errors
/// `NotFound` of `customer` or `plan`; `Refused` with `OtherBranch` or `SellerMayNot`; `Insufficient` where a reseller's people ask and his wallet does not reach.
pub async fn migrate(
    app: &App,
    actor: &Actor,
    id: CustomerId,
    plan: PlanId,
    key: Option<CallerKey>,
) -> Result<Migrated, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        let owner = customer::lock(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
        who.reaches(owner.branch_id)?;
        let lines = service::lock_of_customer(change.tx, change.isp, id).await?;
        let mut line = lines.into_iter().next().ok_or(Error::NotFound { what: What::Customer })?;
        let offer = may_have(change, &owner, &line, plan).await?;
        let old = plan::any(change.tx, change.isp, line.plan_id).await?.map(|plan| plan.name);
        let mut done = Migrated {
            old: old.unwrap_or_default(),
            new: offer.plan.name.clone(),
            credit: 0,
            charge: 0,
            invoice_id: None,
            due: 0,
        };
        if line.plan_id == plan {
            return Ok(done);
        }
        carry_out(change, &tenant, &mut line, &offer, &mut done).await?;
        Ok(done)
    })
    .await
}

async fn carry_out(
    change: &Change<'_>,
    tenant: &Tenant,
    line: &mut Service,
    offer: &Offer,
    done: &mut Migrated,
) -> Result<(), Error> {
    let old = package(tenant, line, present_terms(change, line).await?, change.now);
    let new = package(tenant, line, terms::of_line(change, line.id, &offer.version).await?, change.now);
    let left = rest::of_line(change, line, Some(old.validity_s)).await?;
    let periods: Vec<Unfinished> = left.iter().map(|one| one.unfinished.clone()).collect();
    let time = Time::of(&periods, change.now);
    let credit = rest::give_back(change, line, &left, How::Left, None).await?;
    done.credit = credit.0;
    let from = line.plan_id;
    let (mut invoice, mut plan_before) = (None, None);
    match line.time_left(change.now).filter(|_| time.total_s() > 0) {
        Some(ends) => {
            let part = migration::part(&old, &new, time);
            let made = sell(change, tenant, line, offer, (&part, &new), ends).await?;
            Part { isp_id: change.isp, period_id: made.period, sold_s: time.total_s() }.insert(change.tx).await?;
            invoice = made.invoice;
        }
        // Without time that is left there is nothing to sell: the next activation costs the new price.
        None => {
            moves::put_on(change, line, offer).await?;
            plan_before = Some(from);
        }
    }
    save(change, line).await?;
    change.tell(Fact::ServiceMoved {
        line: line.id,
        customer: line.customer_id,
        from,
        plan: offer.plan.id,
        kind: "migration".into(),
        credit,
        charge: invoice.as_ref().map_or(Money::ZERO, |invoice: &Invoice| invoice.total),
        expires_at: line.expires_at,
        plan_before,
    });
    if let Some(Invoice { id, .. }) = invoice {
        paid::from_held(change, tenant, line.customer_id).await?;
        let row = bills::find(change.tx, change.isp, id).await?;
        let row = row.ok_or_else(|| Error::Internal("an invoice just written is gone".into()))?;
        done.invoice_id = Some(id.0);
        done.charge = row.total.0;
        done.due = row.total.0 - row.paid.0;
    }
    Ok(())
}

/// The terms of the line's present package.
async fn present_terms(change: &Change<'_>, line: &Service) -> Result<PlanTerms, Error> {
    let version = plan::version(change.tx, change.isp, line.plan_id, line.plan_version).await?;
    let version = version.ok_or_else(|| Error::Internal("a line's package has no such version".into()))?;
    terms::of_line(change, line.id, &version).await
}

/// Sells a part of the new package, up to where the line ends anyway. What a salesperson does not pay is owed: the wallet
/// pays it afterwards.
async fn sell(
    change: &Change<'_>,
    tenant: &Tenant,
    line: &mut Service,
    offer: &Offer,
    (part, new): (&PlanTerms, &Package),
    ends: Instant,
) -> Result<Sold, Error> {
    let price = part.tax.split(part.price);
    let details = Details::default();
    let sale = Sale {
        term: Term {
            starts_at: change.now,
            expires_at: ends,
            anchor_day: line.anchor_day.map(|day| day as u8),
            extends: false,
        },
        quota: Quota { limit: part.limit, ..Quota::default() },
        price: price.total(),
        who_pays: WhoPays::Settled(settled(change, line, offer, (part, new), price).await?, &details),
        why: Cause::Migration,
        line,
        offer,
    };
    sold(change, tenant, sale).await
}

async fn settled(
    change: &Change<'_>,
    line: &Service,
    offer: &Offer,
    (part, new): (&PlanTerms, &Package),
    price: Taxed,
) -> Result<Settlement, Error> {
    let held = ledger::held(change.tx, change.isp, &Account::CustomerWallet(line.customer_id)).await?;
    let seller = seller(change, line.customer_id, offer, &Payments::Smart).await?;
    let by = |chain: Chain| {
        let chain = chain.share(part.price, new.terms.price);
        let earned = chain.earned(part.tax);
        chain.pay(earned.total()).map(|paid| Settlement::whole(paid, earned))
    };
    let owed = Settlement::owed(line.customer_id, price);
    Ok(match paying(change, offer, &Payments::Smart, seller).await? {
        // A reseller's people sell on his account and on no other.
        Paying::Salesperson(chain) => {
            by(chain).map_err(|Refusal::Insufficient { .. }| Error::Insufficient { needed: price.total() })?
        }
        Paying::Smart(Some(chain)) if held < price.total() => by(chain).unwrap_or(owed),
        Paying::Smart(_) | Paying::Received { .. } | Paying::Wallet { .. } => owed,
    })
}
