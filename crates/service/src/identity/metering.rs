//! What API clients use: requests per month of the tenant's calendar.

use domain::{ApiClientId, Instant, IspId};
use jiff::{civil, tz::TimeZone};
use store::{
    db::Class,
    identity::{api_usage, staff},
};

use crate::{App, Error};

/// A calendar month in a tenant's zone: year × 12 + month − 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Month(pub i64);

impl Month {
    pub fn of(at: Instant, zone: &TimeZone) -> Month {
        let day = at.day(zone);
        Month(i64::from(day.year()) * 12 + i64::from(day.month()) - 1)
    }

    /// When the next one begins.
    pub fn end(self, zone: &TimeZone) -> Instant {
        let next = self.0 + 1;
        let first = civil::Date::new(next.div_euclid(12) as i16, next.rem_euclid(12) as i8 + 1, 1);
        Instant::from_civil(first.unwrap_or(civil::Date::MAX).at(0, 0, 0, 0), zone)
    }
}

/// Requests counted since they were last written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Requests {
    pub isp: IspId,
    pub client: ApiClientId,
    pub month: Month,
    pub requests: i64,
    /// Those beyond what the tier includes.
    pub over: i64,
    pub last: Instant,
}

/// A client's requests of a month as far as they are written.
pub async fn requests(app: &App, isp: IspId, client: ApiClientId, month: Month) -> Result<i64, Error> {
    Ok(app.db.read(async move |tx| api_usage::requests(tx, isp, client, month.0).await).await?)
}

/// Adds what was counted; the months' totals, in the order given.
pub async fn add(app: &App, counted: Vec<Requests>) -> Result<Vec<i64>, Error> {
    app.db
        .tx(Class::Interactive, async move |tx| {
            let mut totals = Vec::with_capacity(counted.len());
            for row in &counted {
                staff::touch_client(tx, row.isp, row.client, row.last).await?;
                totals.push(api_usage::add(tx, row.isp, row.client, row.month.0, row.requests, row.over).await?);
            }
            Ok(totals)
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_at_local_midnight() {
        let rows = [
            ("Africa/Nairobi", "2030-01-31T20:59:59Z", "2030-01-31T21:00:00Z"),
            ("Africa/Nairobi", "2030-01-31T21:00:00Z", "2030-02-28T21:00:00Z"),
            ("UTC", "2030-12-31T23:59:59Z", "2031-01-01T00:00:00Z"),
        ];
        for (zone, now, end) in rows {
            let zone = TimeZone::get(zone).unwrap();
            let at = Instant::from_timestamp(now.parse().unwrap());
            assert_eq!(Month::of(at, &zone).end(&zone), Instant::from_timestamp(end.parse().unwrap()), "{now}");
        }
    }
}
