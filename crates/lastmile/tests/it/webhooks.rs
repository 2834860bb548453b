//! Webhooks: receivers that fail, hang, answer late, redirect, disappear and return. Nothing is lost, the order is kept,
//! and nobody else is hurried.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header::LOCATION},
    response::{IntoResponse, Response},
};
use domain::{
    BranchId, Scopes, Status,
    kernel::clock::{HOUR, MINUTE},
};
use parking_lot::Mutex;
use serde_json::Value as Json;
use service::{
    Actor, App, Error, Vault, What,
    helpdesk::complaints::{self, NewComplaint},
    webhooks::{self, NewWebhook, WebhookChange, notices::NAMES, queue},
};
use store::webhooks::webhook::Webhook;
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};
use worker::{
    outgoing::{Sender, Settings},
    webhooks::pass,
};

use crate::{
    app::{Line, TestApp, days, seconds},
    both,
};

both!(
    what_happens_is_told_in_order_and_signed,
    a_failing_receiver_is_asked_again_later,
    a_hanging_receiver_hurries_nobody,
    redirects_and_late_answers_are_failures,
    a_receiver_that_was_away_for_an_hour,
    a_day_of_failures_switches_it_off,
    dead_deliveries_are_replayed,
    a_crash_between_queue_and_sending,
    two_nodes_send_once,
    private_targets_are_refused,
    secrets_overlap_while_they_are_rotated,
    only_what_was_asked_for,
    only_what_its_maker_reads,
);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    Fine,
    Status(u16),
    /// Never answers.
    Hang,
    /// Answers after so many milliseconds.
    Late(u64),
    Redirect,
}

#[derive(Clone, Debug)]
struct Got {
    path: String,
    headers: HeaderMap,
    bytes: Bytes,
}

impl Got {
    fn body(&self) -> Json {
        serde_json::from_slice(&self.bytes).expect("JSON")
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    fn event(&self) -> String {
        self.body()["event"].as_str().expect("an event").into()
    }
}

#[derive(Clone)]
struct Inbox {
    mode: Arc<Mutex<Mode>>,
    got: Arc<Mutex<Vec<Got>>>,
    came: Arc<Notify>,
}

/// A receiver on loopback that does as it is told.
struct Receiver {
    inbox: Inbox,
    address: SocketAddr,
    task: Option<JoinHandle<()>>,
}

async fn receive(State(inbox): State<Inbox>, uri: Uri, headers: HeaderMap, bytes: Bytes) -> Response {
    inbox.got.lock().push(Got { path: uri.path().into(), headers, bytes });
    inbox.came.notify_one();
    let mode = *inbox.mode.lock();
    match mode {
        Mode::Fine => "thank you".into_response(),
        Mode::Status(status) => StatusCode::from_u16(status).expect("a status").into_response(),
        Mode::Hang => std::future::pending().await,
        Mode::Late(ms) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            "at last".into_response()
        }
        Mode::Redirect => (StatusCode::FOUND, [(LOCATION, "/elsewhere")]).into_response(),
    }
}

impl Receiver {
    async fn new(mode: Mode) -> Receiver {
        let inbox = Inbox { mode: Arc::new(Mutex::new(mode)), got: Arc::default(), came: Arc::default() };
        let mut receiver = Receiver { inbox, address: ([127, 0, 0, 1], 0).into(), task: None };
        receiver.open().await;
        receiver
    }

    async fn open(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("a port");
        self.address = listener.local_addr().expect("an address");
        let router = Router::new().fallback(receive).with_state(self.inbox.clone());
        self.task = Some(tokio::spawn(async move { axum::serve(listener, router).await.expect("a receiver") }));
    }

    /// Connections are refused from now on.
    async fn close(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
    }

    fn act(&self, mode: Mode) {
        *self.inbox.mode.lock() = mode;
    }

    fn got(&self) -> Vec<Got> {
        self.inbox.got.lock().clone()
    }

    fn events(&self) -> Vec<String> {
        self.got().iter().map(Got::event).collect()
    }

    /// Waits until so many have come.
    async fn count(&self, wanted: usize) -> Vec<Got> {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        while self.got().len() < wanted {
            let came = tokio::time::timeout_at(deadline, self.inbox.came.notified()).await;
            assert!(came.is_ok(), "{} of {wanted}", self.got().len());
        }
        self.got()
    }
}

