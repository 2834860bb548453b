//! Tests wait for facts, not for time to pass: `TestApp::until` says what it waits for.

use super::{code, root, sources};

/// Who lets time pass, and why.
const MAY: &[(&str, &str)] = &[
    ("crates/lastmile/tests/it/measure.rs", "asks another process again until its session is there; so often"),
    ("crates/lastmile/tests/it/webhooks.rs", "plays a receiver that answers late"),
];

#[test]
fn no_test_sleeps() {
    let files = sources(&root().join("crates")).into_iter().map(|(file, text)| (format!("crates/{file}"), text));
    let tests = files.filter(|(file, _)| file.contains("/tests/") && !file.ends_with("tidy/waiting.rs"));
    let sleeping: Vec<String> = tests.filter(|(_, text)| sleeps(text)).map(|(file, _)| file).collect();
    assert_eq!(sleeping, MAY.iter().map(|(file, _)| *file).collect::<Vec<_>>());
}

fn sleeps(text: &str) -> bool {
    let code = code(text);
    ["sleep(", "sleep_until(", "park_timeout("].iter().any(|word| code.contains(word))
}

#[test]
fn who_sleeps_is_found() {
    for (text, expected) in [
        ("tokio::time::sleep(Duration::from_millis(20)).await;", true),
        ("use std::thread::sleep;\nsleep(patience);", true),
        ("std::thread::park_timeout(patience)", true),
        ("// sleep(1)\napp.until(\"it is written\", written).await;", false),
    ] {
        assert_eq!(sleeps(text), expected, "{text}");
    }
}
