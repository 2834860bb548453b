//! AAA: RADIUS packets become logins and reports of the core; its decisions become packets again.
//!
//! | chapter                      | subject                                                                         |
//! |------------------------------|---------------------------------------------------------------------------------|
//! | [`directory`]                | who may log in, in memory; loaded at start, kept current by the event feed      |
//! | [`desk`]                     | an Access-Request decided, without the database                                 |
//! | [`reply`]                    | a grant in the words of each NAS vendor                                         |
//! | [`sessions`]                 | Accounting-Requests written in batches, answered after the commit               |
//! | [`logins`]                   | what logins leave behind, written a little later                                |
//! | [`coa`]                      | live sessions made to follow a change: CoA and Disconnect                       |
//! | [`addresses`]                | pools that we allocate from                                                     |
//! | [`short`]                    | names and passwords kept in their entry                                         |
//! | [`vouchers`]                 | codes that log in: who may use one, who holds one                               |
//! | [`clients`], `follow`        | routers by address; the event feed read                                         |
//! | `probe`                      | our own ports asked for their figures                                           |

pub mod addresses;
pub mod clients;
pub mod coa;
pub mod desk;
pub mod directory;
mod follow;
pub mod logins;
mod probe;
pub mod reply;
pub mod sessions;
pub mod short;
pub mod vouchers;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

pub use radius::server::Held;
use radius::server::{Config, Queue, access, accounting};
use service::App;
use tokio::{sync::watch, task::JoinHandle};

pub use directory::Directory;

/// How many accounting requests may wait for the writer; beyond, the oldest are dropped: their NAS repeats or has
/// given up.
const ACCOUNTING_QUEUE: usize = 16_384;

#[derive(Clone, Debug)]
pub struct Settings {
    pub auth: SocketAddr,
    pub acct: SocketAddr,
    /// Threads of the authentication port.
    pub threads: usize,
    /// `ali@isp.example` logs in as `ali` where no such full name is known.
    pub strip_realm: bool,
    /// How many refusals that take their time are held back.
    pub held: Held,
}

/// Both ports and everything behind them.
pub struct Running {
    pub directory: Arc<Directory>,
    auth: radius::server::Running,
    acct: radius::server::Running,
    queue: Arc<Queue>,
    writer: Option<std::thread::JoinHandle<()>>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    logins: Arc<logins::Counts>,
}

/// Loads the directory and opens both ports. The ports are silent until the directory is loaded.
pub async fn start(app: App, settings: Settings) -> io::Result<Running> {
    let directory = Arc::new(Directory::new(app.clock.clone()));
    let (stop, stopped) = watch::channel(false);
    let (login_sender, login_writer) = logins::channel();
    let login_counts = login_sender.counts();
    let (first_uses, unwritten) = vouchers::channel();
    let probe = probe::Probe::new();
    let clients = clients::Table::new(directory.clone(), login_sender.clone(), probe.client());

    let mut config = Config::new(settings.auth);
    config.threads = settings.threads.max(1);
    config.held = settings.held;
    let auth = access::start(config, clients.clone(), {
        let (directory, logins, limits) = (directory.clone(), login_sender.clone(), app.limits.clone());
        move |_| {
            let (first_uses, limits) = (first_uses.clone(), limits.clone());
            desk::Desk::new(directory.clone(), logins.clone(), first_uses, limits, settings.strip_realm)
        }
    })?;
    let queue = Queue::new(ACCOUNTING_QUEUE);
    let inbox = Arc::new(sessions::Inbox { queue: queue.clone(), directory: directory.clone() });
    let acct = accounting::start(Config::new(settings.acct), clients, inbox)?;

    probe.serve(&app, auth.local_addr(), acct.local_addr());

    let writer = sessions::start(app.clone(), directory.clone(), queue.clone(), settings.strip_realm)?;
    let tasks = vec![
        tokio::spawn(follow::run(app.clone(), directory.clone(), stopped.clone())),
        tokio::spawn(login_writer.run(app.clone(), directory.clone(), stopped.clone())),
        tokio::spawn(vouchers::write(app.clone(), directory.clone(), unwritten, stopped.clone())),
        tokio::spawn(coa::run(app.clone(), directory.clone(), stopped.clone())),
        tokio::spawn(sessions::close_silent(app, directory.clone(), stopped)),
    ];
    Ok(Running { directory, auth, acct, queue, writer: Some(writer), stop, tasks, logins: login_counts })
}

impl Running {
    pub fn auth_addr(&self) -> SocketAddr {
        self.auth.local_addr()
    }

    pub fn acct_addr(&self) -> SocketAddr {
        self.acct.local_addr()
    }

    /// The directory is loaded: logins are answered.
    pub fn is_ready(&self) -> bool {
        self.directory.is_ready()
    }

    /// Waits until the directory is loaded.
    pub async fn ready(&self) {
        while !self.is_ready() {
            self.directory.loaded().await;
        }
    }

    /// Names and values for `/metrics`.
    pub fn metrics(&self) -> Vec<(String, f64)> {
        let mut rows = Vec::new();
        for (port, running) in [("auth", &self.auth), ("acct", &self.acct)] {
            for (name, value) in running.counters().rows() {
                rows.push((format!("radius_{port}_{name}_total"), value as f64));
            }
        }
        rows.push(("radius_accounting_queue".into(), self.queue.len() as f64));
        rows.push(("directory_subscribers".into(), self.directory.len() as f64));
        rows.push(("directory_vouchers".into(), self.directory.vouchers.len() as f64));
        rows.push(("sessions_online".into(), self.directory.online() as f64));
        rows.extend(self.logins.rows());
        rows
    }

    /// Stops taking requests, writes what was taken, then ends.
    pub async fn stop(mut self) {
        let (auth, acct) = (self.auth, self.acct);
        // Joining threads takes up to a tenth of a second: off the reactor.
        let _ = tokio::task::spawn_blocking(move || {
            auth.stop();
            acct.stop();
        })
        .await;
        self.queue.close();
        if let Some(writer) = self.writer.take() {
            let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        }
        let _ = self.stop.send(true);
        for task in self.tasks {
            let _ = tokio::time::timeout(Duration::from_secs(5), task).await;
        }
    }
}
