//! Money that comes, and what follows from it in the same change: bills of packages, lines that renew themselves, receipts
//! that count once, amounts within bounds.

use domain::{CustomerId, InvoiceId, Money, StaffId, billing::ledger::Account};
use serde_json::json;
use service::{
    BillFilter, Error, Why,
    billing::{
        collections::{self, Found, Visit},
        floats::{self, HandIn},
        funding::{self, Funding},
        invoices, payments,
        receipts::{Details, Means},
    },
    customers::{
        beside::Beside,
        card::{self, Parts},
        change::{self, Edit},
    },
    receivables::{
        bills::{self, BillChange, NewBill},
        collections as approvals,
        payments::{self as paid, NewPayment},
    },
    resellers::operators,
};

use crate::{
    app::{Line, TestApp, cash, days, seconds},
    both,
    nas::login,
    zal::{Api, put_into, salesperson},
};

both!(
    a_bill_of_a_package_sells_it_by_any_door,
    a_bill_asks_what_a_sale_costs,
    money_for_a_line_that_renews_itself_connects_it,
    one_receipt_is_one_payment,
    a_receipt_names_what_it_paid,
    amounts_have_bounds,
);

const PRICE: Money = Money(150_000);

fn by(method: &str, reference: Option<&str>) -> Means {
    Means { method: method.into(), reference: reference.map(Into::into) }
}

async fn pay(app: &TestApp, id: CustomerId, amount: i64, means: Means, bill: Option<InvoiceId>) -> Result<i64, Error> {
    let command = NewPayment { customer: id, amount: Money(amount), means, bill };
    paid::record(&app.app, &app.actor, command, None).await.map(|written| written.id)
}

async fn generate(app: &TestApp, line: Line) -> Result<InvoiceId, Error> {
    bills::generate(&app.app, &app.actor, line.customer, None, None).await.map(|written| InvoiceId(written.id))
}

async fn bill(app: &TestApp, id: InvoiceId) -> service::Invoice {
    invoices::show(&app.app, &app.actor, id).await.expect("the bill").bill
}

async fn wallet(app: &TestApp, id: CustomerId) -> Money {
    card::show(&app.app, &app.actor, id, Parts::BALANCE).await.expect("the subscriber").balance
}

/// Everybody owes what its open bills say, and every entry balances.
async fn explained(app: &TestApp) -> String {
    let isp = app.actor.isp;
    let read = app.app.db.read(async move |tx| store::billing::bill::unexplained(tx, isp).await).await;
    assert_eq!(read.expect("receivables"), vec![], "receivables are the open bills");
    app.ledger().await
}

/// How often a fact has been told.
async fn told(app: &TestApp, kind: &str) -> usize {
    app.events().await.iter().filter(|told| *told == kind).count()
}

async fn answer(app: &TestApp, name: &str) -> String {
    app.nas.login(login(name)).await.split(' ').next().unwrap_or_default().to_string()
}

/// The ways in which a bill becomes paid.
#[derive(Clone, Copy, Debug)]
enum Door {
    Payment,
    AnyBill,
    Wallet,
    Parts,
    Collection,
    MarkedPaid,
}

async fn settle(app: &TestApp, door: Door, id: CustomerId, invoice: InvoiceId) {
    match door {
        Door::Payment => drop(pay(app, id, PRICE.0, by("mpesa", None), Some(invoice)).await.expect("a payment")),
        Door::AnyBill => drop(pay(app, id, PRICE.0, by("cash", None), None).await.expect("a payment")),
        Door::Parts => {
            pay(app, id, 50_000, by("cash", None), Some(invoice)).await.expect("a part");
            assert_eq!(bill(app, invoice).await.status.word(), "partial");
            pay(app, id, PRICE.0 - 50_000, by("bank", None), Some(invoice)).await.expect("the rest");
        }
        Door::Wallet | Door::MarkedPaid => {
            let method = if let Door::Wallet = door { "wallet" } else { "cash" };
            if let Door::Wallet = door {
                put_into(app, Account::CustomerWallet(id), PRICE.0).await;
            }
            let change = BillChange { pay: Some(by(method, None)), ..BillChange::default() };
            bills::update(&app.app, &app.actor, invoice, change, None).await.expect("paid");
        }
        Door::Collection => {
            let visit = Visit {
                customer: id,
                found: Found::Collected,
                amount: PRICE,
                method: Some("cash"),
                bank: None,
                cheque_number: None,
                cheque_date: None,
                card_number: None,
                card_expiration: None,
                notes: None,
            };
            let visit = collections::visit(&app.app, &app.actor, visit, None).await.expect("a visit").id;
            approvals::approve(&app.app, &app.actor, id, visit, PRICE).await.expect("approved");
        }
    }
}

