//! Guessing passwords is slow: so many sign-ins that fail are taken from one address in a minute, then none.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, Request},
    http::StatusCode,
    middleware::Next,
    response::Response,
};
use domain::{Instant, kernel::clock::MINUTE};
use parking_lot::Mutex;
use service::Clock;

/// Failures a minute.
const MAX_FAILURES: usize = 30;
/// How many addresses are remembered before those that are silent are forgotten.
const MAX_QUIET: usize = 4096;

#[derive(Clone, Default)]
pub struct Attempts {
    failures: Arc<Mutex<HashMap<String, VecDeque<Instant>>>>,
}

impl Attempts {
    /// Runs a sign-in, unless too many from there have failed: then the dialect says `too_fast`, with the seconds to
    /// wait.
    pub async fn guard(&self, clock: &Clock, request: Request, next: Next, too_fast: fn(i64) -> Response) -> Response {
        let source = source(&request);
        if let Some(retry_after_s) = self.wait(&source, clock.now()) {
            return too_fast(retry_after_s);
        }
        let response = next.run(request).await;
        if response.status() == StatusCode::UNAUTHORIZED {
            self.failed(source, clock.now());
        }
        response
    }

    fn wait(&self, source: &str, now: Instant) -> Option<i64> {
        let mut failures = self.failures.lock();
        let times = failures.get_mut(source)?;
        times.retain(|at| now.since(*at) < MINUTE);
        let oldest = times.front().filter(|_| times.len() >= MAX_FAILURES)?;
        Some(((MINUTE - now.since(*oldest)) / 1_000_000).clamp(1, 60))
    }

    fn failed(&self, source: String, now: Instant) {
        let mut failures = self.failures.lock();
        if failures.len() > MAX_QUIET {
            failures.retain(|_, times| times.back().is_some_and(|last| now.since(*last) < MINUTE));
        }
        failures.entry(source).or_default().push_back(now);
    }
}

/// Where a request came from, as far as the connection tells.
fn source(request: &Request) -> String {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_fails_waits_and_others_do_not() {
        let (attempts, at) = (Attempts::default(), |s: i64| Instant(0).plus_seconds(s));
        for n in 0..MAX_FAILURES as i64 {
            assert_eq!(attempts.wait("a", at(n)), None);
            attempts.failed("a".into(), at(n));
        }
        assert_eq!(attempts.wait("a", at(30)), Some(30));
        assert_eq!(attempts.wait("b", at(30)), None);
        assert_eq!(attempts.wait("a", at(60)), None);
    }
}
