//! Fair use: templates attached to plans or chosen for one service, what services have used in their cycles, and what
//! follows when a threshold is crossed or a cycle begins.

use std::sync::Arc;

use domain::{
    Bandwidth, BandwidthId, CustomerId, FupTemplateId, Instant, IspId, PlanId, ServiceId,
    event::{EventKind, Subject},
    fup::{self as rules, Coming, Count, Cycle, Measure, Policy, Reset},
};
use jiff::tz::TimeZone;
use serde_json::json;
use store::{
    customer,
    db::{Class, Value},
    fup::{self, Override, Template, Tier, Usage, Window},
    params, plan, service,
    service::Service,
};

pub use store::fup::{Usage as InCycle, Whole};

use crate::{Actor, App, Change, Error, Why, directory, ids::Table, recharge, setup::name_key};

const TIERS: usize = 16;
const WINDOWS: usize = 8;
/// The furthest threshold: as far as every JSON reader counts.
const FURTHEST: i64 = 1 << 53;

/// What a template says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    pub measure: Measure,
    pub reset: Reset,
    pub carry_forward: bool,
    /// From so many bytes on, this bandwidth; from 0 on: instead of the plan's.
    pub tiers: Vec<(i64, BandwidthId)>,
    /// The first that holds counts.
    pub windows: Vec<NewWindow>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewWindow {
    /// Minutes after local midnight.
    pub from: i64,
    pub until: i64,
    pub counted: bool,
    pub bandwidth: Option<BandwidthId>,
}

/// What a service goes by instead of its plan's policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Chosen {
    Template(FupTemplateId),
    Own(Draft),
    /// No policy at all.
    Exempt,
}

pub async fn create(app: &App, actor: &Actor, name: String, draft: Draft) -> Result<Whole, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let id = FupTemplateId(app.new_id(Table::FupTemplate).await?);
    app.change(actor, Class::Interactive, async move |change| {
        let key = free_name(change, &name, None).await?;
        let whole = make(change, &tenant.zone, id, &draft, None, Some((name.trim(), key))).await?;
        fup::save(change.tx, &whole).await?;
        change.event(EventKind::FupTemplateCreated, Subject::FupTemplate(id.0), json!({ "name": whole.template.name }));
        Ok(whole)
    })
    .await
}

/// Replaces what a named template says; every line that goes by it follows. `unchanged_since` is the change that the
/// caller has seen last: a later one refuses.
pub async fn update(
    app: &App,
    actor: &Actor,
    id: FupTemplateId,
    name: String,
    draft: Draft,
    unchanged_since: Option<Instant>,
) -> Result<Whole, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    app.change(actor, Class::Interactive, async move |change| {
        let before = named(change, id).await?;
        if unchanged_since.is_some_and(|seen| seen != before.template.updated_at) {
            return Err(Error::Changed);
        }
        let key = free_name(change, &name, Some(id)).await?;
        let mut after = make(change, &tenant.zone, id, &draft, None, Some((name.trim(), key))).await?;
        after.template.created_at = before.template.created_at;
        after.template.updated_at = before.template.updated_at;
        if after == before {
            return Ok(after);
        }
        after.template.updated_at = change.now;
        replace(change, &before, &after).await?;
        Ok(after)
    })
    .await
}

/// Writes a template over what it was; the network follows.
async fn replace(change: &Change<'_>, before: &Whole, after: &Whole) -> Result<(), Error> {
    let id = after.template.id;
    let counting = |whole: &Whole| (whole.template.measure, whole.template.reset.clone(), whole.template.reset_day);
    fup::save(change.tx, after).await?;
    if counting(before) != counting(after) {
        fup::forget_usage(change.tx, change.isp, id).await?;
    }
    change.event(EventKind::FupTemplateUpdated, Subject::FupTemplate(id.0), json!({ "name": after.template.name }));
    follow(change, id).await
}

