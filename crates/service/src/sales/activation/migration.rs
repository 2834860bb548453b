//! Another package in the middle of what was paid for (`domain::sales::migration` is the rule). The rest of the running period is
//! given back by credit notes to who paid it; the time that is left is sold of the new package with an invoice of its own.
//! The subscriber's wallet pays that, or else the salesperson's; what neither covers stays due on the invoice.

use domain::{
    CustomerId, Instant, InvoiceId, Money, PeriodId, PlanId,
    billing::ledger::{Account, Entry, Kind},
    catalogue::validity::length_before,
    kernel::event::{EventKind, Subject},
    sales::{
        activation::Paying,
        migration::{self, Package, Time, Unfinished},
        sale::Refusal,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    access::fup,
    billing::{bill as bills, invoice::Invoice, ledger},
    catalogue::plan,
    people::{
        customer,
        service::{self, Period, Service},
    },
    sales::period_part::{self as rows, Part},
};

use super::{
    Payments, may_have, paying,
    sale::{NewInvoice, bill},
    seller,
};
use crate::{
    Actor, App, Change, Error, What,
    billing::{
        credit::{self, Back},
        entries::{self, Heading, Of},
        invoices, receipts,
    },
    catalogue::plans::Offer,
    kernel::work::Work,
    kernel::{app::Tenant, change::CallerKey, ids::Table},
    sales::{paid, terms},
};
use store::people::service::quota;

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
/// `NotFound` of `customer` or `plan`; `Refused` with `OtherBranch` or
/// `SellerMayNot`; `Insufficient` where a reseller's people ask and his wallet does not reach.
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
        let from = line.plan_id;
        let paid = carry_out(change, &tenant, &mut line, &offer, &mut done).await?;
        service::update(change.tx, &line).await?;
        change.event(
            EventKind::ServiceMoved,
            Subject::Service(line.id.0),
            json!({
                "customer": id.0, "from": from.0, "plan": plan.0, "kind": "migration", "credit": done.credit,
                "charge": done.charge, "expires_at": line.expires_at.map(|at| at.0)
            }),
        );
        change.order(Work::follow(line.id)).await?;
        paid::settle(change, &tenant, &paid).await?;
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
) -> Result<Vec<Invoice>, Error> {
    let mut paid = Vec::new();
    let ends = line.expires_at.filter(|at| *at > change.now);
    let old = package_of(change, tenant, line, None, ends).await?;
    let new = package_of(change, tenant, line, Some(offer), ends).await?;
    let running = match ends {
        Some(ends) => unfinished(change, line, ends, old.validity_s).await?,
        None => Vec::new(),
    };
    let periods: Vec<Unfinished> = running.iter().map(|(_, rest)| rest.clone()).collect();
    let time = Time::of(&periods, change.now);
    for (period, rest) in &running {
        done.credit += give_back(change, line, period, rest).await?.0;
    }
    if line.plan_id != offer.plan.id {
        terms::set_price(change, line, None).await?;
    }
    line.plan_id = offer.plan.id;
    line.plan_version = offer.version.version;
    line.updated_at = change.now;
    // Without time that is left there is nothing to sell: the next activation costs the new price.
    let Some(ends) = ends.filter(|_| time.total_s() > 0) else { return Ok(paid) };
    let part = migration::part(&old, &new, time);
    let period = PeriodId(change.id(Table::Period).await?);
    let invoice = match part.price > Money::ZERO {
        true => Some(charge(change, line, offer, (&part, &new), period).await?),
        false => None,
    };
    line.period_ordinal += 1;
    Period {
        isp_id: change.isp,
        id: period,
        service_id: line.id,
        ordinal: line.period_ordinal,
        customer_id: line.customer_id,
        plan_id: offer.plan.id,
        plan_version: offer.version.version,
        starts_at: change.now,
        ends_at: ends,
        price: part.tax.split(part.price).total(),
        reason: MIGRATED.into(),
        invoice_id: invoice,
        created_at: change.now,
    }
    .insert(change.tx)
    .await?;
    Part { isp_id: change.isp, period_id: period, sold_s: time.total_s() }.insert(change.tx).await?;
    fup::period_begins(change.tx, change.isp, line.id, change.now).await?;
    line.period_started_at = Some(change.now);
    line.quota_event_ordinal = None;
    (line.quota_time_s, line.quota_bytes) = (part.limit.time_s, part.limit.data_bytes);
    (line.used_time_s, line.used_bytes) = (0, 0);
    if let Some(id) = invoice {
        paid = receipts::from_wallet(change, line.customer_id).await?;
        let row = bills::find(change.tx, change.isp, id).await?;
        let row = row.ok_or_else(|| Error::Internal("an invoice just written is gone".into()))?;
        done.invoice_id = Some(id.0);
        done.charge = row.total.0;
        done.due = row.total.0 - row.paid.0;
    }
    Ok(paid)
}

