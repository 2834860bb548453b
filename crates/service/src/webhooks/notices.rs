//! What webhooks are told: the document's six events and the further ones that the core can say truly (docs/readings.md
//! 2.9), made from its events and the rows they name. Status words are those of the document.

use std::collections::HashMap;

use domain::{BranchId, CustomerId, Instant, Money, Status, kernel::event::EventKind};
use serde_json::{Map, Value as Json, json};
use store::{
    billing::invoice::{Invoice, Payment},
    db::Tx,
    helpdesk::complaint::{self, Complaint},
    kernel::event::Event,
    people::{
        customer::{self, Customer},
        service::Service,
    },
    webhooks::webhook,
};

use crate::{Error, kernel::app::Tenant};

macro_rules! names {
    ($($name:literal, $when:literal;)*) => {
        /// Every name that can be subscribed to.
        pub const NAMES: &[&str] = &[$($name),*];
        /// When each is sent.
        pub const INDEX: &[(&str, &str)] = &[$(($name, $when)),*];
    };
}

names! {
    "customer.created", "A new customer is registered.";
    "customer.suspended", "A customer's connection is suspended or disabled by staff, or its validity has ended.";
    "customer.activated", "A customer's connection is activated again, by staff or by a payment.";
    "payment.received", "A payment is recorded or verified.";
    "bill.generated", "A new bill is generated.";
    "complaint.created", "A new support complaint is submitted.";
    "customer.updated", "A customer's name or contact has changed.";
    "customer.deleted", "A customer is deleted.";
    "invoice.generated", "An invoice is issued: a bill's printable form, with the bill's id.";
    "invoice.paid", "An invoice is paid in full.";
    "connection.activated", "A connection is made or activated again.";
    "connection.suspended", "A connection is suspended, disabled or expired.";
    "connection.terminated", "A connection is ended for good.";
    "package.assigned", "A connection gets its first package.";
    "package.changed", "A connection gets another package.";
    "package.expired", "The validity of a connection's package has ended.";
}

/// Something to be told under one name.
#[derive(Clone, Debug)]
pub struct Notice {
    pub seq: i64,
    pub at: Instant,
    pub name: &'static str,
    pub data: Json,
    /// Of the customer it is about.
    pub branch: Option<BranchId>,
}

/// What the events say under the names that somebody wants, in order.
pub async fn of(tx: &Tx, tenant: &Tenant, events: &[Event], wanted: &[String]) -> Result<Vec<Notice>, Error> {
    let mut told: Vec<Said<'_>> = Vec::new();
    for event in events {
        let body: Json = serde_json::from_str(&event.body).unwrap_or_default();
        let names: Vec<&'static str> =
            names_of(event.kind, &body).into_iter().filter(|name| wanted.iter().any(|w| w == name)).collect();
        if !names.is_empty() {
            told.push(Said { event, body, names });
        }
    }
    if told.is_empty() {
        return Ok(Vec::new());
    }
    let rows = Rows::read(tx, tenant, &told).await?;
    let notices = told.iter().flat_map(|said| said.names.iter().filter_map(|name| rows.notice(tenant, said, name)));
    Ok(notices.collect())
}

struct Said<'a> {
    event: &'a Event,
    body: Json,
    names: Vec<&'static str>,
}

