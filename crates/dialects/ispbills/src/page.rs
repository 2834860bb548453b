//! `/docs/api`: both versions' calls to read and to try. Everything comes from this program, so it works without the
//! internet; the content security policy lets the page talk to nobody else.

use std::{
    io::{Read, Write},
    sync::LazyLock,
};

use axum::{
    Router,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
            IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
    routing::get,
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::Value;
use service::kernel::vault::token_hash;

use crate::docs;

/// Swagger UI (Apache-2.0), as `assets/swagger-ui` holds it. See docs/decisions for where it comes from.
const SWAGGER_JS: &[u8] = include_bytes!("../assets/swagger-ui/swagger-ui-bundle.js.gz");
const SWAGGER_CSS: &[u8] = include_bytes!("../assets/swagger-ui/swagger-ui.css.gz");
const HTML: &str = include_str!("../assets/docs.html");
const SCRIPT: &str = include_str!("../assets/docs.js");
const STYLE: &str = include_str!("../assets/docs.css");

/// Their addresses change with what they hold, so that browsers may keep them.
const SWAGGER_JS_PATH: &str = "/docs/api/swagger-ui-5.35.0.js";
const SWAGGER_CSS_PATH: &str = "/docs/api/swagger-ui-5.35.0.css";
const KEPT: &str = "public, max-age=31536000, immutable";
/// Asked for each time; mostly answered with 304.
const ASKED: &str = "no-cache";

/// Swagger UI draws its icons from `data:` addresses and sets styles on its elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file as it is served: compressed once.
struct File {
    kind: &'static str,
    kept: &'static str,
    tag: String,
    gzip: Vec<u8>,
}

impl File {
    fn of(kind: &'static str, text: &str) -> File {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        // Writing to memory does not fail.
        let gzip = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).unwrap_or_default();
        File { kind, kept: ASKED, tag: format!("\"{}\"", &token_hash(text)[..16]), gzip }
    }

    fn ready(kind: &'static str, version: &str, gzip: &[u8]) -> File {
        File { kind, kept: KEPT, tag: format!("\"{version}\""), gzip: gzip.to_vec() }
    }

    fn answer(&self, asked: &HeaderMap) -> Response {
        let headers = [
            (CONTENT_TYPE, self.kind),
            (CACHE_CONTROL, self.kept),
            (ETAG, self.tag.as_str()),
            (VARY, "accept-encoding"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (CONTENT_SECURITY_POLICY, POLICY),
            (X_FRAME_OPTIONS, "DENY"),
            (REFERRER_POLICY, "no-referrer"),
        ];
        let same = |tags: &HeaderValue| tags.to_str().is_ok_and(|tags| tags.contains(&self.tag));
        let mut response = if asked.get(IF_NONE_MATCH).is_some_and(same) {
            StatusCode::NOT_MODIFIED.into_response()
        } else if takes_gzip(asked) {
            ([(CONTENT_ENCODING, "gzip")], self.gzip.clone()).into_response()
        } else {
            let mut plain = Vec::new();
            match GzDecoder::new(&self.gzip[..]).read_to_end(&mut plain) {
                Ok(_) => plain.into_response(),
                Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            }
        };
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert::<HeaderName>(name, value);
            }
        }
        response
    }
}

/// Whether `Accept-Encoding` names gzip and does not refuse it (RFC 9110 §12.5.3).
fn takes_gzip(asked: &HeaderMap) -> bool {
    let text = asked.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(',').any(|coding| {
        let (name, rest) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip") && !matches!(rest.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

fn json(document: &Value) -> File {
    File::of("application/json", &document.to_string())
}

static SWAGGER_JS_FILE: LazyLock<File> =
    LazyLock::new(|| File::ready("text/javascript; charset=utf-8", "5.35.0", SWAGGER_JS));
static SWAGGER_CSS_FILE: LazyLock<File> =
    LazyLock::new(|| File::ready("text/css; charset=utf-8", "5.35.0", SWAGGER_CSS));
static SCRIPT_FILE: LazyLock<File> = LazyLock::new(|| File::of("text/javascript; charset=utf-8", SCRIPT));
static STYLE_FILE: LazyLock<File> = LazyLock::new(|| File::of("text/css; charset=utf-8", STYLE));
static V1: LazyLock<File> = LazyLock::new(|| json(&docs::openapi_v1()));
static V2: LazyLock<File> = LazyLock::new(|| json(&docs::openapi_v2()));
static PAGE: LazyLock<File> = LazyLock::new(|| {
    let html = HTML.replace("SWAGGER_JS", SWAGGER_JS_PATH).replace("SWAGGER_CSS", SWAGGER_CSS_PATH);
    let html = html.replace("PAGE_JS", "/docs/api/page.js").replace("PAGE_CSS", "/docs/api/page.css");
    File::of("text/html; charset=utf-8", &html)
});

/// The page and what belongs to it.
pub fn router() -> Router {
    let serve = |file: &'static LazyLock<File>| get(async move |asked: HeaderMap| file.answer(&asked));
    Router::new()
        .route("/docs/api", serve(&PAGE))
        .route("/docs/api/", serve(&PAGE))
        .route("/docs/api/page.js", serve(&SCRIPT_FILE))
        .route("/docs/api/page.css", serve(&STYLE_FILE))
        .route("/docs/api/openapi-v1.json", serve(&V1))
        .route("/docs/api/openapi-v2.json", serve(&V2))
        .route(SWAGGER_JS_PATH, serve(&SWAGGER_JS_FILE))
        .route(SWAGGER_CSS_PATH, serve(&SWAGGER_CSS_FILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_gzip() {
        for (text, takes) in
            [("gzip", true), ("br, GZIP;q=0.5", true), ("gzip;q=0", false), ("br", false), ("", false), ("*", false)]
        {
            let asked = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(text))]);
            assert_eq!(takes_gzip(&asked), takes, "{text}");
        }
    }

    #[test]
    fn a_file_is_the_same_compressed_and_not() {
        let plain = PAGE.answer(&HeaderMap::new());
        assert_eq!((plain.status(), plain.headers().contains_key(CONTENT_ENCODING)), (StatusCode::OK, false));
        let asked = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))]);
        assert_eq!(PAGE.answer(&asked).headers()[CONTENT_ENCODING], "gzip");
        let again = HeaderMap::from_iter([(IF_NONE_MATCH, plain.headers()[ETAG].clone())]);
        assert_eq!(PAGE.answer(&again).status(), StatusCode::NOT_MODIFIED);
        let mut text = String::new();
        GzDecoder::new(SWAGGER_JS).read_to_string(&mut text).unwrap();
        assert!(text.contains("SwaggerUIBundle"));
    }
}
