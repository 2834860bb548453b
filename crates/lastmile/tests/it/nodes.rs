//! Two nodes on one PostgreSQL database, each with its own directory.

use std::time::{Duration, Instant};

use domain::Status;
use service::{App, Db, Location};

use crate::{
    app::TestApp,
    nas::{Nas, login},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_changes_the_other_follows() {
    let Some(server) = store::testing::postgres() else { return };
    let location = Location::Postgres(server.database("nodes"));
    let a = TestApp::on(location.clone()).await;
    let db = Db::open(&location).await.expect("the database");
    let b = App::new(db, a.app.clock.clone(), a.app.vault.clone(), "second");
    let loopback: std::net::SocketAddr = ([127, 0, 0, 1], 0).into();
    let settings = aaa::Settings { auth: loopback, acct: loopback, threads: 1, strip_realm: true };
    let aaa_b = aaa::start(b, settings).await.expect("RADIUS ports");
    aaa_b.ready().await;
    let nas_b = Nas::new(aaa_b.auth_addr(), aaa_b.acct_addr(), crate::app::SECRET).await;

    let promised = Duration::from_millis(500);
    let ali = a.customer("ali", a.gold).await;
    // Guesses at a name that is not known yet would be answered late.
    within(promised, async || aaa_b.directory.service(ali.service).is_some()).await;
    let login = async |expected: &str| nas_b.login(login("ali")).await.starts_with(expected);
    assert!(login("Access-Accept").await);
    a.put(ali, Status::Suspended).await.expect("suspended");
    within(promised, async || login("Access-Reject Reply-Message=Your service is suspended").await).await;
    a.put(ali, Status::Active).await.expect("active");
    within(promised, async || login("Access-Accept").await).await;
}

/// Asks until it is so. Twice the promised time, for a busy machine.
async fn within(promised: Duration, is_so: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < promised * 2, "not within {promised:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
