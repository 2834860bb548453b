//! `import customers`: a CSV file into the installation of a directory. Where its server runs, the rows go there
//! through the control socket ([`control`](crate::control)); else this process takes the directory's lock and writes.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use domain::IspId;
use serde::{Deserialize, Serialize};
use service::{
    Actor, App, Clock, Engine, Location, Vault,
    customers::import::{self, Form, Import, Row, Wrong},
};

use crate::{
    cli::ImportCustomers,
    control::{Ask, Client},
    lock, react, server,
    settings::Settings,
};

/// Rows that travel and are checked together.
const BATCH: usize = 1_000;

pub fn run(options: &ImportCustomers) -> anyhow::Result<()> {
    react(import(options))
}

async fn import(options: &ImportCustomers) -> anyhow::Result<()> {
    let began = std::time::Instant::now();
    let file = File::open(&options.file).with_context(|| format!("cannot open {}", options.file.display()))?;
    // The header is looked at before anything else is touched.
    let rows = Rows::open(BufReader::new(file)).with_context(|| options.file.display().to_string())?;
    let report = match Place::of(options)? {
        Place::Ours { location, vault, _lock } => {
            let app = server::core(server::open(&location).await?, Clock::System, vault);
            let report = offline(&app, options, rows).await;
            app.db.close().await;
            report?
        }
        Place::Running(directory) => {
            eprintln!("Through the server that runs in {} …", directory.display());
            let ask = Ask { isp: options.isp.clone(), dry_run: options.dry_run };
            let client = Client::connect(&directory, ask).await?;
            through(client, rows).await?
        }
    };
    print!("{}", told(&report, options.dry_run, began.elapsed().as_secs_f64()));
    match report.refused.len() {
        0 => Ok(()),
        refused => bail!("{refused} rows were refused"),
    }
}

async fn offline(app: &App, options: &ImportCustomers, rows: Rows<impl Read>) -> anyhow::Result<Report> {
    let isp = tenant(app, options.isp.as_deref()).await?;
    let mut import = Import::begin(app, &Actor::system(isp), options.dry_run).await?;
    if app.db.engine() == Engine::Sqlite {
        import = import.alone();
    }
    let mut report = Report::default();
    for batch in rows.batches() {
        let (rows, unreadable) = batch?;
        add(&mut report, import.take(rows).await?.into(), unreadable);
    }
    Ok(report)
}

async fn through(mut client: Client, rows: Rows<impl Read>) -> anyhow::Result<Report> {
    let mut report = Report::default();
    for batch in rows.batches() {
        let (rows, unreadable) = batch?;
        add(&mut report, client.take(rows).await?, unreadable);
    }
    client.end().await?;
    Ok(report)
}

fn add(report: &mut Report, done: Report, unreadable: Vec<Refused>) {
    report.imported += done.imported;
    report.refused.extend(done.refused);
    report.refused.extend(unreadable);
    report.refused.sort_by_key(|refused| refused.line);
}

fn told(report: &Report, dry: bool, seconds: f64) -> String {
    let Report { imported, refused } = report;
    let mut text: String = refused.iter().map(|row| format!("line {}: {}\n", row.line, row.reason)).collect();
    let verb = if dry { "would be imported" } else { "imported" };
    text += &format!("{imported} {verb}, {} refused, {seconds:.1} s\n", refused.len());
    text
}

// ---- what is said of the rows ----

/// As it is said to whoever imports, and travels from a running server to the command.
#[derive(Default, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub imported: u64,
    pub refused: Vec<Refused>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub line: u64,
    pub reason: String,
}

impl From<import::Report> for Report {
    fn from(report: import::Report) -> Report {
        let said = |row: import::Refused| Refused { line: row.line, reason: reason(row.field, &row.wrong) };
        Report { imported: report.imported, refused: report.refused.into_iter().map(said).collect() }
    }
}

