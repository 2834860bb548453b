//! E26 and section F, I: who is online, and who was.

use axum::extract::State;
use domain::{CustomerId, Instant};
use doors::fields::id;
use serde_json::{Value, json};
use service::{
    App, Error, Expected, Session, What, Why,
    access::orders,
    customers::{
        lines,
        lists::{self, Whom},
        presence,
    },
};

use crate::envelope::{Answer, Call, Failure, Reply, day_near, day_of, id_of};

/// So many sessions in one answer.
const LISTED: i64 = 1000;

/// E26 When the user last went, and whether it is there.
pub async fn presence(State(app): State<App>, call: Call) -> Answer {
    let presence = presence::presence(&app, &call.actor, call.user()).await?;
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
    let from = date("fromDate")?.map_or(call.now.plus(-30 * domain::kernel::clock::DAY), |day| call.begins(day));
    let until = date("toDate")?.map_or(Instant(i64::MAX), |day| call.ends(day));
    let sessions = presence::sessions(&app, &call.actor, call.user(), (from, until), LISTED).await?;
    Ok(Reply::data(sessions.iter().map(|one| row(&call, one)).collect()))
}

/// I The user's live sessions.
pub async fn active(State(app): State<App>, call: Call) -> Answer {
    let presence = presence::presence(&app, &call.actor, call.user()).await?;
    Ok(Reply::data(presence.open.iter().map(|one| row(&call, one)).collect()))
}

/// I End a user's live sessions: `/userId/7` or `/username/ali`.
pub async fn disconnect(State(app): State<App>, call: Call) -> Answer {
    let value = call.segment("value").unwrap_or_default();
    let user = match call.segment("key").unwrap_or_default().to_ascii_lowercase().as_str() {
        "userid" => CustomerId(id_of(&value)),
        "username" => {
            let found = lists::ids(&app, &call.actor, Whom::Login(value)).await?;
            found.first().copied().ok_or(Error::NotFound { what: What::Customer })?
        }
        _ => return Err(Failure::said("The sessions of a userId or a username can be disconnected.")),
    };
    let ended = orders::disconnect(&app, &call.actor, user).await?;
    match ended {
        0 => Err(Failure::unknown("The user has no active session")),
        _ => Ok(Reply::message("User sessions disconnected successfully")),
    }
}

/// F A user's usage day by day, written as amounts people read; days without any are left out. At most a year.
pub async fn by_day(State(app): State<App>, mut call: Call) -> Answer {
    let user = CustomerId(call.body.required("userId", id));
    let from = call.body.required("fromDate", |value| day_near(value).map(Some));
    let to = call.body.required("toDate", |value| day_near(value).map(Some));
    if let (Some(from), Some(to)) = (from, to)
        && (to < from || to.since(from).is_ok_and(|span| span.get_days() > 366))
    {
        call.body.refuse("toDate", Why::Not(Expected::WithinAYear));
    }
    call.body.finish()?;
    let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
    let days = lines::usage(&app, &call.actor, user, (from, to)).await?;
    let row = |one: &lines::DayUsage| {
        json!({
            "download": told(one.down), "upload": told(one.up), "total": told(one.down.saturating_add(one.up)),
            "date": one.day.strftime("%d-%m-%Y").to_string()
        })
    };
    Ok(Reply(json!([days.iter().map(row).collect::<Value>()])))
}

/// `525.4 GB`: in the unit in which it is at least one, to one decimal.
fn told(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];
    let mut unit = 0;
    let mut size = u128::from(bytes) * 10;
    while size >= 10_000 && unit + 1 < UNITS.len() {
        // Half up, to one decimal.
        size = (size + 500) / 1000;
        unit += 1;
    }
    match unit {
        0 => format!("{bytes} B"),
        _ => format!("{}.{} {}", size / 10, size % 10, UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_by_people() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 KB"),
            (1_250_000, "1.3 MB"),
            (525_400_000_000, "525.4 GB"),
            (9_999_999_999_999_999, "10000.0 TB"),
        ] {
            assert_eq!(told(bytes), text);
        }
    }
}
