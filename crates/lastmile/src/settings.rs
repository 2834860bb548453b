//! Settings: a commented TOML file (`config/lastmile.toml`), each key of which the environment may override.
//! An unknown key or a value out of range is an error that names it; nothing is guessed.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use doors::listen::{self, Hosts, Proxies};
use serde::{Deserialize, Deserializer};
use service::{
    Location, Vault,
    kernel::{app::Tenant, attempts::Rates, guessing, hashing},
};

use crate::{descriptors, private, server::STOP_WITHIN};

/// The file `init` writes, and the only documentation of the settings.
pub const EXAMPLE: &str = include_str!("../../../config/lastmile.toml");

const ENVIRONMENT: &str = "LASTMILE__";

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub database: Database,
    pub http: Http,
    pub operator: Operator,
    pub limits: Limits,
    pub radius: Radius,
    pub events: Events,
    pub secrets: Secrets,
    pub webhooks: Webhooks,
    pub log: Log,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    pub url: String,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    pub listen: SocketAddr,
    /// Empty: links say the address that a client connected to.
    pub public_url: String,
    /// `HOST=ISP`, the Isp by its name or number.
    #[serde(deserialize_with = "list")]
    pub hosts: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub trusted_proxies: Vec<String>,
    pub docs: bool,
    pub connections: i64,
    pub connections_per_address: i64,
    pub head_timeout_s: i64,
    pub idle_timeout_s: i64,
    pub body_timeout_s: i64,
}

/// The operator's own listener: metrics, and why the program is not ready.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Operator {
    pub listen: SocketAddr,
    pub stop_within_s: i64,
}

/// How often credentials are looked at; `service::kernel::attempts` has the rule.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    pub sign_ins_per_account: i64,
    pub sign_ins_per_address: i64,
    pub sign_ins_in_all: i64,
    pub wrong_keys_per_address: i64,
    pub wrong_keys_in_all: i64,
    /// 0: as many as there are cores.
    pub hashing_places: i64,
    pub hashing_waiting: i64,
    /// Over RADIUS; `service::kernel::guessing` has the rule.
    pub radius_wrong_per_device: i64,
    pub radius_wrong_per_line: i64,
    pub radius_unknown_per_router: i64,
    pub radius_wrong_per_router: i64,
    pub radius_wrong_in_all: i64,
    pub radius_held_per_router: i64,
    pub radius_held_in_all: i64,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Radius {
    pub auth: SocketAddr,
    pub acct: SocketAddr,
    /// 0: one per core, at most 8.
    pub threads: i64,
    pub strip_realm: bool,
    pub coa_port: i64,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Events {
    /// 0: for ever.
    pub retention_days: i64,
}

#[derive(Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Secrets {
    pub key_file: String,
    pub key: Option<String>,
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    pub allow_private: bool,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    pub level: String,
    pub format: LogFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

impl Default for Database {
    fn default() -> Database {
        Database { url: "lastmile.db".into() }
    }
}

impl Default for Http {
    fn default() -> Http {
        let limits = listen::Limits::default();
        let seconds = |time: Duration| time.as_secs() as i64;
        Http {
            listen: ([127, 0, 0, 1], 8080).into(),
            public_url: String::new(),
            hosts: Vec::new(),
            trusted_proxies: vec!["127.0.0.0/8".into(), "::1".into()],
            docs: false,
            connections: limits.connections as i64,
            connections_per_address: limits.per_address as i64,
            head_timeout_s: seconds(limits.head),
            idle_timeout_s: seconds(limits.idle),
            body_timeout_s: seconds(limits.body),
        }
    }
}

impl Default for Operator {
    fn default() -> Operator {
        Operator { listen: ([127, 0, 0, 1], 8081).into(), stop_within_s: STOP_WITHIN.as_secs() as i64 }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        let (rates, guessing, held) = (Rates::default(), guessing::Rates::default(), aaa::Held::default());
        Limits {
            sign_ins_per_account: rates.sign_ins_per_account.into(),
            sign_ins_per_address: rates.sign_ins_per_address.into(),
            sign_ins_in_all: rates.sign_ins_in_all.into(),
            wrong_keys_per_address: rates.wrong_keys_per_address.into(),
            wrong_keys_in_all: rates.wrong_keys_in_all.into(),
            hashing_places: 0,
            hashing_waiting: hashing::MAX_WAITING as i64,
            radius_wrong_per_device: guessing.wrong_per_device.into(),
            radius_wrong_per_line: guessing.wrong_per_line.into(),
            radius_unknown_per_router: guessing.unknown_per_router.into(),
            radius_wrong_per_router: guessing.wrong_per_router.into(),
            radius_wrong_in_all: guessing.wrong_in_all.into(),
            radius_held_per_router: held.per_client as i64,
            radius_held_in_all: held.in_all as i64,
        }
    }
}

impl Default for Radius {
    fn default() -> Radius {
        Radius {
            auth: ([0, 0, 0, 0], 1812).into(),
            acct: ([0, 0, 0, 0], 1813).into(),
            threads: 0,
            strip_realm: false,
            coa_port: 3799,
        }
    }
}

impl Default for Events {
    fn default() -> Events {
        Events { retention_days: worker::EVENTS_KEPT_DAYS }
    }
}

impl Default for Secrets {
    fn default() -> Secrets {
        Secrets { key_file: "lastmile.key".into(), key: None }
    }
}

impl Default for Log {
    fn default() -> Log {
        Log { level: "info".into(), format: LogFormat::Text }
    }
}

/// A key never reaches a log.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = self.key.as_ref().map(|_| "…");
        f.debug_struct("Secrets").field("key_file", &self.key_file).field("key", &key).finish()
    }
}

