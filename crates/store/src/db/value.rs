//! What goes into a statement and what comes out of one, the same on both engines.
//!
//! There are five kinds and no more: real numbers, decimals and timestamps are kept as `bigint`
//! in a fixed unit (docs/decisions/0001). SQLite stores a `bool` as 0 or 1; reading forgives that.

use super::Error;

/// One parameter, or one column of one row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    Null,
    Int(i64),
    /// A moment or an amount that no row may have: things are compared with it, and it is never written.
    Beyond(i64),
    Bool(bool),
    Text(String),
    Blob(Vec<u8>),
}

impl Value {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Int(_) => "integer",
            Value::Beyond(_) => "integer beyond what is kept",
            Value::Bool(_) => "bool",
            Value::Text(_) => "text",
            Value::Blob(_) => "blob",
        }
    }
}

/// Parameters of a statement: `params![isp, username, None::<i64>]` is a `[Value; 3]`.
#[macro_export]
macro_rules! params {
    () => { [] as [$crate::db::Value; 0] };
    ($($value:expr),+ $(,)?) => { [$($crate::db::Value::from($value)),+] };
}

macro_rules! from_integers {
    ($($kind:ty),+) => { $(
        impl From<$kind> for Value {
            fn from(value: $kind) -> Value {
                Value::Int(i64::from(value))
            }
        }
    )+ };
}
from_integers!(i64, i32, i16, i8, u32, u16, u8);

