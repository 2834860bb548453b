//! Fair use: policies, which packages and customers go by them, and what comes.

use axum::extract::State;
use domain::{
    BandwidthId, CustomerId, FupTemplateId, PlanId, Scope,
    catalogue::fup::{Coming, Measure, Reset},
};
use doors::{
    Given, Id, Operation,
    form::{Body, Query, TimeOfDay},
    wire::utc_seconds,
};
use serde::Serialize;
use service::{
    App, Error, Expected, FieldError, Why,
    access::fup::{self, Chosen, Draft, NewWindow, Whole},
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Done, Failure, Listing, NO_CONTENT, Page, Reply};

const MEASURES: &[&str] = &["total", "down", "either"];
const RESETS: &[&str] = &Reset::WORDS;

doors::form! {
    /// A fair use policy as it shall be; what is left out has its usual value.
    FairUsePolicy {
        name: required Text(1, 100), "The name.";
        tiers: required Tiers(16), "From so many bytes of a cycle on, this bandwidth; from 0 on: instead of the package's.";
        measure: optional Word(MEASURES), "Which bytes count: both ways together (`total`, as usual), `down` alone, or the larger way (`either`).";
        reset: optional Word(RESETS), "When counting starts again: `daily`, `weekly`, `monthly` (as usual), with each sold `period`, `never`.";
        reset_day: optional Integer(0, 31), "The day of the week (0 is Sunday) or of the month; Monday or the first where it is left out.";
        carry_forward: optional Boolean, "What a cycle leaves of its first threshold is added to the next one's.";
        windows: optional Windows(8), "Times of day that are not counted, or have their own bandwidth. The first that holds counts.";
    }
}

doors::form! {
    /// The policy of a package.
    PackagePolicy {
        template_id: optional Id, "The policy; it must be given, and null takes the present one away.";
    }
}

doors::form! {
    /// What one customer goes by: a policy of the list, none at all, or its own.
    CustomerPolicy {
        template_id: optional Id, "A policy of the list.";
        exempt: optional Boolean, "No policy at all.";
        tiers: optional Tiers(16), "Its own: from so many bytes of a cycle on, this bandwidth.";
        measure: optional Word(MEASURES), "Which bytes count.";
        reset: optional Word(RESETS), "When counting starts again.";
        reset_day: optional Integer(0, 31), "The day of the week (0 is Sunday) or of the month.";
        carry_forward: optional Boolean, "What a cycle leaves of its first threshold is added to the next one's.";
        windows: optional Windows(8), "Times of day that are not counted, or have their own bandwidth.";
    }
}

doors::form! {
    /// How much would be used.
    Use {
        down_per_day: required Integer(0, 1_000_000_000_000_000), "Bytes received a day.";
        up_per_day: optional Integer(0, 1_000_000_000_000_000), "Bytes sent a day; none where it is left out.";
        days: optional Integer(1, 366), "How far to look; 30 where it is left out.";
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = FairUsePolicyRow)]
pub struct Row {
    id: i64,
    /// Empty for a customer's own.
    name: String,
    measure: &'static str,
    reset: String,
    reset_day: Option<i64>,
    carry_forward: bool,
    tiers: Vec<TierRow>,
    windows: Vec<WindowRow>,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = FairUseTier)]
pub struct TierRow {
    after_bytes: i64,
    bandwidth_id: i64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = FairUseWindow)]
pub struct WindowRow {
    from: String,
    until: String,
    counted: bool,
    bandwidth_id: Option<i64>,
}

fn row(whole: Whole) -> Row {
    let time = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
    let template = whole.template;
    Row {
        id: template.id.0,
        name: template.name,
        measure: template.measure.word(),
        reset: template.reset,
        reset_day: template.reset_day,
        carry_forward: template.carry_forward,
        tiers: whole
            .tiers
            .iter()
            .map(|tier| TierRow { after_bytes: tier.after_bytes, bandwidth_id: tier.bandwidth_id.0 })
            .collect(),
        windows: whole
            .windows
            .iter()
            .map(|window| WindowRow {
                from: time(window.from_minute),
                until: time(window.until_minute),
                counted: window.counted,
                bandwidth_id: window.bandwidth_id.map(|id| id.0),
            })
            .collect(),
        created_at: utc_seconds(template.created_at),
        updated_at: utc_seconds(template.updated_at),
    }
}

