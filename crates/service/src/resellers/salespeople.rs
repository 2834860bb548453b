//! Salespeople: staff who sell on wallets of their own, packages that are assigned to them, at prices that may be theirs
//! alone. What they pay in is `billing::funding`'s; what a sale takes out again is decided in `resellers` and
//! `domain::sales::sale`, as an operator's.

use domain::{Money, PlanId, Role, Scopes, StaffId, billing::ledger::Account};
use store::{
    billing::ledger,
    catalogue::plan,
    db::Class,
    identity::staff as people,
    resellers::{operator, salesperson},
};

use crate::{
    Actor, App, Change, Error, Fact, Refusal, What, Why,
    catalogue::plans::{self, Offer},
    identity::staff::{self, NewStaff, StaffChange},
    kernel::{ids::Table, vault},
    resellers::operators::{self, Line, by_the_isp},
};

const NOT_SELLING: Error = Error::Refused(Refusal::NotASalesperson);

/// What a person sells. `None` leaves it as it is.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Selling {
    /// Exactly these from now on.
    pub plans: Option<Vec<PlanId>>,
    /// Whether its customers' lines may renew by themselves.
    pub auto_renew: Option<bool>,
}

/// A live salesperson that the caller reaches, locked: two sales on one wallet come one after the other.
pub(crate) async fn reached(change: &Change<'_>, who: &Actor, id: StaffId) -> Result<people::Staff, Error> {
    let person = people::lock(change.tx, change.isp, id).await?.filter(|person| person.status != "deleted");
    let person = person.ok_or(Error::NotFound { what: What::Staff })?;
    who.reaches(person.branch_id)?;
    if person.role == Role::Salesperson.word() { Ok(person) } else { Err(NOT_SELLING) }
}

/// What a person's wallet holds; below zero is owed.
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

/// What a salesperson may sell, by name, each with what it costs this person where that is a price of its own.
pub async fn packages(app: &App, actor: &Actor, id: StaffId) -> Result<Vec<(Offer, Option<Money>)>, Error> {
    staff::show(app, actor, id).await?;
    let isp = actor.isp;
    let (sold, prices) = app
        .db
        .read(async move |tx| {
            Ok::<_, Error>((salesperson::sold_by(tx, isp, id).await?, operator::prices(tx, isp, id).await?))
        })
        .await?;
    let own = |plan: PlanId| prices.iter().find(|row| row.plan_id == plan).map(|row| row.price);
    let offers = plans::offers(app, actor).await?.into_iter().filter(|offer| sold.contains(&offer.plan.id));
    Ok(offers
        .map(|offer| {
            let own = own(offer.plan.id);
            (offer, own)
        })
        .collect())
}

/// The packages that are assigned to a person of staff, as ids.
pub async fn assigned_plans(app: &App, actor: &Actor, id: StaffId) -> Result<Vec<PlanId>, Error> {
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| salesperson::sold_by(tx, isp, id).await).await?)
}

/// Whether the salesperson's customers' lines may renew by themselves.
pub async fn renews(app: &App, actor: &Actor, id: StaffId) -> Result<bool, Error> {
    let isp = actor.isp;
    let renews = app.db.read(async move |tx| people::renews(tx, isp, id).await).await?;
    renews.ok_or(Error::NotFound { what: What::Staff })
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
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        reached(change, &who, id).await?;
        operators::put_price(change, id, plan, price).await
    })
    .await
}

/// Makes a person together with what it sells. `rights` are the caller's: nobody gives more than it has.
pub async fn create(
    app: &App,
    actor: &Actor,
    rights: Scopes,
    person: NewStaff,
    selling: Selling,
) -> Result<people::Staff, Error> {
    actor.writes()?;
    staff::within(rights, person.role)?;
    if matches!(person.role, Role::Operator | Role::SubOperator) {
        return Err(Error::invalid("role", staff::RESELLER));
    }
    if person.role != Role::Salesperson && selling != Selling::default() {
        return Err(NOT_SELLING);
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
    if selling == Selling::default() {
        return Ok(());
    }
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let person = reached(change, &who, id).await?;
        if let Some(role) = Role::from_word(&person.role) {
            staff::within(rights, role)?;
        }
        put(change, id, &selling).await
    })
    .await
}

/// Changes a person, what it sells and whether it may log in, all of it or nothing.
pub async fn update(
    app: &App,
    actor: &Actor,
    rights: Scopes,
    id: StaffId,
    command: StaffChange,
    selling: Selling,
    suspended: Option<bool>,
) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    let password_hash = match &command.password {
        Some(password) => Some(vault::hash_password(password.clone()).await?),
        None => None,
    };
    app.change(actor, Class::Interactive, async move |change| {
        let mut person = staff::edit(change, &who, rights, id, &command, password_hash.as_deref()).await?;
        if selling != Selling::default() {
            reached(change, &who, id).await?;
            put(change, id, &selling).await?;
        }
        match suspended {
            Some(suspended) => staff::set_suspended(change, &mut person, suspended).await,
            None => Ok(()),
        }
    })
    .await
}

async fn put(change: &Change<'_>, id: StaffId, selling: &Selling) -> Result<(), Error> {
    if let Some(plans) = &selling.plans {
        for plan in plans {
            if plan::find(change.tx, change.isp, *plan).await?.is_none() {
                return Err(Error::invalid("package_ids", Why::Unknown));
            }
        }
        salesperson::assign(change.tx, change.isp, id, plans, change.now).await?;
        change.tell(Fact::SalespersonPlans { staff: id, plans: plans.clone() });
    }
    if let Some(renews) = selling.auto_renew
        && people::renews(change.tx, change.isp, id).await? != Some(renews)
    {
        people::set_renews(change.tx, change.isp, id, renews).await?;
        change.tell(Fact::SalespersonRenews { staff: id, auto_renew: renews });
    }
    Ok(())
}