/// Orders the live sessions of everybody who goes by a template to follow.
async fn follow(change: &Change<'_>, id: FupTemplateId) -> Result<(), Error> {
    for plan in fup::plans_with(change.tx, change.isp, id).await? {
        change.job("network", "converge_plan", change.now, json!({ "plan": plan.0 })).await?;
    }
    for service in fup::services_with(change.tx, change.isp, id).await? {
        change.job("network", "converge", change.now, json!({ "service": service.0 })).await?;
    }
    Ok(())
}

pub async fn delete(app: &App, actor: &Actor, id: FupTemplateId) -> Result<(), Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        let mut whole = named(change, id).await?;
        if !fup::plans_with(change.tx, change.isp, id).await?.is_empty() {
            return Err(Error::InUse { what: "fair use template", by: "plan" });
        }
        if !fup::services_with(change.tx, change.isp, id).await?.is_empty() {
            return Err(Error::InUse { what: "fair use template", by: "customer" });
        }
        whole.template.deleted_at = Some(change.now);
        whole.template.updated_at = change.now;
        whole.template.name_key = None;
        whole.template.turns_at = None;
        fup::save(change.tx, &whole).await?;
        fup::forget_usage(change.tx, change.isp, id).await?;
        change.event(EventKind::FupTemplateDeleted, Subject::FupTemplate(id.0), json!({ "name": whole.template.name }));
        Ok(())
    })
    .await
}

pub async fn templates(app: &App, actor: &Actor) -> Result<Vec<Whole>, Error> {
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| fup::templates(tx, isp).await).await?)
}

pub async fn template(app: &App, actor: &Actor, id: FupTemplateId) -> Result<Whole, Error> {
    let isp = actor.isp;
    let whole = app.db.read(async move |tx| fup::find(tx, isp, id).await).await?;
    whole.filter(is_named).ok_or(Error::NotFound { what: "fair use template" })
}

/// Gives a plan a template, or takes it away; everybody on the plan goes by it at once.
pub async fn attach(
    app: &App,
    actor: &Actor,
    id: PlanId,
    template: Option<FupTemplateId>,
) -> Result<plan::Plan, Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        let mut row = plan::find(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: "plan" })?;
        if row.fup_template_id == template {
            return Ok(row);
        }
        if let Some(template) = template {
            known(change, template).await?;
        }
        row.fup_template_id = template;
        row.updated_at = change.now;
        plan::update(change.tx, &row).await?;
        let body = json!({ "name": row.name, "fup_template": template.map(|id| id.0) });
        change.event(EventKind::PlanUpdated, Subject::Plan(id.0), body);
        change.job("network", "converge_plan", change.now, json!({ "plan": id.0 })).await?;
        Ok(row)
    })
    .await
}

/// Lets a customer's primary line go by another policy than its plan's.
pub async fn choose(app: &App, actor: &Actor, id: CustomerId, chosen: Chosen) -> Result<(), Error> {
    actor.writes()?;
    let (tenant, who) = (app.tenant(actor.isp).await?, actor.clone());
    let new = FupTemplateId(app.new_id(Table::FupTemplate).await?);
    app.change(actor, Class::Interactive, async move |change| {
        let line = line(change, &who, id).await?;
        let before = fup::overridden(change.tx, change.isp, line.id).await?;
        let own = fup::own(change.tx, change.isp, line.id).await?;
        let mut followed = false;
        let template = match &chosen {
            Chosen::Template(template) => {
                known(change, *template).await?;
                Some(*template)
            }
            Chosen::Exempt => None,
            Chosen::Own(draft) => {
                let known = match own {
                    Some(own) => fup::find(change.tx, change.isp, own).await?,
                    None => None,
                };
                let template = known.as_ref().map_or(new, |known| known.template.id);
                let mut after = make(change, &tenant.zone, template, draft, Some(line.id), None).await?;
                match &known {
                    Some(known) => {
                        after.template.created_at = known.template.created_at;
                        replace(change, known, &after).await?;
                        followed = true;
                    }
                    None => {
                        fup::save(change.tx, &after).await?;
                        let body = json!({ "service": line.id.0 });
                        change.event(EventKind::FupTemplateCreated, Subject::FupTemplate(template.0), body);
                    }
                }
                Some(template)
            }
        };
        if let Some(own) = own.filter(|own| Some(*own) != template) {
            drop_own(change, own).await?;
        }
        if matches!(chosen, Chosen::Own(_)) || before.as_ref().map(|row| row.template_id) != Some(template) {
            let row = Override {
                isp_id: change.isp,
                service_id: line.id,
                template_id: template,
                actor: change.actor.into(),
                created_at: change.now,
            };
            fup::put_override(change.tx, &row).await?;
            let body = json!({
                "customer": id.0, "template": template.map(|id| id.0), "own": matches!(chosen, Chosen::Own(_))
            });
            change.event(EventKind::FupOverridden, Subject::Service(line.id.0), body);
            if !followed {
                change.job("network", "converge", change.now, json!({ "service": line.id.0 })).await?;
            }
        }
        Ok(())
    })
    .await
}

