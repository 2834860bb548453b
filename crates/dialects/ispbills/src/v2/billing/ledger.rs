//! The books: accounts with balances, entries with their lines. They are read only; use cases write them.

use axum::extract::State;
use domain::{Money, Scope};
use doors::{Operation, form::Query, wire::utc_seconds};
use serde::Serialize;
use serde_json::Number;
use service::{
    App,
    billing::ledger::{self, ACCOUNT_KINDS, Filter},
};
use utoipa::ToSchema;

use crate::envelope::{Caller, Failure, Listing, Page};

#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
pub struct AccountRow {
    /// `wallet:customer:7`, `cash:mpesa`, `revenue`.
    account: String,
    /// Debits less credits: what a receivable is owed is positive, what a wallet holds is negative.
    #[schema(value_type = f64)]
    balance: Number,
    currency: String,
}

doors::form! {
    AccountFilter {
        kind: optional Word(ACCOUNT_KINDS), "Accounts of this kind.";
    }
}

pub const ACCOUNTS: Operation = Operation::new("Ledger", "List accounts with their balances", Scope::LedgerRead)
    .query::<AccountFilter>()
    .lists::<AccountRow>();

pub async fn accounts(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(AccountFilter { kind }): Query<AccountFilter>,
) -> Result<Listing<AccountRow>, Failure> {
    let (found, total) = ledger::accounts(&app, &caller.actor, kind.value(), page.offset(), page.limit()).await?;
    let row = |(account, balance): (String, Money)| AccountRow {
        account,
        balance: caller.amount(balance),
        currency: caller.tenant.currency.code.clone(),
    };
    Ok(page.of(found.into_iter().map(row).collect(), total))
}

#[derive(Serialize, ToSchema)]
#[schema(as = LedgerLine)]
pub struct Line {
    account: String,
    #[schema(value_type = f64)]
    debit: Number,
    #[schema(value_type = f64)]
    credit: Number,
}

#[derive(Serialize, ToSchema)]
#[schema(as = LedgerEntry)]
pub struct EntryRow {
    id: i64,
    at: String,
    /// recharge, top_up, refund and the like.
    kind: String,
    /// The row it belongs to: `period:12`, `payment:7`.
    reference: Option<String>,
    reason: Option<String>,
    /// Who caused it: `staff:3`, `api:12`, `system`.
    actor: String,
    /// Debits and credits are equal.
    lines: Vec<Line>,
}

doors::form! {
    EntryFilter {
        account: optional Text(1, 100), "Entries with a line on this account.";
        from: optional AnyMoment, "At or after.";
        to: optional AnyMoment, "Before.";
    }
}

pub const ENTRIES: Operation = Operation::new("Ledger", "List entries with their lines", Scope::LedgerRead)
    .about("The newest first.")
    .query::<EntryFilter>()
    .lists::<EntryRow>();

pub async fn entries(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(asked): Query<EntryFilter>,
) -> Result<Listing<EntryRow>, Failure> {
    let EntryFilter { account, from, to } = asked;
    let filter = Filter { account: account.value(), from: from.value(), until: to.value() };
    let (found, total) = ledger::entries(&app, &caller.actor, filter, page.offset(), page.limit()).await?;
    let line = |posting: ledger::Posting| Line {
        account: posting.account,
        debit: caller.amount(Money(posting.amount.0.max(0))),
        credit: caller.amount(Money(posting.amount.0.saturating_neg().max(0))),
    };
    let row = |(entry, lines): (ledger::LedgerEntry, Vec<ledger::Posting>)| EntryRow {
        id: entry.id,
        at: utc_seconds(entry.at),
        kind: entry.kind,
        reference: entry.reference,
        reason: entry.reason,
        actor: entry.actor,
        lines: lines.into_iter().map(line).collect(),
    };
    Ok(page.of(found.into_iter().map(row).collect(), total))
}
