//! Who acts, for which tenant, and what they may do.

use domain::{ApiClientId, BranchId, CustomerId, IspId, StaffId};

use crate::Error;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Actor {
    pub isp: IspId,
    pub who: Who,
    /// Sees and changes only this branch.
    pub branch: Option<BranchId>,
    pub may_write: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Who {
    Staff(StaffId),
    Api(ApiClientId),
    /// A subscriber in the portal.
    Customer(CustomerId),
    /// The program itself: schedules and jobs.
    System,
}

impl Actor {
    pub fn system(isp: IspId) -> Actor {
        Actor { isp, who: Who::System, branch: None, may_write: true }
    }

    /// As it stands in events and the ledger.
    pub fn label(&self) -> String {
        match self.who {
            Who::Staff(id) => format!("staff:{id}"),
            Who::Api(id) => format!("api:{id}"),
            Who::Customer(id) => format!("customer:{id}"),
            Who::System => "system".into(),
        }
    }

    pub fn writes(&self) -> Result<(), Error> {
        if self.may_write { Ok(()) } else { Err(Error::Forbidden) }
    }

    /// What is the whole Isp's business is not for those who see one branch.
    pub fn sees_all(&self) -> Result<(), Error> {
        if self.branch.is_none() { Ok(()) } else { Err(Error::Forbidden) }
    }

    /// What belongs to another branch of the same Isp is forbidden rather than unknown.
    pub fn reaches(&self, branch: Option<BranchId>) -> Result<(), Error> {
        match self.branch {
            Some(own) if branch != Some(own) => Err(Error::Forbidden),
            _ => Ok(()),
        }
    }
}
