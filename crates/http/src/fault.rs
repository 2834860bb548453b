//! What is wrong with a request before its dialect has looked at what it says.

use std::borrow::Cow;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// A name that a caller wrote, as it is told back: its first letters, none but plain ones.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name {
    letters: [u8; Name::MOST],
    count: u8,
}

impl Name {
    const MOST: usize = 40;

    pub fn of(text: &str) -> Name {
        let mut name = Name { letters: [0; Name::MOST], count: 0 };
        for (letter, place) in text.chars().zip(&mut name.letters) {
            let plain = letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | ' ' | '[' | ']');
            *place = if plain { letter as u8 } else { b'?' };
            name.count += 1;
        }
        name
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.letters[..usize::from(self.count)]).unwrap_or_default()
    }
}

impl std::fmt::Debug for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

/// Travels in the response's extensions until the dialect's voice has put it into its words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    NoSuchPath,
    MethodNotAllowed,
    /// The body is not JSON, or nests deeper than 128.
    Malformed,
    /// The body is JSON, but no object.
    NotAnObject,
    /// A name stands twice in one object of the body.
    Twice(Name),
    /// What has this name is a number larger than any reader has.
    NoNumber(Name),
    /// Neither JSON nor a form.
    ContentType,
    /// Beyond [`crate::MAX_BODY`].
    TooLarge,
    /// The caller went away while sending.
    Interrupted,
    /// The `Idempotency-Key` is longer than 255 characters or not plain text, or there are two.
    BadKey,
    /// The same `Idempotency-Key` came with another request.
    KeyReused,
    /// The first call with the same `Idempotency-Key` is still under way.
    KeyTaken,
    /// The first call with the same `Idempotency-Key` was done, and the server ended before it could keep the answer.
    AnswerLost,
    TimedOut,
    Panicked,
}

impl Fault {
    pub fn status(self) -> StatusCode {
        match self {
            Fault::NoSuchPath => StatusCode::NOT_FOUND,
            Fault::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Fault::Malformed
            | Fault::NotAnObject
            | Fault::Twice(_)
            | Fault::NoNumber(_)
            | Fault::ContentType
            | Fault::Interrupted
            | Fault::BadKey => StatusCode::BAD_REQUEST,
            Fault::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Fault::KeyReused | Fault::KeyTaken | Fault::AnswerLost => StatusCode::CONFLICT,
            Fault::TimedOut => StatusCode::SERVICE_UNAVAILABLE,
            Fault::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// For people; the same in every dialect.
    pub fn message(self) -> Cow<'static, str> {
        let said = match self {
            Fault::NoSuchPath => "Endpoint not found",
            Fault::MethodNotAllowed => "Method not allowed",
            Fault::Malformed => "The request body is not valid JSON",
            Fault::NotAnObject => "The request body must be a JSON object",
            Fault::Twice(name) => return format!("The request body has the name {} twice", name.as_str()).into(),
            Fault::NoNumber(name) => return format!("The {} must be a smaller number", name.as_str()).into(),
            Fault::ContentType => "The Content-Type must be application/json",
            Fault::TooLarge => "The request body must not be larger than 1 MiB",
            Fault::Interrupted => "The request body was cut off",
            Fault::BadKey => "The Idempotency-Key must be text of at most 255 characters",
            Fault::KeyReused => "This Idempotency-Key was used for another request",
            Fault::KeyTaken => "The first request with this Idempotency-Key is still being worked on, please try again",
            Fault::AnswerLost => {
                "The request with this Idempotency-Key was done, but its answer was lost; please look it up before you \
                 send it with another key"
            }
            Fault::TimedOut => "The server is overloaded, please try again",
            Fault::Panicked => "Server error",
        };
        said.into()
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
