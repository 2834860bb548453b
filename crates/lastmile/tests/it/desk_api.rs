//! Webhooks, SMS and complaints over HTTP: the document's examples and what surrounds them.

use std::net::SocketAddr;

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Request, header::CONTENT_TYPE},
};
use domain::{Scope, Scopes};
use doors::{Dispatch, Gate, Log};
use serde_json::{Value, json};
use service::{
    identity::{
        clients::{self, NewOauthClient, Tier},
        tokens,
    },
    messages::sms,
    webhooks::notices::NAMES,
};
use tower::ServiceExt;
use worker::{
    outgoing::{Sender, Settings},
    webhooks::pass,
};

use crate::{app::TestApp, both};

both!(webhooks_as_documented, sms_as_documented, complaints_over_http,);

struct Api {
    test: TestApp,
    router: Router,
    token: String,
    v1: String,
}

struct Came {
    status: u16,
    headers: HeaderMap,
    json: Value,
}

impl Came {
    #[track_caller]
    fn is(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.json);
        self.json
    }
}

impl Api {
    async fn over(test: TestApp) -> Api {
        let (core, gate, log) = (test.app.clone(), Gate::default(), Log::default());
        let router = Dispatch::new(core.clock.clone())
            .with(ispbills::v1(core.clone(), gate.clone(), log.clone()))
            .with(ispbills::v2(core, gate, log))
            .router();
        let mut api = Api { test, router, token: String::new(), v1: String::new() };
        api.token = api.token_for(None).await;
        let pair = tokens::sign_in(&api.test.app, "owner@example.com", "correct horse").await.expect("the owner");
        api.v1 = pair.access;
        api
    }

    async fn token_for(&self, scopes: Option<Scopes>) -> String {
        let command =
            NewOauthClient { name: "crm".into(), branch: None, tier: Tier::V2HighVolume, scopes, credentials: None };
        let issued = clients::create_oauth(&self.test.app, &self.test.actor, command).await.expect("a client");
        let granted = tokens::exchange(&self.test.app, &issued.client_id, &issued.client_secret).await;
        granted.expect("a token").access
    }

    async fn call(&self, token: &str, method: &str, path: &str, body: Value, headers: &[(&str, &str)]) -> Came {
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let bytes = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let mut request = request.header(CONTENT_TYPE, "application/json").body(bytes).expect("a request");
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4000))));
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        Came { status, headers, json: serde_json::from_slice(&bytes).unwrap_or_default() }
    }

    async fn get(&self, path: &str) -> Came {
        self.call(&self.token, "GET", path, Value::Null, &[]).await
    }

    async fn post(&self, path: &str, body: Value) -> Came {
        self.call(&self.token, "POST", path, body, &[]).await
    }

    async fn put(&self, path: &str, body: Value) -> Came {
        self.call(&self.token, "PUT", path, body, &[]).await
    }
}

async fn webhooks_as_documented(test: TestApp) {
    let api = Api::over(test).await;
    let asked = json!({
        "url": "https://your-server.example/webhooks/ispbills",
        "events": ["customer.created", "payment.received", "bill.generated"],
        "active": true
    });
    let made = api.post("/api/v2/webhooks", asked.clone()).await.is(201)["data"].clone();
    for field in ["url", "events", "active"] {
        assert_eq!(made[field], asked[field]);
    }
    let (id, secret) = (made["id"].as_i64().unwrap(), made["secret"].as_str().unwrap().to_string());
    let path = format!("/api/v2/webhooks/{id}");
    for listed in [api.get("/api/v2/webhooks").await.is(200), api.get(&path).await.is(200)] {
        assert!(!listed.to_string().contains(&secret), "the secret is shown once");
    }
    let events = api.get("/api/v2/webhooks/events?per_page=100").await.is(200);
    assert_eq!(events["data"].as_array().unwrap().len(), NAMES.len());

    // What is wrong is named.
    let wrong = json!({ "url": "nowhere", "events": ["customer.exploded"], "secret": "short" });
    let details = api.post("/api/v2/webhooks", wrong).await.is(422)["error"]["details"].clone();
    assert_eq!(details.as_object().unwrap().keys().collect::<Vec<_>>(), ["events", "secret", "url"]);
    for (method, path) in
        [("PUT", "/api/v2/webhooks/999"), ("DELETE", "/api/v2/webhooks/x"), ("GET", "/api/v2/webhooks/0")]
    {
        api.call(&api.token, method, path, json!({}), &[]).await.is(404);
    }
    api.post("/api/v2/webhooks/999/test", Value::Null).await.is(404);
    api.post(&format!("{path}/deliveries/77/replay"), Value::Null).await.is(404);

    // A copy that is no longer the row's is not written.
    let tag = api.get(&path).await.headers["etag"].to_str().unwrap().to_string();
    let off = json!({ "active": false });
    api.call(&api.token, "PUT", &path, off.clone(), &[("if-match", &tag)]).await.is(200);
    api.call(&api.token, "PUT", &path, json!({ "active": true }), &[("if-match", &tag)]).await.is(412);
    api.post(&format!("{path}/test"), Value::Null).await.is(422);

    // Nobody listens at this address: the log says so.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let sender = Sender::new(Settings { allow_private: true, ..Settings::default() }).unwrap();
    api.put(&path, json!({ "active": true, "url": "http://127.0.0.1:9/" })).await.is(200);
    let sent = api.post(&format!("{path}/test"), Value::Null).await.is(200)["data"].clone();
    assert_eq!((&sent["state"], &sent["body"]["data"]["webhook_id"]), (&"pending".into(), &id.into()));
    pass(&api.test.app, &sender).await.unwrap();
    let log = api.get(&format!("{path}/deliveries?state=pending")).await.is(200);
    let entry = &log["data"][0];
    assert_eq!(
        (&log["meta"]["total"], &entry["attempts"], &entry["log"][0]["attempt"]),
        (&1.into(), &1.into(), &1.into())
    );
    assert!(entry["last_error"].as_str().unwrap().starts_with("no connection"), "{entry}");
    api.get(&format!("{path}/deliveries?state=lost")).await.is(422);
    api.post(&format!("{path}/deliveries/{}/replay", entry["id"]), Value::Null).await.is(422);

    let rotated = api.post(&format!("{path}/rotate"), json!({ "overlap_s": 60 })).await.is(200)["data"].clone();
    assert!(rotated["secret"] != secret.as_str() && rotated["previous_secret_until"].is_string());
    api.call(&api.token, "DELETE", &path, Value::Null, &[]).await.is(204);
    assert_eq!(api.get("/api/v2/webhooks").await.is(200)["data"], json!([]));
    let reader = api.token_for(Some(Scopes::of(&[Scope::WebhooksRead]))).await;
    api.call(&reader, "POST", "/api/v2/webhooks", asked, &[]).await.is(403);
}