fn sender() -> Sender {
    // The tests share a process; the first one installs it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Sender::new(Settings { allow_private: true, timeout: Duration::from_millis(400) }).expect("a sender")
}

async fn hook(app: &TestApp, to: &Receiver, events: &[&'static str]) -> webhooks::Issued {
    let url = format!("http://{}/hook", to.address);
    let command = NewWebhook { url, events: events.to_vec(), active: true, secret: None };
    webhooks::create(&app.app, &app.actor, Scopes::ALL, command).await.expect("a webhook")
}

async fn row(app: &TestApp, id: i64) -> Webhook {
    webhooks::show(&app.app, &app.actor, id).await.expect("the webhook")
}

async fn deliveries(app: &TestApp, id: i64, state: Option<&'static str>) -> Vec<webhooks::Logged> {
    webhooks::deliveries(&app.app, &app.actor, Scopes::ALL, id, state, 0, 100).await.expect("a log").0
}

async fn deliver(app: &TestApp) {
    pass(&app.app, &sender()).await.expect("deliveries");
}

/// Time passes until the retry that was due then, and a little.
async fn after(app: &TestApp, micros: i64) {
    app.app.clock.pass(micros + micros / 9);
    deliver(app).await;
}

async fn complain(app: &TestApp, line: Line) {
    let command = NewComplaint {
        customer: line.customer,
        subject: "No internet".into(),
        message: "Down".into(),
        category: None,
        department: None,
        priority: domain::helpdesk::complaint::Priority::Normal,
        assigned_to: None,
    };
    complaints::create(&app.app, &app.actor, command, None).await.expect("a complaint");
}

async fn what_happens_is_told_in_order_and_signed(app: TestApp) {
    let receiver = Receiver::new(Mode::Fine).await;
    app.customer("before", app.gold).await;
    let issued = hook(&app, &receiver, &NAMES[..6]).await;
    let ann = app.customer("ann", app.gold).await;
    app.put(ann, Status::Suspended).await.unwrap();
    app.put(ann, Status::Active).await.unwrap();
    complain(&app, ann).await;
    app.pass(days(31)).await;
    app.recharge(ann).await.unwrap();
    deliver(&app).await;
    let sold = ["payment.received", "bill.generated"];
    let expected =
        ["customer.created", sold[0], sold[1], "customer.suspended", "customer.activated", "complaint.created"];
    // Then both customers' validity ends, in whichever order, and one of them pays.
    let (got, events) = (receiver.got(), receiver.events());
    assert_eq!(events[..6], expected);
    assert_eq!(events[6..], ["customer.suspended", "customer.suspended", sold[0], sold[1], "customer.activated"]);
    for got in &got {
        let body = got.body();
        assert_eq!(
            got.header("x-signature"),
            queue::signature(&issued.secret, std::str::from_utf8(&got.bytes).unwrap())
        );
        assert_eq!((got.header("content-type"), got.header("x-webhook-attempt")), ("application/json", "1"));
        assert_eq!(got.header("x-webhook-event"), body["event"].as_str().unwrap());
        assert_eq!(got.header("x-webhook-id"), body["id"].as_str().unwrap());
        assert_eq!((got.header("x-signature-previous"), got.path.as_str()), ("", "/hook"));
        assert!(body["timestamp"].as_str().unwrap().ends_with('Z') && body["data"]["customer_id"].is_i64(), "{body}");
    }
    let data = |at: usize| got[at].body()["data"].clone();
    assert_eq!(data(0)["customer_id"], ann.customer.0);
    assert_eq!((&data(0)["status"], &data(0)["package"]["name"]), (&"active".into(), &"gold".into()));
    let paid = data(1);
    assert_eq!((&paid["amount"], &paid["currency"], &paid["method"]), (&1500.into(), &"KES".into(), &"api".into()));
    assert!(paid["transaction_id"].as_str().is_some_and(|text| text.starts_with("LM")), "{paid}");
    assert_eq!((&data(2)["amount"], &data(2)["due_date"]), (&1500.into(), &"2030-01-01".into()));
    assert_eq!(data(2)["bill_id"], paid["bill_id"]);
    assert_eq!((&data(3)["status"], &data(4)["status"]), (&"suspended".into(), &"active".into()));
    assert_eq!(data(5)["subject"], "No internet");
    assert_eq!(data(10)["reason"], "recharged");
    assert_eq!(got[0].body()["timestamp"], "2029-12-31T21:00:00Z");
    // All is told: a further look sends nothing.
    deliver(&app).await;
    assert_eq!(receiver.got().len(), 11);
}

async fn a_failing_receiver_is_asked_again_later(app: TestApp) {
    let receiver = Receiver::new(Mode::Status(500)).await;
    let issued = hook(&app, &receiver, &["customer.created", "customer.suspended"]).await;
    let ann = app.customer("ann", app.gold).await;
    app.put(ann, Status::Suspended).await.unwrap();
    deliver(&app).await;
    deliver(&app).await;
    assert_eq!(receiver.events(), ["customer.created"], "asked once, and the next one waits");
    app.app.clock.pass(seconds(4));
    deliver(&app).await;
    assert_eq!(receiver.got().len(), 1, "not before its time");
    after(&app, seconds(2)).await;
    after(&app, seconds(30)).await;
    assert!(row(&app, issued.webhook.id).await.failing_since.is_some());
    receiver.act(Mode::Fine);
    after(&app, 2 * MINUTE).await;
    let got = receiver.got();
    let attempts: Vec<&str> = got.iter().map(|got| got.header("x-webhook-attempt")).collect();
    assert_eq!(attempts, ["1", "2", "3", "4", "1"]);
    assert_eq!(receiver.events()[3..], ["customer.created", "customer.suspended"]);
    assert!(
        got[..4]
            .iter()
            .all(|one| one.bytes == got[0].bytes && one.header("x-webhook-id") == got[0].header("x-webhook-id"))
    );
    let row = row(&app, issued.webhook.id).await;
    assert!(row.failing_since.is_none() && row.last_success_at.is_some() && row.next_at.is_none());
    let log = deliveries(&app, issued.webhook.id, None).await;
    let told: Vec<_> = log[1].attempts.iter().map(|attempt| attempt.status).collect();
    assert_eq!((told, log[1].delivery.state.as_str()), (vec![Some(500), Some(500), Some(500), Some(200)], "delivered"));
    assert_eq!(log[1].attempts[3].answer.as_deref(), Some("thank you"));
}

/// With everything running as it does in the program.
async fn a_hanging_receiver_hurries_nobody(app: TestApp) {
    const PEOPLE: usize = 20;
    let (hanging, well) = (Receiver::new(Mode::Hang).await, Receiver::new(Mode::Fine).await);
    hook(&app, &hanging, &["customer.created"]).await;
    hook(&app, &well, &["customer.created"]).await;
    let patient = Settings { allow_private: true, timeout: Duration::from_secs(5) };
    drop(sender());
    let running = worker::start(app.app.clone(), worker::EVENTS_KEPT_DAYS, Sender::new(patient).unwrap());
    let began = Instant::now();
    for n in 0..PEOPLE {
        app.customer(&format!("c{n}"), app.gold).await;
    }
    let got = well.count(PEOPLE).await;
    let took = began.elapsed();
    let ids: Vec<i64> = got.iter().map(|got| got.body()["data"]["customer_id"].as_i64().unwrap()).collect();
    assert!(ids.is_sorted() && ids.len() == PEOPLE, "{ids:?}");
    assert!(took < Duration::from_secs(5), "the hanging one held them up: {took:?}");
    assert_eq!(hanging.got().len(), 1, "one at a time");
    // One more, from the commit to its arrival.
    let began = Instant::now();
    app.customer("late", app.gold).await;
    well.count(PEOPLE + 1).await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    hanging.act(Mode::Fine);
    running.stop().await;
}

async fn redirects_and_late_answers_are_failures(app: TestApp) {
    let (moved, slow) = (Receiver::new(Mode::Redirect).await, Receiver::new(Mode::Late(3000)).await);
    let first = hook(&app, &moved, &["customer.created"]).await;
    let second = hook(&app, &slow, &["customer.created"]).await;
    app.customer("ann", app.gold).await;
    deliver(&app).await;
    let log = deliveries(&app, first.webhook.id, None).await;
    assert_eq!((log[0].delivery.state.as_str(), log[0].delivery.last_status), ("pending", Some(302)));
    assert_eq!(moved.got().len(), 1, "the redirect is not followed");
    let log = deliveries(&app, second.webhook.id, Some("pending")).await;
    assert_eq!((log[0].delivery.last_status, log[0].delivery.last_error.as_deref()), (None, Some("no answer in time")));
    // It had taken it: the repeat comes under the same id, so that it can tell.
    slow.act(Mode::Late(20));
    after(&app, seconds(5)).await;
    let ids: Vec<String> = slow.got().iter().map(|got| got.header("x-webhook-id").to_string()).collect();
    assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");
    assert_eq!(deliveries(&app, second.webhook.id, Some("delivered")).await.len(), 1);
}

async fn a_receiver_that_was_away_for_an_hour(app: TestApp) {
    let mut receiver = Receiver::new(Mode::Fine).await;
    let issued = hook(&app, &receiver, &["customer.created"]).await;
    app.customer("first", app.gold).await;
    deliver(&app).await;
    receiver.close().await;
    let mut people = Vec::new();
    for n in 0..60 {
        people.push(app.customer(&format!("p{n}"), app.gold).await.customer.0);
        app.app.clock.pass(MINUTE);
        deliver(&app).await;
    }
    let waiting = deliveries(&app, issued.webhook.id, Some("pending")).await;
    assert_eq!((waiting.len(), receiver.got().len()), (60, 1));
    assert!(waiting[59].delivery.last_error.as_deref().is_some_and(|text| text.starts_with("no connection")));
    receiver.open().await;
    after(&app, HOUR).await;
    let got: Vec<i64> =
        receiver.got()[1..].iter().map(|got| got.body()["data"]["customer_id"].as_i64().unwrap()).collect();
    assert_eq!(got, people);
}

async fn a_day_of_failures_switches_it_off(app: TestApp) {
    let receiver = Receiver::new(Mode::Status(503)).await;
    let issued = hook(&app, &receiver, &["customer.created"]).await;
    let id = issued.webhook.id;
    app.customer("ann", app.gold).await;
    app.customer("bob", app.gold).await;
    deliver(&app).await;
    for _ in 0..95 {
        app.app.clock.pass(15 * MINUTE);
        deliver(&app).await;
    }
    assert!(row(&app, id).await.active, "23 h 45 min are not a day");
    assert_eq!(deliveries(&app, id, Some("dead")).await.len(), 1, "the first one has had its eight attempts");
    app.app.clock.pass(16 * MINUTE);
    deliver(&app).await;
    let hook = row(&app, id).await;
    assert!(!hook.active && hook.disabled_at.is_some());
    assert!(hook.disabled_reason.as_deref().is_some_and(|text| text.contains("503")), "{hook:?}");
    assert_eq!(app.events().await.iter().filter(|kind| *kind == "webhook.disabled").count(), 1);
    let mails: Vec<_> = service::messages::queue::queued(&app.app, &app.actor, 100)
        .await
        .unwrap()
        .into_iter()
        .filter(|message| message.channel == "email")
        .collect();
    assert_eq!((mails.len(), mails[0].recipient.as_str()), (1, "owner@example.com"));
    assert!(mails[0].body.contains(&hook.url));
    // Switched off it is left alone; what waits is kept and comes when it is switched on again.
    let asked = receiver.got().len();
    app.customer("eve", app.gold).await;
    app.app.clock.pass(days(2));
    deliver(&app).await;
    assert_eq!(receiver.got().len(), asked);
    receiver.act(Mode::Fine);
    let on = WebhookChange { active: Some(true), ..WebhookChange::default() };
    let hook = webhooks::update(&app.app, &app.actor, Scopes::ALL, id, on).await.unwrap();
    assert!(hook.disabled_at.is_none() && hook.failing_since.is_none());
    deliver(&app).await;
    let arrived: Vec<_> = receiver.got()[asked..].iter().map(|got| got.body()["data"]["name"].clone()).collect();
    assert_eq!(arrived, ["Customer bob"]);
}

async fn dead_deliveries_are_replayed(app: TestApp) {
    let receiver = Receiver::new(Mode::Status(410)).await;
    let issued = hook(&app, &receiver, &["customer.created"]).await;
    let id = issued.webhook.id;
    app.customer("ann", app.gold).await;
    deliver(&app).await;
    for _ in 0..80 {
        app.app.clock.pass(15 * MINUTE);
        deliver(&app).await;
    }
    let dead = deliveries(&app, id, Some("dead")).await;
    assert_eq!((dead.len(), dead[0].attempts.len(), receiver.got().len()), (1, 8, 8));
    receiver.act(Mode::Fine);
    let delivery = dead[0].delivery.id;
    webhooks::replay(&app.app, &app.actor, Scopes::ALL, id, delivery).await.unwrap();
    assert!(matches!(webhooks::replay(&app.app, &app.actor, Scopes::ALL, id, delivery).await, Err(Error::Refused(_))));
    let unknown = webhooks::replay(&app.app, &app.actor, Scopes::ALL, id, 999_999).await;
    assert_eq!(unknown, Err(Error::NotFound { what: What::Delivery }));
    deliver(&app).await;
    let got = receiver.got();
    assert_eq!((got.len(), got[8].header("x-webhook-attempt"), &got[8].bytes), (9, "9", &got[0].bytes));
    assert_eq!(deliveries(&app, id, Some("delivered")).await[0].attempts.len(), 9);
    // A test goes the same way.
    webhooks::test(&app.app, &app.actor, id).await.unwrap();
    deliver(&app).await;
    assert_eq!(receiver.events()[9..], ["webhook.test"]);
    // What ended is forgotten, the delivered after thirty days.
    app.app.clock.pass(days(31));
    webhooks::forget(&app.app, days(30), days(90)).await.unwrap();
    assert_eq!(deliveries(&app, id, None).await.len(), 0);
}

/// Another node on the same database.
fn node(app: &TestApp, name: &str, vault: &Vault) -> App {
    App::new(app.app.db.clone(), app.app.clock.clone(), vault.clone(), name)
}

async fn a_crash_between_queue_and_sending(app: TestApp) {
    let receiver = Receiver::new(Mode::Fine).await;
    let issued = hook(&app, &receiver, &["customer.created"]).await;
    app.customer("ann", app.gold).await;
    // Queued, and then the process is gone.
    assert_eq!(queue::fan_out(&app.app).await, Ok(1));
    let second = node(&app, "second", &app.app.vault);
    pass(&second, &sender()).await.unwrap();
    assert_eq!(receiver.got().len(), 1);
    // Held and perhaps sent, but not written down: after the lease it is sent again, under the same id.
    app.customer("bob", app.gold).await;
    queue::fan_out(&app.app).await.unwrap();
    let held = queue::claim(&app.app, 10).await.unwrap();
    let lost = queue::first(&app.app, held[0]).await.unwrap().expect("a delivery");
    assert!(sender().send(&lost).await.status == Some(200));
    pass(&second, &sender()).await.unwrap();
    assert_eq!(receiver.got().len(), 2, "the lease holds");
    app.app.clock.pass(seconds(31));
    pass(&second, &sender()).await.unwrap();
    let got = receiver.got();
    assert_eq!((got.len(), got[1].header("x-webhook-id")), (3, got[2].header("x-webhook-id")));
    // The first one comes to itself: what it knows no longer decides.
    let outcome = queue::Outcome { status: None, error: Some("late".into()), answer: None, ms: 1 };
    assert!(queue::finish(&app.app, &lost, outcome).await.unwrap().is_none());
    assert_eq!(deliveries(&app, issued.webhook.id, Some("delivered")).await.len(), 2);
}

async fn two_nodes_send_once(app: TestApp) {
    let receivers = [Receiver::new(Mode::Fine).await, Receiver::new(Mode::Late(10)).await];
    for receiver in &receivers {
        hook(&app, receiver, &["customer.created", "bill.generated"]).await;
    }
    let nodes = [node(&app, "one", &app.app.vault), node(&app, "two", &app.app.vault)];
    let running: Vec<_> =
        nodes.iter().map(|node| worker::start(node.clone(), worker::EVENTS_KEPT_DAYS, sender())).collect();
    for n in 0..15 {
        app.customer(&format!("n{n}"), app.gold).await;
    }
    for receiver in &receivers {
        let got = receiver.count(30).await;
        let ids: std::collections::HashSet<&str> = got.iter().map(|got| got.header("x-webhook-id")).collect();
        assert_eq!((got.len(), ids.len()), (30, 30));
        let people: Vec<i64> = got.iter().map(|got| got.body()["data"]["customer_id"].as_i64().unwrap()).collect();
        assert!(people.is_sorted(), "{people:?}");
    }
    for running in running {
        running.stop().await;
    }
}

async fn private_targets_are_refused(app: TestApp) {
    let receiver = Receiver::new(Mode::Fine).await;
    drop(sender());
    let guarded = Sender::new(Settings { timeout: Duration::from_secs(2), ..Settings::default() }).unwrap();
    let port = receiver.address.port();
    let mut hooks = Vec::new();
    for host in ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "127.1", "2130706433", "[::ffff:127.0.0.1]"] {
        let (url, events) = (format!("http://{host}:{port}/"), vec!["customer.created"]);
        let command = NewWebhook { url, events, active: true, secret: None };
        hooks.push((host, webhooks::create(&app.app, &app.actor, Scopes::ALL, command).await.unwrap().webhook.id));
    }
    app.customer("ann", app.gold).await;
    pass(&app.app, &guarded).await.unwrap();
    for (host, id) in hooks {
        let log = deliveries(&app, id, Some("pending")).await;
        let error = log[0].delivery.last_error.clone().unwrap_or_default();
        assert!(error.contains("private or local"), "{host}: {error}");
    }
    assert_eq!(receiver.got().len(), 0);
}

