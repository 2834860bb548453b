//! Why does this customer's line stand as it does? Its state as a login would find it now, and the dated facts behind
//! it: the cause first, then everything else, newest first.

use domain::{
    Bandwidth, CustomerId, Instant, RouterId, Status,
    access::decide::{self, Decision, Grant, Login, MacLock, Reason},
    kernel::event::{EventKind, Subject},
};
use serde_json::{Value as Json, json};
use store::{
    access::{
        router,
        session::{self, Session},
    },
    identity::staff,
    kernel::event::Event,
    people::{
        customer,
        service::{self, Service},
    },
    reports::why,
};

use crate::{
    Actor, App, Error, What,
    access::{directory, fup},
    kernel::facts,
};

/// How many facts are told, and how many of one sort are looked at.
const FACTS: usize = 100;
const EACH: i64 = 60;
const SESSIONS: i64 = 20;

/// What happened, when, through whom.
#[derive(Clone, PartialEq, Debug)]
pub struct Fact {
    pub at: Instant,
    /// An event's word, `login.refused`, `session.started` or `session.ended`.
    pub kind: String,
    pub said: Said,
    pub by: Through,
    pub data: Json,
}

/// What is to be said of it.
#[derive(Clone, PartialEq, Debug)]
pub enum Said {
    /// `who`: the name of what it is about.
    Event {
        event: Event,
        who: String,
    },
    /// Not told yet.
    Fact {
        fact: facts::Fact,
        who: String,
    },
    Refused {
        username: String,
        mac: Option<String>,
        reason: Reason,
    },
    Online {
        username: String,
    },
    /// After so many bytes.
    Offline {
        username: String,
        used: u64,
        cause: String,
    },
}

/// Through whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Through {
    /// `staff:3`, `api:12`, `system`; the name of a person.
    Actor {
        label: String,
        name: Option<String>,
    },
    Router {
        id: RouterId,
        name: Option<String>,
    },
}

/// How the primary line stands.
#[derive(Clone, Debug)]
pub struct State {
    pub username: String,
    pub status: Status,
    /// What a login with the right password gets.
    pub decision: Result<Grant, Reason>,
    pub expires_at: Option<Instant>,
    /// The rate as sold, before fair use.
    pub own_rates: Option<Bandwidth>,
    pub fair: Fair,
    pub online: Vec<Session>,
    pub last_login_at: Option<Instant>,
    pub router: Router,
}

#[derive(Clone, Default, Debug)]
pub struct Fair {
    pub policy: Option<String>,
    pub used_bytes: Option<u64>,
    /// The next threshold, with what was carried.
    pub next_threshold_bytes: Option<u64>,
    pub level: usize,
    pub cycle_ends_at: Option<Instant>,
}

#[derive(Clone, Debug)]
pub struct Router {
    pub id: RouterId,
    pub name: Option<String>,
    /// When an open session through it last reported.
    pub last_contact_at: Option<Instant>,
    pub open_sessions: i64,
}

#[derive(Clone, Debug)]
pub struct Because {
    pub state: State,
    pub facts: Vec<Fact>,
}

/// What the database says of it.
struct Found {
    lines: Vec<Service>,
    events: Vec<Event>,
    rejects: Vec<session::LoginReject>,
    sessions: Vec<Session>,
    router: Router,
    routers: Vec<(RouterId, String)>,
    staff: Vec<(i64, String)>,
}

pub async fn of(app: &App, actor: &Actor, id: CustomerId) -> Result<Because, Error> {
    let now = app.clock.now();
    let found = find(app, actor, id).await?;
    let line = &found.lines[0];
    let world = directory::world(app).await?;
    let profiles = directory::profiles(app, &world, actor.isp, vec![line.id]).await?;
    let profile = profiles.into_iter().next().and_then(|(_, profile)| profile);
    let profile = profile.ok_or(Error::NotFound { what: What::Service })?;
    let plan = world.plans.get(&(actor.isp, profile.plan)).ok_or(Error::NotFound { what: What::Plan })?;
    let subscriber = &profile.subscriber;
    // A login through the line's own router from its own device, while nobody else is on it.
    let mac = match subscriber.mac {
        MacLock::Locked(mac) => Some(mac),
        MacLock::Off | MacLock::Learn => None,
    };
    let login = Login { router: subscriber.router.unwrap_or(line.router_id), mac, port: None };
    let decision = match decide::decide(subscriber, plan, &[], &login, now) {
        Decision::Accept(grant) => Ok(grant),
        Decision::Reject(reason) => Err(reason),
    };
    let standing = fup::standing(app, actor, id).await?;
    let fair = Fair {
        policy: standing.policy.as_ref().map(|policy| policy.name.to_string()),
        used_bytes: standing.policy.as_ref().map(|policy| standing.count.map_or(0, |count| policy.used(&count))),
        next_threshold_bytes: standing
            .policy
            .as_ref()
            .and_then(|policy| policy.threshold(standing.level() + 1))
            .map(|bytes| bytes.saturating_add(standing.count.map_or(0, |count| count.carried))),
        level: standing.level(),
        cycle_ends_at: standing.count.and_then(|count| count.cycle.ends_at),
    };
    let facts = facts(&found, line, &decision, fair.level, now);
    let state = State {
        username: line.username.clone(),
        status: line.status,
        decision,
        expires_at: line.expires_at,
        own_rates: subscriber.own_rates(plan),
        fair,
        online: found.sessions.into_iter().filter(|row| row.state == session::OPEN).collect(),
        last_login_at: line.last_login_at,
        router: found.router,
    };
    Ok(Because { state, facts })
}

