//! Bills: issue, correct, pay, take back. A bill is an invoice; its amount includes tax.

use domain::{
    CustomerId, Instant, InvoiceId, Money, PaymentId, ServiceId,
    billing::{
        bill::{self, Bill, BillStatus, Refusal, Source},
        ledger::{Account, Entry},
    },
    kernel::{
        event::{EventKind, Subject},
        money::Taxed,
    },
};
use jiff::{ToSpan, civil, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    billing::{
        bill::{self as rows, Allocation, CreditNote, Filter},
        invoice::{self, Invoice, InvoiceLine, Payment},
        ledger::{self, Heading},
    },
    kernel::counter,
    people::{customer, service},
};

use crate::{
    Actor, App, Change, Error, Expected, What, Why,
    catalogue::plans,
    kernel::{app::Tenant, change::CallerKey, ids::Table},
    resellers::chain,
};

pub(crate) const SERIES: &str = "INV";
pub(crate) const CREDIT_NOTES: &str = "CN";
/// When a bill that names no day is due.
const DUE_DAYS: i64 = 7;
/// Sums of a hundred thousand such bills are still exact.
const MOST: Money = Money(10_000_000_000_000);

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewBill {
    pub customer: CustomerId,
    /// With tax.
    pub amount: Money,
    /// In the tenant's zone; a week from now where none is given.
    pub due: Option<civil::Date>,
    pub description: Option<String>,
}

/// A written row, told again to a repeat.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Written {
    pub id: i64,
}

pub async fn create(app: &App, actor: &Actor, command: NewBill, key: Option<CallerKey>) -> Result<Written, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        let owner = customer::lock(change.tx, change.isp, command.customer).await?;
        let owner = owner.ok_or(Error::invalid("customer", Why::Unknown))?;
        who.reaches(owner.branch_id)?;
        let issued = issue(change, &tenant, None, command.clone()).await?;
        Ok(Written { id: issued.id.0 })
    })
    .await
}

/// The price of what the customer is on, as a bill.
pub async fn generate(
    app: &App,
    actor: &Actor,
    id: CustomerId,
    due: Option<civil::Date>,
    key: Option<CallerKey>,
) -> Result<Written, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        let owner = customer::lock(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
        who.reaches(owner.branch_id)?;
        let line = service::of_customer(change.tx, change.isp, id).await?.into_iter().next();
        let line = line.ok_or(Error::NotFound { what: What::Service })?;
        if line.kind == domain::Kind::Hotspot {
            return Err(Error::Refused(crate::Refusal::HotspotNotBilled));
        }
        let offer = plans::offer(change, line.plan_id).await?;
        let terms = plans::terms(&offer.version);
        let amount = terms.tax.split(terms.price).total();
        if amount <= Money::ZERO {
            return Err(Error::Refused(crate::Refusal::CostsNothing));
        }
        let command = NewBill { customer: id, amount, due, description: Some(offer.plan.name) };
        let issued = issue(change, &tenant, Some(line.id), command).await?;
        Ok(Written { id: issued.id.0 })
    })
    .await
}

/// A bill that is paid as it is written: money for something that is no package.
pub async fn charge(
    app: &App,
    actor: &Actor,
    command: NewBill,
    means: Means,
    key: Option<CallerKey>,
) -> Result<Written, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        let owner = customer::lock(change.tx, change.isp, command.customer).await?;
        who.reaches(owner.ok_or(Error::NotFound { what: What::Customer })?.branch_id)?;
        let issued = issue(change, &tenant, None, command.clone()).await?;
        let id = issued.id.0;
        receive(change, command.customer, vec![issued], command.amount, &means).await?;
        Ok(Written { id })
    })
    .await
}

/// Money for the customer's wallet; bills are not touched.
pub async fn top_up(
    app: &App,
    actor: &Actor,
    id: CustomerId,
    amount: Money,
    means: Means,
    key: Option<CallerKey>,
) -> Result<Written, Error> {
    actor.writes()?;
    if means.method == WALLET {
        return Err(Error::invalid("method", Why::Not(Expected::HowMoneyCame)));
    }
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        let owner = customer::lock(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
        who.reaches(owner.branch_id)?;
        let payment = receive(change, id, Vec::new(), amount, &means).await?;
        Ok(Written { id: payment.map_or(0, |payment| payment.id.0) })
    })
    .await
}

