//! Accounting over real UDP: what is acknowledged is in the database, whatever the order it came in.

use crate::{
    app::{TestApp, seconds, start},
    both,
    nas::{Report, interim, login, started, stopped},
};

both!(
    repeats_and_late_reports_change_nothing,
    a_session_id_used_again_is_a_new_session,
    a_restart_of_the_router_ends_its_sessions,
    a_lost_session_reopens,
    late_reports_count_on_their_day,
    usage_of_the_second_of_a_sale_is_of_what_was_sold,
    data_quota_ends_the_session_once,
    unknown_users_are_recorded_without_a_service,
);

async fn repeats_and_late_reports_change_nothing(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    app.nas.report(started("ali", "s1")).await;
    app.app.clock.pass(seconds(700));
    for (time, up, down) in [(600, 2000, 9000), (600, 2000, 9000), (300, 1000, 5000)] {
        app.nas.report(interim("ali", "s1", time, up, down)).await;
    }
    // the Start again, as a router that was cut off for a while sends it
    app.nas.report(Report { event_timestamp: Some(start().unix() as u32), ..started("ali", "s1") }).await;
    app.nas.report(stopped("ali", "s1", 700, 2500, 10_000)).await;
    app.nas.report(interim("ali", "s1", 800, 9999, 99_999)).await;
    let sessions = app.sessions(ali).await;
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    assert_eq!(
        (sessions[0].up_total, sessions[0].down_total, sessions[0].state),
        (2500, 10_000, store::access::session::CLOSED)
    );
    let row = app.row(ali).await;
    assert_eq!((row.used_bytes, row.used_time_s), (12_500, 700));
}

async fn a_session_id_used_again_is_a_new_session(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    app.nas.report(started("ali", "s1")).await;
    app.app.clock.pass(seconds(600));
    app.nas.report(interim("ali", "s1", 600, 10, 20)).await;
    app.app.clock.pass(seconds(3600));
    // the same id, an hour later, with another address: the router has forgotten the first
    app.nas.report(Report { address: Some("10.0.0.10"), ..started("ali", "s1") }).await;
    app.app.clock.pass(seconds(60));
    app.nas.report(stopped("ali", "s1", 60, 1, 2)).await;
    let sessions = app.sessions(ali).await;
    let told: Vec<_> = sessions.iter().map(|s| (s.generation, s.down_total, s.end_cause.as_deref())).collect();
    assert_eq!(told, [(1, 20, Some("superseded")), (2, 2, Some("stop"))]);
    assert_eq!(app.aaa.directory.online(), 0);
}

async fn a_restart_of_the_router_ends_its_sessions(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    app.nas.report(started("ali", "s1")).await;
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 300, 10, 20)).await;
    app.app.clock.pass(seconds(10));
    app.nas.restarted(7).await;
    let sessions = app.sessions(ali).await;
    assert_eq!((sessions[0].state, sessions[0].down_total), (store::access::session::CLOSED, 20));
    assert_eq!(app.aaa.directory.online(), 0);
}

async fn a_lost_session_reopens(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    app.nas.login(login("ali")).await;
    app.nas.report(started("ali", "s1")).await;
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 300, 10, 20)).await;
    app.app.clock.pass(seconds(901));
    app.close_silent().await;
    assert_eq!(app.sessions(ali).await[0].state, store::access::session::LOST);
    app.nas.report(interim("ali", "s1", 1201, 30, 50)).await;
    let sessions = app.sessions(ali).await;
    assert_eq!((sessions.len(), sessions[0].state, sessions[0].down_total), (1, store::access::session::OPEN, 50));
    assert_eq!(app.row(ali).await.used_bytes, 80);
}

async fn late_reports_count_on_their_day(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    // 2030-01-01 00:00 local; five hours into the second day comes a report of 23:50 of the first
    app.app.clock.pass(seconds(86_400 + 5 * 3600));
    let ten_to_midnight = (start().unix() + 86_400 - 600) as u32;
    app.nas.report(Report { event_timestamp: Some(ten_to_midnight), ..interim("ali", "s1", 300, 100, 200) }).await;
    app.nas.report(interim("ali", "s1", 900, 150, 300)).await;
    let days = service::access::accounting::usage_by_day(&app.app, app.actor.isp, ali.service).await.expect("usage");
    let first = 21_915; // 2030-01-01
    assert_eq!(days, [(first, 100, 200, 300), (first + 1, 50, 100, 600)]);
}

/// An Event-Timestamp says the second; a sale is in the middle of it.
async fn usage_of_the_second_of_a_sale_is_of_what_was_sold(app: TestApp) {
    let halfway = domain::kernel::clock::SECOND / 2;
    let report = async |stamp: i64, time, up, down| {
        let event_timestamp = Some(stamp as u32);
        app.nas.report(Report { event_timestamp, ..interim("ali", "s1", time, up, down) }).await;
    };
    app.app.clock.pass(halfway);
    let ali = app.customer("ali", app.gold).await;
    report(start().unix(), 300, 100, 200).await;
    assert_eq!(app.row(ali).await.used_bytes, 300, "of the second of its first sale");
    // its period ends, and it is sold another one
    app.app.clock.pass(seconds(40 * 86_400));
    let anew = start().unix() + 40 * 86_400;
    app.recharge(ali).await.expect("a recharge");
    assert_eq!(app.row(ali).await.used_bytes, 0);
    report(anew - 1, 301, 150, 250).await;
    assert_eq!(app.row(ali).await.used_bytes, 0, "of a second before");
    report(anew, 302, 151, 252).await;
    assert_eq!(app.row(ali).await.used_bytes, 3, "of the same second");
}

async fn data_quota_ends_the_session_once(app: TestApp) {
    let plan = app
        .plan("5GB", |plan| {
            plan.limited = true;
            plan.limit_type = Some("Data_Limit".into());
            plan.data_limit = Some(5);
            plan.data_unit = Some("GB".into());
        })
        .await;
    let ali = app.customer("ali", plan).await;
    let accept = app.nas.login(login("ali")).await;
    assert!(accept.ends_with("Mikrotik-Total-Limit=705032704 Mikrotik-Total-Limit-Gigawords=1"), "{accept}");
    app.nas.report(started("ali", "s1")).await;
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 300, 200_000_000, 4_000_000_000)).await;
    assert_eq!(app.nas.unexpected_orders(), [""; 0]);
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 600, 200_000_000, 4_900_000_000)).await;
    let ended = app.nas.orders(1).await;
    assert!(ended[0].starts_with("Disconnect-Request User-Name=ali"), "{ended:?}");
    app.nas.report(stopped("ali", "s1", 610, 200_000_000, 4_950_000_000)).await;
    assert_eq!(
        app.nas.login(login("ali")).await,
        "Access-Reject Reply-Message=Your package is used up, please recharge"
    );
    let crossings = app.events().await.into_iter().filter(|kind| kind == "service.quota_used_up").count();
    assert_eq!(crossings, 1);
    // buying again adds to what was bought before the end of time
    app.recharge(ali).await.expect("a recharge");
    let accept = app.nas.login(login("ali")).await;
    assert!(accept.contains("Mikrotik-Total-Limit"), "{accept}");
}

async fn unknown_users_are_recorded_without_a_service(app: TestApp) {
    app.nas.report(started("stranger", "s9")).await;
    let isp = app.actor.isp;
    let sessions =
        app.app.db.read(async move |tx| store::access::session::latest(tx, isp, 10).await).await.expect("sessions");
    assert_eq!((sessions.len(), sessions[0].service_id), (1, None));
}
