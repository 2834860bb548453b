//! What of a line a change was about, where live sessions need to know.

use serde::{Deserialize, Serialize};

/// A subscriber's own attributes that a change is about.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Touched {
    /// The names of those that replies say.
    pub replies: Vec<String>,
    /// Whether what a login must meet has changed.
    pub checks: bool,
}
