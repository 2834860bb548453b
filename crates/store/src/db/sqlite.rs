//! SQLite: one writer thread with group commit, reader threads, checkpoints beside them.
//!
//! Several bodies share one `begin immediate`: each but the first runs inside a savepoint, and one
//! commit (one fsync) makes all of them durable; only then is anybody answered. A body's error
//! rolls back its own savepoint. If the shared commit fails, or SQLite rolls the whole transaction
//! back by itself (disk full, interrupt), the others run again, each alone.
//!
//! WAL with `synchronous = full`: what was answered survives `kill -9` and power loss. No `mmap`:
//! it makes an I/O error a SIGBUS and counts in the memory of the process.

use super::job::{Job, poll_caught};
use super::queue::{Item, Queue};
use super::{Class, Error, Row, Sql, Tx, Value};
use parking_lot::{Condvar, Mutex};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags, ffi};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// A body that computes longer than this is interrupted.
const TIME_LIMIT: Duration = if cfg!(test) { Duration::from_secs(2) } else { Duration::from_secs(30) };

/// Virtual machine steps between two looks at the clock: well under a millisecond.
const STEPS_BETWEEN_LOOKS: i32 = 20_000;

/// Another process (a backup, a curious operator's shell) may hold the file this long.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const STATEMENTS_CACHED: usize = 512;

/// Page caches, in KiB. The writer touches the accounting rows of everybody who is online.
const WRITER_CACHE_KIB: u32 = 16 * 1024;
const READER_CACHE_KIB: u32 = 4 * 1024;

/// Reads that may wait at once before more are refused.
const READS_WAITING: usize = 4096;

/// Pages (4 KiB) of WAL after which they are copied into the database in the background…
const CHECKPOINT_PAGES: u32 = 1_000;
/// …and beyond which the writer itself copies the rest, so that the WAL can start over.
const WAL_LIMIT_PAGES: u32 = 16_384;
/// Without a commit for this long, the WAL is emptied and cut to nothing.
const IDLE: Duration = Duration::from_secs(2);

const BETWEEN_CHECKPOINTS: Duration = Duration::from_millis(20);

pub(super) struct Sqlite {
    queue: Arc<Queue>,
    /// `None` in memory, where reads take their turn on the writer's connection.
    readers: Option<Arc<Readers>>,
    wal: Option<Arc<Wal>>,
    /// Yields `None` when the last thread has let go of its connection.
    ended: tokio::sync::Mutex<mpsc::Receiver<()>>,
}

impl Sqlite {
    pub(super) async fn open(path: Option<PathBuf>) -> Result<Sqlite, Error> {
        let queue = Arc::new(Queue::default());
        let wal = path.as_ref().map(|_| Arc::new(Wal::default()));
        let (alive, ended) = mpsc::channel(1);

        let (opened, open) = oneshot::channel();
        {
            let (queue, wal, path) = (queue.clone(), wal.clone(), path.clone());
            spawn("db-writer", alive.clone(), move || match Writer::open(path, queue, wal) {
                Ok(writer) => {
                    let _ = opened.send(Ok(()));
                    writer.work();
                }
                Err(error) => {
                    let _ = opened.send(Err(error));
                }
            })?;
        }
        open.await.unwrap_or_else(|_| Err(Error::Other("the writer thread ended".into())))?;

        let mut readers = None;
        if let (Some(path), Some(wal)) = (path, wal.clone()) {
            let shared = Arc::new(Readers::default());
            let cores = std::thread::available_parallelism().map_or(2, usize::from);
            for _ in 0..cores.clamp(2, 4) {
                let reader = open_connection(Some(&path), READER_CACHE_KIB)?;
                reader.connection.pragma_update(None, "query_only", true).map_err(translate)?;
                let shared = shared.clone();
                spawn("db-reader", alive.clone(), move || read_all(reader, &shared))?;
            }
            let checkpointer = open_connection(Some(&path), READER_CACHE_KIB)?;
            checkpointer.connection.busy_timeout(Duration::from_millis(50)).map_err(translate)?;
            spawn("db-checkpoint", alive, move || wal.keep_short(&checkpointer.connection))?;
            readers = Some(shared);
        }
        Ok(Sqlite { queue, readers, wal, ended: tokio::sync::Mutex::new(ended) })
    }

