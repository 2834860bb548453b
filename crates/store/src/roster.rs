//! The roster: live customers as lists see them, with counts, so that a list costs the same with a million customers
//! as with a thousand.
//!
//! A row holds a customer's facts and those of its primary line; `roster_count` says how many rows there are of each
//! sort; `search_word` holds what they are found by. [`customer::insert`](crate::customer::insert), `customer::update`,
//! `service::update` and the few statements that change lines in bulk keep all three, each by comparing the row that
//! was with the row that is: a use case cannot forget it. Nothing else writes these tables.
//!
//! Whether a line runs depends on the time. The row says what was last acted on; lines whose time has passed since
//! then are few (the expiry job is a moment behind), and every answer here takes them into account, so that it is exact.

use std::collections::BTreeMap;

use domain::{BranchId, CustomerId, Instant, IspId, Kind, RouterId, ServiceId, Status};

use crate::{
    customer::{Customer, among},
    db::{Class, Db, Engine, Error, Row, Tx, Value},
    params,
    record::{record, records, text},
    search::{self, Search},
    service::{self, Service},
    sql,
};

record! {
    /// Lower-cased names; 0 where there is none.
    Entry of "roster" {
        isp_id: IspId,
        customer_id: CustomerId,
        branch_id: i64,
        building_id: i64,
        router_id: i64,
        kind: i64,
        standing: i64,
        login: String,
        name: String,
        created_at: i64,
        expires_at: i64,
        words: String,
    }
}

// ---- what a row says ----

/// Active, within validity and quota when last looked at.
pub(crate) const RUNNING: i64 = 1;
/// Active, and the end of its validity or quota has been acted on.
pub(crate) const LAPSED: i64 = 2;
pub(crate) const BARRED: i64 = 3;
pub(crate) const OFF: i64 = 4;

fn kind_number(kind: Kind) -> i64 {
    match kind {
        Kind::Hotspot => 1,
        Kind::Pppoe => 2,
        Kind::Static => 3,
        Kind::Other => 4,
    }
}

fn standing_number(line: &Service) -> i64 {
    match line.status {
        Status::Suspended | Status::Disabled => BARRED,
        Status::Inactive | Status::Pending | Status::AwaitingApproval | Status::Rejected | Status::Terminated => OFF,
        Status::Active => {
            let used_up = line.quota_bytes.is_some_and(|quota| line.used_bytes >= quota)
                || line.quota_time_s.is_some_and(|quota| line.used_time_s >= quota);
            let acted_on = line.expires_at.is_none_or(|end| line.expired_event_at.is_some_and(|at| end <= at));
            if used_up || acted_on { LAPSED } else { RUNNING }
        }
    }
}

impl Entry {
    fn of(customer: &Customer, line: Option<&Service>) -> Entry {
        let mut entry = Entry {
            isp_id: customer.isp_id,
            customer_id: customer.id,
            branch_id: customer.branch_id.map_or(0, |id| id.0),
            building_id: customer.building_id.unwrap_or(0),
            router_id: 0,
            kind: 0,
            standing: OFF,
            login: customer.username.to_lowercase(),
            name: customer.full_name.to_lowercase(),
            created_at: customer.created_at.0,
            expires_at: 0,
            words: search::words(customer),
        };
        entry.follow(line);
        entry
    }

    /// Takes over the line's facts.
    fn follow(&mut self, line: Option<&Service>) {
        let line = line.filter(|line| line.deleted_at.is_none());
        self.router_id = line.map_or(0, |line| line.router_id.0);
        self.kind = line.map_or(0, |line| kind_number(line.kind));
        self.standing = line.map_or(OFF, standing_number);
        self.expires_at = line.and_then(|line| line.expires_at).map_or(0, |at| at.0);
    }

    /// Which count it belongs to: all of `roster_count`'s key behind the Isp.
    fn cell(&self) -> [i64; 5] {
        [self.router_id, self.kind, self.standing, self.branch_id, self.customer_id.0 % SHARDS]
    }
}

const SHARDS: i64 = 4;

