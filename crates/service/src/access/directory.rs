//! What the RADIUS side keeps in memory: services, plans and routers in the rules' own words, read from the database at
//! start and again whenever an event names them.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use domain::{
    BandwidthId, Burst, CustomerId, ExpiryAction, FupTemplateId, Instant, IspId, Kind, Mac, PlanId, PlanTerms, PoolId,
    RouterId, ServiceId, SessionId,
    access::{
        compare::Compare,
        decide::{Choice, Devices, FairUse, MacLock, Network, PlanAccess, Subscriber},
    },
    catalogue::fup::Policy,
};
use store::{
    access::{
        binding::{self, Binding},
        fup, router,
        session::{self, Session},
    },
    catalogue::plan,
    kernel::event::{self, Event},
    people::service::{self, Service},
};

use crate::{App, Error, access::routers, kernel::secrets};

/// One service as a login meets it.
#[derive(Clone, PartialEq, Debug)]
pub struct Profile {
    pub isp: IspId,
    pub service: ServiceId,
    pub customer: CustomerId,
    pub kind: Kind,
    /// Lower-cased and trimmed.
    pub username: Box<str>,
    /// Clear text: CHAP and MS-CHAP need it. `None`: nobody can log in.
    pub secret: Option<Box<str>>,
    pub plan: PlanId,
    pub subscriber: Subscriber,
    pub attributes: Option<Box<[Rule]>>,
    pub used_before: bool,
    /// Which sold period its quota is of.
    pub period_ordinal: i64,
}

/// A RADIUS attribute of one subscriber.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    pub attribute: Box<str>,
    /// How it compares with the request; `None`: it goes into the reply.
    pub check: Option<Compare>,
    pub value: Box<str>,
}

#[derive(Clone, Debug)]
pub struct RouterProfile {
    pub isp: IspId,
    pub id: RouterId,
    pub name: String,
    pub vendor: String,
    pub network: ipnet::IpNet,
    pub nas_identifier: Option<String>,
    pub secret: String,
    pub coa_port: u16,
    /// require, learn or legacy.
    pub ma_policy: String,
    pub ma_seen: bool,
}

/// A pool of ours to allocate from.
#[derive(Clone, Debug)]
pub struct PoolProfile {
    pub isp: IspId,
    pub id: PoolId,
    pub name: String,
    pub ranges: Vec<(std::net::Ipv4Addr, std::net::Ipv4Addr)>,
    pub by_server: bool,
}

/// Everything that is small enough to be read whole.
#[derive(Clone, Default, Debug)]
pub struct World {
    pub plans: HashMap<(IspId, PlanId), Arc<PlanAccess>>,
    /// What a plan is sold under now: a voucher's period begins with a login.
    pub terms: HashMap<(IspId, PlanId), PlanTerms>,
    pub zones: HashMap<IspId, jiff::tz::TimeZone>,
    pub bandwidths: HashMap<(IspId, BandwidthId), domain::Bandwidth>,
    pub policies: HashMap<(IspId, FupTemplateId), Arc<Policy>>,
    pub pools: Vec<PoolProfile>,
    pub routers: Vec<RouterProfile>,
}