async fn find(app: &App, actor: &Actor, id: CustomerId) -> Result<Found, Error> {
    let who = actor.clone();
    app.db
        .read(async move |tx| {
            let isp = who.isp;
            let owner = customer::find(tx, isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
            who.reaches(owner.branch_id)?;
            let lines = service::of_customer(tx, isp, id).await?;
            let Some(line) = lines.first() else { return Err(Error::NotFound { what: What::Service }) };
            let (mut sessions, mut rejects) = (Vec::new(), Vec::new());
            for line in &lines {
                sessions.extend(why::sessions(tx, isp, line.id, SESSIONS).await?);
                rejects.extend(why::rejects(tx, isp, line.id, EACH).await?);
            }
            let through = sessions.first().map_or(line.router_id, |session| session.router_id);
            let mut subjects = vec![Subject::Customer(id.0), Subject::Router(through.0), Subject::Plan(line.plan_id.0)];
            subjects.extend(lines.iter().map(|line| Subject::Service(line.id.0)));
            subjects.extend(sessions.iter().map(|session| Subject::Session(session.id.0)));
            let events = why::events(tx, isp, &subjects, EACH).await?;
            let (open_sessions, last_contact_at) = why::router(tx, isp, through).await?;
            let mut ids: Vec<RouterId> = sessions.iter().map(|row| row.router_id).collect();
            ids.extend(rejects.iter().map(|row| row.router_id));
            ids.push(through);
            ids.sort_unstable_by_key(|id| id.0);
            ids.dedup();
            let mut routers = Vec::new();
            for id in ids {
                routers.extend(router::find(tx, isp, id).await?.map(|row| (id, row.name)));
            }
            let mut people: Vec<i64> =
                events.iter().filter_map(|row| row.actor.strip_prefix("staff:")?.parse().ok()).collect();
            people.sort_unstable();
            people.dedup();
            let mut staff = Vec::new();
            for id in people {
                let person = staff::find(tx, isp, domain::StaffId(id)).await?;
                staff.extend(person.map(|person| (id, person.name)));
            }
            let name = routers.iter().find(|(id, _)| *id == through).map(|(_, name)| name.clone());
            let router = Router { id: through, name, last_contact_at, open_sessions };
            Ok(Found { lines, events, rejects, sessions, router, routers, staff })
        })
        .await
}

/// A fact with its place among those of the same moment.
struct Placed {
    fact: Fact,
    place: i64,
}

fn facts(found: &Found, line: &Service, decision: &Result<Grant, Reason>, level: usize, now: Instant) -> Vec<Fact> {
    let through = |id: RouterId| {
        let known = found.routers.iter().find(|(known, _)| *known == id);
        Through::Router { id, name: known.map(|(_, name)| name.clone()) }
    };
    let who = |label: &str| {
        let id: Option<i64> = label.strip_prefix("staff:").and_then(|id| id.parse().ok());
        let person = id.and_then(|id| found.staff.iter().find(|(known, _)| *known == id));
        Through::Actor { label: label.into(), name: person.map(|(_, name)| name.clone()) }
    };
    let mut all: Vec<Placed> = Vec::new();
    let router = found.router_name();
    for event in &found.events {
        let fact = Fact {
            at: event.at,
            kind: event.kind.word().into(),
            said: Said::Event {
                event: event.clone(),
                who: if event.subject == "router" { router.clone() } else { line.username.clone() },
            },
            by: who(&event.actor),
            data: serde_json::from_str(&event.body).unwrap_or(Json::Null),
        };
        all.push(Placed { fact, place: event.seq });
    }
    for row in &found.rejects {
        let fact = Fact {
            at: row.at,
            kind: REFUSED.into(),
            said: Said::Refused { username: row.username.clone(), mac: row.mac.clone(), reason: row.reason },
            by: through(row.router_id),
            data: json!({ "reason": row.reason.word(), "username": row.username, "mac": row.mac, "router": row.router_id.0 }),
        };
        all.push(Placed { fact, place: row.id });
    }
    for row in &found.sessions {
        let data = json!({
            "session": row.id.0, "acct_session_id": row.acct_session_id, "address": row.address, "mac": row.mac,
            "up_bytes": row.up_total, "down_bytes": row.down_total, "seconds": row.session_time_s,
            "restricted": row.restricted, "cause": row.end_cause
        });
        let by = through(row.router_id);
        let began = Fact {
            at: row.started_at,
            kind: STARTED.into(),
            said: Said::Online { username: row.username.clone() },
            by: by.clone(),
            data: data.clone(),
        };
        all.push(Placed { fact: began, place: 0 });
        if let Some(at) = row.ended_at {
            let said = Said::Offline {
                username: row.username.clone(),
                used: row.up_total.saturating_add(row.down_total),
                cause: row.end_cause.clone().unwrap_or_else(|| "stop".into()),
            };
            all.push(Placed { fact: Fact { at, kind: ENDED.into(), said, by, data }, place: 1 });
        }
    }
    let expired = EventKind::ServiceExpired.word();
    if let Some(at) = line.expires_at.filter(|at| *at <= now && line.expired_event_at.is_none()) {
        // It has just ended; the event follows within a second.
        let ended = facts::Fact::ServiceExpired {
            line: line.id,
            customer: line.customer_id,
            expired_at: Some(at),
            status: Some(line.status),
            used_up: None,
        };
        let fact = Fact {
            at,
            kind: expired.into(),
            said: Said::Fact { fact: ended, who: line.username.clone() },
            by: who("system"),
            data: json!({ "expired_at": at.0 }),
        };
        all.push(Placed { fact, place: i64::MAX });
    }
    all.sort_by_key(|placed| std::cmp::Reverse((placed.fact.at, placed.place)));
    let kinds = causes(decision, level);
    let last_in = all.iter().find(|placed| placed.fact.kind == STARTED).map(|placed| placed.fact.at);
    let is_cause = |fact: &Fact| {
        let since_online = last_in.max(line.last_login_at).is_none_or(|at| fact.at > at);
        kinds.contains(&fact.kind.as_str()) && (fact.kind != REFUSED || since_online)
    };
    if let Some(at) = all.iter().position(|placed| is_cause(&placed.fact)) {
        let cause = all.remove(at);
        all.insert(0, cause);
    }
    all.into_iter().map(|placed| placed.fact).take(FACTS).collect()
}

const REFUSED: &str = "login.refused";
const STARTED: &str = "session.started";
const ENDED: &str = "session.ended";

impl Found {
    fn router_name(&self) -> String {
        self.router.name.clone().unwrap_or_else(|| self.router.id.to_string())
    }
}

/// Which facts can be why it stands so; the newest of them is.
fn causes(decision: &Result<Grant, Reason>, level: usize) -> Vec<&'static str> {
    let kinds: &[EventKind] = match decision {
        Err(Reason::Expired) => &[EventKind::ServiceExpired],
        Err(Reason::QuotaUsedUp) => &[EventKind::ServiceQuotaUsedUp],
        Err(Reason::Suspended) => &[EventKind::ServiceSuspended],
        Err(Reason::Disabled) => &[EventKind::ServiceDisabled],
        Err(Reason::Inactive | Reason::Pending | Reason::AwaitingApproval | Reason::Rejected | Reason::Terminated) => {
            &[EventKind::ServiceDeactivated, EventKind::CustomerCreated]
        }
        Err(Reason::WrongMac | Reason::NoMac | Reason::WrongRouter) => &[EventKind::ServiceChanged],
        Err(
            Reason::UnknownUser
            | Reason::WrongPassword
            | Reason::TooManySessions
            | Reason::CheckFailed
            | Reason::NoAddressLeft
            | Reason::VoucherUsed,
        ) => &[],
        Ok(grant) if grant.expired => &[EventKind::ServiceExpired, EventKind::ServiceQuotaUsedUp],
        Ok(_) if level > 0 => &[EventKind::FupCrossed],
        Ok(_) => &[
            EventKind::ServiceRecharged,
            EventKind::ServiceActivated,
            EventKind::FupReset,
            EventKind::FupOverridden,
            EventKind::FupCleared,
            EventKind::SessionLost,
            EventKind::RouterDeleted,
            EventKind::CoaRefused,
            EventKind::CoaUnanswered,
        ],
    };
    let mut words: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
    if decision.as_ref().map_or_else(|reason| *reason == Reason::CheckFailed, |grant| !grant.expired) {
        // It might come in, and was turned away since it last did: a wrong password, another device.
        words.push(REFUSED);
    }
    words
}
