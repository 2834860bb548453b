//! A period that is sold otherwise than as the plan says: where it begins, how long it lasts, and which part of the
//! plan's price and limits it takes.
//!
//! | begins                | with time left        | with the time over         |
//! |-----------------------|-----------------------|----------------------------|
//! | `Usual`               | same plan: at its end; another: now | now          |
//! | `Now`                 | now; what is left is lost, or given back | now     |
//! | `AtEnd`               | at its end            | now                        |
//! | `AfterLast`           | at its end            | at its end, which is past  |
//!
//! | lasts                 | price and limits                                              |
//! |-----------------------|---------------------------------------------------------------|
//! | as the plan says      | the plan's                                                    |
//! | so many days, months  | by count where the plan counts the same unit, else by time    |
//! | to the next cycle day | by time, of the plan's length that ends on that day           |

use jiff::{Span, civil, tz::TimeZone};

use crate::{
    Instant, Limit, Money, PlanTerms, Unit, Validity,
    catalogue::validity::{Running, Term, end_of, first_month, month_later, term_from},
    sales::sale::Payer,
};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Begin {
    Usual,
    Now,
    AtEnd,
    AfterLast,
}

impl Begin {
    pub const ALL: [Begin; 4] = [Begin::Usual, Begin::Now, Begin::AtEnd, Begin::AfterLast];

    pub fn word(self) -> &'static str {
        match self {
            Begin::Usual => "usual",
            Begin::Now => "now",
            Begin::AtEnd => "at_end",
            Begin::AfterLast => "after_last",
        }
    }

    pub fn from_word(word: &str) -> Option<Begin> {
        Begin::ALL.into_iter().find(|begin| begin.word() == word)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Length {
    Plan,
    /// 1 or more.
    Days(u32),
    /// 1 or more.
    Months(u32),
    /// Up to the day of the month on which the line's periods end; where it has had none, to the month's end.
    ToCycleDay,
}

impl Length {
    /// The word and the number under which it is kept.
    pub fn parts(self) -> (&'static str, i64) {
        match self {
            Length::Plan => ("plan", 0),
            Length::Days(count) => ("days", count.into()),
            Length::Months(count) => ("months", count.into()),
            Length::ToCycleDay => ("to_cycle_day", 0),
        }
    }

    pub fn from_parts(word: &str, count: i64) -> Option<Length> {
        let count = u32::try_from(count).ok();
        match word {
            "plan" => Some(Length::Plan),
            "days" => count.map(Length::Days),
            "months" => count.map(Length::Months),
            "to_cycle_day" => Some(Length::ToCycleDay),
            _ => None,
        }
    }
}

/// Of what a whole period of the plan costs and allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    pub part: i64,
    pub whole: i64,
}

impl Part {
    pub const WHOLE: Part = Part { part: 1, whole: 1 };

    fn of(self, amount: i64) -> i64 {
        Money(amount).share(self.part, self.whole).0
    }

    /// The terms for this part: price and limits, rounded half up.
    pub fn terms(self, terms: PlanTerms) -> PlanTerms {
        if self.part == self.whole {
            return terms;
        }
        PlanTerms {
            price: Money(self.of(terms.price.0)),
            limit: Limit {
                time_s: terms.limit.time_s.map(|limit| self.of(limit).max(1)),
                data_bytes: terms.limit.data_bytes.map(|limit| self.of(limit).max(1)),
            },
            ..terms
        }
    }

    /// Resellers buy this part as well.
    pub fn payer(self, payer: Payer) -> Payer {
        match payer {
            Payer::Reseller { mut seller, mut above } => {
                seller.price = Money(self.of(seller.price.0));
                above.iter_mut().for_each(|reseller| reseller.price = Money(self.of(reseller.price.0)));
                Payer::Reseller { seller, above }
            }
            Payer::Cash { .. }
            | Payer::Wallet
            | Payer::Voucher
            | Payer::Card { .. }
            | Payer::Billed { .. }
            | Payer::Owed
            | Payer::Complimentary => payer,
        }
    }
}

