//! Import of customers from another system: rows of text, checked one by one; what is wrong is refused with its line and
//! reason and never stops the rest.
//!
//! An imported customer gets one period of price zero with reason "imported", ending at `expires_at`, or one validity
//! of its plan from now where none is given. No money moves: it comes with the first recharge here.

use std::{collections::HashMap, net::Ipv4Addr};

use domain::{
    BranchId, CustomerId, Instant, Kind, Mac, PeriodId, RouterId, ServiceId, Status,
    kernel::{
        dates::{self, NotADate},
        names::{login_key, name_key},
    },
};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use store::{db::Class, people::customer::Taken};

use super::{
    beside::Beside,
    create::{self, First, Line, Names, New, Owner, Person, create_all, sealed},
};
use crate::{
    Actor, App, Error, FieldError, Why,
    access::routers,
    catalogue::plans::{self, Offer},
    kernel::{app::Tenant, ids::Table},
};

/// How many customers share a transaction beside other work: about 5 ms.
const CHUNK: usize = 50;
/// How many ids are reserved at once.
const BLOCK: usize = 1_000;
/// A chunk is tried again when somebody else took a name of it meanwhile.
const ATTEMPTS: u32 = 3;

/// A row as it was written; empty is absent.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub line: u64,
    pub fullname: String,
    pub phonenumber: String,
    pub email: String,
    pub address: String,
    pub service_type: String,
    pub username: String,
    pub password: String,
    pub plan: String,
    pub router: String,
    pub ip: String,
    pub mac: String,
    pub expires_at: String,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    pub line: u64,
    pub field: &'static str,
    pub wrong: Wrong,
}

/// What is the matter with a field of a row. Passwords are never repeated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wrong {
    Missing,
    TooShort {
        min: usize,
    },
    TooLong {
        max: usize,
    },
    /// It would forge lines of a log, and RADIUS attributes.
    ControlCharacter,
    /// `found` is empty where nothing stands.
    Not {
        found: String,
        expected: Form,
    },
    /// The name or address stands in an earlier line of the same file.
    AlsoInLine {
        name: String,
        line: u64,
    },
    /// Somebody has the name or address.
    Exists {
        name: String,
    },
}

/// What a field is to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    ServiceType,
    Plan,
    Router,
    Ipv4,
    Mac,
    Phone,
    Email,
    Time,
    /// 1970 to 2100.
    TimeWithin,
}

#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Report {
    pub imported: u64,
    pub refused: Vec<Refused>,
}

/// A field of a row and what is wrong with it.
type Field = (&'static str, Wrong);

/// Imports all rows; or, dry, says what would happen.
pub async fn import(app: &App, actor: &Actor, rows: Vec<Row>, dry: bool) -> Result<Report, Error> {
    let mut import = Import::begin(app, actor, dry).await?;
    let mut report = Report::default();
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let done = import.take(rows.by_ref().take(BLOCK).collect()).await?;
        report.imported += done.imported;
        report.refused.extend(done.refused);
    }
    Ok(report)
}

/// An import under way: rows come in batches of any size.
pub struct Import {
    app: App,
    actor: Actor,
    dry: bool,
    chunk: usize,
    tenant: std::sync::Arc<Tenant>,
    /// By lower-cased name and by id.
    plans: HashMap<String, std::sync::Arc<Offer>>,
    routers: HashMap<String, RouterId>,
    /// Names of this file and the lines they stand in.
    seen: HashMap<String, u64>,
    /// Its fixed addresses, likewise.
    addresses: HashMap<Ipv4Addr, u64>,
}

/// A row whose every field is right.
#[derive(Clone, Debug)]
struct Checked {
    line: u64,
    full_name: String,
    phone: String,
    email: Option<String>,
    address: Option<String>,
    kind: Kind,
    username: String,
    password: String,
    offer: std::sync::Arc<Offer>,
    router: RouterId,
    ip: Option<Ipv4Addr>,
    mac: Option<Mac>,
    expires_at: Option<Instant>,
}

/// With its ids and its secrets sealed: what a transaction may write again and again.
#[derive(Clone, Debug)]
struct Ready {
    row: Checked,
    customer: CustomerId,
    service: ServiceId,
    period: PeriodId,
    portal_secret: Vec<u8>,
    secret: Vec<u8>,
}

