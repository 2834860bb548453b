//! Logs of what the system itself saw and did: logins, the captive portal, routers, lines it let end.

use domain::kernel::event::EventKind;
use store::access::{
    hotspot::Access,
    logs::{self, Filter, Login, RouterEvent, Stopped, Which},
};

use crate::{Actor, App, Error};
use domain::kernel::names::login_key;

pub use store::access::logs as rows;

/// How many rows of a log are counted and paged through.
pub const MOST: i64 = logs::MOST;

/// The kinds of a router's log.
pub const ROUTER_KINDS: &[EventKind] = &[
    EventKind::RouterCreated,
    EventKind::RouterUpdated,
    EventKind::RouterDeleted,
    EventKind::SessionLost,
    EventKind::CoaAcknowledged,
    EventKind::CoaRefused,
    EventKind::CoaUnanswered,
];

/// The caller's part of a log, and whose line a name is.
async fn scoped(tx: &store::db::Tx, actor: &Actor, filter: &Filter) -> Result<Filter, store::db::Error> {
    let service = match &filter.username {
        Some(name) => logs::line_named(tx, actor.isp, &login_key(name)).await?,
        None => None,
    };
    Ok(Filter { service, branch: actor.branch, ..filter.clone() })
}

macro_rules! log {
    ($(#[$doc:meta])* $name:ident($($extra:ident: $kind:ty)?) -> $row:ty) => {
        $(#[$doc])*
        pub async fn $name(
            app: &App,
            actor: &Actor,
            filter: Filter,
            $($extra: $kind,)?
            offset: i64,
            limit: i64,
        ) -> Result<(Vec<$row>, i64), Error> {
            let actor = actor.clone();
            let read = app.db.read(async move |tx| {
                let filter = scoped(tx, &actor, &filter).await?;
                logs::$name(tx, actor.isp, &filter, $($extra,)? (offset, limit)).await
            });
            Ok(read.await?)
        }
    };
}

log! {
    /// Accepted and refused logins, the newest first.
    logins(which: Which) -> Login
}
log! {
    /// Steps at the captive portal, the newest first.
    portal() -> (Access, Option<String>)
}
log! {
    /// What happened to routers, and what they answered.
    routers(kind: Option<EventKind>) -> RouterEvent
}
log! {
    /// Lines that ended by themselves.
    stopped(kind: Option<EventKind>) -> Stopped
}
