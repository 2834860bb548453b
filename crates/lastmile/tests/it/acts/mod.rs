//! What an act means, whatever the door. Each act is done through every door that offers it, and leaves the same behind: the
//! facts that webhooks are told, the ledger's entries, what payments paid and what their receipts name, the papers, what the
//! dialects say of the line and what RADIUS answers (docs/RULES.md, "What an act means").
//!
//! `table` has one row for each act. `KNOWN` lists where a door does not agree yet; it only shrinks: a place that agrees and
//! is listed still fails as well. `EXCEPTIONS` are those that a vendor's document asks for, each with its source.

mod alternet;
mod columns;
mod jaze;
mod known;
mod scene;
mod table;
mod v1;
mod v2;
mod zal;

use std::fmt::Write as _;

use serde_json::Value;

use self::{
    columns::{Before, COLUMNS, Columns},
    known::{EXCEPTIONS, KNOWN},
    scene::{Hall, Scene},
    table::{Act, CHAPTERS, expected},
};
use crate::{
    app::TestApp,
    both,
    town::{ALL, Alternet, Call, Dialect, Jaze, V1, V2, Zal},
};

both!(sales, moves, standing, ends, money, codes, starts, refusals);

/// One way to do an act: through a door, by these steps.
pub struct Way {
    /// What tells it from the door's other ways.
    pub name: &'static str,
    pub steps: Vec<Step>,
}

pub enum Step {
    Ask(Call),
    /// Twice, with one key.
    Twice(Call),
    /// The answer names the customer that is made.
    Make(Call),
    /// Of the customer that an earlier step made.
    With(fn(i64) -> Call),
    /// A supervisor approves what has been collected, whole.
    Approve,
    /// Time passes, and what recurs is done.
    Pass(i64),
}

/// The only way of a door.
pub fn one(call: Call) -> Vec<Way> {
    vec![way("", call)]
}

pub fn way(name: &'static str, call: Call) -> Way {
    Way { name, steps: vec![Step::Ask(call)] }
}

fn ways(door: Dialect, act: Act, scene: &Scene) -> Vec<Way> {
    match door {
        Alternet => alternet::ways(act, scene),
        V1 => v1::ways(act, scene),
        V2 => v2::ways(act, scene),
        Zal => zal::ways(act, scene),
        Jaze => jaze::ways(act, scene),
    }
}

/// `done`, or `refused`: whether the last thing asked was.
async fn perform(hall: &mut Hall<'_>, door: Dialect, way: Way, scene: &mut Scene) -> String {
    let mut answer = "done".to_string();
    for step in way.steps {
        let (makes, call) = match step {
            Step::Ask(call) => (false, call),
            Step::Twice(call) => {
                let key = format!("key-{}", scene.id);
                let first = hall.town.ask_keyed(door, call.clone(), Some(&key)).await;
                let again = hall.town.ask_keyed(door, call, Some(&key)).await;
                answer = if first == again && first.0 < 300 { "done".into() } else { format!("{first:?}, {again:?}") };
                continue;
            }
            Step::Make(call) => (true, call),
            Step::With(call) => (false, call(scene.id)),
            Step::Approve => (false, hall.approval(scene.id).await),
            Step::Pass(micros) => {
                hall.town.app.pass(micros).await;
                hall.sign_in().await;
                continue;
            }
        };
        let asked = format!("{} {} {}", call.0, call.1, call.2);
        let (status, body) = hall.town.ask(door, call).await;
        answer = match status {
            200..300 => "done".into(),
            400..500 => "refused".into(),
            _ => format!("{asked}: {status} {body}"),
        };
        if makes && answer == "done" {
            scene.id = made(door, &body);
        }
        if std::env::var_os("ACTS_TELL").is_some() {
            eprintln!("{door:?} {asked}: {status} {body}");
        }
    }
    answer
}

fn made(door: Dialect, answer: &Value) -> i64 {
    let id = match door {
        Alternet => &answer["data"]["customer_id"],
        V1 | V2 | Zal => &answer["data"]["id"],
        Jaze => &answer["message"]["userId"],
    };
    id.as_i64().or_else(|| id.as_str()?.parse().ok()).expect("an id")
}

