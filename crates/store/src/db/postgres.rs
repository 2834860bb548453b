//! PostgreSQL: threads of our own, each with its connections.
//!
//! A body's future cannot be promised to be `Send`, so it stays on one thread: each database
//! thread runs a small runtime, keeps its own connections and runs every body that it is handed to
//! its end. Between two threads nothing is shared but counters.
//!
//! A body is run again when the engine says that it collided with another (40001, 40P01), and when
//! the connection was lost before the commit was sent. A connection lost during the commit leaves
//! the outcome unknown: that is said and never retried.
//!
//! Money runs `serializable`. Accounting runs `repeatable read`: its rows are touched by one batch
//! at a time, and two that do touch one row collide just the same. Without TLS so far.

use super::job::{Job, poll_caught};
use super::turns::{self, Turns};
use super::wire::{is_collision, is_loss, is_stale, translate};
use super::{Class, Error, Row, Slice, Sql, Tx, Value};
use parking_lot::RwLock;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Statement};

/// Connections in all; PostgreSQL's own default allows a hundred, for several nodes and a shell.
const CONNECTIONS: usize = 16;

/// Set on every connection, in milliseconds: a forgotten lock or a wild query ends by itself.
const SESSION: &str = "-c statement_timeout=30000 -c lock_timeout=10000 \
                       -c idle_in_transaction_session_timeout=30000";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Longer than the server's own limits, for a server that no longer says anything.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);
const COMMIT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a transaction waits for a database that is away, or for a free connection.
const AWAY_PATIENCE: Duration = Duration::from_secs(2);
const QUEUE_PATIENCE: Duration = Duration::from_secs(10);
/// How long it keeps colliding before it is told that the database is busy.
const COLLISION_PATIENCE: Duration = Duration::from_secs(10);
/// From this collision on, a transaction runs with no other of this process beside it: rows that
/// everybody wants (an event's number) would otherwise be won by whoever is quickest, and a long
/// chunk of a billing run would never win.
const COLLISIONS_BEFORE_ALONE: u32 = 2;

const STATEMENTS_CACHED: usize = 500;
/// `insert_many`: at most so many rows a statement, and no more parameters than the protocol has.
const ROWS_AT_ONCE: usize = 512;
const PARAMETERS_AT_ONCE: usize = 65_535;

pub(super) struct Postgres {
    /// `None` when closed.
    threads: RwLock<Option<Vec<Thread>>>,
    /// Waiting or running, by class, reads last.
    load: [Arc<AtomicUsize>; 4],
    ended: tokio::sync::Mutex<mpsc::Receiver<()>>,
}

struct Thread {
    tasks: mpsc::UnboundedSender<Task>,
    load: Arc<AtomicUsize>,
}

struct Task {
    job: Box<dyn Job>,
    kind: Kind,
    /// Both counters go down when the task is gone, however it went.
    _counted: [Counted; 2],
}

#[derive(Clone, Copy)]
enum Kind {
    Write(Class),
    Read,
}

impl Kind {
    fn begin(self) -> &'static str {
        match self {
            Kind::Write(Class::Interactive | Class::Bulk) => "begin isolation level serializable",
            Kind::Write(Class::Accounting) => "begin isolation level repeatable read",
            Kind::Read => "begin isolation level repeatable read read only",
        }
    }

    fn index(self) -> usize {
        match self {
            Kind::Write(Class::Interactive) => 0,
            Kind::Write(Class::Accounting) => 1,
            Kind::Write(Class::Bulk) => 2,
            Kind::Read => 3,
        }
    }

    fn limit(self) -> usize {
        match self {
            Kind::Write(class) => class.limit(),
            Kind::Read => Class::Interactive.limit(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Write(class) => class.name(),
            Kind::Read => "reading",
        }
    }
}

struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(counter: &Arc<AtomicUsize>) -> Counted {
        counter.fetch_add(1, Ordering::Relaxed);
        Counted(counter.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Postgres {
    pub(super) async fn open(url: &str, turns: Arc<Turns>) -> Result<Postgres, Error> {
        let config = settings(url)?;
        let (alive, ended) = mpsc::channel(1);
        let gate = Gate::default();
        let count = std::thread::available_parallelism().map_or(2, usize::from).clamp(1, 4);
        let mut threads = Vec::new();
        for number in 0..count {
            let (tasks, arriving) = mpsc::unbounded_channel();
            let (opened, open) = oneshot::channel();
            let pool = (config.clone(), CONNECTIONS / count, turns.clone());
            let (gate, alive) = (gate.clone(), alive.clone());
            let check = number == 0;
            std::thread::Builder::new()
                .name("db-postgres".into())
                .spawn(move || {
                    serve_all(pool, arriving, gate, check.then_some(opened));
                    drop(alive);
                })
                .map_err(|e| Error::Other(format!("cannot start a database thread: {e}")))?;
            if check {
                open.await.unwrap_or_else(|_| Err(Error::Other("the database thread ended".into())))?;
            }
            threads.push(Thread { tasks, load: Arc::default() });
        }
        let ended = tokio::sync::Mutex::new(ended);
        Ok(Postgres { threads: RwLock::new(Some(threads)), load: Default::default(), ended })
    }

    pub(super) fn write(&self, class: Class, job: Box<dyn Job>) {
        self.submit(Kind::Write(class), job);
    }

    pub(super) fn read(&self, job: Box<dyn Job>) {
        self.submit(Kind::Read, job);
    }

    pub(super) async fn close(&self) {
        self.threads.write().take();
        self.ended.lock().await.recv().await;
    }

    fn submit(&self, kind: Kind, job: Box<dyn Job>) {
        let load = &self.load[kind.index()];
        let waiting = load.load(Ordering::Relaxed);
        if waiting >= kind.limit() {
            let busy = format!("{waiting} {} transactions wait already", kind.name());
            return job.finish(Some(Error::Busy(busy)));
        }
        let threads = self.threads.read();
        let idlest = threads.iter().flatten().min_by_key(|t| t.load.load(Ordering::Relaxed));
        let closed = || Error::Unavailable("the database is closed".into());
        let Some(thread) = idlest else { return job.finish(Some(closed())) };
        let task = Task { job, kind, _counted: [Counted::new(load), Counted::new(&thread.load)] };
        if let Err(refused) = thread.tasks.send(task) {
            refused.0.job.finish(Some(closed()));
        }
    }
}

fn settings(url: &str) -> Result<Config, Error> {
    let mut config: Config = url.parse().map_err(|e| Error::Other(format!("the database's address: {e}")))?;
    let options = match config.get_options() {
        Some(given) => format!("{SESSION} {given}"),
        None => SESSION.to_owned(),
    };
    config
        .options(options)
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_user_timeout(Duration::from_secs(10))
        .keepalives_idle(Duration::from_secs(15));
    if config.get_application_name().is_none() {
        config.application_name("lastmile");
    }
    Ok(config)
}

// ---- a database thread ----

/// Writing transactions share it; one that keeps colliding takes it for itself. It is fair.
type Gate = Arc<tokio::sync::RwLock<()>>;
type Opened = oneshot::Sender<Result<(), Error>>;

fn serve_all(
    (config, connections, turns): (Config, usize, Arc<Turns>),
    mut arriving: mpsc::UnboundedReceiver<Task>,
    gate: Gate,
    opened: Option<Opened>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            if let Some(opened) = opened {
                let _ = opened.send(Err(Error::Other(error.to_string())));
            }
            return;
        }
    };
    tokio::task::LocalSet::new().block_on(&runtime, async move {
        let pool = Rc::new(Pool::new(config, connections, gate, turns));
        if let Some(opened) = opened {
            let connected = pool.take().await.map(|link| pool.give_back(link));
            let _ = opened.send(connected);
        }
        let (working, mut finished) = mpsc::channel::<()>(1);
        while let Some(task) = arriving.recv().await {
            let (pool, working) = (pool.clone(), working.clone());
            tokio::task::spawn_local(async move {
                serve(&pool, task).await;
                drop(working);
            });
        }
        drop(working);
        finished.recv().await;
        pool.close().await;
    });
}

