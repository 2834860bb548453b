//! Zal Ultra's office: dashboard, invoices, payments, packages, users, RADIUS, equipment, tickets, each against what the
//! core has; filters, pages, branches.

use domain::{Money, Role, Scopes};
use doors::{Credential, Dispatch, Gate, Log};
use serde_json::{Value, json};
use service::{
    helpdesk::complaints,
    identity::staff::{self, NewStaff},
    resellers::salespeople,
    sales::renewals,
};

use crate::{
    app::{TestApp, days},
    both,
    nas::{Login, interim, login, started},
    zal::{Api, put_into, salesperson},
};

both!(figures_and_lists, packages_users_and_tickets, network_and_radius, pages_and_faults);

impl Api {
    async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.send(method, &format!("/api/v1{path}"), &self.token, self.here(body)).await
    }

    async fn read(&self, path: &str, query: Value) -> Value {
        Api::is(200, self.call("GET", path, query).await)["data"].clone()
    }
}

async fn figures_and_lists(app: TestApp) {
    let api = Api::of(&app).await;
    let silver = app.plan("silver", |plan| plan.price = Money(300_000)).await;
    let seller = salesperson(&app, vec![app.gold, silver]).await;
    let ali = api.subscriber(&app, "ali", json!({ "salesperson_id": seller.0 })).await;
    let bea = api.subscriber(&app, "bea", json!({ "profile_status": 1 })).await;
    let eve = api.subscriber(&app, "eve", json!({ "expiration_date": "2030-01-01 12:00:00" })).await;
    let activate = async |id: i64, more: Value| {
        let mut body = json!({ "subscriber_id": id });
        more.as_object().expect("an object").iter().for_each(|(key, value)| body[key] = value.clone());
        Api::is(200, api.post("/activation", body).await)
    };
    activate(ali.0, json!({ "payment_amount": 500, "payment_method": 6 })).await;
    let stats = api.read("/dashboard/subscriber-stats", json!({})).await;
    assert_eq!(
        stats,
        json!({
            "total": 3, "active": 2, "expired": 0, "pending": 1, "disabled": 0, "inactive": 0,
            "online_subscribers": 0, "expiring_today": 1, "expiring_this_week": 1
        })
    );
    let money = api.read("/dashboard/accounting-stats", json!({})).await;
    assert_eq!(
        money,
        json!({
            "today_collection": 500, "this_month_collection": 500, "total_outstanding": 1000, "total_invoices": 1,
            "paid_invoices": 0, "unpaid_invoices": 1, "this_month_expenses": 0, "net_revenue": 1293.1
        })
    );
    // A migration's invoice is of type 3; everything else is found by what it is.
    app.pass(days(10)).await;
    put_into(&app, domain::billing::ledger::Account::CustomerWallet(ali), 1_000_000).await;
    let body = json!({ "subscriber_id": ali.0, "new_package_id": silver.0, "user_id": api.user });
    Api::is(200, api.post("/migration", body).await);
    let listed = api.read("/invoices", json!({})).await;
    assert_eq!((&listed["total"], &listed["limit"], &listed["offset"]), (&json!(2), &json!(100), &json!(0)));
    let (new, old) = (&listed["invoices"][0], &listed["invoices"][1]);
    assert_eq!((&new["invoice_type"], &old["invoice_type"]), (&json!(3), &json!(1)));
    assert_eq!((&new["amount"], &new["status"], &new["invoice_status"]), (&json!(2000), &json!("paid"), &json!(1)));
    assert_eq!((&new["subscriber_id"], &new["subscriber_name"]), (&json!(ali.0), &json!("John ali")));
    assert!(new["payment_date"].is_string());
    for (query, found) in [
        (json!({ "package_id": silver.0 }), 1),
        (json!({ "package_id": app.gold.0 }), 1),
        (json!({ "salesperson_id": seller.0 }), 2),
        (json!({ "salesperson_id": 9_999 }), 0),
        (json!({ "subscriber_id": bea.0 }), 0),
        (json!({ "invoice_status": 1 }), 2),
        (json!({ "invoice_status": 5 }), 0),
        (json!({ "status": "paid" }), 2),
        (json!({ "invoice_status": 4 }), 0),
        (json!({ "from_date": "2030-01-05" }), 1),
        (json!({ "from_date": "2030-01-01", "to_date": "2030-01-02" }), 1),
    ] {
        assert_eq!(api.read("/invoices", query.clone()).await["total"], found, "{query}");
    }
    let one = api.read(&format!("/invoices/{}", new["id"]), json!({})).await;
    assert_eq!((&one["billing_total_amount"], &one["lines"][0]["text"]), (&json!(2000), &json!("silver")));
    let gone = Api::is(404, api.call("GET", "/invoices/999999", json!({})).await);
    assert_eq!(gone, json!({ "success": false, "message": "Invoice not found" }));

    let listed = api.read("/payments", json!({})).await;
    assert_eq!(listed["total"], 1);
    let paid = &listed["payments"][0];
    assert_eq!((&paid["amount"], &paid["payment_method"]), (&json!(500), &json!("bkash")));
    assert_eq!((&paid["subscriber_name"], &paid["received_by"]), (&json!("John ali"), &json!("Owner")));
    for (query, found) in [
        (json!({ "payer_id": ali.0, "profile_type": 2 }), 1),
        (json!({ "payer_id": eve.0 }), 0),
        (json!({ "payment_type": 6 }), 1),
        (json!({ "payment_type": 1 }), 0),
    ] {
        assert_eq!(api.read("/payments", query.clone()).await["total"], found, "{query}");
    }
    let receipt = api.read(&format!("/payments/{}/receipt", paid["id"]), json!({})).await;
    assert_eq!((&receipt["invoice"]["amount"], &receipt["package_name"]), (&json!(1500), &json!("gold")));
}

