//! What all calls share: who calls and what for, how answers and failures are written.
//!
//! Two envelopes are documented: `{"success": …}` everywhere, `{"status": "success"|"error", …}` for activation.

mod failure;
mod needs;

pub use failure::{Failure, speak};
pub use needs::Need;

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header::AUTHORIZATION, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{BranchId, CustomerId, Instant, Money, Scopes, StaffId, kernel::dates};
use doors::{Admission, Fields, Gate, fields, repeats, shell};
use serde::Serialize;
use serde_json::{Number, Value, json};
use service::{
    Actor, App, Error, Who, Why,
    customers::portal::{self, STAFF, SUBSCRIBER},
    identity::{branches, staff, tokens::Bearer},
    kernel::{app::Tenant, change::CallerKey},
};

use self::needs::need;

/// What the credential check needs.
#[derive(Clone)]
pub struct Door {
    app: App,
    gate: Gate,
}

impl Door {
    pub fn new(app: App, gate: Gate) -> Door {
        Door { app, gate }
    }
}

/// Who calls: the holder of a token, with its tenant.
#[derive(Clone)]
pub struct Caller {
    pub actor: Actor,
    pub tenant: Arc<Tenant>,
    pub scopes: Scopes,
    pub now: Instant,
    /// For the token's end.
    pub token_id: i64,
    /// For use cases that take the caller's key into their transaction.
    pub key: Option<CallerKey>,
    /// What a refusal says the caller may not do.
    verb: &'static str,
}

/// Stands before every route, known or not: the token, its rate, its rights.
pub async fn admit(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let need = need(&request);
    let issuer = match need {
        // What is tried there is counted where it is looked at (`service::kernel::attempts`).
        Need::Nothing | Need::OwnToken(_) | Need::SignIn => return next.run(request).await,
        Need::Staff | Need::Right(..) => STAFF,
        Need::Subscriber => SUBSCRIBER,
    };
    let (Bearer { known, token_id }, tenant) = match identify(&door.app, issuer, request.headers()).await {
        Ok(found) => found,
        Err(failure) => return failure.into_response(),
    };
    let verb = if let Need::Right(_, verb) = need { verb } else { "manage subscribers" };
    let lacks = matches!(need, Need::Right(scope, _) if !known.scopes.has(scope));
    let mut response = match door.gate.admit(&door.app, crate::NAME, &known).await {
        Err(error) => Failure::from(error).into_response(),
        Ok(Admission::TooFast { retry_after_s } | Admission::MonthUsedUp { retry_after_s }) => {
            Failure::too_fast(retry_after_s).into_response()
        }
        Ok(Admission::Granted { .. }) if lacks => Failure::may_not(verb).into_response(),
        Ok(Admission::Granted { .. }) => {
            let caller = Caller {
                actor: known.actor.clone(),
                tenant,
                scopes: known.scopes,
                now: door.app.clock.now(),
                token_id,
                key: None,
                verb,
            };
            request.extensions_mut().insert(caller);
            repeats::once(&door.app, &known.actor, request, next).await
        }
    };
    response.extensions_mut().insert(shell::Caller { isp: known.actor.isp, who: known.actor.who });
    response
}

/// The text of the Bearer token, as far as it can be one.
pub fn token(headers: &HeaderMap) -> Result<String, Failure> {
    let text = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (scheme, token) = text.split_once(' ').unwrap_or_default();
    let token = token.trim();
    match scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= 255 {
        true => Ok(token.into()),
        false => Err(Error::Unauthenticated.into()),
    }
}

async fn identify(app: &App, issuer: &'static str, headers: &HeaderMap) -> Result<(Bearer, Arc<Tenant>), Failure> {
    let bearer = portal::authenticate(app, issuer, &token(headers)?).await?;
    let tenant = app.tenant(bearer.known.actor.isp).await?;
    Ok((bearer, tenant))
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Caller, Failure> {
        // `admit` left it here; without it nobody gets further.
        let caller = parts.extensions.get::<Caller>().ok_or(Error::Unauthenticated)?;
        Ok(Caller { key: parts.extensions.get::<CallerKey>().cloned(), ..caller.clone() })
    }
}

