//! Dossiers: a customer with everything that a vendor's page of details shows, many at a time in a few queries.

use std::sync::Arc;

use domain::{CustomerId, Instant, PlanId, ServiceId, Status, kernel::event::EventKind};
use store::{
    access::session,
    catalogue::plan::{self, Bandwidth, Plan},
    customers::dossier,
    db::Tx,
    kernel::event::{self, Event},
    people::{
        collection_place::{self, Place},
        customer::Customer,
        profile::{self, Profile},
        service::{self, Period, Service},
    },
    sales::{grace::Grace, line_price},
};

pub use store::customers::dossier::Movement;

use crate::{
    Actor, App, Error, Vault, What,
    access::bindings::{self, Bound},
    kernel::{app::Tenant, secrets::secret_place},
};
use domain::kernel::names::login_key;

/// So many customers are read at a time.
const PAGE: usize = 500;

/// Whom to find.
#[derive(Clone, Debug)]
pub enum Whom {
    /// Everybody who is not deleted.
    Everybody,
    /// This one, deleted or not.
    One(CustomerId),
    These(Vec<CustomerId>),
    /// Who has this number; deleted ones too.
    Phone(String),
    Email(String),
    /// Whose line logs in with this name.
    Login(String),
    /// Who came, or was changed, in a stretch of time without its end.
    Created(Instant, Instant),
    Modified(Instant, Instant),
}

/// The state of a customer, in the core's words (docs/readings.md 7.0).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Line(Status),
    /// Active, but validity or quota is over.
    Expired,
    Deleted,
}

#[derive(Clone, Debug)]
pub struct Dossier {
    pub customer: Customer,
    pub line: Option<Service>,
    pub profile: Option<Profile>,
    pub plan: Option<Plan>,
    /// What the line gets while it is active: its own or its plan's.
    pub bandwidth: Option<Bandwidth>,
    /// The newest one sold.
    pub period: Option<Period>,
    /// Since the running period began.
    pub up_bytes: i64,
    pub down_bytes: i64,
    pub place: Option<Place>,
    /// Devices and fixed addresses, the line's own first.
    pub bindings: Vec<Bound>,
}

impl Dossier {
    pub fn state(&self, now: Instant) -> State {
        match (&self.line, self.customer.deleted_at) {
            (_, Some(_)) => State::Deleted,
            (None, None) => State::Line(Status::Pending),
            (Some(line), None) => match line.status {
                Status::Active if over(line, now) => State::Expired,
                status => State::Line(status),
            },
        }
    }

    /// The last change of the customer or its line.
    pub fn modified(&self) -> Instant {
        self.line.as_ref().map_or(self.customer.updated_at, |line| line.updated_at.max(self.customer.updated_at))
    }
}

fn over(line: &Service, now: Instant) -> bool {
    line.expires_at.is_none_or(|at| at <= now)
        || line.quota_bytes.is_some_and(|quota| line.used_bytes >= quota)
        || line.quota_time_s.is_some_and(|quota| line.used_time_s >= quota)
}

/// The dossiers wanted, in the order of their customers' ids.
pub async fn find(app: &App, actor: &Actor, whom: Whom) -> Result<Vec<Dossier>, Error> {
    let mut pieces = pieces(app, actor, whom).await?;
    let mut found = Vec::with_capacity(pieces.ids.len());
    while let Some(piece) = pieces.next(app, actor).await? {
        found.extend(piece);
    }
    Ok(found)
}

/// Many dossiers piece by piece: whom they are of, and how many are read at a time.
pub struct Pieces {
    ids: std::vec::IntoIter<CustomerId>,
    tenant: Arc<Tenant>,
    within: Option<(Instant, Instant)>,
}

/// The dossiers wanted, to be read piece by piece.
pub async fn pieces(app: &App, actor: &Actor, whom: Whom) -> Result<Pieces, Error> {
    let tenant = app.tenant(actor.isp).await?;
    let ids = ids(app, actor, &whom).await?.into_iter();
    let within = match whom {
        Whom::Modified(from, until) => Some((from, until)),
        _ => None,
    };
    Ok(Pieces { ids, tenant, within })
}

impl Pieces {
    /// The next piece, in the order of the customers' ids; `None` is the end.
    pub async fn next(&mut self, app: &App, actor: &Actor) -> Result<Option<Vec<Dossier>>, Error> {
        let chunk: Vec<CustomerId> = self.ids.by_ref().take(PAGE).collect();
        if chunk.is_empty() {
            return Ok(None);
        }
        let mut found = page(app, actor, &self.tenant, chunk).await?;
        if let Some((from, until)) = self.within {
            found.retain(|one| (from..until).contains(&one.modified()));
        }
        Ok(Some(found))
    }
}

/// One customer's.
///
/// # Errors
/// `NotFound`; `Forbidden` where it is another branch's.
pub async fn one(app: &App, actor: &Actor, id: CustomerId) -> Result<Dossier, Error> {
    let found = find(app, actor, Whom::One(id)).await?.into_iter().next();
    let found = found.ok_or(Error::NotFound { what: What::Customer })?;
    actor.reaches(found.customer.branch_id)?;
    Ok(found)
}

