//! One name in several Isps: the host that was called says which, then the password; nobody is taken for the other.

use domain::IspId;
use service::{
    Actor, Error, Refusal, Who,
    access::routers::{self, NewRouter},
    catalogue::plans,
    customers::portal,
    identity::{tenants, tokens},
    kernel::origin::{self, Origin},
};

use crate::{
    app::{TestApp, bandwidth, isp},
    both,
};

both!(
    people_of_two_isps_with_one_address,
    subscribers_of_two_isps_with_one_name,
    the_sixth_namesake_comes_in_by_its_host
);

async fn another(app: &TestApp, name: &str, password: &str) -> Actor {
    let command = tenants::NewIsp { owner_password: password.into(), ..isp(name) };
    let made = tenants::create_isp(&app.app, command).await.expect("another Isp");
    Actor { isp: made.isp, who: Who::Staff(made.owner), branch: None, may_write: true }
}

/// At the host of this Isp.
async fn at<F: Future>(isp: IspId, call: F) -> F::Output {
    origin::from(Origin { isp: Some(isp), ..Origin::default() }, call).await
}

async fn people_of_two_isps_with_one_address(app: TestApp) {
    let (mail, own) = ("owner@example.com", app.actor.isp);
    let same = another(&app, "Same", "correct horse").await.isp;
    let sign_in =
        async |password: &str| portal::sign_in(&app.app, mail, password).await.map(|(person, _)| person.isp_id);
    assert_eq!(sign_in("correct horse").await, Err(Error::Refused(Refusal::NameOfTwo)));
    assert_eq!(tokens::sign_in(&app.app, mail, "correct horse").await.err(), Some(Error::Refused(Refusal::NameOfTwo)));
    for isp in [own, same] {
        assert_eq!(at(isp, sign_in("correct horse")).await, Ok(isp));
        at(isp, tokens::sign_in(&app.app, mail, "correct horse")).await.expect("tokens");
    }
    assert_eq!(at(IspId(1 << 40), sign_in("correct horse")).await, Err(Error::Unauthenticated));
    // A password of its own tells them apart anywhere, and opens nothing at the other's host.
    let third = another(&app, "Third", "battery staple").await.isp;
    assert_eq!(sign_in("battery staple").await, Ok(third));
    assert_eq!(at(third, sign_in("battery staple")).await, Ok(third));
    assert_eq!(at(same, sign_in("battery staple")).await, Err(Error::Unauthenticated));
}

/// A hotspot customer "ali" of that Isp.
async fn ali(app: &TestApp, actor: &Actor, password: &str) {
    let rate = plans::create_bandwidth(&app.app, actor, bandwidth("rate", 1_000, 1_000)).await.expect("a rate").id;
    let plan = app.plan_of(actor, "theirs", |plan| (plan.bandwidth, plan.pool) = (rate, None)).await;
    let router = NewRouter {
        name: "theirs".into(),
        vendor: "mikrotik".into(),
        network: format!("192.0.2.{}", actor.isp.0 % 200 + 1),
        nas_identifier: None,
        secret: "testing123".into(),
        coa_port: 3799,
        ma_policy: "require".into(),
        api_address: None,
    };
    let router = routers::create(&app.app, actor, router).await.expect("a router");
    let made = app.try_customer_of(actor, "ali", |new| {
        (new.plan, new.router, new.portal_password) = (plan, router, password.into());
    });
    made.await.expect("a customer");
}

async fn subscribers_of_two_isps_with_one_name(app: TestApp) {
    let other = another(&app, "Other", "correct horse").await;
    app.customer("ali", app.gold).await;
    ali(&app, &other, "portal").await;
    let sign_in = async |password: &str| {
        portal::sign_in_subscriber(&app.app, "acc-ali", password).await.map(|(customer, _)| customer.isp_id)
    };
    assert_eq!(sign_in("portal").await, Err(Error::Refused(Refusal::NameOfTwo)));
    for isp in [app.actor.isp, other.isp] {
        assert_eq!(at(isp, sign_in("portal")).await, Ok(isp));
    }
    let third = another(&app, "Third", "battery staple").await;
    ali(&app, &third, "another").await;
    assert_eq!(sign_in("another").await, Ok(third.isp));
    assert_eq!(at(other.isp, sign_in("another")).await, Err(Error::Unauthenticated));
}

async fn the_sixth_namesake_comes_in_by_its_host(app: TestApp) {
    let mut last = app.actor.isp;
    for n in 2..=6 {
        last = another(&app, &format!("Isp {n}"), &format!("password {n}")).await.isp;
    }
    let sign_in =
        async || portal::sign_in(&app.app, "owner@example.com", "password 6").await.map(|(person, _)| person.isp_id);
    assert_eq!(sign_in().await, Err(Error::Unauthenticated), "five are looked at");
    assert_eq!(at(last, sign_in()).await, Ok(last));
}