    pub(super) fn write(&self, class: Class, job: Box<dyn Job>) {
        self.queue.push(class, Item { job, read_only: false });
    }

    pub(super) fn read(&self, job: Box<dyn Job>) {
        match &self.readers {
            Some(readers) => readers.push(job),
            None => self.queue.push(Class::Interactive, Item { job, read_only: true }),
        }
    }

    pub(super) async fn close(&self) {
        self.let_go();
        self.ended.lock().await.recv().await;
    }

    fn let_go(&self) {
        self.queue.close();
        if let Some(readers) = &self.readers {
            readers.close();
        }
        if let Some(wal) = &self.wal {
            wal.close();
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.let_go();
    }
}

fn spawn(name: &str, alive: mpsc::Sender<()>, work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let thread = std::thread::Builder::new().name(name.into()).spawn(move || {
        work();
        drop(alive);
    });
    thread.map(drop).map_err(|e| Error::Other(format!("cannot start the thread {name}: {e}")))
}

// ---- the writer ----

struct Writer {
    handle: Rc<Handle>,
    queue: Arc<Queue>,
    wal: Option<Arc<Wal>>,
}

/// A body of the group whose transaction is not committed yet.
struct Member {
    item: Item,
    refused: Option<Error>,
}

impl Writer {
    fn open(path: Option<PathBuf>, queue: Arc<Queue>, wal: Option<Arc<Wal>>) -> Result<Writer, Error> {
        let mut handle = open_connection(path.as_ref(), WRITER_CACHE_KIB)?;
        if let Some(wal) = &wal {
            let mode: String = handle
                .connection
                .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
                .map_err(translate)?;
            if mode != "wal" {
                return Err(Error::Other(format!("the database file stays in journal mode {mode}")));
            }
            let limit = i64::from(WAL_LIMIT_PAGES) * 4096;
            handle.connection.pragma_update(None, "journal_size_limit", limit).map_err(translate)?;
            // The hook takes the place of SQLite's own checkpoint after every thousand pages.
            let wal = wal.clone();
            handle
                .connection
                .wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
                    wal.has(u32::try_from(pages).unwrap_or(0));
                    Ok(())
                }))
                .map_err(translate)?;
        }
        Ok(Writer { handle: Rc::new(handle), queue, wal })
    }

    fn work(self) {
        while let Some(first) = self.queue.first() {
            let again = self.group(first);
            for item in again {
                self.alone(item);
            }
            self.help_checkpoint();
        }
        if self.wal.is_some() {
            checkpoint(&self.handle.connection, "truncate");
        }
    }

    /// Runs what waits in one transaction, commits and answers. What lost its work through no
    /// fault of its own is handed back.
    fn group(&self, first: Item) -> Vec<Item> {
        let began = Instant::now();
        let mut settled: Vec<Member> = Vec::new();
        let mut members: Vec<Member> = Vec::new();
        let mut lost: Vec<Item> = Vec::new();
        let mut next = Some(first);
        while let Some(mut item) = next {
            if !item.job.is_abandoned() {
                let shared = self.in_transaction();
                let refused = self.attempt(&mut item).err();
                let member = Member { item, refused };
                match (shared, self.in_transaction()) {
                    (_, true) => members.push(member),
                    // It was alone and left nothing to commit.
                    (false, false) => settled.push(member),
                    // It took the transaction down: the others' work is gone.
                    (true, false) => {
                        lost.extend(members.drain(..).map(|member| member.item));
                        settled.push(member);
                    }
                }
            }
            next = self.queue.another(began.elapsed());
        }
        match self.commit() {
            Ok(()) => answer(members),
            Err(_) => lost.extend(members.into_iter().map(|member| member.item)),
        }
        answer(settled);
        lost
    }

    /// A group of one: its failure is its own.
    fn alone(&self, mut item: Item) {
        let refused = self.attempt(&mut item).err();
        let refused = match self.commit() {
            Ok(()) => refused,
            Err(error) => Some(error),
        };
        answer(vec![Member { item, refused }]);
    }

    fn in_transaction(&self) -> bool {
        !self.handle.connection.is_autocommit()
    }

    /// Runs one body, its effects kept if it succeeded and gone if not. `Err` is what to answer
    /// in place of the body's own result.
    fn attempt(&self, item: &mut Item) -> Result<(), Error> {
        let nested = self.in_transaction();
        self.control(if nested { "savepoint body" } else { "begin immediate" })?;
        self.handle.limit(Some(TIME_LIMIT));
        let result = run_body(item, &self.handle);
        self.handle.limit(None);
        if !self.in_transaction() {
            return match result {
                Ok(true) => Err(Error::Other("SQLite rolled the transaction back".into())),
                Ok(false) => Ok(()),
                Err(error) => Err(error),
            };
        }
        match result {
            Ok(true) if nested => self.control("release body"),
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => {
                if nested {
                    self.control("rollback to body")?;
                    self.control("release body")?;
                } else {
                    self.control("rollback")?;
                }
                result.map(|_| ())
            }
        }
    }

    fn commit(&self) -> Result<(), Error> {
        if !self.in_transaction() {
            return Ok(());
        }
        let done = self.control("commit");
        if done.is_err() && self.in_transaction() {
            self.control("rollback")?;
        }
        done
    }

    fn control(&self, text: &str) -> Result<(), Error> {
        let mut statement = self.handle.connection.prepare_cached(text).map_err(translate)?;
        statement.raw_execute().map(drop).map_err(translate)
    }

    /// Under a load that never pauses, the background checkpoint never catches up with the last
    /// page, and the WAL could not start over.
    fn help_checkpoint(&self) {
        if let Some(wal) = &self.wal
            && wal.is_over_limit()
        {
            wal.copied(checkpoint(&self.handle.connection, "passive"));
        }
    }
}

