//! Bills: invoices as lists show them, what changes on them, what paid them, what took them back. Those taken back are
//! in no list.

use domain::{BranchId, CustomerId, Instant, InvoiceId, IspId, Money, PaymentId, PeriodId, billing::bill::BillStatus};

use crate::{
    billing::invoice::{Invoice, InvoiceLine},
    db::{Error, Tx, Value},
    kernel::{
        conditions::among,
        record::{record, records, text},
    },
    params, sql,
};

record! {
    Allocation of "payment_allocation" {
        isp_id: IspId,
        payment_id: PaymentId,
        invoice_id: InvoiceId,
        amount: Money,
    }
}

record! {
    CreditNote of "credit_note" {
        isp_id: IspId,
        series: String,
        number: i64,
        invoice_id: InvoiceId,
        customer_id: CustomerId,
        net: Money,
        tax: Money,
        total: Money,
        issued_at: Instant,
    }
}

/// A list's conditions; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    pub customer: Option<CustomerId>,
    pub status: Option<BillStatus>,
    pub branch: Option<BranchId>,
    pub issued_from: Option<Instant>,
    /// Not included.
    pub issued_until: Option<Instant>,
}

fn matching(isp: IspId, filter: &Filter) -> (String, Vec<Value>) {
    let mut params = vec![Value::from(isp)];
    let mut text = String::from("t.isp_id = $1 and t.status <> 'void'");
    let conditions = [
        ("t.customer_id =", filter.customer.map(Value::from)),
        ("t.status =", filter.status.map(Value::from)),
        ("t.issued_at >=", filter.issued_from.map(Value::from)),
        ("t.issued_at <", filter.issued_until.map(Value::from)),
    ];
    for (condition, value) in conditions {
        if let Some(value) = value {
            params.push(value);
            text += &format!(" and {condition} ${}", params.len());
        }
    }
    if let Some(branch) = filter.branch {
        params.push(branch.into());
        text += &format!(
            " and exists (select 1 from customer c where c.isp_id = t.isp_id and c.id = t.customer_id \
             and c.branch_id = ${})",
            params.len()
        );
    }
    (text, params)
}

/// A page of the bills that match, newest first, and how many there are in all.
pub async fn list(tx: &Tx, isp: IspId, filter: &Filter, offset: i64, limit: i64) -> Result<(Vec<Invoice>, i64), Error> {
    let (condition, mut params) = matching(isp, filter);
    let count = tx.row(format!("select count(*) from invoice t where {condition}"), &params).await?;
    let total = count.map_or(Ok(0), |row| row.get(0))?;
    if total <= offset {
        return Ok((Vec::new(), total));
    }
    params.extend([Value::from(limit), Value::from(offset)]);
    let text = format!(
        "{}where {condition} order by t.issued_at desc, t.id desc limit ${} offset ${}",
        Invoice::SELECT,
        params.len() - 1,
        params.len()
    );
    Ok((records(tx.rows(text, &params).await?, Invoice::from_row)?, total))
}

/// One that was not taken back.
pub async fn find(tx: &Tx, isp: IspId, id: InvoiceId) -> Result<Option<Invoice>, Error> {
    let row = tx
        .row(
            sql!(text!(Invoice::SELECT, "where t.isp_id = $1 and t.id = $2 and t.status <> 'void'")),
            &params![isp, id],
        )
        .await?;
    row.map(|row| Invoice::from_row(&row)).transpose()
}

/// As [`find`], locked until the transaction ends; its customer is locked before it.
pub async fn lock(tx: &Tx, isp: IspId, id: InvoiceId) -> Result<Option<Invoice>, Error> {
    let row = tx
        .row_locked(
            sql!(text!(Invoice::SELECT, "where t.isp_id = $1 and t.id = $2 and t.status <> 'void'")),
            &params![isp, id],
        )
        .await?;
    row.map(|row| Invoice::from_row(&row)).transpose()
}

