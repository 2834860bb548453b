//! The dialect through its router, over a database in memory and a clock moved by hand.

#[path = "../examples/serve/seed.rs"]
#[allow(dead_code)]
mod seed;

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{Request, header::CONTENT_TYPE},
};
use domain::{CustomerId, Instant, kernel::clock::DAY};
use doors::{Dispatch, Gate, listen::PublicUrl};
use parking_lot::Mutex;
use serde_json::{Value, json};
use service::{
    Actor, App, Clock, Db, Location, Vault,
    identity::clients::{self, NewClient, Tier},
    messages::queue,
    sales::vouchers,
};
use tower::ServiceExt;

/// 2030-01-15T09:00:00Z, noon in Nairobi.
const NOW: Instant = Instant(1_894_698_000_000_000);

/// The demo data behind a router, with the calls that succeeded.
struct Api {
    app: App,
    gate: Gate,
    router: Router,
    isp: Actor,
    key: String,
    other_key: String,
    succeeded: Arc<Mutex<BTreeSet<String>>>,
}

#[derive(Debug)]
struct Came {
    status: u16,
    body: Value,
    headers: axum::http::HeaderMap,
}

impl Came {
    #[track_caller]
    fn is(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.body["success"], status < 400, "{}", self.body);
        if status >= 400 {
            let told = |name: &str| self.body[name].as_str().is_some_and(|text| !text.is_empty());
            assert!(told("message") && told("code") && told("timestamp"), "{}", self.body);
        }
        self.body
    }
}

impl Api {
    async fn new() -> Api {
        Api::on(&Location::Memory).await
    }

    async fn on(location: &Location) -> Api {
        let db = Db::open(location).await.unwrap();
        db.migrate().await.unwrap();
        let app = App::new(db, Clock::manual(NOW.plus(-40 * DAY)), Vault::ephemeral(), "test");
        let seeded = seed::seed(&app, NOW).await.unwrap();
        let isp = Actor::system(app.tenants().await.unwrap()[0].isp.isp_id);
        let gate = Gate::default();
        let dialect = alternet::dialect(app.clone(), gate.clone(), doors::Log::default());
        let router = Dispatch::new(app.clock.clone()).with(dialect).router();
        let (key, other_key) = (seeded.api_key, seeded.other_key);
        Api { app, gate, router, isp, key, other_key, succeeded: Arc::default() }
    }

    async fn client(&self, tier: Tier, branch: Option<domain::BranchId>) -> String {
        let command = NewClient { dialect: "alternet", name: "t".into(), branch, tier, sandbox: false, secret: None };
        clients::create(&self.app, &self.isp, command).await.unwrap().secret
    }

    async fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Came {
        let mut request = Request::builder().method(method).uri(path).header("host", "evil.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::from(body)).unwrap();
        request.extensions_mut().insert(PublicUrl("http://isp.example".into()));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("{method} {path}: {bytes:?}"));
        let status = parts.status.as_u16();
        if status < 300 {
            let plain = path.split('?').next().unwrap_or_default();
            let row = alternet::ROUTES.iter().filter(|row| row.method == method && row.matches(plain));
            // Static rows win over parameters, as in the router.
            let row = row.min_by_key(|row| row.path.matches('{').count());
            self.succeeded.lock().extend(row.map(|row| format!("{} {}", row.method, row.path)));
        }
        Came { status, body, headers: parts.headers }
    }

    async fn with(&self, key: &str, method: &str, path: &str, body: Value) -> Came {
        let text = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.raw(method, path, &[("x-api-key", key), (CONTENT_TYPE.as_str(), "application/json")], text).await
    }

    async fn get(&self, path: &str) -> Came {
        self.with(&self.key, "GET", path, Value::Null).await
    }

    async fn post(&self, path: &str, body: Value) -> Came {
        self.with(&self.key, "POST", path, body).await
    }

    async fn first(&self, path: &str) -> i64 {
        let body = self.get(path).await.is(200);
        let list = if body["data"].is_array() { &body["data"] } else { &body["data"]["data"] };
        list[0]["id"].as_i64().unwrap()
    }

