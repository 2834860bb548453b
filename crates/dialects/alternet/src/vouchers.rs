//! Vouchers: list, generate, delete one, delete many.

use axum::extract::{RawQuery, State};
use domain::{CustomerId, PlanId, RouterId};
use doors::{
    Asked, Fields, Id,
    fields::{id, ids, integer, named, text, word},
    wire::utc_micros,
};
use serde::Serialize;
use service::{
    App, Error, Voucher, VoucherFilter, What,
    sales::vouchers::{self, Format, NewVouchers},
};

use crate::{
    customers::{kind_of, type_word},
    envelope::{Answer, Caller, Done, Listing, Reply, paging},
};

/// The document writes PPPOE here; capitals do not matter.
const TYPES: &[&str] = &["Hotspot", "PPPoE"];
const FORMATS: &[&str] = &["numbers", "up", "low", "rand"];

/// The core's field names in this document's words.
const NAMES: &[(&str, &str)] =
    &[("plan", "plan_id"), ("router", "router_id"), ("customer", "customer_id"), ("length", "lengthcode")];

#[derive(Serialize, Debug)]
pub struct Row {
    id: i64,
    #[serde(rename = "type")]
    kind: &'static str,
    id_plan: i64,
    router_id: i64,
    customer_id: Option<i64>,
    code: String,
    client: Option<String>,
    #[serde(rename = "clientsCount")]
    clients: i64,
    used_count: i64,
    status: &'static str,
    used_date: Option<String>,
    created_at: String,
}

/// List vouchers with filtering.
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
    mut asked: Asked,
) -> Answer<Listing<Row>> {
    let page = paging(&mut asked, 50);
    let q = &mut asked.0;
    let filter = VoucherFilter {
        search: q.optional("search", text(0, 50)).value(),
        used_up: q.optional("status", integer(0, 1)).value().map(|status| status == 1),
        router: q.optional("router_id", id).value().map(RouterId),
        plan: q.optional("plan_id", id).value().map(PlanId),
        kind: q.optional("type", word(TYPES)).value().map(kind_of),
    };
    q.finish()?;
    let (found, total) = vouchers::list(&app, &caller.actor, filter, page.offset(), page.per_page).await?;
    let row = |voucher: Voucher| Row {
        id: voucher.id,
        kind: type_word(voucher.kind),
        id_plan: voucher.plan_id.0,
        router_id: voucher.router_id.0,
        customer_id: voucher.customer_id.map(|id| id.0),
        code: voucher.code,
        client: voucher.last_client,
        clients: voucher.clients,
        used_count: voucher.used,
        status: if voucher.used >= voucher.clients { "1" } else { "0" },
        used_date: voucher.last_used_at.map(|at| caller.datetime(at)),
        created_at: utc_micros(voucher.created_at),
    };
    let rows = found.into_iter().map(row).collect();
    Ok(Reply::data(Listing::new(&caller, query.as_deref(), page, rows, total)))
}

#[derive(Serialize, Debug)]
pub struct Generated {
    vouchers: Vec<Code>,
    plan_name: String,
    router_name: String,
}

#[derive(Serialize, Debug)]
struct Code {
    code: String,
    id: i64,
}

/// Generate multiple vouchers.
pub async fn create(State(app): State<App>, caller: Caller, mut body: Fields) -> Answer<Generated> {
    let kind = kind_of(body.required("type", word(TYPES)));
    let router = body.required("router_id", id);
    let plan = body.required("plan_id", id);
    let count = body.required("numbervoucher", integer(1, 100));
    let format = match body.required("voucher_format", word(FORMATS)) {
        "numbers" => Format::Numbers,
        "up" => Format::Upper,
        "low" => Format::Lower,
        _ => Format::Mixed,
    };
    let length = body.required("lengthcode", integer(2, 10));
    let clients = body.required("clientsCount", integer(1, 99_999));
    let customer = body.optional("customer_id", id).value().map(CustomerId);
    body.finish()?;
    let command = NewVouchers {
        kind,
        router: RouterId(router),
        plan: PlanId(plan),
        count: count as usize,
        format,
        length: length as u32,
        clients,
        customer,
    };
    let key = caller.key.clone();
    let made = vouchers::create(&app, &caller.actor, command, key).await.map_err(|error| named(error, NAMES))?;
    let message = format!("{} voucher(s) generated successfully", made.vouchers.len());
    let data = Generated {
        vouchers: made.vouchers.into_iter().map(|(id, code)| Code { code, id }).collect(),
        plan_name: made.plan_name,
        router_name: made.router_name,
    };
    Ok(Reply::created(message, data))
}

/// Delete voucher.
pub async fn delete(State(app): State<App>, caller: Caller, Id(number): Id) -> Done {
    match vouchers::delete(&app, &caller.actor, vec![number]).await? {
        0 => Err(Error::NotFound { what: What::Voucher }.into()),
        _ => Ok(Reply::done("Voucher deleted successfully")),
    }
}

/// Bulk delete vouchers. Some clients cannot send a body with DELETE: theirs stand in the query.
pub async fn bulk_delete(State(app): State<App>, caller: Caller, asked: Asked, mut body: Fields) -> Done {
    body.or_asked(asked);
    let mut numbers = body.required("voucher_ids", ids);
    body.finish()?;
    numbers.sort_unstable();
    numbers.dedup();
    let gone = vouchers::delete(&app, &caller.actor, numbers).await?;
    Ok(Reply::done(format!("{gone} voucher(s) deleted successfully")))
}
