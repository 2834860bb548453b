//! The API platform: tokens die when they are told to, rights hold on every route, limits count exactly, and the log
//! has every request. The stories over "every route" are generated from the tables of both versions.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Request, header::CONTENT_TYPE},
};
use domain::{
    ApiClientId, Commission, PlanId, Role, Scope, Scopes,
    kernel::clock::{MINUTE, SECOND},
    sales::sale::Payer,
};
use doors::{Dispatch, Gate, Log, Operation, Route, form::Described};
use serde_json::{Value, json};
use service::{
    Actor, Who,
    identity::{
        clients::{self, ClientChange, NewClient, NewOauthClient, Tier},
        requests,
        staff::{self, NewStaff},
        tenants,
        tokens::{self, Granted},
    },
    resellers::operators::{self, NewOperator, Terms},
    sales::cards::{self, NewBatch},
};
use tower::ServiceExt;

use crate::{
    app::{TestApp, isp},
    both,
    races::at_once,
};

both!(
    tokens_end_at_their_time_and_when_they_are_ended,
    a_refresh_token_that_comes_twice_ends_its_family,
    a_refresh_token_used_by_many_at_once_ends_its_family,
    an_old_secret_is_good_during_the_overlap,
    suspended_people_and_revoked_clients_are_out_at_once,
    a_right_that_lacks_is_refused_on_every_route,
    nobody_gets_in_without_a_credential_of_this_version,
    another_tenants_credential_reaches_nothing,
    nonsense_is_answered_without_a_fault,
    limits_count_exactly,
    the_log_has_every_request_of_a_known_caller,
);

/// Both versions behind one door, as the program serves them.
#[derive(Clone)]
pub struct Api {
    pub app: Arc<TestApp>,
    router: Router,
    log: Log,
}

#[derive(Debug)]
pub struct Came {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Came {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    fn number(&self, header: &str) -> Option<i64> {
        self.headers.get(header)?.to_str().ok()?.parse().ok()
    }

    /// A refusal is told in the document's form.
    #[track_caller]
    pub fn refused(&self, status: u16, what: &str) {
        assert_eq!(self.status, status, "{what}: {}", self.text);
        assert!(self.json()["error"]["code"].is_string(), "{what}: {}", self.text);
    }
}

/// A row of a table, with what it needs.
type Row = (&'static Route, &'static Operation);

fn v1() -> Vec<Row> {
    ispbills::v1::ROUTES.iter().zip(ispbills::v1::OPERATIONS).collect()
}

fn v2() -> Vec<Row> {
    ispbills::v2::ROUTES.iter().zip(ispbills::v2::OPERATIONS).collect()
}

/// The row's path with this in place of what stands in braces.
fn path(route: &Route, id: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { id.to_string() } else { part.to_string() };
    route.path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// What no row has.
const NOBODY: &str = "999999999";

impl Api {
    pub fn over(app: TestApp) -> Api {
        let (core, gate, log) = (app.app.clone(), Gate::default(), Log::default());
        let router = Dispatch::new(core.clock.clone())
            .with(ispbills::v1(core.clone(), gate.clone(), log.clone()))
            .with(ispbills::v2(core, gate, log.clone()))
            .router();
        Api { app: Arc::new(app), router, log }
    }

    async fn call(&self, method: &str, path: &str, token: Option<&str>, body: &Value) -> Came {
        self.call_with(method, path, token, body, &[]).await
    }

    /// With further headers.
    pub async fn call_with(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Came {
        let request = Request::builder().method(method).uri(path);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = match token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        };
        let bytes = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let mut request = request.header(CONTENT_TYPE, "application/json").body(bytes).expect("a request");
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4000))));
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        Came { status, headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    async fn get(&self, path: &str, token: &str) -> Came {
        self.call("GET", path, Some(token), &Value::Null).await
    }

    async fn post(&self, path: &str, body: Value) -> Came {
        self.call("POST", path, None, &body).await
    }

    /// A person who signs in, and the tokens.
    async fn person(&self, role: Role, email: &str) -> (domain::StaffId, Granted) {
        let person = NewStaff {
            name: "Somebody".into(),
            email: email.into(),
            password: "long enough".into(),
            phone: None,
            role,
            branch: None,
            parent: None,
        };
        let made = staff::create(&self.app.app, &self.app.actor, Scopes::ALL, person).await.expect("a person");
        (made.id, tokens::sign_in(&self.app.app, email, "long enough").await.expect("tokens"))
    }

    /// A client of version 2 with these rights, and a token of it.
    pub async fn client(&self, actor: &Actor, tier: Tier, scopes: Option<Scopes>) -> (ApiClientId, String) {
        let command = NewOauthClient { name: "client".into(), branch: None, tier, scopes, credentials: None };
        let made = clients::create_oauth(&self.app.app, actor, command).await.expect("a client");
        let granted = tokens::exchange(&self.app.app, &made.client_id, &made.client_secret).await.expect("a token");
        (made.id, granted.access)
    }

    /// A client of version 1 with these rights, and its generated tokens.
    async fn v1_client(&self, actor: &Actor, scopes: Option<Scopes>) -> (ApiClientId, Granted) {
        let command = NewClient {
            dialect: tokens::V1,
            name: "client".into(),
            branch: None,
            tier: Tier::V1HighVolume,
            sandbox: false,
            secret: None,
        };
        let made = clients::create(&self.app.app, actor, command).await.expect("a client");
        let change = ClientChange { scopes: Some(scopes), ..ClientChange::default() };
        clients::update(&self.app.app, actor, Scopes::ALL, made.id, change).await.expect("its rights");
        (made.id, tokens::for_client(&self.app.app, actor, Scopes::ALL, made.id).await.expect("tokens"))
    }

    fn pass(&self, micros: i64) {
        self.app.app.clock.pass(micros);
    }
}

