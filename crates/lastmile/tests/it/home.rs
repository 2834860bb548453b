//! Version 2 as home: a tag that is no longer right, rights that nobody may pass on, a router's own word, answers that
//! hold a secret.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request},
};
use domain::{Scopes, kernel::clock::MINUTE};
use doors::{Dispatch, Gate, Log};
use serde_json::{Value, json};
use service::identity::clients::{self, Form, Shown, Tier, Wanted};

use crate::{
    app::{TestApp, seconds},
    both,
    nas::started,
    once, whole,
};

both!(
    a_tag_that_is_no_longer_right,
    nobody_grants_more_than_it_may,
    a_session_ends_with_its_routers_word,
    a_repeat_shows_the_secret_again_and_the_database_does_not,
    a_secret_overlaps_and_ends,
    tokens_are_asked_for_at_the_tiers_rate,
    a_branch_does_not_see_the_whole,
    failed_work_is_tried_again,
);

/// Both versions over an app.
pub struct Api {
    pub router: Router,
    pub log: Log,
}

pub struct Came {
    pub status: u16,
    pub body: Value,
    pub headers: HeaderMap,
}

impl Came {
    #[track_caller]
    pub fn is(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    fn tag(&self) -> String {
        self.headers["etag"].to_str().expect("a tag").to_string()
    }
}

impl Api {
    pub fn over(app: &TestApp) -> Api {
        let (gate, log) = (Gate::default(), Log::default());
        let router = Dispatch::new(app.app.clock.clone())
            .with(ispbills::v1(app.app.clone(), gate.clone(), log.clone()))
            .with(ispbills::v2(app.app.clone(), gate, log.clone()))
            .router();
        Api { router, log }
    }

    pub async fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Value) -> Came {
        let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let response = once::twice(&self.router, request.body(Body::from(text)).expect("a request")).await;
        let (parts, body) = response.into_parts();
        whole::one_change(&parts.extensions, method, path);
        let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Came { status: parts.status.as_u16(), body, headers: parts.headers }
    }

    /// A v2 token's call.
    pub async fn with(&self, token: &str, method: &str, path: &str, body: Value) -> Came {
        self.call(method, path, &[("authorization", &format!("Bearer {token}"))], body).await
    }

    pub async fn token(&self, client_id: &str, client_secret: &str) -> Came {
        let body = json!({ "client_id": client_id, "client_secret": client_secret });
        self.call("POST", "/api/v2/auth/token", &[], body).await
    }
}

/// A client's id, its public id and a secret.
pub async fn client(app: &TestApp, scopes: Option<&str>) -> (i64, String, String) {
    let command = Wanted {
        form: Form::Oauth,
        name: "test".into(),
        tier: Some("v2_high_volume"),
        scopes: scopes.map(Scopes::from_words),
        branch: None,
    };
    match clients::issue(&app.app, &app.actor, Scopes::ALL, command).await.expect("a client") {
        (client, Shown::Oauth { client_id, client_secret }) => (client.id.0, client_id, client_secret),
        other => panic!("{other:?}"),
    }
}

pub async fn token(api: &Api, app: &TestApp, scopes: Option<&str>) -> String {
    let (_, id, secret) = client(app, scopes).await;
    api.token(&id, &secret).await.is(200)["access_token"].as_str().expect("a token").to_string()
}

async fn a_tag_that_is_no_longer_right(app: TestApp) {
    let api = Api::over(&app);
    let token = format!("Bearer {}", token(&api, &app, None).await);
    let path = format!("/api/v2/plans/{}", app.gold);
    let read = api.call("GET", &path, &[("authorization", &token)], Value::Null).await;
    let old = read.tag();
    app.app.clock.pass(seconds(1));
    let put = |tag: String, price: i64| {
        let (api, token, path) = (&api, &token, &path);
        async move {
            let headers = [("authorization", token.as_str()), ("if-match", tag.as_str())];
            api.call("PUT", path, &headers, json!({ "price": price })).await
        }
    };
    let written = put(old.clone(), 1400).await;
    let new = written.tag();
    assert_eq!(written.is(200)["data"]["price"], 1400);
    assert_ne!(old, new);
    assert_eq!(put(old.clone(), 1300).await.is(412)["error"]["code"], "PRECONDITION_FAILED");
    assert_eq!(put("\"nonsense\"".into(), 1300).await.status, 412);
    assert_eq!(put("*".into(), 1400).await.tag(), new, "what changes nothing keeps its tag");
    let headers = [("authorization", token.as_str()), ("if-match", old.as_str())];
    api.call("DELETE", &path, &headers, Value::Null).await.is(412);
    let read = api.call("GET", &path, &[("authorization", &token)], Value::Null).await;
    assert_eq!(read.is(200)["data"]["price"], 1400);
}

