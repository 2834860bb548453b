//! What reports add to the cycles, and the thresholds they cross.

use std::sync::Arc;

use domain::{
    Bandwidth, CustomerId, FupTemplateId, Instant, IspId, ServiceId,
    catalogue::fup::{Count, Cycle, Policy, Reset},
};
use store::{
    access::fup::{self, Usage},
    db::Value,
    params,
    people::service,
};

use super::{count, in_force, load};
use crate::{Change, Error, Fact, kernel::facts::Turned, kernel::work::Work};

/// What accounting must know of a service with a policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Metered {
    pub policy: Arc<Policy>,
    /// The rate without the policy.
    pub own_rates: Option<Bandwidth>,
}

/// What a batch of reports adds to one service on one day.
#[derive(Clone, Debug)]
pub(crate) struct Growth {
    pub service: ServiceId,
    pub customer: CustomerId,
    pub metered: Metered,
    pub up: u64,
    pub down: u64,
    /// When it happened.
    pub at: Instant,
}

/// Adds a batch's growth to the cycles, one statement for all; what begins a cycle, or crosses a threshold, takes more.
/// How the services stand afterwards. The days' usage has been written before.
pub(crate) async fn add(change: &Change<'_>, growths: &[Growth]) -> Result<Vec<Usage>, Error> {
    if growths.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Vec<Value>> = growths
        .iter()
        .map(|g| params![change.isp, g.service, g.metered.policy.id, g.up, g.down, g.at, change.now].to_vec())
        .collect();
    let mut now: std::collections::BTreeMap<i64, Usage> = Default::default();
    for usage in fup::add(change.tx, &rows).await? {
        now.insert(usage.service_id.0, usage);
    }
    for growth in growths {
        let counted = now
            .get(&growth.service.0)
            .is_some_and(|usage| usage.template_id == growth.metered.policy.id && count(usage).is_of(growth.at));
        if !counted && let Some(usage) = begin(change, growth).await? {
            now.insert(growth.service.0, usage);
        }
    }
    let mut seen = std::collections::HashSet::new();
    for growth in growths.iter().rev().filter(|growth| seen.insert(growth.service)) {
        if let Some(usage) = now.get_mut(&growth.service.0)
            && usage.template_id == growth.metered.policy.id
        {
            crossing(change, growth.customer, &growth.metered.policy, growth.metered.own_rates, usage).await?;
        }
    }
    Ok(now.into_values().collect())
}

/// A report that no running cycle took: the first of a cycle, or a late one.
async fn begin(change: &Change<'_>, growth: &Growth) -> Result<Option<Usage>, Error> {
    let (isp, id) = (change.isp, growth.service);
    let Some(line) = service::find(change.tx, isp, id).await? else { return Ok(None) };
    let (Some(template), _) = in_force(change.tx, isp, &line).await? else { return Ok(None) };
    let before = fup::lock_usage(change.tx, isp, id).await?.filter(|row| row.template_id == template);
    if before.as_ref().is_some_and(|row| row.starts_at > growth.at) {
        // Of a cycle that is over.
        return Ok(None);
    }
    let known = &growth.metered.policy;
    let loaded;
    let policy = match known.id == template {
        true => &**known,
        // The directory has not heard of the change yet.
        false => match load(change.tx, isp, template, &known.zone).await? {
            Some(policy) => {
                loaded = policy;
                &loaded
            }
            None => return Ok(None),
        },
    };
    if let Some(mut row) = before.clone().filter(|row| count(row).is_of(growth.at)) {
        row.up = row.up.saturating_add(growth.up);
        row.down = row.down.saturating_add(growth.down);
        row.updated_at = change.now;
        fup::put_usage(change.tx, &row).await?;
        return Ok(Some(row));
    }
    let cycle = cycle(change, policy, id, growth.at).await?;
    let mut next = policy.rolled(before.as_ref().map(count).as_ref(), cycle);
    (next.up, next.down) = match &before {
        Some(_) => (growth.up, growth.down),
        None => used_already(change, policy, growth, cycle).await?,
    };
    let row = usage_row(isp, id, template, &next, change.now);
    fup::put_usage(change.tx, &row).await?;
    if let Some(before) = before.filter(|row| row.level > 0) {
        came_back(change, growth.customer, policy, growth.metered.own_rates, &before, Back::NewCycle).await?;
    }
    Ok(Some(row))
}