fn reason(field: &str, wrong: &Wrong) -> String {
    match wrong {
        Wrong::Missing => format!("{field} is missing"),
        Wrong::TooShort { min } => format!("{field} has fewer than {min} characters"),
        Wrong::TooLong { max } => format!("{field} has more than {max} characters"),
        Wrong::ControlCharacter => format!("{field} holds a control character"),
        Wrong::Not { found, expected } if found.is_empty() => {
            format!("{field} is missing: {} is expected", form(*expected))
        }
        Wrong::Not { found, expected } => format!("{field}: {found:?} is not {}", form(*expected)),
        Wrong::AlsoInLine { name, line } => format!("{field}: {name:?} is also in line {line}"),
        Wrong::Exists { name } => format!("{field}: {name:?} exists already"),
    }
}

fn form(expected: Form) -> &'static str {
    match expected {
        Form::ServiceType => "Hotspot, PPPoE or Static",
        Form::Plan => "the name or id of a plan",
        Form::Router => "the name or id of a router",
        Form::Ipv4 => "an IPv4 address",
        Form::Mac => "a MAC address",
        Form::Phone => "a phone number of up to 20 digits",
        Form::Email => "an e-mail address",
        Form::Time => "YYYY-MM-DD, YYYY-MM-DD HH:MM:SS or an RFC 3339 time",
        Form::TimeWithin => "between 1970 and 2100",
    }
}

/// The Isp of this name or id; the only one where none is named.
pub async fn tenant(app: &App, named: Option<&str>) -> anyhow::Result<IspId> {
    let tenants = app.tenants().await?;
    let is = |isp: &service::Isp, name: &str| isp.name.eq_ignore_ascii_case(name) || isp.isp_id.to_string() == name;
    let found = match named.map(str::trim) {
        Some(name) => tenants.iter().find(|tenant| is(&tenant.isp, name)),
        None if tenants.len() == 1 => tenants.first(),
        None => None,
    };
    match found {
        Some(tenant) => Ok(tenant.isp.isp_id),
        None => {
            let names: Vec<String> = tenants.iter().map(|tenant| format!("{:?}", tenant.isp.name)).collect();
            bail!("--isp: one of {} is expected", names.join(", "))
        }
    }
}

/// Where the rows go.
enum Place {
    Ours { location: Location, vault: Vault, _lock: Option<lock::Lock> },
    Running(PathBuf),
}

impl Place {
    fn of(options: &ImportCustomers) -> anyhow::Result<Place> {
        match &options.data {
            Some(data) if !data.join("lastmile.toml").exists() => {
                let Some(lock) = lock::attempt(data)? else { return Ok(Place::Running(data.clone())) };
                let database = data.join("demo.db");
                if !database.exists() {
                    bail!("{} holds neither lastmile.toml nor demo.db", data.display());
                }
                let vault = Vault::from_file(&data.join("demo.key")).context("the key file")?;
                Ok(Place::Ours { location: Location::File(database), vault, _lock: Some(lock) })
            }
            Some(data) => Place::configured(&data.join("lastmile.toml")),
            None => Place::configured(&options.config),
        }
    }

    fn configured(file: &Path) -> anyhow::Result<Place> {
        let settings = Settings::load(file)?;
        let location = settings.location()?;
        let lock = match server::directory(&location) {
            None => None,
            Some(directory) => match lock::attempt(directory)? {
                None => return Ok(Place::Running(directory.into())),
                held => held,
            },
        };
        Ok(Place::Ours { vault: settings.vault()?, location, _lock: lock })
    }
}

// ---- the file ----

/// The columns a file may have, with the field each fills.
const COLUMNS: &[(&str, fn(&mut Row) -> &mut String)] = &[
    ("fullname", |row| &mut row.fullname),
    ("phonenumber", |row| &mut row.phonenumber),
    ("email", |row| &mut row.email),
    ("address", |row| &mut row.address),
    ("service_type", |row| &mut row.service_type),
    ("username", |row| &mut row.username),
    ("password", |row| &mut row.password),
    ("plan", |row| &mut row.plan),
    ("router", |row| &mut row.router),
    ("ip", |row| &mut row.ip),
    ("mac", |row| &mut row.mac),
    ("expires_at", |row| &mut row.expires_at),
];

