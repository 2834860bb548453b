//! Recharge cards as version 1 lists them.

use axum::extract::State;
use domain::{CardState, Scope, StaffId};
use doors::{Operation, form::Query};
use service::{App, sales::cards::Filter};

use crate::{
    envelope::{Caller, Failure, Listing, Page},
    v2::sales::recharge_cards::{Row, of},
};

doors::form! {
    RechargeCardFilter {
        status: optional Word(CardState::WORDS), "Only those.";
        distributor_id: optional Id, "Only those in this distributor's hands.";
    }
}

pub const LIST: Operation = Operation::new("Recharge cards", "List all recharge cards", Scope::CardsRead)
    .query::<RechargeCardFilter>()
    .lists::<Row>();

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(asked): Query<RechargeCardFilter>,
) -> Result<Listing<Row>, Failure> {
    let RechargeCardFilter { status, distributor_id } = asked;
    let filter = Filter {
        state: status.value().and_then(CardState::from_word),
        distributor: distributor_id.map(StaffId).value(),
        ..Filter::default()
    };
    of(&app, &caller, page, filter).await
}
