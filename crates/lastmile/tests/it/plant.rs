//! The plant over HTTP: what is kept of equipment, whom the VPN lets in, what the logs and dashboards say.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, header},
};
use domain::BranchId;
use doors::{Dispatch, Gate, Log};
use serde_json::{Value, json};
use service::{
    Actor, App, Who,
    customers::customers,
    identity::{
        clients::{self, NewOauthClient, Tier},
        tenants, tokens,
    },
    plant::{
        self, onus,
        vpn::{self, NewAccount},
    },
    reports::dashboard,
};
use tower::ServiceExt;

use crate::{
    app::{TestApp, days, isp, seconds},
    both,
    nas::{login, started},
};

both!(
    equipment_is_kept,
    wrong_equipment_is_told,
    another_provider_sees_nothing,
    vpn_addresses_are_given_once,
    a_configuration_is_taken_and_noted,
    logs_say_what_happened,
    figures,
    a_branch_sees_its_own,
    parts_of_the_program,
);

/// Version 2 behind its door, with a client's credentials.
struct Api {
    app: App,
    router: Router,
    client: clients::IssuedOauthClient,
}

#[derive(Debug)]
struct Came {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Came {
    #[track_caller]
    fn is(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The fields that an answer says are wrong.
    #[track_caller]
    fn wrong(&self) -> Vec<String> {
        let body = self.is(422);
        assert_eq!(body["error"]["code"], "VALIDATION_ERROR", "{body}");
        body["error"]["details"].as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
    }

    fn tag(&self) -> String {
        self.headers[header::ETAG].to_str().expect("a tag").into()
    }
}

impl Api {
    async fn of(app: &App, actor: &Actor) -> Api {
        let command = NewOauthClient {
            name: "t".into(),
            branch: None,
            tier: Tier::V2HighVolume,
            scopes: None,
            credentials: None,
        };
        let client = clients::create_oauth(app, actor, command).await.expect("a client");
        let dialect = ispbills::v2(app.clone(), Gate::default(), Log::default());
        let router = Dispatch::new(app.clock.clone()).with(dialect).router();
        Api { app: app.clone(), router, client }
    }

