//! What a new password or a suspension ends, and what a right leads to: whoever is out is out with all that came from it.

use domain::{ApiClientId, BranchId, Money, Role, Scopes, Status};
use serde_json::json;
use service::{
    Actor, Error, Who,
    billing::funding::{self, Funding},
    customers::portal::{self, STAFF, SUBSCRIBER},
    identity::{
        clients::{self, ClientChange, Form, Shown, Wanted},
        staff::{self, NewStaff, StaffChange},
        tokens,
    },
    resellers::operators::{self, OperatorChange, Terms},
    webhooks::{self, NewWebhook, queue},
};

use crate::{
    app::{Line, TestApp, seconds},
    both,
    resellers::operator,
    town::{Alternet, Call, Jaze, Town, V2, Zal},
};

both!(
    a_password_set_by_staff_ends_the_old_ones_tokens,
    who_is_kept_out_does_not_come_back_with_an_old_token,
    setting_a_password_is_signing_in,
    a_suspended_resellers_clients_and_people_are_out,
    a_webhook_ends_with_its_maker,
);

async fn signed_in(app: &TestApp, name: &str, password: &str) -> Result<String, Error> {
    portal::sign_in_subscriber(&app.app, name, password).await.map(|(_, granted)| granted.text)
}

async fn inside(app: &TestApp, token: &str) -> bool {
    portal::authenticate(&app.app, SUBSCRIBER, token).await.is_ok()
}

async fn a_password_set_by_staff_ends_the_old_ones_tokens(app: TestApp) {
    let town = Town::over(&app).await;
    let jaze = |path: &str, id: i64| -> Call {
        ("POST", format!("/api/v1/{path}"), json!({ "userId": id, "password": "new-pass-1" }))
    };
    for n in 0..5 {
        let name = format!("ali{n}");
        let made = app.try_customer(&name, |customer| customer.username = Some(name.clone())).await;
        let id = made.expect("a customer").customer.0;
        let path = format!("/customers/{id}");
        let (dialect, call) = match n {
            0 => (Alternet, ("PUT", format!("/api/v1/customers/{id}"), json!({ "password": "new-pass-1" }))),
            1 => (V2, ("PUT", format!("/api/v2{path}"), json!({ "password": "new-pass-1" }))),
            2 => (Zal, ("PUT", "/api/v1/subscribers/update".into(), json!({ "id": id, "password": "new-pass-1" }))),
            3 => (Jaze, jaze("edit_user", id)),
            _ => (Jaze, jaze("reset_password", id)),
        };
        let token = signed_in(&app, &name, "portal").await.expect("a token");
        assert!(inside(&app, &token).await);
        let what = format!("{dialect:?} {}", call.1);
        town.done(dialect, call).await;
        assert!(!inside(&app, &token).await, "{what}");
        let next = portal::refresh(&app.app, SUBSCRIBER, &token).await;
        assert_eq!(next.map(drop), Err(Error::Unauthenticated), "{what}");
        assert_eq!(signed_in(&app, &name, "portal").await.map(drop), Err(Error::Unauthenticated), "{what}");
        let token = signed_in(&app, &name, "new-pass-1").await.expect("the new password");
        assert!(inside(&app, &token).await, "{what}");
        // What changes nothing of it leaves it.
        town.done(V2, ("PUT", format!("/api/v2{path}"), json!({ "name": "Ali Khan" }))).await;
        assert!(inside(&app, &token).await, "{what}");
        app.app.clock.pass(seconds(61));
    }
}

async fn who_is_kept_out_does_not_come_back_with_an_old_token(app: TestApp) {
    let made = app.try_customer("ali", |customer| customer.username = Some("ali".into())).await;
    let line: Line = made.expect("a customer");
    for (status, ends) in [(Status::Suspended, true), (Status::Disabled, true), (Status::Inactive, false)] {
        let token = signed_in(&app, "ali", "portal").await.expect("a token");
        app.put(line, status).await.expect("a change");
        assert_eq!(inside(&app, &token).await, !ends, "{status:?}");
        app.put(line, Status::Active).await.expect("a change");
        assert_eq!(inside(&app, &token).await, !ends, "{status:?}, and let in again");
        assert!(signed_in(&app, "ali", "portal").await.is_ok());
    }
    // As a part of an edit too.
    let token = signed_in(&app, "ali", "portal").await.expect("a token");
    for status in [Status::Suspended, Status::Active] {
        app.update(line, |edit| edit.status = Some(status)).await.expect("an edit");
    }
    assert!(!inside(&app, &token).await);
    let token = signed_in(&app, "ali", "portal").await.expect("a token");
    app.delete(line).await.expect("an end");
    assert!(!inside(&app, &token).await);
}

