//! Customers and bills through both versions of ISPBills: the document's examples, a bill's life in the ledger, and what
//! must not happen when two pay at once.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request},
};
use domain::{CustomerId, InvoiceId, Money, billing::bill::BillStatus};
use doors::{Dispatch, Gate, Log};
use serde_json::{Value, json};
use service::{
    Actor, BillFilter, Error,
    billing::{invoices, payments, receipts::Means},
    identity::{
        clients::{self, NewOauthClient, Tier},
        tokens,
    },
    kernel::change::CallerKey,
    receivables::{
        bills::{self, BillChange, NewBill},
        payments::{self as paid, NewPayment},
    },
};
use tower::ServiceExt;

use crate::{
    app::{TestApp, days},
    both,
};

both!(
    the_documents_customers,
    the_documents_bill,
    a_bills_life_in_the_ledger,
    money_finds_the_oldest_bill_and_then_the_wallet,
    two_who_mark_it_paid_make_one_payment,
    one_key_twenty_times_is_one_bill,
    one_reference_pays_once,
    a_copy_that_is_no_longer_right_changes_nothing,
    lists_say_what_each_customer_is,
    every_action_does_what_it_says,
    usage_is_told_by_the_day,
    a_branch_sees_its_own,
    random_lives_of_bills_stay_in_balance,
);

struct Api {
    router: Router,
    v1: String,
    v2: String,
}

#[derive(Debug)]
struct Came {
    status: u16,
    body: Value,
    headers: HeaderMap,
}

impl Came {
    #[track_caller]
    fn is(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// The fields an error names.
    #[track_caller]
    fn wrong(self) -> String {
        let body = self.is(422);
        assert_eq!(body["error"]["code"], "VALIDATION_ERROR");
        let fields = body["error"]["details"].as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>());
        fields.unwrap_or_default().join(" ")
    }

    fn tag(&self) -> String {
        self.headers["etag"].to_str().expect("a tag").into()
    }
}

