//! What version 2 manages for the other dialects: zones with Jaze's credentials, places, departments, salespeople, the
//! sale of a next period.

use axum::{
    body::Body,
    http::{Request, header::AUTHORIZATION},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use doors::{Gate, Log};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    app::TestApp,
    both,
    home::{Api, token},
};

both!(zones_and_their_pairs);

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
    let north = v2.ask("POST", "zones", json!({ "name": "North", "account": "north" }), 201).await["data"]["id"].clone();
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
