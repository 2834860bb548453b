//! The demo's past: two ISPs are set up some weeks ago by a clock moved by hand, and live through the same use cases as
//! real ones until today. So every payment, invoice, event and expiry has its date and its cause.

use anyhow::Context;
use domain::{
    BandwidthId, CustomerId, Instant, IspId, Money, PlanId, PoolId, Role, RouterId, Scopes, ServiceId, Status,
    access::usage::{self, ReportKind},
    kernel::clock::{DAY, HOUR, MINUTE},
    sales::sale::Payer,
};
use service::{
    Actor, App, Clock, Db, Vault,
    access::{
        accounting::{self, Report},
        hotspot::{self, NewAccess},
        routers::{self, NewRouter},
    },
    catalogue::plans::{self, Expiry, NewBandwidth, NewPlan, NewPool},
    customers::customers::{self, NewCustomer},
    identity::{
        clients::{self, NewClient, NewOauthClient, Tier},
        staff::{self, NewStaff},
        tenants::{self, NewIsp},
    },
    sales::{
        expiry,
        recharge::{self, Recharge},
        standing,
        vouchers::{self, Format, NewVouchers},
    },
};

use super::{
    credentials::{Credentials, OTHER_OWNER, OWNER, OauthClient, RADIUS_SECRET},
    jaze,
    people::{OTHERS, PASSWORD, PEOPLE, Person, Sold, Tale},
};
use crate::{server, simulate::line::Habit};

/// The ISPs opened this long ago.
const OPENED: i64 = 70 * DAY;

pub const DEMO_ISP: &str = "Demo ISP";
pub const OTHER_ISP: &str = "Other ISP";
pub const HOME_PLAN: &str = "Home 10 Mbps";
pub const FIVE_MINUTES: &str = "Try it: five minutes";
pub const FIRST_ROUTER: &str = "Demo BRAS";

/// Pools of addresses, for the seed and for the simulated routers that hand them out.
pub const HOMES: (&str, &str) = ("homes", "10.10.0.1-10.10.3.254");
pub const HOTSPOT: (&str, &str) = ("hotspot", "10.20.0.1-10.20.3.254");
pub const GARDEN: (&str, &str) = ("walled-garden", "10.99.0.1-10.99.3.254");

/// Both ISPs, their past included.
pub async fn past(db: &Db, vault: &Vault, known: &Credentials, coa_port: u16, today: Instant) -> anyhow::Result<()> {
    let clock = Clock::manual(today.plus(-OPENED));
    let app = server::core(db.clone(), clock, vault.clone());
    let demo = Tenant::demo(&app, known, coa_port).await.context("the first ISP")?;
    let other = Tenant::other(&app, known, coa_port).await.context("the second ISP")?;
    jaze::places(&app, demo.isp, true).await?;
    jaze::places(&app, other.isp, false).await?;
    let mut story = demo.story(PEOPLE, today);
    story.extend(other.story(OTHERS, today));
    story.sort_by_key(|scene| scene.at);
    let mut customers: Vec<(IspId, usize, (CustomerId, ServiceId))> = Vec::new();
    for scene in story {
        app.clock.pass(scene.at.0 - app.clock.now().0);
        expiry::run(&app).await?;
        let tenant = if scene.isp == demo.isp { &demo } else { &other };
        let known = customers.iter().find(|(isp, at, _)| (*isp, *at) == (scene.isp, scene.person));
        match (scene.act, known) {
            (Act::Comes(person), _) => {
                let ids = tenant.welcome(&app, person, scene.person).await.with_context(|| person.name.to_string())?;
                customers.push((scene.isp, scene.person, ids));
            }
            (Act::Surfs(person), Some((.., ids))) => tenant.surf(&app, person, scene.person, *ids).await?,
            (Act::Pays, Some((.., (id, _)))) => {
                let payer = Payer::Cash { method: method(scene.person, scene.at).into() };
                let command = Recharge { customer: *id, plan: None, payer };
                recharge::recharge(&app, &tenant.actor, command, None).await?;
            }
            (Act::IsPut(status, why), Some((.., (id, _)))) => {
                standing::put(&app, &tenant.actor, *id, status, Some(why.into())).await?;
            }
            (Act::Surfs(_) | Act::Pays | Act::IsPut(..), None) => {}
        }
    }
    app.clock.pass(today.0 - app.clock.now().0);
    expiry::run(&app).await?;
    let visitors = customers.iter().filter(|(isp, at, _)| *isp == demo.isp && PEOPLE[*at].sold == Sold::Week);
    demo.vouchers(&app, visitors.map(|(.., (id, _))| *id).collect()).await.context("vouchers")?;
    demo.portal(&app).await.context("the captive portal's log")
}

