//! What is left of what a line was sold, and giving it back: to whoever paid, by the scarcer of time and data
//! (`domain::sales::migration` is the rule). Migration, moves, renewals that count the rest and deletion ask here.

use domain::{
    Instant, Money, PeriodId, PlanTerms,
    billing::credit::Share,
    catalogue::validity::length_before,
    sales::migration::{Package, Unfinished},
};
use store::{
    people::service::{Period, Service, quota},
    sales::period_part as rows,
};

use crate::{
    Change, Error,
    billing::credit::{self, Back},
    kernel::app::Tenant,
    sales::sale::MIGRATED,
};

/// A period that is not over, with what its sale moved.
#[derive(Clone, Debug)]
pub(crate) struct Rest {
    pub period: Period,
    pub unfinished: Unfinished,
}

/// How much of it comes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum How {
    /// What is left.
    Left,
    /// All of it: another package takes its place from its beginning.
    Whole,
}

/// The running period and those bought in advance behind it, the last one first; none where the line's time is over.
/// `validity_s`: how long one purchase of the package lasts, where that is asked.
pub(crate) async fn of_line(change: &Change<'_>, line: &Service, validity_s: Option<i64>) -> Result<Vec<Rest>, Error> {
    let Some(until) = line.time_left(change.now) else { return Ok(Vec::new()) };
    let mut chain: Vec<Period> = Vec::new();
    for period in rows::unfinished(change.tx, change.isp, line.id, change.now).await? {
        // What a later sale has replaced does not end where the next one begins.
        let follows = chain.last().is_none_or(|later| later.starts_at == period.ends_at);
        if !follows {
            break;
        }
        let is_part = period.reason == MIGRATED;
        chain.push(period);
        if is_part {
            break;
        }
    }
    let ids: Vec<PeriodId> = chain.iter().map(|period| period.id).collect();
    let parts = rows::parts(change.tx, change.isp, &ids).await?;
    let mut all = Vec::with_capacity(chain.len());
    for period in chain {
        let part = parts.iter().find(|part| part.period_id == period.id).map(|part| part.sold_s);
        let length_s = period.ends_at.seconds_since(period.starts_at);
        let unfinished = Unfinished {
            starts_at: period.starts_at,
            ends_at: period.ends_at,
            until,
            sold_s: part.unwrap_or(validity_s.map_or(length_s, |validity_s| length_s.min(validity_s))),
            sale: credit::moved(change, period.id, period.invoice_id).await?,
        };
        all.push(Rest { period, unfinished });
    }
    Ok(all)
}

/// Gives it back to whoever paid, with credit notes; what the Isp gave. The line is still as it was sold.
pub(crate) async fn give_back(
    change: &Change<'_>,
    line: &Service,
    all: &[Rest],
    how: How,
    reason: Option<&'static str>,
) -> Result<Money, Error> {
    let mut sum = Money::ZERO;
    for Rest { period, unfinished } in all {
        let Some(moved) = &unfinished.sale else { continue };
        let share = match how {
            How::Left => unfinished.share(&quota(line), change.now),
            How::Whole => Share::ALL,
        };
        let (customer, invoice) = (line.customer_id, period.invoice_id);
        let back = Back { customer, period: period.id, invoice, moved, share, reason };
        sum = Money(sum.0.saturating_add(credit::note(change, back).await?.0));
    }
    Ok(sum)
}

/// A package as this line buys it, and how long one purchase of it lasts where the line ends.
pub(crate) fn package(tenant: &Tenant, line: &Service, terms: PlanTerms, now: Instant) -> Package {
    let ends = line.time_left(now).unwrap_or(now);
    let anchor = line.anchor_day.map(|day| day as u8);
    Package { terms, validity_s: length_before(ends, anchor, terms.validity, &tenant.zone) }
}
