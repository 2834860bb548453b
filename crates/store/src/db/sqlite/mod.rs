//! SQLite: one writer thread with group commit, reader threads, checkpoints beside them.
//!
//! WAL with `synchronous = full`: what was answered survives `kill -9` and power loss. No `mmap`:
//! it makes an I/O error a SIGBUS and counts in the memory of the process.

mod connection;
mod readers;
mod wal;
mod writer;

pub(super) use connection::Session;

use std::{
    path::PathBuf,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};

use self::{
    connection::{Handle, open_connection, translate},
    readers::{Readers, read_all},
    wal::Wal,
    writer::Writer,
};
use super::{
    Class, Error, Tx,
    job::{Job, poll_caught},
    queue::{Item, Queue},
    turns::Turns,
};

/// Page caches, in KiB. The writer touches the accounting rows of everybody who is online.
const WRITER_CACHE_KIB: u32 = 16 * 1024;
const READER_CACHE_KIB: u32 = 4 * 1024;

pub(super) struct Sqlite {
    queue: Arc<Queue>,
    /// `None` in memory, where reads take their turn on the writer's connection.
    readers: Option<Arc<Readers>>,
    wal: Option<Arc<Wal>>,
    /// Yields `None` when the last thread has let go of its connection.
    ended: tokio::sync::Mutex<mpsc::Receiver<()>>,
}

impl Sqlite {
    pub(super) async fn open(path: Option<PathBuf>, turns: Arc<Turns>) -> Result<Sqlite, Error> {
        let queue = Arc::new(Queue::default());
        let wal = path.as_ref().map(|_| Arc::new(Wal::default()));
        let (alive, ended) = mpsc::channel(1);

        let (opened, open) = oneshot::channel();
        {
            let (queue, wal, path) = (queue.clone(), wal.clone(), path.clone());
            spawn("db-writer", alive.clone(), move || match Writer::open(path, queue, wal, turns) {
                Ok(writer) => {
                    let _ = opened.send(Ok(()));
                    writer.work();
                }
                Err(error) => {
                    let _ = opened.send(Err(error));
                }
            })?;
        }
        open.await.unwrap_or_else(|_| Err(Error::Other("the writer thread ended".into())))?;

        let mut readers = None;
        if let (Some(path), Some(wal)) = (path, wal.clone()) {
            let shared = Arc::new(Readers::default());
            let cores = std::thread::available_parallelism().map_or(2, usize::from);
            for _ in 0..cores.clamp(2, 4) {
                let reader = open_connection(Some(&path), READER_CACHE_KIB)?;
                reader.connection.pragma_update(None, "query_only", true).map_err(translate)?;
                let shared = shared.clone();
                spawn("db-reader", alive.clone(), move || read_all(reader, &shared))?;
            }
            let checkpointer = open_connection(Some(&path), READER_CACHE_KIB)?;
            checkpointer.connection.busy_timeout(Duration::from_millis(50)).map_err(translate)?;
            spawn("db-checkpoint", alive, move || wal.keep_short(&checkpointer.connection))?;
            readers = Some(shared);
        }
        Ok(Sqlite { queue, readers, wal, ended: tokio::sync::Mutex::new(ended) })
    }

    pub(super) fn write(&self, class: Class, job: Box<dyn Job>) {
        self.queue.push(class, Item { job, read_only: false });
    }

    pub(super) fn read(&self, job: Box<dyn Job>) {
        match &self.readers {
            Some(readers) => readers.push(job),
            None => self.queue.push(Class::Interactive, Item { job, read_only: true }),
        }
    }

    pub(super) async fn close(&self) {
        self.let_go();
        self.ended.lock().await.recv().await;
    }

    fn let_go(&self) {
        self.queue.close();
        if let Some(readers) = &self.readers {
            readers.close();
        }
        if let Some(wal) = &self.wal {
            wal.close();
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.let_go();
    }
}

fn spawn(name: &str, alive: mpsc::Sender<()>, work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let thread = std::thread::Builder::new().name(name.into()).spawn(move || {
        work();
        drop(alive);
    });
    thread.map(drop).map_err(|e| Error::Other(format!("cannot start the thread {name}: {e}")))
}

/// Polls the body once: its queries complete inline, so it is ready or it waits for something
/// that it must not wait for. `Ok(false)` when the body said no.
fn run_body(item: &mut Item, handle: &Rc<Handle>, limit: Duration) -> Result<bool, Error> {
    let session = Session { handle: handle.clone(), read_only: item.read_only };
    let tx = Tx::new(super::Session::Sqlite(session), limit);
    handle.limit(Some(limit));
    let polled = {
        let mut attempt = item.job.attempt(&tx);
        poll_caught(&mut attempt, &mut Context::from_waker(Waker::noop()))
    };
    handle.limit(None);
    match polled {
        Poll::Pending => {
            tracing::error!("a transaction's body awaited something other than its transaction");
            Err(Error::Other("a transaction's body awaited something other than its transaction".into()))
        }
        Poll::Ready(Err(panic)) => Err(panic),
        Poll::Ready(Ok(false)) => Ok(false),
        Poll::Ready(Ok(true)) => match tx.failure() {
            None => Ok(true),
            Some(swallowed) => Err(swallowed),
        },
    }
}