/// Where a good token is answered with 200.
const V1_OPEN: &str = "/api/v1/operators";
const V2_OPEN: &str = "/api/v2/packages";

async fn tokens_end_at_their_time_and_when_they_are_ended(app: TestApp) {
    let api = Api::over(app);
    let (_, granted) = api.person(Role::Owner, "a@example.com").await;
    let (_, client) = api.client(&api.app.actor, Tier::V2Standard, None).await;
    api.pass(30 * MINUTE - SECOND);
    assert_eq!(api.get(V2_OPEN, &client).await.status, 200);
    api.pass(SECOND);
    api.get(V2_OPEN, &client).await.refused(401, "a v2 token after thirty minutes");
    api.pass(30 * MINUTE - SECOND);
    assert_eq!(api.get(V1_OPEN, &granted.access).await.status, 200);
    api.pass(SECOND);
    api.get(V1_OPEN, &granted.access).await.refused(401, "a v1 token after an hour");
    // The refresh token is not an access token, and is good for thirty days.
    let refresh = granted.refresh.expect("a refresh token");
    api.get(V1_OPEN, &refresh).await.refused(401, "a refresh token as an access token");
    api.pass(30 * domain::kernel::clock::DAY - 61 * MINUTE);
    let pair = api.post("/api/auth/refresh", json!({ "refresh_token": refresh })).await;
    assert_eq!(pair.status, 200, "{}", pair.text);
    let second = pair.json()["refresh_token"].as_str().expect("the next").to_string();
    api.pass(30 * domain::kernel::clock::DAY);
    api.post("/api/auth/refresh", json!({ "refresh_token": second })).await.refused(401, "after thirty days");
    // Revoked: at once, and that token alone.
    let (_, one) = api.client(&api.app.actor, Tier::V2Standard, None).await;
    let (_, other) = api.client(&api.app.actor, Tier::V2Standard, None).await;
    assert_eq!(api.call("POST", "/api/v2/auth/revoke", Some(&one), &Value::Null).await.status, 204);
    api.get(V2_OPEN, &one).await.refused(401, "a revoked token");
    assert_eq!(api.get(V2_OPEN, &other).await.status, 200);
}

async fn a_refresh_token_that_comes_twice_ends_its_family(app: TestApp) {
    let api = Api::over(app);
    let (_, first) = api.person(Role::Owner, "a@example.com").await;
    let other = tokens::sign_in(&api.app.app, "a@example.com", "long enough").await.expect("another login");
    let refresh = |token: Option<String>| api.post("/api/auth/refresh", json!({ "refresh_token": token }));
    let second = refresh(first.refresh.clone()).await.json();
    let access = second["access_token"].as_str().expect("a token").to_string();
    assert_eq!(api.get(V1_OPEN, &access).await.status, 200);
    refresh(first.refresh.clone()).await.refused(401, "a refresh token that was used");
    for (what, token) in [("the first access token", first.access.as_str()), ("the second", access.as_str())] {
        api.get(V1_OPEN, token).await.refused(401, what);
    }
    let next = second["refresh_token"].as_str().map(str::to_string);
    refresh(next).await.refused(401, "the next refresh token of the family");
    assert_eq!(api.get(V1_OPEN, &other.access).await.status, 200, "another login lives on");
    assert!(api.app.events().await.contains(&"token.reused".to_string()));
}

