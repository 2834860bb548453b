//! What a message tells in secret is for whoever sends it: readers, the database's file and a backup see dots.

use domain::{Commission, CustomerId, Scopes};
use service::{
    Class,
    kernel::{
        change::CallerKey,
        reseal::{self, Resealed},
        vault::Key,
    },
    messages::{
        queue, sms,
        templates::{self, Access, Channel, Sending, Template, To},
    },
    plant::{olts, vpn},
    sales::cards::{self, NewBatch},
    webhooks::{self, NewWebhook},
};

use crate::{
    app::{OLD_KEY, TestApp},
    both,
};

both!(what_is_secret_is_only_sent, what_was_written_before_is_hidden, everything_is_sealed_anew);

async fn send(app: &TestApp, id: CustomerId, channel: Channel, template: Template) {
    let sending = Sending { channel, name: "test", template, to: To::Usual, customers: vec![id] };
    templates::send(&app.app, &app.actor, sending).await.expect("a message");
}

async fn what_is_secret_is_only_sent(app: TestApp) {
    let made = app.try_customer("ali", |new| {
        (new.network_password, new.portal_password) = (Some("net-secret".into()), "portal-secret".into());
        new.email = Some("ali@example.com".into());
    });
    let id = made.await.expect("a customer").customer;
    sms::top_up(&app.app, &app.actor, 100, None, None).await.expect("credits");
    for channel in [Channel::Sms, Channel::Email] {
        for template in [
            Template::Granted(Access::Network),
            Template::Granted(Access::Portal),
            Template::Credentials,
            Template::TicketOtp { ticket: 7, otp: "otp-4711".into() },
            Template::VerificationCode,
            Template::Suspended,
        ] {
            send(&app, id, channel, template).await;
        }
    }
    let sent: Vec<String> =
        queue::queued(&app.app, &app.actor, 100).await.expect("messages").into_iter().map(|row| row.body).collect();
    let told = |secret: &str| sent.iter().filter(|text| text.contains(secret)).count();
    assert_eq!((told("net-secret"), told("portal-secret"), told("otp-4711")), (4, 2, 2), "{sent:?}");
    let code = sent.iter().find_map(|text| text.rsplit_once("code for Test ISP is ")).expect("a code").1;
    let code = code.trim_end_matches('.');
    assert!(code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit()), "{code}");
    // Readers of either kind, and whoever has the database without the key.
    let mut seen = Vec::new();
    for channel in ["sms", "email"] {
        let rows = queue::of_customer(&app.app, &app.actor, id, channel).await.expect("messages");
        seen.extend(rows.into_iter().map(|row| row.body));
    }
    let (history, _) =
        sms::history(&app.app, &app.actor, sms::HistoryFilter::default(), 0, 100).await.expect("a history");
    seen.extend(history.into_iter().map(|row| row.body));
    seen.extend(kept(&app).await);
    for secret in ["net-secret", "portal-secret", "otp-4711", code] {
        let shown: Vec<&String> = seen.iter().filter(|text| text.contains(secret)).collect();
        assert_eq!(shown, Vec::<&String>::new(), "{secret}");
    }
    assert!(seen.iter().any(|text| text.ends_with("Password: ••••••")), "{seen:?}");
    assert!(seen.iter().any(|text| text.contains("has been suspended")), "what is no secret is shown");
}

/// Rows of messages, events, jobs and answers as the database has them.
async fn kept(app: &TestApp) -> Vec<String> {
    let mut said = Vec::new();
    for (column, table) in [("body", "message"), ("body", "event"), ("payload", "job"), ("answer", "idempotency")] {
        let read = app.app.db.read(async move |tx| {
            let rows = tx.rows(format!("select {column} from {table}"), &[]).await?;
            rows.iter().map(|row| row.get::<String>(0)).collect::<Result<Vec<_>, _>>()
        });
        said.extend(read.await.map_err(|error: store::db::Error| error).expect("rows"));
    }
    said
}

async fn what_was_written_before_is_hidden(app: TestApp) {
    let id = app.customer("ali", app.gold).await.customer;
    sms::top_up(&app.app, &app.actor, 100, None, None).await.expect("credits");
    for _ in 0..2 {
        send(&app, id, Channel::Sms, Template::Credentials).await;
    }
    let whole = "Your credentials at Test ISP -\nUsername: ali\nPassword: old-secret";
    let written = app.app.db.tx(Class::Interactive, async move |tx| {
        tx.run("insert into message_to_seal (isp_id, id) select isp_id, id from message".to_string(), &[]).await?;
        let text = "update message set body = $1, sealed = null where kind = 'test'".to_string();
        tx.run(text, &[whole.into()]).await?;
        let first = "update message set status = 'sent' where id = (select min(id) from message where kind = 'test')";
        tx.run(first.to_string(), &[]).await
    });
    written.await.map_err(|error: store::db::Error| error).expect("the rows of before");
    for _ in 0..2 {
        queue::hide_those_of_before(&app.app).await.expect("hidden");
    }
    let waiting = queue::queued(&app.app, &app.actor, 10).await.expect("messages");
    let waiting: Vec<&str> = waiting.iter().filter(|row| row.kind == "test").map(|row| &*row.body).collect();
    assert_eq!(waiting, [whole], "what was not sent yet is whole");
    let kept = kept(&app).await;
    assert!(!kept.iter().any(|text| text.contains("old-secret")), "{kept:?}");
    let shown =
        kept.iter().filter(|text| *text == "Your credentials at Test ISP -\nUsername: ali\nPassword: ••••••").count();
    assert_eq!(shown, 2);
}

