//! Vouchers log in over RADIUS: the code is the name, the first login redeems it.

use std::{sync::Arc, time::Duration};

use domain::{Kind, PlanId};
use service::{
    Actor, VoucherFilter, Who,
    access::routers::{self, NewRouter},
    identity::tenants,
    sales::vouchers::{self, Format, NewVouchers},
};

use crate::{
    app::{SECRET, TestApp, days, isp, seconds},
    both,
    nas::{Login, Method, login, started, stopped},
};

const ACCEPT: &str = "Access-Accept Framed-Pool=main Session-Timeout=86400 Mikrotik-Rate-Limit=10M/10M";
const USED: &str = "Access-Reject Reply-Message=This voucher has been used by another device";
const UNKNOWN: &str = "Access-Reject Reply-Message=Wrong username or password";
const EXPIRED: &str = "Access-Reject Reply-Message=Your package has expired, please recharge";
/// Less than a delayed answer takes, more than a prompt one.
const PROMPT: Duration = Duration::from_millis(1000);

both!(
    the_first_login_redeems,
    every_way_to_send_a_code,
    a_second_device_is_refused,
    twenty_devices_one_wins,
    three_clients,
    the_period_counts_from_the_first_use,
    codes_are_known_after_a_restart,
    a_lost_use_is_written_at_its_start,
    a_hundred_codes_at_once,
    wrong_codes_are_slowed_down,
    deleted_and_foreign_vouchers,
    who_was_let_in_and_then_refused_is_sent_away,
);

async fn day_plan(app: &TestApp) -> PlanId {
    app.plan("day", |plan| {
        plan.kind = Kind::Hotspot;
        plan.validity = 1;
    })
    .await
}

async fn codes(app: &TestApp, count: usize, clients: i64) -> Vec<(i64, String)> {
    let plan = day_plan(app).await;
    let command = NewVouchers {
        kind: Kind::Hotspot,
        router: app.router,
        plan,
        count,
        format: Format::Upper,
        length: 8,
        clients,
        customer: None,
    };
    vouchers::create(&app.app, &app.actor, command, None).await.expect("vouchers").vouchers
}

async fn code(app: &TestApp, clients: i64) -> String {
    codes(app, 1, clients).await.remove(0).1
}

/// As MikroTik's hotspot sends it: CHAP, the code as name and as password.
fn device<'a>(code: &'a str, mac: &'a str) -> Login<'a> {
    Login { password: code, method: Method::Chap, mac: Some(mac), ..login(code) }
}

fn mac(n: usize) -> String {
    format!("02:00:00:00:01:{n:02X}")
}

async fn row(app: &TestApp) -> service::Voucher {
    let (rows, _) = vouchers::list(&app.app, &app.actor, VoucherFilter::default(), 0, 1).await.expect("a list");
    rows.into_iter().next().expect("a voucher")
}

/// Waits until the database says that it has been used so often, and the directory knows.
async fn used(app: &TestApp, times: i64) -> service::Voucher {
    let enough = async || Some(row(app).await).filter(|row| row.used >= times);
    let row = app.until("the voucher's use is written", enough).await;
    assert_eq!(row.used, times);
    for (isp, seq) in service::access::directory::heads(&app.app).await.expect("events") {
        app.app.feed.settle(isp, seq).await;
    }
    row
}

async fn the_first_login_redeems(app: TestApp) {
    let code = code(&app, 1).await;
    assert_eq!(row(&app).await.used, 0);
    assert_eq!(app.nas.login(device(&code, &mac(1))).await, ACCEPT);
    let voucher = used(&app, 1).await;
    assert_eq!((voucher.last_client.as_deref(), voucher.clients), (Some("02:00:00:00:01:01"), 1));
    assert_eq!(app.ledger().await, "cash:voucher 150000, revenue -129310, tax -20690");
    // its session is the line's, its usage and its end are as everybody's
    app.nas.report(crate::nas::Report { mac: Some(&mac(1)), ..started(&code, "h1") }).await;
    let isp = app.actor.isp;
    let sessions =
        app.app.db.read(async move |tx| store::access::session::latest(tx, isp, 10).await).await.expect("sessions");
    assert_eq!(sessions.len(), 1);
    assert!(sessions[0].service_id.is_some() && sessions[0].username == code, "{sessions:?}");
    app.pass(days(1)).await;
    let ended = app.nas.orders(1).await;
    assert!(ended[0].starts_with(&format!("Disconnect-Request User-Name={code} Acct-Session-Id=h1")), "{ended:?}");
}

