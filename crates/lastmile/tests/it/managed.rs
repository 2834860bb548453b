//! What version 2 manages for the other dialects: zones with Jaze's credentials, places, departments, salespeople, the
//! sale of a next period.

use axum::{
    body::Body,
    http::{Request, header::AUTHORIZATION},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{Status, kernel::clock::DAY};
use doors::{Gate, Log};
use serde_json::{Value, json};
use service::customers::beside::{Beside, ProfileChange};
use tower::ServiceExt;

use crate::{
    app::TestApp,
    both,
    home::{Api, token},
};

use service::Refusal;

both!(
    zones_and_their_pairs,
    places_and_who_is_in_them,
    salespeople_and_their_wallets,
    an_expired_line_is_recharged_not_switched_on,
);

/// Version 2 with a token that may do everything.
struct V2 {
    api: Api,
    token: String,
}

impl V2 {
    async fn over(app: &TestApp) -> V2 {
        let api = Api::over(app);
        let token = token(&api, app, None).await;
        V2 { api, token }
    }

    /// The answer's body, which came with this status.
    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: Value, status: u16) -> impl Future<Output = Value> {
        let path = format!("/api/v2/{path}");
        async move { self.api.with(&self.token, method, &path, body).await.is(status) }
    }

    async fn get(&self, path: &str) -> Value {
        self.ask("GET", path, Value::Null, 200).await["data"].clone()
    }
}

/// A Jaze call with a pair: the status of its answer.
async fn jaze_answers(app: &TestApp, credentials: &Value, path: &str) -> u16 {
    let text = |name: &str| credentials[name].as_str().expect("a credential").to_string();
    let basic = STANDARD.encode(format!("{}:{}", text("api_token"), text("api_key")));
    let request = Request::get(path).header(AUTHORIZATION, format!("Basic {basic}")).body(Body::empty());
    let router = jaze::router(app.app.clone(), Gate::default(), Log::default());
    router.oneshot(request.expect("a request")).await.expect("an answer").status().as_u16()
}

async fn zones_and_their_pairs(app: TestApp) {
    let v2 = V2::over(&app).await;
    let zones = v2.get("zones").await;
    let head = zones[0]["id"].as_i64().expect("an id");
    assert_eq!((zones[0]["is_head_office"].clone(), zones[0]["account"].clone()), (json!(true), Value::Null));
    let named = v2.ask("PUT", &format!("zones/{head}"), json!({ "account": "top" }), 200).await;
    assert_eq!(named["data"]["account"], "top");
    let north =
        v2.ask("POST", "zones", json!({ "name": "North", "account": "north" }), 201).await["data"]["id"].clone();
    let inner = json!({ "name": "North hill", "account": "hill", "parent_id": north });
    let hill = v2.ask("POST", "zones", inner, 201).await["data"]["id"].clone();
    // names are one another's, whatever their case; a zone does not lie in itself
    for (body, field) in [
        (json!({ "account": "Top" }), "account"),
        (json!({ "account": "a b" }), "account"),
        (json!({ "parent_id": hill }), "parent_id"),
        (json!({ "parent_id": north }), "parent_id"),
        (json!({ "parent_id": 999_999 }), "parent_id"),
    ] {
        let refused = v2.ask("PUT", &format!("zones/{north}"), body.clone(), 422).await;
        assert!(refused["error"]["details"][field].is_array(), "{body}: {refused}");
    }
    v2.ask("PUT", &format!("zones/{head}"), json!({ "parent_id": north }), 422).await;
    // a pair of the zone, and one of the whole
    let of = |branch: Value| json!({ "type": "pair", "name": "collectors", "branch_id": branch });
    let whole = v2.ask("POST", "clients", of(Value::Null), 201).await["data"].clone();
    let pair = v2.ask("POST", "clients", of(north.clone()), 201).await["data"].clone();
    let (count, own) = ("/api/v1/get_users_count/north", &pair["credentials"]);
    let other = "/api/v1/get_users_count/top";
    assert_eq!(jaze_answers(&app, own, count).await, 200);
    assert_eq!(jaze_answers(&app, own, other).await, 403, "a zone does not act for the whole");
    for path in [count, other] {
        assert_eq!(jaze_answers(&app, &whole["credentials"], path).await, 200, "{path}");
    }
    // a new key, with the old one good for a while and then not
    let id = &pair["client"]["id"];
    let new = v2.ask("POST", &format!("clients/{id}/rotate"), json!({ "overlap_seconds": 60 }), 200).await;
    assert_eq!(jaze_answers(&app, own, count).await, 200);
    assert_eq!(jaze_answers(&app, &new["data"], count).await, 200);
    app.app.clock.pass(crate::app::seconds(60));
    assert_eq!(jaze_answers(&app, own, count).await, 401);
    assert_eq!(jaze_answers(&app, &new["data"], count).await, 200);
    let last = v2.ask("POST", &format!("clients/{id}/rotate"), json!({}), 200).await;
    assert_eq!(jaze_answers(&app, &new["data"], count).await, 401);
    // not while anything is in it
    for (zone, by) in [(&north, "zones below it"), (&json!(head), "the whole provider")] {
        let refused = v2.ask("DELETE", &format!("zones/{zone}"), Value::Null, 409).await;
        assert!(refused["error"]["message"].as_str().expect("a text").contains(by), "{refused}");
    }
    v2.ask("DELETE", &format!("zones/{hill}"), Value::Null, 204).await;
    let refused = v2.ask("DELETE", &format!("zones/{north}"), Value::Null, 409).await;
    assert!(refused["error"]["message"].as_str().expect("a text").contains("API clients"), "{refused}");
    v2.ask("DELETE", &format!("clients/{id}"), Value::Null, 204).await;
    assert_eq!(jaze_answers(&app, &last["data"], count).await, 401);
    v2.ask("DELETE", &format!("zones/{north}"), Value::Null, 204).await;
    v2.ask("GET", &format!("zones/{north}"), Value::Null, 404).await;
    assert_eq!(jaze_answers(&app, &whole["credentials"], count).await, 404, "the account is gone");
    // an operator's branch goes with the operator
    let operator = v2.ask("POST", "operators", json!({ "name": "Op", "email": "op@example.com" }), 201).await;
    let zones = v2.get("zones").await;
    assert_eq!(zones[1]["operator_id"], operator["data"]["id"]);
    v2.ask("DELETE", &format!("zones/{}", zones[1]["id"]), Value::Null, 409).await;
}

