//! Sealed values, whichever table they are in, for a change of the key.

use crate::{
    db::{Error, Tx, Value},
    params, sql,
};

/// A column of sealed values.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    table: &'static str,
    column: &'static str,
    /// What tells rows of an Isp apart: itself, where there is one row.
    id: &'static str,
}

impl Place {
    pub const fn of(table: &'static str, column: &'static str) -> Place {
        Place { table, column, id: "id" }
    }

    /// In a table with one row for an Isp.
    pub const fn of_isp(table: &'static str, column: &'static str) -> Place {
        Place { table, column, id: "isp_id" }
    }
}

#[derive(Clone, Debug)]
pub struct Cell {
    pub isp: i64,
    pub id: i64,
    pub sealed: Vec<u8>,
}

/// A block of those behind `after`, by Isp and id.
pub async fn cells(tx: &Tx, at: Place, after: (i64, i64), limit: i64) -> Result<Vec<Cell>, Error> {
    let Place { table, column, id } = at;
    let text = format!(
        "select isp_id, {id}, {column} from {table} \
         where {column} is not null and (isp_id, {id}) > ($1, $2) order by 1, 2 limit $3"
    );
    let rows = tx.rows(text, &params![after.0, after.1, limit]).await?;
    rows.iter().map(|row| Ok(Cell { isp: row.get(0)?, id: row.get(1)?, sealed: row.get(2)? })).collect()
}

/// Puts another value in the place of this one, if it is still there.
pub async fn put(tx: &Tx, at: Place, cell: &Cell, sealed: Vec<u8>) -> Result<u64, Error> {
    let Place { table, column, id } = at;
    let text = format!("update {table} set {column} = $1 where isp_id = $2 and {id} = $3 and {column} = $4");
    let params = [Value::from(sealed), cell.isp.into(), cell.id.into(), cell.sealed.clone().into()];
    tx.run(text, &params).await
}

/// An answer that is kept for its repeats.
#[derive(Clone, Debug)]
pub struct Answer {
    pub isp: i64,
    pub scope: String,
    pub key: String,
    pub answer: String,
}

pub async fn answers(tx: &Tx, after: &(i64, String, String), limit: i64) -> Result<Vec<Answer>, Error> {
    let text = sql!(
        "select isp_id, scope, caller_key, answer from idempotency \
         where (isp_id, scope, caller_key) > ($1, $2, $3) order by isp_id, scope, caller_key limit $4"
    );
    let rows = tx.rows(text, &params![after.0, after.1.clone(), after.2.clone(), limit]).await?;
    let one = |row: &crate::db::Row| {
        Ok(Answer { isp: row.get(0)?, scope: row.get(1)?, key: row.get(2)?, answer: row.get(3)? })
    };
    rows.iter().map(one).collect()
}

pub async fn put_answer(tx: &Tx, row: &Answer, answer: &str) -> Result<u64, Error> {
    let text =
        sql!("update idempotency set answer = $1 where isp_id = $2 and scope = $3 and caller_key = $4 and answer = $5");
    tx.run(text, &params![answer, row.isp, row.scope.clone(), row.key.clone(), row.answer.clone()]).await
}
