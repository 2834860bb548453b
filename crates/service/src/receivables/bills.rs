//! Bills as staff handle them: written by hand, made of the package a line has, corrected, paid, taken back.

use domain::{
    CustomerId, Instant, InvoiceId, Money,
    billing::bill::{BillStatus, Line},
    kernel::money::TaxRate,
};
use jiff::civil;
use store::{billing::invoice_sale, db::Class};

use super::follow;
use crate::{
    Actor, App, Change, Error, Expected, Why,
    billing::{
        Written, credit,
        invoices::{self, Amendment, New},
        receipts::{self, Details, Incoming, Means, Named},
    },
    catalogue::plans,
    kernel::{amounts, app::Tenant, change::CallerKey, hold::hold},
    sales::terms,
};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewBill {
    pub customer: CustomerId,
    /// With tax.
    pub amount: Money,
    /// In the tenant's zone; a week from now where none is given.
    pub due: Option<civil::Date>,
    pub description: Option<String>,
}

impl NewBill {
    /// As an invoice of the Isp's own rate of tax.
    fn invoice(self, id: InvoiceId, now: Instant, tenant: &Tenant) -> Result<New, Error> {
        let NewBill { customer, amount, due, description } = self;
        let says = Line::with_tax(amounts::positive("amount", amount)?, tenant.tax().ppm);
        Ok(New {
            id,
            customer,
            line: None,
            text: description.clone().unwrap_or_else(|| "Bill".into()),
            description,
            says,
            taxed: says.taxed(),
            paid: Money::ZERO,
            due_at: invoices::due(now, due, &tenant.zone),
            period: None,
            sells: None,
        })
    }
}

pub async fn create(app: &App, actor: &Actor, command: NewBill, key: Option<CallerKey>) -> Result<Written, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        hold(change, &who, command.customer).await.map_err(|error| match error {
            Error::NotFound { .. } => Error::invalid("customer", Why::Unknown),
            other => other,
        })?;
        let id = invoices::draw(change).await?;
        let issued = invoices::owe(change, command.clone().invoice(id, change.now, &tenant)?).await?;
        Ok(Written { id: issued.id.0 })
    })
    .await
}

/// What the next period of the customer's line costs it, as a bill: paying it sells that period.
///
/// # Errors
/// `Refused` for a hotspot's line, a package that costs nothing, and while a bill of this line's package is open.
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
        let (_, line) = hold(change, &who, id).await?.primary()?;
        if line.kind == domain::Kind::Hotspot {
            return Err(Error::Refused(crate::Refusal::HotspotNotBilled));
        }
        let offer = plans::offer(change, line.plan_id).await?;
        let terms = terms::of_line(change, line.id, &offer.version).await?;
        let taxed = terms.tax.split(terms.price);
        if taxed.total() <= Money::ZERO {
            return Err(Error::Refused(crate::Refusal::CostsNothing));
        }
        // A period is sold, and so billed, once.
        if invoice_sale::open_of(change.tx, change.isp, line.id).await?.is_some() {
            return Err(Error::Refused(crate::Refusal::PackageBillOpen));
        }
        let bill = New {
            id: invoices::draw(change).await?,
            customer: id,
            line: Some(line.id),
            text: offer.plan.name.clone(),
            description: Some(offer.plan.name),
            says: Line { amount: taxed.total(), rate: TaxRate { inclusive: true, ..terms.tax } },
            taxed,
            paid: Money::ZERO,
            due_at: invoices::due(change.now, due, &tenant.zone),
            period: None,
            sells: Some(offer.plan.id),
        };
        Ok(Written { id: invoices::owe(change, bill).await?.id.0 })
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
        hold(change, &who, command.customer).await?;
        let id = invoices::draw(change).await?;
        let issued = invoices::owe(change, command.clone().invoice(id, change.now, &tenant)?).await?;
        let incoming = (command.customer, command.amount);
        pay(change, &tenant, incoming, &means, vec![issued]).await?;
        Ok(Written { id: id.0 })
    })
    .await
}

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
        let BillChange { amount, due, description, pay: means, confirm, unchanged_since } = command.clone();
        let row = invoices::lock(change, &who, id, unchanged_since).await?;
        if confirm.is_some_and(|status| status != row.status) {
            return Err(Error::invalid("status", Why::Not(Expected::PaidOrAsItIs)));
        }
        let due_at = due.map(|day| invoices::due(change.now, Some(day), &tenant.zone));
        let row = invoices::amend(change, row, Amendment { amount, due_at, description }).await?;
        if let Some(means) = means.filter(|_| row.status != BillStatus::Paid) {
            let open = Money(row.total.0 - row.paid.0);
            pay(change, &tenant, (row.customer_id, open), &means, vec![row]).await?;
        }
        Ok(Written { id: id.0 })
    })
    .await
}

/// Takes an unpaid bill back by a credit note.
pub async fn delete(app: &App, actor: &Actor, id: InvoiceId, unchanged_since: Option<Instant>) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let row = invoices::lock(change, &who, id, unchanged_since).await?;
        credit::void(change, row).await.map(drop)
    })
    .await
}

/// Takes every unpaid bill of a customer back; what has been paid in part stays.
pub async fn void_open(app: &App, actor: &Actor, id: CustomerId) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        hold(change, &who, id).await?;
        credit::void_open(change, id).await
    })
    .await
}

async fn pay(
    change: &Change<'_>,
    tenant: &Tenant,
    (customer, amount): (CustomerId, Money),
    means: &Means,
    bills: Vec<store::billing::invoice::Invoice>,
) -> Result<(), Error> {
    let source = receipts::source(change, customer, means).await?;
    let incoming = Incoming { customer, amount, source, means, named: Named::ByProvider, details: &Details::default() };
    let spread = receipts::spread(change, &tenant.zone, incoming, bills).await?;
    follow(change, tenant, customer, &spread.paid).await
}
