//! What a sale means beside its money: orders that wait for an end that moves, lines that begin on a day to come, what is
//! not for sale, what is promised, and whose money comes back.

use domain::{Money, PlanId, Scopes, Status, kernel::clock::DAY};
use service::{
    Actor, By, Error, Refusal, What, Who,
    billing::{
        funding::{self, Funding},
        receipts::Means,
    },
    catalogue::plans::{self, PlanChange},
    customers::customers::{self, Extras, NewCustomer},
    receivables::payments::{self, NewPayment},
    resellers::operators::{self, NewOperator, Terms},
    sales::{
        by_hand::{self, Override},
        moves::{self, NewMove, When},
        recharge::{self, Recharge},
        renewal_orders::{self, Paying, Renewal},
        standing, starts,
        vouchers::{self, Format, NewVouchers},
    },
};

use crate::{
    app::{Line, TestApp, cash, days},
    both,
    nas::login,
};

both!(
    an_order_for_the_end_waits_for_the_end_as_it_moves,
    a_line_that_waits_for_its_day_stays_pending,
    what_is_not_for_sale_is_not_sold,
    what_is_promised_is_not_deleted,
    what_a_reseller_paid_goes_back_to_him,
    an_end_is_kept_as_it_is_given,
);

async fn move_to(app: &TestApp, line: Line, plan: PlanId, when: When) -> Result<(), Error> {
    let command =
        NewMove { customer: line.customer, plan, when, clear_usage: false, clear_policies: false, move_billing: true };
    moves::order(&app.app, &app.actor, command, None).await
}

async fn end(app: &TestApp, line: Line, in_days: i64) {
    let at = app.app.clock.now().plus(days(in_days));
    by_hand::put(&app.app, &app.actor, line.customer, Override::End(Some(at))).await.expect("an end");
}

fn renewal(line: Line, plan: Option<PlanId>) -> Renewal {
    Renewal {
        customer: line.customer,
        plan,
        when: renewal_orders::When::PeriodEnd,
        begin: domain::sales::renewing::Begin::AtEnd,
        length: domain::sales::renewing::Length::Plan,
        times: 1,
        credit_rest: false,
        only_paid: false,
        paying: Paying::Received { method: "cash".into(), details: Default::default() },
    }
}

async fn an_order_for_the_end_waits_for_the_end_as_it_moves(app: TestApp) {
    let silver = app.plan("silver", |plan| plan.price = Money(300_000)).await;
    let [paid, cut, renewed] = [
        app.customer("paid", app.gold).await,
        app.customer("cut", app.gold).await,
        app.customer("renewed", app.gold).await,
    ];
    for line in [paid, cut] {
        move_to(&app, line, silver, When::NextCycle).await.expect("an order");
    }
    renewal_orders::order(&app.app, &app.actor, renewal(renewed, Some(silver)), None).await.expect("an order");
    // One is given thirty days more, one loses twenty-five, as does the one to be renewed.
    app.recharge(paid).await.expect("a recharge");
    end(&app, cut, 5).await;
    end(&app, renewed, 5).await;
    app.pass(days(4)).await;
    assert_eq!(app.row(cut).await.plan_id, app.gold, "its end has not come");
    app.pass(days(1)).await;
    assert_eq!(app.row(cut).await.plan_id, silver, "sooner than it was told");
    let row = app.row(renewed).await;
    assert_eq!((row.plan_id, row.expires_at), (silver, Some(app.app.clock.now().plus(days(30)))));
    app.pass(days(25)).await;
    assert_eq!(app.row(paid).await.plan_id, app.gold, "what is paid ahead is had first");
    app.pass(days(30)).await;
    assert_eq!(app.row(paid).await.plan_id, silver);
}

async fn waiting(app: &TestApp, name: &str) -> Line {
    let command = NewCustomer {
        full_name: name.into(),
        phone: "0712345678".into(),
        email: None,
        address: None,
        building: None,
        username: Some(format!("acc-{name}")),
        portal_password: "portal".into(),
        kind: domain::Kind::Pppoe,
        network_username: Some(name.into()),
        network_password: Some("secret".into()),
        ip: None,
        mac: None,
        plan: app.gold,
        router: app.router,
        payer: Some(cash()),
    };
    let starts_at = Some(app.app.clock.now().plus(days(5)));
    let extras = Extras { starts_at, ..Extras::default() };
    let made = customers::create_with(&app.app, &app.actor, command, extras, None).await.expect("a customer");
    Line { customer: domain::CustomerId(made.customer_id), service: domain::ServiceId(made.service_id) }
}

