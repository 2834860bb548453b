//! E5, E10, E29: groups are the core's plans; a group's profile is the same plan's rates and limits.

use axum::extract::State;
use domain::PlanId;
use doors::fields::{boolean, id, word};
use serde_json::{Value, json};
use service::{
    App, Error, Plan, What,
    customers::{
        card::{self, Parts},
        census::{self, Population},
    },
    sales::moves::{self, NewMove, When},
};

use crate::envelope::{Answer, Call, Failure, Reply, day, id_of};

fn row(plan: &Plan, people: &Population) -> Value {
    json!({
        "Group_id": plan.id.to_string(), "Group_name": plan.name, "Profile_id": plan.id.to_string(),
        "Profile_Name": format!("{} Profile", plan.name), "Active_Users": people.active, "Total_Users": people.total,
        "Online_Users": people.online
    })
}

/// E5 All groups, or one.
pub async fn details(State(app): State<App>, call: Call) -> Answer {
    let wanted = call.segment("groupId").map(|text| PlanId(id_of(&text)));
    let mut groups = census::populations(&app, &call.actor).await?;
    if let Some(wanted) = wanted {
        groups.retain(|(plan, _)| plan.id == wanted);
        if groups.is_empty() {
            return Err(Error::NotFound { what: What::Plan }.into());
        }
    }
    Ok(Reply::data(groups.iter().map(|(plan, people)| row(plan, people)).collect()))
}

/// E29 The groups a user may be moved to: what is for sale to its kind of line, and its own.
pub async fn allowed(State(app): State<App>, call: Call) -> Answer {
    let one = card::any(&app, &call.actor, call.user(), Parts::NONE).await?;
    let line = one.line.as_ref().filter(|line| line.deleted_at.is_none());
    let line = line.ok_or(Error::NotFound { what: What::Customer })?;
    let groups = census::populations(&app, &call.actor).await?;
    let allowed = groups.iter().filter(|(plan, _)| plan.id == line.plan_id || (plan.enabled && plan.kind == line.kind));
    let mut list: Vec<Value> = Vec::new();
    for (plan, people) in allowed {
        let mut row = row(plan, people);
        // The sample has no such count here.
        row.as_object_mut().map(|row| row.remove("Online_Users"));
        list.push(row);
    }
    Ok(Reply::data(Value::Array(list)))
}

const TYPES: &[&str] = &["moveImmediately", "previousBillingCycle", "nextbillingCycle", "customDate"];

/// E10 Move group (docs/readings.md 4.5).
pub async fn move_user(State(app): State<App>, mut call: Call) -> Answer {
    let user = call.body.required("userId", id);
    let group = call.body.required("groupId", id);
    let kind = call.body.required("type", word(TYPES));
    let clear_usage = call.body.required("clearUserDataUsage", boolean);
    let clear_policies = call.body.required("clearUserPolicies", boolean);
    let move_billing = call.body.required("moveBilling", boolean);
    let on = call.body.optional("customDateTo", day).value();
    call.body.finish()?;
    let when = match (kind, on) {
        ("moveImmediately", _) => When::Now,
        ("previousBillingCycle", _) => When::ThisCycle,
        ("nextbillingCycle", _) => When::NextCycle,
        (_, Some(day)) => When::On(day),
        (_, None) => return Err(Failure::said("The customDateTo field is required.")),
    };
    let command = NewMove {
        customer: domain::CustomerId(user),
        plan: PlanId(group),
        when,
        clear_usage,
        clear_policies,
        move_billing,
    };
    moves::order(&app, &call.actor, command, call.key.clone()).await?;
    Ok(Reply::message(format!("The User {user} Moved")))
}
