//! Every declared dependency is used: what is only declared is compiled, checked and shipped for nothing, and draws an
//! arrow between rooms that is not there.

use std::{collections::BTreeSet, path::Path};

use toml::Table;

use super::{code, root, sources};

/// Declared to name features that tests and program are to share, not to be called: see the workspace's Cargo.toml.
const FOR_THEIR_FEATURES: &[&str] = &["bitflags", "num-traits", "regex-syntax"];

/// Crates whose library has another name than their package.
const CALLED: &[(&str, &str)] = &[("md-5", "md5")];

#[test]
fn every_declared_dependency_is_used() {
    let root = root();
    let workspace = manifest(&root);
    let members = workspace["workspace"]["members"].as_array().expect("members");
    let mut named = BTreeSet::new();
    let mut unused = Vec::new();
    for member in members.iter().map(|member| member.as_str().expect("a folder")) {
        let manifest = manifest(&root.join(member));
        let text = |folders: &[&str]| {
            let all = folders.iter().flat_map(|folder| sources(&root.join(member).join(folder)));
            all.map(|(_, text)| code(&text)).collect::<Vec<_>>().join("\n")
        };
        for (section, folders) in
            [("dependencies", &["src"][..]), ("dev-dependencies", &["src", "tests", "examples", "benches"])]
        {
            let Some(declared) = manifest.get(section).and_then(|section| section.as_table()) else { continue };
            named.extend(declared.keys().cloned());
            let idle = idle(declared.keys().map(String::as_str), &text(folders));
            unused.extend(idle.into_iter().map(|name| format!("{member}: {name}")));
        }
    }
    let declared = workspace["workspace"]["dependencies"].as_table().expect("dependencies");
    unused.extend(declared.keys().filter(|name| !named.contains(*name)).map(|name| format!("workspace: {name}")));
    assert_eq!(unused, [""; 0], "declared and not used");
}

#[test]
fn what_is_not_used_is_found() {
    let rows: [(&str, &[&str]); 7] = [
        ("use serde::Serialize;\nuse {jiff::Zoned, md5::Md5};", &[]),
        ("serde::de(); jiff::now(); md5::compute();", &[]),
        ("use serde as words; use jiff; extern crate md5;", &[]),
        ("jiff::now(); md5::compute();", &["serde"]),
        // another crate's name that ends so, and a module of ours
        ("my_serde::de(); crate::jiff::now(); md5::compute();", &["serde", "jiff"]),
        ("let serde = jiff(); md5::compute()", &["serde", "jiff"]),
        ("", &["serde", "md-5", "jiff"]),
    ];
    for (text, expected) in rows {
        assert_eq!(idle(["serde", "md-5", "jiff"].into_iter(), text), expected, "{text}");
    }
}

fn manifest(folder: &Path) -> Table {
    let path = folder.join("Cargo.toml");
    std::fs::read_to_string(&path).expect("a Cargo.toml").parse().expect("TOML")
}

/// Those that no path in the text begins with.
fn idle<'a>(declared: impl Iterator<Item = &'a str>, text: &str) -> Vec<&'a str> {
    let used = |name: &str| {
        let library = match CALLED.iter().find(|(package, _)| *package == name) {
            Some((_, library)) => (*library).to_string(),
            None => name.replace('-', "_"),
        };
        text.match_indices(&library).any(|(at, _)| {
            let (before, after) = (text[..at].trim_end(), &text[at + library.len()..]);
            let begins = !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') && !before.ends_with("::");
            let brought = before.ends_with("use") || before.ends_with("extern crate");
            begins && (after.starts_with("::") || brought && after.starts_with([';', ' ']))
        })
    };
    declared.filter(|name| !FOR_THEIR_FEATURES.contains(name) && !used(name)).collect()
}
