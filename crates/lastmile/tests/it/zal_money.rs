//! Zal Ultra where money and access meet: migration, salespeople at their own prices, bills paid in part, renewal that
//! everybody has to want, attributes on live sessions.

use std::sync::Arc;

use axum::{body::Body, http::Request};
use domain::{CustomerId, Money, PlanId, Scopes, StaffId, billing::ledger::Account};
use doors::{Dispatch, Gate, Log};
use serde_json::{Value, json};
use service::{
    Actor, BillFilter, Error, Who,
    billing::{
        funding::{self, Funding},
        invoices,
        receipts::Means,
    },
    catalogue::plans::{self, Beside, PlanChange},
    customers::card::{self, Parts},
    identity::{
        clients::{self, NewOauthClient, Tier},
        tokens,
    },
    kernel::change::CallerKey,
    receivables::payments::{self, NewPayment},
    resellers::{
        operators::{self, NewOperator, Terms},
        salespeople,
    },
    sales::activation::{self, Activation, Migrated, Payments},
};
use tower::ServiceExt;

use crate::{
    app::{TestApp, days, seconds},
    both,
    nas::{Login, interim, login, started, stopped},
    races::at_once,
    zal::{Api, put_into, salesperson},
};

both!(
    a_migration_moves_the_money,
    twenty_migrations_are_one,
    a_salesperson_pays_what_it_costs_him,
    an_operators_people_sell_on_his_account,
    what_is_paid_in_part_is_paid_later_by_whom_it_may,
    a_renewal_needs_everybody,
    a_quota_of_ones_own,
    attributes_reach_live_sessions,
);

async fn migrate(app: &TestApp, id: CustomerId, plan: PlanId) -> Result<Migrated, Error> {
    activation::migrate(&app.app, &app.actor, id, plan, None).await
}

async fn activate(app: &TestApp, id: CustomerId, payment: Payments) -> Result<(i64, i64), Error> {
    let command = Activation { customer: id, plan: None, payment, expires_at: None, within: None };
    activation::activate(&app.app, &app.actor, command, None).await.map(|done| (done.total, done.due))
}

fn cash(amount: Option<i64>) -> Payments {
    Payments::Received { method: "cash".into(), amount: amount.map(Money) }
}

async fn balance(app: &TestApp, id: CustomerId) -> Money {
    card::show(&app.app, &app.actor, id, Parts::BALANCE).await.expect("the subscriber").balance
}

/// Everybody owes what its open bills say.
async fn explained(app: &TestApp) -> String {
    let isp = app.actor.isp;
    let odd =
        app.app.db.read(async move |tx| store::billing::bill::unexplained(tx, isp).await).await.expect("receivables");
    assert_eq!(odd, vec![], "receivables are the open bills");
    app.ledger().await
}