async fn a_refresh_token_used_by_many_at_once_ends_its_family(app: TestApp) {
    let api = Api::over(app);
    for round in 0..3 {
        let (_, granted) = api.person(Role::Owner, &format!("a{round}@example.com")).await;
        let (shared, refresh) = (api.clone(), granted.refresh.clone());
        let answers = at_once(2 + 3 * round, move |_| {
            let (api, refresh) = (shared.clone(), refresh.clone());
            Box::pin(async move { api.post("/api/auth/refresh", json!({ "refresh_token": refresh })).await })
        })
        .await;
        let won: Vec<&Came> = answers.iter().filter(|came| came.status == 200).collect();
        assert_eq!(won.len(), 1, "one wins: {answers:?}");
        assert!(answers.iter().all(|came| matches!(came.status, 200 | 401)), "{answers:?}");
        let pair = won[0].json();
        api.get(V1_OPEN, pair["access_token"].as_str().expect("a token")).await.refused(401, "the winner's token");
        api.get(V1_OPEN, &granted.access).await.refused(401, "the first token");
        let next = api.post("/api/auth/refresh", json!({ "refresh_token": pair["refresh_token"] })).await;
        next.refused(401, "the winner's refresh token");
    }
}

async fn an_old_secret_is_good_during_the_overlap(app: TestApp) {
    let api = Api::over(app);
    let command =
        NewOauthClient { name: "client".into(), branch: None, tier: Tier::V2Standard, scopes: None, credentials: None };
    let made = clients::create_oauth(&api.app.app, &api.app.actor, command).await.expect("a client");
    let ask = async |secret: &str| {
        let body = json!({ "client_id": made.client_id, "client_secret": secret });
        api.post("/api/v2/auth/token", body).await.status
    };
    assert_eq!(ask(&made.client_secret).await, 200);
    let rotated = rotate(&api, made.id, 10 * MINUTE).await;
    assert_eq!((ask(&made.client_secret).await, ask(&rotated).await), (200, 200));
    api.pass(10 * MINUTE - SECOND);
    assert_eq!((ask(&made.client_secret).await, ask(&rotated).await), (200, 200));
    api.pass(SECOND);
    assert_eq!((ask(&made.client_secret).await, ask(&rotated).await), (401, 200));
    // Without an overlap the old one ends at once, and a wrong one was never good.
    let third = rotate(&api, made.id, 0).await;
    assert_eq!((ask(&rotated).await, ask(&third).await, ask("wrong").await), (401, 200, 401));
}

async fn rotate(api: &Api, id: ApiClientId, overlap: i64) -> String {
    let shown = clients::rotate(&api.app.app, &api.app.actor, Scopes::ALL, id, overlap).await.expect("a secret");
    match shown {
        clients::Shown::Oauth { client_secret, .. } => client_secret,
        clients::Shown::Key(_) | clients::Shown::Tokens(_) | clients::Shown::Pair { .. } => {
            panic!("a client of version 2 has a secret")
        }
    }
}