impl Caller {
    /// `1500`, `1500.5`.
    pub fn amount(&self, money: Money) -> Number {
        doors::wire::amount(money, &self.tenant.currency)
    }

    /// `2024-01-01 10:00:00`, in the tenant's zone.
    pub fn datetime(&self, at: Instant) -> String {
        doors::wire::local_datetime(at, &self.tenant.zone)
    }

    /// The subscriber that holds the token.
    pub fn subscriber(&self) -> Result<CustomerId, Failure> {
        match self.actor.who {
            Who::Customer(id) => Ok(id),
            Who::Staff(_) | Who::Api(_) | Who::System => Err(Error::Unauthenticated.into()),
        }
    }

    /// The member of staff that holds the token.
    pub fn person(&self) -> Result<StaffId, Failure> {
        match self.actor.who {
            Who::Staff(id) => Ok(id),
            Who::Customer(_) | Who::Api(_) | Who::System => Err(Error::Unauthenticated.into()),
        }
    }

    pub fn may_not(&self) -> Failure {
        Failure::may_not(self.verb)
    }

    /// A use case's refusal to touch another branch's, in this call's words.
    pub fn refused(&self, error: Error) -> Failure {
        match error {
            Error::Forbidden => self.may_not(),
            other => other.into(),
        }
    }

    /// The branch a call is about: the request's, which must be the caller's. `None` is the whole Isp.
    ///
    /// # Errors
    /// 403 where ISP or branch is another's.
    pub async fn scope(&self, app: &App, place: PlaceOf) -> Result<Option<BranchId>, Failure> {
        if place.isp != self.actor.isp.0 {
            return Err(self.may_not());
        }
        branches::branch(app, &self.actor, place.branch).await.map_err(|error| self.refused(error))
    }

    /// The caller as it acts in the branch a call is about.
    pub async fn acting(&self, app: &App, place: PlaceOf) -> Result<Actor, Failure> {
        let branch = self.scope(app, place).await?;
        Ok(Actor { branch: self.actor.branch.or(branch), ..self.actor.clone() })
    }

    /// `user_id` names the caller or somebody below.
    pub async fn check_user(&self, app: &App, id: i64) -> Result<(), Failure> {
        let sees_all = self.scopes == Scopes::ALL;
        match staff::is_below(app, &self.actor, self.person()?, sees_all, StaffId(id)).await? {
            true => Ok(()),
            false => Err(Error::invalid("user_id", Why::Unknown).into()),
        }
    }

    /// `2026-12-31 23:59:59` or a day, read in the tenant's zone.
    pub fn moment(&self) -> impl Fn(&Value) -> Result<Instant, Why> + '_ {
        |value| {
            let local = dates::local(value.as_str().ok_or(Why::NotADate)?)?;
            Ok(Instant::from_civil(local, &self.tenant.zone))
        }
    }

    /// Money of the tenant's currency, `min` minor units or more.
    pub fn money(&self, min: i64) -> impl Fn(&Value) -> Result<Money, Why> + '_ {
        let read = fields::amount(&self.tenant.currency);
        move |value| match read(value)? {
            Money(minor) if minor < min => Err(match min {
                1.. => Why::NotPositive,
                0 => Why::TooSmall { min: 0 },
                _ => Why::TooMuch,
            }),
            amount => Ok(amount),
        }
    }
}

/// `isp_id` and `branch_id` as a request says them.
#[derive(Clone, Copy, Debug)]
pub struct PlaceOf {
    isp: i64,
    branch: i64,
}

impl PlaceOf {
    /// Both are required.
    pub fn read(fields: &mut Fields) -> PlaceOf {
        PlaceOf { isp: fields.required("isp_id", number), branch: fields.required("branch_id", number) }
    }
}