/// A period as it is wanted: when it is, and which part of a whole one.
pub fn shape(
    now: Instant,
    running: Option<Running>,
    begin: Begin,
    length: Length,
    validity: Validity,
    zone: &TimeZone,
) -> (Term, Part) {
    let last = running.map(|running| running.expires_at);
    let left = last.filter(|end| *end > now);
    let (starts_at, follows) = match begin {
        Begin::Usual => match running.filter(|running| running.same_plan).and(left) {
            Some(end) => (end, true),
            None => (now, false),
        },
        Begin::Now => (now, false),
        Begin::AtEnd => (left.unwrap_or(now), left.is_some()),
        Begin::AfterLast => (last.unwrap_or(now), last.is_some()),
    };
    let anchor = running.filter(|_| follows).and_then(|running| running.anchor_day);
    // What is left of a quota is added to, where time is.
    let extends = follows && left.is_some() && running.is_some_and(|running| running.same_plan);
    let own = |validity| Term { extends, ..term_from(starts_at, anchor, validity, zone) };
    let by_count = |count: u32, unit: Unit| {
        let term = own(Validity { count, unit });
        let part = match (unit, validity.unit) {
            (Unit::Days, Unit::Days) | (Unit::Months, Unit::Months | Unit::Period { .. }) => {
                Part { part: count.into(), whole: validity.count.into() }
            }
            _ => part_of(&term, whole_from(starts_at, anchor, validity, zone)),
        };
        (term, part)
    };
    match length {
        Length::Plan => (own(validity), Part::WHOLE),
        Length::Days(count) => by_count(count.max(1), Unit::Days),
        Length::Months(count) => by_count(count.max(1), Unit::Months),
        Length::ToCycleDay => {
            let (day, time) = cycle(running, validity, zone);
            let start = starts_at.in_zone(zone).datetime();
            let at = |months| civil::DateTime::from_parts(month_later(start.date(), months, day), time);
            let months = first_month(|months| at(months) > start);
            let expires_at = Instant::from_civil(at(months), zone);
            let term = Term { starts_at, expires_at, anchor_day: Some(day), extends };
            (term, part_of(&term, expires_at.seconds_since(whole_until(at(months), day, validity, zone))))
        }
    }
}

fn part_of(term: &Term, whole: i64) -> Part {
    Part { part: term.expires_at.seconds_since(term.starts_at).max(0), whole: whole.max(1) }
}

/// Seconds of a whole period that begins then; one to a fixed day counts as whole months.
fn whole_from(starts_at: Instant, anchor: Option<u8>, validity: Validity, zone: &TimeZone) -> i64 {
    let validity = match validity.unit {
        Unit::Period { .. } => Validity { unit: Unit::Months, ..validity },
        Unit::Mins | Unit::Hrs | Unit::Days | Unit::Months => validity,
    };
    term_from(starts_at, anchor, validity, zone).expires_at.seconds_since(starts_at)
}

/// Where a whole period would have begun that ends then.
fn whole_until(end: civil::DateTime, day: u8, validity: Validity, zone: &TimeZone) -> Instant {
    let count = i64::from(validity.count);
    match validity.unit {
        Unit::Months | Unit::Period { .. } => {
            Instant::from_civil(civil::DateTime::from_parts(month_later(end.date(), -count, day), end.time()), zone)
        }
        Unit::Days => {
            let begin = Span::new().try_days(count).and_then(|days| end.checked_sub(days));
            Instant::from_civil(begin.unwrap_or(civil::DateTime::MIN), zone)
        }
        Unit::Hrs => Instant::from_civil(end, zone).plus(-count.saturating_mul(crate::kernel::clock::HOUR)),
        Unit::Mins => Instant::from_civil(end, zone).plus(-count.saturating_mul(crate::kernel::clock::MINUTE)),
    }
}

/// The day of the month and the time at which a line's periods end.
fn cycle(running: Option<Running>, validity: Validity, zone: &TimeZone) -> (u8, civil::Time) {
    if let Unit::Period { day } = validity.unit {
        return (day, end_of(civil::Date::MIN).time());
    }
    match running {
        Some(running) => {
            let end = running.expires_at.in_zone(zone).datetime();
            (running.anchor_day.unwrap_or(end.day() as u8), end.time())
        }
        None => (1, civil::Time::midnight()),
    }
}

