//! E26 and section F, I: who is online, and who was.

use axum::extract::State;
use domain::{CustomerId, Instant};
use serde_json::{Value, json};
use service::{
    App, Error, Session,
    dossiers::{self, Whom},
    network,
};

use crate::envelope::{Answer, Call, Failure, Reply, day_of, id_of};

/// So many sessions in one answer.
const LISTED: i64 = 1000;

/// E26 When the user last went, and whether it is there.
pub async fn presence(State(app): State<App>, call: Call) -> Answer {
    let presence = dossiers::presence(&app, &call.actor, call.user()).await?;
    let written = |at: Instant| at.in_zone(&call.tenant.zone).strftime("%d-%m-%Y %H:%M:%S").to_string();
    Ok(Reply::data(json!({
        "lastLogOffTime": presence.last_end.map(written),
        "online": if presence.open.is_empty() { "no" } else { "yes" }
    })))
}

fn row(call: &Call, one: &Session) -> Value {
    json!({
        "id": one.id.to_string(), "username": one.username, "acctSessionId": one.acct_session_id,
        "startTime": call.datetime(one.started_at), "stopTime": one.ended_at.map(|at| call.datetime(at)),
        "sessionTime": one.session_time_s.to_string(), "uploadData": one.up_total.to_string(),
        "downloadData": one.down_total.to_string(), "ipAddress": one.address, "macAddress": one.mac,
        "terminateCause": one.end_cause, "nasIpAddress": one.source.rsplit_once(':').map(|(address, _)| address)
    })
}

/// F Sessions of a user, of these days or of the last thirty.
pub async fn history(State(app): State<App>, call: Call) -> Answer {
    let date = |name: &str| match call.segment(name) {
        None => Ok(None),
        Some(text) => day_of(&text).map(Some).ok_or_else(|| Failure::said(format!("The {name} must be a date."))),
    };
    let from = date("fromDate")?.map_or(call.now.plus(-30 * domain::clock::DAY), |day| call.begins(day));
    let until = date("toDate")?.map_or(Instant(i64::MAX), |day| call.ends(day));
    let sessions = dossiers::sessions(&app, &call.actor, call.user(), (from, until), LISTED).await?;
    Ok(Reply::data(sessions.iter().map(|one| row(&call, one)).collect()))
}

/// I The user's live sessions.
pub async fn active(State(app): State<App>, call: Call) -> Answer {
    let presence = dossiers::presence(&app, &call.actor, call.user()).await?;
    Ok(Reply::data(presence.open.iter().map(|one| row(&call, one)).collect()))
}

/// I End a user's live sessions: `/userId/7` or `/username/ali`.
pub async fn disconnect(State(app): State<App>, call: Call) -> Answer {
    let value = call.segment("value").unwrap_or_default();
    let user = match call.segment("key").unwrap_or_default().to_ascii_lowercase().as_str() {
        "userid" => CustomerId(id_of(&value)),
        "username" => {
            let found = dossiers::ids(&app, &call.actor, &Whom::Login(value)).await?;
            found.first().copied().ok_or(Error::NotFound { what: "customer" })?
        }
        _ => return Err(Failure::said("The sessions of a userId or a username can be disconnected.")),
    };
    let ended = network::disconnect(&app, &call.actor, user).await?;
    match ended {
        0 => Err(Failure::unknown("The user has no active session")),
        _ => Ok(Reply::message("User sessions disconnected successfully")),
    }
}