async fn a_migration_moves_the_money(app: TestApp) {
    let api = Api::of(&app).await;
    let silver = app.plan("silver", |plan| plan.price = Money(300_000)).await;
    let bronze = app.plan("bronze", |plan| plan.price = Money(60_000)).await;
    let ali = api.subscriber(&app, "ali", json!({})).await;
    // Without a running period nothing is charged.
    let done = migrate(&app, ali, bronze).await.expect("migrated");
    assert_eq!((done.credit, done.charge, done.invoice_id), (0, 0, None));
    assert_eq!(migrate(&app, ali, app.gold).await.expect("back").charge, 0);
    assert_eq!(app.ledger().await, "");

    // Ten of thirty days of 1500.00 are used: 1000.00 come back, 2000.00 are charged, 1000.00 stay due.
    assert_eq!(activate(&app, ali, cash(None)).await, Ok((150_000, 0)));
    let before = Api::is(200, api.get("/details", json!({ "id": ali.0 })).await)["data"].clone();
    app.pass(days(10)).await;
    let body = json!({ "subscriber_id": ali.0, "new_package_id": silver.0, "user_id": api.user });
    let said = Api::is(200, api.post("/migration", body.clone()).await);
    let mut data = said["data"].clone();
    let invoice = data["invoice_data"]["id"].take();
    assert_eq!(
        data,
        json!({
            "old_package": "gold", "new_package": "silver", "credit": 1000, "charge": 2000,
            "invoice_data": {
                "id": null, "billing_total_amount": 2000, "billing_due_amount": 1000, "invoice_status": 5
            }
        })
    );
    // Said again it is done already.
    let again = Api::is(200, api.post("/migration", body).await);
    assert_eq!((&again["data"]["charge"], &again["data"]["credit"]), (&json!(0), &json!(0)));
    let after = Api::is(200, api.get("/details", json!({ "id": ali.0 })).await)["data"].clone();
    assert_eq!(after["expiration_date"], before["expiration_date"], "the line ends when it would have ended");
    assert_eq!((&after["package_id"], &after["balance"]), (&json!(silver.0), &json!(0)));
    assert_eq!(
        explained(&app).await,
        format!(
            "cash:cash 150000, receivable:customer:{ali} 100000, revenue -215517, tax -34483, wallet:customer:{ali} 0"
        )
    );
    let numbers = async |series: &'static str| {
        let isp = app.actor.isp;
        app.app.db.read(async move |tx| store::billing::invoice::numbers(tx, isp, series).await).await.expect("numbers")
    };
    assert_eq!(numbers("INV").await, vec![1, 2]);

    // Undone in the same second nothing is left but two documents; the credit pays what is due first.
    let undone = migrate(&app, ali, app.gold).await.expect("undone");
    assert_eq!((undone.credit, undone.charge), (200_000, 100_000));
    assert_eq!(balance(&app, ali).await, Money::ZERO);
    assert!(explained(&app).await.contains(&format!("receivable:customer:{ali} 0")), "nobody owes anything");

    // Downwards the rest is kept for the subscriber.
    let down = migrate(&app, ali, bronze).await.expect("down");
    assert_eq!((down.credit, down.charge, down.due), (100_000, 40_000, 0));
    assert_eq!(balance(&app, ali).await, Money(60_000));
    let paid = invoices::show(&app.app, &app.actor, domain::InvoiceId(invoice.as_i64().expect("an id"))).await;
    assert_eq!(paid.expect("the bill").bill.status.word(), "paid");

    // Two periods in advance: both come back, and both are charged.
    assert_eq!(activate(&app, ali, cash(None)).await, Ok((60_000, 0)));
    let up = migrate(&app, ali, app.gold).await.expect("up");
    assert_eq!((up.credit, up.charge), (100_000, 250_000));
    assert_eq!(balance(&app, ali).await, Money::ZERO);
    let (kinds, events) = (["service.moved"], app.events().await);
    assert_eq!(events.iter().filter(|kind| kinds.contains(&kind.as_str())).count(), 6);
    explained(&app).await;

    // A gift goes on as one: up costs the difference, down gives nothing.
    let bea = api.subscriber(&app, "bea", json!({ "expiration_date": "2030-02-10 00:00:00" })).await;
    app.pass(days(0)).await;
    let up = migrate(&app, bea, silver).await.expect("up");
    assert_eq!(up.credit, 0);
    assert!(up.charge > 0 && up.due == up.charge, "{up:?}");
    let eve = api.subscriber(&app, "eve", json!({ "expiration_date": "2030-02-10 00:00:00" })).await;
    let down = migrate(&app, eve, bronze).await.expect("down");
    assert_eq!((down.credit, down.charge), (0, 0));
    explained(&app).await;
}

async fn twenty_migrations_are_one(app: TestApp) {
    let app = Arc::new(app);
    let api = Api::of(&app).await;
    let silver = app.plan("silver", |plan| plan.price = Money(300_000)).await;
    let ali = api.subscriber(&app, "ali", json!({})).await;
    activate(&app, ali, cash(None)).await.expect("activated");
    put_into(&app, Account::CustomerWallet(ali), 1_000_000).await;
    for (plan, key, charge) in [(silver, None, 300_000), (app.gold, Some("k"), 150_000)] {
        let shared = app.clone();
        let answers = at_once(20, move |_| {
            let app = shared.clone();
            let key = key.map(|key: &str| CallerKey { key: key.into(), request_hash: "h".into() });
            Box::pin(async move { activation::migrate(&app.app, &app.actor, ali, plan, key).await })
        })
        .await;
        let charged: Vec<i64> = answers.into_iter().map(|done| done.expect("done").charge).filter(|n| *n > 0).collect();
        // With one key all are told the same.
        let expected = if key.is_some() { 20 } else { 1 };
        assert_eq!(charged, vec![charge; expected]);
    }
    assert_eq!(balance(&app, ali).await, Money(1_000_000), "there and back costs nothing");
    explained(&app).await;
}

