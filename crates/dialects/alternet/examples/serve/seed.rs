//! Demo data for this dialect: two tenants; in the first, customers in every status and kind, plans of every kind, used
//! and unused vouchers, and a hotspot log of today.
//!
//! The clock is moved through the past up to `now`, so that what should have expired has.

use domain::{Instant, Kind, Mac, Money, PlanId, RouterId, Status, kernel::clock::DAY, sales::sale::Payer};
use service::{
    Actor, App, Error,
    access::{
        hotspot::{self, KINDS, NewAccess},
        routers::{self, NewRouter},
    },
    catalogue::plans::{self, Expiry, NewBandwidth, NewPlan, NewPool},
    customers::{
        card::Parts,
        customers::{self, NewCustomer},
        lists,
    },
    identity::{
        clients::{self, NewClient, Tier},
        tenants::{self, NewIsp},
    },
    sales::{
        standing,
        vouchers::{self, Format, NewVouchers},
    },
};

pub struct Seeded {
    pub api_key: String,
    pub other_key: String,
}

pub async fn seed(app: &App, now: Instant) -> Result<Seeded, Error> {
    let isp = tenant(app, "Savanna Net", "AB", "admin@demo.example").await?;
    let other = tenant(app, "Other Net", "OT", "admin@other.example").await?;
    let api_key = client(app, &isp).await?;
    let other_key = client(app, &other).await?;
    let routers = [router(app, &isp, "ThikaAP1", "127.0.0.0/8").await?, router(app, &isp, "Ruiru", "10.1.0.1").await?];
    let catalogue = catalogue(app, &isp, routers[0]).await?;
    people(app, &isp, routers, &catalogue).await?;
    app.clock.pass(now.since(app.clock.now()) - 2 * DAY);
    codes(app, &isp, routers[0], &catalogue).await?;
    app.clock.pass(now.since(app.clock.now()) - DAY);
    portal(app, &isp, routers[0]).await?;
    app.clock.pass(now.since(app.clock.now()));
    portal(app, &isp, routers[0]).await?;
    Ok(Seeded { api_key, other_key })
}

async fn tenant(app: &App, name: &str, prefix: &str, email: &str) -> Result<Actor, Error> {
    let command = NewIsp {
        name: name.into(),
        currency: "KES".into(),
        time_zone: "Africa/Nairobi".into(),
        locale: "en".into(),
        username_prefix: prefix.into(),
        tax_ppm: 160_000,
        tax_inclusive: true,
        owner_name: "Demo Admin".into(),
        owner_email: email.into(),
        owner_password: service::kernel::vault::random_text(16),
    };
    Ok(Actor::system(tenants::create_isp(app, command).await?.isp))
}

async fn client(app: &App, isp: &Actor) -> Result<String, Error> {
    let command = NewClient {
        dialect: alternet::NAME,
        name: "ERP".into(),
        branch: None,
        tier: Tier::Enterprise,
        sandbox: false,
        secret: None,
    };
    Ok(clients::create(app, isp, command).await?.secret)
}

async fn router(app: &App, isp: &Actor, name: &str, network: &str) -> Result<RouterId, Error> {
    let command = NewRouter {
        name: name.into(),
        vendor: "mikrotik".into(),
        network: network.into(),
        nas_identifier: None,
        secret: "testing123".into(),
        coa_port: 3799,
        ma_policy: "learn".into(),
        api_address: None,
    };
    routers::create(app, isp, command).await
}

/// Plans of each kind, long enough to run still or short enough to have ended.
struct Catalogue {
    pppoe: PlanId,
    hotspot: PlanId,
    fixed: PlanId,
    week: PlanId,
}

async fn catalogue(app: &App, isp: &Actor, router: RouterId) -> Result<Catalogue, Error> {
    let mut bandwidths = Vec::new();
    for mbps in [5, 10, 20] {
        let command = NewBandwidth {
            name: format!("{mbps}Mbps"),
            down_kbps: mbps * 1000,
            down_unit: "Mbps".into(),
            up_kbps: mbps * 1000,
            up_unit: "Mbps".into(),
            burst: None,
            priority: None,
        };
        bandwidths.push(plans::create_bandwidth(app, isp, command).await?.id);
    }
    let pool =
        NewPool { name: "Clients".into(), router: Some(router), ranges: "192.168.88.0/22".into(), allocate: "nas" };
    let pool = plans::create_pool(app, isp, pool).await?;
    let make = async |name: &str, kind: Kind, price: i64, validity: u32, unit: &str, gb: Option<i64>| {
        let command = NewPlan {
            name: name.into(),
            kind,
            bandwidth: bandwidths[(price % 3) as usize],
            pool: (kind != Kind::Hotspot).then_some(pool),
            router: Some(router),
            price: Money(price * 100),
            validity,
            validity_unit: unit.into(),
            period_day: None,
            limited: gb.is_some(),
            limit_type: gb.map(|_| "Data_Limit".into()),
            time_limit: None,
            time_unit: None,
            data_limit: gb,
            data_unit: gb.map(|_| "GB".into()),
            shared_users: 1,
            mac_lock: false,
            address_list: None,
            expiry: Expiry::Reject,
            interim_s: 300,
            enabled: true,
            public: true,
        };
        plans::create(app, isp, command).await
    };
    let catalogue = Catalogue {
        pppoe: make("10MBPS@1000", Kind::Pppoe, 1000, 3, "Months", None).await?.plan.id,
        hotspot: make("Hotspot Quarter", Kind::Hotspot, 1500, 90, "Days", None).await?.plan.id,
        fixed: make("Static 20M", Kind::Static, 5000, 3, "Months", None).await?.plan.id,
        week: make("Weekly 5GB", Kind::Hotspot, 250, 7, "Days", Some(5)).await?.plan.id,
    };
    let fair = make("Fair Use 20M", Kind::Pppoe, 2500, 1, "Months", None).await?.plan;
    let slow = plans::NewBandwidth {
        name: "2M/2M".into(),
        down_kbps: 2000,
        down_unit: "Mbps".into(),
        up_kbps: 2000,
        up_unit: "Mbps".into(),
        burst: None,
        priority: None,
    };
    let slow = plans::create_bandwidth(app, isp, slow).await?;
    let draft = service::access::fup::Draft {
        measure: domain::catalogue::fup::Measure::Total,
        reset: domain::catalogue::fup::Reset::Monthly { day: 1 },
        carry_forward: false,
        tiers: vec![(100_000_000_000, slow.id)],
        windows: Vec::new(),
    };
    let policy = service::access::fup::create(app, isp, "100 GB a month".into(), draft).await?;
    service::access::fup::attach(app, isp, fair.id, Some(policy.template.id)).await?;
    Ok(catalogue)
}

