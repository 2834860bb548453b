//! Cash that staff have taken for the Isp (collectors at the door, distributors for cards) until they hand it in.

use domain::{
    Money, StaffId,
    billing::ledger::{Account, Entry, Kind},
};
use serde::{Deserialize, Serialize};
use store::{billing::ledger, identity::staff};

use crate::{
    Actor, App, Error, Fact, Refusal, What,
    billing::entries::{self, Heading, Of},
    kernel::{amounts, change::CallerKey},
};

/// Cash handed in.
#[derive(Clone, Debug)]
pub struct HandIn {
    /// Above zero, and no more than is held.
    pub amount: Money,
    /// Where it went: office, bank …
    pub method: String,
    pub reference: Option<String>,
    pub note: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HandedIn {
    pub staff_id: i64,
    pub entry_id: i64,
    /// Minor units.
    pub amount: i64,
    /// What is still held.
    pub held: i64,
}

const NONE: Error = Error::NotFound { what: What::Staff };

/// A float is owed to the Isp: debits less credits.
async fn of(tx: &store::db::Tx, isp: domain::IspId, id: StaffId) -> Result<Money, Error> {
    Ok(-ledger::held(tx, isp, &Account::Float(id)).await?)
}

/// What a person holds.
pub async fn held(app: &App, actor: &Actor, id: StaffId) -> Result<Money, Error> {
    let isp = actor.isp;
    app.db.read(async move |tx| of(tx, isp, id).await).await
}

pub async fn hand_in(
    app: &App,
    actor: &Actor,
    id: StaffId,
    command: HandIn,
    key: Option<CallerKey>,
) -> Result<HandedIn, Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        // Those who left may still owe.
        let person = staff::lock(change.tx, change.isp, id).await?.ok_or(NONE)?;
        who.reaches(person.branch_id)?;
        let before = of(change.tx, change.isp, id).await?;
        if amounts::positive("amount", command.amount)? > before {
            return Err(Error::Refused(Refusal::MoreThanHeld));
        }
        let of = Of::Said(command.reference.clone());
        let heading = Heading { kind: Kind::HandIn, of, reason: command.note.as_deref() };
        let cash = Account::Cash(command.method.clone());
        let entry = Entry::new().debit(cash, command.amount).credit(Account::Float(id), command.amount);
        let entry_id = entries::post(change, heading, entry).await?.unwrap_or_default();
        let held = before.0 - command.amount.0;
        change.tell(Fact::FloatHandedIn {
            staff: id,
            handed_in: command.amount,
            held: Money(held),
            method: command.method.clone(),
        });
        Ok(HandedIn { staff_id: id.0, entry_id, amount: command.amount.0, held })
    })
    .await
}
