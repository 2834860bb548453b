//! Bodies: a form, multipart or JSON, with PHP's nested names (`vendorData[0][attribute]`, `userIds[]`), bounded in depth
//! and number. Names count alike with a capital or a small first letter, as the document mixes them.

use axum::{
    body::Bytes,
    extract::{FromRequest, Multipart, Request},
    http::header::CONTENT_TYPE,
};
use doors::{Fault, MAX_BODY, fault::Name};
use serde_json::{Map, Value};

use super::Failure;

/// So many values one body may hold.
pub const MAX_NAMES: usize = 1000;
/// `a[b][c][d]`.
const MAX_DEPTH: usize = 4;
/// Of one name.
const MAX_NAME: usize = 200;

pub async fn read(request: Request) -> Result<Map<String, Value>, Failure> {
    let kind = request.headers().get(CONTENT_TYPE).map_or(Ok(""), |kind| kind.to_str());
    let kind = kind.map_err(|_| Fault::ContentType)?.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind == "multipart/form-data" {
        return multipart(request).await;
    }
    let bytes = Bytes::from_request(request, &()).await;
    let bytes = bytes.map_err(|error| match error.into_response_status() {
        413 => Fault::TooLarge,
        _ => Fault::Interrupted,
    })?;
    if bytes.len() > MAX_BODY {
        return Err(Fault::TooLarge.into());
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match kind.as_str() {
        "application/x-www-form-urlencoded" => form(form_urlencoded::parse(&bytes)),
        // Some clients name no type: what begins like an object is one.
        "" if !bytes.trim_ascii_start().starts_with(b"{") => form(form_urlencoded::parse(&bytes)),
        "" | "application/json" | "text/json" => json(&bytes),
        _ => Err(Fault::ContentType.into()),
    }
}

trait Status {
    fn into_response_status(self) -> u16;
}

impl<T: axum::response::IntoResponse> Status for T {
    fn into_response_status(self) -> u16 {
        self.into_response().status().as_u16()
    }
}

async fn multipart(request: Request) -> Result<Map<String, Value>, Failure> {
    let malformed = |_| Failure::from(Fault::Malformed);
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| Fault::Malformed)?;
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut size = 0;
    while let Some(part) = parts.next_field().await.map_err(malformed)? {
        let name = part.name().unwrap_or_default().to_string();
        let bytes = part.bytes().await.map_err(malformed)?;
        size += bytes.len();
        if size > MAX_BODY {
            return Err(Fault::TooLarge.into());
        }
        let text = String::from_utf8(bytes.to_vec()).map_err(|_| Fault::Malformed)?;
        pairs.push((name, text));
        if pairs.len() > MAX_NAMES {
            return Err(too_many());
        }
    }
    form(pairs.into_iter())
}

fn too_many() -> Failure {
    Failure::said(format!("The request body holds more than {MAX_NAMES} values"))
}

fn json(bytes: &[u8]) -> Result<Map<String, Value>, Failure> {
    let given = doors::json::object(bytes)?;
    let mut count = 0;
    for value in given.values() {
        measure(value, 1, &mut count)?;
    }
    // A JSON object may name its lists as a form does: `userIds[]`.
    let mut read = Map::new();
    for (name, value) in given {
        let name = named(name.strip_suffix("[]").unwrap_or(&name));
        if read.contains_key(&name) {
            return Err(Fault::Twice(Name::of(&name)).into());
        }
        read.insert(name, value);
    }
    Ok(read)
}

fn measure(value: &Value, depth: usize, count: &mut usize) -> Result<(), Failure> {
    *count += 1;
    if *count > MAX_NAMES {
        return Err(too_many());
    }
    if depth > MAX_DEPTH {
        return Err(Fault::Malformed.into());
    }
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| measure(item, depth + 1, count)),
        Value::Object(items) => items.values().try_for_each(|item| measure(item, depth + 1, count)),
        _ => Ok(()),
    }
}

/// A name with a small first letter.
pub fn named(name: &str) -> String {
    let name = name.trim();
    let mut letters = name.chars();
    match letters.next() {
        Some(first) if first.is_ascii_uppercase() => first.to_ascii_lowercase().to_string() + letters.as_str(),
        _ => name.into(),
    }
}

/// What PHP makes of names with brackets, in the order they came.
enum Node {
    Leaf(String),
    Branch(Vec<(String, Node)>),
}

fn form<A: AsRef<str>, B: Into<String>>(pairs: impl Iterator<Item = (A, B)>) -> Result<Map<String, Value>, Failure> {
    let mut roots: Vec<(String, Node)> = Vec::new();
    for (at, (name, value)) in pairs.enumerate() {
        if at >= MAX_NAMES {
            return Err(too_many());
        }
        let path = path(name.as_ref())?;
        put(&mut roots, &path, value.into());
    }
    Ok(roots.into_iter().map(|(name, node)| (name, value(node))).collect())
}

/// `vendorData[0][attribute]` as its steps; an empty step is the next number.
fn path(name: &str) -> Result<Vec<String>, Failure> {
    if name.len() > MAX_NAME {
        return Err(Failure::said("A name in the request body is too long"));
    }
    let (head, rest) = name.split_at(name.find('[').unwrap_or(name.len()));
    let mut steps = vec![named(head)];
    let mut rest = rest;
    while let Some(inner) = rest.strip_prefix('[') {
        let Some((step, more)) = inner.split_once(']') else { break };
        steps.push(step.trim().to_string());
        rest = more;
        if steps.len() > MAX_DEPTH {
            return Err(Fault::Malformed.into());
        }
    }
    Ok(steps)
}

