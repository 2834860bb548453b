//! Orders to the network that meet bad luck: a change between an Accept and its Start, a router that is silent, a
//! session that outstays its order, a session that came after it.

use domain::{Status, kernel::clock::MINUTE};
use service::{
    access::orders::{self, Scope, Wish},
    catalogue::plans::{self, BandwidthChange, NewPool},
};

use crate::{
    app::{TestApp, days, seconds},
    both,
    nas::{Login, interim, login, started, stopped},
};

both!(
    suspended_between_accept_and_start,
    a_new_rate_between_accept_and_start,
    renamed_between_accept_and_start,
    whoever_outstays_an_order_is_reminded,
    an_order_under_way_is_not_given_twice,
    who_came_after_the_order_stays,
    addresses_of_our_own_pool,
    refused_logins_are_forgotten,
    a_service_that_cannot_be_renewed_holds_up_nobody,
);

const DISCONNECT: &str = "Disconnect-Request User-Name=ali Acct-Session-Id=s1 Framed-IP-Address=10.0.0.9";

async fn suspended_between_accept_and_start(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    assert!(app.nas.login(login("ali")).await.starts_with("Access-Accept"));
    app.put(ali, Status::Suspended).await.expect("suspended");
    app.settled().await;
    app.nas.report(started("ali", "s1")).await;
    assert_eq!(app.nas.orders(1).await, [DISCONNECT]);
}

async fn a_new_rate_between_accept_and_start(app: TestApp) {
    app.customer("ali", app.gold).await;
    assert!(app.nas.login(login("ali")).await.starts_with("Access-Accept"));
    let change = BandwidthChange { down_kbps: Some(20_000), ..BandwidthChange::default() };
    plans::update_bandwidth(&app.app, &app.actor, app.bandwidth, change).await.expect("new rates");
    app.settled().await;
    app.nas.report(started("ali", "s1")).await;
    let orders = app.nas.orders(1).await;
    assert!(orders[0].starts_with("CoA-Request") && orders[0].ends_with("10M/20M"), "{orders:?}");
    // nothing has changed since: no further order
    app.nas.report(interim("ali", "s1", 300, 1, 2)).await;
    app.settled().await;
    assert!(app.nas.unexpected_orders().is_empty());
}

/// What Class says counts, not what the line was called then.
async fn renamed_between_accept_and_start(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    assert!(app.nas.login(login("ali")).await.starts_with("Access-Accept"));
    app.update(ali, |change| change.network_username = Some("ali2".into())).await.expect("renamed");
    let class = format!("lm1:s:{}", ali.service).into_bytes();
    app.nas.report(crate::nas::Report { class: Some(class), ..started("ali", "s1") }).await;
    assert_eq!(app.sessions(ali).await.len(), 1);
}

async fn whoever_outstays_an_order_is_reminded(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    app.nas.login(login("ali")).await;
    app.nas.report(started("ali", "s1")).await;
    app.put(ali, Status::Suspended).await.expect("suspended");
    assert_eq!(app.nas.orders(1).await, [DISCONNECT]);
    app.settled().await;
    // acknowledged, and yet it goes on
    app.app.clock.pass(seconds(299));
    app.nas.report(interim("ali", "s1", 299, 1, 2)).await;
    app.settled().await;
    assert!(app.nas.unexpected_orders().is_empty());
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 599, 1, 2)).await;
    assert_eq!(app.nas.orders(1).await, [DISCONNECT]);
}

/// A clock set forward ends leases: of orders that are still being worked on too.
async fn an_order_under_way_is_not_given_twice(app: TestApp) {
    let (ali, eve) = (app.customer("ali", app.gold).await, app.customer("eve", app.gold).await);
    app.nas.report(started("ali", "s1")).await;
    app.nas.report(crate::nas::Report { mac: Some("02-00-00-00-00-02"), port: 8, ..started("eve", "s2") }).await;
    app.nas.hold();
    app.put(ali, Status::Suspended).await.expect("suspended");
    assert_eq!(app.nas.orders(1).await, [DISCONNECT]);
    app.app.clock.pass(MINUTE);
    // what orders this one to follow finds ali's order unfinished and its lease over
    app.put(eve, Status::Suspended).await.expect("suspended");
    let orders = app.nas.orders(1).await;
    assert!(orders[0].starts_with("Disconnect-Request User-Name=eve"), "{orders:?}");
    app.nas.let_go().await;
    app.settled().await;
    assert_eq!(app.nas.unexpected_orders(), [""; 0]);
}

