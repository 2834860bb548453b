//! Four dialects, one customer: whoever made it and whoever works on it, Alternet, both ISPBills, Zal, Jaze and RADIUS
//! tell the same story (docs/readings.md 7.0). Everything goes through one address, as it is served.

use axum::{Router, body::Body, http::Request};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{Instant, PlanId, Status};
use doors::{
    Dispatch, Gate, Log,
    wire::{local_datetime, utc_seconds},
};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use service::{
    App, Who,
    catalogue::plans::{self, BandwidthChange},
    customers::portal,
    identity::{
        branches,
        clients::{self, NewClient, NewOauthClient, NewPair, Tier},
        tokens,
    },
};
use tower::ServiceExt;

use crate::{
    app::{TestApp, bandwidth, days, seconds},
    both,
    nas::login,
};

both!(
    made_in_alternet,
    made_in_ispbills_v1,
    made_in_ispbills_v2,
    made_in_zal,
    made_in_jaze,
    every_state_has_its_word,
    what_ends_by_itself_ends_everywhere,
);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    Alternet,
    V1,
    V2,
    Zal,
    Jaze,
}

use Dialect::{Alternet, Jaze, V1, V2, Zal};

const ALL: [Dialect; 5] = [Alternet, V1, V2, Zal, Jaze];

/// What RADIUS and the words of docs/readings.md 7.0 tell apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Is(Status),
    Expired,
}

use State::{Expired, Is};

/// docs/readings.md 7.0: each state in the words of each dialect, and RADIUS's.
#[rustfmt::skip]
const WORDS: &[(State, [&str; 5], &str)] = &[
    (Is(Status::Active),           ["Active",      "active",    "active",    "active",   "active"],           "Access-Accept"),
    (Is(Status::Pending),          ["Inactive",    "suspended", "suspended", "pending",  "pending"],          "Access-Reject"),
    (Is(Status::AwaitingApproval), ["Inactive",    "suspended", "suspended", "pending",  "pending-approval"], "Access-Reject"),
    (Expired,                      ["Expired",     "suspended", "suspended", "expired",  "expired"],          "Access-Reject"),
    (Is(Status::Suspended),        ["Deactivated", "suspended", "suspended", "disabled", "suspended"],        "Access-Reject"),
    (Is(Status::Disabled),         ["Deactivated", "disabled",  "disabled",  "disabled", "blacklisted"],      "Access-Reject"),
    (Is(Status::Inactive),         ["Inactive",    "disabled",  "disabled",  "inactive", "blocked"],          "Access-Reject"),
    (Is(Status::Rejected),         ["Inactive",    "disabled",  "disabled",  "inactive", "rejected"],         "Access-Reject"),
    (Is(Status::Terminated),       ["Inactive",    "disabled",  "disabled",  "inactive", "terminated"],       "Access-Reject"),
];

