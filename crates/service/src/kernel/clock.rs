//! The clock is a value: real in production, moved by hand in tests and simulation.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use domain::Instant;

#[derive(Clone, Debug)]
pub enum Clock {
    System,
    /// Microseconds since the epoch, moved by whoever holds it.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    pub fn manual(start: Instant) -> Clock {
        Clock::Manual(Arc::new(AtomicI64::new(start.0)))
    }

    pub fn now(&self) -> Instant {
        match self {
            Clock::System => Instant::from_timestamp(jiff::Timestamp::now()),
            Clock::Manual(at) => Instant(at.load(Ordering::Relaxed)),
        }
    }

    /// Moves a manual clock; a real one goes its own way.
    pub fn pass(&self, micros: i64) {
        match self {
            Clock::System => {}
            Clock::Manual(at) => {
                at.fetch_add(micros, Ordering::Relaxed);
            }
        }
    }
}
