//! Values and errors in PostgreSQL's binary form.
//!
//! A value takes the type that the statement asks for (an `Int` may go into `smallint`, `integer`,
//! `bigint` or `numeric`), and comes back as one of our five kinds. `numeric` appears because
//! `sum(bigint)` is one: whole numbers are read from it, fractions are refused.

use super::{Error, Value};
use std::error::Error as StdError;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

type Boxed = Box<dyn StdError + Sync + Send>;

impl ToSql for Value {
    fn to_sql(&self, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        match (self, wanted) {
            (Value::Null, _) => return Ok(IsNull::Yes),
            (Value::Int(n) | Value::Beyond(n), &Type::INT8) => out.extend_from_slice(&n.to_be_bytes()),
            (Value::Int(n), &Type::INT4) => out.extend_from_slice(&i32::try_from(*n)?.to_be_bytes()),
            (Value::Int(n), &Type::INT2) => out.extend_from_slice(&i16::try_from(*n)?.to_be_bytes()),
            (Value::Int(n) | Value::Beyond(n), &Type::NUMERIC) => write_numeric(*n, out),
            (Value::Bool(truth), &Type::BOOL) => out.extend_from_slice(&[u8::from(*truth)]),
            (Value::Text(text), wanted) if is_text(wanted) => out.extend_from_slice(text.as_bytes()),
            (Value::Blob(bytes), &Type::BYTEA) => out.extend_from_slice(bytes),
            (given, wanted) => return Err(format!("{} given for {wanted}", given.kind()).into()),
        }
        Ok(IsNull::No)
    }

