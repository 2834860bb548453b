//! A sender is one provider's: no row of another takes its packets, reads them or lists who they are about.

use service::{
    Actor, Class, Error, Who, Why,
    access::routers::{self, NewRouter, RouterChange},
    identity::tenants,
};

use crate::{
    app::{TestApp, isp},
    both,
    nas::login,
};

both!(another_provider_takes_no_sender, of_two_at_once_one_is_told, in_a_database_of_before_the_elder_row_counts,);

async fn stranger(app: &TestApp) -> Actor {
    let other = tenants::NewIsp { owner_email: "stranger@example.com".into(), ..isp("Other") };
    let created = tenants::create_isp(&app.app, other).await.expect("another provider");
    Actor { isp: created.isp, who: Who::Staff(created.owner), branch: None, may_write: true }
}

fn router(name: &str, network: &str) -> NewRouter {
    NewRouter {
        name: name.into(),
        vendor: "mikrotik".into(),
        network: network.into(),
        nas_identifier: None,
        secret: "another-secret".into(),
        coa_port: 3799,
        ma_policy: "legacy".into(),
        api_address: None,
    }
}

fn taken<T>() -> Result<T, Error> {
    Err(Error::invalid("network", Why::Taken))
}

/// The provider of these stories has 127.0.0.0/16.
async fn another_provider_takes_no_sender(app: TestApp) {
    let stranger = stranger(&app).await;
    app.customer("alice", app.gold).await;
    let nas = app.nas.at("127.0.3.1");
    let before = nas.login(login("alice")).await;
    assert!(before.starts_with("Access-Accept"), "{before}");
    let asked = ["127.0.0.0/16", "127.0.3.1", "127.0.3.0/24", "127.0.0.0/8", "0.0.0.0/0", "::ffff:127.0.3.1"];
    for network in asked {
        assert_eq!(routers::create(&app.app, &stranger, router("spy", network)).await, taken(), "{network}");
        let named = NewRouter { nas_identifier: Some("MikroTik".into()), ..router("spy", network) };
        assert_eq!(routers::create(&app.app, &stranger, named).await, taken(), "{network} by NAS-Identifier");
    }
    let own = routers::create(&app.app, &stranger, router("own", "127.9.0.0/16")).await.expect("an address of its own");
    for network in asked {
        let change = RouterChange { network: Some(network.into()), ..RouterChange::default() };
        assert_eq!(routers::update(&app.app, &stranger, own, change).await, taken(), "{network}");
    }
    assert_eq!(nas.login(login("alice")).await, before);
    // One's own may overlap; an address that was given up is free.
    routers::create(&app.app, &stranger, router("inside", "127.9.1.1")).await.expect("one inside one's own");
    routers::create(&app.app, &app.actor, router("six", "2001:db8::/32")).await.expect("a network");
    assert_eq!(routers::create(&app.app, &stranger, router("six", "2001:db8::1")).await, taken());
    let there = routers::create(&app.app, &app.actor, router("there", "192.0.2.0/24")).await.expect("a network");
    routers::delete(&app.app, &app.actor, there, None).await.expect("given up");
    routers::create(&app.app, &stranger, router("there", "192.0.2.7")).await.expect("what nobody has");
}

async fn of_two_at_once_one_is_told(app: TestApp) {
    let stranger = stranger(&app).await;
    for n in 0..8 {
        let (wide, one) = (format!("198.51.{n}.0/24"), format!("198.51.{n}.7"));
        let name = format!("r{n}");
        let (mine, theirs) = tokio::join!(
            routers::create(&app.app, &app.actor, router(&name, &wide)),
            routers::create(&app.app, &stranger, router(&name, &one)),
        );
        assert_eq!([mine.is_ok(), theirs.is_ok()].iter().filter(|made| **made).count(), 1, "{mine:?} {theirs:?}");
        let told = if mine.is_ok() { theirs } else { mine };
        assert_eq!(told, taken());
    }
}

async fn in_a_database_of_before_the_elder_row_counts(app: TestApp) {
    let stranger = stranger(&app).await;
    app.customer("alice", app.gold).await;
    let own = routers::create(&app.app, &stranger, router("own", "127.9.0.0/16")).await.expect("a router");
    // As it could be written before: inside the elder's network, with a secret of its own.
    let younger = app.app.clock.now().0 + 1;
    let written = app.app.db.tx(Class::Interactive, async move |tx| {
        let sql = "update router set network = '127.0.3.1', created_at = $2 where isp_id = $1";
        tx.run(sql.to_owned(), &[stranger.isp.into(), younger.into()]).await
    });
    assert_eq!(written.await.map_err(|error: store::db::Error| error).expect("a change"), 1);
    // Any change of a router has them read anew before it is answered.
    let vendor = RouterChange { vendor: Some("cisco".into()), ..RouterChange::default() };
    routers::update(&app.app, &stranger, own, vendor).await.expect("a change of something else");
    let answer = app.nas.at("127.0.3.1").login(login("alice")).await;
    assert!(answer.starts_with("Access-Accept"), "{answer}");
}
