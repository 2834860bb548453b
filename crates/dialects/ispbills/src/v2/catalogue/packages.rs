//! Packages: what is sold, which elsewhere is called a plan.

use axum::extract::State;
use domain::Scope;
use doors::Operation;
use serde::Serialize;
use serde_json::Number;
use service::{App, catalogue::plans};
use utoipa::ToSchema;

use crate::envelope::{Caller, Failure, Listing, Page};

#[derive(Serialize, ToSchema)]
#[schema(as = Package)]
pub struct Row {
    id: i64,
    name: String,
    #[schema(value_type = f64)]
    price: Number,
    currency: String,
    /// pppoe, hotspot, static or other.
    connection_type: &'static str,
    validity: i64,
    validity_unit: String,
    active: bool,
}

pub const LIST: Operation = Operation::new("Packages", "List all packages", Scope::PlansRead).lists::<Row>();

pub async fn list(State(app): State<App>, caller: Caller, page: Page) -> Result<Listing<Row>, Failure> {
    let offers = plans::offers(&app, &caller.actor).await?;
    let row = |offer: plans::Offer| Row {
        id: offer.plan.id.0,
        price: caller.amount(offer.version.price),
        currency: caller.tenant.currency.code.clone(),
        connection_type: offer.plan.kind.word(),
        validity: offer.version.validity,
        validity_unit: offer.version.validity_unit,
        active: offer.plan.enabled,
        name: offer.plan.name,
    };
    Ok(page.cut(offers, row))
}
