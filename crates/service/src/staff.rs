//! Staff: people who log in, with a role, a branch and a superior.

use domain::{
    BranchId, Role, StaffId,
    event::{EventKind, Subject},
};
use serde_json::json;
use store::{
    db::Class,
    staff::{self, Staff},
};

use crate::{Actor, App, Change, Error, Why, ids::Table, setup::name_key, tokens, vault};

#[derive(Clone, Debug)]
pub struct NewStaff {
    pub name: String,
    pub email: String,
    pub password: String,
    pub phone: Option<String>,
    pub role: Role,
    /// Sees and changes only this branch.
    pub branch: Option<BranchId>,
    pub parent: Option<StaffId>,
}

pub async fn create(app: &App, actor: &Actor, command: NewStaff) -> Result<Staff, Error> {
    actor.writes()?;
    let id = StaffId(app.new_id(Table::Staff).await?);
    let password_hash = vault::hash_password(command.password.clone()).await?;
    app.change(actor, Class::Interactive, async move |change| {
        free_email(change, &command.email, None).await?;
        let person = Staff {
            isp_id: change.isp,
            id,
            branch_id: command.branch,
            parent_id: command.parent,
            name: command.name.trim().into(),
            email: command.email.trim().into(),
            email_key: name_key(&command.email),
            password_hash: password_hash.clone(),
            role: command.role.word().into(),
            status: "active".into(),
            created_at: change.now,
            phone: command.phone.clone(),
            updated_at: Some(change.now),
            last_login_at: None,
        };
        person.insert(change.tx).await?;
        let body = json!({ "name": person.name, "role": person.role });
        change.event(EventKind::StaffCreated, Subject::Staff(id.0), body);
        Ok(person)
    })
    .await
}

async fn free_email(change: &Change<'_>, email: &str, own: Option<StaffId>) -> Result<(), Error> {
    let holder = staff::by_email(change.tx, change.isp, &name_key(email)).await?;
    match holder {
        Some(holder) if Some(holder.id) != own => Err(Error::invalid("email", Why::Taken)),
        _ => Ok(()),
    }
}

/// `None` leaves a field as it is.
#[derive(Clone, Default, Debug)]
pub struct StaffChange {
    pub name: Option<String>,
    pub email: Option<String>,
    pub password: Option<String>,
    pub phone: Option<Option<String>>,
    pub role: Option<Role>,
    pub branch: Option<Option<BranchId>>,
}

/// Changes what is given. A new password ends the tokens that came from the old one.
pub async fn update(app: &App, actor: &Actor, id: StaffId, command: StaffChange) -> Result<Staff, Error> {
    actor.writes()?;
    let password_hash = match &command.password {
        Some(password) => Some(vault::hash_password(password.clone()).await?),
        None => None,
    };
    app.change(actor, Class::Interactive, async move |change| {
        let mut person = live(change, id).await?;
        if let Some(email) = &command.email {
            free_email(change, email, Some(id)).await?;
            person.email = email.trim().into();
            person.email_key = name_key(email);
        }
        person.name = command.name.clone().unwrap_or(person.name);
        person.phone = command.phone.clone().unwrap_or(person.phone);
        person.role = command.role.map_or(person.role, |role| role.word().into());
        person.branch_id = command.branch.unwrap_or(person.branch_id);
        if let Some(hash) = &password_hash {
            person.password_hash = hash.clone();
            tokens::end_of_staff(change, id).await?;
        }
        person.updated_at = Some(change.now);
        staff::update(change.tx, &person).await?;
        change.event(EventKind::StaffUpdated, Subject::Staff(id.0), json!({ "name": person.name }));
        Ok(person)
    })
    .await
}

async fn live(change: &Change<'_>, id: StaffId) -> Result<Staff, Error> {
    let person = staff::find(change.tx, change.isp, id).await?;
    person.filter(|person| person.status != "deleted").ok_or(Error::NotFound { what: "staff" })
}

/// Suspends a person, whose tokens end at once, or lets them in again.
pub async fn suspend(app: &App, actor: &Actor, id: StaffId, suspended: bool) -> Result<Staff, Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        let mut person = live(change, id).await?;
        let status = if suspended { "suspended" } else { "active" };
        if person.status == status {
            return Ok(person);
        }
        if suspended && person.role == Role::Owner.word() {
            return Err(Error::Refused("An owner cannot be suspended"));
        }
        person.status = status.into();
        person.updated_at = Some(change.now);
        staff::update(change.tx, &person).await?;
        if suspended {
            tokens::end_of_staff(change, id).await?;
        }
        let kind = if suspended { EventKind::StaffSuspended } else { EventKind::StaffUpdated };
        change.event(kind, Subject::Staff(id.0), json!({ "status": status }));
        Ok(person)
    })
    .await
}

/// Those with a role, or any; the newest first, and how many there are.
pub async fn list(
    app: &App,
    actor: &Actor,
    role: Option<Role>,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Staff>, i64), Error> {
    let (isp, role) = (actor.isp, role.map(Role::word));
    app.db
        .read(async move |tx| {
            let rows = staff::list(tx, isp, role, offset, limit).await?;
            Ok((rows, staff::count(tx, isp, role).await?))
        })
        .await
}

pub async fn show(app: &App, actor: &Actor, id: StaffId) -> Result<Staff, Error> {
    let isp = actor.isp;
    let person = app.db.read(async move |tx| staff::find(tx, isp, id).await).await?;
    person.filter(|person| person.status != "deleted").ok_or(Error::NotFound { what: "staff" })
}

pub async fn exists(app: &App, actor: &Actor, email: &str) -> Result<bool, Error> {
    let (isp, key) = (actor.isp, name_key(email));
    Ok(app.db.read(async move |tx| staff::by_email(tx, isp, &key).await).await?.is_some())
}
