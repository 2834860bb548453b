//! Activation: a period is sold with its invoice, paid now, from a wallet, or left due in part. Everything of one
//! subscriber is one transaction; a mass activation is one for each. Another package in the middle of a period is a
//! [`migration`].

mod migration;
mod sale;

use domain::{
    BranchId, CustomerId, Instant, InvoiceId, Money, PlanId, StaffId,
    sales::activation::{self, Paying},
};
use serde::{Deserialize, Serialize};
use store::{
    access::router,
    customers::subscriber,
    identity::staff,
    people::{customer, profile, service::Service},
    resellers::salesperson,
};

pub use self::migration::{Migrated, migrate};
use self::sale::sell;
use crate::{
    Actor, App, Change, Error, Refusal, What,
    catalogue::plans::{self, Offer},
    kernel::{
        change::CallerKey,
        hold::{Held, hold},
    },
    resellers::chain,
    sales::sale::save,
};

#[derive(Clone, Debug)]
pub struct Activation {
    pub customer: CustomerId,
    /// `None`: the one the subscriber has.
    pub plan: Option<PlanId>,
    pub payment: Payments,
    /// In the place of the package's own validity.
    pub expires_at: Option<Instant>,
    /// Only a subscriber of this branch. Who acts there sells on the branch's account; this says only who is meant.
    pub within: Option<BranchId>,
}

/// How it is paid; the salesperson is the subscriber's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Payments {
    /// By this method, now; `None` is exactly the price.
    Received {
        method: String,
        amount: Option<Money>,
    },
    /// From the subscriber's wallet, into which this is put first.
    Wallet {
        received: Option<(String, Money)>,
    },
    Salesperson,
    /// From the subscriber's wallet, or else from the salesperson's.
    Smart,
}

/// What the caller is told, and told again when it repeats itself. Amounts in minor units.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Activated {
    pub customer_id: i64,
    pub username: String,
    pub plan_id: i64,
    /// Microseconds UTC.
    pub expires_at: i64,
    pub invoice_id: i64,
    pub total: i64,
    pub due: i64,
}

/// Activates one subscriber.
///
/// # Errors
/// `NotFound` of `customer` or `plan`; `Refused` with one of the texts above; `Insufficient` with the whole price.
pub async fn activate(
    app: &App,
    actor: &Actor,
    command: Activation,
    key: Option<CallerKey>,
) -> Result<Activated, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        let Held { owner, lines } = hold(change, &who, command.customer).await?;
        if command.within.is_some_and(|branch| owner.branch_id != Some(branch)) {
            return Err(Error::Forbidden);
        }
        let mut line = lines.into_iter().next().ok_or(Error::NotFound { what: What::Customer })?;
        let offer = wanted(change, &line, command.plan).await?;
        in_branch(change, &owner, &offer).await?;
        let seller = seller(change, owner.id, &offer, &command.payment).await?;
        let paying = paying(change, &offer, &command.payment, seller).await?;
        if command.expires_at.is_some_and(|at| at <= change.now) {
            return Err(Error::Refused(Refusal::ExpiryPast));
        }
        if command.expires_at.is_some() {
            // An end of one's own is time beside what the package costs.
            change.by_no_reseller().await?;
        }
        let since = change.now.plus(-activation::DUE_HOLDS);
        if let Some((_, issued, due)) = subscriber::due_invoice(change.tx, change.isp, owner.id, since).await?
            && activation::holds_up(issued, due, change.now)
        {
            return Err(Error::Refused(Refusal::InvoiceDue));
        }
        let (made, due) = sell(change, &tenant, &mut line, &offer, &paying, command.expires_at).await?;
        save(change, &line).await?;
        let invoice = made.invoice.ok_or_else(|| Error::Internal("an activation has an invoice".into()))?;
        Ok(Activated {
            customer_id: owner.id.0,
            username: owner.username,
            plan_id: offer.plan.id.0,
            expires_at: line.expires_at.unwrap_or(change.now).0,
            invoice_id: invoice.id.0,
            total: invoice.total.0,
            due: due.0,
        })
    })
    .await
}

/// The package asked for, else the present one. What is no longer sold can only be kept.
async fn wanted(change: &Change<'_>, line: &Service, plan: Option<PlanId>) -> Result<Offer, Error> {
    match plans::for_sale(change, plan.unwrap_or(line.plan_id), Some(line.plan_id)).await {
        Err(Error::Refused(Refusal::NotForSale)) => Err(Error::NotFound { what: What::Plan }),
        offer => offer,
    }
}