async fn every_way_to_send_a_code(app: TestApp) {
    let code = code(&app, 1).await;
    let (lower, device_mac) = (code.to_lowercase(), mac(1));
    let rows = [
        (Method::Chap, code.as_str(), code.as_str(), ACCEPT),
        (Method::Pap, &code, &code, ACCEPT),
        (Method::MsChapV2, &code, &code, ACCEPT),
        (Method::Chap, &code, "", ACCEPT),
        (Method::Pap, &code, "", ACCEPT),
        (Method::Chap, &lower, &lower, ACCEPT),
        (Method::Pap, &lower, &code, ACCEPT),
        (Method::Chap, &code, "other", UNKNOWN),
        (Method::Pap, &code, "other", UNKNOWN),
    ];
    for (method, user, password, expected) in rows {
        let ask = Login { method, password, ..device(user, &device_mac) };
        assert_eq!(app.nas.login(ask).await, expected, "{method:?} {user} {password}");
    }
    used(&app, 1).await;
}

async fn a_second_device_is_refused(app: TestApp) {
    let code = code(&app, 1).await;
    assert_eq!(app.nas.login(device(&code, &mac(1))).await, ACCEPT);
    assert_eq!(app.nas.login(device(&code, &mac(2))).await, USED);
    used(&app, 1).await;
    assert_eq!(app.nas.login(device(&code, &mac(2))).await, USED);
    assert_eq!(app.nas.login(device(&code, &mac(1))).await, ACCEPT, "the same device comes back");
}

async fn twenty_devices_one_wins(app: TestApp) {
    let code = Arc::new(code(&app, 1).await);
    let app = Arc::new(app);
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let (app, code) = (app.clone(), code.clone());
            // each through a router address of its own, so that no budget of one is used up
            tokio::spawn(async move { app.nas.at(&format!("127.0.1.{n}")).login(device(&code, &mac(n))).await })
        })
        .collect();
    let mut accepted = 0;
    for task in tasks {
        let answer = task.await.expect("no panic");
        accepted += usize::from(answer == ACCEPT);
        assert!(answer == ACCEPT || answer == USED, "{answer}");
    }
    assert_eq!(accepted, 1);
    used(&app, 1).await;
}

async fn three_clients(app: TestApp) {
    let code = code(&app, 3).await;
    for n in 1..=3 {
        assert_eq!(app.nas.login(device(&code, &mac(n))).await, ACCEPT, "{n}");
    }
    assert_eq!(app.nas.login(device(&code, &mac(4))).await, USED);
    assert_eq!(app.nas.login(device(&code, &mac(2))).await, ACCEPT);
    used(&app, 3).await;
    assert_eq!(app.ledger().await, "cash:voucher 450000, revenue -387930, tax -62070");
}

async fn the_period_counts_from_the_first_use(app: TestApp) {
    let code = code(&app, 1).await;
    app.app.clock.pass(days(100));
    assert_eq!(app.nas.login(device(&code, &mac(1))).await, ACCEPT);
    used(&app, 1).await;
    app.app.clock.pass(seconds(3600));
    let later = ACCEPT.replace("86400", "82800");
    assert_eq!(app.nas.login(device(&code, &mac(1))).await, later);
    app.pass(days(1)).await;
    assert_eq!(app.nas.login(device(&code, &mac(1))).await, EXPIRED);
    assert_eq!(app.nas.login(device(&code, &mac(2))).await, USED);
}