impl Import {
    pub async fn begin(app: &App, actor: &Actor, dry: bool) -> Result<Import, Error> {
        actor.writes()?;
        let mut plans = HashMap::new();
        for offer in plans::offers(app, actor).await?.into_iter().map(std::sync::Arc::new) {
            plans.insert(offer.plan.id.to_string(), offer.clone());
            plans.insert(name_key(&offer.plan.name), offer);
        }
        let mut by_name = HashMap::new();
        for router in routers::list(app, actor).await? {
            by_name.insert(router.id.to_string(), router.id);
            by_name.insert(name_key(&router.name), router.id);
        }
        let tenant = app.tenant(actor.isp).await?;
        let (app, actor) = (app.clone(), actor.clone());
        Ok(Import {
            app,
            actor,
            dry,
            chunk: CHUNK,
            tenant,
            plans,
            routers: by_name,
            seen: HashMap::new(),
            addresses: HashMap::new(),
        })
    }

    /// Nobody else waits for this database: larger transactions cost less.
    pub fn alone(self) -> Import {
        Import { chunk: BLOCK, ..self }
    }

    /// What became of these rows. An error stops the import; what was reported before stays.
    pub async fn take(&mut self, rows: Vec<Row>) -> Result<Report, Error> {
        let mut report = Report::default();
        let mut right = Vec::with_capacity(rows.len());
        for row in &rows {
            match self.check(row) {
                Ok(checked) => right.push(checked),
                Err((field, wrong)) => report.refused.push(Refused { line: row.line, field, wrong }),
            }
        }
        for block in right.chunks(BLOCK) {
            let done = match self.dry {
                true => self.look(block.to_vec()).await?,
                false => self.write(block).await?,
            };
            report.imported += done.imported;
            report.refused.extend(done.refused);
        }
        report.refused.sort_by_key(|refused| refused.line);
        Ok(report)
    }

