//! `demo`: two made-up ISPs that run like real ones. An existing directory is continued with the same credentials.

mod bills;
pub mod credentials;
mod fair_use;
mod jaze;
mod people;
mod plant;
mod resellers;
mod seed;
mod service_desk;
mod zal;

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use credentials::{API_LOGIN, Credentials, OTHER_API_LOGIN, OTHER_ZAL_LOGIN, RADIUS_SECRET, ZAL_LOGIN, reachable};
use domain::{CustomerId, IspId, Kind, sales::sale::Payer};
use jiff::tz::TimeZone;
use people::{OTHERS, PASSWORD, PEOPLE, Person};
use service::{
    Actor, App, Clock, Db, Filter, Location, Order, Page, Vault,
    access::routers,
    catalogue::plans,
    customers::{card::Parts, lists, many},
    sales::recharge::{self, Recharge},
};
use worker::outgoing;

use crate::{
    cli, descriptors, lock, make_private, react,
    server::{self, Addresses, Background, Ports, Served},
    settings::{Http, Radius},
    simulate::{
        self,
        nas::{Config, PORT_VIRTUAL, PORT_WIRELESS},
    },
    telemetry,
};

/// `user000000` and on: where the series begins, and what no name of it reaches.
const SERIES: (&str, &str) = ("user000000", "usera");
/// How many are made before progress is told.
const STEP: u32 = 10_000;
/// The five-minute visitor pays again this often.
const AGAIN: Duration = Duration::from_secs(600);

pub fn run(options: &cli::Demo) -> anyhow::Result<()> {
    telemetry::logs(&options.log, options.log_format)?;
    react(demo(options))
}

async fn demo(options: &cli::Demo) -> anyhow::Result<()> {
    let directory = &options.data;
    make_private(directory)?;
    let lock = lock::take(directory)?;
    credentials::untell(directory);
    let location = location(options)?;
    let (db, vault, mut known) = continued(directory, &location, options.coa_port).await?;
    let app = server::core(db, Clock::System, vault);
    let (isp, other) = tenants(&app).await?;
    let actor = Actor::system(isp);
    for tenant in [isp, other] {
        follow_coa_port(&app, tenant, options.coa_port).await?;
    }
    seed::ispbills(&app, isp, API_LOGIN, &known.ispbills).await?;
    seed::ispbills(&app, other, OTHER_API_LOGIN, &known.other_ispbills).await?;
    let zal = zal::seed(&app, isp, ZAL_LOGIN, &mut known.zal).await?;
    let other_zal = zal::seed(&app, other, OTHER_ZAL_LOGIN, &mut known.other_zal).await?;
    for tenant in [isp, other] {
        service_desk::furnish(&app, &Actor::system(tenant)).await?;
        bills::seed(&app, &Actor::system(tenant)).await?;
    }
    plant::plant(&app, isp, plant::Size::Town).await?;
    plant::plant(&app, other, plant::Size::Village).await?;
    resellers::make(&app, isp, &known.ispbills).await?;
    fair_use::policy(&app, &actor).await?;
    jaze::seed(&app, isp, &known.jaze).await?;
    jaze::seed(&app, other, &known.other_jaze).await?;
    known.write(directory)?;
    fill(&app, &actor, options.customers, options.due).await?;

    let threads = Radius { threads: options.radius_threads, ..Radius::default() }.threads();
    let radius = aaa::Settings {
        auth: options.radius_auth,
        acct: options.radius_acct,
        threads,
        strip_realm: false,
        held: aaa::Held::default(),
    };
    let bound = server::bind(&app, Ports { http: options.http, operator: options.operator, radius }).await?;
    let at = bound.addresses;
    let guide = guide(&app, &actor, directory, at).await?;
    let front = panel::Front::Demo { isp, guide: guide.clone() };
    // Whoever tries webhooks has the receiver on this machine.
    let webhooks = outgoing::Settings { allow_private: true, ..outgoing::Settings::default() };
    let listener =
        Http::default().listener(descriptors::raise().context("how many files may be open cannot be asked")?)?;
    let served = Served { front, docs: true, listener };
    let background = Background { events_days: worker::EVENTS_KEPT_DAYS, webhooks, key_file: None };
    let server = server::start(app.clone(), bound, Some(lock), served, background)?;
    server.ready().await?;
    credentials::tell(directory, &known, (zal, other_zal), at, options.coa_port)?;

    let (mut traffic, mut visitor) = (None, None);
    if !options.no_traffic {
        traffic = start_traffic(at, options.coa_port).await;
        visitor = Some(tokio::spawn(pay_again(app.clone(), actor.clone())));
    }
    println!("{}", block(directory, at, options, traffic.is_some(), &guide));

    server::told_to_stop(server::STOP_WITHIN).await?;
    println!("Stopping …");
    if let Some(visitor) = visitor {
        visitor.abort();
    }
    if let Some(traffic) = traffic {
        traffic.stop().await;
    }
    server.stop().await;
    Ok(())
}