fn answer(members: Vec<Member>) {
    for Member { item, refused } in members {
        item.job.finish(refused);
    }
}

/// Polls the body once: its queries complete inline, so it is ready or it waits for something
/// that it must not wait for. `Ok(false)` when the body said no.
fn run_body(item: &mut Item, handle: &Rc<Handle>) -> Result<bool, Error> {
    let session = Session { handle: handle.clone(), read_only: item.read_only };
    let tx = Tx::new(super::Session::Sqlite(session));
    let polled = {
        let mut attempt = item.job.attempt(&tx);
        poll_caught(&mut attempt, &mut Context::from_waker(Waker::noop()))
    };
    match polled {
        Poll::Pending => {
            tracing::error!("a transaction's body awaited something other than its transaction");
            Err(Error::Other("a transaction's body awaited something other than its transaction".into()))
        }
        Poll::Ready(Err(panic)) => Err(panic),
        Poll::Ready(Ok(false)) => Ok(false),
        Poll::Ready(Ok(true)) => match tx.failure() {
            None => Ok(true),
            Some(swallowed) => Err(swallowed),
        },
    }
}

// ---- the readers ----

#[derive(Default)]
struct Readers {
    state: Mutex<(VecDeque<Box<dyn Job>>, Closed)>,
    filled: Condvar,
}

type Closed = bool;

