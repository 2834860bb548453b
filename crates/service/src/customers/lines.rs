//! Lines by themselves, as lists and reports show them.

use domain::{CustomerId, Instant, PlanId, Status};
use jiff::civil;
use store::{
    access::session,
    catalogue::plan,
    customers::line::{self, Broad, Filter},
    people::{
        customer::{self, Customer},
        service::Service,
    },
};

use crate::{Actor, App, Error, What};

/// Whether validity or quota is over, whatever the status.
pub fn over(line: &Service, now: Instant) -> bool {
    line.expires_at.is_none_or(|at| at <= now)
        || line.quota_bytes.is_some_and(|quota| line.used_bytes >= quota)
        || line.quota_time_s.is_some_and(|quota| line.used_time_s >= quota)
}

/// What a line is to its customer.
pub fn broad(line: &Service, now: Instant) -> Broad {
    match line.status {
        Status::Active if !over(line, now) => Broad::Active,
        Status::Active | Status::Suspended | Status::Pending | Status::AwaitingApproval => Broad::Suspended,
        Status::Disabled | Status::Inactive | Status::Rejected | Status::Terminated => Broad::Disabled,
    }
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