impl Settings {
    /// The file's settings with the environment's over them; relative paths begin at the file's directory.
    pub fn load(path: &Path) -> anyhow::Result<Settings> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {} (`lastmile init` writes one)", path.display()))?;
        let settings =
            Settings::read(&text, std::env::vars()).with_context(|| format!("settings in {}", path.display()))?;
        if Settings::read(&text, std::iter::empty())?.holds_a_secret() {
            private::refuse_readable(path, "a secret")?;
        }
        Ok(settings.based_on(path.parent().unwrap_or(Path::new(""))))
    }

    /// Reads and checks; pure.
    pub fn read(text: &str, environment: impl IntoIterator<Item = (String, String)>) -> anyhow::Result<Settings> {
        // Alone first: the reader's words about a file name its line.
        let _: Settings = toml::from_str(text)?;
        let mut table: toml::Table = toml::from_str(text)?;
        for (name, value) in environment {
            let Some(place) = name.strip_prefix(ENVIRONMENT) else { continue };
            let Some((section, key)) = place.split_once("__") else {
                bail!("environment variable {name}: {ENVIRONMENT}SECTION__KEY is expected");
            };
            let (section, key) = (section.to_lowercase(), key.to_lowercase());
            let holder = table.entry(section).or_insert_with(|| toml::Table::new().into());
            if let Some(holder) = holder.as_table_mut() {
                holder.insert(key, typed(&value));
            }
            // One at a time, so that the error names the variable.
            if let Err(error) = Settings::deserialize(table.clone()) {
                bail!("environment variable {name}: {}", error.message());
            }
        }
        let settings = Settings::deserialize(table)?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> anyhow::Result<()> {
        let (http, limits) = (&self.http, &self.limits);
        for (name, value, least, most) in [
            ("http.connections", http.connections, 16, 1_000_000),
            ("http.connections_per_address", http.connections_per_address, 1, 1_000_000),
            ("http.head_timeout_s", http.head_timeout_s, 1, 3600),
            ("http.idle_timeout_s", http.idle_timeout_s, 1, 3600),
            ("http.body_timeout_s", http.body_timeout_s, 1, 3600),
            ("operator.stop_within_s", self.operator.stop_within_s, 1, 3600),
            ("limits.sign_ins_per_account", limits.sign_ins_per_account, 1, 1_000_000),
            ("limits.sign_ins_per_address", limits.sign_ins_per_address, 1, 1_000_000),
            ("limits.sign_ins_in_all", limits.sign_ins_in_all, 1, 1_000_000),
            ("limits.wrong_keys_per_address", limits.wrong_keys_per_address, 1, 1_000_000),
            ("limits.wrong_keys_in_all", limits.wrong_keys_in_all, 1, 1_000_000),
            ("limits.hashing_places", limits.hashing_places, 0, 256),
            ("limits.hashing_waiting", limits.hashing_waiting, 0, 10_000),
            ("limits.radius_wrong_per_device", limits.radius_wrong_per_device, 1, 1_000_000),
            ("limits.radius_wrong_per_line", limits.radius_wrong_per_line, 1, 1_000_000),
            ("limits.radius_unknown_per_router", limits.radius_unknown_per_router, 1, 1_000_000),
            ("limits.radius_wrong_per_router", limits.radius_wrong_per_router, 1, 1_000_000),
            ("limits.radius_wrong_in_all", limits.radius_wrong_in_all, 1, 1_000_000),
            ("limits.radius_held_per_router", limits.radius_held_per_router, 0, 1_000_000),
            ("limits.radius_held_in_all", limits.radius_held_in_all, 0, 1_000_000),
        ] {
            if !(least..=most).contains(&value) {
                bail!("{name} is {value}: {least} to {most} are possible");
            }
        }
        self.http.proxies()?;
        self.http.hosts()?;
        self.http.public_url()?;
        if self.http.listen == self.operator.listen && self.http.listen.port() != 0 {
            bail!("http.listen and operator.listen are both {}: each needs its own port", self.http.listen);
        }
        if !(0..=64).contains(&self.radius.threads) {
            bail!("radius.threads is {}: 0 to 64 are possible", self.radius.threads);
        }
        if !(1..=65_535).contains(&self.radius.coa_port) {
            bail!("radius.coa_port is {}: 1 to 65535 are possible", self.radius.coa_port);
        }
        if !(0..=36_500).contains(&self.events.retention_days) {
            bail!("events.retention_days is {}: 0 to 36500 are possible", self.events.retention_days);
        }
        if self.radius.auth == self.radius.acct && self.radius.auth.port() != 0 {
            bail!("radius.auth and radius.acct are both {}: each needs its own port", self.radius.auth);
        }
        if tracing_subscriber::EnvFilter::try_new(&self.log.level).is_err() || self.log.level.trim().is_empty() {
            bail!("log.level is {:?}: error, warn, info, debug or trace is expected", self.log.level);
        }
        if let Some(key) = &self.secrets.key
            && Vault::from_text(key).is_none()
        {
            bail!("secrets.key: `1:` and 64 hexadecimal digits are expected");
        }
        if self.secrets.key.is_none() && self.secrets.key_file.trim().is_empty() {
            bail!("secrets.key_file is empty, and there is no secrets.key");
        }
        location(&self.database.url, Path::new("")).map(drop)
    }

    fn based_on(mut self, directory: &Path) -> Settings {
        if let Ok(Location::File(path)) = location(&self.database.url, directory) {
            self.database.url = path.display().to_string();
        }
        self.secrets.key_file = directory.join(&self.secrets.key_file).display().to_string();
        self
    }

    pub fn location(&self) -> anyhow::Result<Location> {
        location(&self.database.url, Path::new(""))
    }

    /// A key, or a database's password.
    fn holds_a_secret(&self) -> bool {
        let url = &self.database.url;
        let authority = url.split_once("://").and_then(|(_, rest)| rest.split(['/', '?']).next()).unwrap_or_default();
        let who = authority.rsplit_once('@').map_or("", |(who, _)| who);
        self.secrets.key.is_some() || who.contains(':') || url.contains("password=")
    }

    pub fn vault(&self) -> anyhow::Result<Vault> {
        if let Some(key) = &self.secrets.key {
            return Vault::from_text(key).context("secrets.key: `1:` and 64 hexadecimal digits are expected");
        }
        let path = Path::new(&self.secrets.key_file);
        // A new key would open nothing of what an existing database holds.
        if !path.exists() {
            bail!("the key file {} is missing: without it the database's secrets stay closed", path.display());
        }
        private::refuse_readable(path, "the key")?;
        Vault::from_file(path).with_context(|| format!("the key file {}", path.display()))
    }
}

