//! Bounds where everybody waits: the calendar that every door keeps to, a writer that somebody holds, counters of routers
//! that are none.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use domain::{Instant as At, Money, kernel::dates};
use serde_json::json;
use service::{
    Error, Refusal, Why,
    access::ready::{self, Obstacle},
    sales::{
        by_hand::{self, Override},
        grace::{self, NewGrace},
        moves::{self, NewMove, When},
    },
};
use store::{
    db::{Class, Db, Location},
    params, sql,
};

use crate::{
    app::{TestApp, days, seconds},
    both,
    crash::{PATIENCE, folder, free_ports},
    jaze::Door,
    nas::{interim, login, report, started, stopped},
    zal,
};

both!(
    no_line_leads_past_the_calendar,
    each_door_names_the_date_that_is_beyond,
    what_is_looked_for_may_lie_anywhere,
    no_row_is_written_beyond_what_is_kept,
    counters_of_all_ones_are_none,
    amounts_and_quotas_have_their_ends,
    numbers_and_names_are_read_one_way,
);

/// The end is named, computed, moved: whatever leads beyond is refused, and the line stays as it was.
async fn no_line_leads_past_the_calendar(app: TestApp) {
    let long = app.plan("long", |plan| (plan.validity, plan.validity_unit) = (90_000, "Days".into())).await;
    let fixed = app
        .plan("to the 20th", |plan| {
            (plan.validity, plan.validity_unit, plan.period_day) = (1, "Period".into(), Some(20));
        })
        .await;
    let ali = app.customer("ali", fixed).await;
    let beyond = app.try_customer("eve", |customer| customer.plan = long).await;
    assert_eq!(beyond.err(), Some(Error::Refused(Refusal::PeriodBeyond)));

    let last = At::from_civil(dates::LAST.at(23, 59, 59, 0), &app.app.tenant(app.actor.isp).await.unwrap().zone);
    let put = async |at: At| by_hand::put(&app.app, &app.actor, ali.customer, Override::End(Some(at))).await;
    let outside = |field| Err(Error::invalid(field, Why::OutsideCalendar));
    assert_eq!(put(last.plus(days(3))).await, outside("expires_at"));
    assert_eq!(put(At(i64::MAX)).await, outside("expires_at"));
    put(last.plus(-days(40))).await.expect("a day of the calendar");

    // A period may be sold until the calendar ends, and none that ends behind it.
    app.recharge(ali).await.expect("the last period");
    let row = app.row(ali).await;
    assert!(row.expires_at.is_some_and(At::is_kept));
    let mut refused = 0;
    for _ in 0..3 {
        match app.recharge(ali).await {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error, Error::Refused(Refusal::PeriodBeyond));
                refused += 1;
            }
        }
    }
    assert!(refused > 0, "{:?}", app.row(ali).await.expires_at);
    let given = |days, until| NewGrace { days, until };
    let grace = async |command| grace::give(&app.app, &app.actor, ali.customer, command, None).await;
    assert_eq!(grace(given(366, None)).await, outside("days"));
    assert_eq!(grace(given(0, Some(jiff::civil::date(2101, 1, 1)))).await, outside("until"));
    let when = When::On(jiff::civil::date(9999, 12, 31));
    let later = NewMove {
        customer: ali.customer,
        plan: app.gold,
        when,
        clear_usage: false,
        clear_policies: false,
        move_billing: false,
    };
    assert_eq!(moves::order(&app.app, &app.actor, later, None).await, outside("date"));
    assert!(app.row(ali).await.expires_at.is_some_and(At::is_kept));
    assert!(login_said(&app, "ali").await);
}

async fn login_said(app: &TestApp, name: &str) -> bool {
    app.nas.login(login(name)).await.starts_with("Access-Accept")
}

async fn each_door_names_the_date_that_is_beyond(app: TestApp) {
    let jaze = Door::open(&app).await;
    let zal = zal::Api::of(&app).await;
    let ali = app.customer("ali", app.gold).await;
    let user = ali.customer;
    for (path, form, field) in [
        ("add_grace_period", "days=0&expiryDate=31-12-9999", "expiry date"),
        ("add_grace_period", "days=0&expiryDate=01-01-2101", "expiry date"),
        ("make_payment", "amount=1&method=cash&paymentDate=01-01-1900", "payment date"),
        ("renew", "scheduleRenew=true&scheduleBasedOn=customDate&scheduleDate=9999-12-31", "schedule date"),
    ] {
        let (status, body) = jaze.post(path, &format!("userId={user}&{form}")).await;
        let told = body["message"].as_str().unwrap_or_default();
        assert!(status == 400 && told.contains(field) && told.contains("2100"), "{path} {form}: {status} {body}");
    }
    for (field, value) in [("expiration_date", "9998-12-31 23:59:59"), ("join_date", "9999-12-31")] {
        let (status, body) = zal.put("/update", json!({ "id": user.0, field: value })).await;
        assert!((400..500).contains(&status) && body.to_string().contains("2100"), "{field}: {status} {body}");
    }
}

