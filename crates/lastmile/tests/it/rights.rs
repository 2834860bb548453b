//! Who may call what: every example of both ISPBills versions, asked as everybody there is. What comes of it is
//! docs/rights.md, a table to be read: a call that lets somebody else in changes it.

use std::{collections::BTreeMap, fmt::Write as _};

use domain::{BranchId, CustomerId, Role, Scope, Scopes};
use doors::Operation;
use ispbills::examples::{EXAMPLES, Example};
use service::{
    Actor, Who,
    identity::{
        branches,
        clients::{self, Form, Shown, Wanted},
        staff::{self, NewStaff},
        tenants, tokens,
    },
    plant::vpn,
    resellers::operators::{self, Terms},
};
use zal::envelope::Need;

use crate::{
    app::{TestApp, isp, seconds},
    examples::{Known, asked, at_the_start, keep, routes},
    home::Api,
    resellers::{fund, operator},
};

/// Somebody who asks: its login or token of version 1, its client of version 2, both with the same rights.
struct Asker {
    name: &'static str,
    v1: String,
    v2: String,
    /// A customer of its own branch.
    own: Option<CustomerId>,
    stranger: bool,
}

/// What comes of asking, the best last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Mark {
    MayNot,
    Refused,
    OfItsOwn,
    May,
}

impl Mark {
    fn sign(self) -> &'static str {
        match self {
            Mark::MayNot => "○",
            Mark::Refused => "–",
            Mark::OfItsOwn => "·",
            Mark::May => "●",
        }
    }
}

const PASSWORD: &str = "long enough";

async fn person(app: &TestApp, name: &'static str, role: Role, branch: Option<BranchId>) -> String {
    let email = format!("{}@rights.example", name.replace(' ', "-"));
    let new = NewStaff {
        name: name.into(),
        email: email.clone(),
        password: PASSWORD.into(),
        phone: None,
        role,
        branch,
        parent: None,
    };
    staff::create(&app.app, &app.actor, Scopes::ALL, new).await.expect("a person");
    login(app, &email, PASSWORD).await
}

async fn login(app: &TestApp, email: &str, password: &str) -> String {
    tokens::sign_in(&app.app, email, password).await.expect("a sign-in").access
}

/// An access token of a client of this version.
async fn client(
    (app, api): (&TestApp, &Api),
    actor: &Actor,
    form: Form,
    scopes: Scopes,
    branch: Option<BranchId>,
) -> String {
    let wanted = Wanted { form, name: "rights".into(), tier: None, scopes: Some(scopes), branch };
    match clients::issue(&app.app, actor, Scopes::ALL, wanted).await.expect("a client").1 {
        Shown::Tokens(granted) => granted.access,
        Shown::Oauth { client_id, client_secret } => {
            let given = api.token(&client_id, &client_secret).await.is(200);
            given["access_token"].as_str().expect("a token").into()
        }
        other => panic!("{other:?}"),
    }
}