async fn in_branch(change: &Change<'_>, owner: &customer::Customer, offer: &Offer) -> Result<(), Error> {
    let Some(id) = offer.plan.router_id else { return Ok(()) };
    let branch = router::find(change.tx, change.isp, id).await?.and_then(|router| router.branch_id);
    match (branch, owner.branch_id) {
        (Some(theirs), Some(own)) if theirs != own => Err(Error::Refused(Refusal::OtherBranch)),
        _ => Ok(()),
    }
}

/// The subscriber's salesperson, who must be at work and may sell the package; a subscriber may have none.
async fn seller(
    change: &Change<'_>,
    id: CustomerId,
    offer: &Offer,
    payment: &Payments,
) -> Result<Option<StaffId>, Error> {
    let known = profile::find(change.tx, change.isp, id).await?.and_then(|profile| profile.salesperson_id);
    let Some(seller) = known else {
        return if *payment == Payments::Salesperson { Err(Error::Refused(Refusal::SellerMayNot)) } else { Ok(None) };
    };
    let person = staff::find(change.tx, change.isp, seller).await?;
    let at_work = person.is_some_and(|person| person.status == "active");
    match at_work && salesperson::may_sell(change.tx, change.isp, seller, offer.plan.id).await? {
        true => Ok(Some(seller)),
        false => Err(Error::Refused(Refusal::SellerMayNot)),
    }
}

/// Who pays. Whoever acts for a reseller sells on the reseller's account, whatever is said; the salesperson pays what
/// the package costs him.
async fn paying(change: &Change<'_>, offer: &Offer, said: &Payments, seller: Option<StaffId>) -> Result<Paying, Error> {
    if let Some(chain) = chain::of_branch(change, offer).await? {
        return Ok(Paying::Salesperson(chain));
    }
    let chain = async || match seller {
        Some(seller) => chain::of_seller(change, seller, offer).await,
        None => Ok(None),
    };
    Ok(match said {
        Payments::Received { method, amount } => Paying::Received { method: method.clone(), amount: *amount },
        Payments::Wallet { received } => Paying::Wallet { received: received.clone() },
        Payments::Salesperson => Paying::Salesperson(chain().await?.ok_or(Error::Refused(Refusal::SellerMayNot))?),
        Payments::Smart => Paying::Smart(chain().await?),
    })
}

/// Whether this package can be the subscriber's: it is sold, in the branch, and by the salesperson.
pub(crate) async fn may_have(
    change: &Change<'_>,
    owner: &customer::Customer,
    line: &Service,
    plan: PlanId,
) -> Result<Offer, Error> {
    let offer = wanted(change, line, Some(plan)).await?;
    in_branch(change, owner, &offer).await?;
    seller(change, owner.id, &offer, &Payments::Smart).await?;
    Ok(offer)
}

/// The invoice that holds up an activation: its id and what is due.
pub async fn due(app: &App, actor: &Actor, id: CustomerId) -> Result<Option<(InvoiceId, Money)>, Error> {
    let (isp, who, since) = (actor.isp, actor.clone(), app.clock.now().plus(-activation::DUE_HOLDS));
    app.db
        .read(async move |tx| {
            let owner = customer::find(tx, isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
            who.reaches(owner.branch_id)?;
            Ok(subscriber::due_invoice(tx, isp, id, since).await?.map(|(id, _, due)| (id, due)))
        })
        .await
}

/// How many of a mass activation there were, and why others failed.
#[derive(Clone, Default, Debug)]
pub struct Outcome {
    pub activated: usize,
    pub failed: Vec<(CustomerId, Error)>,
}

/// Activates many, each for itself: what cannot be activated holds up nobody. A caller's key counts for each.
pub async fn activate_many(
    app: &App,
    actor: &Actor,
    ids: &[CustomerId],
    like: &Activation,
    key: Option<CallerKey>,
) -> Result<Outcome, Error> {
    actor.writes()?;
    let mut outcome = Outcome::default();
    for id in ids {
        let command = Activation { customer: *id, ..like.clone() };
        let own = key
            .as_ref()
            .map(|key| CallerKey { key: format!("{}:{id}", key.key), request_hash: key.request_hash.clone() });
        match activate(app, actor, command, own).await {
            Ok(_) => outcome.activated += 1,
            Err(error @ (Error::Unavailable | Error::Busy)) if outcome.activated + outcome.failed.len() == 0 => {
                return Err(error);
            }
            Err(error) => outcome.failed.push((*id, error)),
        }
    }
    Ok(outcome)
}
