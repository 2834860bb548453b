//! A `match` over an enum of ours names every variant, so that a new one is thought about where it matters. What may have
//! a wildcard is listed with its reason; the list only shrinks.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// File, beginning of the line of the match, why.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("aaa/src/reply/custom.rs", "match Mac::parse(&value)", "over an address; the guard names two ways to compare"),
    ("dialects/jaze/src/overrides.rs", "let value = match Compare::from_word(op)", "two ways to compare have patterns"),
    ("domain/src/sales/renewing.rs", "let part = match (unit, validity.unit)", "pairs of units; the rest is measured"),
    ("radius/src/dictionary/value.rs", "match entry.kind", "the library's types of values, by their text"),
    ("radius/src/dictionary/value.rs", "match (entry.kind, bytes)", "the same, by their bytes"),
    ("service/src/access/sessions.rs", "let (order, answer) = match &fact", "looks for three facts among all"),
    ("service/src/reports/overview.rs", "match Fact::read(event)?", "looks for the facts about sessions"),
    (
        "service/src/sales/turning.rs",
        "match (before.off(change.now), line.off(change.now))",
        "pairs of why it was off and is",
    ),
    ("store/src/kernel/migrate.rs", "match (words.next(), words.next())", "pairs of words of a statement"),
];

/// Enums of other crates that are called as one of ours: below which folder or file, and its name.
const FOREIGN: &[(&str, &str)] = &[("store/src/db/wire.rs", "Type"), ("", "Value")];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        match entry.is_dir() {
            true if !entry.ends_with("tests") && !entry.ends_with("target") => sources(&entry, found),
            true => {}
            false if entry.extension().is_some_and(|ext| ext == "rs") => found.push(entry),
            false => {}
        }
    }
}

/// The enums that a text declares.
fn enums(text: &str) -> impl Iterator<Item = String> + '_ {
    text.lines().filter_map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("pub").map_or(line, |rest| rest.split_once(' ').map_or(rest, |(_, rest)| rest));
        let name = line.strip_prefix("enum ")?;
        Some(name.chars().take_while(|c| c.is_alphanumeric()).collect())
    })
}

/// Enums whose variants a pattern names: `Status` of `Some(Status::Active)`.
fn named(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.match_indices("::").filter_map(|(at, _)| {
        let variant = pattern[at + 2..].starts_with(|c: char| c.is_uppercase());
        let before = &pattern[..at];
        let begins = before.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
        let name = &before[begins..];
        (variant && name.starts_with(|c: char| c.is_uppercase())).then_some(name)
    })
}

/// Matches with a wildcard beside variants of these enums: the line of the match.
fn wildcards<'a>(text: &'a str, ours: &BTreeSet<String>) -> Vec<&'a str> {
    let lines: Vec<&str> = text.lines().collect();
    let depth = |line: &str| line.len() - line.trim_start().len();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let said = line.trim_start();
        if !(said.starts_with("_ =>") || said.starts_with("_ if ")) {
            continue;
        }
        let arms = depth(line);
        let mut own = false;
        for above in lines[..at].iter().rev() {
            if !above.trim().is_empty() && depth(above) < arms {
                if own {
                    found.push(above.trim());
                }
                break;
            }
            if depth(above) == arms {
                let pattern = above.split("=>").next().unwrap_or_default();
                own |= named(pattern).any(|name| ours.contains(name));
            }
        }
    }
    found
}

#[test]
fn matches_over_our_enums_name_every_variant() {
    let mut files = Vec::new();
    sources(&crates(), &mut files);
    let texts: Vec<(String, String)> = files
        .iter()
        .map(|file| {
            let name = file.strip_prefix(crates()).expect("below").to_string_lossy().replace('\\', "/");
            (name, std::fs::read_to_string(file).expect("a text"))
        })
        .collect();
    let ours: BTreeSet<String> = texts.iter().flat_map(|(_, text)| enums(text)).collect();
    let mut used = BTreeSet::new();
    for (name, text) in &texts {
        let foreign: Vec<&str> =
            FOREIGN.iter().filter(|(below, _)| name.starts_with(below)).map(|(_, of)| *of).collect();
        let ours = ours.iter().filter(|one| !foreign.contains(&one.as_str())).cloned().collect();
        for line in wildcards(text, &ours) {
            let row = ALLOWED.iter().position(|(file, begins, _)| file == name && line.starts_with(begins));
            assert!(row.is_some(), "{name}: `{line}` has a wildcard beside our own variants: name them");
            used.extend(row);
        }
    }
    let unused: Vec<_> = ALLOWED.iter().enumerate().filter(|(at, _)| !used.contains(at)).map(|(_, row)| row).collect();
    assert!(unused.is_empty(), "these have no wildcard any more, strike them: {unused:?}");
}

#[test]
fn a_planted_wildcard_is_found() {
    let ours = BTreeSet::from(["Status".to_string()]);
    let text = "    match status {\n        Status::Active => 1,\n        _ => 2,\n    }\n";
    assert_eq!(wildcards(text, &ours), ["match status {"]);
    let text = "    match word {\n        \"active\" => Status::Active,\n        _ => Status::Pending,\n    }\n";
    assert!(wildcards(text, &ours).is_empty(), "the words are not ours");
}