/// `offset` and `limit`: a page holds 100, and at most 1000, whatever is asked for (docs/readings.md X7).
#[derive(Clone, Copy, Debug)]
pub struct Page {
    pub offset: i64,
    pub limit: i64,
}

impl Page {
    const MOST: i64 = 1000;
    const FARTHEST: i64 = 1 << 40;

    pub fn read(asked: &mut Fields) -> Page {
        Page {
            offset: asked.optional("offset", fields::integer(0, Page::FARTHEST)).or(0),
            limit: asked.optional("limit", fields::integer(1, Page::FARTHEST)).or(100).min(Page::MOST),
        }
    }

    /// `{ name: rows, total, offset, limit }`.
    pub fn of(self, name: &str, rows: Vec<Value>, total: i64) -> Reply<Value> {
        let mut data = json!({ "total": total, "offset": self.offset, "limit": self.limit });
        data[name] = rows.into();
        Reply::data(data)
    }

    /// The page of a list that is read whole.
    pub fn cut<T>(self, rows: Vec<T>) -> (Vec<T>, i64) {
        let total = rows.len() as i64;
        let skip = usize::try_from(self.offset).unwrap_or(usize::MAX);
        (rows.into_iter().skip(skip).take(self.limit as usize).collect(), total)
    }
}

/// An id that may be anybody's: what no row can have is 0.
fn number(value: &Value) -> Result<i64, Why> {
    match fields::id(value) {
        Err(Why::Unknown) => Ok(0),
        read => read,
    }
}

/// An id in the place of a path's: what no row can have is nobody's, so that the use case answers "not found".
pub fn id(value: &Value) -> Result<i64, Why> {
    number(value)
}

/// 0 or 1, or the words forms use.
pub fn flag(value: &Value) -> Result<bool, Why> {
    fields::boolean(value)
}

/// The core's field names in this document's words.
pub fn named(error: Error) -> Error {
    doors::fields::named(
        error,
        &[
            ("plan", "package_id"),
            ("router", "nas_id"),
            ("salesperson", "salesperson_id"),
            ("network_username", "username"),
            ("status", "profile_status"),
        ],
    )
}

/// A success: `{"success": true, "message": …, "data": …}`.
#[derive(Debug)]
pub struct Reply<T> {
    status: StatusCode,
    message: Option<String>,
    data: Option<T>,
    secret: bool,
}

/// What a handler answers.
pub type Answer<T> = Result<Reply<T>, Failure>;
/// Success with a message and nothing else.
pub type Done = Answer<()>;

impl<T> Reply<T> {
    pub fn data(data: T) -> Reply<T> {
        Reply { status: StatusCode::OK, message: None, data: Some(data), secret: false }
    }

    pub fn said(message: impl Into<String>, data: T) -> Reply<T> {
        Reply { status: StatusCode::OK, message: Some(message.into()), data: Some(data), secret: false }
    }

    pub fn created(message: impl Into<String>, data: T) -> Reply<T> {
        Reply { status: StatusCode::CREATED, message: Some(message.into()), data: Some(data), secret: false }
    }

    /// RFC 6749 §5.1: nothing keeps a token that passes.
    pub fn secret(self) -> Reply<T> {
        Reply { secret: true, ..self }
    }
}

impl Reply<()> {
    pub fn done(message: impl Into<String>) -> Reply<()> {
        Reply { status: StatusCode::OK, message: Some(message.into()), data: None, secret: false }
    }
}

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Wire<T> {
            success: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            message: Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            data: Option<T>,
        }
        let Reply { status, message, data, secret } = self;
        let mut response = (status, axum::Json(Wire { success: true, message, data })).into_response();
        if secret {
            response.headers_mut().insert("cache-control", HeaderValue::from_static("no-store"));
        }
        response
    }
}
