//! E21 to E25, E27, E39: field collection.

use axum::extract::State;
use domain::{CustomerId, Money, StaffId};
use doors::fields::{amount, boolean, digits, id, lines, word};
use serde_json::{Value, json};
use service::{
    App, Why,
    billing::collections::{self, Found, Visit},
    customers::{
        card::Card,
        lists::{self, Whom},
    },
    receivables,
};

use crate::{
    envelope::{Answer, Call, Failure, Reply, day, day_near, id_of, short},
    rows,
};

/// E21 A collector's users, area by area, with what they owe (J15).
pub async fn users(State(app): State<App>, mut call: Call) -> Answer {
    call.body.alias("userWithBalance", &["userwith balance", "userwithbalance", "userwithBalance", "userWithbalance"]);
    let admin = call.body.required("adminId", id);
    let area = call.body.optional("areaId", id).value();
    let with_balance = call.body.optional("userWithBalance", boolean).or(false);
    call.body.finish()?;
    let ids = collections::customers_of(&app, &call.actor, StaffId(admin), area).await?;
    let owed = collections::owed(&app, &call.actor, ids.clone()).await?;
    let balance = |one: &Card| owed.iter().find(|(id, _)| *id == one.customer.id).map(|(_, owed)| *owed);
    let mut found = lists::all(&app, &call.actor, Whom::These(ids), rows::VISITED).await?;
    if with_balance {
        found.retain(|one| balance(one).is_some_and(|owed| owed != Money::ZERO));
    }
    let mut groups: Vec<(i64, Vec<Value>)> = Vec::new();
    for one in &found {
        let mut row = rows::visited(&call, one);
        row["0"] = json!({ "balance": balance(one).map(|owed| call.thousandths(owed)) });
        by_area(&mut groups, one, row);
    }
    Ok(Reply::data(groups.into_iter().map(|(_, rows)| Value::Array(rows)).collect()))
}

/// One list for each area, in the order they come.
fn by_area(groups: &mut Vec<(i64, Vec<Value>)>, one: &Card, row: Value) {
    let area = one.address.as_ref().map_or(0, |place| place.area);
    match groups.iter_mut().find(|(known, _)| *known == area) {
        Some((_, rows)) => rows.push(row),
        None => groups.push((area, vec![row])),
    }
}

