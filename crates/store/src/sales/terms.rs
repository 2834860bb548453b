//! What one line has besides its plan: a discount, quotas and a price of its own.

use std::collections::HashMap;

use domain::{Discount, Instant, IspId, Limit, Money, OwnQuota, PlanId, ServiceId};

use crate::{
    db::{Error, Tx},
    kernel::{
        conditions::among,
        record::{record, text},
    },
    params, sql,
};

record! {
    Terms of "line_terms" {
        isp_id: IspId,
        service_id: ServiceId,
        /// Off every price; at most one of the two.
        discount_fixed: Option<Money>,
        discount_ppm: Option<i64>,
        /// In the place of the plan's, for every period sold; 0 is unlimited.
        quota_bytes: Option<i64>,
        quota_time_s: Option<i64>,
        /// The price below counts while the line is on this plan: one of its own, or another plan's as it was sold.
        priced_plan: Option<PlanId>,
        price: Option<Money>,
        tax_inclusive: Option<bool>,
        billed_plan: Option<PlanId>,
        billed_version: Option<i64>,
        updated_at: Instant,
    }
}

impl Terms {
    pub fn none(isp: IspId, service: ServiceId, now: Instant) -> Terms {
        Terms {
            isp_id: isp,
            service_id: service,
            discount_fixed: None,
            discount_ppm: None,
            quota_bytes: None,
            quota_time_s: None,
            priced_plan: None,
            price: None,
            tax_inclusive: None,
            billed_plan: None,
            billed_version: None,
            updated_at: now,
        }
    }

    pub fn discount(&self) -> Option<Discount> {
        self.discount_fixed.map(Discount::Fixed).or(self.discount_ppm.map(Discount::Share))
    }

    /// The plan's limit where the subscriber has none of its own.
    pub fn limit(&self, plan: Limit) -> Limit {
        Limit { time_s: self.own_time_s().or(plan.time_s), data_bytes: self.own_bytes().or(plan.data_bytes) }
    }

    pub fn own_bytes(&self) -> OwnQuota {
        OwnQuota::from_kept(self.quota_bytes)
    }

    pub fn own_time_s(&self) -> OwnQuota {
        OwnQuota::from_kept(self.quota_time_s)
    }

    /// The same with what the plan costs: no price of the line's own.
    #[must_use]
    pub fn at_the_plans_price(self) -> Terms {
        let (price, tax_inclusive, billed_version) = (None, None, None);
        Terms { priced_plan: None, price, tax_inclusive, billed_plan: None, billed_version, ..self }
    }
}

pub async fn find(tx: &Tx, isp: IspId, service: ServiceId) -> Result<Option<Terms>, Error> {
    let row =
        tx.row(sql!(text!(Terms::SELECT, "where t.isp_id = $1 and t.service_id = $2")), &params![isp, service]).await?;
    row.map(|row| Terms::from_row(&row)).transpose()
}

/// Of many lines, in one query.
pub async fn of_services(tx: &Tx, isp: IspId, ids: &[ServiceId]) -> Result<HashMap<ServiceId, Terms>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let (list, params) = among(isp, ids.iter().map(|id| id.0));
    let rows = tx.rows(format!("{}where t.isp_id = $1 and t.service_id in ({list})", Terms::SELECT), &params).await?;
    rows.iter().map(|row| Terms::from_row(row).map(|terms| (terms.service_id, terms))).collect()
}

/// Whoever writes has the line locked.
pub async fn put(tx: &Tx, row: &Terms) -> Result<(), Error> {
    const SUFFIX: &str = "on conflict (isp_id, service_id) do update set discount_fixed = excluded.discount_fixed, \
        discount_ppm = excluded.discount_ppm, quota_bytes = excluded.quota_bytes, quota_time_s = excluded.quota_time_s, \
        priced_plan = excluded.priced_plan, price = excluded.price, tax_inclusive = excluded.tax_inclusive, \
        billed_plan = excluded.billed_plan, billed_version = excluded.billed_version, updated_at = excluded.updated_at";
    tx.insert_many(Terms::INSERT, SUFFIX, vec![row.values()]).await.map(drop)
}