async fn secrets_overlap_while_they_are_rotated(app: TestApp) {
    let receiver = Receiver::new(Mode::Fine).await;
    let old = hook(&app, &receiver, &["customer.created"]).await;
    let id = old.webhook.id;
    let new = webhooks::rotate(&app.app, &app.actor, Scopes::ALL, id, HOUR).await.unwrap();
    assert_ne!(old.secret, new.secret);
    app.customer("ann", app.gold).await;
    deliver(&app).await;
    app.app.clock.pass(HOUR);
    app.customer("bob", app.gold).await;
    deliver(&app).await;
    let got = receiver.got();
    let signed = |at: usize, secret: &str| queue::signature(secret, std::str::from_utf8(&got[at].bytes).unwrap());
    assert_eq!(got[0].header("x-signature"), signed(0, &new.secret));
    assert_eq!(got[0].header("x-signature-previous"), signed(0, &old.secret));
    assert_eq!(
        (got[1].header("x-signature"), got[1].header("x-signature-previous")),
        (signed(1, &new.secret).as_str(), "")
    );
}

async fn only_what_was_asked_for(app: TestApp) {
    let receiver = Receiver::new(Mode::Fine).await;
    let bills = hook(&app, &receiver, &["bill.generated"]).await;
    let everything = Receiver::new(Mode::Fine).await;
    hook(&app, &everything, NAMES).await;
    // Somebody who may see one branch hears of that branch.
    let elsewhere = Receiver::new(Mode::Fine).await;
    let branch = Actor { branch: Some(BranchId(7)), ..app.actor.clone() };
    let url = format!("http://{}/", elsewhere.address);
    let command = NewWebhook { url, events: vec!["customer.created"], active: true, secret: None };
    let theirs = webhooks::create(&app.app, &branch, Scopes::ALL, command).await.unwrap().webhook.id;
    assert_eq!(webhooks::show(&app.app, &branch, bills.webhook.id).await.map(drop), Err(Error::Forbidden));
    assert_eq!(webhooks::list(&app.app, &branch, 0, 10).await.unwrap().1, 1);

    let ann = app.customer("ann", app.gold).await;
    let silver = app.plan("silver", |_| {}).await;
    app.update(ann, |change| change.full_name = Some("Ann".into())).await.unwrap();
    app.update(ann, |change| change.plan = Some(silver)).await.unwrap();
    app.put(ann, Status::Disabled).await.unwrap();
    app.delete(ann).await.unwrap();
    deliver(&app).await;
    assert_eq!(receiver.events(), ["bill.generated"]);
    assert_eq!(elsewhere.got().len(), 0);
    let expected = "customer.created payment.received bill.generated invoice.generated invoice.paid \
                    connection.activated package.assigned customer.updated package.changed customer.suspended \
                    connection.suspended connection.terminated customer.deleted";
    assert_eq!(everything.events().join(" "), expected);
    let changed = everything.got()[8].body()["data"].clone();
    assert_eq!((&changed["package"]["name"], &changed["previous_package"]["name"]), (&"silver".into(), &"gold".into()));

    // While it is off nothing is gathered for it; what waited when it was deleted is not sent.
    let put = async |active| {
        let change = WebhookChange { active: Some(active), ..WebhookChange::default() };
        webhooks::update(&app.app, &app.actor, Scopes::ALL, bills.webhook.id, change).await.unwrap();
    };
    put(false).await;
    app.customer("bob", app.gold).await;
    put(true).await;
    app.customer("eve", app.gold).await;
    deliver(&app).await;
    assert_eq!(receiver.got().len(), 2);
    app.customer("joe", app.gold).await;
    queue::fan_out(&app.app).await.unwrap();
    webhooks::delete(&app.app, &app.actor, bills.webhook.id).await.unwrap();
    deliver(&app).await;
    assert_eq!(receiver.got().len(), 2);
    let gone = webhooks::show(&app.app, &app.actor, bills.webhook.id).await;
    assert_eq!(gone.map(drop), Err(Error::NotFound { what: What::Webhook }));
    assert_eq!(webhooks::list(&app.app, &app.actor, 0, 10).await.unwrap().1, 2);
    assert!(deliveries(&app, theirs, None).await.is_empty());
}

