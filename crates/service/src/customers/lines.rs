//! Customers with their lines as lists, details and reports show them.

use domain::{Connection, CustomerId, Instant, PlanId, ServiceId, Status};
use jiff::civil;
use store::{
    access::session,
    catalogue::plan,
    customers::line::{self, Broad, Filter, Medium},
    people::{
        customer::{self, Customer, Order, Page},
        service::{self, Service},
    },
    plant::site::{self as plant, Plant},
};

use crate::{Actor, App, Error, Standing, What};

/// A customer with its primary line.
#[derive(Clone, Debug)]
pub struct Shown {
    pub customer: Customer,
    pub line: Option<Service>,
    pub plan_name: Option<String>,
    pub plant: Option<Plant>,
}

impl Shown {
    pub fn connection(&self) -> Option<Connection> {
        let told = self.plant.as_ref().map(|plant| plant.connection);
        self.line.as_ref().map(|line| Connection::of(line.kind, told))
    }

    /// The last change of anything that is shown.
    pub fn changed(&self) -> Instant {
        changed(&self.customer, self.line.as_ref(), self.plant.as_ref())
    }
}

pub(crate) fn changed(customer: &Customer, line: Option<&Service>, plant: Option<&Plant>) -> Instant {
    let parts = [Some(customer.updated_at), line.map(|line| line.updated_at), plant.map(|plant| plant.updated_at)];
    parts.into_iter().flatten().max().unwrap_or(customer.updated_at)
}

/// What a line is to its customer.
pub fn broad(line: &Service, now: Instant) -> Broad {
    let over = line.expires_at.is_none_or(|at| at <= now)
        || line.quota_bytes.is_some_and(|quota| line.used_bytes >= quota)
        || line.quota_time_s.is_some_and(|quota| line.used_time_s >= quota);
    match line.status {
        Status::Active if !over => Broad::Active,
        Status::Active | Status::Suspended | Status::Pending | Status::AwaitingApproval => Broad::Suspended,
        Status::Disabled | Status::Inactive | Status::Rejected | Status::Terminated => Broad::Disabled,
    }
}

/// A page of customers, newest first, and how many there are in all.
pub async fn customers(
    app: &App,
    actor: &Actor,
    mut filter: Filter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Shown>, i64), Error> {
    let (isp, now) = (actor.isp, app.clock.now());
    filter.branch = actor.branch.or(filter.branch);
    app.db
        .read(async move |tx| {
            let (rows, total) = match of_roster(&filter) {
                Some(filter) => {
                    let page = Page { order: Order::Created, descending: true, offset, limit };
                    customer::list(tx, isp, &filter, page, now).await?
                }
                None => line::customers(tx, isp, &filter, now, offset, limit).await?,
            };
            let lines: Vec<&Service> = rows.iter().filter_map(|(_, line)| line.as_ref()).collect();
            let names = plan_names(tx, isp, lines.iter().copied()).await?;
            let ids: Vec<ServiceId> = lines.iter().map(|line| line.id).collect();
            let mut plants = plant::of(tx, isp, &ids).await?;
            let shown = rows.into_iter().map(|(customer, line)| {
                let id = line.as_ref().map(|line| line.id);
                let at = plants.iter().position(|plant| Some(plant.service_id) == id);
                let plant = at.map(|at| plants.swap_remove(at));
                let plan_name = line.as_ref().and_then(|line| names.of(line.plan_id));
                Shown { customer, line, plan_name, plant }
            });
            Ok((shown.collect(), total))
        })
        .await
}

/// The same conditions for the roster, which answers faster, where it knows all that is asked.
fn of_roster(filter: &Filter) -> Option<customer::Filter> {
    let Filter { customer: None, plan: None, router, broad, medium, branch, ref search } = *filter else { return None };
    let standing = match broad {
        None => None,
        Some(Broad::Active) => Some(Standing::Active),
        Some(Broad::Suspended | Broad::Disabled) => return None,
    };
    let kind = match medium {
        None => None,
        Some(Medium::Fibre | Medium::Plain(domain::Kind::Pppoe)) => return None,
        Some(Medium::Plain(kind)) => Some(kind),
    };
    Some(customer::Filter { kind, standing, router, building: None, branch, search: search.clone() })
}

