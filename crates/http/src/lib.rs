//! What every HTTP door stands on. Nothing here knows a dialect's words.
//!
//! | chapter        | what it gives                                                                          |
//! |----------------|----------------------------------------------------------------------------------------|
//! | [`dispatch`]   | several dialects at one address, told apart by the caller's credential                 |
//! | [`shell`]      | request ids, time limits, panics, the access log, metrics                              |
//! | [`gate`]       | requests per minute, exactly; requests per month, kept over restarts                   |
//! | [`repeats`]    | `Idempotency-Key`: a repeated write gets its first answer                              |
//! | [`listen`]     | the one way to serve: time-outs, places, whose word is taken for where a caller is    |
//! | [`log`]        | who asked what, kept for the operator; its paths name no people (`logged`)             |
//! | [`routes`]     | `routes!`: a document's table of calls, as a router and as a list for tests            |
//! | [`operation`]  | a call with its right and its description; OpenAPI from the table                      |
//! | [`form`]       | a body or query declared once: read, checked and described                             |
//! | [`fields`]     | a body or query read field by field; all that is wrong with it is told at once         |
//! | [`wire`]       | amounts and times as the vendors write them                                            |
//! | [`sentence`]   | what is wrong with a field, in words                                                   |
//! | [`words`]      | refusals in English                                                                    |
//! | [`fault`]      | what is wrong before a dialect has been asked: no such path, too large, malformed      |
//!
//! From the outside in, a request meets: dispatch, shell, the dialect's voice, its credential check and gate, repeats,
//! the route table. A credential is checked before the table is looked at, so no route can forget it.

pub mod dispatch;
pub mod fault;
pub mod fields;
pub mod form;
pub mod gate;
pub mod json;
pub mod listen;
pub mod log;
mod logged;
pub mod operation;
pub mod repeats;
pub mod routes;
pub mod sentence;
pub mod shell;
pub mod wire;
pub mod words;

#[doc(hidden)]
pub use axum;

pub use dispatch::{Credential, Dialect, Dispatch};
pub use fault::Fault;
pub use fields::{Asked, Fields, Given};
pub use gate::{Admission, Gate};
pub use log::Log;
pub use operation::Operation;
pub use routes::{Id, Nested, Route};

/// The largest body a door reads.
pub const MAX_BODY: usize = 1 << 20;
