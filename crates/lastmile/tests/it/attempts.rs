//! Guessing over HTTP: every door that looks at a password, a secret, a key or a token counts it before it looks.
//!
//! The doors are a table; what is not in it is found by `every_proof_is_counted`, over the sources.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, header::CONTENT_TYPE},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::kernel::clock::MINUTE;
use doors::{Dispatch, Gate, Log};
use serde_json::{Value, json};
use service::{
    Error, Refusal, Why,
    customers::portal,
    identity::clients::{self, NewClient, Tier},
    sales::cards,
};
use tower::ServiceExt;

use crate::{
    app::TestApp,
    both,
    tidy::{code, root, sources},
};

both!(
    guesses_at_once_are_counted_at_every_sign_in,
    wrong_keys_are_counted_at_every_dialect,
    an_owner_signs_in_while_somebody_guesses,
    a_token_is_no_way_to_guess_its_password,
    card_codes_at_once_are_counted,
);

struct Hall {
    app: TestApp,
    router: Router,
}

struct Came {
    status: u16,
    retry_after: Option<String>,
    body: Value,
}

impl Hall {
    fn over(app: TestApp) -> Arc<Hall> {
        let (core, gate, log) = (app.app.clone(), Gate::default(), Log::default());
        let router = Dispatch::new(core.clock.clone())
            .with(alternet::dialect(core.clone(), gate.clone(), log.clone()))
            .with(ispbills::v1(core.clone(), gate.clone(), log.clone()))
            .with(ispbills::v2(core.clone(), gate.clone(), log.clone()))
            .with(zal::dialect(core.clone(), gate.clone(), log.clone()))
            .with_reading(jaze::dialect(core, gate, log), jaze::path)
            .router();
        Arc::new(Hall { app, router })
    }

    async fn call(&self, from: &str, method: &str, path: &str, held: Option<(&str, String)>, body: Value) -> Came {
        let request = Request::builder().method(method).uri(path).header(CONTENT_TYPE, "application/json");
        let request = held.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let mut request = request.body(Body::from(text)).expect("a request");
        let peer = SocketAddr::new(from.parse().expect("an address"), 4000);
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status().as_u16();
        let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let retry_after = retry_after.map(str::to_string);
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        Came { status, retry_after, body: serde_json::from_slice(&bytes).unwrap_or_default() }
    }

    async fn sign_in(&self, from: &str, password: &str) -> u16 {
        let body = json!({ "email": "owner@example.com", "password": password });
        self.call(from, "POST", "/api/auth/login", None, body).await.status
    }
}

/// Path, what is sent with the name that is tried.
const SIGN_INS: &[(&str, fn(&str) -> Value)] = &[
    ("/api/auth/login", |name| json!({ "email": name, "password": "wrong" })),
    ("/api/v1/auth/login", |name| json!({ "email": name, "password": "wrong" })),
    ("/api/v1/subscriber/login", |name| json!({ "username": name, "password": "wrong" })),
    ("/api/v2/auth/token", |name| json!({ "client_id": name, "client_secret": "wrong" })),
];

async fn guesses_at_once_are_counted_at_every_sign_in(app: TestApp) {
    let hall = Hall::over(app);
    for (at, (path, body)) in SIGN_INS.iter().enumerate() {
        let mut tries = tokio::task::JoinSet::new();
        for n in 0..150 {
            let hall = hall.clone();
            // Half of them at one account, half at as many; from addresses of one /64.
            let name = if n % 2 == 0 { "owner@example.com".to_string() } else { format!("nobody{n}@example.com") };
            let from = format!("2001:db8:0:{at}::{n:x}");
            tries.spawn(async move { hall.call(&from, "POST", path, None, body(&name)).await });
        }
        let came = tries.join_all().await;
        let of = |status| came.iter().filter(move |came| came.status == status);
        assert_eq!((of(401).count(), of(429).count()), (30, 120), "{path}");
        for came in of(429) {
            assert_eq!(came.retry_after.as_deref(), Some("2"), "{path}: {}", came.body);
            assert!(came.body.is_object(), "{path}: in the dialect's words");
        }
        // Another sender is not waiting for this one.
        let other = hall.call("192.0.2.77", "POST", path, None, body("somebody@example.com")).await;
        assert_eq!(other.status, 401, "{path}");
    }
}

