//! A fixed address is one line's (docs/RULES.md): whoever writes it, in whichever way, at whatever moment.

use std::{net::Ipv4Addr, sync::Arc};

use domain::{CustomerId, Mac, StaffId, access::binding::Bound};
use service::{
    Actor, Error, Who, Why,
    access::bindings,
    catalogue::plans::{self, NewPool},
    customers::{
        beside::Beside,
        change::{self, Edit},
        import::{self, Row, Wrong},
    },
    identity::tenants,
    resellers::operators::Terms,
};

use crate::{
    app::{TestApp, isp},
    both,
    nas::{Login, login, started},
    races::at_once,
    resellers::{fund, operator},
};

both!(
    an_address_is_one_lines,
    an_import_takes_no_address_twice,
    an_address_goes_over_from_a_line_that_has_never_used_it,
    twenty_at_once_are_one,
    what_two_had_before_stays_until_it_changes,
    no_pool_gives_away_what_a_line_has_for_itself,
);

fn ip(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 9, 0, last)
}

fn is_taken<T>(answer: Result<T, Error>) -> bool {
    answer.err() == Some(Error::invalid("ip", Why::Taken))
}

async fn set(app: &TestApp, id: CustomerId, ip: Option<Ipv4Addr>) -> Result<(), Error> {
    change::update(&app.app, &app.actor, id, Edit { ip: Some(ip), ..Edit::default() }).await
}

fn device(last: u8, address: Ipv4Addr) -> Bound {
    Bound { address: Some(address), mac: Mac::parse(&format!("02:00:00:00:00:{last:02x}")) }
}

async fn an_address_is_one_lines(app: TestApp) {
    let ali = app.try_customer("ali", |new| new.ip = Some(ip(1))).await.expect("a customer");
    let refused = app.try_customer("eve", |new| new.ip = Some(ip(1))).await;
    assert!(is_taken(refused), "another line's");
    let eve = app.customer("eve", app.gold).await;
    assert!(is_taken(set(&app, eve.customer, Some(ip(1))).await));
    set(&app, ali.customer, Some(ip(1))).await.expect("its own");
    // Beside the first: a device's address is no less a line's own.
    let rows = vec![device(1, ip(2)), device(2, ip(1))];
    assert!(is_taken(bindings::put(&app.app, &app.actor, eve.customer, rows).await));
    let rows = vec![device(1, ip(2)), device(2, ip(3))];
    bindings::put(&app.app, &app.actor, eve.customer, rows.clone()).await.expect("two of its own");
    assert!(is_taken(set(&app, ali.customer, Some(ip(3))).await));
    // What is let go is free: by another address, by a release, by a deletion.
    set(&app, ali.customer, Some(ip(4))).await.expect("a free one");
    app.try_customer("bob", |new| new.ip = Some(ip(1))).await.expect("ali's first address is free");
    bindings::release(&app.app, &app.actor, eve.customer, 1, true, true).await.expect("a release");
    set(&app, ali.customer, Some(ip(3))).await.expect("eve's second address is free");
    app.delete(eve).await.expect("a deletion");
    app.try_customer("dan", |new| new.ip = Some(ip(2))).await.expect("eve's first address is free");
    set(&app, ali.customer, None).await.expect("none");
    app.try_customer("fay", |new| new.ip = Some(ip(3))).await.expect("ali's is free");
    // Another Isp's network is another network.
    let other =
        tenants::create_isp(&app.app, tenants::NewIsp { owner_email: "other@example.com".into(), ..isp("Other ISP") });
    let other = other.await.expect("another Isp").isp;
    let written = app.app.db.tx(service::Class::Interactive, async move |tx| {
        store::access::fixed_address::take(tx, other, &[(domain::ServiceId(1 << 40), ip(1).to_string())]).await
    });
    written.await.map_err(|error: store::db::Error| error).expect("the same address of another Isp");
}

/// Zal's calls (docs/readings.md Z18): no two have it, and nobody who uses one loses it.
async fn an_address_goes_over_from_a_line_that_has_never_used_it(app: TestApp) {
    let ali = app.try_customer("ali", |new| new.ip = Some(ip(1))).await.expect("a customer");
    let eve = app.customer("eve", app.gold).await;
    let take = async |actor: &Actor, id: CustomerId, address: Ipv4Addr| {
        let beside = Beside { takes_address_over: true, ..Beside::default() };
        change::update(&app.app, actor, id, Edit { ip: Some(Some(address)), beside, ..Edit::default() }).await
    };
    take(&app.actor, eve.customer, ip(1)).await.expect("it goes over");
    assert_eq!((app.row(ali).await.address, app.row(eve).await.address), (None, Some(ip(1).to_string())));
    app.settled().await;
    assert!(app.nas.login(login("eve")).await.contains("Framed-IP-Address=10.9.0.1"));
    app.nas.report(started("eve", "s1")).await;
    assert!(is_taken(take(&app.actor, ali.customer, ip(1)).await), "it is in use");
    // From another branch nothing is taken.
    let (_, seller) = operator(&app, "north", None, Terms::Prepaid).await;
    let theirs = app.try_customer("bob", |new| new.ip = Some(ip(2))).await.expect("a customer");
    fund(&app, StaffId(staff_of(&seller)), 1_000_000).await;
    let own = app.try_customer_of(&seller, "own", |_| ()).await.expect("a customer");
    assert!(is_taken(take(&seller, own.customer, ip(2)).await));
    assert_eq!(app.row(theirs).await.address, Some(ip(2).to_string()));
}

