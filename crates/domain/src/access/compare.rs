//! How a check item of RADIUS compares what a request says with what is wanted (FreeRADIUS's operators, as vendors'
//! forms offer them).
//!
//! | operator | a request passes when                                                  |
//! |----------|------------------------------------------------------------------------|
//! | `==`     | the attribute is there with this value                                 |
//! | `!=`     | it is there with another one                                           |
//! | `>` `>=` `<` `<=` | it is there and stands so to the value: numbers by size, addresses by their order |
//! | `=~` `!~` | it is there and matches the pattern, or does not                      |
//! | `=*` `!*` | it is there, whatever it says; it is not there                        |
//!
//! A pattern is text in which `.` is any character, `*` repeats the character before it, `^` and `$` are the ends; `\`
//! takes a character as it stands. What has no end of its own may stand anywhere.

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Compare {
    Equal,
    Differs,
    Above,
    AtLeast,
    Below,
    AtMost,
    Matches,
    MatchesNot,
    Present,
    Absent,
}

const WORDS: &[(&str, Compare)] = &[
    ("==", Compare::Equal),
    ("!=", Compare::Differs),
    (">", Compare::Above),
    (">=", Compare::AtLeast),
    ("<", Compare::Below),
    ("<=", Compare::AtMost),
    ("=~", Compare::Matches),
    ("!~", Compare::MatchesNot),
    ("=*", Compare::Present),
    ("!*", Compare::Absent),
    // As forms write it that lose the asterisk.
    ("!", Compare::Absent),
];

impl Compare {
    pub fn from_word(word: &str) -> Option<Compare> {
        WORDS.iter().find(|(known, _)| *known == word).map(|(_, compare)| *compare)
    }

    /// Whether values of an attribute in a request, as text, pass.
    pub fn allows(self, mut values: impl Iterator<Item = impl AsRef<str>>, wanted: &str) -> bool {
        match self {
            Compare::Present => values.next().is_some(),
            Compare::Absent => values.next().is_none(),
            Compare::Equal
            | Compare::Differs
            | Compare::Above
            | Compare::AtLeast
            | Compare::Below
            | Compare::AtMost
            | Compare::Matches
            | Compare::MatchesNot => values.any(|value| self.holds(value.as_ref(), wanted)),
        }
    }

    /// Whether one value passes.
    pub fn holds(self, value: &str, wanted: &str) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        match self {
            Compare::Equal => value == wanted,
            Compare::Differs => value != wanted,
            Compare::Above => order(value, wanted) == Greater,
            Compare::AtLeast => matches!(order(value, wanted), Greater | Equal),
            Compare::Below => order(value, wanted) == Less,
            Compare::AtMost => matches!(order(value, wanted), Less | Equal),
            Compare::Matches => matches(value, wanted),
            Compare::MatchesNot => !matches(value, wanted),
            Compare::Present => true,
            Compare::Absent => false,
        }
    }
}

/// Numbers and addresses by size, everything else as text.
fn order(value: &str, wanted: &str) -> std::cmp::Ordering {
    if let (Ok(value), Ok(wanted)) = (value.parse::<i128>(), wanted.parse::<i128>()) {
        return value.cmp(&wanted);
    }
    if let (Ok(value), Ok(wanted)) = (value.parse::<std::net::IpAddr>(), wanted.parse::<std::net::IpAddr>()) {
        return value.cmp(&wanted);
    }
    value.cmp(wanted)
}

/// So many characters a pattern has.
pub const MAX_PATTERN: usize = 64;

/// Whether a pattern says what this rule understands: no classes, groups or repetitions besides `*`.
pub fn is_pattern(text: &str) -> bool {
    let mut escaped = false;
    let simple = text.chars().all(|c| {
        let plain = escaped || !matches!(c, '[' | ']' | '(' | ')' | '{' | '}' | '+' | '?' | '|');
        escaped = !escaped && c == '\\';
        plain
    });
    simple && !escaped && (1..=MAX_PATTERN).contains(&text.len()) && !text.starts_with('*')
}

