//! Policies: made, changed, attached to plans, chosen for one line.

use domain::{
    BandwidthId, CustomerId, FupTemplateId, Instant, PlanId, ServiceId,
    catalogue::fup::{Measure, Reset},
};
use jiff::tz::TimeZone;
use store::{
    access::fup::{self, Override, Template, Tier, Whole, Window},
    catalogue::plan,
    db::Class,
    people::service::Service,
};

use super::policy;
use crate::{
    Actor, App, By, Change, Error, Expected, Fact, What, Why,
    kernel::work::Work,
    kernel::{app::Tenant, hold::primary, ids::Table},
};
use domain::kernel::names::name_key;

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

impl Chosen {
    /// The first threshold of a policy of the line's own.
    pub(crate) fn limit(&self) -> Option<i64> {
        match self {
            Chosen::Own(draft) => draft.tiers.iter().map(|(after, _)| *after).min(),
            Chosen::Template(_) | Chosen::Exempt => None,
        }
    }
}

pub async fn create(app: &App, actor: &Actor, name: String, draft: Draft) -> Result<Whole, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let id = FupTemplateId(app.new_id(Table::FupTemplate).await?);
    app.change(actor, Class::Interactive, async move |change| {
        let key = free_name(change, &name, None).await?;
        let whole = make(change, &tenant.zone, id, &draft, None, Some((name.trim(), key))).await?;
        fup::save(change.tx, &whole).await?;
        change.tell(Fact::FupTemplateCreated { template: id, name: whole.template.name.clone() });
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
    change.tell(Fact::FupTemplateUpdated { template: id, name: after.template.name.clone() });
    follow(change, id).await
}

/// Orders the live sessions of everybody who goes by a template to follow.
pub(super) async fn follow(change: &Change<'_>, id: FupTemplateId) -> Result<(), Error> {
    for plan in fup::plans_with(change.tx, change.isp, id).await? {
        change.order(Work::ConvergePlan(plan)).await?;
    }
    for service in fup::services_with(change.tx, change.isp, id).await? {
        change.order(Work::follow(service)).await?;
    }
    Ok(())
}

pub async fn delete(app: &App, actor: &Actor, id: FupTemplateId) -> Result<(), Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        let mut whole = named(change, id).await?;
        if !fup::plans_with(change.tx, change.isp, id).await?.is_empty() {
            return Err(Error::InUse { what: What::FupTemplate, by: By::Plan });
        }
        if !fup::services_with(change.tx, change.isp, id).await?.is_empty() {
            return Err(Error::InUse { what: What::FupTemplate, by: By::Customer });
        }
        whole.template.deleted_at = Some(change.now);
        whole.template.updated_at = change.now;
        whole.template.name_key = None;
        whole.template.turns_at = None;
        fup::save(change.tx, &whole).await?;
        fup::forget_usage(change.tx, change.isp, id).await?;
        change.tell(Fact::FupTemplateDeleted { template: id, name: whole.template.name });
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
    whole.filter(is_named).ok_or(Error::NotFound { what: What::FupTemplate })
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
        let mut row = plan::find(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Plan })?;
        if row.fup_template_id == template {
            return Ok(row);
        }
        if let Some(template) = template {
            known(change, template).await?;
        }
        row.fup_template_id = template;
        row.updated_at = change.now;
        plan::update(change.tx, &row).await?;
        change.tell(Fact::PlanFupChosen { plan: id, name: row.name.clone(), fup_template: template });
        change.order(Work::ConvergePlan(id)).await?;
        Ok(row)
    })
    .await
}

/// Lets a customer's primary line go by another policy than its plan's.
pub async fn choose(app: &App, actor: &Actor, id: CustomerId, chosen: Chosen) -> Result<(), Error> {
    actor.writes()?;
    let (tenant, who) = (app.tenant(actor.isp).await?, actor.clone());
    app.change(actor, Class::Interactive, async move |change| {
        let line = primary(change, &who, id).await?;
        choose_for(change, &tenant, &line, &chosen).await.map(drop)
    })
    .await
}

