//! Guessing keys is slow: so many wrong credentials are taken from one address in a minute, then the answer is to wait.
//! Who has the right ones is never held up.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Mutex, PoisonError},
};

use axum::{
    extract::{ConnectInfo, Request},
    response::{IntoResponse, Response},
};
use domain::{Instant, kernel::clock::MINUTE};

use super::Failure;

/// Failures a minute.
const MAX_FAILURES: usize = 300;
/// How many addresses are remembered before those that are silent are forgotten.
const MAX_QUIET: usize = 4096;

#[derive(Default)]
pub struct Attempts {
    failures: Mutex<HashMap<String, VecDeque<Instant>>>,
}

impl Attempts {
    pub fn refused(&self, request: &Request, failure: Failure, now: Instant) -> Response {
        if failure.code != 401 {
            return failure.into_response();
        }
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let source = peer.map_or_else(String::new, |peer| peer.0.ip().to_string());
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() > MAX_QUIET {
            failures.retain(|_, times| times.back().is_some_and(|last| now.since(*last) < MINUTE));
        }
        let times = failures.entry(source).or_default();
        times.retain(|at| now.since(*at) < MINUTE);
        if times.len() >= MAX_FAILURES {
            let left = times.front().map_or(MINUTE, |first| MINUTE - now.since(*first));
            return Failure::too_fast((left / 1_000_000).clamp(1, 60)).into_response();
        }
        times.push_back(now);
        failure.into_response()
    }
}
