//! Lists without pages: written as they are read, so that what they take does not grow with the number of users.

use std::io;

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header::CONTENT_TYPE},
    response::Response,
};
use futures_util::stream;
use serde_json::Value;
use service::{
    App,
    customers::{
        card::{Card, Parts},
        lists::{self, Pieces, Whom},
    },
};

use crate::envelope::{Call, Failure};

/// What a user becomes in the list: any number of rows.
type Rows = fn(&Call, &Card, &mut dyn FnMut(Value));

const BEGIN: &[u8] = br#"{"status":"success","errorCode":200,"data":["#;
const END: &[u8] = b"]}";

struct Writing {
    app: App,
    call: Call,
    pieces: Pieces,
    /// The piece that comes next; `None`: the end has been written.
    next: Option<Vec<Card>>,
    rows: Rows,
    begun: bool,
    /// A row stands in the list already.
    has_rows: bool,
}

/// The users wanted under `data`. The first piece is read before anything is said: what fails by then is told as a failure;
/// what fails later breaks the answer off, which is no valid JSON.
pub async fn people(app: App, call: Call, whom: Whom, parts: Parts, rows: Rows) -> Result<Response, Failure> {
    let mut pieces = lists::pieces(&app, &call.actor, whom, parts).await?;
    let next = Some(pieces.next(&app, &call.actor).await?.unwrap_or_default());
    let writing = Writing { app, call, pieces, next, rows, begun: false, has_rows: false };
    let mut response = Response::new(Body::from_stream(stream::unfold(writing, Writing::step)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

impl Writing {
    async fn step(mut self) -> Option<(io::Result<Bytes>, Writing)> {
        let piece = self.next.take()?;
        let mut text = if self.begun { Vec::new() } else { BEGIN.to_vec() };
        self.begun = true;
        for one in &piece {
            (self.rows)(&self.call, one, &mut |row| {
                if self.has_rows {
                    text.push(b',');
                }
                self.has_rows = true;
                text.extend(row.to_string().into_bytes());
            });
        }
        match self.pieces.next(&self.app, &self.call.actor).await {
            Ok(Some(more)) => self.next = Some(more),
            Ok(None) => text.extend(END),
            Err(error) => {
                tracing::error!(%error, "a list breaks off");
                return Some((Err(io::Error::other(error)), self));
            }
        }
        Some((Ok(text.into()), self))
    }
}