async fn nobody_grants_more_than_it_may(app: TestApp) {
    let api = Api::over(&app);
    let some = token(&api, &app, Some("clients:read clients:write plans:read")).await;
    let (mighty, ..) = client(&app, None).await;
    let new = |scopes: Value| json!({ "type": "oauth", "name": "n", "scopes": scopes });
    api.with(&some, "POST", "/api/v2/clients", new(json!(["plans:read", "ledger:read"]))).await.is(403);
    api.with(&some, "POST", "/api/v2/clients", new(Value::Null)).await.is(403);
    api.with(&some, "POST", "/api/v2/clients", json!({ "type": "key", "name": "n" })).await.is(403);
    let made = api.with(&some, "POST", "/api/v2/clients", new(json!(["plans:read"]))).await.is(201);
    let own = made["data"]["client"]["id"].as_i64().expect("an id");
    api.with(&some, "PUT", &format!("/api/v2/clients/{own}"), json!({ "scopes": null })).await.is(403);
    api.with(&some, "PUT", &format!("/api/v2/clients/{own}"), json!({ "scopes": ["jobs:read"] })).await.is(403);
    // nor take over, rename or end one that may do more
    for (method, path) in [("POST", "/rotate"), ("POST", "/token"), ("DELETE", "")] {
        api.with(&some, method, &format!("/api/v2/clients/{mighty}{path}"), json!({})).await.is(403);
    }
    api.with(&some, "PUT", &format!("/api/v2/clients/{mighty}"), json!({ "name": "mine" })).await.is(403);
    // rights that are taken away end at once
    let credentials = &made["data"]["credentials"];
    let (id, secret) = (credentials["client_id"].as_str(), credentials["client_secret"].as_str());
    let second = api.token(id.expect("an id"), secret.expect("a secret")).await.is(200);
    let second = second["access_token"].as_str().expect("a token");
    api.with(second, "GET", "/api/v2/plans", Value::Null).await.is(200);
    let all = token(&api, &app, None).await;
    let fewer = json!({ "scopes": ["jobs:read"] });
    api.with(&all, "PUT", &format!("/api/v2/clients/{own}"), fewer).await.is(200);
    api.with(second, "GET", "/api/v2/plans", Value::Null).await.is(403);
    api.with(&all, "DELETE", &format!("/api/v2/clients/{own}"), Value::Null).await.is(204);
    api.with(second, "GET", "/api/v2/jobs", Value::Null).await.is(401);
}

async fn a_session_ends_with_its_routers_word(app: TestApp) {
    let api = Api::over(&app);
    let token = token(&api, &app, None).await;
    let ali = app.customer("ali", app.gold).await;
    app.nas.report(started("ali", "s1")).await;
    let id = app.sessions(ali).await[0].id;
    let refreshed = api.with(&token, "POST", &format!("/api/v2/sessions/{id}/refresh"), json!({})).await.is(200);
    assert_eq!((&refreshed["data"]["request"], &refreshed["data"]["result"]), (&json!("coa"), &json!("acknowledged")));
    app.nas.refuse(Some(503));
    let gone = api.with(&token, "POST", &format!("/api/v2/sessions/{id}/disconnect"), json!({})).await.is(200);
    assert_eq!(gone["data"]["result"], "refused", "{gone}");
    assert_eq!(gone["data"]["error"], "Session Context Not Found");
    let orders = app.nas.orders(2).await;
    assert!(orders[0].starts_with("CoA-Request") && orders[1].starts_with("Disconnect-Request"), "{orders:?}");
    // its router does not know it: it is over, and cannot be ordered any more
    let shown = api.with(&token, "GET", &format!("/api/v2/sessions/{id}"), Value::Null).await.is(200);
    assert_eq!(shown["data"]["state"], "lost");
    api.with(&token, "POST", &format!("/api/v2/sessions/{id}/disconnect"), json!({})).await.is(422);
    api.with(&token, "POST", "/api/v2/sessions/999999/disconnect", json!({})).await.is(404);
}