impl Http {
    fn proxies(&self) -> anyhow::Result<Proxies> {
        let proxies = Proxies::new(self.trusted_proxies.iter().map(|text| text.trim()));
        proxies.map_err(|text| {
            anyhow!("http.trusted_proxies has {text:?}: an address (192.0.2.1) or a network (192.0.2.0/24) is expected")
        })
    }

    fn public_url(&self) -> anyhow::Result<Option<String>> {
        let url = self.public_url.trim().trim_end_matches('/');
        if url.is_empty() {
            return Ok(None);
        }
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]/%".contains(&byte);
        if rest.is_empty() || rest.starts_with('/') || !rest.bytes().all(plain) {
            bail!("http.public_url is {:?}: https://host or https://host/path is expected", self.public_url);
        }
        Ok(Some(url.into()))
    }

    /// How the APIs' listener is set up, when the process may open so many files.
    /// Host names with the Isps they are of.
    fn hosts(&self) -> anyhow::Result<Vec<(String, String)>> {
        let pairs = self.hosts.iter().map(|text| {
            let (host, isp) = text.split_once('=').unwrap_or_default();
            let (host, isp) = (host.trim().to_ascii_lowercase(), isp.trim().to_string());
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
            match !host.is_empty() && host.bytes().all(plain) && !isp.is_empty() {
                true => Ok((host, isp)),
                false => Err(anyhow!("http.hosts has {text:?}: HOST=ISP is expected, as portal.example=My ISP")),
            }
        });
        let pairs: Vec<(String, String)> = pairs.collect::<anyhow::Result<_>>()?;
        for (at, (host, _)) in pairs.iter().enumerate() {
            if pairs[..at].iter().any(|(other, _)| other == host) {
                bail!("http.hosts has {host} twice");
            }
        }
        Ok(pairs)
    }

    /// The same with the Isps that there are.
    pub fn hosts_of(&self, tenants: &[Arc<Tenant>]) -> anyhow::Result<Hosts> {
        let one = |(host, said): (String, String)| {
            let is_said = |tenant: &&Arc<Tenant>| tenant.isp.name == said || tenant.isp.isp_id.to_string() == said;
            let tenant = tenants.iter().find(is_said);
            let tenant =
                tenant.ok_or_else(|| anyhow!("http.hosts: {host} is given to {said:?}, and there is no such ISP"))?;
            Ok((host, tenant.isp.isp_id))
        };
        self.hosts()?.into_iter().map(one).collect()
    }

    pub fn listener(&self, files: u64) -> anyhow::Result<listen::Settings> {
        let seconds = |seconds: i64| Duration::from_secs(seconds.unsigned_abs());
        let limits = listen::Limits {
            head: seconds(self.head_timeout_s),
            idle: seconds(self.idle_timeout_s),
            body: seconds(self.body_timeout_s),
            connections: descriptors::connections(files, self.connections as usize),
            per_address: self.connections_per_address as usize,
            ..listen::Limits::default()
        };
        if limits.connections < self.connections as usize {
            tracing::warn!(
                files,
                connections = limits.connections,
                "the system lets this process open few files (LimitNOFILE of the service, `ulimit -n`): fewer \
                 connections are held than http.connections says"
            );
        }
        Ok(listen::Settings {
            name: "api",
            limits,
            proxies: self.proxies()?,
            public_url: self.public_url()?,
            hosts: Hosts::default(),
        })
    }
}