/// Whether a period of this shape is worth anything: it must end in the future.
pub fn is_over(term: &Term, now: Instant) -> bool {
    term.expires_at <= now
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::money::TaxRate;

    fn zone() -> TimeZone {
        TimeZone::get("Africa/Nairobi").unwrap()
    }

    fn at(local: &str) -> Instant {
        Instant::from_civil(local.parse::<civil::DateTime>().unwrap(), &zone())
    }

    const MONTH: Validity = Validity { count: 1, unit: Unit::Months };
    const QUARTER: Validity = Validity { count: 3, unit: Unit::Months };
    const THIRTY: Validity = Validity { count: 30, unit: Unit::Days };
    const DAY_20: Validity = Validity { count: 1, unit: Unit::Period { day: 20 } };

    #[test]
    fn where_it_begins_and_how_long_it_lasts() {
        use Begin::*;
        let left = Some(("2026-01-31T08:00:00", true, 31));
        let other = Some(("2026-01-31T08:00:00", false, 31));
        let over = Some(("2025-12-31T08:00:00", true, 31));
        let now = "2026-01-10T14:20:05";
        #[rustfmt::skip]
        let rows = [
            // running, begins, lasts, validity → from, until, extends
            (left, Usual, Length::Plan, MONTH, "2026-01-31T08:00:00", "2026-02-28T08:00:00", true),
            (other, Usual, Length::Plan, MONTH, "2026-01-10T14:20:05", "2026-02-10T14:20:05", false),
            (left, Now, Length::Plan, MONTH, "2026-01-10T14:20:05", "2026-02-10T14:20:05", false),
            (left, AtEnd, Length::Plan, MONTH, "2026-01-31T08:00:00", "2026-02-28T08:00:00", true),
            (over, AtEnd, Length::Plan, MONTH, "2026-01-10T14:20:05", "2026-02-10T14:20:05", false),
            (over, AfterLast, Length::Plan, MONTH, "2025-12-31T08:00:00", "2026-01-31T08:00:00", false),
            (left, AfterLast, Length::Plan, MONTH, "2026-01-31T08:00:00", "2026-02-28T08:00:00", true),
            (None, AfterLast, Length::Plan, THIRTY, "2026-01-10T14:20:05", "2026-02-09T14:20:05", false),
            (left, Usual, Length::Days(10), MONTH, "2026-01-31T08:00:00", "2026-02-10T08:00:00", true),
            (left, Usual, Length::Months(2), THIRTY, "2026-01-31T08:00:00", "2026-03-31T08:00:00", true),
            (left, Now, Length::ToCycleDay, MONTH, "2026-01-10T14:20:05", "2026-01-31T08:00:00", false),
            (left, AtEnd, Length::ToCycleDay, MONTH, "2026-01-31T08:00:00", "2026-02-28T08:00:00", true),
            (None, Now, Length::ToCycleDay, MONTH, "2026-01-10T14:20:05", "2026-02-01T00:00:00", false),
            (None, Now, Length::ToCycleDay, DAY_20, "2026-01-10T14:20:05", "2026-01-20T23:59:59", false),
        ];
        for (running, begin, length, validity, from, until, extends) in rows {
            let running = running.map(|(end, same_plan, anchor)| Running {
                expires_at: at(end),
                anchor_day: Some(anchor),
                same_plan,
            });
            let (term, _) = shape(at(now), running, begin, length, validity, &zone());
            let told = |at: Instant| at.in_zone(&zone()).datetime().to_string();
            let got = (told(term.starts_at), told(term.expires_at), term.extends);
            assert_eq!(got, (from.into(), until.into(), extends), "{running:?} {begin:?} {length:?} {validity:?}");
        }
    }

    #[test]
    fn what_a_part_costs() {
        #[rustfmt::skip]
        let rows = [
            // now, lasts, validity, price → part of it (docs/RULES.md, "Proration": joins on a calendar cycle)
            ("2026-02-15T00:00:00", Length::ToCycleDay, MONTH, 120_000, 60_000),
            ("2028-02-15T00:00:00", Length::ToCycleDay, MONTH, 120_000, 62_069),
            ("2028-02-16T00:00:00", Length::ToCycleDay, MONTH, 120_000, 57_931),
            ("2026-02-15T00:00:00", Length::ToCycleDay, QUARTER, 360_000, 56_000),
            ("2026-02-15T00:00:00", Length::Plan, MONTH, 120_000, 120_000),
            ("2026-02-15T00:00:00", Length::Days(10), THIRTY, 150_000, 50_000),
            ("2026-02-15T00:00:00", Length::Days(60), THIRTY, 150_000, 300_000),
            ("2026-02-15T00:00:00", Length::Days(7), MONTH, 120_000, 30_000),
            ("2026-02-15T00:00:00", Length::Months(3), MONTH, 120_000, 360_000),
            ("2026-02-15T00:00:00", Length::Months(1), QUARTER, 360_000, 120_000),
            ("2026-02-15T00:00:00", Length::Months(2), DAY_20, 120_000, 240_000),
            ("2026-02-15T00:00:00", Length::Days(14), DAY_20, 120_000, 60_000),
            ("2026-02-15T00:00:00", Length::Days(1), MONTH, 0, 0),
            ("2026-02-15T00:00:00", Length::Days(1), THIRTY, i64::MAX / 64, i64::MAX / 64 / 30),
        ];
        for (now, length, validity, price, expected) in rows {
            let (_, part) = shape(at(now), None, Begin::Usual, length, validity, &zone());
            let limit = Limit { time_s: None, data_bytes: Some(100_000_000_000) };
            let terms = PlanTerms { price: Money(price), tax: TaxRate { ppm: 0, inclusive: true }, validity, limit };
            let got = part.terms(terms);
            assert_eq!(got.price.0, expected, "{now} {length:?} {validity:?}");
            let quota = Money(100_000_000_000).share(part.part, part.whole).0;
            assert_eq!(got.limit.data_bytes, Some(quota), "the quota goes with the price");
        }
    }

    #[test]
    fn up_to_the_twentieth_of_a_plan_of_thirty_days() {
        let running = Running { expires_at: at("2026-01-20T12:00:00"), anchor_day: None, same_plan: true };
        let now = at("2026-01-10T12:00:00");
        let (term, part) = shape(now, Some(running), Begin::AtEnd, Length::ToCycleDay, THIRTY, &zone());
        assert_eq!(term.expires_at, at("2026-02-20T12:00:00"));
        assert_eq!(Money(150_000).share(part.part, part.whole), Money(155_000));
    }

    #[test]
    fn words_are_read_back() {
        for begin in Begin::ALL {
            assert_eq!(Begin::from_word(begin.word()), Some(begin));
        }
        for length in [Length::Plan, Length::Days(3), Length::Months(2), Length::ToCycleDay] {
            let (word, count) = length.parts();
            assert_eq!(Length::from_parts(word, count), Some(length));
        }
        assert_eq!(Length::from_parts("days", -1), None);
    }
}
