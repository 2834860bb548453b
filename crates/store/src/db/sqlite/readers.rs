//! The reader threads: each read is a snapshot of its own, taken by whichever thread is free.

use std::{collections::VecDeque, rc::Rc};

use parking_lot::{Condvar, Mutex};

use super::{
    connection::{Handle, translate},
    run_body,
};
use crate::db::{Error, job::Job, queue::Item, turns};

/// Reads that may wait at once before more are refused.
const READS_WAITING: usize = 4096;

#[derive(Default)]
pub(super) struct Readers {
    state: Mutex<(VecDeque<Box<dyn Job>>, Closed)>,
    filled: Condvar,
}

type Closed = bool;

impl Readers {
    pub(super) fn push(&self, job: Box<dyn Job>) {
        let refusal = {
            let (waiting, closed) = &mut *self.state.lock();
            if *closed {
                Error::Unavailable("the database is closed".into())
            } else if waiting.len() >= READS_WAITING {
                Error::Busy(format!("{READS_WAITING} reads wait already"))
            } else {
                waiting.push_back(job);
                self.filled.notify_one();
                return;
            }
        };
        job.finish(Some(refusal));
    }

    pub(super) fn next(&self) -> Option<Box<dyn Job>> {
        let mut state = self.state.lock();
        loop {
            match state.0.pop_front() {
                Some(job) => return Some(job),
                None if state.1 => return None,
                None => self.filled.wait(&mut state),
            }
        }
    }

    pub(super) fn close(&self) {
        self.state.lock().1 = true;
        self.filled.notify_all();
    }
}

pub(super) fn read_all(handle: Handle, readers: &Readers) {
    let handle = Rc::new(handle);
    while let Some(job) = readers.next() {
        if job.is_abandoned() {
            continue;
        }
        let mut item = Item { job, read_only: true };
        let refused = read_one(&mut item, &handle).err();
        item.job.finish(refused);
    }
}

fn read_one(item: &mut Item, handle: &Rc<Handle>) -> Result<(), Error> {
    let control = |text: &str| {
        let mut statement = handle.connection.prepare_cached(text).map_err(translate)?;
        statement.raw_execute().map(drop).map_err(translate)
    };
    control("begin")?;
    let result = run_body(item, handle, turns::LIMIT);
    if !handle.connection.is_autocommit() {
        control("rollback")?;
    }
    result.map(drop)
}