impl Api {
    async fn over(app: &TestApp) -> Api {
        let (gate, log) = (Gate::default(), Log::default());
        let router = Dispatch::new(app.app.clock.clone())
            .with(ispbills::v1(app.app.clone(), gate.clone(), log.clone()))
            .with(ispbills::v2(app.app.clone(), gate, log))
            .router();
        let v1 = tokens::sign_in(&app.app, "owner@example.com", "correct horse").await.expect("the owner").access;
        let command = NewOauthClient {
            name: "t".into(),
            branch: None,
            tier: Tier::V2HighVolume,
            scopes: None,
            credentials: None,
        };
        let client = clients::create_oauth(&app.app, &app.actor, command).await.expect("a client");
        let v2 = tokens::exchange(&app.app, &client.client_id, &client.client_secret).await.expect("a token").access;
        Api { router, v1, v2 }
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Came {
        self.with(&[], method, path, body).await
    }

    async fn with(&self, headers: &[(&str, &str)], method: &str, path: &str, body: Value) -> Came {
        let token = if path.starts_with("/api/v1") { &self.v1 } else { &self.v2 };
        let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        request = request.header("authorization", format!("Bearer {token}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let response = self.router.clone().oneshot(request.body(Body::from(text)).expect("a request")).await;
        let (parts, body) = response.expect("an answer").into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Came { status: parts.status.as_u16(), body, headers: parts.headers }
    }

    async fn get(&self, path: &str) -> Value {
        self.call("GET", path, Value::Null).await.is(200)
    }

    async fn bill(&self, customer: CustomerId, amount: i64) -> i64 {
        let body = json!({ "customer_id": customer.0, "amount": amount });
        self.call("POST", "/api/v2/billing/bills", body).await.is(201)["data"]["id"].as_i64().expect("an id")
    }

    async fn action(&self, customer: i64, body: Value) -> Came {
        self.call("POST", &format!("/api/v1/customers/{customer}/action"), body).await
    }
}

/// Every customer's receivable is the sum of its open bills, and the ledger balances.
async fn explained(app: &TestApp) -> String {
    let isp = app.actor.isp;
    let faults =
        app.app.db.read(async move |tx| store::billing::bill::unexplained(tx, isp).await).await.expect("the books");
    assert_eq!(faults, [], "customer, receivable, open bills");
    app.ledger().await
}

async fn numbers(app: &TestApp) -> Vec<i64> {
    let isp = app.actor.isp;
    app.app.db.read(async move |tx| store::billing::invoice::numbers(tx, isp, "INV").await).await.expect("numbers")
}

async fn the_documents_customers(app: TestApp) {
    let api = Api::over(&app).await;
    let made = api
        .call(
            "POST",
            "/api/v1/customers",
            json!({
                "name": "Rafiq Ahmed", "email": "rafiq@example.com", "phone": "01712345678", "package_id": app.gold.0,
                "address": "House 12, Road 7, Dhanmondi, Dhaka", "connection_type": "pppoe"
            }),
        )
        .await
        .is(201);
    let data = &made["data"];
    assert_eq!(
        (&data["name"], &data["package"], &data["status"]),
        (&json!("Rafiq Ahmed"), &json!("gold"), &json!("active"))
    );
    assert_eq!((&data["created_at"], &data["username"]), (&json!("2029-12-31T21:00:00Z"), &json!("AB01712345678")));

    let made = api
        .call(
            "POST",
            "/api/v2/customers",
            json!({
                "name": "Fatima Begum", "email": "fatima@example.com", "phone": "01898765432", "package_id": app.gold.0,
                "address": "Apt 4B, Gulshan Tower, Dhaka", "connection_type": "fiber", "onu_mac": "aa-bb-cc-dd-ee-ff"
            }),
        )
        .await;
    let tag = made.tag();
    let data = made.is(201)["data"].clone();
    assert_eq!(data["package"], json!({ "id": app.gold.0, "name": "gold" }));
    assert_eq!((&data["connection_type"], &data["onu_mac"]), (&json!("fiber"), &json!("AA:BB:CC:DD:EE:FF")));
    // It is a PPPoE line, its first period sold for money that the caller received.
    assert_eq!(app.ledger().await, "cash:api 300000, revenue -258620, tax -41380");
    let path = format!("/api/v2/customers/{}", data["id"]);
    let shown = api.call("GET", &path, Value::Null).await;
    assert_eq!(shown.tag(), tag);
    assert_eq!(shown.is(200)["data"], data);

    let silver = app.plan("silver", |_| {}).await;
    app.app.clock.pass(days(1));
    let api = Api::over(&app).await;
    let body = json!({ "package_id": silver.0, "address": "Suite 6A, Banani Heights, Dhaka" });
    let changed = api.call("PUT", &path, body).await.is(200)["data"].clone();
    assert_eq!(
        (&changed["package"]["name"], &changed["address"]),
        (&json!("silver"), &json!("Suite 6A, Banani Heights, Dhaka"))
    );
    for field in ["name", "email", "phone", "connection_type", "onu_mac", "expires_at", "created_at"] {
        assert_eq!(changed[field], data[field], "{field}");
    }
    assert_eq!(changed["updated_at"], "2030-01-01T21:00:00Z");

    let rows = [
        (json!({}), "name package_id"),
        (json!({ "name": "Ann", "package_id": 999 }), "package_id"),
        (json!({ "name": "Ann", "package_id": app.gold.0, "router_id": 999 }), "router_id"),
        (json!({ "name": "Ann", "package_id": app.gold.0, "email": "no address" }), "email"),
        (json!({ "name": "Ann", "package_id": app.gold.0, "connection_type": "wifi" }), "connection_type"),
        (json!({ "name": "Ann", "package_id": app.gold.0, "username": "AB01712345678" }), "username"),
        (json!({ "name": "Ann", "package_id": app.gold.0, "onu_mac": "zz" }), "onu_mac"),
    ];
    for (body, fields) in rows {
        assert_eq!(api.call("POST", "/api/v2/customers", body.clone()).await.wrong(), fields, "{body}");
    }
    // Neither phone number nor anything else: the server makes the name.
    let made = api.call("POST", "/api/v2/customers", json!({ "name": "Ann", "package_id": app.gold.0 })).await.is(201);
    let (id, name) = (made["data"]["id"].to_string(), made["data"]["username"].as_str().expect("a name"));
    assert_eq!(name, format!("AB{id}"));

    let gone = format!("/api/v2/customers/{id}");
    api.call("DELETE", &gone, Value::Null).await.is(204);
    for (method, part) in [("GET", ""), ("DELETE", ""), ("GET", "/bills"), ("GET", "/usage"), ("GET", "/subscriptions")]
    {
        api.call(method, &format!("{gone}{part}"), Value::Null).await.is(404);
    }
}

async fn the_documents_bill(app: TestApp) {
    let api = Api::over(&app).await;
    let ali = app.customer("ali", app.gold).await.customer;
    let body = |currency: &str| {
        json!({
            "customer_id": ali.0, "amount": 1500, "currency": currency, "due_date": "2030-05-01",
            "description": "Monthly subscription — Fiber 200 Mbps (May 2030)"
        })
    };
    // The Isp bills in its own currency.
    assert_eq!(api.call("POST", "/api/v2/billing/bills", body("BDT")).await.wrong(), "currency");
    let made = api.call("POST", "/api/v2/billing/bills", body("KES")).await.is(201)["data"].clone();
    for (field, value) in body("KES").as_object().expect("fields") {
        assert_eq!(&made[field], value, "{field}");
    }
    assert_eq!((&made["status"], &made["created_at"]), (&json!("unpaid"), &json!("2029-12-31T21:00:00Z")));
    assert_eq!((&made["net"], &made["tax"], &made["number"]), (&json!(1293.1), &json!(206.9), &json!("INV-000002")));
    assert_eq!(api.get(&format!("/api/v2/billing/bills/{}", made["id"])).await["data"], made);
    let rows = [
        (json!({}), "amount customer_id"),
        (json!({ "customer_id": 999, "amount": 5 }), "customer_id"),
        (json!({ "customer_id": ali.0, "amount": 0 }), "amount"),
        (json!({ "customer_id": ali.0, "amount": 1.005 }), "amount"),
        (json!({ "customer_id": ali.0, "amount": "much" }), "amount"),
        (json!({ "customer_id": ali.0, "amount": 1e14 }), "amount"),
        (json!({ "customer_id": ali.0, "amount": 5, "due_date": "2030-02-30" }), "due_date"),
    ];
    for (body, fields) in rows {
        assert_eq!(api.call("POST", "/api/v2/billing/bills", body.clone()).await.wrong(), fields, "{body}");
    }
    // Version 1 shows the same one as a bill and as an invoice.
    let bills = api.get("/api/v1/bills?status=unpaid").await;
    assert_eq!(bills, api.get("/api/v1/invoices?status=unpaid").await);
    assert_eq!((&bills["data"][0], &bills["meta"]["total"]), (&made, &json!(1)));
    assert_eq!(api.get(&format!("/api/v2/customers/{ali}/bills")).await["meta"]["total"], 2);
    assert_eq!(api.get("/api/v2/billing/bills?status=partial").await["meta"]["total"], 0);
}

async fn a_bills_life_in_the_ledger(app: TestApp) {
    let api = Api::over(&app).await;
    let ali = app.customer("ali", app.gold).await.customer;
    let sold = "cash:api 150000";
    let path = format!("/api/v2/billing/bills/{}", api.bill(ali, 1740).await);
    assert_eq!(explained(&app).await, format!("{sold}, receivable:customer:{ali} 174000, revenue -279310, tax -44690"));

    // Corrected: a further line, and what was posted stays.
    let body = json!({ "amount": 1160, "description": "Half a month", "due_date": "2030-02-01" });
    let bill = api.call("PUT", &path, body).await.is(200)["data"].clone();
    assert_eq!(
        (&bill["amount"], &bill["net"], &bill["tax"], &bill["due_date"]),
        (&json!(1160), &json!(1000), &json!(160), &json!("2030-02-01"))
    );
    assert_eq!(bill["lines"], json!([{ "text": "Bill", "amount": 1740 }, { "text": "Half a month", "amount": -580 }]));
    assert_eq!(explained(&app).await, format!("{sold}, receivable:customer:{ali} 116000, revenue -229310, tax -36690"));

    // Paid in part: no longer to be changed or taken back.
    let pay = |amount: i64| json!({ "customer_id": ali.0, "amount": amount, "method": "mpesa" });
    api.call("POST", "/api/v2/billing/payments", pay(160)).await.is(201);
    assert_eq!(api.get(&path).await["data"]["status"], "partial");
    assert_eq!(api.call("PUT", &path, json!({ "amount": 5 })).await.wrong(), "amount");
    assert_eq!(api.call("PUT", &path, json!({ "status": "unpaid" })).await.wrong(), "status");
    assert_eq!(api.call("DELETE", &path, Value::Null).await.wrong(), "");

    // The rest, with who paid what told once.
    let paid =
        api.call("PUT", &path, json!({ "status": "paid", "method": "Bank", "transaction_id": "B-1" })).await.is(200);
    assert_eq!((&paid["data"]["status"], &paid["data"]["paid"]), (&json!("paid"), &json!(1160)));
    api.call("PUT", &path, json!({ "status": "paid" })).await.is(200);
    assert_eq!(
        explained(&app).await,
        format!(
            "cash:api 150000, cash:bank 100000, cash:mpesa 16000, receivable:customer:{ali} 0, revenue -229310, tax -36690"
        )
    );
    let payments = api.get(&format!("/api/v2/customers/{ali}/payments")).await["data"].clone();
    let told = |at: usize| {
        [&payments[at]["method"], &payments[at]["amount"], &payments[at]["kind"], &payments[at]["bill_id"]]
            .map(Value::to_string)
            .join(" ")
    };
    assert_eq!(
        (told(0), told(1)),
        (format!("\"bank\" 1000 \"payment\" {}", bill["id"]), format!("\"mpesa\" 160 \"payment\" {}", bill["id"]))
    );

    // An unpaid one is taken back by a credit note, and is nowhere afterwards; its number stays taken.
    let path = format!("/api/v2/billing/bills/{}", api.bill(ali, 999).await);
    api.call("DELETE", &path, Value::Null).await.is(204);
    for (method, body) in [("GET", Value::Null), ("PUT", json!({ "amount": 1 })), ("DELETE", Value::Null)] {
        api.call(method, &path, body).await.is(404);
    }
    assert_eq!(api.get("/api/v2/billing/bills").await["meta"]["total"], 2);
    assert_eq!(explained(&app).await.matches("revenue -229310, tax -36690").count(), 1);
    assert_eq!(numbers(&app).await, [1, 2, 3]);

    let events = app.events().await;
    let of_bills: Vec<&str> =
        events.iter().map(String::as_str).filter(|kind| kind.contains("invoice") || kind.contains("payment")).collect();
    assert_eq!(
        of_bills,
        [
            "payment.received",
            "invoice.issued", // the first period
            "invoice.paid",
            "invoice.issued",
            "invoice.updated",
            "payment.received",
            "payment.received",
            "invoice.paid",
            "invoice.issued",
            "invoice.voided",
        ]
    );
}

async fn money_finds_the_oldest_bill_and_then_the_wallet(app: TestApp) {
    let api = Api::over(&app).await;
    let ali = app.customer("ali", app.gold).await.customer;
    let (first, second) = (api.bill(ali, 100).await, api.bill(ali, 200).await);
    let pay = |amount: i64, bill: Option<i64>| json!({ "customer_id": ali.0, "amount": amount, "bill_id": bill });
    let status = async |id: i64| api.get(&format!("/api/v2/billing/bills/{id}")).await["data"]["status"].clone();
    api.call("POST", "/api/v2/billing/payments", pay(150, None)).await.is(201);
    assert_eq!((status(first).await, status(second).await), (json!("paid"), json!("partial")));
    api.call("POST", "/api/v2/billing/payments", pay(200, Some(second))).await.is(201);
    assert_eq!(status(second).await, "paid");
    let held = format!("wallet:customer:{ali} -5000");
    assert!(explained(&app).await.contains(&held), "{held}");
    assert_eq!(api.call("POST", "/api/v2/billing/payments", pay(5, Some(999))).await.wrong(), "bill_id");

    // What is held pays the next one, where it covers it.
    let third = format!("/api/v2/billing/bills/{}", api.bill(ali, 60).await);
    assert_eq!(api.call("PUT", &third, json!({ "status": "paid", "method": "wallet" })).await.wrong(), "");
    api.call("PUT", &third, json!({ "amount": 50, "status": "paid", "method": "wallet" })).await.is(200);
    assert!(explained(&app).await.contains(&format!("wallet:customer:{ali} 0")));
    for method in ["wallet", "balance", "Balance"] {
        let body = json!({ "customer_id": ali.0, "amount": 5, "method": method });
        assert_eq!(api.call("POST", "/api/v2/billing/payments", body).await.wrong(), "method", "{method}");
    }

    // A debt outlives its customer.
    let last = format!("/api/v2/billing/bills/{}", api.bill(ali, 70).await);
    api.call("DELETE", &format!("/api/v2/customers/{ali}"), Value::Null).await.is(204);
    api.call("PUT", &last, json!({ "status": "paid" })).await.is(200);
    explained(&app).await;
}

/// Runs a change many times at once.
async fn at_once<T: Send + 'static>(
    times: usize,
    make: impl Fn(usize) -> std::pin::Pin<Box<dyn Future<Output = T> + Send>>,
) -> Vec<T> {
    let tasks: Vec<_> = (0..times).map(|n| tokio::spawn(make(n))).collect();
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.expect("no panic"));
    }
    all
}

