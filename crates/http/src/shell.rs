//! Around a dialect's router: a name for each request, a limit on its time, panics caught, a log line, metrics.

use std::{any::Any, net::SocketAddr, time::Duration};

use axum::{
    Router,
    extract::{ConnectInfo, MatchedPath, Request},
    http::{HeaderName, HeaderValue},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use domain::{Instant, IspId};
use service::{
    Clock, Who,
    identity::requests::Asked,
    kernel::{
        call,
        origin::{self, Origin},
        vault::{hex, random_bytes},
    },
};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{Fault, Log, logged};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// No call takes this long but when something is wrong. The change it may have begun is finished all the same.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How many changes a call has committed; in its response's extensions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Changes(pub u32);

/// Who was answered, for the logs. The dialect's credential check leaves it in the response's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    pub isp: IspId,
    pub who: Who,
}

/// How a dialect puts failures, its own and [`Fault`]s, into its words: it finds them in the response's extensions.
pub type Voice = fn(Response, Instant) -> Response;

/// Closes a dialect's router `table`: `check` lays its credential check around it, before every path, known or not.
pub fn close(
    table: Router,
    dialect: &'static str,
    clock: Clock,
    log: Log,
    voice: Voice,
    check: impl FnOnce(Router) -> Router,
) -> Router {
    let table = table.fallback(|| async { Fault::NoSuchPath });
    around(check(table.method_not_allowed_fallback(|| async { Fault::MethodNotAllowed })), dialect, clock, log, voice)
}

/// What is the same around every dialect, and so compiled once.
fn around(table: Router, dialect: &'static str, clock: Clock, log: Log, voice: Voice) -> Router {
    table
        .layer(from_fn(whole))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(limit_time))
        .layer(from_fn({
            let clock = clock.clone();
            move |request: Request, next: Next| {
                let clock = clock.clone();
                async move { voice(next.run(request).await, clock.now()) }
            }
        }))
        .layer(from_fn(move |request: Request, next: Next| {
            let (log, at) = (log.clone(), clock.now());
            async move { watch(dialect, log, at, request, next).await }
        }))
}

fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    // The panic hook has told where.
    Fault::Panicked.into_response()
}

/// A call is one change: where one is not, it is counted.
async fn whole(request: Request, next: Next) -> Response {
    let (mut response, changes) = call::watch(next.run(request)).await;
    if changes > 1 {
        metrics::counter!("http_calls_in_parts_total").increment(1);
    }
    response.extensions_mut().insert(Changes(changes));
    response
}

async fn limit_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Fault::TimedOut.into_response(),
    }
}

async fn watch(dialect: &'static str, log: Log, at: Instant, request: Request, next: Next) -> Response {
    let began = std::time::Instant::now();
    let id = request_id(&request);
    let matched = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_string());
    let (method, path) = (request.method().clone(), logged::path(request.uri().path(), matched.as_deref()));
    let route = matched.unwrap_or_else(|| "unmatched".into());
    // The listener has put the caller's own address there, where a proxy that the operator named passed it on.
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let mut response = origin::from(Origin { address, ..origin::present() }, next.run(request)).await;
    let (status, took) = (response.status().as_u16(), began.elapsed());
    metrics::counter!(
        "http_requests_total",
        "dialect" => dialect, "route" => route.clone(), "status" => status.to_string()
    )
    .increment(1);
    metrics::histogram!("http_request_seconds", "dialect" => dialect, "route" => route.clone())
        .record(took.as_secs_f64());
    let caller = response.extensions().get::<Caller>().copied();
    let (client, staff) = match caller.map(|caller| caller.who) {
        Some(Who::Api(id)) => (Some(id), None),
        Some(Who::Staff(id)) => (None, Some(id)),
        Some(Who::Customer(_) | Who::System) | None => (None, None),
    };
    let ms = took.as_millis() as i64;
    tracing::info!(
        target: "access", dialect, %method, path, status, client = client.map(|id| id.0), staff = staff.map(|id| id.0),
        request = id, ms
    );
    // A stranger's requests belong to no tenant; the program's own log has them.
    if let Some(Caller { isp, .. }) = caller {
        log.put(Asked {
            isp,
            at,
            dialect,
            client,
            staff,
            method: method.to_string(),
            path,
            route,
            status,
            ms,
            request_id: id.clone(),
            source: address.map(|address| address.to_string()),
        });
    }
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