async fn find(tx: &Tx, isp: IspId, id: CustomerId) -> Result<Option<Entry>, Error> {
    let row =
        tx.row(sql!(text!(Entry::SELECT, "where t.isp_id = $1 and t.customer_id = $2")), &params![isp, id]).await?;
    row.map(|row| Entry::from_row(&row)).transpose()
}

// ---- keeping it ----

/// New customers of one Isp, each with its primary line.
pub(crate) async fn add(tx: &Tx, isp: IspId, people: &[(Customer, Option<Service>)]) -> Result<(), Error> {
    insert(tx, isp, people.iter().map(|(customer, line)| Entry::of(customer, line.as_ref())).collect()).await
}

async fn insert(tx: &Tx, isp: IspId, entries: Vec<Entry>) -> Result<(), Error> {
    let mut counts = BTreeMap::new();
    for entry in &entries {
        *counts.entry(entry.cell()).or_insert(0) += 1;
    }
    tx.insert_many(Entry::INSERT, "", entries.iter().map(Entry::values).collect()).await?;
    search::add(tx, isp, entries.iter()).await?;
    count(tx, isp, counts).await
}

/// The customer has changed, or is no more.
pub(crate) async fn customer_changed(tx: &Tx, customer: &Customer) -> Result<(), Error> {
    let before = find(tx, customer.isp_id, customer.id).await?;
    match (before, customer.deleted_at) {
        (Some(before), None) => {
            let own = Entry::of(customer, None);
            let Entry { router_id, kind, standing, expires_at, .. } = before;
            replace(tx, before, Entry { router_id, kind, standing, expires_at, ..own }).await
        }
        (Some(before), Some(_)) => {
            tx.run(
                sql!("delete from roster where isp_id = $1 and customer_id = $2"),
                &params![before.isp_id, before.customer_id],
            )
            .await?;
            search::remove(tx, before.isp_id, before.customer_id, &before.words).await?;
            count(tx, before.isp_id, BTreeMap::from([(before.cell(), -1)])).await
        }
        (None, _) => Ok(()),
    }
}

/// A line has changed; lists show the primary one.
pub(crate) async fn line_changed(tx: &Tx, line: &Service) -> Result<(), Error> {
    if line.ordinal != 1 {
        return Ok(());
    }
    match find(tx, line.isp_id, line.customer_id).await? {
        Some(before) => {
            let mut after = before.clone();
            after.follow(Some(line));
            replace(tx, before, after).await
        }
        None => Ok(()),
    }
}

/// A statement has let the periods of these customers' primary lines end at `at`.
pub(crate) async fn periods_ended(tx: &Tx, isp: IspId, customers: &[CustomerId], at: Instant) -> Result<(), Error> {
    for chunk in customers.chunks(256) {
        let (list, mut params) = among(isp, chunk.iter().map(|id| id.0));
        params.push(at.into());
        let text =
            format!("update roster set expires_at = ${} where isp_id = $1 and customer_id in ({list})", params.len());
        tx.run(text, &params).await?;
    }
    Ok(())
}

/// Usage has reached a line's quota.
pub(crate) async fn quota_reached(tx: &Tx, isp: IspId, id: ServiceId) -> Result<(), Error> {
    match service::find(tx, isp, id).await? {
        Some(line) => line_changed(tx, &line).await,
        None => Ok(()),
    }
}

async fn replace(tx: &Tx, before: Entry, after: Entry) -> Result<(), Error> {
    if before == after {
        return Ok(());
    }
    let (isp, customer) = (after.isp_id, after.customer_id);
    if (before.branch_id, before.building_id, before.created_at, &before.login, &before.name, &before.words)
        == (after.branch_id, after.building_id, after.created_at, &after.login, &after.name, &after.words)
    {
        tx.run(
            sql!(
                "update roster set router_id = $3, kind = $4, standing = $5, expires_at = $6 \
                 where isp_id = $1 and customer_id = $2"
            ),
            &params![isp, customer, after.router_id, after.kind, after.standing, after.expires_at],
        )
        .await?;
    } else {
        tx.run(
            sql!(
                "update roster set branch_id = $3, building_id = $4, router_id = $5, kind = $6, standing = $7, \
                 login = $8, name = $9, created_at = $10, expires_at = $11, words = $12 \
                 where isp_id = $1 and customer_id = $2"
            ),
            &after.values(),
        )
        .await?;
    }
    if !search::same(&before, &after) {
        search::remove(tx, isp, customer, &before.words).await?;
        search::add(tx, isp, [&after].into_iter()).await?;
    }
    if before.cell() != after.cell() {
        count(tx, isp, BTreeMap::from([(before.cell(), -1), (after.cell(), 1)])).await?;
    }
    Ok(())
}