/// What makes a draft, beside the name.
struct Parts {
    tiers: Vec<(i64, i64)>,
    measure: Given<&'static str>,
    reset: Given<&'static str>,
    reset_day: Given<i64>,
    carry_forward: Given<bool>,
    windows: Given<Vec<TimeOfDay>>,
}

fn draft(parts: Parts) -> Result<Draft, Error> {
    let reset = parts.reset.or("monthly");
    // 1 is Monday as it is the first of the month.
    let day = parts.reset_day.value().or(Some(1));
    let reset = Reset::from_parts(reset, day);
    let reset = reset.ok_or(Error::invalid("reset_day", Why::Not(Expected::ResetDay)))?;
    let windows = parts.windows.or(Vec::new()).into_iter().map(|window| NewWindow {
        from: window.from,
        until: window.until,
        counted: window.counted,
        bandwidth: window.bandwidth.map(BandwidthId),
    });
    Ok(Draft {
        measure: parts.measure.value().and_then(Measure::from_word).unwrap_or(Measure::Total),
        reset,
        carry_forward: parts.carry_forward.or(false),
        tiers: parts.tiers.into_iter().map(|(after, id)| (after, BandwidthId(id))).collect(),
        windows: windows.collect(),
    })
}

fn policy(body: FairUsePolicy) -> Result<(String, Draft), Error> {
    let FairUsePolicy { name, tiers, measure, reset, reset_day, carry_forward, windows } = body;
    Ok((name, draft(Parts { tiers, measure, reset, reset_day, carry_forward, windows })?))
}

pub const LIST: Operation = Operation::new("Fair use", "List fair use policies", Scope::PlansRead).lists::<Row>();

pub async fn list(State(app): State<App>, caller: Caller, page: Page) -> Result<Listing<Row>, Failure> {
    let all = fup::templates(&app, &caller.actor).await?;
    Ok(page.cut(all, row))
}

pub const CREATE: Operation =
    Operation::new("Fair use", "Create a fair use policy", Scope::PlansWrite).body::<FairUsePolicy>().creates::<Row>();

pub async fn create(State(app): State<App>, caller: Caller, Body(body): Body<FairUsePolicy>) -> Answer<Row> {
    let (name, draft) = policy(body)?;
    let whole = fup::create(&app, &caller.actor, name, draft).await?;
    let changed = whole.template.updated_at;
    Ok(Reply::created(row(whole)).tagged(changed))
}

pub const SHOW: Operation =
    Operation::new("Fair use", "Show a fair use policy", Scope::PlansRead).answers::<Row>().refuses(&[404]);

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    let whole = fup::template(&app, &caller.actor, FupTemplateId(id)).await?;
    let changed = whole.template.updated_at;
    Ok(Reply::data(row(whole)).tagged(changed))
}

pub const UPDATE: Operation = Operation::new("Fair use", "Replace a fair use policy", Scope::PlansWrite)
    .about("Everybody who goes by it follows at once, live sessions too.")
    .body::<FairUsePolicy>()
    .answers::<Row>()
    .refuses(&[404]);

pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<FairUsePolicy>,
) -> Answer<Row> {
    let (name, draft) = policy(body)?;
    let seen = caller.unchanged_since()?;
    let whole = fup::update(&app, &caller.actor, FupTemplateId(id), name, draft, seen).await?;
    let changed = whole.template.updated_at;
    Ok(Reply::data(row(whole)).tagged(changed))
}

