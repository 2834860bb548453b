//! Calls that are made whole or not at all: whichever part of an edit is refused, every row of the tenant is as it was; and
//! what is as it was tells nothing.

use std::collections::BTreeMap;

use ::service::{Class, Db, Engine, Service, kernel::ids::Table};
use domain::{ServiceId, Status};
use serde_json::{Value, json};
use store::{people::service, sales::voucher};

use crate::{
    app::{Line, TestApp, days},
    both,
    town::{
        Dialect::{self, Alternet, Jaze, V1, V2, Zal},
        Town,
    },
};

both!(
    a_refused_edit_changes_nothing,
    a_refused_customer_is_not_there,
    what_is_as_it_was_tells_nothing,
    each_change_is_told_as_what_it_is,
    a_status_is_that_of_all_lines,
);

/// What calls leave behind that are refused: that they were asked, and numbers drawn ahead.
const BESIDES: [&str; 4] = ["api_request", "api_usage", "idempotency", "counter"];

/// Every row of every table of the tenant, as text.
async fn everything(app: &TestApp) -> BTreeMap<String, Vec<String>> {
    let isp = app.actor.isp;
    let db: &Db = &app.app.db;
    let engine = db.engine();
    db.read(async move |tx| {
        let tables = match engine {
            Engine::Sqlite => {
                "select m.name from sqlite_master m where m.type = 'table' \
                 and exists (select 1 from pragma_table_info(m.name) c where c.name = 'isp_id')"
            }
            Engine::Postgres => {
                "select table_name::text from information_schema.columns \
                 where column_name = 'isp_id' and table_schema = current_schema()"
            }
        };
        let mut all = BTreeMap::new();
        for row in tx.rows(tables.to_string(), &[]).await? {
            let table: String = row.get(0)?;
            if BESIDES.contains(&table.as_str()) {
                continue;
            }
            let text = match engine {
                Engine::Sqlite => {
                    let columns = format!("select name from pragma_table_info('{table}')");
                    let mut names = Vec::new();
                    for row in tx.rows(columns, &[]).await? {
                        names.push(format!("quote({})", row.get::<String>(0)?));
                    }
                    format!("select {} from {table} where isp_id = $1 order by 1", names.join(" || '|' || "))
                }
                Engine::Postgres => format!("select t::text from {table} t where isp_id = $1 order by 1"),
            };
            let rows = tx.rows(text, &store::params![isp]).await?;
            let rows = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<String>, _>>()?;
            all.insert(table, rows);
        }
        Ok::<_, store::db::Error>(all)
    })
    .await
    .expect("every row")
}

/// The rows that are no longer as they were.
fn different(before: &BTreeMap<String, Vec<String>>, after: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let tables = before.iter().filter(|(table, rows)| after.get(*table) != Some(rows));
    let rows = |table: &String| {
        let (was, is) = (&before[table], &after[table]);
        let gone = was.iter().filter(|row| !is.contains(row)).map(|row| format!("- {row}"));
        let come = is.iter().filter(|row| !was.contains(row)).map(|row| format!("+ {row}"));
        gone.chain(come).collect::<Vec<_>>().join("\n")
    };
    tables.map(|(table, _)| format!("{table}:\n{}", rows(table))).collect()
}

async fn refused(app: &TestApp, town: &Town<'_>, calls: Vec<(Dialect, &'static str, String, Value)>) {
    for (dialect, method, path, body) in calls {
        // Rate limits are other tests'.
        app.app.clock.pass(61_000_000);
        // What was ordered before is done: it is not the call's.
        app.settled().await;
        let before = everything(app).await;
        let what = format!("{dialect:?} {method} {path} {body}");
        let (status, answer) = town.ask(dialect, (method, path, body)).await;
        assert!((400..500).contains(&status), "{what}: {status} {answer}");
        let changed = different(&before, &everything(app).await);
        assert!(changed.is_empty(), "{what} was refused ({answer}), and changed\n{}", changed.join("\n"));
    }
}