/// A demo's data with at least so many numbered customers, and nothing running: for measurements.
pub async fn prepare(directory: &Path, customers: u32) -> anyhow::Result<(App, Actor, lock::Lock)> {
    let lock = lock::take(directory)?;
    let location = Location::File(database_file(directory));
    let (db, vault, _) = continued(directory, &location, Radius::default().coa_port()).await?;
    let app = server::core(db, Clock::System, vault);
    let (isp, _) = tenants(&app).await?;
    let actor = Actor::system(isp);
    fill(&app, &actor, customers, 0).await?;
    Ok((app, actor, lock))
}

fn location(options: &cli::Demo) -> anyhow::Result<Location> {
    match &options.database {
        None => Ok(Location::File(database_file(&options.data))),
        Some(url) => match crate::settings::location(url, Path::new(""))? {
            Location::Postgres(url) => Ok(Location::Postgres(url)),
            Location::File(_) | Location::Memory => bail!("--database: postgres://user@host/database is expected"),
        },
    }
}

fn database_file(directory: &Path) -> PathBuf {
    directory.join("demo.db")
}

/// The demo of this directory, made when there is none. A first start that was interrupted begins anew.
async fn continued(directory: &Path, location: &Location, coa_port: u16) -> anyhow::Result<(Db, Vault, Credentials)> {
    let kept = Credentials::read(directory)?;
    if let (Some(Credentials { complete: false, .. }), Location::File(path)) = (&kept, location) {
        for suffix in ["", "-wal", "-shm"] {
            let mut file = path.clone().into_os_string();
            file.push(suffix);
            // Not there is as good as removed.
            let _ = std::fs::remove_file(file);
        }
    }
    let vault = Vault::from_file(&directory.join("demo.key")).context("the key file")?;
    let db = server::open(location).await?;
    let is_empty = server::core(db.clone(), Clock::System, vault.clone()).tenants().await?.is_empty();
    match kept {
        Some(known) if known.complete && !is_empty => Ok((db, vault, known)),
        Some(known) if known.complete => {
            bail!("{} has credentials, but its database is empty: remove the directory", directory.display())
        }
        _ if !is_empty => bail!(
            "the database holds data that {} knows no credentials of: use another database or directory",
            directory.display()
        ),
        kept => {
            println!("Making the demo's past in {} …", directory.display());
            let mut known = kept.unwrap_or_else(Credentials::new);
            known.write(directory)?;
            seed::past(&db, &vault, &known, coa_port, Clock::System.now()).await?;
            known.complete = true;
            known.write(directory)?;
            Ok((db, vault, known))
        }
    }
}

async fn tenants(app: &App) -> anyhow::Result<(IspId, IspId)> {
    let tenants = app.tenants().await?;
    let named = |name: &str| tenants.iter().find(|tenant| tenant.isp.name == name).map(|tenant| tenant.isp.isp_id);
    named(seed::DEMO_ISP).zip(named(seed::OTHER_ISP)).context("the demo's ISPs are not in this database")
}

/// CoA goes to the port of this start, whatever earlier ones said.
async fn follow_coa_port(app: &App, isp: IspId, port: u16) -> anyhow::Result<()> {
    let actor = Actor::system(isp);
    for router in routers::list(app, &actor).await? {
        routers::set_coa_port(app, &actor, router.id, port).await?;
    }
    Ok(())
}

