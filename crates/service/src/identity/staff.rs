//! Staff: people who log in, with a role, a branch and a superior.

use domain::{BranchId, Instant, Role, Scopes, StaffId};
pub use store::identity::staff::Filter;
use store::{
    db::Class,
    identity::{
        isp,
        staff::{self, Staff},
    },
};

use crate::{
    Actor, App, Change, Error, Expected, Fact, Refusal, What, Why,
    identity::tokens,
    kernel::{ids::Table, vault},
};
use domain::kernel::names::name_key;

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

/// Makes a person. `rights` are the caller's: nobody gives more than it has.
pub async fn create(app: &App, actor: &Actor, rights: Scopes, command: NewStaff) -> Result<Staff, Error> {
    actor.writes()?;
    within(rights, command.role)?;
    if is_reseller(command.role) {
        return Err(Error::invalid("role", RESELLER));
    }
    let branch = actor.branch.or(command.branch);
    let id = StaffId(app.new_id(Table::Staff).await?);
    let password_hash = vault::hash_password(command.password.clone()).await?;
    app.change(actor, Class::Interactive, async move |change| {
        add(change, id, &command, branch, password_hash.clone()).await
    })
    .await
}

/// Writes the person's row.
pub(crate) async fn add(
    change: &Change<'_>,
    id: StaffId,
    command: &NewStaff,
    branch: Option<BranchId>,
    password_hash: String,
) -> Result<Staff, Error> {
    free_email(change, &command.email, None).await?;
    if let Some(branch) = command.branch
        && isp::branch(change.tx, change.isp, branch).await?.is_none()
    {
        return Err(Error::invalid("branch_id", Why::Unknown));
    }
    let person = Staff {
        isp_id: change.isp,
        id,
        branch_id: branch,
        parent_id: command.parent,
        name: command.name.trim().into(),
        email: command.email.trim().into(),
        email_key: name_key(&command.email),
        password_hash,
        role: command.role.word().into(),
        status: "active".into(),
        created_at: change.now,
        phone: command.phone.clone(),
        updated_at: Some(change.now),
        last_login_at: None,
    };
    person.insert(change.tx).await?;
    change.tell(Fact::StaffCreated { staff: id, name: person.name.clone(), role: command.role });
    Ok(person)
}

/// Nobody gives, changes or ends what may do more than it may itself.
pub(crate) fn within(rights: Scopes, role: Role) -> Result<(), Error> {
    if role.scopes().within(rights) { Ok(()) } else { Err(Error::Forbidden) }
}

fn is_reseller(role: Role) -> bool {
    matches!(role, Role::Operator | Role::SubOperator)
}

pub(crate) const RESELLER: Why = Why::Not(Expected::RoleWithoutAccount);

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
    /// The person must not have changed since.
    pub unchanged_since: Option<Instant>,
}

/// Changes what is given. A new password ends the tokens that came from the old one.
pub async fn update(
    app: &App,
    actor: &Actor,
    rights: Scopes,
    id: StaffId,
    command: StaffChange,
) -> Result<Staff, Error> {
    actor.writes()?;
    let who = actor.clone();
    let password_hash = match &command.password {
        Some(password) => Some(vault::hash_password(password.clone()).await?),
        None => None,
    };
    app.change(actor, Class::Interactive, async move |change| {
        edit(change, &who, rights, id, &command, password_hash.as_deref()).await
    })
    .await
}

/// As [`update`], as a part of a change.
pub(crate) async fn edit(
    change: &Change<'_>,
    who: &Actor,
    rights: Scopes,
    id: StaffId,
    command: &StaffChange,
    password_hash: Option<&str>,
) -> Result<Staff, Error> {
    let mut person = reached(change, who, rights, id).await?;
    if let Some(role) = command.role {
        change_role(&mut person, rights, role)?;
    }
    change_person(change, rights, &mut person, command, password_hash).await?;
    Ok(person)
}

fn change_role(person: &mut Staff, rights: Scopes, role: Role) -> Result<(), Error> {
    within(rights, role)?;
    let before = Role::from_word(&person.role);
    if before == Some(role) {
        return Ok(());
    }
    if before == Some(Role::Owner) {
        return Err(Error::Refused(Refusal::OwnerStays));
    }
    if is_reseller(role) || before.is_some_and(is_reseller) {
        return Err(Error::invalid("role", RESELLER));
    }
    person.role = role.word().into();
    Ok(())
}

