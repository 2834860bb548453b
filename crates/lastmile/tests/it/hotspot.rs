//! The hotspot's access log holds what RADIUS saw: who came in, and who failed to.

use domain::Kind;
use service::{HotspotFilter, access::hotspot};

use crate::{
    app::{TestApp, days},
    both,
    nas::{Login, interim, login, started, stopped},
};

async fn comings_and_failures_of_visitors_are_logged(app: TestApp) {
    app.customer("ali", app.gold).await;
    let day = app.plan("day", |plan| plan.kind = Kind::Hotspot).await;
    let visitor = app.try_customer("eve", |customer| {
        customer.kind = Kind::Hotspot;
        customer.plan = day;
        customer.username = Some("eve".into());
        customer.portal_password = "secret".into();
        (customer.network_username, customer.network_password) = (None, None);
    });
    visitor.await.expect("a visitor");
    for name in ["ali", "eve"] {
        assert!(app.nas.login(Login { password: "wrong", ..login(name) }).await.starts_with("Access-Reject"));
        assert!(app.nas.login(login(name)).await.starts_with("Access-Accept"));
        app.nas.report(started(name, name)).await;
        app.nas.report(started(name, name)).await;
        app.nas.report(interim(name, name, 60, 1, 1)).await;
        app.nas.report(stopped(name, name, 90, 2, 2)).await;
    }
    let now = app.app.clock.now();
    let today = HotspotFilter { from: now.plus(-days(1)), until: now.plus(days(1)), ..HotspotFilter::default() };
    // Refusals are written a moment later.
    let both_written = async || {
        let log = hotspot::log(&app.app, &app.actor, today.clone(), 0, 10).await.expect("the log");
        (log.total >= 2).then_some(log)
    };
    let log = app.until("both steps are in the log", both_written).await;
    let mut steps: Vec<_> = log.steps.iter().map(|step| &step.access).collect();
    steps.sort_unstable_by(|a, b| a.kind.cmp(&b.kind));
    let told: Vec<_> = steps.iter().map(|step| (&*step.kind, step.username.as_deref())).collect();
    assert_eq!(told, [("failed_to_log_in", Some("eve")), ("logged_in", Some("eve"))], "once a session; not of PPPoE");
    assert!(steps.iter().all(|step| step.customer_id.is_some() && step.mac.is_some()));
}

both!(comings_and_failures_of_visitors_are_logged);
