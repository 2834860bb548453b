//! Failures: `{"success": false, "message", "code", "timestamp"}`, flat, with `errors` or `retry_after` where they apply.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use domain::Instant;
use doors::{Fault, sentence, wire::utc_seconds, words};
use serde_json::{Map, Value, json};
use service::{Error, What};

/// A refusal in this dialect's words. Its timestamp is set last, by [`speak`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    pub errors: Vec<(&'static str, String)>,
    pub retry_after_s: Option<i64>,
}

/// What is not found, and how it is told.
fn unknown(what: What) -> (&'static str, &'static str) {
    match what {
        What::Customer | What::Service => ("CUST_404", "Customer not found"),
        What::Plan => ("PLAN_404", "Plan not found"),
        What::Router => ("ROUTER_404", "Router not found"),
        What::Bandwidth => ("BW_404", "Bandwidth profile not found"),
        What::Pool => ("POOL_404", "Pool not found"),
        What::Voucher => ("VOUCH_404", "Voucher not found"),
        What::Account
        | What::ApiClient
        | What::Attribute
        | What::Bill
        | What::Billing
        | What::Binding
        | What::Branch
        | What::Collection
        | What::Complaint
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
        | What::Password
        | What::Payment
        | What::PlaceLevel
        | What::RechargeCard
        | What::Session
        | What::Staff
        | What::StatusCheck
        | What::VpnAccount
        | What::VpnServer
        | What::Webhook
        | What::Zone
        | What::Place(_) => ("NOT_404", "Not found"),
    }
}

/// What is in use, and how it is told.
fn in_use(what: What) -> (&'static str, &'static str) {
    match what {
        What::Bandwidth => ("BW_IN_USE", "Cannot delete a bandwidth profile that is used by active plans"),
        What::Plan => ("PLAN_IN_USE", "Cannot delete a plan that customers have or that another plan falls back to"),
        What::Account
        | What::ApiClient
        | What::Attribute
        | What::Bill
        | What::Billing
        | What::Binding
        | What::Branch
        | What::Collection
        | What::Complaint
        | What::Customer
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
        | What::Password
        | What::Payment
        | What::PlaceLevel
        | What::Pool
        | What::RechargeCard
        | What::Router
        | What::Service
        | What::Session
        | What::Staff
        | What::StatusCheck
        | What::Voucher
        | What::VpnAccount
        | What::VpnServer
        | What::Webhook
        | What::Zone
        | What::Place(_) => ("IN_USE", "Cannot delete what is in use"),
    }
}

impl Failure {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Failure {
        Failure { status, code, message: message.into(), errors: Vec::new(), retry_after_s: None }
    }

    pub fn too_fast(retry_after_s: i64) -> Failure {
        let message = format!("Rate limit exceeded. Please wait {retry_after_s} seconds.");
        let failure = Failure::new(StatusCode::TOO_MANY_REQUESTS, "RATE_001", message);
        Failure { retry_after_s: Some(retry_after_s), ..failure }
    }

    pub fn month_used_up(retry_after_s: i64) -> Failure {
        let message = "Monthly request quota exceeded. It starts anew next month.";
        let failure = Failure::new(StatusCode::TOO_MANY_REQUESTS, "RATE_001", message);
        Failure { retry_after_s: Some(retry_after_s), ..failure }
    }

    pub fn read_only() -> Failure {
        Failure::new(StatusCode::FORBIDDEN, "PERM_001", "Your API plan allows reading only")
    }

    /// The same with its message introduced: "Failed to recharge customer: Customer not found".
    pub fn introduced(self, introduction: &str) -> Failure {
        match self.status {
            StatusCode::NOT_FOUND => Failure { message: format!("{introduction}: {}", self.message), ..self },
            _ => self,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let bad = StatusCode::BAD_REQUEST;
        let busy = |message: &str| Failure {
            retry_after_s: Some(1),
            ..Failure::new(StatusCode::SERVICE_UNAVAILABLE, "SERVER_503", message)
        };
        match error {
            Error::Invalid(wrong) => Failure {
                errors: wrong
                    .into_iter()
                    .map(|wrong| (wrong.field, sentence::about(wrong.field, &wrong.why)))
                    .collect(),
                ..Failure::new(bad, "VALID_001", "Validation failed")
            },
            Error::NotFound { what } => {
                let (code, message) = unknown(what);
                Failure::new(StatusCode::NOT_FOUND, code, message)
            }
            Error::Unauthenticated => {
                Failure::new(StatusCode::UNAUTHORIZED, "AUTH_001", "Unauthorized - Invalid API key")
            }
            Error::Forbidden => {
                Failure::new(StatusCode::FORBIDDEN, "PERM_001", "You don't have permission to access this customer")
            }
            Error::InUse { what, .. } => {
                let (code, message) = in_use(what);
                Failure::new(bad, code, message)
            }
            Error::Refused(why) => Failure::new(bad, "STATE_001", words::refusal(why)),
            Error::Insufficient { .. } => Failure::new(bad, "FUNDS_001", "The customer's balance is not sufficient"),
            Error::KeyReused => Fault::KeyReused.into(),
            Error::KeyTaken => Fault::KeyTaken.into(),
            Error::Changed => Failure::new(StatusCode::CONFLICT, "STATE_002", "It was changed meanwhile"),
            Error::TooOften { wait_s } => Failure::too_fast(wait_s),
            Error::Busy => busy("The server is busy, please try again"),
            Error::Unavailable => busy("The server is unavailable, please try again"),
            Error::Internal(details) => {
                tracing::error!(details, "a request failed");
                Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "SERVER_500", "Server error")
            }
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        let code = match fault {
            Fault::NoSuchPath => "ROUTE_404",
            Fault::MethodNotAllowed => "METHOD_405",
            Fault::Malformed
            | Fault::NotAnObject
            | Fault::Twice(_)
            | Fault::NoNumber(_)
            | Fault::ContentType
            | Fault::Interrupted
            | Fault::BadKey => "REQUEST_400",
            Fault::TooLarge => "REQUEST_413",
            Fault::KeyReused | Fault::KeyTaken | Fault::AnswerLost => "IDEMPOTENCY_409",
            Fault::TimedOut => "SERVER_503",
            Fault::Panicked => "SERVER_500",
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

/// Writes the failure a response carries, if it carries one; it knows what time it is.
pub fn speak(mut response: Response, now: Instant) -> Response {
    let own = response.extensions_mut().remove::<Failure>();
    let failure = own.or_else(|| response.extensions_mut().remove::<Fault>().map(Failure::from));
    let Some(Failure { status, code, message, errors, retry_after_s }) = failure else { return response };
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
    body["code"] = code.into();
    if let Some(seconds) = retry_after_s {
        body["retry_after"] = seconds.into();
    }
    body["timestamp"] = utc_seconds(now).into();
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
