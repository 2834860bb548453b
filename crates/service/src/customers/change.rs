//! Customers changed and deleted. Every door says what it wants as one [`Edit`], which is made in one transaction: a part
//! that is refused changes nothing, and what is as it was tells nothing.

use std::net::Ipv4Addr;

use domain::{
    BandwidthId, CustomerId, Instant, Kind, Mac, PlanId, RouterId, Status,
    access::binding,
    kernel::names::{login_key, name_key},
};
use store::{
    access::router,
    catalogue::plan,
    db::Class,
    people::{
        customer::{self, Customer},
        service::{self, Service},
    },
};

use super::{
    beside::{self, Beside},
    card,
    create::login_field,
    portal_password::{self, Kept},
};
use crate::{
    Actor, App, Change, Error, Expected, Fact, FieldError, Refusal, Vault, What, Why,
    access::{
        attribute_stages, bindings,
        fup::{self, Chosen},
    },
    billing::credit,
    kernel::{
        app::Tenant,
        hold::{Held, hold},
        secrets::{portal_place, secret_place},
        work::Work,
    },
    sales::{
        by_hand::{self, Override},
        moves, standing, starts, turning,
    },
};

/// What is to be different about a customer and its primary line; a status is that of all its lines. `None` leaves a field
/// as it is, `Some(None)` clears it.
#[derive(Clone, Default, Debug)]
pub struct Edit {
    /// The caller read the customer as it was then.
    pub unchanged_since: Option<Instant>,

    pub full_name: Option<String>,
    /// Empty for none.
    pub phone: Option<String>,
    pub email: Option<Option<String>>,
    pub address: Option<Option<String>>,
    pub building: Option<Option<i64>>,

    /// The account's name; the network's too of a line whose kind has none of its own.
    pub username: Option<String>,
    pub portal_password: Option<String>,
    pub network_username: Option<String>,
    pub network_password: Option<String>,
    pub follows: Follows,

    pub status: Option<Status>,
    pub means: Means,
    /// Staff's words for the status.
    pub reason: Option<String>,
    /// When a line that waits for its start begins; `Some(None)` is now. A status said with it is what it becomes then.
    pub starts_at: Option<Option<Instant>>,
    /// When its period ends.
    pub ends_at: Option<Option<Instant>>,

    pub kind: Option<Kind>,
    pub router: Option<RouterId>,
    /// Another plan without a sale: the running period keeps its end.
    pub plan: Option<PlanId>,
    pub ip: Option<Option<Ipv4Addr>>,
    pub mac: Option<Option<Mac>>,
    /// Whether one device alone logs in.
    pub tied: Option<bool>,
    /// The line's own rates; `Some(None)`: the plan's.
    pub speed: Option<Option<BandwidthId>>,
    /// The line's own fair use; `Some(None)`: the plan's.
    pub fair_use: Option<Option<Chosen>>,

    pub beside: Beside,
}

/// What a status that is said is compared with.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Means {
    /// What the line is: one whose time is over is not active.
    #[default]
    Standing,
    /// What staff decided last, whatever time has done since: said again, it changes nothing (docs/readings.md Z7).
    Decision,
}

/// Which of the account's and the line's passwords follows the other.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Follows {
    /// Lines whose kind has no login of its own, hotspot and static ones, follow the account.
    #[default]
    Kind,
    /// Lines that log in with the account's present one follow it.
    Password,
    /// None: the account follows its line, where that gets another one.
    Account,
}

/// Makes an edit. Credentials, address, plan and terms reach live sessions at once.
pub async fn update(app: &App, actor: &Actor, id: CustomerId, edit: Edit) -> Result<(), Error> {
    actor.writes()?;
    let (tenant, vault, who) = (app.tenant(actor.isp).await?, app.vault.clone(), actor.clone());
    app.change(actor, Class::Interactive, async move |change| put(change, &who, (&tenant, &vault), id, &edit).await)
        .await
}

/// As [`update`], as a part of a change.
pub(crate) async fn put(
    change: &Change<'_>,
    who: &Actor,
    (tenant, vault): (&Tenant, &Vault),
    id: CustomerId,
    edit: &Edit,
) -> Result<(), Error> {
    let held = hold(change, who, id).await?;
    let (mut owner, mut lines) = (held.owner.clone(), held.lines.clone());
    let line = lines.first_mut().ok_or(Error::NotFound { what: What::Service })?;
    unchanged(change, &held, edit.unchanged_since).await?;
    let building = edit.building.flatten().filter(|id| Some(*id) != owner.building_id);
    references(change, building, edit).await?;

    contact(&mut owner, edit);
    names(change, &mut owner, line, edit).await?;
    passwords(change, vault, &mut owner, line, edit).await?;
    through(line, edit);
    let own = line.clone();
    let different = beside::apply(change, Some(&mut owner), line, &edit.beside).await?;
    if line.address != held.lines[0].address {
        if let Some(address) = edit.ip.flatten().filter(|_| edit.beside.takes_address_over) {
            bindings::take_over(change, address, Some(line.id)).await?;
        }
        bindings::fix(change, line).await?;
    }
    if own != held.lines[0] || own.auto_renew != line.auto_renew || different.devices {
        change.tell(Fact::LineChanged { line: line.id, customer: id });
    }
    if different.terms {
        change.tell(Fact::LineTermsChanged { line: line.id, customer: id });
        turning::tell(change, &own, line, "set by update");
    }
    if different.site {
        change.tell(Fact::LineSiteChanged { line: line.id, customer: id });
    }
    let given = allowed(change, tenant, line, edit).await?;
    if given || different.terms || different.wallet {
        change.by_no_reseller().await?;
    }
    stand(change, &mut lines, edit).await?;

    if owner != held.owner || different.person {
        owner.updated_at = change.now.max(held.owner.updated_at.plus(1));
        customer::update(change.tx, &owner).await?;
        change.tell(Fact::CustomerUpdated { customer: id, username: owner.username });
    }
    for (at, (line, before)) in lines.iter_mut().zip(&held.lines).enumerate() {
        save(change, line, before, at == 0 && different.devices).await?;
    }
    Ok(())
}