async fn suspended_people_and_revoked_clients_are_out_at_once(app: TestApp) {
    let api = Api::over(app);
    let (core, actor) = (&api.app.app, &api.app.actor);
    let (id, granted) = api.person(Role::Manager, "m@example.com").await;
    let sign_in = || api.post("/api/auth/login", json!({ "email": "m@example.com", "password": "long enough" }));
    let inside = async |token: &str| api.get("/api/v1/recharge-cards", token).await.status;
    assert_eq!(inside(&granted.access).await, 200);
    staff::suspend(core, actor, Scopes::ALL, id, true).await.expect("a suspension");
    assert_eq!(inside(&granted.access).await, 401);
    sign_in().await.refused(401, "a suspended person");
    let refresh = api.post("/api/auth/refresh", json!({ "refresh_token": granted.refresh })).await;
    refresh.refused(401, "a suspended person's refresh token");
    staff::suspend(core, actor, Scopes::ALL, id, false).await.expect("its end");
    assert_eq!(inside(&granted.access).await, 401, "what ended does not come back");
    assert_eq!(sign_in().await.status, 200);
    // Clients of both versions.
    let (old, pair) = api.v1_client(actor, None).await;
    let (new, token) = api.client(actor, Tier::V2Standard, None).await;
    assert_eq!((inside(&pair.access).await, api.get(V2_OPEN, &token).await.status), (200, 200));
    let again = tokens::for_client(core, actor, Scopes::ALL, old).await.expect("tokens");
    assert_eq!((inside(&pair.access).await, inside(&again.access).await), (401, 200), "new tokens end the old ones");
    clients::revoke(core, actor, Scopes::ALL, old, None).await.expect("an end");
    clients::revoke(core, actor, Scopes::ALL, new, None).await.expect("an end");
    assert_eq!((inside(&again.access).await, api.get(V2_OPEN, &token).await.status), (401, 401));
    let refresh = api.post("/api/auth/refresh", json!({ "refresh_token": again.refresh })).await;
    refresh.refused(401, "a revoked client's refresh token");
}

async fn a_right_that_lacks_is_refused_on_every_route(app: TestApp) {
    let api = Api::over(app);
    let without = |lacking: Scope| {
        let rest: Vec<Scope> = Scope::ALL.iter().copied().filter(|scope| *scope != lacking).collect();
        Some(Scopes::of(&rest))
    };
    for scope in Scope::ALL.iter().copied() {
        let (_, less) = api.client(&api.app.actor, Tier::V2HighVolume, without(scope)).await;
        let (_, only) = api.client(&api.app.actor, Tier::V2HighVolume, Some(Scopes::of(&[scope]))).await;
        let (_, v1_less) = api.v1_client(&api.app.actor, without(scope)).await;
        let (_, v1_only) = api.v1_client(&api.app.actor, Some(Scopes::of(&[scope]))).await;
        for (rows, less, only) in [(v2(), &less, &only), (v1(), &v1_less.access, &v1_only.access)] {
            for (route, operation) in rows {
                if operation.scope != Some(scope) {
                    continue;
                }
                let (what, path) = (format!("{} {}", route.method, route.path), path(route, NOBODY));
                let refused = api.call(route.method, &path, Some(less), &json!({})).await;
                refused.refused(403, &what);
                assert!(refused.text.contains(scope.word()), "{what} names what lacks: {}", refused.text);
                let answered = api.call(route.method, &path, Some(only), &json!({})).await;
                assert_ne!(answered.status, 403, "{what} needs {} alone: {}", scope.word(), answered.text);
                assert!(answered.status < 500, "{what}: {}", answered.text);
            }
        }
    }
    for (route, operation) in v1().into_iter().chain(v2()) {
        let free = ["/api/auth/login", "/api/auth/refresh", "/api/v2/auth/token", "/api/v2/auth/revoke"];
        let known = free.contains(&route.path) || operation.scope.is_some();
        assert!(known, "{} {} needs no right: is that meant?", route.method, route.path);
    }
}

async fn nobody_gets_in_without_a_credential_of_this_version(app: TestApp) {
    let api = Api::over(app);
    let (_, person) = api.person(Role::Owner, "a@example.com").await;
    let (_, client) = api.client(&api.app.actor, Tier::V2HighVolume, None).await;
    let refresh = person.refresh.as_deref();
    let foreign = [(v1(), client.as_str(), "/api/v1/nowhere"), (v2(), person.access.as_str(), "/api/v2/nowhere")];
    for (rows, foreign, nowhere) in foreign {
        for (route, operation) in rows {
            if operation.public {
                continue;
            }
            let what = format!("{} {}", route.method, route.path);
            // Wrong ones are looked at only so often.
            api.pass(MINUTE);
            for token in [None, Some("wrong"), Some("v2_wrong"), Some(""), Some(foreign), refresh] {
                let came = api.call(route.method, &path(route, "1"), token, &json!({})).await;
                came.refused(401, &format!("{what} with {token:?}"));
            }
        }
        // A path that nobody knows tells a stranger no more than one that somebody does.
        api.call("GET", nowhere, None, &Value::Null).await.refused(401, nowhere);
    }
}

