//! The captive portal's access log: who came, through which router, and how far.

use domain::{Mac, RouterId};
use store::{
    access::{
        hotspot::{self, Access, Filter, Named},
        router,
    },
    db::Class,
    people::customer,
};

use crate::{Actor, App, Error, Why, kernel::ids::Table};
use domain::kernel::names::name_key;

/// Written with the Start of a session.
pub const LOGGED_IN: &str = "logged_in";
/// Written with a refused login.
pub const FAILED: &str = "failed_to_log_in";

/// The device, where only RADIUS tells of a visitor: it knows an address, not a make. Clients expect a text.
pub const UNTOLD: &str = "Unknown";

/// How far a visitor came, in the order of the way.
pub const KINDS: &[&str] = &["accessed", "triggered_payment", "got_login_credentials", LOGGED_IN, FAILED];

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewAccess {
    pub router: RouterId,
    pub mac: Option<Mac>,
    pub username: Option<String>,
    pub device: Option<String>,
    /// One of [`KINDS`].
    pub kind: &'static str,
}

/// Writes a visitor's step down. No event: nothing follows from it.
pub async fn record(app: &App, actor: &Actor, step: NewAccess) -> Result<(), Error> {
    if !KINDS.contains(&step.kind) {
        return Err(Error::invalid("kind", Why::NotOneOf(KINDS)));
    }
    app.change(actor, Class::Interactive, async move |change| {
        if router::find(change.tx, change.isp, step.router).await?.is_none() {
            return Err(Error::invalid("router", Why::Unknown));
        }
        let customer = match &step.username {
            Some(name) => customer::by_username(change.tx, change.isp, &name_key(name)).await?,
            None => None,
        };
        Access {
            isp_id: change.isp,
            id: change.id(Table::HotspotAccess).await?,
            at: change.now,
            router_id: step.router,
            mac: step.mac.map(|mac| mac.to_string()),
            customer_id: customer.map(|customer| customer.id),
            username: step.username.clone(),
            device: step.device.clone(),
            kind: step.kind.into(),
        }
        .insert(change.tx)
        .await?;
        Ok(())
    })
    .await
}

#[derive(Clone, Debug)]
pub struct Log {
    /// Newest first.
    pub steps: Vec<Named>,
    pub total: i64,
    /// In the order of [`KINDS`], without the condition on the kind.
    pub counts: Vec<(&'static str, i64)>,
}

pub async fn log(app: &App, actor: &Actor, filter: Filter, offset: i64, limit: i64) -> Result<Log, Error> {
    let isp = actor.isp;
    app.db
        .read(async move |tx| {
            let steps = hotspot::list(tx, isp, &filter, offset, limit).await?;
            let of_any_kind = Filter { kind: None, ..filter.clone() };
            let counted = hotspot::counts(tx, isp, &of_any_kind).await?;
            let count = |kind: &str| counted.iter().find(|(word, _)| word == kind).map_or(0, |(_, count)| *count);
            let total = match &filter.kind {
                Some(kind) => count(kind),
                None => counted.iter().map(|(_, count)| count).sum(),
            };
            Ok(Log { steps, total, counts: KINDS.iter().map(|kind| (*kind, count(kind))).collect() })
        })
        .await
}
