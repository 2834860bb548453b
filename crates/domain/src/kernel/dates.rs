//! Days and moments as others write them: the one place that reads them, and the calendar that the program keeps.
//!
//! Everything that is named from outside (an end, a start, a day on which something is due, came in or is to happen) lies
//! in this calendar, and so does everything that is computed from it and kept ([`Instant::is_kept`]). What is only looked
//! for (the days of a report) is its nearer end where it lies outside.

use jiff::{Timestamp, civil, tz::TimeZone};

use super::clock::{DAY, Instant, SECOND};

/// The first day of the calendar…
pub const FIRST: civil::Date = civil::date(1970, 1, 1);
/// …and the last.
pub const LAST: civil::Date = civil::date(2100, 12, 31);

/// 2101-01-02T00:00:00Z: the calendar's last day is over everywhere.
const OVER: Instant = Instant(4_134_067_200 * SECOND);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotADate {
    /// Not written as one, or of no calendar.
    Unread,
    /// Before [`FIRST`] or after [`LAST`].
    Outside,
}

/// `2026-05-01`.
pub fn day(text: &str) -> Result<civil::Date, NotADate> {
    within(any_day(text)?)
}

/// `2026-05-01`, to look from or to.
pub fn day_near(text: &str) -> Result<civil::Date, NotADate> {
    any_day(text).map(near)
}

/// `2999-12-31`, of whatever year: what is only said again, and looked for [`near`] it.
pub fn any_day(text: &str) -> Result<civil::Date, NotADate> {
    let text = text.trim();
    match text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        true => text.parse().map_err(|_| NotADate::Unread),
        false => Err(NotADate::Unread),
    }
}

/// `2026-05-01` or `01-05-2026`, also with `/`, with or without a time behind it, which is not looked at.
pub fn day_either_way(text: &str) -> Result<civil::Date, NotADate> {
    within(any_day_either_way(text).ok_or(NotADate::Unread)?)
}

/// The same to look from or to.
pub fn day_either_way_near(text: &str) -> Result<civil::Date, NotADate> {
    any_day_either_way(text).map(near).ok_or(NotADate::Unread)
}

fn any_day_either_way(text: &str) -> Option<civil::Date> {
    let text = text.trim().split([' ', 'T']).next()?;
    let mut parts = text.split(['-', '/']);
    let (first, month, last) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |part: &str| !part.is_empty() && part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit());
    if parts.next().is_some() || ![first, month, last].into_iter().all(digits) || month.len() > 2 {
        return None;
    }
    let (year, day) = match (first.len(), last.len()) {
        (4, 1..=2) => (first, last),
        (1..=2, 4) => (last, first),
        _ => return None,
    };
    civil::Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// `2026-05-01 10:00:00`, with a `T` or without, or the day alone, at whose beginning it is; in a zone that is told apart.
pub fn local(text: &str) -> Result<civil::DateTime, NotADate> {
    let text = text.trim();
    let plain = |b: u8| b.is_ascii_digit() || matches!(b, b'-' | b':' | b' ' | b'T');
    if !text.bytes().all(plain) {
        return Err(NotADate::Unread);
    }
    let local: civil::DateTime = match text.len() {
        10 => any_day(text)?.at(0, 0, 0, 0),
        19 => text.replacen(' ', "T", 1).parse().map_err(|_| NotADate::Unread)?,
        _ => return Err(NotADate::Unread),
    };
    within(local.date()).map(|_| local)
}

/// `2026-05-01T10:00:00Z`, with any offset.
pub fn moment(text: &str) -> Result<Instant, NotADate> {
    let at = any_moment(text)?;
    within(at.day(&TimeZone::UTC)).map(|_| at)
}

/// The same to look from or to.
pub fn moment_near(text: &str) -> Result<Instant, NotADate> {
    any_moment(text).map(Instant::near)
}

fn any_moment(text: &str) -> Result<Instant, NotADate> {
    let at: Timestamp = text.trim().parse().map_err(|_| NotADate::Unread)?;
    Ok(Instant::from_timestamp(at))
}

/// A day of the calendar.
pub fn within(day: civil::Date) -> Result<civil::Date, NotADate> {
    match (FIRST..=LAST).contains(&day) {
        true => Ok(day),
        false => Err(NotADate::Outside),
    }
}

/// A day to look from or to: one outside the calendar is its nearer end.
pub fn near(day: civil::Date) -> civil::Date {
    day.clamp(FIRST, LAST)
}

impl Instant {
    /// Whether a row may have it: it is of the calendar, in whatever zone.
    pub fn is_kept(self) -> bool {
        (-DAY..=OVER.0).contains(&self.0)
    }

