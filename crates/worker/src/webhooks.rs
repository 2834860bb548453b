//! Webhooks on their way: events become deliveries, deliveries become requests. Each endpoint is served by a task of its
//! own, one delivery after the other, so that one that hangs holds up nobody else.

use std::{sync::Arc, time::Duration};

use service::{
    App, Error,
    webhooks::queue::{self, Held, Outcome, Outgoing},
};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
};

use crate::outgoing::Sender;

/// Endpoints served at the same time; the others wait a moment, in the order in which they were due.
const ENDPOINTS: usize = 128;
/// Transactions of theirs at the same time: the database has a limit for background work.
const WRITING: usize = 16;
/// How often a look is taken for retries that are due and for other nodes' events.
const POLL: Duration = Duration::from_millis(200);
/// While the database is busy or away.
const PATIENCE: Duration = Duration::from_millis(500);
/// So often an outcome is written again before it is given up: then the delivery is sent again after its lease.
const TRIES: u32 = 20;

/// Runs until it is told to stop; then what is on its way is finished, and the queues are let go of.
pub(crate) async fn run(app: App, sender: Sender, mut stopped: watch::Receiver<bool>) {
    let courier = Courier { app, sender, writing: Arc::new(Semaphore::new(WRITING)), stopped: stopped.clone() };
    let mut running = JoinSet::new();
    let mut commits = courier.app.feed.commits();
    loop {
        let started = match courier.start(&mut running).await {
            Ok(started) => started,
            Err(error) => {
                tracing::warn!(%error, "webhooks wait for the database");
                0
            }
        };
        while running.try_join_next().is_some() {}
        if started == 0 && !*stopped.borrow() {
            tokio::select! {
                _ = stopped.changed() => {}
                () = commits.next(POLL) => {}
            }
        }
        if *stopped.borrow() {
            while running.join_next().await.is_some() {}
            return;
        }
    }
}

/// Sends all that is due now and waits until it is done; tests call it when they say so.
pub async fn pass(app: &App, sender: &Sender) -> Result<(), Error> {
    let (_running, stopped) = watch::channel(false);
    let (app, sender) = (app.clone(), sender.clone());
    let courier = Courier { app, sender, writing: Arc::new(Semaphore::new(WRITING)), stopped };
    let mut running = JoinSet::new();
    while courier.start(&mut running).await? > 0 || !running.is_empty() {
        running.join_next().await;
    }
    Ok(())
}

#[derive(Clone)]
struct Courier {
    app: App,
    sender: Sender,
    writing: Arc<Semaphore>,
    stopped: watch::Receiver<bool>,
}

impl Courier {
    /// Queues what happened and starts a task for each endpoint that is due; how many.
    async fn start(&self, running: &mut JoinSet<()>) -> Result<usize, Error> {
        queue::fan_out(&self.app).await?;
        let free = ENDPOINTS.saturating_sub(running.len());
        if free == 0 {
            return Ok(0);
        }
        let claimed = queue::claim(&self.app, free as i64).await?;
        let started = claimed.len();
        for held in claimed {
            running.spawn(self.clone().serve(held));
        }
        Ok(started)
    }

    /// Sends a queue's deliveries in order until none is due or one fails.
    async fn serve(self, held: Held) {
        let mut next = match self.write(|| queue::first(&self.app, held)).await {
            Ok(next) => next,
            Err(error) => return left(held, &error),
        };
        while let Some(request) = next {
            let outcome = self.sender.send(&request).await;
            let word = if outcome.is_success() { "delivered" } else { "failed" };
            metrics::counter!("webhook_attempts_total", "outcome" => word).increment(1);
            next = match self.finish(&request, outcome).await {
                Ok(next) => next,
                Err(error) => return left(held, &error),
            };
            if next.is_some() && *self.stopped.borrow() {
                if let Err(error) = queue::release(&self.app, held).await {
                    left(held, &error);
                }
                return;
            }
        }
    }

    async fn finish(&self, request: &Outgoing, outcome: Outcome) -> Result<Option<Outgoing>, Error> {
        self.write(|| queue::finish(&self.app, request, outcome.clone())).await
    }

    /// A transaction, again while the database is busy or away.
    async fn write<T, F>(&self, act: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut tries = 0;
        loop {
            let answer = {
                let _place = self.writing.acquire().await;
                act().await
            };
            match answer {
                Err(Error::Busy | Error::Unavailable) if tries < TRIES => tries += 1,
                answer => return answer,
            }
            tokio::time::sleep(PATIENCE).await;
        }
    }
}

fn left(held: Held, error: &Error) {
    // Its lease ends and it is tried again.
    tracing::warn!(%error, webhook = held.webhook, "a webhook's queue is left for later");
}
