//! Whether the program serves: the directory's rows are read, and a row is written, each within a time. Whoever only reads
//! would call a server ready whose writes all wait for one that never ends.

use std::time::Duration;

use domain::IspId;
use store::{db::Class, kernel::counter};

use crate::{App, Error, access::directory};

/// What stands in the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Obstacle {
    /// Nothing is read in time.
    NoReads,
    /// Nothing is written in time.
    NoWrites,
    /// A change computes something that does not end, and holds up every other.
    Held,
}

/// Nothing, where the database reads and writes, each within `patience`.
pub async fn obstacle(app: &App, patience: Duration) -> Option<Obstacle> {
    if app.db.held().overdue {
        return Some(Obstacle::Held);
    }
    match tokio::time::timeout(patience, directory::heads(app)).await {
        Ok(Ok(_)) => {}
        Ok(Err(_)) | Err(_) => return Some(Obstacle::NoReads),
    }
    match tokio::time::timeout(patience, write(app)).await {
        Ok(Ok(())) => None,
        Ok(Err(_)) | Err(_) => Some(Obstacle::NoWrites),
    }
}

/// A row of no meaning, which takes its turn with everybody's.
async fn write(app: &App) -> Result<(), Error> {
    app.db.tx(Class::Interactive, async |tx| Ok(counter::take(tx, IspId(0), "pulse", 1).await.map(drop)?)).await
}
