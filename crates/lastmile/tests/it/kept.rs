//! What is only looked back at goes after its time; money stays, and whoever follows the events misses nothing. And what
//! an earlier program kept, this one reads.

use std::collections::BTreeMap;

use domain::{
    CustomerId, Money,
    kernel::clock::{DAY, SECOND},
};
use serde_json::{Value, json};
use service::{Db, Engine, Location};
use store::testing;

use crate::{
    app::TestApp,
    both,
    nas::login,
    town::{Dialect, Town},
};

/// However young they are: whoever guesses does not fill the disk.
async fn refused_logins_are_the_newest(app: TestApp) {
    let isp = app.actor.isp;
    for n in 0..7 {
        app.app.clock.pass(SECOND);
        let now = app.app.clock.now();
        let written = app.app.db.tx(service::Class::Bulk, async move |tx| {
            let text =
                "insert into login_reject (isp_id, id, at, router_id, username, reason) values ($1, $2, $3, 1, 'x', 'unknown_user')";
            tx.run(text.to_string(), &[isp.into(), (1000 + n).into(), now.into()]).await
        });
        written.await.map_err(|error: store::db::Error| error).expect("a refused login");
    }
    let kept =
        service::kernel::schedule::Kept { jobs: DAY, keys: DAY, refusals: DAY, refusals_at_most: 3, events: None };
    for _ in 0..2 {
        service::kernel::schedule::forget(&app.app, kept).await.expect("forgotten");
        let left = app.app.db.read(async |tx| {
            let rows = tx.rows("select id from login_reject order by id".to_string(), &[]).await?;
            rows.iter().map(|row| row.get::<i64>(0)).collect::<Result<Vec<_>, store::db::Error>>()
        });
        assert_eq!(left.await, Ok(vec![1004, 1005, 1006]));
    }
}

async fn events_end_and_money_stays(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    let numbers = async || {
        let events = service::access::directory::events_after(&app.app, app.actor.isp, 0, 1000).await.expect("events");
        events.iter().map(|event| event.seq).collect::<Vec<_>>()
    };
    let (before, ledger) = (numbers().await, app.ledger().await);
    let last = *before.last().expect("events of the beginning");

    app.pass((worker::EVENTS_KEPT_DAYS - 1) * DAY).await;
    assert_eq!(numbers().await[..before.len()], before, "within their time they stay");
    app.pass(2 * DAY).await;
    assert!(numbers().await.iter().all(|seq| *seq > last), "then they are gone");
    assert_eq!(app.ledger().await, ledger);

    app.recharge(ali).await.expect("a recharge");
    let answer = app.nas.login(login("ali")).await;
    assert!(answer.starts_with("Access-Accept"), "the feed goes on behind what is gone: {answer}");
}

/// The last migration of the build before rooms by subject.
const BEFORE: i64 = 28;

/// Tables of that build that are gone: how each was filled, from what there is now.
const GONE: &[(&str, &str)] = &[
    (
        "service_plant",
        "select isp_id, service_id, connection, onu_mac, null, null, null, null, updated_at from line_site \
         where connection is not null",
    ),
    (
        "service_site",
        "select isp_id, service_id, onu_note, box_number, box_address, switch_board, switch_port, electric_socket, \
         cable_type, uplink_port, fiber_code, fiber_color, updated_at from line_site",
    ),
    (
        "service_terms",
        "select isp_id, service_id, discount_fixed, discount_ppm, quota_bytes, quota_time_s, updated_at from line_terms",
    ),
    (
        "service_price",
        "select isp_id, service_id, priced_plan, price, tax_inclusive, billed_plan, billed_version, updated_at \
         from line_terms where priced_plan is not null",
    ),
    (
        "location",
        "select isp_id, level, id, parent_id, name, created_at, updated_at from place \
         where level in ('country', 'province', 'city', 'area', 'subarea')",
    ),
    (
        "collection_area",
        "select isp_id, id, branch_id, name, created_at, coalesce(updated_at, created_at) from place \
         where level = 'collection_area'",
    ),
    (
        "collection_street",
        "select isp_id, id, parent_id, name, created_at, coalesce(updated_at, created_at) from place where level = 'street'",
    ),
    (
        "building",
        "select isp_id, id, parent_id, name, created_at, coalesce(updated_at, created_at) from place \
         where level = 'building'",
    ),
];

/// The rows of a database as that build would have kept them, in a database of its own.
async fn as_kept_before(now: &Db) -> Db {
    let location = match now.engine() {
        Engine::Sqlite => Location::Memory,
        Engine::Postgres => Location::Postgres(testing::postgres().expect("found before").database("before")),
    };
    let then = Db::open(&location).await.expect("a database");
    testing::migrate_until(&then, BEFORE).await.expect("its migrations");
    let (is, was) = (testing::tables(now).await.expect("tables"), testing::tables(&then).await.expect("tables"));
    let mut filled: BTreeMap<&str, i64> = BTreeMap::new();
    for (table, columns) in &was {
        let gone = GONE.iter().find(|(gone, _)| *gone == table.as_str());
        let (columns, select) = match (gone, is.get(table)) {
            (Some((_, select)), _) => (columns.clone(), (*select).to_string()),
            (None, Some(has)) => {
                let both: Vec<String> = columns.iter().filter(|column| has.contains(column)).cloned().collect();
                let select = format!("select {} from {table}", both.join(", "));
                (both, select)
            }
            (None, None) => panic!("{table} is gone: say here how it was filled"),
        };
        testing::copy(now, select, &then, table, &columns).await.unwrap_or_else(|error| panic!("{table}: {error}"));
        if let Some((name, _)) = gone {
            let count = format!("select count(*) from {table}");
            let read = then.read(async move |tx: &store::db::Tx| tx.row(count.clone(), &[]).await).await;
            filled.insert(*name, read.expect("a count").map_or(0, |row| row.get(0).expect("a number")));
        }
    }
    assert!(filled.values().all(|rows| *rows > 0), "the story covers every table that is gone: {filled:?}");
    then
}