fn cash() -> Means {
    Means { method: "cash".into(), reference: None }
}

async fn issued(app: &TestApp, customer: CustomerId, minor: i64) -> InvoiceId {
    let command = NewBill { customer, amount: Money(minor), due: None, description: None };
    InvoiceId(bills::create(&app.app, &app.actor, command, None).await.expect("a bill").id)
}

async fn two_who_mark_it_paid_make_one_payment(app: TestApp) {
    let ali = app.customer("ali", app.gold).await.customer;
    let id = issued(&app, ali, 100_000).await;
    let (core, actor) = (app.app.clone(), app.actor.clone());
    let done = at_once(8, move |_| {
        let (core, actor) = (core.clone(), actor.clone());
        let command = BillChange { pay: Some(cash()), ..BillChange::default() };
        Box::pin(async move { bills::update(&core, &actor, id, command, None).await })
    })
    .await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    let (_, count) =
        payments::page(&app.app, &app.actor, payments::Wanted { customer: Some(ali), ..Default::default() }, 0, 9)
            .await
            .expect("payments");
    assert_eq!(count, 2, "that of the first period and one more");
    assert_eq!(
        explained(&app).await,
        format!("cash:api 150000, cash:cash 100000, receivable:customer:{ali} 0, revenue -215517, tax -34483")
    );
}