/// Writes a bill for a customer that is locked. Its number comes last, so that two of them wait for each other briefly.
pub(crate) async fn issue(
    change: &Change<'_>,
    tenant: &Tenant,
    service: Option<ServiceId>,
    command: NewBill,
) -> Result<Invoice, Error> {
    let NewBill { customer, amount, due, description } = command;
    affordable(amount)?;
    let id = InvoiceId(change.id(Table::Invoice).await?);
    let (bill, entry) = bill::issue(customer, amount, tenant.tax());
    let due_at = end_of(due.unwrap_or_else(|| a_week_on(change.now, &tenant.zone)), &tenant.zone);
    post(change, "bill", id, entry).await?;
    write_line(change, id, 1, description.as_deref().unwrap_or("Bill"), amount, bill.tax_ppm).await?;
    let number = counter::take(change.tx, change.isp, "invoice:INV", 1).await?;
    let row = Invoice {
        isp_id: change.isp,
        id,
        series: SERIES.into(),
        number,
        customer_id: customer,
        service_id: service,
        net: bill.taxed.net,
        tax: bill.taxed.tax,
        total: bill.taxed.total(),
        paid: Money::ZERO,
        status: bill.status,
        issued_at: change.now,
        due_at,
        description,
        updated_at: change.now,
    };
    row.insert(change.tx).await?;
    say(change, EventKind::InvoiceIssued, &row);
    Ok(row)
}

/// How a payment was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Means {
    /// `wallet`: what is held for the customer; anything else is money received that way.
    pub method: String,
    /// The provider's reference; unique per method.
    pub reference: Option<String>,
}

pub const WALLET: &str = "wallet";

/// `None` leaves a field as it is; `Some(None)` clears it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct BillChange {
    pub amount: Option<Money>,
    pub due: Option<civil::Date>,
    pub description: Option<Option<String>>,
    /// What is left is paid now; of a paid bill nothing is.
    pub pay: Option<Means>,
    /// What the caller takes it for; a bill becomes that by payments alone.
    pub confirm: Option<BillStatus>,
    /// The caller read it as it was then.
    pub unchanged_since: Option<Instant>,
}

/// Corrects a bill, pays it, or both, in this order.
pub async fn update(
    app: &App,
    actor: &Actor,
    id: InvoiceId,
    command: BillChange,
    key: Option<CallerKey>,
) -> Result<Written, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        let BillChange { amount, due, description, pay, confirm, unchanged_since } = command.clone();
        let before = lock(change, &who, id, unchanged_since).await?;
        if confirm.is_some_and(|status| status != before.status) {
            return Err(Error::invalid("status", Why::Not(Expected::PaidOrAsItIs)));
        }
        let mut row = before.clone();
        if let Some(amount) = amount.filter(|amount| *amount != row.total) {
            row = correct(change, row, amount, description.clone().flatten()).await?;
        }
        if let Some(due) = due {
            row.due_at = end_of(due, &tenant.zone);
        }
        if let Some(description) = description {
            row.description = description;
        }
        if row != before {
            row.updated_at = stamp(change, &before);
            rows::update(change.tx, &row).await?;
            say(change, EventKind::InvoiceUpdated, &row);
        }
        if let Some(means) = pay.filter(|_| row.status != BillStatus::Paid) {
            let open = Money(row.total.0 - row.paid.0);
            receive(change, row.customer_id, vec![row], open, &means).await?;
        }
        Ok(Written { id: id.0 })
    })
    .await
}

async fn correct(change: &Change<'_>, mut row: Invoice, amount: Money, why: Option<String>) -> Result<Invoice, Error> {
    affordable(amount)?;
    let lines = rows::lines(change.tx, change.isp, &[row.id]).await?;
    let (bill, entry) =
        bill::correct(&of(&row, &lines), amount).map_err(|_| Error::invalid("amount", Why::Not(Expected::AsPaid)))?;
    let next = lines.iter().map(|line| line.line).max().unwrap_or(0) + 1;
    let difference = Money(amount.0 - row.total.0);
    let text = why.unwrap_or_else(|| "Correction".into());
    write_line(change, row.id, next, &text, difference, bill.tax_ppm).await?;
    post(change, "correction", row.id, entry).await?;
    (row.net, row.tax, row.total) = (bill.taxed.net, bill.taxed.tax, bill.taxed.total());
    Ok(row)
}

