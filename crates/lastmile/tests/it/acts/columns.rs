//! How each column of the table is read, after an act: what a webhook that wants everything is told, what the ledger got,
//! what payments paid, what receipts name, which papers were written, what each dialect and RADIUS say of the line.

use std::collections::{HashMap, HashSet};

use domain::{Instant, kernel::clock::DAY};
use doors::wire::{local_datetime, utc_seconds};
use serde_json::Value;
use store::db::{Row, Value as Cell};

use super::Scene;
use crate::{
    nas::login,
    town::{ALL, Alternet, Jaze, State, Town, V1, V2, WORDS, Zal},
};

/// The columns, in the order in which they are told.
pub const COLUMNS: [&str; 9] =
    ["answer", "facts", "ledger", "allocations", "receipts", "papers", "line", "usage", "radius"];

/// What an act left behind, column by column.
pub type Columns = [String; COLUMNS.len()];

/// The tables in which an act leaves its rows, and what tells a row of them from another.
const WRITTEN: [(&str, &str); 6] = [
    ("ledger_entry", "id"),
    ("invoice", "id"),
    ("payment", "id"),
    ("period", "id"),
    ("credit_note", "number"),
    ("delivery", "id"),
];

/// What there was before the act.
pub struct Before {
    known: HashMap<&'static str, HashSet<i64>>,
    /// How invoices stood.
    stood: HashMap<i64, String>,
    pub at: Instant,
}

async fn rows(town: &Town<'_>, text: String) -> Vec<Row> {
    let read = town.app.app.db.read(async move |tx| tx.rows(text.clone(), &[]).await);
    read.await.unwrap_or_else(|error: store::db::Error| panic!("{error}"))
}

fn number(row: &Row, at: usize) -> i64 {
    row.get(at).expect("a number")
}

fn text(row: &Row, at: usize) -> String {
    row.get::<Option<String>>(at).expect("text").unwrap_or_default()
}

/// Webhooks are told what happened so far.
pub async fn fan_out(town: &Town<'_>) {
    service::webhooks::queue::fan_out(&town.app.app).await.expect("webhooks");
}

impl Before {
    pub async fn now(town: &Town<'_>) -> Before {
        fan_out(town).await;
        let mut known = HashMap::new();
        for (table, key) in WRITTEN {
            let found = rows(town, format!("select {key} from {table}")).await;
            known.insert(table, found.iter().map(|row| number(row, 0)).collect());
        }
        let stood = rows(town, "select id, status from invoice".into()).await;
        let stood = stood.iter().map(|row| (number(row, 0), text(row, 1))).collect();
        Before { known, stood, at: town.app.app.clock.now() }
    }

    fn is_new(&self, table: &str, id: i64) -> bool {
        !self.known[table].contains(&id)
    }
}

/// Reads them all. The login comes last: it leaves traces itself.
pub async fn read(town: &Town<'_>, before: &Before, scene: &Scene, answer: String) -> Columns {
    fan_out(town).await;
    let papers = Papers::read(town, before, scene).await;
    let end = papers.end;
    [
        answer,
        facts(town, before, scene).await,
        ledger(town, before, scene).await,
        allocations(town, before, scene, &papers).await,
        receipts(town, scene, &papers).await,
        papers.told.clone(),
        line(town, before, scene, end).await,
        usage(town, scene).await,
        radius(town, scene, end).await,
    ]
}

/// The names under which webhooks are told of this customer, each as often as it is told.
async fn facts(town: &Town<'_>, before: &Before, scene: &Scene) -> String {
    let mut names = Vec::new();
    for row in rows(town, "select id, event, body from delivery order by position".into()).await {
        let body: Value = serde_json::from_str(&text(&row, 2)).expect("JSON");
        if before.is_new("delivery", number(&row, 0)) && body["data"]["customer_id"] == scene.id {
            names.push(text(&row, 1));
        }
    }
    names.sort();
    names.join(" ")
}

/// `1500.00`.
pub fn money(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", minor.abs() / 100, minor.abs() % 100)
}

/// An account without whose it is: the method of money received is the door's own.
fn account(code: &str, scene: &Scene) -> String {
    let own = format!(":customer:{}", scene.id);
    let words: Vec<&str> = code.split(':').collect();
    match words.as_slice() {
        ["cash", _] => "cash".into(),
        [what, "staff", _] => format!("{what}:staff"),
        _ => code.replace(&own, ""),
    }
}

