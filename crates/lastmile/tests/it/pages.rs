//! What a page of customers costs in statements, by every dialect: as many for five rows as for twenty-four, and no more
//! than is written here.

use domain::kernel::clock::SECOND;
use serde_json::Value;
use service::{
    access::attributes::{self, NewAttribute},
    catalogue::plans::{self, PlanChange},
    customers::{
        beside::ProfileChange,
        places::{self, Level},
    },
};

use crate::{
    app::TestApp,
    both,
    nas::{interim, started},
    town::{Dialect, Town},
};

both!(a_page_costs_the_same_however_long);

/// A call, and how many statements it may cost: `$n` rows, of which every second or third has each part.
const PAGES: &[(Dialect, &str, u64)] = &[
    (Dialect::Alternet, "/api/v1/customers?per_page=$n", 8),
    (Dialect::Alternet, "/api/v1/customers?per_page=$n&search=customer&status=Active", 9),
    (Dialect::Alternet, "/api/v1/customers/$id", 7),
    (Dialect::V1, "/api/v1/customers?per_page=$n", 8),
    (Dialect::V1, "/api/v1/customers/$id", 6),
    (Dialect::V2, "/api/v2/customers?per_page=$n", 8),
    (Dialect::V2, "/api/v2/customers?per_page=$n&status=active&package_id=$plan", 8),
    (Dialect::V2, "/api/v2/customers/$id", 6),
    (Dialect::Zal, "/api/v1/subscribers?limit=$n", 10),
    (Dialect::Zal, "/api/v1/subscribers?limit=$n&all_module_status=1", 20),
    (Dialect::Zal, "/api/v1/subscribers/details?id=$id", 11),
    (Dialect::Jaze, "/api/v1/get_all", 11),
    (Dialect::Jaze, "/api/v1/get_details/$id", 12),
    (Dialect::Jaze, "/api/v1/get_user_by_phone/0712345678", 9),
    (Dialect::Jaze, "/api/v1/get_basic_user_details", 9),
];

async fn a_page_costs_the_same_however_long(app: TestApp) {
    people(&app, 24).await;
    let town = Town::over(&app).await;
    let mut wrong = Vec::new();
    for (dialect, path, most) in PAGES {
        let path = path.replace("$id", "1").replace("$plan", &app.gold.to_string());
        let short = least(&app, &town, *dialect, &path.replace("$n", "5")).await;
        let long = least(&app, &town, *dialect, &path.replace("$n", "24")).await;
        if short != long || long > *most {
            wrong.push(format!(
                "{dialect:?} {path}: {short} statements for five rows, {long} for twenty-four, {most} allowed"
            ));
        }
        println!("{dialect:?} {path}: {short} {long}");
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// What a call costs by itself: the least of five times, because followers of the event feed read meanwhile.
async fn least(app: &TestApp, town: &Town<'_>, dialect: Dialect, path: &str) -> u64 {
    let mut least = u64::MAX;
    for _ in 0..5 {
        // Rate limits are other tests'.
        app.app.clock.pass(5 * SECOND);
        let before = app.app.db.statements();
        town.done(dialect, ("GET", path.into(), Value::Null)).await;
        least = least.min(app.app.db.statements() - before);
    }
    least
}

async fn people(app: &TestApp, count: i64) {
    let (core, actor) = (&app.app, &app.actor);
    let silver = app.plan("silver", |_| {}).await;
    let bronze = app.plan("bronze", |_| {}).await;
    let place = async |level, parent, name: &str| {
        places::create(core, actor, level, parent, name.into()).await.expect("a place").id
    };
    let area = place(Level::CollectionArea, None, "Westlands").await;
    let street = place(Level::Street, Some(area), "Ring Road").await;
    let building = place(Level::Building, Some(street), "Plaza").await;
    let country = place(Level::Country, None, "Kenya").await;
    for n in 0..count {
        if n == count / 2 {
            let dearer = PlanChange { price: Some(domain::Money(99)), ..PlanChange::default() };
            plans::update(core, actor, app.gold, dearer).await.expect("another version");
        }
        let plan = [app.gold, silver, bronze][n as usize % 3];
        let name = format!("p{n}");
        let made = app.try_customer(&name, |new| {
            new.plan = plan;
            new.building = (n % 2 == 0).then_some(building);
        });
        let line = made.await.expect("a customer");
        let profile = ProfileChange {
            identity: Some(format!("id {n}")),
            places: [Some(Some(country)), None, None, None, None],
            ..ProfileChange::default()
        };
        app.update(line, |edit| edit.beside.profile = profile).await.expect("an identity");
        let attribute = NewAttribute { attribute: "Reply-Message".into(), op: ":=".into(), value: "hello".into() };
        attributes::add(core, actor, line.customer, attribute).await.expect("an attribute");
        app.nas.report(started(&format!("p{n}"), &format!("s{n}"))).await;
        app.nas.report(interim(&format!("p{n}"), &format!("s{n}"), 60, 700, 600)).await;
    }
}
