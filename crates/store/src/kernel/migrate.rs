//! Migrations: `migrations/NNNN_name.sql`, embedded, each run once and in one transaction.
//!
//! The files are written for SQLite's and PostgreSQL's common part; these things are translated:
//!
//! * the type `blob` is `bytea` on PostgreSQL;
//! * `bigint primary key` is `integer primary key` on SQLite, which makes it the row's own key
//!   instead of a second index;
//! * SQLite's tables are strict (`strict.rs`), so there `bigint` and `bool` are `int`;
//! * a statement with a comment `-- only: sqlite` or `-- only: postgres` in front is left out on
//!   the other engine.
//!
//! A migration that has run is never edited: its checksum is kept, and a difference is an error.

use crate::db::{Class, Db, Engine, Error, Token, Tx, tokens};
use crate::kernel::strict::{column_type, strict};
use crate::{params, sql};
use std::time::{SystemTime, UNIX_EPOCH};

/// Name without `.sql`, and text; in order.
pub(crate) const MIGRATIONS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// The schema version this program brings a database to.
pub fn newest_schema() -> i64 {
    MIGRATIONS.iter().filter_map(|(name, _)| name.split('_').next()?.parse().ok()).max().unwrap_or(0)
}

/// Which migrations have run.
const TABLE: &str = "create table if not exists schema_migration (
    version bigint not null primary key,
    name text not null,
    checksum text not null,
    applied_at bigint not null)";

pub(crate) async fn migrate(db: &Db, migrations: &'static [(&str, &str)]) -> Result<(), Error> {
    let engine = db.engine();
    db.tx(Class::Bulk, async move |tx: &Tx| {
        for statement in statements(TABLE, engine) {
            tx.batch(&statement).await?;
        }
        Ok::<_, Error>(())
    })
    .await
    // Two nodes that create it at the same moment collide in PostgreSQL's catalogue.
    .or_else(|error| if matches!(error, Error::Unique { .. }) { Ok(()) } else { Err(error) })?;

    let plan = migrations.iter().map(parse).collect::<Result<Vec<Migration>, Error>>()?;
    let newest = plan.last().map_or(0, |migration| migration.version);
    let ahead = db.read(async move |tx: &Tx| ahead(tx, newest).await).await?;
    if let Some(version) = ahead {
        return Err(Error::Other(format!(
            "the database is of schema version {version}, this program knows {newest}: a newer program has used it"
        )));
    }
    for migration in plan {
        loop {
            let this = migration.clone();
            match db.tx(Class::Bulk, async move |tx: &Tx| apply(tx, engine, &this).await).await {
                // Another node was faster: look again.
                Err(Error::Unique { what }) if what.starts_with("schema_migration.") => {}
                done => break done?,
            }
        }
    }
    Ok(())
}

#[derive(Clone)]
struct Migration {
    version: i64,
    name: &'static str,
    text: &'static str,
}

fn parse((name, text): &(&'static str, &'static str)) -> Result<Migration, Error> {
    let version = name.split('_').next().and_then(|number| number.parse().ok());
    match version {
        Some(version) => Ok(Migration { version, name, text }),
        None => Err(Error::Other(format!("migration {name} does not begin with its number"))),
    }
}

async fn ahead(tx: &Tx, newest: i64) -> Result<Option<i64>, Error> {
    let newer = tx
        .row(
            sql!("select version from schema_migration where version > $1 order by version desc limit 1"),
            &params![newest],
        )
        .await?;
    newer.map(|row| row.get(0)).transpose()
}

