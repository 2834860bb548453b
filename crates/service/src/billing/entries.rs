//! Entries of the ledger: the only place that posts. That an entry balances, and that no balance leaves what 64 bits and
//! every reader of JSON keep exactly, is made sure of here and nowhere else.

use domain::{
    CustomerId, InvoiceId, PaymentId, PeriodId,
    billing::ledger::{Entry, Kind},
};
use store::billing::ledger;

use crate::{Change, Error, Why, kernel::ids::Table};

/// What an entry belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Of {
    Period(PeriodId),
    Invoice(InvoiceId),
    Payment(PaymentId),
    Customer(CustomerId),
    /// A reference as somebody wrote it down.
    Said(Option<String>),
}

impl Of {
    fn text(self) -> Option<String> {
        match self {
            Of::Period(id) => Some(format!("period:{id}")),
            Of::Invoice(id) => Some(format!("invoice:{id}")),
            Of::Payment(id) => Some(format!("payment:{id}")),
            Of::Customer(id) => Some(format!("customer:{id}")),
            Of::Said(text) => text,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Heading<'a> {
    pub kind: Kind,
    pub of: Of,
    pub reason: Option<&'a str>,
}

impl Heading<'_> {
    pub fn new(kind: Kind, of: Of) -> Heading<'static> {
        Heading { kind, of, reason: None }
    }
}

/// Posts an entry; its id, or nothing where it moves nothing.
///
/// # Errors
/// `Invalid` of `amount` where a balance would become larger than can be kept; `Internal` where it does not balance.
pub(crate) async fn post(change: &Change<'_>, heading: Heading<'_>, entry: Entry) -> Result<Option<i64>, Error> {
    let Heading { kind, of, reason } = heading;
    let unbalanced = || Error::Internal(format!("an entry of {} for {of:?} does not balance", kind.word()));
    let lines = entry.balanced().ok_or_else(unbalanced)?;
    if lines.is_empty() {
        return Ok(None);
    }
    let id = change.id(Table::Entry).await?;
    let heading =
        ledger::Heading { kind: kind.word(), reference: of.text(), reason, actor: change.actor, at: change.now };
    let balances = ledger::post(change.tx, change.isp, id, &heading, &lines).await?;
    match balances.iter().all(|balance| balance.is_exact()) {
        true => Ok(Some(id)),
        false => Err(Error::invalid("amount", Why::TooMuch)),
    }
}
