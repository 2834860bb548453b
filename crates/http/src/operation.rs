//! A call with its right and its description. The table of a dialect that is described (`operations!`) is its routes,
//! its rights and its OpenAPI document at once, so that none of the three can be forgotten or drift.

use std::collections::BTreeMap;

use axum::Router;
use domain::Scope;
use serde_json::{Map, Value, json};
use service::App;
use utoipa::ToSchema;

use crate::{
    Route,
    form::{Described, Form},
};

/// Schemas by name, as gathered for `components/schemas`.
pub type Schemas = BTreeMap<String, Value>;

/// What a call answers with when it succeeds.
#[derive(Clone, Copy)]
pub enum Shape {
    /// `{"data": …}`.
    Data(fn(&mut Schemas) -> Value),
    /// `{"data": [ … ], "meta": { … }}`, with `page` and `per_page` in the query.
    List(fn(&mut Schemas) -> Value),
    /// As it is, without an envelope.
    Bare(fn(&mut Schemas) -> Value),
    /// A file of this type.
    File(&'static str),
    /// No content.
    Nothing,
}

/// How a call is described, and what it needs.
#[derive(Clone, Copy)]
pub struct Operation {
    pub tag: &'static str,
    pub summary: &'static str,
    /// What a caller should know besides.
    pub about: &'static str,
    /// `None`: no right is needed; with `public`, not even a credential.
    pub scope: Option<Scope>,
    pub public: bool,
    pub query: Option<fn() -> Vec<Described>>,
    pub body: Option<(&'static str, fn() -> Vec<Described>)>,
    pub status: u16,
    pub answer: Shape,
    /// Ours: no vendor documented it.
    pub home: bool,
    /// Takes `If-Match`, and refuses to change what has been changed since.
    pub conditional: bool,
    /// Documented refusals besides 401, 403, 422 and 429.
    pub refusals: &'static [u16],
}

impl Operation {
    pub const fn new(tag: &'static str, summary: &'static str, scope: Scope) -> Operation {
        Operation {
            tag,
            summary,
            about: "",
            scope: Some(scope),
            public: false,
            query: None,
            body: None,
            status: 200,
            answer: Shape::Nothing,
            home: false,
            conditional: false,
            refusals: &[],
        }
    }

    /// For callers that have no credential yet.
    pub const fn public(tag: &'static str, summary: &'static str) -> Operation {
        Operation { scope: None, public: true, ..Operation::new(tag, summary, Scope::DashboardRead) }
    }

    /// For every credential, whatever its rights.
    pub const fn anybody(tag: &'static str, summary: &'static str) -> Operation {
        Operation { scope: None, ..Operation::new(tag, summary, Scope::DashboardRead) }
    }

    pub const fn about(mut self, about: &'static str) -> Operation {
        self.about = about;
        self
    }

    pub const fn query<F: Form>(mut self) -> Operation {
        self.query = Some(F::described);
        self
    }

    pub const fn body<F: Form>(mut self) -> Operation {
        self.body = Some((F::NAME, F::described));
        self
    }

    pub const fn answers<T: ToSchema>(mut self) -> Operation {
        self.answer = Shape::Data(schema_of::<T>);
        self
    }

    pub const fn creates<T: ToSchema>(mut self) -> Operation {
        self.answer = Shape::Data(schema_of::<T>);
        self.status = 201;
        self
    }

    pub const fn lists<T: ToSchema>(mut self) -> Operation {
        self.answer = Shape::List(schema_of::<T>);
        self
    }

    pub const fn bare<T: ToSchema>(mut self) -> Operation {
        self.answer = Shape::Bare(schema_of::<T>);
        self
    }

    pub const fn file(mut self, kind: &'static str) -> Operation {
        self.answer = Shape::File(kind);
        self
    }

    pub const fn no_content(mut self) -> Operation {
        self.answer = Shape::Nothing;
        self.status = 204;
        self
    }

    pub const fn home(mut self) -> Operation {
        self.home = true;
        self
    }

    pub const fn conditional(mut self) -> Operation {
        self.conditional = true;
        self
    }

    pub const fn refuses(mut self, statuses: &'static [u16]) -> Operation {
        self.refusals = statuses;
        self
    }
}

/// The schema of a type that derives [`ToSchema`], by reference.
fn schema_of<T: ToSchema>(schemas: &mut Schemas) -> Value {
    let mut inner = Vec::new();
    T::schemas(&mut inner);
    inner.push((T::name().into_owned(), T::schema()));
    for (name, schema) in inner {
        schemas.entry(name).or_insert_with(|| serde_json::to_value(schema).unwrap_or_default());
    }
    json!({ "$ref": format!("#/components/schemas/{}", T::name()) })
}

/// `operations! { GET "/api/v2/plans" => plans::list, plans::LIST; … }`: as `routes!`, with each row's [`Operation`]; the
/// table `OPERATIONS` holds them in the rows' order.
#[macro_export]
macro_rules! operations {
    ($($method:ident $path:literal => $handler:path, $operation:expr;)*) => {
        $crate::routes! { OPERATIONS: $crate::Operation; $($method $path => $handler, $operation;)* }

        /// The table, as a dialect joins it with others.
        pub(crate) const TABLE: $crate::operation::Table =
            $crate::operation::Table { routes: ROUTES, operations: OPERATIONS, router: table };
    };
}

/// The calls of one subject.
#[derive(Clone, Copy)]
pub struct Table {
    pub routes: &'static [Route],
    pub operations: &'static [Operation],
    pub router: fn() -> Router<App>,
}

/// A dialect's subjects as one.
impl Table {
    pub const fn calls(tables: &[Table]) -> usize {
        let (mut sum, mut at) = (0, 0);
        while at < tables.len() {
            sum += tables[at].routes.len();
            at += 1;
        }
        sum
    }

