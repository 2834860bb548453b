//! What can go wrong between a statement and the database, the same words for both engines.

use super::keys::Key;

/// Cheap to clone: one failure may have several callers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Somebody else has this key already.
    #[error("already exists: {}", .0.columns())]
    Taken(Key),

    /// A primary key, or one that is not of the schema. `what` names the columns, `service.isp_id, service.id`, or for an
    /// index over an expression the index, `index 'service_username'`: the same text on both engines.
    #[error("already exists: {what}")]
    Unique { what: String },

    /// A row that is referred to is missing, or one that is still referred to was to go.
    #[error("a row refers to one that is not there")]
    ForeignKey,

    /// A `check` or `not null` of the table said no.
    #[error("refused by the table: {what}")]
    Check { what: String },

    /// A moment or an amount that no row may have was to be written.
    #[error("a moment or an amount beyond what is kept")]
    Beyond,

    /// Too much waits already, or a transaction kept colliding with others. Nothing was written;
    /// the same call may succeed later.
    #[error("the database is busy: {0}")]
    Busy(String),

    /// The database is away or closed. When the connection broke during a commit, it is unknown
    /// whether the transaction was written; the message says so.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),

    /// A column was read that the row does not have, or as a type that it does not hold.
    #[error("column {index}: wanted {wanted}, found {found}")]
    Column { index: usize, wanted: &'static str, found: &'static str },

    /// A statement or a read ran into its time limit and was stopped.
    #[error("stopped after its time limit")]
    TimedOut,

    /// Anything else: a statement that does not parse, a full disk, a panic in a transaction's body.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// A unique key was violated, told as both engines tell it.
    pub(super) fn unique(what: String) -> Error {
        match Key::over(&what) {
            Some(key) => Error::Taken(key),
            None => Error::Unique { what },
        }
    }
}