async fn a_repeat_shows_the_secret_again_and_the_database_does_not(app: TestApp) {
    let api = Api::over(&app);
    let token = format!("Bearer {}", token(&api, &app, None).await);
    let headers = [("authorization", token.as_str()), ("idempotency-key", "k1")];
    let body = json!({ "type": "oauth", "name": "once" });
    let first = api.call("POST", "/api/v2/clients", &headers, body.clone()).await.is(201);
    let again = api.call("POST", "/api/v2/clients", &headers, body).await;
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(again.is(201), first);
    let secret = first["data"]["credentials"]["client_secret"].as_str().expect("a secret").to_string();
    let kept = app.app.db.read(async move |tx| {
        let rows = tx.rows("select answer from idempotency".to_string(), &[]).await?;
        rows.iter().map(|row| row.get(0)).collect::<Result<Vec<String>, store::db::Error>>()
    });
    let kept = kept.await.expect("answers");
    assert!(!kept.is_empty() && kept.iter().all(|answer| !answer.contains(&secret)));
}

async fn a_secret_overlaps_and_ends(app: TestApp) {
    let api = Api::over(&app);
    let (id, name, old) = client(&app, None).await;
    let all = token(&api, &app, None).await;
    let rotate = |overlap: i64| json!({ "overlap_seconds": overlap });
    let path = format!("/api/v2/clients/{id}/rotate");
    let new = api.with(&all, "POST", &path, rotate(60)).await.is(200);
    let new = new["data"]["client_secret"].as_str().expect("a secret").to_string();
    api.token(&name, &old).await.is(200);
    app.app.clock.pass(MINUTE);
    api.token(&name, &old).await.is(401);
    let given = api.token(&name, &new).await.is(200);
    let given = given["access_token"].as_str().expect("a token");
    api.with(given, "GET", "/api/v2/plans", Value::Null).await.is(200);
    // without an overlap the tokens end too
    api.with(&all, "POST", &path, rotate(0)).await.is(200);
    api.with(given, "GET", "/api/v2/plans", Value::Null).await.is(401);
    api.token(&name, &new).await.is(401);
}

async fn tokens_are_asked_for_at_the_tiers_rate(app: TestApp) {
    let api = Api::over(&app);
    let wanted = Wanted { form: Form::Oauth, name: "till".into(), tier: None, scopes: None, branch: None };
    let made = clients::issue(&app.app, &app.actor, Scopes::ALL, wanted).await.expect("a client");
    let Shown::Oauth { client_id, client_secret } = made.1 else { panic!("another client") };
    let rate = Tier::V2Standard.requests_per_minute();
    for n in 0..rate {
        assert_eq!(api.token(&client_id, &client_secret).await.status, 200, "token {n}");
    }
    let refused = api.token(&client_id, &client_secret).await;
    assert!(refused.headers.contains_key("retry-after"));
    refused.is(429);
    // Wrong secrets are counted elsewhere, and take nothing from whoever has the right one.
    assert_eq!(api.token(&client_id, "wrong").await.status, 401);
    app.app.clock.pass(MINUTE);
    api.token(&client_id, &client_secret).await.is(200);
}