async fn a_bill_of_a_package_sells_it_by_any_door(app: TestApp) {
    let doors = [Door::Payment, Door::AnyBill, Door::Wallet, Door::Parts, Door::Collection, Door::MarkedPaid];
    let mut lines = Vec::new();
    for (at, door) in doors.into_iter().enumerate() {
        let name = format!("ali{at}");
        lines.push((door, app.customer(&name, app.gold).await, name));
    }
    app.pass(days(40)).await;
    for (door, line, name) in &lines {
        assert_eq!(answer(&app, name).await, "Access-Reject", "{door:?}");
        let invoice = generate(&app, *line).await.expect("a bill");
        let (receivable, before) = (PRICE, told(&app, "invoice.paid").await);
        assert_eq!(bill(&app, invoice).await.total, receivable);
        let again = generate(&app, *line).await;
        assert!(matches!(again, Err(Error::Refused(_))), "a period is billed once: {again:?}");
        settle(&app, *door, line.customer, invoice).await;
        assert_eq!(bill(&app, invoice).await.status.word(), "paid", "{door:?}");
        assert_eq!(told(&app, "invoice.paid").await, before + 1, "{door:?}: told once");
        assert_eq!(app.row(*line).await.expires_at, Some(app.app.clock.now().plus(days(30))), "{door:?}");
        assert_eq!(answer(&app, name).await, "Access-Accept", "{door:?}");
        assert_eq!(wallet(&app, line.customer).await, Money::ZERO, "{door:?}: nothing is left over");
    }
    let ledger = explained(&app).await;
    let sold = 2 * lines.len() as i64;
    assert!(ledger.contains(&format!("revenue -{}", sold * 129_310)), "each period is earned once: {ledger}");

    // On a line that runs, the next period is bought.
    let (_, line, _) = lines[0].clone();
    let invoice = generate(&app, line).await.expect("a bill");
    pay(&app, line.customer, PRICE.0, by("mpesa", None), Some(invoice)).await.expect("a payment");
    assert_eq!(app.row(line).await.expires_at, Some(app.app.clock.now().plus(days(60))));
    // What is taken back is forgotten, and can be billed again.
    let invoice = generate(&app, line).await.expect("a bill");
    bills::delete(&app.app, &app.actor, invoice, None).await.expect("taken back");
    generate(&app, line).await.expect("another bill");
    explained(&app).await;
}

async fn a_bill_asks_what_a_sale_costs(app: TestApp) {
    let api = Api::of(&app).await;
    // A discount of 500.00 of the subscriber's own.
    let more = json!({ "expiration_date": "2030-01-02 00:00:00", "discount_type": 0, "discount": 500 });
    let id = api.subscriber(&app, "ali", more).await;
    app.pass(days(3)).await;
    let invoice = bills::generate(&app.app, &app.actor, id, None, None).await.expect("a bill").id;
    let price = bill(&app, InvoiceId(invoice)).await.total;
    // What is due holds up an activation for an hour.
    app.pass(seconds(3601)).await;
    let sold = Api::is(200, api.post("/activation", json!({ "subscriber_id": id.0, "payment_method": 1 })).await);
    let total = sold["invoice_data"]["billing_total_amount"].as_i64().map(|whole| whole * 100);
    assert_eq!(Some(price.0), total, "a bill costs what a sale costs");
    explained(&app).await;
}

