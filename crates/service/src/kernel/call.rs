//! One call from outside is one change: what it does is done whole or not at all.
//!
//! A door runs every call within [`watch`], which counts the changes that the call commits; a second one could be refused
//! after the first has been written. Calls whose document makes them many (a list of recharges, each with its own answer)
//! run every item within [`item`].

use std::{
    cell::Cell,
    future::Future,
    sync::atomic::{AtomicBool, Ordering},
};

tokio::task_local! {
    static CHANGES: Cell<u32>;
}

/// Runs a call; what it answered, and how many changes it has committed.
pub async fn watch<F: Future>(call: F) -> (F::Output, u32) {
    CHANGES
        .scope(Cell::new(0), async {
            let answer = call.await;
            (answer, CHANGES.with(Cell::get))
        })
        .await
}

/// Runs one item of a call that has many, each done or refused by itself.
pub async fn item<F: Future>(one: F) -> F::Output {
    let (answer, changes) = watch(one).await;
    debug_assert!(changes <= 1, "an item was changed in {changes} parts");
    answer
}

/// Counts for this call what was committed where the call was worked on apart from it.
pub fn count(changes: u32) {
    // Background work is no call.
    let _ = CHANGES.try_with(|count| count.set(count.get() + changes));
}

/// A change was committed.
pub(super) fn committed() {
    count(1);
}

/// Lets changes fail in their last part, for those who look whether anything stayed.
#[derive(Default, Debug)]
pub struct Broken(AtomicBool);

impl Broken {
    /// From now on every change fails where it would have been committed, or none does.
    pub fn set(&self, is_broken: bool) {
        self.0.store(is_broken, Ordering::SeqCst);
    }

    pub(super) fn is(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