async fn a_branch_does_not_see_the_whole(app: TestApp) {
    let api = Api::over(&app);
    let branch = service::identity::branches::open(&app.app, &app.actor, "North", "north").await.expect("a branch");
    let all = token(&api, &app, None).await;
    let wanted = json!({ "type": "oauth", "name": "branch", "branch_id": branch.0 });
    let made = api.with(&all, "POST", "/api/v2/clients", wanted).await.is(201);
    let credentials = &made["data"]["credentials"];
    let (id, secret) = (credentials["client_id"].as_str(), credentials["client_secret"].as_str());
    let given = api.token(id.expect("an id"), secret.expect("a secret")).await.is(200);
    let given = given["access_token"].as_str().expect("a token");
    for path in ["ledger/accounts", "ledger/entries", "events", "jobs", "clients", "requests"] {
        api.with(given, "GET", &format!("/api/v2/{path}"), Value::Null).await.is(403);
    }
    // a customer of the head office has no branch: its session is not the branch's
    let ali = app.customer("ali", app.gold).await;
    app.nas.report(started("ali", "s1")).await;
    let session = app.sessions(ali).await[0].id;
    let seen = api.with(given, "GET", "/api/v2/sessions", Value::Null).await.is(200);
    assert_eq!(seen["meta"]["total"], 0);
    api.with(given, "GET", &format!("/api/v2/sessions/{session}"), Value::Null).await.is(403);
    api.with(given, "POST", &format!("/api/v2/sessions/{session}/disconnect"), json!({})).await.is(403);
    assert!(app.nas.unexpected_orders().is_empty());
    let head = service::identity::branches::head_office(&app.app, &app.actor).await.expect("a head office").id;
    for wrong in [999_999, head.0] {
        let wrong = json!({ "type": "oauth", "name": "branch", "branch_id": wrong });
        let refused = api.with(&all, "POST", "/api/v2/clients", wrong).await.is(422);
        assert!(refused["error"]["details"]["branch_id"].is_array(), "{refused}");
    }
}

async fn failed_work_is_tried_again(app: TestApp) {
    let api = Api::over(&app);
    let all = token(&api, &app, None).await;
    let id = failed_job(&app).await;
    let of = |state: &str| format!("/api/v2/jobs?state={state}&queue=tests");
    let count = async |state: &str| {
        api.with(&all, "GET", &of(state), Value::Null).await.is(200)["meta"]["total"].as_i64().expect("a count")
    };
    assert_eq!((count("failed").await, count("waiting").await, count("done").await), (1, 0, 0));
    let again = api.with(&all, "POST", &format!("/api/v2/jobs/{id}/retry"), json!({})).await.is(200);
    assert_eq!((&again["data"]["state"], &again["data"]["attempts"]), (&json!("waiting"), &json!(0)));
    assert_eq!((count("failed").await, count("waiting").await), (0, 1));
    api.with(&all, "POST", &format!("/api/v2/jobs/{id}/retry"), json!({})).await.is(422);
}

/// A job of a queue that nobody works on.
pub async fn job(app: &TestApp, queue: &str, kind: &str) -> domain::JobId {
    let now = app.app.clock.now();
    let job = store::kernel::job::Job {
        isp_id: app.actor.isp,
        id: domain::JobId(1 << 40),
        queue: queue.into(),
        kind: kind.into(),
        version: 1,
        payload: "{}".into(),
        run_at: now,
        attempts: 0,
        lease_owner: None,
        lease_until: None,
        unique_key: None,
        created_at: now,
        done_at: None,
        outcome: None,
        failed: false,
    };
    let id = job.id;
    let written = app.app.db.tx(service::Class::Interactive, async move |tx| {
        store::kernel::job::enqueue(tx, std::slice::from_ref(&job)).await
    });
    written.await.map_err(|error: store::db::Error| error).expect("a job");
    id
}

/// The same, failed.
pub async fn failed_job(app: &TestApp) -> i64 {
    let (isp, job) = (app.actor.isp, job(app, "tests", "test").await);
    let now = app.app.clock.now();
    let failed = app.app.db.tx(service::Class::Interactive, async move |tx| {
        store::kernel::job::fail(tx, isp, job, now, "not reached").await
    });
    failed.await.map_err(|error: store::db::Error| error).expect("failed");
    job.0
}
