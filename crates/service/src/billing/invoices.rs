//! Invoices: the one writer of their rows, their lines and numbers, of how far they are paid, and of the facts that follow
//! from it. A bill is an invoice that somebody owes; its amount includes tax.

use domain::{
    CustomerId, Instant, InvoiceId, Money, PeriodId, PlanId, ServiceId,
    billing::{
        bill::{self, Bill, BillStatus, Line},
        ledger::{Entry, Kind},
    },
    kernel::money::Taxed,
};
use jiff::{ToSpan, civil, tz::TimeZone};
use store::{
    billing::{
        bill::{self as rows, Filter},
        invoice::{Invoice, InvoiceLine},
        invoice_sale::{self, InvoiceSale},
    },
    kernel::counter,
    people::customer,
};

use crate::{
    Actor, App, Change, Error, Expected, Fact, What, Why,
    billing::entries::{self, Heading, Of},
    kernel::{amounts, facts::Invoiced, ids::Table},
};

const SERIES: &str = "INV";
/// When what is owed is due where nobody names a day.
const DUE_DAYS: i64 = 7;

/// An invoice to issue. What it says is posted by whoever issues it, or by [`owe`].
#[derive(Clone, Debug)]
pub(crate) struct New {
    pub id: InvoiceId,
    pub customer: CustomerId,
    pub line: Option<ServiceId>,
    /// Of its one line.
    pub text: String,
    pub description: Option<String>,
    pub says: Line,
    /// What the Isp earns.
    pub taxed: Taxed,
    /// How much of it is paid by what is posted beside it.
    pub paid: Money,
    pub due_at: Instant,
    /// The period that was sold with it.
    pub period: Option<PeriodId>,
    /// Paying it sells this package to `line`.
    pub sells: Option<PlanId>,
}

/// An invoice's id, ahead of its issue: the period names its invoice, the payment settles it.
pub(crate) async fn draw(change: &Change<'_>) -> Result<InvoiceId, Error> {
    Ok(InvoiceId(change.id(Table::Invoice).await?))
}

/// Issues an invoice to a customer who is locked. Its number comes last, so that two sales wait for each other briefly.
pub(crate) async fn issue(change: &Change<'_>, new: New) -> Result<Invoice, Error> {
    let New { id, customer, line, text, description, says, taxed, paid, due_at, period, sells } = new;
    let total = amounts::price("amount", taxed.total())?;
    write_line(change, id, 1, text, says, period).await?;
    if let Some((service_id, plan_id)) = line.zip(sells) {
        let sale = InvoiceSale { isp_id: change.isp, invoice_id: id, service_id, plan_id, period_id: None };
        sale.insert(change.tx).await?;
    }
    let number = counter::take(change.tx, change.isp, "invoice:INV", 1).await?;
    let row = Invoice {
        isp_id: change.isp,
        id,
        series: SERIES.into(),
        number,
        customer_id: customer,
        service_id: line,
        net: taxed.net,
        tax: taxed.tax,
        total,
        paid,
        status: BillStatus::of(total, paid),
        issued_at: change.now,
        due_at,
        description,
        updated_at: change.now,
    };
    row.insert(change.tx).await?;
    change.tell(Fact::InvoiceIssued { customer: row.customer_id, bill: told(&row) });
    tell_paid(change, &row);
    Ok(row)
}

/// Issues an invoice that is owed, and posts that it is.
pub(crate) async fn owe(change: &Change<'_>, new: New) -> Result<Invoice, Error> {
    post(change, Kind::Bill, new.id, bill::owed(new.customer, new.taxed)).await?;
    issue(change, New { paid: Money::ZERO, ..new }).await
}

/// So much more of an invoice is paid; `true` where it is paid whole now.
pub(crate) async fn pay(change: &Change<'_>, row: &mut Invoice, part: Money) -> Result<bool, Error> {
    row.paid = Money(row.paid.0.saturating_add(part.0));
    row.status = BillStatus::of(row.total, row.paid);
    row.updated_at = stamp(change, row);
    rows::update(change.tx, row).await?;
    Ok(tell_paid(change, row))
}

