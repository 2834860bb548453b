//! What one subscriber's line has besides its plan: a discount, quotas of its own, what the technician wrote down.

use std::collections::HashMap;

use domain::{Discount, Instant, IspId, Limit, Money, OwnQuota, ServiceId};

use crate::{
    db::{Error, Tx},
    kernel::{
        conditions::among,
        record::{record, text},
    },
    params, sql,
};

record! {
    Terms of "service_terms" {
        isp_id: IspId,
        service_id: ServiceId,
        /// Off every price; at most one of the two.
        discount_fixed: Option<Money>,
        discount_ppm: Option<i64>,
        /// In the place of the plan's, for every period sold; 0 is unlimited.
        quota_bytes: Option<i64>,
        quota_time_s: Option<i64>,
        updated_at: Instant,
    }
}

record! {
    Site of "service_site" {
        isp_id: IspId,
        service_id: ServiceId,
        onu_note: Option<String>,
        box_number: Option<String>,
        box_address: Option<String>,
        switch_board: Option<String>,
        switch_port: Option<String>,
        electric_socket: Option<String>,
        cable_type: Option<String>,
        uplink_port: Option<String>,
        fiber_code: Option<String>,
        fiber_color: Option<String>,
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
}

impl Site {
    pub fn none(isp: IspId, service: ServiceId, now: Instant) -> Site {
        Site {
            isp_id: isp,
            service_id: service,
            onu_note: None,
            box_number: None,
            box_address: None,
            switch_board: None,
            switch_port: None,
            electric_socket: None,
            cable_type: None,
            uplink_port: None,
            fiber_code: None,
            fiber_color: None,
            updated_at: now,
        }
    }
}

pub async fn find(tx: &Tx, isp: IspId, service: ServiceId) -> Result<Option<Terms>, Error> {
    let row =
        tx.row(sql!(text!(Terms::SELECT, "where t.isp_id = $1 and t.service_id = $2")), &params![isp, service]).await?;
    row.map(|row| Terms::from_row(&row)).transpose()
}

/// Whoever writes has the line locked.
pub async fn put(tx: &Tx, row: &Terms) -> Result<(), Error> {
    tx.run(
        sql!("delete from service_terms where isp_id = $1 and service_id = $2"),
        &params![row.isp_id, row.service_id],
    )
    .await?;
    row.insert(tx).await
}

pub async fn site(tx: &Tx, isp: IspId, service: ServiceId) -> Result<Option<Site>, Error> {
    let row =
        tx.row(sql!(text!(Site::SELECT, "where t.isp_id = $1 and t.service_id = $2")), &params![isp, service]).await?;
    row.map(|row| Site::from_row(&row)).transpose()
}

/// Whoever writes has the line locked.
pub async fn put_site(tx: &Tx, row: &Site) -> Result<(), Error> {
    tx.run(
        sql!("delete from service_site where isp_id = $1 and service_id = $2"),
        &params![row.isp_id, row.service_id],
    )
    .await?;
    row.insert(tx).await
}

/// Terms of many lines, in one query.
pub async fn of_services(tx: &Tx, isp: IspId, ids: &[ServiceId]) -> Result<HashMap<ServiceId, Terms>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let (list, params) = among(isp, ids.iter().map(|id| id.0));
    let rows = tx.rows(format!("{}where t.isp_id = $1 and t.service_id in ({list})", Terms::SELECT), &params).await?;
    rows.iter().map(|row| Terms::from_row(row).map(|terms| (terms.service_id, terms))).collect()
}