/// Runs one transaction until it is committed, refused or out of patience.
async fn serve(pool: &Pool, mut task: Task) {
    let arrived = Instant::now();
    let permits = async {
        // The class first: bulk that waits for its turn holds no connection back.
        let class = pool.class[task.kind.index()].acquire().await;
        (class, pool.all.acquire().await)
    };
    let Ok(_permits) = timeout(QUEUE_PATIENCE, permits).await else {
        return task.job.finish(Some(Error::Busy("no connection became free".into())));
    };
    if task.job.is_abandoned() {
        return;
    }
    let mut together = match task.kind {
        Kind::Write(_) => Some(pool.gate.read().await),
        Kind::Read => None,
    };
    let mut alone = None;
    let mut collisions = 0;
    let mut losses = 0;
    let refused = loop {
        let ended = match pool.take().await {
            Ok(link) => attempt(pool, link, &mut task).await,
            Err(away) => Ended::Lost(away),
        };
        match ended {
            Ended::Answer(refused) => break refused,
            Ended::Read { refused, link, session } => {
                // The answer does not wait for the end of a transaction that changed nothing.
                task.job.finish(refused);
                pool.roll_back(link, &session).await;
                return;
            }
            Ended::Collided if arrived.elapsed() >= COLLISION_PATIENCE => {
                break Some(Error::Busy("the transaction kept colliding with others".into()));
            }
            Ended::Collided => {
                collisions += 1;
                if collisions < COLLISIONS_BEFORE_ALONE || alone.is_some() {
                    tokio::time::sleep(pool.pause(collisions, 1, 20)).await;
                } else {
                    drop(together.take());
                    alone = Some(pool.gate.write().await);
                }
            }
            Ended::Lost(error) if arrived.elapsed() >= AWAY_PATIENCE => break Some(error),
            Ended::Lost(error) => {
                losses += 1;
                tracing::debug!(%error, losses, "database connection lost, trying again");
                tokio::time::sleep(pool.pause(losses, 10, 200)).await;
            }
        }
    };
    task.job.finish(refused);
}

/// How one attempt ended.
enum Ended {
    /// For good; `Some` is answered in place of the body's own result.
    Answer(Option<Error>),
    /// A read is answered before its transaction is ended.
    Read { refused: Option<Error>, link: Rc<Link>, session: Session },
    /// Nothing was written; it is run again.
    Collided,
    /// Nothing was written, the connection is gone; it is run again on another.
    Lost(Error),
}

async fn attempt(pool: &Pool, link: Rc<Link>, task: &mut Task) -> Ended {
    let session =
        Session { link: link.clone(), begin: task.kind.begin(), begun: Cell::new(false), trouble: RefCell::new(None) };
    let tx = Tx::new(super::Session::Postgres(session), turns::LIMIT);
    let _turn = match task.kind {
        Kind::Write(_) => Some(pool.turns.begin()),
        Kind::Read => None,
    };
    let ran = {
        let mut body = task.job.attempt(&tx);
        timeout(BODY_TIMEOUT, poll_fn(|cx| poll_caught(&mut body, cx))).await
    };
    let failure = tx.failure();
    let super::Session::Postgres(session) = tx.session else { unreachable!("made above") };

    match session.trouble.take() {
        Some(Trouble::Lost(error)) => {
            pool.forget_idle();
            return Ended::Lost(error);
        }
        Some(Trouble::Collided) => {
            pool.roll_back(link, &session).await;
            return Ended::Collided;
        }
        Some(Trouble::Stale) => return Ended::Collided,
        None => {}
    }
    let (keep, refused) = match ran {
        // The connection may hang in the middle of an answer: it is dropped.
        Err(_) => return Ended::Answer(Some(Error::TimedOut)),
        Ok(Ok(true)) => (failure.is_none(), failure),
        Ok(Ok(false)) => (false, None),
        Ok(Err(panic)) => (false, Some(panic)),
    };
    if matches!(task.kind, Kind::Read) {
        return Ended::Read { refused, link, session };
    }
    if !keep {
        pool.roll_back(link, &session).await;
        return Ended::Answer(refused);
    }
    commit(pool, link, &session).await
}

