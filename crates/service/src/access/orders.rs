//! Orders to the network: after a change, which live sessions must follow, and how. The `aaa` room renders and sends
//! them; here is decided what is wished, and recorded what the router said.

use domain::{
    BandwidthId, Instant, IspId, JobId, PlanId, ServiceId, SessionId,
    access::decide::{self, Grant, PlanAccess},
    kernel::clock::SECOND,
};
use store::{
    access::session::{self, Session},
    db::Class,
    kernel::job,
};

use crate::{
    Actor, App, Error, Fact,
    access::directory::{self, World},
    access::touched::Touched,
    kernel::facts::CoaAnswer,
    kernel::work::{Outcome, Work},
};

pub use crate::kernel::work::NETWORK as QUEUE;
/// How long a claimed order is this node's. Whoever works on longer ones renews; a node that was killed leaves its
/// orders to others, and to its next start, after this long.
const LEASE: i64 = 30 * SECOND;
/// After this many tries an order is given up: the session has then ended, or its router is long away.
const MAX_ATTEMPTS: i64 = 6;

/// Work claimed by this node.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub isp: IspId,
    pub job: JobId,
    pub attempts: i64,
    pub scope: Scope,
    /// When it was given.
    pub ordered_at: Instant,
    /// Sessions of before the order must log in anew, whatever they may have.
    pub disconnect: bool,
    /// What somebody wants to be said, as names and values; then nothing else is.
    pub said: Option<Vec<(String, String)>>,
    /// Attributes of a subscriber's own that were added, changed or taken away.
    pub touched: Option<Touched>,
}

/// Whose sessions an order is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    Service(ServiceId),
    Plan(PlanId),
    Bandwidth(BandwidthId),
    Session(SessionId),
    /// Sessions that are nobody's, of one name and device.
    Stray(Stray),
}

/// How a session that belongs to no line is told apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stray {
    /// As sessions compare it.
    pub username_key: String,
    pub mac: Option<String>,
}

/// One session and what is wished of it.
#[derive(Clone, Debug)]
pub struct Order {
    pub session: Session,
    pub wish: Wish,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    /// It must end; a login afterwards gets what it may have then.
    Disconnect,
    /// It goes on with this.
    Change(Box<Grant>),
    /// These attributes, by name and value.
    Say(Vec<(String, String)>),
}

impl Wish {
    /// What is asked of the router, in a word.
    pub fn word(&self) -> &'static str {
        match self {
            Wish::Disconnect => "disconnect",
            Wish::Change(_) | Wish::Say(_) => "coa",
        }
    }
}

/// Due orders, leased to this node.
pub async fn claim(app: &App, limit: i64) -> Result<Vec<Claimed>, Error> {
    let (now, node) = (app.clock.now(), app.node.clone());
    // Looking is cheap and mostly finds nothing; only a find takes the writer.
    let due = app.db.read(async |tx| job::next_due(tx, QUEUE).await).await?;
    if due.is_none_or(|due| due > now) {
        return Ok(Vec::new());
    }
    let jobs = app
        .db
        .tx(Class::Interactive, async move |tx| job::claim(tx, QUEUE, &node, now, now.plus(LEASE), limit).await)
        .await?;
    let mut claimed = Vec::with_capacity(jobs.len());
    for row in jobs {
        let Some(work) = Work::read(&row) else {
            give_up(app, row.isp_id, row.id, Outcome::NotUnderstood).await?;
            continue;
        };
        let (scope, disconnect) = match &work {
            Work::Converge { line, disconnect, .. } => (Scope::Service(*line), *disconnect),
            Work::ConvergePlan(plan) => (Scope::Plan(*plan), false),
            Work::ConvergeBandwidth(bandwidth) => (Scope::Bandwidth(*bandwidth), false),
            Work::ConvergeSession { session, disconnect } => (Scope::Session(*session), *disconnect),
            Work::TurnAway { name, mac } => {
                (Scope::Stray(Stray { username_key: name.clone(), mac: mac.clone() }), true)
            }
            Work::Say { line, .. } => (Scope::Service(*line), false),
        };
        let (said, touched) = match work {
            Work::Say { attributes, .. } => (Some(attributes), None),
            Work::Converge { touched, .. } => (None, touched),
            Work::ConvergePlan(_)
            | Work::ConvergeBandwidth(_)
            | Work::ConvergeSession { .. }
            | Work::TurnAway { .. } => (None, None),
        };
        claimed.push(Claimed {
            isp: row.isp_id,
            job: row.id,
            attempts: row.attempts,
            scope,
            ordered_at: row.created_at,
            disconnect,
            said,
            touched,
        });
    }
    Ok(claimed)
}