/// The entries of this customer: kind, accounts, amounts; debits are positive.
async fn ledger(town: &Town<'_>, before: &Before, scene: &Scene) -> String {
    let others = others(town, scene).await;
    let found = rows(
        town,
        "select e.id, e.kind, e.ref, p.account, p.amount from ledger_entry e \
         join posting p on p.isp_id = e.isp_id and p.entry_id = e.id order by e.id, p.line"
            .into(),
    );
    let mut entries: Vec<(i64, String, Vec<String>)> = Vec::new();
    for row in found.await {
        let (id, reference) = (number(&row, 0), text(&row, 2));
        if !before.is_new("ledger_entry", id) || others.contains(&reference) {
            continue;
        }
        let line = format!("{} {}", account(&text(&row, 3), scene), money(number(&row, 4)));
        match entries.last_mut().filter(|(last, ..)| *last == id) {
            Some((_, _, lines)) => lines.push(line),
            None => entries.push((id, text(&row, 1), vec![line])),
        }
    }
    let mut told: Vec<String> = Vec::new();
    for (_, kind, mut lines) in entries {
        lines.sort();
        told.push(format!("{kind}: {}", lines.join(", ")));
    }
    told.join("; ")
}

/// What entries name that belongs to other customers.
async fn others(town: &Town<'_>, scene: &Scene) -> HashSet<String> {
    let mut names = HashSet::new();
    for table in ["period", "invoice", "payment"] {
        let found = rows(town, format!("select id from {table} where customer_id <> {}", scene.id)).await;
        names.extend(found.iter().map(|row| format!("{table}:{}", number(row, 0))));
    }
    names
}

/// What was written of the customer, and the names under which the columns speak of it.
struct Papers {
    told: String,
    /// Invoices, those from before as well.
    invoices: HashMap<i64, String>,
    /// New payments.
    payments: Vec<(i64, String)>,
    end: Option<Instant>,
}

impl Papers {
    async fn read(town: &Town<'_>, before: &Before, scene: &Scene) -> Papers {
        let id = scene.id;
        let (mut told, mut invoices, mut payments) = (Vec::new(), HashMap::new(), Vec::new());
        let mut count = [0; 2];
        let found = rows(
            town,
            format!(
                "select id, series, total, paid, status, issued_at, due_at from invoice \
                 where customer_id = {id} order by number"
            ),
        );
        for row in found.await {
            let new = usize::from(before.is_new("invoice", number(&row, 0)));
            count[new] += 1;
            let name = format!("{} {}", ["bill", "invoice"][new], count[new]);
            invoices.insert(number(&row, 0), name.clone());
            let due = (number(&row, 6) - number(&row, 5)) / DAY;
            let [total, paid] = [2, 3].map(|at| money(number(&row, at)));
            match (new, text(&row, 4).as_str()) {
                (1, "paid") => told.push(format!("{name} {total} paid")),
                (1, status) => told.push(format!("{name} {total} {status} {paid} due {due}d")),
                (_, status) if before.stood[&number(&row, 0)] == status => {}
                (_, status) => told.push(format!("{name} {total} {status} {paid}")),
            }
        }
        let found = rows(town, format!("select id, amount, state from payment where customer_id = {id} order by id"));
        for row in found.await.iter().filter(|row| before.is_new("payment", number(row, 0))) {
            let name = format!("payment {}", payments.len() + 1);
            told.push(format!("{name} {}", money(number(row, 1))));
            payments.push((number(row, 0), name));
        }
        let found = rows(
            town,
            format!("select number, invoice_id, total from credit_note where customer_id = {id} order by number"),
        );
        for row in found.await.iter().filter(|row| before.is_new("credit_note", number(row, 0))) {
            told.push(format!("credit {} of {}", money(number(row, 2)), invoices[&number(row, 1)]));
        }
        let found = rows(
            town,
            format!(
                "select e.id, l.name, e.price, e.starts_at, e.ends_at, e.invoice_id from period e \
                 join plan l on l.isp_id = e.isp_id and l.id = e.plan_id where e.customer_id = {id} order by e.ordinal"
            ),
        );
        for row in found.await.iter().filter(|row| before.is_new("period", number(row, 0))) {
            let on = match row.get::<Option<i64>>(5).expect("an invoice") {
                Some(invoice) => invoices.get(&invoice).cloned().unwrap_or_else(|| "no such invoice".into()),
                None => "nothing".into(),
            };
            let [from, to] = [3, 4].map(|at| since(Instant(number(row, at)), before.at));
            told.push(format!("{} {} {from}..{to} on {on}", text(row, 1), money(number(row, 2))));
        }
        let found = rows(
            town,
            format!("select expires_at from service where customer_id = {id} and deleted_at is null order by ordinal"),
        );
        let end = found.await.first().and_then(|row| row.get::<Option<i64>>(0).expect("an end")).map(Instant);
        Papers { told: told.join("; "), invoices, payments, end }
    }
}

