//! Measures the database layer: transactions, group commit, accounting batches, point reads.
//!
//!     cargo run --release -p lastmile-store --example measure -- [FILE | postgres://… | postgres] [SECONDS]
//!
//! Without a place: a SQLite file under the temporary folder, synchronous=full. `postgres` starts a
//! server of its own with fsync on. Figures and how to read them: docs/decisions/0001.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use store::db::{Class, Db, Error, Location, Tx, Value};
use store::testing::PrivateServer;
use store::{params, sql};

const SUBSCRIBERS: u64 = 100_000;
const COLUMNS: &str = "id, isp_id, router_id, service_id, session_key, username, mac, address, framed, nas_port, \
                       started_at, updated_at, ended_at, octets_in, octets_out, wraps, seconds, cause, state, seq";

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let place = args.next().unwrap_or_else(|| "file".into());
    let seconds: u64 = args.next().and_then(|s| s.parse().ok()).unwrap_or(5);
    let run = Duration::from_secs(seconds);
    let mut server = None;
    let location = match place.as_str() {
        "postgres" => {
            let own = PrivateServer::new("measure").expect("PostgreSQL is installed");
            let url = own.url();
            server = Some(own);
            Location::Postgres(url)
        }
        url if url.starts_with("postgres:") => Location::Postgres(url.into()),
        "file" => {
            let folder = std::env::temp_dir().join(format!("lastmile-measure-{}", std::process::id()));
            std::fs::create_dir_all(&folder).expect("a folder");
            Location::File(folder.join("measure.db"))
        }
        path => Location::File(PathBuf::from(path)),
    };
    let db = Db::open(&location).await.expect("the database opens");
    prepare(&db).await.expect("tables and rows");

    println!("{location:?}, {seconds} s each, {SUBSCRIBERS} subscribers");
    for callers in [1, 8, 64] {
        let db = db.clone();
        closed_loop(&format!("recharge, {callers} callers"), callers, run, move |n| recharge(db.clone(), n)).await;
    }
    let same = db.clone();
    closed_loop("recharge, 64 callers, one counter row", 64, run, move |n| numbered(same.clone(), n)).await;
    let paced = db.clone();
    open_loop("recharge at 100/s", 100, run, move |n| recharge(paced.clone(), n)).await;
    let reports = db.clone();
    let rate = closed_loop("accounting batch of 256, 1 caller", 1, run, move |n| batch(reports.clone(), n)).await;
    println!("    {:.0} reports/s", rate * 256.0);
    let reports = db.clone();
    let rate = closed_loop("accounting batch of 256, 2 callers", 2, run, move |n| batch(reports.clone(), n)).await;
    println!("    {:.0} reports/s", rate * 256.0);
    for callers in [1, 8] {
        let db = db.clone();
        closed_loop(&format!("point read, {callers} callers"), callers, run, move |n| read(db.clone(), n)).await;
    }
    mixed(&db, run).await;
    db.close().await;
    drop(server);
    if let ("file", Location::File(path)) = (place.as_str(), &location) {
        let _ = std::fs::remove_dir_all(path.parent().expect("made above"));
    }
}

async fn prepare(db: &Db) -> Result<(), Error> {
    let tables = [
        "drop table if exists m_service",
        "drop table if exists m_payment",
        "drop table if exists m_counter",
        "drop table if exists m_session",
        "create table m_service (id bigint not null primary key, username text not null unique,
             balance bigint not null, expires_at bigint not null, used bigint not null)",
        "create table m_payment (id bigint not null primary key, service_id bigint not null,
             amount bigint not null, paid_at bigint not null)",
        "create index m_payment_service on m_payment (service_id)",
        "create table m_counter (id bigint not null primary key, n bigint not null)",
        "create table m_session (id bigint not null primary key, isp_id bigint not null, router_id bigint not null,
             service_id bigint not null, session_key text not null, username text not null, mac text, address text,
             framed text, nas_port text, started_at bigint not null, updated_at bigint not null, ended_at bigint,
             octets_in bigint not null, octets_out bigint not null, wraps bigint not null, seconds bigint not null,
             cause text, state text not null, seq bigint not null, unique (isp_id, router_id, session_key))",
    ];
    for text in tables {
        let _: u64 = db.tx(Class::Bulk, async move |tx: &Tx| tx.run(text.to_owned(), &[]).await).await?;
    }
    for chunk in 0..SUBSCRIBERS / 1000 {
        let _: u64 = db
            .tx(Class::Bulk, async move |tx: &Tx| {
                let ids = chunk * 1000..(chunk + 1) * 1000;
                let rows = ids.map(|id| params![id, format!("user{id}"), 0, 0, 0].to_vec()).collect();
                tx.insert_many("insert into m_service (id, username, balance, expires_at, used)", "", rows).await?;
                tx.insert_many(
                    "insert into m_counter (id, n)",
                    "on conflict (id) do nothing",
                    vec![params![0, 0].to_vec()],
                )
                .await
            })
            .await?;
    }
    Ok(())
}

