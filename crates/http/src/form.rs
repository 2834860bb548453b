//! A body or query declared once: how it is read, what is wrong with it, and how it is described.
//!
//! ```
//! doors::form! {
//!     /// A bill to write.
//!     NewBill {
//!         customer_id: required Id, "Whose bill it is.";
//!         amount: required Amount, "What is owed, tax included.";
//!         description: optional Text(0, 500), "What for.";
//!     }
//! }
//! ```
//!
//! makes a struct whose required fields are values and whose optional ones are [`Given`]s. Handlers take it as
//! [`Body`] or [`Query`]; all that is wrong is told at once.

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::request::Parts,
    response::{IntoResponse, Response},
};
use domain::{Instant, Mac as MacAddress, kernel::dates};
use jiff::civil;
use serde_json::{Value, json};
use service::{Error, Expected, Why};
use std::{convert::Infallible, net::Ipv4Addr};

use crate::{Asked, Fault, Fields, Given, fields};

/// What a field may hold.
pub trait Kind {
    type Value;
    fn read(&self, value: &Value) -> Result<Self::Value, Why>;
    /// As JSON Schema.
    fn schema(&self) -> Value;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $(($($part:ident: $type:ty),*))? -> $value:ty { $read:expr, $schema:expr })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name $(($(pub $type),*))?;

        impl Kind for $name {
            type Value = $value;
            fn read(&self, value: &Value) -> Result<$value, Why> {
                $( let $name($($part),*) = *self; )?
                ($read)(value)
            }
            fn schema(&self) -> Value {
                $( let $name($($part),*) = *self; )?
                $schema
            }
        }
    )* };
}

kinds! {
    /// Text on one line, of so many characters.
    Text(min: usize, max: usize) -> String {
        fields::text(min, max), json!({ "type": "string", "minLength": min, "maxLength": max })
    }
    /// Text that may have several lines.
    Lines(max: usize) -> String { fields::lines(max), json!({ "type": "string", "maxLength": max }) }
    /// A password: not trimmed, never shown.
    Secret(min: usize, max: usize) -> String {
        fields::secret(min, max),
        json!({ "type": "string", "format": "password", "minLength": min, "maxLength": max, "writeOnly": true })
    }
    /// A telephone number.
    Phone -> String { phone, json!({ "type": "string", "pattern": "^\\+?[0-9]{3,20}$" }) }
    Integer(min: i64, max: i64) -> i64 {
        fields::integer(min, max), json!({ "type": "integer", "minimum": min, "maximum": max })
    }
    /// A reference to a row.
    Id -> i64 { fields::id, json!({ "type": "integer", "format": "int64", "minimum": 1, "maximum": (1_i64 << 53) - 1 }) }
    /// Up to a hundred references.
    Ids -> Vec<i64> {
        fields::ids,
        json!({
            "type": "array", "minItems": 1, "maxItems": fields::MAX_IDS,
            "items": { "type": "integer", "format": "int64", "minimum": 1 }
        })
    }
    /// Money in the tenant's currency, in thousandths; [`Given`] and required alike are turned into minor units by the
    /// door that knows the currency.
    Amount -> i64 { fields::thousandths, json!({ "type": "number" }) }
    Boolean -> bool { fields::boolean, json!({ "type": "boolean" }) }
    /// One of a few words.
    Word(words: &'static [&'static str]) -> &'static str {
        fields::word(words), json!({ "type": "string", "enum": words })
    }
    /// Several of a few words.
    Words(words: &'static [&'static str]) -> Vec<&'static str> {
        |value: &Value| several(value, fields::word(words)),
        json!({ "type": "array", "minItems": 1, "maxItems": 100, "items": { "type": "string", "enum": words } })
    }
    /// Up to so many telephone numbers.
    Phones(max: usize) -> Vec<String> {
        |value: &Value| several_up_to(value, max, phone),
        json!({
            "type": "array", "minItems": 1, "maxItems": max,
            "items": { "type": "string", "pattern": "^\\+?[0-9]{3,20}$" }
        })
    }
    /// `YYYY-MM-DD`.
    Date -> civil::Date { fields::date, json!({ "type": "string", "format": "date" }) }
    /// `YYYY-MM-DD` to look from or to.
    AnyDate -> civil::Date { fields::date_near, json!({ "type": "string", "format": "date" }) }
    /// `2026-05-01T00:00:00Z` to look from or to.
    AnyMoment -> Instant { moment_near, json!({ "type": "string", "format": "date-time" }) }
    /// `2026-05-01T00:00:00Z`.
    Moment -> Instant { moment, json!({ "type": "string", "format": "date-time" }) }
    Email -> String { fields::email, json!({ "type": "string", "format": "email" }) }
    Mac -> MacAddress { fields::mac, json!({ "type": "string", "example": "AA:BB:CC:DD:EE:FF" }) }
    Ipv4 -> Ipv4Addr { fields::ipv4, json!({ "type": "string", "format": "ipv4" }) }
    /// An absolute address with http or https.
    Url -> String { url, json!({ "type": "string", "format": "uri", "maxLength": 2000 }) }
    /// Thresholds of fair use: from so many bytes on, this bandwidth.
    Tiers(max: usize) -> Vec<(i64, i64)> {
        |value: &Value| several_up_to(value, max, tier),
        json!({
            "type": "array", "minItems": 1, "maxItems": max,
            "items": {
                "type": "object", "additionalProperties": false, "required": ["after_bytes", "bandwidth_id"],
                "properties": {
                    "after_bytes": { "type": "integer", "format": "int64", "minimum": 0, "maximum": 1_i64 << 53 },
                    "bandwidth_id": { "type": "integer", "format": "int64", "minimum": 1 }
                }
            }
        })
    }
    /// Times of day that fair use treats in another way.
    Windows(max: usize) -> Vec<TimeOfDay> {
        |value: &Value| several_up_to(value, max, time_of_day),
        json!({
            "type": "array", "minItems": 1, "maxItems": max,
            "items": {
                "type": "object", "additionalProperties": false, "required": ["from", "until"],
                "properties": {
                    "from": { "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$" },
                    "until": { "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$" },
                    "counted": { "type": "boolean", "default": false },
                    "bandwidth_id": { "type": ["integer", "null"], "format": "int64", "minimum": 1 }
                }
            }
        })
    }
    /// Any JSON object; the use case looks into it.
    Object -> Value {
        |value: &Value| if value.is_object() { Ok(value.clone()) } else { Err(Why::Not(Expected::Object)) },
        json!({ "type": "object" })
    }
}