/// The truth as the test expects it.
#[derive(Clone, Debug)]
struct Story {
    username: &'static str,
    plan: (PlanId, &'static str),
    /// Down and up.
    rate: &'static str,
    state: State,
    until: Instant,
}

const NAME: &str = "Ali Khan";
const PHONE: &str = "0712345678";

/// What a dialect tells of it.
#[derive(PartialEq, Eq, Debug)]
struct Told {
    name: String,
    phone: String,
    username: String,
    plan: String,
    /// ISPBills v1 knows packages by name.
    plan_id: Option<i64>,
    status: String,
    until: String,
}

/// What is asked of a dialect: a method, a path, a body.
pub type Call = (&'static str, String, Value);

/// Every dialect at one address, with a credential for each.
pub struct Town<'a> {
    app: &'a TestApp,
    router: Router,
    zone: TimeZone,
    credentials: Vec<(&'static str, String)>,
    /// What Zal's calls say of where they act and who acts.
    place: String,
}

/// All dialects as they are served.
fn router(core: &App) -> Router {
    let (core, gate, log) = (core.clone(), Gate::default(), Log::default());
    Dispatch::new(core.clock.clone())
        .with(alternet::dialect(core.clone(), gate.clone(), log.clone()))
        .with(ispbills::v1(core.clone(), gate.clone(), log.clone()))
        .with(ispbills::v2(core.clone(), gate.clone(), log.clone()))
        .with(zal::dialect(core.clone(), gate.clone(), log.clone()))
        .with_reading(jaze::dialect(core.clone(), gate, log), jaze::path)
        .router()
}

impl Town<'_> {
    /// The same credentials at another process over the same data.
    pub fn at<'b>(&self, app: &'b TestApp) -> Town<'b> {
        let (zone, credentials, place) = (self.zone.clone(), self.credentials.clone(), self.place.clone());
        Town { app, router: router(&app.app), zone, credentials, place }
    }

    pub async fn over(app: &TestApp) -> Town<'_> {
        let (core, router) = (app.app.clone(), router(&app.app));
        let Who::Staff(owner) = app.actor.who else { panic!("a person") };
        let branch = branches::head_office(&core, &app.actor).await.expect("a head office").id;
        let zone = core.tenant(app.actor.isp).await.expect("the Isp").zone.clone();
        branches::name(&core, &app.actor, None, "top").await.expect("an account");
        Town {
            app,
            router,
            zone,
            credentials: credentials(app).await,
            place: format!("isp_id={}&branch_id={branch}&user_id={owner}", app.actor.isp),
        }
    }

    async fn ask(&self, dialect: Dialect, (method, path, mut body): Call) -> (u16, Value) {
        let mut uri = path;
        if dialect == Zal && matches!(method, "GET" | "DELETE") {
            uri = format!("{uri}&{}", self.place);
        } else if dialect == Zal {
            for (name, value) in self.place.split('&').filter_map(|pair| pair.split_once('=')) {
                body[name] = value.into();
            }
        }
        let (header, credential) = &self.credentials[dialect as usize];
        let request = Request::builder().method(method).uri(&uri).header(*header, credential);
        let request = request.header("content-type", "application/json").header("host", "isp.example");
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let response = self.router.clone().oneshot(request.body(body).expect("a request")).await.expect("an answer");
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 22).await.expect("a body");
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// Asked and done.
    pub async fn done(&self, dialect: Dialect, call: Call) -> Value {
        let asked = format!("{dialect:?} {} {} {}", call.0, call.1, call.2);
        let (status, body) = self.ask(dialect, call).await;
        assert!((200..300).contains(&status), "{asked}: {status} {body}");
        body
    }

    /// The new customer's id.
    async fn create(&self, dialect: Dialect, username: &str) -> i64 {
        let (plan, router) = (self.app.gold.0, self.app.router.0);
        let made = self.done(dialect, create(dialect, username, plan, router)).await;
        let id = match dialect {
            Alternet => &made["data"]["customer_id"],
            V1 | V2 | Zal => &made["data"]["id"],
            Jaze => &made["message"]["userId"],
        };
        let id = id.as_i64().or_else(|| id.as_str()?.parse().ok()).expect("an id");
        if dialect == Zal {
            // Zal's create sells nothing; activation does.
            self.done(Zal, sell(Zal, id).expect("an activation")).await;
        }
        id
    }

    /// `None` when it is gone.
    async fn read(&self, dialect: Dialect, id: i64) -> Option<Told> {
        let (status, body) = self.ask(dialect, read(dialect, id)).await;
        if status == 404 {
            return None;
        }
        assert_eq!(status, 200, "{dialect:?}: {body}");
        Some(told(dialect, &body["data"])).filter(|told| told.status != "deleted")
    }

    /// Everybody tells this story of the customer, and RADIUS lets it in, or not, accordingly.
    async fn tells(&self, id: i64, story: &Story, when: &str) {
        // Rate limits are other tests'.
        self.app.app.clock.pass(seconds(61));
        let (_, words, radius) = WORDS.iter().find(|(state, ..)| *state == story.state).expect("words for it");
        for dialect in ALL {
            let expected = Told {
                name: NAME.into(),
                phone: PHONE.into(),
                username: story.username.into(),
                plan: story.plan.1.into(),
                plan_id: (dialect != V1).then_some(story.plan.0.0),
                status: words[dialect as usize].into(),
                until: match dialect {
                    V1 | V2 => utc_seconds(story.until),
                    Alternet | Zal | Jaze => local_datetime(story.until, &self.zone),
                },
            };
            assert_eq!(self.read(dialect, id).await, Some(expected), "{when}: {dialect:?}");
        }
        let answer = self.app.nas.login(login(story.username)).await;
        assert!(answer.starts_with(radius), "{when}: {answer}");
        if story.state == Is(Status::Active) {
            let left = story.until.seconds_since(self.app.app.clock.now());
            let accept =
                format!("Access-Accept Framed-Pool=main Session-Timeout={left} Mikrotik-Rate-Limit={}", story.rate);
            assert_eq!(answer, accept, "{when}");
        }
    }

    async fn is_gone(&self, id: i64, username: &str, when: &str) {
        for dialect in ALL {
            assert_eq!(self.read(dialect, id).await, None, "{when}: {dialect:?}");
        }
        let answer = self.app.nas.login(login(username)).await;
        assert_eq!(answer, "Access-Reject Reply-Message=Wrong username or password", "{when}");
    }
}

