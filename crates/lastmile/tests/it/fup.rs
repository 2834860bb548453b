//! Fair use over real UDP: what a line has used decides its rate, within the handling of that very report.

use domain::{
    BandwidthId, Kind, PlanId,
    catalogue::fup::{Coming, Measure, Reset},
    kernel::event::EventKind,
};
use serde_json::Value as Json;
use service::{
    By, What,
    access::fup::{self, Chosen, Draft, NewWindow},
    catalogue::plans,
};

use crate::{
    app::{Line, TestApp, bandwidth, days, seconds},
    both,
    nas::{Login, interim, login, started, stopped},
};

both!(
    a_month_of_fair_use,
    a_new_policy_counts_what_was_used,
    tiers_in_days_and_uploads_free,
    a_lines_own_policy,
    by_period_and_carried_forward,
    nights_are_fast_and_free,
    quota_beside_fair_use,
    hotspot_and_static_lines,
    thousands_of_cycles_end_in_turn,
    looking_ahead,
);

const GB: u64 = 1_000_000_000;

fn draft(tiers: &[(u64, BandwidthId)]) -> Draft {
    Draft {
        measure: Measure::Total,
        reset: Reset::Monthly { day: 1 },
        carry_forward: false,
        tiers: tiers.iter().map(|(after, id)| (*after as i64, *id)).collect(),
        windows: Vec::new(),
    }
}

async fn rate(app: &TestApp, name: &str, mbps: i64) -> BandwidthId {
    let rates = bandwidth(name, mbps * 1000, mbps * 1000);
    plans::create_bandwidth(&app.app, &app.actor, rates).await.expect("a bandwidth").id
}

/// For two devices: a second one logs in to see its rate without taking the first one's session over.
async fn gold(app: &TestApp) -> PlanId {
    app.plan("gold for two", |plan| plan.shared_users = 2).await
}

async fn attach(app: &TestApp, plan: PlanId, draft: Draft) -> domain::FupTemplateId {
    let whole = fup::create(&app.app, &app.actor, format!("fair {plan}"), draft).await.expect("a template");
    let row = fup::attach(&app.app, &app.actor, plan, Some(whole.template.id)).await.expect("attached");
    assert!(row.has_fup());
    // A session that begins before this order is carried out would be told by it too.
    app.settled().await;
    whole.template.id
}

/// The rate in what a router was told.
fn told(text: &str) -> &str {
    text.split(' ').find_map(|word| word.strip_prefix("Mikrotik-Rate-Limit=")).unwrap_or("none")
}

async fn ordered(app: &TestApp) -> String {
    let orders = app.nas.orders(1).await;
    assert_eq!(orders.len(), 1, "{orders:?}");
    assert!(orders[0].starts_with("CoA-Request"), "{orders:?}");
    told(&orders[0]).to_string()
}

async fn logs(app: &TestApp, kind: EventKind) -> Vec<Json> {
    let events = service::access::directory::events_after(&app.app, app.actor.isp, 0, 100_000).await.expect("events");
    let mut bodies = Vec::new();
    for event in events.into_iter().filter(|event| event.kind == kind) {
        bodies.push(serde_json::from_str(&event.body).expect("JSON"));
    }
    bodies
}

async fn log_in(app: &TestApp, user: &str) -> String {
    told(&app.nas.login(another(user)).await).to_string()
}

/// The second device.
fn another(user: &str) -> Login<'_> {
    Login { mac: Some("02-00-00-00-00-02"), port: 8, ..login(user) }
}

