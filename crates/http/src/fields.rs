//! Reading what a caller sent, field by field. Everything that is wrong is gathered and told at once.
//!
//! A field is absent, null or given; an empty text counts as null, as in the frameworks the vendors used. Numbers and
//! booleans may come as text. Whatever a caller may send, reading ends in values within bounds or in [`Why`]s.

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header::CONTENT_TYPE, request::Parts},
};
use domain::{Currency, Mac, Money, kernel::dates};
use jiff::civil;
use serde_json::{Map, Value};
use service::{Error, Expected, FieldError, Items, Why};
use std::{convert::Infallible, net::Ipv4Addr};

use crate::{Fault, MAX_BODY, json};

/// The fields of a body or query, and what has been found wrong with them so far.
#[derive(Default, Debug)]
pub struct Fields {
    given: Map<String, Value>,
    wrong: Vec<FieldError>,
}

/// The fields of a query string.
#[derive(Default, Debug)]
pub struct Asked(pub Fields);

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Given<T> {
    Absent,
    Null,
    Value(T),
}

impl<T> Given<T> {
    pub fn value(self) -> Option<T> {
        match self {
            Given::Value(value) => Some(value),
            Given::Absent | Given::Null => None,
        }
    }

    pub fn or(self, default: T) -> T {
        self.value().unwrap_or(default)
    }

    /// For fields that can be cleared: absent leaves it (`None`), null clears it (`Some(None)`).
    pub fn change(self) -> Option<Option<T>> {
        match self {
            Given::Absent => None,
            Given::Null => Some(None),
            Given::Value(value) => Some(Some(value)),
        }
    }

    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Given<U> {
        match self {
            Given::Absent => Given::Absent,
            Given::Null => Given::Null,
            Given::Value(value) => Given::Value(f(value)),
        }
    }
}

impl Fields {
    pub fn new(given: Map<String, Value>) -> Fields {
        Fields { given, wrong: Vec::new() }
    }

    /// A field that must be there. What it returns when it is not is a stand-in: ask [`Fields::finish`] before use.
    pub fn required<T: Default>(&mut self, name: &'static str, kind: impl Fn(&Value) -> Result<T, Why>) -> T {
        self.required_by(name, &kind)
    }

    pub fn optional<T>(&mut self, name: &'static str, kind: impl Fn(&Value) -> Result<T, Why>) -> Given<T> {
        self.optional_by(name, &kind)
    }

    // By reference, so that they are compiled for a kind of value and not for every field of every body.

    fn required_by<T: Default>(&mut self, name: &'static str, kind: &dyn Fn(&Value) -> Result<T, Why>) -> T {
        let before = self.wrong.len();
        match self.optional_by(name, kind) {
            Given::Value(value) => value,
            Given::Absent | Given::Null => {
                if self.wrong.len() == before {
                    self.refuse(name, Why::Required);
                }
                T::default()
            }
        }
    }

    fn optional_by<T>(&mut self, name: &'static str, kind: &dyn Fn(&Value) -> Result<T, Why>) -> Given<T> {
        match self.given.get(name) {
            None => Given::Absent,
            Some(Value::Null) => Given::Null,
            Some(Value::String(text)) if text.trim().is_empty() => Given::Null,
            Some(value) => match kind(value) {
                Ok(value) => Given::Value(value),
                Err(why) => {
                    self.refuse(name, why);
                    Given::Absent
                }
            },
        }
    }

    /// The first of several names that is there: documents and habits differ.
    pub fn alias(&mut self, name: &'static str, others: &[&str]) {
        if !self.given.contains_key(name)
            && let Some(value) = others.iter().find_map(|other| self.given.remove(*other))
        {
            self.given.insert(name.into(), value);
        }
    }

    /// What a body lacks may stand in the query.
    pub fn or_asked(&mut self, asked: Asked) {
        for (name, value) in asked.0.given {
            self.given.entry(name).or_insert(value);
        }
    }

    /// Finds a field wrong by a rule over several.
    pub fn refuse(&mut self, field: &'static str, why: Why) {
        self.wrong.push(FieldError { field, why });
    }

    pub fn is_wrong(&self, field: &str) -> bool {
        self.wrong.iter().any(|wrong| wrong.field == field)
    }

