//! Failures: `{"error": {"code", "message", "details"}}`, the same in both versions. Only `VALIDATION_ERROR` is named
//! by the document; the other codes are those of docs/readings.md 2.2.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use domain::{Instant, Scope};
use doors::{Fault, sentence, words};
use serde_json::{Map, Value, json};
use service::{Error, FieldError};

/// A refusal in this document's words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    pub details: Vec<(&'static str, String)>,
    pub retry_after_s: Option<i64>,
}

impl Failure {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Failure {
        Failure { status, code, message: message.into(), details: Vec::new(), retry_after_s: None }
    }

    pub fn too_fast(retry_after_s: i64) -> Failure {
        let message = format!("Too many requests. Please wait {retry_after_s} seconds.");
        let failure = Failure::new(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMIT_EXCEEDED", message);
        Failure { retry_after_s: Some(retry_after_s), ..failure }
    }

    pub fn lacks(scope: Scope) -> Failure {
        let message = format!("This needs the right to {} ({}).", scope.allows(), scope.word());
        Failure::new(StatusCode::FORBIDDEN, "FORBIDDEN", message)
    }

    fn invalid(wrong: Vec<FieldError>) -> Failure {
        let details = wrong.into_iter().map(|wrong| (wrong.field, sentence::about(wrong.field, &wrong.why)));
        let failure = Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "VALIDATION_ERROR", "The given data was invalid.");
        Failure { details: details.collect(), ..failure }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let busy = |message: &str| Failure {
            retry_after_s: Some(1),
            ..Failure::new(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", message)
        };
        let unfit = |message: &str| Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "VALIDATION_ERROR", message);
        match error {
            Error::Invalid(wrong) => Failure::invalid(wrong),
            Error::NotFound { what } => {
                let message = format!("The {} was not found.", words::what(what));
                Failure::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
            }
            Error::Unauthenticated => {
                Failure::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Missing, expired or invalid credentials.")
            }
            Error::Forbidden => Failure::new(StatusCode::FORBIDDEN, "FORBIDDEN", "This is not yours to see or change."),
            Error::InUse { what, by } => {
                Failure::new(StatusCode::CONFLICT, "CONFLICT", format!("{}.", words::in_use(what, by)))
            }
            Error::Refused(why) => unfit(words::refusal(why)),
            Error::Insufficient { .. } => unfit("The balance is not sufficient."),
            Error::KeyReused => Fault::KeyReused.into(),
            Error::KeyTaken => Fault::KeyTaken.into(),
            Error::Changed => Failure::new(
                StatusCode::PRECONDITION_FAILED,
                "PRECONDITION_FAILED",
                "It was changed since you read it: read it again.",
            ),
            Error::TooOften { wait_s } => Failure::too_fast(wait_s),
            Error::Busy => busy("The server is busy, please try again."),
            Error::Unavailable => busy("The server is unavailable, please try again."),
            Error::Internal(details) => {
                tracing::error!(details, "a request failed");
                Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", "Unexpected server-side failure.")
            }
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        let code = match fault {
            Fault::NoSuchPath => "NOT_FOUND",
            Fault::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Fault::Malformed
            | Fault::NotAnObject
            | Fault::Twice(_)
            | Fault::NoNumber(_)
            | Fault::ContentType
            | Fault::Interrupted
            | Fault::BadKey => "BAD_REQUEST",
            Fault::TooLarge => "PAYLOAD_TOO_LARGE",
            Fault::KeyReused | Fault::KeyTaken | Fault::AnswerLost => "CONFLICT",
            Fault::TimedOut => "SERVICE_UNAVAILABLE",
            Fault::Panicked => "INTERNAL_ERROR",
        };
        Failure::new(fault.status(), code, fault.message())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Every refusal, as JSON Schema.
pub fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": { "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": { "type": "string", "examples": ["VALIDATION_ERROR"] },
                "message": { "type": "string" },
                "details": {
                    "type": "object",
                    "additionalProperties": { "type": "array", "items": { "type": "string" } },
                },
            },
        } },
    })
}

/// Writes the failure a response carries, if it carries one.
pub fn speak(mut response: Response, _: Instant) -> Response {
    let extensions = response.extensions_mut();
    let own = extensions.remove::<Failure>();
    let failure = own
        .or_else(|| extensions.remove::<Error>().map(Failure::from))
        .or_else(|| extensions.remove::<Fault>().map(Failure::from));
    let Some(Failure { status, code, message, details, retry_after_s }) = failure else { return response };
    let mut error = json!({ "code": code, "message": message });
    if !details.is_empty() {
        let mut fields = Map::new();
        for (field, told) in details {
            let list = fields.entry(field).or_insert_with(|| json!([]));
            if let Value::Array(list) = list {
                list.push(told.into());
            }
        }
        error["details"] = fields.into();
    }
    let mut told = (status, Json(json!({ "error": error }))).into_response();
    if let Some(seconds) = retry_after_s {
        told.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    // Headers the refusal came with (`Allow`, the limits) and what the log wants to know stay.
    for (name, value) in response.headers() {
        if !matches!(name.as_str(), "content-length" | "content-type") {
            told.headers_mut().insert(name, value.clone());
        }
    }
    *told.extensions_mut() = std::mem::take(response.extensions_mut());
    told
}
