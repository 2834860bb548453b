//! E11, E12, E14, E34, E37, P: passwords, deletion, grace, fixed addresses, counts.

use axum::extract::State;
use domain::{CustomerId, Status, kernel::clock::DAY};
use doors::fields::{id, integer, secret, word};
use serde_json::json;
use service::{
    App, Error, What,
    access::bindings,
    customers::{
        access_check,
        card::State as Standing,
        census,
        change::{self, Deletion, Edit},
    },
    kernel::vault,
    sales::grace::{self, MAX_DAYS, NewGrace},
};

use crate::envelope::{Answer, Call, Failure, Reply, day};

/// E11 The network password in the clear; every look is on record (J10).
pub async fn password(State(app): State<App>, call: Call) -> Answer {
    let password = access_check::password(&app, &call.actor, call.user()).await?;
    Ok(Reply::message(json!({ "password": password })))
}

const COMPLEXITY: &[&str] = &["numeric", "characters", "alphanumeric"];

/// P Reset a user's password, the line's and the portal's: to the one given, or to a new one of so many digits, letters or
/// both, which is told (docs/readings.md 4.8).
pub async fn reset_password(State(app): State<App>, mut call: Call) -> Answer {
    let user = CustomerId(call.body.required("userId", id));
    let complexity = call.body.optional("complexity", word(COMPLEXITY)).or("alphanumeric");
    let length = call.body.optional("length", integer(4, 64)).or(4);
    let given = call.body.optional("password", secret(1, 128)).value();
    call.body.finish()?;
    let password = given.unwrap_or_else(|| made(complexity, length as usize));
    let (portal_password, network_password) = (Some(password.clone()), Some(password.clone()));
    let edit = Edit { portal_password, network_password, ..Edit::default() };
    change::update(&app, &call.actor, user, edit).await?;
    Ok(Reply::message(json!({ "password": password })))
}

/// A password of this kind; what does not belong to it is drawn again.
fn made(complexity: &str, length: usize) -> String {
    let mut password = String::with_capacity(length);
    while password.len() < length {
        let fits = |c: &char| match complexity {
            "numeric" => c.is_ascii_digit(),
            "characters" => c.is_ascii_alphabetic(),
            _ => true,
        };
        let left = length - password.len();
        password.extend(vault::random_text(32).chars().filter(fits).take(left));
    }
    password
}

/// E12 Delete a user; unpaid bills are taken back where that is wished (J28).
pub async fn delete(State(app): State<App>, call: Call) -> Answer {
    let clear = match call.segment("clear").map(|word| word.to_ascii_lowercase()).as_deref() {
        Some("yes") => true,
        Some("no") | None => false,
        Some(_) => return Err(Failure::said("clear_unfinished_billing must be yes or no.")),
    };
    let how = Deletion { void_bills: clear, ..Deletion::default() };
    change::delete(&app, &call.actor, call.user(), how).await?;
    Ok(Reply::message("User deleted successfully"))
}

/// E14 Grace: days added to the end of the user's time, or the day on which it ends (J12).
pub async fn grace(State(app): State<App>, mut call: Call) -> Answer {
    let user = call.body.required("userId", id);
    let days = call.body.required("days", integer(0, MAX_DAYS));
    let until = call.body.optional("expiryDate", day).value();
    call.body.finish()?;
    grace::give(&app, &call.actor, CustomerId(user), NewGrace { days, until }, call.key.clone()).await?;
    // No space before the id, as sampled.
    Ok(Reply::message(format!("Additional {days} days has been extended for this user{user}")))
}

/// E34 Release a row of `staticIpMac`, counted from 0 (J22).
pub async fn release(State(app): State<App>, mut call: Call) -> Answer {
    let user = call.body.required("userId", id);
    let row = call.body.required("whichIpMacRow", integer(0, i64::MAX));
    let what = call.body.optional("toRemove", word(&["ip", "mac", "both"])).or("both");
    call.body.finish()?;
    let row = usize::try_from(row).unwrap_or(usize::MAX);
    let released = bindings::release(&app, &call.actor, CustomerId(user), row, what != "mac", what != "ip").await;
    released.map_err(|error| match error {
        Error::NotFound { what: What::Binding } => Failure::said("The user has no such IP/MAC row"),
        other => other.into(),
    })?;
    Ok(Reply::message("The Static IP/MAC have been released"))
}

/// E37 How many users there are in each state (J25); the account is in the path.
pub async fn count(State(app): State<App>, call: Call) -> Answer {
    let (since, until) = (call.now.plus(-7 * DAY), call.now.plus(7 * DAY));
    let (states, movement) = census::census(&app, &call.actor, since, until).await?;
    let of = |wanted: Standing| -> i64 { states.iter().filter(|(state, _)| *state == wanted).map(|(_, n)| n).sum() };
    let line = |status| of(Standing::Line(status));
    let (active, expired) = (line(Status::Active), of(Standing::Expired));
    let (blacklisted, suspended, blocked) = (line(Status::Disabled), line(Status::Suspended), line(Status::Inactive));
    let pending = line(Status::Pending);
    let others = line(Status::AwaitingApproval) + line(Status::Rejected);
    Ok(Reply::message(json!({
        "total": active + expired + blacklisted + suspended + blocked + pending + others,
        "active": active, "online": movement.online, "expired": expired, "expiringNextWeek": movement.expiring,
        "newUsersLastWeek": movement.created, "blacklisted": blacklisted, "suspended": suspended, "blocked": blocked,
        "pending": pending, "churned": movement.left, "others": others
    })))
}