async fn commit(pool: &Pool, link: Rc<Link>, session: &Session) -> Ended {
    if !session.begun.get() {
        pool.give_back(link);
        return Ended::Answer(None);
    }
    match timeout(COMMIT_TIMEOUT, link.client.batch_execute("commit")).await {
        Ok(Ok(())) => {
            pool.give_back(link);
            Ended::Answer(None)
        }
        Ok(Err(error)) if is_collision(&error) => {
            pool.give_back(link);
            Ended::Collided
        }
        Ok(Err(error)) if !is_loss(&error) && !link.client.is_closed() => {
            pool.give_back(link);
            Ended::Answer(Some(translate(&error)))
        }
        Ok(Err(error)) => {
            pool.forget_idle();
            Ended::Answer(Some(unknown_outcome(&error.to_string())))
        }
        Err(_) => Ended::Answer(Some(unknown_outcome("no answer"))),
    }
}

fn unknown_outcome(why: &str) -> Error {
    tracing::error!(why, "the connection was lost during a commit");
    Error::Unavailable(format!("the connection was lost during the commit, its outcome is unknown: {why}"))
}

// ---- connections ----

struct Pool {
    config: Config,
    idle: RefCell<Vec<Rc<Link>>>,
    /// Connections in use, in all and by kind: accounting and bulk leave some to people.
    all: Semaphore,
    class: [Semaphore; 4],
    gate: Gate,
    turns: Arc<Turns>,
    dice: Cell<u64>,
}

impl Pool {
    fn new(config: Config, size: usize, gate: Gate, turns: Arc<Turns>) -> Pool {
        let most = |n: usize| Semaphore::new(n.max(1));
        Pool {
            config,
            idle: RefCell::default(),
            all: most(size),
            class: [most(size), most(size / 2), most(size / 4), most(size)],
            gate,
            turns,
            // Any odd number will do; two threads should not pause in step.
            dice: Cell::new(u64::from(std::process::id()) << 32 | Rc::as_ptr(&Rc::new(0_u8)) as u64 | 1),
        }
    }

    async fn take(&self) -> Result<Rc<Link>, Error> {
        loop {
            let idle = self.idle.borrow_mut().pop();
            match idle {
                Some(link) if !link.client.is_closed() => return Ok(link),
                Some(_) => {}
                None => return self.connect().await,
            }
        }
    }

    async fn connect(&self) -> Result<Rc<Link>, Error> {
        let away = |what: String| Error::Unavailable(what);
        let (client, connection) = timeout(CONNECT_TIMEOUT * 2, self.config.connect(NoTls))
            .await
            .map_err(|_| away("no answer to a connection".into()))?
            .map_err(|error| away(super::wire::described(&error)))?;
        tokio::task::spawn_local(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "database connection ended");
            }
        });
        Ok(Rc::new(Link { client, statements: RefCell::default(), uses: Cell::new(0) }))
    }

    fn give_back(&self, link: Rc<Link>) {
        if !link.client.is_closed() {
            self.idle.borrow_mut().push(link);
        }
    }

    async fn roll_back(&self, link: Rc<Link>, session: &Session) {
        let done = !session.begun.get()
            || matches!(timeout(COMMIT_TIMEOUT, link.client.batch_execute("rollback")).await, Ok(Ok(())));
        if done {
            self.give_back(link);
        }
    }

    /// When one connection is lost the others usually are, and have not noticed.
    fn forget_idle(&self) {
        self.idle.borrow_mut().clear();
    }

    async fn close(&self) {
        self.forget_idle();
        // Let the connections' own tasks say goodbye.
        for _ in 0..16 {
            tokio::task::yield_now().await;
        }
    }

    /// Doubling from `least_ms` to `most_ms`, half of it by chance.
    fn pause(&self, times: u32, least_ms: u64, most_ms: u64) -> Duration {
        let mut dice = self.dice.get();
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        self.dice.set(dice);
        let full_us = (least_ms << times.min(10)).min(most_ms) * 1000;
        Duration::from_micros(full_us / 2 + dice % (full_us / 2).max(1))
    }
}

/// A connection with its prepared statements.
struct Link {
    client: Client,
    statements: RefCell<HashMap<Text, (Statement, u64)>>,
    uses: Cell<u64>,
}