/// Six statements, as a recharge has: read, payment, two updates, a second row, read back.
async fn recharge(db: Db, n: u64) -> Result<(), Error> {
    db.tx(Class::Interactive, async move |tx: &Tx| {
        let id = scatter(n) % SUBSCRIBERS;
        let row = tx
            .row(sql!("select balance, expires_at from m_service where id = $1"), &params![id])
            .await?
            .ok_or_else(|| Error::Other("no such service".into()))?;
        let (balance, expires_at) = (row.get::<i64>(0)?, row.get::<i64>(1)?);
        pay(tx, unique(), id).await?;
        pay(tx, unique(), id).await?;
        tx.run(sql!("update m_service set balance = $2 where id = $1"), &params![id, balance + 1500]).await?;
        tx.run(sql!("update m_service set expires_at = $2 where id = $1"), &params![id, expires_at + 1]).await?;
        tx.row(sql!("select username, balance from m_service where id = $1"), &params![id]).await.map(drop)
    })
    .await
}

/// The same, and a number from a row that everybody wants, last.
async fn numbered(db: Db, n: u64) -> Result<(), Error> {
    db.tx(Class::Interactive, async move |tx: &Tx| {
        let id = scatter(n) % SUBSCRIBERS;
        pay(tx, unique(), id).await?;
        tx.run(sql!("update m_service set balance = balance + $2 where id = $1"), &params![id, 1]).await?;
        tx.row(sql!("update m_counter set n = n + 1 where id = $1 returning n"), &params![0]).await.map(drop)
    })
    .await
}

async fn pay(tx: &Tx, payment: u64, id: u64) -> Result<u64, Error> {
    tx.run(
        sql!("insert into m_payment (id, service_id, amount, paid_at) values ($1, $2, $3, $4)"),
        &params![payment, id, 1500, 1],
    )
    .await
}

/// 256 reports of sessions anywhere: one select, the sessions' rows, the services' counters.
async fn batch(db: Db, n: u64) -> Result<(), Error> {
    db.tx(Class::Accounting, async move |tx: &Tx| {
        // A stride keeps the sessions of one batch apart from each other.
        let first = scatter(n) % SUBSCRIBERS;
        let ids: Vec<u64> = (0..256).map(|i| (first + i * 389) % SUBSCRIBERS).collect();
        let known = tx.rows(known_sessions(ids.len()), &ids.iter().map(|id| Value::from(*id)).collect::<Vec<_>>()).await?;
        let turn = known.len() as i64 + n as i64;
        let head = concat!("insert into m_session (", "id, isp_id, router_id, service_id, session_key, username, mac, ",
            "address, framed, nas_port, started_at, updated_at, ended_at, octets_in, octets_out, wraps, seconds, cause, ",
            "state, seq)");
        let rows = ids.iter().map(|id| {
            params![
                *id, 1, 7, *id, format!("8010{id:08x}"), format!("user{id}"), "AA:BB:CC:DD:EE:FF", "100.64.0.1",
                None::<String>, "bridge-lan", 1, turn, None::<i64>, turn * 1000, turn * 5000, 0, turn, None::<String>,
                "open", turn
            ].to_vec()
        });
        tx.insert_many(
            head,
            "on conflict (id) do update set updated_at = excluded.updated_at, octets_in = excluded.octets_in, \
             octets_out = excluded.octets_out, wraps = excluded.wraps, seconds = excluded.seconds, \
             state = excluded.state, seq = excluded.seq",
            rows.collect(),
        )
        .await?;
        let counters = ids.iter().map(|id| params![*id, "", 0, 0, 6000].to_vec()).collect();
        tx.insert_many(
            "insert into m_service (id, username, balance, expires_at, used)",
            "on conflict (id) do update set used = m_service.used + excluded.used",
            counters,
        )
        .await
        .map(drop)
    })
    .await
}