async fn packages_users_and_tickets(app: TestApp) {
    let api = Api::of(&app).await;
    let body = json!({
        "name": "Home 20", "price": 799.5, "validity_days": 30, "bandwidth_up": "10M", "bandwidth_down": "20M",
        "data_limit": 5000, "auto_renew_status": 0
    });
    let made = Api::is(201, api.call("POST", "/packages", body.clone()).await)["data"]["id"].clone();
    let taken = Api::is(422, api.call("POST", "/packages", body).await);
    assert!(taken["errors"]["name"].is_array(), "{taken}");
    let path = format!("/packages/{made}");
    let shown = api.read(&path, json!({})).await;
    for (field, expected) in [
        ("name", json!("Home 20")),
        ("price", json!(799.5)),
        ("validity_days", json!(30)),
        ("bandwidth_up", json!("10M")),
        ("bandwidth_down", json!("20M")),
        ("data_limit", json!(5000)),
        ("status", json!(1)),
        ("auto_renew_status", json!(0)),
        ("subscriber_count", json!(0)),
        ("burst_limit", Value::Null),
    ] {
        assert_eq!(shown[field], expected, "{field}");
    }
    let sub = json!({ "username": "ali", "fullname": "Ali", "password": "p", "package_id": made });
    let ali = Api::is(201, api.post("/create", sub).await)["data"]["id"].clone();
    Api::is(200, api.call("PUT", &path, json!({ "price": 900, "auto_renew_status": 1, "data_limit": 0 })).await);
    let shown = api.read(&path, json!({})).await;
    assert_eq!(
        (&shown["price"], &shown["data_limit"], &shown["subscriber_count"]),
        (&json!(900), &json!(0), &json!(1))
    );
    assert_eq!(renewals::plans_without(&app.app, &app.actor).await, Ok(vec![]));
    let used = Api::is(409, api.call("DELETE", &path, json!({})).await);
    assert_eq!(used["success"], false);
    let listed = api.read("/packages", json!({ "search": "home" })).await;
    assert_eq!((&listed["total"], &listed["packages"][0]["id"]), (&json!(1), &made));
    let half = Api::is(422, api.call("PUT", &path, json!({ "bandwidth_up": "10M" })).await);
    assert!(half["errors"]["bandwidth_down"].is_array(), "{half}");

    // A salesperson with what he sells, made as one.
    let body = json!({
        "name": "Rita", "email": "rita@example.com", "password": "long enough", "assigned_packages": [made],
        "auto_renew_status": 0
    });
    let wrong = api.call(
        "POST",
        "/users",
        json!({ "assigned_packages": [999_999], "name": "X", "email": "x@example.com", "password": "long enough" }),
    );
    assert!(Api::is(422, wrong.await)["errors"]["assigned_packages"].is_array());
    let rita = Api::is(201, api.call("POST", "/users", body).await)["data"]["id"].clone();
    let path = format!("/users/{rita}");
    let shown = api.read(&path, json!({})).await;
    assert_eq!((&shown["role_name"], &shown["assigned_packages"]), (&json!("salesperson"), &json!([made])));
    assert_eq!((&shown["balance"], &shown["auto_renew_status"]), (&json!(0), &json!(0)));
    let role = shown["role_id"].clone();
    let change = json!({ "name": "Rita R", "auto_renew_status": 1, "assigned_packages": [], "status": 0 });
    Api::is(200, api.call("PUT", &path, change).await);
    let shown = api.read(&path, json!({})).await;
    assert_eq!((&shown["name"], &shown["status"]), (&json!("Rita R"), &json!("suspended")));
    assert_eq!((&shown["assigned_packages"], &shown["auto_renew_status"]), (&json!([]), &json!(1)));
    let staff_id = domain::StaffId(rita.as_i64().expect("an id"));
    assert_eq!(salespeople::renews(&app.app, &app.actor, staff_id).await, Ok(true));
    assert_eq!(api.read("/users", json!({ "role_id": role, "status": 0 })).await["total"], 1);
    assert_eq!(api.read("/users", json!({ "role_id": role, "status": 1 })).await["total"], 0);

    let body = json!({ "subscriber_id": ali, "subject": "Slow", "message": "since noon", "priority": 3 });
    let made = Api::is(201, api.call("POST", "/tickets", body).await)["data"]["id"].clone();
    let path = format!("/tickets/{made}");
    Api::is(201, api.call("POST", &format!("{path}/replies"), json!({ "message": "We look at it." })).await);
    for (query, found) in [(json!({ "status": 0 }), 1), (json!({ "priority": 3 }), 1), (json!({ "status": 1 }), 0)] {
        assert_eq!(api.read("/tickets", query.clone()).await["total"], found, "{query}");
    }
    Api::is(200, api.call("PUT", &path, json!({ "status": 2 })).await);
    let shown = api.read(&path, json!({})).await;
    assert_eq!((&shown["status"], &shown["replies"][0]["message"]), (&json!(2), &json!("We look at it.")));
    // The same row in the core.
    let row = complaints::show(&app.app, &app.actor, made.as_i64().expect("an id")).await.expect("a complaint");
    assert_eq!((row.status.as_str(), row.priority.as_str()), ("resolved", "high"));
    let unknown = json!({ "subscriber_id": 999_999, "subject": "S", "message": "m" });
    assert!(Api::is(422, api.call("POST", "/tickets", unknown).await)["errors"]["subscriber_id"].is_array());
}

