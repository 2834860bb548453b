//! Once means once: a call with a key is done once, however often and wherever it comes, and all are told the same.

use std::{pin::pin, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Method, Request, Response, header::HeaderValue},
};
use doors::shell::Changes;
use serde_json::{Value, json};
use service::{
    Actor, App, Db, Location, Who,
    kernel::{
        once::{CallerKey, During, MAX_WAITING},
        vault::{random_text, token_hash},
    },
    sales::recharge::{self, Recharge},
    webhooks::{self, NewWebhook},
};
use tower::ServiceExt;

use crate::{
    app::{TestApp, cash},
    both,
    home::{Api, client, token},
    races::at_once,
};

both!(
    twenty_at_once_are_one_and_told_the_same,
    what_was_not_done_is_done_by_its_repeat,
    who_went_away_is_told_when_it_asks_again,
    what_was_done_before_the_answer_was_kept,
    another_body_and_odd_keys_are_refused,
    what_is_kept_of_a_call_is_sealed,
    old_keys_are_forgotten,
);

const KEY: &str = "idempotency-key";

/// Sends a write as it is sent by who fears for the line: twice at the same moment with one key. Tests of every dialect
/// send theirs through here. It is done once, and a success is told twice in the same words.
pub async fn twice(router: &Router, request: Request<Body>) -> Response<Body> {
    let path = request.uri().path().to_string();
    // Signing in is no write: who does it twice is in twice.
    let is_sign_in = ["/auth/", "/login", "/refresh", "/logout"].iter().any(|part| path.contains(part));
    let is_alone = is_sign_in || request.headers().contains_key(KEY);
    if request.method() == Method::GET || is_alone {
        return router.clone().oneshot(request).await.expect("an answer");
    }
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
    let key = HeaderValue::try_from(random_text(20)).expect("a key");
    let one = async || {
        let mut request = Request::from_parts(parts.clone(), Body::from(body.clone()));
        request.headers_mut().insert(KEY, key.clone());
        let response = router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        (parts, axum::body::to_bytes(body, usize::MAX).await.expect("a body"))
    };
    let (first, second) = tokio::join!(one(), one());
    let what = format!("{} {path} {}", parts.method, String::from_utf8_lossy(&body));
    let changes = [&first, &second].map(|(parts, _)| parts.extensions.get::<Changes>().map_or(0, |changes| changes.0));
    assert!(changes.iter().sum::<u32>() <= 1, "{what}: done {changes:?} times");
    // Who may not ask so often is told so.
    if first.0.status.is_success() && second.0.status != 429 {
        let told = |(parts, body): &(_, Bytes)| -> (axum::http::StatusCode, Bytes) {
            let parts: &axum::http::response::Parts = parts;
            (parts.status, body.clone())
        };
        assert_eq!(told(&first), told(&second), "{what}");
    }
    let (parts, body) = if first.0.status.is_success() || !second.0.status.is_success() { first } else { second };
    Response::from_parts(parts, Body::from(body))
}

fn hook(n: usize) -> Value {
    json!({ "url": format!("https://receiver.example/{n}"), "events": ["customer.created"] })
}

async fn hooks(app: &TestApp) -> usize {
    rows(app, "select id from webhook").await.len()
}

async fn rows(app: &TestApp, text: &str) -> Vec<String> {
    let text = text.to_string();
    let read = app.app.db.read(async move |tx| tx.rows(text.clone(), &[]).await);
    let rows = read.await.unwrap_or_else(|error: store::db::Error| panic!("{error}"));
    rows.iter().map(|row| format!("{:?}", row.get::<store::db::Value>(0).expect("a value"))).collect()
}

