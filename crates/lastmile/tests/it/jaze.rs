//! The Jaze door over the whole product: money, access and hostile input, as its clients send them.

use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{Money, Scope, Scopes};
use doors::{Gate, Log};
use serde_json::Value;
use service::{
    Actor, Error, Why,
    billing::receipts::Means,
    identity::{
        branches,
        clients::{self, NewPair, Tier},
    },
    receivables::payments::{self, NewPayment},
};

use crate::{
    app::{TestApp, days},
    both,
    nas::{Login, interim, login, started},
    once, whole,
};

pub struct Door {
    router: Router,
    credential: String,
}

impl Door {
    pub async fn open(app: &TestApp) -> Door {
        branches::name(&app.app, &app.actor, None, "top").await.expect("an account");
        Door::of(app, &app.actor, "top", None, None).await
    }

    pub async fn of(
        app: &TestApp,
        actor: &Actor,
        token: &str,
        branch: Option<domain::BranchId>,
        scopes: Option<Scopes>,
    ) -> Door {
        let command = NewPair {
            dialect: jaze::NAME,
            name: token.into(),
            branch,
            tier: Tier::Jaze,
            scopes,
            public: token.into(),
            secret: None,
        };
        let issued = clients::create_pair(&app.app, actor, command).await.expect("a client");
        let credential = format!("Basic {}", STANDARD.encode(format!("{token}:{}", issued.secret)));
        Door { router: jaze::router(app.app.clone(), Gate::default(), Log::default()), credential }
    }

    async fn send(&self, request: Request<Body>) -> (u16, Value) {
        let path = request.uri().path().to_string();
        let response = once::twice(&self.router, request).await;
        let status = response.status().as_u16();
        whole::one_change(response.extensions(), "", &path);
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 22).await.expect("a body");
        (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("JSON: {bytes:?}")))
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        let request = Request::get(format!("/api/v1/{path}")).header(header::AUTHORIZATION, &self.credential);
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    pub async fn post(&self, path: &str, form: &str) -> (u16, Value) {
        let request = Request::post(format!("/api/v1/{path}"))
            .header(header::AUTHORIZATION, &self.credential)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form.to_string())).expect("a request")).await
    }

    /// A success; its body.
    pub async fn done(&self, path: &str, form: &str) -> Value {
        let (status, body) = self.post(path, form).await;
        assert_eq!((status, &body["status"]), (200, &Value::from("success")), "{path} {form}: {body}");
        body
    }
}

/// A collection's payment is named by us, and nobody takes that name before.
async fn nobody_takes_a_collections_name(app: TestApp) {
    let door = Door::open(&app).await;
    let (ali, eve) = (app.customer("ali", app.gold).await.customer, app.customer("eve", app.gold).await.customer);
    let visit = format!("userId={ali}&amount=2000&statusOfCollection=cashCollected&method=cash&notes=x");
    door.done("collect_user_payment", &visit).await;
    let waiting = door.done("get_collection_approval_users", "").await;
    let id = waiting["data"][0][0]["PaymentCollectionMode"]["paymentcollectionId"].as_str().expect("an id").to_string();
    for name in
        [format!("collection:{id}"), format!("COLLECTION:{id}"), format!("%20Collection:{id}%20"), "LM00000999".into()]
    {
        let payment = format!("userId={eve}&amount=1&method=cash&merchantTxnId={name}");
        let (status, told) = door.post("make_payment", &payment).await;
        assert_eq!(status, 400, "{name}: {told}");
    }
    // The core refuses it, not the door.
    let means = Means { method: "cash".into(), reference: Some(format!("collection:{id}")) };
    let taken = Some(Error::invalid("transaction_id", Why::Taken));
    let topped_up = payments::top_up(&app.app, &app.actor, eve, Money(100), means.clone(), None).await;
    assert_eq!(topped_up.err(), taken);
    let payment = NewPayment { customer: eve, amount: Money(100), means, bill: None };
    assert_eq!(payments::record(&app.app, &app.actor, payment, None).await.err(), taken);
    door.done("collection_approval", &format!("userId={ali}&amount=2000&modelId={id}")).await;
}

