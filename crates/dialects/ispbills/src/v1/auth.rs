//! Signing in: a person's e-mail address and password for an access token of an hour and a refresh token, which is good
//! once within thirty days.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use doors::{Operation, form::Body};
use serde::Serialize;
use service::{
    App,
    identity::tokens::{self, Granted},
};
use utoipa::ToSchema;

use crate::envelope::Failure;

doors::form! {
    Login {
        email: required Text(1, 254), "The person's e-mail address.";
        password: required Secret(1, 1000), "The person's password.";
    }
}

doors::form! {
    Refresh {
        refresh_token: required Text(1, 255), "The refresh token of the last answer; it is good once.";
    }
}

#[derive(Serialize, ToSchema)]
pub struct Pair {
    access_token: String,
    /// `bearer`.
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
    refresh_token: String,
}

pub const LOGIN: Operation = Operation::public("Authentication", "Sign in").body::<Login>().bare::<Pair>();

pub async fn login(State(app): State<App>, Body(body): Body<Login>) -> Result<Response, Failure> {
    Ok(told(tokens::sign_in(&app, &body.email, &body.password).await?))
}

pub const REFRESH: Operation = Operation::public("Authentication", "Exchange a refresh token for a new pair")
    .about("A refresh token that comes a second time ends all tokens of its login.")
    .body::<Refresh>()
    .bare::<Pair>();

pub async fn refresh(State(app): State<App>, Body(body): Body<Refresh>) -> Result<Response, Failure> {
    Ok(told(tokens::refresh(&app, &body.refresh_token).await?))
}

fn told(granted: Granted) -> Response {
    let Granted { access, expires_in_s, refresh } = granted;
    let pair = Pair {
        access_token: access,
        token_type: "bearer",
        expires_in: expires_in_s,
        refresh_token: refresh.unwrap_or_default(),
    };
    // RFC 6749 §5.1: nothing keeps a token that passes.
    ([(header::CACHE_CONTROL, "no-store")], Json(pair)).into_response()
}