impl Readers {
    fn push(&self, job: Box<dyn Job>) {
        let refusal = {
            let (waiting, closed) = &mut *self.state.lock();
            if *closed {
                Error::Unavailable("the database is closed".into())
            } else if waiting.len() >= READS_WAITING {
                Error::Busy(format!("{READS_WAITING} reads wait already"))
            } else {
                waiting.push_back(job);
                self.filled.notify_one();
                return;
            }
        };
        job.finish(Some(refusal));
    }

    fn next(&self) -> Option<Box<dyn Job>> {
        let mut state = self.state.lock();
        loop {
            match state.0.pop_front() {
                Some(job) => return Some(job),
                None if state.1 => return None,
                None => self.filled.wait(&mut state),
            }
        }
    }

    fn close(&self) {
        self.state.lock().1 = true;
        self.filled.notify_all();
    }
}

fn read_all(handle: Handle, readers: &Readers) {
    let handle = Rc::new(handle);
    while let Some(job) = readers.next() {
        if job.is_abandoned() {
            continue;
        }
        let mut item = Item { job, read_only: true };
        let refused = read_one(&mut item, &handle).err();
        item.job.finish(refused);
    }
}

fn read_one(item: &mut Item, handle: &Rc<Handle>) -> Result<(), Error> {
    let control = |text: &str| {
        let mut statement = handle.connection.prepare_cached(text).map_err(translate)?;
        statement.raw_execute().map(drop).map_err(translate)
    };
    control("begin")?;
    handle.limit(Some(TIME_LIMIT));
    let result = run_body(item, handle);
    handle.limit(None);
    if !handle.connection.is_autocommit() {
        control("rollback")?;
    }
    result.map(drop)
}

// ---- a connection and its statements ----

struct Handle {
    connection: Connection,
    clock: Arc<Clock>,
}

/// When the running body is interrupted; looked at by SQLite every few thousand steps.
struct Clock {
    since: Instant,
    /// Microseconds after `since`; `u64::MAX` for never.
    until_us: AtomicU64,
}

impl Handle {
    fn limit(&self, limit: Option<Duration>) {
        let until = limit.map_or(u64::MAX, |limit| {
            u64::try_from((self.clock.since.elapsed() + limit).as_micros()).unwrap_or(u64::MAX)
        });
        self.clock.until_us.store(until, Ordering::Relaxed);
    }
}

impl Clock {
    fn is_over(&self) -> bool {
        let until = self.until_us.load(Ordering::Relaxed);
        until != u64::MAX && self.since.elapsed() > Duration::from_micros(until)
    }
}

fn open_connection(path: Option<&PathBuf>, cache_kib: u32) -> Result<Handle, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = match path {
        Some(path) => Connection::open_with_flags(path, flags),
        None => Connection::open_in_memory(),
    }
    .map_err(|error| {
        let place = path.map_or("memory".into(), |path| path.display().to_string());
        Error::Unavailable(format!("{place}: {error}"))
    })?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(translate)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    connection
        .execute_batch(&format!(
            "pragma foreign_keys = on;
             pragma synchronous = full;
             pragma temp_store = memory;
             pragma cache_size = -{cache_kib};"
        ))
        .map_err(translate)?;
    let clock = Arc::new(Clock { since: Instant::now(), until_us: AtomicU64::new(u64::MAX) });
    let looking = clock.clone();
    connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || looking.is_over())).map_err(translate)?;
    Ok(Handle { connection, clock })
}

/// What a transaction's statements go through.
pub(super) struct Session {
    handle: Rc<Handle>,
    read_only: bool,
}

