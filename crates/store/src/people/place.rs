//! What customers are sorted by: places of two trees, and departments, which lie in nothing. From country to subarea is
//! where customers live; collection area, street and building are where collectors go. A place is a level, an id within it,
//! and the place of the level above that it lies in.

use domain::{BranchId, Instant, IspId};

use crate::{
    db::{Error, Row, Tx, Value},
    kernel::{
        conditions::among,
        record::{record, records, text},
    },
    params, sql,
};

/// The kinds of places, from the largest to the smallest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Level {
    Country,
    Province,
    City,
    Area,
    Subarea,
    /// Where a collector goes.
    CollectionArea,
    Street,
    Building,
    Department,
}

/// Where customers live, in the order of a profile's fields.
pub const HOMES: [Level; 5] = [Level::Country, Level::Province, Level::City, Level::Area, Level::Subarea];

/// Level, word, the level above, the level below.
type Shape = (Level, &'static str, Option<Level>, Option<Level>);

const SHAPES: &[Shape] = {
    use Level::*;
    &[
        (Country, "country", None, Some(Province)),
        (Province, "province", Some(Country), Some(City)),
        (City, "city", Some(Province), Some(Area)),
        (Area, "area", Some(City), Some(Subarea)),
        (Subarea, "subarea", Some(Area), None),
        (CollectionArea, "collection_area", None, Some(Street)),
        (Street, "street", Some(CollectionArea), Some(Building)),
        (Building, "building", Some(Street), None),
        (Department, "department", None, None),
    ]
};

impl Level {
    fn shape(self) -> &'static Shape {
        SHAPES.iter().find(|(level, ..)| *level == self).expect("every level has a shape")
    }

    pub fn word(self) -> &'static str {
        self.shape().1
    }

    /// Places, not departments.
    pub fn from_word(word: &str) -> Option<Level> {
        let found = SHAPES.iter().find(|(_, known, ..)| *known == word);
        found.map(|(level, ..)| *level).filter(|level| *level != Level::Department)
    }

    pub fn above(self) -> Option<Level> {
        self.shape().2
    }

    fn below(self) -> Option<Level> {
        self.shape().3
    }

    /// Of the tree that is the whole Isp's; the other one may be a branch's.
    pub fn is_home(self) -> bool {
        HOMES.contains(&self)
    }

    /// The table, and what narrows it down to the level.
    fn table(self, alias: &str) -> (&'static str, String) {
        match self {
            Level::Department => ("department", String::new()),
            Level::Country
            | Level::Province
            | Level::City
            | Level::Area
            | Level::Subarea
            | Level::CollectionArea
            | Level::Street
            | Level::Building => ("place", format!(" and {alias}.level = '{}'", self.word())),
        }
    }

    /// Counts a place's places, of the row `t`.
    fn places(self) -> String {
        let Some(below) = self.below() else { return "0".into() };
        let word = below.word();
        format!(
            "(select count(*) from place c where c.isp_id = t.isp_id and c.level = '{word}' and c.parent_id = t.id)"
        )
    }

    /// Counts the live customers of the row `t`.
    fn customers(self) -> String {
        // The condition on `building_id` lets the index be used that holds those in buildings alone; `cross join` is an
        // order of work to SQLite, from the place to its people.
        let from = match self {
            Level::Building => {
                "roster k where k.isp_id = t.isp_id and k.building_id <> 0 and k.building_id = t.id".into()
            }
            Level::Street => "place b cross join roster k where b.isp_id = t.isp_id and b.level = 'building' \
                 and b.parent_id = t.id and k.isp_id = b.isp_id and k.building_id <> 0 and k.building_id = b.id"
                .into(),
            Level::CollectionArea => "place s cross join place b cross join roster k where s.isp_id = t.isp_id \
                 and s.level = 'street' and s.parent_id = t.id and b.isp_id = s.isp_id and b.level = 'building' \
                 and b.parent_id = s.id and k.isp_id = b.isp_id and k.building_id <> 0 and k.building_id = b.id"
                .into(),
            Level::Country | Level::Province | Level::City | Level::Area | Level::Subarea | Level::Department => {
                format!(
                    "customer_profile p join customer k on k.isp_id = p.isp_id and k.id = p.customer_id \
                     and k.deleted_at is null where p.isp_id = t.isp_id and p.{}_id = t.id",
                    self.word()
                )
            }
        };
        format!("(select count(*) from {from})")
    }

    /// Whose branch's the row `t` is; null is everybody's.
    fn branch(self) -> &'static str {
        match self {
            Level::CollectionArea => "t.branch_id",
            Level::Street => {
                "(select a.branch_id from place a where a.isp_id = t.isp_id and a.level = 'collection_area' \
                 and a.id = t.parent_id)"
            }
            Level::Building => {
                "(select a.branch_id from place s join place a on a.isp_id = s.isp_id and a.level = 'collection_area' \
                 and a.id = s.parent_id where s.isp_id = t.isp_id and s.level = 'street' and s.id = t.parent_id)"
            }
            Level::Country | Level::Province | Level::City | Level::Area | Level::Subarea | Level::Department => "null",
        }
    }

    fn select(self) -> String {
        let parent = self.above().map_or("null", |_| "t.parent_id");
        let (table, own) = self.table("t");
        format!(
            "select t.id, {parent}, t.name, {}, {}, {}, t.created_at, t.updated_at from {table} t where t.isp_id = $1{own}",
            self.branch(),
            self.places(),
            self.customers(),
        )
    }
}

