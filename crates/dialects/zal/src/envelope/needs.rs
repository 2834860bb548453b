//! What each route takes: nothing, a sign-in, a token of staff with a right, a subscriber's token.

use axum::{
    extract::{MatchedPath, Request},
    http::Method,
};
use domain::Scope;

/// What a call is for, and what it takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// No credential.
    Nothing,
    /// No credential yet: failed sign-ins are counted.
    SignIn,
    /// The caller's token, good or lately ended: the handler looks at it itself.
    OwnToken,
    /// A token of staff.
    Staff,
    /// One with this right; what a refusal names.
    Right(Scope, &'static str),
    /// A subscriber's token.
    Subscriber,
}

/// Method, path as in `ROUTES`, need. What is not here needs a token of staff, so that an unknown path tells nothing.
#[rustfmt::skip]
const NEEDS: &[(&str, &str, Need)] = &[
    ("GET",    "/api/v1/subscribers",                 Need::Right(Scope::CustomersRead,  "view subscribers")),
    ("GET",    "/api/v1/subscribers/details",         Need::Right(Scope::CustomersRead,  "view subscribers")),
    ("POST",   "/api/v1/subscribers/create",          Need::Right(Scope::CustomersWrite, "create subscribers")),
    ("PUT",    "/api/v1/subscribers/update",          Need::Right(Scope::CustomersWrite, "update subscribers")),
    ("DELETE", "/api/v1/subscribers/delete",          Need::Right(Scope::CustomersWrite, "delete subscribers")),
    ("POST",   "/api/v1/subscribers/activation",      Need::Right(Scope::BillingWrite,   "activate subscribers")),
    ("POST",   "/api/v1/subscribers/mass-activation", Need::Right(Scope::BillingWrite,   "activate subscribers")),
    ("POST",   "/api/v1/subscribers/migration",       Need::Right(Scope::CustomersWrite, "update subscribers")),
    ("GET",    "/api/v1/subscribers/attributes",      Need::Right(Scope::CustomersRead,  "view subscribers")),
    ("POST",   "/api/v1/subscribers/attributes",      Need::Right(Scope::CustomersWrite, "update subscribers")),
    ("PUT",    "/api/v1/subscribers/attributes",      Need::Right(Scope::CustomersWrite, "update subscribers")),
    ("DELETE", "/api/v1/subscribers/attributes",      Need::Right(Scope::CustomersWrite, "update subscribers")),
    ("GET",    "/api/v1/dashboard/subscriber-stats",  Need::Right(Scope::DashboardRead,   "view the dashboard")),
    ("GET",    "/api/v1/dashboard/accounting-stats",  Need::Right(Scope::BillingRead,     "view accounting")),
    ("GET",    "/api/v1/invoices",                    Need::Right(Scope::BillingRead,     "view invoices")),
    ("GET",    "/api/v1/invoices/{id}",               Need::Right(Scope::BillingRead,     "view invoices")),
    ("GET",    "/api/v1/payments",                    Need::Right(Scope::BillingRead,     "view payments")),
    ("GET",    "/api/v1/payments/{id}/receipt",       Need::Right(Scope::BillingRead,     "view payments")),
    ("GET",    "/api/v1/packages",                    Need::Right(Scope::PlansRead,       "view packages")),
    ("POST",   "/api/v1/packages",                    Need::Right(Scope::PlansWrite,      "create packages")),
    ("GET",    "/api/v1/packages/{id}",               Need::Right(Scope::PlansRead,       "view packages")),
    ("PUT",    "/api/v1/packages/{id}",               Need::Right(Scope::PlansWrite,      "update packages")),
    ("DELETE", "/api/v1/packages/{id}",               Need::Right(Scope::PlansWrite,      "delete packages")),
    ("GET",    "/api/v1/users",                       Need::Right(Scope::StaffRead,       "view users")),
    ("POST",   "/api/v1/users",                       Need::Right(Scope::StaffWrite,      "create users")),
    ("GET",    "/api/v1/users/{id}",                  Need::Right(Scope::StaffRead,       "view users")),
    ("PUT",    "/api/v1/users/{id}",                  Need::Right(Scope::StaffWrite,      "update users")),
    ("GET",    "/api/v1/radius/online-sessions",      Need::Right(Scope::NetworkRead,     "view sessions")),
    ("GET",    "/api/v1/radius/session-history",      Need::Right(Scope::NetworkRead,     "view sessions")),
    ("GET",    "/api/v1/radius/radcheck/{username}",  Need::Right(Scope::CustomersRead,   "view attributes")),
    ("GET",    "/api/v1/radius/radreply/{username}",  Need::Right(Scope::CustomersRead,   "view attributes")),
    ("GET",    "/api/v1/nas",                         Need::Right(Scope::NetworkRead,     "view NAS")),
    ("GET",    "/api/v1/ip-pools",                    Need::Right(Scope::NetworkRead,     "view IP pools")),
    ("GET",    "/api/v1/olts",                        Need::Right(Scope::NetworkRead,     "view OLTs")),
    ("GET",    "/api/v1/olts/{id}",                   Need::Right(Scope::NetworkRead,     "view OLTs")),
    ("GET",    "/api/v1/tickets",                     Need::Right(Scope::ComplaintsRead,  "view tickets")),
    ("POST",   "/api/v1/tickets",                     Need::Right(Scope::ComplaintsWrite, "create tickets")),
    ("GET",    "/api/v1/tickets/{id}",                Need::Right(Scope::ComplaintsRead,  "view tickets")),
    ("PUT",    "/api/v1/tickets/{id}",                Need::Right(Scope::ComplaintsWrite, "update tickets")),
    ("POST",   "/api/v1/tickets/{id}/replies",        Need::Right(Scope::ComplaintsWrite, "update tickets")),
    ("GET",    "/api/health",                         Need::Nothing),
    ("POST",   "/api/v1/auth/login",                  Need::SignIn),
    ("POST",   "/api/v1/auth/refresh",                Need::OwnToken),
    ("POST",   "/api/v1/subscriber/login",            Need::SignIn),
    ("POST",   "/api/v1/subscriber/auth/login",       Need::SignIn),
    ("POST",   "/api/v1/subscriber/logout",           Need::Subscriber),
    ("POST",   "/api/v1/subscriber/auth/logout",      Need::Subscriber),
    ("POST",   "/api/v1/subscriber/refresh",          Need::OwnToken),
    ("POST",   "/api/v1/subscriber/auth/refresh",     Need::OwnToken),
    ("GET",    "/api/v1/subscriber/profile",          Need::Subscriber),
    ("GET",    "/api/v1/subscriber/auth/profile",     Need::Subscriber),
    ("GET",    "/api/v1/subscriber/package",          Need::Subscriber),
    ("GET",    "/api/v1/subscriber/invoices",         Need::Subscriber),
    ("GET",    "/api/v1/subscriber/payments",         Need::Subscriber),
    ("GET",    "/api/v1/subscriber/usage",            Need::Subscriber),
    ("POST",   "/api/v1/subscriber/change-password",  Need::Subscriber),
];

/// What a request's route takes.
pub fn need(request: &Request) -> Need {
    // HEAD is answered by the row of GET.
    let method = if request.method() == Method::HEAD { "GET" } else { request.method().as_str() };
    let matched = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let row = NEEDS.iter().find(|(wanted, path, _)| *wanted == method && *path == matched);
    row.map_or(Need::Staff, |(.., need)| *need)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_needs_is_a_route_and_every_subscriber_route_has_a_need() {
        for (method, path, _) in NEEDS {
            assert!(
                crate::ROUTES.iter().any(|route| route.method == *method && route.path == *path),
                "{method} {path}"
            );
        }
        for route in crate::ROUTES {
            let known = NEEDS.iter().any(|(method, path, _)| *method == route.method && *path == route.path);
            let own = matches!(route.path, "/api/v1/auth/logout" | "/api/v1/auth/user" | "/api/v1/auth/me");
            assert!(known || own, "{} {} needs no more than a token of staff: on purpose?", route.method, route.path);
        }
    }
}