async fn fund(app: &TestApp, id: StaffId, amount: i64) {
    let paid_in = Funding { amount: Money(amount), method: "bank".into(), reference: None, note: None };
    funding::salesperson(&app.app, &app.actor, id, paid_in, None).await.expect("a funding");
}

async fn a_salesperson_pays_what_it_costs_him(app: TestApp) {
    let api = Api::of(&app).await;
    let silver = app.plan("silver", |plan| plan.price = Money(300_000)).await;
    let seller = salesperson(&app, vec![app.gold, silver]).await;
    let wallet = async || salespeople::balance(&app.app, &app.actor, seller).await.expect("a balance").0;
    fund(&app, seller, 250_000).await;
    salespeople::set_price(&app.app, &app.actor, seller, app.gold, Some(Money(100_000))).await.expect("a price");
    salespeople::set_price(&app.app, &app.actor, seller, silver, Some(Money(240_000))).await.expect("a price");
    let ali = api.subscriber(&app, "ali", json!({ "salesperson_id": seller.0 })).await;
    assert_eq!(activate(&app, ali, Payments::Salesperson).await, Ok((100_000, 0)));
    assert_eq!(wallet().await, 150_000);
    assert_eq!(
        explained(&app).await,
        format!("cash:bank 250000, revenue -86207, tax -13793, wallet:staff:{seller} -150000")
    );
    // What he paid comes back to him, and he pays the new package at his price.
    app.pass(days(15)).await;
    let done = migrate(&app, ali, silver).await.expect("migrated");
    assert_eq!((done.credit, done.charge, done.due), (50_000, 120_000, 0));
    assert_eq!(wallet().await, 150_000 + 50_000 - 120_000);
    assert_eq!(balance(&app, ali).await, Money::ZERO);
    // Where his wallet does not reach, nobody's is touched: the whole price is what it needs.
    let bea = api.subscriber(&app, "bea", json!({ "salesperson_id": seller.0 })).await;
    let short = Err(Error::Insufficient { needed: Money(150_000) });
    assert_eq!(activate(&app, bea, Payments::Salesperson).await, short);
    assert_eq!(activate(&app, bea, Payments::Smart).await, short);
    assert_eq!(wallet().await, 80_000);
    explained(&app).await;
}

async fn an_operators_people_sell_on_his_account(app: TestApp) {
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
    let paid_in = Funding { amount: Money(150_000), method: "bank".into(), reference: None, note: None };
    funding::operator(&app.app, &app.actor, north.id, paid_in, None).await.expect("a funding");
    for (plan, price) in [(app.gold, 100_000), (silver, 200_000)] {
        operators::set_price(&app.app, &app.actor, north.id, plan, Some(Money(price))).await.expect("a price");
    }
    let actor = Actor { isp: app.actor.isp, who: Who::Staff(north.id), branch: Some(north.branch_id), may_write: true };
    let api = Api { branch: north.branch_id.0, ..Api::with(&app, &actor).await };
    let wallet = async || operators::show(&app.app, &app.actor, north.id).await.expect("the operator").balance.0;
    // Time, money, quotas and packages are not given away.
    let new = |more: Value| {
        let mut body = json!({ "username": "ali", "fullname": "Ali", "password": "pass123", "package_id": app.gold.0 });
        more.as_object().expect("an object").iter().for_each(|(key, value)| body[key] = value.clone());
        body
    };
    for gift in [json!({ "expiration_date": "2030-03-01 00:00:00" }), json!({ "previous_balance": 100 })] {
        Api::is(422, api.post("/create", new(gift)).await);
    }
    let ali = Api::is(201, api.post("/create", new(json!({}))).await)["data"]["id"].as_i64().expect("an id");
    for gift in [
        json!({ "package_id": silver.0 }),
        json!({ "expiration_date": "2030-03-01 00:00:00" }),
        json!({ "total_data_quota": 0 }),
        json!({ "discount": 5 }),
    ] {
        let mut body = gift;
        body["id"] = ali.into();
        Api::is(422, api.put("/update", body).await);
    }
    // Whatever is said of the payment, his wallet pays, and his price is what the invoice says.
    let body = json!({ "subscriber_id": ali, "payment_amount": 1, "payment_method": 1 });
    let sold = Api::is(200, api.post("/activation", body.clone()).await);
    assert_eq!(sold["invoice_data"]["billing_total_amount"], 1000);
    assert_eq!((sold["invoice_data"]["billing_due_amount"].clone(), wallet().await), (json!(0), 50_000));
    let short = Api::is(422, api.post("/activation", body).await);
    assert_eq!(short["message"], "Insufficient Subscriber Balance Required (1500)");
    // Half of the time: 500.00 come back to him, 1000.00 are his price for the half of silver.
    app.pass(days(15)).await;
    let body = json!({ "subscriber_id": ali, "new_package_id": silver.0, "user_id": north.id.0 });
    let moved = Api::is(200, api.post("/migration", body).await);
    assert_eq!((&moved["data"]["credit"], &moved["data"]["charge"]), (&json!(500), &json!(1000)));
    assert_eq!(wallet().await, 0);
    // The Isp's own people sell on no operator's account, whichever branch they name.
    let owner = Api { branch: north.branch_id.0, ..Api::of(&app).await };
    put_into(&app, Account::CustomerWallet(CustomerId(ali)), 300_000).await;
    let body = json!({
        "user_id": owner.user, "selected_subscribers": ali, "package_id": "current_package", "payment_type": 1
    });
    let done = Api::is(200, owner.post("/mass-activation", body.clone()).await);
    assert_eq!((&done["data"]["activated"], wallet().await), (&json!(1), 0));
    assert_eq!(balance(&app, CustomerId(ali)).await, Money::ZERO);
    let elsewhere = app.customer("bob", app.gold).await;
    let mut body = body;
    body["selected_subscribers"] = elsewhere.customer.0.into();
    let done = Api::is(200, owner.post("/mass-activation", body).await);
    assert_eq!(done["data"]["failed"], 1, "bob is of no such branch");
    explained(&app).await;
}