    /// Everything: whether a value fits is seen when it is written, and a null always does.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(found: &Type, raw: &'a [u8]) -> Result<Value, Boxed> {
        Ok(match *found {
            Type::INT8 => Value::Int(i64::from_be_bytes(raw.try_into()?)),
            Type::INT4 => Value::Int(i32::from_be_bytes(raw.try_into()?).into()),
            Type::INT2 => Value::Int(i16::from_be_bytes(raw.try_into()?).into()),
            Type::NUMERIC => Value::Int(read_numeric(raw).ok_or("a number that is not a whole bigint")?),
            Type::BOOL => Value::Bool(raw != [0]),
            Type::BYTEA => Value::Blob(raw.to_vec()),
            _ => Value::Text(String::from_utf8(raw.to_vec())?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Value, Boxed> {
        Ok(Value::Null)
    }

    fn accepts(found: &Type) -> bool {
        is_text(found)
            || matches!(*found, Type::INT8 | Type::INT4 | Type::INT2 | Type::NUMERIC | Type::BOOL | Type::BYTEA)
    }
}

fn is_text(kind: &Type) -> bool {
    matches!(*kind, Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::JSON)
}

/// Digits of base 10,000, the first weighing 10,000^weight.
fn write_numeric(number: i64, out: &mut BytesMut) {
    let mut digits = Vec::new();
    let mut rest = number.unsigned_abs();
    while rest > 0 {
        digits.push((rest % 10_000) as u16);
        rest /= 10_000;
    }
    digits.reverse();
    let count = digits.len() as u16;
    let sign: u16 = if number < 0 { 0x4000 } else { 0 };
    for word in [count, count.saturating_sub(1), sign, 0].into_iter().chain(digits) {
        out.extend_from_slice(&word.to_be_bytes());
    }
}

fn read_numeric(raw: &[u8]) -> Option<i64> {
    let words: Vec<u16> = raw.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    let [count, weight, sign, _scale, digits @ ..] = words.as_slice() else { return None };
    // Trailing zeros are not stored; digits beyond the weight are a fraction.
    let places = usize::try_from(*weight as i16 + 1).ok()?;
    if digits.len() != usize::from(*count) || digits.len() > places || places > 5 {
        return (digits.is_empty() && *sign == 0).then_some(0);
    }
    let padded = digits.iter().chain(std::iter::repeat_n(&0, places - digits.len()));
    let size = padded.fold(0_i128, |size, digit| size * 10_000 + i128::from(*digit));
    match *sign {
        0 => i64::try_from(size).ok(),
        0x4000 => i64::try_from(-size).ok(),
        _ => None,
    }
}

pub(super) fn translate(error: &tokio_postgres::Error) -> Error {
    let Some(db) = error.as_db_error() else {
        return if is_loss(error) { Error::Unavailable(described(error)) } else { Error::Other(described(error)) };
    };
    match db.code() {
        &SqlState::UNIQUE_VIOLATION => Error::unique(unique_columns(db)),
        &SqlState::FOREIGN_KEY_VIOLATION => Error::ForeignKey,
        &SqlState::CHECK_VIOLATION => Error::Check { what: db.constraint().unwrap_or("check").to_owned() },
        &SqlState::NOT_NULL_VIOLATION => {
            let (table, column) = (db.table().unwrap_or_default(), db.column().unwrap_or_default());
            Error::Check { what: format!("{table}.{column}") }
        }
        &SqlState::NUMERIC_VALUE_OUT_OF_RANGE => Error::Beyond,
        &SqlState::QUERY_CANCELED => Error::TimedOut,
        &SqlState::LOCK_NOT_AVAILABLE => Error::Busy(db.message().to_owned()),
        _ if is_collision(error) => Error::Busy(db.message().to_owned()),
        // 53: out of disk, memory or connections.
        code if is_loss(error) || code.code().starts_with("53") => Error::Unavailable(db.message().to_owned()),
        code => Error::Other(format!("{} ({})", db.message(), code.code())),
    }
}

/// `Key (isp_id, username)=(1, ali) already exists.`, in whatever language, as SQLite says it.
fn unique_columns(db: &DbError) -> String {
    let index = || format!("index '{}'", db.constraint().unwrap_or_default());
    let columns = db
        .detail()
        .and_then(|detail| detail.split_once('('))
        .and_then(|(_, rest)| rest.split_once(")=("))
        .map(|(columns, _)| columns);
    match (db.table(), columns) {
        // An index over an expression goes by its name.
        (Some(table), Some(columns)) if !columns.contains('(') => {
            columns.split(", ").map(|column| format!("{table}.{column}")).collect::<Vec<_>>().join(", ")
        }
        _ => index(),
    }
}

/// With the cause, which the driver leaves to `source`.
pub(super) fn described(error: &tokio_postgres::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// Two transactions got into each other's way, and this one was chosen to begin anew.
pub(super) fn is_collision(error: &tokio_postgres::Error) -> bool {
    matches!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED))
}

/// The connection, or the server behind it, is gone.
pub(super) fn is_loss(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(state) => {
            let code = state.code();
            // 57P: shut down, crashed, starting up. 25P03: idle for too long inside a transaction.
            // 40003: a commit that nobody can speak for.
            code.starts_with("08") || code.starts_with("57P") || matches!(code, "25P03" | "40003")
        }
        None => error.is_closed() || error.source().is_some_and(|cause| cause.is::<std::io::Error>()),
    }
}

/// A statement prepared before a migration, or forgotten by a proxy in between.
pub(super) fn is_stale(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|db| {
        let changed = db.code() == &SqlState::FEATURE_NOT_SUPPORTED && db.message().contains("cached plan");
        changed || db.code() == &SqlState::INVALID_SQL_STATEMENT_NAME
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numerics_make_the_journey() {
        let rows = [0, 1, -1, 9_999, 10_000, 120_000_000, -10_001, i64::MAX, i64::MIN];
        for number in rows {
            let mut wire = BytesMut::new();
            write_numeric(number, &mut wire);
            assert_eq!(read_numeric(&wire), Some(number), "{number}");
        }
        // 1.5 is 1 and 5000 ten-thousandths; 120000000 is stored as 12000 × 10⁴ without its zeros.
        let wire = |words: &[u16]| words.iter().flat_map(|w| w.to_be_bytes()).collect::<Vec<u8>>();
        assert_eq!(read_numeric(&wire(&[2, 0, 0, 1, 1, 5000])), None);
        assert_eq!(read_numeric(&wire(&[1, 1, 0, 0, 12])), Some(120_000));
        assert_eq!(read_numeric(&wire(&[0, 0, 0xC000, 0])), None, "not a number");
    }
}
