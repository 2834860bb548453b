//! A subscriber's own RADIUS attributes: operators that compare (`domain::access::compare`) check the request, the others (`=`,
//! `:=`, `+=`) go into the reply. They take effect at once, in the directory and on live sessions: by a CoA where one can
//! say it, else by a new login. The door that takes them checks them against the dictionary.

use domain::{
    CustomerId,
    access::compare::{Compare, is_pattern},
};
pub use store::people::service::Attribute;
use store::{
    customers::subscriber,
    db::Class,
    people::{customer, service},
};

use crate::{
    Actor, App, Change, Error, Expected, Fact, FieldError, Items, What, Why, access::touched::Touched,
    kernel::hold::primary, kernel::ids::Table, kernel::work::Work,
};
use domain::kernel::names::login_key;

/// FreeRADIUS's operators; the last two are how some forms write `=*` and `!*`.
pub const OPERATORS: &[&str] = &["=", ":=", "==", "+=", "!=", ">", ">=", "<", "<=", "=~", "!~", "=*", "!*", "!"];

/// More than these fill no answer packet.
const MOST: usize = 50;

const NO_PATTERN: Why = Why::Not(Expected::Pattern);

/// Whether an operator checks the request; the others go into the reply.
pub fn compares(op: &str) -> bool {
    Compare::from_word(op).is_some()
}

/// Whether a pattern is one where the operator wants one.
pub fn is_understood(op: &str, value: &str) -> bool {
    match Compare::from_word(op) {
        Some(Compare::Matches | Compare::MatchesNot) => is_pattern(value),
        Some(_) | None => true,
    }
}

#[derive(Clone, Debug)]
pub struct NewAttribute {
    pub attribute: String,
    pub op: String,
    pub value: String,
}

/// Adds an attribute to the customer's primary line; its id.
pub async fn add(app: &App, actor: &Actor, id: CustomerId, command: NewAttribute) -> Result<i64, Error> {
    actor.writes()?;
    let mut wrong = Vec::new();
    let mut check = |right: bool, field, why| {
        if !right {
            wrong.push(FieldError { field, why });
        }
    };
    check(!command.attribute.trim().is_empty(), "attribute", Why::Required);
    check(!command.value.is_empty(), "value", Why::Required);
    check(command.value.len() <= 253, "value", Why::TooLong { max: 253 });
    check(OPERATORS.contains(&command.op.as_str()), "op", Why::NotOneOf(OPERATORS));
    check(is_understood(&command.op, &command.value), "value", NO_PATTERN);
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let line = primary(change, &who, id).await?;
        if service::attributes(change.tx, change.isp, line.id).await?.len() >= MOST {
            return Err(Error::invalid(
                "attribute",
                Why::Not(Expected::OneOf { most: 50, what: Items::SubscribersAttributes }),
            ));
        }
        let row = Attribute {
            isp_id: change.isp,
            id: change.id(Table::Attribute).await?,
            service_id: line.id,
            attribute: command.attribute.trim().into(),
            op: command.op.clone(),
            value: command.value.clone(),
            created_at: change.now,
        };
        row.insert(change.tx).await?;
        follow(change, &line, &[&row]).await?;
        Ok(row.id)
    })
    .await
}

/// Changes an attribute of the customer's primary line; what is not given stays.
pub async fn update(app: &App, actor: &Actor, id: CustomerId, row: i64, given: AttributeChange) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let line = primary(change, &who, id).await?;
        let known = service::attributes(change.tx, change.isp, line.id).await?;
        let known = known.into_iter().find(|known| known.id == row).ok_or(Error::NotFound { what: What::Attribute })?;
        let mut changed = known.clone();
        changed.attribute = given.attribute.clone().unwrap_or(changed.attribute);
        changed.op = given.op.clone().unwrap_or(changed.op);
        changed.value = given.value.clone().unwrap_or(changed.value);
        if changed == known {
            return Ok(());
        }
        if !is_understood(&changed.op, &changed.value) {
            return Err(Error::invalid("value", NO_PATTERN));
        }
        subscriber::change_attribute(change.tx, &changed).await?;
        follow(change, &line, &[&known, &changed]).await
    })
    .await
}

/// `None` leaves a part as it is.
#[derive(Clone, Default, Debug)]
pub struct AttributeChange {
    pub attribute: Option<String>,
    pub op: Option<String>,
    pub value: Option<String>,
}

/// An attribute with whose it is.
pub async fn find(app: &App, actor: &Actor, row: i64) -> Result<(CustomerId, Attribute), Error> {
    let (isp, who) = (actor.isp, actor.clone());
    app.db
        .read(async move |tx| {
            const NONE: Error = Error::NotFound { what: What::Attribute };
            let id = subscriber::owner_of_attribute(tx, isp, row).await?.ok_or(NONE)?;
            let owner = customer::find(tx, isp, id).await?.ok_or(NONE)?;
            who.reaches(owner.branch_id)?;
            let line = service::of_customer(tx, isp, id).await?.into_iter().next().ok_or(NONE)?;
            let known = service::attributes(tx, isp, line.id).await?.into_iter().find(|known| known.id == row);
            Ok((id, known.ok_or(NONE)?))
        })
        .await
}

/// Whose line logs in with this name.
pub async fn owner_of(app: &App, actor: &Actor, username: &str) -> Result<CustomerId, Error> {
    let (isp, who, key) = (actor.isp, actor.clone(), login_key(username));
    app.db
        .read(async move |tx| {
            const NONE: Error = Error::NotFound { what: What::Customer };
            let line = service::by_username(tx, isp, &key).await?.filter(|line| line.deleted_at.is_none());
            let owner = customer::find(tx, isp, line.ok_or(NONE)?.customer_id).await?.ok_or(NONE)?;
            who.reaches(owner.branch_id)?;
            Ok(owner.id)
        })
        .await
}

/// Takes an attribute away.
pub async fn remove(app: &App, actor: &Actor, id: CustomerId, attribute: i64) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let line = primary(change, &who, id).await?;
        const NONE: Error = Error::NotFound { what: What::Attribute };
        let known = service::attributes(change.tx, change.isp, line.id).await?;
        let known = known.into_iter().find(|known| known.id == attribute).ok_or(NONE)?;
        if !service::remove_attribute(change.tx, change.isp, line.id, attribute).await? {
            return Err(NONE);
        }
        follow(change, &line, &[&known]).await
    })
    .await
}

pub async fn list(app: &App, actor: &Actor, id: CustomerId) -> Result<Vec<Attribute>, Error> {
    let (isp, who) = (actor.isp, actor.clone());
    app.db
        .read(async move |tx| {
            let owner = customer::find(tx, isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
            who.reaches(owner.branch_id)?;
            match service::of_customer(tx, isp, id).await?.first() {
                Some(line) => Ok(service::attributes(tx, isp, line.id).await?),
                None => Ok(Vec::new()),
            }
        })
        .await
}

/// The directory reads the line again, and its sessions are told of these.
async fn follow(change: &Change<'_>, line: &service::Service, rows: &[&Attribute]) -> Result<(), Error> {
    let (checks, replies): (Vec<&Attribute>, Vec<&Attribute>) = rows.iter().partition(|row| compares(&row.op));
    let mut replies: Vec<String> = replies.into_iter().map(|row| row.attribute.clone()).collect();
    replies.dedup();
    let touched = Touched { replies, checks: !checks.is_empty() };
    change.tell(Fact::LineAttributesChanged { line: line.id, customer: line.customer_id });
    change.order(Work::Converge { line: line.id, disconnect: false, touched: Some(touched) }).await
}