/// Orders these services' sessions to follow, beside what changes order themselves.
pub async fn follow(app: &App, isp: IspId, services: Vec<ServiceId>) -> Result<(), Error> {
    app.change(&Actor::system(isp), Class::Accounting, async move |change| {
        for service in &services {
            change.order(Work::follow(*service)).await?;
        }
        Ok(())
    })
    .await
}

/// What each live session in scope must do now.
pub async fn orders(app: &App, world: &World, claimed: &Claimed) -> Result<Vec<Order>, Error> {
    let (isp, scope) = (claimed.isp, claimed.scope.clone());
    let sessions = app
        .db
        .read(async move |tx| match &scope {
            Scope::Service(id) => session::open_of_service(tx, isp, *id).await,
            Scope::Plan(id) => session::open_of_plan(tx, isp, *id).await,
            Scope::Bandwidth(id) => session::open_of_bandwidth(tx, isp, *id).await,
            Scope::Session(id) => {
                let found = session::find(tx, isp, *id).await?;
                Ok(found.filter(|session| session.state == session::OPEN).into_iter().collect())
            }
            Scope::Stray(stray) => session::open_strays(tx, isp, &stray.username_key, stray.mac.as_deref()).await,
        })
        .await?;
    let mut services: Vec<ServiceId> = sessions.iter().filter_map(|row| row.service_id).collect();
    services.sort_unstable_by_key(|id| id.0);
    services.dedup();
    let profiles = directory::profiles(app, world, isp, services).await?;
    let now = app.clock.now();
    let orders = sessions.into_iter().filter_map(|session| {
        let Some(service) = session.service_id else {
            // Nobody's session can go on as nobody's, or end.
            return claimed.disconnect.then_some(Order { session, wish: Wish::Disconnect });
        };
        let profile = profiles.iter().find(|(id, _)| *id == service)?.1.as_ref();
        let plan = profile.and_then(|profile| world.plans.get(&(isp, profile.plan)));
        if let Some(said) = &claimed.said {
            return Some(Order { session, wish: Wish::Say(said.clone()) });
        }
        let wish = match profile.zip(plan) {
            None => Wish::Disconnect,
            // Who has logged in since has done so with what is right now.
            Some(_) if claimed.disconnect && session.started_at <= claimed.ordered_at => Wish::Disconnect,
            Some((profile, plan)) => wish(&profile.subscriber, plan, session.restricted, now),
        };
        Some(Order { session, wish })
    });
    Ok(orders.collect())
}

/// A session goes on where a change of attributes suffices. A router cannot move it to another pool: then it must log in
/// again.
fn wish(subscriber: &decide::Subscriber, plan: &PlanAccess, restricted: bool, now: Instant) -> Wish {
    match decide::grant(subscriber, plan, now) {
        Err(_) => Wish::Disconnect,
        Ok(grant)
            if grant.expired != restricted && plan.expired.as_ref().is_some_and(|e| e.pool != plan.network.pool) =>
        {
            Wish::Disconnect
        }
        Ok(grant) => Wish::Change(Box::new(grant)),
    }
}

/// What a router answered to one order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    Acknowledged,
    /// With its Error-Cause (RFC 5176 §3.5), where it gave one.
    Refused(Option<u32>),
    /// Nothing, after every repeat.
    Unanswered,
    /// Its router is silent or unknown at present: it was not asked.
    NotAsked,
}

/// RFC 5176 §3.5: the session is not there (any more).
pub const SESSION_NOT_FOUND: u32 = 503;

/// Who asks for a router's word waits for it so long.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);
/// Another node may have carried the order out: then no commit of this one tells.
const LOOK: std::time::Duration = std::time::Duration::from_millis(100);