/// Days of reports are clamped: who asks for all of time gets all there is.
async fn what_is_looked_for_may_lie_anywhere(app: TestApp) {
    let jaze = Door::open(&app).await;
    let ali = app.customer("ali", app.gold).await;
    for path in [
        "get_users_by_date/0001-01-01/9999-12-31".to_string(),
        format!("get_usersession_details/{}/0001-01-01/9999-12-31", ali.customer),
    ] {
        let (status, body) = jaze.get(&path).await;
        assert_eq!(status, 200, "{path}: {body}");
    }
}

/// Whatever forgets to ask: the row itself is refused.
async fn no_row_is_written_beyond_what_is_kept(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    let before = app.row(ali).await;
    for at in [At(i64::MAX), At(i64::MIN), At::from_unix(5_000_000_000)] {
        let edited = app
            .app
            .change(&app.actor, Class::Interactive, async move |change| {
                let row = store::people::service::find(change.tx, change.isp, ali.service).await?;
                let mut row = row.expect("the line");
                row.expires_at = Some(at);
                Ok::<_, Error>(store::people::service::update(change.tx, &row).await?)
            })
            .await;
        assert_eq!(edited, Err(Error::Refused(Refusal::Beyond)), "{at}");
    }
    let much = app
        .app
        .change(&app.actor, Class::Interactive, async move |change| {
            let row = store::people::service::find(change.tx, change.isp, ali.service).await?.expect("the line");
            let periods = store::people::service::periods(change.tx, change.isp, row.id).await?;
            let mut period = periods.into_iter().next().expect("a period");
            (period.id, period.ordinal, period.price) = (domain::PeriodId(999_999), 77, Money(1 << 53));
            Ok::<_, Error>(period.insert(change.tx).await?)
        })
        .await;
    assert_eq!(much, Err(Error::Refused(Refusal::Beyond)));
    assert_eq!(app.row(ali).await, before);
    // It may still be compared with.
    let none = app.app.db.read(async |tx| {
        Ok::<_, store::db::Error>(
            tx.rows(sql!("select id from service where expires_at > $1"), &params![At(i64::MAX)]).await?.len(),
        )
    });
    assert_eq!(none.await, Ok(0));
}

/// A router that reports nothing but ones adds nothing, in whatever order; what it says sensibly afterwards counts, later
/// sessions are answered, and the line is let in.
async fn counters_of_all_ones_are_none(app: TestApp) {
    const ALL: u64 = u64::MAX;
    let limited = app
        .plan("10 GB", |plan| {
            plan.limited = true;
            plan.limit_type = Some("Data_Limit".into());
            (plan.data_limit, plan.data_unit) = (Some(10), Some("GB".into()));
        })
        .await;
    let ali = app.customer("ali", limited).await;
    // Twice a day, Stops without a Start.
    for session in ["p1", "p2"] {
        app.nas.report(stopped("ali", session, u32::MAX, ALL, ALL)).await;
    }
    app.nas.report(started("ali", "s1")).await;
    app.app.clock.pass(seconds(600));
    app.nas.report(interim("ali", "s1", 300, 1000, 2000)).await;
    app.nas.report(interim("ali", "s1", u32::MAX, ALL, ALL)).await;
    app.nas.report(interim("ali", "s1", 500, ALL, 3000)).await;
    app.nas.report(stopped("ali", "s1", 600, 1500, 4000)).await;
    let row = app.row(ali).await;
    assert_eq!((row.used_bytes, row.used_time_s), (5500, 600));
    let shown: Vec<_> = app.sessions(ali).await.iter().map(|one| (one.up_total, one.down_total)).collect();
    assert_eq!(shown, [(0, 0), (0, 0), (1500, 4000)]);
    assert!(login_said(&app, "ali").await);

    // As much as may be, again and again: it stops where sums of it are still whole.
    let most = domain::access::usage::MOST_GROWTH - 1;
    let eve = app.customer("eve", app.gold).await;
    for session in 0..8 {
        let name = format!("m{session}");
        app.nas.report(report("eve", &name, radius::attribute::acct_status::STOP, 60, most, most)).await;
    }
    let row = app.row(eve).await;
    assert_eq!(row.used_bytes, domain::access::usage::MOST_KEPT as i64);
    app.nas.report(interim("eve", "later", 60, 5, 5)).await;
    assert!(login_said(&app, "eve").await);
    let days = service::customers::lines::usage(&app.app, &app.actor, eve.customer, (dates::FIRST, dates::LAST));
    let days = days.await.expect("usage by day");
    assert!(days.iter().all(|day| day.up == domain::access::usage::MOST_KEPT), "{days:?}");
}