/// RULES.md, "Access": 100 GB a month, then 2M.
async fn a_month_of_fair_use(app: TestApp) {
    let gold = gold(&app).await;
    let slow = rate(&app, "2M", 2).await;
    let template = attach(&app, gold, draft(&[(100 * GB, slow)])).await;
    let ali = app.try_customer("ali", |customer| customer.plan = gold).await.expect("a customer");
    assert_eq!(log_in(&app, "ali").await, "10M/10M");
    app.nas.report(started("ali", "s1")).await;
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 300, 0, 99_900_000_000)).await;
    app.settled().await;
    assert_eq!(app.nas.unexpected_orders(), [""; 0]);
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 600, 100_000_000, 100_000_000_000)).await;
    assert_eq!(ordered(&app).await, "2M/2M");
    let crossed = logs(&app, EventKind::FupCrossed).await;
    assert_eq!(crossed.len(), 1);
    let body = &crossed[0];
    assert_eq!(
        (body["used_bytes"].as_u64(), body["threshold_bytes"].as_u64()),
        (Some(100_100_000_000), Some(100 * GB))
    );
    assert_eq!((body["from_down_kbps"].as_i64(), body["to_down_kbps"].as_i64()), (Some(10_000), Some(2000)));
    assert_eq!(body["template"].as_i64(), Some(template.0));
    // a new login has it too, and no further order follows from further use
    app.nas.report(interim("ali", "s1", 900, 100_000_000, 110_000_000_000)).await;
    assert_eq!(log_in(&app, "ali").await, "2M/2M");
    app.settled().await;
    assert!(app.nas.unexpected_orders().is_empty());
    // the month ends while it is online; it was paid for longer
    app.recharge(ali).await.expect("a recharge");
    assert_eq!(ordered(&app).await, "2M/2M", "money does not end the month");
    app.pass(days(31) - seconds(601)).await;
    assert_eq!(logs(&app, EventKind::FupReset).await.len(), 0, "a second before");
    app.pass(seconds(1)).await;
    assert_eq!(ordered(&app).await, "10M/10M");
    let reset = logs(&app, EventKind::FupReset).await;
    assert_eq!((reset[0]["from_down_kbps"].as_i64(), reset[0]["to_down_kbps"].as_i64()), (Some(2000), Some(10_000)));
    assert_eq!((reset[0]["used_bytes"].as_u64(), reset[0]["reason"].as_str()), (Some(110_100_000_000), Some("cycle")));
    assert_eq!(log_in(&app, "ali").await, "10M/10M");
}

/// Plans refer to their policy: what it says now holds, for what was used before too.
async fn a_new_policy_counts_what_was_used(app: TestApp) {
    let gold = gold(&app).await;
    let (slow, slower) = (rate(&app, "2M", 2).await, rate(&app, "1M", 1).await);
    app.customer("ali", gold).await;
    app.nas.report(started("ali", "s1")).await;
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 300, 0, 120 * GB)).await;
    let template = attach(&app, gold, draft(&[(100 * GB, slow)])).await;
    assert_eq!(ordered(&app).await, "10M/10M");
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 600, 0, 120 * GB + 1)).await;
    assert_eq!(ordered(&app).await, "2M/2M");
    // a further tier, already reached
    let more = draft(&[(100 * GB, slow), (110 * GB, slower)]);
    fup::update(&app.app, &app.actor, template, "fair".into(), more, None).await.expect("a further tier");
    assert_eq!(ordered(&app).await, "1M/1M");
    // a bandwidth's new rates
    let change = plans::BandwidthChange { down_kbps: Some(1500), ..plans::BandwidthChange::default() };
    plans::update_bandwidth(&app.app, &app.actor, slower, change).await.expect("new rates");
    assert_eq!(ordered(&app).await, "1M/1500k");
    assert_eq!(log_in(&app, "ali").await, "1M/1500k");
    // in use, and then not
    let busy = fup::delete(&app.app, &app.actor, template).await.expect_err("in use");
    assert_eq!(busy, service::Error::InUse { what: What::FupTemplate, by: By::Plan });
    let busy = plans::delete_bandwidth(&app.app, &app.actor, slower, None).await.expect_err("in use");
    assert!(matches!(busy, service::Error::InUse { .. }));
    let plan = fup::attach(&app.app, &app.actor, gold, None).await.expect("taken away");
    assert!(!plan.has_fup());
    assert_eq!(ordered(&app).await, "10M/10M");
    fup::delete(&app.app, &app.actor, template).await.expect("deleted");
}