/// The names an event is told under. What the core adds later has none until it gets one here.
fn names_of(kind: EventKind, body: &Json) -> Vec<&'static str> {
    match kind {
        EventKind::CustomerCreated => vec!["customer.created"],
        EventKind::CustomerUpdated => vec!["customer.updated"],
        EventKind::CustomerDeleted => vec!["customer.deleted"],
        EventKind::ServiceActivated => vec!["customer.activated", "connection.activated"],
        EventKind::ServiceSuspended | EventKind::ServiceDisabled => vec!["customer.suspended", "connection.suspended"],
        EventKind::ServiceDeactivated => match body["status"].as_str().and_then(Status::from_word) {
            Some(Status::Inactive) => vec!["customer.suspended", "connection.suspended"],
            Some(Status::Terminated) => vec!["customer.suspended", "connection.terminated"],
            _ => Vec::new(),
        },
        EventKind::ServiceExpired => match body["status"].as_str().and_then(Status::from_word) {
            // It was off already: only its package ended.
            Some(status) if status != Status::Active => vec!["package.expired"],
            _ => vec!["package.expired", "customer.suspended", "connection.suspended"],
        },
        EventKind::ServiceRecharged => {
            let mut names = match body["before"].as_str() {
                Some("active") => Vec::new(),
                Some("new") => return vec!["connection.activated", "package.assigned"],
                Some(_) => vec!["customer.activated", "connection.activated"],
                // Written before this was said.
                None => Vec::new(),
            };
            if body["plan_before"].is_i64() {
                names.push("package.changed");
            }
            names
        }
        EventKind::ServiceChanged if body["deleted"] == true => vec!["connection.terminated"],
        EventKind::ServiceChanged if body["plan_before"].is_i64() => vec!["package.changed"],
        EventKind::PaymentReceived => vec!["payment.received"],
        EventKind::InvoiceIssued if body["paid"] == true => vec!["bill.generated", "invoice.generated", "invoice.paid"],
        EventKind::InvoiceIssued => vec!["bill.generated", "invoice.generated"],
        EventKind::InvoicePaid => vec!["invoice.paid"],
        EventKind::ComplaintCreated => vec!["complaint.created"],
        _ => Vec::new(),
    }
}

/// Rows that the events of a batch name: a few queries, however many events.
struct Rows {
    customers: HashMap<i64, (Customer, Option<Service>)>,
    services: HashMap<i64, Service>,
    plans: HashMap<i64, String>,
    payments: HashMap<i64, Payment>,
    invoices: HashMap<i64, Invoice>,
    complaints: HashMap<i64, Complaint>,
}