async fn network_and_radius(app: TestApp) {
    let api = Api::of(&app).await;
    let ali = api.subscriber(&app, "ali", json!({ "expiration_date": "2030-01-05 00:00:00" })).await;
    for (attribute, op, value) in [("Mikrotik-Rate-Limit", ":=", "1M/2M"), ("NAS-Port", "==", "7")] {
        let body = json!({ "subscriber_id": ali.0, "attribute": attribute, "op": op, "value": value });
        Api::is(201, api.post("/attributes", body).await);
    }
    let checks = api.read("/radius/radcheck/ALI", json!({})).await;
    assert_eq!(
        checks[0],
        json!({ "id": null, "attribute": "Cleartext-Password", "op": ":=", "value": "***hidden***" })
    );
    assert_eq!((&checks[1]["attribute"], &checks[2]["value"]), (&json!("Expiration"), &json!("7")));
    let replies = api.read("/radius/radreply/ali", json!({})).await;
    assert_eq!((replies.as_array().map(Vec::len), &replies[0]["value"]), (Some(1), &json!("1M/2M")));
    for name in ["nobody", "%ff", "a%00b", "%F0%9F%92%A9"] {
        Api::is(404, api.call("GET", &format!("/radius/radcheck/{name}"), json!({})).await);
    }
    let told = app.nas.login(Login { password: "conn123", ..login("ali") }).await;
    assert!(told.starts_with("Access-Accept"), "{told}");
    app.nas.report(started("ali", "s1")).await;
    app.nas.report(interim("ali", "s1", 60, 1000, 2000)).await;
    let online = api.read("/radius/online-sessions", json!({})).await;
    let session = &online["sessions"][0];
    assert_eq!(
        (&online["total"], &session["username"], &session["status"]),
        (&json!(1), &json!("ali"), &json!("live"))
    );
    assert_eq!((&session["acctinputoctets"], &session["acctoutputoctets"]), (&json!(1000), &json!(2000)));
    for (query, found) in [
        (json!({ "username": "ali" }), 1),
        (json!({ "username": "bob" }), 0),
        (json!({ "username": "ali", "from_date": "2030-01-01", "to_date": "2030-01-01" }), 1),
        (json!({ "username": "ali", "from_date": "2030-01-02" }), 0),
    ] {
        assert_eq!(api.read("/radius/session-history", query.clone()).await["total"], found, "{query}");
    }
    let nas = api.read("/nas", json!({})).await;
    assert_eq!((&nas["nas"][0]["secret"], &nas["nas"][0]["online_sessions"]), (&json!("***hidden***"), &json!(1)));
    let pools = api.read("/ip-pools", json!({})).await;
    let pool = &pools["ip_pools"][0];
    let count = |name: &str| pool[name].as_i64().expect("a number");
    assert_eq!(count("total_ips"), count("used_ips") + count("available_ips"), "{pool}");
    assert_eq!(api.read("/olts", json!({})).await["total"], 0);
    assert_eq!(Api::is(404, api.call("GET", "/olts/7", json!({})).await)["message"], "OLT not found");
}

