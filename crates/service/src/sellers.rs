//! Salespeople as sellers: what a package costs them, the wallet that pays it, whether their subscribers renew by
//! themselves. They are people of staff without an account of their own; what a sale of theirs moves is decided in
//! `resellers` and `domain::billing`, as an operator's.

use domain::{
    Money, PlanId, StaffId,
    event::{EventKind, Subject},
    ledger::Account,
};
use serde_json::json;
use store::{db::Class, ledger, operator, staff};

use crate::{
    Actor, App, Change, Error, Why,
    change::CallerKey,
    operators::{self, Funded, Funding, by_the_isp},
    plans::Offer,
};

/// The person, locked: two sales on one wallet come one after the other.
async fn live(change: &Change<'_>, id: StaffId) -> Result<staff::Staff, Error> {
    let person = staff::lock(change.tx, change.isp, id).await?;
    person.filter(|person| person.status != "deleted").ok_or(Error::NotFound { what: "staff" })
}

/// Money that a salesperson pays in, ahead of sales; `amount` is above zero.
pub async fn fund(
    app: &App,
    actor: &Actor,
    id: StaffId,
    command: Funding,
    key: Option<CallerKey>,
) -> Result<Funded, Error> {
    actor.writes()?;
    by_the_isp(actor)?;
    if command.amount <= Money::ZERO {
        return Err(Error::invalid("amount", Why::TooSmall { min: 1 }));
    }
    app.change_once(actor, key, async move |change| {
        live(change, id).await?;
        operators::pay_in(change, id, &command).await
    })
    .await
}

/// Sets what a package costs the salesperson from the next sale on; `None`: what it costs anybody.
pub async fn set_price(
    app: &App,
    actor: &Actor,
    id: StaffId,
    plan: PlanId,
    price: Option<Money>,
) -> Result<(Offer, Option<Money>), Error> {
    actor.writes()?;
    by_the_isp(actor)?;
    app.change(actor, Class::Interactive, async move |change| {
        live(change, id).await?;
        operators::put_price(change, id, plan, price).await
    })
    .await
}

/// What packages cost the salesperson, where that is a price of his own.
pub async fn prices(app: &App, actor: &Actor, id: StaffId) -> Result<Vec<(PlanId, Money)>, Error> {
    let isp = actor.isp;
    let rows = app.db.read(async move |tx| operator::prices(tx, isp, id).await).await?;
    Ok(rows.into_iter().map(|row| (row.plan_id, row.price)).collect())
}

/// What the wallet holds; below zero is owed.
pub async fn balance(app: &App, actor: &Actor, id: StaffId) -> Result<Money, Error> {
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| ledger::held(tx, isp, &Account::StaffWallet(id)).await).await?)
}

/// Whether the salesperson's subscribers may renew by themselves.
pub async fn set_auto_renew(app: &App, actor: &Actor, id: StaffId, renews: bool) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let person = live(change, id).await?;
        who.reaches(person.branch_id)?;
        if staff::renews(change.tx, change.isp, id).await? != Some(renews) {
            staff::set_renews(change.tx, change.isp, id, renews).await?;
            change.event(EventKind::StaffUpdated, Subject::Staff(id.0), json!({ "auto_renew": renews }));
        }
        Ok(())
    })
    .await
}