    /// The end of reading: every wrong field, or none.
    pub fn finish(&mut self) -> Result<(), Error> {
        match std::mem::take(&mut self.wrong) {
            wrong if wrong.is_empty() => Ok(()),
            wrong => Err(Error::Invalid(wrong)),
        }
    }
}

/// The core's field names in a dialect's words; what is not in the table keeps its name.
pub fn named(error: Error, names: &[(&'static str, &'static str)]) -> Error {
    match error {
        Error::Invalid(mut wrong) => {
            for field in &mut wrong {
                if let Some((_, name)) = names.iter().find(|(core, _)| *core == field.field) {
                    field.field = name;
                }
            }
            Error::Invalid(wrong)
        }
        other => other,
    }
}

// ---- kinds of fields ----

/// Text of so many characters, trimmed, on one line.
pub fn text(min: usize, max: usize) -> impl Fn(&Value) -> Result<String, Why> {
    move |value| {
        let text = value.as_str().ok_or(Why::NotText)?.trim();
        plain(text, |_| false)?;
        bounded(text, min, max)
    }
}

/// Text that may have several lines.
pub fn lines(max: usize) -> impl Fn(&Value) -> Result<String, Why> {
    move |value| {
        let text = value.as_str().ok_or(Why::NotText)?.trim();
        plain(text, |c| matches!(c, '\n' | '\r' | '\t'))?;
        bounded(text, 0, max)
    }
}

/// A password: not trimmed.
pub fn secret(min: usize, max: usize) -> impl Fn(&Value) -> Result<String, Why> {
    move |value| {
        let text = value.as_str().ok_or(Why::NotText)?;
        plain(text, |_| false)?;
        bounded(text, min, max)
    }
}

fn plain(text: &str, allowed: fn(char) -> bool) -> Result<(), Why> {
    // NUL is no text to PostgreSQL, and the others forge log lines and RADIUS attributes.
    match text.chars().any(|c| c.is_control() && !allowed(c)) {
        true => Err(Why::Not(Expected::PlainText)),
        false => Ok(()),
    }
}

fn bounded(text: &str, min: usize, max: usize) -> Result<String, Why> {
    match text.chars().count() {
        n if n < min => Err(Why::TooShort { min }),
        n if n > max => Err(Why::TooLong { max }),
        _ => Ok(text.into()),
    }
}

/// Digits as text: a phone number. A JSON number is taken for its digits.
pub fn digits(max: usize) -> impl Fn(&Value) -> Result<String, Why> {
    move |value| {
        let text = match value {
            Value::String(text) => text.trim().to_string(),
            Value::Number(number) if number.is_u64() => number.to_string(),
            _ => return Err(Why::NotText),
        };
        match text.bytes().all(|b| b.is_ascii_digit()) {
            false => Err(Why::DigitsOnly),
            true => bounded(&text, 1, max),
        }
    }
}

/// A whole number, written as such, as `7.0` or as text.
pub fn integer(min: i64, max: i64) -> impl Fn(&Value) -> Result<i64, Why> {
    move |value| match whole(value).ok_or(Why::NotAnInteger)? {
        n if n < min => Err(Why::TooSmall { min }),
        n if n > max => Err(Why::TooLarge { max }),
        n => Ok(n),
    }
}

/// A reference to a row. Whatever no row can have is unknown.
pub fn id(value: &Value) -> Result<i64, Why> {
    match whole(value).ok_or(Why::NotAnInteger)? {
        id if (1..1 << 53).contains(&id) => Ok(id),
        _ => Err(Why::Unknown),
    }
}

/// How many references one list may hold.
pub const MAX_IDS: usize = 100;