async fn what_is_paid_in_part_is_paid_later_by_whom_it_may(app: TestApp) {
    let api = Api::of(&app).await;
    let ali = api.subscriber(&app, "ali", json!({})).await;
    assert_eq!(activate(&app, ali, cash(Some(50_000))).await, Ok((150_000, 100_000)));
    let filter = BillFilter { customer: Some(ali), ..BillFilter::default() };
    let open = invoices::list(&app.app, &app.actor, filter, 0, 10).await.expect("bills").0.remove(0).bill;
    assert_eq!((open.status.word(), open.paid), ("partial", Money(50_000)));
    // What was paid is allocated to it.
    let isp = app.actor.isp;
    let allocated = app.app.db.read(async move |tx| store::billing::bill::allocated(tx, isp, open.id).await).await;
    assert_eq!(allocated.expect("allocations"), Money(50_000));
    // The rest through ISPBills, as its document says.
    let router = Dispatch::new(app.app.clock.clone())
        .with(ispbills::v1(app.app.clone(), Gate::default(), Log::default()))
        .with(ispbills::v2(app.app.clone(), Gate::default(), Log::default()))
        .router();
    let v1 = tokens::sign_in(&app.app, "owner@example.com", "correct horse").await.expect("the owner").access;
    let command =
        NewOauthClient { name: "t".into(), branch: None, tier: Tier::V2HighVolume, scopes: None, credentials: None };
    let client = clients::create_oauth(&app.app, &app.actor, command).await.expect("a client");
    let v2 = tokens::exchange(&app.app, &client.client_id, &client.client_secret).await.expect("a token").access;
    let call = async |token: &str, method: &str, path: &str, body: Value| {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {token}"));
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let response = router.clone().oneshot(request.body(Body::from(text)).expect("a request")).await.expect("one");
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("a body");
        (status, serde_json::from_slice::<Value>(&bytes).unwrap_or(Value::Null))
    };
    let body = json!({ "customer_id": ali.0, "amount": 400, "method": "mpesa", "bill_id": open.id.0 });
    Api::is(201, call(&v2, "POST", "/api/v2/billing/payments", body).await);
    // And the last of it from the office.
    let means = Means { method: "cash".into(), reference: None };
    let rest = NewPayment { customer: ali, bill: Some(open.id), amount: Money(60_000), means };
    payments::record(&app.app, &app.actor, rest, None).await.expect("a payment");
    let listed = Api::is(200, call(&v1, "GET", "/api/v1/bills", Value::Null).await);
    assert_eq!(listed["data"][0]["status"], "paid", "{listed}");
    assert!(explained(&app).await.contains(&format!("receivable:customer:{ali} 0")));
    // It holds up no further activation.
    assert_eq!(activate(&app, ali, cash(None)).await, Ok((150_000, 0)));
}

