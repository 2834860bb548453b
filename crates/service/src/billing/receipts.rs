//! Money received: the one writer of payments, of their receipt numbers, and of what they settle. A provider's receipt pays
//! once, however it is spelt (`domain::billing::payment`).

use domain::{
    CustomerId, Instant, InvoiceId, Money, PaymentId, PlanId, StaffId,
    billing::{
        bill::{self, Bill, Refusal, Source},
        ledger::{Account, Entry, Kind},
        payment::{self, PaymentKind},
    },
};
use jiff::{civil, tz::TimeZone};
use serde::{Deserialize, Serialize};
use store::billing::{
    bill::{self as rows, Allocation},
    invoice::{self, Invoice, Payment},
    ledger,
    payment_detail::PaymentDetail,
};

use crate::{
    Change, Error, Expected, Fact, Why,
    billing::{
        entries::{self, Heading, Of},
        invoices,
    },
    kernel::{amounts, ids::Table},
    resellers::chain,
};

/// How a payment was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Means {
    /// What `of_the_wallet` names is held for the customer already; anything else is money received that way.
    pub method: String,
    /// The provider's reference.
    pub reference: Option<String>,
}

/// Whether `method` says that what is held for the customer pays. Who writes of a customer's balance means it as well.
pub fn of_the_wallet(method: &str) -> bool {
    matches!(method, "wallet" | "balance")
}

/// What is known of a payment besides method and reference.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Details {
    /// The day on which it was made, in the Isp's zone: lists and reports go by it. The ledger goes by when it was
    /// written down.
    pub paid_on: Option<civil::Date>,
    pub bank: Option<String>,
    pub cheque_number: Option<String>,
    /// `yyyy-mm-dd`.
    pub cheque_date: Option<String>,
    /// Only its end is kept.
    pub card_number: Option<String>,
    pub card_expiration: Option<String>,
    pub transfer_method: Option<String>,
    pub gateway_operator: Option<String>,
    pub notes: Option<String>,
    /// The provider's, where the means name none.
    pub reference: Option<String>,
}

/// The provider's reference of a payment. Our own numbers are ours to give.
fn reference<'a>(means: &'a Means, details: &'a Details) -> Result<Option<&'a str>, Error> {
    match means.reference.as_deref().or(details.reference.as_deref()) {
        Some(given) if payment::is_own(given) => Err(taken()),
        given => Ok(given),
    }
}

pub(crate) fn taken() -> Error {
    Error::invalid("transaction_id", Why::Taken)
}

/// Who names a payment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Named {
    /// Its provider, or nobody: then it has its own number.
    ByProvider,
    /// We, after the collection it was.
    Collection(i64),
}

/// A payment to write down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received<'a> {
    pub customer: CustomerId,
    pub amount: Money,
    pub kind: PaymentKind,
    pub means: &'a Means,
    pub named: Named,
    pub details: &'a Details,
    /// What was bought with it, as it is called.
    pub plan: Option<(PlanId, &'a str)>,
    /// How much of which invoice it pays; where it is one, the receipt names it.
    pub settles: &'a [(InvoiceId, Money)],
}

