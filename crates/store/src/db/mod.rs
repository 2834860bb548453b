//! The database: transactions as closures, on SQLite or on PostgreSQL.
//!
//! `db.tx(class, async |tx| …)` runs a body over owned data. The body may run more than once, so
//! it computes from what it reads and touches nothing outside. On SQLite it runs on the one writer
//! thread, where its queries complete inline, and shares one commit with others that wait
//! (`sqlite.rs`). On PostgreSQL it runs on a pooled connection and is run again when the engine
//! asks for that (`postgres.rs`). A body awaits nothing but its transaction.
//!
//! Two rules make the engines equal. A statement that fails dooms its transaction: a refusal that
//! is expected is written `on conflict do nothing`. And within one `insert_many` no key occurs
//! twice. Decisions and figures: docs/decisions/0001-database-layer.md.

pub mod backup;
mod error;
mod job;
mod keys;
mod postgres;
mod queue;
mod slice;
mod sqlite;
mod statement;
mod turns;
mod value;
mod wire;

pub use error::Error;
pub use keys::Key;
pub use slice::Slice;
pub use statement::{Registered, Sql, Statement, registered};
pub use turns::Held;
pub use value::{FromValue, Row, Value};

#[doc(hidden)]
pub use inventory;

pub(crate) use statement::{Token, tokens};

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use turns::Turns;

/// Where the data is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A SQLite file; `-wal` and `-shm` lie beside it. One process at a time.
    File(PathBuf),
    /// SQLite in memory, for tests: each `open` is a new, empty database.
    Memory,
    /// `postgres://user@host/database`. Without TLS so far.
    Postgres(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Who waits for a transaction, most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A person or a payment gateway waits.
    Interactive,
    /// Batches of at most 256 reports; a NAS repeats what is not answered.
    Accounting,
    /// Billing runs and imports, in chunks of about 5 ms.
    Bulk,
}

impl Class {
    /// How many may wait or run at once before more are refused with `Error::Busy`. Interactive
    /// calls stand for a second or two of full load; what waits longer has given up.
    const fn limit(self) -> usize {
        match self {
            Class::Interactive => 4096,
            Class::Accounting => 512,
            Class::Bulk => 64,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Class::Interactive => "interactive",
            Class::Accounting => "accounting",
            Class::Bulk => "bulk",
        }
    }
}

/// A handle on the database; clones share it.
#[derive(Clone)]
pub struct Db {
    backend: Arc<Backend>,
    statements: Arc<AtomicU64>,
    turns: Arc<Turns>,
}

enum Backend {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

impl Db {
    /// Opens the database and checks that it answers. Runs no migrations.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be reached, `Other` when it is not a database.
    pub async fn open(location: &Location) -> Result<Db, Error> {
        let turns = Turns::new(match location {
            Location::File(_) | Location::Memory => turns::WRITER_LIMIT,
            Location::Postgres(_) => turns::LIMIT,
        });
        let of_these = turns.clone();
        let backend = match location {
            Location::File(path) => Backend::Sqlite(sqlite::Sqlite::open(Some(path.clone()), of_these).await?),
            Location::Memory => Backend::Sqlite(sqlite::Sqlite::open(None, of_these).await?),
            Location::Postgres(url) => Backend::Postgres(postgres::Postgres::open(url, of_these).await?),
        };
        Ok(Db { backend: Arc::new(backend), statements: Arc::default(), turns })
    }

    pub fn engine(&self) -> Engine {
        match *self.backend {
            Backend::Sqlite(_) => Engine::Sqlite,
            Backend::Postgres(_) => Engine::Postgres,
        }
    }

    /// A read-write transaction. `Ok` from the body is committed before this returns; `Err` rolls
    /// everything of this body back.
    ///
    /// # Errors
    /// The body's own, or `Error` as the body's error type.
    pub async fn tx<T, E, F>(&self, class: Class, body: F) -> Result<T, E>
    where
        F: AsyncFn(&Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (job, answer) = job::job(body, self.statements.clone());
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.write(class, job),
            Backend::Postgres(postgres) => postgres.write(class, job),
        }
        answer.await
    }

    /// A read-only snapshot: all queries of the body see one state, which includes every
    /// transaction answered before this call.
    ///
    /// # Errors
    /// As `tx`; `TimedOut` after 30 seconds.
    pub async fn read<T, E, F>(&self, body: F) -> Result<T, E>
    where
        F: AsyncFn(&Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (job, answer) = job::job(body, self.statements.clone());
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.read(job),
            Backend::Postgres(postgres) => postgres.read(job),
        }
        answer.await
    }

    /// How long the turns at writing last.
    pub fn held(&self) -> Held {
        self.turns.held(Instant::now())
    }

    /// How many statements have been run in it so far: what a page costs is counted, not guessed.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Finishes what waits, then lets go of the database. Later calls get `Unavailable`.
    pub async fn close(&self) {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.close().await,
            Backend::Postgres(postgres) => postgres.close().await,
        }
    }
}

/// No row has a moment or an amount beyond what is kept: it is refused when it comes, not found by every list afterwards.
fn kept(values: &[Value]) -> Result<(), Error> {
    match values.iter().any(|value| matches!(value, Value::Beyond(_))) {
        true => Err(Error::Beyond),
        false => Ok(()),
    }
}

/// One attempt at a transaction. Statements run in the order they are awaited.
pub struct Tx {
    session: Session,
    /// The first failure of a statement; nothing is committed after it.
    failed: RefCell<Option<Error>>,
    /// Statements of this attempt.
    count: Cell<u64>,
    began: Instant,
    /// How long it may last; `None` for data definition.
    limit: Cell<Option<Duration>>,
}

