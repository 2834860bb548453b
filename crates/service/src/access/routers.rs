//! Routers: who may ask RADIUS, and where CoA goes.

use domain::{Instant, RouterId, access::senders::Senders};
use store::{
    access::router::{self, Router},
    db::Class,
};

use crate::{
    Actor, App, By, Error, Expected, Fact, FieldError, What, Why,
    kernel::{
        change::{Change, unchanged},
        ids::Table,
        secrets::router_place,
    },
};
use domain::kernel::names::name_key;

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
    let wrong = wrong(RouterChange {
        name: Some(command.name.clone()),
        vendor: Some(command.vendor.clone()),
        network: Some(command.network.clone()),
        secret: Some(command.secret.clone()),
        ma_policy: Some(command.ma_policy.clone()),
        ..RouterChange::default()
    });
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    let id = RouterId(app.new_id(Table::Router).await?);
    let secret = app.vault.seal(&router_place(id), &command.secret);
    app.change(actor, Class::Interactive, async move |change| {
        let routers = router::of_isp(change.tx, change.isp).await?;
        let key = name_key(&command.name);
        if routers.iter().any(|known| known.name_key.as_deref() == Some(key.as_str())) {
            return Err(Error::invalid("name", Why::Taken));
        }
        of_no_other(change, &command.network).await?;
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
        change.tell(Fact::RouterCreated { router: id, name: command.name.trim().into() });
        Ok(id)
    })
    .await
}

/// `None` leaves a field as it is.
#[derive(Clone, Default, Debug)]
pub struct RouterChange {
    pub name: Option<String>,
    pub vendor: Option<String>,
    pub network: Option<String>,
    pub nas_identifier: Option<Option<String>>,
    pub secret: Option<String>,
    pub coa_port: Option<u16>,
    pub ma_policy: Option<String>,
    /// The router must be as it was changed then.
    pub unchanged_since: Option<Instant>,
}

/// What of it cannot be, by itself.
fn wrong(command: RouterChange) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    let mut check = |right: bool, field, why| {
        if !right {
            wrong.push(FieldError { field, why });
        }
    };
    let RouterChange { name, vendor, network, secret, ma_policy, .. } = command;
    check(name.is_none_or(|name| !name.trim().is_empty()), "name", Why::Required);
    check(vendor.is_none_or(|vendor| VENDORS.contains(&vendor.as_str())), "vendor", Why::NotOneOf(VENDORS));
    let policy = ma_policy.is_none_or(|policy| MA_POLICIES.contains(&policy.as_str()));
    check(policy, "ma_policy", Why::NotOneOf(MA_POLICIES));
    let network = network.is_none_or(|network| parse_network(&network).is_some());
    check(network, "network", Why::Not(Expected::Network));
    check(secret.as_ref().is_none_or(|secret| !secret.is_empty()), "secret", Why::Required);
    check(secret.is_none_or(|secret| secret.len() <= 128), "secret", Why::TooLong { max: 128 });
    wrong
}

/// Takes effect with the next packet.
pub async fn update(app: &App, actor: &Actor, id: RouterId, command: RouterChange) -> Result<Router, Error> {
    actor.writes()?;
    let wrong = wrong(command.clone());
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    let secret = command.secret.as_ref().map(|secret| app.vault.seal(&router_place(id), secret));
    app.change(actor, Class::Interactive, async move |change| {
        let before = router::find(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Router })?;
        unchanged(command.unchanged_since, before.updated_at)?;
        let mut row = before.clone();
        if let Some(name) = &command.name {
            let key = name_key(name);
            let routers = router::of_isp(change.tx, change.isp).await?;
            if routers.iter().any(|known| known.id != id && known.name_key.as_deref() == Some(key.as_str())) {
                return Err(Error::invalid("name", Why::Taken));
            }
            row.name = name.trim().into();
            row.name_key = Some(key);
        }
        if let Some(network) = &command.network
            && *network != row.network
        {
            of_no_other(change, network).await?;
        }
        row.vendor = command.vendor.clone().unwrap_or(row.vendor);
        row.network = command.network.clone().unwrap_or(row.network);
        row.nas_identifier = command.nas_identifier.clone().unwrap_or(row.nas_identifier);
        row.secret = secret.clone().unwrap_or(row.secret);
        row.coa_port = command.coa_port.map_or(row.coa_port, i64::from);
        if let Some(policy) = &command.ma_policy
            && *policy != row.ma_policy
        {
            row.ma_policy = policy.clone();
            // What was learned before counts no more.
            row.ma_seen = false;
        }
        if row == before {
            return Ok(row);
        }
        row.updated_at = change.now;
        router::update(change.tx, &row).await?;
        change.tell(Fact::RouterUpdated { router: id, name: row.name.clone() });
        Ok(row)
    })
    .await
}