/// The reason of a period that a migration sold.
pub const MIGRATED: &str = "migrated";

/// The line's present package, or the offered one, as this subscriber buys it and as long as it lasts where the line ends.
async fn package_of(
    change: &Change<'_>,
    tenant: &Tenant,
    line: &Service,
    offer: Option<&Offer>,
    ends: Option<Instant>,
) -> Result<Package, Error> {
    let terms = match offer {
        Some(offer) => terms::of_line(change, line.id, &offer.version).await?,
        None => {
            let version = plan::version(change.tx, change.isp, line.plan_id, line.plan_version).await?;
            let version = version.ok_or_else(|| Error::Internal("a line's package has no such version".into()))?;
            terms::of_line(change, line.id, &version).await?
        }
    };
    let anchor = line.anchor_day.map(|day| day as u8);
    let validity_s = length_before(ends.unwrap_or(change.now), anchor, terms.validity, &tenant.zone);
    Ok(Package { terms, validity_s })
}

/// The running period and those bought in advance behind it, each with what its sale moved.
async fn unfinished(
    change: &Change<'_>,
    line: &Service,
    ends: Instant,
    validity_s: i64,
) -> Result<Vec<(Period, Unfinished)>, Error> {
    let found = rows::unfinished(change.tx, change.isp, line.id, change.now).await?;
    let mut chain: Vec<Period> = Vec::new();
    for period in found {
        // What a later sale has replaced does not end where the next one begins.
        let follows = chain.last().is_none_or(|later| later.starts_at == period.ends_at);
        if !follows {
            break;
        }
        let is_part = period.reason == MIGRATED;
        chain.push(period);
        if is_part {
            break;
        }
    }
    let ids: Vec<PeriodId> = chain.iter().map(|period| period.id).collect();
    let parts = rows::parts(change.tx, change.isp, &ids).await?;
    let mut rest = Vec::with_capacity(chain.len());
    for period in chain {
        let sold_s = parts.iter().find(|part| part.period_id == period.id).map(|part| part.sold_s);
        let length_s = period.ends_at.seconds_since(period.starts_at);
        let one = Unfinished {
            starts_at: period.starts_at,
            ends_at: period.ends_at,
            until: ends,
            sold_s: sold_s.unwrap_or(length_s.min(validity_s)),
            sale: credit::moved(change, period.id, period.invoice_id).await?,
        };
        rest.push((period, one));
    }
    Ok(rest)
}

/// Gives the rest of a period back to who paid it, with a credit note for its invoice.
async fn give_back(change: &Change<'_>, line: &Service, period: &Period, rest: &Unfinished) -> Result<Money, Error> {
    let Some(moved) = &rest.sale else { return Ok(Money::ZERO) };
    let share = rest.share(&quota(line), change.now);
    let (customer, invoice) = (line.customer_id, period.invoice_id);
    credit::note(change, Back { customer, period: period.id, invoice, moved, share, reason: None }).await
}

/// Invoices a part of the new package. What a salesperson does not pay is owed: the wallet pays it afterwards.
async fn charge(
    change: &Change<'_>,
    line: &Service,
    offer: &Offer,
    (part, new): (&domain::PlanTerms, &Package),
    period: PeriodId,
) -> Result<InvoiceId, Error> {
    let price = part.tax.split(part.price);
    let held = ledger::held(change.tx, change.isp, &Account::CustomerWallet(line.customer_id)).await?;
    let seller = seller(change, line.customer_id, offer, &Payments::Smart).await?;
    let sold = match paying(change, offer, &Payments::Smart, seller).await? {
        // A reseller's people sell on his account and on no other.
        Paying::Salesperson(chain) => {
            let chain = chain.share(part.price, new.terms.price);
            let earned = chain.earned(part.tax);
            let paid = chain.pay(earned.total());
            Some((paid.map_err(|Refusal::Insufficient { .. }| Error::Insufficient { needed: price.total() })?, earned))
        }
        Paying::Smart(Some(chain)) if held < price.total() => {
            let chain = chain.share(part.price, new.terms.price);
            let earned = chain.earned(part.tax);
            chain.pay(earned.total()).ok().map(|paid| (paid, earned))
        }
        Paying::Smart(_) | Paying::Received { .. } | Paying::Wallet { .. } => None,
    };
    let id = invoices::draw(change).await?;
    let (entry, earned, paid) = match sold {
        Some((entry, earned)) => (entry, earned, earned.total()),
        None => (Entry::new().debit(Account::Receivable(line.customer_id), price.total()), price, Money::ZERO),
    };
    let entry = entry.credit(Account::Revenue, earned.net).credit(Account::Tax, earned.tax);
    entries::post(change, Heading::new(Kind::Migration, Of::Period(period)), entry).await?;
    bill(change, line, offer, period, &NewInvoice { id, earned, paid }).await?;
    Ok(id)
}
