//! `Idempotency-Key`: a write that is repeated with its key gets its first answer, word for word.
//!
//! Two layers. Use cases that move money take the key into their own transaction (`service::kernel::change`), so that not even
//! a crash sells a period twice. Around every write this keeps the answer that was sent, so that the repeat of any
//! successful write is answered and not done again. Refusals are not kept: what was refused may be tried again.

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, header::CONTENT_TYPE},
    middleware::Next,
    response::{IntoResponse, Response},
};
use service::{
    Actor, App, Error,
    kernel::{
        change::{self, CallerKey},
        vault::token_hash,
    },
};

use crate::{Fault, MAX_BODY};

const HEADER: &str = "idempotency-key";
/// Said of an answer that was given before.
const REPLAYED: &str = "idempotent-replayed";

/// Runs a request, at most once for each caller's key. The key is in the request's extensions for the use case.
pub async fn once(app: &App, actor: &Actor, request: Request, next: Next) -> Response {
    let writes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !writes || !request.headers().contains_key(HEADER) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Some(key) = key(&parts.headers) else { return Fault::BadKey.into_response() };
    let Ok(bytes) = axum::body::to_bytes(body, MAX_BODY).await else { return Fault::TooLarge.into_response() };
    let said = format!("{} {}\n{}", parts.method, parts.uri, String::from_utf8_lossy(&bytes));
    let key = CallerKey { key, request_hash: token_hash(&said) };
    match change::answered(app, actor, &key).await {
        Ok(None) => {}
        Ok(Some(answer)) => return replay(&answer),
        Err(Error::KeyReused) => return Fault::KeyReused.into_response(),
        Err(_) => return Fault::TimedOut.into_response(),
    }
    let mut request = Request::from_parts(parts, Body::from(bytes));
    request.extensions_mut().insert(key.clone());
    let response = next.run(request).await;
    if !response.status().is_success() {
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, usize::MAX).await else { return Fault::Panicked.into_response() };
    let answer = format!("{} {}", parts.status.as_u16(), String::from_utf8_lossy(&bytes));
    if let Err(error) = change::keep_answer(app, actor, key, answer).await {
        tracing::warn!(%error, "an answer was not kept for its repeats");
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn key(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(HEADER)?.to_str().ok()?.trim();
    (1..=255).contains(&text.len()).then(|| text.to_string())
}

fn replay(answer: &str) -> Response {
    let (status, body) = answer.split_once(' ').unwrap_or(("200", ""));
    let status = status.parse::<u16>().ok().and_then(|code| axum::http::StatusCode::from_u16(code).ok());
    let mut response = (status.unwrap_or_default(), Bytes::from(body.to_string())).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
