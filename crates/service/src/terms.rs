//! What one subscriber has besides its plan: a discount and quotas of its own. They count on every sale, by whichever
//! door it is made.

use domain::{PlanTerms, ServiceId};
use store::terms;

use crate::{Change, Error, PlanVersion, plans, plans::Offer};

/// A plan's terms as they are for this line.
pub(crate) async fn of_line(
    change: &Change<'_>,
    service: ServiceId,
    version: &PlanVersion,
) -> Result<PlanTerms, Error> {
    let plan = plans::terms(version);
    Ok(match terms::find(change.tx, change.isp, service).await? {
        Some(own) => PlanTerms { limit: own.limit(plan.limit), ..plan.less(own.discount()) },
        None => plan,
    })
}

/// The offer as its invoice line says it.
pub(crate) fn offered(offer: &Offer, terms: &PlanTerms) -> Offer {
    let mut offer = offer.clone();
    offer.version.price = terms.price;
    offer
}