record! {
    /// A place by itself.
    Place of "place" {
        isp_id: IspId,
        /// A [`Level`]'s word.
        level: String,
        id: i64,
        parent_id: Option<i64>,
        /// Of a collection area.
        branch_id: Option<BranchId>,
        name: String,
        created_at: Instant,
        /// `None`: not since it was made.
        updated_at: Option<Instant>,
    }
}

record! {
    Department of "department" {
        isp_id: IspId,
        id: i64,
        name: String,
        created_at: Instant,
        updated_at: Option<Instant>,
    }
}

/// A place or department with who uses it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Within the level.
    pub id: i64,
    /// Of the level above.
    pub parent: Option<i64>,
    pub name: String,
    /// Whose it is; `None` is everybody's.
    pub branch: Option<BranchId>,
    /// How many lie in it.
    pub places: i64,
    /// Live customers in it.
    pub customers: i64,
    pub created_at: Instant,
    pub updated_at: Option<Instant>,
}

impl Entry {
    fn from_row(row: &Row) -> Result<Entry, Error> {
        Ok(Entry {
            id: row.get(0)?,
            parent: row.get(1)?,
            name: row.get(2)?,
            branch: row.get(3)?,
            places: row.get(4)?,
            customers: row.get(5)?,
            created_at: row.get(6)?,
            updated_at: row.get(7)?,
        })
    }
}

/// Which entries of a level.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    pub parent: Option<i64>,
    /// This branch's and everybody's.
    pub branch: Option<BranchId>,
}

/// A page of a level by name, and how many entries match.
pub async fn list(
    tx: &Tx,
    isp: IspId,
    level: Level,
    filter: &Filter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Entry>, i64), Error> {
    let mut params = vec![Value::from(isp)];
    let mut condition = String::new();
    if let (Some(parent), Some(_)) = (filter.parent, level.above()) {
        params.push(parent.into());
        condition += &format!(" and t.parent_id = ${}", params.len());
    }
    if let Some(branch) = filter.branch.filter(|_| level.branch() != "null") {
        params.push(branch.into());
        let own = level.branch();
        condition += &format!(" and ({own} is null or {own} = ${})", params.len());
    }
    let (table, own) = level.table("t");
    let counted = format!("select count(*) from {table} t where t.isp_id = $1{own}{condition}");
    let total = tx.row(counted, &params).await?.map_or(Ok(0), |row| row.get(0))?;
    params.extend([Value::from(limit), Value::from(offset)]);
    let page = format!(
        "{}{condition} order by t.name, t.id limit ${} offset ${}",
        level.select(),
        params.len() - 1,
        params.len()
    );
    Ok((records(tx.rows(page, &params).await?, Entry::from_row)?, total))
}

pub async fn find(tx: &Tx, isp: IspId, level: Level, id: i64) -> Result<Option<Entry>, Error> {
    let row = tx.row(format!("{} and t.id = $2", level.select()), &params![isp, id]).await?;
    row.map(|row| Entry::from_row(&row)).transpose()
}

