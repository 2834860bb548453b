//! The books as they are read: accounts with their balances, entries with their lines.

use domain::Money;
use store::billing::ledger;

pub use store::billing::ledger::{ACCOUNT_KINDS, Filter, LedgerEntry, Posting};

use crate::{Actor, App, Error};

/// Codes and balances (debits less credits) of the accounts of a kind, and how many there are in all.
pub async fn accounts(
    app: &App,
    actor: &Actor,
    kind: Option<&'static str>,
    offset: i64,
    limit: i64,
) -> Result<(Vec<(String, Money)>, i64), Error> {
    actor.sees_all()?;
    let isp = actor.isp;
    Ok(app.db.read(async move |tx| ledger::accounts(tx, isp, kind, offset, limit).await).await?)
}

/// Entries with their lines, the newest first, and how many there are in all.
pub async fn entries(
    app: &App,
    actor: &Actor,
    filter: Filter,
    offset: i64,
    limit: i64,
) -> Result<(Vec<(LedgerEntry, Vec<Posting>)>, i64), Error> {
    actor.sees_all()?;
    let isp = actor.isp;
    let read = app.db.read(async move |tx| ledger::entries(tx, isp, &filter, offset, limit).await);
    let (entries, mut lines, total) = read.await?;
    let with_lines = |entry: LedgerEntry| {
        let own = lines.extract_if(.., |line| line.entry == entry.id).collect();
        (entry, own)
    };
    Ok((entries.into_iter().map(with_lines).collect(), total))
}