/// Between one and [`MAX_IDS`] references.
pub fn ids(value: &Value) -> Result<Vec<i64>, Why> {
    match value {
        Value::Array(items) if items.is_empty() => Err(Why::Required),
        Value::Array(items) if items.len() > MAX_IDS => {
            Err(Why::Not(Expected::ListOf { most: 100, what: Items::Items }))
        }
        Value::Array(items) => items.iter().map(id).collect(),
        _ => Err(Why::NotAList),
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64()?;
            (float.fract() == 0.0 && float.abs() < (1_i64 << 53) as f64).then_some(float as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Money of this currency, as a number or as text.
pub fn amount(currency: &Currency) -> impl Fn(&Value) -> Result<Money, Why> {
    move |value| {
        let text = match value {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            _ => return Err(Why::NotANumber),
        };
        Ok(currency.parse(&text)?)
    }
}

/// A number with at most three decimals, in thousandths.
pub fn thousandths(value: &Value) -> Result<i64, Why> {
    let exact = Currency { code: String::new(), exponent: 3 };
    amount(&exact)(value).map(|amount| amount.0)
}

/// Tolerant: the words the four vendors and HTML forms use.
pub fn boolean(value: &Value) -> Result<bool, Why> {
    match value {
        Value::Bool(yes) => Ok(*yes),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            _ => Err(Why::NotBoolean),
        },
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(Why::NotBoolean),
        },
        _ => Err(Why::NotBoolean),
    }
}

/// One of a few words, whatever its capitals; as the list writes it.
pub fn word(words: &'static [&'static str]) -> impl Fn(&Value) -> Result<&'static str, Why> {
    move |value| {
        let text = match value {
            Value::String(text) => text.trim().to_string(),
            Value::Number(number) => number.to_string(),
            _ => return Err(Why::NotText),
        };
        words.iter().find(|word| word.eq_ignore_ascii_case(&text)).copied().ok_or(Why::NotOneOf(words))
    }
}

/// `YYYY-MM-DD`.
pub fn date(value: &Value) -> Result<civil::Date, Why> {
    Ok(dates::day(value.as_str().ok_or(Why::NotADate)?)?)
}

/// `YYYY-MM-DD` of whatever year, to be said again; what is looked for lies near it (`dates::near`).
pub fn date_said(value: &Value) -> Result<civil::Date, Why> {
    Ok(dates::any_day(value.as_str().ok_or(Why::NotADate)?)?)
}

/// `YYYY-MM-DD` to look from or to: one outside the calendar is its nearer end.
pub fn date_near(value: &Value) -> Result<civil::Date, Why> {
    Ok(dates::day_near(value.as_str().ok_or(Why::NotADate)?)?)
}

pub fn email(value: &Value) -> Result<String, Why> {
    const FORM: Why = Why::Not(Expected::EmailAddress);
    let text = text(1, 254)(value)?;
    match text.split_once('@') {
        Some((name, host))
            if !name.is_empty()
                && !host.contains('@')
                && host.contains('.')
                && !host.starts_with('.')
                && !host.ends_with('.')
                && !text.contains(char::is_whitespace) =>
        {
            Ok(text)
        }
        _ => Err(FORM),
    }
}

pub fn ipv4(value: &Value) -> Result<Ipv4Addr, Why> {
    let text = value.as_str().ok_or(Why::NotText)?;
    text.trim().parse().map_err(|_| Why::Not(Expected::Ipv4))
}

pub fn mac(value: &Value) -> Result<Mac, Why> {
    let text = value.as_str().ok_or(Why::NotText)?;
    Mac::parse(text).ok_or(Why::Not(Expected::MacAddress))
}

// ---- from requests ----

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &S) -> Result<Fields, Fault> {
        let (parts, body) = request.into_parts();
        let bytes = axum::body::to_bytes(body, MAX_BODY).await.map_err(|error| {
            // The limit shows only as the error's source.
            let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            if source.contains("limit") { Fault::TooLarge } else { Fault::Interrupted }
        })?;
        read(&parts.headers, &bytes)
    }
}

/// A body as fields. No body is no fields.
fn read(headers: &HeaderMap, body: &[u8]) -> Result<Fields, Fault> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Fields::default());
    }
    let kind = headers.get(CONTENT_TYPE).map_or(Ok(""), |kind| kind.to_str()).map_err(|_| Fault::ContentType)?;
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        // Some clients name no type; what they send is JSON or it is refused as such.
        "" | "application/json" | "text/json" => {}
        "application/x-www-form-urlencoded" => return Ok(Fields::new(pairs(body))),
        other if other.starts_with("application/") && other.ends_with("+json") => {}
        _ => return Err(Fault::ContentType),
    }
    json::object(body).map(Fields::new)
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Asked, Infallible> {
        Ok(Asked(Fields::new(pairs(parts.uri.query().unwrap_or_default().as_bytes()))))
    }
}

