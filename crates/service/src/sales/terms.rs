//! What one subscriber has besides its plan: a price, a discount and quotas of its own. They count on every sale, by
//! whichever door it is made.

use domain::{
    CustomerId, Money, PlanId, PlanTerms, ServiceId,
    kernel::{
        event::{EventKind, Subject},
        money::TaxRate,
    },
};
use serde_json::json;
use store::{
    catalogue::plan,
    db::{Class, Tx},
    people::service::Service,
    sales::terms::{self, Terms},
};

use crate::{
    Actor, App, Change, Error, PlanVersion,
    catalogue::plans::{self, Offer},
    kernel::{amounts, hold::primary},
    resellers::chain,
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
    let row = match own {
        None if known.priced_plan.is_none() => return Ok(()),
        None => known.at_the_plans_price(),
        Some((price, tax_inclusive)) => Terms {
            priced_plan: Some(line.plan_id),
            price: Some(amounts::price("price", price)?),
            tax_inclusive: Some(tax_inclusive),
            ..known.at_the_plans_price()
        },
    };
    Ok(terms::put(change.tx, &Terms { updated_at: change.now, ..row }).await?)
}

async fn known(change: &Change<'_>, line: ServiceId) -> Result<Terms, Error> {
    let known = terms::find(change.tx, change.isp, line).await?;
    Ok(known.unwrap_or_else(|| Terms::none(change.isp, line, change.now)))
}

/// Gives a customer's line a price of its own, for as long as it is on its plan; `None`: the plan's again. The second part
/// says whether tax is in it.
pub async fn put_price(app: &App, actor: &Actor, id: CustomerId, own: Option<(Money, bool)>) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        chain::sells_nothing(change).await?;
        let line = primary(change, &who, id).await?;
        set_price(change, &line, own).await?;
        let body = json!({ "customer": id.0, "price": own.map(|(price, _)| price.0) });
        change.event(EventKind::ServiceChanged, Subject::Service(line.id.0), body);
        Ok(())
    })
    .await
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