/// At least so many numbered customers, and so many periods that end now.
async fn fill(app: &App, actor: &Actor, customers: u32, due: u32) -> anyhow::Result<()> {
    let last = many::last_username(app, actor, SERIES.0, SERIES.1).await?;
    let have = match &last {
        None => 0,
        Some(name) => name.strip_prefix("user").and_then(|n| n.parse::<u32>().ok()).map_or(0, |n| n + 1),
    };
    if have < customers {
        let offers = plans::offers(app, actor).await?;
        let plan = offers.iter().find(|offer| offer.plan.name == seed::HOME_PLAN).or(offers.first());
        let plan = plan.context("no plan is left to put customers on")?.plan.id;
        let routers = routers::list(app, actor).await?;
        let router = routers.iter().find(|router| router.name == seed::FIRST_ROUTER).or(routers.first());
        let router = router.context("no router is left to put customers on")?.id;
        let began = std::time::Instant::now();
        let mut next = have;
        while next < customers {
            let until = (next + STEP).min(customers);
            let rows = (next..until).map(numbered).collect();
            many::create_many(app, actor, many::Many { plan, router, kind: Kind::Pppoe, rows }).await?;
            next = until;
            println!("  {next} of {customers} customers, {:.1} s", began.elapsed().as_secs_f64());
        }
    }
    let mut left = i64::from(due);
    while left > 0 {
        match many::end_periods(app, actor, SERIES.0, SERIES.1, left.min(500)).await? {
            0 => break,
            ended => left -= ended as i64,
        }
    }
    Ok(())
}

fn numbered(n: u32) -> many::Row {
    many::Row {
        full_name: format!("Customer {n:06}"),
        phone: format!("01{n:08}"),
        username: format!("user{n:06}"),
        password: format!("pass{n:06}"),
    }
}

/// The five-minute visitor pays at the start and again from time to time, so that there is an expiry to watch.
async fn pay_again(app: App, actor: Actor) {
    let mut turns = tokio::time::interval(AGAIN);
    loop {
        turns.tick().await;
        let visitor = PEOPLE.iter().find(|person| person.sold == people::Sold::FiveMinutes);
        let Some(id) = find(&app, &actor, visitor.map_or("", |visitor| visitor.name)).await else { continue };
        let payer = Payer::Cash { method: "mpesa".into() };
        if let Err(error) = recharge::recharge(&app, &actor, Recharge { customer: id, plan: None, payer }, None).await {
            tracing::warn!(%error, "the five-minute visitor could not pay");
        }
    }
}

async fn find(app: &App, actor: &Actor, name: &str) -> Option<CustomerId> {
    let filter = Filter { search: Some(name.into()), ..Filter::default() };
    let page = Page { order: Order::Created, descending: false, offset: 0, limit: 1 };
    let (rows, _) = lists::page(app, actor, filter, page, Parts::NONE).await.ok()?;
    rows.first().map(|row| row.customer.id)
}

async fn start_traffic(at: Addresses, coa: u16) -> Option<simulate::Running> {
    let ports = simulate::Ports { auth: reachable(at.auth), acct: reachable(at.acct), coa };
    match simulate::start(simulated(), ports, at.auth.port().into()).await {
        Ok(running) => Some(running),
        Err(error) => {
            eprintln!(
                "No simulated routers: their addresses 127.0.1.1, 127.0.2.1 and 127.9.0.1 with port {coa}: {error}"
            );
            None
        }
    }
}

/// The routers of the seed's networks, each with the people who dial in there.
fn simulated() -> Vec<Config> {
    let lines = |people: &[Person], tenant: u8, hotspot: bool| {
        let here = people.iter().enumerate().filter(|(_, person)| (person.sold.kind() == Kind::Hotspot) == hotspot);
        here.filter_map(|(at, person)| person.line(at, tenant)).collect()
    };
    let pools = [seed::HOMES, seed::HOTSPOT, seed::GARDEN].into_iter().filter_map(|(name, ranges)| {
        let (first, last) = *domain::kernel::ranges::parse_ranges(ranges)?.first()?;
        Some((name.to_string(), first, last))
    });
    let pools: Vec<_> = pools.collect();
    let router = |name: &str, address: [u8; 4], port_type, zone: &str, lines| Config {
        name: name.into(),
        address: Ipv4Addr::from(address),
        secret: radius::Secret::new(RADIUS_SECRET),
        pools: pools.clone(),
        port_type,
        zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC),
        lines,
        ramp_s: 6.0,
    };
    vec![
        router("north-bras", [127, 0, 2, 1], PORT_VIRTUAL, "Africa/Nairobi", lines(PEOPLE, 1, false)),
        router("market-hotspot", [127, 0, 1, 1], PORT_WIRELESS, "Africa/Nairobi", lines(PEOPLE, 1, true)),
        router("other-bras", [127, 9, 0, 1], PORT_VIRTUAL, "Asia/Dhaka", lines(OTHERS, 2, false)),
    ]
}

