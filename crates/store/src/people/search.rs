//! Search: a customer is found by the beginning of any word of its name, username, e-mail address or phone number, and
//! by whatever follows there ("grace wan" finds Grace Wanjiru; what is found always contains what was asked).
//!
//! Each customer's words are kept in `search_word`, from the beginning of the word to the end of its field, so a search
//! of several words is one range of one index, alike on both engines. `words` on the roster's row is the same in one
//! text: the words to remove are computed from it, and a search that matches a large part of all customers walks the
//! list in its order and looks there instead. Each word's row also says what the orders and the filters that seldom
//! change need, so that such a search reads nothing else.

use crate::{
    db::{Error, Tx, Value},
    params,
    people::{customer::Customer, roster::Entry},
    sql,
};
use domain::{CustomerId, IspId};

/// Characters of a word that are kept, and of a search that count.
const LONGEST: usize = 100;
/// Stands before each word in `words`. Cannot be typed.
const MARK: char = '\u{1f}';
const AFTER_ALL: char = '\u{10ffff}';
/// Digits of a phone number within its country.
const NATIONAL: usize = 9;

/// Everything a customer is found by, a field a line, each word marked.
pub(crate) fn words(customer: &Customer) -> String {
    let phone = customer.phone.as_str();
    // An international number is also asked for without its country's digits.
    let short = (phone.len() > NATIONAL + 1 && phone.is_ascii()).then(|| &phone[phone.len() - NATIONAL..]);
    let fields = [Some(customer.full_name.as_str()), Some(phone), short, Some(&customer.username)];
    let lines: Vec<String> = fields
        .into_iter()
        .chain([customer.email.as_deref()])
        .flatten()
        .filter(|field| !field.trim().is_empty())
        .map(marked)
        .collect();
    lines.join("\n")
}

/// Lower-cased, with a mark before each word. An address's host is nobody's own word.
fn marked(field: &str) -> String {
    let mut out = String::with_capacity(field.len() + 8);
    let (mut before, mut own) = (None::<char>, true);
    for c in field.trim().to_lowercase().chars().filter(|c| !c.is_control()) {
        let begins = own && c.is_alphanumeric() && before.is_none_or(|before| !before.is_alphanumeric());
        if begins || before.is_none() {
            out.push(MARK);
        }
        own &= c != '@';
        before = Some(c);
        out.push(c);
    }
    out
}

/// The rows of `search_word` for these words: in order, none the beginning of another, with what each shares with the
/// one before.
fn keys(words: &str) -> Vec<(String, i64)> {
    let mut all = Vec::new();
    for line in words.lines() {
        for (at, _) in line.match_indices(MARK) {
            all.push(line[at..].chars().filter(|c| *c != MARK).take(LONGEST).collect::<String>());
        }
    }
    all.sort_unstable();
    let mut kept: Vec<(String, i64)> = Vec::with_capacity(all.len());
    for word in all {
        if kept.last().is_some_and(|(last, _)| word.starts_with(last.as_str())) {
            kept.pop();
        }
        let shared =
            kept.last().map_or(0, |(last, _)| last.bytes().zip(word.bytes()).take_while(|(a, b)| a == b).count());
        kept.push((word, shared as i64));
    }
    kept
}

/// How many rows these words are.
pub(crate) fn count_of(words: &str) -> i64 {
    keys(words).len() as i64
}

pub(crate) async fn add(tx: &Tx, isp: IspId, entries: impl Iterator<Item = &Entry>) -> Result<(), Error> {
    let mut found = Vec::new();
    for entry in entries {
        found.extend(keys(&entry.words).into_iter().map(|(word, shared)| (word, shared, entry)));
    }
    // Neighbours in the index come one after the other.
    found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let rows = found.into_iter().map(|(word, shared, entry)| {
        let Entry { customer_id, created_at, kind, router_id, branch_id, ref login, ref name, .. } = *entry;
        params![isp, word, shared, customer_id, created_at, kind, router_id, branch_id, login, name].to_vec()
    });
    const INSERT: &str = "insert into search_word \
        (isp_id, word, shared, customer_id, created_at, kind, router_id, branch_id, login, name)";
    tx.insert_many(INSERT, "", rows.collect()).await.map(drop)
}

