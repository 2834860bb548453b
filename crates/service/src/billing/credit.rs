//! Credit notes: the one writer of them. What is given back goes to whoever paid (`domain::billing::credit` is the rule),
//! and who that was is read from what the sale has posted.

use domain::{
    CustomerId, InvoiceId, Money, PeriodId, StaffId,
    billing::{
        bill::{self, BillStatus},
        credit::{self, Moved, Share},
        ledger::Kind,
    },
    kernel::money::Taxed,
};
use store::{
    billing::{
        bill::{self as rows, CreditNote, Filter},
        invoice::Invoice,
        ledger,
    },
    kernel::counter,
};

use crate::{
    Change, Error, Refusal,
    billing::{
        entries::{self, Heading, Of},
        invoices,
    },
};

const SERIES: &str = "CN";
/// So many unpaid bills of one customer are taken back.
const MOST_OPEN: i64 = 1000;

/// What selling a period has moved, and who paid it; `None`: nobody. A period billed otherwise was paid, or is owed, by
/// the customer.
pub(crate) async fn moved(
    change: &Change<'_>,
    period: PeriodId,
    invoice: Option<InvoiceId>,
) -> Result<Option<Moved>, Error> {
    let postings = ledger::of_sale(change.tx, change.isp, period).await?;
    if postings.is_empty() {
        let invoice = match invoice {
            Some(id) => rows::find(change.tx, change.isp, id).await?,
            None => None,
        };
        let earned = invoice.map(|invoice| Taxed { net: invoice.net, tax: invoice.tax });
        return Ok(earned.map(|earned| Moved { earned, seller: None, margins: Vec::new() }));
    }
    let mut moved = Moved { earned: Taxed::default(), seller: None, margins: Vec::new() };
    for (account, amount) in postings {
        let of_staff = account.strip_prefix("wallet:staff:").and_then(|id| id.parse().ok()).map(StaffId);
        match (account.as_str(), of_staff) {
            ("revenue", _) => moved.earned.net.0 -= amount.0,
            ("tax", _) => moved.earned.tax.0 -= amount.0,
            (_, Some(staff)) if amount > Money::ZERO => moved.seller = Some(staff),
            (_, Some(staff)) => moved.margins.push((staff, -amount)),
            (_, None) => {}
        }
    }
    Ok((moved.earned.total() > Money::ZERO || moved.seller.is_some()).then_some(moved))
}

/// A part of a period that is given back.
#[derive(Clone, Debug)]
pub(crate) struct Back<'a> {
    pub customer: CustomerId,
    pub period: PeriodId,
    /// The period's.
    pub invoice: Option<InvoiceId>,
    pub moved: &'a Moved,
    pub share: Share,
    pub reason: Option<&'static str>,
}

/// Gives back to whoever paid, with a credit note for the invoice; what the Isp gave. An invoice is credited once.
pub(crate) async fn note(change: &Change<'_>, back: Back<'_>) -> Result<Money, Error> {
    let Back { customer, period, invoice, moved, share, reason } = back;
    let Some((given, entry)) = credit::back(customer, moved, share) else { return Ok(Money::ZERO) };
    let of = match invoice {
        Some(id) if rows::credit_note(change.tx, change.isp, id).await?.is_some() => return Ok(Money::ZERO),
        Some(id) => Of::Invoice(id),
        None => Of::Period(period),
    };
    entries::post(change, Heading { kind: Kind::CreditNote, of, reason }, entry).await?;
    if let Some(invoice) = invoice.filter(|_| given.total() > Money::ZERO) {
        write(change, invoice, customer, given).await?;
    }
    Ok(given.total())
}

/// Takes a bill back that nobody has paid anything of; what it would have sold is forgotten.
///
/// # Errors
/// `Refused` where something has been paid.
pub(crate) async fn void(change: &Change<'_>, row: Invoice) -> Result<Invoice, Error> {
    let lines = rows::lines(change.tx, change.isp, &[row.id]).await?;
    let refused = |_| Error::Refused(Refusal::BillNotDeletable);
    let (_, entry) = bill::void(&invoices::of(&row, &lines)).map_err(refused)?;
    entries::post(change, Heading::new(Kind::CreditNote, Of::Invoice(row.id)), entry).await?;
    write(change, row.id, row.customer_id, Taxed { net: row.net, tax: row.tax }).await?;
    invoices::taken_back(change, row).await
}

/// Takes every unpaid bill of a customer, who is locked, back; what has been paid in part stays.
pub(crate) async fn void_open(change: &Change<'_>, customer: CustomerId) -> Result<(), Error> {
    let filter = Filter { customer: Some(customer), status: Some(BillStatus::Unpaid), ..Filter::default() };
    let (open, _) = rows::list(change.tx, change.isp, &filter, 0, MOST_OPEN).await?;
    for row in open {
        void(change, row).await?;
    }
    Ok(())
}

/// The note itself, numbered last.
async fn write(change: &Change<'_>, invoice_id: InvoiceId, customer_id: CustomerId, back: Taxed) -> Result<(), Error> {
    let number = counter::take(change.tx, change.isp, "invoice:CN", 1).await?;
    let note = CreditNote {
        isp_id: change.isp,
        series: SERIES.into(),
        number,
        invoice_id,
        customer_id,
        net: back.net,
        tax: back.tax,
        total: back.total(),
        issued_at: change.now,
    };
    Ok(note.insert(change.tx).await?)
}
