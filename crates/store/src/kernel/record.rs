//! Rows as structs: `record!` writes the column list, the reader and the writer of a table once.

use domain::*;

use crate::db::{Error, FromValue, Value};

macro_rules! id_values {
    ($($id:ident),*) => { $(
        impl From<$id> for Value {
            fn from(id: $id) -> Value {
                Value::Int(id.0)
            }
        }
        impl FromValue for $id {
            const WANTED: &'static str = stringify!($id);
            fn from_value(value: &Value) -> Option<$id> {
                i64::from_value(value).map($id)
            }
        }
    )* };
}

id_values!(
    IspId,
    BranchId,
    StaffId,
    ApiClientId,
    CustomerId,
    ServiceId,
    PlanId,
    BandwidthId,
    FupTemplateId,
    PoolId,
    RouterId,
    SessionId,
    PeriodId,
    InvoiceId,
    PaymentId,
    JobId
);

/// What has bounds goes in marked where it is beyond them.
macro_rules! bounded_values {
    ($($kind:ident by $is_kept:ident),*) => { $(
        impl From<$kind> for Value {
            fn from(value: $kind) -> Value {
                if value.$is_kept() { Value::Int(value.0) } else { Value::Beyond(value.0) }
            }
        }
        impl FromValue for $kind {
            const WANTED: &'static str = stringify!($kind);
            fn from_value(value: &Value) -> Option<$kind> {
                i64::from_value(value).map($kind)
            }
        }
    )* };
}

bounded_values!(Instant by is_kept, Money by is_exact);

/// Enums kept as words.
macro_rules! word_values {
    ($($kind:ty),*) => { $(
        impl From<$kind> for Value {
            fn from(value: $kind) -> Value {
                Value::Text(value.word().to_string())
            }
        }
        impl FromValue for $kind {
            const WANTED: &'static str = stringify!($kind);
            fn from_value(value: &Value) -> Option<$kind> {
                <$kind>::from_word(&String::from_value(value)?)
            }
        }
    )* };
}

word_values!(
    Kind,
    Connection,
    Status,
    domain::billing::bill::BillStatus,
    ExpiryAction,
    domain::access::decide::Reason,
    domain::kernel::event::EventKind,
    domain::catalogue::fup::Measure
);

/// Joins texts at compile time: a select list and a condition become one statement.
pub const fn joined<const N: usize>(parts: &[&str]) -> [u8; N] {
    let mut out = [0; N];
    let (mut at, mut part) = (0, 0);
    while part < parts.len() {
        let bytes = parts[part].as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            out[at] = bytes[i];
            at += 1;
            i += 1;
        }
        part += 1;
    }
    out
}

/// `concat!` for constants.
macro_rules! text {
    ($($part:expr),+ $(,)?) => {{
        const LENGTH: usize = 0 $(+ $part.len())+;
        const BYTES: [u8; LENGTH] = $crate::kernel::record::joined(&[$($part),+]);
        match ::core::str::from_utf8(&BYTES) {
            Ok(text) => text,
            Err(_) => unreachable!(),
        }
    }};
}

/// A struct of a table's columns, in the table's order, with `SELECT` (`select … from table `), `from_row` and `insert`.
/// `kept`: rows go in through the module's own function alone, which keeps other tables in step.
macro_rules! record {
    (kept $name:ident of $table:literal { $($fields:tt)* }) => {
        $crate::kernel::record::record! { @rows [pub(crate)] $name of $table { $($fields)* } }
    };
    ($(#[$meta:meta])* $name:ident of $table:literal { $($fields:tt)* }) => {
        $crate::kernel::record::record! { @rows [pub] $(#[$meta])* $name of $table { $($fields)* } }
        impl $name {
            pub async fn insert(&self, tx: &$crate::db::Tx) -> Result<(), $crate::db::Error> {
                tx.insert_many(Self::INSERT, "", vec![self.values()]).await.map(drop)
            }
        }
    };
    (@rows [$insert:vis] $(#[$meta:meta])* $name:ident of $table:literal {
        $($(#[$doc:meta])* $field:ident: $kind:ty),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub struct $name { $($(#[$doc])* pub $field: $kind),* }

        impl $name {
            pub(crate) const COLUMNS: &'static str = {
                const LIST: &str = concat!($(", t.", stringify!($field)),*);
                LIST.split_at(2).1
            };
            const NAMES: &'static str = {
                const LIST: &str = concat!($(", ", stringify!($field)),*);
                LIST.split_at(2).1
            };
            /// `select … from the table as t `; a condition follows.
            pub const SELECT: &'static str = $crate::kernel::record::text!("select ", $name::COLUMNS, " from ", $table, " t ");
            /// `insert into the table (…)`.
            $insert const INSERT: &'static str = $crate::kernel::record::text!("insert into ", $table, " (", $name::NAMES, ")");

            pub fn from_row(row: &$crate::db::Row) -> Result<$name, $crate::db::Error> {
                let mut column = 0..;
                Ok($name { $($field: row.get(column.next().unwrap_or(usize::MAX))?),* })
            }

            pub fn values(&self) -> Vec<$crate::db::Value> {
                vec![$($crate::db::Value::from(self.$field.clone())),*]
            }
        }
    };
}

pub(crate) use {record, text};

/// Rows as records.
pub fn records<T>(
    rows: Vec<crate::db::Row>,
    read: impl Fn(&crate::db::Row) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    rows.iter().map(read).collect()
}
