//! Guessing credentials is slow: so many that are wrong are taken from one address in a minute, at each door.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request},
    http::StatusCode,
    middleware::Next,
    response::Response,
};
use domain::kernel::windows::Wait;
use service::App;

/// Sign-ins a minute that fail.
const MAX_SIGN_INS: usize = 30;

/// Runs a sign-in at a door, unless too many from there have failed: then the dialect says `too_fast`, with the seconds
/// to wait.
pub async fn guard(
    app: &App,
    door: &'static str,
    request: Request,
    next: Next,
    too_fast: fn(i64) -> Response,
) -> Response {
    let (from, failures) = ((door, source(&request)), &app.limits.failures);
    if let Some(Wait(retry_after_s)) = failures.wait(&from, MAX_SIGN_INS, app.clock.now()) {
        return too_fast(retry_after_s);
    }
    let response = next.run(request).await;
    if response.status() == StatusCode::UNAUTHORIZED {
        failures.add(from, MAX_SIGN_INS, app.clock.now());
    }
    response
}

/// Counts a wrong credential that came with a request. Beyond `most` a minute from there, the seconds until the next one
/// is looked at; who has the right one is never asked to wait.
pub fn wrong(app: &App, door: &'static str, request: &Request, most: usize) -> Option<i64> {
    let from = (door, source(request));
    app.limits.failures.take(from, most, app.clock.now()).err().map(|Wait(retry_after_s)| retry_after_s)
}

/// Where a request came from, as far as the connection tells.
fn source(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
}
