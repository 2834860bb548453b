//! Sections K and X: fair use as templates say it and as users stand with it; profiles and bandwidths. A group's profile is
//! the same plan: what it gives, rather than who is on it.

use axum::extract::State;
use domain::{Money, PlanId, catalogue::fup::Reset, kernel::event::EventKind};
use serde_json::{Value, json};
use service::{
    App, Bandwidth, Error, Plan,
    access::fup::{self, Whole},
    catalogue::plans::{self, Offer},
    customers::presence,
};

use crate::envelope::{Answer, Call, Failure, Reply, day_of, id_of};

/// `daily`, `weekly` and so on, and its day, as E28 has them.
fn resets(reset: Reset) -> (&'static str, Option<u8>) {
    match reset {
        Reset::Daily => ("daily", None),
        Reset::Weekly { day } => ("weekly", Some(day)),
        Reset::Monthly { day } => ("monthly", Some(day)),
        Reset::Period => ("billing", None),
        Reset::Never => ("never", None),
    }
}

fn template(one: &Whole, bandwidths: &[Bandwidth]) -> Value {
    let (every, day) = resets(Reset::from_parts(&one.template.reset, one.template.reset_day).unwrap_or(Reset::Never));
    let tiers = one.tiers.iter().map(|tier| {
        let rate = bandwidths.iter().find(|row| row.id == tier.bandwidth_id);
        json!({
            "limit": tier.after_bytes.to_string(), "bandwidthTemplateId": tier.bandwidth_id.to_string(),
            "bandwidthTemplateName": rate.map(|rate| rate.name.clone())
        })
    });
    json!({
        "id": one.template.id.to_string(), "name": one.template.name, "policy": one.template.measure.word(),
        "resetEvery": every, "resetDay": day.map(|day| day.to_string()),
        "carryForwardPreviousData": if one.template.carry_forward { "yes" } else { "no" },
        "limits": tiers.collect::<Value>()
    })
}

/// K Fair use templates; users' own policies are no templates.
pub async fn templates(State(app): State<App>, call: Call) -> Answer {
    let bandwidths = plans::bandwidths(&app, &call.actor).await?;
    let found = fup::templates(&app, &call.actor).await?;
    Ok(Reply::data(found.iter().map(|one| json!({ "FupTemplate": template(one, &bandwidths) })).collect()))
}

/// K How a user stands with fair use, and the limits it crossed on these days.
pub async fn fair_use(State(app): State<App>, call: Call) -> Answer {
    let date = |name: &str| {
        let text = call.segment(name).unwrap_or_default();
        day_of(&text).ok_or_else(|| Failure::said(format!("The {name} must be a date.")))
    };
    let (from, until) = (call.begins(date("fromDate")?), call.ends(date("toDate")?));
    let user = call.user();
    let standing = fup::standing(&app, &call.actor, user).await?;
    let bandwidths = plans::bandwidths(&app, &call.actor).await?;
    let used = standing.policy.as_ref().zip(standing.count.as_ref()).map_or(0, |(policy, count)| policy.used(count));
    let crossed = presence::crossings(&app, &call.actor, user, (from, until)).await?;
    let history = crossed.iter().map(|event| {
        let what = if event.kind == EventKind::FupCrossed { "crossed" } else { "reset" };
        json!({ "date": call.datetime(event.at), "event": what })
    });
    Ok(Reply::data(json!({
        "userId": user.to_string(),
        "template": standing.template.as_ref().map(|one| template(one, &bandwidths)),
        "ownPolicy": if standing.chosen.is_some() { "yes" } else { "no" },
        "usedData": used.to_string(), "limitsCrossed": standing.level().to_string(),
        "cycleStartDate": standing.count.as_ref().map(|count| call.datetime(count.cycle.starts_at)),
        "cycleEndDate": standing.count.as_ref().and_then(|count| count.cycle.ends_at).map(|at| call.datetime(at)),
        "history": history.collect::<Value>()
    })))
}

fn name(plan: &Plan) -> String {
    format!("{} Profile", plan.name)
}

/// X Ids of profiles; `yes` or `no` where only those on sale, or those that are not, are wanted.
pub async fn profile_ids(State(app): State<App>, call: Call) -> Answer {
    let visible = match call.segment("visible").map(|word| word.to_ascii_lowercase()).as_deref() {
        None | Some("all") => None,
        Some("yes" | "true" | "1" | "visible") => Some(true),
        Some("no" | "false" | "0") => Some(false),
        Some(_) => return Err(Failure::said("visible must be yes or no.")),
    };
    let offers = plans::offers(&app, &call.actor).await?;
    let wanted = offers.iter().filter(|offer| visible.is_none_or(|visible| offer.plan.enabled == visible));
    let row = |offer: &Offer| json!({ "Profile_id": offer.plan.id.to_string(), "Profile_Name": name(&offer.plan) });
    Ok(Reply::data(wanted.map(row).collect()))
}

/// X One profile: what its plan costs, for how long, at which rate, up to which limits.
pub async fn profile(State(app): State<App>, call: Call) -> Answer {
    let id = PlanId(call.segment("profileId").map_or(0, |text| id_of(&text)));
    let found = plans::show(&app, &call.actor, id).await;
    let Offer { plan, version } = found.map_err(|error| match error {
        Error::NotFound { .. } => Failure::unknown("Profile not found"),
        other => other.into(),
    })?;
    let terms = plans::terms(&version);
    let rate = plans::bandwidths(&app, &call.actor).await?.into_iter().find(|row| row.id == plan.bandwidth_id);
    let tax = Money(terms.tax.split(terms.price).tax.0);
    Ok(Reply::data(json!({ "Profile": {
        "id": plan.id.to_string(), "name": name(&plan), "Group_id": plan.id.to_string(), "Group_name": plan.name,
        "bandwidthTemplateId": plan.bandwidth_id.to_string(),
        "bandwidthTemplateName": rate.map(|rate| rate.name), "price": call.amount(terms.tax.split(terms.price).total()),
        "tax_amount": call.amount(tax), "validity": version.validity.to_string(), "validityUnit": version.validity_unit,
        "dataLimit": terms.limit.data_bytes.map(|bytes| bytes.to_string()),
        "timeLimit": terms.limit.time_s.map(|seconds| seconds.to_string()),
        "simultaneousSessions": plan.shared_users.to_string(),
        "fupTemplateId": plan.fup_template_id.map(|id| id.to_string()),
        "visible": if plan.enabled { "yes" } else { "no" }
    } })))
}

/// X Bandwidth templates, in kbit/s.
pub async fn bandwidths(State(app): State<App>, call: Call) -> Answer {
    let found = plans::bandwidths(&app, &call.actor).await?;
    let text = |number: Option<i64>| number.map(|number| number.to_string());
    let row = |rate: &Bandwidth| {
        json!({ "BandwidthTemplate": {
            "id": rate.id.to_string(), "name": rate.name, "upload": rate.up_kbps.to_string(),
            "download": rate.down_kbps.to_string(), "burstUpload": text(rate.burst_up_kbps),
            "burstDownload": text(rate.burst_down_kbps), "burstThresholdUpload": text(rate.burst_threshold_up_kbps),
            "burstThresholdDownload": text(rate.burst_threshold_down_kbps), "burstTime": text(rate.burst_time_s),
            "priority": text(rate.priority)
        } })
    };
    Ok(Reply::data(found.iter().map(row).collect()))
}
