//! Every dialect at one address, with a credential for each: what the stories that hold over all of them share.

use axum::{Router, body::Body, http::Request};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::Status;
use doors::{Dispatch, Gate, Log};
use jiff::tz::TimeZone;
use serde_json::Value;
use service::{
    App, Who,
    customers::portal,
    identity::{
        branches,
        clients::{self, NewClient, NewOauthClient, NewPair, Tier},
        tokens,
    },
};

use crate::{app::TestApp, once, whole};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    Alternet,
    V1,
    V2,
    Zal,
    Jaze,
}

pub use Dialect::{Alternet, Jaze, V1, V2, Zal};

pub const ALL: [Dialect; 5] = [Alternet, V1, V2, Zal, Jaze];

/// What RADIUS and the words of docs/readings.md 7.0 tell apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Is(Status),
    Expired,
}

pub use State::{Expired, Is};

/// docs/readings.md 7.0: each state in the words of each dialect, and RADIUS's.
#[rustfmt::skip]
pub const WORDS: &[(State, [&str; 5], &str)] = &[
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

/// What a dialect tells of it.
#[derive(PartialEq, Eq, Debug)]
pub struct Told {
    pub name: String,
    pub phone: String,
    pub username: String,
    pub plan: String,
    /// ISPBills v1 knows packages by name.
    pub plan_id: Option<i64>,
    pub status: String,
    pub until: String,
}

impl Told {
    /// Of nobody.
    pub fn gone() -> Told {
        let none = String::new;
        Told {
            name: none(),
            phone: none(),
            username: none(),
            plan: none(),
            plan_id: None,
            status: none(),
            until: none(),
        }
    }
}

/// What is asked of a dialect: a method, a path, a body.
pub type Call = (&'static str, String, Value);

/// Every dialect at one address, with a credential for each.
pub struct Town<'a> {
    pub app: &'a TestApp,
    pub router: Router,
    pub zone: TimeZone,
    pub credentials: Vec<(&'static str, String)>,
    /// What Zal's calls say of where they act and who acts.
    pub place: String,
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

    pub async fn ask(&self, dialect: Dialect, call: Call) -> (u16, Value) {
        self.ask_keyed(dialect, call, None).await
    }

    /// With a key, as callers send it that may have to repeat themselves.
    pub async fn ask_keyed(&self, dialect: Dialect, (method, path, mut body): Call, key: Option<&str>) -> (u16, Value) {
        let mut uri = path;
        if dialect == Zal && matches!(method, "GET" | "DELETE") {
            let sign = if uri.contains('?') { '&' } else { '?' };
            uri = format!("{uri}{sign}{}", self.place);
        } else if dialect == Zal {
            for (name, value) in self.place.split('&').filter_map(|pair| pair.split_once('=')) {
                body[name] = value.into();
            }
        }
        let (header, credential) = &self.credentials[dialect as usize];
        let request = Request::builder().method(method).uri(&uri).header(*header, credential);
        let request = request.header("content-type", "application/json").header("host", "isp.example");
        let request = match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        };
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let response = once::twice(&self.router, request.body(body).expect("a request")).await;
        let status = response.status().as_u16();
        whole::one_change(response.extensions(), method, &uri);
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

    /// `None` when it is gone.
    pub async fn read(&self, dialect: Dialect, id: i64) -> Option<Told> {
        let (status, body) = self.ask(dialect, read(dialect, id)).await;
        if status == 404 {
            return None;
        }
        assert_eq!(status, 200, "{dialect:?}: {body}");
        Some(told(dialect, &body["data"])).filter(|told| told.status != "deleted")
    }
}

/// In the order of [`ALL`]: the header and what it says.
pub async fn credentials(app: &TestApp) -> Vec<(&'static str, String)> {
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

pub fn base(dialect: Dialect) -> &'static str {
    if dialect == V2 { "/api/v2" } else { "/api/v1" }
}

pub fn read(dialect: Dialect, id: i64) -> Call {
    let path = match dialect {
        Alternet | V1 | V2 => format!("{}/customers/{id}", base(dialect)),
        Zal => format!("/api/v1/subscribers/details?id={id}"),
        Jaze => format!("/api/v1/get_details/{id}"),
    };
    ("GET", path, Value::Null)
}

pub fn told(dialect: Dialect, data: &Value) -> Told {
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