async fn a_renewal_needs_everybody(app: TestApp) {
    let renews = |renews| salespeople::Selling { plans: None, auto_renew: Some(renews) };
    let api = Api::of(&app).await;
    let seller = salesperson(&app, vec![app.gold]).await;
    let more = json!({
        "auto_renew_status": 0, "expiration_date": "2030-01-02 00:00:00", "salesperson_id": seller.0,
        "previous_balance": 10000
    });
    let ali = api.subscriber(&app, "ali", more).await;
    let status = async || Api::is(200, api.get("/details", json!({ "id": ali.0 })).await)["data"]["status"].clone();
    app.pass(days(2)).await;
    let never = Beside { auto_renew: Some(false), ..Beside::default() };
    plans::update_with(&app.app, &app.actor, app.gold, PlanChange::default(), never).await.expect("the package");
    salespeople::set(&app.app, &app.actor, Scopes::ALL, seller, renews(false)).await.expect("the salesperson");
    app.pass(seconds(61)).await;
    assert_eq!(status().await, "expired");
    Api::is(200, api.put("/update", json!({ "id": ali.0, "auto_renew_status": 1 })).await);
    app.pass(seconds(61)).await;
    assert_eq!(status().await, "expired", "neither package nor salesperson wants it");
    let again = Beside { auto_renew: Some(true), ..Beside::default() };
    plans::update_with(&app.app, &app.actor, app.gold, PlanChange::default(), again).await.expect("the package");
    app.pass(seconds(61)).await;
    assert_eq!(status().await, "expired", "the salesperson does not");
    salespeople::set(&app.app, &app.actor, Scopes::ALL, seller, renews(true)).await.expect("the salesperson");
    app.pass(seconds(61)).await;
    assert_eq!(status().await, "active");
    assert_eq!(balance(&app, ali).await, Money(850_000));
    // Nothing is sold twice within two minutes, however short the time is that was sold.
    let ends = app.app.clock.now().plus(seconds(30));
    let command = Activation { customer: ali, plan: None, payment: cash(None), expires_at: Some(ends), within: None };
    activation::activate(&app.app, &app.actor, command, None).await.expect("activated");
    app.pass(seconds(61)).await;
    assert_eq!((status().await, balance(&app, ali).await), (json!("expired"), Money(850_000)));
    app.pass(seconds(61)).await;
    assert_eq!((status().await, balance(&app, ali).await), (json!("active"), Money(700_000)));
    app.ledger().await;
}

async fn a_quota_of_ones_own(app: TestApp) {
    let api = Api::of(&app).await;
    let small = app
        .plan("small", |plan| {
            plan.limited = true;
            plan.limit_type = Some("Data_Limit".into());
            plan.data_limit = Some(5);
            plan.data_unit = Some("GB".into());
        })
        .await;
    let ali = api.subscriber(&app, "ali", json!({ "package_id": small.0 })).await;
    activate(&app, ali, cash(None)).await.expect("activated");
    let said = async || {
        let told = app.nas.login(Login { password: "conn123", ..login("ali") }).await;
        let shown = Api::is(200, api.get("/details", json!({ "id": ali.0 })).await);
        let limit = told.split_whitespace().find_map(|word| word.strip_prefix("Mikrotik-Total-Limit="));
        (limit.map(str::to_string), shown["data"]["total_data_quota"].clone())
    };
    let gb = |n: i64| Some((n * 1_000_000_000).to_string());
    let low = |n: i64| Some((n * 1_000_000_000 % (1 << 32)).to_string());
    assert_eq!(said().await, (low(5), Value::Null), "the package's");
    // 0 is unlimited, as the document says; null goes back to the package's.
    for (given, limit, shown) in
        [(json!(2000), gb(2), json!(2000)), (json!(0), None, json!(0)), (Value::Null, low(5), Value::Null)]
    {
        Api::is(200, api.put("/update", json!({ "id": ali.0, "total_data_quota": given })).await);
        assert_eq!(said().await, (limit, shown), "{given}");
    }
    // It counts for what is sold from then on, too.
    Api::is(200, api.put("/update", json!({ "id": ali.0, "total_data_quota": 0 })).await);
    activate(&app, ali, cash(None)).await.expect("activated");
    assert_eq!(said().await, (None, json!(0)));
}