/// `a=1&b[]=2&b[]=3` as fields: of a repeated name the last counts, of a list every one.
fn pairs(text: &[u8]) -> Map<String, Value> {
    let mut given = Map::new();
    // No call takes more names than this.
    for (name, value) in form_urlencoded::parse(text).take(2000) {
        match name.split_once('[') {
            Some((list, rest)) if rest.ends_with(']') && !list.is_empty() => {
                match given.entry(list).or_insert_with(|| Value::Array(Vec::new())) {
                    Value::Array(items) => items.push(value.into_owned().into()),
                    other => *other = Value::Array(vec![value.into_owned().into()]),
                }
            }
            _ => drop(given.insert(name.into_owned(), value.into_owned().into())),
        }
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Name;
    use serde_json::json;

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let Value::Object(given) = json!({ "name": "ab", "price": -1, "unit": "Gbps", "on": "maybe", "ok": 1 }) else {
            panic!()
        };
        let mut fields = Fields::new(given);
        fields.required("name", text(3, 45));
        fields.required("plan_id", id);
        fields.required("unit", word(&["Kbps", "Mbps"]));
        fields.optional("on", boolean);
        assert!(fields.required("ok", boolean));
        assert_eq!(fields.optional("gone", boolean), Given::Absent);
        let Err(Error::Invalid(wrong)) = fields.finish() else { panic!() };
        let told: Vec<_> = wrong.iter().map(|wrong| wrong.field).collect();
        assert_eq!(told, ["name", "plan_id", "unit", "on"]);
        assert_eq!(fields.finish(), Ok(()));
    }

    #[test]
    fn whole_numbers() {
        let rows = [
            (json!(7), Ok(7)),
            (json!(7.0), Ok(7)),
            (json!("7"), Ok(7)),
            (json!(" 7 "), Ok(7)),
            (json!(7.5), Err(Why::NotAnInteger)),
            (json!(1e300), Err(Why::NotAnInteger)),
            (json!(u64::MAX), Err(Why::NotAnInteger)),
            (json!(i64::MAX), Err(Why::TooLarge { max: 100 })),
            (json!(0), Err(Why::TooSmall { min: 1 })),
            (json!("seven"), Err(Why::NotAnInteger)),
            (json!("\u{0}7"), Err(Why::NotAnInteger)),
            (json!([7]), Err(Why::NotAnInteger)),
            (json!(true), Err(Why::NotAnInteger)),
        ];
        for (value, expected) in rows {
            assert_eq!(integer(1, 100)(&value), expected, "{value}");
        }
    }

    #[test]
    fn texts_dates_and_addresses() {
        let why = |value: Value| text(3, 5)(&value).err();
        assert_eq!(why(json!("abc")), None);
        assert_eq!(why(json!("  ab ")), Some(Why::TooShort { min: 3 }));
        assert_eq!(why(json!("abcdef")), Some(Why::TooLong { max: 5 }));
        assert_eq!(why(json!("äöüßñ")), None);
        assert_eq!(why(json!("ab\u{0}c")), Some(Why::Not(Expected::PlainText)));
        assert_eq!(why(json!({})), Some(Why::NotText));
        for (text, right) in [
            ("2026-02-28", true),
            ("2026-02-30", false),
            ("2026-2-28", false),
            ("20260228", false),
            ("2026-02-28T00:00:00", false),
            ("", false),
        ] {
            assert_eq!(date(&json!(text)).is_ok(), right, "{text}");
        }
        for (text, right) in
            [("a@b.co", true), ("a@b", false), ("a b@c.de", false), ("@b.co", false), ("a@b.co@d.e", false)]
        {
            assert_eq!(email(&json!(text)).is_ok(), right, "{text}");
        }
    }

    /// Whatever bytes come as a body or a query: they are fields or a fault, each field is a value within its bounds or a
    /// reason, and what was read as JSON says the same again.
    #[test]
    fn any_body_is_read_or_refused() {
        let seeds: [&[u8]; 9] = [
            br#"{"name":"ann","price":150.5,"unit":"Mbps","on":true,"ids":[1,2,3],"day":"2026-05-01","to":null}"#,
            br#"{"amount":"1500.00","phone":"+254 (712) 345-678","mac":"AA:BB:CC:DD:EE:FF","ip":"10.0.0.1"}"#,
            br#"{"tiers":[{"after_bytes":1,"bandwidth_id":2}],"windows":[{"from":"23:00","until":"06:00"}]}"#,
            br#"{"url":"https://a.example/hook?x=1","at":"2026-05-01T00:00:00Z","email":"a@b.example"}"#,
            b"name=ann&ids[]=1&ids[]=2&price=150.5&on=yes&day=2026-05-01",
            b"url=https%3A%2F%2F%5B%3A%3A1%5D%2F&email=a%40b.example&amount=1e3",
            b"a=1&a=2&b[0][c]=3&b[]=4&%00=%ff",
            br#"{"a":{"b":{"c":[[[1e10]]]}},"":"","\u0000":"\ud800"}"#,
            b"[1,2,3]",
        ];
        let tokens: [&[u8]; 18] = [
            b"\"",
            b"{",
            b"}",
            b"[",
            b"]",
            b",",
            b":",
            b"\\u0000",
            b"\\ud83d",
            b"1e999",
            b"9223372036854775808",
            b"-0",
            b"&",
            b"=",
            b"%00",
            b"name",
            b"amount",
            b"\"day\":\"9999-12-31\"",
        ];
        let currency = Currency::new("KES");
        let mut headers = [HeaderMap::new(), HeaderMap::new()];
        headers[0].insert(CONTENT_TYPE, "application/json".parse().unwrap());
        headers[1].insert(CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap());
        inputs::run("bodies", &seeds, &tokens, 150_000, |input| {
            for headers in &headers {
                let Ok(mut fields) = read(headers, input) else { continue };
                let names: Vec<String> = fields.given.keys().cloned().collect();
                let again = serde_json::to_vec(&fields.given).unwrap();
                assert_eq!(json::object(&again), Ok(fields.given.clone()));
                for name in names {
                    let value = fields.given[&name].clone();
                    if let Ok(text) = text(0, 100)(&value) {
                        assert!(text.chars().count() <= 100 && !text.chars().any(char::is_control));
                    }
                    if let Ok(number) = integer(-5, 5)(&value) {
                        assert!((-5..=5).contains(&number));
                    }
                    if let Ok(amount) = amount(&currency)(&value) {
                        assert!(amount.is_exact());
                    }
                    for day in [date(&value), date_near(&value)].into_iter().flatten() {
                        assert!((dates::FIRST..=dates::LAST).contains(&day));
                    }
                    let _ = (id(&value), ids(&value), boolean(&value), email(&value), ipv4(&value), mac(&value));
                    let _ = (lines(10)(&value), secret(1, 9)(&value), digits(20)(&value), word(&["a", "b"])(&value));
                    crate::form::read_as_everything(&value);
                }
                fields.required("name", text(1, 5));
                let _ = fields.finish();
            }
            if let Ok(query) = std::str::from_utf8(input) {
                assert!(pairs(query.as_bytes()).len() <= 2000);
            }
        });
    }

    #[test]
    fn queries_repeat_and_list() {
        let given = pairs(b"page=1&page=2&voucher_ids[]=3&voucher_ids[1]=4&search=a%20b+c&x");
        assert_eq!(Value::Object(given), json!({ "page": "2", "voucher_ids": ["3", "4"], "search": "a b c", "x": "" }));
    }

    #[test]
    fn bodies_that_are_no_objects_are_refused() {
        let json_type = "application/json; charset=utf-8";
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(500), "]".repeat(500));
        let rows: [(&str, &str, Option<Fault>); 10] = [
            (json_type, "{\"a\":1}", None),
            (json_type, "", None),
            (json_type, "[1]", Some(Fault::NotAnObject)),
            (json_type, "{\"a\":", Some(Fault::Malformed)),
            (json_type, "{\"a\":1e999}", Some(Fault::NoNumber(Name::of("a")))),
            (json_type, "{\"a\":1,\"a\":1}", Some(Fault::Twice(Name::of("a")))),
            (json_type, &deep, Some(Fault::Malformed)),
            ("application/x-www-form-urlencoded", "a=1", None),
            ("text/xml", "<a/>", Some(Fault::ContentType)),
            ("", "{}", None),
        ];
        for (kind, body, expected) in rows {
            let mut headers = HeaderMap::new();
            if !kind.is_empty() {
                headers.insert(CONTENT_TYPE, kind.parse().unwrap());
            }
            assert_eq!(read(&headers, body.as_bytes()).err(), expected, "{kind} {body:.40}");
        }
    }
}
