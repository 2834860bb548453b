//! A JSON body as it is read: one object, each name once, at most 128 deep. Of a name that stands twice one reader takes the
//! first and another the last, so that what was checked is not what is done: it is refused, by its name. So is a number that
//! no reader has.

use std::{cell::Cell, fmt};

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::{Fault, fault::Name};

/// # Errors
/// What is wrong with it.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, Fault> {
    let trouble = Trouble::default();
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Once(&trouble).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    match read {
        Ok(Value::Object(given)) => Ok(given),
        Ok(_) => Err(Fault::NotAnObject),
        Err(error) => Err(match (trouble.twice.take(), trouble.within.take()) {
            (Some(name), _) => Fault::Twice(name),
            (None, Some(name)) if error.to_string().starts_with("number out of range") => Fault::NoNumber(name),
            (None, _) => Fault::Malformed,
        }),
    }
}

/// What reading stumbled over.
#[derive(Default)]
struct Trouble {
    /// A name that stands twice in one object.
    twice: Cell<Option<Name>>,
    /// The innermost name whose value could not be read.
    within: Cell<Option<Name>>,
}

/// A value in which every object has each name once.
#[derive(Clone, Copy)]
struct Once<'a>(&'a Trouble);

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(truth.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = items.next_key::<String>()? {
            if object.contains_key(&name) {
                self.0.twice.set(Some(Name::of(&name)));
                return Err(de::Error::custom("a name stands twice"));
            }
            let value = items.next_value_seed(self).inspect_err(|_| {
                if self.0.within.get().is_none() {
                    self.0.within.set(Some(Name::of(&name)));
                }
            })?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_name_stands_once() {
        let twice = |name: &str| Err(Fault::Twice(Name::of(name)));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(500), "]".repeat(500));
        let wide = format!("{{{}\"z\":1}}", (0..5000).map(|n| format!("\"{n}\":{n},")).collect::<String>());
        let many =
            Value::Object((0..5000).map(|n| (n.to_string(), json!(n))).chain([("z".into(), json!(1))]).collect());
        let rows: [(&str, Result<Value, Fault>); 15] = [
            (r#"{"a":1,"b":[true,null,"x",-2,1.5]}"#, Ok(json!({ "a": 1, "b": [true, null, "x", -2, 1.5] }))),
            (r#"{"amount":1,"amount":1}"#, twice("amount")),
            (r#"{"amount":1,"a\u006dount":2}"#, twice("amount")),
            (r#"{"a":{"b":1,"b":2}}"#, twice("b")),
            (r#"{"list":[{"x":1},{"x":1,"y":2,"x":3}]}"#, twice("x")),
            (r#"{"a":{"b":1},"b":{"a":1}}"#, Ok(json!({ "a": { "b": 1 }, "b": { "a": 1 } }))),
            (r#"{"a":{"amount":1e999}}"#, Err(Fault::NoNumber(Name::of("amount")))),
            (r#"{"price":-1e400}"#, Err(Fault::NoNumber(Name::of("price")))),
            (r#"{"a":18446744073709551615}"#, Ok(json!({ "a": u64::MAX }))),
            (r#"{"a":1_000}"#, Err(Fault::Malformed)),
            (r#"{"a":NaN}"#, Err(Fault::Malformed)),
            (r#"{"a":1} x"#, Err(Fault::Malformed)),
            ("[1]", Err(Fault::NotAnObject)),
            (&deep, Err(Fault::Malformed)),
            (&wide, Ok(many)),
        ];
        for (text, expected) in rows {
            assert_eq!(object(text.as_bytes()).map(Value::Object), expected, "{text:.60}");
        }
        assert_eq!(object(b"{\"a\":\"\xff\"}"), Err(Fault::Malformed));
    }

    #[test]
    fn a_name_is_told_in_plain_letters() {
        for (name, told) in [
            ("amount", "amount"),
            ("a\"b\r\nc", "a?b??c"),
            ("متن", "???"),
            (&"x".repeat(100), &"x".repeat(40)),
            ("", ""),
        ] {
            assert_eq!(Name::of(name).as_str(), told);
        }
    }
}