/// In the order of [`ALL`]: the header and what it says.
async fn credentials(app: &TestApp) -> Vec<(&'static str, String)> {
    let (core, actor) = (&app.app, &app.actor);
    let command = NewClient {
        dialect: alternet::NAME,
        name: "t".into(),
        branch: None,
        tier: Tier::Enterprise,
        sandbox: false,
        secret: None,
    };
    let key = clients::create(core, actor, command).await.expect("a key").secret;
    let v1 = tokens::sign_in(core, "owner@example.com", "correct horse").await.expect("the owner").access;
    let command =
        NewOauthClient { name: "t".into(), branch: None, tier: Tier::V2HighVolume, scopes: None, credentials: None };
    let client = clients::create_oauth(core, actor, command).await.expect("a client");
    let v2 = tokens::exchange(core, &client.client_id, &client.client_secret).await.expect("a token").access;
    let Who::Staff(owner) = actor.who else { panic!("a person") };
    let zal = portal::for_staff(core, actor, owner, 1000).await.expect("a token").text;
    let public = format!("top-{}", core.clock.now().unix());
    let command = NewPair {
        dialect: jaze::NAME,
        name: "t".into(),
        branch: None,
        tier: Tier::Jaze,
        scopes: None,
        public: public.clone(),
        secret: None,
    };
    let pair = clients::create_pair(core, actor, command).await.expect("a pair").secret;
    vec![
        ("x-api-key", key),
        ("authorization", format!("Bearer {v1}")),
        ("authorization", format!("Bearer {v2}")),
        ("authorization", format!("Bearer {zal}")),
        ("authorization", format!("Basic {}", STANDARD.encode(format!("{public}:{pair}")))),
    ]
}

// ---- each dialect's own way to say it ----