/// Whether there is such a one.
pub async fn is_there(tx: &Tx, isp: IspId, level: Level, id: i64) -> Result<bool, Error> {
    let (table, own) = level.table("t");
    let text = format!("select t.id from {table} t where t.isp_id = $1 and t.id = $2{own}");
    Ok(tx.row(text, &params![isp, id]).await?.is_some())
}

/// Writes name, parent and time of change.
pub async fn update(tx: &Tx, isp: IspId, level: Level, row: &Entry) -> Result<(), Error> {
    let mut params = params![isp, row.id, &row.name, row.updated_at].to_vec();
    let mut parent = "";
    if level.above().is_some() {
        params.push(row.parent.into());
        parent = ", parent_id = $5";
    }
    let (table, own) = level.table("t");
    let text =
        format!("update {table} as t set name = $3, updated_at = $4{parent} where t.isp_id = $1 and t.id = $2{own}");
    tx.run(text, &params).await.map(drop)
}

pub async fn delete(tx: &Tx, isp: IspId, level: Level, id: i64) -> Result<(), Error> {
    let (table, own) = level.table("t");
    let text = format!("delete from {table} as t where t.isp_id = $1 and t.id = $2{own}");
    tx.run(text, &params![isp, id]).await.map(drop)
}

/// A level's places without who uses them, those in `parent` or all, in the order of their ids.
pub async fn all(tx: &Tx, isp: IspId, level: Level, parent: Option<i64>) -> Result<Vec<Place>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Place::SELECT,
                "where t.isp_id = $1 and t.level = $2 and ($3 = 0 or t.parent_id = $3) order by t.id"
            )),
            &params![isp, level.word(), parent.unwrap_or(0)],
        )
        .await?;
    records(rows, Place::from_row)
}

/// What these places are called, whatever their levels, in one query.
pub async fn names(tx: &Tx, isp: IspId, wanted: &[(Level, i64)]) -> Result<Vec<(Level, i64, String)>, Error> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut ids: Vec<i64> = wanted.iter().map(|(_, id)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    let (list, params) = among(isp, ids.into_iter());
    // Levels as well as ids, which are the index's columns; what one has of another's ids is left out.
    let mut levels: Vec<&str> = wanted.iter().map(|(level, _)| level.word()).collect();
    levels.sort_unstable();
    levels.dedup();
    let text = format!(
        "select t.level, t.id, t.name from place t where t.isp_id = $1 and t.level in ('{}') and t.id in ({list})",
        levels.join("', '")
    );
    let mut found = Vec::new();
    for row in tx.rows(text, &params).await? {
        let (word, id): (String, i64) = (row.get(0)?, row.get(1)?);
        if let Some((level, _)) = wanted.iter().find(|(level, known)| *known == id && level.word() == word) {
            found.push((*level, id, row.get(2)?));
        }
    }
    Ok(found)
}

/// Where a building stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    pub building: i64,
    pub building_name: String,
    pub street: i64,
    pub street_name: String,
    pub area: i64,
    pub area_name: String,
}

/// Where these buildings stand; those nobody has described are left out.
pub async fn addresses(tx: &Tx, isp: IspId, buildings: &[i64]) -> Result<Vec<Address>, Error> {
    if buildings.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = among(isp, buildings.iter().copied());
    let text = format!(
        // `cross join` keeps SQLite from walking all streets first.
        "select b.id, b.name, s.id, s.name, a.id, a.name from place b cross join place s cross join place a \
         where b.isp_id = $1 and b.level = 'building' and b.id in ({list}) \
         and s.isp_id = b.isp_id and s.level = 'street' and s.id = b.parent_id \
         and a.isp_id = s.isp_id and a.level = 'collection_area' and a.id = s.parent_id"
    );
    let rows = tx.rows(text, &params).await?;
    rows.iter()
        .map(|row| {
            Ok(Address {
                building: row.get(0)?,
                building_name: row.get(1)?,
                street: row.get(2)?,
                street_name: row.get(3)?,
                area: row.get(4)?,
                area_name: row.get(5)?,
            })
        })
        .collect()
}
