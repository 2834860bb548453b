//! Routes as a table, in the order of the vendor's document.

use std::{convert::Infallible, pin::Pin};

use axum::{
    Router,
    extract::{FromRequestParts, RawPathParams, Request},
    handler::Handler,
    http::request::Parts,
    response::Response,
    routing::{MethodFilter, on},
};
pub use service::App;

/// A row of a route table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Route {
    pub method: &'static str,
    /// With `{…}` for parameters.
    pub path: &'static str,
    /// Its handler, `customers::list`.
    pub name: &'static str,
}

impl Route {
    /// Whether `path` is one of this row's, whatever the method.
    pub fn matches(&self, path: &str) -> bool {
        let (mut mine, mut theirs) = (self.path.split('/'), path.split('/'));
        loop {
            match (mine.next(), theirs.next()) {
                (None, None) => return true,
                (Some(mine), Some(theirs)) if mine == theirs || (mine.starts_with('{') && !theirs.is_empty()) => {}
                _ => return false,
            }
        }
    }
}

/// A handler as a table holds it. All have one type, so that the router's machinery is compiled once and not for each of
/// them, of which there are hundreds.
pub type Call = fn(Request, App) -> Pin<Box<dyn Future<Output = Response> + Send>>;

#[derive(Clone, Copy)]
struct Held(Call);

impl Handler<(), App> for Held {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, app: App) -> Self::Future {
        (self.0)(request, app)
    }
}

/// The router of a table's rows.
pub fn table(routes: &[Route], calls: &[(MethodFilter, Call)]) -> Router<App> {
    let rows = routes.iter().zip(calls);
    rows.fold(Router::new(), |router, (route, (method, call))| router.route(route.path, on(*method, Held(*call))))
}

/// `routes! { GET "/plans" => plans::list; … }`: a constant `ROUTES` and a function `table()` that makes the router.
///
/// `routes! { NEEDS: Need; GET "/plans" => plans::list, Right(PlansRead); … }`: also what each row needs, as a table
/// `NEEDS` in the rows' order, in which [`beside`] finds a request's.
#[macro_export]
macro_rules! routes {
    ($rows:ident: $row:ty; $($method:ident $path:literal => $handler:path, $value:expr;)*) => {
        $crate::routes! { $($method $path => $handler;)* }

        /// What stands beside each of `ROUTES`.
        pub const $rows: &[$row] = &[$($value),*];
    };
    ($($method:ident $path:literal => $handler:path;)*) => {
        /// Every call of this table, in its document's order.
        pub const ROUTES: &[$crate::Route] = &[
            $($crate::Route { method: stringify!($method), path: $path, name: stringify!($handler) }),*
        ];

        fn table() -> $crate::axum::Router<$crate::routes::App> {
            use $crate::axum::{handler::Handler, routing::MethodFilter};
            $crate::routes::table(ROUTES, &[
                $((MethodFilter::$method, |request, app| Handler::call($handler, request, app))),*
            ])
        }
    };
}

/// What stands beside the row that a request came to, by its method and the matched path.
pub fn beside<'a, T>(routes: &[Route], rows: &'a [T], method: &str, matched: &str) -> Option<&'a T> {
    // HEAD is answered by the row of GET.
    let method = if method == "HEAD" { "GET" } else { method };
    let at = routes.iter().position(|route| route.method == method && route.path == matched)?;
    rows.get(at)
}

/// The `{id}` of a path. What is no positive number is read as 0, which no row has, so that the use case answers "not
/// found" in the resource's own words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Id(pub i64);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Id, Infallible> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let text = params.as_ref().ok().and_then(|params| params.iter().find(|(name, _)| *name == "id"));
        Ok(Id(text.map_or(0, |(_, text)| read(text))))
    }
}

/// The `{id}` of a path and the id of what is within, under whatever name; each is read as [`Id`] reads one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Nested(pub i64, pub i64);

impl<S: Send + Sync> FromRequestParts<S> for Nested {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Nested, Infallible> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        // What a router around this one has matched stands first.
        let find = |outer: bool| {
            let params = params.iter().flat_map(|params| params.iter());
            let text = params.filter(|(name, _)| (*name == "id") == outer).last();
            text.map_or(0, |(_, text)| read(text))
        };
        Ok(Nested(find(true), find(false)))
    }
}

fn read(text: &str) -> i64 {
    match text.parse::<i64>() {
        Ok(id) if (1..1 << 53).contains(&id) && text.as_bytes()[0].is_ascii_digit() => id,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_knows_its_paths() {
        let rows = [
            ("/api/v1/customers/{id}", "/api/v1/customers/7", true),
            ("/api/v1/customers/{id}", "/api/v1/customers/", false),
            ("/api/v1/customers/{id}", "/api/v1/customers", false),
            ("/api/v1/customers/{id}/recharge", "/api/v1/customers/bulk/recharge", true),
            ("/api/v1/customers", "/api/v1/customers", true),
            ("/api/v1/customers", "/api/v1/customers/7", false),
        ];
        for (row, path, expected) in rows {
            assert_eq!(Route { method: "GET", path: row, name: "" }.matches(path), expected, "{row} {path}");
        }
    }

    #[test]
    fn a_request_finds_its_row() {
        let row = |method, path| Route { method, path, name: "" };
        let routes = [row("GET", "/a/{id}"), row("POST", "/a/{id}"), row("POST", "/b")];
        let rows = ["read", "write", "another"];
        for (method, matched, expected) in [
            ("GET", "/a/{id}", Some("read")),
            ("HEAD", "/a/{id}", Some("read")),
            ("POST", "/a/{id}", Some("write")),
            ("POST", "/b", Some("another")),
            ("HEAD", "/b", None),
            ("DELETE", "/b", None),
            ("GET", "/a/7", None),
            ("GET", "", None),
        ] {
            assert_eq!(beside(&routes, &rows, method, matched).copied(), expected, "{method} {matched}");
        }
    }

    #[test]
    fn what_is_no_id_is_nobodys() {
        for (text, id) in [("7", 7), ("0", 0), ("-7", 0), ("+7", 0), ("seven", 0), ("9007199254740992", 0), ("", 0)] {
            assert_eq!(read(text), id, "{text}");
        }
    }
}
