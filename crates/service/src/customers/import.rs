//! Import of customers from another system: rows of text, checked one by one; what is wrong is refused with its line and
//! reason and never stops the rest.
//!
//! An imported customer gets one period of price zero with reason "imported", ending at `expires_at`, or one validity
//! of its plan from now where none is given. No money moves: it comes with the first recharge here.

use std::{
    collections::{HashMap, HashSet},
    net::Ipv4Addr,
};

use domain::{
    CustomerId, Instant, IspId, Kind, Mac, PeriodId, RouterId, ServiceId, Status,
    kernel::event::{EventKind, Subject},
};
use jiff::{civil, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    db::{Class, Tx},
    people::{
        customer::{self, Customer},
        service::{self, Period, Service},
    },
};

use crate::{
    Actor, App, Change, Error, FieldError, Why,
    access::routers,
    catalogue::plans::{self, Offer},
    kernel::{
        app::Tenant,
        ids::Table,
        secrets::{portal_place, secret_place},
    },
    sales::sale::{Opening, insert, opened},
};
use domain::kernel::names::{login_key, name_key};

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

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refused {
    pub line: u64,
    pub reason: String,
}

#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Report {
    pub imported: u64,
    pub refused: Vec<Refused>,
}

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
        Ok(Import { app, actor, dry, chunk: CHUNK, tenant, plans, routers: by_name, seen: HashMap::new() })
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
                Err(reason) => report.refused.push(Refused { line: row.line, reason }),
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

    fn check(&mut self, row: &Row) -> Result<Checked, String> {
        let given = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_string());
        let full_name = text("fullname", &row.fullname, 1, 100)?;
        let phone = phone(&row.phonenumber)?;
        let email = given(&row.email).map(|email| address_of("email", email)).transpose()?;
        let address = given(&row.address).map(|address| text("address", &address, 1, 255)).transpose()?;
        let kind = match Kind::from_word(row.service_type.trim()) {
            Some(kind @ (Kind::Hotspot | Kind::Pppoe | Kind::Static)) => kind,
            Some(Kind::Other) | None => {
                return Err(wrong("service_type", &row.service_type, "Hotspot, PPPoE or Static"));
            }
        };
        let username = match given(&row.username) {
            Some(name) => text("username", &name, 3, 64)?,
            None => format!("{}{phone}", self.tenant.isp.username_prefix),
        };
        let password = text("password", &row.password, 3, 64)?;
        let offer = self.plans.get(&name_key(&row.plan)).cloned();
        let offer = offer.ok_or_else(|| wrong("plan", &row.plan, "the name or id of a plan"))?;
        let router = self.routers.get(&name_key(&row.router)).copied();
        let router = router.ok_or_else(|| wrong("router", &row.router, "the name or id of a router"))?;
        let ip = given(&row.ip).map(|ip| ip.parse().map_err(|_| wrong("ip", &ip, "an IPv4 address"))).transpose()?;
        let mac = given(&row.mac).map(|mac| Mac::parse(&mac).ok_or_else(|| wrong("mac", &mac, "a MAC address")));
        let mac = mac.transpose()?;
        let expires_at = given(&row.expires_at).map(|at| instant(&at, &self.tenant.zone)).transpose()?;
        for key in [name_key(&username), login_key(&username)] {
            match self.seen.get(&key) {
                Some(line) if *line != row.line => {
                    return Err(format!("username: {username:?} is also in line {line}"));
                }
                Some(_) => {}
                None => drop(self.seen.insert(key, row.line)),
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
                let taken = taken(tx, isp, rows.iter().map(|row| row.username.as_str())).await?;
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
                Ready {
                    portal_secret: self.app.vault.seal(&portal_place(customer), &row.password),
                    secret: self.app.vault.seal(&secret_place(service), &row.password),
                    period: PeriodId(first_period + at),
                    row: row.clone(),
                    customer,
                    service,
                }
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
                let taken = taken(change.tx, change.isp, rows.iter().map(|ready| ready.row.username.as_str())).await?;
                let (free, report) = sorted_out(rows.iter().map(|ready| &ready.row), &taken);
                let (mut people, mut periods) = (Vec::with_capacity(free.len()), Vec::with_capacity(free.len()));
                for at in free {
                    let (customer, line, period) = made(change, &tenant, branch, &rows[at])?;
                    people.push((customer, Some(line)));
                    periods.push(period);
                }
                customer::insert(change.tx, change.isp, people).await?;
                insert(change, periods).await?;
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
    wrong.field == "username" && wrong.why == Why::Taken
}

/// The names that customers or lines already have, in the form they are compared in.
async fn taken(tx: &Tx, isp: IspId, names: impl Iterator<Item = &str>) -> Result<HashSet<String>, Error> {
    let keys: HashSet<String> = names.flat_map(|name| [name_key(name), login_key(name)]).collect();
    Ok(customer::taken(tx, isp, keys.into_iter().collect()).await?)
}

/// Which rows may go in, and the report on all of them.
fn sorted_out<'a>(rows: impl Iterator<Item = &'a Checked>, taken: &HashSet<String>) -> (Vec<usize>, Report) {
    let (mut free, mut report) = (Vec::new(), Report::default());
    for (at, row) in rows.enumerate() {
        if taken.contains(&name_key(&row.username)) || taken.contains(&login_key(&row.username)) {
            let reason = format!("username: {:?} exists already", row.username);
            report.refused.push(Refused { line: row.line, reason });
        } else {
            free.push(at);
            report.imported += 1;
        }
    }
    (free, report)
}