/// A webhook is reading: each name has the right of what it tells, and whoever lacks it neither makes such a webhook, nor sets
/// its address, nor has its secret, nor sees what it was sent.
async fn only_what_its_maker_reads(app: TestApp) {
    let (core, actor) = (&app.app, &app.actor);
    let receiver = Receiver::new(Mode::Fine).await;
    let few = Scopes::from_words("webhooks:read webhooks:write");
    let url = format!("http://{}/few", receiver.address);
    let command =
        |events: &[&'static str]| NewWebhook { url: url.clone(), events: events.to_vec(), active: true, secret: None };
    let forbidden = Some(Error::Forbidden);
    for name in NAMES {
        let made = webhooks::create(core, actor, few, command(&[name])).await;
        assert_eq!(made.err(), forbidden, "{name}");
    }
    let billing = few.with(Scopes::from_words("billing:read"));
    assert_eq!(
        webhooks::create(core, actor, billing, command(&["payment.received", "customer.created"])).await.err(),
        forbidden
    );
    let theirs =
        webhooks::create(core, actor, billing, command(&["payment.received"])).await.expect("a webhook").webhook.id;

    let all = hook(&app, &receiver, NAMES).await.webhook.id;
    let ann = app.customer("ann", app.gold).await;
    deliver(&app).await;
    let first = deliveries(&app, all, None).await[0].delivery.id;
    let elsewhere = WebhookChange { url: Some(url.clone()), ..WebhookChange::default() };
    assert_eq!(webhooks::update(core, actor, billing, all, elsewhere.clone()).await.err(), forbidden, "its address");
    assert_eq!(webhooks::rotate(core, actor, billing, all, 0).await.err(), forbidden, "its secret");
    assert_eq!(webhooks::replay(core, actor, billing, all, first).await.err(), forbidden);
    assert_eq!(webhooks::deliveries(core, actor, billing, all, None, 0, 9).await.err(), forbidden, "what it was sent");
    // What it was sent in the past counts as well.
    let less = WebhookChange { events: Some(vec!["payment.received"]), ..WebhookChange::default() };
    webhooks::update(core, actor, Scopes::ALL, all, less).await.expect("a change");
    assert_eq!(webhooks::deliveries(core, actor, billing, all, None, 0, 99).await.err(), forbidden);
    // Its own it changes, but not to what it does not read.
    webhooks::update(core, actor, billing, theirs, elsewhere).await.expect("a change");
    let more = WebhookChange { events: Some(vec!["payment.received", "customer.updated"]), ..WebhookChange::default() };
    assert_eq!(webhooks::update(core, actor, billing, theirs, more).await.err(), forbidden);
    assert!(!webhooks::deliveries(core, actor, billing, theirs, None, 0, 9).await.expect("a log").0.is_empty());
    app.update(ann, |change| change.full_name = Some("Ann".into())).await.unwrap();
    deliver(&app).await;
    let told: Vec<String> = receiver.got().iter().filter(|got| got.path == "/few").map(Got::event).collect();
    assert!(!told.is_empty() && told.iter().all(|name| name == "payment.received"), "{told:?}");
}