/// In the order of the cells, so that two transactions wait for each other in turn.
async fn count(tx: &Tx, isp: IspId, changes: BTreeMap<[i64; 5], i64>) -> Result<(), Error> {
    for ([router, kind, standing, branch, shard], change) in changes {
        tx.run(
            sql!(
                "insert into roster_count (isp_id, router_id, kind, standing, branch_id, shard, customers) \
                 values ($1, $2, $3, $4, $5, $6, $7) on conflict (isp_id, router_id, kind, standing, branch_id, shard) \
                 do update set customers = roster_count.customers + $7"
            ),
            &params![isp, router, kind, standing, branch, shard, change],
        )
        .await?;
    }
    Ok(())
}

// ---- asking ----

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

/// Up to so many matches of a search are always fetched and sorted; beyond, the list may be walked in its order. Not
/// asked in the usual order, which the words know themselves.
const NARROW: i64 = 10_000;
/// A search says how many it found up to here.
const COUNTED: i64 = 100_000;
/// A search that walks looks so far beyond its page; where nothing tells how many match, that many do at least.
const AHEAD: i64 = 1_000;
/// What fetching a row and sorting it costs beside a step through an index.
const SORT: i64 = 15;

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
    Ok((crate::customer::with_services(tx, isp, &ids).await?, total))
}

struct Asked<'a> {
    tx: &'a Tx,
    isp: IspId,
    filter: &'a Filter,
    page: Page,
    now: Instant,
}

/// What an index begins with behind the Isp.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lead {
    Nothing,
    Kind,
    Router,
    Standing,
}

/// How many rows there are: of what each filter alone lets through, and of what all of them do.
#[derive(Clone, Copy, Default, Debug)]
struct Counts {
    all: i64,
    kind: i64,
    router: i64,
    standing: i64,
    result: i64,
}

