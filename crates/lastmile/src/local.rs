//! Commands that work on the database themselves, without the server: routers, API clients and staff of one ISP.

use std::{path::Path, sync::Arc};

use anyhow::bail;
use service::{Actor, App, Clock, kernel::app::Tenant};

use crate::{lock::Lock, server, settings::Settings};

/// An ISP with its database open, which nobody else has on SQLite.
pub struct Local {
    pub app: App,
    pub tenant: Arc<Tenant>,
    pub settings: Settings,
    _lock: Option<Lock>,
}

impl Local {
    /// The ISP of this name, or the only one.
    pub async fn open(config: &Path, isp: Option<&str>) -> anyhow::Result<Local> {
        let settings = Settings::load(config)?;
        let location = settings.location()?;
        let _lock = server::lock(&location)?;
        let app = server::core(server::open(&location).await?, Clock::System, settings.vault()?);
        let mut tenants = app.tenants().await?;
        tenants.retain(|tenant| isp.is_none_or(|name| tenant.isp.name == name));
        match &tenants[..] {
            [tenant] => Ok(Local { tenant: tenant.clone(), app, settings, _lock }),
            [] => bail!("there is no such ISP"),
            [_, _, ..] => bail!("there are several ISPs: say which one with --isp"),
        }
    }

    pub fn actor(&self) -> Actor {
        Actor::system(self.tenant.isp.isp_id)
    }
}