/// The row goes in first: on PostgreSQL a second node waits there for the first.
async fn apply(tx: &Tx, engine: Engine, migration: &Migration) -> Result<(), Error> {
    let Migration { version, name, text } = *migration;
    let checksum = checksum(text);
    let known = tx.row(sql!("select checksum from schema_migration where version = $1"), &params![version]).await?;
    if let Some(row) = known {
        if row.text(0)? == checksum {
            return Ok(());
        }
        return Err(Error::Other(format!("migration {name} was edited after it had run here")));
    }
    tx.run(
        sql!("insert into schema_migration (version, name, checksum, applied_at) values ($1, $2, $3, $4)"),
        &params![version, name, checksum, now_us()],
    )
    .await?;
    for statement in statements(text, engine) {
        tx.batch(&statement)
            .await
            .map_err(|error| Error::Other(format!("migration {name}: {error}\n{}", statement.trim())))?;
    }
    tracing::info!(name, "migrated");
    Ok(())
}

fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// FNV-1a: against mistakes, not against forgery. Line ends do not count.
fn checksum(text: &str) -> String {
    let hash = text
        .bytes()
        .filter(|b| *b != b'\r')
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

/// The statements of a file as this engine wants them.
pub(crate) fn statements(text: &str, engine: Engine) -> Vec<String> {
    let mut done = Vec::new();
    let mut pieces = Vec::new();
    for token in tokens(text) {
        if token == Token::Other(";") {
            done.extend(statement(&pieces, engine));
            pieces.clear();
        } else {
            pieces.push(token);
        }
    }
    done.extend(statement(&pieces, engine));
    done
}

fn statement(pieces: &[Token<'_>], engine: Engine) -> Option<String> {
    let other = match engine {
        Engine::Sqlite => "only: postgres",
        Engine::Postgres => "only: sqlite",
    };
    let mut out = String::new();
    for (at, token) in pieces.iter().enumerate() {
        match *token {
            Token::Comment(comment) if comment.trim_start_matches('-').trim() == other => return None,
            Token::Comment(_) => out.push(' '),
            Token::Word(word) => out.push_str(translated(word, &pieces[at + 1..], engine)),
            Token::Quoted(piece) | Token::Other(piece) => out.push_str(piece),
            Token::Placeholder(digits) => {
                out.push('$');
                out.push_str(digits);
            }
        }
    }
    if engine == Engine::Sqlite && begins(&out, &["create", "table"]) {
        out = strict(&out);
    }
    (!out.trim().is_empty()).then_some(out)
}

fn begins(text: &str, words: &[&str]) -> bool {
    let mut given = text.split_whitespace();
    words.iter().all(|word| given.next().is_some_and(|found| found.eq_ignore_ascii_case(word)))
}

fn translated<'a>(word: &'a str, after: &[Token<'_>], engine: Engine) -> &'a str {
    let is = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    match engine {
        Engine::Postgres if is(word, "blob") => "bytea",
        Engine::Sqlite if is(word, "bigint") => {
            let mut words = after.iter().filter(|token| !matches!(token, Token::Other(s) if s.trim().is_empty()));
            match (words.next(), words.next()) {
                (Some(Token::Word(a)), Some(Token::Word(b))) if is(a, "primary") && is(b, "key") => "integer",
                _ => column_type(word).unwrap_or(word),
            }
        }
        Engine::Sqlite => column_type(word).unwrap_or(word),
        Engine::Postgres => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_cut_and_translated() {
        let text = "
            -- Customers; with a comment; that has semicolons.
            create table a (id bigint primary key, b blob not null, c text default ';blob');
            -- only: sqlite
            create virtual table f using fts5 (name);
            -- only: postgres
            create index i on a (c text_pattern_ops);
        ";
        let tidy = |engine| {
            let cut = statements(text, engine);
            cut.iter().map(|s| s.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
        };
        assert_eq!(
            tidy(Engine::Sqlite),
            [
                "create table a (id integer primary key, b blob not null, c text default ';blob') strict",
                "create virtual table f using fts5 (name)",
            ]
        );
        assert_eq!(
            tidy(Engine::Postgres),
            [
                "create table a (id bigint primary key, b bytea not null, c text default ';blob')",
                "create index i on a (c text_pattern_ops)",
            ]
        );
    }
}
