//! Everything that runs together: database, RADIUS, background work, HTTP; and how it ends, in the opposite order.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use doors::{
    Gate, Log,
    listen::{self, Listener},
};
use service::{App, Clock, Db, Location, Vault, messages::queue};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinHandle,
};
use worker::outgoing::{self, Sender};

use crate::{
    control::{self, Listening},
    key,
    lock::{self, Lock},
    private, telemetry,
    web::{self, Watch},
};

/// Requests under way get this long to end when the program is told to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// The process ends this long after it was told to, whatever does not: a database that answers nobody keeps it no longer.
pub const STOP_WITHIN: Duration = Duration::from_secs(30);
/// How long loading the directory may take before the start says that it takes long.
const LOADING: Duration = Duration::from_secs(30);

/// Keeps other processes from a SQLite file; PostgreSQL serves many.
pub fn lock(location: &Location) -> anyhow::Result<Option<Lock>> {
    directory(location).map(lock::take).transpose()
}

/// The directory of a SQLite file: the lock's, and the control socket's.
pub fn directory(location: &Location) -> Option<&Path> {
    match location {
        Location::File(path) => {
            Some(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
        }
        Location::Memory | Location::Postgres(_) => None,
    }
}

/// Opens, and brings the schema up to date. The lock is taken before.
pub async fn open(location: &Location) -> anyhow::Result<Db> {
    private::tighten(location)?;
    let db = Db::open(location).await.context("the database cannot be opened")?;
    db.migrate().await.context("the database cannot be brought up to date")?;
    Ok(db)
}

/// The core on an open database. The name tells this process's leases from other nodes'.
pub fn core(db: Db, clock: Clock, vault: Vault) -> App {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    App::new(db, clock, vault, &format!("{}:{}", host.trim(), std::process::id()))
}

pub struct Ports {
    pub http: SocketAddr,
    /// The operator's own; `None`: beside the other, or wherever there is room.
    pub operator: Option<SocketAddr>,
    pub radius: aaa::Settings,
}

/// Runs until it is stopped.
pub struct Server {
    pub http: SocketAddr,
    pub operator: SocketAddr,
    pub auth: SocketAddr,
    pub acct: SocketAddr,
    watch: Watch,
    worker: worker::Running,
    web: [JoinHandle<()>; 2],
    sampler: JoinHandle<()>,
    counting: JoinHandle<()>,
    logging: JoinHandle<()>,
    stop: watch::Sender<bool>,
    /// Where a command finds this server instead of the lock.
    control: Option<Listening>,
    lock: Option<Lock>,
}

/// Ports taken, not yet served: the addresses are known before anybody is let in.
pub struct Bound {
    http: Listener,
    operator: Listener,
    radius: aaa::Running,
    pub addresses: Addresses,
}

#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    pub http: SocketAddr,
    pub operator: SocketAddr,
    pub auth: SocketAddr,
    pub acct: SocketAddr,
}

/// Opens every port. RADIUS answers as soon as its directory is loaded.
pub async fn bind(app: &App, ports: Ports) -> anyhow::Result<Bound> {
    queue::hide_those_of_before(app).await.context("secrets in messages of before cannot be hidden")?;
    let listener = Listener::bind(ports.http).await;
    let http = listener.with_context(|| format!("cannot listen on {} for HTTP", ports.http))?;
    let operator = match ports.operator {
        Some(address) => Listener::bind(address).await.with_context(|| {
            format!("cannot listen on {address} for metrics and readiness (operator.listen in the settings)")
        })?,
        None => beside(http.address()?).await.context("cannot listen for metrics and readiness")?,
    };
    let (auth, acct) = (ports.radius.auth, ports.radius.acct);
    let radius = aaa::start(app.clone(), ports.radius).await;
    let radius = radius.with_context(|| {
        format!("cannot listen on {auth} and {acct} for RADIUS (does another RADIUS server run here?)")
    })?;
    let addresses = Addresses {
        http: http.address()?,
        operator: operator.address()?,
        auth: radius.auth_addr(),
        acct: radius.acct_addr(),
    };
    Ok(Bound { http, operator, radius, addresses })
}

/// The loopback's next port, or any that is free.
async fn beside(http: SocketAddr) -> std::io::Result<Listener> {
    let local = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    match Listener::bind(local(http.port().wrapping_add(1))).await {
        Ok(listener) => Ok(listener),
        Err(_) => Listener::bind(local(0)).await,
    }
}

