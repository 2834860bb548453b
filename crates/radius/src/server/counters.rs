//! What the server did with every datagram, by reason. One set per thread, so threads do not share cache lines;
//! [`Snapshot`] is the sum, in the order /metrics lists them.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// One thread's counters.
        #[derive(Default)]
        #[repr(align(128))]
        pub struct Counters { $($(#[$doc])* pub $name: Counter),* }

        /// Sums at one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Snapshot { $($(#[$doc])* pub $name: u64),* }

        impl Snapshot {
            pub fn add(&mut self, counters: &Counters) {
                $(self.$name += counters.$name.get();)*
            }

            /// Name and value, in order.
            pub fn rows(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name)),*]
            }
        }
    };
}

counters! {
    /// Datagrams taken from the socket.
    received,
    /// Answers handed to the kernel, repetitions included.
    answered,
    accepts,
    rejects,
    challenges,
    status,
    /// Repetitions answered from the cache.
    duplicates,
    /// Repetitions of a request that is still being worked on.
    duplicates_in_progress,
    /// The handler chose not to answer.
    silent,
    /// Answers held back so far, and those of them that have left.
    held,
    held_released,
    /// Answers that were to be held back and left at once, because as many as may be were held already.
    held_full,
    /// Not from a router we know.
    unknown_client,
    /// The Request Authenticator of an Accounting-Request is wrong: usually the secret.
    bad_authenticator,
    /// The Message-Authenticator is wrong: usually the secret.
    bad_message_authenticator,
    missing_message_authenticator,
    malformed,
    /// A code this port does not serve.
    unknown_code,
    /// Waited longer than its NAS does.
    too_old,
    /// Oldest waiting accounting requests dropped because the queue was full.
    queue_full,
    /// The answer did not fit into a packet.
    overflow,
    /// The handler panicked; its request got no answer, the thread went on.
    panics,
    /// The kernel refused to send.
    send_failed,
}

#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn one(&self) {
        self.many(1);
    }

    pub fn many(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
