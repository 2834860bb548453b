//! Places from country to subarea, departments, and what salespeople may sell.

use domain::{BranchId, PlanId, StaffId};
use store::{
    catalogue::plan,
    db::Class,
    identity::{
        branch,
        isp::{self, Branch},
        staff,
    },
    people::place::{self, Department, Location},
};

use crate::{Actor, App, Change, Error, What, Why, kernel::ids::Table};

/// From the largest to the smallest; each lies in the one before.
pub const LEVELS: &[&str] = &["country", "province", "city", "area", "subarea"];

fn table(level: &str) -> Table {
    match level {
        "country" => Table::Country,
        "province" => Table::Province,
        "city" => Table::City,
        "area" => Table::Area,
        _ => Table::Subarea,
    }
}

/// A new place of one of [`LEVELS`], in a place of the level above.
pub async fn create(
    app: &App,
    actor: &Actor,
    level: &'static str,
    parent: Option<i64>,
    name: String,
) -> Result<Location, Error> {
    actor.writes()?;
    let above =
        LEVELS.iter().position(|known| *known == level).ok_or(Error::invalid("level", Why::NotOneOf(LEVELS)))?;
    let above = above.checked_sub(1).map(|at| LEVELS[at]);
    app.change(actor, Class::Interactive, async move |change| {
        if let (Some(parent), Some(above)) = (parent, above)
            && place::find(change.tx, change.isp, above, parent).await?.is_none()
        {
            return Err(Error::invalid("parent_id", Why::Unknown));
        }
        let row = Location {
            isp_id: change.isp,
            level: level.into(),
            id: change.id(table(level)).await?,
            parent_id: above.and(parent),
            name: name.trim().into(),
            created_at: change.now,
            updated_at: None,
        };
        row.insert(change.tx).await?;
        Ok(row)
    })
    .await
}

/// A level's places, those in `parent` or all, by name.
pub async fn list(app: &App, actor: &Actor, level: &'static str, parent: Option<i64>) -> Result<Vec<Location>, Error> {
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| place::list(tx, isp, level, parent).await).await?)
}

pub async fn create_department(app: &App, actor: &Actor, name: String) -> Result<Department, Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        let row = Department {
            isp_id: change.isp,
            id: change.id(Table::Department).await?,
            name: name.trim().into(),
            created_at: change.now,
            updated_at: None,
        };
        row.insert(change.tx).await?;
        Ok(row)
    })
    .await
}

pub async fn departments(app: &App, actor: &Actor) -> Result<Vec<Department>, Error> {
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| place::departments(tx, isp).await).await?)
}

/// The branch the Isp began with: it sees what no branch has.
pub async fn head_office(app: &App, actor: &Actor) -> Result<Branch, Error> {
    let isp = actor.isp;
    let found = app.db.read(async move |tx| branch::head_office(tx, isp).await).await?;
    found.ok_or(Error::NotFound { what: What::Branch })
}

/// Which branch a caller means with this id: `None` is the head office, which sees all.
///
/// # Errors
/// `Forbidden` for one of another Isp or one the caller does not see.
pub async fn branch(app: &App, actor: &Actor, id: i64) -> Result<Option<BranchId>, Error> {
    let (isp, id) = (actor.isp, BranchId(id));
    if actor.branch.is_some() {
        return if actor.branch == Some(id) { Ok(actor.branch) } else { Err(Error::Forbidden) };
    }
    let (found, head) = app
        .db
        .read(async move |tx| Ok::<_, Error>((isp::branch(tx, isp, id).await?, branch::head_office(tx, isp).await?)))
        .await?;
    match found {
        None => Err(Error::Forbidden),
        Some(branch) if head.is_some_and(|head| head.id == branch.id) => Ok(None),
        Some(branch) => Ok(Some(branch.id)),
    }
}

/// What a salesperson may sell is exactly this from now on.
pub async fn assign_plans(app: &App, actor: &Actor, id: StaffId, plans: Vec<PlanId>) -> Result<(), Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        seller(change, id).await?.ok_or(Error::NotFound { what: What::Staff })?;
        for plan in &plans {
            if plan::find(change.tx, change.isp, *plan).await?.is_none() {
                return Err(Error::invalid("plan", Why::Unknown));
            }
        }
        Ok(place::assign(change.tx, change.isp, id, &plans, change.now).await?)
    })
    .await
}

pub async fn assigned_plans(app: &App, actor: &Actor, id: StaffId) -> Result<Vec<PlanId>, Error> {
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| place::sold_by(tx, isp, id).await).await?)
}

/// A live person of staff.
pub(crate) async fn seller(change: &Change<'_>, id: StaffId) -> Result<Option<staff::Staff>, Error> {
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