/// Writes a payment with its receipt number and what it settles. What it moves is posted beside it.
///
/// # Errors
/// `Invalid` of `amount`; of `transaction_id` where the provider's reference has paid already; of `paid_on` where that day
/// has not come.
pub(crate) async fn write(change: &Change<'_>, zone: &TimeZone, received: Received<'_>) -> Result<Payment, Error> {
    let Received { customer, amount, kind, means, named, details, plan, settles } = received;
    amounts::positive("amount", amount)?;
    check_day(details.paid_on, change.now, zone)?;
    let id = PaymentId(change.id(Table::Payment).await?);
    let reference = match (named, reference(means, details)?) {
        (Named::Collection(id), _) => payment::of_collection(id),
        (Named::ByProvider, Some(given)) => given.to_string(),
        (Named::ByProvider, None) => payment::own(id),
    };
    let day = details.paid_on.filter(|day| *day != change.now.day(zone));
    let row = Payment {
        isp_id: change.isp,
        id,
        customer_id: customer,
        kind: kind.word().into(),
        amount,
        method: means.method.clone(),
        provider: payment::provider(&means.method, details.gateway_operator.as_deref()),
        reference_key: payment::key(&reference),
        reference,
        state: "confirmed".into(),
        plan_id: plan.map(|(id, _)| id),
        plan_name: plan.map(|(_, name)| name.to_string()),
        invoice_id: match settles {
            [(one, _)] => Some(*one),
            _ => None,
        },
        created_at: day.map_or(change.now, |day| Instant::from_civil(day.at(0, 0, 0, 0), zone)),
    };
    if !invoice::insert_payment(change.tx, &row).await? {
        return Err(taken());
    }
    for (invoice_id, amount) in settles.iter().copied().filter(|(_, part)| *part > Money::ZERO) {
        Allocation { isp_id: change.isp, payment_id: id, invoice_id, amount }.insert(change.tx).await?;
    }
    if *details != Details::default() {
        detail(change, id, details).insert(change.tx).await?;
    }
    change.tell(Fact::PaymentReceived {
        customer,
        payment: id,
        amount,
        method: row.method.clone(),
        reference: Some(row.reference.clone()),
    });
    Ok(row)
}

fn detail(change: &Change<'_>, payment_id: PaymentId, details: &Details) -> PaymentDetail {
    let details = details.clone();
    PaymentDetail {
        isp_id: change.isp,
        payment_id,
        recorded_at: change.now,
        paid_on: details.paid_on.map(|day| day.to_string()),
        bank: details.bank,
        cheque_number: details.cheque_number,
        cheque_date: details.cheque_date,
        card_hint: details.card_number.as_deref().map(payment::end_of_card),
        card_expiration: details.card_expiration,
        transfer_method: details.transfer_method,
        gateway_operator: details.gateway_operator,
        notes: details.notes,
    }
}

/// A day that has not come is no day on which something was paid.
pub(crate) fn check_day(paid_on: Option<civil::Date>, now: Instant, zone: &TimeZone) -> Result<(), Error> {
    match paid_on.map(|day| amounts::day("paid_on", day)).transpose()? {
        Some(day) if !payment::has_come(day, now, zone) => {
            Err(Error::invalid("paid_on", Why::Not(Expected::DayThatHasCome)))
        }
        Some(_) | None => Ok(()),
    }
}

/// The payment that a provider's receipt has made already.
pub(crate) async fn seen(change: &Change<'_>, means: &Means, details: &Details) -> Result<Option<Payment>, Error> {
    let Some(reference) = reference(means, details)? else { return Ok(None) };
    let provider = payment::provider(&means.method, details.gateway_operator.as_deref());
    Ok(invoice::payment_by_reference(change.tx, change.isp, &provider, &payment::key(reference)).await?)
}

/// Where money comes from that is said to be paid so. What a reseller's people take is theirs to hand in.
pub(crate) async fn source(change: &Change<'_>, customer: CustomerId, means: &Means) -> Result<Source, Error> {
    Ok(match means.method.as_str() {
        method if of_the_wallet(method) => Source::Wallet { holds: held(change, customer).await? },
        method => match chain::holder(change).await? {
            Some(collector) => Source::Collected { collector },
            None => Source::Cash { method: method.into() },
        },
    })
}

/// Where a collection's money comes from. What a collector took in notes or cheques is his to hand in; a card's money never
/// was his.
pub(crate) fn source_of_collection(method: &str, collector: Option<StaffId>) -> Source {
    match (method, collector) {
        ("cash" | "cheque", Some(collector)) => Source::Collected { collector },
        _ => Source::Cash { method: method.into() },
    }
}

async fn held(change: &Change<'_>, customer: CustomerId) -> Result<Money, Error> {
    Ok(ledger::held(change.tx, change.isp, &Account::CustomerWallet(customer)).await?)
}

