//! As what a line was sold.

use store::{catalogue::plan, people::service::Service};

use super::plans::Offer;
use crate::Error;

/// The plan and version of a line; each is read once for a whole list.
pub(crate) async fn sold_under(
    tx: &store::db::Tx,
    service: &Service,
    seen: &mut Vec<Offer>,
) -> Result<Option<Offer>, Error> {
    let same = |offer: &&Offer| offer.plan.id == service.plan_id && offer.version.version == service.plan_version;
    if let Some(offer) = seen.iter().find(same) {
        return Ok(Some(offer.clone()));
    }
    let plan = plan::any(tx, service.isp_id, service.plan_id).await?;
    let version = plan::version(tx, service.isp_id, service.plan_id, service.plan_version).await?;
    let offer = plan.zip(version).map(|(plan, version)| Offer { plan, version });
    seen.extend(offer.clone());
    Ok(offer)
}