enum Session {
    Sqlite(sqlite::Session),
    Postgres(postgres::Session),
}

impl Tx {
    /// All rows of a query, or of a `returning`.
    pub async fn rows(&self, sql: impl Into<Sql>, params: &[Value]) -> Result<Vec<Row>, Error> {
        self.usable()?;
        let sql = sql.into();
        let rows = match &self.session {
            Session::Sqlite(session) => session.rows(&sql, params),
            Session::Postgres(session) => session.rows(&sql, params).await,
        };
        self.noting(rows)
    }

    /// The first row, if there is one. The statement runs to its end nevertheless.
    pub async fn row(&self, sql: impl Into<Sql>, params: &[Value]) -> Result<Option<Row>, Error> {
        Ok(self.rows(sql, params).await?.into_iter().next())
    }

    /// As `row`, and on PostgreSQL the row stays locked until the transaction ends (`for update`); SQLite has one writer.
    pub async fn row_locked(&self, sql: &'static Statement, params: &[Value]) -> Result<Option<Row>, Error> {
        Ok(self.rows_locked(sql, params).await?.into_iter().next())
    }

    /// As `rows`, locked the same way; waits for whoever holds them.
    pub async fn rows_locked(&self, sql: &'static Statement, params: &[Value]) -> Result<Vec<Row>, Error> {
        match &self.session {
            Session::Sqlite(_) => self.rows(sql, params).await,
            Session::Postgres(_) => self.rows(format!("{} for update of t", sql.text()), params).await,
        }
    }

    pub fn engine(&self) -> Engine {
        match &self.session {
            Session::Sqlite(_) => Engine::Sqlite,
            Session::Postgres(_) => Engine::Postgres,
        }
    }

    /// A part of what a query finds, in an order that no index has, and how many rows it finds. Its columns are the
    /// row's id and its place, neither ever null.
    pub(crate) async fn slice(&self, text: &str, params: Vec<Value>, slice: Slice) -> Result<(Vec<i64>, i64), Error> {
        self.usable()?;
        let found = match &self.session {
            Session::Sqlite(session) => session.slice(text, &params, slice),
            Session::Postgres(session) => session.slice(text, params, slice).await,
        };
        self.noting(found)
    }

    /// One statement for each list of parameters, in one round trip; the rows of all, in order.
    pub async fn each(&self, sql: &'static Statement, lists: &[Vec<Value>]) -> Result<Vec<Row>, Error> {
        self.usable()?;
        let rows = match &self.session {
            Session::Sqlite(session) => session.each(sql, lists),
            Session::Postgres(session) => session.each(sql, lists).await,
        };
        self.noting(rows)
    }

    /// Runs a statement for its effect; how many rows it touched.
    pub async fn run(&self, sql: impl Into<Sql>, params: &[Value]) -> Result<u64, Error> {
        self.usable()?;
        self.noting(kept(params))?;
        let sql = sql.into();
        let count = match &self.session {
            Session::Sqlite(session) => session.run(&sql, params),
            Session::Postgres(session) => session.run(&sql, params).await,
        };
        self.noting(count)
    }

    /// Inserts any number of rows: `head` is `insert into t (a, b)`, `suffix` empty or an
    /// `on conflict …`. No two rows may have the same conflict key. How many rows were touched.
    pub async fn insert_many(
        &self,
        head: &'static str,
        suffix: &'static str,
        rows: Vec<Vec<Value>>,
    ) -> Result<u64, Error> {
        self.usable()?;
        self.noting(rows.iter().try_for_each(|row| kept(row)))?;
        let count = match &self.session {
            Session::Sqlite(session) => session.insert_many(head, suffix, &rows),
            Session::Postgres(session) => session.insert_many(head, suffix, &rows).await,
        };
        self.noting(count)
    }

    /// Several statements without parameters or answers: data definition.
    pub(crate) async fn batch(&self, text: &str) -> Result<(), Error> {
        self.limit.set(None);
        self.usable()?;
        let done = match &self.session {
            Session::Sqlite(session) => session.batch(text),
            Session::Postgres(session) => session.batch(text).await,
        };
        self.noting(done)
    }

    /// Checks a statement without running it.
    pub(crate) async fn prepare(&self, sql: &Sql) -> Result<(), Error> {
        match &self.session {
            Session::Sqlite(session) => session.prepare(sql),
            Session::Postgres(session) => session.prepare(sql).await,
        }
    }

    fn new(session: Session, limit: Duration) -> Tx {
        let (began, limit) = (Instant::now(), Cell::new(Some(limit)));
        Tx { session, failed: RefCell::new(None), count: Cell::new(0), began, limit }
    }

    /// PostgreSQL refuses every statement after one that failed, and SQLite does not: so we do. Many small statements that
    /// together take too long end as one that does.
    fn usable(&self) -> Result<(), Error> {
        self.count.set(self.count.get() + 1);
        if self.limit.get().is_some_and(|limit| self.began.elapsed() > limit) {
            self.failed.borrow_mut().get_or_insert(Error::TimedOut);
        }
        match &*self.failed.borrow() {
            None => Ok(()),
            Some(first) => Err(first.clone()),
        }
    }

    fn noting<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.inspect_err(|error| {
            self.failed.borrow_mut().get_or_insert_with(|| error.clone());
        })
    }

    fn failure(&self) -> Option<Error> {
        self.failed.borrow().clone()
    }
}
