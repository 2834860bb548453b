//! How a line stands with fair use, and what comes at this rate of use.

use domain::{
    Bandwidth, CustomerId, Instant,
    catalogue::fup::{self as rules, Coming, Count, Policy},
};
use store::{
    access::fup::{self, Override, Whole},
    people::{
        customer,
        service::{self, Service},
    },
};

use super::{count, in_force, load, own_rates};
use crate::{Actor, App, Error, What};

/// How a customer's primary line stands with fair use.
#[derive(Clone, Debug)]
pub struct Standing {
    pub line: Service,
    pub template: Option<Whole>,
    pub policy: Option<Policy>,
    /// Chosen for the line, rather than its plan's.
    pub chosen: Option<Override>,
    /// In the present cycle.
    pub count: Option<Count>,
    /// The rate without fair use.
    pub own_rates: Option<Bandwidth>,
}

impl Standing {
    pub fn level(&self) -> usize {
        self.policy.as_ref().zip(self.count.as_ref()).map_or(0, |(policy, count)| policy.level(count))
    }

    /// The rate it has now, while its period runs.
    pub fn rates(&self, now: Instant) -> Option<Bandwidth> {
        let fair = self.policy.as_ref().and_then(|policy| policy.rates_at(self.count.as_ref(), now));
        fair.or(self.own_rates)
    }
}

pub async fn standing(app: &App, actor: &Actor, id: CustomerId) -> Result<Standing, Error> {
    let (tenant, who, now) = (app.tenant(actor.isp).await?, actor.clone(), app.clock.now());
    app.db
        .read(async move |tx| {
            let isp = who.isp;
            let owner = customer::find(tx, isp, id).await?.ok_or(Error::NotFound { what: What::Customer })?;
            who.reaches(owner.branch_id)?;
            let line = service::of_customer(tx, isp, id).await?.into_iter().next();
            let line = line.ok_or(Error::NotFound { what: What::Service })?;
            let (template, chosen) = in_force(tx, isp, &line).await?;
            let (policy, whole) = match template {
                Some(template) => (load(tx, isp, template, &tenant.zone).await?, fup::find(tx, isp, template).await?),
                None => (None, None),
            };
            let usage = fup::usage(tx, isp, line.id).await?.filter(|row| Some(row.template_id) == template);
            let count = usage.as_ref().map(count).filter(|count| count.is_of(now));
            let own_rates = own_rates(tx, isp, &line).await?;
            Ok(Standing { line, template: whole, policy, chosen, count, own_rates })
        })
        .await
}

/// What happens within so many days if so much is used a day.
pub async fn preview(
    app: &App,
    actor: &Actor,
    id: CustomerId,
    (up_a_day, down_a_day): (u64, u64),
    days: u32,
) -> Result<Vec<(Instant, Coming)>, Error> {
    let standing = standing(app, actor, id).await?;
    let now = app.clock.now();
    let line = rules::Line {
        policy: standing.policy.as_ref(),
        count: standing.count,
        rates: standing.own_rates,
        quota_left_bytes: service::quota(&standing.line).data_left_bytes().map(|left| left as u64),
        expires_at: standing.line.expires_at,
    };
    let until = now.plus(i64::from(days) * domain::kernel::clock::DAY);
    Ok(rules::preview(&line, now, until, up_a_day, down_a_day))
}