/// Who manages operators sets their terms; only who may do as much as they sets what they sign in with.
async fn setting_a_password_is_signing_in(app: TestApp) {
    let (id, _) = operator(&app, "north", None, Terms::Prepaid).await;
    let few = Scopes::from_words("operators:read operators:write");
    let person = |person| OperatorChange { person, ..OperatorChange::default() };
    let password = person(StaffChange { password: Some("taken-over-1".into()), ..StaffChange::default() });
    let address = person(StaffChange { email: Some("mine@example.com".into()), ..StaffChange::default() });
    let (core, actor) = (&app.app, &app.actor);
    for change in [password.clone(), address.clone()] {
        let refused = operators::update(core, actor, few, id, change).await;
        assert_eq!(refused.map(drop), Err(Error::Forbidden));
    }
    let stranger = tokens::sign_in(core, "north@example.com", "taken-over-1").await;
    assert_eq!(stranger.map(drop), Err(Error::Unauthenticated));
    let terms = OperatorChange {
        account_type: Some("postpaid"),
        collection_limit: Some(Money(5_000)),
        ..person(StaffChange { name: Some("North".into()), ..StaffChange::default() })
    };
    let row = operators::update(core, actor, few, id, terms).await.expect("its terms");
    assert_eq!((row.name.as_str(), row.collection_limit), ("North", Money(5_000)));

    let old = tokens::sign_in(core, "north@example.com", "operator123").await.expect("tokens");
    operators::update(core, actor, Scopes::ALL, id, password).await.expect("a new password");
    let ended = tokens::authenticate(core, tokens::V1, &old.access).await;
    assert_eq!(ended.map(drop), Err(Error::Unauthenticated), "a new password ends the old one's tokens");
    operators::update(core, actor, Scopes::ALL, id, address).await.expect("another address");
    tokens::sign_in(core, "mine@example.com", "taken-over-1").await.expect("tokens");
}

/// A credential of each form that sees this branch alone.
async fn clients_of(app: &TestApp, branch: BranchId) -> Vec<(ApiClientId, Shown)> {
    let mut made = Vec::new();
    for form in [Form::Oauth, Form::Token, Form::Key, Form::Pair] {
        let command = Wanted { form, name: form.word().into(), tier: None, scopes: None, branch: Some(branch) };
        let (client, shown) = clients::issue(&app.app, &app.actor, Scopes::ALL, command).await.expect("a client");
        made.push((client.id, shown));
    }
    made
}

/// Whether it opens anything.
async fn opens(app: &TestApp, shown: &Shown) -> bool {
    let core = &app.app;
    match shown {
        Shown::Oauth { client_id, client_secret } => tokens::exchange(core, client_id, client_secret).await.is_ok(),
        Shown::Tokens(granted) => tokens::authenticate(core, tokens::V1, &granted.access).await.is_ok(),
        Shown::Key(key) => clients::authenticate(core, clients::KEYS, key).await.is_ok(),
        Shown::Pair { api_token, api_key } => {
            clients::authenticate_pair(core, clients::PAIRS, api_token, api_key).await.is_ok()
        }
    }
}

