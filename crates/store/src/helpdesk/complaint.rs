//! Complaints and the comments on them.

use domain::{BranchId, CustomerId, Instant, IspId, StaffId};

use crate::{
    db::{Error, Tx, Value},
    kernel::record::{record, records, text},
    params, sql,
};

record! {
    Complaint of "complaint" {
        isp_id: IspId,
        id: i64,
        customer_id: CustomerId,
        /// The customer's.
        branch_id: Option<BranchId>,
        subject: String,
        message: String,
        category: String,
        department: String,
        /// low, normal, high, urgent.
        priority: String,
        /// open, acknowledged, in_progress, resolved, closed.
        status: String,
        assigned_to: Option<StaffId>,
        /// By when it should be settled.
        due_at: Instant,
        opened_by: String,
        opened_at: Instant,
        updated_at: Instant,
        resolved_at: Option<Instant>,
        closed_at: Option<Instant>,
    }
}

record! {
    Comment of "complaint_comment" {
        isp_id: IspId,
        id: i64,
        complaint_id: i64,
        at: Instant,
        author: String,
        text: String,
    }
}

pub async fn find(tx: &Tx, isp: IspId, id: i64) -> Result<Option<Complaint>, Error> {
    let row = tx.row(sql!(text!(Complaint::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| Complaint::from_row(&row)).transpose()
}

pub async fn lock(tx: &Tx, isp: IspId, id: i64) -> Result<Option<Complaint>, Error> {
    let row =
        tx.row_locked(sql!(text!(Complaint::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| Complaint::from_row(&row)).transpose()
}

pub async fn update(tx: &Tx, row: &Complaint) -> Result<(), Error> {
    tx.run(
        sql!(
            "update complaint set subject = $3, category = $4, department = $5, priority = $6, status = $7, \
             assigned_to = $8, due_at = $9, updated_at = $10, resolved_at = $11, closed_at = $12 \
             where isp_id = $1 and id = $2"
        ),
        &params![
            row.isp_id,
            row.id,
            &row.subject,
            &row.category,
            &row.department,
            &row.priority,
            &row.status,
            row.assigned_to,
            row.due_at,
            row.updated_at,
            row.resolved_at,
            row.closed_at
        ],
    )
    .await
    .map(drop)
}

/// A list's conditions; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    pub branch: Option<BranchId>,
    pub customer: Option<CustomerId>,
    pub status: Option<&'static str>,
    /// Nobody has begun with it: open or acknowledged.
    pub waiting: bool,
    pub priority: Option<&'static str>,
    /// High or urgent.
    pub pressing: bool,
    pub category: Option<String>,
    pub department: Option<String>,
    pub assigned_to: Option<StaffId>,
    /// Still to be settled, and due before then.
    pub due_before: Option<Instant>,
    pub from: Option<Instant>,
    /// Not included.
    pub until: Option<Instant>,
}

/// A page of those that match, newest first, and how many there are.
pub async fn list(
    tx: &Tx,
    isp: IspId,
    filter: &Filter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Complaint>, i64), Error> {
    let mut params = vec![Value::from(isp)];
    let mut condition = String::from("t.isp_id = $1");
    let conditions = [
        ("t.branch_id =", filter.branch.map(Value::from)),
        ("t.customer_id =", filter.customer.map(Value::from)),
        ("t.status =", filter.status.map(Value::from)),
        ("t.priority =", filter.priority.map(Value::from)),
        ("t.category =", filter.category.as_deref().map(Value::from)),
        ("t.department =", filter.department.as_deref().map(Value::from)),
        ("t.assigned_to =", filter.assigned_to.map(Value::from)),
        ("t.status in ('open', 'acknowledged', 'in_progress') and t.due_at <", filter.due_before.map(Value::from)),
        ("t.opened_at >=", filter.from.map(Value::from)),
        ("t.opened_at <", filter.until.map(Value::from)),
    ];
    for (text, value) in conditions {
        if let Some(value) = value {
            params.push(value);
            condition += &format!(" and {text} ${}", params.len());
        }
    }
    if filter.waiting {
        condition += " and t.status in ('open', 'acknowledged')";
    }
    if filter.pressing {
        condition += " and t.priority in ('high', 'urgent')";
    }
    let total = tx.row(format!("select count(*) from complaint t where {condition}"), &params).await?;
    params.extend([Value::from(limit), Value::from(offset)]);
    let page = format!(
        "{}where {condition} order by t.opened_at desc, t.id desc limit ${} offset ${}",
        Complaint::SELECT,
        params.len() - 1,
        params.len()
    );
    let rows = tx.rows(page, &params).await?;
    Ok((records(rows, Complaint::from_row)?, total.map_or(Ok(0), |row| row.get(0))?))
}

/// Complaints by id.
pub async fn some(tx: &Tx, isp: IspId, ids: &[i64]) -> Result<Vec<Complaint>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = crate::kernel::conditions::among(isp, ids.iter().copied());
    let text = format!("{}where t.isp_id = $1 and t.id in ({list})", Complaint::SELECT);
    records(tx.rows(text, &params).await?, Complaint::from_row)
}

/// Comments in the order they were made, and how many there are.
pub async fn comments(
    tx: &Tx,
    isp: IspId,
    complaint: i64,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Comment>, i64), Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Comment::SELECT,
                "where t.isp_id = $1 and t.complaint_id = $2 order by t.id limit $3 offset $4"
            )),
            &params![isp, complaint, limit, offset],
        )
        .await?;
    let total = tx
        .row(
            sql!("select count(*) from complaint_comment where isp_id = $1 and complaint_id = $2"),
            &params![isp, complaint],
        )
        .await?;
    Ok((records(rows, Comment::from_row)?, total.map_or(Ok(0), |row| row.get(0))?))
}
