//! Measures lists and searches of customers on a made-up ISP of any size.
//!
//!     cargo run --release -p lastmile-store --example lists -- [FILE | postgres://… | postgres] [CUSTOMERS]
//!
//! Fills the database where it is empty, then asks for every filter and order, page 1, the page in
//! the middle and the last one (both up to the thousandth), and for searches; each often enough for a 99th percentile, one request at a time, then all of them mixed
//! at 50 a second. Figures: docs/benchmarks.md.

use std::{path::PathBuf, time::Duration};

use domain::{CustomerId, Instant, IspId, Kind, PlanId, RouterId, ServiceId, Status};
use store::{
    db::{Class, Db, Error, Location, Tx},
    people::{
        customer::{self, Customer, Filter, Order, Page, Standing},
        roster,
        service::{self, Service},
    },
    testing::PrivateServer,
};

const ISP: IspId = IspId(1);
const NOW: Instant = Instant(1_893_445_200_000_000);
const PAGE: i64 = 50;
/// Customers a transaction: nobody else waits here.
const STEP: i64 = 10_000;

const FIRST: &[&str] = &[
    "Grace", "John", "Amina", "Peter", "Mary", "Ahmed", "Fatuma", "James", "Joyce", "Brian", "Mercy", "Samuel",
    "Rahima", "Kevin", "Esther", "Daniel", "Lucy", "Hassan", "Agnes", "Victor", "Nadia", "Paul", "Halima", "Moses",
    "Ruth",
];
const LAST: &[&str] = &[
    "Wanjiru", "Otieno", "Kamau", "Achieng", "Mwangi", "Hussein", "Njoroge", "Odhiambo", "Wambui", "Kiptoo", "Mutua",
    "Chebet", "Omondi", "Njeri", "Kariuki", "Barasa", "Nyambura", "Okoth", "Wafula", "Cherono", "Rahman", "Moraa",
];

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let place = args.next().unwrap_or_else(|| "lists.db".into());
    let customers: i64 = args.next().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let mut server = None;
    let location = match place.as_str() {
        "postgres" => Location::Postgres(server.insert(PrivateServer::new("lists").expect("PostgreSQL")).url()),
        url if url.starts_with("postgres:") => Location::Postgres(url.into()),
        path => Location::File(PathBuf::from(path)),
    };
    let db = Db::open(&location).await.expect("the database opens");
    db.migrate().await.expect("migrations");
    fill(&db, customers).await;
    measure(&db, customers).await;
    db.close().await;
    drop(server);
}

// ---- the ISP ----

