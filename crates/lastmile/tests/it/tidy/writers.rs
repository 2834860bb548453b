//! A fact of money or access is written in one place: its row's literal, or the call that inserts it, stands in one file.
//! Whoever needs such a fact calls the function there.

use super::{code, root, sources};

/// What is written, by which words one knows its writer, and where that is.
const WRITERS: &[(&str, &str, &str)] = &[
    ("a period", "Period { isp_id", "service/src/sales/sale.rs"),
    ("an invoice", "Invoice { isp_id", "service/src/billing/invoices.rs"),
    ("a credit note", "CreditNote { isp_id", "service/src/billing/credit.rs"),
    ("a payment", "Payment { isp_id", "service/src/billing/receipts.rs"),
    ("an entry of the ledger", "ledger::post(", "service/src/billing/entries.rs"),
    ("a line", "Service { isp_id", "store/src/people/service.rs"),
    ("a customer", "Customer { isp_id", "store/src/people/customer.rs"),
];

/// Whoever assigns it elsewhere leaves the tokens that came from the one before.
#[test]
fn a_portal_password_is_assigned_in_one_place() {
    let files = sources(&root().join("crates"));
    let files: Vec<_> = files.into_iter().filter(|(file, _)| file.starts_with("service/src/")).collect();
    for field in ["portal_secret = ", "portal_hash = "] {
        assert_eq!(writers(&files, field), ["service/src/customers/portal_password.rs"], "{field}");
    }
}

#[test]
fn every_fact_has_one_writer() {
    let files = sources(&root().join("crates"));
    let files: Vec<_> = files.into_iter().filter(|(file, _)| file.contains("src/")).collect();
    for (what, words, place) in WRITERS {
        let found = writers(&files, words);
        assert_eq!(found, [*place], "{what} is written by `{words}`");
    }
}

/// Whoever says elsewhere where money comes from forgets whose people took it.
#[test]
fn where_money_comes_from_is_said_in_one_place() {
    let files = sources(&root().join("crates"));
    let files: Vec<_> = files.into_iter().filter(|(file, _)| file.starts_with("service/src/")).collect();
    for words in ["Source::Cash {", "Source::Collected {", "Source::Wallet {"] {
        let found = writers(&files, words);
        assert!(found.iter().all(|file| file == "service/src/billing/receipts.rs"), "{words}: {found:?}");
    }
}

#[test]
fn a_second_writer_is_found() {
    let first = ("service/src/sales/sale.rs", "fn sold() -> Period {\n    Period {\n        isp_id: change.isp,\n }");
    let rows = [
        ("service/src/sales/moves.rs", "let row = Period { isp_id, id };", 2),
        ("service/src/sales/moves.rs", "let period = store::Period {\n    isp_id: isp };", 2),
        ("service/src/sales/sale.rs", "Period { isp_id: 1 }", 2),
        ("service/src/sales/moves.rs", "// Period { isp_id }\nUnit::Period { day } => day, Half_Period { isp_id }", 1),
    ];
    for (file, text, expected) in rows {
        let files = [first, (file, text)].map(|(file, text)| (file.to_string(), text.to_string()));
        assert_eq!(writers(&files, "Period { isp_id").len(), expected, "{text}");
    }
}

/// The file of each place that has these words, however they are spread over lines.
fn writers(files: &[(String, String)], words: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (file, text) in files {
        // Tests beside the code make rows of their own.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let text = code(text).split_whitespace().collect::<Vec<_>>().join(" ");
        let times = text
            .match_indices(words)
            .filter(|(at, _)| !text[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'));
        found.extend(times.map(|_| file.clone()));
    }
    found
}
