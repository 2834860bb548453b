//! The product in one process: a database, the core, RADIUS on free ports, a clock moved by hand.

use std::{net::SocketAddr, time::Duration};

use domain::{
    BandwidthId, CustomerId, Instant, Kind, Money, PlanId, PoolId, RouterId, ServiceId,
    kernel::clock::{DAY, SECOND},
    sales::sale::Payer,
};
use service::{
    Actor, App, Clock, Db, Error, Location, Vault, Who,
    access::{
        accounting, directory, orders,
        routers::{self, NewRouter},
    },
    catalogue::plans::{self, Expiry, NewBandwidth, NewPlan, NewPool},
    customers::{
        card::{self, Card, Parts},
        change::{self, Deletion, Edit},
        customers::{self, NewCustomer},
    },
    identity::tenants::{self, NewIsp},
    kernel::change::CallerKey,
    sales::recharge::{self, Receipt, Recharge},
};

use crate::nas::Nas;

pub const SECRET: &str = "testing123";
/// Long enough for a busy machine; nobody waits so long but a failing test.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a test's secrets are sealed with.
pub const OLD_KEY: (u8, [u8; 32]) = (1, [1; 32]);

pub struct TestApp {
    pub app: App,
    pub actor: Actor,
    pub aaa: aaa::Running,
    pub nas: Nas,
    pub router: RouterId,
    pub bandwidth: BandwidthId,
    pub pool: PoolId,
    /// 10 Mbit/s both ways, 30 days, 1500.00, one device, 300 s.
    pub gold: PlanId,
}

#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub customer: CustomerId,
    pub service: ServiceId,
}

/// 2030-01-01T00:00:00 in Nairobi.
pub fn start() -> Instant {
    Instant::from_unix(1_893_445_200)
}

impl TestApp {
    pub async fn sqlite() -> TestApp {
        TestApp::on(Location::Memory).await
    }

    pub async fn postgres(hint: &str) -> Option<TestApp> {
        let server = store::testing::postgres()?;
        Some(TestApp::on(Location::Postgres(server.database(hint))).await)
    }

    pub async fn on(location: Location) -> TestApp {
        let db = Db::open(&location).await.expect("a database");
        db.migrate().await.expect("migrations");
        let app = App::new(db, Clock::manual(start()), Vault::new(&[OLD_KEY]).expect("a key"), "test");
        let created = tenants::create_isp(&app, isp("Test ISP")).await.expect("an Isp");
        let actor = Actor { isp: created.isp, who: Who::Staff(created.owner), branch: None, may_write: true };
        let (aaa, nas) = radius(&app).await;
        let router = NewRouter {
            name: "bras".into(),
            vendor: "mikrotik".into(),
            network: "127.0.0.0/16".into(),
            nas_identifier: None,
            secret: SECRET.into(),
            coa_port: nas.coa_port(),
            ma_policy: "require".into(),
            api_address: None,
        };
        let router = routers::create(&app, &actor, router).await.expect("a router");
        let bandwidth =
            plans::create_bandwidth(&app, &actor, bandwidth("10M", 10_000, 10_000)).await.expect("a bandwidth");
        let pool = NewPool { name: "main".into(), router: None, ranges: "10.0.0.0/24".into(), allocate: "nas" };
        let pool = plans::create_pool(&app, &actor, pool).await.expect("a pool");
        let mut test = TestApp { app, actor, aaa, nas, router, bandwidth: bandwidth.id, pool, gold: PlanId(0) };
        test.gold = test.plan("gold", |_| {}).await;
        test
    }

    /// The same provider at another process, over a database that holds its rows.
    pub async fn reopened(&self, db: Db) -> TestApp {
        let app = App::new(db, self.app.clock.clone(), self.app.vault.clone(), "again");
        let (aaa, nas) = radius(&app).await;
        TestApp { app, actor: self.actor.clone(), aaa, nas, ..*self }
    }

    pub async fn plan(&self, name: &str, change: impl FnOnce(&mut NewPlan)) -> PlanId {
        self.plan_of(&self.actor, name, change).await
    }