pub async fn world(app: &App) -> Result<World, Error> {
    let ((bandwidths, pools, plans), terms, routers, templates) = app
        .db
        .read(async |tx| {
            let routers = router::all(tx).await?;
            Ok::<_, Error>((
                plan::everything(tx).await?,
                plan::all_terms(tx).await?,
                routers,
                fup::everything(tx).await?,
            ))
        })
        .await?;
    let zones: HashMap<IspId, jiff::tz::TimeZone> =
        app.tenants().await?.into_iter().map(|tenant| (tenant.isp.isp_id, tenant.zone.clone())).collect();
    let terms = terms.iter().map(|row| ((row.isp_id, row.plan_id), crate::catalogue::plans::terms(row))).collect();
    let bandwidths: HashMap<_, _> = bandwidths.iter().map(|row| ((row.isp_id, row.id), bandwidth(row))).collect();
    let policies = templates.iter().map(|whole| {
        let isp = whole.template.isp_id;
        let zone = zones.get(&isp).cloned().unwrap_or(jiff::tz::TimeZone::UTC);
        let rates = |id: BandwidthId| bandwidths.get(&(isp, id)).copied();
        ((isp, whole.template.id), Arc::new(crate::access::fup::policy(whole, rates, zone)))
    });
    let policies: HashMap<_, _> = policies.collect();
    let pool_names: HashMap<_, _> = pools.iter().map(|row| ((row.isp_id, row.id), row.name.as_str())).collect();
    let by_id: HashMap<_, _> = plans.iter().map(|row| ((row.isp_id, row.id), row)).collect();
    let network = |isp: IspId, rates: Option<BandwidthId>, pool: Option<PoolId>, list: &Option<String>| Network {
        bandwidth: rates.and_then(|id| bandwidths.get(&(isp, id)).copied()),
        pool: pool.and_then(|id| pool_names.get(&(isp, id))).map(|name| (*name).into()),
        ipv6_pool: None,
        delegated_pool: None,
        address_list: list.as_deref().map(Into::into),
    };
    let sold = |row: &plan::Plan| network(row.isp_id, Some(row.bandwidth_id), row.pool_id, &row.address_list);
    let access = |row: &plan::Plan| PlanAccess {
        network: sold(row),
        shared_users: row.shared_users.clamp(0, u32::MAX as i64) as u32,
        expiry: row.expiry_action,
        expired: match row.expiry_action {
            ExpiryAction::Reject => None,
            ExpiryAction::Restrict => {
                let rates = row.expired_bandwidth_id.or(Some(row.bandwidth_id));
                Some(network(row.isp_id, rates, row.expired_pool_id, &row.expired_address_list))
            }
            ExpiryAction::Fallback => {
                row.fallback_plan_id.and_then(|id| by_id.get(&(row.isp_id, id))).map(|row| sold(row))
            }
        },
        interim_s: row.interim_s.clamp(60, 86_400) as u32,
        idle_timeout_s: row.idle_timeout_s.map(|s| s as u32),
        session_timeout_s: row.session_timeout_s.map(|s| s as u32),
        fup: row.fup_template_id.and_then(|id| policies.get(&(row.isp_id, id)).cloned()),
    };
    let plans = plans.iter().map(|row| ((row.isp_id, row.id), Arc::new(access(row)))).collect();
    let pools = pools.iter().filter(|row| row.deleted_at.is_none()).filter_map(|row| {
        Some(PoolProfile {
            isp: row.isp_id,
            id: row.id,
            name: row.name.clone(),
            ranges: domain::kernel::ranges::parse_ranges(&row.ranges)?,
            by_server: row.allocate == "server",
        })
    });
    let pools = pools.collect();
    let routers = routers::heard(routers).into_iter().filter_map(|row| router_profile(app, row)).collect();
    Ok(World { plans, terms, zones, bandwidths, policies, pools, routers })
}

fn router_profile(app: &App, row: router::Router) -> Option<RouterProfile> {
    let Some(secret) = app.vault.open(&secrets::router_place(row.id), &row.secret) else {
        tracing::error!(router = row.id.0, "the RADIUS secret does not open: is this the right key file?");
        return None;
    };
    Some(RouterProfile {
        isp: row.isp_id,
        id: row.id,
        network: routers::parse_network(&row.network)?,
        name: row.name,
        vendor: row.vendor,
        nas_identifier: row.nas_identifier,
        secret,
        coa_port: row.coa_port.clamp(1, 65_535) as u16,
        ma_policy: row.ma_policy,
        ma_seen: row.ma_seen,
    })
}

pub(crate) fn bandwidth(row: &plan::Bandwidth) -> domain::Bandwidth {
    let kbps = |rate: i64| rate.clamp(0, u32::MAX as i64) as u32;
    let burst = row.burst_down_kbps.zip(row.burst_up_kbps).map(|(down, up)| Burst {
        down_kbps: kbps(down),
        up_kbps: kbps(up),
        threshold_down_kbps: kbps(row.burst_threshold_down_kbps.unwrap_or(row.down_kbps)),
        threshold_up_kbps: kbps(row.burst_threshold_up_kbps.unwrap_or(row.up_kbps)),
        time_s: kbps(row.burst_time_s.unwrap_or(1)),
    });
    let priority = row.priority.map(|p| p.clamp(1, 8) as u8);
    domain::Bandwidth { down_kbps: kbps(row.down_kbps), up_kbps: kbps(row.up_kbps), burst, priority }
}

/// Every profile, page by page: the next page is read while this one is made ready.
pub async fn each_profile(
    app: &App,
    world: &World,
    beside: &Beside,
    mut put: impl FnMut(Profile),
) -> Result<(), Error> {
    const PAGE: i64 = 5000;
    let read = |after: (IspId, ServiceId)| {
        let db = app.db.clone();
        tokio::spawn(
            async move { db.read(async move |tx| service::page_after(tx, after.0, after.1, PAGE).await).await },
        )
    };
    let mut next = read((IspId(0), ServiceId(0)));
    loop {
        let page = next.await.map_err(|error| Error::Internal(error.to_string()))??;
        let Some(last) = page.last() else { return Ok(()) };
        next = read((last.isp_id, last.id));
        for row in page {
            let key = (row.isp_id, row.id);
            let (choice, usage) = (beside.choices.get(&key), beside.usage.get(&key));
            let devices = devices(beside.bindings.get(&key));
            put(profile(app, world, beside.attributes.get(&key), fair_use(world, choice, usage), devices, row));
        }
    }
}