fn create(dialect: Dialect, username: &str, plan: i64, router: i64) -> Call {
    match dialect {
        Alternet => (
            "POST",
            "/api/v1/customers".into(),
            json!({
                "fullname": NAME, "phonenumber": PHONE, "service_type": "PPPoE", "plan_id": plan, "router_id": router,
                "password": "portal", "username": username, "pppoe_username": username, "pppoe_password": "secret"
            }),
        ),
        V1 | V2 => (
            "POST",
            format!("{}/customers", base(dialect)),
            json!({
                "name": NAME, "phone": PHONE, "package_id": plan, "connection_type": "pppoe", "username": username,
                "password": "secret"
            }),
        ),
        Zal => (
            "POST",
            "/api/v1/subscribers/create".into(),
            json!({
                "fullname": NAME, "phone": PHONE, "username": username, "password": "portal",
                "connection_password": "secret", "package_id": plan, "connection_type": 0
            }),
        ),
        Jaze => (
            "POST",
            "/api/v1/add_user".into(),
            json!({
                "firstName": "Ali", "lastName": "Khan", "phoneNumber": PHONE, "userName": username,
                "password": "secret", "userGroupId": plan
            }),
        ),
    }
}

fn base(dialect: Dialect) -> &'static str {
    if dialect == V2 { "/api/v2" } else { "/api/v1" }
}

fn read(dialect: Dialect, id: i64) -> Call {
    let path = match dialect {
        Alternet | V1 | V2 => format!("{}/customers/{id}", base(dialect)),
        Zal => format!("/api/v1/subscribers/details?id={id}"),
        Jaze => format!("/api/v1/get_details/{id}"),
    };
    ("GET", path, Value::Null)
}

fn told(dialect: Dialect, data: &Value) -> Told {
    let user = if dialect == Jaze { &data[0]["User"] } else { data };
    let package = if dialect == Alternet { &data["active_packages"][0] } else { user };
    let [name, phone, username, plan, plan_id] = match dialect {
        Alternet => ["/fullname", "/phonenumber", "/pppoe_username", "/namebp", "/plan_id"],
        V1 => ["/name", "/phone", "/username", "/package", "/none"],
        V2 => ["/name", "/phone", "/username", "/package/name", "/package/id"],
        Zal => ["/fullname", "/phone", "/username", "/package_name", "/package_id"],
        Jaze => ["/name", "/phone", "/username", "/group_name", "/groupId"],
    };
    let text = |of: &Value, at: &str| of.pointer(at).and_then(Value::as_str).unwrap_or("nothing").to_string();
    let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
    Told {
        name: text(user, name),
        phone: text(user, phone),
        username: text(user, username),
        plan: text(package, plan),
        plan_id: package.pointer(plan_id).and_then(number),
        status: text(user, "/status"),
        until: match dialect {
            Alternet => format!("{} {}", text(package, "/expiration"), text(package, "/time")),
            V1 | V2 => text(user, "/expires_at"),
            Zal => text(user, "/expiration_date"),
            Jaze => text(user, "/expirationTime"),
        },
    }
}

/// Every way to keep a customer out, with what it is to the core.
fn stops(dialect: Dialect, id: i64) -> Vec<(Call, Status)> {
    let (post, put) = ("POST", "PUT");
    let customer = format!("{}/customers/{id}", base(dialect));
    let action = |word: &str| (post, format!("{customer}/action"), json!({ "action": word }));
    let status = |word: &str| (put, customer.clone(), json!({ "status": word }));
    let profile = |code: i64| (put, "/api/v1/subscribers/update".into(), json!({ "id": id, "profile_status": code }));
    match dialect {
        Alternet => vec![
            ((post, format!("{customer}/suspend"), json!({ "notes": "unpaid" })), Status::Suspended),
            (status("Deactivated"), Status::Disabled),
            (status("Inactive"), Status::Inactive),
        ],
        V1 => vec![(action("suspend"), Status::Suspended), (action("disable"), Status::Disabled)],
        V2 => vec![(status("suspended"), Status::Suspended), (status("disabled"), Status::Disabled)],
        Zal => vec![(profile(0), Status::Inactive), (profile(1), Status::Pending)],
        Jaze => vec![
            ((post, "/api/v1/block_unblock_user".into(), json!({ "userId": id, "state": "block" })), Status::Disabled),
            ((post, "/api/v1/edit_user".into(), json!({ "userId": id, "userState": "suspended" })), Status::Suspended),
        ],
    }
}