    pub async fn plan_of(&self, actor: &Actor, name: &str, change: impl FnOnce(&mut NewPlan)) -> PlanId {
        let mut plan = NewPlan {
            name: name.into(),
            kind: Kind::Pppoe,
            bandwidth: self.bandwidth,
            pool: Some(self.pool),
            router: None,
            price: Money(150_000),
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
            interim_s: 300,
            enabled: true,
            public: true,
        };
        change(&mut plan);
        plans::create(&self.app, actor, plan).await.expect("a plan").plan.id
    }

    /// A PPPoE customer who logs in with this name and "secret".
    pub async fn customer(&self, name: &str, plan: PlanId) -> Line {
        self.try_customer(name, |customer| customer.plan = plan).await.expect("a customer")
    }

    pub async fn try_customer(&self, name: &str, change: impl FnOnce(&mut NewCustomer)) -> Result<Line, Error> {
        self.try_customer_of(&self.actor, name, change).await
    }

    /// A customer that `actor` creates.
    pub async fn try_customer_of(
        &self,
        actor: &Actor,
        name: &str,
        change: impl FnOnce(&mut NewCustomer),
    ) -> Result<Line, Error> {
        let mut customer = NewCustomer {
            full_name: format!("Customer {name}"),
            phone: "0712345678".into(),
            email: None,
            address: None,
            building: None,
            username: Some(format!("acc-{name}")),
            portal_password: "portal".into(),
            kind: Kind::Pppoe,
            network_username: Some(name.into()),
            network_password: Some("secret".into()),
            ip: None,
            mac: None,
            plan: self.gold,
            router: self.router,
            payer: Some(cash()),
        };
        change(&mut customer);
        let created = customers::create(&self.app, actor, customer, None).await?;
        Ok(Line { customer: CustomerId(created.customer_id), service: ServiceId(created.service_id) })
    }

    pub async fn recharge(&self, line: Line) -> Result<Receipt, Error> {
        self.recharge_as(line, cash(), None).await
    }

    pub async fn recharge_as(&self, line: Line, payer: Payer, key: Option<CallerKey>) -> Result<Receipt, Error> {
        let command = Recharge { customer: line.customer, plan: None, payer };
        recharge::recharge(&self.app, &self.actor, command, key).await
    }

    pub async fn update(&self, line: Line, say: impl FnOnce(&mut Edit)) -> Result<(), Error> {
        let mut edit = Edit::default();
        say(&mut edit);
        change::update(&self.app, &self.actor, line.customer, edit).await
    }

    pub async fn delete(&self, line: Line) -> Result<(), Error> {
        change::delete(&self.app, &self.actor, line.customer, Deletion::default()).await
    }

    pub async fn put(&self, line: Line, status: domain::Status) -> Result<(), Error> {
        service::sales::standing::put(&self.app, &self.actor, line.customer, status, None).await
    }

    /// With its plan, the terms it was sold under, and its newest period.
    pub async fn show(&self, line: Line) -> Card {
        let parts = Parts::PLAN | Parts::VERSION | Parts::PERIOD;
        card::show(&self.app, &self.actor, line.customer, parts).await.expect("the customer")
    }

    /// A customer's primary line.
    pub async fn line_of(&self, customer: CustomerId) -> Line {
        let isp = self.actor.isp;
        let lines = self.app.db.read(async move |tx| store::people::service::of_customer(tx, isp, customer).await);
        Line { customer, service: lines.await.expect("lines").first().expect("a line").id }
    }

    pub async fn row(&self, line: Line) -> service::Service {
        self.show(line).await.line.expect("the service")
    }

    /// Time passes; what recurs is done when it has.
    pub async fn pass(&self, micros: i64) {
        self.app.clock.pass(micros);
        worker::turn(&self.app, worker::EVENTS_KEPT_DAYS).await.expect("background work");
    }

    /// Closes silent sessions, as happens once a minute.
    pub async fn close_silent(&self) {
        accounting::close_silent(&self.app).await.expect("closing silent sessions");
    }