/// What only some services have beside their own row.
#[derive(Default)]
pub struct Beside {
    attributes: HashMap<(IspId, ServiceId), Vec<Rule>>,
    choices: HashMap<(IspId, ServiceId), fup::Override>,
    usage: HashMap<(IspId, ServiceId), fup::Usage>,
    bindings: HashMap<(IspId, ServiceId), Vec<Binding>>,
}

/// That of every service that has some.
pub async fn beside(app: &App) -> Result<Beside, Error> {
    let (attributes, choices, usage, bindings) = app
        .db
        .read(async |tx| {
            let attributes = service::all_attributes(tx).await?;
            let bindings = binding::all(tx).await?;
            Ok::<_, Error>((attributes, fup::all_overrides(tx).await?, fup::all_usage(tx).await?, bindings))
        })
        .await?;
    let mut beside = Beside {
        attributes: HashMap::new(),
        choices: choices.into_iter().map(|row| ((row.isp_id, row.service_id), row)).collect(),
        usage: usage.into_iter().map(|row| ((row.isp_id, row.service_id), row)).collect(),
        bindings: HashMap::new(),
    };
    for row in bindings {
        beside.bindings.entry((row.isp_id, row.service_id)).or_default().push(row);
    }
    for row in attributes {
        beside.attributes.entry((row.isp_id, row.service_id)).or_default().push(rule(row));
    }
    Ok(beside)
}

/// How a service stands with fair use; `None`: nothing used, and its plan decides.
fn fair_use(world: &World, choice: Option<&fup::Override>, usage: Option<&fup::Usage>) -> Option<Box<FairUse>> {
    if choice.is_none() && usage.is_none() {
        return None;
    }
    let choice = choice.map_or(Choice::Plan, |row| match row.template_id {
        None => Choice::Exempt,
        Some(id) => world.policies.get(&(row.isp_id, id)).map_or(Choice::Plan, |policy| Choice::Own(policy.clone())),
    });
    let count = usage.map(|row| (row.template_id, crate::access::fup::count(row)));
    Some(Box::new(FairUse { choice, count, level: usage.map_or(0, |row| row.level.max(0) as usize) }))
}

/// Services whose own rate or own policy is made of these.
pub async fn made_of(
    app: &App,
    isp: IspId,
    bandwidths: Vec<BandwidthId>,
    templates: Vec<FupTemplateId>,
) -> Result<Vec<ServiceId>, Error> {
    if bandwidths.is_empty() && templates.is_empty() {
        return Ok(Vec::new());
    }
    app.db
        .read(async move |tx| {
            let mut services = Vec::new();
            for id in &bandwidths {
                services.extend(fup::services_of_bandwidth(tx, isp, *id).await?);
            }
            for id in &templates {
                services.extend(fup::services_with(tx, isp, *id).await?);
            }
            Ok::<_, Error>(services)
        })
        .await
}

fn rule(row: service::Attribute) -> Rule {
    Rule { attribute: row.attribute.into(), check: Compare::from_word(&row.op), value: row.value.into() }
}

/// Devices beside the first; a row without one binds nothing.
fn devices(rows: Option<&Vec<Binding>>) -> Option<Box<Devices>> {
    let other = |row: &Binding| {
        let address = row.address.as_deref().and_then(|text| text.parse().ok());
        Some((Mac::parse(row.mac.as_deref()?)?, address))
    };
    let others: Vec<_> = rows?.iter().filter_map(other).collect();
    (!others.is_empty()).then(|| Box::new(Devices { others }))
}