fn several<T>(value: &Value, kind: impl Fn(&Value) -> Result<T, Why>) -> Result<Vec<T>, Why> {
    several_up_to(value, 100, kind)
}

fn several_up_to<T>(value: &Value, max: usize, kind: impl Fn(&Value) -> Result<T, Why>) -> Result<Vec<T>, Why> {
    match value {
        Value::Array(items) if items.is_empty() => Err(Why::Required),
        Value::Array(items) if items.len() > max => Err(Why::TooLarge { max: max as i64 }),
        Value::Array(items) => items.iter().map(kind).collect(),
        _ => Err(Why::NotAList),
    }
}

/// `{"from": "23:00", "until": "06:00", "counted": false, "bandwidth_id": 7}`, in minutes after midnight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeOfDay {
    pub from: i64,
    pub until: i64,
    pub counted: bool,
    pub bandwidth: Option<i64>,
}

fn tier(value: &Value) -> Result<(i64, i64), Why> {
    const FORM: Why = Why::Not(Expected::FupTiers);
    let object = value.as_object().filter(|object| object.len() == 2).ok_or(FORM)?;
    let (after, id) = object.get("after_bytes").zip(object.get("bandwidth_id")).ok_or(FORM)?;
    Ok((fields::integer(0, 1 << 53)(after)?, fields::id(id)?))
}

fn time_of_day(value: &Value) -> Result<TimeOfDay, Why> {
    const FORM: Why = Why::Not(Expected::FupWindows);
    let object = value.as_object().ok_or(FORM)?;
    if object.keys().any(|key| !["from", "until", "counted", "bandwidth_id"].contains(&key.as_str())) {
        return Err(FORM);
    }
    let minute = |name: &str| {
        let text = object.get(name)?.as_str()?;
        let time: civil::Time = text.parse().ok().filter(|_| text.len() == 5)?;
        Some(i64::from(time.hour()) * 60 + i64::from(time.minute()))
    };
    let (from, until) = minute("from").zip(minute("until")).filter(|(from, until)| from != until).ok_or(FORM)?;
    Ok(TimeOfDay {
        from,
        until,
        counted: object.get("counted").map_or(Ok(false), fields::boolean)?,
        bandwidth: object.get("bandwidth_id").filter(|id| !id.is_null()).map(fields::id).transpose()?,
    })
}