/// Refuses a network that covers, or lies inside, one of another provider's: it would take that one's packets. Writes of this
/// class are serializable, so that of two nodes that write at the same moment one is told.
async fn of_no_other(change: &Change<'_>, network: &str) -> Result<(), Error> {
    let mut senders = Senders::default();
    for row in eldest_first(router::all(change.tx).await?).iter().filter(|row| row.isp_id != change.isp) {
        if let Some(theirs) = parse_network(&row.network) {
            senders.claim(row.isp_id, theirs);
        }
    }
    match parse_network(network) {
        Some(asked) if !senders.claim(change.isp, asked) => Err(Error::invalid("network", Why::Taken)),
        Some(_) | None => Ok(()),
    }
}

/// The rows that packets are looked up in. Of rows of two providers that overlap, which only a database of before can
/// hold, the elder counts: the younger's packets are dropped, and the log names both providers' rows for the operator.
pub(crate) fn heard(rows: Vec<Router>) -> Vec<Router> {
    let mut senders = Senders::default();
    let mut heard = eldest_first(rows);
    heard.retain(|row| {
        // What is no network is nobody's; whoever reads the row says so.
        let counts = parse_network(&row.network).is_none_or(|network| senders.claim(row.isp_id, network));
        if !counts {
            let (isp, router, network) = (row.isp_id.0, row.id.0, row.network.as_str());
            tracing::warn!(
                isp,
                router,
                network,
                "this router is not heard: an elder router of another provider has its address"
            );
        }
        counts
    });
    heard
}

fn eldest_first(mut rows: Vec<Router>) -> Vec<Router> {
    rows.sort_by_key(|row| (row.created_at, row.isp_id, row.id));
    rows
}

/// Soft: its packets are dropped from now on. Refused while lines, vouchers or plans are its own.
pub async fn delete(app: &App, actor: &Actor, id: RouterId, since: Option<Instant>) -> Result<(), Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        let mut row = router::find(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Router })?;
        unchanged(since, row.updated_at)?;
        let (lines, vouchers) = router::used_by(change.tx, change.isp, id).await?;
        let plans = store::catalogue::plan::plans_on_router(change.tx, change.isp, id).await?;
        for (count, by) in [(lines, By::Customer), (plans, By::Plan), (vouchers, By::Voucher)] {
            if count > 0 {
                return Err(Error::InUse { what: What::Router, by });
            }
        }
        row.deleted_at = Some(change.now);
        row.updated_at = change.now;
        row.name_key = None;
        router::update(change.tx, &row).await?;
        change.tell(Fact::RouterDeleted { router: id, name: row.name });
        Ok(())
    })
    .await
}

/// Equipment is the whole Isp's (docs/readings.md 2.4).
pub async fn show(app: &App, actor: &Actor, id: RouterId) -> Result<Router, Error> {
    actor.sees_all()?;
    let isp = actor.isp;
    let found = app.db.read(async move |tx| router::find(tx, isp, id).await).await?;
    found.ok_or(Error::NotFound { what: What::Router })
}

pub async fn list(app: &App, actor: &Actor) -> Result<Vec<Router>, Error> {
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| router::of_isp(tx, isp).await).await?)
}

/// The UDP port CoA and Disconnect of a router go to.
pub async fn set_coa_port(app: &App, actor: &Actor, id: RouterId, port: u16) -> Result<(), Error> {
    actor.writes()?;
    app.change(actor, Class::Interactive, async move |change| {
        let row = router::find(change.tx, change.isp, id).await?.ok_or(Error::NotFound { what: What::Router })?;
        if row.coa_port != i64::from(port) {
            router::set_coa_port(change.tx, change.isp, id, port.into(), change.now).await?;
            change.tell(Fact::RouterCoaPortSet { router: id, coa_port: port.into() });
        }
        Ok(())
    })
    .await
}

/// A router under `learn` sent a valid Message-Authenticator: it is required from now on, also after a restart.
pub async fn remember_ma(app: &App, actor: &Actor, id: RouterId) -> Result<(), Error> {
    app.change(actor, Class::Interactive, async move |change| {
        router::remember_ma(change.tx, change.isp, id).await?;
        change.tell(Fact::RouterSigns { router: id });
        Ok(())
    })
    .await
}

/// `10.0.0.1` or `10.0.0.0/24`.
pub fn parse_network(text: &str) -> Option<ipnet::IpNet> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(ipnet::IpNet::from))
}
