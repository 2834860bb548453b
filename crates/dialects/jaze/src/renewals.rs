//! E35: renewals are the periods that were sold, and moves to another group that billed nothing.

use axum::extract::State;
use domain::{CustomerId, Instant};
use doors::fields::id;
use serde_json::{Value, json};
use service::{
    App, dossiers,
    moves::{self, Renewal},
};

use crate::envelope::{Answer, Call, Reply, day};

/// E35 Renewals of a user, or of all, of these days or of all time; the newest 10,000 (J24).
pub async fn list(State(app): State<App>, mut call: Call) -> Answer {
    let user = call.body.optional("userId", id).value().map(CustomerId);
    let from = call.body.optional("fromDate", day).value();
    let to = call.body.optional("toDate", day).value();
    call.body.finish()?;
    if let Some(user) = user {
        dossiers::one(&app, &call.actor, user).await?;
    }
    let from = from.map_or(Instant(0), |day| call.begins(day));
    let until = to.map_or(Instant(i64::MAX), |day| call.ends(day));
    let found = moves::renewals(&app, &call.actor, user, from, until).await?;
    let rows = found.iter().map(|one| json!({ "RenewalDetails": row(&call, one) }));
    Ok(Reply::message(rows.collect::<Value>()))
}

fn row(call: &Call, renewal: &Renewal) -> Value {
    match renewal {
        Renewal::Sold { period, previous } => {
            let first = period.ordinal == 1;
            let days = (period.ends_at.seconds_since(period.starts_at) + 43_200) / 86_400;
            let previous = previous.unwrap_or(period.plan_id);
            json!({
                "id": period.id.to_string(), "user_id": period.customer_id.to_string(), "account_id": call.account,
                "admin_username": if first { "User Addition" } else { "Renewal" },
                "renewal_days": format!("{days} days"), "renewal_amount": call.amount(period.price),
                "plan_rate": Value::Null, "tax_amount": Value::Null, "type": "1",
                "previous_group_id": previous.to_string(), "present_group_id": period.plan_id.to_string(),
                "previous_plan_id": previous.to_string(), "present_plan_id": period.plan_id.to_string(),
                "order_id": period.invoice_id.map(|id| id.to_string()),
                "order_active_until": call.datetime(period.ends_at), "date_created": call.datetime(period.created_at),
                "deleted": "0", "active_since": call.date(period.starts_at), "active_until": call.date(period.ends_at),
                "notes": if first { "add user".into() } else { period.reason.clone() }
            })
        }
        Renewal::Moved(row) => {
            let at = row.done_at.unwrap_or(row.created_at);
            json!({
                "id": row.id.to_string(), "user_id": row.customer_id.to_string(), "account_id": call.account,
                "admin_username": row.actor, "renewal_days": Value::Null, "renewal_amount": call.amount(row.charge),
                "plan_rate": Value::Null, "tax_amount": Value::Null, "type": "2",
                "previous_group_id": row.from_plan.to_string(), "present_group_id": row.to_plan.to_string(),
                "previous_plan_id": row.from_plan.to_string(), "present_plan_id": row.to_plan.to_string(),
                "order_id": Value::Null, "order_active_until": Value::Null, "date_created": call.datetime(at),
                "deleted": "0", "active_since": call.date(at), "active_until": Value::Null, "notes": "move group"
            })
        }
    }
}