/// A body as the row's form describes it, with `id` wherever a row is named: what a caller would send who means it.
pub fn body(operation: &Operation, id: i64) -> Value {
    operation.body.map_or_else(|| json!({}), |(_, described)| filled(described(), id))
}

/// As [`body`], what the row takes in its query.
pub fn query(operation: &Operation, id: i64) -> Value {
    operation.query.map_or_else(|| json!({}), |described| filled(described(), id))
}

fn filled(fields: Vec<Described>, id: i64) -> Value {
    fields.into_iter().map(|field| (field.name.to_string(), sample(field.name, &field.schema, id))).collect()
}

fn sample(name: &str, schema: &Value, id: i64) -> Value {
    if let Some(word) = schema["enum"].get(0) {
        return word.clone();
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("integer"), Some("int64")) => json!(id),
        (Some("integer"), _) => schema["minimum"].clone(),
        (Some("number"), _) => json!(5),
        (Some("boolean"), _) => json!(true),
        (Some("array"), _) => json!([sample(name, &schema["items"], id)]),
        (Some("object"), _) => json!({}),
        (_, Some("email")) => json!(format!("{name}{id}@stranger.example")),
        (_, Some("date")) => json!("2031-05-01"),
        (_, Some("date-time")) => json!("2031-05-01T00:00:00Z"),
        (_, Some("uri")) => json!("https://stranger.example/hook"),
        (_, Some("ipv4")) => json!("192.0.2.7"),
        _ if schema["pattern"].is_string() => json!("0712345678"),
        _ if schema["example"].is_string() => schema["example"].clone(),
        _ => json!(format!("stranger {name}")),
    }
}

/// In everything the first tenant owns, so that it is seen wherever it leaks.
const MARK: &str = "zebra";

/// Ids of rows of every kind of the first tenant, whose names hold [`MARK`].
async fn rows_of_everything(app: &TestApp) -> Vec<i64> {
    let (core, actor) = (&app.app, &app.actor);
    let marked = |what: &str| format!("{MARK}-{what}");
    let plan: PlanId = app.plan(&marked("plan"), |_| {}).await;
    let free = |customer: &mut service::customers::customers::NewCustomer| {
        customer.full_name = marked("customer");
        customer.plan = plan;
        customer.payer = Some(Payer::Cash { method: marked("method") });
    };
    let line = app.try_customer(&marked("login"), free).await.expect("a customer");
    let terms = Terms::Prepaid;
    let new = NewOperator {
        name: marked("operator"),
        email: format!("{MARK}@example.com"),
        password: "operator123".into(),
        phone: None,
        parent: None,
        terms,
    };
    let operator = operators::create(core, actor, Scopes::ALL, new).await.expect("an operator");
    let batch = NewBatch {
        plan,
        distributor: None,
        value: None,
        commission: Commission::Percent(0),
        quantity: 3,
        expires_at: None,
    };
    let made = cards::generate(core, actor, batch, None).await.expect("cards");
    let mut ids = vec![1, 2, plan.0, line.customer.0, line.service.0, operator.id.0, made.batch.id];
    ids.extend(made.cards.iter().map(|(card, _)| card.id));
    ids.sort_unstable();
    ids.dedup();
    // Clients too, so many that a stranger's own ones have none of these ids.
    loop {
        let (name, tier) = (marked("client"), Tier::V2Standard);
        let client = NewOauthClient { name, branch: None, tier, scopes: None, credentials: None };
        let made = clients::create_oauth(core, actor, client).await.expect("a client");
        if made.id.0 >= ids[ids.len() - 1] {
            return ids;
        }
    }
}

