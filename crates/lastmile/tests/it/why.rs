//! Why: at each step of a customer's story the first fact is the cause of how the line stands.

use domain::{
    BranchId, CustomerId, Status,
    access::decide::Reason,
    catalogue::fup::{Measure, Reset},
};
use doors::words;
use service::{
    Error, What,
    access::fup,
    catalogue::plans,
    reports::why::{self, Because},
};

use crate::{
    app::{Line, TestApp, bandwidth, days, seconds},
    both,
    nas::{Login, interim, login, started},
};

both!(a_customers_story, who_may_ask);

async fn ask(app: &TestApp, line: Line) -> Because {
    why::of(&app.app, &app.actor, line.customer).await.expect("the reasons")
}

/// The first fact, and how the line stands.
async fn first(app: &TestApp, line: Line) -> (String, String) {
    let because = ask(app, line).await;
    assert!(because.facts.len() <= 100);
    let rest = &because.facts[1..];
    assert!(rest.windows(2).all(|pair| pair[0].at >= pair[1].at), "the rest is newest first: {rest:#?}");
    (because.facts[0].kind.clone(), words::state(&because.state))
}

/// A fact as a door says it.
async fn said(app: &TestApp, fact: &why::Fact) -> String {
    let tenant = app.app.tenant(app.actor.isp).await.expect("the Isp");
    words::said(fact, &words::Local { zone: &tenant.zone, currency: &tenant.currency })
}

async fn is(app: &TestApp, line: Line, kind: &str, text: &str) {
    let (first, state) = first(app, line).await;
    assert_eq!((first.as_str(), state.as_str()), (kind, text));
}

async fn a_customers_story(app: TestApp) {
    let slow = plans::create_bandwidth(&app.app, &app.actor, bandwidth("2M", 2000, 2000)).await.expect("a bandwidth");
    let draft = fup::Draft {
        measure: Measure::Total,
        reset: Reset::Period,
        carry_forward: false,
        tiers: vec![(100_000_000_000, slow.id)],
        windows: Vec::new(),
    };
    let template = fup::create(&app.app, &app.actor, "100 GB".into(), draft).await.expect("a template");
    fup::attach(&app.app, &app.actor, app.gold, Some(template.template.id)).await.expect("attached");
    let ali = app.customer("ali", app.gold).await;
    const WELL: &str = "May log in: 10M down, 10M up";
    is(&app, ali, "service.recharged", WELL).await;

    app.pass(days(30)).await;
    is(&app, ali, "service.expired", "May not log in: package expired").await;
    assert!(app.nas.login(login("ali")).await.starts_with("Access-Reject"));
    refused(&app, ali, 1).await;
    is(&app, ali, "service.expired", "May not log in: package expired").await;

    app.app.clock.pass(seconds(60));
    app.recharge(ali).await.expect("a recharge");
    is(&app, ali, "service.recharged", WELL).await;
    let paid = ask(&app, ali).await.facts;
    let payment = paid.iter().find(|fact| fact.kind == "payment.received").expect("the payment");
    assert_eq!(said(&app, payment).await, "ali paid 1500.00 KES by api");
    let by = words::through(&payment.by);
    assert!(by.starts_with("Owner (staff:"), "{by}");

    app.app.clock.pass(seconds(60));
    let reason = Some("the cheque bounced".to_string());
    service::sales::standing::put(&app.app, &app.actor, ali.customer, Status::Suspended, reason)
        .await
        .expect("suspended");
    is(&app, ali, "service.suspended", "May not log in: suspended").await;
    let because = ask(&app, ali).await;
    assert_eq!(said(&app, &because.facts[0]).await, "ali was suspended: the cheque bounced");
    assert_eq!(because.state.decision, Err(Reason::Suspended));

    app.app.clock.pass(seconds(60));
    app.put(ali, Status::Active).await.expect("active");
    is(&app, ali, "service.activated", WELL).await;

    app.app.clock.pass(seconds(60));
    let wrong = Login { password: "wrong", ..login("ali") };
    assert!(app.nas.login(wrong).await.starts_with("Access-Reject"));
    refused(&app, ali, 2).await;
    is(&app, ali, "login.refused", WELL).await;
    let because = ask(&app, ali).await;
    assert_eq!(said(&app, &because.facts[0]).await, "ali was refused from 02:00:00:00:00:01: wrong password");
    assert_eq!(words::through(&because.facts[0].by), "router bras");

    app.app.clock.pass(seconds(60));
    assert!(app.nas.login(login("ali")).await.starts_with("Access-Accept"));
    app.nas.report(started("ali", "s1")).await;
    is(&app, ali, "service.activated", WELL).await;
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 300, 0, 100_100_000_000)).await;
    app.event("coa.acknowledged").await;
    is(&app, ali, "fup.crossed", "May log in, slowed down by fair use: 2M down, 2M up").await;
    let because = ask(&app, ali).await;
    assert_eq!(said(&app, &because.facts[0]).await, "ali has used 100.10 GB of 100.00 GB: now 2M down, 2M up");
    assert_eq!(because.state.online.len(), 1);
    let router = &because.state.router;
    assert_eq!((router.name.as_deref(), router.open_sessions), (Some("bras"), 1));
    assert_eq!(router.last_contact_at, Some(app.app.clock.now()));
    assert!(because.facts.iter().any(|fact| fact.kind == "coa.acknowledged"));
    assert!(because.facts.iter().any(|fact| fact.kind == "session.started"));
}

/// Refusals are written a moment after they were answered.
async fn refused(app: &TestApp, line: Line, count: usize) {
    let told = async || {
        let facts = ask(app, line).await.facts;
        (facts.iter().filter(|fact| fact.kind == "login.refused").count() >= count).then_some(())
    };
    app.until(&format!("{count} refusals are written"), told).await
}

async fn who_may_ask(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    let mut other = app.actor.clone();
    other.branch = Some(BranchId(999));
    assert_eq!(why::of(&app.app, &other, ali.customer).await.expect_err("another branch"), Error::Forbidden);
    let nobody = why::of(&app.app, &app.actor, CustomerId(999_999)).await.expect_err("nobody");
    assert_eq!(nobody, Error::NotFound { what: What::Customer });
}
