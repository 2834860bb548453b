//! Software nobody here wrote: FreeRADIUS's client asks, pyrad answers CoA and Disconnect. Each is skipped, with a word,
//! where its package is not installed.

use std::{
    io::{BufRead, BufReader, Write},
    net::UdpSocket,
    process::{Child, Command, Stdio},
};

use domain::Status;
use service::routers::{self, NewRouter};

use crate::{
    app::{SECRET, TestApp, days},
    nas::{login, started},
};

/// What radclient prints of the answer to `attributes`.
fn radclient(port: u16, kind: &str, attributes: &str) -> Option<String> {
    let mut radclient = match Command::new("radclient")
        .args(["-x", "-r", "1", "-t", "5", &format!("127.0.0.1:{port}"), kind, SECRET])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    {
        Ok(process) => process,
        Err(_) => {
            eprintln!("SKIPPED: radclient is not installed (package freeradius-utils)");
            return None;
        }
    };
    radclient.stdin.take().expect("stdin").write_all(attributes.as_bytes()).expect("attributes");
    let output = radclient.wait_with_output().expect("radclient ends");
    Some(String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn freeradius_client_logs_in_by_every_method() {
    let app = TestApp::sqlite().await;
    let alice = app.customer("alice", app.gold).await;
    let (auth, acct) = (app.aaa.auth_addr().port(), app.aaa.acct_addr().port());
    let ask = |kind: &str, attributes: String| radclient(if kind == "acct" { acct } else { auth }, kind, &attributes);
    let signed = "Message-Authenticator = 0x00";
    let pap = |password: &str| format!("User-Name = \"alice\", User-Password = \"{password}\", {signed}\n");
    let Some(answer) = ask("auth", pap("secret")) else { return };
    assert!(answer.contains("Received Access-Accept"), "{answer}");
    assert!(answer.contains("Mikrotik-Rate-Limit = \"10M/10M\""), "{answer}");
    let rows = [
        ("CHAP-Password = \"secret\"", "Received Access-Accept"),
        ("CHAP-Password = \"wrong\"", "Received Access-Reject"),
        ("MS-CHAP-Password = \"secret\"", "Received Access-Accept"),
        ("MS-CHAP-Password = \"wrong\"", "Received Access-Reject"),
        ("User-Password = \"wrong\"", "Received Access-Reject"),
    ];
    for (credential, expected) in rows {
        let answer = ask("auth", format!("User-Name = \"alice\", {credential}, {signed}\n")).unwrap_or_default();
        assert!(answer.contains(expected), "{credential}: {answer}");
    }
    app.put(alice, Status::Suspended).await.expect("suspended");
    let answer = ask("auth", pap("secret")).unwrap_or_default();
    assert!(answer.contains("Received Access-Reject") && answer.contains("suspended"), "{answer}");
    app.put(alice, Status::Active).await.expect("active");
    app.pass(days(31)).await;
    let answer = ask("auth", pap("secret")).unwrap_or_default();
    assert!(answer.contains("Received Access-Reject") && answer.contains("expired"), "{answer}");
    app.recharge(alice).await.expect("a recharge");
    let answer = ask("auth", pap("secret")).unwrap_or_default();
    assert!(answer.contains("Received Access-Accept"), "{answer}");
    for (port, expected) in [(auth, "Received Access-Accept"), (acct, "Received Accounting-Response")] {
        let answer = radclient(port, "status", &format!("{signed}\n")).unwrap_or_default();
        assert!(answer.contains(expected), "Status-Server on {port}: {answer}");
    }
    let start = "User-Name = \"alice\", Acct-Status-Type = Start, Acct-Session-Id = \"1\", NAS-IP-Address = 10.0.0.1\n";
    let answer = ask("acct", start.to_string()).unwrap_or_default();
    assert!(answer.contains("Received Accounting-Response"), "{answer}");
    assert_eq!(app.sessions(alice).await.len(), 1);
}

/// A pyrad process that answers CoA at 127.0.0.2.
struct Pyrad {
    process: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    port: u16,
}

impl Pyrad {
    fn start() -> Option<Pyrad> {
        let python = ["/usr/bin/python3", "python3"].into_iter().find(|python| {
            Command::new(python).args(["-c", "import pyrad"]).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
        });
        let Some(python) = python else {
            eprintln!("SKIPPED: pyrad is not installed (package python3-pyrad)");
            return None;
        };
        let port = UdpSocket::bind("127.0.0.2:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/das.py");
        let mut process = Command::new(python)
            .args([script, &port.to_string(), SECRET])
            .stdout(Stdio::piped())
            .spawn()
            .expect("pyrad starts");
        let lines = BufReader::new(process.stdout.take().expect("stdout")).lines();
        let mut pyrad = Pyrad { process, lines, port };
        assert_eq!(pyrad.line(), "ready");
        Some(pyrad)
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("a line").expect("text")
    }
}

impl Drop for Pyrad {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pyrad_acknowledges_and_refuses() {
    let Some(mut pyrad) = Pyrad::start() else { return };
    let app = TestApp::sqlite().await;
    let router = NewRouter {
        name: "pyrad".into(),
        vendor: "mikrotik".into(),
        network: "127.0.0.2".into(),
        nas_identifier: None,
        secret: SECRET.into(),
        coa_port: pyrad.port,
        ma_policy: "legacy".into(),
        api_address: None,
    };
    routers::create(&app.app, &app.actor, router).await.expect("a router");
    let nas = app.nas.at("127.0.0.2");
    let (alice, bob) = (app.customer("alice", app.gold).await, app.customer("bob", app.gold).await);
    for name in ["alice", "bob"] {
        assert!(nas.login(login(name)).await.starts_with("Access-Accept"));
        nas.report(started(name, name)).await;
    }
    let mut expect = |expected: &str| {
        let line = pyrad.line();
        assert!(line.starts_with(expected), "{line}");
    };
    // a recharge: CoA, acknowledged
    app.recharge(alice).await.expect("a recharge");
    expect(
        "coa alice Acct-Session-Id Framed-IP-Address Message-Authenticator Mikrotik-Rate-Limit Session-Timeout User-Name",
    );
    app.put(alice, Status::Suspended).await.expect("suspended");
    expect("disconnect alice Acct-Session-Id Framed-IP-Address Message-Authenticator User-Name");
    // the router does not know bob's session: refused, and over here too
    app.put(bob, Status::Suspended).await.expect("suspended");
    expect("disconnect bob");
    let refused = app.event("coa.refused").await;
    assert!(refused.body.contains("\"error_cause\":503"), "{}", refused.body);
    assert_eq!(app.sessions(bob).await[0].state, store::session::LOST);
    app.event("coa.acknowledged").await;
}
