//! Services (lines), their attributes, and the periods sold to them.

use std::net::Ipv4Addr;

use domain::{
    BandwidthId, CustomerId, Instant, InvoiceId, IspId, Kind, Mac, Money, PeriodId, PlanId, Quota, RouterId, ServiceId,
    Status,
    access::{
        binding,
        decide::{self, Reason},
    },
    catalogue::validity::Running,
    kernel::names::login_key,
};

use crate::{
    db::{Error, Tx},
    kernel::record::{record, records, text},
    params,
    people::roster,
    sql,
};

record! {
    kept Service of "service" {
        isp_id: IspId,
        id: ServiceId,
        customer_id: CustomerId,
        /// 1 is the customer's primary service.
        ordinal: i64,
        kind: Kind,
        status: Status,
        status_reason: Option<String>,
        status_since: Instant,
        /// The network name as written.
        username: String,
        /// Lower-cased and trimmed while live; null frees it.
        username_key: Option<String>,
        /// The network password, sealed.
        secret: Option<Vec<u8>>,
        plan_id: PlanId,
        plan_version: i64,
        router_id: RouterId,
        bound_to_router: bool,
        address: Option<String>,
        address6: Option<String>,
        /// off, learn, locked.
        mac_lock: String,
        mac: Option<String>,
        /// Overrides the plan's.
        bandwidth_id: Option<BandwidthId>,
        shared_users: Option<i64>,
        /// How many periods have been sold.
        period_ordinal: i64,
        period_started_at: Option<Instant>,
        expires_at: Option<Instant>,
        /// Set once the present expiry has been acted on.
        expired_event_at: Option<Instant>,
        anchor_day: Option<i64>,
        quota_time_s: Option<i64>,
        quota_bytes: Option<i64>,
        used_time_s: i64,
        used_bytes: i64,
        /// The period whose used-up quota has been acted on.
        quota_event_ordinal: Option<i64>,
        auto_renew: bool,
        first_used_at: Option<Instant>,
        last_login_at: Option<Instant>,
        created_at: Instant,
        updated_at: Instant,
        deleted_at: Option<Instant>,
    }
}

/// A line to be made; everything else of it is as a line begins.
#[derive(Clone, Debug)]
pub struct New {
    pub isp: IspId,
    pub id: ServiceId,
    pub customer: CustomerId,
    /// 1 is the customer's primary service.
    pub ordinal: i64,
    pub kind: Kind,
    pub status: Status,
    /// Why it stands so.
    pub reason: Option<String>,
    /// As it is written; it is kept without spaces around it.
    pub username: String,
    /// The network password, sealed; `None`: a voucher's code alone leads to it.
    pub secret: Option<Vec<u8>>,
    pub plan: PlanId,
    pub plan_version: i64,
    pub router: RouterId,
    pub address: Option<Ipv4Addr>,
    pub mac: Option<Mac>,
    /// One device alone logs in: this one, else the first one seen.
    pub tied: bool,
    pub at: Instant,
}

impl Service {
    /// A line to which nothing has been sold.
    pub fn new(new: New) -> Service {
        let New {
            isp,
            id,
            customer,
            ordinal,
            kind,
            status,
            reason,
            username,
            secret,
            plan,
            plan_version,
            router,
            address,
            mac,
            tied,
            at,
        } = new;
        Service {
            isp_id: isp,
            id,
            customer_id: customer,
            ordinal,
            kind,
            status,
            status_reason: reason,
            status_since: at,
            username_key: Some(login_key(&username)),
            username: username.trim().into(),
            secret,
            plan_id: plan,
            plan_version,
            router_id: router,
            bound_to_router: false,
            address: address.map(|address| address.to_string()),
            address6: None,
            mac_lock: binding::lock(tied, mac.is_some()).into(),
            mac: mac.map(|mac| mac.to_string()),
            bandwidth_id: None,
            shared_users: None,
            period_ordinal: 0,
            period_started_at: None,
            expires_at: None,
            expired_event_at: None,
            anchor_day: None,
            quota_time_s: None,
            quota_bytes: None,
            used_time_s: 0,
            used_bytes: 0,
            quota_event_ordinal: None,
            auto_renew: false,
            first_used_at: None,
            last_login_at: None,
            created_at: at,
            updated_at: at,
            deleted_at: None,
        }
    }
}

record! {
    /// A RADIUS attribute of one subscriber: `==` compares with the request, everything else goes into the reply.
    Attribute of "service_attribute" {
        isp_id: IspId,
        id: i64,
        service_id: ServiceId,
        attribute: String,
        op: String,
        value: String,
        created_at: Instant,
    }
}

