//! Operators (resellers): their accounts and their prices.

use domain::{BranchId, Instant, IspId, Money, PlanId, StaffId};

use crate::{
    db::{Error, Row, Tx, Value},
    kernel::record::{record, records, text},
    params, sql,
};

record! {
    Operator of "operator" {
        isp_id: IspId,
        staff_id: StaffId,
        /// Its own.
        branch_id: BranchId,
        /// prepaid, postpaid.
        account_type: String,
        /// How far below zero a postpaid wallet may fall.
        collection_limit: Money,
    }
}

record! {
    Price of "operator_price" {
        isp_id: IspId,
        staff_id: StaffId,
        plan_id: PlanId,
        price: Money,
        updated_at: Instant,
    }
}

/// An operator with its person and its wallet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    pub id: StaffId,
    pub branch_id: BranchId,
    pub account_type: String,
    pub collection_limit: Money,
    pub name: String,
    pub email: String,
    pub phone: Option<String>,
    pub role: String,
    pub parent_id: Option<StaffId>,
    pub status: String,
    pub created_at: Instant,
    pub updated_at: Option<Instant>,
    pub balance: Money,
}

const LISTED: &str = "select t.staff_id, t.branch_id, t.account_type, t.collection_limit, s.name, s.email, s.phone, s.role, \
     s.parent_id, s.status, s.created_at, s.updated_at, coalesce(-a.balance, 0) \
     from operator t join staff s on s.isp_id = t.isp_id and s.id = t.staff_id and s.status <> 'deleted' \
     left join account a on a.isp_id = t.isp_id and a.code = 'wallet:staff:' || cast(t.staff_id as text) ";

impl Listed {
    fn from_row(row: &Row) -> Result<Listed, Error> {
        Ok(Listed {
            id: row.get(0)?,
            branch_id: row.get(1)?,
            account_type: row.get(2)?,
            collection_limit: row.get(3)?,
            name: row.get(4)?,
            email: row.get(5)?,
            phone: row.get(6)?,
            role: row.get(7)?,
            parent_id: row.get(8)?,
            status: row.get(9)?,
            created_at: row.get(10)?,
            updated_at: row.get(11)?,
            balance: row.get(12)?,
        })
    }
}

/// A list's conditions; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    /// Part of a name or address.
    pub search: Option<String>,
    pub status: Option<&'static str>,
    pub parent: Option<StaffId>,
}

/// A page of the operators that match, the newest first, and how many there are in all.
pub async fn list(tx: &Tx, isp: IspId, filter: &Filter, offset: i64, limit: i64) -> Result<(Vec<Listed>, i64), Error> {
    let mut params = vec![Value::from(isp)];
    let mut text = String::from("where t.isp_id = $1");
    let search = filter.search.as_deref().map(|part| {
        let escaped = part.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        Value::from(format!("%{escaped}%"))
    });
    let conditions = [
        ("(lower(s.name) like $? escape '\\' or s.email_key like $? escape '\\')", search),
        ("s.status = $?", filter.status.map(Value::from)),
        ("s.parent_id = $?", filter.parent.map(Value::from)),
    ];
    for (condition, value) in conditions {
        if let Some(value) = value {
            params.push(value);
            text += " and ";
            text += &condition.replace("$?", &format!("${}", params.len()));
        }
    }
    let counted = "select count(*) from operator t \
         join staff s on s.isp_id = t.isp_id and s.id = t.staff_id and s.status <> 'deleted' ";
    let total = tx.row(format!("{counted}{text}"), &params).await?.map_or(Ok(0), |row| row.get(0))?;
    params.extend([Value::from(limit), Value::from(offset)]);
    let page = format!("{LISTED}{text} order by t.staff_id desc limit ${} offset ${}", params.len() - 1, params.len());
    Ok((records(tx.rows(page, &params).await?, Listed::from_row)?, total))
}

pub async fn show(tx: &Tx, isp: IspId, id: StaffId) -> Result<Option<Listed>, Error> {
    let row = tx.row(sql!(text!(LISTED, "where t.isp_id = $1 and t.staff_id = $2")), &params![isp, id]).await?;
    row.map(|row| Listed::from_row(&row)).transpose()
}