/// Money for a customer's bills.
#[derive(Clone, Debug)]
pub(crate) struct Incoming<'a> {
    pub customer: CustomerId,
    pub amount: Money,
    pub source: Source,
    pub means: &'a Means,
    pub named: Named,
    pub details: &'a Details,
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct Spread {
    /// Nothing where the wallet paid.
    pub payment: Option<Payment>,
    /// What became paid.
    pub paid: Vec<Invoice>,
}

/// Spreads money over bills of a customer who is locked, the first one first; what they do not need goes to the wallet.
pub(crate) async fn spread(
    change: &Change<'_>,
    zone: &TimeZone,
    incoming: Incoming<'_>,
    bills: Vec<Invoice>,
) -> Result<Spread, Error> {
    let Incoming { customer, amount, source, means, named, details } = incoming;
    amounts::positive("amount", amount)?;
    let first = bills.first().map(|row| row.id);
    let (parts, entry) = settle(change, customer, bills, amount, &source).await?;
    let payment = match source {
        Source::Wallet { .. } => None,
        Source::Cash { .. } | Source::Collected { .. } => {
            let settles: Vec<(InvoiceId, Money)> = parts.iter().map(|(row, part)| (row.id, *part)).collect();
            let kind = PaymentKind::Payment;
            let received = Received { customer, amount, kind, means, named, details, plan: None, settles: &settles };
            Some(write(change, zone, received).await?)
        }
    };
    let of = match (&payment, first) {
        (Some(payment), _) => Of::Payment(payment.id),
        (None, Some(invoice)) => Of::Invoice(invoice),
        (None, None) => Of::Customer(customer),
    };
    entries::post(change, Heading::new(Kind::Payment, of), entry).await?;
    Ok(Spread { payment, paid: pay(change, parts).await? })
}

/// What is held for a customer, who is locked, pays what is owed, as far as it reaches. What became paid.
pub(crate) async fn from_wallet(change: &Change<'_>, customer: CustomerId) -> Result<Vec<Invoice>, Error> {
    let holds = held(change, customer).await?;
    let open = rows::lock_open(change.tx, change.isp, customer).await?;
    let owed = open.iter().fold(0_i64, |sum, row| sum.saturating_add(row.total.0 - row.paid.0));
    let amount = Money(holds.0.min(owed));
    let Some(first) = open.first().map(|row| row.id).filter(|_| amount > Money::ZERO) else { return Ok(Vec::new()) };
    let (parts, entry) = settle(change, customer, open, amount, &Source::Wallet { holds }).await?;
    entries::post(change, Heading::new(Kind::Payment, Of::Invoice(first)), entry).await?;
    pay(change, parts).await
}

/// The bills that get something with what each gets, and the entry.
async fn settle(
    change: &Change<'_>,
    customer: CustomerId,
    bills: Vec<Invoice>,
    amount: Money,
    source: &Source,
) -> Result<(Vec<(Invoice, Money)>, Entry), Error> {
    let ids: Vec<InvoiceId> = bills.iter().map(|row| row.id).collect();
    let lines = rows::lines(change.tx, change.isp, &ids).await?;
    let mut seen: Vec<Bill> = bills.iter().map(|row| invoices::of(row, &lines)).collect();
    let settled = bill::settle(customer, &mut seen, amount, source).map_err(|refusal| match refusal {
        Refusal::Insufficient { needed } => Error::Insufficient { needed },
        Refusal::Paid => Error::Refused(crate::Refusal::BillPaidFor),
    })?;
    let parts = bills.into_iter().zip(settled.applied).filter(|(_, part)| *part > Money::ZERO);
    Ok((parts.collect(), settled.entry))
}

async fn pay(change: &Change<'_>, parts: Vec<(Invoice, Money)>) -> Result<Vec<Invoice>, Error> {
    let mut paid = Vec::new();
    for (mut row, part) in parts {
        if invoices::pay(change, &mut row, part).await? {
            paid.push(row);
        }
    }
    Ok(paid)
}
