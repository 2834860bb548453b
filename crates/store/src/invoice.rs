//! Invoices and payments.

use domain::{CustomerId, Instant, InvoiceId, IspId, Money, PaymentId, PeriodId, PlanId, ServiceId};

use crate::{
    db::{Error, Tx},
    params,
    record::{record, records, text},
    sql,
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
        /// unpaid, partial, paid.
        status: String,
        issued_at: Instant,
        due_at: Instant,
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
        /// The provider's reference, or one we make; unique per method.
        reference: String,
        /// pending, confirmed, refunded.
        state: String,
        plan_id: Option<PlanId>,
        /// As it was called then.
        plan_name: Option<String>,
        invoice_id: Option<InvoiceId>,
        created_at: Instant,
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