/// What is served over HTTP, and how.
pub struct Served {
    pub front: panel::Front,
    /// `/docs/api` for everybody.
    pub docs: bool,
    pub listener: listen::Settings,
}

/// The operator's listener: few come, so few places, which nobody else's connections take.
fn operators() -> listen::Settings {
    let limits = listen::Limits { connections: 64, ..listen::Limits::default() };
    listen::Settings { limits, ..listen::Settings::named("operator") }
}

/// How what recurs behind the doors is set up.
#[derive(Clone, Debug)]
pub struct Background {
    /// Events are kept for so many days; 0 is for ever.
    pub events_days: i64,
    pub webhooks: outgoing::Settings,
    /// Looked at again and again, and read anew when it is another; `None` where the key stands in the settings.
    pub key_file: Option<PathBuf>,
}

/// Serves what [`bind`] bound.
pub fn start(
    app: App,
    bound: Bound,
    lock: Option<Lock>,
    served: Served,
    background: Background,
) -> anyhow::Result<Server> {
    let sender = Sender::new(background.webhooks).context("webhooks cannot be sent")?;
    let recorder = telemetry::recorder()?;
    let watch = Watch::new(app.clone(), bound.radius, recorder);
    let worker = worker::start(app.clone(), background.events_days, sender);
    let (stop, stopped) = watch::channel(false);
    if let Some(path) = background.key_file.clone() {
        let (app, stopped) = (app.clone(), stopped.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = key::follow(app, path) => {}
                () = told(stopped) => {}
            }
        });
    }
    let gate = Gate::default();
    let counting = tokio::spawn(gate.clone().keep(app.clone(), told(stopped.clone())));
    let log = Log::default();
    let logging = tokio::spawn(log.clone().keep(app.clone(), told(stopped.clone())));
    let Served { front, docs, listener } = served;
    let (public, own) = web::routers(watch.clone(), gate, log, front, docs);
    let web = [
        tokio::spawn(bound.http.serve(public, listener, told(stopped.clone()))),
        tokio::spawn(bound.operator.serve(own, operators(), told(stopped))),
    ];
    let sampler = tokio::spawn({
        let watch = watch.clone();
        async move {
            let mut ticks = tokio::time::interval(telemetry::SAMPLE);
            loop {
                ticks.tick().await;
                watch.sample();
            }
        }
    });
    let control = lock
        .as_ref()
        .map(|lock| control::listen(app.clone(), &lock.directory, background.key_file.clone()))
        .transpose()?;
    let Addresses { http, operator, auth, acct } = bound.addresses;
    Ok(Server { http, operator, auth, acct, watch, worker, web, sampler, counting, logging, stop, control, lock })
}

async fn told(mut stopped: watch::Receiver<bool>) {
    // An error means that nobody is left to say stop: the same.
    let _ = stopped.changed().await;
}

impl Server {
    /// Waits until logins are answered.
    pub async fn ready(&self) -> anyhow::Result<()> {
        let loading = async {
            while !self.watch.is_loaded() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(LOADING, loading).await.is_err() {
            bail!("the directory could not be loaded within {} s: is the database there?", LOADING.as_secs());
        }
        Ok(())
    }

    /// Stops taking requests, finishes what was taken, lets go of the database.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        if let Some(control) = self.control.take() {
            control.stop();
        }
        let drained = tokio::time::Instant::now() + DRAIN;
        for web in &mut self.web {
            if tokio::time::timeout_at(drained, &mut *web).await.is_err() {
                tracing::warn!("some HTTP requests did not end in time");
                web.abort();
            }
        }
        self.sampler.abort();
        let _ = tokio::time::timeout(DRAIN, self.counting).await;
        let _ = tokio::time::timeout(DRAIN, self.logging).await;
        if let Some(radius) = self.watch.take_aaa() {
            radius.stop().await;
        }
        self.worker.stop().await;
        self.watch.app.db.close().await;
        drop(self.lock);
        tracing::info!("stopped");
    }
}

/// SIGINT or SIGTERM; a second one ends the process at once. In any case it ends within this time.
pub async fn told_to_stop(within: Duration) -> anyhow::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    // A thread of its own: what does not end may be the reactor's.
    std::thread::Builder::new().name("ending".into()).spawn(move || {
        std::thread::sleep(within);
        tracing::error!(seconds = within.as_secs(), "not everything has ended in time: ended nevertheless");
        std::process::exit(1);
    })?;
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        std::process::exit(130);
    });
    Ok(())
}
