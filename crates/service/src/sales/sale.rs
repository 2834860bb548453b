//! A sale: the only place that writes a period. Who pays, how much and until when is decided before, by whoever sells
//! (recharge, activation, migration, moves, vouchers, cards, renewals, first sales, a bill that was paid). Here it is
//! written whole: the period; what the line has from now on; through billing the entries, the payment with what it settles,
//! the invoice. Then it is told, every fact once (docs/RULES.md, "Rules of a sale").

use domain::{
    Instant, InvoiceId, Limit, Money, PeriodId, PlanId, Quota, ServiceId, Status,
    access::decide::{Reason, over},
    billing::{
        bill::Line,
        ledger::{Entry, Kind},
        payment::PaymentKind,
    },
    catalogue::validity::{Term, next_term},
    sales::sale::Settlement,
};
use store::{
    access::{fup, session},
    billing::invoice::Invoice,
    people::service::{self, Period, Service},
};

use crate::{
    Change, Error, Fact, Refusal,
    billing::{
        entries::{self, Heading, Of},
        invoices::{self, New},
        receipts::{self, Details, Means, Named, Received},
    },
    catalogue::plans::{self, Offer},
    kernel::{app::Tenant, facts::Before, ids::Table, work::Work},
    sales::{starts, terms},
};

/// What is sold, decided.
pub(crate) struct Sale<'a> {
    /// Locked, or new. Its row is written by the caller ([`save`], where it is not new).
    pub line: &'a mut Service,
    /// As the invoice says it.
    pub offer: &'a Offer,
    pub term: Term,
    pub quota: Quota,
    /// What the customer pays, to whomever.
    pub price: Money,
    pub who_pays: WhoPays<'a>,
    pub why: Cause,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum WhoPays<'a> {
    /// Nobody: a gift.
    Nobody,
    /// As it is settled; what is known of the money that came.
    Settled(Settlement, &'a Details),
    /// A bill of the package has been paid: its money is in the books.
    Bill(InvoiceId),
}

/// What makes it a sale.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cause {
    /// The first period of a new line, which keeps the status that it is made with.
    First,
    /// The next period.
    Recharge,
    /// The next period, with an invoice in any case (docs/readings.md 3.4).
    Activation,
    /// A bill of the package was paid.
    Bill,
    /// Another package, with a period of its own.
    Move,
    /// Another package for the time that is left.
    Migration,
}

/// The reason of a period that a migration sold.
pub const MIGRATED: &str = "migrated";

impl Cause {
    /// A period's reason.
    fn word(self, gift: bool) -> &'static str {
        match self {
            Cause::First | Cause::Recharge | Cause::Activation | Cause::Bill if gift => "complimentary",
            Cause::First | Cause::Recharge | Cause::Activation | Cause::Bill => "sold",
            Cause::Move => "moved",
            Cause::Migration => MIGRATED,
        }
    }

    /// Whether it switches a line on that is off, and what its status says then.
    fn lifts(self) -> Option<&'static str> {
        match self {
            Cause::Recharge => Some("recharged"),
            Cause::Activation => Some("activated"),
            Cause::Bill => Some("paid"),
            Cause::First | Cause::Move | Cause::Migration => None,
        }
    }

    fn heading(self, period: PeriodId, invoice: Option<InvoiceId>) -> Heading<'static> {
        let kind = match self {
            Cause::First | Cause::Recharge | Cause::Bill => Kind::Recharge,
            Cause::Activation => Kind::Activation,
            Cause::Move => Kind::Bill,
            Cause::Migration => Kind::Migration,
        };
        match (self, invoice) {
            (Cause::Move, Some(invoice)) => Heading::new(kind, Of::Invoice(invoice)),
            (Cause::Move, None)
            | (Cause::First | Cause::Recharge | Cause::Activation | Cause::Bill | Cause::Migration, _) => {
                Heading::new(kind, Of::Period(period))
            }
        }
    }
}

/// What a sale made.
#[derive(Clone, Debug)]
pub(crate) struct Sold {
    pub period: PeriodId,
    pub invoice: Option<Invoice>,
}