/// The customer's primary line goes by its plan's policy again.
pub async fn clear(app: &App, actor: &Actor, id: CustomerId) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let line = line(change, &who, id).await?;
        let own = fup::own(change.tx, change.isp, line.id).await?;
        if fup::clear_override(change.tx, change.isp, line.id).await? {
            if let Some(own) = own {
                drop_own(change, own).await?;
            }
            change.event(EventKind::FupCleared, Subject::Service(line.id.0), json!({ "customer": id.0 }));
            change.job("network", "converge", change.now, json!({ "service": line.id.0 })).await?;
        }
        Ok(())
    })
    .await
}

async fn drop_own(change: &Change<'_>, id: FupTemplateId) -> Result<(), Error> {
    let Some(mut whole) = fup::find(change.tx, change.isp, id).await? else { return Ok(()) };
    whole.template.deleted_at = Some(change.now);
    whole.template.turns_at = None;
    fup::save(change.tx, &whole).await?;
    fup::forget_usage(change.tx, change.isp, id).await?;
    change.event(
        EventKind::FupTemplateDeleted,
        Subject::FupTemplate(id.0),
        json!({ "service": whole.template.service_id.map(|id| id.0) }),
    );
    Ok(())
}

/// The customer's primary line, both locked.
async fn line(change: &Change<'_>, who: &Actor, id: CustomerId) -> Result<Service, Error> {
    let owner = customer::lock(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: "customer" })?;
    who.reaches(owner.branch_id)?;
    let lines = service::lock_of_customer(change.tx, change.isp, id).await?;
    lines.into_iter().next().ok_or(Error::NotFound { what: "service" })
}

fn is_named(whole: &Whole) -> bool {
    whole.template.service_id.is_none()
}

async fn named(change: &Change<'_>, id: FupTemplateId) -> Result<Whole, Error> {
    let whole = fup::find(change.tx, change.isp, id).await?;
    whole.filter(is_named).ok_or(Error::NotFound { what: "fair use template" })
}

/// A template named in a body.
async fn known(change: &Change<'_>, id: FupTemplateId) -> Result<(), Error> {
    let whole = fup::find(change.tx, change.isp, id).await?;
    whole.filter(is_named).map(drop).ok_or(Error::invalid("template_id", Why::Unknown))
}

async fn free_name(change: &Change<'_>, name: &str, own: Option<FupTemplateId>) -> Result<String, Error> {
    let key = name_key(name);
    if key.is_empty() {
        return Err(Error::invalid("name", Why::Required));
    }
    match fup::by_name(change.tx, change.isp, &key).await? {
        Some(holder) if Some(holder) != own => Err(Error::invalid("name", Why::Taken)),
        _ => Ok(key),
    }
}

