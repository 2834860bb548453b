//! Lists, filters and searches: what they answer is what looking at every customer would say, whatever happened before.

use domain::{Kind, Money, RouterId, Status};
use service::{
    Error, Filter, Order, Page, Standing,
    access::routers::{self, NewRouter},
    customers::{
        card::{Card, Parts},
        lists,
        places::{self, Level},
    },
};

use crate::{
    app::{Line, SECRET, TestApp, days, seconds},
    both,
    nas::{interim, started},
};

both!(
    lists_and_counts_are_exact_after_anything,
    words_are_found_from_their_beginning,
    a_database_from_before_is_completed,
);

/// A reproducible die.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

const KINDS: [Kind; 3] = [Kind::Pppoe, Kind::Hotspot, Kind::Static];
const NAMES: [&str; 5] = ["Grace Wanjiru", "john  O'Brien", "Émile Zola", "ZARA", "grace-ann Zulu"];

async fn second_router(app: &TestApp) -> RouterId {
    let router = NewRouter {
        name: "tower".into(),
        vendor: "mikrotik".into(),
        network: "203.0.113.0/24".into(),
        nas_identifier: None,
        secret: SECRET.into(),
        coa_port: 3799,
        ma_policy: "require".into(),
        api_address: None,
    };
    routers::create(&app.app, &app.actor, router).await.expect("a router")
}