fn staff_of(actor: &Actor) -> i64 {
    match actor.who {
        Who::Staff(id) => id.0,
        Who::Api(_) | Who::Customer(_) | Who::System => panic!("a person"),
    }
}

fn row(line: u64, ip: &str) -> Row {
    Row {
        line,
        fullname: format!("User {line}"),
        phonenumber: format!("07{line:08}"),
        service_type: "PPPoE".into(),
        username: format!("user-{line}"),
        password: "secret".into(),
        plan: "gold".into(),
        router: "bras".into(),
        ip: ip.into(),
        ..Row::default()
    }
}

async fn an_import_takes_no_address_twice(app: TestApp) {
    app.try_customer("ali", |new| new.ip = Some(ip(1))).await.expect("a customer");
    for dry in [true, false] {
        let rows = vec![row(2, "10.9.0.1"), row(3, "10.9.0.2"), row(4, "10.9.0.2"), row(5, ""), row(6, "10.9.0.3")];
        let report = import::import(&app.app, &app.actor, rows, dry).await.expect("a report");
        let refused: Vec<_> = report.refused.iter().map(|row| (row.line, row.field, row.wrong.clone())).collect();
        let exists = Wrong::Exists { name: "10.9.0.1".into() };
        let twice = Wrong::AlsoInLine { name: "10.9.0.2".into(), line: 3 };
        assert_eq!((report.imported, refused), (3, vec![(2, "ip", exists), (4, "ip", twice)]), "dry: {dry}");
    }
}

async fn twenty_at_once_are_one(app: TestApp) {
    let app = Arc::new(app);
    let mut people = Vec::new();
    for n in 0..10 {
        people.push(app.customer(&format!("c{n}"), app.gold).await.customer);
    }
    let shared = app.clone();
    let results = at_once(20, move |n| {
        let (app, people) = (shared.clone(), people.clone());
        Box::pin(async move {
            match n % 2 {
                0 => set(&app, people[n / 2], Some(ip(7))).await,
                _ => app.try_customer(&format!("new{n}"), |new| new.ip = Some(ip(7))).await.map(drop),
            }
        })
    })
    .await;
    let done = results.iter().filter(|result| result.is_ok()).count();
    let taken = results.into_iter().filter(|result| is_taken(result.clone())).count();
    assert_eq!((done, taken), (1, 19));
}

/// As a data directory of before has it: neither line loses its address, and nobody else gets it.
async fn what_two_had_before_stays_until_it_changes(app: TestApp) {
    let ali = app.try_customer("ali", |new| new.ip = Some(ip(1))).await.expect("a customer");
    let eve = app.customer("eve", app.gold).await;
    let (isp, service) = (app.actor.isp, eve.service);
    let written = app.app.db.tx(service::Class::Interactive, async move |tx| {
        let text = "update service set address = '10.9.0.1' where isp_id = $1 and id = $2".to_string();
        tx.run(text, &[isp.into(), service.into()]).await?;
        let text = "insert into fixed_address (isp_id, service_id, address) values ($1, $2, '10.9.0.1')".to_string();
        tx.run(text, &[isp.into(), service.into()]).await
    });
    written.await.map_err(|error: store::db::Error| error).expect("the rows of before");
    let phone = Edit { phone: Some("0712000000".into()), ip: Some(Some(ip(1))), ..Edit::default() };
    change::update(&app.app, &app.actor, eve.customer, phone).await.expect("an edit of something else");
    app.recharge(eve).await.expect("a recharge");
    assert!(is_taken(app.try_customer("bob", |new| new.ip = Some(ip(1))).await));
    set(&app, eve.customer, Some(ip(2))).await.expect("one of its own");
    assert!(is_taken(set(&app, eve.customer, Some(ip(1))).await), "and not back");
    app.delete(ali).await.expect("a deletion");
    set(&app, eve.customer, Some(ip(1))).await.expect("free now");
}

async fn no_pool_gives_away_what_a_line_has_for_itself(app: TestApp) {
    let ours = NewPool { name: "ours".into(), router: None, ranges: "10.5.0.1-10.5.0.2".into(), allocate: "server" };
    let ours = plans::create_pool(&app.app, &app.actor, ours).await.expect("a pool");
    let plan = app.plan("addressed", |plan| plan.pool = Some(ours)).await;
    let fixed = Ipv4Addr::new(10, 5, 0, 1);
    let ali = app.try_customer("ali", |new| (new.plan, new.ip) = (plan, Some(fixed))).await.expect("a customer");
    for name in ["eve", "bob"] {
        app.customer(name, plan).await;
    }
    let from = |name: &'static str, port: u32| Login { port, mac: None, ..login(name) };
    let second = app.nas.login(from("eve", 2)).await;
    assert!(second.contains("Framed-IP-Address=10.5.0.2"), "{second}");
    let none = app.nas.login(from("bob", 3)).await;
    assert_eq!(none, "Access-Reject Reply-Message=No address is free, please try again later");
    let own = app.nas.login(from("ali", 1)).await;
    assert!(own.contains("Framed-IP-Address=10.5.0.1"), "{own}");
    // Let go, it is the pool's again.
    set(&app, ali.customer, None).await.expect("none");
    app.settled().await;
    let given = app.nas.login(from("bob", 3)).await;
    assert!(given.contains("Framed-IP-Address=10.5.0.1"), "{given}");
}