async fn one_key_twenty_times_is_one_bill(app: TestApp) {
    let ali = app.customer("ali", app.gold).await.customer;
    let (core, actor) = (app.app.clone(), app.actor.clone());
    let done = at_once(20, move |_| {
        let (core, actor) = (core.clone(), actor.clone());
        let command = NewBill { customer: ali, amount: Money(5), due: None, description: None };
        let key = CallerKey { key: "k".into(), request_hash: "h".into() };
        Box::pin(async move { bills::create(&core, &actor, command, Some(key)).await })
    })
    .await;
    let first = done[0].as_ref().expect("a bill").id;
    assert!(done.iter().all(|bill| bill.as_ref().is_ok_and(|bill| bill.id == first)), "{done:?}");
    assert_eq!(numbers(&app).await, [1, 2]);
    // Twenty keys are twenty bills, and no number is lost or given twice.
    let (core, actor) = (app.app.clone(), app.actor.clone());
    at_once(20, move |n| {
        let (core, actor) = (core.clone(), actor.clone());
        let command = NewBill { customer: ali, amount: Money(5), due: None, description: None };
        let key = CallerKey { key: format!("k{n}"), request_hash: "h".into() };
        Box::pin(async move { bills::create(&core, &actor, command, Some(key)).await.expect("a bill") })
    })
    .await;
    assert_eq!(numbers(&app).await, (1..=22).collect::<Vec<i64>>());
    explained(&app).await;
}

