//! Who changes a customer locks the customer first, then its lines: everybody in that order.

use domain::CustomerId;
use store::people::{
    customer::{self, Customer},
    service::{self, Service},
};

use crate::{Actor, Change, Error, What};

/// A customer and its lines, locked until the change ends; the first line is the primary one.
#[derive(Debug)]
pub(crate) struct Held {
    pub owner: Customer,
    pub lines: Vec<Service>,
}

impl Held {
    /// # Errors
    /// `NotFound` of `service` for a customer without a line.
    pub fn primary(self) -> Result<(Customer, Service), Error> {
        let line = self.lines.into_iter().next().ok_or(Error::NotFound { what: What::Service })?;
        Ok((self.owner, line))
    }
}

/// Locks a customer whom this actor reaches, and all its lines.
///
/// # Errors
/// `NotFound` of `customer`; what [`Actor::reaches`] says of another branch's.
pub(crate) async fn hold(change: &Change<'_>, who: &Actor, id: CustomerId) -> Result<Held, Error> {
    let owner = customer::lock(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
    who.reaches(owner.branch_id)?;
    let lines = service::lock_of_customer(change.tx, change.isp, id).await?;
    Ok(Held { owner, lines })
}

/// As [`hold`], for who needs the primary line alone.
pub(crate) async fn primary(change: &Change<'_>, who: &Actor, id: CustomerId) -> Result<Service, Error> {
    Ok(hold(change, who, id).await?.primary()?.1)
}
