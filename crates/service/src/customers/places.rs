//! What customers are sorted by: places of both trees (country to subarea, where they live; collection area, street,
//! building, where collectors go) and departments. Whoever makes, renames, moves or deletes one does it here.

use domain::Instant;
use store::{
    db::Class,
    people::place::{self, Department, Filter},
};

pub use store::people::place::{Address, Entry, HOMES, Level, Place};

use crate::{
    Actor, App, By, Change, Error, Expected, Fact, What, Why,
    kernel::{change::unchanged, ids::Table},
};

fn none(level: Level) -> Error {
    Error::NotFound { what: What::Place(level) }
}

fn table(level: Level) -> Table {
    match level {
        Level::Country => Table::Country,
        Level::Province => Table::Province,
        Level::City => Table::City,
        Level::Area => Table::Area,
        Level::Subarea => Table::Subarea,
        Level::CollectionArea => Table::CollectionArea,
        Level::Street => Table::CollectionStreet,
        Level::Building => Table::Building,
        Level::Department => Table::Department,
    }
}

/// When an entry was last changed.
pub fn changed(entry: &Entry) -> Instant {
    entry.updated_at.unwrap_or(entry.created_at)
}

/// What is the whole Isp's is not for those who see one branch to change.
fn may_change(actor: &Actor, level: Level) -> Result<(), Error> {
    actor.writes()?;
    match level {
        Level::CollectionArea | Level::Street | Level::Building => Ok(()),
        Level::Country | Level::Province | Level::City | Level::Area | Level::Subarea | Level::Department => {
            actor.sees_all()
        }
    }
}

/// An entry that the caller sees: its branch's or everybody's.
async fn seen(tx: &store::db::Tx, actor: &Actor, level: Level, id: i64) -> Result<Entry, Error> {
    let entry = place::find(tx, actor.isp, level, id).await?.ok_or(none(level))?;
    match entry.branch {
        Some(_) => actor.reaches(entry.branch).map(|()| entry),
        None => Ok(entry),
    }
}

/// A page of a level by name, those in `parent` or all, and how many there are.
pub async fn list(
    app: &App,
    actor: &Actor,
    level: Level,
    parent: Option<i64>,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Entry>, i64), Error> {
    let (isp, filter) = (actor.isp, Filter { parent, branch: actor.branch });
    Ok(app.db.read(async move |tx| place::list(tx, isp, level, &filter, offset, limit).await).await?)
}

/// A level's places without who uses them, those in `parent` or all, in the order of their ids.
pub async fn all(app: &App, actor: &Actor, level: Level, parent: Option<i64>) -> Result<Vec<Place>, Error> {
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| place::all(tx, isp, level, parent).await).await?)
}

pub async fn show(app: &App, actor: &Actor, level: Level, id: i64) -> Result<Entry, Error> {
    let actor = actor.clone();
    app.db.read(async move |tx| seen(tx, &actor, level, id).await).await
}

/// What an entry is to lie in: a place of the level above that the caller may change.
async fn lies_in(change: &Change<'_>, who: &Actor, level: Level, parent: Option<i64>) -> Result<Option<i64>, Error> {
    match (level.above(), parent) {
        (None, Some(_)) => Err(Error::invalid("parent", Why::Not(Expected::NotGivenForTop))),
        (None, None) => Ok(None),
        (Some(_), None) if level.is_home() => Ok(None),
        (Some(_), None) => Err(Error::invalid("parent", Why::Required)),
        (Some(above), Some(parent)) => match seen(change.tx, who, above, parent).await {
            Err(Error::NotFound { .. } | Error::Forbidden) => Err(Error::invalid("parent", Why::Unknown)),
            Err(other) => Err(other),
            Ok(place) => may_be_used(who, level, &place).map(|()| Some(parent)),
        },
    }
}

/// One branch's people change what is theirs alone.
fn may_be_used(who: &Actor, level: Level, place: &Entry) -> Result<(), Error> {
    if level.is_home() { Ok(()) } else { who.reaches(place.branch) }
}

