//! `Idempotency-Key`: a write that is repeated with its key gets its first answer, word for word, and is done once, however
//! many come at the same moment (`service::kernel::once`).
//!
//! The call is worked on to its end even when its caller has gone: who loses the connection asks again with the same key,
//! and that is what it is for. Refusals are not kept: what was refused may be tried again.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LOCATION},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use service::{
    Actor, App, Error,
    kernel::{
        call,
        once::{self, CallerKey, During, Seen, Turn},
        origin,
        vault::token_hash,
    },
};

use crate::{Fault, MAX_BODY, shell};

const HEADER: &str = "idempotency-key";
/// Said of an answer that was given before.
const REPLAYED: &str = "idempotent-replayed";
/// The largest answer that is kept. What is longer is given once; its repeats are told that it was done.
pub const MAX_KEPT: usize = 1 << 20;
/// The largest that is kept of a call that changed nothing: who asks for lists with keys fills no disk.
pub const MAX_KEPT_UNCHANGED: usize = 16 << 10;
/// How often another node's call is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// The headers of an answer that its repeats have, too.
const KEPT_HEADERS: [HeaderName; 3] = [CONTENT_TYPE, ETAG, LOCATION];

/// Runs a request, at most once for each caller's key. The key is in the request's extensions for the use case.
pub async fn once(app: &App, actor: &Actor, request: Request, next: Next) -> Response {
    // Some documents change things with GET, too: a key is a key.
    if !request.headers().contains_key(HEADER) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Some(key) = key(&parts.headers) else { return Fault::BadKey.into_response() };
    let Ok(bytes) = axum::body::to_bytes(body, MAX_BODY).await else { return Fault::TooLarge.into_response() };
    let said = format!("{} {}\n{}", parts.method, parts.uri, String::from_utf8_lossy(&bytes));
    let key = CallerKey { key, request_hash: token_hash(&said) };
    let mut request = Request::from_parts(parts, Body::from(bytes));
    request.extensions_mut().insert(key.clone());
    let during = During::new(app, actor, key);
    let Some(turn) = app.underway.turn(&during).await else {
        count("under_way");
        return Fault::KeyTaken.into_response();
    };
    if let Some(answer) = first_answer(app, &during).await {
        return answer;
    }
    let work = work(app.clone(), during, turn, request, next);
    match tokio::spawn(origin::from(origin::present(), call::watch(work))).await {
        Ok((response, changes)) => {
            call::count(changes);
            response
        }
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Fault::TimedOut.into_response(),
        },
    }
}

/// What repeats were told.
fn count(told: &'static str) {
    metrics::counter!("http_repeats_total", "told" => told).increment(1);
}

/// The one key of a request.
fn key(headers: &HeaderMap) -> Option<String> {
    let mut given = headers.get_all(HEADER).iter();
    let text = given.next()?.to_str().ok()?.trim();
    (given.next().is_none() && once::is_key(text)).then(|| text.to_string())
}

async fn work(app: App, during: Arc<During>, turn: Turn, request: Request, next: Next) -> Response {
    let is_safe = request.method().is_safe();
    let answered = tokio::time::timeout(shell::PATIENCE, during.clone().work(next.run(request))).await;
    let response = match answered {
        Ok(response) => response,
        Err(_) => Fault::TimedOut.into_response(),
    };
    let has_changed = during.has_changed();
    if !has_changed && let Some(answer) = first_answer(&app, &during).await {
        // Another node was first.
        return answer;
    }
    // What only read may be read again.
    if !response.status().is_success() || (is_safe && !has_changed) {
        return response;
    }
    let response = kept(&app, &during, response).await;
    drop(turn);
    response
}

/// What the first call with this key was answered; `None`: there was none.
async fn first_answer(app: &App, during: &Arc<During>) -> Option<Response> {
    let waited = std::time::Instant::now();
    loop {
        return match once::seen(app, during).await {
            Ok(Seen::Never) => None,
            Ok(Seen::Answered(answer)) => {
                count("answered");
                Some(replay(&answer))
            }
            Ok(Seen::Lost) => {
                count("lost");
                Some(Fault::AnswerLost.into_response())
            }
            Ok(Seen::UnderWay) if waited.elapsed() < once::PATIENCE => {
                tokio::time::sleep(LOOK).await;
                continue;
            }
            Ok(Seen::UnderWay) => {
                count("under_way");
                Some(Fault::KeyTaken.into_response())
            }
            Err(Error::KeyReused) => Some(Fault::KeyReused.into_response()),
            Err(_) => Some(Fault::TimedOut.into_response()),
        };
    }
}

/// The answer, kept for its repeats.
async fn kept(app: &App, during: &Arc<During>, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let most = if during.has_changed() { MAX_KEPT } else { MAX_KEPT_UNCHANGED };
    // Long lists are written piece by piece: nobody holds one whole.
    if body.size_hint().exact().is_none_or(|size| size > most as u64) {
        return Response::from_parts(parts, body);
    }
    let Ok(bytes) = axum::body::to_bytes(body, MAX_KEPT).await else { return Fault::Panicked.into_response() };
    if let Ok(text) = std::str::from_utf8(&bytes)
        && let Err(error) = once::keep(app, during, &written(parts.status, &parts.headers, text)).await
    {
        tracing::warn!(%error, "an answer was not kept for its repeats");
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// `201`, its headers each after a tab, a new line, and the body.
fn written(status: StatusCode, headers: &HeaderMap, body: &str) -> String {
    let mut text = status.as_u16().to_string();
    for name in &KEPT_HEADERS {
        text.push('\t');
        text.push_str(headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default());
    }
    format!("{text}\n{body}")
}

fn replay(answer: &str) -> Response {
    let is_old = answer.as_bytes().get(3) == Some(&b' ');
    let (head, body) = match is_old {
        true => (format!("{}\tapplication/json", &answer[..3]), &answer[4..]),
        false => answer.split_once('\n').map(|(head, body)| (head.to_string(), body)).unwrap_or_default(),
    };
    let mut words = head.split('\t');
    let status = words.next().and_then(|word| word.parse().ok()).and_then(|code| StatusCode::from_u16(code).ok());
    let mut response = (status.unwrap_or_default(), Bytes::from(body.to_string())).into_response();
    let headers = response.headers_mut();
    headers.remove(CONTENT_TYPE);
    for (name, word) in KEPT_HEADERS.iter().zip(words) {
        if !word.is_empty()
            && let Ok(value) = HeaderValue::from_str(word)
        {
            headers.insert(name, value);
        }
    }
    // RFC 6749 §5.1: what is shown once is kept by nobody on the way.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_is_itself_again() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
        headers.insert(ETAG, HeaderValue::from_static("\"5\""));
        let again = replay(&written(StatusCode::CREATED, &headers, "a,b\nc d\n"));
        assert_eq!(again.status(), StatusCode::CREATED);
        assert_eq!((&again.headers()[CONTENT_TYPE], &again.headers()[ETAG]), (&headers[CONTENT_TYPE], &headers[ETAG]));
        let body = axum::body::to_bytes(again.into_body(), 100).await.expect("a body");
        assert_eq!(body, "a,b\nc d\n");
        let old = replay("201 {\"a\": 1}");
        assert_eq!(
            (old.status(), &old.headers()[CONTENT_TYPE]),
            (StatusCode::CREATED, &HeaderValue::from_static("application/json"))
        );
        assert_eq!(axum::body::to_bytes(old.into_body(), 100).await.expect("a body"), "{\"a\": 1}");
    }
}
