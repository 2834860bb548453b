//! What `db` promises, as one story on SQLite in memory, SQLite in a file, and PostgreSQL.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use store::db::{Class, Db, Engine, Error, Location, Row, Tx, Value};
use store::testing::{self, PrivateServer};
use store::{params, sql};
use tokio::{sync::watch, task::JoinSet};

type Done = Result<(), Error>;

/// Runs the story once per engine.
async fn both(hint: &str, story: impl AsyncFn(Db) -> Done) {
    let folder = Folder::new(hint);
    let mut places = vec![Location::Memory, Location::File(folder.0.join("data.db"))];
    places.extend(testing::postgres().map(|server| Location::Postgres(server.database(hint))));
    for place in places {
        let db = Db::open(&place).await.unwrap();
        let schema = "create table account (id bigint not null primary key, name text unique, live bool,
                                            secret blob, amount bigint not null check (amount >= 0));
                      create table entry (account_id bigint not null references account (id), n bigint not null,
                                          word text, primary key (account_id, n));
                      create unique index account_lower on account (lower(name))";
        for statement in schema.split(';') {
            let statement = match db.engine() {
                Engine::Sqlite => statement.to_owned(),
                Engine::Postgres => statement.replace(" blob", " bytea"),
            };
            let made: Result<u64, Error> =
                db.tx(Class::Bulk, async move |tx: &Tx| tx.run(statement.clone(), &[]).await).await;
            made.unwrap();
        }
        if let Err(error) = story(db.clone()).await {
            panic!("{place:?}: {error}");
        }
        db.close().await;
        let after: Result<u64, Error> = db.tx(Class::Interactive, async |_: &Tx| Ok(1)).await;
        assert!(matches!(after, Err(Error::Unavailable(_))), "{after:?}");
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new(hint: &str) -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("lastmile-db-{hint}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn add(tx: &Tx, id: i64, name: &str, amount: i64) -> Result<u64, Error> {
    tx.run(
        sql!("insert into account (id, name, live, amount) values ($1, $2, $3, $4)"),
        &params![id, name, true, amount],
    )
    .await
}

async fn amount(db: &Db, id: i64) -> Result<i64, Error> {
    db.read(async move |tx: &Tx| match tx.row(sql!("select amount from account where id = $1"), &params![id]).await? {
        Some(row) => row.get(0),
        None => Ok(-1),
    })
    .await
}

async fn count(db: &Db) -> Result<i64, Error> {
    db.read(async |tx: &Tx| tx.row(sql!("select count(*) from account"), &[]).await?.unwrap().get(0)).await
}

#[tokio::test]
async fn a_read_sees_what_was_committed() {
    both("seen", async |db| {
        for id in 0..50 {
            db.tx(Class::Interactive, async move |tx: &Tx| add(tx, id, &format!("a{id}"), id).await).await?;
            assert_eq!(amount(&db, id).await?, id);
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn values_come_back_as_they_went() {
    both("values", async |db| {
        let blob = vec![0_u8, 255, 39];
        let stored: Result<Row, Error> = db
            .tx(Class::Interactive, async move |tx: &Tx| {
                tx.run(
                    sql!("insert into account (id, name, live, secret, amount) values ($1, $2, $3, $4, $5)"),
                    &params![i64::MAX, "Zoë's", true, blob.clone(), 1_i64 << 52],
                )
                .await?;
                tx.run(
                    sql!("insert into account (id, name, live, secret, amount) values ($1, $2, $3, $4, $5)"),
                    &params![2, None::<String>, None::<bool>, None::<Vec<u8>>, 0],
                )
                .await?;
                let text = "select id, name, live, secret, amount from account order by id desc";
                let rows = tx.rows(text.to_owned(), &[]).await?;
                assert_eq!(rows[0].get::<i64>(0)?, i64::MAX);
                assert_eq!(rows[0].text(1)?, "Zoë's");
                assert!(rows[0].get::<bool>(2)?);
                assert_eq!(rows[0].get::<Vec<u8>>(3)?, [0, 255, 39]);
                assert_eq!(rows[0].get::<Option<i64>>(4)?, Some(1 << 52));
                assert_eq!(rows[1].get::<Option<String>>(1)?, None);
                assert_eq!(rows[1].get::<Option<bool>>(2)?, None);
                assert_eq!(rows[1].get::<Option<Vec<u8>>>(3)?, None);
                let sums = tx
                    .row(
                        sql!("select sum(amount), count(*) filter (where live), max(id) from account where id < $1"),
                        &params![3],
                    )
                    .await?;
                Ok(sums.unwrap())
            })
            .await;
        let sums = stored?;
        assert_eq!((sums.get::<i64>(0)?, sums.get::<i64>(1)?, sums.get::<i64>(2)?), (0, 0, 2));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn refusals_are_told_apart_alike() {
    both("refusals", async |db| {
        db.tx(Class::Interactive, async |tx: &Tx| add(tx, 1, "ali", 5).await).await?;
        let attempts: [(&'static str, Vec<Value>, Error); 6] = [
            (
                "insert into account (id, amount) values ($1, $2)",
                params![1, 1].to_vec(),
                Error::Unique { what: "account.id".into() },
            ),
            (
                "insert into account (id, name, amount) values ($1, $2, $3)",
                params![2, "ALI", 1].to_vec(),
                Error::Unique { what: "index 'account_lower'".into() },
            ),
            (
                "insert into entry (account_id, n) values ($1, 1), ($1, 1)",
                params![1].to_vec(),
                Error::Unique { what: "entry.account_id, entry.n".into() },
            ),
            ("insert into entry (account_id, n) values ($1, $1)", params![77].to_vec(), Error::ForeignKey),
            (
                "insert into account (id, amount) values ($1, null)",
                params![3].to_vec(),
                Error::Check { what: "account.amount".into() },
            ),
            ("select id from account limit $1", params![None::<i64>, 2].to_vec(), Error::Other(String::new())),
        ];
        for (text, values, expected) in attempts {
            let got: Result<u64, Error> =
                db.tx(Class::Interactive, async move |tx: &Tx| tx.run(text.to_owned(), &values).await).await;
            match (got, expected) {
                (Err(Error::Other(_)), Error::Other(_)) => {}
                (got, expected) => assert_eq!(got, Err(expected), "{text}"),
            }
        }
        let negative: Result<u64, Error> = db.tx(Class::Interactive, async |tx: &Tx| add(tx, 9, "b", -1).await).await;
        assert!(matches!(negative, Err(Error::Check { .. })), "{negative:?}");
        let twice: Result<u64, Error> = db.tx(Class::Interactive, async |tx: &Tx| add(tx, 9, "ali", 1).await).await;
        assert!(matches!(twice, Err(Error::Unique { .. })), "{twice:?}");
        assert_eq!(count(&db).await?, 1);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn one_failing_body_leaves_its_neighbours_alone() {
    both("neighbours", async |db| {
        let mut all = JoinSet::new();
        for id in 0..60_i64 {
            let db = db.clone();
            all.spawn(async move {
                let done: Result<(), Error> = db
                    .tx(Class::Interactive, async move |tx: &Tx| {
                        add(tx, id, &format!("n{id}"), 1).await?;
                        match id % 4 {
                            0 => Err(Error::Other("the body's own".into())),
                            1 => add(tx, id, "again", 1).await.map(drop),
                            2 => panic!("the body's bug"),
                            _ => Ok(()),
                        }
                    })
                    .await;
                (id, done)
            });
        }
        while let Some(one) = all.join_next().await {
            let (id, done) = one.unwrap();
            match (id % 4, done) {
                (0, Err(Error::Other(why))) => assert_eq!(why, "the body's own"),
                (1, Err(Error::Unique { what })) => assert_eq!(what, "account.id"),
                (2, Err(Error::Other(why))) => assert!(why.contains("the body's bug"), "{why}"),
                (3, Ok(())) => {}
                (_, other) => panic!("{id}: {other:?}"),
            }
        }
        let left: Result<Vec<Row>, Error> =
            db.read(async |tx: &Tx| tx.rows(sql!("select id from account order by id"), &[]).await).await;
        let left: Vec<i64> = left?.iter().map(|row| row.get(0).unwrap()).collect();
        assert_eq!(left, (0..60).filter(|id| id % 4 == 3).collect::<Vec<_>>());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_swallowed_failure_is_not_committed() {
    both("swallowed", async |db| {
        let done: Result<(), Error> = db
            .tx(Class::Interactive, async |tx: &Tx| {
                add(tx, 1, "ali", 1).await?;
                let _ = add(tx, 1, "ali", 1).await;
                let _ = add(tx, 2, "after", 1).await;
                Ok(())
            })
            .await;
        assert!(matches!(done, Err(Error::Unique { .. })), "{done:?}");
        assert_eq!(count(&db).await?, 0);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn many_rows_go_in_at_once() {
    both("many", async |db| {
        for size in [0, 1, 2, 3, 255, 256, 257, 1000_i64] {
            let touched: Result<u64, Error> = db
                .tx(Class::Accounting, async move |tx: &Tx| {
                    let rows = (0..size).map(|id| params![id, format!("m{id}"), id % 2 == 0, size].to_vec());
                    tx.insert_many(
                        "insert into account (id, name, live, amount)",
                        "on conflict (id) do update set amount = account.amount + excluded.amount",
                        rows.collect(),
                    )
                    .await
                })
                .await;
            assert_eq!(touched?, size as u64);
        }
        assert_eq!(count(&db).await?, 1000);
        assert_eq!(amount(&db, 0).await?, 1 + 2 + 3 + 255 + 256 + 257 + 1000);
        assert_eq!(amount(&db, 999).await?, 1000);
        Ok(())
    })
    .await;
}

/// Reads, computes outside of SQL, writes back.
async fn deposit(tx: &Tx, id: i64) -> Result<i64, Error> {
    let row = tx.row(sql!("select amount from account where id = $1"), &params![id]).await?.unwrap();
    let amount = row.get::<i64>(0)? + 1;
    tx.run(sql!("update account set amount = $2 where id = $1"), &params![id, amount]).await?;
    Ok(amount)
}

#[tokio::test]
async fn concurrent_read_modify_write_is_exact() {
    both("exact", async |db| {
        db.tx(Class::Interactive, async |tx: &Tx| add(tx, 1, "ali", 0).await).await?;
        for class in [Class::Interactive, Class::Accounting, Class::Bulk] {
            let mut all = JoinSet::new();
            for _ in 0..20 {
                let db = db.clone();
                all.spawn(async move { db.tx(class, async |tx: &Tx| deposit(tx, 1).await).await });
            }
            while let Some(done) = all.join_next().await {
                let _: i64 = done.unwrap()?;
            }
        }
        assert_eq!(amount(&db, 1).await?, 60);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_read_does_not_write() {
    both("readonly", async |db| {
        let done: Result<u64, Error> = db.read(async |tx: &Tx| add(tx, 1, "ali", 1).await).await;
        assert!(matches!(done, Err(Error::Other(_))), "{done:?}");
        assert_eq!(count(&db).await?, 0);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_read_is_one_snapshot() {
    both("snapshot", async |db| {
        if db.engine() == Engine::Sqlite {
            // In memory the reads take turns with the writer; in a file this is SQLite's own promise.
            return Ok(());
        }
        let other = db.clone();
        let counts: Result<(i64, i64), Error> = db
            .read(async move |tx: &Tx| {
                let before = tx.row(sql!("select count(*) from account"), &[]).await?.unwrap().get(0)?;
                other.tx(Class::Interactive, async |tx: &Tx| add(tx, 1, "ali", 1).await).await?;
                let after = tx.row(sql!("select count(*) from account"), &[]).await?.unwrap().get(0)?;
                Ok((before, after))
            })
            .await;
        assert_eq!(counts?, (0, 0));
        assert_eq!(count(&db).await?, 1);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn bodies_whose_callers_left_are_skipped_or_finished_whole() {
    both("left", async |db| {
        // Every second caller leaves at another moment of its body; the others wait.
        for id in 0..200_i64 {
            let call = db.tx(Class::Interactive, async move |tx: &Tx| {
                add(tx, 2 * id, &format!("l{id}"), 1).await?;
                add(tx, 2 * id + 1, &format!("r{id}"), 1).await
            });
            if id % 2 == 0 {
                assert_eq!(call.await?, 1);
            } else {
                let left: Result<Result<u64, Error>, _> =
                    tokio::time::timeout(Duration::from_micros(id as u64 * 10), call).await;
                drop(left);
            }
        }
        // What ran before this is over when it is answered, on the one writer at least.
        db.tx(Class::Interactive, async |tx: &Tx| tx.run(sql!("select 1"), &[]).await).await?;
        let rows: Result<Vec<Row>, Error> =
            db.read(async |tx: &Tx| tx.rows(sql!("select id from account order by id"), &[]).await).await;
        let there: Vec<i64> = rows?.iter().map(|row| row.get(0)).collect::<Result<_, Error>>()?;
        let has = |id| there.binary_search(&id).is_ok();
        for id in 0..200_i64 {
            assert_eq!(has(2 * id), has(2 * id + 1), "{id} was written by half");
            assert!(id % 2 == 1 || has(2 * id), "{id} was answered");
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn awaiting_something_else_is_refused_on_sqlite() {
    let db = Db::open(&Location::Memory).await.unwrap();
    let done: Result<(), Error> = db
        .tx(Class::Interactive, async |_: &Tx| {
            tokio::task::yield_now().await;
            Ok(())
        })
        .await;
    assert!(matches!(done, Err(Error::Other(_))), "{done:?}");
    let next: Result<i64, Error> =
        db.tx(Class::Interactive, async |tx: &Tx| tx.row(sql!("select 1"), &[]).await?.unwrap().get(0)).await;
    assert_eq!(next, Ok(1));
}

#[tokio::test]
async fn a_full_queue_says_busy_and_empties() {
    let db = Db::open(&Location::Memory).await.unwrap();
    // The writer is held until somebody has been told that it is busy.
    let open = Arc::new((Mutex::new(false), Condvar::new()));
    let mut all = JoinSet::new();
    for _ in 0..500 {
        let (db, open) = (db.clone(), open.clone());
        all.spawn(async move {
            db.tx(Class::Bulk, async move |tx: &Tx| {
                let (is_open, opened) = &*open;
                drop(opened.wait_while(is_open.lock().unwrap(), |is_open| !*is_open).unwrap());
                tx.run(sql!("select 1"), &[]).await
            })
            .await
        });
    }
    let (mut fine, mut busy) = (0, 0);
    while let Some(done) = all.join_next().await {
        match done.unwrap() {
            Ok(_) => fine += 1,
            Err(Error::Busy(_)) => busy += 1,
            Err(other) => panic!("{other}"),
        }
        if busy > 0 {
            *open.0.lock().unwrap() = true;
            open.1.notify_all();
        }
    }
    assert!(fine >= 64 && busy > 0, "{fine} {busy}");
}

#[tokio::test]
async fn a_group_survives_a_commit_that_fails() {
    let folder = Folder::new("deferred");
    let db = Db::open(&Location::File(folder.0.join("data.db"))).await.unwrap();
    let text = "create table a (id integer primary key, b integer references a (id) deferrable initially deferred)";
    let made: Result<u64, Error> = db.tx(Class::Bulk, async |tx: &Tx| tx.run(text.to_owned(), &[]).await).await;
    made.unwrap();
    let mut all = JoinSet::new();
    for id in 1..=40_i64 {
        let db = db.clone();
        all.spawn(async move {
            let refers = if id % 5 == 0 { Some(1000) } else { None };
            let text = "insert into a (id, b) values ($1, $2)";
            let values = params![id, refers];
            let done: Result<u64, Error> =
                db.tx(Class::Interactive, async move |tx: &Tx| tx.run(text.to_owned(), &values).await).await;
            (id, done)
        });
    }
    while let Some(one) = all.join_next().await {
        let (id, done) = one.unwrap();
        assert_eq!(done, if id % 5 == 0 { Err(Error::ForeignKey) } else { Ok(1) }, "{id}");
    }
}

/// After the server's return a call waits about as long as a connection takes; this is for a busy machine.
const BACK_WITHIN: Duration = Duration::from_secs(5);
/// Nobody waits so long but a failing test.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until the counts are so.
async fn until(told: &watch::Receiver<Option<(usize, usize)>>, what: &str, is_so: impl Fn((usize, usize)) -> bool) {
    let mut told = told.clone();
    let so = told.wait_for(|counts| counts.is_some_and(&is_so));
    let came = tokio::time::timeout(PATIENCE, so).await.is_ok();
    assert!(came, "waited for {what}");
}

/// A server that crashes and returns: calls wait or fail, nothing acknowledged is lost, nothing is
/// written twice, and soon all is well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_may_crash_and_come_back() {
    let Some(mut server) = PrivateServer::new("crash") else { return };
    let db = Db::open(&Location::Postgres(server.url())).await.unwrap();
    let text = "create table t (id bigint primary key, times bigint not null)";
    let made: Result<u64, Error> = db.tx(Class::Bulk, async |tx: &Tx| tx.run(text.to_owned(), &[]).await).await;
    made.unwrap();

    // How many writes were acknowledged and how many were not, so far; `None`: enough.
    let (tell, told) = watch::channel(Some((0, 0)));
    let tell = Arc::new(tell);
    let mut writers = JoinSet::new();
    for writer in 0..8_i64 {
        let (db, tell) = (db.clone(), tell.clone());
        writers.spawn(async move {
            let (mut acknowledged, mut unknown) = (Vec::new(), Vec::new());
            let mut number = 0;
            while tell.borrow().is_some() {
                let id = writer * 1_000_000 + number;
                number += 1;
                let done: Result<u64, Error> = db
                    .tx(Class::Interactive, async move |tx: &Tx| {
                        tx.run(
                            "insert into t (id, times) values ($1, 1) on conflict (id) do update set times = t.times + 1"
                                .to_owned(),
                            &params![id],
                        )
                        .await
                    })
                    .await;
                tell.send_modify(|count| match count {
                    Some((written, _)) if done.is_ok() => *written += 1,
                    Some((_, failed)) => *failed += 1,
                    None => {}
                });
                match done {
                    Ok(_) => acknowledged.push(id),
                    Err(Error::Unavailable(why)) if why.contains("unknown") => unknown.push(id),
                    Err(Error::Unavailable(_) | Error::Busy(_)) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            (acknowledged, unknown)
        });
    }
    for round in 0..2 {
        until(&told, "writes before the end of the server", |(written, _)| written > 100).await;
        tell.send_replace(Some((0, 0)));
        if round == 0 {
            server.kill9()
        } else {
            server.stop()
        }
        until(&told, "a write that fails", |(_, failed)| failed > 0).await;
        server.start();
        let back = Instant::now();
        let one: Result<i64, Error> =
            db.read(async |tx: &Tx| tx.row("select 1".to_owned(), &[]).await?.unwrap().get(0)).await;
        assert_eq!(one, Ok(1));
        assert!(back.elapsed() < BACK_WITHIN, "{:?}", back.elapsed());
    }
    until(&told, "writes afterwards", |(written, _)| written > 100).await;
    tell.send_replace(None);
    let (mut acknowledged, mut unknown) = (Vec::new(), Vec::new());
    while let Some(one) = writers.join_next().await {
        let (a, u) = one.unwrap();
        acknowledged.extend(a);
        unknown.extend(u);
    }
    let rows: Result<Vec<Row>, Error> =
        db.read(async |tx: &Tx| tx.rows("select id, times from t".to_owned(), &[]).await).await;
    let stored: std::collections::HashMap<i64, i64> =
        rows.unwrap().iter().map(|row| (row.get(0).unwrap(), row.get(1).unwrap())).collect();
    assert!(acknowledged.len() > 100, "{}", acknowledged.len());
    for id in &acknowledged {
        assert_eq!(stored.get(id), Some(&1), "{id} was acknowledged");
    }
    for (id, times) in &stored {
        assert_eq!(*times, 1, "{id} was written twice");
        assert!(acknowledged.contains(id) || unknown.contains(id), "{id} was refused, and is there");
    }
}

/// Not a test by itself: what `an_answered_write_survives_kill_9` starts and kills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_until_killed() {
    let Some(path) = std::env::var_os("LASTMILE_TEST_WRITE_TO") else { return };
    let db = Db::open(&Location::File(path.into())).await.unwrap();
    let start: Result<i64, Error> = db
        .read(async |tx: &Tx| tx.row("select coalesce(max(id), 0) from t".to_owned(), &[]).await?.unwrap().get(0))
        .await;
    let start = start.unwrap();
    let mut writers = JoinSet::new();
    for writer in 1..=16_i64 {
        let db = db.clone();
        writers.spawn(async move {
            for n in 0.. {
                let id = start + n * 16 + writer;
                let done: Result<u64, Error> = db
                    .tx(Class::Interactive, async move |tx: &Tx| {
                        tx.run("insert into t (id) values ($1)".to_owned(), &params![id]).await?;
                        tx.run("insert into u (id) values ($1)".to_owned(), &params![id]).await
                    })
                    .await;
                done.unwrap();
                println!("answered {id}");
            }
        });
    }
    while writers.join_next().await.is_some() {}
}

#[tokio::test]
async fn an_answered_write_survives_kill_9() {
    use std::io::{BufRead, BufReader};
    let folder = Folder::new("kill9");
    let path = folder.0.join("data.db");
    let open = async || Db::open(&Location::File(path.clone())).await.unwrap();
    let db = open().await;
    for text in ["create table t (id bigint primary key)", "create table u (id bigint primary key)"] {
        let made: Result<u64, Error> =
            db.tx(Class::Bulk, async move |tx: &Tx| tx.run(text.to_owned(), &[]).await).await;
        made.unwrap();
    }
    db.close().await;
    let mut answered = Vec::new();
    for round in 0..6 {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writes_until_killed", "--nocapture", "--test-threads=1"])
            .env("LASTMILE_TEST_WRITE_TO", &path)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        for line in lines {
            let Ok(line) = line else { break };
            let Some(id) = line.split("answered ").nth(1).and_then(|id| id.parse::<i64>().ok()) else { continue };
            answered.push(id);
            seen += 1;
            if seen == 50 + round * 97 {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
    }
    let db = open().await;
    let ids = async |text: &'static str| {
        let rows: Result<Vec<Row>, Error> = db.read(async move |tx: &Tx| tx.rows(text.to_owned(), &[]).await).await;
        rows.unwrap().iter().map(|row| row.get::<i64>(0).unwrap()).collect::<std::collections::BTreeSet<_>>()
    };
    let (t, u) = (ids("select id from t").await, ids("select id from u").await);
    assert!(answered.len() > 1000, "{}", answered.len());
    let lost: Vec<_> = answered.iter().filter(|id| !t.contains(id)).collect();
    assert!(lost.is_empty(), "answered and lost: {lost:?}");
    assert_eq!(t, u, "half a transaction");
    db.close().await;
}