/// These services as they are now; `None`: gone.
pub async fn profiles(
    app: &App,
    world: &World,
    isp: IspId,
    ids: Vec<ServiceId>,
) -> Result<Vec<(ServiceId, Option<Profile>)>, Error> {
    let rows = app
        .db
        .read(async move |tx| {
            let mut rows = Vec::with_capacity(ids.len());
            let mut bindings = binding::of_services(tx, isp, &ids).await?;
            for id in &ids {
                let row = service::find(tx, isp, *id).await?;
                let attributes = service::attributes(tx, isp, *id).await?;
                let fair = (fup::overridden(tx, isp, *id).await?, fup::usage(tx, isp, *id).await?);
                rows.push((*id, row, attributes, fair, bindings.remove(id)));
            }
            Ok::<_, Error>(rows)
        })
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, row, attributes, (choice, usage), bindings)| {
            let rules: Vec<Rule> = attributes.into_iter().map(rule).collect();
            let fair = fair_use(world, choice.as_ref(), usage.as_ref());
            let devices = devices(bindings.as_ref());
            (id, row.map(|row| profile(app, world, Some(&rules), fair, devices, row)))
        })
        .collect())
}

fn profile(
    app: &App,
    world: &World,
    rules: Option<&Vec<Rule>>,
    fup: Option<Box<FairUse>>,
    devices: Option<Box<Devices>>,
    row: Service,
) -> Profile {
    let place = secrets::secret_place(row.id);
    let secret = row.secret.as_deref().and_then(|sealed| app.vault.open(&place, sealed));
    let mac = row.mac.as_deref().and_then(Mac::parse);
    let subscriber = Subscriber {
        status: row.status,
        expires_at: row.expires_at,
        quota: service::quota(&row),
        mac: match (row.mac_lock.as_str(), mac) {
            ("locked", Some(mac)) => MacLock::Locked(mac),
            ("off", _) => MacLock::Off,
            _ => MacLock::Learn,
        },
        router: row.bound_to_router.then_some(row.router_id),
        address: row.address.as_deref().and_then(|text| text.parse().ok()),
        address6: row.address6.as_deref().and_then(|text| text.parse().ok()),
        bandwidth: row.bandwidth_id.and_then(|id| world.bandwidths.get(&(row.isp_id, id)).copied()).map(Box::new),
        shared_users: row.shared_users.map(|n| n.clamp(0, u32::MAX as i64) as u32),
        fup,
        devices,
    };
    Profile {
        isp: row.isp_id,
        service: row.id,
        customer: row.customer_id,
        kind: row.kind,
        username: row.username_key.unwrap_or_default().into(),
        secret: secret.map(Into::into),
        plan: row.plan_id,
        subscriber,
        attributes: rules.filter(|rules| !rules.is_empty()).map(|rules| rules.clone().into()),
        used_before: row.first_used_at.is_some(),
        period_ordinal: row.period_ordinal,
    }
}

/// An open session as the directory keeps it.
#[derive(Clone, Debug)]
pub struct LiveSession {
    pub isp: IspId,
    pub id: SessionId,
    pub service: Option<ServiceId>,
    pub live: domain::access::decide::Live,
    pub address: Option<IpAddr>,
    pub restricted: bool,
}

impl LiveSession {
    pub fn of(row: &Session) -> LiveSession {
        LiveSession {
            isp: row.isp_id,
            id: row.id,
            service: row.service_id,
            live: domain::access::decide::Live {
                session: row.id,
                router: row.router_id,
                mac: row.mac.as_deref().and_then(Mac::parse),
                port: u32::try_from(row.nas_port).ok(),
                reported_at: row.received_at,
                interval_s: row.interval_s.map(|s| s as u32),
            },
            address: row.address.as_deref().and_then(|text| text.parse().ok()),
            restricted: row.restricted,
        }
    }
}

/// Where a walk over the open sessions stands: tenant, start, session.
pub type OpenAfter = (IspId, Instant, SessionId);

pub const BEFORE_ALL: OpenAfter = (IspId(0), Instant(i64::MIN), SessionId(0));

/// The next open sessions of a walk, and where it stands then; `None`: that was the end.
pub async fn open_sessions(
    app: &App,
    after: OpenAfter,
    limit: i64,
) -> Result<Option<(Vec<LiveSession>, OpenAfter)>, Error> {
    let rows = app.db.read(async move |tx| session::open_after(tx, after, limit).await).await?;
    let last = rows.last().map(|row| (row.isp_id, row.started_at, row.id));
    Ok(last.map(|last| (rows.iter().map(LiveSession::of).collect(), last)))
}

/// The newest event of every tenant, to be read before everything else is loaded.
pub async fn heads(app: &App) -> Result<Vec<(IspId, i64)>, Error> {
    Ok(app.db.read(async |tx| event::heads(tx).await).await?)
}

/// Events after `seq` of one tenant, oldest first.
pub async fn events_after(app: &App, isp: IspId, seq: i64, limit: i64) -> Result<Vec<Event>, Error> {
    Ok(app.db.read(async move |tx| event::after(tx, isp, seq, limit).await).await?)
}
