//! How often a client may call: so many requests in any 60 seconds, so many in a calendar month of its tenant.
//!
//! Both count exactly under parallel requests. Minutes are kept by the core (`service::kernel::limits`). Months are
//! counted in memory and written every few seconds ([`Gate::keep`]), so that no request waits for a write; a restart goes
//! on where the last write stood. Several nodes each allow the minute's rate; the month they share, as of their last
//! write.

use std::{collections::HashMap, sync::Arc, time::Duration};

use domain::{
    ApiClientId, Instant, IspId,
    kernel::{
        calendar::Month,
        clock::MINUTE,
        windows::{Room, Wait},
    },
};
use parking_lot::Mutex;
use service::{
    App, Error, Who,
    identity::{
        clients::{Known, Tier},
        metering,
    },
};

/// How often what was counted is written.
const WRITE_EVERY: Duration = Duration::from_secs(5);

#[derive(Clone, Default)]
pub struct Gate {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    months: Mutex<HashMap<(ApiClientId, Month), Count>>,
}

/// A client's requests of a month.
#[derive(Clone, Copy, Debug)]
struct Count {
    isp: IspId,
    /// In the database.
    written: i64,
    /// Not yet.
    fresh: i64,
    /// Those of `fresh` beyond what the tier includes.
    over: i64,
    last: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    Granted {
        /// So many more may come in this minute.
        remaining: u32,
    },
    /// The minute's requests are used up.
    TooFast { retry_after_s: i64 },
    /// The month's are.
    MonthUsedUp { retry_after_s: i64 },
}

impl Gate {
    /// Counts a request of a known client at this door, or says when the next one may come. Refused ones do not count.
    pub async fn admit(&self, app: &App, door: &'static str, client: &Known) -> Result<Admission, Error> {
        let now = app.clock.now();
        let rate = client.tier.requests_per_minute() as usize;
        let remaining = match app.limits.requests.take((door, client.actor.who), rate, now) {
            Ok(Room(remaining)) => remaining as u32,
            Err(Wait(retry_after_s)) => {
                metrics::counter!("limit_refusals_total", "limit" => "requests_per_minute").increment(1);
                return Ok(Admission::TooFast { retry_after_s });
            }
        };
        let Who::Api(id) = client.actor.who else { return Ok(Admission::Granted { remaining }) };
        let tenant = app.tenant(client.actor.isp).await?;
        let month = Month::of(now, &tenant.zone);
        if !self.inner.months.lock().contains_key(&(id, month)) {
            let written = metering::requests(app, client.actor.isp, id, month).await?;
            let count = Count { isp: client.actor.isp, written, fresh: 0, over: 0, last: now };
            self.inner.months.lock().entry((id, month)).or_insert(count);
        }
        let granted = self.month(id, month, client.tier, now);
        let wait = || month.end(&tenant.zone).seconds_since(now).max(1);
        Ok(if granted { Admission::Granted { remaining } } else { Admission::MonthUsedUp { retry_after_s: wait() } })
    }

    fn month(&self, id: ApiClientId, month: Month, tier: Tier, now: Instant) -> bool {
        let mut months = self.inner.months.lock();
        let Some(count) = months.get_mut(&(id, month)) else { return true };
        let beyond = tier.requests_per_month().is_some_and(|included| count.written + count.fresh >= included);
        if beyond && tier.is_hard() {
            return false;
        }
        count.fresh += 1;
        count.over += i64::from(beyond);
        count.last = now;
        true
    }

    /// Writes what has been counted. Call it once more before the end.
    pub async fn write(&self, app: &App) -> Result<(), Error> {
        let taken: Vec<metering::Requests> = {
            let mut months = self.inner.months.lock();
            let fresh = months.iter_mut().filter(|(_, count)| count.fresh > 0);
            fresh
                .map(|((client, month), count)| {
                    // Counted as written at once: the sum that a request sees never shrinks.
                    count.written += count.fresh;
                    metering::Requests {
                        isp: count.isp,
                        client: *client,
                        month: *month,
                        requests: std::mem::take(&mut count.fresh),
                        over: std::mem::take(&mut count.over),
                        last: count.last,
                    }
                })
                .collect()
        };
        if taken.is_empty() {
            return Ok(());
        }
        let totals = metering::add(app, taken.clone()).await;
        let mut months = self.inner.months.lock();
        match &totals {
            Ok(totals) => {
                for (row, total) in taken.iter().zip(totals) {
                    // Other nodes count too.
                    if let Some(count) = months.get_mut(&(row.client, row.month)) {
                        count.written = count.written.max(*total);
                    }
                }
                let now = app.clock.now();
                months.retain(|_, count| count.fresh > 0 || now.since(count.last) < 60 * MINUTE);
            }
            Err(_) => {
                for row in &taken {
                    if let Some(count) = months.get_mut(&(row.client, row.month)) {
                        count.written -= row.requests;
                        count.fresh += row.requests;
                        count.over += row.over;
                    }
                }
            }
        }
        totals.map(drop)
    }

    /// Writes every few seconds until `stop`, and once more then.
    pub async fn keep(self, app: App, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let ended = tokio::time::timeout(WRITE_EVERY, &mut stop).await.is_ok();
            if let Err(error) = self.write(&app).await {
                tracing::warn!(%error, "request counts stay in memory");
            }
            if ended {
                return;
            }
        }
    }
}
