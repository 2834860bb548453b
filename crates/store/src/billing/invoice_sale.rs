//! What paying an invoice sells: a bill of a package is the price of a period that is not sold yet.

use domain::{InvoiceId, IspId, PeriodId, PlanId, ServiceId};

use crate::{
    db::{Error, Tx},
    kernel::{
        conditions,
        record::{record, text},
    },
    params, sql,
};

record! {
    InvoiceSale of "invoice_sale" {
        isp_id: IspId,
        invoice_id: InvoiceId,
        service_id: ServiceId,
        plan_id: PlanId,
        /// What was sold; `None` while the bill is open.
        period_id: Option<PeriodId>,
    }
}

/// What an invoice is to sell, unless it has sold it.
pub async fn waiting(tx: &Tx, isp: IspId, invoice: InvoiceId) -> Result<Option<InvoiceSale>, Error> {
    let row = tx
        .row(
            sql!(text!(InvoiceSale::SELECT, "where t.isp_id = $1 and t.invoice_id = $2 and t.period_id is null")),
            &params![isp, invoice],
        )
        .await?;
    row.map(|row| InvoiceSale::from_row(&row)).transpose()
}

/// The open bill of a line's package, if there is one.
pub async fn open_of(tx: &Tx, isp: IspId, service: ServiceId) -> Result<Option<InvoiceSale>, Error> {
    let row = tx
        .row(
            sql!(text!(
                InvoiceSale::SELECT,
                "join invoice i on i.isp_id = t.isp_id and i.id = t.invoice_id \
                 where t.isp_id = $1 and t.service_id = $2 and t.period_id is null \
                 and i.status in ('unpaid', 'partial') order by t.invoice_id limit 1"
            )),
            &params![isp, service],
        )
        .await?;
    row.map(|row| InvoiceSale::from_row(&row)).transpose()
}

/// Which of these invoices sell something, or have sold it.
pub async fn among(tx: &Tx, isp: IspId, invoices: &[InvoiceId]) -> Result<Vec<InvoiceId>, Error> {
    if invoices.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = conditions::among(isp, invoices.iter().map(|id| id.0));
    let text = format!("select invoice_id from invoice_sale where isp_id = $1 and invoice_id in ({list})");
    tx.rows(text, &params).await?.iter().map(|row| row.get(0)).collect()
}

/// How many open bills promise a plan.
pub async fn promised(tx: &Tx, isp: IspId, plan: PlanId) -> Result<i64, Error> {
    let row = tx
        .row(
            sql!(
                "select count(*) from invoice_sale t join invoice i on i.isp_id = t.isp_id and i.id = t.invoice_id \
                 where t.isp_id = $1 and t.plan_id = $2 and t.period_id is null \
                 and i.status in ('unpaid', 'partial')"
            ),
            &params![isp, plan],
        )
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}

pub async fn sold(tx: &Tx, isp: IspId, invoice: InvoiceId, period: PeriodId) -> Result<(), Error> {
    tx.run(
        sql!("update invoice_sale set period_id = $3 where isp_id = $1 and invoice_id = $2"),
        &params![isp, invoice, period],
    )
    .await
    .map(drop)
}

pub async fn forget(tx: &Tx, isp: IspId, invoice: InvoiceId) -> Result<(), Error> {
    tx.run(
        sql!("delete from invoice_sale where isp_id = $1 and invoice_id = $2 and period_id is null"),
        &params![isp, invoice],
    )
    .await
    .map(drop)
}