struct Names(Vec<(PlanId, String)>);

impl Names {
    fn of(&self, id: PlanId) -> Option<String> {
        self.0.iter().find(|(known, _)| *known == id).map(|(_, name)| name.clone())
    }
}

async fn plan_names(
    tx: &store::db::Tx,
    isp: domain::IspId,
    lines: impl Iterator<Item = &Service>,
) -> Result<Names, Error> {
    let mut ids: Vec<PlanId> = lines.map(|line| line.plan_id).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(Names(plan::names(tx, isp, &ids).await?))
}

pub async fn show(app: &App, actor: &Actor, id: CustomerId) -> Result<Shown, Error> {
    let actor = actor.clone();
    app.db
        .read(async move |tx| {
            let isp = actor.isp;
            let customer = live(tx, &actor, id).await?;
            let line = service::of_customer(tx, isp, id).await?.into_iter().next();
            let (plan_name, plant) = match &line {
                Some(line) => (
                    plan_names(tx, isp, [line].into_iter()).await?.of(line.plan_id),
                    plant::find(tx, isp, line.id).await?,
                ),
                None => (None, None),
            };
            Ok(Shown { customer, line, plan_name, plant })
        })
        .await
}

async fn live(tx: &store::db::Tx, actor: &Actor, id: CustomerId) -> Result<Customer, Error> {
    let customer = customer::find(tx, actor.isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
    actor.reaches(customer.branch_id)?;
    Ok(customer)
}

/// Whether there is such a customer for this caller.
pub async fn is_there(app: &App, actor: &Actor, id: CustomerId) -> Result<(), Error> {
    let actor = actor.clone();
    app.db.read(async move |tx| live(tx, &actor, id).await.map(drop)).await
}

/// A line with its plan's name.
#[derive(Clone, Debug)]
pub struct Subscription {
    pub line: Service,
    pub plan_name: Option<String>,
}

/// A page of lines, newest first, and how many there are in all.
pub async fn subscriptions(
    app: &App,
    actor: &Actor,
    mut filter: Filter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Subscription>, i64), Error> {
    let (isp, now) = (actor.isp, app.clock.now());
    filter.branch = actor.branch.or(filter.branch);
    app.db
        .read(async move |tx| {
            let (lines, total) = line::list(tx, isp, &filter, now, offset, limit).await?;
            let names = plan_names(tx, isp, lines.iter()).await?;
            let of = |line: Service| Subscription { plan_name: names.of(line.plan_id), line };
            Ok((lines.into_iter().map(of).collect(), total))
        })
        .await
}

/// What a day's sessions carried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DayUsage {
    pub day: civil::Date,
    pub up: u64,
    pub down: u64,
    pub seconds: i64,
}

/// A customer's usage on the days from one to another, both included; days without any are left out.
pub async fn usage(
    app: &App,
    actor: &Actor,
    id: CustomerId,
    (from, to): (civil::Date, civil::Date),
) -> Result<Vec<DayUsage>, Error> {
    let actor = actor.clone();
    let span = (number(from), number(to));
    app.db
        .read(async move |tx| {
            live(tx, &actor, id).await?;
            let rows = session::usage_of_customer(tx, actor.isp, id, span).await?;
            let day = |(day, up, down, seconds)| DayUsage { day: date(day), up, down, seconds };
            Ok(rows.into_iter().map(day).collect())
        })
        .await
}

/// Days since 1970-01-01, as usage is kept.
fn number(day: civil::Date) -> i64 {
    let since = day.since(civil::date(1970, 1, 1)).map(|span| i64::from(span.get_days()));
    since.unwrap_or_default()
}

fn date(number: i64) -> civil::Date {
    let days = jiff::Span::new().try_days(number);
    days.and_then(|days| civil::date(1970, 1, 1).checked_add(days)).unwrap_or(civil::Date::MAX)
}
