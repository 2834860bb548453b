//! Salespeople: staff who sell on wallets of their own. What they pay in goes into the ledger as operators' money does;
//! activations take it out again (`activation`).

use domain::{
    Money, Role, StaffId,
    event::{EventKind, Subject},
    ledger::Account,
};
use serde_json::json;
use store::{db::Class, ledger, location, plan, staff as people};

use crate::{
    Actor, App, Change, Error, Why,
    change::CallerKey,
    operators::{Funded, Funding, Line, pay_in},
    plans::{self, Offer},
    staff,
};

const NOT_SELLING: Error = Error::Refused("Only a salesperson has a wallet and packages to sell here");

/// A live salesperson that the caller reaches, locked: nobody else pays into the wallet meanwhile.
async fn reached(change: &Change<'_>, who: &Actor, id: StaffId) -> Result<people::Staff, Error> {
    let person = people::lock(change.tx, change.isp, id).await?.filter(|person| person.status != "deleted");
    let person = person.ok_or(Error::NotFound { what: "staff" })?;
    who.reaches(person.branch_id)?;
    if person.role == Role::Salesperson.word() { Ok(person) } else { Err(NOT_SELLING) }
}

/// A salesperson pays in; by the Isp's own people alone.
pub async fn fund(
    app: &App,
    actor: &Actor,
    id: StaffId,
    command: Funding,
    key: Option<CallerKey>,
) -> Result<Funded, Error> {
    actor.writes()?;
    actor.sees_all()?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        reached(change, &who, id).await?;
        pay_in(change, id, ("staff_funding", EventKind::StaffFunded), &command).await
    })
    .await
}

/// What a person's wallet holds.
pub async fn balance(app: &App, actor: &Actor, id: StaffId) -> Result<Money, Error> {
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| ledger::held(tx, isp, &Account::StaffWallet(id)).await).await?)
}

/// What moved a person's wallet, the newest first, and how many postings there are.
pub async fn entries(
    app: &App,
    actor: &Actor,
    id: StaffId,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Line>, i64), Error> {
    staff::show(app, actor, id).await?;
    let (isp, wallet) = (actor.isp, Account::StaffWallet(id));
    Ok(app.db.read(async move |tx| ledger::of_account(tx, isp, &wallet, offset, limit).await).await?)
}

/// What a salesperson may sell, by name.
pub async fn packages(app: &App, actor: &Actor, id: StaffId) -> Result<Vec<Offer>, Error> {
    staff::show(app, actor, id).await?;
    let isp = actor.isp;
    let sold = app.db.read(async move |tx| location::sold_by(tx, isp, id).await).await?;
    let mut offers = plans::offers(app, actor).await?;
    offers.retain(|offer| sold.contains(&offer.plan.id));
    Ok(offers)
}

/// What a salesperson may sell is exactly this from now on.
pub async fn assign(app: &App, actor: &Actor, id: StaffId, packages: Vec<domain::PlanId>) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        reached(change, &who, id).await?;
        for package in &packages {
            if plan::find(change.tx, change.isp, *package).await?.is_none() {
                return Err(Error::invalid("package_ids", Why::Unknown));
            }
        }
        location::assign(change.tx, change.isp, id, &packages, change.now).await?;
        let plans: Vec<i64> = packages.iter().map(|package| package.0).collect();
        change.event(EventKind::StaffUpdated, Subject::Staff(id.0), json!({ "plans": plans }));
        Ok(())
    })
    .await
}
