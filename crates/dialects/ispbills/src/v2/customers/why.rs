//! Why a customer's line stands as it does.

use axum::extract::State;
use domain::{CustomerId, Scope};
use doors::{Id, Operation, wire::utc_seconds, words};
use serde::Serialize;
use service::{App, reports::why};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Reply};
use crate::v2::catalogue::fup::{Rate, rate};

#[derive(Serialize, ToSchema)]
#[schema(as = Why)]
pub struct Because {
    state: Now,
    /// The cause of the state first, then everything else, newest first.
    facts: Vec<Fact>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = WhyState)]
pub struct Now {
    /// In one sentence.
    text: String,
    /// Whether a login with the right password is let in now.
    may_log_in: bool,
    /// Why not, in a word: expired, suspended, quota_used_up …
    reason: Option<&'static str>,
    /// Let in as expired: to pay.
    restricted: bool,
    username: String,
    status: &'static str,
    expires_at: Option<String>,
    rate: Option<Rate>,
    /// As sold, before fair use.
    sold_rate: Option<Rate>,
    pool: Option<String>,
    address: Option<String>,
    data_left_bytes: Option<u64>,
    fair_use: FairUse,
    online: Vec<Online>,
    last_login_at: Option<String>,
    router: Router,
}

#[derive(Serialize, ToSchema)]
#[schema(as = WhyFairUse)]
pub struct FairUse {
    policy: Option<String>,
    used_bytes: Option<u64>,
    next_threshold_bytes: Option<u64>,
    /// How many thresholds have been crossed.
    level: usize,
    cycle_ends_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = WhyOnline)]
pub struct Online {
    session_id: i64,
    since: String,
    reported_at: String,
    address: Option<String>,
    mac: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = WhyRouter)]
pub struct Router {
    id: i64,
    name: Option<String>,
    /// When one of its open sessions last reported.
    last_contact_at: Option<String>,
    open_sessions: i64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = WhyFact)]
pub struct Fact {
    at: String,
    /// An event's word, login.refused, session.started or session.ended.
    kind: String,
    text: String,
    by: String,
    #[schema(value_type = Object)]
    data: serde_json::Value,
}

pub const SHOW: Operation =
    Operation::new("Customers", "Why a customer's line stands as it does", Scope::CustomersRead)
        .about("The state as a login would find it now, and up to a hundred dated facts behind it.")
        .answers::<Because>()
        .refuses(&[404]);

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Because> {
    let why::Because { state, facts } = why::of(&app, &caller.actor, CustomerId(id)).await?;
    let tenant = app.tenant(caller.actor.isp).await?;
    let local = words::Local { zone: &tenant.zone, currency: &tenant.currency };
    let grant = state.decision.as_ref().ok();
    let text = words::state(&state);
    let told = Now {
        may_log_in: grant.is_some(),
        reason: state.decision.as_ref().err().map(|reason| reason.word()),
        restricted: grant.is_some_and(|grant| grant.expired),
        username: state.username,
        status: state.status.word(),
        expires_at: state.expires_at.map(utc_seconds),
        rate: grant.and_then(|grant| grant.bandwidth).map(rate),
        sold_rate: state.own_rates.map(rate),
        pool: grant.and_then(|grant| grant.pool.as_deref()).map(str::to_string),
        address: grant.and_then(|grant| grant.address).map(|address| address.to_string()),
        data_left_bytes: grant.and_then(|grant| grant.data_left_bytes),
        fair_use: FairUse {
            policy: state.fair.policy,
            used_bytes: state.fair.used_bytes,
            next_threshold_bytes: state.fair.next_threshold_bytes,
            level: state.fair.level,
            cycle_ends_at: state.fair.cycle_ends_at.map(utc_seconds),
        },
        online: state
            .online
            .into_iter()
            .map(|session| Online {
                session_id: session.id.0,
                since: utc_seconds(session.started_at),
                reported_at: utc_seconds(session.reported_at),
                address: session.address,
                mac: session.mac,
            })
            .collect(),
        last_login_at: state.last_login_at.map(utc_seconds),
        router: Router {
            id: state.router.id.0,
            name: state.router.name,
            last_contact_at: state.router.last_contact_at.map(utc_seconds),
            open_sessions: state.router.open_sessions,
        },
        text,
    };
    let facts = facts.into_iter().map(|fact| Fact {
        at: utc_seconds(fact.at),
        text: words::said(&fact, &local),
        by: words::through(&fact.by),
        kind: fact.kind,
        data: fact.data,
    });
    Ok(Reply::data(Because { state: told, facts: facts.collect() }))
}