/// `20d`, `-1d`, `20d-60s`.
fn since(at: Instant, then: Instant) -> String {
    let seconds = at.seconds_since(then);
    let days = (seconds as f64 / 86_400.0).round() as i64;
    match seconds - days * 86_400 {
        0 => format!("{days}d"),
        rest => format!("{days}d{rest:+}s"),
    }
}

/// What payments paid, whenever they were made.
async fn allocations(town: &Town<'_>, before: &Before, scene: &Scene, papers: &Papers) -> String {
    let found = rows(
        town,
        format!(
            "select a.payment_id, a.invoice_id, a.amount from payment_allocation a \
             join payment p on p.isp_id = a.isp_id and p.id = a.payment_id where p.customer_id = {} \
             order by a.payment_id, a.invoice_id",
            scene.id
        ),
    );
    let mut told = Vec::new();
    for row in found.await {
        if !before.is_new("payment", number(&row, 0)) {
            continue;
        }
        let payment = papers.payments.iter().find(|(id, _)| *id == number(&row, 0)).map_or("?", |(_, name)| name);
        let invoice = papers.invoices.get(&number(&row, 1)).map_or("another's invoice", String::as_str);
        told.push(format!("{payment} to {invoice} {}", money(number(&row, 2))));
    }
    told.join("; ")
}

/// The invoice that a payment's receipt names, where every dialect that has receipts names the same.
async fn receipts(town: &Town<'_>, scene: &Scene, papers: &Papers) -> String {
    let name = |value: &Value| {
        let id = value.as_i64().or_else(|| value.as_str()?.parse().ok());
        id.map_or("none", |id| papers.invoices.get(&id).map_or("another's invoice", String::as_str)).to_string()
    };
    let mut told = Vec::new();
    if papers.payments.is_empty() {
        return String::new();
    }
    let listed = town.ask(V2, ("GET", format!("/api/v2/customers/{}/payments", scene.id), Value::Null)).await.1;
    for (id, payment) in &papers.payments {
        let row = listed["data"].as_array().and_then(|rows| rows.iter().find(|row| row["id"] == *id));
        let v2 = row.map_or("not listed".into(), |row| name(&row["bill_id"]));
        let zal = town.ask(Zal, ("GET", format!("/api/v1/payments/{id}/receipt"), Value::Null)).await.1;
        let jaze = ("GET", format!("/api/v1/get_payment_receipt/{}/{id}", scene.id), Value::Null);
        let jaze = town.ask(Jaze, jaze).await.1;
        let told_by =
            [v2, name(&zal["data"]["invoice"]["id"]), name(&jaze["data"]["Payment"]["invoices"][0]["invoice_id"])];
        match told_by.iter().all(|one| *one == told_by[0]) {
            true => told.push(format!("{payment} for {}", told_by[0])),
            false => told.push(format!("{payment}: v2 {}, Zal {}, Jaze {}", told_by[0], told_by[1], told_by[2])),
        }
    }
    told.join("; ")
}

/// State, package and end as all five dialects have it; what they do not agree on is told one by one.
async fn line(town: &Town<'_>, before: &Before, scene: &Scene, end: Option<Instant>) -> String {
    let mut told = Vec::new();
    for dialect in ALL {
        match town.read(dialect, scene.id).await {
            Some(one) => told.push(one),
            None => told.push(crate::town::Told::gone()),
        }
    }
    if told.iter().all(|one| *one == crate::town::Told::gone()) {
        return "gone".into();
    }
    let words: Vec<&str> = told.iter().map(|one| one.status.as_str()).collect();
    let state = WORDS.iter().find(|(_, row, _)| row.as_slice() == words.as_slice());
    let state = match state {
        Some((State::Is(status), ..)) => status.word().to_string(),
        Some((State::Expired, ..)) => "expired".into(),
        None => words.join("/"),
    };
    let plans: Vec<&str> = told.iter().map(|one| one.plan.as_str()).collect();
    let plan = if plans.iter().all(|plan| *plan == plans[0]) { plans[0].to_string() } else { plans.join("/") };
    let as_said = |dialect| match (end, dialect) {
        (Some(end), V1 | V2) => utc_seconds(end),
        (Some(end), Alternet | Zal | Jaze) => local_datetime(end, &town.zone),
        (None, _) => String::new(),
    };
    let ends: Vec<String> = ALL
        .into_iter()
        .zip(&told)
        .filter(|(dialect, one)| one.until != as_said(*dialect))
        .map(|(dialect, one)| format!("{dialect:?} says {}", one.until))
        .collect();
    match (end, ends.as_slice()) {
        (Some(end), []) => format!("{state} {plan} until {}", since(end, before.at)),
        // Each dialect has its own way to say that there is none.
        (None, _) => format!("{state} {plan}"),
        (Some(end), ends) => format!("{state} {plan} until {}, but {}", since(end, before.at), ends.join(", ")),
    }
}

