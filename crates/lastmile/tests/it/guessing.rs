//! Guessing over RADIUS: whoever changes devices, names and routers is slowed down by what stays, and nobody else is.

use std::time::Duration;

use domain::Kind;
use service::sales::vouchers::{self, Format, NewVouchers};

use crate::{
    app::{TestApp, seconds},
    both,
    nas::{Login, interim, login, started, stopped},
};

/// No answer within this is none: those that are late take two seconds.
const SILENCE: Duration = Duration::from_millis(300);

both!(
    codes_from_ever_new_devices,
    one_line_from_ever_new_devices,
    one_password_at_every_line,
    a_storm_with_some_wrong_passwords,
    a_device_that_guesses_shuts_nobody_out,
    a_report_of_nobody_takes_no_place,
);

/// Asks, and is let in.
async fn let_in(app: &TestApp, login: Login<'_>) {
    let answer = app.nas.login(login).await;
    assert!(answer.starts_with("Access-Accept"), "{answer}");
}

fn mac(n: usize) -> String {
    format!("02:00:00:01:{:02X}:{:02X}", n / 256, n % 256)
}

/// What the port has counted since it began.
fn counted(app: &TestApp, name: &str) -> f64 {
    let rows = app.aaa.metrics();
    rows.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name}")).1
}

/// So many were refused, and so many not answered.
async fn refusals(app: &TestApp, refused: usize, silent: usize) {
    let wanted = (refused as f64, silent as f64);
    let look = async || {
        let now = (counted(app, "radius_auth_rejects_total"), counted(app, "radius_auth_silent_total"));
        (now.0 + now.1 >= wanted.0 + wanted.1).then_some(now)
    };
    let counts = app.until("all guesses are decided", async || look().await).await;
    assert_eq!(counts, wanted);
}

async fn code(app: &TestApp) -> String {
    let plan = app
        .plan("day", |plan| {
            plan.kind = Kind::Hotspot;
            plan.validity = 1;
        })
        .await;
    let command = NewVouchers {
        kind: Kind::Hotspot,
        router: app.router,
        plan,
        count: 1,
        format: Format::Numbers,
        length: 6,
        clients: 1,
        customer: None,
    };
    vouchers::create(&app.app, &app.actor, command, None).await.expect("vouchers").vouchers.remove(0).1
}

async fn codes_from_ever_new_devices(app: TestApp) {
    app.customer("ali", app.gold).await;
    let code = code(&app).await;
    for n in 0..500 {
        let (guess, mac) = (format!("no{n}"), mac(n));
        app.nas.throw(Login { password: &guess, mac: Some(&mac), ..login(&guess) }).await;
    }
    refusals(&app, 120, 380).await;
    assert_eq!(counted(&app, "radius_auth_held_total"), 60.0, "the later half takes its time");
    // A right code and a right password go on being answered, from devices nobody has seen.
    let (guest, other) = (mac(1000), mac(1001));
    let_in(&app, Login { password: &code, mac: Some(&guest), ..login(&code) }).await;
    let_in(&app, Login { mac: Some(&other), ..login("ali") }).await;
    // A second later one more is answered.
    let wrong = Login { mac: Some(&other), ..login("nobody") };
    assert_eq!(app.nas.try_login(wrong.clone(), SILENCE).await, None);
    app.app.clock.pass(seconds(61));
    assert!(app.nas.login(wrong).await.starts_with("Access-Reject"));
}

async fn one_line_from_ever_new_devices(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    let_in(&app, login("ali")).await;
    for n in 0..200 {
        let mac = mac(n);
        app.nas.throw(Login { password: "guess", mac: Some(&mac), port: 9, ..login("ali") }).await;
    }
    refusals(&app, 60, 140).await;
    // Nobody but the line's own device is looked at, be it right: the sixty-first guess might be.
    let stranger = mac(1000);
    let right = Login { mac: Some(&stranger), ..login("ali") };
    assert_eq!(app.nas.try_login(right.clone(), SILENCE).await, None);
    let_in(&app, login("ali")).await;
    // Also when it has been online and left, and after a change of the line.
    app.nas.report(started("ali", "s1")).await;
    app.nas.report(stopped("ali", "s1", 5, 0, 0)).await;
    app.update(ali, |edit| edit.beside.profile.notes = Some("asked about the bill".into())).await.expect("a change");
    let_in(&app, login("ali")).await;
    // The line is not locked: a stranger has a turn every three seconds.
    app.nas.report(started("ali", "s2")).await;
    app.nas.report(stopped("ali", "s2", 5, 0, 0)).await;
    app.app.clock.pass(seconds(3));
    let_in(&app, right).await;
}

async fn one_password_at_every_line(app: TestApp) {
    for n in 0..12 {
        app.customer(&format!("u{n}"), app.gold).await;
    }
    // Thirty times over all of them, each time from another device.
    for n in 0..360 {
        let (name, mac) = (format!("u{}", n % 12), mac(n));
        app.nas.throw(Login { password: "123456", mac: Some(&mac), ..login(&name) }).await;
    }
    refusals(&app, 300, 60).await;
    let stranger = mac(1000);
    let_in(&app, Login { mac: Some(&stranger), ..login("u3") }).await;
}

async fn a_storm_with_some_wrong_passwords(app: TestApp) {
    for n in 0..40 {
        app.customer(&format!("u{n}"), app.gold).await;
    }
    // Every tenth has forgotten it, and all ask at the same time, the forgetful again and again.
    let app = std::sync::Arc::new(app);
    let tasks = (0..40).map(|n| {
        let app = app.clone();
        tokio::spawn(async move {
            let (name, mac) = (format!("u{n}"), mac(n));
            for _ in 0..if n % 10 == 0 { 8 } else { 0 } {
                app.nas.throw(Login { password: "forgotten", mac: Some(&mac), ..login(&name) }).await;
            }
            let_in(&app, Login { mac: Some(&mac), ..login(&name) }).await;
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no panic");
    }
}

async fn a_device_that_guesses_shuts_nobody_out(app: TestApp) {
    app.customer("ali", app.gold).await;
    app.customer("ayesha", app.gold).await;
    let shared = mac(1);
    let from = |name: &'static str| Login { mac: Some(&shared), ..login(name) };
    let_in(&app, from("ali")).await;
    for n in 0..100 {
        let guess = format!("no{n}");
        app.nas.throw(Login { password: &guess, mac: Some(&shared), ..login(&guess) }).await;
    }
    refusals(&app, 30, 70).await;
    // What it tries next is not looked at, except the line that is its own.
    assert_eq!(app.nas.try_login(from("ayesha"), SILENCE).await, None);
    let_in(&app, from("ali")).await;
    app.app.clock.pass(seconds(12));
    let_in(&app, from("ayesha")).await;
}

/// A packet that a router garbles before it signs it is rightly signed.
async fn a_report_of_nobody_takes_no_place(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    app.nas.report_of_nobody("ali", "x").await;
    let_in(&app, login("ali")).await;
    app.nas.report(interim("ali", "s1", 60, 1000, 2000)).await;
    let other = mac(9);
    let refused = app.nas.login(Login { mac: Some(&other), port: 8, ..login("ali") }).await;
    assert_eq!(refused, "Access-Reject Reply-Message=Too many devices are connected");
    assert_eq!(app.sessions(ali).await.len(), 2, "both are on record");
}
