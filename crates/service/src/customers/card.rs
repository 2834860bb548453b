//! A customer as it is read: one card with the customer, its primary line and the parts that whoever shows it asks for. A
//! page of cards costs a query for each part, however many cards there are.

use std::{
    collections::HashMap,
    hash::Hash,
    ops::{BitOr, BitOrAssign},
};

use domain::{Connection, CustomerId, Instant, Money, PlanId, ServiceId, StaffId, Status};
use store::{
    access::{binding, router, session::Session},
    billing::invoice::{Invoice, Payment},
    catalogue::plan::{self, Bandwidth, Plan, PlanVersion, Pool},
    customers::{
        subscriber::{self, Posted},
        whom,
    },
    db::Tx,
    people::{
        customer::{self, Customer},
        place::{self, Address, HOMES, Level},
        profile::{self, Profile},
        service::{self, Attribute, Period, Service},
    },
    plant::site::{self, Site},
    sales::terms::{self, Terms},
};

use crate::{
    Actor, App, Error, Router, Staff, What,
    access::bindings::{self, Bound},
    customers::lines::over,
};

/// What of a card is read beside the customer and its line.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Parts(u32);

impl Parts {
    pub const NONE: Parts = Parts(0);
    pub const PLAN: Parts = Parts(1);
    /// The terms that the running period was sold under.
    pub const VERSION: Parts = Parts(1 << 1);
    /// With the plan, whose rate it is where the line has none of its own.
    pub const RATE: Parts = Parts(1 << 2 | 1);
    pub const PERIOD: Parts = Parts(1 << 3);
    /// The line's own discount, quotas and price.
    pub const TERMS: Parts = Parts(1 << 4);
    pub const SITE: Parts = Parts(1 << 5);
    pub const BINDINGS: Parts = Parts(1 << 6);
    pub const ATTRIBUTES: Parts = Parts(1 << 7);
    pub const ROUTER: Parts = Parts(1 << 8);
    /// With the plan, whose pool it is.
    pub const POOL: Parts = Parts(1 << 9 | 1);
    /// Bytes of the running period, by days.
    pub const USAGE: Parts = Parts(1 << 10);
    pub const SESSIONS: Parts = Parts(1 << 11);
    pub const PROFILE: Parts = Parts(1 << 12);
    /// With the profile, which names the salesperson.
    pub const SELLER: Parts = Parts(1 << 13 | 1 << 12);
    /// With the profile: what the places are called in which the customer lives.
    pub const HOMES: Parts = Parts(1 << 14 | 1 << 12);
    /// Where the building stands.
    pub const ADDRESS: Parts = Parts(1 << 15);
    pub const BALANCE: Parts = Parts(1 << 16);
    pub const INVOICES: Parts = Parts(1 << 17);
    pub const PAYMENTS: Parts = Parts(1 << 18);
    pub const POSTINGS: Parts = Parts(1 << 19);
    /// Fifty sessions, invoices, payments and postings in the place of twenty: of one customer.
    pub const MORE: Parts = Parts(1 << 20);

    pub const fn with(self, other: Parts) -> Parts {
        Parts(self.0 | other.0)
    }

    /// `other` where it is wanted.
    pub const fn with_if(self, wanted: bool, other: Parts) -> Parts {
        if wanted { self.with(other) } else { self }
    }

    const fn each(self) -> i64 {
        if self.has(Parts::MORE) { MORE } else { EACH }
    }