impl Asked<'_> {
    /// Without a search and a building: totals from the counts, the page from the index that walks least.
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
        Ok((self.walk(self.lead(&counts), overdue, None).await?, total))
    }

    /// A building's people are few: counted, and sorted where their order is not the usual one.
    async fn of_building(&self, building: i64) -> Result<(Vec<CustomerId>, i64), Error> {
        let mut params = vec![Value::from(self.isp)];
        let mut condition =
            format!("t.isp_id = $1 and t.building_id <> 0 and t.building_id = ${}", push(&mut params, building));
        condition += &self.exactly(&mut params);
        let from = self.through("roster_building");
        let total = number(self.tx.row(format!("select count(*) from {from} where {condition}"), &params).await?)?;
        let ids = self.page_of(&format!("{from} where {condition}"), params, self.page.order == Order::Created).await?;
        Ok((ids, total))
    }

    async fn searched(&self, search: &Search) -> Result<(Vec<CustomerId>, i64), Error> {
        let found = search.count(self.tx, self.isp, COUNTED).await?;
        let of_row = self.filter.standing.is_some() || self.filter.building.is_some();
        let total = match of_row || found == COUNTED {
            true => None,
            false => Some(self.found_by_words(search).await?),
        };
        if let (Some(total), Order::Created) = (total, self.page.order) {
            return Ok((self.page_of_words(search).await?, total));
        }
        let counts = self.counts().await?;
        // Fetching and sorting all that match, or walking the list until the page is full of them: as a rule that is
        // found out by their number, but people of one name stand together where names are the order.
        let together = matches!(self.page.order, Order::Username | Order::FullName);
        let walked = (self.page.offset + self.page.limit).saturating_mul(counts.all) / found.max(1);
        let narrow = found <= NARROW || (found < COUNTED && (together || found <= walked));
        if !narrow && self.filter.building.is_none() {
            let overdue = self.overdue().await?;
            let page = Page { limit: self.page.limit + AHEAD, ..self.page };
            let mut ids = Asked { page, ..*self }.walk(self.lead(&counts), overdue, Some(search)).await?;
            let seen = self.page.offset + ids.len() as i64;
            ids.truncate(self.page.limit as usize);
            let alone = Filter { search: self.filter.search.clone(), ..Filter::default() } == *self.filter;
            return Ok((ids, total.unwrap_or(if alone { found.max(seen) } else { seen })));
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
        let total = match total {
            Some(total) => total,
            None => number(self.tx.row(format!("select count(*) from {from}"), &params).await?)?,
        };
        Ok((self.page_of(&from, params, false).await?, total))
    }

    /// How many match, from the words alone.
    async fn found_by_words(&self, search: &Search) -> Result<i64, Error> {
        let (condition, params) = self.words(search);
        number(self.tx.row(format!("select count(*) from search_word w where {condition}"), &params).await?)
    }

    /// A page in the usual order, from the words alone.
    async fn page_of_words(&self, search: &Search) -> Result<Vec<CustomerId>, Error> {
        let (condition, mut params) = self.words(search);
        let direction = self.direction();
        let (limit, offset) = (push(&mut params, self.page.limit), push(&mut params, self.page.offset));
        let text = format!(
            "select w.customer_id from search_word w where {condition} \
             order by w.created_at {direction}, w.customer_id {direction} limit ${limit} offset ${offset}"
        );
        self.tx.rows(text, &params).await?.iter().map(|row| row.get(0)).collect()
    }

    fn words(&self, search: &Search) -> (String, Vec<Value>) {
        let mut params = vec![Value::from(self.isp)];
        let found = search.among_words(&mut params);
        let rest = self.static_filters("w", &mut params, Lead::Nothing);
        (format!("w.isp_id = $1 and {found}{rest}"), params)
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
    fn standing(&self) -> Option<i64> {
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

    fn overdue_rows(&self, t: &str, params: &mut Vec<Value>) -> String {
        let now = push(params, self.now);
        let rest = self.static_filters(t, params, Lead::Standing);
        format!("{t}.isp_id = $1 and {t}.standing = {RUNNING} and {t}.expires_at <= ${now}{rest}")
    }

    /// The index that makes this page cheapest: in the list's order through what it leads to, or all of it and sorted.
    fn lead(&self, counts: &Counts) -> Lead {
        let rows = [
            (Lead::Nothing, counts.all, true),
            (Lead::Kind, counts.kind, self.filter.kind.is_some()),
            (Lead::Router, counts.router, self.filter.router.is_some()),
            (Lead::Standing, counts.standing, self.filter.standing.is_some()),
        ];
        let wanted = self.page.offset + self.page.limit;
        let cost = |lead: Lead, of: i64| match self.in_order(lead) {
            true => of.min(wanted.saturating_mul(of) / counts.result.max(1)),
            false => of + counts.result * SORT,
        };
        // Of equals the last: it is the one with a condition less to look at.
        let possible = rows.into_iter().filter(|row| row.2).rev();
        possible.min_by_key(|(lead, of, _)| cost(*lead, *of)).map_or(Lead::Nothing, |(lead, ..)| lead)
    }

    fn index(&self, lead: Lead) -> &'static str {
        match (lead, self.page.order) {
            (Lead::Nothing, Order::Created) => "roster_created",
            (Lead::Nothing, Order::Username) => "roster_login",
            (Lead::Nothing, Order::FullName) => "roster_name",
            (Lead::Nothing, Order::Expiry) => "roster_expires",
            (Lead::Kind, _) => "roster_kind",
            (Lead::Router, _) => "roster_router",
            (Lead::Standing, Order::Expiry) => "roster_due",
            (Lead::Standing, Order::Created | Order::Username | Order::FullName) => "roster_standing",
        }
    }

    /// SQLite keeps no statistics here and would take one tenant's rows for ten: it is told. PostgreSQL knows.
    fn through(&self, index: &str) -> String {
        match self.tx.engine() {
            Engine::Sqlite => format!("roster t indexed by {index}"),
            Engine::Postgres => "roster t".into(),
        }
    }

    /// Whether an index that begins so goes on in the list's order.
    fn in_order(&self, lead: Lead) -> bool {
        match (lead, self.page.order) {
            (Lead::Nothing, _) | (_, Order::Created) | (Lead::Standing, Order::Expiry) => true,
            (Lead::Kind | Lead::Router, Order::Username | Order::FullName | Order::Expiry)
            | (Lead::Standing, Order::Username | Order::FullName) => false,
        }
    }

    /// The page's ids from an index in the list's order.
    async fn walk(&self, lead: Lead, overdue: i64, search: Option<&Search>) -> Result<Vec<CustomerId>, Error> {
        let mut params = vec![Value::from(self.isp)];
        let mut condition = String::from("t.isp_id = $1");
        if let (Lead::Standing, Some(standing)) = (lead, self.standing()) {
            condition += &format!(" and t.standing = {standing}");
        } else if let Some(standing) = self.standing() {
            condition += &format!(" and +t.standing = {standing}");
        }
        condition += &self.static_filters("t", &mut params, lead);
        if let Some(search) = search {
            condition += " and ";
            condition += &search.on_row(&mut params);
        }
        match self.filter.standing {
            Some(Standing::Active) if overdue > 0 && self.page.order == Order::Expiry => {
                condition += &format!(" and t.expires_at > ${}", push(&mut params, self.now));
            }
            Some(Standing::Active) if overdue > 0 => {
                let late = self.overdue_rows("o", &mut params);
                condition += &format!(" and t.customer_id not in (select o.customer_id from roster o where {late})");
            }
            Some(Standing::Expired) if overdue > 0 => {
                let mut late = self.overdue_rows("t", &mut params);
                if let Some(search) = search {
                    late += " and ";
                    late += &search.on_row(&mut params);
                }
                return self.merged(lead, &condition, &late, params).await;
            }
            Some(Standing::Active | Standing::Expired | Standing::Barred | Standing::Off) | None => {}
        }
        self.page_of(&format!("{} where {condition}", self.through(self.index(lead))), params, self.in_order(lead))
            .await
    }

    /// A page of two lists in one order.
    async fn merged(
        &self,
        lead: Lead,
        one: &str,
        late: &str,
        mut params: Vec<Value>,
    ) -> Result<Vec<CustomerId>, Error> {
        let (place, direction) = (self.place(self.in_order(lead)), self.direction());
        let (first, second) = (self.through(self.index(lead)), self.through("roster_due"));
        let (limit, offset) = (push(&mut params, self.page.limit), push(&mut params, self.page.offset));
        let text = format!(
            "select t.customer_id, {place} as place from {first} where {one} \
             union all select t.customer_id, {place} as place from {second} where {late} \
             order by place {direction}, customer_id {direction} limit ${limit} offset ${offset}"
        );
        self.tx.rows(text, &params).await?.iter().map(|row| row.get(0)).collect()
    }

    async fn page_of(&self, from: &str, mut params: Vec<Value>, in_order: bool) -> Result<Vec<CustomerId>, Error> {
        let (place, direction) = (self.place(in_order), self.direction());
        let (limit, offset) = (push(&mut params, self.page.limit), push(&mut params, self.page.offset));
        let text = format!(
            "select t.customer_id from {from} order by {place} {direction}, t.customer_id {direction} \
             limit ${limit} offset ${offset}"
        );
        self.tx.rows(text, &params).await?.iter().map(|row| row.get(0)).collect()
    }

    /// Kind, router and branch. A `+` keeps both engines from choosing another index than the one that leads.
    fn static_filters(&self, t: &str, params: &mut Vec<Value>, lead: Lead) -> String {
        let mut text = String::new();
        let mut and = |column: &str, leads: bool, value: i64| {
            let plus = if leads { "" } else { "+" };
            text += &format!(" and {plus}{t}.{column} = ${}", push(params, value));
        };
        if let Some(kind) = self.filter.kind {
            and("kind", lead == Lead::Kind, kind_number(kind));
        }
        if let Some(router) = self.filter.router {
            and("router_id", lead == Lead::Router, router.0);
        }
        if let Some(branch) = self.filter.branch {
            and("branch_id", false, branch.0);
        }
        text
    }

    /// All filters but building and search, the standing by the time.
    fn exactly(&self, params: &mut Vec<Value>) -> String {
        let mut text = self.static_filters("t", params, Lead::Nothing);
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

    /// What the list is ordered by. Written as a computation it keeps both engines from walking that column's index.
    fn place(&self, in_order: bool) -> &'static str {
        match (self.page.order, in_order) {
            (Order::Username, true) => "t.login",
            (Order::Username, false) => "t.login || ''",
            (Order::FullName, true) => "t.name",
            (Order::FullName, false) => "t.name || ''",
            (Order::Created, true) => "t.created_at",
            (Order::Created, false) => "t.created_at + 0",
            (Order::Expiry, true) => "t.expires_at",
            (Order::Expiry, false) => "t.expires_at + 0",
        }
    }

    fn direction(&self) -> &'static str {
        if self.page.descending { "desc" } else { "asc" }
    }
}