/// E22 What waits for approval; both days included (J16).
pub async fn waiting(State(app): State<App>, mut call: Call) -> Answer {
    let from = call.body.optional("fromDate", day_near).value();
    let to = call.body.optional("toDate", day_near).value();
    let admin = call.body.optional("adminId", id).value();
    call.body.finish()?;
    let (from, to) = (from.map(|day| call.begins(day)), to.map(|day| call.ends(day)));
    let waiting = collections::waiting(&app, &call.actor, admin.map(StaffId), from, to).await?;
    let mut ids: Vec<CustomerId> = waiting.iter().map(|row| row.customer_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let people = lists::all(&app, &call.actor, Whom::These(ids), rows::VISITED).await?;
    let mut groups: Vec<(i64, Vec<Value>)> = Vec::new();
    for collection in waiting {
        let Some(one) = people.iter().find(|one| one.customer.id == collection.customer_id) else { continue };
        let mut row = rows::visited(&call, one);
        row["PaymentCollectionMode"] = json!({
            "amount": call.amount(collection.amount), "create_datetime": call.datetime(collection.created_at),
            "paymentcollectionId": collection.id.to_string()
        });
        by_area(&mut groups, one, row);
    }
    Ok(Reply::data(groups.into_iter().map(|(_, rows)| Value::Array(rows)).collect()))
}

/// E23 Collection approval.
pub async fn approve(State(app): State<App>, mut call: Call) -> Answer {
    let currency = call.tenant.currency.clone();
    let user = call.body.required("userId", id);
    let model = call.body.required("modelId", id);
    let taken = call.body.required("amount", |value| amount(&currency)(value).map(Some));
    call.body.finish()?;
    let taken = taken.unwrap_or(Money::ZERO);
    receivables::collections::approve(&app, &call.actor, CustomerId(user), model, taken).await?;
    Ok(Reply::message("Payment Approved"))
}

/// E24 Collection disapproval.
pub async fn disapprove(State(app): State<App>, mut call: Call) -> Answer {
    let user = call.body.required("userId", id);
    let model = call.body.required("modelId", id);
    call.body.finish()?;
    collections::disapprove(&app, &call.actor, CustomerId(user), model).await?;
    Ok(Reply::message("Payment Disapproved"))
}

const FOUND: &[&str] = &["cashCollected", "notAvailable", "alreadyPaid"];
const METHODS: &[&str] = &["cash", "cheque", "creditCard", "debitCard"];

/// E25 A visit: what was found and, where money was taken, how (J17).
pub async fn collect(State(app): State<App>, mut call: Call) -> Answer {
    let currency = call.tenant.currency.clone();
    let user = call.body.required("userId", id);
    let found = call.body.required("statusOfCollection", word(FOUND));
    let collected = found == "cashCollected";
    let taken = call.body.optional("amount", amount(&currency)).value();
    let method = call.body.optional("method", word(METHODS)).value();
    let notes = call.body.optional("notes", lines(500)).value();
    let bank = call.body.optional("bank", short).value();
    let cheque_number = call.body.optional("chequeNumber", short).value();
    let cheque_date = call.body.optional("chequeDate", day).value();
    let card_number = call.body.optional("cardNumber", digits(19)).value();
    let card_expiration = call.body.optional("cardExpiration", short).value();
    let by_cheque = collected && method == Some("cheque");
    let by_card = collected && matches!(method, Some("creditCard" | "debitCard"));
    let given = [
        ("amount", collected, taken.is_some()),
        ("method", collected, method.is_some()),
        ("bank", by_cheque, bank.is_some()),
        ("chequeNumber", by_cheque, cheque_number.is_some()),
        ("chequeDate", by_cheque, cheque_date.is_some()),
        ("cardNumber", by_card, card_number.is_some()),
        ("cardExpiration", by_card, card_expiration.is_some()),
    ];
    for (field, needed, is_given) in given {
        if needed && !is_given && !call.body.is_wrong(field) {
            call.body.refuse(field, Why::Required);
        }
    }
    call.body.finish()?;
    let visit = Visit {
        customer: CustomerId(user),
        found: match found {
            "cashCollected" => Found::Collected,
            "notAvailable" => Found::Absent,
            _ => Found::PaidBefore,
        },
        amount: taken.unwrap_or(Money::ZERO),
        method,
        bank,
        cheque_number,
        cheque_date: cheque_date.map(|day| day.to_string()),
        card_number,
        card_expiration,
        notes,
    };
    collections::visit(&app, &call.actor, visit, call.key.clone()).await?;
    Ok(Reply::message("Payment Collected Successfully"))
}

/// E27 Give a user to an admin.
pub async fn assign(State(app): State<App>, mut call: Call) -> Answer {
    let user = call.body.required("userId", id);
    let admin = call.body.required("adminId", id);
    // Which account is meant has been settled already.
    call.body.required("accountId", short);
    call.body.finish()?;
    collections::assign(&app, &call.actor, CustomerId(user), StaffId(admin)).await?;
    Ok(Reply::message("User assigned to admin successfully"))
}

const CHANGE: &[&str] = &["none", "500", "2000"];

/// E39 A user asks to be visited (J27).
pub async fn request(State(app): State<App>, call: Call) -> Answer {
    let wished = call.segment("change").unwrap_or_else(|| "none".into());
    let change = CHANGE.iter().find(|word| word.eq_ignore_ascii_case(&wished));
    let change = change.ok_or_else(|| Failure::said("bringChangeFor must be none, 500 or 2000."))?;
    let user = CustomerId(call.segment("userId").map_or(0, |text| id_of(&text)));
    collections::request(&app, &call.actor, user, change).await?;
    Ok(Reply::message("We will collect your payment"))
}