fn put(level: &mut Vec<(String, Node)>, path: &[String], text: String) {
    let Some((step, rest)) = path.split_first() else { return };
    let step = if step.is_empty() { level.len().to_string() } else { step.clone() };
    let at = level.iter().position(|(name, _)| *name == step).unwrap_or_else(|| {
        level.push((step, Node::Branch(Vec::new())));
        level.len() - 1
    });
    let node = &mut level[at].1;
    if rest.is_empty() {
        // Of a repeated name the last counts.
        *node = Node::Leaf(text);
        return;
    }
    if let Node::Leaf(_) = node {
        *node = Node::Branch(Vec::new());
    }
    if let Node::Branch(inner) = node {
        put(inner, rest, text);
    }
}

/// Numbered names are a list.
fn value(node: Node) -> Value {
    match node {
        Node::Leaf(text) => Value::String(text),
        Node::Branch(items) => {
            let numbered = items.iter().all(|(name, _)| name.bytes().all(|b| b.is_ascii_digit()));
            match numbered {
                true => Value::Array(items.into_iter().map(|(_, node)| value(node)).collect()),
                false => Value::Object(items.into_iter().map(|(name, node)| (name, value(node))).collect()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(text: &str) -> Result<Value, u16> {
        form(form_urlencoded::parse(text.as_bytes())).map(Value::Object).map_err(|failure| failure.code)
    }

    #[test]
    fn names_with_brackets_nest() {
        let rows = [
            ("a=1&b=2&a=3", json!({ "a": "3", "b": "2" })),
            ("userIds[]=1&userIds[]=2", json!({ "userIds": ["1", "2"] })),
            (
                "vendorData[0][attribute]=x&vendorData[0][value]=1&vendorData[1][attribute]=y",
                json!({ "vendorData": [{ "attribute": "x", "value": "1" }, { "attribute": "y" }] }),
            ),
            ("v[99999999999999999999]=x", json!({ "v": ["x"] })),
            ("v[=x", json!({ "v": "x" })),
            ("v[]]=x", json!({ "v": ["x"] })),
            ("v=1&v[a]=2", json!({ "v": { "a": "2" } })),
            ("v[a]=2&v=1", json!({ "v": "1" })),
            ("StreetName=x&Phone=1", json!({ "streetName": "x", "phone": "1" })),
            ("[]=x", json!({ "0": ["x"] })),
        ];
        for (text, expected) in rows {
            assert_eq!(told(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn bombs_are_refused() {
        assert_eq!(told(&format!("a{}=1", "[x]".repeat(60))), Err(400));
        assert_eq!(told(&format!("{}=1", "a".repeat(300))), Err(400));
        assert_eq!(told(&"a[]=1&".repeat(1001)), Err(400));
        assert!(told(&"a[]=1&".repeat(1000)).is_ok());
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(9), "]".repeat(9));
        assert_eq!(json(deep.as_bytes()).map_err(|failure| failure.code), Err(400));
        let wide = format!("{{\"a\":[{}1]}}", "1,".repeat(2000));
        assert_eq!(json(wide.as_bytes()).map_err(|failure| failure.code), Err(400));
        for twice in [r#"{"userId":1,"userId":2}"#, r#"{"userId":1,"UserId":2}"#, r#"{"a":1,"a[]":[2]}"#] {
            let said = json(twice.as_bytes()).map_err(|failure| (failure.code, failure.message.contains("twice")));
            assert_eq!(said, Err((400, true)), "{twice}");
        }
        assert_eq!(json(b"[1]").map_err(|failure| failure.code), Err(400));
    }

    /// Whatever bytes come: they are names and values, no more than there may be, or a refusal.
    #[test]
    fn any_body_is_read_or_refused() {
        let seeds: [&[u8]; 6] = [
            b"userName=ali&password=x&vendorData[0][attribute]=a&vendorData[0][value]=1&vendorData[1][attribute]=b",
            b"userIds[]=1&userIds[]=2&UserGroupId=7&staticIpAddress[]=10.0.0.1&v[a][b][c]=1",
            br#"{"userIds[]":[1,2],"vendorData":[{"attribute":"a","value":1}],"UserId":3}"#,
            br#"{"expiryDate":"31-12-2030","days":0,"price":1.5,"x":null}"#,
            b"v=1&v[a]=2&v[]=3&[]=x&v[99999999999999999999]=x",
            b"",
        ];
        let tokens: [&[u8]; 12] =
            [b"[", b"]", b"[]", b"[0]", b"&", b"=", b"%5B", b"%00", b"\"", b"{", b"userIds", b"UserIds"];
        inputs::run("jaze bodies", &seeds, &tokens, 500_000, |input| {
            for read in [form(form_urlencoded::parse(input)), json(input)] {
                let Ok(given) = read else { continue };
                let mut count = 0;
                assert!(given.values().all(|value| measure(value, 0, &mut count).is_ok()), "bounded");
                assert!(given.keys().all(|name| !name.starts_with(|c: char| c.is_ascii_uppercase())));
            }
        });
    }
}