async fn who_came_after_the_order_stays(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    app.nas.report(started("ali", "s1")).await;
    let ordered_at = app.app.clock.now();
    app.app.clock.pass(MINUTE);
    app.nas.report(stopped("ali", "s1", 60, 1, 2)).await;
    app.nas.report(started("ali", "s2")).await;
    let world = app.aaa.directory.network();
    let claimed = |ordered_at| orders::Claimed {
        isp: app.actor.isp,
        job: domain::JobId(1),
        attempts: 2,
        scope: Scope::Service(ali.service),
        ordered_at,
        disconnect: true,
        said: None,
        touched: None,
    };
    let late = orders::orders(&app.app, &world.world, &claimed(ordered_at)).await.expect("orders");
    assert!(matches!(late[0].wish, Wish::Change(_)), "{late:?}");
    let now = orders::orders(&app.app, &world.world, &claimed(app.app.clock.now())).await.expect("orders");
    assert_eq!(now[0].wish, Wish::Disconnect);
}

async fn addresses_of_our_own_pool(app: TestApp) {
    let ranges = "10.7.0.1-10.7.0.2".into();
    let pool = NewPool { name: "ours".into(), router: None, ranges, allocate: "server" };
    let pool = plans::create_pool(&app.app, &app.actor, pool).await.expect("a pool");
    let plan = app
        .plan("two", |plan| {
            plan.pool = Some(pool);
            plan.shared_users = 2;
        })
        .await;
    app.customer("ali", plan).await;
    app.customer("eve", plan).await;
    let (phone, laptop) = (login("ali"), Login { mac: Some("02-00-00-00-00-02"), port: 8, ..login("ali") });
    let first = app.nas.login(phone.clone()).await;
    assert!(first.starts_with("Access-Accept Framed-IP-Address=10.7.0.1"), "{first}");
    let second = app.nas.login(laptop.clone()).await;
    assert!(second.starts_with("Access-Accept Framed-IP-Address=10.7.0.2"), "each device has its own: {second}");
    let s1 = crate::nas::Report { address: Some("10.7.0.1"), ..started("ali", "s1") };
    let mac = Some("02-00-00-00-00-02");
    let s2 = crate::nas::Report { address: Some("10.7.0.2"), mac, port: 8, ..started("ali", "s2") };
    app.nas.report(s1).await;
    app.nas.report(s2).await;
    app.app.clock.pass(seconds(100));
    // the phone comes again before its Stop, which then frees nothing
    let again = app.nas.login(phone).await;
    assert!(again.starts_with("Access-Accept Framed-IP-Address=10.7.0.1"), "{again}");
    app.nas.report(crate::nas::Report { address: Some("10.7.0.1"), ..started("ali", "s3") }).await;
    app.nas.report(crate::nas::Report { address: Some("10.7.0.1"), ..stopped("ali", "s1", 100, 1, 2) }).await;
    app.app.clock.pass(seconds(100));
    let eve = Login { mac: Some("02-00-00-00-00-03"), port: 9, ..login("eve") };
    let full = app.nas.login(eve.clone()).await;
    assert_eq!(full, "Access-Reject Reply-Message=No address is free, please try again later");
    // the laptop is given another address by its router: its old one is free
    let moved = crate::nas::Report { address: Some("10.8.0.1"), mac, port: 8, ..interim("ali", "s2", 200, 1, 2) };
    app.nas.report(moved).await;
    let free = app.nas.login(eve).await;
    assert!(free.starts_with("Access-Accept Framed-IP-Address=10.7.0.2"), "{free}");
}

async fn refused_logins_are_forgotten(app: TestApp) {
    app.nas.login(login("nobody")).await;
    let isp = app.actor.isp;
    let count = async || {
        let rows = app.app.db.read(async move |tx| store::access::session::latest_rejects(tx, isp, 10).await);
        rows.await.expect("refusals").len()
    };
    app.until("the refusal is written", async || (count().await > 0).then_some(())).await;
    app.pass(days(89)).await;
    assert_eq!(count().await, 1);
    app.pass(days(2)).await;
    assert_eq!(count().await, 0);
}

async fn a_service_that_cannot_be_renewed_holds_up_nobody(app: TestApp) {
    let (ali, eve) = (app.customer("ali", app.gold).await, app.customer("eve", app.gold).await);
    // A period with the next number is there already: the sale fails with a fault of its own.
    let (isp, id) = (app.actor.isp, ali.service);
    app.app
        .db
        .tx(service::Class::Interactive, async move |tx| {
            let mut line = store::people::service::find(tx, isp, id).await?.expect("the service");
            (line.auto_renew, line.period_ordinal) = (true, 0);
            store::people::service::update(tx, &line).await
        })
        .await
        .expect("auto-renewal");
    crate::races::top_up(&app, ali.customer, 150_000).await;
    app.pass(days(30)).await;
    assert!(app.row(ali).await.expired_event_at.is_some());
    assert!(app.row(eve).await.expired_event_at.is_some());
    // half a sale is no sale: the books balance
    app.ledger().await;
}
