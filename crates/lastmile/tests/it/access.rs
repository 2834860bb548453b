//! Logins: every method, every state, what changes reach at once.

use std::time::Duration;

use domain::{Money, Status};
use service::{
    access::attributes::{self, NewAttribute},
    catalogue::plans::{self, BandwidthChange, Expiry, PlanChange},
};

use crate::{
    app::{TestApp, bandwidth, days, seconds},
    both,
    nas::{Login, Method, login, started, stopped},
};

/// Long enough to be sure that silence is silence.
const SILENCE: Duration = Duration::from_millis(300);

const ACCEPT: &str = "Access-Accept Framed-Pool=main Session-Timeout=2592000 Mikrotik-Rate-Limit=10M/10M";
const WRONG: &str = "Access-Reject Reply-Message=Wrong username or password";

both!(
    methods_and_passwords,
    states,
    shared_users_and_the_same_device,
    mac_lock_learns_once,
    changes_reach_live_sessions,
    expired_into_the_walled_garden_and_back,
    a_static_address,
    own_attributes_check_and_reply,
    a_pool_of_ours_gives_addresses,
    deletion_frees_the_name_and_ends_the_session,
);

async fn methods_and_passwords(app: TestApp) {
    app.customer("ali", app.gold).await;
    for method in [Method::Pap, Method::Chap, Method::MsChapV2] {
        assert_eq!(app.nas.login(Login { method, ..login("ali") }).await, ACCEPT, "{method:?}");
        assert_eq!(app.nas.login(Login { method, password: "wrong", ..login("ali") }).await, WRONG, "{method:?}");
    }
    // names are compared without case, spaces around, and realm
    for name in ["ALI", " ali ", "ali@isp.example"] {
        assert_eq!(app.nas.login(login(name)).await, ACCEPT, "{name}");
    }
    assert_eq!(app.nas.login(Login { port: 9, ..login("nobody") }).await, WRONG);
    // a router under `require` gets no answer to an unsigned request (CVE-2024-3596)
    assert_eq!(app.nas.try_login(Login { signed: false, ..login("ali") }, SILENCE).await, None);
}

async fn states(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    let rows = [
        (Status::Suspended, "Access-Reject Reply-Message=Your service is suspended, please contact us"),
        (Status::Disabled, "Access-Reject Reply-Message=Your service is disabled, please contact us"),
        (Status::Inactive, "Access-Reject Reply-Message=Your service is switched off, please contact us"),
        (Status::Active, ACCEPT),
    ];
    for (status, expected) in rows {
        app.put(ali, status).await.expect("a change of status");
        assert_eq!(app.nas.login(login("ali")).await, expected, "{status:?}");
    }
    app.pass(days(31)).await;
    assert_eq!(
        app.nas.login(login("ali")).await,
        "Access-Reject Reply-Message=Your package has expired, please recharge"
    );
    app.put(ali, Status::Suspended).await.expect("suspended");
    // an ended period cannot be activated, only sold anew
    assert!(app.put(ali, Status::Active).await.is_err());
    app.recharge(ali).await.expect("a recharge");
    assert_eq!(app.nas.login(login("ali")).await, ACCEPT);
}

async fn shared_users_and_the_same_device(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    let other = Login { mac: Some("02-00-00-00-00-02"), port: 8, ..login("ali") };
    assert_eq!(app.nas.login(login("ali")).await, ACCEPT);
    // an Accept keeps its place for its Start
    assert_eq!(app.nas.login(other.clone()).await, "Access-Reject Reply-Message=Too many devices are connected");
    // the same device asking again is the same place
    assert_eq!(app.nas.login(login("ali")).await, ACCEPT);
    app.nas.report(started("ali", "s1")).await;
    assert_eq!(app.nas.login(other.clone()).await, "Access-Reject Reply-Message=Too many devices are connected");
    assert_eq!(app.nas.login(login("ali")).await, ACCEPT);
    // three silent intervals make room
    app.app.clock.pass(seconds(901));
    let accept = app.nas.login(other).await;
    assert!(accept.starts_with("Access-Accept"), "{accept}");
    app.close_silent().await;
    let sessions = app.sessions(ali).await;
    assert!(sessions.iter().all(|row| row.state == store::access::session::LOST), "{sessions:?}");
}

