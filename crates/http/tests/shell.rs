//! The shell around a dialect: what it does for every request, whatever the dialect.

use axum::{
    Json, Router,
    body::Body,
    extract::Request,
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use domain::Instant;
use doors::{Asked, Fault, Fields, Id, fields, shell};
use serde_json::{Value, json};
use service::Clock;
use tower::ServiceExt;

/// A dialect of one word.
fn voice(mut response: Response, now: Instant) -> Response {
    match response.extensions_mut().remove::<Fault>() {
        Some(fault) => (fault.status(), Json(json!({ "fault": format!("{fault:?}"), "at": now.0 }))).into_response(),
        None => response,
    }
}

fn router() -> Router {
    let table = Router::new().route("/panics", get(async || -> () { panic!("on purpose") })).route(
        "/echo/{id}",
        post(async |Id(id): Id, _: Asked, mut body: Fields| -> Result<Json<Value>, Response> {
            let n = body.required("n", fields::integer(1, 9));
            body.finish().map_err(|error| error.to_string().into_response())?;
            Ok(Json(json!({ "id": id, "n": n })))
        }),
    );
    let check = |table: Router| {
        table.layer(from_fn(async |request: Request, next: Next| match request.headers().contains_key("x-api-key") {
            true => next.run(request).await,
            false => Fault::BadKey.into_response(),
        }))
    };
    shell::close(table, "test", Clock::manual(Instant(7)), doors::Log::default(), voice, check)
}

async fn call(method: &str, path: &str, body: &str) -> (u16, Value, Option<String>) {
    let request = Request::builder().method(method).uri(path).header("x-api-key", "k").header("x-request-id", "mine-1");
    let response = router().oneshot(request.body(Body::from(body.to_string())).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let id = response.headers().get("x-request-id").map(|id| id.to_str().unwrap().to_string());
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null), id)
}

#[tokio::test]
async fn every_fault_is_told_in_the_dialects_words() {
    let large = format!("{{\"n\":\"{}\"}}", " ".repeat(doors::MAX_BODY));
    let rows = [
        ("GET", "/panics", "", 500, "Panicked"),
        ("GET", "/nothing", "", 404, "NoSuchPath"),
        ("GET", "/echo/1", "", 405, "MethodNotAllowed"),
        ("POST", "/echo/1", "{", 400, "Malformed"),
        ("POST", "/echo/1", "[]", 400, "NotAnObject"),
        ("POST", "/echo/1", &large, 413, "TooLarge"),
    ];
    for (method, path, body, status, fault) in rows {
        let (came, told, id) = call(method, path, body).await;
        assert_eq!((came, &told), (status, &json!({ "fault": fault, "at": 7 })), "{method} {path}");
        assert_eq!(id.as_deref(), Some("mine-1"));
    }
    assert_eq!(call("POST", "/echo/5", "{\"n\": \"7\"}").await.1, json!({ "id": 5, "n": 7 }));
    assert_eq!(call("POST", "/echo/x", "{\"n\": 7}").await.1, json!({ "id": 0, "n": 7 }));
}

#[tokio::test]
async fn the_credential_is_checked_before_the_table() {
    for path in ["/panics", "/nothing"] {
        let response = router().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), 400, "{path}");
    }
}
