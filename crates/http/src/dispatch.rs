//! Several dialects at one address. Their documents share some paths, so the caller's credential decides: `X-API-Key`,
//! HTTP Basic, a Bearer token. Each dialect is also mounted under a prefix of its own, where nothing needs deciding.

use axum::{
    Json, Router,
    extract::{MatchedPath, Request},
    http::{HeaderMap, StatusCode, Uri, header::AUTHORIZATION, uri::PathAndQuery},
    response::{IntoResponse, Response},
};
use serde_json::json;
use service::Clock;
use tower::ServiceExt;

use crate::{Route, wire::utc_seconds};

/// What a dialect's callers identify themselves with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Credential {
    ApiKey,
    Basic,
    Bearer,
    /// A Bearer token of the form `‹id›|‹secret›`.
    NumberedBearer,
}

impl Credential {
    /// What the request carries; `X-API-Key` wins over `Authorization`.
    fn of(headers: &HeaderMap) -> Option<Credential> {
        if headers.contains_key("x-api-key") {
            return Some(Credential::ApiKey);
        }
        let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let mut words = text.split_whitespace();
        match words.next()?.to_ascii_lowercase().as_str() {
            "basic" => Some(Credential::Basic),
            "bearer" if words.next().is_some_and(is_numbered) => Some(Credential::NumberedBearer),
            "bearer" => Some(Credential::Bearer),
            _ => None,
        }
    }
}

