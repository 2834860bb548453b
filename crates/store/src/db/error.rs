//! What can go wrong between a statement and the database, the same words for both engines.

/// Cheap to clone: one failure may have several callers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `what` names the columns, `service.isp_id, service.username`, or for an index over an
    /// expression the index, `index 'service_username'`: the same text on both engines.
    #[error("already exists: {what}")]
    Unique { what: String },

    /// A row that is referred to is missing, or one that is still referred to was to go.
    #[error("a row refers to one that is not there")]
    ForeignKey,

    /// A `check` or `not null` of the table said no.
    #[error("refused by the table: {what}")]
    Check { what: String },

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
    /// Whether a unique key over this column (`table.column`) was violated.
    pub fn is_unique(&self, column: &str) -> bool {
        match self {
            Error::Unique { what } => what.split(", ").any(|name| name == column),
            Error::ForeignKey
            | Error::Check { .. }
            | Error::Busy(_)
            | Error::Unavailable(_)
            | Error::Column { .. }
            | Error::TimedOut
            | Error::Other(_) => false,
        }
    }
}
