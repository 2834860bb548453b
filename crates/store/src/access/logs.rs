//! Logs by time, from what the system itself wrote down: logins, the captive portal, routers, lines that ended.

use domain::{BranchId, CustomerId, Instant, IspId, RouterId, ServiceId, SessionId, kernel::event::EventKind};

use crate::{
    access::hotspot::Access,
    db::{Error, Row, Tx, Value},
    kernel::{conditions::Conditions, event::Event, record::text},
    params, sql,
};

/// Conditions of all logs; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    pub from: Option<Instant>,
    /// Not included.
    pub until: Option<Instant>,
    /// A network name as it logs in.
    pub username: Option<String>,
    /// Whose name it is, where somebody has it.
    pub service: Option<ServiceId>,
    pub router: Option<RouterId>,
    pub branch: Option<BranchId>,
}

/// More are not counted, and not paged through.
pub const MOST: i64 = 100_000;

impl Filter {
    fn times(&self, isp: IspId, column: &str) -> Conditions {
        let mut conditions = Conditions::of(isp);
        conditions.given(&format!("{column} >="), self.from);
        conditions.given(&format!("{column} <"), self.until);
        conditions
    }

    /// Only customers of the branch: `customer` is the column that names one.
    fn of_branch(&self, conditions: &mut Conditions, customer: &str) {
        if let Some(branch) = self.branch {
            let place = conditions.value(branch);
            conditions.and(&format!(
                "exists (select 1 from customer b where b.isp_id = t.isp_id and b.id = {customer} \
                 and b.branch_id = {place})"
            ));
        }
    }
}

/// A login that was accepted (its session began) or refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Login {
    pub at: Instant,
    /// The session's or the refusal's.
    pub id: i64,
    pub accepted: bool,
    pub username: String,
    pub router: RouterId,
    pub router_name: Option<String>,
    pub customer: Option<CustomerId>,
    pub mac: Option<String>,
    pub address: Option<String>,
    /// Of a refusal.
    pub reason: Option<String>,
}

/// What a login log shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    All,
    Accepted,
    Rejected,
}

/// Accepted and refused logins, the newest first.
pub async fn logins(
    tx: &Tx,
    isp: IspId,
    filter: &Filter,
    which: Which,
    (offset, limit): (i64, i64),
) -> Result<(Vec<Login>, i64), Error> {
    let mut accepted = filter.times(isp, "t.started_at");
    match (filter.service, &filter.username) {
        (Some(service), _) => accepted.given("t.service_id =", Some(service)),
        (None, Some(name)) => {
            accepted.given("t.username_key =", Some(name.trim().to_lowercase()));
            accepted.and("t.service_id is null");
        }
        (None, None) => {}
    }
    accepted.given("t.router_id =", filter.router);
    filter.of_branch(&mut accepted, "t.customer_id");

    let mut refused = filter.times(isp, "t.at");
    match (filter.service, &filter.username) {
        (Some(service), _) => refused.given("t.service_id =", Some(service)),
        (None, name) => refused.given("t.username =", name.as_deref()),
    }
    refused.given("t.router_id =", filter.router);
    let customer = "(select s.customer_id from service s where s.isp_id = t.isp_id and s.id = t.service_id)";
    filter.of_branch(&mut refused, customer);

    let mut total = 0;
    let mut found: Vec<Row> = Vec::new();
    let reach = offset.saturating_add(limit).min(MOST);
    let sides = [
        (
            Which::Accepted,
            &accepted,
            "session t",
            "t.started_at desc, t.id desc",
            "t.started_at, t.id, 1, t.username, t.router_id, t.customer_id, t.mac, t.address, null",
        ),
        (
            Which::Rejected,
            &refused,
            "login_reject t",
            "t.at desc, t.id desc",
            "t.at, t.id, 0, t.username, t.router_id, \
             (select s.customer_id from service s where s.isp_id = t.isp_id and s.id = t.service_id), t.mac, null, \
             t.reason",
        ),
    ];
    for (side, conditions, from, order, columns) in sides {
        if which != Which::All && which != side {
            continue;
        }
        let (condition, params) = (&conditions.text, &conditions.params);
        let count = format!("select count(*) from (select 1 from {from} where {condition} limit {MOST}) counted");
        total += tx.row(count, params).await?.map_or(Ok(0), |row| row.get::<i64>(0))?;
        if offset < MOST {
            let mut params = params.clone();
            params.push(reach.into());
            let text =
                format!("select {columns} from {from} where {condition} order by {order} limit ${}", params.len());
            found.extend(tx.rows(text, &params).await?);
        }
    }
    // Each side is in order and long enough: the page is a part of both together.
    let mut logins = found.iter().map(login).collect::<Result<Vec<_>, Error>>()?;
    logins.sort_by_key(|login| std::cmp::Reverse((login.at, login.accepted, login.id)));
    let mut page: Vec<Login> = logins.into_iter().skip(offset as usize).take(limit as usize).collect();
    let routers = names(tx, isp).await?;
    for login in &mut page {
        login.router_name = routers.iter().find(|(id, _)| *id == login.router).map(|(_, name)| name.clone());
    }
    Ok((page, total.min(MOST)))
}

fn login(row: &Row) -> Result<Login, Error> {
    Ok(Login {
        at: row.get(0)?,
        id: row.get(1)?,
        accepted: row.get::<i64>(2)? == 1,
        username: row.get(3)?,
        router: row.get(4)?,
        router_name: None,
        customer: row.get(5)?,
        mac: row.get(6)?,
        address: row.get(7)?,
        reason: row.get(8)?,
    })
}