/// `12|…`.
fn is_numbered(token: &str) -> bool {
    token.split_once('|').is_some_and(|(id, _)| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
}

/// A dialect as it registers here.
#[derive(Clone)]
pub struct Dialect {
    /// Also its prefix: `/alternet/api/v1/…`.
    pub name: &'static str,
    pub credential: Credential,
    pub routes: &'static [Route],
    pub router: Router,
}

/// Under which prefix a request came, for answers that hold their own address.
#[derive(Clone, Debug)]
pub struct Mount(pub String);

#[derive(Clone)]
pub struct Dispatch {
    clock: Clock,
    dialects: Vec<Dialect>,
    /// How a dialect reads paths, where it reads them otherwise than they are written.
    readings: Vec<(&'static str, Reading)>,
}

/// What a path as it was sent means to a dialect.
pub type Reading = fn(&str) -> String;

impl Dispatch {
    pub fn new(clock: Clock) -> Dispatch {
        Dispatch { clock, dialects: Vec::new(), readings: Vec::new() }
    }

    /// Registers a dialect; where nothing else decides, earlier ones come first.
    pub fn with(mut self, dialect: Dialect) -> Dispatch {
        self.dialects.push(dialect);
        self
    }

    /// As [`Dispatch::with`], for a dialect that reads paths leniently.
    pub fn with_reading(mut self, dialect: Dialect, reading: Reading) -> Dispatch {
        self.readings.push((dialect.name, reading));
        self.with(dialect)
    }

    fn reading(&self, dialect: &Dialect) -> Option<Reading> {
        self.readings.iter().find(|(name, _)| *name == dialect.name).map(|(_, reading)| *reading)
    }

    /// Everything under `/api` and under the dialects' prefixes; the rest of the address is other doors'.
    pub fn router(self) -> Router {
        let mut prefixes = vec![String::from("/api")];
        prefixes.extend(self.dialects.iter().map(|dialect| format!("/{}", dialect.name)));
        let answer = move |request: Request| {
            let this = self.clone();
            async move { this.answer(request).await }
        };
        prefixes.into_iter().fold(Router::new(), |router, prefix| {
            router.route(&format!("{prefix}/{{*rest}}"), axum::routing::any(answer.clone()))
        })
    }

    async fn answer(&self, mut request: Request) -> Response {
        // The route that counts is the dialect's.
        request.extensions_mut().remove::<MatchedPath>();
        let chosen = match self.mounted(&mut request) {
            Some(dialect) => Choice::Dialect(dialect),
            None => self.choose(request.uri().path(), Credential::of(request.headers())),
        };
        if let Choice::Dialect(dialect) = &chosen
            && let Some(reading) = self.reading(dialect)
        {
            let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
            let read = reading(request.uri().path()) + &query;
            let mut parts = request.uri().clone().into_parts();
            if let Ok(path) = PathAndQuery::try_from(read) {
                parts.path_and_query = Some(path);
                if let Ok(uri) = Uri::from_parts(parts) {
                    *request.uri_mut() = uri;
                }
            }
        }
        match chosen {
            Choice::Dialect(dialect) => match dialect.router.clone().oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
            Choice::Undecided => self.undecided(),
            Choice::Nobody => StatusCode::NOT_FOUND.into_response(),
        }
    }

    /// The dialect whose prefix the path begins with; the prefix is taken off.
    fn mounted(&self, request: &mut Request) -> Option<&Dialect> {
        let path = request.uri().path_and_query()?.as_str().to_string();
        let (name, rest) = path.strip_prefix('/')?.split_once('/')?;
        let dialect = self.dialects.iter().find(|dialect| dialect.name == name)?;
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(format!("/{rest}")).ok()?);
        *request.uri_mut() = Uri::from_parts(parts).ok()?;
        request.extensions_mut().insert(Mount(format!("/{name}")));
        Some(dialect)
    }

    /// The owners of the path first, then the credential: a stranger's credential at an owned path is the owner's to
    /// refuse.
    fn choose(&self, path: &str, credential: Option<Credential>) -> Choice<'_> {
        let owns = |dialect: &&Dialect| {
            let read = self.reading(dialect).map(|reading| reading(path));
            let path = read.as_deref().unwrap_or(path);
            dialect.routes.iter().any(|route| route.matches(path))
        };
        let owners: Vec<&Dialect> = self.dialects.iter().filter(owns).collect();
        let fits = |dialect: &&&Dialect| Some(dialect.credential) == credential;
        let fitting = owners.iter().find(fits).copied();
        match (fitting, &owners[..], credential) {
            (Some(dialect), _, _) => Choice::Dialect(dialect),
            (None, [only], _) => Choice::Dialect(only),
            (None, [], _) => {
                let by_credential = self.dialects.iter().find(|dialect| Some(dialect.credential) == credential);
                self.neighbour(path).or(by_credential).or(self.dialects.first()).map_or(Choice::Nobody, Choice::Dialect)
            }
            (None, [first, ..], Some(_)) => Choice::Dialect(first),
            (None, _, None) => Choice::Undecided,
        }
    }

    /// The only dialect that has anything beside an unknown path: `/api/v2/…`.
    fn neighbour(&self, path: &str) -> Option<&Dialect> {
        let beginning: String = path.split_inclusive('/').take(3).collect();
        let near = |dialect: &&Dialect| dialect.routes.iter().any(|route| route.path.starts_with(&beginning));
        let mut all = self.dialects.iter().filter(near);
        match (all.next(), all.next()) {
            (Some(only), None) if beginning.matches('/').count() == 3 => Some(only),
            _ => None,
        }
    }

    /// A shared path without a credential: one body that satisfies each of the owners' shapes.
    fn undecided(&self) -> Response {
        let message = "Unauthorized - Invalid API key";
        let body = json!({
            "success": false,
            "message": message,
            "code": "AUTH_001",
            "timestamp": utc_seconds(self.clock.now()),
            "error": { "code": "UNAUTHORIZED", "message": message },
        });
        (StatusCode::UNAUTHORIZED, Json(body)).into_response()
    }
}