async fn money_for_a_line_that_renews_itself_connects_it(app: TestApp) {
    let api = Api::of(&app).await;
    let renewing = json!({ "expiration_date": "2030-01-02 00:00:00", "auto_renew_status": 1 });
    let ali = api.subscriber(&app, "ali", renewing.clone()).await;
    let bea =
        api.subscriber(&app, "bea", json!({ "expiration_date": "2030-01-02 00:00:00", "auto_renew_status": 0 })).await;
    app.pass(days(2)).await;
    let status =
        async |id: CustomerId| Api::is(200, api.get("/details", json!({ "id": id.0 })).await)["data"]["status"].clone();
    assert_eq!(status(ali).await, "expired");
    // Too little connects nobody.
    pay(&app, ali, PRICE.0 - 1, by("mpesa", None), None).await.expect("a payment");
    assert_eq!(status(ali).await, "expired");
    paid::top_up(&app.app, &app.actor, ali, Money(1), by("cash", None), None).await.expect("a top-up");
    assert_eq!((status(ali).await, wallet(&app, ali).await), (json!("active"), Money::ZERO));
    // Who does not want it keeps the money.
    pay(&app, bea, PRICE.0, by("mpesa", None), None).await.expect("a payment");
    assert_eq!((status(bea).await, wallet(&app, bea).await), (json!("expired"), PRICE));
    // Also where the last sale was a moment ago.
    let cid = api.subscriber(&app, "cid", renewing).await;
    app.pass(seconds(1)).await;
    let sold = json!({ "subscriber_id": cid.0, "payment_method": 1, "custom_expiry_datetime": "2030-01-03 00:00:30" });
    Api::is(200, api.post("/activation", sold).await);
    app.pass(seconds(40)).await;
    assert_eq!(status(cid).await, "expired");
    pay(&app, cid, PRICE.0, by("mpesa", None), None).await.expect("a payment");
    assert_eq!((status(cid).await, wallet(&app, cid).await), (json!("active"), Money::ZERO));
    explained(&app).await;
}

async fn one_receipt_is_one_payment(app: TestApp) {
    let ali = app.customer("ali", app.gold).await.customer;
    let bob = app.customer("bob", app.gold).await.customer;
    let first = pay(&app, ali, 70_000, by("mpesa", Some("QKA12BC")), None).await.expect("a payment");
    for (method, reference) in [("M-Pesa", "QKA12BC"), ("mpesa", "qka12bc"), ("m_pesa", " QKA12BC ")] {
        let again = pay(&app, ali, 70_000, by(method, Some(reference)), None).await;
        assert_eq!(again, Ok(first), "{method} {reference}");
    }
    let command = |customer| NewPayment {
        customer,
        amount: Money(70_000),
        means: by("onlinePayment", Some("QKA12BC")),
        bill: None,
    };
    let details = Details { gateway_operator: Some("M-Pesa".into()), ..Details::default() };
    let again = paid::record_with(&app.app, &app.actor, command(ali), details.clone(), None).await;
    assert_eq!(again.map(|written| written.id), Ok(first), "through the operator's name");
    // For somebody else, or of another amount, it is taken; our own numbers are ours.
    let taken = Err(Error::invalid("transaction_id", Why::Taken));
    let other = paid::record_with(&app.app, &app.actor, command(bob), details, None).await;
    assert_eq!(other.map(|written| written.id), taken);
    assert_eq!(pay(&app, ali, 1, by("MPESA", Some("qka12bc")), None).await, taken);
    assert_eq!(pay(&app, ali, 1, by("mpesa", Some("lm00000001")), None).await, taken);
    // Another provider's receipt may be the same.
    pay(&app, ali, 70_000, by("bkash", Some("QKA12BC")), None).await.expect("another provider's");
    assert_eq!(wallet(&app, ali).await, Money(140_000));
    explained(&app).await;
}