fn start(dialect: Dialect, id: i64) -> Call {
    let customer = format!("{}/customers/{id}", base(dialect));
    match dialect {
        Alternet => ("POST", format!("{customer}/activate"), json!({})),
        V1 => ("POST", format!("{customer}/action"), json!({ "action": "activate" })),
        V2 => ("PUT", customer, json!({ "status": "active" })),
        Zal => ("PUT", "/api/v1/subscribers/update".into(), json!({ "id": id, "profile_status": 2 })),
        Jaze => ("POST", "/api/v1/block_unblock_user".into(), json!({ "userId": id, "state": "unblock" })),
    }
}

/// The next period, paid; ISPBills v2 documents no call that sells one.
fn sell(dialect: Dialect, id: i64) -> Option<Call> {
    match dialect {
        Alternet => Some(("POST", format!("/api/v1/customers/{id}/recharge"), json!({}))),
        V1 => Some(("POST", format!("/api/v1/customers/{id}/action"), json!({ "action": "recharge" }))),
        V2 => None,
        Zal => Some(("POST", "/api/v1/subscribers/activation".into(), json!({ "subscriber_id": id }))),
        Jaze => Some(("POST", "/api/v1/renew".into(), json!({ "userId": id, "isForceMakePayment": "yes" }))),
    }
}

fn change_plan(dialect: Dialect, id: i64, plan: i64) -> Call {
    let customer = format!("{}/customers/{id}", base(dialect));
    match dialect {
        Alternet => ("PUT", customer, json!({ "plan_id": plan })),
        V1 => ("POST", format!("{customer}/action"), json!({ "action": "edit_package", "package_id": plan })),
        V2 => ("PUT", customer, json!({ "package_id": plan })),
        Zal => ("POST", "/api/v1/subscribers/migration".into(), json!({ "subscriber_id": id, "new_package_id": plan })),
        Jaze => (
            "POST",
            "/api/v1/move_group".into(),
            json!({
                "userId": id, "groupId": plan, "type": "moveImmediately", "clearUserDataUsage": "no",
                "clearUserPolicies": "no", "moveBilling": "no"
            }),
        ),
    }
}

fn delete(dialect: Dialect, id: i64) -> Call {
    match dialect {
        Alternet | V2 => ("DELETE", format!("{}/customers/{id}", base(dialect)), Value::Null),
        V1 => ("POST", format!("/api/v1/customers/{id}/action"), json!({ "action": "delete" })),
        Zal => ("DELETE", format!("/api/v1/subscribers/delete?id={id}"), Value::Null),
        Jaze => ("GET", format!("/api/v1/delete_user/{id}"), Value::Null),
    }
}

// ---- the walk ----

/// Made by one, worked on by each in turn; the username is free for the next one.
async fn walk(app: &TestApp, creator: Dialect) {
    let fast = bandwidth("20M", 20_000, 20_000);
    let fast = plans::create_bandwidth(&app.app, &app.actor, fast).await.expect("a bandwidth").id;
    let silver = app.plan("silver", |plan| plan.bandwidth = fast).await;
    let mut town = Town::over(app).await;
    for worker in ALL {
        // Tokens live shorter than the whole walk.
        app.app.clock.pass(seconds(1));
        town.credentials = credentials(app).await;
        let when = |what: &str| format!("made in {creator:?}, {what} in {worker:?}");
        let id = town.create(creator, "ali").await;
        let until = app.app.clock.now().plus(days(30));
        let (plan, state) = ((app.gold, "gold"), Is(Status::Active));
        let mut story = Story { username: "ali", plan, rate: "10M/10M", state, until };
        town.tells(id, &story, &when("not yet worked on")).await;
        for (stop, status) in stops(worker, id) {
            town.done(worker, stop).await;
            story.state = Is(status);
            town.tells(id, &story, &when(&format!("{status:?}"))).await;
            town.done(worker, start(worker, id)).await;
            story.state = Is(Status::Active);
            town.tells(id, &story, &when("started again")).await;
        }
        if let Some(sell) = sell(worker, id) {
            town.done(worker, sell).await;
            story.until = story.until.plus(days(30));
            town.tells(id, &story, &when("sold the next period")).await;
        }
        town.done(worker, change_plan(worker, id, silver.0)).await;
        (story.plan, story.rate) = ((silver, "silver"), "20M/20M");
        town.tells(id, &story, &when("given another plan")).await;
        town.done(worker, delete(worker, id)).await;
        town.is_gone(id, "ali", &when("deleted")).await;
    }
    app.ledger().await;
}

