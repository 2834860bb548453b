//! Invoices, bills, subscriptions and payments. An invoice is the printable view of a bill and has its id (READINGS
//! I10); rows are those of version 2.

use axum::extract::State;
use doors::{Operation, form::Query};
use service::App;

use crate::{
    envelope::{Caller, Failure, Listing, Page},
    v2::{bills, payments, subscriptions},
};

pub const INVOICES: Operation = Operation { summary: "List all invoices", ..bills::LIST };
pub const BILLS: Operation = bills::LIST;
pub const SUBSCRIPTIONS: Operation = subscriptions::LIST;
pub const PAYMENTS: Operation = payments::LIST;

pub async fn invoices(
    app: State<App>,
    caller: Caller,
    page: Page,
    wanted: Query<bills::WantedBills>,
) -> Result<Listing<bills::Row>, Failure> {
    bills::list(app, caller, page, wanted).await
}

pub async fn bills(
    app: State<App>,
    caller: Caller,
    page: Page,
    wanted: Query<bills::WantedBills>,
) -> Result<Listing<bills::Row>, Failure> {
    bills::list(app, caller, page, wanted).await
}

pub async fn subscriptions(
    app: State<App>,
    caller: Caller,
    page: Page,
    wanted: Query<subscriptions::WantedSubscriptions>,
) -> Result<Listing<subscriptions::Row>, Failure> {
    subscriptions::list(app, caller, page, wanted).await
}

pub async fn payments(
    app: State<App>,
    caller: Caller,
    page: Page,
    wanted: Query<payments::WantedPayments>,
) -> Result<Listing<payments::Row>, Failure> {
    payments::list(app, caller, page, wanted).await
}