async fn a_receipt_names_what_it_paid(app: TestApp) {
    let line = app.customer("ali", app.gold).await;
    app.recharge_as(line, cash(), None).await.expect("a recharge");
    let wanted = payments::Wanted { customer: Some(line.customer), ..payments::Wanted::default() };
    let (found, _) = payments::page(&app.app, &app.actor, wanted, 0, 10).await.expect("payments");
    assert_eq!(found.len(), 2);
    for payment in found {
        let (_, settled) = payments::receipt(&app.app, &app.actor, payment.id).await.expect("a receipt");
        let settled: Vec<_> = settled.iter().map(|one| (Some(one.invoice), one.amount)).collect();
        assert_eq!(settled, [(payment.invoice_id, PRICE)]);
    }
    assert_eq!((told(&app, "invoice.issued").await, told(&app, "invoice.paid").await), (2, 2));
    let filter = BillFilter { customer: Some(line.customer), ..BillFilter::default() };
    let (bills, _) = invoices::list(&app.app, &app.actor, filter, 0, 10).await.expect("bills");
    assert!(bills.iter().all(|shown| shown.bill.paid == shown.bill.total));
}

async fn amounts_have_bounds(app: TestApp) {
    let ali = app.customer("ali", app.gold).await.customer;
    let seller: StaffId = salesperson(&app, vec![app.gold]).await;
    let most = domain::kernel::money::MOST.0;
    let (little, much) = (Why::NotPositive, Why::TooMuch);
    for (amount, why) in [(0, little.clone()), (-1, little), (most + 1, much.clone()), (i64::MAX, much)] {
        let refused = Error::invalid("amount", why);
        let means = || by("cash", None);
        assert_eq!(pay(&app, ali, amount, means(), None).await, Err(refused.clone()), "a payment of {amount}");
        let new = || NewBill { customer: ali, amount: Money(amount), due: None, description: None };
        let came = bills::create(&app.app, &app.actor, new(), None).await;
        assert_eq!(came, Err(refused.clone()), "a bill of {amount}");
        let came = bills::charge(&app.app, &app.actor, new(), means(), None).await;
        assert_eq!(came, Err(refused.clone()), "a charge of {amount}");
        let came = paid::top_up(&app.app, &app.actor, ali, Money(amount), means(), None).await;
        assert_eq!(came, Err(refused.clone()), "a top-up of {amount}");
        let paid_in = Funding { amount: Money(amount), method: "bank".into(), reference: None, note: None };
        let came = funding::salesperson(&app.app, &app.actor, seller, paid_in, None).await;
        assert_eq!(came, Err(refused.clone()), "a funding of {amount}");
        let hand_in = HandIn { amount: Money(amount), method: "office".into(), reference: None, note: None };
        let came = floats::hand_in(&app.app, &app.actor, seller, hand_in, None).await;
        assert_eq!(came, Err(refused), "cash of {amount} handed in");
    }
    for price in [-1, most + 1] {
        let own = Some((Money(price), true));
        let beside = Beside { price: Some(own), ..Beside::default() };
        let edit = Edit { beside, ..Edit::default() };
        let came = change::update(&app.app, &app.actor, ali, edit).await;
        assert!(matches!(came, Err(Error::Invalid(_))), "an own price of {price}: {came:?}");
        let came =
            service::resellers::salespeople::set_price(&app.app, &app.actor, seller, app.gold, Some(Money(price)))
                .await;
        assert!(matches!(came, Err(Error::Invalid(_))), "a salesperson's price of {price}");
    }
    let limit = operators::Terms::said(Some("postpaid"), Some(Money(-1)), operators::Terms::Prepaid);
    assert!(matches!(limit, Err(Error::Invalid(_))));
    // However often the most is paid, what is kept stays exact, or it is refused.
    let mut refused = None;
    for _ in 0..1_000 {
        if let Err(error) = pay(&app, ali, most, by("cash", None), None).await {
            refused = Some(error);
            break;
        }
    }
    assert_eq!(refused, Some(Error::invalid("amount", Why::TooMuch)));
    assert!(wallet(&app, ali).await.is_exact());
    explained(&app).await;
}