/// Whether the words of one row stand for the other as well.
pub(crate) fn same(a: &Entry, b: &Entry) -> bool {
    (&a.words, a.created_at, a.kind, a.router_id, a.branch_id, &a.login, &a.name)
        == (&b.words, b.created_at, b.kind, b.router_id, b.branch_id, &b.login, &b.name)
}

pub(crate) async fn remove(tx: &Tx, isp: IspId, customer: CustomerId, words: &str) -> Result<(), Error> {
    for (word, shared) in keys(words) {
        tx.run(
            sql!("delete from search_word where isp_id = $1 and word = $2 and shared = $3 and customer_id = $4"),
            &params![isp, word, shared, customer],
        )
        .await?;
    }
    Ok(())
}

/// A search as the database is asked for it.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    from: String,
    below: String,
    length: i64,
    pattern: String,
}

impl Search {
    /// `None` when nothing is asked for.
    pub(crate) fn new(asked: &str) -> Option<Search> {
        let text: String = asked.trim().to_lowercase().chars().filter(|c| !c.is_control()).take(LONGEST).collect();
        if text.is_empty() {
            return None;
        }
        let escaped = marked(&text).replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        Some(Search {
            below: format!("{text}{AFTER_ALL}"),
            length: text.len() as i64,
            pattern: format!("%{escaped}%"),
            from: text,
        })
    }

    /// How many customers match, counted up to `most`.
    pub(crate) async fn count(&self, tx: &Tx, isp: IspId, most: i64) -> Result<i64, Error> {
        let row = tx
            .row(
                sql!(
                    "select count(*) from (select w.word from search_word w where w.isp_id = $1 and w.word >= $2 \
                     and w.word < $3 and w.shared < $4 limit $5) as found"
                ),
                &params![isp, &self.from, &self.below, self.length, most],
            )
            .await?;
        row.map_or(Ok(0), |row| row.get(0))
    }

    /// `search_word w` holds one row for each customer found, by this condition.
    pub(crate) fn among_words(&self, params: &mut Vec<Value>) -> String {
        let first = params.len() + 1;
        params.extend(params![&self.from, &self.below, self.length]);
        format!("w.word >= ${first} and w.word < ${} and w.shared < ${}", first + 1, first + 2)
    }

    /// The same, asked of a row `t` of the roster.
    pub(crate) fn on_row(&self, params: &mut Vec<Value>) -> String {
        params.push(Value::from(&self.pattern));
        format!("t.words like ${} escape '\\'", params.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_where_people_begin_to_type() {
        let rows = [
            ("Grace Wanjiru", "grace wanjiru|wanjiru"),
            ("Ó'Brien  ÉMILE", "brien  émile|émile|ó'brien  émile"),
            ("g.wanjiru@isp.example", "g.wanjiru@isp.example|wanjiru@isp.example"),
            ("254712345678", "254712345678"),
            ("ann ann", "ann ann"),
            ("+1 (2)", "+1 (2)|1 (2)|2)"),
            ("  ", ""),
        ];
        for (field, expected) in rows {
            let found: Vec<String> = keys(&marked(field)).into_iter().map(|(word, _)| word).collect();
            assert_eq!(found.join("|"), expected, "{field}");
        }
    }

    #[test]
    fn exactly_one_word_of_each_customer_answers_a_search() {
        let words =
            ["John Johnson", "johnny", "254712345678", "712345678", "john.johnson@x.example"].map(marked).join("\n");
        for (asked, expected) in
            [("john", 1), ("johns", 1), ("john j", 1), ("j", 1), ("2", 1), ("7123", 1), ("example", 0), ("son", 0)]
        {
            let search = Search::new(asked).unwrap();
            let found = keys(&words).into_iter().filter(|(word, shared)| {
                word.as_str() >= search.from.as_str() && *word < search.below && *shared < search.length
            });
            assert_eq!(found.count(), expected, "{asked}");
        }
    }
}