impl Limits {
    pub fn guessing(&self) -> guessing::Rates {
        guessing::Rates {
            wrong_per_device: self.radius_wrong_per_device as u32,
            wrong_per_line: self.radius_wrong_per_line as u32,
            unknown_per_router: self.radius_unknown_per_router as u32,
            wrong_per_router: self.radius_wrong_per_router as u32,
            wrong_in_all: self.radius_wrong_in_all as u32,
        }
    }

    pub fn held(&self) -> aaa::Held {
        aaa::Held { in_all: self.radius_held_in_all as usize, per_client: self.radius_held_per_router as usize }
    }

    pub fn rates(&self) -> Rates {
        Rates {
            sign_ins_per_account: self.sign_ins_per_account as u32,
            sign_ins_per_address: self.sign_ins_per_address as u32,
            sign_ins_in_all: self.sign_ins_in_all as u32,
            wrong_keys_per_address: self.wrong_keys_per_address as u32,
            wrong_keys_in_all: self.wrong_keys_in_all as u32,
        }
    }
}

/// A list, or, as the environment has it, texts with commas between them.
fn list<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        List(Vec<String>),
        Text(String),
    }
    Ok(match Either::deserialize(reader)? {
        Either::List(list) => list,
        Either::Text(text) => {
            text.split(',').map(|one| one.trim().into()).filter(|one: &String| !one.is_empty()).collect()
        }
    })
}