/// Adds a parameter; its number.
fn push(params: &mut Vec<Value>, value: impl Into<Value>) -> usize {
    params.push(value.into());
    params.len()
}

fn number(row: Option<Row>) -> Result<i64, Error> {
    row.map_or(Ok(0), |row| row.get(0))
}

/// How many there are of each router, kind, standing and branch.
async fn cells(tx: &Tx, isp: IspId) -> Result<Vec<([i64; 4], i64)>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select router_id, kind, standing, branch_id, sum(customers) from roster_count where isp_id = $1 \
                 group by router_id, kind, standing, branch_id order by router_id, kind, standing, branch_id"
            ),
            &params![isp],
        )
        .await?;
    rows.iter().map(|row| Ok(([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?], row.get(4)?))).collect()
}

/// Live customers; those that run; those that are barred or off, whatever their validity.
pub async fn totals(tx: &Tx, isp: IspId, now: Instant) -> Result<(i64, i64, i64), Error> {
    let (mut all, mut running, mut barred) = (0, 0, 0);
    for ([_, _, standing, _], customers) in cells(tx, isp).await? {
        all += customers;
        running += if standing == RUNNING { customers } else { 0 };
        barred += if standing >= BARRED { customers } else { 0 };
    }
    let overdue = tx
        .row(
            sql!("select count(*) from roster where isp_id = $1 and standing = 1 and expires_at <= $2"),
            &params![isp, now],
        )
        .await?;
    Ok((all, running - number(overdue)?, barred))
}

