//! What the demo's people are billed for besides their packages, and who has fibre. A directory that has it is left alone.

use domain::{Connection, CustomerId, InvoiceId, Kind, Mac};
use jiff::ToSpan;
use service::{
    Actor, App, BillFilter, LineFilter, Medium,
    billing::{invoices, receipts::Means},
    customers::{
        beside::Beside,
        card::Parts,
        change::{self, Edit},
        lists,
    },
    plant::site::SiteChange,
    receivables::{
        bills::{self, BillChange, NewBill},
        payments::{self, NewPayment},
    },
};

/// What for, how much in the currency's main unit, due in so many days, how much of it is paid.
const BILLS: &[(&str, i64, i64, i64)] = &[
    ("Installation", 2_500, 7, 2_500),
    ("Router, two instalments", 4_000, 10, 2_000),
    ("Relocation of the line", 1_200, 0, 0),
    ("Static address, one year", 6_000, 14, 0),
    ("Cabling, 40 m", 900, 3, 900),
    ("Call-out on a Sunday", 500, 5, 0),
];

/// Some bills in each state, and fibre for every third of the people at home.
pub async fn seed(app: &App, actor: &Actor) -> anyhow::Result<()> {
    let fibre = LineFilter { medium: Some(Medium::Fibre), ..LineFilter::default() };
    if lists::by_line(app, actor, fibre, (0, 1), Parts::NONE).await?.1 > 0 {
        return Ok(());
    }
    let homes = LineFilter { medium: Some(Medium::Plain(Kind::Pppoe)), ..LineFilter::default() };
    let (homes, _) = lists::by_line(app, actor, homes, (0, 100), Parts::NONE).await?;
    let ids: Vec<CustomerId> = homes.into_iter().map(|shown| shown.customer.id).collect();
    // The bills come first: fibre says that they are there.
    for (id, bill) in ids.iter().rev().zip(BILLS) {
        write(app, actor, *id, *bill).await?;
    }
    for id in ids.iter().step_by(3) {
        let onu = Mac([0x4c, 0x4d, 0x01, 0, (id.0 >> 8) as u8, id.0 as u8]);
        let site =
            SiteChange { connection: Some(Connection::Fiber), onu_mac: Some(Some(onu)), ..SiteChange::default() };
        let edit = Edit { beside: Beside { site, ..Beside::default() }, ..Edit::default() };
        change::update(app, actor, *id, edit).await?;
    }
    Ok(())
}

async fn write(
    app: &App,
    actor: &Actor,
    customer: CustomerId,
    (what, amount, due_days, paid): (&str, i64, i64, i64),
) -> anyhow::Result<()> {
    let known = BillFilter { customer: Some(customer), ..BillFilter::default() };
    let (known, _) = invoices::list(app, actor, known, 0, 100).await?;
    if known.iter().any(|shown| shown.bill.description.as_deref() == Some(what)) {
        return Ok(());
    }
    let tenant = app.tenant(actor.isp).await?;
    let today = app.clock.now().day(&tenant.zone);
    let money = |units: i64| domain::Money(units * 10_i64.pow(tenant.currency.exponent));
    let due = today.checked_add(due_days.days()).unwrap_or(today);
    let description = Some(what.to_string());
    let bill = NewBill { customer, amount: money(amount), due: Some(due), description };
    let id = InvoiceId(bills::create(app, actor, bill, None).await?.id);
    let means = Means { method: "bkash".into(), reference: None };
    if paid == amount {
        let change = BillChange { pay: Some(means), ..BillChange::default() };
        bills::update(app, actor, id, change, None).await?;
    } else if paid > 0 {
        let payment = NewPayment { customer, amount: money(paid), means, bill: Some(id) };
        payments::record(app, actor, payment, None).await?;
    }
    Ok(())
}