impl Session {
    pub(super) fn rows(&self, sql: &Sql, params: &[Value]) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        collect(&mut self.bound(&text(sql), params)?, &mut rows)?;
        Ok(rows)
    }

    pub(super) fn each(&self, sql: &'static super::Statement, lists: &[Vec<Value>]) -> Result<Vec<Row>, Error> {
        let mut statement = self.prepared(sql.for_sqlite())?;
        let mut rows = Vec::new();
        for params in lists {
            bind(&mut statement, params)?;
            collect(&mut statement, &mut rows)?;
        }
        Ok(rows)
    }

    pub(super) fn run(&self, sql: &Sql, params: &[Value]) -> Result<u64, Error> {
        self.effect(&mut self.bound(&text(sql), params)?)
    }

    /// One prepared statement per row: there is no round trip to save here.
    pub(super) fn insert_many(&self, head: &str, suffix: &str, rows: &[Vec<Value>]) -> Result<u64, Error> {
        let Some(first) = rows.first() else { return Ok(0) };
        let places: Vec<String> = (1..=first.len()).map(|n| format!("?{n}")).collect();
        let text = format!("{head} values ({}) {suffix}", places.join(","));
        let mut statement = self.prepared(&text)?;
        let mut count = 0;
        for row in rows {
            bind(&mut statement, row)?;
            count += self.effect(&mut statement)?;
        }
        Ok(count)
    }

    /// Data definition may take long on a large table: no time limit.
    pub(super) fn batch(&self, text: &str) -> Result<(), Error> {
        self.handle.limit(None);
        self.handle.connection.execute_batch(text).map_err(translate)
    }

    pub(super) fn prepare(&self, sql: &Sql) -> Result<(), Error> {
        self.handle.connection.prepare(&text(sql)).map(drop).map_err(translate)
    }

    /// How many rows were touched; rows of a `returning` are stepped over.
    fn effect(&self, statement: &mut CachedStatement<'_>) -> Result<u64, Error> {
        let writes = !statement.readonly();
        let mut found = statement.raw_query();
        while found.next().map_err(translate)?.is_some() {}
        Ok(if writes { self.handle.connection.changes() } else { 0 })
    }

    fn bound(&self, text: &str, params: &[Value]) -> Result<CachedStatement<'_>, Error> {
        let mut statement = self.prepared(text)?;
        bind(&mut statement, params)?;
        Ok(statement)
    }

    fn prepared(&self, text: &str) -> Result<CachedStatement<'_>, Error> {
        let statement = self.handle.connection.prepare_cached(text).map_err(translate)?;
        if self.read_only && !statement.readonly() {
            return Err(Error::Other(format!("a read tried to write: {text}")));
        }
        Ok(statement)
    }
}

fn text(sql: &Sql) -> std::borrow::Cow<'_, str> {
    match sql {
        Sql::Fixed(statement) => statement.for_sqlite().into(),
        Sql::Dynamic(text) => super::statement::to_sqlite(text).into(),
    }
}

/// Runs a bound statement to its end.
fn collect(statement: &mut CachedStatement<'_>, rows: &mut Vec<Row>) -> Result<(), Error> {
    let columns = statement.column_count();
    let mut found = statement.raw_query();
    while let Some(row) = found.next().map_err(translate)? {
        let mut values = Vec::with_capacity(columns);
        for index in 0..columns {
            values.push(value(row.get_ref(index).map_err(translate)?, index)?);
        }
        rows.push(Row::new(values));
    }
    Ok(())
}

fn bind(statement: &mut CachedStatement<'_>, params: &[Value]) -> Result<(), Error> {
    let wanted = statement.parameter_count();
    if wanted != params.len() {
        let given = params.len();
        return Err(Error::Other(format!("the statement has {wanted} parameters, given were {given}")));
    }
    for (index, value) in params.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, value).map_err(translate)?;
    }
    Ok(())
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Bool(truth) => ValueRef::Integer(i64::from(*truth)),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn value(found: ValueRef<'_>, index: usize) -> Result<Value, Error> {
    Ok(match found {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => return Err(Error::Column { index, wanted: "text", found: "no UTF-8" }),
        },
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        ValueRef::Real(_) => return Err(Error::Column { index, wanted: "integer", found: "a real number" }),
    })
}

