//! Whether a request without Message-Authenticator is believed: the answer to CVE-2024-3596 ("BlastRADIUS") as
//! draft-ietf-radext-deprecating-radius §5 gives it, decided per router. A pure rule and the cell that remembers.
//!
//! | policy            | no attribute | … with Proxy-State | … with EAP | wrong | valid               |
//! |-------------------|--------------|--------------------|------------|-------|---------------------|
//! | Require           | drop         | drop               | drop       | drop  | believe             |
//! | Learn, not seen   | believe      | drop               | drop       | drop  | believe, and learn  |
//! | Learn, seen       | drop         | drop               | drop       | drop  | believe             |
//! | Legacy            | believe      | believe            | drop       | drop  | believe             |

use std::sync::atomic::{AtomicU8, Ordering};

use crate::attribute::{EAP_MESSAGE, PROXY_STATE};
use crate::authenticator::MessageAuthenticator;
use crate::packet::{Code, Packet};

/// One router's policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Every request must carry it.
    Require,
    /// Not needed until it was `seen` once with a right value; from then on required. Requests with Proxy-State,
    /// which the forgery needs, must always carry it.
    Learn { seen: bool },
    /// For routers that cannot send it. Open to CVE-2024-3596 where the path to the router is not private.
    Legacy,
}

/// What of the request the rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    pub message_authenticator: MessageAuthenticator,
    pub eap: bool,
    pub proxy_state: bool,
    /// RFC 5997 §3: a Status-Server without it must be discarded.
    pub status_server: bool,
}

impl Facts {
    pub fn of(packet: &Packet<'_>, message_authenticator: MessageAuthenticator) -> Facts {
        let valid = message_authenticator == MessageAuthenticator::Valid;
        Facts {
            message_authenticator,
            eap: !valid && packet.has(EAP_MESSAGE),
            proxy_state: !valid && packet.has(PROXY_STATE),
            status_server: packet.code() == Code::StatusServer,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    Believe,
    /// Believe, and require it of this router from now on.
    BelieveAndLearn,
    DropMissing,
    DropWrong,
}

pub fn rule(policy: Policy, facts: Facts) -> Ruling {
    match facts.message_authenticator {
        MessageAuthenticator::Wrong => Ruling::DropWrong,
        MessageAuthenticator::Valid if policy == (Policy::Learn { seen: false }) => Ruling::BelieveAndLearn,
        MessageAuthenticator::Valid => Ruling::Believe,
        MessageAuthenticator::Absent if facts.eap || facts.status_server => Ruling::DropMissing,
        MessageAuthenticator::Absent => match policy {
            Policy::Require | Policy::Learn { seen: true } => Ruling::DropMissing,
            Policy::Learn { seen: false } if facts.proxy_state => Ruling::DropMissing,
            Policy::Learn { seen: false } | Policy::Legacy => Ruling::Believe,
        },
    }
}

/// A policy shared by the threads that serve one router.
#[derive(Debug)]
pub struct PolicyCell(AtomicU8);

const REQUIRE: u8 = 0;
const LEARN: u8 = 1;
const LEARNT: u8 = 2;
const LEGACY: u8 = 3;

impl PolicyCell {
    pub fn new(policy: Policy) -> PolicyCell {
        let cell = PolicyCell(AtomicU8::new(REQUIRE));
        cell.set(policy);
        cell
    }

    pub fn get(&self) -> Policy {
        match self.0.load(Ordering::Relaxed) {
            LEARN => Policy::Learn { seen: false },
            LEARNT => Policy::Learn { seen: true },
            LEGACY => Policy::Legacy,
            _ => Policy::Require,
        }
    }

    pub fn set(&self, policy: Policy) {
        let value = match policy {
            Policy::Require => REQUIRE,
            Policy::Learn { seen: false } => LEARN,
            Policy::Learn { seen: true } => LEARNT,
            Policy::Legacy => LEGACY,
        };
        self.0.store(value, Ordering::Relaxed);
    }

    /// `true` for the one caller that learnt it.
    pub fn learn(&self) -> bool {
        self.0.compare_exchange(LEARN, LEARNT, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MessageAuthenticator::{Absent, Valid, Wrong};

    #[test]
    fn every_row_of_the_policy_table() {
        use Policy::*;
        let (plain, proxied, eap, status) =
            ((false, false, false), (false, true, false), (true, false, false), (false, false, true));
        let rows = [
            (Require, Absent, plain, Ruling::DropMissing),
            (Require, Absent, proxied, Ruling::DropMissing),
            (Require, Absent, eap, Ruling::DropMissing),
            (Require, Wrong, plain, Ruling::DropWrong),
            (Require, Valid, plain, Ruling::Believe),
            (Learn { seen: false }, Absent, plain, Ruling::Believe),
            (Learn { seen: false }, Absent, proxied, Ruling::DropMissing),
            (Learn { seen: false }, Absent, eap, Ruling::DropMissing),
            (Learn { seen: false }, Wrong, plain, Ruling::DropWrong),
            (Learn { seen: false }, Valid, plain, Ruling::BelieveAndLearn),
            (Learn { seen: true }, Absent, plain, Ruling::DropMissing),
            (Learn { seen: true }, Valid, plain, Ruling::Believe),
            (Legacy, Absent, plain, Ruling::Believe),
            (Legacy, Absent, proxied, Ruling::Believe),
            (Legacy, Absent, eap, Ruling::DropMissing),
            (Legacy, Absent, status, Ruling::DropMissing),
            (Legacy, Wrong, plain, Ruling::DropWrong),
            (Legacy, Valid, plain, Ruling::Believe),
        ];
        for (policy, message_authenticator, (eap, proxy_state, status_server), expected) in rows {
            let facts = Facts { message_authenticator, eap, proxy_state, status_server };
            assert_eq!(rule(policy, facts), expected, "{policy:?} {facts:?}");
        }
    }

    #[test]
    fn the_cell_learns_once() {
        let cell = PolicyCell::new(Policy::Learn { seen: false });
        assert!(cell.learn() && !cell.learn());
        assert_eq!(cell.get(), Policy::Learn { seen: true });
        assert!(!PolicyCell::new(Policy::Legacy).learn());
    }
}
