//! The ledger: balanced entries, and running balances where one owner's money is spent.

use domain::{Instant, IspId, Money, PeriodId, billing::ledger::Account};

use crate::{
    db::{Error, Row, Tx, Value},
    kernel::{conditions::among, record::records},
    params, sql,
};

/// What happened to money, in lines that balance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LedgerEntry {
    pub id: i64,
    pub at: Instant,
    pub kind: String,
    /// The row it belongs to: `period:12`, `payment:7`.
    pub reference: Option<String>,
    pub reason: Option<String>,
    pub actor: String,
}

/// A line of an entry: debits are positive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Posting {
    pub entry: i64,
    pub account: String,
    pub amount: Money,
}

/// What an entry is for.
#[derive(Clone, Debug)]
pub struct Heading<'a> {
    /// recharge, top_up, refund …
    pub kind: &'a str,
    /// The row it belongs to: `period:12`, `payment:7`.
    pub reference: Option<String>,
    pub reason: Option<&'a str>,
    pub actor: &'a str,
    pub at: Instant,
}

/// Writes an entry's lines and moves the balances they touch, which it tells as they are now, debits less credits. `lines`
/// balance: the caller has made sure.
pub async fn post(
    tx: &Tx,
    isp: IspId,
    id: i64,
    heading: &Heading<'_>,
    lines: &[(Account, Money)],
) -> Result<Vec<Money>, Error> {
    tx.run(
        sql!("insert into ledger_entry (isp_id, id, at, kind, ref, reason, actor) values ($1, $2, $3, $4, $5, $6, $7)"),
        &params![isp, id, heading.at, heading.kind, &heading.reference, heading.reason, heading.actor],
    )
    .await?;
    let rows = lines.iter().enumerate().map(|(line, (account, amount))| {
        params![isp, id, line, account.code(), *amount].into_iter().collect::<Vec<Value>>()
    });
    tx.insert_many("insert into posting (isp_id, entry_id, line, account, amount)", "", rows.collect()).await?;
    let mut balances = Vec::new();
    for (account, amount) in lines.iter().filter(|(account, _)| account.keeps_balance()) {
        let row = tx
            .row(
                sql!(
                    "insert into account (isp_id, code, balance) values ($1, $2, $3) \
                     on conflict (isp_id, code) do update set balance = account.balance + excluded.balance \
                     returning balance"
                ),
                &params![isp, account.code(), *amount],
            )
            .await?;
        if let Some(row) = row {
            balances.push(row.get(0)?);
        }
    }
    Ok(balances)
}

/// What the sale of a period posted, by account; empty where nothing was.
pub async fn of_sale(tx: &Tx, isp: IspId, period: PeriodId) -> Result<Vec<(String, Money)>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select p.account, p.amount from ledger_entry e join posting p on p.isp_id = e.isp_id \
                 and p.entry_id = e.id where e.isp_id = $1 and e.ref = $2 \
                 and e.kind in ('recharge', 'activation', 'migration', 'payment') order by p.entry_id, p.line"
            ),
            &params![isp, format!("period:{period}")],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// What an account holds: credits less debits, so that money held for somebody is positive.
pub async fn held(tx: &Tx, isp: IspId, account: &Account) -> Result<Money, Error> {
    let row = tx
        .row(sql!("select -balance from account where isp_id = $1 and code = $2"), &params![isp, account.code()])
        .await?;
    row.map_or(Ok(Money::ZERO), |row| row.get(0))
}

/// A posting with the entry it belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    pub entry_id: i64,
    pub at: Instant,
    pub kind: String,
    pub reference: Option<String>,
    pub reason: Option<String>,
    pub actor: String,
    /// Credits are positive: what came in.
    pub amount: Money,
}

/// What moved an account, the newest first, and how many postings there are.
pub async fn of_account(
    tx: &Tx,
    isp: IspId,
    account: &Account,
    offset: i64,
    limit: i64,
) -> Result<(Vec<Line>, i64), Error> {
    let code = account.code();
    let rows = tx
        .rows(
            sql!(
                "select e.id, e.at, e.kind, e.ref, e.reason, e.actor, -t.amount from posting t \
                 join ledger_entry e on e.isp_id = t.isp_id and e.id = t.entry_id \
                 where t.isp_id = $1 and t.account = $2 order by t.entry_id desc, t.line limit $3 offset $4"
            ),
            &params![isp, &code, limit, offset],
        )
        .await?;
    let mut lines = Vec::with_capacity(rows.len());
    for row in &rows {
        lines.push(Line {
            entry_id: row.get(0)?,
            at: row.get(1)?,
            kind: row.get(2)?,
            reference: row.get(3)?,
            reason: row.get(4)?,
            actor: row.get(5)?,
            amount: row.get(6)?,
        });
    }
    let total =
        tx.row(sql!("select count(*) from posting where isp_id = $1 and account = $2"), &params![isp, &code]).await?;
    Ok((lines, total.map_or(Ok(0), |row| row.get(0))?))
}

