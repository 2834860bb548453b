//! What logins leave behind: refusals, last logins, learnt addresses, replaced sessions. Passed on through a bounded
//! channel and written in batches a moment later, so that no login waits for it; what does not fit is counted.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::{Instant, IspId, Mac, RouterId, ServiceId, SessionId, access::decide::Reason};
use service::{
    Actor, App,
    access::{
        accounting::{self, Logins, Refused},
        routers,
    },
};
use tokio::sync::{mpsc, watch};

use crate::Directory;

const CHANNEL: usize = 16_384;
const BATCH: usize = 512;
const EVERY: Duration = Duration::from_secs(1);
/// Last logins written at a time: after a power cut they trickle, and accounting goes first.
const ACCEPTED_AT_ONCE: usize = 1000;

enum Note {
    Refused(Refused),
    Accepted(IspId, ServiceId, Instant),
    Learnt(IspId, ServiceId, Mac),
    Replaced(IspId, SessionId),
    LearntMa(IspId, RouterId),
}

/// Logins since start, for `/metrics`.
#[derive(Default)]
pub struct Counts {
    accepted: AtomicU64,
    refused: [AtomicU64; Reason::ALL.len()],
    dropped: AtomicU64,
    /// Answers held back because of wrong passwords or names before them.
    delayed: AtomicU64,
}

impl Counts {
    pub fn rows(&self) -> Vec<(String, f64)> {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
        let mut rows = vec![
            ("logins_accepted_total".into(), read(&self.accepted)),
            ("login_log_dropped_total".into(), read(&self.dropped)),
            ("logins_delayed_total".into(), read(&self.delayed)),
        ];
        for (reason, counter) in Reason::ALL.iter().zip(&self.refused) {
            rows.push((format!("logins_refused_{}_total", reason.word()), read(counter)));
        }
        rows
    }
}

#[derive(Clone)]
pub struct Sender {
    notes: mpsc::Sender<Note>,
    counts: Arc<Counts>,
}

pub struct Writer {
    notes: mpsc::Receiver<Note>,
}

pub fn channel() -> (Sender, Writer) {
    let (sender, notes) = mpsc::channel(CHANNEL);
    (Sender { notes: sender, counts: Arc::default() }, Writer { notes })
}

impl Sender {
    pub fn counts(&self) -> Arc<Counts> {
        self.counts.clone()
    }

    fn send(&self, note: Note) {
        if self.notes.try_send(note).is_err() {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn count_accepts(&self, accepts: u64) {
        self.counts.accepted.fetch_add(accepts, Ordering::Relaxed);
    }

    pub fn count_delayed(&self) {
        self.counts.delayed.fetch_add(1, Ordering::Relaxed);
    }

    pub fn refused(&self, refused: Refused) {
        self.counts.refused[refused.reason as usize].fetch_add(1, Ordering::Relaxed);
        self.send(Note::Refused(refused));
    }

    pub fn accepted(&self, isp: IspId, service: ServiceId, at: Instant) {
        self.send(Note::Accepted(isp, service, at));
    }

    pub fn learnt(&self, isp: IspId, service: ServiceId, mac: Mac) {
        self.send(Note::Learnt(isp, service, mac));
    }

    pub fn replaced(&self, isp: IspId, sessions: &[SessionId]) {
        sessions.iter().for_each(|session| self.send(Note::Replaced(isp, *session)));
    }

    /// A router under `learn` sent its first valid Message-Authenticator.
    pub fn learnt_ma(&self, isp: IspId, router: RouterId) {
        self.send(Note::LearntMa(isp, router));
    }
}

impl Writer {
    /// Writes once a second, or when a batch is full. A batch that cannot be written is tried again while it is not
    /// crowded out by newer ones.
    pub async fn run(mut self, app: App, directory: Arc<Directory>, mut stopped: watch::Receiver<bool>) {
        let mut logins = Logins::default();
        let mut accepted: HashMap<(IspId, ServiceId), Instant> = HashMap::new();
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let ending = tokio::select! {
                note = self.notes.recv() => match note {
                    Some(note) => {
                        self.take(note, &mut logins, &mut accepted, &app).await;
                        while logins.refused.len() < BATCH && let Ok(note) = self.notes.try_recv() {
                            self.take(note, &mut logins, &mut accepted, &app).await;
                        }
                        if logins.refused.len() < BATCH {
                            continue;
                        }
                        false
                    }
                    None => true,
                },
                _ = ticks.tick() => false,
                _ = stopped.changed() => true,
            };
            let at_once = if ending { usize::MAX } else { ACCEPTED_AT_ONCE };
            logins.accepted = accepted.iter().take(at_once).map(|((isp, service), at)| (*isp, *service, *at)).collect();
            let empty = logins.refused.is_empty()
                && logins.accepted.is_empty()
                && logins.learnt.is_empty()
                && logins.replaced.is_empty();
            if !empty {
                match accounting::write_logins(&app, logins.clone()).await {
                    Ok(recorded) => {
                        drop(directory.apply(&recorded));
                        for (isp, service, _) in std::mem::take(&mut logins).accepted {
                            accepted.remove(&(isp, service));
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "logins cannot be written yet");
                        if logins.refused.len() >= CHANNEL {
                            logins.refused.clear();
                        }
                    }
                }
            }
            if ending {
                return;
            }
        }
    }

    async fn take(
        &self,
        note: Note,
        logins: &mut Logins,
        accepted: &mut HashMap<(IspId, ServiceId), Instant>,
        app: &App,
    ) {
        match note {
            Note::Refused(refused) => logins.refused.push(refused),
            Note::Accepted(isp, service, at) => {
                accepted.insert((isp, service), at);
            }
            Note::Learnt(isp, service, mac) => logins.learnt.push((isp, service, mac)),
            Note::Replaced(isp, session) => logins.replaced.push((isp, session)),
            Note::LearntMa(isp, router) => {
                if let Err(error) = routers::remember_ma(app, &Actor::system(isp), router).await {
                    tracing::warn!(%error, router = router.0, "Message-Authenticator cannot be remembered yet");
                }
            }
        }
    }
}