/// So many events of a line are looked through for what it crossed.
const LOOKED_THROUGH: i64 = 5000;

/// When a customer's line crossed limits of fair use, or had its rate back, in a stretch of time without its end; the newest
/// first.
pub async fn crossings(
    app: &App,
    actor: &Actor,
    id: CustomerId,
    (from, until): (Instant, Instant),
) -> Result<Vec<Event>, Error> {
    let line = one(app, actor, id).await?.line.ok_or(Error::NotFound { what: What::Service })?.id;
    let isp = actor.isp;
    let read = app.db.read(async move |tx| event::latest_of(tx, isp, "service", line.0, LOOKED_THROUGH).await);
    let mut events = read.await?;
    events.retain(|event| {
        matches!(event.kind, EventKind::FupCrossed | EventKind::FupReset) && (from..until).contains(&event.at)
    });
    Ok(events)
}

/// Ids alone, in their order.
pub async fn ids(app: &App, actor: &Actor, whom: &Whom) -> Result<Vec<CustomerId>, Error> {
    let (isp, branch) = (actor.isp, actor.branch);
    let whom = whom.clone();
    app.db
        .read(async move |tx| {
            Ok(match &whom {
                Whom::Everybody => {
                    let mut all: Vec<CustomerId> = Vec::new();
                    loop {
                        let after = all.last().copied().unwrap_or(CustomerId(0));
                        let more = dossier::live_after(tx, isp, branch, after, 10_000).await?;
                        if more.is_empty() {
                            break all;
                        }
                        all.extend(more);
                    }
                }
                Whom::One(id) => vec![*id],
                Whom::These(ids) => ids.clone(),
                Whom::Phone(phone) => dossier::by_phone(tx, isp, branch, phone).await?,
                Whom::Email(email) => dossier::by_email(tx, isp, branch, email).await?,
                Whom::Login(name) => {
                    let line = service::by_username(tx, isp, &login_key(name)).await?;
                    line.map(|line| line.customer_id).into_iter().collect()
                }
                Whom::Created(from, until) => dossier::created(tx, isp, branch, (*from, *until)).await?,
                Whom::Modified(from, until) => dossier::modified(tx, isp, branch, (*from, *until)).await?,
            })
        })
        .await
}

async fn page(app: &App, actor: &Actor, tenant: &Tenant, ids: Vec<CustomerId>) -> Result<Vec<Dossier>, Error> {
    let who = actor.clone();
    let offset = app.clock.now().in_zone(&tenant.zone).offset().seconds();
    app.db.read(async move |tx| gather(tx, &who, &ids, i64::from(offset) * 1_000_000).await).await
}

async fn gather(tx: &Tx, actor: &Actor, ids: &[CustomerId], offset_us: i64) -> Result<Vec<Dossier>, Error> {
    let isp = actor.isp;
    let mut rows = dossier::rows(tx, isp, ids).await?;
    if ids.len() > 1 {
        rows.retain(|(customer, _)| actor.reaches(customer.branch_id).is_ok());
    }
    let people: Vec<CustomerId> = rows.iter().map(|(customer, _)| customer.id).collect();
    let lines: Vec<ServiceId> = rows.iter().filter_map(|(_, line)| line.as_ref().map(|line| line.id)).collect();
    let buildings: Vec<i64> = rows.iter().filter_map(|(customer, _)| customer.building_id).collect();
    let mut profiles = profile::of_customers(tx, isp, &people).await?;
    let plans = plan::plans(tx, isp).await?;
    let bandwidths = plan::bandwidths(tx, isp).await?;
    let mut periods = service::last_periods(tx, isp, &lines).await?;
    let usage = dossier::usage(tx, isp, &lines, offset_us).await?;
    let places = collection_place::places(tx, isp, &buildings).await?;
    let others = line_price::bindings_of(tx, isp, &lines).await?;
    let plan_of = |id: PlanId| plans.binary_search_by_key(&id, |plan| plan.id).ok().map(|at| plans[at].clone());
    let dossiers = rows.into_iter().map(|(customer, line)| {
        let plan = line.as_ref().and_then(|line| plan_of(line.plan_id));
        let rate = line.as_ref().and_then(|line| line.bandwidth_id).or(plan.as_ref().map(|plan| plan.bandwidth_id));
        let of_line = |id: ServiceId| line.as_ref().is_some_and(|line| line.id == id);
        let used = usage.iter().find(|(id, ..)| of_line(*id));
        Dossier {
            profile: profiles.remove(&customer.id),
            bandwidth: rate.and_then(|id| bandwidths.iter().find(|row| row.id == id).cloned()),
            period: periods.iter().position(|row| of_line(row.service_id)).map(|at| periods.swap_remove(at)),
            up_bytes: used.map_or(0, |row| row.1),
            down_bytes: used.map_or(0, |row| row.2),
            place: customer.building_id.and_then(|id| places.iter().find(|row| row.building == id).cloned()),
            bindings: line.as_ref().map_or_else(Vec::new, |line| {
                bindings::whole(line, others.get(&line.id).map_or(&[][..], Vec::as_slice))
            }),
            plan,
            customer,
            line,
        }
    });
    Ok(dossiers.collect())
}

