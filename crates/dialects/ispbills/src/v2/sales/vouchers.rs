//! Vouchers: prepaid codes, each good for a period of a plan, for so many clients.

use axum::extract::State;
use domain::{CustomerId, Kind, PlanId, RouterId, Scope};
use doors::{
    Id, Operation,
    form::{Body, Query},
    wire::utc_seconds,
};
use serde::Serialize;
use service::{
    App, Error, Voucher, VoucherFilter, What, Why,
    sales::vouchers::{self, Format, NewVouchers},
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Done, Failure, Listing, NO_CONTENT, Page, Reply};
use crate::v2::refused;

const STATUSES: &[&str] = &["unused", "used"];
const KINDS: &[&str] = &["hotspot", "pppoe"];
const FORMATS: &[&str] = &["numbers", "upper", "lower", "mixed"];

#[derive(Serialize, ToSchema)]
#[schema(as = Voucher)]
pub struct Row {
    id: i64,
    code: String,
    connection_type: &'static str,
    plan_id: i64,
    router_id: i64,
    /// Whose it is, where it was made for somebody.
    customer_id: Option<i64>,
    /// used: as often as it can be.
    status: &'static str,
    /// How many times it can be used, and has been.
    clients: i64,
    used: i64,
    last_client: Option<String>,
    last_used_at: Option<String>,
    created_at: String,
}

fn row(voucher: Voucher) -> Row {
    Row {
        id: voucher.id,
        code: voucher.code,
        connection_type: voucher.kind.word(),
        plan_id: voucher.plan_id.0,
        router_id: voucher.router_id.0,
        customer_id: voucher.customer_id.map(|id| id.0),
        status: if voucher.used >= voucher.clients { "used" } else { "unused" },
        clients: voucher.clients,
        used: voucher.used,
        last_client: voucher.last_client,
        last_used_at: voucher.last_used_at.map(utc_seconds),
        created_at: utc_seconds(voucher.created_at),
    }
}

doors::form! {
    VoucherListFilter {
        search: optional Text(1, 50), "Part of a code.";
        status: optional Word(STATUSES), "used: as often as it can be.";
        router_id: optional Id, "Of this router.";
        plan_id: optional Id, "Of this plan.";
        connection_type: optional Word(KINDS), "Of this kind.";
    }
}

pub const LIST: Operation =
    Operation::new("Vouchers", "List vouchers", Scope::VouchersRead).query::<VoucherListFilter>().lists::<Row>();

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(asked): Query<VoucherListFilter>,
) -> Result<Listing<Row>, Failure> {
    let VoucherListFilter { search, status, router_id, plan_id, connection_type } = asked;
    let filter = VoucherFilter {
        search: search.value(),
        used_up: status.value().map(|status| status == "used"),
        router: router_id.value().map(RouterId),
        plan: plan_id.value().map(PlanId),
        kind: connection_type.value().and_then(Kind::from_word),
    };
    let (found, total) = vouchers::list(&app, &caller.actor, filter, page.offset(), page.limit()).await?;
    Ok(page.of(found.into_iter().map(row).collect(), total))
}

doors::form! {
    VoucherBatch {
        plan_id: required Id, "What each use gives a period of.";
        router_id: required Id, "Where they are good.";
        connection_type: optional Word(KINDS), "hotspot where not given.";
        count: required Integer(1, 100), "How many.";
        format: optional Word(FORMATS), "Of what characters codes are; upper where not given.";
        length: optional Integer(2, 10), "Of a code; 8 where not given.";
        clients: optional Integer(1, 99_999), "How many times each can be used; 1 where not given.";
        customer_id: optional Id, "Good for this customer alone.";
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = MadeVoucher)]
pub struct Made {
    id: i64,
    code: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = MadeVouchers)]
pub struct MadeAll {
    plan: String,
    router: String,
    vouchers: Vec<Made>,
}