/// What a customer owes, the longest due first, locked until the transaction ends.
pub async fn lock_open(tx: &Tx, isp: IspId, customer: CustomerId) -> Result<Vec<Invoice>, Error> {
    let rows = tx
        .rows_locked(
            sql!(text!(
                Invoice::SELECT,
                "where t.isp_id = $1 and t.customer_id = $2 and t.status in ('unpaid', 'partial') \
                 order by t.due_at, t.id"
            )),
            &params![isp, customer],
        )
        .await?;
    records(rows, Invoice::from_row)
}

/// The credit note of an invoice, if it has one.
pub async fn credit_note(tx: &Tx, isp: IspId, invoice: InvoiceId) -> Result<Option<CreditNote>, Error> {
    let row = tx
        .row(sql!(text!(CreditNote::SELECT, "where t.isp_id = $1 and t.invoice_id = $2")), &params![isp, invoice])
        .await?;
    row.map(|row| CreditNote::from_row(&row)).transpose()
}

/// What may change on a bill: its number, customer and date of issue never do.
pub async fn update(tx: &Tx, row: &Invoice) -> Result<(), Error> {
    tx.run(
        sql!(
            "update invoice set net = $3, tax = $4, total = $5, paid = $6, status = $7, due_at = $8, \
             description = $9, updated_at = $10 where isp_id = $1 and id = $2"
        ),
        &params![
            row.isp_id,
            row.id,
            row.net,
            row.tax,
            row.total,
            row.paid,
            row.status,
            row.due_at,
            &row.description,
            row.updated_at
        ],
    )
    .await
    .map(drop)
}

/// The period that an invoice's first line is for.
pub async fn set_period(tx: &Tx, isp: IspId, id: InvoiceId, period: PeriodId) -> Result<(), Error> {
    tx.run(
        sql!("update invoice_line set period_id = $3 where isp_id = $1 and invoice_id = $2 and line = 1"),
        &params![isp, id, period],
    )
    .await
    .map(drop)
}

/// The lines of these invoices, each invoice's in order.
pub async fn lines(tx: &Tx, isp: IspId, invoices: &[InvoiceId]) -> Result<Vec<InvoiceLine>, Error> {
    if invoices.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = among(isp, invoices.iter().map(|id| id.0));
    let text = format!(
        "{}where t.isp_id = $1 and t.invoice_id in ({list}) order by t.invoice_id, t.line",
        InvoiceLine::SELECT
    );
    records(tx.rows(text, &params).await?, InvoiceLine::from_row)
}

/// What each account of an Isp holds against what its bills say: customers whose receivable is not the sum of their
/// open bills. For tests and doubts.
pub async fn unexplained(tx: &Tx, isp: IspId) -> Result<Vec<(i64, i64, i64)>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select c.id, coalesce(a.balance, 0), coalesce(b.owed, 0) from customer c \
                 left join account a on a.isp_id = c.isp_id and a.code = 'receivable:customer:' || cast(c.id as text) \
                 left join (select isp_id, customer_id, cast(sum(total - paid) as bigint) as owed from invoice \
                 where status in ('unpaid', 'partial') group by isp_id, customer_id) b \
                 on b.isp_id = c.isp_id and b.customer_id = c.id \
                 where c.isp_id = $1 and coalesce(a.balance, 0) <> coalesce(b.owed, 0) order by c.id"
            ),
            &params![isp],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).collect()
}

/// How much of an invoice payments have settled that say so.
pub async fn allocated(tx: &Tx, isp: IspId, invoice: InvoiceId) -> Result<Money, Error> {
    let row = tx
        .row(
            sql!(
                "select cast(coalesce(sum(amount), 0) as bigint) from payment_allocation \
                 where isp_id = $1 and invoice_id = $2"
            ),
            &params![isp, invoice],
        )
        .await?;
    row.map_or(Ok(Money::ZERO), |row| row.get(0))
}
