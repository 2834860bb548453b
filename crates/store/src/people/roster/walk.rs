//! The index that makes a page cheapest, and the walk through it.
//!
//! An index in the list's order is walked from the list's nearer end, past the rows that the filter leaves out; a filter
//! that leaves few rows has them all read from its own index, which holds what every order needs, and put in order.

use domain::CustomerId;

use super::{
    RUNNING, kind_number,
    list::{Asked, Order, Page, Standing, push},
};
use crate::{
    db::{Error, Value},
    people::search::Search,
};

/// What an index begins with behind the Isp.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lead {
    Nothing,
    Kind,
    Router,
    Standing,
}

/// How many rows there are: of what each filter alone lets through, and of what all of them do.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Counts {
    pub(super) all: i64,
    pub(super) kind: i64,
    pub(super) router: i64,
    pub(super) standing: i64,
    pub(super) result: i64,
}

/// What gathering a row and finding its place costs beside a step through an index.
const GATHER: i64 = 2;
/// What looking into a row itself costs, for the words of a search.
const LOOK: i64 = 40;

impl Page {
    /// The same rows counted from the list's other end where that is nearer; whether they come the other way round.
    fn nearer_end(self, total: i64) -> (Page, bool) {
        let limit = self.limit.min(total - self.offset).max(0);
        let behind = (total - self.offset - limit).max(0);
        if behind >= self.offset {
            return (self, false);
        }
        (Page { descending: !self.descending, offset: behind, limit, ..self }, true)
    }
}