    const fn has(self, other: Parts) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Parts {
    type Output = Parts;

    fn bitor(self, other: Parts) -> Parts {
        self.with(other)
    }
}

impl BitOrAssign for Parts {
    fn bitor_assign(&mut self, other: Parts) {
        *self = self.with(other);
    }
}

/// So many of each customer's sessions, invoices, payments and postings are on its card; and with [`Parts::MORE`].
const EACH: i64 = 20;
const MORE: i64 = 50;

/// A customer with its primary line. What was not asked for is empty.
#[derive(Clone, Debug)]
pub struct Card {
    pub customer: Customer,
    pub line: Option<Service>,
    pub plan: Option<Plan>,
    pub version: Option<PlanVersion>,
    /// What the line gets while it is active: its own or its plan's.
    pub rate: Option<Bandwidth>,
    /// The newest one sold.
    pub period: Option<Period>,
    pub terms: Option<Terms>,
    pub site: Option<Site>,
    /// Devices and fixed addresses, the line's own first.
    pub bindings: Vec<Bound>,
    pub attributes: Vec<Attribute>,
    pub router: Option<Router>,
    pub pool: Option<Pool>,
    /// Since the running period began.
    pub up_bytes: i64,
    pub down_bytes: i64,
    /// The newest first, as with invoices, payments and postings.
    pub sessions: Vec<Session>,
    pub profile: Option<Profile>,
    pub seller: Option<Staff>,
    /// In the order of [`HOMES`].
    pub homes: [Option<String>; 5],
    pub address: Option<Address>,
    pub balance: Money,
    pub invoices: Vec<Invoice>,
    pub payments: Vec<Payment>,
    pub postings: Vec<Posted>,
}

/// The state of a customer, in the core's words (docs/readings.md 7.0).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Line(Status),
    /// Active, but validity or quota is over.
    Expired,
    Deleted,
}

impl Card {
    /// With nothing beside the customer and its line.
    fn bare(customer: Customer, line: Option<Service>) -> Card {
        Card {
            customer,
            line,
            plan: None,
            version: None,
            rate: None,
            period: None,
            terms: None,
            site: None,
            bindings: Vec::new(),
            attributes: Vec::new(),
            router: None,
            pool: None,
            up_bytes: 0,
            down_bytes: 0,
            sessions: Vec::new(),
            profile: None,
            seller: None,
            homes: [const { None }; 5],
            address: None,
            balance: Money::ZERO,
            invoices: Vec::new(),
            payments: Vec::new(),
            postings: Vec::new(),
        }
    }

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

    /// The plan with the terms that the running period was sold under.
    pub fn sold(&self) -> Option<(&Plan, &PlanVersion)> {
        self.plan.as_ref().zip(self.version.as_ref())
    }

    pub fn connection(&self) -> Option<Connection> {
        self.line.as_ref().map(|line| Site::connects(line.kind, self.site.as_ref()))
    }

    /// The last change of the customer, its line or, where it is read, its site.
    pub fn changed(&self) -> Instant {
        changed(&self.customer, self.line.as_ref(), self.site.as_ref())
    }
}

pub(crate) fn changed(customer: &Customer, line: Option<&Service>, site: Option<&Site>) -> Instant {
    let parts = [Some(customer.updated_at), line.map(|line| line.updated_at), site.map(|site| site.updated_at)];
    parts.into_iter().flatten().max().unwrap_or(customer.updated_at)
}

/// The cards of these customers, live or deleted, in the order given. Of several, those of another branch are left out.
pub async fn read(app: &App, actor: &Actor, ids: Vec<CustomerId>, parts: Parts) -> Result<Vec<Card>, Error> {
    let offset_us = offset_us(app, actor, parts).await?;
    let actor = actor.clone();
    app.db
        .read(async move |tx| {
            let mut rows = customer::with_services(tx, actor.isp, &ids).await?;
            if ids.len() > 1 {
                rows.retain(|(customer, _)| actor.reaches(customer.branch_id).is_ok());
            }
            of(tx, &actor, rows, parts, offset_us).await
        })
        .await
}

/// One customer's, who may be deleted.
///
/// # Errors
/// `NotFound`; `Forbidden` where it is another branch's.
pub async fn any(app: &App, actor: &Actor, id: CustomerId, parts: Parts) -> Result<Card, Error> {
    let found = read(app, actor, vec![id], parts).await?.into_iter().next();
    let found = found.ok_or(Error::NotFound { what: What::Customer })?;
    actor.reaches(found.customer.branch_id)?;
    Ok(found)
}

