//! What all calls share: who calls, how answers, pages and failures are written.

mod failure;
mod page;

pub use failure::{Failure, speak};
pub use page::{Listing, Paging, paging};

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, OriginalUri, Request, State},
    http::{HeaderMap, StatusCode, request::Parts, uri::Uri},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{Instant, Money};
use doors::{Admission, Gate, dispatch::Mount, listen::PublicUrl, repeats, shell};
use serde::Serialize;
use serde_json::Number;
use service::{
    Actor, App,
    identity::clients::{self, Known},
    kernel::{app::Tenant, change::CallerKey},
};

/// What the credential check needs.
#[derive(Clone)]
pub struct Door {
    pub app: App,
    pub gate: Gate,
}

/// Who calls: the holder of an API key, with its tenant.
#[derive(Clone)]
pub struct Caller {
    pub actor: Actor,
    pub tenant: Arc<Tenant>,
    pub now: Instant,
    /// For use cases that take the caller's key into their transaction.
    pub key: Option<CallerKey>,
    /// `http://host/api/v1/customers`: where this call came to, without its query.
    pub address: String,
}

/// Stands before every route, known or not: the key, its rate and month, its right to write.
pub async fn admit(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let (known, tenant) = match identify(&door, request.headers()).await {
        Ok(found) => found,
        Err(failure) => return failure.into_response(),
    };
    let mut response = match door.gate.admit(&door.app, crate::NAME, &known).await {
        Err(error) => Failure::from(error).into_response(),
        Ok(Admission::TooFast { retry_after_s }) => Failure::too_fast(retry_after_s).into_response(),
        Ok(Admission::MonthUsedUp { retry_after_s }) => Failure::month_used_up(retry_after_s).into_response(),
        Ok(Admission::Granted { .. }) if !request.method().is_safe() && !known.tier.may_write() => {
            Failure::read_only().into_response()
        }
        Ok(Admission::Granted { .. }) => {
            let caller = Caller {
                actor: known.actor.clone(),
                tenant,
                now: door.app.clock.now(),
                key: None,
                address: address(&request),
            };
            request.extensions_mut().insert(caller);
            repeats::once(&door.app, &known.actor, request, next).await
        }
    };
    response.extensions_mut().insert(shell::Caller { isp: known.actor.isp, who: known.actor.who });
    response
}

async fn identify(door: &Door, headers: &HeaderMap) -> Result<(Known, Arc<Tenant>), Failure> {
    let key = headers.get("x-api-key").and_then(|value| value.to_str().ok()).map(str::trim).unwrap_or_default();
    if key.is_empty() || key.len() > 255 {
        return Err(service::Error::Unauthenticated.into());
    }
    let known = clients::authenticate(&door.app, crate::NAME, key).await?;
    let tenant = door.app.tenant(known.actor.isp).await?;
    Ok((known, tenant))
}

/// This call's address, at the server's public one: what the caller says of itself is not repeated.
fn address(request: &Request) -> String {
    let base = PublicUrl::of(request);
    let mount = request.extensions().get::<Mount>().map_or("", |mount| mount.0.as_str());
    let path = request.extensions().get::<OriginalUri>().map_or(request.uri(), |uri: &OriginalUri| &uri.0);
    let path = Uri::path(path);
    let path = if mount.is_empty() || path.starts_with(mount) { path.to_string() } else { format!("{mount}{path}") };
    format!("{base}{path}")
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Caller, Failure> {
        // `admit` left it here; without it nobody gets further.
        let caller = parts.extensions.get::<Caller>().ok_or(service::Error::Unauthenticated)?;
        Ok(Caller { key: parts.extensions.get::<CallerKey>().cloned(), ..caller.clone() })
    }
}

impl Caller {
    pub fn amount(&self, money: Money) -> Number {
        doors::wire::amount(money, &self.tenant.currency)
    }

    /// `2024-01-01 10:00:00`.
    pub fn datetime(&self, at: Instant) -> String {
        doors::wire::local_datetime(at, &self.tenant.zone)
    }

    /// `2024-01-01`.
    pub fn date(&self, at: Instant) -> String {
        doors::wire::local_date(at, &self.tenant.zone)
    }

    /// `10:00:00`.
    pub fn time(&self, at: Instant) -> String {
        doors::wire::local_time(at, &self.tenant.zone)
    }
}

/// A success: `{"success": true, "message": …, "data": …}`.
#[derive(Debug)]
pub struct Reply<T> {
    pub status: StatusCode,
    pub message: Option<String>,
    pub data: Option<T>,
}

/// What a handler answers.
pub type Answer<T> = Result<Reply<T>, Failure>;
/// Success with a message and nothing else.
pub type Done = Answer<()>;

impl<T> Reply<T> {
    pub fn data(data: T) -> Reply<T> {
        Reply { status: StatusCode::OK, message: None, data: Some(data) }
    }

    pub fn said(message: impl Into<String>, data: T) -> Reply<T> {
        Reply { status: StatusCode::OK, message: Some(message.into()), data: Some(data) }
    }

    pub fn created(message: impl Into<String>, data: T) -> Reply<T> {
        Reply { status: StatusCode::CREATED, message: Some(message.into()), data: Some(data) }
    }
}

impl Reply<()> {
    pub fn done(message: impl Into<String>) -> Reply<()> {
        Reply { status: StatusCode::OK, message: Some(message.into()), data: None }
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
        let Reply { status, message, data } = self;
        (status, axum::Json(Wire { success: true, message, data })).into_response()
    }
}