async fn an_earlier_programs_data_tells_the_same(app: TestApp) {
    let town = Town::over(&app).await;
    let people = settled(&app, &town).await;
    let then = as_kept_before(&app.app.db).await;
    then.migrate().await.expect("the migrations since");
    let later = app.reopened(then).await;
    let again = town.at(&later);

    let mut asked = Vec::new();
    for level in ["country", "province", "city", "area", "subarea", "collection_area", "street", "building"] {
        asked.push((Dialect::V2, format!("/api/v2/places/{level}")));
    }
    for path in ["get_all_areas", "get_all_streets", "get_all_buildings", "get_all", "get_basic_user_details"] {
        asked.push((Dialect::Jaze, format!("/api/v1/{path}?")));
    }
    asked.extend([
        (Dialect::V2, "/api/v2/departments".into()),
        (Dialect::V2, "/api/v2/customers?per_page=100".into()),
        (Dialect::V2, "/api/v2/customers?connection_type=fiber".into()),
        (Dialect::V1, "/api/v1/customers?per_page=100".into()),
        (Dialect::Alternet, "/api/v1/customers?per_page=100".into()),
        (Dialect::Zal, "/api/v1/subscribers?limit=100&all_module_status=1".into()),
    ]);
    for id in &people {
        asked.extend([
            (Dialect::Alternet, format!("/api/v1/customers/{id}")),
            (Dialect::V1, format!("/api/v1/customers/{id}")),
            (Dialect::V2, format!("/api/v2/customers/{id}")),
            (Dialect::Zal, format!("/api/v1/subscribers/details?id={id}")),
            (Dialect::Jaze, format!("/api/v1/get_details/{id}")),
        ]);
    }
    for (dialect, path) in asked {
        // Rate limits are other tests'.
        app.app.clock.pass(10 * SECOND);
        let call = ("GET", path.clone(), Value::Null);
        let told = town.done(dialect, call.clone()).await;
        assert_eq!(again.done(dialect, call).await, told, "{dialect:?} {path}");
    }
    for name in ["ali", "bea", "cem"] {
        assert_eq!(later.nas.login(login(name)).await, app.nas.login(login(name)).await, "{name}");
    }
    // A price and a discount of one's own count as they did.
    for id in people {
        let before = app.recharge(app.line_of(id).await).await.expect("a recharge");
        let after = later.recharge(later.line_of(id).await).await.expect("a recharge");
        assert_eq!(after, before, "{id}");
    }
}

/// Customers of three doors, with places, sites and terms.
async fn settled(app: &TestApp, town: &Town<'_>) -> Vec<CustomerId> {
    let mut parent = Value::Null;
    let mut ids: BTreeMap<&str, i64> = BTreeMap::new();
    for level in ["country", "province", "city", "area", "subarea", "collection_area", "street", "building"] {
        if level == "collection_area" {
            parent = Value::Null;
        }
        let body = json!({ "name": format!("the {level}"), "parent_id": parent });
        let made = town.done(Dialect::V2, ("POST", format!("/api/v2/places/{level}"), body)).await;
        parent = made["data"]["id"].clone();
        ids.insert(level, parent.as_i64().expect("an id"));
    }
    town.done(Dialect::V2, ("POST", "/api/v2/departments".into(), json!({ "name": "Sales" }))).await;
    let ali = app.customer("ali", app.gold).await;
    app.update(ali, |edit| {
        edit.building = Some(Some(ids["building"]));
        edit.beside.price = Some(Some((Money(77_700), true)));
    })
    .await
    .expect("a building and a price");
    let fibre = json!({
        "name": "Bea", "package_id": app.gold.0, "connection_type": "fiber", "onu_mac": "AA:BB:CC:DD:EE:FF",
        "username": "bea", "password": "secret"
    });
    let bea = town.done(Dialect::V2, ("POST", "/api/v2/customers".into(), fibre)).await["data"]["id"].clone();
    let bea = CustomerId(bea.as_i64().expect("an id"));
    let cem = json!({
        "fullname": "Cem", "username": "cem", "password": "portal", "connection_password": "secret",
        "package_id": app.gold.0, "connection_type": 0, "discount": 500, "total_data_quota": 5000,
        "box_number": "7", "switch_port": "3", "fiber_color": "blue", "country": ids["country"], "area": ids["area"]
    });
    let cem = town.done(Dialect::Zal, ("POST", "/api/v1/subscribers/create".into(), cem)).await["data"]["id"].clone();
    let cem = CustomerId(cem.as_i64().expect("an id"));
    app.recharge(app.line_of(cem).await).await.expect("a period");
    vec![ali.customer, bea, cem]
}

both!(refused_logins_are_the_newest, events_end_and_money_stays, an_earlier_programs_data_tells_the_same);
