//! Complaints: what a customer reports, who works on it, and by when it should be settled.

use domain::{
    CustomerId, Instant, StaffId,
    helpdesk::complaint::{Priority, State},
};
use store::{
    db::Class,
    helpdesk::complaint::{self, Comment, Complaint, Filter},
    identity::staff,
    people::customer,
};

pub use store::helpdesk::complaint::{Comment as CommentRow, Complaint as Row, Filter as ComplaintFilter};

use crate::{
    Actor, App, Change, Error, Fact, What, Why,
    kernel::{change::CallerKey, ids::Table},
};

#[derive(Clone, Debug)]
pub struct NewComplaint {
    pub customer: CustomerId,
    pub subject: String,
    pub message: String,
    pub category: Option<String>,
    pub department: Option<String>,
    pub priority: Priority,
    pub assigned_to: Option<StaffId>,
}

/// The new complaint's id.
pub async fn create(app: &App, actor: &Actor, command: NewComplaint, key: Option<CallerKey>) -> Result<i64, Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| open(change, &who, &command).await).await
}

/// One that is settled as it is told: opened and closed in one change, with these words.
pub async fn create_closed(
    app: &App,
    actor: &Actor,
    command: NewComplaint,
    comment: Option<String>,
    key: Option<CallerKey>,
) -> Result<i64, Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change_once(actor, key, async move |change| {
        let id = open(change, &who, &command).await?;
        shut(change, &who, id, comment.as_deref()).await?;
        Ok(id)
    })
    .await
}

async fn open(change: &Change<'_>, who: &Actor, command: &NewComplaint) -> Result<i64, Error> {
    let owner = customer::find(change.tx, change.isp, command.customer).await?;
    // Of another branch it is as unknown as of another Isp: a body is no path.
    let owner = owner.filter(|owner| who.reaches(owner.branch_id).is_ok());
    let owner = owner.ok_or(Error::invalid("customer_id", Why::Unknown))?;
    assignable(change, command.assigned_to).await?;
    let id = change.id(Table::Complaint).await?;
    let row = Complaint {
        isp_id: change.isp,
        id,
        customer_id: owner.id,
        branch_id: owner.branch_id,
        subject: command.subject.clone(),
        message: command.message.clone(),
        category: command.category.clone().unwrap_or_else(|| "general".into()),
        department: command.department.clone().unwrap_or_else(|| "support".into()),
        priority: command.priority.word().into(),
        status: State::Open.word().into(),
        assigned_to: command.assigned_to,
        due_at: command.priority.due(change.now),
        opened_by: change.actor.into(),
        opened_at: change.now,
        updated_at: change.now,
        resolved_at: None,
        closed_at: None,
    };
    row.insert(change.tx).await?;
    change.tell(Fact::ComplaintCreated {
        complaint: id,
        customer: owner.id,
        subject: row.subject,
        priority: command.priority,
    });
    Ok(id)
}

async fn assignable(change: &Change<'_>, staff: Option<StaffId>) -> Result<(), Error> {
    let Some(id) = staff else { return Ok(()) };
    let person = staff::find(change.tx, change.isp, id).await?;
    match person.filter(|person| person.status == "active") {
        Some(_) => Ok(()),
        None => Err(Error::invalid("assigned_to", Why::Unknown)),
    }
}

pub async fn show(app: &App, actor: &Actor, id: i64) -> Result<Complaint, Error> {
    let isp = actor.isp;
    let row = app.db.read(async move |tx| complaint::find(tx, isp, id).await).await?;
    let row = row.ok_or(Error::NotFound { what: What::Complaint })?;
    actor.reaches(row.branch_id)?;
    Ok(row)
}

/// A ticket that messages are about.
///
/// # Errors
/// `Invalid` when there is none.
pub async fn ticket(app: &App, actor: &Actor, id: i64) -> Result<i64, Error> {
    match show(app, actor, id).await {
        Err(Error::NotFound { .. } | Error::Forbidden) => Err(Error::invalid("ticket", Why::Unknown)),
        found => found.map(|found| found.id),
    }
}

/// A page of those that match, newest first, and how many there are.
pub async fn list(
    app: &App,
    actor: &Actor,
    wanted: Filter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Complaint>, i64), Error> {
    let isp = actor.isp;
    let filter = Filter { branch: actor.branch.or(wanted.branch), ..wanted };
    Ok(app.db.read(async move |tx| complaint::list(tx, isp, &filter, offset, limit).await).await?)
}

/// `None` leaves a field as it is.
#[derive(Clone, Default, Debug)]
pub struct ComplaintChange {
    pub subject: Option<String>,
    pub category: Option<String>,
    pub department: Option<String>,
    /// The time it is due by moves with it.
    pub priority: Option<Priority>,
    pub state: Option<State>,
    pub assigned_to: Option<Option<StaffId>>,
    /// Only if it was last changed then.
    pub unchanged_since: Option<Instant>,
}

