//! One connection: its settings, the clock that interrupts it, and the statements of a transaction.

use std::{
    path::PathBuf,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::{
    CachedStatement, Connection, ErrorCode, OpenFlags, ffi,
    types::{ToSql, ToSqlOutput, ValueRef},
};

use crate::db::{
    Error, Row, Sql, Statement, Value,
    slice::{Gathered, Slice},
    statement::to_sqlite,
};

/// Virtual machine steps between two looks at the clock: well under a millisecond.
const STEPS_BETWEEN_LOOKS: i32 = 20_000;

/// Another process (a backup, a curious operator's shell) may hold the file this long.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const STATEMENTS_CACHED: usize = 512;

pub(super) struct Handle {
    pub(super) connection: Connection,
    clock: Arc<Clock>,
}

/// When the running body is interrupted; looked at by SQLite every few thousand steps.
struct Clock {
    since: Instant,
    /// Microseconds after `since`; `u64::MAX` for never.
    until_us: AtomicU64,
}

impl Handle {
    pub(super) fn limit(&self, limit: Option<Duration>) {
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

pub(super) fn open_connection(path: Option<&PathBuf>, cache_kib: u32) -> Result<Handle, Error> {
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
pub(in crate::db) struct Session {
    pub(super) handle: Rc<Handle>,
    pub(super) read_only: bool,
}

impl Session {
    pub(in crate::db) fn rows(&self, sql: &Sql, params: &[Value]) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        collect(&mut self.bound(&text(sql), params)?, &mut rows)?;
        Ok(rows)
    }

    pub(in crate::db) fn slice(&self, text: &str, params: &[Value], slice: Slice) -> Result<(Vec<i64>, i64), Error> {
        let mut statement = self.bound(&to_sqlite(text), params)?;
        let mut rows = statement.raw_query();
        let mut gathered = Gathered::default();
        while let Some(row) = rows.next().map_err(translate)? {
            let ValueRef::Integer(id) = row.get_ref(0).map_err(translate)? else {
                return Err(Error::Column { index: 0, wanted: "integer", found: "something else" });
            };
            match row.get_ref(1).map_err(translate)? {
                ValueRef::Integer(place) => gathered.number(id, place),
                ValueRef::Text(place) => gathered.text(id, place),
                ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => {
                    return Err(Error::Column { index: 1, wanted: "integer or text", found: "something else" });
                }
            }
        }
        Ok(gathered.cut(slice))
    }

    pub(in crate::db) fn each(&self, sql: &'static Statement, lists: &[Vec<Value>]) -> Result<Vec<Row>, Error> {
        let mut statement = self.prepared(sql.for_sqlite())?;
        let mut rows = Vec::new();
        for params in lists {
            bind(&mut statement, params)?;
            collect(&mut statement, &mut rows)?;
        }
        Ok(rows)
    }

    pub(in crate::db) fn run(&self, sql: &Sql, params: &[Value]) -> Result<u64, Error> {
        self.effect(&mut self.bound(&text(sql), params)?)
    }

    /// One prepared statement per row: there is no round trip to save here.
    pub(in crate::db) fn insert_many(&self, head: &str, suffix: &str, rows: &[Vec<Value>]) -> Result<u64, Error> {
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
    pub(in crate::db) fn batch(&self, text: &str) -> Result<(), Error> {
        self.handle.limit(None);
        self.handle.connection.execute_batch(text).map_err(translate)
    }

    pub(in crate::db) fn prepare(&self, sql: &Sql) -> Result<(), Error> {
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
        Sql::Dynamic(text) => to_sqlite(text).into(),
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
            Value::Int(number) | Value::Beyond(number) => ValueRef::Integer(*number),
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

pub(super) fn translate(error: rusqlite::Error) -> Error {
    let rusqlite::Error::SqliteFailure(failure, ref message) = error else {
        return Error::Other(error.to_string());
    };
    let message = message.clone().unwrap_or_else(|| failure.to_string());
    // "UNIQUE constraint failed: service.isp_id, service.username"
    let what = || message.split_once("failed: ").map_or(message.clone(), |(_, what)| what.to_owned());
    match failure.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            return Error::unique(what());
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => return Error::ForeignKey,
        ffi::SQLITE_CONSTRAINT_CHECK | ffi::SQLITE_CONSTRAINT_NOTNULL => {
            return Error::Check { what: what() };
        }
        // A sum that leaves 64 bits would be kept as a real number.
        ffi::SQLITE_CONSTRAINT_DATATYPE => return Error::Beyond,
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
        // Of `sum`.
        _ if message == "integer overflow" => Error::Beyond,
        _ => Error::Other(message),
    }
}