    fn check(&mut self, row: &Row) -> Result<Checked, Field> {
        let given = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_string());
        let full_name = text("fullname", &row.fullname, 1, 100)?;
        let phone = phone(&row.phonenumber)?;
        let email = given(&row.email).map(|email| address_of("email", email)).transpose()?;
        let address = given(&row.address).map(|address| text("address", &address, 1, 255)).transpose()?;
        let kind = match Kind::from_word(row.service_type.trim()) {
            Some(kind @ (Kind::Hotspot | Kind::Pppoe | Kind::Static)) => kind,
            Some(Kind::Other) | None => {
                return Err(wrong("service_type", &row.service_type, Form::ServiceType));
            }
        };
        let username = match given(&row.username) {
            Some(name) => text("username", &name, 3, 64)?,
            None => format!("{}{phone}", self.tenant.isp.username_prefix),
        };
        let password = text("password", &row.password, 3, 64)?;
        let offer = self.plans.get(&name_key(&row.plan)).cloned();
        let offer = offer.ok_or_else(|| wrong("plan", &row.plan, Form::Plan))?;
        let router = self.routers.get(&name_key(&row.router)).copied();
        let router = router.ok_or_else(|| wrong("router", &row.router, Form::Router))?;
        let ip = given(&row.ip).map(|ip| ip.parse().map_err(|_| wrong("ip", &ip, Form::Ipv4))).transpose()?;
        let mac = given(&row.mac).map(|mac| Mac::parse(&mac).ok_or_else(|| wrong("mac", &mac, Form::Mac)));
        let mac = mac.transpose()?;
        let expires_at = given(&row.expires_at).map(|at| instant(&at, &self.tenant.zone)).transpose()?;
        for key in [name_key(&username), login_key(&username)] {
            match self.seen.get(&key) {
                Some(line) if *line != row.line => {
                    return Err(("username", Wrong::AlsoInLine { name: username, line: *line }));
                }
                Some(_) => {}
                None => drop(self.seen.insert(key, row.line)),
            }
        }
        if let Some(ip) = ip {
            match self.addresses.get(&ip) {
                Some(line) if *line != row.line => {
                    return Err(("ip", Wrong::AlsoInLine { name: ip.to_string(), line: *line }));
                }
                Some(_) => {}
                None => drop(self.addresses.insert(ip, row.line)),
            }
        }
        let line = row.line;
        Ok(Checked {
            line,
            full_name,
            phone,
            email,
            address,
            kind,
            username,
            password,
            offer,
            router,
            ip,
            mac,
            expires_at,
        })
    }

    /// What the database says to these rows; nothing is written.
    async fn look(&self, rows: Vec<Checked>) -> Result<Report, Error> {
        let isp = self.actor.isp;
        self.app
            .db
            .read(async move |tx| {
                let taken = create::taken(tx, isp, rows.iter().map(Checked::names)).await?;
                Ok(sorted_out(rows.iter(), &taken).1)
            })
            .await
    }

    async fn write(&self, rows: &[Checked]) -> Result<Report, Error> {
        let count = rows.len() as i64;
        let first_customer = self.app.new_ids(Table::Customer, count).await?;
        let first_service = self.app.new_ids(Table::Service, count).await?;
        let first_period = self.app.new_ids(Table::Period, count).await?;
        let mut report = Report::default();
        for (chunk, at) in rows.chunks(self.chunk).zip((0_i64..).step_by(self.chunk)) {
            // Sealed before the transaction: it holds the writer no longer than its rows need.
            let ready = chunk.iter().zip(at..).map(|(row, at)| {
                let (customer, service) = (CustomerId(first_customer + at), ServiceId(first_service + at));
                let (portal_secret, secret) =
                    sealed(&self.app.vault, (customer, &row.password), (service, &row.password));
                let period = PeriodId(first_period + at);
                Ready { row: row.clone(), customer, service, period, portal_secret, secret }
            });
            let done = self.write_chunk(ready.collect()).await?;
            report.imported += done.imported;
            report.refused.extend(done.refused);
        }
        Ok(report)
    }

    async fn write_chunk(&self, rows: Vec<Ready>) -> Result<Report, Error> {
        let mut attempt = 1;
        loop {
            let (rows, tenant, branch) = (rows.clone(), self.tenant.clone(), self.actor.branch);
            let done = self.app.change(&self.actor, Class::Bulk, async move |change| {
                let names = rows.iter().map(|ready| ready.row.names());
                let taken = create::taken(change.tx, change.isp, names).await?;
                let (free, report) = sorted_out(rows.iter().map(|ready| &ready.row), &taken);
                let all = free.into_iter().map(|at| rows[at].clone().new_in(branch));
                create_all(change, &tenant, all.collect()).await?;
                Ok(report)
            });
            match done.await {
                // Somebody took one of these names at the same moment: the next look refuses it.
                Err(Error::Invalid(wrong)) if attempt < ATTEMPTS && wrong.iter().any(is_taken) => attempt += 1,
                done => return done,
            }
        }
    }
}

fn is_taken(wrong: &FieldError) -> bool {
    wrong.why == Why::Taken
}

/// Which rows may go in, and the report on all of them.
fn sorted_out<'a>(rows: impl Iterator<Item = &'a Checked>, taken: &Taken) -> (Vec<usize>, Report) {
    let (mut free, mut report) = (Vec::new(), Report::default());
    for (at, row) in rows.enumerate() {
        if taken.accounts.contains(&name_key(&row.username)) || taken.logins.contains(&login_key(&row.username)) {
            let wrong = Wrong::Exists { name: row.username.clone() };
            report.refused.push(Refused { line: row.line, field: "username", wrong });
        } else if let Some(ip) = row.ip.map(|ip| ip.to_string()).filter(|ip| taken.addresses.contains(ip)) {
            report.refused.push(Refused { line: row.line, field: "ip", wrong: Wrong::Exists { name: ip } });
        } else {
            free.push(at);
            report.imported += 1;
        }
    }
    (free, report)
}

impl Checked {
    fn names(&self) -> Names<'_> {
        Names { account: Some(&self.username), login: &self.username, addresses: self.ip.into_iter().collect() }
    }
}

impl Ready {
    /// The customer as it is made: with the time it comes with, which nobody pays for here.
    fn new_in(self, branch: Option<BranchId>) -> New {
        let Ready { row, customer, service, period, portal_secret, secret } = self;
        New {
            owner: Owner::New(Person {
                id: customer,
                branch,
                username: row.username.clone(),
                portal_secret: Some(portal_secret),
                full_name: row.full_name,
                phone: row.phone,
                email: row.email,
                address: row.address,
                building: None,
            }),
            line: Line {
                id: service,
                ordinal: 1,
                kind: row.kind,
                status: Status::Active,
                reason: "imported",
                username: row.username,
                secret: Some(secret),
                tied: row.offer.plan.mac_lock,
                offer: row.offer,
                router: row.router,
                ip: row.ip,
                mac: row.mac,
                starts_at: None,
            },
            first: First::Opened { period, ends_at: row.expires_at, reason: "imported" },
            beside: Beside::default(),
        }
    }
}

