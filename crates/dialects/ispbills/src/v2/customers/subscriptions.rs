//! Subscriptions: the lines customers have, each with the package it is on (docs/readings.md I11).

use axum::extract::State;
use domain::{CustomerId, PlanId, Scope};
use doors::{Operation, form::Query, wire::utc_seconds};
use serde::Serialize;
use service::{
    App, LineFilter,
    customers::lines::{self, Subscription},
};
use utoipa::ToSchema;

use super::customers::{Package, STATUSES, broad_of, status_word};
use crate::envelope::{Caller, Failure, Listing, Page};

doors::form! {
    /// Which subscriptions.
    WantedSubscriptions {
        customer_id: optional Id, "Of this customer.";
        package_id: optional Id, "On this package.";
        status: optional Word(STATUSES), "What the line is: an expired one is suspended.";
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Subscription)]
pub struct Row {
    id: i64,
    customer_id: i64,
    package: Package,
    /// active, suspended or disabled.
    status: &'static str,
    /// prepaid: each period is paid before it begins.
    billing_type: &'static str,
    /// When the running period began.
    started_at: Option<String>,
    expires_at: Option<String>,
    /// Whether the next period is bought from what is held for the customer.
    auto_renew: bool,
}

pub const LIST: Operation = Operation::new("Billing", "List all subscriptions", Scope::BillingRead)
    .query::<WantedSubscriptions>()
    .lists::<Row>();

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(wanted): Query<WantedSubscriptions>,
) -> Result<Listing<Row>, Failure> {
    let WantedSubscriptions { customer_id, package_id, status } = wanted;
    let filter = LineFilter {
        customer: customer_id.value().map(CustomerId),
        plan: package_id.value().map(PlanId),
        broad: status.value().map(broad_of),
        ..LineFilter::default()
    };
    listed(&app, &caller, page, filter).await
}

pub async fn listed(app: &App, caller: &Caller, page: Page, filter: LineFilter) -> Result<Listing<Row>, Failure> {
    let (found, total) = lines::subscriptions(app, &caller.actor, filter, page.offset(), page.limit()).await?;
    let row = |Subscription { line, plan_name }| Row {
        id: line.id.0,
        customer_id: line.customer_id.0,
        package: Package { id: line.plan_id.0, name: plan_name.unwrap_or_default() },
        status: status_word(lines::broad(&line, caller.now)),
        billing_type: "prepaid",
        started_at: line.period_started_at.map(utc_seconds),
        expires_at: line.expires_at.map(utc_seconds),
        auto_renew: line.auto_renew,
    };
    Ok(page.of(found.into_iter().map(row).collect(), total))
}
