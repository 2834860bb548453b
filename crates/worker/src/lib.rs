//! Background work that recurs: expiry, renewal, fair use and housekeeping, on a schedule table with leases, so that of
//! several nodes one acts. What a pass does is in `service`; here is only when. Webhooks are sent from here as well.

pub mod outgoing;
pub mod webhooks;

use std::time::Duration;

use domain::kernel::clock::{DAY, HOUR, MINUTE, SECOND};
use service::{App, Error, kernel::schedule::Kept};
use tokio::{sync::watch, task::JoinHandle};

use crate::outgoing::Sender;

/// One recurring task.
struct Task {
    name: &'static str,
    /// Microseconds between two turns.
    every: i64,
    /// A turn that takes longer may be taken by another node as well, which does no harm; a node that was killed holds
    /// up the others no longer than this.
    lease: i64,
    run: Run,
}

#[derive(Clone, Copy)]
enum Run {
    Expiry,
    Renewal,
    FairUse,
    Forget,
}

const TASKS: &[Task] = &[
    Task { name: "expiry", every: SECOND, lease: MINUTE, run: Run::Expiry },
    Task { name: "renewal", every: MINUTE, lease: 5 * MINUTE, run: Run::Renewal },
    Task { name: "fair use", every: SECOND, lease: MINUTE, run: Run::FairUse },
    Task { name: "forget", every: HOUR, lease: 30 * MINUTE, run: Run::Forget },
];

/// How often the schedule is looked at.
const TICK: Duration = Duration::from_millis(500);
/// The log of API requests reaches this far back.
const REQUESTS_KEPT: i64 = 30 * DAY;
/// How long events are kept where nobody set it: a year, and the month in which one looks back at it.
pub const EVENTS_KEPT_DAYS: i64 = 400;

/// Events for so many days; 0 is for ever.
fn kept(events_days: i64) -> Kept {
    let events = (events_days > 0).then(|| events_days * DAY);
    Kept { jobs: 7 * DAY, keys: 3 * DAY, refusals: 90 * DAY, refusals_at_most: 200_000, events }
}
/// Webhook deliveries that arrived, and those that never did.
const DELIVERED_KEPT: i64 = 30 * DAY;
const DEAD_KEPT: i64 = 90 * DAY;

pub struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    webhooks: JoinHandle<()>,
}

impl Running {
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = tokio::time::timeout(Duration::from_secs(10), self.task).await;
        // As long as one attempt may take.
        let _ = tokio::time::timeout(Duration::from_secs(11), self.webhooks).await;
    }
}

/// Events are kept for so many days; 0 is for ever.
pub fn start(app: App, events_days: i64, sender: Sender) -> Running {
    let (stop, mut stopped) = watch::channel(false);
    let webhooks = tokio::spawn(webhooks::run(app.clone(), sender, stopped.clone()));
    let task = tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = stopped.changed() => return,
                () = tokio::time::sleep(TICK) => {}
            }
            if let Err(error) = turn(&app, events_days).await {
                tracing::warn!(%error, "background work waits for the database");
            }
        }
    });
    Running { stop, task, webhooks }
}

async fn forget(app: &App, events_days: i64) -> Result<(), Error> {
    service::kernel::schedule::forget(app, kept(events_days)).await?;
    service::identity::tokens::forget(app).await?;
    service::identity::requests::forget(app, REQUESTS_KEPT).await?;
    service::webhooks::forget(app, DELIVERED_KEPT, DEAD_KEPT).await
}

/// Does what is due; tests call it when they say so.
pub async fn turn(app: &App, events_days: i64) -> Result<(), Error> {
    for task in TASKS {
        if service::kernel::schedule::take(app, task.name, task.every, task.lease).await? {
            let done = match task.run {
                Run::Expiry => service::sales::expiry::run(app).await.map(drop),
                Run::Renewal => service::sales::renewals::run(app).await.map(drop),
                Run::FairUse => service::access::fup::run(app).await.map(drop),
                Run::Forget => forget(app, events_days).await,
            };
            service::kernel::schedule::end(app, task.name).await?;
            done?;
        }
    }
    Ok(())
}