    async fn ask(&self, method: &str, path: &str, body: Value, tag: Option<&str>) -> Came {
        // A new token each time: the clock runs faster than they last.
        let Api { app, client, .. } = self;
        let granted = tokens::exchange(app, &client.client_id, &client.client_secret).await.expect("a token");
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v2/{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {}", granted.access));
        if let Some(tag) = tag {
            request = request.header(header::IF_MATCH, tag);
        }
        let body = match body {
            Value::Null => Body::empty(),
            body => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
        };
        let answer = self.router.clone().oneshot(request.body(body).expect("a request")).await.expect("an answer");
        let (parts, body) = answer.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        Came {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    async fn get(&self, path: &str) -> Came {
        self.ask("GET", path, Value::Null, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Came {
        self.ask("POST", path, body, None).await
    }

    async fn put(&self, path: &str, body: Value) -> Came {
        self.ask("PUT", path, body, None).await
    }

    async fn delete(&self, path: &str) -> Came {
        self.ask("DELETE", path, Value::Null, None).await
    }
}

fn olt(name: &str) -> Value {
    json!({ "name": name, "vendor": "huawei", "address": "10.5.0.2", "snmp_community": "geheim", "pon_ports": 4 })
}

fn onu(olt: &Value, n: i64) -> Value {
    json!({ "olt_id": olt, "serial": format!("HWTC{n:08}"), "pon_port": 1, "onu_number": n })
}

async fn equipment_is_kept(app: TestApp) {
    let api = Api::of(&app.app, &app.actor).await;
    let ali = app.customer("ali", app.gold).await;

    let made = api.post("network/olts", olt("Central")).await;
    let tag = made.tag();
    let made = made.is(201)["data"].clone();
    assert_eq!(
        (&made["status"], &made["snmp_community_set"], &made["snmp_port"]),
        (&json!("unknown"), &json!(true), &json!(161))
    );
    assert!(!made.to_string().contains("geheim"));
    let path = format!("network/olts/{}", made["id"]);
    let shown = api.get(&path).await;
    assert_eq!((shown.is(200)["data"].clone(), shown.tag()), (made.clone(), tag.clone()));

    // who has read an older one does not write over a newer one
    app.app.clock.pass(seconds(5));
    let changed = api.ask("PUT", &path, json!({ "status": "up" }), Some(&tag)).await;
    assert_eq!(changed.is(200)["data"]["status"], "up");
    assert_ne!(changed.tag(), tag);
    api.ask("PUT", &path, json!({ "name": "X" }), Some(&tag)).await.is(412);
    api.ask("DELETE", &path, Value::Null, Some(&tag)).await.is(412);
    assert_eq!(api.get(&path).await.is(200)["data"]["name"], "Central");

    // an ONU at a customer's house
    let mut body = onu(&made["id"], 7);
    body["customer_id"] = json!(ali.customer.0);
    body["rx_power"] = json!(-21.35);
    body["mac"] = json!("aabb.ccdd.eeff");
    let lit = api.post("network/onus", body).await.is(201)["data"].clone();
    assert_eq!(
        (&lit["rx_power"], &lit["mac"], &lit["olt"]),
        (&json!(-21.35), &json!("AA:BB:CC:DD:EE:FF"), &json!("Central"))
    );
    assert_eq!((&lit["customer"], &lit["service_id"]), (&json!("Customer ali"), &json!(ali.service.0)));
    api.post("network/onus", onu(&made["id"], 8)).await.is(201);
    for (query, expected) in [
        ("", 2),
        ("?search=hwtc00000007", 1),
        ("?search=bb:cc", 1),
        ("?search=100%25", 0),
        (&*format!("?customer_id={}", ali.customer), 1),
        (&*format!("?olt_id={}", made["id"]), 2),
        ("?olt_id=999", 0),
        ("?status=down", 0),
        ("?status=unknown&per_page=1&page=2", 2),
    ] {
        let found = api.get(&format!("network/onus{query}")).await.is(200);
        assert_eq!(found["meta"]["total"], expected, "{query} {found}");
    }

    // what is in use stays; what is deleted is gone and its name free
    api.delete(&path).await.is(409);
    for row in api.get("network/onus").await.is(200)["data"].as_array().expect("rows") {
        api.delete(&format!("network/onus/{}", row["id"])).await.is(204);
    }
    api.delete(&path).await.is(204);
    api.get(&path).await.is(404);
    api.delete(&path).await.is(404);
    api.post("network/olts", olt("central")).await.is(201);

    let device = json!({ "name": "Tower", "kind": "ubiquiti", "address": "tower.isp.example" });
    let device = api.post("monitoring/devices", device).await.is(201)["data"].clone();
    let path = format!("monitoring/devices/{}", device["id"]);
    app.app.clock.pass(seconds(60));
    let down = api.put(&path, json!({ "status": "down", "model": "LiteAP" })).await.is(200)["data"].clone();
    assert!(down["status_since"].as_str() > device["status_since"].as_str(), "{down}");
    assert_eq!(api.get("monitoring/devices?kind=ubiquiti&status=down").await.is(200)["meta"]["total"], 1);
    assert_eq!(api.put(&path, json!({ "model": null })).await.is(200)["data"]["model"], Value::Null);
    api.delete(&path).await.is(204);

    let check = json!({ "name": "Gateway", "kind": "ping", "target": "10.0.0.1" });
    let check = api.post("monitoring/status-checks", check).await.is(201)["data"].clone();
    let path = format!("monitoring/status-checks/{}", check["id"]);
    assert_eq!(api.put(&path, json!({ "interval_s": 30 })).await.is(200)["data"]["interval_s"], 30);
    api.put(&path, json!({ "kind": "tcp" })).await.is(422);
    api.delete(&path).await.is(204);

    // and who did it is known
    let log = api.get("monitoring/access-logs?noun=olt&per_page=100").await.is(200);
    let mut did: Vec<&str> =
        log["data"].as_array().expect("rows").iter().filter_map(|row| row["action"].as_str()).collect();
    did.reverse();
    assert_eq!(did, ["created", "opened", "changed", "opened", "deleted", "created"]);
    assert!(log["data"][0]["actor"].as_str().is_some_and(|actor| actor.starts_with("api:")), "{log}");
    let events = app.events().await;
    for kind in ["olt.created", "olt.updated", "olt.deleted", "onu.created", "device.deleted", "status_check.updated"] {
        assert!(events.iter().any(|event| event == kind), "{kind} in {events:?}");
    }
}

async fn wrong_equipment_is_told(app: TestApp) {
    let api = Api::of(&app.app, &app.actor).await;
    let made = api.post("network/olts", olt("Central")).await.is(201)["data"]["id"].clone();
    api.post("network/onus", onu(&made, 1)).await.is(201);
    let with = |mut body: Value, field: &str, value: Value| {
        body[field] = value;
        body
    };
    let check = json!({ "name": "c", "kind": "ping", "target": "10.0.0.1" });
    for (path, body, expected) in [
        ("network/olts", json!({}), &["address", "name", "vendor"][..]),
        ("network/olts", olt(" CENTRAL "), &["name"]),
        ("network/olts", with(olt("b"), "vendor", json!("acme")), &["vendor"]),
        ("network/olts", with(olt("b"), "address", json!("http://x")), &["address"]),
        ("network/olts", with(olt("b"), "snmp_port", json!(70000)), &["snmp_port"]),
        ("network/onus", onu(&json!(999), 9), &["olt_id"]),
        ("network/onus", with(onu(&made, 2), "pon_port", json!(5)), &["pon_port"]),
        ("network/onus", with(onu(&made, 1), "serial", json!("other")), &["onu_number"]),
        ("network/onus", with(onu(&made, 2), "serial", json!("hwtc00000001")), &["serial"]),
        ("network/onus", with(onu(&made, 2), "serial", Value::Null), &["serial"]),
        ("network/onus", with(onu(&made, 2), "customer_id", json!(999)), &["customer_id"]),
        ("network/onus", with(onu(&made, 2), "service_id", json!(999)), &["customer_id"]),
        ("network/onus", with(onu(&made, 2), "rx_power", json!(-1000)), &["rx_power"]),
        ("monitoring/devices", json!({ "name": "d" }), &["address", "kind"]),
        ("monitoring/status-checks", with(check.clone(), "target", json!("10.0.0.1:80")), &["target"]),
        ("monitoring/status-checks", with(check, "interval_s", json!(1)), &["interval_s"]),
        ("vpn/accounts", json!({ "name": "a", "protocol": "pptp" }), &["protocol"]),
        ("vpn/accounts", json!({ "name": "a", "protocol": "openvpn", "username": "../a" }), &["username"]),
    ] {
        assert_eq!(api.post(path, body.clone()).await.wrong(), expected, "{path} {body}");
    }
    // a port that is in use cannot be left out
    let path = format!("network/olts/{made}");
    api.post("network/onus", with(onu(&made, 2), "pon_port", json!(4))).await.is(201);
    assert_eq!(api.put(&path, json!({ "pon_ports": 3 })).await.wrong(), ["pon_ports"]);
    for (body, expected) in [
        (json!({ "endpoint": "vpn.example:51820" }), "endpoint"),
        (json!({ "dns": "dns.example" }), "dns"),
        (json!({ "routes": "everywhere" }), "routes"),
        (json!({ "wireguard_network": "8.8.8.0/24" }), "wireguard_network"),
        (json!({ "openvpn_network": "10.66.1.0/24" }), "openvpn_network"),
    ] {
        assert_eq!(api.put("vpn/server", body.clone()).await.wrong(), [expected], "{body}");
    }
    assert_eq!(api.get("logs/router?from=2030-01-02&to=2030-01-01").await.wrong(), ["to"]);
    for path in
        ["network/olts/0", "network/onus/99", "monitoring/devices/x", "vpn/accounts/99", "vpn/accounts/99/config"]
    {
        api.get(path).await.is(404);
    }
}

async fn another_provider_sees_nothing(app: TestApp) {
    let api = Api::of(&app.app, &app.actor).await;
    let other = tenants::create_isp(&app.app, isp("Other")).await.expect("another provider");
    let theirs = Actor { isp: other.isp, who: Who::Staff(other.owner), branch: None, may_write: true };
    let theirs = Api::of(&app.app, &theirs).await;
    let olt = api.post("network/olts", olt("Central")).await.is(201)["data"]["id"].clone();
    let onu = api.post("network/onus", onu(&olt, 1)).await.is(201)["data"]["id"].clone();
    let device = json!({ "name": "d", "kind": "switch", "address": "10.0.0.1" });
    let device = api.post("monitoring/devices", device).await.is(201)["data"]["id"].clone();
    let check = json!({ "name": "c", "kind": "ping", "target": "10.0.0.1" });
    let check = api.post("monitoring/status-checks", check).await.is(201)["data"]["id"].clone();
    let account = json!({ "name": "a", "protocol": "wireguard" });
    let account = api.post("vpn/accounts", account).await.is(201)["data"]["id"].clone();
    for path in [
        format!("network/olts/{olt}"),
        format!("network/onus/{onu}"),
        format!("monitoring/devices/{device}"),
        format!("monitoring/status-checks/{check}"),
        format!("vpn/accounts/{account}"),
    ] {
        theirs.get(&path).await.is(404);
        theirs.put(&path, json!({ "name": "x" })).await.is(404);
        theirs.delete(&path).await.is(404);
        api.get(&path).await.is(200);
    }
    theirs.get(&format!("vpn/accounts/{account}/config")).await.is(404);
    assert_eq!(
        theirs
            .post(
                "network/onus",
                json!({
                    "olt_id": olt, "serial": "X", "pon_port": 1, "onu_number": 2
                })
            )
            .await
            .wrong(),
        ["olt_id"]
    );
    let access = theirs.get("monitoring/access-logs").await.is(200);
    assert_eq!(access["meta"]["total"], 0, "{access}");
    let key = |server: Value| server["data"]["wireguard_public_key"].as_str().map(str::to_string);
    assert_ne!(key(api.get("vpn/server").await.is(200)), key(theirs.get("vpn/server").await.is(200)));
}

async fn vpn_addresses_are_given_once(app: TestApp) {
    // Twenty at once: nobody gets another's address, and there is one server.
    let all = (0..20).map(|n| {
        let (app, actor) = (app.app.clone(), app.actor.clone());
        tokio::spawn(async move {
            let account =
                NewAccount { protocol: "wireguard", name: format!("peer {n}"), username: None, enabled: true };
            vpn::create(&app, &actor, account).await.expect("an account")
        })
    });
    let mut hosts = Vec::new();
    for one in all.collect::<Vec<_>>() {
        hosts.push(one.await.expect("it ends").account.host);
    }
    hosts.sort_unstable();
    assert_eq!(hosts, (2..22).collect::<Vec<i64>>());

    let api = Api::of(&app.app, &app.actor).await;
    let rows = api.get("vpn/accounts?per_page=100").await.is(200);
    assert_eq!(rows["meta"]["total"], 20);
    let id = |address: &str| {
        let row = rows["data"].as_array()?.iter().find(|row| row["address"] == address)?;
        Some(row["id"].clone())
    };
    // the lowest free one is given again, and a name only while nobody has it
    for address in ["10.66.0.2", "10.66.0.9"] {
        api.delete(&format!("vpn/accounts/{}", id(address).expect("a row"))).await.is(204);
    }
    for expected in ["10.66.0.2", "10.66.0.9", "10.66.0.22"] {
        let body = json!({ "name": "again", "protocol": "wireguard", "username": format!("n{}", &expected[8..]) });
        assert_eq!(api.post("vpn/accounts", body.clone()).await.is(201)["data"]["address"], expected);
        assert_eq!(api.post("vpn/accounts", body).await.wrong(), ["username"]);
    }
    // the other protocol has a network of its own, which ends
    api.put("vpn/server", json!({ "wireguard_network": "10.70.0.0/24" })).await.is(409);
    api.put("vpn/server", json!({ "openvpn_network": "10.70.0.0/29" })).await.is(200);
    for n in 2..7 {
        let body = json!({ "name": format!("o{n}"), "protocol": "openvpn" });
        assert_eq!(api.post("vpn/accounts", body).await.is(201)["data"]["address"], format!("10.70.0.{n}"));
    }
    let full = api.post("vpn/accounts", json!({ "name": "o7", "protocol": "openvpn" })).await.is(422);
    assert!(full["error"]["message"].as_str().is_some_and(|text| text.contains("no free address")), "{full}");
}

async fn a_configuration_is_taken_and_noted(app: TestApp) {
    let api = Api::of(&app.app, &app.actor).await;
    let made = json!({ "name": "North tower", "protocol": "wireguard" });
    let made = api.post("vpn/accounts", made).await.is(201)["data"].clone();
    let path = format!("vpn/accounts/{}", made["id"]);
    // nobody knows yet where the server is, and nothing is made up
    api.get(&format!("{path}/config")).await.is(422);
    api.put("vpn/server", json!({ "endpoint": "vpn.isp.example", "dns": "10.66.0.1" })).await.is(200);
    let came = api.get(&format!("{path}/config")).await;
    came.is(200);
    let header = |name: header::HeaderName| came.headers[name].to_str().expect("text").to_string();
    assert_eq!(header(header::CONTENT_TYPE), "text/plain; charset=utf-8");
    assert_eq!(header(header::CACHE_CONTROL), "no-store");
    assert_eq!(header(header::CONTENT_DISPOSITION), "attachment; filename=\"north-tower.conf\"");
    assert!(came.text.contains("Endpoint = vpn.isp.example:51820\n") && came.text.contains("DNS = 10.66.0.1\n"));

    let noted = api.get("monitoring/access-logs?noun=vpn_account").await.is(200);
    assert_eq!((&noted["data"][0]["action"], &noted["data"][0]["subject_id"]), (&json!("downloaded"), &made["id"]));
    assert!(api.get(&path).await.is(200)["data"]["last_download_at"].is_string());

    // the server lets in who is enabled
    let public = made["public_key"].as_str().expect("a key");
    let server = async || api.get("vpn/server/config?protocol=wireguard").await.text;
    assert!(server().await.contains(&format!("PublicKey = {public}\n")));
    api.put(&path, json!({ "enabled": false })).await.is(200);
    assert!(!server().await.contains(public));
    api.delete(&path).await.is(204);
    api.get(&format!("{path}/config")).await.is(404);
}

async fn logs_say_what_happened(app: TestApp) {
    let api = Api::of(&app.app, &app.actor).await;
    let ali = app.customer("ali", app.gold).await;
    app.customer("bea", app.gold).await;
    app.nas.login(login("ali")).await;
    app.nas.report(started("ali", "s1")).await;
    app.app.clock.pass(seconds(60));
    app.nas.login(crate::nas::Login { password: "wrong", ..login("bea") }).await;
    app.app.clock.pass(seconds(60));
    app.nas.login(login("nobody")).await;
    // refusals are written a moment later
    let three = async || {
        // Nobody asks more often than he may.
        app.app.clock.pass(seconds(2));
        let all = api.get("logs/ppp-auth").await.is(200);
        (all["meta"]["total"] == 3).then_some(all)
    };
    let all = app.until("three logins are in the log", three).await;
    let told = |rows: &Value| -> Vec<String> {
        let rows = rows["data"].as_array().expect("rows").iter();
        rows.map(|row| format!("{} {} {}", row["username"], row["result"], row["reason"]).replace('"', "")).collect()
    };
    assert_eq!(told(&all)[2], "ali accepted null", "{all}");
    assert!(told(&all)[0].starts_with("nobody rejected") && told(&all)[1].starts_with("bea rejected"), "{all}");
    for (query, expected) in [
        ("username=ali", 1),
        ("username=ALI", 1),
        ("username=nobody", 1),
        ("username=bea&result=accepted", 0),
        ("result=rejected", 2),
        ("from=2030-01-01&to=2030-01-01", 3),
        ("from=2030-01-02", 0),
        ("to=2029-12-31", 0),
        ("router_id=99", 0),
        (&*format!("router_id={}", app.router), 3),
    ] {
        let found = api.get(&format!("logs/ppp-auth?{query}")).await.is(200);
        assert_eq!(found["meta"]["total"], expected, "{query} {found}");
    }
    let second = api.get("logs/ppp-auth?per_page=1&page=2").await.is(200);
    assert_eq!(told(&second), told(&all)[1..2]);

    // time runs out: the system ends the line, and its router is told
    app.pass(days(30)).await;
    app.nas.orders(1).await;
    app.event("coa.acknowledged").await;
    let ended = api.get("logs/auto-suspension?username=ali").await.is(200);
    assert_eq!(ended["meta"]["total"], 1, "{ended}");
    let row = &ended["data"][0];
    assert_eq!((&row["reason"], &row["username"]), (&json!("Subscription expired"), &json!("ali")));
    assert_eq!((&row["customer_id"], &row["service_id"]), (&json!(ali.customer.0), &json!(ali.service.0)));
    assert_eq!(api.get("logs/auto-suspension").await.is(200)["meta"]["total"], 2);
    let orders = api.get("logs/router?event=coa.acknowledged&username=ali").await.is(200);
    assert_eq!((&orders["meta"]["total"], &orders["data"][0]["router"]), (&json!(1), &json!("bras")), "{orders}");
    let of_router = api.get(&format!("logs/router?router_id={}", app.router)).await.is(200);
    assert_eq!(
        of_router["data"].as_array().and_then(|rows| rows.last()).map(|row| &row["event"]),
        Some(&json!("router.created"))
    );
    assert_eq!(api.get("logs/hotspot?username=ali").await.is(200)["meta"]["total"], 0);
}

async fn figures(app: TestApp) {
    let api = Api::of(&app.app, &app.actor).await;
    let ali = app.customer("ali", app.gold).await;
    let bea = app.customer("bea", app.gold).await;
    let cem = app.customer("cem", app.gold).await;
    app.put(bea, domain::Status::Suspended).await.expect("put");
    app.put(cem, domain::Status::Disabled).await.expect("put");
    app.nas.login(login("ali")).await;
    app.nas.report(started("ali", "s1")).await;
    app.app.clock.pass(seconds(300));
    app.nas.report(crate::nas::interim("ali", "s1", 300, 1_000, 5_000)).await;
    let told = api.get("dashboard").await.is(200)["data"].clone();
    assert_eq!(
        told["customers"],
        json!({ "total": 3, "active": 1, "suspended": 1, "disabled": 1, "expired": 0, "inactive": 0, "online": 1 })
    );
    assert_eq!(
        (&told["paid_today"], &told["billed_this_month"], &told["due"]),
        (&json!(4500), &json!(4500), &json!(0))
    );
    assert_eq!((&told["new_customers_today"], &told["will_be_suspended_today"]), (&json!(3), &json!(0)));
    let network = api.get("noc/dashboard").await.is(200)["data"].clone();
    assert_eq!(network["routers"], json!({ "total": 1, "offline": 0 }));
    let top = json!([{
        "customer_id": ali.customer.0, "customer": "Customer ali", "username": "ali", "upload_bytes": 1000,
        "download_bytes": 5000, "total_bytes": 6000
    }]);
    assert_eq!(network["top_users"], top);
    let router = api.get("network/routers").await.is(200)["data"][0].clone();
    assert_eq!((&router["status"], &router["online"]), (&json!("up"), &json!(1)));

    // a day later, nothing is of today, and a silent router is offline
    app.app.clock.pass(days(1));
    let later = api.get("dashboard").await.is(200)["data"].clone();
    assert_eq!((&later["paid_today"], &later["paid_this_month"]), (&json!(0), &json!(4500)));
    let network = api.get("noc/dashboard").await.is(200)["data"].clone();
    assert_eq!((&network["routers"]["offline"], &network["top_users"]), (&json!(1), &json!([])));

    // on its last day a line is counted as ending, then as expired, before anything has acted on it
    app.app.clock.pass(days(29) - seconds(3600));
    let last = api.get("dashboard").await.is(200)["data"].clone();
    assert_eq!((&last["will_be_suspended_today"], &last["customers"]["active"]), (&json!(0), &json!(1)), "{last}");
    app.app.clock.pass(seconds(3600));
    let over = api.get("dashboard").await.is(200)["data"].clone();
    assert_eq!((&over["customers"]["active"], &over["customers"]["expired"]), (&json!(0), &json!(1)), "{over}");
}

async fn a_branch_sees_its_own(app: TestApp) {
    let api = Api::of(&app.app, &app.actor).await;
    let branch = Actor { branch: Some(BranchId(7)), ..app.actor.clone() };
    app.customer("ali", app.gold).await;
    let mut theirs = None;
    for name in ["bea", "cem"] {
        let command = customers::NewCustomer {
            full_name: name.into(),
            phone: "0712345678".into(),
            email: None,
            address: None,
            building: None,
            username: None,
            portal_password: "portal".into(),
            kind: domain::Kind::Pppoe,
            network_username: Some(name.into()),
            network_password: Some("secret".into()),
            ip: None,
            mac: None,
            plan: app.gold,
            router: app.router,
            payer: Some(crate::app::cash()),
        };
        theirs = Some(customers::create(&app.app, &branch, command, None).await.expect("a customer").customer_id);
    }
    let olt = api.post("network/olts", olt("Central")).await.is(201)["data"]["id"].clone();
    api.post("network/onus", onu(&olt, 1)).await.is(201);
    let mut body = onu(&olt, 2);
    body["customer_id"] = json!(theirs);
    api.post("network/onus", body).await.is(201);

    let (seen, total) = onus::list(&app.app, &branch, plant::OnuFilter::default(), 0, 10).await.expect("their ONUs");
    assert_eq!((total, seen[0].onu.customer_id.map(|id| id.0)), (1, theirs));
    let figures = dashboard::business(&app.app, &branch).await.expect("their figures");
    assert_eq!((figures.people.all, figures.people.active, figures.new_today), (2, 2, 2));
    assert_eq!(figures.paid_today, domain::Money(300_000));
    let whole = dashboard::business(&app.app, &app.actor).await.expect("all figures");
    assert_eq!((whole.people.all, whole.paid_today), (3, domain::Money(450_000)));
    assert_eq!(dashboard::network(&app.app, &branch).await.expect("their network").onus, 1);
    // equipment and the VPN are the whole provider's
    let forbidden = Err(service::Error::Forbidden);
    assert_eq!(plant::olts::list(&app.app, &branch, plant::Filter::default(), 0, 1).await.map(drop), forbidden);
    assert_eq!(vpn::list(&app.app, &branch, vpn::Filter::default(), 0, 1).await.map(drop), forbidden);
    // the expiries of its own lines
    app.pass(days(30)).await;
    let filter = service::access::refusals::rows::Filter::default();
    let (ended, total) =
        service::access::refusals::stopped(&app.app, &branch, filter.clone(), None, 0, 10).await.expect("a log");
    assert_eq!((ended.len(), total), (2, 2));
    let (_, all) = service::access::refusals::stopped(&app.app, &app.actor, filter, None, 0, 10).await.expect("a log");
    assert_eq!(all, 3);
}

async fn parts_of_the_program(app: TestApp) {
    let api = Api::of(&app.app, &app.actor).await;
    let told = async |path: &str| -> Vec<String> {
        let rows = api.get(path).await.is(200);
        let rows = rows["data"].as_array().expect("rows").clone();
        rows.iter().map(|row| format!("{} {}", row["name"], row["status"]).replace('"', "")).collect()
    };
    let parts = ["Database up", "RADIUS up", "Event feed up", "Queue network up"];
    assert_eq!(told("monitoring/status-checks").await, parts);
    let check = json!({ "name": "Gateway", "kind": "ping", "target": "10.0.0.1" });
    api.post("monitoring/status-checks", check).await.is(201);
    assert_eq!(told("monitoring/status-checks?per_page=3&page=2").await, ["Queue network up", "Gateway unknown"]);
    // work that nobody does is seen
    crate::home::job(&app, "letters", "write").await;
    app.app.clock.pass(seconds(301));
    let told = told("monitoring/status-checks").await;
    assert!(told.iter().any(|part| part == "Queue letters down"), "{told:?}");
}

// ---- the tools themselves ----

/// A directory that goes when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("lastmile-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory");
        Scratch(path)
    }

    /// A file that only its owner reads, as both tools want it.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn missing(program: &str, package: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        store::testing::skipped(&format!("{program} is not installed (package {package})"));
    }
    !found
}

async fn account(app: &TestApp, protocol: &'static str) -> vpn::Shown {
    let endpoint = vpn::ServerChange { endpoint: Some(Some("127.0.0.1".into())), ..vpn::ServerChange::default() };
    vpn::set_server(&app.app, &app.actor, None, endpoint).await.expect("an endpoint");
    let command = NewAccount { protocol, name: "ann".into(), username: None, enabled: true };
    vpn::create(&app.app, &app.actor, command).await.expect("an account")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wireguard_tools_take_both_files() {
    if missing("wg", "wireguard-tools") || missing("wg-quick", "wireguard-tools") {
        return;
    }
    let app = TestApp::sqlite().await;
    let made = account(&app, "wireguard").await.account;
    let client = vpn::config(&app.app, &app.actor, made.id).await.expect("a configuration").text;
    let server = vpn::server_config(&app.app, &app.actor, "wireguard").await.expect("a configuration");
    let scratch = Scratch::new("wireguard");
    for (name, text, peer) in [("wga.conf", &client, ""), ("wgb.conf", &server, "AllowedIPs = 10.66.0.2/32")] {
        let path = scratch.write(name, text);
        let output = Command::new("wg-quick").arg("strip").arg(&path).output().expect("wg-quick");
        let stripped = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(
            stripped.contains("PrivateKey = ") && stripped.contains("[Peer]") && stripped.contains(peer),
            "{stripped}"
        );
        assert!(!stripped.contains("Address"), "{stripped}");
    }
    let public = |text: &str| {
        let private = text.lines().find_map(|line| line.strip_prefix("PrivateKey = ")).expect("a key").to_string();
        let input = scratch.write("key", &private);
        let output =
            Command::new("wg").arg("pubkey").stdin(std::fs::File::open(input).expect("the key")).output().expect("wg");
        String::from_utf8_lossy(&output.stdout).trim().to_string()
    };
    assert_eq!(Some(public(&client)), made.public_key);
    let own = vpn::server(&app.app, &app.actor).await.expect("the server");
    assert_eq!(public(&server), own.wireguard_public);
}

/// A program and all that it starts; none of them outlives this.
struct Family(Child);

impl Family {
    fn new(command: &mut Command) -> Family {
        Family(command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a program"))
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        store::testing::signal("KILL", &[group]);
        let _ = self.0.wait();
    }
}

/// What a program says until a line contains one of these; it is ended after that.
fn heard(mut command: Command, until: &[&str]) -> String {
    let mut family = Family::new(&mut command);
    let mut said = String::new();
    for line in BufReader::new(family.0.stdout.take().expect("output")).lines().map_while(Result::ok) {
        said += &line;
        said.push('\n');
        if until.iter().any(|text| line.contains(text)) {
            break;
        }
    }
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openvpn_takes_both_files() {
    if missing("openvpn", "openvpn") {
        return;
    }
    let app = TestApp::sqlite().await;
    // The authority is made by the test's clock, which is ahead of the tool's.
    app.app.clock.pass(jiff::Timestamp::now().as_microsecond() - app.app.clock.now().0);
    let made = account(&app, "openvpn").await.account;
    let client = vpn::config(&app.app, &app.actor, made.id).await.expect("a configuration").text;
    let server = vpn::server_config(&app.app, &app.actor, "openvpn").await.expect("a configuration");
    let scratch = Scratch::new("openvpn");
    let config = scratch.write("ann.ovpn", &client);

    // It has no dry run: who goes on to connect has read the file.
    let mut openvpn = Command::new("timeout");
    openvpn
        .args(["--foreground", "20", "openvpn", "--dev", "null", "--ifconfig-noexec", "--route-noexec", "--config"])
        .arg(&config);
    let said = heard(openvpn, &["link remote", "Options error"]);
    assert!(said.contains("link remote: [AF_INET]127.0.0.1:1194") && !said.contains("error"), "{said}");

    // Where there are network namespaces and TUN: the server lets it in at its address, and nobody else.
    let has_namespaces = Command::new("unshare").args(["-n", "ip", "link", "set", "lo", "up"]).status();
    if !Path::new("/dev/net/tun").exists() || !has_namespaces.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: a tunnel through OpenVPN (network namespaces and /dev/net/tun)");
        return;
    }
    scratch.write("server.conf", &server);
    let make_ccd = "mkdir -p ccd && sed -n 's|^# ccd/\\([^:]*\\): \\(.*\\)|\\1 \\2|p' server.conf | \
        while read -r name line; do echo \"$line\" > \"ccd/$name\"; done";
    let tunnel = |ccd: &str| {
        // The client starts when the server is there.
        let script = format!(
            "cd '{}' && rm -rf ccd && {ccd} && ip link set lo up && \
             timeout --foreground 20 openvpn --config server.conf | while read -r line; do case $line in \
             *'Initialization Sequence Completed'*) \
             timeout --foreground 15 openvpn --connect-retry-max 1 --route-noexec --config ann.ovpn & ;; \
             esac; done",
            scratch.0.display()
        );
        let mut command = Command::new("unshare");
        command.args(["-n", "bash", "-c", &script]);
        heard(command, &["Initialization Sequence Completed", "AUTH_FAILED", "process exiting"])
    };
    let said = tunnel(make_ccd);
    assert!(
        said.contains("net_addr_v4_add: 10.67.0.2/22") && said.contains("Initialization Sequence Completed"),
        "{said}"
    );
    // without its line the same certificate is refused
    let said = tunnel("mkdir -p ccd");
    assert!(said.contains("AUTH_FAILED"), "{said}");
}