pub const DELETE: Operation =
    Operation::new("Fair use", "Delete a fair use policy", Scope::PlansWrite).no_content().refuses(&[404, 409]);

pub async fn delete(State(app): State<App>, caller: Caller, Id(id): Id) -> Done {
    fup::delete(&app, &caller.actor, FupTemplateId(id)).await?;
    NO_CONTENT
}

#[derive(Serialize, ToSchema)]
#[schema(as = PackageFairUse)]
pub struct Attached {
    package_id: i64,
    template_id: Option<i64>,
}

pub const ATTACH: Operation = Operation::new("Fair use", "Set a package's fair use policy", Scope::PlansWrite)
    .about("Everybody on the package follows at once, live sessions too.")
    .body::<PackagePolicy>()
    .answers::<Attached>()
    .refuses(&[404]);

pub async fn attach(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<PackagePolicy>,
) -> Answer<Attached> {
    let template = body.template_id.change().ok_or(Error::invalid("template_id", Why::Required))?;
    let row = fup::attach(&app, &caller.actor, PlanId(id), template.map(FupTemplateId)).await?;
    Ok(Reply::data(Attached { package_id: row.id.0, template_id: row.fup_template_id.map(|id| id.0) }))
}

#[derive(Serialize, ToSchema)]
#[schema(as = CustomerFairUse)]
pub struct Standing {
    /// package, customer, or none.
    chosen_by: &'static str,
    policy: Option<Row>,
    /// What counts in the present cycle.
    used_bytes: u64,
    up_bytes: u64,
    down_bytes: u64,
    /// Carried from the last cycle: every threshold is higher by so much.
    carried_bytes: u64,
    /// How many thresholds have been crossed.
    level: usize,
    next_threshold_bytes: Option<u64>,
    cycle_started_at: Option<String>,
    cycle_ends_at: Option<String>,
    /// The rate now, while the period runs.
    rate: Option<Rate>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Rate)]
pub struct Rate {
    down_kbps: u32,
    up_kbps: u32,
}

pub fn rate(rates: domain::Bandwidth) -> Rate {
    Rate { down_kbps: rates.down_kbps, up_kbps: rates.up_kbps }
}

async fn standing_of(app: &App, caller: &Caller, id: i64) -> Answer<Standing> {
    let found = fup::standing(app, &caller.actor, CustomerId(id)).await?;
    let (level, rates) = (found.level(), found.rates(caller.now));
    let policy = found.policy.as_ref();
    let carried = found.count.map_or(0, |count| count.carried);
    Ok(Reply::data(Standing {
        chosen_by: match (&found.chosen, policy) {
            (Some(_), _) => "customer",
            (None, Some(_)) => "package",
            (None, None) => "none",
        },
        used_bytes: policy.zip(found.count.as_ref()).map_or(0, |(policy, count)| policy.used(count)),
        up_bytes: found.count.map_or(0, |count| count.up),
        down_bytes: found.count.map_or(0, |count| count.down),
        carried_bytes: carried,
        level,
        next_threshold_bytes: policy
            .and_then(|policy| policy.threshold(level + 1))
            .map(|bytes| bytes.saturating_add(carried)),
        cycle_started_at: found.count.map(|count| utc_seconds(count.cycle.starts_at)),
        cycle_ends_at: found.count.and_then(|count| count.cycle.ends_at).map(utc_seconds),
        rate: rates.map(rate),
        policy: found.template.map(row),
    }))
}

pub const STANDING: Operation = Operation::new("Fair use", "How a customer stands with fair use", Scope::CustomersRead)
    .answers::<Standing>()
    .refuses(&[404]);

