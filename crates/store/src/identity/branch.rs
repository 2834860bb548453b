//! What vendors' clients call an Isp and its branches.

use domain::{BranchId, Instant, IspId, StaffId};

use crate::{
    db::{Error, Row, Tx},
    identity::isp::Branch,
    kernel::record::{record, records, text},
    params, sql,
};

record! {
    Zone of "zone" {
        isp_id: IspId,
        /// 0 is the whole Isp.
        branch_id: i64,
        account: String,
        account_key: String,
        created_at: Instant,
    }
}

impl Zone {
    pub fn branch(&self) -> Option<BranchId> {
        (self.branch_id != 0).then_some(BranchId(self.branch_id))
    }
}

/// All of an Isp's, its own first.
pub async fn of_isp(tx: &Tx, isp: IspId) -> Result<Vec<Zone>, Error> {
    let rows = tx.rows(sql!(text!(Zone::SELECT, "where t.isp_id = $1 order by t.branch_id")), &params![isp]).await?;
    records(rows, Zone::from_row)
}

/// `false` when the name is another's. A zone that has a name gets the new one.
pub async fn put(tx: &Tx, zone: &Zone) -> Result<bool, Error> {
    let taken = tx
        .row(
            sql!("select branch_id from zone where isp_id = $1 and account_key = $2 and branch_id <> $3"),
            &params![zone.isp_id, &zone.account_key, zone.branch_id],
        )
        .await?;
    if taken.is_some() {
        return Ok(false);
    }
    tx.run(
        sql!(
            "insert into zone (isp_id, branch_id, account, account_key, created_at) values ($1, $2, $3, $4, $5) \
             on conflict (isp_id, branch_id) do update set account = excluded.account, \
             account_key = excluded.account_key"
        ),
        &params![zone.isp_id, zone.branch_id, &zone.account, &zone.account_key, zone.created_at],
    )
    .await?;
    Ok(true)
}

/// Takes an account's name away.
pub async fn drop_account(tx: &Tx, isp: IspId, branch: i64) -> Result<(), Error> {
    tx.run(sql!("delete from zone where isp_id = $1 and branch_id = $2"), &params![isp, branch]).await.map(drop)
}

/// A branch with its account. The head office's account is the whole Isp's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    pub id: BranchId,
    pub parent: Option<BranchId>,
    pub name: String,
    pub account: Option<String>,
    /// Whose branch it is.
    pub operator: Option<StaffId>,
    /// Live customers confined to it.
    pub customers: i64,
    pub created_at: Instant,
    pub updated_at: Option<Instant>,
}

const LISTED: &str = "select b.id, b.parent_id, b.name, z.account, o.staff_id, \
     (select count(*) from customer c where c.isp_id = b.isp_id and c.branch_id = b.id and c.deleted_at is null), \
     b.created_at, b.updated_at from branch b \
     left join zone z on z.isp_id = b.isp_id and z.branch_id = case when b.id = $2 then 0 else b.id end \
     left join operator o on o.isp_id = b.isp_id and o.branch_id = b.id where b.isp_id = $1 ";

impl Listed {
    fn from_row(row: &Row) -> Result<Listed, Error> {
        Ok(Listed {
            id: row.get(0)?,
            parent: row.get(1)?,
            name: row.get(2)?,
            account: row.get(3)?,
            operator: row.get(4)?,
            customers: row.get(5)?,
            created_at: row.get(6)?,
            updated_at: row.get(7)?,
        })
    }
}

/// A page of an Isp's branches, the oldest first, and how many there are.
pub async fn list(tx: &Tx, isp: IspId, head: BranchId, offset: i64, limit: i64) -> Result<(Vec<Listed>, i64), Error> {
    let total = tx.row(sql!("select count(*) from branch where isp_id = $1"), &params![isp]).await?;
    let rows =
        tx.rows(sql!(text!(LISTED, "order by b.id limit $3 offset $4")), &params![isp, head, limit, offset]).await?;
    Ok((records(rows, Listed::from_row)?, total.map_or(Ok(0), |row| row.get(0))?))
}

pub async fn show(tx: &Tx, isp: IspId, head: BranchId, id: BranchId) -> Result<Option<Listed>, Error> {
    let row = tx.row(sql!(text!(LISTED, "and b.id = $3")), &params![isp, head, id]).await?;
    row.map(|row| Listed::from_row(&row)).transpose()
}

/// Locks a branch until the transaction ends; whether it is there.
pub async fn lock(tx: &Tx, isp: IspId, id: BranchId) -> Result<Option<Branch>, Error> {
    let row =
        tx.row_locked(sql!(text!(Branch::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| Branch::from_row(&row)).transpose()
}

pub async fn update(tx: &Tx, row: &Branch) -> Result<(), Error> {
    tx.run(
        sql!("update branch set parent_id = $3, name = $4, updated_at = $5 where isp_id = $1 and id = $2"),
        &params![row.isp_id, row.id, row.parent_id, &row.name, row.updated_at],
    )
    .await
    .map(drop)
}

pub async fn delete(tx: &Tx, isp: IspId, id: BranchId) -> Result<(), Error> {
    drop_account(tx, isp, id.0).await?;
    tx.run(sql!("delete from branch where isp_id = $1 and id = $2"), &params![isp, id]).await.map(drop)
}

/// What keeps a branch from going.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UsedBy {
    Operator,
    Customers,
    ZonesBelow,
    Staff,
    ApiClients,
    Routers,
    Webhooks,
    Areas,
}

/// What still belongs to a branch, in words; `None`: nothing does.
pub async fn used_by(tx: &Tx, isp: IspId, id: BranchId) -> Result<Option<UsedBy>, Error> {
    let uses = [
        (UsedBy::Operator, sql!("select 1 from operator where isp_id = $1 and branch_id = $2 limit 1")),
        (
            UsedBy::Customers,
            sql!("select 1 from customer where isp_id = $1 and branch_id = $2 and deleted_at is null limit 1"),
        ),
        (UsedBy::ZonesBelow, sql!("select 1 from branch where isp_id = $1 and parent_id = $2 limit 1")),
        (
            UsedBy::Staff,
            sql!("select 1 from staff where isp_id = $1 and branch_id = $2 and status <> 'deleted' limit 1"),
        ),
        (
            UsedBy::ApiClients,
            sql!("select 1 from api_client where isp_id = $1 and branch_id = $2 and status <> 'deleted' limit 1"),
        ),
        (
            UsedBy::Routers,
            sql!("select 1 from router where isp_id = $1 and branch_id = $2 and deleted_at is null limit 1"),
        ),
        (
            UsedBy::Webhooks,
            sql!("select 1 from webhook where isp_id = $1 and branch_id = $2 and deleted_at is null limit 1"),
        ),
        (UsedBy::Areas, sql!("select 1 from place where isp_id = $1 and branch_id = $2 limit 1")),
    ];
    for (what, statement) in uses {
        if tx.row(statement, &params![isp, id]).await?.is_some() {
            return Ok(Some(what));
        }
    }
    Ok(None)
}

/// The branch the Isp began with.
pub async fn head_office(tx: &Tx, isp: IspId) -> Result<Option<Branch>, Error> {
    let row = tx
        .row(
            sql!(text!(Branch::SELECT, "where t.isp_id = $1 and t.parent_id is null order by t.id limit 1")),
            &params![isp],
        )
        .await?;
    row.map(|row| Branch::from_row(&row)).transpose()
}
