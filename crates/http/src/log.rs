//! The log of API requests: kept in memory until it is written, so that no answer waits for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use service::{
    App,
    identity::requests::{self, Asked},
};

/// How often what was asked is written.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// So many wait at most, when the database is away; what comes beyond is counted and lost.
const MAX_WAITING: usize = 20_000;
/// So many go into one transaction.
const AT_ONCE: usize = 1000;

#[derive(Clone, Default)]
pub struct Log {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    waiting: Mutex<Vec<Asked>>,
    lost: AtomicU64,
}

impl Log {
    pub fn put(&self, asked: Asked) {
        let mut waiting = self.inner.waiting.lock();
        if waiting.len() < MAX_WAITING {
            waiting.push(asked);
        } else {
            self.inner.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes what waits. What cannot be written waits on.
    pub async fn write(&self, app: &App) -> Result<(), service::Error> {
        let mut taken = std::mem::take(&mut *self.inner.waiting.lock());
        while !taken.is_empty() {
            let rest = taken.split_off(taken.len().min(AT_ONCE));
            if let Err(error) = requests::record(app, taken.clone()).await {
                let mut waiting = self.inner.waiting.lock();
                taken.extend(rest);
                taken.append(&mut waiting);
                taken.truncate(MAX_WAITING);
                *waiting = taken;
                return Err(error);
            }
            taken = rest;
        }
        Ok(())
    }

    /// Writes every second until `stop`, and once more then.
    pub async fn keep(self, app: App, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let ended = tokio::time::timeout(WRITE_EVERY, &mut stop).await.is_ok();
            if let Err(error) = self.write(&app).await {
                tracing::warn!(%error, "the log of requests stays in memory");
            }
            let lost = self.inner.lost.swap(0, Ordering::Relaxed);
            if lost > 0 {
                tracing::warn!(lost, "requests are missing from the log");
            }
            if ended {
                return;
            }
        }
    }
}
