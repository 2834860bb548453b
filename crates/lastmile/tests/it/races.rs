//! Races (docs/RULES.md): each was lost by a system in use somewhere.

use std::sync::Arc;

use domain::{Money, billing::ledger::Account, sales::sale::Payer};
use service::{Error, kernel::change::CallerKey};

use crate::{
    app::{TestApp, cash, days},
    both,
    nas::login,
};

both!(
    twenty_cash_recharges_are_twenty_periods,
    one_key_twenty_times_is_one_recharge,
    twenty_purchases_on_a_balance_for_one,
    a_payment_while_the_expiry_job_is_there,
    two_nodes_one_schedule,
);

pub async fn at_once<T: Send + 'static>(
    count: usize,
    make: impl Fn(usize) -> std::pin::Pin<Box<dyn Future<Output = T> + Send>>,
) -> Vec<T> {
    let tasks: Vec<_> = (0..count).map(|n| tokio::spawn(make(n))).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.expect("no panic"));
    }
    results
}

async fn twenty_cash_recharges_are_twenty_periods(app: TestApp) {
    let app = Arc::new(app);
    let ali = app.customer("ali", app.gold).await;
    let shared = app.clone();
    let receipts = at_once(20, move |n| {
        let app = shared.clone();
        let key = CallerKey { key: format!("k{n}"), request_hash: "h".into() };
        Box::pin(async move { app.recharge_as(ali, cash(), Some(key)).await })
    })
    .await;
    let mut ends: Vec<i64> = receipts.into_iter().map(|r| r.expect("each is sold").expires_at).collect();
    ends.sort_unstable();
    ends.dedup();
    assert_eq!(ends.len(), 20, "twenty different ends");
    assert_eq!(ends[19] - ends[0], days(19 * 30));
    let isp = app.actor.isp;
    let numbers =
        app.app.db.read(async move |tx| store::billing::invoice::numbers(tx, isp, "INV").await).await.expect("numbers");
    assert_eq!(numbers, (1..=21).collect::<Vec<i64>>(), "invoice numbers without gaps or repeats");
    assert_eq!(app.ledger().await, "cash:api 3150000, revenue -2715510, tax -434490");
}

async fn one_key_twenty_times_is_one_recharge(app: TestApp) {
    let app = Arc::new(app);
    let ali = app.customer("ali", app.gold).await;
    let shared = app.clone();
    let receipts = at_once(20, move |_| {
        let app = shared.clone();
        let key = CallerKey { key: "k".into(), request_hash: "h".into() };
        Box::pin(async move { app.recharge_as(ali, cash(), Some(key)).await })
    })
    .await;
    let receipts: Vec<_> = receipts.into_iter().map(|r| r.expect("an answer")).collect();
    assert!(receipts.iter().all(|receipt| *receipt == receipts[0]), "twenty equal answers");
    assert_eq!(app.row(ali).await.period_ordinal, 2);
    let other = CallerKey { key: "k".into(), request_hash: "another body".into() };
    assert_eq!(app.recharge_as(ali, cash(), Some(other)).await, Err(Error::KeyReused));
}

async fn twenty_purchases_on_a_balance_for_one(app: TestApp) {
    let app = Arc::new(app);
    let ali = app.customer("ali", app.gold).await;
    top_up(&app, ali.customer, 150_000).await;
    let shared = app.clone();
    let results = at_once(20, move |_| {
        let app = shared.clone();
        Box::pin(async move { app.recharge_as(ali, Payer::Wallet, None).await })
    })
    .await;
    let sold = results.iter().filter(|r| r.is_ok()).count();
    let missing = results.iter().filter(|r| **r == Err(Error::Insufficient { needed: Money(150_000) })).count();
    assert_eq!((sold, missing), (1, 19), "{results:?}");
    assert_eq!(balance(&app, ali.customer).await, Money::ZERO);
}

async fn a_payment_while_the_expiry_job_is_there(app: TestApp) {
    let app = Arc::new(app);
    for round in 0..5 {
        let name = format!("ali{round}");
        let ali = app.customer(&name, app.gold).await;
        app.app.clock.pass(days(30));
        let (payer, expirer) = (app.clone(), app.clone());
        let paid = tokio::spawn(async move { payer.recharge(ali).await });
        let expired = tokio::spawn(async move { service::sales::expiry::run(&expirer.app).await });
        paid.await.expect("no panic").expect("the payment");
        expired.await.expect("no panic").expect("the expiry job");
        let answer = app.nas.login(login(&name)).await;
        assert!(answer.starts_with("Access-Accept"), "paid and online, whichever came first: {answer}");
    }
}

async fn two_nodes_one_schedule(app: TestApp) {
    let app = Arc::new(app);
    let shared = app.clone();
    let turns = at_once(8, move |_| {
        let app = shared.clone();
        Box::pin(async move { service::kernel::schedule::take(&app.app, "billing", days(1), days(1)).await })
    })
    .await;
    let taken = turns.into_iter().filter(|turn| *turn == Ok(true)).count();
    assert_eq!(taken, 1);
}

pub async fn top_up(app: &TestApp, customer: domain::CustomerId, amount: i64) {
    let isp = app.actor.isp;
    let entry = domain::billing::ledger::Entry::new()
        .debit(Account::Cash("mpesa".into()), Money(amount))
        .credit(Account::CustomerWallet(customer), Money(amount));
    let lines = entry.balanced().expect("balanced");
    let now = app.app.clock.now();
    app.app
        .db
        .tx(service::Class::Interactive, async move |tx| {
            let heading = store::billing::ledger::Heading {
                kind: "top_up",
                reference: None,
                reason: None,
                actor: "test",
                at: now,
            };
            store::billing::ledger::post(tx, isp, 1_000_000_000, &heading, &lines).await
        })
        .await
        .expect("a top-up");
}

async fn balance(app: &TestApp, customer: domain::CustomerId) -> Money {
    let isp = app.actor.isp;
    app.app
        .db
        .read(async move |tx| store::billing::ledger::held(tx, isp, &Account::CustomerWallet(customer)).await)
        .await
        .expect("a balance")
}
