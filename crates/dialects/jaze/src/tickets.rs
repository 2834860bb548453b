//! Section V: tickets are the core's complaints.

use axum::extract::State;
use domain::{CustomerId, StaffId, helpdesk::complaint::Priority};
use doors::fields::{boolean, id, lines, text, word};
use serde_json::{Value, json};
use service::{
    App, Complaint, ComplaintFilter,
    customers::card::{self, Parts},
    helpdesk::complaints::{self, NewComplaint},
};

use crate::envelope::{Answer, Call, Failure, Reply, id_of};

/// So many in one answer.
const LISTED: i64 = 10_000;

const PRIORITIES: &[&str] = &["low", "medium", "high", "urgent"];

/// V Raise ticket.
pub async fn raise(State(app): State<App>, mut call: Call) -> Answer {
    let user = call.body.required("userId", id);
    let kind = call.body.optional("type", text(0, 60)).value();
    let subject = call.body.required("subject", text(1, 200));
    let priority = call.body.optional("priority", word(PRIORITIES)).or("medium");
    let comments = call.body.optional("comments", lines(5000)).value();
    let close = call.body.optional("closeTicketImmediately", boolean).or(false);
    let resolution = call.body.optional("resolutionSubject", text(0, 500)).value();
    let resolution_type = call.body.optional("resolutionType", text(0, 60)).value();
    call.body.finish()?;
    let command = NewComplaint {
        customer: CustomerId(user),
        message: comments.unwrap_or_else(|| subject.clone()),
        subject,
        category: kind,
        department: None,
        priority: match priority {
            "low" => Priority::Low,
            "high" => Priority::High,
            "urgent" => Priority::Urgent,
            _ => Priority::Normal,
        },
        assigned_to: None,
    };
    card::any(&app, &call.actor, CustomerId(user), Parts::NONE).await?;
    let number = if close {
        let words = [resolution_type, resolution].into_iter().flatten().collect::<Vec<_>>().join(": ");
        let words = (!words.is_empty()).then_some(words);
        complaints::create_closed(&app, &call.actor, command, words, call.key.clone()).await?
    } else {
        complaints::create(&app, &call.actor, command, call.key.clone()).await?
    };
    Ok(Reply::message(json!({ "ticketId": number.to_string() })))
}

fn row(call: &Call, one: &Complaint) -> Value {
    json!({ "Ticket": {
        "id": one.id.to_string(), "user_id": one.customer_id.to_string(),
        "account_id": call.account_of(one.branch_id), "subject": one.subject, "description": one.message,
        "type": one.category, "priority": if one.priority == "normal" { "medium" } else { one.priority.as_str() },
        "status": one.status, "assigned_to": one.assigned_to.map(|id| id.to_string()),
        "created": call.datetime(one.opened_at), "due_date": call.datetime(one.due_at),
        "closed": one.closed_at.map(|at| call.datetime(at))
    } })
}

const STATES: &[&str] = &["unresolved", "overdue", "duetoday", "open", "onhold", "unassigned", "closed"];

/// V Tickets of a user, or with 0 of all.
pub async fn list(State(app): State<App>, call: Call) -> Answer {
    let user = call.segment("userId").unwrap_or_default();
    let customer = match user.as_str() {
        "0" => None,
        other => Some(CustomerId(id_of(other))),
    };
    if let Some(customer) = customer {
        card::any(&app, &call.actor, customer, Parts::NONE).await?;
    }
    let state = call.segment("status").unwrap_or_else(|| "unresolved".into());
    let state = STATES.iter().find(|word| word.eq_ignore_ascii_case(&state)).copied();
    let state = state.ok_or_else(|| Failure::said("The selected status is invalid."))?;
    let admin = call.segment("admin").map(|text| StaffId(id_of(&text)));
    let filter = ComplaintFilter { customer, assigned_to: admin, ..ComplaintFilter::default() };
    let (mut rows, _) = complaints::list(&app, &call.actor, filter, 0, LISTED).await?;
    let today = call.now.day(&call.tenant.zone);
    rows.retain(|row| {
        let open = !matches!(row.status.as_str(), "closed" | "resolved");
        match state {
            "closed" => !open,
            "overdue" => open && row.due_at <= call.now,
            "duetoday" => open && row.due_at.day(&call.tenant.zone) == today,
            "open" => row.status == "open",
            "onhold" => row.status == "acknowledged",
            "unassigned" => open && row.assigned_to.is_none(),
            _ => open,
        }
    });
    Ok(Reply::data(rows.iter().map(|one| row(&call, one)).collect()))
}
