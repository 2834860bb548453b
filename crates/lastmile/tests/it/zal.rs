//! Zal Ultra over HTTP on both engines: the document's examples, the money of an activation, races, renewal from the
//! wallet, attributes at the next login, hostile input in every field.

use std::sync::Arc;

use axum::{Router, body::Body, http::Request};
use domain::{CustomerId, Money, Role, Scopes, StaffId, billing::ledger::Account};
use doors::{Gate, Log};
use serde_json::{Value, json};
use service::{
    Actor, Error, Refusal,
    customers::{
        card::{self, Parts},
        lists, portal,
        subscribers::Filter,
    },
    identity::staff::{self, NewStaff},
    kernel::change::CallerKey,
    resellers::salespeople::{self, Selling},
    sales::activation::{self, Activation, Payments},
};

use crate::{
    app::{TestApp, days, isp, seconds},
    both,
    nas::login,
    once, whole,
};

both!(
    the_documents_examples,
    money_paths,
    a_key_activates_once_and_a_balance_is_cut_once,
    those_whose_money_comes_late_are_renewed,
    attributes_count_at_the_next_login,
    hostile_input_in_every_field,
    tokens_of_staff_and_subscribers,
    nobody_reaches_another_isp,
);

/// The dialect's router over the product, with a token.
pub struct Api {
    pub router: Router,
    pub token: String,
    pub isp: i64,
    pub branch: i64,
    pub user: i64,
}

impl Api {
    pub async fn of(app: &TestApp) -> Api {
        Api::with(app, &app.actor).await
    }

    pub async fn with(app: &TestApp, actor: &Actor) -> Api {
        let service::Who::Staff(user) = actor.who else { panic!("a person") };
        let token = portal::for_staff(&app.app, actor, user, 1000).await.expect("a token").text;
        let branch = service::identity::branches::head_office(&app.app, actor).await.expect("a head office").id;
        let router = zal::router(app.app.clone(), Gate::default(), Log::default());
        Api { router, token, isp: actor.isp.0, branch: branch.0, user: user.0 }
    }

    pub fn here(&self, more: Value) -> Value {
        let mut body = json!({ "isp_id": self.isp, "branch_id": self.branch });
        more.as_object().expect("an object").iter().for_each(|(key, value)| body[key] = value.clone());
        body
    }

    pub async fn send(&self, method: &str, path: &str, token: &str, body: Value) -> (u16, Value) {
        let query = method == "GET" || method == "DELETE";
        let uri = match (query, &body) {
            (true, Value::Object(fields)) => {
                let pairs = fields.iter().map(|(name, value)| match value {
                    Value::String(text) => {
                        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':' | b',');
                        let text = text.bytes().map(|b| match plain(b) {
                            true => char::from(b).to_string(),
                            false => format!("%{b:02X}"),
                        });
                        format!("{name}={}", text.collect::<String>())
                    }
                    other => format!("{name}={other}"),
                });
                format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
            }
            _ => path.into(),
        };
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(if query { Body::empty() } else { Body::from(body.to_string()) })
            .expect("a request");
        let response = once::twice(&self.router, request).await;
        let status = response.status().as_u16();
        whole::one_change(response.extensions(), method, path);
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 24).await.expect("a body");
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    #[track_caller]
    pub fn is(wanted: u16, (status, body): (u16, Value)) -> Value {
        assert_eq!(status, wanted, "{body}");
        body
    }

    pub async fn get(&self, path: &str, query: Value) -> (u16, Value) {
        self.send("GET", &format!("/api/v1/subscribers{path}"), &self.token, self.here(query)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.send("POST", &format!("/api/v1/subscribers{path}"), &self.token, self.here(body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        self.send("PUT", &format!("/api/v1/subscribers{path}"), &self.token, self.here(body)).await
    }

    pub async fn delete(&self, path: &str, query: Value) -> (u16, Value) {
        self.send("DELETE", &format!("/api/v1/subscribers{path}"), &self.token, self.here(query)).await
    }

    /// The id of a new subscriber who logs in with this name and "conn123".
    pub async fn subscriber(&self, app: &TestApp, name: &str, more: Value) -> CustomerId {
        let mut body = json!({
            "username": name, "fullname": format!("John {name}"), "password": "pass123",
            "connection_password": "conn123", "package_id": app.gold.0
        });
        more.as_object().expect("an object").iter().for_each(|(key, value)| body[key] = value.clone());
        let made = Api::is(201, self.post("/create", body).await);
        CustomerId(made["data"]["id"].as_i64().expect("an id"))
    }
}

pub async fn salesperson(app: &TestApp, plans: Vec<domain::PlanId>) -> StaffId {
    let person = NewStaff {
        name: "Sales User".into(),
        email: format!("sales{}@example.com", plans.len()),
        password: "long enough".into(),
        phone: None,
        role: Role::Salesperson,
        branch: None,
        parent: None,
    };
    let id = staff::create(&app.app, &app.actor, Scopes::ALL, person).await.expect("a salesperson").id;
    let selling = Selling { plans: Some(plans), ..Selling::default() };
    salespeople::set(&app.app, &app.actor, Scopes::ALL, id, selling).await.expect("packages");
    id
}

/// Money into a wallet, from nowhere in particular.
pub async fn put_into(app: &TestApp, account: Account, amount: i64) {
    let isp = app.actor.isp;
    let entry = domain::billing::ledger::Entry::new()
        .debit(Account::Cash("mpesa".into()), Money(amount))
        .credit(account, Money(amount));
    let lines = entry.balanced().expect("balanced");
    let now = app.app.clock.now();
    let id = 2_000_000_000 + now.0 % 1_000_000 + amount;
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
            store::billing::ledger::post(tx, isp, id, &heading, &lines).await
        })
        .await
        .expect("a top-up");
}