async fn one_reference_pays_once(app: TestApp) {
    let people = [app.customer("ali", app.gold).await.customer, app.customer("bea", app.gold).await.customer];
    let (core, actor) = (app.app.clone(), app.actor.clone());
    let done = at_once(16, move |n| {
        let (core, actor) = (core.clone(), actor.clone());
        let means = Means { method: "bkash".into(), reference: Some("TXN-9876".into()) };
        let command = NewPayment { customer: people[n % 2], amount: Money(50_000), means, bill: None };
        Box::pin(async move { paid::record(&core, &actor, command, None).await })
    })
    .await;
    // One of the two came first: its eight get the same answer, the other's are told that it is taken.
    let mut ids: Vec<i64> = done.iter().filter_map(|done| done.as_ref().ok()).map(|written| written.id).collect();
    assert_eq!(ids.len(), 8, "{done:?}");
    ids.dedup();
    assert_eq!(ids.len(), 1, "{done:?}");
    assert!(
        done.iter().all(|done| !matches!(done, Err(Error::Internal(_) | Error::Busy | Error::Unavailable))),
        "{done:?}"
    );
    let ledger = explained(&app).await;
    assert!(ledger.contains("cash:bkash 50000"), "{ledger}");
}

async fn a_copy_that_is_no_longer_right_changes_nothing(app: TestApp) {
    let api = Api::over(&app).await;
    let ali = app.customer("ali", app.gold).await.customer;
    let bill = format!("/api/v2/billing/bills/{}", api.bill(ali, 100).await);
    let customer = format!("/api/v2/customers/{ali}");
    let rows = [
        (customer.as_str(), json!({ "address": "A" }), json!({ "address": "B" })),
        (bill.as_str(), json!({ "amount": 5 }), json!({ "amount": 6 })),
    ];
    for (path, one, other) in rows {
        let tag = api.call("GET", path, Value::Null).await.tag();
        let headers = [("if-match", tag.as_str())];
        // The clock stands still, and the tag moves nevertheless.
        let next = api.with(&headers, "PUT", path, one).await;
        let fresh = next.tag();
        next.is(200);
        assert_ne!(tag, fresh);
        assert_eq!(api.with(&headers, "PUT", path, other).await.is(412)["error"]["code"], "PRECONDITION_FAILED");
        api.with(&headers, "DELETE", path, Value::Null).await.is(412);
        api.with(&[("if-match", "\"nonsense\"")], "DELETE", path, Value::Null).await.is(412);
        api.with(&[("if-match", fresh.as_str())], "PUT", path, json!({})).await.is(200);
    }
    let shown = api.get(&bill).await["data"]["amount"].clone();
    assert_eq!(shown, 5);
    // A payment makes another bill of it.
    let tag = api.call("GET", &bill, Value::Null).await.tag();
    api.call("PUT", &bill, json!({ "status": "paid" })).await.is(200);
    api.with(&[("if-match", tag.as_str())], "PUT", &bill, json!({ "description": "late" })).await.is(412);
}

