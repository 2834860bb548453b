//! Everything that is served over HTTP: health, readiness, the pages and the APIs for everybody; metrics, and what stands in
//! the way of readiness, at the operator's own listener.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use doors::{Dispatch, Gate, Log};
use metrics_exporter_prometheus::PrometheusHandle;
use panel::Pulse;
use service::{
    App,
    access::ready::{self, Obstacle},
};

use crate::telemetry::{self, Samples};

/// The database reads and writes within this, or the program is not ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whoever asks within this has the answer of who asked before: many that ask write no more than one does.
const LOOKS_APART: Duration = Duration::from_secs(1);

/// What the pages about the program itself look at.
#[derive(Clone)]
pub struct Watch {
    pub app: App,
    aaa: Arc<Mutex<Option<aaa::Running>>>,
    samples: Arc<Mutex<Samples>>,
    recorder: PrometheusHandle,
    began: Instant,
    looked: Arc<tokio::sync::Mutex<Option<Look>>>,
    /// A turn that does not end has been told of.
    alarmed: Arc<AtomicBool>,
}

/// When the database was last asked, and what stood in the way.
type Look = (Instant, Option<Obstacle>);

impl Watch {
    pub fn new(app: App, aaa: aaa::Running, recorder: PrometheusHandle) -> Watch {
        let (aaa, samples) = (Arc::new(Mutex::new(Some(aaa))), Arc::default());
        let (looked, alarmed) = Default::default();
        Watch { app, aaa, samples, recorder, began: Instant::now(), looked, alarmed }
    }

    /// Hands RADIUS over, to be stopped.
    pub fn take_aaa(&self) -> Option<aaa::Running> {
        self.aaa.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn aaa<T>(&self, look: impl FnOnce(&aaa::Running) -> T) -> Option<T> {
        self.aaa.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(look)
    }

    /// Remembers the counters as they stand; called every [`telemetry::SAMPLE`].
    pub fn sample(&self) {
        if let Some(counters) = self.aaa(aaa::Running::metrics) {
            self.samples.lock().unwrap_or_else(PoisonError::into_inner).add(Instant::now(), counters);
        }
        self.recorder.run_upkeep();
        let held = self.app.db.held();
        if !held.overdue {
            self.alarmed.store(false, Ordering::Relaxed);
        } else if !self.alarmed.swap(true, Ordering::Relaxed) {
            let seconds = held.running.as_secs();
            tracing::error!(seconds, "a change holds the database and does not end: every write waits for it");
        }
    }

    pub fn is_loaded(&self) -> bool {
        self.aaa(aaa::Running::is_ready).unwrap_or(false)
    }

    /// What stands in the way of serving, if anything.
    async fn obstacle(&self) -> Option<&'static str> {
        if !self.is_loaded() {
            return Some("the directory is not loaded yet");
        }
        let mut looked = self.looked.lock().await;
        let found = match *looked {
            Some((at, found)) if at.elapsed() < LOOKS_APART => found,
            Some(_) | None => {
                let found = ready::obstacle(&self.app, PATIENCE).await;
                *looked = Some((Instant::now(), found));
                found
            }
        };
        found.map(|obstacle| match obstacle {
            Obstacle::NoReads => "the database does not answer",
            Obstacle::NoWrites => "the database takes no writes",
            Obstacle::Held => "a change holds the database and does not end",
        })
    }

    pub fn pulse(&self) -> Pulse {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        Pulse {
            ready: self.is_loaded(),
            accepted_per_minute: samples.per_minute("radius_auth_accepts_total"),
            refused_per_minute: samples.per_minute("radius_auth_rejects_total"),
            reports_per_minute: samples.per_minute("radius_acct_answered_total"),
            subscribers: samples.latest("directory_subscribers").unwrap_or(0.0) as u64,
        }
    }
}

/// What everybody is served, and what the operator is at a listener of its own. `docs`: everybody has the page of calls.
pub fn routers(watch: Watch, gate: Gate, log: Log, front: panel::Front, docs: bool) -> (Router, Router) {
    let pulse = {
        let watch = watch.clone();
        Arc::new(move || watch.pulse())
    };
    let app = watch.app.clone();
    let apis = Dispatch::new(app.clock.clone())
        .with(alternet::dialect(app.clone(), gate.clone(), log.clone()))
        .with(ispbills::v1(app.clone(), gate.clone(), log.clone()))
        .with(ispbills::v2(app.clone(), gate.clone(), log.clone()))
        .with(zal::dialect(app.clone(), gate.clone(), log.clone()))
        .with_reading(jaze::dialect(app, gate, log), jaze::path)
        .router();
    let pages = panel::router(panel::Pages { app: watch.app.clone(), front, pulse });
    // The process lives.
    let alive = Router::new().route("/healthz", get(async || "ok\n"));
    let shared = alive.merge(pages).merge(apis);
    let page = ispbills::page::router();
    let public = Router::new().route("/readyz", get(ready)).with_state(watch.clone()).merge(shared.clone());
    let public = if docs { public.merge(page.clone()) } else { public };
    let own = Router::new().route("/readyz", get(why_not_ready)).route("/metrics", get(metrics)).with_state(watch);
    (public, own.merge(shared).merge(page))
}

/// Whether, for whoever asks: a balancer needs no more, and a stranger learns no more.
async fn ready(State(watch): State<Watch>) -> Response {
    match watch.obstacle().await {
        None => "ready\n".into_response(),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response(),
    }
}

async fn why_not_ready(State(watch): State<Watch>) -> Response {
    match watch.obstacle().await {
        None => "ready\n".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")).into_response(),
    }
}

async fn metrics(State(watch): State<Watch>) -> Response {
    let ready = watch.obstacle().await.is_none();
    let counters = watch.aaa(aaa::Running::metrics).unwrap_or_default();
    let text = telemetry::render(&watch.app, &counters, &watch.recorder.render(), ready, watch.began.elapsed()).await;
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