/// Takes an unpaid bill back by a credit note.
pub async fn delete(app: &App, actor: &Actor, id: InvoiceId, unchanged_since: Option<Instant>) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, store::db::Class::Interactive, async move |change| {
        let mut row = lock(change, &who, id, unchanged_since).await?;
        let lines = rows::lines(change.tx, change.isp, &[id]).await?;
        let refused = |_| Error::Refused(crate::Refusal::BillNotDeletable);
        let (voided, entry) = bill::void(&of(&row, &lines)).map_err(refused)?;
        post(change, "credit_note", id, entry).await?;
        row.status = voided.status;
        row.updated_at = stamp(change, &row);
        rows::update(change.tx, &row).await?;
        let number = counter::take(change.tx, change.isp, "invoice:CN", 1).await?;
        CreditNote {
            isp_id: change.isp,
            series: CREDIT_NOTES.into(),
            number,
            invoice_id: id,
            customer_id: row.customer_id,
            net: row.net,
            tax: row.tax,
            total: row.total,
            issued_at: change.now,
        }
        .insert(change.tx)
        .await?;
        say(change, EventKind::InvoiceVoided, &row);
        Ok(())
    })
    .await
}

/// Takes every unpaid bill of a customer back; what has been paid in part stays.
pub async fn void_open(app: &App, actor: &Actor, id: CustomerId) -> Result<(), Error> {
    let who = actor.clone();
    let open = app
        .db
        .read(async move |tx| {
            let owner = customer::find(tx, who.isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
            who.reaches(owner.branch_id)?;
            let filter = Filter { customer: Some(id), status: Some(BillStatus::Unpaid), ..Filter::default() };
            Ok::<_, Error>(rows::list(tx, who.isp, &filter, 0, 1000).await?.0)
        })
        .await?;
    for row in open {
        delete(app, actor, row.id, None).await?;
    }
    Ok(())
}

/// A bill, locked after its customer, as the caller last read it.
async fn lock(
    change: &Change<'_>,
    who: &Actor,
    id: InvoiceId,
    unchanged_since: Option<Instant>,
) -> Result<Invoice, Error> {
    const UNKNOWN: Error = Error::NotFound { what: What::Bill };
    let seen = rows::find(change.tx, change.isp, id).await?.ok_or(UNKNOWN)?;
    let owner = customer::lock_any(change.tx, change.isp, seen.customer_id).await?.ok_or(UNKNOWN)?;
    who.reaches(owner.branch_id)?;
    let row = rows::lock(change.tx, change.isp, id).await?.ok_or(UNKNOWN)?;
    match unchanged_since {
        Some(then) if then != row.updated_at => Err(Error::Changed),
        _ => Ok(row),
    }
}

/// Spreads money over bills of a customer who is locked, as they are; what they do not need goes to the wallet. The
/// payment, or nothing where the wallet itself paid.
pub(crate) async fn receive(
    change: &Change<'_>,
    customer: CustomerId,
    bills: Vec<Invoice>,
    amount: Money,
    means: &Means,
) -> Result<Option<Payment>, Error> {
    let source = match means.method.as_str() {
        WALLET => {
            Source::Wallet { holds: ledger::held(change.tx, change.isp, &Account::CustomerWallet(customer)).await? }
        }
        method => match chain::holder(change).await? {
            Some(collector) => Source::Collected { collector },
            None => Source::Cash { method: method.into() },
        },
    };
    receive_from(change, customer, bills, amount, source, means).await
}

/// As [`receive`], from a source that the method alone does not tell.
pub(crate) async fn receive_from(
    change: &Change<'_>,
    customer: CustomerId,
    mut bills: Vec<Invoice>,
    amount: Money,
    source: Source,
    means: &Means,
) -> Result<Option<Payment>, Error> {
    affordable(amount)?;
    let ids: Vec<InvoiceId> = bills.iter().map(|row| row.id).collect();
    let lines = rows::lines(change.tx, change.isp, &ids).await?;
    let mut seen: Vec<Bill> = bills.iter().map(|row| of(row, &lines)).collect();
    let settled = bill::settle(customer, &mut seen, amount, &source).map_err(|refusal| match refusal {
        Refusal::Insufficient { needed } => Error::Insufficient { needed },
        Refusal::Paid => Error::Refused(crate::Refusal::BillPaidFor),
    })?;
    let payment = match source {
        Source::Cash { .. } | Source::Collected { .. } => {
            let paid = ids.iter().zip(&settled.applied).filter(|(_, part)| **part > Money::ZERO);
            let paid: Vec<InvoiceId> = paid.map(|(id, _)| *id).collect();
            Some(payment(change, customer, amount, means.method.clone(), means, &paid).await?)
        }
        Source::Wallet { .. } => None,
    };
    let reference = match (&payment, ids.first()) {
        (Some(payment), _) => format!("payment:{}", payment.id),
        (None, Some(invoice)) => format!("invoice:{invoice}"),
        (None, None) => format!("customer:{customer}"),
    };
    enter(change, "payment", reference, settled.entry).await?;
    if let Some(payment) = &payment {
        change.event(
            EventKind::PaymentReceived,
            Subject::Customer(customer.0),
            json!({
                "payment": payment.id.0, "amount": amount.0, "method": payment.method,
                "reference": payment.reference, "customer": customer.0
            }),
        );
    }
    for ((row, bill), applied) in bills.iter_mut().zip(&seen).zip(settled.applied) {
        if applied == Money::ZERO {
            continue;
        }
        if let Some(payment) = &payment {
            let (payment_id, invoice_id) = (payment.id, row.id);
            Allocation { isp_id: change.isp, payment_id, invoice_id, amount: applied }.insert(change.tx).await?;
        }
        (row.paid, row.status) = (bill.paid, bill.status);
        row.updated_at = stamp(change, row);
        rows::update(change.tx, row).await?;
        if row.status == BillStatus::Paid {
            say(change, EventKind::InvoicePaid, row);
        }
    }
    Ok(payment)
}

async fn payment(
    change: &Change<'_>,
    customer: CustomerId,
    amount: Money,
    method: String,
    means: &Means,
    bills: &[InvoiceId],
) -> Result<Payment, Error> {
    let id = PaymentId(change.id(Table::Payment).await?);
    let row = Payment {
        isp_id: change.isp,
        id,
        customer_id: customer,
        kind: "payment".into(),
        amount,
        method,
        reference: means.reference.clone().unwrap_or_else(|| format!("LM{:08}", id.0)),
        state: "confirmed".into(),
        plan_id: None,
        plan_name: None,
        invoice_id: match bills {
            [one] => Some(*one),
            _ => None,
        },
        created_at: change.now,
    };
    match invoice::insert_payment(change.tx, &row).await? {
        true => Ok(row),
        false => Err(Error::invalid("transaction_id", Why::Taken)),
    }
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
            const UNKNOWN: Error = Error::NotFound { what: What::Bill };
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

/// The bill as the rules see it; all its lines are of one rate.
fn of(row: &Invoice, lines: &[InvoiceLine]) -> Bill {
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
    text: &str,
    amount: Money,
    tax_ppm: i64,
) -> Result<(), Error> {
    let text = text.to_string();
    let row = InvoiceLine {
        isp_id: change.isp,
        invoice_id,
        line,
        text,
        amount,
        tax_ppm,
        tax_inclusive: true,
        period_id: None,
    };
    Ok(row.insert(change.tx).await?)
}

async fn post(change: &Change<'_>, kind: &str, id: InvoiceId, entry: Entry) -> Result<(), Error> {
    enter(change, kind, format!("invoice:{id}"), entry).await
}

async fn enter(change: &Change<'_>, kind: &str, reference: String, entry: Entry) -> Result<(), Error> {
    let lines = entry.balanced().ok_or_else(|| Error::Internal(format!("{kind} of {reference} does not balance")))?;
    if lines.is_empty() {
        return Ok(());
    }
    let id = change.id(Table::Entry).await?;
    let heading = Heading { kind, reference: Some(reference), reason: None, actor: change.actor, at: change.now };
    Ok(ledger::post(change.tx, change.isp, id, &heading, &lines).await?)
}

fn say(change: &Change<'_>, kind: EventKind, row: &Invoice) {
    change.event(
        kind,
        Subject::Customer(row.customer_id.0),
        json!({
            "invoice": row.id.0, "number": row.number, "total": row.total.0, "due_at": row.due_at.0,
            "customer": row.customer_id.0
        }),
    );
}

/// Later than before, however close two changes are.
fn stamp(change: &Change<'_>, row: &Invoice) -> Instant {
    change.now.max(row.updated_at.plus(1))
}

fn affordable(amount: Money) -> Result<(), Error> {
    match amount <= MOST {
        true => Ok(()),
        false => Err(Error::invalid("amount", Why::Not(Expected::SmallerAmount))),
    }
}

/// The last second of a day.
fn end_of(day: civil::Date, zone: &TimeZone) -> Instant {
    Instant::from_civil(day.at(23, 59, 59, 0), zone)
}

fn a_week_on(now: Instant, zone: &TimeZone) -> civil::Date {
    let today = now.day(zone);
    today.checked_add(DUE_DAYS.days()).unwrap_or(today)
}