/// Values above `i64::MAX` are kept as `i64::MAX`: no counter of ours comes near, and wrapping
/// would turn a huge number into a negative one.
impl From<u64> for Value {
    fn from(value: u64) -> Value {
        Value::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

/// See `From<u64>`.
impl From<usize> for Value {
    fn from(value: usize) -> Value {
        Value::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::Text(value)
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Value {
        Value::Text(value.clone())
    }
}

impl From<std::borrow::Cow<'_, str>> for Value {
    fn from(value: std::borrow::Cow<'_, str>) -> Value {
        Value::Text(value.into_owned())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Value {
        Value::Blob(value)
    }
}

impl From<&Vec<u8>> for Value {
    fn from(value: &Vec<u8>) -> Value {
        Value::Blob(value.clone())
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Value {
        Value::Blob(value.to_vec())
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(value: [u8; N]) -> Value {
        Value::Blob(value.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(value: &[u8; N]) -> Value {
        Value::Blob(value.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

impl<T: Clone + Into<Value>> From<&Option<T>> for Value {
    fn from(value: &Option<T>) -> Value {
        value.clone().map_or(Value::Null, Into::into)
    }
}

impl From<&Value> for Value {
    fn from(value: &Value) -> Value {
        value.clone()
    }
}

/// A type that a column can be read as.
pub trait FromValue: Sized {
    /// What the reader hoped for, in error messages.
    const WANTED: &'static str;

    /// `None` when the value is of another kind or out of range.
    fn from_value(value: &Value) -> Option<Self>;
}

macro_rules! into_integers {
    ($($kind:ty),+) => { $(
        impl FromValue for $kind {
            const WANTED: &'static str = stringify!($kind);

            fn from_value(value: &Value) -> Option<$kind> {
                match value {
                    Value::Int(number) | Value::Beyond(number) => <$kind>::try_from(*number).ok(),
                    Value::Bool(truth) => Some(<$kind>::from(*truth)),
                    Value::Null | Value::Text(_) | Value::Blob(_) => None,
                }
            }
        }
    )+ };
}
into_integers!(i64, i32, i16, u64, u32, u16, u8, usize);

impl FromValue for bool {
    const WANTED: &'static str = "bool";

    fn from_value(value: &Value) -> Option<bool> {
        match value {
            Value::Bool(truth) => Some(*truth),
            Value::Int(0) => Some(false),
            Value::Int(1) => Some(true),
            Value::Int(_) | Value::Beyond(_) | Value::Null | Value::Text(_) | Value::Blob(_) => None,
        }
    }
}

impl FromValue for String {
    const WANTED: &'static str = "text";

    fn from_value(value: &Value) -> Option<String> {
        match value {
            Value::Text(text) => Some(text.clone()),
            Value::Null | Value::Int(_) | Value::Beyond(_) | Value::Bool(_) | Value::Blob(_) => None,
        }
    }
}

impl FromValue for Vec<u8> {
    const WANTED: &'static str = "blob";

    fn from_value(value: &Value) -> Option<Vec<u8>> {
        match value {
            Value::Blob(bytes) => Some(bytes.clone()),
            Value::Null | Value::Int(_) | Value::Beyond(_) | Value::Bool(_) | Value::Text(_) => None,
        }
    }
}

impl FromValue for Value {
    const WANTED: &'static str = "value";

    fn from_value(value: &Value) -> Option<Value> {
        Some(value.clone())
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const WANTED: &'static str = T::WANTED;

    fn from_value(value: &Value) -> Option<Option<T>> {
        match value {
            Value::Null => Some(None),
            other => T::from_value(other).map(Some),
        }
    }
}

/// One row of an answer, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    values: Vec<Value>,
}

impl Row {
    pub(crate) fn new(values: Vec<Value>) -> Row {
        Row { values }
    }

    /// The column at `index`, counted from 0.
    ///
    /// # Errors
    /// `Error::Column` when there is no such column, or it holds something else.
    pub fn get<T: FromValue>(&self, index: usize) -> Result<T, Error> {
        let value = self.value(index, T::WANTED)?;
        T::from_value(value).ok_or_else(|| wrong(index, T::WANTED, value.kind()))
    }

    /// A text column, borrowed.
    ///
    /// # Errors
    /// As `get`; a null is not a text.
    pub fn text(&self, index: usize) -> Result<&str, Error> {
        match self.value(index, "text")? {
            Value::Text(text) => Ok(text),
            other => Err(wrong(index, "text", other.kind())),
        }
    }

    /// The column moved out, a null left in its place: for rows read in large numbers.
    ///
    /// # Errors
    /// `Error::Column` when there is no such column.
    pub fn take(&mut self, index: usize) -> Result<Value, Error> {
        match self.values.get_mut(index) {
            Some(value) => Ok(std::mem::replace(value, Value::Null)),
            None => Err(wrong(index, "value", "no such column")),
        }
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn value(&self, index: usize, wanted: &'static str) -> Result<&Value, Error> {
        self.values.get(index).ok_or_else(|| wrong(index, wanted, "no such column"))
    }
}

fn wrong(index: usize, wanted: &'static str, found: &'static str) -> Error {
    Error::Column { index, wanted, found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_read_as_what_they_hold() {
        let row =
            Row::new(vec![Value::Int(1), Value::Bool(true), Value::Text("ali".into()), Value::Null, Value::Int(-1)]);
        assert_eq!(row.get::<i64>(0), Ok(1));
        assert_eq!(row.get::<bool>(0), Ok(true));
        assert_eq!(row.get::<bool>(1), Ok(true));
        assert_eq!(row.get::<i64>(1), Ok(1));
        assert_eq!(row.text(2), Ok("ali"));
        assert_eq!(row.get::<Option<String>>(3), Ok(None));
        assert!(row.get::<String>(3).is_err());
        assert!(row.get::<u32>(4).is_err());
        assert!(row.get::<bool>(4).is_err());
        assert!(row.get::<i64>(5).is_err());
    }

    #[test]
    fn parameters_come_from_what_we_have() {
        let blob: &[u8] = &[1, 2];
        assert_eq!(
            params![1_i64, true, "a", None::<i64>, Some("b"), blob, u64::MAX],
            [
                Value::Int(1),
                Value::Bool(true),
                Value::Text("a".into()),
                Value::Null,
                Value::Text("b".into()),
                Value::Blob(vec![1, 2]),
                Value::Int(i64::MAX),
            ]
        );
    }
}
