//! The order of the rooms (docs/ARCHITECTURE.md): inside a crate, a room uses the rooms on the floors below it, and none
//! on its own floor or above. Cargo keeps this between crates; within one nobody else does.

use super::{code, root, sources};

/// What the rooms of each crate stand on, from the ground.
const GROUND: [(&str, &[&str]); 3] =
    [("service", &["kernel"]), ("store", &["db", "kernel", "people"]), ("domain", &["kernel"])];

/// The rooms above, the same in all three, floor by floor. Not every crate has every room.
const ROOMS: &[&[&str]] = &[
    &["identity"],
    &["catalogue"],
    &["plant"],
    &["access"],
    &["resellers"],
    &["billing"],
    &["sales"],
    &["customers"],
    &["messages"],
    &["helpdesk"],
    &["receivables", "network"],
    &["webhooks"],
    &["reports"],
];

/// Files beside the rooms: they put the house together, or test it.
const OUTSIDE: &[&str] = &["lib", "testing", "upgrade"];

#[test]
fn rooms_use_only_what_is_below_them() {
    let mut found = Vec::new();
    for (name, ground) in GROUND {
        let floors: Vec<&[&str]> = ground.iter().map(std::slice::from_ref).chain(ROOMS.iter().copied()).collect();
        let files = sources(&root().join("crates").join(name).join("src"));
        assert!(files.len() > 10, "{name} has its files");
        found.extend(upward(&floors, &files).into_iter().map(|fault| format!("{name}: {fault}")));
    }
    assert_eq!(found, [""; 0], "an arrow goes up, or a room has no floor");
}

#[test]
fn an_upward_import_is_found() {
    let floors: [&[&str]; 4] = [&["kernel"], &["billing"], &["sales"], &["left", "right"]];
    let lib = "pub mod kernel;\npub use kernel::{app::App, error::{Error, Why}};\npub use store::Customer;\n\
               pub use sales::sale::Sold as Sale;";
    let rows: [(&str, &str, &str); 14] = [
        ("billing/invoices.rs", "use crate::kernel::app;", ""),
        ("billing/invoices.rs", "use crate::{App, Error, kernel::{app, hold}, billing::tax};", ""),
        ("billing/invoices.rs", "use crate::sales::sale;", "billing/invoices.rs uses sales"),
        (
            "billing/invoices.rs",
            "use crate::{App, kernel::{app, hold},\n    sales::{sale, run}};",
            "billing/invoices.rs uses sales",
        ),
        ("billing/invoices.rs", "fn a() { crate::sales::sale::sold() }", "billing/invoices.rs uses sales"),
        ("billing/invoices.rs", "use crate::Sale;", "billing/invoices.rs uses sales"),
        ("billing/tax/rates.rs", "use super::super::super::sales;", "billing/tax/rates.rs uses sales"),
        ("billing/tax/rates.rs", "use super::super::sales;", ""),
        ("billing/invoices.rs", "// crate::sales::sale sells it\nuse crate::Customer;", ""),
        ("left/a.rs", "use crate::right::b;", "left/a.rs uses right"),
        ("left/a.rs", "use crate::sales::sale;", ""),
        ("sales/sale.rs", "use crate::billing; crate::params![]; $crate::kernel::x!()", ""),
        ("attic/a.rs", "", "attic/a.rs is in no room"),
        ("kernel/mod.rs", "pub(crate) use super::billing;", "kernel/mod.rs uses billing"),
    ];
    for (file, text, expected) in rows {
        let files = [("lib.rs".into(), lib.into()), (file.into(), text.into())];
        assert_eq!(upward(&floors, &files).join(", "), expected, "{file}: {text}");
    }
}

/// Every arrow that does not go down, as a sentence.
fn upward(floors: &[&[&str]], files: &[(String, String)]) -> Vec<String> {
    let floor = |room: &str| floors.iter().position(|rooms| rooms.contains(&room));
    let lib = files.iter().find(|(file, _)| file == "lib.rs").map(|(_, text)| code(text)).unwrap_or_default();
    let mut found = Vec::new();
    for (file, text) in files {
        let room = file.split(['/', '.']).next().unwrap_or_default();
        if OUTSIDE.contains(&room) {
            continue;
        }
        let Some(own) = floor(room) else {
            found.push(format!("{file} is in no room"));
            continue;
        };
        let mut used: Vec<&str> = Vec::new();
        let text = code(text);
        for name in from_the_root(file, &text) {
            let to = if floor(name).is_some() { Some(name) } else { room_of(&lib, name) };
            if let Some(to) = to.filter(|to| *to != room && floor(to).is_some_and(|to| to >= own)) {
                used.push(to);
            }
        }
        used.sort_unstable();
        used.dedup();
        found.extend(used.into_iter().map(|to| format!("{file} uses {to}")));
    }
    found
}

/// The first name of every path that begins at the crate's root: `crate::‹name›`, `crate::{‹name›, ‹name›::…}`, and as
/// many `super::` as lead there.
fn from_the_root<'a>(file: &str, text: &'a str) -> Vec<&'a str> {
    let depth = file.split('/').count() - usize::from(file.ends_with("mod.rs"));
    let supers = "super::".repeat(depth);
    let starts = text.match_indices("crate::").map(|(at, found)| at + found.len());
    let climbs = text.match_indices(&supers).map(|(at, found)| at + found.len());
    starts.chain(climbs).flat_map(|at| first_names(&text[at..])).collect()
}

fn first_names(path: &str) -> Vec<&str> {
    let Some(group) = path.strip_prefix('{') else { return vec![word(path)] };
    let (mut depth, mut names, mut begin) = (0, Vec::new(), 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(word(group[begin..at].trim_start()));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(word(group[begin..at].trim_start()));
                begin = at + 1;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// Where a name of the crate's root comes from, by the `pub use` of its `lib.rs`.
fn room_of<'a>(lib: &'a str, name: &str) -> Option<&'a str> {
    let uses = lib.split(';').filter_map(|item| item.split_once("pub use ").map(|(_, path)| path.trim()));
    let brings = |path: &str| path.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
    uses.filter(|path| brings(path)).map(|path| word(path.strip_prefix("crate::").unwrap_or(path))).next()
}