async fn made_in_alternet(app: TestApp) {
    walk(&app, Alternet).await;
}

async fn made_in_ispbills_v1(app: TestApp) {
    walk(&app, V1).await;
}

async fn made_in_ispbills_v2(app: TestApp) {
    walk(&app, V2).await;
}

async fn made_in_zal(app: TestApp) {
    walk(&app, Zal).await;
}

async fn made_in_jaze(app: TestApp) {
    walk(&app, Jaze).await;
}

/// All rows of docs/readings.md 7.0, those too that no dialect can bring about.
async fn every_state_has_its_word(app: TestApp) {
    let town = Town::over(&app).await;
    let made = app.try_customer("ali", |customer| {
        customer.username = Some("ali".into());
        (customer.full_name, customer.phone) = (NAME.into(), PHONE.into());
    });
    let line = made.await.expect("a customer");
    let until = app.app.clock.now().plus(days(30));
    let state = Is(Status::Active);
    let mut story = Story { username: "ali", plan: (app.gold, "gold"), rate: "10M/10M", state, until };
    for status in Status::ALL {
        app.put(line, status).await.expect("a change of status");
        story.state = Is(status);
        town.tells(line.customer.0, &story, status.word()).await;
    }
    // A bandwidth that one changes is everybody's.
    app.put(line, Status::Active).await.expect("active");
    let faster = BandwidthChange { down_kbps: Some(30_000), up_kbps: Some(30_000), ..BandwidthChange::default() };
    plans::update_bandwidth(&app.app, &app.actor, app.bandwidth, faster).await.expect("new rates");
    (story.state, story.rate) = (Is(Status::Active), "30M/30M");
    town.tells(line.customer.0, &story, "faster").await;
}

/// A month later it is over for everybody; nobody can start it, and whoever sells the next period sells it for all.
async fn what_ends_by_itself_ends_everywhere(app: TestApp) {
    let mut town = Town::over(&app).await;
    for seller in ALL {
        let id = town.create(seller, "ali").await;
        let until = app.app.clock.now().plus(days(30));
        app.pass(days(30) + seconds(1)).await;
        town.credentials = credentials(&app).await;
        let mut story = Story { username: "ali", plan: (app.gold, "gold"), rate: "10M/10M", state: Expired, until };
        town.tells(id, &story, &format!("over, made in {seller:?}")).await;
        for dialect in ALL {
            // Zal's update says what the line is already and changes nothing (docs/readings.md Z7).
            let (status, body) = town.ask(dialect, start(dialect, id)).await;
            let is_refused = matches!(dialect, Alternet | V1 | V2 | Jaze);
            assert_eq!((400..500).contains(&status), is_refused, "{dialect:?}: {status} {body}");
        }
        town.tells(id, &story, "nobody started it").await;
        if let Some(sell) = sell(seller, id) {
            town.done(seller, sell).await;
            (story.state, story.until) = (Is(Status::Active), app.app.clock.now().plus(days(30)));
        }
        town.tells(id, &story, &format!("sold anew in {seller:?}")).await;
        town.done(seller, delete(seller, id)).await;
        town.is_gone(id, "ali", &format!("deleted in {seller:?}")).await;
    }
}
