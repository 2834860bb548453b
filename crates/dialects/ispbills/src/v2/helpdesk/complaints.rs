//! Complaints: what customers report, and the work on it.

use axum::extract::State;
use domain::{
    CustomerId, Instant, Scope, StaffId,
    helpdesk::complaint::{Priority, State as Stands},
};
use doors::{
    Id, Operation,
    form::{Body, Query},
    wire::utc_seconds,
};
use serde::Serialize;
use service::{
    App,
    helpdesk::complaints::{self, CommentRow, ComplaintChange, ComplaintFilter, NewComplaint},
};
use utoipa::ToSchema;

use crate::{
    envelope::{Answer, Caller, Failure, Listing, Page, Reply},
    messages::{after, midnight},
};

const TAG: &str = "Complaints";

#[derive(Serialize, ToSchema)]
#[schema(as = Complaint)]
pub struct Row {
    id: i64,
    customer_id: i64,
    subject: String,
    message: String,
    category: String,
    department: String,
    /// low, normal, high or urgent.
    priority: String,
    /// open, acknowledged, in_progress, resolved or closed.
    status: String,
    /// A staff member's id.
    assigned_to: Option<i64>,
    /// By when it should be settled.
    due_at: String,
    /// That time is over and it is not.
    overdue: bool,
    opened_by: String,
    created_at: String,
    updated_at: String,
    resolved_at: Option<String>,
    closed_at: Option<String>,
}

fn row(row: complaints::Row, now: Instant) -> Row {
    let open = Stands::from_word(&row.status).is_some_and(Stands::is_open);
    Row {
        id: row.id,
        customer_id: row.customer_id.0,
        subject: row.subject,
        message: row.message,
        category: row.category,
        department: row.department,
        priority: row.priority,
        status: row.status,
        assigned_to: row.assigned_to.map(|id| id.0),
        due_at: utc_seconds(row.due_at),
        overdue: open && row.due_at < now,
        opened_by: row.opened_by,
        created_at: utc_seconds(row.opened_at),
        updated_at: utc_seconds(row.updated_at),
        resolved_at: row.resolved_at.map(utc_seconds),
        closed_at: row.closed_at.map(utc_seconds),
    }
}

fn tagged(reply: fn(Row) -> Reply<Row>, found: complaints::Row, now: Instant) -> Reply<Row> {
    let changed = found.updated_at;
    reply(row(found, now)).tagged(changed)
}

doors::form! {
    /// Which complaints.
    ComplaintsWanted {
        customer_id: optional Id, "Of this customer.";
        status: optional Word(Stands::WORDS), "In this state.";
        priority: optional Word(Priority::WORDS), "Of this priority.";
        category: optional Text(1, 60), "Of this category.";
        department: optional Text(1, 60), "Of this department.";
        assigned_to: optional Id, "Assigned to this staff member.";
        overdue: optional Boolean, "True: to be settled still, and late.";
        from: optional AnyDate, "Opened on this day or later.";
        to: optional AnyDate, "Opened on this day or earlier.";
    }
}

pub const LIST: Operation = Operation::new(TAG, "List complaints", Scope::ComplaintsRead)
    .about("The newest first.")
    .query::<ComplaintsWanted>()
    .lists::<Row>();

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(wanted): Query<ComplaintsWanted>,
) -> Result<Listing<Row>, Failure> {
    let ComplaintsWanted { customer_id, status, priority, category, department, assigned_to, overdue, from, to } =
        wanted;
    let filter = ComplaintFilter {
        branch: None,
        customer: customer_id.value().map(CustomerId),
        status: status.value(),
        priority: priority.value(),
        category: category.value(),
        department: department.value(),
        assigned_to: assigned_to.value().map(StaffId),
        due_before: overdue.or(false).then_some(caller.now),
        from: from.value().map(|day| midnight(&caller, day)),
        until: to.value().map(|day| after(&caller, day)),
        ..ComplaintFilter::default()
    };
    let (rows, total) = complaints::list(&app, &caller.actor, filter, page.offset(), page.limit()).await?;
    Ok(page.of(rows.into_iter().map(|found| row(found, caller.now)).collect(), total))
}

doors::form! {
    NewComplaintBody {
        customer_id: required Id, "Who reports it.";
        subject: required Text(1, 200), "What it is about, in a line.";
        message: required Lines(5000), "What is the matter.";
        category: optional Text(1, 60), "As the office sorts them; `general` where none is given.";
        department: optional Text(1, 60), "Who looks at it; `support` where none is given.";
        priority: optional Word(Priority::WORDS), "How urgent; `normal` where none is given.";
        assigned_to: optional Id, "The staff member who works on it.";
    }
}

