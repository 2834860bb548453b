//! What every use case has at hand.

use std::{collections::HashMap, sync::Arc};

use domain::{Currency, IspId, kernel::money::TaxRate};
use jiff::tz::TimeZone;
use parking_lot::RwLock;
use store::db::{Class, Db};

use crate::{
    Clock, Error, Isp, Vault, What,
    kernel::{
        call::Broken,
        feed::Feed,
        heard::Heard,
        ids::{Ids, Table},
        limits::Limits,
        once::Underway,
        probe::Statistics,
    },
};

/// The core, shared by all doors; clones are cheap.
#[derive(Clone)]
pub struct App {
    pub db: Db,
    pub clock: Clock,
    pub vault: Vault,
    pub ids: Ids,
    pub feed: Feed,
    /// What may happen only so often.
    pub limits: Arc<Limits>,
    /// The calls with keys of their callers.
    pub underway: Arc<Underway>,
    /// Names this process in leases.
    pub node: Arc<str>,
    /// How the RADIUS ports are asked for their figures, where this process has them.
    pub statistics: Statistics,
    tenants: Arc<RwLock<HashMap<IspId, Arc<Tenant>>>>,
    /// Which routers have been noted to report.
    pub(crate) heard: Arc<Heard>,
    /// For those who look what a change leaves behind that fails at its end.
    pub broken: Arc<Broken>,
}

/// An Isp with its zone and currency made ready.
#[derive(Clone, Debug)]
pub struct Tenant {
    pub isp: Isp,
    pub zone: TimeZone,
    pub currency: Currency,
}

impl Tenant {
    pub fn tax(&self) -> TaxRate {
        TaxRate { ppm: self.isp.tax_ppm, inclusive: self.isp.tax_inclusive }
    }
}

impl App {
    pub fn new(db: Db, clock: Clock, vault: Vault, node: &str) -> App {
        App {
            ids: Ids::default(),
            db,
            clock,
            vault,
            feed: Feed::default(),
            heard: Arc::default(),
            limits: Arc::default(),
            underway: Arc::default(),
            broken: Arc::default(),
            node: node.into(),
            statistics: Statistics::default(),
            tenants: Arc::default(),
        }
    }

    /// An id for a row whose secrets are sealed before its transaction begins.
    pub async fn new_id(&self, table: Table) -> Result<i64, Error> {
        self.ids.refill(&self.db).await?;
        let ids = self.ids.clone();
        self.db.tx(Class::Interactive, async move |tx| ids.draw(tx, table).await).await
    }

    /// Ids in a row for many rows at once; the first of them.
    pub async fn new_ids(&self, table: Table, count: i64) -> Result<i64, Error> {
        let ids = self.ids.clone();
        self.db.tx(Class::Bulk, async move |tx| ids.draw_run(tx, table, count).await).await
    }

    /// The tenant, from memory after the first time.
    pub async fn tenant(&self, isp: IspId) -> Result<Arc<Tenant>, Error> {
        if let Some(tenant) = self.tenants.read().get(&isp) {
            return Ok(tenant.clone());
        }
        let row = self.db.read(async move |tx| store::identity::isp::find(tx, isp).await).await?;
        let isp_row = row.ok_or(Error::NotFound { what: What::Isp })?;
        let zone = TimeZone::get(&isp_row.time_zone).unwrap_or(TimeZone::UTC);
        let tenant = Arc::new(Tenant { zone, currency: Currency::new(&isp_row.currency), isp: isp_row });
        self.tenants.write().insert(isp, tenant.clone());
        Ok(tenant)
    }

    /// Every tenant.
    pub async fn tenants(&self) -> Result<Vec<Arc<Tenant>>, Error> {
        let rows = self.db.read(async |tx| store::identity::isp::all(tx).await).await?;
        let mut tenants = Vec::with_capacity(rows.len());
        for row in rows {
            tenants.push(self.tenant(row.isp_id).await?);
        }
        Ok(tenants)
    }
}