async fn wrong_keys_are_counted_at_every_dialect(app: TestApp) {
    let hall = Hall::over(app);
    let (core, actor) = (&hall.app.app, &hall.app.actor);
    let client = NewClient {
        dialect: alternet::NAME,
        name: "client".into(),
        branch: None,
        tier: Tier::Enterprise,
        sandbox: false,
        secret: None,
    };
    let right = clients::create(core, actor, client).await.expect("a client").secret;
    let ask = async |from: &str| {
        hall.call(from, "GET", "/api/v1/plans", Some(("x-api-key", right.clone())), Value::Null).await.status
    };
    assert_eq!(ask("192.0.2.1").await, 200);
    let bearer = |text: String| ("authorization", format!("Bearer {text}"));
    let wrong: [(&str, &str, &dyn Fn(usize) -> (&'static str, String)); 7] = [
        ("GET", "/api/v1/plans", &|n| ("x-api-key", format!("live_wrong{n}"))),
        ("GET", "/api/v2/customers", &|n| bearer(format!("v2_wrong{n}"))),
        ("GET", "/ispbills_v1/api/v1/customers", &|n| bearer(format!("wrong{n}"))),
        ("GET", "/api/v1/subscribers", &|n| bearer(format!("{n}|wrong"))),
        ("POST", "/api/v1/auth/refresh", &|n| bearer(format!("{n}|wrong"))),
        ("POST", "/api/v1/subscriber/refresh", &|n| bearer(format!("{n}|wrong"))),
        ("GET", "/jaze/api/v1/get_all", &|n| ("authorization", format!("Basic {}", STANDARD.encode(format!("a:{n}"))))),
    ];
    for (method, path, held) in wrong {
        // Room again for a whole burst.
        core.clock.pass(MINUTE);
        let (mut looked_at, mut refused) = (0, 0);
        for n in 0..310 {
            let came = hall.call("192.0.2.1", method, path, Some(held(n)), Value::Null).await;
            match came.status {
                401 => looked_at += 1,
                429 => refused += 1,
                other => panic!("{path}: {other} {}", came.body),
            }
        }
        assert_eq!((looked_at, refused), (300, 10), "{path}");
        assert_eq!(ask("192.0.2.1").await, 200, "a key that was right lately never waits");
        // Nor does one that was given this moment.
        let body = json!({ "email": "owner@example.com", "password": "correct horse" });
        let signed = hall.call("192.0.2.1", "POST", "/api/auth/login", None, body.clone()).await.body;
        let held = bearer(signed["access_token"].as_str().expect("a token").into());
        let came = hall.call("192.0.2.1", "GET", "/ispbills_v1/api/v1/customers", Some(held), Value::Null).await;
        assert_eq!(came.status, 200, "{}", came.body);
        let signed = hall.call("192.0.2.1", "POST", "/api/v1/auth/login", None, body).await.body;
        let held = bearer(signed["data"]["token"].as_str().expect("a token").into());
        let came = hall.call("192.0.2.1", "GET", "/api/v1/auth/me", Some(held), Value::Null).await;
        assert_eq!(came.status, 200, "{}", came.body);
    }
    let refreshed = async |n: usize| {
        let body = json!({ "refresh_token": format!("def50200{n}") });
        hall.call("192.0.2.9", "POST", "/api/auth/refresh", None, body).await.status
    };
    let mut came = Vec::new();
    for n in 0..301 {
        came.push(refreshed(n).await);
    }
    assert_eq!((came[0], came[299], came[300]), (401, 401, 429), "version 1's refresh tokens");
}

async fn an_owner_signs_in_while_somebody_guesses(app: TestApp) {
    let hall = Hall::over(app);
    assert_eq!(hall.sign_in("198.51.100.1", "correct horse").await, 200);
    let mut looked_at = 0;
    for n in 0..120 {
        looked_at += usize::from(hall.sign_in(&format!("10.0.0.{n}"), "wrong").await == 401);
    }
    assert_eq!(looked_at, 100, "of one account, from wherever");
    assert_eq!(hall.sign_in("198.51.100.1", "correct horse").await, 200, "where the owner has been");
    assert_eq!(hall.sign_in("198.51.100.2", "correct horse").await, 429);
    hall.app.app.clock.pass(MINUTE);
    assert_eq!(hall.sign_in("198.51.100.2", "correct horse").await, 200, "slower, not for ever");
    // A start later, or at another node, the tokens say where the owner has been.
    let again = Hall::over(hall.app.reopened(hall.app.app.db.clone()).await);
    for n in 0..120 {
        again.sign_in(&format!("10.0.2.{n}"), "wrong").await;
    }
    let came =
        [again.sign_in("198.51.100.1", "correct horse").await, again.sign_in("198.51.100.3", "correct horse").await];
    assert_eq!(came, [200, 429], "after a start");
    // Version 1 and Zal's staff are one account: what is tried at one door counts at the other.
    let body = json!({ "email": "OWNER@example.com ", "password": "wrong" });
    let zal = async |from| hall.call(from, "POST", "/api/v1/auth/login", None, body.clone()).await.status;
    assert_eq!((zal("10.0.1.1").await, zal("10.0.1.2").await), (401, 429));
}

async fn a_token_is_no_way_to_guess_its_password(app: TestApp) {
    let hall = Hall::over(app);
    let line = hall.app.customer("ali", hall.app.gold).await;
    let core = &hall.app.app;
    let card = hall.app.show(line).await;
    let (_, granted) = portal::sign_in_subscriber(core, &card.customer.username, "portal").await.expect("a token");
    let guess = async |old: String| {
        let body = json!({
            "current_password": old, "new_password": "guessed12", "new_password_confirmation": "guessed12",
        });
        let held = ("authorization", format!("Bearer {}", granted.text));
        hall.call("192.0.2.1", "POST", "/api/v1/subscriber/change-password", Some(held), body).await.status
    };
    let mut came = Vec::new();
    for n in 0..31 {
        came.push(guess(format!("wrong{n}")).await);
    }
    assert_eq!((came[0], came[29], came[30]), (422, 422, 429));
    assert_eq!(guess("portal".into()).await, 429, "not even the right one is looked at");
    core.clock.pass(MINUTE);
    assert_eq!(guess("portal".into()).await, 200);
}

async fn card_codes_at_once_are_counted(app: TestApp) {
    let ali = app.customer("ali", app.gold).await.customer;
    let mut tries = tokio::task::JoinSet::new();
    for n in 0..40 {
        let (core, actor) = (app.app.clone(), app.actor.clone());
        tries.spawn(async move { cards::redeem(&core, &actor, &format!("WRONG-{n:04}"), ali, None).await.map(drop) });
    }
    let came = tries.join_all().await;
    let unknown = came.iter().filter(|came| **came == Err(Error::invalid("code", Why::Unknown))).count();
    let refused = came.iter().filter(|came| **came == Err(Error::Refused(Refusal::TooManyWrongCodes))).count();
    assert_eq!((unknown, refused), (5, 35));
}

/// Who looks a credential up in the store has counted it first.
#[test]
fn every_proof_is_counted() {
    const LOOKS_UP: [&str; 4] = ["client_by_key(", "client_by_public_id(tx", "token::find(tx", "namesakes("];
    let files = sources(&root().join("crates/service/src"));
    for (file, text) in &files {
        let text = code(text);
        let looks_up = LOOKS_UP.iter().any(|call| text.contains(call));
        let counts = text.contains(".attempts.key(") || text.contains("attempts::sign_in(");
        assert!(!looks_up || counts, "{file} looks up a credential and counts nothing");
    }
    assert!(files.iter().any(|(_, text)| text.contains("client_by_key(")), "the names are still these");
}