async fn attributes_reach_live_sessions(app: TestApp) {
    let api = Api::of(&app).await;
    let ali = api.subscriber(&app, "ali", json!({ "expiration_date": "2030-01-05 00:00:00" })).await;
    let enter = async |session: &'static str| {
        let told = app.nas.login(Login { password: "conn123", ..login("ali") }).await;
        assert!(told.starts_with("Access-Accept"), "{told}");
        app.nas.report(started("ali", session)).await;
        app.nas.report(interim("ali", session, 60, 1000, 1000)).await;
        told
    };
    let ordered = async || app.nas.orders(1).await.remove(0);
    // The router obeys, and the line logs in again.
    let again = async |gone: &'static str, next: &'static str| {
        app.nas.report(stopped("ali", gone, 90, 1000, 1000)).await;
        app.app.clock.pass(seconds(1));
        enter(next).await
    };
    let add = async |attribute: &str, op: &str, value: &str| {
        let body = json!({ "subscriber_id": ali.0, "attribute": attribute, "op": op, "value": value });
        Api::is(201, api.post("/attributes", body).await)["data"]["id"].clone()
    };
    enter("s1").await;
    // What a CoA carries is said at once: added, changed, and taken back where the package says something instead.
    let id = add("Mikrotik-Rate-Limit", ":=", "1M/2M").await;
    let told = ordered().await;
    assert!(told.starts_with("CoA-Request") && told.contains("Mikrotik-Rate-Limit=1M/2M"), "{told}");
    assert!(told.contains("Acct-Session-Id=s1") && !told.contains("10M/10M"), "{told}");
    Api::is(200, api.put("/attributes", json!({ "id": id, "value": "3M/4M" })).await);
    let told = ordered().await;
    assert!(told.starts_with("CoA-Request") && told.contains("Mikrotik-Rate-Limit=3M/4M"), "{told}");
    Api::is(200, api.delete("/attributes", json!({ "id": id })).await);
    let told = ordered().await;
    assert!(told.starts_with("CoA-Request") && told.contains("Mikrotik-Rate-Limit=10M/10M"), "{told}");
    // What was said and nothing takes back needs a new login.
    let id = add("Filter-Id", ":=", "slow").await;
    let told = ordered().await;
    assert!(told.starts_with("CoA-Request") && told.contains("Filter-Id=slow"), "{told}");
    Api::is(200, api.delete("/attributes", json!({ "id": id })).await);
    let told = ordered().await;
    assert!(told.starts_with("Disconnect-Request") && told.contains("Acct-Session-Id=s1"), "{told}");
    // An address names the session in a CoA: it comes with a new login.
    again("s1", "s2").await;
    let id = add("Framed-IP-Address", ":=", "192.168.1.100").await;
    assert!(ordered().await.starts_with("Disconnect-Request"));
    assert!(again("s2", "s3").await.contains("Framed-IP-Address=192.168.1.100"));
    Api::is(200, api.put("/attributes", json!({ "id": id, "value": "192.168.1.101" })).await);
    assert!(ordered().await.starts_with("Disconnect-Request"));
    // A check that the session meets leaves it; one that it does not ends it.
    again("s3", "s4").await;
    let id = add("Calling-Station-Id", "==", "02:00:00:00:00:01").await;
    let told = ordered().await;
    assert!(told.starts_with("CoA-Request"), "{told}");
    Api::is(200, api.put("/attributes", json!({ "id": id, "value": "02:00:00:00:00:02" })).await);
    assert!(ordered().await.starts_with("Disconnect-Request"));
    let told = app.nas.login(Login { password: "conn123", ..login("ali") }).await;
    assert!(told.starts_with("Access-Reject"), "{told}");
    // A router that does not take the change gets a disconnect.
    Api::is(200, api.delete("/attributes", json!({ "id": id })).await);
    assert!(ordered().await.starts_with("CoA-Request"), "a check that is gone ends nothing");
    again("s4", "s5").await;
    app.nas.refuse(Some(401));
    add("Mikrotik-Rate-Limit", ":=", "1M/2M").await;
    let told = app.nas.orders(2).await;
    assert!(told[0].starts_with("CoA-Request") && told[1].starts_with("Disconnect-Request"), "{told:?}");
}