async fn lists_say_what_each_customer_is(app: TestApp) {
    let api = Api::over(&app).await;
    let silver = app.plan("silver", |plan| plan.validity = 90).await;
    let make = async |name: &str, plan: i64, connection: &str| {
        let body = json!({ "name": name, "package_id": plan, "connection_type": connection });
        api.call("POST", "/api/v2/customers", body).await.is(201)["data"]["id"].as_i64().expect("an id")
    };
    let ids = [
        make("Ann Lee", app.gold.0, "fiber").await,
        make("Bob Lee", silver.0, "pppoe").await,
        make("Cyd Ray", silver.0, "hotspot").await,
        make("Dan Ray", silver.0, "static").await,
        make("Eva Lee", silver.0, "fiber").await,
    ];
    api.action(ids[1], json!({ "action": "suspend" })).await.is(200);
    api.action(ids[2], json!({ "action": "disable" })).await.is(200);
    app.app.clock.pass(days(31));
    let api = Api::over(&app).await;
    // Ann's month is over, whether or not the expiry has been acted on.
    for acted in [false, true] {
        if acted {
            app.pass(0).await;
        }
        let rows = [
            ("", "EDCBA"),
            ("status=active", "ED"),
            ("status=suspended", "BA"),
            ("status=disabled", "C"),
            ("connection_type=fiber", "EA"),
            ("connection_type=pppoe", "B"),
            ("connection_type=hotspot", "C"),
            ("connection_type=other", ""),
            ("search=lee", "EBA"),
            ("search=lee&status=suspended", "BA"),
            ("search=lee&connection_type=fiber&status=active", "E"),
            ("search=l_e&status=suspended", ""),
        ];
        for (query, expected) in rows.into_iter().map(|(q, e)| (q.to_string(), e)).chain([
            (format!("package_id={}", app.gold), "A"),
            (format!("package_id={silver}&status=active"), "ED"),
            (format!("router_id={}&status=suspended", app.router), "BA"),
            ("router_id=999".to_string(), ""),
            ("router_id=999&status=suspended".to_string(), ""),
        ]) {
            let mut found = String::new();
            let mut page = 1;
            loop {
                let body = api.get(&format!("/api/v2/customers?{query}&per_page=2&page={page}")).await;
                assert_eq!(body["meta"]["total"], expected.len(), "{query}");
                for row in body["data"].as_array().expect("rows") {
                    found.push(row["name"].as_str().and_then(|name| name.chars().next()).expect("a name"));
                }
                if page >= body["meta"]["last_page"].as_i64().expect("a number") {
                    break;
                }
                page += 1;
            }
            assert_eq!(found, expected, "{query}, acted on: {acted}");
        }
        let lines = api.get("/api/v2/billing/subscriptions?status=suspended").await;
        let told =
            lines["data"].as_array().expect("rows").iter().map(|row| row["customer_id"].as_i64().expect("an id"));
        assert_eq!(told.collect::<Vec<_>>(), [ids[1], ids[0]]);
        assert_eq!(lines["data"][1]["package"], json!({ "id": app.gold.0, "name": "gold" }));
        assert_eq!(lines["data"][1]["expires_at"], "2030-01-30T21:00:00Z");
    }
}