/// The rows of a draft, checked.
async fn make(
    change: &Change<'_>,
    zone: &TimeZone,
    id: FupTemplateId,
    draft: &Draft,
    owner: Option<ServiceId>,
    name: Option<(&str, String)>,
) -> Result<Whole, Error> {
    let mut levels: Vec<i64> = draft.tiers.iter().map(|(after, _)| *after).collect();
    levels.sort_unstable();
    let doubled = levels.windows(2).any(|pair| pair[0] == pair[1]);
    if draft.tiers.is_empty() {
        return Err(Error::invalid("tiers", Why::Required));
    }
    if draft.tiers.len() > TIERS || doubled || levels.iter().any(|after| !(0..=FURTHEST).contains(after)) {
        return Err(Error::invalid("tiers", Why::Not("up to 16 different thresholds from 0 to 2^53 bytes")));
    }
    let fits = |minute: i64| (0..1440).contains(&minute);
    let windows_fit = draft.windows.iter().all(|w| fits(w.from) && fits(w.until) && w.from != w.until);
    if draft.windows.len() > WINDOWS || !windows_fit {
        return Err(Error::invalid("windows", Why::Not("up to 8 windows of different times of day")));
    }
    let bandwidths = draft.tiers.iter().map(|(_, id)| ("tiers", *id));
    for (field, bandwidth) in bandwidths.chain(draft.windows.iter().filter_map(|w| Some(("windows", w.bandwidth?)))) {
        if plan::bandwidth(change.tx, change.isp, bandwidth).await?.is_none() {
            return Err(Error::invalid(field, Why::Unknown));
        }
    }
    let isp_id = change.isp;
    let mut whole = Whole {
        template: Template {
            isp_id,
            id,
            name: name.as_ref().map_or_else(String::new, |(name, _)| (*name).into()),
            name_key: name.map(|(_, key)| key),
            service_id: owner,
            measure: draft.measure,
            reset: draft.reset.word().into(),
            reset_day: draft.reset.day().map(i64::from),
            carry_forward: draft.carry_forward,
            turns_at: None,
            created_at: change.now,
            updated_at: change.now,
            deleted_at: None,
        },
        tiers: draft
            .tiers
            .iter()
            .map(|(after_bytes, bandwidth_id)| Tier {
                isp_id,
                template_id: id,
                after_bytes: *after_bytes,
                bandwidth_id: *bandwidth_id,
            })
            .collect(),
        windows: draft
            .windows
            .iter()
            .zip(1..)
            .map(|(window, line)| Window {
                isp_id,
                template_id: id,
                line,
                from_minute: window.from,
                until_minute: window.until,
                counted: window.counted,
                bandwidth_id: window.bandwidth,
            })
            .collect(),
    };
    whole.tiers.sort_by_key(|tier| tier.after_bytes);
    whole.template.turns_at = policy(&whole, |_| None, zone.clone()).next_turn(change.now);
    Ok(whole)
}

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
        came_back(change, growth.customer, policy, growth.metered.own_rates, &before, "cycle").await?;
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

async fn cycle(change: &Change<'_>, policy: &Policy, service: ServiceId, at: Instant) -> Result<Cycle, Error> {
    Ok(match policy.cycle(at) {
        Some(cycle) => cycle,
        None if policy.reset == Reset::Period => {
            let (began, next) = fup::period_at(change.tx, change.isp, service, at).await?;
            Cycle { starts_at: began.unwrap_or(Instant::EPOCH), ends_at: next }
        }
        None => Cycle { starts_at: at, ends_at: None },
    })
}

fn usage_row(isp_id: IspId, service_id: ServiceId, template_id: FupTemplateId, count: &Count, now: Instant) -> Usage {
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
        came_back(change, customer, policy, own_rates, usage, "policy").await?;
    }
    if level != before {
        usage.level = level as i64;
        fup::set_level(change.tx, change.isp, usage.service_id, usage.level).await?;
    }
    if level > before {
        if before == 0 {
            crate::exceptions::crossed(change, usage.service_id, true).await?;
        }
        let body = told(customer, policy, own_rates, usage, before, level);
        change.event(EventKind::FupCrossed, Subject::Service(usage.service_id.0), body);
        let job = json!({ "service": usage.service_id.0 });
        change.job("network", "converge", change.now, job).await?;
    }
    Ok(())
}