async fn the_documents_examples(app: TestApp) {
    let api = Api::of(&app).await;
    let silver = app.plan("silver", |plan| plan.price = Money(100_000)).await;
    let seller = salesperson(&app, vec![app.gold, silver]).await;
    let ali = api
        .subscriber(
            &app,
            "subscriber001",
            json!({
                "salesperson_id": seller.0, "static_ip": "192.168.1.100", "mac_address": "aa-bb-cc-dd-ee-ff",
                "expiration_date": "2030-01-05 23:59:59", "previous_balance": -500, "email": "john@example.com",
                "phone": "01712345678", "identity": "1234567890", "address": "123 Main Street",
                "nas_id": app.router.0, "connection_type": 0, "profile_status": 2, "latitude": "23.8103",
                "longitude": "90.4125", "auto_renew_status": 1, "discount": 10, "discount_type": 1,
                "mac_lock_status": 0, "total_data_quota": 500, "total_session_quota": 60, "join_date": "2025-01-01",
                "onu_note": "ONU installed", "fiber_color": "Blue"
            }),
        )
        .await;
    let shown = Api::is(200, api.get("/details", json!({ "id": ali.0 })).await);
    for (field, expected) in [
        ("username", json!("subscriber001")),
        ("static_ip", json!("192.168.1.100")),
        ("mac_address", json!("AA:BB:CC:DD:EE:FF")),
        ("expiration_date", json!("2030-01-05 23:59:59")),
        ("status", json!("active")),
        ("balance", json!(-500)),
        ("identity", json!("1234567890")),
        ("salesperson_name", json!("Sales User")),
        ("latitude", json!("23.8103")),
        ("auto_renew_status", json!(1)),
        ("discount", json!(10)),
        ("discount_type", json!(1)),
        ("total_data_quota", json!(500)),
        ("total_session_quota", json!(60)),
        ("join_date", json!("2025-01-01")),
        ("onu_note", json!("ONU installed")),
        ("fiber_color", json!("Blue")),
    ] {
        assert_eq!(shown["data"][field], expected, "{field}");
    }
    for search in ["1234567890", "01712345678", "subscriber001", "john@example.com"] {
        let listed = Api::is(200, api.get("", json!({ "search": search, "all_module_status": 1 })).await);
        assert_eq!(listed["data"]["total"], 1, "{search}");
        let row = &listed["data"]["subscribers"][0];
        assert_eq!((&row["package"]["id"], &row["current_balance"]), (&json!(app.gold.0), &json!(-500)));
        assert_eq!(row["ledger"][0]["amount"], json!(-500));
    }
    // The documented errors, word for word.
    let taken = json!({ "username": "subscriber001", "fullname": "B", "password": "p", "package_id": app.gold.0 });
    let refused = Api::is(422, api.post("/create", taken).await);
    assert_eq!(
        refused,
        json!({
            "success": false, "message": "Validation failed",
            "errors": { "username": ["The username has already been taken."] }
        })
    );
    let unknown = Api::is(404, api.post("/activation", json!({ "subscriber_id": 9_999_999 })).await);
    assert_eq!(unknown, json!({ "status": "error", "message": "Subscriber Not Found" }));
    let rows = [
        (json!({ "package_id": 9_999_999 }), 404, "Package Not Found"),
        (json!({ "cut_subscriber_balance": 1 }), 422, "Insufficient Subscriber Balance Required (1350)"),
        (
            json!({ "custom_expiry_datetime": "2020-01-01 00:00:00" }),
            422,
            "Custom Expiration Date/Time Invalid! Must Be A Future Date.",
        ),
    ];
    for (more, status, message) in rows {
        let mut body = more;
        body["subscriber_id"] = ali.0.into();
        assert_eq!(
            Api::is(status, api.post("/activation", body).await),
            json!({ "status": "error", "message": message })
        );
    }
    let bronze = app.plan("bronze", |_| {}).await;
    let not_his =
        Api::is(422, api.post("/activation", json!({ "subscriber_id": ali.0, "package_id": bronze.0 })).await);
    assert_eq!(not_his["message"], "Invalid Salesperson or Package Data");
    // Paid in part the rest is due, and holds up the next activation for an hour. The discount counts.
    let body = json!({ "subscriber_id": ali.0, "payment_amount": 350, "payment_method": 6 });
    let done = Api::is(200, api.post("/activation", body.clone()).await);
    assert_eq!(done["invoice_data"]["billing_total_amount"], 1350);
    assert_eq!(done["invoice_data"]["billing_due_amount"], 1000);
    assert_eq!(done["invoice_data"]["invoice_status"], 5);
    assert_eq!(done["subscriber_data"]["expiration_date"], "2030-02-04 23:59:59", "the same package extends");
    let held = Api::is(409, api.post("/activation", body.clone()).await);
    assert_eq!(
        held,
        json!({
            "status": "error",
            "message": "Due Invoice Already Exist (Wait 1 Hour to Generate New One Or Pay On Due Invoice)",
            "invoice_id": done["invoice_data"]["id"], "due_amount": 1000, "subscriber_id": ali.0
        })
    );
    app.app.clock.pass(seconds(3600));
    let body =
        json!({ "subscriber_id": ali.0, "package_id": silver.0, "custom_expiry_datetime": "2031-12-31 23:59:59" });
    let done = Api::is(200, api.post("/activation", body).await);
    assert_eq!(done["subscriber_data"]["package_id"], silver.0);
    assert_eq!(done["subscriber_data"]["expiration_date"], "2031-12-31 23:59:59");
    // Migration, mass activation, deletion.
    let user = api.user;
    put_into(&app, Account::CustomerWallet(ali), 1_000_000).await;
    let body = json!({ "subscriber_id": ali.0, "new_package_id": app.gold.0, "user_id": user });
    let moved = Api::is(200, api.post("/migration", body).await);
    assert_eq!((&moved["data"]["old_package"], &moved["data"]["new_package"]), (&json!("silver"), &json!("gold")));
    // One validity was sold until 2031, none of it is used; both at a tenth less.
    assert_eq!((&moved["data"]["credit"], &moved["data"]["charge"]), (&json!(900), &json!(1350)));
    let body = json!({
        "user_id": user, "selected_subscribers": format!("{ali},{ali},9999999"), "package_id": "current_package",
        "payment_type": 1
    });
    let many = Api::is(200, api.post("/mass-activation", body).await);
    assert_eq!((&many["data"]["activated"], &many["data"]["failed"]), (&json!(1), &json!(1)));
    assert_eq!(many["message"], "1 subscribers activated successfully");
    let wrong_user = api.delete("/delete", json!({ "id": ali.0, "user_id": 9_999_999 })).await;
    assert_eq!(Api::is(422, wrong_user)["errors"]["user_id"], json!(["The selected user id is invalid."]));
    Api::is(200, api.delete("/delete", json!({ "id": ali.0, "user_id": user })).await);
    let gone = Api::is(404, api.get("/details", json!({ "id": ali.0 })).await);
    assert_eq!(gone, json!({ "success": false, "message": "Subscriber not found" }));
    app.ledger().await;
}