/// The same database behind a RADIUS side that begins anew.
async fn restarted(app: &TestApp) -> (aaa::Running, crate::nas::Nas) {
    let loopback = ([127, 0, 0, 1], 0).into();
    let settings =
        aaa::Settings { auth: loopback, acct: loopback, threads: 2, strip_realm: true, held: aaa::Held::default() };
    let aaa = aaa::start(app.app.clone(), settings).await.expect("RADIUS ports");
    aaa.ready().await;
    let nas = crate::nas::Nas::new(aaa.auth_addr(), aaa.acct_addr(), SECRET).await;
    (aaa, nas)
}

async fn codes_are_known_after_a_restart(app: TestApp) {
    let made = codes(&app, 2, 1).await;
    let (first, second) = (&made[0].1, &made[1].1);
    assert_eq!(app.nas.login(device(first, &mac(1))).await, ACCEPT);
    app.event("voucher.used").await;
    let (aaa, nas) = restarted(&app).await;
    assert_eq!(nas.login(device(first, &mac(1))).await, ACCEPT);
    assert_eq!(nas.login(device(first, &mac(2))).await, USED);
    assert_eq!(nas.login(device(second, &mac(2))).await, ACCEPT);
    aaa.stop().await;
}

async fn a_lost_use_is_written_at_its_start(app: TestApp) {
    let code = code(&app, 1).await;
    // a process let it in and died before it wrote: the router reports the session all the same
    app.nas.report(crate::nas::Report { mac: Some(&mac(1)), ..started(&code, "h1") }).await;
    used(&app, 1).await;
    assert_eq!(app.nas.login(device(&code, &mac(2))).await, USED);
    assert_eq!(app.nas.login(device(&code, &mac(1))).await, ACCEPT);
    used(&app, 1).await;
}

async fn a_hundred_codes_at_once(app: TestApp) {
    let made = codes(&app, 100, 1).await;
    for (n, (_, code)) in made.iter().enumerate() {
        assert_eq!(app.nas.login(device(code, &mac(n))).await, ACCEPT, "{n}");
    }
}

async fn wrong_codes_are_slowed_down(app: TestApp) {
    let code = code(&app, 1).await;
    // one device: the fifth wrong code in a minute takes its time, and a right one does not
    for n in 0..4 {
        let answer = app.nas.try_login(Login { port: n, ..device("0000", &mac(1)) }, PROMPT).await;
        assert_eq!(answer.as_deref(), Some(UNKNOWN), "{n}");
    }
    assert_eq!(app.nas.try_login(Login { port: 9, ..device("0000", &mac(1)) }, PROMPT).await, None);
    assert_eq!(app.nas.try_login(device(&code, &mac(1)), PROMPT).await.as_deref(), Some(ACCEPT));
    // ever new devices through one router: after sixty in a minute all of them
    app.app.clock.pass(seconds(61));
    for n in 0..60 {
        let answer = app.nas.try_login(device("0000", &mac(100 + n)), PROMPT).await;
        assert_eq!(answer.as_deref(), Some(UNKNOWN), "{n}");
    }
    assert_eq!(app.nas.try_login(device("0000", &mac(200)), PROMPT).await, None);
    let delayed = app.aaa.metrics().into_iter().find(|(name, _)| name == "logins_delayed_total");
    assert_eq!(delayed.map(|(_, count)| count), Some(2.0));
    app.app.clock.pass(seconds(61));
    assert_eq!(app.nas.try_login(device("0000", &mac(201)), PROMPT).await.as_deref(), Some(UNKNOWN));
}

