//! A service: one line of a customer. Its kind, and its status words.

use crate::{Instant, Quota, access::decide::over};

/// How the line connects.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    Pppoe,
    Hotspot,
    Static,
    /// Cable TV and the like: billed, never connected.
    Other,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Pppoe, Kind::Hotspot, Kind::Static, Kind::Other];

    pub const WORDS: &[&'static str] = &["pppoe", "hotspot", "static", "other"];

    /// The word kept in the database.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Pppoe => "pppoe",
            Kind::Hotspot => "hotspot",
            Kind::Static => "static",
            Kind::Other => "other",
        }
    }

    pub fn from_word(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.word().eq_ignore_ascii_case(word))
    }
}

/// What the line is sold as: its kind, or fibre, over which PPPoE runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Connection {
    Pppoe,
    Hotspot,
    Static,
    Fiber,
    Other,
}

impl Connection {
    pub const WORDS: &[&str] = &["pppoe", "hotspot", "static", "fiber", "other"];
    pub const ALL: [Connection; 5] =
        [Connection::Pppoe, Connection::Hotspot, Connection::Static, Connection::Fiber, Connection::Other];

    pub fn word(self) -> &'static str {
        match self {
            Connection::Pppoe => "pppoe",
            Connection::Hotspot => "hotspot",
            Connection::Static => "static",
            Connection::Fiber => "fiber",
            Connection::Other => "other",
        }
    }

    pub fn from_word(word: &str) -> Option<Connection> {
        Connection::ALL.into_iter().find(|connection| connection.word().eq_ignore_ascii_case(word))
    }

    pub fn kind(self) -> Kind {
        match self {
            Connection::Pppoe | Connection::Fiber => Kind::Pppoe,
            Connection::Hotspot => Kind::Hotspot,
            Connection::Static => Kind::Static,
            Connection::Other => Kind::Other,
        }
    }

    /// Of a line whose medium was told once; its kind may have changed since.
    pub fn of(kind: Kind, told: Option<Connection>) -> Connection {
        match (kind, told) {
            (Kind::Pppoe, Some(Connection::Fiber)) => Connection::Fiber,
            (Kind::Pppoe, _) => Connection::Pppoe,
            (Kind::Hotspot, _) => Connection::Hotspot,
            (Kind::Static, _) => Connection::Static,
            (Kind::Other, _) => Connection::Other,
        }
    }
}

/// What staff and money have decided. `expired` is computed from time and `online` from sessions: neither is stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Status {
    /// Its activation lies in the future.
    Pending,
    /// Registered itself; an operator has yet to approve.
    AwaitingApproval,
    Active,
    /// Unpaid, or suspended by staff.
    Suspended,
    /// Barred by staff.
    Disabled,
    /// Switched off by staff, reversible, no penalty.
    Inactive,
    Rejected,
    Terminated,
}

impl Status {
    pub const ALL: [Status; 8] = [
        Status::Pending,
        Status::AwaitingApproval,
        Status::Active,
        Status::Suspended,
        Status::Disabled,
        Status::Inactive,
        Status::Rejected,
        Status::Terminated,
    ];

    /// The word kept in the database.
    pub fn word(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::AwaitingApproval => "awaiting_approval",
            Status::Active => "active",
            Status::Suspended => "suspended",
            Status::Disabled => "disabled",
            Status::Inactive => "inactive",
            Status::Rejected => "rejected",
            Status::Terminated => "terminated",
        }
    }

    pub fn from_word(word: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.word() == word)
    }
}

/// Whether a line whose period ends then may be put to [`Status::Active`]: an ended one is sold anew, not switched on.
pub fn may_be_activated(expires_at: Option<Instant>, now: Instant) -> bool {
    over(expires_at, &Quota::default(), now).is_none()
}

/// Whether the subscriber is kept out of the portal too: staff or an unpaid bill bar it. Who has only run out of time comes in
/// to buy more.
pub fn bars_portal(status: Status) -> bool {
    match status {
        Status::Suspended | Status::Disabled | Status::Rejected | Status::Terminated => true,
        Status::Active | Status::Inactive | Status::Pending | Status::AwaitingApproval => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_is_not_switched_on() {
        let now = Instant(1_000);
        for (expires_at, may) in [(None, false), (Some(999), false), (Some(1_000), false), (Some(1_001), true)] {
            assert_eq!(may_be_activated(expires_at.map(Instant), now), may, "{expires_at:?}");
        }
    }

    #[test]
    fn a_line_is_shown_as_it_was_sold() {
        for connection in Connection::ALL {
            assert_eq!(Connection::from_word(connection.word()), Some(connection));
            assert_eq!(Connection::of(connection.kind(), Some(connection)), connection);
        }
        assert_eq!(Connection::WORDS, Connection::ALL.map(Connection::word));
        // What was said of a line's medium is forgotten once it is no PPPoE line any more.
        let rows = [
            (Kind::Hotspot, Some(Connection::Fiber), Connection::Hotspot),
            (Kind::Pppoe, Some(Connection::Static), Connection::Pppoe),
            (Kind::Pppoe, None, Connection::Pppoe),
            (Kind::Other, None, Connection::Other),
        ];
        for (kind, told, shown) in rows {
            assert_eq!(Connection::of(kind, told), shown, "{kind:?} {told:?}");
        }
    }
}
