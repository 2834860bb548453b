//! SQLite's tables are strict: a column of whole numbers takes nothing else. Without that a sum that leaves 64 bits is kept
//! as a real number, and whoever reads the row finds that it is none of ours; with it the write is refused.
//!
//! Migrations make strict tables (`migrate.rs`). Those of an earlier data directory are made strict here, once: what became
//! a real number is a whole one again, and the words of the schema are changed, which leaves every row where it is
//! (sqlite.org/lang_altertable.html, "making other kinds of table schema changes").

use crate::{
    db::{Class, Db, Engine, Error, Token, Tx, tokens},
    params,
};

/// The largest whole number that every reader has exactly: what a real number is cut to.
const MOST: i64 = 1 << 53;

/// What a column's type is called where a table is strict. `int` and not `integer`, which as a primary key would be the
/// row's own number and move every row.
pub(super) fn column_type(word: &str) -> Option<&'static str> {
    ["bigint", "bool"].iter().any(|known| word.eq_ignore_ascii_case(known)).then_some("int")
}

pub(crate) async fn complete(db: &Db) -> Result<(), Error> {
    if db.engine() != Engine::Sqlite {
        return Ok(());
    }
    let lax = db.read(async |tx| lax(tx).await).await?;
    if lax.is_empty() {
        return Ok(());
    }
    let tables = lax.len();
    db.tx(Class::Bulk, async move |tx| {
        // Also lifts the limit of a turn: every row is looked at once.
        tx.batch("pragma writable_schema = on").await?;
        for (table, text) in &lax {
            make_whole(tx, table).await?;
            let update = "update sqlite_schema set sql = $2 where type = 'table' and name = $1";
            tx.run(update.to_owned(), &params![table, &strict(text)]).await?;
        }
        let version = tx.row("pragma schema_version".to_owned(), &[]).await?.map_or(Ok(0), |row| row.get::<i64>(0))?;
        tx.batch(&format!("pragma schema_version = {}; pragma writable_schema = reset", version + 1)).await
    })
    .await?;
    let left = db.read(async |tx| self::lax(tx).await).await?;
    match left.first() {
        None => {
            tracing::info!(tables, "tables made strict");
            Ok(())
        }
        Some((table, _)) => Err(Error::Other(format!("the table {table} could not be made strict"))),
    }
}

/// Tables that take anything, and what made them.
async fn lax(tx: &Tx) -> Result<Vec<(String, String)>, Error> {
    let text = "select s.name, s.sql from pragma_table_list l join sqlite_schema s on s.type = 'table' and s.name = l.name \
                where l.schema = 'main' and l.type = 'table' and l.strict = 0 and l.name not like 'sqlite\\_%' escape '\\' \
                order by s.name";
    let rows = tx.rows(text.to_owned(), &[]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Real numbers of a table's columns of whole numbers become whole.
async fn make_whole(tx: &Tx, table: &str) -> Result<(), Error> {
    let columns = tx.rows("select name, type from pragma_table_info($1)".to_owned(), &params![table]).await?;
    let mut whole = Vec::new();
    for row in &columns {
        if column_type(row.text(1)?).is_some() || row.text(1)?.eq_ignore_ascii_case("integer") {
            whole.push(format!("\"{}\"", row.text(0)?));
        }
    }
    for column in whole {
        let text = format!(
            "update \"{table}\" set {column} = cast(max(-{MOST}, min({MOST}, {column})) as integer) \
             where typeof({column}) = 'real'"
        );
        let rows = tx.run(text, &[]).await?;
        if rows > 0 {
            tracing::warn!(table, column, rows, "sums that had left what can be kept are cut");
        }
    }
    Ok(())
}

/// A table's text as it is where it is strict.
pub(super) fn strict(text: &str) -> String {
    let mut out = String::new();
    let mut without_rowid = false;
    for token in tokens(text) {
        match token {
            Token::Word(word) => {
                without_rowid |= word.eq_ignore_ascii_case("rowid");
                out.push_str(column_type(word).unwrap_or(word));
            }
            Token::Quoted(piece) | Token::Other(piece) => out.push_str(piece),
            Token::Comment(_) => out.push(' '),
            Token::Placeholder(digits) => {
                out.push('$');
                out.push_str(digits);
            }
        }
    }
    let end = if without_rowid { ", strict" } else { " strict" };
    format!("{}{end}", out.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Location;

    #[test]
    fn a_tables_text_becomes_strict() {
        let rows = [
            (
                "create table a (id bigint not null primary key, b bool)",
                "create table a (id int not null primary key, b int) strict",
            ),
            ("create table a (id integer primary key)\n", "create table a (id integer primary key) strict"),
            (
                "create table a (b bigint, primary key (b)) without rowid",
                "create table a (b int, primary key (b)) without rowid, strict",
            ),
            ("create table a (b text default 'bigint')", "create table a (b text default 'bigint') strict"),
        ];
        for (text, expected) in rows {
            assert_eq!(strict(text), expected);
        }
    }

    /// A data directory of before: its sums that had become real numbers are whole again, its indexes still lead to their
    /// rows, and from then on such a sum is refused.
    #[tokio::test]
    async fn tables_of_before_are_made_strict() {
        let folder = std::env::temp_dir().join(format!("lastmile-strict-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let db = Db::open(&Location::File(folder.join("data.db"))).await.unwrap();
        db.tx(Class::Bulk, async |tx| {
            tx.batch(
                "create table used (isp_id bigint not null, id bigint not null primary key, up bigint not null, ok bool,
                                    word text, secret blob, unique (isp_id, up));
                 create index used_up on used (up desc);
                 create table old (a bigint not null, b text, primary key (a)) without rowid;
                 insert into used values (1, 7, 9223372036854775807, true, 'x', x'00'), (1, 8, 5, null, null, null);
                 update used set up = up + 1 where id = 7;
                 insert into old values (3, 'y')",
            )
            .await
        })
        .await
        .unwrap();
        let up =
            async || db.read(async |tx| tx.rows("select id, up from used order by id".to_owned(), &[]).await).await;
        assert!(matches!(up().await, Err(Error::Column { found: "a real number", .. })));
        complete(&db).await.unwrap();
        complete(&db).await.unwrap();
        let rows: Vec<(i64, i64)> =
            up().await.unwrap().iter().map(|row| (row.get(0).unwrap(), row.get(1).unwrap())).collect();
        assert_eq!(rows, [(7, MOST), (8, 5)]);
        let by_index = db
            .read(async |tx| tx.row(format!("select id from used indexed by used_up where up = {MOST}"), &[]).await)
            .await;
        assert_eq!(by_index.unwrap().unwrap().get(0), Ok(7_i64));
        let sound = db.read(async |tx| tx.row("pragma integrity_check".to_owned(), &[]).await).await.unwrap().unwrap();
        assert_eq!(sound.text(0), Ok("ok"));
        for sum in ["9223372036854775807 - 4", "1e300", "'many'"] {
            let text = format!("update used set up = up + {sum} where id = 8");
            let text = text.replace("up + 'many'", "'many'");
            let done: Result<u64, Error> = db.tx(Class::Bulk, async move |tx| tx.run(text.clone(), &[]).await).await;
            match sum {
                "9223372036854775807 - 4" | "1e300" | "'many'" if done == Err(Error::Beyond) => {}
                other => panic!("{other}: {done:?}"),
            }
        }
        db.close().await;
        // Opened again, the file is as it was left.
        let db = Db::open(&Location::File(folder.join("data.db"))).await.unwrap();
        assert_eq!(db.read(async |tx| lax(tx).await).await, Ok(vec![]));
        db.close().await;
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