impl Asked<'_> {
    /// How many rows of the list lie between its nearer end and the end of the page.
    pub(super) fn span(&self, total: Option<i64>) -> i64 {
        let page = total.map_or(self.page, |total| self.page.nearer_end(total).0);
        page.offset + page.limit
    }

    /// The index that makes this page cheapest: in the list's order through what it leads to, or all of that gathered.
    fn lead(&self, counts: &Counts, span: i64, look: bool) -> Lead {
        let rows = [
            (Lead::Nothing, counts.all, true),
            (Lead::Kind, counts.kind, self.filter.kind.is_some()),
            (Lead::Router, counts.router, self.filter.router.is_some()),
            (Lead::Standing, counts.standing, self.filter.standing.is_some()),
        ];
        let look = if look { LOOK } else { 0 };
        let cost = |lead: Lead, of: i64| match self.in_order(lead) {
            true => of.min(span.saturating_mul(of) / counts.result.max(1)) + counts.result.min(span) * look,
            false => of + counts.result * (GATHER + look),
        };
        // Of equals the last: it is the one with a condition less to look at.
        let possible = rows.into_iter().filter(|row| row.2).rev();
        possible.min_by_key(|(lead, of, _)| cost(*lead, *of)).map_or(Lead::Nothing, |(lead, ..)| lead)
    }

    fn index(&self, lead: Lead) -> &'static str {
        match (lead, self.page.order) {
            (Lead::Nothing, Order::Created) => "roster_created",
            (Lead::Nothing, Order::Username) => "roster_login",
            (Lead::Nothing, Order::FullName) => "roster_name",
            (Lead::Nothing, Order::Expiry) => "roster_expires",
            (Lead::Kind, _) => "roster_kind",
            (Lead::Router, _) => "roster_router",
            (Lead::Standing, Order::Expiry) => "roster_due",
            (Lead::Standing, Order::Created | Order::Username | Order::FullName) => "roster_standing",
        }
    }

    /// Whether an index that begins so goes on in the list's order.
    fn in_order(&self, lead: Lead) -> bool {
        match (lead, self.page.order) {
            (Lead::Nothing, _) | (_, Order::Created) | (Lead::Standing, Order::Expiry) => true,
            (Lead::Kind | Lead::Router, Order::Username | Order::FullName | Order::Expiry)
            | (Lead::Standing, Order::Username | Order::FullName) => false,
        }
    }

    /// The page's ids from the index that makes it cheapest; `total` where it is known exactly.
    pub(super) async fn walk(
        &self,
        counts: &Counts,
        overdue: i64,
        total: Option<i64>,
        search: Option<&Search>,
    ) -> Result<Vec<CustomerId>, Error> {
        let lead = self.lead(counts, self.span(total), search.is_some());
        let in_order = self.in_order(lead);
        let mut params = vec![Value::from(self.isp)];
        let mut condition = String::from("t.isp_id = $1");
        if let Some(standing) = self.standing() {
            let plus = if lead == Lead::Standing { "" } else { "+" };
            condition += &format!(" and {plus}t.standing = {standing}");
        }
        condition += &self.static_filters("t", &mut params, Some(lead));
        if let Some(search) = search {
            condition += " and ";
            condition += &search.on_row(&mut params);
        }
        // Overdue lines stand among those that run: taken out of these, added to the expired.
        let mut late = None;
        match self.filter.standing {
            Some(Standing::Active) if overdue > 0 && self.page.order == Order::Expiry => {
                condition += &format!(" and t.expires_at > ${}", push(&mut params, self.now));
            }
            Some(Standing::Active) if overdue > 0 => {
                let late = self.overdue_rows("o", &mut params);
                condition += &format!(" and t.customer_id not in (select o.customer_id from roster o where {late})");
            }
            Some(Standing::Expired) if overdue > 0 => {
                let mut rows = self.overdue_rows("t", &mut params);
                if let Some(search) = search {
                    rows += " and ";
                    rows += &search.on_row(&mut params);
                }
                late = Some(rows);
            }
            Some(Standing::Active | Standing::Expired | Standing::Barred | Standing::Off) | None => {}
        }
        let column = self.column();
        let mut text = format!(
            "select t.customer_id, t.{column} as place from {} where {condition}",
            self.through(self.index(lead))
        );
        if let Some(late) = &late {
            let from = self.through("roster_due");
            text += &format!(" union all select t.customer_id, t.{column} as place from {from} where {late}");
        }
        if !in_order {
            return Ok(self.slice(&text, params).await?.0);
        }
        let (page, reversed) = total.map_or((self.page, false), |total| self.page.nearer_end(total));
        let (place, id) = if late.is_some() { ("place", "customer_id") } else { (column, "t.customer_id") };
        let place = if late.is_some() { place.into() } else { format!("t.{place}") };
        let direction = if page.descending { "desc" } else { "asc" };
        let (limit, offset) = (push(&mut params, page.limit), push(&mut params, page.offset));
        text += &format!(" order by {place} {direction}, {id} {direction} limit ${limit} offset ${offset}");
        let rows = self.tx.rows(text, &params).await?;
        let mut ids = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<CustomerId>, Error>>()?;
        if reversed {
            ids.reverse();
        }
        Ok(ids)
    }

    pub(super) fn overdue_rows(&self, t: &str, params: &mut Vec<Value>) -> String {
        let now = push(params, self.now);
        let rest = self.static_filters(t, params, Some(Lead::Standing));
        format!("{t}.isp_id = $1 and {t}.standing = {RUNNING} and {t}.expires_at <= ${now}{rest}")
    }

    /// Kind, router and branch. A `+` keeps both engines from choosing another index than the one that leads.
    pub(super) fn static_filters(&self, t: &str, params: &mut Vec<Value>, lead: Option<Lead>) -> String {
        let mut text = String::new();
        let mut and = |column: &str, leads: bool, value: i64| {
            let plus = if leads { "" } else { "+" };
            text += &format!(" and {plus}{t}.{column} = ${}", push(params, value));
        };
        if let Some(kind) = self.filter.kind {
            and("kind", lead == Some(Lead::Kind), kind_number(kind));
        }
        if let Some(router) = self.filter.router {
            and("router_id", lead == Some(Lead::Router), router.0);
        }
        if let Some(branch) = self.filter.branch {
            and("branch_id", false, branch.0);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_counted_from_the_nearer_end() {
        let rows = [
            // total, offset, limit → offset, limit, the other way round
            (100, 0, 10, (0, 10, false)),
            (100, 40, 10, (40, 10, false)),
            (100, 45, 10, (45, 10, false)),
            (100, 60, 10, (30, 10, true)),
            (100, 95, 10, (0, 5, true)),
            (5, 0, 10, (0, 10, false)),
        ];
        for (total, offset, limit, expected) in rows {
            let page = Page { order: Order::Username, descending: false, offset, limit };
            let (page, reversed) = page.nearer_end(total);
            assert_eq!((page.offset, page.limit, reversed), expected, "{offset} of {total}");
            assert_eq!(page.descending, reversed);
        }
    }
}