async fn a_line_that_waits_for_its_day_stays_pending(app: TestApp) {
    let silver = app.plan("silver", |_| {}).await;
    let now = app.app.clock.now();
    let [same, other, by_hand] =
        [waiting(&app, "same").await, waiting(&app, "other").await, waiting(&app, "hand").await];
    app.recharge(same).await.expect("a recharge");
    let command = Recharge { customer: other.customer, plan: Some(silver), payer: cash() };
    recharge::recharge(&app.app, &app.actor, command, None).await.expect("a recharge");
    let (row, another) = (app.row(same).await, app.row(other).await);
    assert_eq!((row.status, row.expires_at), (Status::Pending, Some(now.plus(days(65)))));
    assert_eq!((another.status, another.expires_at), (Status::Pending, Some(now.plus(days(35)))));
    assert!(app.nas.login(login("same")).await.starts_with("Access-Reject"), "it has not begun");
    // By hand it begins now, and what was bought with it.
    standing::put(&app.app, &app.actor, by_hand.customer, Status::Active, None).await.expect("active");
    let row = app.row(by_hand).await;
    assert_eq!((row.status, row.expires_at), (Status::Active, Some(now.plus(days(30)))));
    assert_eq!(starts::of(&app.app, &app.actor, by_hand.customer).await, Ok(None));
    assert!(app.nas.login(login("hand")).await.starts_with("Access-Accept"));
    app.pass(days(5)).await;
    assert_eq!((app.row(same).await.status, app.row(other).await.status), (Status::Active, Status::Active));
    assert_eq!(app.row(by_hand).await.expires_at, Some(now.plus(days(30))));
}

async fn withdraw(app: &TestApp, plan: PlanId) {
    let command = PlanChange { enabled: Some(false), ..PlanChange::default() };
    plans::update(&app.app, &app.actor, plan, command).await.expect("a plan");
}

fn new_vouchers(app: &TestApp, plan: PlanId) -> NewVouchers {
    NewVouchers {
        kind: domain::Kind::Hotspot,
        router: app.router,
        plan,
        count: 1,
        format: Format::Numbers,
        length: 10,
        clients: 1,
        customer: None,
    }
}

async fn what_is_not_for_sale_is_not_sold(app: TestApp) {
    let silver = app.plan("silver", |_| {}).await;
    let (ali, has) = (app.customer("ali", app.gold).await, app.customer("has", silver).await);
    let made = vouchers::create(&app.app, &app.actor, new_vouchers(&app, silver), None).await.expect("a voucher");
    move_to(&app, ali, silver, When::NextCycle).await.expect("an order");
    withdraw(&app, silver).await;
    let refused = Error::Refused(Refusal::NotForSale);
    let bought = Recharge { customer: ali.customer, plan: Some(silver), payer: cash() };
    assert_eq!(recharge::recharge(&app.app, &app.actor, bought, None).await, Err(refused.clone()));
    assert_eq!(app.try_customer("bea", |new| new.plan = silver).await.err(), Some(refused.clone()));
    assert_eq!(move_to(&app, ali, silver, When::Now).await, Err(refused.clone()));
    let again = vouchers::create(&app.app, &app.actor, new_vouchers(&app, silver), None).await;
    assert_eq!(again, Err(refused.clone()));
    let order = renewal_orders::order(&app.app, &app.actor, renewal(ali, Some(silver)), None).await;
    assert_eq!(order, Err(refused.clone()));
    assert_eq!(app.update(ali, |change| change.plan = Some(silver)).await, Err(refused));
    // Who has it goes on buying it; what was promised is kept.
    app.recharge(has).await.expect("its own");
    let code = made.vouchers[0].1.clone();
    vouchers::redeem(&app.app, &app.actor, code, has.customer, None).await.expect("a voucher that was sold");
    app.pass(days(30)).await;
    assert_eq!(app.row(ali).await.plan_id, silver, "ordered while it was for sale");
}