record! {
    Period of "period" {
        isp_id: IspId,
        id: PeriodId,
        service_id: ServiceId,
        ordinal: i64,
        customer_id: CustomerId,
        plan_id: PlanId,
        plan_version: i64,
        starts_at: Instant,
        ends_at: Instant,
        price: Money,
        /// sold, complimentary.
        reason: String,
        invoice_id: Option<InvoiceId>,
        created_at: Instant,
    }
}

pub async fn find(tx: &Tx, isp: IspId, id: ServiceId) -> Result<Option<Service>, Error> {
    let row = tx
        .row(
            sql!(text!(Service::SELECT, "where t.isp_id = $1 and t.id = $2 and t.deleted_at is null")),
            &params![isp, id],
        )
        .await?;
    row.map(|row| Service::from_row(&row)).transpose()
}

/// The live services of a customer, the primary one first.
pub async fn of_customer(tx: &Tx, isp: IspId, customer: CustomerId) -> Result<Vec<Service>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Service::SELECT,
                "where t.isp_id = $1 and t.customer_id = $2 and t.deleted_at is null order by t.ordinal"
            )),
            &params![isp, customer],
        )
        .await?;
    records(rows, Service::from_row)
}

/// The newest periods of these services, in no order.
pub async fn last_periods(tx: &Tx, isp: IspId, services: &[ServiceId]) -> Result<Vec<Period>, Error> {
    if services.is_empty() {
        return Ok(Vec::new());
    }
    let (list, params) = crate::kernel::conditions::among(isp, services.iter().map(|id| id.0));
    let text = format!(
        "{}join service s on s.isp_id = t.isp_id and s.id = t.service_id and s.period_ordinal = t.ordinal \
         where t.isp_id = $1 and t.service_id in ({list})",
        Period::SELECT
    );
    records(tx.rows(text, &params).await?, Period::from_row)
}

pub async fn by_username(tx: &Tx, isp: IspId, username_key: &str) -> Result<Option<Service>, Error> {
    let row = tx
        .row(sql!(text!(Service::SELECT, "where t.isp_id = $1 and t.username_key = $2")), &params![isp, username_key])
        .await?;
    row.map(|row| Service::from_row(&row)).transpose()
}

/// Live services after `(isp, id)` in that order, for loading the directory in pages.
pub async fn page_after(tx: &Tx, isp: IspId, id: ServiceId, limit: i64) -> Result<Vec<Service>, Error> {
    let rows = tx
        .rows(
            sql!(text!(
                Service::SELECT,
                "where (t.isp_id, t.id) > ($1, $2) and t.deleted_at is null order by t.isp_id, t.id limit $3"
            )),
            &params![isp, id, limit],
        )
        .await?;
    records(rows, Service::from_row)
}

/// Everything of a service may change; whoever changes it has it locked and has read it in the same transaction.
pub async fn update(tx: &Tx, row: &Service) -> Result<(), Error> {
    tx.run(
        sql!(
            "update service set kind = $3, status = $4, status_reason = $5, status_since = $6, username = $7, \
             username_key = $8, secret = $9, plan_id = $10, plan_version = $11, router_id = $12, \
             bound_to_router = $13, address = $14, address6 = $15, mac_lock = $16, mac = $17, bandwidth_id = $18, \
             shared_users = $19, period_ordinal = $20, period_started_at = $21, expires_at = $22, \
             expired_event_at = $23, anchor_day = $24, quota_time_s = $25, quota_bytes = $26, used_time_s = $27, \
             used_bytes = $28, quota_event_ordinal = $29, auto_renew = $30, updated_at = $31, deleted_at = $32 \
             where isp_id = $1 and id = $2"
        ),
        &params![
            row.isp_id,
            row.id,
            row.kind,
            row.status,
            &row.status_reason,
            row.status_since,
            &row.username,
            &row.username_key,
            &row.secret,
            row.plan_id,
            row.plan_version,
            row.router_id,
            row.bound_to_router,
            &row.address,
            &row.address6,
            &row.mac_lock,
            &row.mac,
            row.bandwidth_id,
            row.shared_users,
            row.period_ordinal,
            row.period_started_at,
            row.expires_at,
            row.expired_event_at,
            row.anchor_day,
            row.quota_time_s,
            row.quota_bytes,
            row.used_time_s,
            row.used_bytes,
            row.quota_event_ordinal,
            row.auto_renew,
            row.updated_at,
            row.deleted_at
        ],
    )
    .await?;
    roster::line_changed(tx, row).await
}

/// Services past their validity whose expiry nobody has acted on, the longest overdue first.
pub async fn due(tx: &Tx, now: Instant, limit: i64) -> Result<Vec<(IspId, ServiceId)>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select isp_id, id from service where expires_at <= $1 and deleted_at is null \
                 and expired_event_at is null order by expires_at limit $2"
            ),
            &params![now, limit],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Lets up to `limit` running periods between two username keys end at `now`; which lines they were.