/// One live customer's.
///
/// # Errors
/// `NotFound`; `Forbidden` where it is another branch's.
pub async fn show(app: &App, actor: &Actor, id: CustomerId, parts: Parts) -> Result<Card, Error> {
    let offset_us = offset_us(app, actor, parts).await?;
    let actor = actor.clone();
    app.db
        .read(async move |tx| {
            let rows = customer::with_services(tx, actor.isp, &[id]).await?;
            let live = rows.into_iter().find(|(customer, _)| customer.deleted_at.is_none());
            let row = live.ok_or(Error::NotFound { what: What::Customer })?;
            actor.reaches(row.0.branch_id)?;
            let card = of(tx, &actor, vec![row], parts, offset_us).await?.pop();
            card.ok_or(Error::NotFound { what: What::Customer })
        })
        .await
}

/// How far the Isp's days are ahead of UTC's, where usage is counted by them.
pub(crate) async fn offset_us(app: &App, actor: &Actor, parts: Parts) -> Result<i64, Error> {
    if !parts.has(Parts::USAGE) {
        return Ok(0);
    }
    let tenant = app.tenant(actor.isp).await?;
    let offset = app.clock.now().in_zone(&tenant.zone).offset().seconds();
    Ok(i64::from(offset) * 1_000_000)
}

/// The cards of customers that are known with their lines. Days of usage begin `offset_us` ahead of UTC.
pub(crate) async fn of(
    tx: &Tx,
    actor: &Actor,
    rows: Vec<(Customer, Option<Service>)>,
    parts: Parts,
    offset_us: i64,
) -> Result<Vec<Card>, Error> {
    let mut cards: Vec<Card> = rows.into_iter().map(|(customer, line)| Card::bare(customer, line)).collect();
    let wanted = Wanted { tx, isp: actor.isp, parts };
    wanted.sold(&mut cards).await?;
    wanted.line(&mut cards, offset_us).await?;
    wanted.person(&mut cards).await?;
    wanted.money(&mut cards).await?;
    Ok(cards)
}

struct Wanted<'a> {
    tx: &'a Tx,
    isp: domain::IspId,
    parts: Parts,
}

