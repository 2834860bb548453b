//! `simulate routers` and `bench`, as an operator runs them.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use radius::{
    Secret, attribute,
    client::{Draft, Exchange, Outcome},
};

use crate::crash::{Server, folder, free_ports};

fn lastmile(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lastmile"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What it printed; it must have succeeded.
fn done(mut command: Command) -> String {
    said(command.output().expect("the program runs"))
}

fn said(output: std::process::Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[test]
fn a_storm_comes_online_reports_obeys_and_leaves() {
    let (folder, ports) = (folder("storm"), free_ports());
    let server = Server::start(&folder, None, ports);
    let [_, auth, acct, coa] = ports.map(|port| port.to_string());
    let storm = lastmile(&[
        "simulate",
        "routers",
        "--auth",
        &auth,
        "--acct",
        &acct,
        "--secret",
        "testing123",
        "--users",
        "60",
        "--storm",
        "--interim",
        "1",
        "--duration",
        "4",
        "--coa-port",
        &coa,
    ])
    .spawn()
    .expect("the program runs");

    let secret = Secret::new("testing123");
    let router = Exchange::to(([127, 0, 0, 1], ports[3]).into(), secret.clone()).unwrap();
    let router = router.with_patience(&[Duration::from_millis(100)]);
    let order = |name: &str| {
        let mut draft = Draft::disconnect(9);
        draft.put_text(attribute::USER_NAME, name).unwrap();
        router.run(&draft.sign(&secret)).unwrap()
    };
    // Until the line is online, and its router there, it is silent or does not know the session.
    let obeyed = (0..30).any(|_| match order("user000007") {
        Outcome::Ack(_) => true,
        Outcome::Nak { .. } | Outcome::Timeout => {
            std::thread::park_timeout(Duration::from_millis(50));
            false
        }
    });
    assert!(obeyed, "a Disconnect is obeyed");
    assert!(matches!(order("nobody"), Outcome::Nak { error_cause: Some(503), .. }));

    let told = said(storm.wait_with_output().unwrap());
    assert!(told.contains("everybody online, Start answered, after"), "{told}");
    assert!(told.contains("accepted, 0 refused") && told.contains("1 disconnected"), "{told}");
    assert!(told.contains("unanswered 0 after all tries") && told.contains("0 strange"), "{told}");
    let count = |what: &str| {
        let before = told.split(what).next().unwrap().trim_end();
        before.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap().parse::<u32>().unwrap()
    };
    // The one that was disconnected may have been back before the end.
    assert!((60..=61).contains(&count(" Start,")) && count(" Start,") == count(" Stop answered"), "{told}");
    assert!(count(" Interim-Update,") >= 60, "{told}");
    server.kill();
    let _ = std::fs::remove_dir_all(&folder);
}

#[test]
fn another_machine_is_left_alone() {
    let arguments = ["simulate", "routers", "--target", "192.0.2.1", "--secret", "s", "--users", "1"];
    let output = lastmile(&arguments).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--allow-remote"));
}

#[test]
fn benches_answer_everything_and_leave_nothing_behind() {
    let folder = folder("bench");
    let dir = folder.to_str().unwrap();
    let told = done(lastmile(&["bench", "radius", "--users", "50", "--seconds", "0.3", "--dir", dir]));
    for work in ["login, PAP", "login, CHAP", "login, MS-CHAPv2", "Start, Interim, Stop"] {
        let row = told.lines().find(|line| line.starts_with(work)).unwrap_or_else(|| panic!("{work}: {told}"));
        assert!(row.ends_with(" 0"), "{row}");
        assert_eq!(row.split_whitespace().rev().nth(1), Some("0"), "refused: {row}");
    }
    assert!(told.contains("start-up") && told.contains("memory after"), "{told}");
    let told = done(lastmile(&["bench", "api", "--customers", "50", "--seconds", "0.1", "--dir", dir]));
    let rows: Vec<&str> = told.lines().filter(|line| line.contains("/customers")).collect();
    assert!(rows.len() > 20 && rows.iter().all(|row| row.ends_with(" 0")), "{told}");
    assert!(rows.iter().any(|row| row.starts_with("POST")), "{told}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    let _ = std::fs::remove_dir_all(&folder);
}