async fn twenty_at_once_are_one_and_told_the_same(app: TestApp) {
    let api = Api::over(&app);
    let bearer = format!("Bearer {}", token(&api, &app, None).await);
    let api = Arc::new(api);
    let told = at_once(20, move |_| {
        let (api, bearer) = (api.clone(), bearer.clone());
        Box::pin(async move {
            let headers = [("authorization", bearer.as_str()), (KEY, "k")];
            api.call("POST", "/api/v2/webhooks", &headers, hook(1)).await.is(201)
        })
    })
    .await;
    assert!(told.iter().all(|body| *body == told[0]), "{told:?}");
    assert_eq!(hooks(&app).await, 1);
    assert_eq!(app.app.underway.count(), 0, "nothing stays of calls that are over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_do_it_once() {
    let Some(server) = store::testing::postgres() else { return };
    let location = Location::Postgres(server.database("once"));
    let app = TestApp::on(location.clone()).await;
    let second = app.reopened(Db::open(&location).await.expect("the database")).await;
    let one = Api::over(&app);
    let bearer = format!("Bearer {}", token(&one, &app, None).await);
    let nodes = Arc::new([one, Api::over(&second)]);
    let told = at_once(20, move |n| {
        let (nodes, bearer) = (nodes.clone(), bearer.clone());
        Box::pin(async move {
            let headers = [("authorization", bearer.as_str()), (KEY, "k")];
            nodes[n % 2].call("POST", "/api/v2/webhooks", &headers, hook(1)).await.is(201)
        })
    })
    .await;
    assert!(told.iter().all(|body| *body == told[0]), "{told:?}");
    assert_eq!(hooks(&app).await, 1);
}

async fn what_was_not_done_is_done_by_its_repeat(app: TestApp) {
    let api = Api::over(&app);
    let bearer = format!("Bearer {}", token(&api, &app, None).await);
    let headers = [("authorization", bearer.as_str()), (KEY, "k")];
    app.app.broken.set(true);
    assert_eq!(api.call("POST", "/api/v2/webhooks", &headers, hook(1)).await.status, 503);
    app.app.broken.set(false);
    assert_eq!(hooks(&app).await, 0);
    api.call("POST", "/api/v2/webhooks", &headers, hook(1)).await.is(201);
    assert_eq!(hooks(&app).await, 1);
}

/// The line breaks while the call is looked at for the n-th time: whatever was done till then, the repeat is told of one.
async fn who_went_away_is_told_when_it_asks_again(app: TestApp) {
    let api = Api::over(&app);
    let bearer = format!("Bearer {}", token(&api, &app, None).await);
    for looks in 1..12 {
        let key = format!("k{looks}");
        let headers = [("authorization", bearer.as_str()), (KEY, key.as_str())];
        {
            let mut call = pin!(api.call("POST", "/api/v2/webhooks", &headers, hook(looks)));
            let mut left = looks;
            std::future::poll_fn(|context| {
                left -= 1;
                match call.as_mut().poll(context) {
                    std::task::Poll::Pending if left > 0 => std::task::Poll::Pending,
                    std::task::Poll::Pending | std::task::Poll::Ready(_) => std::task::Poll::Ready(()),
                }
            })
            .await;
        }
        api.call("POST", "/api/v2/webhooks", &headers, hook(looks)).await.is(201);
        assert_eq!(hooks(&app).await, looks, "after {looks} looks");
        app.app.clock.pass(crate::app::seconds(61));
    }
}

/// A server that ends between the act and its answer.
async fn what_was_done_before_the_answer_was_kept(app: TestApp) {
    let api = Api::over(&app);
    let (id, public, secret) = client(&app, None).await;
    let bearer = api.token(&public, &secret).await.is(200)["access_token"].as_str().expect("a token").to_string();
    let bearer = format!("Bearer {bearer}");
    let actor = Actor { who: Who::Api(domain::ApiClientId(id)), ..app.actor.clone() };
    let key = |key: &str, path: &str, body: &Value| CallerKey {
        key: key.into(),
        request_hash: token_hash(&format!("POST {path}\n{body}")),
    };
    // A webhook: its secret was shown to nobody, and there is one.
    let asked = key("k", "/api/v2/webhooks", &hook(1));
    let new = NewWebhook { url: "https://receiver.example/1".into(), events: vec![], active: true, secret: None };
    let made = webhooks::create(&app.app, &actor, domain::Scopes::ALL, new);
    During::new(&app.app, &actor, asked).work(made).await.expect("a webhook");
    let headers = [("authorization", bearer.as_str()), (KEY, "k")];
    let told = api.call("POST", "/api/v2/webhooks", &headers, hook(1)).await.is(409);
    assert!(told.to_string().contains("its answer was lost"), "{told}");
    assert_eq!(hooks(&app).await, 1);
    // A sale keeps what came of it, and tells it.
    let ali = app.customer("ali", app.gold).await;
    let (path, body) = (format!("/api/v2/customers/{}/recharge", ali.customer), json!({}));
    let asked = key("r", &path, &body);
    let command = Recharge { customer: ali.customer, plan: None, payer: cash() };
    let sold = recharge::recharge(&app.app, &actor, command, Some(asked.clone()));
    During::new(&app.app, &actor, asked).work(sold).await.expect("a sale");
    let ordinal = app.row(ali).await.period_ordinal;
    let headers = [("authorization", bearer.as_str()), (KEY, "r")];
    api.call("POST", &path, &headers, body).await.is(201);
    assert_eq!(app.row(ali).await.period_ordinal, ordinal);
}

async fn another_body_and_odd_keys_are_refused(app: TestApp) {
    let api = Api::over(&app);
    let bearer = format!("Bearer {}", token(&api, &app, None).await);
    let headers = [("authorization", bearer.as_str()), (KEY, "k")];
    api.call("POST", "/api/v2/webhooks", &headers, hook(1)).await.is(201);
    api.call("POST", "/api/v2/webhooks", &headers, hook(2)).await.is(409);
    api.call("POST", "/api/v2/clients", &headers, hook(1)).await.is(409);
    let long = "k".repeat(256);
    for odd in ["", " ", "a\tb", long.as_str()] {
        let headers = [("authorization", bearer.as_str()), (KEY, odd)];
        api.call("POST", "/api/v2/webhooks", &headers, hook(3)).await.is(400);
    }
    let headers = [("authorization", bearer.as_str()), (KEY, "one"), (KEY, "two")];
    api.call("POST", "/api/v2/webhooks", &headers, hook(3)).await.is(400);
    assert_eq!(hooks(&app).await, 1);
}

async fn what_is_kept_of_a_call_is_sealed(app: TestApp) {
    let api = Api::over(&app);
    let bearer = format!("Bearer {}", token(&api, &app, None).await);
    let body = json!({ "package_id": app.gold.0, "quantity": 1, "commission": 1 });
    let headers = [("authorization", bearer.as_str()), (KEY, "cards")];
    let told = api.call("POST", "/api/v2/recharge-cards", &headers, body).await.is(201);
    let code = told["data"]["cards"][0]["code"].as_str().expect("a code");
    let kept = rows(&app, "select answer from idempotency").await;
    assert!(kept.len() >= 2 && kept.iter().all(|answer| !answer.contains(code)), "{kept:?}");
    let again = api.call(
        "POST",
        "/api/v2/recharge-cards",
        &headers,
        json!({ "package_id": app.gold.0, "quantity": 1, "commission": 1 }),
    );
    assert_eq!(again.await.is(201), told);
}

async fn old_keys_are_forgotten(app: TestApp) {
    let api = Api::over(&app);
    let bearer = format!("Bearer {}", token(&api, &app, None).await);
    let headers = [("authorization", bearer.as_str()), (KEY, "k")];
    api.call("POST", "/api/v2/webhooks", &headers, hook(1)).await.is(201);
    let kept = service::kernel::schedule::Kept {
        jobs: crate::app::days(30),
        keys: crate::app::days(7),
        refusals: crate::app::days(30),
        refusals_at_most: 1000,
        events: None,
    };
    app.app.clock.pass(crate::app::days(6));
    service::kernel::schedule::forget(&app.app, kept).await.expect("forgotten");
    assert_eq!(rows(&app, "select answer from idempotency").await.len(), 1);
    app.app.clock.pass(crate::app::days(2));
    service::kernel::schedule::forget(&app.app, kept).await.expect("forgotten");
    assert_eq!(rows(&app, "select answer from idempotency").await.len(), 0);
}

/// Too many that wait for one are told to come again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_is_counted() {
    let app: App = TestApp::sqlite().await.app;
    let actor = Actor { isp: domain::IspId(1), who: Who::System, branch: None, may_write: true };
    let during = During::new(&app, &actor, CallerKey { key: "k".into(), request_hash: "h".into() });
    let first = app.underway.turn(&during).await.expect("the first");
    let mut waiting: Vec<_> = (0..MAX_WAITING).map(|_| Box::pin(app.underway.turn(&during))).collect();
    for one in &mut waiting {
        assert!(futures_poll(one.as_mut()).await.is_none(), "it waits");
    }
    assert!(app.underway.turn(&during).await.is_none(), "one too many");
    drop(waiting);
    drop(first);
    assert!(app.underway.turn(&during).await.is_some());
    assert_eq!(app.underway.count(), 0);
}

/// What it is at a first look.
async fn futures_poll<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match future.as_mut().poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}