pub async fn find(tx: &Tx, isp: IspId, id: StaffId) -> Result<Option<Operator>, Error> {
    let row =
        tx.row(sql!(text!(Operator::SELECT, "where t.isp_id = $1 and t.staff_id = $2")), &params![isp, id]).await?;
    row.map(|row| Operator::from_row(&row)).transpose()
}

/// The operator, whose wallet nobody else spends from until the transaction ends.
pub async fn lock(tx: &Tx, isp: IspId, id: StaffId) -> Result<Option<Operator>, Error> {
    let row = tx
        .row_locked(sql!(text!(Operator::SELECT, "where t.isp_id = $1 and t.staff_id = $2")), &params![isp, id])
        .await?;
    row.map(|row| Operator::from_row(&row)).transpose()
}

/// As [`lock`], by the branch.
pub async fn lock_of_branch(tx: &Tx, isp: IspId, branch: BranchId) -> Result<Option<Operator>, Error> {
    let row = tx
        .row_locked(sql!(text!(Operator::SELECT, "where t.isp_id = $1 and t.branch_id = $2")), &params![isp, branch])
        .await?;
    row.map(|row| Operator::from_row(&row)).transpose()
}

/// Whose branch it is, if it is an operator's.
pub async fn of_branch(tx: &Tx, isp: IspId, branch: BranchId) -> Result<Option<StaffId>, Error> {
    let row = tx
        .row(sql!("select staff_id from operator where isp_id = $1 and branch_id = $2"), &params![isp, branch])
        .await?;
    row.map(|row| row.get(0)).transpose()
}

pub async fn update(tx: &Tx, row: &Operator) -> Result<(), Error> {
    tx.run(
        sql!("update operator set account_type = $3, collection_limit = $4 where isp_id = $1 and staff_id = $2"),
        &params![row.isp_id, row.staff_id, row.account_type.clone(), row.collection_limit],
    )
    .await
    .map(drop)
}

/// How many live customers and sub-operators an operator has.
pub async fn dependants(tx: &Tx, row: &Operator) -> Result<(i64, i64), Error> {
    let customers = tx
        .row(
            sql!("select count(*) from customer where isp_id = $1 and branch_id = $2 and deleted_at is null"),
            &params![row.isp_id, row.branch_id],
        )
        .await?;
    let below = tx
        .row(
            sql!("select count(*) from staff where isp_id = $1 and parent_id = $2 and status <> 'deleted'"),
            &params![row.isp_id, row.staff_id],
        )
        .await?;
    let read = |row: Option<Row>| row.map_or(Ok(0), |row| row.get(0));
    Ok((read(customers)?, read(below)?))
}

pub async fn price(tx: &Tx, isp: IspId, id: StaffId, plan: PlanId) -> Result<Option<Money>, Error> {
    let row = tx
        .row(
            sql!("select price from operator_price where isp_id = $1 and staff_id = $2 and plan_id = $3"),
            &params![isp, id, plan],
        )
        .await?;
    row.map(|row| row.get(0)).transpose()
}

pub async fn prices(tx: &Tx, isp: IspId, id: StaffId) -> Result<Vec<Price>, Error> {
    let rows = tx
        .rows(
            sql!(text!(Price::SELECT, "where t.isp_id = $1 and t.staff_id = $2 order by t.plan_id")),
            &params![isp, id],
        )
        .await?;
    records(rows, Price::from_row)
}

pub async fn set_price(tx: &Tx, row: &Price) -> Result<(), Error> {
    tx.run(
        sql!(
            "insert into operator_price (isp_id, staff_id, plan_id, price, updated_at) values ($1, $2, $3, $4, $5) \
             on conflict (isp_id, staff_id, plan_id) do update set price = excluded.price, \
             updated_at = excluded.updated_at"
        ),
        &params![row.isp_id, row.staff_id, row.plan_id, row.price, row.updated_at],
    )
    .await
    .map(drop)
}

pub async fn drop_price(tx: &Tx, isp: IspId, id: StaffId, plan: PlanId) -> Result<(), Error> {
    tx.run(
        sql!("delete from operator_price where isp_id = $1 and staff_id = $2 and plan_id = $3"),
        &params![isp, id, plan],
    )
    .await
    .map(drop)
}