#[derive(Clone, Copy)]
enum Did {
    Create,
    Update,
    Delete,
}

fn tell(change: &Change<'_>, level: Level, entry: &Entry, did: Did) {
    let (id, name, parent) = (entry.id, entry.name.clone(), entry.parent);
    let word = level.word().replace('_', " ");
    change.tell(match (level == Level::Department, did) {
        (true, Did::Create) => Fact::DepartmentCreated { department: id, level: word, name, parent },
        (true, Did::Update) => Fact::DepartmentUpdated { department: id, level: word, name, parent },
        (true, Did::Delete) => Fact::DepartmentDeleted { department: id, level: word, name, parent },
        (false, Did::Create) => Fact::PlaceCreated { place: id, level: word, name, parent },
        (false, Did::Update) => Fact::PlaceUpdated { place: id, level: word, name, parent },
        (false, Did::Delete) => Fact::PlaceDeleted { place: id, level: word, name, parent },
    });
}

/// A new entry; of a collector's area, the branch is the caller's.
pub async fn create(app: &App, actor: &Actor, level: Level, parent: Option<i64>, name: String) -> Result<Entry, Error> {
    may_change(actor, level)?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let parent_id = lies_in(change, &who, level, parent).await?;
        let (isp_id, id) = (change.isp, change.id(table(level)).await?);
        let (name, created_at) = (name.trim().to_string(), change.now);
        match level {
            Level::Department => {
                Department { isp_id, id, name, created_at, updated_at: None }.insert(change.tx).await?;
            }
            Level::Country
            | Level::Province
            | Level::City
            | Level::Area
            | Level::Subarea
            | Level::CollectionArea
            | Level::Street
            | Level::Building => {
                let branch_id = who.branch.filter(|_| level == Level::CollectionArea);
                let level = level.word().into();
                let place = Place { isp_id, level, id, parent_id, branch_id, name, created_at, updated_at: None };
                place.insert(change.tx).await?;
            }
        }
        let made = place::find(change.tx, change.isp, level, id).await?.ok_or(none(level))?;
        tell(change, level, &made, Did::Create);
        Ok(made)
    })
    .await
}

/// `None` leaves a field as it is.
#[derive(Clone, Default, Debug)]
pub struct EntryChange {
    pub name: Option<String>,
    pub parent: Option<Option<i64>>,
    pub unchanged_since: Option<Instant>,
}

pub async fn update(app: &App, actor: &Actor, level: Level, id: i64, command: EntryChange) -> Result<Entry, Error> {
    may_change(actor, level)?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let before = seen(change.tx, &who, level, id).await?;
        may_be_used(&who, level, &before)?;
        unchanged(command.unchanged_since, changed(&before))?;
        let mut row = before.clone();
        if let Some(name) = &command.name {
            row.name = name.trim().into();
        }
        if let Some(parent) = command.parent {
            row.parent = lies_in(change, &who, level, parent).await?;
        }
        if row == before {
            return Ok(row);
        }
        row.updated_at = Some(change.now.max(changed(&before).plus(1)));
        place::update(change.tx, change.isp, level, &row).await?;
        tell(change, level, &row, Did::Update);
        Ok(row)
    })
    .await
}

/// Not while a customer or another place is in it.
pub async fn delete(app: &App, actor: &Actor, level: Level, id: i64, since: Option<Instant>) -> Result<(), Error> {
    may_change(actor, level)?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let entry = seen(change.tx, &who, level, id).await?;
        may_be_used(&who, level, &entry)?;
        unchanged(since, changed(&entry))?;
        match (entry.places, entry.customers) {
            (0, 0) => {}
            (0, _) => return Err(Error::InUse { what: What::Place(level), by: By::Customers }),
            (_, _) => return Err(Error::InUse { what: What::Place(level), by: By::Places }),
        }
        place::delete(change.tx, change.isp, level, id).await?;
        tell(change, level, &entry, Did::Delete);
        Ok(())
    })
    .await
}
