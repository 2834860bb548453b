//! A call from outside is one change: what is refused in its last part leaves nothing behind. Every call that tests make
//! through a door is counted; every example that writes is made to fail where it would have been committed.

use axum::http::Extensions;
use doors::shell::Changes;
use store::db::{FromValue, Row, Value as Cell};

use crate::app::TestApp;

/// Panics where a call has committed more than one change.
pub fn one_change(answer: &Extensions, method: &str, path: &str) {
    if let Some(Changes(changes)) = answer.get::<Changes>() {
        assert!(*changes <= 1, "{method} {path} was made in {changes} changes: what if the last is refused?");
    }
}

/// What is asked is logged and counted, whatever is answered; ids are drawn ahead; what was answered is kept; tokens say
/// when they were used; the network goes on following what earlier calls have ordered.
const ASKED: [&str; 9] =
    ["api_request", "api_usage", "api_client", "counter", "idempotency", "token", "schedule", "job", "session"];

/// Every row of every table that a call may change, on SQLite.
pub async fn everything(app: &TestApp) -> Vec<String> {
    let tables = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name";
    let mut said = Vec::new();
    for row in rows(app, tables.into()).await {
        let table = String::from_value(&row.get::<Cell>(0).expect("a name")).expect("text");
        if ASKED.contains(&table.as_str()) {
            continue;
        }
        let told = if table == "event" { " where kind not like 'coa.%' and kind not like 'session.%'" } else { "" };
        for row in rows(app, format!("select * from {table}{told}")).await {
            let cells: Vec<Cell> = (0..row.len()).map(|at| row.get(at).expect("a value")).collect();
            said.push(format!("{table} {cells:?}"));
        }
    }
    said.sort();
    said
}

async fn rows(app: &TestApp, text: String) -> Vec<Row> {
    let read = app.app.db.read(async move |tx| tx.rows(text.clone(), &[]).await);
    read.await.unwrap_or_else(|error: store::db::Error| panic!("{error}"))
}
