//! A change: one transaction with its events, its jobs and its caller's key.

use std::cell::{Cell, RefCell};

use domain::{BranchId, Instant, IspId, JobId};
use serde::{Serialize, de::DeserializeOwned};
use store::{
    db::{Class, Tx},
    kernel::{event::Event, idempotency, job::Job},
    resellers::operator,
};

use crate::{
    Actor, App, Error, Refusal,
    kernel::{
        call,
        facts::{self, Fact, Reach},
        ids::{Ids, Table},
        once, origin,
        work::{self, Work},
    },
};

pub use super::once::CallerKey;

/// One attempt at a change. Events and jobs gathered here are written as its last acts.
pub struct Change<'a> {
    pub tx: &'a Tx,
    pub isp: IspId,
    pub now: Instant,
    pub actor: &'a str,
    /// Where the actor is confined to; in a reseller's branch everything is sold on his account.
    pub branch: Option<BranchId>,
    /// Where the call came from (`super::origin`): a change runs in the database's task, not in the call's.
    pub source: Option<&'a str>,
    ids: &'a Ids,
    events: RefCell<Vec<Event>>,
    /// The strictest of what is told: who may make it so.
    reach: Cell<Reach>,
    jobs: RefCell<Vec<Job>>,
}

/// Refuses a change of a row that is not the one its caller read. `None`: the caller does not care.
///
/// # Errors
/// `Changed`.
pub fn unchanged(since: Option<Instant>, changed: Instant) -> Result<(), Error> {
    match since {
        Some(since) if since != changed => Err(Error::Changed),
        Some(_) | None => Ok(()),
    }
}

impl Change<'_> {
    /// Says whose business this is, where it is more than the facts say that are told.
    pub(crate) fn concerns(&self, reach: Reach) {
        self.reach.set(self.reach.get().max(reach));
    }

    /// Refuses what would give a customer more without a sale, where a reseller's people ask for it: before anything is
    /// looked at that would be refused in other words.
    pub(crate) async fn by_no_reseller(&self) -> Result<(), Error> {
        let Some(branch) = self.branch else { return Ok(()) };
        match operator::of_branch(self.tx, self.isp, branch).await? {
            Some(_) => Err(Error::Refused(Refusal::NotByAnEdit)),
            None => Ok(()),
        }
    }

    /// Says what happened.
    pub fn tell(&self, fact: Fact) {
        self.concerns(fact.reach());
        let (noun, id) = fact.subject().parts();
        self.events.borrow_mut().push(Event {
            isp_id: self.isp,
            seq: 0,
            at: self.now,
            kind: fact.kind(),
            version: facts::VERSION,
            subject: noun.into(),
            subject_id: id,
            actor: self.actor.into(),
            body: fact.body().to_string(),
        });
    }

    /// A new row's id.
    pub async fn id(&self, table: Table) -> Result<i64, Error> {
        self.ids.draw(self.tx, table).await
    }

    /// Orders work to follow from this change, at once.
    pub async fn order(&self, work: Work) -> Result<(), Error> {
        self.order_at(self.now, work).await.map(drop)
    }

    /// The same at its time, for who wants to know what became of it.
    pub async fn order_at(&self, run_at: Instant, work: Work) -> Result<JobId, Error> {
        let id = self.id(Table::Job).await?;
        self.jobs.borrow_mut().push(Job {
            isp_id: self.isp,
            id: JobId(id),
            queue: work.queue().into(),
            kind: work.kind().into(),
            version: work::VERSION,
            payload: work.payload().to_string(),
            run_at,
            attempts: 0,
            lease_owner: None,
            lease_until: None,
            unique_key: None,
            created_at: self.now,
            done_at: None,
            outcome: None,
            failed: false,
        });
        Ok(JobId(id))
    }
}