impl Radius {
    pub fn threads(&self) -> usize {
        match usize::try_from(self.threads) {
            Ok(0) | Err(_) => std::thread::available_parallelism().map_or(1, usize::from).min(8),
            Ok(threads) => threads,
        }
    }

    pub fn coa_port(&self) -> u16 {
        u16::try_from(self.coa_port).unwrap_or(3799)
    }
}

/// A SQLite path (relative ones begin at `base`) or a PostgreSQL address.
pub fn location(url: &str, base: &Path) -> anyhow::Result<Location> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Location::Postgres(url.into()));
    }
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")).unwrap_or(url);
    if path.trim().is_empty() || path.contains("://") {
        bail!("database.url is {url:?}: the path of a SQLite file or postgres://user@host/database is expected");
    }
    Ok(Location::File(base.join(PathBuf::from(path))))
}

/// The environment has only text; what looks like a number or a yes and no is one.
fn typed(text: &str) -> toml::Value {
    match (text.parse::<i64>(), text.parse::<bool>()) {
        (Ok(number), _) => number.into(),
        (_, Ok(truth)) => truth.into(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, environment: &[(&str, &str)]) -> Result<Settings, String> {
        let environment = environment.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        Settings::read(text, environment).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn the_example_is_the_defaults() {
        assert_eq!(told(EXAMPLE, &[]), Ok(Settings::default()));
        assert_eq!(told("", &[]), Ok(Settings::default()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let rows = [
            // file, environment variable, its value → the error speaks of
            ("[htp]\nlisten = \"127.0.0.1:1\"", "", "", "unknown field `htp`"),
            ("[http]\nlisten = \"127.0.0.1:1\"\nport = 2", "", "", "unknown field `port`"),
            ("[http]\nlisten = \"8080\"", "", "", "invalid socket address"),
            ("[http]\nhosts = [\"north.example\"]", "", "", "http.hosts has \"north.example\""),
            ("[http]\nhosts = [\"a b=1\"]", "", "", "HOST=ISP is expected"),
            ("[http]\nhosts = [\"a=1\", \"A=2\"]", "", "", "http.hosts has a twice"),
            ("[http]\ntrusted_proxies = [\"localhost\"]", "", "", "http.trusted_proxies has \"localhost\""),
            ("[http]\npublic_url = \"isp.example\"", "", "", "http.public_url is \"isp.example\""),
            ("[http]\npublic_url = \"https://isp.example/?a\"", "", "", "http.public_url is"),
            ("[http]\nconnections = 0", "", "", "http.connections is 0"),
            ("[http]\nlisten = \"127.0.0.1:8081\"", "", "", "each needs its own port"),
            ("[limits]\nsign_ins_in_all = 0", "", "", "limits.sign_ins_in_all is 0"),
            ("[limits]\nradius_wrong_per_line = 0", "", "", "limits.radius_wrong_per_line is 0"),
            ("", "LASTMILE__HTTP__TRUSTED_PROXIES", "10.0.0.0/8,nobody", "http.trusted_proxies has \"nobody\""),
            ("[radius]\nthreads = 65", "", "", "radius.threads is 65"),
            ("[radius]\nthreads = -1", "", "", "radius.threads is -1"),
            ("[radius]\ncoa_port = 0", "", "", "radius.coa_port is 0"),
            ("[radius]\nstrip_realm = \"yes\"", "", "", "expected a boolean"),
            ("[radius]\nacct = \"0.0.0.0:1812\"", "", "", "each needs its own port"),
            ("[events]\nretention_days = -1", "", "", "events.retention_days is -1"),
            ("[log]\nlevel = \"\"", "", "", "log.level is \"\""),
            ("[log]\nlevel = \"loud=very\"", "", "", "log.level is"),
            ("[log]\nformat = \"xml\"", "", "", "unknown variant `xml`"),
            ("[database]\nurl = \"mysql://h/d\"", "", "", "database.url is \"mysql://h/d\""),
            ("[secrets]\nkey = \"1:abc\"", "", "", "secrets.key"),
            ("[secrets]\nkey_file = \"\"", "", "", "secrets.key_file is empty"),
            ("", "LASTMILE__HTTP__PORT", "1", "LASTMILE__HTTP__PORT: unknown field `port`"),
            ("", "LASTMILE__HTTPS__LISTEN", "1", "LASTMILE__HTTPS__LISTEN: unknown field `https`"),
            ("", "LASTMILE__HTTP", "1", "LASTMILE__SECTION__KEY is expected"),
            ("", "LASTMILE__RADIUS__THREADS", "many", "LASTMILE__RADIUS__THREADS: invalid type"),
            ("", "LASTMILE__RADIUS__THREADS", "99", "radius.threads is 99"),
        ];
        for (text, name, value, expected) in rows {
            let environment: &[(&str, &str)] = if name.is_empty() { &[] } else { &[(name, value)] };
            let error = told(text, environment).expect_err(text);
            assert!(error.contains(expected), "{text} {name}={value}: {error}");
        }
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let text = "[http]\nlisten = \"127.0.0.1:1\"\n[radius]\nthreads = 3";
        let got = told(
            text,
            &[
                ("LASTMILE__HTTP__LISTEN", "[::]:9"),
                ("LASTMILE__RADIUS__STRIP_REALM", "true"),
                ("LASTMILE__EVENTS__RETENTION_DAYS", "0"),
                ("LASTMILE__LOG__FORMAT", "json"),
                ("LASTMILE__HTTP__TRUSTED_PROXIES", "192.0.2.1, 10.0.0.0/8"),
                ("LASTMILE__HTTP__PUBLIC_URL", "https://isp.example/"),
                ("LASTMILE_CONFIG", "not of this kind"),
                ("PATH", "/bin"),
            ],
        )
        .unwrap();
        assert_eq!(got.http.listen.to_string(), "[::]:9");
        assert_eq!((got.radius.threads, got.radius.strip_realm, got.events.retention_days), (3, true, 0));
        assert_eq!(got.log.format, LogFormat::Json);
        assert_eq!(got.http.trusted_proxies, ["192.0.2.1", "10.0.0.0/8"]);
        let listener = got.http.listener(1024).unwrap();
        assert_eq!((listener.public_url.as_deref(), listener.limits.connections), (Some("https://isp.example"), 768));
        assert!(listener.proxies.trusts("10.9.9.9".parse().unwrap()));
    }

    #[test]
    fn databases_are_named_in_three_ways() {
        let rows = [
            ("lastmile.db", Some(Location::File("/etc/lm/lastmile.db".into()))),
            ("sqlite:data/l.db", Some(Location::File("/etc/lm/data/l.db".into()))),
            ("/var/l.db", Some(Location::File("/var/l.db".into()))),
            ("postgres://u@h/d", Some(Location::Postgres("postgres://u@h/d".into()))),
            ("postgresql://u@h/d", Some(Location::Postgres("postgresql://u@h/d".into()))),
            ("http://h", None),
            ("", None),
        ];
        for (url, expected) in rows {
            assert_eq!(location(url, Path::new("/etc/lm")).ok(), expected, "{url}");
        }
    }

    #[test]
    fn a_file_with_a_secret_is_known() {
        for (text, holds) in [
            ("", false),
            ("[database]\nurl = \"postgres://lm@127.0.0.1/lm\"", false),
            ("[database]\nurl = \"postgres://lm:pw@127.0.0.1/lm\"", true),
            ("[database]\nurl = \"postgres://h/lm?user=lm&password=pw\"", true),
            ("[secrets]\nkey = \"1:00\"", true),
        ] {
            let settings: Settings = toml::from_str(text).unwrap();
            assert_eq!(settings.holds_a_secret(), holds, "{text}");
        }
    }

    #[test]
    fn a_key_is_not_shown() {
        let secrets = Secrets { key: Some("1:deadbeef".into()), ..Secrets::default() };
        assert!(!format!("{secrets:?}").contains("deadbeef"));
    }
}
