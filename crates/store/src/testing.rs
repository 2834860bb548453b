//! For tests: PostgreSQL servers, and checks over every registered statement.
//!
//! `postgres()` is one server for all test processes of a run, without fsync: it is found by a
//! well-known folder, started under a lock, and stops by itself after ten idle minutes, or with the
//! run that gave it its folder. A
//! `PrivateServer` has its own data and fsync, and can be killed.

use crate::db::{Class, Db, Engine, Error, Sql, Token, Tx, Value, registered, tokens};
use crate::kernel::migrate::{MIGRATIONS, migrate, statements};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

// ---- statements ----

/// Prepares every registered statement. How many, or what is wrong with which.
///
/// # Errors
/// One line for each statement that the engine does not understand.
pub async fn prepare_all(db: &Db) -> Result<usize, String> {
    let (count, faults) = db
        .read(async |tx: &Tx| {
            let (mut count, mut faults) = (0, Vec::new());
            for statement in registered() {
                count += 1;
                if let Err(error) = tx.prepare(&Sql::Fixed(statement)).await {
                    faults.push(format!("{}: {error}\n    {}", statement.place(), statement.text()));
                }
            }
            Ok::<_, crate::db::Error>((count, faults))
        })
        .await
        .map_err(|error| error.to_string())?;
    if faults.is_empty() { Ok(count) } else { Err(faults.join("\n")) }
}

/// What CockroachDB, YugabyteDB or Citus lack, or do at another price.
const FOREIGN: &[&str] = &[
    "listen",
    "notify",
    "unlisten",
    "trigger",
    "serial",
    "bigserial",
    "smallserial",
    "identity",
    "sequence",
    "nextval",
    "currval",
    "setval",
    "lastval",
    "lock",
];

/// The first word that not every PostgreSQL-like database understands.
pub fn foreign_word(text: &str) -> Option<&str> {
    tokens(text).find_map(|token| match token {
        Token::Word(word) => {
            let lower = word.to_ascii_lowercase();
            (FOREIGN.contains(&lower.as_str()) || lower.contains("advisory")).then_some(word)
        }
        Token::Placeholder(_) | Token::Quoted(_) | Token::Comment(_) | Token::Other(_) => None,
    })
}

/// Registered statements and migrations that hold such a word.
pub fn foreign_statements() -> Vec<String> {
    let fixed = registered().map(|s| (s.place(), s.text().to_owned()));
    let migrations = MIGRATIONS.iter().flat_map(|(name, text)| {
        statements(text, Engine::Postgres).into_iter().map(|statement| ((*name).to_owned(), statement))
    });
    fixed
        .chain(migrations)
        .filter_map(|(place, text)| foreign_word(&text).map(|word| format!("{place}: {word}")))
        .collect()
}

// ---- a database as an earlier program left it ----

/// Brings the schema to the migration of this number and no further.
///
/// # Errors
/// As [`Db::migrate`].
pub async fn migrate_until(db: &Db, last: i64) -> Result<(), Error> {
    let number = |name: &str| name.split('_').next().and_then(|number| number.parse::<i64>().ok());
    let count = MIGRATIONS.iter().take_while(|(name, _)| number(name).is_some_and(|number| number <= last)).count();
    migrate(db, &MIGRATIONS[..count]).await
}

/// Tables with their columns, but for the list of migrations.
///
/// # Errors
/// The database's.
pub async fn tables(db: &Db) -> Result<BTreeMap<String, Vec<String>>, Error> {
    let text = match db.engine() {
        Engine::Sqlite => {
            "select m.name, c.name from sqlite_master m join pragma_table_info(m.name) c \
             where m.type = 'table' and m.name not like 'sqlite_%' order by m.name, c.cid"
        }
        Engine::Postgres => {
            "select cast(table_name as text), cast(column_name as text) from information_schema.columns \
             where table_schema = 'public' order by table_name, ordinal_position"
        }
    };
    let rows = db.read(async move |tx: &Tx| tx.rows(text.to_string(), &[]).await).await?;
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows {
        tables.entry(row.get(0)?).or_default().push(row.get(1)?);
    }
    tables.remove("schema_migration");
    Ok(tables)
}

