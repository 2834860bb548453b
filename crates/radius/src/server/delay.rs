//! Answers held back: a heap by due time, bounded in all and for each client, in the thread that will send them. Nothing
//! blocks meanwhile.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;

use hashbrown::HashMap;

use super::Held as Limits;
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

/// What does not take part in the order.
pub struct Context {
    pub client: u64,
    pub key: Key,
    pub local: Option<Local>,
}

pub struct Delayed {
    heap: BinaryHeap<Reverse<Held>>,
    context: HashMap<u64, Context>,
    /// How many are held of each client; none of it, none here.
    of_client: HashMap<u64, usize>,
    limits: Limits,
    next: u64,
}

impl Delayed {
    pub fn new(limits: Limits) -> Delayed {
        Delayed { heap: BinaryHeap::new(), context: HashMap::default(), of_client: HashMap::default(), limits, next: 0 }
    }

    /// Whether one more of this client may be held.
    pub fn has_room(&self, client: u64) -> bool {
        let of_client = self.of_client.get(&client).copied().unwrap_or(0);
        self.heap.len() < self.limits.in_all && of_client < self.limits.per_client
    }

    pub fn hold(&mut self, due_ms: u64, answer: &[u8], authenticator: [u8; 16], target: SocketAddr, context: Context) {
        self.next += 1;
        *self.of_client.entry(context.client).or_default() += 1;
        self.context.insert(self.next, context);
        self.heap.push(Reverse(Held { due_ms, order: self.next, answer: answer.into(), authenticator, target }));
    }

    /// Milliseconds until the next one is due.
    pub fn wait_ms(&self, now_ms: u64) -> Option<u64> {
        self.heap.peek().map(|held| held.0.due_ms.saturating_sub(now_ms))
    }

    pub fn due(&mut self, now_ms: u64) -> Option<(Held, Context)> {
        if self.heap.peek()?.0.due_ms > now_ms {
            return None;
        }
        let held = self.heap.pop()?.0;
        let context = self.context.remove(&held.order)?;
        if let Some(count) = self.of_client.get_mut(&context.client) {
            *count -= 1;
            if *count == 0 {
                self.of_client.remove(&context.client);
            }
        }
        Some((held, context))
    }
}