fn translate(error: rusqlite::Error) -> Error {
    let rusqlite::Error::SqliteFailure(failure, ref message) = error else {
        return Error::Other(error.to_string());
    };
    let message = message.clone().unwrap_or_else(|| failure.to_string());
    // "UNIQUE constraint failed: service.isp_id, service.username"
    let what = || message.split_once("failed: ").map_or(message.clone(), |(_, what)| what.to_owned());
    match failure.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            return Error::Unique { what: what() };
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => return Error::ForeignKey,
        ffi::SQLITE_CONSTRAINT_CHECK | ffi::SQLITE_CONSTRAINT_NOTNULL => {
            return Error::Check { what: what() };
        }
        _ => {}
    }
    match failure.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Error::Busy(message),
        ErrorCode::OperationInterrupted => Error::TimedOut,
        ErrorCode::DiskFull
        | ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::ReadOnly
        | ErrorCode::PermissionDenied => Error::Unavailable(message),
        _ => Error::Other(message),
    }
}

// ---- checkpoints ----

/// The write-ahead log's length, as the writer tells it to the checkpointer.
#[derive(Default)]
struct Wal {
    state: Mutex<WalState>,
    grown: Condvar,
}

#[derive(Default)]
struct WalState {
    /// In the log after the last commit.
    pages: u32,
    /// Of those, copied into the database already.
    copied: u32,
    commits: u64,
    /// How long it was when the writer last helped.
    helped_at: u32,
    closed: bool,
}

impl Wal {
    /// After a commit.
    fn has(&self, pages: u32) {
        let mut state = self.state.lock();
        if pages < state.pages {
            state.copied = 0;
        }
        state.pages = pages;
        state.commits += 1;
        if Wal::backlog(&state) >= CHECKPOINT_PAGES {
            self.grown.notify_one();
        }
    }

    fn copied(&self, pages: Option<u32>) {
        let mut state = self.state.lock();
        if let Some(pages) = pages {
            state.copied = pages;
        }
    }

    /// Says so once for every thousand pages: a reader may hold on to the old ones.
    fn is_over_limit(&self) -> bool {
        let mut state = self.state.lock();
        let next = if state.pages < state.helped_at { 0 } else { state.helped_at + CHECKPOINT_PAGES };
        let over = state.pages >= next.max(WAL_LIMIT_PAGES);
        if over {
            state.helped_at = state.pages;
        }
        over
    }

    fn backlog(state: &WalState) -> u32 {
        state.pages.saturating_sub(state.copied)
    }

    fn close(&self) {
        self.state.lock().closed = true;
        self.grown.notify_all();
    }

    /// The checkpointer's life.
    fn keep_short(&self, connection: &Connection) {
        let mut seen = 0;
        loop {
            let mode = {
                let mut state = self.state.lock();
                if state.closed {
                    return;
                }
                if Wal::backlog(&state) < CHECKPOINT_PAGES {
                    self.grown.wait_for(&mut state, IDLE);
                }
                let backlog = Wal::backlog(&state);
                let idle = state.commits == seen;
                seen = state.commits;
                match (state.closed, backlog >= CHECKPOINT_PAGES, idle && state.pages > 0) {
                    (true, ..) => return,
                    (_, true, _) => "passive",
                    (_, _, true) => "truncate",
                    (_, _, false) => continue,
                }
            };
            let copied = checkpoint(connection, mode);
            self.copied(copied);
            if mode == "truncate" && copied.is_some() {
                self.state.lock().pages = 0;
            }
            // A reader may hold the log, and then nothing more can be copied for now.
            std::thread::sleep(BETWEEN_CHECKPOINTS);
        }
    }
}