async fn askers(app: &TestApp, api: &Api) -> Vec<Asker> {
    let both = (app, api);
    let all = Scopes::ALL;
    let mut askers = Vec::new();
    let owner = Asker {
        name: "owner",
        v1: login(app, "owner@example.com", "correct horse").await,
        v2: client(both, &app.actor, Form::Oauth, all, None).await,
        own: None,
        stranger: false,
    };
    askers.push(owner);
    let people = [
        ("manager", Role::Manager),
        ("NOC", Role::Noc),
        ("salesperson", Role::Salesperson),
        ("collector", Role::Collector),
        ("distributor", Role::CardDistributor),
    ];
    for (name, role) in people {
        let v1 = person(app, name, role, None).await;
        let v2 = client(both, &app.actor, Form::Oauth, role.scopes(), None).await;
        askers.push(Asker { name, v1, v2, own: None, stranger: false });
    }
    let hills = branches::open(&app.app, &app.actor, "Hills", "hills").await.expect("a branch");
    let within = Actor { branch: Some(hills), ..app.actor.clone() };
    askers.push(Asker {
        name: "branch's client",
        v1: client(both, &app.actor, Form::Token, all, Some(hills)).await,
        v2: client(both, &app.actor, Form::Oauth, all, Some(hills)).await,
        own: Some(app.try_customer_of(&within, "of-hills", |_| ()).await.expect("a customer").customer),
        stranger: false,
    });
    let (north, north_actor) = operator(app, "upland", None, Terms::Prepaid).await;
    let (village, village_actor) = operator(app, "hamlet", Some(north), Terms::Prepaid).await;
    let (south, south_actor) = operator(app, "lowland", None, Terms::Prepaid).await;
    for id in [north, village, south] {
        fund(app, id, 100_000_000).await;
    }
    let mut of = BTreeMap::new();
    for (name, actor) in [("of-north", &north_actor), ("of-village", &village_actor), ("of-south", &south_actor)] {
        of.insert(name, app.try_customer_of(actor, name, |_| ()).await.expect("a customer").customer);
    }
    let operators = [
        ("operator", "upland@example.com", Role::Operator, north_actor.branch, of["of-north"]),
        ("sub-operator", "hamlet@example.com", Role::SubOperator, village_actor.branch, of["of-village"]),
    ];
    for (name, email, role, branch, own) in operators {
        let v1 = login(app, email, "operator123").await;
        let v2 = client(both, &app.actor, Form::Oauth, role.scopes(), branch).await;
        askers.push(Asker { name, v1, v2, own: Some(own), stranger: false });
    }
    askers.push(Asker {
        name: "operator's manager",
        v1: person(app, "operator's manager", Role::Manager, north_actor.branch).await,
        v2: client(both, &app.actor, Form::Oauth, Role::Manager.scopes(), north_actor.branch).await,
        own: Some(of["of-north"]),
        stranger: false,
    });
    askers.push(Asker {
        name: "operator's client",
        v1: client(both, &app.actor, Form::Token, all, north_actor.branch).await,
        v2: client(both, &app.actor, Form::Oauth, all, north_actor.branch).await,
        own: Some(of["of-north"]),
        stranger: false,
    });
    askers.push(Asker {
        name: "suspended",
        v1: login(app, "lowland@example.com", "operator123").await,
        v2: client(both, &app.actor, Form::Oauth, all, south_actor.branch).await,
        own: Some(of["of-south"]),
        stranger: false,
    });
    operators::suspend(&app.app, &app.actor, south, true).await.expect("a suspension");
    let mut command = isp("Other ISP");
    command.owner_email = "other@example.com".into();
    let other = tenants::create_isp(&app.app, command).await.expect("another Isp");
    let theirs = Actor { isp: other.isp, who: Who::Staff(other.owner), branch: None, may_write: true };
    // Its keys are made when they are first asked for, ahead of what is asked.
    vpn::server(&app.app, &theirs).await.expect("keys");
    askers.push(Asker {
        name: "another Isp's owner",
        v1: login(app, "other@example.com", "correct horse").await,
        v2: client(both, &theirs, Form::Oauth, all, None).await,
        own: None,
        stranger: true,
    });
    askers
}

/// Asks for what would fail as its last act (`TestApp::broken`), so that nothing comes of it.
async fn mark(api: &Api, asker: &Asker, example: &Example, known: &Known) -> Mark {
    let once = async |known: &Known| {
        let (method, path, body) = asked(example, known).unwrap_or_else(|lacking| panic!("{lacking}"));
        let token = if path.starts_with("/api/v2/") { &asker.v2 } else { &asker.v1 };
        match api.with(token, method, &path, body).await.status {
            200..=299 | 503 => Mark::May,
            401 | 403 | 404 => Mark::MayNot,
            _ => Mark::Refused,
        }
    };
    let first = once(known).await;
    let names = |what: &str| example.path.contains(what) || example.body.contains(what);
    // What a filter names and is not there leaves an empty list.
    let asks_for_one =
        example.path.split('?').next().is_some_and(|path| path.contains('$')) || example.body.contains('$');
    if first == Mark::May && asker.stranger && !asks_for_one {
        return Mark::OfItsOwn;
    }
    match asker.own {
        Some(own) if first != Mark::May && names("$customer") => {
            let mut known = known.clone();
            known.insert("customer".into(), own.to_string());
            if once(&known).await == Mark::May { Mark::OfItsOwn } else { first }
        }
        Some(_) | None => first,
    }
}

/// What whoever holds a token asks about that token.
fn is_of_the_token(example: &Example) -> bool {
    example.path.contains("/auth/")
}

type Marks = BTreeMap<&'static str, Vec<Mark>>;

async fn all_marks() -> (Vec<&'static str>, Marks) {
    let app = TestApp::sqlite().await;
    let api = Api::over(&app);
    let mut known = at_the_start(&app, &api).await;
    let askers = askers(&app, &api).await;
    let mut marks = Marks::new();
    for example in EXAMPLES {
        app.app.clock.pass(seconds(4));
        api.log.write(&app.app).await.expect("the log");
        if !is_of_the_token(example) {
            let all = marks.entry(example.call).or_insert_with(|| vec![Mark::MayNot; askers.len()]);
            app.app.broken.set(true);
            for (best, asker) in all.iter_mut().zip(&askers) {
                *best = mark(&api, asker, example, &known).await.max(*best);
            }
            app.app.broken.set(false);
        }
        let (method, path, body) = asked(example, &known).unwrap_or_else(|lacking| panic!("{lacking}"));
        let token = if path.starts_with("/api/v2/") { &known["v2"] } else { &known["v1"] };
        let came = api.with(token, method, &path, body).await;
        assert_eq!(came.status, example.status, "{method} {path}: {}", came.body);
        keep(example, &came.body, &mut known);
    }
    (askers.iter().map(|asker| asker.name).collect(), marks)
}