/// Writes what `select` finds in one database into these columns of a table of another.
///
/// # Errors
/// The databases'.
pub async fn copy(from: &Db, select: String, to: &Db, table: &str, columns: &[String]) -> Result<(), Error> {
    let rows = from.read(async move |tx: &Tx| tx.rows(select.clone(), &[]).await).await?;
    let places = (1..=columns.len()).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
    let insert = format!("insert into {table} ({}) values ({places})", columns.join(", "));
    let count = columns.len();
    to.tx(Class::Bulk, async move |tx: &Tx| {
        for row in &rows {
            let values = (0..count).map(|n| row.get::<Value>(n)).collect::<Result<Vec<Value>, Error>>()?;
            tx.run(insert.clone(), &values).await?;
        }
        Ok(())
    })
    .await
}

// ---- the shared server ----

/// A server that answers at `127.0.0.1:port` and trusts everybody there.
pub struct PostgresServer {
    folder: PathBuf,
    port: u16,
}

/// Whose folder the shared server has in this run: `scripts/test` gives one and ends the server.
const FOLDER: &str = "LASTMILE_TEST_POSTGRES";

/// Says, past what captures the output of tests, that something of this test cannot be done here.
///
/// # Panics
/// Where nobody would read it: `CI=true`.
pub fn skipped(what: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{what}");
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}

/// The server of this test run; `None`, and that is said, without PostgreSQL.
pub fn postgres() -> Option<PostgresServer> {
    let Some(programs) = Programs::find() else {
        skipped("PostgreSQL is not installed (package postgresql)");
        return None;
    };
    let of_the_run = std::env::var_os(FOLDER).map(PathBuf::from);
    let folder = of_the_run.clone().unwrap_or_else(|| {
        std::env::temp_dir().join(format!("lastmile-postgres-{}-{}", programs.uid, programs.version))
    });
    programs.own(&folder);
    let lock = OpenOptions::new().create(true).append(true).open(folder.join("lock")).expect("lock file");
    lock.lock().expect("lock of the shared PostgreSQL");
    File::create(folder.join("used")).expect("note of use");
    let running = fs::read_to_string(folder.join("port")).ok().and_then(|port| port.trim().parse().ok());
    let port = match running {
        Some(port) if programs.is_ready(port) => port,
        _ => {
            let port = programs.start_shared(&folder);
            if of_the_run.is_none() {
                programs.watch(&folder);
            }
            port
        }
    };
    Some(PostgresServer { folder, port })
}

impl PostgresServer {
    /// A new, empty database; its URL. Dropped by a later call once the process that made it has ended: a run of hundreds of
    /// stories holds the databases of those that run, not gigabytes.
    pub fn database(&self, hint: &str) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let programs = Programs::find().expect("found before");
        let hint: String = hint.chars().filter(char::is_ascii_alphanumeric).take(24).collect();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("t{}_{number}_{}", std::process::id(), hint.to_ascii_lowercase());
        self.drop_old(&programs);
        programs.psql(self.port, &format!("create database {name}"));
        format!("postgres://lastmile@127.0.0.1:{}/{name}", self.port)
    }

    /// Stops the server for all; the next `postgres()` starts a new one.
    pub fn stop(self) {
        if let Some(programs) = Programs::find() {
            programs.stop(&self.folder.join("data"));
        }
    }

    fn drop_old(&self, programs: &Programs) {
        let names = programs.psql(
            self.port,
            "select datname from pg_database d where datname like 't%\\_%' and not exists
             (select 1 from pg_stat_activity a where a.datname = d.datname) order by 1 limit 20",
        );
        for name in names.split_whitespace() {
            let maker = name[1..].split('_').next().unwrap_or_default();
            if !Path::new("/proc").join(maker).exists() {
                programs.psql(self.port, &format!("drop database if exists {name}"));
            }
        }
    }
}

// ---- a server of one's own ----

/// For crash tests: own data, own port, fsync on. Ends with its owner.
pub struct PrivateServer {
    programs: Programs,
    folder: PathBuf,
    port: u16,
    process: Option<Child>,
}

