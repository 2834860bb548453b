//! Requests under way: sent, answered, repeated, given up.

use std::collections::HashMap;

use domain::Instant;
use radius::client::Signed;

use super::{Due, Nas, Out, Phase, Port, seconds};

/// Seconds of silence before a request is repeated; then the router gives up.
pub(super) const PATIENCE_S: [f64; 4] = [2.0, 4.0, 8.0, 16.0];

/// Requests under way, by identifier.
#[derive(Default)]
pub(super) struct Requests {
    pub(super) waiting: HashMap<u8, Waiting>,
    next: u8,
}

pub(super) struct Waiting {
    pub(super) signed: Signed,
    pub(super) line: Option<usize>,
    pub(super) sent: usize,
    pub(super) due: Instant,
    /// What a right MS-CHAPv2 answer must hold.
    pub(super) expects: Option<[u8; 42]>,
    pub(super) session: String,
}

impl Requests {
    /// An identifier nobody waits under.
    pub(super) fn free(&mut self) -> Option<u8> {
        for _ in 0..=255 {
            self.next = self.next.wrapping_add(1);
            if !self.waiting.contains_key(&self.next) {
                return Some(self.next);
            }
        }
        None
    }
}

impl Nas {
    /// A datagram from the server. What does not verify is passed over.
    pub fn answered(&mut self, now: Instant, port: Port, datagram: &[u8], out: &mut Out) {
        let requests = match port {
            Port::Auth => &mut self.auth,
            Port::Acct => &mut self.acct,
        };
        let Some(id) = datagram.get(1).copied() else { return };
        let Some(waiting) = requests.waiting.get(&id) else { return };
        let Ok(packet) = waiting.signed.verify(datagram, &self.config.secret) else { return };
        let Some(waiting) = requests.waiting.remove(&id) else { return };
        let due = match port {
            Port::Auth => Due::Auth(id),
            Port::Acct => Due::Acct(id),
        };
        self.agenda.remove(&(waiting.due, due));
        if let (Port::Auth, Some(line)) = (port, waiting.line) {
            self.login_answered(line, &waiting, &packet, now, out);
        }
    }

    pub(super) fn send(
        &mut self,
        port: Port,
        id: u8,
        line: Option<usize>,
        signed: Signed,
        expects: Option<[u8; 42]>,
        session: String,
        now: Instant,
        out: &mut Out,
    ) {
        out.push((port, signed.bytes().to_vec()));
        let due = now.plus(seconds(PATIENCE_S[0]));
        let waiting = Waiting { signed, line, sent: 1, due, expects, session };
        match port {
            Port::Auth => {
                self.agenda.insert((due, Due::Auth(id)));
                self.auth.waiting.insert(id, waiting);
            }
            Port::Acct => {
                self.agenda.insert((due, Due::Acct(id)));
                self.acct.waiting.insert(id, waiting);
            }
        }
    }

    /// The same bytes again, or the end of patience.
    pub(super) fn repeat(&mut self, port: Port, id: u8, now: Instant, out: &mut Out) {
        let (requests, due) = match port {
            Port::Auth => (&mut self.auth, Due::Auth(id)),
            Port::Acct => (&mut self.acct, Due::Acct(id)),
        };
        let Some(waiting) = requests.waiting.get_mut(&id) else { return };
        if let Some(patience_s) = PATIENCE_S.get(waiting.sent) {
            waiting.sent += 1;
            waiting.due = now.plus(seconds(*patience_s));
            out.push((port, waiting.signed.bytes().to_vec()));
            self.agenda.insert((waiting.due, due));
            return;
        }
        self.counts.unanswered += 1;
        let line = requests.waiting.remove(&id).and_then(|waiting| waiting.line);
        if let (Port::Auth, Some(line)) = (port, line) {
            self.phases[line] = Phase::Off;
            let again_s = self.chance.between(5.0, 30.0);
            self.later(line, now, again_s);
        }
    }
}