fn known_sessions(count: usize) -> String {
    let places: Vec<String> = (1..=count).map(|n| format!("${n}")).collect();
    format!("select {COLUMNS} from m_session where id in ({})", places.join(","))
}

async fn read(db: Db, n: u64) -> Result<(), Error> {
    db.read(async move |tx: &Tx| {
        let id = scatter(n) % SUBSCRIBERS;
        tx.row(sql!("select username, balance, expires_at, used from m_service where id = $1"), &params![id])
            .await
            .map(drop)
    })
    .await
}

/// Recharges at 100/s while accounting runs as fast as it can and bulk chunks follow each other.
async fn mixed(db: &Db, run: Duration) {
    let (reports, chunks) = (db.clone(), db.clone());
    let accounting = tokio::spawn(async move {
        closed_loop("  accounting batches, beside them", 2, run, move |n| batch(reports.clone(), n)).await
    });
    let bulk = tokio::spawn(async move {
        closed_loop("  bulk chunks of 100 payments, beside them", 1, run, move |_| {
            let db = chunks.clone();
            async move {
                db.tx(Class::Bulk, async |tx: &Tx| {
                    let rows = (0..100).map(|i| params![unique(), i, 1, 1].to_vec()).collect();
                    tx.insert_many("insert into m_payment (id, service_id, amount, paid_at)", "", rows).await.map(drop)
                })
                .await
            }
        })
        .await
    });
    let paced = db.clone();
    open_loop("recharge at 100/s under full accounting and bulk", 100, run, move |n| recharge(paced.clone(), n)).await;
    let rate = accounting.await.expect("accounting ran");
    println!("    {:.0} reports/s", rate * 256.0);
    let _ = bulk.await;
}

// ---- loops ----

/// Each caller asks again as soon as it was answered. Answers per second.
async fn closed_loop<F>(name: &str, callers: u64, run: Duration, call: impl Fn(u64) -> F + Send + Sync + 'static) -> f64
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let call = Arc::new(call);
    let number = Arc::new(AtomicU64::new(0));
    let (began, cpu) = (Instant::now(), cpu());
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (call, number) = (call.clone(), number.clone());
            tokio::spawn(async move {
                let mut times = Vec::new();
                while began.elapsed() < run {
                    let asked = Instant::now();
                    call(number.fetch_add(1, Ordering::Relaxed)).await.expect("answered");
                    times.push(asked.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.expect("it ran"));
    }
    report(name, began.elapsed(), cpu, times)
}

/// Asks at a fixed rate, answered or not; times count from when it should have been asked.
async fn open_loop<F>(name: &str, rate: u32, run: Duration, call: impl Fn(u64) -> F)
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let (began, cpu) = (Instant::now(), cpu());
    let mut tasks = Vec::new();
    for n in 0..run.as_secs() as u32 * rate {
        let due = began + Duration::from_secs(1) * n / rate;
        tokio::time::sleep_until(due.into()).await;
        let answer = call(u64::from(n));
        tasks.push(tokio::spawn(async move {
            answer.await.expect("answered");
            due.elapsed()
        }));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.push(task.await.expect("it ran"));
    }
    report(name, began.elapsed(), cpu, times);
}

fn report(name: &str, took: Duration, cpu_before: f64, mut times: Vec<Duration>) -> f64 {
    times.sort();
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or_default();
    let rate = times.len() as f64 / took.as_secs_f64();
    let cpu = (cpu() - cpu_before) * 1e6 / times.len().max(1) as f64;
    println!(
        "{name:52} {rate:9.0}/s  p50 {:8.2} ms  p99 {:8.2} ms  max {:8.2} ms  {cpu:7.1} µs CPU",
        at(0.5).as_secs_f64() * 1e3,
        at(0.99).as_secs_f64() * 1e3,
        times.last().copied().unwrap_or_default().as_secs_f64() * 1e3,
    );
    rate
}

/// CPU seconds of this process so far (without the database server's).
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks: f64 = fields.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks / 100.0
}

/// Spreads numbers over the subscribers.
fn scatter(n: u64) -> u64 {
    n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20
}

fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