async fn another_tenants_credential_reaches_nothing(app: TestApp) {
    let mut ids = rows_of_everything(&app).await;
    let api = Api::over(app);
    let mut command = isp("Other ISP");
    command.owner_email = "other@example.com".into();
    let other = tenants::create_isp(&api.app.app, command).await.expect("another Isp");
    // Its own rows are none of the first tenant's.
    ids.retain(|id| ![other.owner.0, other.branch.0, other.isp.0].contains(id));
    let stranger = Actor { isp: other.isp, who: Who::Staff(other.owner), branch: None, may_write: true };
    // The stranger has clients of its own with small numbers: there the first tenant's is asked for.
    let (theirs, _) = api.client(&api.app.actor, Tier::V2HighVolume, None).await;
    let events = api.app.events().await;
    let ledger = api.app.ledger().await;
    // Those that may create rows of the stranger's own come last.
    let mut rows: Vec<(i64, Row)> = v1().into_iter().map(|row| (1, row)).collect();
    rows.extend(v2().into_iter().map(|row| (2, row)));
    rows.retain(|(_, (_, operation))| operation.scope.is_some());
    rows.sort_by_key(|(_, (route, _))| !route.path.contains('{'));
    for (version, (route, operation)) in rows {
        // A client for each route, so that no limit stands in the way.
        let token = match version {
            1 => api.v1_client(&stranger, None).await.1.access,
            _ => api.client(&stranger, Tier::V2HighVolume, None).await.1,
        };
        let of_clients = route.path.starts_with("/api/v2/clients/");
        for id in if of_clients { std::slice::from_ref(&theirs.0) } else { &ids[..] } {
            // Without a body, and with one that names the first tenant's rows.
            for body in [json!({}), body(operation, *id)] {
                let what = format!("{} {} of {id} with {body}", route.method, route.path);
                let came = api.call(route.method, &path(route, &id.to_string()), Some(&token), &body).await;
                assert!(!came.text.to_lowercase().contains(MARK), "{what} leaks: {}", came.text);
                if route.path.contains('{') {
                    assert!(matches!(came.status, 404 | 422), "{what}: {} {}", came.status, came.text);
                } else if route.method == "GET" {
                    assert!(matches!(came.status, 200 | 422), "{what}: {} {}", came.status, came.text);
                } else {
                    assert!(came.status < 500 && came.status != 429, "{what}: {}", came.text);
                }
            }
        }
    }
    assert_eq!(api.app.events().await, events, "nothing of the first tenant has changed");
    assert_eq!(api.app.ledger().await, ledger);
}

async fn nonsense_is_answered_without_a_fault(app: TestApp) {
    let ids = rows_of_everything(&app).await;
    let api = Api::over(app);
    let long = "x".repeat(5000);
    let mut bodies = vec![
        Value::Null,
        json!([]),
        json!("text"),
        json!({ "name": null, "email": 5, "amount": "1e400", "package_id": -1, "customer_id": 1.5, "phone": [] }),
        json!({ "name": long, "email": "a@example.com\u{0}", "amount": -0.001, "quantity": i64::MAX, "code": "\u{0}" }),
        json!({ "amount": 9_007_199_254_740_993_i64, "value": 1e308, "price": "NaN", "commission": -5, "ids": [[]] }),
    ];
    let mut odd: Vec<String> = ids.iter().map(i64::to_string).collect();
    odd.extend(["0", "-1", "9223372036854775808", "%00", "%2e%2e", "1%27", "abc"].map(str::to_string));
    for (version, rows) in [(1, v1()), (2, v2())] {
        for (route, operation) in rows {
            // A token for each route, which may be revoked on the way.
            let token = match version {
                1 => api.v1_client(&api.app.actor, None).await.1.access,
                _ => api.client(&api.app.actor, Tier::V2HighVolume, None).await.1,
            };
            bodies.truncate(6);
            bodies.push(body(operation, ids[ids.len() - 1]));
            let paths = if route.path.contains('{') { odd.clone() } else { vec![String::new()] };
            for id in paths {
                for body in if route.method == "GET" { &bodies[..1] } else { &bodies[..] } {
                    let path = format!("{}?page=0&per_page=x&status=%00&search=%25", path(route, &id));
                    let path = if route.method == "GET" { path } else { self::path(route, &id) };
                    let came = api.call(route.method, &path, Some(&token), body).await;
                    let what = format!("{} {path} with {body}", route.method);
                    assert!(came.status < 500, "{what}: {} {}", came.status, came.text);
                    let told = came.status < 400 || came.json()["error"]["message"].is_string();
                    assert!(told, "{what}: {} {}", came.status, came.text);
                    let refused = came.status == 429 && !operation.public;
                    assert!(!refused, "{what}: the limit hides the answer");
                    if came.number("x-ratelimit-remaining") == Some(1) || came.status == 429 {
                        api.pass(MINUTE);
                    }
                }
            }
        }
    }
}