// ---- fields ----

fn wrong(field: &'static str, found: &str, expected: Form) -> Field {
    (field, Wrong::Not { found: found.trim().into(), expected })
}

fn text(field: &'static str, found: &str, min: usize, max: usize) -> Result<String, Field> {
    let found = found.trim();
    match found.chars().count() {
        0 => Err((field, Wrong::Missing)),
        length if length < min => Err((field, Wrong::TooShort { min })),
        length if length > max => Err((field, Wrong::TooLong { max })),
        _ if found.chars().any(char::is_control) => Err((field, Wrong::ControlCharacter)),
        _ => Ok(found.into()),
    }
}

/// Digits; a leading plus and what people write between them do not count. A dot is none of that: a spreadsheet's `.0`
/// would become a digit more.
fn phone(found: &str) -> Result<String, Field> {
    let digits: String = found.trim().trim_start_matches('+').chars().filter(|c| !" -()".contains(*c)).collect();
    match digits.len() {
        1..=20 if digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(digits),
        _ => Err(wrong("phonenumber", found, Form::Phone)),
    }
}

fn address_of(field: &'static str, found: String) -> Result<String, Field> {
    match found.split_once('@') {
        Some((name, host))
            if !name.is_empty()
                && host.trim_matches('.') == host
                && host.contains('.')
                && !host.contains('@')
                && !found.contains(char::is_whitespace)
                && found.len() <= 254 =>
        {
            Ok(found)
        }
        _ => Err(wrong(field, &found, Form::Email)),
    }
}

/// `YYYY-MM-DD` (the end of that day) and `YYYY-MM-DD HH:MM:SS` are the Isp's own time; RFC 3339 says which it is.
fn instant(found: &str, zone: &TimeZone) -> Result<Instant, Field> {
    let at = if found.len() == 10 {
        dates::day(found).map(|day| Instant::from_civil(day.at(23, 59, 59, 0), zone))
    } else {
        dates::local(found).map(|at| Instant::from_civil(at, zone)).or_else(|local| match local {
            NotADate::Unread => dates::moment(found),
            NotADate::Outside => Err(local),
        })
    };
    at.map_err(|why| match why {
        NotADate::Outside => wrong("expires_at", found, Form::TimeWithin),
        NotADate::Unread => wrong("expires_at", found, Form::Time),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_read_in_the_isps_own_time() {
        let zone = TimeZone::get("Africa/Nairobi").unwrap();
        let rows = [
            ("2030-01-31", Ok("2030-01-31T20:59:59Z")),
            ("2030-01-31 10:00:00", Ok("2030-01-31T07:00:00Z")),
            ("2030-01-31T10:00:00Z", Ok("2030-01-31T10:00:00Z")),
            ("2030-01-31T10:00:00+05:30", Ok("2030-01-31T04:30:00Z")),
            ("2030-02-31", Err(Form::Time)),
            ("31/01/2030", Err(Form::Time)),
            ("tomorrow", Err(Form::Time)),
            ("9999-01-01", Err(Form::TimeWithin)),
        ];
        for (found, expected) in rows {
            match (instant(found, &zone), expected) {
                (Ok(at), Ok(expected)) => {
                    assert_eq!(at.0, expected.parse::<jiff::Timestamp>().unwrap().as_microsecond())
                }
                (Err(got), Err(form)) => assert_eq!(got, wrong("expires_at", found, form)),
                (got, _) => panic!("{found}: {got:?}"),
            }
        }
    }

    #[test]
    fn phone_numbers_are_digits_however_they_are_written() {
        let rows = [
            ("+254 712-345 678", Some("254712345678")),
            ("254712345678.0", None),
            ("(0712) 345678", Some("0712345678")),
            ("", None),
            ("071x", None),
        ];
        for (found, expected) in rows {
            assert_eq!(phone(found).ok().as_deref(), expected, "{found}");
        }
    }
}
