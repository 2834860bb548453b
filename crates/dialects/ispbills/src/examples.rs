//! An example of every call: what is sent, with which status it is answered, what the answer has. They stand in the
//! OpenAPI documents, and a test runs them from the first to the last in a new tenant. `$name` stands for the id that
//! an earlier example kept under this name; `lastmile/tests/it/examples.rs` knows those that are there at the start.

use doors::operation::Sample;

/// Calls without an example. This list only shrinks.
pub const WITHOUT: &[&str] = &[];

/// A new example where none stands before it.
const fn of(call: &'static str, path: &'static str, status: u16) -> Example {
    Example { call, path, body: "", status, has: &[], keeps: "" }
}

#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// Method and path of the row in the table of routes.
    pub call: &'static str,
    /// With values in it, and a query.
    pub path: &'static str,
    /// JSON; empty where nothing is sent.
    pub body: &'static str,
    pub status: u16,
    /// Places in the answer (RFC 6901) where something stands.
    pub has: &'static [&'static str],
    /// The id at `/data/id` is kept under this name.
    pub keeps: &'static str,
}

impl Example {
    const fn body(self, body: &'static str) -> Example {
        Example { body, ..self }
    }

    const fn has(self, has: &'static [&'static str]) -> Example {
        Example { has, ..self }
    }

    const fn keeps(self, keeps: &'static str) -> Example {
        Example { keeps, ..self }
    }
}

pub fn samples() -> Vec<Sample> {
    let with_body = EXAMPLES.iter().filter(|example| !example.body.is_empty());
    with_body.filter_map(|example| Sample::of(example.call, example.body)).collect()
}