/// Says something to every live session of a customer's primary line and waits for their routers' words: `true` for each
/// that acknowledged. Without a session there is none. The door that takes the attributes checks them.
pub async fn say(
    app: &App,
    actor: &Actor,
    id: domain::CustomerId,
    attributes: Vec<(String, String)>,
) -> Result<Vec<bool>, Error> {
    actor.writes()?;
    let who = actor.clone();
    let ordered = app
        .change(actor, Class::Interactive, async move |change| {
            let line = crate::kernel::hold::primary(change, &who, id).await?;
            let open = session::open_of_service(change.tx, change.isp, line.id).await?.len();
            if open == 0 {
                return Ok(None);
            }
            let work = Work::Say { line: line.id, attributes: attributes.clone() };
            Ok(Some((change.order_at(change.now, work).await?, open)))
        })
        .await?;
    let Some((job, sessions)) = ordered else { return Ok(Vec::new()) };
    let isp = actor.isp;
    let mut commits = app.feed.commits();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < deadline {
        let row = app.db.read(async move |tx| job::find(tx, isp, job).await).await?;
        if let Some(outcome) = row.filter(|row| row.done_at.is_some()).and_then(|row| row.outcome) {
            return Ok(match Outcome::read(&outcome) {
                Outcome::Said(each) => each,
                Outcome::Answered { .. } | Outcome::NotUnderstood | Outcome::Words(_) => vec![false; sessions],
            });
        }
        commits.next(LOOK).await;
    }
    // Their routers have not said yes.
    Ok(vec![false; sessions])
}

/// Ends the live sessions of a customer's primary line; how many there were. What may log in again may do so.
pub async fn disconnect(app: &App, actor: &Actor, id: domain::CustomerId) -> Result<usize, Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let line = crate::kernel::hold::primary(change, &who, id).await?;
        let open = session::open_of_service(change.tx, change.isp, line.id).await?.len();
        if open > 0 {
            change.order(Work::hang_up(line.id)).await?;
        }
        Ok(open)
    })
    .await
}

/// Records what routers answered and ends the order, or sets it up again where a router kept silent.
pub async fn answered(
    app: &App,
    claimed: &Claimed,
    answers: Vec<(SessionId, Option<ServiceId>, &'static str, Answer)>,
) -> Result<(), Error> {
    let (isp, id, attempts) = (claimed.isp, claimed.job, claimed.attempts);
    let once = claimed.said.is_some();
    app.change(&Actor::system(isp), Class::Interactive, async move |change| {
        for (session, service, what, answer) in &answers {
            let (session, service, job) = (*session, *service, Some(id));
            let order = |error_cause| CoaAnswer { request: (*what).into(), error_cause, service, job };
            change.tell(match answer {
                Answer::NotAsked => continue,
                Answer::Acknowledged => Fact::CoaAcknowledged { session, order: order(None) },
                Answer::Refused(cause) => Fact::CoaRefused { session, order: order(*cause) },
                Answer::Unanswered => Fact::CoaUnanswered { session, order: order(None) },
            });
        }
        let count = |wanted: fn(&Answer) -> bool| answers.iter().filter(|(.., answer)| wanted(answer)).count();
        let silent = count(|answer| matches!(answer, Answer::Unanswered | Answer::NotAsked));
        let outcome = Outcome::Answered {
            acknowledged: count(|answer| *answer == Answer::Acknowledged),
            refused: count(|answer| matches!(answer, Answer::Refused(_))),
            unanswered: silent,
        }
        .stored();
        if once {
            // Somebody waits for the word on each session.
            let each = answers.iter().map(|(.., answer)| *answer == Answer::Acknowledged).collect();
            job::finish(change.tx, isp, id, change.now, &Outcome::Said(each).stored()).await?;
        } else if silent > 0 && attempts < MAX_ATTEMPTS {
            // 30 s, 1 min, 2 min, 4 min, 8 min: a router that is away comes back in its own time.
            let delay = (30 * SECOND) << (attempts - 1).clamp(0, 8);
            job::again(change.tx, isp, id, change.now.plus(delay), &outcome).await?;
        } else if silent > 0 {
            job::fail(change.tx, isp, id, change.now, &outcome).await?;
        } else {
            job::finish(change.tx, isp, id, change.now, &outcome).await?;
        }
        Ok(())
    })
    .await
}

/// The order is still being worked on.
pub async fn renew(app: &App, claimed: &Claimed) -> Result<(), Error> {
    let (isp, id, node, until) = (claimed.isp, claimed.job, app.node.clone(), app.clock.now().plus(LEASE));
    Ok(app.db.tx(Class::Interactive, async move |tx| job::renew(tx, isp, id, &node, until).await).await?)
}

async fn give_up(app: &App, isp: IspId, id: JobId, outcome: Outcome) -> Result<(), Error> {
    let now = app.clock.now();
    Ok(app.db.tx(Class::Interactive, async move |tx| job::fail(tx, isp, id, now, &outcome.stored()).await).await?)
}

/// Orders this process has not finished, for tests and metrics.
pub async fn waiting(app: &App) -> Result<i64, Error> {
    Ok(app.db.read(async |tx| job::waiting(tx, QUEUE).await).await?)
}
