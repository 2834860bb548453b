//! Asking: one page of the roster by any filter and order, and how many rows there are in all.
//!
//! Totals come from the counts. The page comes from an index in the list's order ([`walk`](super::walk)), from the
//! words of a search, or from the rows of a filter or search that leaves few, put in order by [`Tx::slice`].

use domain::{BranchId, CustomerId, Instant, IspId, Kind, RouterId};

use super::{BARRED, LAPSED, OFF, RUNNING, cells, kind_number, number, walk::Counts};
use crate::{
    db::{Engine, Error, Slice, Tx, Value},
    people::{customer::Customer, search::Search, service::Service},
};

/// The state a list asks for, as the core computes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Active, within validity and quota.
    Active,
    /// Active, but validity or quota is over.
    Expired,
    /// Suspended or disabled.
    Barred,
    /// Inactive, pending, awaiting approval, rejected, terminated.
    Off,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    Username,
    FullName,
    Created,
    Expiry,
}

/// A list's conditions; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    pub kind: Option<Kind>,
    pub standing: Option<Standing>,
    pub router: Option<RouterId>,
    pub building: Option<i64>,
    pub branch: Option<BranchId>,
    /// The beginning of a word in a name, phone number, username or e-mail address, and what follows it there.
    pub search: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Page {
    pub order: Order,
    pub descending: bool,
    pub offset: i64,
    pub limit: i64,
}

/// Up to so many matches of a search are always fetched; beyond, the list may be walked in its order. Not asked where
/// the words know the order themselves.
const NARROW: i64 = 10_000;
/// A search says how many it found up to here.
const COUNTED: i64 = 100_000;
/// A search that walks looks so far beyond its page; where nothing tells how many match, that many do at least.
const AHEAD: i64 = 1_000;

/// One page of live customers with their primary service, and how many there are in all.
pub async fn list(
    tx: &Tx,
    isp: IspId,
    filter: &Filter,
    page: Page,
    now: Instant,
) -> Result<(Vec<(Customer, Option<Service>)>, i64), Error> {
    let asked = Asked { tx, isp, filter, page, now };
    let (ids, total) = match (filter.search.as_deref().and_then(Search::new), filter.building) {
        (Some(search), _) => asked.searched(&search).await?,
        (None, Some(building)) => asked.of_building(building).await?,
        (None, None) => asked.counted().await?,
    };
    Ok((crate::people::customer::with_services(tx, isp, &ids).await?, total))
}

pub(super) struct Asked<'a> {
    pub(super) tx: &'a Tx,
    pub(super) isp: IspId,
    pub(super) filter: &'a Filter,
    pub(super) page: Page,
    pub(super) now: Instant,
}

