//! E1 to E9, E13, E41: users, by id, date, phone, name, and all of them.

use axum::{extract::State, response::Response};
use doors::fields::word;
use serde_json::{Value, json};
use service::{
    App, Error, What,
    customers::{
        card::{self, Card, Parts, State as Standing},
        lists::{self, Whom},
    },
};

use crate::{
    envelope::{Answer, Call, Failure, Reply, day_of, short},
    rows::{self, STATE_WORDS, state_word},
    stream,
};

/// E1 Everything of one user, a deleted one too.
pub async fn details(State(app): State<App>, call: Call) -> Answer {
    let one = card::any(&app, &call.actor, call.user(), rows::DETAILS).await?;
    Ok(Reply::data(json!([
        { "User": rows::detail_user(&call, &one) },
        { "currentBillingCycleUsage": rows::detail_usage(&call, &one) },
        { "staticIpMac": rows::static_rows(&one) },
        { "location": rows::location(&one) },
    ])))
}

/// E3 Everybody: three objects each, in one list (J4), written page by page.
pub async fn all(State(app): State<App>, call: Call) -> Result<Response, Failure> {
    stream::people(app, call, Whom::Everybody, rows::LISTED, |call, one, put| {
        put(json!({ "User": rows::list_user(call, one) }));
        put(json!({ "currentBillingCycleUsage": rows::list_usage(call, one) }));
        put(json!({ "staticIpMac": rows::static_rows(one) }));
    })
    .await
}

/// E4 Users made or changed on these days, both included.
pub async fn by_date(State(app): State<App>, call: Call) -> Result<Response, Failure> {
    let date = |name: &str, told: &str| {
        let text = call.segment(name).unwrap_or_default();
        day_of(&text).ok_or_else(|| Failure::said(format!("The {told} must be a date (yyyy-mm-dd).")))
    };
    let (from, to) = (call.begins(date("fromDate", "fromDate")?), call.ends(date("toDate", "toDate")?));
    let based_on = call.segment("basedOn").unwrap_or_else(|| "modified".into());
    let whom = match based_on.to_ascii_lowercase().as_str() {
        "created" => Whom::Created(from, to),
        "modified" => Whom::Modified(from, to),
        _ => return Err(Failure::said("basedOn must be created or modified.")),
    };
    stream::people(app, call, whom, rows::FOUND, |call, one, put| put(rows::found_user(call, one))).await
}

fn list(call: &Call, found: &[Card]) -> Value {
    found.iter().map(|one| rows::found_user(call, one)).collect()
}

/// E6 The ids of all, bare (J5).
pub async fn all_ids(State(app): State<App>, call: Call) -> Answer {
    let ids = lists::ids(&app, &call.actor, Whom::Everybody).await?;
    Ok(Reply(ids.iter().map(|id| id.to_string()).collect()))
}

/// Users with a phone number: in a state, or all that are not deleted.
async fn with_phone(
    app: &App,
    call: &Call,
    phone: String,
    state: Option<&str>,
    parts: Parts,
) -> Result<Vec<Card>, Failure> {
    let mut found = lists::all(app, &call.actor, Whom::Phone(phone), parts).await?;
    found.retain(|one| match state {
        Some(wanted) => state_word(one.state(call.now)) == wanted,
        None => one.state(call.now) != Standing::Deleted,
    });
    Ok(found)
}

/// E7 Their ids, joined by commas (J6).
pub async fn ids_by_phone(State(app): State<App>, mut call: Call) -> Answer {
    let phone = call.body.required("phone", short);
    let state = call.body.optional("status", word(STATE_WORDS)).value();
    call.body.finish()?;
    let found = with_phone(&app, &call, phone, state, Parts::NONE).await?;
    if found.is_empty() {
        return Err(Error::NotFound { what: What::Customer }.into());
    }
    let ids: Vec<String> = found.iter().map(|one| one.customer.id.to_string()).collect();
    Ok(Reply(json!({ "success": ids.join(","), "errorCode": 200 })))
}

/// E8 Users with a phone number.
pub async fn by_phone(State(app): State<App>, call: Call) -> Answer {
    let phone = call.segment("phone").unwrap_or_default();
    let state = match call.segment("status") {
        None => None,
        Some(text) => {
            let known = STATE_WORDS.iter().find(|word| word.eq_ignore_ascii_case(&text));
            Some(*known.ok_or_else(|| Failure::said("The selected status is invalid."))?)
        }
    };
    let found = with_phone(&app, &call, phone, state, rows::FOUND).await?;
    Ok(Reply::data(list(&call, &found)))
}

/// E9 The user whose line logs in with a name, in E8's envelope (J7).
pub async fn by_username(State(app): State<App>, call: Call) -> Answer {
    let name = call.segment("username").unwrap_or_default();
    let found = lists::all(&app, &call.actor, Whom::Login(name), rows::FOUND).await?;
    let found: Vec<Card> = found.into_iter().filter(|one| call.actor.reaches(one.customer.branch_id).is_ok()).collect();
    Ok(Reply::data(list(&call, &found)))
}

/// E13 A user in any account the credential reaches.
pub async fn from_all_accounts(State(app): State<App>, call: Call) -> Answer {
    let value = call.segment("value").unwrap_or_default();
    let found = match call.segment("type").unwrap_or_default().to_ascii_lowercase().as_str() {
        "phone" => with_phone(&app, &call, value, None, rows::ANYWHERE).await?,
        "username" => lists::all(&app, &call.actor, Whom::Login(value), rows::ANYWHERE).await?,
        _ => return Err(Failure::said("The type must be phone or username.")),
    };
    let mut list = Vec::with_capacity(found.len() * 3);
    for one in found.iter().filter(|one| call.actor.reaches(one.customer.branch_id).is_ok()) {
        list.push(json!({ "User": rows::anywhere_user(&call, one) }));
        list.push(json!({ "currentBillingCycleUsage": rows::anywhere_usage(&call, one) }));
        list.push(json!({ "staticIpMac": rows::static_rows(one) }));
    }
    if list.is_empty() {
        return Err(Error::NotFound { what: What::Customer }.into());
    }
    Ok(Reply::data(Value::Array(list)))
}

/// E41 Everybody, in short.
pub async fn basic(State(app): State<App>, call: Call) -> Result<Response, Failure> {
    stream::people(app, call, Whom::Everybody, rows::SHORT, |call, one, put| put(rows::basic_user(call, one))).await
}