/// Changes what is given but the role, and saves it. Setting a password is signing in: who may do less than the person does
/// not, nor names another address for it.
pub(crate) async fn change_person(
    change: &Change<'_>,
    rights: Scopes,
    person: &mut Staff,
    command: &StaffChange,
    password_hash: Option<&str>,
) -> Result<(), Error> {
    if command.unchanged_since.is_some() && command.unchanged_since != person.updated_at.or(Some(person.created_at)) {
        return Err(Error::Changed);
    }
    if command.email.is_some() || password_hash.is_some() {
        within(rights, role(person))?;
    }
    if let Some(email) = &command.email {
        free_email(change, email, Some(person.id)).await?;
        person.email = email.trim().into();
        person.email_key = name_key(email);
    }
    if let Some(name) = &command.name {
        person.name = name.trim().into();
    }
    if let Some(phone) = &command.phone {
        person.phone = phone.clone();
    }
    if let Some(hash) = password_hash {
        person.password_hash = hash.into();
        tokens::end_of_staff(change, person.id).await?;
    }
    person.updated_at = Some(change.now);
    staff::update(change.tx, person).await?;
    change.tell(Fact::StaffUpdated { staff: person.id, name: person.name.clone() });
    Ok(())
}

pub(crate) async fn live(change: &Change<'_>, id: StaffId) -> Result<Staff, Error> {
    let person = staff::find(change.tx, change.isp, id).await?;
    person.filter(|person| person.status != "deleted").ok_or(Error::NotFound { what: What::Staff })
}

/// A live person that the caller may change.
async fn reached(change: &Change<'_>, who: &Actor, rights: Scopes, id: StaffId) -> Result<Staff, Error> {
    let person = live(change, id).await?;
    who.reaches(person.branch_id)?;
    within(rights, role(&person))?;
    Ok(person)
}

/// What is not known may everything.
fn role(person: &Staff) -> Role {
    Role::from_word(&person.role).unwrap_or(Role::Owner)
}

/// Suspends a person, whose tokens end at once, or lets them in again.
pub async fn suspend(app: &App, actor: &Actor, rights: Scopes, id: StaffId, suspended: bool) -> Result<Staff, Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let mut person = reached(change, &who, rights, id).await?;
        set_suspended(change, &mut person, suspended).await?;
        Ok(person)
    })
    .await
}

pub(crate) async fn set_suspended(change: &Change<'_>, person: &mut Staff, suspended: bool) -> Result<(), Error> {
    let status = if suspended { "suspended" } else { "active" };
    if person.status == status {
        return Ok(());
    }
    if suspended && person.role == Role::Owner.word() {
        return Err(Error::Refused(Refusal::OwnerNotSuspended));
    }
    person.status = status.into();
    person.updated_at = Some(change.now);
    staff::update(change.tx, person).await?;
    if suspended {
        tokens::end_of_staff(change, person.id).await?;
    }
    change.tell(match suspended {
        true => Fact::StaffSuspended { staff: person.id },
        false => Fact::StaffRestored { staff: person.id },
    });
    Ok(())
}

/// Those that match, the newest first, and how many there are.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Filter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Staff>, i64), Error> {
    let (isp, filter) = (actor.isp, Filter { branch: actor.branch.or(filter.branch), ..filter });
    Ok(app.db.read(async move |tx| staff::list(tx, isp, &filter, offset, limit).await).await?)
}

pub async fn show(app: &App, actor: &Actor, id: StaffId) -> Result<Staff, Error> {
    let isp = actor.isp;
    let person = app.db.read(async move |tx| staff::find(tx, isp, id).await).await?;
    let person = person.filter(|person| person.status != "deleted").ok_or(Error::NotFound { what: What::Staff })?;
    actor.reaches(person.branch_id)?;
    Ok(person)
}

pub async fn exists(app: &App, actor: &Actor, email: &str) -> Result<bool, Error> {
    let (isp, key) = (actor.isp, name_key(email));
    Ok(app.db.read(async move |tx| staff::by_email(tx, isp, &key).await).await?.is_some())
}

/// A person who has not left.
pub(crate) async fn at_work(change: &Change<'_>, id: StaffId) -> Result<Option<Staff>, Error> {
    Ok(staff::find(change.tx, change.isp, id).await?.filter(|person| person.status != "deleted"))
}

/// Whether `id` is the caller or somebody below; who sees the whole Isp has everybody of it below.
pub async fn is_below(app: &App, actor: &Actor, own: StaffId, sees_all: bool, id: StaffId) -> Result<bool, Error> {
    let isp = actor.isp;
    app.db
        .read(async move |tx| {
            let mut at = staff::find(tx, isp, id).await?;
            // No chain of superiors is longer.
            for _ in 0..16 {
                match at {
                    None => return Ok(false),
                    Some(_) if sees_all => return Ok(true),
                    Some(person) if person.id == own => return Ok(true),
                    Some(person) => match person.parent_id {
                        Some(parent) => at = staff::find(tx, isp, parent).await?,
                        None => return Ok(false),
                    },
                }
            }
            Ok(false)
        })
        .await
}
