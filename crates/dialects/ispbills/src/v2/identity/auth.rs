//! Tokens: a client's id and secret for an access token of thirty minutes (OAuth 2.0 client credentials), and its end.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use doors::{Operation, form::Body};
use serde::Serialize;
use service::{App, identity::tokens};
use utoipa::ToSchema;

use crate::envelope::{Caller, Done, Failure, NO_CONTENT};

doors::form! {
    Credentials {
        client_id: required Text(1, 100), "The client's id.";
        client_secret: required Secret(1, 255), "One of the client's secrets.";
        grant_type: optional Word(&["client_credentials"]), "As RFC 6749 §4.4 has it; may be left out.";
    }
}

#[derive(Serialize, ToSchema)]
pub struct Token {
    access_token: String,
    /// `bearer`.
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
}

pub const TOKEN: Operation =
    Operation::public("Authentication", "Obtain an access token").body::<Credentials>().bare::<Token>();

pub async fn token(State(app): State<App>, Body(body): Body<Credentials>) -> Result<Response, Failure> {
    // There is one grant; naming it changes nothing.
    let Credentials { client_id, client_secret, grant_type: _ } = body;
    let granted = tokens::exchange(&app, &client_id, &client_secret).await?;
    let token = Token { access_token: granted.access, token_type: "bearer", expires_in: granted.expires_in_s };
    // RFC 6749 §5.1: nothing keeps a token that passes.
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(token)).into_response())
}

pub const REVOKE: Operation = Operation::anybody("Authentication", "Revoke the access token of this call").no_content();

pub async fn revoke(State(app): State<App>, caller: Caller) -> Done {
    tokens::revoke(&app, &caller.actor, caller.token_id).await?;
    NO_CONTENT
}
