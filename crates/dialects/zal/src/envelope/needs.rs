//! What a route takes: nothing, a sign-in, a token of staff with a right, a subscriber's token.

use axum::extract::{MatchedPath, Request};
use domain::Scope;
use doors::routes;

/// What a call is for, and what it takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// No credential.
    Nothing,
    /// No credential yet: failed sign-ins are counted.
    SignIn,
    /// The caller's token of this kind, good or lately ended: the handler looks at it itself.
    OwnToken(&'static str),
    /// A token of staff.
    Staff,
    /// One with this right; what a refusal names.
    Right(Scope, &'static str),
    /// A subscriber's token.
    Subscriber,
}

/// What a request's route takes. An unknown path takes a token of staff, so that it tells nothing.
pub fn need(request: &Request) -> Need {
    let matched = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let row = routes::beside(crate::ROUTES, crate::NEEDS, request.method().as_str(), matched);
    row.copied().unwrap_or(Need::Staff)
}
