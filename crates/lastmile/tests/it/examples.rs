//! Every call of both ISPBills versions has an example that works, and each is refused without a credential. The OpenAPI
//! file in docs/ is the one the tables make.

use std::collections::{BTreeMap, BTreeSet};

use domain::Scopes;
use doors::Route;
use ispbills::examples::{EXAMPLES, Example};
use serde_json::{Value, json};
use service::{
    Class,
    webhooks::{self, NewWebhook},
};

use crate::{
    app::{TestApp, cash, seconds},
    home::{Api, client, failed_job},
    nas::started,
    whole,
};

pub fn routes() -> impl Iterator<Item = &'static Route> {
    ispbills::v1::ROUTES.iter().chain(ispbills::v2::ROUTES)
}

#[test]
fn every_call_has_an_example() {
    let all: BTreeSet<String> = routes().map(|route| format!("{} {}", route.method, route.path)).collect();
    let shown: BTreeSet<String> = EXAMPLES.iter().map(|example| example.call.to_string()).collect();
    let none = BTreeSet::<&String>::new();
    assert_eq!(shown.difference(&all).collect::<BTreeSet<_>>(), none, "examples of calls that are not there");
    let lacking: BTreeSet<_> = all.difference(&shown).collect();
    assert_eq!(lacking, none, "calls without an example in ispbills::examples");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_works() {
    let app = TestApp::sqlite().await;
    let api = Api::over(&app);
    let mut known = at_the_start(&app, &api).await;
    let mut failed = Vec::new();
    for example in EXAMPLES {
        let (method, path, body) = match asked(example, &known) {
            Ok(asked) => asked,
            Err(lacking) => {
                failed.push(lacking);
                continue;
            }
        };
        // Each write comes twice (`once::twice`), and no faster than a client may ask.
        app.app.clock.pass(seconds(4));
        // What was asked is in the log before it is read.
        api.log.write(&app.app).await.expect("the log");
        let token = if path.starts_with("/api/v2/") { &known["v2"] } else { &known["v1"] };
        // Tokens are no change of what a provider has; one that comes twice is void.
        if method != "GET" && !path.contains("/auth/") {
            let before = whole::everything(&app).await;
            app.app.broken.set(true);
            let refused = api.with(token, method, &path, body.clone()).await;
            app.app.broken.set(false);
            if whole::everything(&app).await != before {
                failed.push(format!(
                    "{method} {path}: it failed in its last part ({}) and left something",
                    refused.status
                ));
            }
        }
        let came = api.with(token, method, &path, body).await;
        let there = |place: &&&str| came.body.pointer(place).is_some_and(|value| !value.is_null());
        let missing: Vec<&&str> = example.has.iter().filter(|place| !there(place)).collect();
        if came.status != example.status || !missing.is_empty() {
            failed.push(format!("{method} {path}: {} without {missing:?}: {}", came.status, came.body));
            continue;
        }
        keep(example, &came.body, &mut known);
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// What stands for which `$name`.
pub type Known = BTreeMap<String, String>;

/// Method, path and body of an example; or what is lacking.
pub fn asked(example: &Example, known: &Known) -> Result<(&'static str, String, Value), String> {
    let (path, body) = (filled(example.path, known), filled(example.body, known));
    if path.contains('$') || body.contains('$') {
        return Err(format!("{} {}: what it needs is not there", example.call, example.path));
    }
    let method = example.call.split(' ').next().expect("a method");
    let body = match body.as_str() {
        "" => Value::Null,
        body => serde_json::from_str(body).unwrap_or_else(|error| panic!("{}: {error}", example.call)),
    };
    Ok((method, path, body))
}

/// Keeps of an answer what later examples need.
pub fn keep(example: &Example, answer: &Value, known: &mut Known) {
    if !example.keeps.is_empty() {
        known.insert(example.keeps.into(), answer["data"]["id"].to_string());
    }
    for (name, place) in example.also {
        let value = answer.pointer(place).unwrap_or_else(|| panic!("{}: no {place}", example.call));
        known.insert((*name).into(), value.as_str().map_or_else(|| value.to_string(), String::from));
    }
}

/// What examples begin with.
pub async fn at_the_start(app: &TestApp, api: &Api) -> Known {
    let ali = app.customer("ali", app.gold).await;
    app.recharge_as(ali, cash(), None).await.expect("a period");
    app.nas.report(started("ali", "s1")).await;
    let session = app.sessions(ali).await[0].id;
    let (_, client_id, client_secret) = client(app, None).await;
    let given = api.token(&client_id, &client_secret).await.is(200);
    let v2 = given["access_token"].as_str().expect("a token").to_string();
    let bearer = format!("Bearer {v2}");
    let body = json!({ "type": "token", "name": "version 1" });
    let old = api.call("POST", "/api/v2/clients", &[("authorization", &bearer)], body).await.is(201);
    let v1 = old["data"]["credentials"]["access_token"].as_str().expect("a token");
    let (lost_webhook, lost_delivery) = lost_delivery(app).await;
    let known = [
        ("lost_webhook", lost_webhook.to_string()),
        ("lost_delivery", lost_delivery.to_string()),
        ("v1", v1.to_string()),
        ("v2", v2),
        ("v1_client", old["data"]["client"]["id"].to_string()),
        ("client_id", client_id),
        ("client_secret", client_secret),
        ("customer", ali.customer.to_string()),
        ("gold", app.gold.to_string()),
        ("router", app.router.to_string()),
        ("session", session.to_string()),
        ("failed_job", failed_job(app).await.to_string()),
    ];
    known.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
}

/// A webhook and a delivery of it that never arrived.
async fn lost_delivery(app: &TestApp) -> (i64, i64) {
    let new = NewWebhook { url: "https://receiver.example/".into(), events: vec![], active: true, secret: None };
    let hook = webhooks::create(&app.app, &app.actor, Scopes::ALL, new).await.expect("a webhook").webhook.id;
    let delivery = webhooks::test(&app.app, &app.actor, hook).await.expect("a delivery").id;
    let isp = app.actor.isp;
    let dead = app.app.db.tx(Class::Interactive, async move |tx| {
        let text = "update delivery set state = 'dead' where isp_id = $1 and id = $2".to_string();
        tx.run(text, &[isp.into(), delivery.into()]).await
    });
    assert_eq!(dead.await.map_err(|error: store::db::Error| error).expect("it is given up"), 1);
    (hook, delivery)
}

/// `$name` as what it stands for; the longest name first, so that `$client` is not taken out of `$client_id`.
fn filled(text: &str, known: &Known) -> String {
    known.iter().rev().fold(text.to_string(), |text, (name, value)| text.replace(&format!("${name}"), value))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_works_without_a_credential() {
    let app = TestApp::sqlite().await;
    let api = Api::over(&app);
    for route in routes() {
        if matches!(route.path, "/api/auth/login" | "/api/auth/refresh" | "/api/v2/auth/token") {
            continue;
        }
        let path = route.path.replace("{id}", "1");
        for headers in [&[][..], &[("authorization", "Bearer v2_nonsense")]] {
            let came = api.call(route.method, &path, headers, json!({})).await;
            assert_eq!(came.status, 401, "{} {path}: {}", route.method, came.body);
        }
    }
}

/// What clients are made from is seen in reviews: the file changes with the tables.
#[test]
fn the_openapi_file_is_the_one_of_the_tables() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi/v2.json");
    let made = serde_json::to_string_pretty(&ispbills::docs::openapi_v2()).expect("a document") + "\n";
    if std::env::var_os("RENEW").is_some() {
        std::fs::write(path, &made).expect("the file");
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == made, "docs/openapi/v2.json is out of date: RENEW=1 cargo test -p lastmile openapi_file");
}

#[test]
fn names_in_the_openapi_files_are_unique() {
    for document in [ispbills::docs::openapi_v1(), ispbills::docs::openapi_v2()] {
        let paths = document["paths"].as_object().expect("paths");
        let calls = paths.values().flat_map(|item| item.as_object().expect("calls").values());
        let names: Vec<&Value> = calls.map(|call| &call["operationId"]).collect();
        let unique: BTreeSet<String> = names.iter().map(|name| name.to_string()).collect();
        assert_eq!(unique.len(), names.len());
    }
}

/// What ISPBills' document has of version 2.
const DOCUMENTED: &[&str] = &[
    "POST /api/v2/auth/token",
    "POST /api/v2/auth/revoke",
    "GET /api/v2/customers",
    "POST /api/v2/customers",
    "GET /api/v2/customers/{id}",
    "PUT /api/v2/customers/{id}",
    "DELETE /api/v2/customers/{id}",
    "GET /api/v2/customers/{id}/bills",
    "GET /api/v2/customers/{id}/payments",
    "GET /api/v2/customers/{id}/subscriptions",
    "GET /api/v2/customers/{id}/usage",
    "GET /api/v2/billing/bills",
    "POST /api/v2/billing/bills",
    "GET /api/v2/billing/bills/{id}",
    "PUT /api/v2/billing/bills/{id}",
    "DELETE /api/v2/billing/bills/{id}",
    "GET /api/v2/billing/payments",
    "GET /api/v2/packages",
    "GET /api/v2/network/routers",
    "GET /api/v2/network/olts",
    "GET /api/v2/network/onus",
    "GET /api/v2/network/pools",
    "GET /api/v2/monitoring/zabbix/hosts",
    "GET /api/v2/monitoring/zabbix/problems",
    "GET /api/v2/monitoring/devices",
    "GET /api/v2/monitoring/status-checks",
    "GET /api/v2/sms/balance",
    "POST /api/v2/sms/send",
    "POST /api/v2/sms/broadcast",
    "GET /api/v2/vpn/accounts",
    "GET /api/v2/vpn/accounts/{id}/config",
    "GET /api/v2/webhooks",
    "POST /api/v2/webhooks",
    "PUT /api/v2/webhooks/{id}",
    "DELETE /api/v2/webhooks/{id}",
];

/// Every other call says that it is ours, and so does its description.
#[test]
fn what_is_home_is_what_the_vendor_has_not() {
    let calls = ispbills::v2::ROUTES.iter().zip(ispbills::v2::OPERATIONS);
    let name = |route: &Route| format!("{} {}", route.method, route.path);
    let theirs: BTreeSet<String> =
        calls.filter(|(_, operation)| !operation.home).map(|(route, _)| name(route)).collect();
    assert_eq!(theirs, DOCUMENTED.iter().map(|call| call.to_string()).collect());
    let document = ispbills::docs::openapi_v2();
    for route in ispbills::v2::ROUTES {
        let told = &document["paths"][route.path][route.method.to_lowercase()]["x-lastmile"];
        assert_eq!(told.as_bool().unwrap_or(false), !theirs.contains(&name(route)), "{}", name(route));
    }
}