    /// The ledger in one line: totals of every account, debits positive; it balances or this fails.
    pub async fn ledger(&self) -> String {
        let isp = self.actor.isp;
        let (proof, totals) = self
            .app
            .db
            .read(async move |tx| {
                Ok::<_, Error>((
                    store::billing::ledger::proof(tx, isp).await?,
                    store::billing::ledger::totals(tx, isp).await?,
                ))
            })
            .await
            .expect("the ledger");
        assert_eq!(proof, (0, 0), "the ledger balances");
        totals.iter().map(|(code, sum)| format!("{code} {sum}")).collect::<Vec<_>>().join(", ")
    }

    /// The kinds of all events so far, oldest first.
    pub async fn events(&self) -> Vec<String> {
        let events = directory::events_after(&self.app, self.actor.isp, 0, 100_000).await.expect("events");
        for (at, event) in events.iter().enumerate() {
            assert_eq!(event.seq, at as i64 + 1, "events are numbered without gaps");
        }
        events.iter().map(|event| event.kind.word().to_string()).collect()
    }

    /// Waits for what follows a moment after a change: looks again after each commit, and says what did not come.
    pub async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let mut commits = self.app.feed.commits();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look().await {
                return found;
            }
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            assert!(!left.is_zero(), "waited in vain until {what}");
            commits.next(left).await;
        }
    }

    /// Waits until no order to the network is left.
    pub async fn settled(&self) {
        let none = async || (orders::waiting(&self.app).await.expect("orders") == 0).then_some(());
        self.until("no order to the network is left", none).await
    }

    /// Waits for the first event of this kind: what follows from a change comes a moment after it.
    pub async fn event(&self, kind: &str) -> store::kernel::event::Event {
        let first = async || {
            let events = directory::events_after(&self.app, self.actor.isp, 0, 100_000).await.expect("events");
            events.into_iter().find(|event| event.kind.word() == kind)
        };
        self.until(&format!("there is {kind}"), first).await
    }

    pub async fn sessions(&self, line: Line) -> Vec<store::access::session::Session> {
        let isp = self.actor.isp;
        let all = self.app.db.read(async move |tx| store::access::session::latest(tx, isp, 1000).await);
        let mut rows: Vec<_> =
            all.await.expect("sessions").into_iter().filter(|row| row.service_id == Some(line.service)).collect();
        rows.reverse();
        rows
    }
}

pub fn cash() -> Payer {
    Payer::Cash { method: "api".into() }
}

pub fn days(n: i64) -> i64 {
    n * DAY
}

pub fn seconds(n: i64) -> i64 {
    n * SECOND
}

pub fn isp(name: &str) -> NewIsp {
    NewIsp {
        name: name.into(),
        currency: "KES".into(),
        time_zone: "Africa/Nairobi".into(),
        locale: "en".into(),
        username_prefix: "AB".into(),
        tax_ppm: 160_000,
        tax_inclusive: true,
        owner_name: "Owner".into(),
        owner_email: "owner@example.com".into(),
        owner_password: "correct horse".into(),
    }
}

pub fn bandwidth(name: &str, down_kbps: i64, up_kbps: i64) -> NewBandwidth {
    NewBandwidth {
        name: name.into(),
        down_kbps,
        down_unit: "Mbps".into(),
        up_kbps,
        up_unit: "Mbps".into(),
        burst: None,
        priority: None,
    }
}

/// RADIUS on free ports, and a router that asks there.
async fn radius(app: &App) -> (aaa::Running, Nas) {
    let loopback: SocketAddr = ([127, 0, 0, 1], 0).into();
    let settings =
        aaa::Settings { auth: loopback, acct: loopback, threads: 1, strip_realm: true, held: aaa::Held::default() };
    let aaa = aaa::start(app.clone(), settings).await.expect("RADIUS ports");
    aaa.ready().await;
    let nas = Nas::new(aaa.auth_addr(), aaa.acct_addr(), SECRET).await;
    (aaa, nas)
}
