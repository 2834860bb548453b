//! Salespeople: staff who sell packages that are assigned to them, on wallets that they pay into. They are made and
//! changed as all staff (`/staff`).

use axum::extract::State;
use domain::{PlanId, Scope, StaffId};
use doors::{Id, Operation, form::Body};
use serde::Serialize;
use serde_json::Number;
use service::{App, plans::Offer, salespeople};
use utoipa::ToSchema;

use crate::{
    envelope::{Answer, Caller, Failure, Listing, Page, Reply},
    v2::operators::{Fund, WalletEntry, WalletFunding, entry, funded, funding},
};

const TAG: &str = "Staff";

#[derive(Serialize, ToSchema)]
pub struct SoldPackage {
    package_id: i64,
    package: String,
    /// What customers pay.
    #[schema(value_type = f64)]
    price: Number,
    currency: String,
}

fn sold(caller: &Caller, offer: Offer) -> SoldPackage {
    SoldPackage {
        package_id: offer.plan.id.0,
        price: caller.amount(offer.version.price),
        currency: caller.tenant.currency.code.clone(),
        package: offer.plan.name,
    }
}

pub const PACKAGES: Operation =
    Operation::new(TAG, "What a salesperson may sell", Scope::StaffRead).lists::<SoldPackage>();

pub async fn packages(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    page: Page,
) -> Result<Listing<SoldPackage>, Failure> {
    let all = salespeople::packages(&app, &caller.actor, StaffId(id)).await?;
    Ok(page.cut(all, |offer| sold(&caller, offer)))
}

doors::form! {
    PackageAssignment {
        package_ids: optional Ids, "What the salesperson may sell from now on, and nothing else; null or absent: nothing.";
    }
}

pub const ASSIGN: Operation = Operation::new(TAG, "Say what a salesperson may sell", Scope::StaffWrite)
    .about("Activations by other calls are refused where the subscriber's salesperson may not sell the package.")
    .body::<PackageAssignment>()
    .answers::<Vec<SoldPackage>>();

pub async fn assign(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(PackageAssignment { package_ids }): Body<PackageAssignment>,
) -> Answer<Vec<SoldPackage>> {
    let packages = package_ids.or(Vec::new()).into_iter().map(PlanId).collect();
    salespeople::assign(&app, &caller.actor, StaffId(id), packages).await?;
    let now = salespeople::packages(&app, &caller.actor, StaffId(id)).await?;
    Ok(Reply::data(now.into_iter().map(|offer| sold(&caller, offer)).collect()))
}

pub const FUND: Operation = Operation::new(TAG, "Add funds to a salesperson", Scope::StaffWrite)
    .about("Activations that the salesperson pays for are taken from it; it never falls below zero.")
    .body::<Fund>()
    .creates::<WalletFunding>();

pub async fn fund(State(app): State<App>, caller: Caller, Id(id): Id, Body(body): Body<Fund>) -> Answer<WalletFunding> {
    let command = funding(&caller, body)?;
    let done = salespeople::fund(&app, &caller.actor, StaffId(id), command.clone(), caller.key.clone()).await?;
    Ok(Reply::created(funded(&caller, done, command)))
}

pub const LEDGER: Operation =
    Operation::new(TAG, "What moved a person's wallet", Scope::StaffRead).lists::<WalletEntry>();

pub async fn ledger(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    page: Page,
) -> Result<Listing<WalletEntry>, Failure> {
    let (lines, total) = salespeople::entries(&app, &caller.actor, StaffId(id), page.offset(), page.limit()).await?;
    Ok(page.of(lines.into_iter().map(|line| entry(&caller, line)).collect(), total))
}
