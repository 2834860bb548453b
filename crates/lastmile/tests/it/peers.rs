//! Software nobody here wrote: FreeRADIUS's client asks, FreeRADIUS and radsecproxy stand in between as proxies, pyrad
//! answers CoA and Disconnect. Each is skipped, with a word, where its package is not installed.

use std::{
    io::{BufRead, BufReader, Write},
    net::UdpSocket,
    process::{Child, Command, Stdio},
};

use domain::Status;
use service::access::routers::{self, NewRouter};

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
            store::testing::skipped("radclient is not installed (package freeradius-utils)");
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
            store::testing::skipped("pyrad is not installed (package python3-pyrad)");
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
    assert_eq!(app.sessions(bob).await[0].state, store::access::session::LOST);
    app.event("coa.acknowledged").await;
}

/// A proxy in a directory of its own, stopped with the test.
struct Proxy {
    process: Child,
    directory: std::path::PathBuf,
    port: u16,
}

impl Proxy {
    /// Starts `program` with `files`, in which `@DIR@`, `@PORT@`, `@AUTH@` and `@ACCT@` are filled in, and waits until it
    /// answers Status-Server.
    fn start(app: &TestApp, package: &str, files: &[(&str, &str)], program: &str, arguments: &[&str]) -> Option<Proxy> {
        let found = ["/usr/sbin", "/usr/bin", "/usr/local/sbin"]
            .map(|folder| std::path::Path::new(folder).join(program))
            .into_iter()
            .find(|path| path.exists());
        let Some(program) = found else {
            store::testing::skipped(&format!("{program} is not installed (package {package})"));
            return None;
        };
        let port = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
        let directory = std::env::temp_dir().join(format!("lastmile-{package}-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory");
        let fill = |text: &str| {
            text.replace("@DIR@", &directory.to_string_lossy())
                .replace("@PORT@", &port.to_string())
                .replace("@AUTH@", &app.aaa.auth_addr().port().to_string())
                .replace("@ACCT@", &app.aaa.acct_addr().port().to_string())
        };
        for (name, text) in files {
            std::fs::write(directory.join(name), fill(text)).expect("a file");
        }
        let log = std::fs::File::create(directory.join("log")).expect("a log");
        let process = Command::new(program)
            .args(arguments.iter().map(|argument| fill(argument)))
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("the proxy starts");
        let mut proxy = Proxy { process, directory, port };
        let up = (0..10).any(|_| {
            let answer = radclient(port, "status", "Message-Authenticator = 0x00\n");
            assert!(proxy.process.try_wait().expect("a process").is_none(), "{}", proxy.log());
            answer.is_none_or(|answer| answer.contains("Received"))
        });
        assert!(up, "{}", proxy.log());
        Some(proxy)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Through the proxy as directly; `realm` is what it routes by.
async fn goes_through(app: &TestApp, proxy: &Proxy, acct: u16, realm: &str) {
    let alice = app.customer("alice", app.gold).await;
    let signed = "Message-Authenticator = 0x00";
    let rows = [
        ("User-Password = \"secret\"", "Received Access-Accept"),
        ("CHAP-Password = \"secret\"", "Received Access-Accept"),
        ("User-Password = \"wrong\"", "Received Access-Reject"),
    ];
    for (credential, expected) in rows {
        let attributes = format!("User-Name = \"alice{realm}\", {credential}, Proxy-State = 0x0102, {signed}\n");
        let Some(answer) = radclient(proxy.port, "auth", &attributes) else { return };
        assert!(answer.contains(expected), "{credential}: {answer}\n{}", proxy.log());
        // The proxy finds its own Proxy-State in our answer, and the asker's below it.
        let received = answer.split("Received").nth(1).unwrap_or_default();
        assert!(received.contains("Proxy-State = 0x0102"), "{answer}");
        assert!(!expected.contains("Accept") || received.contains("Mikrotik-Rate-Limit = \"10M/10M\""), "{answer}");
    }
    let start = format!(
        "User-Name = \"alice{realm}\", Acct-Status-Type = Start, Acct-Session-Id = \"1\", NAS-IP-Address = 10.0.0.1\n"
    );
    let answer = radclient(acct, "acct", &start).unwrap_or_default();
    assert!(answer.contains("Received Accounting-Response"), "{answer}\n{}", proxy.log());
    assert_eq!(app.sessions(alice).await.len(), 1, "the report is alice's");
}

/// Routes a realm to us, without taking it off; asks with Status-Server whether we are there.
const FREERADIUS: &str = r#"
prefix = /usr
name = freeradius
raddbdir = @DIR@
logdir = @DIR@
run_dir = @DIR@
libdir = /usr/lib/freeradius
security {
    status_server = yes
}
proxy_requests = yes
client local {
    ipaddr = 127.0.0.1
    secret = testing123
    require_message_authenticator = no
}
proxy server {
    default_fallback = no
}
home_server auth {
    type = auth
    ipaddr = 127.0.0.1
    port = @AUTH@
    secret = testing123
    response_window = 6
    status_check = status-server
}
home_server acct {
    type = acct
    ipaddr = 127.0.0.1
    port = @ACCT@
    secret = testing123
    response_window = 6
    status_check = status-server
}
home_server_pool auth {
    home_server = auth
}
home_server_pool acct {
    home_server = acct
}
realm isp.test {
    auth_pool = auth
    acct_pool = acct
    nostrip
}
modules {
    realm suffix {
        format = suffix
        delimiter = "@"
    }
}
server proxy {
    listen {
        type = auth
        ipaddr = 127.0.0.1
        port = @PORT@
    }
    listen {
        type = acct
        ipaddr = 127.0.0.1
        port = @ACCT_PORT@
    }
    authorize {
        suffix
    }
    preacct {
        suffix
    }
}
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn freeradius_stands_in_between() {
    let app = TestApp::sqlite().await;
    let acct = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
    let configuration = FREERADIUS.replace("@ACCT_PORT@", &acct.to_string());
    let dictionary = "$INCLUDE /usr/share/freeradius/dictionary\n";
    let files = [("radiusd.conf", configuration.as_str()), ("dictionary", dictionary)];
    let arguments = ["-d", "@DIR@", "-n", "radiusd", "-f", "-l", "stdout", "-xx"];
    let Some(proxy) = Proxy::start(&app, "freeradius", &files, "freeradius", &arguments) else { return };
    goes_through(&app, &proxy, acct, "@isp.test").await;
}

const RADSECPROXY: &str = "\
ListenUDP 127.0.0.1:@PORT@
client 127.0.0.1 {
    type udp
    secret testing123
}
server auth {
    host 127.0.0.1
    port @AUTH@
    type udp
    secret testing123
    statusserver on
}
server acct {
    host 127.0.0.1
    port @ACCT@
    type udp
    secret testing123
    statusserver on
}
realm * {
    server auth
    accountingServer acct
}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn radsecproxy_stands_in_between() {
    let app = TestApp::sqlite().await;
    let files = [("proxy.conf", RADSECPROXY)];
    let arguments = ["-f", "-d", "4", "-c", "@DIR@/proxy.conf"];
    let Some(proxy) = Proxy::start(&app, "radsecproxy", &files, "radsecproxy", &arguments) else { return };
    goes_through(&app, &proxy, proxy.port, "").await;
}
