//! Every route of every dialect against every credential that must not open it: none, a wrong one, another dialect's,
//! another tenant's, one with too small a right, one that has ended. The rows come from the route tables, so that a new
//! route is covered by itself; each is called over the whole dispatch, as `web.rs` builds it.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, header::CONTENT_TYPE},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{ApiClientId, BranchId, Kind, Money, Role, Scope, Scopes, StaffId, Status, kernel::clock::MINUTE};
use doors::{Dispatch, Gate, Log, Operation, Route};
use serde_json::{Value, json};
use service::{
    Actor, Who,
    access::routers::{self, NewRouter},
    customers::{
        card,
        portal::{self, STAFF},
    },
    helpdesk::complaints::{self, NewComplaint},
    identity::{
        branches,
        clients::{self, ClientChange, NewClient, NewOauthClient, NewPair, Tier},
        staff::{self, NewStaff},
        tenants, tokens,
    },
    receivables::bills::{self, NewBill},
    sales::vouchers::{self, Format, NewVouchers},
};
use tower::ServiceExt;
use zal::envelope::Need;

use crate::{
    app::{Line, TestApp, bandwidth, cash, isp},
    both, platform,
};

both!(what_has_ended_opens_nothing);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_wrong_and_foreign_credentials_open_nothing() {
    no_credential_of_the_dialect(TestApp::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_tenants_credential_reaches_nothing() {
    another_tenant(TestApp::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_small_a_right_is_refused() {
    too_small_a_right(TestApp::sqlite().await).await;
}

/// What a route is opened with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kin {
    Key,
    V1,
    V2,
    Person,
    Subscriber,
    Pair,
}

const KINS: [Kin; 6] = [Kin::Key, Kin::V1, Kin::V2, Kin::Person, Kin::Subscriber, Kin::Pair];

#[derive(Clone, Copy)]
struct Row {
    dialect: &'static str,
    route: &'static Route,
    operation: Option<&'static Operation>,
    kin: Kin,
    public: bool,
    /// The right that its table says it needs.
    right: Option<Scope>,
}

/// Every route there is; what reads first, and of what writes what has an id in its path: the others may create rows of
/// the caller's own that say what the tenant's do.
fn rows() -> Vec<Row> {
    let of_alternet = alternet::ROUTES.iter().map(|route| Row {
        dialect: alternet::NAME,
        route,
        operation: None,
        kin: Kin::Key,
        public: false,
        right: None,
    });
    let told = |dialect: &'static str, kin: Kin, routes: &'static [Route], operations: &'static [Operation]| {
        assert_eq!(routes.len(), operations.len());
        let all = routes.iter().zip(operations);
        all.map(move |(route, row)| Row {
            dialect,
            route,
            operation: Some(row),
            kin,
            public: row.public,
            right: row.scope,
        })
    };
    let of_zal = zal::ROUTES.iter().zip(zal::NEEDS).map(|(route, need)| {
        let (kin, public, right) = match *need {
            Need::Nothing | Need::SignIn => (Kin::Person, true, None),
            Need::Staff | Need::OwnToken(STAFF) => (Kin::Person, false, None),
            Need::Right(scope, _) => (Kin::Person, false, Some(scope)),
            Need::Subscriber | Need::OwnToken(_) => (Kin::Subscriber, false, None),
        };
        Row { dialect: zal::NAME, route, operation: None, kin, public, right }
    });
    let of_jaze = jaze::ROUTES.iter().zip(jaze::RIGHTS).map(|(route, right)| Row {
        dialect: jaze::NAME,
        route,
        operation: None,
        kin: Kin::Pair,
        public: false,
        right: Some(*right),
    });
    let mut rows: Vec<Row> = of_alternet.collect();
    rows.extend(told(ispbills::v1::NAME, Kin::V1, ispbills::v1::ROUTES, ispbills::v1::OPERATIONS));
    rows.extend(told(ispbills::v2::NAME, Kin::V2, ispbills::v2::ROUTES, ispbills::v2::OPERATIONS));
    rows.extend(of_zal);
    rows.extend(of_jaze);
    rows.sort_by_key(|row| (row.changes(), !row.route.path.contains('{')));
    rows
}

impl Row {
    /// Under the dialect's own prefix, with what stands in braces replaced.
    fn path(&self, of: &Seed, id: i64) -> String {
        let part = |part: &str| match part.trim_matches(['{', '}']) {
            _ if !part.starts_with('{') => part.to_string(),
            "fromDate" => "2029-01-01".into(),
            "toDate" => "2031-01-01".into(),
            "type" | "key" => "username".into(),
            "value" | "username" => of.login.clone(),
            "phone" => of.phone.clone(),
            "accountId" => of.account.clone(),
            "level" => "area".into(),
            _ => id.to_string(),
        };
        self.route.path.split('/').map(part).collect::<Vec<_>>().join("/")
    }

    /// Names one row by its id, so that there is nothing to answer with for a stranger.
    fn names_one(&self) -> bool {
        ["{id}", "{userId}", "{invoiceId}", "{accountId}", "{value}"].iter().any(|part| self.route.path.contains(part))
    }

    fn changes(&self) -> bool {
        self.route.method != "GET"
    }

    /// Bodies that say nothing and that name the rows of the tenant.
    fn bodies(&self, of: &Seed, id: i64) -> Vec<Value> {
        match self.operation {
            Some(operation) if self.changes() => vec![json!({}), platform::body(operation, id)],
            Some(operation) => vec![json!({}), platform::query(operation, id)],
            None => {
                let mut with_account = of.fields(id, of.place);
                with_account["accountId"] = json!(of.account);
                vec![json!({}), of.fields(id, of.place), of.fields(id, of.own_place), with_account]
            }
        }
    }
}

/// In everything the tenant has.
const MARK: &str = "ZZMARKER";

/// What the tenant has, and how its rows are called.
struct Seed {
    line: Line,
    ids: Vec<i64>,
    place: (i64, i64, i64),
    /// The caller's own Isp, branch and person, where it is another.
    own_place: (i64, i64, i64),
    login: String,
    phone: String,
    account: String,
}

const ROWS: i64 = 6;

impl Seed {
    async fn of(app: &TestApp, above: i64) -> Seed {
        let (core, actor) = (&app.app, &app.actor);
        let (login, phone) = (format!("{MARK}login").to_lowercase(), String::from("0799123987"));
        let mut lines = Vec::new();
        let mut ids = Vec::new();
        for n in 0..ROWS {
            let rate = bandwidth(&format!("{MARK} rate {n}"), 9_000, 9_000);
            let rate = service::catalogue::plans::create_bandwidth(core, actor, rate).await.expect("a bandwidth");
            let plan = app.plan(&format!("{MARK} plan {n}"), |_| {}).await;
            let name = if n == ROWS - 1 { login.clone() } else { format!("{login}{n}") };
            let made = app.try_customer(&name, |customer| {
                customer.full_name = format!("{MARK} customer {n}");
                customer.username = Some(format!("{login}-account{n}"));
                customer.phone = if n == ROWS - 1 { phone.clone() } else { format!("{phone}{n}") };
                customer.email = Some(format!("{login}{n}@example.com"));
                customer.address = Some(format!("{MARK} street {n}"));
                customer.plan = plan;
                customer.network_password = Some(format!("{MARK}secret"));
            });
            let line = made.await.expect("a customer");
            let bill = NewBill {
                customer: line.customer,
                amount: Money(100_000),
                due: None,
                description: Some(format!("{MARK} bill")),
            };
            let bill = bills::create(core, actor, bill, None).await.expect("a bill").id;
            let complaint = NewComplaint {
                customer: line.customer,
                subject: format!("{MARK} subject"),
                message: format!("{MARK} message"),
                category: None,
                department: None,
                priority: domain::helpdesk::complaint::Priority::Normal,
                assigned_to: None,
            };
            let complaint = complaints::create(core, actor, complaint, None).await.expect("a complaint");
            let codes = NewVouchers {
                kind: Kind::Pppoe,
                router: app.router,
                plan,
                count: 1,
                format: Format::Upper,
                length: 8,
                clients: 1,
                customer: None,
            };
            let code = vouchers::create(core, actor, codes, None).await.expect("a voucher").vouchers[0].0;
            person(app, actor, Role::Manager, None).await;
            ids.extend([rate.id.0, plan.0, line.customer.0, line.service.0, bill, complaint, code]);
            lines.push(line);
        }
        let account = format!("{MARK}-top").to_lowercase();
        branches::name(core, actor, None, &account).await.expect("an account");
        ids.retain(|id| *id > above);
        ids.sort_unstable();
        ids.dedup();
        assert!(ids.len() >= 3, "rows that the stranger's own cannot be mistaken for: {ids:?}");
        let Who::Staff(owner) = actor.who else { panic!("a person") };
        let head = branches::head_office(core, actor).await.expect("a head office").id;
        let line = lines[lines.len() - 1];
        assert!(ids.contains(&line.customer.0));
        let place = (actor.isp.0, head.0, owner.0);
        Seed { line, ids, place, own_place: place, login, phone, account }
    }

    /// Fields of all plain dialects, each naming the tenant's rows.
    fn fields(&self, id: i64, (isp, branch, user): (i64, i64, i64)) -> Value {
        let ids = json!({
            "isp_id": isp, "branch_id": branch, "user_id": user,
            "id": id, "subscriber_id": id, "customer_id": id, "customer_ids": [id], "voucher_ids": [id],
            "selected_subscribers": [id], "subscriber_ids": [id], "ids": [id],
            "plan_id": id, "package_id": id, "new_package_id": id, "router_id": id, "nas_id": id, "pool": "main",
            "id_bw": id, "salesperson_id": id, "apartment_id": id,
            "userId": id, "userIds": id, "userGroupId": id, "groupId": id, "adminId": user, "modelId": id,
            "ticketId": id, "inputAreaId": id, "inputStreetId": id, "streetId": id,
        });
        let names = json!({
            "phone": self.phone, "phonenumber": self.phone, "phoneNumber": self.phone,
            "username": self.login, "userName": self.login,
        });
        let words = WORDS.split_whitespace().filter_map(|word| word.split_once('='));
        let words = words.map(|(name, value)| (name.to_string(), Value::from(value))).collect();
        let parts = [words, taken(ids), taken(names)];
        Value::Object(parts.into_iter().flatten().collect())
    }
}

fn taken(value: Value) -> serde_json::Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// What else the plain dialects' calls need before they look at whose row it is.
const WORDS: &str = "
    search=9 password=guessed12 fullname=Mine name=Mine name_plan=Mine name_bw=Mine new_name=Mine
    email=mine@stranger.example pppoe_username=mine pppoe_password=mine1234 service_type=pppoe type=username
    status=active payment_type=cash payment_method=cash method=cash amount=5 days=3 price=5 validity=30
    validity_unit=Days limit_type=Time_Limit attribute=Session-Timeout op=:= value=60 statusOfCollection=cashCollected
    subject=Mine message=Mine templateName=mine current_password=guessed12 new_password=guessed34
    new_password_confirmation=guessed34 clearUserDataUsage=0 clearUserPolicies=0 moveBilling=0 toRemove=mac
    numbervoucher=1 voucher_format=numbers lengthcode=8 clientsCount=1 rate_down=5 rate_up=5 rate_down_unit=Mbps
    rate_up_unit=Mbps state=block fromDate=2029-01-01 toDate=2031-01-01";

/// All dialects behind one door, with a tenant that has something to hide.
struct World {
    app: TestApp,
    router: Router,
    seed: Seed,
}

struct Came {
    status: u16,
    text: String,
}

type Held = (&'static str, String);

static MADE: AtomicUsize = AtomicUsize::new(0);

fn next() -> usize {
    MADE.fetch_add(1, Ordering::Relaxed)
}

async fn person(app: &TestApp, actor: &Actor, role: Role, branch: Option<BranchId>) -> (StaffId, String) {
    let email = format!("{MARK}{}@example.com", next()).to_lowercase();
    let new = NewStaff {
        name: format!("{MARK} person"),
        email: email.clone(),
        password: "long enough".into(),
        phone: None,
        role,
        branch,
        parent: None,
    };
    (staff::create(&app.app, actor, Scopes::ALL, new).await.expect("a person").id, email)
}

/// What a credential may do.
#[derive(Clone, Default)]
struct Narrow {
    scopes: Option<Scopes>,
    branch: Option<BranchId>,
    /// For the plain dialects, which know no scopes but these.
    tier: Option<Tier>,
    role: Option<Role>,
}

/// What is to be ended.
enum Holder {
    Client(ApiClientId),
    Person(StaffId),
    Line(Line),
}

impl World {
    async fn over(app: TestApp, above: i64) -> World {
        let seed = Seed::of(&app, above).await;
        let (core, gate, log) = (app.app.clone(), Gate::default(), Log::default());
        let router = Dispatch::new(core.clock.clone())
            .with(alternet::dialect(core.clone(), gate.clone(), log.clone()))
            .with(ispbills::v1(core.clone(), gate.clone(), log.clone()))
            .with(ispbills::v2(core.clone(), gate.clone(), log.clone()))
            .with(zal::dialect(core.clone(), gate.clone(), log.clone()))
            .with_reading(jaze::dialect(core, gate, log), jaze::path)
            .router();
        World { app, router, seed }
    }

    /// A new credential of this kind; `line` is whose a subscriber's is.
    async fn credential(&self, kin: Kin, actor: &Actor, line: Line, narrow: Narrow) -> (Holder, Held) {
        let core = &self.app.app;
        let Narrow { scopes, branch, tier, role } = narrow;
        let bearer = |text: String| ("authorization", format!("Bearer {text}"));
        let client =
            |dialect, tier| NewClient { dialect, name: "client".into(), branch, tier, sandbox: false, secret: None };
        match kin {
            Kin::Key => {
                let command = client(alternet::NAME, tier.unwrap_or(Tier::Enterprise));
                let made = clients::create(core, actor, command).await.expect("a client");
                (Holder::Client(made.id), ("x-api-key", made.secret))
            }
            Kin::V1 => {
                let made =
                    clients::create(core, actor, client(tokens::V1, Tier::V1HighVolume)).await.expect("a client");
                let change = ClientChange { scopes: Some(scopes), ..ClientChange::default() };
                clients::update(core, actor, Scopes::ALL, made.id, change).await.expect("its rights");
                let granted = tokens::for_client(core, actor, Scopes::ALL, made.id).await.expect("tokens");
                (Holder::Client(made.id), bearer(granted.access))
            }
            Kin::V2 => {
                let (name, tier) = ("client".into(), Tier::V2HighVolume);
                let command = NewOauthClient { name, branch, tier, scopes, credentials: None };
                let made = clients::create_oauth(core, actor, command).await.expect("a client");
                let granted = tokens::exchange(core, &made.client_id, &made.client_secret).await.expect("a token");
                (Holder::Client(made.id), bearer(granted.access))
            }
            Kin::Person => {
                let id = match (actor.who, role) {
                    (Who::Staff(owner), None) if branch.is_none() => owner,
                    _ => person(&self.app, actor, role.unwrap_or(Role::Manager), branch).await.0,
                };
                let granted = portal::for_staff(core, actor, id, 1000).await.expect("a token");
                (Holder::Person(id), bearer(granted.text))
            }
            Kin::Subscriber => {
                let customer = card::show(core, actor, line.customer, card::Parts::NONE).await.expect("a customer");
                let name = customer.customer.username.clone();
                let (_, granted) = portal::sign_in_subscriber(core, &name, "portal").await.expect("a token");
                (Holder::Line(line), bearer(granted.text))
            }
            Kin::Pair => {
                let public = format!("public{}", next());
                let (name, tier) = (public.clone(), Tier::Jaze);
                let command =
                    NewPair { dialect: jaze::NAME, name, branch, tier, scopes, public: public.clone(), secret: None };
                let made = clients::create_pair(core, actor, command).await.expect("a client");
                let text = STANDARD.encode(format!("{public}:{}", made.secret));
                (Holder::Client(made.id), ("authorization", format!("Basic {text}")))
            }
        }
    }

    /// The tenant's own with all rights.
    async fn own(&self, kin: Kin) -> Held {
        self.credential(kin, &self.app.actor, self.seed.line, Narrow::default()).await.1
    }

    async fn end(&self, holder: Holder) {
        let (core, actor) = (&self.app.app, &self.app.actor);
        match holder {
            Holder::Client(id) => clients::revoke(core, actor, Scopes::ALL, id, None).await.expect("an end"),
            Holder::Person(id) => {
                staff::suspend(core, actor, Scopes::ALL, id, true).await.expect("a suspension");
            }
            Holder::Line(line) => self.app.put(line, Status::Disabled).await.expect("disabled"),
        }
    }

    /// What comes to this request, however often the caller asked before.
    async fn call(&self, row: &Row, path: &str, held: Option<&Held>, body: &Value) -> Came {
        let uri = match body.as_object() {
            Some(fields) if !row.changes() || row.route.method == "DELETE" => format!("{path}?{}", form(fields)),
            _ => path.to_string(),
        };
        let (kind, text) = match body.as_object() {
            _ if !row.changes() => ("application/json", String::new()),
            Some(fields) if row.kin == Kin::Pair => ("application/x-www-form-urlencoded", form(fields)),
            _ => ("application/json", body.to_string()),
        };
        loop {
            let request = Request::builder().method(row.route.method).uri(&uri).header(CONTENT_TYPE, kind);
            let request = held.into_iter().fold(request, |request, (name, value)| request.header(*name, value));
            let mut request = request.body(Body::from(text.clone())).expect("a request");
            request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4000))));
            let response = match self.router.clone().oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            let status = response.status().as_u16();
            if status == 429 {
                self.app.app.clock.pass(MINUTE);
                continue;
            }
            let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
            return Came { status, text: String::from_utf8_lossy(&bytes).into_owned() };
        }
    }

    /// As `call`; nothing of the tenant's is in the answer, and nothing broke.
    async fn stranger(&self, row: &Row, path: &str, held: Option<&Held>, body: &Value) -> Came {
        let came = self.call(row, path, held, body).await;
        let what = format!("{} {path} with {held:?} {body}: {} {}", row.route.method, came.status, came.text);
        assert!(came.status < 500, "{what}");
        let (told, asked) = (came.text.to_lowercase(), format!("{path}{body}"));
        assert!(!told.contains(&MARK.to_lowercase()), "a leak: {what}");
        // Said by the request itself it may be said again.
        assert!(asked.contains(&self.seed.phone) || !told.contains(&self.seed.phone), "a leak: {what}");
        came
    }
}