/// In an order in which they can be run.
pub static EXAMPLES: &[Example] = &[
    // Authentication, version 1 and 2.
    of("POST /api/auth/login", "/api/auth/login", 200)
        .body(r#"{"email": "owner@example.com", "password": "correct horse"}"#)
        .has(&["/access_token", "/refresh_token", "/expires_in"]),
    of("POST /api/auth/refresh", "/api/auth/refresh", 200)
        .body(r#"{"refresh_token": "$refresh_token"}"#)
        .has(&["/access_token", "/refresh_token"]),
    of("POST /api/v2/auth/token", "/api/v2/auth/token", 200)
        .body(r#"{"client_id": "$client_id", "client_secret": "$client_secret"}"#)
        .has(&["/access_token", "/token_type", "/expires_in"]),
    of("GET /api/v2/packages", "/api/v2/packages?per_page=5", 200).has(&["/data/0/name", "/meta/total"]),
    // Bandwidths.
    of("POST /api/v2/bandwidths", "/api/v2/bandwidths", 201)
        .body(
            r#"{"name": "Fibre 50", "download_kbps": 50000, "upload_kbps": 25000, "burst_download_kbps": 80000,
                "burst_upload_kbps": 40000, "burst_threshold_download_kbps": 40000,
                "burst_threshold_upload_kbps": 20000, "burst_seconds": 10, "priority": 4}"#,
        )
        .has(&["/data/burst_seconds", "/data/priority"])
        .keeps("bandwidth"),
    of("GET /api/v2/bandwidths", "/api/v2/bandwidths", 200).has(&["/data/0/download_kbps"]),
    of("GET /api/v2/bandwidths/{id}", "/api/v2/bandwidths/$bandwidth", 200).has(&["/data/name"]),
    of("PUT /api/v2/bandwidths/{id}", "/api/v2/bandwidths/$bandwidth", 200)
        .body(r#"{"download_kbps": 60000}"#)
        .has(&["/data/upload_kbps"]),
    // Pools.
    of("POST /api/v2/network/pools", "/api/v2/network/pools", 201)
        .body(r#"{"name": "north", "ranges": "10.20.0.0/22, 10.21.0.10-10.21.0.90", "allocate": "server"}"#)
        .has(&["/data/addresses"])
        .keeps("pool"),
    of("GET /api/v2/network/pools/{id}", "/api/v2/network/pools/$pool", 200).has(&["/data/ranges"]),
    // Plans.
    of("POST /api/v2/plans", "/api/v2/plans", 201)
        .body(
            r#"{"name": "Fibre 50", "price": 2500, "validity": 30, "validity_unit": "Days", "bandwidth_id": $bandwidth,
                "pool_id": $pool, "limit_type": "Data_Limit", "data_limit": 300, "data_unit": "GB", "shared_users": 2,
                "expiry_action": "restrict", "expired_address_list": "expired"}"#,
        )
        .has(&["/data/price", "/data/data_limit", "/data/expired_address_list"])
        .keeps("plan"),
    of("GET /api/v2/plans", "/api/v2/plans?connection_type=pppoe&enabled=true", 200).has(&["/data/0/price"]),
    of("GET /api/v2/plans/{id}", "/api/v2/plans/$plan", 200).has(&["/data/bandwidth_id"]),
    of("PUT /api/v2/plans/{id}", "/api/v2/plans/$plan", 200)
        .body(r#"{"price": 2400, "limit_type": null, "expiry_action": "reject"}"#)
        .has(&["/data/price"]),
    of("POST /api/v2/plans/{id}/duplicate", "/api/v2/plans/$plan/duplicate", 201)
        .body(r#"{"name": "Fibre 50, copied"}"#)
        .has(&["/data/id"])
        .keeps("copy"),
    of("DELETE /api/v2/plans/{id}", "/api/v2/plans/$copy", 204),
    of("DELETE /api/v2/plans/{id}", "/api/v2/plans/$plan", 204),
    of("DELETE /api/v2/network/pools/{id}", "/api/v2/network/pools/$pool", 204),
    of("DELETE /api/v2/bandwidths/{id}", "/api/v2/bandwidths/$bandwidth", 204),
    // Routers.
    of("POST /api/v2/network/routers", "/api/v2/network/routers", 201)
        .body(r#"{"name": "North tower", "vendor": "mikrotik", "network": "192.0.2.7", "secret": "s3cret-of-north"}"#)
        .has(&["/data/coa_port"])
        .keeps("new_router"),
    of("GET /api/v2/network/routers/{id}", "/api/v2/network/routers/$new_router", 200).has(&["/data/ma_policy"]),
    of("PUT /api/v2/network/routers/{id}", "/api/v2/network/routers/$new_router", 200)
        .body(r#"{"coa_port": 1700, "ma_policy": "learn"}"#)
        .has(&["/data/coa_port"]),
    of("DELETE /api/v2/network/routers/{id}", "/api/v2/network/routers/$new_router", 204),
    // Vouchers.
    of("POST /api/v2/vouchers", "/api/v2/vouchers", 201)
        .body(
            r#"{"plan_id": $gold, "router_id": $router, "count": 2, "connection_type": "pppoe", "format": "numbers"}"#,
        )
        .has(&["/data/vouchers/1/code"]),
    of("GET /api/v2/vouchers", "/api/v2/vouchers?status=unused&plan_id=$gold", 200).has(&["/data/0/code"]),
    of("POST /api/v2/vouchers/redeem", "/api/v2/vouchers/redeem", 200)
        .body(r#"{"code": "$code", "customer_id": $customer}"#)
        .has(&["/data/expires_at", "/data/plan"]),
    of("GET /api/v2/vouchers/{id}", "/api/v2/vouchers/$voucher", 200).has(&["/data/uses/0/client"]),
    of("DELETE /api/v2/vouchers/{id}", "/api/v2/vouchers/$voucher", 204),
    // Sessions.
    of("GET /api/v2/sessions", "/api/v2/sessions?state=live&customer_id=$customer", 200).has(&["/data/0/username"]),
    of("GET /api/v2/sessions/{id}", "/api/v2/sessions/$session", 200).has(&["/data/acct_session_id"]),
    of("POST /api/v2/sessions/{id}/refresh", "/api/v2/sessions/$session/refresh", 200).has(&["/data/result"]),
    of("POST /api/v2/sessions/{id}/disconnect", "/api/v2/sessions/$session/disconnect", 200).has(&["/data/result"]),
    // The books, the feed, background work.
    of("GET /api/v2/ledger/accounts", "/api/v2/ledger/accounts?kind=cash", 200).has(&["/data/0/balance"]),
    of("GET /api/v2/ledger/entries", "/api/v2/ledger/entries?account=revenue", 200).has(&["/data/0/lines/1/credit"]),
    of("GET /api/v2/events", "/api/v2/events?after=0&limit=10&kind=customer.created", 200)
        .has(&["/data/0/seq", "/meta/next_after"]),
    of("GET /api/v2/jobs", "/api/v2/jobs?queue=network", 200).has(&["/data/0/state"]),
    of("GET /api/v2/jobs/{id}", "/api/v2/jobs/$failed_job", 200).has(&["/data/outcome"]),
    of("POST /api/v2/jobs/{id}/retry", "/api/v2/jobs/$failed_job/retry", 200).has(&["/data/state"]),
    // API clients and what they asked.
    of("POST /api/v2/clients", "/api/v2/clients", 201)
        .body(r#"{"type": "oauth", "name": "Billing CRM", "scopes": ["customers:read", "billing:read"]}"#)
        .has(&["/data/credentials/client_id", "/data/credentials/client_secret"]),
    of("GET /api/v2/clients", "/api/v2/clients", 200).has(&["/data/0/tier"]),
    of("GET /api/v2/clients/{id}", "/api/v2/clients/$client", 200).has(&["/data/secrets"]),
    of("PUT /api/v2/clients/{id}", "/api/v2/clients/$client", 200)
        .body(r#"{"tier": "v2_high_volume", "scopes": ["customers:read"]}"#)
        .has(&["/data/requests_per_minute"]),
    of("POST /api/v2/clients/{id}/rotate", "/api/v2/clients/$client/rotate", 200)
        .body(r#"{"overlap_seconds": 3600}"#)
        .has(&["/data/client_secret"]),
    of("POST /api/v2/clients/{id}/token", "/api/v2/clients/$v1_client/token", 200).has(&["/data/refresh_token"]),
    of("DELETE /api/v2/clients/{id}", "/api/v2/clients/$client", 204),
    of("GET /api/v2/requests", "/api/v2/requests?status=2xx&method=GET&path=/api/v2/plans", 200)
        .has(&["/data/0/request_id"]),
    // Last: the token ends.
    of("POST /api/v2/auth/revoke", "/api/v2/auth/revoke", 204),
];
