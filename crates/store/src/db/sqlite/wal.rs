//! The write-ahead log kept short, by a thread beside the writer.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

/// Pages (4 KiB) of WAL after which they are copied into the database in the background…
const CHECKPOINT_PAGES: u32 = 1_000;
/// …and beyond which the writer itself copies the rest, so that the WAL can start over.
pub(super) const WAL_LIMIT_PAGES: u32 = 16_384;
/// Without a commit for this long, the WAL is emptied and cut to nothing.
pub(super) const IDLE: Duration = Duration::from_secs(2);

const BETWEEN_CHECKPOINTS: Duration = Duration::from_millis(20);

/// The write-ahead log's length, as the writer tells it to the checkpointer.
#[derive(Default)]
pub(super) struct Wal {
    state: Mutex<WalState>,
    grown: Condvar,
}

#[derive(Default)]
struct WalState {
    /// In the log after the last commit.
    pages: u32,
    /// Of those, copied into the database already.
    copied: u32,
    commits: u64,
    /// How long it was when the writer last helped.
    helped_at: u32,
    closed: bool,
}

impl Wal {
    /// After a commit.
    pub(super) fn has(&self, pages: u32) {
        let mut state = self.state.lock();
        if pages < state.pages {
            state.copied = 0;
        }
        state.pages = pages;
        state.commits += 1;
        if Wal::backlog(&state) >= CHECKPOINT_PAGES {
            self.grown.notify_one();
        }
    }

    pub(super) fn copied(&self, pages: Option<u32>) {
        let mut state = self.state.lock();
        if let Some(pages) = pages {
            state.copied = pages;
        }
    }

    /// Says so once for every thousand pages: a reader may hold on to the old ones.
    pub(super) fn is_over_limit(&self) -> bool {
        let mut state = self.state.lock();
        let next = if state.pages < state.helped_at { 0 } else { state.helped_at + CHECKPOINT_PAGES };
        let over = state.pages >= next.max(WAL_LIMIT_PAGES);
        if over {
            state.helped_at = state.pages;
        }
        over
    }

    fn backlog(state: &WalState) -> u32 {
        state.pages.saturating_sub(state.copied)
    }

    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.grown.notify_all();
    }

    /// The checkpointer's life.
    pub(super) fn keep_short(&self, connection: &Connection) {
        let mut seen = 0;
        loop {
            let mode = {
                let mut state = self.state.lock();
                if state.closed {
                    return;
                }
                if Wal::backlog(&state) < CHECKPOINT_PAGES {
                    self.grown.wait_for(&mut state, IDLE);
                }
                let backlog = Wal::backlog(&state);
                let idle = state.commits == seen;
                seen = state.commits;
                match (state.closed, backlog >= CHECKPOINT_PAGES, idle && state.pages > 0) {
                    (true, ..) => return,
                    (_, true, _) => "passive",
                    (_, _, true) => "truncate",
                    (_, _, false) => continue,
                }
            };
            let copied = checkpoint(connection, mode);
            self.copied(copied);
            if mode == "truncate" && copied.is_some() {
                self.state.lock().pages = 0;
            }
            // A reader may hold the log, and then nothing more can be copied for now.
            std::thread::sleep(BETWEEN_CHECKPOINTS);
        }
    }
}

/// How many pages of the log are in the database afterwards; `None` if it could not be done.
pub(super) fn checkpoint(connection: &Connection, mode: &str) -> Option<u32> {
    let done = connection.query_row(&format!("pragma wal_checkpoint({mode})"), [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(2)?))
    });
    match done {
        Ok((0, copied)) => u32::try_from(copied).ok(),
        Ok(_) => None,
        Err(error) => {
            tracing::warn!(%error, mode, "checkpoint");
            None
        }
    }
}
