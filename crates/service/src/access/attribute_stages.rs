//! What a vendor's override puts on a line: attributes, before a limit and beyond it.

use domain::{
    BandwidthId, CustomerId, PlanId, ServiceId,
    catalogue::fup::{Measure, Reset},
};
use store::{
    access::override_attribute::{self as rows, OverrideAttribute},
    catalogue::plan,
    db::Class,
    people::service::{self, Attribute, Service},
};

use crate::{
    Actor, App, Change, Error, Fact, Refusal, What,
    access::{attributes::NewAttribute, fup},
    kernel::hold::primary,
    kernel::ids::Table,
    kernel::work::Work,
};

/// What takes an override's place beyond a limit.
#[derive(Clone, Debug)]
pub struct Beyond {
    pub measure: Measure,
    pub bytes: i64,
    pub reset: Reset,
    pub attributes: Vec<NewAttribute>,
}

const BEFORE: i64 = 1;
const BEYOND: i64 = 2;

/// Attributes instead of any an earlier override has put there, and others in their place beyond a limit; none takes them
/// away. Attributes added one by one stay. The door that takes them checks them against the dictionary.
///
/// The limit is the line's fair use policy: where a policy of its own has another threshold already, it is refused.
pub async fn attributes(
    app: &App,
    actor: &Actor,
    id: CustomerId,
    wanted: Vec<NewAttribute>,
    beyond: Option<Beyond>,
) -> Result<(), Error> {
    actor.writes()?;
    let (tenant, who) = (app.tenant(actor.isp).await?, actor.clone());
    app.change(actor, Class::Interactive, async move |change| {
        let line = primary(change, &who, id).await?;
        let known = fup::limit_of(change.tx, &line).await?;
        match (&beyond, known) {
            (Some(beyond), Some(known)) if known != Some(beyond.bytes) => {
                return Err(Error::Refused(Refusal::OtherLimit));
            }
            (Some(beyond), None) => {
                let rates = match line.bandwidth_id {
                    Some(rates) => rates,
                    None => plan_rates(change, line.plan_id).await?,
                };
                let draft = fup::Draft {
                    measure: beyond.measure,
                    reset: beyond.reset,
                    carry_forward: false,
                    tiers: vec![(beyond.bytes, rates)],
                    windows: Vec::new(),
                };
                fup::choose_for(change, &tenant, &line, &fup::Chosen::Own(draft)).await?;
            }
            (Some(_), Some(_)) | (None, _) => {}
        }
        let had_limit = drop_attributes(change, &line).await?;
        let later = beyond.as_ref().map_or(&[][..], |beyond| &beyond.attributes);
        let stages = wanted.iter().map(|one| (BEFORE, one)).chain(later.iter().map(|one| (BEYOND, one)));
        for (stage, one) in stages {
            OverrideAttribute {
                isp_id: change.isp,
                id: change.id(Table::OverrideAttribute).await?,
                service_id: line.id,
                stage,
                attribute: one.attribute.trim().into(),
                op: one.op.clone(),
                value: one.value.clone(),
                live_id: None,
            }
            .insert(change.tx)
            .await?;
        }
        let usage = store::access::fup::usage(change.tx, change.isp, line.id).await?;
        let level = usage.map_or(0, |usage| usage.level);
        stand(change, line.id, if beyond.is_some() && level > 0 { BEYOND } else { BEFORE }).await?;
        if had_limit && beyond.is_none() && known.is_some() && line.bandwidth_id.is_none() {
            fup::clear_for(change, &line).await?;
        }
        follow(change, &line, Fact::LineAttributesPut { line: line.id, customer: id, attributes: wanted.len() as i64 })
            .await
    })
    .await
}

/// Refuses fair use of a line beyond another limit than the one its attributes change at; a line has one policy.
pub(crate) async fn fits(change: &Change<'_>, line: &Service, wanted: Option<i64>) -> Result<(), Error> {
    let stages = rows::of_service(change.tx, change.isp, line.id).await?;
    if !stages.iter().any(|row| row.stage == BEYOND) {
        return Ok(());
    }
    match fup::limit_of(change.tx, line).await?.flatten() {
        Some(limit) if wanted != Some(limit) => Err(Error::Refused(Refusal::AttributesAtOtherLimit)),
        Some(_) | None => Ok(()),
    }
}

/// Beyond how many bytes a line's attributes change, where they do: the first threshold of the policy it has for that.
pub async fn limit(app: &App, actor: &Actor, id: CustomerId) -> Result<Option<i64>, Error> {
    let standing = fup::standing(app, actor, id).await?;
    let (isp, line) = (actor.isp, standing.line.id);
    let rows = app.db.read(async move |tx| rows::of_service(tx, isp, line).await).await?;
    let own = standing.chosen.is_some() && rows.iter().any(|row| row.stage == BEYOND);
    let first = standing.template.as_ref().and_then(|whole| whole.tiers.first().map(|tier| tier.after_bytes));
    Ok(first.filter(|_| own))
}

async fn plan_rates(change: &Change<'_>, id: PlanId) -> Result<BandwidthId, Error> {
    let plan = plan::any(change.tx, change.isp, id).await?;
    Ok(plan.ok_or(Error::NotFound { what: What::Plan })?.bandwidth_id)
}

/// Puts the attributes of a stage on the line, in place of the other's.
async fn stand(change: &Change<'_>, line: ServiceId, stage: i64) -> Result<(), Error> {
    for row in rows::of_service(change.tx, change.isp, line).await? {
        let live = match (row.stage == stage, row.live_id) {
            (true, None) => {
                let live = Attribute {
                    isp_id: change.isp,
                    id: change.id(Table::Attribute).await?,
                    service_id: line,
                    attribute: row.attribute,
                    op: row.op,
                    value: row.value,
                    created_at: change.now,
                };
                live.insert(change.tx).await?;
                Some(live.id)
            }
            (false, Some(live)) => {
                service::remove_attribute(change.tx, change.isp, line, live).await?;
                None
            }
            (_, as_it_is) => as_it_is,
        };
        if live != row.live_id {
            rows::set_live(change.tx, change.isp, row.id, live).await?;
        }
    }
    Ok(())
}

/// The line has crossed its limit, or its cycle began anew: an override of two stages follows. Whoever calls says so with
/// an event and orders the network to follow.
pub(crate) async fn crossed(change: &Change<'_>, line: ServiceId, beyond: bool) -> Result<(), Error> {
    let all = rows::of_service(change.tx, change.isp, line).await?;
    match all.iter().any(|row| row.stage == BEYOND) {
        true => stand(change, line, if beyond { BEYOND } else { BEFORE }).await,
        false => Ok(()),
    }
}

/// Whether there was a second stage.
async fn drop_attributes(change: &Change<'_>, line: &Service) -> Result<bool, Error> {
    let old = rows::of_service(change.tx, change.isp, line.id).await?;
    for row in &old {
        if let Some(live) = row.live_id {
            service::remove_attribute(change.tx, change.isp, line.id, live).await?;
        }
    }
    rows::clear(change.tx, change.isp, line.id).await?;
    Ok(old.iter().any(|row| row.stage == BEYOND))
}

/// Takes all of a locked line's own away; whoever calls saves the line and orders the network to follow.
pub(crate) async fn clear(change: &Change<'_>, line: &mut Service) -> Result<(), Error> {
    line.bandwidth_id = None;
    drop_attributes(change, line).await?;
    Ok(())
}

async fn follow(change: &Change<'_>, line: &Service, fact: Fact) -> Result<(), Error> {
    change.tell(fact);
    change.order(Work::follow(line.id)).await
}
