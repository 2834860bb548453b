//! A path as it may be logged: what names a row stays, what names a person does not. Phone numbers, e-mail addresses,
//! usernames, codes and MAC addresses stand in some documents' paths; a log is kept longer and read by more people than
//! they are meant for.

/// In the place of what is not said.
const HIDDEN: &str = "…";
/// The number of a row has no more digits; a phone number has.
const ROW: usize = 8;
const MOST: usize = 500;

/// `path` without what names people. `route` is the row that it came to, with `{…}` for parameters.
pub fn path(path: &str, route: Option<&str>) -> String {
    let mut rows = route.unwrap_or_default().split('/');
    let told = path.split('/').enumerate().map(|(at, part)| match (route, rows.next()) {
        (Some(_), Some(row)) if row == part => part,
        (Some(_), Some(row)) if row.starts_with('{') => {
            shown(part, is_row(part) || is_day(part) || takes_words(row) && is_word(part))
        }
        // Nobody's path: its beginning says what was looked for.
        _ => shown(part, part.is_empty() || is_row(part) || at <= 4 && is_name(part)),
    });
    told.collect::<Vec<_>>().join("/").chars().take(MOST).collect()
}

fn shown(part: &str, is_plain: bool) -> &str {
    if is_plain { part } else { HIDDEN }
}

fn is_row(part: &str) -> bool {
    (1..=ROW).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// `2026-03-31`, `31-03-2026`.
fn is_day(part: &str) -> bool {
    let lengths: Vec<usize> = part.split('-').map(str::len).collect();
    part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') && matches!(lengths[..], [4, 2, 2] | [2, 2, 4])
}

/// Parameters whose values are words of the document: a status, a kind of list.
fn takes_words(row: &str) -> bool {
    const WORDS: [&str; 9] =
        ["{status}", "{type}", "{key}", "{level}", "{clear}", "{visible}", "{basedOn}", "{change}", "{module}"];
    WORDS.contains(&row)
}

fn is_word(part: &str) -> bool {
    part.len() <= 32 && part.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

/// As routes are called: `api`, `v1`, `get_all_user_ids`.
fn is_name(part: &str) -> bool {
    let is_version = part.len() == 2 && part.starts_with('v') && part.as_bytes()[1].is_ascii_digit();
    is_version || part.len() <= 40 && part.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_said_and_people_are_not() {
        let rows = [
            ("/api/v1/customers/17/recharge", Some("/api/v1/customers/{id}/recharge"), "/api/v1/customers/17/recharge"),
            ("/api/v1/customers/0712345678", Some("/api/v1/customers/{id}"), "/api/v1/customers/…"),
            ("/api/v1/customers/712345678", Some("/api/v1/customers/{id}"), "/api/v1/customers/…"),
            (
                "/api/v1/get_user_by_phone/0712345678/active",
                Some("/api/v1/get_user_by_phone/{phone}/{status}"),
                "/api/v1/get_user_by_phone/…/active",
            ),
            (
                "/api/v1/get_user_by_username/ali",
                Some("/api/v1/get_user_by_username/{username}"),
                "/api/v1/get_user_by_username/…",
            ),
            (
                "/api/v1/radius/radcheck/ali%40isp.example",
                Some("/api/v1/radius/radcheck/{username}"),
                "/api/v1/radius/radcheck/…",
            ),
            (
                "/api/v1/disconnect_user_sessions/mac/AA-BB-CC-DD-EE-FF",
                Some("/api/v1/disconnect_user_sessions/{key}/{value}"),
                "/api/v1/disconnect_user_sessions/mac/…",
            ),
            (
                "/api/v1/get_user_from_all_accounts/email/ali@isp.example",
                Some("/api/v1/get_user_from_all_accounts/{type}/{value}"),
                "/api/v1/get_user_from_all_accounts/email/…",
            ),
            (
                "/api/v1/get_all_invoices/2026-03-01/31-03-2026",
                Some("/api/v1/get_all_invoices/{fromDate}/{toDate}"),
                "/api/v1/get_all_invoices/2026-03-01/31-03-2026",
            ),
            (
                "/api/v1/get_all_invoices/07-12-3456/071-23-4567",
                Some("/api/v1/get_all_invoices/{fromDate}/{toDate}"),
                "/api/v1/get_all_invoices/07-12-3456/…",
            ),
            ("/api/v1/nothing/ABCD-1234", None, "/api/v1/nothing/…"),
            ("/api/v1/nothing/17", None, "/api/v1/nothing/17"),
            ("/api/v1/users/ali@isp.example", None, "/api/v1/users/…"),
            ("/api/v1/a/b/secretcode", None, "/api/v1/a/b/…"),
            ("/", None, "/"),
            ("//", Some("/"), "//"),
        ];
        for (given, route, expected) in rows {
            assert_eq!(path(given, route), expected, "{given}");
        }
        assert_eq!(path(&"/a".repeat(2000), None).chars().count(), MOST);
    }
}
