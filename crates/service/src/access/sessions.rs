//! Network sessions, live and past, and orders to single ones, answered with the router's own word.

use std::time::Duration;

use domain::{CustomerId, Instant, JobId, RouterId, SessionId, kernel::event::Subject};
use store::{
    access::session::{self, Filter, Session},
    db::{Class, Tx},
    kernel::{event, job},
    people::customer,
};

use crate::{Actor, App, Error, Fact, Refusal, What, kernel::work::Work};

/// How long a router's word is waited for: it may need longer, and the order goes on.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where a session stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Live,
    Closed,
    /// Its router fell silent or no longer knew it.
    Lost,
}

impl State {
    pub const WORDS: &[&'static str] = &["live", "closed", "lost"];

    pub fn word(self) -> &'static str {
        match self {
            State::Live => "live",
            State::Closed => "closed",
            State::Lost => "lost",
        }
    }

    pub fn from_word(word: &str) -> Option<State> {
        [State::Live, State::Closed, State::Lost].into_iter().find(|state| state.word() == word)
    }

    pub fn of(row: &Session) -> State {
        match row.state {
            session::OPEN => State::Live,
            session::CLOSED => State::Closed,
            _ => State::Lost,
        }
    }

    fn stored(self) -> i64 {
        match self {
            State::Live => session::OPEN,
            State::Closed => session::CLOSED,
            State::Lost => session::LOST,
        }
    }
}

/// A list's conditions; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Wanted {
    pub customer: Option<CustomerId>,
    pub username: Option<String>,
    pub router: Option<RouterId>,
    pub state: Option<State>,
    /// Those that began from here on, and before `until`.
    pub from: Option<Instant>,
    pub until: Option<Instant>,
}

/// Those that began last first, and how many there are in all.
pub async fn list(
    app: &App,
    actor: &Actor,
    wanted: Wanted,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Session>, i64), Error> {
    let isp = actor.isp;
    let filter = Filter {
        branch: actor.branch,
        customer: wanted.customer,
        username_key: wanted.username.map(|name| name.trim().to_lowercase()),
        router: wanted.router,
        state: wanted.state.map(State::stored),
        from: wanted.from,
        until: wanted.until,
    };
    Ok(app.db.read(async move |tx| session::list(tx, isp, &filter, offset, limit).await).await?)
}

pub async fn show(app: &App, actor: &Actor, id: SessionId) -> Result<Session, Error> {
    let who = actor.clone();
    app.db.read(async move |tx| found(tx, &who, id).await).await
}

async fn found(tx: &Tx, who: &Actor, id: SessionId) -> Result<Session, Error> {
    let row = session::find(tx, who.isp, id).await?.ok_or(Error::NotFound { what: What::Session })?;
    if who.branch.is_some() {
        let owner = match row.customer_id {
            Some(id) => customer::find(tx, who.isp, id).await?,
            None => None,
        };
        who.reaches(owner.and_then(|owner| owner.branch_id))?;
    }
    Ok(row)
}

/// What is wished of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// It must end. The subscriber may log in again.
    Disconnect,
    /// It goes on with what it may have now; where its router cannot change it, it must end.
    Refresh,
}

/// What became of an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    pub job: JobId,
    /// `disconnect` or `coa`, as it was sent; `None` while nothing was.
    pub request: Option<String>,
    pub answer: Said,
}

/// A router's answer to an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Said {
    Acknowledged,
    /// With its Error-Cause (RFC 5176 §3.5), where it gave one.
    Refused(Option<u32>),
    /// Nothing, after every repeat; the order is tried again later.
    Unanswered,
    /// Nothing yet; the order goes on.
    Pending,
}

/// Orders a live session to end or to follow, and waits up to five seconds for its router's answer.
pub async fn order(app: &App, actor: &Actor, id: SessionId, wish: Wish) -> Result<Told, Error> {
    actor.writes()?;
    let who = actor.clone();
    let job = app
        .change(actor, Class::Interactive, async move |change| {
            let row = found(change.tx, &who, id).await?;
            if row.state != session::OPEN {
                return Err(Error::Refused(Refusal::SessionEnded));
            }
            if wish == Wish::Refresh && row.service_id.is_none() {
                return Err(Error::Refused(Refusal::SessionNobodys));
            }
            let work = Work::ConvergeSession { session: id, disconnect: wish == Wish::Disconnect };
            change.order_at(change.now, work).await
        })
        .await?;
    let answered = tokio::time::timeout(PATIENCE, word(app, actor, id, job)).await;
    match answered {
        Ok(told) => told,
        Err(_) => Ok(Told { job, request: None, answer: Said::Pending }),
    }
}

/// Waits for what was said to an order.
async fn word(app: &App, actor: &Actor, id: SessionId, job: JobId) -> Result<Told, Error> {
    /// How often other nodes' work is looked for.
    const LOOK: Duration = Duration::from_millis(200);
    let isp = actor.isp;
    let mut commits = app.feed.commits();
    loop {
        let (found, events) = app
            .db
            .read(async move |tx| {
                let found = job::find(tx, isp, job).await?;
                let (subject, number) = Subject::Session(id.0).parts();
                let tried = found.as_ref().is_some_and(|job| job.outcome.is_some());
                let events = match tried {
                    true => event::latest_of(tx, isp, subject, number, 20).await?,
                    false => Vec::new(),
                };
                Ok::<_, Error>((found, events))
            })
            .await?;
        if found.is_some_and(|job| job.outcome.is_some()) {
            return Ok(events.iter().find_map(|event| told(event, job)).unwrap_or(Told {
                job,
                request: None,
                // Nobody was asked: the session ended meanwhile, or its router has just been silent.
                answer: Said::Pending,
            }));
        }
        commits.next(LOOK).await;
    }
}

fn told(event: &event::Event, job: JobId) -> Option<Told> {
    let fact = Fact::read(event)?;
    let (order, answer) = match &fact {
        Fact::CoaAcknowledged { order, .. } => (order, Said::Acknowledged),
        Fact::CoaRefused { order, .. } => (order, Said::Refused(order.error_cause)),
        Fact::CoaUnanswered { order, .. } => (order, Said::Unanswered),
        // Something else that happened to the session.
        _ => return None,
    };
    (order.job == Some(job)).then(|| Told { job, request: Some(order.request.clone()), answer })
}
