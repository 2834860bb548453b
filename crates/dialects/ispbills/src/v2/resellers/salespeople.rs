//! Salespeople: staff who sell packages that are assigned to them, on wallets that they pay into. They are made and
//! changed as all staff (`/staff`).

use axum::extract::State;
use domain::{PlanId, Scope, StaffId};
use doors::{Id, Operation, form::Body};
use service::{
    App,
    billing::funding as paid_in,
    resellers::salespeople::{self, Selling},
};

use super::operators::{Fund, PackagePrice, SetPrice, WalletEntry, WalletFunding, entry, funded, funding, priced};
use crate::envelope::{Answer, Caller, Failure, Listing, Page, Reply};

const TAG: &str = "Staff";

pub const PACKAGES: Operation =
    Operation::new(TAG, "What a salesperson may sell", Scope::StaffRead).lists::<PackagePrice>();

pub async fn packages(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    page: Page,
) -> Result<Listing<PackagePrice>, Failure> {
    let all = salespeople::packages(&app, &caller.actor, StaffId(id)).await?;
    Ok(page.cut(all, |offer| priced(&caller, offer)))
}

doors::form! {
    PackageAssignment {
        package_ids: optional Ids, "What the salesperson may sell from now on, and nothing else; null or absent: nothing.";
        auto_renew: optional Boolean, "Whether the salesperson's customers may renew by themselves; absent: as it is.";
    }
}

pub const ASSIGN: Operation = Operation::new(TAG, "Say what a salesperson may sell", Scope::StaffWrite)
    .about("Activations by other calls are refused where the subscriber's salesperson may not sell the package.")
    .body::<PackageAssignment>()
    .answers::<Vec<PackagePrice>>();

pub async fn assign(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(PackageAssignment { package_ids, auto_renew }): Body<PackageAssignment>,
) -> Answer<Vec<PackagePrice>> {
    let packages = package_ids.or(Vec::new()).into_iter().map(PlanId).collect();
    let selling = Selling { plans: Some(packages), auto_renew: auto_renew.value() };
    salespeople::set(&app, &caller.actor, caller.scopes, StaffId(id), selling).await?;
    let now = salespeople::packages(&app, &caller.actor, StaffId(id)).await?;
    Ok(Reply::data(now.into_iter().map(|offer| priced(&caller, offer)).collect()))
}

pub const SET_PRICE: Operation = Operation::new(TAG, "Set what a package costs a salesperson", Scope::StaffWrite)
    .body::<SetPrice>()
    .answers::<PackagePrice>();

pub async fn set_price(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(SetPrice { package_id, price }): Body<SetPrice>,
) -> Answer<PackagePrice> {
    let price = price.value().map(|price| caller.money("price", price, 0)).transpose()?;
    let done = salespeople::set_price(&app, &caller.actor, StaffId(id), PlanId(package_id), price).await?;
    Ok(Reply::data(priced(&caller, done)))
}

pub const FUND: Operation = Operation::new(TAG, "Add funds to a salesperson", Scope::StaffWrite)
    .about("Activations that the salesperson pays for are taken from it; it never falls below zero.")
    .body::<Fund>()
    .creates::<WalletFunding>();

pub async fn fund(State(app): State<App>, caller: Caller, Id(id): Id, Body(body): Body<Fund>) -> Answer<WalletFunding> {
    let command = funding(&caller, body)?;
    let done = paid_in::salesperson(&app, &caller.actor, StaffId(id), command.clone(), caller.key.clone()).await?;
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