    pub const fn routes<const N: usize>(tables: &[Table]) -> [Route; N] {
        let mut all = [tables[0].routes[0]; N];
        let (mut table, mut row, mut at) = (0, 0, 0);
        while at < N {
            if row == tables[table].routes.len() {
                (table, row) = (table + 1, 0);
            } else {
                all[at] = tables[table].routes[row];
                (row, at) = (row + 1, at + 1);
            }
        }
        all
    }

    pub const fn operations<const N: usize>(tables: &[Table]) -> [Operation; N] {
        let mut all = [tables[0].operations[0]; N];
        let (mut table, mut row, mut at) = (0, 0, 0);
        while at < N {
            if row == tables[table].operations.len() {
                (table, row) = (table + 1, 0);
            } else {
                all[at] = tables[table].operations[row];
                (row, at) = (row + 1, at + 1);
            }
        }
        all
    }

    pub fn router(tables: &[Table]) -> Router<App> {
        tables.iter().fold(Router::new(), |all, table| all.merge((table.router)()))
    }
}

/// Title and text of a document.
#[derive(Clone, Copy, Debug)]
pub struct About {
    pub title: &'static str,
    pub version: &'static str,
    pub text: &'static str,
}

/// What a call may be sent, for the document.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Method and path of the row.
    pub call: &'static str,
    pub body: Value,
}

impl Sample {
    /// From JSON in which `$name` stands for what only a test knows: an id where it stands bare, else a text.
    pub fn of(call: &'static str, body: &str) -> Option<Sample> {
        let mut text = String::with_capacity(body.len());
        let mut rest = body;
        while let Some((before, after)) = rest.split_once('$') {
            let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
            text += before;
            text += if before.ends_with('"') { &after[..end] } else { "1" };
            rest = &after[end..];
        }
        Some(Sample { call, body: serde_json::from_str(&(text + rest)).ok()? })
    }
}

/// An OpenAPI 3.1 document. `failure` is the schema of every refusal; the first sample of a call is shown.
pub fn document(about: About, routes: &[Route], operations: &[Operation], failure: Value, samples: &[Sample]) -> Value {
    let mut schemas = Schemas::new();
    schemas.insert("Failure".into(), failure);
    let mut paths: Map<String, Value> = Map::new();
    for (route, operation) in routes.iter().zip(operations) {
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        let mut described = described(route, operation, &mut schemas);
        let call = format!("{} {}", route.method, route.path);
        if let Some(sample) = samples.iter().find(|sample| sample.call == call) {
            described["requestBody"]["content"]["application/json"]["example"] = sample.body.clone();
        }
        item[route.method.to_lowercase()] = described;
    }
    let mut tags: Vec<&str> = Vec::new();
    for operation in operations {
        if !tags.contains(&operation.tag) {
            tags.push(operation.tag);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": about.title, "version": about.version, "description": about.text },
        "servers": [{ "url": "/" }],
        "tags": tags.into_iter().map(|tag| json!({ "name": tag })).collect::<Vec<_>>(),
        "security": [{ "bearer": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } },
            "schemas": schemas,
        },
    })
}