/// Changes what is given; an ended complaint is opened again by putting it into an earlier state.
pub async fn update(app: &App, actor: &Actor, id: i64, command: ComplaintChange) -> Result<Complaint, Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let before = locked(change, &who, id).await?;
        if command.unchanged_since.is_some_and(|at| at != before.updated_at) {
            return Err(Error::Changed);
        }
        assignable(change, command.assigned_to.flatten()).await?;
        let mut row = before.clone();
        row.subject = command.subject.clone().unwrap_or(row.subject);
        row.category = command.category.clone().unwrap_or(row.category);
        row.department = command.department.clone().unwrap_or(row.department);
        row.assigned_to = command.assigned_to.unwrap_or(row.assigned_to);
        if let Some(priority) = command.priority
            && priority.word() != row.priority
        {
            row.priority = priority.word().into();
            row.due_at = priority.due(row.opened_at);
        }
        if let Some(state) = command.state {
            put(&mut row, state, change.now);
        }
        keep(change, &before, row).await
    })
    .await
}

/// Ends a complaint, with a last comment if there is one. What is closed already stays as it is.
pub async fn close(app: &App, actor: &Actor, id: i64, comment: Option<String>) -> Result<Complaint, Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| shut(change, &who, id, comment.as_deref()).await).await
}

async fn shut(change: &Change<'_>, who: &Actor, id: i64, comment: Option<&str>) -> Result<Complaint, Error> {
    let before = locked(change, who, id).await?;
    if let Some(text) = comment {
        add(change, id, text).await?;
    }
    let mut row = before.clone();
    put(&mut row, State::Closed, change.now);
    keep(change, &before, row).await
}

async fn locked(change: &Change<'_>, actor: &Actor, id: i64) -> Result<Complaint, Error> {
    let row = complaint::lock(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Complaint })?;
    actor.reaches(row.branch_id)?;
    Ok(row)
}

fn put(row: &mut Complaint, state: State, now: Instant) {
    row.status = state.word().into();
    let settled = row.resolved_at.or(Some(now));
    match state {
        State::Open | State::Acknowledged | State::InProgress => (row.resolved_at, row.closed_at) = (None, None),
        State::Resolved => (row.resolved_at, row.closed_at) = (settled, None),
        State::Closed => (row.resolved_at, row.closed_at) = (settled, row.closed_at.or(Some(now))),
    }
}

async fn keep(change: &Change<'_>, before: &Complaint, mut row: Complaint) -> Result<Complaint, Error> {
    if row == *before {
        return Ok(row);
    }
    row.updated_at = change.now.max(before.updated_at.plus(1));
    complaint::update(change.tx, &row).await?;
    let closed = row.closed_at.is_some() && before.closed_at.is_none();
    let (complaint, customer) = (row.id, row.customer_id);
    let unknown = || Error::Internal(format!("complaint {complaint} stands in no state"));
    let status = State::from_word(&row.status).ok_or_else(unknown)?;
    let priority = Priority::from_word(&row.priority).ok_or_else(unknown)?;
    change.tell(match closed {
        true => Fact::ComplaintClosed { complaint, customer, status, priority },
        false => Fact::ComplaintUpdated { complaint, customer, status, priority },
    });
    Ok(row)
}

/// Adds a comment; a new complaint is acknowledged by nothing but a change of its state.
pub async fn comment(
    app: &App,
    actor: &Actor,
    id: i64,
    text: String,
    key: Option<CallerKey>,
) -> Result<Comment, Error> {
    actor.writes()?;
    let who = actor.clone();
    let made = app
        .change_once(actor, key, async move |change| {
            locked(change, &who, id).await?;
            let made = add(change, id, &text).await?;
            change.tell(Fact::ComplaintCommented { complaint: id, comment: made.id });
            Ok((made.id, made.at.0, made.author, made.text))
        })
        .await?;
    let (comment, at, author, text) = made;
    Ok(Comment { isp_id: actor.isp, id: comment, complaint_id: id, at: Instant(at), author, text })
}

async fn add(change: &Change<'_>, complaint: i64, text: &str) -> Result<Comment, Error> {
    let id = change.id(Table::ComplaintComment).await?;
    let (author, text) = (change.actor.to_string(), text.to_string());
    let row = Comment { isp_id: change.isp, id, complaint_id: complaint, at: change.now, author, text };
    row.insert(change.tx).await?;
    Ok(row)
}

/// Comments in the order they were made, and how many there are.
pub async fn comments(
    app: &App,
    actor: &Actor,
    id: i64,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Comment>, i64), Error> {
    show(app, actor, id).await?;
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| complaint::comments(tx, isp, id, offset, limit).await).await?)
}