async fn lists_and_counts_are_exact_after_anything(app: TestApp) {
    let routers = [app.router, second_router(&app).await];
    let short = app.plan("short", |plan| plan.validity = 2).await;
    let capped = app
        .plan("capped", |plan| {
            (plan.limited, plan.limit_type) = (true, Some("Data_Limit".into()));
            (plan.data_limit, plan.data_unit, plan.price) = (Some(1), Some("MB".into()), Money(100));
        })
        .await;
    let plans = [app.gold, short, capped];
    let place = async |level, parent, name: &str| {
        places::create(&app.app, &app.actor, level, parent, name.into()).await.expect("a place").id
    };
    let area = place(Level::CollectionArea, None, "Westlands").await;
    let street = place(Level::Street, Some(area), "Ring Road").await;
    let buildings =
        [place(Level::Building, Some(street), "Plaza").await, place(Level::Building, Some(street), "Mall").await];
    let mut dice = Dice(7);
    let mut lines: Vec<Line> = Vec::new();
    for n in 0..160_u64 {
        let line = (!lines.is_empty()).then(|| lines[dice.roll(lines.len() as u64) as usize]);
        match (dice.roll(12), line) {
            (0..=3, _) | (_, None) => {
                let name = format!("user{n}");
                let made = app.try_customer(&name, |new| {
                    new.full_name = NAMES[dice.roll(5) as usize].into();
                    new.phone = format!("2547{:08}", dice.roll(100_000_000));
                    new.email = (n % 2 == 0).then(|| format!("user.{n}@isp.example"));
                    new.building = (n % 3 == 0).then_some(buildings[dice.roll(2) as usize]);
                    (new.plan, new.router) = (plans[dice.roll(3) as usize], routers[dice.roll(2) as usize]);
                    new.kind = KINDS[dice.roll(3) as usize];
                });
                lines.push(made.await.expect("a customer"));
            }
            (4 | 5, Some(line)) => drop(app.recharge(line).await.expect("a recharge")),
            (6, Some(line)) => {
                let status = [Status::Suspended, Status::Disabled, Status::Inactive, Status::Active];
                match app.put(line, status[dice.roll(4) as usize]).await {
                    // Activating what has ended is refused.
                    Ok(()) | Err(Error::Refused(_)) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            (7, Some(line)) => {
                let (name, router, kind) =
                    (NAMES[dice.roll(5) as usize], routers[dice.roll(2) as usize], KINDS[dice.roll(3) as usize]);
                let change = |change: &mut service::customers::change::Edit| {
                    (change.full_name, change.router, change.kind) = (Some(name.into()), Some(router), Some(kind));
                    change.email = Some((n % 2 == 0).then(|| format!("new{n}@isp.example")));
                };
                app.update(line, change).await.expect("an update");
            }
            (8, Some(line)) if lines.len() > 20 => {
                app.delete(line).await.expect("a deletion");
                lines.retain(|other| other.customer != line.customer);
            }
            (9, Some(line)) => {
                // Usage that reaches a quota of one megabyte.
                let name = app.row(line).await.username;
                app.nas.report(started(&name, &format!("s{n}"))).await;
                app.nas.report(interim(&name, &format!("s{n}"), 60, 700_000, 600_000)).await;
            }
            // Time passes: sometimes what it ended has been acted on, sometimes not yet.
            (10, _) => app.app.clock.pass(seconds(30_000)),
            (_, _) => app.pass(days(1) / 2).await,
        }
        if n % 40 == 39 {
            agree(&app, &lines, &routers).await;
        }
    }
    let faults =
        app.app.db.read(async |tx: &store::db::Tx| store::people::roster::verify(tx).await).await.expect("a look");
    assert_eq!(faults, Vec::<String>::new());
}

/// Every filter and order against every customer looked at one by one.
async fn agree(app: &TestApp, lines: &[Line], routers: &[RouterId]) {
    let now = app.app.clock.now();
    let mut everybody = Vec::new();
    for line in lines {
        everybody.push(app.show(*line).await);
    }
    let mut filters = vec![Filter::default()];
    let mut with = |change: &dyn Fn(&mut Filter)| {
        for at in 0..filters.len() {
            let mut filter = filters[at].clone();
            change(&mut filter);
            filters.push(filter);
        }
    };
    with(&|filter| filter.standing = Some(Standing::Active));
    with(&|filter| filter.standing = Some(filter.standing.map_or(Standing::Expired, |_| Standing::Off)));
    with(&|filter| filter.kind = Some(Kind::Pppoe));
    with(&|filter| filter.router = Some(routers[0]));
    let building = everybody.iter().find_map(|shown| shown.customer.building_id);
    with(&|filter| filter.building = building);
    with(&|filter| filter.search = Some("gra".into()));
    filters.push(Filter { standing: Some(Standing::Barred), ..Filter::default() });
    for (filter, turn) in filters.iter().zip(0..) {
        let mut expected: Vec<&Card> = everybody.iter().filter(|shown| fits(shown, filter, now)).collect();
        let order = [Order::Created, Order::Username, Order::FullName, Order::Expiry][turn % 4];
        let line = |shown: &Card| shown.line.clone().expect("a line");
        expected.sort_by_cached_key(|shown| {
            let text = match order {
                Order::Username => shown.customer.username.to_lowercase(),
                Order::FullName => shown.customer.full_name.to_lowercase(),
                Order::Created | Order::Expiry => String::new(),
            };
            let time = match order {
                Order::Created => shown.customer.created_at.0,
                Order::Expiry => line(shown).expires_at.map_or(0, |at| at.0),
                Order::Username | Order::FullName => 0,
            };
            (text, time, shown.customer.id)
        });
        let descending = turn % 3 == 0;
        if descending {
            expected.reverse();
        }
        let mut found = Vec::new();
        loop {
            let page = Page { order, descending, offset: found.len() as i64, limit: 7 };
            let (rows, total) =
                lists::page(&app.app, &app.actor, filter.clone(), page, Parts::NONE).await.expect("a list");
            assert_eq!(total, expected.len() as i64, "{filter:?}");
            let last = rows.len() < 7;
            found.extend(rows.into_iter().map(|row| row.customer.id));
            if last {
                break;
            }
        }
        let expected: Vec<_> = expected.iter().map(|shown| shown.customer.id).collect();
        assert_eq!(found, expected, "{filter:?} by {order:?}, descending {descending}");
    }
    let counts = service::reports::overview::overview(&app.app, app.actor.isp).await.expect("the front page");
    let of = |standing| {
        let filter = Filter { standing: Some(standing), ..Filter::default() };
        everybody.iter().filter(|shown| fits(shown, &filter, now)).count() as i64
    };
    assert_eq!(
        (counts.customers, counts.running, counts.expired),
        (everybody.len() as i64, of(Standing::Active), of(Standing::Expired))
    );
}

/// The rules once more, the slow way.
fn fits(shown: &Card, filter: &Filter, now: domain::Instant) -> bool {
    let line = shown.line.as_ref().expect("a line");
    let runs = line.expires_at.is_some_and(|at| at > now)
        && line.quota_bytes.is_none_or(|quota| line.used_bytes < quota)
        && line.quota_time_s.is_none_or(|quota| line.used_time_s < quota);
    let standing = match line.status {
        Status::Active if runs => Standing::Active,
        Status::Active => Standing::Expired,
        Status::Suspended | Status::Disabled => Standing::Barred,
        Status::Inactive | Status::Pending | Status::AwaitingApproval | Status::Rejected | Status::Terminated => {
            Standing::Off
        }
    };
    filter.standing.is_none_or(|wanted| wanted == standing)
        && filter.kind.is_none_or(|wanted| wanted == line.kind)
        && filter.router.is_none_or(|wanted| wanted == line.router_id)
        && filter.building.is_none_or(|wanted| Some(wanted) == shown.customer.building_id)
        && filter.search.as_ref().is_none_or(|text| shown.customer.full_name.to_lowercase().starts_with(text.as_str()))
}

async fn found(app: &TestApp, search: &str) -> String {
    let filter = Filter { search: Some(search.into()), ..Filter::default() };
    let page = Page { order: Order::Created, descending: false, offset: 0, limit: 50 };
    let (rows, total) = lists::page(&app.app, &app.actor, filter, page, Parts::NONE).await.expect("a list");
    assert_eq!(rows.len() as i64, total);
    rows.iter().map(|row| row.customer.username.clone()).collect::<Vec<_>>().join(" ")
}

async fn words_are_found_from_their_beginning(app: TestApp) {
    let people = [
        ("grace", "Grace Wanjiru Mwangi", "254712345678", Some("g.mwangi@mail.example")),
        ("obrien", "Seán O'Brien", "0733000111", None),
        ("percent", "100% Under_score", "0733000222", Some("Under_Score@isp.example")),
    ];
    for (name, full_name, phone, email) in people {
        app.app.clock.pass(1);
        let made = app.try_customer(name, |new| {
            (new.full_name, new.phone, new.email) = (full_name.into(), phone.into(), email.map(Into::into));
        });
        made.await.expect("a customer");
    }
    let rows = [
        // asked → who is found (their accounts are called acc-…)
        ("Grace Wanjiru Mwangi", "acc-grace"),
        ("GRACE WAN", "acc-grace"),
        ("wanjiru mwa", "acc-grace"),
        ("mwangi", "acc-grace"),
        ("  mwan  ", "acc-grace"),
        ("anjiru", ""),
        ("mwangi grace", ""),
        ("254712345678", "acc-grace"),
        ("712345", "acc-grace"),
        ("0712345678", ""),
        ("g.mwangi@MAIL.example", "acc-grace"),
        ("mail.example", ""),
        ("acc-grace", "acc-grace"),
        ("seán", "acc-obrien"),
        ("SEÁN O'B", "acc-obrien"),
        ("brien", "acc-obrien"),
        ("0733000", "acc-obrien acc-percent"),
        ("acc-", "acc-grace acc-obrien acc-percent"),
        ("100%", "acc-percent"),
        ("1_0", ""),
        ("%", ""),
        ("under_score@isp", "acc-percent"),
        ("nobody", ""),
        ("", "acc-grace acc-obrien acc-percent"),
    ];
    for (asked, expected) in rows {
        assert_eq!(found(&app, asked).await, expected, "{asked:?}");
    }
}

async fn a_database_from_before_is_completed(app: TestApp) {
    let ali = app.customer("ali", app.gold).await;
    app.customer("bob", app.gold).await;
    app.put(ali, Status::Suspended).await.expect("a suspension");
    let forget = async |tx: &store::db::Tx| {
        tx.run("delete from roster".to_string(), &[]).await?;
        tx.run("delete from roster_count".to_string(), &[]).await?;
        tx.run("delete from search_word".to_string(), &[]).await?;
        tx.run("delete from counter where isp_id = 0 and name = 'roster'".to_string(), &[]).await.map(drop)
    };
    app.app.db.tx(service::Class::Bulk, forget).await.expect("a database as it was");
    assert_eq!(found(&app, "acc").await, "");
    app.app.db.migrate().await.expect("the next start");
    assert_eq!(found(&app, "acc").await, "acc-ali acc-bob");
    let faults =
        app.app.db.read(async |tx: &store::db::Tx| store::people::roster::verify(tx).await).await.expect("a look");
    assert_eq!(faults, Vec::<String>::new());
}