/// The line has its rate back.
async fn came_back(
    change: &Change<'_>,
    customer: CustomerId,
    policy: &Policy,
    own_rates: Option<Bandwidth>,
    before: &Usage,
    reason: &str,
) -> Result<(), Error> {
    let level = if reason == "policy" { policy.level(&count(before)) } else { 0 };
    if level == 0 {
        crate::exceptions::crossed(change, before.service_id, false).await?;
    }
    let mut body = told(customer, policy, own_rates, before, before.level.max(0) as usize, level);
    body["reason"] = reason.into();
    change.event(EventKind::FupReset, Subject::Service(before.service_id.0), body);
    change.job("network", "converge", change.now, json!({ "service": before.service_id.0 })).await
}

fn told(
    customer: CustomerId,
    policy: &Policy,
    own_rates: Option<Bandwidth>,
    usage: &Usage,
    from: usize,
    to: usize,
) -> serde_json::Value {
    let kbps = |level| policy.rates(level).or(own_rates).map(|rates| (rates.down_kbps, rates.up_kbps));
    let (old, new) = (kbps(from), kbps(to));
    json!({
        "customer": customer.0, "template": policy.id.0, "name": &*policy.name, "measure": policy.measure.word(),
        "used_bytes": policy.used(&count(usage)), "threshold_bytes": policy.threshold(from.max(to)),
        "carried_bytes": usage.carried, "level": to, "cycle_started_at": usage.starts_at.0,
        "cycle_ends_at": usage.ends_at.map(|at| at.0),
        "from_down_kbps": old.map(|rate| rate.0), "from_up_kbps": old.map(|rate| rate.1),
        "to_down_kbps": new.map(|rate| rate.0), "to_up_kbps": new.map(|rate| rate.1),
    })
}

/// How many services one look takes, and how many of one tenant share a transaction.
const BATCH: i64 = 500;
const CHUNK: usize = 50;

/// Gives back their rate to those whose cycle has ended, and lets sessions follow the hour; how many there were.
pub async fn run(app: &App) -> Result<usize, Error> {
    turn(app).await?;
    let mut acted = 0;
    loop {
        let now = app.clock.now();
        let due = app.db.read(async move |tx| fup::due(tx, now, BATCH).await).await?;
        let mut done = 0;
        let mut rest = &due[..];
        while let Some((isp, _)) = rest.first() {
            let same = rest.iter().take(CHUNK).take_while(|(other, _)| other == isp).count();
            let (chunk, later) = rest.split_at(same);
            done += begin_again(app, *isp, chunk.iter().map(|(_, id)| *id).collect()).await?;
            rest = later;
        }
        acted += done;
        if done == 0 {
            return Ok(acted);
        }
    }
}

/// How many of them were due.
async fn begin_again(app: &App, isp: IspId, mut services: Vec<ServiceId>) -> Result<usize, Error> {
    let tenant = app.tenant(isp).await?;
    services.sort_unstable_by_key(|id| id.0);
    app.change(&Actor::system(isp), Class::Bulk, async move |change| {
        let mut done = 0;
        let mut policies: std::collections::HashMap<FupTemplateId, Policy> = Default::default();
        for id in &services {
            // A report may have come first.
            let row = fup::lock_usage(change.tx, isp, *id).await?;
            let due = |row: &Usage| row.level > 0 && row.ends_at.is_some_and(|end| end <= change.now);
            let Some(row) = row.filter(due) else { continue };
            done += 1;
            let line = service::find(change.tx, isp, *id).await?;
            let template = match &line {
                Some(line) => in_force(change.tx, isp, line).await?.0,
                None => None,
            };
            let (Some(line), true) = (line, template == Some(row.template_id)) else {
                // Of a policy that it goes by no longer.
                fup::set_level(change.tx, isp, *id, 0).await?;
                continue;
            };
            if !policies.contains_key(&row.template_id)
                && let Some(policy) = load(change.tx, isp, row.template_id, &tenant.zone).await?
            {
                policies.insert(row.template_id, policy);
            }
            let Some(policy) = policies.get(&row.template_id) else {
                fup::set_level(change.tx, isp, *id, 0).await?;
                continue;
            };
            let cycle = cycle(change, policy, *id, change.now).await?;
            let next = policy.rolled(Some(&count(&row)), cycle);
            fup::put_usage(change.tx, &usage_row(isp, *id, row.template_id, &next, change.now)).await?;
            let rates = own_rates(change.tx, isp, &line).await?;
            came_back(change, line.customer_id, policy, rates, &row, "cycle").await?;
        }
        Ok(done)
    })
    .await
}

