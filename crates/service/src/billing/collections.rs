//! Field collection: customers are given to collectors, a visit may bring money, and the money is a payment once a
//! supervisor has approved it. Until the collector hands it in it is in his float.

use domain::{CustomerId, Instant, Money, PaymentId, StaffId, billing::payment};
use jiff::tz::TimeZone;
use store::{
    billing::{
        bill,
        collection::{self as rows, Assignment, Collection, Filter, Request},
        invoice::Invoice,
    },
    db::Class,
    identity::staff,
    people::customer,
};

use crate::{
    Actor, App, Change, Error, Expected, Fact, Refusal, What, Why,
    billing::{
        Written,
        receipts::{self, Details, Incoming, Means, Named},
    },
    kernel::{amounts, change::CallerKey, ids::Table},
};

/// So many wait for approval in one answer.
const LISTED: i64 = 10_000;

/// Gives a customer to a collector.
pub async fn assign(app: &App, actor: &Actor, id: CustomerId, collector: StaffId) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        reached(change, &who, id).await?;
        let person = staff::find(change.tx, change.isp, collector).await?;
        let person = person.filter(|person| person.status == "active");
        person.ok_or(Error::invalid("collector", Why::Unknown))?;
        let row = Assignment {
            isp_id: change.isp,
            customer_id: id,
            staff_id: collector,
            actor: change.actor.into(),
            assigned_at: change.now,
        };
        Ok(rows::assign(change.tx, &row).await?)
    })
    .await
}

async fn reached(change: &Change<'_>, who: &Actor, id: CustomerId) -> Result<customer::Customer, Error> {
    let owner = customer::lock(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
    who.reaches(owner.branch_id)?;
    Ok(owner)
}

/// The collector's customers, in an area or everywhere.
pub async fn customers_of(
    app: &App,
    actor: &Actor,
    collector: StaffId,
    area: Option<i64>,
) -> Result<Vec<CustomerId>, Error> {
    let (isp, branch) = (actor.isp, actor.branch);
    Ok(app.db.read(async move |tx| rows::customers_of(tx, isp, branch, collector, area.unwrap_or(0)).await).await?)
}

/// What these customers owe; who is not named owes nothing and never has.
pub async fn owed(app: &App, actor: &Actor, customers: Vec<CustomerId>) -> Result<Vec<(CustomerId, Money)>, Error> {
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| rows::owed(tx, isp, &customers).await).await?)
}

/// What a visit found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    Collected,
    Absent,
    /// The customer says that it has been paid.
    PaidBefore,
}

impl Found {
    fn word(self) -> &'static str {
        match self {
            Found::Collected => "collected",
            Found::Absent => "absent",
            Found::PaidBefore => "paid_before",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Visit {
    pub customer: CustomerId,
    pub found: Found,
    pub amount: Money,
    pub method: Option<&'static str>,
    pub bank: Option<String>,
    pub cheque_number: Option<String>,
    pub cheque_date: Option<String>,
    /// Only its end is kept.
    pub card_number: Option<String>,
    pub card_expiration: Option<String>,
    pub notes: Option<String>,
}

/// Records a visit. Money that was taken waits for approval.
pub async fn visit(app: &App, actor: &Actor, command: Visit, key: Option<CallerKey>) -> Result<Written, Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        let command = command.clone();
        if command.found == Found::Collected {
            amounts::positive("amount", command.amount)?;
        }
        reached(change, &who, command.customer).await?;
        let collector = rows::assignment(change.tx, change.isp, command.customer).await?.map(|row| row.staff_id);
        let collected = command.found == Found::Collected;
        let row = Collection {
            isp_id: change.isp,
            id: change.id(Table::Collection).await?,
            customer_id: command.customer,
            staff_id: collector,
            outcome: command.found.word().into(),
            amount: if collected { command.amount } else { Money::ZERO },
            method: command.method.map(Into::into),
            bank: command.bank,
            cheque_number: command.cheque_number,
            cheque_date: command.cheque_date,
            card_hint: command.card_number.map(|number| payment::end_of_card(&number)),
            card_expiration: command.card_expiration,
            notes: command.notes,
            state: if collected { "pending" } else { "noted" }.into(),
            payment_id: None,
            actor: change.actor.into(),
            created_at: change.now,
            decided_by: None,
            decided_at: None,
        };
        row.insert(change.tx).await?;
        rows::visited(change.tx, change.isp, command.customer, change.now).await?;
        change.tell(Fact::CollectionMade {
            customer: row.customer_id,
            collection: row.id,
            outcome: row.outcome.clone(),
            amount: row.amount,
        });
        Ok(Written { id: row.id })
    })
    .await
}

