//! What may be said of a subscriber, and how it is put into its rows.

use std::net::Ipv4Addr;

use domain::{
    CustomerId, Discount, Instant, Kind, Mac, Money, OwnQuota, PlanId, RouterId, StaffId, Status,
    billing::ledger::{self, Account, Entry},
};
use store::{
    access::router,
    catalogue::plan,
    customers::subscriber,
    people::{
        place::{self, HOMES, Level},
        profile::Profile,
    },
};

use super::Terms;
use crate::{
    Change, Customer, Error, FieldError, Service, Vault, Why,
    billing::entries::{self, Heading, Of},
    catalogue::plans::{self, Offer},
    customers::customers::{free_network_username, free_username},
    identity::staff,
    kernel::{
        amounts,
        secrets::{portal_place, secret_place},
    },
    plant::site::SiteChange,
    resellers::chain,
    sales::moves,
};
use domain::kernel::names::{login_key, name_key};

/// What may be said of a subscriber. `None` leaves a field as it is; `Some(None)` clears it.
#[derive(Clone, Default, Debug)]
pub struct Details {
    pub username: Option<String>,
    pub full_name: Option<String>,
    /// The portal's; the network's too, where that has none of its own.
    pub password: Option<String>,
    pub network_password: Option<String>,
    pub plan: Option<PlanId>,
    pub salesperson: Option<Option<StaffId>>,
    pub ip: Option<Option<Ipv4Addr>>,
    pub mac: Option<Option<Mac>>,
    pub mac_lock: Option<bool>,
    pub router: Option<RouterId>,
    pub kind: Option<Kind>,
    pub status: Option<Status>,
    pub expires_at: Option<Option<Instant>>,
    /// What the wallet came with; said again, the difference is posted. Below zero is owed.
    pub opening: Option<Money>,
    pub email: Option<Option<String>>,
    pub phone: Option<Option<String>>,
    pub address: Option<Option<String>>,
    pub identity: Option<Option<String>>,
    pub places: [Option<Option<i64>>; 5],
    pub department: Option<Option<i64>>,
    pub latitude: Option<Option<String>>,
    pub longitude: Option<Option<String>>,
    pub auto_renew: Option<bool>,
    pub discount: Option<Option<Discount>>,
    /// Of the subscriber's own, in the place of the plan's.
    pub quota_bytes: Option<OwnQuota>,
    pub quota_time_s: Option<OwnQuota>,
    pub sms: Option<bool>,
    pub email_enabled: Option<bool>,
    /// Days since 1970-01-01.
    pub joined_on: Option<Option<i64>>,
    pub site: SiteChange,
}

/// Everything of a subscriber that a change may touch.
pub(super) struct Rows {
    pub owner: Customer,
    pub line: Service,
    pub profile: Profile,
    pub terms: Terms,
}

/// Puts what is given into the rows. Every reference that is wrong is named.
pub(super) async fn apply(
    change: &Change<'_>,
    vault: &Vault,
    rows: &mut Rows,
    details: &Details,
    is_new: bool,
) -> Result<(), Error> {
    references(change, details).await?;
    let Rows { owner, line, profile, terms } = rows;
    if gives_more(line, terms, details, is_new) {
        chain::sells_nothing(change).await?;
    }
    if let Some(kind) = details.kind {
        line.kind = kind;
    }
    if let Some(username) = &details.username {
        free_username(change, username, Some(owner.id)).await?;
        free_network_username(change, "username", username, Some(line.id)).await?;
        owner.username = username.trim().into();
        owner.username_key = Some(name_key(username));
        line.username = username.trim().into();
        line.username_key = Some(login_key(username));
    }
    secrets(vault, owner, line, details, is_new);
    if let Some(router) = details.router {
        line.router_id = router;
    }
    if let Some(id) = details.plan.filter(|id| *id != line.plan_id) {
        moves::assign(change, line, id).await?;
    }
    if let Some(ends) = details.expires_at.filter(|ends| *ends != line.expires_at) {
        line.expires_at = ends;
        // An end that had come and comes again is no news.
        line.expired_event_at = line.expired_event_at.filter(|_| ends <= Some(change.now)).map(|_| change.now);
        // The anchor of calendar months is this expiry's day from now on.
        line.anchor_day = None;
    }
    contact(owner, profile, details);
    addresses(line, details);
    line.auto_renew = details.auto_renew.unwrap_or(line.auto_renew);
    own_terms(change, line, terms, details).await?;
    if let Some(opening) = details.opening {
        open_wallet(change, owner.id, opening).await?;
    }
    Ok(())
}

