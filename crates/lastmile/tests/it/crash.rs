//! `kill -9` under accounting load, of the program and of PostgreSQL: every acknowledged record is there afterwards, and
//! nobody with a right to come in is refused while the database is away.

use std::{
    collections::HashMap,
    net::{TcpListener, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use radius::{
    Code, Secret,
    attribute::{self, acct_status},
    client::{Draft, Signed},
};
use store::db::{Db, Location};

const SECRET: &str = "testing123";
/// Random kills in the test command; the gated proof asks for more (docs/testing.md).
const KILLS: usize = 20;
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Of the demo's numbered subscribers these report, and those beyond log in.
const REPORTING: usize = 50;
const USERS: usize = 60;
/// How long a router waits for its answers before it gives them up.
const ROUTER_PATIENCE: Duration = Duration::from_millis(500);

fn kills() -> usize {
    std::env::var("LASTMILE_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS)
}

/// The program as an operator runs it, on ports of its own.
pub struct Server {
    process: Child,
    auth: u16,
    pub acct: u16,
}

impl Server {
    pub fn start(folder: &Path, database: Option<&str>, ports: [u16; 4]) -> Server {
        let [http, auth, acct, coa] = ports;
        let mut command = Command::new(env!("CARGO_BIN_EXE_lastmile"));
        command.args(["demo", "--no-traffic", "--customers", &USERS.to_string(), "--data"]).arg(folder);
        command.args(["--http", &format!("127.0.0.1:{http}"), "--radius-auth", &format!("127.0.0.1:{auth}")]);
        command.args(["--radius-acct", &format!("127.0.0.1:{acct}"), "--coa-port", &coa.to_string()]);
        if let Some(url) = database {
            command.args(["--database", url]);
        }
        let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).expect("a log");
        let process = command.stdout(Stdio::null()).stderr(log).spawn().expect("the program starts");
        let server = Server { process, auth, acct };
        server.wait_until_ready();
        server
    }

    /// Status-Server is answered once logins are.
    fn wait_until_ready(&self) {
        let socket = socket(self.auth, Duration::from_millis(50));
        let deadline = Instant::now() + PATIENCE;
        let secret = Secret::new(SECRET);
        let mut room = [0; 4096];
        while Instant::now() < deadline {
            let status = Draft::status(1).sign(&secret);
            let _ = socket.send(status.bytes());
            if let Ok(length) = socket.recv(&mut room)
                && status.verify(&room[..length], &secret).is_ok()
            {
                return;
            }
        }
        panic!("the program is not ready in time");
    }

    pub fn kill(mut self) {
        self.process.kill().expect("kill -9");
        self.process.wait().expect("its end");
    }
}

/// It does not outlive a test that fails.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn socket(port: u16, timeout: Duration) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.connect(("127.0.0.1", port)).expect("a peer");
    socket.set_read_timeout(Some(timeout)).expect("a timeout");
    socket
}

/// Four ports that nobody has, below those that the system gives to whoever asks for any: a program that is started on
/// them again and again finds them free.
pub fn free_ports() -> [u16; 4] {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(8).wrapping_add(ASKED.fetch_add(4, Ordering::Relaxed));
    let candidates = (0..16_000).map(|n| 15_000 + (first.wrapping_add(n) % 16_000) as u16);
    let free = candidates.filter(|port| {
        UdpSocket::bind(("127.0.0.1", *port)).is_ok() && TcpListener::bind(("127.0.0.1", *port)).is_ok()
    });
    free.take(4).collect::<Vec<_>>().try_into().expect("four ports")
}

/// What has been acknowledged: the highest octets of each session.
#[derive(Default)]
pub struct Acknowledged {
    octets: HashMap<String, u64>,
    pub reports: usize,
}

/// Sessions that report and report; each request has its own identifier.
pub struct Load {
    socket: UdpSocket,
    secret: Secret,
    round: usize,
    sent: HashMap<u8, (Signed, String, u64)>,
}

impl Load {
    pub fn new(port: u16, round: usize) -> Load {
        Load {
            socket: socket(port, Duration::from_millis(20)),
            secret: Secret::new(SECRET),
            round,
            sent: HashMap::new(),
        }
    }

    /// Sends until `enough` acknowledgements have come in all, or the other side is gone for long.
    pub fn run(&mut self, acknowledged: &mut Acknowledged, enough: usize, deadline: Duration) {
        let (mut step, began) = (0u32, Instant::now());
        let target = acknowledged.reports + enough;
        while acknowledged.reports < target && began.elapsed() < deadline {
            for n in 0..64u8 {
                if self.sent.contains_key(&n) {
                    continue;
                }
                let session = format!("r{}-s{}-{}", self.round, n, step / 8);
                let octets = u64::from(step % 8 + 1) * 1000;
                let mut draft = Draft::accounting(n);
                let kind = if step.is_multiple_of(8) { acct_status::START } else { acct_status::INTERIM };
                draft.put_text(attribute::USER_NAME, &format!("user{:06}", usize::from(n) % REPORTING)).unwrap();
                draft.put_text(attribute::ACCT_SESSION_ID, &session).unwrap();
                draft.put_u32(attribute::ACCT_STATUS_TYPE, kind).unwrap();
                draft.put_u32(attribute::NAS_PORT, n.into()).unwrap();
                draft.put_u32(attribute::ACCT_SESSION_TIME, step % 8 * 60).unwrap();
                let octets = if kind == acct_status::START { 0 } else { octets };
                draft.put_u32(attribute::ACCT_INPUT_OCTETS, octets as u32).unwrap();
                let signed = draft.sign(&self.secret);
                let _ = self.socket.send(signed.bytes());
                self.sent.insert(n, (signed, session, octets));
            }
            step += 1;
            self.collect(acknowledged);
        }
    }

    fn collect(&mut self, acknowledged: &mut Acknowledged) {
        let mut room = [0; 4096];
        let asked = Instant::now();
        while !self.sent.is_empty() && asked.elapsed() < ROUTER_PATIENCE {
            let Ok(length) = self.socket.recv(&mut room) else { continue };
            if let Some((signed, session, octets)) = self.sent.remove(&room[1])
                && signed.verify(&room[..length], &self.secret).is_ok()
            {
                let known = acknowledged.octets.entry(session).or_insert(0);
                *known = octets.max(*known);
                acknowledged.reports += 1;
            }
        }
        // What was not answered is given up, as its router would: it counts for nothing.
        self.sent.clear();
    }
}

/// Every acknowledged session is in the database with at least the octets that were acknowledged.
pub async fn verify(location: Location, acknowledged: &Acknowledged) {
    let db = Db::open(&location).await.expect("the database opens after the kill");
    let rows = db
        .read(async |tx| {
            let sql = store::sql!("select acct_session_id, up_total from session order by id");
            tx.rows(sql, &store::params![]).await
        })
        .await
        .expect("sessions");
    let stored: HashMap<String, u64> =
        rows.iter().map(|row| (row.get(0).expect("an id"), row.get(1).expect("octets"))).collect();
    for (session, octets) in &acknowledged.octets {
        let found = stored.get(session);
        assert!(found.is_some_and(|found| found >= octets), "{session}: acknowledged {octets}, stored {found:?}");
    }
    db.close().await;
}

pub fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("lastmile-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_program_is_killed() {
    let (folder, ports) = (folder("kill"), free_ports());
    let mut acknowledged = Acknowledged::default();
    for round in 0..kills() {
        let server = Server::start(&folder, None, ports);
        // Killed at a different moment each time.
        Load::new(server.acct, round).run(&mut acknowledged, 40 + round * 37 % 400, PATIENCE);
        server.kill();
    }
    assert!(acknowledged.reports > 40 * kills(), "only {} reports were acknowledged", acknowledged.reports);
    verify(Location::File(database_file(&folder)), &acknowledged).await;
    let _ = std::fs::remove_dir_all(&folder);
}

/// The SQLite file in a data directory.
pub fn database_file(folder: &Path) -> PathBuf {
    let files = std::fs::read_dir(folder).expect("the folder").filter_map(Result::ok).map(|entry| entry.path());
    let mut databases = files.filter(|path| path.extension().is_some_and(|ext| ext == "db" || ext == "sqlite"));
    databases.next().expect("a database file")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_refused_and_nothing_lost_when_postgresql_is_killed() {
    let Some(mut postgres) = store::testing::PrivateServer::new("kill") else { return };
    let (folder, ports) = (folder("kill-postgres"), free_ports());
    let server = Server::start(&folder, Some(&postgres.url()), ports);
    let mut acknowledged = Acknowledged::default();
    let mut slowest = Duration::ZERO;
    for round in 0..kills() {
        let mut load = Load::new(server.acct, round);
        load.run(&mut acknowledged, 40 + round * 37 % 200, PATIENCE);
        postgres.kill9();
        // The database is away: logins go on from memory, accounting is not acknowledged.
        for n in REPORTING..REPORTING + 5 {
            assert_eq!(login(server.auth, &format!("user{n:06}"), 10), Some(Code::AccessAccept), "round {round}");
        }
        // Nobody knows then whether a name is new: silence is an answer.
        assert_ne!(login(server.auth, "nobody", 1), Some(Code::AccessAccept));
        postgres.start();
        let back = Instant::now();
        load.run(&mut acknowledged, 20, PATIENCE);
        slowest = slowest.max(back.elapsed());
    }
    assert!(acknowledged.reports >= 60 * kills(), "only {} reports were acknowledged", acknowledged.reports);
    eprintln!("after PostgreSQL is back, 20 reports were acknowledged within {slowest:?} at the slowest");
    server.kill();
    verify(Location::Postgres(postgres.url()), &acknowledged).await;
    let _ = std::fs::remove_dir_all(&folder);
}

/// The code of the answer; `None`: silence, though asked so often, as a router repeats its request.
fn login(port: u16, user: &str, times: usize) -> Option<Code> {
    let secret = Secret::new(SECRET);
    let mut draft = Draft::access(1);
    draft.pap(user, user.replace("user", "pass").as_bytes(), &secret).unwrap();
    draft.put_text(attribute::CALLING_STATION_ID, "02-00-00-00-00-01").unwrap();
    let signed = draft.sign(&secret);
    let socket = socket(port, Duration::from_secs(2));
    let mut room = [0; 4096];
    let length = (0..times).find_map(|_| {
        socket.send(signed.bytes()).expect("sending");
        socket.recv(&mut room).ok()
    })?;
    signed.verify(&room[..length], &secret).ok().map(|packet| packet.code())
}
