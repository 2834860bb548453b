//! SMS and complaints: credits that are never overdrawn, messages that are all written or none, work that ends.

use domain::{
    PlanId, Status,
    helpdesk::complaint::{Priority, State},
};
use service::{
    Actor, Error, Why,
    helpdesk::complaints::{self, ComplaintChange, ComplaintFilter, NewComplaint},
    kernel::change::CallerKey,
    messages::sms::{self, Customers, HistoryFilter, Standing},
};

use crate::{
    app::{TestApp, days, seconds},
    both,
};

both!(credits_are_never_overdrawn, a_broadcast_reaches_all_or_nobody, customers_of_a_kind, a_complaint_from_end_to_end,);

async fn history(app: &TestApp, wanted: HistoryFilter) -> (Vec<String>, i64) {
    let (rows, total) = sms::history(&app.app, &app.actor, wanted, 0, 100).await.expect("a history");
    (rows.iter().map(|row| format!("{} {} {}", row.recipient, row.status, row.credits)).collect(), total)
}

async fn send(app: &TestApp, phone: &str, key: Option<CallerKey>) -> Result<sms::Sent, Error> {
    sms::send(&app.app, &app.actor, "sms_", phone.into(), "Hello".into(), key).await
}

async fn credits_are_never_overdrawn(app: TestApp) {
    assert!(matches!(send(&app, "0712000000", None).await, Err(Error::Refused(_))));
    assert_eq!(sms::top_up(&app.app, &app.actor, 5, None, None).await, Ok(5));
    let mut sending = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (core, actor) = (app.app.clone(), app.actor.clone());
        sending.spawn(async move {
            sms::send(&core, &actor, "sms_", format!("07120000{n:02}"), "Hello".into(), None).await
        });
    }
    let sent = sending.join_all().await;
    let mut left: Vec<i64> = sent.iter().flatten().map(|sent| sent.credits_remaining).collect();
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2, 3, 4]);
    assert_eq!(sent.iter().filter(|sent| matches!(sent, Err(Error::Refused(_)))).count(), 15);
    assert_eq!(sms::balance(&app.app, &app.actor).await, Ok(0));
    assert_eq!(history(&app, HistoryFilter::default()).await.1, 5);

    // One key, one message, one credit.
    sms::top_up(&app.app, &app.actor, 5, None, None).await.unwrap();
    let key = CallerKey { key: "k".into(), request_hash: "h".into() };
    let first = send(&app, "0713", Some(key.clone())).await.unwrap();
    assert_eq!(send(&app, "0713", Some(key)).await, Ok(first.clone()));
    assert_eq!((first.credits_used, first.credits_remaining), (1, 4));
    assert!(first.handle.starts_with("sms_") && first.handle.len() == 16, "{}", first.handle);
    let wanted = HistoryFilter { recipient: Some("0713".into()), ..HistoryFilter::default() };
    assert_eq!(history(&app, wanted).await, (vec!["0713 queued 1".into()], 1));
}

async fn a_broadcast_reaches_all_or_nobody(app: TestApp) {
    sms::top_up(&app.app, &app.actor, 5, None, None).await.unwrap();
    let phones = ["0711", "0712", "0711", "0713"].map(String::from).to_vec();
    // 71 characters outside the GSM alphabet: two segments each, six in all.
    let long = "আ".repeat(71);
    let refused = sms::broadcast(&app.app, &app.actor, phones.clone(), long, None).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    assert_eq!(history(&app, HistoryFilter::default()).await.1, 0);
    assert_eq!(sms::balance(&app.app, &app.actor).await, Ok(5));
    let sent = sms::broadcast(&app.app, &app.actor, phones, "Hello".into(), None).await.unwrap();
    assert_eq!((sent.recipients, sent.credits_used, sent.credits_remaining), (3, 3, 2));
    app.app.clock.pass(days(1));
    let batch = HistoryFilter { batch: Some(sent.batch), until: Some(app.app.clock.now()), ..HistoryFilter::default() };
    assert_eq!(history(&app, batch).await.1, 3);
    let later = HistoryFilter { from: Some(app.app.clock.now()), ..HistoryFilter::default() };
    assert_eq!(history(&app, later).await.1, 0);
    let failed = HistoryFilter { status: Some("failed"), ..HistoryFilter::default() };
    assert_eq!(history(&app, failed).await.1, 0);
    // Another tenant has its own purse and sees nothing of this.
    let other = service::identity::tenants::create_isp(&app.app, crate::app::isp("Other")).await.unwrap();
    let other = Actor::system(other.isp);
    assert_eq!(sms::balance(&app.app, &other).await, Ok(0));
    assert_eq!(sms::history(&app.app, &other, HistoryFilter::default(), 0, 10).await.unwrap().1, 0);
}

