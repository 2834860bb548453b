//! Answers held back: a heap by due time, bounded, in the thread that will send them. Nothing blocks meanwhile.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;

use super::socket::Local;
use crate::cache::Key;

/// A signed answer that is not to leave yet.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    pub due_ms: u64,
    order: u64,
    pub answer: Box<[u8]>,
    pub authenticator: [u8; 16],
    pub target: SocketAddr,
}

pub struct Delayed {
    heap: BinaryHeap<Reverse<Held>>,
    /// What does not take part in the order.
    context: hashbrown::HashMap<u64, (Key, Option<Local>)>,
    limit: usize,
    next: u64,
}

impl Delayed {
    pub fn new(limit: usize) -> Delayed {
        Delayed { heap: BinaryHeap::new(), context: Default::default(), limit, next: 0 }
    }

    pub fn is_full(&self) -> bool {
        self.heap.len() >= self.limit
    }

    pub fn hold(
        &mut self,
        due_ms: u64,
        answer: &[u8],
        key: Key,
        authenticator: [u8; 16],
        target: SocketAddr,
        local: Option<Local>,
    ) {
        self.next += 1;
        self.context.insert(self.next, (key, local));
        self.heap.push(Reverse(Held { due_ms, order: self.next, answer: answer.into(), authenticator, target }));
    }

    /// Milliseconds until the next one is due.
    pub fn wait_ms(&self, now_ms: u64) -> Option<u64> {
        self.heap.peek().map(|held| held.0.due_ms.saturating_sub(now_ms))
    }

    pub fn due(&mut self, now_ms: u64) -> Option<(Held, Key, Option<Local>)> {
        if self.heap.peek()?.0.due_ms > now_ms {
            return None;
        }
        let held = self.heap.pop()?.0;
        let (key, local) = self.context.remove(&held.order)?;
        Some((held, key, local))
    }
}