/// Collected money is a payment only when it is approved: it settles what is owed, the rest is the customer's.
async fn collected_cash_waits_for_approval(app: TestApp) {
    let door = Door::open(&app).await;
    let ali = app.customer("ali", app.gold).await;
    let before = app.ledger().await;
    let bill = service::receivables::bills::NewBill {
        customer: ali.customer,
        amount: Money(174_000),
        due: None,
        description: None,
    };
    service::receivables::bills::create(&app.app, &app.actor, bill, None).await.expect("a bill");
    let owner = match app.actor.who {
        service::Who::Staff(id) => id,
        other => panic!("{other:?}"),
    };
    let user = ali.customer;
    door.done("assign_users_to_admin", &format!("userId={user}&accountId=top&adminId={owner}")).await;
    let rows = door.done("get_collection_users_areawise", &format!("adminId={owner}&userWithBalance=1")).await;
    assert_eq!(rows["data"][0][0]["0"]["balance"], "1740.000");

    let visit = format!("userId={user}&amount=2000&statusOfCollection=cashCollected&method=cash&notes=x");
    door.done("collect_user_payment", &visit).await;
    let waiting = door.done("get_collection_approval_users", "").await;
    let taken = &waiting["data"][0][0]["PaymentCollectionMode"];
    assert_eq!(taken["amount"], "2000");
    let id = taken["paymentcollectionId"].as_str().expect("an id").to_string();
    assert!(!app.ledger().await.contains("float:staff"), "nothing is booked before approval");

    for amount in ["0", "-1", "2000.01"] {
        let (status, _) =
            door.post("collection_approval", &format!("userId={user}&amount={amount}&modelId={id}")).await;
        assert_eq!(status, 400, "{amount} of 2000 collected");
    }
    // 1500 of the 2000 came in: the rest waits for itself, under a number of its own.
    door.done("collection_approval", &format!("userId={user}&amount=1500&modelId={id}")).await;
    let (status, _) = door.post("collection_approval", &format!("userId={user}&amount=500&modelId={id}")).await;
    assert_eq!(status, 400, "approved once");
    let waiting = door.done("get_collection_approval_users", "").await;
    let rest = &waiting["data"][0][0]["PaymentCollectionMode"];
    assert_eq!(rest["amount"], "500");
    let rest = rest["paymentcollectionId"].as_str().expect("an id").to_string();
    assert_ne!(rest, id);
    door.done("collection_approval", &format!("userId={user}&amount=500&modelId={rest}")).await;
    let ledger = app.ledger().await;
    assert!(ledger.contains(&format!("float:staff:{owner} 200000")), "{ledger}");
    assert!(ledger.contains(&format!("wallet:customer:{user} -26000")), "{ledger}");
    assert!(!before.contains("float"));

    door.done("collect_user_payment", &visit).await;
    let waiting = door.done("get_collection_approval_users", "").await;
    let id = waiting["data"][0][0]["PaymentCollectionMode"]["paymentcollectionId"].as_str().expect("an id").to_string();
    door.done("collection_disapproval", &format!("userId={user}&modelId={id}")).await;
    assert_eq!(app.ledger().await, ledger, "what is disapproved is not booked");
}

