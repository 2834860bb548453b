//! What belongs to one customer: bills, payments, subscriptions, usage.

use axum::extract::State;
use domain::{CustomerId, Scope};
use doors::{Id, Operation, form::Query};
use jiff::ToSpan;
use serde::Serialize;
use service::{
    App, BillFilter, Error, Expected, LineFilter, Why,
    billing::payments::Wanted,
    customers::lines::{self, DayUsage},
};
use utoipa::ToSchema;

use super::subscriptions;
use crate::envelope::{Answer, Caller, Failure, Listing, Page, Reply};
use crate::v2::billing::{bills, payments};

pub const BILLS: Operation = Operation::new("Customers", "Customer bills", Scope::BillingRead).lists::<bills::Row>();

pub async fn bills(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    page: Page,
) -> Result<Listing<bills::Row>, Failure> {
    let id = CustomerId(id);
    lines::is_there(&app, &caller.actor, id).await?;
    bills::listed(&app, &caller, page, BillFilter { customer: Some(id), ..BillFilter::default() }).await
}

pub const PAYMENTS: Operation =
    Operation::new("Customers", "Customer payments", Scope::BillingRead).lists::<payments::Row>();

pub async fn payments(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    page: Page,
) -> Result<Listing<payments::Row>, Failure> {
    let id = CustomerId(id);
    lines::is_there(&app, &caller.actor, id).await?;
    payments::listed(&app, &caller, page, Wanted { customer: Some(id), ..Wanted::default() }).await
}

pub const SUBSCRIPTIONS: Operation =
    Operation::new("Customers", "Customer subscriptions", Scope::CustomersRead).lists::<subscriptions::Row>();

pub async fn subscriptions(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    page: Page,
) -> Result<Listing<subscriptions::Row>, Failure> {
    let id = CustomerId(id);
    lines::is_there(&app, &caller.actor, id).await?;
    subscriptions::listed(&app, &caller, page, LineFilter { customer: Some(id), ..LineFilter::default() }).await
}

/// Days that are shown where nobody says which.
const USUAL_DAYS: i32 = 30;

doors::form! {
    /// Which days.
    Span {
        from: optional AnyDate, "The first day, in the provider's time zone; thirty days ago where it is left out.";
        to: optional AnyDate, "The last day; today where it is left out.";
    }
}

#[derive(Serialize, ToSchema)]
pub struct Usage {
    upload_bytes: u64,
    download_bytes: u64,
    total_bytes: u64,
    #[schema(format = Date)]
    from: String,
    #[schema(format = Date)]
    to: String,
    /// Those with any usage.
    days: Vec<Day>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = UsageOfDay)]
pub struct Day {
    #[schema(format = Date)]
    date: String,
    upload_bytes: u64,
    download_bytes: u64,
    total_bytes: u64,
    /// Time online.
    seconds: i64,
}

pub const USAGE: Operation =
    Operation::new("Customers", "Customer usage statistics", Scope::CustomersRead).query::<Span>().answers::<Usage>();

pub async fn usage(State(app): State<App>, caller: Caller, Id(id): Id, Query(span): Query<Span>) -> Answer<Usage> {
    let to = span.to.or(caller.now.day(&caller.tenant.zone));
    let from = span.from.or(to.checked_sub((USUAL_DAYS - 1).days()).unwrap_or(to));
    if from > to {
        return Err(Error::invalid("from", Why::Not(Expected::DayNotAfterTo)).into());
    }
    let days = lines::usage(&app, &caller.actor, CustomerId(id), (from, to)).await?;
    let sum = |part: fn(&DayUsage) -> u64| days.iter().map(part).fold(0, u64::saturating_add);
    let (up, down) = (sum(|day| day.up), sum(|day| day.down));
    let day = |day: &DayUsage| Day {
        date: day.day.to_string(),
        upload_bytes: day.up,
        download_bytes: day.down,
        total_bytes: day.up.saturating_add(day.down),
        seconds: day.seconds,
    };
    Ok(Reply::data(Usage {
        upload_bytes: up,
        download_bytes: down,
        total_bytes: up.saturating_add(down),
        from: from.to_string(),
        to: to.to_string(),
        days: days.iter().map(day).collect(),
    }))
}