/// Columns of sealed values, as the schema has them.
async fn columns(app: &TestApp) -> Vec<(String, String)> {
    let sqlite = "select m.name, i.name from sqlite_master m join pragma_table_info(m.name) i \
                  where m.type = 'table' and lower(i.type) = 'blob'";
    let postgres = "select table_name::text, column_name::text from information_schema.columns \
                    where table_schema = current_schema() and data_type = 'bytea'";
    for text in [sqlite, postgres] {
        let read = app.app.db.read(async move |tx| {
            let rows = tx.rows(text.to_string(), &[]).await?;
            rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<Vec<_>, store::db::Error>>()
        });
        if let Ok(found) = read.await {
            return found;
        }
    }
    panic!("neither engine");
}

/// By which keys values are sealed, over all of the schema's columns; how many there are.
async fn sealed_by(app: &TestApp) -> (Vec<u8>, usize) {
    let (mut keys, mut count) = (std::collections::BTreeSet::new(), 0);
    for (table, column) in columns(app).await {
        let text = format!("select {column} from {table} where {column} is not null");
        let read = app.app.db.read(async move |tx| {
            let rows = tx.rows(text.clone(), &[]).await?;
            rows.iter().map(|row| row.get::<Vec<u8>>(0)).collect::<Result<Vec<_>, _>>()
        });
        for value in read.await.map_err(|error: store::db::Error| error).expect("values") {
            keys.insert(value[1]);
            count += 1;
        }
    }
    (keys.into_iter().collect(), count)
}

/// Those that have no value, as `table.column`.
async fn empty_columns(app: &TestApp) -> Vec<String> {
    let mut empty = Vec::new();
    for (table, column) in columns(app).await {
        let text = format!("select count(*) from {table} where {column} is not null");
        let read = app.app.db.read(async move |tx| {
            let row = tx.row(text.clone(), &[]).await?;
            row.map_or(Ok(0), |row| row.get::<i64>(0))
        });
        if read.await.map_err(|error: store::db::Error| error).expect("a count") == 0 {
            empty.push(format!("{table}.{column}"));
        }
    }
    empty.sort();
    empty
}

/// A value of every kind, a new key while the program runs, every value under it, and the old key gone.
async fn everything_is_sealed_anew(app: TestApp) {
    let ali = app.try_customer("ali", |new| new.email = Some("ali@example.com".into())).await.expect("a customer");
    sms::top_up(&app.app, &app.actor, 100, None, None).await.expect("credits");
    send(&app, ali.customer, Channel::Sms, Template::Credentials).await;
    let key = CallerKey { key: "k".into(), request_hash: "h".into() };
    let batch = NewBatch {
        plan: app.gold,
        distributor: None,
        value: None,
        commission: Commission::Percent(0),
        quantity: 3,
        expires_at: None,
    };
    let cards = cards::generate(&app.app, &app.actor, batch.clone(), Some(key.clone())).await.expect("cards");
    let hook = NewWebhook { url: "https://receiver.example/".into(), events: vec![], active: true, secret: None };
    let hook = webhooks::create(&app.app, &app.actor, Scopes::ALL, hook).await.expect("a webhook").webhook.id;
    webhooks::rotate(&app.app, &app.actor, Scopes::ALL, hook, 60).await.expect("a second secret");
    let account = vpn::NewAccount { protocol: "wireguard", name: "noc".into(), username: None, enabled: true };
    vpn::create(&app.app, &app.actor, account).await.expect("a VPN account");
    let olt = olts::Wish {
        name: Some("olt".into()),
        vendor: Some("huawei"),
        address: Some("192.0.2.9".into()),
        snmp_community: Some(Some("community".into())),
        ..olts::Wish::default()
    };
    olts::create(&app.app, &app.actor, olt).await.expect("an OLT");
    let (before, count) = sealed_by(&app).await;
    assert_eq!(before, [1]);
    assert_eq!(empty_columns(&app).await, ["router.api_secret"], "each kind is tried, but for what nothing writes yet");
    // It opens first and seals later, so that servers learn of it in any order.
    let (old, new) =
        (Key { id: OLD_KEY.0, key: OLD_KEY.1, is_next: false }, Key { id: 2, key: [2; 32], is_next: true });
    assert!(app.app.vault.change_keys(&[old.clone(), new.clone()]));
    assert_eq!(reseal::reseal(&app.app).await, Ok(Resealed::default()), "the old key seals");
    let new = Key { is_next: false, ..new };
    assert!(app.app.vault.change_keys(&[old.clone(), new.clone()]));
    let done = reseal::reseal(&app.app).await.expect("sealed anew");
    // The answer that is kept for its key is text, and one more.
    assert_eq!(done, Resealed { values: count as u64 + 1, closed: 0 });
    assert_eq!(sealed_by(&app).await, (vec![2], count));
    assert_eq!(reseal::reseal(&app.app).await, Ok(Resealed::default()), "once");
    assert!(app.app.vault.change_keys(std::slice::from_ref(&new)));
    // What was written before reads as before.
    let again = cards::generate(&app.app, &app.actor, batch, Some(key)).await.expect("the same cards");
    assert_eq!(again.cards[0].1, cards.cards[0].1, "a kept answer");
    let waiting = queue::queued(&app.app, &app.actor, 10).await.expect("messages");
    assert!(waiting.iter().any(|row| row.body.ends_with("Password: secret")), "{waiting:?}");
    assert!(!app.app.vault.change_keys(&[]), "never without a key");
    // Without the right key nothing is taken for sealed, and nothing is lost.
    assert!(app.app.vault.change_keys(&[Key { id: 3, key: [3; 32], is_next: false }]));
    let closed = reseal::reseal(&app.app).await.expect("a look");
    assert_eq!((closed.values, closed.closed > 0), (0, true));
    assert_eq!(sealed_by(&app).await, (vec![2], count));
}