/// 1500.00 paid for 30 days, moved to 3000.00 after ten: two thirds come back, the rest of the new price is owed.
async fn a_move_gives_back_what_is_left_and_bills_the_new_period(app: TestApp) {
    let door = Door::open(&app).await;
    let ali = app.customer("ali", app.gold).await;
    let fast = app.plan("fast", |plan| plan.price = Money(300_000)).await;
    app.pass(days(10)).await;
    let flags = "clearUserDataUsage=no&clearUserPolicies=no&moveBilling=yes";
    let (user, group) = (ali.customer, fast);
    door.done("move_group", &format!("userId={user}&groupId={group}&type=MOVEIMMEDIATELY&{flags}")).await;
    let row = app.row(ali).await;
    assert_eq!((row.plan_id, row.expires_at), (fast, Some(app.app.clock.now().plus(days(30)))));
    let ledger = app.ledger().await;
    assert!(ledger.contains(&format!("receivable:customer:{user} 200000")), "{ledger}");

    // At the end of the period the line goes back; what was ordered before that is replaced.
    let (status, _) = door.post("move_group", &format!("userId={user}&groupId={group}&type=customDate&{flags}")).await;
    assert_eq!(status, 400, "a day is needed");
    let gold = app.gold;
    door.done("move_group", &format!("userId={user}&groupId={gold}&type=nextbillingCycle&{flags}")).await;
    app.pass(days(29)).await;
    assert_eq!(app.row(ali).await.plan_id, fast);
    app.pass(days(2)).await;
    assert_eq!(app.row(ali).await.plan_id, gold);
    assert_eq!(app.ledger().await, ledger, "the next period is billed when it is sold");
}

async fn grace_lets_in_who_was_out(app: TestApp) {
    let door = Door::open(&app).await;
    let ali = app.customer("ali", app.gold).await;
    app.pass(days(31)).await;
    assert!(app.nas.login(login("ali")).await.starts_with("Access-Reject"));
    let said = door.done("add_grace_period", &format!("userId={}&days=2", ali.customer)).await;
    assert_eq!(said["message"], format!("Additional 2 days has been extended for this user{}", ali.customer));
    assert!(app.nas.login(login("ali")).await.starts_with("Access-Accept"));
    assert_eq!(app.row(ali).await.expires_at, Some(app.app.clock.now().plus(days(2))));
}

/// What the port counted is what was sent to it.
async fn figures_are_those_of_the_port(app: TestApp) {
    let door = Door::open(&app).await;
    app.customer("ali", app.gold).await;
    for password in ["secret", "wrong", "secret"] {
        app.nas.login(Login { password, ..login("ali") }).await;
    }
    let (status, lines) = door.get("get_radius_statistics/1").await;
    let lines: Vec<&str> = lines.as_array().expect("lines").iter().filter_map(Value::as_str).collect();
    assert_eq!(status, 200);
    for line in ["Total-Access-Requests = 3", "Total-Access-Accepts = 2", "Total-Access-Rejects = 1"] {
        assert!(lines.contains(&line), "{line} in {lines:?}");
    }
}

/// The branch's credential sees its own; the whole Isp's may act for it; a read-only one writes nothing.
async fn accounts_and_rights(app: TestApp) {
    let top = Door::open(&app).await;
    let branch = branches::open(&app.app, &app.actor, "North", "north").await.expect("a branch");
    let north = Door::of(&app, &app.actor, "north", Some(branch), None).await;
    let ali = app.customer("ali", app.gold).await;
    assert_eq!(top.get("get_all_user_ids").await.1, serde_json::json!([ali.customer.to_string()]));
    assert_eq!(north.get("get_all_user_ids").await.1, serde_json::json!([]));
    assert_eq!(north.get(&format!("get_details/{}", ali.customer)).await.0, 403);
    assert_eq!(north.get("get_users_count/top").await.0, 403);
    assert_eq!(top.get("get_users_count/nobody").await.0, 404);
    assert_eq!(top.get("get_users_count/north").await.1["message"]["total"], 0);
    assert_eq!(top.get("get_all_user_ids?accountId=north").await.1, serde_json::json!([]));

    let reader = Some(Scopes::of(&[Scope::CustomersRead]));
    let reader = Door::of(&app, &app.actor, "reader", None, reader).await;
    assert_eq!(reader.get(&format!("get_details/{}", ali.customer)).await.0, 200);
    for path in [format!("get_user_password/{}", ali.customer), format!("delete_user/{}", ali.customer)] {
        assert_eq!(reader.get(&path).await.0, 403, "{path}");
    }
    assert_eq!(reader.post("add_area", "areaName=x").await.0, 403);
    let (status, body) = Door { credential: "Basic eA==".into(), ..top }.get("get_all").await;
    assert_eq!((status, &body["status"], &body["errorCode"]), (401, &"failure".into(), &401.into()));
}