async fn limits_count_exactly(app: TestApp) {
    let api = Api::over(app);
    let mut callers = Vec::new();
    for n in 0..8 {
        let (open, limit, token) = match n % 2 {
            0 => (V2_OPEN, 120, api.client(&api.app.actor, Tier::V2Standard, None).await.1),
            _ => (V1_OPEN, 60, api.person(Role::Owner, &format!("p{n}@example.com")).await.1.access),
        };
        callers.push((open, limit, token));
    }
    for round in 0..2 {
        let (shared, all) = (api.clone(), callers.clone());
        // Eight clients, each from four sides at once, 160 requests each.
        let answers = at_once(32, move |n| {
            let (api, (open, _, token)) = (shared.clone(), all[n % 8].clone());
            Box::pin(async move {
                let mut came = Vec::new();
                for _ in 0..40 {
                    came.push(api.get(open, &token).await);
                }
                (n % 8, came)
            })
        })
        .await;
        for (at, (_, limit, _)) in callers.iter().enumerate() {
            let own = answers.iter().filter(|(who, _)| *who == at).flat_map(|(_, came)| came);
            let (granted, refused): (Vec<&Came>, Vec<&Came>) = own.partition(|came| came.status == 200);
            assert_eq!(granted.len(), *limit as usize, "client {at} in round {round}");
            let mut left: Vec<i64> = granted.iter().filter_map(|came| came.number("x-ratelimit-remaining")).collect();
            left.sort_unstable();
            assert_eq!(left, (0..*limit).collect::<Vec<i64>>(), "each request takes one");
            for came in refused {
                came.refused(429, "too many");
                assert_eq!(came.json()["error"]["code"], "RATE_LIMIT_EXCEEDED");
                let told = ["x-ratelimit-limit", "x-ratelimit-remaining", "retry-after"].map(|name| came.number(name));
                assert_eq!(told, [Some(*limit), Some(0), Some(60)]);
            }
        }
        api.pass(MINUTE);
    }
}

async fn the_log_has_every_request_of_a_known_caller(app: TestApp) {
    let api = Api::over(app);
    let (person, granted) = api.person(Role::Collector, "c@example.com").await;
    let (client, token) = api.client(&api.app.actor, Tier::V2Standard, None).await;
    let mut expected = Vec::new();
    let mut ask = async |method: &str, path: &str, token: Option<&str>, body: Value| {
        let came = api.call(method, path, token, &body).await;
        if token.is_some() && came.status != 401 {
            expected.push((path.split('?').next().unwrap_or_default().to_string(), i64::from(came.status)));
        }
        came.status
    };
    let (old, new) = (Some(granted.access.as_str()), Some(token.as_str()));
    assert_eq!(ask("GET", V1_OPEN, old, Value::Null).await, 403);
    assert_eq!(ask("GET", "/api/v2/operators/99999999", new, Value::Null).await, 404);
    assert_eq!(ask("POST", "/api/v2/operators", new, json!({})).await, 422);
    assert_eq!(ask("GET", "/api/v2/nowhere", new, Value::Null).await, 404);
    // Strangers are not in it: there is no tenant whose log it would be.
    assert_eq!(ask("GET", V2_OPEN, None, Value::Null).await, 401);
    assert_eq!(ask("GET", V2_OPEN, Some("v2_wrong"), Value::Null).await, 401);
    for n in 0..125 {
        let expected = if n < 117 { 200 } else { 429 };
        assert_eq!(ask("GET", V2_OPEN, new, Value::Null).await, expected, "request {n}");
    }
    api.log.write(&api.app.app).await.expect("the log");
    let filter = requests::Filter::default();
    let (rows, total) = requests::list(&api.app.app, &api.app.actor, filter, 0, 1000).await.expect("the log");
    assert_eq!(total, expected.len() as i64);
    let mut logged: Vec<(String, i64)> = rows.iter().map(|row| (row.path.clone(), row.status)).collect();
    logged.sort();
    expected.sort();
    assert_eq!(logged, expected);
    for row in rows {
        let who = (row.staff_id, row.client_id);
        assert!(who == (Some(person), None) || who == (None, Some(client)), "{row:?}");
        assert!(!row.path.contains('?') && !row.request_id.is_empty(), "{row:?}");
    }
}