/// However an invoice became paid, it is told here.
fn tell_paid(change: &Change<'_>, row: &Invoice) -> bool {
    let paid = row.status == BillStatus::Paid;
    if paid {
        change.tell(Fact::InvoicePaid { customer: row.customer_id, bill: told(row) });
    }
    paid
}

/// The period that paying an invoice has sold.
pub(crate) async fn sold(change: &Change<'_>, id: InvoiceId, period: PeriodId) -> Result<(), Error> {
    invoice_sale::sold(change.tx, change.isp, id, period).await?;
    Ok(rows::set_period(change.tx, change.isp, id, period).await?)
}

/// What is to be another on an invoice; `None` leaves it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Amendment {
    /// Corrected by a further line.
    pub amount: Option<Money>,
    pub due_at: Option<Instant>,
    pub description: Option<Option<String>>,
}

/// Amends an invoice that is locked.
///
/// # Errors
/// `Invalid` of `amount` where something has been paid; a reseller's people lower nothing.
pub(crate) async fn amend(change: &Change<'_>, before: Invoice, amendment: Amendment) -> Result<Invoice, Error> {
    let Amendment { amount, due_at, description } = amendment;
    let mut row = before.clone();
    if let Some(amount) = amount.filter(|amount| *amount != row.total) {
        correct(change, &mut row, amount, description.clone().flatten()).await?;
    }
    row.due_at = due_at.unwrap_or(row.due_at);
    row.description = description.unwrap_or(row.description);
    if row != before {
        row.updated_at = stamp(change, &before);
        rows::update(change.tx, &row).await?;
        change.tell(Fact::InvoiceUpdated { customer: row.customer_id, bill: told(&row) });
    }
    Ok(row)
}

async fn correct(change: &Change<'_>, row: &mut Invoice, amount: Money, why: Option<String>) -> Result<(), Error> {
    amounts::positive("amount", amount)?;
    if amount < row.total {
        change.by_no_reseller().await?;
    }
    let lines = rows::lines(change.tx, change.isp, &[row.id]).await?;
    let (bill, entry) =
        bill::correct(&of(row, &lines), amount).map_err(|_| Error::invalid("amount", Why::Not(Expected::AsPaid)))?;
    let next = lines.iter().map(|line| line.line).max().unwrap_or(0) + 1;
    let says = Line::with_tax(Money(amount.0 - row.total.0), bill.tax_ppm);
    write_line(change, row.id, next, why.unwrap_or_else(|| "Correction".into()), says, None).await?;
    post(change, Kind::Correction, row.id, entry).await?;
    (row.net, row.tax, row.total) = (bill.taxed.net, bill.taxed.tax, bill.taxed.total());
    Ok(())
}

/// A credit note has taken it back: what it would have sold is forgotten.
pub(super) async fn taken_back(change: &Change<'_>, mut row: Invoice) -> Result<Invoice, Error> {
    row.status = BillStatus::Void;
    row.updated_at = stamp(change, &row);
    rows::update(change.tx, &row).await?;
    invoice_sale::forget(change.tx, change.isp, row.id).await?;
    change.tell(Fact::InvoiceVoided { customer: row.customer_id, bill: told(&row) });
    Ok(row)
}

const UNKNOWN: Error = Error::NotFound { what: What::Bill };