/// `a=1&b[]=2`.
fn form(fields: &serde_json::Map<String, Value>) -> String {
    let escaped = |text: &str| text.bytes().fold(String::new(), |all, byte| all + &format!("%{byte:02X}"));
    let pairs = fields.iter().flat_map(|(name, value)| match value {
        Value::Array(list) => list.iter().map(|one| format!("{name}%5B%5D={one}")).collect(),
        Value::String(text) => vec![format!("{name}={}", escaped(text))],
        other => vec![format!("{name}={other}")],
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// Where each kind of credential shows what the tenant has: else a refusal would prove nothing.
async fn good_at_home(world: &World, all: &[(Kin, Held)]) {
    let (isp, branch, _) = world.seed.place;
    for (kin, held) in all {
        let (dialect, path) = match kin {
            Kin::Key => (alternet::NAME, "/api/v1/customers"),
            Kin::V1 => (ispbills::v1::NAME, "/api/v1/customers"),
            Kin::V2 => (ispbills::v2::NAME, "/api/v2/customers"),
            Kin::Person => (zal::NAME, "/api/v1/subscribers"),
            Kin::Subscriber => (zal::NAME, "/api/v1/subscriber/profile"),
            Kin::Pair => (jaze::NAME, "/api/v1/get_all"),
        };
        let rows = rows();
        let row = rows.iter().find(|row| row.dialect == dialect && row.route.path == path && !row.changes());
        let row = row.unwrap_or_else(|| panic!("{dialect} has {path}"));
        let body = json!({ "isp_id": isp, "branch_id": branch });
        let came = world.call(row, &format!("/{dialect}{path}"), Some(held), &body).await;
        assert_eq!(came.status, 200, "{kin:?} at home: {}", came.text);
        assert!(came.text.contains(MARK), "{kin:?} sees its own: {}", came.text);
    }
}

async fn all_of(world: &World) -> Vec<(Kin, Held)> {
    let mut all = Vec::new();
    for kin in KINS {
        all.push((kin, world.own(kin).await));
    }
    all
}

async fn no_credential_of_the_dialect(app: TestApp) {
    let world = World::over(app, 0).await;
    let own = all_of(&world).await;
    good_at_home(&world, &own).await;
    let wrong: Vec<Held> = vec![
        ("x-api-key", "wrong".into()),
        ("authorization", "Bearer wrong".into()),
        ("authorization", "Bearer v2_wrong".into()),
        ("authorization", "Bearer 1|wrong".into()),
        ("authorization", format!("Basic {}", STANDARD.encode("wrong:wrong"))),
        ("authorization", "Bearer ".into()),
    ];
    let mut probes = 0;
    for row in rows() {
        let foreign = own.iter().filter(|(kin, _)| *kin != row.kin).map(|(_, held)| held);
        let helds: Vec<Option<&Held>> =
            std::iter::once(None).chain(wrong.iter().map(Some)).chain(foreign.map(Some)).collect();
        let id = world.seed.line.customer.0;
        let plain = row.path(&world.seed, id);
        let path = format!("/{}{plain}", row.dialect);
        for held in helds {
            for body in row.bodies(&world.seed, id).iter().take(2) {
                let came = world.stranger(&row, &path, held, body).await;
                let what = format!("{} {path} with {held:?}: {} {}", row.route.method, came.status, came.text);
                match row.public {
                    true => assert!(came.status != 200 || !row.changes(), "{what}"),
                    false => assert_eq!(came.status, 401, "{what}"),
                }
                probes += 1;
            }
            // Without the prefix the credential decides; what belongs to nobody opens nothing there either.
            if held.is_none_or(|held| wrong.contains(held)) {
                let came = world.stranger(&row, &plain, held, &json!({})).await;
                let open = row.public && came.status != 200 || row.route.name == "auth::health";
                assert!(open || came.status == 401, "{plain} with {held:?}: {} {}", came.status, came.text);
                probes += 1;
            }
        }
    }
    good_at_home(&world, &own[3..]).await;
    assert!(probes > 3000, "{probes} probes");
}

async fn another_tenant(app: TestApp) {
    // The stranger comes first, so that its own rows have small numbers.
    let mut command = isp("Other ISP");
    command.owner_email = "other@example.com".into();
    let other = tenants::create_isp(&app.app, command).await.expect("another Isp");
    let stranger = Actor { isp: other.isp, who: Who::Staff(other.owner), branch: None, may_write: true };
    let line = theirs(&app, &stranger).await;
    let (first, second) = (other.isp.0.max(other.branch.0), other.owner.0.max(line.customer.0));
    let mut world = World::over(app, first.max(second) + 1).await;
    world.seed.own_place = (other.isp.0, other.branch.0, other.owner.0);
    // Numbers of clients that are surely not the stranger's.
    let (client, _) = world.credential(Kin::V2, &world.app.actor, world.seed.line, Narrow::default()).await;
    let Holder::Client(client) = client else { panic!("a client") };
    let own = all_of(&world).await;
    good_at_home(&world, &own).await;
    let (events, ledger) = (world.app.events().await, world.app.ledger().await);
    let mut probes = 0;
    for row in rows().into_iter().filter(|row| !row.public) {
        let (_, mut held) = world.credential(row.kin, &stranger, line, Narrow::default()).await;
        let ids = match row.route.path.contains("/clients/") {
            true => vec![client.0],
            false => world.seed.ids.clone(),
        };
        for id in ids {
            for body in row.bodies(&world.seed, id) {
                let path = format!("/{}{}", row.dialect, row.path(&world.seed, id));
                let came = world.stranger(&row, &path, Some(&held), &body).await;
                let what = format!("{} {path} {body}: {} {}", row.route.method, came.status, came.text);
                let own =
                    ["logout", "refresh", "revoke", "authenticate"].iter().any(|word| row.route.name.contains(word));
                assert!(own || came.status != 401, "the credential is good: {what}");
                assert!(!row.names_one() || (400..500).contains(&came.status), "{what}");
                let of_zal = row.kin == Kin::Person && row.changes() && row.route.path.contains("/subscribers");
                assert!(!of_zal || body == json!({}) || (400..500).contains(&came.status), "{what}");
                if own || came.status == 401 {
                    held = world.credential(row.kin, &stranger, line, Narrow::default()).await.1;
                }
                probes += 1;
            }
        }
    }
    assert_eq!(world.app.events().await, events, "nothing of the tenant's has changed");
    assert_eq!(world.app.ledger().await, ledger);
    assert!(probes > 1500, "{probes} probes");
}

/// A customer of the stranger's, with a plan and a router.
async fn theirs(app: &TestApp, stranger: &Actor) -> Line {
    let core = &app.app;
    let router = NewRouter {
        name: "theirs".into(),
        vendor: "mikrotik".into(),
        network: "192.0.2.0/24".into(),
        nas_identifier: None,
        secret: "testing123".into(),
        coa_port: 3799,
        ma_policy: "require".into(),
        api_address: None,
    };
    let router = routers::create(core, stranger, router).await.expect("a router");
    let rate = service::catalogue::plans::create_bandwidth(core, stranger, bandwidth("theirs", 1_000, 1_000)).await;
    let rate = rate.expect("a bandwidth").id;
    let plan = service::catalogue::plans::NewPlan { bandwidth: rate, pool: None, ..plan("theirs") };
    let plan = service::catalogue::plans::create(core, stranger, plan).await.expect("a plan").plan.id;
    let made = app.try_customer_of(stranger, "theirs", |customer| {
        customer.plan = plan;
        customer.router = router;
        customer.payer = Some(cash());
    });
    made.await.expect("a customer")
}

fn plan(name: &str) -> service::catalogue::plans::NewPlan {
    service::catalogue::plans::NewPlan {
        name: name.into(),
        kind: Kind::Pppoe,
        bandwidth: domain::BandwidthId(0),
        pool: None,
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
        expiry: service::catalogue::plans::Expiry::Reject,
        interim_s: 300,
        enabled: true,
        public: true,
    }
}

async fn too_small_a_right(app: TestApp) {
    let mut world = World::over(app, 0).await;
    let branch = branches::open(&world.app.app, &world.app.actor, "North", "north").await.expect("a branch");
    world.seed.own_place.1 = branch.0;
    let actor = &world.app.actor;
    let (events, ledger) = (world.app.events().await, world.app.ledger().await);
    let nothing = Narrow {
        scopes: Some(Scopes::NONE),
        tier: Some(Tier::Free),
        role: Some(Role::Salesperson),
        ..Narrow::default()
    };
    let apart = Narrow { branch: Some(branch), ..Narrow::default() };
    for row in rows().into_iter().filter(|row| !row.public && row.kin != Kin::Subscriber) {
        let id = world.seed.line.customer.0;
        let path = format!("/{}{}", row.dialect, row.path(&world.seed, id));
        let (_, held) = world.credential(row.kin, actor, world.seed.line, nothing.clone()).await;
        for body in row.bodies(&world.seed, id).iter().take(2) {
            let came = world.call(&row, &path, Some(&held), body).await;
            let refused = match row.kin {
                // What needs no right is everybody's.
                Kin::V1 | Kin::V2 | Kin::Pair => row.right.is_some(),
                Kin::Person => row.right.is_some_and(|right| !Role::Salesperson.scopes().has(right)),
                // A key of the smallest tier reads.
                Kin::Key => row.changes(),
                Kin::Subscriber => false,
            };
            let what = format!("{} {path} {body}: {} {}", row.route.method, came.status, came.text);
            assert!(came.status < 500, "{what}");
            assert!(!refused || came.status == 403, "{what}");
        }
        // Another branch's: what is told of a customer is told of none of these.
        let (_, held) = world.credential(row.kin, actor, world.seed.line, apart.clone()).await;
        for body in row.bodies(&world.seed, id) {
            let came = world.call(&row, &path, Some(&held), &body).await;
            let what = format!("a branch's: {} {path} {body}: {} {}", row.route.method, came.status, came.text);
            assert!(came.status < 500, "{what}");
            for secret in ["customer ", "street ", "bill", "subject", "message", "secret"] {
                assert!(!came.text.contains(&format!("{MARK} {secret}")), "a leak: {what}");
            }
            let of_one = ["/customers/{id}", "/{userId}"].iter().any(|part| row.route.path.contains(part));
            let of_zal = row.kin == Kin::Person && row.changes() && row.route.path.contains("/subscribers");
            assert!(!(of_one || of_zal) || (400..500).contains(&came.status), "{what}");
        }
    }
    let told: Vec<String> = world.app.events().await.into_iter().skip(events.len()).collect();
    let other = told.iter().filter(|kind| kind.starts_with("customer.") || kind.starts_with("service.")).count();
    assert_eq!((other, world.app.ledger().await), (0, ledger), "nothing has changed: {told:?}");
}

async fn what_has_ended_opens_nothing(app: TestApp) {
    let world = World::over(app, 0).await;
    let mut ended = Vec::new();
    for kin in KINS {
        // An owner is not suspended.
        let narrow = Narrow { role: Some(Role::Manager), ..Narrow::default() };
        let (holder, held) = world.credential(kin, &world.app.actor, world.seed.line, narrow).await;
        good_at_home(&world, &[(kin, held.clone())]).await;
        world.end(holder).await;
        ended.push((kin, held));
    }
    let mut probes = 0;
    for row in rows() {
        let held = &ended.iter().find(|(kin, _)| *kin == row.kin).expect("all kinds").1;
        let id = world.seed.line.customer.0;
        let path = format!("/{}{}", row.dialect, row.path(&world.seed, id));
        for body in row.bodies(&world.seed, id).iter().take(2) {
            let came = world.stranger(&row, &path, Some(held), body).await;
            let what = format!("{} {path} {held:?}: {} {}", row.route.method, came.status, came.text);
            let refused = came.status == 401 || row.kin == Kin::Subscriber && came.status == 403;
            assert!(refused || row.public && (came.status != 200 || !row.changes()), "{what}");
            probes += 1;
        }
    }
    assert!(probes > 400, "{probes} probes");
}