/// Sells, and tells it. A line that begins on a day to come stays as it is until then.
pub(crate) async fn sold(change: &Change<'_>, tenant: &Tenant, sale: Sale<'_>) -> Result<Sold, Error> {
    let Sale { line, offer, term, quota, price, who_pays, why } = sale;
    if !(term.starts_at.is_kept() && term.expires_at.is_kept()) {
        return Err(Error::Refused(Refusal::PeriodBeyond));
    }
    let before = Was::of(line, offer, why == Cause::First, change.now);
    let id = PeriodId(change.id(Table::Period).await?);
    let invoice = match &who_pays {
        WhoPays::Nobody => None,
        WhoPays::Bill(invoice) => Some(*invoice),
        WhoPays::Settled(settled, _) if settled.earned.total() > Money::ZERO || why == Cause::Activation => {
            Some(invoices::draw(change).await?)
        }
        WhoPays::Settled(..) => None,
    };
    if line.plan_id != offer.plan.id {
        terms::set_price(change, line, None).await?;
    }
    let reason = why.word(who_pays == WhoPays::Nobody);
    open(change, line, offer, &term, quota, Bought { id, price, invoice, reason }).insert(change.tx).await?;
    if why != Cause::First {
        begin(change, tenant, line, &term).await?;
    }
    if let Some(reason) = why.lifts().filter(|_| line.status != Status::Active)
        && starts::of_line(change, line).await?.is_none()
    {
        line.status = Status::Active;
        line.status_reason = Some(reason.into());
        line.status_since = change.now;
    }
    let issued = match who_pays {
        WhoPays::Nobody => None,
        WhoPays::Bill(invoice) => {
            invoices::sold(change, invoice, id).await?;
            None
        }
        WhoPays::Settled(settled, details) => {
            take(change, tenant, line, offer, why.heading(id, invoice), (invoice, &settled), details).await?;
            match invoice {
                Some(invoice) => Some(bill(change, tenant, line, offer, (id, invoice), &settled).await?),
                None => None,
            }
        }
    };
    before.tell(change, line, id, &term, price);
    Ok(Sold { period: id, invoice: issued })
}

/// Writes a line that has been sold something, and orders the network to follow.
pub(crate) async fn save(change: &Change<'_>, line: &Service) -> Result<(), Error> {
    service::update(change.tx, line).await?;
    change.order(Work::follow(line.id)).await
}

/// What is bought, beside the package and its time.
struct Bought {
    id: PeriodId,
    price: Money,
    invoice: Option<InvoiceId>,
    reason: &'static str,
}

/// Opens a period on a line: the one place that makes its row.
fn open(change: &Change<'_>, line: &mut Service, offer: &Offer, term: &Term, quota: Quota, bought: Bought) -> Period {
    line.period_ordinal += 1;
    line.plan_id = offer.plan.id;
    line.plan_version = offer.version.version;
    if !term.extends {
        line.period_started_at = Some(term.starts_at.max(change.now));
    }
    line.expires_at = Some(term.expires_at);
    line.expired_event_at = None;
    line.anchor_day = term.anchor_day.map(i64::from);
    line.quota_event_ordinal = None;
    line.quota_time_s = quota.limit.time_s;
    line.quota_bytes = quota.limit.data_bytes;
    line.used_time_s = quota.used_time_s;
    line.used_bytes = quota.used_bytes;
    line.updated_at = change.now;
    let Bought { id, price, invoice: invoice_id, reason } = bought;
    Period {
        isp_id: change.isp,
        id,
        service_id: line.id,
        ordinal: line.period_ordinal,
        customer_id: line.customer_id,
        plan_id: offer.plan.id,
        plan_version: offer.version.version,
        starts_at: term.starts_at.min(term.expires_at),
        ends_at: term.expires_at,
        price,
        reason: reason.into(),
        invoice_id,
        created_at: change.now,
    }
}

/// What counts within a period counts anew: fair use that is reset by it, and the usage that is shown.
async fn begin(change: &Change<'_>, tenant: &Tenant, line: &Service, term: &Term) -> Result<(), Error> {
    fup::period_begins(change.tx, change.isp, line.id, term.starts_at).await?;
    match line.period_started_at.filter(|_| !term.extends) {
        Some(at) => usage_begins(change, tenant, line.id, at).await,
        None => Ok(()),
    }
}

/// The usage that is shown counts from then on, to the byte: what the same day has seen before is left out.
pub(crate) async fn usage_begins(
    change: &Change<'_>,
    tenant: &Tenant,
    line: ServiceId,
    at: Instant,
) -> Result<(), Error> {
    let day = at.day_number(&tenant.zone);
    Ok(session::usage_begins(change.tx, change.isp, line, day).await?)
}