/// Each path leaves exactly these postings; refusals leave none.
async fn money_paths(app: TestApp) {
    let api = Api::of(&app).await;
    let seller = salesperson(&app, vec![app.gold]).await;
    put_into(&app, Account::StaffWallet(seller), 150_000).await;
    let activate = async |id: CustomerId, payment: Payments| {
        let command = Activation { customer: id, plan: None, payment, expires_at: None, within: None };
        activation::activate(&app.app, &app.actor, command, None).await.map(|done| (done.total, done.due))
    };
    let cash = |amount: Option<i64>| Payments::Received { method: "cash".into(), amount: amount.map(Money) };
    let ali = api.subscriber(&app, "ali", json!({ "salesperson_id": seller.0 })).await;
    let short = Err(Error::Insufficient { needed: Money(150_000) });
    assert_eq!(activate(ali, Payments::Wallet { received: None }).await, short);
    assert_eq!(activate(ali, Payments::Wallet { received: Some(("cash".into(), Money(149_999))) }).await, short);
    assert_eq!(app.ledger().await, "cash:mpesa 150000, wallet:staff:".to_string() + &format!("{seller} -150000"));
    assert_eq!(
        activate(ali, Payments::Wallet { received: Some(("cash".into(), Money(160_000))) }).await,
        Ok((150_000, 0))
    );
    assert_eq!(
        activate(ali, Payments::Smart).await,
        Ok((150_000, 0)),
        "the salesperson pays what the balance does not cover"
    );
    assert_eq!(activate(ali, Payments::Salesperson).await, short);
    assert_eq!(activate(ali, cash(Some(200_000))).await, Ok((150_000, 0)), "what is too much is kept");
    assert_eq!(activate(ali, cash(Some(1))).await, Ok((150_000, 149_999)));
    assert_eq!(activate(ali, cash(None)).await, Err(Error::Refused(Refusal::InvoiceDue)));
    let expected = format!(
        "cash:cash 360001, cash:mpesa 150000, receivable:customer:{ali} 149999, revenue -517240, tax -82760, \
         wallet:customer:{ali} -60000, wallet:staff:{seller} 0"
    );
    assert_eq!(app.ledger().await, expected);
    // The opening balance said again posts the difference.
    for (balance, wallet) in [(100, 70_000), (100, 70_000), (-200, 40_000), (0, 60_000)] {
        Api::is(200, api.put("/update", json!({ "id": ali.0, "previous_balance": balance })).await);
        let shown = card::show(&app.app, &app.actor, ali, Parts::BALANCE).await.expect("the subscriber");
        assert_eq!(shown.balance, Money(wallet), "{balance}");
    }
    // A discount counts whoever sells.
    Api::is(200, api.put("/update", json!({ "id": ali.0, "discount": 500 })).await);
    let command = service::sales::recharge::Recharge { customer: ali, plan: None, payer: crate::app::cash() };
    let sold = service::sales::recharge::recharge(&app.app, &app.actor, command, None).await.expect("a sale");
    assert_eq!(sold.amount, 100_000);
    app.ledger().await;
}

