//! Failures: `{"success": false, "message", "errors"}`; an activation's are `{"status": "error", "message", …}` with the
//! status codes of docs/readings.md 3.2.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use domain::Instant;
use doors::{Fault, sentence, words};
use serde_json::{Map, Value, json};
use service::{Error, What};

/// A refusal in this dialect's words.
#[derive(Clone, PartialEq, Debug)]
pub struct Failure {
    status: StatusCode,
    message: String,
    errors: Vec<(&'static str, String)>,
    retry_after_s: Option<i64>,
    /// In activation's envelope, with these keys besides.
    activation: Option<Map<String, Value>>,
}

/// What is not found, and how it is told.
fn unknown(what: What) -> &'static str {
    match what {
        What::Customer | What::Service => "Subscriber not found",
        What::Plan => "Package not found",
        What::Attribute => "Attribute not found",
        What::Staff | What::Operator => "User not found",
        What::Bill => "Invoice not found",
        What::Payment => "Payment not found",
        What::Complaint => "Ticket not found",
        What::Olt => "OLT not found",
        What::Router => "NAS not found",
        What::Pool => "IP pool not found",
        What::Account
        | What::ApiClient
        | What::Bandwidth
        | What::Billing
        | What::Binding
        | What::Branch
        | What::Collection
        | What::Delivery
        | What::Device
        | What::FupTemplate
        | What::HeadOffice
        | What::Isp
        | What::Job
        | What::Network
        | What::Onu
        | What::Password
        | What::PlaceLevel
        | What::RechargeCard
        | What::Session
        | What::StatusCheck
        | What::Voucher
        | What::VpnAccount
        | What::VpnServer
        | What::Webhook
        | What::Zone
        | What::Place(_) => "Not found",
    }
}

impl Failure {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Failure {
        Failure { status, message: message.into(), errors: Vec::new(), retry_after_s: None, activation: None }
    }

    /// An activation's error, with what it tells besides.
    pub fn activation(status: StatusCode, message: impl Into<String>, besides: Value) -> Failure {
        let besides = if let Value::Object(besides) = besides { besides } else { Map::new() };
        Failure { activation: Some(besides), ..Failure::new(status, message) }
    }

    pub fn too_fast(retry_after_s: i64) -> Failure {
        let message = format!("Too many requests. Please wait {retry_after_s} seconds.");
        Failure { retry_after_s: Some(retry_after_s), ..Failure::new(StatusCode::TOO_MANY_REQUESTS, message) }
    }

    /// `deed`: `view subscribers`.
    pub fn may_not(deed: &str) -> Failure {
        Failure::new(StatusCode::FORBIDDEN, format!("You do not have permission to {deed}"))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let unfit = |message: &str| Failure::new(StatusCode::UNPROCESSABLE_ENTITY, message);
        let busy = |message: &str| Failure {
            retry_after_s: Some(1),
            ..Failure::new(StatusCode::SERVICE_UNAVAILABLE, message)
        };
        match error {
            Error::Invalid(wrong) => Failure {
                errors: wrong
                    .into_iter()
                    .map(|wrong| (wrong.field, sentence::about(wrong.field, &wrong.why)))
                    .collect(),
                ..unfit("Validation failed")
            },
            Error::NotFound { what } => Failure::new(StatusCode::NOT_FOUND, unknown(what)),
            Error::Unauthenticated => Failure::new(StatusCode::UNAUTHORIZED, "Unauthenticated"),
            Error::Forbidden => Failure::may_not("view subscribers"),
            Error::InUse { what, by } => Failure::new(StatusCode::CONFLICT, words::in_use(what, by)),
            Error::Refused(why) => unfit(words::refusal(why)),
            Error::Insufficient { .. } => unfit("Insufficient Balance"),
            Error::KeyReused => Fault::KeyReused.into(),
            Error::KeyTaken => Fault::KeyTaken.into(),
            Error::Changed => Failure::new(StatusCode::CONFLICT, "It was changed meanwhile"),
            Error::TooOften { wait_s } => Failure::too_fast(wait_s),
            Error::Busy => busy("The server is busy, please try again"),
            Error::Unavailable => busy("The server is unavailable, please try again"),
            Error::Internal(details) => {
                tracing::error!(details, "a request failed");
                Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "Server error")
            }
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        Failure::new(fault.status(), fault.message())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the failure a response carries, if it carries one.
pub fn speak(mut response: Response, _: Instant) -> Response {
    let own = response.extensions_mut().remove::<Failure>();
    let failure = own.or_else(|| response.extensions_mut().remove::<Fault>().map(Failure::from));
    let Some(Failure { status, message, errors, retry_after_s, activation }) = failure else { return response };
    let body = match activation {
        Some(besides) => {
            let mut body = json!({ "status": "error", "message": message });
            besides.into_iter().for_each(|(key, value)| body[key] = value);
            body
        }
        None => {
            let mut body = json!({ "success": false, "message": message });
            if !errors.is_empty() {
                let mut fields = Map::new();
                for (field, told) in errors {
                    let list = fields.entry(field).or_insert_with(|| json!([]));
                    if let Value::Array(list) = list {
                        list.push(told.into());
                    }
                }
                body["errors"] = fields.into();
            }
            body
        }
    };
    let mut told = (status, Json(body)).into_response();
    if let Some(seconds) = retry_after_s {
        told.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    // Headers the refusal came with (`Allow`) and what the log wants to know stay.
    for (name, value) in response.headers() {
        if !matches!(name.as_str(), "content-length" | "content-type") {
            told.headers_mut().insert(name, value.clone());
        }
    }
    *told.extensions_mut() = std::mem::take(response.extensions_mut());
    told
}
