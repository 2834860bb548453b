//! What a new password or a suspension ends, and what a right leads to: whoever is out is out with all that came from it.

use domain::{Money, Scopes, Status};
use serde_json::json;
use service::{
    Error,
    customers::portal::{self, SUBSCRIBER},
    identity::{staff::StaffChange, tokens},
    resellers::operators::{self, OperatorChange, Terms},
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
