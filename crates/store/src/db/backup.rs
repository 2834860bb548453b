//! A copy of a SQLite file while it is written: SQLite's online backup in one step, so that the copy is one committed
//! state however many commits pass meanwhile. Works beside the server, which goes on writing into its WAL.

use super::Error;
use rusqlite::{Connection, OpenFlags, backup::Backup};
use std::path::Path;
use std::time::Duration;

/// Copies the database into a new file without companions (`-wal`, `-shm`) and checks the copy. Its schema version.
///
/// # Errors
/// `Unavailable` when there is no database to copy, `Other` when the copy is not sound.
pub fn copy(from: &Path, to: &Path) -> Result<i64, Error> {
    let source = open(from, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mut target = open(to, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    let backup = Backup::new(&source, &mut target).map_err(other)?;
    // All pages in one step: in several, every commit of the server would begin it anew.
    backup.run_to_completion(i32::MAX, Duration::from_millis(50), None).map_err(other)?;
    drop(backup);
    let mode: String =
        target.pragma_update_and_check(None, "journal_mode", "delete", |row| row.get(0)).map_err(other)?;
    if mode != "delete" {
        return Err(Error::Other(format!("the copy stays in journal mode {mode}")));
    }
    sound(&target)
}

/// `pragma integrity_check`, nothing in it that runs by itself, and the schema version of a file that nobody writes.
///
/// # Errors
/// `Other` with SQLite's words when the file is not sound.
pub fn check(file: &Path) -> Result<i64, Error> {
    sound(&open(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
}

fn open(file: &Path, flags: OpenFlags) -> Result<Connection, Error> {
    let opened = Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    let connection = opened.map_err(|error| Error::Unavailable(format!("{}: {error}", file.display())))?;
    connection.busy_timeout(Duration::from_secs(5)).map_err(other)?;
    Ok(connection)
}

fn sound(connection: &Connection) -> Result<i64, Error> {
    let mut statement = connection.prepare("pragma integrity_check(10)").map_err(other)?;
    let found = statement.query_map([], |row| row.get::<_, String>(0)).map_err(other)?;
    let found = found.collect::<Result<Vec<String>, _>>().map_err(other)?;
    if found != ["ok"] {
        return Err(Error::Other(format!("integrity check: {}", found.join("; "))));
    }
    // No migration makes any: it would run within the program's own statements.
    let foreign = "select type || ' ' || name from sqlite_master \
                   where type not in ('table', 'index') or lower(sql) like 'create virtual%' limit 1";
    match connection.query_row(foreign, [], |row| row.get::<_, String>(0)) {
        Ok(name) => return Err(Error::Other(format!("{name}: no program of ours has made it"))),
        Err(rusqlite::Error::QueryReturnedNoRows) => {}
        Err(error) => return Err(other(error)),
    }
    let schema = "select coalesce(max(version), 0) from schema_migration";
    connection.query_row(schema, [], |row| row.get(0)).map_err(other)
}

fn other(error: rusqlite::Error) -> Error {
    Error::Other(error.to_string())
}