/// A bill, locked after its customer, as the caller last read it.
pub(crate) async fn lock(
    change: &Change<'_>,
    who: &Actor,
    id: InvoiceId,
    unchanged_since: Option<Instant>,
) -> Result<Invoice, Error> {
    let seen = rows::find(change.tx, change.isp, id).await?.ok_or(UNKNOWN)?;
    let owner = customer::lock_any(change.tx, change.isp, seen.customer_id).await?.ok_or(UNKNOWN)?;
    who.reaches(owner.branch_id)?;
    let row = rows::lock(change.tx, change.isp, id).await?.ok_or(UNKNOWN)?;
    match unchanged_since {
        Some(then) if then != row.updated_at => Err(Error::Changed),
        Some(_) | None => Ok(row),
    }
}

/// The bill as the rules see it; all its lines are of one rate.
pub(super) fn of(row: &Invoice, lines: &[InvoiceLine]) -> Bill {
    Bill {
        customer: row.customer_id,
        tax_ppm: lines.iter().find(|line| line.invoice_id == row.id).map_or(0, |line| line.tax_ppm),
        taxed: Taxed { net: row.net, tax: row.tax },
        paid: row.paid,
        status: row.status,
    }
}

async fn write_line(
    change: &Change<'_>,
    invoice_id: InvoiceId,
    line: i64,
    text: String,
    says: Line,
    period_id: Option<PeriodId>,
) -> Result<(), Error> {
    let Line { amount, rate } = says;
    let (tax_ppm, tax_inclusive) = (rate.ppm, rate.inclusive);
    let row = InvoiceLine { isp_id: change.isp, invoice_id, line, text, amount, tax_ppm, tax_inclusive, period_id };
    Ok(row.insert(change.tx).await?)
}

async fn post(change: &Change<'_>, kind: Kind, id: InvoiceId, entry: Entry) -> Result<(), Error> {
    entries::post(change, Heading::new(kind, Of::Invoice(id)), entry).await.map(drop)
}

/// A bill as it is told.
fn told(row: &Invoice) -> Invoiced {
    Invoiced { invoice: row.id, number: row.number, total: row.total, due_at: Some(row.due_at) }
}

/// Later than before, however close two changes are.
fn stamp(change: &Change<'_>, row: &Invoice) -> Instant {
    change.now.max(row.updated_at.plus(1))
}

/// The last second of the day on which something is due; a week from now where none is named.
pub(crate) fn due(now: Instant, day: Option<civil::Date>, zone: &TimeZone) -> Instant {
    let today = now.day(zone);
    let day = day.unwrap_or_else(|| today.checked_add(DUE_DAYS.days()).unwrap_or(today));
    Instant::from_civil(day.at(23, 59, 59, 0), zone)
}

#[derive(Clone, Debug)]
pub struct Shown {
    pub bill: Invoice,
    pub lines: Vec<InvoiceLine>,
}

pub async fn show(app: &App, actor: &Actor, id: InvoiceId) -> Result<Shown, Error> {
    let actor = actor.clone();
    app.db
        .read(async move |tx| {
            let bill = rows::find(tx, actor.isp, id).await?.ok_or(UNKNOWN)?;
            let owner = customer::any(tx, actor.isp, bill.customer_id).await?.ok_or(UNKNOWN)?;
            actor.reaches(owner.branch_id)?;
            let lines = rows::lines(tx, actor.isp, &[id]).await?;
            Ok(Shown { bill, lines })
        })
        .await
}

/// A page, newest first, and how many there are in all.
pub async fn list(
    app: &App,
    actor: &Actor,
    mut filter: Filter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Shown>, i64), Error> {
    let isp = actor.isp;
    filter.branch = actor.branch.or(filter.branch);
    app.db
        .read(async move |tx| {
            let (bills, total) = rows::list(tx, isp, &filter, offset, limit).await?;
            let ids: Vec<InvoiceId> = bills.iter().map(|bill| bill.id).collect();
            let lines = rows::lines(tx, isp, &ids).await?;
            let of = |bill: Invoice| {
                let lines = lines.iter().filter(|line| line.invoice_id == bill.id).cloned().collect();
                Shown { bill, lines }
            };
            Ok((bills.into_iter().map(of).collect(), total))
        })
        .await
}
