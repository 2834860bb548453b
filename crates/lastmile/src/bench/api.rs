//! `bench api`: lists with every documented filter, and recharges, at a fixed rate through Alternet's API. The limits a
//! client has stay on: there are as many clients as the rate needs. A call's time counts from when it was due.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use service::{
    Actor, App,
    identity::clients::{self, NewClient, Tier},
};

use super::{Scratch, http::Connection, machine, server::Server};
use crate::{cli::BenchApi, demo, react, simulate::asker::Spread};

const CONNECTIONS: usize = 16;
/// Recharges a second.
const RECHARGES: f64 = 100.0;
/// Of what a client may do in a minute, this share is used: the minute of the server is not ours.
const CAREFUL: f64 = 0.4;

pub fn run(options: &BenchApi) -> anyhow::Result<()> {
    println!("{}", machine());
    let scratch = Scratch::new(&options.dir)?;
    let tier = Tier::Enterprise;
    let fastest = options.rate.max(RECHARGES);
    let wanted = (fastest * 60.0 / (f64::from(tier.requests_per_minute()) * CAREFUL)).ceil() as usize;
    let mut keys = Vec::new();
    react(async {
        let (app, actor, lock) = demo::prepare(&scratch.0, options.customers).await?;
        for n in 0..wanted.max(2) {
            keys.push(client(&app, &actor, n).await?);
        }
        app.db.close().await;
        drop(lock);
        Ok(())
    })?;
    let server = Server::start(&scratch.0)?;
    let asker = Asker { at: server.http, keys, turn: AtomicUsize::new(0) };
    println!(
        "{} customers, embedded database; {} clients of tier {}, {} calls/s, {} s each\n",
        options.customers,
        asker.keys.len(),
        tier.word(),
        options.rate,
        options.seconds,
    );
    println!("{:<58} {:>8} {:>9} {:>9} {:>9} {:>7}", "call", "calls", "p50 ms", "p99 ms", "max ms", "not 200");
    let ids = asker.customers()?;
    let time = Duration::from_secs_f64(options.seconds);
    for filter in filters(&asker)? {
        for page in [1, 1000] {
            let path = format!("/api/v1/customers?{filter}page={page}");
            let row = asker.drive(options.rate, time, |_| Call { method: "GET", path: path.clone(), body: "" })?;
            println!("{}", row.line(&format!("GET /customers?{filter}page={page}")));
        }
    }
    let row = asker.drive(RECHARGES, time, |n| Call {
        method: "POST",
        path: format!("/api/v1/customers/{}/recharge", ids[n as usize % ids.len()]),
        body: "{}",
    })?;
    println!("{}", row.line(&format!("POST /customers/ID/recharge, {RECHARGES}/s, durable")));
    server.stop()
}

async fn client(app: &App, actor: &Actor, n: usize) -> anyhow::Result<String> {
    let command = NewClient {
        dialect: "alternet",
        name: format!("bench {n}"),
        branch: None,
        tier: Tier::Enterprise,
        sandbox: false,
        secret: None,
    };
    Ok(clients::create(app, actor, command).await?.secret)
}

/// Each documented filter, with a value that is found.
fn filters(asker: &Asker) -> anyhow::Result<Vec<String>> {
    let first = asker.get("/api/v1/customers?per_page=1&search=user000000")?;
    let router = number_after(&first, "\"router_id\":").first().copied().unwrap_or(1);
    let texts = [
        "".into(),
        "status=Active&".into(),
        "status=Expired&".into(),
        "service_type=PPPoE&".into(),
        format!("router_id={router}&"),
        "status=Active&service_type=PPPoE&".into(),
        "search=0100000123&".into(),
        "search=user0001&".into(),
        "search=Customer&".into(),
        "order_by=fullname&order_direction=asc&".into(),
        "order_by=username&".into(),
        "order_by=expiration&".into(),
    ];
    Ok(texts.to_vec())
}

struct Call {
    method: &'static str,
    path: String,
    body: &'static str,
}

struct Asker {
    at: SocketAddr,
    keys: Vec<String>,
    turn: AtomicUsize,
}

#[derive(Default)]
struct Row {
    spread: Spread,
    slowest: Duration,
    others: u64,
}

impl Row {
    fn line(&self, name: &str) -> String {
        format!(
            "{name:<58} {:>8} {:>9.1} {:>9.1} {:>9.1} {:>7}",
            self.spread.count(),
            self.spread.ms(0.5),
            self.spread.ms(0.99),
            self.slowest.as_secs_f64() * 1000.0,
            self.others,
        )
    }
}

impl Asker {
    fn key(&self) -> &str {
        &self.keys[self.turn.fetch_add(1, Relaxed) % self.keys.len()]
    }

    fn get(&self, path: &str) -> anyhow::Result<String> {
        let (status, body) = Connection::open(self.at)?.call("GET", path, self.key(), "")?;
        let body = String::from_utf8_lossy(&body).into_owned();
        if status != 200 {
            bail!("GET {path}: {status} {body}");
        }
        Ok(body)
    }

    /// Up to a thousand customers to recharge.
    fn customers(&self) -> anyhow::Result<Vec<i64>> {
        let mut ids = Vec::new();
        for page in 1..=10 {
            let body = self.get(&format!("/api/v1/customers?per_page=100&page={page}&search=user0"))?;
            ids.extend(number_after(&body, "{\"id\":"));
        }
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            bail!("no customers are there to recharge");
        }
        Ok(ids)
    }

    /// Open loop: what is due is due, however long others take.
    fn drive(&self, rate: f64, time: Duration, call: impl Fn(u64) -> Call + Sync) -> anyhow::Result<Row> {
        let next = AtomicU64::new(0);
        let began = Instant::now();
        let rows = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..CONNECTIONS)
                .map(|_| {
                    scope.spawn(|| -> anyhow::Result<Row> {
                        let (mut connection, mut row) = (Connection::open(self.at)?, Row::default());
                        loop {
                            let n = next.fetch_add(1, Relaxed);
                            let due = Duration::from_secs_f64(n as f64 / rate);
                            if due >= time {
                                return Ok(row);
                            }
                            std::thread::sleep(due.saturating_sub(began.elapsed()));
                            let Call { method, path, body } = call(n);
                            let (status, _) = connection.call(method, &path, self.key(), body)?;
                            let took = began.elapsed().saturating_sub(due);
                            row.spread.add(took);
                            row.slowest = row.slowest.max(took);
                            row.others += u64::from(status != 200);
                        }
                    })
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().ok().context("a worker ended")?).collect::<Vec<_>>()
        });
        let mut all = Row::default();
        for row in rows {
            let row = row?;
            all.spread.merge(&row.spread);
            all.slowest = all.slowest.max(row.slowest);
            all.others += row.others;
        }
        Ok(all)
    }
}

/// The numbers behind every occurrence of a text.
fn number_after(body: &str, text: &str) -> Vec<i64> {
    let pieces = body.split(text).skip(1);
    pieces.filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_in_a_body() {
        let body = r#"{"data":[{"id":7,"router_id":2},{"id":19,"router_id":null}]}"#;
        assert_eq!(number_after(body, "{\"id\":"), [7, 19]);
        assert_eq!(number_after(body, "\"router_id\":"), [2]);
    }
}