/// Templates whose windows begin or end now: the live sessions follow.
async fn turn(app: &App) -> Result<(), Error> {
    let now = app.clock.now();
    for (isp, id) in app.db.read(async move |tx| fup::turning(tx, now).await).await? {
        let tenant = app.tenant(isp).await?;
        app.change(&Actor::system(isp), Class::Bulk, async move |change| {
            let Some(whole) = fup::find(change.tx, isp, id).await? else { return Ok(()) };
            let Some(before) = whole.template.turns_at.filter(|at| *at <= change.now) else { return Ok(()) };
            let next = policy(&whole, |_| None, tenant.zone.clone()).next_turn(change.now);
            if fup::turn(change.tx, isp, id, before, next).await? {
                follow(change, id).await?;
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// How a customer's primary line stands with fair use.
#[derive(Clone, Debug)]
pub struct Standing {
    pub line: Service,
    pub template: Option<Whole>,
    pub policy: Option<Policy>,
    /// Chosen for the line, rather than its plan's.
    pub chosen: Option<Override>,
    /// In the present cycle.
    pub count: Option<Count>,
    /// The rate without fair use.
    pub own_rates: Option<Bandwidth>,
}

impl Standing {
    pub fn level(&self) -> usize {
        self.policy.as_ref().zip(self.count.as_ref()).map_or(0, |(policy, count)| policy.level(count))
    }

    /// The rate it has now, while its period runs.
    pub fn rates(&self, now: Instant) -> Option<Bandwidth> {
        let fair = self.policy.as_ref().and_then(|policy| policy.rates_at(self.count.as_ref(), now));
        fair.or(self.own_rates)
    }
}

pub async fn standing(app: &App, actor: &Actor, id: CustomerId) -> Result<Standing, Error> {
    let (tenant, who, now) = (app.tenant(actor.isp).await?, actor.clone(), app.clock.now());
    app.db
        .read(async move |tx| {
            let isp = who.isp;
            let owner = customer::find(tx, isp, id).await?.ok_or(Error::NotFound { what: "customer" })?;
            who.reaches(owner.branch_id)?;
            let line = service::of_customer(tx, isp, id).await?.into_iter().next();
            let line = line.ok_or(Error::NotFound { what: "service" })?;
            let (template, chosen) = in_force(tx, isp, &line).await?;
            let (policy, whole) = match template {
                Some(template) => (load(tx, isp, template, &tenant.zone).await?, fup::find(tx, isp, template).await?),
                None => (None, None),
            };
            let usage = fup::usage(tx, isp, line.id).await?.filter(|row| Some(row.template_id) == template);
            let count = usage.as_ref().map(count).filter(|count| count.is_of(now));
            let own_rates = own_rates(tx, isp, &line).await?;
            Ok(Standing { line, template: whole, policy, chosen, count, own_rates })
        })
        .await
}

/// What happens within so many days if so much is used a day.
pub async fn preview(
    app: &App,
    actor: &Actor,
    id: CustomerId,
    (up_a_day, down_a_day): (u64, u64),
    days: u32,
) -> Result<Vec<(Instant, Coming)>, Error> {
    let standing = standing(app, actor, id).await?;
    let now = app.clock.now();
    let line = rules::Line {
        policy: standing.policy.as_ref(),
        count: standing.count,
        rates: standing.own_rates,
        quota_left_bytes: recharge::quota(&standing.line).data_left_bytes().map(|left| left as u64),
        expires_at: standing.line.expires_at,
    };
    let until = now.plus(i64::from(days) * domain::clock::DAY);
    Ok(rules::preview(&line, now, until, up_a_day, down_a_day))
}