async fn every_action_does_what_it_says(app: TestApp) {
    let api = Api::over(&app).await;
    service::messages::sms::top_up(&app.app, &app.actor, 10, None, None).await.expect("credits");
    let line = app.customer("ali", app.gold).await;
    let ali = line.customer.0;
    let ok = async |body: Value| api.action(ali, body).await.is(200)["data"].clone();
    assert_eq!(ok(json!({ "action": "suspend", "reason": "unpaid" })).await["status"], "suspended");
    assert_eq!(app.row(line).await.status_reason.as_deref(), Some("unpaid"));
    assert_eq!(ok(json!({ "action": "disable" })).await["status"], "disabled");
    assert_eq!(ok(json!({ "action": "activate" })).await["status"], "active");

    // The period's end, and an end that is past.
    let until = ok(json!({ "action": "edit_suspend_date", "suspend_date": "2030-02-15" })).await["expires_at"].clone();
    assert_eq!(until, "2030-02-15T20:59:59Z", "the end of that day in Nairobi");
    assert_eq!(app.row(line).await.anchor_day, Some(15));
    assert_eq!(ok(json!({ "action": "edit_suspend_date", "suspend_date": "2029-01-01" })).await["status"], "suspended");
    assert_eq!(api.action(ali, json!({ "action": "activate" })).await.wrong(), "", "an ended period is sold anew");
    assert_eq!(ok(json!({ "action": "recharge", "method": "bkash" })).await["status"], "active");

    let silver = app.plan("silver", |_| {}).await;
    assert_eq!(ok(json!({ "action": "edit_package", "package_id": silver.0 })).await["package"], "silver");
    ok(json!({ "action": "edit_speed", "bandwidth_id": app.bandwidth.0 })).await;
    ok(json!({ "action": "edit_time", "minutes": 10 })).await;
    ok(json!({ "action": "edit_volume", "megabytes": 5 })).await;
    let row = app.row(line).await;
    assert_eq!(
        (row.bandwidth_id, row.quota_time_s, row.quota_bytes),
        (Some(app.bandwidth), Some(600), Some(5_000_000))
    );
    ok(json!({ "action": "edit_speed", "bandwidth_id": null })).await;
    ok(json!({ "action": "edit_time", "minutes": null })).await;
    ok(json!({ "action": "edit_volume", "megabytes": null })).await;
    let row = app.row(line).await;
    assert_eq!((row.bandwidth_id, row.quota_time_s, row.quota_bytes), (None, None, None));

    ok(json!({ "action": "edit_mac", "mac": "00:11:22:33:44:55" })).await;
    let row = app.row(line).await;
    assert_eq!((row.mac.as_deref(), row.mac_lock.as_str()), (Some("00:11:22:33:44:55"), "locked"));
    ok(json!({ "action": "remove_mac_bind" })).await;
    let row = app.row(line).await;
    assert_eq!((row.mac, row.mac_lock.as_str()), (None, "off"));

    // Money.
    ok(json!({ "action": "generate_bill", "due_date": "2030-03-01" })).await;
    let bill = api.get("/api/v2/billing/bills?status=unpaid").await["data"][0].clone();
    assert_eq!(
        (&bill["amount"], &bill["due_date"], &bill["description"]),
        (&json!(1500), &json!("2030-03-01"), &json!("silver"))
    );
    ok(json!({ "action": "other_payment", "amount": 116, "description": "Cable", "method": "card", "transaction_id": "C1" })).await;
    ok(json!({ "action": "advance_payment", "amount": 1500, "method": "mpesa" })).await;
    assert!(explained(&app).await.contains(&format!("receivable:customer:{ali} 150000, revenue")), "the bill is open");
    ok(json!({ "action": "recharge", "method": "balance" })).await;
    assert_eq!(api.action(ali, json!({ "action": "recharge", "method": "wallet" })).await.wrong(), "");
    let ledger = explained(&app).await;
    assert!(ledger.starts_with("cash:api 150000, cash:bkash 150000, cash:card 11600, cash:mpesa 150000"), "{ledger}");
    assert!(ledger.ends_with(&format!("wallet:customer:{ali} 0")), "{ledger}");

    ok(json!({ "action": "send_sms", "message": "Thank you" })).await;
    let queued = service::messages::queue::queued(&app.app, &app.actor, 9).await.expect("messages");
    assert_eq!(queued.iter().map(|sms| sms.body.as_str()).collect::<Vec<_>>(), ["Thank you"]);

    app.nas.report(crate::nas::started("ali", "s1")).await;
    ok(json!({ "action": "disconnect" })).await;
    assert_eq!(
        app.nas.orders(1).await,
        ["Disconnect-Request User-Name=ali Acct-Session-Id=s1 Framed-IP-Address=10.0.0.9"]
    );

    let wrong = [
        (json!({}), "action"),
        (json!({ "action": "dance" }), "action"),
        (json!({ "action": "special_price" }), "action"),
        (json!({ "action": "edit_suspend_date" }), "suspend_date"),
        (json!({ "action": "edit_package" }), "package_id"),
        (json!({ "action": "edit_package", "package_id": 999 }), "package_id"),
        (json!({ "action": "recharge", "package_id": 999 }), "package_id"),
        (json!({ "action": "edit_speed", "bandwidth_id": 999 }), "bandwidth_id"),
        (json!({ "action": "edit_speed" }), "bandwidth_id"),
        (json!({ "action": "edit_time" }), "minutes"),
        (json!({ "action": "edit_volume", "megabytes": -1 }), "megabytes"),
        (json!({ "action": "edit_mac", "mac": "no" }), "mac"),
        (json!({ "action": "send_sms" }), "message"),
        (json!({ "action": "advance_payment" }), "amount"),
        (json!({ "action": "advance_payment", "amount": 5, "method": "wallet" }), "method"),
        (json!({ "action": "advance_payment", "amount": 5, "method": "a:b" }), "method"),
        (json!({ "action": "advance_payment", "amount": 5, "transaction_id": "LM00000001" }), "transaction_id"),
        (json!({ "action": "other_payment", "amount": 5 }), "description"),
        (
            json!({ "action": "other_payment", "amount": 5, "description": "x", "method": "card", "transaction_id": "C1" }),
            "transaction_id",
        ),
    ];
    for (body, fields) in wrong {
        assert_eq!(api.action(ali, body.clone()).await.wrong(), fields, "{body}");
    }
    explained(&app).await;
    assert_eq!(ok(json!({ "action": "delete" })).await["id"], ali);
    api.action(ali, json!({ "action": "delete" })).await.is(404);
    api.action(999, json!({ "action": "suspend" })).await.is(404);
}

async fn usage_is_told_by_the_day(app: TestApp) {
    let ali = app.customer("ali", app.gold).await.customer;
    app.nas.report(crate::nas::started("ali", "s1")).await;
    app.app.clock.pass(days(1));
    app.nas.report(crate::nas::interim("ali", "s1", 86_400, 1_000, 5_000)).await;
    app.app.clock.pass(days(1));
    app.nas.report(crate::nas::stopped("ali", "s1", 172_800, 3_000, 25_000)).await;
    let api = Api::over(&app).await;
    let path = format!("/api/v2/customers/{ali}/usage");
    let all = api.get(&path).await["data"].clone();
    assert_eq!(
        (&all["upload_bytes"], &all["download_bytes"], &all["total_bytes"]),
        (&json!(3000), &json!(25_000), &json!(28_000))
    );
    assert_eq!((&all["from"], &all["to"]), (&json!("2029-12-05"), &json!("2030-01-03")));
    let days = all["days"].as_array().expect("days");
    assert_eq!(days.len(), 2);
    assert_eq!(
        (&days[0]["date"], &days[0]["total_bytes"], &days[1]["total_bytes"]),
        (&json!("2030-01-02"), &json!(6000), &json!(22_000))
    );
    let one = api.get(&format!("{path}?from=2030-01-03&to=2030-01-03")).await["data"].clone();
    assert_eq!((&one["total_bytes"], one["days"].as_array().map(Vec::len)), (&json!(22_000), Some(1)));
    let none = api.get(&format!("{path}?from=2030-01-04&to=2030-02-01")).await["data"].clone();
    assert_eq!((&none["total_bytes"], &none["days"]), (&json!(0), &json!([])));
    assert_eq!(api.call("GET", &format!("{path}?from=2031-01-01"), Value::Null).await.wrong(), "from");
}