const HEAD: &str = "\
# Who may call what

Made by a test (`RENEW=1 cargo test -p lastmile rights`), which asks every example of every call of ISPBills' versions 1 and 2 as each of these people and clients, and fails where the answers are not these. In version 1 people come with their own login, in version 2 as a client with the same rights and branch.

● does it, within what it sees · does it for customers or rows of its own only – has the right, and a rule refuses it (a reseller gives nothing away; what it names is not there for it) ○ may not, or sees no such thing

A branch's client has every right, within the branch; the operator's client and manager are in the branch of the operator, a reseller. The suspended are a suspended operator's login and client. Which rights each role has: `domain/src/kernel/scope.rs`; whose business each change is, whatever the right: `service/src/kernel/facts/reach.rs`.
";

fn ispbills(askers: &[&str], marks: &Marks) -> String {
    let operations = ispbills::v1::OPERATIONS.iter().chain(ispbills::v2::OPERATIONS);
    // A subject's rows stand together, where the first of them does.
    let mut subjects: Vec<(String, String)> = Vec::new();
    for (route, row) in routes().zip(operations) {
        let call = format!("{} {}", route.method, route.path);
        let Some(marks) = marks.get(call.as_str()) else { continue };
        let version = if route.path.starts_with("/api/v2/") { 2 } else { 1 };
        let subject = format!("Version {version}: {}", row.tag);
        let at = subjects.iter().position(|(known, _)| *known == subject).unwrap_or_else(|| {
            subjects.push((subject, String::new()));
            subjects.len() - 1
        });
        let signs: Vec<&str> = marks.iter().map(|mark| mark.sign()).collect();
        writeln!(subjects[at].1, "| `{call}` | {} | {} |", needed(row), signs.join(" | ")).expect("text");
    }
    let (names, rule) = (askers.join(" | "), "---|".repeat(askers.len()));
    let tables = subjects
        .iter()
        .map(|(subject, rows)| format!("\n## {subject}\n\n| call | right | {names} |\n|---|---|{rule}\n{rows}"));
    tables.collect()
}

fn needed(row: &Operation) -> &'static str {
    row.scope.map_or("–", Scope::word)
}

fn having(right: Scope) -> String {
    let roles = Role::ALL.iter().filter(|role| role.scopes().has(right));
    roles.map(|role| role.word()).collect::<Vec<_>>().join(", ")
}

/// What the other dialects' calls take: whoever has the right, within the same bounds, for the use cases are the same.
fn others() -> String {
    let mut text = String::from("\n## Zal\n\n| call | takes | roles that have it |\n|---|---|---|\n");
    for (route, need) in zal::ROUTES.iter().zip(zal::NEEDS) {
        let (takes, roles) = match *need {
            Need::Nothing => ("nothing", String::new()),
            Need::SignIn => ("a name and a password", String::new()),
            Need::OwnToken(_) => ("its own token", String::new()),
            Need::Staff => ("a login of staff", Role::WORDS.join(", ")),
            Need::Right(right, _) => (right.word(), having(right)),
            Need::Subscriber => ("a subscriber's login", String::new()),
        };
        writeln!(text, "| `{} {}` | {takes} | {roles} |", route.method, route.path).expect("text");
    }
    text.push_str("\n## Jaze\n\nA client has the rights that it was given.\n\n| call | right |\n|---|---|\n");
    for (route, right) in jaze::ROUTES.iter().zip(jaze::RIGHTS) {
        writeln!(text, "| `{} {}` | {} |", route.method, route.path, right.word()).expect("text");
    }
    text.push_str("\n## Alternet\n\nA key is the whole Isp's; its tier says whether it writes.\n");
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_call_what_is_as_the_table_says() {
    let (askers, marks) = all_marks().await;
    for (call, marks) in &marks {
        let of = |name: &str| marks[askers.iter().position(|asker| *asker == name).expect("an asker")];
        assert_eq!(of("owner"), Mark::May, "{call}");
        assert_eq!(of("suspended"), Mark::MayNot, "{call}");
        assert_ne!(of("another Isp's owner"), Mark::May, "{call}");
    }
    let made = format!("{HEAD}{}{}", ispbills(&askers, &marks), others());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rights.md");
    if std::env::var_os("RENEW").is_some() {
        std::fs::write(path, &made).expect("the file");
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    let differs = made.lines().zip(kept.lines()).find(|(made, kept)| made != kept);
    assert!(made == kept, "docs/rights.md is out of date: RENEW=1 cargo test -p lastmile rights: {differs:?}");
}