/// All ways of matching are followed at once, so that it takes no longer than value times pattern, and nothing is
/// allocated.
fn matches(value: &str, pattern: &str) -> bool {
    // What one step takes (`None`: any character), and whether it may be repeated or left out.
    let mut steps = [(None, false); MAX_PATTERN];
    let mut count = 0;
    let mut rest = pattern.as_bytes();
    let at_start = rest.first() == Some(&b'^');
    if at_start {
        rest = &rest[1..];
    }
    let mut at_end = false;
    while let Some((first, more)) = rest.split_first() {
        if *first == b'$' && more.is_empty() {
            at_end = true;
            break;
        }
        let (one, more) = match (*first, more) {
            (b'\\', [one, more @ ..]) => (Some(*one), more),
            (b'.', more) => (None, more),
            (one, more) => (Some(one), more),
        };
        let repeated = more.first() == Some(&b'*');
        if count == MAX_PATTERN {
            return false;
        }
        steps[count] = (one, repeated);
        count += 1;
        rest = if repeated { &more[1..] } else { more };
    }
    let steps = &steps[..count];
    // Bit n: the first n steps are done.
    let skip = |mut states: u128| {
        for (at, (_, repeated)) in steps.iter().enumerate() {
            if *repeated && states >> at & 1 == 1 {
                states |= 1 << (at + 1);
            }
        }
        states
    };
    let done = 1u128 << count;
    let mut states = skip(1);
    for byte in value.bytes() {
        if states & done != 0 && !at_end {
            return true;
        }
        let mut next = if at_start { 0 } else { 1 };
        for (at, (one, repeated)) in steps.iter().enumerate() {
            if states >> at & 1 == 1 && one.is_none_or(|one| one == byte) {
                next |= 1 << if *repeated { at } else { at + 1 };
            }
        }
        states = skip(next);
    }
    states & done != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_values_compare() {
        let rows = [
            // operator, wanted, in the request → passes
            ("==", "a", &["a"][..], true),
            ("==", "a", &["b"], false),
            ("==", "a", &[], false),
            ("==", "a", &["b", "a"], true),
            ("!=", "a", &["b"], true),
            ("!=", "a", &["a"], false),
            ("!=", "a", &[], false),
            (">=", "9", &["10"], true),
            (">=", "10", &["10"], true),
            (">", "10", &["10"], false),
            ("<", "10", &["9"], true),
            ("<=", "10.0.0.9", &["10.0.0.10"], false),
            ("<=", "10.0.0.10", &["10.0.0.9"], true),
            (">", "a", &["b"], true),
            ("=*", "", &["x"], true),
            ("=*", "", &[], false),
            ("!*", "", &["x"], false),
            ("!*", "", &[], true),
            ("=~", "^AA-BB", &["AA-BB-CC"], true),
            ("=~", "^BB", &["AA-BB-CC"], false),
            ("=~", "CC$", &["AA-BB-CC"], true),
            ("=~", "B", &["AA-BB-CC"], true),
            ("=~", "^A*-.*C$", &["AA-BB-CC"], true),
            ("=~", "^olt1\\.port", &["olt1xport"], false),
            ("=~", "^olt1\\.port", &["olt1.port7"], true),
            ("=~", "^$", &[""], true),
            ("!~", "^AA", &["BB"], true),
            ("!~", "^AA", &["AA"], false),
            ("!~", "^AA", &[], false),
        ];
        for (op, wanted, values, expected) in rows {
            let compare = Compare::from_word(op).expect("an operator");
            assert_eq!(compare.allows(values.iter().copied(), wanted), expected, "{values:?} {op} {wanted}");
        }
        assert_eq!(Compare::from_word(":="), None);
    }

    #[test]
    fn which_patterns_are_understood() {
        for (text, understood) in [
            ("^AA-BB", true),
            ("a.*b$", true),
            ("a\\+b", true),
            ("", false),
            ("*a", false),
            ("(a|b)", false),
            ("a+", false),
            ("[0-9]", false),
            ("a\\", false),
            ("a*b*c*d*", true),
        ] {
            assert_eq!(is_pattern(text), understood, "{text}");
        }
        assert!(!is_pattern(&"a".repeat(MAX_PATTERN + 1)));
    }

    #[test]
    fn a_pattern_never_takes_long() {
        assert!(!matches(&"a".repeat(253), &("a*".repeat(31) + "b")));
        assert!(matches(&("a".repeat(252) + "b"), &("a*".repeat(31) + "b$")));
    }
}
