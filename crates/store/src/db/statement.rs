//! Statements: one SQL text for both engines.
//!
//! `sql!("…")` makes a registered constant, so that a test can prepare every one of them on
//! SQLite and on PostgreSQL. Placeholders are PostgreSQL's `$1`; SQLite would take those for
//! names, in order of appearance, so they are rewritten to `?1` by a tokeniser that knows strings,
//! quoted names and comments.

use std::sync::{Arc, OnceLock};

/// A SQL text known at compile time.
pub struct Statement {
    text: &'static str,
    place: &'static str,
    line: u32,
    sqlite: OnceLock<String>,
}

impl Statement {
    /// Made by `sql!`.
    pub const fn new(text: &'static str, place: &'static str, line: u32) -> Statement {
        Statement { text, place, line, sqlite: OnceLock::new() }
    }

    pub fn text(&self) -> &'static str {
        self.text
    }

    /// `file:line`, for the test that prepares it.
    pub fn place(&self) -> String {
        format!("{}:{}", self.place, self.line)
    }

    pub(crate) fn for_sqlite(&self) -> &str {
        self.sqlite.get_or_init(|| to_sqlite(self.text))
    }
}

/// What `sql!` registers.
pub struct Registered(pub &'static Statement);

inventory::collect!(Registered);

/// Every statement linked into this program.
pub fn registered() -> impl Iterator<Item = &'static Statement> {
    inventory::iter::<Registered>.into_iter().map(|entry| entry.0)
}

/// A registered statement: `tx.rows(sql!("select id from plan where isp_id = $1"), &params![isp])`.
#[macro_export]
macro_rules! sql {
    ($text:expr) => {{
        static STATEMENT: $crate::db::Statement = $crate::db::Statement::new($text, ::core::file!(), ::core::line!());
        $crate::db::inventory::submit! { $crate::db::Registered(&STATEMENT) }
        &STATEMENT
    }};
}

/// What a transaction can be asked: a registered statement, or a text assembled from fixed
/// fragments (never from what a client sent).
#[derive(Clone)]
pub enum Sql {
    Fixed(&'static Statement),
    Dynamic(Arc<str>),
}

impl Sql {
    pub fn text(&self) -> &str {
        match self {
            Sql::Fixed(statement) => statement.text,
            Sql::Dynamic(text) => text,
        }
    }
}

impl From<&'static Statement> for Sql {
    fn from(statement: &'static Statement) -> Sql {
        Sql::Fixed(statement)
    }
}

impl From<String> for Sql {
    fn from(text: String) -> Sql {
        Sql::Dynamic(text.into())
    }
}

/// `$1` as `?1`, wherever it is a placeholder.
pub(crate) fn to_sqlite(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for token in tokens(text) {
        match token {
            Token::Placeholder(digits) => {
                out.push('?');
                out.push_str(digits);
            }
            Token::Word(piece) | Token::Quoted(piece) | Token::Comment(piece) | Token::Other(piece) => {
                out.push_str(piece);
            }
        }
    }
    out
}

/// A piece of SQL; together the pieces are the text again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// `$12`; the digits only.
    Placeholder(&'a str),
    /// A keyword, name or number.
    Word(&'a str),
    /// `'text'` or `"name"`, with its quotes.
    Quoted(&'a str),
    /// `-- to the end of the line` or `/* … */`.
    Comment(&'a str),
    /// Space and punctuation, one character each.
    Other(&'a str),
}

pub(crate) fn tokens(text: &str) -> Tokens<'_> {
    Tokens { rest: text }
}

pub(crate) struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let rest = self.rest;
        let bytes = rest.as_bytes();
        let first = *bytes.first()?;
        let run = |from: usize, belongs: fn(u8) -> bool| {
            bytes[from..].iter().position(|b| !belongs(*b)).map_or(rest.len(), |n| from + n)
        };
        let (length, token): (usize, fn(&'a str) -> Token<'a>) = match first {
            b'\'' | b'"' => (quoted_length(bytes, first), Token::Quoted),
            b'-' if bytes.get(1) == Some(&b'-') => (run(0, |b| b != b'\n'), Token::Comment),
            b'/' if bytes.get(1) == Some(&b'*') => (block_comment_length(bytes), Token::Comment),
            b'$' if bytes.get(1).is_some_and(u8::is_ascii_digit) => {
                (run(1, |b| b.is_ascii_digit()), |piece| Token::Placeholder(&piece[1..]))
            }
            b if belongs_to_word(b) => (run(0, belongs_to_word), Token::Word),
            _ => (1, Token::Other),
        };
        let (piece, rest) = rest.split_at(length);
        self.rest = rest;
        Some(token(piece))
    }
}

/// Every byte of a character beyond ASCII belongs to a word, so no piece ends inside a character.
fn belongs_to_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// A doubled quote is a quote inside. A quotation without an end goes to the end of the text.
fn quoted_length(bytes: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < bytes.len() {
        if bytes[at] == quote {
            if bytes.get(at + 1) != Some(&quote) {
                return at + 1;
            }
            at += 1;
        }
        at += 1;
    }
    bytes.len()
}

/// Not nested: SQLite does not nest them, so we never write nested ones.
fn block_comment_length(bytes: &[u8]) -> usize {
    bytes[2..].windows(2).position(|pair| pair == b"*/").map_or(bytes.len(), |n| n + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_rewritten_and_nothing_else() {
        let rows = [
            ("select $1", "select ?1"),
            ("a=$1 and b=$12", "a=?1 and b=?12"),
            ("$1::text", "?1::text"),
            ("select '$1', $2", "select '$1', ?2"),
            ("select 'it''s $1', $2", "select 'it''s $1', ?2"),
            ("select \"$1\" from t where a = $1", "select \"$1\" from t where a = ?1"),
            ("select 1 -- $1\n, $2", "select 1 -- $1\n, ?2"),
            ("select /* $1 ' */ $2", "select /* $1 ' */ ?2"),
            ("select a - $1", "select a - ?1"),
            ("select a / $1 * $2", "select a / ?1 * ?2"),
            ("select '$", "select '$"),
            ("select /* $1", "select /* $1"),
            ("select $", "select $"),
            ("select '平 $1', 平, $2", "select '平 $1', 平, ?2"),
            ("", ""),
        ];
        for (written, expected) in rows {
            assert_eq!(to_sqlite(written), expected, "{written}");
        }
    }
}
