//! Invoices and payments.

use domain::{
    BranchId, CustomerId, Instant, InvoiceId, IspId, Money, PaymentId, PeriodId, PlanId, ServiceId,
    billing::bill::BillStatus,
};

use crate::{
    db::{Error, Tx, Value},
    kernel::record::{record, records, text},
    params, sql,
};

record! {
    /// Never edited after issue; numbered without gaps per Isp and series.
    Invoice of "invoice" {
        isp_id: IspId,
        id: InvoiceId,
        series: String,
        number: i64,
        customer_id: CustomerId,
        service_id: Option<ServiceId>,
        net: Money,
        tax: Money,
        total: Money,
        paid: Money,
        status: BillStatus,
        issued_at: Instant,
        due_at: Instant,
        /// What for, in one line.
        description: Option<String>,
        updated_at: Instant,
    }
}

record! {
    InvoiceLine of "invoice_line" {
        isp_id: IspId,
        invoice_id: InvoiceId,
        line: i64,
        text: String,
        amount: Money,
        tax_ppm: i64,
        tax_inclusive: bool,
        period_id: Option<PeriodId>,
    }
}

record! {
    Payment of "payment" {
        isp_id: IspId,
        id: PaymentId,
        customer_id: CustomerId,
        /// recharge, payment, refund, adjustment.
        kind: String,
        amount: Money,
        method: String,
        /// The provider's reference, or one we make.
        reference: String,
        /// pending, confirmed, refunded.
        state: String,
        plan_id: Option<PlanId>,
        /// As it was called then.
        plan_name: Option<String>,
        invoice_id: Option<InvoiceId>,
        created_at: Instant,
        /// Who was paid, in one spelling (`domain::billing::payment`).
        provider: String,
        /// The reference in one spelling; unique per provider.
        reference_key: String,
    }
}

/// The newest payments of a customer first.
pub async fn payments_of(tx: &Tx, isp: IspId, customer: CustomerId, limit: i64) -> Result<Vec<Payment>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Payment::SELECT,
                "where t.isp_id = $1 and t.customer_id = $2 order by t.created_at desc, t.id desc limit $3"
            )),
            &params![isp, customer, limit],
        )
        .await?;
    records(rows, Payment::from_row)
}

/// A list's conditions; all given ones hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct PaymentFilter {
    pub customer: Option<CustomerId>,
    pub kind: Option<String>,
    pub method: Option<String>,
    pub branch: Option<BranchId>,
    pub from: Option<Instant>,
    /// Not included.
    pub until: Option<Instant>,
    pub min: Option<Money>,
    pub max: Option<Money>,
}

fn matching(isp: IspId, filter: &PaymentFilter) -> (String, Vec<Value>) {
    let mut params = vec![Value::from(isp)];
    let mut text = String::from("t.isp_id = $1");
    let conditions = [
        ("t.customer_id =", filter.customer.map(Value::from)),
        ("t.kind =", filter.kind.as_deref().map(Value::from)),
        ("t.method =", filter.method.as_deref().map(Value::from)),
        ("t.created_at >=", filter.from.map(Value::from)),
        ("t.created_at <", filter.until.map(Value::from)),
        ("t.amount >=", filter.min.map(Value::from)),
        ("t.amount <=", filter.max.map(Value::from)),
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

/// A page of the payments that match, newest first.
pub async fn list(tx: &Tx, isp: IspId, filter: &PaymentFilter, offset: i64, limit: i64) -> Result<Vec<Payment>, Error> {
    let (condition, mut params) = matching(isp, filter);
    params.extend([Value::from(limit), Value::from(offset)]);
    let text = format!(
        "{}where {condition} order by t.created_at desc, t.id desc limit ${} offset ${}",
        Payment::SELECT,
        params.len() - 1,
        params.len()
    );
    records(tx.rows(text, &params).await?, Payment::from_row)
}

pub async fn count(tx: &Tx, isp: IspId, filter: &PaymentFilter) -> Result<i64, Error> {
    let (condition, params) = matching(isp, filter);
    let row = tx.row(format!("select count(*) from payment t where {condition}"), &params).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// How many payments match, and what they add up to.
pub async fn count_and_sum(tx: &Tx, isp: IspId, filter: &PaymentFilter) -> Result<(i64, Money), Error> {
    let (condition, params) = matching(isp, filter);
    let text = format!("select count(*), cast(coalesce(sum(t.amount), 0) as bigint) from payment t where {condition}");
    match tx.row(text, &params).await? {
        Some(row) => Ok((row.get(0)?, row.get(1)?)),
        None => Ok((0, Money::ZERO)),
    }
}

pub async fn payment(tx: &Tx, isp: IspId, id: PaymentId) -> Result<Option<Payment>, Error> {
    let row = tx.row(sql!(text!(Payment::SELECT, "where t.isp_id = $1 and t.id = $2")), &params![isp, id]).await?;
    row.map(|row| Payment::from_row(&row)).transpose()
}

/// The payment with a provider's reference, both in their one spelling.
pub async fn payment_by_reference(
    tx: &Tx,
    isp: IspId,
    provider: &str,
    reference_key: &str,
) -> Result<Option<Payment>, Error> {
    let row = tx
        .row(
            sql!(text!(Payment::SELECT, "where t.isp_id = $1 and t.provider = $2 and t.reference_key = $3")),
            &params![isp, provider, reference_key],
        )
        .await?;
    row.map(|row| Payment::from_row(&row)).transpose()
}

/// `false` when the provider's reference has paid already; whoever writes it at this moment is waited for.
pub async fn insert_payment(tx: &Tx, row: &Payment) -> Result<bool, Error> {
    let rows = vec![row.values()];
    Ok(tx.insert_many(Payment::INSERT, "on conflict (isp_id, provider, reference_key) do nothing", rows).await? > 0)
}

/// The numbers of a series in order, for the proof that there is no gap.
pub async fn numbers(tx: &Tx, isp: IspId, series: &str) -> Result<Vec<i64>, Error> {
    let rows = tx
        .rows(
            sql!("select number from invoice where isp_id = $1 and series = $2 order by number"),
            &params![isp, series],
        )
        .await?;
    rows.iter().map(|row| row.get(0)).collect()
}