fn phone(value: &Value) -> Result<String, Why> {
    const FORM: Why = Why::Not(Expected::PhoneDigits);
    let text = match value {
        Value::String(text) => text.trim().to_string(),
        Value::Number(number) if number.is_u64() => number.to_string(),
        _ => return Err(Why::NotText),
    };
    // As people write them: +254 (712) 345-678.
    let plain: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
    let digits = plain.strip_prefix('+').unwrap_or(&plain);
    match (3..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
        true => Ok(plain),
        false => Err(FORM),
    }
}

fn moment(value: &Value) -> Result<Instant, Why> {
    Ok(dates::moment(value.as_str().ok_or(Why::NotADate)?)?)
}

fn moment_near(value: &Value) -> Result<Instant, Why> {
    Ok(dates::moment_near(value.as_str().ok_or(Why::NotADate)?)?)
}

fn url(value: &Value) -> Result<String, Why> {
    const FORM: Why = Why::Not(Expected::Url);
    let text = fields::text(1, 2000)(value)?;
    let uri: axum::http::Uri = text.parse().map_err(|_| FORM)?;
    let scheme = uri.scheme_str().unwrap_or_default();
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    match is_web && uri.host().is_some_and(|host| !host.is_empty()) && !text.contains('@') {
        true => Ok(text),
        false => Err(FORM),
    }
}

/// Every kind of field reads it, or says why not.
#[cfg(test)]
pub(crate) fn read_as_everything(value: &Value) {
    let _ = (phone(value), tier(value), time_of_day(value), moment(value).map(|at| assert!(at.is_kept())));
    if let Ok(text) = url(value) {
        let uri: axum::http::Uri = text.parse().expect("it has been read as one");
        assert!(uri.host().is_some_and(|host| !host.is_empty()) && !text.contains('@'), "{text}");
    }
    let _ = (Tiers(16).read(value), Windows(8).read(value), Phones(5).read(value), Words(&["a", "b"]).read(value));
}

/// A field as it is described.
#[derive(Clone, Debug)]
pub struct Described {
    pub name: &'static str,
    pub required: bool,
    pub about: &'static str,
    pub schema: Value,
}

/// What [`form!`](crate::form!) makes.
pub trait Form: Sized {
    const NAME: &'static str;
    /// Reads every field; the caller finishes `from`.
    fn read(from: &mut Fields) -> Self;
    fn described() -> Vec<Described>;
}

