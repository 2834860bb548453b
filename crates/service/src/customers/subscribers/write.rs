//! Subscribers made and changed: every row of one in one transaction.

use domain::{
    CustomerId, Limit, PeriodId, PlanId, RouterId, ServiceId, Status,
    kernel::event::{EventKind, Subject},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    access::router,
    db::Class,
    people::{
        customer,
        profile::{self, Profile},
        service,
    },
    sales::terms,
};

use super::{
    Details, Terms,
    details::{Rows, apply, known_plan},
};
use crate::{
    Actor, App, Change, Customer, Error, Service, What, Why,
    catalogue::plans::{self, Offer},
    kernel::work::Work,
    kernel::{change::CallerKey, ids::Table},
    plant::site,
    sales::{
        sale::{Opening, insert, opened},
        standing, starts, turning,
    },
};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Made {
    pub customer_id: i64,
    pub username: String,
}

/// Makes a subscriber with what `details` says; username, name, password and plan are there.
pub async fn create(
    app: &App,
    actor: &Actor,
    branch: Option<domain::BranchId>,
    details: Details,
    key: Option<CallerKey>,
) -> Result<Made, Error> {
    actor.writes()?;
    let tenant = app.tenant(actor.isp).await?;
    let customer_id = CustomerId(app.new_id(Table::Customer).await?);
    let service_id = ServiceId(app.new_id(Table::Service).await?);
    let (vault, branch) = (app.vault.clone(), actor.branch.or(branch));
    app.change_once(actor, key, async move |change| {
        let offer = known_plan(change, details.plan.unwrap_or(PlanId(0)), None).await?;
        let router = match details.router {
            Some(id) => id,
            None => usual_router(change, &offer).await?,
        };
        let mut rows = Rows {
            owner: blank_customer(change, customer_id, branch),
            line: blank_line(change, service_id, customer_id, &offer, router),
            profile: Profile::of(change.isp, customer_id, change.now),
            terms: Terms::none(change.isp, service_id, change.now),
        };
        let limit = plans::terms(&offer.version).limit;
        rows.line.quota_bytes = limit.data_bytes;
        rows.line.quota_time_s = limit.time_s;
        apply(change, &vault, &mut rows, &details, true).await?;
        rows.line.status = details.status.unwrap_or(match rows.line.expires_at {
            Some(_) => Status::Active,
            None => Status::Pending,
        });
        // The time a subscriber came with is a period that nobody paid here.
        if let Some(ends) = rows.line.expires_at {
            let id = PeriodId(change.id(Table::Period).await?);
            let limit = Limit { time_s: rows.line.quota_time_s, data_bytes: rows.line.quota_bytes };
            let opening = Opening { id, ends_at: Some(ends), limit: Some(limit), reason: "opening" };
            let period = opened(change, &tenant, &mut rows.line, &offer, opening);
            insert(change, vec![period]).await?;
        }
        let Rows { owner, line, profile, terms } = rows;
        let made = Made { customer_id: customer_id.0, username: owner.username.clone() };
        change.event(
            EventKind::CustomerCreated,
            Subject::Customer(customer_id.0),
            json!({ "username": made.username }),
        );
        change.event(EventKind::ServiceChanged, Subject::Service(service_id.0), json!({ "customer": customer_id.0 }));
        site::apply(change, &line, &details.site).await?;
        customer::insert(change.tx, change.isp, vec![(owner, Some(line))]).await?;
        profile.insert(change.tx).await?;
        terms.insert(change.tx).await?;
        Ok(made)
    })
    .await
}

