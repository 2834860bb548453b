//! Failures: `{"status": "failure", "errorCode": 404, "message": …}`. The vendor publishes none; the word and the codes
//! are docs/readings.md J2.

use axum::{
    Json,
    http::{
        HeaderValue, StatusCode,
        header::{RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use domain::Instant;
use doors::{Fault, sentence, words};
use serde_json::json;
use service::{Error, What, customers::places::Level};

/// What is said of everything that went wrong.
pub const STATUS: &str = "failure";

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    pub code: u16,
    pub message: String,
    pub retry_after_s: Option<i64>,
}

/// What is not found, and how it is told.
fn unknown(what: What) -> &'static str {
    match what {
        What::Customer | What::Service => "User not found",
        What::Password => "The user has no password to show",
        What::Plan => "Group not found",
        What::Account => "Account not found",
        What::Place(Level::CollectionArea) => "Area not found",
        What::Place(Level::Street) => "Street not found",
        What::Place(Level::Building) => "Block not found",
        What::Collection => "Collection not found",
        What::Bill => "Invoice not found",
        What::Billing => "Billing not found",
        What::Payment => "Payment not found",
        What::Complaint => "Ticket not found",
        What::ApiClient
        | What::Attribute
        | What::Bandwidth
        | What::Binding
        | What::Branch
        | What::Delivery
        | What::Device
        | What::FupTemplate
        | What::HeadOffice
        | What::Isp
        | What::Job
        | What::Network
        | What::Olt
        | What::Onu
        | What::Operator
        | What::PlaceLevel
        | What::Pool
        | What::RechargeCard
        | What::Router
        | What::Session
        | What::Staff
        | What::StatusCheck
        | What::Voucher
        | What::VpnAccount
        | What::VpnServer
        | What::Webhook
        | What::Zone
        | What::Place(
            Level::Country | Level::Province | Level::City | Level::Area | Level::Subarea | Level::Department,
        ) => "Not found",
    }
}

impl Failure {
    fn new(code: u16, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into(), retry_after_s: None }
    }

    pub fn said(message: impl Into<String>) -> Failure {
        Failure::new(400, message)
    }

    pub fn unknown(message: &str) -> Failure {
        Failure::new(404, message)
    }

    pub fn too_fast(retry_after_s: i64) -> Failure {
        let message = format!("Too many requests. Please wait {retry_after_s} seconds.");
        Failure { retry_after_s: Some(retry_after_s), ..Failure::new(429, message) }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let busy = |message: &str| Failure { retry_after_s: Some(1), ..Failure::new(503, message) };
        match error {
            Error::Invalid(wrong) => {
                let told: Vec<String> = wrong.iter().map(|wrong| sentence::about(wrong.field, &wrong.why)).collect();
                Failure::said(told.join(" "))
            }
            Error::NotFound { what } => Failure::unknown(unknown(what)),
            Error::Unauthenticated => Failure::new(401, "Invalid API token or API key"),
            Error::Forbidden => Failure::new(403, "You are not allowed to do this"),
            Error::InUse { .. } => Failure::said("It is in use"),
            Error::Refused(why) => Failure::said(words::refusal(why)),
            Error::Insufficient { .. } => Failure::said("The balance is not sufficient"),
            Error::KeyReused => Fault::KeyReused.into(),
            Error::KeyTaken => Fault::KeyTaken.into(),
            Error::Changed => Failure::new(409, "It was changed meanwhile"),
            Error::TooOften { wait_s } => Failure::too_fast(wait_s),
            Error::Busy => busy("The server is busy, please try again"),
            Error::Unavailable => busy("The server is unavailable, please try again"),
            Error::Internal(details) => {
                tracing::error!(details, "a request failed");
                Failure::new(500, "Server error")
            }
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        let message = match fault {
            Fault::Malformed => "The request body is malformed, or nests too deep".into(),
            Fault::ContentType => "The request body must be a form, multipart or JSON".into(),
            other => other.message(),
        };
        Failure::new(fault.status().as_u16(), message)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = json!({ "status": STATUS, "errorCode": self.code, "message": self.message });
        let mut response = (status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        if self.code == 401 {
            let realm = HeaderValue::from_static("Basic realm=\"api\", charset=\"UTF-8\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, realm);
        }
        response
    }
}

/// Puts faults into this dialect's words.
pub fn speak(mut response: Response, _: Instant) -> Response {
    match response.extensions_mut().remove::<Fault>() {
        Some(fault) => {
            let mut told = Failure::from(fault).into_response();
            *told.extensions_mut() = response.extensions().clone();
            told
        }
        None => response,
    }
}
