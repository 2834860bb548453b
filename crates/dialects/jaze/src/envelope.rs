//! What all calls share: who calls and for which account, what it sent, how answers are written.

mod body;
mod failure;

pub use failure::{Failure, speak};

use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, MatchedPath, Query, RawPathParams, Request, State},
    http::{
        HeaderMap, HeaderValue,
        header::{AUTHORIZATION, CACHE_CONTROL},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{CustomerId, Instant, Money, kernel::dates};
use doors::{Admission, Fields, Gate, repeats, routes, shell, wire};
use jiff::civil;
use serde_json::{Value, json};
use service::{
    Actor, App, Error, What, Why, Zone,
    identity::{
        branches,
        clients::{self, Known},
    },
    kernel::{app::Tenant, change::CallerKey},
};

/// What the credential check needs.
#[derive(Clone)]
pub struct Door {
    pub app: App,
    pub gate: Gate,
}

/// Who calls.
#[derive(Clone)]
struct Admitted {
    known: Known,
    tenant: Arc<Tenant>,
    token: String,
    key: String,
}

/// Stands before every route, known or not: token and key, then their rate.
pub async fn admit(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let admitted = match identify(&door, request.headers()).await {
        Ok(admitted) => admitted,
        Err(failure) => return failure.into_response(),
    };
    let actor = admitted.known.actor.clone();
    let mut response = match door.gate.admit(&door.app, crate::NAME, &admitted.known).await {
        Err(error) => Failure::from(error).into_response(),
        Ok(Admission::TooFast { retry_after_s } | Admission::MonthUsedUp { retry_after_s }) => {
            Failure::too_fast(retry_after_s).into_response()
        }
        Ok(Admission::Granted { .. }) => {
            request.extensions_mut().insert(admitted);
            repeats::once(&door.app, &actor, request, next).await
        }
    };
    // Even what is asked with GET may change things, and all of it is about people.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(shell::Caller { isp: actor.isp, who: actor.who });
    response
}

async fn identify(door: &Door, headers: &HeaderMap) -> Result<Admitted, Failure> {
    let (token, key) = basic(headers).ok_or(Error::Unauthenticated)?;
    let known = clients::authenticate_pair(&door.app, crate::NAME, &token, &key).await?;
    let tenant = door.app.tenant(known.actor.isp).await?;
    Ok(Admitted { known, tenant, token, key })
}

/// RFC 7617: the user is the API token, the password the API key.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || rest.len() > 2000 {
        return None;
    }
    let clear = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (token, key) = clear.split_once(':')?;
    let plain = |text: &str| !text.is_empty() && text.len() <= 255 && !text.contains(char::is_control);
    (plain(token) && plain(key)).then(|| (token.into(), key.into()))
}

/// A call: who, for which account, and what was sent, in the path and in the body.
pub struct Call {
    pub actor: Actor,
    pub tenant: Arc<Tenant>,
    pub now: Instant,
    pub key: Option<CallerKey>,
    pub body: Fields,
    /// The account that is acted for, as it is called.
    pub account: String,
    /// Accounts of the Isp that the credential may act for, by branch.
    zones: Vec<Zone>,
    /// The credential as it was sent: E13 gives it back.
    pub credential: (String, String),
    /// The credential is the whole Isp's.
    pub is_top: bool,
    path: Vec<(String, String)>,
}

impl FromRequest<App> for Call {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Call, Failure> {
        let (mut parts, rest) = request.into_parts();
        let admitted = parts.extensions.get::<Admitted>().cloned().ok_or(Error::Unauthenticated)?;
        let matched = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let right = routes::beside(crate::ROUTES, crate::RIGHTS, parts.method.as_str(), matched);
        if !right.is_some_and(|right| admitted.known.scopes.has(*right)) {
            return Err(Error::Forbidden.into());
        }
        let raw = RawPathParams::from_request_parts(&mut parts, app).await;
        let path = raw.map(|raw| raw.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect());
        let path: Vec<(String, String)> = path.map_err(|_| Failure::said("The path is not valid text"))?;
        if path.iter().any(|(_, value)| value.chars().any(char::is_control)) {
            return Err(Failure::said("The path holds control characters"));
        }
        let asked = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map(|query| query.0).unwrap_or_default();
        let key = parts.extensions.get::<CallerKey>().cloned();
        let mut given = body::read(Request::from_parts(parts, rest)).await?;
        for (name, value) in asked.into_iter().take(body::MAX_NAMES) {
            given.entry(body::named(&name)).or_insert(Value::String(value));
        }
        let is_top = admitted.known.actor.branch.is_none();
        let mut call = Call {
            zones: branches::list(app, &admitted.known.actor).await?,
            actor: admitted.known.actor,
            now: app.clock.now(),
            key,
            body: Fields::new(given),
            account: String::new(),
            credential: (admitted.token, admitted.key),
            is_top,
            path,
            tenant: admitted.tenant,
        };
        let account = call.body.optional("accountId", short).value().or_else(|| call.segment("accountId"));
        call.body.finish()?;
        if let Some(account) = account {
            let zone = branches::named(app, &call.actor, &account).await?;
            let zone = zone.ok_or(Error::NotFound { what: What::Account })?;
            call.actor.branch = zone.branch().or(call.actor.branch);
        }
        call.account = call.account_of(call.actor.branch);
        Ok(call)
    }
}

