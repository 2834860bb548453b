//! Server-rendered pages. So far one: the front page at `/`, in the demo with the first ISP's facts, elsewhere only
//! whether the program is ready, because nobody has logged in.
//!
//! | chapter     | subject                                              |
//! |-------------|------------------------------------------------------|
//! | [`front`]   | the front page                                       |
//!
//! Everything a page needs comes from this program; the content security policy allows nothing else, no scripts either.
//! Templates escape whatever they are given.

mod front;

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use domain::IspId;
use service::App;

/// How the program does, as the pages show it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pulse {
    /// Logins are answered.
    pub ready: bool,
    pub accepted_per_minute: f64,
    pub refused_per_minute: f64,
    /// Accounting reports.
    pub reports_per_minute: f64,
    /// In the directory, over all tenants.
    pub subscribers: u64,
}

/// Where to go next, in the demo.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Guide {
    /// The path of `demo.json`.
    pub credentials: String,
    /// What a command does, and the command.
    pub commands: Vec<(String, String)>,
}

/// What the front page shows to whom.
#[derive(Clone, Debug)]
pub enum Front {
    /// Nobody has logged in: no data.
    Closed,
    /// The demo: this ISP's facts for everybody who can reach the page.
    Demo { isp: IspId, guide: Guide },
}

#[derive(Clone)]
pub struct Pages {
    pub app: App,
    pub front: Front,
    pub pulse: Arc<dyn Fn() -> Pulse + Send + Sync>,
}

const STYLE: &str = include_str!("../assets/lastmile.css");
/// Its address changes with the program, so that browsers may keep it.
const STYLE_PATH: &str = concat!("/assets/lastmile-", env!("CARGO_PKG_VERSION"), ".css");

pub fn router(pages: Pages) -> Router {
    Router::new().route("/", get(front::show)).route(STYLE_PATH, get(style)).with_state(pages)
}

async fn style() -> Response {
    let kept = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        // The demo's style may change under one version.
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (kept, STYLE).into_response()
}

/// A page that loads nothing from elsewhere, runs nothing, and is framed by nobody.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

fn page(html: String) -> Response {
    let mut response = html.into_response();
    let headers: [(HeaderName, &'static str); 6] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
