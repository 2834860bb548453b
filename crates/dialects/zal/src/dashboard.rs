//! The dashboard's figures (docs/readings.md 5.1), each read from what there is.

use axum::extract::State;
use doors::Asked;
use serde::Serialize;
use serde_json::Number;
use service::{App, reports::office};

use crate::envelope::{Answer, Caller, PlaceOf, Reply};

#[derive(Serialize, Debug)]
pub struct SubscriberStats {
    total: i64,
    active: i64,
    expired: i64,
    pending: i64,
    /// Suspended ones among them (docs/readings.md 7.0).
    disabled: i64,
    inactive: i64,
    online_subscribers: i64,
    expiring_today: i64,
    expiring_this_week: i64,
}

/// Subscribers by what they are.
pub async fn subscribers(State(app): State<App>, caller: Caller, Asked(mut asked): Asked) -> Answer<SubscriberStats> {
    let place = PlaceOf::read(&mut asked);
    asked.finish()?;
    let actor = caller.acting(&app, place).await?;
    let stats = office::subscribers(&app, &actor).await?;
    let people = stats.people;
    Ok(Reply::data(SubscriberStats {
        total: people.all,
        active: people.active,
        expired: people.expired,
        pending: stats.pending,
        disabled: people.suspended + people.disabled,
        inactive: people.inactive - stats.pending,
        online_subscribers: people.online,
        expiring_today: stats.ending_today,
        expiring_this_week: stats.ending_this_week,
    }))
}

#[derive(Serialize, Debug)]
pub struct AccountingStats {
    today_collection: Number,
    this_month_collection: Number,
    total_outstanding: Number,
    total_invoices: i64,
    paid_invoices: i64,
    /// Wholly or in part.
    unpaid_invoices: i64,
    /// Commissions on recharge cards, the only expense there is; null where a branch asks: they are the whole ISP's.
    this_month_expenses: Option<Number>,
    /// Without tax, less credit notes and expenses.
    net_revenue: Number,
}

/// What was taken, is owed and earned.
pub async fn accounting(State(app): State<App>, caller: Caller, Asked(mut asked): Asked) -> Answer<AccountingStats> {
    let place = PlaceOf::read(&mut asked);
    asked.finish()?;
    let actor = caller.acting(&app, place).await?;
    let figures = office::figures(&app, &actor).await?;
    Ok(Reply::data(AccountingStats {
        today_collection: caller.amount(figures.paid_today),
        this_month_collection: caller.amount(figures.paid_this_month),
        total_outstanding: caller.amount(figures.outstanding),
        total_invoices: figures.invoices,
        paid_invoices: figures.paid,
        unpaid_invoices: figures.unpaid,
        this_month_expenses: figures.expenses.map(|amount| caller.amount(amount)),
        net_revenue: caller.amount(figures.net),
    }))
}