/// Any short word or number, as text.
pub fn short(value: &Value) -> Result<String, Why> {
    line(255)(value)
}

/// A line of text; numbers count as their digits, as they do in a form.
pub fn line(max: usize) -> impl Fn(&Value) -> Result<String, Why> {
    move |value| match value {
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        other => doors::fields::text(0, max)(other),
    }
}

/// `yyyy-mm-dd` or `dd-mm-yyyy`, with or without a time behind it, which is not looked at.
pub fn day(value: &Value) -> Result<civil::Date, Why> {
    Ok(dates::day_either_way(value.as_str().ok_or(Why::NotADate)?)?)
}

/// The same to look from or to: one outside the calendar is its nearer end.
pub fn day_near(value: &Value) -> Result<civil::Date, Why> {
    Ok(dates::day_either_way_near(value.as_str().ok_or(Why::NotADate)?)?)
}

/// A day in the path, to look from or to.
pub fn day_of(text: &str) -> Option<civil::Date> {
    dates::day_either_way_near(text).ok()
}

impl Call {
    /// A segment of the path, where it is there and says something.
    pub fn segment(&self, name: &str) -> Option<String> {
        let found = self.path.iter().find(|(known, _)| known == name)?;
        Some(found.1.trim().to_string()).filter(|text| !text.is_empty())
    }

    /// The user named in the path; what is no number is nobody.
    pub fn user(&self) -> CustomerId {
        CustomerId(self.segment("userId").map_or(0, |text| id_of(&text)))
    }

    /// The user named in the body.
    pub fn user_in_body(&mut self) -> Result<CustomerId, Failure> {
        let id = self.body.required("userId", doors::fields::id);
        self.body.finish()?;
        Ok(CustomerId(id))
    }

    /// The account of a branch as it is called.
    pub fn account_of(&self, branch: Option<domain::BranchId>) -> String {
        let zone = self.zones.iter().find(|zone| zone.branch() == branch);
        let zone = zone.or_else(|| self.zones.iter().find(|zone| zone.branch().is_none()));
        zone.map_or_else(|| self.tenant.isp.name.clone(), |zone| zone.account.clone())
    }

    /// `2024-01-01 10:00:00`.
    pub fn datetime(&self, at: Instant) -> String {
        wire::local_datetime(at, &self.tenant.zone)
    }

    /// `2024-01-01`.
    pub fn date(&self, at: Instant) -> String {
        wire::local_date(at, &self.tenant.zone)
    }

    /// The first moment of a day, or of the day behind it.
    pub fn begins(&self, day: civil::Date) -> Instant {
        Instant::from_civil(day.at(0, 0, 0, 0), &self.tenant.zone)
    }

    pub fn ends(&self, day: civil::Date) -> Instant {
        self.begins(day.tomorrow().unwrap_or(day))
    }

    /// `160`, `160.50`: an amount as text, without needless decimals.
    pub fn amount(&self, money: Money) -> String {
        wire::amount(money, &self.tenant.currency).to_string()
    }

    /// `3789.004`: three decimals, as sampled.
    pub fn thousandths(&self, money: Money) -> String {
        let exponent = self.tenant.currency.exponent;
        let thousandths = if exponent <= 3 {
            i128::from(money.0) * 10_i128.pow(3 - exponent)
        } else {
            i128::from(money.0) / 10_i128.pow(exponent - 3)
        };
        let (sign, size) = if thousandths < 0 { ("-", -thousandths) } else { ("", thousandths) };
        format!("{sign}{}.{:03}", size / 1000, size % 1000)
    }
}

/// An id in a path.
pub fn id_of(text: &str) -> i64 {
    match text.parse::<i64>() {
        Ok(id) if (1..1 << 53).contains(&id) && text.as_bytes()[0].is_ascii_digit() => id,
        _ => 0,
    }
}

/// What a handler answers.
pub type Answer = Result<Reply, Failure>;

/// A success, as the whole body.
#[derive(Debug)]
pub struct Reply(pub Value);

impl Reply {
    /// `{"status": "success", "errorCode": 200, "data": …}`.
    pub fn data(data: Value) -> Reply {
        Reply(json!({ "status": "success", "errorCode": 200, "data": data }))
    }

    /// The same under `message`, where the document has it there.
    pub fn message(message: impl Into<Value>) -> Reply {
        let message: Value = message.into();
        Reply(json!({ "status": "success", "errorCode": 200, "message": message }))
    }

    pub fn done() -> Reply {
        Reply(json!({ "status": "success", "errorCode": 200 }))
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        Json(self.0).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_in_two_ways() {
        let rows = [
            ("2026-02-28", Some("2026-02-28")),
            ("28-02-2026", Some("2026-02-28")),
            ("28-2-2026 14:30", Some("2026-02-28")),
            ("28/02/2026", Some("2026-02-28")),
            ("30-02-2026", None),
            ("2026-13-01", None),
            ("99999999999-01-01", None),
            ("-1-1-1", None),
            ("", None),
            ("today", None),
            ("02-2026-28", None),
            ("٢٨-٠٢-٢٠٢٦", None),
        ];
        for (text, expected) in rows {
            assert_eq!(day_of(text).map(|day| day.to_string()).as_deref(), expected, "{text}");
        }
    }
}