impl Asked<'_> {
    /// Without a search and a building: totals from the counts, the page from the index that makes it cheapest.
    async fn counted(&self) -> Result<(Vec<CustomerId>, i64), Error> {
        let counts = self.counts().await?;
        let overdue = self.overdue().await?;
        let total = match self.filter.standing {
            Some(Standing::Active) => counts.result - overdue,
            Some(Standing::Expired) => counts.result + overdue,
            Some(Standing::Barred | Standing::Off) | None => counts.result,
        };
        if total <= self.page.offset {
            return Ok((Vec::new(), total));
        }
        Ok((self.walk(&counts, overdue, Some(total), None).await?, total))
    }

    /// A building's people are few.
    async fn of_building(&self, building: i64) -> Result<(Vec<CustomerId>, i64), Error> {
        let mut params = vec![Value::from(self.isp)];
        let building = push(&mut params, building);
        let condition = format!("t.isp_id = $1 and t.building_id <> 0 and t.building_id = ${building}");
        let from = format!("{} where {condition}{}", self.through("roster_building"), self.exactly(&mut params));
        self.slice(&format!("select t.customer_id, t.{} from {from}", self.column()), params).await
    }

    async fn searched(&self, search: &Search) -> Result<(Vec<CustomerId>, i64), Error> {
        let found = search.count(self.tx, self.isp, COUNTED).await?;
        let of_row = self.filter.standing.is_some() || self.filter.building.is_some();
        let by_words = found < COUNTED && !of_row;
        if by_words && self.page.order != Order::Expiry {
            let (condition, params) = self.words(search);
            let text = format!("select w.customer_id, w.{} from search_word w where {condition}", self.column());
            return self.slice(&text, params).await;
        }
        let total = if by_words { Some(self.found_by_words(search).await?) } else { None };
        let counts = self.counts().await?;
        // Fetching all that match, or walking the list until the page is full of them: as a rule that is found out by
        // their number, but people of one name stand together where names are the order.
        let together = matches!(self.page.order, Order::Username | Order::FullName);
        let walked = self.span(total).saturating_mul(counts.all) / found.max(1);
        let narrow = found <= NARROW || (found < COUNTED && (together || found <= walked));
        if !narrow && self.filter.building.is_none() {
            let overdue = self.overdue().await?;
            if let Some(total) = total {
                return Ok((self.walk(&counts, overdue, Some(total), Some(search)).await?, total));
            }
            let page = Page { limit: self.page.limit + AHEAD, ..self.page };
            let mut ids = Asked { page, ..*self }.walk(&counts, overdue, None, Some(search)).await?;
            let seen = self.page.offset + ids.len() as i64;
            ids.truncate(self.page.limit as usize);
            let alone = Filter { search: self.filter.search.clone(), ..Filter::default() } == *self.filter;
            return Ok((ids, if alone { found.max(seen) } else { seen }));
        }
        let mut params = vec![Value::from(self.isp)];
        // `cross join` is an order of work to SQLite, and nothing special to PostgreSQL.
        let mut from = String::from(
            "search_word w cross join roster t where w.isp_id = $1 and t.isp_id = $1 and t.customer_id = w.customer_id and ",
        );
        from += &search.among_words(&mut params);
        if let Some(building) = self.filter.building {
            from += &format!(" and +t.building_id = ${}", push(&mut params, building));
        }
        from += &self.exactly(&mut params);
        self.slice(&format!("select t.customer_id, t.{} from {from}", self.column()), params).await
    }

    /// How many match, from the words alone.
    async fn found_by_words(&self, search: &Search) -> Result<i64, Error> {
        let (condition, params) = self.words(search);
        number(self.tx.row(format!("select count(*) from search_word w where {condition}"), &params).await?)
    }

    fn words(&self, search: &Search) -> (String, Vec<Value>) {
        let mut params = vec![Value::from(self.isp)];
        let found = search.among_words(&mut params);
        let rest = self.static_filters("w", &mut params, None);
        (format!("w.isp_id = $1 and {found}{rest}"), params)
    }

    /// The page of what a query of ids and places finds, and how many it finds.
    pub(super) async fn slice(&self, text: &str, params: Vec<Value>) -> Result<(Vec<CustomerId>, i64), Error> {
        let Page { descending, offset, limit, .. } = self.page;
        let (ids, total) = self.tx.slice(text, params, Slice { descending, offset, limit }).await?;
        Ok((ids.into_iter().map(CustomerId).collect(), total))
    }

    /// From the counts: each row is a cell, its shards added up.
    async fn counts(&self) -> Result<Counts, Error> {
        let cells = cells(self.tx, self.isp).await?;
        let wanted = self.standing();
        let mut counts = Counts::default();
        for ([router, kind, standing, branch], customers) in cells {
            let of_kind = self.filter.kind.is_none_or(|wanted| kind_number(wanted) == kind);
            let of_router = self.filter.router.is_none_or(|wanted| wanted.0 == router);
            let of_standing = wanted.is_none_or(|wanted| wanted == standing);
            let of_branch = self.filter.branch.is_none_or(|wanted| wanted.0 == branch);
            let add = |sum: &mut i64, holds: bool| *sum += if holds { customers } else { 0 };
            add(&mut counts.all, true);
            add(&mut counts.kind, of_kind);
            add(&mut counts.router, of_router);
            add(&mut counts.standing, of_standing);
            add(&mut counts.result, of_kind && of_router && of_standing && of_branch);
        }
        Ok(counts)
    }

    /// What the row says of the standing asked for, apart from lines that are overdue.
    pub(super) fn standing(&self) -> Option<i64> {
        self.filter.standing.map(|standing| match standing {
            Standing::Active => RUNNING,
            Standing::Expired => LAPSED,
            Standing::Barred => BARRED,
            Standing::Off => OFF,
        })
    }

    /// Rows that say they run although their time has passed, within the other filters; only where it matters.
    async fn overdue(&self) -> Result<i64, Error> {
        if !matches!(self.filter.standing, Some(Standing::Active | Standing::Expired)) {
            return Ok(0);
        }
        let mut params = vec![Value::from(self.isp)];
        let condition = self.overdue_rows("t", &mut params);
        let from = self.through("roster_due");
        number(self.tx.row(format!("select count(*) from {from} where {condition}"), &params).await?)
    }

    /// All filters but building and search, the standing by the time.
    fn exactly(&self, params: &mut Vec<Value>) -> String {
        let mut text = self.static_filters("t", params, None);
        match self.filter.standing {
            None => {}
            Some(Standing::Active) => {
                text += &format!(" and +t.standing = {RUNNING} and +t.expires_at > ${}", push(params, self.now));
            }
            Some(Standing::Expired) => {
                let now = push(params, self.now);
                text +=
                    &format!(" and (+t.standing = {LAPSED} or (+t.standing = {RUNNING} and +t.expires_at <= ${now}))");
            }
            Some(Standing::Barred) => text += &format!(" and +t.standing = {BARRED}"),
            Some(Standing::Off) => text += &format!(" and +t.standing = {OFF}"),
        }
        text
    }

    /// SQLite keeps no statistics here and would take one tenant's rows for ten: it is told. PostgreSQL knows.
    pub(super) fn through(&self, index: &str) -> String {
        match self.tx.engine() {
            Engine::Sqlite => format!("roster t indexed by {index}"),
            Engine::Postgres => "roster t".into(),
        }
    }

    /// What the list is ordered by.
    pub(super) fn column(&self) -> &'static str {
        match self.page.order {
            Order::Username => "login",
            Order::FullName => "name",
            Order::Created => "created_at",
            Order::Expiry => "expires_at",
        }
    }
}

/// Adds a parameter; its number.
pub(super) fn push(params: &mut Vec<Value>, value: impl Into<Value>) -> usize {
    params.push(value.into());
    params.len()
}