async fn tiers_in_days_and_uploads_free(app: TestApp) {
    let gold = gold(&app).await;
    let (slow, slower) = (rate(&app, "2M", 2).await, rate(&app, "1M", 1).await);
    let daily = draft(&[(5 * GB, slow), (6 * GB, slower)]);
    attach(&app, gold, Draft { measure: Measure::Down, reset: Reset::Daily, ..daily }).await;
    app.customer("ali", gold).await;
    app.nas.report(started("ali", "s1")).await;
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 300, 50 * GB, 4 * GB)).await;
    app.settled().await;
    assert!(app.nas.unexpected_orders().is_empty(), "uploads are free");
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 600, 50 * GB, 5 * GB)).await;
    assert_eq!(ordered(&app).await, "2M/2M");
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 900, 50 * GB, 7 * GB)).await;
    assert_eq!(ordered(&app).await, "1M/1M");
    // past midnight its report comes before the pass: it begins the day itself
    app.app.clock.pass(days(1) - seconds(600));
    app.nas.report(interim("ali", "s1", 86_700, 50 * GB, 8 * GB)).await;
    assert_eq!(ordered(&app).await, "10M/10M");
    app.pass(seconds(1)).await;
    app.settled().await;
    assert!(app.nas.unexpected_orders().is_empty());
    // a report of yesterday that comes late counts there, not today
    let yesterday = (crate::app::start().unix() + 86_000) as u32;
    let late = crate::nas::Report { event_timestamp: Some(yesterday), ..interim("ali", "s0", 300, 0, 5 * GB) };
    app.nas.report(late).await;
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 87_000, 50 * GB, 11 * GB)).await;
    app.settled().await;
    assert!(app.nas.unexpected_orders().is_empty(), "4 GB today");
}

async fn a_lines_own_policy(app: TestApp) {
    let gold = gold(&app).await;
    let (fast, slow, slower) = (rate(&app, "50M", 50).await, rate(&app, "2M", 2).await, rate(&app, "1M", 1).await);
    attach(&app, gold, draft(&[(10 * GB, slow)])).await;
    let ali = app.customer("ali", gold).await;
    app.nas.report(started("ali", "s1")).await;
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 300, 0, 11 * GB)).await;
    assert_eq!(ordered(&app).await, "2M/2M");
    let choose = async |chosen| fup::choose(&app.app, &app.actor, ali.customer, chosen).await;
    choose(Chosen::Own(draft(&[(0, fast), (20 * GB, slower)]))).await.expect("its own");
    assert_eq!(ordered(&app).await, "50M/50M");
    assert_eq!(log_in(&app, "ali").await, "50M/50M");
    let standing = fup::standing(&app.app, &app.actor, ali.customer).await.expect("standing");
    assert!(standing.chosen.is_some() && standing.template.is_some());
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 600, 0, 21 * GB)).await;
    assert_eq!(ordered(&app).await, "1M/1M", "what the month had seen before counts");
    choose(Chosen::Own(draft(&[(0, fast), (30 * GB, slower)]))).await.expect("more of it");
    assert_eq!(ordered(&app).await, "50M/50M");
    choose(Chosen::Exempt).await.expect("exempt");
    assert_eq!(ordered(&app).await, "10M/10M");
    choose(Chosen::Exempt).await.expect("exempt still");
    fup::clear(&app.app, &app.actor, ali.customer).await.expect("its plan's");
    assert_eq!(ordered(&app).await, "10M/10M", "counted anew with its next report");
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 900, 0, 21 * GB + 1)).await;
    assert_eq!(ordered(&app).await, "2M/2M");
    let unknown = choose(Chosen::Template(domain::FupTemplateId(999))).await.expect_err("no such template");
    assert_eq!(unknown, service::Error::invalid("template_id", service::Why::Unknown));
}