/// A place of the table: an act, a door with the name of its way, a column.
type Place = (Act, String, &'static str);

/// Does every act of a chapter through every door, and compares.
async fn agree(app: &TestApp, chapter: &str) {
    let (_, acts) = CHAPTERS.iter().find(|(name, _)| *name == chapter).expect("a chapter");
    let only = std::env::var("ACTS_ONLY").ok();
    let mut hall = Hall::over(app).await;
    let mut differs: Vec<(Place, String, String)> = Vec::new();
    let mut reached: Vec<(Act, String)> = Vec::new();
    for act in acts.iter().copied() {
        if only.as_ref().is_some_and(|only| format!("{act:?}") != *only) {
            continue;
        }
        for door in ALL {
            for at in 0..ways(door, act, &Scene::blank()).len() {
                let mut scene = hall.scene(act).await;
                let way = ways(door, act, &scene).swap_remove(at);
                let name = format!("{door:?} {}", way.name).trim().to_string();
                let before = Before::now(&hall.town).await;
                let dump = if act.is_refused() { Some(columns::dump(&hall.town, &scene).await) } else { None };
                let mut answer = perform(&mut hall, door, way, &mut scene).await;
                if let Some(dump) = dump {
                    answer.push_str(&changed(&dump, &columns::dump(&hall.town, &scene).await));
                }
                let found = columns::read(&hall.town, &before, &scene, answer).await;
                compare(act, &name, &found, &mut differs);
                reached.push((act, name));
            }
        }
    }
    report(&differs, &reached);
}

fn changed(before: &[(String, Vec<String>)], after: &[(String, Vec<String>)]) -> String {
    let tables: Vec<&str> =
        before.iter().zip(after).filter(|(old, new)| old != new).map(|(_, (table, _))| table.as_str()).collect();
    if tables.is_empty() { String::new() } else { format!(", and changed {}", tables.join(", ")) }
}

fn compare(act: Act, door: &str, found: &Columns, differs: &mut Vec<(Place, String, String)>) {
    let row = expected(act);
    for (at, column) in COLUMNS.into_iter().enumerate() {
        let exception = EXCEPTIONS.iter().find(|one| (one.0, one.1, one.2) == (act, door, column));
        let wanted = exception.map_or(row[at], |one| one.3);
        if found[at] != wanted {
            differs.push(((act, door.into(), column), wanted.into(), found[at].clone()));
        }
    }
}

/// Fails where a place differs that is not known to, or agrees though it is known not to.
fn report(differs: &[(Place, String, String)], reached: &[(Act, String)]) {
    let is_known = |(act, door, column): &Place| KNOWN.contains(&(*act, door.as_str(), *column));
    let mut said = String::new();
    for (place @ (act, door, column), wanted, found) in differs {
        if !is_known(place) {
            let _ = writeln!(said, "{act:?} through {door}, {column}:\n    means  {wanted}\n    leaves {found}");
        }
    }
    for (act, door, column) in KNOWN {
        let place = (*act, door.to_string(), *column);
        let done = reached.iter().any(|(done, name)| done == act && name == door);
        if done && !differs.iter().any(|(other, ..)| *other == place) {
            let _ = writeln!(said, "{act:?} through {door}, {column}: agrees now: take it off KNOWN");
        }
    }
    assert!(said.is_empty(), "\n{said}");
}

async fn sales(app: TestApp) {
    agree(&app, "sales").await;
}

async fn moves(app: TestApp) {
    agree(&app, "moves").await;
}

async fn standing(app: TestApp) {
    agree(&app, "standing").await;
}

async fn ends(app: TestApp) {
    agree(&app, "ends").await;
}

async fn money(app: TestApp) {
    agree(&app, "money").await;
}

async fn codes(app: TestApp) {
    agree(&app, "codes").await;
}

async fn starts(app: TestApp) {
    agree(&app, "starts").await;
}

async fn refusals(app: TestApp) {
    agree(&app, "refusals").await;
}
