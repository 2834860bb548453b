//! Pages: `page` and `per_page` in, `meta` out.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::request::Parts,
    response::{IntoResponse, Response},
};
use doors::{Asked, fields, form::Unfit};
use serde::Serialize;

/// Pages beyond this are asked for by mistake.
const MAX_PAGE: i64 = 1_000_000_000;
const DEFAULT: i64 = 20;
/// More is cut down to it (docs/readings.md X7).
const MAX: i64 = 100;

/// Which rows of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Page {
    pub page: i64,
    pub per_page: i64,
}

impl Page {
    pub fn offset(self) -> i64 {
        (self.page - 1) * self.per_page
    }

    pub fn limit(self) -> i64 {
        self.per_page
    }

    /// The answer where all rows are at hand.
    pub fn cut<T, U>(self, all: Vec<T>, row: impl FnMut(T) -> U) -> Listing<U> {
        let total = all.len() as i64;
        let rows = all.into_iter().skip(self.offset() as usize).take(self.limit() as usize);
        self.of(rows.map(row).collect(), total)
    }

    /// The answer with these rows, of so many in all.
    pub fn of<T>(self, data: Vec<T>, total: i64) -> Listing<T> {
        let last_page = ((total + self.per_page - 1) / self.per_page).max(1);
        Listing { data, meta: Meta { current_page: self.page, per_page: self.per_page, total, last_page } }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = Unfit;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Page, Unfit> {
        let asked: Result<Asked, Infallible> = Asked::from_request_parts(parts, state).await;
        let mut fields = match asked {
            Ok(Asked(fields)) => fields,
            Err(never) => match never {},
        };
        let page = fields.optional("page", fields::integer(1, MAX_PAGE)).or(1);
        let per_page = fields.optional("per_page", fields::integer(1, MAX_PAGE)).or(DEFAULT).min(MAX);
        fields.finish().map_err(Unfit::Error)?;
        Ok(Page { page, per_page })
    }
}

/// One page of a list: `{"data": [ … ], "meta": { … }}`.
#[derive(Serialize, Debug)]
pub struct Listing<T> {
    data: Vec<T>,
    meta: Meta,
}

#[derive(Serialize, Debug)]
struct Meta {
    current_page: i64,
    per_page: i64,
    total: i64,
    last_page: i64,
}

impl<T: Serialize> IntoResponse for Listing<T> {
    fn into_response(self) -> Response {
        axum::Json(self).into_response()
    }
}