fn mixed(n: i64) -> u64 {
    let mut x = (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ (x >> 29)
}

/// Three in twenty are expired, one in ten barred, one in twenty off; 20 routers of unequal size, 600 buildings.
fn person(n: i64) -> (Customer, Option<Service>) {
    let dice = mixed(n);
    let part = |shift: u32, of: u64| (dice >> shift) % of;
    let (first, last) = (FIRST[part(0, 25) as usize], LAST[part(8, 22) as usize]);
    let kind = match part(16, 20) {
        0 => Kind::Static,
        1..=5 => Kind::Hotspot,
        _ => Kind::Pppoe,
    };
    let status = match part(24, 20) {
        0 => Status::Inactive,
        1 | 2 => Status::Suspended,
        _ => Status::Active,
    };
    let lapsed = part(32, 100) < 15;
    let expires = NOW.plus(if lapsed { -1 } else { 1 } * (part(20, 30 * 86_400) as i64 + 1) * 1_000_000);
    let username = format!("{}.{}{n:06}", first.to_lowercase(), last.to_lowercase());
    let created = NOW.plus(-(1_100_000 - n) * 60_000_000);
    let customer = Customer::new(customer::New {
        isp: ISP,
        id: CustomerId(n),
        branch: None,
        username: username.clone(),
        portal_secret: Some(vec![7; 60]),
        full_name: format!("{first} {last}"),
        phone: format!("2547{:08}", dice % 100_000_000),
        email: (part(40, 2) == 0).then(|| format!("{username}@mail{}.example", part(44, 5))),
        address: Some(format!("{} Moi Avenue", part(12, 400))),
        building: (part(46, 3) == 0).then(|| part(48, 600) as i64 + 1),
        at: created,
    });
    let router = match part(52, 40) {
        0..=9 => 1,
        spread => spread as i64 % 19 + 2,
    };
    let mut line = Service::new(service::New {
        isp: ISP,
        id: ServiceId(n),
        customer: CustomerId(n),
        ordinal: 1,
        kind,
        status,
        reason: None,
        username,
        secret: Some(vec![7; 60]),
        plan: PlanId(1),
        plan_version: 1,
        router: RouterId(router),
        address: None,
        mac: None,
        tied: false,
        at: created,
    });
    line.period_ordinal = 1;
    line.period_started_at = Some(created);
    line.expires_at = Some(expires);
    // The last minutes' expiries are not yet acted on.
    line.expired_event_at = (expires.0 < NOW.0 - 300_000_000).then_some(expires);
    (customer, Some(line))
}

async fn fill(db: &Db, customers: i64) {
    let (have, ..) = db.read(async |tx: &Tx| roster::totals(tx, ISP, NOW).await).await.expect("a count");
    let began = std::time::Instant::now();
    let mut next = have + 1;
    while next <= customers {
        let until = (next + STEP).min(customers + 1);
        let insert = async move |tx: &Tx| customer::insert(tx, ISP, (next..until).map(person).collect()).await;
        db.tx(Class::Bulk, insert).await.expect("customers");
        next = until;
    }
    if have < customers {
        println!("{} customers made in {:.1} s", customers - have, began.elapsed().as_secs_f64());
    }
    db.tx(Class::Bulk, async |tx: &Tx| customer::refresh_statistics(tx).await).await.expect("statistics");
}

// ---- the questions ----

fn questions() -> Vec<(String, Filter, Order)> {
    let orders = [
        (Order::Created, "created"),
        (Order::Username, "username"),
        (Order::FullName, "fullname"),
        (Order::Expiry, "expiration"),
    ];
    let plain = Filter::default();
    let filters = [
        ("all", plain.clone()),
        ("PPPoE", Filter { kind: Some(Kind::Pppoe), ..plain.clone() }),
        ("Hotspot", Filter { kind: Some(Kind::Hotspot), ..plain.clone() }),
        ("Static", Filter { kind: Some(Kind::Static), ..plain.clone() }),
        ("Active", Filter { standing: Some(Standing::Active), ..plain.clone() }),
        ("Expired", Filter { standing: Some(Standing::Expired), ..plain.clone() }),
        ("Deactivated", Filter { standing: Some(Standing::Barred), ..plain.clone() }),
        ("Inactive", Filter { standing: Some(Standing::Off), ..plain.clone() }),
        ("router 1", Filter { router: Some(RouterId(1)), ..plain.clone() }),
        ("router 5", Filter { router: Some(RouterId(5)), ..plain.clone() }),
        ("apartment", Filter { building: Some(77), ..plain.clone() }),
        (
            "Static Active router 1",
            Filter {
                kind: Some(Kind::Static),
                standing: Some(Standing::Active),
                router: Some(RouterId(1)),
                ..plain.clone()
            },
        ),
        (
            "PPPoE Expired router 5",
            Filter {
                kind: Some(Kind::Pppoe),
                standing: Some(Standing::Expired),
                router: Some(RouterId(5)),
                ..plain.clone()
            },
        ),
    ];
    let mut all = Vec::new();
    for (name, filter) in filters {
        all.extend(orders.map(|(order, by)| (format!("{name} by {by}"), filter.clone(), order)));
    }
    for (what, text, router) in [
        ("phone", "254712345", None),
        ("phone within the country", "7123456", None),
        ("all phones", "2547", None),
        ("username", "grace.wanjiru000", None),
        ("e-mail", "grace.wanjiru000", None),
        ("first name", "grace", None),
        ("last name", "wanj", None),
        ("both names", "grace wanj", None),
        ("a letter", "g", None),
        ("nobody", "zzz", None),
        ("last name, router 5", "wanj", Some(RouterId(5))),
        ("both names, router 5", "grace wanj", Some(RouterId(5))),
    ] {
        let filter = Filter { search: Some(text.into()), router, ..plain.clone() };
        all.push((format!("search {text:?} ({what})"), filter.clone(), Order::Created));
        all.push((format!("search {text:?} ({what}) by fullname"), filter, Order::FullName));
    }
    all
}

async fn ask(db: &Db, filter: &Filter, order: Order, page: i64) -> (i64, usize, f64) {
    let filter = filter.clone();
    let page = Page { order, descending: page % 2 == 1, offset: (page - 1) * PAGE, limit: PAGE };
    let began = std::time::Instant::now();
    let asked = db.read(async move |tx: &Tx| customer::list(tx, ISP, &filter, page, NOW).await).await;
    let (rows, total) = asked.map_err(|error: Error| error).expect("a list");
    (total, rows.len(), began.elapsed().as_secs_f64() * 1e3)
}

async fn measure(db: &Db, customers: i64) {
    println!("{customers} customers, milliseconds; median and slowest of 9, first page | middle | last, up to 1,000");
    let questions = questions();
    let mut deep = Vec::new();
    for (name, filter, order) in &questions {
        let (total, ..) = ask(db, filter, *order, 1).await;
        let last = ((total + PAGE - 1) / PAGE).clamp(1, 1000);
        let pages = [1, ((total / PAGE + 1) / 2).clamp(1, 1000), last];
        deep.push(pages);
        let mut line = format!("{name:<50} {total:>8}");
        for page in pages {
            let mut times = Vec::new();
            for _ in 0..9 {
                times.push(ask(db, filter, *order, page).await.2);
            }
            times.sort_by(f64::total_cmp);
            line += &format!("  | {:>6.1} {:>6.1}", times[4], times[8]);
        }
        println!("{line}  (pages {pages:?})");
    }
    let usual: Vec<usize> = (0..questions.len()).filter(|at| questions[*at].2 == Order::Created).collect();
    mix(db, "the usual order", &usual, &questions, &deep).await;
    let every: Vec<usize> = (0..questions.len()).collect();
    mix(db, "every order", &every, &questions, &deep).await;
}

/// Questions mixed, a third each for the first page, the middle and the end, 50 a second, whoever is still being answered.
async fn mix(db: &Db, what: &str, which: &[usize], questions: &[(String, Filter, Order)], deep: &[[i64; 3]]) {
    let (mut tasks, rate, count) = (Vec::new(), 50, 1500);
    let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 / rate));
    for n in 0..count {
        ticks.tick().await;
        let at = which[(mixed(n) % which.len() as u64) as usize];
        let page = deep[at][(mixed(n + count) % 3) as usize];
        let (db, (name, filter, order)) = (db.clone(), questions[at].clone());
        tasks.push(tokio::spawn(async move { (ask(&db, &filter, order, page).await.2, name, page) }));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.push(task.await.expect("an answer"));
    }
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].0;
    println!(
        "mixed at {rate}/s, {what}: p50 {:.1}, p90 {:.1}, p99 {:.1}, slowest {:.1} ms",
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
    for (ms, name, page) in times.iter().rev().take(6) {
        println!("    {ms:.1} ms: {name}, page {page}");
    }
}
