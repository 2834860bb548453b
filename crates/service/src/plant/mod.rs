//! The plant: OLTs, ONUs, devices, status checks. Each change is an event and a row of the access log.
//!
//! | chapter       | noun                                                               |
//! |---------------|--------------------------------------------------------------------|
//! | [`olts`]      | where fibres begin                                                 |
//! | [`onus`]      | where they end, at whose house                                     |
//! | [`devices`]   | radios, switches, servers; what their monitoring says              |
//! | [`checks`]    | what is looked at regularly, and how this program itself is        |
//! | [`reach`]     | routers and pools, with what is known of them                      |

pub mod checks;
pub mod devices;
pub mod olts;
pub mod onus;
pub mod reach;
pub mod site;
pub mod vpn;

use domain::Instant;
use store::plant::plant::{self as rows, Access, AccessFilter};

use crate::{Actor, App, Change, Error, Expected, FieldError, Why, kernel::ids::Table};

pub const STATUSES: &[&str] = &["unknown", "up", "down"];
/// What the access log speaks of.
pub const NOUNS: &[&str] = &["olt", "onu", "device", "status_check", "vpn_server", "vpn_account"];

/// How many rows of the access log are counted and paged through.
const MOST: i64 = 100_000;

/// Equipment is the whole provider's: whoever sees one branch does not see it (docs/readings.md 2.4).
pub(crate) fn whole(actor: &Actor) -> Result<(), Error> {
    if actor.branch.is_some() { Err(Error::Forbidden) } else { Ok(()) }
}

/// Whether the row is still the one that the caller read.
pub(crate) fn unchanged(since: Option<Instant>, updated_at: Instant) -> Result<(), Error> {
    match since {
        Some(since) if since != updated_at => Err(Error::Changed),
        _ => Ok(()),
    }
}

/// The moment of a change, later than the one before it: two in one microsecond are told apart.
pub(crate) fn later(now: Instant, before: Instant) -> Instant {
    now.max(before.plus(1))
}

/// Writes who did what to which equipment.
pub(crate) async fn log(
    change: &Change<'_>,
    action: &'static str,
    noun: &'static str,
    id: i64,
    name: &str,
) -> Result<(), Error> {
    Access {
        isp_id: change.isp,
        id: change.id(Table::AccessLog).await?,
        at: change.now,
        actor: change.actor.into(),
        action: action.into(),
        noun: noun.into(),
        subject_id: id,
        name: name.into(),
    }
    .insert(change.tx)
    .await?;
    Ok(())
}

/// The access log, the newest first.
pub async fn accesses(
    app: &App,
    actor: &Actor,
    filter: AccessFilter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Access>, i64), Error> {
    whole(actor)?;
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| rows::accesses(tx, isp, &filter, (offset, limit), MOST).await).await?)
}

/// Everything that is wrong is told at once.
#[derive(Default)]
pub(crate) struct Checks(Vec<FieldError>);

impl Checks {
    pub fn must(&mut self, right: bool, field: &'static str, why: Why) {
        if !right {
            self.0.push(FieldError { field, why });
        }
    }

    /// Given, not empty, on one line.
    pub fn line(&mut self, text: &str, field: &'static str) {
        self.must(!text.trim().is_empty(), field, Why::Required);
        self.must(!text.chars().any(char::is_control), field, Why::Not(Expected::OneLine));
    }

    pub fn done(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }
}

pub use store::plant::plant::{AccessFilter as LogFilter, Filter, OnuFilter};