/// Sends a signal to processes, or to groups (`-4711`): by the shell, for `kill` is a program of a package that a small
/// system lacks. Whether all of them were there.
pub fn signal(name: &str, processes: &[String]) -> bool {
    let told = format!("kill -s {name} -- {}", processes.join(" "));
    Command::new("sh").arg("-c").arg(told).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

impl PrivateServer {
    /// `None`, and that is said, without PostgreSQL.
    pub fn new(hint: &str) -> Option<PrivateServer> {
        let Some(programs) = Programs::find() else {
            skipped("PostgreSQL is not installed (package postgresql)");
            return None;
        };
        let folder = std::env::temp_dir().join(format!("lastmile-private-{hint}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        programs.own(&folder);
        programs.init(&folder.join("data"));
        let mut server = PrivateServer { programs, folder, port: free_port(), process: None };
        server.start();
        Some(server)
    }

    /// Of the database `postgres`.
    pub fn url(&self) -> String {
        format!("postgres://lastmile@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it where it was, and waits until it answers.
    pub fn start(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline {
            let log = File::create(self.folder.join("log")).expect("log file");
            let mut server = self.programs.command("postgres");
            server.arg("-D").arg(self.folder.join("data")).args(Programs::listening(self.port));
            let mut process = server.stderr(log).spawn().expect("postgres starts");
            // It refuses while processes of its former life are still leaving.
            while process.try_wait().expect("its state").is_none() && Instant::now() < deadline {
                if self.programs.is_ready(self.port) {
                    self.process = Some(process);
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("PostgreSQL did not start: see {}", self.folder.join("log").display());
    }

    /// Kills the server and its children, as a power cut would.
    pub fn kill9(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let family: Vec<String> =
            children(process.id()).into_iter().chain([process.id()]).map(|pid| pid.to_string()).collect();
        signal("KILL", &family);
        let _ = process.wait();
    }

    /// Ends it as an operator would: connections are told.
    pub fn stop(&mut self) {
        self.programs.stop(&self.folder.join("data"));
        if let Some(mut process) = self.process.take() {
            let _ = process.wait();
        }
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        self.kill9();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        // "1234 (name) S 1233 …"
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let of = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse::<u32>().ok());
        of == Some(parent)
    })
    .collect()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

// ---- PostgreSQL's programs ----

struct Programs {
    folder: PathBuf,
    version: String,
    /// Who runs it: PostgreSQL refuses to be run by root.
    uid: u32,
    gid: u32,
}

impl Programs {
    fn find() -> Option<Programs> {
        let installed = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
        let newest = installed
            .filter(|version| version.path().join("bin/initdb").exists())
            .max_by_key(|version| version.file_name().to_str()?.parse::<u32>().ok())?;
        let me = fs::metadata("/proc/self").ok()?;
        let (uid, gid) = match me.uid() {
            0 => user("postgres").or_else(|| user("nobody"))?,
            uid => (uid, me.gid()),
        };
        Some(Programs {
            folder: newest.path().join("bin"),
            version: newest.file_name().to_string_lossy().into_owned(),
            uid,
            gid,
        })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.folder.join(program));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
        if fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0) {
            command.gid(self.gid).uid(self.uid);
        }
        command
    }

    /// A folder that the server's user may write to.
    fn own(&self, folder: &Path) {
        fs::create_dir_all(folder).expect("a folder for PostgreSQL");
        if fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0) {
            chown(folder, Some(self.uid), Some(self.gid)).expect("ownership of the folder");
        }
        let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o755));
    }

    fn init(&self, data: &Path) {
        let mut init = self.command("initdb");
        init.arg("-D").arg(data).args(["-U", "lastmile", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]);
        let made = init.output().expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    }

    fn listening(port: u16) -> Vec<String> {
        ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=800", "shared_buffers=64MB"]
            .into_iter()
            .map(str::to_owned)
            .chain([format!("port={port}")])
            .flat_map(|setting| ["-c".to_owned(), setting])
            .collect()
    }

    fn start_shared(&self, folder: &Path) -> u16 {
        let data = folder.join("data");
        if data.exists() {
            self.stop(&data);
            fs::remove_dir_all(&data).expect("the old data removed");
        }
        self.init(&data);
        let port = free_port();
        let mut settings = Programs::listening(port);
        let fast = ["fsync=off", "full_page_writes=off", "synchronous_commit=off", "autovacuum=off"];
        let small = ["wal_level=minimal", "max_wal_senders=0", "min_wal_size=32MB", "max_wal_size=128MB"];
        for fast in fast.into_iter().chain(small) {
            settings.extend(["-c".to_owned(), fast.to_owned()]);
        }
        let mut start = self.command("pg_ctl");
        start.arg("start").arg("-w").arg("-D").arg(&data).arg("-l").arg(folder.join("log"));
        start.arg("-o").arg(settings.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "));
        let started = start.status().expect("pg_ctl runs");
        assert!(started.success(), "PostgreSQL did not start: see {}", folder.join("log").display());
        fs::write(folder.join("port"), port.to_string()).expect("the port noted");
        port
    }

    /// Stops the shared server when no test has asked for it in the last ten minutes.
    fn watch(&self, folder: &Path) {
        let mut watch = Command::new("sh");
        watch.arg("-c").arg(
            "while kill -0 $(head -1 \"$1/data/postmaster.pid\") && [ -n \"$(find \"$1/used\" -mmin -10)\" ]
             do sleep 20; done; \"$2/pg_ctl\" stop -m immediate -D \"$1/data\"",
        );
        watch.arg("sh").arg(folder).arg(&self.folder);
        watch.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
        if fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0) {
            watch.gid(self.gid).uid(self.uid);
        }
        watch.process_group(0);
        // It outlives this process on purpose, and is nobody's zombie then.
        drop(watch.spawn());
    }

    fn stop(&self, data: &Path) {
        let _ = self.command("pg_ctl").args(["stop", "-w", "-m", "fast", "-D"]).arg(data).status();
    }

    fn is_ready(&self, port: u16) -> bool {
        let mut ready = self.command("pg_isready");
        ready.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string(), "-d", "postgres"]);
        ready.status().is_ok_and(|status| status.success())
    }

    fn psql(&self, port: u16, text: &str) -> String {
        let mut psql = self.command("psql");
        psql.args(["-X", "-A", "-t", "-q", "-h", "127.0.0.1", "-U", "lastmile", "-d", "postgres", "-c", text]);
        psql.args(["-p", &port.to_string()]);
        let said = psql.stdout(Stdio::piped()).stderr(Stdio::piped()).output().expect("psql runs");
        // Another process may have dropped the same old database.
        if !said.status.success() && !text.starts_with("drop") {
            panic!("{text}: {}", String::from_utf8_lossy(&said.stderr));
        }
        String::from_utf8_lossy(&said.stdout).into_owned()
    }
}

/// Uid and gid of a user by name.
fn user(name: &str) -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Location;

    #[tokio::test]
    async fn every_statement_is_understood_by_both_engines() {
        let mut places = vec![Location::Memory];
        places.extend(postgres().map(|server| Location::Postgres(server.database("prepare"))));
        for place in places {
            let db = Db::open(&place).await.unwrap();
            db.migrate().await.unwrap();
            db.migrate().await.unwrap();
            if let Err(faults) = prepare_all(&db).await {
                panic!("{:?}\n{faults}", db.engine());
            }
        }
    }

    #[test]
    fn statements_stay_within_what_distributed_databases_offer() {
        assert_eq!(foreign_statements(), Vec::<String>::new());
        let rows = [
            ("select pg_advisory_lock(1)", Some("pg_advisory_lock")),
            ("listen jobs", Some("listen")),
            ("create table a (id bigserial)", Some("bigserial")),
            ("select nextval('s')", Some("nextval")),
            ("select 'listen', \"trigger\" -- notify", None),
        ];
        for (text, expected) in rows {
            assert_eq!(foreign_word(text), expected, "{text}");
        }
    }
}
