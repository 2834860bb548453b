//! What is only looked back at goes after its time; money stays, and whoever follows the events misses nothing.

use crate::{app::TestApp, both, nas::login};
use domain::kernel::clock::DAY;

async fn events_end_and_money_stays(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    let numbers = async || {
        let events = service::access::directory::events_after(&app.app, app.actor.isp, 0, 1000).await.expect("events");
        events.iter().map(|event| event.seq).collect::<Vec<_>>()
    };
    let (before, ledger) = (numbers().await, app.ledger().await);
    let last = *before.last().expect("events of the beginning");

    app.pass((worker::EVENTS_KEPT_DAYS - 1) * DAY).await;
    assert_eq!(numbers().await[..before.len()], before, "within their time they stay");
    app.pass(2 * DAY).await;
    assert!(numbers().await.iter().all(|seq| *seq > last), "then they are gone");
    assert_eq!(app.ledger().await, ledger);

    app.recharge(ali).await.expect("a recharge");
    let answer = app.nas.login(login("ali")).await;
    assert!(answer.starts_with("Access-Accept"), "the feed goes on behind what is gone: {answer}");
}

both!(events_end_and_money_stays);
