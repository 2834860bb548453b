//! Money that operators and salespeople pay in, ahead of their sales or for those they owe. Only the Isp's own people take
//! it; what a sale takes out again is the sale's business.

use domain::{
    Money, StaffId,
    billing::ledger::{Account, Entry, Kind},
};
use serde::{Deserialize, Serialize};
use store::billing::ledger;

use crate::{
    Actor, App, Change, Error, Fact,
    billing::entries::{self, Heading, Of},
    kernel::{amounts, change::CallerKey},
    resellers::{
        operators::{self, by_the_isp},
        salespeople,
    },
};

#[derive(Clone, Debug)]
pub struct Funding {
    /// Above zero.
    pub amount: Money,
    pub method: String,
    pub reference: Option<String>,
    pub note: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Funded {
    pub operator_id: i64,
    pub entry_id: i64,
    /// Minor units.
    pub amount: i64,
    pub balance: i64,
}

/// An operator pays in.
pub async fn operator(
    app: &App,
    actor: &Actor,
    id: StaffId,
    command: Funding,
    key: Option<CallerKey>,
) -> Result<Funded, Error> {
    actor.writes()?;
    by_the_isp(actor)?;
    app.change_once(actor, key, async move |change| {
        operators::live(change, id).await?;
        pay_in(change, id, PaidIn::Operator, &command).await
    })
    .await
}

/// A salesperson pays in.
pub async fn salesperson(
    app: &App,
    actor: &Actor,
    id: StaffId,
    command: Funding,
    key: Option<CallerKey>,
) -> Result<Funded, Error> {
    actor.writes()?;
    by_the_isp(actor)?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        salespeople::reached(change, &who, id).await?;
        pay_in(change, id, PaidIn::Salesperson, &command).await
    })
    .await
}

/// Whose wallet it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum PaidIn {
    Operator,
    Salesperson,
}

impl PaidIn {
    fn kind(self) -> Kind {
        match self {
            PaidIn::Operator => Kind::OperatorFunding,
            PaidIn::Salesperson => Kind::StaffFunding,
        }
    }
}

/// Puts money into the wallet of a person whom the caller has locked.
async fn pay_in(change: &Change<'_>, id: StaffId, paid_in: PaidIn, funding: &Funding) -> Result<Funded, Error> {
    let amount = amounts::positive("amount", funding.amount)?;
    let wallet = Account::StaffWallet(id);
    let entry = Entry::new().debit(Account::Cash(funding.method.clone()), amount).credit(wallet.clone(), amount);
    let of = Of::Said(funding.reference.clone());
    let heading = Heading { kind: paid_in.kind(), of, reason: funding.note.as_deref() };
    let entry_id = entries::post(change, heading, entry).await?.unwrap_or_default();
    let balance = ledger::held(change.tx, change.isp, &wallet).await?;
    let (method, reference) = (funding.method.clone(), funding.reference.clone());
    change.tell(match paid_in {
        PaidIn::Operator => Fact::OperatorFunded { staff: id, amount, balance, method, reference },
        PaidIn::Salesperson => Fact::StaffFunded { staff: id, amount, balance, method, reference },
    });
    Ok(Funded { operator_id: id.0, entry_id, amount: amount.0, balance: balance.0 })
}
