//! Migration to another package in the middle of what was paid for (docs/readings.md 3.4: a day of a package costs its
//! price by its duration). The rest of the running period is given back to who paid it, the time that is left is sold of
//! the new package, price and quota in proportion. The line ends when it would have ended.

use crate::{
    Instant, Limit, Money, PlanTerms, Quota,
    billing::credit::{Moved, Share},
    kernel::clock::SECOND,
};

/// A period that is not over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unfinished {
    pub starts_at: Instant,
    pub ends_at: Instant,
    /// Where the line ends, if that is earlier: staff may have taken time away.
    pub until: Instant,
    /// Seconds of its package's validity that it was sold for: its own length, or less where it was given a later end.
    pub sold_s: i64,
    /// `None`: nobody paid for it.
    pub sale: Option<Moved>,
}

impl Unfinished {
    /// Seconds that are left of it at `now`, and its whole length.
    fn left(&self, now: Instant) -> (i64, i64) {
        let whole = self.ends_at.since(self.starts_at).max(0) / SECOND;
        let left = self.until.min(self.ends_at).since(now.max(self.starts_at)).max(0) / SECOND;
        (left.min(whole), whole)
    }

    /// Seconds of its package that are left of it.
    pub fn time_s(&self, now: Instant) -> i64 {
        let (left, whole) = self.left(now);
        of(self.sold_s, left, whole)
    }

    /// What is given back of it: the share of time that is left, or of the quota where less of that is.
    pub fn share(&self, quota: &Quota, now: Instant) -> Share {
        let (left, whole) = self.left(now);
        quota_left(quota).map_or(Share::of(left, whole), |scarcer| Share::of(left, whole).least(scarcer))
    }
}

/// The scarcer of what is left of time and data; `None`: the quota ends nothing.
fn quota_left(quota: &Quota) -> Option<Share> {
    let time = quota.limit.time_s.zip(quota.time_left_s()).map(|(whole, left)| Share::of(left, whole));
    let data = quota.limit.data_bytes.zip(quota.data_left_bytes()).map(|(whole, left)| Share::of(left, whole));
    match (time, data) {
        (Some(time), Some(data)) => Some(time.least(data)),
        (time, data) => time.or(data),
    }
}

/// `amount * part / whole`, cut off; 0 where the whole is 0.
fn of(amount: i64, part: i64, whole: i64) -> i64 {
    match whole {
        0 => 0,
        _ => i64::try_from(i128::from(amount) * i128::from(part) / i128::from(whole)).unwrap_or(i64::MAX),
    }
}

/// A package and how long one purchase of it lasts where the line ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Package {
    pub terms: PlanTerms,
    pub validity_s: i64,
}

/// Seconds of a package: of a period that was paid, and of one that nobody paid.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Time {
    pub paid_s: i64,
    pub free_s: i64,
}

impl Time {
    pub fn of(periods: &[Unfinished], now: Instant) -> Time {
        let sum = |paid: bool| {
            let of_kind = periods.iter().filter(|period| period.sale.is_some() == paid);
            of_kind.fold(0i64, |sum, period| sum.saturating_add(period.time_s(now)))
        };
        Time { paid_s: sum(true), free_s: sum(false) }
    }

    pub fn total_s(self) -> i64 {
        self.paid_s.saturating_add(self.free_s)
    }
}

/// So much time of the new package, as something that is sold. Time that nobody paid costs what the new package costs
/// more than the old one: it is worth no money, but it is not taken away.
pub fn part(old: &Package, new: &Package, time: Time) -> PlanTerms {
    let more = Money(new.price_of(time.free_s).0.saturating_sub(old.price_of(time.free_s).0).max(0));
    let price = Money(new.price_of(time.paid_s).0.saturating_add(more.0));
    let share = |limit: i64| of(limit, time.total_s(), new.validity_s);
    let Limit { time_s, data_bytes } = new.terms.limit;
    PlanTerms { price, limit: Limit { time_s: time_s.map(share), data_bytes: data_bytes.map(share) }, ..new.terms }
}