    /// The nearer end of what is kept, where it is not.
    pub fn near(self) -> Instant {
        Instant(self.0.clamp(0, OVER.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments_have_their_calendar() {
        use NotADate::{Outside, Unread};
        let said = |read: Result<civil::Date, NotADate>| read.map(|day| day.to_string());
        // what is written → as a day, as one to look from, either way round
        let rows = [
            ("2026-05-01", Ok("2026-05-01"), Ok("2026-05-01"), Ok("2026-05-01")),
            (" 2026-05-01 ", Ok("2026-05-01"), Ok("2026-05-01"), Ok("2026-05-01")),
            ("1970-01-01", Ok("1970-01-01"), Ok("1970-01-01"), Ok("1970-01-01")),
            ("2100-12-31", Ok("2100-12-31"), Ok("2100-12-31"), Ok("2100-12-31")),
            ("1969-12-31", Err(Outside), Ok("1970-01-01"), Err(Outside)),
            ("2101-01-01", Err(Outside), Ok("2100-12-31"), Err(Outside)),
            ("9999-12-31", Err(Outside), Ok("2100-12-31"), Err(Outside)),
            ("0001-01-01", Err(Outside), Ok("1970-01-01"), Err(Outside)),
            ("31-12-9999", Err(Unread), Err(Unread), Err(Outside)),
            ("31/12/2026 10:00", Err(Unread), Err(Unread), Ok("2026-12-31")),
            ("2026-02-29", Err(Unread), Err(Unread), Err(Unread)),
            ("0000-00-00", Err(Unread), Err(Unread), Err(Unread)),
            ("-9999-01-01", Err(Unread), Err(Unread), Err(Unread)),
            ("+02026-1-01", Err(Unread), Err(Unread), Err(Unread)),
            ("10000-01-01", Err(Unread), Err(Unread), Err(Unread)),
            ("2026-05-٠١", Err(Unread), Err(Unread), Err(Unread)),
            ("", Err(Unread), Err(Unread), Err(Unread)),
        ];
        for (text, as_day, to_look, either) in rows {
            let came = (said(day(text)), said(day_near(text)), said(day_either_way(text)));
            let own = |told: Result<&str, NotADate>| told.map(str::to_string);
            assert_eq!(came, (own(as_day), own(to_look), own(either)), "{text:?}");
        }
        let rows = [
            ("2026-05-01 10:00:00", Ok("2026-05-01T10:00:00")),
            ("2026-05-01T10:00:00", Ok("2026-05-01T10:00:00")),
            ("2026-05-01", Ok("2026-05-01T00:00:00")),
            ("9998-12-31 23:59:59", Err(Outside)),
            ("1969-12-31 23:59:59", Err(Outside)),
            ("2026-04-24 24:00:00", Err(Unread)),
            ("2026-05-01 10:00", Err(Unread)),
            ("2026-05-01T10:00:0Z", Err(Unread)),
        ];
        for (text, expected) in rows {
            assert_eq!(local(text).map(|at| at.to_string()), expected.map(str::to_string), "{text:?}");
        }
        let rows = [
            ("2026-05-01T00:00:00Z", Ok(1_777_593_600), Ok(1_777_593_600)),
            ("2026-05-01T03:00:00+03:00", Ok(1_777_593_600), Ok(1_777_593_600)),
            ("2199-01-01T00:00:00Z", Err(Outside), Ok(OVER.unix())),
            ("0001-01-01T00:00:00Z", Err(Outside), Ok(0)),
            ("-009999-01-01T00:00:00Z", Err(Unread), Err(Unread)),
            ("2026-05-01", Err(Unread), Err(Unread)),
        ];
        for (text, as_moment, to_look) in rows {
            let came = (moment(text).map(Instant::unix), moment_near(text).map(Instant::unix));
            assert_eq!(came, (as_moment, to_look), "{text:?}");
        }
    }

    /// Whatever is written: what is read as a day is of the calendar, reads again as itself, and is kept in every zone.
    #[test]
    fn any_text_is_read_or_refused() {
        let seeds: [&[u8]; 8] = [
            b"2026-05-01",
            b"01-05-2026",
            b"31/12/2100 10:00",
            b"2026-05-01 10:00:00",
            b"2026-05-01T10:00:00",
            b"2026-05-01T10:00:00Z",
            b"1970-01-01T00:00:00+14:00",
            b"2100-12-31T23:59:59-12:00",
        ];
        let tokens: [&[u8]; 12] =
            [b"-", b"/", b":", b"T", b"Z", b"+", b"9999", b"0000", b"-009999", b"[UTC]", b"\xd9\xa0", b"1e9"];
        let zones = ["Pacific/Kiritimati", "Etc/GMT+12"].map(|zone| TimeZone::get(zone).unwrap());
        inputs::run("dates", &seeds, &tokens, 600_000, |input| {
            let text = String::from_utf8_lossy(input);
            for read in [day(&text), day_near(&text), day_either_way(&text), day_either_way_near(&text)] {
                let Ok(found) = read else { continue };
                assert!((FIRST..=LAST).contains(&found));
                assert_eq!(day(&found.to_string()), Ok(found));
            }
            if let Ok(found) = local(&text) {
                assert!(zones.iter().all(|zone| Instant::from_civil(found, zone).is_kept()));
            }
            for found in [moment(&text), moment_near(&text)].into_iter().flatten() {
                assert!(found.is_kept());
                assert_eq!(moment(&found.near().to_string()).is_ok(), found.day(&TimeZone::UTC) <= LAST);
            }
        });
    }

    /// The ends of the calendar's days are kept in every zone; what lies a day beyond is not.
    #[test]
    fn what_the_calendar_has_may_be_kept() {
        for zone in ["Pacific/Kiritimati", "Etc/GMT+12", "Africa/Nairobi", "UTC"] {
            let zone = TimeZone::get(zone).unwrap();
            for at in [FIRST.at(0, 0, 0, 0), LAST.at(23, 59, 59, 0)] {
                assert!(Instant::from_civil(at, &zone).is_kept(), "{at}");
            }
            for beyond in ["1969-12-29", "2101-01-04", "9999-12-31"] {
                let at = beyond.parse::<civil::Date>().unwrap().at(12, 0, 0, 0);
                let at = Instant::from_civil(at, &zone);
                assert!(!at.is_kept() && at.near().is_kept(), "{beyond}");
            }
        }
        assert!(!Instant(i64::MAX).is_kept() && !Instant(i64::MIN).is_kept());
    }
}
