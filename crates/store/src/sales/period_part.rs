//! What a change of package looks at: periods that are not over, and what their sales moved.

use domain::{Instant, InvoiceId, IspId, PeriodId, ServiceId};

use crate::{
    db::{Error, Tx, Value},
    kernel::{
        conditions::among,
        record::{record, records, text},
    },
    params,
    people::service::Period,
    sql,
};

record! {
    /// A period sold as a part of a package's validity.
    Part of "period_part" {
        isp_id: IspId,
        period_id: PeriodId,
        /// Seconds of the package.
        sold_s: i64,
    }
}

/// More periods than these are bought in advance by nobody.
const MOST: i64 = 200;

/// A service's periods that end after `now`, the newest first.
pub async fn unfinished(tx: &Tx, isp: IspId, service: ServiceId, now: Instant) -> Result<Vec<Period>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Period::SELECT,
                "where t.isp_id = $1 and t.service_id = $2 and t.ends_at > $3 order by t.ordinal desc limit $4"
            )),
            &params![isp, service, now, MOST],
        )
        .await?;
    records(rows, Period::from_row)
}

/// What of these periods was sold as a part.
pub async fn parts(tx: &Tx, isp: IspId, periods: &[PeriodId]) -> Result<Vec<Part>, Error> {
    if periods.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = among(isp, periods.iter().map(|id| id.0));
    let text = format!("{}where t.isp_id = $1 and t.period_id in ({list})", Part::SELECT);
    records(tx.rows(text, &params).await?, Part::from_row)
}

/// How the period of each of these invoices was sold; an invoice without a period is not among them.
pub async fn reasons(tx: &Tx, isp: IspId, invoices: &[InvoiceId]) -> Result<Vec<(InvoiceId, String)>, Error> {
    if invoices.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params): (String, Vec<Value>) = among(isp, invoices.iter().map(|id| id.0));
    let text = format!(
        "select l.invoice_id, p.reason from invoice_line l join period p on p.isp_id = l.isp_id and p.id = l.period_id \
         where l.isp_id = $1 and l.line = 1 and l.invoice_id in ({list})"
    );
    tx.rows(text, &params).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
