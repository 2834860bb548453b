//! Salespeople as sellers: what a package costs them, the wallet that pays it, whether their subscribers renew by
//! themselves. They are people of staff without an account of their own; what a sale of theirs moves is decided in
//! `resellers` and `domain::billing`, as an operator's.

use domain::{
    Money, PlanId, Role, Scopes, StaffId,
    event::{EventKind, Subject},
    ledger::Account,
};
use serde_json::json;
use store::{db::Class, ledger, location, operator, plan, staff as people};

use crate::{
    Actor, App, Change, Error, Staff, Why,
    change::CallerKey,
    ids::Table,
    operators::{self, Funded, Funding, by_the_isp},
    plans::Offer,
    staff::{self, NewStaff},
    vault,
};

/// The person, locked: two sales on one wallet come one after the other.
async fn live(change: &Change<'_>, id: StaffId) -> Result<Staff, Error> {
    let person = people::lock(change.tx, change.isp, id).await?;
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
pub async fn renews(app: &App, actor: &Actor, id: StaffId) -> Result<bool, Error> {
    let isp = actor.isp;
    let renews = app.db.read(async move |tx| people::renews(tx, isp, id).await).await?;
    renews.ok_or(Error::NotFound { what: "staff" })
}

/// What a person sells. `None` leaves it as it is.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Selling {
    /// Exactly these from now on.
    pub plans: Option<Vec<PlanId>>,
    /// Whether his subscribers may renew by themselves.
    pub auto_renew: Option<bool>,
}

/// Makes a person together with what it sells. `rights` are the caller's: nobody gives more than it has.
pub async fn create(
    app: &App,
    actor: &Actor,
    rights: Scopes,
    person: NewStaff,
    selling: Selling,
) -> Result<Staff, Error> {
    actor.writes()?;
    staff::within(rights, person.role)?;
    if matches!(person.role, Role::Operator | Role::SubOperator) {
        return Err(Error::invalid("role", staff::RESELLER));
    }
    let branch = actor.branch.or(person.branch);
    let id = StaffId(app.new_id(Table::Staff).await?);
    let password_hash = vault::hash_password(person.password.clone()).await?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        if let Some(parent) = person.parent {
            let found = people::find(change.tx, change.isp, parent).await?.filter(|found| found.status != "deleted");
            let found = found.filter(|found| who.reaches(found.branch_id).is_ok());
            found.ok_or(Error::invalid("parent_id", Why::Unknown))?;
        }
        let made = staff::add(change, id, &person, branch, password_hash.clone()).await?;
        put(change, id, &selling).await?;
        Ok(made)
    })
    .await
}

/// Changes what a person sells.
pub async fn set(app: &App, actor: &Actor, rights: Scopes, id: StaffId, selling: Selling) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let person = live(change, id).await?;
        who.reaches(person.branch_id)?;
        if let Some(role) = Role::from_word(&person.role) {
            staff::within(rights, role)?;
        }
        put(change, id, &selling).await
    })
    .await
}

async fn put(change: &Change<'_>, id: StaffId, selling: &Selling) -> Result<(), Error> {
    if let Some(plans) = &selling.plans {
        for plan in plans {
            if plan::find(change.tx, change.isp, *plan).await?.is_none() {
                return Err(Error::invalid("plan", Why::Unknown));
            }
        }
        location::assign(change.tx, change.isp, id, plans, change.now).await?;
    }
    if let Some(renews) = selling.auto_renew
        && people::renews(change.tx, change.isp, id).await? != Some(renews)
    {
        people::set_renews(change.tx, change.isp, id, renews).await?;
        change.event(EventKind::StaffUpdated, Subject::Staff(id.0), json!({ "auto_renew": renews }));
    }
    Ok(())
}