async fn sms_as_documented(test: TestApp) {
    let api = Api::over(test).await;
    let thanks = "Dear customer, your payment of 1,500 BDT has been received. Thank you!";
    let asked = json!({ "phone": "01712345678", "message": thanks });
    let refused = api.post("/api/v2/sms/send", asked.clone()).await.is(422);
    assert!(refused["error"]["message"].as_str().unwrap().contains("top up"), "{refused}");
    let balance = api.post("/api/v2/sms/credits", json!({ "credits": 4821, "note": "order 7" })).await.is(200);
    assert_eq!(balance["data"]["balance"], 4821);
    let sent = api.post("/api/v2/sms/send", asked.clone()).await.is(200)["data"].clone();
    assert!(sent["message_id"].as_str().unwrap().starts_with("sms_v2_"), "{sent}");
    assert_eq!((&sent["status"], &sent["phone"]), (&"queued".into(), &"01712345678".into()));
    assert_eq!((&sent["credits_used"], &sent["credits_remaining"]), (&1.into(), &4820.into()));
    // The same key again: the same message, not another.
    for _ in 0..2 {
        let key = [("idempotency-key", "once")];
        let again = api.call(&api.token, "POST", "/api/v2/sms/send", asked.clone(), &key).await.is(200);
        assert_eq!(again["data"]["credits_remaining"], 4819);
    }
    let broadcast = json!({
        "phones": ["01712345678", "01898765432", "01611223344"],
        // The dash is outside the GSM alphabet, so these 84 characters are two segments.
        "message": "Scheduled maintenance tonight from 02:00–04:00 AM. Service may be briefly interrupted."
    });
    let sent = api.post("/api/v2/sms/broadcast", broadcast).await.is(200)["data"].clone();
    assert_eq!((&sent["recipients"], &sent["credits_used"]), (&3.into(), &6.into()));
    let batch = sent["batch_id"].as_str().unwrap();
    let history = api.get(&format!("/api/v2/sms/history?batch_id={batch}&per_page=2")).await.is(200);
    assert_eq!((&history["meta"]["total"], &history["meta"]["last_page"]), (&3.into(), &2.into()));
    let details = api.post("/api/v2/sms/broadcast", json!({})).await.is(422)["error"]["details"].clone();
    assert!(details["phones"].is_array() && details["message"].is_array());
    api.post("/api/v2/sms/broadcast", json!({ "phones": ["0171x"], "message": "Hello" })).await.is(422);
    let to = "/api/v2/sms/broadcast/customers";
    api.post(to, json!({ "status": "active", "message": "Hello" })).await.is(422);
    api.test.customer("ann", api.test.gold).await;
    let sent = api.post(to, json!({ "status": "active", "message": "Hello" })).await.is(200)["data"].clone();
    assert_eq!(sent["recipients"], 1);

    // Version 1 has the same purse and history.
    let invoice = "Your monthly invoice of 1,200 BDT has been generated. Please pay before April 20.";
    let asked = json!({ "phone": "01712345678", "message": invoice });
    let sent = api.call(&api.v1, "POST", "/api/v1/sms/send", asked, &[]).await.is(200)["data"].clone();
    assert!(sent["message_id"].as_str().unwrap().starts_with("sms_") && sent["credits_used"].is_null(), "{sent}");
    let balance = api.call(&api.v1, "GET", "/api/v1/sms/balance", Value::Null, &[]).await.is(200);
    assert_eq!(balance["data"]["balance"], sms::balance(&api.test.app, &api.test.actor).await.unwrap());
    let path = "/api/v1/sms/history?phone=01712345678&status=queued&from=2030-01-01&to=2030-01-01";
    let history = api.call(&api.v1, "GET", path, Value::Null, &[]).await.is(200);
    assert_eq!((&history["meta"]["total"], &history["data"][0]["message"]), (&4.into(), &invoice.into()));
    let none = api.call(&api.v1, "GET", "/api/v1/sms/history?to=2029-12-31", Value::Null, &[]).await.is(200);
    assert_eq!(none["meta"]["total"], 0);

    // Who may send may not mint.
    let sender = api.token_for(Some(Scopes::of(&[Scope::SmsSend, Scope::SmsRead]))).await;
    api.call(&sender, "POST", "/api/v2/sms/credits", json!({ "credits": 1 }), &[]).await.is(403);
    api.call(&sender, "GET", "/api/v2/sms/balance", Value::Null, &[]).await.is(200);
}