async fn a_key_activates_once_and_a_balance_is_cut_once(app: TestApp) {
    let app = Arc::new(app);
    let api = Api::of(&app).await;
    let ali = api.subscriber(&app, "ali", json!({ "previous_balance": 1500 })).await;
    let at_once = async |count: usize, payment: Payments, key: Option<&str>| {
        let tasks: Vec<_> = (0..count)
            .map(|_| {
                let (app, payment) = (app.clone(), payment.clone());
                let key = key.map(|key| CallerKey { key: key.into(), request_hash: "h".into() });
                tokio::spawn(async move {
                    let command = Activation { customer: ali, plan: None, payment, expires_at: None, within: None };
                    activation::activate(&app.app, &app.actor, command, key).await
                })
            })
            .collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.expect("no panic"));
        }
        answers
    };
    // Ten cuts of a balance for one: one is sold, nobody goes below zero.
    let answers = at_once(10, Payments::Wallet { received: None }, None).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    let shown = card::show(&app.app, &app.actor, ali, Parts::BALANCE).await.expect("the subscriber");
    assert_eq!(shown.balance, Money::ZERO);
    // One key ten times is one activation, ten equal answers.
    let cash = Payments::Received { method: "cash".into(), amount: None };
    let answers = at_once(10, cash.clone(), Some("k")).await;
    assert!(answers.iter().all(|answer| answer.is_ok() && *answer == answers[0]), "{answers:?}");
    // Without a key each is one, each with its own invoice and end.
    let answers = at_once(5, cash, None).await;
    let mut ends: Vec<i64> = answers.into_iter().map(|answer| answer.expect("sold").expires_at).collect();
    ends.sort_unstable();
    ends.dedup();
    assert_eq!(ends.len(), 5);
    let isp = app.actor.isp;
    let numbers =
        app.app.db.read(async move |tx| store::billing::invoice::numbers(tx, isp, "INV").await).await.expect("numbers");
    assert_eq!(numbers, (1..=7).collect::<Vec<i64>>());
    app.ledger().await;
}

