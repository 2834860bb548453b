//! What one subscriber has besides its plan: a price, a discount and quotas of its own. They count on every sale, by
//! whichever door it is made.

use domain::{Discount, Limit, Money, OwnQuota, PlanId, PlanTerms, ServiceId, kernel::money::TaxRate};
use store::{
    catalogue::plan,
    db::Tx,
    people::service::Service,
    sales::terms::{self, Terms},
};

use crate::{
    Change, Error, PlanVersion,
    catalogue::plans::{self, Offer},
    kernel::amounts,
};

/// A plan's terms as they are for this line.
pub(crate) async fn of_line(
    change: &Change<'_>,
    service: ServiceId,
    version: &PlanVersion,
) -> Result<PlanTerms, Error> {
    of(change.tx, service, version).await
}

/// As [`of_line`], to be looked at.
pub(crate) async fn of(tx: &Tx, service: ServiceId, version: &PlanVersion) -> Result<PlanTerms, Error> {
    Ok(match terms::find(tx, version.isp_id, service).await? {
        Some(own) => {
            let plan = priced(tx, &own, version).await?;
            PlanTerms { limit: own.limit(plan.limit), ..plan.less(own.discount()) }
        }
        None => plans::terms(version),
    })
}

/// The plan's terms at the line's own price, where it has one on this plan; or billed as another plan is.
async fn priced(tx: &Tx, own: &Terms, version: &PlanVersion) -> Result<PlanTerms, Error> {
    let listed = plans::terms(version);
    if own.priced_plan != Some(version.plan_id) {
        return Ok(listed);
    }
    let billed = match own.billed_plan.zip(own.billed_version) {
        Some((plan, number)) => plan::version(tx, version.isp_id, plan, number).await?,
        None => None,
    };
    let billed = billed.map_or(listed, |billed| PlanTerms { limit: listed.limit, ..plans::terms(&billed) });
    let inclusive = own.tax_inclusive.unwrap_or(billed.tax.inclusive);
    Ok(PlanTerms { price: own.price.unwrap_or(billed.price), tax: TaxRate { inclusive, ..billed.tax }, ..billed })
}

/// A price of the line's own on the plan it has; `None`: the plan's again.
pub(crate) async fn set_price(change: &Change<'_>, line: &Service, own: Option<(Money, bool)>) -> Result<(), Error> {
    let known = known(change, line.id).await?;
    if own.is_none() && known.priced_plan.is_none() {
        return Ok(());
    }
    let row = at_price(known, line.plan_id, own)?;
    Ok(terms::put(change.tx, &Terms { updated_at: change.now, ..row }).await?)
}

async fn known(change: &Change<'_>, line: ServiceId) -> Result<Terms, Error> {
    let known = terms::find(change.tx, change.isp, line).await?;
    Ok(known.unwrap_or_else(|| Terms::none(change.isp, line, change.now)))
}

/// What a line gets of its own. `None` leaves it as it is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Own {
    /// And whether tax is in it; `Some(None)`: the plan's.
    pub price: Option<Option<(Money, bool)>>,
    pub discount: Option<Option<Discount>>,
    pub quota_bytes: Option<OwnQuota>,
    pub quota_time_s: Option<OwnQuota>,
}

/// Writes what is given of a line that is locked, or new; whether anything is different now. A quota counts from the running
/// period on, without one the plan's counts again: the line's row is the caller's to save.
pub(crate) async fn put(change: &Change<'_>, line: &mut Service, own: Own) -> Result<bool, Error> {
    if own == Own::default() {
        return Ok(false);
    }
    let before = known(change, line.id).await?;
    let mut row = before.clone();
    if let Some(price) = own.price {
        row = at_price(row, line.plan_id, price)?;
    }
    if let Some(discount) = own.discount {
        (row.discount_fixed, row.discount_ppm) = match discount {
            None => (None, None),
            Some(Discount::Fixed(amount)) => (Some(amounts::price("discount", amount)?), None),
            Some(Discount::Share(ppm)) => (None, Some(ppm)),
        };
    }
    row.quota_bytes = own.quota_bytes.map_or(row.quota_bytes, OwnQuota::kept);
    row.quota_time_s = own.quota_time_s.map_or(row.quota_time_s, OwnQuota::kept);
    let own = Limit { time_s: row.quota_time_s, data_bytes: row.quota_bytes };
    amounts::quotas(("total_session_quota", "total_data_quota"), own)?;
    if row == before {
        return Ok(false);
    }
    terms::put(change.tx, &Terms { updated_at: change.now, ..row.clone() }).await?;
    let other = (row.quota_bytes != before.quota_bytes, row.quota_time_s != before.quota_time_s);
    if other != (false, false) {
        let version = plan::version(change.tx, change.isp, line.plan_id, line.plan_version).await?;
        let limit = row.limit(version.map(|version| plans::terms(&version).limit).unwrap_or_default());
        if other.0 {
            line.quota_bytes = limit.data_bytes;
        }
        if other.1 {
            line.quota_time_s = limit.time_s;
        }
        line.quota_event_ordinal = None;
    }
    Ok(true)
}

/// Terms with a price of the line's own on the plan it has, or without one.
fn at_price(known: Terms, plan: PlanId, own: Option<(Money, bool)>) -> Result<Terms, Error> {
    Ok(match own {
        None => known.at_the_plans_price(),
        Some((price, tax_inclusive)) => Terms {
            priced_plan: Some(plan),
            price: Some(amounts::price("price", price)?),
            tax_inclusive: Some(tax_inclusive),
            ..known.at_the_plans_price()
        },
    })
}

/// The line goes to another plan and is billed as it was: at its own price, or at the price and for the time of `sold`,
/// the plan and version it had.
pub(crate) async fn keep_price(
    change: &Change<'_>,
    line: ServiceId,
    sold: (PlanId, i64),
    next: PlanId,
) -> Result<(), Error> {
    let known = known(change, line).await?;
    let row = match known.priced_plan {
        Some(plan) if plan == sold.0 => known,
        _ => Terms { billed_plan: Some(sold.0), billed_version: Some(sold.1), ..known.at_the_plans_price() },
    };
    Ok(terms::put(change.tx, &Terms { priced_plan: Some(next), updated_at: change.now, ..row }).await?)
}

/// The offer as its invoice line says it.
pub(crate) fn offered(offer: &Offer, terms: &PlanTerms) -> Offer {
    let mut offer = offer.clone();
    offer.version.price = terms.price;
    offer.version.tax_ppm = terms.tax.ppm;
    offer.version.tax_inclusive = terms.tax.inclusive;
    offer
}