async fn mac_lock_learns_once(app: TestApp) {
    let locked = app.plan("locked", |plan| plan.mac_lock = true).await;
    app.customer("ali", locked).await;
    assert_eq!(app.nas.login(login("ali")).await, ACCEPT);
    let other = Login { mac: Some("0200.0000.0002"), ..login("ali") };
    let wrong = "Access-Reject Reply-Message=This device is not registered for your service";
    assert_eq!(app.nas.login(other).await, wrong);
    assert_eq!(
        app.nas.login(Login { mac: None, ..login("ali") }).await,
        "Access-Reject Reply-Message=Your device could not be identified"
    );
    assert_eq!(app.nas.login(login("ali")).await, ACCEPT);
}

async fn changes_reach_live_sessions(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    app.nas.login(login("ali")).await;
    app.nas.report(started("ali", "s1")).await;

    // a faster plan
    let change = BandwidthChange { down_kbps: Some(20_000), ..BandwidthChange::default() };
    plans::update_bandwidth(&app.app, &app.actor, app.bandwidth, change).await.expect("new rates");
    let coa = "CoA-Request User-Name=ali Acct-Session-Id=s1 Framed-IP-Address=10.0.0.9 Session-Timeout=2592000 \
               Mikrotik-Rate-Limit=10M/20M";
    assert_eq!(app.nas.orders(1).await, [coa]);

    // another bandwidth for the plan
    let slow = plans::create_bandwidth(&app.app, &app.actor, bandwidth("1M", 1000, 1000)).await.expect("a bandwidth");
    let change = PlanChange { bandwidth: Some(slow.id), ..PlanChange::default() };
    plans::update(&app.app, &app.actor, app.gold, change).await.expect("the plan changed");
    assert_eq!(app.nas.orders(1).await, [coa.replace("10M/20M", "1M/1M")]);

    // a new price changes nothing on the line
    let change = PlanChange { price: Some(Money(200_000)), ..PlanChange::default() };
    plans::update(&app.app, &app.actor, app.gold, change).await.expect("the price changed");

    // a recharge extends the time the session may last
    app.recharge(ali).await.expect("a recharge");
    assert_eq!(app.nas.orders(1).await, [coa.replace("10M/20M", "1M/1M").replace("2592000", "5184000")]);

    // suspended: ended at once; activated: free to come back
    app.put(ali, Status::Suspended).await.expect("suspended");
    let disconnect = "Disconnect-Request User-Name=ali Acct-Session-Id=s1 Framed-IP-Address=10.0.0.9";
    assert_eq!(app.nas.orders(1).await, [disconnect]);

    // the router says that it does not know the session: it is over here too
    app.nas.refuse(Some(503));
    app.put(ali, Status::Active).await.expect("active");
    app.nas.orders(1).await;
    app.update(ali, |change| change.network_password = Some("other".into())).await.expect("a new password");
    assert_eq!(app.nas.login(login("ali")).await, WRONG);
    let accept = app.nas.login(Login { password: "other", ..login("ali") }).await;
    assert!(accept.starts_with("Access-Accept"), "{accept}");
}

async fn expired_into_the_walled_garden_and_back(app: TestApp) {
    let slow = plans::create_bandwidth(&app.app, &app.actor, bandwidth("512k", 512, 512)).await.expect("a bandwidth");
    let garden = plans::NewPool { name: "expired".into(), router: None, ranges: "10.9.0.0/24".into(), allocate: "nas" };
    let garden = plans::create_pool(&app.app, &app.actor, garden).await.expect("a pool");
    let plan = app
        .plan("garden", |plan| {
            plan.expiry =
                Expiry::Restrict { pool: Some(garden), address_list: Some("unpaid".into()), bandwidth: Some(slow.id) }
        })
        .await;
    let ali = app.customer("ali", plan).await;
    app.nas.login(login("ali")).await;
    app.nas.report(started("ali", "s1")).await;
    app.pass(days(30)).await;
    // another pool: the session must log in again
    let ended = app.nas.orders(1).await;
    assert!(ended[0].starts_with("Disconnect-Request"), "{ended:?}");
    app.nas.report(stopped("ali", "s1", 2_592_000, 1, 2)).await;
    let accept = "Access-Accept Framed-Pool=expired Mikrotik-Rate-Limit=512k/512k Mikrotik-Address-List=unpaid";
    assert_eq!(app.nas.login(login("ali")).await, accept);
    app.nas.report(started("ali", "s2")).await;
    app.recharge(ali).await.expect("a recharge");
    let ended = app.nas.orders(1).await;
    assert!(ended[0].starts_with("Disconnect-Request User-Name=ali Acct-Session-Id=s2"), "{ended:?}");
    assert_eq!(app.nas.login(login("ali")).await, ACCEPT);
}