async fn a_refused_edit_changes_nothing(app: TestApp) {
    let town = Town::over(&app).await;
    let ali = app.customer("ali", app.gold).await.customer.0;
    app.customer("bea", app.gold).await;
    let hidden = app.plan("hidden", |plan| plan.enabled = false).await.0;
    let (gold, router, bandwidth) = (app.gold.0, app.router.0, app.bandwidth.0);
    let alternet = |body: Value| (Alternet, "PUT", format!("/api/v1/customers/{ali}"), body);
    let v2 = |body: Value| (V2, "PUT", format!("/api/v2/customers/{ali}"), body);
    let v1 = |body: Value| (V1, "POST", format!("/api/v1/customers/{ali}/action"), body);
    let zal = |mut body: Value| {
        body["id"] = ali.into();
        (Zal, "PUT", "/api/v1/subscribers/update".to_string(), body)
    };
    let jaze = |call: &str, mut body: Value| {
        body["userId"] = ali.into();
        (Jaze, "POST", format!("/api/v1/{call}"), body)
    };
    let calls = vec![
        alternet(json!({ "fullname": "Another Name", "address": "Elsewhere", "router_id": 999_999 })),
        alternet(json!({ "fullname": "Another Name", "pppoe_username": "bea" })),
        alternet(json!({ "phonenumber": "0799", "plan_id": 999_999 })),
        alternet(json!({ "password": "another", "plan_id": hidden })),
        v2(json!({ "name": "Another Name", "username": "bea" })),
        v2(json!({ "name": "Another Name", "onu_mac": "02:00:00:00:00:01", "package_id": 999_999 })),
        v2(json!({ "password": "another", "router_id": 999_999 })),
        v1(json!({ "action": "edit_package", "package_id": hidden })),
        zal(json!({ "fullname": "Another Name", "username": "bea" })),
        zal(json!({ "fullname": "Another Name", "previous_balance": 100, "salesperson_id": 999_999 })),
        zal(json!({ "total_data_quota": 5, "onu_note": "by the door", "area": 999_999 })),
        zal(json!({ "expiration_date": "2031-01-01 00:00:00", "package_id": hidden })),
        zal(json!({ "discount": 10, "auto_renew_status": 1, "package_id": 999_999 })),
        jaze("edit_user", json!({ "firstName": "Another", "collection_block_import": 999_999 })),
        jaze("edit_user", json!({ "firstName": "Another", "companyName": "Co", "userName": "bea" })),
        jaze(
            "edit_user",
            json!({ "firstName": "Another", "staticIpBoundMac": ["02:00:00:00:00:01", "02:00:00:00:00:01"] }),
        ),
        jaze("edit_user", json!({ "overridePriceEnable": "on", "overrideAmount": 5, "userGroupId": hidden })),
        jaze(
            "edit_user",
            json!({
                "comments": "moves", "userState": "suspended", "activationDate": "custom",
                "customActivationDate": "01-02-2031 00:00"
            }),
        ),
        jaze(
            "override_user_bandwidth",
            json!({
                "bandwidthRestriction": "on", "bandwidthTemplate": bandwidth, "bandwidthReset": "data",
                "bandwidthResetLimit": 5, "bandwidthResetUnitData": "gb", "bandwidthResetEvery": "daily",
                "bandwidthReset2": "always", "bandwidthTemplate2": 999_999
            }),
        ),
    ];
    refused(&app, &town, calls).await;
    // Its time is over: whatever else is said with it, it is not switched on.
    app.pass(days(31)).await;
    let calls = vec![
        alternet(json!({ "fullname": "Another Name", "plan_id": gold, "router_id": router, "status": "Active" })),
        v2(json!({ "name": "Another Name", "status": "active" })),
        jaze("edit_user", json!({ "firstName": "Another", "userState": "active" })),
        v1(json!({ "action": "activate" })),
        (Alternet, "POST", format!("/api/v1/customers/{ali}/activate"), json!({})),
        jaze("block_unblock_user", json!({ "state": "unblock" })),
    ];
    refused(&app, &town, calls).await;
}