async fn what_is_promised_is_not_deleted(app: TestApp) {
    let silver = app.plan("silver", |_| {}).await;
    let ali = app.customer("ali", app.gold).await;
    let delete = async || plans::delete(&app.app, &app.actor, silver, None).await;
    let by = |by| Err(Error::InUse { what: What::Plan, by });
    let made = vouchers::create(&app.app, &app.actor, new_vouchers(&app, silver), None).await.expect("a voucher");
    assert_eq!(delete().await, by(By::Voucher));
    vouchers::delete(&app.app, &app.actor, vec![made.vouchers[0].0]).await.expect("gone");
    move_to(&app, ali, silver, When::NextCycle).await.expect("an order");
    assert_eq!(delete().await, by(By::WaitingMove));
    renewal_orders::order(&app.app, &app.actor, renewal(ali, Some(silver)), None).await.expect("in its place");
    assert_eq!(delete().await, by(By::WaitingRenewal));
    renewal_orders::order(&app.app, &app.actor, renewal(ali, None), None).await.expect("in its place");
    assert_eq!(delete().await, Ok(()));
}

async fn what_a_reseller_paid_goes_back_to_him(app: TestApp) {
    let silver = app.plan("silver", |plan| plan.price = Money(300_000)).await;
    let command = NewOperator {
        name: "north".into(),
        email: "north@example.com".into(),
        password: "operator123".into(),
        phone: None,
        parent: None,
        terms: Terms::Prepaid,
    };
    let north = operators::create(&app.app, &app.actor, Scopes::ALL, command).await.expect("an operator");
    operators::set_price(&app.app, &app.actor, north.id, app.gold, Some(Money(100_000))).await.expect("a price");
    let funding = Funding { amount: Money(500_000), method: "bank".into(), reference: None, note: None };
    funding::operator(&app.app, &app.actor, north.id, funding, None).await.expect("a funding");
    let seller =
        Actor { isp: app.actor.isp, who: Who::Staff(north.id), branch: Some(north.branch_id), may_write: true };
    let held = async || operators::show(&app.app, &app.actor, north.id).await.expect("the operator").balance.0;
    let moved = app.try_customer_of(&seller, "moved", |_| {}).await.expect("a sale");
    let renewed = app.try_customer_of(&seller, "renewed", |_| {}).await.expect("a sale");
    assert_eq!(held().await, 300_000);
    app.pass(days(15)).await;
    move_to(&app, moved, silver, When::Now).await.expect("a move");
    assert_eq!(held().await, 350_000, "half of what he paid");
    // A renewal from now on that counts the rest: the customer owes what its own money does not pay.
    let means = Means { method: "cash".into(), reference: None };
    let payment = NewPayment { customer: renewed.customer, bill: None, amount: Money(50_000), means };
    payments::record(&app.app, &app.actor, payment, None).await.expect("a payment");
    let order = Renewal {
        when: renewal_orders::When::Now,
        begin: domain::sales::renewing::Begin::Now,
        credit_rest: true,
        paying: Paying::Wallet,
        ..renewal(renewed, None)
    };
    renewal_orders::order(&app.app, &app.actor, order, None).await.expect("a renewal");
    assert_eq!(held().await, 400_000);
    let ledger = app.ledger().await;
    assert!(ledger.contains(&format!("receivable:customer:{} 300000", moved.customer)), "{ledger}");
    assert!(ledger.contains(&format!("receivable:customer:{} 100000", renewed.customer)), "{ledger}");
}

async fn an_end_is_kept_as_it_is_given(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    let now = app.app.clock.now();
    let told = async || {
        let told = app.events().await;
        ["service.expired", "service.activated"].map(|kind| told.iter().filter(|one| *one == kind).count())
    };
    end(&app, ali, -2).await;
    app.pass(0).await;
    assert_eq!(app.row(ali).await.expires_at, Some(now.plus(-2 * DAY)));
    assert_eq!(told().await, [1, 0]);
    // Another end that is past is no news; one to come brings it back.
    end(&app, ali, -1).await;
    app.pass(0).await;
    assert_eq!(told().await, [1, 0]);
    end(&app, ali, 3).await;
    assert_eq!(told().await, [1, 1]);
    assert!(app.nas.login(login("ali")).await.starts_with("Access-Accept"));
    end(&app, ali, 3).await;
    assert_eq!(told().await, [1, 1], "nothing changed");
}