impl Rows {
    async fn read(tx: &Tx, tenant: &Tenant, told: &[Said<'_>]) -> Result<Rows, Error> {
        let isp = tenant.isp.isp_id;
        let subjects = |noun: &str| -> Vec<i64> {
            sorted(told.iter().filter(|said| said.event.subject == noun).map(|said| said.event.subject_id))
        };
        let named = |key: &str| -> Vec<i64> { sorted(told.iter().filter_map(|said| said.body[key].as_i64())) };
        let services = webhook::services(tx, isp, &subjects("service")).await?;
        let payments = webhook::payments(tx, isp, &named("payment")).await?;
        let invoices = webhook::invoices(tx, isp, &named("invoice")).await?;
        let complaints = complaint::some(tx, isp, &subjects("complaint")).await?;
        let mut ids = subjects("customer");
        ids.extend(services.values().map(|row| row.customer_id.0));
        ids.extend(payments.values().map(|row| row.customer_id.0));
        ids.extend(invoices.values().map(|row| row.customer_id.0));
        ids.extend(complaints.iter().map(|row| row.customer_id.0));
        let ids: Vec<CustomerId> = sorted(ids.into_iter()).into_iter().map(CustomerId).collect();
        let customers = customer::with_services(tx, isp, &ids).await?;
        let mut plans: Vec<i64> = services.values().map(|row| row.plan_id.0).collect();
        plans.extend(customers.iter().filter_map(|(_, line)| line.as_ref()).map(|line| line.plan_id.0));
        plans.extend(named("plan"));
        plans.extend(named("plan_before"));
        let plans = webhook::plan_names(tx, isp, &sorted(plans.into_iter())).await?;
        Ok(Rows {
            customers: customers.into_iter().map(|row| (row.0.id.0, row)).collect(),
            services,
            plans,
            payments,
            invoices,
            complaints: complaints.into_iter().map(|row| (row.id, row)).collect(),
        })
    }

    /// `None` where it is not about what the name speaks of: a further line of a customer, say.
    fn notice(&self, tenant: &Tenant, said: &Said<'_>, name: &'static str) -> Option<Notice> {
        let (customer, data) = match name.split('.').next().unwrap_or_default() {
            "customer" => self.customer(said, name)?,
            "connection" => self.connection(said, name)?,
            "package" => self.package(said, name)?,
            "payment" => {
                let row = self.payments.get(&said.body["payment"].as_i64()?)?;
                (row.customer_id, payment(tenant, row))
            }
            "bill" | "invoice" => {
                let row = self.invoices.get(&said.body["invoice"].as_i64()?)?;
                (row.customer_id, invoice(tenant, row, name))
            }
            _ => {
                let row = self.complaints.get(&said.event.subject_id)?;
                let data = json!({
                    "customer_id": row.customer_id.0, "complaint_id": row.id, "subject": row.subject,
                    "message": row.message, "category": row.category, "priority": row.priority
                });
                (row.customer_id, data)
            }
        };
        let branch = self.customers.get(&customer.0).and_then(|(row, _)| row.branch_id);
        Some(Notice { seq: said.event.seq, at: said.event.at, name, data, branch })
    }

    /// A customer's account is its primary line.
    fn customer(&self, said: &Said<'_>, name: &str) -> Option<(CustomerId, Json)> {
        let id = match said.event.subject.as_str() {
            "customer" => said.event.subject_id,
            _ => {
                let line = self.services.get(&said.event.subject_id).filter(|line| line.ordinal == 1)?;
                line.customer_id.0
            }
        };
        let (row, line) = self.customers.get(&id)?;
        let status = match name {
            "customer.suspended" => status_word(said.body["status"].as_str().unwrap_or("suspended")),
            "customer.activated" => "active",
            "customer.deleted" => "deleted",
            _ => line.as_ref().map_or("disabled", |line| shown(line, said.event.at)),
        };
        let mut data = Map::new();
        data.insert("customer_id".into(), id.into());
        data.insert("name".into(), row.full_name.clone().into());
        data.insert("username".into(), row.username.clone().into());
        data.insert("email".into(), row.email.clone().into());
        data.insert("phone".into(), row.phone.clone().into());
        data.insert("status".into(), status.into());
        data.insert("package".into(), line.as_ref().map_or(Json::Null, |line| self.plan(line.plan_id.0)));
        if let Some(reason) = reason(said) {
            data.insert("reason".into(), reason.into());
        }
        Some((CustomerId(id), data.into()))
    }

    fn connection(&self, said: &Said<'_>, name: &str) -> Option<(CustomerId, Json)> {
        let line = self.services.get(&said.event.subject_id)?;
        let status = match name {
            "connection.activated" => "active",
            "connection.terminated" => "terminated",
            _ => status_word(said.body["status"].as_str().unwrap_or("suspended")),
        };
        let data = json!({
            "customer_id": line.customer_id.0, "connection_id": line.id.0, "username": line.username,
            "connection_type": line.kind.word(), "status": status, "reason": reason(said)
        });
        Some((line.customer_id, data))
    }

    fn package(&self, said: &Said<'_>, name: &str) -> Option<(CustomerId, Json)> {
        let line = self.services.get(&said.event.subject_id)?;
        let plan = said.body["plan"].as_i64().unwrap_or(line.plan_id.0);
        let ends = said.body["expires_at"].as_i64().or(said.body["expired_at"].as_i64()).map(Instant);
        let mut data = json!({
            "customer_id": line.customer_id.0, "connection_id": line.id.0, "package": self.plan(plan),
            "expires_at": ends.or(line.expires_at).map(utc)
        });
        if name == "package.changed" {
            data["previous_package"] = said.body["plan_before"].as_i64().map_or(Json::Null, |id| self.plan(id));
        }
        Some((line.customer_id, data))
    }

    fn plan(&self, id: i64) -> Json {
        json!({ "id": id, "name": self.plans.get(&id) })
    }
}

fn payment(tenant: &Tenant, row: &Payment) -> Json {
    json!({
        "customer_id": row.customer_id.0, "payment_id": row.id.0, "amount": amount(row.amount, tenant),
        "currency": tenant.currency.code, "method": row.method, "transaction_id": row.reference,
        "bill_id": row.invoice_id.map(|id| id.0)
    })
}

fn invoice(tenant: &Tenant, row: &Invoice, name: &str) -> Json {
    let mut data = json!({
        "customer_id": row.customer_id.0, "bill_id": row.id.0, "amount": amount(row.total, tenant),
        "currency": tenant.currency.code, "due_date": row.due_at.day(&tenant.zone).to_string(),
        "number": format!("{}-{:06}", row.series, row.number)
    });
    if name.starts_with("invoice") {
        data["invoice_id"] = row.id.0.into();
    }
    data
}

fn reason<'a>(said: &'a Said<'_>) -> Option<&'a str> {
    match said.event.kind {
        EventKind::ServiceExpired => Some("expired"),
        EventKind::ServiceRecharged => Some("recharged"),
        _ => said.body["reason"].as_str(),
    }
}

/// The document knows active, suspended and disabled (docs/readings.md 7.0).
fn status_word(core: &str) -> &'static str {
    match Status::from_word(core) {
        Some(Status::Suspended | Status::Pending | Status::AwaitingApproval | Status::Active) | None => "suspended",
        Some(Status::Disabled | Status::Inactive | Status::Rejected | Status::Terminated) => "disabled",
    }
}