/// Every router's name, deleted ones' too: an old log speaks of them.
pub async fn names(tx: &Tx, isp: IspId) -> Result<Vec<(RouterId, String)>, Error> {
    let rows = tx.rows(sql!("select id, name from router where isp_id = $1 order by id"), &params![isp]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Steps at the captive portal, the newest first, each with its router's name.
pub async fn portal(
    tx: &Tx,
    isp: IspId,
    filter: &Filter,
    page: (i64, i64),
) -> Result<(Vec<(Access, Option<String>)>, i64), Error> {
    const SELECT: &str = text!("select ", Access::COLUMNS, ", r.name");
    let mut conditions = filter.times(isp, "t.at");
    conditions.given("t.username =", filter.username.as_deref());
    conditions.given("t.router_id =", filter.router);
    filter.of_branch(&mut conditions, "t.customer_id");
    let from = "hotspot_access t left join router r on r.isp_id = t.isp_id and r.id = t.router_id";
    let read = |row: &Row| Ok((Access::from_row(row)?, row.get(9)?));
    conditions.page(tx, (SELECT, from), "t.at desc, t.id desc", capped(page), Some(MOST), read).await
}

fn capped((offset, limit): (i64, i64)) -> (i64, i64) {
    (offset.min(MOST), limit)
}

/// What happened to a router, or was asked of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RouterEvent {
    pub event: Event,
    pub router: Option<RouterId>,
    pub router_name: Option<String>,
    /// Of orders to a session, and of sessions that were lost.
    pub session: Option<SessionId>,
    pub username: Option<String>,
}

/// As in the index `event_network`: a condition in other words would not use it.
const NETWORK: &str = "t.kind in ('router.created', 'router.updated', 'router.deleted', 'session.lost', \
    'coa.acknowledged', 'coa.refused', 'coa.unanswered')";
/// As in the index `event_stopped`.
const STOPPED: &str = "t.kind in ('service.expired', 'service.quota_used_up')";

/// Events of routers and of orders to them, the newest first.
pub async fn routers(
    tx: &Tx,
    isp: IspId,
    filter: &Filter,
    kind: Option<EventKind>,
    page: (i64, i64),
) -> Result<(Vec<RouterEvent>, i64), Error> {
    const SELECT: &str = text!("select ", Event::COLUMNS, ", r.id, r.name, s.id, s.username");
    let mut conditions = filter.times(isp, "t.at");
    conditions.and(NETWORK);
    conditions.given("t.kind =", kind);
    conditions.given("r.id =", filter.router);
    match (filter.service, &filter.username) {
        (Some(service), _) => conditions.given("s.service_id =", Some(service)),
        (None, name) => conditions.given("s.username_key =", name.as_ref().map(|name| name.trim().to_lowercase())),
    }
    if let Some(branch) = filter.branch {
        let place = conditions.value(branch);
        conditions.and(&format!(
            "(case when s.id is null then r.branch_id else (select b.branch_id from customer b \
             where b.isp_id = t.isp_id and b.id = s.customer_id) end) = {place}"
        ));
    }
    let from = "event t left join session s on t.subject = 'session' and s.isp_id = t.isp_id and s.id = t.subject_id \
        left join router r on r.isp_id = t.isp_id \
        and r.id = case when t.subject = 'router' then t.subject_id else s.router_id end";
    let read = |row: &Row| {
        Ok(RouterEvent {
            event: Event::from_row(row)?,
            router: row.get(9)?,
            router_name: row.get(10)?,
            session: row.get(11)?,
            username: row.get(12)?,
        })
    };
    conditions.page(tx, (SELECT, from), "t.at desc, t.seq desc", capped(page), Some(MOST), read).await
}

/// A line that the system itself let end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stopped {
    pub event: Event,
    pub service: ServiceId,
    pub username: Option<String>,
    pub router: Option<RouterId>,
    pub customer: Option<CustomerId>,
    pub customer_name: Option<String>,
}

/// Lines that ended because their time or quota was used up, the newest first.
pub async fn stopped(
    tx: &Tx,
    isp: IspId,
    filter: &Filter,
    kind: Option<EventKind>,
    page: (i64, i64),
) -> Result<(Vec<Stopped>, i64), Error> {
    const SELECT: &str = text!("select ", Event::COLUMNS, ", s.username, s.router_id, s.customer_id, c.full_name");
    let mut conditions = filter.times(isp, "t.at");
    conditions.and(STOPPED);
    conditions.given("t.kind =", kind);
    conditions.given("s.router_id =", filter.router);
    match (filter.service, &filter.username) {
        (Some(service), _) => {
            conditions.given("t.subject_id =", Some(service));
            conditions.and("t.subject = 'service'");
        }
        (None, name) => conditions.given("lower(s.username) =", name.as_ref().map(|name| name.trim().to_lowercase())),
    }
    conditions.given("c.branch_id =", filter.branch);
    let from = "event t left join service s on s.isp_id = t.isp_id and s.id = t.subject_id \
        left join customer c on c.isp_id = t.isp_id and c.id = s.customer_id";
    let read = |row: &Row| {
        let event = Event::from_row(row)?;
        Ok(Stopped {
            service: ServiceId(event.subject_id),
            username: row.get(9)?,
            router: row.get(10)?,
            customer: row.get(11)?,
            customer_name: row.get(12)?,
            event,
        })
    };
    conditions.page(tx, (SELECT, from), "t.at desc, t.seq desc", capped(page), Some(MOST), read).await
}

/// The live line with this name: what filters by name look up first.
pub async fn line_named(tx: &Tx, isp: IspId, key: &str) -> Result<Option<ServiceId>, Error> {
    let row = tx
        .row(sql!("select id from service where isp_id = $1 and username_key = $2"), &[Value::from(isp), key.into()])
        .await?;
    row.map(|row| row.get(0)).transpose()
}
