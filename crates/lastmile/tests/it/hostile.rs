//! Hostile packets: silence or a clear refusal, never a panic, and the next customer is served.

use std::time::Duration;

use radius::{Code, Secret, attribute, client::Draft};

use crate::{
    app::{SECRET, TestApp},
    nas::{Login, login},
};

const SILENCE: Duration = Duration::from_millis(150);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_datagrams_are_met_with_silence() {
    let app = TestApp::sqlite().await;
    app.customer("ali", app.gold).await;
    let good = Draft::access(1).sign(&Secret::new(SECRET)).bytes().to_vec();
    let mut too_long = good.clone();
    too_long[2..4].copy_from_slice(&5000u16.to_be_bytes());
    let mut bad_attribute = good.clone();
    bad_attribute.extend([1, 0]);
    let length = bad_attribute.len() as u16;
    bad_attribute[2..4].copy_from_slice(&length.to_be_bytes());
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", vec![]),
        ("one byte", vec![1]),
        ("nineteen bytes", vec![1; 19]),
        ("a length beyond the datagram", too_long),
        ("an attribute of length zero", bad_attribute),
        ("an unknown code", {
            let mut p = good.clone();
            p[0] = 99;
            p
        }),
        ("an answer instead of a request", {
            let mut p = good.clone();
            p[0] = 2;
            p
        }),
        ("another secret", Draft::access(1).sign(&Secret::new("other")).bytes().to_vec()),
        ("all ones", vec![255; 4096]),
    ];
    for (what, bytes) in rows {
        assert_eq!(app.nas.raw(&bytes, SILENCE).await, None, "{what}");
    }
    assert!(app.nas.login(login("ali")).await.starts_with("Access-Accept"), "the next customer is served");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_names_and_passwords_are_refused() {
    let app = TestApp::sqlite().await;
    app.customer("ali", app.gold).await;
    let wrong = "Access-Reject Reply-Message=Wrong username or password";
    let long = "x".repeat(250);
    let names = ["", "\0", "ali\0", "' or 1=1 --", "%s%s%n", "../../etc/passwd", "ａｌｉ", "\u{202e}ila", &long];
    for (port, name) in names.into_iter().enumerate() {
        assert_eq!(app.nas.login(Login { port: 100 + port as u32, ..login(name) }).await, wrong, "{name:?}");
    }
    for (port, password) in ["", "\0", "secret\0x", &"p".repeat(128)].into_iter().enumerate() {
        let login = Login { password, port: 200 + port as u32, ..login("ali") };
        assert_eq!(app.nas.login(login).await, wrong, "{password:?}");
    }
    assert!(app.nas.login(login("ali")).await.starts_with("Access-Accept"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounting_without_sense_is_not_acknowledged() {
    let app = TestApp::sqlite().await;
    let secret = Secret::new(SECRET);
    let mut nameless = Draft::accounting(1);
    nameless.put_u32(attribute::ACCT_STATUS_TYPE, 1).unwrap();
    let mut kindless = Draft::accounting(2);
    kindless.put_text(attribute::ACCT_SESSION_ID, "s").unwrap();
    for (what, draft) in [("no session id", nameless), ("no status type", kindless)] {
        let answer = app.nas.raw_accounting(draft.sign(&secret).bytes(), SILENCE).await;
        assert_eq!(answer, None, "{what}");
    }
    // ids that are no text, and counters at their ends, are recorded
    let mut odd = Draft::accounting(3);
    odd.put_u32(attribute::ACCT_STATUS_TYPE, 3).unwrap();
    odd.put(attribute::ACCT_SESSION_ID, &[0xff, 0x00, 0xfe]).unwrap();
    odd.put(attribute::USER_NAME, &[0xff, 0x00]).unwrap();
    for kind in [attribute::ACCT_INPUT_OCTETS, attribute::ACCT_OUTPUT_OCTETS, attribute::ACCT_SESSION_TIME] {
        odd.put_u32(kind, u32::MAX).unwrap();
    }
    for kind in [attribute::ACCT_INPUT_GIGAWORDS, attribute::ACCT_OUTPUT_GIGAWORDS] {
        odd.put_u32(kind, u32::MAX).unwrap();
    }
    odd.put_u32(attribute::ACCT_DELAY_TIME, u32::MAX).unwrap();
    let answer = app.nas.raw_accounting(odd.sign(&secret).bytes(), Duration::from_secs(10)).await;
    assert_eq!(answer.map(|bytes| bytes[0]), Some(Code::AccountingResponse.0));
    let isp = app.actor.isp;
    let rows =
        app.app.db.read(async move |tx| store::access::session::latest(tx, isp, 10).await).await.expect("sessions");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].acct_session_id, "ff00fe");
}