/// How many pages of the log are in the database afterwards; `None` if it could not be done.
fn checkpoint(connection: &Connection, mode: &str) -> Option<u32> {
    let done = connection.query_row(&format!("pragma wal_checkpoint({mode})"), [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(2)?))
    });
    match done {
        Ok((0, copied)) => u32::try_from(copied).ok(),
        Ok(_) => None,
        Err(error) => {
            tracing::warn!(%error, mode, "checkpoint");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Db, Location};
    use crate::params;

    const ENDLESS: &str = "with recursive n (i) as (select 1 union all select i + 1 from n) ";

    struct File(PathBuf);

    impl File {
        fn new(name: &str) -> File {
            let folder = std::env::temp_dir().join(format!("lastmile-sqlite-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            File(folder.join("data.db"))
        }

        async fn open(&self) -> Db {
            let db = Db::open(&Location::File(self.0.clone())).await.unwrap();
            run(&db, "create table if not exists t (id bigint primary key, b blob)", vec![]).await.unwrap();
            db
        }

        fn wal_length(&self) -> u64 {
            std::fs::metadata(self.0.with_extension("db-wal")).map_or(0, |file| file.len())
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(self.0.parent().unwrap());
        }
    }

    async fn run(db: &Db, text: &'static str, values: Vec<Value>) -> Result<u64, Error> {
        db.tx(Class::Interactive, async move |tx: &Tx| tx.run(text.to_owned(), &values).await).await
    }

    #[tokio::test]
    async fn an_endless_read_is_stopped() {
        let file = File::new("endless");
        let db = file.open().await;
        let text = format!("{ENDLESS} select count(*) from n");
        let done = db.read(async move |tx: &Tx| tx.rows(text.clone(), &[]).await).await;
        assert_eq!(done, Err(Error::TimedOut));
        db.close().await;
    }

    /// SQLite answers an interrupted write by rolling back everything, the neighbours' work too.
    #[tokio::test]
    async fn an_endless_write_does_not_take_its_neighbours_down() {
        let file = File::new("neighbours");
        let db = file.open().await;
        let endless = async {
            let text = format!("{ENDLESS} insert into t (id, b) select i + 1000, null from n where i < 0");
            db.tx(Class::Interactive, async move |tx: &Tx| tx.run(text.clone(), &[]).await).await
        };
        let insert = |id: i64| run(&db, "insert into t (id, b) values ($1, null)", params![id].to_vec());
        // The first holds the writer up, so that the others form one group.
        let hold = db.tx(Class::Interactive, async |_: &Tx| {
            std::thread::sleep(Duration::from_millis(50));
            Ok::<(), Error>(())
        });
        let (held, before, endless, after) = tokio::join!(hold, insert(1), endless, insert(2));
        assert_eq!((held, before, endless, after), (Ok(()), Ok(1), Err(Error::TimedOut), Ok(1)));
        let rows = db.read(async |tx: &Tx| tx.rows("select id from t order by id".to_owned(), &[]).await).await;
        assert_eq!(rows.unwrap().len(), 2);
        db.close().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_log_stays_short_under_load_and_goes_when_idle() {
        let file = File::new("wal");
        let db = file.open().await;
        let mut all = tokio::task::JoinSet::new();
        for caller in 0..8_i64 {
            let db = db.clone();
            all.spawn(async move {
                for n in 0..60_i64 {
                    let values = params![(caller << 32) | n, vec![7_u8; 400_000]].to_vec();
                    run(&db, "insert into t (id, b) values ($1, $2)", values).await.unwrap();
                }
            });
        }
        let mut longest = 0;
        while !all.is_empty() {
            longest = longest.max(file.wal_length());
            let _ = tokio::time::timeout(Duration::from_millis(5), all.join_next()).await;
        }
        let limit = u64::from(WAL_LIMIT_PAGES) * 4096;
        assert!(longest < 2 * limit, "{longest} bytes of log while 190 MB were written");
        let deadline = Instant::now() + 5 * IDLE;
        while file.wal_length() > 0 {
            assert!(Instant::now() < deadline, "{} bytes of log left", file.wal_length());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        db.close().await;
    }
}