async fn people(app: &App, isp: &Actor, routers: [RouterId; 2], catalogue: &Catalogue) -> Result<(), Error> {
    const NAMES: &[&str] = &["John Doe", "Wanjiku Kamau", "Otieno Ouma", "Amina Hassan", "Peter Mwangi", "Grace Njeri"];
    for n in 0..36_usize {
        let kind = [Kind::Pppoe, Kind::Hotspot, Kind::Static][n % 3];
        let expired = n % 6 == 1;
        let command = NewCustomer {
            full_name: format!("{} {n}", NAMES[n % NAMES.len()]),
            phone: format!("07{:08}", 11_000_000 + n * 7919),
            email: Some(format!("customer{n}@example.com")),
            address: Some("Thika".into()),
            building: None,
            username: None,
            portal_password: format!("pass{n:04}"),
            kind,
            network_username: (kind == Kind::Pppoe).then(|| format!("ppp{n}")),
            network_password: (kind == Kind::Pppoe).then(|| format!("ppp{n:04}")),
            ip: (kind == Kind::Static).then(|| std::net::Ipv4Addr::new(192, 168, 91, n as u8 + 1)),
            mac: None,
            plan: match kind {
                Kind::Pppoe => catalogue.pppoe,
                Kind::Hotspot if expired => catalogue.week,
                Kind::Hotspot => catalogue.hotspot,
                Kind::Static | Kind::Other => catalogue.fixed,
            },
            router: routers[usize::from(n % 5 == 0)],
            payer: Some(Payer::Cash { method: ["api", "M-Pesa", "cash"][n % 3].into() }),
        };
        app.clock.pass(DAY / 4);
        let made = customers::create(app, isp, command, None).await?;
        let id = domain::CustomerId(made.customer_id);
        match n % 12 {
            3 => standing::put(app, isp, id, Status::Suspended, Some("unpaid".into())).await?,
            5 => standing::put(app, isp, id, Status::Disabled, None).await?,
            8 => standing::put(app, isp, id, Status::Inactive, Some("travelling".into())).await?,
            _ => {}
        }
    }
    Ok(())
}

async fn codes(app: &App, isp: &Actor, router: RouterId, catalogue: &Catalogue) -> Result<(), Error> {
    let command = NewVouchers {
        kind: Kind::Hotspot,
        router,
        plan: catalogue.hotspot,
        count: 20,
        format: Format::Upper,
        length: 8,
        clients: 1,
        customer: None,
    };
    let made = vouchers::create(app, isp, command, None).await?;
    let filter = service::Filter { kind: Some(Kind::Hotspot), ..service::Filter::default() };
    let page = service::Page { order: service::Order::Created, descending: false, offset: 0, limit: 5 };
    let (visitors, _) = lists::page(app, isp, filter, page, Parts::NONE).await?;
    for (shown, (_, code)) in visitors.into_iter().zip(made.vouchers) {
        vouchers::redeem(app, isp, code, shown.customer.id, None).await?;
    }
    Ok(())
}

async fn portal(app: &App, isp: &Actor, router: RouterId) -> Result<(), Error> {
    let filter = service::Filter { kind: Some(Kind::Hotspot), ..service::Filter::default() };
    let page = service::Page { order: service::Order::Created, descending: false, offset: 0, limit: 5 };
    let (visitors, _) = lists::page(app, isp, filter, page, Parts::NONE).await?;
    for (n, shown) in visitors.into_iter().enumerate() {
        for kind in KINDS.iter().take(n + 1) {
            let step = NewAccess {
                router,
                mac: Some(Mac([0xD4, 0xCA, 0x6D, 0x9B, 0x45, n as u8])),
                username: Some(shown.customer.username.clone()),
                device: Some(["Android Phone", "iPhone", "Windows PC"][n % 3].into()),
                kind,
            };
            hotspot::record(app, isp, step).await?;
        }
    }
    Ok(())
}