/// No field of any call makes the server fail, or answer in another shape.
async fn hostile_fields_are_refused_in_the_vendors_shape(app: TestApp) {
    let door = Door::open(&app).await;
    let ali = app.customer("ali", app.gold).await;
    let user = ali.customer;
    let fields = [
        "userId",
        "groupId",
        "type",
        "clearUserDataUsage",
        "clearUserPolicies",
        "moveBilling",
        "customDateTo",
        "days",
        "expiryDate",
        "areaName",
        "inputAreaId",
        "streetName",
        "inputStreetId",
        "blockName",
        "adminId",
        "amount",
        "modelId",
        "statusOfCollection",
        "method",
        "bandwidthRestriction",
        "bandwidthReset",
        "bandwidthTemplate",
        "vendorRestriction",
        "vendorReset",
        "vendorData",
        "templateName",
        "whichIpMacRow",
        "fromDate",
        "toDate",
        "phone",
        "email",
        "accountId",
        "username",
        "password",
        "userGroupId",
        "userName",
        "state",
        "subject",
    ];
    let values = [
        "",
        "-1",
        "0",
        "99999999999999999999999999",
        "1e400",
        "NaN",
        "%00",
        "a%00b",
        "%FF%FE",
        "%F0%9F%92%A9",
        "%27%3B%20drop%20table%20customer%3B--",
        "30-02-2026",
        "9999-99-99",
        "0000-00-00",
        "999999999-01-01",
        "on",
    ];
    for route in jaze::ROUTES.iter().filter(|route| route.method == "POST") {
        let path = route.path.trim_start_matches("/api/v1/");
        for value in values {
            let all: Vec<String> = fields.iter().map(|field| format!("{field}={value}")).collect();
            let known: Vec<String> = fields[1..].iter().map(|field| format!("{field}={value}")).collect();
            for form in [all.join("&"), format!("userId={user}&{}", known.join("&")), format!("userId[a][b]={value}")] {
                let (status, body) = door.post(path, &form).await;
                assert!(status < 500, "{path} {value}: {status} {body}");
                assert!(body.is_object() || body.is_array(), "{path} {value}: {body}");
                if status >= 400 {
                    assert_eq!(body["status"], "failure", "{path} {value}: {body}");
                    assert_eq!(body["errorCode"], status, "{path} {value}: {body}");
                }
            }
        }
        let bombs = ["a[b][c][d][e][f]=1".to_string(), "vendorData[]=1&".repeat(1500), "x".repeat(300_000)];
        for bomb in bombs {
            let (status, body) = door.post(path, &bomb).await;
            assert!((400..500).contains(&status) || status == 200, "{path}: {status} {body}");
        }
    }
    assert_eq!(app.row(ali).await.customer_id, user);
}

async fn attributes_are_checked_against_the_dictionary(app: TestApp) {
    let door = Door::open(&app).await;
    let ali = app.customer("ali", app.gold).await;
    let row = |attribute: &str, op: &str, value: &str| {
        format!(
            "userId={}&vendorRestriction=on&vendorReset=always&vendorData[0][type]=reply&vendorData[0][vendor]=x\
             &vendorData[0][attribute]={attribute}&vendorData[0][equals]={op}&vendorData[0][value]={value}",
            ali.customer
        )
    };
    for (attribute, op, value) in [
        ("No-Such", ":=", "1"),
        ("Session-Timeout", ":=", "soon"),
        ("Session-Timeout", ":=", "99999999999"),
        ("Session-Timeout", "~~", "60"),
        ("Reply-Message", ":=", "a%0Ab"),
    ] {
        let (status, body) = door.post("override_user_vendor_attributes", &row(attribute, op, value)).await;
        assert_eq!(status, 400, "{attribute} {op} {value}: {body}");
    }
    door.done("override_user_vendor_attributes", &row("Mikrotik-Rate-Limit", ":=", "5M/5M")).await;
    assert!(app.nas.login(login("ali")).await.contains("5M/5M"));
    door.done("override_user_vendor_attributes", &format!("userId={}", ali.customer)).await;
    assert!(!app.nas.login(login("ali")).await.contains("5M/5M"));
}