/// What a prepared statement is found by: texts of many rows are long, and not built to be looked up.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Text {
    Fixed(&'static str),
    Dynamic(Arc<str>),
    Many { head: &'static str, suffix: &'static str, columns: usize, rows: usize },
}

impl Text {
    fn of(sql: &Sql) -> Text {
        match sql {
            Sql::Fixed(statement) => Text::Fixed(statement.text()),
            Sql::Dynamic(text) => Text::Dynamic(text.clone()),
        }
    }

    fn written(&self) -> String {
        match self {
            Text::Fixed(text) => (*text).to_owned(),
            Text::Dynamic(text) => text.to_string(),
            Text::Many { head, suffix, columns, rows } => many(head, suffix, *columns, *rows),
        }
    }
}

fn many(head: &str, suffix: &str, columns: usize, rows: usize) -> String {
    let mut text = format!("{head} values ");
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..columns {
            let comma = if column == 0 { "" } else { "," };
            text.push_str(&format!("{comma}${}", row * columns + column + 1));
        }
        text.push(')');
    }
    text.push(' ');
    text.push_str(suffix);
    text
}

/// What happened to a transaction, whatever its body made of it.
enum Trouble {
    Collided,
    Lost(Error),
    /// The connection's prepared statements no longer fit the schema.
    Stale,
}

/// What a transaction's statements go through.
pub(super) struct Session {
    link: Rc<Link>,
    begin: &'static str,
    begun: Cell<bool>,
    trouble: RefCell<Option<Trouble>>,
}

fn read(row: &tokio_postgres::Row) -> Result<Row, Error> {
    let values = (0..row.len()).map(|index| row.try_get::<_, Value>(index));
    values.collect::<Result<_, _>>().map(Row::new).map_err(|error| translate(&error))
}

impl Session {
    pub(super) async fn rows(&self, sql: &Sql, params: &[Value]) -> Result<Vec<Row>, Error> {
        let statement = self.statement(Text::of(sql)).await?;
        fits(&statement, params.len())?;
        let rows = self.sent(self.link.client.query(&statement, &borrowed(params))).await?;
        rows.iter().map(read).collect()
    }

    /// Pipelined: all are sent before the first answer is waited for.
    /// `offset 0` lets the planner find the rows by the filter and not by the order.
    pub(super) async fn slice(
        &self,
        text: &str,
        mut params: Vec<Value>,
        slice: Slice,
    ) -> Result<(Vec<i64>, i64), Error> {
        let all = self.rows(&format!("select count(*) from ({text}) as found").into(), &params).await?;
        let total = all.first().map_or(Ok(0), |row| row.get(0))?;
        if total <= slice.offset {
            return Ok((Vec::new(), total));
        }
        let (direction, limit) = (if slice.descending { "desc" } else { "asc" }, params.len() + 1);
        let text = format!(
            "select id from ({text} offset 0) as found (id, place) \
             order by place {direction}, id {direction} limit ${limit} offset ${}",
            limit + 1
        );
        params.extend([slice.limit.into(), slice.offset.into()]);
        let rows = self.rows(&text.into(), &params).await?;
        Ok((rows.iter().map(|row| row.get(0)).collect::<Result<_, Error>>()?, total))
    }

    pub(super) async fn each(&self, sql: &'static super::Statement, lists: &[Vec<Value>]) -> Result<Vec<Row>, Error> {
        if lists.is_empty() {
            return Ok(Vec::new());
        }
        let statement = self.statement(Text::of(&Sql::from(sql))).await?;
        for params in lists {
            fits(&statement, params.len())?;
        }
        let borrowed: Vec<_> = lists.iter().map(borrowed).collect();
        let queries = borrowed.iter().map(|params| self.link.client.query(&statement, params));
        let answers = self.sent(futures_util::future::try_join_all(queries)).await?;
        answers.iter().flatten().map(read).collect()
    }

    pub(super) async fn run(&self, sql: &Sql, params: &[Value]) -> Result<u64, Error> {
        let statement = self.statement(Text::of(sql)).await?;
        fits(&statement, params.len())?;
        self.sent(self.link.client.execute(&statement, &borrowed(params))).await
    }

