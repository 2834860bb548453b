//! E36: the RADIUS server's figures, by a real Status-Server exchange, in radclient's words.

use axum::extract::State;
use serde_json::Value;
use service::{App, kernel::probe::Port};

use crate::envelope::{Answer, Call, Failure, Reply};

/// E36 Get radius statistics: 1 authentication, 2 accounting (J32). Bare lines (J5).
pub async fn of_port(State(app): State<App>, call: Call) -> Answer {
    let (port, word) = match call.segment("type").as_deref() {
        Some("1") => (Port::Authentication, "Authentication"),
        Some("2") => (Port::Accounting, "Accounting"),
        _ => return Err(Failure::said("The type must be 1 or 2.")),
    };
    let went = app.statistics.of(&call.actor, port).await?;
    let from = went.ours.port();
    let mut lines = vec![
        format!("Sent Status-Server Id {} from 0.0.0.0:{from} to {} length {}", went.id, went.theirs, went.sent_bytes),
        "Message-Authenticator = 0x00".into(),
        format!("Statistics-Type = {word}"),
        format!("Response-Packet-Type = {}", went.answer),
        format!(
            "Received {} Id {} from {} to {} length {}",
            went.answer, went.id, went.theirs, went.ours, went.received_bytes
        ),
    ];
    lines.extend(went.figures.iter().map(|(name, value)| format!("{name} = {value}")));
    Ok(Reply(lines.into_iter().map(Value::from).collect()))
}