async fn a_suspended_resellers_clients_and_people_are_out(app: TestApp) {
    let (core, actor) = (&app.app, &app.actor);
    let (north, seller) = operator(&app, "north", None, Terms::Prepaid).await;
    let (_, below) = operator(&app, "village", Some(north), Terms::Prepaid).await;
    let (_, beside) = operator(&app, "south", None, Terms::Prepaid).await;
    let branch = |actor: &Actor| actor.branch.expect("a branch");
    let (own, under) = (clients_of(&app, branch(&seller)).await, clients_of(&app, branch(&below)).await);
    let others = clients_of(&app, branch(&beside)).await;
    let person = NewStaff {
        name: "Collector".into(),
        email: "c@example.com".into(),
        password: "long enough".into(),
        phone: None,
        role: Role::Collector,
        branch: seller.branch,
        parent: None,
    };
    staff::create(core, actor, Scopes::ALL, person).await.expect("a person");
    let signed = tokens::sign_in(core, "c@example.com", "long enough").await.expect("tokens");
    let (_, zal) = portal::sign_in(core, "c@example.com", "long enough").await.expect("a token");
    let Shown::Oauth { client_id, client_secret } = &own[0].1 else { panic!("the first is of version 2") };
    let token = tokens::exchange(core, client_id, client_secret).await.expect("a token").access;
    let people = async || {
        [
            tokens::authenticate(core, tokens::V2, &token).await.is_ok(),
            tokens::authenticate(core, tokens::V1, &signed.access).await.is_ok(),
            portal::authenticate(core, STAFF, &zal.text).await.is_ok(),
            portal::refresh(core, STAFF, &zal.text).await.is_ok(),
            tokens::sign_in(core, "c@example.com", "long enough").await.is_ok(),
            tokens::sign_in(core, "village@example.com", "operator123").await.is_ok(),
        ]
    };
    operators::suspend(core, actor, north, true).await.expect("a suspension");
    for (id, shown) in own.iter().chain(&under) {
        assert!(!opens(&app, shown).await, "{id}: {shown:?}");
    }
    assert_eq!(people().await, [false; 6]);
    for (_, shown) in &others {
        assert!(opens(&app, shown).await, "another reseller's: {shown:?}");
    }
    // Let in again, its keys are good as its password is.
    operators::suspend(core, actor, north, false).await.expect("its end");
    for (_, shown) in own.iter().chain(&under) {
        assert!(opens(&app, shown).await, "{shown:?}");
    }
    assert_eq!(people().await, [true; 6]);
}

/// It tells what its client may read now.
async fn a_webhook_ends_with_its_maker(app: TestApp) {
    let (core, actor) = (&app.app, &app.actor);
    let (north, seller) = operator(&app, "north", None, Terms::Prepaid).await;
    let made = clients_of(&app, seller.branch.expect("a branch")).await;
    let id = made[0].0;
    let client = Actor { who: Who::Api(id), ..seller.clone() };
    let command = NewWebhook {
        url: "https://receiver.example/".into(),
        events: vec!["customer.created", "customer.updated"],
        active: true,
        secret: None,
    };
    let hook = webhooks::create(core, &client, Scopes::ALL, command).await.expect("a webhook").webhook.id;
    let paid_in = Funding { amount: Money(1_000_000), method: "bank".into(), reference: None, note: None };
    funding::operator(core, actor, north, paid_in, None).await.expect("a funding");
    let ali = app.try_customer_of(&seller, "ali", |_| {}).await.expect("a customer");
    let told = async || {
        queue::fan_out(core).await.expect("a look");
        webhooks::deliveries(core, actor, Scopes::ALL, hook, None, 0, 100).await.expect("a log").1
    };
    let rename = async |name: &str| app.update(ali, |edit| edit.full_name = Some(name.into())).await.expect("a change");
    assert_eq!(told().await, 1);
    operators::suspend(core, actor, north, true).await.expect("a suspension");
    rename("Ali Khan").await;
    assert_eq!(told().await, 1, "a suspended reseller's webhook");
    operators::suspend(core, actor, north, false).await.expect("its end");
    rename("Ali K.").await;
    assert_eq!(told().await, 2);
    let change = |words| ClientChange { scopes: Some(Some(Scopes::from_words(words))), ..ClientChange::default() };
    clients::update(core, actor, Scopes::ALL, id, change("webhooks:write billing:read")).await.expect("less");
    rename("Ali").await;
    assert_eq!(told().await, 2, "its client reads no customers any more");
    clients::update(core, actor, Scopes::ALL, id, change("webhooks:write customers:read")).await.expect("more");
    rename("A. Khan").await;
    assert_eq!(told().await, 3);
    clients::revoke(core, actor, Scopes::ALL, id, None).await.expect("an end");
    rename("Khan").await;
    assert_eq!(told().await, 3, "its client has ended");
}
