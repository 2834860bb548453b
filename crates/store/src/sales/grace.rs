//! Days of grace given to lines.

use domain::{CustomerId, Instant, IspId, ServiceId};

use crate::{
    db::{Error, Tx},
    kernel::{
        conditions::among,
        record::{record, records, text},
    },
    params, sql,
};

record! {
    /// A line's time was moved on without a sale.
    Grace of "grace" {
        isp_id: IspId,
        id: i64,
        service_id: ServiceId,
        customer_id: CustomerId,
        days: i64,
        /// Where the time would have ended, or now where it had ended before.
        from_at: Instant,
        /// Where it ends since.
        until_at: Instant,
        /// `staff:3`, `api:12`, `system`.
        actor: String,
        created_at: Instant,
    }
}

/// Every grace of a line, the newest first.
pub async fn of_service(tx: &Tx, isp: IspId, service: ServiceId) -> Result<Vec<Grace>, Error> {
    let rows = tx
        .rows(
            sql!(text!(Grace::SELECT, "where t.isp_id = $1 and t.service_id = $2 order by t.id desc limit 100")),
            &params![isp, service],
        )
        .await?;
    records(rows, Grace::from_row)
}

/// Which of these lines live on grace: the end of their time is one that a grace set, and not a sale.
pub async fn standing(tx: &Tx, isp: IspId, services: &[ServiceId]) -> Result<Vec<Grace>, Error> {
    if services.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = among(isp, services.iter().map(|id| id.0));
    let text = format!(
        "{}join service s on s.isp_id = t.isp_id and s.id = t.service_id and s.expires_at = t.until_at \
         where t.isp_id = $1 and t.service_id in ({list}) order by t.id",
        Grace::SELECT
    );
    records(tx.rows(text, &params).await?, Grace::from_row)
}
