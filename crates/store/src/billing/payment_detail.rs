//! What is known of payments besides method and reference.

use std::collections::HashMap;

use domain::{Instant, InvoiceId, IspId, Money, PaymentId};

use crate::{
    db::{Error, Tx},
    kernel::{conditions::among, record::record},
    params, sql,
};

record! {
    PaymentDetail of "payment_detail" {
        isp_id: IspId,
        payment_id: PaymentId,
        /// When it was written down; the payment itself is of the day on which it was made.
        recorded_at: Instant,
        /// `yyyy-mm-dd`, as the caller said.
        paid_on: Option<String>,
        bank: Option<String>,
        cheque_number: Option<String>,
        cheque_date: Option<String>,
        /// The end of its number.
        card_hint: Option<String>,
        card_expiration: Option<String>,
        transfer_method: Option<String>,
        gateway_operator: Option<String>,
        notes: Option<String>,
    }
}

/// Details of these payments, of those that have any.
pub async fn of(tx: &Tx, isp: IspId, ids: &[PaymentId]) -> Result<HashMap<PaymentId, PaymentDetail>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let (list, params) = among(isp, ids.iter().map(|id| id.0));
    let text = format!("{}where t.isp_id = $1 and t.payment_id in ({list})", PaymentDetail::SELECT);
    let rows = tx.rows(text, &params).await?;
    rows.iter().map(|row| PaymentDetail::from_row(row).map(|detail| (detail.payment_id, detail))).collect()
}

/// What a payment settled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settled {
    pub invoice: InvoiceId,
    pub series: String,
    pub number: i64,
    pub amount: Money,
}

/// The invoices that a payment settled, in the order of their ids.
pub async fn settled(tx: &Tx, isp: IspId, id: PaymentId) -> Result<Vec<Settled>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select i.id, i.series, i.number, a.amount from payment_allocation a \
                 join invoice i on i.isp_id = a.isp_id and i.id = a.invoice_id \
                 where a.isp_id = $1 and a.payment_id = $2 order by i.id"
            ),
            &params![isp, id],
        )
        .await?;
    rows.iter()
        .map(|row| Ok(Settled { invoice: row.get(0)?, series: row.get(1)?, number: row.get(2)?, amount: row.get(3)? }))
        .collect()
}