/// Named where they come in, and where one comes to another: nothing leaves what 64 bits and every reader keep.
async fn amounts_and_quotas_have_their_ends(app: TestApp) {
    let much = |field| Err(Error::invalid(field, Why::TooMuch));
    let ali = app.customer("ali", app.gold).await;
    let put = async |given: Override| by_hand::put(&app.app, &app.actor, ali.customer, given).await;
    for quota in [(1_i64 << 53) + 1, i64::MAX] {
        assert_eq!(put(Override::Volume(Some(quota))).await, much("megabytes"));
        assert_eq!(put(Override::Time(Some(quota))).await, much("minutes"));
    }
    assert_eq!(put(Override::Volume(Some(-1))).await, Err(Error::invalid("megabytes", Why::TooSmall { min: 0 })));
    put(Override::Volume(Some(1 << 53))).await.expect("the largest quota");

    // As large as quotas may be, bought again and again: it is as large as it may be.
    let huge = app
        .plan("huge", |plan| {
            plan.limited = true;
            plan.limit_type = Some("Data_Limit".into());
            (plan.data_limit, plan.data_unit) = (Some(9_007_199), Some("GB".into()));
        })
        .await;
    let eve = app.customer("eve", huge).await;
    for _ in 0..4 {
        app.recharge(eve).await.expect("a further period");
    }
    assert_eq!(app.row(eve).await.quota_bytes, Some(1 << 53));
    app.nas.report(interim("eve", "s1", 60, 1000, 1000)).await;
    assert!(login_said(&app, "eve").await);
    let over = service::catalogue::plans::PlanChange {
        data_limit: Some(9_007_200),
        ..service::catalogue::plans::PlanChange::default()
    };
    let refused = service::catalogue::plans::update(&app.app, &app.actor, huge, over).await;
    assert_eq!(refused.err(), Some(Error::invalid("data_limit", Why::TooMuch)));

    let zal = zal::Api::of(&app).await;
    let most = domain::kernel::money::MOST.0 / 100;
    for (path, field, value) in [
        ("/update", "previous_balance", json!(most + 1)),
        ("/update", "previous_balance", json!(-most - 1)),
        ("/update", "discount", json!(most + 1)),
        ("/update", "previous_balance", json!("1_000")),
        ("/activation", "payment_amount", json!(most + 1)),
        ("/activation", "payment_amount", json!("1_0")),
    ] {
        let mut body = json!({ "id": ali.customer.0, "subscriber_id": ali.customer.0, "cut_subscriber_balance": 1 });
        body[field] = value;
        let (status, told) = match path {
            "/activation" => zal.post(path, body).await,
            _ => zal.put(path, body).await,
        };
        assert!(status == 422 && told["errors"][field].is_array(), "{field}: {status} {told}");
    }
    let ledger = app.ledger().await;
    assert!(!ledger.contains("opening"), "{ledger}");
}