async fn by_period_and_carried_forward(app: TestApp) {
    let gold = gold(&app).await;
    let slow = rate(&app, "2M", 2).await;
    let by_period = Draft { reset: Reset::Period, carry_forward: true, ..draft(&[(10 * GB, slow)]) };
    attach(&app, gold, by_period).await;
    let ali = app.customer("ali", gold).await;
    app.nas.report(started("ali", "s1")).await;
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 300, 0, 6 * GB)).await;
    // paid early: the next period, and its cycle, begin when this one ends
    app.recharge(ali).await.expect("a recharge");
    assert_eq!(ordered(&app).await, "10M/10M");
    app.pass(days(30)).await;
    app.nas.report(interim("ali", "s1", 2_592_300, 0, 19 * GB)).await;
    app.settled().await;
    assert!(app.nas.unexpected_orders().is_empty(), "13 GB of 10 and 4 that were left");
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 2_592_600, 0, 20 * GB)).await;
    assert_eq!(ordered(&app).await, "2M/2M");
    let crossed = logs(&app, EventKind::FupCrossed).await;
    assert_eq!(crossed[0]["carried_bytes"].as_u64(), Some(4 * GB));
    // it ends, and is bought anew
    app.pass(days(30)).await;
    assert!(app.nas.orders(1).await[0].starts_with("Disconnect-Request"));
    app.nas.report(stopped("ali", "s1", 5_184_000, 0, 20 * GB)).await;
    app.recharge(ali).await.expect("a recharge");
    assert_eq!(log_in(&app, "ali").await, "10M/10M");
}

async fn nights_are_fast_and_free(app: TestApp) {
    let gold = gold(&app).await;
    let (fast, slow) = (rate(&app, "50M", 50).await, rate(&app, "2M", 2).await);
    let night = NewWindow { from: 23 * 60, until: 6 * 60, counted: false, bandwidth: Some(fast) };
    let daily = Draft { reset: Reset::Never, windows: vec![night], ..draft(&[(5 * GB, slow)]) };
    app.customer("ali", gold).await;
    app.nas.report(started("ali", "s1")).await;
    attach(&app, gold, daily).await;
    // it is midnight
    assert_eq!(ordered(&app).await, "50M/50M");
    app.app.clock.pass(seconds(3600));
    app.nas.report(interim("ali", "s1", 3600, 0, 9 * GB)).await;
    app.pass(seconds(5 * 3600)).await;
    assert_eq!(ordered(&app).await, "10M/10M", "the morning");
    app.app.clock.pass(seconds(600));
    app.nas.report(interim("ali", "s1", 22_200, 0, 15 * GB)).await;
    assert_eq!(ordered(&app).await, "2M/2M", "6 GB by day");
    app.pass(seconds(23 * 3600 - 22_200)).await;
    assert_eq!(ordered(&app).await, "50M/50M", "the night");
    assert_eq!(log_in(&app, "ali").await, "50M/50M");
}

/// A hard quota ends the session whatever the rate; its remainder goes with each Accept, past 4 GiB too.
async fn quota_beside_fair_use(app: TestApp) {
    let slow = rate(&app, "2M", 2).await;
    let plan = app
        .plan("20GB", |plan| {
            plan.shared_users = 2;
            plan.limited = true;
            plan.limit_type = Some("Data_Limit".into());
            plan.data_limit = Some(20);
            plan.data_unit = Some("GB".into());
        })
        .await;
    attach(&app, plan, draft(&[(10 * GB, slow)])).await;
    app.customer("ali", plan).await;
    let limits = |answer: &str| {
        let number = |name: &str| answer.split(' ').find_map(|word| word.strip_prefix(name)?.parse::<u64>().ok());
        number("Mikrotik-Total-Limit=").unwrap_or(0) + (number("Mikrotik-Total-Limit-Gigawords=").unwrap_or(0) << 32)
    };
    assert_eq!(limits(&app.nas.login(login("ali")).await), 20 * GB);
    app.nas.report(started("ali", "s1")).await;
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 300, GB, 11 * GB)).await;
    let order = app.nas.orders(1).await.remove(0);
    // a session's limit is counted from its beginning
    assert_eq!((told(&order), limits(&order)), ("2M/2M", 20 * GB));
    let again = app.nas.login(another("ali")).await;
    assert_eq!((told(&again), limits(&again)), ("2M/2M", 8 * GB));
    app.app.clock.pass(seconds(300));
    app.nas.report(interim("ali", "s1", 600, GB, 19 * GB)).await;
    assert!(app.nas.orders(1).await[0].starts_with("Disconnect-Request"));
}

