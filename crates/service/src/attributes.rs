//! A subscriber's own RADIUS attributes: `==` compares with the request, every other operator goes into the reply. They
//! take effect at once, in the directory and on live sessions. The door that takes them checks them against the
//! dictionary.

use domain::{
    CustomerId,
    event::{EventKind, Subject},
};
use serde_json::json;
use store::{
    customer,
    db::Class,
    service::{self, Attribute},
};

use crate::{Actor, App, Change, Error, FieldError, Why, ids::Table};

/// FreeRADIUS's operators; the last two are how some forms write `=*` and `!*`.
pub const OPERATORS: &[&str] = &["=", ":=", "==", "+=", "!=", ">", ">=", "<", "<=", "=~", "!~", "=*", "!*", "!"];

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
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let line = primary(change, &who, id).await?;
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
        follow(change, &line).await?;
        Ok(row.id)
    })
    .await
}

/// Takes an attribute away.
pub async fn remove(app: &App, actor: &Actor, id: CustomerId, attribute: i64) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let line = primary(change, &who, id).await?;
        if !service::remove_attribute(change.tx, change.isp, line.id, attribute).await? {
            return Err(Error::NotFound { what: "attribute" });
        }
        follow(change, &line).await
    })
    .await
}

pub async fn list(app: &App, actor: &Actor, id: CustomerId) -> Result<Vec<Attribute>, Error> {
    let (isp, who) = (actor.isp, actor.clone());
    app.db
        .read(async move |tx| {
            let owner = customer::find(tx, isp, id).await?.ok_or(Error::NotFound { what: "customer" })?;
            who.reaches(owner.branch_id)?;
            match service::of_customer(tx, isp, id).await?.first() {
                Some(line) => Ok(service::attributes(tx, isp, line.id).await?),
                None => Ok(Vec::new()),
            }
        })
        .await
}

async fn primary(change: &Change<'_>, who: &Actor, id: CustomerId) -> Result<service::Service, Error> {
    let owner = customer::lock(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: "customer" })?;
    who.reaches(owner.branch_id)?;
    let line = service::lock_of_customer(change.tx, change.isp, id).await?.into_iter().next();
    line.ok_or(Error::NotFound { what: "service" })
}

/// The directory reads the line again, and its sessions are told.
async fn follow(change: &Change<'_>, line: &service::Service) -> Result<(), Error> {
    let body = json!({ "customer": line.customer_id.0, "attributes": true });
    change.event(EventKind::ServiceChanged, Subject::Service(line.id.0), body);
    change.job("network", "converge", change.now, json!({ "service": line.id.0 })).await
}