/// As [`choose`], of a line that is locked; whether anything is different.
pub(crate) async fn choose_for(
    change: &Change<'_>,
    tenant: &Tenant,
    line: &Service,
    chosen: &Chosen,
) -> Result<bool, Error> {
    let before = fup::overridden(change.tx, change.isp, line.id).await?;
    let own = fup::own(change.tx, change.isp, line.id).await?;
    let mut followed = false;
    let template = match chosen {
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
            let template = match &known {
                Some(known) => known.template.id,
                None => FupTemplateId(change.id(Table::FupTemplate).await?),
            };
            let mut after = make(change, &tenant.zone, template, draft, Some(line.id), None).await?;
            match &known {
                Some(known) => {
                    after.template.created_at = known.template.created_at;
                    replace(change, known, &after).await?;
                    followed = true;
                }
                None => {
                    fup::save(change.tx, &after).await?;
                    change.tell(Fact::OwnFupCreated { template, service: line.id });
                }
            }
            Some(template)
        }
    };
    if let Some(own) = own.filter(|own| Some(*own) != template) {
        drop_own(change, own).await?;
    }
    let different = matches!(chosen, Chosen::Own(_)) || before.as_ref().map(|row| row.template_id) != Some(template);
    if different {
        let row = Override {
            isp_id: change.isp,
            service_id: line.id,
            template_id: template,
            actor: change.actor.into(),
            created_at: change.now,
        };
        fup::put_override(change.tx, &row).await?;
        change.tell(Fact::FupOverridden {
            line: line.id,
            customer: line.customer_id,
            template,
            own: matches!(chosen, Chosen::Own(_)),
        });
        if !followed {
            change.order(Work::follow(line.id)).await?;
        }
    }
    Ok(different)
}

/// The customer's primary line goes by its plan's policy again.
pub async fn clear(app: &App, actor: &Actor, id: CustomerId) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let line = primary(change, &who, id).await?;
        clear_for(change, &line).await.map(drop)
    })
    .await
}

/// As [`clear`], of a line that is locked; whether anything is different.
pub(crate) async fn clear_for(change: &Change<'_>, line: &Service) -> Result<bool, Error> {
    let own = fup::own(change.tx, change.isp, line.id).await?;
    if !fup::clear_override(change.tx, change.isp, line.id).await? {
        return Ok(false);
    }
    if let Some(own) = own {
        drop_own(change, own).await?;
    }
    change.tell(Fact::FupCleared { line: line.id, customer: line.customer_id });
    change.order(Work::follow(line.id)).await?;
    Ok(true)
}

async fn drop_own(change: &Change<'_>, id: FupTemplateId) -> Result<(), Error> {
    let Some(mut whole) = fup::find(change.tx, change.isp, id).await? else { return Ok(()) };
    whole.template.deleted_at = Some(change.now);
    whole.template.turns_at = None;
    fup::save(change.tx, &whole).await?;
    fup::forget_usage(change.tx, change.isp, id).await?;
    if let Some(service) = whole.template.service_id {
        change.tell(Fact::OwnFupDeleted { template: id, service });
    }
    Ok(())
}

fn is_named(whole: &Whole) -> bool {
    whole.template.service_id.is_none()
}

async fn named(change: &Change<'_>, id: FupTemplateId) -> Result<Whole, Error> {
    let whole = fup::find(change.tx, change.isp, id).await?;
    whole.filter(is_named).ok_or(Error::NotFound { what: What::FupTemplate })
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
        return Err(Error::invalid("tiers", Why::Not(Expected::FupThresholds)));
    }
    let fits = |minute: i64| (0..1440).contains(&minute);
    let windows_fit = draft.windows.iter().all(|w| fits(w.from) && fits(w.until) && w.from != w.until);
    if draft.windows.len() > WINDOWS || !windows_fit {
        return Err(Error::invalid("windows", Why::Not(Expected::FupTimes)));
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
