//! On whose account a sale goes. Whoever is confined to a reseller's branch (the operator, his people, his API clients)
//! sells on the operator's account: this is decided here, from the change, so that no door can forget it.

use domain::{
    BranchId, Money, Role, StaffId,
    billing::ledger::Account,
    sales::sale::{Chain, Payer, Reseller},
};
use store::{
    billing::ledger,
    identity::staff,
    resellers::operator::{self, Operator},
};

use crate::{Change, Error, Refusal, What, catalogue::plans::Offer};

/// Resellers of resellers of resellers: more is a mistake in the data.
const MAX_ABOVE: usize = 8;

/// Who pays in this change. A voucher and a card are paid for; everything else a reseller's people sell, gifts included,
/// is bought from the Isp by the reseller.
pub(crate) async fn paying(change: &Change<'_>, offer: &Offer, said: &Payer) -> Result<Payer, Error> {
    match said {
        Payer::Voucher | Payer::Card { .. } | Payer::Billed { .. } => return Ok(said.clone()),
        Payer::Cash { .. } | Payer::Wallet | Payer::Owed | Payer::Complimentary | Payer::Reseller { .. } => {}
    }
    match of_branch(change, offer).await? {
        Some(Chain { seller, above }) => Ok(Payer::Reseller { seller, above }),
        None => Ok(said.clone()),
    }
}

/// The reseller for whom this change is made, with those above him; `None` where it is the Isp's own.
pub(crate) async fn of_branch(change: &Change<'_>, offer: &Offer) -> Result<Option<Chain>, Error> {
    let Some(branch) = change.branch else { return Ok(None) };
    of(change, branch, offer).await
}

/// Who pays where a sale is to go on the account of the reseller who has this branch.
pub(crate) async fn account(change: &Change<'_>, branch: BranchId, offer: &Offer) -> Result<Payer, Error> {
    let chain = of(change, branch, offer).await?.ok_or(Error::NotFound { what: What::Operator })?;
    Ok(Payer::Reseller { seller: chain.seller, above: chain.above })
}

async fn of(change: &Change<'_>, branch: BranchId, offer: &Offer) -> Result<Option<Chain>, Error> {
    // Held until the end: two sales on one wallet come one after the other.
    let Some(account) = operator::lock_of_branch(change.tx, change.isp, branch).await? else { return Ok(None) };
    let (seller, parent) = reseller(change, &account, offer).await?;
    Ok(Some(Chain { seller, above: above(change, parent, offer).await? }))
}

/// A salesperson as a reseller: at his own price from his own wallet. Above him is the operator he works for.
pub(crate) async fn of_seller(change: &Change<'_>, id: StaffId, offer: &Offer) -> Result<Option<Chain>, Error> {
    // The row that two sales on one wallet wait for: the account's, or where there is none the person's.
    let account = operator::lock(change.tx, change.isp, id).await?;
    if let Some(account) = account {
        let (seller, parent) = reseller(change, &account, offer).await?;
        return Ok(Some(Chain { seller, above: above(change, parent, offer).await? }));
    }
    let person = staff::lock(change.tx, change.isp, id).await?;
    let Some(person) = person.filter(|person| person.status == "active") else { return Ok(None) };
    let own = operator::price(change.tx, change.isp, id, offer.plan.id).await?;
    let seller = Reseller {
        id,
        price: own.unwrap_or(offer.version.price),
        wallet: ledger::held(change.tx, change.isp, &Account::StaffWallet(id)).await?,
        limit: Money::ZERO,
    };
    let parent = match (person.parent_id, person.branch_id) {
        (Some(parent), _) if operator::find(change.tx, change.isp, parent).await?.is_some() => Some(parent),
        (_, Some(branch)) => operator::of_branch(change.tx, change.isp, branch).await?,
        (_, None) => None,
    };
    Ok(Some(Chain { seller, above: above(change, parent, offer).await? }))
}

/// An operator and those above him, the nearest first.
async fn above(change: &Change<'_>, mut next: Option<StaffId>, offer: &Offer) -> Result<Vec<Reseller>, Error> {
    let mut above = Vec::new();
    while let Some(id) = next
        && above.len() < MAX_ABOVE
        && let Some(account) = operator::find(change.tx, change.isp, id).await?
    {
        let (reseller, parent) = reseller(change, &account, offer).await?;
        above.push(reseller);
        next = parent;
    }
    Ok(above)
}

/// An account as the sale sees it, and whose reseller it is.
async fn reseller(
    change: &Change<'_>,
    account: &Operator,
    offer: &Offer,
) -> Result<(Reseller, Option<StaffId>), Error> {
    let id = account.staff_id;
    let person = staff::find(change.tx, change.isp, id).await?;
    let person = person.filter(|person| person.status == "active").ok_or(SUSPENDED)?;
    let own = operator::price(change.tx, change.isp, id, offer.plan.id).await?;
    let limit = if account.account_type == "postpaid" { account.collection_limit } else { Money::ZERO };
    let reseller = Reseller {
        id,
        price: own.unwrap_or(offer.version.price),
        wallet: ledger::held(change.tx, change.isp, &Account::StaffWallet(id)).await?,
        limit,
    };
    let parent = person.parent_id.filter(|_| person.role == Role::SubOperator.word());
    Ok((reseller, parent))
}

const SUSPENDED: Error = Error::Refused(Refusal::OperatorSuspended);

/// The operator whose people act: money that they take is theirs to hand in.
pub(crate) async fn holder(change: &Change<'_>) -> Result<Option<StaffId>, Error> {
    let Some(branch) = change.branch else { return Ok(None) };
    Ok(operator::of_branch(change.tx, change.isp, branch).await?)
}
