//! Operators: resellers with a branch, a wallet and prices of their own (docs/readings.md 2.4, 2.5). Only the Isp's
//! own people manage them. What a sale of theirs moves is decided in `resellers` and `domain::sales::sale`.

use domain::{BranchId, Instant, Money, PlanId, Role, Scopes, StaffId, billing::ledger::Account};
use store::{
    billing::ledger,
    db::Class,
    identity::{isp::Branch, staff as people},
    resellers::operator::{self, Operator, Price},
};

pub use store::{
    billing::ledger::Line,
    resellers::operator::{Filter, Listed},
};

use crate::{
    Actor, App, By, Change, Error, Expected, Fact, What, Why,
    catalogue::plans::{self, Offer},
    identity::{
        staff::{self, NewStaff, StaffChange},
        tokens,
    },
    kernel::{amounts, ids::Table, vault},
};

/// When an operator pays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Terms {
    /// Before: the wallet pays for each sale and never falls below zero.
    Prepaid,
    /// After: the wallet may fall so far below zero until collected cash is handed in.
    Postpaid { collection_limit: Money },
}

impl Terms {
    pub const WORDS: &[&'static str] = &["prepaid", "postpaid"];

    pub fn word(self) -> &'static str {
        match self {
            Terms::Prepaid => "prepaid",
            Terms::Postpaid { .. } => "postpaid",
        }
    }

    fn limit(self) -> Money {
        match self {
            Terms::Prepaid => Money::ZERO,
            Terms::Postpaid { collection_limit } => collection_limit,
        }
    }

    /// What a word and a limit say; a prepaid account has no limit.
    ///
    /// # Errors
    /// A limit for a prepaid account.
    pub fn said(word: Option<&str>, limit: Option<Money>, before: Terms) -> Result<Terms, Error> {
        match (word.unwrap_or(before.word()), limit) {
            ("postpaid", limit) => {
                let collection_limit = amounts::price("collection_limit", limit.unwrap_or(before.limit()))?;
                Ok(Terms::Postpaid { collection_limit })
            }
            (_, None | Some(Money::ZERO)) => Ok(Terms::Prepaid),
            (_, Some(_)) => Err(Error::invalid("collection_limit", Why::Not(Expected::PrepaidOnly))),
        }
    }
}

#[derive(Clone, Debug)]
pub struct NewOperator {
    pub name: String,
    pub email: String,
    pub password: String,
    pub phone: Option<String>,
    /// Makes it a sub-operator of this operator.
    pub parent: Option<StaffId>,
    pub terms: Terms,
}

/// Resellers are the Isp's own business.
pub(crate) fn by_the_isp(actor: &Actor) -> Result<(), Error> {
    if actor.branch.is_none() { Ok(()) } else { Err(Error::Forbidden) }
}

/// Makes the person, its branch and its account.
pub async fn create(app: &App, actor: &Actor, rights: Scopes, command: NewOperator) -> Result<Listed, Error> {
    actor.writes()?;
    by_the_isp(actor)?;
    let role = if command.parent.is_some() { Role::SubOperator } else { Role::Operator };
    staff::within(rights, role)?;
    let id = StaffId(app.new_id(Table::Staff).await?);
    let branch = BranchId(app.new_id(Table::Branch).await?);
    let password_hash = vault::hash_password(command.password.clone()).await?;
    app.change(actor, Class::Interactive, async move |change| {
        let parent_branch = match command.parent {
            Some(parent) => Some(parent_of(change, parent).await?.branch_id),
            None => None,
        };
        let NewOperator { name, email, password, phone, parent, terms } = command.clone();
        let person = NewStaff { name: name.clone(), email, password, phone, role, branch: None, parent };
        staff::add(change, id, &person, Some(branch), password_hash.clone()).await?;
        let (created_at, updated_at) = (change.now, None);
        Branch { isp_id: change.isp, id: branch, parent_id: parent_branch, name, created_at, updated_at }
            .insert(change.tx)
            .await?;
        Operator {
            isp_id: change.isp,
            staff_id: id,
            branch_id: branch,
            account_type: terms.word().into(),
            collection_limit: terms.limit(),
        }
        .insert(change.tx)
        .await?;
        shown(change, id).await
    })
    .await
}

/// An active operator, which is not a sub-operator itself.
async fn parent_of(change: &Change<'_>, id: StaffId) -> Result<Operator, Error> {
    let unknown = || Error::invalid("parent_id", Why::Unknown);
    let person = people::find(change.tx, change.isp, id).await?.ok_or_else(unknown)?;
    if person.role != Role::Operator.word() || person.status != "active" {
        return Err(unknown());
    }
    operator::find(change.tx, change.isp, id).await?.ok_or_else(unknown)
}

const NONE: Error = Error::NotFound { what: What::Operator };

async fn shown(change: &Change<'_>, id: StaffId) -> Result<Listed, Error> {
    operator::show(change.tx, change.isp, id).await?.ok_or(NONE)
}

/// The operator's row, locked, and its live person.
pub(crate) async fn live(change: &Change<'_>, id: StaffId) -> Result<(Operator, people::Staff), Error> {
    let row = operator::lock(change.tx, change.isp, id).await?.ok_or(NONE)?;
    match staff::live(change, id).await {
        Err(Error::NotFound { .. }) => Err(NONE),
        person => Ok((row, person?)),
    }
}

/// `None` leaves it as it is.
#[derive(Clone, Default, Debug)]
pub struct OperatorChange {
    pub person: StaffChange,
    pub account_type: Option<&'static str>,
    pub collection_limit: Option<Money>,
}