/// The customer is as the caller read it.
async fn unchanged(change: &Change<'_>, held: &Held, since: Option<Instant>) -> Result<(), Error> {
    let Some(since) = since else { return Ok(()) };
    let line = held.lines.first();
    let site = match line {
        Some(line) => store::plant::site::find(change.tx, change.isp, line.id).await?,
        None => None,
    };
    if card::changed(&held.owner, line, site.as_ref()) == since { Ok(()) } else { Err(Error::Changed) }
}

/// Everything an edit names must be there; all that is not is told at once.
async fn references(change: &Change<'_>, building: Option<i64>, edit: &Edit) -> Result<(), Error> {
    let mut wrong = beside::unknown(change, building, &edit.beside.profile).await?;
    let mut miss = |field| wrong.push(FieldError { field, why: Why::Unknown });
    if let Some(id) = edit.plan
        && plan::any(change.tx, change.isp, id).await?.is_none()
    {
        miss("plan");
    }
    if let Some(id) = edit.router
        && router::find(change.tx, change.isp, id).await?.is_none()
    {
        miss("router");
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
}

fn contact(owner: &mut Customer, edit: &Edit) {
    if let Some(name) = &edit.full_name {
        owner.full_name = name.trim().into();
    }
    owner.phone = edit.phone.clone().unwrap_or_else(|| owner.phone.clone());
    owner.email = edit.email.clone().unwrap_or_else(|| owner.email.clone());
    owner.address = edit.address.clone().unwrap_or_else(|| owner.address.clone());
    owner.building_id = edit.building.unwrap_or(owner.building_id);
}

/// What account and line are called.
async fn names(change: &Change<'_>, owner: &mut Customer, line: &mut Service, edit: &Edit) -> Result<(), Error> {
    line.kind = edit.kind.unwrap_or(line.kind);
    if let Some(name) = &edit.username {
        let holder = customer::by_username(change.tx, change.isp, &name_key(name)).await?;
        if holder.is_some_and(|holder| holder.id != owner.id) {
            return Err(Error::invalid("username", Why::Taken));
        }
        owner.username = name.trim().into();
        owner.username_key = Some(name_key(name));
    }
    let follows = edit.username.as_ref().filter(|_| has_no_login(line.kind));
    if let Some(name) = edit.network_username.as_ref().or(follows) {
        let holder = service::by_username(change.tx, change.isp, &login_key(name)).await?;
        if holder.is_some_and(|holder| holder.id != line.id) {
            return Err(Error::invalid(login_field(line.kind), Why::Taken));
        }
        line.username = name.trim().into();
        line.username_key = Some(login_key(name));
    }
    Ok(())
}

/// Lines of these kinds log in with their account's name and password.
fn has_no_login(kind: Kind) -> bool {
    match kind {
        Kind::Hotspot | Kind::Static => true,
        Kind::Pppoe | Kind::Other => false,
    }
}

async fn passwords(
    change: &Change<'_>,
    vault: &Vault,
    owner: &mut Customer,
    line: &mut Service,
    edit: &Edit,
) -> Result<(), Error> {
    let place = (portal_place(owner.id), secret_place(line.id));
    let opened = |place: &str, sealed: &Option<Vec<u8>>| vault.open(place, sealed.as_deref()?);
    let (portal, network) = (opened(&place.0, &owner.portal_secret), opened(&place.1, &line.secret));
    let follows = match edit.follows {
        Follows::Kind => has_no_login(line.kind),
        Follows::Password => network.is_some() && network == portal,
        Follows::Account => false,
    };
    let followed = match edit.follows {
        Follows::Account => edit.network_password.as_ref().filter(|password| network.as_ref() != Some(*password)),
        Follows::Kind | Follows::Password => None,
    };
    let given = edit.portal_password.as_ref().or(followed);
    // Sealing the same password again would look like a change.
    if let Some(password) = given
        && (portal.as_ref() != Some(password) || owner.portal_hash.is_some())
    {
        portal_password::put(change, owner, Kept::Sealed(vault.seal(&place.0, password)), None).await?;
    }
    let given = edit.network_password.as_ref().or(given.filter(|_| follows));
    if let Some(password) = given
        && network.as_ref() != Some(password)
    {
        line.secret = Some(vault.seal(&place.1, password));
    }
    Ok(())
}

/// Through which router, with which address and device.
fn through(line: &mut Service, edit: &Edit) {
    line.router_id = edit.router.unwrap_or(line.router_id);
    if let Some(ip) = edit.ip {
        line.address = ip.map(|ip| ip.to_string());
    }
    if let Some(mac) = edit.mac {
        line.mac = mac.map(|mac| mac.to_string());
    }
    if edit.mac.is_some() || edit.tied.is_some() {
        let tied = edit.tied.unwrap_or(line.mac_lock != binding::lock(false, false));
        line.mac_lock = binding::lock(tied, line.mac.is_some()).into();
    }
}

/// Plan, end, rates, fair use: what the line gets without a sale. Each tells itself; whether anything is different.
async fn allowed(change: &Change<'_>, tenant: &Tenant, line: &mut Service, edit: &Edit) -> Result<bool, Error> {
    let before = line.clone();
    if let Some(plan) = edit.plan {
        moves::assign(change, line, plan).await?;
    }
    if let Some(end) = edit.ends_at {
        by_hand::apply(change, tenant, line, Override::End(end)).await?;
    }
    if let Some(rates) = edit.speed {
        by_hand::apply(change, tenant, line, Override::Speed(rates)).await?;
    }
    let fair = match &edit.fair_use {
        None => false,
        Some(chosen) => {
            attribute_stages::fits(change, line, chosen.as_ref().and_then(Chosen::limit)).await?;
            match chosen {
                None => fup::clear_for(change, line).await?,
                Some(chosen) => fup::choose_for(change, tenant, line, chosen).await?,
            }
        }
    };
    Ok(fair || *line != before)
}

/// The status, now or when the line starts.
async fn stand(change: &Change<'_>, lines: &mut [Service], edit: &Edit) -> Result<(), Error> {
    let mut status = edit.status;
    if let (Some(starts), Some(line)) = (edit.starts_at, lines.first_mut()) {
        match starts {
            Some(at) => return starts::put(change, line, Some(at), status).await,
            None if starts::begin(change, line).await? => status = status.or(Some(Status::Active)),
            None => {}
        }
    }
    let again = edit.means == Means::Decision && lines.iter().all(|line| Some(line.status) == status);
    match status {
        Some(_) if again => Ok(()),
        Some(status) => {
            let reason = edit.reason.as_deref().unwrap_or("set by update");
            standing::put_all(change, lines, status, reason).await.map_err(of_status)
        }
        None => Ok(()),
    }
}

/// In an edit the status is a field like others.
fn of_status(error: Error) -> Error {
    match error {
        Error::Refused(Refusal::RechargeFirst) => Error::invalid("status", Why::Not(Expected::LeftOutExpired)),
        other => other,
    }
}

/// Saves a line that is different, and orders its sessions to follow; with other devices, or another login, they end.
async fn save(change: &Change<'_>, line: &mut Service, before: &Service, devices: bool) -> Result<(), Error> {
    if line == before && !devices {
        return Ok(());
    }
    line.updated_at = change.now.max(before.updated_at.plus(1));
    service::update(change.tx, line).await?;
    let other_login = line.username_key != before.username_key
        || line.secret != before.secret
        || line.address != before.address
        || (&line.mac, &line.mac_lock) != (&before.mac, &before.mac_lock)
        || line.kind != before.kind;
    change.order(if devices || other_login { Work::hang_up(line.id) } else { Work::follow(line.id) }).await
}

/// How a customer is deleted.
#[derive(Clone, Copy, Default, Debug)]
pub struct Deletion {
    /// The caller read the customer as it was then.
    pub unchanged_since: Option<Instant>,
    /// Bills of which nothing is paid are taken back.
    pub void_bills: bool,
}

/// Soft: rows that money or law refers to stay, secrets go, the usernames are free, sessions end at once.
pub async fn delete(app: &App, actor: &Actor, id: CustomerId, how: Deletion) -> Result<(), Error> {
    actor.writes()?;
    let who = actor.clone();
    app.change(actor, Class::Interactive, async move |change| {
        let held = hold(change, &who, id).await?;
        unchanged(change, &held, how.unchanged_since).await?;
        if how.void_bills {
            credit::void_open(change, id).await?;
        }
        let Held { mut owner, lines } = held;
        for mut line in lines {
            line.username_key = None;
            line.secret = None;
            line.deleted_at = Some(change.now);
            line.updated_at = change.now;
            service::update(change.tx, &line).await?;
            bindings::free(change, line.id).await?;
            change.tell(Fact::LineDeleted { line: line.id, customer: Some(id) });
            change.order(Work::hang_up(line.id)).await?;
        }
        owner.username_key = None;
        portal_password::put(change, &mut owner, Kept::Gone, None).await?;
        owner.deleted_at = Some(change.now);
        owner.updated_at = change.now;
        customer::update(change.tx, &owner).await?;
        change.tell(Fact::CustomerDeleted { customer: id, username: owner.username });
        Ok(())
    })
    .await
}
