//! The dashboards: figures of the business, figures of the network. Today and this month are the provider's.

use axum::extract::State;
use domain::Scope;
use doors::Operation;
use serde::Serialize;
use serde_json::Number;
use service::{
    App,
    reports::dashboard::{self, Business, Network, People},
};
use utoipa::ToSchema;

use crate::envelope::{Answer, Caller, Reply};

#[derive(Serialize, ToSchema)]
#[schema(as = CustomerFigures)]
pub struct Customers {
    total: i64,
    active: i64,
    suspended: i64,
    disabled: i64,
    expired: i64,
    inactive: i64,
    online: i64,
}

fn customers(people: People) -> Customers {
    let People { all, active, expired, suspended, disabled, inactive, online } = people;
    Customers { total: all, active, suspended, disabled, expired, inactive, online }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Dashboard)]
pub struct Row {
    customers: Customers,
    new_customers_today: i64,
    new_customers_this_month: i64,
    /// Whose validity ends before this day does.
    will_be_suspended_today: i64,
    currency: String,
    #[schema(value_type = f64)]
    billed_today: Number,
    #[schema(value_type = f64)]
    billed_this_month: Number,
    #[schema(value_type = f64)]
    paid_today: Number,
    #[schema(value_type = f64)]
    paid_this_month: Number,
    /// Bills that are not paid.
    due_bills: i64,
    #[schema(value_type = f64)]
    due: Number,
    /// Of it, what is to be paid by the end of this day.
    #[schema(value_type = f64)]
    due_today: Number,
    sms_sent_today: i64,
}

pub const BUSINESS: Operation = Operation::new("Dashboard", "Dashboard summary", Scope::DashboardRead).answers::<Row>();

pub async fn business(State(app): State<App>, caller: Caller) -> Answer<Row> {
    let figures = dashboard::business(&app, &caller.actor).await?;
    let Business {
        people,
        new_today,
        new_this_month,
        ending_today,
        billed_today,
        billed_this_month,
        paid_today,
        paid_this_month,
        open_bills,
        due,
        due_today,
        sms_today,
    } = figures;
    Ok(Reply::data(Row {
        customers: customers(people),
        new_customers_today: new_today,
        new_customers_this_month: new_this_month,
        will_be_suspended_today: ending_today,
        currency: caller.tenant.currency.code.clone(),
        billed_today: caller.amount(billed_today),
        billed_this_month: caller.amount(billed_this_month),
        paid_today: caller.amount(paid_today),
        paid_this_month: caller.amount(paid_this_month),
        due_bills: open_bills,
        due: caller.amount(due),
        due_today: caller.amount(due_today),
        sms_sent_today: sms_today,
    }))
}

#[derive(Serialize, ToSchema)]
#[schema(as = Reach)]
pub struct Reach {
    total: i64,
    offline: i64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TopUser)]
pub struct TopUser {
    customer_id: i64,
    customer: String,
    username: String,
    upload_bytes: u64,
    download_bytes: u64,
    total_bytes: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = NocDashboard)]
pub struct NocRow {
    customers: Customers,
    /// `offline`: have reported before, and not in the last fifteen minutes.
    routers: Reach,
    olts: Reach,
    onus: Reach,
    devices: Reach,
    /// Who moved most bytes today.
    top_users: Vec<TopUser>,
}

pub const NOC: Operation = Operation::new("Dashboard", "NOC dashboard", Scope::NocRead).answers::<NocRow>();

pub async fn noc(State(app): State<App>, caller: Caller) -> Answer<NocRow> {
    let Network {
        people,
        routers,
        routers_offline,
        olts,
        olts_offline,
        onus,
        onus_offline,
        devices,
        devices_offline,
        top_users,
    } = dashboard::network(&app, &caller.actor).await?;
    let top = |user: dashboard::TopUser| TopUser {
        customer_id: user.customer,
        customer: user.name,
        username: user.username,
        upload_bytes: user.up,
        download_bytes: user.down,
        total_bytes: user.up.saturating_add(user.down),
    };
    Ok(Reply::data(NocRow {
        customers: customers(people),
        routers: Reach { total: routers, offline: routers_offline },
        olts: Reach { total: olts, offline: olts_offline },
        onus: Reach { total: onus, offline: onus_offline },
        devices: Reach { total: devices, offline: devices_offline },
        top_users: top_users.into_iter().map(top).collect(),
    }))
}