/// A field's name on the wire: `r#type` is `type`.
pub fn name(field: &'static str) -> &'static str {
    field.strip_prefix("r#").unwrap_or(field)
}

/// As [`Fields::required`], for a kind.
pub fn required<T: Default>(from: &mut Fields, name: &'static str, kind: &dyn Kind<Value = T>) -> T {
    from.required(name, |value| kind.read(value))
}

/// As [`Fields::optional`], for a kind.
pub fn optional<T>(from: &mut Fields, name: &'static str, kind: &dyn Kind<Value = T>) -> Given<T> {
    from.optional(name, |value| kind.read(value))
}

#[macro_export]
macro_rules! form {
    ($(#[$doc:meta])* $name:ident {
        $($field:ident: $need:ident $kind:ident $(($($part:expr),*))?, $about:literal;)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name { $(#[doc = $about] pub $field: $crate::form!(@type $need $kind)),* }

        impl $crate::form::Form for $name {
            const NAME: &'static str = stringify!($name);

            fn read(from: &mut $crate::Fields) -> $name {
                $name { $($field: $crate::form!(
                    @read $need from, $crate::form::name(stringify!($field)), $crate::form::$kind $(($($part),*))?
                )),* }
            }

            fn described() -> Vec<$crate::form::Described> {
                vec![$($crate::form::Described {
                    name: $crate::form::name(stringify!($field)),
                    required: $crate::form!(@required $need),
                    about: $about,
                    schema: $crate::form::Kind::schema(&$crate::form::$kind $(($($part),*))?),
                }),*]
            }
        }
    };
    (@type required $kind:ident) => { <$crate::form::$kind as $crate::form::Kind>::Value };
    (@type optional $kind:ident) => { $crate::Given<<$crate::form::$kind as $crate::form::Kind>::Value> };
    (@read required $from:ident, $name:expr, $kind:expr) => { $crate::form::required($from, $name, &$kind) };
    (@read optional $from:ident, $name:expr, $kind:expr) => { $crate::form::optional($from, $name, &$kind) };
    (@required required) => { true };
    (@required optional) => { false };
}

/// A JSON or form body.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// The query string.
#[derive(Debug)]
pub struct Query<T>(pub T);

/// A request that could not be read; the dialect's voice finds the reason in the response's extensions.
#[derive(Debug)]
pub enum Unfit {
    Fault(Fault),
    Error(Error),
}

impl IntoResponse for Unfit {
    fn into_response(self) -> Response {
        match self {
            Unfit::Fault(fault) => fault.into_response(),
            Unfit::Error(error) => {
                let mut response = axum::http::StatusCode::UNPROCESSABLE_ENTITY.into_response();
                response.extensions_mut().insert(error);
                response
            }
        }
    }
}

impl<T: Form, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Unfit;

    async fn from_request(request: Request, state: &S) -> Result<Body<T>, Unfit> {
        let mut fields = Fields::from_request(request, state).await.map_err(Unfit::Fault)?;
        let form = T::read(&mut fields);
        fields.finish().map_err(Unfit::Error)?;
        Ok(Body(form))
    }
}

impl<T: Form, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Unfit;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Query<T>, Unfit> {
        let asked: Result<Asked, Infallible> = Asked::from_request_parts(parts, state).await;
        let mut fields = match asked {
            Ok(Asked(fields)) => fields,
            Err(never) => match never {},
        };
        let form = T::read(&mut fields);
        fields.finish().map_err(Unfit::Error)?;
        Ok(Query(form))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::form! {
        /// For this test.
        Sample {
            name: required Text(1, 5), "A name.";
            kind: optional Word(&["a", "b"]), "A kind.";
            phone: optional Phone, "A number.";
            url: optional Url, "An address.";
            r#type: optional Boolean, "Whose name is a word of the language.";
        }
    }

    fn read(value: Value) -> Result<Sample, Error> {
        let Value::Object(given) = value else { panic!() };
        let mut fields = Fields::new(given);
        let sample = Sample::read(&mut fields);
        fields.finish().map(|()| sample)
    }

    #[test]
    fn a_declaration_reads_checks_and_describes() {
        let sample = read(json!({ "name": "ann", "kind": "A", "phone": "+254 (712) 345-678" })).unwrap();
        assert_eq!((sample.name.as_str(), sample.kind), ("ann", Given::Value("a")));
        assert_eq!((sample.phone, sample.url), (Given::Value("+254712345678".into()), Given::Absent));
        assert_eq!(sample.r#type, Given::Absent);
        let Err(Error::Invalid(wrong)) = read(json!({ "kind": "c", "phone": "12", "url": "nowhere" })) else {
            panic!()
        };
        assert_eq!(wrong.iter().map(|wrong| wrong.field).collect::<Vec<_>>(), ["name", "kind", "phone", "url"]);
        let described = Sample::described();
        assert_eq!(described.last().unwrap().name, "type");
        assert_eq!((described[0].required, described[1].required), (true, false));
        assert_eq!(described[1].schema["enum"], json!(["a", "b"]));
    }

    #[test]
    fn addresses_of_the_web() {
        for (text, right) in [
            ("https://your-server.example/webhooks/ispbills", true),
            ("http://127.0.0.1:4567/hook?x=1", true),
            ("HTTP://[::1]/", true),
            ("ftp://a.example/", false),
            ("//a.example/", false),
            ("/hook", false),
            ("http://user:pass@a.example/", false),
            ("https://", false),
            ("javascript:alert(1)", false),
        ] {
            assert_eq!(url(&json!(text)).is_ok(), right, "{text}");
        }
    }
}