/// The router's own word on what it was told, and attributes that change beyond a limit.
async fn the_router_is_asked_and_follows_a_limit(app: TestApp) {
    let door = Door::open(&app).await;
    let ali = app.customer("ali", app.gold).await;
    let user = ali.customer;
    let say = format!("userId={user}&vendorData[0][attribute]=Mikrotik-Rate-Limit&vendorData[0][value]=3M/3M");
    assert_eq!(door.done("coa_request", &say).await["message"], serde_json::json!(["FALSE"]), "nobody is there");
    app.nas.login(login("ali")).await;
    app.nas.report(started("ali", "s1")).await;
    assert_eq!(door.done("coa_request", &say).await["message"], serde_json::json!(["TRUE"]));
    assert!(app.nas.orders(1).await[0].contains("3M/3M"));
    app.nas.refuse(Some(404));
    assert_eq!(door.done("coa_request", &say).await["message"], serde_json::json!(["FALSE"]));
    app.nas.orders(1).await;
    app.nas.refuse(None);

    let row = |list: &str, rate: &str| {
        format!(
            "&{list}[0][type]=reply&{list}[0][vendor]=x&{list}[0][attribute]=Mikrotik-Rate-Limit\
             &{list}[0][equals]=:=&{list}[0][value]={rate}"
        )
    };
    let limit = "vendorReset=data&vendorResetLimit=1&vendorResetUnitData=mb&vendorResetEvery=never&vendorReset2=always";
    let form = format!(
        "userId={user}&vendorRestriction=on&{limit}{}{}",
        row("vendorData", "5M/5M"),
        row("vendorData1", "1M/1M")
    );
    door.done("override_user_vendor_attributes", &form).await;
    assert!(app.nas.login(login("ali")).await.contains("5M/5M"));
    app.nas.report(interim("ali", "s1", 60, 600_000, 600_000)).await;
    app.event("fup.crossed").await;
    let said = app.nas.login(login("ali")).await;
    assert!(said.contains("1M/1M"), "{said}");

    // The bandwidth's override may have the same limit, and no other one.
    let rate = app.bandwidth;
    let own = |mb: i64| {
        format!(
            "userId={user}&bandwidthRestriction=on&bandwidthReset=data&bandwidthResetLimit={mb}\
             &bandwidthResetUnitData=mb&bandwidthResetEvery=never&bandwidthReset2=always&bandwidthTemplate={rate}\
             &bandwidthTemplate2={rate}"
        )
    };
    let none = format!("userId={user}");
    for form in [&own(2), &none] {
        assert_eq!(door.post("override_user_bandwidth", form).await.0, 400, "{form}");
    }
    door.done("override_user_bandwidth", &own(1)).await;
    door.done("override_user_vendor_attributes", &none).await;
    door.done("override_user_bandwidth", &none).await;
}

both!(
    the_router_is_asked_and_follows_a_limit,
    collected_cash_waits_for_approval,
    nobody_takes_a_collections_name,
    a_move_gives_back_what_is_left_and_bills_the_new_period,
    grace_lets_in_who_was_out,
    figures_are_those_of_the_port,
    accounts_and_rights,
    hostile_fields_are_refused_in_the_vendors_shape,
    attributes_are_checked_against_the_dictionary,
);
