//! Usage without gigawords over the whole path: a wrap on a fast line, a reset on a slow one.

use service::catalogue::plans;

use crate::{
    app::{TestApp, bandwidth, seconds},
    both,
    nas::{Report, interim},
};

both!(a_wrap_fits_the_line_and_a_reset_does_not);

async fn a_wrap_fits_the_line_and_a_reset_does_not(app: TestApp) {
    let fast = plans::create_bandwidth(&app.app, &app.actor, bandwidth("100M", 100_000, 100_000)).await.expect("rates");
    let slow = plans::create_bandwidth(&app.app, &app.actor, bandwidth("1M", 1000, 1000)).await.expect("rates");
    let fast = app.plan("fast", |plan| plan.bandwidth = fast.id).await;
    let slow = app.plan("slow", |plan| plan.bandwidth = slow.id).await;
    let (ali, eve) = (app.customer("ali", fast).await, app.customer("eve", slow).await);
    app.app.clock.pass(seconds(900));
    for name in ["ali", "eve"] {
        for (time, down) in [(600, 4_000_000_000), (900, 100_000_000)] {
            app.nas.report(Report { gigawords: false, ..interim(name, name, time, 0, down) }).await;
        }
    }
    assert_eq!(app.sessions(ali).await[0].down_total, 4_394_967_296);
    assert_eq!(app.sessions(eve).await[0].down_total, 4_100_000_000);
}