async fn places_and_who_is_in_them(app: TestApp) {
    let v2 = V2::over(&app).await;
    let made = async |level: &str, name: &str, parent: &Value| {
        let body = json!({ "name": name, "parent_id": parent });
        v2.ask("POST", &format!("places/{level}"), body, 201).await["data"]["id"].clone()
    };
    let country = made("country", "Kenya", &Value::Null).await;
    let province = made("province", "Nairobi County", &country).await;
    let city = made("city", "Nairobi", &province).await;
    let area = made("area", "Westlands", &city).await;
    let westlands = made("collection_area", "Westlands", &Value::Null).await;
    let street = made("street", "Waiyaki Way", &westlands).await;
    let building = made("building", "Acacia Court", &street).await;
    let department = v2.ask("POST", "departments", json!({ "name": "Sales" }), 201).await["data"]["id"].clone();
    for (level, body, field) in [
        ("country", json!({ "name": "x", "parent_id": country }), "parent_id"),
        ("city", json!({ "name": "x", "parent_id": 999_999 }), "parent_id"),
        ("street", json!({ "name": "x" }), "parent_id"),
        ("building", json!({ "name": " ", "parent_id": street }), "name"),
    ] {
        let refused = v2.ask("POST", &format!("places/{level}"), body.clone(), 422).await;
        assert!(refused["error"]["details"][field].is_array(), "{level} {body}: {refused}");
    }
    v2.ask("GET", "places/department", Value::Null, 404).await;
    v2.ask("GET", "places/planet", Value::Null, 404).await;
    // a customer in all of them
    let ali = app.customer("ali", app.gold).await;
    let id = |value: &Value| value.as_i64();
    let profile = ProfileChange {
        places: [Some(id(&country)), Some(id(&province)), Some(id(&city)), Some(id(&area)), None],
        department: Some(id(&department)),
        ..ProfileChange::default()
    };
    let beside = Beside { profile, ..Beside::default() };
    app.update(ali, |edit| (edit.building, edit.beside) = (Some(id(&building)), beside)).await.expect("places");
    for (path, places, customers) in [
        (format!("places/country/{country}"), 1, 1),
        (format!("places/city/{city}"), 1, 1),
        (format!("places/area/{area}"), 0, 1),
        (format!("places/collection_area/{westlands}"), 1, 1),
        (format!("places/street/{street}"), 1, 1),
        (format!("places/building/{building}"), 0, 1),
    ] {
        let shown = v2.get(&path).await;
        assert_eq!((&shown["places"], &shown["customers"]), (&json!(places), &json!(customers)), "{path}: {shown}");
        let refused = v2.ask("DELETE", &path, Value::Null, 409).await;
        let by = if places > 0 { "places in it" } else { "customers" };
        assert!(refused["error"]["message"].as_str().expect("a text").ends_with(&format!("{by}.")), "{refused}");
    }
    v2.ask("DELETE", &format!("departments/{department}"), Value::Null, 409).await;
    let listed = v2.ask("GET", &format!("places/city?parent_id={province}"), Value::Null, 200).await;
    assert_eq!((&listed["meta"]["total"], &listed["data"][0]["name"]), (&json!(1), &json!("Nairobi")));
    let listed = v2.ask("GET", &format!("places/city?parent_id={}", 999_999), Value::Null, 200).await;
    assert_eq!(listed["meta"]["total"], 0);
    // another name, with the tag that was read; then nobody is there any more
    let renamed = v2.ask("PUT", &format!("departments/{department}"), json!({ "name": "Shop" }), 200).await;
    assert_eq!((&renamed["data"]["name"], &renamed["data"]["customers"]), (&json!("Shop"), &json!(1)));
    v2.ask("DELETE", &format!("customers/{}", ali.customer), Value::Null, 204).await;
    v2.ask("DELETE", &format!("places/country/{country}"), Value::Null, 409).await;
    for path in [
        format!("departments/{department}"),
        format!("places/area/{area}"),
        format!("places/city/{city}"),
        format!("places/building/{building}"),
        format!("places/street/{street}"),
        format!("places/collection_area/{westlands}"),
    ] {
        v2.ask("DELETE", &path, Value::Null, 204).await;
        v2.ask("GET", &path, Value::Null, 404).await;
    }
    // levels have ids of their own: no other level lost a row
    v2.get(&format!("places/province/{province}")).await;
}