async fn those_whose_money_comes_late_are_renewed(app: TestApp) {
    let api = Api::of(&app).await;
    let more = json!({ "auto_renew_status": 1, "expiration_date": "2030-01-02 00:00:00", "discount": 500 });
    let ali = api.subscriber(&app, "ali", more).await;
    app.pass(days(2)).await;
    let status = async || Api::is(200, api.get("/details", json!({ "id": ali.0 })).await)["data"]["status"].clone();
    assert_eq!(status().await, "expired");
    put_into(&app, Account::CustomerWallet(ali), 99_999).await;
    app.pass(seconds(61)).await;
    assert_eq!(status().await, "expired", "not enough yet");
    put_into(&app, Account::CustomerWallet(ali), 100_001).await;
    app.pass(seconds(61)).await;
    assert_eq!(status().await, "active");
    let shown = card::show(&app.app, &app.actor, ali, Parts::BALANCE).await.expect("the subscriber");
    assert_eq!(shown.balance, Money(100_000), "once, less the discount");
    app.pass(seconds(61)).await;
    let shown = card::show(&app.app, &app.actor, ali, Parts::BALANCE).await.expect("the subscriber");
    assert_eq!(shown.balance, Money(100_000), "and not again");
    // A salesperson who is no longer at work renews nobody.
    let seller = salesperson(&app, vec![app.gold]).await;
    Api::is(200, api.put("/update", json!({ "id": ali.0, "salesperson_id": seller.0 })).await);
    staff::suspend(&app.app, &app.actor, Scopes::ALL, seller, true).await.expect("suspended");
    app.pass(days(31)).await;
    app.pass(seconds(61)).await;
    assert_eq!(status().await, "expired");
    app.ledger().await;
}

async fn attributes_count_at_the_next_login(app: TestApp) {
    let api = Api::of(&app).await;
    let more = json!({ "expiration_date": "2030-01-05 00:00:00", "total_session_quota": 10 });
    let ali = api.subscriber(&app, "ali", more).await;
    let password = crate::nas::Login { password: "conn123", ..login("ali") };
    let told = app.nas.login(password).await;
    assert!(told.starts_with("Access-Accept") && told.contains("Session-Timeout=600"), "{told}");
    let body = json!({ "subscriber_id": ali.0, "attribute": "Mikrotik-Rate-Limit", "op": ":=", "value": "1M/2M" });
    let id = Api::is(201, api.post("/attributes", body).await)["data"]["id"].clone();
    let password = crate::nas::Login { password: "conn123", ..login("ali") };
    assert!(app.nas.login(password).await.contains("Mikrotik-Rate-Limit=1M/2M"));
    Api::is(200, api.put("/attributes", json!({ "id": id, "value": "3M/4M" })).await);
    let password = crate::nas::Login { password: "conn123", ..login("ali") };
    assert!(app.nas.login(password).await.contains("Mikrotik-Rate-Limit=3M/4M"));
    Api::is(200, api.delete("/attributes", json!({ "id": id })).await);
    let password = crate::nas::Login { password: "conn123", ..login("ali") };
    assert!(app.nas.login(password).await.contains("Mikrotik-Rate-Limit=10M/10M"));
    let body = json!({ "subscriber_id": ali.0, "attribute": "Nonsense", "value": "1" });
    assert_eq!(
        Api::is(422, api.post("/attributes", body).await)["errors"]["attribute"][0],
        "The selected attribute is invalid."
    );
}