pub async fn standing(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Standing> {
    standing_of(&app, &caller, id).await
}

pub const CHOOSE: Operation =
    Operation::new("Fair use", "Give a customer its own fair use policy", Scope::CustomersWrite)
        .about("One of template_id, exempt and tiers. It holds at once, for live sessions too, until it is deleted.")
        .body::<CustomerPolicy>()
        .answers::<Standing>()
        .refuses(&[404]);

pub async fn choose(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<CustomerPolicy>,
) -> Answer<Standing> {
    let CustomerPolicy { template_id, exempt, tiers, measure, reset, reset_day, carry_forward, windows } = body;
    let exempt = exempt.or(false);
    let besides = [
        ("measure", measure.clone().value().is_some()),
        ("reset", reset.clone().value().is_some()),
        ("reset_day", reset_day.clone().value().is_some()),
        ("carry_forward", carry_forward.clone().value().is_some()),
        ("windows", windows.clone().value().is_some()),
    ];
    let chosen = match (template_id.value(), exempt, tiers.value()) {
        (None, false, Some(tiers)) => {
            Chosen::Own(draft(Parts { tiers, measure, reset, reset_day, carry_forward, windows })?)
        }
        (Some(_), false, None) | (None, true, None) if besides.iter().any(|(_, given)| *given) => {
            let wrong = besides.iter().filter(|(_, given)| *given);
            let wrong = wrong.map(|(field, _)| FieldError { field, why: Why::Not(Expected::LeftOutWithoutTiers) });
            return Err(Error::Invalid(wrong.collect()).into());
        }
        (Some(id), false, None) => Chosen::Template(FupTemplateId(id)),
        (None, true, None) => Chosen::Exempt,
        (None, false, None) => return Err(Error::invalid("template_id", Why::Required).into()),
        _ => return Err(Error::invalid("template_id", Why::Not(Expected::PolicyAlone)).into()),
    };
    fup::choose(&app, &caller.actor, CustomerId(id), chosen).await?;
    standing_of(&app, &caller, id).await
}

pub const CLEAR: Operation =
    Operation::new("Fair use", "Let a customer go by its package's fair use policy again", Scope::CustomersWrite)
        .no_content()
        .refuses(&[404]);

pub async fn clear(State(app): State<App>, caller: Caller, Id(id): Id) -> Done {
    fup::clear(&app, &caller.actor, CustomerId(id)).await?;
    NO_CONTENT
}

#[derive(Serialize, ToSchema)]
#[schema(as = FairUseComing)]
pub struct Next {
    at: String,
    /// throttled, reset, quota_used_up or expires.
    what: &'static str,
    used_bytes: Option<u64>,
    /// Without what was carried.
    threshold_bytes: Option<u64>,
    /// The rate from then on.
    rate: Option<Rate>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = FairUsePreview)]
pub struct Preview {
    coming: Vec<Next>,
}

pub const PREVIEW: Operation = Operation::new("Fair use", "What comes at so much use a day", Scope::CustomersRead)
    .about(
        "Spread evenly over the day; a slowed line carries no more than it can. It ends with the quota or the period.",
    )
    .query::<Use>()
    .answers::<Preview>()
    .refuses(&[404]);

pub async fn preview(State(app): State<App>, caller: Caller, Id(id): Id, Query(wanted): Query<Use>) -> Answer<Preview> {
    let Use { down_per_day, up_per_day, days } = wanted;
    let used = (up_per_day.or(0) as u64, down_per_day as u64);
    let coming = fup::preview(&app, &caller.actor, CustomerId(id), used, days.or(30) as u32).await?;
    let next = coming.into_iter().map(|(at, coming)| {
        let at = utc_seconds(at);
        let plain = |what| Next { at: at.clone(), what, used_bytes: None, threshold_bytes: None, rate: None };
        match coming {
            Coming::Throttled { used, threshold, rates } => Next {
                used_bytes: Some(used),
                threshold_bytes: Some(threshold),
                rate: rates.map(rate),
                ..plain("throttled")
            },
            Coming::Reset { rates } => Next { rate: rates.map(rate), ..plain("reset") },
            Coming::QuotaUsedUp => plain("quota_used_up"),
            Coming::Expires => plain("expires"),
        }
    });
    Ok(Reply::data(Preview { coming: next.collect() }))
}