enum Choice<'a> {
    Dialect(&'a Dialect),
    Undecided,
    Nobody,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARED: &[Route] = &[Route { method: "GET", path: "/api/v1/customers", name: "" }];
    const TICKETS: &[Route] = &[
        Route { method: "GET", path: "/api/v1/customers", name: "" },
        Route { method: "GET", path: "/api/v1/tickets", name: "" },
        Route { method: "GET", path: "/api/v2/tickets", name: "" },
        Route { method: "GET", path: "/api/v1/invoices", name: "" },
    ];

    const NUMBERED: &[Route] = &[
        Route { method: "GET", path: "/api/v1/customers", name: "" },
        Route { method: "GET", path: "/api/v1/subscribers", name: "" },
        Route { method: "GET", path: "/api/v1/invoices", name: "" },
        Route { method: "GET", path: "/api/v1/invoices/{id}", name: "" },
    ];

    #[test]
    fn tokens_are_told_apart_by_their_shape() {
        let rows = [
            ("Bearer 12|abc", Some(Credential::NumberedBearer)),
            ("bearer 12|", Some(Credential::NumberedBearer)),
            ("Bearer abc|12", Some(Credential::Bearer)),
            ("Bearer |12", Some(Credential::Bearer)),
            ("Bearer abc", Some(Credential::Bearer)),
            ("Bearer", Some(Credential::Bearer)),
            ("Basic abc", Some(Credential::Basic)),
            ("12|abc", None),
        ];
        for (text, expected) in rows {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, text.parse().unwrap());
            assert_eq!(Credential::of(&headers), expected, "{text}");
        }
    }

    #[test]
    fn the_credential_decides() {
        let dialect = |name, credential, routes| Dialect { name, credential, routes, router: Router::new() };
        let dispatch = Dispatch::new(Clock::System)
            .with(dialect("keys", Credential::ApiKey, SHARED))
            .with(dialect("tokens", Credential::Bearer, TICKETS))
            .with(dialect("numbers", Credential::NumberedBearer, NUMBERED));
        let rows = [
            ("/api/v1/customers", Some(Credential::ApiKey), "keys"),
            ("/api/v1/customers", Some(Credential::Bearer), "tokens"),
            ("/api/v1/customers", Some(Credential::Basic), "keys"),
            ("/api/v1/customers", None, "undecided"),
            ("/api/v1/tickets", None, "tokens"),
            ("/api/v1/tickets", Some(Credential::ApiKey), "tokens"),
            ("/api/v1/nothing", Some(Credential::Bearer), "tokens"),
            ("/api/v1/nothing", None, "keys"),
            ("/api/v1/customers", Some(Credential::NumberedBearer), "numbers"),
            ("/api/v1/tickets", Some(Credential::NumberedBearer), "tokens"),
            ("/api/v1/subscribers", Some(Credential::Bearer), "numbers"),
            ("/api/v1/subscribers", None, "numbers"),
            ("/api/v1/nothing", Some(Credential::NumberedBearer), "numbers"),
            // A list of two dialects, and one of it that only one of them shows.
            ("/api/v1/invoices", Some(Credential::NumberedBearer), "numbers"),
            ("/api/v1/invoices", Some(Credential::Bearer), "tokens"),
            ("/api/v1/invoices", Some(Credential::ApiKey), "tokens"),
            ("/api/v1/invoices", None, "undecided"),
            ("/api/v1/invoices/7", Some(Credential::Bearer), "numbers"),
            ("/api/v1/invoices/7", None, "numbers"),
            ("/api/v2/nothing", None, "tokens"),
            ("/api/v2", None, "keys"),
        ];
        for (path, credential, expected) in rows {
            let told = match dispatch.choose(path, credential) {
                Choice::Dialect(dialect) => dialect.name,
                Choice::Undecided => "undecided",
                Choice::Nobody => "nobody",
            };
            assert_eq!(told, expected, "{path} {credential:?}");
        }
    }

    /// What the log and the metrics call a route is the dialect's own row.
    #[tokio::test]
    async fn the_dialects_route_is_the_one_that_counts() {
        let told =
            |path: Option<MatchedPath>| async move { path.map_or("none".into(), |path| path.as_str().to_string()) };
        let router = Router::new().route("/api/v1/customers", axum::routing::get(told)).fallback(told);
        let dialect = Dialect { name: "keys", credential: Credential::ApiKey, routes: SHARED, router };
        let dispatch = Dispatch::new(Clock::System).with(dialect).router();
        for (path, expected) in [
            ("/api/v1/customers", "/api/v1/customers"),
            ("/keys/api/v1/customers", "/api/v1/customers"),
            ("/api/v1/nothing", "none"),
        ] {
            let request = Request::get(path).body(axum::body::Body::empty()).unwrap();
            let response = dispatch.clone().oneshot(request).await.unwrap();
            let bytes = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
            assert_eq!(String::from_utf8_lossy(&bytes), expected, "{path}");
        }
    }
}