/// Nothing a caller may send ends in a fault of ours, and what is refused names its field.
async fn hostile_input_in_every_field(app: TestApp) {
    let api = Api::of(&app).await;
    let ali = api.subscriber(&app, "ali", json!({})).await;
    let values = [
        json!("\u{0}"),
        json!("a\u{0}b\r\nc"),
        json!("'; drop table customer; --"),
        json!("\u{202e}\u{1f4a9}"),
        json!("x".repeat(10_000)),
        json!(-1),
        json!(1e300),
        json!(i64::MAX),
        json!("99999999999999999999999999"),
        json!([[[]]]),
        json!({ "a": { "b": [] } }),
        json!(true),
        json!(null),
        json!("0000-00-00 00:00:00"),
        json!("2030-02-31 10:00:00"),
        json!("9999-12-31 23:59:59"),
        json!("NaN"),
    ];
    let fields = [
        "id",
        "isp_id",
        "branch_id",
        "user_id",
        "subscriber_id",
        "username",
        "fullname",
        "password",
        "package_id",
        "new_package_id",
        "salesperson_id",
        "connection_password",
        "static_ip",
        "mac_address",
        "expiration_date",
        "previous_balance",
        "email",
        "phone",
        "identity",
        "address",
        "nas_id",
        "connection_type",
        "profile_status",
        "country",
        "province",
        "city",
        "area",
        "subarea",
        "department",
        "latitude",
        "longitude",
        "auto_renew_status",
        "discount",
        "discount_type",
        "sms_status",
        "email_status",
        "mac_lock_status",
        "total_data_quota",
        "total_session_quota",
        "join_date",
        "onu_note",
        "box_number",
        "box_address",
        "switch_board",
        "switch_port",
        "electric_socket",
        "cable_type",
        "uplink_port",
        "fiber_code",
        "fiber_color",
        "payment_amount",
        "payment_method",
        "cut_subscriber_balance",
        "custom_expiry_datetime",
        "selected_subscribers",
        "payment_type",
        "attribute",
        "op",
        "value",
    ];
    let whole = json!({
        "id": ali.0, "subscriber_id": ali.0, "username": "bob", "fullname": "Bob", "password": "pass",
        "package_id": app.gold.0, "new_package_id": app.gold.0, "user_id": api.user, "payment_amount": 1500,
        "selected_subscribers": ali.0.to_string(), "payment_type": 1, "attribute": "Session-Timeout", "op": ":=",
        "value": "60"
    });
    let calls = [
        ("PUT", "/update"),
        ("POST", "/create"),
        ("POST", "/activation"),
        ("POST", "/mass-activation"),
        ("POST", "/migration"),
        ("POST", "/attributes"),
        ("PUT", "/attributes"),
    ];
    for field in fields {
        // The rate limit is another test's.
        app.app.clock.pass(seconds(61));
        for value in &values {
            for (method, path) in calls {
                let mut body = api.here(whole.clone());
                body[field] = value.clone();
                let (status, told) = api.send(method, &format!("/api/v1/subscribers{path}"), &api.token, body).await;
                assert!(status < 500 && status != 429, "{method} {path} {field}={value:.60}: {status} {told}");
                let spoken = told["success"].is_boolean() || told["status"].is_string();
                assert!(spoken, "{method} {path} {field}={value:.60}: {told}");
            }
        }
    }
    let filters = [
        "offset",
        "limit",
        "subscriber_id",
        "salesperson_id",
        "package_id",
        "nas_id",
        "search",
        "subscriber_type",
        "expiring_in",
        "grace_period_status",
        "department",
        "country",
        "subarea",
        "all_module_status",
    ];
    app.app.clock.pass(seconds(61));
    for field in filters {
        for value in ["-1", "0", "7", "99999999999999999999", "x%00y", "%25_", "%F0%9F%92%A9", "[]", "true"] {
            let path = format!("/api/v1/subscribers?isp_id={}&branch_id={}&{field}={value}", api.isp, api.branch);
            let (status, told) = api.send("GET", &path, &api.token, Value::Null).await;
            assert!(status == 200 || status == 422, "{field}={value}: {status} {told}");
        }
    }
    app.ledger().await;
}

