//! Routers: who may ask RADIUS, and where CoA goes.

use domain::{
    RouterId,
    event::{EventKind, Subject},
};
use serde_json::json;
use store::{
    db::Class,
    router::{self, Router},
};

use crate::{Actor, App, Error, Why, ids::Table, setup::name_key};

pub const VENDORS: &[&str] =
    &["mikrotik", "cisco", "chillispot", "wispr", "huawei", "juniper", "nokia", "hostapd", "other"];
pub const MA_POLICIES: &[&str] = &["require", "learn", "legacy"];

#[derive(Clone, Debug)]
pub struct NewRouter {
    pub name: String,
    pub vendor: String,
    /// An address or CIDR its packets come from.
    pub network: String,
    pub nas_identifier: Option<String>,
    pub secret: String,
    pub coa_port: u16,
    pub ma_policy: String,
    pub api_address: Option<String>,
}

pub async fn create(app: &App, actor: &Actor, command: NewRouter) -> Result<RouterId, Error> {
    actor.writes()?;
    let mut wrong = Vec::new();
    let mut check = |right: bool, field, why| {
        if !right {
            wrong.push(crate::FieldError { field, why });
        }
    };
    check(!command.name.trim().is_empty(), "name", Why::Required);
    check(VENDORS.contains(&command.vendor.as_str()), "vendor", Why::NotOneOf(VENDORS));
    check(MA_POLICIES.contains(&command.ma_policy.as_str()), "ma_policy", Why::NotOneOf(MA_POLICIES));
    check(parse_network(&command.network).is_some(), "network", Why::Not("an address or network"));
    check(!command.secret.is_empty(), "secret", Why::Required);
    check(command.secret.len() <= 128, "secret", Why::TooLong { max: 128 });
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    let id = RouterId(app.new_id(Table::Router).await?);
    let secret = app.vault.seal(&secret_place(id), &command.secret);
    app.change(actor, Class::Interactive, async move |change| {
        let routers = router::of_isp(change.tx, change.isp).await?;
        let key = name_key(&command.name);
        if routers.iter().any(|known| known.name_key.as_deref() == Some(key.as_str())) {
            return Err(Error::invalid("name", Why::Taken));
        }
        Router {
            isp_id: change.isp,
            id,
            branch_id: None,
            name: command.name.trim().into(),
            name_key: Some(key),
            vendor: command.vendor.clone(),
            network: command.network.clone(),
            nas_identifier: command.nas_identifier.clone(),
            secret: secret.clone(),
            coa_port: command.coa_port.into(),
            ma_policy: command.ma_policy.clone(),
            ma_seen: false,
            api_address: command.api_address.clone(),
            api_user: None,
            api_secret: None,
            created_at: change.now,
            updated_at: change.now,
            deleted_at: None,
        }
        .insert(change.tx)
        .await?;
        change.event(EventKind::RouterCreated, Subject::Router(id.0), json!({ "name": command.name.trim() }));
        Ok(id)
    })
    .await
}

pub async fn list(app: &App, actor: &Actor) -> Result<Vec<Router>, Error> {
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| router::of_isp(tx, isp).await).await?)
}

/// The UDP port CoA and Disconnect of a router go to.
pub async fn set_coa_port(app: &App, actor: &Actor, id: RouterId, port: u16) -> Result<(), Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        let row = router::find(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: "router" })?;
        if row.coa_port != i64::from(port) {
            router::set_coa_port(change.tx, change.isp, id, port.into(), change.now).await?;
            change.event(EventKind::RouterUpdated, Subject::Router(id.0), json!({ "coa_port": port }));
        }
        Ok(())
    })
    .await
}

/// A router under `learn` sent a valid Message-Authenticator: it is required from now on, also after a restart.
pub async fn remember_ma(app: &App, actor: &Actor, id: RouterId) -> Result<(), Error> {
    app.change(actor, Class::Interactive, async move |change| {
        router::remember_ma(change.tx, change.isp, id).await?;
        change.event(EventKind::RouterUpdated, Subject::Router(id.0), json!({ "ma_seen": true }));
        Ok(())
    })
    .await
}

/// `10.0.0.1` or `10.0.0.0/24`.
pub fn parse_network(text: &str) -> Option<ipnet::IpNet> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(ipnet::IpNet::from))
}

/// Where a router's RADIUS secret belongs.
pub fn secret_place(id: RouterId) -> String {
    format!("router:{id}:secret")
}
