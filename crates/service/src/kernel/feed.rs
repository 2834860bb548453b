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
use tokio::sync::{Notify, watch};

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
    /// How many changes this process has committed.
    changes: watch::Sender<u64>,
    progress: Notify,
}

/// Commits of this process; none that falls between a look and the wait for the next is missed.
#[derive(Debug)]
pub struct Commits(watch::Receiver<u64>);

impl Commits {
    /// Waits for a commit since the last one waited for, or at most so long for those of other nodes.
    pub async fn next(&mut self, at_most: Duration) {
        // No timeout is an error here, and the feed outlives who waits for it.
        let _ = tokio::time::timeout(at_most, self.0.changed()).await;
    }
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
        self.inner.changes.send_modify(|count| *count += 1);
    }

    /// The follower waits here for the next commit of this process, or at most `at_most` for those of others.
    pub async fn wait(&self, at_most: Duration) {
        // No timeout is an error here: it is the poll for other nodes.
        let _ = tokio::time::timeout(at_most, self.inner.committed.notified()).await;
    }

    /// This process's commits from now on, for who looks at the database again after each.
    pub fn commits(&self) -> Commits {
        Commits(self.inner.changes.subscribe())
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

    /// Waits until the directory has applied `seq`; a write is answered without it when it lags.
    pub async fn settle(&self, isp: IspId, seq: i64) {
        if !self.settled(isp, seq, PATIENCE).await {
            tracing::warn!(isp = isp.0, seq, "the directory lags; answering without it");
        }
    }

    /// Waits until the directory has applied `seq`, at most so long; whether it has, or nobody follows.
    pub async fn settled(&self, isp: IspId, seq: i64, at_most: Duration) -> bool {
        if !self.inner.followed.load(Ordering::Acquire) {
            return true;
        }
        let waited = tokio::time::timeout(at_most, async {
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
        waited.await.is_ok()
    }
}
