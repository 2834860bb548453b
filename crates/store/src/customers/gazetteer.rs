//! What customers are sorted by, as it is managed: places of every level and departments, each with who uses it. The
//! tables are those of `location` and `place`.

use domain::{BranchId, Instant, IspId};

use crate::{
    db::{Error, Row, Tx, Value},
    kernel::record::records,
    params,
};

/// The kinds of places, from the largest to the smallest: two trees, and departments, which lie in nothing.
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

/// Level, word, table, column of what it lies in, the level above, the level below.
type Shape = (Level, &'static str, &'static str, Option<&'static str>, Option<Level>, Option<Level>);

const SHAPES: &[Shape] = {
    use Level::*;
    const IN: Option<&str> = Some("parent_id");
    &[
        (Country, "country", "location", None, None, Some(Province)),
        (Province, "province", "location", IN, Some(Country), Some(City)),
        (City, "city", "location", IN, Some(Province), Some(Area)),
        (Area, "area", "location", IN, Some(City), Some(Subarea)),
        (Subarea, "subarea", "location", IN, Some(Area), None),
        (CollectionArea, "collection_area", "collection_area", None, None, Some(Street)),
        (Street, "street", "collection_street", Some("area_id"), Some(CollectionArea), Some(Building)),
        (Building, "building", "building", Some("street_id"), Some(Street), None),
        (Department, "department", "department", None, None, None),
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
        self.shape().4
    }

    /// Of the tree that is the whole Isp's; the other one may be a branch's.
    pub fn is_location(self) -> bool {
        self.table() == "location"
    }

    fn table(self) -> &'static str {
        self.shape().2
    }

    /// What narrows the table down to the level.
    fn own(self, alias: &str) -> String {
        if self.is_location() { format!(" and {alias}.level = '{}'", self.word()) } else { String::new() }
    }

    /// Counts a place's places, of the row `t`.
    fn places(self) -> String {
        let Some(below) = self.shape().5 else { return "0".into() };
        let (table, column) = (below.table(), below.shape().3.unwrap_or_default());
        format!("(select count(*) from {table} c where c.isp_id = t.isp_id and c.{column} = t.id{})", below.own("c"))
    }

    /// Counts the live customers of the row `t`.
    fn customers(self) -> String {
        // The condition on `building_id` lets the index be used that holds those in buildings alone.
        let lives = "k.isp_id = b.isp_id and k.building_id <> 0 and k.building_id = b.id";
        let from = match self {
            Level::Building => {
                let lives = lives.replace("b.", "t.");
                return format!("(select count(*) from roster k where {lives})");
            }
            Level::Street => {
                format!("building b join roster k on {lives} where b.isp_id = t.isp_id and b.street_id = t.id")
            }
            Level::CollectionArea => format!(
                "collection_street s join building b on b.isp_id = s.isp_id and b.street_id = s.id \
                 join roster k on {lives} where s.isp_id = t.isp_id and s.area_id = t.id"
            ),
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
                "(select a.branch_id from collection_area a where a.isp_id = t.isp_id and a.id = t.area_id)"
            }
            Level::Building => {
                "(select a.branch_id from collection_street s join collection_area a \
                 on a.isp_id = s.isp_id and a.id = s.area_id where s.isp_id = t.isp_id and s.id = t.street_id)"
            }
            Level::Country | Level::Province | Level::City | Level::Area | Level::Subarea | Level::Department => "null",
        }
    }

    fn select(self) -> String {
        let parent = self.shape().3.map_or("null".into(), |column| format!("t.{column}"));
        format!(
            "select t.id, {parent}, t.name, {}, {}, {}, t.created_at, t.updated_at from {} t where t.isp_id = $1{}",
            self.branch(),
            self.places(),
            self.customers(),
            self.table(),
            self.own("t")
        )
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
    /// `None`: everybody's.
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
    if let (Some(parent), Some(column)) = (filter.parent, level.shape().3) {
        params.push(parent.into());
        condition += &format!(" and t.{column} = ${}", params.len());
    }
    if let Some(branch) = filter.branch.filter(|_| level.branch() != "null") {
        params.push(branch.into());
        let own = level.branch();
        condition += &format!(" and ({own} is null or {own} = ${})", params.len());
    }
    let counted = format!("select count(*) from {} t where t.isp_id = $1{}{condition}", level.table(), level.own("t"));
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

/// Writes name, parent and time of change.
pub async fn update(tx: &Tx, isp: IspId, level: Level, row: &Entry) -> Result<(), Error> {
    let mut params = params![isp, row.id, &row.name, row.updated_at].to_vec();
    let mut parent = String::new();
    if let Some(column) = level.shape().3 {
        params.push(row.parent.into());
        parent = format!(", {column} = $5");
    }
    let text = format!(
        "update {} as t set name = $3, updated_at = $4{parent} where t.isp_id = $1 and t.id = $2{}",
        level.table(),
        level.own("t")
    );
    tx.run(text, &params).await.map(drop)
}

pub async fn delete(tx: &Tx, isp: IspId, level: Level, id: i64) -> Result<(), Error> {
    let text = format!("delete from {} as t where t.isp_id = $1 and t.id = $2{}", level.table(), level.own("t"));
    tx.run(text, &params![isp, id]).await.map(drop)
}