impl Package {
    fn price_of(&self, seconds: i64) -> Money {
        self.terms.price.share(seconds, self.validity_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        CustomerId, StaffId, Unit, Validity,
        billing::{credit, ledger::Entry},
        kernel::{
            clock::DAY,
            money::{TaxRate, Taxed},
        },
    };

    const ALI: CustomerId = CustomerId(7);
    const DAY_S: i64 = 86_400;

    fn at(day: i64) -> Instant {
        Instant(1_893_456_000_000_000).plus(day * DAY)
    }

    fn package(price: i64, days: i64) -> Package {
        let terms = PlanTerms {
            price: Money(price),
            tax: TaxRate { ppm: 160_000, inclusive: true },
            validity: Validity { count: days as u32, unit: Unit::Days },
            limit: Limit::default(),
        };
        Package { terms, validity_s: days * DAY_S }
    }

    fn sold(package: &Package, from: i64, to: i64) -> Unfinished {
        let earned = package.terms.tax.split(package.terms.price);
        let sale = (earned.total() > Money::ZERO).then_some(Moved { earned, seller: None, margins: vec![] });
        Unfinished {
            starts_at: at(from),
            ends_at: at(to),
            until: at(to),
            sold_s: ((to - from) * DAY_S).min(package.validity_s),
            sale,
        }
    }

    fn given_back(period: &Unfinished, quota: &Quota, now: Instant) -> Option<(Taxed, Entry)> {
        credit::back(ALI, period.sale.as_ref()?, period.share(quota, now))
    }

    fn told(entry: Entry) -> String {
        let lines = entry.balanced().expect("every entry balances");
        lines.iter().map(|(account, amount)| format!("{} {}", account.code(), amount.0)).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn what_a_migration_gives_back_and_costs() {
        let (small, big, free) = (package(300_000, 31), package(500_000, 31), package(0, 31));
        let huge = package(1 << 53, 31);
        let one = |package: &Package, from, to| vec![sold(package, from, to)];
        // old, its periods, new, on day → given back, price of the new
        let rows = [
            // docs/RULES.md, "Proration".
            (&small, one(&small, 0, 31), &big, 10, 203_226, 338_710),
            (&big, one(&big, 0, 31), &small, 10, 338_710, 203_226),
            (&small, one(&small, 0, 31), &big, 0, 300_000, 500_000),
            // Nothing is left: the next activation costs the new price.
            (&small, one(&small, 0, 31), &big, 31, 0, 0),
            (&small, one(&small, 0, 31), &big, 40, 0, 0),
            (&small, vec![], &big, 10, 0, 0),
            // To and from what costs nothing.
            (&small, one(&small, 0, 31), &free, 10, 203_226, 0),
            (&free, one(&free, 0, 31), &big, 10, 0, 338_710),
            // Time that was a gift pays the difference up and gives nothing down.
            (&small, vec![Unfinished { sale: None, ..sold(&small, 0, 31) }], &big, 10, 0, 135_484),
            (&big, vec![Unfinished { sale: None, ..sold(&big, 0, 31) }], &small, 10, 0, 0),
            // Two periods in advance: what is left of the first and the whole second.
            (&small, vec![sold(&small, 0, 31), sold(&small, 31, 62)], &big, 10, 503_226, 838_710),
            // A later end for one price: two hundred days stand for one validity, of which half is left.
            (&small, one(&small, 0, 200), &big, 100, 150_000, 250_000),
            // An earlier one for the whole price: a day costs price by duration.
            (&small, one(&small, 0, 10), &big, 5, 150_000, 80_645),
            // Five days were taken away.
            (&small, vec![Unfinished { until: at(26), ..sold(&small, 0, 31) }], &big, 10, 154_839, 258_065),
            // Another duration: 21 of 31 days are three weeks.
            (&small, one(&small, 0, 31), &package(70_000, 7), 10, 203_226, 210_000),
            (&huge, one(&huge, 0, 31), &huge, 0, 1 << 53, 1 << 53),
        ];
        for (old, periods, new, day, back, price) in rows {
            let returned: i64 = periods
                .iter()
                .filter_map(|period| given_back(period, &Quota::default(), at(day)))
                .map(|(taxed, _)| taxed.total().0)
                .sum();
            let charged = part(old, new, Time::of(&periods, at(day))).price;
            assert_eq!((returned, charged.0), (back, price), "{periods:?} on day {day} to {:?}", new.terms.price);
        }
    }

    #[test]
    fn made_and_undone_in_the_same_second_it_costs_nothing() {
        let (small, big) = (package(149_999, 30), package(333_333, 30));
        for (from, to, day) in [(0, 30, 7), (0, 30, 29), (0, 700, 333)] {
            let first = sold(&small, from, to);
            let time = Time::of(std::slice::from_ref(&first), at(day));
            let there = part(&small, &big, time);
            let second = Unfinished {
                starts_at: at(day),
                ends_at: at(to),
                until: at(to),
                sold_s: time.total_s(),
                sale: Some(Moved { earned: there.tax.split(there.price), seller: None, margins: vec![] }),
            };
            let given =
                |period: &Unfinished| given_back(period, &Quota::default(), at(day)).expect("something").0.total();
            assert_eq!(given(&second), there.price, "the whole of it comes back");
            let here = part(&big, &small, Time::of(&[second], at(day)));
            assert_eq!(given(&first), here.price, "{from}..{to} on day {day}");
        }
    }

    #[test]
    fn what_was_used_up_does_not_come_back() {
        let small = package(300_000, 30);
        let period = sold(&small, 0, 30);
        let quota = |limit: Option<i64>, used: i64| Quota {
            limit: Limit { time_s: None, data_bytes: limit },
            used_bytes: used,
            used_time_s: 0,
        };
        // Half of the time is left.
        let rows = [
            (quota(None, 999), 150_000),
            (quota(Some(100), 0), 150_000),
            (quota(Some(100), 50), 150_000),
            (quota(Some(100), 75), 75_000),
            (quota(Some(100), 100), 0),
            (quota(Some(100), 900), 0),
        ];
        for (quota, expected) in rows {
            let given = given_back(&period, &quota, at(15)).map_or(0, |(taxed, _)| taxed.total().0);
            assert_eq!(given, expected, "{quota:?}");
        }
        // The new package's quota comes in proportion to its time.
        let mut big = package(600_000, 30);
        big.terms.limit = Limit { time_s: Some(DAY_S), data_bytes: Some(1000) };
        let limit = part(&small, &big, Time::of(&[period], at(15))).limit;
        assert_eq!(limit, Limit { time_s: Some(DAY_S / 2), data_bytes: Some(500) });
    }

    #[test]
    fn it_goes_back_to_who_paid() {
        let small = package(100_000, 30);
        let mut period = sold(&small, 0, 30);
        let quota = Quota::default();
        let given = |period: &Unfinished| given_back(period, &quota, at(15)).map(|(_, entry)| told(entry));
        assert_eq!(
            given(&period).as_deref(),
            Some("revenue 43103, tax 6897, wallet:customer:7 -50000"),
            "rounded once, on the whole"
        );
        // docs/RULES.md: 850.00 paid by the sub-operator, of which the operator earned 150.00.
        period.sale = Some(Moved {
            earned: TaxRate { ppm: 0, inclusive: true }.split(Money(70_000)),
            seller: Some(StaffId(2)),
            margins: vec![(StaffId(1), Money(15_000))],
        });
        assert_eq!(given(&period).as_deref(), Some("revenue 35000, wallet:staff:1 7500, wallet:staff:2 -42500"));
        assert_eq!(given(&Unfinished { sale: None, ..period }), None);
    }
}