/// Of a name that stands twice nobody knows which counts.
async fn numbers_and_names_are_read_one_way(app: TestApp) {
    let ali = app.customer("ali", app.gold).await.customer;
    let zal = zal::Api::of(&app).await;
    let said = async |body: String| {
        let request = axum::http::Request::put("/api/v1/subscribers/update")
            .header("authorization", format!("Bearer {}", zal.token))
            .header("content-type", "application/json")
            .body(axum::body::Body::from(body))
            .expect("a request");
        let response = tower::ServiceExt::oneshot(zal.router.clone(), request).await.expect("an answer");
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("a body");
        (status, String::from_utf8_lossy(&bytes).into_owned())
    };
    for (body, name) in [
        (format!(r#"{{"id":{ali},"previous_balance":1,"previous_balance":500}}"#), "previous_balance twice"),
        (format!(r#"{{"id":{ali},"id":{ali}}}"#), "id twice"),
        (format!(r#"{{"id":{ali},"previous_balance":1e999}}"#), "previous_balance must be a smaller number"),
    ] {
        let (status, told) = said(body.clone()).await;
        assert!(status == 400 && told.contains(name), "{body}: {status} {told}");
    }
    assert!(!app.ledger().await.contains("opening"));
}

/// A change that computes and asks its transaction nothing cannot be interrupted; the server says that it does not write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_cannot_write_is_not_ready() {
    let folder = folder("held");
    let app = TestApp::on(Location::File(folder.join("data.db"))).await;
    assert_eq!(ready::obstacle(&app.app, PATIENCE).await, None);
    let (let_go, held) = std::sync::mpsc::channel::<()>();
    let (holds, holding) = tokio::sync::oneshot::channel();
    let (held, holds) = (parking_lot::Mutex::new(held), parking_lot::Mutex::new(Some(holds)));
    let db = app.app.db.clone();
    let stuck = tokio::spawn(async move {
        db.tx(Class::Interactive, async move |_| {
            if let Some(holds) = holds.lock().take() {
                let _ = holds.send(());
            }
            let _ = held.lock().recv();
            Ok::<_, Error>(())
        })
        .await
    });
    holding.await.expect("it holds");
    // Whoever only reads notices nothing.
    assert!(service::access::directory::heads(&app.app).await.is_ok());
    assert_eq!(ready::obstacle(&app.app, Duration::from_millis(100)).await, Some(Obstacle::NoWrites));
    let now = app.app.db.held();
    assert!(now.running > Duration::ZERO && now.longest >= now.running && !now.overdue, "{now:?}");
    drop(let_go);
    assert_eq!(stuck.await.expect("its end"), Ok(()));
    assert_eq!(ready::obstacle(&app.app, PATIENCE).await, None);
    drop(app);
    let _ = std::fs::remove_dir_all(&folder);
}

/// Somebody else's hand on the database file keeps the program from ending in good order: it ends nevertheless.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_stop_it_ends_whatever_does_not() {
    let folder = folder("stop");
    let text = |path: &std::path::Path| path.to_str().expect("a path").to_string();
    let made = Command::new(env!("CARGO_BIN_EXE_lastmile"))
        .args(["init", "--dir", &text(&folder), "--name", "Test ISP", "--currency", "KES"])
        .args(["--time-zone", "Africa/Nairobi", "--owner-email", "owner@isp.example"])
        .stdout(Stdio::null())
        .status()
        .expect("init");
    assert!(made.success());
    let [http, operator, auth, acct] = free_ports();
    let set = |name: &str, value: String| (format!("LASTMILE__{name}"), value);
    let mut program = Command::new(env!("CARGO_BIN_EXE_lastmile"))
        .args(["serve", "--config", &text(&folder.join("lastmile.toml"))])
        .envs([
            set("HTTP__LISTEN", format!("127.0.0.1:{http}")),
            set("OPERATOR__LISTEN", format!("127.0.0.1:{operator}")),
            set("OPERATOR__STOP_WITHIN_S", "1".into()),
            set("RADIUS__AUTH", format!("127.0.0.1:{auth}")),
            set("RADIUS__ACCT", format!("127.0.0.1:{acct}")),
        ])
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let asked = format!("http://127.0.0.1:{operator}/readyz");
    let ready = async || {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", operator)).await.ok()?;
        let said = answer(stream, "/readyz").await;
        said.contains(" 200 ").then_some(())
    };
    let deadline = Instant::now() + PATIENCE;
    while ready().await.is_none() {
        assert!(Instant::now() < deadline, "{asked} is not ready in time");
        tokio::task::yield_now().await;
    }
    // A reader that never lets go: the log cannot be emptied, which is the last thing a server does.
    let db = Db::open(&Location::File(folder.join("lastmile.db"))).await.expect("the file");
    let (let_go, held) = std::sync::mpsc::channel::<()>();
    let (holds, holding) = tokio::sync::oneshot::channel();
    let (held, holds) = (parking_lot::Mutex::new(held), parking_lot::Mutex::new(Some(holds)));
    let other = db.clone();
    let stuck = tokio::spawn(async move {
        other
            .tx(Class::Interactive, async move |tx| {
                tx.run(sql!("update counter set next = next where isp_id = $1"), &params![0_i64]).await?;
                if let Some(holds) = holds.lock().take() {
                    let _ = holds.send(());
                }
                let _ = held.lock().recv();
                Ok::<_, store::db::Error>(())
            })
            .await
    });
    holding.await.expect("it holds");
    let not_ready = async || {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", operator)).await.expect("room");
        let said = answer(stream, "/readyz").await;
        said.contains(" 503 ") && said.contains("takes no writes")
    };
    while !not_ready().await {
        assert!(Instant::now() < deadline, "it says that it is ready, and writes nothing");
    }
    assert!(store::testing::signal("TERM", &[program.id().to_string()]), "it is there");
    let status = tokio::task::spawn_blocking(move || program.wait()).await.expect("its end").expect("a status");
    assert_eq!(status.code(), Some(1), "it did not end in good order, and it ended");
    drop(let_go);
    let _ = stuck.await;
    db.close().await;
    let _ = std::fs::remove_dir_all(&folder);
}

async fn answer(mut stream: tokio::net::TcpStream, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut said = String::new();
    if stream.write_all(request.as_bytes()).await.is_ok() {
        let _ = stream.read_to_string(&mut said).await;
    }
    said
}