/// Changes what is given. Terms are the Isp's to set; how the person signs in is for whoever may do as much (`rights`).
pub async fn update(
    app: &App,
    actor: &Actor,
    rights: Scopes,
    id: StaffId,
    command: OperatorChange,
) -> Result<Listed, Error> {
    actor.writes()?;
    by_the_isp(actor)?;
    let password_hash = match &command.person.password {
        Some(password) => Some(vault::hash_password(password.clone()).await?),
        None => None,
    };
    app.change(actor, Class::Interactive, async move |change| {
        let (mut row, mut person) = live(change, id).await?;
        staff::change_person(change, rights, &mut person, &command.person, password_hash.as_deref()).await?;
        let before = match row.account_type.as_str() {
            "postpaid" => Terms::Postpaid { collection_limit: row.collection_limit },
            _ => Terms::Prepaid,
        };
        let terms = Terms::said(command.account_type, command.collection_limit, before)?;
        row.account_type = terms.word().into();
        row.collection_limit = terms.limit();
        operator::update(change.tx, &row).await?;
        shown(change, id).await
    })
    .await
}

/// Suspends an operator: its tokens end at once, and nobody sells on its account; or lets it in again.
pub async fn suspend(app: &App, actor: &Actor, id: StaffId, suspended: bool) -> Result<Listed, Error> {
    actor.writes()?;
    by_the_isp(actor)?;
    app.change(actor, Class::Interactive, async move |change| {
        let (_, mut person) = live(change, id).await?;
        staff::set_suspended(change, &mut person, suspended).await?;
        shown(change, id).await
    })
    .await
}

/// Soft: its past stays, its address is free. Not while others depend on it or money is in its wallet.
pub async fn delete(app: &App, actor: &Actor, id: StaffId) -> Result<(), Error> {
    actor.writes()?;
    by_the_isp(actor)?;
    app.change(actor, Class::Interactive, async move |change| {
        let (row, mut person) = live(change, id).await?;
        match operator::dependants(change.tx, &row).await? {
            (0, 0) => {}
            (0, _) => return Err(Error::InUse { what: What::Operator, by: By::SubOperators }),
            (_, _) => return Err(Error::InUse { what: What::Operator, by: By::ItsCustomers }),
        }
        if ledger::held(change.tx, change.isp, &Account::StaffWallet(id)).await? != Money::ZERO {
            return Err(Error::InUse { what: What::Operator, by: By::WalletBalance });
        }
        person.status = "deleted".into();
        person.email_key = format!("deleted:{id}");
        person.updated_at = Some(change.now);
        people::update(change.tx, &person).await?;
        tokens::end_of_staff(change, id).await?;
        change.tell(Fact::StaffDeleted { staff: id });
        Ok(())
    })
    .await
}

pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Filter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Listed>, i64), Error> {
    by_the_isp(actor)?;
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| operator::list(tx, isp, &filter, offset, limit).await).await?)
}

pub async fn show(app: &App, actor: &Actor, id: StaffId) -> Result<Listed, Error> {
    by_the_isp(actor)?;
    let isp = actor.isp;
    app.db.read(async move |tx| operator::show(tx, isp, id).await).await?.ok_or(NONE)
}

/// What moved an operator's wallet, the newest first, and how many postings there are.
pub async fn entries(
    app: &App,
    actor: &Actor,
    id: StaffId,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Line>, i64), Error> {
    show(app, actor, id).await?;
    let (isp, wallet) = (actor.isp, Account::StaffWallet(id));
    Ok(app.db.read(async move |tx| ledger::of_account(tx, isp, &wallet, offset, limit).await).await?)
}

/// Every plan with what it costs the operator: `None` where that is what it costs anybody.
pub async fn prices(app: &App, actor: &Actor, id: StaffId) -> Result<Vec<(Offer, Option<Money>)>, Error> {
    show(app, actor, id).await?;
    let isp = actor.isp;
    let own = app.db.read(async move |tx| operator::prices(tx, isp, id).await).await?;
    let offers = plans::offers(app, actor).await?;
    let with_price = |offer: Offer| {
        let price = own.iter().find(|price| price.plan_id == offer.plan.id).map(|price| price.price);
        (offer, price)
    };
    Ok(offers.into_iter().map(with_price).collect())
}

/// Sets what a plan costs the operator from the next sale on; `None` takes its own price away.
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
        put_price(change, id, plan, price).await
    })
    .await
}

/// Writes what a plan costs a person.
pub(crate) async fn put_price(
    change: &Change<'_>,
    id: StaffId,
    plan: PlanId,
    price: Option<Money>,
) -> Result<(Offer, Option<Money>), Error> {
    let offer = match plans::offer(change, plan).await {
        Err(Error::NotFound { .. }) => return Err(Error::invalid("package_id", Why::Unknown)),
        offer => offer?,
    };
    match price {
        Some(price) => {
            amounts::price("price", price)?;
            let row = Price { isp_id: change.isp, staff_id: id, plan_id: plan, price, updated_at: change.now };
            operator::set_price(change.tx, &row).await?;
        }
        None => operator::drop_price(change.tx, change.isp, id, plan).await?,
    }
    change.tell(Fact::OperatorPriced { staff: id, plan, price });
    Ok((offer, price))
}

/// When a row was last changed.
pub fn changed(row: &Listed) -> Instant {
    row.updated_at.unwrap_or(row.created_at)
}
