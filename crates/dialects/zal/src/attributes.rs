//! A subscriber's own RADIUS attributes: `==` is a check of the login (radcheck), everything else goes into the reply
//! (radreply). What no dictionary knows or cannot encode is refused here, so that every answer can be written.

use axum::extract::State;
use domain::CustomerId;
use doors::{Asked, Fields, fields};
use radius::dictionary::{self, Hiding};
use serde::Serialize;
use serde_json::Value;
use service::{
    App, Error, Expected, FieldError, Why,
    access::attributes::{self, AttributeChange, NewAttribute, OPERATORS},
};

use crate::envelope::{Answer, Caller, Done, Failure, PlaceOf, Reply, id};

/// What the server itself must say, or only it can: proofs, state, identity (RFC 2865, 2869).
const OURS: &[&str] = &[
    "User-Password",
    "CHAP-Password",
    "CHAP-Challenge",
    "State",
    "Class",
    "Proxy-State",
    "EAP-Message",
    "Message-Authenticator",
    "User-Name",
    "Vendor-Specific",
];

#[derive(Serialize, Debug)]
pub struct Row {
    id: i64,
    attribute: String,
    op: String,
    value: String,
}

#[derive(Serialize, Debug)]
pub struct Added {
    id: i64,
}

/// Get Subscriber Attributes.
pub async fn list(State(app): State<App>, caller: Caller, Asked(mut asked): Asked) -> Answer<Vec<Row>> {
    asked.alias("subscriber_id", &["id"]);
    let place = PlaceOf::read(&mut asked);
    let customer = asked.required("subscriber_id", id);
    asked.finish()?;
    caller.scope(&app, place).await?;
    let rows = attributes::list(&app, &caller.actor, CustomerId(customer)).await;
    let rows = rows.map_err(|error| caller.refused(error))?.into_iter();
    Ok(Reply::data(
        rows.map(|row| Row { id: row.id, attribute: row.attribute, op: row.op, value: row.value }).collect(),
    ))
}

/// Add Subscriber Attribute.
pub async fn add(State(app): State<App>, caller: Caller, mut body: Fields) -> Answer<Added> {
    body.alias("subscriber_id", &["id"]);
    let customer = body.required("subscriber_id", id);
    let attribute = body.required("attribute", fields::text(1, 100));
    let value = body.required("value", text);
    let op = body.optional("op", operator).or(":=");
    body.finish()?;
    let command = NewAttribute { attribute, op: op.into(), value };
    checked(&command.attribute, &command.op, &command.value)?;
    let added = attributes::add(&app, &caller.actor, CustomerId(customer), command).await;
    let id = added.map_err(|error| caller.refused(error))?;
    Ok(Reply::created("Attribute added successfully", Added { id }))
}

/// Update Subscriber Attribute.
pub async fn update(State(app): State<App>, caller: Caller, mut body: Fields) -> Done {
    let row = body.required("id", id);
    let value = body.required("value", text);
    let attribute = body.optional("attribute", fields::text(1, 100)).value();
    let op = body.optional("op", operator).value();
    body.finish()?;
    let (owner, known) = found(&app, &caller, row).await?;
    checked(attribute.as_deref().unwrap_or(&known.attribute), op.unwrap_or(&known.op), &value)?;
    let given = AttributeChange { attribute, op: op.map(Into::into), value: Some(value) };
    let done = attributes::update(&app, &caller.actor, owner, row, given).await;
    done.map_err(|error| caller.refused(error))?;
    Ok(Reply::done("Attribute updated successfully"))
}

/// Delete Subscriber Attribute.
pub async fn remove(State(app): State<App>, caller: Caller, asked: Asked, mut body: Fields) -> Done {
    body.or_asked(asked);
    let row = body.required("id", id);
    body.finish()?;
    let (owner, _) = found(&app, &caller, row).await?;
    let done = attributes::remove(&app, &caller.actor, owner, row).await;
    done.map_err(|error| caller.refused(error))?;
    Ok(Reply::done("Attribute deleted successfully"))
}

/// The attribute's subscriber, who must be one of the caller's (docs/readings.md Z10).
async fn found(app: &App, caller: &Caller, row: i64) -> Result<(CustomerId, attributes::Attribute), Failure> {
    attributes::find(app, &caller.actor, row).await.map_err(|error| caller.refused(error))
}

/// A value as text; numbers are taken for their digits.
fn text(value: &Value) -> Result<String, Why> {
    match value {
        Value::Number(number) => Ok(number.to_string()),
        other => fields::text(1, 253)(other),
    }
}

fn operator(value: &Value) -> Result<&'static str, Why> {
    let text = value.as_str().ok_or(Why::NotText)?.trim();
    OPERATORS.iter().find(|known| **known == text).copied().ok_or(Why::NotOneOf(OPERATORS))
}

/// The dictionary knows the attribute, and the value is one of its.
fn checked(attribute: &str, op: &str, value: &str) -> Result<(), Error> {
    let wrong = |field, why| Err(Error::Invalid(vec![FieldError { field, why }]));
    let Some(entry) = dictionary::by_name(attribute.trim()) else { return wrong("attribute", Why::Unknown) };
    if OURS.contains(&entry.name) || entry.hiding != Hiding::None {
        return wrong("attribute", Why::Not(Expected::SubscribersAttribute));
    }
    if !attributes::compares(op) && dictionary::encode(entry, value).is_err() {
        return wrong("value", Why::Not(Expected::AttributesValue));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_written_is_taken() {
        let rows = [
            ("Framed-IP-Address", ":=", "192.168.1.100", true),
            ("framed-ip-address", "=", "192.168.1.100", true),
            ("Mikrotik-Rate-Limit", ":=", "5M/10M", true),
            ("Session-Timeout", ":=", "3600", true),
            ("Calling-Station-Id", "==", "AA:BB:CC:DD:EE:FF", true),
            ("Framed-IP-Address", ":=", "192.168.1.999", false),
            ("Session-Timeout", ":=", "-1", false),
            ("Session-Timeout", ":=", "99999999999999999999", false),
            ("Nonsense", ":=", "1", false),
            ("Message-Authenticator", ":=", "0x00", false),
            ("State", "+=", "x", false),
            ("Tunnel-Password", ":=", "secret", false),
            ("User-Password", ":=", "secret", false),
            ("Framed-IP-Address\nSession-Timeout", ":=", "1", false),
        ];
        for (attribute, op, value, right) in rows {
            assert_eq!(checked(attribute, op, value).is_ok(), right, "{attribute} {op} {value}");
        }
    }
}
