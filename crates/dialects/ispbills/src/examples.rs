//! An example of every call: what is sent, with which status it is answered, what the answer has. They stand in the
//! OpenAPI documents, and a test runs them from the first to the last in a new tenant. `$name` stands for the id that
//! an earlier example kept under this name; `lastmile/tests/it/examples.rs` knows those that are there at the start.

use doors::operation::Sample;

/// A new example where none stands before it.
const fn of(call: &'static str, path: &'static str, status: u16) -> Example {
    Example { call, path, body: "", status, has: &[], keeps: "", also: &[] }
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
    /// What else is kept: under which name, from which place.
    pub also: &'static [(&'static str, &'static str)],
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

    const fn also(self, also: &'static [(&'static str, &'static str)]) -> Example {
        Example { also, ..self }
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
        .has(&["/access_token", "/refresh_token", "/expires_in"])
        .also(&[("refresh_token", "/refresh_token")]),
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
        .has(&["/data/vouchers/1/code"])
        .also(&[("voucher", "/data/vouchers/0/id"), ("code", "/data/vouchers/0/code")]),
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
        .has(&["/data/credentials/client_id", "/data/credentials/client_secret"])
        .also(&[("client", "/data/client/id")]),
    of("GET /api/v2/clients", "/api/v2/clients", 200).has(&["/data/0/tier"]),
    of("GET /api/v2/clients/{id}", "/api/v2/clients/$client", 200).has(&["/data/secrets"]),
    of("PUT /api/v2/clients/{id}", "/api/v2/clients/$client", 200)
        .body(r#"{"tier": "v2_high_volume", "scopes": ["customers:read"]}"#)
        .has(&["/data/requests_per_minute"]),
    of("POST /api/v2/clients/{id}/rotate", "/api/v2/clients/$client/rotate", 200)
        .body(r#"{"overlap_seconds": 3600}"#)
        .has(&["/data/client_secret"]),
    // Generating tokens ends the earlier ones.
    of("POST /api/v2/clients/{id}/token", "/api/v2/clients/$v1_client/token", 200).has(&["/data/refresh_token"])
        .also(&[("v1", "/data/access_token")]),
    of("DELETE /api/v2/clients/{id}", "/api/v2/clients/$client", 204),
    // Zones, and the pair of one.
    of("POST /api/v2/zones", "/api/v2/zones", 201)
        .body(r#"{"name": "Northern suburbs", "account": "north"}"#)
        .has(&["/data/account", "/data/customers"])
        .keeps("zone"),
    of("GET /api/v2/zones", "/api/v2/zones", 200).has(&["/data/0/is_head_office", "/data/1/account"]),
    of("GET /api/v2/zones/{id}", "/api/v2/zones/$zone", 200).has(&["/data/name"]),
    of("PUT /api/v2/zones/{id}", "/api/v2/zones/$zone", 200)
        .body(r#"{"name": "North", "account": "north-1"}"#)
        .has(&["/data/account"]),
    of("POST /api/v2/clients", "/api/v2/clients", 201)
        .body(r#"{"type": "pair", "name": "Jaze client of the north", "branch_id": $zone}"#)
        .has(&["/data/credentials/api_token", "/data/credentials/api_key"])
        .also(&[("client", "/data/client/id")]),
    of("POST /api/v2/clients/{id}/rotate", "/api/v2/clients/$client/rotate", 200).has(&["/data/api_key"]),
    of("DELETE /api/v2/clients/{id}", "/api/v2/clients/$client", 204),
    of("DELETE /api/v2/zones/{id}", "/api/v2/zones/$zone", 204),
    // What customers are sorted by.
    of("POST /api/v2/places/{level}", "/api/v2/places/city", 201).body(r#"{"name": "Nairobi"}"#).keeps("city"),
    of("POST /api/v2/places/{level}", "/api/v2/places/area", 201)
        .body(r#"{"name": "Westlands", "parent_id": $city}"#)
        .has(&["/data/level", "/data/customers"])
        .keeps("area"),
    of("GET /api/v2/places/{level}", "/api/v2/places/area?parent_id=$city", 200).has(&["/data/0/name", "/meta/total"]),
    of("GET /api/v2/places/{level}/{id}", "/api/v2/places/city/$city", 200).has(&["/data/places"]),
    of("PUT /api/v2/places/{level}/{id}", "/api/v2/places/city/$city", 200)
        .body(r#"{"name": "Nairobi City"}"#)
        .has(&["/data/name"]),
    of("DELETE /api/v2/places/{level}/{id}", "/api/v2/places/area/$area", 204),
    of("POST /api/v2/departments", "/api/v2/departments", 201).body(r#"{"name": "Field service"}"#).keeps("department"),
    of("GET /api/v2/departments", "/api/v2/departments", 200).has(&["/data/0/customers"]),
    of("GET /api/v2/departments/{id}", "/api/v2/departments/$department", 200).has(&["/data/name"]),
    of("PUT /api/v2/departments/{id}", "/api/v2/departments/$department", 200)
        .body(r#"{"name": "Installations"}"#)
        .has(&["/data/updated_at"]),
    of("DELETE /api/v2/departments/{id}", "/api/v2/departments/$department", 204),
    of("GET /api/v2/requests", "/api/v2/requests?status=2xx&method=GET&path=/api/v2/plans", 200)
        .has(&["/data/0/request_id"]),
    // The vendor's documents, version 1 and then version 2.
    of("POST /api/v1/customers", "/api/v1/customers", 201)
        .body(r#"{"name": "Rafiq Ahmed", "email": "rafiq@example.com", "phone": "01712345678", "package_id": $gold,
                "address": "House 12, Road 7, Dhanmondi, Dhaka", "connection_type": "pppoe"}"#)
        .has(&["/data/id", "/data/package", "/data/status"])
        .keeps("rafiq"),
    of("GET /api/v1/customers/{id}", "/api/v1/customers/$rafiq", 200)
        .has(&["/data/package"]),
    of("POST /api/v1/customers/{id}/action", "/api/v1/customers/$rafiq/action", 200)
        .body(r#"{"action": "suspend"}"#)
        .has(&["/data/status"]),
    of("POST /api/v2/customers", "/api/v2/customers", 201)
        .body(r#"{"name": "Fatima Begum", "email": "fatima@example.com", "phone": "01898765432", "package_id": $gold,
                "address": "Apt 4B, Gulshan Tower, Dhaka", "connection_type": "fiber", "onu_mac": "AA:BB:CC:DD:EE:FF"}"#)
        .has(&["/data/package/name", "/data/updated_at"])
        .keeps("fatima"),
    of("GET /api/v2/customers/{id}", "/api/v2/customers/$fatima", 200)
        .has(&["/data/package/id"]),
    of("PUT /api/v2/customers/{id}", "/api/v2/customers/$fatima", 200)
        .body(r#"{"address": "Suite 6A, Banani Heights, Dhaka"}"#)
        .has(&["/data/address"]),
    of("POST /api/v2/customers/{id}/recharge", "/api/v2/customers/$fatima/recharge", 201)
        .body(r#"{"payer": "cash", "method": "bkash", "send_receipt": true}"#)
        .has(&["/data/package/name", "/data/amount", "/data/expires_at"]),
    of("GET /api/v2/customers/{id}/bills", "/api/v2/customers/$fatima/bills", 200)
        .has(&["/data"]),
    of("GET /api/v2/customers/{id}/payments", "/api/v2/customers/$fatima/payments", 200)
        .has(&["/data"]),
    of("GET /api/v2/customers/{id}/subscriptions", "/api/v2/customers/$fatima/subscriptions", 200)
        .has(&["/data"]),
    of("GET /api/v2/customers/{id}/usage", "/api/v2/customers/$fatima/usage", 200)
        .has(&["/data/total_bytes"]),
    of("POST /api/v2/billing/bills", "/api/v2/billing/bills", 201)
        .body(r#"{"customer_id": $fatima, "amount": 1500, "due_date": "2030-02-01",
                "description": "Monthly subscription"}"#)
        .has(&["/data/amount", "/data/status"])
        .keeps("bill"),
    of("GET /api/v2/billing/bills/{id}", "/api/v2/billing/bills/$bill", 200)
        .has(&["/data/due_date"]),
    of("PUT /api/v2/billing/bills/{id}", "/api/v2/billing/bills/$bill", 200)
        .body(r#"{"amount": 1600}"#)
        .has(&["/data/amount"]),
    of("DELETE /api/v2/billing/bills/{id}", "/api/v2/billing/bills/$bill", 204),
    of("DELETE /api/v2/customers/{id}", "/api/v2/customers/$fatima", 204),
    of("GET /api/v1/customers", "/api/v1/customers", 200).has(&["/data"]),
    of("GET /api/v1/invoices", "/api/v1/invoices", 200).has(&["/data"]),
    of("GET /api/v1/bills", "/api/v1/bills", 200).has(&["/data"]),
    of("GET /api/v1/subscriptions", "/api/v1/subscriptions", 200).has(&["/data"]),
    of("GET /api/v1/payments", "/api/v1/payments", 200).has(&["/data"]),
    of("GET /api/v1/dashboard", "/api/v1/dashboard", 200).has(&["/data"]),
    of("GET /api/v1/noc/dashboard", "/api/v1/noc/dashboard", 200).has(&["/data"]),
    of("GET /api/v1/routers", "/api/v1/routers", 200).has(&["/data"]),
    of("GET /api/v1/olts", "/api/v1/olts", 200).has(&["/data"]),
    of("GET /api/v1/monitoring/ubiquiti", "/api/v1/monitoring/ubiquiti", 200).has(&["/data"]),
    of("GET /api/v1/monitoring/cambium", "/api/v1/monitoring/cambium", 200).has(&["/data"]),
    of("GET /api/v1/monitoring/access-logs", "/api/v1/monitoring/access-logs", 200).has(&["/data"]),
    of("GET /api/v1/monitoring/onus", "/api/v1/monitoring/onus", 200).has(&["/data"]),
    of("GET /api/v1/monitoring/status-checks", "/api/v1/monitoring/status-checks", 200).has(&["/data"]),
    of("GET /api/v1/monitoring/zabbix", "/api/v1/monitoring/zabbix", 200).has(&["/data"]),
    of("GET /api/v1/vpn/accounts", "/api/v1/vpn/accounts", 200).has(&["/data"]),
    of("GET /api/v1/logs/router", "/api/v1/logs/router", 200).has(&["/data"]),
    of("GET /api/v1/logs/hotspot", "/api/v1/logs/hotspot", 200).has(&["/data"]),
    of("GET /api/v1/logs/ppp-auth", "/api/v1/logs/ppp-auth", 200).has(&["/data"]),
    of("GET /api/v1/logs/auto-suspension", "/api/v1/logs/auto-suspension", 200).has(&["/data"]),
    of("GET /api/v1/operators", "/api/v1/operators", 200).has(&["/data"]),
    of("GET /api/v1/recharge-cards", "/api/v1/recharge-cards", 200).has(&["/data"]),
    of("GET /api/v1/sms/history", "/api/v1/sms/history", 200).has(&["/data"]),
    of("GET /api/v1/sms/balance", "/api/v1/sms/balance", 200).has(&["/data"]),
    of("GET /api/v2/customers", "/api/v2/customers", 200).has(&["/data"]),
    of("GET /api/v2/billing/bills", "/api/v2/billing/bills", 200).has(&["/data"]),
    of("GET /api/v2/billing/payments", "/api/v2/billing/payments", 200).has(&["/data"]),
    of("GET /api/v2/billing/subscriptions", "/api/v2/billing/subscriptions", 200).has(&["/data"]),
    of("GET /api/v2/sms/balance", "/api/v2/sms/balance", 200).has(&["/data"]),
    of("GET /api/v2/webhooks", "/api/v2/webhooks", 200).has(&["/data"]),
    of("GET /api/v2/sms/history", "/api/v2/sms/history", 200).has(&["/data"]),
    of("GET /api/v2/webhooks/events", "/api/v2/webhooks/events", 200).has(&["/data"]),
    of("GET /api/v2/complaints", "/api/v2/complaints", 200).has(&["/data"]),
    of("GET /api/v2/network/routers", "/api/v2/network/routers", 200).has(&["/data"]),
    of("GET /api/v2/network/olts", "/api/v2/network/olts", 200).has(&["/data"]),
    of("GET /api/v2/network/onus", "/api/v2/network/onus", 200).has(&["/data"]),
    of("GET /api/v2/network/pools", "/api/v2/network/pools", 200).has(&["/data"]),
    of("GET /api/v2/monitoring/zabbix/hosts", "/api/v2/monitoring/zabbix/hosts", 200).has(&["/data"]),
    of("GET /api/v2/monitoring/zabbix/problems", "/api/v2/monitoring/zabbix/problems", 200).has(&["/data"]),
    of("GET /api/v2/monitoring/devices", "/api/v2/monitoring/devices", 200).has(&["/data"]),
    of("GET /api/v2/monitoring/status-checks", "/api/v2/monitoring/status-checks", 200).has(&["/data"]),
    of("GET /api/v2/monitoring/access-logs", "/api/v2/monitoring/access-logs", 200).has(&["/data"]),
    of("GET /api/v2/vpn/accounts", "/api/v2/vpn/accounts", 200).has(&["/data"]),
    of("GET /api/v2/logs/router", "/api/v2/logs/router", 200).has(&["/data"]),
    of("GET /api/v2/logs/hotspot", "/api/v2/logs/hotspot", 200).has(&["/data"]),
    of("GET /api/v2/logs/ppp-auth", "/api/v2/logs/ppp-auth", 200).has(&["/data"]),
    of("GET /api/v2/logs/auto-suspension", "/api/v2/logs/auto-suspension", 200).has(&["/data"]),
    of("GET /api/v2/dashboard", "/api/v2/dashboard", 200).has(&["/data"]),
    of("GET /api/v2/noc/dashboard", "/api/v2/noc/dashboard", 200).has(&["/data"]),
    of("GET /api/v2/operators", "/api/v2/operators", 200).has(&["/data"]),
    of("GET /api/v2/recharge-cards", "/api/v2/recharge-cards", 200).has(&["/data"]),
    of("GET /api/v2/recharge-cards/batches", "/api/v2/recharge-cards/batches", 200).has(&["/data"]),
    of("GET /api/v2/staff", "/api/v2/staff", 200).has(&["/data"]),
    of("POST /api/v2/billing/payments", "/api/v2/billing/payments", 201)
        .body(r#"{"customer_id": $customer, "amount": 500, "method": "bkash", "transaction_id": "TXN-9876"}"#)
        .has(&["/data/id"])
        .keeps("payment"),
    of("GET /api/v2/billing/payments/{id}", "/api/v2/billing/payments/$payment", 200)
        .has(&["/data/amount"]),
    of("POST /api/v2/sms/credits", "/api/v2/sms/credits", 200)
        .body(r#"{"credits": 5000}"#)
        .has(&["/data"]),
    of("POST /api/v1/sms/send", "/api/v1/sms/send", 200)
        .body(r#"{"phone": "01712345678", "message": "Dear customer, your payment of 1,500 has been received. Thank you!"}"#)
        .has(&["/data/message_id"]),
    of("POST /api/v2/sms/send", "/api/v2/sms/send", 200)
        .body(r#"{"phone": "01712345678", "message": "Dear customer, your payment of 1,500 has been received. Thank you!"}"#)
        .has(&["/data/credits_remaining"]),
    of("POST /api/v2/sms/broadcast", "/api/v2/sms/broadcast", 200)
        .body(r#"{"phones": ["01712345678", "01898765432"], "message": "Maintenance tonight."}"#)
        .has(&["/data"]),
    of("POST /api/v2/sms/broadcast/customers", "/api/v2/sms/broadcast/customers", 200)
        .body(r#"{"message": "Maintenance tonight."}"#)
        .has(&["/data"]),
    of("POST /api/v2/webhooks", "/api/v2/webhooks", 201)
        .body(r#"{"url": "https://your-server.example/webhooks/ispbills", "events": ["customer.created", "payment.received"],
                "active": true}"#)
        .has(&["/data/id"])
        .keeps("webhook"),
    of("GET /api/v2/webhooks/{id}", "/api/v2/webhooks/$webhook", 200)
        .has(&["/data/id"]),
    of("POST /api/v2/webhooks/{id}/test", "/api/v2/webhooks/$webhook/test", 200).has(&["/data/event", "/data/state"]),
    of(
        "POST /api/v2/webhooks/{id}/deliveries/{delivery}/replay",
        "/api/v2/webhooks/$lost_webhook/deliveries/$lost_delivery/replay",
        200,
    )
    .has(&["/data/next_attempt_at"]),
    of("PUT /api/v2/webhooks/{id}", "/api/v2/webhooks/$webhook", 200)
        .body(r#"{"active": false}"#)
        .has(&["/data/id"]),
    of("POST /api/v2/webhooks/{id}/rotate", "/api/v2/webhooks/$webhook/rotate", 200)
        .has(&["/data"]),
    of("GET /api/v2/webhooks/{id}/deliveries", "/api/v2/webhooks/$webhook/deliveries", 200)
        .has(&["/data"]),
    of("DELETE /api/v2/webhooks/{id}", "/api/v2/webhooks/$webhook", 204),
    of("POST /api/v2/complaints", "/api/v2/complaints", 201)
        .body(r#"{"customer_id": $customer, "subject": "No internet", "message": "Since this morning."}"#)
        .has(&["/data/id"])
        .keeps("complaint"),
    of("GET /api/v2/complaints/{id}", "/api/v2/complaints/$complaint", 200)
        .has(&["/data/id"]),
    of("PUT /api/v2/complaints/{id}", "/api/v2/complaints/$complaint", 200)
        .body(r#"{"priority": "high"}"#)
        .has(&["/data/id"]),
    of("POST /api/v2/complaints/{id}/comments", "/api/v2/complaints/$complaint/comments", 201)
        .body(r#"{"comment": "A technician is on the way."}"#)
        .has(&["/data"]),
    of("GET /api/v2/complaints/{id}/comments", "/api/v2/complaints/$complaint/comments", 200)
        .has(&["/data"]),
    of("POST /api/v2/complaints/{id}/close", "/api/v2/complaints/$complaint/close", 200)
        .body(r#"{"comment": "A splice was broken."}"#)
        .has(&["/data/status"]),
    of("POST /api/v2/network/olts", "/api/v2/network/olts", 201)
        .body(r#"{"name": "OLT North", "vendor": "huawei", "address": "10.0.9.1", "pon_ports": 16}"#)
        .has(&["/data/id"])
        .keeps("olt"),
    of("GET /api/v2/network/olts/{id}", "/api/v2/network/olts/$olt", 200)
        .has(&["/data/id"]),
    of("PUT /api/v2/network/olts/{id}", "/api/v2/network/olts/$olt", 200)
        .body(r#"{"name": "OLT North 1"}"#)
        .has(&["/data/id"]),
    of("POST /api/v2/network/onus", "/api/v2/network/onus", 201)
        .body(r#"{"olt_id": $olt, "pon_port": 3, "onu_number": 7, "serial": "HWTC12345678"}"#)
        .has(&["/data/id"])
        .keeps("onu"),
    of("GET /api/v2/network/onus/{id}", "/api/v2/network/onus/$onu", 200)
        .has(&["/data/id"]),
    of("PUT /api/v2/network/onus/{id}", "/api/v2/network/onus/$onu", 200)
        .body(r#"{"name": "House 12"}"#)
        .has(&["/data/id"]),
    of("DELETE /api/v2/network/onus/{id}", "/api/v2/network/onus/$onu", 204),
    of("DELETE /api/v2/network/olts/{id}", "/api/v2/network/olts/$olt", 204),
    of("POST /api/v2/monitoring/devices", "/api/v2/monitoring/devices", 201)
        .body(r#"{"name": "Sector 3", "kind": "ubiquiti", "address": "10.0.8.3"}"#)
        .has(&["/data/id"])
        .keeps("device"),
    of("GET /api/v2/monitoring/devices/{id}", "/api/v2/monitoring/devices/$device", 200)
        .has(&["/data/id"]),
    of("PUT /api/v2/monitoring/devices/{id}", "/api/v2/monitoring/devices/$device", 200)
        .body(r#"{"name": "Sector 3 west"}"#)
        .has(&["/data/id"]),
    of("DELETE /api/v2/monitoring/devices/{id}", "/api/v2/monitoring/devices/$device", 204),
    of("POST /api/v2/monitoring/status-checks", "/api/v2/monitoring/status-checks", 201)
        .body(r#"{"name": "Upstream", "kind": "ping", "target": "192.0.2.1"}"#)
        .has(&["/data/id"])
        .keeps("check"),
    of("GET /api/v2/monitoring/status-checks/{id}", "/api/v2/monitoring/status-checks/$check", 200)
        .has(&["/data/id"]),
    of("PUT /api/v2/monitoring/status-checks/{id}", "/api/v2/monitoring/status-checks/$check", 200)
        .body(r#"{"interval_s": 300}"#)
        .has(&["/data/id"]),
    of("DELETE /api/v2/monitoring/status-checks/{id}", "/api/v2/monitoring/status-checks/$check", 204),
    of("POST /api/v2/operators", "/api/v2/operators", 201)
        .body(r#"{"name": "Northern Net", "email": "north@example.com"}"#)
        .has(&["/data/id"])
        .keeps("operator"),
    of("GET /api/v2/operators/{id}", "/api/v2/operators/$operator", 200)
        .has(&["/data/id"]),
    of("PUT /api/v2/operators/{id}", "/api/v2/operators/$operator", 200)
        .body(r#"{"phone": "01712345670"}"#)
        .has(&["/data/id"]),
    of("POST /api/v2/operators/{id}/fund", "/api/v2/operators/$operator/fund", 201)
        .body(r#"{"amount": 5000, "method": "cash", "reference": "R-1"}"#)
        .has(&["/data"]),
    of("GET /api/v2/operators/{id}/ledger", "/api/v2/operators/$operator/ledger", 200)
        .has(&["/data"]),
    of("GET /api/v2/operators/{id}/prices", "/api/v2/operators/$operator/prices", 200)
        .has(&["/data"]),
    of("POST /api/v2/operators/{id}/suspend", "/api/v2/operators/$operator/suspend", 200)
        .has(&["/data"]),
    of("POST /api/v2/operators/{id}/activate", "/api/v2/operators/$operator/activate", 200)
        .has(&["/data"]),
    of("PUT /api/v2/operators/{id}/prices", "/api/v2/operators/$operator/prices", 200)
        .body(r#"{"package_id": $gold, "price": 1200}"#)
        .has(&["/data/price", "/data/customer_price"]),
    of("POST /api/v2/operators", "/api/v2/operators", 201)
        .body(r#"{"name": "Western Net", "email": "west@example.com", "account_type": "postpaid", "collection_limit": 9000}"#)
        .keeps("western"),
    of("DELETE /api/v2/operators/{id}", "/api/v2/operators/$western", 204),
    of("POST /api/v1/operators", "/api/v1/operators", 201)
        .body(r#"{"name": "Southern Net", "email": "south@example.com"}"#)
        .has(&["/data/id"])
        .keeps("southern"),
    of("PUT /api/v1/operators/{id}", "/api/v1/operators/$southern", 200)
        .body(r#"{"phone": "01712345671"}"#)
        .has(&["/data/id"]),
    of("POST /api/v1/operators/{id}/fund", "/api/v1/operators/$southern/fund", 201)
        .body(r#"{"amount": 5000, "method": "cash"}"#)
        .has(&["/data"]),
    of("POST /api/v1/operators/{id}/suspend", "/api/v1/operators/$southern/suspend", 200)
        .has(&["/data"]),
    of("POST /api/v2/staff", "/api/v2/staff", 201)
        .body(r#"{"name": "Corner shop", "email": "shop@example.com", "role": "card_distributor"}"#)
        .keeps("shop"),
    of("POST /api/v2/recharge-cards", "/api/v2/recharge-cards", 201)
        .body(r#"{"package_id": $gold, "quantity": 2, "commission": 10, "commission_type": "percent"}"#)
        .has(&["/data/cards/1/code"])
        .also(&[("batch", "/data/id"), ("card", "/data/cards/0/id"), ("card_code", "/data/cards/0/code")]),
    of("POST /api/v2/recharge-cards/issue", "/api/v2/recharge-cards/issue", 200)
        .body(r#"{"batch_id": $batch, "distributor_id": $shop}"#)
        .has(&["/data/quantity", "/data/card_ids/1"]),
    of("GET /api/v2/recharge-cards/{id}", "/api/v2/recharge-cards/$card", 200).has(&["/data/status", "/data/distributor"]),
    of("POST /api/v2/recharge-cards/redeem", "/api/v2/recharge-cards/redeem", 200)
        .body(r#"{"code": "$card_code", "customer_id": $customer}"#)
        .has(&["/data/expires_at"]),
    of("POST /api/v2/staff/{id}/hand-in", "/api/v2/staff/$shop/hand-in", 201)
        .body(r#"{"amount": 1350, "reference": "R-8"}"#)
        .has(&["/data/cash_held"]),
    of("POST /api/v2/staff", "/api/v2/staff", 201)
        .body(r#"{"name": "Nadia", "email": "nadia@example.com", "role": "noc"}"#)
        .has(&["/data/id"])
        .keeps("person"),
    of("GET /api/v2/staff/{id}", "/api/v2/staff/$person", 200)
        .has(&["/data/id"]),
    of("PUT /api/v2/staff/{id}", "/api/v2/staff/$person", 200)
        .body(r#"{"phone": "01712345672"}"#)
        .has(&["/data/id"]),
    of("POST /api/v2/staff/{id}/suspend", "/api/v2/staff/$person/suspend", 200)
        .has(&["/data"]),
    of("POST /api/v2/staff/{id}/activate", "/api/v2/staff/$person/activate", 200)
        .has(&["/data"]),
    of("POST /api/v2/staff", "/api/v2/staff", 201)
        .body(r#"{"name": "Sarah Wambui", "email": "sarah@example.com", "role": "salesperson"}"#)
        .keeps("seller"),
    of("PUT /api/v2/staff/{id}/packages", "/api/v2/staff/$seller/packages", 200)
        .body(r#"{"package_ids": [$gold]}"#)
        .has(&["/data/0/price", "/data/0/customer_price"]),
    of("GET /api/v2/staff/{id}/packages", "/api/v2/staff/$seller/packages", 200).has(&["/data/0/package"]),
    of("PUT /api/v2/staff/{id}/prices", "/api/v2/staff/$seller/prices", 200)
        .body(r#"{"package_id": $gold, "price": 900}"#)
        .has(&["/data/price", "/data/customer_price"]),
    of("POST /api/v2/staff/{id}/fund", "/api/v2/staff/$seller/fund", 201)
        .body(r#"{"amount": 5000, "method": "bank", "reference": "R-7"}"#)
        .has(&["/data/balance"]),
    of("GET /api/v2/staff/{id}/ledger", "/api/v2/staff/$seller/ledger", 200).has(&["/data/0/amount"]),
    // Private networks.
    of("PUT /api/v2/vpn/server", "/api/v2/vpn/server", 200)
        .body(r#"{"endpoint": "vpn.example.com"}"#)
        .has(&["/data/endpoint"]),
    of("GET /api/v2/vpn/server", "/api/v2/vpn/server", 200).has(&["/data/endpoint"]),
    of("POST /api/v2/vpn/accounts", "/api/v2/vpn/accounts", 201)
        .body(r#"{"name": "Field laptop", "protocol": "wireguard"}"#)
        .has(&["/data/address"])
        .keeps("vpn"),
    of("GET /api/v2/vpn/accounts/{id}", "/api/v2/vpn/accounts/$vpn", 200).has(&["/data/name"]),
    of("PUT /api/v2/vpn/accounts/{id}", "/api/v2/vpn/accounts/$vpn", 200)
        .body(r#"{"name": "Field laptop, old"}"#)
        .has(&["/data/name"]),
    of("GET /api/v2/vpn/accounts/{id}/config", "/api/v2/vpn/accounts/$vpn/config", 200),
    of("GET /api/v1/vpn/accounts/{id}/config", "/api/v1/vpn/accounts/$vpn/config", 200),
    of("GET /api/v2/vpn/server/config", "/api/v2/vpn/server/config?protocol=wireguard", 200),
    of("DELETE /api/v2/vpn/accounts/{id}", "/api/v2/vpn/accounts/$vpn", 204),
    // Home: fair use, and why.
    of("POST /api/v2/bandwidths", "/api/v2/bandwidths", 201)
        .body(r#"{"name": "2 Mbps, fair use", "download_kbps": 2000, "upload_kbps": 2000}"#)
        .keeps("slow"),
    of("POST /api/v2/fup-templates", "/api/v2/fup-templates", 201)
        .body(r#"{"name": "100 GB a month", "tiers": [{"after_bytes": 100000000000, "bandwidth_id": $slow}]}"#)
        .has(&["/data/tiers/0", "/data/reset"])
        .keeps("fair"),
    of("GET /api/v2/fup-templates", "/api/v2/fup-templates", 200).has(&["/data/0/name", "/meta/total"]),
    of("GET /api/v2/fup-templates/{id}", "/api/v2/fup-templates/$fair", 200).has(&["/data/name"]),
    of("PUT /api/v2/fup-templates/{id}", "/api/v2/fup-templates/$fair", 200)
        .body(r#"{"name": "50 GB a month", "tiers": [{"after_bytes": 50000000000, "bandwidth_id": $slow}]}"#)
        .has(&["/data/tiers/0"]),
    of("PUT /api/v2/packages/{id}/fup", "/api/v2/packages/$gold/fup", 200).body(r#"{"template_id": $fair}"#),
    of("PUT /api/v2/customers/{id}/fup", "/api/v2/customers/$customer/fup", 200).body(r#"{"exempt": true}"#),
    of("DELETE /api/v2/customers/{id}/fup", "/api/v2/customers/$customer/fup", 204),
    of("GET /api/v2/customers/{id}/fup", "/api/v2/customers/$customer/fup", 200).has(&["/data"]),
    of("GET /api/v2/customers/{id}/fup/preview", "/api/v2/customers/$customer/fup/preview?down_per_day=5000000000", 200)
        .has(&["/data"]),
    of("GET /api/v2/customers/{id}/why", "/api/v2/customers/$customer/why", 200).has(&["/data/facts/0/text"]),
    of("PUT /api/v2/packages/{id}/fup", "/api/v2/packages/$gold/fup", 200).body(r#"{"template_id": null}"#),
    of("DELETE /api/v2/fup-templates/{id}", "/api/v2/fup-templates/$fair", 204),
    // Last: the token ends.
    of("POST /api/v2/auth/revoke", "/api/v2/auth/revoke", 204),
];