/// Pages are cut and capped; fields are named; a stranger's place, a salesperson's rights and a branch are kept to.
async fn pages_and_faults(app: TestApp) {
    let api = Api::of(&app).await;
    for n in 0..3 {
        api.subscriber(&app, &format!("s{n}"), json!({ "expiration_date": "2030-03-01 00:00:00" })).await;
    }
    const LISTS: [&str; 11] = [
        "/invoices",
        "/payments",
        "/packages",
        "/users",
        "/radius/online-sessions",
        "/radius/session-history",
        "/nas",
        "/ip-pools",
        "/olts",
        "/tickets",
        "/subscribers",
    ];
    for path in LISTS {
        let page = api.read(path, json!({ "limit": 999_999, "offset": 1 })).await;
        assert_eq!((&page["limit"], &page["offset"]), (&json!(1000), &json!(1)), "{path}");
        for (wrong, field) in
            [(json!({ "limit": 0 }), "limit"), (json!({ "offset": -1 }), "offset"), (json!({ "limit": "x" }), "limit")]
        {
            let told = Api::is(422, api.call("GET", path, wrong).await);
            assert!(told["errors"][field].is_array(), "{path} {told}");
        }
        Api::is(422, api.send("GET", &format!("/api/v1{path}"), &api.token, json!({})).await);
        Api::is(403, api.call("GET", path, json!({ "isp_id": 999_999 })).await);
        Api::is(401, api.send("GET", &format!("/api/v1{path}"), "1|nonsense", json!({})).await);
        for value in ["\u{0}", "'; drop table invoice; --", "9999999999999999999999", "[]"] {
            for field in ["package_id", "status", "invoice_status", "from_date", "search", "role_id", "payment_type"] {
                let (status, told) = api.call("GET", path, json!({ field: value })).await;
                assert!(status < 500, "{path} {field} {value:?}: {told}");
            }
        }
    }
    // Rights: a salesperson sees packages and tickets, no money.
    let person = NewStaff {
        name: "Sales".into(),
        email: "only@example.com".into(),
        password: "long enough".into(),
        phone: None,
        role: Role::Salesperson,
        branch: None,
        parent: None,
    };
    let made = staff::create(&app.app, &app.actor, Scopes::ALL, person).await.expect("a person");
    let who = service::Actor { who: service::Who::Staff(made.id), may_write: true, ..app.actor.clone() };
    let own = Api::with(&app, &who).await;
    for (path, status) in [("/packages", 200), ("/tickets", 200), ("/invoices", 403), ("/users", 403), ("/nas", 403)] {
        let told = Api::is(status, own.call("GET", path, json!({})).await);
        if path == "/invoices" {
            assert_eq!(told["message"], "You do not have permission to view invoices");
        }
    }
    // One address: the form of the token decides whose list it is.
    let dispatch = Dispatch::new(app.app.clock.clone())
        .with(ispbills::v1(app.app.clone(), Gate::default(), Log::default()))
        .with(zal::dialect(app.app.clone(), Gate::default(), Log::default()));
    assert_eq!(zal::dialect(app.app.clone(), Gate::default(), Log::default()).credential, Credential::NumberedBearer);
    let both = Api { router: dispatch.router(), ..Api::of(&app).await };
    let v1 = service::identity::tokens::sign_in(&app.app, "owner@example.com", "correct horse")
        .await
        .expect("the owner")
        .access;
    for path in ["/invoices", "/payments", "/olts"] {
        assert!(both.read(path, json!({})).await["total"].is_number(), "{path} is Zal's");
        let (status, told) = both.send("GET", &format!("/api/v1{path}"), &v1, json!({})).await;
        assert_eq!((status, told["data"].is_array()), (200, true), "{path} is ISPBills': {told}");
    }
}