async fn a_static_address(app: TestApp) {
    let ali =
        app.try_customer("ali", |customer| customer.ip = Some("10.0.0.77".parse().unwrap())).await.expect("a customer");
    assert_eq!(
        app.nas.login(login("ali")).await,
        "Access-Accept Framed-IP-Address=10.0.0.77 Session-Timeout=2592000 Mikrotik-Rate-Limit=10M/10M"
    );
    app.update(ali, |change| change.ip = Some(None)).await.expect("no longer static");
    assert_eq!(app.nas.login(login("ali")).await, ACCEPT);
}

async fn own_attributes_check_and_reply(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    app.nas.login(login("ali")).await;
    app.nas.report(started("ali", "s1")).await;
    let add = |attribute: &str, op: &str, value: &str| {
        let command = NewAttribute { attribute: attribute.into(), op: op.into(), value: value.into() };
        attributes::add(&app.app, &app.actor, ali.customer, command)
    };
    // a reply of one's own wins over the plan's, at once
    let rate = add("Mikrotik-Rate-Limit", ":=", "3M/3M").await.expect("an attribute");
    let coa = app.nas.orders(1).await;
    assert!(!coa[0].contains("10M/10M"), "{coa:?}");
    assert_eq!(
        app.nas.login(login("ali")).await,
        "Access-Accept Framed-Pool=main Session-Timeout=2592000 Mikrotik-Rate-Limit=3M/3M"
    );
    // a check: only from this port
    add("NAS-Port", "==", "7").await.expect("a check");
    assert!(app.nas.login(login("ali")).await.starts_with("Access-Accept"));
    let elsewhere = Login { port: 8, ..login("ali") };
    let refused = "Access-Reject Reply-Message=This connection is not allowed for your service";
    assert_eq!(app.nas.login(elsewhere).await, refused);
    attributes::remove(&app.app, &app.actor, ali.customer, rate).await.expect("removed");
    assert_eq!(app.nas.login(login("ali")).await, ACCEPT);
    assert!(attributes::remove(&app.app, &app.actor, ali.customer, rate).await.is_err());
    assert!(add("NAS-Port", "~~", "7").await.is_err(), "an unknown operator");
}

async fn a_pool_of_ours_gives_addresses(app: TestApp) {
    let ours =
        plans::NewPool { name: "ours".into(), router: None, ranges: "10.5.0.1-10.5.0.2".into(), allocate: "server" };
    let ours = plans::create_pool(&app.app, &app.actor, ours).await.expect("a pool");
    let plan = app.plan("addressed", |plan| plan.pool = Some(ours)).await;
    for name in ["ali", "eve", "bob"] {
        app.customer(name, plan).await;
    }
    let given = |answer: String| answer.split(' ').nth(1).unwrap_or_default().to_string();
    let from = |name: &'static str, port: u32| Login { port, mac: None, ..login(name) };
    let first = given(app.nas.login(from("ali", 1)).await);
    assert!(first.starts_with("Framed-IP-Address=10.5.0."), "{first}");
    let second = given(app.nas.login(from("eve", 2)).await);
    assert_ne!(first, second);
    assert_eq!(
        app.nas.login(from("bob", 3)).await,
        "Access-Reject Reply-Message=No address is free, please try again later"
    );
    assert_eq!(given(app.nas.login(from("ali", 1)).await), first, "a line keeps its address");
}

async fn deletion_frees_the_name_and_ends_the_session(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    app.nas.login(login("ali")).await;
    app.nas.report(started("ali", "s1")).await;
    app.delete(ali).await.expect("deleted");
    let ended = app.nas.orders(1).await;
    assert!(ended[0].starts_with("Disconnect-Request User-Name=ali"), "{ended:?}");
    assert_eq!(app.nas.login(login("ali")).await, WRONG);
    let again = app.customer("ali", app.gold).await;
    assert_ne!(again.customer, ali.customer);
    assert_eq!(app.nas.login(login("ali")).await, ACCEPT);
}
