//! Two nodes on one PostgreSQL database, each with its own directory.

use std::time::Duration;

use domain::Status;
use service::{App, Db, Location};

use crate::{
    app::TestApp,
    nas::{Nas, login},
};

/// Nobody waits so long but a failing test.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_changes_the_other_follows() {
    let Some(server) = store::testing::postgres() else { return };
    let location = Location::Postgres(server.database("nodes"));
    let a = TestApp::on(location.clone()).await;
    let db = Db::open(&location).await.expect("the database");
    let b = App::new(db, a.app.clock.clone(), a.app.vault.clone(), "second");
    let feed_b = b.feed.clone();
    let loopback: std::net::SocketAddr = ([127, 0, 0, 1], 0).into();
    let settings =
        aaa::Settings { auth: loopback, acct: loopback, threads: 1, strip_realm: true, held: aaa::Held::default() };
    let aaa_b = aaa::start(b, settings).await.expect("RADIUS ports");
    aaa_b.ready().await;
    let nas_b = Nas::new(aaa_b.auth_addr(), aaa_b.acct_addr(), crate::app::SECRET).await;

    let follow = async || {
        for (isp, seq) in service::access::directory::heads(&a.app).await.expect("events") {
            assert!(feed_b.settled(isp, seq, PATIENCE).await, "the second node follows");
        }
    };
    let ali = a.customer("ali", a.gold).await;
    follow().await;
    assert!(aaa_b.directory.service(ali.service).is_some());
    let login = async || nas_b.login(login("ali")).await;
    let told = login().await;
    assert!(told.starts_with("Access-Accept"), "{told}");
    a.put(ali, Status::Suspended).await.expect("suspended");
    follow().await;
    let told = login().await;
    assert!(told.starts_with("Access-Reject Reply-Message=Your service is suspended"), "{told}");
    a.put(ali, Status::Active).await.expect("active");
    follow().await;
    let told = login().await;
    assert!(told.starts_with("Access-Accept"), "{told}");
}
