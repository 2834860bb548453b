//! Pages: the paginator of the framework whose users these are, whole, for every list that has pages.

use doors::{Asked, fields};
use serde::Serialize;

use super::Caller;

/// Pages beyond this are asked for by mistake.
const MAX_PAGE: i64 = 1_000_000_000;
/// How many pages are named on each side of the present one.
const EACH_SIDE: i64 = 3;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Paging {
    pub page: i64,
    pub per_page: i64,
}

impl Paging {
    pub fn offset(self) -> i64 {
        (self.page - 1) * self.per_page
    }
}

/// `page` and `per_page`; the caller finishes the fields.
pub fn paging(asked: &mut Asked, max: i64) -> Paging {
    let page = asked.0.optional("page", fields::integer(1, MAX_PAGE)).or(1);
    let per_page = asked.0.optional("per_page", fields::integer(1, max)).or(50);
    Paging { page, per_page }
}

/// One page of a list.
#[derive(Serialize, Debug)]
pub struct Listing<T> {
    current_page: i64,
    data: Vec<T>,
    first_page_url: String,
    from: Option<i64>,
    last_page: i64,
    last_page_url: String,
    links: Vec<Link>,
    next_page_url: Option<String>,
    path: String,
    per_page: i64,
    prev_page_url: Option<String>,
    to: Option<i64>,
    total: i64,
}

#[derive(PartialEq, Eq, Serialize, Debug)]
struct Link {
    url: Option<String>,
    label: String,
    active: bool,
}

impl<T> Listing<T> {
    /// `query` is the request's own, so that the pages named here keep its filters.
    pub fn new(caller: &Caller, query: Option<&str>, paging: Paging, data: Vec<T>, total: i64) -> Listing<T> {
        let path = caller.address.clone();
        let kept: String = query
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty() && *pair != "page" && !pair.starts_with("page="))
            .map(|pair| format!("{pair}&"))
            .collect();
        let url = |page: i64| format!("{path}?{kept}page={page}");
        let Paging { page, per_page } = paging;
        let last = ((total + per_page - 1) / per_page).max(1);
        let count = data.len() as i64;
        let next = (page < last).then(|| url(page + 1));
        let previous = (page > 1).then(|| url(page - 1));
        Listing {
            current_page: page,
            first_page_url: url(1),
            from: (count > 0).then_some(paging.offset() + 1),
            last_page: last,
            last_page_url: url(last),
            links: links(page, last, &url),
            next_page_url: next,
            per_page,
            prev_page_url: previous,
            to: (count > 0).then_some(paging.offset() + count),
            total,
            data,
            path,
        }
    }
}

/// « Previous, the pages, Next ».
fn links(page: i64, last: i64, url: &impl Fn(i64) -> String) -> Vec<Link> {
    let mut links = vec![Link { url: (page > 1).then(|| url(page - 1)), label: "« Previous".into(), active: false }];
    links.extend(window(page, last).into_iter().map(|number| match number {
        Some(number) => Link { url: Some(url(number)), label: number.to_string(), active: number == page },
        None => Link { url: None, label: "...".into(), active: false },
    }));
    links.push(Link { url: (page < last).then(|| url(page + 1)), label: "Next »".into(), active: false });
    links
}

/// Which pages are named: all of few; of many the first and last two and those around the present one, `None` for gaps.
fn window(page: i64, last: i64) -> Vec<Option<i64>> {
    if last < EACH_SIDE * 2 + 8 {
        return (1..=last).map(Some).collect();
    }
    let near = EACH_SIDE + 4;
    let (start, middle, end) = if page <= near {
        (1..=near + EACH_SIDE, None, last - 1..=last)
    } else if page > last - near {
        (1..=2, None, last - (near + EACH_SIDE - 1)..=last)
    } else {
        (1..=2, Some(page - EACH_SIDE..=page + EACH_SIDE), last - 1..=last)
    };
    let mut pages: Vec<_> = start.map(Some).collect();
    pages.push(None);
    if let Some(middle) = middle {
        pages.extend(middle.map(Some));
        pages.push(None);
    }
    pages.extend(end.map(Some));
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_pages_are_all_named_and_many_are_windowed() {
        let told = |page, last| {
            let pages = window(page, last);
            pages.iter().map(|n| n.map_or("…".into(), |n| n.to_string())).collect::<Vec<_>>().join(" ")
        };
        let rows = [
            (1, 1, "1"),
            (3, 13, "1 2 3 4 5 6 7 8 9 10 11 12 13"),
            (7, 20, "1 2 3 4 5 6 7 8 9 10 … 19 20"),
            (10, 20, "1 2 … 7 8 9 10 11 12 13 … 19 20"),
            (14, 20, "1 2 … 11 12 13 14 15 16 17 18 19 20"),
            (99, 20, "1 2 … 11 12 13 14 15 16 17 18 19 20"),
        ];
        for (page, last, expected) in rows {
            assert_eq!(told(page, last), expected, "{page} of {last}");
        }
    }
}