async fn hotspot_and_static_lines(app: TestApp) {
    let slow = rate(&app, "2M", 2).await;
    let day = app.plan("day", |plan| (plan.kind, plan.shared_users) = (Kind::Hotspot, 2)).await;
    let fixed = app.plan("fixed", |plan| (plan.kind, plan.shared_users) = (Kind::Static, 2)).await;
    let template = attach(&app, day, draft(&[(GB, slow)])).await;
    fup::attach(&app.app, &app.actor, fixed, Some(template)).await.expect("attached");
    let line = async |name: &str, kind, plan| -> Line {
        let made = app.try_customer(name, |customer| {
            (customer.kind, customer.plan) = (kind, plan);
            (customer.username, customer.portal_password) = (Some(name.into()), "secret".into());
            (customer.network_username, customer.network_password) = (None, None);
            customer.ip = (kind == Kind::Static).then(|| "10.9.0.5".parse().expect("an address"));
        });
        made.await.expect("a customer")
    };
    line("eve", Kind::Hotspot, day).await;
    line("bob", Kind::Static, fixed).await;
    for user in ["eve", "bob"] {
        assert_eq!(log_in(&app, user).await, "10M/10M");
        app.nas.report(started(user, user)).await;
        app.nas.report(interim(user, user, 60, 0, GB)).await;
        assert_eq!(ordered(&app).await, "2M/2M", "{user}");
        assert_eq!(log_in(&app, user).await, "2M/2M");
    }
    let fixed = app.nas.login(login("bob")).await;
    assert!(fixed.contains("Framed-IP-Address=10.9.0.5"), "{fixed}");
}

/// At midnight everybody's rate comes back, in chunks; whoever is offline makes no order.
async fn thousands_of_cycles_end_in_turn(app: TestApp) {
    let gold = gold(&app).await;
    let slow = rate(&app, "2M", 2).await;
    attach(&app, gold, Draft { reset: Reset::Daily, ..draft(&[(GB, slow)]) }).await;
    const MANY: usize = 60;
    for n in 0..MANY {
        let name = format!("u{n}");
        app.customer(&name, gold).await;
        let session = crate::nas::Report { mac: None, port: 1000 + n as u32, ..interim(&name, &name, 60, 0, 2 * GB) };
        app.nas.report(session).await;
    }
    app.settled().await;
    assert_eq!(app.nas.orders(MANY).await.len(), MANY);
    app.pass(days(1)).await;
    app.settled().await;
    let orders = app.nas.orders(MANY).await;
    assert_eq!((orders.len(), orders.iter().all(|order| told(order) == "10M/10M")), (MANY, true));
    assert_eq!(logs(&app, EventKind::FupReset).await.len(), MANY);
    app.pass(seconds(60)).await;
    assert_eq!(logs(&app, EventKind::FupReset).await.len(), MANY, "once");
}

async fn looking_ahead(app: TestApp) {
    let gold = gold(&app).await;
    let slow = rate(&app, "2M", 2).await;
    attach(&app, gold, draft(&[(100 * GB, slow)])).await;
    let ali = app.customer("ali", gold).await;
    let coming = fup::preview(&app.app, &app.actor, ali.customer, (0, 10 * GB), 60).await.expect("a preview");
    let now = app.app.clock.now();
    let told: Vec<_> = coming.iter().map(|(at, what)| (at.seconds_since(now) / 86_400, what)).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0].0, 10);
    assert!(matches!(told[0].1, Coming::Throttled { rates: Some(rates), .. } if rates.down_kbps == 2000));
    assert_eq!(told[1], (30, &Coming::Expires));
}