async fn salespeople_and_their_wallets(app: TestApp) {
    let v2 = V2::over(&app).await;
    let person = async |role: &str| {
        let body = json!({ "name": role, "email": format!("{role}@example.com"), "role": role });
        v2.ask("POST", "staff", body, 201).await["data"]["id"].as_i64().expect("an id")
    };
    let (seller, noc) = (person("salesperson").await, person("noc").await);
    let path = |what: &str| format!("staff/{seller}/{what}");
    let assigned = v2.ask("PUT", &path("packages"), json!({ "package_ids": [app.gold.0] }), 200).await;
    assert_eq!(assigned["data"][0]["package_id"], app.gold.0);
    let refused = v2.ask("PUT", &path("packages"), json!({ "package_ids": [app.gold.0, 999_999] }), 422).await;
    assert!(refused["error"]["details"]["package_ids"].is_array(), "{refused}");
    assert_eq!(v2.get(&path("packages")).await.as_array().map(Vec::len), Some(1), "as before");
    let funded = v2.ask("POST", &path("fund"), json!({ "amount": 2000, "reference": "R-1" }), 201).await;
    assert_eq!((&funded["data"]["balance"], &funded["data"]["method"]), (&json!(2000), &json!("cash")));
    for (who, body) in [(noc, json!({ "amount": 1 })), (seller, json!({ "amount": 0 })), (seller, json!({}))] {
        v2.ask("POST", &format!("staff/{who}/fund"), body, 422).await;
    }
    v2.ask("POST", "staff/999999/fund", json!({ "amount": 1 }), 404).await;
    assert_eq!(app.ledger().await, format!("cash:cash 200000, wallet:staff:{seller} -200000"));
    // what a seller pays and what customers pay have the same names for a salesperson as for an operator
    let priced = v2.ask("PUT", &path("prices"), json!({ "package_id": app.gold.0, "price": 900 }), 200).await;
    let operator = json!({ "name": "Western Net", "email": "west@example.com" });
    let operator = v2.ask("POST", "operators", operator, 201).await["data"]["id"].clone();
    let body = json!({ "package_id": app.gold.0, "price": 900 });
    let same = v2.ask("PUT", &format!("operators/{operator}/prices"), body, 200).await;
    assert_eq!(priced["data"], same["data"]);
    let prices = (&priced["data"]["price"], &priced["data"]["customer_price"], &priced["data"]["own"]);
    assert_eq!(prices, (&json!(900), &json!(1500), &json!(true)));
    let as_anybody = v2.ask("PUT", &path("prices"), json!({ "package_id": app.gold.0 }), 200).await;
    let prices = (&as_anybody["data"]["price"], &as_anybody["data"]["customer_price"], &as_anybody["data"]["own"]);
    assert_eq!(prices, (&json!(1500), &json!(1500), &json!(false)));
    // an activation that the salesperson pays comes out of it
    let ali = app.customer("ali", app.gold).await;
    let salesperson = Some(Some(domain::StaffId(seller)));
    let profile = ProfileChange { salesperson, ..ProfileChange::default() };
    app.update(ali, |edit| edit.beside.profile = profile).await.expect("a salesperson");
    let activation = || service::sales::activation::Activation {
        customer: ali.customer,
        plan: None,
        payment: service::sales::activation::Payments::Salesperson,
        expires_at: None,
        within: None,
    };
    app.pass(40 * DAY).await;
    // the token's half hour is over
    let v2 = V2::over(&app).await;
    service::sales::activation::activate(&app.app, &app.actor, activation(), None).await.expect("activated");
    assert_eq!(v2.get(&format!("staff/{seller}")).await["balance"], 500);
    let moved = v2.get(&path("ledger")).await;
    let moved: Vec<_> = moved.as_array().expect("rows").iter().map(|row| (&row["kind"], &row["amount"])).collect();
    assert_eq!(moved, [(&json!("activation"), &json!(-1500)), (&json!("staff_funding"), &json!(2000))]);
    // what may no longer be sold is not
    v2.ask("PUT", &path("packages"), json!({ "package_ids": null }), 200).await;
    app.pass(40 * DAY).await;
    let refused = service::sales::activation::activate(&app.app, &app.actor, activation(), None).await;
    assert_eq!(refused, Err(service::Error::Refused(Refusal::SellerMayNot)));
}

