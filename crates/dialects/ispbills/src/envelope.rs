//! What all calls of both versions share: who calls, how answers, pages and failures are written.

mod failure;
mod page;

pub use failure::{Failure, schema as failure_schema, speak};
pub use page::{Listing, Page};

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{AUTHORIZATION, ETAG, IF_MATCH},
        request::Parts,
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{Instant, Money, Scopes};
use doors::{Admission, Gate, Operation, Route, repeats, routes, shell};
use serde::Serialize;
use serde_json::Number;
use service::{
    Actor, App, Error, Why,
    identity::tokens::{self, Bearer},
    kernel::{app::Tenant, change::CallerKey},
};

/// What the credential check of a version needs.
#[derive(Clone)]
pub struct Door {
    app: App,
    gate: Gate,
    /// Whose tokens are taken.
    issuer: &'static str,
    routes: &'static [Route],
    operations: &'static [Operation],
}

impl Door {
    pub fn new(
        app: App,
        gate: Gate,
        issuer: &'static str,
        routes: &'static [Route],
        operations: &'static [Operation],
    ) -> Door {
        Door { app, gate, issuer, routes, operations }
    }

    fn operation(&self, request: &Request) -> Option<&'static Operation> {
        let matched = request.extensions().get::<MatchedPath>()?;
        routes::beside(self.routes, self.operations, request.method().as_str(), matched.as_str())
    }
}

/// Who calls: the holder of a token, with its tenant.
#[derive(Clone)]
pub struct Caller {
    pub actor: Actor,
    pub tenant: Arc<Tenant>,
    pub scopes: Scopes,
    pub now: Instant,
    /// For the token's revocation.
    pub token_id: i64,
    /// For use cases that take the caller's key into their transaction.
    pub key: Option<CallerKey>,
    /// `If-Match`: the row must still be the one with this tag.
    pub if_match: Option<String>,
}

/// Stands before every route, known or not: the token, its rate, its rights.
pub async fn admit(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let operation = door.operation(&request);
    if operation.is_some_and(|operation| operation.public) {
        // What is tried there is counted where it is looked at (`service::kernel::attempts`).
        return next.run(request).await;
    }
    let (Bearer { known, token_id }, tenant) = match identify(&door, request.headers()).await {
        Ok(found) => found,
        Err(failure) => return failure.into_response(),
    };
    let limit = known.tier.requests_per_minute();
    let (mut response, remaining) = match door.gate.admit(&door.app, door.issuer, &known).await {
        Err(error) => (Failure::from(error).into_response(), 0),
        Ok(Admission::TooFast { retry_after_s } | Admission::MonthUsedUp { retry_after_s }) => {
            (Failure::too_fast(retry_after_s).into_response(), 0)
        }
        Ok(Admission::Granted { remaining }) => {
            let missing = operation.and_then(|operation| operation.scope).filter(|scope| !known.scopes.has(*scope));
            let response = match missing {
                Some(scope) => Failure::lacks(scope).into_response(),
                None => {
                    let if_match =
                        request.headers().get(IF_MATCH).and_then(|tag| tag.to_str().ok()).map(str::to_string);
                    let caller = Caller {
                        actor: known.actor.clone(),
                        tenant,
                        scopes: known.scopes,
                        now: door.app.clock.now(),
                        token_id,
                        key: None,
                        if_match,
                    };
                    request.extensions_mut().insert(caller);
                    repeats::once(&door.app, &known.actor, request, next).await
                }
            };
            (response, remaining)
        }
    };
    let headers = response.headers_mut();
    headers.insert("x-ratelimit-limit", HeaderValue::from(limit));
    headers.insert("x-ratelimit-remaining", HeaderValue::from(remaining));
    response.extensions_mut().insert(shell::Caller { isp: known.actor.isp, who: known.actor.who });
    response
}

async fn identify(door: &Door, headers: &HeaderMap) -> Result<(Bearer, Arc<Tenant>), Failure> {
    let text = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (scheme, token) = text.split_once(' ').unwrap_or_default();
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.len() > 255 {
        return Err(Error::Unauthenticated.into());
    }
    let bearer = tokens::authenticate(&door.app, door.issuer, token).await?;
    let tenant = door.app.tenant(bearer.known.actor.isp).await?;
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
    /// An amount as a JSON number: `1500`, `1500.5`.
    pub fn amount(&self, money: Money) -> Number {
        doors::wire::amount(money, &self.tenant.currency)
    }

    /// Thousandths, as `form!` reads an amount, as money of the tenant's currency.
    ///
    /// # Errors
    /// More decimals than the currency has; less than `min` minor units; more than money can be.
    pub fn money(&self, field: &'static str, thousandths: i64, min: i64) -> Result<Money, Error> {
        let exponent = self.tenant.currency.exponent;
        let minor = match 3_u32.checked_sub(exponent) {
            Some(less) => {
                let scale = 10_i64.pow(less);
                if thousandths % scale != 0 {
                    return Err(Error::invalid(field, Why::TooManyDecimals));
                }
                thousandths / scale
            }
            None => thousandths.saturating_mul(10_i64.pow(exponent - 3)),
        };
        match minor {
            minor if minor < min && min > 0 => Err(Error::invalid(field, Why::NotPositive)),
            minor if minor < min => Err(Error::invalid(field, Why::TooSmall { min: 0 })),
            minor if minor >= 1 << 53 => Err(Error::invalid(field, Why::TooMuch)),
            minor => Ok(Money(minor)),
        }
    }

    /// `If-Match` as the moment of the row's last change; `None` when the caller does not care.
    ///
    /// # Errors
    /// A tag that no row has: the caller's copy is of something else.
    pub fn unchanged_since(&self) -> Result<Option<Instant>, Error> {
        match self.if_match.as_deref().map(str::trim) {
            None | Some("*") => Ok(None),
            Some(tag) => {
                let digits = tag.trim_start_matches("W/").trim_matches('"');
                let micros = i64::from_str_radix(digits, 16).map_err(|_| Error::Changed)?;
                Ok(Some(Instant(micros)))
            }
        }
    }
}

/// The tag of a row that was last changed then.
pub fn tag(changed: Instant) -> String {
    format!("\"{:x}\"", changed.0)
}

/// A success: `{"data": …}`.
#[derive(Debug)]
pub struct Reply<T> {
    status: StatusCode,
    data: T,
    tag: Option<String>,
}

/// What a handler answers.
pub type Answer<T> = Result<Reply<T>, Failure>;
/// 204, with nothing to say.
pub type Done = Result<StatusCode, Failure>;

pub const NO_CONTENT: Done = Ok(StatusCode::NO_CONTENT);

impl<T> Reply<T> {
    pub fn data(data: T) -> Reply<T> {
        Reply { status: StatusCode::OK, data, tag: None }
    }

    pub fn created(data: T) -> Reply<T> {
        Reply { status: StatusCode::CREATED, data, tag: None }
    }

    /// With the row's `ETag`.
    pub fn tagged(self, changed: Instant) -> Reply<T> {
        Reply { tag: Some(tag(changed)), ..self }
    }
}

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Wire<T> {
            data: T,
        }
        let mut response = (self.status, axum::Json(Wire { data: self.data })).into_response();
        if let Some(tag) = self.tag.and_then(|tag| HeaderValue::from_str(&tag).ok()) {
            response.headers_mut().insert(ETAG, tag);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_its_moment_again() {
        let at = Instant(1_900_000_000_123_456);
        let digits = tag(at).trim_matches('"').to_string();
        assert_eq!(i64::from_str_radix(&digits, 16), Ok(at.0));
    }
}