pub const GENERATE: Operation =
    Operation::new("Vouchers", "Generate vouchers", Scope::VouchersWrite).body::<VoucherBatch>().creates::<MadeAll>();

pub async fn generate(State(app): State<App>, caller: Caller, Body(body): Body<VoucherBatch>) -> Answer<MadeAll> {
    let command = NewVouchers {
        kind: body.connection_type.value().and_then(Kind::from_word).unwrap_or(Kind::Hotspot),
        router: RouterId(body.router_id),
        plan: PlanId(body.plan_id),
        count: body.count as usize,
        format: match body.format.or("upper") {
            "numbers" => Format::Numbers,
            "lower" => Format::Lower,
            "mixed" => Format::Mixed,
            _ => Format::Upper,
        },
        length: body.length.or(8) as u32,
        clients: body.clients.or(1),
        customer: body.customer_id.value().map(CustomerId),
    };
    let made = vouchers::create(&app, &caller.actor, command, caller.key.clone()).await.map_err(refused)?;
    let vouchers = made.vouchers.into_iter().map(|(id, code)| Made { id, code }).collect();
    Ok(Reply::created(MadeAll { plan: made.plan_name, router: made.router_name, vouchers }))
}

#[derive(Serialize, ToSchema)]
#[schema(as = VoucherUse)]
pub struct Use {
    customer_id: i64,
    /// Who used it: a username or a device.
    client: String,
    used_at: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = VoucherDetail)]
pub struct Detail {
    #[serde(flatten)]
    voucher: Row,
    /// The first hundred.
    uses: Vec<Use>,
}

pub const SHOW: Operation =
    Operation::new("Vouchers", "Retrieve a voucher with its uses", Scope::VouchersRead).answers::<Detail>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Detail> {
    let vouchers::Shown { voucher, uses } = vouchers::show(&app, &caller.actor, id).await?;
    let changed = vouchers::changed_at(&voucher);
    let uses = uses.into_iter().map(|used| Use {
        customer_id: used.customer_id.0,
        client: used.client,
        used_at: utc_seconds(used.used_at),
    });
    let uses = uses.collect();
    Ok(Reply::data(Detail { voucher: row(voucher), uses }).tagged(changed))
}

pub const DELETE: Operation =
    Operation::new("Vouchers", "Delete a voucher", Scope::VouchersWrite).no_content().conditional();

pub async fn delete(State(app): State<App>, caller: Caller, Id(id): Id) -> Done {
    vouchers::delete_one(&app, &caller.actor, id, caller.unchanged_since()?).await?;
    NO_CONTENT
}

doors::form! {
    Redemption {
        code: required Text(1, 50), "The voucher's code; capitals do not matter.";
        customer_id: required Id, "Who gets the period.";
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = RedeemedVoucher)]
pub struct Redeemed {
    voucher_id: i64,
    customer_id: i64,
    plan: String,
    expires_at: String,
}

pub const REDEEM: Operation = Operation::new("Vouchers", "Use a voucher for a customer", Scope::VouchersWrite)
    .about("The voucher's plan's next period, paid for by the voucher.")
    .body::<Redemption>()
    .answers::<Redeemed>();

pub async fn redeem(State(app): State<App>, caller: Caller, Body(body): Body<Redemption>) -> Answer<Redeemed> {
    let Redemption { code, customer_id } = body;
    let key = caller.key.clone();
    let done = vouchers::redeem(&app, &caller.actor, code, CustomerId(customer_id), key).await;
    let done = done.map_err(|error| match error {
        // Rows of the body, not of the path.
        Error::NotFound { what: What::Voucher } => Error::invalid("code", Why::Unknown),
        Error::NotFound { .. } => Error::invalid("customer_id", Why::Unknown),
        other => other,
    })?;
    let expires_at = utc_seconds(done.expires());
    Ok(Reply::data(Redeemed { voucher_id: done.voucher_id, customer_id, plan: done.plan_name, expires_at }))
}
