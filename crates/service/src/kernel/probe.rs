//! The figures of the RADIUS ports, asked of them by a real Status-Server exchange (RFC 5997). The `aaa` room says how.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, OnceLock},
};

use crate::{Actor, Error};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Port {
    Authentication,
    Accounting,
}

/// An exchange as it went.
#[derive(Clone, Debug)]
pub struct Exchanged {
    pub id: u8,
    pub ours: SocketAddr,
    pub theirs: SocketAddr,
    pub sent_bytes: usize,
    pub received_bytes: usize,
    /// "Access-Accept", "Accounting-Response".
    pub answer: &'static str,
    /// Names and values of the figures in the answer, in its order.
    pub figures: Vec<(&'static str, u32)>,
}

type Asking = Pin<Box<dyn Future<Output = Result<Exchanged, Error>> + Send>>;
type Ask = Box<dyn Fn(Port) -> Asking + Send + Sync>;

#[derive(Clone, Default)]
pub struct Statistics {
    ask: Arc<OnceLock<Ask>>,
}

impl Statistics {
    /// Said once, by whoever opens the ports.
    pub fn are_asked_by(&self, ask: impl Fn(Port) -> Asking + Send + Sync + 'static) {
        // Ports that are opened a second time are another process's or a test's: the first ones are asked.
        let _ = self.ask.set(Box::new(ask));
    }

    /// Asks a port.
    ///
    /// # Errors
    /// `Unavailable` where there are no ports, or they are silent.
    pub async fn of(&self, actor: &Actor, port: Port) -> Result<Exchanged, Error> {
        // They are the whole server's: not for a branch.
        if actor.branch.is_some() {
            return Err(Error::Forbidden);
        }
        match self.ask.get() {
            Some(ask) => ask(port).await,
            None => Err(Error::Unavailable),
        }
    }
}