async fn customers_of_a_kind(app: TestApp) {
    sms::top_up(&app.app, &app.actor, 100, None, None).await.unwrap();
    let silver = app.plan("silver", |plan| plan.validity = 5).await;
    let someone = async |name: &str, phone: &str, plan: PlanId| {
        let phone = phone.to_string();
        app.try_customer(name, |customer| (customer.phone, customer.plan) = (phone, plan)).await.unwrap()
    };
    someone("ann", "0711", app.gold).await;
    someone("bob", "0712", silver).await;
    let eve = someone("eve", "0713", app.gold).await;
    someone("eve2", "0713", app.gold).await;
    app.put(eve, Status::Suspended).await.unwrap();
    app.pass(days(6)).await;
    let to = async |standing, plan| {
        let customers = Customers { standing, plan };
        sms::broadcast_to(&app.app, &app.actor, customers, "Hello".into(), None).await.map(|sent| sent.recipients)
    };
    assert_eq!(to(None, None).await, Ok(3));
    assert_eq!(to(Some(Standing::Active), None).await, Ok(2));
    assert_eq!(to(Some(Standing::Expired), None).await, Ok(1));
    assert_eq!(to(Some(Standing::Suspended), None).await, Ok(1));
    assert_eq!(to(None, Some(silver)).await, Ok(1));
    assert!(matches!(to(Some(Standing::Suspended), Some(silver)).await, Err(Error::Refused(_))));
    assert_eq!(to(None, Some(PlanId(999))).await, Err(Error::invalid("package_id", Why::Unknown)));
}

async fn a_complaint_from_end_to_end(app: TestApp) {
    let ann = app.customer("ann", app.gold).await;
    let new = |customer| NewComplaint {
        customer,
        subject: "No internet".into(),
        message: "Down since the morning".into(),
        category: None,
        department: None,
        priority: Priority::High,
        assigned_to: None,
    };
    let nobody = complaints::create(&app.app, &app.actor, new(domain::CustomerId(999)), None).await;
    assert_eq!(nobody, Err(Error::invalid("customer_id", Why::Unknown)));
    let id = complaints::create(&app.app, &app.actor, new(ann.customer), None).await.unwrap();
    let row = complaints::show(&app.app, &app.actor, id).await.unwrap();
    assert_eq!((row.status.as_str(), row.due_at.since(row.opened_at)), ("open", seconds(8 * 3600)));
    let overdue = async || {
        let filter = ComplaintFilter { due_before: Some(app.app.clock.now()), ..ComplaintFilter::default() };
        complaints::list(&app.app, &app.actor, filter, 0, 10).await.unwrap().1
    };
    assert_eq!(overdue().await, 0);
    app.app.clock.pass(seconds(8 * 3600 + 1));
    assert_eq!(overdue().await, 1);

    let unchanged_since = Some(row.updated_at);
    let change = ComplaintChange { state: Some(State::InProgress), unchanged_since, ..ComplaintChange::default() };
    complaints::update(&app.app, &app.actor, id, change.clone()).await.unwrap();
    assert_eq!(complaints::update(&app.app, &app.actor, id, change).await, Err(Error::Changed));
    complaints::comment(&app.app, &app.actor, id, "On my way".into(), None).await.unwrap();
    let closed = complaints::close(&app.app, &app.actor, id, Some("New plug".into())).await.unwrap();
    assert!(closed.closed_at.is_some() && closed.resolved_at == closed.closed_at);
    assert_eq!(complaints::close(&app.app, &app.actor, id, None).await, Ok(closed));
    assert_eq!(overdue().await, 0);
    let (comments, total) = complaints::comments(&app.app, &app.actor, id, 0, 10).await.unwrap();
    assert_eq!((total, comments[0].text.as_str(), comments[1].text.as_str()), (2, "On my way", "New plug"));
    let reopen = ComplaintChange { state: Some(State::Open), ..ComplaintChange::default() };
    assert_eq!(complaints::update(&app.app, &app.actor, id, reopen).await.unwrap().closed_at, None);
    let kinds: Vec<String> = app.events().await.into_iter().filter(|kind| kind.starts_with("complaint")).collect();
    assert_eq!(
        kinds.join(" "),
        "complaint.created complaint.updated complaint.updated complaint.closed complaint.updated"
    );

    // Another branch neither sees it nor may report for its customer.
    let stranger = Actor { branch: Some(domain::BranchId(77)), ..app.actor.clone() };
    assert_eq!(complaints::show(&app.app, &stranger, id).await, Err(Error::Forbidden));
    assert_eq!(complaints::list(&app.app, &stranger, ComplaintFilter::default(), 0, 10).await.unwrap().1, 0);
    let theirs = complaints::create(&app.app, &stranger, new(ann.customer), None).await;
    assert_eq!(theirs, Err(Error::invalid("customer_id", Why::Unknown)));
}
