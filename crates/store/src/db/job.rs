//! A transaction on its way: the body, its outcome, and whoever waits for it.

use super::{Error, Tx};
use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use tokio::sync::oneshot;

/// A body with its types hidden, so that bodies of all kinds stand in one queue.
pub(super) trait Job: Send {
    /// Runs the body once and keeps its outcome; whether that was `Ok`.
    fn attempt<'a>(&'a mut self, tx: &'a Tx) -> Attempt<'a>;

    /// Nobody waits any more.
    fn is_abandoned(&self) -> bool;

    /// Answers: with the outcome kept, or with `refused`.
    fn finish(self: Box<Self>, refused: Option<Error>);
}

pub(super) type Attempt<'a> = Pin<Box<dyn Future<Output = bool> + 'a>>;

struct Work<T, E, F> {
    body: F,
    outcome: Option<Result<T, E>>,
    /// Where its statements are counted.
    statements: Arc<AtomicU64>,
    answer: oneshot::Sender<Result<T, E>>,
}

/// A body on its way to a queue, and the future of its answer.
pub(super) fn job<T, E, F>(body: F, statements: Arc<AtomicU64>) -> (Box<dyn Job>, impl Future<Output = Result<T, E>>)
where
    F: AsyncFn(&Tx) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let (answer, waiting) = oneshot::channel();
    let job = Box::new(Work { body, outcome: None, statements, answer });
    let answer = async {
        waiting
            .await
            .unwrap_or_else(|_| Err(Error::Unavailable("the connection ended before it answered".into()).into()))
    };
    (job, answer)
}

impl<T, E, F> Job for Work<T, E, F>
where
    F: AsyncFn(&Tx) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    fn attempt<'a>(&'a mut self, tx: &'a Tx) -> Attempt<'a> {
        let Work { body, outcome, statements, .. } = self;
        Box::pin(async move {
            let result = body(tx).await;
            statements.fetch_add(tx.count.get(), Ordering::Relaxed);
            let fine = result.is_ok();
            *outcome = Some(result);
            fine
        })
    }

    fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    fn finish(self: Box<Self>, refused: Option<Error>) {
        let result = match (refused, self.outcome) {
            (Some(error), _) => Err(error.into()),
            (None, Some(outcome)) => outcome,
            (None, None) => Err(Error::Other("the transaction's body never ran".into()).into()),
        };
        // Whoever asked may have left meanwhile.
        let _ = self.answer.send(result);
    }
}

/// Polls an attempt, turning a panic of the body into an error.
pub(super) fn poll_caught(attempt: &mut Attempt<'_>, cx: &mut Context<'_>) -> Poll<Result<bool, Error>> {
    match catch_unwind(AssertUnwindSafe(|| attempt.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panicked(&*panic))),
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let what = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    tracing::error!(what, "a transaction's body panicked");
    Error::Other(format!("a transaction's body panicked: {what}"))
}