/// What waits for approval.
pub async fn waiting(
    app: &App,
    actor: &Actor,
    collector: Option<StaffId>,
    from: Option<Instant>,
    until: Option<Instant>,
) -> Result<Vec<Collection>, Error> {
    let isp = actor.isp;
    let filter = Filter { staff: collector, from, until, branch: actor.branch };
    Ok(app.db.read(async move |tx| rows::waiting(tx, isp, &filter, LISTED).await).await?)
}

async fn pending(change: &Change<'_>, who: &Actor, customer: CustomerId, id: i64) -> Result<Collection, Error> {
    reached(change, who, customer).await?;
    let row = rows::lock(change.tx, change.isp, id).await?.filter(|row| row.customer_id == customer);
    let row = row.ok_or(Error::NotFound { what: What::Collection })?;
    match row.state.as_str() {
        "pending" => Ok(row),
        _ => Err(Error::Refused(Refusal::CollectionDecided)),
    }
}

/// Makes a collection a payment: it settles what is owed, the longest due first; the rest goes to the wallet. Less than
/// was collected may be approved: what is missing waits as a collection of its own, to be approved or disapproved. With
/// the payment, the invoices that it completed.
///
/// # Errors
/// `Invalid` of `amount` where it is nothing, or more than was collected.
pub(crate) async fn approve(
    change: &Change<'_>,
    who: &Actor,
    zone: &TimeZone,
    (customer, id): (CustomerId, i64),
    amount: Money,
) -> Result<(PaymentId, Vec<Invoice>), Error> {
    let mut row = pending(change, who, customer, id).await?;
    if amount <= Money::ZERO || amount > row.amount {
        return Err(Error::invalid("amount", Why::Not(Expected::AtMostCollected)));
    }
    let missing = Money(row.amount.0 - amount.0);
    let method = row.method.clone().unwrap_or_else(|| "cash".into());
    let source = receipts::source_of_collection(&method, row.staff_id);
    let open = bill::lock_open(change.tx, change.isp, customer).await?;
    let means = Means { method, reference: None };
    let named = Named::Collection(id);
    let incoming = Incoming { customer, amount, source, means: &means, named, details: &details(&row) };
    let spread = receipts::spread(change, zone, incoming, open).await?;
    let payment = spread.payment.ok_or_else(|| Error::Internal("money came, and no payment was written".into()))?;
    if missing > Money::ZERO {
        let id = change.id(Table::Collection).await?;
        Collection { id, amount: missing, ..row.clone() }.insert(change.tx).await?;
    }
    row.amount = amount;
    row.state = "approved".into();
    row.payment_id = Some(payment.id);
    row.decided_by = Some(change.actor.into());
    row.decided_at = Some(change.now);
    rows::decide(change.tx, &row).await?;
    change.tell(Fact::CollectionApproved { customer, collection: id, amount, payment: payment.id });
    Ok((payment.id, spread.paid))
}

/// What the collector wrote down of the money. The payment is of the day on which it is approved.
fn details(row: &Collection) -> Details {
    Details {
        paid_on: None,
        bank: row.bank.clone(),
        cheque_number: row.cheque_number.clone(),
        cheque_date: row.cheque_date.clone(),
        card_number: row.card_hint.clone(),
        card_expiration: row.card_expiration.clone(),
        transfer_method: None,
        gateway_operator: None,
        notes: row.notes.clone(),
        reference: None,
    }
}

/// The money was not received, or not so much: nothing is booked.
pub async fn disapprove(app: &App, actor: &Actor, customer: CustomerId, id: i64) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let mut row = pending(change, &who, customer, id).await?;
        row.state = "disapproved".into();
        row.decided_by = Some(change.actor.into());
        row.decided_at = Some(change.now);
        rows::decide(change.tx, &row).await?;
        change.tell(Fact::CollectionDisapproved { customer, collection: id, amount: row.amount });
        Ok(())
    })
    .await
}

/// A customer asks to be visited; with change for a banknote, or none.
pub async fn request(app: &App, actor: &Actor, id: CustomerId, change_for: &'static str) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        reached(change, &who, id).await?;
        // A newer wish takes the place of an older one.
        rows::visited(change.tx, change.isp, id, change.now).await?;
        Request {
            isp_id: change.isp,
            id: change.id(Table::CollectionRequest).await?,
            customer_id: id,
            change_for: change_for.into(),
            actor: change.actor.into(),
            created_at: change.now,
            done_at: None,
        }
        .insert(change.tx)
        .await?;
        change.tell(Fact::CollectionRequested { customer: id, change_for: change_for.into() });
        Ok(())
    })
    .await
}