struct Scene {
    at: Instant,
    isp: IspId,
    person: usize,
    act: Act,
}

#[derive(Clone, Copy)]
enum Act {
    Comes(&'static Person),
    /// Has been online for a while until now.
    Surfs(&'static Person),
    Pays,
    IsPut(Status, &'static str),
}

/// One ISP with what it sells and through what.
struct Tenant {
    isp: IspId,
    actor: Actor,
    offers: Vec<(Sold, PlanId)>,
    /// PPPoE and static lines, hotspots.
    routers: (RouterId, RouterId),
}

/// Most pay by phone.
fn method(person: usize, at: Instant) -> &'static str {
    match (person as i64 + at.0 / DAY) % 5 {
        0 => "cash",
        1 => "bank",
        _ => "mpesa",
    }
}

impl Tenant {
    async fn demo(app: &App, known: &Credentials, coa_port: u16) -> anyhow::Result<Tenant> {
        // ISPBills' document bills in BDT, and so do programs that follow it to the letter.
        let (isp, actor) = isp(app, DEMO_ISP, "BDT", "Africa/Nairobi", "AB", OWNER, &known.password).await?;
        key(app, &actor, &known.alternet_key).await?;
        // 127.0.0.0/16 is for your own tools; the simulated routers have addresses of their own.
        router(app, &actor, FIRST_ROUTER, "127.0.0.0/16", coa_port).await?;
        let north = router(app, &actor, "North BRAS", "127.0.2.0/24", coa_port).await?;
        let market = router(app, &actor, "Market Hotspot", "127.0.1.0/24", coa_port).await?;
        let homes = pool(app, &actor, HOMES).await?;
        let hotspot = pool(app, &actor, HOTSPOT).await?;
        let garden = pool(app, &actor, GARDEN).await?;
        let home10 = bandwidth(app, &actor, "10 Mbps", 10_000, 5_000).await?;
        let home20 = bandwidth(app, &actor, "20 Mbps", 20_000, 10_000).await?;
        let public = bandwidth(app, &actor, "Hotspot 3 Mbps", 3_000, 1_000).await?;
        let business = bandwidth(app, &actor, "Business 50 Mbps", 50_000, 50_000).await?;
        let trickle = bandwidth(app, &actor, "Walled garden", 512, 256).await?;

        let walled =
            Expiry::Restrict { pool: Some(garden), address_list: Some("expired".into()), bandwidth: Some(trickle) };
        let plan = |name: &str, sold: Sold, bandwidth, pool, price, validity, unit: &str| NewPlan {
            name: name.into(),
            kind: sold.kind(),
            bandwidth,
            pool,
            router: None,
            price: Money(price),
            validity,
            validity_unit: unit.into(),
            period_day: None,
            limited: false,
            limit_type: None,
            time_limit: None,
            time_unit: None,
            data_limit: None,
            data_unit: None,
            shared_users: 1,
            mac_lock: false,
            address_list: None,
            expiry: Expiry::Reject,
            interim_s: 60,
            enabled: true,
            public: true,
        };
        let home = plan(HOME_PLAN, Sold::Home10, home10, Some(homes), 150_000, 30, "Days");
        let fast = plan("Home 20 Mbps", Sold::Home20, home20, Some(homes), 250_000, 1, "Months");
        let day = plan("Hotspot day, 5 GB", Sold::Day, public, Some(hotspot), 5_000, 1, "Days");
        let rows = [
            (Sold::Home10, NewPlan { expiry: walled, ..home.clone() }),
            (Sold::Home20, NewPlan { mac_lock: true, ..fast }),
            (Sold::Hour, plan("Hotspot hour", Sold::Hour, public, Some(hotspot), 2_000, 1, "Hrs")),
            (
                Sold::Day,
                NewPlan {
                    limited: true,
                    limit_type: Some("Data_Limit".into()),
                    data_limit: Some(5),
                    data_unit: Some("GB".into()),
                    shared_users: 2,
                    ..day
                },
            ),
            (Sold::Week, plan("Hotspot week", Sold::Week, public, Some(hotspot), 25_000, 7, "Days")),
            (Sold::Business, plan("Business static", Sold::Business, business, None, 800_000, 1, "Months")),
            (Sold::FiveMinutes, plan(FIVE_MINUTES, Sold::FiveMinutes, public, Some(hotspot), 500, 5, "Mins")),
        ];
        let mut offers = Vec::new();
        for (sold, row) in rows {
            offers.push((sold, plans::create(app, &actor, row).await?.plan.id));
        }
        let old = NewPlan { name: "Home 5 Mbps (no longer sold)".into(), enabled: false, public: false, ..home };
        plans::create(app, &actor, old).await?;
        Ok(Tenant { isp, actor, offers, routers: (north, market) })
    }

    async fn other(app: &App, known: &Credentials, coa_port: u16) -> anyhow::Result<Tenant> {
        let (isp, actor) = isp(app, OTHER_ISP, "BDT", "Asia/Dhaka", "OT", OTHER_OWNER, &known.other_password).await?;
        key(app, &actor, &known.other_alternet_key).await?;
        let router = router(app, &actor, "Other BRAS", "127.9.0.0/16", coa_port).await?;
        let homes = pool(app, &actor, HOMES).await?;
        let rate = bandwidth(app, &actor, "10 Mbps", 10_000, 10_000).await?;
        let home = NewPlan {
            name: "Home 10".into(),
            kind: Sold::Home10.kind(),
            bandwidth: rate,
            pool: Some(homes),
            router: None,
            price: Money(80_000),
            validity: 30,
            validity_unit: "Days".into(),
            period_day: None,
            limited: false,
            limit_type: None,
            time_limit: None,
            time_unit: None,
            data_limit: None,
            data_unit: None,
            shared_users: 1,
            mac_lock: false,
            address_list: None,
            expiry: Expiry::Reject,
            interim_s: 60,
            enabled: true,
            public: true,
        };
        let offers = vec![(Sold::Home10, plans::create(app, &actor, home).await?.plan.id)];
        Ok(Tenant { isp, actor, offers, routers: (router, router) })
    }

    /// What happened to everybody and when, nothing later than today.
    fn story(&self, people: &'static [Person], today: Instant) -> Vec<Scene> {
        let mut scenes = Vec::new();
        for (at, person) in people.iter().enumerate() {
            // Nobody does anything at the full hour.
            let minutes = (at as i64 * 17) % 50 * MINUTE;
            let length = person.sold.hours() * HOUR;
            let mut scene = |when: Instant, act| {
                scenes.push(Scene { at: when, isp: self.isp, person: at, act });
                if let Act::Comes(person) = act
                    && person.habit.is_some_and(|habit| habit != Habit::Wrong)
                {
                    let evenings = (1..4).map(|n| when.plus((n * n * 26 - 25) * HOUR)).filter(|end| *end < today);
                    let surfs = |end| Scene { at: end, isp: self.isp, person: at, act: Act::Surfs(person) };
                    scenes.extend(evenings.map(surfs));
                }
            };
            match person.tale {
                Tale::Pays(hours) => {
                    let came = today.plus(-hours * HOUR - minutes);
                    scene(came, Act::Comes(person));
                    let mut end = came.plus(length);
                    while length > 0 && end <= today {
                        // Shortly before the end, so that there is no gap.
                        scene(end.plus(-length / 60 - MINUTE), Act::Pays);
                        end = end.plus(length);
                    }
                }
                Tale::Lapsed(hours) => {
                    // A calendar month may be a day longer.
                    let came = today.plus(-hours * HOUR - minutes - length - length / 30);
                    scene(came.max(today.plus(HOUR - OPENED)), Act::Comes(person));
                }
                Tale::Suspended(why) | Tale::Disabled(why) | Tale::Inactive(why) => {
                    let status = match person.tale {
                        Tale::Suspended(_) => Status::Suspended,
                        Tale::Disabled(_) => Status::Disabled,
                        Tale::Pays(_) | Tale::Lapsed(_) | Tale::Inactive(_) => Status::Inactive,
                    };
                    let came = today.plus(-(length * 6 / 10) - minutes);
                    scene(came, Act::Comes(person));
                    scene(came.plus(length / 3), Act::IsPut(status, why));
                }
            }
        }
        scenes
    }

    async fn welcome(&self, app: &App, person: &Person, at: usize) -> anyhow::Result<(CustomerId, ServiceId)> {
        let kind = person.sold.kind();
        let is_home = kind == domain::Kind::Pppoe;
        let (network, hotspot) = self.routers;
        let plan = self.offers.iter().find(|(sold, _)| *sold == person.sold).context("a plan that is not sold")?.1;
        let login = person.login();
        let command = NewCustomer {
            full_name: person.name.into(),
            phone: format!("07{:08}", 10_345_678 + at * 1_270_913 % 89_000_000),
            email: (at % 3 != 1).then(|| format!("{login}@mail.example")),
            address: (at % 4 != 2).then(|| format!("{} Market Road", 3 + at * 5)),
            building: person.building,
            username: (!is_home).then(|| login.clone()),
            portal_password: PASSWORD.into(),
            kind,
            network_username: is_home.then_some(login),
            network_password: None,
            ip: (kind == domain::Kind::Static).then(|| std::net::Ipv4Addr::new(10, 30, 0, 10 + at as u8)),
            mac: None,
            plan,
            router: if kind == domain::Kind::Hotspot { hotspot } else { network },
            payer: Some(Payer::Cash { method: method(at, app.clock.now()).into() }),
        };
        let created = customers::create(app, &self.actor, command, None).await?;
        Ok((CustomerId(created.customer_id), ServiceId(created.service_id)))
    }

    /// A session that ends now, as its router would have reported it.
    async fn surf(
        &self,
        app: &App,
        person: &Person,
        at: usize,
        (customer, service): (CustomerId, ServiceId),
    ) -> anyhow::Result<()> {
        let (network, hotspot) = self.routers;
        let is_hotspot = person.sold.kind() == domain::Kind::Hotspot;
        let now = app.clock.now();
        let seconds = 600 + at as u32 * 997 % 2400;
        let octets = |low: u64| usage::Octets { low: low as u32, gigawords: Some((low >> 32) as u32) };
        let down = u64::from(seconds) * if is_hotspot { 40_000 } else { 400_000 };
        let report = |kind, session_time_s: u32, when: Instant, bytes: u64| Report {
            isp: self.isp,
            router: if is_hotspot { hotspot } else { network },
            acct_session_id: format!("seed{at:02}-{}", now.unix()),
            username: person.login(),
            nas_port: Some(1 + at as u32),
            mac: None,
            address: None,
            source: "127.0.0.1:1813".into(),
            usage: usage::Report { kind, session_time_s, up: octets(bytes / 9), down: octets(bytes), at: when },
            received: when,
            end_cause: (kind == ReportKind::Stop).then_some("user"),
            service: Some((service, customer)),
            line_kbps: None,
            told_interval_s: None,
            restricted: false,
            // Past visits have their own steps.
            hotspot: false,
            used_before: false,
            metered: None,
        };
        let began = now.plus_seconds(-i64::from(seconds));
        let reports = vec![report(ReportKind::Start, 0, began, 0), report(ReportKind::Stop, seconds, now, down)];
        accounting::record(app, self.isp, reports).await?;
        Ok(())
    }

    /// Codes on paper, some of them used.
    async fn vouchers(&self, app: &App, visitors: Vec<CustomerId>) -> anyhow::Result<()> {
        let plan = |wanted| self.offers.iter().find(|(sold, _)| *sold == wanted).map(|(_, plan)| *plan);
        for (sold, count, format) in
            [(Sold::Week, 12, Format::Numbers), (Sold::Day, 8, Format::Upper), (Sold::Hour, 20, Format::Mixed)]
        {
            let command = NewVouchers {
                kind: sold.kind(),
                router: self.routers.1,
                plan: plan(sold).context("a plan that is not sold")?,
                count,
                format,
                length: 8,
                clients: 1,
                customer: None,
            };
            let made = vouchers::create(app, &self.actor, command, None).await?;
            if sold == Sold::Week {
                for ((_, code), visitor) in made.vouchers.into_iter().zip(&visitors).take(4) {
                    vouchers::redeem(app, &self.actor, code, *visitor, None).await?;
                }
            }
        }
        Ok(())
    }

    /// Visitors of the captive portal in the last minutes, some of whom became customers.
    async fn portal(&self, app: &App) -> anyhow::Result<()> {
        for visitor in 0..30_usize {
            let person = PEOPLE.iter().filter(|person| person.sold.kind() == domain::Kind::Hotspot).nth(visitor);
            let steps = match visitor % 4 {
                0 => &hotspot::KINDS[..1],
                1 => &hotspot::KINDS[..2],
                2 => &hotspot::KINDS[..4],
                _ => &hotspot::KINDS[4..],
            };
            for kind in steps {
                let step = NewAccess {
                    router: self.routers.1,
                    mac: Some(domain::Mac([0x02, 0x4c, 0x4d, 9, 0, visitor as u8])),
                    username: person.map(Person::login),
                    device: Some(["Android", "iPhone", "Windows", "Linux"][visitor % 4].into()),
                    kind,
                };
                hotspot::record(app, &self.actor, step).await?;
            }
        }
        Ok(())
    }
}

async fn isp(
    app: &App,
    name: &str,
    currency: &str,
    time_zone: &str,
    prefix: &str,
    owner: &str,
    password: &str,
) -> anyhow::Result<(IspId, Actor)> {
    let command = NewIsp {
        name: name.into(),
        currency: currency.into(),
        time_zone: time_zone.into(),
        locale: "en".into(),
        username_prefix: prefix.into(),
        tax_ppm: 160_000,
        tax_inclusive: true,
        owner_name: "Owner".into(),
        owner_email: owner.into(),
        owner_password: password.into(),
    };
    let created = tenants::create_isp(app, command).await?;
    Ok((created.isp, Actor::system(created.isp)))
}

/// The API platform's credentials: a person who signs in to ISPBills v1, a client of v2. Made where they are missing.
pub async fn ispbills(app: &App, isp: IspId, email: &str, known: &OauthClient) -> anyhow::Result<()> {
    let actor = Actor::system(isp);
    if !staff::exists(app, &actor, email).await? {
        let person = NewStaff {
            name: "API".into(),
            email: email.into(),
            password: known.password.clone(),
            phone: None,
            role: Role::Owner,
            branch: None,
            parent: None,
        };
        staff::create(app, &actor, Scopes::ALL, person).await?;
    }
    let (clients, _) = clients::list(app, &actor, 0, 1000).await?;
    if !clients.iter().any(|client| client.public_id.as_ref() == Some(&known.client_id)) {
        let command = NewOauthClient {
            name: "Demo integration".into(),
            branch: None,
            tier: Tier::V2HighVolume,
            scopes: None,
            credentials: Some((known.client_id.clone(), known.client_secret.clone())),
        };
        clients::create_oauth(app, &actor, command).await?;
    }
    Ok(())
}

async fn key(app: &App, actor: &Actor, secret: &str) -> anyhow::Result<()> {
    let command = NewClient {
        dialect: "alternet",
        name: "Demo key".into(),
        branch: None,
        tier: Tier::Enterprise,
        sandbox: false,
        secret: Some(secret.into()),
    };
    clients::create(app, actor, command).await?;
    Ok(())
}

async fn router(app: &App, actor: &Actor, name: &str, network: &str, coa_port: u16) -> anyhow::Result<RouterId> {
    let command = NewRouter {
        name: name.into(),
        vendor: "mikrotik".into(),
        network: network.into(),
        nas_identifier: None,
        secret: RADIUS_SECRET.into(),
        coa_port,
        ma_policy: "learn".into(),
        api_address: None,
    };
    Ok(routers::create(app, actor, command).await?)
}

async fn pool(app: &App, actor: &Actor, (name, ranges): (&str, &str)) -> anyhow::Result<PoolId> {
    let command = NewPool { name: name.into(), router: None, ranges: ranges.into(), allocate: "nas" };
    Ok(plans::create_pool(app, actor, command).await?)
}

async fn bandwidth(app: &App, actor: &Actor, name: &str, down: i64, up: i64) -> anyhow::Result<BandwidthId> {
    let unit = |kbps: i64| if kbps % 1000 == 0 { "Mbps" } else { "Kbps" };
    let command = NewBandwidth {
        name: name.into(),
        down_kbps: down,
        down_unit: unit(down).into(),
        up_kbps: up,
        up_unit: unit(up).into(),
        burst: None,
        priority: None,
    };
    Ok(plans::create_bandwidth(app, actor, command).await?.id)
}
