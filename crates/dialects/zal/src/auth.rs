//! Staff's sign-in: a token of an hour, refreshed by itself (docs/readings.md 3.1, Z1, Z2). And whether the service
//! is there.

use axum::{extract::State, http::HeaderMap};
use domain::Role;
use doors::{Fields, fields};
use serde::Serialize;
use serde_json::{Value, json};
use service::{
    App, Error, Staff,
    customers::portal::{self, Granted, STAFF},
    identity::tokens,
};

use crate::envelope::{Answer, Caller, Done, Failure, Reply, token};

#[derive(Serialize, Debug)]
pub struct SignedIn {
    user: User,
    token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
}

#[derive(Serialize, Debug)]
pub struct User {
    id: i64,
    name: String,
    email: String,
    role: String,
    role_type: u8,
    phone: Option<String>,
    status: String,
}

/// docs/readings.md 3.3: the roles of the document, by the ones we have.
pub fn role(person: &Staff) -> (&'static str, u8) {
    match Role::from_word(&person.role) {
        Some(Role::Owner) => ("admin", 1),
        Some(Role::Operator) => ("reseller", 3),
        Some(Role::SubOperator) => ("subreseller", 4),
        Some(Role::CardDistributor) => ("retailer", 5),
        Some(Role::Manager | Role::Noc | Role::Salesperson | Role::Collector) | None => ("staff", 2),
    }
}

fn user(person: Staff) -> User {
    let (word, role_type) = role(&person);
    User {
        id: person.id.0,
        role: word.into(),
        role_type,
        name: person.name,
        email: person.email,
        phone: person.phone,
        status: person.status,
    }
}

fn signed_in(person: Staff, granted: Granted) -> SignedIn {
    SignedIn { user: user(person), token: granted.text, token_type: "bearer", expires_in: granted.expires_in_s }
}

pub async fn login(State(app): State<App>, mut body: Fields) -> Answer<SignedIn> {
    let email = body.required("email", fields::text(1, 254));
    let password = body.required("password", fields::secret(1, 1000));
    body.finish()?;
    let (person, granted) = portal::sign_in(&app, &email, &password).await.map_err(|error| match error {
        Error::Unauthenticated => Failure::new(axum::http::StatusCode::UNAUTHORIZED, "Invalid credentials"),
        other => other.into(),
    })?;
    Ok(Reply::said("Login successful", signed_in(person, granted)).secret())
}

/// The next token for the one that came, which may have ended within the last week.
pub async fn refresh(State(app): State<App>, headers: HeaderMap) -> Answer<SignedIn> {
    let (bearer, granted) = portal::refresh(&app, STAFF, &token(&headers)?).await?;
    let service::Who::Staff(id) = bearer.known.actor.who else { return Err(Error::Unauthenticated.into()) };
    let person = portal::person(&app, bearer.known.actor.isp, id).await?;
    Ok(Reply::said("Token refreshed successfully", signed_in(person, granted)).secret())
}

pub async fn logout(State(app): State<App>, caller: Caller) -> Done {
    tokens::revoke(&app, &caller.actor, caller.token_id).await?;
    Ok(Reply::done("Successfully logged out"))
}

#[derive(Serialize, Debug)]
pub struct Me {
    #[serde(flatten)]
    user: User,
    isp_id: i64,
    branch_id: Option<i64>,
    permissions: Vec<Value>,
}

/// "Me": who holds the token, with what it may do.
pub async fn me(State(app): State<App>, caller: Caller) -> Answer<Me> {
    let person = portal::person(&app, caller.actor.isp, caller.person()?).await?;
    let branch = match caller.actor.branch {
        Some(branch) => Some(branch),
        None => service::identity::branches::head_office(&app, &caller.actor).await.ok().map(|branch| branch.id),
    };
    let permissions = caller.scopes.words().split_whitespace().map(Value::from).collect();
    let me = Me { user: user(person), isp_id: caller.actor.isp.0, branch_id: branch.map(|id| id.0), permissions };
    Ok(Reply::data(me))
}

/// GET /api/health, for everybody.
pub async fn health(State(app): State<App>) -> Answer<Value> {
    // It answers when the database does.
    app.tenants().await?;
    Ok(Reply::said("OK", json!({ "status": "ok" })))
}