/// What has been used of the period, as the quota counts it, as it is shown, and as fair use has it.
async fn usage(town: &Town<'_>, scene: &Scene) -> String {
    let (status, alternet) = town.ask(Alternet, ("GET", format!("/api/v1/customers/{}", scene.id), Value::Null)).await;
    if status == 404 {
        return String::new();
    }
    let jaze = town.ask(Jaze, ("GET", format!("/api/v1/get_details/{}", scene.id), Value::Null)).await.1;
    let shown = jaze["data"].as_array().and_then(|parts| {
        let part = parts.iter().find(|part| part["currentBillingCycleUsage"].is_object())?;
        part["currentBillingCycleUsage"]["totalDataUsage"].as_i64()
    });
    let fair = town.ask(V2, ("GET", format!("/api/v2/customers/{}/fup", scene.id), Value::Null)).await.1;
    let fair = fair["data"]["used_bytes"].as_i64().unwrap_or(0);
    let (used, quota) = (&alternet["data"]["usage"]["used_bytes"], &alternet["data"]["usage"]["quota_bytes"]);
    let megabytes = |value: &Value| value.as_i64().map_or("-".into(), |bytes| (bytes / 1_000_000).to_string());
    match (used.as_i64(), shown, quota.as_i64()) {
        (Some(0), Some(0), None) => String::new(),
        (_, shown, _) => format!(
            "{} of {} MB, shown {}, fair use {}",
            megabytes(used),
            megabytes(quota),
            shown.map_or("nothing".into(), |bytes| (bytes / 1_000_000).to_string()),
            fair / 1_000_000
        ),
    }
}

/// RADIUS's answer, without what every answer of this line has.
async fn radius(town: &Town<'_>, scene: &Scene, end: Option<Instant>) -> String {
    let answer = town.app.nas.login(login(&scene.username)).await;
    let left = end.map_or(0, |end| end.seconds_since(town.app.app.clock.now()));
    let told = answer.replace(" Framed-Pool=main", "").replace(&format!(" Session-Timeout={left}"), "");
    told.replace("Access-Accept Mikrotik-Rate-Limit=", "Accept ").replace("Access-Reject Reply-Message=", "Reject: ")
}

/// Every row of every table that an act may write, for what must change nothing.
pub async fn dump(town: &Town<'_>, scene: &Scene) -> Vec<(String, Vec<String>)> {
    let listed = match town.app.app.db.engine() {
        store::db::Engine::Sqlite => {
            "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name"
        }
        store::db::Engine::Postgres => {
            "select table_name::text from information_schema.tables where table_schema = current_schema() \
             and table_type = 'BASE TABLE' order by 1"
        }
    };
    let mut tables = Vec::new();
    for row in rows(town, listed.into()).await {
        let table = text(&row, 0);
        // What is asked is logged and counted, whatever is answered; ids are drawn ahead.
        const ASKED: [&str; 7] =
            ["api_request", "api_usage", "api_client", "counter", "idempotency", "token", "schedule"];
        // What logins of earlier scenes leave behind is written when the desk gets to it.
        let of_logins = match table.as_str() {
            "service" => format!(" where customer_id = {}", scene.id),
            "event" => " where kind <> 'service.first_used'".into(),
            "login_reject" => continue,
            name if ASKED.contains(&name) => continue,
            _ => String::new(),
        };
        let mut said: Vec<String> = Vec::new();
        for row in rows(town, format!("select * from {table}{of_logins}")).await {
            let cells: Vec<Cell> = (0..row.len()).map(|at| row.get(at).expect("a value")).collect();
            said.push(format!("{cells:?}"));
        }
        said.sort();
        tables.push((table, said));
    }
    tables
}