    async fn customer(&self, name: &str) -> i64 {
        let body = json!({
            "fullname": name, "phonenumber": "0758877699", "service_type": "PPPoE", "password": "123456",
            "plan_id": self.first("/api/v1/plans?service_type=PPPoE").await,
            "router_id": self.first("/api/v1/routers").await,
            "pppoe_username": name, "pppoe_password": "123456",
        });
        self.post("/api/v1/customers", body).await.is(201)["data"]["customer_id"].as_i64().unwrap()
    }
}

#[tokio::test]
async fn every_documented_call_does_what_it_says() {
    story(Api::new().await).await;
}

/// The lists' conditions are put together at run time, so no other test prepares them there.
#[tokio::test]
async fn every_documented_call_does_so_on_postgresql() {
    let Some(server) = store::testing::postgres() else { return println!("skipped: no PostgreSQL here") };
    let location = Location::Postgres(server.database("alternet"));
    story(Api::on(&location).await).await;
    codes_run_out(Api::on(&Location::Postgres(server.database("vouchers"))).await).await;
}

async fn story(api: Api) {
    let (plan, router) = (api.first("/api/v1/plans?service_type=PPPoE").await, api.first("/api/v1/routers").await);
    let pool = api.first("/api/v1/pools").await;

    let bandwidth = json!({ "name_bw": "10Mbps Business", "rate_down": 10, "rate_down_unit": "Mbps", "rate_up": 1.5,
                            "rate_up_unit": "Mbps" });
    let bandwidth = api.post("/api/v1/bandwidths", bandwidth).await.is(201)["data"].clone();
    assert_eq!(bandwidth["created_at"], "2030-01-15 12:00:00");
    let path = format!("/api/v1/bandwidths/{}", bandwidth["id"]);
    let changed = json!({ "rate_down": 15, "rate_up_unit": "Kbps", "rate_up": "512" });
    let changed = api.with(&api.key, "PUT", &path, changed).await.is(200);
    assert_eq!((&changed["data"]["rate_down"], &changed["data"]["rate_down_unit"]), (&json!(15), &json!("Mbps")));
    assert_eq!((&changed["data"]["rate_up"], &changed["data"]["rate_up_unit"]), (&json!(512), &json!("Kbps")));

    let business = json!({ "name_plan": "Business 50Mbps", "type": "pppoe", "id_bw": bandwidth["id"], "price": 5000.50,
                           "validity": 30, "validity_unit": "Days", "router_id": router, "pool": pool,
                           "typebp": "Unlimited", "shared_users": 5, "enabled": true });
    let made = api.post("/api/v1/plans", business).await.is(201)["data"].clone();
    assert_eq!(made["price"], 5000.5);
    assert_eq!((&made["type"], &made["validity"]), (&json!("PPPoE"), &json!("30 Days")));
    let path = format!("/api/v1/plans/{}", made["plan_id"]);
    assert_eq!(
        api.with(&api.key, "DELETE", &format!("/api/v1/bandwidths/{}", bandwidth["id"]), Value::Null).await.is(400)["code"],
        "BW_IN_USE"
    );
    let limited = api.with(&api.key, "PUT", &path, json!({ "typebp": "Limited" })).await.is(400);
    assert!(limited["errors"]["limit_type"].is_array(), "{limited}");
    let pro = json!({ "name_plan": "Pro", "price": 1800.00, "typebp": "Limited", "limit_type": "Data_Limit",
                      "data_limit": 5, "data_unit": "GB", "display_publicly": false });
    let pro = api.with(&api.key, "PUT", &path, pro).await.is(200)["data"].clone();
    assert_eq!((&pro["price"], &pro["enabled"], &pro["typebp"]), (&json!(1800), &json!(true), &json!("Limited")));
    let copy =
        api.post(&format!("{path}/duplicate"), json!({ "new_name": "Pro 2", "router_id": router })).await.is(201);
    api.post(&format!("{path}/sync"), Value::Null).await.is(200);
    let copied = format!("/api/v1/plans/{}", copy["data"]["new_plan_id"]);
    api.with(&api.key, "DELETE", &copied, Value::Null).await.is(200);
    api.with(&api.key, "DELETE", &copied, Value::Null).await.is(404);

    let id = api.customer("KlybenB").await;
    let path = format!("/api/v1/customers/{id}");
    let shown = api.get(&path).await.is(200)["data"].clone();
    assert_eq!(shown["username"], "AB0758877699");
    assert_eq!(shown["created_at"], "2030-01-15T09:00:00.000000Z");
    assert_eq!(shown["active_packages"][0]["recharged_on"], "2030-01-15");
    assert_eq!(shown["active_packages"][0]["expiration"], "2030-04-15");
    assert_eq!(shown["transactions"][0]["amount"], 1000);
    api.with(&api.key, "DELETE", &format!("/api/v1/plans/{plan}"), Value::Null).await.is(400);

    let receipt = api.post(&format!("{path}/recharge"), json!({ "send_sms": true })).await.is(200)["data"].clone();
    assert_eq!(receipt["new_expiration"], "2030-07-15");
    let sms = queue::queued(&api.app, &api.isp, 10).await.unwrap();
    assert_eq!((sms.len(), sms[0].recipient.as_str()), (1, "0758877699"));
    assert!(sms[0].body.contains("KES 1000.00") && sms[0].body.contains("2030-07-15"), "{}", sms[0].body);
    let many = json!({ "customer_ids": [id, id, 999_999_999], "add_transaction": "no" });
    let many = api.post("/api/v1/customers/bulk/recharge", many).await.is(200)["data"].clone();
    assert_eq!((&many["recharged"], &many["failed"]), (&json!(1), &json!(1)));
    assert_eq!(many["results"][0]["new_expiration"], "2030-10-15");
    assert_eq!(many["results"][1]["code"], "CUST_404");
    let payments = api.get(&format!("/api/v1/transactions?customer_id={id}&type=Recharge")).await.is(200);
    assert_eq!(payments["data"]["total"], 2);
    assert_eq!(payments["data"]["summary"]["total_amount"], "2000.00");
    assert_eq!(payments["data"]["summary"]["today_amount"], 2000);

    for (call, body, status) in [
        ("suspend", json!({ "notes": "Suspended via ERP system" }), "Deactivated"),
        ("activate", Value::Null, "Active"),
    ] {
        api.post(&format!("{path}/{call}"), body).await.is(200);
        assert_eq!(api.get(&path).await.is(200)["data"]["status"], status);
    }
    let changes = json!({ "fullname": "Klyben B", "email": null, "mac_address": "d4ca.6d9b.4501", "status": "Inactive",
                          "pppoe_ip": "192.168.89.239", "service_type": "PPPoE", "username": "AB07", "plan_id": plan,
                          "router_id": router });
    api.with(&api.key, "PUT", &path, changes).await.is(200);
    let shown = api.get(&path).await.is(200)["data"].clone();
    let fields = ["fullname", "mac_address", "status", "pppoe_ip", "username", "pppoe_username"];
    let told = fields.map(|field| shown[field].as_str().unwrap_or("null"));
    assert_eq!(told, ["Klyben B", "D4:CA:6D:9B:45:01", "Inactive", "192.168.89.239", "AB07", "KlybenB"]);
    let expiry = json!({ "status": "Expired" });
    assert!(api.with(&api.key, "PUT", &path, expiry).await.is(400)["errors"]["status"].is_array());
    api.with(&api.key, "DELETE", &path, Value::Null).await.is(200);
    assert_eq!(api.get(&path).await.is(404)["code"], "CUST_404");

    let hotspot = api.first("/api/v1/plans?service_type=Hotspot").await;
    let wanted = json!({ "type": "Hotspot", "router_id": router, "plan_id": hotspot, "numbervoucher": 10,
                         "voucher_format": "rand", "lengthcode": 8, "clientsCount": 2, "customer_id": null });
    let made = api.post("/api/v1/vouchers", wanted).await.is(201);
    assert_eq!(made["message"], "10 voucher(s) generated successfully");
    let ids: Vec<i64> =
        made["data"]["vouchers"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect();
    api.with(&api.key, "DELETE", &format!("/api/v1/vouchers/{}", ids[0]), Value::Null).await.is(200);
    let bulk = "/api/v1/vouchers/bulk/delete";
    let gone = api.with(&api.key, "DELETE", bulk, json!({ "voucher_ids": &ids[..3] })).await.is(200);
    assert_eq!(gone["message"], "2 voucher(s) deleted successfully");
    let asked = format!("{bulk}?voucher_ids[]={}", ids[3]);
    assert_eq!(
        api.with(&api.key, "DELETE", &asked, Value::Null).await.is(200)["message"],
        "1 voucher(s) deleted successfully"
    );
    let used = api.get("/api/v1/vouchers?status=1").await.is(200);
    assert_eq!((&used["data"]["total"], &used["data"]["data"][0]["status"]), (&json!(5), &json!("1")));
    assert!(used["data"]["data"][0]["client"].is_string());

    let log = api.get("/api/v1/hotspot-access-logs?type=accessed").await.is(200);
    assert_eq!((&log["data"]["total"], &log["statistics"]["total"]), (&json!(5), &json!(5)));
    assert_eq!(log["statistics"]["triggered_payment"], 4);
    assert_eq!(log["date_range"], json!({ "from": "2030-01-15", "to": "2030-01-15" }));

    let fresh = json!({ "name_bw": "Spare", "rate_down": 1, "rate_down_unit": "Mbps", "rate_up": 1,
                        "rate_up_unit": "Mbps" });
    let fresh = api.post("/api/v1/bandwidths", fresh).await.is(201)["data"]["id"].clone();
    api.with(&api.key, "DELETE", &format!("/api/v1/bandwidths/{fresh}"), Value::Null).await.is(200);
    for path in ["/api/v1/customers?status=Expired", "/api/v1/bandwidths"] {
        api.get(path).await.is(200);
    }

    let all: BTreeSet<String> = alternet::ROUTES.iter().map(|row| format!("{} {}", row.method, row.path)).collect();
    let missed: Vec<_> = all.difference(&api.succeeded.lock()).cloned().collect();
    assert!(missed.is_empty(), "no example of {missed:?}");
}

#[tokio::test]
async fn no_route_escapes_the_key() {
    let api = Api::new().await;
    let stranger = [("x-api-key", "wrong")];
    for row in alternet::ROUTES {
        let path = row.path.replace("{id}", "1");
        for headers in [&stranger[..], &[]] {
            let came = api.raw(row.method, &path, headers, b"{".to_vec()).await;
            assert_eq!(came.is(401)["code"], "AUTH_001", "{} {path}", row.method);
        }
        let prefixed = api.raw(row.method, &format!("/alternet{path}"), &stranger, Vec::new()).await;
        prefixed.is(401);
    }
    for (path, status) in [("/api/v1/nothing", 404), ("/api/v1/customers/1/recharge", 405), ("/api/v1/pools/", 404)] {
        api.raw("GET", path, &[], Vec::new()).await.is(401);
        api.get(path).await.is(status);
    }
}

#[tokio::test]
async fn what_strangers_send_is_refused_in_the_vendors_form() {
    let api = Api::new().await;
    let id = api.customer("target").await;
    let deep = format!("{{\"fullname\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let wide = format!("{{\"fullname\":\"{}\"}}", "x".repeat(2 << 20));
    let bodies: Vec<(Vec<u8>, u16)> = vec![
        (b"{".to_vec(), 400),
        (b"[]".to_vec(), 400),
        (b"null".to_vec(), 400),
        (b"7".to_vec(), 400),
        (b"\xff\xfe".to_vec(), 400),
        (b"{\"fullname\": 1e999}".to_vec(), 400),
        (b"{\"fullname\": \"a\\u0000b\", \"name_plan\": \"a\\u0000b\", \"name_bw\": \"\\u0000\"}".to_vec(), 400),
        (b"{\"fullname\": {\"a\": 1}, \"plan_id\": [1], \"price\": {}, \"voucher_ids\": \"1\"}".to_vec(), 400),
        (b"{\"plan_id\": 99999999999999999999999999, \"id_bw\": -1, \"price\": 1e300}".to_vec(), 400),
        (b"{\"customer_ids\": [null], \"voucher_ids\": [[]], \"new_name\": [], \"rate_down\": \"NaN\"}".to_vec(), 400),
        (deep.into_bytes(), 400),
        (wide.into_bytes(), 413),
    ];
    let calls = ["customers", "customers/bulk/recharge", "plans", "bandwidths", "vouchers"];
    let headers = [("x-api-key", api.key.as_str()), ("content-type", "application/json")];
    for call in calls {
        for (body, status) in &bodies {
            let came = api.raw("POST", &format!("/api/v1/{call}"), &headers, body.clone()).await;
            assert_eq!(
                came.status,
                *status,
                "{call} {:?} {}",
                String::from_utf8_lossy(&body[..body.len().min(60)]),
                came.body
            );
            came.is(*status);
        }
    }
    let odd = [
        json!({ "fullname": 7 }),
        json!({ "email": "nobody" }),
        json!({ "pppoe_ip": "300.1.1.1" }),
        json!({ "mac_address": "zz" }),
        json!({ "plan_id": true }),
        json!({ "phonenumber": -5 }),
        json!({ "status": ["Active"] }),
        json!({ "password": "a\u{7}b" }),
        json!({ "router_id": 1.5 }),
        json!({ "plan_id": 999_999_999 }),
        json!({ "username": "AB0711000000" }),
    ];
    for body in odd {
        let came = api.with(&api.key, "PUT", &format!("/api/v1/customers/{id}"), body.clone()).await;
        let errors = came.is(400)["errors"].clone();
        let named: Vec<_> = errors.as_object().unwrap().keys().cloned().collect();
        assert_eq!(named, body.as_object().unwrap().keys().cloned().collect::<Vec<_>>(), "{errors}");
    }
    for query in [
        "per_page=101",
        "per_page=0",
        "page=-1",
        "page=99999999999999999999",
        "status=Sleeping",
        "router_id=x",
        "order_by=password",
        "order_direction=up",
        "search=%00",
        "service_type=Cable",
        "apartment_id=1.5",
    ] {
        api.get(&format!("/api/v1/customers?{query}")).await.is(400);
    }
    let told = api.get("/api/v1/customers?per_page=101&page=0").await.is(400);
    assert_eq!(told["errors"]["per_page"][0], "The per page must not be greater than 100.");
    assert_eq!(told["errors"]["page"][0], "The page must be at least 1.");
    for path in ["transactions?start_date=2026-02-30", "transactions?min_amount=x", "hotspot-access-logs?from_date=1"] {
        api.get(&format!("/api/v1/{path}")).await.is(400);
    }
    for path in ["customers/0", "customers/-1", "customers/x", "customers/99999999999999999999", "customers/%00"] {
        assert_eq!(api.get(&format!("/api/v1/{path}")).await.is(404)["code"], "CUST_404");
    }
    api.get("/api/v1/customers?page=1&page=2&per_page=5&search=%25").await.is(200);
    api.get("/api/v1/customers?page=1000000000&per_page=100").await.is(200);
    let xml = [("x-api-key", api.key.as_str()), ("content-type", "text/xml")];
    api.raw("POST", "/api/v1/bandwidths", &xml, b"<a/>".to_vec()).await.is(400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_minute_counts_exactly_under_parallel_clients() {
    let api = Arc::new(Api::new().await);
    let key = Arc::new(api.client(Tier::Professional, None).await);
    let calls = (0..8).map(|_| {
        let (api, key) = (api.clone(), key.clone());
        tokio::spawn(async move {
            let mut granted = 0;
            for _ in 0..60 {
                let came = api.with(&key, "GET", "/api/v1/pools", Value::Null).await;
                match came.status {
                    200 => granted += 1,
                    _ => assert_eq!(came.is(429)["code"], "RATE_001"),
                }
            }
            granted
        })
    });
    let mut granted = 0;
    for call in calls.collect::<Vec<_>>() {
        granted += call.await.unwrap();
    }
    assert_eq!(granted, 300);
    let refused = api.with(&key, "GET", "/api/v1/pools", Value::Null).await;
    assert_eq!(refused.headers["retry-after"], "60");
    let refused = refused.is(429);
    assert_eq!(refused["message"], "Rate limit exceeded. Please wait 60 seconds.");
    assert_eq!(refused["retry_after"], 60);
    api.get("/api/v1/pools").await.is(200);
    api.app.clock.pass(60_000_000);
    api.with(&key, "GET", "/api/v1/pools", Value::Null).await.is(200);
}

#[tokio::test]
async fn the_free_tier_reads_a_hundred_times_a_month_even_over_a_restart() {
    let mut api = Api::new().await;
    let key = api.client(Tier::Free, None).await;
    let read = async |api: &Api| api.with(&key, "GET", "/api/v1/pools", Value::Null).await.status;
    let write = api.with(&key, "POST", "/api/v1/bandwidths", json!({})).await.is(403);
    assert_eq!(write["code"], "PERM_001");
    for _ in 1..60 {
        assert_eq!(read(&api).await, 200);
    }
    assert_eq!(read(&api).await, 429);
    api.gate.write(&api.app).await.unwrap();
    api.router = alternet::router(api.app.clone(), Gate::default(), doors::Log::default());
    // The minute's room is the core's, which goes on here.
    const MINUTE_S: i64 = 60;
    api.app.clock.pass(MINUTE_S * 1_000_000);
    for _ in 60..100 {
        assert_eq!(read(&api).await, 200);
    }
    let refused = api.with(&key, "GET", "/api/v1/pools", Value::Null).await.is(429);
    assert_eq!(refused["code"], "RATE_001");
    // From noon on the 15th to the first of February, local time.
    assert_eq!(refused["retry_after"], 16 * 86_400 + 12 * 3600 - MINUTE_S);
    api.app.clock.pass((16 * 86_400 + 12 * 3600 - MINUTE_S) * 1_000_000);
    assert_eq!(read(&api).await, 200);
}

#[tokio::test]
async fn a_repeated_write_gets_its_first_answer() {
    let api = Api::new().await;
    let id = api.customer("repeat").await;
    let send = async |key: &str, path: &str, body: Value| {
        let headers = [("x-api-key", api.key.as_str()), ("content-type", "application/json"), ("idempotency-key", key)];
        api.raw("POST", path, &headers, body.to_string().into_bytes()).await
    };
    let recharge = format!("/api/v1/customers/{id}/recharge");
    let first = send("one", &recharge, json!({})).await.is(200);
    let again = send("one", &recharge, json!({})).await;
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(again.is(200), first);
    assert_eq!(send("one", &recharge, json!({ "send_sms": true })).await.is(409)["code"], "IDEMPOTENCY_409");
    let later = send("two", &recharge, json!({})).await.is(200);
    assert_ne!(later["data"]["new_expiration"], first["data"]["new_expiration"]);
    let payments = api.get(&format!("/api/v1/transactions?customer_id={id}")).await.is(200);
    assert_eq!(payments["data"]["total"], 3);

    // Refusals are not kept, and a write without a core key of its own is answered again too.
    let bandwidth = json!({ "name_bw": "Once", "rate_down": 1, "rate_down_unit": "Mbps", "rate_up": 1,
                            "rate_up_unit": "Mbps" });
    send("three", "/api/v1/bandwidths", json!({})).await.is(400);
    let made = send("four", "/api/v1/bandwidths", bandwidth.clone()).await.is(201);
    assert_eq!(send("four", "/api/v1/bandwidths", bandwidth).await.is(201), made);
    send(&"x".repeat(256), "/api/v1/bandwidths", json!({})).await.is(400);
}

#[tokio::test]
async fn another_tenants_rows_do_not_exist_and_another_branchs_are_forbidden() {
    let api = Api::new().await;
    let id = api.customer("mine").await;
    let (plan, bandwidth) = (api.first("/api/v1/plans").await, api.first("/api/v1/bandwidths").await);
    let voucher = api.first("/api/v1/vouchers").await;
    let calls = [
        ("GET", format!("customers/{id}"), "CUST_404"),
        ("PUT", format!("customers/{id}"), "CUST_404"),
        ("DELETE", format!("customers/{id}"), "CUST_404"),
        ("POST", format!("customers/{id}/recharge"), "CUST_404"),
        ("POST", format!("customers/{id}/suspend"), "CUST_404"),
        ("POST", format!("customers/{id}/activate"), "CUST_404"),
        ("PUT", format!("bandwidths/{bandwidth}"), "BW_404"),
        ("DELETE", format!("bandwidths/{bandwidth}"), "BW_404"),
        ("PUT", format!("plans/{plan}"), "PLAN_404"),
        ("DELETE", format!("plans/{plan}"), "PLAN_404"),
        ("POST", format!("plans/{plan}/sync"), "PLAN_404"),
        ("DELETE", format!("vouchers/{voucher}"), "VOUCH_404"),
    ];
    for (method, path, code) in &calls {
        let came = api.with(&api.other_key, method, &format!("/api/v1/{path}"), json!({})).await;
        assert_eq!(came.is(404)["code"], *code, "{method} {path}");
    }
    let copy = format!("/api/v1/plans/{plan}/duplicate");
    api.with(&api.other_key, "POST", &copy, json!({ "new_name": "x" })).await.is(404);
    for list in ["customers", "vouchers", "transactions"] {
        let came = api.with(&api.other_key, "GET", &format!("/api/v1/{list}"), Value::Null).await.is(200);
        assert_eq!(came["data"]["total"], 0, "{list}");
    }
    for list in ["plans", "bandwidths", "pools", "routers"] {
        let came = api.with(&api.other_key, "GET", &format!("/api/v1/{list}"), Value::Null).await.is(200);
        assert_eq!(came["data"], json!([]), "{list}");
    }

    let branch = api.client(Tier::Enterprise, Some(domain::BranchId(77))).await;
    for (method, path, _) in calls.iter().filter(|(_, path, _)| path.starts_with("customers")) {
        let came = api.with(&branch, method, &format!("/api/v1/{path}"), json!({})).await;
        assert_eq!(came.is(403)["code"], "PERM_001", "{method} {path}");
    }
    let theirs = api.with(&branch, "GET", "/api/v1/transactions", Value::Null).await.is(200);
    assert_eq!(theirs["data"]["total"], 0);
}

#[tokio::test]
async fn vouchers_serve_so_many_clients_and_codes_run_out() {
    codes_run_out(Api::new().await).await;
}

async fn codes_run_out(api: Api) {
    let (router, plan) = (api.first("/api/v1/routers").await, api.first("/api/v1/plans?service_type=Hotspot").await);
    let order = |count: i64, clients: i64| {
        json!({ "type": "PPPOE", "router_id": router, "plan_id": plan, "numbervoucher": count,
                "voucher_format": "numbers", "lengthcode": 2, "clientsCount": clients })
    };
    let made = api.post("/api/v1/vouchers", order(98, 2)).await.is(201);
    let refused = api.post("/api/v1/vouchers", order(3, 1)).await.is(400);
    assert!(refused["errors"]["lengthcode"].is_array(), "{refused}");
    api.post("/api/v1/vouchers", order(2, 1)).await.is(201);

    let code = made["data"]["vouchers"][0]["code"].as_str().unwrap().to_string();
    for (name, works) in [("one", true), ("two", true), ("three", false)] {
        let owner = CustomerId(api.customer(name).await);
        assert_eq!(vouchers::redeem(&api.app, &api.isp, code.clone(), owner, None).await.is_ok(), works, "{name}");
        let listed = api.get(&format!("/api/v1/vouchers?search={code}&type=PPPOE")).await.is(200);
        let row = listed["data"]["data"][0].clone();
        assert_eq!(row["status"], if name == "one" { "0" } else { "1" });
        assert_eq!(row["type"], "PPPoE");
    }
}

/// Months and money at their limits stay dates and amounts; what has ended is sold anew, not switched on.
#[tokio::test]
async fn limits_hold_and_an_ended_period_is_not_activated() {
    let api = Api::new().await;
    let id = api.customer("edge").await;
    let path = format!("/api/v1/customers/{id}");
    let plan = json!({
        "name_plan": "For ever", "type": "PPPoE", "id_bw": api.first("/api/v1/bandwidths").await, "price": 99_999_999_999.99_f64,
        "validity": 420, "validity_unit": "Months", "router_id": api.first("/api/v1/routers").await,
        "pool": api.first("/api/v1/pools").await,
    });
    let plan = api.post("/api/v1/plans", plan).await.is(201)["data"].clone();
    assert_eq!(plan["price"], 99_999_999_999.99_f64);
    for year in ["2065", "2100"] {
        let sold = api.post(&format!("{path}/recharge"), json!({ "plan_id": plan["plan_id"] })).await.is(200);
        assert!(sold["data"]["new_expiration"].as_str().unwrap().starts_with(year), "{sold}");
    }
    // no time is left that could be sold: dates go to 2100
    api.post(&format!("{path}/recharge"), json!({ "plan_id": plan["plan_id"] })).await.is(400);
    api.get(&path).await.is(200);

    let plans = api.get("/api/v1/plans?service_type=Hotspot").await.is(200)["data"].clone();
    let week = plans.as_array().unwrap().iter().find(|plan| plan["validity"] == 7).unwrap()["id"].clone();
    let week = json!({ "plan_id": week });
    api.post(&format!("{path}/recharge"), week).await.is(200);
    api.app.clock.pass(8 * DAY);
    assert_eq!(api.get(&path).await.is(200)["data"]["status"], "Expired");
    assert_eq!(api.get(&path).await.is(200)["data"]["active_packages"][0]["status"], "off");
    assert_eq!(api.post(&format!("{path}/activate"), json!({})).await.is(400)["code"], "STATE_001");
    let refused = api.with(&api.key, "PUT", &path, json!({ "status": "Active", "address": "Nairobi" })).await.is(400);
    assert!(refused["errors"]["status"].is_array(), "{refused}");
    api.with(&api.key, "PUT", &path, json!({ "address": "Nairobi" })).await.is(200);
    api.post(&format!("{path}/suspend"), json!({})).await.is(200);
    assert_eq!(api.post(&format!("{path}/activate"), json!({})).await.is(400)["code"], "STATE_001");
    api.post(&format!("{path}/recharge"), json!({})).await.is(200);
    assert_eq!(api.get(&path).await.is(200)["data"]["status"], "Active");
}

/// Eight callers at once: one sale for one key, one holder for one name.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_repeats_sell_once_and_a_name_has_one_holder() {
    let api = Arc::new(Api::new().await);
    let id = api.customer("crowd").await;
    let bandwidth = json!({ "name_bw": "Race", "rate_down": 1, "rate_down_unit": "Mbps", "rate_up": 1,
                            "rate_up_unit": "Mbps" });
    let calls = (0..8).map(|_| {
        let (api, bandwidth) = (api.clone(), bandwidth.clone());
        tokio::spawn(async move {
            let key = ("idempotency-key", "crowd");
            let headers = [("x-api-key", api.key.as_str()), ("content-type", "application/json"), key];
            let sold = api.raw("POST", &format!("/api/v1/customers/{id}/recharge"), &headers, b"{}".to_vec()).await;
            let named = api.post("/api/v1/bandwidths", bandwidth).await.status;
            (sold.is(200)["data"]["new_expiration"].to_string(), named)
        })
    });
    let mut expirations = BTreeSet::new();
    let mut named = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        let (expiration, status) = call.await.unwrap();
        expirations.insert(expiration);
        named.push(status);
    }
    named.sort_unstable();
    assert_eq!(expirations.len(), 1);
    assert_eq!(named, [201, 400, 400, 400, 400, 400, 400, 400]);
    let payments = api.get(&format!("/api/v1/transactions?customer_id={id}")).await.is(200);
    assert_eq!(payments["data"]["total"], 2);
}

#[tokio::test]
async fn pages_name_themselves_under_every_address() {
    let api = Api::new().await;
    let page = api.get("/alternet/api/v1/customers?page=2&per_page=7&service_type=PPPoE").await;
    let data = page.is(200)["data"].clone();
    let base = "http://isp.example/alternet/api/v1/customers";
    assert_eq!(data["path"], base);
    assert_eq!(data["prev_page_url"], format!("{base}?per_page=7&service_type=PPPoE&page=1"));
    assert_eq!((&data["from"], &data["to"], &data["total"]), (&json!(8), &json!(12), &json!(12)));
    let beyond = api.get("/api/v1/customers?page=9").await.is(200)["data"].clone();
    assert_eq!((&beyond["from"], &beyond["data"], &beyond["last_page"]), (&Value::Null, &json!([]), &json!(1)));
}