async fn tokens_of_staff_and_subscribers(app: TestApp) {
    let api = Api::of(&app).await;
    let ali = api.subscriber(&app, "ali", json!({ "expiration_date": "2030-03-05 00:00:00" })).await;
    let call = async |method: &str, path: &str, token: &str, body: Value| {
        api.send(method, &format!("/api/v1{path}"), token, body).await
    };
    let wrong = json!({ "email": "owner@example.com", "password": "wrong" });
    let told = Api::is(401, call("POST", "/auth/login", "", wrong).await);
    assert_eq!(told, json!({ "success": false, "message": "Invalid credentials" }));
    let missing = Api::is(422, call("POST", "/auth/login", "", json!({})).await);
    assert_eq!(missing["errors"]["email"], json!(["The email field is required."]));
    let right = json!({ "email": "Owner@example.com", "password": "correct horse" });
    let signed = Api::is(200, call("POST", "/auth/login", "", right).await);
    let token = signed["data"]["token"].as_str().expect("a token").to_string();
    let (id, secret) = token.split_once('|').expect("‹id›|‹secret›");
    assert!(id.bytes().all(|b| b.is_ascii_digit()) && secret.len() == 40, "{token}");
    assert_eq!((&signed["data"]["token_type"], &signed["data"]["expires_in"]), (&json!("bearer"), &json!(3600)));
    for path in ["/auth/user", "/auth/me"] {
        assert_eq!(Api::is(200, call("GET", path, &token, json!({})).await)["data"]["role"], "admin");
    }
    // An hour and a day later it is over, but refreshes itself, once.
    app.app.clock.pass(days(1));
    Api::is(401, call("GET", "/auth/user", &token, json!({})).await);
    let next = Api::is(200, call("POST", "/auth/refresh", &token, json!({})).await);
    let next = next["data"]["token"].as_str().expect("a token").to_string();
    Api::is(200, call("GET", "/auth/user", &next, json!({})).await);
    Api::is(200, call("POST", "/auth/logout", &next, json!({})).await);
    Api::is(401, call("GET", "/auth/user", &next, json!({})).await);
    Api::is(401, call("POST", "/auth/refresh", &next, json!({})).await);

    // One that was refreshed comes again: somebody else has it too, and all of its login ends. Others of the same person
    // stay.
    let sign_in = async || {
        let right = json!({ "email": "owner@example.com", "password": "correct horse" });
        let signed = Api::is(200, call("POST", "/auth/login", "", right).await);
        signed["data"]["token"].as_str().expect("a token").to_string()
    };
    let (elsewhere, mut token) = (sign_in().await, sign_in().await);
    let first = token.clone();
    for _ in 0..3 {
        let next = Api::is(200, call("POST", "/auth/refresh", &token, json!({})).await);
        token = next["data"]["token"].as_str().expect("a token").to_string();
    }
    Api::is(401, call("GET", "/auth/user", &first, json!({})).await);
    Api::is(200, call("GET", "/auth/user", &token, json!({})).await);
    for _ in 0..2 {
        Api::is(401, call("POST", "/auth/refresh", &first, json!({})).await);
        Api::is(401, call("GET", "/auth/user", &token, json!({})).await);
    }
    Api::is(401, call("POST", "/auth/refresh", &token, json!({})).await);
    Api::is(200, call("GET", "/auth/user", &elsewhere, json!({})).await);

    for family in ["/subscriber", "/subscriber/auth"] {
        let body = json!({ "username": "ALI", "password": "pass123" });
        let signed = Api::is(200, call("POST", &format!("{family}/login"), "", body.clone()).await);
        assert_eq!(signed["data"]["expires_in"], 2_592_000);
        assert_eq!(signed["data"]["subscriber"]["status"], "active");
        let token = signed["data"]["token"].as_str().expect("a token").to_string();
        for path in ["profile", "package", "invoices", "payments", "usage"] {
            Api::is(200, call("GET", &format!("/subscriber/{path}"), &token, json!({})).await);
            // Neither kind of token opens what is the other's.
            Api::is(401, call("GET", &format!("/subscriber/{path}"), &api.token, json!({})).await);
        }
        Api::is(401, call("GET", "/subscribers", &token, json!({ "isp_id": api.isp, "branch_id": api.branch })).await);
        let next = Api::is(200, call("POST", &format!("{family}/refresh"), &token, json!({})).await);
        let next = next["data"]["token"].as_str().expect("a token").to_string();
        Api::is(200, call("GET", "/subscriber/profile", &next, json!({})).await);
        Api::is(401, call("POST", &format!("{family}/refresh"), &token, json!({})).await);
        Api::is(401, call("GET", "/subscriber/profile", &next, json!({})).await);
        let signed = Api::is(200, call("POST", &format!("{family}/login"), "", body).await);
        let token = signed["data"]["token"].as_str().expect("a token").to_string();
        Api::is(200, call("POST", &format!("{family}/logout"), &token, json!({})).await);
        Api::is(401, call("GET", "/subscriber/profile", &token, json!({})).await);
    }
    let wrong = json!({ "username": "ali", "password": "conn123" });
    let told = Api::is(401, call("POST", "/subscriber/login", "", wrong).await);
    assert_eq!(told["message"], "Invalid username or password");
    let body = json!({ "username": "ali", "password": "pass123" });
    let signed = Api::is(200, call("POST", "/subscriber/login", "", body.clone()).await);
    let token = signed["data"]["token"].as_str().expect("a token").to_string();
    let change = json!({ "current_password": "nope", "new_password": "new secret" });
    Api::is(422, call("POST", "/subscriber/change-password", &token, change).await);
    let change = json!({ "current_password": "pass123", "new_password": "new secret" });
    Api::is(200, call("POST", "/subscriber/change-password", &token, change).await);
    Api::is(401, call("POST", "/subscriber/login", "", body).await);
    let body = json!({ "username": "ali", "password": "new secret" });
    Api::is(200, call("POST", "/subscriber/login", "", body.clone()).await);
    let password = crate::nas::Login { password: "conn123", ..login("ali") };
    assert!(app.nas.login(password).await.starts_with("Access-Accept"), "the network's password is another");
    service::sales::standing::put(&app.app, &app.actor, ali, domain::Status::Disabled, None).await.expect("disabled");
    let told = Api::is(403, call("POST", "/subscriber/login", "", body).await);
    assert_eq!(told["message"], "Your account is disabled. Please contact support.");
    let (status, health) = api.send("GET", "/api/health", "", json!({})).await;
    assert_eq!((status, &health["success"]), (200, &json!(true)));
}

