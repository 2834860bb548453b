//! Section W: accounts and who works for them.

use axum::extract::State;
use domain::BranchId;
use serde_json::{Value, json};
use service::{
    App, Error, Staff, Zone,
    customers::{card::State as Standing, census},
    identity::{clients, staff},
};

use crate::envelope::{Answer, Call, Reply};

/// So many credentials, or people, in one answer.
const LISTED: i64 = 10_000;

/// W The account acted for, or another one that the credential reaches.
pub async fn account(State(app): State<App>, call: Call) -> Answer {
    let (since, until) = (call.now.plus(-domain::kernel::clock::DAY), call.now);
    let (states, movement) = census::census(&app, &call.actor, since, until).await?;
    let total: i64 = states.iter().filter(|(state, _)| *state != Standing::Deleted).map(|(_, n)| n).sum();
    Ok(Reply::data(json!({ "Account": {
        "account_id": call.account, "name": call.tenant.isp.name, "currency": call.tenant.currency.code,
        "timezone": call.tenant.isp.time_zone, "parent_account_id": parent(&call),
        "date_created": call.datetime(call.tenant.isp.created_at), "total_users": total.to_string(),
        "online_users": movement.online.to_string()
    } })))
}

/// A sub-zone lies in the Isp's own account.
fn parent(call: &Call) -> Option<String> {
    call.actor.branch.map(|_| call.account_of(None))
}

/// W Sub-accounts with their API tokens, for the whole Isp's credential. Keys are kept as hashes only.
pub async fn sub_accounts(State(app): State<App>, call: Call) -> Answer {
    if !call.is_top || call.actor.branch.is_some() {
        return Err(Error::Forbidden.into());
    }
    let (clients, _) = clients::list(&app, &call.actor, 0, LISTED).await?;
    let tokens = |branch: Option<BranchId>| -> Vec<Value> {
        let good = clients
            .iter()
            .filter(|client| client.dialect == crate::NAME && client.branch_id == branch && client.status == "active");
        good.filter_map(|client| client.public_id.clone()).map(Value::from).collect()
    };
    let zones = service::identity::branches::list(&app, &call.actor).await?;
    let row = |zone: &Zone| json!({ "account_id": zone.account, "api_tokens": tokens(zone.branch()) });
    Ok(Reply::data(zones.iter().filter(|zone| zone.branch().is_some()).map(row).collect()))
}

/// W Who works for the account.
pub async fn admins(State(app): State<App>, call: Call) -> Answer {
    let (people, _) = staff::list(&app, &call.actor, staff::Filter::default(), 0, LISTED).await?;
    let row = |person: &Staff| {
        json!({ "Admin": {
            "id": person.id.to_string(), "name": person.name, "email": person.email, "phone": person.phone,
            "role": person.role, "status": person.status, "account_id": call.account_of(person.branch_id),
            "date_created": call.datetime(person.created_at),
            "last_login": person.last_login_at.map(|at| call.datetime(at))
        } })
    };
    Ok(Reply::data(people.iter().map(row).collect()))
}