/// Changes what is given, in one transaction. Credentials, address, plan and quota reach live sessions at once.
pub async fn update(app: &App, actor: &Actor, id: CustomerId, details: Details) -> Result<(), Error> {
    actor.writes()?;
    let (vault, who) = (app.vault.clone(), actor.clone());
    app.change(actor, Class::Interactive, async move |change| {
        let owner = customer::lock(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
        who.reaches(owner.branch_id)?;
        let line = service::lock_of_customer(change.tx, change.isp, id).await?.into_iter().next();
        let line = line.ok_or(Error::NotFound { what: What::Customer })?;
        let profile = profile::find(change.tx, change.isp, id).await?;
        let own = terms::find(change.tx, change.isp, line.id).await?;
        let mut rows = Rows {
            profile: profile.unwrap_or_else(|| Profile::of(change.isp, id, change.now)),
            terms: own.unwrap_or_else(|| Terms::none(change.isp, line.id, change.now)),
            owner,
            line,
        };
        let before = (rows.owner.clone(), rows.line.clone());
        let beside = (rows.profile.clone(), rows.terms.clone());
        apply(change, &vault, &mut rows, &details, false).await?;
        if details.status == Some(Status::Active) {
            starts::begin(change, &mut rows.line).await?;
        }
        if let Some(status) = details.status {
            standing::set(change, &mut rows.line, status, "set by update")?;
        }
        let sited = site::apply(change, &rows.line, &details.site).await?;
        save(change, rows, before, beside, sited).await
    })
    .await
}

async fn save(
    change: &Change<'_>,
    rows: Rows,
    (owner_before, line_before): (Customer, Service),
    (profile_before, terms_before): (Profile, Terms),
    sited: bool,
) -> Result<(), Error> {
    let Rows { mut owner, mut line, mut profile, mut terms } = rows;
    let told = owner != owner_before || profile != profile_before || sited || terms != terms_before;
    if told {
        owner.updated_at = change.now.max(owner_before.updated_at.plus(1));
        customer::update(change.tx, &owner).await?;
        let body = json!({ "username": owner.username });
        change.event(EventKind::CustomerUpdated, Subject::Customer(owner.id.0), body);
    }
    if profile != profile_before {
        profile.updated_at = change.now;
        profile::put(change.tx, &profile).await?;
    }
    if terms != terms_before {
        terms.updated_at = change.now;
        terms::put(change.tx, &terms).await?;
    }
    if line != line_before {
        turning::tell(change, &line_before, &mut line, "set by update");
        line.updated_at = change.now;
        service::update(change.tx, &line).await?;
        let login_changed = line.username_key != line_before.username_key
            || line.secret != line_before.secret
            || line.address != line_before.address
            || (line.mac.as_ref(), &line.mac_lock) != (line_before.mac.as_ref(), &line_before.mac_lock)
            || line.kind != line_before.kind;
        // Another package has told itself.
        if line.plan_id == line_before.plan_id {
            change.event(EventKind::ServiceChanged, Subject::Service(line.id.0), json!({ "customer": owner.id.0 }));
        }
        change.order(Work::Converge { line: line.id, disconnect: login_changed, touched: None }).await?;
    }
    Ok(())
}

/// The plan's router, else the Isp's first.
async fn usual_router(change: &Change<'_>, offer: &Offer) -> Result<RouterId, Error> {
    let first = router::of_isp(change.tx, change.isp).await?.into_iter().next().map(|router| router.id);
    offer.plan.router_id.or(first).ok_or(Error::invalid("router", Why::Required))
}

fn blank_customer(change: &Change<'_>, id: CustomerId, branch: Option<domain::BranchId>) -> Customer {
    Customer::new(customer::New {
        isp: change.isp,
        id,
        branch,
        username: String::new(),
        portal_secret: None,
        full_name: String::new(),
        phone: String::new(),
        email: None,
        address: None,
        building: None,
        at: change.now,
    })
}

fn blank_line(change: &Change<'_>, id: ServiceId, customer: CustomerId, offer: &Offer, router: RouterId) -> Service {
    Service::new(service::New {
        isp: change.isp,
        id,
        customer,
        ordinal: 1,
        kind: offer.plan.kind,
        status: Status::Pending,
        reason: Some("created".into()),
        username: String::new(),
        secret: None,
        plan: offer.plan.id,
        plan_version: offer.version.version,
        router,
        address: None,
        mac: None,
        tied: offer.plan.mac_lock,
        at: change.now,
    })
}
