//! The roster: live customers as lists see them, with counts, so that a list costs the same with a million customers
//! as with a thousand.
//!
//! A row holds a customer's facts and those of its primary line; `roster_count` says how many rows there are of each
//! sort; `search_word` holds what they are found by. [`customer::insert`](crate::people::customer::insert), `customer::update`,
//! `service::update` and the few statements that change lines in bulk keep all three, each by comparing the row that
//! was with the row that is: a use case cannot forget it. Nothing else writes these tables.
//!
//! Whether a line runs depends on the time. The row says what was last acted on; lines whose time has passed since
//! then are few (the expiry job is a moment behind), and every answer here takes them into account, so that it is exact.

mod check;
mod keep;
mod list;
mod walk;

pub(crate) use check::complete;
pub use check::{rebuild, verify};
pub(crate) use keep::{add, customer_changed, line_changed, periods_ended, quota_reached};
pub use list::{Filter, Order, Page, Standing, list};

use domain::{BranchId, CustomerId, Instant, IspId, Kind, Status};

use crate::{
    db::{Error, Row, Tx},
    kernel::record::{record, text},
    params,
    people::{customer::Customer, search, service::Service},
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

// ---- counting ----

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

/// How many customers are in which standing.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Standings {
    pub all: i64,
    pub active: i64,
    pub expired: i64,
    pub barred: i64,
    pub off: i64,
}

/// The counts of an Isp or of one of its branches.
pub async fn standings(tx: &Tx, isp: IspId, branch: Option<BranchId>, now: Instant) -> Result<Standings, Error> {
    let mut standings = Standings::default();
    for ([_, _, standing, of], customers) in cells(tx, isp).await? {
        if branch.is_some_and(|branch| branch.0 != of) {
            continue;
        }
        standings.all += customers;
        match standing {
            RUNNING => standings.active += customers,
            LAPSED => standings.expired += customers,
            BARRED => standings.barred += customers,
            _ => standings.off += customers,
        }
    }
    let mut params = params![isp, now].to_vec();
    let mut text = String::from("select count(*) from roster where isp_id = $1 and standing = 1 and expires_at <= $2");
    if let Some(branch) = branch {
        text += " and branch_id = $3";
        params.push(branch.into());
    }
    let overdue = number(tx.row(text, &params).await?)?;
    standings.active -= overdue;
    standings.expired += overdue;
    Ok(standings)
}