async fn a_refused_customer_is_not_there(app: TestApp) {
    let town = Town::over(&app).await;
    app.customer("ali", app.gold).await;
    let hidden = app.plan("hidden", |plan| plan.enabled = false).await.0;
    let (gold, router) = (app.gold.0, app.router.0);
    let alternet = |plan: i64, more: Value| {
        let mut body = json!({
            "fullname": "New One", "phonenumber": "0712345678", "service_type": "PPPoE", "plan_id": plan,
            "router_id": router, "password": "portal", "username": "new", "pppoe_username": "new",
            "pppoe_password": "secret"
        });
        more.as_object().expect("fields").iter().for_each(|(name, value)| body[name] = value.clone());
        (Alternet, "POST", "/api/v1/customers".to_string(), body)
    };
    let zal = |plan: i64, more: Value| {
        let mut body = json!({ "fullname": "New One", "username": "new", "password": "portal", "package_id": plan });
        more.as_object().expect("fields").iter().for_each(|(name, value)| body[name] = value.clone());
        (Zal, "POST", "/api/v1/subscribers/create".to_string(), body)
    };
    let jaze = |plan: i64, more: Value| {
        let mut body = json!({ "firstName": "New", "userName": "new", "password": "secret", "userGroupId": plan });
        more.as_object().expect("fields").iter().for_each(|(name, value)| body[name] = value.clone());
        (Jaze, "POST", "/api/v1/add_user".to_string(), body)
    };
    let v2 = |body: Value| (V2, "POST", "/api/v2/customers".to_string(), body);
    let calls = vec![
        alternet(gold, json!({ "apartment_id": 999_999 })),
        alternet(gold, json!({ "username": "acc-ali" })),
        alternet(gold, json!({ "pppoe_username": "ALI " })),
        alternet(hidden, json!({})),
        v2(json!({ "name": "New One", "username": "ali", "package_id": gold })),
        v2(json!({ "name": "New One", "username": "new", "package_id": hidden })),
        zal(gold, json!({ "salesperson_id": 999_999, "previous_balance": 100 })),
        zal(gold, json!({ "department": 999_999, "expiration_date": "2031-01-01 00:00:00" })),
        zal(gold, json!({ "username": "ali" })),
        zal(hidden, json!({})),
        jaze(gold, json!({ "collection_block_import": 999_999 })),
        jaze(gold, json!({ "staticIpBoundMac": ["02:00:00:00:00:01", "02:00:00:00:00:01"] })),
        jaze(hidden, json!({})),
    ];
    refused(&app, &town, calls).await;
}

async fn what_is_as_it_was_tells_nothing(app: TestApp) {
    let town = Town::over(&app).await;
    let ali = app.customer("ali", app.gold).await.customer.0;
    let (gold, router) = (app.gold.0, app.router.0);
    let said = [
        (
            Alternet,
            (
                "PUT",
                format!("/api/v1/customers/{ali}"),
                json!({
                    "fullname": "Customer ali", "phonenumber": "0712345678", "plan_id": gold, "router_id": router,
                    "password": "portal", "pppoe_username": "ali", "pppoe_password": "secret", "status": "Active"
                }),
            ),
        ),
        (
            V2,
            (
                "PUT",
                format!("/api/v2/customers/{ali}"),
                json!({
                    "name": "Customer ali", "package_id": gold, "router_id": router, "status": "active"
                }),
            ),
        ),
        (
            Zal,
            (
                "PUT",
                "/api/v1/subscribers/update".into(),
                json!({
                    "id": ali, "fullname": "Customer ali", "package_id": gold, "nas_id": router, "profile_status": 2,
                    "discount": 0, "sms_status": 1
                }),
            ),
        ),
        (
            Jaze,
            (
                "POST",
                "/api/v1/edit_user".into(),
                json!({
                    "userId": ali, "phoneNumber": "0712345678", "userGroupId": gold, "userState": "active",
                    "overridePriceEnable": "off", "password": "secret"
                }),
            ),
        ),
    ];
    let before = app.events().await.len();
    for (dialect, call) in said {
        let what = format!("{dialect:?} {}", call.2);
        town.done(dialect, call).await;
        assert_eq!(app.events().await[before..], [""; 0], "{what}");
    }
}