pub async fn end_periods(
    tx: &Tx,
    isp: IspId,
    from: &str,
    below: &str,
    limit: i64,
    now: Instant,
) -> Result<Vec<(ServiceId, CustomerId)>, Error> {
    let rows = tx
        .rows(
            sql!(
                "update service set expires_at = $5, expired_event_at = null, updated_at = $5 \
                 where isp_id = $1 and id in (select id from service where isp_id = $1 and username_key >= $2 \
                 and username_key < $3 and expires_at > $5 order by username_key limit $4) \
                 returning id, customer_id, ordinal"
            ),
            &params![isp, from, below, limit, now],
        )
        .await?;
    let mut primary = Vec::with_capacity(rows.len());
    for row in &rows {
        if row.get::<i64>(2)? == 1 {
            primary.push(row.get(1)?);
        }
    }
    roster::periods_ended(tx, isp, &primary, now).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

pub async fn learn_mac(tx: &Tx, isp: IspId, id: ServiceId, mac: &str) -> Result<bool, Error> {
    let changed = tx
        .run(
            sql!(
                "update service set mac = $3, mac_lock = 'locked' where isp_id = $1 and id = $2 and mac_lock = 'learn'"
            ),
            &params![isp, id, mac],
        )
        .await?;
    Ok(changed > 0)
}

pub async fn logged_in(tx: &Tx, isp: IspId, id: ServiceId, at: Instant) -> Result<(), Error> {
    tx.run(
        sql!("update service set last_login_at = $3 where isp_id = $1 and id = $2 and coalesce(last_login_at, 0) < $3"),
        &params![isp, id, at],
    )
    .await
    .map(drop)
}

pub async fn attributes(tx: &Tx, isp: IspId, service: ServiceId) -> Result<Vec<Attribute>, Error> {
    let rows = tx
        .rows(
            sql!(text!(Attribute::SELECT, "where t.isp_id = $1 and t.service_id = $2 order by t.id")),
            &params![isp, service],
        )
        .await?;
    records(rows, Attribute::from_row)
}

/// Whether there was such an attribute.
pub async fn remove_attribute(tx: &Tx, isp: IspId, service: ServiceId, id: i64) -> Result<bool, Error> {
    let removed = tx
        .run(
            sql!("delete from service_attribute where isp_id = $1 and service_id = $2 and id = $3"),
            &params![isp, service, id],
        )
        .await?;
    Ok(removed > 0)
}

/// Every subscriber attribute of every tenant, for the directory.
pub async fn all_attributes(tx: &Tx) -> Result<Vec<Attribute>, Error> {
    let rows = tx.rows(sql!(text!(Attribute::SELECT, "order by t.isp_id, t.service_id, t.id")), &params![]).await?;
    records(rows, Attribute::from_row)
}

pub async fn periods(tx: &Tx, isp: IspId, service: ServiceId) -> Result<Vec<Period>, Error> {
    let rows = tx
        .rows(
            sql!(text!(Period::SELECT, "where t.isp_id = $1 and t.service_id = $2 order by t.ordinal")),
            &params![isp, service],
        )
        .await?;
    records(rows, Period::from_row)
}

/// As [`of_customer`], locked until the transaction ends: usage reported meanwhile waits.
pub async fn lock_of_customer(tx: &Tx, isp: IspId, customer: CustomerId) -> Result<Vec<Service>, Error> {
    let rows = tx
        .rows_locked(
            sql!(text!(
                Service::SELECT,
                "where t.isp_id = $1 and t.customer_id = $2 and t.deleted_at is null order by t.ordinal"
            )),
            &params![isp, customer],
        )
        .await?;
    records(rows, Service::from_row)
}

impl Service {
    /// Why it is off at `now`, by what staff decided, by time or by quota; `None`: it runs.
    pub fn off(&self, now: Instant) -> Option<Reason> {
        decide::off(self.status, self.expires_at, &quota(self), now)
    }

    pub fn is_running(&self, now: Instant) -> bool {
        self.off(now).is_none()
    }

    /// The end of its time, where that is to come.
    pub fn time_left(&self, now: Instant) -> Option<Instant> {
        self.expires_at.filter(|end| *end > now)
    }
}

/// The running period as the rule sees it.
pub fn running(service: &Service, next: PlanId) -> Option<Running> {
    Some(Running {
        expires_at: service.expires_at?,
        anchor_day: service.anchor_day.map(|day| day as u8),
        same_plan: service.plan_id == next,
    })
}

pub fn quota(service: &Service) -> Quota {
    Quota {
        limit: domain::Limit { time_s: service.quota_time_s, data_bytes: service.quota_bytes },
        used_time_s: service.used_time_s,
        used_bytes: service.used_bytes,
    }
}