async fn a_branch_sees_its_own(app: TestApp) {
    let ali = app.customer("ali", app.gold).await.customer;
    let bill = issued(&app, ali, 5).await;
    let other = Actor { branch: Some(domain::BranchId(7)), ..app.actor.clone() };
    let core = &app.app;
    let none = invoices::list(core, &other, BillFilter::default(), 0, 9).await.expect("a list");
    assert_eq!(none.1, 0);
    assert_eq!(payments::page(core, &other, payments::Wanted::default(), 0, 9).await.expect("a list").1, 0);
    assert_eq!(
        service::customers::lines::subscriptions(core, &other, service::LineFilter::default(), 0, 9)
            .await
            .expect("a list")
            .1,
        0
    );
    for filter in [service::LineFilter::default(), service::LineFilter { plan: Some(app.gold), ..Default::default() }] {
        assert_eq!(
            service::customers::lists::by_line(core, &other, filter, (0, 9), service::customers::card::Parts::NONE)
                .await
                .expect("a list")
                .1,
            0
        );
    }
    assert!(matches!(invoices::show(core, &other, bill).await, Err(Error::Forbidden)));
    assert!(matches!(bills::delete(core, &other, bill, None).await, Err(Error::Forbidden)));
    let command = NewBill { customer: ali, amount: Money(5), due: None, description: None };
    assert!(matches!(bills::create(core, &other, command, None).await, Err(Error::Forbidden)));
    let command = NewPayment { customer: ali, amount: Money(5), means: cash(), bill: None };
    assert!(matches!(paid::record(core, &other, command, None).await, Err(Error::Forbidden)));
    let command = BillChange { pay: Some(cash()), ..BillChange::default() };
    assert!(matches!(bills::update(core, &other, bill, command, None).await, Err(Error::Forbidden)));
}

/// Whatever is done to bills, in whatever order, partly at once: every entry balances, what is receivable is what is
/// open, and no number is missing.
async fn random_lives_of_bills_stay_in_balance(app: TestApp) {
    let people = [app.customer("ali", app.gold).await.customer, app.customer("bea", app.gold).await.customer];
    let (core, actor) = (Arc::new(app.app.clone()), app.actor.clone());
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut any = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below) as i64
    };
    let mut bills_made: Vec<InvoiceId> = vec![issued(&app, people[0], 116_000).await];
    for _ in 0..25 {
        let acts: Vec<(i64, i64, i64, CustomerId)> =
            (0..4).map(|_| (any(5), any(bills_made.len() as u64), 1 + any(300_000), people[any(2) as usize])).collect();
        let targets: Vec<InvoiceId> = acts.iter().map(|(_, at, ..)| bills_made[*at as usize]).collect();
        let (core, actor) = (core.clone(), actor.clone());
        let done = at_once(acts.len(), move |n| {
            let (core, actor, target) = (core.clone(), actor.clone(), targets[n]);
            let (act, _, minor, customer) = acts[n];
            Box::pin(async move {
                let amount = Money(minor);
                match act {
                    0 | 1 => {
                        let command = NewBill { customer, amount, due: None, description: None };
                        bills::create(&core, &actor, command, None).await.map(|made| Some(InvoiceId(made.id)))
                    }
                    2 => {
                        let command = BillChange { amount: Some(amount), ..BillChange::default() };
                        bills::update(&core, &actor, target, command, None).await.map(|_| None)
                    }
                    3 => bills::delete(&core, &actor, target, None).await.map(|()| None),
                    _ => {
                        let command = NewPayment { customer, amount, means: cash(), bill: None };
                        paid::record(&core, &actor, command, None).await.map(|_| None)
                    }
                }
            })
        })
        .await;
        for outcome in done {
            match outcome {
                Ok(made) => bills_made.extend(made),
                Err(Error::Invalid(_) | Error::Refused(_) | Error::NotFound { .. }) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        explained(&app).await;
    }
    let count = numbers(&app).await;
    assert_eq!(count, (1..=count.len() as i64).collect::<Vec<_>>(), "numbers without gaps");
    // The work was done: some of each came to pass.
    let count = async |status| {
        let filter = BillFilter { status, ..BillFilter::default() };
        invoices::list(&app.app, &app.actor, filter, 0, 1).await.expect("a list").1
    };
    let (all, paid) = (count(None).await, count(Some(BillStatus::Paid)).await);
    assert!(paid > 2 && all < bills_made.len() as i64 + 2, "{paid} paid, {all} of {} left", bills_made.len());
}
