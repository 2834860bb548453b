//! Tickets are the core's complaints. docs/readings.md 3.3: status 0 Open, 1 In Progress, 2 Resolved, 3 Closed; priority 1 to 3.

use axum::extract::State;
use domain::{
    CustomerId, StaffId,
    helpdesk::complaint::{Priority, State as Stands},
};
use doors::{Asked, Fields, Id, fields};
use serde_json::{Value, json};
use service::{
    App, Error,
    helpdesk::complaints::{self, ComplaintChange, ComplaintFilter, NewComplaint, Row},
};

use crate::{
    change::coded,
    envelope::{Answer, Caller, Done, Page, PlaceOf, Reply, id},
    invoices::days,
};

const STATES: &[(i64, Stands)] =
    &[(0, Stands::Open), (1, Stands::InProgress), (2, Stands::Resolved), (3, Stands::Closed)];
const PRIORITIES: &[(i64, Priority)] = &[(1, Priority::Low), (2, Priority::Normal), (3, Priority::High)];
/// So many replies come with a ticket.
const REPLIES: i64 = 1000;

pub async fn list(State(app): State<App>, caller: Caller, Asked(mut asked): Asked) -> Answer<Value> {
    let place = PlaceOf::read(&mut asked);
    let page = Page::read(&mut asked);
    let (from, until) = days(&caller, &mut asked);
    let state = asked.optional("status", coded(STATES)).value();
    let priority = asked.optional("priority", coded(PRIORITIES)).value();
    let filter = ComplaintFilter {
        customer: asked.optional("subscriber_id", id).value().map(CustomerId),
        assigned_to: asked.optional("assigned_to", id).value().map(StaffId),
        status: state.filter(|state| *state != Stands::Open).map(Stands::word),
        waiting: state == Some(Stands::Open),
        priority: priority.filter(|priority| *priority != Priority::High).map(Priority::word),
        pressing: priority == Some(Priority::High),
        from,
        until,
        ..ComplaintFilter::default()
    };
    asked.finish()?;
    let actor = caller.acting(&app, place).await?;
    let (rows, total) = complaints::list(&app, &actor, filter, page.offset, page.limit).await?;
    Ok(page.of("tickets", rows.iter().map(|one| row(&caller, one)).collect(), total))
}

fn row(caller: &Caller, one: &Row) -> Value {
    let status = match Stands::from_word(&one.status) {
        Some(Stands::Open | Stands::Acknowledged) | None => 0,
        Some(Stands::InProgress) => 1,
        Some(Stands::Resolved) => 2,
        Some(Stands::Closed) => 3,
    };
    let priority = match Priority::from_word(&one.priority) {
        Some(Priority::Low) => 1,
        Some(Priority::Normal) | None => 2,
        Some(Priority::High | Priority::Urgent) => 3,
    };
    json!({
        "id": one.id,
        "subscriber_id": one.customer_id.0,
        "subject": one.subject,
        "message": one.message,
        "category": one.category,
        "department": one.department,
        "priority": priority,
        "status": status,
        "assigned_to": one.assigned_to.map(|id| id.0),
        "opened_by": one.opened_by,
        "due_at": caller.datetime(one.due_at),
        "resolved_at": one.resolved_at.map(|at| caller.datetime(at)),
        "closed_at": one.closed_at.map(|at| caller.datetime(at)),
        "created_at": caller.datetime(one.opened_at),
        "updated_at": caller.datetime(one.updated_at),
    })
}

fn words(error: Error) -> Error {
    doors::fields::named(error, &[("customer_id", "subscriber_id")])
}

pub async fn create(State(app): State<App>, caller: Caller, mut body: Fields) -> Answer<Value> {
    let place = PlaceOf::read(&mut body);
    body.alias("message", &["description"]);
    let command = NewComplaint {
        customer: CustomerId(body.required("subscriber_id", id)),
        subject: body.required("subject", fields::text(1, 200)),
        message: body.required("message", fields::lines(5000)),
        category: body.optional("category", fields::text(1, 50)).value(),
        department: body.optional("department", fields::text(1, 50)).value(),
        priority: body.optional("priority", coded(PRIORITIES)).value().unwrap_or(Priority::Normal),
        assigned_to: body.optional("assigned_to", id).value().map(StaffId),
    };
    body.finish()?;
    let actor = caller.acting(&app, place).await?;
    let made = complaints::create(&app, &actor, command, caller.key.clone()).await;
    let id = made.map_err(|error| caller.refused(words(error)))?;
    Ok(Reply::created("Ticket created successfully", json!({ "id": id })))
}

pub async fn show(State(app): State<App>, caller: Caller, Id(wanted): Id, Asked(mut asked): Asked) -> Answer<Value> {
    let place = PlaceOf::read(&mut asked);
    asked.finish()?;
    let actor = caller.acting(&app, place).await?;
    let one = complaints::show(&app, &actor, wanted).await.map_err(|error| caller.refused(error))?;
    let (replies, _) = complaints::comments(&app, &actor, wanted, 0, REPLIES).await?;
    let mut data = row(&caller, &one);
    let of = |reply: &complaints::CommentRow| json!({ "id": reply.id, "author": reply.author, "message": reply.text, "created_at": caller.datetime(reply.at) });
    data["replies"] = replies.iter().map(of).collect();
    Ok(Reply::data(data))
}

pub async fn update(State(app): State<App>, caller: Caller, Id(wanted): Id, mut body: Fields) -> Done {
    let place = PlaceOf::read(&mut body);
    let command = ComplaintChange {
        subject: body.optional("subject", fields::text(1, 200)).value(),
        category: body.optional("category", fields::text(1, 50)).value(),
        department: body.optional("department", fields::text(1, 50)).value(),
        priority: body.optional("priority", coded(PRIORITIES)).value(),
        state: body.optional("status", coded(STATES)).value(),
        assigned_to: body.optional("assigned_to", id).change().map(|given| given.map(StaffId)),
        unchanged_since: None,
    };
    body.finish()?;
    let actor = caller.acting(&app, place).await?;
    let done = complaints::update(&app, &actor, wanted, command).await;
    done.map_err(|error| caller.refused(words(error)))?;
    Ok(Reply::done("Ticket updated successfully"))
}

pub async fn reply(State(app): State<App>, caller: Caller, Id(wanted): Id, mut body: Fields) -> Answer<Value> {
    let place = PlaceOf::read(&mut body);
    let text = body.required("message", fields::lines(5000));
    body.finish()?;
    let actor = caller.acting(&app, place).await?;
    let made = complaints::comment(&app, &actor, wanted, text, caller.key.clone()).await;
    let made = made.map_err(|error| caller.refused(error))?;
    Ok(Reply::created("Reply added successfully", json!({ "id": made.id })))
}