/// Live customers of each plan.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Population {
    pub total: i64,
    pub active: i64,
    pub online: i64,
}

/// Every live plan with its people.
pub async fn populations(app: &App, actor: &Actor) -> Result<Vec<(Plan, Population)>, Error> {
    let (isp, branch, now) = (actor.isp, actor.branch, app.clock.now());
    app.db
        .read(async move |tx| {
            let counts = dossier::of_plans(tx, isp, branch, now).await?;
            let plans = plan::plans(tx, isp).await?;
            let live = plans.into_iter().filter(|plan| plan.deleted_at.is_none());
            Ok(live
                .map(|plan| {
                    let count = counts.iter().find(|(id, ..)| *id == plan.id.0);
                    let population = count.map_or(Population::default(), |(_, total, active, online)| Population {
                        total: *total,
                        active: *active,
                        online: *online,
                    });
                    (plan, population)
                })
                .collect())
        })
        .await
}

/// How many live customers are in each state, and what moves.
pub async fn census(
    app: &App,
    actor: &Actor,
    since: Instant,
    until: Instant,
) -> Result<(Vec<(State, i64)>, Movement), Error> {
    let (isp, branch, now) = (actor.isp, actor.branch, app.clock.now());
    app.db
        .read(async move |tx| {
            let sorts = dossier::sorts(tx, isp, branch, now).await?;
            let states = sorts.into_iter().map(|sort| match sort.status {
                Status::Active if sort.over => (State::Expired, sort.count),
                status => (State::Line(status), sort.count),
            });
            Ok((states.collect(), dossier::movement(tx, isp, branch, now, since, until).await?))
        })
        .await
}

/// The network password in the clear. Who was shown it is on record.
pub async fn password(app: &App, actor: &Actor, id: CustomerId) -> Result<String, Error> {
    let vault = app.vault.clone();
    let who = actor.clone();
    app.change(actor, store::db::Class::Interactive, async move |change| {
        let owner = store::people::customer::find(change.tx, change.isp, id).await?;
        who.reaches(owner.ok_or(Error::NotFound { what: What::Customer })?.branch_id)?;
        let line = service::of_customer(change.tx, change.isp, id).await?.into_iter().next();
        let line = line.ok_or(Error::NotFound { what: What::Service })?;
        let clear = opened(&vault, &line).ok_or(Error::NotFound { what: What::Password })?;
        change.event(
            domain::kernel::event::EventKind::ServiceSecretRead,
            domain::kernel::event::Subject::Service(line.id.0),
            serde_json::json!({ "customer": id.0 }),
        );
        Ok(clear)
    })
    .await
}

pub(crate) fn opened(vault: &Vault, line: &Service) -> Option<String> {
    vault.open(&secret_place(line.id), line.secret.as_deref()?)
}

/// A line's sessions: the open ones, and when the last one ended.
#[derive(Clone, Debug)]
pub struct Presence {
    pub open: Vec<session::Session>,
    pub last_end: Option<Instant>,
}

pub async fn presence(app: &App, actor: &Actor, id: CustomerId) -> Result<Presence, Error> {
    let (isp, who) = (actor.isp, actor.clone());
    app.db
        .read(async move |tx| {
            let owner =
                store::people::customer::any(tx, isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
            who.reaches(owner.branch_id)?;
            let Some(line) = service::of_customer(tx, isp, id).await?.into_iter().next() else {
                return Ok(Presence { open: Vec::new(), last_end: None });
            };
            let open = session::open_of_service(tx, isp, line.id).await?;
            let ended = session::of_service(tx, isp, line.id, Instant(0), Instant(i64::MAX), 50).await?;
            let last_end = ended.iter().filter_map(|row| row.ended_at).max();
            Ok(Presence { open, last_end })
        })
        .await
}

/// A line's sessions that began in a stretch of time without its end, the newest first.
pub async fn sessions(
    app: &App,
    actor: &Actor,
    id: CustomerId,
    (from, until): (Instant, Instant),
    limit: i64,
) -> Result<Vec<session::Session>, Error> {
    let (isp, who) = (actor.isp, actor.clone());
    app.db
        .read(async move |tx| {
            let owner =
                store::people::customer::any(tx, isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
            who.reaches(owner.branch_id)?;
            match service::of_customer(tx, isp, id).await?.first() {
                Some(line) => Ok(session::of_service(tx, isp, line.id, from, until, limit).await?),
                None => Ok(Vec::new()),
            }
        })
        .await
}

/// Graces that are the present end of these lines' time.
pub async fn graces(app: &App, actor: &Actor, lines: Vec<ServiceId>) -> Result<Vec<Grace>, Error> {
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| store::sales::grace::standing(tx, isp, &lines).await).await?)
}