async fn each_change_is_told_as_what_it_is(app: TestApp) {
    let town = Town::over(&app).await;
    let ali = app.customer("ali", app.gold).await.customer.0;
    let silver = app.plan("silver", |_| {}).await.0;
    let zal = |mut body: Value| {
        body["id"] = ali.into();
        (Zal, ("PUT", "/api/v1/subscribers/update".to_string(), body))
    };
    let jaze = |mut body: Value| {
        body["userId"] = ali.into();
        (Jaze, ("POST", "/api/v1/edit_user".to_string(), body))
    };
    let rows = [
        (zal(json!({ "fullname": "Ali Khan" })), vec!["customer.updated"]),
        (zal(json!({ "total_data_quota": 5000 })), vec!["service.changed"]),
        (zal(json!({ "discount": 10 })), vec!["service.changed"]),
        (zal(json!({ "onu_note": "by the door" })), vec!["service.changed"]),
        (zal(json!({ "package_id": silver })), vec!["service.changed"]),
        (jaze(json!({ "overridePriceEnable": "on", "overrideAmount": 5 })), vec!["service.changed"]),
        (
            jaze(json!({ "comments": "a friend", "userState": "suspended" })),
            vec!["service.suspended", "customer.updated"],
        ),
        (zal(json!({ "profile_status": 2, "address": "Elsewhere" })), vec!["service.activated", "customer.updated"]),
    ];
    for ((dialect, call), expected) in rows {
        app.app.clock.pass(61_000_000);
        let (before, what) = (app.events().await.len(), format!("{dialect:?} {}", call.2));
        town.done(dialect, call).await;
        assert_eq!(app.events().await[before..], expected, "{what}");
    }
}

/// A further line of a customer with time left, as the device of a voucher has one.
async fn further_line(app: &TestApp, line: Line) {
    let first = app.row(line).await;
    let new = service::New {
        isp: app.actor.isp,
        id: ServiceId(app.app.new_id(Table::Service).await.expect("an id")),
        customer: line.customer,
        ordinal: 2,
        kind: first.kind,
        status: Status::Active,
        reason: None,
        username: "further".into(),
        secret: None,
        plan: first.plan_id,
        plan_version: first.plan_version,
        router: first.router_id,
        address: None,
        mac: None,
        tied: false,
        at: first.created_at,
    };
    let mut further = Service::new(new);
    further.expires_at = first.expires_at;
    let write = app.app.db.tx(Class::Interactive, async move |tx| voucher::add_line(tx, &further).await);
    write.await.expect("a further line");
}

async fn a_status_is_that_of_all_lines(app: TestApp) {
    let town = Town::over(&app).await;
    let line = app.customer("ali", app.gold).await;
    let ali = line.customer;
    further_line(&app, line).await;
    let statuses = async || {
        let isp = app.actor.isp;
        let lines = app.app.db.read(async move |tx| service::of_customer(tx, isp, ali).await).await;
        lines.expect("the lines").iter().map(|line| line.status).collect::<Vec<_>>()
    };
    let id = ali.0;
    let rows = [
        (Alternet, ("PUT", format!("/api/v1/customers/{id}"), json!({ "status": "Deactivated" })), Status::Disabled),
        (V2, ("PUT", format!("/api/v2/customers/{id}"), json!({ "status": "active" })), Status::Active),
        (Zal, ("PUT", "/api/v1/subscribers/update".into(), json!({ "id": id, "profile_status": 0 })), Status::Inactive),
        (Jaze, ("POST", "/api/v1/edit_user".into(), json!({ "userId": id, "userState": "active" })), Status::Active),
        (V1, ("POST", format!("/api/v1/customers/{id}/action"), json!({ "action": "suspend" })), Status::Suspended),
    ];
    for (dialect, call, expected) in rows {
        let what = format!("{dialect:?} {}", call.2);
        town.done(dialect, call).await;
        assert_eq!(statuses().await, [expected; 2], "{what}");
    }
    app.delete(line).await.expect("a deletion");
    assert_eq!(statuses().await, [], "all lines go with it");
}
