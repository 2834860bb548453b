//! Fair use: templates attached to plans or chosen for one service, what services have used in their cycles, and what
//! follows when a threshold is crossed or a cycle begins.
//!
//! | chapter       | subject                                                            |
//! |---------------|--------------------------------------------------------------------|
//! | `templates`   | policies: made, changed, attached to plans, chosen for one line    |
//! | `counting`    | what reports add, and the thresholds they cross                    |
//! | `turning`     | cycles that begin again and hours that change a rate               |
//! | `standing`    | how a line stands, and what comes at this rate of use              |

mod counting;
mod standing;
mod templates;
mod turning;

use domain::{
    Bandwidth, BandwidthId, FupTemplateId, IspId,
    catalogue::fup::{self as rules, Count, Cycle, Policy, Reset},
};
use jiff::tz::TimeZone;
use store::{
    access::fup::{self, Override, Usage},
    catalogue::plan,
    people::service::Service,
};

pub use counting::Metered;
pub(crate) use counting::{Growth, add};
pub use standing::{Standing, preview, standing};
pub use store::access::fup::{Usage as InCycle, Whole};
pub use templates::{Chosen, Draft, NewWindow, attach, choose, clear, create, delete, template, templates, update};
pub(crate) use templates::{choose_for, clear_for};
pub(crate) use turning::forgive;
pub use turning::run;

use crate::{Error, access::directory};

/// The rule's view of a template.
pub fn policy(whole: &Whole, rates: impl Fn(BandwidthId) -> Option<Bandwidth>, zone: TimeZone) -> Policy {
    let template = &whole.template;
    let minute = |minute: i64| minute.clamp(0, 1439) as u16;
    Policy {
        id: template.id,
        name: template.name.as_str().into(),
        measure: template.measure,
        reset: Reset::from_parts(&template.reset, template.reset_day).unwrap_or(Reset::Never),
        carry_forward: template.carry_forward,
        tiers: whole
            .tiers
            .iter()
            .map(|tier| rules::Tier {
                after_bytes: tier.after_bytes.max(0) as u64,
                bandwidth: tier.bandwidth_id,
                rates: rates(tier.bandwidth_id),
            })
            .collect(),
        windows: whole
            .windows
            .iter()
            .map(|window| rules::Window {
                from: minute(window.from_minute),
                until: minute(window.until_minute),
                counted: window.counted,
                bandwidth: window.bandwidth_id,
                rates: window.bandwidth_id.and_then(&rates),
            })
            .collect(),
        zone,
    }
}

/// The rule's view of what was used.
pub fn count(row: &Usage) -> Count {
    let cycle = Cycle { starts_at: row.starts_at, ends_at: row.ends_at };
    Count { cycle, up: row.up, down: row.down, carried: row.carried }
}

/// The policy as the database has it now.
async fn load(tx: &store::db::Tx, isp: IspId, id: FupTemplateId, zone: &TimeZone) -> Result<Option<Policy>, Error> {
    let Some(whole) = fup::find(tx, isp, id).await? else { return Ok(None) };
    let mut rates = std::collections::HashMap::new();
    let ids = whole.tiers.iter().map(|tier| tier.bandwidth_id);
    for id in ids.chain(whole.windows.iter().filter_map(|window| window.bandwidth_id)) {
        if let Some(row) = plan::bandwidth(tx, isp, id).await? {
            rates.insert(id, directory::bandwidth(&row));
        }
    }
    Ok(Some(policy(&whole, |id| rates.get(&id).copied(), zone.clone())))
}

/// Which template a service goes by, and whose choice it was.
async fn in_force(
    tx: &store::db::Tx,
    isp: IspId,
    line: &Service,
) -> Result<(Option<FupTemplateId>, Option<Override>), Error> {
    let over = fup::overridden(tx, isp, line.id).await?;
    let id = match &over {
        Some(over) => over.template_id,
        None => plan::any(tx, isp, line.plan_id).await?.and_then(|plan| plan.fup_template_id),
    };
    Ok((id, over))
}

/// The first threshold of a line that has a policy of its own, or is exempted from its plan's.
pub(crate) async fn limit_of(tx: &store::db::Tx, line: &Service) -> Result<Option<Option<i64>>, Error> {
    let (template, own) = in_force(tx, line.isp_id, line).await?;
    if own.is_none() {
        return Ok(None);
    }
    let whole = match template {
        Some(template) => fup::find(tx, line.isp_id, template).await?,
        None => None,
    };
    Ok(Some(whole.and_then(|whole| whole.tiers.first().map(|tier| tier.after_bytes))))
}

/// The rate of a line without fair use.
async fn own_rates(tx: &store::db::Tx, isp: IspId, line: &Service) -> Result<Option<Bandwidth>, Error> {
    let id = match line.bandwidth_id {
        Some(id) => Some(id),
        None => plan::any(tx, isp, line.plan_id).await?.map(|plan| plan.bandwidth_id),
    };
    match id {
        Some(id) => Ok(plan::bandwidth(tx, isp, id).await?.as_ref().map(directory::bandwidth)),
        None => Ok(None),
    }
}