impl Wanted<'_> {
    /// Plan, terms, rate, period, pool.
    async fn sold(&self, cards: &mut [Card]) -> Result<(), Error> {
        let Wanted { tx, isp, parts } = *self;
        let lines = lines(cards);
        if parts.has(Parts::PLAN) {
            let plans = plan::some(tx, isp, &each(cards, |card| Some(card.line.as_ref()?.plan_id))).await?;
            let plans: HashMap<PlanId, Plan> = plans.into_iter().map(|plan| (plan.id, plan)).collect();
            fill(cards, |card, line| card.plan = plans.get(&line.plan_id).cloned());
        }
        if parts.has(Parts::VERSION) {
            let versions = plan::sold_to(tx, isp, &lines).await?;
            let versions: HashMap<(PlanId, i64), PlanVersion> =
                versions.into_iter().map(|version| ((version.plan_id, version.version), version)).collect();
            fill(cards, |card, line| card.version = versions.get(&(line.plan_id, line.plan_version)).cloned());
        }
        if parts.has(Parts::RATE) {
            let own = |line: &Service, plan: Option<&Plan>| line.bandwidth_id.or(plan.map(|plan| plan.bandwidth_id));
            let ids = each(cards, |card| own(card.line.as_ref()?, card.plan.as_ref()));
            let rates = plan::rates(tx, isp, &ids).await?;
            let rates: HashMap<_, Bandwidth> = rates.into_iter().map(|rate| (rate.id, rate)).collect();
            fill(cards, |card, line| {
                card.rate = own(line, card.plan.as_ref()).and_then(|id| rates.get(&id).cloned());
            });
        }
        if parts.has(Parts::POOL) {
            let pools = plan::pools(tx, isp).await?;
            let of = |card: &Card| card.plan.as_ref().and_then(|plan| plan.pool_id);
            fill(cards, |card, _| {
                card.pool = of(&*card).and_then(|id| pools.iter().find(|pool| pool.id == id)).cloned()
            });
        }
        if parts.has(Parts::PERIOD) {
            let periods = service::last_periods(tx, isp, &lines).await?;
            let mut periods: HashMap<ServiceId, Period> =
                periods.into_iter().map(|period| (period.service_id, period)).collect();
            fill(cards, |card, line| card.period = periods.remove(&line.id));
        }
        Ok(())
    }

    /// What a line has of its own, and what it carried.
    async fn line(&self, cards: &mut [Card], offset_us: i64) -> Result<(), Error> {
        let Wanted { tx, isp, parts } = *self;
        let lines = lines(cards);
        if parts.has(Parts::TERMS) {
            let mut own = terms::of_services(tx, isp, &lines).await?;
            fill(cards, |card, line| card.terms = own.remove(&line.id));
        }
        if parts.has(Parts::SITE) {
            let mut sites = site::of_services(tx, isp, &lines).await?;
            fill(cards, |card, line| card.site = sites.remove(&line.id));
        }
        if parts.has(Parts::BINDINGS) {
            let others = binding::of_services(tx, isp, &lines).await?;
            fill(cards, |card, line| {
                card.bindings = bindings::whole(line, others.get(&line.id).map_or(&[][..], Vec::as_slice));
            });
        }
        if parts.has(Parts::ATTRIBUTES) {
            let rows = subscriber::attributes(tx, isp, &lines).await?;
            let mut rows = grouped(rows, |row| row.service_id);
            fill(cards, |card, line| card.attributes = rows.remove(&line.id).unwrap_or_default());
        }
        if parts.has(Parts::ROUTER) {
            let routers = router::of_isp(tx, isp).await?;
            let routers: HashMap<_, Router> = routers.into_iter().map(|router| (router.id, router)).collect();
            fill(cards, |card, line| card.router = routers.get(&line.router_id).cloned());
        }
        if parts.has(Parts::USAGE) {
            let usage = whom::usage(tx, isp, &lines, offset_us).await?;
            let usage: HashMap<ServiceId, (i64, i64)> =
                usage.into_iter().map(|(id, up, down)| (id, (up, down))).collect();
            fill(cards, |card, line| {
                (card.up_bytes, card.down_bytes) = usage.get(&line.id).copied().unwrap_or_default();
            });
        }
        if parts.has(Parts::SESSIONS) {
            let rows = subscriber::sessions(tx, isp, &lines, parts.each()).await?;
            let mut rows = grouped(rows, |row| row.service_id);
            fill(cards, |card, line| card.sessions = rows.remove(&Some(line.id)).unwrap_or_default());
        }
        Ok(())
    }

    /// Who it is, who sold to it, where it lives.
    async fn person(&self, cards: &mut [Card]) -> Result<(), Error> {
        let Wanted { tx, isp, parts } = *self;
        if parts.has(Parts::PROFILE) {
            let mut profiles = profile::of_customers(tx, isp, &people(cards)).await?;
            cards.iter_mut().for_each(|card| card.profile = profiles.remove(&card.customer.id));
        }
        if parts.has(Parts::SELLER) {
            let of = |card: &Card| card.profile.as_ref().and_then(|profile| profile.salesperson_id);
            let sellers = subscriber::staff(tx, isp, &each(cards, of)).await?;
            let sellers: HashMap<StaffId, Staff> = sellers.into_iter().map(|person| (person.id, person)).collect();
            cards.iter_mut().for_each(|card| card.seller = of(&*card).and_then(|id| sellers.get(&id).cloned()));
        }
        if parts.has(Parts::HOMES) {
            let of = |card: &Card, level| Some((level, place_of(card.profile.as_ref()?, level)?));
            let mut wanted: Vec<(Level, i64)> =
                cards.iter().flat_map(|card| HOMES.map(|level| of(card, level))).flatten().collect();
            wanted.sort_unstable_by_key(|(level, id)| (level.word(), *id));
            wanted.dedup();
            let names: HashMap<(Level, i64), String> = place::names(tx, isp, &wanted)
                .await?
                .into_iter()
                .map(|(level, id, name)| ((level, id), name))
                .collect();
            cards.iter_mut().for_each(|card| {
                card.homes = HOMES.map(|level| of(&*card, level).and_then(|place| names.get(&place).cloned()));
            });
        }
        if parts.has(Parts::ADDRESS) {
            let found = place::addresses(tx, isp, &each(cards, |card| card.customer.building_id)).await?;
            let found: HashMap<i64, Address> = found.into_iter().map(|address| (address.building, address)).collect();
            cards.iter_mut().for_each(|card| {
                card.address = card.customer.building_id.and_then(|id| found.get(&id).cloned());
            });
        }
        Ok(())
    }

    async fn money(&self, cards: &mut [Card]) -> Result<(), Error> {
        let Wanted { tx, isp, parts } = *self;
        let (people, each) = (people(cards), parts.each());
        if parts.has(Parts::BALANCE) {
            let held = subscriber::balances(tx, isp, &people).await?;
            cards.iter_mut().for_each(|card| card.balance = held.get(&card.customer.id).copied().unwrap_or_default());
        }
        if parts.has(Parts::INVOICES) {
            let mut rows = grouped(subscriber::invoices(tx, isp, &people, each).await?, |row| row.customer_id);
            cards.iter_mut().for_each(|card| card.invoices = rows.remove(&card.customer.id).unwrap_or_default());
        }
        if parts.has(Parts::PAYMENTS) {
            let mut rows = grouped(subscriber::payments(tx, isp, &people, each).await?, |row| row.customer_id);
            cards.iter_mut().for_each(|card| card.payments = rows.remove(&card.customer.id).unwrap_or_default());
        }
        if parts.has(Parts::POSTINGS) {
            let mut rows = grouped(subscriber::postings(tx, isp, &people, each).await?, |row| row.customer);
            cards.iter_mut().for_each(|card| card.postings = rows.remove(&card.customer.id).unwrap_or_default());
        }
        Ok(())
    }
}