async fn nobody_reaches_another_isp(app: TestApp) {
    let api = Api::of(&app).await;
    let ali = api.subscriber(&app, "ali", json!({})).await;
    let other = service::identity::tenants::create_isp(&app.app, isp("Other ISP")).await.expect("an Isp");
    let stranger = Actor { isp: other.isp, who: service::Who::Staff(other.owner), branch: None, may_write: true };
    let theirs = Api::with(&app, &stranger).await;
    let own = json!({ "isp_id": theirs.isp, "branch_id": theirs.branch, "user_id": theirs.user });
    let put = |more: Value| {
        let mut body = own.clone();
        more.as_object().expect("an object").iter().for_each(|(key, value)| body[key] = value.clone());
        body
    };
    let rows = [
        ("GET", "/details", put(json!({ "id": ali.0 })), 404),
        ("PUT", "/update", put(json!({ "id": ali.0, "fullname": "Mine" })), 404),
        ("DELETE", "/delete", put(json!({ "id": ali.0 })), 404),
        ("POST", "/activation", put(json!({ "subscriber_id": ali.0 })), 404),
        ("POST", "/migration", put(json!({ "subscriber_id": ali.0, "new_package_id": app.gold.0 })), 404),
        ("GET", "/attributes", put(json!({ "subscriber_id": ali.0 })), 404),
        (
            "POST",
            "/attributes",
            put(json!({ "subscriber_id": ali.0, "attribute": "Session-Timeout", "value": "1" })),
            404,
        ),
        ("GET", "", json!({ "isp_id": api.isp, "branch_id": api.branch }), 403),
        ("GET", "", json!({ "isp_id": theirs.isp, "branch_id": api.branch }), 403),
    ];
    for (method, path, body, expected) in rows {
        let (status, told) = theirs.send(method, &format!("/api/v1/subscribers{path}"), &theirs.token, body).await;
        assert_eq!(status, expected, "{method} {path}: {told}");
    }
    let listed = lists::by_profile(&app.app, &stranger, Filter::default(), (0, 100), Parts::NONE).await;
    assert_eq!(listed.expect("a list").1, 0);
    // A salesperson sees and does not change.
    let seller = salesperson(&app, vec![app.gold]).await;
    let token = portal::for_staff(&app.app, &app.actor, seller, 1).await.expect("a token").text;
    let body = json!({ "isp_id": api.isp, "branch_id": api.branch, "id": ali.0, "fullname": "Mine" });
    let (status, told) = api.send("PUT", "/api/v1/subscribers/update", &token, body).await;
    assert_eq!((status, &told["message"]), (403, &json!("You do not have permission to update subscribers")));
}