fn described(route: &Route, operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut parameters: Vec<Value> = path_parameters(route.path);
    if matches!(operation.answer, Shape::List(_)) {
        parameters.extend([
            parameter(
                "query",
                "page",
                false,
                "The page, counted from 1.",
                json!({ "type": "integer", "minimum": 1, "maximum": 1_000_000_000, "default": 1 }),
            ),
            parameter(
                "query",
                "per_page",
                false,
                "Rows on a page.",
                json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 20 }),
            ),
        ]);
    }
    for field in operation.query.map(|query| query()).unwrap_or_default() {
        parameters.push(parameter("query", field.name, field.required, field.about, field.schema));
    }
    let writes = !matches!(route.method, "GET");
    if writes && !operation.public {
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": 255 });
        let text = "A repeat with the same key gets the first answer; the same key with another request is refused.";
        parameters.push(parameter("header", "Idempotency-Key", false, text, schema));
    }
    if operation.conditional {
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": 100 });
        let text = "The `ETag` of what you read: if it has been changed since, nothing is done (412).";
        parameters.push(parameter("header", "If-Match", false, text, schema));
    }
    let mut out = json!({
        "operationId": route.name.replace("::", "_"),
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": sentence(operation),
        "parameters": parameters,
        "responses": responses(route, operation, schemas),
    });
    if operation.home {
        out["x-lastmile"] = true.into();
    }
    if operation.public {
        out["security"] = json!([]);
    }
    if let Some((name, fields)) = operation.body {
        schemas.entry(name.into()).or_insert_with(|| object(fields()));
        let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
        out["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    out
}

fn sentence(operation: &Operation) -> String {
    match operation.scope {
        Some(scope) => format!("{} Needs the scope `{}`.", operation.about, scope.word()).trim().into(),
        None => operation.about.into(),
    }
}

fn path_parameters(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names
        .map(|name| {
            let schema = match name {
                "id" | "delivery" => json!({ "type": "integer", "format": "int64", "minimum": 1 }),
                _ => json!({ "type": "string" }),
            };
            parameter("path", name, true, "", schema)
        })
        .collect()
}

fn parameter(place: &str, name: &str, required: bool, about: &str, schema: Value) -> Value {
    json!({ "in": place, "name": name, "required": required, "description": about, "schema": schema })
}

/// A form as a schema. Null is as good as absent for what is optional.
fn object(fields: Vec<Described>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in fields {
        let mut schema = field.schema;
        schema["description"] = field.about.into();
        if field.required {
            required.push(field.name);
        } else if let Some(kind) = schema.get("type").and_then(Value::as_str).map(str::to_string) {
            schema["type"] = json!([kind, "null"]);
            if let Some(Value::Array(words)) = schema.get_mut("enum") {
                words.push(Value::Null);
            }
        }
        properties.insert(field.name.into(), schema);
    }
    json!({ "type": "object", "properties": properties, "required": required })
}

fn responses(route: &Route, operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut all = Map::new();
    let json_of = |schema: Value| json!({ "application/json": { "schema": schema } });
    let content = match operation.answer {
        Shape::Nothing => None,
        Shape::File(kind) => Some(json!({ kind: { "schema": { "type": "string" } } })),
        Shape::Bare(schema) => Some(json_of(schema(schemas))),
        Shape::Data(schema) => Some(json_of(json!({
            "type": "object", "required": ["data"], "properties": { "data": schema(schemas) }
        }))),
        Shape::List(schema) => {
            schemas.entry("Meta".into()).or_insert_with(meta);
            Some(json_of(json!({
                "type": "object",
                "required": ["data", "meta"],
                "properties": {
                    "data": { "type": "array", "items": schema(schemas) },
                    "meta": { "$ref": "#/components/schemas/Meta" },
                }
            })))
        }
    };
    let mut done = json!({ "description": "Done." });
    if let Some(content) = content {
        done["content"] = content;
    }
    all.insert(operation.status.to_string(), done);
    let mut refused = vec![400, 429, 503];
    if !operation.public {
        refused.extend([401, 403]);
    } else {
        refused.push(401);
    }
    if operation.body.is_some() || operation.query.is_some() || matches!(operation.answer, Shape::List(_)) {
        refused.push(422);
    }
    if route.path.contains('{') {
        refused.push(404);
    }
    if !matches!(route.method, "GET") && !operation.public {
        refused.extend([409, 413]);
    }
    if operation.conditional {
        refused.push(412);
    }
    refused.extend(operation.refusals);
    refused.sort_unstable();
    refused.dedup();
    for status in refused {
        let schema = json!({ "$ref": "#/components/schemas/Failure" });
        all.insert(status.to_string(), json!({ "description": told(status), "content": json_of(schema) }));
    }
    all.into()
}

fn meta() -> Value {
    let whole = json!({ "type": "integer", "minimum": 0 });
    json!({
        "type": "object",
        "required": ["current_page", "per_page", "total", "last_page"],
        "properties": { "current_page": whole, "per_page": whole, "total": whole, "last_page": whole },
    })
}

fn told(status: u16) -> &'static str {
    match status {
        400 => "Malformed request.",
        401 => "No credential, or one that is not good.",
        403 => "The credential does not allow this.",
        404 => "No such row.",
        409 => "In conflict with what is so, or an Idempotency-Key used for another request.",
        412 => "The row was changed since.",
        413 => "The body is larger than 1 MiB.",
        422 => "Some fields are wrong; `error.details` names them.",
        429 => "Too many requests; `Retry-After` says how long to wait.",
        503 => "Overloaded or without its database; try again.",
        _ => "Refused.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_something_for_what_only_tests_know() {
        let sample = Sample::of("POST /x", r#"{"plan_id": $gold, "code": "$code", "note": "a"}"#).unwrap();
        assert_eq!(sample.body, json!({ "plan_id": 1, "code": "code", "note": "a" }));
        assert!(Sample::of("POST /x", "{").is_none());
    }
}
