//! What the program says about itself: structured logs, and numbers for Prometheus.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write,
    io::IsTerminal,
    time::{Duration, Instant},
};

use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use service::{App, Class};
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use crate::settings::LogFormat;

/// Seconds; for requests over HTTP.
const BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Logs go to standard error: standard output belongs to what a person asked for.
pub fn logs(level: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(level).with_context(|| format!("log level {level:?}"))?;
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal();
            registry.with(fmt::layer().with_ansi(colours).with_writer(std::io::stderr)).try_init()
        }
        LogFormat::Json => registry.with(fmt::layer().json().with_writer(std::io::stderr)).try_init(),
    }
    .context("logging is set up already")
}

/// Takes what the rooms count with the `metrics` macros.
pub fn recorder() -> anyhow::Result<PrometheusHandle> {
    Ok(PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), BUCKETS)?
        .install_recorder()?)
}

/// How often the counters are looked at for the rates of the front page.
pub const SAMPLE: Duration = Duration::from_secs(5);

/// The counters of the last minute, to tell rates from.
#[derive(Default)]
pub struct Samples(VecDeque<(Instant, BTreeMap<String, f64>)>);

impl Samples {
    pub fn add(&mut self, at: Instant, counters: Vec<(String, f64)>) {
        self.0.push_back((at, counters.into_iter().collect()));
        while self.0.len() > 2 && self.0[1].0 + Duration::from_secs(60) <= at {
            self.0.pop_front();
        }
    }

    /// Growth a minute of the counters whose names begin so; 0 before there are two samples.
    pub fn per_minute(&self, prefix: &str) -> f64 {
        let (Some((began, before)), Some((ended, after))) = (self.0.front(), self.0.back()) else { return 0.0 };
        let seconds = ended.duration_since(*began).as_secs_f64();
        let sum = |row: &BTreeMap<String, f64>| -> f64 {
            row.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, value)| value).sum()
        };
        if seconds < 1.0 { 0.0 } else { ((sum(after) - sum(before)).max(0.0)) * 60.0 / seconds }
    }

    /// The newest value of a counter or gauge.
    pub fn latest(&self, name: &str) -> Option<f64> {
        self.0.back()?.1.get(name).copied()
    }
}

/// Everything for `/metrics`, in Prometheus' text form.
pub async fn render(app: &App, aaa: &[(String, f64)], recorded: &str, ready: bool, up: Duration) -> String {
    let mut out = String::with_capacity(8192);
    let mut row = |name: &str, value: f64| {
        let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
        let _ = writeln!(out, "# TYPE lastmile_{name} {kind}\nlastmile_{name} {value}");
    };
    row("up_seconds", up.as_secs_f64());
    row("ready", f64::from(u8::from(ready)));
    for (name, value) in aaa {
        row(name, *value);
    }
    let patience = Duration::from_secs(2);
    let began = Instant::now();
    if let Ok(Ok(waiting)) = tokio::time::timeout(patience, service::access::orders::waiting(app)).await {
        row("network_orders_waiting", waiting as f64);
        row("database_read_seconds", began.elapsed().as_secs_f64());
    }
    // An empty transaction waits in the writer's queue as everybody does.
    let began = Instant::now();
    let empty = app.db.tx(Class::Interactive, async |_| Ok::<_, service::Error>(()));
    if let Ok(Ok(())) = tokio::time::timeout(patience, empty).await {
        row("database_writer_wait_seconds", began.elapsed().as_secs_f64());
    }
    let held = app.db.held();
    row("writer_turn_seconds", held.running.as_secs_f64());
    row("writer_longest_turn_seconds", held.longest.as_secs_f64());
    row("writer_overdue", f64::from(u8::from(held.overdue)));
    if let Some(bytes) = resident() {
        row("process_resident_memory_bytes", bytes);
    }
    prefix(recorded, &mut out);
    out
}

/// What the rooms record bears their own names: one prefix makes them ours.
fn prefix(recorded: &str, out: &mut String) {
    for line in recorded.lines().filter(|line| !line.is_empty()) {
        let (before, name) = ["# TYPE ", "# HELP "]
            .into_iter()
            .find_map(|head| Some((head, line.strip_prefix(head)?)))
            .unwrap_or(("", line));
        let _ = writeln!(out, "{before}lastmile_{name}");
    }
}

/// Memory of this process, where the system tells it.
fn resident() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_names_get_the_prefix() {
        let mut out = String::new();
        prefix("# TYPE http_requests_total counter\nhttp_requests_total{route=\"x\"} 3\n\n", &mut out);
        let expected = "# TYPE lastmile_http_requests_total counter\nlastmile_http_requests_total{route=\"x\"} 3\n";
        assert_eq!(out, expected);
    }

    #[test]
    fn rates_come_from_the_last_minute() {
        let (start, mut samples) = (Instant::now(), Samples::default());
        assert_eq!(samples.per_minute("a"), 0.0);
        for minute_part in 0..30u32 {
            let at = start + Duration::from_secs(10 * u64::from(minute_part));
            // Sixty a minute at first, then twice as many.
            let value = if minute_part < 15 { 10.0 * f64::from(minute_part) } else { 20.0 * f64::from(minute_part) };
            samples.add(at, vec![("a_x_total".into(), value), ("a_y_total".into(), 0.0), ("b".into(), 7.0)]);
        }
        assert_eq!(samples.per_minute("a_").round(), 120.0);
        assert_eq!(samples.latest("b"), Some(7.0));
        assert!(samples.0.len() <= 8);
    }
}