fn made(
    change: &Change<'_>,
    tenant: &Tenant,
    branch_id: Option<domain::BranchId>,
    ready: &Ready,
) -> Result<(Customer, Service, Period), Error> {
    let (row, now) = (&ready.row, change.now);
    let Offer { plan, version } = &*row.offer;
    let customer = Customer::new(customer::New {
        isp: change.isp,
        id: ready.customer,
        branch: branch_id,
        username: row.username.clone(),
        portal_secret: Some(ready.portal_secret.clone()),
        full_name: row.full_name.clone(),
        phone: row.phone.clone(),
        email: row.email.clone(),
        address: row.address.clone(),
        building: None,
        at: now,
    });
    let mut line = Service::new(service::New {
        isp: change.isp,
        id: ready.service,
        customer: ready.customer,
        ordinal: 1,
        kind: row.kind,
        status: Status::Active,
        reason: Some("imported".into()),
        username: row.username.clone(),
        secret: Some(ready.secret.clone()),
        plan: plan.id,
        plan_version: version.version,
        router: row.router,
        address: row.ip,
        mac: row.mac,
        tied: plan.mac_lock,
        at: now,
    });
    let created = json!({ "username": row.username });
    change.event(EventKind::CustomerCreated, Subject::Customer(ready.customer.0), created);
    let opening = Opening { id: ready.period, ends_at: row.expires_at, limit: None, reason: "imported" };
    let period = opened(change, tenant, &mut line, &row.offer, opening);
    Ok((customer, line, period))
}

// ---- fields ----

fn wrong(field: &str, found: &str, expected: &str) -> String {
    match found.trim() {
        "" => format!("{field} is missing: {expected} is expected"),
        found => format!("{field}: {found:?} is not {expected}"),
    }
}

fn text(field: &str, found: &str, min: usize, max: usize) -> Result<String, String> {
    let found = found.trim();
    match found.chars().count() {
        0 => Err(format!("{field} is missing")),
        // Passwords are not repeated in a report.
        length if length < min => Err(format!("{field} has fewer than {min} characters")),
        length if length > max => Err(format!("{field} has more than {max} characters")),
        _ if found.contains('\0') => Err(format!("{field} holds a NUL character")),
        _ => Ok(found.into()),
    }
}

/// Digits; a leading plus and what people write between them do not count.
fn phone(found: &str) -> Result<String, String> {
    let digits: String = found.trim().trim_start_matches('+').chars().filter(|c| !" -().".contains(*c)).collect();
    match digits.len() {
        1..=20 if digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(digits),
        _ => Err(wrong("phonenumber", found, "a phone number of up to 20 digits")),
    }
}

fn address_of(field: &str, found: String) -> Result<String, String> {
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
        _ => Err(wrong(field, &found, "an e-mail address")),
    }
}

/// `YYYY-MM-DD` (the end of that day) and `YYYY-MM-DD HH:MM:SS` are the Isp's own time; RFC 3339 says which it is.
fn instant(found: &str, zone: &TimeZone) -> Result<Instant, String> {
    const FORM: &str = "YYYY-MM-DD, YYYY-MM-DD HH:MM:SS or an RFC 3339 time";
    let local = |at: civil::DateTime| at.to_zoned(zone.clone()).ok().map(|at| at.timestamp());
    let at = if found.len() == 10 {
        found.parse::<civil::Date>().ok().and_then(|day| local(day.at(23, 59, 59, 0)))
    } else if let Ok(at) = found.parse::<jiff::Timestamp>() {
        Some(at)
    } else {
        civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", found).ok().and_then(local)
    };
    match at {
        Some(at) if (0..4_102_444_800).contains(&at.as_second()) => Ok(Instant::from_timestamp(at)),
        Some(_) => Err(wrong("expires_at", found, "between 1970 and 2100")),
        None => Err(wrong("expires_at", found, FORM)),
    }
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
            ("2030-02-31", Err("is not YYYY-MM-DD")),
            ("31/01/2030", Err("is not YYYY-MM-DD")),
            ("tomorrow", Err("is not YYYY-MM-DD")),
            ("9999-01-01", Err("between 1970 and 2100")),
        ];
        for (found, expected) in rows {
            match (instant(found, &zone), expected) {
                (Ok(at), Ok(expected)) => {
                    assert_eq!(at.0, expected.parse::<jiff::Timestamp>().unwrap().as_microsecond())
                }
                (Err(why), Err(expected)) => assert!(why.contains(expected), "{why}"),
                (got, _) => panic!("{found}: {got:?}"),
            }
        }
    }

    #[test]
    fn phone_numbers_are_digits_however_they_are_written() {
        let rows = [
            ("+254 712-345.678", Some("254712345678")),
            ("(0712) 345678", Some("0712345678")),
            ("", None),
            ("071x", None),
        ];
        for (found, expected) in rows {
            assert_eq!(phone(found).ok().as_deref(), expected, "{found}");
        }
    }
}