impl App {
    /// Runs a change and waits until this process's directory knows of it. Where the call has a key, the change takes it.
    pub async fn change<T, F>(&self, actor: &Actor, class: Class, body: F) -> Result<T, Error>
    where
        F: AsyncFn(&Change<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        let during = once::during();
        let claim = during.clone();
        let answer = self.write(actor, class, async move |change: &Change<'_>| {
            if let Some(during) = &claim {
                during.claim(change.tx, change.now).await?;
            }
            body(change).await
        });
        let answer = answer.await?;
        if let Some(during) = during {
            during.committed();
        }
        Ok(answer)
    }

    async fn write<T, F>(&self, actor: &Actor, class: Class, body: F) -> Result<T, Error>
    where
        F: AsyncFn(&Change<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        self.ids.refill(&self.db).await?;
        let (isp, now, label, ids) = (actor.isp, self.clock.now(), actor.label(), self.ids.clone());
        let (branch, broken, source) = (actor.branch, self.broken.clone(), origin::kept());
        let (answer, seq) = self
            .db
            .tx(class, async move |tx| {
                let (events, jobs) = (RefCell::default(), RefCell::default());
                let reach = Cell::default();
                let source = source.as_deref();
                let change = Change { tx, isp, now, actor: &label, branch, source, ids: &ids, events, reach, jobs };
                let answer = body(&change).await?;
                let seq = change.end().await?;
                if broken.is() {
                    return Err(Error::Busy);
                }
                Ok::<_, Error>((answer, seq))
            })
            .await?;
        call::committed();
        self.feed.committed();
        if let Some(seq) = seq {
            self.feed.settle(isp, seq).await;
        }
        Ok(answer)
    }

    /// As [`App::change`], once per caller's key, which keeps what came of it: it is given again even where a server ended
    /// before the call was answered.
    pub async fn change_once<T, F>(&self, actor: &Actor, key: Option<CallerKey>, body: F) -> Result<T, Error>
    where
        F: AsyncFn(&Change<'_>) -> Result<T, Error> + Send + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        let Some(caller) = key else { return self.change(actor, Class::Interactive, body).await };
        let (scope, vault) = (actor.label(), self.vault.clone());
        let answer = self.write(actor, Class::Interactive, async move |change: &Change<'_>| {
            let (tx, isp, key) = (change.tx, change.isp, caller.key.as_str());
            match idempotency::claim(tx, isp, &scope, key, &caller.request_hash, change.now).await? {
                Some(seen) if seen.request_hash != caller.request_hash => Err(Error::KeyReused),
                Some(seen) => {
                    let text = once::opened_result(&vault, isp, &scope, key, &seen.answer)?;
                    serde_json::from_str(&text).map_err(|error| Error::Internal(error.to_string()))
                }
                None => {
                    let answer = body(change).await?;
                    let text = serde_json::to_string(&answer).map_err(|error| Error::Internal(error.to_string()))?;
                    let text = once::sealed_result(&vault, isp, &scope, key, &text);
                    idempotency::remember(tx, isp, &scope, key, &text).await?;
                    Ok(answer)
                }
            }
        });
        let answer = answer.await?;
        if let Some(during) = once::during() {
            during.committed();
        }
        Ok(answer)
    }
}

impl Change<'_> {
    /// Refuses what is not the business of who made this change, whatever use case or door let it through.
    async fn allowed(&self) -> Result<(), Error> {
        match self.reach.get() {
            Reach::Anyone => Ok(()),
            Reach::WholeIsp if self.branch.is_some() => Err(Error::Forbidden),
            Reach::WholeIsp => Ok(()),
            Reach::NoReseller => self.by_no_reseller().await,
        }
    }

    async fn end(self) -> Result<Option<i64>, Error> {
        self.allowed().await?;
        let (events, jobs) = (self.events.into_inner(), self.jobs.into_inner());
        if !jobs.is_empty() {
            store::kernel::job::enqueue(self.tx, &jobs).await?;
        }
        match events.is_empty() {
            true => Ok(None),
            false => Ok(Some(store::kernel::event::append(self.tx, self.isp, events).await?)),
        }
    }
}