/// Whether a subscriber gets time, money, a quota, a discount or another plan by this, without a sale.
fn gives_more(line: &Service, terms: &Terms, details: &Details, is_new: bool) -> bool {
    let other = |given: Option<OwnQuota>, kept| given.is_some_and(|given| given.kept() != kept);
    (!is_new && details.plan.is_some_and(|plan| plan != line.plan_id))
        || details.expires_at.is_some_and(|ends| ends != line.expires_at)
        || details.opening.is_some_and(|opening| opening != Money::ZERO)
        || details.discount.is_some_and(|discount| discount != terms.discount())
        || other(details.quota_bytes, terms.quota_bytes)
        || other(details.quota_time_s, terms.quota_time_s)
}

/// Everything a request names must be there; all that is not is told at once.
async fn references(change: &Change<'_>, details: &Details) -> Result<(), Error> {
    let (tx, isp) = (change.tx, change.isp);
    let mut wrong = Vec::new();
    let mut unknown = |field| wrong.push(FieldError { field, why: Why::Unknown });
    if let Some(id) = details.plan
        && plan::find(tx, isp, id).await?.is_none()
    {
        unknown("plan");
    }
    if let Some(id) = details.router
        && router::find(tx, isp, id).await?.is_none()
    {
        unknown("router");
    }
    if let Some(Some(id)) = details.salesperson
        && staff::at_work(change, id).await?.is_none()
    {
        unknown("salesperson");
    }
    for (level, given) in HOMES.into_iter().zip(details.places) {
        if let Some(Some(id)) = given
            && !place::is_there(tx, isp, level, id).await?
        {
            unknown(level.word());
        }
    }
    if let Some(Some(id)) = details.department
        && !place::is_there(tx, isp, Level::Department, id).await?
    {
        unknown("department");
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
}

pub(super) async fn known_plan(change: &Change<'_>, id: PlanId, has: Option<PlanId>) -> Result<Offer, Error> {
    plans::for_sale(change, id, has).await.map_err(|error| match error {
        Error::NotFound { .. } => Error::invalid("plan", Why::Unknown),
        other => other,
    })
}

fn secrets(vault: &Vault, owner: &mut Customer, line: &mut Service, details: &Details, is_new: bool) {
    let mut network = details.network_password.as_ref();
    if let Some(password) = &details.password {
        let place = portal_place(owner.id);
        let known = owner.portal_secret.as_deref().and_then(|sealed| vault.open(&place, sealed));
        let place = secret_place(line.id);
        let line_known = line.secret.as_deref().and_then(|sealed| vault.open(&place, sealed));
        // A line without a password of its own follows the account's.
        if is_new || (line_known.is_some() && line_known == known) {
            network = network.or(Some(password));
        }
        if known.as_ref() != Some(password) || owner.portal_hash.is_some() {
            owner.portal_secret = Some(vault.seal(&portal_place(owner.id), password));
            owner.portal_hash = None;
        }
    }
    if let Some(password) = network {
        let place = secret_place(line.id);
        // Sealing the same password again would look like a change.
        let known = line.secret.as_deref().and_then(|sealed| vault.open(&place, sealed));
        if known.as_ref() != Some(password) {
            line.secret = Some(vault.seal(&place, password));
        }
    }
}

fn contact(owner: &mut Customer, profile: &mut Profile, details: &Details) {
    if let Some(name) = &details.full_name {
        owner.full_name = name.trim().into();
    }
    let set = |field: &mut Option<String>, given: &Option<Option<String>>| {
        if let Some(given) = given {
            field.clone_from(given);
        }
    };
    set(&mut owner.email, &details.email);
    set(&mut owner.address, &details.address);
    if let Some(phone) = &details.phone {
        owner.phone = phone.clone().unwrap_or_default();
    }
    set(&mut profile.identity_number, &details.identity);
    set(&mut profile.latitude, &details.latitude);
    set(&mut profile.longitude, &details.longitude);
    let fields = [
        &mut profile.country_id,
        &mut profile.province_id,
        &mut profile.city_id,
        &mut profile.area_id,
        &mut profile.subarea_id,
    ];
    for (field, given) in fields.into_iter().zip(details.places) {
        *field = given.unwrap_or(*field);
    }
    profile.department_id = details.department.unwrap_or(profile.department_id);
    profile.salesperson_id = details.salesperson.unwrap_or(profile.salesperson_id);
    profile.sms_enabled = details.sms.unwrap_or(profile.sms_enabled);
    profile.email_enabled = details.email_enabled.unwrap_or(profile.email_enabled);
    profile.joined_on = details.joined_on.unwrap_or(profile.joined_on);
}

fn addresses(line: &mut Service, details: &Details) {
    if let Some(ip) = details.ip {
        line.address = ip.map(|ip| ip.to_string());
    }
    if let Some(mac) = details.mac {
        line.mac = mac.map(|mac| mac.to_string());
    }
    let locked = details.mac_lock.unwrap_or(line.mac_lock != "off");
    line.mac_lock = match (locked, &line.mac) {
        (false, _) => "off",
        (true, Some(_)) => "locked",
        // The first device seen is the one.
        (true, None) => "learn",
    }
    .into();
}

/// Discount and quotas. A quota counts from the running period on; without one the plan's counts again.
async fn own_terms(change: &Change<'_>, line: &mut Service, terms: &mut Terms, details: &Details) -> Result<(), Error> {
    if let Some(discount) = details.discount {
        (terms.discount_fixed, terms.discount_ppm) = match discount {
            None => (None, None),
            Some(Discount::Fixed(amount)) => (Some(amounts::price("discount", amount)?), None),
            Some(Discount::Share(ppm)) => (None, Some(ppm)),
        };
    }
    let before = (terms.quota_bytes, terms.quota_time_s);
    terms.quota_bytes = details.quota_bytes.map_or(terms.quota_bytes, OwnQuota::kept);
    terms.quota_time_s = details.quota_time_s.map_or(terms.quota_time_s, OwnQuota::kept);
    if before != (terms.quota_bytes, terms.quota_time_s) {
        let version = plan::version(change.tx, change.isp, line.plan_id, line.plan_version).await?;
        let limit = terms.limit(version.map(|version| plans::terms(&version).limit).unwrap_or_default());
        if before.0 != terms.quota_bytes {
            line.quota_bytes = limit.data_bytes;
        }
        if before.1 != terms.quota_time_s {
            line.quota_time_s = limit.time_s;
        }
        line.quota_event_ordinal = None;
    }
    Ok(())
}

/// The balance a subscriber came with: credit in the wallet, or owed. Said again, the difference is posted.
async fn open_wallet(change: &Change<'_>, id: CustomerId, opening: Money) -> Result<(), Error> {
    let before = subscriber::opening_balance(change.tx, change.isp, id).await?;
    amounts::signed("previous_balance", opening)?;
    let more = Money(opening.0.saturating_sub(before.0));
    if more == Money::ZERO {
        return Ok(());
    }
    let entry = Entry::new().debit(Account::Cash("opening".into()), more).credit(Account::CustomerWallet(id), more);
    entries::post(change, Heading::new(ledger::Kind::Opening, Of::Customer(id)), entry).await.map(drop)
}
