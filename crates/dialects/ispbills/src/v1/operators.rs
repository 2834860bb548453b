//! Operators as version 1 has them. What they are is told as version 2 tells it.

use axum::extract::State;
use domain::{Scope, StaffId};
use doors::{Id, Operation, form::Body};
use service::{App, resellers::operators};

use crate::{
    envelope::{Answer, Caller, Failure, Listing, Page, Reply},
    v2::resellers::operators::{Row, told},
};

pub use crate::v2::resellers::operators::{CREATE, FUND, UPDATE, create, fund, update};

pub const LIST: Operation = Operation::new("Operators", "List all operators", Scope::OperatorsRead).lists::<Row>();

pub async fn list(State(app): State<App>, caller: Caller, page: Page) -> Result<Listing<Row>, Failure> {
    let filter = operators::Filter::default();
    let (rows, total) = operators::list(&app, &caller.actor, filter, page.offset(), page.limit()).await?;
    Ok(page.of(rows.into_iter().map(|row| told(&caller, row)).collect(), total))
}

doors::form! {
    SuspendOperator {
        suspended: optional Boolean, "false lifts the suspension.";
    }
}

pub const SUSPEND: Operation = Operation::new("Operators", "Suspend an operator", Scope::OperatorsWrite)
    .about("Its tokens end at once, signing in is refused, and nobody sells on its account.")
    .body::<SuspendOperator>()
    .answers::<Row>();

pub async fn suspend(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<SuspendOperator>,
) -> Answer<Row> {
    let row = operators::suspend(&app, &caller.actor, StaffId(id), body.suspended.or(true)).await?;
    Ok(Reply::data(told(&caller, row)))
}