async fn an_expired_line_is_recharged_not_switched_on(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    let path = format!("customers/{}", ali.customer);
    let recharge = format!("{path}/recharge");
    assert_eq!(app.row(ali).await.status, Status::Active);
    app.pass(40 * DAY).await;
    // the token's half hour is over
    let v2 = V2::over(&app).await;
    let refused = v2.ask("PUT", &path, json!({ "status": "active", "name": "Other" }), 422).await;
    assert!(refused["error"]["details"]["status"][0].as_str().expect("a text").contains("recharge"), "{refused}");
    assert_ne!(v2.get(&path).await["name"], "Other", "nothing was changed");
    v2.ask("PUT", &path, json!({ "name": "Other" }), 200).await;
    // by each payer
    for (body, status) in [
        (json!({ "payer": "wallet" }), 422),
        (json!({ "payer": "operator" }), 422),
        (json!({ "payer": "wallet", "method": "cash" }), 422),
        (json!({ "method": "wallet" }), 422),
        (json!({ "package_id": 999_999 }), 422),
        (json!({ "payer": "complimentary" }), 201),
    ] {
        let came = v2.ask("POST", &recharge, body.clone(), status).await;
        assert!(status == 422 || came["data"]["amount"] == 0, "{body}: {came}");
    }
    let until = v2.get(&path).await["expires_at"].clone();
    v2.ask("PUT", &path, json!({ "status": "active" }), 200).await;
    // once, however often it is asked
    let bearer = format!("Bearer {}", v2.token);
    let keyed = [("authorization", bearer.as_str()), ("idempotency-key", "k-1")];
    let full = format!("/api/v2/{recharge}");
    let body = json!({ "method": "bKash", "send_receipt": true });
    let first = v2.api.call("POST", &full, &keyed, body.clone()).await.is(201);
    assert_eq!(v2.api.call("POST", &full, &keyed, body).await.is(201), first);
    assert_eq!((&first["data"]["amount"], &first["data"]["currency"]), (&json!(1500), &json!("KES")));
    assert_ne!(first["data"]["expires_at"], until, "from the end of the running period on");
    assert!(app.ledger().await.contains("cash:bkash 150000,"), "one payment: {}", app.ledger().await);
    v2.ask("POST", "customers/999999/recharge", json!({}), 404).await;
    // an operator's customer, on the operator's account
    let operator = v2.ask("POST", "operators", json!({ "name": "Op", "email": "op@example.com" }), 201).await;
    let id = operator["data"]["id"].as_i64().expect("an id");
    let branch = v2.get("zones").await[1]["id"].as_i64().expect("a branch");
    let within = service::Actor { branch: Some(domain::BranchId(branch)), ..app.actor.clone() };
    v2.ask("POST", &format!("operators/{id}/fund"), json!({ "amount": 4000 }), 201).await;
    let bea = app.try_customer_of(&within, "bea", |_| {}).await.expect("a customer");
    let of_bea = format!("customers/{}/recharge", bea.customer);
    v2.ask("POST", &of_bea, json!({ "payer": "operator" }), 201).await;
    assert_eq!(v2.get(&format!("operators/{id}")).await["balance"], 1000);
    v2.ask("POST", &of_bea, json!({ "payer": "operator" }), 422).await;
    v2.ask("POST", &of_bea, json!({ "payer": "cash" }), 201).await;
    assert_eq!(v2.get(&format!("operators/{id}")).await["balance"], 1000, "the provider's own sale");
}