/// Where to go and what to try, for the page and for the terminal.
async fn guide(app: &App, actor: &Actor, directory: &Path, at: Addresses) -> anyhow::Result<panel::Guide> {
    let (http, auth) = (reachable(at.http), reachable(at.auth));
    let json = directory.join("demo.json");
    // The key itself stays in its file: the page is for everybody who reaches it.
    let key = format!("KEY=$(grep -om1 'live_[A-Za-z0-9]*' {})", json.display());
    let mut commands = vec![
        (
            "Customers whose package is over".to_string(),
            format!("{key}\ncurl -s -H \"X-API-Key: $KEY\" 'http://{http}/api/v1/customers?status=Expired&per_page=3'"),
        ),
        (
            "A login, as a router asks for it".to_string(),
            format!("echo 'User-Name=ann.moraa,User-Password={PASSWORD}' | radclient -x {auth} auth {RADIUS_SECRET}"),
        ),
    ];
    if let Some(id) = find(app, actor, "Felix Onyango").await {
        commands.push((
            "Felix is behind the payment wall; this lets him out within seconds".to_string(),
            format!("curl -s -X POST -H \"X-API-Key: $KEY\" -H 'Content-Type: application/json' -d '{{}}' http://{http}/api/v1/customers/{id}/recharge"),
        ));
    }
    Ok(panel::Guide { credentials: json.display().to_string(), commands })
}

fn block(directory: &Path, at: Addresses, options: &cli::Demo, traffic: bool, guide: &panel::Guide) -> String {
    let http = reachable(at.http);
    let mut text = format!(
        "\nLastmile {} demo: {} and {}\n\n\
         \x20 page         http://{http}/\n\
         \x20 Alternet API http://{http}/api/v1\n\
         \x20 operator     http://{}/metrics, /healthz, /readyz\n\
         \x20 RADIUS       {} and {}, secret {RADIUS_SECRET}; CoA to port {}\n\
         \x20 credentials  {}\n\
         \x20 subscribers  amina.otieno and others, password {PASSWORD}\n",
        env!("CARGO_PKG_VERSION"),
        seed::DEMO_ISP,
        seed::OTHER_ISP,
        at.operator,
        at.auth,
        at.acct,
        options.coa_port,
        guide.credentials,
    );
    if options.customers > 0 {
        text += "\x20              user000000 with pass000000 and on; their first period is complimentary\n";
    }
    text += match traffic {
        true => "\x20 traffic      three simulated routers are logging people in\n",
        false => "\x20 traffic      none\n",
    };
    text += "\nTry:\n";
    for (what, command) in &guide.commands {
        text += &format!("  # {what}\n  {}\n", command.replace('\n', "\n  "));
    }
    text += &format!("\nEverything is in {}; Ctrl-C stops, the same command continues.\n", directory.display());
    text
}