/// The money: what is posted, and the payment.
async fn take(
    change: &Change<'_>,
    tenant: &Tenant,
    line: &Service,
    offer: &Offer,
    heading: Heading<'_>,
    (invoice, settled): (Option<InvoiceId>, &Settlement),
    details: &Details,
) -> Result<(), Error> {
    // What went into the wallet first belongs to no invoice.
    let wallet_first = settled.credit != Entry::new();
    let of = invoice.map_or(Of::Customer(line.customer_id), Of::Invoice);
    entries::post(change, Heading::new(Kind::TopUp, of), settled.credit.clone()).await?;
    entries::post(change, heading, settled.sale.clone()).await?;
    let Some((method, amount)) = settled.received.clone() else { return Ok(()) };
    let settles: Vec<(InvoiceId, Money)> =
        invoice.filter(|_| !wallet_first).map(|invoice| (invoice, settled.paid)).into_iter().collect();
    let received = Received {
        customer: line.customer_id,
        amount,
        kind: if wallet_first { PaymentKind::Payment } else { PaymentKind::Recharge },
        means: &Means { method, reference: None },
        named: Named::ByProvider,
        details,
        plan: Some((offer.plan.id, &offer.plan.name)),
        settles: &settles,
    };
    receipts::write(change, &tenant.zone, received).await.map(drop)
}

/// The invoice. What is not paid at once falls due as everything that is owed does.
async fn bill(
    change: &Change<'_>,
    tenant: &Tenant,
    line: &Service,
    offer: &Offer,
    (period, id): (PeriodId, InvoiceId),
    settled: &Settlement,
) -> Result<Invoice, Error> {
    let new = New {
        id,
        customer: line.customer_id,
        line: Some(line.id),
        text: offer.plan.name.clone(),
        description: Some(offer.plan.name.clone()),
        says: Line::of(offer.version.price, plans::terms(&offer.version).tax, settled.earned),
        taxed: settled.earned,
        paid: settled.paid,
        due_at: match settled.due {
            Money::ZERO => change.now,
            _ => invoices::due(change.now, None, &tenant.zone),
        },
        period: Some(period),
        sells: None,
    };
    invoices::issue(change, new).await
}

/// How a line stood before it was sold something.
struct Was {
    stood: Before,
    plan: Option<PlanId>,
}

impl Was {
    fn of(line: &Service, offer: &Offer, is_new: bool, now: Instant) -> Was {
        if is_new {
            return Was { stood: Before::New, plan: None };
        }
        let stood = match (line.status, over(line.expires_at, &service::quota(line), now)) {
            _ if line.period_ordinal == 0 => Before::Made,
            (Status::Active, Some(Reason::QuotaUsedUp)) => Before::UsedUp,
            (Status::Active, Some(_)) => Before::Expired,
            (status, _) => Before::Stood(status),
        };
        Was { stood, plan: Some(line.plan_id).filter(|plan| *plan != offer.plan.id) }
    }

    fn tell(self, change: &Change<'_>, line: &Service, period: PeriodId, term: &Term, price: Money) {
        change.tell(Fact::ServiceRecharged {
            line: line.id,
            customer: line.customer_id,
            plan: line.plan_id,
            period,
            expires_at: term.expires_at,
            amount: price,
            before: Some(self.stood),
            plan_before: self.plan,
            runs: Some(line.is_running(change.now)),
        });
    }
}

/// The time that a new line came with: a gift, sold elsewhere, or as somebody wrote it down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    pub id: PeriodId,
    /// In the place of the end that follows from the package.
    pub ends_at: Option<Instant>,
    /// `None`: the package's.
    pub limit: Option<Limit>,
    /// complimentary, imported, opening.
    pub reason: &'static str,
}

/// Opens the first period of a line that is not in the database yet, without money, and tells it. Many are written at
/// once by [`insert`].
pub(crate) fn opened(
    change: &Change<'_>,
    tenant: &Tenant,
    line: &mut Service,
    offer: &Offer,
    opening: Opening,
) -> Period {
    let terms = plans::terms(&offer.version);
    let term = next_term(change.now, None, terms.validity, &tenant.zone);
    let term = opening.ends_at.map_or(term, |end| term.until(end, &tenant.zone));
    let quota = Quota { limit: opening.limit.unwrap_or(terms.limit), ..Quota::default() };
    let before = Was::of(line, offer, true, change.now);
    let bought = Bought { id: opening.id, price: Money::ZERO, invoice: None, reason: opening.reason };
    let period = open(change, line, offer, &term, quota, bought);
    before.tell(change, line, period.id, &term, Money::ZERO);
    period
}

/// Writes the periods of new lines.
pub(crate) async fn insert(change: &Change<'_>, periods: Vec<Period>) -> Result<(), Error> {
    let rows = periods.iter().map(Period::values).collect();
    Ok(change.tx.insert_many(Period::INSERT, "", rows).await.map(drop)?)
}