// ---- making it anew ----

/// How many rows are read at once.
const STEP: i64 = 500;

/// Makes the roster of a database that was filled before there was one; once. On PostgreSQL another node waits.
pub(crate) async fn complete(db: &Db) -> Result<(), Error> {
    let known = db
        .read(async |tx: &Tx| {
            tx.row(sql!("select next from counter where isp_id = 0 and name = 'roster'"), &params![]).await
        })
        .await?;
    if known.is_some() {
        return Ok(());
    }
    db.tx(Class::Bulk, async |tx: &Tx| {
        let first = tx
            .run(
                sql!("insert into counter (isp_id, name, next) values (0, 'roster', 1) on conflict (isp_id, name) do nothing"),
                &params![],
            )
            .await?;
        if first == 1 { rebuild(tx).await } else { Ok(()) }
    })
    .await
}

/// Everything from the customers and services again.
pub async fn rebuild(tx: &Tx) -> Result<(), Error> {
    tx.run(sql!("delete from roster"), &params![]).await?;
    tx.run(sql!("delete from roster_count"), &params![]).await?;
    tx.run(sql!("delete from search_word"), &params![]).await?;
    let mut after = (IspId(0), CustomerId(0));
    loop {
        let page = expected_after(tx, after).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = (last.isp_id, last.customer_id);
        let mut rest = page;
        while let Some(isp) = rest.first().map(|entry| entry.isp_id) {
            let same = rest.iter().take_while(|entry| entry.isp_id == isp).count();
            let later = rest.split_off(same);
            insert(tx, isp, rest).await?;
            rest = later;
        }
    }
}

