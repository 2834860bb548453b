//! The feed of what happened, for readers that follow it by its numbers.

use store::kernel::event;

pub use store::kernel::event::{Event, Filter};

use crate::{Actor, App, Error};

/// A piece of the feed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// The oldest first.
    pub events: Vec<Event>,
    /// From where the next piece is read.
    pub next_after: i64,
    /// The number of the newest event there is.
    pub head: i64,
}

/// What happened after `seq`. What is numbered below `head` is all committed: nothing comes in between later.
pub async fn after(app: &App, actor: &Actor, filter: Filter, seq: i64, limit: i64) -> Result<Piece, Error> {
    actor.sees_all()?;
    let isp = actor.isp;
    app.db
        .read(async move |tx| {
            let heads = event::heads(tx).await?;
            let head = heads.into_iter().find(|(known, _)| *known == isp).map_or(0, |(_, head)| head);
            let events = event::matching(tx, isp, &filter, seq, limit).await?;
            // A piece that is not full has seen everything up to the head.
            let next_after = match events.last() {
                Some(last) if events.len() as i64 == limit => last.seq,
                Some(_) | None => head.max(seq),
            };
            Ok(Piece { events, next_after, head })
        })
        .await
}
