//! The golden path: sold, connected, metered, cut off, paid, restored.

use crate::{
    app::{TestApp, cash, days, seconds},
    both,
    nas::{interim, login, started, stopped},
};

both!(a_subscriber_is_sold_connected_metered_cut_off_and_restored);

async fn a_subscriber_is_sold_connected_metered_cut_off_and_restored(app: TestApp) {
    // 1. sold
    let ali = app.customer("ali", app.gold).await;
    assert_eq!(app.ledger().await, "cash:api 150000, revenue -129310, tax -20690");

    // 2. connected
    let accept = "Access-Accept Framed-Pool=main Session-Timeout=2592000 Mikrotik-Rate-Limit=10M/10M";
    assert_eq!(app.nas.login(login("ali")).await, accept);
    app.nas.report(started("ali", "s1")).await;
    assert_eq!(app.aaa.directory.online(), 1);

    // 3. metered, to the byte and beyond 32 bits
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 300, 1_000, 5_000_000_000)).await;
    let row = app.row(ali).await;
    assert_eq!((row.used_bytes, row.used_time_s), (5_000_001_000, 300));

    // 4. time runs out: the session is ended by the network, and a new login is refused
    app.pass(days(30)).await;
    assert_eq!(
        app.nas.orders(1).await,
        ["Disconnect-Request User-Name=ali Acct-Session-Id=s1 Framed-IP-Address=10.0.0.9"]
    );
    app.nas.report(stopped("ali", "s1", 2_592_300, 2_000, 5_000_002_000)).await;
    assert_eq!(app.aaa.directory.online(), 0);
    assert_eq!(
        app.nas.login(login("ali")).await,
        "Access-Reject Reply-Message=Your package has expired, please recharge"
    );

    // 5. paid: online again, by the money alone
    let receipt = app.recharge_as(ali, cash(), None).await.expect("a recharge");
    assert_eq!(receipt.amount, 150_000);
    assert_eq!(app.nas.login(login("ali")).await, accept);
    assert_eq!(app.ledger().await, "cash:api 300000, revenue -258620, tax -41380");

    // 6. and why, as dated facts
    let events = app.events().await;
    for fact in [
        "customer.created",
        "service.recharged",
        "payment.received",
        "invoice.issued",
        "service.first_used",
        "service.expired",
        "coa.acknowledged",
    ] {
        assert!(events.iter().any(|kind| kind == fact), "{fact} in {events:?}");
    }
}