/// What the roster should hold behind a row.
async fn expected_after(tx: &Tx, (isp, id): (IspId, CustomerId)) -> Result<Vec<Entry>, Error> {
    let customers = tx
        .rows(
            sql!(text!(
                Customer::SELECT,
                "where (t.isp_id, t.id) > ($1, $2) and t.deleted_at is null order by t.isp_id, t.id limit $3"
            )),
            &params![isp, id, STEP],
        )
        .await?;
    let customers = records(customers, Customer::from_row)?;
    let mut entries = Vec::with_capacity(customers.len());
    for chunk in customers.chunk_by(|a, b| a.isp_id == b.isp_id) {
        let (list, params) = among(chunk[0].isp_id, chunk.iter().map(|row| row.id.0));
        let text = format!("{}where t.isp_id = $1 and t.ordinal = 1 and t.customer_id in ({list})", Service::SELECT);
        let lines = records(tx.rows(text, &params).await?, Service::from_row)?;
        let lines: BTreeMap<i64, Service> = lines.into_iter().map(|line| (line.customer_id.0, line)).collect();
        entries.extend(chunk.iter().map(|customer| Entry::of(customer, lines.get(&customer.id.0))));
    }
    Ok(entries)
}

/// Compares everything with what it should be; one line for each difference, at most a few. For tests and doubts.
pub async fn verify(tx: &Tx) -> Result<Vec<String>, Error> {
    let mut faults = Vec::new();
    let mut counts: BTreeMap<(i64, [i64; 5]), i64> = BTreeMap::new();
    let (mut rows, mut words) = (0, 0);
    let mut after = (IspId(0), CustomerId(0));
    loop {
        let page = expected_after(tx, after).await?;
        let Some(last) = page.last() else { break };
        after = (last.isp_id, last.customer_id);
        for entry in page {
            let found = find(tx, entry.isp_id, entry.customer_id).await?;
            if found.as_ref() != Some(&entry) {
                faults.push(format!("expected {entry:?}, found {found:?}"));
            }
            rows += 1;
            words += search::count_of(&entry.words);
            *counts.entry((entry.isp_id.0, entry.cell())).or_default() += 1;
        }
    }
    let is = tx.rows(
        sql!(
            "select isp_id, router_id, kind, standing, branch_id, shard, customers from roster_count \
             where customers <> 0 order by isp_id, router_id, kind, standing, branch_id, shard"
        ),
        &params![],
    );
    let mut found = BTreeMap::new();
    for row in is.await? {
        let cell = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?];
        found.insert((row.get::<i64>(0)?, cell), row.get::<i64>(6)?);
    }
    if found != counts {
        faults.push(format!("counts are {found:?}, should be {counts:?}"));
    }
    let strayed = tx.row(
        sql!(
            "select count(*) from search_word w left join roster t on t.isp_id = w.isp_id \
             and t.customer_id = w.customer_id and t.created_at = w.created_at and t.kind = w.kind \
             and t.router_id = w.router_id and t.branch_id = w.branch_id where t.customer_id is null"
        ),
        &params![],
    );
    for (what, is, should) in [
        ("words of no such row", number(strayed.await?)?, 0),
        ("rows", number(tx.row(sql!("select count(*) from roster"), &params![]).await?)?, rows),
        ("words", number(tx.row(sql!("select count(*) from search_word"), &params![]).await?)?, words),
    ] {
        if is != should {
            faults.push(format!("{is} {what}, should be {should}"));
        }
    }
    Ok(faults)
}