async fn deleted_and_foreign_vouchers(app: TestApp) {
    let made = codes(&app, 2, 1).await;
    let (id, code) = &made[0];
    // a router of another provider knows none of them
    let created =
        tenants::create_isp(&app.app, tenants::NewIsp { owner_email: "b@example.com".into(), ..isp("Other") });
    let created = created.await.expect("another Isp");
    let other = Actor { isp: created.isp, who: Who::Staff(created.owner), branch: None, may_write: true };
    let router = NewRouter {
        name: "foreign".into(),
        vendor: "mikrotik".into(),
        network: "127.9.9.9".into(),
        nas_identifier: None,
        secret: SECRET.into(),
        coa_port: 3799,
        ma_policy: "require".into(),
        api_address: None,
    };
    routers::create(&app.app, &other, router).await.expect("a router");
    assert_eq!(app.nas.at("127.9.9.9").login(device(code, &mac(1))).await, UNKNOWN);
    vouchers::delete(&app.app, &app.actor, vec![*id]).await.expect("deleted");
    assert_eq!(app.nas.login(device(code, &mac(1))).await, UNKNOWN);
    // deleted after its first use: its device keeps what was paid for
    let (id, code) = &made[1];
    assert_eq!(app.nas.login(device(code, &mac(1))).await, ACCEPT);
    app.event("voucher.used").await;
    vouchers::delete(&app.app, &app.actor, vec![*id]).await.expect("deleted");
    assert_eq!(app.nas.login(device(code, &mac(1))).await, ACCEPT);
    assert_eq!(app.nas.login(device(code, &mac(2))).await, USED);
}

/// Changes the one voucher behind the directory's back, as another node does at the same moment.
async fn behind_its_back(app: &TestApp, change: &'static str) {
    let isp = app.actor.isp;
    let written = app.app.db.tx(service::Class::Interactive, async move |tx| {
        tx.run(format!("update voucher set {change} where isp_id = $1"), &[isp.into()]).await
    });
    assert_eq!(written.await.map_err(|error: store::db::Error| error).expect("a change"), 1);
}

/// How many orders to send a voucher's guest away have been given so far.
async fn turned_away(app: &TestApp) -> i64 {
    let count = app.app.db.read(async |tx: &store::db::Tx| {
        let sql = "select count(*) from job where kind = 'turn_away'";
        tx.row(sql.to_owned(), &[]).await?.map_or(Ok(0), |row| row.get(0))
    });
    count.await.map_err(|error: store::db::Error| error).expect("orders")
}

async fn who_was_let_in_and_then_refused_is_sent_away(app: TestApp) {
    let code = code(&app, 1).await;
    behind_its_back(&app, "used = clients").await;
    let more_than = async |before| (turned_away(&app).await > before).then_some(());
    let device_mac = mac(1);
    assert_eq!(app.nas.login(device(&code, &device_mac)).await, ACCEPT, "memory says that it is free");
    // its Start comes after the refusal, or before: either way it goes
    app.until("the guest is to go", async || more_than(0).await).await;
    app.nas.report(crate::nas::Report { mac: Some(&device_mac), ..started(&code, "h1") }).await;
    let orders = app.nas.orders(1).await;
    assert!(orders[0].starts_with(&format!("Disconnect-Request User-Name={code} Acct-Session-Id=h1")), "{orders:?}");
    assert_eq!(app.ledger().await, "", "nothing was sold");
    app.nas.report(crate::nas::Report { mac: Some(&device_mac), ..stopped(&code, "h1", 5, 0, 0) }).await;
    // withdrawn: when the Start comes no memory has the code any more
    behind_its_back(&app, "used = 0, code_key = null").await;
    let other_mac = mac(2);
    let before = turned_away(&app).await;
    assert_eq!(app.nas.login(device(&code, &other_mac)).await, ACCEPT);
    app.until("the second guest is to go", async || more_than(before).await).await;
    let voucher = row(&app).await.id;
    app.app
        .change(&app.actor, service::Class::Interactive, async move |change| {
            change.tell(service::Fact::VouchersDeleted { vouchers: vec![voucher] });
            Ok(())
        })
        .await
        .expect("the feed tells");
    assert_eq!(app.nas.login(device(&code, &mac(3))).await, UNKNOWN, "the directory knows");
    app.nas.report(crate::nas::Report { mac: Some(&other_mac), ..started(&code, "h2") }).await;
    app.app.clock.pass(seconds(11));
    let wanted = format!("Disconnect-Request User-Name={code} Acct-Session-Id=h2");
    while !app.nas.orders(1).await.iter().any(|order| order.starts_with(&wanted)) {}
}