fn shown(line: &Service, at: Instant) -> &'static str {
    match line.status {
        Status::Active if line.expires_at.is_none_or(|end| end > at) => "active",
        other => status_word(other.word()),
    }
}

/// `2026-03-15T10:30:00Z`.
pub(super) fn utc(at: Instant) -> String {
    at.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// As a JSON number: `500`, `500.5`.
fn amount(money: Money, tenant: &Tenant) -> Json {
    let scale = 10_i64.pow(tenant.currency.exponent);
    match money.0 % scale {
        0 => (money.0 / scale).into(),
        _ => json!(money.0 as f64 / scale as f64),
    }
}

fn sorted(ids: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut ids: Vec<i64> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_events() {
        let rows = [
            (EventKind::CustomerCreated, json!({}), vec!["customer.created"]),
            (EventKind::ServiceSuspended, json!({}), vec!["customer.suspended", "connection.suspended"]),
            (EventKind::ServiceDeactivated, json!({ "status": "pending" }), vec![]),
            (
                EventKind::ServiceDeactivated,
                json!({ "status": "terminated" }),
                vec!["customer.suspended", "connection.terminated"],
            ),
            (EventKind::ServiceExpired, json!({ "status": "suspended" }), vec!["package.expired"]),
            (
                EventKind::ServiceExpired,
                json!({}),
                vec!["package.expired", "customer.suspended", "connection.suspended"],
            ),
            (EventKind::ServiceRecharged, json!({}), vec![]),
            (EventKind::ServiceRecharged, json!({ "before": "active" }), vec![]),
            (EventKind::ServiceRecharged, json!({ "before": "active", "plan_before": 2 }), vec!["package.changed"]),
            (EventKind::ServiceRecharged, json!({ "before": "new" }), vec!["connection.activated", "package.assigned"]),
            (
                EventKind::ServiceRecharged,
                json!({ "before": "expired" }),
                vec!["customer.activated", "connection.activated"],
            ),
            (EventKind::ServiceChanged, json!({ "customer": 1 }), vec![]),
            (EventKind::ServiceChanged, json!({ "deleted": true }), vec!["connection.terminated"]),
            (EventKind::InvoiceIssued, json!({}), vec!["bill.generated", "invoice.generated"]),
            (EventKind::RouterCreated, json!({}), vec![]),
        ];
        for (kind, body, expected) in rows {
            assert_eq!(names_of(kind, &body), expected, "{kind:?} {body}");
        }
    }

    #[test]
    fn every_name_can_be_sent() {
        let bodies = [
            json!({}),
            json!({ "before": "new" }),
            json!({ "before": "expired", "plan_before": 1 }),
            json!({ "deleted": true }),
        ];
        for name in NAMES {
            let sent = EventKind::ALL.iter().any(|kind| bodies.iter().any(|body| names_of(*kind, body).contains(name)));
            assert!(sent, "{name}");
        }
    }
}
