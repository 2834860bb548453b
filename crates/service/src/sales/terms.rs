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
    sales::{
        line_price::{self, LinePrice},
        terms,
    },
};

use crate::{
    Actor, App, Change, Error, PlanVersion,
    catalogue::plans::{self, Offer},
    kernel::hold::primary,
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
    let plan = priced(tx, service, version).await?;
    Ok(match terms::find(tx, version.isp_id, service).await? {
        Some(own) => PlanTerms { limit: own.limit(plan.limit), ..plan.less(own.discount()) },
        None => plan,
    })
}

/// The plan's terms at the line's own price, where it has one on this plan; or billed as another plan is.
async fn priced(tx: &Tx, service: ServiceId, version: &PlanVersion) -> Result<PlanTerms, Error> {
    let listed = plans::terms(version);
    let own = line_price::find(tx, version.isp_id, service).await?.filter(|own| own.plan_id == version.plan_id);
    let Some(own) = own else { return Ok(listed) };
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
    let Some((price, tax_inclusive)) = own else {
        return Ok(line_price::clear(change.tx, change.isp, line.id).await?);
    };
    let row = LinePrice {
        isp_id: change.isp,
        service_id: line.id,
        plan_id: line.plan_id,
        price: Some(price),
        tax_inclusive: Some(tax_inclusive),
        billed_plan: None,
        billed_version: None,
        updated_at: change.now,
    };
    Ok(line_price::put(change.tx, &row).await?)
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
    let before = line_price::find(change.tx, change.isp, line).await?.filter(|own| own.plan_id == sold.0);
    let row = match before {
        Some(own) => LinePrice { plan_id: next, updated_at: change.now, ..own },
        None => LinePrice {
            isp_id: change.isp,
            service_id: line,
            plan_id: next,
            price: None,
            tax_inclusive: None,
            billed_plan: Some(sold.0),
            billed_version: Some(sold.1),
            updated_at: change.now,
        },
    };
    Ok(line_price::put(change.tx, &row).await?)
}

/// The offer as its invoice line says it.
pub(crate) fn offered(offer: &Offer, terms: &PlanTerms) -> Offer {
    let mut offer = offer.clone();
    offer.version.price = terms.price;
    offer.version.tax_ppm = terms.tax.ppm;
    offer.version.tax_inclusive = terms.tax.inclusive;
    offer
}