#[cfg(test)]
pub mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use service::reports::overview;

    use super::*;

    /// A directory of this test alone.
    pub fn scratch(name: &str) -> PathBuf {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("lastmile-{name}-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    async fn open(directory: &Path) -> (App, Credentials) {
        let location = Location::File(database_file(directory));
        let (db, vault, known) = continued(directory, &location, 3799).await.unwrap();
        (server::core(db, Clock::System, vault), known)
    }

    #[tokio::test]
    async fn a_second_start_continues_with_the_same_credentials_and_people() {
        let directory = scratch("demo");
        let (app, first) = open(&directory).await;
        let (isp, other) = tenants(&app).await.unwrap();
        let before = overview::overview(&app, isp).await.unwrap();
        assert_eq!(before.customers, PEOPLE.len() as i64);
        assert!(before.running > 30 && before.expired > 7, "{} {}", before.running, before.expired);
        assert_eq!(overview::overview(&app, other).await.unwrap().customers, OTHERS.len() as i64);
        app.db.close().await;

        let (app, second) = open(&directory).await;
        assert!(first == second && second.complete);
        let after = overview::overview(&app, isp).await.unwrap();
        assert_eq!((after.customers, after.events.len()), (before.customers, before.events.len()));
        let known = service::identity::clients::authenticate(&app, "alternet", &second.alternet_key).await.unwrap();
        assert_eq!(known.actor.isp, isp);
        let known =
            service::identity::clients::authenticate(&app, "alternet", &second.other_alternet_key).await.unwrap();
        assert_eq!(known.actor.isp, other);
        app.db.close().await;
        std::fs::remove_dir_all(directory).unwrap();
    }

    #[tokio::test]
    async fn an_interrupted_first_start_begins_anew() {
        let directory = scratch("demo-cut");
        let (app, mut known) = open(&directory).await;
        app.db.close().await;
        known.complete = false;
        known.write(&directory).unwrap();
        let (app, again) = open(&directory).await;
        assert!(again.complete && again.alternet_key == known.alternet_key);
        let (isp, _) = tenants(&app).await.unwrap();
        assert_eq!(overview::overview(&app, isp).await.unwrap().customers, PEOPLE.len() as i64);
        app.db.close().await;
        std::fs::remove_dir_all(directory).unwrap();
    }

    #[tokio::test]
    async fn numbered_customers_are_added_where_the_series_ended() {
        let db = Db::open(&Location::Memory).await.unwrap();
        db.migrate().await.unwrap();
        let (vault, known) = (Vault::ephemeral(), Credentials::new());
        seed::past(&db, &vault, &known, 3799, Clock::System.now()).await.unwrap();
        let app = server::core(db, Clock::System, vault);
        let (isp, _) = tenants(&app).await.unwrap();
        let actor = Actor::system(isp);
        let count = async || overview::overview(&app, isp).await.unwrap().customers - PEOPLE.len() as i64;
        for (wanted, expected) in [(3, 3), (2, 3), (600, 600)] {
            fill(&app, &actor, wanted, 0).await.unwrap();
            assert_eq!(count().await, expected, "{wanted}");
        }
        let last = many::last_username(&app, &actor, SERIES.0, SERIES.1).await.unwrap();
        assert_eq!(last.as_deref(), Some("user000599"));
        let expired = async || overview::overview(&app, isp).await.unwrap().expired;
        let before = expired().await;
        fill(&app, &actor, 0, 510).await.unwrap();
        assert_eq!(expired().await - before, 510);
        assert_eq!(service::sales::expiry::run(&app).await.unwrap(), 510);
    }

    #[test]
    fn the_form_of_demo_json_is_as_agreed() {
        let directory = scratch("told");
        let at = Addresses {
            http: ([0, 0, 0, 0], 8080).into(),
            operator: ([0, 0, 0, 0], 8080).into(),
            auth: ([127, 0, 0, 1], 1812).into(),
            acct: ([127, 0, 0, 1], 1813).into(),
        };
        let ids = credentials::ZalIds { isp_id: 1, branch_id: 1, user_id: 1 };
        credentials::tell(&directory, &Credentials::new(), (ids, ids), at, 3799).unwrap();
        let text = std::fs::read_to_string(directory.join("demo.json")).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["base_url"], "http://127.0.0.1:8080");
        assert_eq!(json["admin"]["email"], "admin@demo.example");
        assert!(json["alternet"]["api_key"].as_str().unwrap().starts_with("live_"));
        let radius = serde_json::json!({
            "host": "127.0.0.1", "auth_port": 1812, "acct_port": 1813, "coa_port": 3799, "secret": "testing123"
        });
        assert_eq!(json["radius"], radius);
        assert!(json["other_tenant"]["admin"]["password"].is_string());
        assert_ne!(json["other_tenant"]["alternet"]["api_key"], json["alternet"]["api_key"]);
        std::fs::remove_dir_all(directory).unwrap();
    }
}