/// The sum of every posting of an Isp, and how many entries do not balance: both are zero.
pub async fn proof(tx: &Tx, isp: IspId) -> Result<(i64, i64), Error> {
    let sum = tx
        .row(sql!("select cast(coalesce(sum(amount), 0) as bigint) from posting where isp_id = $1"), &params![isp])
        .await?;
    let unbalanced = tx
        .row(
            sql!(
                "select count(*) from (select entry_id from posting where isp_id = $1 \
                 group by entry_id having sum(amount) <> 0) as unbalanced"
            ),
            &params![isp],
        )
        .await?;
    let read = |row: Option<Row>| row.map_or(Ok(0), |row| row.get(0));
    Ok((read(sum)?, read(unbalanced)?))
}

/// Totals per account, for tests and reports: debits less credits.
pub async fn totals(tx: &Tx, isp: IspId) -> Result<Vec<(String, i64)>, Error> {
    let rows = tx
        .rows(
            sql!(
                "select account, cast(sum(amount) as bigint) from posting where isp_id = $1 \
                 group by account order by account"
            ),
            &params![isp],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Which entries; all given conditions hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    /// Entries with a line on this account.
    pub account: Option<String>,
    pub from: Option<Instant>,
    /// Not included.
    pub until: Option<Instant>,
}

/// A page of the entries that match, the newest first, their lines, and how many entries there are in all.
pub async fn entries(
    tx: &Tx,
    isp: IspId,
    filter: &Filter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<LedgerEntry>, Vec<Posting>, i64), Error> {
    let mut params = vec![Value::from(isp)];
    let mut text = String::from("t.isp_id = $1");
    let conditions = [
        (
            "t.id in (select entry_id from posting where isp_id = $1 and account = $?)",
            filter.account.as_deref().map(Value::from),
        ),
        ("t.at >= $?", filter.from.map(Value::from)),
        ("t.at < $?", filter.until.map(Value::from)),
    ];
    for (condition, value) in conditions {
        if let Some(value) = value {
            params.push(value);
            text += " and ";
            text += &condition.replace("$?", &format!("${}", params.len()));
        }
    }
    let total = tx.row(format!("select count(*) from ledger_entry t where {text}"), &params).await?;
    let total = total.map_or(Ok(0), |row| row.get(0))?;
    params.extend([Value::from(limit), Value::from(offset)]);
    let page = format!(
        "select t.id, t.at, t.kind, t.ref, t.reason, t.actor from ledger_entry t where {text} \
         order by t.at desc, t.id desc limit ${} offset ${}",
        params.len() - 1,
        params.len()
    );
    let entry = |row: &Row| {
        Ok(LedgerEntry {
            id: row.get(0)?,
            at: row.get(1)?,
            kind: row.get(2)?,
            reference: row.get(3)?,
            reason: row.get(4)?,
            actor: row.get(5)?,
        })
    };
    let entries = records(tx.rows(page, &params).await?, entry)?;
    if entries.is_empty() {
        return Ok((entries, Vec::new(), total));
    }
    let (list, params) = among(isp, entries.iter().map(|entry| entry.id));
    let text = format!(
        "select entry_id, account, amount from posting where isp_id = $1 and entry_id in ({list}) \
         order by entry_id, line"
    );
    let lines = tx.rows(text, &params).await?;
    let line = |row: &Row| Ok(Posting { entry: row.get(0)?, account: row.get(1)?, amount: row.get(2)? });
    Ok((entries, records(lines, line)?, total))
}

/// What kinds of accounts there are, as their codes begin.
pub const ACCOUNT_KINDS: &[&str] =
    &["wallet:customer", "receivable:customer", "wallet:staff", "float:staff", "cash", "revenue", "tax", "commission"];

/// Balances that are kept, and those of the Isp's own accounts, which are summed from their postings.
const BALANCES: &str = "(select code, balance from account where isp_id = $1 \
     union all \
     select account, cast(sum(amount) as bigint) from posting where isp_id = $1 \
     and (account in ('revenue', 'tax', 'commission') or account like 'cash:%') group by account) as t";

/// A page of the accounts of a kind, or of all, by their code: debits less credits; and how many there are in all.
pub async fn accounts(
    tx: &Tx,
    isp: IspId,
    kind: Option<&'static str>,
    offset: i64,
    limit: i64,
) -> Result<(Vec<(String, Money)>, i64), Error> {
    let mut params = vec![Value::from(isp)];
    let mut condition = "";
    if let Some(kind) = kind {
        params.extend([Value::from(kind), Value::from(format!("{kind}:%"))]);
        condition = " where (t.code = $2 or t.code like $3)";
    }
    let total = tx.row(format!("select count(*) from {BALANCES}{condition}"), &params).await?;
    let total = total.map_or(Ok(0), |row| row.get(0))?;
    params.extend([Value::from(limit), Value::from(offset)]);
    let page = format!(
        "select t.code, t.balance from {BALANCES}{condition} order by t.code limit ${} offset ${}",
        params.len() - 1,
        params.len()
    );
    let rows = tx.rows(page, &params).await?;
    Ok((records(rows, |row| Ok((row.get(0)?, row.get(1)?)))?, total))
}