/// A line that has just come to a policy counts from the cycle's start as far as days tell; hours of the day that are
/// free are not known of days, so there counting begins now.
async fn used_already(
    change: &Change<'_>,
    policy: &Policy,
    growth: &Growth,
    cycle: Cycle,
) -> Result<(u64, u64), Error> {
    if policy.reset == Reset::Never || policy.windows.iter().any(|window| !window.counted) {
        return Ok((growth.up, growth.down));
    }
    let first = cycle.starts_at.day(&policy.zone);
    let whole = Instant::from_civil(first.at(0, 0, 0, 0), &policy.zone) == cycle.starts_at;
    let first = i64::from(jiff::civil::date(1970, 1, 1).until(first).map_or(0, |span| span.get_days()));
    let from = if whole { first } else { first + 1 };
    let (up, down) = fup::used_since(change.tx, change.isp, growth.service, from).await?;
    Ok((up.max(growth.up), down.max(growth.down)))
}

pub(super) async fn cycle(
    change: &Change<'_>,
    policy: &Policy,
    service: ServiceId,
    at: Instant,
) -> Result<Cycle, Error> {
    Ok(match policy.cycle(at) {
        Some(cycle) => cycle,
        None if policy.reset == Reset::Period => {
            let (began, next) = fup::period_at(change.tx, change.isp, service, at).await?;
            Cycle { starts_at: began.unwrap_or(Instant::EPOCH), ends_at: next }
        }
        None => Cycle { starts_at: at, ends_at: None },
    })
}

pub(super) fn usage_row(
    isp_id: IspId,
    service_id: ServiceId,
    template_id: FupTemplateId,
    count: &Count,
    now: Instant,
) -> Usage {
    Usage {
        isp_id,
        service_id,
        template_id,
        starts_at: count.cycle.starts_at,
        ends_at: count.cycle.ends_at,
        up: count.up,
        down: count.down,
        carried: count.carried,
        level: 0,
        updated_at: now,
    }
}

/// Acts on a threshold that was crossed, and says so with its numbers.
async fn crossing(
    change: &Change<'_>,
    customer: CustomerId,
    policy: &Policy,
    own_rates: Option<Bandwidth>,
    usage: &mut Usage,
) -> Result<(), Error> {
    let count = count(usage);
    let (before, level) = (usage.level.max(0) as usize, policy.level(&count));
    if level < before {
        // The policy has become more generous.
        came_back(change, customer, policy, own_rates, usage, Back::Policy).await?;
    }
    if level != before {
        usage.level = level as i64;
        fup::set_level(change.tx, change.isp, usage.service_id, usage.level).await?;
    }
    if level > before {
        if before == 0 {
            crate::access::attribute_stages::crossed(change, usage.service_id, true).await?;
        }
        let turned = turned(customer, policy, own_rates, usage, before, level);
        change.tell(Fact::FupCrossed { line: usage.service_id, turned });
        change.order(Work::follow(usage.service_id)).await?;
    }
    Ok(())
}

/// Why a line has its rate back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Back {
    NewCycle,
    /// The policy has become more generous.
    Policy,
}

/// The line has its rate back.
pub(super) async fn came_back(
    change: &Change<'_>,
    customer: CustomerId,
    policy: &Policy,
    own_rates: Option<Bandwidth>,
    before: &Usage,
    why: Back,
) -> Result<(), Error> {
    let level = match why {
        Back::Policy => policy.level(&count(before)),
        Back::NewCycle => 0,
    };
    if level == 0 {
        crate::access::attribute_stages::crossed(change, before.service_id, false).await?;
    }
    let turned = turned(customer, policy, own_rates, before, before.level.max(0) as usize, level);
    change.tell(match why {
        Back::NewCycle => Fact::FupReset { line: before.service_id, turned },
        Back::Policy => Fact::FupRelaxed { line: before.service_id, turned },
    });
    change.order(Work::follow(before.service_id)).await
}

fn turned(
    customer: CustomerId,
    policy: &Policy,
    own_rates: Option<Bandwidth>,
    usage: &Usage,
    from: usize,
    to: usize,
) -> Turned {
    let kbps = |level| policy.rates(level).or(own_rates).map(|rates| (rates.down_kbps, rates.up_kbps));
    let (old, new) = (kbps(from), kbps(to));
    Turned {
        customer,
        template: policy.id,
        name: policy.name.to_string(),
        measure: policy.measure,
        used_bytes: policy.used(&count(usage)),
        threshold_bytes: policy.threshold(from.max(to)),
        carried_bytes: usage.carried,
        level: to as u64,
        cycle_started_at: usage.starts_at,
        cycle_ends_at: usage.ends_at,
        from_down_kbps: old.map(|rate| rate.0),
        from_up_kbps: old.map(|rate| rate.1),
        to_down_kbps: new.map(|rate| rate.0),
        to_up_kbps: new.map(|rate| rate.1),
    }
}