fn people(cards: &[Card]) -> Vec<CustomerId> {
    cards.iter().map(|card| card.customer.id).collect()
}

fn lines(cards: &[Card]) -> Vec<ServiceId> {
    cards.iter().filter_map(|card| card.line.as_ref().map(|line| line.id)).collect()
}

/// What the cards name, each once.
fn each<T: Ord>(cards: &[Card], of: impl Fn(&Card) -> Option<T>) -> Vec<T> {
    let mut all: Vec<T> = cards.iter().filter_map(of).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Puts something on every card that has a line.
fn fill(cards: &mut [Card], mut put: impl FnMut(&mut Card, &Service)) {
    for card in cards {
        if let Some(line) = card.line.take() {
            put(card, &line);
            card.line = Some(line);
        }
    }
}

/// Rows by their owner, in the order they came.
fn grouped<K: Eq + Hash, T>(rows: Vec<T>, of: impl Fn(&T) -> K) -> HashMap<K, Vec<T>> {
    let mut groups: HashMap<K, Vec<T>> = HashMap::new();
    for row in rows {
        groups.entry(of(&row)).or_default().push(row);
    }
    groups
}

/// Which place of a level a profile names.
pub fn place_of(profile: &Profile, level: Level) -> Option<i64> {
    match level {
        Level::Country => profile.country_id,
        Level::Province => profile.province_id,
        Level::City => profile.city_id,
        Level::Area => profile.area_id,
        Level::Subarea => profile.subarea_id,
        Level::CollectionArea | Level::Street | Level::Building => None,
        Level::Department => profile.department_id,
    }
}