pub const CREATE: Operation = Operation::new(TAG, "Submit a complaint", Scope::ComplaintsWrite)
    .about("It should be settled within 72, 24, 8 or 4 hours, by its priority.")
    .body::<NewComplaintBody>()
    .creates::<Row>();

pub async fn create(State(app): State<App>, caller: Caller, Body(body): Body<NewComplaintBody>) -> Answer<Row> {
    let NewComplaintBody { customer_id, subject, message, category, department, priority, assigned_to } = body;
    let command = NewComplaint {
        customer: CustomerId(customer_id),
        subject,
        message,
        category: category.value(),
        department: department.value(),
        priority: priority.value().and_then(Priority::from_word).unwrap_or(Priority::Normal),
        assigned_to: assigned_to.value().map(StaffId),
    };
    let id = complaints::create(&app, &caller.actor, command, caller.key.clone()).await?;
    Ok(tagged(Reply::created, complaints::show(&app, &caller.actor, id).await?, caller.now))
}

pub const SHOW: Operation = Operation::new(TAG, "Retrieve a complaint", Scope::ComplaintsRead).answers::<Row>();

pub async fn show(State(app): State<App>, caller: Caller, Id(id): Id) -> Answer<Row> {
    Ok(tagged(Reply::data, complaints::show(&app, &caller.actor, id).await?, caller.now))
}

doors::form! {
    ComplaintUpdate {
        subject: optional Text(1, 200), "What it is about, in a line.";
        category: optional Text(1, 60), "As the office sorts them.";
        department: optional Text(1, 60), "Who looks at it.";
        priority: optional Word(Priority::WORDS), "How urgent; the time it is due by moves with it.";
        status: optional Word(Stands::WORDS), "Where it stands; one that ended is opened again by an earlier state.";
        assigned_to: optional Id, "The staff member who works on it; null for nobody.";
    }
}

pub const UPDATE: Operation = Operation::new(TAG, "Update a complaint", Scope::ComplaintsWrite)
    .body::<ComplaintUpdate>()
    .answers::<Row>()
    .refuses(&[412]);

pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<ComplaintUpdate>,
) -> Answer<Row> {
    let ComplaintUpdate { subject, category, department, priority, status, assigned_to } = body;
    let command = ComplaintChange {
        subject: subject.value(),
        category: category.value(),
        department: department.value(),
        priority: priority.value().and_then(Priority::from_word),
        state: status.value().and_then(Stands::from_word),
        assigned_to: assigned_to.map(StaffId).change(),
        unchanged_since: caller.unchanged_since()?,
    };
    let found = complaints::update(&app, &caller.actor, id, command).await?;
    Ok(tagged(Reply::data, found, caller.now))
}

doors::form! {
    ComplaintEnd {
        comment: optional Lines(5000), "A last word.";
    }
}

pub const CLOSE: Operation =
    Operation::new(TAG, "Close a complaint", Scope::ComplaintsWrite).body::<ComplaintEnd>().answers::<Row>();

pub async fn close(State(app): State<App>, caller: Caller, Id(id): Id, Body(body): Body<ComplaintEnd>) -> Answer<Row> {
    let ComplaintEnd { comment } = body;
    let found = complaints::close(&app, &caller.actor, id, comment.value()).await?;
    Ok(tagged(Reply::data, found, caller.now))
}

#[derive(Serialize, ToSchema)]
#[schema(as = ComplaintComment)]
pub struct Comment {
    id: i64,
    complaint_id: i64,
    /// `staff:` or `api:` and an id.
    author: String,
    comment: String,
    created_at: String,
}

impl From<CommentRow> for Comment {
    fn from(row: CommentRow) -> Comment {
        let CommentRow { isp_id: _, id, complaint_id, at, author, text } = row;
        Comment { id, complaint_id, author, comment: text, created_at: utc_seconds(at) }
    }
}

pub const COMMENTS: Operation = Operation::new(TAG, "List a complaint's comments", Scope::ComplaintsRead)
    .about("The oldest first.")
    .lists::<Comment>();

pub async fn comments(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    page: Page,
) -> Result<Listing<Comment>, Failure> {
    let (rows, total) = complaints::comments(&app, &caller.actor, id, page.offset(), page.limit()).await?;
    Ok(page.of(rows.into_iter().map(Comment::from).collect(), total))
}

doors::form! {
    NewComment {
        comment: required Lines(5000), "What to add.";
    }
}

pub const COMMENT: Operation =
    Operation::new(TAG, "Comment on a complaint", Scope::ComplaintsWrite).body::<NewComment>().creates::<Comment>();

pub async fn comment(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body<NewComment>,
) -> Answer<Comment> {
    let NewComment { comment } = body;
    Ok(Reply::created(complaints::comment(&app, &caller.actor, id, comment, caller.key).await?.into()))
}
