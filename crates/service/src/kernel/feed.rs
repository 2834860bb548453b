//! The event feed's local side: a use case returns once this process's directory has applied what it changed.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::IspId;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// A write is answered after at most this long even if the directory lags: the write is durable, RADIUS follows.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone, Default)]
pub struct Feed {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    followed: AtomicBool,
    applied: Mutex<HashMap<IspId, i64>>,
    committed: Notify,
    jobs: Notify,
    progress: Notify,
}

impl Feed {
    /// A follower keeps up from now on; before, nobody waits.
    pub fn follow(&self) {
        self.inner.followed.store(true, Ordering::Release);
    }

    /// A directory keeps up: it is loaded.
    pub fn is_followed(&self) -> bool {
        self.inner.followed.load(Ordering::Acquire)
    }

    /// Something was committed: wakes the follower and the workers.
    pub fn committed(&self) {
        self.inner.committed.notify_one();
        self.inner.jobs.notify_waiters();
    }

    /// The follower waits here for the next commit of this process, or at most `at_most` for those of others.
    pub async fn wait(&self, at_most: Duration) {
        // No timeout is an error here: it is the poll for other nodes.
        let _ = tokio::time::timeout(at_most, self.inner.committed.notified()).await;
    }

    /// A worker waits here for new jobs.
    pub async fn wait_for_jobs(&self, at_most: Duration) {
        let _ = tokio::time::timeout(at_most, self.inner.jobs.notified()).await;
    }

    /// Everything of `isp` up to `seq` is applied.
    pub fn applied(&self, isp: IspId, seq: i64) {
        let mut applied = self.inner.applied.lock();
        let known = applied.entry(isp).or_insert(0);
        *known = seq.max(*known);
        drop(applied);
        self.inner.progress.notify_waiters();
    }

    pub fn applied_up_to(&self, isp: IspId) -> i64 {
        self.inner.applied.lock().get(&isp).copied().unwrap_or(0)
    }

    /// Waits until the directory has applied `seq`.
    pub async fn settle(&self, isp: IspId, seq: i64) {
        if !self.inner.followed.load(Ordering::Acquire) {
            return;
        }
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                let progress = self.inner.progress.notified();
                tokio::pin!(progress);
                progress.as_mut().enable();
                if self.applied_up_to(isp) >= seq {
                    return;
                }
                progress.await;
            }
        });
        if waited.await.is_err() {
            tracing::warn!(isp = isp.0, seq, "the directory lags; answering without it");
        }
    }
}