    /// Many rows a statement, in powers of two, so that few statements are prepared.
    pub(super) async fn insert_many(
        &self,
        head: &'static str,
        suffix: &'static str,
        rows: &[Vec<Value>],
    ) -> Result<u64, Error> {
        let Some(columns) = rows.first().map(Vec::len) else { return Ok(0) };
        if columns == 0 || rows.iter().any(|row| row.len() != columns) {
            return Err(Error::Other("insert_many: rows of different lengths".into()));
        }
        let most = ROWS_AT_ONCE.min(PARAMETERS_AT_ONCE / columns);
        let mut count = 0;
        let mut rest = rows;
        while !rest.is_empty() {
            let size = 1 << rest.len().min(most).ilog2();
            let (chunk, after) = rest.split_at(size);
            let statement = self.statement(Text::Many { head, suffix, columns, rows: size }).await?;
            count += self.sent(self.link.client.execute(&statement, &borrowed(chunk.iter().flatten()))).await?;
            rest = after;
        }
        Ok(count)
    }

    pub(super) async fn batch(&self, text: &str) -> Result<(), Error> {
        let text = format!("set local statement_timeout = 0; {text}");
        self.sent(self.link.client.batch_execute(&text)).await
    }

    pub(super) async fn prepare(&self, sql: &Sql) -> Result<(), Error> {
        let done = self.link.client.prepare(sql.text()).await;
        done.map(drop).map_err(|error| self.noted(&error))
    }

    /// Sends a statement, behind a `begin` if it is the first: both in one round trip.
    async fn sent<T>(&self, statement: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Error> {
        if self.begun.replace(true) {
            return statement.await.map_err(|error| self.noted(&error));
        }
        let mut begin = pin!(self.link.client.batch_execute(self.begin));
        let mut statement = pin!(statement);
        let (mut began, mut done) = (None, None);
        poll_fn(|cx| {
            // In this order: what is polled first is sent first.
            if began.is_none()
                && let Poll::Ready(result) = begin.as_mut().poll(cx)
            {
                began = Some(result);
            }
            if done.is_none()
                && let Poll::Ready(result) = statement.as_mut().poll(cx)
            {
                done = Some(result);
            }
            if began.is_some() && done.is_some() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let (Some(began), Some(done)) = (began, done) else { unreachable!("both are ready") };
        began.and(done).map_err(|error| self.noted(&error))
    }

    async fn statement(&self, key: Text) -> Result<Statement, Error> {
        let link = &self.link;
        let now = link.uses.get() + 1;
        link.uses.set(now);
        if let Some((statement, used)) = link.statements.borrow_mut().get_mut(&key) {
            *used = now;
            return Ok(statement.clone());
        }
        let prepared = link.client.prepare(&key.written()).await;
        let statement = prepared.map_err(|error| self.noted(&error))?;
        let mut statements = link.statements.borrow_mut();
        if statements.len() >= STATEMENTS_CACHED {
            let oldest = statements.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone());
            oldest.and_then(|key| statements.remove(&key));
        }
        statements.insert(key, (statement.clone(), now));
        Ok(statement)
    }

    fn noted(&self, error: &tokio_postgres::Error) -> Error {
        let translated = translate(error);
        let trouble = if is_collision(error) {
            Some(Trouble::Collided)
        } else if is_loss(error) || self.link.client.is_closed() {
            Some(Trouble::Lost(Error::Unavailable(super::wire::described(error))))
        } else if is_stale(error) {
            Some(Trouble::Stale)
        } else {
            None
        };
        if let Some(trouble) = trouble {
            self.trouble.borrow_mut().get_or_insert(trouble);
        }
        translated
    }
}

fn borrowed<'a>(params: impl IntoIterator<Item = &'a Value>) -> Vec<&'a (dyn ToSql + Sync)> {
    params.into_iter().map(|value| value as _).collect()
}

fn fits(statement: &Statement, given: usize) -> Result<(), Error> {
    let wanted = statement.params().len();
    if wanted == given {
        return Ok(());
    }
    Err(Error::Other(format!("the statement has {wanted} parameters, given were {given}")))
}