/// A file with every line ended by one line feed, the last one too: what lines are counted by.
struct Lines<R> {
    file: R,
    ended: bool,
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while !self.ended {
            let length = self.file.read(into)?;
            if length == 0 && !into.is_empty() {
                self.ended = true;
                into[0] = b'\n';
                return Ok(1);
            }
            let mut kept = 0;
            for at in 0..length {
                if into[at] != b'\r' {
                    into[kept] = into[at];
                    kept += 1;
                }
            }
            if kept > 0 || into.is_empty() {
                return Ok(kept);
            }
        }
        Ok(0)
    }
}

/// A file whose header has been understood.
struct Rows<R> {
    reader: csv::Reader<Lines<R>>,
    columns: Vec<fn(&mut Row) -> &mut String>,
}

impl<R: Read> Rows<R> {
    fn open(file: R) -> anyhow::Result<Rows<R>> {
        let mut reader =
            csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(Lines { file, ended: false });
        let mut header = csv::ByteRecord::new();
        if !reader.read_byte_record(&mut header)? {
            bail!("the file is empty");
        }
        let (mut columns, mut unknown, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for name in &header {
            let name = String::from_utf8_lossy(name);
            let name = name.trim_start_matches('\u{feff}').trim().trim_matches('"').to_lowercase();
            match COLUMNS.iter().find(|(known, _)| *known == name) {
                Some((known, _)) if names.contains(known) => bail!("the column {known} occurs twice"),
                Some((known, field)) => {
                    names.push(*known);
                    columns.push(*field);
                }
                None => unknown.push(format!("{name:?}")),
            }
        }
        if !unknown.is_empty() {
            let known: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
            bail!("unknown columns {}; known are {}", unknown.join(", "), known.join(", "));
        }
        Ok(Rows { reader, columns })
    }

    /// Batches of rows, with those that cannot be read at all.
    fn batches(mut self) -> impl Iterator<Item = anyhow::Result<(Vec<Row>, Vec<Refused>)>> {
        let mut record = csv::ByteRecord::new();
        std::iter::from_fn(move || {
            let (mut rows, mut refused) = (Vec::with_capacity(BATCH), Vec::new());
            while rows.len() + refused.len() < BATCH {
                match self.reader.read_byte_record(&mut record) {
                    Err(error) => return Some(Err(error.into())),
                    Ok(false) => break,
                    Ok(true) => {}
                }
                // A record's own position is that of the empty lines before it.
                let within = record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
                let line = self.reader.position().line().saturating_sub(1 + within);
                match self.row(line, &record) {
                    Ok(row) => rows.push(row),
                    Err(reason) => refused.push(Refused { line, reason }),
                }
            }
            (!rows.is_empty() || !refused.is_empty()).then_some(Ok((rows, refused)))
        })
    }

    fn row(&self, line: u64, record: &csv::ByteRecord) -> Result<Row, String> {
        if record.len() != self.columns.len() {
            return Err(format!("{} fields, the header has {}", record.len(), self.columns.len()));
        }
        let mut row = Row { line, ..Row::default() };
        for (field, value) in self.columns.iter().zip(record) {
            let value = std::str::from_utf8(value).map_err(|_| "not UTF-8".to_string())?;
            *field(&mut row) = value.trim().to_string();
        }
        Ok(row)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use service::{
        access::routers::{self, NewRouter},
        catalogue::plans::{self, Expiry, NewBandwidth, NewPlan},
        customers::{card, lists, many},
        identity::tenants::{self, NewIsp},
        reports::overview,
    };

    use super::*;
    use crate::control;

    fn read(text: &[u8]) -> anyhow::Result<(Vec<Row>, Vec<Refused>)> {
        let (mut rows, mut refused) = (Vec::new(), Vec::new());
        for batch in Rows::open(text)?.batches() {
            let (more, unreadable) = batch?;
            rows.extend(more);
            refused.extend(unreadable);
        }
        Ok((rows, refused))
    }

    #[test]
    fn files_are_read_however_they_are_written() {
        let text = b"\xef\xbb\xbfUsername,fullname,address\r\nann,\"Moraa, Ann\",\"Moi \"\"old\"\" Avenue\"\r\n\r\nbob,Bob\r\n\
                     c\xff,C,\r\ndan, Dan ,\"two\nlines\"\r\neve,Eve,here";
        let (rows, refused) = read(text).unwrap();
        let told: Vec<String> =
            rows.iter().map(|r| format!("{} {}|{}|{}", r.line, r.username, r.fullname, r.address)).collect();
        assert_eq!(told, [r#"2 ann|Moraa, Ann|Moi "old" Avenue"#, "6 dan|Dan|two\nlines", "8 eve|Eve|here"]);
        let refused: Vec<String> = refused.iter().map(|r| format!("{} {}", r.line, r.reason)).collect();
        assert_eq!(refused, ["4 2 fields, the header has 3", "5 not UTF-8"]);
    }

    /// Whatever a file holds: rows within the header's columns, or words about what is wrong.
    #[test]
    fn any_file_is_read_or_refused() {
        let header =
            "fullname,phonenumber,email,address,service_type,username,password,plan,router,ip,mac,expires_at\n";
        let row =
            "Ali,254712345678,a@b.example,\"Street 1,\nflat 2\",PPPoE,ali,secret,gold,bras,10.0.0.1,,2030-01-31\n";
        let whole = format!("\u{feff}{header}{row}{row}");
        let seeds: [&[u8]; 3] = [whole.as_bytes(), header.as_bytes(), b"username,phonenumber\r\nali,1\r\n\r\nbob,2"];
        let tokens: [&[u8]; 10] =
            [b"\"", b",", b"\n", b"\r\n", b"\"\"", b"phonenumber", b"\0", b"\xff", b"\xef\xbb\xbf", b";"];
        inputs::run("customers' files", &seeds, &tokens, 40_000, |input| {
            let Ok((rows, refused)) = read(input) else { return };
            let lines = input.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 1;
            assert!(rows.len() + refused.len() <= lines, "no more rows than lines");
            for row in rows {
                assert!(row.phonenumber.trim() == row.phonenumber && row.username.len() <= input.len());
            }
        });
    }

    #[test]
    fn a_header_that_is_wrong_says_how() {
        for (text, expected) in [
            ("fullname,nick,Colour\nx,y,z", "unknown columns \"nick\", \"colour\"; known are fullname, phonenumber"),
            ("plan,router,PLAN\n", "the column plan occurs twice"),
            ("", "the file is empty"),
        ] {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    /// An installation with one ISP, a plan, a router and a customer "taken".
    async fn installed(location: &Location) -> (App, Actor) {
        let app = server::core(server::open(location).await.unwrap(), Clock::System, Vault::ephemeral());
        let isp = NewIsp {
            name: "Test ISP".into(),
            currency: "KES".into(),
            time_zone: "Africa/Nairobi".into(),
            locale: "en".into(),
            username_prefix: "TI".into(),
            tax_ppm: 0,
            tax_inclusive: true,
            owner_name: "Owner".into(),
            owner_email: "owner@isp.example".into(),
            owner_password: "correct horse".into(),
        };
        let actor = Actor::system(tenants::create_isp(&app, isp).await.unwrap().isp);
        let router = NewRouter {
            name: "Tower".into(),
            vendor: "mikrotik".into(),
            network: "203.0.113.7".into(),
            nas_identifier: None,
            secret: "testing123".into(),
            coa_port: 3799,
            ma_policy: "learn".into(),
            api_address: None,
        };
        let router = routers::create(&app, &actor, router).await.unwrap();
        let bandwidth = NewBandwidth {
            name: "10M".into(),
            down_kbps: 10_000,
            down_unit: "Mbps".into(),
            up_kbps: 10_000,
            up_unit: "Mbps".into(),
            burst: None,
            priority: None,
        };
        let bandwidth = plans::create_bandwidth(&app, &actor, bandwidth).await.unwrap().id;
        let plan = NewPlan {
            name: "Gold".into(),
            kind: domain::Kind::Pppoe,
            bandwidth,
            pool: None,
            router: None,
            price: domain::Money(150_000),
            validity: 30,
            validity_unit: "Days".into(),
            period_day: None,
            limited: false,
            limit_type: None,
            time_limit: None,
            time_unit: None,
            data_limit: None,
            data_unit: None,
            shared_users: 1,
            mac_lock: false,
            address_list: None,
            expiry: Expiry::Reject,
            interim_s: 300,
            enabled: true,
            public: true,
        };
        let plan = plans::create(&app, &actor, plan).await.unwrap().plan.id;
        let taken = many::Row {
            full_name: "Taken".into(),
            phone: "0700".into(),
            username: "taken".into(),
            password: "secret".into(),
        };
        let many = many::Many { plan, router, kind: domain::Kind::Pppoe, rows: vec![taken] };
        many::create_many(&app, &actor, many).await.unwrap();
        (app, actor)
    }

    const FILE: &str = "fullname,phonenumber,email,service_type,username,password,plan,router,ip,mac,expires_at\n\
        Ann Moraa,+254 712 000001,ann@isp.example,PPPoE,ann,secret,gold,tower,10.0.0.7,D4:CA:6D:9B:45:01,2099-01-31\n\
        Bob,0712000002,,hotspot,,secret,1,Tower,,,2020-01-31 10:00:00\n\
        Cat,0712000003,,PPPoE,cat,secret,Gold,Tower,,,\n\
        ,0712000004,,PPPoE,dan,secret,Gold,Tower,,,\n\
        Eve,none,,PPPoE,eve,secret,Gold,Tower,,,\n\
        Fay,0712000006,fay,PPPoE,fay,secret,Gold,Tower,,,\n\
        Gus,0712000007,,DSL,gus,secret,Gold,Tower,,,\n\
        Hal,0712000008,,PPPoE,hal,,Gold,Tower,,,\n\
        Ida,0712000009,,PPPoE,ida,secret,Silver,Tower,,,\n\
        Jan,0712000010,,PPPoE,jan,secret,Gold,Mast,,,\n\
        Kim,0712000011,,PPPoE,kim,secret,Gold,Tower,10.0.0.700,,\n\
        Leo,0712000012,,PPPoE,leo,secret,Gold,Tower,,D4:CA,\n\
        Mia,0712000013,,PPPoE,mia,secret,Gold,Tower,,,31/01/2099\n\
        Ned,0712000014,,PPPoE,TAKEN,secret,Gold,Tower,,,\n\
        Oma,0712000015,,PPPoE,Ann,secret,Gold,Tower,,,\n\
        Pia,0712000016,,Static,pia,secret,Gold,Tower,,,2099-01-31T10:00:00+03:00\n";

    const REFUSED: &[&str] = &[
        "line 5: fullname is missing",
        "line 6: phonenumber: \"none\" is not a phone number of up to 20 digits",
        "line 7: email: \"fay\" is not an e-mail address",
        "line 8: service_type: \"DSL\" is not Hotspot, PPPoE or Static",
        "line 9: password is missing",
        "line 10: plan: \"Silver\" is not the name or id of a plan",
        "line 11: router: \"Mast\" is not the name or id of a router",
        "line 12: ip: \"10.0.0.700\" is not an IPv4 address",
        "line 13: mac: \"D4:CA\" is not a MAC address",
        "line 14: expires_at: \"31/01/2099\" is not YYYY-MM-DD, YYYY-MM-DD HH:MM:SS or an RFC 3339 time",
        "line 15: username: \"TAKEN\" exists already",
        "line 16: username: \"Ann\" is also in line 2",
    ];

    fn options(dry_run: bool) -> ImportCustomers {
        ImportCustomers { file: PathBuf::new(), data: None, config: PathBuf::new(), isp: None, dry_run }
    }

    async fn offline_report(app: &App, dry_run: bool) -> Report {
        offline(app, &options(dry_run), Rows::open(FILE.as_bytes()).unwrap()).await.unwrap()
    }

    async fn story(location: Location) {
        let (app, actor) = installed(&location).await;
        let count = async || overview::overview(&app, actor.isp).await.unwrap().customers;
        let dry = offline_report(&app, true).await;
        assert_eq!((dry.imported, count().await), (4, 1), "nothing is written");
        let done = offline_report(&app, false).await;
        assert_eq!(done, dry, "a dry run says what will be");
        let told: Vec<String> = done.refused.iter().map(|row| format!("line {}: {}", row.line, row.reason)).collect();
        assert_eq!(told, REFUSED);
        assert_eq!(count().await, 5);

        let end = async |name: &str| {
            let filter = service::Filter { search: Some(name.into()), ..service::Filter::default() };
            let page = service::Page { order: service::Order::Created, descending: false, offset: 0, limit: 5 };
            let (rows, _) = lists::page(&app, &actor, filter, page, card::Parts::PERIOD).await.unwrap();
            let row = rows.into_iter().next().unwrap();
            let (line, period) = (row.line.unwrap(), row.period.unwrap());
            assert_eq!((period.price.0, period.reason.as_str()), (0, "imported"));
            assert_eq!(line.expires_at, Some(period.ends_at));
            (line.username, line.kind.word(), period.ends_at.timestamp().to_string())
        };
        assert_eq!(end("Ann Moraa").await, ("ann".into(), "pppoe", "2099-01-31T20:59:59Z".into()));
        assert_eq!(end("0712000002").await, ("TI0712000002".into(), "hotspot", "2020-01-31T07:00:00Z".into()));
        assert_eq!(end("pia").await, ("pia".into(), "static", "2099-01-31T07:00:00Z".into()));

        // Once more: everybody exists, nobody is doubled.
        let again = offline_report(&app, false).await;
        assert_eq!((again.imported, again.refused.len(), count().await), (0, 16, 5));
        let reasons = again.refused.iter().filter(|row| row.reason.ends_with("exists already"));
        assert_eq!(reasons.map(|row| row.line).collect::<Vec<_>>(), [2, 3, 4, 15, 17]);
        let faults = app.db.read(async |tx| store::people::roster::verify(tx).await).await.unwrap();
        assert_eq!(faults, Vec::<String>::new());
        app.db.close().await;
    }

    #[tokio::test]
    async fn rows_become_customers_on_sqlite() {
        story(Location::Memory).await;
    }

    #[tokio::test]
    async fn rows_become_customers_on_postgres() {
        if let Some(server) = store::testing::postgres() {
            story(Location::Postgres(server.database("import"))).await;
        }
    }

    #[tokio::test]
    async fn a_running_server_takes_the_rows_through_its_socket() {
        let directory = crate::demo::tests::scratch("import");
        let location = Location::File(directory.join("lastmile.db"));
        let lock = server::lock(&location).unwrap();
        let (app, actor) = installed(&location).await;
        let listening = control::listen(app.clone(), &directory, None).unwrap();
        let mode = std::fs::metadata(directory.join("control.sock")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(lock::attempt(&directory).unwrap().is_none(), "the lock is held: rows go to the server");

        let ask = |isp: Option<&str>, dry_run| Ask { isp: isp.map(Into::into), dry_run };
        let rows = || Rows::open(FILE.as_bytes()).unwrap();
        let dry = through(Client::connect(&directory, ask(None, true)).await.unwrap(), rows()).await.unwrap();
        let done = through(Client::connect(&directory, ask(Some("test isp"), false)).await.unwrap(), rows());
        let done = done.await.unwrap();
        assert_eq!(done, dry);
        assert_eq!((done.imported, done.refused.len()), (4, REFUSED.len()));
        assert_eq!(overview::overview(&app, actor.isp).await.unwrap().customers, 5);
        let error = Client::connect(&directory, ask(Some("nobody"), false)).await.err().unwrap().to_string();
        assert!(error.contains("one of \"Test ISP\" is expected"), "{error}");

        listening.stop();
        assert!(!directory.join("control.sock").exists());
        let error = Client::connect(&directory, ask(None, true)).await.err().unwrap().to_string();
        assert!(error.contains("control.sock"), "{error}");
        app.db.close().await;
        drop(lock);
        std::fs::remove_dir_all(directory).unwrap();
    }
}