async fn complaints_over_http(test: TestApp) {
    let api = Api::over(test).await;
    let ann = api.test.customer("ann", api.test.gold).await.customer.0;
    let asked = json!({ "customer_id": ann, "subject": "No internet", "message": "Down since the morning" });
    let made = api.post("/api/v2/complaints", asked).await.is(201)["data"].clone();
    assert_eq!(
        (&made["status"], &made["priority"], &made["overdue"]),
        (&"open".into(), &"normal".into(), &false.into())
    );
    assert_eq!(
        (&made["created_at"], &made["due_at"]),
        (&"2029-12-31T21:00:00Z".into(), &"2030-01-01T21:00:00Z".into())
    );
    let details = api.post("/api/v2/complaints", json!({})).await.is(422)["error"]["details"].clone();
    assert_eq!(details.as_object().unwrap().keys().collect::<Vec<_>>(), ["customer_id", "message", "subject"]);
    let unknown = json!({ "customer_id": 999, "subject": "x", "message": "y", "assigned_to": 1 });
    assert!(api.post("/api/v2/complaints", unknown).await.is(422)["error"]["details"]["customer_id"].is_array());

    let path = format!("/api/v2/complaints/{}", made["id"]);
    let tag = api.get(&path).await.headers["etag"].to_str().unwrap().to_string();
    let change = json!({ "status": "in_progress", "priority": "urgent", "department": "field" });
    let seen = api.call(&api.token, "PUT", &path, change.clone(), &[("if-match", &tag)]).await.is(200)["data"].clone();
    assert_eq!((&seen["due_at"], &seen["department"]), (&"2030-01-01T01:00:00Z".into(), &"field".into()));
    api.call(&api.token, "PUT", &path, json!({ "status": "open" }), &[("if-match", &tag)]).await.is(412);
    api.put(&path, json!({ "assigned_to": 999 })).await.is(422);
    api.put(&path, json!({ "status": "lost" })).await.is(422);
    let comment = api.post(&format!("{path}/comments"), json!({ "comment": "On my way" })).await.is(201);
    assert!(comment["data"]["author"].as_str().unwrap().starts_with("api:"), "{comment}");
    let closed = api.post(&format!("{path}/close"), json!({ "comment": "New plug" })).await.is(200)["data"].clone();
    assert_eq!(closed["status"], "closed");
    assert_eq!(api.get(&format!("{path}/comments")).await.is(200)["meta"]["total"], 2);
    for (query, total) in [
        (format!("customer_id={ann}"), 1),
        ("customer_id=999".into(), 0),
        ("status=closed&priority=urgent&department=field&category=general".into(), 1),
        ("status=open".into(), 0),
        ("overdue=true".into(), 0),
        ("from=2030-01-01&to=2030-01-01".into(), 1),
        ("from=2030-01-02".into(), 0),
        ("assigned_to=1".into(), 0),
    ] {
        let found = api.get(&format!("/api/v2/complaints?{query}")).await.is(200);
        assert_eq!(found["meta"]["total"], total, "{query}");
    }
    for rest in ["", "/comments"] {
        api.get(&format!("/api/v2/complaints/999{rest}")).await.is(404);
    }
    api.post("/api/v2/complaints/999/close", Value::Null).await.is(404);
    api.post("/api/v2/complaints/999/comments", json!({ "comment": "x" })).await.is(404);
}
