//! Around a dialect's router: a name for each request, a limit on its time, panics caught, a log line, metrics.

use std::{any::Any, convert::Infallible, time::Duration};

use axum::{
    Router,
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::Route,
};
use domain::{ApiClientId, Instant};
use service::{
    Clock,
    vault::{hex, random_bytes},
};
use tower::{Layer, Service};
use tower_http::catch_panic::CatchPanicLayer;

use crate::Fault;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// No call takes this long but when something is wrong. The change it may have begun is finished all the same.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which client was answered, for the log. The dialect's credential check leaves it in the response's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Client(pub ApiClientId);

/// How a dialect puts failures, its own and [`Fault`]s, into its words: it finds them in the response's extensions.
pub type Voice = fn(Response, Instant) -> Response;

/// Closes a dialect's router `table`: `check`, its credential check, stands before every path, known or not.
pub fn close<L>(table: Router, dialect: &'static str, clock: Clock, voice: Voice, check: L) -> Router
where
    L: Layer<Route> + Clone + Send + Sync + 'static,
    L::Service: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
    <L::Service as Service<Request>>::Response: IntoResponse + 'static,
    <L::Service as Service<Request>>::Future: Send + 'static,
{
    table
        .fallback(|| async { Fault::NoSuchPath })
        .method_not_allowed_fallback(|| async { Fault::MethodNotAllowed })
        .layer(check)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(limit_time))
        .layer(from_fn(move |request: Request, next: Next| {
            let clock = clock.clone();
            async move { voice(next.run(request).await, clock.now()) }
        }))
        .layer(from_fn(move |request: Request, next: Next| watch(dialect, request, next)))
}

fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    // The panic hook has told where.
    Fault::Panicked.into_response()
}

async fn limit_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Fault::TimedOut.into_response(),
    }
}

async fn watch(dialect: &'static str, request: Request, next: Next) -> Response {
    let began = std::time::Instant::now();
    let id = request_id(&request);
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched".into(), |path| path.as_str().to_string());
    let (method, path) = (request.method().clone(), request.uri().path().to_string());
    let mut response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), began.elapsed());
    metrics::counter!(
        "http_requests_total",
        "dialect" => dialect, "route" => route.clone(), "status" => status.to_string()
    )
    .increment(1);
    metrics::histogram!("http_request_seconds", "dialect" => dialect, "route" => route).record(took.as_secs_f64());
    let client = response.extensions().get::<Client>().map(|client| client.0.0);
    tracing::info!(
        target: "access", dialect, %method, path, status, client, request = id, ms = took.as_millis() as u64
    );
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The caller's own name for the request where it is a plain one, so that two logs can be laid side by side.
fn request_id(request: &Request) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    match given {
        Some(text) if (1..=64).contains(&text.len()) && text.bytes().all(plain) => text.into(),
        _ => hex(&random_bytes::<8>()),
    }
}
